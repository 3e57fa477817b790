/* Transactions that nobody is to know are ours: over connections of their own. */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "p2p/p2p_priv.h"

#define CONNECTION_MS_MAX (3 * 60 * 1000)
#define CHECK_MS (2 * 60 * 1000) /* And up to half as long more. */
#define DIAL_PAUSE_MS 100        /* Between calls that come to nothing. */
#define COMPLAIN_MS 5000
#define BAD_ADDRESSES_MANY 100

void relay_private_init(struct p2p *p2p)
{
    p2p->relay.privates = private_broadcast_new();
}

void relay_private_clear(struct p2p *p2p)
{
    private_broadcast_free(p2p->relay.privates);
}

static void want_fewer(struct p2p *p2p, size_t n)
{
    p2p->relay.privates_to_open -= MIN(n, p2p->relay.privates_to_open);
}

/* Connections that were planned for one that is through. */
static void cancel_planned(struct p2p *p2p, size_t confirmed_n)
{
    if (confirmed_n < PRIVATE_CONNECTIONS)
        want_fewer(p2p, PRIVATE_CONNECTIONS - confirmed_n);
}

/* --- For RPC --- */

enum peers_answer relay_broadcast_privately(struct p2p *p2p, const struct tx_ref *tx)
{
    struct hash_hex txid = hash_hex(tx->tx.txid.b), wtxid = hash_hex(tx->tx.wtxid.b);

    switch (private_broadcast_add(p2p->relay.privates, tx, p2p_now_ms(p2p))) {
    case PRIVATE_ADDED:
        log_debug("privatebroadcast", "Requesting %d new connections due to txid=%s, wtxid=%s",
                  PRIVATE_CONNECTIONS, txid.text, wtxid.text);
        p2p->relay.privates_to_open += PRIVATE_CONNECTIONS;
        return PEERS_OK;
    case PRIVATE_KNOWN:
        log_debug("privatebroadcast",
                  "Ignoring unnecessary request to schedule an already scheduled transaction: "
                  "txid=%s, wtxid=%s",
                  txid.text, wtxid.text);
        return PEERS_OK;
    case PRIVATE_FULL:
        log_debug("privatebroadcast",
                  "Rejecting private broadcast, queue full (cap=%d): txid=%s, wtxid=%s",
                  PRIVATE_TXS_MAX, txid.text, wtxid.text);
        break;
    }
    return PEERS_FULL;
}

struct wanted_id {
    const uint8_t *id;
    const struct tx_ref **txs;
    size_t n;
};

static void hold_matching(void *context, const struct tx_ref *tx, int64_t added_ms,
                          const struct private_try *tries, size_t tries_n)
{
    struct wanted_id *wanted = context;

    (void)added_ms;
    (void)tries;
    (void)tries_n;
    if (memcmp(tx->tx.txid.b, wanted->id, HASH_BYTES) == 0 ||
        memcmp(tx->tx.wtxid.b, wanted->id, HASH_BYTES) == 0)
        wanted->txs[wanted->n++] = tx_ref_hold(tx);
}

enum peers_answer relay_abort_private(struct p2p *p2p, const uint8_t *id,
                                      const struct tx_ref ***ret_txs, size_t *ret_n,
                                      struct arena *arena)
{
    struct private_broadcast *privates = p2p->relay.privates;
    struct wanted_id wanted = {.id = id};

    wanted.txs = arena_array(arena, private_broadcast_count(privates) + 1, sizeof(*wanted.txs));
    private_broadcast_walk(privates, hold_matching, &wanted);
    for (size_t i = 0; i < wanted.n; i++) {
        size_t confirmed_n = 0;

        if (private_broadcast_remove(privates, &confirmed_n, &wanted.txs[i]->tx.wtxid))
            cancel_planned(p2p, confirmed_n);
    }
    *ret_txs = wanted.txs;
    *ret_n = wanted.n;
    return wanted.n > 0 ? PEERS_OK : PEERS_NOT_FOUND;
}

struct listing {
    struct peers_private *list;
    size_t n;
    struct arena *arena;
};

static void list_one(void *context, const struct tx_ref *tx, int64_t added_ms,
                     const struct private_try *tries, size_t tries_n)
{
    struct listing *listing = context;
    struct peers_private *item = &listing->list[listing->n++];

    *item = (struct peers_private){.tx = tx_ref_hold(tx),
                                   .time_s = added_ms / 1000,
                                   .tries_left = PRIVATE_TRIES_MAX - (uint32_t)tries_n,
                                   .tries_n = tries_n};
    item->tries = arena_array(listing->arena, MAX(tries_n, (size_t)1), sizeof(*item->tries));
    for (size_t i = 0; i < tries_n; i++) {
        (void)net_address_text(item->tries[i].address, &tries[i].address);
        item->tries[i].sent_s = tries[i].sent_ms / 1000;
        item->tries[i].received_s = tries[i].confirmed_ms / 1000;
    }
}

void relay_list_private(const struct p2p *p2p, struct peers_private **ret_list, size_t *ret_n,
                        struct arena *arena)
{
    const struct private_broadcast *privates = p2p->relay.privates;
    struct listing listing = {.arena = arena};

    listing.list = arena_array(arena, private_broadcast_count(privates) + 1, sizeof(*listing.list));
    private_broadcast_walk(privates, list_one, &listing);
    *ret_list = listing.list;
    *ret_n = listing.n;
}

/* --- One connection --- */

void relay_private_ready(struct peer *peer)
{
    struct p2p *p2p = peer->p2p;
    const struct tx_ref *ref =
        private_broadcast_pick(p2p->relay.privates, peer->id, &peer->address, p2p_now_ms(p2p));
    struct inv inv = {.type = INV_TX};

    if (ref == NULL) {
        log_debug("privatebroadcast",
                  "Disconnecting: no more transactions for private broadcast (connected in vain), "
                  "%s",
                  peer->log_name);
        peer_disconnect(peer, "no more transactions for private broadcast");
        return;
    }
    log_debug("privatebroadcast", "P2P handshake completed, sending INV for txid=%s%s%s, %s",
              hash_hex(ref->tx.txid.b).text, ref->tx.has_witness ? ", wtxid=" : "",
              ref->tx.has_witness ? hash_hex(ref->tx.wtxid.b).text : "", peer->log_name);
    memcpy(inv.hash, ref->tx.txid.b, HASH_BYTES);
    message_write_inv(peer_begin(peer, MESSAGE_INV), &inv, 1);
    peer_end(peer);
}

void relay_private_asked(struct peer *peer, const struct message_inv *wanted)
{
    const struct tx_ref *ref = private_broadcast_of(peer->p2p->relay.privates, peer->id);
    struct buf *buf;

    if (ref == NULL) {
        log_debug("privatebroadcast", "Disconnecting: got GETDATA without sending an INV, %s",
                  peer->log_name);
        peer_disconnect(peer, "getdata without inv");
        return;
    }
    if (wanted->n != 1 || wanted->inv[0].type != INV_TX ||
        memcmp(wanted->inv[0].hash, ref->tx.txid.b, HASH_BYTES) != 0) {
        log_debug("privatebroadcast", "Disconnecting: got an unexpected GETDATA message, %s",
                  peer->log_name);
        peer_disconnect(peer, "unexpected getdata");
        return;
    }
    buf = peer_begin(peer, MESSAGE_TX);
    buf_add(buf, ref->tx.raw.data, ref->tx.raw.len);
    peer_end(peer);
    /* Its answer means that the transaction has arrived: messages keep their order. */
    handshake_ping(peer);
}

void relay_private_ponged(struct peer *peer)
{
    struct p2p *p2p = peer->p2p;

    private_broadcast_confirmed(p2p->relay.privates, peer->id, p2p_now_ms(p2p));
    log_debug("privatebroadcast",
              "Got a PONG (the transaction will probably reach the network), marking for "
              "disconnect, %s",
              peer->log_name);
    peer_disconnect(peer, "private broadcast done");
}

void relay_private_gone(struct peer *peer)
{
    struct p2p_relay *relay = &peer->p2p->relay;

    if (!private_broadcast_is_confirmed(relay->privates, peer->id) &&
        private_broadcast_has_pending(relay->privates))
        relay->privates_to_open++;
}

void relay_private_came_back(struct peer *peer, const struct tx_ref *tx)
{
    struct p2p *p2p = peer->p2p;
    size_t confirmed_n;

    if (!private_broadcast_remove(p2p->relay.privates, &confirmed_n, &tx->tx.wtxid))
        return;
    log_debug("privatebroadcast",
              "Received our privately broadcast transaction (txid=%s) from the network from %s; "
              "stopping private broadcast attempts",
              hash_hex(tx->tx.txid.b).text, peer->log_name);
    cancel_planned(p2p, confirmed_n);
}

void relay_private_send(struct peer *peer, int64_t now_ms)
{
    if (peer->connected_ms + CONNECTION_MS_MAX >= now_ms)
        return;
    log_debug("privatebroadcast",
              "Disconnecting: did not complete the transaction send within %d seconds, %s",
              CONNECTION_MS_MAX / 1000, peer->log_name);
    peer_disconnect(peer, "private broadcast took too long");
}

/* --- Those that did not come back --- */

/* One of them under test: could it still enter the mempool? */
struct recheck {
    struct p2p *p2p;
    const struct tx_ref *tx;
    bool is_good;
    char reason[96];
};

static void rechecked(struct p2p *p2p, void *own_argument)
{
    struct recheck *recheck = own_argument;
    const struct tx *tx = &recheck->tx->tx;
    size_t confirmed_n;

    if (recheck->is_good) {
        log_debug("privatebroadcast", "Reattempting broadcast of stale txid=%s wtxid=%s",
                  hash_hex(tx->txid.b).text, hash_hex(tx->wtxid.b).text);
        p2p->relay.privates_to_open++;
    } else {
        log_debug("privatebroadcast", "Giving up broadcast attempts for txid=%s wtxid=%s: %s",
                  hash_hex(tx->txid.b).text, hash_hex(tx->wtxid.b).text, recheck->reason);
        (void)private_broadcast_remove(p2p->relay.privates, &confirmed_n, &tx->wtxid);
    }
    tx_ref_drop(recheck->tx);
    free(recheck);
}

static void take_test_answer(void *context, const struct txs_answer *answer)
{
    struct recheck *recheck = context;

    if (answer->txs_n == 1) {
        recheck->is_good = answer->results[0].outcome == TX_ACCEPTED;
        memcpy(recheck->reason, answer->results[0].reason, sizeof(recheck->reason));
    }
    p2p_post(recheck->p2p, rechecked, recheck);
}

static void check_stale(struct p2p *p2p)
{
    struct sink *sink = p2p->options.sink;
    const struct tx_ref **txs;
    struct arena arena;
    size_t n;

    arena_init(&arena);
    private_broadcast_stale(p2p->relay.privates, &txs, &n, p2p_now_ms(p2p), &arena);
    for (size_t i = 0; i < n; i++) {
        struct recheck *recheck = alloc_zero(sizeof(*recheck));

        recheck->p2p = p2p;
        recheck->tx = txs[i];
        sink->ops->test_tx(sink, txs[i], take_test_answer, recheck);
    }
    arena_clear(&arena);
}

/* --- Connections --- */

void relay_private_connected(struct peer *peer)
{
    struct p2p *p2p = peer->p2p;
    char text[NET_ADDRESS_TEXT_SIZE];

    want_fewer(p2p, 1);
    log_debug("privatebroadcast", "Socket connected to %s; remaining connections to open: %zu",
              net_address_text(text, &peer->address), p2p->relay.privates_to_open);
}

/* One of the networks that hide us; IPv4 and IPv6 through Tor's exits only once Tor is
 * known to work. NET_UNROUTABLE: there is none. */
static enum net_kind pick_network(struct p2p *p2p)
{
    enum net_kind nets[4];
    size_t n = 0;

    if (connect_is_reachable(p2p, NET_ONION)) {
        nets[n++] = NET_ONION;
        for (enum net_kind net = NET_IPV4; net <= NET_IPV6 && p2p->relay.tor_works; net++)
            if (connect_is_reachable(p2p, net))
                nets[n++] = net;
    }
    if (connect_is_reachable(p2p, NET_I2P))
        nets[n++] = NET_I2P;
    return n > 0 ? nets[random_below(&p2p->random, n)] : NET_UNROUTABLE;
}

/* Calls one more; false: not now. */
static bool call_one(struct p2p *p2p)
{
    struct p2p_relay *relay = &p2p->relay;
    enum net_kind net = pick_network(p2p);
    struct addrman_address found;
    struct dial_wish wish = {.kind = PEER_PRIVATE_BROADCAST, .counts_failure = true};

    if (net == NET_UNROUTABLE) {
        log_warning("net", "Unable to open -privatebroadcast connections: neither Tor nor I2P is "
                           "reachable");
        relay->private_call_ms = p2p_real_ms(p2p) + COMPLAIN_MS;
        return false;
    }
    relay->private_call_ms = p2p_real_ms(p2p) + DIAL_PAUSE_MS;
    if (!addrman_select(connect_addrman(p2p), &found, NULL, false, NET_BIT(net), p2p_now_s(p2p))) {
        if (++relay->private_bad_n % BAD_ADDRESSES_MANY == 0)
            log_debug("privatebroadcast", "Connections needed but addrman keeps returning bad "
                                          "addresses, will retry");
        return false;
    }
    relay->private_bad_n = 0;
    wish.address = found.address;
    wish.services = found.services;
    wish.seen_s = found.time_s;
    wish.v2 = connect_uses_v2(p2p) && (found.services & NODE_P2P_V2) != 0;
    return connect_dial(p2p, &wish);
}

static void call_more(struct p2p *p2p)
{
    struct p2p_relay *relay = &p2p->relay;
    size_t n = connect_count(p2p, PEER_PRIVATE_BROADCAST), calling = n;

    if (relay->privates_to_open == 0 || !p2p->is_active ||
        p2p_real_ms(p2p) < relay->private_call_ms)
        return;
    for (const struct peer *peer = p2p->first; peer != NULL; peer = peer->next)
        calling -= peer->kind == PEER_PRIVATE_BROADCAST && !peer->is_doomed;
    while (calling < relay->privates_to_open && n < PRIVATE_CONNECTIONS_MAX && call_one(p2p)) {
        calling++;
        n++;
    }
}

void relay_private_tick(struct p2p *p2p)
{
    struct p2p_relay *relay = &p2p->relay;
    int64_t timer_ms = p2p_timer_ms(p2p);

    if (!p2p->options.private_broadcast)
        return;
    call_more(p2p);
    if (timer_ms < relay->privates_ms)
        return;
    check_stale(p2p);
    relay->privates_ms = timer_ms + CHECK_MS + (int64_t)random_below(&p2p->random, CHECK_MS / 2);
}
