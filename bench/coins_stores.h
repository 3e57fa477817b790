/* The stores that bench_coins compares. Failures end the program. */
#ifndef COINS_STORES_H
#define COINS_STORES_H

#include "coins/coins.h"

struct bench_store;

struct bench_store_ops {
    const char *name;
    /* An empty store is made where there is none. */
    struct bench_store *(*open)(const char *folder, uint64_t cache_bytes);
    /* One block: finds what it spends (all must be there), removes it and adds. A
     * flush makes all changes up to here durable, now or soon. */
    void (*apply)(struct bench_store *store, const struct coins_change *change, bool flush);
    /* All changes are durable when it returns. */
    void (*flush)(struct bench_store *store);
    /* How many are there. */
    size_t (*find)(struct bench_store *store, const struct outpoint *outpoints, size_t n);
    void (*close)(struct bench_store *own_store);
};

extern const struct bench_store_ops bench_store_assay;
#ifdef BENCH_LMDB
extern const struct bench_store_ops bench_store_lmdb;
#endif
#ifdef BENCH_ROCKSDB
extern const struct bench_store_ops bench_store_rocksdb;
#endif

#endif /* COINS_STORES_H */
