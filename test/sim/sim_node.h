/* A whole node on a host of the virtual network: disk, clock, chain, mempool, peers and a
 * miner, all of it the real code but what is under os/. One thread: a sim_net event runs a
 * node's work to its end.
 */
#ifndef SIM_NODE_H
#define SIM_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "chain/chain.h"
#include "iface/miner.h"
#include "mempool/mempool.h"
#include "p2p/p2p.h"
#include "script/sig_cache.h"
#include "sim_clock.h"
#include "sim_disk.h"
#include "sim_net.h"

#define SIM_NODE_CALLS_MAX 8
#define SIM_NODE_PORT 18444

struct sim_node {
    struct sim_net *net;
    int host;
    uint8_t ip4[4];
    uint64_t seed;
    const struct params *params;
    struct sim_disk *disk;
    struct sim_clock clock;
    /* Whom it calls, and keeps calling (-addnode); without any it finds peers by itself. */
    const char *calls[SIM_NODE_CALLS_MAX];
    size_t calls_n;
    const char *seed_name; /* A name that resolves to addresses (-seednode); may be NULL. */
    bool speaks_v2;
    struct u256 minimum_chain_work;

    /* While it runs. */
    bool is_up;
    uint64_t life;
    struct sig_cache *sig_cache;
    struct chain *chain;
    struct chain_guests guests;
    struct mempool *mempool;
    struct p2p *p2p;
    struct miner *miner;
    uint64_t commit_us; /* When the next commit is due. */
    char *fatal;        /* Why the chain stopped by itself; NULL. Owned. */
};

/* A node that does not run yet. skew_ms: its wall clock is off by so much. */
struct sim_node *sim_node_new(struct sim_net *net, uint64_t seed, const uint8_t *ip4,
                              int64_t skew_ms);
void sim_node_free(struct sim_node *own_node);
/* Its wall clock jumps to so far off the world's. */
void sim_node_set_skew(struct sim_node *node, int64_t skew_ms);

/* Opens what is on its disk and joins the network. Returns 0 or the error. */
NODISCARD int sim_node_start(struct sim_node *node, struct error *err);
/* A clean end: everything is saved. Returns 0 or the error. */
NODISCARD int sim_node_stop(struct sim_node *node, struct error *err);

enum sim_node_end {
    SIM_NODE_KILLED,   /* The process: what it has written is there. */
    SIM_NODE_POWER_OFF /* The machine: what was not synced may be gone; peers are not told. */
};
void sim_node_crash(struct sim_node *node, enum sim_node_end how);

struct node *sim_node_view(const struct sim_node *node);
/* The tip; the node runs. */
struct block_info sim_node_tip(const struct sim_node *node);
/* Mines a block on its tip, with what its mempool has. False: the node did not take it. */
bool sim_node_mine(struct sim_node *node, struct block_hash *ret_hash);
/* The hash of all its coins. */
void sim_node_coins(const struct sim_node *node, uint8_t *ret_hash);
size_t sim_node_peers_n(const struct sim_node *node);
/* Gives its mempool a transaction of its own and lets it announce it. False: refused. */
bool sim_node_submit(struct sim_node *node, const struct tx_ref *tx);
/* Headers it keeps. */
size_t sim_node_headers_n(const struct sim_node *node);
size_t sim_node_pool_n(const struct sim_node *node);

/* Where every node's rewards go, and what opens it: anybody may spend. */
struct span sim_reward_script(void);
struct span sim_reward_witness(void);

#endif /* SIM_NODE_H */
