/* The mempool as other rooms see it: a table of functions that app wires to the
 * mempool room.
 *
 * Any thread may call. Reads take one short lock and return copies, or
 * transactions that are immutable and counted. Calls that change the mempool go to
 * the chain thread and return when it has done them; p2p hands transactions in
 * through iface/sink.h instead and does not wait.
 */
#ifndef IFACE_MEMPOOL_H
#define IFACE_MEMPOOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/verdict.h"
#include "iface/node.h"
#include "primitives/tx_ref.h"

struct mempool_view;

/* A transaction by one of its two names. */
struct tx_name {
    uint8_t id[32]; /* Wire order. */
    bool is_wtxid;
};

/* How the offer of one transaction ended. */
enum tx_outcome {
    TX_ACCEPTED,    /* In the mempool now (or would be, when only tested). */
    TX_KNOWN,       /* It was in the mempool already. */
    TX_KNOWN_OTHER, /* The same txid with another witness is. */
    TX_REFUSED,     /* See cause. */
    TX_NOT_JUDGED   /* Package: another transaction's failure ended it before. */
};

/* What a refusal means for others that offer the same or a like transaction. */
enum tx_cause {
    TX_CAUSE_NONE,
    TX_CAUSE_CONSENSUS,        /* Breaks a rule: whoever sends it is broken or hostile. */
    TX_CAUSE_STANDARD,         /* Not standard by this node's policy. */
    TX_CAUSE_INPUTS,           /* Nor are the outputs it spends: no other witness mends it. */
    TX_CAUSE_MISSING_INPUTS,   /* Parents unknown, or spent. */
    TX_CAUSE_PREMATURE,        /* Locked until later. */
    TX_CAUSE_WITNESS_STRIPPED, /* The witness is missing: the txid is not spoilt. */
    TX_CAUSE_WITNESS_MUTATED,  /* The witness is bad: the wtxid is. */
    TX_CAUSE_CONFLICT,         /* Spends what another spends, or is in the chain. */
    TX_CAUSE_POLICY,           /* Mempool limits: size, chain of unconfirmed, full. */
    TX_CAUSE_FEE,              /* Too low a feerate by itself: may do with a child. */
    TX_CAUSE_INTERNAL          /* Not looked at (the node starts or stops). */
};

#define TX_REASON_MAX 192
#define TX_DETAIL_MAX 384
#define TX_PACKAGE_REASON_MAX (TX_REASON_MAX + TX_DETAIL_MAX + 2)

struct tx_result {
    struct txid txid;
    struct wtxid wtxid;
    enum tx_outcome outcome;
    enum tx_cause cause;
    enum verdict verdict;       /* TX_CAUSE_CONSENSUS: the rule; else V_VALID. */
    char reason[TX_REASON_MAX]; /* Core's reject reason, "" when accepted. */
    char detail[TX_DETAIL_MAX]; /* More of it; "" if there is no more. */
    int64_t fee_sat;            /* Base fee; valid where fees were looked at. */
    int64_t vsize;              /* Sigop-adjusted, virtual bytes; 0: not known. */
    bool has_fee;
    /* The feerate it was judged by, and with whom (package: wtxids of that chunk). */
    int64_t effective_sat_kvb;
    struct wtxid *effective_with; /* Owned by the result array's holder; may be NULL. */
    size_t effective_with_n;
    struct wtxid other_wtxid; /* TX_KNOWN_OTHER. */
    /* Transactions that left the mempool for it, owned. */
    const struct tx_ref **replaced;
    size_t replaced_n;
};
/* Frees what the result owns; zeroes it. */
void tx_result_clear(struct tx_result *result);

/* The limits a submitter sets for himself. 0: none. */
struct tx_submit_options {
    bool test_only;     /* Changes nothing. */
    bool is_package;    /* Judged together, parents first (submitpackage). */
    bool bypass_limits; /* From disk or a disconnected block. */
    int64_t max_feerate_sat_kvb;
    int64_t max_burn_sat;
    bool is_local; /* Ours: announced until a peer has asked for it. */
};

/* Why a transaction left. Core's words for ZMQ and log lie beside the room. */
enum tx_removal {
    TX_REMOVED_EXPIRY,
    TX_REMOVED_SIZE_LIMIT,
    TX_REMOVED_REORG,
    TX_REMOVED_BLOCK,
    TX_REMOVED_CONFLICT,
    TX_REMOVED_REPLACED
};

/* One transaction of the mempool, by value. Sizes are sigop-adjusted vbytes. */
struct mempool_entry {
    struct txid txid;
    struct wtxid wtxid;
    int64_t vsize;
    int64_t weight;
    int64_t fee_sat;
    int64_t modified_fee_sat; /* With prioritisation. */
    int64_t time_s;
    int32_t height;    /* Of the tip when it came. */
    uint64_t sequence; /* Rises with each one that enters; p2p's and ZMQ's order. 0: it came
                        * back from a block (but in tx_added, which tells its number). */
    uint64_t ancestors_n, descendants_n; /* Both with itself. */
    int64_t ancestors_vsize, ancestors_fee_sat;
    int64_t descendants_vsize, descendants_fee_sat; /* Fees modified. */
    int64_t chunk_fee_sat, chunk_weight;
    bool replaceable; /* BIP 125 signal, its own or an ancestor's. */
    bool unbroadcast;
    /* In-mempool parents and children; filled by entry and list with want_relatives;
     * owned, from the caller's arena. */
    const struct txid *parents;
    const struct txid *children;
    uint32_t parents_n, children_n;
};

struct mempool_status {
    bool is_loaded;
    uint64_t txs_n;
    uint64_t bytes;       /* Sum of vsizes. */
    uint64_t usage_bytes; /* Memory. */
    uint64_t limit_bytes; /* -maxmempool */
    int64_t total_fee_sat;
    int64_t min_fee_sat_kvb; /* What is asked now: the greater of rolling and relay. */
    int64_t min_relay_sat_kvb;
    int64_t incremental_sat_kvb;
    int64_t dust_relay_sat_kvb;
    bool require_standard; /* Off with -acceptnonstdtxn. */
    bool permit_bare_multisig;
    int64_t max_datacarrier_bytes; /* -1: none is taken. */
    uint32_t cluster_count_max;
    int64_t cluster_vsize_max;
    uint64_t unbroadcast_n;
    uint64_t sequence; /* Of the last change; 0: there was none. */
    bool is_optimal;   /* All clusters are linearized as well as can be. */
};

/* A point or step of a feerate diagram: sums over chunks in order. */
struct feerate_point {
    int64_t fee_sat;
    int64_t weight;
};

struct mempool_chunk {
    int64_t fee_sat;
    int64_t weight;
    const struct txid *txids; /* In order. */
    uint32_t txs_n;
};
struct mempool_cluster {
    int64_t weight;
    uint32_t txs_n;
    struct mempool_chunk *chunks;
    uint32_t chunks_n;
};

/* For a template: chosen transactions in block order (parents first, best chunks
 * first). */
struct mempool_pick {
    const struct tx_ref *tx; /* Held for the caller. */
    int64_t fee_sat;
    int64_t weight;
    int64_t sigop_cost;
};
struct mempool_pick_options {
    struct block_hash prev;     /* The tip they are wanted for. */
    int64_t weight_max;         /* All of them together stay below it ... */
    int64_t sigop_cost_max;     /* ... and below this. */
    int64_t min_sat_kvb;        /* Chunks below it are left out. */
    int32_t height;             /* Finality is judged for a block of this height ... */
    int64_t lock_time_cutoff_s; /* ... and this median time past. */
};

struct mempool_prioritised {
    struct txid txid;
    int64_t delta_sat;
    bool is_in_mempool;
    int64_t modified_fee_sat;
};

struct mempool_import_options {
    bool use_current_time;
    bool apply_fee_deltas;
    bool apply_unbroadcast;
};

enum fee_mode { FEE_ECONOMICAL, FEE_CONSERVATIVE };
struct fee_estimate {
    int64_t sat_kvb; /* -1: not enough data. */
    int32_t blocks;  /* For which the answer holds. */
};
/* One decay horizon of estimaterawfee. */
struct fee_bucket_range {
    double start, end, within_target, total_confirmed, in_mempool, left_mempool;
};
struct fee_horizon {
    const char *name; /* "short", "medium", "long" */
    bool is_reached;  /* conf_target lies within it. */
    int64_t sat_kvb;  /* -1: none. */
    double decay;
    int32_t scale;
    struct fee_bucket_range pass, fail; /* start < 0: none. */
};

struct mempool_ops {
    void (*status)(struct mempool_view *pool, struct mempool_status *ret_status);

    bool (*has)(struct mempool_view *pool, const struct tx_name *name);
    /* The transaction, held for the caller; NULL if it is not there. ret_entry: NULL,
     * or filled without relatives. */
    const struct tx_ref *(*find)(struct mempool_view *pool, struct mempool_entry *ret_entry,
                                 const struct tx_name *name);
    /* 0 or E_NOT_FOUND. */
    int (*entry)(struct mempool_view *pool, struct mempool_entry *ret_entry,
                 const struct txid *txid, struct arena *arena);
    /* All, in the order best chunk first; sequence: of the last change contained. */
    void (*list)(struct mempool_view *pool, struct mempool_entry **ret_entries, size_t *ret_n,
                 uint64_t *ret_sequence, bool want_relatives, struct arena *arena);
    /* Without itself. 0 or E_NOT_FOUND. */
    int (*relatives)(struct mempool_view *pool, struct mempool_entry **ret_entries, size_t *ret_n,
                     const struct txid *txid, bool descendants, struct arena *arena);
    int (*cluster)(struct mempool_view *pool, struct mempool_cluster *ret_cluster,
                   const struct txid *txid, struct arena *arena);
    void (*diagram)(struct mempool_view *pool, struct feerate_point **ret_points, size_t *ret_n,
                    struct arena *arena);
    /* Who spends it. The transaction is held for the caller; NULL: nobody. */
    const struct tx_ref *(*spender)(struct mempool_view *pool, const struct outpoint *outpoint);
    /* The output of a mempool transaction, for those who spend unconfirmed ones; false:
     * not there. Script in arena. */
    bool (*output)(struct mempool_view *pool, struct tx_out *ret_out,
                   const struct outpoint *outpoint, struct arena *arena);

    /* For p2p. walk: wtxids and transactions in no order, under the lock: visit must be
     * quick and may hold what it is shown; false ends it. */
    void (*walk)(struct mempool_view *pool, bool (*visit)(void *context, const struct tx_ref *tx),
                 void *context);
    /* Sorts what is announced: parents first, better feerate first; those no longer in the
     * mempool go out. Returns how many stay. entries may be NULL, else filled beside. */
    size_t (*sort)(struct mempool_view *pool, struct wtxid *wtxids, size_t n);
    void (*unbroadcast)(struct mempool_view *pool, struct txid **ret_txids, size_t *ret_n,
                        struct arena *arena);
    /* A peer has asked for it: it is on its way. */
    void (*was_broadcast)(struct mempool_view *pool, const struct txid *txid);

    /* Judge txs_n transactions: one, or a package or a list to test. results: txs_n
     * entries, each to be cleared by the caller. Package-wide refusal ("package-too-large",
     * ...): ret_package_reason, TX_PACKAGE_REASON_MAX bytes, with its detail ("reason,
     * detail"), else "". */
    int (*submit)(struct mempool_view *pool, struct tx_result *ret_results,
                  char *ret_package_reason, const struct tx_ref *const *txs, size_t txs_n,
                  const struct tx_submit_options *options, struct error *err);
    int (*prioritise)(struct mempool_view *pool, const struct txid *txid, int64_t delta_sat,
                      struct error *err);
    void (*prioritised)(struct mempool_view *pool, struct mempool_prioritised **ret_list,
                        size_t *ret_n, struct arena *arena);

    /* For blocks. picks: from arena; each tx is to be dropped. ret_changes: see changes.
     * E_STATE: the mempool is on its way to another tip; nothing is written. */
    int (*pick)(struct mempool_view *pool, struct mempool_pick **ret_picks, size_t *ret_n,
                uint64_t *ret_changes, const struct mempool_pick_options *options,
                struct arena *arena, struct error *err);
    /* Rises with everything that may change what is picked, and with nothing else. */
    uint64_t (*changes)(struct mempool_view *pool);

    int (*save)(struct mempool_view *pool, char **ret_path, struct error *err);
    int (*import)(struct mempool_view *pool, const char *path,
                  const struct mempool_import_options *options, struct error *err);

    struct fee_estimate (*estimate)(struct mempool_view *pool, int32_t target_blocks,
                                    enum fee_mode mode);
    /* 0: fees are not estimated. */
    int32_t (*estimate_target_max)(struct mempool_view *pool);
    /* Up to three, as many as know the target. */
    size_t (*estimate_raw)(struct mempool_view *pool, struct fee_horizon ret_horizons[3],
                           int32_t target_blocks, double threshold);
};

struct mempool_view {
    const struct mempool_ops *ops;
};

#endif /* IFACE_MEMPOOL_H */
