#include <stdlib.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "coins/compress.h"
#include "coins/undo.h"
#include "primitives/amount.h"
#include "test.h"

/* As Core's own description of the formats gives them: number by number. */
static const struct {
    uint64_t value;
    const char *hex;
} varint_rows[] = {
    {0, "00"},
    {1, "01"},
    {127, "7f"},
    {128, "8000"},
    {255, "807f"},
    {256, "8100"},
    {16383, "fe7f"},
    {16384, "ff00"},
    {16511, "ff7f"},
    {16512, "808000"},
    {65535, "82fe7f"},
    {UINT64_C(1) << 32, "8efefeff00"},
    {UINT64_MAX, "80fefefefefefefefe7f"},
};

static void varints_are_as_in_core(void)
{
    for (size_t i = 0; i < ARRAY_LEN(varint_rows); i++) {
        const char *label = varint_rows[i].hex;
        struct buf want = {0};
        struct reader r;
        uint8_t got[VARINT_BYTES_MAX];
        size_t n = varint_write(got, varint_rows[i].value);

        CHECK(hex_read_buf(&want, label, strlen(label)));
        EXPECT_BYTES(label, got, n, want.data, want.len);
        reader_init(&r, got, n);
        EXPECT_U64(label, read_varint(&r, UINT64_MAX), varint_rows[i].value);
        EXPECT_INT(label, r.rc, 0);
        reader_init(&r, got, n - 1);
        EXPECT_U64(label, read_varint(&r, UINT64_MAX), 0);
        EXPECT_INT(label, r.rc, E_TRUNCATED);
        reader_init(&r, got, n);
        (void)read_varint(&r, varint_rows[i].value - (varint_rows[i].value > 0));
        EXPECT_INT(label, r.rc, varint_rows[i].value > 0 ? E_MALFORMED : 0);
        buf_clear(&want);
    }
    for (int i = 0; i < 20000; i++) {
        uint64_t value = test_random() >> test_random_below(64);
        uint8_t bytes[VARINT_BYTES_MAX];
        struct reader r;

        reader_init(&r, bytes, varint_write(bytes, value));
        EXPECT_U64("any", read_varint(&r, UINT64_MAX), value);
        EXPECT_U64("all read", r.left, 0);
    }
}

static void too_wide_varints_are_refused(void)
{
    static const char *const rows[] = {
        "80fefefefefefefeff00", /* 2^64 */
        "80fefefefefefefefe8000",
        "ffffffffffffffffffffff00",
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf in = {0};
        struct reader r;

        CHECK(hex_read_buf(&in, rows[i], strlen(rows[i])));
        reader_init(&r, in.data, in.len);
        EXPECT_U64(rows[i], read_varint(&r, UINT64_MAX), 0);
        EXPECT_INT(rows[i], r.rc, E_MALFORMED);
        buf_clear(&in);
    }
}

/* A second way to the same numbers: decimal text. */
static uint64_t compress_slowly(uint64_t amount)
{
    char text[32];
    size_t len;
    unsigned zeros = 0;

    if (amount == 0)
        return 0;
    len = (size_t)snprintf(text, sizeof(text), "%" PRIu64, amount);
    while (zeros < 9 && text[len - 1] == '0') {
        text[--len] = '\0';
        zeros++;
    }
    if (zeros == 9)
        return strtoull(text, NULL, 10) * 10;
    {
        uint64_t last = (uint64_t)(text[len - 1] - '0');

        text[len - 1] = '\0';
        return (strtoull(text, NULL, 10) * 9 + last - 1) * 10 + zeros + 1;
    }
}

static void amounts_go_there_and_back(void)
{
    static const struct {
        int64_t amount_sat;
        uint64_t compressed;
    } rows[] = {
        {0, 0},
        {1, 0x1},
        {COIN_SAT / 100, 0x7},
        {COIN_SAT, 0x9},
        {50 * COIN_SAT, 0x32},
        {MONEY_MAX_SAT, 0x1406f40},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        EXPECT_U64("row", amount_compress((uint64_t)rows[i].amount_sat), rows[i].compressed);
        EXPECT_U64("row", amount_decompress(rows[i].compressed), (uint64_t)rows[i].amount_sat);
    }
    for (int i = 0; i < 50000; i++) {
        uint64_t amount = test_random_below((uint64_t)MONEY_MAX_SAT + 1);
        uint64_t power = 1;

        for (uint64_t zeros = test_random_below(16); zeros > 0; zeros--)
            power *= 10;
        amount -= amount % power;
        EXPECT_U64("any", amount_compress(amount), compress_slowly(amount));
        EXPECT_U64("any", amount_decompress(amount_compress(amount)), amount);
    }
}

static const struct {
    const char *label;
    const char *script;
    const char *want; /* Without the amount's byte. */
} script_rows[] = {
    {"key hash", "76a914000102030405060708090a0b0c0d0e0f1011121388ac",
     "00000102030405060708090a0b0c0d0e0f10111213"},
    {"not quite a key hash", "76a914000102030405060708090a0b0c0d0e0f1011121388ad",
     "1f76a914000102030405060708090a0b0c0d0e0f1011121388ad"},
    {"script hash", "a914000102030405060708090a0b0c0d0e0f1011121387",
     "01000102030405060708090a0b0c0d0e0f10111213"},
    {"even key", "210279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798ac",
     "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"},
    {"a short key need not be a point",
     "2103ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffac",
     "03ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
    {"long key, even",
     "410479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
     "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8ac",
     "0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"},
    {"long key, odd",
     "410479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
     "b7c52588d95c3b9aa25b0403f1eef75702e84bb7597aabe663b82f6f04ef2777ac",
     "0579be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"},
    {"a long key that is no point",
     "410479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
     "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b9ac",
     "49410479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
     "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b9ac"},
    {"a hybrid key has no short form",
     "410679be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
     "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8ac",
     "49410679be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
     "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8ac"},
    {"empty", "", "06"},
    {"witness", "00140102030405060708090a0b0c0d0e0f1011121314",
     "1c00140102030405060708090a0b0c0d0e0f1011121314"},
};

static void scripts_have_their_short_forms(void)
{
    for (size_t i = 0; i < ARRAY_LEN(script_rows); i++) {
        const char *label = script_rows[i].label;
        struct buf script = {0};
        struct buf want = {0};
        struct arena arena;
        struct reader r;
        struct span back;
        uint8_t got[128];
        int64_t value_sat;
        size_t n;

        arena_init(&arena);
        CHECK(hex_read_buf(&script, script_rows[i].script, strlen(script_rows[i].script)));
        buf_add_byte(&want, 0x32);
        CHECK(hex_read_buf(&want, script_rows[i].want, strlen(script_rows[i].want)));
        n = txout_write_compressed(got, 50 * COIN_SAT, span_of_buf(&script));
        EXPECT_BYTES(label, got, n, want.data, want.len);
        reader_init(&r, got, n);
        read_txout_compressed(&r, &value_sat, &back, &arena);
        EXPECT_INT(label, r.rc, 0);
        EXPECT_INT(label, value_sat, 50 * COIN_SAT);
        EXPECT_BYTES(label, back.data, back.len, script.data, script.len);
        for (size_t cut = 0; cut < n; cut++) {
            reader_init(&r, got, cut);
            read_txout_compressed(&r, &value_sat, &back, &arena);
            EXPECT_INT(label, r.rc, E_TRUNCATED);
        }
        arena_clear(&arena);
        buf_clear(&script);
        buf_clear(&want);
    }
}

static void bad_outputs_are_refused(void)
{
    static const struct {
        const char *label;
        const char *hex;
    } rows[] = {
        {"x that no point has",
         "3204ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
        {"amount over the range", "d98ed14906"}, /* 21,000,001 coins. */
        {"script over 10,000 bytes", "32cd17"},
        {"amount that wraps", "80fefefefefefefefe7f06"},
    };
    struct arena arena;

    arena_init(&arena);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf in = {0};
        struct reader r;
        struct span script;
        int64_t value_sat;

        CHECK(hex_read_buf(&in, rows[i].hex, strlen(rows[i].hex)));
        reader_init(&r, in.data, in.len);
        read_txout_compressed(&r, &value_sat, &script, &arena);
        EXPECT_INT(rows[i].label, r.rc, E_MALFORMED);
        EXPECT_TRUE(rows[i].label, script.len == 0 && value_sat == 0);
        buf_clear(&in);
    }
    arena_clear(&arena);
}

static struct coin random_coin(struct arena *arena)
{
    struct coin coin = {
        .value_sat = (int64_t)test_random_below((uint64_t)MONEY_MAX_SAT + 1),
        .height = (uint32_t)test_random_below(3) * (uint32_t)test_random_below(900000),
        .is_coinbase = test_random_below(2) == 0,
    };
    size_t row = (size_t)test_random_below(ARRAY_LEN(script_rows) + 1);
    size_t len = row < ARRAY_LEN(script_rows) ? strlen(script_rows[row].script) / 2
                                              : (size_t)test_random_below(SCRIPT_BYTES_MAX + 1);
    uint8_t *script = arena_alloc(arena, len);

    if (row < ARRAY_LEN(script_rows))
        CHECK(hex_read(script, len, script_rows[row].script, 2 * len));
    else
        test_random_fill(script, len);
    coin.script_pubkey = span_of(script, len);
    return coin;
}

static void expect_coin(const struct coin *got, const struct coin *want)
{
    EXPECT_INT("value", got->value_sat, want->value_sat);
    EXPECT_U64("height", got->height, want->height);
    EXPECT_TRUE("coinbase", got->is_coinbase == want->is_coinbase);
    EXPECT_BYTES("script", got->script_pubkey.data, got->script_pubkey.len,
                 want->script_pubkey.data, want->script_pubkey.len);
}

static void undo_goes_there_and_back(void)
{
    for (int round = 0; round < 60; round++) {
        struct coin coins[12][5];
        uint32_t coins_n[12];
        uint32_t tx_n = (uint32_t)test_random_below(13);
        struct arena arena;
        struct buf buf = {0};
        struct undo undo;

        arena_init(&arena);
        undo_begin(&buf, tx_n);
        for (uint32_t i = 0; i < tx_n; i++) {
            coins_n[i] = (uint32_t)test_random_below(6);
            for (uint32_t k = 0; k < coins_n[i]; k++)
                coins[i][k] = random_coin(&arena);
            undo_add_tx(&buf, coins[i], coins_n[i]);
        }
        EXPECT_INT("read", undo_read(&undo, span_of_buf(&buf), &arena, NULL), 0);
        EXPECT_U64("transactions", undo.tx_n, tx_n);
        for (uint32_t i = 0; i < tx_n; i++) {
            EXPECT_U64("coins", undo.tx[i].coins_n, coins_n[i]);
            for (uint32_t k = 0; k < coins_n[i]; k++)
                expect_coin(&undo.tx[i].coins[k], &coins[i][k]);
        }
        for (int cuts = 0; cuts < 20 && buf.len > 0; cuts++) {
            struct error err = {0};

            EXPECT_TRUE("cut", undo_read(&undo, span_of(buf.data, test_random_below(buf.len)),
                                         &arena, &err) < 0);
        }
        buf_add_byte(&buf, 0);
        EXPECT_INT("a byte over", undo_read(&undo, span_of_buf(&buf), &arena, NULL), E_MALFORMED);
        buf_clear(&buf);
        arena_clear(&arena);
    }
}

/* Counts that promise more than the bytes can hold take no memory. */
static void promises_are_not_believed(void)
{
    static const char *const rows[] = {"fe00000002", "01fe00000002", "fdffff", "0201"};
    struct arena arena;
    struct undo undo;

    arena_init(&arena);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf in = {0};

        CHECK(hex_read_buf(&in, rows[i], strlen(rows[i])));
        EXPECT_INT(rows[i], undo_read(&undo, span_of_buf(&in), &arena, NULL), E_TRUNCATED);
        buf_clear(&in);
    }
    EXPECT_TRUE("little memory", arena.total_bytes < 1 << 20);
    arena_clear(&arena);
}

TEST_LIST(TEST(varints_are_as_in_core), TEST(too_wide_varints_are_refused),
          TEST(amounts_go_there_and_back), TEST(scripts_have_their_short_forms),
          TEST(bad_outputs_are_refused), TEST(undo_goes_there_and_back),
          TEST(promises_are_not_believed))
