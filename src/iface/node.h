/* The node as upper rooms see it: a table of functions that app wires to the
 * chain. Rooms such as rpc, index, wallet and explorer use nothing else of it.
 *
 * Any thread may call; reads come from published snapshots and never wait for
 * validation. Calls that change the chain (submit_*, invalidate, ...) are queued
 * to the chain thread and return when it has done them.
 */
#ifndef IFACE_NODE_H
#define IFACE_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/verdict.h"
#include "primitives/block.h"
#include "primitives/coin.h"

struct node;

enum block_validity {
    BLOCK_HEADER_ONLY,  /* The header is good; no transactions seen. */
    BLOCK_TRANSACTIONS, /* Context-free checks passed. */
    BLOCK_SCRIPTS,      /* Connected once, everything checked. */
    BLOCK_FAILED,       /* Invalid. */
    BLOCK_FAILED_CHILD  /* Has an invalid ancestor. */
};

/* One block of the tree, by value. */
struct block_info {
    struct block_hash hash;
    struct header header;
    int32_t height;
    uint8_t chainwork[32]; /* Big-endian: as shown. */
    uint32_t median_time_past;
    uint32_t tx_n;       /* 0: not known. */
    uint64_t chain_tx_n; /* Up to and with it; 0: not known. */
    enum block_validity validity;
    bool have_data;
    bool have_undo;
    bool in_active_chain;
    bool has_next;
    struct block_hash next; /* On the active chain. */
    uint32_t size_bytes;    /* Of its body; 0: not known. */
};

/* What the user should know though the node goes on. */
enum node_warning {
    NODE_WARNING_UNKNOWN_RULES, /* Miners enforce rules that we do not know. */
    NODE_WARNING_INVALID_CHAIN, /* One with much more work than ours. */
    NODE_WARNING_FATAL,         /* A failure that ends the node. */
    NODE_WARNINGS_N
};
#define NODE_WARNING_MAX 256

struct node_status {
    struct block_info tip;
    struct block_info best_header;
    bool initial_block_download;
    double verification_progress; /* 0 .. 1 */
    bool importing;               /* -reindex, -loadblock going on. */
    bool pruned;
    bool prune_automatic;
    int32_t prune_height; /* First block kept, when pruned. */
    uint64_t prune_target_bytes;
    uint64_t size_on_disk_bytes;
    /* Which blocks had every script checked: "all", or skipped up to here. */
    int32_t scripts_skipped_up_to; /* -1: none skipped. */
    uint64_t coins_cache_bytes;
    uint64_t coins_count_cached;
    uint64_t coins_bound_bytes; /* What the cache may take. */
    /* The tip's coins began with a snapshot, as loadtxoutset reads it ... */
    bool has_snapshot;
    struct block_info snapshot_base;
    /* ... and what lies below is still being verified, up to background_tip. Until then
     * blocks between the two are not there for others. */
    bool has_background;
    struct block_info background_tip;
    double background_progress;              /* Towards the base; 0 .. 1 */
    double background_verification_progress; /* As verification_progress. */
    uint64_t background_bound_bytes;
    char warnings[NODE_WARNINGS_N][NODE_WARNING_MAX]; /* Empty: none of that kind. */
};

struct chain_tip {
    struct block_info info;
    int32_t branch_len;
    /* Core's words: "active", "valid-fork", "valid-headers", "headers-only",
     * "invalid". */
    const char *status;
};

/* Bytes of a block or its undo, with the arena everything parsed lives in. */
struct block_data {
    struct buf bytes;
    struct arena arena;
    struct block block;
};

/* The coins a block spent: for transaction i (from 1; the coinbase spends none)
 * coins[i] in input order. */
struct undo_data {
    struct arena arena;
    uint32_t tx_n; /* Of the block. */
    const struct coin **coins;
};

/* What came of an offered block or header. */
struct submit_result {
    bool is_new;       /* false: known already ("duplicate"). */
    bool is_connected; /* The active chain holds it, or did before it went back. */
    bool is_judged;    /* false: kept, but not on the best chain ("inconclusive"). */
    enum verdict verdict;
    char reason[192]; /* Reject reason, "" when valid. */
    char detail[256];
};

enum utxo_hash_kind { UTXO_HASH_NONE, UTXO_HASH_SERIALIZED_3, UTXO_HASH_MUHASH };

struct utxo_stats {
    struct block_info at;
    uint64_t tx_n;
    uint64_t outputs_n;
    uint64_t bogosize;
    uint64_t disk_bytes;
    int64_t total_sat;
    uint8_t hash[32]; /* Wire order. */
};

struct node_ops {
    void (*status)(struct node *node, struct node_status *ret_status);

    /* 0 or E_NOT_FOUND. */
    int (*block_by_hash)(struct node *node, struct block_info *ret_info,
                         const struct block_hash *hash);
    int (*block_by_height)(struct node *node, struct block_info *ret_info, int32_t height);
    /* The last block of the active chain that is an ancestor of hash, or hash. */
    int (*fork_point)(struct node *node, struct block_info *ret_info,
                      const struct block_hash *hash);
    /* The ancestor of hash at height, on hash's branch. */
    int (*ancestor)(struct node *node, struct block_info *ret_info, const struct block_hash *hash,
                    int32_t height);
    void (*tips)(struct node *node, struct chain_tip **ret_tips, size_t *ret_n);

    /* E_NOT_FOUND: no data (never had, or pruned). Release with block_data_clear /
     * undo_data_clear. */
    int (*read_block)(struct node *node, struct block_data *ret_data, const struct block_hash *hash,
                      struct error *err);
    /* The same without reading more than bytes: appended to buf as they are kept, which is
     * as they are sent (with witness). Nothing is checked but that they are there. */
    int (*read_block_bytes)(struct node *node, struct buf *buf, const struct block_hash *hash,
                            struct error *err);
    int (*read_undo)(struct node *node, struct undo_data *ret_undo, const struct block_hash *hash,
                     struct error *err);

    /* The coin as of the tip; 0 or E_NOT_FOUND. Script in arena. ret_tip may be NULL. */
    int (*coin)(struct node *node, struct coin *ret_coin, struct block_info *ret_tip,
                const struct outpoint *outpoint, struct arena *arena, struct error *err);
    /* Walk all coins as of one block; visit returns false to end (E_STOPPED).
     * want_outpoint_order: sorted by txid and vout, slower. */
    int (*scan_coins)(struct node *node, struct block_info *ret_at,
                      bool (*visit)(void *context, const struct outpoint *outpoint,
                                    const struct coin *coin),
                      void *context, struct error *err);
    int (*utxo_stats)(struct node *node, struct utxo_stats *ret_stats, enum utxo_hash_kind kind,
                      bool (*go_on)(void *context), void *context, struct error *err);

    int (*submit_block)(struct node *node, struct submit_result *ret_result, struct span bytes,
                        struct error *err);
    int (*submit_header)(struct node *node, struct submit_result *ret_result,
                         const struct header *header, struct error *err);
    /* Would this block connect to the tip? check_pow, check_merkle: may be off for
     * a template. Changes nothing. Not is_judged: it does not stand on the tip. */
    int (*test_block)(struct node *node, struct submit_result *ret_result, struct span bytes,
                      bool check_pow, bool check_merkle, struct error *err);
    int (*invalidate_block)(struct node *node, const struct block_hash *hash, struct error *err);
    int (*reconsider_block)(struct node *node, const struct block_hash *hash, struct error *err);
    int (*precious_block)(struct node *node, const struct block_hash *hash, struct error *err);
    /* Keeps blocks above height; *ret_height: the last one pruned. */
    int (*prune)(struct node *node, int32_t height, int32_t *ret_height, struct error *err);
    /* -checklevel 0..4 over the last n_blocks (0: all); *ret_ok false: damage found. */
    int (*verify_chain)(struct node *node, int level, int32_t n_blocks, bool *ret_ok,
                        struct error *err);
    /* NULL where the node does not know them. base: a block of the active chain, which
     * stays where it is; NULL: the tip. E_EXISTS: path is there; E_NOT_FOUND and
     * E_PERMISSION: it cannot be made. */
    int (*dump_snapshot)(struct node *node, const char *path, const struct block_hash *base,
                         struct utxo_stats *ret_stats, struct error *err);
    /* Returns when the tip rests on the snapshot; it is verified afterwards, behind the
     * tip. E_NOT_FOUND, E_PERMISSION: no such file; E_MALFORMED: its header is wrong or of
     * another network; E_STATE: it cannot be taken, err says why. */
    int (*load_snapshot)(struct node *node, const char *path, struct block_info *ret_base,
                         uint64_t *ret_coins_n, struct error *err);

    /* Waits until the tip is not known (all zeros: any), timeout_ms passes (0: never) or
     * the node stops. The tip then. */
    void (*wait_tip)(struct node *node, struct block_info *ret_tip, const struct block_hash *known,
                     int64_t timeout_ms);
    /* All that was asked before has been done and announced. */
    void (*sync_queue)(struct node *node);
};

struct node {
    const struct node_ops *ops;
};

static inline void block_data_clear(struct block_data *data)
{
    buf_clear(&data->bytes);
    arena_clear(&data->arena);
}

static inline void undo_data_clear(struct undo_data *undo)
{
    arena_clear(&undo->arena);
}

#endif /* IFACE_NODE_H */
