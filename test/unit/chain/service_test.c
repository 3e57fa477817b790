/* The chain thread serving several threads at once. */
#include <stdlib.h>

#include "branches.h"
#include "os/thread.h"
#include "sim_clock.h"
#include "sim_disk.h"

#define BLOCKS 40

struct watcher {
    struct thread thread;
    struct node *node;
    const struct branches *branches;
    _Atomic bool is_done;
    uint64_t rounds;
    int32_t height; /* Highest tip seen. */
    bool fell;      /* A tip was lower than one before: there are no reorganizations here. */
};

static void read_on(void *context)
{
    struct watcher *reader = context;
    struct node *node = reader->node;

    while (!atomic_load(&reader->is_done)) {
        const struct outpoint *outpoint = &reader->branches->blocks[0].adds[0].outpoint;
        struct arena arena = {0};
        struct node_status status;
        struct block_info info;
        struct chain_tip *tips = NULL;
        struct coin coin;
        size_t n = 0;
        int rc;

        node->ops->status(node, &status);
        reader->fell = reader->fell || status.tip.height < reader->height;
        reader->height = MAX(reader->height, status.tip.height);
        EXPECT_INT("by height", node->ops->block_by_height(node, &info, status.tip.height), 0);
        node->ops->tips(node, &tips, &n);
        EXPECT_TRUE("tips", n > 0);
        free(tips);
        rc = node->ops->coin(node, &coin, NULL, outpoint, &arena, NULL);
        EXPECT_TRUE("coin", rc == 0 || rc == E_NOT_FOUND || rc == E_STOPPED);
        arena_clear(&arena);
        node->ops->wait_tip(node, &info, &status.tip.hash, 1);
        reader->rounds++;
    }
}

static void readers_and_a_writer(void)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct chain_options options;
    struct watcher readers[2] = {0};
    struct branches branches;
    struct chain *chain = NULL;
    struct sim_clock clock;

    branches_init(&branches);
    for (int i = 0; i < BLOCKS; i++)
        branches_grow(&branches, (int32_t)branches.n - 1, 3, BRANCH_GOOD);
    sim_clock_init(&clock, (INT64_C(1296688602) + 600 * 400) * 1000);
    chain_options_default(&options, branches.params);
    options.disk = sim_disk_disk(sim);
    options.clock = &clock.clock;
    options.blocks_folder = "/node/blocks";
    options.chainstate_folder = "/node/chainstate";
    options.cache_bytes = 4U << 20;
    options.threads = 2;
    EXPECT_INT("open", chain_open(&chain, &options, NULL), 0);
    chain_start(chain);
    for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
        readers[i].node = chain_node(chain);
        readers[i].branches = &branches;
        EXPECT_INT("thread", thread_start(&readers[i].thread, "reader", read_on, &readers[i], NULL),
                   0);
    }
    for (size_t i = 0; i < branches.n; i++) {
        EXPECT_INT("offer", branches_offer(&branches, chain, (int32_t)i, NULL), 0);
        sim_clock_advance_us(&clock, 1000000);
    }
    branches_agree(&branches, chain, (int32_t)branches.n - 1);
    for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
        atomic_store(&readers[i].is_done, true);
        thread_join(&readers[i].thread);
        EXPECT_TRUE("read", readers[i].rounds > 0);
        EXPECT_TRUE("never fell", !readers[i].fell);
    }
    chain_stop(chain);
    EXPECT_INT("close", chain_close(chain, NULL), 0);
    sim_disk_free(sim);
    branches_clear(&branches);
}

static _Atomic int stops;

static void on_stop(void *context, enum chain_stop_reason reason, const char *text)
{
    (void)context;
    EXPECT_INT("reason", reason, CHAIN_STOP_FATAL);
    EXPECT_TRUE("says why", text[0] != '\0');
    atomic_fetch_add(&stops, 1);
}

/* A disk that fails stops the node, and no block is called invalid for it. */
static void a_failed_disk_ends_the_chain(void)
{
    struct sim_disk *sim = sim_disk_new(2);
    struct chain_options options;
    struct branches branches;
    struct chain *chain = NULL;
    struct sim_clock clock;
    int rc = 0;

    branches_init(&branches);
    sim_clock_init(&clock, (INT64_C(1296688602) + 600 * 400) * 1000);
    chain_options_default(&options, branches.params);
    options.disk = sim_disk_disk(sim);
    options.clock = &clock.clock;
    options.blocks_folder = "/node/blocks";
    options.chainstate_folder = "/node/chainstate";
    options.cache_bytes = 4U << 20;
    options.on_stop = on_stop;
    EXPECT_INT("open", chain_open(&chain, &options, NULL), 0);
    chain_start(chain);
    for (int32_t i = 0; i < 50; i++)
        EXPECT_INT("offer", branches_offer(&branches, chain, i, NULL), 0);
    sim_disk_fail_call(sim, SIM_CALL_WRITE, 1);
    for (int32_t i = 50; i < 60 && rc == 0; i++)
        rc = branches_offer(&branches, chain, i, NULL);
    EXPECT_INT("the asker is told", rc, E_IO);
    EXPECT_INT("stopped once", stops, 1);
    EXPECT_INT("later ones", branches_offer(&branches, chain, 60, NULL), E_STOPPED);
    EXPECT_INT("close tells", chain_close(chain, NULL), E_IO);
    options.on_stop = NULL;
    EXPECT_INT("open again", chain_open(&chain, &options, NULL), 0);
    EXPECT_INT("import", chain_import(chain, NULL), 0);
    for (int32_t i = 0; i < 60; i++)
        EXPECT_INT("offer", branches_offer(&branches, chain, i, NULL), 0);
    branches_agree(&branches, chain, 59);
    EXPECT_INT("close", chain_close(chain, NULL), 0);
    sim_disk_free(sim);
    branches_clear(&branches);
}

TEST_LIST(TEST(readers_and_a_writer), TEST(a_failed_disk_ends_the_chain))
