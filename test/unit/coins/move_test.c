/* One store takes the place of another; power is lost within every call of that, again
 * and again, until it is done. */
#include "base/alloc.h"
#include "coins/model.h"
#include "sim_disk.h"
#include "test.h"

#define FROM "d/chainstate_new"
#define TO "d/chainstate"
#define FOREIGN TO "/CURRENT"
#define STEPS_N 30

static struct coins_store *open_store(struct sim_disk *sim, const char *folder)
{
    struct coins_options options = {.disk = sim_disk_disk(sim), .folder = folder};
    struct coins_store *store = NULL;
    struct error err = {0};

    if (coins_open(&store, &options, &err) < 0)
        EXPECT_STR("open", error_text(&err), "success");
    CHECK(store != NULL);
    return store;
}

/* Several runs, all committed. */
static void fill_store(struct sim_disk *sim, struct model *model, const char *folder)
{
    struct coins_store *store = open_store(sim, folder);
    int rc = 0;

    model_init(model);
    for (int i = 0; i < STEPS_N && rc == 0; i++) {
        rc = model_apply(model, store, NULL);
        if (rc == 0 && i % 4 == 3) {
            rc = model_flush_start(model, store, NULL);
            if (rc == 0)
                rc = model_flush_poll(model, store, true, NULL);
        }
    }
    if (rc == 0)
        rc = model_flush_start(model, store, NULL);
    if (rc == 0)
        rc = model_flush_poll(model, store, true, NULL);
    EXPECT_INT("fill", rc, 0);
    coins_close(store);
}

static bool is_there(struct sim_disk *sim, const char *path)
{
    struct disk_entry entry;

    return disk_stat(sim_disk_disk(sim), path, &entry, NULL) == 0;
}

static void check_moved(struct sim_disk *sim, struct model *model)
{
    struct coins_store *store = open_store(sim, TO);

    EXPECT_TRUE("the tip that moved", model_reopened(model, store));
    EXPECT_TRUE("its coins", model_agrees(model, store));
    EXPECT_TRUE("nothing stays behind", !is_there(sim, FROM));
    EXPECT_TRUE("others' files stay", is_there(sim, FOREIGN));
    coins_close(store);
}

/* Power goes within the n-th call, and later ones within one of the first few. false: it
 * never went. */
static bool move_once(uint64_t n)
{
    struct sim_disk *sim = sim_disk_new(test_random());
    struct disk *disk = sim_disk_disk(sim);
    struct model source;
    struct model target;
    bool is_off;
    int rc;

    sim_disk_set_loss(sim, SIM_LOSS_RANDOM);
    fill_store(sim, &target, TO);
    fill_store(sim, &source, FROM);
    EXPECT_INT("foreign", disk_replace_file(disk, FOREIGN, "x", 1, NULL), 0);
    EXPECT_INT("names", disk_sync_folder(disk, "d", NULL), 0);
    sim_disk_crash_after(sim, n);
    rc = coins_move(disk, FROM, TO, NULL);
    is_off = sim_disk_is_off(sim);
    EXPECT_TRUE("done or off", rc == 0 || is_off);
    for (int i = 0; i < 20 && rc < 0; i++) {
        sim_disk_power_on(sim);
        sim_disk_crash_after(sim, 1 + test_random_below(12));
        rc = coins_move(disk, FROM, TO, NULL);
    }
    sim_disk_power_on(sim);
    sim_disk_crash_after(sim, UINT64_MAX / 2);
    EXPECT_INT("in the end", coins_move(disk, FROM, TO, NULL), 0);
    check_moved(sim, &source);
    model_clear(&source);
    model_clear(&target);
    sim_disk_free(sim);
    return is_off;
}

static void every_write(void)
{
    uint64_t n = 1;

    for (int again = 0; again < 4; again++) {
        for (n = 1; move_once(n); n++)
            ;
    }
    EXPECT_TRUE("calls were met", n > 10);
}

/* Nothing to move, and nothing to take the place of. */
static void without_either(void)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct disk *disk = sim_disk_disk(sim);
    struct model model;

    fill_store(sim, &model, TO);
    EXPECT_INT("foreign", disk_replace_file(disk, FOREIGN, "x", 1, NULL), 0);
    EXPECT_INT("nothing", coins_move(disk, FROM, TO, NULL), 0);
    check_moved(sim, &model);
    EXPECT_INT("into nothing", coins_move(disk, TO, FROM, NULL), 0);
    EXPECT_TRUE("but others' files", is_there(sim, FOREIGN));
    EXPECT_INT("and back", coins_move(disk, FROM, TO, NULL), 0);
    check_moved(sim, &model);
    model_clear(&model);
    sim_disk_free(sim);
}

TEST_LIST(TEST(every_write), TEST(without_either))
