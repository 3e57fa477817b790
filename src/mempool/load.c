/* Reading mempool.dat (see save.c), a piece at a time, so that the chain goes on between. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "codec/reader.h"
#include "mempool/save_priv.h"

#define FILE_NAME "mempool.dat"
#define KEY_BYTES 8
#define READ_BYTES (1U << 20)
/* More than the largest transaction that could ever be valid. */
#define WINDOW_BYTES_MAX (16U << 20)
#define PIECE_US 20000
#define LISTS_MAX (UINT64_C(1) << 24)

enum part { PART_TXS, PART_DELTAS, PART_UNBROADCAST, PART_END };

struct loading {
    struct mempool *pool;
    struct mempool_import_options options;
    struct disk_file *file;
    uint64_t offset; /* Behind the window. */
    bool is_keyed;
    uint8_t key[KEY_BYTES];
    struct buf window; /* Read and not used up yet. */
    size_t used;       /* Of the window. */
    bool at_end;       /* Of the file. */
    enum part part;
    bool has_count; /* Of the part. */
    uint64_t count; /* Still to come. */
    uint64_t total;
    int tenth; /* Last told. */
    /* What came of it. */
    int64_t succeeded, failed, expired, already_there, unbroadcast;
};

void loading_free(struct loading *own_loading)
{
    if (own_loading == NULL)
        return;
    disk_close(own_loading->file);
    buf_clear(&own_loading->window);
    free(own_loading);
}

static int fill(struct loading *l, struct error *err)
{
    size_t left = l->window.len - l->used;
    uint8_t *at;
    size_t len;
    int rc;

    if (left > 0 && l->used > 0)
        memmove(l->window.data, l->window.data + l->used, left);
    l->window.len = left;
    l->used = 0;
    if (left > WINDOW_BYTES_MAX)
        return error_set(err, E_MALFORMED, "a transaction has no end");
    at = buf_extend(&l->window, READ_BYTES);
    rc = disk_read(l->file, at, READ_BYTES, l->offset, &len, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < len && l->is_keyed; i++)
        at[i] ^= l->key[(l->offset + i) % KEY_BYTES];
    l->offset += len;
    l->window.len = left + len;
    l->at_end = len < READ_BYTES;
    return 0;
}

static struct reader rest_of(const struct loading *l)
{
    struct span window = span_of_buf(&l->window);
    struct reader r;

    /* No arithmetic on the NULL of an empty window. */
    if (l->used > 0)
        window = span_of(window.data + l->used, window.len - l->used);
    reader_init(&r, window.data, window.len);
    return r;
}

/* What take reads has been cut off by the window's end: once more with more of the file. */
static int need_more(struct loading *l, int rc, struct error *err)
{
    if (rc != E_TRUNCATED || l->at_end)
        return error_set(err, rc == E_TRUNCATED ? E_TRUNCATED : E_MALFORMED,
                         "the data ends or makes no sense");
    return fill(l, err);
}

static int read_head(struct loading *l, struct error *err)
{
    struct reader r;
    uint64_t version;
    int rc;

    /* Only the head is not scrambled: it is read by itself. */
    uint8_t head[8 + 1 + KEY_BYTES];

    rc = disk_read_exact(l->file, head, 8, 0, err);
    if (rc < 0)
        return rc;
    reader_init(&r, head, 8);
    version = read_le64(&r);
    l->offset = 8;
    if (version != 1 && version != 2)
        return error_set(err, E_MALFORMED, "the version is not known");
    if (version == 1)
        return 0;
    rc = disk_read_exact(l->file, head, 1 + KEY_BYTES, 8, err);
    if (rc == 0 && head[0] != KEY_BYTES)
        rc = error_set(err, E_MALFORMED, "the key has another length");
    memcpy(l->key, head + 1, KEY_BYTES);
    l->is_keyed = true;
    l->offset = sizeof(head);
    return rc;
}

int loading_begin(struct loading **ret_loading, struct mempool *pool, const char *path,
                  const struct mempool_import_options *options, struct error *err)
{
    struct loading *l = alloc_zero(sizeof(*l));
    int rc;

    l->pool = pool;
    l->options = *options;
    rc = disk_open(pool->options.disk, &l->file, path, DISK_READ, err);
    if (rc < 0) {
        log_info("mempool", "Failed to open mempool file. Continuing anyway.");
        free(l);
        return rc;
    }
    rc = read_head(l, err);
    if (rc < 0) {
        loading_free(l);
        return rc;
    }
    *ret_loading = l;
    return 0;
}

/* --- The parts ----------------------------------------------------------------------------- */

static int judge(struct loading *l, const struct tx *tx, int64_t time_s, struct error *err)
{
    struct mempool *pool = l->pool;
    struct accept_args args = {
        .time_s = time_s, .allow_replacement = true, .allow_sibling_eviction = true};
    struct tx_result result = {0};
    struct tx_ref *ref;
    int rc;

    if (time_s <= pool_now_s(pool) - pool->options.expiry_s) {
        l->expired++;
        return 0;
    }
    rc = tx_ref_read(&ref, tx->raw, err);
    if (rc < 0)
        return rc;
    rc = accept_one(pool, &result, ref, &args, err);
    if (rc == 0 && result.outcome == TX_ACCEPTED)
        l->succeeded++;
    else if (rc == 0 && pool_find_txid(pool, &tx->txid) != NULL)
        l->already_there++;
    else if (rc == 0)
        l->failed++;
    tx_result_clear(&result);
    tx_ref_drop(ref);
    return rc;
}

static void add_delta(struct loading *l, const struct txid *txid, int64_t delta_sat)
{
    if (delta_sat == 0 || !l->options.apply_fee_deltas)
        return;
    pool_lock(l->pool);
    pool_add_delta(l->pool, txid, delta_sat);
    pool_unlock(l->pool);
}

static int take_tx(struct loading *l, struct error *err)
{
    struct reader r = rest_of(l);
    struct arena arena;
    struct tx tx;
    int64_t time_s;
    int64_t delta_sat;
    int rc;

    arena_init(&arena);
    rc = tx_read(&tx, &r, &arena, TX_READ_IDS);
    time_s = (int64_t)read_le64(&r);
    delta_sat = (int64_t)read_le64(&r);
    if (rc == 0)
        rc = r.rc;
    if (rc < 0) {
        arena_clear(&arena);
        return need_more(l, rc, err);
    }
    l->used = l->window.len - r.left;
    l->count--;
    add_delta(l, &tx.txid, delta_sat);
    rc = judge(l, &tx, l->options.use_current_time ? pool_now_s(l->pool) : time_s, err);
    arena_clear(&arena);
    return rc;
}

static int take_delta(struct loading *l, struct error *err)
{
    struct reader r = rest_of(l);
    struct span hash = read_span(&r, HASH_BYTES);
    int64_t delta_sat = (int64_t)read_le64(&r);
    struct txid txid;

    if (r.rc < 0)
        return need_more(l, r.rc, err);
    memcpy(txid.b, hash.data, HASH_BYTES);
    l->used = l->window.len - r.left;
    l->count--;
    add_delta(l, &txid, delta_sat);
    return 0;
}

static int take_unbroadcast(struct loading *l, struct error *err)
{
    struct mempool *pool = l->pool;
    struct reader r = rest_of(l);
    struct span hash = read_span(&r, HASH_BYTES);
    struct entry *entry;
    struct txid txid;

    if (r.rc < 0)
        return need_more(l, r.rc, err);
    memcpy(txid.b, hash.data, HASH_BYTES);
    l->used = l->window.len - r.left;
    l->count--;
    if (!l->options.apply_unbroadcast)
        return 0;
    l->unbroadcast++;
    pool_lock(pool);
    entry = pool_find_txid(pool, &txid);
    if (entry != NULL)
        pool_set_unbroadcast(pool, entry, true);
    pool_unlock(pool);
    return 0;
}

static int take_count(struct loading *l, struct error *err)
{
    struct reader r = rest_of(l);

    l->count = l->part == PART_TXS ? read_le64(&r) : read_compact_size(&r);
    if (r.rc < 0)
        return need_more(l, r.rc, err);
    if (l->count > LISTS_MAX)
        return error_set(err, E_MALFORMED, "a list is too long");
    l->used = l->window.len - r.left;
    l->has_count = true;
    if (l->part == PART_TXS) {
        l->total = l->count;
        log_info("mempool", "Loading %" PRIu64 " mempool transactions from file...", l->count);
    }
    return 0;
}

static void tell_progress(struct loading *l)
{
    int tenth = l->total == 0 ? 0 : (int)(10 * (l->total - l->count) / l->total);

    if (l->part != PART_TXS || tenth <= l->tenth || l->count == 0)
        return;
    l->tenth = tenth;
    log_info("mempool",
             "Progress loading mempool transactions from file: %d%% (tried %" PRIu64 ", %" PRIu64
             " remaining)",
             tenth * 10, l->total - l->count, l->count);
}

static int take(struct loading *l, struct error *err)
{
    if (!l->has_count)
        return take_count(l, err);
    if (l->count == 0) {
        l->part++;
        l->has_count = false;
        return 0;
    }
    tell_progress(l);
    if (l->part == PART_TXS)
        return take_tx(l, err);
    return l->part == PART_DELTAS ? take_delta(l, err) : take_unbroadcast(l, err);
}

int loading_go_on(struct loading *l, struct error *err)
{
    uint64_t end_us = clock_monotonic_us(l->pool->options.clock) + PIECE_US;
    int rc = 0;

    do {
        rc = take(l, err);
    } while (rc == 0 && l->part != PART_END && clock_monotonic_us(l->pool->options.clock) < end_us);
    pool_tell(l->pool);
    if (rc < 0) {
        log_info("mempool", "Failed to deserialize mempool data on file: %s. Continuing anyway.",
                 error_text(err));
        /* Of the file, whatever it was: it must not end the chain. */
        return E_MALFORMED;
    }
    if (l->part != PART_END)
        return 1;
    log_info("mempool",
             "Imported mempool transactions from file: %" PRId64 " succeeded, %" PRId64
             " failed, %" PRId64 " expired, %" PRId64 " already there, %" PRId64
             " waiting for initial broadcast",
             l->succeeded, l->failed, l->expired, l->already_there, l->unbroadcast);
    return 0;
}

/* --- At the start, and on request --------------------------------------------------------------
 */

static void end_start(struct mempool *pool)
{
    loading_free(pool->loading);
    pool->loading = NULL;
    pool_lock(pool);
    pool->is_loaded = true;
    pool_unlock(pool);
    pool_check(pool);
}

int mempool_load_some(struct mempool *pool, struct error *err)
{
    const struct mempool_import_options all = {.apply_fee_deltas = true, .apply_unbroadcast = true};
    char *path;
    int rc = 0;

    if (pool->is_loaded)
        return 0;
    if (pool->loading == NULL && pool->options.persist) {
        path = alloc_printf("%s/" FILE_NAME, pool->folder);
        rc = loading_begin(&pool->loading, pool, path, &all, err);
        free(path);
    }
    if (pool->loading != NULL)
        rc = loading_go_on(pool->loading, err);
    if (rc > 0)
        return rc;
    /* A file that is not there, or not whole, is no reason not to run. */
    end_start(pool);
    return 0;
}

static int run_loading(void *argument, struct error *err)
{
    return loading_go_on(argument, err);
}

int import_op(struct mempool_view *view, const char *path,
              const struct mempool_import_options *options, struct error *err)
{
    struct mempool *pool = (struct mempool *)view;
    const struct mempool_ground *ground = &pool->options.ground;
    struct loading *l;
    int rc = loading_begin(&l, pool, path, options, err);

    if (rc < 0)
        return rc;
    do {
        rc = ground->ask(ground->context, run_loading, l, err);
    } while (rc > 0);
    loading_free(l);
    return rc;
}

/* Those that wait and will not be seen again count as never confirmed. */
static void give_up_waiting(struct mempool *pool)
{
    size_t n = 0;

    for (uint32_t i = 0; i < pool->txs_n; i++) {
        struct entry *entry = pool->entries[pool->heap[i]];

        n += entry->fee_bucket != FEES_UNTRACKED;
        fees_tx_removed(pool->fees, entry->fee_bucket, entry->height);
        entry->fee_bucket = FEES_UNTRACKED;
    }
    log_debug("estimatefee", "Recorded %zu unconfirmed txs from mempool", n);
}

int mempool_stop(struct mempool *pool, struct error *err)
{
    int rc = pool->options.persist && pool->is_loaded ? save_mempool(pool, NULL, err) : 0;
    int rc_fees;

    give_up_waiting(pool);
    rc_fees = pool_save_fees(pool, rc < 0 ? NULL : err);
    return rc < 0 ? rc : rc_fees;
}
