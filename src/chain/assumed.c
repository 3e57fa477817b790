/* A snapshot that is believed before it is verified. Its coins become the tip's at once;
 * behind the tip the chain's own coins go on from where they were, until they reach the
 * snapshot's base and must be the very coins that the software vouches for.
 *
 * What counts is the index: a folder of coins without the fact is removed, one with it
 * was complete and durable when the fact was. A snapshot that was found true takes the
 * place of the chain's own coins at the next start. */
#include "chain/chain_priv.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"

/* Blocks that are connected behind the tip before the tip is looked at again. */
#define STEP_BLOCKS 2016
/* One part in so many of the memory for coins goes to those that need it less. */
#define SMALL_SHARE 20
/* Where Bitcoin Core notes what the folder began with. */
#define BASE_FILE "base_blockhash"

#define TREE_MARKS_OF_COINS \
    ((uint32_t)(HEADER_FAILED | HEADER_CONNECTED | HEADER_SKIPPED | HEADER_UNDO))

const struct snapshot_params *assumed_params(const struct params *params,
                                             const struct block_hash *base)
{
    for (size_t i = 0; i < params->snapshots_n; i++) {
        if (block_hash_equal(&params->snapshots[i].block_hash, base))
            return &params->snapshots[i];
    }
    return NULL;
}

char *assumed_folder(const struct chain *chain)
{
    return alloc_printf("%s_snapshot", chain->options.chainstate_folder);
}

static int note_stage(struct chain *chain, enum snapshot_stage stage, const struct block_hash *base,
                      struct error *err)
{
    struct block_index_facts facts = *block_index_facts(chain->index);

    facts.snapshot = stage;
    facts.snapshot_base = *base;
    block_index_set_facts(chain->index, &facts);
    chain->facts_changed = true;
    return chain_save_index(chain, err);
}

static int forget(struct chain *chain, struct error *err)
{
    static const struct block_hash none;

    return note_stage(chain, SNAPSHOT_NONE, &none, err);
}

static int fail_unknown(const struct block_hash *base, struct error *err)
{
    return error_set(err, E_STATE,
                     "A fatal internal error occurred, see debug.log for details: Assumeutxo data "
                     "not found for the given blockhash '%s'.",
                     hash_hex(base->b).text);
}

/* Another program's folder of the same name must be one that we could have made. */
static int check_base_file(const struct chain *chain, const char *folder, struct error *err)
{
    char *path = alloc_printf("%s/" BASE_FILE, folder);
    struct block_hash base = {{0}};
    struct buf bytes = {0};
    int rc = disk_read_file(chain->disk, &bytes, path, 4096, err);

    if (rc == 0 && bytes.len >= HASH_BYTES) {
        memcpy(base.b, bytes.data, HASH_BYTES);
        if (assumed_params(chain->params, &base) == NULL)
            rc = fail_unknown(&base, err);
    }
    buf_clear(&bytes);
    free(path);
    return rc == E_NOT_FOUND ? 0 : rc;
}

int assumed_prepare(struct chain *chain, bool start_over, struct error *err)
{
    enum snapshot_stage stage = block_index_facts(chain->index)->snapshot;
    char *folder = assumed_folder(chain);
    int rc = check_base_file(chain, folder, err);

    if (rc == 0 && start_over && stage != SNAPSHOT_NONE) {
        log_info("chain", "[snapshot] deleting snapshot chainstate due to reindexing");
        rc = forget(chain, err);
    } else if (rc == 0 && stage == SNAPSHOT_VERIFIED) {
        log_info("chain",
                 "[snapshot] cleaning up unneeded background chainstate, then reinitializing");
        rc = coins_move(chain->disk, folder, chain->options.chainstate_folder, err);
        if (rc == 0)
            rc = forget(chain, err);
    }
    if (rc == 0 && block_index_facts(chain->index)->snapshot == SNAPSHOT_NONE)
        rc = coins_remove(chain->disk, folder, err);
    free(folder);
    return rc;
}

void assumed_share_memory(struct chain *chain)
{
    uint64_t all = chain->options.cache_bytes;
    uint64_t small = all / SMALL_SHARE;
    uint64_t behind = 0;
    uint64_t tip = all;

    if (chain->is_loading) {
        tip = small;
    } else if (chain->background != NULL) {
        behind = atomic_load(&chain->is_initial) ? small : all - small;
        tip = all - behind;
    }
    /* What shrinks comes first. */
    if (chain->active != &chain->own && behind < tip)
        coins_set_cache_bytes(chain->own.coins, behind);
    coins_set_cache_bytes(chain->active->coins, tip);
    if (chain->active != &chain->own && behind >= tip)
        coins_set_cache_bytes(chain->own.coins, behind);
    atomic_store(&chain->coins_bound_bytes, tip);
    atomic_store(&chain->background_bound_bytes, behind);
}

static void install(struct chain *chain, struct coins_store *own_coins, struct header_node *base,
                    struct header_node *tip)
{
    chain->assumed = (struct chainstate){.chain = chain,
                                         .coins = own_coins,
                                         .coins_node = tip,
                                         .verified = tip,
                                         .script_state = -1,
                                         .committed_us = chain_now_us(chain)};
    chain->active = &chain->assumed;
    chain->background = &chain->own;
    chain->base = base;
    atomic_store(&chain->snapshot_base, base);
    atomic_store(&chain->background_tip, chain->own.verified);
    block_files_split(chain->files, base->height);
    assumed_share_memory(chain);
}

static int open_coins(struct chain *chain, struct coins_store **ret_coins, struct header_node *base,
                      struct header_node **ret_tip, struct error *err)
{
    char *folder = assumed_folder(chain);
    struct coins_options options = {.disk = chain->disk,
                                    .folder = folder,
                                    .cache_bytes = chain->options.cache_bytes / SMALL_SHARE};
    struct block_hash tip;
    int rc = coins_open(ret_coins, &options, err);

    if (rc < 0)
        goto done;
    tip = coins_tip(*ret_coins);
    *ret_tip = header_tree_find(chain->tree, &tip);
    if (*ret_tip == NULL || !header_is_ancestor(base, *ret_tip)) {
        coins_close(*ret_coins);
        rc = error_set(err, E_CORRUPT,
                       "the coins in '%s' do not stand above block %d, their snapshot's base: "
                       "restart with -reindex-chainstate",
                       folder, base->height);
    }

done:
    free(folder);
    return rc;
}

int assumed_open(struct chain *chain, struct error *err)
{
    const struct block_index_facts *facts = block_index_facts(chain->index);
    struct coins_store *coins = NULL;
    struct header_node *base;
    struct header_node *tip;
    int rc;

    if (facts->snapshot != SNAPSHOT_ASSUMED)
        return 0;
    if (assumed_params(chain->params, &facts->snapshot_base) == NULL)
        return fail_unknown(&facts->snapshot_base, err);
    base = header_tree_find(chain->tree, &facts->snapshot_base);
    if (base == NULL)
        return error_set(err, E_CORRUPT, "block %s, a snapshot's base, is not in the block index",
                         hash_hex(facts->snapshot_base.b).text);
    log_info("chain", "[snapshot] switching active chainstate to the snapshot of block %d",
             base->height);
    rc = open_coins(chain, &coins, base, &tip, err);
    if (rc == 0)
        install(chain, coins, base, tip);
    return rc;
}

int assumed_begin(struct chain *chain, struct coins_store *own_coins, struct header_node *base,
                  struct error *err)
{
    int rc = chain_commit_all(chain, err);

    if (rc == 0)
        rc = note_stage(chain, SNAPSHOT_ASSUMED, &base->hash, err);
    if (rc < 0)
        return rc;
    install(chain, own_coins, base, base);
    chain_link_all(chain);
    log_info("chain", "[snapshot] successfully activated snapshot %s", hash_hex(base->hash.b).text);
    chain_publish(chain);
    return 0;
}

/* What was judged with wrong coins has not been judged. */
static void forget_judgements(struct chain *chain, const struct header_node *base)
{
    uint32_t count = header_tree_count(chain->tree);

    for (uint32_t i = base->index + 1; i < count; i++) {
        struct header_node *node = header_tree_at(chain->tree, i);

        if ((header_marks(node) & TREE_MARKS_OF_COINS) == 0 || !header_is_ancestor(base, node))
            continue;
        header_unmark(node, TREE_MARKS_OF_COINS);
        chain_touch(chain, node);
    }
    header_tree_settle(chain->tree);
}

/* The snapshot was wrong. Never returns 0. */
static int drop(struct chain *chain, const char *why, struct error *err)
{
    const struct header_node *base = chain->base;
    const struct header_node *own = chain->own.verified;
    int32_t height = own == NULL ? 0 : own->height;
    int rc;

    log_error("chain", "[snapshot] !!! %s", why);
    log_error("chain", "[snapshot] deleting snapshot, reverting to validated chain, and stopping "
                       "node");
    forget_judgements(chain, base);
    rc = forget(chain, err);
    if (rc < 0)
        return rc;
    return error_set(err, E_CORRUPT,
                     "The snapshot of block %d is wrong: %s. Either this machine fails or the "
                     "software was changed so that it took a bad snapshot. All that was built on "
                     "it is dropped and the node stops; when it is started again it goes on from "
                     "block %d, which was verified without it. Please report this, and where the "
                     "snapshot came from",
                     base->height, why, height);
}

int assumed_look(struct chain *chain, struct error *err)
{
    if (chain->base == NULL || !header_is_failed(chain->base))
        return 0;
    return drop(chain, "a block that it rests on is invalid", err);
}

/* Another branch is only left for more work. */
struct header_node *assumed_target(const struct chain *chain)
{
    const struct header_node *tip = chain->own.verified;
    const struct header_node *fork = tip == NULL ? NULL : header_fork(tip, chain->base);
    int32_t height = fork == NULL ? 0 : fork->height + 1;
    int32_t last = chain->base->height;
    struct header_node *target = NULL;

    if (fork == tip)
        last = MIN(last, height + STEP_BLOCKS - 1);
    for (; height <= last; height++) {
        struct header_node *node = header_ancestor(chain->base, height);

        if (!header_has(node, HEADER_DATA))
            break;
        target = node;
    }
    if (target != NULL && fork != tip && header_work_compare(target, tip) <= 0)
        return NULL;
    return target;
}

static bool may_go_on(void *context)
{
    return !chain_is_stopping(context);
}

static void run_check(void *context)
{
    struct snapshot_check *check = context;
    struct coins_scan_options options = {.go_on = may_go_on, .context = check->chain};

    check->rc = coins_stats_compute(&check->stats, NULL, check->chain->own.coins,
                                    COINS_HASH_SERIALIZED_3, &options, &check->err);
    atomic_store(&check->is_done, true);
}

static int begin_check(struct chain *chain, struct error *err)
{
    struct snapshot_check *check = &chain->check;
    int rc = chain_commit_start(&chain->own, err);

    if (rc == 0)
        rc = chain_commit_wait(chain, err);
    if (rc < 0)
        return rc;
    log_info("chain", "[snapshot] computing UTXO stats for background chainstate to validate "
                      "snapshot - this could take a few minutes");
    check->chain = chain;
    atomic_store(&check->is_done, false);
    if (chain->is_started)
        rc = thread_start(&check->thread, "snapshot-check", run_check, check, err);
    else
        run_check(check);
    check->is_begun = rc == 0;
    return rc;
}

static int end_verified(struct chain *chain, struct error *err)
{
    int rc = note_stage(chain, SNAPSHOT_VERIFIED, &chain->base->hash, err);

    if (rc < 0)
        return rc;
    log_info("chain", "[snapshot] snapshot beginning at %s has been fully validated",
             hash_hex(chain->base->hash.b).text);
    chain->background = NULL;
    chain->base = NULL;
    chain->candidates_stale = true;
    atomic_store(&chain->background_tip, NULL);
    block_files_split(chain->files, INT32_MAX);
    log_info("chain", "[snapshot] allocating all cache to the snapshot chainstate");
    assumed_share_memory(chain);
    return 0;
}

/* The chain's own coins stand at the base. */
static int compare(struct chain *chain, struct error *err)
{
    const struct snapshot_params *params = assumed_params(chain->params, &chain->base->hash);
    struct snapshot_check *check = &chain->check;
    int rc = check->is_begun ? 0 : begin_check(chain, err);

    if (rc < 0 || !atomic_load(&check->is_done))
        return rc;
    thread_join(&check->thread);
    check->is_begun = false;
    if (check->rc == E_STOPPED)
        return 0;
    if (check->rc < 0) {
        if (err != NULL)
            *err = check->err;
        error_wrap(err, "could not verify the snapshot");
        return check->rc;
    }
    if (memcmp(check->stats.hash, params->hash_serialized, HASH_BYTES) == 0)
        return end_verified(chain, err);
    log_warning("chain", "[snapshot] hash mismatch: actual=%s, expected=%s",
                hash_hex(check->stats.hash).text, hash_hex(params->hash_serialized).text);
    return drop(chain, "its coins are not those that the blocks before it make", err);
}

int assumed_step(struct chain *chain, struct error *err)
{
    struct chainstate *state = chain->background;

    while (state != NULL && !chain_must_yield(chain) && !chain_tip_waits(chain)) {
        const struct header_node *before = state->verified;
        struct header_node *target = before == chain->base ? NULL : assumed_target(chain);
        int rc;

        if (target == NULL)
            break;
        rc = chain_move_to(state, target, err);
        atomic_store(&chain->background_tip, state->verified);
        if (rc == 0)
            rc = assumed_look(chain, err);
        if (rc < 0)
            return rc;
        if (state->verified == before)
            break;
    }
    if (state == NULL || state->verified != chain->base)
        return 0;
    return compare(chain, err);
}

void assumed_close(struct chain *chain)
{
    thread_join(&chain->check.thread);
}
