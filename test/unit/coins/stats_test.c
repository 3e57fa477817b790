/* The first blocks of the main chain through the store: their coins' hashes are
 * known. Then the same coins through a snapshot file. */
#include "coins/stats.h"

#include "base/alloc.h"
#include "base/hex.h"
#include "coins/snapshot.h"
#include "primitives/block.h"
#include "sim_disk.h"
#include "test.h"

#define BLOCKS_PER_FLUSH 700U

static struct coins_store *open_store(struct disk *disk, const char *folder)
{
    struct coins_options options = {.disk = disk, .folder = folder};
    struct coins_store *store = NULL;
    struct error err = {0};

    if (coins_open(&store, &options, &err) < 0)
        printf("%s\n", error_text(&err));
    CHECK(store != NULL);
    return store;
}

/* What a block spends and makes, without what it makes and spends itself. */
static struct coins_change net_change(const struct block *block, uint32_t height,
                                      struct arena *arena)
{
    size_t ins_n = 0;
    size_t outs_n = 0;
    struct coins_change change = {.new_tip = block->hash};
    struct outpoint *spends;
    struct outpoint *adds;
    struct coin *coins;

    for (uint32_t t = 0; t < block->tx_n; t++) {
        ins_n += block->tx[t].in_n;
        outs_n += block->tx[t].out_n;
    }
    spends = arena_array(arena, ins_n, sizeof(*spends));
    adds = arena_array(arena, outs_n, sizeof(*adds));
    coins = arena_array(arena, outs_n, sizeof(*coins));
    for (uint32_t t = 0; t < block->tx_n; t++) {
        const struct tx *tx = &block->tx[t];

        for (uint32_t i = 0; t > 0 && i < tx->in_n; i++) {
            size_t at = 0;

            while (at < change.adds_n && !outpoint_equal(&adds[at], &tx->in[i].prevout))
                at++;
            if (at == change.adds_n) {
                spends[change.spends_n++] = tx->in[i].prevout;
                continue;
            }
            adds[at] = adds[--change.adds_n];
            coins[at] = coins[change.adds_n];
        }
        for (uint32_t i = 0; i < tx->out_n; i++) {
            if (script_is_unspendable(tx->out[i].script_pubkey))
                continue;
            adds[change.adds_n] = (struct outpoint){.txid = tx->txid, .vout = i};
            coins[change.adds_n++] = (struct coin){.value_sat = tx->out[i].value_sat,
                                                   .script_pubkey = tx->out[i].script_pubkey,
                                                   .height = height,
                                                   .is_coinbase = t == 0};
        }
    }
    change.spends = spends;
    change.adds = adds;
    change.add_coins = coins;
    return change;
}

static void import(struct coins_store *store, const struct buf *chain)
{
    uint32_t height = 0;
    struct error err = {0};
    struct arena arena;
    size_t at = 0;

    arena_init(&arena);
    while (at + 8 <= chain->len) {
        uint32_t len = get_le32(chain->data + at + 4);
        struct block block;
        struct coins_change change;
        size_t missing;

        CHECK(block_read(&block, chain->data + at + 8, len, &arena) == 0);
        change = net_change(&block, height, &arena);
        /* The outputs of the genesis block are no coins. */
        if (height > 0) {
            CHECK(coins_apply(store, NULL, &missing, &change, NULL, &err) == 0);
            CHECK(missing == SIZE_MAX);
        }
        if (++height % BLOCKS_PER_FLUSH == 0) {
            CHECK(coins_flush_wait(store, &err) == 0);
            CHECK(coins_flush_start(store, NULL, NULL, &err) == 0);
        }
        at += 8 + len;
        arena_reset(&arena);
    }
    arena_clear(&arena);
    CHECK(coins_flush_wait(store, &err) == 0);
    CHECK(coins_flush_start(store, NULL, NULL, &err) == 0);
    CHECK(coins_flush_wait(store, &err) == 0);
}

static void expect_hash(const char *label, struct coins_store *store, enum coins_hash_kind kind,
                        const char *want)
{
    struct coins_stats stats = {0};
    struct error err = {0};

    EXPECT_INT(label, coins_stats_compute(&stats, NULL, store, kind, NULL, &err), 0);
    EXPECT_STR(label, hash_hex(stats.hash).text, want);
}

static const char serialized_4521[] =
    "5b4d07d612a7980e50a9386669332e61ce0db8f8a66b094ce819e190980f2b67";
static const char muhash_4521[] =
    "ef572d992f09ddbab60d3ba06c4dcc9ccc6b9374fc1c884c0695fc8bc8c6d3bd";

/* Reads a snapshot into another store. */
static void load(struct coins_store *store, struct disk *disk, const char *path)
{
    struct snapshot_reader *reader;
    struct snapshot_header header;
    struct outpoint outpoint;
    struct coin coin;
    struct error err = {0};
    uint64_t n = 0;
    int rc;

    CHECK(snapshot_reader_new(&reader, &header, disk, path, &err) == 0);
    while ((rc = snapshot_reader_next(reader, &outpoint, &coin, 4521, &err)) == 1) {
        struct coins_change change = {
            .adds = &outpoint, .add_coins = &coin, .adds_n = 1, .new_tip = header.base};
        size_t missing;

        CHECK(coins_apply(store, NULL, &missing, &change, NULL, &err) == 0);
        n++;
    }
    EXPECT_INT("loaded", rc, 0);
    EXPECT_U64("loaded", n, header.coins_n);
    snapshot_reader_free(reader);
    CHECK(coins_flush_start(store, NULL, NULL, &err) == 0);
    CHECK(coins_flush_wait(store, &err) == 0);
}

static void main_chain_4521(void)
{
    static const uint8_t magic[4] = {0xf9, 0xbe, 0xb4, 0xd9};
    const char *path = test_data_path("chains/mainnet_0_4521.dat");
    struct sim_disk *sim;
    struct disk *disk;
    struct coins_store *store;
    struct snapshot_header header = {0};
    struct coins_stats stats = {0};
    struct error err = {0};
    struct buf chain = {0};
    struct buf one = {0};
    struct buf two = {0};

    if (path == NULL) {
        test_skip("the chain's blocks are not there");
        return;
    }
    CHECK(test_read_file(&chain, path));
    sim = sim_disk_new(1);
    disk = sim_disk_disk(sim);
    store = open_store(disk, "one");
    import(store, &chain);
    expect_hash("serialized", store, COINS_HASH_SERIALIZED_3, serialized_4521);
    expect_hash("muhash", store, COINS_HASH_MUHASH, muhash_4521);
    if (EXPECT_INT("snapshot", snapshot_write(disk, "one/utxo.dat", magic, store, &header,
                                              &stats, NULL, &err), 0)) {
        struct coins_store *other = open_store(disk, "two");

        EXPECT_STR("snapshot", hash_hex(stats.hash).text, serialized_4521);
        load(other, disk, "one/utxo.dat");
        expect_hash("loaded", other, COINS_HASH_SERIALIZED_3, serialized_4521);
        EXPECT_INT("again", snapshot_write(disk, "two/utxo.dat", magic, other, &header, &stats,
                                           NULL, &err), 0);
        CHECK(sim_disk_peek(sim, "one/utxo.dat", &one) && sim_disk_peek(sim, "two/utxo.dat", &two));
        EXPECT_BYTES("files", two.data, two.len, one.data, one.len);
        EXPECT_INT("there already", snapshot_write(disk, "one/utxo.dat", magic, store, &header,
                                                   &stats, NULL, &err), E_EXISTS);
        coins_close(other);
    }
    coins_close(store);
    buf_clear(&one);
    buf_clear(&two);
    buf_clear(&chain);
    sim_disk_free(sim);
}

TEST_LIST(TEST(main_chain_4521))
