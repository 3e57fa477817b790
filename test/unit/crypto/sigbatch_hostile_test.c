/* The lanes alone against libsecp256k1 on signatures made to be trouble. The soak
 * (test/soak/soak_sigbatch.c) does the same by the million. */
#include "crypto/secp.h"
#include "hostile_signatures.h"
#include "test.h"

static void compare(const char *label, lanes_run_fn *run, bool structured, int rounds,
                    struct hostile_counts *counts)
{
    struct hostile_dice dice = {.state = test_random() | 1};
    struct hostile_source source = hostile_dice_source(&dice);

    CHECK(sigbatch_use(run));
    for (int round = 0; round < rounds; round++) {
        struct sigbatch_item items[SIGBATCH_LANES_MAX];
        enum hostile_hope hopes[SIGBATCH_LANES_MAX];
        /* Full batches and ends of every size. */
        size_t n = round % 4 == 0 ? 1 + test_random_below(SIGBATCH_LANES_MAX) : SIGBATCH_LANES_MAX;

        for (size_t i = 0; i < n; i++)
            hopes[i] = structured ? hostile_structured(&items[i], &source)
                                  : hostile_random(&items[i], &source);
        EXPECT_TRUE(label, hostile_compare(run, items, hopes, n, counts));
    }
    CHECK(sigbatch_use(NULL));
}

static void compare_both(const char *label, lanes_run_fn *run, int rounds)
{
    struct hostile_counts structured = {0};
    struct hostile_counts random = {0};
    uint8_t seed[32] = {5};

    secp_init(seed);
    hostile_prepare();
    compare(label, run, true, rounds, &structured);
    compare(label, run, false, rounds, &random);
    /* Each kind of answer came often, and exceptional points hardly by chance: of the
     * random ones only some that were spoiled meet any. */
    EXPECT_TRUE(label, structured.valid > structured.items / 4);
    EXPECT_TRUE(label, structured.valid < structured.items - structured.items / 8);
    EXPECT_TRUE(label, structured.unsure > 0);
    EXPECT_TRUE(label, structured.unasked > structured.items / 64);
    EXPECT_TRUE(label, random.valid > random.items / 2);
    EXPECT_TRUE(label, random.unsure <= 1 + random.items / 1000);
    hostile_clear();
    secp_clear();
}

static void plain_lanes_agree(void)
{
    compare_both("plain", lanes_run_plain, 6);
}

static void ifma_lanes_agree(void)
{
#if defined(__x86_64__)
    if (strcmp(sigbatch_select(true), "avx512-ifma") == 0) {
        compare_both("ifma", lanes_run_ifma, 80);
        return;
    }
#endif
    test_skip("the processor has no AVX-512 IFMA");
}

TEST_LIST(TEST(plain_lanes_agree), TEST(ifma_lanes_agree))
