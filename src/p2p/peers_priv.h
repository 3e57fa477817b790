/* The peers as p2p.c drives them (peers.c). */
#ifndef P2P_PEERS_PRIV_H
#define P2P_PEERS_PRIV_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/error.h"
#include "os/net.h"

struct p2p;
struct peer;

struct peer *peer_of_conn(const struct p2p *p2p, net_conn conn); /* NULL: a stream's, or none. */
void peer_drained(struct peer *peer);
void peer_closed(struct peer *peer, const struct error *err);

/* About every 100 ms: timeouts, the subjects' ticks, a round. */
void peers_tick(struct p2p *p2p);
/* Handles what has waited, and lets the subjects send what is due. */
void peers_round(struct p2p *p2p);
/* Behind every event: ends who is doomed, sends what was written. */
void peers_settle(struct p2p *p2p);
void peers_end_all(struct p2p *p2p);

#endif /* P2P_PEERS_PRIV_H */
