/* The miner's inside: private to the room. */
#ifndef MINING_MINER_PRIV_H
#define MINING_MINER_PRIV_H

#include <stdatomic.h>

#include "mining/miner.h"
#include "mining/scan.h"
#include "mining/template.h"
#include "os/thread.h"

#define MINER_THREADS_MAX 256

struct own_miner;

/* One thread of -mine. */
struct digger {
    struct own_miner *miner;
    struct thread thread;
    unsigned number;
};

struct own_miner {
    struct miner miner; /* First: the interface is the object. */
    struct miner_options options;
    struct builder *builder;
    struct mutex mutex; /* One call of generate at a time. */
    /* -mine */
    struct buf script; /* Owned. */
    struct digger *diggers;
    unsigned started_n;
    _Atomic bool is_stopping;
    _Atomic uint64_t tried_n;  /* Hashes so far. */
    _Atomic uint64_t mined_n;  /* Blocks. */
    _Atomic uint64_t found_us; /* When the last one was. */
    _Atomic uint64_t extranonce;
    struct mutex rate_mutex; /* Guards the rest. */
    uint64_t rate_since_us;
    uint64_t rate_tried_n;
    double rate; /* Of the last whole span; < 0: none has passed. */
};

bool miner_goes_on(const struct own_miner *m);
/* The parts of a block on a template: txs are put into arena. */
void miner_parts(const struct own_miner *m, struct template_parts *ret_parts,
                 const struct block_template *template, struct span script, uint64_t extranonce,
                 struct arena *arena);
NODISCARD int miner_submit(const struct own_miner *m, struct span block, struct error *err);
struct block_hash miner_hash_of(const struct buf *block);

/* dig.c */
double dig_rate(struct own_miner *m);
void dig_thread(void *context); /* struct digger */

#endif /* MINING_MINER_PRIV_H */
