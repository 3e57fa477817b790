#include "codec/bech32.h"

#include <stdlib.h>

#include "test.h"

/* BIP 173 and BIP 350, "Test vectors". */
static const char *const good_classic[] = {
    "A12UEL5L",
    "a12uel5l",
    "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
    "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
    "11qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqc8247j",
    "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
    "?1ezyfcl",
};
static const char *const good_m[] = {
    "A1LQFN3A",
    "a1lqfn3a",
    "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
    "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
    "11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllludsr8",
    "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
    "?1v759aa",
};

static void check_good(const char *text, enum bech32_encoding encoding)
{
    struct bech32 got;
    struct buf buf = {0};
    size_t *at;
    size_t n;

    if (!EXPECT_TRUE(text, bech32_read(&got, text, strlen(text))))
        return;
    EXPECT_INT(text, got.encoding, encoding);
    bech32_write(&buf, got.encoding, got.prefix, got.values, got.values_n);
    for (size_t i = 0; text[i] != '\0'; i++) {
        char c = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];

        EXPECT_INT(text, buf.data[i], c);
    }
    EXPECT_U64(text, buf.len, strlen(text));
    EXPECT_STR(text, bech32_find_errors(&at, &n, text, strlen(text)), "");
    EXPECT_TRUE(text, at == NULL && n == 0);
    buf_clear(&buf);
}

static void good_texts(void)
{
    for (size_t i = 0; i < ARRAY_LEN(good_classic); i++)
        check_good(good_classic[i], BECH32_CLASSIC);
    for (size_t i = 0; i < ARRAY_LEN(good_m); i++)
        check_good(good_m[i], BECH32_M);
}

/* The texts both BIPs give as wrong, and what Core's RPC says of them
 * (error texts and positions as its tests list them). */
static const struct {
    const char *text;
    const char *reason;
    size_t n;
    size_t at[2];
} bad_rows[] = {
    {"\x20"
     "1nwldj5",
     "Invalid character or mixed case",
     1,
     {0}},
    {"\x7f"
     "1axkwrx",
     "Invalid character or mixed case",
     1,
     {0}},
    {"\x80"
     "1eym55h",
     "Invalid character or mixed case",
     1,
     {0}},
    {"an84characterslonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1569pvx",
     "Bech32 string too long",
     1,
     {90}},
    {"pzry9x0s0muk", "Missing separator", 0, {0}},
    {"1pzry9x0s0muk", "Invalid separator position", 1, {0}},
    {"x1b4n0q5v", "Invalid Base 32 character", 1, {2}},
    {"li1dgmt3", "Invalid separator position", 1, {2}},
    {"de1lg7wt\xff", "Invalid character or mixed case", 1, {8}},
    {"A1G7SGD8", "Invalid checksum", 0, {0}},
    {"10a06t8", "Invalid separator position", 1, {0}},
    {"1qzzfhee", "Invalid separator position", 1, {0}},
    {"a12UEL5L", "Invalid character or mixed case", 4, {3, 4}},
    {"A12uEL5L", "Invalid character or mixed case", 1, {3}},
    {"abcdef1qpzrz9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", "Invalid Bech32 checksum", 1, {11}},
    {"test1zg69w7y6hn0aqy352euf40x77qddq3dc", "Invalid Bech32 checksum", 2, {9, 16}},
    {"x1j0zp0l", "", 0, {0}},
};

static void bad_texts(void)
{
    for (size_t i = 0; i < ARRAY_LEN(bad_rows); i++) {
        const char *text = bad_rows[i].text;
        struct bech32 got;
        size_t *at = NULL;
        size_t n = 77;

        if (bad_rows[i].reason[0] == '\0')
            continue;
        EXPECT_TRUE(text, !bech32_read(&got, text, strlen(text)));
        EXPECT_STR(text, bech32_find_errors(&at, &n, text, strlen(text)), bad_rows[i].reason);
        if (EXPECT_U64(text, n, bad_rows[i].n)) {
            for (size_t k = 0; k < MIN(n, (size_t)2); k++)
                EXPECT_U64(text, at[k], bad_rows[i].at[k]);
        }
        free(at);
    }
}

static size_t random_text(char *ret_text, enum bech32_encoding *ret_encoding)
{
    uint8_t values[60];
    size_t values_n = 1 + test_random_below(sizeof(values));
    struct buf buf = {0};

    *ret_encoding = test_random_below(2) == 0 ? BECH32_CLASSIC : BECH32_M;
    for (size_t i = 0; i < values_n; i++)
        values[i] = (uint8_t)test_random_below(32);
    bech32_write(&buf, *ret_encoding, test_random_below(2) == 0 ? "bc" : "bcrt", values, values_n);
    memcpy(ret_text, buf.data, buf.len);
    ret_text[buf.len] = '\0';
    values_n = buf.len;
    buf_clear(&buf);
    return values_n;
}

/* One or two digits are changed: they are found, exactly, unless the other
 * encoding explains the text as well or better. */
static void errors_are_found(void)
{
    static const char digits[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    int found = 0;

    for (int i = 0; i < 300; i++) {
        enum bech32_encoding encoding;
        char text[BECH32_TEXT_MAX + 1];
        size_t len = random_text(text, &encoding);
        size_t start = (size_t)(strrchr(text, '1') - text) + 1;
        size_t wrong[2];
        size_t wrong_n = 1 + test_random_below(2);
        struct bech32 got;
        const char *reason;
        size_t *at;
        size_t n;

        wrong[0] = start + test_random_below(len - start);
        wrong[1] = start + test_random_below(len - start);
        if (wrong[1] <= wrong[0])
            wrong_n = 1;
        for (size_t k = 0; k < wrong_n; k++) {
            char old = text[wrong[k]];

            while (text[wrong[k]] == old)
                text[wrong[k]] = digits[test_random_below(32)];
        }
        EXPECT_TRUE(text, !bech32_read(&got, text, len));
        reason = bech32_find_errors(&at, &n, text, len);
        EXPECT_TRUE(text, n > 0 && n <= wrong_n);
        if (strcmp(reason, encoding == BECH32_M ? "Invalid Bech32m checksum"
                                                : "Invalid Bech32 checksum") == 0) {
            EXPECT_BYTES(text, at, n * sizeof(*at), wrong, wrong_n * sizeof(*wrong));
            found++;
        }
        free(at);
    }
    EXPECT_TRUE("mostly", found > 270);
}

static void regrouping(void)
{
    for (size_t len = 0; len <= 40; len++) {
        uint8_t data[40];
        uint8_t values[65];
        uint8_t again[41];
        size_t again_len;
        size_t n;

        test_random_fill(data, len);
        n = bech32_values_of_bytes(values, data, len);
        EXPECT_U64("values", n, (8 * len + 4) / 5);
        for (size_t bit = 0; bit < 8 * len; bit++)
            EXPECT_INT("bit", data[bit / 8] >> (7 - bit % 8) & 1,
                       values[bit / 5] >> (4 - bit % 5) & 1);
        EXPECT_TRUE("back", bech32_bytes_of_values(again, &again_len, values, n));
        EXPECT_BYTES("back", again, again_len, data, len);
        if (8 * len % 5 != 0) {
            values[n - 1] |= 1;
            EXPECT_TRUE("padding set", !bech32_bytes_of_values(again, &again_len, values, n));
            values[n - 1] ^= 1;
        }
        values[n] = 0;
        EXPECT_INT("a value more", bech32_bytes_of_values(again, &again_len, values, n + 1),
                   5 * (n + 1) % 8 < 5);
    }
}

TEST_LIST(TEST(good_texts), TEST(bad_texts), TEST(errors_are_found), TEST(regrouping))
