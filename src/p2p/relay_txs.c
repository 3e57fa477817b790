/* Announcing transactions: two backlogs, a queue for each peer, bursts at random times. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "p2p/p2p_priv.h"

#define COUNT_SECONDS 30 /* So long inbound peers may be told at full speed at once. */
#define BYTES_AT_START 12e6
#define BYTES_CAP 50e6
#define BYTES_PER_S 20e3 /* Six times what blocks can confirm. */
#define BYTES_FLOOR (-50e3)
#define REANNOUNCE_MS (10 * 60 * 1000) /* And up to half as long more. */
#define QUEUE_KEPT 300                 /* Empty queues keep room for that many. */

/* --- Token buckets --- */

static void bucket_fill(struct token_bucket *bucket, int64_t now_ms)
{
    if (bucket->updated_ms >= 0 && now_ms > bucket->updated_ms && bucket->tokens < bucket->cap) {
        double more = bucket->rate_per_s * (double)(now_ms - bucket->updated_ms) / 1000;

        bucket->tokens = MIN(bucket->cap, bucket->tokens + more);
    }
    bucket->updated_ms = now_ms;
}

/* False: it is down at the floor. */
static bool bucket_take(struct token_bucket *bucket, double n, double floor)
{
    bucket->tokens -= n;
    return bucket->tokens > floor;
}

/* --- Lists of wtxids --- */

static void list_add(struct wtxid **list, size_t *n, size_t *capacity, const struct wtxid *wtxid)
{
    if (*n == *capacity) {
        *capacity = MAX(*capacity * 2, (size_t)32);
        *list = realloc_array(*list, *capacity, sizeof(**list));
    }
    (*list)[(*n)++] = *wtxid;
}

static void list_empty(struct wtxid **list, size_t *n, size_t *capacity)
{
    *n = 0;
    if (*capacity > QUEUE_KEPT) {
        free(*list);
        *list = NULL;
        *capacity = 0;
    }
}

/* --- The backlogs --- */

static void backlog_init(struct inv_backlog *backlog, double rate, double factor)
{
    *backlog = (struct inv_backlog){
        /* A burst's worth is done at once: sorting often costs more than it brings. */
        .count_floor = -rate * RELAY_INBOUND_MEAN_MS / 1000,
        .count = {.rate_per_s = rate * factor,
                  .cap = rate * COUNT_SECONDS,
                  .tokens = rate * COUNT_SECONDS,
                  .updated_ms = -1},
        .bytes = {.rate_per_s = BYTES_PER_S * factor,
                  .cap = BYTES_CAP,
                  .tokens = BYTES_AT_START,
                  .updated_ms = -1},
    };
}

void relay_txs_init(struct p2p *p2p)
{
    double rate = MAX(p2p->options.tx_send_rate, 1U);

    p2p->relay.timers = alloc_array(RELAY_NETWORKS_MAX, sizeof(*p2p->relay.timers));
    backlog_init(&p2p->relay.inbound, rate, 1);
    backlog_init(&p2p->relay.outbound, rate,
                 (double)RELAY_INBOUND_MEAN_MS / RELAY_OUTBOUND_MEAN_MS);
}

void relay_txs_clear(struct p2p *p2p)
{
    free(p2p->relay.inbound.wtxids);
    free(p2p->relay.outbound.wtxids);
    free(p2p->relay.timers);
}

static bool backlog_is_due(const struct inv_backlog *backlog)
{
    return backlog->n > 0 && backlog->bytes.tokens > 0 && backlog->count.tokens > 0;
}

/* The best of the backlog, as many as there are tokens for; the others stay. Out: ret from
 * arena. */
static size_t backlog_take(struct inv_backlog *backlog, struct wtxid **ret,
                           struct mempool_view *pool, struct arena *arena)
{
    double allowed = MAX(backlog->count.tokens - backlog->count_floor, 0.0);
    bool goes_on = true;
    size_t taken = 0, at;

    backlog->n = pool->ops->sort(pool, backlog->wtxids, backlog->n);
    *ret = arena_array(arena, MAX(backlog->n, (size_t)1), sizeof(**ret));
    for (at = 0; at < backlog->n && goes_on && (double)at < allowed; at++) {
        struct tx_name name = {.is_wtxid = true};
        const struct tx_ref *ref;

        memcpy(name.id, backlog->wtxids[at].b, HASH_BYTES);
        ref = pool->ops->find(pool, NULL, &name);
        if (ref == NULL)
            continue;
        (*ret)[taken++] = backlog->wtxids[at];
        goes_on = bucket_take(&backlog->bytes, ref->tx.total_bytes, BYTES_FLOOR);
        goes_on = bucket_take(&backlog->count, 1, backlog->count_floor) && goes_on;
        tx_ref_drop(ref);
    }
    backlog->n -= at;
    memmove(backlog->wtxids, backlog->wtxids + at, backlog->n * sizeof(*backlog->wtxids));
    if (backlog->n == 0)
        list_empty(&backlog->wtxids, &backlog->n, &backlog->capacity);
    return taken;
}

/* Into the queues of all peers on one side. Those whose first burst is still to come are
 * left out: what came during a handshake would tell when it came. */
static void hand_out(struct p2p *p2p, struct inv_backlog *backlog, bool to_inbound,
                     const struct wtxid *wtxids, size_t n)
{
    bool is_heard = false;

    for (struct peer *peer = p2p->first; peer != NULL; peer = peer->next) {
        struct peer_relay *relay = &peer->relay;

        if (!relay->has_txs || relay->next_burst_ms == 0 || peer_is_inbound(peer) != to_inbound)
            continue;
        is_heard = true;
        for (size_t i = 0; i < n; i++)
            list_add(&relay->queue, &relay->queue_n, &relay->queue_capacity, &wtxids[i]);
    }
    if (!is_heard)
        list_empty(&backlog->wtxids, &backlog->n, &backlog->capacity);
}

static void log_backlogs(struct p2p_relay *relay, int64_t now_ms)
{
    const struct inv_backlog *in = &relay->inbound, *out = &relay->outbound;

    if (relay->heartbeat_ms < 0 && MAX(in->n, out->n) >= RELAY_HEARTBEAT_N)
        relay->heartbeat_ms = now_ms;
    if (relay->heartbeat_ms < 0 || now_ms < relay->heartbeat_ms)
        return;
    log_debug("net",
              "Transaction rate-limiting backlog inbound=%zu itok=%.1f isz=%.1f outbound=%zu "
              "otok=%.1f osz=%.1f",
              in->n, in->count.tokens, in->bytes.tokens, out->n, out->count.tokens,
              out->bytes.tokens);
    relay->heartbeat_ms = in->n == 0 && out->n == 0 ? -1 : now_ms + RELAY_HEARTBEAT_MS;
}

static void work_backlogs(struct p2p *p2p, int64_t now_ms)
{
    struct mempool_view *pool = p2p->options.mempool;
    struct p2p_relay *relay = &p2p->relay;
    struct inv_backlog *sides[2] = {&relay->outbound, &relay->inbound};
    struct arena arena;

    relay->next_backlog_ms = now_ms + RELAY_BACKLOG_CHECK_MS;
    for (int inbound = 0; inbound < 2; inbound++) {
        bucket_fill(&sides[inbound]->count, now_ms);
        bucket_fill(&sides[inbound]->bytes, now_ms);
    }
    log_backlogs(relay, now_ms);
    arena_init(&arena);
    for (int inbound = 0; inbound < 2; inbound++) {
        struct wtxid *wtxids;
        size_t n;

        if (!backlog_is_due(sides[inbound]))
            continue;
        n = backlog_take(sides[inbound], &wtxids, pool, &arena);
        if (n > 0)
            hand_out(p2p, sides[inbound], inbound == 1, wtxids, n);
    }
    arena_clear(&arena);
}

void relay_broadcast(struct p2p *p2p, const struct wtxid *wtxid)
{
    struct inv_backlog *in = &p2p->relay.inbound, *out = &p2p->relay.outbound;

    list_add(&in->wtxids, &in->n, &in->capacity, wtxid);
    list_add(&out->wtxids, &out->n, &out->capacity, wtxid);
    work_backlogs(p2p, p2p_now_ms(p2p));
}

/* Transactions of ours that no peer has fetched yet, once more. */
static void reannounce(struct p2p *p2p)
{
    struct mempool_view *pool = p2p->options.mempool;
    struct arena arena;
    struct txid *txids;
    size_t n;

    arena_init(&arena);
    pool->ops->unbroadcast(pool, &txids, &n, &arena);
    for (size_t i = 0; i < n; i++) {
        struct tx_name name = {.is_wtxid = false};
        const struct tx_ref *ref;

        memcpy(name.id, txids[i].b, HASH_BYTES);
        ref = pool->ops->find(pool, NULL, &name);
        if (ref != NULL)
            relay_broadcast(p2p, &ref->tx.wtxid);
        tx_ref_drop(ref);
    }
    arena_clear(&arena);
}

void relay_txs_tick(struct p2p *p2p, int64_t now_ms)
{
    struct p2p_relay *relay = &p2p->relay;
    int64_t timer_ms = p2p_timer_ms(p2p);

    if (now_ms > relay->next_backlog_ms)
        work_backlogs(p2p, now_ms);
    if (timer_ms < relay->reannounce_ms)
        return;
    /* A random time, as the rhythm would tell whose they are. */
    if (relay->reannounce_ms != 0)
        reannounce(p2p);
    relay->reannounce_ms =
        timer_ms + REANNOUNCE_MS + (int64_t)random_below(&p2p->random, REANNOUNCE_MS / 2);
}

/* --- Bursts --- */

/* Which of our networks an inbound peer came by, and to which of our addresses. */
uint64_t relay_network_key(const struct peer *peer)
{
    enum net_kind net = peer->is_inbound_onion ? NET_ONION : net_address_class(&peer->address);
    struct siphash hash;

    siphash_init(&hash, &peer->p2p->relay.addr_key);
    siphash_add_u64(&hash, (uint64_t)net);
    siphash_add(&hash, peer->bind.bytes, peer->bind.len);
    siphash_add_u64(&hash, peer->bind.port);
    return siphash_finish(&hash);
}

/* All inbound peers of a network share their times. */
static int64_t next_inbound_ms(const struct peer *peer, int64_t now_ms)
{
    struct p2p *p2p = peer->p2p;
    struct p2p_relay *relay = &p2p->relay;
    uint64_t key = relay_network_key(peer);
    struct inbound_timer *timer = NULL;

    for (size_t i = 0; i < relay->timers_n; i++)
        if (relay->timers[i].network_key == key)
            timer = &relay->timers[i];
    if (timer == NULL) {
        timer = &relay->timers[relay->timers_n < RELAY_NETWORKS_MAX ? relay->timers_n++ : 0];
        *timer = (struct inbound_timer){.network_key = key};
    }
    if (timer->at_ms < now_ms)
        timer->at_ms = now_ms + (int64_t)random_poisson(&p2p->random, RELAY_INBOUND_MEAN_MS);
    return timer->at_ms;
}

struct burst {
    struct peer *peer;
    struct inv *invs;
    size_t n;
};

static void burst_flush(struct burst *burst)
{
    if (burst->n == 0)
        return;
    message_write_inv(peer_begin(burst->peer, MESSAGE_INV), burst->invs, burst->n);
    peer_end(burst->peer);
    burst->n = 0;
}

static bool pays_enough(const struct peer *peer, const struct mempool_entry *entry)
{
    __extension__ __int128 asked = (__int128)peer->relay.fee_filter_sat_kvb * entry->vsize;

    return __extension__(__int128) entry->fee_sat * 1000 >= asked;
}

/* is_answer: the peer asked for all there is, what it knows included. */
static void burst_add(struct burst *burst, const struct tx *tx, const struct mempool_entry *entry,
                      bool is_answer)
{
    struct peer_relay *relay = &burst->peer->relay;
    bool by_wtxid = peer_has_wtxid_relay(burst->peer);
    struct inv inv = {.type = by_wtxid ? INV_WTX : INV_TX};

    memcpy(inv.hash, by_wtxid ? tx->wtxid.b : tx->txid.b, HASH_BYTES);
    if (!pays_enough(burst->peer, entry))
        return;
    if (!is_answer && rolling_set_has(&relay->known_txs, inv.hash))
        return;
    if (relay->filter != NULL && !bloom_match_tx(relay->filter, tx))
        return;
    rolling_set_add(&relay->known_txs, inv.hash);
    burst->invs[burst->n++] = inv;
    if (burst->n == INV_N_MAX)
        burst_flush(burst);
}

/* From here on peers may fetch what is in the mempool now: asked before what is
 * announced is looked up, all of which is older. */
static void open_window(struct peer *peer)
{
    struct mempool_view *pool = peer->p2p->options.mempool;
    struct mempool_status status = {0};

    pool->ops->status(pool, &status);
    peer->relay.last_sequence = status.sequence + 1;
}

struct everything {
    const struct tx_ref **refs;
    size_t n, capacity;
};

static bool hold_one(void *context, const struct tx_ref *tx)
{
    struct everything *all = context;

    if (all->n == all->capacity) {
        all->capacity = MAX(all->capacity * 2, (size_t)1024);
        all->refs = realloc_array(all->refs, all->capacity, sizeof(*all->refs));
    }
    all->refs[all->n++] = tx_ref_hold(tx);
    return true;
}

static void burst_mempool(struct burst *burst)
{
    struct mempool_view *pool = burst->peer->p2p->options.mempool;
    struct everything all = {0};

    pool->ops->walk(pool, hold_one, &all);
    for (size_t i = 0; i < all.n; i++) {
        struct tx_name name = {.is_wtxid = true};
        struct mempool_entry entry;
        const struct tx_ref *ref;

        memcpy(name.id, all.refs[i]->tx.wtxid.b, HASH_BYTES);
        ref = pool->ops->find(pool, &entry, &name);
        if (ref != NULL && entry.sequence < burst->peer->relay.last_sequence)
            burst_add(burst, &ref->tx, &entry, true);
        tx_ref_drop(ref);
        tx_ref_drop(all.refs[i]);
    }
    free(all.refs);
}

static void burst_queue(struct burst *burst)
{
    struct peer_relay *relay = &burst->peer->relay;
    struct mempool_view *pool = burst->peer->p2p->options.mempool;

    relay->queue_n = pool->ops->sort(pool, relay->queue, relay->queue_n);
    for (size_t i = 0; i < relay->queue_n; i++) {
        struct tx_name name = {.is_wtxid = true};
        struct mempool_entry entry;
        const struct tx_ref *ref;

        memcpy(name.id, relay->queue[i].b, HASH_BYTES);
        ref = pool->ops->find(pool, &entry, &name);
        if (ref != NULL)
            burst_add(burst, &ref->tx, &entry, false);
        tx_ref_drop(ref);
    }
    list_empty(&relay->queue, &relay->queue_n, &relay->queue_capacity);
}

/* Is it time? Sets the next one. */
static bool is_burst_time(struct peer *peer, int64_t now_ms)
{
    struct peer_relay *relay = &peer->relay;

    if (relay->next_burst_ms >= now_ms)
        return peer_has(peer, PERMISSION_NO_BAN);
    relay->next_burst_ms =
        peer_is_inbound(peer)
            ? next_inbound_ms(peer, now_ms)
            : now_ms + (int64_t)random_poisson(&peer->p2p->random, RELAY_OUTBOUND_MEAN_MS);
    return true;
}

void relay_txs_send(struct peer *peer, int64_t now_ms)
{
    struct peer_relay *relay = &peer->relay;
    struct burst burst = {.peer = peer};
    size_t room;

    if (!relay->has_txs || !is_burst_time(peer, now_ms))
        return;
    if (!relay->wants_txs)
        list_empty(&relay->queue, &relay->queue_n, &relay->queue_capacity);
    if (relay->queue_n == 0 && !relay->wants_mempool)
        return;
    open_window(peer);
    if (relay->wants_mempool) /* All of them: the queue's are among them. */
        list_empty(&relay->queue, &relay->queue_n, &relay->queue_capacity);
    room = relay->wants_mempool ? INV_N_MAX : MIN(relay->queue_n, (size_t)INV_N_MAX);
    burst.invs = alloc_array(room, sizeof(*burst.invs));
    if (relay->wants_mempool)
        burst_mempool(&burst);
    else
        burst_queue(&burst);
    relay->wants_mempool = false;
    burst_flush(&burst);
    free(burst.invs);
}

void relay_mempool_asked(struct peer *peer)
{
    if (peer->relay.has_txs)
        peer->relay.wants_mempool = true;
}

void relay_fill_status(const struct p2p *p2p, struct peers_status *status)
{
    const struct inv_backlog *in = &p2p->relay.inbound, *out = &p2p->relay.outbound;

    status->tx_send_rate = p2p->options.tx_send_rate;
    status->private_broadcast = p2p->options.private_broadcast;
    status->inbound_backlog = (struct peers_backlog){
        .n = in->n, .count_tokens = in->count.tokens, .byte_tokens = in->bytes.tokens};
    status->outbound_backlog = (struct peers_backlog){
        .n = out->n, .count_tokens = out->count.tokens, .byte_tokens = out->bytes.tokens};
}
