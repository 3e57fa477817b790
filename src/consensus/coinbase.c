/* What the rules read in a coinbase: the height, the witness commitment. */
#include "consensus/rules.h"
#include "crypto/sha256.h"
#include "primitives/merkle.h"

int64_t witness_commitment_index(const struct block *block)
{
    int64_t found = -1;

    if (block->tx_n == 0)
        return -1;
    for (uint32_t i = 0; i < block->tx[0].out_n; i++) {
        struct span script = block->tx[0].out[i].script_pubkey;

        if (script.len >= WITNESS_COMMITMENT_BYTES &&
            memcmp(script.data, WITNESS_COMMITMENT_HEAD, WITNESS_COMMITMENT_HEAD_BYTES) == 0)
            found = i;
    }
    return found;
}

void witness_commitment_of(uint8_t *ret_hash, const struct block *block,
                           const uint8_t *reserved_value, struct arena *arena)
{
    struct merkle_root root = block_witness_root(block, arena);
    uint8_t pair[2 * HASH_BYTES];

    memcpy(pair, root.b, HASH_BYTES);
    memcpy(pair + HASH_BYTES, reserved_value, HASH_BYTES);
    sha256d(ret_hash, pair, sizeof(pair));
}

#define OP_1 0x51

size_t coinbase_height_write(uint8_t *ret_script, int32_t height)
{
    uint32_t rest = (uint32_t)height;
    size_t len = 0;

    if (height == 0) {
        ret_script[0] = 0;
        return 1;
    }
    if (height <= 16) {
        ret_script[0] = (uint8_t)(OP_1 + height - 1);
        return 1;
    }
    for (; rest > 0; rest >>= 8)
        ret_script[++len] = (uint8_t)rest;
    /* The top bit is the sign. */
    if (ret_script[len] & 0x80)
        ret_script[++len] = 0;
    ret_script[0] = (uint8_t)len;
    return len + 1;
}
