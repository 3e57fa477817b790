#include "store/record_log.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "crypto/crc32c.h"
#include "os/entropy.h"

/* The file begins with: text (8), kind (4), salt (4), checksum of those (4). The
 * salt goes into every checksum, so that bytes left behind by another file in the
 * same place are no records. */
#define FILE_TEXT "ASSAYLG1"
#define FILE_HEAD_BYTES 20U

/* A record: magic (4), payload length (4), type (4), sequence from 0 (8), bytes of
 * the file durable when it was written (8), checksum of the payload (4), checksum
 * of the 32 bytes before (4), payload. */
#define RECORD_MAGIC 0x8b1ec0d7U
#define RECORD_HEAD_BYTES 36U
#define RECORD_LIMIT (64U << 20)
#define TYPE_MARK 0xffffffffU

/* The part of a log that a replacement has of its own. */
struct part {
    struct disk_file *file; /* Owned. */
    uint32_t salt;
    uint64_t sequence; /* Of the next record. */
    uint64_t written;  /* Bytes in the file; the buffer follows. */
    uint64_t durable;  /* Of those. */
    struct buf buffer;
};

struct record_log {
    struct disk *disk;
    char *path;
    char *path_new;
    uint32_t kind;
    uint32_t record_bytes_max;
    int failed; /* 0, or the error that ended the log. */
    bool is_replacing;
    uint64_t cut_bytes;
    struct part now;
    struct part next; /* While replacing. */
};

struct record_head {
    uint32_t len;
    uint32_t type;
    uint64_t sequence;
    uint64_t durable;
    uint32_t payload_sum;
};

static void write_head(uint8_t *out, const struct record_head *head, uint32_t salt)
{
    put_le32(out, RECORD_MAGIC);
    put_le32(out + 4, head->len);
    put_le32(out + 8, head->type);
    put_le64(out + 12, head->sequence);
    put_le64(out + 20, head->durable);
    put_le32(out + 28, head->payload_sum);
    put_le32(out + 32, crc32c(salt, out, 32));
}

static bool read_head(struct record_head *ret_head, const uint8_t *data, uint32_t salt)
{
    if (get_le32(data) != RECORD_MAGIC || get_le32(data + 32) != crc32c(salt, data, 32))
        return false;
    ret_head->len = get_le32(data + 4);
    ret_head->type = get_le32(data + 8);
    ret_head->sequence = get_le64(data + 12);
    ret_head->durable = get_le64(data + 20);
    ret_head->payload_sum = get_le32(data + 28);
    return true;
}

static void write_file_head(uint8_t *out, uint32_t kind, uint32_t salt)
{
    memcpy(out, FILE_TEXT, 8);
    put_le32(out + 8, kind);
    put_le32(out + 12, salt);
    put_le32(out + 16, crc32c(0, out, 16));
}

static int read_file_head(struct record_log *log, struct error *err)
{
    uint8_t head[FILE_HEAD_BYTES];
    size_t got;
    int rc = disk_read(log->now.file, head, sizeof(head), 0, &got, err);

    if (rc < 0)
        return rc;
    if (got != sizeof(head) || memcmp(head, FILE_TEXT, 8) != 0 ||
        get_le32(head + 16) != crc32c(0, head, 16))
        return error_set(err, E_CORRUPT, "'%s' is damaged at offset 0", log->path);
    if (get_le32(head + 8) != log->kind)
        return error_set(err, E_CORRUPT, "'%s' is a log of another kind", log->path);
    log->now.salt = get_le32(head + 12);
    return 0;
}

/* Made whole under another name first, so that a head is never torn. */
static int make_file(struct record_log *log, struct error *err)
{
    uint8_t head[FILE_HEAD_BYTES];
    uint32_t salt;

    entropy_fill(&salt, sizeof(salt));
    write_file_head(head, log->kind, salt);
    return disk_replace_file(log->disk, log->path, head, sizeof(head), err);
}

static int fail(struct record_log *log, int rc)
{
    if (log->failed == 0)
        log->failed = rc;
    return rc;
}

static int check_alive(const struct record_log *log, struct error *err)
{
    if (log->failed == 0)
        return 0;
    return error_set(err, log->failed, "'%s' failed before", log->path);
}

/* --- Replay --- */

/* A sliding view of the file: [at, at + have) is in window. */
struct view {
    struct disk_file *file;
    uint8_t *window;
    size_t window_bytes;
    uint64_t at;
    size_t have;
};

/* Bytes [offset, offset + len), or NULL with *ret_rc 0 where the file ends before.
 * len is at most window_bytes. */
static const uint8_t *look(struct view *view, uint64_t offset, size_t len, int *ret_rc,
                           struct error *err)
{
    *ret_rc = 0;
    if (offset < view->at || offset + len > view->at + view->have) {
        *ret_rc = disk_read(view->file, view->window, view->window_bytes, offset, &view->have, err);
        view->at = offset;
        if (*ret_rc < 0) {
            view->have = 0;
            return NULL;
        }
    }
    return view->have - (size_t)(offset - view->at) >= len ? view->window + (offset - view->at)
                                                           : NULL;
}

/* Is there a record behind `broken` that was written when `broken` was durable? */
static int find_evidence(struct record_log *log, struct view *view, uint64_t broken,
                         bool *ret_found, struct error *err)
{
    uint8_t magic[4];
    int rc = 0;

    put_le32(magic, RECORD_MAGIC);
    *ret_found = false;
    for (uint64_t offset = broken + 1;;) {
        const uint8_t *data = look(view, offset, RECORD_HEAD_BYTES, &rc, err);
        const uint8_t *end = view->window + view->have;
        const uint8_t *found;
        struct record_head head;

        if (data == NULL)
            return rc;
        found = memmem(data, (size_t)(end - data), magic, sizeof(magic));
        if (found == NULL) {
            offset += (uint64_t)(end - data) - 3;
            continue;
        }
        offset += (uint64_t)(found - data);
        data = look(view, offset, RECORD_HEAD_BYTES, &rc, err);
        if (data == NULL)
            return rc;
        if (read_head(&head, data, log->now.salt) && head.durable > broken &&
            head.durable <= offset) {
            *ret_found = true;
            return 0;
        }
        offset++;
    }
}

/* Hands out records until the first that is broken or the end: *ret_end. What lies
 * before *ret_proven was durable, as a later record says. */
static int replay(struct record_log *log, struct view *view,
                  const struct record_log_options *options, uint64_t *ret_end, uint64_t *ret_proven,
                  bool *ret_is_marked, struct error *err)
{
    uint64_t offset = FILE_HEAD_BYTES;
    int rc = 0;

    *ret_proven = FILE_HEAD_BYTES;
    *ret_is_marked = false;
    for (;;) {
        const uint8_t *data = look(view, offset, RECORD_HEAD_BYTES, &rc, err);
        struct record_head head;

        if (data == NULL || !read_head(&head, data, log->now.salt))
            break;
        if (head.sequence != log->now.sequence || head.len > log->record_bytes_max)
            break;
        data = look(view, offset, RECORD_HEAD_BYTES + (size_t)head.len, &rc, err);
        if (data == NULL)
            break;
        data += RECORD_HEAD_BYTES;
        if (crc32c(log->now.salt, data, head.len) != head.payload_sum)
            break;
        *ret_proven = MAX(*ret_proven, MIN(head.durable, offset));
        *ret_is_marked = head.type == TYPE_MARK;
        if (!*ret_is_marked) {
            rc = options->on_record(options->context, head.type, span_of(data, head.len), err);
            if (rc < 0)
                return rc;
        }
        log->now.sequence++;
        offset += RECORD_HEAD_BYTES + head.len;
    }
    *ret_end = offset;
    return rc;
}

static int write_out(struct record_log *log, struct part *part, struct error *err);
static void add_record(struct part *part, uint32_t type, struct span payload);

/* A sync that failed has forgotten what it should have written, and the next one
 * would succeed without it: what is not proven is written once more. */
static int write_again(struct disk_file *file, uint64_t from, uint64_t to, struct error *err)
{
    uint8_t *part = alloc(RECORD_LOG_BUFFER_BYTES);
    int rc = 0;

    while (from < to && rc == 0) {
        size_t len = (size_t)MIN(to - from, (uint64_t)RECORD_LOG_BUFFER_BYTES);

        rc = disk_read_exact(file, part, len, from, err);
        if (rc == 0)
            rc = disk_write(file, part, len, from, err);
        from += len;
    }
    free(part);
    return rc;
}

/* From here on the log's end is its file's end, durable and marked so. */
static int settle(struct record_log *log, uint64_t end, uint64_t file_len, bool is_marked,
                  struct error *err)
{
    struct part *now = &log->now;
    int rc = 0;

    now->written = end;
    log->cut_bytes = file_len - end;
    if (file_len > end)
        rc = disk_truncate(now->file, end, err);
    if (rc == 0 && (file_len > end || !is_marked))
        rc = disk_sync(now->file, err);
    /* A mark proves that a sync has covered what lies before it, not the mark itself:
     * it may have come from a killed process and never have reached the disk. */
    now->durable = is_marked && file_len == end ? end - RECORD_HEAD_BYTES : end;
    if (rc < 0 || is_marked)
        return rc;
    add_record(now, TYPE_MARK, span_of(NULL, 0));
    rc = write_out(log, now, err);
    if (rc == 0)
        rc = disk_sync(now->file, err);
    now->durable = now->written;
    return rc;
}

static int recover(struct record_log *log, const struct record_log_options *options,
                   struct error *err)
{
    struct view view = {.file = log->now.file};
    uint64_t file_len;
    uint64_t end;
    uint64_t proven;
    bool is_marked;
    bool is_damage;
    int rc;

    view.window_bytes =
        MAX((size_t)log->record_bytes_max + RECORD_HEAD_BYTES, (size_t)RECORD_LOG_BUFFER_BYTES);
    view.window = alloc(view.window_bytes);
    rc = disk_size(log->now.file, &file_len, err);
    if (rc == 0)
        rc = replay(log, &view, options, &end, &proven, &is_marked, err);
    if (rc == 0 && end < file_len) {
        rc = find_evidence(log, &view, end, &is_damage, err);
        if (rc == 0 && is_damage)
            rc = error_set(err, E_CORRUPT, "'%s' is damaged at offset %llu", log->path,
                           (unsigned long long)end);
    }
    if (rc == 0)
        rc = write_again(log->now.file, proven, end, err);
    if (rc == 0)
        rc = settle(log, end, file_len, is_marked, err);
    free(view.window);
    return rc;
}

static int sync_name(struct record_log *log, struct error *err)
{
    char *folder = disk_folder_of(log->path);
    int rc = disk_sync_folder(log->disk, folder, err);

    free(folder);
    return rc;
}

int record_log_open(struct record_log **ret_log, const struct record_log_options *options,
                    struct error *err)
{
    struct record_log *log = alloc_zero(sizeof(*log));
    struct disk_entry entry;
    int rc;

    CHECK(options->record_bytes_max <= RECORD_LIMIT);
    log->disk = options->disk;
    log->path = alloc_string(options->path);
    log->path_new = alloc_printf("%s.new", options->path);
    log->kind = options->kind;
    log->record_bytes_max = options->record_bytes_max;

    rc = disk_stat(log->disk, log->path, &entry, err);
    if (rc == E_NOT_FOUND)
        rc = make_file(log, err);
    if (rc == 0 && disk_stat(log->disk, log->path_new, &entry, NULL) == 0)
        rc = disk_remove(log->disk, log->path_new, err); /* A crash left it behind. */
    if (rc == 0)
        rc = disk_open(log->disk, &log->now.file, log->path, DISK_READ_WRITE, err);
    /* Its maker may have been killed before the name was synced. */
    if (rc == 0)
        rc = sync_name(log, err);
    if (rc == 0)
        rc = read_file_head(log, err);
    if (rc == 0)
        rc = recover(log, options, err);
    if (rc < 0) {
        record_log_close(log);
        return rc;
    }
    *ret_log = log;
    return 0;
}

static void clear_part(struct part *part)
{
    disk_close(part->file);
    buf_clear(&part->buffer);
    memset(part, 0, sizeof(*part));
}

void record_log_close(struct record_log *own_log)
{
    if (own_log == NULL)
        return;
    record_log_replace_abandon(own_log);
    clear_part(&own_log->now);
    free(own_log->path);
    free(own_log->path_new);
    free(own_log);
}

/* --- Writing --- */

static void add_record(struct part *part, uint32_t type, struct span payload)
{
    struct record_head head = {
        .len = (uint32_t)payload.len,
        .type = type,
        .sequence = part->sequence++,
        .durable = part->durable,
        .payload_sum = crc32c(part->salt, payload.data, payload.len),
    };

    write_head(buf_extend(&part->buffer, RECORD_HEAD_BYTES), &head, part->salt);
    buf_add(&part->buffer, payload.data, payload.len);
}

static int write_out(struct record_log *log, struct part *part, struct error *err)
{
    int rc;

    if (part->buffer.len == 0)
        return 0;
    rc = disk_write(part->file, part->buffer.data, part->buffer.len, part->written, err);
    if (rc < 0)
        return fail(log, rc);
    part->written += part->buffer.len;
    part->buffer.len = 0;
    return 0;
}

int record_log_append(struct record_log *log, uint32_t type, struct span payload, struct error *err)
{
    struct part *part = log->is_replacing ? &log->next : &log->now;
    int rc = check_alive(log, err);

    if (rc < 0)
        return rc;
    if (payload.len > log->record_bytes_max || type > RECORD_LOG_TYPE_MAX)
        return error_set(err, E_LIMIT, "a record of type %u with %zu bytes is too much for '%s'",
                         type, payload.len, log->path);
    add_record(part, type, payload);
    return part->buffer.len < RECORD_LOG_BUFFER_BYTES ? 0 : write_out(log, part, err);
}

static int sync_part(struct record_log *log, struct part *part, struct error *err)
{
    int rc = write_out(log, part, err);

    if (rc < 0 || part->durable == part->written)
        return rc;
    rc = disk_sync(part->file, err);
    if (rc < 0)
        return fail(log, rc);
    part->durable = part->written;
    /* The mark need not be durable: without it nothing is lost but the proof. */
    add_record(part, TYPE_MARK, span_of(NULL, 0));
    return write_out(log, part, err);
}

int record_log_sync(struct record_log *log, struct error *err)
{
    int rc = check_alive(log, err);

    if (rc < 0)
        return rc;
    CHECK(!log->is_replacing); /* That is for record_log_replace_finish. */
    /* Only the mark of the last sync is new: there is nothing to do. */
    if (log->now.buffer.len == 0 && log->now.written == log->now.durable + RECORD_HEAD_BYTES)
        return 0;
    return sync_part(log, &log->now, err);
}

int record_log_replace_start(struct record_log *log, struct error *err)
{
    uint8_t head[FILE_HEAD_BYTES];
    int rc = check_alive(log, err);

    if (rc < 0)
        return rc;
    CHECK(!log->is_replacing);
    rc = disk_open(log->disk, &log->next.file, log->path_new, DISK_CREATE, err);
    if (rc == 0)
        rc = disk_truncate(log->next.file, 0, err);
    if (rc < 0) {
        clear_part(&log->next);
        return fail(log, rc);
    }
    log->is_replacing = true;
    entropy_fill(&log->next.salt, sizeof(log->next.salt));
    write_file_head(head, log->kind, log->next.salt);
    buf_add(&log->next.buffer, head, sizeof(head));
    return 0;
}

int record_log_replace_finish(struct record_log *log, struct error *err)
{
    char *folder;
    int rc = check_alive(log, err);

    if (rc < 0)
        return rc;
    CHECK(log->is_replacing);
    rc = sync_part(log, &log->next, err);
    if (rc < 0)
        return rc;
    folder = disk_folder_of(log->path);
    rc = disk_rename(log->disk, log->path_new, log->path, err);
    if (rc == 0) {
        log->is_replacing = false;
        clear_part(&log->now);
        log->now = log->next;
        memset(&log->next, 0, sizeof(log->next));
        rc = disk_sync_folder(log->disk, folder, err);
    }
    free(folder);
    return rc < 0 ? fail(log, rc) : 0;
}

void record_log_replace_abandon(struct record_log *log)
{
    if (!log->is_replacing)
        return;
    log->is_replacing = false;
    clear_part(&log->next);
    (void)log->disk->ops->remove(log->disk, log->path_new, NULL);
}

uint64_t record_log_bytes(const struct record_log *log)
{
    const struct part *part = log->is_replacing ? &log->next : &log->now;

    return part->written + part->buffer.len;
}

uint64_t record_log_cut_bytes(const struct record_log *log)
{
    return log->cut_bytes;
}
