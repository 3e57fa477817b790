#include "p2p/random.h"

#include "test.h"

static const uint8_t seed[RANDOM_SEED_BYTES] = {1, 2, 3};

static void same_seed_same_stream(void)
{
    struct random_source a;
    struct random_source b;
    struct random_source c;
    unsigned equal = 0;

    random_init(&a, seed, "a");
    random_init(&b, seed, "a");
    random_init(&c, seed, "c");
    for (unsigned i = 0; i < 100; i++) {
        uint64_t v = random_u64(&a);

        EXPECT_U64("replayed", random_u64(&b), v);
        equal += random_u64(&c) == v ? 1 : 0;
    }
    EXPECT_U64("streams are apart", equal, 0);
}

static void below_is_even(void)
{
    struct random_source r;
    unsigned counts[7] = {0};

    random_init(&r, seed, "below");
    for (unsigned i = 0; i < 70000; i++)
        counts[random_below(&r, 7)]++;
    for (unsigned i = 0; i < 7; i++)
        EXPECT_TRUE("a seventh each", counts[i] > 9600 && counts[i] < 10400);
    for (unsigned i = 0; i < 100; i++)
        EXPECT_U64("one", random_below(&r, 1), 0);
}

static void poisson_has_its_mean(void)
{
    struct random_source r;
    uint64_t sum = 0;
    unsigned beyond = 0;

    random_init(&r, seed, "poisson");
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t v = random_poisson(&r, 1000);

        sum += v;
        beyond += v > 1000 ? 1 : 0;
    }
    EXPECT_TRUE("mean", sum / 20000 > 960 && sum / 20000 < 1040);
    EXPECT_TRUE("1/e are longer", beyond > 7000 && beyond < 7700);
}

static void fills_all_bytes(void)
{
    uint8_t seen[37] = {0};
    struct random_source r;
    bool all = true;

    random_init(&r, seed, "fill");
    for (unsigned i = 0; i < 50; i++) {
        uint8_t data[38] = {0};

        random_fill(&r, data, 37);
        for (unsigned j = 0; j < 37; j++)
            seen[j] |= data[j];
        EXPECT_U64("not beyond", data[37], 0);
    }
    for (unsigned j = 0; j < 37; j++)
        all = all && seen[j] != 0;
    EXPECT_TRUE("all", all);
}

TEST_LIST(TEST(same_seed_same_stream), TEST(below_is_even), TEST(poisson_has_its_mean),
          TEST(fills_all_bytes))
