#include "coins/model.h"

#include "base/alloc.h"
#include "crypto/sha256.h"
#include "test.h"

static void ids_add(struct ids *ids, uint64_t id)
{
    if (ids->n == ids->capacity) {
        ids->capacity = ids->capacity * 2 + 16;
        ids->id = realloc_array(ids->id, ids->capacity, sizeof(id));
    }
    ids->id[ids->n++] = id;
}

static void ids_remove(struct ids *ids, uint64_t id)
{
    for (size_t i = 0; i < ids->n; i++) {
        if (ids->id[i] == id) {
            ids->id[i] = ids->id[--ids->n];
            return;
        }
    }
    CHECK(false);
}

static struct ids ids_copy(const struct ids *ids)
{
    struct ids copy = {0};

    for (size_t i = 0; i < ids->n; i++)
        ids_add(&copy, ids->id[i]);
    return copy;
}

static void state_clear(struct model_state *state)
{
    for (size_t i = 0; i < state->blocks_n; i++) {
        free(state->blocks[i].spends.id);
        free(state->blocks[i].adds.id);
    }
    free(state->blocks);
    free(state->live.id);
    *state = (struct model_state){0};
}

static struct model_state state_copy(const struct model_state *state)
{
    struct model_state copy = *state;

    copy.live = ids_copy(&state->live);
    copy.blocks = alloc_array(state->blocks_n, sizeof(*copy.blocks));
    for (size_t i = 0; i < state->blocks_n; i++) {
        copy.blocks[i] = state->blocks[i];
        copy.blocks[i].spends = ids_copy(&state->blocks[i].spends);
        copy.blocks[i].adds = ids_copy(&state->blocks[i].adds);
    }
    return copy;
}

void model_init(struct model *model)
{
    *model = (struct model){.block_spends_max = 12, .block_adds_max = 16};
}

void model_clear(struct model *model)
{
    state_clear(&model->now);
    state_clear(&model->committed);
    state_clear(&model->flushing);
}

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 31) * 0x7fb5d329728ea185;
    x = (x ^ x >> 27) * 0x81dadef4bc2dd44d;
    return x ^ x >> 33;
}

struct outpoint model_outpoint(uint64_t id)
{
    struct outpoint outpoint;
    /* Some outputs share a transaction; some are far out in it. */
    uint64_t tx = id / 3;

    for (size_t i = 0; i < 4; i++)
        put_le64(outpoint.txid.b + 8 * i, mix(tx * 4 + i + 1));
    outpoint.vout = (uint32_t)(id % 3);
    if (tx % 5 == 0)
        outpoint.vout = outpoint.vout * 20000 + (uint32_t)(tx % 7) * 100;
    return outpoint;
}

static const struct {
    uint8_t head[3];
    uint8_t head_len;
    uint8_t rest_len;
    uint8_t tail[2];
    uint8_t tail_len;
} shapes[] = {
    {{0x76, 0xa9, 0x14}, 3, 20, {0x88, 0xac}, 2},
    {{0xa9, 0x14}, 2, 20, {0x87}, 1},
    {{0x00, 0x14}, 2, 20, {0}, 0},
    {{0x00, 0x20}, 2, 32, {0}, 0},
    {{0x51, 0x20}, 2, 32, {0}, 0},
    {{0x21, 0x02}, 2, 32, {0xac}, 1},
    {{0x21, 0x03}, 2, 32, {0xac}, 1},
    {{0x41, 0x04}, 2, 64, {0xac}, 1},
};

struct coin model_coin(uint64_t id, struct arena *arena)
{
    uint64_t r = mix(id + 99);
    size_t shape = r % (ARRAY_LEN(shapes) + 2);
    struct coin coin = {
        .value_sat = (int64_t)(mix(r) % 2100000000000001),
        .height = (uint32_t)(mix(r + 1) >> 33),
        .is_coinbase = r % 11 == 0,
    };
    size_t len;
    uint8_t *script;

    if (shape < ARRAY_LEN(shapes)) {
        len = (size_t)shapes[shape].head_len + shapes[shape].rest_len + shapes[shape].tail_len;
    } else {
        /* Odd ones: empty, short, and now and then as long as can be. */
        len = (r >> 8) % 120;
        if ((r >> 16) % 37 == 0)
            len = SCRIPT_BYTES_MAX - (r >> 24) % 7000;
    }
    script = arena_alloc(arena, len + 1);
    for (size_t i = 0; i < len; i++)
        script[i] = (uint8_t)mix(r + i);
    if (shape < ARRAY_LEN(shapes)) {
        memcpy(script, shapes[shape].head, shapes[shape].head_len);
        memcpy(script + len - shapes[shape].tail_len, shapes[shape].tail, shapes[shape].tail_len);
    }
    coin.script_pubkey = span_of(script, len);
    return coin;
}

static struct outpoint *outpoints_of(const struct ids *ids, struct arena *arena)
{
    struct outpoint *outpoints = arena_array(arena, ids->n, sizeof(*outpoints));

    for (size_t i = 0; i < ids->n; i++)
        outpoints[i] = model_outpoint(ids->id[i]);
    return outpoints;
}

static struct coin *coins_of(const struct ids *ids, struct arena *arena)
{
    struct coin *coins = arena_array(arena, ids->n, sizeof(*coins));

    for (size_t i = 0; i < ids->n; i++)
        coins[i] = model_coin(ids->id[i], arena);
    return coins;
}

static struct coins_change change_of(const struct model_block *block, struct arena *arena)
{
    return (struct coins_change){
        .spends = outpoints_of(&block->spends, arena),
        .spends_n = block->spends.n,
        .spent_coins = coins_of(&block->spends, arena),
        .adds = outpoints_of(&block->adds, arena),
        .add_coins = coins_of(&block->adds, arena),
        .adds_n = block->adds.n,
    };
}

static struct block_hash new_tip(struct model *model)
{
    struct block_hash tip = {0};

    put_le64(tip.b, ++model->tips_n);
    return tip;
}

static bool coin_equal(const struct coin *a, const struct coin *b)
{
    return a->value_sat == b->value_sat && a->height == b->height &&
           a->is_coinbase == b->is_coinbase && span_equal(a->script_pubkey, b->script_pubkey);
}

static void random_block(struct model *model, struct model_block *block)
{
    size_t spends_n = (size_t)test_random_below(model->block_spends_max + 1);
    size_t adds_n = (size_t)test_random_below(model->block_adds_max + 1);

    /* Young coins go first, as on the chain. */
    for (size_t i = 0; i < spends_n && model->now.live.n > 0; i++) {
        size_t n = model->now.live.n;
        size_t young = MIN(n, 20);
        size_t at = test_random_below(10) < 6 ? n - 1 - (size_t)test_random_below(young)
                                              : (size_t)test_random_below(n);
        uint64_t id = model->now.live.id[at];

        ids_remove(&model->now.live, id);
        ids_add(&block->spends, id);
    }
    for (size_t i = 0; i < adds_n; i++)
        ids_add(&block->adds, model->next_id++);
}

int model_apply(struct model *model, struct coins_store *store, struct error *err)
{
    struct model_block block = {.tip_before = model->now.tip};
    struct arena arena;
    struct coins_change change;
    struct coin *spent;
    size_t missing;
    int rc;

    arena_init(&arena);
    random_block(model, &block);
    change = change_of(&block, &arena);
    change.new_tip = new_tip(model);
    spent = arena_array(&arena, block.spends.n, sizeof(*spent));
    rc = coins_apply(store, spent, &missing, &change, &arena, err);
    if (rc < 0) {
        for (size_t i = 0; i < block.spends.n; i++)
            ids_add(&model->now.live, block.spends.id[i]);
        free(block.spends.id);
        free(block.adds.id);
    } else {
        CHECK(missing == SIZE_MAX);
        for (size_t i = 0; i < block.spends.n; i++)
            CHECK(coin_equal(&spent[i], &change.spent_coins[i]));
        for (size_t i = 0; i < block.adds.n; i++)
            ids_add(&model->now.live, block.adds.id[i]);
        model->now.blocks =
            realloc_array(model->now.blocks, model->now.blocks_n + 1, sizeof(*model->now.blocks));
        model->now.blocks[model->now.blocks_n++] = block;
        model->now.tip = change.new_tip;
    }
    arena_clear(&arena);
    return rc;
}

int model_revert(struct model *model, struct coins_store *store, struct error *err)
{
    struct model_block *block;
    struct coins_change change;
    struct arena arena;
    int rc;

    if (model->now.blocks_n == 0)
        return 0;
    arena_init(&arena);
    block = &model->now.blocks[model->now.blocks_n - 1];
    change = change_of(block, &arena);
    change.new_tip = block->tip_before;
    rc = coins_revert(store, &change, err);
    if (rc == 0) {
        for (size_t i = 0; i < block->adds.n; i++)
            ids_remove(&model->now.live, block->adds.id[i]);
        for (size_t i = 0; i < block->spends.n; i++)
            ids_add(&model->now.live, block->spends.id[i]);
        model->now.tip = block->tip_before;
        free(block->spends.id);
        free(block->adds.id);
        model->now.blocks_n--;
    }
    arena_clear(&arena);
    return rc;
}

int model_flush_start(struct model *model, struct coins_store *store, struct error *err)
{
    int rc = model_flush_poll(model, store, true, err);

    if (rc == 0)
        rc = coins_flush_start(store, NULL, NULL, err);
    if (rc == 0) {
        model->flushing = state_copy(&model->now);
        model->is_flushing = true;
    }
    return rc;
}

int model_flush_poll(struct model *model, struct coins_store *store, bool wait, struct error *err)
{
    int rc = wait ? coins_flush_wait(store, err) : coins_flush_poll(store, err);

    if (rc == 0 && model->is_flushing) {
        struct block_hash tip = coins_committed_tip(store);

        CHECK(block_hash_equal(&tip, &model->flushing.tip));
        state_clear(&model->committed);
        model->committed = model->flushing;
        model->flushing = (struct model_state){0};
        model->is_flushing = false;
    }
    return rc < 0 ? rc : 0;
}

bool model_reopened(struct model *model, const struct coins_store *store)
{
    struct block_hash tip = coins_committed_tip(store);
    bool is_flushed = model->is_flushing && block_hash_equal(&tip, &model->flushing.tip);

    if (!is_flushed && !block_hash_equal(&tip, &model->committed.tip))
        return false;
    if (is_flushed) {
        state_clear(&model->committed);
        model->committed = model->flushing;
    } else {
        state_clear(&model->flushing);
    }
    model->flushing = (struct model_state){0};
    model->is_flushing = false;
    state_clear(&model->now);
    model->now = state_copy(&model->committed);
    return true;
}

static bool *live_marks(const struct model *model, const struct ids *live)
{
    bool *marks = alloc_array(model->next_id, sizeof(*marks));

    for (size_t i = 0; i < live->n; i++)
        marks[live->id[i]] = true;
    return marks;
}

bool model_agrees(const struct model *model, struct coins_store *store)
{
    bool *live = live_marks(model, &model->now.live);
    struct block_hash tip = coins_tip(store);
    bool good = block_hash_equal(&tip, &model->now.tip);
    struct arena arena;

    arena_init(&arena);
    for (uint64_t from = 0; from < model->next_id && good; from += 64) {
        size_t n = (size_t)MIN(64, model->next_id - from);
        struct outpoint outpoints[64];
        struct coin coins[64];
        bool found[64];
        struct error err = {0};

        for (size_t i = 0; i < n; i++)
            outpoints[i] = model_outpoint(from + i);
        good = expect_int(__FILE__, __LINE__, "find", "rc",
                          coins_find_many(store, coins, found, outpoints, n, &arena, &err), 0);
        for (size_t i = 0; i < n && good; i++) {
            struct coin want = model_coin(from + i, &arena);

            good = found[i] == live[from + i] && (!found[i] || coin_equal(&coins[i], &want));
            if (!good)
                printf("coin %" PRIu64 ": found %d, want %d\n", from + i, found[i], live[from + i]);
        }
        arena_reset(&arena);
    }
    arena_clear(&arena);
    free(live);
    return good;
}

static int outpoint_compare(const void *a, const void *b)
{
    const struct outpoint *left = a;
    const struct outpoint *right = b;
    int order = memcmp(left->txid.b, right->txid.b, HASH_BYTES);

    return order != 0 ? order : (left->vout > right->vout) - (left->vout < right->vout);
}

bool model_scan_agrees(const struct model *model, struct coins_store *store,
                       const struct coins_scan_options *options)
{
    const struct ids *live = &model->committed.live;
    struct coins_scan *scan;
    struct outpoint outpoint;
    struct outpoint last;
    struct block_hash tip;
    struct arena arena;
    struct error err = {0};
    struct coin coin;
    bool good;
    size_t n = 0;
    int rc;

    arena_init(&arena);
    if (coins_scan_new(&scan, store, &tip, options, &err) < 0)
        return false;
    good = block_hash_equal(&tip, &model->committed.tip);
    /* Each comes once (they rise), is live, and none is left out (the number). */
    while ((rc = coins_scan_next(scan, &outpoint, &coin, &err)) == 1 && good) {
        size_t i = 0;

        good = options->any_order || n == 0 || outpoint_compare(&last, &outpoint) < 0;
        while (good && i < live->n) {
            struct outpoint want = model_outpoint(live->id[i]);

            if (outpoint_equal(&want, &outpoint))
                break;
            i++;
        }
        good = good && i < live->n;
        if (good) {
            struct coin want = model_coin(live->id[i], &arena);

            good = coin_equal(&coin, &want);
        }
        last = outpoint;
        n++;
    }
    coins_scan_free(scan);
    arena_clear(&arena);
    return expect_int(__FILE__, __LINE__, "scan", "rc", rc, 0) && good &&
           expect_u64(__FILE__, __LINE__, "scan", "coins", n, live->n);
}
