/* Nodes that begin with a snapshot: what they show meanwhile, which blocks they take,
 * and what comes of it when the blocks below prove it right or wrong. */
#include <stdlib.h>

#include "branches.h"
#include "sim_clock.h"
#include "sim_disk.h"

#define PATH "/utxo.dat"
#define FOLDER "/node/chainstate_snapshot"
#define ABOVE 20 /* Blocks on the trunk. */
#define BASE_AT 12
#define FORK_AT 6 /* Below the base. */

/* What the followers were told. */
struct heard {
    int32_t lowest; /* Of blocks connected. */
    int32_t connected_n;
    int32_t tip;
    bool holds_txs;
};

struct run {
    struct branches branches;
    int32_t way[ABOVE]; /* Blocks on top of the trunk. */
    int32_t base;
    struct snapshot_params vouched;
    struct buf file;
    struct params params;
    struct sim_disk *sim;
    struct sim_clock clock;
    struct chain_options options;
    struct chain_events events;
    struct heard heard;
    struct chain *chain;
};

static void on_connected(void *context, const struct block_info *info, const struct block *block,
                         const struct coin *const *spent)
{
    struct heard *heard = context;

    (void)block;
    (void)spent;
    heard->lowest = MIN(heard->lowest, info->height);
    heard->connected_n++;
}

static void on_tip(void *context, const struct tip_event *event)
{
    ((struct heard *)context)->tip = event->tip.height;
}

static bool on_holds(void *context)
{
    return ((struct heard *)context)->holds_txs;
}

static int try_open(struct run *run, struct error *err)
{
    int rc;

    run->chain = NULL;
    rc = chain_open(&run->chain, &run->options, err);
    if (rc < 0)
        return rc;
    run->heard = (struct heard){.lowest = INT32_MAX};
    chain_add_events(run->chain, &run->events);
    return chain_import(run->chain, err);
}

static void run_open(struct run *run)
{
    struct error err = {0};

    if (try_open(run, &err) < 0)
        EXPECT_STR("open", error_text(&err), "success");
    CHECK(run->chain != NULL);
}

static void run_close(struct run *run)
{
    EXPECT_INT("close", chain_close(run->chain, NULL), 0);
    run->chain = NULL;
}

static void run_reopen(struct run *run)
{
    run_close(run);
    run_open(run);
}

static void write_file(struct run *run, struct span bytes)
{
    EXPECT_INT("write",
               disk_replace_file(sim_disk_disk(run->sim), PATH, bytes.data, bytes.len, NULL), 0);
}

static void init_options(struct run *run)
{
    run->params = *run->branches.params;
    run->params.snapshots = &run->vouched;
    run->params.snapshots_n = 1;
    chain_options_default(&run->options, &run->params);
    run->options.disk = sim_disk_disk(run->sim);
    run->options.clock = &run->clock.clock;
    run->options.blocks_folder = "/node/blocks";
    run->options.chainstate_folder = "/node/chainstate";
    run->options.cache_bytes = 4U << 20;
    run->options.salt[0] = test_random();
    run->options.salt[1] = test_random();
    run->events = (struct chain_events){.context = &run->heard,
                                        .block_connected = on_connected,
                                        .tip_changed = on_tip,
                                        .holds_txs = on_holds};
}

/* fault: of the block two below the base. */
static void run_init(struct run *run, enum branch_fault fault, uint32_t padding)
{
    *run = (struct run){.chain = NULL};
    branches_init_padded(&run->branches, padding);
    for (int i = 0; i < ABOVE; i++) {
        bool is_faulty = i == BASE_AT - 2 && fault != BRANCH_GOOD;

        run->way[i] = branches_grow(&run->branches, i == 0 ? BRANCHES_BASE - 1 : run->way[i - 1],
                                    is_faulty ? 0 : (uint32_t)test_random_below(5),
                                    is_faulty ? fault : BRANCH_GOOD);
    }
    run->base = run->way[BASE_AT];
    branches_snapshot(&run->branches, run->base, &run->file, &run->vouched);
    run->sim = sim_disk_new(test_random());
    sim_disk_set_loss(run->sim, SIM_LOSS_RANDOM);
    sim_clock_init(&run->clock, (INT64_C(1296688602) + 600 * 800) * 1000);
    init_options(run);
    write_file(run, span_of_buf(&run->file));
    run_open(run);
    for (int32_t i = 0; i < BRANCHES_BASE; i++)
        EXPECT_INT("trunk", branches_offer(&run->branches, run->chain, i, NULL), 0);
}

static void run_clear(struct run *run)
{
    if (run->chain != NULL)
        run_close(run);
    sim_disk_free(run->sim);
    buf_clear(&run->file);
    branches_clear(&run->branches);
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

static void offer_headers(struct run *run)
{
    for (int i = 0; i < ABOVE; i++)
        offer_header(run, run->way[i]);
}

static int load(struct run *run, struct error *err)
{
    struct node *node = chain_node(run->chain);
    struct block_info base;
    uint64_t coins_n;
    int rc = node->ops->load_snapshot(node, PATH, &base, &coins_n, err);

    if (rc < 0)
        return rc;
    EXPECT_INT("base", base.height, run->vouched.height);
    EXPECT_TRUE("base", block_hash_equal(&base.hash, &run->vouched.block_hash));
    EXPECT_U64("coins", coins_n, get_le64(run->file.data + 43));
    return 0;
}

static void load_well(struct run *run)
{
    struct error err = {0};

    if (!EXPECT_INT("load", load(run, &err), 0))
        EXPECT_STR("load", error_text(&err), "success");
}

static void expect_refused(struct run *run, const char *text)
{
    struct error err = {0};

    EXPECT_INT(text, load(run, &err), E_STATE);
    EXPECT_TRUE(error_text(&err), strstr(error_text(&err), text) != NULL);
}

static struct node_status status_of(const struct run *run)
{
    struct node_status status;

    chain_node(run->chain)->ops->status(chain_node(run->chain), &status);
    return status;
}

static int submit(struct run *run, int32_t block)
{
    struct node *node = chain_node(run->chain);
    struct submit_result result;

    return node->ops->submit_block(node, &result, span_of_buf(&run->branches.blocks[block].bytes),
                                   NULL);
}

static void submit_way(struct run *run, int from, int to)
{
    for (int i = from; i < to; i++)
        EXPECT_INT("submit", submit(run, run->way[i]), 0);
}

static bool is_there(const struct run *run, const char *path)
{
    struct disk_entry entry;

    return disk_stat(sim_disk_disk(run->sim), path, &entry, NULL) == 0;
}

static void expect_behind(const struct run *run, int32_t block)
{
    struct node_status status = status_of(run);
    int32_t height = run->branches.blocks[block].height;

    EXPECT_TRUE("from a snapshot", status.has_snapshot && status.has_background);
    EXPECT_INT("base", status.snapshot_base.height, run->vouched.height);
    EXPECT_INT("behind", status.background_tip.height, height);
    EXPECT_TRUE("progress", status.background_progress > 0);
}

static void loads_and_verifies(void)
{
    struct run run;

    run_init(&run, BRANCH_GOOD, 0);
    offer_headers(&run);
    run.heard.holds_txs = true;
    expect_refused(&run, "Can't activate a snapshot when mempool not empty");
    run.heard = (struct heard){.lowest = INT32_MAX};
    load_well(&run);
    EXPECT_INT("told", run.heard.tip, run.vouched.height);
    EXPECT_U64("transactions", status_of(&run).tip.chain_tx_n, run.vouched.chain_tx_n);
    EXPECT_TRUE("no bytes yet", !status_of(&run).tip.have_data);
    expect_behind(&run, BRANCHES_BASE - 1);
    branches_agree(&run.branches, run.chain, run.base);
    expect_refused(&run, "more than once");
    submit_way(&run, BASE_AT + 1, ABOVE - 2);
    branches_agree(&run.branches, run.chain, run.way[ABOVE - 3]);
    submit_way(&run, 2, BASE_AT);
    expect_behind(&run, BRANCHES_BASE - 1);
    submit_way(&run, 0, 2);
    expect_behind(&run, run.way[BASE_AT - 1]);
    EXPECT_INT("only above", run.heard.lowest, run.vouched.height + 1);
    submit_way(&run, BASE_AT, BASE_AT + 1);
    EXPECT_TRUE("verified", status_of(&run).has_snapshot && !status_of(&run).has_background);
    EXPECT_INT("only above", run.heard.lowest, run.vouched.height + 1);
    EXPECT_U64("transactions", status_of(&run).tip.chain_tx_n > run.vouched.chain_tx_n, 1);
    submit_way(&run, ABOVE - 2, ABOVE);
    branches_agree(&run.branches, run.chain, run.way[ABOVE - 1]);
    EXPECT_TRUE("still in its folder", is_there(&run, FOLDER));
    for (int i = 0; i < 2; i++) {
        run_reopen(&run);
        EXPECT_TRUE("moved", !is_there(&run, FOLDER) && !status_of(&run).has_snapshot);
        branches_agree(&run.branches, run.chain, run.way[ABOVE - 1]);
    }
    run_clear(&run);
}

static void goes_on_after_restarts(void)
{
    struct run run;

    run_init(&run, BRANCH_GOOD, 0);
    offer_headers(&run);
    load_well(&run);
    for (int i = 0; i < BASE_AT; i++) {
        run_reopen(&run);
        expect_behind(&run, i == 0 ? BRANCHES_BASE - 1 : run.way[i - 1]);
        branches_agree(&run.branches, run.chain,
                       i == 0 ? run.base : run.way[BASE_AT + (i + 1) / 2]);
        submit_way(&run, i, i + 1);
        if (i % 2 == 0)
            submit_way(&run, BASE_AT + 1 + i / 2, BASE_AT + 2 + i / 2);
    }
    run_reopen(&run);
    submit_way(&run, BASE_AT, ABOVE);
    EXPECT_TRUE("verified", !status_of(&run).has_background);
    run_reopen(&run);
    branches_agree(&run.branches, run.chain, run.way[ABOVE - 1]);
    EXPECT_TRUE("moved", !is_there(&run, FOLDER));
    run_clear(&run);
}

static void refuse_file(struct run *run, size_t at, uint8_t flip, int64_t more, const char *text)
{
    struct buf bytes = {0};

    buf_add(&bytes, run->file.data, run->file.len);
    bytes.data[at] ^= flip;
    if (more > 0)
        buf_add(&bytes, "x", 1);
    else
        bytes.len -= (size_t)-more;
    write_file(run, span_of_buf(&bytes));
    expect_refused(run, text);
    EXPECT_TRUE("nothing is left", !is_there(run, FOLDER));
    EXPECT_TRUE("no snapshot", !status_of(run).has_snapshot);
    branches_agree(&run->branches, run->chain, BRANCHES_BASE - 1);
    buf_clear(&bytes);
}

static void files_with_other_coins(void)
{
    struct run run;

    run_init(&run, BRANCH_GOOD, 0);
    offer_headers(&run);
    refuse_file(&run, 51, 1, 0, "Population failed: Bad snapshot content hash: expected");
    refuse_file(&run, 0, 0, 1, "Population failed: Bad snapshot - coins left over after");
    refuse_file(&run, 0, 0, -1, "Population failed: Bad snapshot format or truncated snapshot");
    refuse_file(&run, 43, 1, 0, "Population failed: ");
    write_file(&run, span_of_buf(&run.file));
    load_well(&run);
    branches_agree(&run.branches, run.chain, run.base);
    run_clear(&run);
}

/* The chain ends with E_CORRUPT when it is given the block; the next start knows of no
 * snapshot. */
static void expect_drop(struct run *run, int32_t block, int32_t own, const char *text)
{
    struct error err = {0};

    EXPECT_INT("the chain ends", submit(run, block), E_CORRUPT);
    EXPECT_INT("close", chain_close(run->chain, &err), E_CORRUPT);
    EXPECT_TRUE(error_text(&err), strstr(error_text(&err), text) != NULL);
    run_open(run);
    EXPECT_TRUE("dropped", !is_there(run, FOLDER) && !status_of(run).has_snapshot);
    branches_agree(&run->branches, run->chain, own);
}

static void a_snapshot_that_was_wrong(void)
{
    struct run run;

    run_init(&run, BRANCH_GOOD, 0);
    offer_headers(&run);
    load_well(&run);
    submit_way(&run, 0, BASE_AT);
    submit_way(&run, BASE_AT + 1, ABOVE);
    run.vouched.hash_serialized[3] ^= 1;
    expect_drop(&run, run.base, run.way[ABOVE - 1], "its coins are not those");
    run_clear(&run);
}

static void a_bad_block_below(void)
{
    static const enum branch_fault faults[] = {BRANCH_BAD_AMOUNT, BRANCH_MISSING,
                                               BRANCH_BAD_SCRIPT};

    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        struct run run;

        run_init(&run, faults[i], 0);
        if (run.branches.blocks[run.way[BASE_AT - 2]].fault == BRANCH_GOOD) {
            run_clear(&run);
            continue;
        }
        offer_headers(&run);
        load_well(&run);
        branches_agree(&run.branches, run.chain, run.base);
        submit_way(&run, BASE_AT + 1, ABOVE);
        submit_way(&run, 0, BASE_AT - 2);
        expect_drop(&run, run.way[BASE_AT - 2], run.way[BASE_AT - 3],
                    "a block that it rests on is invalid");
        run_clear(&run);
    }
}

/* A branch that leaves below the base has to wait, however much work it has. */
static void other_branches_wait(void)
{
    struct run run;
    int32_t fork[ABOVE];
    int32_t left;

    run_init(&run, BRANCH_GOOD, 0);
    offer_headers(&run);
    for (int i = 0; i < ABOVE; i++)
        fork[i] =
            branches_grow(&run.branches, i == 0 ? run.way[FORK_AT] : fork[i - 1], 2, BRANCH_GOOD);
    left = branches_grow(&run.branches, run.base, 1, BRANCH_GOOD);
    load_well(&run);
    submit_way(&run, BASE_AT + 1, BASE_AT + 2);
    EXPECT_INT("refused",
               chain_node(run.chain)->ops->invalidate_block(
                   chain_node(run.chain), &run.branches.blocks[run.base].hash, NULL),
               E_STATE);
    EXPECT_INT("invalidate",
               chain_node(run.chain)->ops->invalidate_block(
                   chain_node(run.chain), &run.branches.blocks[run.way[BASE_AT + 1]].hash, NULL),
               0);
    branches_agree(&run.branches, run.chain, run.base);
    EXPECT_INT("left", submit(&run, left), 0);
    branches_agree(&run.branches, run.chain, left);
    for (int i = 0; i < ABOVE; i++)
        EXPECT_INT("fork", submit(&run, fork[i]), 0);
    branches_agree(&run.branches, run.chain, left);
    submit_way(&run, 0, BASE_AT + 1);
    EXPECT_TRUE("verified", !status_of(&run).has_background);
    branches_agree(&run.branches, run.chain, fork[ABOVE - 1]);
    run_reopen(&run);
    branches_agree(&run.branches, run.chain, fork[ABOVE - 1]);
    run_clear(&run);
}

/* The chain's own tip is not below the base. */
static void from_another_branch(void)
{
    struct run run;
    int32_t fork[BASE_AT - FORK_AT];

    run_init(&run, BRANCH_GOOD, 0);
    submit_way(&run, 0, FORK_AT + 1);
    for (int i = 0; i < BASE_AT - FORK_AT - 1; i++) {
        fork[i] =
            branches_grow(&run.branches, i == 0 ? run.way[FORK_AT] : fork[i - 1], 2, BRANCH_GOOD);
        EXPECT_INT("fork", submit(&run, fork[i]), 0);
    }
    offer_headers(&run);
    load_well(&run);
    expect_behind(&run, fork[BASE_AT - FORK_AT - 2]);
    submit_way(&run, FORK_AT + 1, BASE_AT);
    expect_behind(&run, fork[BASE_AT - FORK_AT - 2]);
    submit_way(&run, BASE_AT, ABOVE);
    EXPECT_TRUE("verified", !status_of(&run).has_background);
    branches_agree(&run.branches, run.chain, run.way[ABOVE - 1]);
    run_clear(&run);
}

/* -reindex and -reindex-chainstate start over without the snapshot. */
static void starting_over(void)
{
    for (int i = 0; i < 4; i++) {
        struct run run;
        bool is_verified = i >= 2;

        run_init(&run, BRANCH_GOOD, 0);
        offer_headers(&run);
        load_well(&run);
        submit_way(&run, BASE_AT + 1, ABOVE);
        submit_way(&run, 0, is_verified ? BASE_AT + 1 : BASE_AT);
        run_close(&run);
        run.options.reindex = i % 2 == 0;
        run.options.reindex_chainstate = i % 2 == 1;
        run_open(&run);
        run.options.reindex = run.options.reindex_chainstate = false;
        EXPECT_TRUE("gone", !is_there(&run, FOLDER) && !status_of(&run).has_snapshot);
        branches_agree(&run.branches, run.chain,
                       is_verified ? run.way[ABOVE - 1] : run.way[BASE_AT - 1]);
        if (!is_verified) {
            offer_headers(&run);
            load_well(&run);
            submit_way(&run, BASE_AT + 1, ABOVE);
            EXPECT_INT("what is here", chain_import(run.chain, NULL), 0);
            branches_agree(&run.branches, run.chain, run.way[ABOVE - 1]);
        }
        run_reopen(&run);
        branches_agree(&run.branches, run.chain, run.way[ABOVE - 1]);
        run_clear(&run);
    }
}

static void a_base_nobody_knows(void)
{
    struct disk *disk;
    struct error err = {0};
    uint8_t base[HASH_BYTES];
    struct run run;

    run_init(&run, BRANCH_GOOD, 0);
    run_close(&run);
    disk = sim_disk_disk(run.sim);
    memset(base, 'z', sizeof(base));
    EXPECT_INT("folder", disk_make_folder(disk, FOLDER, NULL), 0);
    EXPECT_INT("file", disk_replace_file(disk, FOLDER "/base_blockhash", base, sizeof(base), NULL),
               0);
    EXPECT_INT("refused", try_open(&run, &err), E_STATE);
    EXPECT_TRUE(error_text(&err),
                strstr(error_text(&err), "Assumeutxo data not found for the given blockhash "
                                         "'7a7a7a7a") != NULL);
    EXPECT_INT("remove", disk_remove(disk, FOLDER "/base_blockhash", NULL), 0);
    EXPECT_INT("remove", disk_remove(disk, FOLDER, NULL), 0);
    run_open(&run);
    run_clear(&run);
}

/* A snapshot that the index promised and the disk does not have. */
static void a_snapshot_that_is_lost(void)
{
    struct error err = {0};
    struct run run;

    run_init(&run, BRANCH_GOOD, 0);
    offer_headers(&run);
    load_well(&run);
    run_close(&run);
    EXPECT_INT("lose", disk_remove(sim_disk_disk(run.sim), FOLDER "/coins.log", NULL), 0);
    EXPECT_INT("told", try_open(&run, &err), E_CORRUPT);
    EXPECT_TRUE(error_text(&err), strstr(error_text(&err), "-reindex-chainstate") != NULL);
    run.options.reindex_chainstate = true;
    run_open(&run);
    branches_agree(&run.branches, run.chain, BRANCHES_BASE - 1);
    run_clear(&run);
}

static void prune_all(struct run *run)
{
    struct node *node = chain_node(run->chain);
    int32_t height;

    EXPECT_INT("prune", node->ops->prune(node, INT32_MAX, &height, NULL), 0);
}

static bool has_body(const struct run *run, int32_t block)
{
    struct node *node = chain_node(run->chain);
    struct block_info info;

    return node->ops->block_by_hash(node, &info, &run->branches.blocks[block].hash) == 0 &&
           info.have_data;
}

/* A changed body of a block that was good and is pruned condemns nothing. */
static void submit_mutated(struct run *run, int32_t block)
{
    struct node *node = chain_node(run->chain);
    struct submit_result result;

    EXPECT_INT("mutated",
               node->ops->submit_block(node, &result,
                                       span_of_buf(&run->branches.blocks[block].mutated), NULL),
               0);
    EXPECT_TRUE("refused", result.verdict != V_VALID);
}

/* Blocks that are still to be verified are not pruned, those above the base are. */
static void pruning_leaves_what_is_needed(void)
{
    struct run run;
    int32_t tip;

    run_init(&run, BRANCH_GOOD, 3000);
    run_close(&run);
    run.options.prune_on = true;
    run.options.prune_fast = true;
    run_open(&run);
    offer_headers(&run);
    load_well(&run);
    submit_way(&run, 1, BASE_AT);
    submit_way(&run, BASE_AT + 1, ABOVE);
    tip = run.way[ABOVE - 1];
    for (int i = 0; i < 330; i++) {
        tip = branches_grow(&run.branches, tip, 0, BRANCH_GOOD);
        EXPECT_INT("above", submit(&run, tip), 0);
    }
    prune_all(&run);
    EXPECT_TRUE("above is pruned", !has_body(&run, run.way[BASE_AT + 1]));
    for (int i = 1; i < BASE_AT; i++)
        EXPECT_TRUE("below is kept", has_body(&run, run.way[i]));
    for (int32_t i = 0; i < BRANCHES_BASE; i++)
        EXPECT_TRUE("the trunk is kept", has_body(&run, i));
    run_reopen(&run);
    submit_way(&run, 0, 1);
    expect_behind(&run, run.way[BASE_AT - 1]);
    submit_way(&run, BASE_AT, BASE_AT + 1);
    EXPECT_TRUE("verified", !status_of(&run).has_background);
    prune_all(&run);
    EXPECT_TRUE("all is pruned", !has_body(&run, 0));
    branches_agree(&run.branches, run.chain, tip);
    submit_mutated(&run, 0);
    tip = branches_grow(&run.branches, tip, 0, BRANCH_GOOD);
    EXPECT_INT("above", submit(&run, tip), 0);
    branches_agree(&run.branches, run.chain, tip);
    run_reopen(&run);
    branches_agree(&run.branches, run.chain, tip);
    run_clear(&run);
}

TEST_LIST(TEST(loads_and_verifies), TEST(goes_on_after_restarts), TEST(files_with_other_coins),
          TEST(a_snapshot_that_was_wrong), TEST(a_bad_block_below), TEST(other_branches_wait),
          TEST(from_another_branch), TEST(starting_over), TEST(a_base_nobody_knows),
          TEST(a_snapshot_that_is_lost), TEST(pruning_leaves_what_is_needed))
