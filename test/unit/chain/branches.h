/* A tree of small regtest blocks made by hand, and the naive truth about it: which
 * tip must win, and which coins each branch has, found by walking the branch from
 * its start.
 */
#ifndef TEST_CHAIN_BRANCHES_H
#define TEST_CHAIN_BRANCHES_H

#include "chain/chain.h"
#include "test.h"

#define BRANCHES_BASE 104 /* Blocks of the trunk, so that coinbases are mature. */

struct branch_coin {
    struct outpoint outpoint;
    int64_t value_sat;
    int32_t height;
    bool is_coinbase;
    bool is_good; /* Anyone can spend it; false: nobody. */
};

enum branch_fault {
    BRANCH_GOOD,
    BRANCH_BAD_AMOUNT, /* The coinbase takes a satoshi too much. */
    BRANCH_MISSING,    /* Spends what never was. */
    BRANCH_DOUBLE,     /* Spends a coin twice. */
    BRANCH_BAD_SCRIPT, /* An input's script fails. */
    BRANCH_BAD_ROOT    /* The body is another one than the header says. */
};

struct branch_block {
    struct block_hash hash;
    int32_t parent; /* Index; -1: genesis. */
    int32_t height;
    struct buf bytes;
    struct buf mutated; /* The same header, its body changed on the way. */
    enum branch_fault fault;
    struct outpoint *spends;
    size_t spends_n;
    struct branch_coin *adds;
    size_t adds_n;
    /* What the model knows of the node. */
    bool is_offered;
    bool is_failed; /* Judged or marked. */
    int32_t sequence;
};

struct branches {
    const struct params *params;
    struct branch_block *blocks;
    size_t n;
    int32_t sequence_next;
    uint32_t extra; /* Makes blocks differ. */
    uint32_t padding;
};

/* With the trunk, which is not offered yet. */
void branches_init(struct branches *branches);
/* With so many bytes for nothing in each block, so that they fill files. */
void branches_init_padded(struct branches *branches, uint32_t padding);
void branches_clear(struct branches *branches);

/* A block on top of parent that spends up to spends of its branch's coins (in
 * several transactions, some within the block). Returns its index. */
int32_t branches_grow(struct branches *branches, int32_t parent, uint32_t spends,
                      enum branch_fault fault);

/* The coins of the branch that ends in block. Caller frees. */
size_t branches_coins(const struct branches *branches, int32_t block,
                      struct branch_coin **ret_coins);

/* The snapshot file of those coins, and what a network's parameters say of it. The
 * file's bytes are appended to file. */
void branches_snapshot(const struct branches *branches, int32_t block, struct buf *file,
                       struct snapshot_params *ret_params);

/* The block that must be the tip: -1 genesis. */
int32_t branches_best(const struct branches *branches);
int32_t branches_find(const struct branches *branches, const struct block_hash *hash);
bool branches_is_ancestor(const struct branches *branches, int32_t old, int32_t block);
/* Itself or an ancestor is invalid, or an ancestor was never offered. */
bool branches_is_out(const struct branches *branches, int32_t block);

/* The chain only finds a fault of coins or scripts when the block is on its best
 * branch; until then the model believes in the block too. */
void branches_learn(struct branches *branches);

/* Offers a block to the chain and keeps the model in step; returns the error. */
int branches_offer(struct branches *branches, struct chain *chain, int32_t block,
                   struct error *err);

/* The chain's tip is `block`, and every coin that ever was is there exactly if the
 * branch has it. */
bool branches_agree(const struct branches *branches, struct chain *chain, int32_t block);

#endif /* TEST_CHAIN_BRANCHES_H */
