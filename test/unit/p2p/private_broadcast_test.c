#include "p2p/private_broadcast.h"

#include "test.h"

#define MINUTE_MS (60 * 1000)

static const struct net_address place = {.net = NET_IPV4, .len = 4, .port = 1, .bytes = {1, 2, 3}};

static const struct tx_ref *make_tx(uint32_t number)
{
    struct tx_in in = {.prevout = {.txid = {{1}}, .vout = number}};
    struct tx_out out = {.value_sat = 1};
    struct tx tx = {.version = 2, .in = &in, .in_n = 1, .out = &out, .out_n = 1};
    struct tx_ref *ref = NULL;
    struct buf raw = {0};

    tx_write(&raw, &tx, false);
    CHECK(tx_ref_read(&ref, span_of_buf(&raw), NULL) == 0);
    buf_clear(&raw);
    return ref;
}

static void the_least_sent_goes_first(void)
{
    struct private_broadcast *privates = private_broadcast_new();
    const struct tx_ref *a = make_tx(1), *b = make_tx(2);
    size_t confirmed = 9;

    EXPECT_INT("first", private_broadcast_add(privates, a, 1000), PRIVATE_ADDED);
    EXPECT_INT("again", private_broadcast_add(privates, a, 1000), PRIVATE_KNOWN);
    EXPECT_INT("second", private_broadcast_add(privates, b, 2000), PRIVATE_ADDED);
    EXPECT_TRUE("of equals the older", private_broadcast_pick(privates, 1, &place, 3000) == a);
    EXPECT_TRUE("a peer gets one", private_broadcast_pick(privates, 1, &place, 3000) == NULL);
    EXPECT_TRUE("the other's turn", private_broadcast_pick(privates, 2, &place, 3001) == b);
    private_broadcast_confirmed(privates, 1, 4000);
    EXPECT_TRUE("confirmed", private_broadcast_is_confirmed(privates, 1));
    EXPECT_TRUE("not confirmed", !private_broadcast_is_confirmed(privates, 2));
    EXPECT_TRUE("less confirmed", private_broadcast_pick(privates, 3, &place, 5000) == b);
    EXPECT_TRUE("what it got", private_broadcast_of(privates, 1) == a);
    EXPECT_TRUE("there", private_broadcast_remove(privates, &confirmed, &a->tx.wtxid));
    EXPECT_U64("by one peer", confirmed, 1);
    EXPECT_TRUE("gone", !private_broadcast_remove(privates, &confirmed, &a->tx.wtxid));
    EXPECT_TRUE("and forgotten", private_broadcast_of(privates, 1) == NULL);
    EXPECT_TRUE("the last one", private_broadcast_remove(privates, &confirmed, &b->tx.wtxid));
    EXPECT_INT("room behind it", private_broadcast_add(privates, b, 1), PRIVATE_ADDED);
    EXPECT_U64("one", private_broadcast_count(privates), 1);
    private_broadcast_free(privates);
    EXPECT_U64("let go", a->holders, 1);
    tx_ref_drop(a);
    tx_ref_drop(b);
}

static size_t stale_at(const struct private_broadcast *privates, int64_t now_ms)
{
    const struct tx_ref **txs;
    struct arena arena;
    size_t n;

    arena_init(&arena);
    private_broadcast_stale(privates, &txs, &n, now_ms, &arena);
    for (size_t i = 0; i < n; i++)
        tx_ref_drop(txs[i]);
    arena_clear(&arena);
    return n;
}

static void what_does_not_come_back_is_stale(void)
{
    struct private_broadcast *privates = private_broadcast_new();
    const struct tx_ref *tx = make_tx(1);

    EXPECT_INT("added", private_broadcast_add(privates, tx, 0), PRIVATE_ADDED);
    EXPECT_U64("in time", stale_at(privates, 5 * MINUTE_MS), 0);
    EXPECT_U64("late", stale_at(privates, 5 * MINUTE_MS + 1), 1);
    (void)private_broadcast_pick(privates, 1, &place, 6 * MINUTE_MS);
    private_broadcast_confirmed(privates, 1, 7 * MINUTE_MS);
    EXPECT_U64("confirmed", stale_at(privates, 8 * MINUTE_MS), 0);
    EXPECT_U64("and late again", stale_at(privates, 8 * MINUTE_MS + 1), 1);
    private_broadcast_free(privates);
    tx_ref_drop(tx);
}

static void tries_are_bounded(void)
{
    struct private_broadcast *privates = private_broadcast_new();
    const struct tx_ref *tx = make_tx(1);

    EXPECT_INT("added", private_broadcast_add(privates, tx, 0), PRIVATE_ADDED);
    for (int64_t peer = 0; peer < PRIVATE_TRIES_MAX; peer++)
        EXPECT_TRUE("a try", private_broadcast_pick(privates, peer, &place, peer + 1) == tx);
    EXPECT_TRUE("no more", private_broadcast_pick(privates, -1, &place, 1) == NULL);
    EXPECT_TRUE("nothing pending", !private_broadcast_has_pending(privates));
    EXPECT_U64("nor stale", stale_at(privates, INT64_MAX), 0);
    EXPECT_INT("until asked for again", private_broadcast_add(privates, tx, 5), PRIVATE_ADDED);
    EXPECT_TRUE("pending", private_broadcast_has_pending(privates));
    EXPECT_TRUE("old tries are gone", private_broadcast_of(privates, 3) == NULL);
    private_broadcast_free(privates);
    tx_ref_drop(tx);
}

TEST_LIST(TEST(the_least_sent_goes_first), TEST(what_does_not_come_back_is_stale),
          TEST(tries_are_bounded))
