/* Headers first: which chain each peer has, getheaders, low-work defence (presync), outbound peers
 * on a worse chain. A subject of p2p: see p2p_priv.h.
 */
#ifndef P2P_HEADERS_SYNC_PRIV_H
#define P2P_HEADERS_SYNC_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "p2p/wire.h"

struct p2p;
struct peer;

/* What belongs to one peer. */
struct peer_headers {
    uint64_t added_ms;
};

struct p2p_headers {
    uint64_t started_ms;
};

void headers_init(struct p2p *p2p);
void headers_clear(struct p2p *p2p);
void headers_peer_added(struct peer *peer);
void headers_peer_ready(struct peer *peer);
void headers_peer_gone(struct peer *peer);
bool headers_handle(struct peer *peer, const struct wire_message *message, struct arena *arena);
void headers_send(struct peer *peer, int64_t now_ms);
void headers_tick(struct p2p *p2p, int64_t now_ms);

#endif /* P2P_HEADERS_SYNC_PRIV_H */
