/* The mempool by small scenes: what is refused and with which words, what replaces what,
 * what blocks and reorganizations do. Every change is checked whole (check_ratio 1). */
#include "mempool/mempool.h"

#include "mempool/mempool_priv.h"
#include "naive_ground.h"

struct scene {
    struct ground ground;
    struct mempool_options options;
    struct mempool *pool;
    struct tx_result result; /* Of the last submission. */
    const struct tx_ref *held[256];
    size_t held_n;
};

static void begin_with(struct scene *s)
{
    CHECK(mempool_new(&s->pool, &s->options, NULL) == 0);
    s->ground.pool = s->pool;
}

static struct scene *scene_new(void)
{
    static struct scene scene;

    memset(&scene, 0, sizeof(scene));
    ground_init(&scene.ground, &scene.options);
    return &scene;
}

static void scene_end(struct scene *s)
{
    tx_result_clear(&s->result);
    for (size_t i = 0; i < s->held_n; i++)
        tx_ref_drop(s->held[i]);
    mempool_free(s->pool);
    ground_clear(&s->ground);
}

static const struct tx_ref *keep(struct scene *s, const struct tx_ref *ref)
{
    CHECK(s->held_n < ARRAY_LEN(s->held));
    s->held[s->held_n++] = ref;
    return ref;
}

/* The reject reason; "" when it was taken in. */
static const char *offer_with(struct scene *s, const struct tx_ref *ref,
                              const struct tx_submit_options *options)
{
    char reason[TX_PACKAGE_REASON_MAX];
    struct error err;

    tx_result_clear(&s->result);
    CHECK(mempool_submit(s->pool, &s->result, reason, &ref, 1, options, &err) == 0);
    CHECK((s->result.outcome == TX_ACCEPTED) == (s->result.reason[0] == 0));
    return s->result.reason;
}

static const char *offer(struct scene *s, const struct tx_ref *ref)
{
    struct tx_submit_options options = {0};

    return offer_with(s, ref, &options);
}

static bool holds(struct scene *s, const struct tx_ref *ref)
{
    return pool_find_txid(s->pool, &ref->tx.txid) != NULL;
}

static const struct tx_ref *spend(struct scene *s, const struct tx_ref *from, uint32_t vout,
                                  uint32_t outputs_n, int64_t fee_sat)
{
    struct outpoint outpoint = output_of(from, vout);

    return keep(s, spend_one(&outpoint, from->tx.out[vout].value_sat, outputs_n, fee_sat));
}

static const struct tx_ref *spend_coin(struct scene *s, const struct outpoint *coin,
                                       int64_t value_sat, uint32_t outputs_n, int64_t fee_sat)
{
    return keep(s, spend_one(coin, value_sat, outputs_n, fee_sat));
}

static void takes_in_and_knows(void)
{
    struct scene *s = scene_new();
    struct outpoint coin = ground_coin(&s->ground, 100000);
    struct outpoint nothing = {.txid = {{1}}, .vout = 0};
    struct tx_submit_options test = {.test_only = true};
    const struct tx_ref *a;
    const struct tx_ref *b;
    const struct tx_ref *orphan;

    begin_with(s);
    a = spend_coin(s, &coin, 100000, 2, 1000);
    b = spend(s, a, 0, 1, 500);
    orphan = spend_coin(s, &nothing, 5000, 1, 500);
    EXPECT_STR("test", offer_with(s, a, &test), "");
    EXPECT_TRUE("test", !holds(s, a));
    EXPECT_STR("child first", offer(s, b), "bad-txns-inputs-missingorspent");
    EXPECT_INT("child first", s->result.cause, TX_CAUSE_MISSING_INPUTS);
    EXPECT_STR("parent", offer(s, a), "");
    EXPECT_INT("fee", s->result.fee_sat, 1000);
    EXPECT_INT("vsize", s->result.vsize, policy_vsize((int64_t)tx_weight(&a->tx)));
    EXPECT_STR("again", offer(s, a), "txn-already-in-mempool");
    EXPECT_INT("again", s->result.outcome, TX_KNOWN);
    EXPECT_STR("child", offer(s, b), "");
    EXPECT_STR("orphan", offer(s, orphan), "bad-txns-inputs-missingorspent");
    EXPECT_INT("two", s->pool->txs_n, 2);
    ground_mine(&s->ground, &a, 1);
    EXPECT_TRUE("mined", !holds(s, a) && holds(s, b));
    EXPECT_STR("mined", offer(s, a), "txn-already-known");
    ground_mine(&s->ground, &b, 1);
    EXPECT_INT("none", s->pool->txs_n, 0);
    scene_end(s);
}

static void fees_have_a_floor(void)
{
    struct scene *s = scene_new();
    struct outpoint coin = ground_coin(&s->ground, 100000);
    const struct tx_ref *low;
    const struct tx_ref *enough;
    int64_t least;
    char want[64];

    begin_with(s);
    low = spend_coin(s, &coin, 100000, 1, 0);
    least = (policy_vsize((int64_t)tx_weight(&low->tx)) * 100 + 999) / 1000;
    EXPECT_STR("none", offer(s, low), "min relay fee not met");
    EXPECT_INT("none", s->result.cause, TX_CAUSE_FEE);
    (void)snprintf(want, sizeof(want), "0 < %" PRId64, least);
    EXPECT_STR("none", s->result.detail, want);
    low = spend_coin(s, &coin, 100000, 1, least - 1);
    EXPECT_STR("less", offer(s, low), "min relay fee not met");
    enough = spend_coin(s, &coin, 100000, 1, least);
    EXPECT_STR("enough", offer(s, enough), "");
    scene_end(s);
}

static void replacing_costs(void)
{
    struct scene *s = scene_new();
    struct outpoint coin = ground_coin(&s->ground, 1000000);
    const struct tx_ref *a;
    const struct tx_ref *child;
    const struct tx_ref *b;

    begin_with(s);
    a = spend_coin(s, &coin, 1000000, 2, 1000);
    child = spend(s, a, 0, 1, 2000);
    EXPECT_STR("a", offer(s, a), "");
    EXPECT_STR("child", offer(s, child), "");
    b = spend_coin(s, &coin, 1000000, 1, 2999);
    EXPECT_STR("less than both", offer(s, b), "insufficient fee");
    EXPECT_TRUE("less than both",
                strstr(s->result.detail, "less fees than conflicting txs; 0.00002999 < 0.00003") !=
                    NULL);
    b = spend_coin(s, &coin, 1000000, 1, 3001);
    EXPECT_STR("its own way", offer(s, b), "insufficient fee");
    EXPECT_TRUE("its own way",
                strstr(s->result.detail, "not enough additional fees to relay") != NULL);
    EXPECT_TRUE("both stay", holds(s, a) && holds(s, child));
    b = spend_coin(s, &coin, 1000000, 1, 3100);
    EXPECT_STR("enough", offer(s, b), "");
    EXPECT_U64("replaced", s->result.replaced_n, 2);
    EXPECT_TRUE("gone", !holds(s, a) && !holds(s, child) && holds(s, b));
    scene_end(s);
}

static void diagrams_must_rise(void)
{
    struct scene *s = scene_new();
    struct outpoint coin = ground_coin(&s->ground, 1000000);
    int64_t value = 990000;
    struct plan plan = {.spends = &coin, .spends_n = 1, .values_sat = &value, .values_n = 1};
    const struct tx_ref *small;
    const struct tx_ref *large;

    begin_with(s);
    small = spend_coin(s, &coin, 1000000, 1, 9000);
    EXPECT_STR("small", offer(s, small), "");
    /* More in all, far less for each byte. */
    plan.padding = 5000;
    large = keep(s, plan_build(&plan));
    EXPECT_STR("large", offer(s, large), "replacement-failed");
    EXPECT_STR("large", s->result.detail, "insufficient feerate: does not improve feerate diagram");
    scene_end(s);
}

static void spending_what_one_replaces(void)
{
    struct scene *s = scene_new();
    struct outpoint coin = ground_coin(&s->ground, 1000000);
    struct outpoint both[2];
    int64_t value = 900000;
    struct plan plan = {.spends = both, .spends_n = 2, .values_sat = &value, .values_n = 1};
    const struct tx_ref *a;
    const struct tx_ref *bad;

    begin_with(s);
    a = spend_coin(s, &coin, 1000000, 1, 1000);
    EXPECT_STR("a", offer(s, a), "");
    both[0] = coin;
    both[1] = output_of(a, 0);
    bad = keep(s, plan_build(&plan));
    EXPECT_STR("bad", offer(s, bad), "bad-txns-spends-conflicting-tx");
    EXPECT_INT("bad", s->result.cause, TX_CAUSE_CONSENSUS);
    EXPECT_TRUE("a stays", holds(s, a));
    scene_end(s);
}

static void clusters_have_a_bound(void)
{
    struct scene *s = scene_new();
    struct outpoint coin = ground_coin(&s->ground, 10000000);
    const struct tx_ref *ref;

    s->options.cluster_count_max = 5;
    begin_with(s);
    ref = spend_coin(s, &coin, 10000000, 1, 1000);
    for (int i = 0; i < 5; i++) {
        EXPECT_STR("fits", offer(s, ref), "");
        ref = spend(s, ref, 0, 1, 1000);
    }
    EXPECT_STR("one too many", offer(s, ref), "too-large-cluster");
    EXPECT_INT("one too many", s->result.cause, TX_CAUSE_POLICY);
    scene_end(s);
}

static void locks_are_kept(void)
{
    struct scene *s = scene_new();
    struct coin young = {.value_sat = 50000, .height = GROUND_HEIGHT - 98, .is_coinbase = true};
    struct outpoint coin = ground_coin(&s->ground, 100000);
    int64_t value = 90000;
    struct plan plan = {.spends = &coin,
                        .spends_n = 1,
                        .values_sat = &value,
                        .values_n = 1,
                        .lock_time = GROUND_HEIGHT + 1,
                        .sequence = SEQUENCE_FINAL - 1};
    const struct tx_ref *locked;
    const struct tx_ref *early;
    const struct tx_ref *relative;
    struct outpoint parent;

    young.script_pubkey = span_of("\x51\x02\x4e\x73", 4);
    begin_with(s);
    locked = keep(s, plan_build(&plan));
    EXPECT_STR("locked", offer(s, locked), "non-final");
    ground_mine(&s->ground, NULL, 0);
    EXPECT_STR("one block later", offer(s, locked), "");
    coin = ground_coin_of(&s->ground, &young);
    early = spend_coin(s, &coin, 50000, 1, 1000);
    EXPECT_STR("one block later it is mature", offer(s, early), "");
    young.height++;
    coin = ground_coin_of(&s->ground, &young);
    early = spend_coin(s, &coin, 50000, 1, 1000);
    EXPECT_STR("immature", offer(s, early), "bad-txns-premature-spend-of-coinbase");
    EXPECT_INT("immature", s->result.cause, TX_CAUSE_PREMATURE);
    parent = output_of(locked, 0);
    plan = (struct plan){.spends = &parent,
                         .spends_n = 1,
                         .values_sat = &(int64_t){80000},
                         .values_n = 1,
                         .sequence = 1};
    relative = keep(s, plan_build(&plan));
    EXPECT_STR("parent not mined", offer(s, relative), "non-BIP68-final");
    ground_mine(&s->ground, &locked, 1);
    EXPECT_STR("parent mined", offer(s, relative), "");
    /* The parent comes back, and with it the lock. */
    ground_reorganize(&s->ground, 1);
    EXPECT_TRUE("parent is back", holds(s, locked));
    EXPECT_TRUE("the child is not", !holds(s, relative));
    scene_end(s);
}

static void reorganizations_bring_back(void)
{
    struct scene *s = scene_new();
    struct outpoint coin = ground_coin(&s->ground, 1000000);
    struct outpoint other = ground_coin(&s->ground, 1000000);
    const struct tx_ref *chain[4];
    const struct tx_ref *gone;

    begin_with(s);
    chain[0] = spend_coin(s, &coin, 1000000, 2, 1000);
    chain[1] = spend(s, chain[0], 0, 2, 1000);
    chain[2] = spend(s, chain[1], 0, 2, 1000);
    chain[3] = spend(s, chain[2], 0, 2, 1000);
    /* Two are mined without ever having been here, and their children come after. */
    ground_mine(&s->ground, chain, 2);
    EXPECT_STR("2", offer(s, chain[2]), "");
    EXPECT_STR("3", offer(s, chain[3]), "");
    gone = spend_coin(s, &other, 1000000, 1, 0);
    ground_mine(&s->ground, &gone, 1);
    ground_reorganize(&s->ground, 2);
    for (size_t i = 0; i < 4; i++)
        EXPECT_TRUE("all four", holds(s, chain[i]));
    EXPECT_TRUE("without a fee too", holds(s, gone));
    EXPECT_U64("one cluster",
               graph_ancestors_sum(s->pool->graph, GRAPH_MAIN,
                                   pool_find_txid(s->pool, &chain[3]->tx.txid)->node)
                   .nodes_n,
               4);
    scene_end(s);
}

static void conflicts_leave_with_blocks(void)
{
    struct scene *s = scene_new();
    struct outpoint coin = ground_coin(&s->ground, 1000000);
    const struct tx_ref *a;
    const struct tx_ref *child;
    const struct tx_ref *b;

    begin_with(s);
    a = spend_coin(s, &coin, 1000000, 2, 1000);
    child = spend(s, a, 0, 1, 1000);
    b = spend_coin(s, &coin, 1000000, 1, 500);
    EXPECT_STR("a", offer(s, a), "");
    EXPECT_STR("child", offer(s, child), "");
    ground_mine(&s->ground, &b, 1);
    EXPECT_INT("none", s->pool->txs_n, 0);
    scene_end(s);
}

static void full_pools_evict(void)
{
    struct scene *s = scene_new();
    const struct tx_ref *refs[80];
    int64_t value = 0;
    struct plan plan = {.spends_n = 1, .values_sat = &value, .values_n = 1, .padding = 90000};
    struct mempool_status status;
    size_t held = 0;

    s->options.limit_bytes = 5000000;
    begin_with(s);
    for (size_t i = 0; i < 80; i++) {
        struct outpoint coin = ground_coin(&s->ground, 10000000);

        plan.spends = &coin;
        value = 10000000 - 20000 - (int64_t)i * 10000;
        refs[i] = keep(s, plan_build(&plan));
        (void)offer(s, refs[i]);
        CHECK(pool_usage(s->pool) <= s->options.limit_bytes);
    }
    EXPECT_TRUE("the first has gone", !holds(s, refs[0]));
    EXPECT_TRUE("the last is here", holds(s, refs[79]));
    for (size_t i = 1; i < 80; i++) {
        EXPECT_TRUE("the better stay", !holds(s, refs[i - 1]) || holds(s, refs[i]));
        held += holds(s, refs[i]);
    }
    EXPECT_TRUE("many", held > 40);
    s->pool->view.ops->status(&s->pool->view, &status);
    EXPECT_TRUE("dearer", status.min_fee_sat_kvb > 300);
    EXPECT_STR("no way back", offer(s, refs[0]), "mempool min fee not met");
    /* With time and blocks the floor sinks. */
    ground_mine(&s->ground, NULL, 0);
    mock_clock_set(&s->ground.clock, s->ground.tip->time + 10 * 24 * 60 * 60);
    s->pool->view.ops->status(&s->pool->view, &status);
    EXPECT_INT("as before", status.min_fee_sat_kvb, POLICY_MIN_RELAY_SAT_KVB);
    scene_end(s);
}

static void the_old_expire(void)
{
    struct scene *s = scene_new();
    struct outpoint coin = ground_coin(&s->ground, 1000000);
    const struct tx_ref *a;
    const struct tx_ref *child;
    int64_t now_s = s->ground.tip->time;

    begin_with(s);
    a = spend_coin(s, &coin, 1000000, 1, 1000);
    EXPECT_STR("a", offer(s, a), "");
    mock_clock_set(&s->ground.clock, now_s + s->options.expiry_s);
    child = spend(s, a, 0, 1, 1000);
    EXPECT_STR("child", offer(s, child), "");
    mempool_idle(s->pool);
    EXPECT_INT("both", s->pool->txs_n, 2);
    mock_clock_set(&s->ground.clock, now_s + s->options.expiry_s + 1);
    mempool_idle(s->pool);
    EXPECT_INT("none", s->pool->txs_n, 0);
    scene_end(s);
}

static void a_broken_disk_is_no_verdict(void)
{
    struct scene *s = scene_new();
    struct outpoint coin = ground_coin(&s->ground, 1000000);
    struct tx_submit_options options = {0};
    char reason[TX_PACKAGE_REASON_MAX];
    const struct tx_ref *a;
    struct error err;

    begin_with(s);
    a = spend_coin(s, &coin, 1000000, 1, 1000);
    s->ground.fails = true;
    EXPECT_INT("error", mempool_submit(s->pool, &s->result, reason, &a, 1, &options, &err), E_IO);
    s->ground.fails = false;
    EXPECT_STR("later", offer(s, a), "");
    scene_end(s);
}

static const char *offer_package(struct scene *s, struct tx_result *results,
                                 const struct tx_ref *const *refs, size_t n)
{
    static char reason[TX_PACKAGE_REASON_MAX];
    struct tx_submit_options options = {.is_package = true};

    CHECK(mempool_submit(s->pool, results, reason, refs, n, &options, NULL) == 0);
    return reason;
}

static void children_pay_for_parents(void)
{
    struct scene *s = scene_new();
    struct outpoint coin = ground_coin(&s->ground, 1000000);
    struct tx_result results[2];
    const struct tx_ref *pair[2];

    begin_with(s);
    pair[0] = spend_coin(s, &coin, 1000000, 2, 0);
    pair[1] = spend(s, pair[0], 0, 1, 10);
    EXPECT_STR("too little", offer_package(s, results, pair, 2), "transaction failed");
    EXPECT_STR("too little", results[1].reason, "min relay fee not met");
    for (size_t i = 0; i < 2; i++)
        tx_result_clear(&results[i]);
    pair[1] = spend(s, pair[0], 0, 1, 1000);
    EXPECT_STR("enough", offer_package(s, results, pair, 2), "");
    EXPECT_INT("parent", results[0].outcome, TX_ACCEPTED);
    EXPECT_U64("together", results[0].effective_with_n, 2);
    EXPECT_TRUE("both", holds(s, pair[0]) && holds(s, pair[1]));
    for (size_t i = 0; i < 2; i++)
        tx_result_clear(&results[i]);
    EXPECT_STR("again", offer_package(s, results, pair, 2), "");
    EXPECT_INT("again", results[0].outcome, TX_KNOWN);
    for (size_t i = 0; i < 2; i++)
        tx_result_clear(&results[i]);
    scene_end(s);
}

static void packages_replace(void)
{
    struct scene *s = scene_new();
    struct outpoint coin = ground_coin(&s->ground, 1000000);
    struct tx_result results[2];
    const struct tx_ref *pair[2];
    const struct tx_ref *old;

    begin_with(s);
    old = spend_coin(s, &coin, 1000000, 1, 1000);
    EXPECT_STR("old", offer(s, old), "");
    pair[0] = spend_coin(s, &coin, 1000000, 2, 0);
    pair[1] = spend(s, pair[0], 0, 1, 1001);
    EXPECT_TRUE("too little",
                strstr(offer_package(s, results, pair, 2),
                       "package RBF failed: insufficient anti-DoS fees, rejecting replacement") !=
                    NULL);
    for (size_t i = 0; i < 2; i++)
        tx_result_clear(&results[i]);
    pair[1] = spend(s, pair[0], 0, 1, 5000);
    EXPECT_STR("enough", offer_package(s, results, pair, 2), "");
    EXPECT_TRUE("replaced", !holds(s, old) && holds(s, pair[0]) && holds(s, pair[1]));
    for (size_t i = 0; i < 2; i++)
        tx_result_clear(&results[i]);
    scene_end(s);
}

static const struct tx_ref *truc(struct scene *s, const struct outpoint *from, int64_t value_sat,
                                 size_t outputs_n, int64_t fee_sat)
{
    int64_t values[2] = {(value_sat - fee_sat) / 2, (value_sat - fee_sat) / 2};
    struct plan plan = {
        .spends = from, .spends_n = 1, .values_sat = values, .values_n = outputs_n, .version = 3};

    if (outputs_n == 1)
        values[0] = value_sat - fee_sat;
    return keep(s, plan_build(&plan));
}

static void truc_children_make_room(void)
{
    struct scene *s = scene_new();
    struct outpoint coin = ground_coin(&s->ground, 1000000);
    struct outpoint first;
    struct outpoint second;
    const struct tx_ref *parent;
    const struct tx_ref *child;
    const struct tx_ref *sibling;
    const struct tx_ref *grandchild;
    const struct tx_ref *plain;

    begin_with(s);
    parent = truc(s, &coin, 1000000, 2, 1000);
    EXPECT_STR("parent", offer(s, parent), "");
    first = output_of(parent, 0);
    second = output_of(parent, 1);
    plain = spend(s, parent, 0, 1, 1000);
    EXPECT_STR("plain", offer(s, plain), "TRUC-violation");
    child = truc(s, &first, parent->tx.out[0].value_sat, 1, 1000);
    EXPECT_STR("child", offer(s, child), "");
    sibling = truc(s, &second, parent->tx.out[1].value_sat, 1, 1000);
    EXPECT_STR("same fee", offer(s, sibling), "insufficient fee (including sibling eviction)");
    sibling = truc(s, &second, parent->tx.out[1].value_sat, 1, 3000);
    EXPECT_STR("more", offer(s, sibling), "");
    EXPECT_TRUE("made room", !holds(s, child) && holds(s, sibling));
    first = output_of(sibling, 0);
    grandchild = truc(s, &first, sibling->tx.out[0].value_sat, 1, 3000);
    EXPECT_STR("grandchild", offer(s, grandchild), "TRUC-violation");
    scene_end(s);
}

static void dust_must_be_swept(void)
{
    struct scene *s = scene_new();
    struct outpoint coin = ground_coin(&s->ground, 1000000);
    int64_t values[2] = {1000000, 0};
    struct plan plan = {.spends = &coin, .spends_n = 1, .values_sat = values, .values_n = 2};
    struct outpoint both[2];
    int64_t value = 990000;
    struct plan sweep = {.spends = both, .spends_n = 2, .values_sat = &value, .values_n = 1};
    struct tx_result results[2];
    const struct tx_ref *pair[2];

    begin_with(s);
    pair[0] = keep(s, plan_build(&plan));
    EXPECT_STR("alone", offer(s, pair[0]), "min relay fee not met");
    pair[1] = spend(s, pair[0], 0, 1, 10000);
    EXPECT_STR("left", offer_package(s, results, pair, 2), "unspent-dust");
    EXPECT_STR("left", results[1].reason, "missing-ephemeral-spends");
    for (size_t i = 0; i < 2; i++)
        tx_result_clear(&results[i]);
    both[0] = output_of(pair[0], 0);
    both[1] = output_of(pair[0], 1);
    pair[1] = keep(s, plan_build(&sweep));
    EXPECT_STR("swept", offer_package(s, results, pair, 2), "");
    EXPECT_TRUE("swept", holds(s, pair[0]) && holds(s, pair[1]));
    for (size_t i = 0; i < 2; i++)
        tx_result_clear(&results[i]);
    values[0] = 999000;
    coin = ground_coin(&s->ground, 1000000);
    pair[0] = keep(s, plan_build(&plan));
    EXPECT_STR("with a fee", offer(s, pair[0]), "dust");
    EXPECT_STR("with a fee", s->result.detail, "tx with dust output must be 0-fee");
    scene_end(s);
}

static void priorities_count(void)
{
    struct scene *s = scene_new();
    struct outpoint coin = ground_coin(&s->ground, 1000000);
    struct mempool_view *view;
    const struct tx_ref *a;
    struct mempool_entry entry;
    struct arena arena;

    arena_init(&arena);
    begin_with(s);
    view = mempool_view(s->pool);
    a = spend_coin(s, &coin, 1000000, 1, 0);
    EXPECT_STR("without", offer(s, a), "min relay fee not met");
    CHECK(view->ops->prioritise(view, &a->tx.txid, 5000, NULL) == 0);
    EXPECT_STR("with", offer(s, a), "");
    CHECK(view->ops->entry(view, &entry, &a->tx.txid, &arena) == 0);
    EXPECT_INT("base", entry.fee_sat, 0);
    EXPECT_INT("modified", entry.modified_fee_sat, 5000);
    CHECK(view->ops->prioritise(view, &a->tx.txid, -5000, NULL) == 0);
    EXPECT_INT("forgotten", s->pool->deltas_n, 0);
    CHECK(view->ops->entry(view, &entry, &a->tx.txid, &arena) == 0);
    EXPECT_INT("modified", entry.modified_fee_sat, 0);
    CHECK(view->ops->prioritise(view, &a->tx.txid, 7, NULL) == 0);
    ground_mine(&s->ground, &a, 1);
    EXPECT_INT("mined", s->pool->deltas_n, 0);
    arena_clear(&arena);
    scene_end(s);
}

TEST_LIST(TEST(takes_in_and_knows), TEST(fees_have_a_floor), TEST(replacing_costs),
          TEST(diagrams_must_rise), TEST(spending_what_one_replaces), TEST(clusters_have_a_bound),
          TEST(locks_are_kept), TEST(reorganizations_bring_back), TEST(conflicts_leave_with_blocks),
          TEST(full_pools_evict), TEST(the_old_expire), TEST(a_broken_disk_is_no_verdict),
          TEST(children_pay_for_parents), TEST(packages_replace), TEST(truc_children_make_room),
          TEST(dust_must_be_swept), TEST(priorities_count))
