#include "coins/fill.h"

#include "base/alloc.h"
#include "base/check.h"

/* Coins that are put at once. */
#define FILL_COINS 4096U

struct coins_fill {
    struct coins_store *store;
    struct block_hash tip;
    bool may_repeat;
    struct arena arena; /* Scripts of the coins at hand. */
    struct outpoint outpoints[FILL_COINS];
    struct coin coins[FILL_COINS];
    size_t n;
};

struct coins_fill *coins_fill_new(struct coins_store *store, const struct block_hash *tip,
                                  bool may_repeat)
{
    struct coins_fill *fill = alloc_zero(sizeof(*fill));

    fill->store = store;
    fill->tip = *tip;
    fill->may_repeat = may_repeat;
    arena_init(&fill->arena);
    return fill;
}

void coins_fill_free(struct coins_fill *own_fill)
{
    if (own_fill == NULL)
        return;
    arena_clear(&own_fill->arena);
    free(own_fill);
}

int coins_relieve(struct coins_store *store, struct error *err)
{
    int rc;

    if (coins_pressure(store) == COINS_AT_EASE)
        return 0;
    rc = coins_flush_wait(store, err);
    return rc < 0 ? rc : coins_flush_start(store, NULL, NULL, err);
}

int coins_commit(struct coins_store *store, struct error *err)
{
    int rc = coins_flush_wait(store, err);

    if (rc == 0)
        rc = coins_flush_start(store, NULL, NULL, err);
    return rc < 0 ? rc : coins_flush_wait(store, err);
}

int coins_fill_end(struct coins_fill *fill, struct error *err)
{
    struct coins_change change = {.adds = fill->outpoints,
                                  .add_coins = fill->coins,
                                  .adds_n = fill->n,
                                  .new_tip = fill->tip,
                                  .may_replace = fill->may_repeat};
    size_t missing;
    int rc = coins_apply(fill->store, NULL, &missing, &change, NULL, err);

    fill->n = 0;
    arena_reset(&fill->arena);
    return rc < 0 ? rc : coins_relieve(fill->store, err);
}

int coins_fill_add(struct coins_fill *fill, const struct outpoint *outpoint,
                   const struct coin *coin, struct error *err)
{
    size_t len = coin->script_pubkey.len;
    uint8_t *script = arena_alloc(&fill->arena, len);

    if (len > 0)
        memcpy(script, coin->script_pubkey.data, len);
    fill->outpoints[fill->n] = *outpoint;
    fill->coins[fill->n] = *coin;
    fill->coins[fill->n++].script_pubkey = span_of(script, len);
    return fill->n < FILL_COINS ? 0 : coins_fill_end(fill, err);
}
