/* What peers ask of us: headers, blocks, compact blocks, filters, transactions; the upload target.
 * A subject of p2p: see p2p_priv.h.
 */
#ifndef P2P_SERVE_PRIV_H
#define P2P_SERVE_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "p2p/wire.h"

struct p2p;
struct peer;

/* What belongs to one peer. */
struct peer_serve {
    uint64_t added_ms;
};

struct p2p_serve {
    uint64_t started_ms;
};

void serve_init(struct p2p *p2p);
void serve_clear(struct p2p *p2p);
void serve_peer_added(struct peer *peer);
void serve_peer_ready(struct peer *peer);
void serve_peer_gone(struct peer *peer);
bool serve_handle(struct peer *peer, const struct wire_message *message, struct arena *arena);
void serve_send(struct peer *peer, int64_t now_ms);
void serve_tick(struct p2p *p2p, int64_t now_ms);

#endif /* P2P_SERVE_PRIV_H */
