/* What we announce: transactions and addresses; feefilter, bloom filters, mempool, getaddr.
 * A subject of p2p: see p2p_priv.h.
 */
#ifndef P2P_RELAY_PRIV_H
#define P2P_RELAY_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "p2p/wire.h"

struct p2p;
struct peer;

/* What belongs to one peer. */
struct peer_relay {
    uint64_t added_ms;
};

struct p2p_relay {
    uint64_t started_ms;
};

void relay_init(struct p2p *p2p);
void relay_clear(struct p2p *p2p);
void relay_peer_added(struct peer *peer);
void relay_peer_ready(struct peer *peer);
void relay_peer_gone(struct peer *peer);
bool relay_handle(struct peer *peer, const struct wire_message *message, struct arena *arena);
void relay_send(struct peer *peer, int64_t now_ms);
void relay_tick(struct p2p *p2p, int64_t now_ms);

struct inv;
struct block;
/* A transaction of a getdata: sent if the peer may have it. False: say notfound. */
bool relay_serve_tx(struct peer *peer, const struct inv *inv);
/* merkleblock and the matching transactions, if the peer has loaded a filter. */
void relay_send_filtered(struct peer *peer, const struct block *block);

#endif /* P2P_RELAY_PRIV_H */
