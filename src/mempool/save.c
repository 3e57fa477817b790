/* mempool.dat, in Bitcoin Core's format: a version; from version 2 on a key of eight bytes
 * with which the rest is scrambled, byte by byte by its place in the file; transactions with
 * their times and fee deltas; deltas of transactions that are not here; which ones are still
 * to be told to peers. All integers little-endian. */
#include "mempool/save_priv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "codec/writer.h"
#include "os/entropy.h"

#define FILE_NAME "mempool.dat"
#define VERSION_PLAIN 1
#define VERSION_KEYED 2
#define KEY_BYTES 8
#define WRITE_BYTES (1U << 20)

struct output {
    struct disk_file *file;
    struct buf buf;
    uint64_t offset; /* Of the first byte in buf. */
    uint8_t key[KEY_BYTES];
};

static void add_le64(struct output *out, uint64_t value)
{
    put_le64(buf_extend(&out->buf, 8), value);
}

static int flush(struct output *out, uint64_t plain_bytes, struct error *err)
{
    int rc;

    for (size_t i = 0; i < out->buf.len; i++) {
        if (out->offset + i >= plain_bytes)
            out->buf.data[i] ^= out->key[(out->offset + i) % KEY_BYTES];
    }
    rc = disk_write(out->file, out->buf.data, out->buf.len, out->offset, err);
    out->offset += out->buf.len;
    out->buf.len = 0;
    return rc;
}

/* A copy of what is to be written. */
struct copied_tx {
    const struct tx_ref *ref; /* Held. */
    int64_t time_s;
    int64_t delta_sat;
    bool is_unbroadcast;
};
struct copy {
    struct copied_tx *txs;
    size_t txs_n;
    struct delta *deltas; /* Of others; by txid. */
    size_t deltas_n;
    struct txid *unbroadcast; /* Sorted. */
    size_t unbroadcast_n;
};

static int compare_hashes(const void *a, const void *b)
{
    /* Both a txid and a delta begin with the hash. */
    return memcmp(a, b, HASH_BYTES);
}

static void copy_mempool(struct mempool *pool, struct copy *ret)
{
    struct graph_chunk chunk;
    struct graph_walk walk;

    pool_lock(pool);
    *ret = (struct copy){.txs = alloc_array(pool->txs_n + 1U, sizeof(*ret->txs)),
                         .deltas = alloc_array(pool->deltas_n + 1U, sizeof(*ret->deltas)),
                         .unbroadcast =
                             alloc_array(pool->unbroadcast_n + 1U, sizeof(*ret->unbroadcast))};
    /* Best first: parents come before their children. */
    graph_walk_begin(pool->graph, &walk);
    while (graph_walk_next(&walk, &chunk)) {
        for (size_t i = 0; i < chunk.nodes_n; i++) {
            const struct entry *entry = pool->entries[chunk.nodes[i]];

            ret->txs[ret->txs_n++] = (struct copied_tx){tx_ref_hold(entry->ref), entry->time_s,
                                                        entry->delta_sat, entry->is_unbroadcast};
            if (entry->is_unbroadcast)
                ret->unbroadcast[ret->unbroadcast_n++] = entry_tx(entry)->txid;
        }
    }
    for (uint32_t i = 0; i < pool->deltas_n; i++) {
        if (pool_find_txid(pool, &pool->deltas[i].txid) == NULL)
            ret->deltas[ret->deltas_n++] = pool->deltas[i];
    }
    pool_unlock(pool);
    qsort(ret->deltas, ret->deltas_n, sizeof(*ret->deltas), compare_hashes);
    qsort(ret->unbroadcast, ret->unbroadcast_n, sizeof(*ret->unbroadcast), compare_hashes);
}

static void copy_clear(struct copy *copy)
{
    for (size_t i = 0; i < copy->txs_n; i++)
        tx_ref_drop(copy->txs[i].ref);
    free(copy->txs);
    free(copy->deltas);
    free(copy->unbroadcast);
}

static int write_copy(struct output *out, const struct copy *copy, bool is_plain, struct error *err)
{
    uint64_t plain_bytes = 8;
    int rc = 0;

    add_le64(out, is_plain ? VERSION_PLAIN : VERSION_KEYED);
    if (!is_plain) {
        entropy_fill(out->key, KEY_BYTES);
        write_compact_size(&out->buf, KEY_BYTES);
        buf_add(&out->buf, out->key, KEY_BYTES);
        plain_bytes = out->buf.len;
    }
    add_le64(out, copy->txs_n);
    for (size_t i = 0; i < copy->txs_n && rc == 0; i++) {
        const struct copied_tx *tx = &copy->txs[i];

        buf_add(&out->buf, tx->ref->tx.raw.data, tx->ref->tx.raw.len);
        add_le64(out, (uint64_t)tx->time_s);
        add_le64(out, (uint64_t)tx->delta_sat);
        if (out->buf.len >= WRITE_BYTES)
            rc = flush(out, plain_bytes, err);
    }
    write_compact_size(&out->buf, copy->deltas_n);
    for (size_t i = 0; i < copy->deltas_n; i++) {
        buf_add(&out->buf, copy->deltas[i].txid.b, HASH_BYTES);
        add_le64(out, (uint64_t)copy->deltas[i].delta_sat);
    }
    write_compact_size(&out->buf, copy->unbroadcast_n);
    for (size_t i = 0; i < copy->unbroadcast_n; i++)
        buf_add(&out->buf, copy->unbroadcast[i].b, HASH_BYTES);
    return rc < 0 ? rc : flush(out, plain_bytes, err);
}

static int write_file(struct mempool *pool, const char *path, const struct copy *copy,
                      uint64_t *ret_bytes, struct error *err)
{
    struct disk *disk = pool->options.disk;
    char *part = alloc_printf("%s.new", path);
    char *folder = disk_folder_of(path);
    struct output out = {0};
    int rc = disk_open(disk, &out.file, part, DISK_CREATE, err);

    if (rc == 0)
        rc = disk_truncate(out.file, 0, err);
    if (rc == 0)
        rc = write_copy(&out, copy, pool->options.persist_v1, err);
    if (rc == 0)
        rc = disk_sync(out.file, err);
    disk_close(out.file);
    if (rc == 0)
        rc = disk_rename(disk, part, path, err);
    if (rc == 0)
        rc = disk_sync_folder(disk, folder, err);
    *ret_bytes = out.offset;
    buf_clear(&out.buf);
    free(folder);
    free(part);
    return rc;
}

int save_mempool(struct mempool *pool, char **ret_path, struct error *err)
{
    uint64_t started_us = clock_monotonic_us(pool->options.clock);
    char *path = alloc_printf("%s/" FILE_NAME, pool->folder);
    uint64_t copied_us;
    uint64_t bytes = 0;
    struct copy copy;
    int rc;

    mutex_lock(&pool->save_mutex);
    copy_mempool(pool, &copy);
    copied_us = clock_monotonic_us(pool->options.clock);
    log_info("mempool", "Writing %zu mempool transactions to file...", copy.txs_n);
    log_info("mempool", "Writing %zu unbroadcast transactions to file.", copy.unbroadcast_n);
    rc = write_file(pool, path, &copy, &bytes, err);
    mutex_unlock(&pool->save_mutex);
    if (rc == 0)
        log_info("mempool",
                 "Dumped mempool: %.3fs to copy, %.3fs to dump, %" PRIu64 " bytes dumped to file",
                 (double)(copied_us - started_us) / 1e6,
                 (double)(clock_monotonic_us(pool->options.clock) - copied_us) / 1e6, bytes);
    else
        log_info("mempool", "Failed to dump mempool: %s. Continuing anyway.", error_text(err));
    copy_clear(&copy);
    if (rc == 0 && ret_path != NULL)
        *ret_path = path;
    else
        free(path);
    return rc;
}

int save_op(struct mempool_view *view, char **ret_path, struct error *err)
{
    struct mempool *pool = (struct mempool *)view;
    bool is_loaded;

    pool_lock(pool);
    is_loaded = pool->is_loaded;
    pool_unlock(pool);
    /* Half of what the last run left would take the place of the whole. */
    if (!is_loaded)
        return error_set(err, E_STATE, "The mempool was not loaded yet");
    return save_mempool(pool, ret_path, err);
}

int pool_save_fees(struct mempool *pool, struct error *err)
{
    struct buf bytes = {0};
    char *path;
    int rc;

    if (pool->options.disk == NULL || pool->folder[0] == 0 || !pool->options.estimates_fees)
        return 0;
    path = alloc_printf("%s/" FEES_FILE_NAME, pool->folder);
    pool_lock(pool);
    fees_write(pool->fees, &bytes);
    pool_unlock(pool);
    rc = disk_replace_file(pool->options.disk, path, bytes.data, bytes.len, err);
    if (rc < 0)
        log_warning("mempool", "Failed to write fee estimates to %s. Continue anyway.", path);
    else
        log_debug("estimatefee", "Flushed fee estimates to %s.", path);
    buf_clear(&bytes);
    free(path);
    return rc;
}
