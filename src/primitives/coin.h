/* A coin: an unspent output and where it came from. */
#ifndef PRIMITIVES_COIN_H
#define PRIMITIVES_COIN_H

#include <stdbool.h>
#include <stdint.h>

#include "primitives/tx.h"

struct coin {
    int64_t value_sat;
    struct span script_pubkey; /* Borrowed. */
    uint32_t height;           /* Of the block that made it. */
    bool is_coinbase;
};

/* Scripts that can never be spent make no coin: OP_RETURN first, or longer than
 * 10,000 bytes. */
#define SCRIPT_BYTES_MAX 10000

static inline bool script_is_unspendable(struct span script)
{
    return (script.len > 0 && script.data[0] == 0x6a) || script.len > SCRIPT_BYTES_MAX;
}

#endif /* PRIMITIVES_COIN_H */
