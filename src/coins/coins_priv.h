/* The inside of a coins_store, shared by the files that make it up: coins.c (what
 * the chain thread does), flush.c (the flush thread and the manifest), scan.c.
 */
#ifndef COINS_COINS_PRIV_H
#define COINS_COINS_PRIV_H

#include "coins/cache_priv.h"
#include "coins/coins.h"
#include "coins/run_set_priv.h"
#include "os/thread.h"
#include "store/record_log.h"

#define COINS_MANIFEST_NAME "coins.log"

enum flush_state {
    FLUSH_NONE,
    FLUSH_WANTED, /* The flush thread has not looked yet. */
    FLUSH_GOING,
    FLUSH_WRITTEN /* Committed; the chain thread has not looked yet. */
};

struct coins_store {
    struct disk *disk;
    char *folder;
    struct disk_file *lock;
    struct siphash_key salt;
    uint64_t filter_bytes_max; /* Of all runs' filters in memory. */

    /* The chain thread's. */
    struct cache cache;
    struct block_hash tip;
    struct block_hash committed_tip; /* As last seen by the chain thread. */
    struct run_set *set;             /* What it reads from. Owned. */
    uint64_t set_serial;
    bool is_flushing;
    struct buf scratch;
    uint64_t *hashes; /* Of the batch at hand. Owned, with refs. */
    slab_ref *refs;
    size_t batch_capacity;

    /* The flush thread's. */
    struct record_log *manifest;
    uint64_t next_id;

    struct mutex mutex;
    struct cond wake;  /* For the flush thread. */
    struct cond ended; /* For those who wait for it. */
    /* Under the mutex. */
    enum flush_state flush_state;
    struct block_hash flush_tip;
    int (*before_commit)(void *context, struct error *err);
    void *before_commit_context;
    struct block_hash current_tip; /* Of the last commit. */
    struct run_set *current;       /* Of the last commit. Owned. */
    bool must_stop;
    bool is_resting; /* The flush thread waits: no call of its is under way. */
    int failed_rc;   /* Not 0: the flush thread has failed for good. */
    struct error failed;
    _Atomic uint64_t serial;    /* Of current: counts changes. */
    _Atomic uint64_t next_scan; /* Names of a scan's files. */
    struct thread thread;
};

/* flush.c. Opens the manifest and what it names, or makes an empty one. */
NODISCARD int flush_open(struct coins_store *store, struct error *err);
/* Starts the flush thread, when all else of the store is ready: it may have runs to
 * merge at once. */
NODISCARD int flush_begin(struct coins_store *store, struct error *err);
void flush_close(struct coins_store *store);
/* Removes all files of ours but those named by keep (NULL: and the manifest). */
NODISCARD int flush_remove_files(struct coins_store *store, const struct run_set *keep,
                                 struct error *err);

/* Moves our files to another folder, the manifest last, each step durable before the
 * next. */
NODISCARD int flush_move_files(struct coins_store *store, const char *to, struct error *err);

#endif /* COINS_COINS_PRIV_H */
