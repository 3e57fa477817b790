/* What the subjects' headers need of the core before struct p2p and struct peer are
 * whole: see p2p_priv.h. */
#ifndef P2P_CORE_PRIV_H
#define P2P_CORE_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "os/net.h"

struct p2p;
struct peer;

enum peer_kind {
    PEER_INBOUND,
    PEER_FULL_RELAY, /* Outbound, chosen by us. */
    PEER_MANUAL,     /* -connect, -addnode, addnode */
    PEER_FEELER,
    PEER_BLOCK_RELAY,
    PEER_ADDR_FETCH,
    PEER_PRIVATE_BROADCAST
};
const char *peer_kind_name(enum peer_kind kind); /* "outbound-full-relay", ... */

/* A connection of ours that is no peer: one on its way to be, a proxy, Tor's control
 * port. Embedded by its owner in something larger; the core hands it its events. */
struct stream {
    struct stream *next; /* The core's. */
    net_conn conn;       /* 0: not open. */
    /* rc as of net_handler.connected; not 0: it is closed already. */
    void (*connected)(struct p2p *p2p, struct stream *stream, int rc,
                      const struct net_endpoint *local, const struct error *err);
    void (*received)(struct p2p *p2p, struct stream *stream, struct span bytes);
    /* It is closed already. */
    void (*closed)(struct p2p *p2p, struct stream *stream, const struct error *err);
};

/* A host name being looked up. Embedded likewise. */
struct lookup {
    struct lookup *next; /* The core's. */
    uint64_t token;      /* 0: none under way. */
    void (*resolved)(struct p2p *p2p, struct lookup *lookup, const struct net_endpoint *endpoints,
                     size_t n);
};

#endif /* P2P_CORE_PRIV_H */
