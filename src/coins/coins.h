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
    const char *folder;   /* e.g. <datadir>/chainstate; made if absent. */
    uint64_t cache_bytes; /* Bound on the memory of cache and pending flush; at least
                             4 MiB is taken. */
    bool must_be_empty;   /* Start over: what we wrote before is removed; files of
                             other programs in the folder stay. */
};

/* Open the store and recover it to its last commit.
 *
 * Returns: 0, E_CORRUPT (file and offset in err), E_IO, E_LOCKED ... */
NODISCARD int coins_open(struct coins_store **ret_store, const struct coins_options *options,
                         struct error *err);

/* Drops what was not committed. Waits for a flush under way. */
void coins_close(struct coins_store *own_store);

/* Removes what coins_open and its store wrote into the folder, and the folder unless
 * others left something in it. It must not be open. No error if it is not there. */
NODISCARD int coins_remove(struct disk *disk, const char *folder, struct error *err);

/* Makes the store in from the one in to: what was in to is removed, the files of from
 * move, its manifest last. Neither may be open. After a crash in the middle the call
 * is made again; it does nothing when all is done. Files of others stay in both. */
NODISCARD int coins_move(struct disk *disk, const char *from, const char *to, struct error *err);

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

/* One block's effect, whichever way it is taken.
 *
 * spends must not contain outputs of the same block, nor adds outputs that the
 * same block spends: the caller (chain) nets those out, so that they never touch
 * the store. Outputs that can never be spent are no coins: the caller leaves
 * them out. */
struct coins_change {
    const struct outpoint *spends; /* The same one twice: the second is missing. */
    size_t spends_n;
    /* What the spends took, from the block's undo, in the same order. Only
     * coins_revert reads it; may be NULL for coins_apply. */
    const struct coin *spent_coins;
    const struct outpoint *adds;
    const struct coin *add_coins; /* coins_revert does not read it; may be NULL. */
    size_t adds_n;
    /* The tip after the change: the block itself when applied, its parent when
     * reverted. */
    struct block_hash new_tip;
    /* A block that repeats a transaction (BIP 30's exceptions), or the undo of
     * one. Adds then replace what is there, and a revert tolerates adds that are
     * gone. */
    bool may_replace;
};

/* Connect a block.
 *
 * Returns: 0 when applied, and when a spend is missing: then nothing changed and
 *          *ret_missing is its index (otherwise SIZE_MAX). Adding a coin that is
 *          known to exist without may_replace is E_STATE (consensus must have
 *          ruled it out); this too leaves everything unchanged. Others: the disk.
 * Out:     ret_spent: spends_n coins as in coins_find_many, scripts in arena; may
 *          be NULL, and then arena too. */
NODISCARD int coins_apply(struct coins_store *store, struct coin *ret_spent, size_t *ret_missing,
                          const struct coins_change *change, struct arena *arena,
                          struct error *err);

/* Disconnect a block: adds again what it spent, removes what it added. An added
 * coin that is absent without may_replace is E_STATE: the undo does not belong to
 * this state. Nothing changes unless 0 is returned. */
NODISCARD int coins_revert(struct coins_store *store, const struct coins_change *change,
                           struct error *err);

/* Memory in use by the cache, bytes, and coins in it. */
uint64_t coins_cache_bytes(const struct coins_store *store);
uint64_t coins_cache_count(const struct coins_store *store);

/* Another bound on memory, as cache_bytes in the options. Takes effect at once where
 * clean coins can go; what is not committed goes with the next commits. */
void coins_set_cache_bytes(struct coins_store *store, uint64_t bytes);

/* Bytes of our files that the last commit rests on. */
uint64_t coins_disk_bytes(const struct coins_store *store);

/* What the bound on memory asks of the chain before it applies the next block.
 * Ask after each coins_apply; clean coins are dropped without asking. */
enum coins_pressure {
    COINS_AT_EASE,
    COINS_WANT_FLUSH, /* Much is uncommitted and no flush is under way: start one. */
    COINS_MUST_WAIT   /* Both halves are full: coins_flush_wait first. */
};
enum coins_pressure coins_pressure(const struct coins_store *store);

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

/* Wait until the background has merged all runs that it wants to merge, removed what they
 * leave, and rests: for benchmarks and tests. Returns as coins_flush_wait. */
NODISCARD int coins_merge_wait(struct coins_store *store, struct error *err);

/* Walk the committed coins as of the commit at the time of coins_scan_new, which
 * any thread may call; the chain may go on meanwhile. A scan belongs to one
 * thread and must be freed before coins_close. */
struct coins_scan;

struct coins_scan_options {
    bool any_order;        /* false: txid bytes as on the wire, then vout as a number. */
    uint64_t memory_bytes; /* For sorting; beyond it sorted parts go to files of ours in
                              the store's folder, removed at the end. 0: 64 MiB. */
    /* Asked now and then; false ends the walk with E_STOPPED. May be NULL. */
    bool (*go_on)(void *context);
    void *context;
};

/* In: options may be NULL: all zero. Out: ret_tip: the commit's; may be NULL. */
NODISCARD int coins_scan_new(struct coins_scan **ret_scan, struct coins_store *store,
                             struct block_hash *ret_tip, const struct coins_scan_options *options,
                             struct error *err);
/* 1: a coin; 0: the end; negative: an error. The script lives until the next call.
 * In order, the first call reads everything. */
NODISCARD int coins_scan_next(struct coins_scan *scan, struct outpoint *ret_outpoint,
                              struct coin *ret_coin, struct error *err);
void coins_scan_free(struct coins_scan *own_scan);

#endif /* COINS_COINS_H */
