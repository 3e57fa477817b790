/* What goes into the next block: the best chunks, one after the other, as long as they
 * fit. A chunk that does not is left out with all that comes behind it in its cluster. */
#include "base/check.h"
#include "consensus/rules.h"
#include "mempool/mempool_priv.h"

/* Near the limit of weight, when nothing has fitted for long, the rest is not tried. */
#define FAILURES_MAX 1000
#define NEARLY_FULL_WEIGHT 4000

struct picking {
    struct mempool *pool;
    const struct mempool_pick_options *options;
    struct mempool_pick *picks;
    size_t picks_n;
    int64_t weight;
    int64_t sigop_cost;
};

static const struct entry *entry_at(const struct picking *p, const struct graph_chunk *chunk,
                                    size_t i)
{
    return p->pool->entries[chunk->nodes[i]];
}

static bool pays_enough(const struct graph_chunk *chunk, int64_t min_sat_kvb)
{
    struct fee_size got = {.fee_sat = chunk->total.fee_sat,
                           .size = policy_vsize(chunk->total.size)};
    struct fee_size wanted = {.fee_sat = min_sat_kvb, .size = 1000};

    return fee_size_compare(got, wanted) >= 0;
}

static bool fits(const struct picking *p, const struct graph_chunk *chunk)
{
    int64_t sigop_cost = p->sigop_cost;

    if (p->weight + chunk->total.size >= p->options->weight_max)
        return false;
    for (size_t i = 0; i < chunk->nodes_n; i++)
        sigop_cost += entry_at(p, chunk, i)->sigop_cost;
    if (sigop_cost >= p->options->sigop_cost_max)
        return false;
    for (size_t i = 0; i < chunk->nodes_n; i++)
        if (!tx_is_final(entry_tx(entry_at(p, chunk, i)), p->options->height,
                         p->options->lock_time_cutoff_s))
            return false;
    return true;
}

static void take(struct picking *p, const struct graph_chunk *chunk)
{
    for (size_t i = 0; i < chunk->nodes_n; i++) {
        const struct entry *entry = entry_at(p, chunk, i);
        struct mempool_pick *pick = &p->picks[p->picks_n++];

        *pick = (struct mempool_pick){.tx = tx_ref_hold(entry->ref),
                                      .fee_sat = entry->fee_sat,
                                      .weight = (int64_t)tx_weight(entry_tx(entry)),
                                      .sigop_cost = entry->sigop_cost};
        p->weight += pick->weight;
        p->sigop_cost += pick->sigop_cost;
    }
}

static void pick_chunks(struct picking *p)
{
    struct graph_walk walk;
    struct graph_chunk chunk;
    unsigned failures = 0;

    graph_walk_begin(p->pool->graph, &walk);
    while (graph_walk_next(&walk, &chunk)) {
        if (!pays_enough(&chunk, p->options->min_sat_kvb))
            return; /* And no later one does. */
        if (fits(p, &chunk)) {
            take(p, &chunk);
            failures = 0;
            continue;
        }
        graph_walk_skip(&walk);
        failures++;
        if (failures > FAILURES_MAX && p->weight + NEARLY_FULL_WEIGHT > p->options->weight_max)
            return;
    }
}

int pool_pick(struct mempool_view *view, struct mempool_pick **ret_picks, size_t *ret_n,
              uint64_t *ret_changes, const struct mempool_pick_options *options,
              struct arena *arena, struct error *err)
{
    struct mempool *pool = (struct mempool *)view;
    struct picking picking = {.pool = pool, .options = options};
    size_t most;
    int rc = 0;

    mutex_lock(&pool->mutex);
    if (pool->is_between || (pool->has_tip && !block_hash_equal(&pool->tip, &options->prev))) {
        rc = error_set(err, E_STATE, "the mempool is not that of this tip");
        goto done;
    }
    /* No transaction is lighter than sixty bytes, each counted four times. */
    most = (size_t)MAX(options->weight_max, 0) / (60 * WITNESS_SCALE_FACTOR);
    most = MIN(most, pool->txs_n);
    picking.picks = arena_array(arena, most + GRAPH_CLUSTER_MAX, sizeof(*picking.picks));
    pick_chunks(&picking);
    *ret_picks = picking.picks;
    *ret_n = picking.picks_n;
    *ret_changes = atomic_load(&pool->changes);

done:
    mutex_unlock(&pool->mutex);
    return rc;
}
