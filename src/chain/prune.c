/* Removing old block files: only when the coins and the index are durable without
 * them. */
#include "chain/chain_priv.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"

/* What the next growth of the files may take (blk and rev chunks). */
#define GROWTH_BYTES (UINT64_C(17) << 20)

/* Up to here blocks are for nobody any more. */
static int32_t limit_of(const struct chain *chain, const struct chainstate *state)
{
    int32_t limit = state->verified == NULL ? -1 : state->verified->height - CHAIN_KEEP_BLOCKS;

    for (size_t i = 0; i < chain->events_n; i++) {
        if (chain->events[i]->prune_lock != NULL)
            limit = MIN(limit, chain->events[i]->prune_lock(chain->events[i]->context));
    }
    return MIN(limit, atomic_load(&chain->rollback_height));
}

/* Files with these blocks may go: those up to `low`, and where what lies behind the tip
 * is still to be verified, those above the snapshot's base up to `high`. */
struct prune_limits {
    int32_t low;
    int32_t from; /* INT32_MAX: none above. */
    int32_t high;
};

static struct prune_limits prune_limits(const struct chain *chain, int32_t most)
{
    struct prune_limits limits = {.from = INT32_MAX};

    limits.low = MIN(most, limit_of(chain, chain->active));
    limits.high = limits.low;
    if (chain->background == NULL)
        return limits;
    limits.from = chain->base->height + 1;
    limits.low = MIN(limits.low, limit_of(chain, chain->background));
    return limits;
}

static bool may_go(const struct chain *chain, int32_t file, const struct prune_limits *limits)
{
    const struct block_file_info *info = block_files_info(chain->files, file);

    if (info->size == 0 || block_files_is_filling(chain->files, file))
        return false;
    return (int64_t)info->height_last <= limits->low ||
           ((int64_t)info->height_first >= limits->from &&
            (int64_t)info->height_last <= limits->high);
}

/* The first block of the active chain that is kept with all after it. */
void chain_prune_look(struct chain *chain)
{
    const struct header_node *node = chain->active->verified;

    if (!atomic_load(&chain->has_pruned) || node == NULL)
        return;
    while (node->prev != NULL && header_has(node->prev, HEADER_DATA))
        node = node->prev;
    atomic_store(&chain->prune_height, node->height);
}

static void forget_file(struct chain *chain, int32_t file)
{
    uint32_t count = header_tree_count(chain->tree);

    for (uint32_t i = 0; i < count; i++) {
        struct header_node *node = header_tree_at(chain->tree, i);

        if (header_place_file(atomic_load(&node->block_place)) != (uint32_t)file ||
            !header_has(node, HEADER_DATA))
            continue;
        header_unmark(node, HEADER_DATA | HEADER_UNDO);
        chain_touch(chain, node);
    }
}

static int remove_files(struct chain *chain, const int32_t *files, size_t files_n,
                        struct error *err)
{
    struct block_index_facts facts = *block_index_facts(chain->index);
    int rc;

    if (files_n == 0)
        return 0;
    /* First the coins: an index without the blocks, and coins that still stand below
     * them, would be stuck there. */
    rc = chain_commit_all(chain, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < files_n; i++)
        forget_file(chain, files[i]);
    if (!facts.has_pruned) {
        facts.has_pruned = true;
        block_index_set_facts(chain->index, &facts);
        chain->facts_changed = true;
        atomic_store(&chain->has_pruned, true);
    }
    chain->candidates_stale = true;
    rc = chain_save_index(chain, err);
    for (size_t i = 0; i < files_n && rc == 0; i++) {
        rc = block_files_remove(chain->files, files[i], err);
        if (rc == 0)
            log_debug("prune", "Prune: UnlinkPrunedFiles deleted blk/rev (%05u)",
                      (unsigned)files[i]);
    }
    chain_prune_look(chain);
    atomic_store(&chain->size_on_disk, block_files_used_bytes(chain->files));
    return rc;
}

bool *chain_held_files(const struct chain *chain)
{
    int32_t files_n = block_files_count(chain->files);
    bool *is_held = alloc_zero((size_t)files_n + 1);
    uint32_t count = header_tree_count(chain->tree);

    for (uint32_t i = 0; i < count; i++) {
        const struct header_node *node = header_tree_at(chain->tree, i);
        uint32_t file = header_place_file(atomic_load(&node->block_place));

        if (header_has(node, HEADER_DATA) && file < (uint32_t)files_n)
            is_held[file] = true;
    }
    return is_held;
}

int chain_prune_finish(struct chain *chain, struct error *err)
{
    struct prune_limits limits = prune_limits(chain, INT32_MAX);
    bool *is_held;
    int rc = 0;

    if (!chain->options.prune_on || !atomic_load(&chain->has_pruned))
        return 0;
    is_held = chain_held_files(chain);
    for (int32_t i = 0; i + 1 < block_files_count(chain->files) && rc == 0; i++) {
        if (!is_held[i] && may_go(chain, i, &limits))
            rc = block_files_remove(chain->files, i, err);
    }
    free(is_held);
    return rc;
}

#define FILES_AT_ONCE 64

/* Files from the lowest on that may go, until `enough` bytes remain. */
static size_t choose_files(const struct chain *chain, int32_t *ret_files, int32_t most,
                           uint64_t enough)
{
    uint64_t used = block_files_used_bytes(chain->files);
    struct prune_limits limits = prune_limits(chain, most);
    int32_t count = block_files_count(chain->files);
    size_t n = 0;

    for (int32_t file = 0; file + 1 < count && n < FILES_AT_ONCE && used > enough; file++) {
        const struct block_file_info *info = block_files_info(chain->files, file);

        if (!may_go(chain, file, &limits))
            continue;
        used -= MIN(used, (uint64_t)info->size + info->undo_size);
        ret_files[n++] = file;
    }
    return n;
}

int chain_prune_if_due(struct chainstate *state, struct error *err)
{
    struct chain *chain = state->chain;
    uint64_t room = chain->options.prune_target_bytes;
    int32_t files[FILES_AT_ONCE];
    bool is_bad;
    size_t n;
    int rc;

    if (!chain->options.prune_on || room == 0 || chain->active->verified == NULL ||
        (uint64_t)chain->active->verified->height < chain->params->prune_after_height ||
        !block_files_take_grown(chain->files))
        return 0;
    room = room > GROWTH_BYTES ? room - GROWTH_BYTES : 0;
    n = choose_files(chain, files, INT32_MAX, room);
    if (n == 0)
        return 0;
    /* A commit at the same block may have said so before. */
    state->commit_broke_flight |= state->flight.fed != state->flight.applied;
    rc = flight_drain(state, &is_bad, err);
    if (rc < 0)
        return rc;
    state->commit_met_bad |= is_bad;
    return remove_files(chain, files, n, err);
}

int chain_prune_up_to(struct chain *chain, int32_t height, int32_t *ret_height, struct error *err)
{
    int rc = 0;

    for (;;) {
        int32_t files[FILES_AT_ONCE];
        size_t n = choose_files(chain, files, height, 0);

        if (n == 0 || rc < 0)
            break;
        rc = remove_files(chain, files, n, err);
    }
    *ret_height = atomic_load(&chain->has_pruned) ? atomic_load(&chain->prune_height) - 1 : -1;
    return rc;
}
