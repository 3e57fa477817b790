/* mempool.dat: what is written comes back, in both forms; what is damaged does no harm. */
#include <stdlib.h>

#include "base/alloc.h"
#include "mempool/mempool_priv.h"
#include "naive_ground.h"

struct both {
    struct ground ground;
    struct mempool_options options;
    struct mempool *pool;
    char *path;
};

static void begin(struct both *b, bool is_v1)
{
    memset(b, 0, sizeof(*b));
    ground_init(&b->ground, &b->options);
    b->options.folder = test_folder();
    b->options.persist_v1 = is_v1;
    b->path = alloc_printf("%s/mempool.dat", test_folder());
    CHECK(mempool_new(&b->pool, &b->options, NULL) == 0);
}

static void end(struct both *b)
{
    mempool_free(b->pool);
    ground_clear(&b->ground);
    free(b->path);
}

/* Another mempool on the same ground, that reads the file. */
static void read_again(struct both *b)
{
    struct error err;
    int rc;

    mempool_free(b->pool);
    CHECK(mempool_new(&b->pool, &b->options, NULL) == 0);
    do {
        rc = mempool_load_some(b->pool, &err);
    } while (rc > 0);
    EXPECT_INT("loaded", rc, 0);
    EXPECT_TRUE("loaded", b->pool->is_loaded);
}

static void offer(struct both *b, const struct tx_ref *ref, bool is_local)
{
    struct tx_submit_options options = {.is_local = is_local};
    char reason[TX_PACKAGE_REASON_MAX];
    struct tx_result result;

    CHECK(mempool_submit(b->pool, &result, reason, &ref, 1, &options, NULL) == 0);
    CHECK(result.outcome == TX_ACCEPTED);
    tx_result_clear(&result);
}

static void comes_back(bool is_v1)
{
    static struct both b;
    const struct tx_ref *parent;
    const struct tx_ref *child;
    const struct tx_ref *stranger;
    struct mempool_view *view;
    struct outpoint coin;
    struct outpoint other;
    struct outpoint out;
    struct entry *entry;
    int64_t then_s;

    begin(&b, is_v1);
    view = mempool_view(b.pool);
    coin = ground_coin(&b.ground, 100000);
    other = ground_coin(&b.ground, 100000);
    parent = spend_one(&coin, 100000, 2, 100);
    out = output_of(parent, 0);
    child = spend_one(&out, parent->tx.out[0].value_sat, 1, 5000);
    stranger = spend_one(&other, 100000, 1, 700);
    then_s = pool_now_s(b.pool);
    offer(&b, parent, false);
    offer(&b, child, true);
    CHECK(view->ops->prioritise(view, &parent->tx.txid, 1234, NULL) == 0);
    CHECK(view->ops->prioritise(view, &stranger->tx.txid, 77, NULL) == 0);
    b.pool->is_loaded = true;
    EXPECT_INT("stop", mempool_stop(b.pool, NULL), 0);
    mock_clock_set(&b.ground.clock, then_s + 100);
    read_again(&b);
    EXPECT_INT("both", b.pool->txs_n, 2);
    entry = pool_find_txid(b.pool, &parent->tx.txid);
    EXPECT_TRUE("parent", entry != NULL);
    if (entry != NULL) {
        EXPECT_INT("time", entry->time_s, then_s);
        EXPECT_INT("delta", entry->delta_sat, 1234);
        EXPECT_TRUE("told", !entry->is_unbroadcast);
    }
    entry = pool_find_txid(b.pool, &child->tx.txid);
    EXPECT_TRUE("not told", entry != NULL && entry->is_unbroadcast);
    EXPECT_INT("stranger", pool_delta(b.pool, &stranger->tx.txid), 77);
    tx_ref_drop(parent);
    tx_ref_drop(child);
    tx_ref_drop(stranger);
    end(&b);
}

static void plain_files_come_back(void)
{
    comes_back(true);
}

static void keyed_files_come_back(void)
{
    comes_back(false);
}

static void damage_does_no_harm(void)
{
    static struct both b;
    const struct tx_ref *ref;
    struct outpoint coin;
    struct buf whole = {0};
    struct error err;

    begin(&b, false);
    coin = ground_coin(&b.ground, 100000);
    ref = spend_one(&coin, 100000, 2, 1000);
    offer(&b, ref, false);
    b.pool->is_loaded = true;
    EXPECT_INT("stop", mempool_stop(b.pool, NULL), 0);
    CHECK(test_read_file(&whole, b.path));
    for (size_t len = 0; len <= whole.len; len++) {
        CHECK(disk_replace_file(disk_real(), b.path, whole.data, len, &err) == 0);
        read_again(&b);
        EXPECT_TRUE("at most it", b.pool->txs_n <= 1);
    }
    EXPECT_INT("whole", b.pool->txs_n, 1);
    for (size_t i = 0; i < whole.len; i++) {
        whole.data[i] ^= 0x55;
        CHECK(disk_replace_file(disk_real(), b.path, whole.data, whole.len, &err) == 0);
        read_again(&b);
        EXPECT_TRUE("at most it", b.pool->txs_n <= 1);
        whole.data[i] ^= 0x55;
    }
    buf_clear(&whole);
    tx_ref_drop(ref);
    end(&b);
}

static void nothing_is_overwritten_before_it_was_read(void)
{
    static struct both b;
    struct error err;
    char *path;

    begin(&b, false);
    EXPECT_INT("too early", b.pool->view.ops->save(&b.pool->view, &path, &err), E_STATE);
    end(&b);
}

TEST_LIST(TEST(plain_files_come_back), TEST(keyed_files_come_back), TEST(damage_does_no_harm),
          TEST(nothing_is_overwritten_before_it_was_read))
