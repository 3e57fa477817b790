/* RocksDB as a coins store: one batch a block without a log, flushed on request;
 * finds through its batched lookup. */
#include <rocksdb/c.h>

#include <stdio.h>

#include "base/alloc.h"
#include "base/check.h"
#include "coins/compress.h"
#include "coins_stores.h"

#define VALUE_BYTES_MAX (SCRIPT_BYTES_MAX + TXOUT_COMPRESSED_OVERHEAD + VARINT_BYTES_MAX)
#define FIND_BATCH 256U

struct bench_store {
    rocksdb_t *db;
    rocksdb_options_t *options;
    rocksdb_readoptions_t *read;
    rocksdb_writeoptions_t *write;
    rocksdb_flushoptions_t *flush;
};

static void must(char *problem)
{
    if (problem != NULL)
        (void)fprintf(stderr, "bench_coins: rocksdb: %s\n", problem);
    CHECK(problem == NULL);
}

static struct bench_store *rocks_open(const char *folder, uint64_t cache_bytes)
{
    struct bench_store *store = alloc_zero(sizeof(*store));
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();
    char *problem = NULL;

    store->options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(store->options, 1);
    rocksdb_options_set_compression(store->options, rocksdb_no_compression);
    rocksdb_options_set_max_background_jobs(store->options, 2);
    /* Half for what is to be written, half for what is read. */
    rocksdb_options_set_write_buffer_size(store->options, cache_bytes / 4);
    rocksdb_options_set_max_write_buffer_number(store->options, 2);
    rocksdb_block_based_options_set_block_cache(table, rocksdb_cache_create_lru(cache_bytes / 2));
    rocksdb_block_based_options_set_filter_policy(table,
                                                  rocksdb_filterpolicy_create_bloom_full(10));
    rocksdb_options_set_block_based_table_factory(store->options, table);
    store->read = rocksdb_readoptions_create();
    store->write = rocksdb_writeoptions_create();
    rocksdb_writeoptions_disable_WAL(store->write, 1);
    store->flush = rocksdb_flushoptions_create();
    store->db = rocksdb_open(store->options, folder, &problem);
    must(problem);
    return store;
}

static size_t rocks_find(struct bench_store *store, const struct outpoint *outpoints, size_t n)
{
    size_t found_n = 0;

    for (size_t from = 0; from < n; from += FIND_BATCH) {
        size_t batch_n = MIN(FIND_BATCH, n - from);
        const char *keys[FIND_BATCH];
        size_t lens[FIND_BATCH];
        char *values[FIND_BATCH];
        size_t value_lens[FIND_BATCH];
        char *problems[FIND_BATCH] = {0};

        for (size_t i = 0; i < batch_n; i++) {
            keys[i] = (const char *)&outpoints[from + i];
            lens[i] = sizeof(outpoints[0]);
        }
        rocksdb_multi_get(store->db, store->read, batch_n, keys, lens, values, value_lens,
                          problems);
        for (size_t i = 0; i < batch_n; i++) {
            must(problems[i]);
            found_n += values[i] != NULL;
            free(values[i]);
        }
    }
    return found_n;
}

static void rocks_apply(struct bench_store *store, const struct coins_change *change, bool flush)
{
    rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
    char *problem = NULL;

    CHECK(rocks_find(store, change->spends, change->spends_n) == change->spends_n);
    for (size_t i = 0; i < change->spends_n; i++)
        rocksdb_writebatch_delete(batch, (const char *)&change->spends[i],
                                  sizeof(change->spends[0]));
    for (size_t i = 0; i < change->adds_n; i++) {
        const struct coin *coin = &change->add_coins[i];
        uint8_t bytes[VALUE_BYTES_MAX];
        size_t len = varint_write(bytes, coin->height * 2 + coin->is_coinbase);

        len += txout_write_compressed(bytes + len, coin->value_sat, coin->script_pubkey);
        rocksdb_writebatch_put(batch, (const char *)&change->adds[i], sizeof(change->adds[0]),
                               (const char *)bytes, len);
    }
    rocksdb_write(store->db, store->write, batch, &problem);
    must(problem);
    rocksdb_writebatch_destroy(batch);
    rocksdb_flushoptions_set_wait(store->flush, 0);
    if (flush)
        rocksdb_flush(store->db, store->flush, &problem);
    must(problem);
}

static void rocks_flush(struct bench_store *store)
{
    char *problem = NULL;

    rocksdb_flushoptions_set_wait(store->flush, 1);
    rocksdb_flush(store->db, store->flush, &problem);
    must(problem);
}

static void rocks_close(struct bench_store *own_store)
{
    rocksdb_close(own_store->db);
    rocksdb_options_destroy(own_store->options);
    rocksdb_readoptions_destroy(own_store->read);
    rocksdb_writeoptions_destroy(own_store->write);
    rocksdb_flushoptions_destroy(own_store->flush);
    free(own_store);
}

const struct bench_store_ops bench_store_rocksdb = {"rocksdb",   rocks_open, rocks_apply,
                                                    rocks_flush, rocks_find, rocks_close};
