#include "chain/block_files.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "crypto/sha256.h"
#include "os/entropy.h"
#include "os/thread.h"

#define CHUNK_BYTES_BLOCK (UINT32_C(16) << 20)
#define CHUNK_BYTES_BLOCK_FAST (UINT32_C(16) << 10)
#define CHUNK_BYTES_UNDO (UINT32_C(1) << 20)
#define HANDLES_MAX 32
#define KEY_FILE "xor.dat"
/* Records larger than this are not gathered into one write. */
#define GATHER_BYTES_MAX (64U << 10)

enum kind { KIND_BLOCK, KIND_UNDO, KINDS_N };

/* Below and from the height on where the files are split. */
enum part { PART_LOW, PART_HIGH, PARTS_N };

#define NO_PAIR (-1)

/* A file open for writing. The sync of another thread may hold it longer than the
 * pair does. */
struct handle {
    struct disk_file *file; /* Owned. */
    unsigned refs;
    bool is_dirty;
};

/* Undo data found in a file that is not ours. */
struct found_undo {
    uint64_t sum_start; /* First bytes of its checksum. */
    uint32_t offset;    /* Of its bytes. */
    uint32_t len;
};

struct pair {
    struct block_file_info info;
    bool is_known; /* By the index, by a scan, or because we began it. */
    bool is_changed;
    uint32_t undo_height; /* Greatest of undo data added; 0: none. */
    struct handle *handle[KINDS_N];
    struct found_undo *found; /* Owned. */
    size_t found_n;
};

struct block_files {
    struct disk *disk;
    char *folder;
    uint8_t magic[4];
    uint8_t key[BLOCK_FILE_KEY_BYTES];
    bool fast_prune;
    int (*claim)(void *context, int32_t file, struct error *err);
    void *claim_context;

    struct pair *pairs;
    int32_t pairs_n;
    int32_t current[PARTS_N]; /* Blocks go here; NO_PAIR: into a new one. */
    int32_t split_height;     /* INT32_MAX: all is PART_LOW. */
    int32_t changed_from;     /* No changed pair lies before it. */
    bool has_grown;
    struct buf gather;

    struct mutex mutex; /* Guards what the sync of another thread touches: */
    unsigned handles_n;
    bool folder_is_dirty;
    int failed;
};

static const char *const prefixes[] = {[KIND_BLOCK] = "blk", [KIND_UNDO] = "rev"};

void block_files_xor(const uint8_t *key, uint64_t offset, uint8_t *data, size_t len)
{
    uint8_t turned[BLOCK_FILE_KEY_BYTES];
    uint64_t word;
    size_t i = 0;

    if (get_le64(key) == 0)
        return;
    for (unsigned k = 0; k < BLOCK_FILE_KEY_BYTES; k++)
        turned[k] = key[(offset + k) % BLOCK_FILE_KEY_BYTES];
    memcpy(&word, turned, sizeof(word));
    for (; i + sizeof(word) <= len; i += sizeof(word)) {
        uint64_t part;

        memcpy(&part, data + i, sizeof(part));
        part ^= word;
        memcpy(data + i, &part, sizeof(part));
    }
    for (size_t k = 0; i < len; i++, k++)
        data[i] ^= turned[k];
}

static bool key_is_zero(const struct block_files *files)
{
    return get_le64(files->key) == 0;
}

char *block_files_path(const struct block_files *files, int32_t file, bool is_undo)
{
    return alloc_printf("%s/%s%05" PRId32 ".dat", files->folder, prefixes[is_undo], file);
}

/* --- Opening --- */

/* Core's first run: nothing in the folder but hidden files. What a crash of ours
 * left of the key file does not count. */
static int folder_is_fresh(const struct block_files *files, bool *ret_fresh, struct error *err)
{
    struct disk_entry *entries;
    size_t n;
    int rc = disk_list(files->disk, files->folder, &entries, &n, err);

    if (rc < 0)
        return rc;
    *ret_fresh = true;
    for (size_t i = 0; i < n; i++) {
        bool is_hidden = !entries[i].is_folder && entries[i].name[0] == '.';

        if (!is_hidden && strcmp(entries[i].name, KEY_FILE ".new") != 0)
            *ret_fresh = false;
    }
    disk_entries_free(entries, n);
    return 0;
}

static int load_key(struct block_files *files, const char *path, struct error *err)
{
    struct disk_file *file;
    int rc = disk_open(files->disk, &file, path, DISK_READ, err);

    if (rc < 0)
        return rc;
    rc = disk_read_exact(file, files->key, sizeof(files->key), 0, err);
    if (rc < 0)
        error_wrap(err, "could not read '%s'", path);
    disk_close(file);
    return rc;
}

static int init_key(struct block_files *files, bool use_xor, struct error *err)
{
    char *path = alloc_printf("%s/" KEY_FILE, files->folder);
    struct disk_entry entry;
    bool is_fresh;
    int rc = disk_stat(files->disk, path, &entry, err);

    if (rc == 0) {
        rc = load_key(files, path, err);
    } else if (rc == E_NOT_FOUND) {
        rc = folder_is_fresh(files, &is_fresh, err);
        if (rc == 0 && is_fresh && use_xor)
            entropy_fill(files->key, sizeof(files->key));
        if (rc == 0)
            rc = disk_replace_file(files->disk, path, files->key, sizeof(files->key), err);
    }
    if (rc == 0 && !use_xor && !key_is_zero(files))
        rc = error_set(err, E_STATE,
                       "the key that block files are combined with cannot be switched off, "
                       "'%s' holds one",
                       path);
    free(path);
    return rc;
}

int block_files_open(struct block_files **ret_files, const struct block_files_options *options,
                     struct error *err)
{
    struct block_files *files = alloc_zero(sizeof(*files));
    int rc;

    files->disk = options->disk;
    files->folder = alloc_string(options->folder);
    memcpy(files->magic, options->magic, sizeof(files->magic));
    files->fast_prune = options->fast_prune;
    files->claim = options->claim;
    files->claim_context = options->claim_context;
    files->current[PART_HIGH] = NO_PAIR;
    files->split_height = INT32_MAX;
    mutex_init(&files->mutex);
    /* A process that was killed may have made files and not synced their names. */
    files->folder_is_dirty = true;
    rc = disk_make_folder(files->disk, files->folder, err);
    if (rc == 0)
        rc = init_key(files, options->use_xor, err);
    if (rc < 0) {
        block_files_close(files);
        return rc;
    }
    *ret_files = files;
    return 0;
}

/* With the mutex held. */
static void unref_handle(struct block_files *files, struct handle *handle)
{
    if (handle == NULL || --handle->refs > 0)
        return;
    disk_close(handle->file);
    free(handle);
    files->handles_n--;
}

static void drop_found(struct pair *pair)
{
    free(pair->found);
    pair->found = NULL;
    pair->found_n = 0;
}

void block_files_close(struct block_files *own_files)
{
    struct block_files *files = own_files;

    if (files == NULL)
        return;
    for (int32_t i = 0; i < files->pairs_n; i++) {
        unref_handle(files, files->pairs[i].handle[KIND_BLOCK]);
        unref_handle(files, files->pairs[i].handle[KIND_UNDO]);
        drop_found(&files->pairs[i]);
    }
    mutex_clear(&files->mutex);
    buf_clear(&files->gather);
    free(files->pairs);
    free(files->folder);
    free(files);
}

const uint8_t *block_files_key(const struct block_files *files)
{
    return files->key;
}

/* --- What is known of the pairs --- */

static struct pair *pair_at(struct block_files *files, int32_t file)
{
    CHECK(file >= 0 && file <= BLOCK_FILE_NUMBER_MAX);
    if (file >= files->pairs_n) {
        /* The sync of another thread walks the pairs. */
        mutex_lock(&files->mutex);
        files->pairs = realloc_array(files->pairs, (size_t)file + 1, sizeof(*files->pairs));
        memset(files->pairs + files->pairs_n, 0,
               (size_t)(file + 1 - files->pairs_n) * sizeof(*files->pairs));
        files->pairs_n = file + 1;
        mutex_unlock(&files->mutex);
    }
    return &files->pairs[file];
}

static void mark_changed(struct block_files *files, int32_t file)
{
    files->pairs[file].is_changed = true;
    files->changed_from = MIN(files->changed_from, file);
}

void block_files_set_info(struct block_files *files, int32_t file,
                          const struct block_file_info *info)
{
    struct pair *pair = pair_at(files, file);

    pair->info = *info;
    pair->is_known = true;
    files->current[PART_LOW] = MAX(files->current[PART_LOW], file);
}

static enum part part_of(const struct block_files *files, int32_t height)
{
    return height >= files->split_height ? PART_HIGH : PART_LOW;
}

void block_files_split(struct block_files *files, int32_t height)
{
    files->split_height = height;
    files->current[PART_LOW] = NO_PAIR;
    files->current[PART_HIGH] = NO_PAIR;
    for (int32_t i = 0; i < files->pairs_n; i++) {
        const struct block_file_info *info = &files->pairs[i].info;

        /* Not where all was pruned. */
        if (files->pairs[i].is_known && (info->size > 0 || info->owns_end))
            files->current[part_of(files, (int32_t)info->height_first)] = i;
    }
}

bool block_files_is_filling(const struct block_files *files, int32_t file)
{
    return file == files->current[PART_LOW] || file == files->current[PART_HIGH];
}

int32_t block_files_count(const struct block_files *files)
{
    return files->pairs_n;
}

const struct block_file_info *block_files_info(const struct block_files *files, int32_t file)
{
    CHECK(file >= 0 && file < files->pairs_n);
    return &files->pairs[file].info;
}

bool block_files_next_changed(struct block_files *files, int32_t *ret_file,
                              struct block_file_info *ret_info)
{
    for (; files->changed_from < files->pairs_n; files->changed_from++) {
        struct pair *pair = &files->pairs[files->changed_from];

        if (!pair->is_changed)
            continue;
        pair->is_changed = false;
        *ret_file = files->changed_from;
        *ret_info = pair->info;
        return true;
    }
    return false;
}

uint64_t block_files_used_bytes(const struct block_files *files)
{
    uint64_t sum = 0;

    for (int32_t i = 0; i < files->pairs_n; i++)
        sum += (uint64_t)files->pairs[i].info.size + files->pairs[i].info.undo_size;
    return sum;
}

bool block_files_take_grown(struct block_files *files)
{
    bool has_grown = files->has_grown;

    files->has_grown = false;
    return has_grown;
}

static void count_block(struct block_file_info *info, int32_t height, uint64_t time)
{
    uint32_t h = (uint32_t)height;

    info->height_first = info->blocks_n == 0 ? h : MIN(info->height_first, h);
    info->height_last = info->blocks_n == 0 ? h : MAX(info->height_last, h);
    info->time_first = info->blocks_n == 0 ? time : MIN(info->time_first, time);
    info->time_last = info->blocks_n == 0 ? time : MAX(info->time_last, time);
    info->blocks_n++;
}

void block_files_add_known(struct block_files *files, struct block_pos pos, uint32_t len,
                           int32_t height, uint64_t time)
{
    struct pair *pair = pair_at(files, pos.file);

    pair->is_known = true;
    files->current[PART_LOW] = MAX(files->current[PART_LOW], pos.file);
    count_block(&pair->info, height, time);
    pair->info.size = MAX(pair->info.size, pos.offset + len);
    mark_changed(files, pos.file);
}

/* --- Handles --- */

static int check_alive(struct block_files *files, struct error *err)
{
    int failed;

    mutex_lock(&files->mutex);
    failed = files->failed;
    mutex_unlock(&files->mutex);
    return failed == 0 ? 0 : error_set(err, failed, "the block files failed before");
}

static int fail(struct block_files *files, int rc)
{
    mutex_lock(&files->mutex);
    if (files->failed == 0)
        files->failed = rc;
    mutex_unlock(&files->mutex);
    return rc;
}

/* The writer comes back to the last pair; of others, what is synced is closed. */
static void close_idle(struct block_files *files)
{
    mutex_lock(&files->mutex);
    for (int32_t i = 0; i < files->pairs_n; i++) {
        for (int kind = 0; kind < KINDS_N; kind++) {
            struct handle *handle = files->pairs[i].handle[kind];

            if (handle == NULL || handle->is_dirty || block_files_is_filling(files, i))
                continue;
            files->pairs[i].handle[kind] = NULL;
            unref_handle(files, handle);
        }
    }
    mutex_unlock(&files->mutex);
}

/* While undo data goes to many old pairs nobody may be syncing. */
static int spare_handles(struct block_files *files, struct error *err)
{
    unsigned n;
    int rc;

    mutex_lock(&files->mutex);
    n = files->handles_n;
    mutex_unlock(&files->mutex);
    if (n < HANDLES_MAX)
        return 0;
    rc = block_files_sync(files, err);
    close_idle(files);
    return rc;
}

/* The file of a pair open for writing, made if it is not there. */
static int get_handle(struct block_files *files, struct disk_file **ret_file, int32_t number,
                      enum kind kind, struct error *err)
{
    struct pair *pair = &files->pairs[number];
    struct disk_file *file;
    struct handle *handle;
    bool is_new = false;
    char *path;
    int rc;

    if (pair->handle[kind] != NULL) {
        *ret_file = pair->handle[kind]->file;
        return 0;
    }
    rc = spare_handles(files, err);
    if (rc < 0)
        return rc;
    path = block_files_path(files, number, kind == KIND_UNDO);
    rc = disk_open(files->disk, &file, path, DISK_READ_WRITE, err);
    if (rc == E_NOT_FOUND) {
        is_new = true;
        rc = disk_open(files->disk, &file, path, DISK_CREATE, err);
    }
    free(path);
    if (rc < 0)
        return rc;
    handle = alloc_zero(sizeof(*handle));
    handle->file = file;
    handle->refs = 1;
    mutex_lock(&files->mutex);
    pair->handle[kind] = handle;
    files->handles_n++;
    files->folder_is_dirty |= is_new;
    mutex_unlock(&files->mutex);
    *ret_file = file;
    return 0;
}

static void mark_dirty(struct block_files *files, int32_t number, enum kind kind)
{
    mutex_lock(&files->mutex);
    files->pairs[number].handle[kind]->is_dirty = true;
    mutex_unlock(&files->mutex);
}

int block_files_sync(struct block_files *files, struct error *err)
{
    struct handle **dirty;
    bool folder_is_dirty;
    size_t n = 0;
    int rc = check_alive(files, err);

    if (rc < 0)
        return rc;
    mutex_lock(&files->mutex);
    dirty = alloc_array(files->handles_n + 1U, sizeof(struct handle *));
    for (int32_t i = 0; i < files->pairs_n; i++) {
        for (int kind = 0; kind < KINDS_N; kind++) {
            struct handle *handle = files->pairs[i].handle[kind];

            if (handle == NULL || !handle->is_dirty)
                continue;
            handle->is_dirty = false; /* Set again by writes while we sync. */
            handle->refs++;
            dirty[n++] = handle;
        }
    }
    folder_is_dirty = files->folder_is_dirty;
    files->folder_is_dirty = false;
    mutex_unlock(&files->mutex);

    for (size_t i = 0; i < n && rc == 0; i++)
        rc = disk_sync(dirty[i]->file, err);
    if (rc == 0 && folder_is_dirty)
        rc = disk_sync_folder(files->disk, files->folder, err);

    mutex_lock(&files->mutex);
    for (size_t i = 0; i < n; i++)
        unref_handle(files, dirty[i]);
    mutex_unlock(&files->mutex);
    free(dirty);
    return rc < 0 ? fail(files, rc) : 0;
}

/* --- Writing --- */

/* Is everything in [from, to) zero as stored? */
static int range_is_zero(struct disk_file *file, uint64_t from, uint64_t to, bool *ret_zero,
                         struct error *err)
{
    uint8_t *part = alloc(BLOCK_SCAN_WINDOW_BYTES);
    int rc = 0;

    *ret_zero = true;
    while (from < to && *ret_zero) {
        size_t len = (size_t)MIN(to - from, (uint64_t)BLOCK_SCAN_WINDOW_BYTES);

        rc = disk_read_exact(file, part, len, from, err);
        if (rc < 0)
            break;
        for (size_t i = 0; i < len; i++)
            *ret_zero &= part[i] == 0;
        from += len;
    }
    free(part);
    return rc;
}

/* Where may we write in a file that another program may have filled? Behind `used`,
 * or behind everything when something other than zeros is there. */
static int find_end(struct disk_file *file, uint64_t used, uint32_t *ret_end, struct error *err)
{
    uint64_t len;
    bool is_zero = true;
    int rc = disk_size(file, &len, err);

    if (rc == 0 && len > used)
        rc = range_is_zero(file, used, len, &is_zero, err);
    if (rc < 0)
        return rc;
    if (!is_zero && len > UINT32_MAX)
        return error_set(err, E_LIMIT, "a block file of %" PRIu64 " bytes is too long", len);
    *ret_end = (uint32_t)(is_zero ? used : len);
    return 0;
}

/* Sets space aside in whole steps, as Core does, leaving some of the disk free. */
static int grow(struct block_files *files, struct disk_file *file, uint32_t used, uint64_t len,
                uint32_t chunk, struct error *err)
{
    uint64_t chunks = (used + len + chunk - 1) / chunk;
    uint64_t more;
    uint64_t free_bytes;
    int rc;

    if (chunks <= ((uint64_t)used + chunk - 1) / chunk)
        return 0;
    more = chunks * chunk - used;
    rc = disk_free_space(files->disk, files->folder, &free_bytes, err);
    if (rc == 0 && free_bytes < BLOCK_FILE_FREE_BYTES_MIN + more)
        rc = error_set(err, E_NO_SPACE, "disk space is too low: %" PRIu64 " MiB free in '%s'",
                       free_bytes >> 20, files->folder);
    if (rc == 0)
        rc = disk_allocate(file, used, more, err);
    if (rc == 0)
        files->has_grown = true;
    return rc;
}

/* Magic, length, bytes and what comes behind them, at offset. */
static int write_record(struct block_files *files, struct disk_file *file, uint32_t offset,
                        struct span bytes, struct span behind, struct error *err)
{
    struct buf *gather = &files->gather;
    uint8_t *frame;
    int rc = 0;

    gather->len = 0;
    frame = buf_extend(gather, BLOCK_FILE_FRAME_BYTES);
    memcpy(frame, files->magic, sizeof(files->magic));
    put_le32(frame + 4, (uint32_t)bytes.len);
    if (key_is_zero(files) && bytes.len > GATHER_BYTES_MAX) {
        rc = disk_write(file, gather->data, gather->len, offset, err);
        offset += BLOCK_FILE_FRAME_BYTES;
        if (rc == 0)
            rc = disk_write(file, bytes.data, bytes.len, offset, err);
        offset += (uint32_t)bytes.len;
        gather->len = 0;
    } else {
        buf_add(gather, bytes.data, bytes.len);
    }
    buf_add(gather, behind.data, behind.len);
    block_files_xor(files->key, offset, gather->data, gather->len);
    if (rc == 0 && gather->len > 0)
        rc = disk_write(file, gather->data, gather->len, offset, err);
    if (gather->capacity > BLOCK_FILE_BLOCK_BYTES_MAX + BLOCK_FILE_FRAME_BYTES)
        buf_clear(gather);
    return rc;
}

/* No more data is coming: give back the space set aside. */
static int finish(struct block_files *files, int32_t number, enum kind kind, struct error *err)
{
    struct pair *pair = &files->pairs[number];
    bool is_undo = kind == KIND_UNDO;
    uint32_t used = is_undo ? pair->info.undo_size : pair->info.size;
    struct disk_file *file;
    uint64_t len;
    int rc;

    if (is_undo)
        drop_found(pair);
    if (!(is_undo ? pair->info.owns_undo_end : pair->info.owns_end) || used == 0)
        return 0;
    rc = get_handle(files, &file, number, kind, err);
    if (rc == 0)
        rc = disk_size(file, &len, err);
    if (rc == 0 && len > used) {
        rc = disk_truncate(file, used, err);
        mark_dirty(files, number, kind);
    }
    return rc;
}

/* A pair has both its files from the start, as users know it, even if no block in it
 * is ever connected. */
static int make_undo_file(const struct block_files *files, int32_t number, struct error *err)
{
    char *path = block_files_path(files, number, true);
    struct disk_file *file = NULL;
    int rc = disk_open(files->disk, &file, path, DISK_CREATE, err);

    disk_close(file);
    free(path);
    return rc;
}

/* Begin a pair whose files are not there yet. */
static int begin_pair(struct block_files *files, enum part part, int32_t number, struct error *err)
{
    struct pair *pair;
    int rc = 0;

    for (;; number++) {
        bool is_there = false;

        if (number > BLOCK_FILE_NUMBER_MAX)
            return error_set(err, E_LIMIT, "no numbers are left for block files");
        for (int kind = 0; kind < KINDS_N && !is_there; kind++) {
            char *path = block_files_path(files, number, kind == KIND_UNDO);
            struct disk_entry entry;

            rc = disk_stat(files->disk, path, &entry, err);
            is_there = rc == 0;
            free(path);
            if (rc < 0 && rc != E_NOT_FOUND)
                return rc;
        }
        if (!is_there)
            break;
    }
    pair = pair_at(files, number);
    rc = files->claim == NULL ? 0 : files->claim(files->claim_context, number, err);
    if (rc == 0)
        rc = make_undo_file(files, number, err);
    if (rc < 0)
        return rc;
    pair->is_known = true;
    pair->info.owns_end = true;
    pair->info.owns_undo_end = true;
    files->current[part] = number;
    mark_changed(files, number);
    close_idle(files);
    return 0;
}

/* Make *current of part a pair that has room for len more bytes. */
static int find_room(struct block_files *files, enum part part, uint32_t len, struct error *err)
{
    int32_t *current = &files->current[part];
    uint32_t max = files->fast_prune ? BLOCK_FILE_BYTES_MAX_FAST : BLOCK_FILE_BYTES_MAX;
    int rc = 0;

    if (len >= max)
        max = len + 1; /* Only where files are small for tests. */
    if (*current == NO_PAIR || !pair_at(files, *current)->is_known)
        rc = begin_pair(files, part, *current == NO_PAIR ? files->pairs_n : *current, err);
    while (rc == 0) {
        struct pair *pair = &files->pairs[*current];
        int32_t left = *current;

        if (!pair->info.owns_end) {
            struct disk_file *file;

            rc = get_handle(files, &file, left, KIND_BLOCK, err);
            if (rc == 0)
                rc = find_end(file, pair->info.size, &pair->info.size, err);
            if (rc < 0)
                break;
            pair->info.owns_end = true;
            mark_changed(files, left);
        }
        if ((uint64_t)pair->info.size + len < max)
            break;
        rc = finish(files, left, KIND_BLOCK, err);
        if (rc == 0 && pair->undo_height == pair->info.height_last && pair->undo_height > 0)
            rc = finish(files, left, KIND_UNDO, err);
        if (rc == 0)
            rc = begin_pair(files, part, files->pairs_n, err);
    }
    return rc;
}

int block_files_add(struct block_files *files, struct block_pos *ret_pos, struct span bytes,
                    int32_t height, uint64_t time, struct error *err)
{
    uint32_t chunk = files->fast_prune ? CHUNK_BYTES_BLOCK_FAST : CHUNK_BYTES_BLOCK;
    uint32_t len = BLOCK_FILE_FRAME_BYTES + (uint32_t)bytes.len;
    struct disk_file *file;
    int32_t *current = &files->current[part_of(files, height)];
    struct pair *pair;
    int rc = check_alive(files, err);

    if (rc < 0)
        return rc;
    if (bytes.len > BLOCK_FILE_BLOCK_BYTES_MAX || bytes.len == 0)
        return error_set(err, E_LIMIT, "a block of %zu bytes cannot be stored", bytes.len);
    rc = find_room(files, part_of(files, height), len, err);
    if (rc == 0)
        rc = get_handle(files, &file, *current, KIND_BLOCK, err);
    if (rc < 0)
        goto done;
    pair = &files->pairs[*current];
    rc = grow(files, file, pair->info.size, len, chunk, err);
    if (rc == 0)
        rc = write_record(files, file, pair->info.size, bytes, span_of(NULL, 0), err);
    mark_dirty(files, *current, KIND_BLOCK);
    if (rc < 0)
        goto done;
    *ret_pos = (struct block_pos){*current, pair->info.size + BLOCK_FILE_FRAME_BYTES};
    count_block(&pair->info, height, time);
    pair->info.size += len;
    mark_changed(files, *current);
done:
    if (rc < 0)
        error_wrap(err, "could not store a block");
    return rc;
}

/* --- Undo data --- */

static void sum_undo(uint8_t *ret_sum, const struct block_hash *prev, struct span bytes)
{
    struct sha256 hash;

    sha256_init(&hash);
    sha256_add(&hash, prev->b, HASH_BYTES);
    sha256_add(&hash, bytes.data, bytes.len);
    sha256d_finish(&hash, ret_sum);
}

static int compare_found(const void *a, const void *b)
{
    const struct found_undo *x = a;
    const struct found_undo *y = b;

    return (x->sum_start > y->sum_start) - (x->sum_start < y->sum_start);
}

/* Note every undo record from the start of the file on; *ret_end is behind them. */
static int list_found(struct block_files *files, struct pair *pair, struct disk_file *file,
                      uint32_t *ret_end, struct error *err)
{
    uint8_t part[BLOCK_FILE_UNDO_SUM_BYTES + BLOCK_FILE_FRAME_BYTES];
    uint8_t *frame = part + BLOCK_FILE_UNDO_SUM_BYTES;
    size_t capacity = 0;
    uint64_t at = 0; /* Of the frame. */
    size_t got;
    int rc = disk_read(file, frame, BLOCK_FILE_FRAME_BYTES, 0, &got, err);

    block_files_xor(files->key, 0, frame, BLOCK_FILE_FRAME_BYTES);
    while (rc == 0 && got >= BLOCK_FILE_FRAME_BYTES) {
        uint32_t len = get_le32(frame + 4);
        uint64_t sum_at = at + BLOCK_FILE_FRAME_BYTES + len;

        if (memcmp(frame, files->magic, 4) != 0 || len > BLOCK_FILE_UNDO_BYTES_MAX ||
            sum_at + BLOCK_FILE_UNDO_SUM_BYTES > UINT32_MAX)
            break;
        rc = disk_read(file, part, sizeof(part), sum_at, &got, err);
        if (rc < 0 || got < BLOCK_FILE_UNDO_SUM_BYTES)
            break;
        block_files_xor(files->key, sum_at, part, got);
        if (pair->found_n == capacity) {
            capacity = capacity * 2 + 64;
            pair->found = realloc_array(pair->found, capacity, sizeof(*pair->found));
        }
        pair->found[pair->found_n++] =
            (struct found_undo){get_le64(part), (uint32_t)at + BLOCK_FILE_FRAME_BYTES, len};
        at = sum_at + BLOCK_FILE_UNDO_SUM_BYTES;
        got -= BLOCK_FILE_UNDO_SUM_BYTES;
    }
    *ret_end = (uint32_t)at;
    if (pair->found_n > 0)
        qsort(pair->found, pair->found_n, sizeof(*pair->found), compare_found);
    return rc;
}

/* The position of this very record in a file that was there before us, if any. */
static int find_undo(struct block_files *files, struct pair *pair, struct disk_file *file,
                     struct span bytes, const uint8_t *sum, uint32_t *ret_offset, struct error *err)
{
    uint64_t start = get_le64(sum);
    size_t lo = 0;
    size_t hi = pair->found_n;
    int rc = 0;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (pair->found[mid].sum_start < start)
            lo = mid + 1;
        else
            hi = mid;
    }
    *ret_offset = 0;
    for (; rc == 0 && lo < pair->found_n && pair->found[lo].sum_start == start; lo++) {
        const struct found_undo *found = &pair->found[lo];
        struct buf *gather = &files->gather;
        size_t len = bytes.len + BLOCK_FILE_UNDO_SUM_BYTES;

        if (found->len != bytes.len)
            continue;
        gather->len = 0;
        rc = disk_read_exact(file, buf_extend(gather, len), len, found->offset, err);
        if (rc < 0)
            break;
        block_files_xor(files->key, found->offset, gather->data, len);
        if (memcmp(gather->data, bytes.data, bytes.len) == 0 &&
            memcmp(gather->data + bytes.len, sum, BLOCK_FILE_UNDO_SUM_BYTES) == 0) {
            *ret_offset = found->offset;
            return 0;
        }
    }
    return rc;
}

/* Look once at what another program left in the file. */
static int learn_undo_file(struct block_files *files, int32_t number, struct disk_file *file,
                           struct error *err)
{
    struct pair *pair = &files->pairs[number];
    uint32_t end;
    int rc;

    if (pair->info.owns_undo_end)
        return 0;
    drop_found(pair);
    rc = list_found(files, pair, file, &end, err);
    if (rc == 0)
        rc = find_end(file, MAX(end, pair->info.undo_size), &pair->info.undo_size, err);
    if (rc < 0)
        return rc;
    pair->info.owns_undo_end = true;
    mark_changed(files, number);
    return 0;
}

int block_files_add_undo(struct block_files *files, struct block_pos *ret_pos, int32_t number,
                         struct span bytes, const struct block_hash *prev, int32_t height,
                         struct error *err)
{
    uint8_t sum[BLOCK_FILE_UNDO_SUM_BYTES];
    uint64_t len = BLOCK_FILE_FRAME_BYTES + bytes.len + BLOCK_FILE_UNDO_SUM_BYTES;
    struct disk_file *file;
    struct pair *pair;
    uint32_t offset;
    int rc = check_alive(files, err);

    if (rc < 0)
        return rc;
    CHECK(number >= 0 && number < files->pairs_n && files->pairs[number].is_known);
    pair = &files->pairs[number];
    if (bytes.len > BLOCK_FILE_UNDO_BYTES_MAX || pair->info.undo_size + len > UINT32_MAX)
        return error_set(err, E_LIMIT, "undo data of %zu bytes cannot be stored", bytes.len);
    sum_undo(sum, prev, bytes);
    rc = get_handle(files, &file, number, KIND_UNDO, err);
    if (rc == 0)
        rc = learn_undo_file(files, number, file, err);
    if (rc == 0)
        rc = find_undo(files, pair, file, bytes, sum, &offset, err);
    if (rc == 0 && offset == 0) {
        offset = pair->info.undo_size + BLOCK_FILE_FRAME_BYTES;
        rc = grow(files, file, pair->info.undo_size, len, CHUNK_BYTES_UNDO, err);
        if (rc == 0)
            rc = write_record(files, file, pair->info.undo_size, bytes, span_of(sum, sizeof(sum)),
                              err);
        if (rc == 0)
            pair->info.undo_size += (uint32_t)len;
    }
    if (pair->handle[KIND_UNDO] != NULL)
        mark_dirty(files, number, KIND_UNDO);
    if (rc == 0) {
        *ret_pos = (struct block_pos){number, offset};
        pair->undo_height = MAX(pair->undo_height, (uint32_t)height);
        mark_changed(files, number);
        if (!block_files_is_filling(files, number) && (uint32_t)height == pair->info.height_last)
            rc = finish(files, number, KIND_UNDO, err);
    }
    if (rc < 0)
        error_wrap(err, "could not store undo data");
    return rc;
}

/* --- Reading --- */

/* Opens the file of pos and looks at the frame in front of it. */
static int open_record(const struct block_files *files, struct disk_file **ret_file,
                       uint32_t *ret_len, struct block_pos pos, enum kind kind, struct error *err)
{
    uint8_t frame[BLOCK_FILE_FRAME_BYTES];
    uint32_t max = kind == KIND_BLOCK ? BLOCK_FILE_BLOCK_BYTES_MAX : BLOCK_FILE_UNDO_BYTES_MAX;
    struct disk_file *file = NULL;
    char *path;
    size_t got;
    int rc;

    if (block_pos_is_none(pos) || pos.offset < BLOCK_FILE_FRAME_BYTES)
        return error_set(err, E_NOT_FOUND, "no position");
    path = block_files_path(files, pos.file, kind == KIND_UNDO);
    rc = disk_open(files->disk, &file, path, DISK_READ, err);
    if (rc == 0)
        rc = disk_read(file, frame, sizeof(frame), pos.offset - BLOCK_FILE_FRAME_BYTES, &got, err);
    if (rc == 0) {
        block_files_xor(files->key, pos.offset - BLOCK_FILE_FRAME_BYTES, frame, got);
        *ret_len = get_le32(frame + 4);
        if (got < sizeof(frame) || memcmp(frame, files->magic, 4) != 0 || *ret_len > max)
            rc = error_set(err, E_CORRUPT, "'%s' holds no record at offset %" PRIu32, path,
                           pos.offset);
    }
    free(path);
    if (rc < 0) {
        disk_close(file);
        return rc;
    }
    *ret_file = file;
    return 0;
}

static int read_into(const struct block_files *files, struct disk_file *file, struct buf *buf,
                     struct block_pos pos, enum kind kind, uint32_t from, uint32_t len,
                     struct error *err)
{
    size_t len_before = buf->len;
    uint64_t at = (uint64_t)pos.offset + from;
    uint8_t *data;
    int rc;

    data = buf_extend(buf, len);
    rc = disk_read_exact(file, data, len, at, err);
    if (rc == 0) {
        block_files_xor(files->key, at, data, len);
        return 0;
    }
    buf->len = len_before;
    if (rc == E_TRUNCATED)
        rc = error_set(err, E_CORRUPT,
                       "'%s/%s%05" PRId32 ".dat' ends within the record at offset %" PRIu32,
                       files->folder, prefixes[kind], pos.file, pos.offset);
    return rc;
}

int block_files_read(const struct block_files *files, struct buf *buf, struct block_pos pos,
                     struct error *err)
{
    struct disk_file *file;
    uint32_t len;
    int rc = open_record(files, &file, &len, pos, KIND_BLOCK, err);

    if (rc < 0)
        return rc;
    rc = read_into(files, file, buf, pos, KIND_BLOCK, 0, len, err);
    disk_close(file);
    return rc;
}

int block_files_read_part(const struct block_files *files, struct buf *buf, struct block_pos pos,
                          uint32_t from, uint32_t len, struct error *err)
{
    struct disk_file *file;
    uint32_t len_all;
    int rc = open_record(files, &file, &len_all, pos, KIND_BLOCK, err);

    if (rc < 0)
        return rc;
    if (len == 0 || (uint64_t)from + len > len_all)
        rc = error_set(err, E_LIMIT, "the block has %" PRIu32 " bytes", len_all);
    else
        rc = read_into(files, file, buf, pos, KIND_BLOCK, from, len, err);
    disk_close(file);
    return rc;
}

int block_files_read_undo(const struct block_files *files, struct buf *buf, struct block_pos pos,
                          const struct block_hash *prev, struct error *err)
{
    uint8_t sum[BLOCK_FILE_UNDO_SUM_BYTES];
    size_t len_before = buf->len;
    struct disk_file *file;
    uint32_t len;
    int rc = open_record(files, &file, &len, pos, KIND_UNDO, err);

    if (rc < 0)
        return rc;
    rc = read_into(files, file, buf, pos, KIND_UNDO, 0, len + BLOCK_FILE_UNDO_SUM_BYTES, err);
    disk_close(file);
    if (rc < 0)
        return rc;
    buf->len -= BLOCK_FILE_UNDO_SUM_BYTES;
    sum_undo(sum, prev, span_of(buf->data + len_before, len));
    if (memcmp(sum, buf->data + buf->len, sizeof(sum)) == 0)
        return 0;
    buf->len = len_before;
    return error_set(err, E_CORRUPT,
                     "'%s/rev%05" PRId32 ".dat' at offset %" PRIu32 ": checksum does not match",
                     files->folder, pos.file, pos.offset);
}

int block_files_remove(struct block_files *files, int32_t number, struct error *err)
{
    struct pair *pair = pair_at(files, number);
    int rc = check_alive(files, err);

    if (rc < 0)
        return rc;
    mutex_lock(&files->mutex);
    for (int kind = 0; kind < KINDS_N; kind++) {
        unref_handle(files, pair->handle[kind]);
        pair->handle[kind] = NULL;
    }
    files->folder_is_dirty = true;
    mutex_unlock(&files->mutex);
    drop_found(pair);
    for (int kind = 0; kind < KINDS_N; kind++) {
        char *path = block_files_path(files, number, kind == KIND_UNDO);

        rc = disk_remove(files->disk, path, err);
        free(path);
        if (rc < 0 && rc != E_NOT_FOUND)
            return rc;
    }
    memset(&pair->info, 0, sizeof(pair->info));
    mark_changed(files, number);
    return 0;
}
