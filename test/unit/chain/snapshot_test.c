/* Snapshots of the coins as of the tip and of earlier blocks, against the naive truth;
 * then with the power failing at any write of one. */
#include <stdlib.h>

#include "branches.h"
#include "coins/snapshot.h"
#include "sim_clock.h"
#include "sim_disk.h"

#define PATH "/node/utxo.dat"
#define PART_PATH PATH ".incomplete"
#define NEVER (UINT64_MAX / 2)

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

static void run_init(struct run *run)
{
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
    run->options.salt[0] = test_random();
    run->options.salt[1] = test_random();
    run_open(run);
    for (int32_t i = 0; i < BRANCHES_BASE; i++)
        EXPECT_INT("trunk", branches_offer(&run->branches, run->chain, i, NULL), 0);
}

static void run_clear(struct run *run)
{
    EXPECT_INT("close", chain_close(run->chain, NULL), 0);
    sim_disk_free(run->sim);
    branches_clear(&run->branches);
}

static void grow_some(struct run *run, int n)
{
    for (int i = 0; i < n; i++) {
        struct branches *branches = &run->branches;
        size_t reach = MIN(branches->n - BRANCHES_BASE + 1, 5);
        int32_t parent = (int32_t)(branches->n - 1 - (size_t)test_random_below(reach));
        int32_t at = branches_grow(branches, parent, (uint32_t)test_random_below(6), BRANCH_GOOD);

        EXPECT_INT("offer", branches_offer(branches, run->chain, at, NULL), 0);
    }
}

static bool is_there(const struct run *run, const char *path)
{
    struct disk_entry entry;

    return disk_stat(sim_disk_disk(run->sim), path, &entry, NULL) == 0;
}

static bool same_coin(const struct branch_coin *left, const struct outpoint *outpoint,
                      const struct coin *coin)
{
    return outpoint_equal(&left->outpoint, outpoint) && left->value_sat == coin->value_sat &&
           left->height == (int32_t)coin->height && left->is_coinbase == coin->is_coinbase;
}

/* So that no crash brings it back. */
static void remove_file(const struct run *run)
{
    struct disk *disk = sim_disk_disk(run->sim);

    EXPECT_INT("remove", disk_remove(disk, PATH, NULL), 0);
    EXPECT_INT("sync", disk_sync_folder(disk, "/node", NULL), 0);
}

/* The file holds exactly the coins of the branch that ends in block. */
static void check_file(const struct run *run, int32_t block)
{
    struct branch_coin *coins = NULL;
    size_t n = branches_coins(&run->branches, block, &coins);
    uint32_t height = (uint32_t)run->branches.blocks[block].height;
    struct snapshot_reader *reader;
    struct snapshot_header header;
    struct outpoint outpoint;
    struct error err = {0};
    struct coin coin;
    size_t seen = 0;
    int rc;

    rc = snapshot_reader_new(&reader, &header, sim_disk_disk(run->sim), PATH, &err);
    if (!EXPECT_INT("reads", rc, 0)) {
        free(coins);
        return;
    }
    EXPECT_BYTES("base", header.base.b, HASH_BYTES, run->branches.blocks[block].hash.b, HASH_BYTES);
    EXPECT_U64("count", header.coins_n, n);
    while ((rc = snapshot_reader_next(reader, &outpoint, &coin, height, &err)) == 1) {
        bool is_known = false;

        for (size_t i = 0; i < n && !is_known; i++)
            is_known = same_coin(&coins[i], &outpoint, &coin);
        EXPECT_TRUE("a coin of the branch", is_known);
        seen++;
    }
    EXPECT_INT("to the end", rc, 0);
    EXPECT_U64("all", seen, n);
    snapshot_reader_free(reader);
    free(coins);
}

static int32_t tip_of(const struct run *run)
{
    struct node_status status;

    chain_node(run->chain)->ops->status(chain_node(run->chain), &status);
    return branches_find(&run->branches, &status.tip.hash);
}

static int32_t go_down(const struct run *run, int32_t from, uint64_t steps)
{
    while (steps-- > 0)
        from = run->branches.blocks[from].parent;
    return from;
}

static int dump(struct run *run, int32_t block, struct error *err)
{
    struct node *node = chain_node(run->chain);
    struct utxo_stats stats;
    int rc = node->ops->dump_snapshot(
        node, PATH, block < 0 ? NULL : &run->branches.blocks[block].hash, &stats, err);

    if (rc == 0 && block >= 0)
        EXPECT_INT("height", stats.at.height, run->branches.blocks[block].height);
    return rc;
}

static void earlier_blocks(void)
{
    struct run run;

    run_init(&run);
    for (int i = 0; i < 12; i++) {
        struct error err = {0};
        int32_t tip;
        int32_t base;

        grow_some(&run, 4);
        tip = tip_of(&run);
        base = go_down(&run, tip, i == 0 ? 0 : test_random_below(BRANCHES_BASE));
        if (!EXPECT_INT("dump", dump(&run, i == 1 ? -1 : base, &err), 0))
            EXPECT_STR("dump", error_text(&err), "success");
        check_file(&run, i == 1 ? tip : base);
        EXPECT_INT("there already", dump(&run, base, NULL), E_EXISTS);
        EXPECT_TRUE("nothing incomplete", !is_there(&run, PART_PATH));
        EXPECT_TRUE("no copy", !is_there(&run, "/node/chainstate_rollback"));
        remove_file(&run);
        branches_agree(&run.branches, run.chain, tip);
    }
    run_clear(&run);
}

static void only_the_active_chain(void)
{
    struct run run;
    int32_t left;
    int32_t right;

    run_init(&run);
    left = branches_grow(&run.branches, BRANCHES_BASE - 1, 2, BRANCH_GOOD);
    right = branches_grow(&run.branches, BRANCHES_BASE - 1, 2, BRANCH_GOOD);
    EXPECT_INT("left", branches_offer(&run.branches, run.chain, left, NULL), 0);
    EXPECT_INT("right", branches_offer(&run.branches, run.chain, right, NULL), 0);
    EXPECT_INT("tip", tip_of(&run), left);
    EXPECT_INT("dump", dump(&run, right, NULL), E_STATE);
    EXPECT_TRUE("no file", !is_there(&run, PATH) && !is_there(&run, PART_PATH));
    EXPECT_TRUE("no copy", !is_there(&run, "/node/chainstate_rollback"));
    EXPECT_INT("the other", dump(&run, left, NULL), 0);
    check_file(&run, left);
    run_clear(&run);
}

/* Power fails in the n-th write of a snapshot: the chain is as before, and another
 * snapshot can be made. */
static void a_crash_changes_nothing(void)
{
    struct run run;
    uint64_t n = 1;
    bool is_off = true;

    run_init(&run);
    grow_some(&run, 10);
    EXPECT_INT("flush", chain_flush(run.chain, NULL), 0);
    for (; is_off; n++) {
        int32_t tip = tip_of(&run);
        int32_t base = go_down(&run, tip, 1 + test_random_below(20));
        bool is_dumped;

        sim_disk_crash_after(run.sim, n);
        is_dumped = dump(&run, base, NULL) == 0;
        is_off = sim_disk_is_off(run.sim);
        EXPECT_TRUE("done or off", is_dumped || is_off);
        sim_disk_crash_after(run.sim, NEVER);
        EXPECT_TRUE("close", chain_close(run.chain, NULL) == 0 || is_off);
        sim_disk_power_on(run.sim);
        run_open(&run);
        EXPECT_INT("tip", tip_of(&run), tip);
        branches_agree(&run.branches, run.chain, tip);
        EXPECT_TRUE("no copy", !is_there(&run, "/node/chainstate_rollback"));
        EXPECT_TRUE("whole when there", !is_dumped || is_there(&run, PATH));
        if (!is_there(&run, PATH))
            EXPECT_INT("once more", dump(&run, base, NULL), 0);
        check_file(&run, base);
        remove_file(&run);
    }
    EXPECT_TRUE("writes were met", n > 10);
    run_clear(&run);
}

static void put_header(const struct run *run, const char *start, const uint8_t *magic,
                       const struct block_hash *base)
{
    struct disk *disk = sim_disk_disk(run->sim);
    uint8_t bytes[SNAPSHOT_HEADER_BYTES] = {0};

    memcpy(bytes, start, 7);
    memcpy(bytes + 7, magic, 4);
    memcpy(bytes + 11, base->b, HASH_BYTES);
    EXPECT_INT("write", disk_replace_file(disk, PATH, bytes, sizeof(bytes), NULL), 0);
}

static void expect_refused(struct run *run, int want, const char *text)
{
    struct node *node = chain_node(run->chain);
    struct block_info base;
    struct error err = {0};
    uint64_t coins_n;

    EXPECT_INT(text, node->ops->load_snapshot(node, PATH, &base, &coins_n, &err), want);
    EXPECT_TRUE(error_text(&err), strstr(error_text(&err), text) != NULL);
}

static void files_that_are_no_snapshots(void)
{
    static const uint8_t no_magic[4] = {1, 2, 3, 4};
    struct block_hash base = {{0x0a}};
    const uint8_t *magic;
    struct run run;

    run_init(&run);
    magic = run.options.params->magic;
    expect_refused(&run, E_NOT_FOUND, "");
    put_header(&run, "utxp\xff\2\0", magic, &base);
    expect_refused(&run, E_MALFORMED, "Invalid UTXO set snapshot magic bytes");
    put_header(&run, "utxo\xff\3\0", magic, &base);
    expect_refused(&run, E_MALFORMED, "Version of snapshot 3 does not match");
    put_header(&run, "utxo\xff\2\0", params_of(NETWORK_MAIN)->magic, &base);
    expect_refused(&run, E_MALFORMED,
                   "The network of the snapshot (main) does not match the network of this node "
                   "(regtest).");
    put_header(&run, "utxo\xff\2\0", no_magic, &base);
    expect_refused(&run, E_MALFORMED, "unrecognized network");
    put_header(&run, "utxo\xff\2\0", magic, &base);
    expect_refused(&run, E_STATE,
                   "not recognized (hash: "
                   "000000000000000000000000000000000000000000000000000000000000000a). The "
                   "following snapshot heights are available: 110, 200, 299");
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
    EXPECT_INT("verdict", result.verdict, V_VALID);
}

/* A base that we vouch for must be on the best chain of headers and above the tip. */
static void bases_that_do_not_fit(void)
{
    struct snapshot_params vouched = {0};
    struct params params;
    struct run run;
    int32_t blocks[3];
    int32_t fork[4];

    run_init(&run);
    params = *run.options.params;
    params.snapshots = &vouched;
    params.snapshots_n = 1;
    run.options.params = &params;
    EXPECT_INT("close", chain_close(run.chain, NULL), 0);
    run_open(&run);
    for (int i = 0; i < 3; i++)
        blocks[i] = branches_grow(&run.branches, i == 0 ? BRANCHES_BASE - 1 : blocks[i - 1], 0,
                                  BRANCH_GOOD);
    for (int i = 0; i < 4; i++)
        fork[i] =
            branches_grow(&run.branches, i == 0 ? BRANCHES_BASE - 1 : fork[i - 1], 0, BRANCH_GOOD);
    vouched.height = run.branches.blocks[blocks[1]].height;
    vouched.block_hash = run.branches.blocks[blocks[1]].hash;
    put_header(&run, "utxo\xff\2\0", params.magic, &vouched.block_hash);
    expect_refused(&run, E_STATE, "must appear in the headers chain");
    for (int i = 0; i < 3; i++)
        offer_header(&run, blocks[i]);
    expect_refused(&run, E_STATE, "Population failed: Bad snapshot content hash: expected");
    for (int i = 0; i < 4; i++)
        offer_header(&run, fork[i]);
    expect_refused(&run, E_STATE, "A forked headers-chain with more work");
    EXPECT_INT("invalidate",
               chain_node(run.chain)->ops->invalidate_block(
                   chain_node(run.chain), &run.branches.blocks[fork[0]].hash, NULL),
               0);
    expect_refused(&run, E_STATE, "Population failed: Bad snapshot content hash: expected");
    for (int i = 0; i < 2; i++)
        EXPECT_INT("offer", branches_offer(&run.branches, run.chain, blocks[i], NULL), 0);
    expect_refused(&run, E_STATE, "Work does not exceed active chainstate");
    EXPECT_INT("invalidate",
               chain_node(run.chain)->ops->invalidate_block(
                   chain_node(run.chain), &run.branches.blocks[blocks[0]].hash, NULL),
               0);
    expect_refused(&run, E_STATE, "is part of an invalid chain");
    run_clear(&run);
}

TEST_LIST(TEST(earlier_blocks), TEST(only_the_active_chain), TEST(a_crash_changes_nothing),
          TEST(files_that_are_no_snapshots), TEST(bases_that_do_not_fit))
