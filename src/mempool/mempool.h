/* The mempool: valid transactions that no block contains yet, and the judge of those
 * that want in.
 *
 * Single writer: the chain thread calls everything here but mempool_view(), whose
 * functions any thread may call. The chain stands still while a call judges: coins are
 * those of the published tip.
 */
#ifndef MEMPOOL_MEMPOOL_H
#define MEMPOOL_MEMPOOL_H

#include "consensus/params.h"
#include "headers/tree.h"
#include "iface/events.h"
#include "iface/mempool.h"
#include "os/clock.h"
#include "os/disk.h"
#include "script/sig_cache.h"

struct mempool;

/* The chain as the mempool stands on it; tests bring their own. Chain thread only. */
struct mempool_ground {
    void *context;
    /* The tip whose coins find_coins sees. */
    const struct header_node *(*tip)(void *context);
    /* As coins_find_many; leaves nothing behind in the cache for what is not found or only
     * looked at. */
    int (*find_coins)(void *context, struct coin *ret_coins, bool *ret_found,
                      const struct outpoint *outpoints, size_t n, struct arena *arena,
                      struct error *err);
    /* Does the active chain hold outputs of this transaction ("already known")? */
    int (*has_confirmed)(void *context, bool *ret_has, const struct txid *txid, uint32_t outputs_n,
                         struct error *err);
    /* Runs run(argument) on the chain thread while the chain stands still, waits. Any thread. */
    int (*ask)(void *context, int (*run)(void *argument, struct error *err), void *argument,
               struct error *err);
    bool (*is_initial_block_download)(void *context);
};

/* Options with Core's names and defaults (mempool_options_default). */
struct mempool_options {
    const struct params *params; /* Borrowed, as all pointers here. */
    struct clock *clock;
    struct disk *disk;
    const char *folder;          /* mempool.dat and fee_estimates.dat; copied. */
    struct sig_cache *sig_cache; /* Shared with the chain. */
    struct mempool_ground ground;
    uint64_t seed[2];
    uint64_t limit_bytes;                    /* -maxmempool */
    int64_t expiry_s;                        /* -mempoolexpiry */
    int64_t min_relay_sat_kvb;               /* -minrelaytxfee */
    int64_t incremental_sat_kvb;             /* -incrementalrelayfee */
    int64_t dust_relay_sat_kvb;              /* -dustrelayfee */
    uint32_t cluster_count_max;              /* -limitclustercount */
    int64_t cluster_vsize_max;               /* -limitclustersize */
    uint32_t ancestors_max, descendants_max; /* -limitancestorcount, -limitdescendantcount */
    bool require_standard;                   /* -acceptnonstdtxn */
    bool permit_bare_multisig;               /* -permitbaremultisig */
    bool permit_bare_anchor;
    int64_t max_datacarrier_bytes; /* -datacarriersize; -1: -datacarrier=0 */
    uint32_t bytes_per_sigop;      /* -bytespersigop */
    bool persist;                  /* -persistmempool */
    bool persist_v1;               /* -persistmempoolv1dat */
    int check_ratio;               /* -checkmempool: 1 in n changes is checked whole; 0. */
    bool estimates_fees;           /* Off with -blocksonly: too little is seen. */
    bool accept_stale_fees;        /* -acceptstalefeeestimates */
};
void mempool_options_default(struct mempool_options *ret_options, const struct params *params)
    NONNULL(1, 2);

NODISCARD int mempool_new(struct mempool **ret_pool, const struct mempool_options *options,
                          struct error *err) NONNULL(1, 2);
void mempool_free(struct mempool *own_pool);

/* For everybody. Lives as long as the mempool. */
struct mempool_view *mempool_view(struct mempool *pool) NONNULL(1);
/* What the mempool wants to hear of the chain: app adds it first of all followers. */
const struct chain_events *mempool_events(struct mempool *pool) NONNULL(1);

/* Followers are told tx_added and tx_removed, in the order in which they were added; events
 * is borrowed for the life of the mempool. Before the chain starts; at most 8. */
void mempool_add_events(struct mempool *pool, const struct chain_events *events) NONNULL(1, 2);

/* Judge transactions (see mempool_ops.submit); the sink's way in. Chain thread. */
NODISCARD int mempool_submit(struct mempool *pool, struct tx_result *ret_results,
                             char *ret_package_reason, const struct tx_ref *const *txs,
                             size_t txs_n, const struct tx_submit_options *options,
                             struct error *err);

/* At the start, after imports: reads mempool.dat piece by piece, so that the chain goes
 * on between. Returns 1 while there is more, 0 at the end (also without a file). */
NODISCARD int mempool_load_some(struct mempool *pool, struct error *err);
/* What is due by time: expiry, rolling fee, linearization that was put off, fees file. */
void mempool_idle(struct mempool *pool) NONNULL(1);
/* Is there anything for mempool_idle to do? Any thread: asked so that the chain is not
 * disturbed for nothing. */
bool mempool_is_due(struct mempool *pool) NONNULL(1);
/* Timers behave as if this long had passed (tests). Any thread. */
void mempool_advance_timers(struct mempool *pool, int64_t seconds) NONNULL(1);
/* At the end: mempool.dat (if asked for) and fee_estimates.dat. Any thread, the chain
 * thread having ended. */
NODISCARD int mempool_stop(struct mempool *pool, struct error *err) NONNULL(1);

#endif /* MEMPOOL_MEMPOOL_H */
