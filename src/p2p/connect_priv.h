/* Whom we are connected with: address manager, bans, our own addresses, proxies, who is called
 * next, who is evicted. A subject of p2p: see p2p_priv.h.
 */
#ifndef P2P_CONNECT_PRIV_H
#define P2P_CONNECT_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "p2p/wire.h"

struct p2p;
struct peer;

struct p2p_connect {
    uint64_t started_ms;
};

void connect_init(struct p2p *p2p);
void connect_clear(struct p2p *p2p);
void connect_peer_added(struct peer *peer);
void connect_peer_ready(struct peer *peer);
void connect_peer_gone(struct peer *peer);
bool connect_handle(struct peer *peer, const struct wire_message *message, struct arena *arena);
void connect_send(struct peer *peer, int64_t now_ms);
void connect_tick(struct p2p *p2p, int64_t now_ms);

#endif /* P2P_CONNECT_PRIV_H */
