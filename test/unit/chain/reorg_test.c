/* Reorganizations, invalid blocks and the user's marks, against a naive model. */
#include <stdlib.h>

#include "base/alloc.h"
#include "branches.h"
#include "sim_clock.h"
#include "sim_disk.h"

struct run {
    struct branches branches;
    struct sim_disk *sim;
    struct sim_clock clock;
    struct chain_options options;
    struct chain *chain;
};

static void run_open(struct run *run)
{
    struct error err = {0};

    run->chain = NULL;
    if (chain_open(&run->chain, &run->options, &err) < 0 || chain_import(run->chain, &err) < 0)
        EXPECT_STR("open", error_text(&err), "success");
    CHECK(run->chain != NULL);
}

static void run_init(struct run *run, int threads)
{
    branches_init(&run->branches);
    run->sim = sim_disk_new(test_random());
    sim_clock_init(&run->clock, (INT64_C(1296688602) + 600 * 400) * 1000);
    chain_options_default(&run->options, run->branches.params);
    run->options.disk = sim_disk_disk(run->sim);
    run->options.clock = &run->clock.clock;
    run->options.blocks_folder = "/node/blocks";
    run->options.chainstate_folder = "/node/chainstate";
    run->options.cache_bytes = 4U << 20;
    run->options.threads = threads;
    run->options.salt[0] = test_random();
    run->options.salt[1] = test_random();
    run_open(run);
    for (int32_t i = 0; i < BRANCHES_BASE; i++)
        EXPECT_INT("trunk", branches_offer(&run->branches, run->chain, i, NULL), 0);
}

static void run_close(struct run *run)
{
    struct error err = {0};

    if (chain_close(run->chain, &err) < 0)
        EXPECT_STR("close", error_text(&err), "success");
    run->chain = NULL;
}

static void run_clear(struct run *run)
{
    run_close(run);
    sim_disk_free(run->sim);
    branches_clear(&run->branches);
}

/* A parent not far below the top, so that branches compete. */
static int32_t some_parent(const struct branches *branches)
{
    size_t reach = MIN(branches->n - BRANCHES_BASE + 3, 12);

    return (int32_t)(branches->n - 1 - (size_t)test_random_below(reach));
}

static enum branch_fault some_fault(void)
{
    return test_random_below(5) > 0 ? BRANCH_GOOD : (enum branch_fault)test_random_below(6);
}

static bool has_failed(const struct branches *branches, int32_t at)
{
    while (at >= 0 && !branches->blocks[at].is_failed)
        at = branches->blocks[at].parent;
    return at >= 0;
}

static void change_marks(struct run *run)
{
    struct branches *branches = &run->branches;
    struct node *node = chain_node(run->chain);
    int32_t at = some_parent(branches);
    struct branch_block *block = &branches->blocks[at];

    if (!block->is_offered || block->fault != BRANCH_GOOD)
        return;
    if (!block->is_failed) {
        EXPECT_INT("invalidate", node->ops->invalidate_block(node, &block->hash, NULL), 0);
        block->is_failed = true;
        return;
    }
    EXPECT_INT("reconsider", node->ops->reconsider_block(node, &block->hash, NULL), 0);
    /* From the top down: what failed with an ancestor fails by itself from now on. */
    for (size_t i = branches->n; i-- > 0;) {
        bool is_in_line = branches_is_ancestor(branches, at, (int32_t)i) ||
                          branches_is_ancestor(branches, (int32_t)i, at);

        if (!is_in_line && branches->blocks[i].is_offered)
            branches->blocks[i].is_failed = has_failed(branches, (int32_t)i);
    }
    for (size_t i = 0; i < branches->n; i++) {
        if (branches_is_ancestor(branches, at, (int32_t)i) ||
            branches_is_ancestor(branches, (int32_t)i, at))
            branches->blocks[i].is_failed = false;
    }
}

static void chain_follows_the_model(void)
{
    struct run run;

    run_init(&run, 2);
    for (int step = 0; step < 150; step++) {
        int32_t at = branches_grow(&run.branches, some_parent(&run.branches),
                                   (uint32_t)test_random_below(6), some_fault());
        struct error err = {0};

        if (test_random_below(6) == 0) {
            struct node *node = chain_node(run.chain);
            struct submit_result result;

            /* A changed body first: it must not stand in the way of the right one. */
            EXPECT_INT("mutated",
                       node->ops->submit_block(node, &result,
                                               span_of_buf(&run.branches.blocks[at].mutated), &err),
                       0);
        }
        if (branches_offer(&run.branches, run.chain, at, &err) < 0)
            EXPECT_STR("offer", error_text(&err), "success");
        if (test_random_below(8) == 0)
            change_marks(&run);
        branches_learn(&run.branches);
        if (test_random_below(20) == 0) {
            run_close(&run);
            run_open(&run);
        }
        sim_clock_advance_us(&run.clock, 300000);
        EXPECT_INT("idle", chain_idle(run.chain, NULL), 0);
        if (!branches_agree(&run.branches, run.chain, branches_best(&run.branches)))
            break;
    }
    run_clear(&run);
}

static void verify_chain_finds_nothing_wrong(void)
{
    struct run run;
    struct node *node;

    run_init(&run, 1);
    for (int i = 0; i < 20; i++)
        branches_offer(&run.branches, run.chain,
                       branches_grow(&run.branches, (int32_t)run.branches.n - 1, 4, BRANCH_GOOD),
                       NULL);
    node = chain_node(run.chain);
    for (int level = 0; level <= 4; level++) {
        bool is_ok = false;

        EXPECT_INT("rc", node->ops->verify_chain(node, level, 0, &is_ok, NULL), 0);
        EXPECT_TRUE("ok", is_ok);
        branches_agree(&run.branches, run.chain, branches_best(&run.branches));
    }
    run_clear(&run);
}

static void a_template_is_tried_and_leaves_nothing(void)
{
    static const struct {
        enum branch_fault fault;
        enum verdict verdict;
    } rows[] = {{BRANCH_GOOD, V_VALID},
                {BRANCH_BAD_AMOUNT, V_BAD_CB_AMOUNT},
                {BRANCH_MISSING, V_INPUTS_MISSING_OR_SPENT},
                {BRANCH_DOUBLE, V_INPUTS_MISSING_OR_SPENT},
                {BRANCH_BAD_ROOT, V_BAD_MERKLE_ROOT}};
    struct run run;
    struct node *node;

    run_init(&run, 2);
    node = chain_node(run.chain);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int32_t at = branches_grow(&run.branches, BRANCHES_BASE - 1, 30, rows[i].fault);
        struct span bytes = span_of_buf(&run.branches.blocks[at].bytes);
        struct submit_result result;

        EXPECT_INT("as drawn", run.branches.blocks[at].fault, rows[i].fault);
        EXPECT_INT("rc", node->ops->test_block(node, &result, bytes, true, true, NULL), 0);
        EXPECT_INT("verdict", result.verdict, rows[i].verdict);
        branches_agree(&run.branches, run.chain, BRANCHES_BASE - 1);
    }
    run_clear(&run);
}

static void offer_header(struct run *run, int32_t block)
{
    struct node *node = chain_node(run->chain);
    struct submit_result result;
    struct header header;
    struct reader r;

    reader_init(&r, run->branches.blocks[block].bytes.data, HEADER_BYTES);
    header_read(&header, &r);
    EXPECT_INT("header", node->ops->submit_header(node, &result, &header, NULL), 0);
}

static int be_precious(struct run *run, int32_t block)
{
    struct node *node = chain_node(run->chain);

    return node->ops->precious_block(node, &run->branches.blocks[block].hash, NULL);
}

/* Of a block that is not here, or not all before it, nothing is remembered: when it comes
 * it has come later than the tip. A block that is here wins. */
static void a_precious_block_that_is_not_here(void)
{
    struct run run;
    int32_t first;
    int32_t below;
    int32_t second;

    run_init(&run, 1);
    first = branches_grow(&run.branches, BRANCHES_BASE - 1, 1, BRANCH_GOOD);
    first = branches_grow(&run.branches, first, 1, BRANCH_GOOD);
    below = branches_grow(&run.branches, BRANCHES_BASE - 1, 1, BRANCH_GOOD);
    second = branches_grow(&run.branches, below, 1, BRANCH_GOOD);
    branches_offer(&run.branches, run.chain, run.branches.blocks[first].parent, NULL);
    branches_offer(&run.branches, run.chain, first, NULL);
    EXPECT_INT("unknown", be_precious(&run, second), E_NOT_FOUND);
    offer_header(&run, below);
    offer_header(&run, second);
    EXPECT_INT("header only", be_precious(&run, second), 0);
    branches_agree(&run.branches, run.chain, first);
    branches_offer(&run.branches, run.chain, second, NULL);
    EXPECT_INT("one before it is not here", be_precious(&run, second), 0);
    branches_agree(&run.branches, run.chain, first);
    branches_offer(&run.branches, run.chain, below, NULL);
    branches_agree(&run.branches, run.chain, first);
    EXPECT_INT("here", be_precious(&run, second), 0);
    branches_agree(&run.branches, run.chain, second);
    EXPECT_INT("less work", be_precious(&run, below), 0);
    branches_agree(&run.branches, run.chain, second);
    EXPECT_INT("again", be_precious(&run, first), 0);
    branches_agree(&run.branches, run.chain, first);
    run_clear(&run);
}

TEST_LIST(TEST(a_precious_block_that_is_not_here), TEST(chain_follows_the_model),
          TEST(verify_chain_finds_nothing_wrong), TEST(a_template_is_tried_and_leaves_nothing))
