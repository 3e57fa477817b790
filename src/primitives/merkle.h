/* Merkle trees of Bitcoin. */
#ifndef PRIMITIVES_MERKLE_H
#define PRIMITIVES_MERKLE_H

#include <stdbool.h>

#include "primitives/block.h"

/* The root over count 32-byte leaves, which are overwritten.
 *
 * Out: ret_root:    32 bytes; zeros for no leaves.
 *      ret_mutated: may be NULL; true if two neighbours that are hashed together
 *                   on some level are equal, so that another list of leaves has
 *                   the same root (CVE-2012-2459). */
void merkle_root_of(uint8_t *ret_root, bool *ret_mutated, uint8_t *leaves, size_t count);

/* Over the txids of a block. */
struct merkle_root block_merkle_root(const struct block *block, bool *ret_mutated,
                                     struct arena *arena);

/* BIP 141: over the wtxids, the coinbase's taken as zero. */
struct merkle_root block_witness_root(const struct block *block, struct arena *arena);

#endif /* PRIMITIVES_MERKLE_H */
