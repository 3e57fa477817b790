#include "p2p/tx_download_priv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "p2p/p2p_priv.h"

/* --- Life --- */

static struct siphash_key random_key(struct p2p *p2p)
{
    struct siphash_key key;

    key.k0 = random_u64(&p2p->random);
    key.k1 = random_u64(&p2p->random);
    return key;
}

void txs_init(struct p2p *p2p)
{
    struct p2p_txs *txs = &p2p->txs;
    struct siphash_key key = random_key(p2p);

    txs->requests = tx_request_new(&key);
    key = random_key(p2p);
    txs->orphanage = orphanage_new(&key, ORPHANAGE_SCORE_MAX, ORPHANAGE_PEER_WEIGHT);
    key = random_key(p2p);
    rolling_set_init(&txs->rejects, TXS_REJECTS_N, &key);
    key = random_key(p2p);
    rolling_set_init(&txs->rejects_fee, TXS_REJECTS_N, &key);
    key = random_key(p2p);
    rolling_set_init(&txs->confirmed, TXS_CONFIRMED_N, &key);
}

void txs_clear(struct p2p *p2p)
{
    struct p2p_txs *txs = &p2p->txs;

    tx_request_free(txs->requests);
    orphanage_free(txs->orphanage);
    rolling_set_clear(&txs->rejects);
    rolling_set_clear(&txs->rejects_fee);
    rolling_set_clear(&txs->confirmed);
    *txs = (struct p2p_txs){0};
}

void txs_peer_added(struct peer *peer)
{
    peer->txs = (struct peer_txs){0};
}

void txs_peer_ready(struct peer *peer)
{
    if (peer->kind == PEER_PRIVATE_BROADCAST)
        return;
    peer->txs.is_counted = peer_has_wtxid_relay(peer);
    peer->p2p->txs.wtxid_peers_n += peer->txs.is_counted;
}

void txs_peer_gone(struct peer *peer)
{
    struct p2p_txs *txs = &peer->p2p->txs;

    tx_request_peer_gone(txs->requests, peer->id);
    orphanage_peer_gone(txs->orphanage, peer->id);
    txs->wtxid_peers_n -= peer->txs.is_counted;
    peer->txs.is_counted = false;
}

/* --- What we have --- */

bool txs_have(const struct p2p *p2p, const struct tx_name *name, bool with_rejects_fee)
{
    const struct p2p_txs *txs = &p2p->txs;
    struct mempool_view *pool = p2p->options.mempool;
    struct wtxid wtxid;

    /* A txid without witness is its own wtxid: worth a look for that, too. */
    memcpy(wtxid.b, name->id, HASH_BYTES);
    if (orphanage_find(txs->orphanage, &wtxid) != NULL)
        return true;
    if (with_rejects_fee && rolling_set_has(&txs->rejects_fee, name->id))
        return true;
    return rolling_set_has(&txs->confirmed, name->id) || rolling_set_has(&txs->rejects, name->id) ||
           pool->ops->has(pool, name);
}

bool txs_have_txid(const struct p2p *p2p, const struct txid *txid, bool with_rejects_fee)
{
    struct tx_name name = {.is_wtxid = false};

    memcpy(name.id, txid->b, HASH_BYTES);
    return txs_have(p2p, &name, with_rejects_fee);
}

void txs_forget(struct p2p *p2p, const struct tx *tx)
{
    tx_request_forget(p2p->txs.requests, tx->txid.b);
    tx_request_forget(p2p->txs.requests, tx->wtxid.b);
}

static int compare_txids(const void *a, const void *b)
{
    return memcmp(a, b, HASH_BYTES);
}

void txs_parents(struct txid **ret_parents, size_t *ret_n, const struct tx *tx, struct arena *arena)
{
    struct txid *parents = arena_array(arena, MAX(tx->in_n, 1U), sizeof(*parents));
    size_t n = 0;

    for (uint32_t i = 0; i < tx->in_n; i++)
        parents[i] = tx->in[i].prevout.txid;
    qsort(parents, tx->in_n, sizeof(*parents), compare_txids);
    for (uint32_t i = 0; i < tx->in_n; i++)
        if (i == 0 || !txid_equal(&parents[i], &parents[n - 1]))
            parents[n++] = parents[i];
    *ret_parents = parents;
    *ret_n = n;
}

/* --- Announcements --- */

static const char *kind_of(const struct tx_name *name)
{
    return name->is_wtxid ? "wtx" : "tx";
}

/* From when on a peer may be asked. */
static int64_t ask_at_ms(const struct peer *peer, bool is_wtxid)
{
    const struct p2p_txs *txs = &peer->p2p->txs;
    int64_t at_ms = p2p_now_ms(peer->p2p);

    if (!headers_is_preferred(peer))
        at_ms += TXS_DELAY_MS;
    if (!is_wtxid && txs->wtxid_peers_n > 0)
        at_ms += TXS_DELAY_MS;
    if (!peer_has(peer, PERMISSION_RELAY) &&
        tx_request_in_flight(txs->requests, peer->id) >= TXS_IN_FLIGHT_MANY)
        at_ms += TXS_DELAY_MS;
    return at_ms;
}

bool txs_ask_parents(struct peer *peer, const struct txid *parents, size_t parents_n,
                     const struct wtxid *orphan)
{
    struct p2p_txs *txs = &peer->p2p->txs;
    int64_t at_ms;

    if (!peer->is_ready || orphanage_has_from(txs->orphanage, orphan, peer->id))
        return false;
    if (!peer_has(peer, PERMISSION_RELAY) &&
        tx_request_count(txs->requests, peer->id) + parents_n > TXS_ANNOUNCED_MAX)
        return false;
    /* Later than by wtxid: the parents may be on their way by that. */
    at_ms = ask_at_ms(peer, false);
    for (size_t i = 0; i < parents_n; i++) {
        struct tx_name name = {.is_wtxid = false};

        memcpy(name.id, parents[i].b, HASH_BYTES);
        tx_request_announced(txs->requests, peer->id, &name, headers_is_preferred(peer), at_ms);
    }
    log_debug("txpackages", "added peer=%" PRId64 " as a candidate for resolving orphan %s",
              peer->id, hash_hex(orphan->b).text);
    return true;
}

/* Drops parents we need not ask for; those that failed for their fee are asked again. */
static size_t keep_missing(const struct p2p *p2p, struct txid *parents, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++)
        if (!txs_have_txid(p2p, &parents[i], false))
            parents[kept++] = parents[i];
    return kept;
}

/* Returns whether we have it already. */
static bool announced(struct peer *peer, const struct tx_name *name, struct arena *arena)
{
    struct p2p_txs *txs = &peer->p2p->txs;
    struct wtxid wtxid;

    memcpy(wtxid.b, name->id, HASH_BYTES);
    if (name->is_wtxid) {
        const struct tx_ref *orphan = orphanage_find(txs->orphanage, &wtxid);
        struct txid *parents;
        size_t n;

        if (orphan != NULL) {
            txs_parents(&parents, &n, &orphan->tx, arena);
            n = keep_missing(peer->p2p, parents, n);
            if (n > 0 && txs_ask_parents(peer, parents, n, &wtxid))
                (void)orphanage_add_announcer(txs->orphanage, &wtxid, peer->id);
            return true;
        }
    }
    if (txs_have(peer->p2p, name, true))
        return true;
    if (!peer_has(peer, PERMISSION_RELAY) &&
        tx_request_count(txs->requests, peer->id) >= TXS_ANNOUNCED_MAX)
        return false;
    tx_request_announced(txs->requests, peer->id, name, headers_is_preferred(peer),
                         ask_at_ms(peer, name->is_wtxid));
    return false;
}

static bool inv_is_tx(const struct inv *inv)
{
    return inv->type == INV_TX || inv->type == INV_WTX || inv->type == INV_WITNESS_TX;
}

/* The ids of one message: an open table of places in it, counted from 1. */
struct seen {
    uint32_t *slots;
    size_t mask;
    const struct inv *invs;
};

static void seen_init(struct seen *seen, const struct message_inv *invs, struct arena *arena)
{
    size_t slots_n = 16;

    while (slots_n < 2 * (size_t)invs->n)
        slots_n *= 2;
    *seen = (struct seen){.mask = slots_n - 1, .invs = invs->inv};
    seen->slots = arena_array(arena, slots_n, sizeof(*seen->slots));
}

/* False: the same was there before. */
static bool seen_add(struct seen *seen, const struct siphash_key *key, uint32_t index)
{
    const struct inv *inv = &seen->invs[index];
    size_t at = siphash_id(key, inv->hash) & seen->mask;

    for (; seen->slots[at] != 0; at = (at + 1) & seen->mask) {
        const struct inv *other = &seen->invs[seen->slots[at] - 1];

        if ((other->type == INV_WTX) == (inv->type == INV_WTX) &&
            memcmp(other->hash, inv->hash, HASH_BYTES) == 0)
            return false;
    }
    seen->slots[at] = index + 1;
    return true;
}

static void handle_inv(struct peer *peer, const struct wire_message *message, struct arena *arena)
{
    struct p2p *p2p = peer->p2p;
    bool is_early = p2p->options.ground.is_initial_block_download(p2p->options.ground.context);
    struct siphash_key key = random_key(p2p);
    struct message_inv invs;
    struct seen seen;

    /* What is wrong with it the subject of headers has dealt with. */
    if (message_read_inv(&invs, message->payload, MESSAGE_INV, arena, NULL) < 0)
        return;
    seen_init(&seen, &invs, arena);
    for (uint32_t i = 0; i < invs.n; i++) {
        const struct inv *inv = &invs.inv[i];
        struct tx_name name = {.is_wtxid = inv->type == INV_WTX};
        bool have;

        if (!inv_is_tx(inv) || inv->type == (peer_has_wtxid_relay(peer) ? INV_TX : INV_WTX))
            continue;
        if (peer_may_not_send_txs(peer)) {
            peer_disconnect(peer, "transaction (%s) inv sent in violation of protocol",
                            hash_hex(inv->hash).text);
            return;
        }
        if (!seen_add(&seen, &key, i))
            continue;
        memcpy(name.id, inv->hash, HASH_BYTES);
        relay_peer_knows(peer, name.id);
        if (is_early)
            continue;
        have = announced(peer, &name, arena);
        log_debug("net", "got inv: %s %s %s peer=%" PRId64, inv_type_name(inv->type),
                  hash_hex(inv->hash).text, have ? "have" : "new", peer->id);
    }
}

static void handle_notfound(struct peer *peer, const struct wire_message *message,
                            struct arena *arena)
{
    struct message_inv invs;

    if (message_read_inv(&invs, message->payload, MESSAGE_NOTFOUND, arena, NULL) < 0 ||
        invs.n > TXS_ANNOUNCED_MAX + 16)
        return;
    for (uint32_t i = 0; i < invs.n; i++)
        if (inv_is_tx(&invs.inv[i]))
            tx_request_answered(peer->p2p->txs.requests, peer->id, invs.inv[i].hash);
}

/* --- Transactions --- */

/* Known already: for a peer with that permission it is announced again all the same, so
 * that we are a gateway for nodes behind us. */
static void force_relay(struct peer *peer, const struct tx *tx)
{
    struct mempool_view *pool = peer->p2p->options.mempool;
    struct tx_name name = {.is_wtxid = false};

    if (!peer_has(peer, PERMISSION_FORCE_RELAY))
        return;
    memcpy(name.id, tx->txid.b, HASH_BYTES);
    if (!pool->ops->has(pool, &name)) {
        log_info("net",
                 "Not relaying non-mempool transaction %s (wtxid=%s) from forcerelay "
                 "peer=%" PRId64,
                 hash_hex(tx->txid.b).text, hash_hex(tx->wtxid.b).text, peer->id);
        return;
    }
    log_info("net", "Force relaying tx %s (wtxid=%s) from peer=%" PRId64, hash_hex(tx->txid.b).text,
             hash_hex(tx->wtxid.b).text, peer->id);
    relay_broadcast(peer->p2p, &tx->wtxid);
}

static void receive(struct peer *peer, const struct tx_ref *ref)
{
    const struct tx *tx = &ref->tx;
    struct p2p_txs *txs = &peer->p2p->txs;
    struct tx_name name = {.is_wtxid = true};

    relay_peer_knows(peer, peer_has_wtxid_relay(peer) ? tx->wtxid.b : tx->txid.b);
    relay_private_came_back(peer, ref);
    tx_request_answered(txs->requests, peer->id, tx->txid.b);
    if (tx->has_witness)
        tx_request_answered(txs->requests, peer->id, tx->wtxid.b);
    memcpy(name.id, tx->wtxid.b, HASH_BYTES);
    if (txs_have(peer->p2p, &name, false)) {
        force_relay(peer, tx);
    } else if (rolling_set_has(&txs->rejects_fee, tx->wtxid.b)) {
        log_debug("txpackages",
                  "found tx %s (wtxid=%s) in reconsiderable rejects, looking for child in "
                  "orphanage",
                  hash_hex(tx->txid.b).text, hash_hex(tx->wtxid.b).text);
        force_relay(peer, tx);
        txs_judge_package_of(peer, ref);
    } else {
        txs_judge(peer, ref);
    }
}

static void handle_tx(struct peer *peer, const struct wire_message *message, struct arena *arena)
{
    struct p2p *p2p = peer->p2p;
    struct tx_ref *ref = NULL;
    struct error err = {0};
    struct tx tx;

    if (peer_may_not_send_txs(peer)) {
        peer_disconnect(peer, "transaction sent in violation of protocol");
        return;
    }
    /* Nothing to judge it by yet. */
    if (p2p->options.ground.is_initial_block_download(p2p->options.ground.context))
        return;
    if (message_read_tx(&tx, message->payload, arena, &err) < 0 ||
        tx_ref_read(&ref, tx.raw, &err) < 0) {
        peer_garbled(peer, message, &err);
        return;
    }
    receive(peer, ref);
    tx_ref_drop(ref);
}

bool txs_handle(struct peer *peer, const struct wire_message *message, struct arena *arena)
{
    if (peer->is_doomed)
        return false;
    switch (message->type) {
    case MESSAGE_INV:
        handle_inv(peer, message, arena);
        return true;
    case MESSAGE_NOTFOUND:
        handle_notfound(peer, message, arena);
        return true;
    case MESSAGE_TX:
        handle_tx(peer, message, arena);
        return true;
    default:
        return false;
    }
}

/* --- Requests --- */

static void send_requests(struct peer *peer, int64_t now_ms, struct arena *arena)
{
    struct p2p *p2p = peer->p2p;
    struct tx_requests *requests = p2p->txs.requests;
    struct tx_request_expired *expired;
    struct tx_name *names;
    struct inv *invs;
    size_t n, expired_n, invs_n = 0;

    tx_request_due(requests, &names, &n, &expired, &expired_n, peer->id, now_ms, arena);
    for (size_t i = 0; i < expired_n; i++)
        log_debug("net", "timeout of inflight %s %s from peer=%" PRId64, kind_of(&expired[i].name),
                  hash_hex(expired[i].name.id).text, expired[i].peer);
    invs = arena_array(arena, MAX(MIN(n, (size_t)TXS_GETDATA_MAX), (size_t)1), sizeof(*invs));
    for (size_t i = 0; i < n; i++) {
        struct inv *inv = &invs[invs_n];

        if (txs_have(p2p, &names[i], false)) {
            tx_request_forget(requests, names[i].id);
            continue;
        }
        log_debug("net", "Requesting %s %s peer=%" PRId64, kind_of(&names[i]),
                  hash_hex(names[i].id).text, peer->id);
        tx_request_sent(requests, peer->id, names[i].id, now_ms + TXS_EXPIRY_MS);
        inv->type = names[i].is_wtxid           ? INV_WTX
                    : peer_serves_witness(peer) ? INV_WITNESS_TX
                                                : INV_TX;
        memcpy(inv->hash, names[i].id, HASH_BYTES);
        if (++invs_n == TXS_GETDATA_MAX || i + 1 == n) {
            message_write_inv(peer_begin(peer, MESSAGE_GETDATA), invs, invs_n);
            peer_end(peer);
            invs_n = 0;
        }
    }
    if (invs_n > 0) {
        message_write_inv(peer_begin(peer, MESSAGE_GETDATA), invs, invs_n);
        peer_end(peer);
    }
}

void txs_send(struct peer *peer, int64_t now_ms)
{
    struct arena arena;

    if (!peer->is_ready || peer->is_doomed || peer->kind == PEER_PRIVATE_BROADCAST)
        return;
    txs_judge_orphans(peer);
    if (tx_request_count(peer->p2p->txs.requests, peer->id) == 0)
        return;
    arena_init(&arena);
    send_requests(peer, now_ms, &arena);
    arena_clear(&arena);
}

void txs_tick(struct p2p *p2p, int64_t now_ms)
{
    (void)p2p;
    (void)now_ms;
}

/* --- Chain events --- */

/* What of a block matters here: copied, as the block lives for the event only. */
struct block_digest {
    size_t txs_n, spent_n;
    struct digest_tx {
        struct txid txid;
        struct wtxid wtxid;
        bool has_witness;
        uint32_t out_n;
    } * txs;
    struct outpoint *spent;
};

static void block_connected(struct p2p *p2p, void *own_argument)
{
    struct block_digest *digest = own_argument;
    struct p2p_txs *txs = &p2p->txs;
    struct arena arena;

    arena_init(&arena);
    orphanage_spent(txs->orphanage, digest->spent, digest->spent_n);
    for (size_t i = 0; i < digest->txs_n; i++) {
        const struct digest_tx *tx = &digest->txs[i];
        int64_t *peers;
        size_t n;

        orphanage_parent_came(txs->orphanage, &tx->txid, tx->out_n, &p2p->random, &peers, &n,
                              &arena);
        txs_wake(p2p, peers, n);
        rolling_set_add(&txs->confirmed, tx->txid.b);
        if (tx->has_witness)
            rolling_set_add(&txs->confirmed, tx->wtxid.b);
        tx_request_forget(txs->requests, tx->txid.b);
        tx_request_forget(txs->requests, tx->wtxid.b);
    }
    arena_clear(&arena);
    free(digest->txs);
    free(digest->spent);
    free(digest);
}

void txs_event_connected(struct p2p *p2p, const struct block_info *info, const struct block *block)
{
    struct block_digest *digest;
    size_t at = 0;

    (void)info;
    if (p2p->options.ground.is_initial_block_download(p2p->options.ground.context))
        return;
    digest = alloc_zero(sizeof(*digest));
    digest->txs_n = block->tx_n;
    digest->txs = alloc_array(block->tx_n, sizeof(*digest->txs));
    for (uint32_t i = 0; i < block->tx_n; i++)
        digest->spent_n += block->tx[i].in_n;
    digest->spent = alloc_array(digest->spent_n, sizeof(*digest->spent));
    for (uint32_t i = 0; i < block->tx_n; i++) {
        const struct tx *tx = &block->tx[i];

        digest->txs[i] = (struct digest_tx){.txid = tx->txid,
                                            .wtxid = tx->wtxid,
                                            .has_witness = tx->has_witness,
                                            .out_n = tx->out_n};
        for (uint32_t in = 0; in < tx->in_n; in++)
            digest->spent[at++] = tx->in[in].prevout;
    }
    p2p_post(p2p, block_connected, digest);
}

static void block_disconnected(struct p2p *p2p, void *own_argument)
{
    (void)own_argument;
    /* What was in it may have to be fetched again. */
    rolling_set_reset(&p2p->txs.confirmed);
}

void txs_event_disconnected(struct p2p *p2p, const struct block_info *info,
                            const struct block *block)
{
    (void)info;
    (void)block;
    p2p_post(p2p, block_disconnected, NULL);
}

static void tip_changed(struct p2p *p2p, void *own_argument)
{
    (void)own_argument;
    /* A lock time may have passed, a double spend be gone: they may try again. */
    rolling_set_reset(&p2p->txs.rejects);
    rolling_set_reset(&p2p->txs.rejects_fee);
}

void txs_event_tip(struct p2p *p2p, const struct tip_event *event)
{
    if (!event->initial_block_download)
        p2p_post(p2p, tip_changed, NULL);
}

/* --- For RPC --- */

void txs_fill_info(const struct peer *peer, struct peer_info *info, struct arena *arena)
{
    (void)arena;
    info->last_transaction = peer->txs.last_tx_s;
}

void txs_list_orphans(const struct p2p *p2p, struct peers_orphan **ret_list, size_t *ret_n,
                      struct arena *arena)
{
    struct orphan_info *list;
    size_t n;

    orphanage_list(p2p->txs.orphanage, &list, &n, arena);
    *ret_list = arena_array(arena, MAX(n, (size_t)1), sizeof(struct peers_orphan));
    for (size_t i = 0; i < n; i++)
        (*ret_list)[i] = (struct peers_orphan){
            .tx = tx_ref_hold(list[i].tx), .from = list[i].peers, .from_n = list[i].peers_n};
    *ret_n = n;
}
