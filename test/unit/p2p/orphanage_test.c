#include "p2p/orphanage.h"

#include "naive_orphanage.h"
#include "test.h"

static const struct siphash_key key = {.k0 = 1, .k1 = 2};

/* One input of a parent that nobody has; number makes it another one. */
static const struct tx_ref *make_tx(uint32_t number, size_t script_bytes)
{
    static const uint8_t script[200000];
    struct tx_in in = {.prevout = {.txid = {{1}}, .vout = number}};
    struct tx_out out = {.script_pubkey = span_of(script, script_bytes)};
    struct tx tx = {.version = 2, .in = &in, .in_n = 1, .out = &out, .out_n = 1};
    struct tx_ref *ref = NULL;
    struct buf raw = {0};

    tx_write(&raw, &tx, false);
    CHECK(tx_ref_read(&ref, span_of_buf(&raw), NULL) == 0);
    buf_clear(&raw);
    return ref;
}

static void a_flood_does_not_touch_others(void)
{
    struct orphanage *orphanage = orphanage_new(&key, ORPHANAGE_SCORE_MAX, ORPHANAGE_PEER_WEIGHT);
    const struct tx_ref *honest[20];

    for (uint32_t i = 0; i < ARRAY_LEN(honest); i++) {
        honest[i] = make_tx(i, 1);
        EXPECT_TRUE("kept", orphanage_add(orphanage, honest[i], 1));
    }
    for (uint32_t i = 0; i < 5000; i++) {
        const struct tx_ref *tx = make_tx(1000 + i, 1);

        (void)orphanage_add(orphanage, tx, 2 + i % 3);
        tx_ref_drop(tx);
    }
    for (uint32_t i = 0; i < ARRAY_LEN(honest); i++) {
        EXPECT_TRUE("still there", orphanage_has_from(orphanage, &honest[i]->tx.wtxid, 1));
        tx_ref_drop(honest[i]);
    }
    EXPECT_U64("full", orphanage_usage(orphanage).score, ORPHANAGE_SCORE_MAX);
    orphanage_free(orphanage);
}

static void weight_is_bounded_by_peers(void)
{
    struct orphanage *orphanage = orphanage_new(&key, ORPHANAGE_SCORE_MAX, ORPHANAGE_PEER_WEIGHT);
    const struct tx_ref *big = make_tx(1, 100000), *second = make_tx(2, 99000),
                        *third = make_tx(3, 98000);

    EXPECT_TRUE("too big", !orphanage_add(orphanage, big, 1));
    EXPECT_TRUE("too big is not here", orphanage_find(orphanage, &big->tx.wtxid) == NULL);
    EXPECT_TRUE("fits", orphanage_add(orphanage, second, 1));
    EXPECT_TRUE("pushes the first out", orphanage_add(orphanage, third, 1));
    EXPECT_TRUE("first", orphanage_find(orphanage, &second->tx.wtxid) == NULL);
    EXPECT_TRUE("another peer brings room", orphanage_add(orphanage, second, 2));
    EXPECT_U64("both", orphanage_usage(orphanage).txs, 2);
    orphanage_peer_gone(orphanage, 2);
    EXPECT_U64("one", orphanage_usage(orphanage).txs, 1);
    orphanage_free(orphanage);
    tx_ref_drop(big);
    tx_ref_drop(second);
    tx_ref_drop(third);
}

static void equals_the_naive_one(void)
{
    for (int round = 0; round < 60; round++) {
        uint8_t bytes[1000];

        test_random_fill(bytes, sizeof(bytes));
        naive_orphanage_run(bytes, sizeof(bytes));
    }
}

TEST_LIST(TEST(a_flood_does_not_touch_others), TEST(weight_is_bounded_by_peers),
          TEST(equals_the_naive_one))
