#include "p2p/relay_priv.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "p2p/p2p_priv.h"
#include "primitives/amount.h"

/* --- Life --- */

struct siphash_key relay_random_key(struct p2p *p2p)
{
    struct siphash_key key;

    key.k0 = random_u64(&p2p->random);
    key.k1 = random_u64(&p2p->random);
    return key;
}

void relay_init(struct p2p *p2p)
{
    p2p->relay = (struct p2p_relay){.heartbeat_ms = -1, .addr_key = relay_random_key(p2p)};
    relay_txs_init(p2p);
    relay_addrs_init(p2p);
    relay_private_init(p2p);
}

void relay_clear(struct p2p *p2p)
{
    relay_txs_clear(p2p);
    relay_addrs_clear(p2p);
    relay_private_clear(p2p);
    p2p->relay = (struct p2p_relay){0};
}

void relay_peer_added(struct peer *peer)
{
    peer->relay = (struct peer_relay){
        .last_sequence = 1, .addr_tokens = 1.0, .addr_tokens_ms = p2p_now_ms(peer->p2p)};
    if (peer->kind == PEER_PRIVATE_BROADCAST)
        relay_private_connected(peer);
}

void relay_peer_ready(struct peer *peer)
{
    struct peer_relay *relay = &peer->relay;
    struct siphash_key key = relay_random_key(peer->p2p);

    if (!peer_is_inbound(peer) && peer->address.net == NET_ONION)
        peer->p2p->relay.tor_works = true;
    if (peer->kind == PEER_PRIVATE_BROADCAST) {
        relay_private_ready(peer);
        return;
    }
    relay->has_txs = peer_has_tx_relay(peer);
    relay->wants_txs = relay->has_txs && peer_asks_txs(peer);
    if (relay->has_txs)
        rolling_set_init(&relay->known_txs, RELAY_KNOWN_TXS, &key);
    relay_addrs_ready(peer);
}

static void clear_filter(struct peer_relay *relay)
{
    if (relay->filter != NULL)
        bloom_clear(relay->filter);
    free(relay->filter);
    relay->filter = NULL;
}

void relay_peer_gone(struct peer *peer)
{
    struct peer_relay *relay = &peer->relay;

    if (peer->kind == PEER_PRIVATE_BROADCAST)
        relay_private_gone(peer);
    clear_filter(relay);
    rolling_set_clear(&relay->known_txs);
    rolling_set_clear(&relay->known_addrs);
    free(relay->queue);
    free(relay->addrs);
    *relay = (struct peer_relay){0};
}

/* --- Filters --- */

static bool offers_bloom(const struct peer *peer)
{
    return (peer_our_services(peer) & NODE_BLOOM) != 0;
}

/* False: it asks for what was not offered, and ends. */
static bool may_filter(struct peer *peer, const char *what)
{
    if (offers_bloom(peer))
        return true;
    peer_disconnect(peer, "%s received despite not offering bloom services", what);
    return false;
}

/* Its announcements are on now; one peer more that they go to. */
static void turn_on(struct peer *peer, const char *message)
{
    peer->relay.wants_txs = true;
    (void)connect_make_room_for_relay(peer, message);
}

static void handle_filterload(struct peer *peer, const struct wire_message *message)
{
    struct message_filterload load;
    struct error err = {0};
    int rc;

    if (!may_filter(peer, "filterload"))
        return;
    rc = message_read_filterload(&load, message->payload, &err);
    if (rc == E_LIMIT) {
        peer_misbehaved(peer, "too-large bloom filter");
    } else if (rc < 0) {
        peer_garbled(peer, message, &err);
    } else if (peer->relay.has_txs) {
        clear_filter(&peer->relay);
        peer->relay.filter = alloc_zero(sizeof(*peer->relay.filter));
        bloom_init(peer->relay.filter, &load);
        turn_on(peer, "filterload");
    }
}

static void handle_filteradd(struct peer *peer, const struct wire_message *message)
{
    struct span data;
    struct error err = {0};
    int rc;

    if (!may_filter(peer, "filteradd"))
        return;
    rc = message_read_filteradd(&data, message->payload, &err);
    if (rc == E_LIMIT || (rc == 0 && peer->relay.has_txs && peer->relay.filter == NULL))
        peer_misbehaved(peer, "bad filteradd message");
    else if (rc < 0)
        peer_garbled(peer, message, &err);
    else if (peer->relay.filter != NULL)
        bloom_add(peer->relay.filter, data);
}

static void handle_filterclear(struct peer *peer)
{
    if (!may_filter(peer, "filterclear") || !peer->relay.has_txs)
        return;
    clear_filter(&peer->relay);
    turn_on(peer, "filterclear");
}

static void send_tx(struct peer *peer, const struct tx *tx, bool with_witness)
{
    struct buf *buf = peer_begin(peer, MESSAGE_TX);

    if (with_witness)
        buf_add(buf, tx->raw.data, tx->raw.len);
    else
        tx_write(buf, tx, false);
    peer_end(peer);
}

void relay_send_filtered(struct peer *peer, const struct block *block)
{
    struct message_merkleblock merkleblock;
    struct arena arena;
    bool *matched;

    if (peer->relay.filter == NULL)
        return;
    arena_init(&arena);
    matched = arena_array(&arena, block->tx_n, sizeof(*matched));
    bloom_filter_block(peer->relay.filter, block, &merkleblock, matched, &arena);
    message_write_merkleblock(peer_begin(peer, MESSAGE_MERKLEBLOCK), &merkleblock);
    peer_end(peer);
    /* BIP 37 sends what matched at once, without a question. */
    for (uint32_t i = 0; i < block->tx_n; i++)
        if (matched[i])
            send_tx(peer, &block->tx[i], false);
    arena_clear(&arena);
}

/* --- Other messages --- */

static void handle_feefilter(struct peer *peer, const struct wire_message *message)
{
    struct error err = {0};
    int64_t sat_kvb;

    if (message_read_feefilter(&sat_kvb, message->payload, &err) < 0) {
        peer_garbled(peer, message, &err);
        return;
    }
    if (sat_kvb < 0 || sat_kvb > MONEY_MAX_SAT)
        return;
    if (peer->relay.has_txs)
        peer->relay.fee_filter_sat_kvb = sat_kvb;
    log_debug("net", "received: feefilter of %" PRId64 ".%08" PRId64 " BTC/kvB from peer=%" PRId64,
              sat_kvb / COIN_SAT, sat_kvb % COIN_SAT, peer->id);
}

static void handle_mempool(struct peer *peer)
{
    const char *why = NULL;

    if (peer_has(peer, PERMISSION_MEMPOOL))
        why = NULL;
    else if (!offers_bloom(peer))
        why = "mempool request with bloom filters disabled";
    else if (serve_upload_is_over(peer->p2p, false))
        why = "mempool request with bandwidth limit reached";
    if (why == NULL)
        relay_mempool_asked(peer);
    else if (!peer_has(peer, PERMISSION_NO_BAN))
        peer_disconnect(peer, "%s", why);
}

bool relay_handle(struct peer *peer, const struct wire_message *message, struct arena *arena)
{
    if (peer->is_doomed)
        return false;
    switch (message->type) {
    case MESSAGE_ADDR:
    case MESSAGE_ADDRV2:
        relay_addrs_received(peer, message, arena);
        return true;
    case MESSAGE_GETADDR:
        relay_addrs_asked(peer);
        return true;
    case MESSAGE_MEMPOOL:
        handle_mempool(peer);
        return true;
    case MESSAGE_FEEFILTER:
        handle_feefilter(peer, message);
        return true;
    case MESSAGE_FILTERLOAD:
        handle_filterload(peer, message);
        return true;
    case MESSAGE_FILTERADD:
        handle_filteradd(peer, message);
        return true;
    case MESSAGE_FILTERCLEAR:
        handle_filterclear(peer);
        return true;
    default:
        return false;
    }
}

/* --- Timers --- */

void relay_send(struct peer *peer, int64_t now_ms)
{
    if (!peer->is_ready || peer->is_doomed)
        return;
    if (peer->kind == PEER_PRIVATE_BROADCAST) {
        relay_private_send(peer, now_ms);
        return;
    }
    relay_addrs_send(peer, now_ms);
    if (peer->is_doomed)
        return;
    relay_txs_send(peer, now_ms);
    relay_fees_send(peer, now_ms);
}

void relay_tick(struct p2p *p2p, int64_t now_ms)
{
    relay_txs_tick(p2p, now_ms);
    relay_private_tick(p2p);
}

/* --- For others --- */

void relay_peer_knows(struct peer *peer, const uint8_t *id)
{
    if (peer->relay.has_txs)
        rolling_set_add(&peer->relay.known_txs, id);
}

static bool may_fetch(const struct mempool_entry *entry, const struct peer *peer)
{
    return entry->sequence < peer->relay.last_sequence;
}

bool relay_serve_tx(struct peer *peer, const struct inv *inv)
{
    struct mempool_view *pool = peer->p2p->options.mempool;
    struct tx_name name = {.is_wtxid = inv->type == INV_WTX};
    struct mempool_entry entry;
    const struct tx_ref *ref;
    const struct tx *tx = NULL;

    if (!peer->relay.has_txs)
        return true; /* Such a peer gets no answer at all. */
    memcpy(name.id, inv->hash, HASH_BYTES);
    ref = pool->ops->find(pool, &entry, &name);
    if (ref != NULL && may_fetch(&entry, peer))
        tx = &ref->tx;
    else
        tx = serve_recent_tx(peer->p2p, &name);
    if (tx != NULL) {
        send_tx(peer, tx, inv->type != INV_TX);
        pool->ops->was_broadcast(pool, &tx->txid);
    }
    tx_ref_drop(ref);
    return tx != NULL;
}

bool relay_is_on(const struct peer *peer)
{
    return peer->relay.wants_txs;
}

bool relay_has_filter(const struct peer *peer)
{
    return peer->relay.filter != NULL;
}

void relay_fill_info(const struct peer *peer, struct peer_info *info, struct arena *arena)
{
    const struct peer_relay *relay = &peer->relay;

    (void)arena;
    /* Before the handshake is through there is only what its version message says. */
    info->relays_txs =
        peer->is_ready ? relay->wants_txs : peer_has_tx_relay(peer) && peer_asks_txs(peer);
    info->last_inv_sequence = peer_has_tx_relay(peer) ? relay->last_sequence : 0;
    info->inv_to_send = relay->queue_n;
    info->min_fee_sat_kvb = relay->fee_filter_sat_kvb;
    info->addr_relay = relay->has_addrs;
    info->addr_processed = relay->addrs_processed;
    info->addr_rate_limited = relay->addrs_dropped;
}
