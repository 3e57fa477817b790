/* An inbound peer goes for a newcomer. */
#include <inttypes.h>

#include "base/alloc.h"
#include "base/log.h"
#include "p2p/asmap.h"
#include "p2p/eviction.h"
#include "p2p/p2p_priv.h"

/* Groups under a key of this run: nobody knows which of them are kept. */
uint64_t connect_group_key(const struct p2p *p2p, const struct net_address *address)
{
    struct net_group group = asmap_group(p2p->connect.asmap, address);
    struct siphash_key key = {get_le64(p2p->options.seed), get_le64(p2p->options.seed + 8)};

    return siphash_of(&key, group.bytes, group.len);
}

bool connect_relays_txs(const struct peer *peer)
{
    /* A bloom filter turns it on later than the version message. */
    return peer_asks_txs(peer) || relay_is_on(peer);
}

static struct eviction_candidate describe(const struct p2p *p2p, const struct peer *peer)
{
    const uint64_t wanted = handshake_desirable_services(p2p, peer_services(peer));

    return (struct eviction_candidate){
        .id = peer->id,
        .connected_us = (int64_t)peer->connected_us,
        .min_ping_us = peer_ping_min_us(peer),
        .last_block_s = peer->blocks.last_block_s,
        .last_tx_s = peer->txs.last_tx_s,
        .group = connect_group_key(p2p, &peer->address),
        .net = peer->is_inbound_onion ? NET_ONION : net_address_class(&peer->address),
        .has_services = (peer_services(peer) & wanted) == wanted,
        .relays_txs = connect_relays_txs(peer),
        .has_filter = relay_has_filter(peer),
        .is_preferred = peer->is_easily_evicted,
        .is_local = net_address_is_local(&peer->address),
        .is_protected = !peer_is_inbound(peer) || peer_has(peer, PERMISSION_NO_BAN),
    };
}

bool connect_evict_one(struct p2p *p2p, bool only_txs, int64_t keep)
{
    struct eviction_candidate *list = alloc_array(p2p->peers_n + 1, sizeof(*list));
    struct peer *chosen;
    size_t n = 0;
    int64_t id;
    bool is_found;

    for (const struct peer *peer = p2p->first; peer != NULL; peer = peer->next) {
        if (peer->is_doomed || peer->id == keep || (only_txs && !connect_relays_txs(peer)))
            continue;
        list[n++] = describe(p2p, peer);
    }
    is_found = eviction_choose_inbound(&id, list, n);
    free(list);
    chosen = is_found ? peer_find(p2p, id) : NULL;
    if (chosen == NULL)
        return false;
    log_debug("net", "selected %s connection for eviction, disconnecting peer=%" PRId64,
              peer_kind_name(chosen->kind), chosen->id);
    chosen->is_doomed = true;
    return true;
}
