/* The runs that a commit rests on, newest first: immutable, counted references.
 * Private to the coins room. Any thread.
 */
#ifndef COINS_RUN_SET_PRIV_H
#define COINS_RUN_SET_PRIV_H

#include <stdatomic.h>

#include "coins/record_priv.h"
#include "store/run.h"

/* More than any history of merges leaves; a manifest that names more is corrupt. */
#define RUN_SET_N_MAX 256U

struct run_set {
    _Atomic uint32_t refs;
    uint32_t n;
    struct run *runs[]; /* Each held. */
};

/* runs are taken. */
struct run_set *run_set_new(struct run *const *own_runs, uint32_t n);
struct run_set *run_set_ref(struct run_set *set);
void run_set_unref(struct run_set *own_set);
uint64_t run_set_file_bytes(const struct run_set *set);
uint64_t run_set_memory_bytes(const struct run_set *set);

/* 1: the coin, its script in scratch; 0: absent or spent; or an error. */
NODISCARD int run_set_find(const struct run_set *set, struct record *ret_record, uint64_t hash,
                           const struct outpoint *outpoint, struct buf *scratch, struct error *err);

/* How many of the newest runs should become one; 0: none. */
uint32_t run_set_merge_n(const struct run_set *set);

/* All records of the n newest runs in the order of their hashes, of each outpoint
 * the newest only. One thread; holds the set. */
struct run_set_walk;
struct run_set_walk *run_set_walk_new(struct run_set *set, uint32_t n,
                                      const struct siphash_key *salt, uint32_t buffer_bytes);
/* 1, 0 at the end, or an error. The body lives until the next call; spent ones come
 * too. */
NODISCARD int run_set_walk_next(struct run_set_walk *walk, uint64_t *ret_hash,
                                struct span *ret_body, struct error *err);
void run_set_walk_free(struct run_set_walk *own_walk);

#endif /* COINS_RUN_SET_PRIV_H */
