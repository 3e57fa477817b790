/* Everything that must hold inside the mempool, looked at whole (-checkmempool). */
#include "base/check.h"
#include "base/arena.h"
#include "mempool/mempool_priv.h"

static void check_entry(struct mempool *pool, struct entry *entry, struct arena *arena)
{
    const struct tx *tx = entry_tx(entry);
    uint32_t relatives[GRAPH_CLUSTER_MAX];
    struct entry **parents;
    size_t parents_n = pool_parents(pool, tx, &parents, arena);
    size_t ancestors_n = graph_ancestors(pool->graph, GRAPH_MAIN, entry->node, relatives);

    CHECK(pool->entries[entry->node] == entry);
    CHECK(pool_find_txid(pool, &tx->txid) == entry);
    CHECK(pool_find_wtxid(pool, &tx->wtxid) == entry);
    CHECK(graph_user(pool->graph, entry->node) == entry);
    CHECK(graph_fee_size(pool->graph, entry->node).fee_sat == entry_modified_fee(entry));
    CHECK(graph_fee_size(pool->graph, entry->node).size == entry->weight);
    for (uint32_t i = 0; i < tx->in_n; i++) {
        const struct entry *parent = pool_find_txid(pool, &tx->in[i].prevout.txid);

        CHECK(pool_find_spender(pool, &tx->in[i].prevout) == entry);
        CHECK(parent == NULL || tx->in[i].prevout.vout < entry_tx(parent)->out_n);
    }
    for (size_t i = 0; i < parents_n; i++) {
        bool is_ancestor = false;

        for (size_t k = 0; k < ancestors_n; k++)
            is_ancestor |= relatives[k] == parents[i]->node;
        CHECK(is_ancestor);
        CHECK(graph_compare(pool->graph, parents[i]->node, entry->node) < 0);
    }
}

void pool_check(struct mempool *pool)
{
    struct arena arena;
    uint64_t vsize = 0;
    uint64_t inputs_n = 0;
    int64_t fee_sat = 0;
    uint32_t unbroadcast_n = 0;

    if (pool->options.check_ratio == 0)
        return;
    pool->random = pool->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    if ((pool->random >> 33) % (uint64_t)pool->options.check_ratio != 0)
        return;
    arena_init(&arena);
    pool_lock(pool);
    graph_check(pool->graph);
    CHECK(graph_fits(pool->graph, GRAPH_MAIN));
    CHECK(graph_count(pool->graph, GRAPH_MAIN) == pool->txs_n);
    for (uint32_t i = 0; i < pool->txs_n; i++) {
        struct entry *entry = pool->entries[pool->heap[i]];

        CHECK(entry->heap_at == i);
        CHECK(i == 0 || pool->entries[pool->heap[(i - 1) / 2]]->time_s <= entry->time_s);
        check_entry(pool, entry, &arena);
        vsize += (uint64_t)entry_vsize(entry);
        fee_sat += entry->fee_sat;
        inputs_n += entry_tx(entry)->in_n;
        unbroadcast_n += entry->is_unbroadcast;
        arena_reset(&arena);
    }
    CHECK(vsize == pool->vsize_sum);
    CHECK(fee_sat == pool->fee_sum_sat);
    CHECK(unbroadcast_n == pool->unbroadcast_n);
    CHECK(pool->by_txid.used_n == pool->txs_n);
    CHECK(pool->by_wtxid.used_n == pool->txs_n);
    CHECK(pool->by_prevout.used_n == inputs_n);
    CHECK(pool->by_delta.used_n == pool->deltas_n);
    pool_unlock(pool);
    arena_clear(&arena);
}
