/* Whom to call next. The connections that go out by themselves: eight that relay all, two
 * that relay blocks only (the anchors of the last run first), now and then a feeler, an
 * extra block relay peer, or one of a network that we have none of; while there are no
 * addresses, seed nodes and in the end fixed seeds. Which, follows from counters and
 * clocks, the addrman and a random stream: no sockets here.
 *
 * Owner thread: net.
 */
#ifndef P2P_OUTBOUND_H
#define P2P_OUTBOUND_H

#include "p2p/addrman.h"
#include "p2p/anchors.h"
#include "p2p/core_priv.h"
#include "p2p/random.h"

#define OUTBOUND_FULL_RELAY_MAX 8
#define OUTBOUND_GROUPS_MAX 64

/* What is at present. Filled in by the owner for each step. */
struct outbound_view {
    int64_t now_ms;        /* By the node's clock. */
    int64_t real_ms;       /* By the clock that nobody sets. */
    uint32_t full_relay_n; /* Peers that relay all: automatic and manual. */
    uint32_t full_ready_n; /* Of them, with the handshake done. */
    uint32_t block_relay_n;
    bool has_slot;                                /* One more automatic connection may be made. */
    uint32_t nets_n[NET_COUNT];                   /* Full relay and manual peers by network. */
    struct net_group groups[OUTBOUND_GROUPS_MAX]; /* Of lasting IPv4 and IPv6 peers. */
    size_t groups_n;
    uint32_t private_n;   /* Lasting peers of other networks. */
    uint32_t reachable;   /* Networks. */
    bool has_added_nodes; /* -addnode, addnode. */
};

/* What only the owner can tell. */
struct outbound_questions {
    void *context;
    bool (*is_local)(void *context, const struct net_address *address);
    bool (*is_connected)(void *context, const struct net_address *address); /* By host. */
    bool (*is_added)(void *context, const struct net_address *address);     /* Called for anyway. */
    bool (*has_services)(void *context, uint64_t services); /* All that we want of a peer. */
};

struct outbound_options {
    uint32_t full_relay_max, block_relay_max, automatic_max;
    const char *const *seed_nodes; /* Borrowed. */
    size_t seed_nodes_n;
    bool dns_seed;
    bool fixed_seeds;
    const char *const *fixed; /* The chain's fixed seeds as text; NULL-terminated. */
    const uint8_t *seed;      /* Of randomness. */
    const struct asmap *asmap;
    bool logs_ips;
};

enum outbound_what { OUTBOUND_NOTHING, OUTBOUND_ADDRESS, OUTBOUND_NAME };

struct outbound_call {
    enum peer_kind kind;
    struct addrman_address known; /* OUTBOUND_ADDRESS */
    const char *name;             /* OUTBOUND_NAME: to fetch addresses from; borrowed. */
    bool counts_failure;
};

struct outbound;

struct outbound *outbound_new(const struct outbound_options *options,
                              const struct outbound_questions *questions,
                              const struct addrman_address *anchors, size_t anchors_n);
void outbound_free(struct outbound *own_outbound); /* NULL is fine. */

/* Would a step at that time do anything? */
bool outbound_is_due(const struct outbound *outbound, int64_t real_ms);
/* One look; does nothing before its time, so it may be called often. */
enum outbound_what outbound_step(struct outbound *outbound, struct addrman *man,
                                 const struct outbound_view *view, struct outbound_call *ret_call);

/* A name to fetch addresses from, as soon as there is a slot. Copied. */
void outbound_fetch_from(struct outbound *outbound, const char *name);

/* The tip is old: one full relay peer more than usual is tried. */
void outbound_set_extra_full_relay(struct outbound *outbound, bool is_on);
bool outbound_extra_full_relay(const struct outbound *outbound);
/* Initial sync is done: extra block relay peers from now on. */
void outbound_start_extra_block_relay(struct outbound *outbound);

#endif /* P2P_OUTBOUND_H */
