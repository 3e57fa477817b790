#include "crypto/sha1.h"

#include "base/alloc.h"
#include "base/hex.h"
#include "test.h"

/* FIPS 180-4 and its examples. */
static const struct {
    const char *label;
    const char *message;
    const char *digest;
} rows[] = {
    {"empty", "", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
    {"abc", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {"two blocks", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
    {"message digest", "message digest", "c12252ceda8be8994d5fa0290a47231c1d16aae3"},
    {"letters and digits", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
     "761c457bf73b14d27e9e9265c46f4b4dda11f940"},
};

static void published_answers(void)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t digest[SHA1_BYTES];
        char text[2 * SHA1_BYTES + 1];

        sha1(digest, rows[i].message, strlen(rows[i].message));
        hex_write(text, digest, sizeof(digest));
        EXPECT_STR(rows[i].label, text, rows[i].digest);
    }
}

static void million_times_a(void)
{
    size_t len = 1000000;
    uint8_t *message = alloc(len);
    uint8_t digest[SHA1_BYTES];
    char text[2 * SHA1_BYTES + 1];

    memset(message, 'a', len);
    sha1(digest, message, len);
    hex_write(text, digest, sizeof(digest));
    EXPECT_STR("million a", text, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    free(message);
}

TEST_LIST(TEST(published_answers), TEST(million_times_a))
