/* Imports: the block files that are in place (-reindex), and files from elsewhere
 * (-loadblock).
 *
 * A reindex reads the headers of all records first, which is fast, and notes where
 * each block lies; connecting then reads every block once, in the order of the
 * chain, with the best header known from the start. */
#include "chain/chain_priv.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"

/* Second copies of blocks that are remembered, in case the first is damaged. */
#define COPIES_MAX 65536U
/* Records, or bytes of blocks stored, between two looks at what else is to be done. */
#define LOOK_EVERY 256U
#define LOOK_EVERY_BYTES (UINT64_C(8) << 20)

/* A block whose parent has not been seen yet: where it lies. */
struct orphan {
    struct block_hash prev;
    uint64_t place;
    uint32_t len;
    uint32_t next; /* In the slot's chain, index + 1. */
};

#define ORPHAN_SLOTS 4096U

struct orphans {
    struct orphan *items;
    size_t n;
    size_t capacity;
    uint32_t *slots;
    uint64_t salt;
};

static uint32_t orphan_slot(const struct orphans *orphans, const struct block_hash *prev)
{
    return (uint32_t)(((get_le64(prev->b) ^ orphans->salt) * (orphans->salt | 1)) >> 40) %
           ORPHAN_SLOTS;
}

static void orphan_add(struct orphans *orphans, const struct orphan *orphan)
{
    uint32_t *slot = &orphans->slots[orphan_slot(orphans, &orphan->prev)];

    /* Bounded by the files: one entry for at least 88 bytes of them. */
    if (orphans->n == orphans->capacity) {
        orphans->capacity = orphans->capacity == 0 ? 64 : orphans->capacity * 2;
        orphans->items = realloc_array(orphans->items, orphans->capacity, sizeof(*orphan));
    }
    orphans->items[orphans->n] = *orphan;
    orphans->items[orphans->n++].next = *slot;
    *slot = (uint32_t)orphans->n;
}

/* Takes one out whose parent is prev. */
static bool orphan_take(struct orphans *orphans, struct orphan *ret_orphan,
                        const struct block_hash *prev)
{
    uint32_t *link = &orphans->slots[orphan_slot(orphans, prev)];

    while (*link != 0) {
        struct orphan *orphan = &orphans->items[*link - 1];

        if (block_hash_equal(&orphan->prev, prev)) {
            *ret_orphan = *orphan;
            *link = orphan->next;
            return true;
        }
        link = &orphan->next;
    }
    return false;
}

static void add_copy(struct chain *chain, const struct block_hash *hash, uint64_t place,
                     uint32_t len)
{
    if (chain->copies_n == COPIES_MAX)
        return;
    if (chain->copies_n == chain->copies_capacity) {
        chain->copies_capacity = chain->copies_capacity == 0 ? 16 : chain->copies_capacity * 2;
        chain->copies =
            realloc_array(chain->copies, chain->copies_capacity, sizeof(*chain->copies));
    }
    chain->copies[chain->copies_n++] =
        (struct spare_copy){.hash = *hash, .place = place, .size_bytes = len};
}

/* A record whose header is in the tree: this is where the block lies. */
static void note_place(struct chain *chain, struct header_node *node, uint64_t place, uint32_t len)
{
    struct block_pos pos = {(int32_t)header_place_file(place), header_place_offset(place)};

    if (header_has(node, HEADER_DATA)) {
        if (atomic_load(&node->block_place) != place && !header_has(node, HEADER_CHECKED))
            add_copy(chain, &node->hash, place, len);
        return;
    }
    block_files_add_known(chain->files, pos, len, node->height, node->time);
    atomic_store(&node->block_place, place);
    atomic_store(&node->size_bytes, len);
    /* Not known yet; connecting the block counts. */
    atomic_store(&node->tx_n, 1);
    header_mark(node, HEADER_DATA);
    chain_touch(chain, node);
}

/* ret_node: NULL if the header is not (yet) acceptable; *ret_is_orphan tells. */
static int take_header(struct chain *chain, struct header_node **ret_node, bool *ret_is_orphan,
                       const struct header *header, struct error *err)
{
    struct finding finding = {0};
    enum verdict verdict;
    bool is_new;
    int rc = header_accept(chain->tree, ret_node, &is_new, &verdict, header, chain->params,
                           clock_wall_s(chain->clock), &finding, err);

    if (rc < 0)
        return rc;
    *ret_is_orphan = verdict == V_PREV_NOT_FOUND;
    if (verdict != V_VALID)
        *ret_node = NULL;
    return 0;
}

static int adopt_orphans(struct chain *chain, struct orphans *orphans,
                         const struct header_node *parent, struct error *err)
{
    struct node_list parents = {0};
    struct buf bytes = {0};
    int rc = 0;

    node_list_add(&parents, header_tree_at(chain->tree, parent->index));
    for (size_t i = 0; i < parents.n && rc == 0; i++) {
        struct orphan orphan;

        while (rc == 0 && orphan_take(orphans, &orphan, &parents.items[i]->hash)) {
            struct block_pos pos = {(int32_t)header_place_file(orphan.place),
                                    header_place_offset(orphan.place)};
            struct header_node *node = NULL;
            struct header header;
            struct reader r;
            bool is_orphan;

            bytes.len = 0;
            rc = block_files_read_part(chain->files, &bytes, pos, 0, HEADER_BYTES, err);
            if (rc < 0)
                break;
            reader_init(&r, bytes.data, bytes.len);
            header_read(&header, &r);
            rc = take_header(chain, &node, &is_orphan, &header, err);
            if (rc < 0 || node == NULL)
                continue;
            log_debug("reindex", "LoadExternalBlockFile: Processing out of order child %s of %s",
                      hash_hex(node->hash.b).text, hash_hex(parents.items[i]->hash.b).text);
            note_place(chain, node, orphan.place, orphan.len);
            node_list_add(&parents, node);
        }
    }
    node_list_clear(&parents);
    buf_clear(&bytes);
    return rc;
}

static int take_record(struct chain *chain, struct orphans *orphans, int32_t file,
                       const struct block_scan_record *record, uint32_t *ret_taken_n,
                       struct error *err)
{
    uint64_t place = header_place((uint32_t)file, (uint32_t)record->offset);
    struct header_node *node = NULL;
    struct header header;
    struct reader r;
    bool is_orphan;
    int rc;

    reader_init(&r, record->header, HEADER_BYTES);
    header_read(&header, &r);
    rc = take_header(chain, &node, &is_orphan, &header, err);
    if (rc < 0)
        return rc;
    if (is_orphan) {
        struct block_hash hash = header_hash(&header);
        struct orphan orphan = {.prev = header.prev, .place = place, .len = record->len};

        log_debug("reindex", "LoadExternalBlockFile: Out of order block %s, parent %s not known",
                  hash_hex(hash.b).text, hash_hex(header.prev.b).text);
        orphan_add(orphans, &orphan);
        return 0;
    }
    if (node == NULL)
        return 0;
    note_place(chain, node, place, record->len);
    ++*ret_taken_n;
    return orphans->n == 0 ? 0 : adopt_orphans(chain, orphans, node, err);
}

static int scan_file(struct chain *chain, struct orphans *orphans, int32_t file, struct error *err)
{
    char *path = block_files_path(chain->files, file, false);
    uint64_t started_us = chain_now_us(chain);
    struct block_scan_record record;
    struct block_scan *scan = NULL;
    uint32_t taken_n = 0;
    uint32_t n = 0;
    int rc = block_scan_open(&scan, chain->disk, path, chain->params->magic,
                             block_files_key(chain->files), err);

    if (rc < 0)
        goto done;
    while ((rc = block_scan_next(scan, &record, err)) > 0) {
        if (record.offset > UINT32_MAX)
            break;
        rc = take_record(chain, orphans, file, &record, &taken_n, err);
        if (rc < 0)
            goto done;
        if (++n % LOOK_EVERY == 0) {
            if (atomic_load(&chain->light_n) > 0)
                chain_serve_light(chain);
            if (chain_is_stopping(chain))
                break;
        }
    }
    if (rc > 0)
        rc = 0;
    log_info("chain", "Loaded %u blocks from external file in %llums", taken_n,
             (unsigned long long)(chain_now_us(chain) - started_us) / 1000);

done:
    block_scan_close(scan);
    free(path);
    return rc;
}

static int32_t count_files(const struct chain *chain)
{
    int32_t n = 0;

    for (; n <= BLOCK_FILE_NUMBER_MAX; n++) {
        char *path = block_files_path(chain->files, n, false);
        struct disk_entry entry;
        bool is_there = disk_stat(chain->disk, path, &entry, NULL) == 0;

        free(path);
        if (!is_there)
            break;
    }
    return n;
}

static int scan_files(struct chain *chain, struct error *err)
{
    struct orphans orphans = {.salt = chain->options.salt[0] ^ chain->options.salt[1]};
    struct block_index_facts facts = *block_index_facts(chain->index);
    int32_t files_n = count_files(chain);
    int rc = 0;

    orphans.slots = alloc_array(ORPHAN_SLOTS, sizeof(*orphans.slots));
    for (int32_t file = 0; file < files_n && rc == 0; file++) {
        if (chain_is_stopping(chain)) {
            log_info("chain", "Interrupt requested. Exit reindexing.");
            goto done;
        }
        log_info("chain", "Reindexing block file blk%05u.dat (%d%% complete)...", (unsigned)file,
                 file * 100 / files_n);
        rc = scan_file(chain, &orphans, file, err);
    }
    if (rc < 0 || chain_is_stopping(chain))
        goto done;
    chain_link_all(chain);
    chain_tell_header(chain);
    facts.is_reindexing = false;
    block_index_set_facts(chain->index, &facts);
    chain->facts_changed = true;
    rc = chain_save_index(chain, err);
    if (rc == 0)
        log_info("chain", "Reindexing finished");

done:
    free(orphans.items);
    free(orphans.slots);
    return rc;
}

/* Genesis is in no file yet: a fresh folder, or one whose first files are gone. */
static int add_genesis(struct chain *chain, struct error *err)
{
    struct header_node *genesis = header_tree_genesis(chain->tree);
    struct block_pos pos;
    int rc;

    if (atomic_load(&genesis->tx_n) != 0)
        return 0;
    rc = block_files_add(chain->files, &pos, chain->params->genesis, 0, genesis->time, err);
    if (rc < 0)
        return rc;
    chain_receive(chain, genesis, 1, (uint32_t)chain->params->genesis.len,
                  header_place((uint32_t)pos.file, pos.offset), HEADER_CHECKED);
    return 0;
}

/* What has been taken from one foreign file. */
struct taken {
    uint32_t n;
    uint64_t bytes;
};

/* One record of a foreign file: what is acceptable and new goes into our files. */
static int load_record(struct chain *chain, struct block_scan *scan,
                       const struct block_scan_record *record, struct taken *taken,
                       struct error *err)
{
    const struct header_node *node;
    struct submit_result result;
    struct block_hash hash;
    struct header header;
    struct reader r;
    struct body *body;
    size_t len;
    int rc;

    reader_init(&r, record->header, HEADER_BYTES);
    header_read(&header, &r);
    hash = header_hash(&header);
    node = header_tree_find(chain->tree, &hash);
    if (node != NULL ? header_has(node, HEADER_DATA)
                     : header_tree_find(chain->tree, &header.prev) == NULL)
        return 0;
    body = flight_body_new(chain);
    rc = block_scan_read(scan, buf_extend(&body->bytes, record->len), err);
    if (rc < 0)
        goto done;
    len = body_block_bytes(span_of_buf(&body->bytes));
    if (len == 0)
        goto done; /* Not a block: whatever it is, the scan goes on behind it. */
    body->bytes.len = len;
    block_scan_go_on_after(scan, (uint32_t)len);
    rc = chain_store_body(chain, body, &result, err);
    if (rc == E_MALFORMED || rc == E_TRUNCATED || rc == E_CORRUPT)
        rc = 0;
    if (rc == 0 && result.verdict == V_VALID && result.is_new) {
        taken->n++;
        taken->bytes += len;
    }

done:
    flight_body_release(chain, body);
    return rc;
}

/* The rest of the node has its turn. A pruned one must remove what it stores as it
 * goes. */
static int look_up(struct chain *chain, struct error *err)
{
    int rc = 0;

    if (atomic_load(&chain->light_n) > 0)
        chain_serve_light(chain);
    if (chain->options.prune_on)
        rc = chain_activate(chain, err);
    return rc < 0 ? rc : chain_commit_if_due(chain->active, false, err);
}

static int load_file(struct chain *chain, const char *path, struct error *err)
{
    uint64_t started_us = chain_now_us(chain);
    struct block_scan_record record;
    struct block_scan *scan = NULL;
    struct taken taken = {0};
    uint64_t seen_bytes = 0;
    uint32_t n = 0;
    int rc = block_scan_open(&scan, chain->disk, path, chain->params->magic, NULL, NULL);

    if (rc < 0) {
        log_warning("chain", "Could not open blocks file %s", path);
        return 0;
    }
    log_info("chain", "Importing blocks file %s...", path);
    while ((rc = block_scan_next(scan, &record, err)) > 0) {
        rc = load_record(chain, scan, &record, &taken, err);
        if (rc < 0)
            goto done;
        if (++n % LOOK_EVERY != 0 && taken.bytes - seen_bytes < LOOK_EVERY_BYTES)
            continue;
        seen_bytes = taken.bytes;
        rc = look_up(chain, err);
        if (rc < 0)
            goto done;
        if (chain_is_stopping(chain)) {
            log_info("chain", "Interrupt requested. Exit block importing.");
            break;
        }
    }
    if (rc > 0)
        rc = 0;
    if (rc == 0 && !chain_is_stopping(chain))
        rc = look_up(chain, err);
    log_info("chain", "Loaded %u blocks from external file in %llums", taken.n,
             (unsigned long long)(chain_now_us(chain) - started_us) / 1000);

done:
    block_scan_close(scan);
    return rc;
}

static uint64_t signatures_checked(struct chain *chain)
{
    unsigned n = pool_size(&chain->pool) + 1;
    uint64_t checked = 0;

    for (unsigned i = 0; i < n; i++)
        checked += sig_batch_checked(chain->batches[i]);
    return checked;
}

/* By bytes, not by height: late blocks cost more than early ones. */
static double share_done(const struct header_node *tip, const struct header_node *best)
{
    uint64_t all = 0;
    uint64_t done = 0;

    for (const struct header_node *node = best; node != NULL; node = node->prev) {
        uint64_t bytes =
            HEADER_BYTES + atomic_load_explicit(&node->size_bytes, memory_order_relaxed);

        all += bytes;
        if (node->height <= tip->height)
            done += bytes;
    }
    return (double)done / (double)all;
}

void chain_progress(struct chain *chain, bool is_last)
{
    struct progress *progress = &chain->progress;
    uint64_t now_us = chain_now_us(chain);
    const struct header_node *tip = chain->active->verified;
    const struct header_node *best = header_tree_best(chain->tree);
    double seconds = (double)(now_us - progress->logged_us) / 1e6;
    double all_seconds = (double)(now_us - progress->started_us) / 1e6;
    uint64_t signatures;
    double done;

    if (tip == NULL || (!is_last && now_us - progress->logged_us < PROGRESS_INTERVAL_US))
        return;
    signatures = signatures_checked(chain);
    done = share_done(tip, best);
    seconds = seconds > 0 ? seconds : 1e-6;
    log_info("chain",
             "Import progress: height=%d of %d (%.2f%%) tx/s=%.0f sig/s=%.0f coins "
             "cache=%.1fMiB(%llutxo) eta=%.0fs",
             tip->height, best->height, done * 100,
             (double)(progress->txs - progress->logged_txs) / seconds,
             (double)(signatures - progress->logged_signatures) / seconds,
             (double)coins_cache_bytes(chain->active->coins) / 1048576,
             (unsigned long long)coins_cache_count(chain->active->coins),
             done > 0 ? all_seconds / done - all_seconds : 0.0);
    progress->logged_us = now_us;
    progress->logged_txs = progress->txs;
    progress->logged_signatures = signatures;
}

/* Blocks that are here but on no way to the tip are looked at too, so that what is
 * wrong with them is known. */
static int check_side_branches(struct chain *chain, struct error *err)
{
    uint32_t count = header_tree_count(chain->tree);

    for (uint32_t i = 0; i < count && !chain_is_stopping(chain); i++) {
        struct header_node *node = header_tree_at(chain->tree, i);
        struct body *body;
        int rc = 0;

        if (!header_has(node, HEADER_DATA) || header_has(node, HEADER_CHECKED) ||
            header_is_failed(node))
            continue;
        body = flight_body_new(chain);
        body->node = node;
        body->files = chain->files;
        body_prepare(body);
        if (body->rc == E_IO)
            rc = body->rc;
        if (body->rc == E_IO && err != NULL)
            *err = body->err;
        if (body->rc == 0 && body->finding.verdict == V_VALID) {
            header_mark(node, HEADER_CHECKED);
            atomic_store(&node->tx_n, body->block.tx_n);
            if (node->prev != NULL && atomic_load(&node->prev->chain_tx_n) != 0)
                atomic_store(&node->chain_tx_n,
                             atomic_load(&node->prev->chain_tx_n) + body->block.tx_n);
            chain_touch(chain, node);
        } else if (body->rc == 0) {
            chain_condemn(chain, node, &body->finding);
        } else if (body->rc != E_IO) {
            chain_forget_body(chain, node);
        }
        flight_body_release(chain, body);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int chain_import_files(struct chain *chain, struct error *err)
{
    bool was_reindexing = block_index_facts(chain->index)->is_reindexing;
    int rc = 0;

    chain->progress.started_us = chain->progress.logged_us = chain_now_us(chain);
    if (was_reindexing)
        rc = scan_files(chain, err);
    /* Twice when what a scan took for genesis is damaged. */
    for (int i = 0; i < 2 && chain->active->verified == NULL; i++) {
        if (rc == 0 && !chain_is_stopping(chain))
            rc = add_genesis(chain, err);
        if (rc == 0 && !chain_is_stopping(chain))
            rc = chain_activate_fully(chain, err);
    }
    if (rc == 0 && !chain_is_stopping(chain))
        rc = chain_activate_fully(chain, err);
    for (size_t i = 0; i < chain->options.loadblock_n && rc == 0; i++) {
        if (!chain_is_stopping(chain))
            rc = load_file(chain, chain->loadblock[i], err);
    }
    if (rc == 0 && chain->options.loadblock_n > 0 && !chain_is_stopping(chain))
        rc = chain_activate_fully(chain, err);
    if (rc == 0 && was_reindexing && !chain_is_stopping(chain)) {
        rc = check_side_branches(chain, err);
        if (rc == 0)
            rc = chain_activate_fully(chain, err);
    }
    if (rc == 0 && (was_reindexing || chain->options.loadblock_n > 0))
        chain_progress(chain, true);
    return rc;
}
