/* The chain as iface/node.h shows it. What reads the tree or the files goes on the
 * caller's thread; what needs the coins or changes something is asked of the chain
 * thread. */
#include "chain/view_priv.h"

#include <math.h>

#include "base/alloc.h"
#include "base/check.h"

/* Before genesis is connected there is nothing else to show. */
static const struct header_node *shown_tip(const struct chain *chain)
{
    const struct header_node *tip = chain_tip_node(chain);

    return tip == NULL ? header_tree_genesis(chain->tree) : tip;
}

static double progress_of(const struct chain *chain, const struct header_node *tip)
{
    const struct params *params = chain->params;
    const struct header_node *best = header_tree_best(chain->tree);
    uint64_t done = tip == NULL ? 0 : atomic_load(&tip->chain_tx_n);
    int64_t now_s = clock_wall_s(chain->clock);
    int64_t time_s;
    double all;

    if (done == 0)
        return 0;
    /* Near the end the miners' clocks would show: count blocks instead. */
    time_s = (int64_t)tip->time;
    if (llabs(now_s - time_s) <= HEADER_FUTURE_MAX_S && best->height >= tip->height)
        time_s = now_s - (best->height - tip->height) * params->pow_target_spacing_s;
    if (done <= params->chain_tx_n)
        all = (double)params->chain_tx_n +
              (double)(now_s - params->chain_tx_time) * params->chain_tx_rate;
    else
        all = (double)done + (double)(now_s - time_s) * params->chain_tx_rate;
    return fmin((double)done / all, 1.0);
}

static double share_of(const struct header_node *tip, const struct header_node *base)
{
    uint64_t done = atomic_load(&tip->chain_tx_n);
    uint64_t all = atomic_load(&base->chain_tx_n);

    return all == 0 ? 0 : (double)done / (double)all;
}

static void show_snapshot(const struct chain *chain, struct node_status *status,
                          const struct header_node *tip)
{
    const struct header_node *base = atomic_load(&chain->snapshot_base);
    const struct header_node *behind = atomic_load(&chain->background_tip);

    status->coins_bound_bytes = atomic_load(&chain->coins_bound_bytes);
    status->background_bound_bytes = atomic_load(&chain->background_bound_bytes);
    if (base == NULL)
        return;
    status->has_snapshot = true;
    status->snapshot_base = chain_info(chain, base, tip);
    if (behind == NULL)
        return;
    status->has_background = true;
    status->background_tip = chain_info(chain, behind, tip);
    status->background_progress = share_of(behind, base);
    status->background_verification_progress = progress_of(chain, behind);
}

static void status(struct node *node, struct node_status *ret_status)
{
    struct chain *chain = view_chain(node);
    const struct header_node *tip = shown_tip(chain);
    const struct header_node *best = header_tree_best(chain->tree);

    *ret_status = (struct node_status){
        .tip = chain_info(chain, tip, tip),
        .best_header = chain_info(chain, best, tip),
        .initial_block_download = atomic_load(&chain->is_initial),
        .verification_progress = progress_of(chain, tip),
        .importing = atomic_load(&chain->is_importing),
        .pruned = chain->options.prune_on,
        .prune_automatic = chain->options.prune_on && chain->options.prune_target_bytes > 0,
        .prune_height = atomic_load(&chain->prune_height),
        .prune_target_bytes = chain->options.prune_target_bytes,
        .size_on_disk_bytes = atomic_load(&chain->size_on_disk),
        .scripts_skipped_up_to = MIN(atomic_load(&chain->skipped_up_to), tip->height),
        .coins_cache_bytes = atomic_load(&chain->coins_cache_bytes),
        .coins_count_cached = atomic_load(&chain->coins_cache_n)};
    show_snapshot(chain, ret_status, tip);
    chain_copy_warnings(chain, ret_status);
}

static int block_by_hash(struct node *node, struct block_info *ret_info,
                         const struct block_hash *hash)
{
    struct chain *chain = view_chain(node);
    const struct header_node *found = header_tree_find(chain->tree, hash);

    if (found == NULL)
        return E_NOT_FOUND;
    *ret_info = chain_info(chain, found, shown_tip(chain));
    return 0;
}

static int block_by_height(struct node *node, struct block_info *ret_info, int32_t height)
{
    struct chain *chain = view_chain(node);
    const struct header_node *tip = shown_tip(chain);
    const struct header_node *found = header_ancestor(tip, height);

    if (found == NULL)
        return E_NOT_FOUND;
    *ret_info = chain_info(chain, found, tip);
    return 0;
}

static int fork_point(struct node *node, struct block_info *ret_info, const struct block_hash *hash)
{
    struct chain *chain = view_chain(node);
    const struct header_node *found = header_tree_find(chain->tree, hash);
    const struct header_node *tip = shown_tip(chain);

    if (found == NULL)
        return E_NOT_FOUND;
    *ret_info = chain_info(chain, header_fork(found, tip), tip);
    return 0;
}

static int ancestor(struct node *node, struct block_info *ret_info, const struct block_hash *hash,
                    int32_t height)
{
    struct chain *chain = view_chain(node);
    const struct header_node *found = header_tree_find(chain->tree, hash);

    found = found == NULL ? NULL : header_ancestor(found, height);
    if (found == NULL)
        return E_NOT_FOUND;
    *ret_info = chain_info(chain, found, shown_tip(chain));
    return 0;
}

static const char *tip_status(const struct header_node *node, const struct header_node *tip)
{
    uint32_t marks = header_marks(node);

    if (node == tip)
        return "active";
    if ((marks & HEADER_FAILED_ANY) != 0)
        return "invalid";
    if (atomic_load(&node->chain_tx_n) == 0)
        return "headers-only";
    if ((marks & HEADER_CONNECTED) != 0)
        return "valid-fork";
    return "valid-headers";
}

static void tips(struct node *node, struct chain_tip **ret_tips, size_t *ret_n)
{
    struct chain *chain = view_chain(node);
    uint32_t count = header_tree_count(chain->tree);
    const struct header_node *tip = shown_tip(chain);
    bool *has_child = alloc_array(count, sizeof(*has_child));
    struct chain_tip *list;
    size_t n = 0;

    for (uint32_t i = 1; i < count; i++)
        has_child[header_tree_at(chain->tree, i)->prev->index] = true;
    has_child[tip->index] = false;
    for (uint32_t i = 0; i < count; i++)
        n += !has_child[i];
    list = alloc_array(n, sizeof(*list));
    n = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct header_node *leaf = header_tree_at(chain->tree, i);

        if (has_child[i])
            continue;
        list[n++] = (struct chain_tip){.info = chain_info(chain, leaf, tip),
                                       .branch_len = leaf->height - header_fork(leaf, tip)->height,
                                       .status = tip_status(leaf, tip)};
    }
    free(has_child);
    *ret_tips = list;
    *ret_n = n;
}

static int read_block(struct node *node, struct block_data *ret_data, const struct block_hash *hash,
                      struct error *err)
{
    struct chain *chain = view_chain(node);
    const struct header_node *found = header_tree_find(chain->tree, hash);
    struct block_data data = {0};
    struct block_pos pos;
    uint64_t place;
    int rc;

    if (found == NULL || !header_has(found, HEADER_DATA))
        return error_set(err, E_NOT_FOUND, "block data is not available");
    place = atomic_load(&found->block_place);
    pos = (struct block_pos){(int32_t)header_place_file(place), header_place_offset(place)};
    rc = block_files_read(chain->files, &data.bytes, pos, err);
    if (rc < 0)
        goto done;
    rc = block_read(&data.block, data.bytes.data, data.bytes.len, &data.arena);
    if (rc == E_MALFORMED) {
        data.bytes.len = body_block_bytes(span_of_buf(&data.bytes));
        rc = block_read(&data.block, data.bytes.data, data.bytes.len, &data.arena);
    }
    if (rc < 0 || !block_hash_equal(&data.block.hash, hash)) {
        rc = error_set(err, E_CORRUPT, "block %s in 'blk%05u.dat' at offset %u is damaged",
                       hash_hex(hash->b).text, (unsigned)pos.file, pos.offset);
        goto done;
    }
    *ret_data = data;
    data = (struct block_data){0};

done:
    block_data_clear(&data);
    return rc;
}

static int read_block_bytes(struct node *node, struct buf *buf, const struct block_hash *hash,
                            struct error *err)
{
    struct chain *chain = view_chain(node);
    const struct header_node *found = header_tree_find(chain->tree, hash);
    uint64_t place;

    if (found == NULL || !header_has(found, HEADER_DATA))
        return error_set(err, E_NOT_FOUND, "block data is not available");
    place = atomic_load(&found->block_place);
    return block_files_read(
        chain->files, buf,
        (struct block_pos){(int32_t)header_place_file(place), header_place_offset(place)}, err);
}

static int read_undo(struct node *node, struct undo_data *ret_undo, const struct block_hash *hash,
                     struct error *err)
{
    struct chain *chain = view_chain(node);
    const struct header_node *found = header_tree_find(chain->tree, hash);
    struct undo_data data = {0};
    struct undo undo = {0};
    struct buf bytes = {0};
    struct buf kept;
    int rc;

    if (found == NULL || (found->prev != NULL && !header_has(found, HEADER_UNDO)))
        return error_set(err, E_NOT_FOUND, "undo data is not available");
    if (found->prev == NULL) {
        data.tx_n = 1;
        data.coins = arena_array(&data.arena, 1, sizeof(*data.coins));
        *ret_undo = data;
        return 0;
    }
    rc = chain_read_undo(chain, found, &bytes, &undo, &data.arena, err);
    if (rc < 0)
        goto done;
    /* Scripts may point into the bytes, which must live in the arena then. */
    kept.len = bytes.len;
    kept.data = arena_alloc(&data.arena, bytes.len);
    memcpy(kept.data, bytes.data, bytes.len);
    rc = undo_read(&undo, span_of(kept.data, kept.len), &data.arena, err);
    if (rc < 0)
        goto done;
    data.tx_n = undo.tx_n + 1;
    data.coins = arena_array(&data.arena, data.tx_n, sizeof(*data.coins));
    for (uint32_t t = 0; t < undo.tx_n; t++)
        data.coins[t + 1] = undo.tx[t].coins;
    *ret_undo = data;
    data = (struct undo_data){0};

done:
    buf_clear(&bytes);
    undo_data_clear(&data);
    return rc;
}

struct coin_ask {
    struct coin *ret_coin;
    struct block_info *ret_tip;
    const struct outpoint *outpoint;
    struct arena *arena;
};

/* Blocks that are applied but not verified yet have not happened for others. */
static int coin_before_flight(struct chain *chain, struct coin *ret_coin,
                              const struct outpoint *outpoint, struct arena *arena)
{
    const struct flight *flight = &chain->active->flight;

    for (uint32_t at = flight->settled; at != flight->applied; at++) {
        const struct body *body = flight->ring[at % FLIGHT_MAX];

        for (uint32_t i = 0; i < body->spends_n; i++) {
            if (!outpoint_equal(&body->spends[i], outpoint))
                continue;
            *ret_coin = body->taken[i];
            ret_coin->script_pubkey.data = arena_alloc(arena, body->taken[i].script_pubkey.len);
            memcpy((void *)(uintptr_t)ret_coin->script_pubkey.data,
                   body->taken[i].script_pubkey.data, body->taken[i].script_pubkey.len);
            return 0;
        }
        for (uint32_t i = 0; i < body->adds_n; i++) {
            if (outpoint_equal(&body->adds[i], outpoint))
                return E_NOT_FOUND;
        }
    }
    return 1;
}

int view_find_coin(struct chain *chain, struct coin *ret_coin, const struct outpoint *outpoint,
                   struct arena *arena, struct error *err)
{
    bool is_found = false;
    int rc = coin_before_flight(chain, ret_coin, outpoint, arena);

    if (rc <= 0)
        return rc;
    rc = coins_find_many(chain->active->coins, ret_coin, &is_found, outpoint, 1, arena, err);
    return rc == 0 && !is_found ? E_NOT_FOUND : rc;
}

static int ask_coin(struct chain *chain, void *argument, struct error *err)
{
    struct coin_ask *ask = argument;

    if (ask->ret_tip != NULL && chain->active->verified != NULL)
        *ask->ret_tip = chain_info(chain, chain->active->verified, chain->active->verified);
    return view_find_coin(chain, ask->ret_coin, ask->outpoint, ask->arena, err);
}

static int coin(struct node *node, struct coin *ret_coin, struct block_info *ret_tip,
                const struct outpoint *outpoint, struct arena *arena, struct error *err)
{
    struct coin_ask ask = {ret_coin, ret_tip, outpoint, arena};

    return chain_ask(view_chain(node), ask_coin, &ask, true, err);
}

struct submit_ask {
    struct submit_result *ret_result;
    struct span bytes;
    const struct header *header;
    bool check_pow;
    bool check_merkle;
};

static int ask_submit_block(struct chain *chain, void *argument, struct error *err)
{
    struct submit_ask *ask = argument;

    return chain_offer_block(chain, ask->ret_result, ask->bytes, err);
}

static int submit_block(struct node *node, struct submit_result *ret_result, struct span bytes,
                        struct error *err)
{
    struct submit_ask ask = {.ret_result = ret_result, .bytes = bytes};

    return chain_ask(view_chain(node), ask_submit_block, &ask, false, err);
}

static int ask_submit_header(struct chain *chain, void *argument, struct error *err)
{
    struct submit_ask *ask = argument;

    return chain_offer_header(chain, ask->ret_result, ask->header, err);
}

static int submit_header(struct node *node, struct submit_result *ret_result,
                         const struct header *header, struct error *err)
{
    struct submit_ask ask = {.ret_result = ret_result, .header = header};

    return chain_ask(view_chain(node), ask_submit_header, &ask, false, err);
}

static int ask_test_block(struct chain *chain, void *argument, struct error *err)
{
    struct submit_ask *ask = argument;

    return chain_test_block(chain, ask->ret_result, ask->bytes, ask->check_pow, ask->check_merkle,
                            err);
}

static int test_block(struct node *node, struct submit_result *ret_result, struct span bytes,
                      bool check_pow, bool check_merkle, struct error *err)
{
    struct submit_ask ask = {.ret_result = ret_result,
                             .bytes = bytes,
                             .check_pow = check_pow,
                             .check_merkle = check_merkle};

    return chain_ask(view_chain(node), ask_test_block, &ask, false, err);
}

struct change_ask {
    int (*change)(struct chain *chain, const struct block_hash *hash, struct error *err);
    const struct block_hash *hash;
};

static int ask_change(struct chain *chain, void *argument, struct error *err)
{
    struct change_ask *ask = argument;

    return ask->change(chain, ask->hash, err);
}

static int invalidate_block(struct node *node, const struct block_hash *hash, struct error *err)
{
    struct change_ask ask = {chain_invalidate, hash};

    return chain_ask(view_chain(node), ask_change, &ask, false, err);
}

static int reconsider_block(struct node *node, const struct block_hash *hash, struct error *err)
{
    struct change_ask ask = {chain_reconsider, hash};

    return chain_ask(view_chain(node), ask_change, &ask, false, err);
}

static int precious_block(struct node *node, const struct block_hash *hash, struct error *err)
{
    struct change_ask ask = {chain_precious, hash};

    return chain_ask(view_chain(node), ask_change, &ask, false, err);
}

struct prune_ask {
    int32_t height;
    int32_t *ret_height;
};

static int ask_prune(struct chain *chain, void *argument, struct error *err)
{
    struct prune_ask *ask = argument;

    return chain_prune_up_to(chain, ask->height, ask->ret_height, err);
}

static int prune(struct node *node, int32_t height, int32_t *ret_height, struct error *err)
{
    struct prune_ask ask = {height, ret_height};

    return chain_ask(view_chain(node), ask_prune, &ask, false, err);
}

struct check_ask {
    int level;
    int32_t n_blocks;
    bool *ret_ok;
};

static int ask_check(struct chain *chain, void *argument, struct error *err)
{
    struct check_ask *ask = argument;

    return chain_check(chain->active, ask->level, ask->n_blocks, ask->ret_ok, err);
}

static int verify_chain(struct node *node, int level, int32_t n_blocks, bool *ret_ok,
                        struct error *err)
{
    struct check_ask ask = {level, n_blocks, ret_ok};

    return chain_ask(view_chain(node), ask_check, &ask, false, err);
}

static void wait_tip(struct node *node, struct block_info *ret_tip, const struct block_hash *known,
                     int64_t timeout_ms)
{
    struct chain *chain = view_chain(node);
    uint64_t until_us = clock_monotonic_us(clock_real()) + (uint64_t)MAX(timeout_ms, 0) * 1000;
    const struct header_node *tip;

    mutex_lock(&chain->mutex);
    for (;;) {
        uint64_t now_us = clock_monotonic_us(clock_real());

        tip = chain_tip_node(chain);
        if (chain_is_stopping(chain) || chain->has_ended ||
            (tip != NULL && !block_hash_equal(&tip->hash, known)))
            break;
        if (timeout_ms <= 0) {
            cond_wait(&chain->moved, &chain->mutex);
            continue;
        }
        if (now_us >= until_us)
            break;
        cond_wait_for(&chain->moved, &chain->mutex, until_us - now_us);
    }
    mutex_unlock(&chain->mutex);
    if (tip == NULL)
        tip = header_tree_genesis(chain->tree);
    *ret_tip = chain_info(chain, tip, tip);
}

static int ask_nothing(struct chain *chain, void *argument, struct error *err)
{
    (void)chain;
    (void)argument;
    (void)err;
    return 0;
}

static void sync_queue(struct node *node)
{
    (void)chain_ask(view_chain(node), ask_nothing, NULL, false, NULL);
}

const struct node_ops chain_node_ops = {
    .status = status,
    .block_by_hash = block_by_hash,
    .block_by_height = block_by_height,
    .fork_point = fork_point,
    .ancestor = ancestor,
    .tips = tips,
    .read_block = read_block,
    .read_block_bytes = read_block_bytes,
    .read_undo = read_undo,
    .coin = coin,
    .scan_coins = view_scan_coins,
    .utxo_stats = view_utxo_stats,
    .dump_snapshot = view_dump_snapshot,
    .load_snapshot = view_load_snapshot,
    .submit_block = submit_block,
    .submit_header = submit_header,
    .test_block = test_block,
    .invalidate_block = invalidate_block,
    .reconsider_block = reconsider_block,
    .precious_block = precious_block,
    .prune = prune,
    .verify_chain = verify_chain,
    .wait_tip = wait_tip,
    .sync_queue = sync_queue,
};
