#include "base/alloc.h"
#include "base/hex.h"
#include "crypto/sha256_priv.h"
#include "test.h"

/* FIPS 180-4's examples. */
static const struct {
    const char *message;
    const char *digest;
} rows[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmno"
     "pqrsmnopqrstnopqrstu",
     "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
};

static void check_rows(const char *label)
{
    size_t len = 1000000;
    uint8_t *million = alloc(len);
    uint8_t digest[32];
    char text[65];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        sha256(digest, rows[i].message, strlen(rows[i].message));
        hex_write(text, digest, 32);
        EXPECT_STR(label, text, rows[i].digest);
    }
    memset(million, 'a', len);
    sha256(digest, million, len);
    hex_write(text, digest, 32);
    EXPECT_STR(label, text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

static void published_answers(void)
{
    EXPECT_STR("portable", sha256_select(false), "portable");
    check_rows("portable");
    check_rows(sha256_select(true));
}

static void pieces_do_not_matter(void)
{
    (void)sha256_select(true);
    for (int round = 0; round < 1000; round++) {
        uint8_t message[400];
        size_t len = test_random_below(sizeof(message) + 1);
        uint8_t whole[32];
        uint8_t cut[32];
        struct sha256 hash;
        size_t at = 0;

        test_random_fill(message, len);
        sha256(whole, message, len);
        sha256_init(&hash);
        while (at < len) {
            size_t take = 1 + test_random_below(MIN(len - at, (size_t)150));

            sha256_add(&hash, message + at, take);
            at += take;
        }
        sha256_finish(&hash, cut);
        EXPECT_BYTES("cut", cut, 32, whole, 32);
        sha256(whole, whole, 32);
        sha256d(cut, message, len);
        EXPECT_BYTES("double", cut, 32, whole, 32);
    }
}

/* The tag's hash, twice, as BIP 340 spells it out. */
static void tagged(void)
{
    uint8_t block[64 + 3];
    uint8_t want[32];
    uint8_t got[32];
    struct sha256 hash;

    sha256(block, "TapLeaf", 7);
    memcpy(block + 32, block, 32);
    memcpy(block + 64, "abc", 3);
    sha256(want, block, sizeof(block));
    sha256_tagged_init(&hash, "TapLeaf");
    sha256_add(&hash, "abc", 3);
    sha256_finish(&hash, got);
    EXPECT_BYTES("tagged", got, 32, want, 32);
}

/* --- Engines --- */

typedef const struct sha256_lanes *lanes_fn(void);

static const struct {
    const char *name;
    lanes_fn *lanes;
} engines[] = {
    {"sha-ni", sha256_lanes_shani},
    {"avx2", sha256_lanes_avx2},
    {"avx512", sha256_lanes_avx512},
};

static void check_64(const char *label)
{
    uint8_t inputs[64 * 70];
    uint8_t got[32 * 70];
    uint8_t want[32];

    for (size_t count = 0; count <= 70; count++) {
        test_random_fill(inputs, 64 * count);
        sha256d_64_many(got, inputs, count);
        for (size_t i = 0; i < count; i++) {
            sha256d(want, inputs + 64 * i, 64);
            EXPECT_BYTES(label, got + 32 * i, 32, want, 32);
        }
        /* In place, as a merkle row is hashed. */
        sha256d_64_many(inputs, inputs, count);
        EXPECT_BYTES(label, inputs, 32 * count, got, 32 * count);
    }
}

/* Sizes around the borders of blocks and padding, few and many, some huge, cut
 * into pieces anywhere. */
static void check_many(const char *label)
{
    static uint8_t data[20000];
    static struct sha256_job jobs[2500];
    static uint8_t got[2500][32];
    static size_t len[2500];

    test_random_fill(data, sizeof(data));
    for (int round = 0; round < 25; round++) {
        size_t count = round < 24 ? (size_t)round : ARRAY_LEN(jobs);
        size_t limit = round % 2 == 0 ? 300 : 130;

        for (size_t i = 0; i < count; i++) {
            size_t first;
            size_t second;

            len[i] = test_random_below(limit);
            if (test_random_below(50) == 0)
                len[i] = test_random_below(sizeof(data));
            first = test_random_below(len[i] + 1);
            second = first + test_random_below(len[i] - first + 1);
            jobs[i] = (struct sha256_job){
                .piece = {span_of(data, first), span_of(data + first, second - first),
                          span_of(data + second, len[i] - second)},
                .ret_digest = got[i],
            };
            if (test_random_below(2) == 0)
                jobs[i].piece[0] = span_of(data, len[i]);
            if (jobs[i].piece[0].len == len[i])
                jobs[i].piece[1] = jobs[i].piece[2] = span_of(NULL, 0);
        }
        sha256d_many(jobs, count);
        for (size_t i = 0; i < count; i++) {
            uint8_t want[32];

            sha256d(want, data, len[i]);
            EXPECT_BYTES(label, got[i], 32, want, 32);
        }
    }
}

static void all_engines_agree(void)
{
    sha256_use(sha256_blocks_portable, NULL, NULL);
    check_64("portable");
    check_many("portable");
    for (size_t i = 0; i < ARRAY_LEN(engines); i++) {
        const struct sha256_lanes *lanes = engines[i].lanes();

        if (lanes == NULL) {
            (void)printf("%s: not on this processor\n", engines[i].name);
            continue;
        }
        EXPECT_TRUE(engines[i].name, sha256_lanes_agree(lanes));
        sha256_use(sha256_blocks_portable, lanes, NULL);
        check_64(engines[i].name);
        check_many(engines[i].name);
    }
    (void)sha256_select(true);
    check_64("chosen");
    check_many("chosen");
}

/* --- An engine that is wrong is not taken --- */

static const struct sha256_lanes *real;

static void bent_step(uint32_t *state, const uint8_t *const *blocks)
{
    real->step(state, blocks);
    state[0] ^= 1;
}

static void bent_double_64(uint8_t *ret_digests, const uint8_t *inputs)
{
    real->double_64(ret_digests, inputs);
    ret_digests[32 * real->lanes - 1] ^= 0x80;
}

static void bent_blocks(uint32_t *state, const uint8_t *blocks, size_t count)
{
    sha256_blocks_portable(state, blocks, count);
    if (count == 7)
        state[7] ^= 1;
}

static void wrong_engines_are_found(void)
{
    EXPECT_TRUE("right", sha256_blocks_agree(sha256_blocks_portable));
    EXPECT_TRUE("bent blocks", !sha256_blocks_agree(bent_blocks));
    for (size_t i = 0; i < ARRAY_LEN(engines); i++) {
        struct sha256_lanes bent;

        real = engines[i].lanes();
        if (real == NULL)
            continue;
        EXPECT_TRUE("right", sha256_lanes_agree(real));
        bent = *real;
        bent.step = bent_step;
        EXPECT_TRUE("bent step", !sha256_lanes_agree(&bent));
        bent = *real;
        bent.double_64 = bent_double_64;
        EXPECT_TRUE("bent double_64", !sha256_lanes_agree(&bent));
    }
}

TEST_LIST(TEST(published_answers), TEST(pieces_do_not_matter), TEST(tagged),
          TEST(all_engines_agree), TEST(wrong_engines_are_found))
