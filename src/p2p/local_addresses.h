/* Where we are, as far as we know: what the user said, what the machine's interfaces
 * have, what Tor and I2P made, and how often peers saw us there. Owner thread: net. */
#ifndef P2P_LOCAL_ADDRESSES_H
#define P2P_LOCAL_ADDRESSES_H

#include "p2p/address.h"

#define LOCAL_ADDRESSES_MAX 64

/* Where an address comes from; peers' sightings add to it. */
enum local_score {
    LOCAL_NONE,
    LOCAL_INTERFACE,
    LOCAL_BIND,
    LOCAL_MAPPED,
    LOCAL_MANUAL /* The user, Tor, I2P. */
};

struct local_address {
    struct net_address address;
    int32_t score;
};

struct local_addresses {
    struct local_address list[LOCAL_ADDRESSES_MAX]; /* Ordered by network and bytes. */
    size_t n;
};

/* Not kept if nobody else can reach it or there are too many. A higher score wins and
 * brings its port. Returns: whether it is kept. */
bool local_addresses_add(struct local_addresses *locals, const struct net_address *address,
                         int32_t score);
void local_addresses_remove(struct local_addresses *locals, const struct net_address *address);
/* A peer says it sees us there; false: it is none of ours. */
bool local_addresses_seen(struct local_addresses *locals, const struct net_address *address);
/* By host; NULL: not ours. */
const struct local_address *local_addresses_find(const struct local_addresses *locals,
                                                 const struct net_address *address);
/* What a peer at partner, connected through network net, should hear: the best it can
 * reach; never of a private network to another, nor of another to a private one. NULL:
 * nothing. */
const struct local_address *local_addresses_best(const struct local_addresses *locals,
                                                 const struct net_address *partner,
                                                 enum net_kind net);

#endif /* P2P_LOCAL_ADDRESSES_H */
