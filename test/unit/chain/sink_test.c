/* What peers send reaches the chain through the sink: in any order, with a chain thread
 * and without, and every offer is answered once. */
#include <stdlib.h>

#include "branches.h"
#include "codec/reader.h"
#include "os/thread.h"
#include "sim_clock.h"
#include "sim_disk.h"

struct bench {
    struct sim_disk *disk;
    struct sim_clock clock;
    struct branches branches;
    struct chain *chain;
    struct mutex mutex;
    struct cond answered;
    uint32_t asked;
    uint32_t answers;
    struct block_answer block; /* The last one. */
    struct headers_answer headers;
    uint32_t txs_n;
    uint32_t judged;
    uint32_t tested;
};

static int judge(void *context, struct tx_result *ret_results, char *ret_package_reason,
                 const struct tx_ref *const *txs, size_t txs_n, bool test_only, struct error *err)
{
    struct bench *bench = context;

    (void)err;
    (void)ret_package_reason;
    for (size_t i = 0; i < txs_n; i++) {
        EXPECT_TRUE("txid", txid_equal(&ret_results[i].txid, &txs[i]->tx.txid));
        ret_results[i].outcome = TX_ACCEPTED;
    }
    *(test_only ? &bench->tested : &bench->judged) += (uint32_t)txs_n;
    return 0;
}

static void set_up(struct bench *bench, struct chain_guests *guests, bool has_thread)
{
    struct chain_options options;

    *bench = (struct bench){.disk = sim_disk_new(1)};
    *guests = (struct chain_guests){.context = bench, .judge_txs = judge};
    mutex_init(&bench->mutex);
    cond_init(&bench->answered);
    branches_init(&bench->branches);
    sim_clock_init(&bench->clock, (INT64_C(1296688602) + 600 * 400) * 1000);
    chain_options_default(&options, bench->branches.params);
    options.disk = sim_disk_disk(bench->disk);
    options.clock = &bench->clock.clock;
    options.blocks_folder = "/node/blocks";
    options.chainstate_folder = "/node/chainstate";
    options.cache_bytes = 4U << 20;
    options.threads = 2;
    EXPECT_INT("open", chain_open(&bench->chain, &options, NULL), 0);
    chain_set_guests(bench->chain, guests);
    if (has_thread)
        chain_start(bench->chain);
    else
        EXPECT_INT("genesis", chain_import(bench->chain, NULL), 0);
}

static void tear_down(struct bench *bench)
{
    chain_stop(bench->chain);
    EXPECT_INT("close", chain_close(bench->chain, NULL), 0);
    EXPECT_U64("all answered once", bench->answers, bench->asked);
    branches_clear(&bench->branches);
    sim_disk_free(bench->disk);
    cond_clear(&bench->answered);
    mutex_clear(&bench->mutex);
}

static void count(struct bench *bench)
{
    mutex_lock(&bench->mutex);
    bench->answers++;
    cond_signal(&bench->answered);
    mutex_unlock(&bench->mutex);
}

static void wait_all(struct bench *bench)
{
    mutex_lock(&bench->mutex);
    while (bench->answers < bench->asked)
        cond_wait(&bench->answered, &bench->mutex);
    mutex_unlock(&bench->mutex);
}

static void block_done(void *context, const struct block_answer *answer)
{
    struct bench *bench = context;

    bench->block = *answer;
    count(bench);
}

static void headers_done(void *context, const struct headers_answer *answer)
{
    struct bench *bench = context;

    bench->headers = *answer;
    count(bench);
}

static void txs_done(void *context, const struct txs_answer *answer)
{
    struct bench *bench = context;

    bench->txs_n += (uint32_t)answer->txs_n;
    count(bench);
}

static void offer_bytes(struct bench *bench, struct span bytes, bool is_requested)
{
    struct sink *sink = chain_sink(bench->chain);
    struct buf copy = {0};

    buf_add(&copy, bytes.data, bytes.len);
    bench->asked++;
    sink->ops->offer_block(sink, &copy, is_requested, block_done, bench);
}

static void offer_block(struct bench *bench, int32_t block)
{
    offer_bytes(bench, span_of_buf(&bench->branches.blocks[block].bytes), true);
}

static void offer_headers(struct bench *bench, int32_t from, size_t n)
{
    struct sink *sink = chain_sink(bench->chain);
    struct header *headers = calloc(n, sizeof(*headers));

    for (size_t i = 0; i < n; i++) {
        struct span bytes = span_of_buf(&bench->branches.blocks[from + (int32_t)i].bytes);
        struct reader r;

        reader_init(&r, bytes.data, bytes.len);
        header_read(&headers[i], &r);
    }
    bench->asked++;
    sink->ops->offer_headers(sink, headers, n, headers_done, bench);
}

static int32_t tip_height(struct bench *bench)
{
    const struct header_node *tip = chain_tip(bench->chain);

    return tip == NULL ? -1 : tip->height;
}

/* While the chain is old the answer comes when a block is stored: the tip follows. */
static void wait_tip(struct bench *bench)
{
    for (int wait = 0; tip_height(bench) < BRANCHES_BASE && wait < 1000; wait++) {
        struct block_info info;
        struct node *node = chain_node(bench->chain);
        const struct header_node *tip = chain_tip(bench->chain);
        struct block_hash known = {{0}};

        if (tip != NULL) /* Before the first block there is none. */
            known = tip->hash;
        node->ops->wait_tip(node, &info, &known, 10);
    }
}

/* Headers first, then the bodies from the back to the front and in a random order. */
static void bodies_in_any_order(void)
{
    struct chain_guests guests;
    struct bench bench;

    for (int has_thread = 0; has_thread < 2; has_thread++) {
        int32_t order[BRANCHES_BASE];

        set_up(&bench, &guests, has_thread != 0);
        offer_headers(&bench, 0, bench.branches.n);
        wait_all(&bench);
        EXPECT_U64("headers", bench.headers.accepted_n, bench.branches.n);
        EXPECT_U64("new", bench.headers.new_n, bench.branches.n);
        EXPECT_INT("verdict", bench.headers.verdict, V_VALID);
        for (int32_t i = 0; i < BRANCHES_BASE; i++)
            order[i] = i;
        for (int32_t i = BRANCHES_BASE - 1; i > 0; i--) {
            int32_t j = (int32_t)test_random_below((uint64_t)i + 1);
            int32_t spare = order[i];

            order[i] = order[j];
            order[j] = spare;
        }
        for (int32_t i = 0; i < BRANCHES_BASE; i++)
            offer_block(&bench, order[i]);
        wait_all(&bench);
        wait_tip(&bench);
        EXPECT_INT("tip", tip_height(&bench), BRANCHES_BASE);
        tear_down(&bench);
    }
}

static void on_tip(void *context, const struct tip_event *event)
{
    int32_t *height = context;

    EXPECT_TRUE("near the tip", !event->initial_block_download);
    EXPECT_INT("one on", event->tip.height, *height + 1);
    EXPECT_INT("from the one before", event->fork.height, *height);
    *height = event->tip.height;
}

/* All become whole at once, with the first of them; still nobody misses one. */
static void each_block_near_the_tip_is_told(void)
{
    for (int round = 0; round < 8; round++) {
        int32_t told = 0;
        struct chain_events events = {.context = &told, .tip_changed = on_tip};
        struct chain_guests guests;
        struct bench bench;

        set_up(&bench, &guests, false);
        sim_clock_set_wall_ms(&bench.clock, (INT64_C(1296688602) + 600 * BRANCHES_BASE) * 1000);
        chain_add_events(bench.chain, &events);
        chain_start(bench.chain);
        offer_headers(&bench, 0, bench.branches.n);
        for (int32_t i = BRANCHES_BASE - 1; i >= 0; i--)
            offer_block(&bench, i);
        wait_all(&bench);
        wait_tip(&bench);
        EXPECT_INT("all", told, BRANCHES_BASE);
        EXPECT_INT("tip", tip_height(&bench), BRANCHES_BASE);
        tear_down(&bench);
    }
}

static void answers_say_what_is_wrong(void)
{
    struct chain_guests guests;
    struct bench bench;
    int32_t good;
    int32_t bad;
    int32_t broken;
    struct span bytes;

    set_up(&bench, &guests, false);
    for (int32_t i = 0; i < BRANCHES_BASE; i++)
        offer_block(&bench, i);
    EXPECT_INT("trunk", tip_height(&bench), BRANCHES_BASE);
    good = branches_grow(&bench.branches, BRANCHES_BASE - 1, 2, BRANCH_GOOD);
    bad = branches_grow(&bench.branches, good, 1, BRANCH_BAD_AMOUNT);
    broken = branches_grow(&bench.branches, good, 1, BRANCH_BAD_ROOT);
    offer_block(&bench, bad);
    EXPECT_STR("no parent", bench.block.result.reason, "prev-blk-not-found");
    EXPECT_TRUE("not condemned", !bench.block.is_header_bad);
    offer_block(&bench, good);
    EXPECT_INT("good", bench.block.result.verdict, V_VALID);
    EXPECT_TRUE("new", bench.block.result.is_new);
    offer_block(&bench, good);
    EXPECT_TRUE("known", !bench.block.result.is_new && bench.block.result.is_connected);
    offer_block(&bench, broken);
    EXPECT_STR("root", bench.block.result.reason, "bad-txnmrklroot");
    EXPECT_TRUE("mutated", bench.block.is_mutated && !bench.block.is_header_bad);
    offer_block(&bench, bad);
    EXPECT_INT("stays", tip_height(&bench), BRANCHES_BASE + 1);
    EXPECT_TRUE("unanswered reason or later event",
                bench.block.result.verdict == V_VALID ||
                    strcmp(bench.block.result.reason, "bad-cb-amount") == 0);
    offer_block(&bench, bad);
    EXPECT_STR("again", bench.block.result.reason, "duplicate-invalid");
    EXPECT_TRUE("header", bench.block.is_header_bad);
    bytes = span_of_buf(&bench.branches.blocks[good].bytes);
    bytes.len--;
    offer_bytes(&bench, bytes, true);
    EXPECT_TRUE("cut", bench.block.result.verdict != V_VALID && !bench.block.is_header_bad);
    tear_down(&bench);
}

static void strangers_blocks_must_be_worth_it(void)
{
    struct chain_guests guests;
    struct bench bench;
    int32_t side;

    set_up(&bench, &guests, false);
    for (int32_t i = 0; i < BRANCHES_BASE; i++)
        offer_block(&bench, i);
    side = branches_grow(&bench.branches, BRANCHES_BASE - 3, 1, BRANCH_GOOD);
    offer_bytes(&bench, span_of_buf(&bench.branches.blocks[side].bytes), false);
    EXPECT_TRUE("less work: not stored", !bench.block.result.is_new);
    offer_bytes(&bench, span_of_buf(&bench.branches.blocks[side].bytes), true);
    EXPECT_TRUE("asked for: stored", bench.block.result.is_new);
    tear_down(&bench);
}

static void transactions_go_to_the_guest(void)
{
    struct chain_guests guests;
    struct bench bench;
    struct sink *sink;
    struct arena arena = {0};
    struct block block;
    struct tx_ref *ref;

    for (int has_thread = 0; has_thread < 2; has_thread++) {
        set_up(&bench, &guests, has_thread != 0);
        sink = chain_sink(bench.chain);
        EXPECT_INT("block",
                   block_read(&block, bench.branches.blocks[0].bytes.data,
                              bench.branches.blocks[0].bytes.len, &arena),
                   0);
        EXPECT_INT("tx", tx_ref_read(&ref, block.tx[0].raw, NULL), 0);
        bench.asked++;
        sink->ops->offer_txs(sink, (const struct tx_ref *const[]){ref, ref}, 2, txs_done, &bench);
        wait_all(&bench);
        EXPECT_U64("judged", bench.judged, 2);
        EXPECT_U64("answered", bench.txs_n, 2);
        bench.asked++;
        sink->ops->test_tx(sink, ref, txs_done, &bench);
        wait_all(&bench);
        EXPECT_U64("tested", bench.tested, 1);
        EXPECT_U64("and not judged", bench.judged, 2);
        EXPECT_U64("nobody else holds it", ref->holders >= 1, 1);
        tx_ref_drop(ref);
        EXPECT_TRUE("room", sink->ops->has_room(sink));
        tear_down(&bench);
    }
    arena_clear(&arena);
}

struct gate {
    struct bench *bench;
    bool is_held;
    bool is_open;
};

static int wait_at_gate(void *argument, struct error *err)
{
    struct gate *gate = argument;

    (void)err;
    mutex_lock(&gate->bench->mutex);
    gate->is_held = true;
    cond_broadcast(&gate->bench->answered);
    while (!gate->is_open)
        cond_wait(&gate->bench->answered, &gate->bench->mutex);
    mutex_unlock(&gate->bench->mutex);
    return 0;
}

static void hold_chain(void *context)
{
    struct gate *gate = context;

    EXPECT_INT("held", chain_run(gate->bench->chain, wait_at_gate, gate, NULL), 0);
}

/* While the chain is busy only blocks that it has to judge take room. */
static void bad_blocks_take_no_room(void)
{
    struct chain_guests guests;
    struct thread thread = {0};
    struct buf much = {0};
    struct bench bench;
    struct gate gate = {.bench = &bench};
    struct sink *sink;

    set_up(&bench, &guests, true);
    sink = chain_sink(bench.chain);
    memset(buf_extend(&much, 4U << 20), 0, 4U << 20);
    CHECK(thread_start(&thread, "holder", hold_chain, &gate, NULL) == 0);
    mutex_lock(&bench.mutex);
    while (!gate.is_held)
        cond_wait(&bench.answered, &bench.mutex);
    mutex_unlock(&bench.mutex);
    for (int i = 0; i < 6; i++)
        offer_bytes(&bench, span_of_buf(&much), true);
    EXPECT_TRUE("room", sink->ops->has_room(sink));
    mutex_lock(&bench.mutex);
    EXPECT_U64("the chain is held", bench.answers, 0);
    gate.is_open = true;
    cond_broadcast(&bench.answered);
    mutex_unlock(&bench.mutex);
    thread_join(&thread);
    wait_all(&bench);
    EXPECT_INT("not read", bench.block.result.verdict, V_BAD_MERKLE_ROOT);
    buf_clear(&much);
    tear_down(&bench);
}

struct seen {
    struct chain *chain;
    uint32_t changed_n;
    uint32_t published_n;
};

static void see_changed(void *context, const struct tip_event *event)
{
    struct seen *seen = context;
    const struct header_node *tip = chain_tip(seen->chain);

    seen->changed_n++;
    EXPECT_TRUE("nobody sees it yet",
                tip == NULL || !block_hash_equal(&tip->hash, &event->tip.hash));
}

static void see_published(void *context, const struct tip_event *event)
{
    struct seen *seen = context;

    seen->published_n++;
    EXPECT_TRUE("everybody sees it",
                block_hash_equal(&chain_tip(seen->chain)->hash, &event->tip.hash));
}

static void tips_are_told_before_and_after(void)
{
    struct seen seen = {0};
    struct chain_events events = {
        .context = &seen, .tip_changed = see_changed, .tip_published = see_published};
    struct chain_guests guests;
    struct bench bench;

    set_up(&bench, &guests, false);
    seen.chain = bench.chain;
    chain_add_events(bench.chain, &events);
    for (int32_t i = 0; i < BRANCHES_BASE; i++)
        offer_block(&bench, i);
    EXPECT_TRUE("told", seen.changed_n > 0);
    EXPECT_U64("as often", seen.published_n, seen.changed_n);
    tear_down(&bench);
}

TEST_LIST(TEST(tips_are_told_before_and_after), TEST(bad_blocks_take_no_room),
          TEST(bodies_in_any_order), TEST(each_block_near_the_tip_is_told),
          TEST(answers_say_what_is_wrong), TEST(strangers_blocks_must_be_worth_it),
          TEST(transactions_go_to_the_guest))
