/* Power fails at any write: the chain opens again by itself, holds at least what was
 * committed, and its coins are exactly those of the block it stands at. */
#include <stdlib.h>

#include "base/log.h"
#include "branches.h"
#include "sim_clock.h"
#include "sim_disk.h"

#define SEEDS 60
#define STEPS 40
#define NEVER (UINT64_MAX / 2)

struct run {
    struct branches branches;
    struct sim_disk *sim;
    struct sim_clock clock;
    struct chain_options options;
    struct chain *chain;
    int32_t committed_height; /* Acknowledged. */
    bool may_prune;
};

static void run_init(struct run *run)
{
    *run = (struct run){.may_prune = test_random_below(2) == 0};
    branches_init(&run->branches);
    run->sim = sim_disk_new(test_random());
    sim_disk_set_loss(run->sim, SIM_LOSS_RANDOM);
    sim_clock_init(&run->clock, (INT64_C(1296688602) + 600 * 400) * 1000);
    chain_options_default(&run->options, run->branches.params);
    run->options.disk = sim_disk_disk(run->sim);
    run->options.clock = &run->clock.clock;
    run->options.blocks_folder = "/node/blocks";
    run->options.chainstate_folder = "/node/chainstate";
    run->options.cache_bytes = 4U << 20;
    run->options.threads = 1;
    run->options.prune_on = true;
    run->options.prune_fast = true;
    run->options.salt[0] = test_random();
    run->options.salt[1] = test_random();
}

static void run_clear(struct run *run)
{
    sim_disk_free(run->sim);
    branches_clear(&run->branches);
}

/* The last line that the chain logged as a warning or worse: printed when a start
 * fails. */
static char last_log[512];

static void keep_log(enum log_level level, const char *category, const char *file, int line,
                     const char *function, const char *message)
{
    (void)category;
    (void)file;
    (void)line;
    (void)function;
    if (level >= LOG_WARNING)
        snprintf(last_log, sizeof(last_log), "%s", message);
}

/* With the power off closing fails, which is fine. */
static void give_up(struct run *run)
{
    int rc = chain_close(run->chain, NULL);

    if (!sim_disk_is_off(run->sim))
        EXPECT_INT("close", rc, 0);
    run->chain = NULL;
}

/* Opens and imports; power may fail again meanwhile, and then comes back. */
static void reopen(struct run *run, bool reindex)
{
    struct error err = {0};

    for (int attempt = 0;; attempt++) {
        int rc;

        sim_disk_power_on(run->sim);
        if (attempt < 3 && test_random_below(3) == 0)
            sim_disk_crash_after(run->sim, 1 + test_random_below(60));
        run->options.reindex = reindex;
        rc = chain_open(&run->chain, &run->options, &err);
        if (rc == 0) {
            rc = chain_import(run->chain, &err);
            sim_disk_crash_after(run->sim, NEVER);
            if (rc == 0 && !sim_disk_is_off(run->sim))
                break;
            give_up(run);
        }
        if (!sim_disk_is_off(run->sim)) {
            EXPECT_STR(last_log, error_text(&err), "success");
            CHECK(rc == 0);
        }
        /* A reindex that was begun goes on by itself. */
        reindex = reindex && test_random_below(2) == 0;
    }
}

/* What was offered before the crash may be forgotten, but not below the commit. */
static void check_reopened(struct run *run)
{
    struct node_status status;
    int32_t at;

    chain_node(run->chain)->ops->status(chain_node(run->chain), &status);
    EXPECT_TRUE("nothing committed is lost", status.tip.height >= run->committed_height);
    at = branches_find(&run->branches, &status.tip.hash);
    EXPECT_TRUE("a block of ours", at >= 0 || status.tip.height == 0);
    branches_agree(&run->branches, run->chain, at);
}

/* Blocks that a crash forgot came again in another order: among equals of the best
 * any may be the tip. */
static void check_best(struct run *run)
{
    const struct branches *branches = &run->branches;
    struct node_status status;
    int32_t best = branches_best(branches);
    int32_t at;

    chain_node(run->chain)->ops->status(chain_node(run->chain), &status);
    at = branches_find(branches, &status.tip.hash);
    EXPECT_INT("best height", status.tip.height, branches->blocks[best].height);
    EXPECT_TRUE("best is valid", at >= 0 && !branches_is_out(branches, at));
    branches_agree(branches, run->chain, at);
}

static int offer_all(struct run *run, size_t end)
{
    for (size_t i = 0; i < end; i++) {
        struct error err = {0};
        int rc = branches_offer(&run->branches, run->chain, (int32_t)i, &err);

        if (rc < 0)
            return rc;
    }
    return 0;
}

static int flush(struct run *run)
{
    struct node_status status;
    int rc = chain_flush(run->chain, NULL);

    if (rc == 0) {
        chain_node(run->chain)->ops->status(chain_node(run->chain), &status);
        run->committed_height = status.tip.height;
    }
    return rc;
}

static int step(struct run *run)
{
    struct branches *branches = &run->branches;
    size_t reach = MIN(branches->n - BRANCHES_BASE + 1, 7);
    int32_t parent = (int32_t)(branches->n - 1 - (size_t)test_random_below(reach));
    enum branch_fault fault =
        test_random_below(8) == 0 ? (enum branch_fault)test_random_below(6) : BRANCH_GOOD;
    int32_t at = branches_grow(branches, parent, (uint32_t)test_random_below(5), fault);
    int rc = branches_offer(branches, run->chain, at, NULL);

    sim_clock_advance_us(&run->clock, test_random_below(2000000));
    if (rc == 0)
        rc = chain_idle(run->chain, NULL);
    if (rc == 0 && test_random_below(6) == 0)
        rc = flush(run);
    if (rc == 0 && run->may_prune && test_random_below(10) == 0) {
        struct node *node = chain_node(run->chain);
        int32_t height;

        rc = node->ops->prune(node, branches->blocks[at].height, &height, NULL);
    }
    return rc;
}

/* After every crash everything is offered again, as peers would. */
static void any_crash_is_survived(void)
{
    log_set_sink(keep_log, NULL);
    for (int seed = 0; seed < SEEDS; seed++) {
        struct run run;
        int rc;

        run_init(&run);
        reopen(&run, false);
        rc = offer_all(&run, BRANCHES_BASE);
        sim_disk_crash_after(run.sim, 1 + test_random_below(160));
        for (int i = 0; i < STEPS && rc == 0; i++)
            rc = step(&run);
        give_up(&run);
        reopen(&run, test_random_below(6) == 0);
        check_reopened(&run);
        rc = offer_all(&run, run.branches.n);
        EXPECT_INT("offered again", rc, 0);
        check_best(&run);
        EXPECT_INT("close", chain_close(run.chain, NULL), 0);
        reopen(&run, false);
        check_best(&run);
        give_up(&run);
        run_clear(&run);
    }
}

/* The same run, power lost in its n-th write, for every n. */
static void every_write_of_a_run(void)
{
    for (uint64_t n = 1;; n++) {
        struct run run;
        int rc;

        run_init(&run);
        sim_disk_crash_after(run.sim, n);
        rc = chain_open(&run.chain, &run.options, NULL);
        if (rc == 0) {
            rc = chain_import(run.chain, NULL);
            if (rc == 0)
                rc = offer_all(&run, BRANCHES_BASE);
            for (int i = 0; i < 8 && rc == 0; i++) {
                int32_t parent = BRANCHES_BASE - 1 + (i < 3 ? i : i - 3);

                rc = branches_offer(&run.branches, run.chain,
                                    branches_grow(&run.branches, parent, 4, BRANCH_GOOD), NULL);
                if (rc == 0 && i % 3 == 2)
                    rc = flush(&run);
            }
            give_up(&run);
        }
        if (!sim_disk_is_off(run.sim)) {
            run_clear(&run);
            return;
        }
        reopen(&run, false);
        check_reopened(&run);
        give_up(&run);
        run_clear(&run);
    }
}

TEST_LIST(TEST(any_crash_is_survived), TEST(every_write_of_a_run))
