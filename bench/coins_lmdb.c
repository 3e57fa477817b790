/* LMDB as a coins store: one write transaction from flush to flush. */
#include <lmdb.h>

#include <stdio.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/check.h"
#include "coins/compress.h"
#include "coins_stores.h"

#define MAP_BYTES ((size_t)64 << 30)
#define VALUE_BYTES_MAX (SCRIPT_BYTES_MAX + TXOUT_COMPRESSED_OVERHEAD + VARINT_BYTES_MAX)

struct bench_store {
    MDB_env *env;
    MDB_dbi db;
    MDB_txn *txn;
};

static void must(int rc)
{
    if (rc != 0)
        (void)fprintf(stderr, "bench_coins: lmdb: %s\n", mdb_strerror(rc));
    CHECK(rc == 0);
}

static void begin(struct bench_store *store)
{
    must(mdb_txn_begin(store->env, NULL, 0, &store->txn));
}

static struct bench_store *lmdb_open(const char *folder, uint64_t cache_bytes)
{
    struct bench_store *store = alloc_zero(sizeof(*store));

    (void)cache_bytes; /* The page cache is LMDB's. */
    (void)mkdir(folder, 0700);
    must(mdb_env_create(&store->env));
    must(mdb_env_set_mapsize(store->env, MAP_BYTES));
    must(mdb_env_open(store->env, folder, MDB_NORDAHEAD, 0600));
    begin(store);
    must(mdb_dbi_open(store->txn, NULL, 0, &store->db));
    return store;
}

static MDB_val key_of(const struct outpoint *outpoint)
{
    return (MDB_val){sizeof(*outpoint), (void *)(uintptr_t)outpoint};
}

static void lmdb_apply(struct bench_store *store, const struct coins_change *change, bool flush)
{
    for (size_t i = 0; i < change->spends_n; i++) {
        MDB_val key = key_of(&change->spends[i]);
        MDB_val value;

        must(mdb_get(store->txn, store->db, &key, &value));
        must(mdb_del(store->txn, store->db, &key, NULL));
    }
    for (size_t i = 0; i < change->adds_n; i++) {
        const struct coin *coin = &change->add_coins[i];
        uint8_t bytes[VALUE_BYTES_MAX];
        MDB_val key = key_of(&change->adds[i]);
        MDB_val value = {varint_write(bytes, coin->height * 2 + coin->is_coinbase), bytes};

        value.mv_size +=
            txout_write_compressed(bytes + value.mv_size, coin->value_sat, coin->script_pubkey);
        must(mdb_put(store->txn, store->db, &key, &value, 0));
    }
    if (flush) {
        must(mdb_txn_commit(store->txn));
        begin(store);
    }
}

static void lmdb_flush(struct bench_store *store)
{
    must(mdb_txn_commit(store->txn));
    begin(store);
}

static size_t lmdb_find(struct bench_store *store, const struct outpoint *outpoints, size_t n)
{
    size_t found_n = 0;

    for (size_t i = 0; i < n; i++) {
        MDB_val key = key_of(&outpoints[i]);
        MDB_val value;

        found_n += mdb_get(store->txn, store->db, &key, &value) == 0;
    }
    return found_n;
}

static void lmdb_close(struct bench_store *own_store)
{
    mdb_txn_abort(own_store->txn);
    mdb_env_close(own_store->env);
    free(own_store);
}

const struct bench_store_ops bench_store_lmdb = {"lmdb",     lmdb_open, lmdb_apply,
                                                 lmdb_flush, lmdb_find, lmdb_close};
