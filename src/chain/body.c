#include "chain/body_priv.h"

#include "base/alloc.h"
#include "base/check.h"
#include "primitives/amount.h"
#include "script/sig_cache.h"
#include "script/sighash.h"

/* Inputs a piece takes: enough to make handing it out cheap, few enough that the
 * threads end a block about together. Without scripts an input costs a hundredth. */
#define PIECE_INPUTS 128U
#define PIECE_INPUTS_SKIPPED 4096U
/* A transaction with more inputs is cut; each part hashes it once for itself. */
#define PIECE_SPLIT_ABOVE 512U
#define PIECE_SPLIT_INPUTS 256U
/* Old-style inputs below this need no midstates of their own. */
#define PREFIX_INPUTS_MIN 16U

struct body *body_new(const struct params *params, struct sig_batch **batches, uint64_t salt)
{
    struct body *body = alloc_zero(sizeof(*body));

    body->params = params;
    body->batches = batches;
    body->salt = salt | 1;
    body_reset(body);
    return body;
}

void body_free(struct body *own_body)
{
    if (own_body == NULL)
        return;
    buf_clear(&own_body->bytes);
    arena_clear(&own_body->arena);
    free(own_body);
}

void body_reset(struct body *body)
{
    struct body empty = {.params = body->params,
                         .sig_cache = body->sig_cache,
                         .batches = body->batches,
                         .salt = body->salt,
                         .bytes = body->bytes,
                         .arena = body->arena,
                         .check_pow = true,
                         .check_merkle = true};

    *body = empty;
    body->bytes.len = 0;
    arena_reset(&body->arena);
}

uint64_t body_memory(const struct body *body)
{
    return sizeof(*body) + body->bytes.capacity + body->arena.total_bytes;
}

/* Which transaction of the block has this id; tx_n: none. Open addressing; slots
 * are salted because ids can be ground. */
struct id_table {
    const struct block *block;
    uint64_t salt;
    uint32_t mask;
    uint32_t *slots; /* Index + 1. */
};

static uint32_t id_slot(const struct id_table *table, const struct txid *txid)
{
    uint64_t mixed = (get_le64(txid->b) ^ table->salt) * UINT64_C(0x9e3779b97f4a7c15);

    mixed ^= get_le64(txid->b + 8);
    return (uint32_t)((mixed * table->salt) >> 32) & table->mask;
}

static uint32_t id_find(const struct id_table *table, const struct txid *txid)
{
    uint32_t slot = id_slot(table, txid);

    while (table->slots[slot] != 0) {
        uint32_t index = table->slots[slot] - 1;

        if (txid_equal(&table->block->tx[index].txid, txid))
            return index;
        slot = (slot + 1) & table->mask;
    }
    return table->block->tx_n;
}

static void id_table_init(struct id_table *table, const struct block *block, uint64_t salt,
                          struct arena *arena)
{
    uint32_t slots_n = 16;

    while (slots_n < block->tx_n * 2)
        slots_n *= 2;
    *table = (struct id_table){.block = block, .salt = salt, .mask = slots_n - 1};
    table->slots = arena_array(arena, slots_n, sizeof(*table->slots));
    for (uint32_t i = 0; i < block->tx_n; i++) {
        uint32_t slot = id_slot(table, &block->tx[i].txid);

        if (id_find(table, &block->tx[i].txid) < block->tx_n)
            continue; /* Repeats spend what the first one spent: the coins will tell. */
        while (table->slots[slot] != 0)
            slot = (slot + 1) & table->mask;
        table->slots[slot] = i + 1;
    }
}

/* Inputs that spend outputs of the same block get their coin here and never reach
 * the store; taken[] then keeps those outputs out of it too. */
static void net_inputs(struct body *body, const struct id_table *table, const uint32_t *out_first,
                       bool *taken)
{
    const struct block *block = &body->block;
    uint32_t at = 0;

    for (uint32_t t = 1; t < block->tx_n; t++) {
        const struct tx *tx = &block->tx[t];

        for (uint32_t i = 0; i < tx->in_n; i++, at++) {
            const struct outpoint *prevout = &tx->in[i].prevout;
            uint32_t source = id_find(table, &prevout->txid);
            const struct tx_out *out;

            if (source == block->tx_n) {
                body->spends_at[body->spends_n] = at;
                body->spends[body->spends_n++] = *prevout;
                continue;
            }
            if (source >= t || prevout->vout >= block->tx[source].out_n ||
                taken[out_first[source] + prevout->vout] ||
                script_is_unspendable(block->tx[source].out[prevout->vout].script_pubkey)) {
                body->misplaced = MIN(body->misplaced, at);
                continue;
            }
            taken[out_first[source] + prevout->vout] = true;
            out = &block->tx[source].out[prevout->vout];
            body->spent[at] = *out;
            body->coins[at] = (struct coin){.value_sat = out->value_sat,
                                            .script_pubkey = out->script_pubkey,
                                            .height = (uint32_t)body->node->height,
                                            .is_coinbase = source == 0};
        }
    }
}

static void collect_adds(struct body *body, const bool *taken)
{
    const struct block *block = &body->block;
    size_t out = 0;

    for (uint32_t t = 0; t < block->tx_n; t++) {
        const struct tx *tx = &block->tx[t];

        for (uint32_t i = 0; i < tx->out_n; i++, out++) {
            if (taken[out] || script_is_unspendable(tx->out[i].script_pubkey))
                continue;
            body->adds[body->adds_n] = (struct outpoint){.txid = tx->txid, .vout = i};
            body->add_coins[body->adds_n++] =
                (struct coin){.value_sat = tx->out[i].value_sat,
                              .script_pubkey = tx->out[i].script_pubkey,
                              .height = (uint32_t)body->node->height,
                              .is_coinbase = t == 0};
        }
    }
}

static void net(struct body *body)
{
    const struct block *block = &body->block;
    struct arena *arena = &body->arena;
    uint32_t *out_first = arena_alloc(arena, block->tx_n * sizeof(*out_first));
    struct id_table table;
    uint32_t out_n = 0;
    bool *taken;

    body->in_first = arena_alloc(arena, block->tx_n * sizeof(*body->in_first));
    for (uint32_t t = 0; t < block->tx_n; t++) {
        body->in_first[t] = body->in_n;
        out_first[t] = out_n;
        out_n += block->tx[t].out_n;
        if (t > 0)
            body->in_n += block->tx[t].in_n;
    }
    taken = arena_array(arena, out_n, sizeof(*taken));
    body->coins = arena_alloc(arena, body->in_n * sizeof(*body->coins));
    body->spent = arena_alloc(arena, body->in_n * sizeof(*body->spent));
    body->spends = arena_alloc(arena, body->in_n * sizeof(*body->spends));
    body->spends_at = arena_alloc(arena, body->in_n * sizeof(*body->spends_at));
    body->adds = arena_alloc(arena, out_n * sizeof(*body->adds));
    body->add_coins = arena_alloc(arena, out_n * sizeof(*body->add_coins));
    body->misplaced = UINT32_MAX;
    id_table_init(&table, block, body->salt, arena);
    net_inputs(body, &table, out_first, taken);
    collect_adds(body, taken);
}

size_t body_block_bytes(struct span bytes)
{
    struct arena arena;
    struct header header;
    struct reader r;
    struct tx tx;
    uint64_t tx_n;

    arena_init(&arena);
    reader_init(&r, bytes.data, bytes.len);
    header_read(&header, &r);
    tx_n = read_length(&r);
    for (uint64_t i = 0; i < tx_n && r.rc == 0; i++) {
        if (tx_read(&tx, &r, &arena, TX_READ_NO_IDS) < 0)
            break;
        arena_reset(&arena);
    }
    arena_clear(&arena);
    return r.rc < 0 ? 0 : bytes.len - r.left;
}

/* Connected when segwit's rules held from an earlier height on (-testactivationheight):
 * its witnesses were right then. */
static bool is_of_other_rules(const struct body *body)
{
    return body->finding.verdict == V_UNEXPECTED_WITNESS &&
           header_has(body->node, HEADER_CONNECTED | HEADER_WITNESS) &&
           body->node->height < body->params->buried_height[BURIED_SEGWIT];
}

static void judge_in_place(struct body *body)
{
    const struct header_node *node = body->node;
    struct ancestry ancestry = header_ancestry(node->prev);

    if (node->prev != NULL && block_verify(&body->block, &ancestry, body->params, &body->arena,
                                           &body->finding) != V_VALID) {
        if (!is_of_other_rules(body))
            return;
        body->finding = (struct finding){.verdict = V_VALID};
    }
    body->place =
        block_place_of(node->height, &node->hash,
                       node->prev == NULL ? 0 : header_median_time(node->prev), body->params);
    net(body);
}

void body_check(struct body *body)
{
    body->is_checked = true;
    body->finding = (struct finding){.verdict = V_VALID};
    body->rc = block_read(&body->block, body->bytes.data, body->bytes.len, &body->arena);
    if (body->rc < 0)
        error_set(&body->err, body->rc, "the block does not decode: %s",
                  body->rc == E_TRUNCATED ? "end of data" : "a size or flag that is not canonical");
    else
        block_check(&body->block, body->params, body->check_pow, body->check_merkle, &body->arena,
                    &body->finding);
}

/* An error about bytes that came from a file says where they lie. */
static void name_place(struct body *body)
{
    uint64_t place = atomic_load(&body->node->block_place);

    if (body->files != NULL)
        error_wrap(&body->err, "'blk%05u.dat' at offset %u", header_place_file(place),
                   header_place_offset(place));
}

void body_prepare(struct body *body)
{
    const struct header_node *node = body->node;

    if (body->is_checked) {
        judge_in_place(body);
        return;
    }
    body->finding = (struct finding){.verdict = V_VALID};
    if (body->files != NULL) {
        uint64_t place = atomic_load(&node->block_place);
        struct block_pos pos = {(int32_t)header_place_file(place), header_place_offset(place)};

        body->rc = block_files_read(body->files, &body->bytes, pos, &body->err);
        if (body->rc < 0)
            return;
    }
    body->rc = block_read(&body->block, body->bytes.data, body->bytes.len, &body->arena);
    if (body->rc == E_MALFORMED && body->files != NULL) {
        /* A record may be longer than its block. */
        size_t len = body_block_bytes(span_of_buf(&body->bytes));

        if (len > 0 && len < body->bytes.len) {
            body->bytes.len = len;
            body->rc = block_read(&body->block, body->bytes.data, len, &body->arena);
        }
    }
    if (body->rc < 0) {
        error_set(&body->err, body->rc, "the block does not decode: %s",
                  body->rc == E_TRUNCATED ? "end of data" : "a size or flag that is not canonical");
        name_place(body);
        return;
    }
    if (body->check_pow && !block_hash_equal(&body->block.hash, &node->hash)) {
        body->rc = error_set(&body->err, E_CORRUPT, "the block is another one");
        name_place(body);
        return;
    }
    if (block_check(&body->block, body->params, body->check_pow, body->check_merkle, &body->arena,
                    &body->finding) == V_VALID)
        judge_in_place(body);
}

void body_prepare_run(struct work *work, unsigned worker)
{
    (void)worker;
    body_prepare((struct body *)((char *)work - offsetof(struct body, work)));
}

void body_take_coins(struct body *body, const struct coin *found)
{
    for (uint32_t i = 0; i < body->spends_n; i++) {
        uint32_t at = body->spends_at[i];

        body->coins[at] = found[i];
        body->spent[at] = (struct tx_out){.value_sat = found[i].value_sat,
                                          .script_pubkey = found[i].script_pubkey};
    }
}

static void piece_add(struct body *body, uint32_t tx_from, uint32_t tx_end, uint32_t in_from,
                      uint32_t in_end)
{
    body->pieces[body->pieces_n++] = (struct body_piece){.work = {.run = body_piece_run},
                                                         .body = body,
                                                         .tx_from = tx_from,
                                                         .tx_end = tx_end,
                                                         .in_from = in_from,
                                                         .in_end = in_end};
}

void body_cut(struct body *body)
{
    uint32_t per_piece = body->skip_scripts ? PIECE_INPUTS_SKIPPED : PIECE_INPUTS;
    uint32_t tx_n = body->block.tx_n;
    uint32_t from = 0;
    uint32_t inputs = 0;
    /* Every full piece but the last holds per_piece inputs; a transaction that is cut
     * closes one piece and makes at most one short part. */
    size_t most = body->in_n / MIN(per_piece, PIECE_SPLIT_INPUTS) +
                  2 * (size_t)(body->in_n / PIECE_SPLIT_ABOVE) + 2;

    body->pieces = arena_alloc(&body->arena, most * sizeof(*body->pieces));
    body->pieces_n = 0;
    for (uint32_t t = 0; t < tx_n; t++) {
        uint32_t in_n = t == 0 ? 0 : body->block.tx[t].in_n;

        if (!body->skip_scripts && in_n > PIECE_SPLIT_ABOVE) {
            if (from < t)
                piece_add(body, from, t, 0, UINT32_MAX);
            for (uint32_t i = 0; i < in_n; i += PIECE_SPLIT_INPUTS)
                piece_add(body, t, t + 1, i, MIN(i + PIECE_SPLIT_INPUTS, in_n));
            from = t + 1;
            inputs = 0;
            continue;
        }
        inputs += in_n;
        if (inputs >= per_piece) {
            piece_add(body, from, t + 1, 0, UINT32_MAX);
            from = t + 1;
            inputs = 0;
        }
    }
    if (from < tx_n)
        piece_add(body, from, tx_n, 0, UINT32_MAX);
    CHECK(body->pieces_n <= most);
}

/* What time locks of the transaction are measured from; NULL without such locks. */
static const uint32_t *coin_times(const struct body *body, const struct tx *tx,
                                  const struct coin *coins, struct arena *scratch)
{
    bool by_time = false;
    uint32_t *mtps;

    if (!body->place.sequence_locks || !tx_has_sequence_locks(tx, &by_time) || !by_time)
        return NULL;
    mtps = arena_alloc(scratch, tx->in_n * sizeof(*mtps));
    for (uint32_t i = 0; i < tx->in_n; i++) {
        int32_t height = coins[i].height == 0 ? 0 : (int32_t)coins[i].height - 1;

        /* An input may spend an output of this block: its parent is then the tip. */
        mtps[i] = header_median_time(header_ancestor(body->node->prev, height));
    }
    return mtps;
}

static enum verdict tally_tx(const struct body *body, struct block_tally *tally, uint32_t t,
                             bool is_complete, struct arena *scratch, struct finding *finding)
{
    const struct tx *tx = &body->block.tx[t];
    const struct coin *coins = NULL;
    const struct tx_out *spent = NULL;
    const uint32_t *mtps = NULL;

    if (t > 0 && is_complete) {
        coins = &body->coins[body->in_first[t]];
        spent = &body->spent[body->in_first[t]];
        mtps = coin_times(body, tx, coins, scratch);
    }
    return block_tally_tx(tally, tx, t, coins, spent, mtps, &body->place, finding);
}

/* What a batch is told an input's verdict with. */
struct script_tag {
    struct body_piece *piece;
    uint32_t tx_index;
    struct spend spend;
    struct sighash_cache sighash;
};

void body_script_done(void *context, void *tag, uint32_t in_index, enum verdict verdict)
{
    struct script_tag *script = tag;
    struct body_piece *piece = script->piece;
    uint32_t t = script->tx_index;

    (void)context;
    if (verdict == V_VALID)
        return;
    /* The first in the block counts, whichever is told first. */
    if (piece->script.verdict == V_VALID || t < piece->script.tx_index ||
        (t == piece->script.tx_index && in_index < piece->script.in_index))
        finding_set_script(&piece->script, verdict, script->spend.tx, t, in_index);
}

/* Were all scripts of this transaction run before, by the same rules (mempool)? The id with
 * the witness names what it spends, and so the scripts it was judged with. */
static bool scripts_are_known(const struct body *body, const struct tx *tx)
{
    struct sig_cache_key key;

    if (body->sig_cache == NULL || sig_cache_is_empty(body->sig_cache))
        return false;
    key = sig_cache_scripts_key(body->sig_cache, &tx->wtxid, body->place.script_flags);
    return sig_cache_find(body->sig_cache, &key);
}

static void verify_scripts(struct body_piece *piece, uint32_t t, struct sig_batch *batch,
                           struct arena *scratch)
{
    const struct body *body = piece->body;
    const struct tx *tx = &body->block.tx[t];
    uint32_t end = MIN(piece->in_end, tx->in_n);
    struct script_tag *tag = arena_alloc(scratch, sizeof(*tag));
    bool has_cache = body->sig_cache != NULL && !sig_cache_is_empty(body->sig_cache);

    *tag = (struct script_tag){.piece = piece,
                               .tx_index = t,
                               .spend = {.tx = tx,
                                         .spent = &body->spent[body->in_first[t]],
                                         .sighash = &tag->sighash,
                                         .sig_cache = has_cache ? body->sig_cache : NULL}};
    sighash_cache_init(&tag->sighash, tx, tag->spend.spent,
                       tx->in_n >= PREFIX_INPUTS_MIN ? scratch : NULL);
    for (uint32_t i = piece->in_from; i < end; i++)
        sig_batch_input(batch, &tag->spend, i, body->place.script_flags, tag);
}

void body_piece_run(struct work *work, unsigned worker)
{
    struct body_piece *piece = (struct body_piece *)(void *)work;
    const struct body *body = piece->body;
    struct sig_batch *batch = body->batches[worker];
    struct finding ignored;
    struct arena scratch;

    if (body->is_cancelled != NULL && atomic_load(body->is_cancelled))
        return;
    arena_init(&scratch);
    for (uint32_t t = piece->tx_from; t < piece->tx_end && !piece->is_suspicious; t++) {
        if (piece->in_from == 0)
            piece->is_suspicious =
                tally_tx(body, &piece->tally, t, true, &scratch, &ignored) != V_VALID;
        if (t > 0 && !body->skip_scripts && !piece->is_suspicious &&
            !scripts_are_known(body, &body->block.tx[t]))
            verify_scripts(piece, t, batch, &scratch);
    }
    sig_batch_settle(batch);
    arena_clear(&scratch);
}

/* One after the other, as the rules are ordered. */
static enum verdict judge_serially(struct body *body, const bool *is_missing,
                                   struct finding *ret_finding)
{
    struct block_tally tally = {0};
    enum verdict verdict = V_VALID;
    struct arena scratch;

    arena_init(&scratch);
    for (uint32_t t = 0; t < body->block.tx_n && verdict == V_VALID; t++) {
        bool is_complete = true;

        for (uint32_t i = 0; is_missing != NULL && t > 0 && i < body->block.tx[t].in_n; i++)
            is_complete = is_complete && !is_missing[body->in_first[t] + i];
        verdict = tally_tx(body, &tally, t, is_complete, &scratch, ret_finding);
    }
    if (verdict == V_VALID)
        verdict = block_tally_end(&tally, &body->block, &body->place, body->params, ret_finding);
    arena_clear(&scratch);
    return verdict;
}

enum verdict body_judge_missing(struct body *body, const bool *is_missing,
                                struct finding *ret_finding)
{
    return judge_serially(body, is_missing, ret_finding);
}

enum verdict body_judge(struct body *body, struct finding *ret_finding)
{
    const struct finding *script = NULL;
    struct block_tally sum = {0};
    bool is_suspicious = false;

    for (uint32_t i = 0; i < body->pieces_n; i++) {
        const struct body_piece *piece = &body->pieces[i];

        is_suspicious = is_suspicious || piece->is_suspicious;
        sum.fees_sat += piece->tally.fees_sat;
        sum.sigops_cost += piece->tally.sigops_cost;
        if (script == NULL && piece->script.verdict != V_VALID)
            script = &piece->script;
    }
    if (is_suspicious || sum.sigops_cost > BLOCK_SIGOPS_COST_MAX || !money_in_range(sum.fees_sat) ||
        block_tally_end(&sum, &body->block, &body->place, body->params, ret_finding) != V_VALID) {
        enum verdict verdict = judge_serially(body, NULL, ret_finding);

        CHECK(verdict != V_VALID);
        return verdict;
    }
    if (script != NULL) {
        *ret_finding = *script;
        return script->verdict;
    }
    return V_VALID;
}
