/* What happens to the chain, seen from the mempool. A block takes out what it contains
 * and what it makes impossible. A reorganization brings back what the lost blocks
 * contained, as far as it still holds. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "consensus/rules.h"
#include "mempool/accept_priv.h"

static void remove_conflicts(struct mempool *pool, const struct tx *tx)
{
    for (uint32_t i = 0; i < tx->in_n; i++) {
        struct entry *other = pool_find_spender(pool, &tx->in[i].prevout);

        if (other == NULL)
            continue;
        pool_forget_delta(pool, &entry_tx(other)->txid);
        (void)pool_remove_all(pool, &other, 1, TX_REMOVED_CONFLICT);
    }
}

static void block_connected(void *context, const struct block_info *info, const struct block *block,
                            const struct coin *const *spent)
{
    struct mempool *pool = context;

    struct fees_confirmed *confirmed = NULL;
    size_t confirmed_n = 0;

    (void)spent;
    pool_lock(pool);
    pool->is_between = true;
    if (pool->txs_n > 0 || pool->deltas_n > 0) {
        confirmed = alloc_array(block->tx_n, sizeof(*confirmed));
        for (uint32_t i = 0; i < block->tx_n; i++) {
            struct entry *entry = pool_find_txid(pool, &block->tx[i].txid);

            if (entry != NULL && entry->fee_bucket != FEES_UNTRACKED)
                confirmed[confirmed_n++] =
                    (struct fees_confirmed){entry->fee_bucket, entry->height,
                                            rate_sat_kvb(entry->fee_sat, entry_vsize(entry))};
            if (entry != NULL)
                pool_remove(pool, entry, TX_REMOVED_BLOCK);
            remove_conflicts(pool, &block->tx[i]);
            pool_forget_delta(pool, &block->tx[i].txid);
        }
    }
    fees_block(pool->fees, info->height, confirmed, confirmed_n);
    pool->rolling_since_s = pool_now_s(pool);
    pool->block_since_bump = true;
    pool_unlock(pool);
    free(confirmed);
    pool_tell(pool);
}

static void doubt_children(struct mempool *pool, const struct tx *tx)
{
    for (uint32_t i = 0; i < tx->out_n; i++) {
        struct outpoint outpoint = {.txid = tx->txid, .vout = i};
        struct entry *child = pool_find_spender(pool, &outpoint);

        if (child != NULL)
            child->is_doubtful = true;
    }
}

static void block_disconnected(void *context, const struct block_info *info,
                               const struct block *block)
{
    struct mempool *pool = context;

    (void)info;
    pool_lock(pool);
    pool->is_between = true;
    pool_unlock(pool);
    for (uint32_t i = 0; i < block->tx_n && pool->txs_n > 0; i++)
        doubt_children(pool, &block->tx[i]);
}

/* --- After a reorganization ------------------------------------------------------------ */

/* Those accepted again get the children that waited here: so far the graph knows of none,
 * for what enters usually has none. */
static void link_children(struct mempool *pool, const struct txid *txids, size_t n)
{
    const uint32_t *excess;
    uint32_t *nodes;
    struct arena arena;
    size_t excess_n;

    arena_init(&arena);
    pool_lock(pool);
    for (size_t i = n; i-- > 0;) {
        struct entry *entry = pool_find_txid(pool, &txids[i]);
        struct entry **children;
        size_t children_n;

        if (entry == NULL)
            continue;
        children_n = pool_children(pool, entry_tx(entry), &children, &arena);
        for (size_t k = 0; k < children_n; k++)
            graph_link(pool->graph, entry->node, children[k]->node);
        arena_reset(&arena);
    }
    excess_n = graph_trim(pool->graph, &excess);
    nodes = alloc_array(excess_n + 1, sizeof(*nodes));
    for (size_t i = 0; i < excess_n; i++)
        nodes[i] = excess[i];
    for (size_t i = 0; i < excess_n; i++)
        pool_remove(pool, pool->entries[nodes[i]], TX_REMOVED_SIZE_LIMIT);
    free(nodes);
    pool_unlock(pool);
    arena_clear(&arena);
}

static void bring_back(struct mempool *pool, const struct tip_event *event)
{
    struct accept_args args = {.time_s = pool_now_s(pool),
                               .bypass_limits = true,
                               .allow_replacement = true,
                               .allow_sibling_eviction = true};
    struct txid *back = alloc_array(event->disconnected_n + 1, sizeof(*back));
    size_t back_n = 0;

    for (size_t i = 0; i < event->disconnected_n; i++) {
        struct tx_result result = {0};
        struct tx_ref *ref;
        struct error err;

        if (tx_ref_read(&ref, event->disconnected[i].raw, &err) < 0)
            continue;
        /* A failing disk shows again where it matters; here it only means that the
         * transaction is not taken back. */
        if (accept_one(pool, &result, ref, &args, &err) < 0)
            log_warning("mempool", "could not take a transaction back: %s", error_text(&err));
        if (result.outcome == TX_ACCEPTED)
            back[back_n++] = ref->tx.txid;
        else
            doubt_children(pool, &ref->tx);
        tx_result_clear(&result);
        tx_ref_drop(ref);
    }
    link_children(pool, back, back_n);
    free(back);
}

/* Are all outputs it spends still there, mature, and its relative locks over? */
static bool may_stay(struct mempool *pool, const struct entry *entry, struct arena *arena)
{
    const struct mempool_ground *ground = &pool->options.ground;
    const struct header_node *tip = ground->tip(ground->context);
    const struct tx *tx = entry_tx(entry);
    struct coin *coins = arena_array(arena, tx->in_n, sizeof(*coins));
    struct error err;

    for (uint32_t i = 0; i < tx->in_n; i++) {
        const struct entry *parent = pool_find_txid(pool, &tx->in[i].prevout.txid);
        bool found = false;

        if (parent != NULL) {
            coins[i].height = (uint32_t)tip->height + 1;
            continue;
        }
        /* A read that fails says nothing about the coin: it is in doubt, and out. */
        if (ground->find_coins(ground->context, &coins[i], &found, &tx->in[i].prevout, 1, arena,
                               &err) < 0 ||
            !found)
            return false;
        if (coins[i].is_coinbase && tip->height + 1 - (int32_t)coins[i].height < COINBASE_MATURITY)
            return false;
    }
    return accept_locks_hold(pool, tx, coins, arena);
}

static void remove_impossible(struct mempool *pool)
{
    const struct header_node *tip = pool->options.ground.tip(pool->options.ground.context);
    struct entry **bad = alloc_array(pool->txs_n + 1, sizeof(struct entry *));
    int64_t mtp_s = header_median_time(tip);
    struct arena arena;
    size_t n = 0;

    arena_init(&arena);
    for (uint32_t i = 0; i < pool->txs_n; i++) {
        struct entry *entry = pool->entries[pool->heap[i]];
        bool is_suspect = entry->is_doubtful || entry->spends_coinbase || entry->has_locks;

        entry->is_doubtful = false;
        if (!tx_is_final(entry_tx(entry), tip->height + 1, mtp_s) ||
            (is_suspect && !may_stay(pool, entry, &arena)))
            bad[n++] = entry;
        arena_reset(&arena);
    }
    pool_lock(pool);
    (void)pool_remove_all(pool, bad, n, TX_REMOVED_REORG);
    pool_limit(pool);
    pool_unlock(pool);
    arena_clear(&arena);
    free(bad);
}

static void tip_changed(void *context, const struct tip_event *event)
{
    struct mempool *pool = context;

    if (event->is_reorganization) {
        bring_back(pool, event);
        remove_impossible(pool);
    }
    pool_lock(pool);
    pool->is_between = false;
    pool->has_tip = true;
    pool->tip = event->tip.hash;
    pool->changes++;
    pool_unlock(pool);
    pool_tell(pool);
    pool_check(pool);
}

static void header_changed(void *context, const struct block_info *best_header)
{
    struct mempool *pool = context;

    pool->best_header_height = best_header->height;
}

static bool holds_txs(void *context)
{
    struct mempool *pool = context;
    bool holds;

    pool_lock(pool);
    holds = pool->txs_n > 0;
    pool_unlock(pool);
    return holds;
}

void follow_init(struct mempool *pool)
{
    pool->events = (struct chain_events){
        .context = pool,
        .block_connected = block_connected,
        .block_disconnected = block_disconnected,
        .tip_changed = tip_changed,
        .header_changed = header_changed,
        .holds_txs = holds_txs,
    };
}
