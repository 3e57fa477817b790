/* A small chain under a mempool, made by hand: headers, coins, blocks that take
 * transactions in and give them back. Nothing is checked here; it is the tests' world.
 */
#ifndef TEST_MEMPOOL_NAIVE_GROUND_H
#define TEST_MEMPOOL_NAIVE_GROUND_H

#include "headers/tree.h"
#include "mempool/mempool.h"
#include "os/clock.h"
#include "test.h"

#define GROUND_COINS_MAX 8192
#define GROUND_BLOCKS_MAX 512
#define GROUND_HEIGHT 120 /* At the start. */

struct ground_coin {
    struct outpoint outpoint;
    struct coin coin; /* Its script is owned. */
    bool is_spent;
};

struct ground_block {
    struct header_node *node;
    const struct tx_ref **txs; /* Held. */
    size_t txs_n;
};

struct ground {
    struct header_tree *tree;
    struct header_node *tip;
    struct ground_coin *coins;
    size_t coins_n;
    struct ground_block blocks[GROUND_BLOCKS_MAX]; /* Above GROUND_HEIGHT. */
    size_t blocks_n;
    struct mock_clock clock;
    uint32_t next;  /* Makes names differ. */
    size_t asked_n; /* Coins looked for so far. */
    bool fails;     /* The disk is broken. */
    struct mempool *pool;
};

/* Options: standard rules, everything checked after each change. */
void ground_init(struct ground *ground, struct mempool_options *ret_options);
void ground_clear(struct ground *ground);

/* A coin in a block, spendable by anybody (an anchor), mature unless height says
 * otherwise. */
struct outpoint ground_coin(struct ground *ground, int64_t value_sat);
struct outpoint ground_coin_of(struct ground *ground, const struct coin *coin);

/* A block with these on the tip, told to the pool (if there is one). */
void ground_mine(struct ground *ground, const struct tx_ref *const *txs, size_t n);
/* The last n blocks are gone, and n + 1 empty ones are there: one reorganization. */
void ground_reorganize(struct ground *ground, size_t n);

/* One to be built. */
struct plan {
    const struct outpoint *spends;
    size_t spends_n;
    const int64_t *values_sat; /* Of outputs, all anchors. */
    size_t values_n;
    uint32_t version;  /* 0: 2. */
    uint32_t sequence; /* 0: final. */
    uint32_t lock_time;
    uint32_t padding; /* Bytes of an OP_RETURN output more. */
};
/* Held by the caller. */
const struct tx_ref *plan_build(const struct plan *plan);
/* Spends one output, makes outputs_n equal ones, pays fee_sat. */
const struct tx_ref *spend_one(const struct outpoint *from, int64_t value_sat, uint32_t outputs_n,
                               int64_t fee_sat);
struct outpoint output_of(const struct tx_ref *ref, uint32_t vout);

#endif /* TEST_MEMPOOL_NAIVE_GROUND_H */
