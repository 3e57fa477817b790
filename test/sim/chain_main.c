/* The whole chain engine on a disk that forgets: power is lost at random writes, or
 * at each write of a run in turn, and what opens again is compared with the naive
 * model of branches.h.
 *
 *     sim_chain                                  a share of every scenario
 *     sim_chain --scenario reorg --seed 123      that seed, as it was
 *     sim_chain --scenario reorg --seed 0 --seeds 5000
 *     sim_chain --scenario prune --every 3       each write of seed 0, every third
 *
 * A seed is one story: the node is opened, works, loses power up to LIVES_MAX times,
 * and in the end is given everything again. After each loss it must open by itself,
 * stand at a valid block not below its last acknowledged commit, and have exactly
 * that block's coins.
 */
#include <getopt.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "branches.h"
#include "primitives/header.h"
#include "sim_clock.h"
#include "sim_disk.h"

#define NEVER (UINT64_MAX / 2)
#define LIVES_MAX 4
#define BRANCH_BLOCKS 36
#define PRUNE_TRUNK 330
#define PRUNE_PADDING 3000
#define IMPORT_FILE "/load.dat"
#define SNAPSHOT_FILE "/utxo.dat"
#define SNAPSHOT_FOLDER "/node/chainstate_snapshot"
#define SNAPSHOT_ABOVE 8 /* Its base, above the trunk. */

enum kind { IMPORT, REORG, FLUSH, PRUNE, REINDEX, FAULTS, SNAPSHOT, KINDS_N };

static const char *const kind_names[KINDS_N] = {"import",  "reorg",  "flush",   "prune",
                                                "reindex", "faults", "snapshot"};

/* Within how many writes of a life power is lost: about as many as a life has. */
static const uint64_t reach[KINDS_N] = {60, 300, 500, 1000, 90, 300, 300};

/* Seeds in an ordinary test run. */
static const uint64_t share[KINDS_N] = {100, 100, 60, 20, 60, 60, 80};

struct story {
    enum kind kind;
    const struct branches *branches;
    struct sim_disk *sim;
    struct sim_clock clock;
    struct params params;
    struct snapshot_params vouched;
    struct chain_options options;
    struct chain *chain;
    int32_t committed_height; /* Acknowledged, and not marked invalid since. */
    bool is_good;
    bool keeps_index; /* -reindex-chainstate rather than -reindex. */
    bool may_fail;    /* The disk fails without losing power. */
};

static struct {
    uint64_t seed;
    uint64_t seeds; /* 0: the ordinary share. */
    uint64_t every;
} asked;

static struct branches worlds[KINDS_N];
static char last_log[512];
static uint64_t losses_total;

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

/* The blocks of a scenario are the same for all seeds. */
static const struct branches *world_of(enum kind kind)
{
    struct branches *world = &worlds[kind];

    if (world->n > 0)
        return world;
    test_random_seed(1 + (uint64_t)kind);
    branches_init_padded(world, kind == PRUNE ? PRUNE_PADDING : 0);
    while (kind == PRUNE && world->n < PRUNE_TRUNK)
        branches_grow(world, (int32_t)world->n - 1, (uint32_t)test_random_below(3), BRANCH_GOOD);
    for (uint64_t i = 0; i < BRANCH_BLOCKS; i++) {
        int32_t parent = (int32_t)(world->n - 1 - (size_t)test_random_below(MIN(i + 1, 6)));
        enum branch_fault fault =
            test_random_below(9) == 0 ? (enum branch_fault)test_random_below(6) : BRANCH_GOOD;

        branches_grow(world, parent, (uint32_t)test_random_below(5), fault);
    }
    return world;
}

static bool block_is_good(const struct branches *branches, int32_t at)
{
    for (; at >= 0; at = branches->blocks[at].parent) {
        if (branches->blocks[at].fault != BRANCH_GOOD)
            return false;
    }
    return true;
}

static int32_t best_height(const struct branches *branches)
{
    int32_t best = 0;

    for (size_t i = 0; i < branches->n; i++) {
        if (block_is_good(branches, (int32_t)i))
            best = MAX(best, branches->blocks[i].height);
    }
    return best;
}

/* The way to the best block. */
static int32_t best_block(const struct branches *branches)
{
    int32_t best = -1;

    for (size_t i = 0; i < branches->n; i++) {
        if (block_is_good(branches, (int32_t)i) &&
            (best < 0 || branches->blocks[i].height > branches->blocks[best].height))
            best = (int32_t)i;
    }
    return best;
}

static bool holds(struct story *story, bool truth, const char *what)
{
    story->is_good &= EXPECT_TRUE(what, truth);
    return truth;
}

/* With the blocks in any order, bytes of nobody between them, and zeros behind. */
static void write_import_file(struct story *story)
{
    const struct branches *branches = story->branches;
    size_t *order = alloc_array(branches->n, sizeof(*order));
    struct buf bytes = {0};
    struct disk *disk = sim_disk_disk(story->sim);

    for (size_t i = 0; i < branches->n; i++) {
        size_t other = (size_t)test_random_below(i + 1);

        order[i] = order[other];
        order[other] = i;
    }
    for (size_t i = 0; i < branches->n; i++) {
        const struct buf *block = &branches->blocks[order[i]].bytes;
        uint8_t *frame;

        if (test_random_below(10) == 0)
            test_random_fill(buf_extend(&bytes, 13), 13);
        frame = buf_extend(&bytes, 8);
        memcpy(frame, branches->params->magic, 4);
        put_le32(frame + 4, (uint32_t)block->len);
        buf_add(&bytes, block->data, block->len);
    }
    memset(buf_extend(&bytes, 5000), 0, 5000);
    CHECK(disk_replace_file(disk, IMPORT_FILE, bytes.data, bytes.len, NULL) == 0);
    buf_clear(&bytes);
    free(order);
}

static void write_snapshot(struct story *story)
{
    const struct branches *branches = story->branches;
    size_t trunk = branches->n - BRANCH_BLOCKS;
    int32_t base = best_block(branches);
    struct disk *disk = sim_disk_disk(story->sim);
    struct buf bytes = {0};

    while (branches->blocks[base].height > branches->blocks[trunk - 1].height + SNAPSHOT_ABOVE)
        base = branches->blocks[base].parent;
    branches_snapshot(branches, base, &bytes, &story->vouched);
    CHECK(disk_replace_file(disk, SNAPSHOT_FILE, bytes.data, bytes.len, NULL) == 0);
    buf_clear(&bytes);
    story->params.snapshots = &story->vouched;
    story->params.snapshots_n = 1;
}

static void story_init(struct story *story, enum kind kind, uint64_t seed)
{
    *story = (struct story){.kind = kind, .is_good = true, .branches = world_of(kind)};
    test_random_seed(seed);
    story->sim = sim_disk_new(test_random());
    sim_disk_set_loss(story->sim, SIM_LOSS_RANDOM);
    sim_clock_init(&story->clock, (INT64_C(1296688602) + 600 * 800) * 1000);
    story->params = *story->branches->params;
    story->params.prune_after_height = 100;
    chain_options_default(&story->options, &story->params);
    story->options.disk = sim_disk_disk(story->sim);
    story->options.clock = &story->clock.clock;
    story->options.blocks_folder = "/node/blocks";
    story->options.chainstate_folder = "/node/chainstate";
    story->options.cache_bytes = 4U << 20;
    story->options.threads = 1;
    story->options.prune_on = kind == PRUNE;
    /* By hand only, or by itself whenever it may. */
    story->options.prune_target_bytes = kind == PRUNE ? test_random_below(2) : 0;
    story->options.prune_fast = kind == PRUNE || test_random_below(2) == 0;
    story->options.salt[0] = test_random();
    story->options.salt[1] = test_random();
    story->keeps_index = kind == REINDEX && test_random_below(3) == 0;
    if (kind == IMPORT)
        write_import_file(story);
    if (kind == SNAPSHOT)
        write_snapshot(story);
}

/* With the power off closing fails, which is fine. */
static void end_life(struct story *story)
{
    int rc = chain_close(story->chain, NULL);

    story->chain = NULL;
    if (!sim_disk_is_off(story->sim) && !story->may_fail)
        holds(story, rc == 0, "a clean close");
}

/* Opens and imports; false: it could not, which is only right without power. */
static bool begin_life(struct story *story, bool reindex, bool loads)
{
    static const char *const files[] = {IMPORT_FILE};
    struct error err = {0};
    int rc;

    story->options.reindex = reindex && story->kind == REINDEX && !story->keeps_index;
    story->options.reindex_chainstate = reindex && story->keeps_index;
    story->options.loadblock = files;
    story->options.loadblock_n = story->kind == IMPORT && loads ? 1 : 0;
    story->chain = NULL;
    rc = chain_open(&story->chain, &story->options, &err);
    if (rc == 0) {
        rc = chain_import(story->chain, &err);
        if (rc == 0 && !sim_disk_is_off(story->sim))
            return true;
        end_life(story);
    }
    if (!sim_disk_is_off(story->sim) && !story->may_fail) {
        EXPECT_STR(last_log, error_text(&err), "success");
        story->is_good = false;
    }
    return false;
}

static bool stands_well(struct story *story)
{
    const struct branches *branches = story->branches;
    struct node_status status;
    int32_t at;

    /* A merge behind our back must not lose the power while we look. */
    sim_disk_crash_after(story->sim, NEVER);
    if (sim_disk_is_off(story->sim))
        return false;
    chain_node(story->chain)->ops->status(chain_node(story->chain), &status);
    at = branches_find(branches, &status.tip.hash);
    return holds(story, at >= 0 || status.tip.height == 0, "a block of ours") &&
           holds(story, block_is_good(branches, at), "a valid block") &&
           holds(story, status.tip.height >= story->committed_height,
                 "nothing committed is lost") &&
           holds(story, branches_agree(branches, story->chain, at), "the coins");
}

static int submit(struct story *story, size_t at)
{
    struct node *node = chain_node(story->chain);
    struct submit_result result;

    return node->ops->submit_block(node, &result, span_of_buf(&story->branches->blocks[at].bytes),
                                   NULL);
}

static int flush(struct story *story)
{
    struct node_status status;
    int rc = chain_flush(story->chain, NULL);

    if (rc == 0) {
        chain_node(story->chain)->ops->status(chain_node(story->chain), &status);
        story->committed_height = status.tip.height;
    }
    return rc;
}

static int mark(struct story *story)
{
    const struct branches *branches = story->branches;
    struct node *node = chain_node(story->chain);
    size_t recent = MIN(branches->n, BRANCH_BLOCKS + 8);
    size_t at = branches->n - 1 - (size_t)test_random_below(recent);
    const struct block_hash *hash = &branches->blocks[at].hash;
    int rc;

    switch (test_random_below(3)) {
    case 0:
        story->committed_height = 0;
        rc = node->ops->invalidate_block(node, hash, NULL);
        break;
    case 1:
        rc = node->ops->reconsider_block(node, hash, NULL);
        break;
    default:
        rc = node->ops->precious_block(node, hash, NULL);
    }
    return sim_disk_is_off(story->sim) ? rc : 0; /* A block that it does not know. */
}

static int offer_headers(struct story *story)
{
    const struct branches *branches = story->branches;
    struct node *node = chain_node(story->chain);
    int rc = 0;

    for (size_t i = branches->n - BRANCH_BLOCKS; i < branches->n && rc == 0; i++) {
        struct submit_result result;
        struct header header;
        struct reader r;

        if (!block_is_good(branches, (int32_t)i))
            continue;
        reader_init(&r, branches->blocks[i].bytes.data, HEADER_BYTES);
        header_read(&header, &r);
        rc = node->ops->submit_header(node, &result, &header, NULL);
    }
    return rc;
}

/* Now and then it is refused: the tip is too high, it was loaded before. */
static int load_snapshot(struct story *story)
{
    struct node *node = chain_node(story->chain);
    struct block_info base;
    uint64_t coins_n;
    int rc = offer_headers(story);

    if (rc == 0)
        rc = node->ops->load_snapshot(node, SNAPSHOT_FILE, &base, &coins_n, NULL);
    return rc == E_STATE ? 0 : rc;
}

/* After everything has been given to the node, and once more after a restart. */
static void look_at_snapshot(struct story *story, bool is_restarted)
{
    struct node_status status;
    struct disk_entry entry;

    chain_node(story->chain)->ops->status(chain_node(story->chain), &status);
    holds(story, !status.has_background, "verified behind the tip");
    if (!is_restarted)
        return;
    holds(story, !status.has_snapshot, "no snapshot any more");
    holds(story, disk_stat(sim_disk_disk(story->sim), SNAPSHOT_FOLDER, &entry, NULL) == E_NOT_FOUND,
          "no folder of a snapshot");
}

static int step(struct story *story, size_t *next)
{
    const struct branches *branches = story->branches;
    uint64_t what = test_random_below(10);
    int rc = 0;

    sim_clock_advance_us(&story->clock, test_random_below(3000000));
    if (*next < branches->n && (story->kind != SNAPSHOT || what < 5))
        rc = submit(story, (*next)++);
    else
        rc = submit(story, (size_t)test_random_below(branches->n));
    if (rc == 0 && story->kind == REORG && what < 4)
        rc = mark(story);
    if (rc == 0 && story->kind == SNAPSHOT && what < 2)
        rc = load_snapshot(story);
    if (rc == 0 && (story->kind == FLUSH ? what < 8 : what == 9))
        rc = flush(story);
    if (rc == 0 && story->kind == PRUNE && what > 6 && what < 9) {
        struct node *node = chain_node(story->chain);
        int32_t height;

        rc = node->ops->prune(node, INT32_MAX, &height, NULL);
    }
    return rc == 0 ? chain_idle(story->chain, NULL) : rc;
}

/* Works until the power goes or there is nothing left to do. */
static void live(struct story *story)
{
    size_t trunk = story->branches->n - BRANCH_BLOCKS;
    size_t next = 0;
    int rc = 0;

    if (story->kind == IMPORT) {
        rc = flush(story);
    } else {
        while (rc == 0 && next < trunk)
            rc = submit(story, next++);
        if (rc == 0 && story->kind == SNAPSHOT && test_random_below(4) > 0)
            rc = load_snapshot(story);
        for (int i = 0; rc == 0 && i < BRANCH_BLOCKS + 20; i++)
            rc = step(story, &next);
    }
    holds(story, rc == 0 || story->may_fail || sim_disk_is_off(story->sim),
          "only power stops the work");
    end_life(story);
}

/* A call that fails, a disk that is full or cannot be written: the node ends with an
 * error. Then it is started again, on a machine that stayed up or did not. */
static void meet_fault(struct story *story)
{
    uint64_t what = test_random_below(5);
    uint64_t n = 1 + test_random_below(reach[FAULTS]);

    story->may_fail = true;
    if (what < SIM_CALL_COUNT)
        sim_disk_fail_call(story->sim, (enum sim_disk_call)what, n);
    else if (what == SIM_CALL_COUNT)
        sim_disk_set_space(story->sim, test_random_below(2U << 20));
    else
        sim_disk_set_read_only(story->sim, true);
    if (begin_life(story, false, true))
        live(story);
    for (int call = 0; call < SIM_CALL_COUNT; call++)
        sim_disk_fail_call(story->sim, (enum sim_disk_call)call, 0);
    sim_disk_set_space(story->sim, UINT64_MAX);
    sim_disk_set_read_only(story->sim, false);
    if (test_random_below(2) == 0)
        sim_disk_kill(story->sim);
    else
        sim_disk_power_on(story->sim);
    story->may_fail = false;
}

/* All the blocks again, no more losses: the best chain, now and after a restart. */
static void finish(struct story *story)
{
    const struct branches *branches = story->branches;
    struct node_status status;

    sim_disk_power_on(story->sim);
    sim_disk_crash_after(story->sim, NEVER);
    if (!begin_life(story, false, true))
        return;
    if (!stands_well(story)) {
        end_life(story);
        return;
    }
    for (size_t i = 0; i < branches->n; i++) {
        struct node *node = chain_node(story->chain);

        if (node->ops->reconsider_block(node, &branches->blocks[i].hash, NULL) < 0)
            continue; /* It does not know that one. */
    }
    for (size_t i = 0; i < branches->n; i++)
        holds(story, submit(story, i) == 0, "blocks are taken");
    for (int again = 0; again < 2 && story->is_good; again++) {
        chain_node(story->chain)->ops->status(chain_node(story->chain), &status);
        holds(story, status.tip.height == best_height(branches), "the best height");
        stands_well(story);
        if (story->kind == SNAPSHOT)
            look_at_snapshot(story, again == 1);
        end_life(story);
        if (again == 0 && !begin_life(story, false, false))
            return;
    }
    if (story->chain != NULL)
        end_life(story);
}

/* first_loss: the write of the first life in which power goes; 0: by the seed.
 * false: that write never came. */
static bool tell(enum kind kind, uint64_t seed, uint64_t first_loss)
{
    struct story story;
    int lives = 1 + (int)(seed % LIVES_MAX);
    bool lost = false;

    story_init(&story, kind, seed);
    if (kind == REINDEX && begin_life(&story, false, false))
        live(&story);
    if (kind == FAULTS)
        meet_fault(&story);
    for (int i = 0; i < lives && story.is_good; i++) {
        sim_disk_crash_after(
            story.sim, first_loss != 0 && i == 0 ? first_loss : 1 + test_random_below(reach[kind]));
        if (begin_life(&story, i == 0, i == 0 || test_random_below(2) == 0)) {
            if ((i > 0 || kind == FAULTS) && stands_well(&story))
                sim_disk_crash_after(story.sim, 1 + test_random_below(reach[kind]));
            live(&story);
        }
        lost = lost || sim_disk_is_off(story.sim);
        losses_total += sim_disk_is_off(story.sim);
        sim_disk_power_on(story.sim);
        /* What a reindex had not verified again may be below what there was. */
        if (kind == REINDEX && i == 0)
            story.committed_height = 0;
        if (first_loss != 0)
            break;
    }
    if (story.is_good)
        finish(&story);
    if (!story.is_good)
        printf("scenario %s, seed %" PRIu64 ", first loss %" PRIu64 "\n", kind_names[kind], seed,
               first_loss);
    sim_disk_free(story.sim);
    return lost;
}

static void tell_all(enum kind kind)
{
    uint64_t seeds = asked.seeds == 0 ? share[kind] : asked.seeds;

    log_set_sink(keep_log, NULL);
    losses_total = 0;
    if (asked.every > 0) {
        for (uint64_t n = 1; tell(kind, asked.seed, n); n += asked.every)
            ;
    } else {
        for (uint64_t i = 0; i < seeds; i++)
            tell(kind, asked.seed + i, 0);
    }
    printf("%s: %" PRIu64 " losses of power\n", kind_names[kind], losses_total);
    branches_clear(&worlds[kind]);
    worlds[kind].n = 0;
}

static void import(void)
{
    tell_all(IMPORT);
}

static void reorg(void)
{
    tell_all(REORG);
}

static void flushes(void)
{
    tell_all(FLUSH);
}

static void prune(void)
{
    tell_all(PRUNE);
}

static void reindex(void)
{
    tell_all(REINDEX);
}

static void faults(void)
{
    tell_all(FAULTS);
}

static void snapshot(void)
{
    tell_all(SNAPSHOT);
}

int main(int argc, char **argv)
{
    static const struct test tests[KINDS_N] = {
        [IMPORT] = {"import", import},      [REORG] = {"reorg", reorg},
        [FLUSH] = {"flush", flushes},       [PRUNE] = {"prune", prune},
        [REINDEX] = {"reindex", reindex},   [FAULTS] = {"faults", faults},
        [SNAPSHOT] = {"snapshot", snapshot}};
    static const struct option options[] = {{"scenario", required_argument, NULL, 'c'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"seeds", required_argument, NULL, 'n'},
                                            {"every", required_argument, NULL, 'e'},
                                            {0}};
    char *names[2] = {argv[0], NULL};
    int names_n = 1;
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'c') {
            names[1] = optarg;
            names_n = 2;
        } else if (c == 's') {
            asked.seed = strtoull(optarg, NULL, 0);
            asked.seeds = asked.seeds == 0 ? 1 : asked.seeds;
        } else if (c == 'n') {
            asked.seeds = strtoull(optarg, NULL, 0);
        } else if (c == 'e') {
            asked.every = strtoull(optarg, NULL, 0);
        } else {
            return 2;
        }
    }
    return test_main(tests, KINDS_N, names_n, names);
}
