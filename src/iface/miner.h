/* Making blocks, as RPC sees it. app wires it to the mining room.
 *
 * Any thread may call; calls wait for each other. A call ends early, with
 * E_STOPPED, when the node stops.
 */
#ifndef IFACE_MINER_H
#define IFACE_MINER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "iface/node.h"
#include "primitives/tx.h"

/* How many hashes RPC tries unless told otherwise. */
#define MINER_TRIES_DEFAULT UINT64_C(1000000)

struct miner;

struct miner_ops {
    /* Mine blocks of a coinbase alone on the tip, one on the other, and submit each.
     *
     * Returns: 0, also when max_tries hashes (over all blocks) did not suffice for
     *          all; E_STATE when the node refused a block; E_STOPPED.
     * Out:     ret_hashes: count entries, *ret_n of them filled.
     * In:      script: the output script the subsidy goes to. */
    int (*generate)(struct miner *miner, struct block_hash *ret_hashes, uint32_t *ret_n,
                    uint32_t count, struct span script, uint64_t max_tries, struct error *err);

    /* Mine one block with exactly these transactions behind the coinbase, in this
     * order; their fees are not collected. The block is tested before it is mined.
     *
     * Returns: 0; E_STATE ("Failed to make block.") when MINER_TRIES_DEFAULT hashes
     *          did not suffice or the node refused the mined block; E_STOPPED.
     * Out:     ret_test:  what the test said. Unless its verdict is V_VALID nothing
     *                     else is written.
     *          ret_hash:  of the block.
     *          ret_block: NULL, or its bytes are appended here. */
    int (*generate_block)(struct miner *miner, struct submit_result *ret_test,
                          struct block_hash *ret_hash, struct buf *ret_block, struct span script,
                          const struct tx *txs, size_t txs_n, bool submit, struct error *err);
};

struct miner {
    const struct miner_ops *ops;
};

#endif /* IFACE_MINER_H */
