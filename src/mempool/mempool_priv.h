/* The mempool's inside: private to the room and its tests.
 *
 * The chain thread alone changes anything, and may read without the lock. Other threads
 * read under pool->mutex only; so the chain thread holds it whenever it changes the
 * entries, the tables or the graph, and whenever it is inside a call of the graph
 * (staging included). Followers are told after the lock has been given back.
 */
#ifndef MEMPOOL_MEMPOOL_PRIV_H
#define MEMPOOL_MEMPOOL_PRIV_H

#include <stdatomic.h>

#include "base/arena.h"
#include "crypto/siphash.h"
#include "mempool/fees.h"
#include "mempool/graph.h"
#include "mempool/index.h"
#include "mempool/mempool.h"
#include "os/thread.h"
#include "policy/standard.h"
#include "primitives/amount.h"

/* One transaction in the mempool, or on its way in. */
struct entry {
    const struct tx_ref *ref; /* Held. */
    int64_t fee_sat;
    int64_t delta_sat; /* Prioritisation. */
    int64_t time_s;
    int64_t weight; /* Sigop-adjusted. */
    int64_t sigop_cost;
    uint64_t sequence; /* 0: came back from a block. */
    int32_t height;    /* Of the tip when it came. */
    uint32_t node;     /* In the graph; also its place in pool->entries. */
    uint32_t heap_at;
    uint32_t txid_hash, wtxid_hash;
    uint16_t fee_bucket; /* mempool/fees.h */
    bool spends_coinbase;
    bool has_locks; /* Relative ones (BIP 68). */
    bool has_dust;
    bool is_unbroadcast;
    bool is_doubtful; /* What it spends went with a block: look again. */
};

static inline int64_t entry_modified_fee(const struct entry *entry)
{
    return entry->fee_sat + entry->delta_sat;
}
static inline int64_t entry_vsize(const struct entry *entry)
{
    return policy_vsize(entry->weight);
}
static inline const struct tx *entry_tx(const struct entry *entry)
{
    return &entry->ref->tx;
}

/* A fee delta the user asked for, of a transaction that need not be here. */
struct delta {
    struct txid txid;
    int64_t delta_sat;
};

/* What counts of a delta: as much as the graph can tell apart, with any fee added. */
#define DELTA_MAX_SAT (GRAPH_FEE_MAX_SAT - MONEY_MAX_SAT)
static inline int64_t delta_in_range(int64_t delta_sat)
{
    return delta_sat > DELTA_MAX_SAT    ? DELTA_MAX_SAT
           : delta_sat < -DELTA_MAX_SAT ? -DELTA_MAX_SAT
                                        : delta_sat;
}

/* Something to tell, once nobody is kept waiting. */
struct notice {
    const struct tx_ref *ref; /* Held. */
    bool is_added;
    enum tx_removal why;
    uint64_t sequence;
    struct mempool_entry entry; /* is_added. */
};

#define FOLLOWERS_MAX 8

struct mempool {
    struct mempool_view view; /* First: the view is the object. */
    struct chain_events events;
    struct mempool_options options;
    char *folder; /* Owned. */
    struct mutex mutex;
    struct siphash_key key;

    struct graph *graph;
    struct entry **entries; /* By node; NULL: none. Owned. */
    uint32_t entries_cap;
    uint32_t *heap; /* Nodes, oldest first. */
    uint32_t heap_cap;
    uint32_t txs_n;
    struct index by_txid;
    struct index by_wtxid;
    struct index by_prevout; /* extra: the input. */
    struct delta *deltas;    /* In no order. */
    uint32_t deltas_n, deltas_cap;
    struct index by_delta; /* id: place in deltas. */
    uint32_t unbroadcast_n;

    uint64_t inner_bytes; /* Of the entries and their transactions. */
    uint64_t vsize_sum;
    int64_t fee_sum_sat;
    uint64_t sequence;        /* The next one. */
    bool is_loaded;           /* mempool.dat has been tried. */
    _Atomic uint64_t changes; /* Of what could be picked for a block. */
    /* What the chain was told to be at last; between the blocks of a change, nothing. */
    struct block_hash tip;
    bool has_tip;
    bool is_between;

    /* The rolling minimum fee rate, in satoshi for 1,000 vbytes. */
    double rolling_sat_kvb;
    int64_t rolling_since_s;
    bool block_since_bump;

    struct fees *fees;
    struct sig_memo *sig_memo;  /* Of the transaction being judged; chain thread. */
    int32_t best_header_height; /* As last told; -1: never. */
    uint64_t fees_saved_us;
    _Atomic int64_t timers_ahead_us; /* What mempool_advance_timers added. */

    struct loading *loading; /* mempool.dat being read; NULL: none. */
    struct mutex save_mutex; /* One writes mempool.dat at a time. */

    const struct chain_events *followers[FOLLOWERS_MAX];
    size_t followers_n;
    struct notice *notices;
    size_t notices_n, notices_cap;
    uint64_t random; /* For the checks of one change in n. */
};

/* --- mempool.c: entries and tables ------------------------------------------- */

struct entry *pool_find_txid(const struct mempool *pool, const struct txid *txid);
struct entry *pool_find_wtxid(const struct mempool *pool, const struct wtxid *wtxid);
/* Who spends it. NULL: nobody here. */
struct entry *pool_find_spender(const struct mempool *pool, const struct outpoint *outpoint);

/* An entry that is not in the tables yet; holds ref. */
struct entry *entry_new(const struct mempool *pool, const struct tx_ref *ref);
void entry_free(struct entry *own_entry);

/* The entry's node is in the main graph (or will be at once). Lock held. */
void pool_insert(struct mempool *pool, struct entry *own_entry);
/* Takes it out of the tables, not out of the graph; tells followers later. Lock held. */
void pool_forget(struct mempool *pool, struct entry *entry, enum tx_removal why);
/* Out of tables and main graph. Lock held. */
void pool_remove(struct mempool *pool, struct entry *entry, enum tx_removal why);
/* With everything that descends from it. Lock held. Returns how many. */
size_t pool_remove_all(struct mempool *pool, struct entry *const *entries, size_t n,
                       enum tx_removal why);
/* Those that spend outputs of tx, each once; from arena. Returns how many. */
size_t pool_children(const struct mempool *pool, const struct tx *tx, struct entry ***ret_children,
                     struct arena *arena);
/* The in-mempool transactions that tx spends from, each once, by txid. */
size_t pool_parents(const struct mempool *pool, const struct tx *tx, struct entry ***ret_parents,
                    struct arena *arena);
/* Sorts by txid and leaves each once. Returns how many. */
size_t entries_unique(struct entry **entries, size_t n);

uint64_t pool_usage(const struct mempool *pool);
/* What enters next must pay at least this by itself. */
int64_t pool_min_fee(struct mempool *pool);
int64_t pool_now_s(const struct mempool *pool);

int64_t pool_delta(const struct mempool *pool, const struct txid *txid);
/* Adds to what is there; 0 in sum forgets it. Lock held. */
void pool_add_delta(struct mempool *pool, const struct txid *txid, int64_t delta_sat);
void pool_forget_delta(struct mempool *pool, const struct txid *txid);

/* entry has entered and stays: gives it its number. Lock held. */
void pool_note_added(struct mempool *pool, struct entry *entry, bool bypass_limits);

void pool_set_unbroadcast(struct mempool *pool, struct entry *entry, bool is_unbroadcast);

static inline void pool_lock(struct mempool *pool)
{
    mutex_lock(&pool->mutex);
}
/* Settles the graph, so that others may read it. */
void pool_unlock(struct mempool *pool);
/* To the followers, after pool_unlock: what has happened meanwhile. */
void pool_tell(struct mempool *pool);

/* --- view.c ------------------------------------------------------------------- */

extern const struct mempool_ops mempool_view_ops;
/* By value, without relatives. Lock held, or chain thread. */
void entry_describe(const struct mempool *pool, struct mempool_entry *ret,
                    const struct entry *entry);

/* --- pick.c ------------------------------------------------------------------- */

NODISCARD int pool_pick(struct mempool_view *view, struct mempool_pick **ret_picks, size_t *ret_n,
                        uint64_t *ret_changes, const struct mempool_pick_options *options,
                        struct arena *arena, struct error *err);

/* The feerate at which a chunk would be in the first so many blocks, by what waits here; 0:
 * it does not fill one. Lock held. */
int64_t pool_rate_at(struct mempool *pool, int32_t blocks);
/* Writes fee_estimates.dat. */
NODISCARD int pool_save_fees(struct mempool *pool, struct error *err);

/* --- limit.c ------------------------------------------------------------------ */

/* Expires and evicts until the bound holds. Lock held. */
void pool_limit(struct mempool *pool);

/* --- accept.c ------------------------------------------------------------------ */

/* How transactions are judged. */
struct accept_args {
    int64_t time_s;
    bool test_only;
    bool bypass_limits;
    bool allow_replacement;
    bool allow_sibling_eviction;
    bool is_package_submission; /* The bound on memory is kept by the caller. */
    bool use_package_feerates;
    bool is_local;
    int64_t max_fee_rate_sat_kvb;  /* Of the modified fee; 0: none. */
    int64_t max_base_rate_sat_kvb; /* Of the base fee, without sigops; 0: none. */
};
/* One transaction. An error is the machine's. result is zeroed before. */
NODISCARD int accept_one(struct mempool *pool, struct tx_result *result, const struct tx_ref *ref,
                         const struct accept_args *args, struct error *err);

/* --- package.c; results are zeroed before, ret_reason is empty ------------------- */

/* A list, parents first, together or not at all. */
NODISCARD int accept_many(struct mempool *pool, struct tx_result *results, char *ret_reason,
                          const struct tx_ref *const *txs, size_t n, const struct accept_args *args,
                          struct error *err);
/* A child with its parents: each by itself, then those together that need it. */
NODISCARD int accept_package(struct mempool *pool, struct tx_result *results, char *ret_reason,
                             const struct tx_ref *const *txs, size_t n,
                             const struct accept_args *args, struct error *err);

/* --- follow.c ------------------------------------------------------------------- */

void follow_init(struct mempool *pool);

/* --- check.c -------------------------------------------------------------------- */

/* -checkmempool: everything that must hold, one change in n; ends the process if it does
 * not. Chain thread. */
void pool_check(struct mempool *pool);

#endif /* MEMPOOL_MEMPOOL_PRIV_H */
