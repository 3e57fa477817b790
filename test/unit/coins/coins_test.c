/* The store on the real disk and on the simulator's, against the model. */
#include "coins/coins.h"

#include "base/alloc.h"
#include "coins/model.h"
#include "sim_disk.h"
#include "test.h"

static struct coins_store *open_store(struct disk *disk, const char *folder, uint64_t bytes)
{
    struct coins_options options = {.disk = disk, .folder = folder, .cache_bytes = bytes};
    struct coins_store *store = NULL;
    struct error err = {0};

    if (coins_open(&store, &options, &err) < 0)
        printf("%s\n", error_text(&err));
    CHECK(store != NULL);
    return store;
}

/* One random step. */
static int step(struct model *model, struct coins_store *store, struct error *err)
{
    uint64_t what = test_random_below(100);

    if (what < 60)
        return model_apply(model, store, err);
    if (what < 75)
        return model_revert(model, store, err);
    if (what < 85)
        return model_flush_start(model, store, err);
    if (what < 97)
        return model_flush_poll(model, store, what < 87, err);
    return coins_merge_wait(store, err) < 0 ? -1 : model_flush_poll(model, store, true, err);
}

static void store_agrees_with_model(void)
{
    struct sim_disk *sim = sim_disk_new(test_random());
    struct model model;
    struct error err = {0};

    model_init(&model);
    for (int round = 0; round < 12; round++) {
        struct coins_store *store = open_store(sim_disk_disk(sim), "d/chainstate", 0);

        CHECK(EXPECT_TRUE("a commit we know", model_reopened(&model, store)));
        for (int i = 0; i < 120; i++) {
            if (!EXPECT_INT("step", step(&model, store, &err), 0))
                printf("%s\n", error_text(&err));
            if (i % 10 == 0 && !EXPECT_TRUE("agrees", model_agrees(&model, store)))
                break;
        }
        coins_close(store);
        sim_disk_kill(sim);
    }
    model_clear(&model);
    sim_disk_free(sim);
}

static void scan_gives_what_was_committed(void)
{
    struct sim_disk *sim = sim_disk_new(test_random());
    struct coins_store *store = open_store(sim_disk_disk(sim), "d/chainstate", 0);
    struct coins_scan_options any = {.any_order = true};
    struct coins_scan_options sorted = {0};
    struct coins_scan_options spilling = {.memory_bytes = 1};
    struct model model;
    struct error err = {0};

    model_init(&model);
    model.block_adds_max = 60; /* More than one part's worth. */
    CHECK(model_reopened(&model, store));
    EXPECT_TRUE("empty", model_scan_agrees(&model, store, &sorted));
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 30; i++)
            CHECK(step(&model, store, &err) == 0);
        EXPECT_INT("flush", model_flush_poll(&model, store, true, &err), 0);
        /* What is not committed must not show. */
        CHECK(model_apply(&model, store, &err) == 0);
        EXPECT_TRUE("any order", model_scan_agrees(&model, store, &any));
        EXPECT_TRUE("sorted", model_scan_agrees(&model, store, &sorted));
        EXPECT_TRUE("sorted by files", model_scan_agrees(&model, store, &spilling));
    }
    coins_close(store);
    model_clear(&model);
    sim_disk_free(sim);
}

TEST_LIST(TEST(store_agrees_with_model), TEST(scan_gives_what_was_committed))
