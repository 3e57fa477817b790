#include "p2p/bloom.h"

#include "base/hex.h"
#include "codec/writer.h"
#include "script/opcodes.h"
#include "test.h"

static struct bloom make(size_t len, uint32_t hash_funcs, uint32_t tweak, uint8_t flags)
{
    static const uint8_t zeros[FILTER_BYTES_MAX];
    struct message_filterload load = {
        .filter = span_of(zeros, len), .hash_funcs = hash_funcs, .tweak = tweak, .flags = flags};
    struct bloom bloom;

    bloom_init(&bloom, &load);
    return bloom;
}

static void add_hex(struct bloom *bloom, const char *hex)
{
    struct buf item = {0};

    EXPECT_TRUE(hex, hex_read_buf(&item, hex, strlen(hex)));
    bloom_add(bloom, span_of_buf(&item));
    EXPECT_TRUE(hex, bloom_has(bloom, span_of_buf(&item)));
    buf_clear(&item);
}

/* Filters that other implementations publish: three hashes into three bytes, without
 * and with a tweak; and a key with its hash. */
static const struct {
    const char *label;
    size_t len;
    uint32_t funcs, tweak;
    const char *items[3];
    const char *want;
} rows[] = {
    {"three hashes",
     3,
     5,
     0,
     {"99108ad8ed9bb6274d3980bab5a85c048f0950c8", "b5a2c786d9ef4658287ced5914b37a1b4aa32eee",
      "b9300670b4c5366e95b2699e8b18bc75e5f729c5"},
     "614e9b"},
    {"with a tweak",
     3,
     5,
     2147483649U,
     {"99108ad8ed9bb6274d3980bab5a85c048f0950c8", "b5a2c786d9ef4658287ced5914b37a1b4aa32eee",
      "b9300670b4c5366e95b2699e8b18bc75e5f729c5"},
     "ce4299"},
};

static void published_filters(void)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bloom bloom = make(rows[i].len, rows[i].funcs, rows[i].tweak, BLOOM_UPDATE_ALL);
        char hex[64];

        for (size_t k = 0; k < 3; k++)
            add_hex(&bloom, rows[i].items[k]);
        hex_write(hex, bloom.data, bloom.len);
        EXPECT_STR(rows[i].label, hex, rows[i].want);
        bloom_clear(&bloom);
    }
}

/* Items of every length, for the hash reads words and has a rest. */
static void what_was_added_is_there(void)
{
    struct bloom bloom = make(36000, 50, 77, 0);
    size_t false_n = 0;

    for (size_t len = 0; len < 521; len++) {
        uint8_t item[521];

        test_random_fill(item, len);
        false_n += bloom_has(&bloom, span_of(item, len));
        bloom_add(&bloom, span_of(item, len));
        EXPECT_TRUE("has", bloom_has(&bloom, span_of(item, len)));
    }
    EXPECT_TRUE("little else", false_n < 3);
    bloom_clear(&bloom);
}

static void empty_filters(void)
{
    struct bloom none = make(0, 50, 0, 0);
    struct bloom no_funcs = make(10, 0, 0, 0);
    struct tx tx = {0};

    bloom_add(&none, span_of("abc", 3));
    EXPECT_TRUE("of no bytes", bloom_has(&none, span_of("x", 1)));
    EXPECT_TRUE("of no bytes", bloom_match_tx(&none, &tx));
    EXPECT_TRUE("of no hashes", bloom_has(&no_funcs, span_of("x", 1)));
    EXPECT_TRUE("of no hashes", bloom_match_tx(&no_funcs, &tx));
    bloom_clear(&none);
    bloom_clear(&no_funcs);
}

/* --- Transactions --- */

static const uint8_t key[33] = {2,    0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0,
                                0x62, 0x95, 0xce, 0x87, 0x0b, 0x07, 0x02, 0x9b, 0xfc, 0xdb, 0x2d,
                                0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98};

/* One input that pushes "input", outputs to a key, to a key's hash ("hash" and
 * zeros), and one whose script breaks off before "late" comes. */
static void make_tx(struct tx *tx, struct arena *arena, uint8_t scripts[4][64])
{
    struct tx_in *in = arena_array(arena, 1, sizeof(*in));
    struct tx_out *out = arena_array(arena, 3, sizeof(*out));

    memset(tx, 0, sizeof(*tx));
    memcpy(scripts[0], "\x05input", 6);
    in[0].script_sig = span_of(scripts[0], 6);
    memset(in[0].prevout.txid.b, 0x33, 32);
    in[0].prevout.vout = 7;
    scripts[1][0] = 33;
    memcpy(scripts[1] + 1, key, 33);
    scripts[1][34] = OP_CHECKSIG;
    out[0].script_pubkey = span_of(scripts[1], 35);
    memcpy(scripts[2], "\x76\xa9\x14hash", 7);
    memset(scripts[2] + 7, 0, 16);
    scripts[2][23] = 0x88;
    scripts[2][24] = 0xac;
    out[1].script_pubkey = span_of(scripts[2], 25);
    memcpy(scripts[3], "\x4c\xff\x04late", 7);
    out[2].script_pubkey = span_of(scripts[3], 7);
    tx->version = 2;
    tx->in_n = 1;
    tx->in = in;
    tx->out_n = 3;
    tx->out = out;
    tx_finish(tx, arena);
}

/* What is in the filter, under which update rule; whether it matches, and which outputs'
 * outpoints are in the filter then. */
static const struct {
    const char *label;
    const char *item;
    size_t len;
    uint8_t flags;
    bool is_match;
    bool has_out[3];
} tx_rows[] = {
    {"nothing of it", "other", 5, BLOOM_UPDATE_ALL, false, {false, false, false}},
    {"the input's push", "input", 5, BLOOM_UPDATE_ALL, true, {false, false, false}},
    {"the key, no update", (const char *)key, 33, BLOOM_UPDATE_NONE, true, {false, false, false}},
    {"the key, all", (const char *)key, 33, BLOOM_UPDATE_ALL, true, {true, false, false}},
    {"the key, keys only", (const char *)key, 33, 2, true, {true, false, false}},
    {"the key, flag 3", (const char *)key, 33, 3, true, {false, false, false}},
    {"the key, high flags", (const char *)key, 33, 0xfd, true, {true, false, false}},
    {"the hash, all", "hash\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20, 1, true, {false, true, false}},
    {"the hash, keys only",
     "hash\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
     20,
     2,
     true,
     {false, false, false}},
    {"behind what breaks off", "late", 4, 1, false, {false, false, false}},
};

static void transactions_match(void)
{
    for (size_t i = 0; i < ARRAY_LEN(tx_rows); i++) {
        struct bloom bloom = make(1000, 10, (uint32_t)i, tx_rows[i].flags);
        uint8_t scripts[4][64];
        struct arena arena;
        struct tx tx;

        arena_init(&arena);
        make_tx(&tx, &arena, scripts);
        bloom_add(&bloom, span_of(tx_rows[i].item, tx_rows[i].len));
        EXPECT_INT(tx_rows[i].label, bloom_match_tx(&bloom, &tx), tx_rows[i].is_match);
        for (uint32_t k = 0; k < 3; k++) {
            uint8_t outpoint[36];

            memcpy(outpoint, tx.txid.b, 32);
            put_le32(outpoint + 32, k);
            EXPECT_INT(tx_rows[i].label, bloom_has(&bloom, span_of(outpoint, 36)),
                       tx_rows[i].has_out[k]);
        }
        bloom_clear(&bloom);
        arena_clear(&arena);
    }
}

static void ids_and_prevouts_match(void)
{
    uint8_t scripts[4][64];
    struct arena arena;
    struct tx tx;

    arena_init(&arena);
    make_tx(&tx, &arena, scripts);
    for (int i = 0; i < 2; i++) {
        struct bloom bloom = make(1000, 10, 5, BLOOM_UPDATE_ALL);

        if (i == 0)
            bloom_add(&bloom, span_of(tx.txid.b, 32));
        else
            bloom_add_outpoint(&bloom, &tx.in[0].prevout);
        EXPECT_TRUE("match", bloom_match_tx(&bloom, &tx));
        bloom_clear(&bloom);
    }
    arena_clear(&arena);
}

TEST_LIST(TEST(published_filters), TEST(what_was_added_is_there), TEST(empty_filters),
          TEST(transactions_match), TEST(ids_and_prevouts_match))
