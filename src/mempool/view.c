/* The mempool as other rooms see it. Reading takes the lock for as long as it copies;
 * what changes anything is asked of the chain thread. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "mempool/accept_priv.h"
#include "mempool/save_priv.h"

/* How many transactions ahead a walk asks for memory. */
#define WALK_AHEAD 12

static struct mempool *pool_of(struct mempool_view *view)
{
    return (struct mempool *)view;
}

/* Readers leave the graph as it is: it was settled by whoever changed it. */
static void end_reading(struct mempool *pool)
{
    mutex_unlock(&pool->mutex);
}

static void status(struct mempool_view *view, struct mempool_status *ret_status)
{
    struct mempool *pool = pool_of(view);
    const struct mempool_options *options = &pool->options;

    pool_lock(pool);
    *ret_status = (struct mempool_status){
        .is_loaded = pool->is_loaded,
        .txs_n = pool->txs_n,
        .bytes = pool->vsize_sum,
        .usage_bytes = pool_usage(pool),
        .limit_bytes = options->limit_bytes,
        .total_fee_sat = pool->fee_sum_sat,
        .min_fee_sat_kvb = MAX(pool_min_fee(pool), options->min_relay_sat_kvb),
        .min_relay_sat_kvb = options->min_relay_sat_kvb,
        .incremental_sat_kvb = options->incremental_sat_kvb,
        .dust_relay_sat_kvb = options->dust_relay_sat_kvb,
        .require_standard = options->require_standard,
        .permit_bare_multisig = options->permit_bare_multisig,
        .max_datacarrier_bytes = options->max_datacarrier_bytes,
        .cluster_count_max = options->cluster_count_max,
        .cluster_vsize_max = options->cluster_vsize_max,
        .unbroadcast_n = pool->unbroadcast_n,
        .sequence = pool->sequence - 1,
        .is_optimal = graph_is_optimal(pool->graph),
    };
    end_reading(pool);
}

static struct entry *find_name(const struct mempool *pool, const struct tx_name *name)
{
    struct wtxid wtxid;
    struct txid txid;

    if (name->is_wtxid) {
        memcpy(wtxid.b, name->id, HASH_BYTES);
        return pool_find_wtxid(pool, &wtxid);
    }
    memcpy(txid.b, name->id, HASH_BYTES);
    return pool_find_txid(pool, &txid);
}

static bool has(struct mempool_view *view, const struct tx_name *name)
{
    struct mempool *pool = pool_of(view);
    bool found;

    pool_lock(pool);
    found = find_name(pool, name) != NULL;
    end_reading(pool);
    return found;
}

/* --- One entry -------------------------------------------------------------------------- */

static bool signals_replacement(const struct tx *tx)
{
    for (uint32_t i = 0; i < tx->in_n; i++) {
        if (tx->in[i].sequence < SEQUENCE_FINAL - 1)
            return true;
    }
    return false;
}

/* Sums over relatives, in vbytes as users see them: each rounded up by itself. */
static int64_t vsize_of(const struct mempool *pool, const uint32_t *nodes, size_t n)
{
    int64_t vsize = 0;

    for (size_t i = 0; i < n; i++)
        vsize += entry_vsize(pool->entries[nodes[i]]);
    return vsize;
}

void entry_describe(const struct mempool *pool, struct mempool_entry *ret,
                    const struct entry *entry)
{
    struct graph *graph = pool->graph;
    uint32_t nodes[GRAPH_CLUSTER_MAX];
    struct fee_size chunk = graph_chunk_of(graph, entry->node);
    size_t n;

    *ret = (struct mempool_entry){
        .txid = entry_tx(entry)->txid,
        .wtxid = entry_tx(entry)->wtxid,
        .vsize = entry_vsize(entry),
        .weight = (int64_t)tx_weight(entry_tx(entry)),
        .fee_sat = entry->fee_sat,
        .modified_fee_sat = entry_modified_fee(entry),
        .time_s = entry->time_s,
        .height = entry->height,
        .sequence = entry->sequence,
        .chunk_fee_sat = chunk.fee_sat,
        .chunk_weight = chunk.size,
        .unbroadcast = entry->is_unbroadcast,
    };
    n = graph_ancestors(graph, GRAPH_MAIN, entry->node, nodes);
    ret->ancestors_n = n;
    ret->ancestors_vsize = vsize_of(pool, nodes, n);
    ret->ancestors_fee_sat = graph_ancestors_sum(graph, GRAPH_MAIN, entry->node).total.fee_sat;
    for (size_t i = 0; i < n && !ret->replaceable; i++)
        ret->replaceable = signals_replacement(entry_tx(pool->entries[nodes[i]]));
    n = graph_descendants(graph, GRAPH_MAIN, entry->node, nodes);
    ret->descendants_n = n;
    ret->descendants_vsize = vsize_of(pool, nodes, n);
    ret->descendants_fee_sat = graph_descendants_sum(graph, GRAPH_MAIN, entry->node).total.fee_sat;
}

static const struct txid *txids_of(struct entry *const *entries, size_t n, struct arena *arena)
{
    struct txid *txids = arena_array(arena, n, sizeof(*txids));

    for (size_t i = 0; i < n; i++)
        txids[i] = entry_tx(entries[i])->txid;
    return txids;
}

static void describe_with_relatives(const struct mempool *pool, struct mempool_entry *ret,
                                    const struct entry *entry, struct arena *arena)
{
    struct entry **list;
    size_t n;

    entry_describe(pool, ret, entry);
    n = pool_parents(pool, entry_tx(entry), &list, arena);
    ret->parents = txids_of(list, n, arena);
    ret->parents_n = (uint32_t)n;
    n = pool_children(pool, entry_tx(entry), &list, arena);
    ret->children = txids_of(list, n, arena);
    ret->children_n = (uint32_t)n;
}

static const struct tx_ref *find(struct mempool_view *view, struct mempool_entry *ret_entry,
                                 const struct tx_name *name)
{
    struct mempool *pool = pool_of(view);
    const struct tx_ref *ref = NULL;
    struct entry *entry;

    pool_lock(pool);
    entry = find_name(pool, name);
    if (entry != NULL) {
        ref = tx_ref_hold(entry->ref);
        if (ret_entry != NULL)
            entry_describe(pool, ret_entry, entry);
    }
    end_reading(pool);
    return ref;
}

static int entry_of(struct mempool_view *view, struct mempool_entry *ret_entry,
                    const struct txid *txid, struct arena *arena)
{
    struct mempool *pool = pool_of(view);
    struct entry *entry;

    pool_lock(pool);
    entry = pool_find_txid(pool, txid);
    if (entry != NULL)
        describe_with_relatives(pool, ret_entry, entry, arena);
    end_reading(pool);
    return entry == NULL ? E_NOT_FOUND : 0;
}

/* --- Many ------------------------------------------------------------------------------- */

static void list(struct mempool_view *view, struct mempool_entry **ret_entries, size_t *ret_n,
                 uint64_t *ret_sequence, bool want_relatives, struct arena *arena)
{
    struct mempool *pool = pool_of(view);
    struct mempool_entry *entries;
    struct graph_chunk chunk;
    struct graph_walk walk;
    size_t n = 0;

    pool_lock(pool);
    entries = arena_array(arena, pool->txs_n, sizeof(*entries));
    graph_walk_begin(pool->graph, &walk);
    while (graph_walk_next(&walk, &chunk)) {
        for (size_t i = 0; i < chunk.nodes_n; i++, n++) {
            const struct entry *entry = pool->entries[chunk.nodes[i]];

            if (want_relatives)
                describe_with_relatives(pool, &entries[n], entry, arena);
            else
                entry_describe(pool, &entries[n], entry);
        }
    }
    CHECK(n == pool->txs_n);
    if (ret_sequence != NULL)
        *ret_sequence = pool->sequence - 1;
    end_reading(pool);
    *ret_entries = entries;
    *ret_n = n;
}

static int relatives(struct mempool_view *view, struct mempool_entry **ret_entries, size_t *ret_n,
                     const struct txid *txid, bool descendants, struct arena *arena)
{
    struct mempool *pool = pool_of(view);
    uint32_t nodes[GRAPH_CLUSTER_MAX];
    struct mempool_entry *entries;
    struct entry *entry;
    size_t found = 0;
    size_t n = 0;

    pool_lock(pool);
    entry = pool_find_txid(pool, txid);
    if (entry != NULL)
        found = descendants ? graph_descendants(pool->graph, GRAPH_MAIN, entry->node, nodes)
                            : graph_ancestors(pool->graph, GRAPH_MAIN, entry->node, nodes);
    entries = arena_array(arena, found, sizeof(*entries));
    for (size_t i = 0; i < found; i++) {
        if (nodes[i] != entry->node)
            describe_with_relatives(pool, &entries[n++], pool->entries[nodes[i]], arena);
    }
    end_reading(pool);
    *ret_entries = entries;
    *ret_n = n;
    return entry == NULL ? E_NOT_FOUND : 0;
}

static int cluster(struct mempool_view *view, struct mempool_cluster *ret_cluster,
                   const struct txid *txid, struct arena *arena)
{
    struct mempool *pool = pool_of(view);
    uint32_t nodes[GRAPH_CLUSTER_MAX];
    uint32_t ends[GRAPH_CLUSTER_MAX];
    struct entry *entry;
    uint32_t at = 0;
    size_t n;

    pool_lock(pool);
    entry = pool_find_txid(pool, txid);
    if (entry == NULL) {
        end_reading(pool);
        return E_NOT_FOUND;
    }
    n = graph_cluster_chunks(pool->graph, entry->node, nodes, ends);
    *ret_cluster = (struct mempool_cluster){
        .chunks = arena_array(arena, n, sizeof(*ret_cluster->chunks)), .chunks_n = (uint32_t)n};
    for (size_t i = 0; i < n; i++) {
        struct mempool_chunk *chunk = &ret_cluster->chunks[i];
        struct txid *txids = arena_array(arena, ends[i] - at, sizeof(*txids));

        chunk->txids = txids;
        for (; at < ends[i]; at++) {
            const struct entry *member = pool->entries[nodes[at]];

            txids[chunk->txs_n++] = entry_tx(member)->txid;
            chunk->fee_sat += entry_modified_fee(member);
            chunk->weight += member->weight;
        }
        ret_cluster->weight += chunk->weight;
        ret_cluster->txs_n += chunk->txs_n;
    }
    end_reading(pool);
    return 0;
}

static void diagram(struct mempool_view *view, struct feerate_point **ret_points, size_t *ret_n,
                    struct arena *arena)
{
    struct mempool *pool = pool_of(view);
    struct feerate_point *points;
    struct graph_chunk chunk;
    struct graph_walk walk;
    size_t n = 1;

    pool_lock(pool);
    points = arena_array(arena, pool->txs_n + 1, sizeof(*points));
    graph_walk_begin(pool->graph, &walk);
    while (graph_walk_next(&walk, &chunk)) {
        points[n] = (struct feerate_point){.fee_sat = points[n - 1].fee_sat + chunk.total.fee_sat,
                                           .weight = points[n - 1].weight + chunk.total.size};
        n++;
    }
    end_reading(pool);
    *ret_points = points;
    *ret_n = n;
}

static const struct tx_ref *spender(struct mempool_view *view, const struct outpoint *outpoint)
{
    struct mempool *pool = pool_of(view);
    const struct tx_ref *ref = NULL;
    const struct entry *entry;

    pool_lock(pool);
    entry = pool_find_spender(pool, outpoint);
    if (entry != NULL)
        ref = tx_ref_hold(entry->ref);
    end_reading(pool);
    return ref;
}

static bool output(struct mempool_view *view, struct tx_out *ret_out,
                   const struct outpoint *outpoint, struct arena *arena)
{
    struct mempool *pool = pool_of(view);
    const struct entry *entry;
    bool found;

    pool_lock(pool);
    entry = pool_find_txid(pool, &outpoint->txid);
    found = entry != NULL && outpoint->vout < entry_tx(entry)->out_n;
    if (found) {
        const struct tx_out *out = &entry_tx(entry)->out[outpoint->vout];
        uint8_t *copy = arena_alloc(arena, out->script_pubkey.len + 1);

        if (out->script_pubkey.len > 0)
            memcpy(copy, out->script_pubkey.data, out->script_pubkey.len);
        *ret_out = (struct tx_out){out->value_sat, span_of(copy, out->script_pubkey.len)};
    }
    end_reading(pool);
    return found;
}

/* --- For p2p ------------------------------------------------------------------------------ */

/* Who walks looks at wtxids (compact blocks): each lies behind two pointers, anywhere in
 * memory. Asked for ahead, they are there when their turn comes. */
static void fetch_ahead(const struct mempool *pool, uint32_t at)
{
    const struct entry *entry =
        at + WALK_AHEAD < pool->entries_cap ? pool->entries[at + WALK_AHEAD] : NULL;

    if (entry != NULL)
        __builtin_prefetch(&entry->ref->tx.wtxid);
    if (at + 2 * WALK_AHEAD < pool->entries_cap)
        __builtin_prefetch(pool->entries[at + 2 * WALK_AHEAD]);
}

static void walk(struct mempool_view *view, bool (*visit)(void *context, const struct tx_ref *tx),
                 void *context)
{
    struct mempool *pool = pool_of(view);

    pool_lock(pool);
    for (uint32_t i = 0; i < pool->entries_cap; i++) {
        fetch_ahead(pool, i);
        if (pool->entries[i] != NULL && !visit(context, pool->entries[i]->ref))
            break;
    }
    end_reading(pool);
}

struct sorted {
    struct graph *graph;
    uint32_t node;
};

static int compare_sorted(const void *a_ptr, const void *b_ptr)
{
    const struct sorted *a = a_ptr;
    const struct sorted *b = b_ptr;

    return a->node == b->node ? 0 : graph_compare(a->graph, a->node, b->node);
}

static size_t sort(struct mempool_view *view, struct wtxid *wtxids, size_t n)
{
    struct mempool *pool = pool_of(view);
    struct sorted *found = alloc_array(n + 1, sizeof(*found));
    size_t kept = 0;

    pool_lock(pool);
    for (size_t i = 0; i < n; i++) {
        const struct entry *entry = pool_find_wtxid(pool, &wtxids[i]);

        if (entry != NULL)
            found[kept++] = (struct sorted){pool->graph, entry->node};
    }
    if (kept > 1)
        qsort(found, kept, sizeof(*found), compare_sorted);
    for (size_t i = 0; i < kept; i++)
        wtxids[i] = entry_tx(pool->entries[found[i].node])->wtxid;
    end_reading(pool);
    free(found);
    return kept;
}

static void unbroadcast(struct mempool_view *view, struct txid **ret_txids, size_t *ret_n,
                        struct arena *arena)
{
    struct mempool *pool = pool_of(view);
    struct txid *txids;
    size_t n = 0;

    pool_lock(pool);
    txids = arena_array(arena, pool->unbroadcast_n, sizeof(*txids));
    for (uint32_t i = 0; i < pool->txs_n && n < pool->unbroadcast_n; i++) {
        const struct entry *entry = pool->entries[pool->heap[i]];

        if (entry->is_unbroadcast)
            txids[n++] = entry_tx(entry)->txid;
    }
    end_reading(pool);
    *ret_txids = txids;
    *ret_n = n;
}

static void was_broadcast(struct mempool_view *view, const struct txid *txid)
{
    struct mempool *pool = pool_of(view);
    struct entry *entry;

    pool_lock(pool);
    entry = pool_find_txid(pool, txid);
    if (entry != NULL && entry->is_unbroadcast)
        log_debug("mempool", "Removed %s from set of unbroadcast txns", hash_hex(txid->b).text);
    if (entry != NULL)
        pool_set_unbroadcast(pool, entry, false);
    end_reading(pool);
}

/* --- Changes ---------------------------------------------------------------------------- */

struct submission {
    struct mempool *pool;
    struct tx_result *results;
    char *package_reason;
    const struct tx_ref *const *txs;
    size_t txs_n;
    const struct tx_submit_options *options;
};

static int run_submission(void *argument, struct error *err)
{
    struct submission *s = argument;

    return mempool_submit(s->pool, s->results, s->package_reason, s->txs, s->txs_n, s->options,
                          err);
}

static int ask(struct mempool *pool, int (*run)(void *argument, struct error *err), void *argument,
               struct error *err)
{
    return pool->options.ground.ask(pool->options.ground.context, run, argument, err);
}

static int submit(struct mempool_view *view, struct tx_result *ret_results,
                  char *ret_package_reason, const struct tx_ref *const *txs, size_t txs_n,
                  const struct tx_submit_options *options, struct error *err)
{
    struct submission s = {pool_of(view), ret_results, ret_package_reason, txs, txs_n, options};

    return ask(s.pool, run_submission, &s, err);
}

struct priority {
    struct mempool *pool;
    const struct txid *txid;
    int64_t delta_sat;
};

static int run_priority(void *argument, struct error *err)
{
    const struct priority *p = argument;
    const char *where;
    int64_t delta_sat;

    (void)err;
    pool_lock(p->pool);
    pool_add_delta(p->pool, p->txid, p->delta_sat);
    delta_sat = pool_delta(p->pool, p->txid);
    where = pool_find_txid(p->pool, p->txid) == NULL ? "not " : "";
    pool_unlock(p->pool);
    if (delta_sat == 0)
        log_info("mempool", "PrioritiseTransaction: %s (%sin mempool) delta cleared",
                 hash_hex(p->txid->b).text, where);
    else
        log_info("mempool", "PrioritiseTransaction: %s (%sin mempool) fee += %s, new delta=%s",
                 hash_hex(p->txid->b).text, where, money_text(p->delta_sat).text,
                 money_text(delta_sat).text);
    return 0;
}

static int prioritise(struct mempool_view *view, const struct txid *txid, int64_t delta_sat,
                      struct error *err)
{
    struct priority p = {pool_of(view), txid, delta_sat};

    return ask(p.pool, run_priority, &p, err);
}

static void prioritised(struct mempool_view *view, struct mempool_prioritised **ret_list,
                        size_t *ret_n, struct arena *arena)
{
    struct mempool *pool = pool_of(view);
    struct mempool_prioritised *found;

    pool_lock(pool);
    found = arena_array(arena, pool->deltas_n, sizeof(*found));
    for (uint32_t i = 0; i < pool->deltas_n; i++) {
        const struct entry *entry = pool_find_txid(pool, &pool->deltas[i].txid);

        found[i] = (struct mempool_prioritised){
            .txid = pool->deltas[i].txid,
            .delta_sat = pool->deltas[i].delta_sat,
            .is_in_mempool = entry != NULL,
            .modified_fee_sat = entry == NULL ? 0 : entry_modified_fee(entry),
        };
    }
    *ret_n = pool->deltas_n;
    end_reading(pool);
    *ret_list = found;
}

static uint64_t changes(struct mempool_view *view)
{
    return atomic_load(&pool_of(view)->changes);
}

/* --- Fee estimates -------------------------------------------------------------------------- */

static struct fee_estimate estimate(struct mempool_view *view, int32_t target_blocks,
                                    enum fee_mode mode)
{
    struct mempool *pool = pool_of(view);
    struct fee_estimate found;
    int64_t rate;

    pool_lock(pool);
    found = fees_estimate(pool->fees, target_blocks, mode);
    if (found.sat_kvb >= 0) {
        /* More than what is paid now for a place that near would be given away. */
        rate = pool_rate_at(pool, found.blocks);
        if (rate > 0)
            found.sat_kvb = MIN(found.sat_kvb, rate);
        found.sat_kvb = MAX(found.sat_kvb, pool_min_fee(pool));
        found.sat_kvb = MAX(found.sat_kvb, pool->options.min_relay_sat_kvb);
    }
    end_reading(pool);
    return found;
}

static int32_t estimate_target_max(struct mempool_view *view)
{
    struct mempool *pool = pool_of(view);
    int32_t target;

    pool_lock(pool);
    target = pool->options.estimates_fees ? fees_target_max(pool->fees) : 0;
    end_reading(pool);
    return target;
}

static size_t estimate_raw(struct mempool_view *view, struct fee_horizon ret_horizons[3],
                           int32_t target_blocks, double threshold)
{
    struct mempool *pool = pool_of(view);
    size_t n;

    pool_lock(pool);
    n = fees_estimate_raw(pool->fees, ret_horizons, target_blocks, threshold);
    end_reading(pool);
    return n;
}

const struct mempool_ops mempool_view_ops = {
    .status = status,
    .has = has,
    .find = find,
    .entry = entry_of,
    .list = list,
    .relatives = relatives,
    .cluster = cluster,
    .diagram = diagram,
    .spender = spender,
    .output = output,
    .walk = walk,
    .sort = sort,
    .unbroadcast = unbroadcast,
    .was_broadcast = was_broadcast,
    .submit = submit,
    .prioritise = prioritise,
    .prioritised = prioritised,
    .pick = pool_pick,
    .changes = changes,
    .save = save_op,
    .import = import_op,
    .estimate = estimate,
    .estimate_target_max = estimate_target_max,
    .estimate_raw = estimate_raw,
};
