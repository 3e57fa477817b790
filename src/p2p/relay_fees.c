/* The feerate from which on we want transactions (BIP 133), rounded so that it does not
 * tell one node from another. */
#include "base/check.h"
#include "p2p/p2p_priv.h"
#include "primitives/amount.h"

#define STEP 1.1
#define GREATEST_SAT_KVB 1e7

/* 0, then from half the incremental feerate on by tenths. */
static void make_steps(struct p2p *p2p)
{
    struct mempool_view *pool = p2p->options.mempool;
    struct p2p_relay *relay = &p2p->relay;
    struct mempool_status status = {0};

    pool->ops->status(pool, &status);
    relay->fee_steps_n = 0;
    relay->fee_steps[relay->fee_steps_n++] = 0;
    for (double step = (double)MAX(status.incremental_sat_kvb / 2, (int64_t)1);
         step <= GREATEST_SAT_KVB; step *= STEP) {
        CHECK(relay->fee_steps_n < RELAY_FEEFILTER_STEPS_MAX);
        relay->fee_steps[relay->fee_steps_n++] = (int64_t)step;
    }
}

/* Told as long as no transaction is wanted. */
static int64_t greatest(const struct p2p *p2p)
{
    return p2p->relay.fee_steps_n > 0 ? p2p->relay.fee_steps[p2p->relay.fee_steps_n - 1] : 0;
}

/* To the step below two times of three, else to the one above. */
static int64_t round_fee(struct p2p *p2p, int64_t sat_kvb)
{
    struct p2p_relay *relay = &p2p->relay;
    size_t at = 0;

    while (at < relay->fee_steps_n && relay->fee_steps[at] < sat_kvb)
        at++;
    if (at == relay->fee_steps_n || (at > 0 && random_below(&p2p->random, 3) != 0))
        at--;
    return relay->fee_steps[at];
}

static bool is_told(const struct peer *peer)
{
    return !peer->p2p->options.blocks_only && peer->kind != PEER_BLOCK_RELAY &&
           peer_common_version(peer) >= PROTOCOL_VERSION_FEEFILTER &&
           !peer_has(peer, PERMISSION_FORCE_RELAY);
}

void relay_fees_send(struct peer *peer, int64_t now_ms)
{
    struct p2p *p2p = peer->p2p;
    struct mempool_view *pool = p2p->options.mempool;
    struct peer_relay *relay = &peer->relay;
    struct mempool_status status = {0};
    int64_t wanted;

    if (!is_told(peer))
        return;
    if (p2p->relay.fee_steps_n == 0)
        make_steps(p2p);
    pool->ops->status(pool, &status);
    /* The lower bound itself is no secret and stays as it is. */
    wanted = status.min_fee_sat_kvb > status.min_relay_sat_kvb ? status.min_fee_sat_kvb : 0;
    if (p2p->options.ground.is_initial_block_download(p2p->options.ground.context))
        wanted = MONEY_MAX_SAT; /* Nothing can be judged yet. */
    else if (relay->fee_told_sat_kvb == greatest(p2p))
        relay->fee_at_ms = 0; /* Now it can. */
    if (now_ms > relay->fee_at_ms) {
        int64_t told = MAX(round_fee(p2p, wanted), status.min_relay_sat_kvb);

        if (told != relay->fee_told_sat_kvb) {
            message_write_feefilter(peer_begin(peer, MESSAGE_FEEFILTER), told);
            peer_end(peer);
            relay->fee_told_sat_kvb = told;
        }
        relay->fee_at_ms = now_ms + (int64_t)random_poisson(&p2p->random, RELAY_FEEFILTER_MEAN_MS);
    } else if (now_ms + RELAY_FEEFILTER_CHANGE_MS < relay->fee_at_ms &&
               (wanted < 3 * relay->fee_told_sat_kvb / 4 ||
                wanted > 4 * relay->fee_told_sat_kvb / 3)) {
        relay->fee_at_ms = now_ms + (int64_t)random_below(&p2p->random, RELAY_FEEFILTER_CHANGE_MS);
    }
}
