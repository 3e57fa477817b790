#include "chain/chain_priv.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"

void chain_options_default(struct chain_options *ret_options, const struct params *params)
{
    *ret_options = (struct chain_options){.params = params,
                                          .cache_bytes = UINT64_C(1) << 30,
                                          .threads = 1,
                                          .assumevalid = params->default_assumevalid,
                                          .max_tip_age_s = CHAIN_MAX_TIP_AGE_S,
                                          .blocks_xor = true,
                                          .check_blocks = CHAIN_CHECK_BLOCKS,
                                          .check_level = CHAIN_CHECK_LEVEL};
    ret_options->minimum_chain_work = u256_of_hash(params->minimum_chain_work);
}

static void copy_options(struct chain *chain, const struct chain_options *options)
{
    chain->options = *options;
    chain->options.blocks_folder = alloc_string(options->blocks_folder);
    chain->options.index_folder = alloc_string(
        options->index_folder == NULL ? options->blocks_folder : options->index_folder);
    chain->options.chainstate_folder = alloc_string(options->chainstate_folder);
    chain->loadblock = alloc_array(options->loadblock_n + 1, sizeof(char *));
    for (size_t i = 0; i < options->loadblock_n; i++)
        chain->loadblock[i] = alloc_string(options->loadblock[i]);
    chain->options.loadblock = (const char *const *)chain->loadblock;
    chain->options.threads = MAX(options->threads, 1);
}

static int lock_folder(struct chain *chain, struct error *err)
{
    char *path = alloc_printf("%s/.lock", chain->options.blocks_folder);
    int rc = disk_make_folder(chain->disk, chain->options.blocks_folder, err);

    if (rc == 0)
        rc = disk_lock(chain->disk, &chain->lock, path, err);
    free(path);
    return rc;
}

static bool has_block_files(struct chain *chain)
{
    char *path = alloc_printf("%s/blk00000.dat", chain->options.blocks_folder);
    struct disk_entry entry;
    bool is_there = disk_stat(chain->disk, path, &entry, NULL) == 0 && entry.len > 0;

    free(path);
    return is_there;
}

/* With -prune a reindex starts from files that are contiguous from the first: what
 * lies behind a gap cannot be connected and goes, as does all undo data. */
static int remove_unreachable(struct chain *chain, struct error *err)
{
    const char *folder = chain->options.blocks_folder;
    struct disk_entry *entries = NULL;
    unsigned expected = 0;
    size_t n = 0;
    int rc = disk_list(chain->disk, folder, &entries, &n, err);

    for (size_t i = 0; i < n && rc == 0; i++) {
        const char *name = entries[i].name;
        bool is_undo = strncmp(name, "rev", 3) == 0;
        char *path;

        if (entries[i].is_folder || strlen(name) != strlen("blk00000.dat") ||
            strcmp(name + 8, ".dat") != 0 || strspn(name + 3, "0123456789") != 5 ||
            (!is_undo && strncmp(name, "blk", 3) != 0))
            continue;
        if (!is_undo && (unsigned)strtoul(name + 3, NULL, 10) == expected) {
            expected++;
            continue;
        }
        path = alloc_printf("%s/%s", folder, name);
        rc = disk_remove(chain->disk, path, err);
        free(path);
    }
    disk_entries_free(entries, n);
    if (rc == 0)
        rc = disk_sync_folder(chain->disk, folder, err);
    return rc;
}

static int open_index(struct chain *chain, struct error *err)
{
    struct block_index_options options = {.disk = chain->disk,
                                          .folder = chain->options.index_folder,
                                          .tree = chain->tree,
                                          .is_reindex = chain->options.reindex};
    bool is_fresh;
    int rc = block_index_open(&chain->index, &is_fresh, &options, err);

    if (rc < 0)
        return rc;
    if (is_fresh && has_block_files(chain))
        return error_set(err, E_STATE,
                         "block files without a block index: restart with "
                         "-reindex to use them");
    chain->indexed_n = block_index_nodes_n(chain->index);
    return 0;
}

/* Every file that holds a block of the index must be there. What the infos count
 * does not matter: they are behind where a prune was cut off. */
static int find_files(struct chain *chain, struct error *err)
{
    bool *is_held = chain_held_files(chain);
    int rc = 0;

    log_info("chain", "Checking all blk files are present...");
    for (int32_t i = 0; i < block_files_count(chain->files) && rc == 0; i++) {
        struct disk_entry entry;
        char *path;

        if (!is_held[i])
            continue;
        path = block_files_path(chain->files, i, false);
        rc = disk_stat(chain->disk, path, &entry, err);
        free(path);
    }
    free(is_held);
    return rc;
}

static int open_files(struct chain *chain, struct error *err)
{
    struct block_files_options options = {.disk = chain->disk,
                                          .folder = chain->options.blocks_folder,
                                          .fast_prune = chain->options.prune_fast,
                                          .use_xor = chain->options.blocks_xor,
                                          .claim = chain_claim_file,
                                          .claim_context = chain};
    int rc;

    memcpy(options.magic, chain->params->magic, sizeof(options.magic));
    rc = block_files_open(&chain->files, &options, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < block_index_files_n(chain->index); i++)
        block_files_set_info(chain->files, (int32_t)i, block_index_file(chain->index, i));
    return find_files(chain, err);
}

static int open_coins_at(struct chainstate *state, bool must_be_empty, struct block_hash *ret_tip,
                         struct error *err)
{
    const struct chain *chain = state->chain;
    struct coins_options options = {.disk = chain->disk,
                                    .folder = chain->options.chainstate_folder,
                                    .cache_bytes = chain->options.cache_bytes,
                                    .must_be_empty = must_be_empty};
    int rc = coins_open(&state->coins, &options, err);

    if (rc == 0)
        *ret_tip = coins_tip(state->coins);
    return rc;
}

static int open_own_coins(struct chain *chain, bool must_be_empty, struct error *err)
{
    struct chainstate *state = &chain->own;
    struct block_hash tip;
    int rc = open_coins_at(state, must_be_empty, &tip, err);

    if (rc < 0 || block_hash_is_null(&tip))
        return rc;
    if (header_tree_find(chain->tree, &tip) == NULL &&
        block_index_facts(chain->index)->is_reindexing) {
        /* A reindex was cut off after the index was emptied, before the coins were. */
        coins_close(state->coins);
        state->coins = NULL;
        return open_coins_at(state, true, &tip, err);
    }
    state->verified = state->coins_node = header_tree_find(chain->tree, &tip);
    if (state->verified == NULL)
        return error_set(err, E_STATE,
                         "the coins stand at block %s, which the block index in '%s/index' does "
                         "not have: restart with -reindex or -reindex-chainstate",
                         hash_hex(tip.b).text, chain->options.index_folder);
    return 0;
}

static int open_coins(struct chain *chain, struct error *err)
{
    bool start_over = chain->options.reindex || chain->options.reindex_chainstate;
    int rc = assumed_prepare(chain, start_over, err);

    if (rc == 0)
        rc = open_own_coins(chain, start_over, err);
    if (rc == 0)
        rc = assumed_open(chain, err);
    if (rc < 0)
        return rc;
    assumed_share_memory(chain);
    atomic_store(&chain->tip, chain->active->verified);
    return 0;
}

/* Were blocks connected before segwit's rules held for them (-testactivationheight)? */
static int check_witness(const struct chain *chain, const struct chainstate *state,
                         struct error *err)
{
    int32_t from = chain->params->buried_height[BURIED_SEGWIT];

    for (const struct header_node *node = state->verified; node != NULL && node->height >= from;
         node = node->prev) {
        if (header_has(node, HEADER_CONNECTED) && !header_has(node, HEADER_WITNESS))
            return error_set(err, E_STATE,
                             "Witness data for blocks after height %d requires validation. Please "
                             "restart with -reindex.",
                             from);
    }
    return 0;
}

/* What follows from the index and the coins together. */
static int recover(struct chain *chain, struct error *err)
{
    const struct block_index_facts *facts = block_index_facts(chain->index);

    atomic_store(&chain->has_pruned, facts->has_pruned);
    if (facts->has_pruned && !chain->options.prune_on && !facts->is_reindexing)
        return error_set(err, E_STATE,
                         "the blocks were pruned before: restart with -prune, or with -reindex "
                         "to download them again");
    if (check_witness(chain, &chain->own, err) < 0 || check_witness(chain, chain->active, err) < 0)
        return E_STATE;
    chain_link_all(chain);
    for (const struct header_node *node = chain->active->verified; node != NULL;
         node = node->prev) {
        if (header_has(node, HEADER_SKIPPED)) {
            atomic_store(&chain->skipped_up_to, node->height);
            break;
        }
    }
    chain_prune_look(chain);
    atomic_store(&chain->size_on_disk, block_files_used_bytes(chain->files));
    chain->header_told = header_tree_best(chain->tree);
    if (chain->active->verified != NULL)
        log_info("chain", "Loaded best chain: hashBestChain=%s height=%d",
                 hash_hex(chain->active->verified->hash.b).text, chain->active->verified->height);
    return 0;
}

static int check_last_of(struct chainstate *state, struct error *err)
{
    const struct chain_options *options = &state->chain->options;
    bool is_ok;
    int rc;

    if (state->verified == NULL || options->check_level < 0)
        return 0;
    rc = chain_check(state, options->check_level, options->check_blocks, &is_ok, err);
    if (rc == 0 && !is_ok)
        rc = error_set(err, E_CORRUPT, "corrupted block database detected");
    return rc;
}

static int check_last_blocks(struct chain *chain, struct error *err)
{
    const struct header_node *base = chain->base;
    int rc = check_last_of(&chain->own, err);

    /* What a wrong snapshot has left is not looked at: it goes soon. */
    if (rc == 0 && base != NULL && base != chain->own.verified && !header_is_failed(base))
        rc = check_last_of(&chain->assumed, err);
    return rc;
}

static void make_batches(struct chain *chain)
{
    unsigned n = pool_size(&chain->pool) + 1;

    chain->has_pool = true;
    chain->batches = alloc_array(n, sizeof(struct sig_batch *));
    for (unsigned i = 0; i < n; i++)
        chain->batches[i] = sig_batch_new(body_script_done, NULL);
}

static void release_pool(struct chain *chain)
{
    unsigned n = pool_size(&chain->pool) + 1;

    pool_clear(&chain->pool);
    for (unsigned i = 0; i < n; i++)
        sig_batch_free(chain->batches[i]);
    free(chain->batches);
}

static int open_parts(struct chain *chain, struct error *err)
{
    int rc = lock_folder(chain, err);

    if (rc == 0)
        rc = pool_init(&chain->pool, "verify", (unsigned)chain->options.threads - 1, err);
    if (rc == 0)
        make_batches(chain);
    log_info("chain", "Loading block index...");
    if (rc == 0)
        rc = open_index(chain, err);
    /* Only now, when the index rests on none of them any more. */
    if (rc == 0 && chain->options.reindex && chain->options.prune_on)
        rc = remove_unreachable(chain, err);
    if (rc == 0)
        rc = open_files(chain, err);
    if (rc == 0)
        rc = open_coins(chain, err);
    if (rc == 0)
        rc = rollback_clean(chain, err);
    if (rc == 0)
        rc = recover(chain, err);
    if (rc == 0)
        rc = chain_prune_finish(chain, err);
    if (rc == 0)
        rc = check_last_blocks(chain, err);
    return rc;
}

static void release_state(struct chainstate *state)
{
    if (state->chain == NULL)
        return;
    CHECK(state->flight.settled == state->flight.fed);
    coins_close(state->coins);
    buf_clear(&state->undo_buf);
}

static void release(struct chain *chain)
{
    chain_forget_disconnected(chain);
    sink_clear(chain);
    flight_free(chain);
    if (chain->has_pool)
        release_pool(chain);
    release_state(&chain->own);
    release_state(&chain->assumed);
    if (chain->files != NULL)
        block_files_close(chain->files);
    block_index_close(chain->index);
    disk_close(chain->lock);
    header_tree_free(chain->tree);
    node_list_clear(&chain->candidates);
    node_list_clear(&chain->waiting);
    node_list_clear(&chain->changed);
    buf_clear(&chain->changes.bytes);
    free(chain->copies);
    deployment_cache_clear(&chain->deployments);
    for (size_t i = 0; i < chain->options.loadblock_n; i++)
        free(chain->loadblock[i]);
    free(chain->loadblock);
    /* Copies of ours, const only to their readers. */
    free((void *)(uintptr_t)chain->options.blocks_folder);
    free((void *)(uintptr_t)chain->options.index_folder);
    free((void *)(uintptr_t)chain->options.chainstate_folder);
    chain_service_clear(chain);
    free(chain);
}

int chain_open(struct chain **ret_chain, const struct chain_options *options, struct error *err)
{
    struct chain *chain = alloc_zero(sizeof(*chain));
    int rc;

    chain->node.ops = &chain_node_ops;
    chain->params = options->params;
    chain->clock = options->clock;
    chain->disk = options->disk;
    chain->own = (struct chainstate){.chain = chain, .script_state = -1};
    chain->active = &chain->own;
    chain->sequence_next = 1;
    atomic_store(&chain->is_initial, true);
    atomic_store(&chain->is_importing, true);
    atomic_store(&chain->skipped_up_to, -1);
    atomic_store(&chain->rollback_height, INT32_MAX);
    copy_options(chain, options);
    chain_service_init(chain);
    sink_init(chain);
    chain->tree = header_tree_new(chain->params, chain->options.salt);
    chain->active->committed_us = chain_now_us(chain);
    rc = open_parts(chain, err);
    if (rc < 0) {
        release(chain);
        return rc;
    }
    *ret_chain = chain;
    return 0;
}

void chain_add_events(struct chain *chain, const struct chain_events *events)
{
    CHECK(!chain->is_started && chain->events_n < EVENTS_MAX);
    chain->events[chain->events_n++] = events;
}

void chain_set_guests(struct chain *chain, const struct chain_guests *guests)
{
    CHECK(!chain->is_started);
    chain->guests = guests;
}

const struct header_tree *chain_headers(const struct chain *chain)
{
    return chain->tree;
}

const struct header_node *chain_tip(const struct chain *chain)
{
    return chain_tip_node(chain);
}

bool chain_is_initial(const struct chain *chain)
{
    return atomic_load(&chain->is_initial);
}

bool chain_history(const struct chain *chain, const struct header_node **ret_from,
                   const struct header_node **ret_target)
{
    *ret_from = atomic_load(&chain->background_tip);
    *ret_target = atomic_load(&chain->snapshot_base);
    return *ret_from != NULL && *ret_target != NULL;
}

int chain_find_coins(struct chain *chain, struct coin *ret_coins, bool *ret_found,
                     const struct outpoint *outpoints, size_t n, struct arena *arena,
                     struct error *err)
{
    return coins_find_many(chain->active->coins, ret_coins, ret_found, outpoints, n, arena, err);
}

void chain_join(struct chain *chain)
{
    chain_stop(chain);
    if (chain->is_started)
        thread_join(&chain->thread);
    sink_end(chain);
    /* Followers may go now; what fails while the chain is closed is chain_close's answer. */
    chain->events_n = 0;
}

int chain_close(struct chain *own_chain, struct error *err)
{
    struct chain *chain = own_chain;
    int rc;

    chain_join(chain);
    assumed_close(chain);
    rc = chain->failure.rc;
    if (rc < 0) {
        if (err != NULL)
            *err = chain->failure.err;
        /* Nothing more is written after a failure. */
        flight_discard(&chain->own);
        flight_discard(&chain->assumed);
    } else {
        rc = flight_abandon(&chain->own, err);
        if (rc == 0)
            rc = flight_abandon(&chain->assumed, err);
        if (rc == 0)
            rc = chain_flush(chain, err);
        if (rc < 0) {
            flight_discard(&chain->own);
            flight_discard(&chain->assumed);
        }
    }
    release(chain);
    return rc;
}

struct node *chain_node(struct chain *chain)
{
    return &chain->node;
}

bool chain_import_is_done(const struct chain *chain)
{
    return atomic_load(&chain->is_import_done);
}

static int import(struct chain *chain, void *unused, struct error *err)
{
    int rc = chain_import_files(chain, err);

    (void)unused;
    if (rc < 0)
        return rc;
    if (chain_is_stopping(chain))
        return 0;
    atomic_store(&chain->is_importing, false);
    chain_publish(chain);
    chain_look_at_invalid(chain, true);
    atomic_store(&chain->is_import_done, true);
    return 0;
}

static int idle(struct chain *chain, void *unused, struct error *err)
{
    int rc = chain_commit_if_due(chain->active, true, err);

    (void)unused;
    if (rc == 0 && chain->background != NULL)
        rc = chain_commit_if_due(chain->background, true, err);
    return rc == 0 ? chain_prune_if_due(chain->active, err) : rc;
}

static int flush_now(struct chain *chain, void *unused, struct error *err)
{
    (void)unused;
    CHECK(chain->active->flight.settled == chain->active->flight.fed);
    return chain_commit_all(chain, err);
}

static int rest_now(struct chain *chain, void *unused, struct error *err)
{
    int rc = flush_now(chain, unused, err);

    if (rc == 0)
        rc = coins_merge_wait(chain->active->coins, err);
    if (rc == 0 && chain->background != NULL)
        rc = coins_merge_wait(chain->background->coins, err);
    return rc;
}

/* On the chain thread its own loop looks after failures. */
static int run_here(struct chain *chain, chain_call *run, struct error *err)
{
    return chain->is_started ? run(chain, NULL, err) : chain_run_alone(chain, run, NULL, err);
}

int chain_import(struct chain *chain, struct error *err)
{
    return run_here(chain, import, err);
}

int chain_idle(struct chain *chain, struct error *err)
{
    return run_here(chain, idle, err);
}

int chain_flush(struct chain *chain, struct error *err)
{
    return run_here(chain, flush_now, err);
}

int chain_rest(struct chain *chain, struct error *err)
{
    return run_here(chain, rest_now, err);
}
