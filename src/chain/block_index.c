#include "chain/block_index_priv.h"

#include "base/alloc.h"
#include "base/check.h"
#include "codec/reader.h"
#include "codec/writer.h"
#include "os/thread.h"
#include "store/record_log.h"

#define INDEX_KIND 0x78646e49U
#define INDEX_FILE "assay-index.log"

/* Payloads are runs of entries of one kind and fixed length. */
enum record_type { RECORD_NODES = 1, RECORD_STATES = 2, RECORD_FILES = 3, RECORD_FACTS = 4 };

#define STATE_BYTES 28
#define NODE_ENTRY_BYTES (HEADER_BYTES + STATE_BYTES)
#define STATE_ENTRY_BYTES (4 + STATE_BYTES)
#define FILE_ENTRY_BYTES 42
#define FACTS_BYTES 35

#define RECORD_BYTES_MAX (1U << 20)
/* Marks that are kept: those of children follow from their parents. */
#define MARKS_KEPT (~(uint32_t)HEADER_FAILED_CHILD)

/* Written anew when it is this much longer than it must be. */
#define TIDY_FACTOR 2
#define TIDY_BYTES_MIN (UINT64_C(4) << 20)

struct block_index {
    struct disk *disk;
    char *path;
    struct header_tree *tree;
    struct record_log *log;
    struct mutex mutex; /* Around the log. */
    struct block_index_facts facts;
    struct block_file_info *files; /* Owned. */
    size_t files_n;
    uint32_t loaded_n;
    uint64_t records_n;
};

static void state_write(uint8_t *out, const struct header_node *node)
{
    put_le32(out, header_marks(node) & MARKS_KEPT);
    put_le32(out + 4, atomic_load(&node->tx_n));
    put_le32(out + 8, atomic_load(&node->size_bytes));
    put_le64(out + 12, atomic_load(&node->block_place));
    put_le64(out + 20, atomic_load(&node->undo_place));
}

static void state_read(struct header_node *node, const uint8_t *in)
{
    atomic_store(&node->marks, get_le32(in));
    atomic_store(&node->tx_n, get_le32(in + 4));
    atomic_store(&node->size_bytes, get_le32(in + 8));
    atomic_store(&node->block_place, get_le64(in + 12));
    atomic_store(&node->undo_place, get_le64(in + 20));
}

static void entry_write_file(uint8_t *out, int32_t file, const struct block_file_info *info)
{
    put_le32(out, (uint32_t)file);
    put_le32(out + 4, info->blocks_n);
    put_le32(out + 8, info->size);
    put_le32(out + 12, info->undo_size);
    put_le32(out + 16, info->height_first);
    put_le32(out + 20, info->height_last);
    put_le64(out + 24, info->time_first);
    put_le64(out + 32, info->time_last);
    out[40] = info->owns_end;
    out[41] = info->owns_undo_end;
}

static int read_nodes(struct block_index *index, struct span payload, struct error *err)
{
    for (size_t at = 0; at < payload.len; at += NODE_ENTRY_BYTES) {
        struct header header;
        struct header_node *node;
        struct block_hash hash;
        struct reader r;

        reader_init(&r, payload.data + at, HEADER_BYTES);
        header_read(&header, &r);
        hash = header_hash(&header);
        if (index->loaded_n == 0) {
            node = header_tree_genesis(index->tree);
            if (!block_hash_equal(&node->hash, &hash))
                return error_set(err, E_CORRUPT, "the index is another network's");
        } else {
            if (header_tree_find(index->tree, &header.prev) == NULL ||
                header_tree_find(index->tree, &hash) != NULL)
                return error_set(err, E_CORRUPT, "a header is out of place");
            int rc = header_tree_add(index->tree, &node, &header, &hash, err);

            if (rc < 0)
                return rc;
        }
        state_read(node, payload.data + at + HEADER_BYTES);
        index->loaded_n++;
    }
    return 0;
}

static int read_states(struct block_index *index, struct span payload, struct error *err)
{
    for (size_t at = 0; at < payload.len; at += STATE_ENTRY_BYTES) {
        uint32_t i = get_le32(payload.data + at);

        if (i >= index->loaded_n)
            return error_set(err, E_CORRUPT, "a block is not there");
        state_read(header_tree_at(index->tree, i), payload.data + at + 4);
    }
    return 0;
}

static int read_files(struct block_index *index, struct span payload, struct error *err)
{
    for (size_t at = 0; at < payload.len; at += FILE_ENTRY_BYTES) {
        const uint8_t *in = payload.data + at;
        uint32_t file = get_le32(in);

        if (file > BLOCK_FILE_NUMBER_MAX)
            return error_set(err, E_CORRUPT, "a file number is out of range");
        if (file >= index->files_n) {
            index->files = realloc_array(index->files, file + 1, sizeof(*index->files));
            memset(&index->files[index->files_n], 0,
                   (file + 1 - index->files_n) * sizeof(*index->files));
            index->files_n = file + 1;
        }
        index->files[file] = (struct block_file_info){.blocks_n = get_le32(in + 4),
                                                      .size = get_le32(in + 8),
                                                      .undo_size = get_le32(in + 12),
                                                      .height_first = get_le32(in + 16),
                                                      .height_last = get_le32(in + 20),
                                                      .time_first = get_le64(in + 24),
                                                      .time_last = get_le64(in + 32),
                                                      .owns_end = in[40] != 0,
                                                      .owns_undo_end = in[41] != 0};
    }
    return 0;
}

static int on_record(void *context, uint32_t type, struct span payload, struct error *err)
{
    static const size_t entry_bytes[] = {[RECORD_NODES] = NODE_ENTRY_BYTES,
                                         [RECORD_STATES] = STATE_ENTRY_BYTES,
                                         [RECORD_FILES] = FILE_ENTRY_BYTES,
                                         [RECORD_FACTS] = FACTS_BYTES};
    struct block_index *index = context;

    index->records_n++;
    if (type == 0 || type >= ARRAY_LEN(entry_bytes) || payload.len % entry_bytes[type] != 0)
        return error_set(err, E_CORRUPT, "a record is of no known kind");
    switch ((enum record_type)type) {
    case RECORD_NODES:
        return read_nodes(index, payload, err);
    case RECORD_STATES:
        return read_states(index, payload, err);
    case RECORD_FILES:
        return read_files(index, payload, err);
    case RECORD_FACTS:
        break;
    }
    if (payload.len != FACTS_BYTES || payload.data[2] > SNAPSHOT_VERIFIED)
        return error_set(err, E_CORRUPT, "a record is of no known kind");
    index->facts.is_reindexing = payload.data[0] != 0;
    index->facts.has_pruned = payload.data[1] != 0;
    index->facts.snapshot = (enum snapshot_stage)payload.data[2];
    memcpy(index->facts.snapshot_base.b, payload.data + 3, HASH_BYTES);
    return 0;
}

/* Entries of one kind that come one after the other share a record: a header of
 * type and length before them, the length counted up as they come. */
#define CHANGE_HEAD_BYTES 8

static uint8_t *entry_extend(struct block_index_changes *changes, enum record_type type, size_t len)
{
    struct buf *bytes = &changes->bytes;
    uint8_t *head = bytes->len == 0 ? NULL : bytes->data + changes->last;

    if (head != NULL && get_le32(head) == (uint32_t)type &&
        get_le32(head + 4) + len <= RECORD_BYTES_MAX) {
        put_le32(head + 4, get_le32(head + 4) + (uint32_t)len);
        return buf_extend(bytes, len);
    }
    changes->last = bytes->len;
    head = buf_extend(bytes, CHANGE_HEAD_BYTES);
    put_le32(head, (uint32_t)type);
    put_le32(head + 4, (uint32_t)len);
    return buf_extend(bytes, len);
}

void block_index_add_node(struct block_index_changes *changes, const struct header_node *node,
                          bool is_new)
{
    uint8_t *out;

    if (is_new) {
        struct header header = header_of_node(node);

        out = entry_extend(changes, RECORD_NODES, NODE_ENTRY_BYTES);
        header_write(out, &header);
        state_write(out + HEADER_BYTES, node);
        return;
    }
    out = entry_extend(changes, RECORD_STATES, STATE_ENTRY_BYTES);
    put_le32(out, node->index);
    state_write(out + 4, node);
}

void block_index_add_file(struct block_index_changes *changes, int32_t file,
                          const struct block_file_info *info)
{
    entry_write_file(entry_extend(changes, RECORD_FILES, FILE_ENTRY_BYTES), file, info);
}

void block_index_add_facts(struct block_index_changes *changes,
                           const struct block_index_facts *facts)
{
    uint8_t *out = entry_extend(changes, RECORD_FACTS, FACTS_BYTES);

    out[0] = facts->is_reindexing;
    out[1] = facts->has_pruned;
    out[2] = (uint8_t)facts->snapshot;
    memcpy(out + 3, facts->snapshot_base.b, HASH_BYTES);
}

static int append_changes(struct record_log *log, const struct block_index_changes *changes,
                          struct error *err)
{
    const struct buf *bytes = &changes->bytes;
    size_t at = 0;

    while (at < bytes->len) {
        uint32_t type = get_le32(bytes->data + at);
        uint32_t len = get_le32(bytes->data + at + 4);
        int rc;

        at += CHANGE_HEAD_BYTES;
        rc = record_log_append(log, type, span_of(bytes->data + at, len), err);
        if (rc < 0)
            return rc;
        at += len;
    }
    return 0;
}

int block_index_write(struct block_index *index, const struct block_index_changes *changes,
                      struct error *err)
{
    int rc;

    if (changes->bytes.len == 0)
        return 0;
    mutex_lock(&index->mutex);
    rc = append_changes(index->log, changes, err);
    if (rc == 0)
        rc = record_log_sync(index->log, err);
    mutex_unlock(&index->mutex);
    if (rc < 0)
        error_wrap(err, "could not write '%s'", index->path);
    return rc;
}

int block_index_tidy(struct block_index *index, struct error *err)
{
    uint64_t need = (uint64_t)index->loaded_n * (NODE_ENTRY_BYTES + 1) +
                    index->files_n * FILE_ENTRY_BYTES + TIDY_BYTES_MIN;
    struct block_index_changes changes = {0};
    int rc = 0;

    if (record_log_bytes(index->log) <= need * TIDY_FACTOR)
        return 0;
    rc = record_log_replace_start(index->log, err);
    if (rc < 0)
        goto done;
    for (uint32_t i = 0; i < index->loaded_n && rc == 0; i++) {
        block_index_add_node(&changes, header_tree_at(index->tree, i), true);
        if (changes.bytes.len < RECORD_BYTES_MAX && i + 1 < index->loaded_n)
            continue;
        rc = append_changes(index->log, &changes, err);
        changes.bytes.len = 0;
    }
    for (size_t i = 0; i < index->files_n; i++)
        block_index_add_file(&changes, (int32_t)i, &index->files[i]);
    block_index_add_facts(&changes, &index->facts);
    if (rc == 0)
        rc = append_changes(index->log, &changes, err);
    if (rc == 0)
        rc = record_log_replace_finish(index->log, err);
    else
        record_log_replace_abandon(index->log);

done:
    if (rc < 0)
        error_wrap(err, "could not write '%s' anew", index->path);
    buf_clear(&changes.bytes);
    return rc;
}

static int ignore_record(void *context, uint32_t type, struct span payload, struct error *err)
{
    (void)context;
    (void)type;
    (void)payload;
    (void)err;
    return 0;
}

/* Start over, in one step: before it the old index is whole, after it the new one
 * says that a reindex is under way. An old one that is damaged is removed. */
static int open_empty(struct block_index *index, struct record_log_options *options,
                      struct error *err)
{
    struct block_index_changes changes = {0};
    int rc;

    index->facts = (struct block_index_facts){.is_reindexing = true};
    options->on_record = ignore_record;
    rc = record_log_open(&index->log, options, err);
    if (rc == E_CORRUPT) {
        rc = disk_remove(index->disk, index->path, err);
        if (rc == 0)
            rc = record_log_open(&index->log, options, err);
    }
    if (rc == 0)
        rc = record_log_replace_start(index->log, err);
    if (rc < 0)
        return rc;
    block_index_add_facts(&changes, &index->facts);
    rc = append_changes(index->log, &changes, err);
    if (rc == 0)
        rc = record_log_replace_finish(index->log, err);
    buf_clear(&changes.bytes);
    return rc;
}

int block_index_open(struct block_index **ret_index, bool *ret_is_fresh,
                     const struct block_index_options *options, struct error *err)
{
    struct block_index *index = alloc_zero(sizeof(*index));
    char *folder = alloc_printf("%s/index", options->folder);
    struct record_log_options log_options;
    int rc;

    index->disk = options->disk;
    index->tree = options->tree;
    index->path = alloc_printf("%s/" INDEX_FILE, folder);
    mutex_init(&index->mutex);
    log_options = (struct record_log_options){.disk = options->disk,
                                              .path = index->path,
                                              .kind = INDEX_KIND,
                                              .record_bytes_max = RECORD_BYTES_MAX,
                                              .on_record = on_record,
                                              .context = index};
    rc = disk_make_folder(options->disk, folder, err);
    if (rc < 0)
        goto done;
    rc = options->is_reindex ? open_empty(index, &log_options, err)
                             : record_log_open(&index->log, &log_options, err);
    if (rc < 0)
        goto done;
    *ret_is_fresh = !options->is_reindex && index->records_n == 0;
    header_tree_settle(index->tree);
    rc = block_index_tidy(index, err);
    if (rc < 0)
        goto done;
    *ret_index = index;
    index = NULL;

done:
    free(folder);
    block_index_close(index);
    return rc;
}

void block_index_close(struct block_index *own_index)
{
    if (own_index == NULL)
        return;
    record_log_close(own_index->log);
    mutex_clear(&own_index->mutex);
    free(own_index->files);
    free(own_index->path);
    free(own_index);
}

const struct block_index_facts *block_index_facts(const struct block_index *index)
{
    return &index->facts;
}

void block_index_set_facts(struct block_index *index, const struct block_index_facts *facts)
{
    index->facts = *facts;
}

uint32_t block_index_nodes_n(const struct block_index *index)
{
    return index->loaded_n;
}

size_t block_index_files_n(const struct block_index *index)
{
    return index->files_n;
}

const struct block_file_info *block_index_file(const struct block_index *index, size_t file)
{
    return &index->files[file];
}
