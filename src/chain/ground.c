/* What the mempool stands on: see mempool_ground in mempool/mempool.h, whose functions
 * these are, with the chain as their context. */
#include "chain/chain_priv.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "chain/view_priv.h"

const struct header_node *chain_ground_tip(void *context)
{
    const struct chain *chain = context;
    const struct header_node *tip = chain->active->verified;

    return tip == NULL ? header_tree_genesis(chain->tree) : tip;
}

int chain_ground_find_coins(void *context, struct coin *ret_coins, bool *ret_found,
                            const struct outpoint *outpoints, size_t n, struct arena *arena,
                            struct error *err)
{
    struct chain *chain = context;
    const struct flight *flight = &chain->active->flight;
    int rc = 0;

    if (flight->settled == flight->applied)
        return coins_find_many(chain->active->coins, ret_coins, ret_found, outpoints, n, arena,
                               err);
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = view_find_coin(chain, &ret_coins[i], &outpoints[i], arena, err);
        ret_found[i] = rc == 0;
        if (rc == E_NOT_FOUND)
            rc = 0;
    }
    return rc;
}

int chain_ground_has_confirmed(void *context, bool *ret_has, const struct txid *txid,
                               uint32_t outputs_n, struct error *err)
{
    struct outpoint *outpoints = alloc_array(outputs_n, sizeof(*outpoints));
    struct coin *coins = alloc_array(outputs_n, sizeof(*coins));
    bool *found = alloc_array(outputs_n, sizeof(*found));
    struct arena arena;
    int rc;

    arena_init(&arena);
    for (uint32_t i = 0; i < outputs_n; i++)
        outpoints[i] = (struct outpoint){.txid = *txid, .vout = i};
    rc = chain_ground_find_coins(context, coins, found, outpoints, outputs_n, &arena, err);
    *ret_has = false;
    for (uint32_t i = 0; i < outputs_n && rc == 0; i++)
        *ret_has = *ret_has || found[i];
    arena_clear(&arena);
    free(found);
    free(coins);
    free(outpoints);
    return rc;
}

struct ground_ask {
    int (*run)(void *argument, struct error *err);
    void *argument;
};

static int run_asked(struct chain *chain, void *argument, struct error *err)
{
    const struct ground_ask *ask = argument;

    (void)chain;
    return ask->run(ask->argument, err);
}

int chain_ground_ask(void *context, int (*run)(void *argument, struct error *err), void *argument,
                     struct error *err)
{
    struct ground_ask ask = {run, argument};

    return chain_ask(context, run_asked, &ask, false, err);
}

bool chain_ground_is_initial(void *context)
{
    return atomic_load(&((struct chain *)context)->is_initial);
}
