#include <stdio.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "codec/reader.h"
#include "codec/writer.h"
#include "coins/coins_priv.h"
#include "os/entropy.h"

#define MANIFEST_NAME COINS_MANIFEST_NAME
#define MANIFEST_KIND 0x4e494f43U /* "COIN" */
#define MANIFEST_TYPE_COMMIT 1U
#define MANIFEST_VERSION 1U
#define MANIFEST_COMMIT_BYTES_MAX (4U + 16 + HASH_BYTES + 8 + 4 + RUN_SET_N_MAX * 16)
/* Longer ones are written anew. */
#define MANIFEST_BYTES_MAX (1U << 20)
#define MERGE_BUFFER_BYTES (128U << 10)
#define MERGE_LOOK_EVERY 1024U /* Records between looks at what else is wanted. */
#define FLUSH_AHEAD 16U

/* What a commit record says. */
struct commit {
    struct siphash_key salt;
    struct block_hash tip;
    uint64_t next_id;
    uint32_t runs_n;
    struct {
        uint64_t id;
        uint64_t file_bytes;
    } runs[RUN_SET_N_MAX];
    bool is_there; /* Some record was read. */
};

static char *run_path(const struct coins_store *store, uint64_t id)
{
    return alloc_printf("%s/coins-%06llu.run", store->folder, (unsigned long long)id);
}

static int on_commit(void *context, uint32_t type, struct span payload, struct error *err)
{
    struct commit *commit = context;
    struct reader r;

    reader_init(&r, payload.data, payload.len);
    if (type != MANIFEST_TYPE_COMMIT || read_le32(&r) != MANIFEST_VERSION)
        return error_set(err, E_UNSUPPORTED, "the coins were written by a newer version");
    commit->salt.k0 = read_le64(&r);
    commit->salt.k1 = read_le64(&r);
    read_bytes(&r, commit->tip.b, HASH_BYTES);
    commit->next_id = read_le64(&r);
    commit->runs_n = read_le32(&r);
    if (r.rc < 0 || commit->runs_n > RUN_SET_N_MAX)
        return error_set(err, E_CORRUPT, "a commit record is malformed");
    for (uint32_t i = 0; i < commit->runs_n; i++) {
        commit->runs[i].id = read_le64(&r);
        commit->runs[i].file_bytes = read_le64(&r);
        if (commit->runs[i].id >= commit->next_id)
            (void)reader_fail(&r, E_MALFORMED);
    }
    if (r.rc < 0 || r.left > 0)
        return error_set(err, E_CORRUPT, "a commit record is malformed");
    commit->is_there = true;
    return 0;
}

/* Makes tip and set what the next open finds. */
static int commit_write(struct coins_store *store, const struct block_hash *tip,
                        const struct run_set *set, struct error *err)
{
    bool is_anew = record_log_bytes(store->manifest) > MANIFEST_BYTES_MAX;
    struct buf payload = {0};
    int rc = 0;

    write_le32(&payload, MANIFEST_VERSION);
    write_le64(&payload, store->salt.k0);
    write_le64(&payload, store->salt.k1);
    buf_add(&payload, tip->b, HASH_BYTES);
    write_le64(&payload, store->next_id);
    write_le32(&payload, set->n);
    for (uint32_t i = 0; i < set->n; i++) {
        write_le64(&payload, run_id(set->runs[i]));
        write_le64(&payload, run_file_bytes(set->runs[i]));
    }
    if (is_anew)
        rc = record_log_replace_start(store->manifest, err);
    if (rc == 0)
        rc = record_log_append(store->manifest, MANIFEST_TYPE_COMMIT, span_of_buf(&payload), err);
    if (rc == 0)
        rc = is_anew ? record_log_replace_finish(store->manifest, err)
                     : record_log_sync(store->manifest, err);
    buf_clear(&payload);
    return rc;
}

/* Is it coins-<digits>.run? Then *ret_id is its id. Or a file of a scan? Names that
 * only resemble ours are somebody else's. */
static bool is_run_name(const char *name, uint64_t *ret_id)
{
    unsigned long long id;
    char again[64];
    int len = 0;

    if (sscanf(name, "coins-%llu.run%n", &id, &len) != 1 || name[len] != '\0')
        return false;
    (void)snprintf(again, sizeof(again), "coins-%06llu.run", id);
    *ret_id = id;
    return strcmp(again, name) == 0;
}

static bool is_scan_name(const char *name)
{
    unsigned long long scan;
    unsigned long long part;
    int len = 0;

    return sscanf(name, "coins-scan-%llu-%llu.tmp%n", &scan, &part, &len) == 2 && name[len] == '\0';
}

static bool is_kept(const struct run_set *keep, uint64_t id)
{
    for (uint32_t i = 0; keep != NULL && i < keep->n; i++) {
        if (run_id(keep->runs[i]) == id)
            return true;
    }
    return false;
}

static int remove_in_folder(struct coins_store *store, const char *name, struct error *err)
{
    char *path = alloc_printf("%s/%s", store->folder, name);
    int rc = disk_remove(store->disk, path, err);

    free(path);
    return rc;
}

int flush_remove_files(struct coins_store *store, const struct run_set *keep, struct error *err)
{
    struct disk_entry *entries = NULL;
    bool any = false;
    size_t n = 0;
    int rc;

    rc = disk_list(store->disk, store->folder, &entries, &n, err);
    /* The manifest goes first, durably: what it names must outlive it. */
    for (size_t i = 0; i < n && rc == 0 && keep == NULL; i++) {
        if (strcmp(entries[i].name, MANIFEST_NAME) != 0)
            continue;
        rc = remove_in_folder(store, entries[i].name, err);
        if (rc == 0)
            rc = disk_sync_folder(store->disk, store->folder, err);
    }
    for (size_t i = 0; i < n && rc == 0; i++) {
        bool is_half = keep == NULL && strcmp(entries[i].name, MANIFEST_NAME ".new") == 0;
        uint64_t id;

        if (is_run_name(entries[i].name, &id) ? is_kept(keep, id)
                                              : !is_scan_name(entries[i].name) && !is_half)
            continue;
        rc = remove_in_folder(store, entries[i].name, err);
        any = true;
    }
    if (rc == 0 && any)
        rc = disk_sync_folder(store->disk, store->folder, err);
    disk_entries_free(entries, n);
    return rc;
}

static int move_file(struct coins_store *store, const char *name, const char *to, struct error *err)
{
    char *from_path = alloc_printf("%s/%s", store->folder, name);
    char *to_path = alloc_printf("%s/%s", to, name);
    int rc = disk_rename(store->disk, from_path, to_path, err);

    free(from_path);
    free(to_path);
    return rc;
}

static int sync_both(struct coins_store *store, const char *to, struct error *err)
{
    int rc = disk_sync_folder(store->disk, to, err);

    return rc < 0 ? rc : disk_sync_folder(store->disk, store->folder, err);
}

int flush_move_files(struct coins_store *store, const char *to, struct error *err)
{
    struct disk_entry *entries = NULL;
    size_t n = 0;
    int rc = disk_list(store->disk, store->folder, &entries, &n, err);

    for (size_t i = 0; i < n && rc == 0; i++) {
        uint64_t id;

        if (is_run_name(entries[i].name, &id))
            rc = move_file(store, entries[i].name, to, err);
    }
    disk_entries_free(entries, n);
    if (rc == 0)
        rc = sync_both(store, to, err);
    if (rc == 0)
        rc = move_file(store, MANIFEST_NAME, to, err);
    return rc < 0 ? rc : sync_both(store, to, err);
}

static int open_run(struct coins_store *store, struct run **ret_run, uint64_t id,
                    uint64_t file_bytes, bool want_filter, struct error *err)
{
    char *path = run_path(store, id);
    struct run_open_options options = {
        .disk = store->disk,
        .path = path,
        .id = id,
        .file_bytes = file_bytes,
        .want_filter = want_filter,
    };
    int rc = run_open(ret_run, &options, err);

    free(path);
    return rc;
}

/* Opens the runs of a commit, filters for the newest ones as far as they fit. */
static int open_runs(struct coins_store *store, const struct commit *commit, struct error *err)
{
    struct run *runs[RUN_SET_N_MAX];
    uint64_t filters = 0;
    uint32_t n = 0;
    int rc = 0;

    while (n < commit->runs_n && rc == 0) {
        /* A filter takes about an eightieth of its run. */
        uint64_t filter = commit->runs[n].file_bytes / 40;
        bool want = filters + filter <= store->filter_bytes_max;

        rc = open_run(store, &runs[n], commit->runs[n].id, commit->runs[n].file_bytes, want, err);
        if (rc == 0)
            n++;
        else if (rc == E_NOT_FOUND)
            error_wrap(err, "'%s/" MANIFEST_NAME "' names what is not there", store->folder);
        filters += want ? filter : 0;
    }
    store->current = run_set_new(runs, n);
    return rc;
}

/* Publishes what a commit made true. Under the mutex. */
static void publish(struct coins_store *store, struct run_set *own_set, struct block_hash tip)
{
    run_set_unref(store->current);
    store->current = own_set;
    store->current_tip = tip;
    (void)atomic_fetch_add(&store->serial, 1);
    cond_broadcast(&store->ended);
}

static void entry_to_record(struct record *ret_record, const struct cache_entry *entry)
{
    *ret_record = (struct record){
        .outpoint = entry->outpoint,
        .is_spent = (entry_meta(entry) & ENTRY_SPENT) != 0,
        .height = entry->code >> 1,
        .is_coinbase = (entry->code & 1) != 0,
        .value_sat = entry_value_sat(entry),
        .script = entry_script(entry),
    };
}

struct flush_item {
    uint64_t hash;
    uint8_t key[RECORD_KEY_BYTES_MAX];
    size_t key_len;
};

static void item_of(struct flush_item *ret_item, const struct coins_store *store, uint64_t slot)
{
    const struct cache_entry *entry = cache_entry(&store->cache, (slab_ref)slot);

    ret_item->hash = outpoint_hash(&store->salt, &entry->outpoint);
    ret_item->key_len = record_key_write(ret_item->key, &entry->outpoint);
}

static bool item_before(const struct flush_item *a, const struct flush_item *b)
{
    if (a->hash != b->hash)
        return a->hash < b->hash;
    return memcmp(a->key, b->key, MIN(a->key_len, b->key_len)) < 0;
}

/* Frozen slots are in the order of the hash bits they hold; the few that agree in
 * those are put in the order of the whole hash and the key. */
static void sort_frozen(const struct coins_store *store, struct cache_frozen *frozen)
{
    for (uint32_t i = 1; i < frozen->n; i++) {
        for (uint32_t at = i; at > 0; at--) {
            uint64_t *pair = &frozen->slots[at - 1];
            struct flush_item left;
            struct flush_item right;
            uint64_t swap = pair[0];

            if (((pair[0] ^ pair[1]) & SLOT_TAG_MASK) != 0)
                break;
            item_of(&left, store, pair[0]);
            item_of(&right, store, pair[1]);
            if (!item_before(&right, &left))
                break;
            pair[0] = pair[1];
            pair[1] = swap;
        }
    }
}

/* The same coin can be frozen once only, so that no outpoint comes twice. */
static int write_segment(struct coins_store *store, struct run_writer *writer,
                         struct cache_frozen *frozen, bool keep_spent, struct error *err)
{
    uint8_t body[RECORD_BYTES_MAX];
    struct record record;
    int rc = 0;

    sort_frozen(store, frozen);
    for (uint32_t i = 0; i < frozen->n && rc == 0; i++) {
        if (i + FLUSH_AHEAD < frozen->n) {
            const char *next =
                slab_at(&store->cache.slab, (slab_ref)frozen->slots[i + FLUSH_AHEAD]);

            __builtin_prefetch(next);
            __builtin_prefetch(next + CACHE_LINE_BYTES);
        }
        entry_to_record(&record, cache_entry(&store->cache, (slab_ref)frozen->slots[i]));
        if (record.is_spent && !keep_spent)
            continue;
        rc = run_writer_add(writer, outpoint_hash(&store->salt, &record.outpoint),
                            span_of(body, record_write(body, &record)), err);
    }
    return rc;
}

static int writer_new(struct coins_store *store, struct run_writer **ret_writer, uint64_t id,
                      uint64_t records_n_max, struct error *err)
{
    char *path = run_path(store, id);
    struct run_writer_options options = {
        .disk = store->disk,
        .path = path,
        .id = id,
        .records_n_max = records_n_max,
        .filter_bytes_max = store->filter_bytes_max,
    };
    int rc = run_writer_new(ret_writer, &options, err);

    free(path);
    return rc;
}

/* Ends a writer and opens what it wrote. *ret_run stays NULL where nothing was. */
static int writer_to_run(struct coins_store *store, struct run_writer *writer, uint64_t id,
                         struct run **ret_run, struct error *err)
{
    uint64_t file_bytes;
    int rc = run_writer_finish(writer, &file_bytes, err);

    if (rc == 0)
        rc = open_run(store, ret_run, id, file_bytes, true, err);
    return rc;
}

static int write_frozen(struct coins_store *store, struct run **ret_run, struct error *err)
{
    struct run_writer *writer = NULL;
    uint64_t records_n = 0;
    uint64_t id = store->next_id;
    int rc;

    for (uint32_t i = 0; i < CACHE_SEGMENTS_N; i++)
        records_n += store->cache.frozen[i].n;
    if (records_n == 0)
        return 0;
    store->next_id++;
    rc = writer_new(store, &writer, id, records_n, err);
    /* Only the flush thread replaces current, so it may look without the mutex. */
    for (uint32_t i = 0; i < CACHE_SEGMENTS_N && rc == 0; i++)
        rc = write_segment(store, writer, &store->cache.frozen[i], store->current->n > 0, err);
    if (rc == 0)
        rc = writer_to_run(store, writer, id, ret_run, err);
    run_writer_free(writer);
    return rc;
}

/* The runs of from, the first drop_n of them replaced by newest (may be NULL). */
static struct run_set *set_with(const struct run_set *from, uint32_t drop_at, uint32_t drop_n,
                                struct run *own_newest)
{
    struct run *runs[RUN_SET_N_MAX + 1];
    uint32_t n = 0;

    CHECK(from->n <= RUN_SET_N_MAX);
    for (uint32_t i = 0; i <= from->n; i++) {
        if (i == drop_at && own_newest != NULL)
            runs[n++] = own_newest;
        if (i < from->n && (i < drop_at || i >= drop_at + drop_n))
            runs[n++] = run_ref(from->runs[i]);
    }
    return run_set_new(runs, n);
}

static int flush(struct coins_store *store, struct error *err)
{
    struct run_set *made;
    struct run *run = NULL;
    int rc;

    rc = write_frozen(store, &run, err);
    if (rc == 0 && run != NULL)
        rc = disk_sync_folder(store->disk, store->folder, err);
    if (rc == 0 && store->before_commit != NULL)
        rc = store->before_commit(store->before_commit_context, err);
    if (rc < 0) {
        run_unref(run);
        return rc;
    }
    made = set_with(store->current, 0, 0, run);
    rc = commit_write(store, &store->flush_tip, made, err);
    if (rc < 0) {
        run_set_unref(made);
        return rc;
    }
    mutex_lock(&store->mutex);
    publish(store, made, store->flush_tip);
    store->flush_state = FLUSH_WRITTEN;
    mutex_unlock(&store->mutex);
    return 0;
}

/* Takes a wanted flush up and does it. Otherwise 0 at once, also where so many runs
 * are waiting for a merge that one more would be too many. */
static int flush_if_wanted(struct coins_store *store, struct error *err)
{
    bool wanted;

    mutex_lock(&store->mutex);
    wanted = store->flush_state == FLUSH_WANTED && store->current->n < RUN_SET_N_MAX - 1;
    if (wanted)
        store->flush_state = FLUSH_GOING;
    mutex_unlock(&store->mutex);
    return wanted ? flush(store, err) : 0;
}

static bool must_stop(struct coins_store *store)
{
    bool stop;

    mutex_lock(&store->mutex);
    stop = store->must_stop;
    mutex_unlock(&store->mutex);
    return stop;
}

/* Copies the newest n runs of set into writer; flushes go first. */
static int merge_records(struct coins_store *store, struct run_writer *writer, struct run_set *set,
                         uint32_t n, struct error *err)
{
    struct run_set_walk *walk = run_set_walk_new(set, n, &store->salt, MERGE_BUFFER_BYTES);
    bool keep_spent = n < set->n;
    uint64_t count = 0;
    int rc = 0;

    while (rc == 0) {
        struct outpoint outpoint;
        uint8_t key[RECORD_KEY_BYTES_MAX];
        struct span body;
        uint64_t hash;

        rc = run_set_walk_next(walk, &hash, &body, err);
        if (rc <= 0)
            break;
        /* A record that is only its key is a spent coin. */
        rc = record_read_key(&outpoint, body);
        if (rc == 0 && (keep_spent || record_key_write(key, &outpoint) < body.len))
            rc = run_writer_add(writer, hash, body, err);
        if (rc == 0 && ++count % MERGE_LOOK_EVERY == 0) {
            rc = flush_if_wanted(store, err);
            if (rc == 0 && must_stop(store))
                rc = error_set(err, E_STOPPED, "merging coins was stopped");
        }
    }
    run_set_walk_free(walk);
    return rc;
}

/* Commits a set in which merged took the place of the newest n runs of old. */
static int commit_merge(struct coins_store *store, struct run_set *old, uint32_t n,
                        struct run *own_merged, struct error *err)
{
    struct run_set *made;
    uint32_t at = 0;
    int rc;

    /* Flushes meanwhile have put newer runs in front. */
    while (store->current->runs[at] != old->runs[0])
        at++;
    made = set_with(store->current, at, n, own_merged);
    rc = commit_write(store, &store->current_tip, made, err);
    if (rc < 0) {
        run_set_unref(made);
        return rc;
    }
    for (uint32_t i = 0; i < n; i++)
        run_remove_at_end(old->runs[i]);
    mutex_lock(&store->mutex);
    publish(store, made, store->current_tip);
    mutex_unlock(&store->mutex);
    return 0;
}

static int merge(struct coins_store *store, uint32_t n, struct error *err)
{
    struct run_set *old = run_set_ref(store->current);
    struct run_writer *writer = NULL;
    struct run *merged = NULL;
    uint64_t records_n = 0;
    uint64_t id = store->next_id++;
    char *path = run_path(store, id);
    bool is_empty = false;
    int rc;

    for (uint32_t i = 0; i < n; i++)
        records_n += run_records_n(old->runs[i]);
    rc = writer_new(store, &writer, id, records_n, err);
    if (rc == 0)
        rc = merge_records(store, writer, old, n, err);
    if (rc == 0) {
        is_empty = run_writer_records_n(writer) == 0;
        rc = writer_to_run(store, writer, id, &merged, err);
    }
    if (rc == 0)
        rc = disk_sync_folder(store->disk, store->folder, err);
    if (rc == 0 && is_empty) {
        run_remove_at_end(merged);
        run_unref(merged);
        merged = NULL;
    }
    if (rc == 0)
        rc = commit_merge(store, old, n, merged, err);
    else
        run_unref(merged);
    run_writer_free(writer);
    /* What could not be removed is removed by the next open. */
    if (rc == E_STOPPED && disk_remove(store->disk, path, NULL) < 0)
        log_debug("coins", "could not remove '%s'", path);
    run_set_unref(old);
    free(path);
    return rc;
}

/* Waits for something to do. false: the end. */
static bool wait_for_work(struct coins_store *store, uint32_t *ret_merge_n)
{
    bool go_on;

    mutex_lock(&store->mutex);
    for (;;) {
        *ret_merge_n = store->must_stop ? 0 : run_set_merge_n(store->current);
        /* A flush that was asked for is done even before the end. */
        if (store->flush_state == FLUSH_WANTED || store->must_stop || *ret_merge_n > 0)
            break;
        store->is_resting = true;
        cond_broadcast(&store->ended);
        cond_wait(&store->wake, &store->mutex);
        store->is_resting = false;
    }
    go_on = store->flush_state == FLUSH_WANTED || !store->must_stop;
    mutex_unlock(&store->mutex);
    return go_on;
}

static void flush_run(void *context)
{
    struct coins_store *store = context;
    struct error err = {0};
    uint32_t merge_n;
    int rc = 0;

    while (rc == 0 && wait_for_work(store, &merge_n)) {
        rc = flush_if_wanted(store, &err);
        /* A flush may have changed what is worth merging: look again. */
        if (rc == 0 && merge_n > 0)
            merge_n = run_set_merge_n(store->current);
        if (rc == 0 && merge_n > 0)
            rc = merge(store, merge_n, &err);
        if (rc == E_STOPPED)
            rc = 0;
    }
    mutex_lock(&store->mutex);
    store->failed_rc = rc;
    store->failed = err;
    cond_broadcast(&store->ended);
    mutex_unlock(&store->mutex);
}

static int make_first_commit(struct coins_store *store, struct error *err)
{
    static const struct block_hash none;

    entropy_fill(&store->salt, sizeof(store->salt));
    store->next_id = 1;
    store->current = run_set_new(NULL, 0);
    return commit_write(store, &none, store->current, err);
}

int flush_open(struct coins_store *store, struct error *err)
{
    struct commit *commit = alloc_zero(sizeof(*commit));
    char *path = alloc_printf("%s/" MANIFEST_NAME, store->folder);
    struct record_log_options options = {
        .disk = store->disk,
        .path = path,
        .kind = MANIFEST_KIND,
        .record_bytes_max = MANIFEST_COMMIT_BYTES_MAX,
        .on_record = on_commit,
        .context = commit,
    };
    int rc;

    rc = record_log_open(&store->manifest, &options, err);
    if (rc < 0)
        goto done;
    if (commit->is_there) {
        store->salt = commit->salt;
        store->next_id = commit->next_id;
        store->current_tip = commit->tip;
        rc = open_runs(store, commit, err);
    } else {
        rc = make_first_commit(store, err);
    }
    if (rc == 0)
        rc = flush_remove_files(store, store->current, err);

done:
    free(path);
    free(commit);
    return rc;
}

int flush_begin(struct coins_store *store, struct error *err)
{
    return thread_start(&store->thread, "coins-flush", flush_run, store, err);
}

void flush_close(struct coins_store *store)
{
    mutex_lock(&store->mutex);
    store->must_stop = true;
    cond_signal(&store->wake);
    mutex_unlock(&store->mutex);
    thread_join(&store->thread);
    record_log_close(store->manifest);
    run_set_unref(store->current);
}
