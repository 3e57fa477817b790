#include "base/alloc.h"
#include "base/check.h"
#include "coins/coins_priv.h"

#define SCAN_MEMORY_BYTES ((uint64_t)64 << 20)
#define SCAN_MEMORY_BYTES_MIN ((uint64_t)80 << 10)
#define SCAN_BUFFER_BYTES (64U << 10)
#define SCAN_LOOK_EVERY 4096U /* Coins between questions whether to go on. */

/* A coin in memory: where its record lies, and the beginning of its txid, which
 * decides most comparisons. */
struct scan_item {
    uint64_t prefix; /* Big-endian. */
    uint64_t at;     /* In bodies; two bytes of length come first. */
};

/* A sorted part on disk, with its next record. */
struct scan_part {
    struct run_walk *walk; /* Owned. */
    struct record record;  /* Script in the walk's memory. */
};

enum scan_phase { SCAN_NEW, SCAN_ANY_ORDER, SCAN_FROM_MEMORY, SCAN_FROM_PARTS };

struct coins_scan {
    struct disk *disk;
    char *folder;
    struct run_set_walk *walk;
    struct coins_scan_options options;
    uint64_t number; /* Of this scan, for names. */
    enum scan_phase phase;
    uint64_t count;
    struct buf script;

    /* Sorting: bounded by what the options allow. */
    uint8_t *bodies; /* Owned. */
    uint64_t bodies_len;
    uint64_t bodies_max;
    struct scan_item *items; /* Owned. */
    uint64_t items_n;
    uint64_t items_max;
    uint64_t items_at;

    struct run **parts_runs;  /* Owned, parts_n. */
    struct scan_part **parts; /* A heap, least first; owned. */
    uint32_t parts_n;
    uint32_t heap_n;
};

int coins_scan_new(struct coins_scan **ret_scan, struct coins_store *store,
                   struct block_hash *ret_tip, const struct coins_scan_options *options,
                   struct error *err)
{
    struct coins_scan *scan = alloc_zero(sizeof(*scan));
    struct run_set *set;
    uint64_t most;

    (void)err;
    mutex_lock(&store->mutex);
    set = run_set_ref(store->current);
    if (ret_tip != NULL)
        *ret_tip = store->current_tip;
    mutex_unlock(&store->mutex);
    if (options != NULL)
        scan->options = *options;
    if (scan->options.memory_bytes == 0)
        scan->options.memory_bytes = SCAN_MEMORY_BYTES;
    /* In memory a coin takes what it takes on disk and 32 bytes beside it (the sort
     * needs its items twice), so that half is for each. */
    most = MAX(scan->options.memory_bytes, SCAN_MEMORY_BYTES_MIN) / 2;
    scan->bodies_max = MIN(most, run_set_file_bytes(set) * 2 + RUN_BODY_BYTES_MAX);
    scan->items_max = scan->bodies_max / (2 * sizeof(struct scan_item)) + 1;
    scan->disk = store->disk;
    scan->folder = alloc_string(store->folder);
    scan->number = atomic_fetch_add(&store->next_scan, 1);
    scan->walk = run_set_walk_new(set, set->n, &store->salt, SCAN_BUFFER_BYTES);
    run_set_unref(set);
    *ret_scan = scan;
    return 0;
}

void coins_scan_free(struct coins_scan *own_scan)
{
    if (own_scan == NULL)
        return;
    for (uint32_t i = 0; i < own_scan->heap_n; i++) {
        run_walk_free(own_scan->parts[i]->walk);
        free(own_scan->parts[i]);
    }
    for (uint32_t i = 0; i < own_scan->parts_n; i++)
        run_unref(own_scan->parts_runs[i]);
    run_set_walk_free(own_scan->walk);
    buf_clear(&own_scan->script);
    free(own_scan->parts_runs);
    free(own_scan->parts);
    free(own_scan->bodies);
    free(own_scan->items);
    free(own_scan->folder);
    free(own_scan);
}

static struct span item_body(const struct coins_scan *scan, const struct scan_item *item)
{
    const uint8_t *at = scan->bodies + item->at;

    return span_of(at + 2, get_le16(at));
}

static int outpoint_compare(const struct outpoint *a, const struct outpoint *b)
{
    int order = memcmp(a->txid.b, b->txid.b, HASH_BYTES);

    return order != 0 ? order : (a->vout > b->vout) - (a->vout < b->vout);
}

static int item_compare(const void *a, const void *b, void *context)
{
    const struct scan_item *left = a;
    const struct scan_item *right = b;
    struct outpoint left_key;
    struct outpoint right_key;

    if (left->prefix != right->prefix)
        return left->prefix < right->prefix ? -1 : 1;
    /* Read before, when it was put in. */
    CHECK(record_read_key(&left_key, item_body(context, left)) == 0 &&
          record_read_key(&right_key, item_body(context, right)) == 0);
    return outpoint_compare(&left_key, &right_key);
}

static char *part_path(const struct coins_scan *scan, uint32_t part)
{
    return alloc_printf("%s/coins-scan-%llu-%u.tmp", scan->folder, (unsigned long long)scan->number,
                        part);
}

static int write_items(struct coins_scan *scan, struct run_writer *writer, struct error *err)
{
    int rc = 0;

    for (uint64_t i = 0; i < scan->items_n && rc == 0; i++)
        rc = run_writer_add(writer, scan->items[i].prefix, item_body(scan, &scan->items[i]), err);
    return rc;
}

/* Writes what is in memory, sorted, to a file that goes when the scan does. */
static int spill(struct coins_scan *scan, struct error *err)
{
    char *path = part_path(scan, scan->parts_n);
    struct run_writer_options options = {
        .disk = scan->disk, .path = path, .id = (uint64_t)1 << 63 | scan->parts_n};
    struct run_open_options open_options = {.disk = scan->disk, .path = path, .id = options.id};
    struct run_writer *writer = NULL;
    struct run *run = NULL;
    bool is_made;
    int rc;

    rc = run_writer_new(&writer, &options, err);
    is_made = rc == 0;
    if (rc == 0)
        rc = write_items(scan, writer, err);
    if (rc == 0)
        rc = run_writer_finish(writer, &open_options.file_bytes, err);
    if (rc == 0)
        rc = run_open(&run, &open_options, err);
    run_writer_free(writer);
    if (rc == 0) {
        run_remove_at_end(run);
        scan->parts_runs = realloc_array(scan->parts_runs, scan->parts_n + 1, sizeof(struct run *));
        scan->parts_runs[scan->parts_n++] = run;
        scan->items_n = 0;
        scan->bodies_len = 0;
    } else if (is_made && disk_remove(scan->disk, path, NULL) < 0) {
        error_wrap(err, "'%s' was left behind", path);
    }
    free(path);
    return rc;
}

static void sort_items(struct coins_scan *scan)
{
    qsort_r(scan->items, scan->items_n, sizeof(scan->items[0]), item_compare, scan);
}

static int keep_body(struct coins_scan *scan, struct span body, struct error *err)
{
    int rc = 0;

    if (scan->items_n == scan->items_max || scan->bodies_max - scan->bodies_len < body.len + 2) {
        sort_items(scan);
        rc = spill(scan, err);
    }
    if (rc < 0)
        return rc;
    scan->items[scan->items_n++] =
        (struct scan_item){.prefix = get_be64(body.data), .at = scan->bodies_len};
    put_le16(scan->bodies + scan->bodies_len, (uint16_t)body.len);
    memcpy(scan->bodies + scan->bodies_len + 2, body.data, body.len);
    scan->bodies_len += body.len + 2;
    return 0;
}

static int ask_go_on(struct coins_scan *scan, struct error *err)
{
    if (scan->options.go_on != NULL && ++scan->count % SCAN_LOOK_EVERY == 0 &&
        !scan->options.go_on(scan->options.context))
        return error_set(err, E_STOPPED, "the walk over the coins was stopped");
    return 0;
}

/* The next coin in the order of the runs. 1, 0 or an error. */
static int walk_next(struct coins_scan *scan, struct record *ret_record, struct span *ret_body,
                     struct error *err)
{
    for (;;) {
        uint64_t hash;
        int rc = run_set_walk_next(scan->walk, &hash, ret_body, err);

        if (rc <= 0)
            return rc;
        if (record_read(ret_record, *ret_body) < 0)
            return error_set(err, E_CORRUPT, "a stored coin is malformed");
        if (ret_record->is_spent)
            continue;
        rc = ask_go_on(scan, err);
        return rc < 0 ? rc : 1;
    }
}

static bool part_before(const struct scan_part *a, const struct scan_part *b)
{
    return outpoint_compare(&a->record.outpoint, &b->record.outpoint) < 0;
}

static void heap_sink(struct coins_scan *scan, uint32_t at)
{
    for (;;) {
        uint32_t least = at;
        struct scan_part *swap = scan->parts[at];

        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < scan->heap_n; child++) {
            if (part_before(scan->parts[child], scan->parts[least]))
                least = child;
        }
        if (least == at)
            return;
        scan->parts[at] = scan->parts[least];
        scan->parts[least] = swap;
        at = least;
    }
}

/* Reads a part's next record. 1, 0 or an error. */
static int part_next(struct scan_part *part, struct error *err)
{
    struct span body;
    int rc = run_walk_next(part->walk, &body, err);

    if (rc == 1 && record_read(&part->record, body) < 0)
        return error_set(err, E_CORRUPT, "a sorted part of a walk is malformed");
    return rc;
}

static int open_parts(struct coins_scan *scan, struct error *err)
{
    scan->parts = alloc_array(scan->parts_n, sizeof(*scan->parts));
    for (uint32_t i = 0; i < scan->parts_n; i++) {
        struct scan_part *part = alloc_zero(sizeof(*part));
        int rc;

        part->walk = run_walk_new(scan->parts_runs[i], SCAN_BUFFER_BYTES);
        scan->parts[scan->heap_n++] = part;
        rc = part_next(part, err);
        if (rc < 0)
            return rc;
        CHECK(rc == 1); /* No part is empty. */
    }
    for (uint32_t at = scan->heap_n; at-- > 0;)
        heap_sink(scan, at);
    return 0;
}

/* Brings everything into order, in memory or in files. */
static int sort_all(struct coins_scan *scan, struct error *err)
{
    struct record record;
    struct span body;
    int rc;

    scan->bodies = alloc(scan->bodies_max);
    scan->items = alloc(scan->items_max * sizeof(*scan->items));
    while ((rc = walk_next(scan, &record, &body, err)) == 1) {
        rc = keep_body(scan, body, err);
        if (rc < 0)
            return rc;
    }
    if (rc < 0)
        return rc;
    sort_items(scan);
    scan->phase = SCAN_FROM_MEMORY;
    if (scan->parts_n == 0)
        return 0;
    rc = spill(scan, err);
    free(scan->bodies);
    free(scan->items);
    scan->bodies = NULL;
    scan->items = NULL;
    scan->phase = SCAN_FROM_PARTS;
    return rc < 0 ? rc : open_parts(scan, err);
}

static void give_out(struct coins_scan *scan, const struct record *record,
                     struct outpoint *ret_outpoint, struct coin *ret_coin)
{
    size_t len = script_unpacked_len(record->script);

    scan->script.len = 0;
    buf_reserve(&scan->script, len + 1); /* Never NULL, even for an empty script. */
    script_unpack(scan->script.data, record->script);
    *ret_outpoint = record->outpoint;
    *ret_coin = (struct coin){
        .value_sat = record->value_sat,
        .script_pubkey = span_of(scan->script.data, len),
        .height = record->height,
        .is_coinbase = record->is_coinbase,
    };
}

static int next_from_memory(struct coins_scan *scan, struct record *ret_record)
{
    if (scan->items_at == scan->items_n)
        return 0;
    CHECK(record_read(ret_record, item_body(scan, &scan->items[scan->items_at++])) == 0);
    return 1;
}

/* Gives out the least; its script is copied before the part goes on. */
static int next_from_parts(struct coins_scan *scan, struct outpoint *ret_outpoint,
                           struct coin *ret_coin, struct error *err)
{
    struct scan_part *least;
    int rc;

    if (scan->heap_n == 0)
        return 0;
    least = scan->parts[0];
    give_out(scan, &least->record, ret_outpoint, ret_coin);
    rc = part_next(least, err);
    if (rc < 0)
        return rc;
    if (rc == 0) {
        scan->parts[0] = scan->parts[--scan->heap_n];
        run_walk_free(least->walk);
        free(least);
    }
    if (scan->heap_n > 0)
        heap_sink(scan, 0);
    return 1;
}

int coins_scan_next(struct coins_scan *scan, struct outpoint *ret_outpoint, struct coin *ret_coin,
                    struct error *err)
{
    struct record record;
    struct span body;
    int rc = 0;

    if (scan->phase == SCAN_NEW && scan->options.any_order)
        scan->phase = SCAN_ANY_ORDER;
    if (scan->phase == SCAN_NEW)
        rc = sort_all(scan, err);
    else if (scan->phase != SCAN_ANY_ORDER)
        rc = ask_go_on(scan, err);
    if (rc < 0)
        return rc;
    if (scan->phase == SCAN_FROM_PARTS)
        return next_from_parts(scan, ret_outpoint, ret_coin, err);
    rc = scan->phase == SCAN_ANY_ORDER ? walk_next(scan, &record, &body, err)
                                       : next_from_memory(scan, &record);
    if (rc == 1)
        give_out(scan, &record, ret_outpoint, ret_coin);
    return rc;
}
