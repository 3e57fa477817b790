/* Imports of real chains, from block files in place and from elsewhere. */
#include <stdlib.h>

#include "base/alloc.h"
#include "chain/block_files.h"
#include "chain/chain.h"
#include "crypto/sha256.h"
#include "test.h"

#define MAINNET_TIP "00000000ac08f7d984f6b36027395e654a5f1e3bb006cd9df9c60b9897ea4c40"

#define MAINNET_SERIALIZED "5b4d07d612a7980e50a9386669332e61ce0db8f8a66b094ce819e190980f2b67"
#define MAINNET_MUHASH "ef572d992f09ddbab60d3ba06c4dcc9ccc6b9374fc1c884c0695fc8bc8c6d3bd"

struct setup {
    struct chain_options options;
    char *blocks;
    char *chainstate;
};

static void setup_init(struct setup *setup, const struct params *params, const char *name)
{
    char *folder = alloc_printf("%s/%s", test_folder(), name);

    setup->blocks = alloc_printf("%s/blocks", folder);
    setup->chainstate = alloc_printf("%s/chainstate", folder);
    free(folder);
    chain_options_default(&setup->options, params);
    setup->options.disk = disk_real();
    setup->options.clock = clock_real();
    setup->options.blocks_folder = setup->blocks;
    setup->options.chainstate_folder = setup->chainstate;
    setup->options.cache_bytes = 8U << 20;
    setup->options.salt[0] = test_random();
    setup->options.salt[1] = test_random();
    memset(&setup->options.assumevalid, 0, sizeof(setup->options.assumevalid));
}

static void setup_clear(struct setup *setup)
{
    free(setup->blocks);
    free(setup->chainstate);
}

static void put_file(const struct setup *setup, const char *name, struct span content)
{
    char *path = alloc_printf("%s/%s", setup->blocks, name);

    EXPECT_INT(name, disk_make_folder(disk_real(), setup->blocks, NULL), 0);
    EXPECT_INT(name, disk_replace_file(disk_real(), path, content.data, content.len, NULL), 0);
    free(path);
}

static void expect_success(const char *label, int rc, const struct error *err)
{
    if (rc < 0)
        EXPECT_STR(label, error_text(err), "success");
}

/* What the chain must come to. */
struct want {
    int32_t height;
    const char *tip_hex;
    const char *serialized_hex; /* NULL: not known. */
    const char *muhash_hex;
};

static void check_coins(const char *label, struct chain *chain, const struct want *want)
{
    struct node *node = chain_node(chain);
    struct utxo_stats stats;

    if (want->serialized_hex == NULL)
        return;
    EXPECT_INT(label, node->ops->utxo_stats(node, &stats, UTXO_HASH_SERIALIZED_3, NULL, NULL, NULL),
               0);
    EXPECT_STR(label, hash_hex(stats.hash).text, want->serialized_hex);
    EXPECT_INT(label, stats.at.height, want->height);
    EXPECT_INT(label, node->ops->utxo_stats(node, &stats, UTXO_HASH_MUHASH, NULL, NULL, NULL), 0);
    EXPECT_STR(label, hash_hex(stats.hash).text, want->muhash_hex);
}

/* Opens, imports, and looks at tip and coins. */
static void import(const char *label, const struct setup *setup, const struct want *want)
{
    struct chain *chain = NULL;
    struct node_status status;
    struct error err = {0};

    expect_success(label, chain_open(&chain, &setup->options, &err), &err);
    if (chain == NULL)
        return;
    expect_success(label, chain_import(chain, &err), &err);
    chain_node(chain)->ops->status(chain_node(chain), &status);
    EXPECT_INT(label, status.tip.height, want->height);
    EXPECT_STR(label, hash_hex(status.tip.hash.b).text, want->tip_hex);
    check_coins(label, chain, want);
    EXPECT_INT(label, status.scripts_skipped_up_to, -1);
    EXPECT_TRUE(label, !status.importing);
    expect_success(label, chain_close(chain, &err), &err);
}

static const struct want mainnet = {.height = 4521,
                                    .tip_hex = MAINNET_TIP,
                                    .serialized_hex = MAINNET_SERIALIZED,
                                    .muhash_hex = MAINNET_MUHASH};

static void mainnet_is_reindexed_and_reopened(void)
{
    const char *path = test_data_path("chains/mainnet_0_4521.dat");
    struct buf content = {0};
    struct setup setup;

    if (path == NULL) {
        test_skip("no chains/mainnet_0_4521.dat");
        return;
    }
    setup_init(&setup, params_of(NETWORK_MAIN), "mainnet");
    EXPECT_TRUE("read", test_read_file(&content, path));
    put_file(&setup, "blk00000.dat", span_of_buf(&content));
    setup.options.reindex = true;
    setup.options.threads = 2;
    import("reindex", &setup, &mainnet);
    setup.options.reindex = false;
    setup.options.threads = 1;
    import("open again", &setup, &mainnet);
    setup.options.reindex_chainstate = true;
    import("coins anew", &setup, &mainnet);
    buf_clear(&content);
    setup_clear(&setup);
}

static void mainnet_is_loaded_from_elsewhere(void)
{
    const char *path = test_data_path("chains/mainnet_0_4521.dat");
    const char *files[] = {path, "/nowhere/at/all.dat"};
    struct setup setup;

    if (path == NULL) {
        test_skip("no chains/mainnet_0_4521.dat");
        return;
    }
    setup_init(&setup, params_of(NETWORK_MAIN), "loaded");
    setup.options.loadblock = files;
    setup.options.loadblock_n = ARRAY_LEN(files);
    import("load", &setup, &mainnet);
    setup.options.loadblock_n = 0;
    import("open again", &setup, &mainnet);
    setup_clear(&setup);
}

#define RECORD_HEAD_BYTES 8

/* Genesis and the two blocks after it, the second of which has a count of
 * transactions that goes on where there is nothing: it is no block, and nothing is
 * known by its header. */
static void a_header_alone_is_not_taken_from_a_file(void)
{
    const char *path = test_data_path("chains/mainnet_0_4521.dat");
    char *copy = alloc_printf("%s/cut.dat", test_folder());
    const char *files[] = {copy};
    struct chain *chain = NULL;
    struct block_hash hash;
    struct block_info info;
    struct node_status status;
    struct buf content = {0};
    struct error err = {0};
    struct setup setup;
    size_t at = 0;

    if (path == NULL) {
        free(copy);
        test_skip("no chains/mainnet_0_4521.dat");
        return;
    }
    EXPECT_TRUE("read", test_read_file(&content, path));
    for (int i = 0; i < 2; i++)
        at += RECORD_HEAD_BYTES + get_le32(content.data + at + 4);
    at += RECORD_HEAD_BYTES;
    sha256d(hash.b, content.data + at, HEADER_BYTES);
    content.data[at + HEADER_BYTES] = 0xfc;
    EXPECT_INT("copy", disk_replace_file(disk_real(), copy, content.data, content.len, NULL), 0);
    setup_init(&setup, params_of(NETWORK_MAIN), "cut");
    setup.options.loadblock = files;
    setup.options.loadblock_n = ARRAY_LEN(files);
    expect_success("open", chain_open(&chain, &setup.options, &err), &err);
    CHECK(chain != NULL);
    expect_success("import", chain_import(chain, &err), &err);
    chain_node(chain)->ops->status(chain_node(chain), &status);
    EXPECT_INT("as far as blocks go", status.tip.height, 1);
    EXPECT_INT("unknown", chain_node(chain)->ops->block_by_hash(chain_node(chain), &info, &hash),
               E_NOT_FOUND);
    expect_success("close", chain_close(chain, &err), &err);
    buf_clear(&content);
    setup_clear(&setup);
    free(copy);
}

/* -loadblock knows of no key: what it does not recognize it passes over, as Core does. */
static void a_file_combined_with_a_key_has_no_blocks(void)
{
    static const uint8_t key[BLOCK_FILE_KEY_BYTES] = {1, 2, 3, 4, 5, 6, 7, 8};
    const char *path = test_data_path("chains/mainnet_0_4521.dat");
    char *copy = alloc_printf("%s/masked.dat", test_folder());
    const char *files[] = {copy};
    struct buf content = {0};
    struct want want = {.height = 0};
    struct setup setup;

    want.tip_hex = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";
    if (path == NULL) {
        test_skip("no chains/mainnet_0_4521.dat");
        goto done;
    }
    EXPECT_INT("read", disk_read_file(disk_real(), &content, path, SIZE_MAX, NULL), 0);
    block_files_xor(key, 0, content.data, content.len);
    EXPECT_INT("write", disk_replace_file(disk_real(), copy, content.data, content.len, NULL), 0);
    setup_init(&setup, params_of(NETWORK_MAIN), "masked");
    setup.options.loadblock = files;
    setup.options.loadblock_n = 1;
    import("masked", &setup, &want);
    setup_clear(&setup);

done:
    buf_clear(&content);
    free(copy);
}

/* Their blocks carry solutions that must be checked. */
static void signet_is_reindexed(void)
{
    static const struct want want = {
        .height = 120,
        .tip_hex = "0000013673a6d6169418a65dc888b51c10dd666ef0e82785515c2086476066ea"};
    const char *path = test_data_path("chains/signet_0_120.dat");
    struct buf content = {0};
    struct setup setup;

    if (path == NULL) {
        test_skip("no chains/signet_0_120.dat");
        return;
    }
    setup_init(&setup, params_of(NETWORK_SIGNET), "signet");
    EXPECT_TRUE("read", test_read_file(&content, path));
    put_file(&setup, "blk00000.dat", span_of_buf(&content));
    setup.options.reindex = true;
    import("reindex", &setup, &want);
    buf_clear(&content);
    setup_clear(&setup);
}

static void block_files_without_index_are_refused(void)
{
    static const uint8_t bytes[16];
    struct chain *chain = NULL;
    struct error err = {0};
    struct setup setup;

    setup_init(&setup, params_of(NETWORK_REGTEST), "foreign");
    put_file(&setup, "blk00000.dat", span_of(bytes, sizeof(bytes)));
    EXPECT_INT("open", chain_open(&chain, &setup.options, &err), E_STATE);
    EXPECT_TRUE("says how", strstr(err.shown.text, "-reindex") != NULL);
    setup_clear(&setup);
}

TEST_LIST(TEST(mainnet_is_reindexed_and_reopened), TEST(mainnet_is_loaded_from_elsewhere),
          TEST(a_header_alone_is_not_taken_from_a_file),
          TEST(a_file_combined_with_a_key_has_no_blocks), TEST(signet_is_reindexed),
          TEST(block_files_without_index_are_refused))
