/* What happens to the chain, told to those who follow it (mempool, index, wallet,
 * notify), without anybody calling back down. app wires the followers.
 *
 * Events come on the chain thread, in the order in which things happened, and
 * only about fully verified blocks. A follower must be quick and must not change
 * the chain from inside a call. Everything passed is borrowed for the call.
 */
#ifndef IFACE_EVENTS_H
#define IFACE_EVENTS_H

#include "iface/mempool.h"
#include "iface/node.h"

/* Transactions of disconnected blocks that come with a reorganization: kept at
 * most this many bytes, the oldest blocks' first to be dropped. */
#define EVENTS_DISCONNECTED_BYTES_MAX (UINT64_C(20) * 1000 * 1000)

/* One transaction that is no longer in the chain, serialized with witness. */
struct disconnected_tx {
    struct txid txid;
    struct span raw;
};

/* The tip has moved: told to followers before any reader can see the new tip. */
struct tip_event {
    struct block_info tip;
    struct block_info fork; /* The last block both the old and the new chain have. */
    bool is_reorganization; /* Blocks were disconnected. */
    /* Of the disconnected blocks, in block order, without coinbases; those that the
     * new blocks contain again are still among them. */
    const struct disconnected_tx *disconnected;
    size_t disconnected_n;
    bool initial_block_download;
};

struct chain_events {
    void *context; /* Handed to each function; functions may be NULL. */
    /* spent[i]: for transaction i (from 1) the coins its inputs spent. */
    void (*block_connected)(void *context, const struct block_info *info, const struct block *block,
                            const struct coin *const *spent);
    /* Initial download is over, and a block that builds on the tip has passed every check
     * that needs no coins and is stored; connecting it comes next, and may fail. For those
     * that pass it on at once (BIP 152). */
    void (*block_stored)(void *context, const struct block_info *info, const struct block *block);
    void (*block_disconnected)(void *context, const struct block_info *info,
                               const struct block *block);
    void (*tip_changed)(void *context, const struct tip_event *event);
    /* Readers see the new tip: whoever tells others of it is told here, lest they ask and
     * be answered from the old one. Without the disconnected transactions. */
    void (*tip_published)(void *context, const struct tip_event *event);
    /* A block or header we were offered was judged invalid. */
    void (*block_rejected)(void *context, const struct block_hash *hash, const char *reason);
    /* The best header is another one. */
    void (*header_changed)(void *context, const struct block_info *best_header);
    /* There is a new warning: text is plain ASCII. */
    void (*warned)(void *context, const char *text);
    /* A transaction entered the mempool, or left it (not told for those a block
     * contains: block_connected came before). sequence: see mempool_entry. */
    void (*tx_added)(void *context, const struct tx_ref *tx, const struct mempool_entry *entry);
    void (*tx_removed)(void *context, const struct tx_ref *tx, enum tx_removal why,
                       uint64_t sequence);
    /* Do transactions wait on the present tip? Then no snapshot may take its place, since
     * nobody would be told of the blocks between. */
    bool (*holds_txs)(void *context);
    /* Blocks above this height must not be pruned; INT32_MAX: no wish. */
    int32_t (*prune_lock)(void *context);
};

#endif /* IFACE_EVENTS_H */
