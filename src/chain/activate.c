/* Moving the tip: to the best chain, block by block, back and forth. */
#include "chain/chain_priv.h"

#include <math.h>
#include <time.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "coins/undo.h"

/* Nodes of the way ahead that are looked up together. */
#define WAY_NODES 256

static enum block_validity validity_of(uint32_t marks)
{
    if ((marks & HEADER_FAILED) != 0)
        return BLOCK_FAILED;
    if ((marks & HEADER_FAILED_CHILD) != 0)
        return BLOCK_FAILED_CHILD;
    if ((marks & HEADER_CONNECTED) != 0)
        return BLOCK_SCRIPTS;
    return (marks & HEADER_CHECKED) != 0 ? BLOCK_TRANSACTIONS : BLOCK_HEADER_ONLY;
}

struct block_info chain_info(const struct chain *chain, const struct header_node *node,
                             const struct header_node *tip)
{
    uint32_t marks = header_marks(node);
    struct block_info info = {.hash = node->hash,
                              .header = header_of_node(node),
                              .height = node->height,
                              .median_time_past = header_median_time(node),
                              .tx_n = atomic_load(&node->tx_n),
                              .chain_tx_n = atomic_load(&node->chain_tx_n),
                              .validity = validity_of(marks),
                              .have_data = (marks & HEADER_DATA) != 0,
                              .have_undo = (marks & HEADER_UNDO) != 0,
                              .size_bytes = atomic_load(&node->size_bytes)};

    (void)chain;
    put_be64(info.chainwork + 16, node->work_high);
    put_be64(info.chainwork + 24, node->work_low);
    if (tip != NULL && header_is_ancestor(node, tip)) {
        const struct header_node *next = header_ancestor(tip, node->height + 1);

        info.in_active_chain = true;
        info.has_next = next != NULL;
        if (next != NULL)
            info.next = next->hash;
    }
    return info;
}

static void log_tip(const struct chain *chain, const struct header_node *node)
{
    struct u256 work = header_work(node);
    time_t seconds = (time_t)node->time;
    char date[32] = "";
    struct tm tm;

    if (gmtime_r(&seconds, &tm) != NULL)
        strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm);
    log_info("chain",
             "UpdateTip: new best=%s height=%d version=0x%08x log2_work=%f tx=%llu date='%s' "
             "cache=%.1fMiB(%llutxo)",
             hash_hex(node->hash.b).text, node->height, (unsigned)node->version,
             log2(u256_to_double(&work)), (unsigned long long)atomic_load(&node->chain_tx_n), date,
             (double)coins_cache_bytes(chain->active->coins) / 1048576,
             (unsigned long long)coins_cache_count(chain->active->coins));
}

static void look_at_age(struct chain *chain, const struct header_node *tip)
{
    struct u256 work = header_work(tip);
    int64_t now_s = clock_wall_s(chain->clock);

    if (!atomic_load(&chain->is_initial) || atomic_load(&chain->is_importing) ||
        u256_compare(&work, &chain->options.minimum_chain_work) < 0 ||
        (int64_t)tip->time < now_s - chain->options.max_tip_age_s)
        return;
    atomic_store(&chain->is_initial, false);
    assumed_share_memory(chain);
    log_info("chain", "Leaving InitialBlockDownload (latching to false)");
}

static struct tip_event event_of(const struct chain *chain, const struct header_node *old,
                                 const struct header_node *tip)
{
    const struct header_node *fork = old == NULL ? tip : header_fork(old, tip);

    return (struct tip_event){.tip = chain_info(chain, tip, tip),
                              .fork = chain_info(chain, fork, tip),
                              .is_reorganization = old != NULL && fork != old,
                              .initial_block_download = atomic_load(&chain->is_initial)};
}

static void tell_published(struct chain *chain, const struct header_node *old,
                           const struct header_node *tip)
{
    struct tip_event event = event_of(chain, old, tip);

    for (size_t i = 0; i < chain->events_n; i++) {
        if (chain->events[i]->tip_published != NULL)
            chain->events[i]->tip_published(chain->events[i]->context, &event);
    }
}

static void tell_tip(struct chain *chain, const struct header_node *old,
                     const struct header_node *tip)
{
    struct tip_event event = event_of(chain, old, tip);
    struct disconnected_tx *txs;
    size_t n = 0;

    for (const struct body *body = chain->disconnected; body != NULL; body = body->next)
        n += body->block.tx_n;
    txs = alloc_array(n + 1, sizeof(*txs));
    n = 0;
    for (const struct body *body = chain->disconnected; body != NULL; body = body->next) {
        for (uint32_t t = 1; t < body->block.tx_n; t++)
            txs[n++] = (struct disconnected_tx){.txid = body->block.tx[t].txid,
                                                .raw = body->block.tx[t].raw};
    }
    event.disconnected = txs;
    event.disconnected_n = n;
    for (size_t i = 0; i < chain->events_n; i++) {
        if (chain->events[i]->tip_changed != NULL)
            chain->events[i]->tip_changed(chain->events[i]->context, &event);
    }
    free(txs);
}

void chain_forget_disconnected(struct chain *chain)
{
    while (chain->disconnected != NULL) {
        struct body *next = chain->disconnected->next;

        flight_body_release(chain, chain->disconnected);
        chain->disconnected = next;
    }
    chain->disconnected_bytes = 0;
}

void chain_publish(struct chain *chain)
{
    struct header_node *old = chain_tip_node(chain);
    struct header_node *tip = chain->active->verified;

    if (tip == NULL)
        return;
    look_at_age(chain, tip);
    if (tip == old)
        return;
    if (chain->events_n > 0)
        tell_tip(chain, old, tip);
    chain_forget_disconnected(chain);
    chain_look_at_versions(chain, old, tip);
    chain_look_at_invalid(chain, false);
    if (!atomic_load(&chain->is_importing) || tip->height == 0)
        log_tip(chain, tip);
    atomic_store(&chain->coins_cache_bytes, coins_cache_bytes(chain->active->coins));
    atomic_store(&chain->coins_cache_n, coins_cache_count(chain->active->coins));
    atomic_store(&chain->size_on_disk, block_files_used_bytes(chain->files));
    mutex_lock(&chain->mutex);
    atomic_store_explicit(&chain->tip, tip, memory_order_release);
    cond_broadcast(&chain->moved);
    mutex_unlock(&chain->mutex);
    if (chain->events_n > 0)
        tell_published(chain, old, tip);
    if (chain->options.stop_at_height > 0 && tip->height >= chain->options.stop_at_height &&
        !chain->stop_told) {
        chain->stop_told = true;
        log_info("chain", "Stopping after reaching block height %d", tip->height);
        chain_stop(chain);
        if (chain->options.on_stop != NULL)
            chain->options.on_stop(chain->options.on_stop_context, CHAIN_STOP_HEIGHT,
                                   "reached -stopatheight");
    }
}

/* In the middle of a reorganization others keep seeing the old chain, until the new
 * one has more work. */
static void publish_progress(struct chain *chain)
{
    const struct header_node *tip = chain_tip_node(chain);

    if (chain->active->verified != NULL && chain->active->verified != tip &&
        (tip == NULL || header_work_compare(chain->active->verified, tip) > 0))
        chain_publish(chain);
}

void chain_tell_settled(struct chain *chain)
{
    look_at_age(chain, chain->active->verified);
    if (!atomic_load(&chain->is_initial))
        publish_progress(chain);
}

void chain_tell_rejected(struct chain *chain, const struct block_hash *hash,
                         const struct finding *finding)
{
    char reason[FINDING_REASON_MAX];

    finding_reason(reason, finding);
    for (size_t i = 0; i < chain->events_n; i++) {
        if (chain->events[i]->block_rejected != NULL)
            chain->events[i]->block_rejected(chain->events[i]->context, hash, reason);
    }
}

void chain_tell_stored(struct chain *chain, const struct body *body)
{
    const struct header_node *node = body->node;
    struct block_info info;

    if (chain->events_n == 0 || atomic_load(&chain->is_initial) ||
        node->prev != chain->active->verified)
        return;
    info = chain_info(chain, node, chain_tip_node(chain));
    for (size_t i = 0; i < chain->events_n; i++) {
        if (chain->events[i]->block_stored != NULL)
            chain->events[i]->block_stored(chain->events[i]->context, &info, &body->block);
    }
}

void chain_tell_header(struct chain *chain)
{
    struct header_node *best = header_tree_best(chain->tree);
    struct block_info info;

    if (best == chain->header_told)
        return;
    chain->header_told = best;
    if (chain->events_n == 0)
        return;
    info = chain_info(chain, best, chain_tip_node(chain));
    for (size_t i = 0; i < chain->events_n; i++) {
        if (chain->events[i]->header_changed != NULL)
            chain->events[i]->header_changed(chain->events[i]->context, &info);
    }
}

int chain_read_body(struct chain *chain, struct body *body, struct header_node *node,
                    struct error *err)
{
    char reason[FINDING_REASON_MAX] = "";
    uint64_t place = atomic_load(&node->block_place);

    body->node = node;
    body->files = chain->files;
    body_prepare(body);
    if (body->rc == 0 && body->finding.verdict == V_VALID)
        return 0;
    if (body->rc == 0)
        finding_reason(reason, &body->finding);
    return error_set(err,
                     body->rc == 0 || body->rc == E_TRUNCATED || body->rc == E_MALFORMED ? E_CORRUPT
                                                                                         : body->rc,
                     "could not read block %s in 'blk%05u.dat' at offset %u: %s",
                     hash_hex(node->hash.b).text, header_place_file(place),
                     header_place_offset(place), body->rc == 0 ? reason : error_text(&body->err));
}

int chain_read_undo(const struct chain *chain, const struct header_node *node, struct buf *bytes,
                    struct undo *ret_undo, struct arena *arena, struct error *err)
{
    uint64_t place = atomic_load(&node->undo_place);
    struct block_pos pos = {(int32_t)header_place_file(place), header_place_offset(place)};
    int rc;

    if (!header_has(node, HEADER_UNDO))
        return error_set(err, E_NOT_FOUND, "no undo data for block %s",
                         hash_hex(node->hash.b).text);
    rc = block_files_read_undo(chain->files, bytes, pos, &node->prev->hash, err);
    if (rc == 0)
        rc = undo_read(ret_undo, span_of_buf(bytes), arena, err);
    if (rc == E_TRUNCATED || rc == E_MALFORMED)
        rc = E_CORRUPT;
    if (rc < 0)
        error_wrap(err, "could not read undo data of block %s", hash_hex(node->hash.b).text);
    return rc;
}

/* The undo must fit the block: as many transactions and inputs. */
static int lay_out_undo(struct body *body, const struct undo *undo, struct error *err)
{
    const struct block *block = &body->block;

    if (undo->tx_n + 1 != block->tx_n)
        return error_set(err, E_CORRUPT, "undo data does not fit the block");
    for (uint32_t t = 1; t < block->tx_n; t++) {
        if (undo->tx[t - 1].coins_n != block->tx[t].in_n)
            return error_set(err, E_CORRUPT, "undo data does not fit the block");
        memcpy(&body->coins[body->in_first[t]], undo->tx[t - 1].coins,
               block->tx[t].in_n * sizeof(*body->coins));
    }
    body->taken = arena_alloc(&body->arena, body->spends_n * sizeof(*body->taken));
    for (uint32_t i = 0; i < body->spends_n; i++)
        body->taken[i] = body->coins[body->spends_at[i]];
    return 0;
}

int chain_revert_body(struct chain *chain, struct coins_store *coins, struct body *body,
                      struct buf *undo_bytes, struct error *err)
{
    struct header_node *node = body->node;
    struct coins_change change;
    struct undo undo;
    int rc = chain_read_undo(chain, node, undo_bytes, &undo, &body->arena, err);

    if (rc == 0)
        rc = lay_out_undo(body, &undo, err);
    if (rc < 0)
        return rc;
    body->is_repeat = bip30_is_unclean(node->height, &node->hash, chain->params) ||
                      bip30_is_repeat(node->height, &node->hash, chain->params);
    change = body_change(body, body->taken);
    change.new_tip = node->prev->hash;
    return coins_revert(coins, &change, err);
}

static void keep_disconnected(struct chain *chain, struct body *own_body)
{
    struct body **last = &chain->disconnected;

    own_body->next = chain->disconnected;
    chain->disconnected = own_body;
    chain->disconnected_bytes += own_body->bytes.len;
    /* Too much: the highest block goes, nothing that stays rests on it. */
    while (chain->disconnected_bytes > EVENTS_DISCONNECTED_BYTES_MAX) {
        last = &chain->disconnected;
        while ((*last)->next != NULL)
            last = &(*last)->next;
        chain->disconnected_bytes -= (*last)->bytes.len;
        flight_body_release(chain, *last);
        *last = NULL;
    }
}

int chain_disconnect_tip(struct chainstate *state, struct error *err)
{
    struct header_node *node = state->verified;
    struct body *body = flight_body_new(state->chain);
    struct buf undo_bytes = {0};
    struct block_info info;
    int rc;

    CHECK(state->flight.settled == state->flight.fed);
    CHECK(node->prev != NULL && state->coins_node == node);
    rc = chain_read_body(state->chain, body, node, err);
    if (rc == 0)
        rc = chain_revert_body(state->chain, state->coins, body, &undo_bytes, err);
    if (rc < 0) {
        error_wrap(err, "could not disconnect block %d", node->height);
        goto done;
    }
    state->verified = state->coins_node = node->prev;
    if (state->chain->events_n == 0 || state != state->chain->active)
        goto done;
    info = chain_info(state->chain, node, node);
    for (size_t i = 0; i < state->chain->events_n; i++) {
        if (state->chain->events[i]->block_disconnected != NULL)
            state->chain->events[i]->block_disconnected(state->chain->events[i]->context, &info,
                                                        &body->block);
    }
    keep_disconnected(state->chain, body);
    body = NULL;

done:
    buf_clear(&undo_bytes);
    flight_body_release(state->chain, body);
    return rc;
}

static bool has_better(struct chain *chain)
{
    const struct header_node *best = chain_select(chain);

    return best != NULL && best != chain->active->verified;
}

bool chain_tip_waits(struct chain *chain)
{
    if (atomic_load(&chain->offers_n) > 0 || chain->answers != NULL)
        return true;
    if (!chain->candidates_stale && chain->received_n == chain->selected_n)
        return false;
    chain->selected_n = chain->received_n;
    return has_better(chain);
}

/* What has to be looked after while blocks go by. *ret_end: stop here. */
static int look_after(struct chainstate *state, bool *ret_end, struct error *err)
{
    struct chain *chain = state->chain;
    int rc;

    if (state == chain->active)
        publish_progress(chain);
    else
        atomic_store(&chain->background_tip, state->verified);
    if (atomic_load(&chain->light_n) > 0)
        chain_serve_light(chain);
    if (atomic_load(&chain->offers_n) > 0) {
        rc = sink_take(chain, true, err);
        if (rc < 0)
            return rc;
    }
    rc = chain_commit_if_due(state, false, err);
    if (rc == 0 && state != chain->active)
        rc = chain_commit_if_due(chain->active, false, err);
    if (rc == 0)
        rc = chain_prune_if_due(state, err);
    if (atomic_load(&chain->is_importing))
        chain_progress(chain, false);
    *ret_end = chain_must_yield(chain) || (state != chain->active && chain_tip_waits(chain));
    return rc;
}

struct way {
    struct header_node *nodes[WAY_NODES];
    int32_t first; /* Height of nodes[0]. */
    int32_t n;
};

static struct header_node *way_at(struct way *way, const struct header_node *target, int32_t height)
{
    if (height > target->height)
        return NULL;
    if (height < way->first || height >= way->first + way->n) {
        int32_t last = MIN(target->height, height + WAY_NODES - 1);
        struct header_node *node = header_ancestor(target, last);

        way->first = height;
        way->n = last - height + 1;
        for (int32_t i = way->n - 1; i >= 0; i--, node = node->prev)
            way->nodes[i] = node;
    }
    return way->nodes[height - way->first];
}

/* With -stopatheight nothing above it is begun once it comes into sight. */
static const struct header_node *stop_short(const struct chainstate *state,
                                            const struct header_node *target)
{
    int32_t stop = state->chain->options.stop_at_height;
    int32_t height = state->verified == NULL ? 0 : state->verified->height;

    if (state != state->chain->active)
        return target;
    return stop > height && target->height > stop ? header_ancestor(target, stop) : target;
}

/* Blocks that came meanwhile and go on where target ends, so that the flight need not
 * be emptied between. */
static const struct header_node *extend(struct chainstate *state, const struct header_node *target,
                                        uint64_t *received_n)
{
    struct chain *chain = state->chain;
    const struct header_node *further;

    if (chain->received_n == *received_n)
        return target;
    *received_n = chain->received_n;
    further = state == chain->active ? chain_select(chain) : assumed_target(chain);
    if (further == NULL || further->height <= target->height ||
        !header_is_ancestor(target, further))
        return target;
    return stop_short(state, further);
}

/* Connects what lies between here and target, and what comes behind it meanwhile, until
 * something is bad or asks for an end. */
static int connect_to(struct chainstate *state, const struct header_node *target, struct error *err)
{
    uint64_t received_n = state->chain->received_n;
    struct flight *flight = &state->flight;
    struct way way = {.n = 0};
    int32_t height = state->verified == NULL ? 0 : state->verified->height + 1;
    struct header_node *next = way_at(&way, target, height);
    bool is_bad = false;
    bool is_end = false;
    int rc = 0;

    while (!is_end && (next != NULL || flight->settled != flight->fed)) {
        while (next != NULL && flight_has_room(state, next)) {
            flight_feed(state, next);
            next = way_at(&way, target, ++height);
        }
        if (flight_next_is_prepared(state))
            rc = flight_apply(state, &is_bad, err);
        else if (flight_head_is_judged(state))
            rc = flight_settle(state, &is_bad, err);
        else
            flight_work(state);
        while (rc == 0 && !is_bad && flight_head_is_judged(state))
            rc = flight_settle(state, &is_bad, err);
        if (rc < 0 || is_bad)
            return rc;
        rc = look_after(state, &is_end, err);
        if (rc < 0)
            return rc;
        if (state->commit_met_bad)
            return 0;
        if (next == NULL && !is_end) {
            target = extend(state, target, &received_n);
            next = way_at(&way, target, height);
        }
        if (state->commit_broke_flight) {
            /* The commit drained the flight: what was only fed is to be fed again. */
            height = state->verified == NULL ? 0 : state->verified->height + 1;
            next = way_at(&way, target, height);
        }
    }
    return chain_is_stopping(state->chain) ? flight_abandon(state, err)
                                           : flight_drain(state, &is_bad, err);
}

int chain_move_to(struct chainstate *state, const struct header_node *target, struct error *err)
{
    const struct header_node *fork =
        state->verified == NULL ? NULL : header_fork(state->verified, target);

    /* The other branch may turn out bad: then this one is the best again. */
    if (state == state->chain->active && fork != state->verified)
        node_list_add(&state->chain->candidates, state->verified);

    while (state->verified != fork) {
        int rc = chain_disconnect_tip(state, err);

        if (rc < 0)
            return rc;
    }
    return connect_to(state, stop_short(state, target), err);
}

static int activate_best(struct chain *chain, struct error *err)
{
    int rc = assumed_look(chain, err);

    while (rc == 0) {
        struct header_node *target = chain_select(chain);

        if (target == NULL || target == chain->active->verified)
            break;
        rc = chain_move_to(chain->active, target, err);
        if (rc == 0)
            rc = assumed_look(chain, err);
        if (chain_must_yield(chain))
            break;
    }
    if (rc < 0)
        return rc;
    /* Stopped in the middle of a reorganization: the old tip may be gone. */
    chain_publish(chain);
    chain_forget_worse(chain);
    return 0;
}

int chain_activate(struct chain *chain, struct error *err)
{
    int rc;

    do {
        rc = activate_best(chain, err);
        if (rc == 0)
            rc = assumed_step(chain, err);
        /* What came meanwhile, or is let in by a snapshot that was verified. */
    } while (rc == 0 && !chain_must_yield(chain) && has_better(chain));
    return rc < 0 ? rc : chain_prune_if_due(chain->active, err);
}
