/* Who goes when there are too many: one inbound peer for a newcomer, an outbound one
 * that was only an extra. Pure functions over what is known of the peers; equal
 * arguments give equal answers. */
#ifndef P2P_EVICTION_H
#define P2P_EVICTION_H

#include "p2p/address.h"

/* An inbound peer. */
struct eviction_candidate {
    int64_t id;
    int64_t connected_us;
    int64_t min_ping_us;  /* INT64_MAX: none measured. */
    int64_t last_block_s; /* When it gave us a block that was new; 0: never. */
    int64_t last_tx_s;    /* The same with transactions. */
    uint64_t group;       /* The group it is in, hashed under a secret key. */
    enum net_kind net;    /* By which it came, the onion listener's being NET_ONION. */
    bool has_services;    /* Those that we want of a peer. */
    bool relays_txs;
    bool has_filter;   /* BIP 37. */
    bool is_preferred; /* To go: it was discouraged. */
    bool is_local;     /* From this machine. */
    bool is_protected; /* noban, or not inbound: never goes. */
};

/* Protects those that have what an attacker cannot easily fake (places in the network,
 * low latency, useful work, age, rare networks) and picks the youngest of the largest
 * group of the rest. candidates is put in another order.
 * Returns: whether anyone may go; then *ret_id. */
bool eviction_choose_inbound(int64_t *ret_id, struct eviction_candidate *candidates, size_t n);

/* Half of the candidates by age and network; what remains is moved to the front. Part of
 * the above. Returns how many remain. */
size_t eviction_protect_by_ratio(struct eviction_candidate *candidates, size_t n);

/* An outbound peer that has completed its handshake. */
struct eviction_outbound {
    int64_t id; /* The higher, the younger. */
    int64_t connected_us;
    int64_t last_block_s;        /* As above. */
    int64_t last_announcement_s; /* Of a block new to us; 0: never. */
    uint32_t blocks_in_flight;   /* Being downloaded from it. */
    bool is_block_relay_only;    /* Else: full relay; other kinds are not asked about. */
    bool is_protected;           /* One of those whose chain we rely on. */
    bool is_alone_on_network;    /* No other full relay or manual one there. */
};

/* A peer younger than this stays. */
#define EVICTION_AGE_MIN_US (30LL * 1000 * 1000)

enum eviction_answer {
    EVICTION_NONE, /* There is nobody. */
    EVICTION_KEEP, /* *ret_id is the one, but it is too young or gives us a block now. */
    EVICTION_GO
};

/* There is one block-relay-only peer too many: the youngest, or the second youngest if
 * the youngest gave us a block since. */
enum eviction_answer eviction_choose_block_relay(int64_t *ret_id,
                                                 const struct eviction_outbound *peers, size_t n,
                                                 int64_t now_us);
/* One full relay peer too many: the one that has not announced a block for longest. */
enum eviction_answer eviction_choose_full_relay(int64_t *ret_id,
                                                const struct eviction_outbound *peers, size_t n,
                                                int64_t now_us);

#endif /* P2P_EVICTION_H */
