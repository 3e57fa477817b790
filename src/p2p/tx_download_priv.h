/* Transactions we fetch: requests, orphans, recent rejects, packages of one parent and one child.
 * A subject of p2p: see p2p_priv.h.
 */
#ifndef P2P_TX_DOWNLOAD_PRIV_H
#define P2P_TX_DOWNLOAD_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "p2p/wire.h"

struct p2p;
struct peer;

/* What belongs to one peer. */
struct peer_txs {
    uint64_t added_ms;
};

struct p2p_txs {
    uint64_t started_ms;
};

void txs_init(struct p2p *p2p);
void txs_clear(struct p2p *p2p);
void txs_peer_added(struct peer *peer);
void txs_peer_ready(struct peer *peer);
void txs_peer_gone(struct peer *peer);
bool txs_handle(struct peer *peer, const struct wire_message *message, struct arena *arena);
void txs_send(struct peer *peer, int64_t now_ms);
void txs_tick(struct p2p *p2p, int64_t now_ms);

#endif /* P2P_TX_DOWNLOAD_PRIV_H */
