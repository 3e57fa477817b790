#include "crypto/sha512.h"

#include "base/alloc.h"
#include "base/hex.h"
#include "test.h"

/* FIPS 180-4 and its examples. */
static const struct {
    const char *label;
    const char *message;
    const char *digest;
} rows[] = {
    {"empty", "",
     "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877ee"
     "c2f63b931bd47417a81a538327af927da3e"},
    {"abc", "abc",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3fee"
     "bbd454d4423643ce80e2a9ac94fa54ca49f"},
    {"two blocks", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c33596fd15c13b1b07f9aa1d3bea57789"
     "ca031ad85c7a71dd70354ec631238ca3445"},
    {"message digest", "message digest",
     "107dbf389d9e9f71a3a95f6c055b9251bc5268c2be16d6c13492ea45b0199f3309e16455ab1e96118e8a905d5597b"
     "72038ddb372a89826046de66687bb420e7c"},
    {"letters and digits", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
     "1e07be23c26a86ea37ea810c8ec7809352515a970e9253c26f536cfc7a9996c45c8370583e0a78fa4a90041d71a4c"
     "eab7423f19c71b9d5a3e01249f0bebd5894"},
};

static void published_answers(void)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t digest[SHA512_BYTES];
        char text[2 * SHA512_BYTES + 1];

        sha512(digest, rows[i].message, strlen(rows[i].message));
        hex_write(text, digest, sizeof(digest));
        EXPECT_STR(rows[i].label, text, rows[i].digest);
    }
}

static void million_times_a(void)
{
    size_t len = 1000000;
    uint8_t *message = alloc(len);
    uint8_t digest[SHA512_BYTES];
    char text[2 * SHA512_BYTES + 1];

    memset(message, 'a', len);
    sha512(digest, message, len);
    hex_write(text, digest, sizeof(digest));
    EXPECT_STR("million a", text,
               "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb"
               "0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b");
    free(message);
}

/* However a message is cut, the digest is that of the whole. */
static void pieces_do_not_matter(void)
{
    for (int round = 0; round < 300; round++) {
        uint8_t message[700];
        size_t len = test_random_below(sizeof(message) + 1);
        uint8_t whole[SHA512_BYTES];
        uint8_t cut[SHA512_BYTES];
        struct sha512 hash;
        size_t at = 0;

        test_random_fill(message, len);
        sha512(whole, message, len);
        sha512_init(&hash);
        while (at < len) {
            size_t take = 1 + test_random_below(MIN(len - at, (size_t)150));

            sha512_add(&hash, message + at, take);
            at += take;
        }
        sha512_finish(&hash, cut);
        EXPECT_BYTES("cut", cut, sizeof(cut), whole, sizeof(whole));
    }
}

TEST_LIST(TEST(published_answers), TEST(million_times_a), TEST(pieces_do_not_matter))
