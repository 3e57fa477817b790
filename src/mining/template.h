/* Blocks made of a template: everything but the nonce. Pure. */
#ifndef MINING_TEMPLATE_H
#define MINING_TEMPLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "consensus/params.h"
#include "keys/keyring.h"
#include "primitives/block.h"

/* What goes into a block. */
struct template_parts {
    struct block_hash prev;
    int32_t height;
    int32_t version;
    uint32_t time;
    uint32_t bits;
    int64_t coinbase_value_sat;
    struct span coinbase_script; /* Where the value goes. */
    uint64_t extranonce;         /* 0: the coinbase script has none. */
    bool segwit;                 /* BIP 141 holds: the coinbase has a reserved value. */
    const struct tx *txs;        /* After the coinbase, finished (with ids). */
    size_t txs_n;
    const struct params *signet;       /* BIP 325: its challenge is solved. NULL: no signet. */
    const struct keyring *signet_keys; /* NULL: none, for challenges that ask for none. */
};

/* Serialize the block, nonce zero, to the end of buf. Its coinbase begins with the
 * height (BIP 34), is locked to it and commits to the witnesses (BIP 141).
 *
 * Returns: 0; E_PERMISSION: the keys do not solve the signet's challenge. */
NODISCARD int template_write(struct buf *buf, const struct template_parts *parts, struct error *err)
    NONNULL(1, 2);

#endif /* MINING_TEMPLATE_H */
