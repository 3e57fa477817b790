#include "coins/snapshot.h"

#include "base/alloc.h"
#include "base/check.h"
#include "codec/writer.h"
#include "coins/compress.h"
#include "os/pipe.h"
#include "primitives/amount.h"

#define SNAPSHOT_VERSION 2U
#define SNAPSHOT_COUNT_AT 43U /* Of the coins, in the header. */
#define WRITE_BYTES (256U << 10)
#define READ_BYTES (256U << 10)
/* No output of the file is longer, its transaction's beginning included. */
#define OUTPUT_BYTES_MAX                                                             \
    (HASH_BYTES + 2 * COMPACT_SIZE_BYTES_MAX + VARINT_BYTES_MAX + SCRIPT_BYTES_MAX + \
     TXOUT_COMPRESSED_OVERHEAD)

static const uint8_t file_magic[5] = {'u', 't', 'x', 'o', 0xff};

/* One output waiting for its transaction to be complete. */
struct group_item {
    uint8_t order[VARINT_BYTES_MAX]; /* Its number as Core's key has it. */
    size_t order_len;
    size_t at; /* In bytes. */
    size_t len;
};

struct snapshot_writer {
    struct disk_file *file; /* NULL: a pipe. */
    int pipe;
    uint64_t written;
    const struct coins_scan_options *options;
    struct buf out;
    struct txid txid; /* Of the group. */
    struct buf bytes;
    struct group_item *items; /* Owned. */
    size_t items_n;
    size_t items_capacity;
};

static int drain(struct snapshot_writer *writer, struct error *err)
{
    int rc =
        writer->file == NULL
            ? pipe_write(writer->pipe, writer->out.data, writer->out.len, writer->options->go_on,
                         writer->options->context, err)
            : disk_write(writer->file, writer->out.data, writer->out.len, writer->written, err);

    writer->written += writer->out.len;
    writer->out.len = 0;
    return rc;
}

/* Core's database keeps outputs in the order of their numbers' varint bytes, which
 * from 16,512 on is not the order of the numbers. */
static int item_compare(const void *a, const void *b)
{
    const struct group_item *left = a;
    const struct group_item *right = b;
    int order = memcmp(left->order, right->order, MIN(left->order_len, right->order_len));

    return order != 0 ? order
                      : (left->order_len > right->order_len) - (left->order_len < right->order_len);
}

static int end_group(struct snapshot_writer *writer, struct error *err)
{
    if (writer->items_n == 0)
        return 0;
    qsort(writer->items, writer->items_n, sizeof(writer->items[0]), item_compare);
    buf_add(&writer->out, writer->txid.b, HASH_BYTES);
    write_compact_size(&writer->out, writer->items_n);
    for (size_t i = 0; i < writer->items_n; i++)
        buf_add(&writer->out, writer->bytes.data + writer->items[i].at, writer->items[i].len);
    writer->items_n = 0;
    writer->bytes.len = 0;
    return writer->out.len >= WRITE_BYTES ? drain(writer, err) : 0;
}

static int add_coin(struct snapshot_writer *writer, const struct outpoint *outpoint,
                    const struct coin *coin, struct error *err)
{
    struct group_item *item;
    uint8_t *at;
    size_t len;
    int rc = 0;

    if (writer->items_n > 0 && !txid_equal(&writer->txid, &outpoint->txid))
        rc = end_group(writer, err);
    if (rc < 0)
        return rc;
    writer->txid = outpoint->txid;
    if (writer->items_n == writer->items_capacity) {
        writer->items_capacity = writer->items_capacity * 2 + 64;
        writer->items =
            realloc_array(writer->items, writer->items_capacity, sizeof(writer->items[0]));
    }
    item = &writer->items[writer->items_n++];
    item->at = writer->bytes.len;
    item->order_len = varint_write(item->order, outpoint->vout);
    buf_reserve(&writer->bytes, OUTPUT_BYTES_MAX);
    at = writer->bytes.data + writer->bytes.len;
    len = compact_size_write(at, outpoint->vout);
    len += varint_write(at + len, (uint64_t)coin->height << 1 | coin->is_coinbase);
    len += txout_write_compressed(at + len, coin->value_sat, coin->script_pubkey);
    item->len = len;
    writer->bytes.len += len;
    return 0;
}

static void add_header(struct buf *buf, const struct snapshot_header *header)
{
    buf_add(buf, file_magic, sizeof(file_magic));
    write_le16(buf, SNAPSHOT_VERSION);
    buf_add(buf, header->magic, sizeof(header->magic));
    buf_add(buf, header->base.b, HASH_BYTES);
    write_le64(buf, header->coins_n);
}

/* Header and coins. The header's count is right already, or put right afterwards. */
static int write_coins(struct snapshot_writer *writer, struct coins_scan *scan,
                       const struct snapshot_header *header, struct coins_stats *ret_stats,
                       struct error *err)
{
    struct coins_stats_maker maker;
    struct outpoint outpoint;
    struct coin coin;
    int rc;

    coins_stats_maker_init(&maker, COINS_HASH_SERIALIZED_3);
    add_header(&writer->out, header);
    while ((rc = coins_scan_next(scan, &outpoint, &coin, err)) == 1) {
        rc = coins_stats_maker_add(&maker, &outpoint, &coin, err);
        if (rc == 0)
            rc = add_coin(writer, &outpoint, &coin, err);
        if (rc < 0)
            break;
    }
    coins_stats_maker_finish(&maker, ret_stats);
    if (rc == 0)
        rc = end_group(writer, err);
    return rc == 0 ? drain(writer, err) : rc;
}

/* Everything into an open file, synced. */
static int write_file(struct snapshot_writer *writer, struct coins_scan *scan,
                      struct snapshot_header *header, struct coins_stats *ret_stats,
                      struct error *err)
{
    uint8_t count[8];
    int rc = write_coins(writer, scan, header, ret_stats, err);

    if (rc < 0)
        return rc;
    /* The walk did not know how many there are until it ended. */
    header->coins_n = ret_stats->outputs_n;
    put_le64(count, header->coins_n);
    rc = disk_write(writer->file, count, sizeof(count), SNAPSHOT_COUNT_AT, err);
    return rc < 0 ? rc : disk_sync(writer->file, err);
}

static int put_in_place(struct disk *disk, const char *from, const char *path, struct error *err)
{
    char *folder = disk_folder_of(path);
    int rc = disk_rename(disk, from, path, err);

    if (rc == 0)
        rc = disk_sync_folder(disk, folder, err);
    free(folder);
    return rc;
}

/* The file that becomes the snapshot, unless that is there already. */
static int open_part(struct disk *disk, struct disk_file **ret_file, const char *path,
                     const char *part_path, struct error *err)
{
    struct disk_entry entry;
    int rc = disk_stat(disk, path, &entry, err);

    if (rc == 0)
        return error_set(err, E_EXISTS, "'%s' already exists", path);
    if (rc != E_NOT_FOUND)
        return rc;
    return disk_open(disk, ret_file, part_path, DISK_CREATE, err);
}

int snapshot_probe(struct disk *disk, const char *path, struct error *err)
{
    char *part_path;
    struct disk_file *file = NULL;
    int rc;

    if (pipe_is_at(path))
        return 0;
    part_path = alloc_printf("%s.incomplete", path);
    rc = open_part(disk, &file, path, part_path, err);
    disk_close(file);
    free(part_path);
    return rc;
}

int snapshot_probe_undo(struct disk *disk, const char *path, struct error *err)
{
    char *part_path;
    int rc;

    if (pipe_is_at(path))
        return 0;
    part_path = alloc_printf("%s.incomplete", path);
    rc = disk_remove(disk, part_path, err);
    free(part_path);
    return rc;
}

/* How many coins a scan of the same commit as *ret_scan finds. */
static int open_counted(struct coins_scan **ret_scan, struct coins_store *store,
                        struct snapshot_header *header, const struct coins_scan_options *options,
                        struct error *err)
{
    struct coins_scan_options any = *options;
    struct coins_scan *counting = NULL;
    struct outpoint outpoint;
    struct block_hash tip;
    struct coin coin;
    int rc;

    any.any_order = true;
    do {
        coins_scan_free(*ret_scan);
        coins_scan_free(counting);
        *ret_scan = counting = NULL;
        rc = coins_scan_new(ret_scan, store, &header->base, options, err);
        if (rc == 0)
            rc = coins_scan_new(&counting, store, &tip, &any, err);
    } while (rc == 0 && !block_hash_equal(&header->base, &tip)); /* The chain went on between. */
    while (rc == 0 && (rc = coins_scan_next(counting, &outpoint, &coin, err)) == 1) {
        header->coins_n++;
        rc = 0;
    }
    coins_scan_free(counting);
    return rc;
}

/* What has been written cannot be put right: the coins are counted first. */
static int write_to_pipe(struct snapshot_writer *writer, struct coins_scan **ret_scan,
                         const char *path, struct coins_store *store,
                         struct snapshot_header *header, struct coins_stats *ret_stats,
                         struct error *err)
{
    const struct coins_scan_options *options = writer->options;
    int rc = pipe_open(&writer->pipe, path, options->go_on, options->context, err);

    if (rc == 0)
        rc = open_counted(ret_scan, store, header, options, err);
    if (rc == 0)
        rc = write_coins(writer, *ret_scan, header, ret_stats, err);
    if (rc == 0 && header->coins_n != ret_stats->outputs_n)
        rc = error_set(err, E_CORRUPT, "%llu coins were counted, then %llu found",
                       (unsigned long long)header->coins_n,
                       (unsigned long long)ret_stats->outputs_n);
    pipe_close(writer->pipe);
    return rc;
}

/* By way of a file that gets its name when it is whole. */
static int write_to_file(struct snapshot_writer *writer, struct coins_scan **ret_scan,
                         struct disk *disk, const char *path, struct coins_store *store,
                         struct snapshot_header *header, struct coins_stats *ret_stats,
                         struct error *err)
{
    char *part_path = alloc_printf("%s.incomplete", path);
    int rc = open_part(disk, &writer->file, path, part_path, err);

    if (rc == 0)
        rc = coins_scan_new(ret_scan, store, &header->base, writer->options, err);
    if (rc == 0)
        rc = disk_truncate(writer->file, 0, err);
    if (rc == 0)
        rc = write_file(writer, *ret_scan, header, ret_stats, err);
    if (rc < 0 && writer->file != NULL && disk_remove(disk, part_path, NULL) < 0)
        error_wrap(err, "'%s' was left behind", part_path);
    disk_close(writer->file);
    if (rc == 0)
        rc = put_in_place(disk, part_path, path, err);
    free(part_path);
    return rc;
}

int snapshot_write(struct disk *disk, const char *path, const uint8_t *magic,
                   struct coins_store *store, struct snapshot_header *ret_header,
                   struct coins_stats *ret_stats, const struct coins_scan_options *options,
                   struct error *err)
{
    struct coins_scan_options in_order = {0};
    struct snapshot_writer writer = {.pipe = -1, .options = &in_order};
    struct snapshot_header header = {0};
    struct coins_scan *scan = NULL;
    struct coins_stats stats;
    int rc;

    if (options != NULL)
        in_order = *options;
    in_order.any_order = false;
    memcpy(header.magic, magic, sizeof(header.magic));
    rc = pipe_is_at(path) ? write_to_pipe(&writer, &scan, path, store, &header, &stats, err)
                          : write_to_file(&writer, &scan, disk, path, store, &header, &stats, err);
    if (rc == 0) {
        *ret_header = header;
        *ret_stats = stats;
    }
    coins_scan_free(scan);
    buf_clear(&writer.out);
    buf_clear(&writer.bytes);
    free(writer.items);
    return rc;
}

struct snapshot_reader {
    struct disk_file *file;
    uint64_t file_at; /* Bytes read. */
    bool is_at_end;   /* Of the file. */
    uint8_t *bytes;   /* READ_BYTES. Owned. */
    size_t at;
    size_t end;
    struct snapshot_header header;
    uint64_t done_n;
    uint64_t group_left;
    struct txid txid;
    struct arena arena; /* Scripts that had a short form. */
};

/* Reads on until one more output is there, or the end of the file. */
static int fill(struct snapshot_reader *reader, struct error *err)
{
    size_t got;
    int rc;

    if (reader->is_at_end || reader->end - reader->at >= OUTPUT_BYTES_MAX)
        return 0;
    memmove(reader->bytes, reader->bytes + reader->at, reader->end - reader->at);
    reader->end -= reader->at;
    reader->at = 0;
    rc = disk_read(reader->file, reader->bytes + reader->end, READ_BYTES - reader->end,
                   reader->file_at, &got, err);
    if (rc < 0)
        return rc;
    reader->is_at_end = got < READ_BYTES - reader->end;
    reader->end += got;
    reader->file_at += got;
    return 0;
}

static int read_header(struct snapshot_reader *reader, struct error *err)
{
    struct reader r;
    struct span magic;
    uint16_t version;
    int rc = fill(reader, err);

    if (rc < 0)
        return rc;
    reader_init(&r, reader->bytes, reader->end);
    magic = read_span(&r, sizeof(file_magic));
    if (!span_equal(magic, span_of(file_magic, sizeof(file_magic))))
        return error_set(err, E_MALFORMED,
                         "Invalid UTXO set snapshot magic bytes. Please check if this is indeed "
                         "a snapshot file or if you are using an outdated snapshot format.");
    version = read_le16(&r);
    if (r.rc == 0 && version != SNAPSHOT_VERSION)
        return error_set(err, E_MALFORMED,
                         "Version of snapshot %u does not match any of the supported versions.",
                         version);
    read_bytes(&r, reader->header.magic, sizeof(reader->header.magic));
    read_bytes(&r, reader->header.base.b, HASH_BYTES);
    reader->header.coins_n = read_le64(&r);
    if (r.rc < 0)
        return error_set(err, E_MALFORMED, "the header of the snapshot ends too early");
    reader->at = SNAPSHOT_HEADER_BYTES;
    return 0;
}

int snapshot_reader_new(struct snapshot_reader **ret_reader, struct snapshot_header *ret_header,
                        struct disk *disk, const char *path, struct error *err)
{
    struct snapshot_reader *reader = alloc_zero(sizeof(*reader));
    int rc;

    arena_init(&reader->arena);
    reader->bytes = alloc(READ_BYTES);
    /* Opening one would wait for its writer, past the end of the node. */
    rc = pipe_is_at(path)
             ? error_set(err, E_STATE, "'%s' is a named pipe, and snapshots are read from files",
                         path)
             : disk_open(disk, &reader->file, path, DISK_READ, err);
    if (rc == 0)
        rc = read_header(reader, err);
    if (rc < 0) {
        snapshot_reader_free(reader);
        return rc;
    }
    *ret_header = reader->header;
    *ret_reader = reader;
    return 0;
}

void snapshot_reader_free(struct snapshot_reader *own_reader)
{
    if (own_reader == NULL)
        return;
    disk_close(own_reader->file);
    free(own_reader->bytes);
    arena_clear(&own_reader->arena);
    free(own_reader);
}

static int malformed(const struct snapshot_reader *reader, const char *what, const char *more,
                     struct error *err)
{
    return error_set(err, E_MALFORMED, "%s after deserializing %llu coins%s", what,
                     (unsigned long long)reader->done_n, more);
}

/* The beginning of a transaction, where one is due. */
static int read_group(struct snapshot_reader *reader, struct reader *r, struct error *err)
{
    if (reader->group_left > 0)
        return 0;
    read_bytes(r, reader->txid.b, HASH_BYTES);
    reader->group_left = read_length(r);
    if (r->rc < 0)
        return malformed(reader, "Bad snapshot format or truncated snapshot", "", err);
    if (reader->group_left > reader->header.coins_n - reader->done_n)
        return error_set(err, E_MALFORMED,
                         "Mismatch in coins count in snapshot metadata and "
                         "actual snapshot data");
    return 0;
}

static int read_output(struct snapshot_reader *reader, struct reader *r,
                       struct outpoint *ret_outpoint, struct coin *ret_coin, uint32_t base_height,
                       struct error *err)
{
    uint64_t vout = read_compact_size(r);
    uint64_t code = read_varint(r, UINT32_MAX);
    struct reader amount = *r;
    bool is_amount_bad;

    /* An amount out of range has a message of its own: look at it apart. */
    is_amount_bad = !money_in_range((int64_t)amount_decompress(read_varint(&amount, UINT64_MAX)));
    *ret_coin = (struct coin){.height = (uint32_t)(code >> 1), .is_coinbase = (code & 1) != 0};
    if (r->rc == 0 && (ret_coin->height > base_height || vout >= UINT32_MAX))
        return malformed(reader, "Bad snapshot data", "", err);
    if (r->rc == 0 && amount.rc == 0 && is_amount_bad)
        return malformed(reader, "Bad snapshot data", " - bad tx out value", err);
    arena_reset(&reader->arena);
    read_txout_compressed(r, &ret_coin->value_sat, &ret_coin->script_pubkey, &reader->arena);
    if (r->rc < 0)
        return malformed(reader, "Bad snapshot format or truncated snapshot", "", err);
    *ret_outpoint = (struct outpoint){.txid = reader->txid, .vout = (uint32_t)vout};
    return 0;
}

int snapshot_reader_next(struct snapshot_reader *reader, struct outpoint *ret_outpoint,
                         struct coin *ret_coin, uint32_t base_height, struct error *err)
{
    struct reader r;
    int rc;

    rc = fill(reader, err);
    if (rc < 0)
        return rc;
    reader_init(&r, reader->bytes + reader->at, reader->end - reader->at);
    if (reader->done_n == reader->header.coins_n) {
        if (r.left > 0)
            return malformed(reader, "Bad snapshot - coins left over", "", err);
        return 0;
    }
    do {
        rc = read_group(reader, &r, err);
        /* A transaction of no coins says nothing but is no error; the file is bounded. */
        if (rc == 0 && reader->group_left == 0) {
            reader->at = reader->end - r.left;
            rc = fill(reader, err);
            reader_init(&r, reader->bytes + reader->at, reader->end - reader->at);
        }
    } while (rc == 0 && reader->group_left == 0);
    if (rc == 0)
        rc = read_output(reader, &r, ret_outpoint, ret_coin, base_height, err);
    if (rc < 0)
        return rc;
    reader->at = reader->end - r.left;
    reader->group_left--;
    reader->done_n++;
    return 1;
}
