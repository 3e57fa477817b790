#include "mempool/mempool.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "mempool/mempool_priv.h"
#include "mempool/save_priv.h"
#include "policy/standard.h"
#include "script/sig_memo.h"

#define MEMPOOL_BYTES_DEFAULT (UINT64_C(300) * 1000 * 1000)
#define MEMPOOL_EXPIRY_DEFAULT_S (INT64_C(336) * 60 * 60)
#define CLUSTER_VSIZE_DEFAULT 101000
#define RELATIVES_DEFAULT 25
/* The bound must hold this many of the largest clusters. */
#define CLUSTERS_MIN 40
#define CHECK_RATIO_MAX 1000000
/* What malloc adds to a piece, and rounds to. */
#define PIECE_OVERHEAD 8
#define PIECE_STEP 16

static size_t piece_bytes(size_t bytes)
{
    return (bytes + PIECE_OVERHEAD + PIECE_STEP - 1) / PIECE_STEP * PIECE_STEP;
}

static size_t entry_bytes(const struct entry *entry)
{
    return piece_bytes(sizeof(*entry)) + piece_bytes(entry->ref->memory_bytes);
}

void mempool_options_default(struct mempool_options *ret_options, const struct params *params)
{
    *ret_options = (struct mempool_options){
        .params = params,
        .limit_bytes = MEMPOOL_BYTES_DEFAULT,
        .expiry_s = MEMPOOL_EXPIRY_DEFAULT_S,
        .min_relay_sat_kvb = POLICY_MIN_RELAY_SAT_KVB,
        .incremental_sat_kvb = POLICY_INCREMENTAL_RELAY_SAT_KVB,
        .dust_relay_sat_kvb = POLICY_DUST_RELAY_SAT_KVB,
        .cluster_count_max = GRAPH_CLUSTER_MAX,
        .cluster_vsize_max = CLUSTER_VSIZE_DEFAULT,
        .ancestors_max = RELATIVES_DEFAULT,
        .descendants_max = RELATIVES_DEFAULT,
        .require_standard = true,
        .permit_bare_multisig = true,
        .permit_bare_anchor = true,
        .max_datacarrier_bytes = POLICY_DATACARRIER_BYTES_MAX,
        .bytes_per_sigop = POLICY_BYTES_PER_SIGOP,
        .persist = true,
        .estimates_fees = true,
        .check_ratio = params->default_consistency_checks,
    };
}

/* Ties between equal feerates go by txid. */
static int compare_txids(const void *a_user, const void *b_user)
{
    const struct entry *a = a_user;
    const struct entry *b = b_user;

    return memcmp(entry_tx(a)->txid.b, entry_tx(b)->txid.b, HASH_BYTES);
}

int mempool_new(struct mempool **ret_pool, const struct mempool_options *options, struct error *err)
{
    uint64_t least = (uint64_t)options->cluster_vsize_max * CLUSTERS_MIN;
    struct graph_options graph = {
        .cluster_nodes_max = options->cluster_count_max,
        .cluster_size_max = (uint64_t)options->cluster_vsize_max * WITNESS_SCALE_FACTOR,
        .seed = options->seed[0] ^ options->seed[1],
        .compare = compare_txids,
    };
    struct mempool *pool;

    if (options->limit_bytes > 0 && options->limit_bytes < least)
        return error_set(err, E_LIMIT, "-maxmempool must be at least %llu MB",
                         (unsigned long long)((least + 999999) / 1000000));
    pool = alloc_zero(sizeof(*pool));
    pool->view.ops = &mempool_view_ops;
    pool->options = *options;
    pool->options.check_ratio = MAX(0, MIN(options->check_ratio, CHECK_RATIO_MAX));
    pool->folder = alloc_string(options->folder == NULL ? "" : options->folder);
    pool->options.folder = pool->folder;
    pool->key = (struct siphash_key){.k0 = options->seed[0], .k1 = options->seed[1]};
    pool->random = options->seed[1] | 1;
    pool->sequence = 1;
    pool->rolling_since_s = pool_now_s(pool);
    pool->graph = graph_new(&graph);
    pool->sig_memo = sig_memo_new(&sig_engine_default);
    pool->best_header_height = -1;
    pool->fees_saved_us = clock_monotonic_us(options->clock);
    /* File times are the machine's, whatever the mocked clock says. */
    pool->fees = fees_new(options->estimates_fees ? options->disk : NULL, pool->folder,
                          options->accept_stale_fees ? 0 : clock_wall_s(options->clock));
    mutex_init(&pool->mutex);
    mutex_init(&pool->save_mutex);
    follow_init(pool);
    *ret_pool = pool;
    return 0;
}

void mempool_free(struct mempool *own_pool)
{
    if (own_pool == NULL)
        return;
    loading_free(own_pool->loading);
    for (uint32_t i = 0; i < own_pool->entries_cap; i++)
        entry_free(own_pool->entries[i]);
    free(own_pool->entries);
    free(own_pool->heap);
    free(own_pool->deltas);
    free(own_pool->notices);
    index_clear(&own_pool->by_txid);
    index_clear(&own_pool->by_wtxid);
    index_clear(&own_pool->by_prevout);
    index_clear(&own_pool->by_delta);
    graph_free(own_pool->graph);
    sig_memo_free(own_pool->sig_memo);
    fees_free(own_pool->fees);
    mutex_clear(&own_pool->save_mutex);
    mutex_clear(&own_pool->mutex);
    free(own_pool->folder);
    free(own_pool);
}

struct mempool_view *mempool_view(struct mempool *pool)
{
    return &pool->view;
}

const struct chain_events *mempool_events(struct mempool *pool)
{
    return &pool->events;
}

void mempool_add_events(struct mempool *pool, const struct chain_events *events)
{
    CHECK(pool->followers_n < FOLLOWERS_MAX);
    pool->followers[pool->followers_n++] = events;
}

int64_t pool_now_s(const struct mempool *pool)
{
    return clock_wall_s(pool->options.clock);
}

/* --- Finding -------------------------------------------------------------------- */

static uint32_t hash_id(const struct mempool *pool, const uint8_t *id)
{
    return (uint32_t)siphash_id(&pool->key, id);
}

static uint32_t hash_prevout(const struct mempool *pool, const struct outpoint *outpoint)
{
    return (uint32_t)siphash_outpoint(&pool->key, outpoint->txid.b, outpoint->vout);
}

struct entry *pool_find_txid(const struct mempool *pool, const struct txid *txid)
{
    uint32_t hash = hash_id(pool, txid->b);
    const struct index_slot *slot;

    for (uint32_t at = hash; (slot = index_next(&pool->by_txid, hash, &at)) != NULL;) {
        struct entry *entry = pool->entries[slot->id];

        if (txid_equal(&entry_tx(entry)->txid, txid))
            return entry;
    }
    return NULL;
}

struct entry *pool_find_wtxid(const struct mempool *pool, const struct wtxid *wtxid)
{
    uint32_t hash = hash_id(pool, wtxid->b);
    const struct index_slot *slot;

    for (uint32_t at = hash; (slot = index_next(&pool->by_wtxid, hash, &at)) != NULL;) {
        struct entry *entry = pool->entries[slot->id];

        if (wtxid_equal(&entry_tx(entry)->wtxid, wtxid))
            return entry;
    }
    return NULL;
}

struct entry *pool_find_spender(const struct mempool *pool, const struct outpoint *outpoint)
{
    uint32_t hash = hash_prevout(pool, outpoint);
    const struct index_slot *slot;

    for (uint32_t at = hash; (slot = index_next(&pool->by_prevout, hash, &at)) != NULL;) {
        struct entry *entry = pool->entries[slot->id];

        if (outpoint_equal(&entry_tx(entry)->in[slot->extra].prevout, outpoint))
            return entry;
    }
    return NULL;
}

static int compare_entries(const void *a_ptr, const void *b_ptr)
{
    return compare_txids(*(struct entry *const *)a_ptr, *(struct entry *const *)b_ptr);
}

size_t entries_unique(struct entry **entries, size_t n)
{
    size_t kept = 0;

    if (n > 1)
        qsort(entries, n, sizeof(*entries), compare_entries);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || entries[kept - 1] != entries[i])
            entries[kept++] = entries[i];
    }
    return kept;
}

size_t pool_parents(const struct mempool *pool, const struct tx *tx, struct entry ***ret_parents,
                    struct arena *arena)
{
    struct entry **parents = arena_array(arena, tx->in_n, sizeof(struct entry *));
    size_t n = 0;

    for (uint32_t i = 0; i < tx->in_n; i++) {
        struct entry *parent = pool_find_txid(pool, &tx->in[i].prevout.txid);

        if (parent != NULL && (n == 0 || parents[n - 1] != parent))
            parents[n++] = parent;
    }
    *ret_parents = parents;
    return entries_unique(parents, n);
}

size_t pool_children(const struct mempool *pool, const struct tx *tx, struct entry ***ret_children,
                     struct arena *arena)
{
    struct entry **children = arena_array(arena, tx->out_n, sizeof(struct entry *));
    size_t n = 0;

    for (uint32_t i = 0; i < tx->out_n; i++) {
        struct outpoint outpoint = {.txid = tx->txid, .vout = i};
        struct entry *child = pool_find_spender(pool, &outpoint);

        if (child != NULL)
            children[n++] = child;
    }
    *ret_children = children;
    return entries_unique(children, n);
}

/* --- The heap of times ------------------------------------------------------------ */

static bool is_older(const struct mempool *pool, uint32_t a, uint32_t b)
{
    return pool->entries[a]->time_s < pool->entries[b]->time_s;
}

static void heap_put(struct mempool *pool, uint32_t at, uint32_t node)
{
    pool->heap[at] = node;
    pool->entries[node]->heap_at = at;
}

static void heap_up(struct mempool *pool, uint32_t at)
{
    uint32_t node = pool->heap[at];

    while (at > 0 && is_older(pool, node, pool->heap[(at - 1) / 2])) {
        heap_put(pool, at, pool->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_put(pool, at, node);
}

static void heap_down(struct mempool *pool, uint32_t at, uint32_t n)
{
    uint32_t node = pool->heap[at];

    while (at * 2 + 1 < n) {
        uint32_t child = at * 2 + 1;

        if (child + 1 < n && is_older(pool, pool->heap[child + 1], pool->heap[child]))
            child++;
        if (!is_older(pool, pool->heap[child], node))
            break;
        heap_put(pool, at, pool->heap[child]);
        at = child;
    }
    heap_put(pool, at, node);
}

/* n: with it. */
static void heap_remove(struct mempool *pool, uint32_t at, uint32_t n)
{
    uint32_t last = pool->heap[n - 1];

    if (at == n - 1)
        return;
    heap_put(pool, at, last);
    heap_up(pool, at);
    heap_down(pool, pool->entries[last]->heap_at, n - 1);
}

/* --- Entries ------------------------------------------------------------------------ */

struct entry *entry_new(const struct mempool *pool, const struct tx_ref *ref)
{
    struct entry *entry = alloc_zero(sizeof(*entry));

    entry->ref = tx_ref_hold(ref);
    entry->node = GRAPH_NONE;
    entry->fee_bucket = FEES_UNTRACKED;
    entry->txid_hash = hash_id(pool, ref->tx.txid.b);
    entry->wtxid_hash = hash_id(pool, ref->tx.wtxid.b);
    return entry;
}

void entry_free(struct entry *own_entry)
{
    if (own_entry == NULL)
        return;
    tx_ref_drop(own_entry->ref);
    free(own_entry);
}

static void grow_tables(struct mempool *pool, uint32_t node)
{
    if (node >= pool->entries_cap) {
        uint32_t cap = MAX(64U, MAX(node + 1, pool->entries_cap + pool->entries_cap / 2));

        pool->entries = realloc_array(pool->entries, cap, sizeof(*pool->entries));
        memset(pool->entries + pool->entries_cap, 0,
               (cap - pool->entries_cap) * sizeof(*pool->entries));
        pool->entries_cap = cap;
    }
    if (pool->txs_n >= pool->heap_cap) {
        pool->heap_cap = MAX(64U, pool->heap_cap + pool->heap_cap / 2);
        pool->heap = realloc_array(pool->heap, pool->heap_cap, sizeof(*pool->heap));
    }
}

void pool_insert(struct mempool *pool, struct entry *own_entry)
{
    const struct tx *tx = entry_tx(own_entry);
    uint32_t node = own_entry->node;

    CHECK(node != GRAPH_NONE);
    grow_tables(pool, node);
    CHECK(pool->entries[node] == NULL);
    pool->entries[node] = own_entry;
    index_add(&pool->by_txid, own_entry->txid_hash, node, 0);
    index_add(&pool->by_wtxid, own_entry->wtxid_hash, node, 0);
    for (uint32_t i = 0; i < tx->in_n; i++)
        index_add(&pool->by_prevout, hash_prevout(pool, &tx->in[i].prevout), node, i);
    pool->heap[pool->txs_n++] = node;
    heap_up(pool, pool->txs_n - 1);
    pool->inner_bytes += entry_bytes(own_entry);
    pool->vsize_sum += (uint64_t)entry_vsize(own_entry);
    pool->fee_sum_sat += own_entry->fee_sat;
    pool->changes++;
}

static struct notice *add_notice(struct mempool *pool)
{
    if (pool->notices_n == pool->notices_cap) {
        pool->notices_cap = MAX((size_t)16, pool->notices_cap * 2);
        pool->notices = realloc_array(pool->notices, pool->notices_cap, sizeof(*pool->notices));
    }
    return &pool->notices[pool->notices_n++];
}

void pool_forget(struct mempool *pool, struct entry *entry, enum tx_removal why)
{
    const struct tx *tx = entry_tx(entry);
    uint32_t node = entry->node;
    uint64_t sequence = pool->sequence++;

    if (entry->is_unbroadcast)
        log_debug("mempool",
                  "Removed %s from set of unbroadcast txns before confirmation that txn was sent "
                  "out",
                  hash_hex(tx->txid.b).text);
    pool_set_unbroadcast(pool, entry, false);
    heap_remove(pool, entry->heap_at, pool->txs_n);
    index_remove(&pool->by_txid, entry->txid_hash, node, 0);
    index_remove(&pool->by_wtxid, entry->wtxid_hash, node, 0);
    for (uint32_t i = 0; i < tx->in_n; i++)
        index_remove(&pool->by_prevout, hash_prevout(pool, &tx->in[i].prevout), node, i);
    pool->txs_n--;
    pool->inner_bytes -= entry_bytes(entry);
    pool->vsize_sum -= (uint64_t)entry_vsize(entry);
    pool->fee_sum_sat -= entry->fee_sat;
    pool->entries[node] = NULL;
    pool->changes++;
    if (why != TX_REMOVED_BLOCK) {
        *add_notice(pool) =
            (struct notice){.ref = tx_ref_hold(entry->ref), .why = why, .sequence = sequence};
        fees_tx_removed(pool->fees, entry->fee_bucket, entry->height);
    }
    entry_free(entry);
}

void pool_remove(struct mempool *pool, struct entry *entry, enum tx_removal why)
{
    graph_remove(pool->graph, entry->node);
    pool_forget(pool, entry, why);
}

size_t pool_remove_all(struct mempool *pool, struct entry *const *entries, size_t n,
                       enum tx_removal why)
{
    uint32_t *nodes = alloc_array(n + 1, sizeof(*nodes));
    const uint32_t *found;
    uint32_t *gone;
    size_t gone_n;

    for (size_t i = 0; i < n; i++)
        nodes[i] = entries[i]->node;
    gone_n = graph_descendants_of(pool->graph, GRAPH_MAIN, nodes, n, &found);
    gone = alloc_array(gone_n + 1, sizeof(*gone));
    if (gone_n > 0)
        memcpy(gone, found, gone_n * sizeof(*gone));
    for (size_t i = 0; i < gone_n; i++)
        pool_remove(pool, pool->entries[gone[i]], why);
    free(gone);
    free(nodes);
    return gone_n;
}

uint64_t pool_usage(const struct mempool *pool)
{
    return pool->inner_bytes + index_bytes(&pool->by_txid) + index_bytes(&pool->by_wtxid) +
           index_bytes(&pool->by_prevout) + index_bytes(&pool->by_delta) +
           pool->entries_cap * sizeof(*pool->entries) + pool->heap_cap * sizeof(*pool->heap) +
           pool->deltas_cap * sizeof(*pool->deltas) + graph_memory_bytes(pool->graph);
}

/* --- Fee deltas ------------------------------------------------------------------- */

static struct delta *find_delta(const struct mempool *pool, const struct txid *txid)
{
    uint32_t hash = hash_id(pool, txid->b);
    const struct index_slot *slot;

    if (pool->deltas_n == 0)
        return NULL;
    for (uint32_t at = hash; (slot = index_next(&pool->by_delta, hash, &at)) != NULL;) {
        if (txid_equal(&pool->deltas[slot->id].txid, txid))
            return &pool->deltas[slot->id];
    }
    return NULL;
}

int64_t pool_delta(const struct mempool *pool, const struct txid *txid)
{
    const struct delta *delta = find_delta(pool, txid);

    return delta == NULL ? 0 : delta->delta_sat;
}

void pool_forget_delta(struct mempool *pool, const struct txid *txid)
{
    struct delta *delta = find_delta(pool, txid);
    uint32_t at;
    struct delta *last;

    if (delta == NULL)
        return;
    at = (uint32_t)(delta - pool->deltas);
    last = &pool->deltas[pool->deltas_n - 1];
    index_remove(&pool->by_delta, hash_id(pool, delta->txid.b), at, 0);
    if (delta != last) {
        index_remove(&pool->by_delta, hash_id(pool, last->txid.b), pool->deltas_n - 1, 0);
        *delta = *last;
        index_add(&pool->by_delta, hash_id(pool, delta->txid.b), at, 0);
    }
    pool->deltas_n--;
}

static int64_t add_saturating(int64_t a, int64_t b)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return a < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

void pool_add_delta(struct mempool *pool, const struct txid *txid, int64_t delta_sat)
{
    struct delta *delta = find_delta(pool, txid);
    struct entry *entry = pool_find_txid(pool, txid);

    if (delta == NULL) {
        if (pool->deltas_n == pool->deltas_cap) {
            pool->deltas_cap = MAX(16U, pool->deltas_cap * 2);
            pool->deltas = realloc_array(pool->deltas, pool->deltas_cap, sizeof(*pool->deltas));
        }
        index_add(&pool->by_delta, hash_id(pool, txid->b), pool->deltas_n, 0);
        delta = &pool->deltas[pool->deltas_n++];
        *delta = (struct delta){.txid = *txid};
    }
    delta->delta_sat = add_saturating(delta->delta_sat, delta_sat);
    if (entry != NULL) {
        entry->delta_sat = delta_in_range(delta->delta_sat);
        graph_set_fee(pool->graph, entry->node, entry_modified_fee(entry));
        pool->changes++;
    }
    if (delta->delta_sat == 0)
        pool_forget_delta(pool, txid);
}

void pool_set_unbroadcast(struct mempool *pool, struct entry *entry, bool is_unbroadcast)
{
    if (entry->is_unbroadcast == is_unbroadcast)
        return;
    entry->is_unbroadcast = is_unbroadcast;
    if (is_unbroadcast)
        pool->unbroadcast_n++;
    else
        pool->unbroadcast_n--;
}

/* --- The lock, and telling ----------------------------------------------------------- */

void pool_unlock(struct mempool *pool)
{
    graph_settle(pool->graph);
    mutex_unlock(&pool->mutex);
}

void pool_tell(struct mempool *pool)
{
    for (size_t i = 0; i < pool->notices_n; i++) {
        struct notice *notice = &pool->notices[i];

        for (size_t k = 0; k < pool->followers_n; k++) {
            const struct chain_events *follower = pool->followers[k];

            if (notice->is_added && follower->tx_added != NULL)
                follower->tx_added(follower->context, notice->ref, &notice->entry);
            else if (!notice->is_added && follower->tx_removed != NULL)
                follower->tx_removed(follower->context, notice->ref, notice->why, notice->sequence);
        }
        tx_ref_drop(notice->ref);
    }
    pool->notices_n = 0;
}

void pool_note_added(struct mempool *pool, struct entry *entry, bool bypass_limits)
{
    uint64_t sequence = pool->sequence++;
    struct notice *notice = add_notice(pool);

    /* What came back from a block came before all that was here. */
    entry->sequence = bypass_limits ? 0 : sequence;
    *notice =
        (struct notice){.ref = tx_ref_hold(entry->ref), .is_added = true, .sequence = sequence};
    entry_describe(pool, &notice->entry, entry);
    notice->entry.sequence = sequence;
}
