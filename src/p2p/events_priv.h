/* How events of chain and mempool reach the subjects; the peers as RPC sees them. */
#ifndef P2P_EVENTS_PRIV_H
#define P2P_EVENTS_PRIV_H

#include "iface/peers.h"

struct p2p;

/* Fills p2p->events: every subject's <subject>_event_* is called on the chain thread. */
void events_init(struct p2p *p2p);

extern const struct peers_ops p2p_peers_ops; /* peers_iface.c */

#endif /* P2P_EVENTS_PRIV_H */
