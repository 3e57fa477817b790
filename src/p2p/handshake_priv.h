/* Handshake: version to verack, what was negotiated, ping and pong, time offsets, self-connections.
 * A subject of p2p: see p2p_priv.h.
 */
#ifndef P2P_HANDSHAKE_PRIV_H
#define P2P_HANDSHAKE_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "p2p/wire.h"

struct p2p;
struct peer;

/* What belongs to one peer. */
struct peer_handshake {
    uint64_t added_ms;
};

struct p2p_handshake {
    uint64_t started_ms;
};

void handshake_init(struct p2p *p2p);
void handshake_clear(struct p2p *p2p);
void handshake_peer_added(struct peer *peer);
void handshake_peer_ready(struct peer *peer);
void handshake_peer_gone(struct peer *peer);
bool handshake_handle(struct peer *peer, const struct wire_message *message, struct arena *arena);
void handshake_send(struct peer *peer, int64_t now_ms);
void handshake_tick(struct p2p *p2p, int64_t now_ms);

#endif /* P2P_HANDSHAKE_PRIV_H */
