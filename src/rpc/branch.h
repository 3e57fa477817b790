/* The chain that ends in a block, read through the node: what the rules of consensus
 * want to know of earlier blocks. */
#ifndef RPC_BRANCH_H
#define RPC_BRANCH_H

#include "consensus/pow.h"
#include "iface/node.h"

struct branch {
    struct node *node;      /* Borrowed. */
    struct block_hash hash; /* A block the node knows. */
};

/* For struct ancestry, whose context is a struct branch; height must be on it. */
struct ancestor branch_at(const void *context, int32_t height);

#endif /* RPC_BRANCH_H */
