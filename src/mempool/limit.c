/* The mempool's bounds: age and memory, and the feerate that follows from being full. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "mempool/accept_priv.h"

/* After this long without need the minimum has halved; faster where there is much room. */
#define ROLLING_HALFLIFE_S (12.0 * 60 * 60)
#define ROLLING_STEP_S 10

int64_t pool_min_fee(struct mempool *pool)
{
    int64_t incremental = pool->options.incremental_sat_kvb;
    double halflife_s = ROLLING_HALFLIFE_S;
    uint64_t usage;
    int64_t now_s;

    /* Until a block has come, there was no chance for room. */
    if (!pool->block_since_bump || pool->rolling_sat_kvb == 0)
        return llround(pool->rolling_sat_kvb);
    now_s = pool_now_s(pool);
    if (now_s > pool->rolling_since_s + ROLLING_STEP_S) {
        usage = pool_usage(pool);
        if (usage < pool->options.limit_bytes / 4)
            halflife_s /= 4;
        else if (usage < pool->options.limit_bytes / 2)
            halflife_s /= 2;
        pool->rolling_sat_kvb /= pow(2.0, (double)(now_s - pool->rolling_since_s) / halflife_s);
        pool->rolling_since_s = now_s;
        if (pool->rolling_sat_kvb < (double)incremental / 2) {
            pool->rolling_sat_kvb = 0;
            return 0;
        }
    }
    return MAX(llround(pool->rolling_sat_kvb), incremental);
}

int64_t pool_rate_at(struct mempool *pool, int32_t blocks)
{
    int64_t wanted = (int64_t)blocks * BLOCK_WEIGHT_MAX;
    struct graph_chunk chunk;
    struct graph_walk walk;
    int64_t weight = 0;
    int64_t rate = 0;

    graph_walk_begin(pool->graph, &walk);
    while (weight < wanted && graph_walk_next(&walk, &chunk)) {
        weight += chunk.total.size;
        rate = rate_sat_kvb(chunk.total.fee_sat, policy_vsize(chunk.total.size));
    }
    return weight < BLOCK_WEIGHT_MAX ? 0 : rate;
}

static void expire(struct mempool *pool)
{
    int64_t oldest_s = pool_now_s(pool) - pool->options.expiry_s;
    size_t n = 0;

    while (pool->txs_n > 0 && pool->entries[pool->heap[0]]->time_s < oldest_s) {
        struct entry *entry = pool->entries[pool->heap[0]];

        n += pool_remove_all(pool, &entry, 1, TX_REMOVED_EXPIRY);
    }
    if (n > 0)
        log_debug("mempool", "Expired %zu transactions from the memory pool", n);
}

/* Takes the worst chunk out. Returns the feerate that is asked for from now on. */
static int64_t evict_worst(struct mempool *pool, size_t *ret_n)
{
    struct graph_chunk chunk;
    uint32_t *nodes;
    int64_t rate;

    CHECK(graph_worst(pool->graph, &chunk));
    nodes = alloc_array(chunk.nodes_n, sizeof(*nodes));
    for (size_t i = 0; i < chunk.nodes_n; i++)
        nodes[i] = chunk.nodes[i];
    *ret_n = chunk.nodes_n;
    /* More than what had to go, or the same could come again at once. */
    rate = rate_sat_kvb(chunk.total.fee_sat, policy_vsize(chunk.total.size)) +
           pool->options.incremental_sat_kvb;
    if ((double)rate > pool->rolling_sat_kvb) {
        pool->rolling_sat_kvb = (double)rate;
        pool->block_since_bump = false;
    }
    for (size_t i = 0; i < *ret_n; i++)
        pool_remove(pool, pool->entries[nodes[i]], TX_REMOVED_SIZE_LIMIT);
    free(nodes);
    return rate;
}

void pool_limit(struct mempool *pool)
{
    int64_t greatest = 0;
    size_t removed = 0;

    expire(pool);
    while (pool->txs_n > 0 && pool_usage(pool) > pool->options.limit_bytes) {
        size_t n;
        int64_t rate = evict_worst(pool, &n);

        greatest = MAX(greatest, rate);
        removed += n;
    }
    if (removed > 0)
        log_debug("mempool",
                  "Removed %zu txn, rolling minimum fee bumped to %" PRId64 ".%08" PRId64
                  " BTC/kvB",
                  removed, greatest / 100000000, greatest % 100000000);
}
