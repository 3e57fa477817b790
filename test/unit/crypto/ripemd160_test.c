#include "crypto/ripemd160.h"

#include "base/alloc.h"
#include "base/hex.h"
#include "test.h"

/* The vectors of the authors' page. */
static const struct {
    const char *label;
    const char *message;
    const char *digest;
} rows[] = {
    {"empty", "", "9c1185a5c5e9fc54612808977ee8f548b2258d31"},
    {"abc", "abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"},
    {"two blocks", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "12a053384a9c0c88e405a06c27dcf49ada62eb2b"},
    {"message digest", "message digest", "5d0689ef49d2fae572b881b123a85ffa21595f36"},
    {"letters and digits", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
     "b0e20b6e3116640286ed3a87a5713079b21f5189"},
};

static void published_answers(void)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t digest[RIPEMD160_BYTES];
        char text[2 * RIPEMD160_BYTES + 1];

        ripemd160(digest, rows[i].message, strlen(rows[i].message));
        hex_write(text, digest, sizeof(digest));
        EXPECT_STR(rows[i].label, text, rows[i].digest);
    }
}

static void million_times_a(void)
{
    size_t len = 1000000;
    uint8_t *message = alloc(len);
    uint8_t digest[RIPEMD160_BYTES];
    char text[2 * RIPEMD160_BYTES + 1];

    memset(message, 'a', len);
    ripemd160(digest, message, len);
    hex_write(text, digest, sizeof(digest));
    EXPECT_STR("million a", text, "52783243c1697bdbe16d37f97f68f08325dc1528");
    free(message);
}

/* However a message is cut, the digest is that of the whole. */
static void pieces_do_not_matter(void)
{
    for (int round = 0; round < 300; round++) {
        uint8_t message[700];
        size_t len = test_random_below(sizeof(message) + 1);
        uint8_t whole[RIPEMD160_BYTES];
        uint8_t cut[RIPEMD160_BYTES];
        struct ripemd160 hash;
        size_t at = 0;

        test_random_fill(message, len);
        ripemd160(whole, message, len);
        ripemd160_init(&hash);
        while (at < len) {
            size_t take = 1 + test_random_below(MIN(len - at, (size_t)150));

            ripemd160_add(&hash, message + at, take);
            at += take;
        }
        ripemd160_finish(&hash, cut);
        EXPECT_BYTES("cut", cut, sizeof(cut), whole, sizeof(whole));
    }
}

TEST_LIST(TEST(published_answers), TEST(million_times_a), TEST(pieces_do_not_matter))
