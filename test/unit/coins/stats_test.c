/* The first blocks of the main chain through the store: their coins' hashes are
 * known. Then the same coins through a snapshot file. */
#include "coins/stats.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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
    if (EXPECT_INT("snapshot",
                   snapshot_write(disk, "one/utxo.dat", magic, store, &header, &stats, NULL, &err),
                   0)) {
        struct coins_store *other = open_store(disk, "two");

        EXPECT_STR("snapshot", hash_hex(stats.hash).text, serialized_4521);
        load(other, disk, "one/utxo.dat");
        expect_hash("loaded", other, COINS_HASH_SERIALIZED_3, serialized_4521);
        EXPECT_INT("again",
                   snapshot_write(disk, "two/utxo.dat", magic, other, &header, &stats, NULL, &err),
                   0);
        CHECK(sim_disk_peek(sim, "one/utxo.dat", &one) && sim_disk_peek(sim, "two/utxo.dat", &two));
        EXPECT_BYTES("files", two.data, two.len, one.data, one.len);
        EXPECT_INT("there already",
                   snapshot_write(disk, "one/utxo.dat", magic, store, &header, &stats, NULL, &err),
                   E_EXISTS);
        coins_close(other);
    }
    coins_close(store);
    buf_clear(&one);
    buf_clear(&two);
    buf_clear(&chain);
    sim_disk_free(sim);
}

/* A snapshot of three coins, changed in one place each. */
static int read_changed(const struct buf *good, size_t at, uint8_t mask, size_t len, char *ret_text,
                        size_t text_size)
{
    struct sim_disk *sim = sim_disk_new(2);
    struct disk *disk = sim_disk_disk(sim);
    struct snapshot_reader *reader = NULL;
    struct snapshot_header header;
    struct disk_file *file;
    struct outpoint outpoint;
    struct error err = {0};
    struct coin coin;
    int rc;

    CHECK(disk_open(disk, &file, "bad.dat", DISK_CREATE, &err) == 0);
    CHECK(disk_write(file, good->data, MIN(len, good->len), 0, &err) == 0);
    if (len > good->len)
        CHECK(disk_write(file, "+", 1, good->len, &err) == 0);
    disk_close(file);
    if (mask != 0)
        CHECK(sim_disk_flip(sim, "bad.dat", at, mask));
    rc = snapshot_reader_new(&reader, &header, disk, "bad.dat", &err);
    while (rc >= 0 && (rc = snapshot_reader_next(reader, &outpoint, &coin, 100, &err)) == 1)
        continue;
    (void)snprintf(ret_text, text_size, "%s", error_text(&err));
    snapshot_reader_free(reader);
    sim_disk_free(sim);
    return rc;
}

/* What goes into a named pipe is the very file. */
static void expect_pipe_gets(struct coins_store *store, const uint8_t *magic,
                             const struct buf *file)
{
    char *path = alloc_printf("%s/pipe", test_folder());
    struct sim_disk *none = sim_disk_new(3);
    struct snapshot_reader *reader = NULL;
    struct snapshot_header header;
    struct coins_stats stats;
    struct error err = {0};
    uint8_t bytes[1024];
    ssize_t got;
    int fd;

    CHECK(mkfifo(path, 0600) == 0);
    EXPECT_INT("not to read from", snapshot_reader_new(&reader, &header, disk_real(), path, &err),
               E_STATE);
    fd = open(path, O_RDONLY | O_NONBLOCK);
    EXPECT_INT("probe", snapshot_probe(sim_disk_disk(none), path, &err), 0);
    EXPECT_INT("nothing to undo", snapshot_probe_undo(sim_disk_disk(none), path, &err), 0);
    EXPECT_INT("pipe",
               snapshot_write(sim_disk_disk(none), path, magic, store, &header, &stats, NULL, &err),
               0);
    EXPECT_U64("coins", header.coins_n, stats.outputs_n);
    got = read(fd, bytes, sizeof(bytes));
    EXPECT_BYTES("piped", bytes, got < 0 ? 0 : (size_t)got, file->data, file->len);
    EXPECT_INT("end", read(fd, bytes, sizeof(bytes)), 0);
    (void)close(fd);
    CHECK(unlink(path) == 0);
    free(path);
    sim_disk_free(none);
}

static void make_small_snapshot(struct buf *ret_file)
{
    static const uint8_t magic[4] = {1, 2, 3, 4};
    struct sim_disk *sim = sim_disk_new(1);
    struct coins_store *store = open_store(sim_disk_disk(sim), "one");
    struct outpoint outpoints[3] = {{.vout = 7}, {.vout = 20000}, {.vout = 300}};
    struct coin coins[3];
    struct coins_change change = {.adds = outpoints, .add_coins = coins, .adds_n = 3};
    struct snapshot_header header;
    struct coins_stats stats;
    struct error err = {0};
    size_t missing;

    outpoints[0].txid.b[0] = 1;
    for (size_t i = 0; i < 3; i++)
        coins[i] =
            (struct coin){.value_sat = 50, .height = 60, .script_pubkey = span_of_string("abc")};
    CHECK(coins_apply(store, NULL, &missing, &change, NULL, &err) == 0);
    CHECK(coins_flush_start(store, NULL, NULL, &err) == 0 && coins_flush_wait(store, &err) == 0);
    CHECK(snapshot_write(sim_disk_disk(sim), "one/s", magic, store, &header, &stats, NULL, &err) ==
          0);
    EXPECT_U64("coins", header.coins_n, 3);
    EXPECT_U64("transactions", stats.tx_n, 2);
    CHECK(sim_disk_peek(sim, "one/s", ret_file));
    expect_pipe_gets(store, magic, ret_file);
    coins_close(store);
    sim_disk_free(sim);
}

static void bad_snapshots_are_told_apart(void)
{
    /* Layout: 51 bytes of header; txid 0.. 32, how many 1, then vout 20000 (3 bytes;
     * as Core's key it stands before 300), height 60 (1), amount 50 (1), "abc" with its
     * length (4). */
    static const struct {
        const char *label;
        size_t at;
        uint8_t mask;
        int cut; /* Bytes more or less. */
        const char *text;
    } rows[] = {
        {"magic", 0, 1, 0, "Invalid UTXO set snapshot magic bytes"},
        {"version", 5, 1, 0, "Version of snapshot 3 does not match"},
        {"fewer coins than said", 43, 4, 0,
         "Bad snapshot format or truncated snapshot after "
         "deserializing 3 coins"},
        {"more coins than said", 43, 2, 0, "Mismatch in coins count"},
        {"left over", 0, 0, 1, "Bad snapshot - coins left over after deserializing 3 coins"},
        {"cut", 0, 0, -1, "Bad snapshot format or truncated snapshot after deserializing 2"},
        {"too high", 87, 0x80, 0, "Bad snapshot data after deserializing 0 coins"},
    };
    struct buf good = {0};
    char text[256];

    make_small_snapshot(&good);
    EXPECT_INT("unchanged", read_changed(&good, 0, 0, good.len, text, sizeof(text)), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t len = (size_t)((int)good.len + rows[i].cut);

        EXPECT_INT(rows[i].label,
                   read_changed(&good, rows[i].at, rows[i].mask, len, text, sizeof(text)),
                   E_MALFORMED);
        if (!EXPECT_TRUE(rows[i].label, strncmp(text, rows[i].text, strlen(rows[i].text)) == 0))
            printf("%s\n", text);
    }
    buf_clear(&good);
}

TEST_LIST(TEST(main_chain_4521), TEST(bad_snapshots_are_told_apart))
