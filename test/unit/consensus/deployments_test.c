/* Version bits: the state machine against a naive one, its cache, its figures. */
#include "consensus/deployments.h"

#include "consensus/chain_of.h"
#include "test.h"

#define T0 1500000000U
#define SIGNAL (VERSION_TOP_BITS | 1U << 28)

/* Ten blocks a period, eight to lock in. */
static struct params small_params(int64_t start, int64_t timeout, int32_t min_height)
{
    struct params params = *params_of(NETWORK_REGTEST);

    params.deployments[0] = (struct deployment_params){.bit = 28,
                                                       .start_time = start,
                                                       .timeout = timeout,
                                                       .min_activation_height = min_height,
                                                       .period = 10,
                                                       .threshold = 8};
    return params;
}

/* The definition, followed block by block from the genesis block. */
static enum deployment_state naive_state(const struct chain_of *chain, int32_t tip,
                                         const struct deployment_params *how)
{
    enum deployment_state state = DEPLOYMENT_DEFINED;

    for (int32_t height = 0; height <= tip; height++) {
        struct ancestry upto = chain_of_ancestry(chain, height);
        uint32_t count = 0;

        if ((height + 1) % (int32_t)how->period != 0)
            continue;
        for (int32_t k = height - (int32_t)how->period + 1; k <= height; k++) {
            uint32_t version = (uint32_t)chain->blocks[k].version;

            if (version >> 29 == 1 && (version >> how->bit & 1) != 0)
                count++;
        }
        if (state == DEPLOYMENT_DEFINED && median_time_past(&upto) >= how->start_time)
            state = DEPLOYMENT_STARTED;
        else if (state == DEPLOYMENT_STARTED && count >= how->threshold)
            state = DEPLOYMENT_LOCKED_IN;
        else if (state == DEPLOYMENT_STARTED && median_time_past(&upto) >= how->timeout)
            state = DEPLOYMENT_FAILED;
        else if (state == DEPLOYMENT_LOCKED_IN && height + 1 >= how->min_activation_height)
            state = DEPLOYMENT_ACTIVE;
    }
    return state;
}

static int32_t random_version(uint64_t share)
{
    if (test_random_below(20) == 0)
        return 4; /* Has the bits' place, not the top bits. */
    return (int32_t)(test_random_below(100) < share ? SIGNAL : VERSION_TOP_BITS);
}

static void states_agree_with_the_definition(void)
{
    int seen[5] = {0};

    for (int round = 0; round < 60; round++) {
        int64_t start = T0 + (int64_t)test_random_below(500);
        struct params params = small_params(start, start + (int64_t)test_random_below(1200),
                                            (int32_t)test_random_below(120));
        uint64_t share = 60 + test_random_below(40);
        struct deployment_cache cache = {0};
        struct chain_of chain = {0};

        for (uint32_t i = 0; i < 150; i++) {
            struct ancestry ancestry = chain_of_ancestry(&chain, (int32_t)i);
            enum deployment_state want;

            chain_of_add(&chain, random_version(share), T0 + 10 * i, 0);
            want = naive_state(&chain, (int32_t)i, &params.deployments[0]);
            ancestry.context = &chain;
            EXPECT_INT("cached", deployment_state_after(&ancestry, 0, &params, &cache), want);
            if (i % 7 == 0)
                EXPECT_INT("not cached", deployment_state_after(&ancestry, 0, &params, NULL), want);
            seen[want]++;
            /* Now and then the branch gives way to another. */
            if (test_random_below(40) == 0) {
                int32_t fork = (int32_t)test_random_below(i + 1);

                deployment_cache_rewind(&cache, fork, &params);
                for (int32_t k = fork + 1; k <= (int32_t)i; k++)
                    chain.blocks[k].version = random_version(100 - share);
            }
        }
        deployment_cache_clear(&cache);
        chain_of_clear(&chain);
    }
    for (int i = 0; i < 5; i++)
        EXPECT_TRUE(deployment_state_name((enum deployment_state)i), seen[i] > 0);
}

static void fixed_deployments_need_no_blocks(void)
{
    struct params params = small_params(DEPLOYMENT_ALWAYS_ACTIVE, DEPLOYMENT_NO_TIMEOUT, 0);
    struct chain_of chain = {0};
    struct ancestry ancestry = chain_of_ancestry(&chain, -1);

    EXPECT_INT("always", deployment_state_after(&ancestry, 0, &params, NULL), DEPLOYMENT_ACTIVE);
    params.deployments[0].start_time = DEPLOYMENT_NEVER_ACTIVE;
    EXPECT_INT("never", deployment_state_after(&ancestry, 0, &params, NULL), DEPLOYMENT_FAILED);
    EXPECT_INT("never", deployment_since_after(&ancestry, 0, &params, NULL), 0);
    EXPECT_U64("no signal", block_version_after(&ancestry, &params, NULL), 0x20000000);
    for (int i = 0; i < NETWORK_REGTEST; i++)
        EXPECT_INT(params_of((enum network)i)->name,
                   deployment_state_after(&ancestry, 0, params_of((enum network)i), NULL),
                   DEPLOYMENT_FAILED);
}

/* Started at 10, locked in at 20, active at 40 for the sake of the least height. */
static const struct {
    int32_t tip;
    enum deployment_state state;
    enum deployment_state next;
    int32_t since;
    int32_t active_since;
    bool has_statistics;
    uint32_t elapsed;
    uint32_t count;
    uint32_t threshold;
    bool possible;
    uint32_t version_after;
} info_rows[] = {
    {0, DEPLOYMENT_DEFINED, DEPLOYMENT_DEFINED, 0, -1, false, 0, 0, 0, false, VERSION_TOP_BITS},
    {9, DEPLOYMENT_DEFINED, DEPLOYMENT_STARTED, 0, -1, false, 0, 0, 0, false, SIGNAL},
    {10, DEPLOYMENT_STARTED, DEPLOYMENT_STARTED, 10, -1, true, 1, 0, 8, true, SIGNAL},
    {11, DEPLOYMENT_STARTED, DEPLOYMENT_STARTED, 10, -1, true, 2, 0, 8, true, SIGNAL},
    {18, DEPLOYMENT_STARTED, DEPLOYMENT_STARTED, 10, -1, true, 9, 7, 8, true, SIGNAL},
    {19, DEPLOYMENT_STARTED, DEPLOYMENT_LOCKED_IN, 10, -1, true, 10, 8, 8, true, SIGNAL},
    {20, DEPLOYMENT_LOCKED_IN, DEPLOYMENT_LOCKED_IN, 20, -1, true, 1, 0, 0, false, SIGNAL},
    {29, DEPLOYMENT_LOCKED_IN, DEPLOYMENT_LOCKED_IN, 20, -1, true, 10, 0, 0, false, SIGNAL},
    {39, DEPLOYMENT_LOCKED_IN, DEPLOYMENT_ACTIVE, 20, 40, true, 10, 0, 0, false, VERSION_TOP_BITS},
    {40, DEPLOYMENT_ACTIVE, DEPLOYMENT_ACTIVE, 40, 40, false, 0, 0, 0, false, VERSION_TOP_BITS},
    {59, DEPLOYMENT_ACTIVE, DEPLOYMENT_ACTIVE, 40, 40, false, 0, 0, 0, false, VERSION_TOP_BITS},
};

static void statistics_are_as_shown(void)
{
    struct params params = small_params(0, DEPLOYMENT_NO_TIMEOUT, 40);
    struct deployment_cache cache = {0};
    struct chain_of chain = {0};

    for (int32_t i = 0; i < 60; i++)
        chain_of_add(&chain, (int32_t)(i >= 12 && i < 20 ? SIGNAL : VERSION_TOP_BITS), T0, 0);
    for (size_t i = 0; i < ARRAY_LEN(info_rows); i++) {
        struct ancestry ancestry = chain_of_ancestry(&chain, info_rows[i].tip);
        bool signals[10] = {false};
        struct deployment_info info = deployment_info_of(&ancestry, 0, &params, &cache, signals);
        char label[16];

        (void)snprintf(label, sizeof(label), "tip %d", info_rows[i].tip);
        EXPECT_INT(label, info.state, info_rows[i].state);
        EXPECT_INT(label, info.next, info_rows[i].next);
        EXPECT_INT(label, info.since, info_rows[i].since);
        EXPECT_INT(label, info.active_since, info_rows[i].active_since);
        EXPECT_INT(label, info.has_statistics, info_rows[i].has_statistics);
        EXPECT_U64(label, info.statistics.elapsed, info_rows[i].elapsed);
        EXPECT_U64(label, info.statistics.count, info_rows[i].count);
        EXPECT_U64(label, info.statistics.threshold, info_rows[i].threshold);
        EXPECT_INT(label, info.statistics.possible, info_rows[i].possible);
        EXPECT_U64(label, (uint32_t)block_version_after(&ancestry, &params, &cache),
                   info_rows[i].version_after);
        for (uint32_t k = 0; k < info.statistics.elapsed; k++) {
            int32_t height = info_rows[i].tip - info_rows[i].tip % 10 + (int32_t)k;

            EXPECT_INT(label, signals[k], height >= 12 && height < 20);
        }
    }
    deployment_cache_clear(&cache);
    chain_of_clear(&chain);
}

static void lost_periods_are_not_possible(void)
{
    struct params params = small_params(0, DEPLOYMENT_NO_TIMEOUT, 0);
    struct chain_of chain = {0};
    struct ancestry ancestry;

    for (int32_t i = 0; i < 20; i++)
        chain_of_add(&chain, (int32_t)VERSION_TOP_BITS, T0, 0);
    ancestry = chain_of_ancestry(&chain, 11);
    EXPECT_TRUE("two missed",
                deployment_info_of(&ancestry, 0, &params, NULL, NULL).statistics.possible);
    ancestry = chain_of_ancestry(&chain, 12);
    EXPECT_TRUE("three missed",
                !deployment_info_of(&ancestry, 0, &params, NULL, NULL).statistics.possible);
    chain_of_clear(&chain);
}

/* 75 % of regtest's 144 blocks set a bit that nobody explained. */
static void unknown_signals_are_reported(void)
{
    struct params params = *params_of(NETWORK_REGTEST);
    struct unknown_deployment unknown[VERSION_SIGNAL_BITS];
    struct deployment_cache cache = {0};
    struct chain_of chain = {0};
    struct ancestry ancestry;

    for (int32_t i = 0; i < 144 * 4; i++) {
        uint32_t version = VERSION_TOP_BITS | 1U << 7; /* BIP 323: a miner's own. */

        if (i >= 144 && i < 144 + 108)
            version |= 1U << 4;
        if (i >= 144 && i < 144 + 107)
            version |= 1U << 3;
        chain_of_add(&chain, (int32_t)version, T0, 0);
    }
    ancestry = chain_of_ancestry(&chain, 144 * 2 - 2);
    EXPECT_U64("not yet", unknown_deployments_after(unknown, &ancestry, &params, &cache), 0);
    ancestry = chain_of_ancestry(&chain, 144 * 2 - 1);
    EXPECT_U64("locked in", unknown_deployments_after(unknown, &ancestry, &params, &cache), 1);
    EXPECT_INT("locked in", unknown[0].bit, 4);
    EXPECT_INT("locked in", unknown[0].is_active, false);
    ancestry = chain_of_ancestry(&chain, 144 * 3 - 1);
    EXPECT_U64("active", unknown_deployments_after(unknown, &ancestry, &params, NULL), 1);
    EXPECT_INT("active", unknown[0].is_active, true);
    params.unknown_signals_from_height = 145;
    EXPECT_U64("too early to count", unknown_deployments_after(unknown, &ancestry, &params, NULL),
               0);
    /* A bit of ours is no news. */
    params.unknown_signals_from_height = 0;
    params.deployments[0].bit = 4;
    deployment_cache_clear(&cache);
    EXPECT_U64("known", unknown_deployments_after(unknown, &ancestry, &params, &cache), 0);
    deployment_cache_clear(&cache);
    chain_of_clear(&chain);
}

TEST_LIST(TEST(states_agree_with_the_definition), TEST(fixed_deployments_need_no_blocks),
          TEST(statistics_are_as_shown), TEST(lost_periods_are_not_possible),
          TEST(unknown_signals_are_reported))
