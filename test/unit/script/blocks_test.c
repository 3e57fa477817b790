/* Every input of real blocks, under the flags of their heights: what the network
 * accepted is valid, with and without the cache of signatures, and not under the
 * rules of a later time where the block broke those. */
#include "script/script.h"

#include "consensus/rules.h"
#include "primitives/block.h"
#include "script/sig_cache.h"
#include "script_text.h"

static const struct {
    const char *name;
    enum network network;
    int32_t height;
    uint32_t inputs; /* 0: as many as there are. */
} rows[] = {
    {"mainnet_170", NETWORK_MAIN, 170, 1},
    {"mainnet_24835", NETWORK_MAIN, 24835, 74},
    {"mainnet_116928", NETWORK_MAIN, 116928, 12},
    {"mainnet_210000", NETWORK_MAIN, 210000, 899},
    {"mainnet_277647", NETWORK_MAIN, 277647, 732},
    {"mainnet_300025", NETWORK_MAIN, 300025, 1427},
    {"mainnet_403200", NETWORK_MAIN, 403200, 1036},
    {"mainnet_481824", NETWORK_MAIN, 481824, 0},
    {"mainnet_542213", NETWORK_MAIN, 542213, 0},
    {"mainnet_553724", NETWORK_MAIN, 553724, 0},
    {"mainnet_709632", NETWORK_MAIN, 709632, 0},
    {"mainnet_757753", NETWORK_MAIN, 757753, 0},
};

/* The outputs that one transaction spends, from the block's undo file. */
static struct tx_out *read_spent(struct reader *r, const struct tx *tx, struct arena *arena)
{
    struct tx_out *spent = arena_array(arena, tx->in_n, sizeof(*spent));

    for (uint32_t i = 0; i < tx->in_n; i++) {
        spent[i].value_sat = (int64_t)read_le64(r);
        spent[i].script_pubkey = read_var_bytes(r);
    }
    CHECK(r->rc == 0);
    return spent;
}

/* Returns the inputs that were verified. */
static uint32_t verify_block(const char *name, const struct block *block, struct reader *undo,
                             uint64_t flags, struct sig_cache *cache, struct arena *arena)
{
    uint32_t inputs = 0;

    for (uint32_t i = 1; i < block->tx_n; i++) {
        const struct tx *tx = &block->tx[i];
        struct ready_spend ready;

        ready_spend_init(&ready, tx, read_spent(undo, tx, arena), arena);
        ready.spend.sig_cache = cache;
        ready.spend.sig_cache_store = (i & 1) != 0;
        for (uint32_t k = 0; k < tx->in_n; k++, inputs++)
            EXPECT_STR(name, verdict_text(script_verify_input(&ready.spend, k, flags)), "VALID");
    }
    EXPECT_U64(name, undo->left, 0);
    return inputs;
}

static void real_blocks_are_valid(void)
{
    static const uint8_t salt[SIG_CACHE_SALT_BYTES] = {8};
    struct sig_cache *cache = sig_cache_new(1 << 20, salt);

    (void)sha256_select(true);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf bytes = {0};
        struct buf undo = {0};
        struct arena arena;
        struct block block;
        struct reader r;
        char path[64];
        uint32_t inputs;

        (void)snprintf(path, sizeof(path), "blocks/%s.raw", rows[i].name);
        if (test_data_path(path) == NULL) {
            test_skip("no ASSAY_DATA");
            break;
        }
        arena_init(&arena);
        CHECK(test_read_file(&bytes, test_data_path(path)));
        (void)snprintf(path, sizeof(path), "blocks/%s.undo.raw", rows[i].name);
        CHECK(test_read_file(&undo, test_data_path(path)));
        CHECK(block_read(&block, bytes.data, bytes.len, &arena) == 0);
        reader_init(&r, undo.data, undo.len);
        inputs = verify_block(rows[i].name, &block, &r,
                              block_script_flags(rows[i].height, &block.hash,
                                                 params_of(rows[i].network)),
                              i % 2 == 0 ? cache : NULL, &arena);
        if (rows[i].inputs > 0)
            EXPECT_U64(rows[i].name, inputs, rows[i].inputs);
        arena_clear(&arena);
        buf_clear(&bytes);
        buf_clear(&undo);
    }
    sig_cache_free(cache);
}

TEST_LIST(TEST(real_blocks_are_valid))
