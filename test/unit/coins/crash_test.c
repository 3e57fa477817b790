/* Power is lost within every call that writes; what opens again must be exactly the
 * coins of the last commit that was acknowledged, or of the one under way. */
#include "base/alloc.h"
#include "coins/model.h"
#include "sim_disk.h"
#include "test.h"

#define STEPS_N 60

static int open_store(struct sim_disk *sim, struct coins_store **ret_store, struct error *err)
{
    struct coins_options options = {.disk = sim_disk_disk(sim), .folder = "d/chainstate"};

    *ret_store = NULL;
    return coins_open(ret_store, &options, err);
}

/* Blocks, reverts and flushes until the power goes or the steps are done. */
static int run_steps(struct model *model, struct coins_store *store, struct error *err)
{
    int rc = 0;

    for (int i = 0; i < STEPS_N && rc == 0; i++) {
        uint64_t what = test_random_below(10);

        if (what < 5)
            rc = model_apply(model, store, err);
        else if (what < 6)
            rc = model_revert(model, store, err);
        else if (what < 8)
            rc = model_flush_start(model, store, err);
        else
            rc = model_flush_poll(model, store, what == 8, err);
    }
    if (rc == 0)
        rc = model_flush_poll(model, store, true, err);
    if (rc == 0)
        rc = coins_merge_wait(store, err);
    return rc;
}

/* One life: open, work, crash in the n-th call that writes. false: the power held to
 * the end. */
static bool live_and_crash(struct sim_disk *sim, struct model *model, uint64_t n)
{
    struct coins_store *store;
    struct error err = {0};
    int rc;

    sim_disk_crash_after(sim, n);
    rc = open_store(sim, &store, &err);
    if (rc == 0) {
        EXPECT_TRUE("a commit we know", model_reopened(model, store));
        rc = run_steps(model, store, &err);
    }
    if (rc < 0 && !EXPECT_TRUE("only the power fails", sim_disk_is_off(sim)))
        printf("%s\n", error_text(&err));
    coins_close(store);
    return sim_disk_is_off(sim);
}

static bool reopens(struct sim_disk *sim, struct model *model)
{
    struct coins_store *store;
    struct error err = {0};
    bool good;

    sim_disk_power_on(sim);
    good = EXPECT_INT("opens again", open_store(sim, &store, &err), 0);
    if (!good) {
        printf("%s\n", error_text(&err));
        return false;
    }
    good = EXPECT_TRUE("at a commit we know", model_reopened(model, store)) &&
           EXPECT_TRUE("with its coins", model_agrees(model, store));
    coins_close(store);
    sim_disk_kill(sim);
    return good;
}

static void crash_at_every_write(void)
{
    uint64_t seeds_n =
        getenv("ASSAY_CRASH_SEEDS") == NULL ? 3 : strtoull(getenv("ASSAY_CRASH_SEEDS"), NULL, 0);
    uint64_t crashes_n = 0;

    for (uint64_t seed = 0; seed < seeds_n; seed++) {
        bool crashed = true;

        for (uint64_t n = 1; crashed; n++) {
            struct sim_disk *sim = sim_disk_new(test_random());
            struct model model;
            bool good;

            model_init(&model);
            crashed = live_and_crash(sim, &model, n);
            crashes_n += crashed;
            good = reopens(sim, &model);
            model_clear(&model);
            sim_disk_free(sim);
            if (!good) {
                printf("seed %" PRIu64 ", crash at %" PRIu64 "\n", seed, n);
                return;
            }
        }
    }
    printf("%" PRIu64 " crashes\n", crashes_n);
}

/* Many lives of one store, each cut short: what is left behind must not add up. */
static void crash_again_and_again(void)
{
    struct sim_disk *sim = sim_disk_new(test_random());
    struct model model;

    model_init(&model);
    for (int i = 0; i < 150; i++) {
        (void)live_and_crash(sim, &model, 1 + test_random_below(90));
        if (!reopens(sim, &model))
            break;
    }
    model_clear(&model);
    sim_disk_free(sim);
}

TEST_LIST(TEST(crash_at_every_write), TEST(crash_again_and_again))
