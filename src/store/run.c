#include "store/run.h"

#include <stdatomic.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "crypto/crc32c.h"

/* A block: checksum of all that follows, its number, what it holds, bytes used. */
#define BLOCK_HEAD_BYTES 12U
#define BLOCK_ROOM (RUN_BLOCK_BYTES - BLOCK_HEAD_BYTES)
/* Numbers of records that mean something else. */
#define BLOCK_LONG 0xffffU  /* The beginning of one long record, after its length. */
#define BLOCK_MORE 0xfffeU  /* The long record goes on. */
#define BLOCK_TABLE 0xfffdU /* First hashes, filter or footer. */
#define LONG_HEAD_BYTES 4U
/* A record's length takes one byte, or three where it does not fit. */
#define LENGTH_WIDE 0xffU

#define FOOTER_MAGIC UINT64_C(0x314e555259415353) /* "SSAYRUN1" */
#define FOOTER_BYTES 36U
#define WRITE_BUFFER_BYTES (64U * RUN_BLOCK_BYTES)

/* The filter: lines of 64 bytes, six bits of one line for each record, ten bits
 * of room for each: about one absent hash in eighty passes. */
#define FILTER_LINE_BYTES 64U
#define FILTER_BITS_PER_RECORD 10U
#define FILTER_PROBES 6U

struct filter {
    uint8_t *lines; /* Owned; NULL: no filter. */
    uint32_t lines_n;
};

static uint32_t filter_lines_for(uint64_t records_n, uint64_t bytes_max)
{
    uint64_t lines = records_n / (FILTER_LINE_BYTES * 8 / FILTER_BITS_PER_RECORD) + 1;

    return lines > UINT32_MAX || lines * FILTER_LINE_BYTES > bytes_max ? 0 : (uint32_t)lines;
}

static uint8_t *filter_line(const struct filter *filter, uint64_t hash)
{
    uint64_t line = (hash >> 32) * filter->lines_n >> 32;

    return filter->lines + line * FILTER_LINE_BYTES;
}

static void filter_add(struct filter *filter, uint64_t hash)
{
    uint8_t *line = filter_line(filter, hash);
    uint64_t bits = hash * 0x9e3779b97f4a7c15;

    for (unsigned i = 0; i < FILTER_PROBES; i++, bits >>= 9)
        line[bits >> 3 & 63] |= (uint8_t)(1U << (bits & 7));
}

static bool filter_may_have(const struct filter *filter, uint64_t hash)
{
    const uint8_t *line = filter_line(filter, hash);
    uint64_t bits = hash * 0x9e3779b97f4a7c15;

    for (unsigned i = 0; i < FILTER_PROBES; i++, bits >>= 9) {
        if ((line[bits >> 3 & 63] >> (bits & 7) & 1) == 0)
            return false;
    }
    return true;
}

static uint32_t id_checksum(uint64_t id)
{
    uint8_t bytes[8];

    put_le64(bytes, id);
    return crc32c(0, bytes, sizeof(bytes));
}

static void block_seal(uint8_t *block, uint32_t id_sum, uint32_t number, uint32_t holds,
                       size_t used)
{
    put_le32(block + 4, number);
    put_le16(block + 8, (uint16_t)holds);
    put_le16(block + 10, (uint16_t)used);
    memset(block + BLOCK_HEAD_BYTES + used, 0, BLOCK_ROOM - used);
    put_le32(block, crc32c(id_sum, block + 4, RUN_BLOCK_BYTES - 4));
}

static bool block_is_good(const uint8_t *block, uint32_t id_sum, uint32_t number)
{
    return get_le32(block) == crc32c(id_sum, block + 4, RUN_BLOCK_BYTES - 4) &&
           get_le32(block + 4) == number && get_le16(block + 10) <= BLOCK_ROOM;
}

static uint32_t block_holds(const uint8_t *block)
{
    return get_le16(block + 8);
}

/* The next record of a data block; false: the block is not well formed. */
static bool block_next(const uint8_t *block, size_t *at, struct span *ret_body)
{
    size_t end = BLOCK_HEAD_BYTES + get_le16(block + 10);
    size_t len;

    if (*at + 1 > end)
        return false;
    len = block[(*at)++];
    if (len == LENGTH_WIDE) {
        if (*at + 2 > end)
            return false;
        len = get_le16(block + *at);
        *at += 2;
        if (len < LENGTH_WIDE)
            return false;
    }
    if (len == 0 || len > end - *at)
        return false;
    *ret_body = span_of(block + *at, len);
    *at += len;
    return true;
}

int run_block_check(const uint8_t *block)
{
    uint32_t n = block_holds(block);
    size_t at = BLOCK_HEAD_BYTES;
    struct span body;

    if (n >= BLOCK_TABLE || get_le16(block + 10) > BLOCK_ROOM)
        return E_CORRUPT;
    for (uint32_t i = 0; i < n; i++) {
        if (!block_next(block, &at, &body))
            return E_CORRUPT;
    }
    return at == BLOCK_HEAD_BYTES + get_le16(block + 10) ? (int)n : E_CORRUPT;
}

struct run_writer {
    struct disk_file *file;
    char *path;
    uint64_t id;
    uint32_t id_sum;
    uint64_t records_n;
    uint64_t last_hash;
    struct filter filter;
    struct buf first; /* Of each data block, four bytes. */
    uint8_t *buffer;  /* WRITE_BUFFER_BYTES; the last block in it may be open. */
    size_t buffered;  /* Bytes of whole blocks. */
    uint64_t written; /* Bytes of the file. */
    uint32_t block_n; /* Records in the open block. */
    size_t block_used;
};

int run_writer_new(struct run_writer **ret_writer, const struct run_writer_options *options,
                   struct error *err)
{
    struct disk_file *file = NULL;
    struct run_writer *writer;
    int rc;

    rc = disk_open(options->disk, &file, options->path, DISK_CREATE_NEW, err);
    if (rc < 0)
        return rc;
    writer = alloc_zero(sizeof(*writer));
    writer->file = file;
    writer->path = alloc_string(options->path);
    writer->id = options->id;
    writer->id_sum = id_checksum(options->id);
    writer->buffer = alloc(WRITE_BUFFER_BYTES);
    writer->filter.lines_n = filter_lines_for(options->records_n_max, options->filter_bytes_max);
    if (writer->filter.lines_n > 0)
        writer->filter.lines = alloc_array(writer->filter.lines_n, FILTER_LINE_BYTES);
    *ret_writer = writer;
    return 0;
}

void run_writer_free(struct run_writer *own_writer)
{
    if (own_writer == NULL)
        return;
    disk_close(own_writer->file);
    free(own_writer->path);
    free(own_writer->buffer);
    free(own_writer->filter.lines);
    buf_clear(&own_writer->first);
    free(own_writer);
}

uint64_t run_writer_records_n(const struct run_writer *writer)
{
    return writer->records_n;
}

static int writer_drain(struct run_writer *writer, struct error *err)
{
    int rc;

    if (writer->buffered == 0)
        return 0;
    rc = disk_write(writer->file, writer->buffer, writer->buffered, writer->written, err);
    writer->written += writer->buffered;
    writer->buffered = 0;
    return rc;
}

static uint8_t *writer_open_block(struct run_writer *writer)
{
    return writer->buffer + writer->buffered;
}

/* Ends the open block; there is then room for another. */
static int writer_seal(struct run_writer *writer, uint32_t holds, size_t used, struct error *err)
{
    uint64_t number = (writer->written + writer->buffered) / RUN_BLOCK_BYTES;

    CHECK(number < UINT32_MAX);
    block_seal(writer_open_block(writer), writer->id_sum, (uint32_t)number, holds, used);
    writer->buffered += RUN_BLOCK_BYTES;
    writer->block_n = 0;
    writer->block_used = 0;
    return writer->buffered == WRITE_BUFFER_BYTES ? writer_drain(writer, err) : 0;
}

static void writer_note_first(struct run_writer *writer, uint64_t hash)
{
    put_le32(buf_extend(&writer->first, 4), (uint32_t)(hash >> 32));
}

static int writer_add_long(struct run_writer *writer, uint64_t hash, struct span body,
                           struct error *err)
{
    size_t done = 0;
    int rc = 0;

    while (done < body.len && rc == 0) {
        uint8_t *at = writer_open_block(writer) + BLOCK_HEAD_BYTES;
        size_t head = done == 0 ? LONG_HEAD_BYTES : 0;
        size_t part = MIN(body.len - done, BLOCK_ROOM - head);

        if (head > 0)
            put_le32(at, (uint32_t)body.len);
        memcpy(at + head, body.data + done, part);
        writer_note_first(writer, hash);
        rc = writer_seal(writer, done == 0 ? BLOCK_LONG : BLOCK_MORE, head + part, err);
        done += part;
    }
    return rc;
}

int run_writer_add(struct run_writer *writer, uint64_t hash, struct span body, struct error *err)
{
    size_t need = body.len + (body.len < LENGTH_WIDE ? 1 : 3);
    uint8_t *at;
    int rc = 0;

    CHECK(body.len > 0 && body.len <= RUN_BODY_BYTES_MAX);
    CHECK(hash >= writer->last_hash);
    writer->last_hash = hash;
    writer->records_n++;
    if (writer->filter.lines != NULL)
        filter_add(&writer->filter, hash);

    if (writer->block_n > 0 && BLOCK_ROOM - writer->block_used < need)
        rc = writer_seal(writer, writer->block_n, writer->block_used, err);
    if (rc < 0)
        return rc;
    if (need > BLOCK_ROOM)
        return writer_add_long(writer, hash, body, err);

    if (writer->block_n == 0)
        writer_note_first(writer, hash);
    at = writer_open_block(writer) + BLOCK_HEAD_BYTES + writer->block_used;
    if (body.len < LENGTH_WIDE) {
        *at++ = (uint8_t)body.len;
    } else {
        *at++ = LENGTH_WIDE;
        put_le16(at, (uint16_t)body.len);
        at += 2;
    }
    memcpy(at, body.data, body.len);
    writer->block_used += need;
    writer->block_n++;
    return 0;
}

static int writer_add_table(struct run_writer *writer, const uint8_t *data, size_t len,
                            struct error *err)
{
    int rc = 0;

    for (size_t done = 0; done < len && rc == 0;) {
        size_t part = MIN(len - done, BLOCK_ROOM);

        memcpy(writer_open_block(writer) + BLOCK_HEAD_BYTES, data + done, part);
        rc = writer_seal(writer, BLOCK_TABLE, part, err);
        done += part;
    }
    return rc;
}

int run_writer_finish(struct run_writer *writer, uint64_t *ret_file_bytes, struct error *err)
{
    uint8_t footer[FOOTER_BYTES];
    int rc = 0;

    if (writer->block_n > 0)
        rc = writer_seal(writer, writer->block_n, writer->block_used, err);
    if (rc == 0)
        rc = writer_add_table(writer, writer->first.data, writer->first.len, err);
    if (rc == 0)
        rc = writer_add_table(writer, writer->filter.lines,
                              (size_t)writer->filter.lines_n * FILTER_LINE_BYTES, err);
    if (rc == 0) {
        put_le64(footer, FOOTER_MAGIC);
        put_le64(footer + 8, writer->id);
        put_le64(footer + 16, writer->records_n);
        put_le32(footer + 24, (uint32_t)(writer->first.len / 4));
        put_le32(footer + 28, writer->filter.lines_n);
        put_le32(footer + 32, RUN_BLOCK_BYTES);
        rc = writer_add_table(writer, footer, sizeof(footer), err);
    }
    if (rc == 0)
        rc = writer_drain(writer, err);
    if (rc == 0)
        rc = disk_sync(writer->file, err);
    *ret_file_bytes = writer->written;
    return rc;
}

struct run {
    struct disk *disk;
    struct disk_file *file;
    char *path;
    uint64_t id;
    uint32_t id_sum;
    uint64_t file_bytes;
    uint64_t records_n;
    uint32_t *first;   /* The upper half of the first hash of each data block. */
    uint32_t blocks_n; /* Data blocks. */
    struct filter filter;
    _Atomic uint32_t refs;
    atomic_bool remove_at_end;
};

static int corrupt(const struct run *run, uint64_t block, struct error *err)
{
    return error_set(err, E_CORRUPT, "'%s' is damaged at offset %llu", run->path,
                     (unsigned long long)(block * RUN_BLOCK_BYTES));
}

static int read_block(const struct run *run, uint8_t *ret_block, uint64_t number, struct error *err)
{
    int rc = disk_read_exact(run->file, ret_block, RUN_BLOCK_BYTES, number * RUN_BLOCK_BYTES, err);

    if (rc == E_TRUNCATED)
        return error_set(err, E_CORRUPT, "'%s' ends too early at offset %llu", run->path,
                         (unsigned long long)(number * RUN_BLOCK_BYTES));
    if (rc == 0 && !block_is_good(ret_block, run->id_sum, (uint32_t)number))
        rc = corrupt(run, number, err);
    return rc;
}

/* Reads len bytes of tables that begin at block *at, and moves *at behind them. */
static int read_table(const struct run *run, uint8_t *ret_data, size_t len, uint64_t *at,
                      struct error *err)
{
    uint8_t block[RUN_BLOCK_BYTES];

    for (size_t done = 0; done < len; (*at)++) {
        size_t part = MIN(len - done, BLOCK_ROOM);
        int rc = read_block(run, block, *at, err);

        if (rc < 0)
            return rc;
        if (block_holds(block) != BLOCK_TABLE || get_le16(block + 10) != part)
            return corrupt(run, *at, err);
        memcpy(ret_data + done, block + BLOCK_HEAD_BYTES, part);
        done += part;
    }
    return 0;
}

static uint64_t table_blocks(uint64_t bytes)
{
    return (bytes + BLOCK_ROOM - 1) / BLOCK_ROOM;
}

static int load_tables(struct run *run, bool want_filter, struct error *err)
{
    uint64_t blocks = run->file_bytes / RUN_BLOCK_BYTES;
    uint64_t filter_bytes;
    uint8_t footer[FOOTER_BYTES];
    uint64_t at;
    int rc;

    if (blocks == 0 || run->file_bytes % RUN_BLOCK_BYTES != 0 || blocks > UINT32_MAX)
        return error_set(err, E_CORRUPT, "'%s' has a length of %llu bytes, which no run has",
                         run->path, (unsigned long long)run->file_bytes);
    at = blocks - 1;
    rc = read_table(run, footer, sizeof(footer), &at, err);
    if (rc < 0)
        return rc;
    run->records_n = get_le64(footer + 16);
    run->blocks_n = get_le32(footer + 24);
    run->filter.lines_n = get_le32(footer + 28);
    filter_bytes = (uint64_t)run->filter.lines_n * FILTER_LINE_BYTES;
    if (get_le64(footer) != FOOTER_MAGIC || get_le64(footer + 8) != run->id ||
        get_le32(footer + 32) != RUN_BLOCK_BYTES ||
        run->blocks_n + table_blocks((uint64_t)run->blocks_n * 4) + table_blocks(filter_bytes) +
                1 !=
            blocks)
        return corrupt(run, blocks - 1, err);

    run->first = alloc_array(run->blocks_n, 4);
    at = run->blocks_n;
    rc = read_table(run, (uint8_t *)run->first, (size_t)run->blocks_n * 4, &at, err);
    if (rc < 0)
        return rc;
    for (uint32_t i = 0; i < run->blocks_n; i++)
        run->first[i] = get_le32((const uint8_t *)&run->first[i]);
    if (want_filter && filter_bytes > 0) {
        run->filter.lines = alloc(filter_bytes);
        rc = read_table(run, run->filter.lines, filter_bytes, &at, err);
    }
    return rc;
}

int run_open(struct run **ret_run, const struct run_open_options *options, struct error *err)
{
    struct run *run = alloc_zero(sizeof(*run));
    uint64_t file_bytes;
    int rc;

    run->disk = options->disk;
    run->path = alloc_string(options->path);
    run->id = options->id;
    run->id_sum = id_checksum(options->id);
    run->file_bytes = options->file_bytes;
    atomic_init(&run->refs, 1);
    atomic_init(&run->remove_at_end, false);
    rc = disk_open(options->disk, &run->file, options->path, DISK_READ, err);
    if (rc < 0)
        goto done;
    rc = disk_size(run->file, &file_bytes, err);
    if (rc < 0)
        goto done;
    if (file_bytes != options->file_bytes) {
        rc = error_set(err, E_CORRUPT, "'%s' is %llu bytes long, not %llu", options->path,
                       (unsigned long long)file_bytes, (unsigned long long)options->file_bytes);
        goto done;
    }
    rc = load_tables(run, options->want_filter, err);
    if (rc < 0)
        goto done;
    *ret_run = run;
    run = NULL; /* The caller owns it now. */

done:
    run_unref(run);
    return rc;
}

struct run *run_ref(struct run *run)
{
    (void)atomic_fetch_add_explicit(&run->refs, 1, memory_order_relaxed);
    return run;
}

void run_unref(struct run *own_run)
{
    if (own_run == NULL || atomic_fetch_sub_explicit(&own_run->refs, 1, memory_order_acq_rel) > 1)
        return;
    disk_close(own_run->file);
    /* A file that stays is no harm: nothing names it, and the next open removes it. */
    if (atomic_load(&own_run->remove_at_end) && disk_remove(own_run->disk, own_run->path, NULL) < 0)
        log_debug("store", "could not remove '%s'", own_run->path);
    free(own_run->path);
    free(own_run->first);
    free(own_run->filter.lines);
    free(own_run);
}

void run_remove_at_end(struct run *run)
{
    atomic_store(&run->remove_at_end, true);
}

uint64_t run_id(const struct run *run)
{
    return run->id;
}

uint64_t run_records_n(const struct run *run)
{
    return run->records_n;
}

uint64_t run_file_bytes(const struct run *run)
{
    return run->file_bytes;
}

uint64_t run_memory_bytes(const struct run *run)
{
    uint64_t filter = run->filter.lines == NULL ? 0 : run->filter.lines_n;

    return sizeof(*run) + (uint64_t)run->blocks_n * 4 + filter * FILTER_LINE_BYTES;
}

bool run_may_have(const struct run *run, uint64_t hash)
{
    return run->filter.lines == NULL || filter_may_have(&run->filter, hash);
}

/* The last block whose first hash is less than want, or block 0: the first one
 * that can hold it. Hashes are uniform, so a guess lands close. */
static uint32_t first_block_for(const struct run *run, uint32_t want)
{
    uint32_t low = (uint32_t)((uint64_t)want * run->blocks_n >> 32);
    uint32_t high = low;
    uint32_t step = 8;

    /* Widen until first[low] < want (or low is 0) and first[high] >= want. */
    while (low > 0 && run->first[low] >= want) {
        high = low;
        low = low > step ? low - step : 0;
        step *= 2;
    }
    step = 8;
    while (high < run->blocks_n && run->first[high] < want) {
        low = high;
        high = run->blocks_n - high > step ? high + step : run->blocks_n;
        step *= 2;
    }
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (run->first[middle] < want)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* Reads the long record that begins in scratch's block, into scratch behind it. */
static int read_long(const struct run *run, struct span *ret_body, uint64_t number,
                     struct buf *scratch, struct error *err)
{
    size_t len = get_le32(scratch->data + BLOCK_HEAD_BYTES);
    size_t part = get_le16(scratch->data + 10);
    uint8_t *block;
    size_t done;

    if (part <= LONG_HEAD_BYTES || len <= part - LONG_HEAD_BYTES || len > RUN_BODY_BYTES_MAX)
        return corrupt(run, number, err);
    /* scratch: the first block, room for the body, room for the block being read. */
    scratch->len = RUN_BLOCK_BYTES;
    (void)buf_extend(scratch, len + RUN_BLOCK_BYTES);
    block = scratch->data + RUN_BLOCK_BYTES + len;
    done = part - LONG_HEAD_BYTES;
    memcpy(scratch->data + RUN_BLOCK_BYTES, scratch->data + BLOCK_HEAD_BYTES + LONG_HEAD_BYTES,
           done);
    while (done < len) {
        int rc = ++number < run->blocks_n ? read_block(run, block, number, err)
                                          : corrupt(run, number, err);

        if (rc < 0)
            return rc;
        part = get_le16(block + 10);
        if (block_holds(block) != BLOCK_MORE || part == 0 || part > len - done)
            return corrupt(run, number, err);
        memcpy(scratch->data + RUN_BLOCK_BYTES + done, block + BLOCK_HEAD_BYTES, part);
        done += part;
    }
    *ret_body = span_of(scratch->data + RUN_BLOCK_BYTES, len);
    return 0;
}

static bool body_has_key(struct span body, struct span key)
{
    /* Nearly all differ in their first bytes: no call for those. */
    if (key.len >= 8 && body.len >= 8 && get_le64(key.data) != get_le64(body.data))
        return false;
    return body.len >= key.len && memcmp(body.data, key.data, key.len) == 0;
}

/* 1, 0 or an error, for one block that has been read into scratch. */
static int find_in_block(const struct run *run, struct span *ret_body, uint32_t number,
                         struct span key, struct buf *scratch, struct error *err)
{
    uint32_t n = block_holds(scratch->data);
    size_t at = BLOCK_HEAD_BYTES;
    int rc;

    if (n == BLOCK_MORE)
        return 0;
    if (n == BLOCK_LONG) {
        rc = read_long(run, ret_body, number, scratch, err);
        return rc < 0 ? rc : body_has_key(*ret_body, key);
    }
    if (n == BLOCK_TABLE)
        return corrupt(run, number, err);
    for (uint32_t i = 0; i < n; i++) {
        if (!block_next(scratch->data, &at, ret_body))
            return corrupt(run, number, err);
        if (body_has_key(*ret_body, key))
            return 1;
    }
    return 0;
}

int run_find(struct run *run, struct span *ret_body, uint64_t hash, struct span key,
             struct buf *scratch, struct error *err)
{
    uint32_t want = (uint32_t)(hash >> 32);
    uint32_t number;

    if (run->blocks_n == 0)
        return 0;
    if (scratch->len < RUN_BLOCK_BYTES)
        (void)buf_extend(scratch, RUN_BLOCK_BYTES - scratch->len);
    number = first_block_for(run, want);
    do {
        int rc = read_block(run, scratch->data, number, err);

        if (rc == 0)
            rc = find_in_block(run, ret_body, number, key, scratch, err);
        if (rc != 0)
            return rc;
        number++;
    } while (number < run->blocks_n && run->first[number] <= want);
    return 0;
}

struct run_walk {
    struct run *run;
    uint8_t *buffer; /* Whole blocks. */
    size_t buffer_blocks;
    uint64_t buffer_at; /* Number of its first block. */
    size_t buffer_n;    /* Blocks read. */
    uint64_t number;    /* The block at hand. */
    uint32_t left;      /* Records left in it. */
    size_t at;          /* Of the next one. */
    struct buf scratch; /* For long records. */
};

struct run_walk *run_walk_new(struct run *run, uint32_t buffer_bytes)
{
    struct run_walk *walk = alloc_zero(sizeof(*walk));

    walk->run = run_ref(run);
    walk->buffer_blocks = MAX(1, buffer_bytes / RUN_BLOCK_BYTES);
    walk->buffer = alloc(walk->buffer_blocks * RUN_BLOCK_BYTES);
    walk->number = UINT64_MAX; /* Before the first. */
    return walk;
}

void run_walk_free(struct run_walk *own_walk)
{
    if (own_walk == NULL)
        return;
    run_unref(own_walk->run);
    free(own_walk->buffer);
    buf_clear(&own_walk->scratch);
    free(own_walk);
}

/* Makes block number the one at hand. */
static int walk_to(struct run_walk *walk, uint64_t number, const uint8_t **ret_block,
                   struct error *err)
{
    const struct run *run = walk->run;
    int rc;

    if (number < walk->buffer_at || number >= walk->buffer_at + walk->buffer_n) {
        walk->buffer_n = (size_t)MIN(walk->buffer_blocks, run->blocks_n - number);
        walk->buffer_at = number;
        rc = disk_read_exact(run->file, walk->buffer, walk->buffer_n * RUN_BLOCK_BYTES,
                             number * RUN_BLOCK_BYTES, err);
        if (rc < 0) {
            walk->buffer_n = 0;
            return rc;
        }
    }
    *ret_block = walk->buffer + (number - walk->buffer_at) * RUN_BLOCK_BYTES;
    return block_is_good(*ret_block, run->id_sum, (uint32_t)number) ? 0 : corrupt(run, number, err);
}

int run_walk_next(struct run_walk *walk, struct span *ret_body, struct error *err)
{
    const struct run *run = walk->run;
    const uint8_t *block;
    uint32_t n;
    int rc;

    while (walk->left == 0) {
        if (walk->number + 1 >= run->blocks_n)
            return 0;
        walk->number++;
        rc = walk_to(walk, walk->number, &block, err);
        if (rc < 0)
            return rc;
        n = block_holds(block);
        if (n == BLOCK_TABLE)
            return corrupt(run, walk->number, err);
        if (n == BLOCK_LONG) {
            walk->scratch.len = 0;
            buf_add(&walk->scratch, block, RUN_BLOCK_BYTES);
            rc = read_long(run, ret_body, walk->number, &walk->scratch, err);
            return rc < 0 ? rc : 1;
        }
        walk->left = n == BLOCK_MORE ? 0 : n;
        walk->at = BLOCK_HEAD_BYTES;
    }
    block = walk->buffer + (walk->number - walk->buffer_at) * RUN_BLOCK_BYTES;
    if (!block_next(block, &walk->at, ret_body))
        return corrupt(run, walk->number, err);
    walk->left--;
    return 1;
}
