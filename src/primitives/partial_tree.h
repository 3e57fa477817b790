/* The part of a block's merkle tree that leads to some of its transactions (BIP 37):
 * a bit for each node on the way, depth first, and a hash where the way ends. */
#ifndef PRIMITIVES_PARTIAL_TREE_H
#define PRIMITIVES_PARTIAL_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "primitives/ids.h"

/* A transaction weighs at least 240: more than these are in no block. */
#define PARTIAL_TREE_LEAVES_MAX (4000000U / 240U)

struct partial_tree {
    uint32_t leaves_n;
    struct span hashes; /* 32 bytes each. */
    struct span flags;  /* Bits, lowest of each byte first. */
};

/* leaves: leaves_n txids, at most PARTIAL_TREE_LEAVES_MAX and at least one; is_marked:
 * which of them it shall lead to. All from arena. */
void partial_tree_make(struct partial_tree *ret_tree, const struct txid *leaves,
                       const bool *is_marked, uint32_t leaves_n, struct arena *arena)
    NONNULL(1, 2, 3, 5);

/* Does the tree lead to root, using all it has? Then the marked leaves, in order.
 * Arrays from arena. */
bool partial_tree_check(const struct partial_tree *tree, const struct merkle_root *root,
                        struct txid **ret_found, uint32_t *ret_found_n, struct arena *arena)
    NONNULL(1, 2, 3, 4, 5);

#endif /* PRIMITIVES_PARTIAL_TREE_H */
