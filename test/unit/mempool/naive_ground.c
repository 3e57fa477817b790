#include "naive_ground.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "codec/writer.h"

static const uint8_t anchor[4] = {0x51, 0x02, 0x4e, 0x73};

static const struct header_node *tip(void *context)
{
    return ((struct ground *)context)->tip;
}

static struct ground_coin *look_up(struct ground *ground, const struct outpoint *outpoint)
{
    for (size_t i = ground->coins_n; i-- > 0;) {
        if (!ground->coins[i].is_spent && outpoint_equal(&ground->coins[i].outpoint, outpoint))
            return &ground->coins[i];
    }
    return NULL;
}

static int find_coins(void *context, struct coin *ret_coins, bool *ret_found,
                      const struct outpoint *outpoints, size_t n, struct arena *arena,
                      struct error *err)
{
    struct ground *ground = context;

    if (ground->fails)
        return error_set(err, E_IO, "the disk is broken");
    ground->asked_n += n;
    for (size_t i = 0; i < n; i++) {
        const struct ground_coin *coin = look_up(ground, &outpoints[i]);

        ret_found[i] = coin != NULL;
        if (coin == NULL) {
            ret_coins[i] = (struct coin){0};
            continue;
        }
        ret_coins[i] = coin->coin;
        ret_coins[i].script_pubkey.data =
            memcpy(arena_alloc(arena, coin->coin.script_pubkey.len + 1),
                   coin->coin.script_pubkey.data, coin->coin.script_pubkey.len);
    }
    return 0;
}

static int has_confirmed(void *context, bool *ret_has, const struct txid *txid, uint32_t outputs_n,
                         struct error *err)
{
    struct ground *ground = context;

    (void)err;
    *ret_has = false;
    for (uint32_t i = 0; i < outputs_n && !*ret_has; i++) {
        struct outpoint outpoint = {.txid = *txid, .vout = i};

        *ret_has = look_up(ground, &outpoint) != NULL;
    }
    return 0;
}

static int ask(void *context, int (*run)(void *argument, struct error *err), void *argument,
               struct error *err)
{
    (void)context;
    return run(argument, err);
}

static bool is_initial(void *context)
{
    (void)context;
    return false;
}

static void add_header(struct ground *ground)
{
    struct header header = {.version = 1,
                            .prev = ground->tip->hash,
                            .time = ground->tip->time + 600,
                            .bits = ground->tip->bits};
    struct block_hash hash = {{0}};

    put_le32(hash.b, ++ground->next);
    put_le32(hash.b + 4, (uint32_t)ground->tip->height + 1);
    CHECK(header_tree_add(ground->tree, &ground->tip, &header, &hash, NULL) == 0);
}

void ground_init(struct ground *ground, struct mempool_options *ret_options)
{
    static const uint64_t salt[2] = {1, 2};
    const struct params *params = params_of(NETWORK_REGTEST);

    memset(ground, 0, sizeof(*ground));
    ground->tree = header_tree_new(params, salt);
    ground->tip = header_tree_genesis(ground->tree);
    ground->coins = alloc_array(GROUND_COINS_MAX, sizeof(*ground->coins));
    for (int i = 0; i < GROUND_HEIGHT; i++)
        add_header(ground);
    mock_clock_init(&ground->clock, clock_real());
    mock_clock_set(&ground->clock, ground->tip->time);
    mempool_options_default(ret_options, params);
    ret_options->clock = &ground->clock.clock;
    ret_options->disk = disk_real();
    ret_options->seed[0] = 11;
    ret_options->seed[1] = 12;
    ret_options->check_ratio = 1;
    ret_options->ground = (struct mempool_ground){.context = ground,
                                                  .tip = tip,
                                                  .find_coins = find_coins,
                                                  .has_confirmed = has_confirmed,
                                                  .ask = ask,
                                                  .is_initial_block_download = is_initial};
}

void ground_clear(struct ground *ground)
{
    for (size_t i = 0; i < ground->coins_n; i++)
        free((uint8_t *)(uintptr_t)ground->coins[i].coin.script_pubkey.data);
    free(ground->coins);
    for (size_t i = 0; i < ground->blocks_n; i++) {
        for (size_t k = 0; k < ground->blocks[i].txs_n; k++)
            tx_ref_drop(ground->blocks[i].txs[k]);
        free(ground->blocks[i].txs);
    }
    header_tree_free(ground->tree);
}

static void add_coin(struct ground *ground, const struct outpoint *outpoint,
                     const struct coin *coin)
{
    struct ground_coin *added = &ground->coins[ground->coins_n++];
    uint8_t *script = alloc(coin->script_pubkey.len + 1);

    CHECK(ground->coins_n <= GROUND_COINS_MAX);
    memcpy(script, coin->script_pubkey.data, coin->script_pubkey.len);
    *added = (struct ground_coin){.outpoint = *outpoint, .coin = *coin};
    added->coin.script_pubkey.data = script;
}

struct outpoint ground_coin_of(struct ground *ground, const struct coin *coin)
{
    struct outpoint outpoint = {.vout = 0};

    put_le32(outpoint.txid.b, ++ground->next);
    outpoint.txid.b[31] = 0xcc;
    add_coin(ground, &outpoint, coin);
    return outpoint;
}

struct outpoint ground_coin(struct ground *ground, int64_t value_sat)
{
    struct coin coin = {
        .value_sat = value_sat, .script_pubkey = span_of(anchor, sizeof(anchor)), .height = 1};

    return ground_coin_of(ground, &coin);
}

/* --- Blocks ------------------------------------------------------------------- */

static struct block_info info_of(const struct header_node *node)
{
    return (struct block_info){.hash = node->hash, .height = node->height};
}

/* A block as far as the mempool looks at it: a coinbase and the transactions. */
static struct block block_of(const struct ground_block *made, struct tx *txs)
{
    memset(txs, 0, sizeof(*txs));
    memcpy(txs[0].txid.b, made->node->hash.b, HASH_BYTES);
    for (size_t i = 0; i < made->txs_n; i++)
        txs[i + 1] = made->txs[i]->tx;
    return (struct block){.hash = made->node->hash, .tx = txs, .tx_n = (uint32_t)made->txs_n + 1};
}

static void tell_block(struct ground *ground, const struct ground_block *made, bool connected)
{
    struct tx *txs = alloc_array(made->txs_n + 1, sizeof(*txs));
    struct block block = block_of(made, txs);
    struct block_info info = info_of(made->node);
    const struct chain_events *events;

    if (ground->pool != NULL) {
        events = mempool_events(ground->pool);
        if (connected)
            events->block_connected(events->context, &info, &block, NULL);
        else
            events->block_disconnected(events->context, &info, &block);
    }
    free(txs);
}

static void connect(struct ground *ground, const struct tx_ref *const *txs, size_t n)
{
    struct ground_block *made = &ground->blocks[ground->blocks_n++];

    CHECK(ground->blocks_n <= GROUND_BLOCKS_MAX);
    add_header(ground);
    *made = (struct ground_block){
        .node = ground->tip, .txs = alloc_array(n + 1, sizeof(*txs)), .txs_n = n};
    for (size_t i = 0; i < n; i++) {
        const struct tx *tx = &txs[i]->tx;

        made->txs[i] = tx_ref_hold(txs[i]);
        for (uint32_t k = 0; k < tx->in_n; k++) {
            struct ground_coin *coin = look_up(ground, &tx->in[k].prevout);

            CHECK(coin != NULL);
            coin->is_spent = true;
        }
        for (uint32_t k = 0; k < tx->out_n; k++) {
            struct outpoint outpoint = {.txid = tx->txid, .vout = k};
            struct coin coin = {.value_sat = tx->out[k].value_sat,
                                .script_pubkey = tx->out[k].script_pubkey,
                                .height = (uint32_t)ground->tip->height};

            if (!script_is_unspendable(coin.script_pubkey))
                add_coin(ground, &outpoint, &coin);
        }
    }
    tell_block(ground, made, true);
}

static void tell_tip(struct ground *ground, const struct disconnected_tx *gone, size_t gone_n,
                     bool is_reorganization)
{
    struct tip_event event = {.tip = info_of(ground->tip),
                              .is_reorganization = is_reorganization,
                              .disconnected = gone,
                              .disconnected_n = gone_n};
    const struct chain_events *events;

    if (ground->pool == NULL)
        return;
    events = mempool_events(ground->pool);
    events->tip_changed(events->context, &event);
}

void ground_mine(struct ground *ground, const struct tx_ref *const *txs, size_t n)
{
    connect(ground, txs, n);
    tell_tip(ground, NULL, 0, false);
}

static void disconnect(struct ground *ground)
{
    struct ground_block *made = &ground->blocks[--ground->blocks_n];

    for (size_t i = made->txs_n; i-- > 0;) {
        const struct tx *tx = &made->txs[i]->tx;

        for (uint32_t k = 0; k < tx->out_n; k++) {
            struct outpoint outpoint = {.txid = tx->txid, .vout = k};
            struct ground_coin *coin = look_up(ground, &outpoint);

            if (coin != NULL)
                coin->is_spent = true;
        }
        for (uint32_t k = 0; k < tx->in_n; k++) {
            /* The last one spent under that name. */
            for (size_t c = ground->coins_n; c-- > 0;) {
                if (outpoint_equal(&ground->coins[c].outpoint, &tx->in[k].prevout)) {
                    ground->coins[c].is_spent = false;
                    break;
                }
            }
        }
    }
    ground->tip = made->node->prev;
    tell_block(ground, made, false);
}

void ground_reorganize(struct ground *ground, size_t n)
{
    struct disconnected_tx *gone;
    size_t gone_n = 0;
    size_t first = ground->blocks_n - n;
    struct ground_block lost[GROUND_BLOCKS_MAX];

    for (size_t i = first; i < ground->blocks_n; i++) {
        lost[i - first] = ground->blocks[i];
        gone_n += ground->blocks[i].txs_n;
    }
    gone = alloc_array(gone_n + 1, sizeof(*gone));
    gone_n = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < lost[i].txs_n; k++)
            gone[gone_n++] =
                (struct disconnected_tx){lost[i].txs[k]->tx.txid, lost[i].txs[k]->tx.raw};
    }
    for (size_t i = 0; i < n; i++)
        disconnect(ground);
    for (size_t i = 0; i < n + 1; i++)
        connect(ground, NULL, 0);
    tell_tip(ground, gone, gone_n, true);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < lost[i].txs_n; k++)
            tx_ref_drop(lost[i].txs[k]);
        free(lost[i].txs);
    }
    free(gone);
}

/* --- Transactions ----------------------------------------------------------------- */

static void add_output(struct buf *raw, int64_t value_sat, struct span script)
{
    uint8_t value[8];

    put_le64(value, (uint64_t)value_sat);
    buf_add(raw, value, sizeof(value));
    write_compact_size(raw, script.len);
    buf_add(raw, script.data, script.len);
}

static void add_le32(struct buf *raw, uint32_t value)
{
    uint8_t bytes[4];

    put_le32(bytes, value);
    buf_add(raw, bytes, sizeof(bytes));
}

/* OP_RETURN and pushes, so that the whole script has len bytes: at least 2. */
static void add_padding(struct buf *raw, uint32_t len)
{
    uint8_t *script = alloc_zero(len);

    /* An OP_RETURN with small pushes: OP_0 each. */
    script[0] = 0x6a;
    add_output(raw, 0, span_of(script, len));
    free(script);
}

const struct tx_ref *plan_build(const struct plan *plan)
{
    struct buf raw = {0};
    struct tx_ref *ref;

    add_le32(&raw, plan->version == 0 ? 2 : plan->version);
    write_compact_size(&raw, plan->spends_n);
    for (size_t i = 0; i < plan->spends_n; i++) {
        buf_add(&raw, plan->spends[i].txid.b, HASH_BYTES);
        add_le32(&raw, plan->spends[i].vout);
        write_compact_size(&raw, 0);
        add_le32(&raw, plan->sequence == 0 ? SEQUENCE_FINAL : plan->sequence);
    }
    write_compact_size(&raw, plan->values_n + 1);
    for (size_t i = 0; i < plan->values_n; i++)
        add_output(&raw, plan->values_sat[i], span_of(anchor, sizeof(anchor)));
    add_padding(&raw, plan->padding + 2);
    add_le32(&raw, plan->lock_time);
    CHECK(tx_ref_read(&ref, span_of_buf(&raw), NULL) == 0);
    buf_clear(&raw);
    return ref;
}

const struct tx_ref *spend_one(const struct outpoint *from, int64_t value_sat, uint32_t outputs_n,
                               int64_t fee_sat)
{
    int64_t values[64];
    struct plan plan = {.spends = from, .spends_n = 1, .values_sat = values, .values_n = outputs_n};

    CHECK(outputs_n <= 64);
    for (uint32_t i = 0; i < outputs_n; i++)
        values[i] = (value_sat - fee_sat) / outputs_n;
    if (outputs_n > 0)
        values[0] += (value_sat - fee_sat) % outputs_n;
    return plan_build(&plan);
}

struct outpoint output_of(const struct tx_ref *ref, uint32_t vout)
{
    return (struct outpoint){.txid = ref->tx.txid, .vout = vout};
}
