#include "crypto/hkdf.h"

#include "base/hex.h"
#include "test.h"

/* RFC 5869, A.1 to A.3: the pseudorandom key and the first block of the output. */
static const struct {
    const char *label;
    const char *salt;
    const char *info;
    size_t key_len; /* Of 0x0b bytes. */
    const char *prk;
    const char *first;
} rows[] = {
    {"A.1", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9", 22,
     "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"},
    {"A.3", "", "", 22, "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"},
};

static void published_answers(void)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf salt = {0};
        struct buf info = {0};
        uint8_t key[22];
        uint8_t prk[HKDF_BYTES];
        uint8_t out[HKDF_BYTES];
        char hex[2 * HKDF_BYTES + 1];

        memset(key, 0x0b, sizeof(key));
        EXPECT_TRUE("salt", hex_read_buf(&salt, rows[i].salt, strlen(rows[i].salt)));
        EXPECT_TRUE("info", hex_read_buf(&info, rows[i].info, strlen(rows[i].info)));
        hkdf_extract(prk, span_of_buf(&salt), span_of(key, rows[i].key_len));
        hex_write(hex, prk, sizeof(prk));
        EXPECT_STR(rows[i].label, hex, rows[i].prk);
        hkdf_expand(out, prk, span_of_buf(&info));
        hex_write(hex, out, sizeof(out));
        EXPECT_STR(rows[i].label, hex, rows[i].first);
        buf_clear(&salt);
        buf_clear(&info);
    }
}

TEST_LIST(TEST(published_answers))
