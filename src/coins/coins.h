/* The coins: every unspent output up to one block, the coins tip.
 *
 * A coins_store is a cache over runs on disk. The chain thread is its single
 * writer; everything here belongs to that thread unless it says otherwise.
 * Changes of connected blocks gather in the cache; coins_flush_start hands them
 * to the flush thread, which writes them and then commits them, together with
 * the block hash they belong to, in one step. A crash at any instant leaves the
 * coins exactly as at some commit.
 */
#ifndef COINS_COINS_H
#define COINS_COINS_H

#include "base/arena.h"
#include "base/error.h"
#include "os/disk.h"
#include "primitives/coin.h"

struct coins_store;

struct coins_options {
    struct disk *disk;
    const char *folder;     /* e.g. <datadir>/chainstate; made if absent. */
    uint64_t cache_bytes;   /* Bound on the memory of cache and pending flush. */
    bool must_be_empty;     /* Start over: what we wrote before is removed. */
};

/* Open the store and recover it to its last commit.
 *
 * Returns: 0, E_CORRUPT (file and offset in err), E_IO, E_LOCKED ... */
NODISCARD int coins_open(struct coins_store **ret_store, const struct coins_options *options,
                         struct error *err);

/* Drops what was not committed. Waits for a flush under way. */
void coins_close(struct coins_store *own_store);

/* The block whose coins the cache holds (all zeros: none yet), and the one that
 * the last commit holds. */
struct block_hash coins_tip(const struct coins_store *store);
struct block_hash coins_committed_tip(const struct coins_store *store);

/* Look up many coins at once, prefetching as it goes.
 *
 * Out: ret_coins[i]: the coin; script copied into arena. script_pubkey.data is
 *                    NULL where outpoints[i] is not in the set (ret_found[i]
 *                    false).
 * A read failure is an error, never an absent coin. */
NODISCARD int coins_find_many(struct coins_store *store, struct coin *ret_coins, bool *ret_found,
                              const struct outpoint *outpoints, size_t n, struct arena *arena,
                              struct error *err);

/* One block's effect. Spends first fetch what they remove: ret_spent[i] as in
 * coins_find_many. All or nothing: if any spend is absent nothing changes and
 * *ret_missing is its index (else SIZE_MAX). Adding a coin that exists replaces
 * it only when may_replace (a BIP 30 exception block), otherwise it is an
 * E_CORRUPT store: consensus has ruled it out before.
 *
 * spends must not contain outputs of the same block: the caller (chain) nets
 * those out, so that they never touch the store. */
struct coins_change {
    const struct outpoint *spends;
    size_t spends_n;
    const struct outpoint *adds;
    const struct coin *add_coins;
    size_t adds_n;
    struct block_hash new_tip;
    bool may_replace;
};
NODISCARD int coins_apply(struct coins_store *store, struct coin *ret_spent, size_t *ret_missing,
                          const struct coins_change *change, struct arena *arena,
                          struct error *err);

/* Undo of a block: adds again what it spent, removes what it added (absent
 * outputs are tolerated only with may_replace). */
NODISCARD int coins_revert(struct coins_store *store, const struct coins_change *change,
                           struct error *err);

/* Memory in use by the cache, bytes, and coins in it. */
uint64_t coins_cache_bytes(const struct coins_store *store);
uint64_t coins_cache_count(const struct coins_store *store);
/* Changes not committed yet, bytes; the chain flushes by time and by this. */
uint64_t coins_dirty_bytes(const struct coins_store *store);

/* Begin writing all changes up to coins_tip(); returns at once (E_STATE while
 * another is under way). before_commit, run on the flush thread after the runs
 * are durable and before the commit, makes block and undo bytes durable; its
 * failure fails the flush. coins_flush_poll: 0 when none is under way or it
 * ended well, 1 while it goes on, negative when it failed: then the node must
 * stop. coins_flush_wait waits for the end. */
NODISCARD int coins_flush_start(struct coins_store *store,
                                int (*before_commit)(void *context, struct error *err),
                                void *context, struct error *err);
NODISCARD int coins_flush_poll(struct coins_store *store, struct error *err);
NODISCARD int coins_flush_wait(struct coins_store *store, struct error *err);

/* Walk the committed coins in the order of their outpoints (txid bytes as on the
 * wire, then vout), as of the commit at the time of coins_scan_new. Any thread;
 * the chain may go on meanwhile. */
struct coins_scan;
NODISCARD int coins_scan_new(struct coins_scan **ret_scan, struct coins_store *store,
                             struct block_hash *ret_tip, struct error *err);
/* 1: a coin; 0: the end; negative: an error. The script lives until the next call. */
NODISCARD int coins_scan_next(struct coins_scan *scan, struct outpoint *ret_outpoint,
                              struct coin *ret_coin, struct error *err);
void coins_scan_free(struct coins_scan *own_scan);

#endif /* COINS_COINS_H */
