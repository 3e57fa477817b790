/* The chain: blocks on disk, their tree, the coins at the tip, and the rules that
 * move it. One object owns all of that for one network.
 *
 * Life: chain_open recovers what is on disk; chain_start makes the chain thread,
 * which imports what the options ask for and then serves chain_node() until
 * chain_stop; chain_close commits and releases. Readers use chain_node() from any
 * thread, already before chain_start.
 *
 * Durable state is in blocks/ and chainstate/ only. Order of durability: block and
 * undo bytes, then the block index, then the coins that rest on them, and only
 * then are pruned files removed. Killed at any instant, the next chain_open
 * returns to the last commit of the coins and connects again what is on disk.
 */
#ifndef CHAIN_CHAIN_H
#define CHAIN_CHAIN_H

#include "consensus/params.h"
#include "consensus/pow.h"
#include "headers/tree.h"
#include "iface/events.h"
#include "iface/node.h"
#include "iface/sink.h"
#include "os/clock.h"
#include "os/disk.h"

struct chain;
struct sig_cache; /* script/sig_cache.h */

/* Why the chain wants the process to end. */
enum chain_stop_reason {
    CHAIN_STOP_HEIGHT, /* -stopatheight was reached. */
    CHAIN_STOP_FATAL   /* Disk or stored data failed; the text says which. */
};

/* Prune targets below this are refused, as in Core. */
#define CHAIN_PRUNE_TARGET_MIN (UINT64_C(550) * 1024 * 1024)
/* Blocks that are never pruned below the tip. */
#define CHAIN_KEEP_BLOCKS 288

#define CHAIN_MAX_TIP_AGE_S (INT64_C(24) * 60 * 60)
#define CHAIN_CHECK_BLOCKS 6
#define CHAIN_CHECK_LEVEL 3

struct chain_options {
    const struct params *params; /* Borrowed for the life of the chain. */
    struct disk *disk;
    struct clock *clock;
    const char *blocks_folder;     /* <blocksdir>/blocks; copied, made if absent. */
    const char *index_folder;      /* Where the block index lives, in a folder "index";
                                    * copied, made if absent. NULL: blocks_folder. */
    const char *chainstate_folder; /* Copied; made if absent. */
    uint64_t cache_bytes;          /* -dbcache. */
    int threads;                   /* -par: threads that verify, the chain's included; >= 1. */
    uint64_t salt[2];              /* Random; for tables whose keys strangers choose. */

    struct block_hash assumevalid; /* Zeros: verify every script. */
    struct u256 minimum_chain_work;
    int64_t max_tip_age_s;
    int32_t stop_at_height; /* 0: never. */

    bool prune_on;               /* -prune=1 and above. */
    uint64_t prune_target_bytes; /* 0 with prune_on: only by hand. */
    bool prune_fast;             /* -fastprune: block files of 64 KiB. */
    bool blocks_xor;             /* Scramble new block files (xor.dat). */

    bool reindex;
    bool reindex_chainstate;
    const char *const *loadblock; /* Files to import; copied. */
    size_t loadblock_n;

    struct sig_cache *sig_cache; /* What the mempool found good; borrowed, may be NULL. */

    int check_blocks; /* -checkblocks, 0: all; -checklevel 0..4, negative: no check. */
    int check_level;

    /* Called once, from the chain thread, when the chain wants to end. May be NULL. */
    void (*on_stop)(void *context, enum chain_stop_reason reason, const char *text);
    void *on_stop_context;
};

/* Core's defaults for params: everything but folders, disk, clock and salt. */
void chain_options_default(struct chain_options *ret_options, const struct params *params)
    NONNULL(1, 2);

/* Open and recover. Blocks until the coins, the tree and the files agree and the
 * last blocks are checked; imports nothing.
 *
 * Returns: 0; E_STATE when the folders hold block files or coins without an index
 *          of ours (text: restart with -reindex), or were pruned and must not be
 *          ("-prune" switched off); E_CORRUPT with file and offset; E_LOCKED,
 *          E_IO, E_NO_SPACE, E_PERMISSION.
 * Out:     ret_chain: release with chain_close. */
NODISCARD int chain_open(struct chain **ret_chain, const struct chain_options *options,
                         struct error *err) NONNULL(1, 2);

/* Followers are called in the order they were added. Before chain_start only;
 * events is borrowed until chain_close. */
void chain_add_events(struct chain *chain, const struct chain_events *events) NONNULL(1, 2);

/* What others do on the chain thread while the chain stands still: its coins are those
 * of the published tip. Functions may be NULL. */
struct chain_guests {
    void *context;
    /* Judges what came through the sink: see mempool_ops.submit. Absent: all are refused.
     * test_only: nothing is kept. */
    int (*judge_txs)(void *context, struct tx_result *ret_results, char *ret_package_reason,
                     const struct tx_ref *const *txs, size_t txs_n, bool test_only,
                     struct error *err);
    /* Nothing else is to be done, imports are over. Returns 1 to be called again soon, 0, or
     * an error that ends the chain. */
    int (*idle)(void *context, struct error *err);
};
/* Before chain_start only; borrowed until chain_close. */
void chain_set_guests(struct chain *chain, const struct chain_guests *guests) NONNULL(1, 2);

/* Where p2p puts blocks, headers and transactions; lives as long as the chain. A block is
 * checked by itself on the thread that offers it. */
struct sink *chain_sink(struct chain *chain) NONNULL(1);

/* For those who follow pointers into the tree; any thread. chain_tip: NULL before genesis
 * is connected. */
const struct header_tree *chain_headers(const struct chain *chain) NONNULL(1);
const struct header_node *chain_tip(const struct chain *chain) NONNULL(1);
bool chain_is_initial(const struct chain *chain) NONNULL(1);
/* What lies below a snapshot is being verified: blocks above from, up to target, are
 * wanted. False: nothing is. */
bool chain_history(const struct chain *chain, const struct header_node **ret_from,
                   const struct header_node **ret_target) NONNULL(1, 2, 3);

/* For guests, on the chain thread: coins as of the tip, see coins_find_many. */
NODISCARD int chain_find_coins(struct chain *chain, struct coin *ret_coins, bool *ret_found,
                               const struct outpoint *outpoints, size_t n, struct arena *arena,
                               struct error *err) NONNULL(1);
/* Runs run(argument) on the chain thread while the chain stands still, and waits. Any
 * thread. Returns what it returned, or E_STOPPED. */
NODISCARD int chain_run(struct chain *chain, int (*run)(void *argument, struct error *err),
                        void *argument, struct error *err) NONNULL(1, 2);

/* Start the chain thread (named "chain"); returns at once. */
void chain_start(struct chain *chain) NONNULL(1);

/* Ask the chain thread to end soon; calls waiting on it return E_STOPPED. Any
 * thread, also from a place that must not block; may be repeated. */
void chain_stop(struct chain *chain) NONNULL(1);

/* Ends the chain thread and answers what still waits in the sink: from here on the chain
 * tells nothing more, but all of it can still be read. Only chain_close comes after it;
 * nobody may offer anything meanwhile. May be repeated. */
void chain_join(struct chain *chain) NONNULL(1);

/* Ends the chain thread, commits the coins, releases everything.
 *
 * Returns: 0, or the failure that stopped the chain (now or earlier). */
NODISCARD int chain_close(struct chain *own_chain, struct error *err) NONNULL(1);

/* The view for other rooms; lives as long as the chain. Any thread. */
struct node *chain_node(struct chain *chain) NONNULL(1);

/* True once imports asked for by the options are done. Any thread. */
bool chain_import_is_done(const struct chain *chain) NONNULL(1);

/* What a mempool stands on: the functions of mempool_ground (mempool/mempool.h), whose
 * context is the chain. Coins are those of the tip that followers were last told of.
 * Chain thread; chain_ground_ask: any thread. */
struct header_node;
const struct header_node *chain_ground_tip(void *context);
int chain_ground_find_coins(void *context, struct coin *ret_coins, bool *ret_found,
                            const struct outpoint *outpoints, size_t n, struct arena *arena,
                            struct error *err);
int chain_ground_has_confirmed(void *context, bool *ret_has, const struct txid *txid,
                               uint32_t outputs_n, struct error *err);
int chain_ground_ask(void *context, int (*run)(void *argument, struct error *err), void *argument,
                     struct error *err);
bool chain_ground_is_initial(void *context);

/* The same work without a chain thread, for tests and embedding: the caller is
 * the chain thread and must not have called chain_start. chain_import does what
 * the options ask (reindex, loadblock) and activates the best chain; chain_idle
 * does what is due by time (commits, pruning). */
NODISCARD int chain_import(struct chain *chain, struct error *err) NONNULL(1);
NODISCARD int chain_idle(struct chain *chain, struct error *err) NONNULL(1);
/* Commit everything verified so far and wait for it. */
NODISCARD int chain_flush(struct chain *chain, struct error *err) NONNULL(1);
/* The same, and wait until nothing at all goes on in the background: for simulators, in
 * which threads may decide nothing. */
NODISCARD int chain_rest(struct chain *chain, struct error *err) NONNULL(1);

#endif /* CHAIN_CHAIN_H */
