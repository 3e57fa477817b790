/* What the mempool gives for a block: the order, what stays out, and when nothing is
 * given at all. */
#include "mempool/mempool_priv.h"
#include "naive_ground.h"

#define TXS_MAX 64

struct scene {
    struct ground ground;
    struct mempool_options options;
    struct mempool *pool;
    struct mempool_view *view;
    const struct tx_ref *held[TXS_MAX];
    size_t held_n;
    struct arena arena;
    struct mempool_pick *picks;
    size_t picks_n;
    uint64_t changes;
    struct mempool_pick_options wanted;
};

static struct scene *scene_new(void)
{
    static struct scene scene;

    memset(&scene, 0, sizeof(scene));
    ground_init(&scene.ground, &scene.options);
    arena_init(&scene.arena);
    CHECK(mempool_new(&scene.pool, &scene.options, NULL) == 0);
    scene.ground.pool = scene.pool;
    scene.view = mempool_view(scene.pool);
    scene.wanted = (struct mempool_pick_options){.prev = scene.ground.tip->hash,
                                                 .weight_max = 3992000,
                                                 .sigop_cost_max = 79600,
                                                 .min_sat_kvb = 1,
                                                 .height = scene.ground.tip->height + 1,
                                                 .lock_time_cutoff_s = 1};
    return &scene;
}

static void drop_picks(struct scene *s)
{
    for (size_t i = 0; i < s->picks_n; i++)
        tx_ref_drop(s->picks[i].tx);
    s->picks_n = 0;
}

static void scene_end(struct scene *s)
{
    drop_picks(s);
    for (size_t i = 0; i < s->held_n; i++)
        tx_ref_drop(s->held[i]);
    mempool_free(s->pool);
    ground_clear(&s->ground);
    arena_clear(&s->arena);
}

static const struct tx_ref *enter(struct scene *s, const struct tx_ref *ref)
{
    struct tx_result result = {0};
    struct tx_submit_options options = {0};
    char reason[TX_PACKAGE_REASON_MAX];
    struct error err;

    CHECK(s->held_n < TXS_MAX);
    s->held[s->held_n++] = ref;
    CHECK(mempool_submit(s->pool, &result, reason, &ref, 1, &options, &err) == 0);
    EXPECT_STR("taken in", result.reason, "");
    tx_result_clear(&result);
    return ref;
}

static const struct tx_ref *pay(struct scene *s, int64_t fee_sat)
{
    struct outpoint coin = ground_coin(&s->ground, 1000000);

    return enter(s, spend_one(&coin, 1000000, 1, fee_sat));
}

static const struct tx_ref *pay_on(struct scene *s, const struct tx_ref *from, int64_t fee_sat)
{
    struct outpoint output = output_of(from, 0);

    return enter(s, spend_one(&output, from->tx.out[0].value_sat, 1, fee_sat));
}

static int pick(struct scene *s)
{
    drop_picks(s);
    return s->view->ops->pick(s->view, &s->picks, &s->picks_n, &s->changes, &s->wanted, &s->arena,
                              NULL);
}

static void expect_order(struct scene *s, const char *label, const struct tx_ref *const *want,
                         size_t want_n)
{
    EXPECT_INT(label, pick(s), 0);
    EXPECT_U64(label, s->picks_n, want_n);
    for (size_t i = 0; i < s->picks_n && i < want_n; i++)
        EXPECT_TRUE(label, s->picks[i].tx == want[i]);
}

static void best_chunks_come_first(void)
{
    struct scene *s = scene_new();
    const struct tx_ref *low = pay(s, 300);
    const struct tx_ref *high = pay(s, 5000);
    const struct tx_ref *helped = pay(s, 200);
    const struct tx_ref *helper = pay_on(s, helped, 4000);
    const struct tx_ref *want[] = {high, helped, helper, low};

    expect_order(s, "all", want, 4);
    EXPECT_INT("fee", s->picks[0].fee_sat, 5000);
    EXPECT_INT("weight", s->picks[0].weight, (int64_t)tx_weight(&high->tx));
    s->wanted.min_sat_kvb = 10000;
    expect_order(s, "only dear ones", want, 3);
    scene_end(s);
}

/* What does not fit is left out with what needs it; smaller ones behind it still come. */
static void limits_leave_chunks_out(void)
{
    struct scene *s = scene_new();
    struct outpoint coin = ground_coin(&s->ground, 1000000);
    int64_t value = 900000;
    struct plan plan = {
        .spends = &coin, .spends_n = 1, .values_sat = &value, .values_n = 1, .padding = 5000};
    const struct tx_ref *large = enter(s, plan_build(&plan));
    const struct tx_ref *child = pay_on(s, large, 1000);
    const struct tx_ref *small = pay(s, 150);
    const struct tx_ref *all[] = {large, child, small};
    const struct tx_ref *rest[] = {small};
    int64_t weight =
        (int64_t)(tx_weight(&large->tx) + tx_weight(&child->tx) + tx_weight(&small->tx));

    s->wanted.weight_max = weight + 1;
    expect_order(s, "all", all, 3);
    s->wanted.weight_max = weight;
    expect_order(s, "the last is too much", all, 2);
    s->wanted.weight_max = (int64_t)tx_weight(&large->tx);
    expect_order(s, "without the large one", rest, 1);
    s->wanted.sigop_cost_max = 0;
    expect_order(s, "no sigops", NULL, 0);
    scene_end(s);
}

static void unfinished_locks_wait(void)
{
    struct scene *s = scene_new();
    struct outpoint coin = ground_coin(&s->ground, 1000000);
    int64_t value = 900000;
    struct plan plan = {.spends = &coin,
                        .spends_n = 1,
                        .values_sat = &value,
                        .values_n = 1,
                        .sequence = SEQUENCE_FINAL - 1};
    const struct tx_ref *locked;

    plan.lock_time = (uint32_t)s->wanted.height - 1;
    locked = enter(s, plan_build(&plan));
    expect_order(s, "final here", &locked, 1);
    s->wanted.height--;
    expect_order(s, "not one earlier", NULL, 0);
    scene_end(s);
}

static void changes_are_told(void)
{
    struct scene *s = scene_new();
    struct tx_submit_options test = {.test_only = true};
    struct outpoint coin = ground_coin(&s->ground, 1000000);
    char reason[TX_PACKAGE_REASON_MAX];
    struct tx_result result = {0};
    const struct tx_ref *other = spend_one(&coin, 1000000, 1, 700);
    const struct tx_ref *tx = pay(s, 300);
    uint64_t before;
    struct error err;

    s->held[s->held_n++] = other;
    CHECK(pick(s) == 0);
    before = s->view->ops->changes(s->view);
    EXPECT_U64("as picked", s->changes, before);
    CHECK(mempool_submit(s->pool, &result, reason, &other, 1, &test, &err) == 0);
    tx_result_clear(&result);
    EXPECT_U64("a test is none", s->view->ops->changes(s->view), before);
    CHECK(s->view->ops->prioritise(s->view, &tx->tx.txid, 5, &err) == 0);
    EXPECT_TRUE("a priority is one", s->view->ops->changes(s->view) > before);
    before = s->view->ops->changes(s->view);
    ground_mine(&s->ground, &tx, 1);
    EXPECT_TRUE("a block is one", s->view->ops->changes(s->view) > before);
    scene_end(s);
}

static void another_tip_is_refused(void)
{
    struct scene *s = scene_new();
    const struct chain_events *events = mempool_events(s->pool);
    const struct block_info info = {.height = 7};
    const struct block block = {.tx_n = 0};

    CHECK(pick(s) == 0);
    ground_mine(&s->ground, NULL, 0);
    EXPECT_INT("the old tip", pick(s), E_STATE);
    s->wanted.prev = s->ground.tip->hash;
    EXPECT_INT("the new one", pick(s), 0);
    events->block_connected(events->context, &info, &block, NULL);
    EXPECT_INT("between blocks", pick(s), E_STATE);
    scene_end(s);
}

TEST_LIST(TEST(best_chunks_come_first), TEST(limits_leave_chunks_out), TEST(unfinished_locks_wait),
          TEST(changes_are_told), TEST(another_tip_is_refused))
