/* What p2p.c hands the events of streams and lookups to: see core_priv.h for both. */
#ifndef P2P_STREAMS_PRIV_H
#define P2P_STREAMS_PRIV_H

#include <stddef.h>
#include <stdint.h>

#include "os/net.h"

struct p2p;
struct stream;

struct stream *stream_find(const struct p2p *p2p, net_conn conn); /* NULL: a peer's, or none. */
void lookup_answered(struct p2p *p2p, uint64_t token, const struct net_endpoint *endpoints,
                     size_t n);

#endif /* P2P_STREAMS_PRIV_H */
