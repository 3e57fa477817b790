/* Blocks we fetch: the moving window, stalling and slow peers, announcements, compact blocks
 * received. A subject of p2p: see p2p_priv.h.
 */
#ifndef P2P_BLOCK_DOWNLOAD_PRIV_H
#define P2P_BLOCK_DOWNLOAD_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "p2p/wire.h"

struct p2p;
struct peer;

/* What belongs to one peer. */
struct peer_blocks {
    uint64_t added_ms;
};

struct p2p_blocks {
    uint64_t started_ms;
};

void blocks_init(struct p2p *p2p);
void blocks_clear(struct p2p *p2p);
void blocks_peer_added(struct peer *peer);
void blocks_peer_ready(struct peer *peer);
void blocks_peer_gone(struct peer *peer);
bool blocks_handle(struct peer *peer, const struct wire_message *message, struct arena *arena);
void blocks_send(struct peer *peer, int64_t now_ms);
void blocks_tick(struct p2p *p2p, int64_t now_ms);

#endif /* P2P_BLOCK_DOWNLOAD_PRIV_H */
