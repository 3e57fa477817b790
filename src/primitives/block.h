/* A block, as a view into its bytes: see tx.h. Refcounting is the chain's. */
#ifndef PRIMITIVES_BLOCK_H
#define PRIMITIVES_BLOCK_H

#include "primitives/header.h"
#include "primitives/tx.h"

struct block {
    struct header header;
    struct block_hash hash;
    uint32_t tx_n;
    const struct tx *tx;
    struct span raw; /* Borrowed. */
    uint64_t weight;
};

/* Read a whole block: every byte of data must belong to it. All ids are hashed
 * together, lanes side by side.
 *
 * Returns: 0, E_TRUNCATED, or E_MALFORMED (also for bytes left over).
 * Out:     ret_block: arrays from arena, scripts point into data. */
NODISCARD int block_read(struct block *ret_block, const uint8_t *data, size_t len,
                         struct arena *arena) NONNULL(1, 4);

#endif /* PRIMITIVES_BLOCK_H */
