#include "primitives/merkle.h"

#include "crypto/sha256.h"

void merkle_root_of(uint8_t *ret_root, bool *ret_mutated, uint8_t *leaves, size_t count)
{
    bool mutated = false;

    if (count == 0)
        memset(ret_root, 0, HASH_BYTES);
    while (count > 1) {
        for (size_t i = 0; i + 1 < count; i += 2) {
            if (memcmp(leaves + 32 * i, leaves + 32 * (i + 1), HASH_BYTES) == 0)
                mutated = true;
        }
        if (count % 2 == 1) {
            /* The odd leaf is paired with itself. The row has room for its copy
             * only when a pair lies before it, so it is hashed on its own. */
            uint8_t last[64];

            memcpy(last, leaves + 32 * (count - 1), HASH_BYTES);
            memcpy(last + 32, last, HASH_BYTES);
            sha256d_64_many(leaves, leaves, count / 2);
            sha256d_64_many(leaves + 32 * (count / 2), last, 1);
            count = count / 2 + 1;
        } else {
            sha256d_64_many(leaves, leaves, count / 2);
            count /= 2;
        }
    }
    if (count == 1)
        memcpy(ret_root, leaves, HASH_BYTES);
    if (ret_mutated != NULL)
        *ret_mutated = mutated;
}

struct merkle_root block_merkle_root(const struct block *block, bool *ret_mutated,
                                     struct arena *arena)
{
    uint8_t *leaves = arena_alloc(arena, (size_t)block->tx_n * HASH_BYTES);
    struct merkle_root root;

    for (uint32_t i = 0; i < block->tx_n; i++)
        memcpy(leaves + (size_t)HASH_BYTES * i, block->tx[i].txid.b, HASH_BYTES);
    merkle_root_of(root.b, ret_mutated, leaves, block->tx_n);
    return root;
}

struct merkle_root block_witness_root(const struct block *block, struct arena *arena)
{
    uint8_t *leaves = arena_alloc(arena, (size_t)block->tx_n * HASH_BYTES);
    struct merkle_root root;

    for (uint32_t i = 0; i < block->tx_n; i++)
        memcpy(leaves + (size_t)HASH_BYTES * i, block->tx[i].wtxid.b, HASH_BYTES);
    if (block->tx_n > 0)
        memset(leaves, 0, HASH_BYTES);
    merkle_root_of(root.b, NULL, leaves, block->tx_n);
    return root;
}
