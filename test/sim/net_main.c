/* Whole nodes on a virtual network.
 *
 *     sim_net                                    a share of every scenario
 *     sim_net --scenario sync --seed 123         that seed, as it was
 *     sim_net --scenario sync --seed 0 --seeds 5000
 *     --loud: a line for each seed; --log: what the nodes say
 *
 * A seed is one story: nodes come and go, mine, pay, are cut off, lied to, killed. While
 * it goes on no node may stand on a block that is not valid; in the end all nodes that
 * run must be at the best valid block, with the same coins.
 */
#include <getopt.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "crypto/secp.h"
#include "crypto/sha256.h"
#include "net_stories.h"

static const struct scenario scenarios[] = {
    {"sync", story_sync, 40},       {"partition", story_partition, 30},
    {"reorg", story_reorg, 20},     {"storm", story_storm, 15},
    {"skew", story_skew, 20},       {"crash", story_crash, 40},
    {"hostile", story_hostile, 40}, {"flood", story_flood, 10},
    {"eclipse", story_eclipse, 10}, {"find", story_find, 10},
};

static struct {
    const struct scenario *scenario; /* NULL: all. */
    uint64_t seed;
    uint64_t seeds; /* 0: the ordinary share. */
    bool is_loud;
} asked;

/* Builds that check everything and run slowly tell fewer stories. */
#ifdef ASSAY_VERIFY
#define SHARE_DIVISOR 5
#else
#define SHARE_DIVISOR 1
#endif

static const struct world *told; /* For the log. */

/* Returns the digest of the run. */
static uint64_t tell(const struct scenario *scenario, uint64_t seed)
{
    struct world world;
    uint64_t digest;

    world_init(&world, seed);
    told = &world;
    scenario->tell(&world);
    digest = sim_net_digest(world.net);
    if (!world.is_good)
        printf("scenario %s, seed %" PRIu64 ", after %.1f s\n", scenario->name, seed,
               (double)sim_net_now_us(world.net) / 1e6);
    if (asked.is_loud)
        printf("%s %" PRIu64 ": %.1f s, digest %016" PRIx64 "\n", scenario->name, seed,
               (double)sim_net_now_us(world.net) / 1e6, digest);
    world_close(&world);
    return digest;
}

static void tell_all(const struct scenario *scenario)
{
    uint64_t seeds = asked.seeds == 0 ? scenario->share / SHARE_DIVISOR : asked.seeds;
    clock_t before = clock();
    double cpu_s;

    memset(&world_totals, 0, sizeof(world_totals));
    for (uint64_t i = 0; i < seeds; i++) {
        uint64_t digest = tell(scenario, asked.seed + i);

        /* The first one again: a story is its seed's. */
        if (i == 0 && asked.seeds != 1)
            EXPECT_U64("the same run", tell(scenario, asked.seed), digest);
    }
    cpu_s = (double)(clock() - before) / CLOCKS_PER_SEC;
    printf("%s: %" PRIu64 " seeds, %.0f s of the network in %.1f s (%.0f times as fast), %" PRIu64
           " blocks, %" PRIu64 " payments, %" PRIu64 " crashes, %" PRIu64 " connections, %" PRIu64
           " MB\n",
           scenario->name, seeds, (double)world_totals.virtual_us / 1e6, cpu_s,
           (double)world_totals.virtual_us / 1e6 / cpu_s, world_totals.blocks, world_totals.txs,
           world_totals.crashes, world_totals.net.connects, world_totals.net.bytes / 1000000);
}

static void tell_asked(void)
{
    for (size_t i = 0; i < ARRAY_LEN(scenarios); i++)
        if (asked.scenario == NULL || asked.scenario == &scenarios[i])
            tell_all(&scenarios[i]);
}

static void to_terminal(enum log_level level, const char *category, const char *file, int line,
                        const char *function, const char *message)
{
    (void)level;
    (void)file;
    (void)line;
    (void)function;
    printf("%10.3f %2d [%s] %s\n", (double)sim_net_now_us(told->net) / 1e6,
           sim_net_host_now(told->net), category, message);
}

static bool want_all(enum log_level level, const char *category)
{
    (void)category;
    return level >= LOG_DEBUG;
}

static void to_nowhere(enum log_level level, const char *category, const char *file, int line,
                       const char *function, const char *message)
{
    (void)level;
    (void)category;
    (void)file;
    (void)line;
    (void)function;
    (void)message;
}

static bool want_warnings(enum log_level level, const char *category)
{
    (void)category;
    return level >= LOG_WARNING;
}

int main(int argc, char **argv)
{
    static const struct test tests[] = {{"sim_net", tell_asked}};
    static const struct option options[] = {{"scenario", required_argument, NULL, 'c'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"seeds", required_argument, NULL, 'n'},
                                            {"loud", no_argument, NULL, 'l'},
                                            {"log", no_argument, NULL, 'g'},
                                            {0}};
    static const uint8_t seed[32] = {1};
    int c;
    int rc;

    log_set_sink(to_nowhere, want_warnings);
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'c') {
            for (size_t i = 0; i < ARRAY_LEN(scenarios); i++)
                if (strcmp(scenarios[i].name, optarg) == 0)
                    asked.scenario = &scenarios[i];
            if (asked.scenario == NULL)
                return 2;
        } else if (c == 's') {
            asked.seed = strtoull(optarg, NULL, 0);
            asked.seeds = asked.seeds == 0 ? 1 : asked.seeds;
        } else if (c == 'n') {
            asked.seeds = strtoull(optarg, NULL, 0);
        } else if (c == 'l') {
            asked.is_loud = true;
        } else if (c == 'g') {
            log_set_sink(to_terminal, want_all);
        } else {
            return 2;
        }
    }
    secp_init(seed);
    (void)sha256_select(true);
    rc = test_main(tests, ARRAY_LEN(tests), 1, argv);
    secp_clear();
    return rc;
}
