/* The world of a story: honest nodes, blocks and transactions that are valid, strangers,
 * and what must hold. Everything that is left to chance comes from the seed. */
#ifndef NET_WORLD_H
#define NET_WORLD_H

#include "sim_node.h"
#include "sim_peer.h"
#include "test.h"

#define NODES_MAX 30
#define STRANGERS_MAX 24
#define SECOND_US UINT64_C(1000000)
#define MINUTE_US (60 * SECOND_US)
#define HOUR_US (60 * MINUTE_US)

/* A valid block. */
struct mined {
    struct block_hash hash;
    struct block_hash prev;
    int32_t height;
    struct buf bytes;
    struct txid coinbase;
    bool is_spent; /* A transaction of ours spends its coinbase. */
};

struct world {
    uint64_t seed;
    uint64_t random;
    struct sim_net_options options;
    struct sim_net *net;
    struct sim_node *nodes[NODES_MAX];
    char addresses[NODES_MAX][32];
    size_t nodes_n;
    struct sim_peer *strangers[STRANGERS_MAX];
    void *contexts[STRANGERS_MAX]; /* Of their scripts. Owned. */
    size_t strangers_n;
    struct mined *mined;
    size_t mined_n;
    uint64_t txs_made;
    bool is_good;
};

struct world_totals {
    uint64_t virtual_us, blocks, txs, crashes;
    struct sim_net_counts net;
};
extern struct world_totals world_totals;

uint64_t world_chance(struct world *world, uint64_t bound);
bool world_holds(struct world *world, bool truth, const char *what);

/* Latencies and loss by the seed; they may be changed before world_open. */
void world_init(struct world *world, uint64_t seed);
void world_open(struct world *world);
void world_close(struct world *world);

/* --- People --- */

/* Does not run yet. skew_ms: of its clock. */
struct sim_node *world_add_node(struct world *world, int64_t skew_ms);
/* from keeps calling to. */
void world_link(struct world *world, size_t from, size_t to);
/* Everybody calls one that was there before, and up to two others. */
void world_link_at_random(struct world *world);
void world_start(struct world *world, size_t i);
struct sim_peer *world_add_stranger(struct world *world, const struct sim_peer_script *script,
                                    void *own_context);
/* Strangers call a node. */
bool world_stranger_calls(struct world *world, size_t stranger, size_t node);

/* --- What they do --- */

void world_run(struct world *world, uint64_t us);
/* A block on that node's tip. */
bool world_mine(struct world *world, size_t i);
/* A block on the best of all running nodes' tips: after it, there is one best block. */
bool world_mine_best(struct world *world);
void world_mine_many(struct world *world, size_t i, size_t n);
/* A transaction that spends a mature coinbase of the best chain, given to that node. False: there
 * is none left that it could spend. */
bool world_pay(struct world *world, size_t i);

const struct mined *world_find(const struct world *world, const struct block_hash *hash);
/* The greatest height of a valid block, and one block there. */
const struct mined *world_best(const struct world *world);

/* --- What must hold --- */

/* Nobody stopped by itself; all stand on valid blocks. */
void world_check(struct world *world);
/* Within this time all nodes that run are at one block of the best height, and have the
 * same coins. */
void world_settle(struct world *world, uint64_t within_us);

#endif /* NET_WORLD_H */
