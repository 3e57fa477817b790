/* The DNS seeds: names that answer with addresses of nodes. Asked only when we need them,
 * a few at a time, so that they neither learn of every start nor choose all our peers.
 * Sans I/O: says which name to look up and is told the answer. Owner thread: net. */
#ifndef P2P_DNS_SEEDS_H
#define P2P_DNS_SEEDS_H

#include "p2p/addrman.h"
#include "p2p/random.h"

#define DNS_SEED_ADDRESSES_MAX 32 /* Of one seed. */
#define DNS_SEED_HOST_SIZE 256

struct dns_seeds_options {
    const char *const *names; /* NULL-terminated; borrowed. */
    bool is_forced;           /* -forcednsseed: all, at once. */
    bool has_seed_nodes;      /* They are given half a minute first. */
    bool by_proxy;            /* Names are not looked up here: a connection asks for addresses. */
    uint16_t port;            /* Of the nodes. */
    const uint8_t *seed;      /* Of randomness. */
};

struct dns_seeds_view {
    int64_t now_ms, real_ms; /* As in outbound. */
    uint32_t full_ready_n;   /* Full relay peers that completed the handshake. */
    bool is_active;          /* The network is on. */
};

enum dns_seeds_what {
    DNS_SEEDS_NOTHING,
    DNS_SEEDS_LOOK_UP, /* A host; then dns_seeds_answered. */
    DNS_SEEDS_FETCH    /* Connect to a name and ask for addresses. */
};

struct dns_seeds;

struct dns_seeds *dns_seeds_new(const struct dns_seeds_options *options);
void dns_seeds_free(struct dns_seeds *own_seeds); /* NULL is fine. */

/* One look; ret_name: DNS_SEED_HOST_SIZE bytes. Nothing while an answer is awaited, and
 * nothing ever again when it is done. */
enum dns_seeds_what dns_seeds_step(struct dns_seeds *seeds, struct addrman *man,
                                   const struct dns_seeds_view *view, char *ret_name);
/* What the last host's name is; ports are set here. n 0: nothing; the next step then asks
 * to fetch. */
void dns_seeds_answered(struct dns_seeds *seeds, struct addrman *man,
                        const struct net_address *addresses, size_t n, int64_t now_ms);

#endif /* P2P_DNS_SEEDS_H */
