/* Durability: first block and undo bytes, then the index, then the coins that rest
 * on both. A commit takes in only what is fully verified. */
#include "chain/chain_priv.h"

#include "base/check.h"

static void gather_changes(struct chain *chain, struct block_index_changes *changes)
{
    uint32_t count = header_tree_count(chain->tree);
    struct block_file_info info;
    int32_t file;

    /* A crash may keep the first of these records and lose the rest. So the files come
     * before the blocks in them, lest what a kept block rests on is written over, and
     * facts about all of it come last. */
    while (block_files_next_changed(chain->files, &file, &info))
        block_index_add_file(changes, file, &info);
    for (size_t i = 0; i < chain->changed.n; i++) {
        chain->changed.items[i]->is_touched = false;
        block_index_add_node(changes, chain->changed.items[i], false);
    }
    chain->changed.n = 0;
    for (; chain->indexed_n < count; chain->indexed_n++)
        block_index_add_node(changes, header_tree_at(chain->tree, chain->indexed_n), true);
    if (chain->facts_changed)
        block_index_add_facts(changes, block_index_facts(chain->index));
    chain->facts_changed = false;
}

/* On the flush thread, while the chain goes on: touches only what it was handed. */
static int before_commit(void *context, struct error *err)
{
    struct chain *chain = context;
    int rc = block_files_sync(chain->files, err);

    if (rc < 0)
        return rc;
    return block_index_write(chain->index, &chain->changes, err);
}

int chain_commit_wait(struct chain *chain, struct error *err)
{
    struct chainstate *state = chain->committing;

    if (state == NULL)
        return 0;
    chain->committing = NULL;
    return coins_flush_wait(state->coins, err);
}

int chain_commit_start(struct chainstate *state, struct error *err)
{
    int rc = chain_commit_wait(state->chain, err);

    CHECK(state->flight.settled == state->flight.applied);
    if (rc < 0)
        return rc;
    state->chain->changes.bytes.len = 0;
    gather_changes(state->chain, &state->chain->changes);
    state->committed_us = chain_now_us(state->chain);
    rc = coins_flush_start(state->coins, before_commit, state->chain, err);
    if (rc < 0)
        return rc;
    state->chain->committing = state;
    return 0;
}

int chain_commit_all(struct chain *chain, struct error *err)
{
    int rc = chain_commit_start(chain->active, err);

    if (rc == 0 && chain->background != NULL)
        rc = chain_commit_start(chain->background, err);
    return rc < 0 ? rc : chain_commit_wait(chain, err);
}

int chain_save_index(struct chain *chain, struct error *err)
{
    struct block_index_changes changes = {0};
    int rc = chain_commit_wait(chain, err);

    if (rc == 0)
        rc = block_files_sync(chain->files, err);
    if (rc == 0) {
        gather_changes(chain, &changes);
        rc = block_index_write(chain->index, &changes, err);
    }
    buf_clear(&changes.bytes);
    return rc;
}

int chain_claim_file(void *context, int32_t file, struct error *err)
{
    struct chain *chain = context;
    struct block_file_info info = {.owns_end = true, .owns_undo_end = true};
    struct block_index_changes changes = {0};
    int rc;

    block_index_add_file(&changes, file, &info);
    rc = block_index_write(chain->index, &changes, err);
    buf_clear(&changes.bytes);
    return rc;
}

static bool has_changes(const struct chainstate *state)
{
    struct block_hash committed = coins_committed_tip(state->coins);

    return state->chain->changed.n > 0 || state->chain->facts_changed ||
           state->chain->indexed_n < header_tree_count(state->chain->tree) ||
           (state->coins_node != NULL && !block_hash_equal(&state->coins_node->hash, &committed));
}

int chain_commit_if_due(struct chainstate *state, bool is_idle, struct error *err)
{
    struct chain *chain = state->chain;
    uint64_t age_us = chain_now_us(state->chain) - state->committed_us;
    enum coins_pressure pressure = coins_pressure(state->coins);
    int rc;

    state->commit_broke_flight = false;
    state->commit_met_bad = false;
    if (chain->committing != NULL) {
        rc = coins_flush_poll(chain->committing->coins, err);
        if (rc < 0)
            return rc;
        if (rc == 0)
            chain->committing = NULL;
    }
    /* Another state's commit does not relieve this one. */
    if (pressure == COINS_MUST_WAIT ||
        (pressure == COINS_WANT_FLUSH && chain->committing != NULL && chain->committing != state)) {
        rc = chain_commit_wait(chain, err);
        if (rc < 0)
            return rc;
    } else if (chain->committing != NULL) {
        return 0;
    }
    if (pressure == COINS_AT_EASE && age_us < (is_idle ? COMMIT_IDLE_US : COMMIT_INTERVAL_US))
        return 0;
    if (!has_changes(state)) {
        state->committed_us = chain_now_us(state->chain);
        return 0;
    }
    state->commit_broke_flight = state->flight.fed != state->flight.applied;
    rc = flight_drain(state, &state->commit_met_bad, err);
    if (rc < 0)
        return rc;
    return chain_commit_start(state, err);
}
