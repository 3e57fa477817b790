/* Blocks on their way: fed in height order, prepared by workers, applied to the
 * coins one after the other, checked by workers across block borders, settled in
 * order. Nothing waits at a block's end; when a block turns out invalid, what was
 * applied since is taken back. */
#include "chain/chain_priv.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"

/* Memory a body comes to, by the bytes of its block: what was measured on chains
 * of small and large transactions, rounded up. */
#define BODY_BYTES_FACTOR 5
#define BODY_BYTES_MIN (UINT64_C(96) << 10)
/* Bodies that wait for use may hold this much. */
#define SPARE_BYTES_MAX (UINT64_C(12) << 20)

#define ASSUMED_DEPTH_S (INT64_C(14) * 24 * 60 * 60)

static struct body **slot(struct chainstate *state, uint32_t at)
{
    return &state->flight.ring[at % FLIGHT_MAX];
}

static uint64_t expected_bytes(const struct header_node *node)
{
    return BODY_BYTES_MIN +
           (uint64_t)atomic_load_explicit(&node->size_bytes, memory_order_relaxed) *
               BODY_BYTES_FACTOR;
}

struct body *flight_body_new(struct chain *chain)
{
    struct body *body = chain->spare;

    if (body == NULL) {
        body = body_new(chain->params, chain->batches, chain->options.salt[0]);
        body->sig_cache = chain->options.sig_cache;
        return body;
    }
    chain->spare = body->next;
    chain->spare_bytes -= body_memory(body);
    body->next = NULL;
    return body;
}

void flight_body_release(struct chain *chain, struct body *own_body)
{
    if (own_body == NULL)
        return;
    body_reset(own_body);
    if (chain->spare_bytes + body_memory(own_body) > SPARE_BYTES_MAX) {
        body_free(own_body);
        return;
    }
    own_body->next = chain->spare;
    chain->spare = own_body;
    chain->spare_bytes += body_memory(own_body);
}

void flight_free(struct chain *chain)
{
    while (chain->spare != NULL) {
        struct body *next = chain->spare->next;

        body_free(chain->spare);
        chain->spare = next;
    }
}

bool flight_has_room(const struct chainstate *state, const struct header_node *node)
{
    const struct flight *flight = &state->flight;

    if (flight->fed == flight->settled)
        return true;
    return flight->fed - flight->settled < FLIGHT_MAX &&
           flight->bytes + expected_bytes(node) <= FLIGHT_BYTES_MAX;
}

void flight_feed(struct chainstate *state, struct header_node *node)
{
    struct flight *flight = &state->flight;
    struct body *body = chain_kept_body(state->chain, node);

    if (body == NULL) {
        body = flight_body_new(state->chain);
        body->node = node;
        body->files = state->chain->files;
        body->work.run = body_prepare_run;
        pool_add(&state->chain->pool, &body->work, 1, sizeof(body->work), &body->prepared);
    }
    body->expected_bytes = expected_bytes(node);
    flight->bytes += body->expected_bytes;
    *slot(state, flight->fed++) = body;
}

/* Forgets what was fed from `from` on; its work is waited for. */
static void forget_from(struct chainstate *state, uint32_t from)
{
    struct flight *flight = &state->flight;

    while (flight->fed != from) {
        struct body *body = *slot(state, --flight->fed);

        pool_wait(&state->chain->pool, &body->prepared);
        flight->bytes -= body->expected_bytes;
        flight_body_release(state->chain, body);
    }
}

struct coins_change body_change(const struct body *body, const struct coin *spent)
{
    return (struct coins_change){.spends = body->spends,
                                 .spends_n = body->spends_n,
                                 .spent_coins = spent,
                                 .adds = body->adds,
                                 .add_coins = body->add_coins,
                                 .adds_n = body->adds_n,
                                 .new_tip = body->node->hash,
                                 .may_replace = body->is_repeat};
}

int flight_take_back(struct chainstate *state, struct body *body, struct error *err)
{
    struct coins_change change = body_change(body, body->taken);
    int rc;

    change.new_tip = body->node->prev == NULL ? (struct block_hash){0} : body->node->prev->hash;
    rc = coins_revert(state->coins, &change, err);
    if (rc < 0)
        return rc;
    state->coins_node = body->node->prev;
    return 0;
}

/* Takes back all blocks applied from `from` on, newest first. */
static int roll_back(struct chainstate *state, uint32_t from, struct error *err)
{
    struct flight *flight = &state->flight;

    forget_from(state, flight->applied);
    while (flight->applied != from) {
        struct body *body = *slot(state, flight->applied - 1);
        int rc;

        pool_wait(&state->chain->pool, &body->judged);
        rc = flight_take_back(state, body, err);
        if (rc < 0)
            return rc;
        flight->applied--;
    }
    forget_from(state, from);
    return 0;
}

int flight_abandon(struct chainstate *state, struct error *err)
{
    int rc;

    atomic_store(&state->flight.is_cancelled, true);
    rc = roll_back(state, state->flight.settled, err);
    atomic_store(&state->flight.is_cancelled, false);
    return rc;
}

void flight_discard(struct chainstate *state)
{
    struct flight *flight = &state->flight;

    atomic_store(&flight->is_cancelled, true);
    forget_from(state, flight->applied);
    while (flight->applied != flight->settled) {
        struct body *body = *slot(state, --flight->applied);

        pool_wait(&state->chain->pool, &body->judged);
        forget_from(state, flight->applied);
    }
}

static bool is_assumed_deep(const struct chain *chain, const struct header_node *best,
                            const struct header_node *node)
{
    struct u256 work = header_work(best);
    struct u256 below = header_work(node);
    struct u256 span = u256_subtract(&work, &below);
    struct u256 one = work_of_bits(best->bits);
    double blocks = u256_to_double(&span) / u256_to_double(&one);

    return blocks * (double)chain->params->pow_target_spacing_s > (double)ASSUMED_DEPTH_S;
}

bool chain_scripts_needed(const struct chain *chain, const struct header_node *node,
                          const char **ret_reason)
{
    const struct header_node *best = header_tree_best(chain->tree);
    const struct header_node *assumed;
    struct u256 work = header_work(best);

    if (block_hash_is_null(&chain->options.assumevalid)) {
        *ret_reason = "assumevalid=0 (always verify)";
        return true;
    }
    assumed = header_tree_find(chain->tree, &chain->options.assumevalid);
    if (assumed == NULL)
        *ret_reason = "assumevalid hash not in headers";
    else if (!header_is_ancestor(node, assumed))
        *ret_reason = node->height > assumed->height ? "block height above assumevalid height"
                                                     : "block not in assumevalid chain";
    else if (!header_is_ancestor(node, best))
        *ret_reason = "block not in best header chain";
    else if (u256_compare(&work, &chain->options.minimum_chain_work) < 0)
        *ret_reason = "best header chainwork below minimumchainwork";
    else if (!is_assumed_deep(chain, best, node))
        *ret_reason = "block too recent relative to best header";
    else
        return false;
    return true;
}

static bool scripts_needed(struct chainstate *state, const struct header_node *node)
{
    const char *reason = NULL;
    bool needed = chain_scripts_needed(state->chain, node, &reason);

    if (node->height == 0)
        return true;
    if (needed != state->script_state) {
        if (needed)
            log_info("chain", "Enabling script verification at block #%d (%s): %s.", node->height,
                     hash_hex(node->hash.b).text, reason);
        else
            log_info("chain", "Disabling script verification at block #%d (%s).", node->height,
                     hash_hex(node->hash.b).text);
        state->script_state = needed;
    }
    return needed;
}

/* BIP 30. A block repeats no unspent transaction once BIP 34 makes coinbases of
 * different heights differ, and it cannot have been otherwise below if that holds
 * from the first block on: a repeated transaction needs a repeated coinbase among
 * its ancestors. */
static bool must_be_new(const struct chain *chain, const struct body *body)
{
    const struct header_node *node = body->node;
    int32_t bip34 = chain->params->buried_height[BURIED_BIP34];
    const struct header_node *at;

    if (node->prev == NULL || bip34 <= 1)
        return false;
    at = header_ancestor(node->prev, bip34);
    return bip30_check_needed(node->height, &node->hash, at == NULL ? NULL : &at->hash,
                              chain->params);
}

static int check_new(struct chainstate *state, struct body *body, struct error *err)
{
    const struct block *block = &body->block;
    struct outpoint *made;
    struct coin *coins;
    uint32_t made_n = 0;
    bool *found;
    int rc;

    for (uint32_t t = 0; t < block->tx_n; t++)
        made_n += block->tx[t].out_n;
    made = arena_alloc(&body->arena, made_n * sizeof(*made));
    coins = arena_alloc(&body->arena, made_n * sizeof(*coins));
    found = arena_alloc(&body->arena, made_n * sizeof(*found));
    /* Not body->adds: what the block spends itself repeats a coin just as well. */
    made_n = 0;
    for (uint32_t t = 0; t < block->tx_n; t++) {
        for (uint32_t i = 0; i < block->tx[t].out_n; i++)
            made[made_n++] = (struct outpoint){.txid = block->tx[t].txid, .vout = i};
    }
    rc = coins_find_many(state->coins, coins, found, made, made_n, &body->arena, err);
    if (rc < 0)
        return rc;
    for (uint32_t i = 0; i < made_n; i++) {
        if (found[i]) {
            finding_set(&body->finding, V_BAD_TXNS_BIP30, UINT32_MAX, UINT32_MAX,
                        "tried to overwrite transaction");
            break;
        }
    }
    return 0;
}

/* Some input's coin is not there: finds out which rule comes first. */
static int judge_missing(struct chainstate *state, struct body *body, size_t missing,
                         struct error *err)
{
    struct coin *coins = arena_alloc(&body->arena, body->spends_n * sizeof(*coins));
    bool *found = arena_alloc(&body->arena, body->spends_n * sizeof(*found));
    bool *is_missing = arena_array(&body->arena, body->in_n, sizeof(*is_missing));
    int rc = coins_find_many(state->coins, coins, found, body->spends, body->spends_n, &body->arena,
                             err);

    if (rc < 0)
        return rc;
    for (uint32_t i = 0; i < body->spends_n; i++) {
        if (!found[i])
            is_missing[body->spends_at[i]] = true;
    }
    if (missing != SIZE_MAX)
        is_missing[body->spends_at[missing]] = true;
    if (body->misplaced != UINT32_MAX)
        is_missing[body->misplaced] = true;
    body_take_coins(body, coins);
    body_judge_missing(body, is_missing, &body->finding);
    CHECK(body->finding.verdict != V_VALID);
    return 0;
}

static int write_undo(struct chainstate *state, struct body *body, struct error *err)
{
    struct header_node *node = body->node;
    struct buf *buf = &state->undo_buf;
    struct block_pos pos;
    int rc;

    if (body->is_trial || node->prev == NULL || header_has(node, HEADER_UNDO))
        return 0;
    buf->len = 0;
    undo_begin(buf, body->block.tx_n - 1);
    for (uint32_t t = 1; t < body->block.tx_n; t++)
        undo_add_tx(buf, &body->coins[body->in_first[t]], body->block.tx[t].in_n);
    rc = block_files_add_undo(state->chain->files, &pos,
                              (int32_t)header_place_file(atomic_load(&node->block_place)),
                              span_of_buf(buf), &node->prev->hash, node->height, err);
    if (rc < 0)
        return rc;
    body->undo_place = header_place((uint32_t)pos.file, pos.offset);
    body->has_undo = true;
    return 0;
}

/* The coins' part. body->finding says whether the block was applied. */
static int apply_coins(struct chainstate *state, struct body *body, struct error *err)
{
    struct coins_change change;
    size_t missing = SIZE_MAX;
    int rc = 0;

    body->is_repeat = bip30_is_repeat(body->node->height, &body->node->hash, state->chain->params);
    if (!body->is_repeat && must_be_new(state->chain, body)) {
        rc = check_new(state, body, err);
        if (rc < 0 || body->finding.verdict != V_VALID)
            return rc;
    }
    if (body->misplaced != UINT32_MAX)
        return judge_missing(state, body, SIZE_MAX, err);
    body->taken = arena_alloc(&body->arena, body->spends_n * sizeof(*body->taken));
    change = body_change(body, NULL);
    if (body->node->prev == NULL)
        change.adds_n = 0; /* Genesis: its output never became a coin. */
    rc = coins_apply(state->coins, body->taken, &missing, &change, &body->arena, err);
    if (rc < 0)
        return rc;
    if (missing != SIZE_MAX)
        return judge_missing(state, body, missing, err);
    state->coins_node = body->node;
    body_take_coins(body, body->taken);
    return write_undo(state, body, err);
}

/* A block of ours that was good when it was stored must still be. */
static int explain_damage(const struct body *body, struct error *err)
{
    char reason[FINDING_REASON_MAX];

    finding_reason(reason, &body->finding);
    return error_set(
        err, E_CORRUPT,
        "block %s in 'blk%05u.dat' at offset %u is damaged (%s): restart with -reindex",
        hash_hex(body->node->hash.b).text, header_place_file(atomic_load(&body->node->block_place)),
        header_place_offset(atomic_load(&body->node->block_place)), reason);
}

/* What preparing the block has shown. 1: go on. 0: it is bad (finding). */
static int take_prepared(struct chainstate *state, struct body *body, struct error *err)
{
    bool was_checked = header_has(body->node, HEADER_CHECKED);

    pool_wait(&state->chain->pool, &body->prepared);
    if (body->rc < 0) {
        if (was_checked || body->rc == E_IO || body->rc == E_PERMISSION) {
            if (err != NULL)
                *err = body->err;
            error_wrap(err, "could not read block %s", hash_hex(body->node->hash.b).text);
            return body->rc == E_TRUNCATED || body->rc == E_MALFORMED ? E_CORRUPT : body->rc;
        }
        finding_set(&body->finding, V_BAD_MERKLE_ROOT, UINT32_MAX, UINT32_MAX, "%s",
                    error_text(&body->err));
        return 0;
    }
    if (body->finding.verdict != V_VALID)
        return was_checked ? explain_damage(body, err) : 0;
    if (!was_checked) {
        struct header_node *node = body->node;

        header_mark(node, HEADER_CHECKED);
        chain_touch(state->chain, node);
    }
    return 1;
}

int flight_apply(struct chainstate *state, bool *ret_bad, struct error *err)
{
    struct flight *flight = &state->flight;
    struct body *body = *slot(state, flight->applied);
    struct header_node *node = body->node;
    uint64_t before = node->prev == NULL ? 0 : atomic_load(&node->prev->chain_tx_n);
    int rc = take_prepared(state, body, err);

    *ret_bad = false;
    if (rc < 0)
        return rc;
    CHECK(state->coins_node == node->prev);
    if (rc > 0) {
        body->skip_scripts = !scripts_needed(state, node);
        rc = apply_coins(state, body, err);
        if (rc < 0) {
            error_wrap(err, "could not connect block %d", node->height);
            return rc;
        }
    }
    if (body->finding.verdict == V_VALID) {
        atomic_store(&node->tx_n, body->block.tx_n);
        atomic_store(&node->chain_tx_n, before + body->block.tx_n);
        flight->applied++;
        if (node->prev != NULL) {
            body->is_cancelled = &flight->is_cancelled;
            body_cut(body);
            pool_add(&state->chain->pool, &body->pieces[0].work, body->pieces_n,
                     sizeof(body->pieces[0]), &body->judged);
        }
        return 0;
    }
    /* Those before it are judged first: if one of them is bad, this one never was
     * looked at. */
    forget_from(state, flight->applied + 1);
    while (flight->settled != flight->applied) {
        rc = flight_settle(state, ret_bad, err);
        if (rc < 0 || *ret_bad)
            return rc;
    }
    *ret_bad = true;
    chain_condemn(state->chain, node, &body->finding);
    forget_from(state, flight->applied);
    return 0;
}

int flight_try(struct chainstate *state, struct body *body, struct error *err)
{
    int rc;

    CHECK(state->flight.settled == state->flight.fed);
    body->is_trial = true;
    rc = apply_coins(state, body, err);
    if (rc < 0 || body->finding.verdict != V_VALID)
        return rc;
    body_cut(body);
    pool_add(&state->chain->pool, &body->pieces[0].work, body->pieces_n, sizeof(body->pieces[0]),
             &body->judged);
    pool_wait(&state->chain->pool, &body->judged);
    if (body_judge(body, &body->finding) != V_VALID)
        return flight_take_back(state, body, err);
    return 0;
}

bool flight_next_is_prepared(const struct chainstate *state)
{
    const struct flight *flight = &state->flight;
    const struct body *body = flight->ring[flight->applied % FLIGHT_MAX];

    return flight->applied != flight->fed && atomic_load(&body->prepared.left) == 0;
}

void flight_work(struct chainstate *state)
{
    struct flight *flight = &state->flight;

    if (pool_help(&state->chain->pool))
        return;
    if (flight->settled != flight->applied)
        pool_wait(&state->chain->pool, &(*slot(state, flight->settled))->judged);
    else if (flight->applied != flight->fed)
        pool_wait(&state->chain->pool, &(*slot(state, flight->applied))->prepared);
}

bool flight_head_is_judged(const struct chainstate *state)
{
    const struct flight *flight = &state->flight;
    const struct body *body = flight->ring[flight->settled % FLIGHT_MAX];

    return flight->settled != flight->applied && atomic_load(&body->judged.left) == 0;
}

static void tell_connected(struct chain *chain, struct body *body)
{
    const struct coin **spent;
    struct block_info info;

    if (chain->events_n == 0)
        return;
    spent = arena_array(&body->arena, body->block.tx_n, sizeof(*spent));
    for (uint32_t t = 1; t < body->block.tx_n; t++)
        spent[t] = &body->coins[body->in_first[t]];
    info = chain_info(chain, body->node, body->node);
    for (size_t i = 0; i < chain->events_n; i++) {
        const struct chain_events *events = chain->events[i];

        if (events->block_connected != NULL)
            events->block_connected(events->context, &info, &body->block, spent);
    }
}

static void mark_connected(struct chain *chain, struct body *body)
{
    struct header_node *node = body->node;

    if (body->has_undo) {
        atomic_store(&node->undo_place, body->undo_place);
        header_mark(node, HEADER_UNDO);
    }
    if (!body->skip_scripts)
        header_unmark(node, HEADER_SKIPPED);
    else if (!header_has(node, HEADER_CONNECTED))
        header_mark(node, HEADER_SKIPPED);
    header_mark(node, HEADER_CONNECTED);
    if (node->height >= chain->params->buried_height[BURIED_SEGWIT])
        header_mark(node, HEADER_WITNESS);
    chain_touch(chain, node);
    /* Behind the tip lower blocks come later. */
    if (header_has(node, HEADER_SKIPPED) && node->height > atomic_load(&chain->skipped_up_to))
        atomic_store(&chain->skipped_up_to, node->height);
    chain->progress.blocks++;
    chain->progress.txs += body->block.tx_n;
}

int flight_settle(struct chainstate *state, bool *ret_bad, struct error *err)
{
    struct flight *flight = &state->flight;
    struct body *body = *slot(state, flight->settled);
    struct header_node *node = body->node;
    struct finding finding = {.verdict = V_VALID};
    int rc;

    *ret_bad = false;
    pool_wait(&state->chain->pool, &body->judged);
    if (node->prev != NULL && body_judge(body, &finding) != V_VALID) {
        rc = roll_back(state, flight->settled, err);
        if (rc < 0) {
            error_wrap(err, "could not take back block %d", node->height);
            return rc;
        }
        *ret_bad = true;
        chain_condemn(state->chain, node, &finding);
        return 0;
    }
    mark_connected(state->chain, body);
    /* Followers know the tip's chain; what lies behind it is not news. */
    if (state == state->chain->active)
        tell_connected(state->chain, body);
    flight->settled++;
    flight->bytes -= body->expected_bytes;
    flight_body_release(state->chain, body);
    state->verified = node;
    if (state == state->chain->active)
        chain_tell_settled(state->chain);
    return 0;
}

int flight_drain(struct chainstate *state, bool *ret_bad, struct error *err)
{
    struct flight *flight = &state->flight;

    *ret_bad = false;
    forget_from(state, flight->applied);
    while (flight->settled != flight->applied) {
        int rc = flight_settle(state, ret_bad, err);

        if (rc < 0 || *ret_bad)
            return rc;
    }
    return 0;
}
