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
#include "iface/mempool.h"
#include "iface/node.h"
#include "primitives/tx.h"

/* How many hashes RPC tries unless told otherwise. */
#define MINER_TRIES_DEFAULT UINT64_C(1000000)

struct miner;

/* "OP_RETURN, push of 36 bytes, mark, commitment" of BIP 141: a whole output script. */
#define MINER_COMMITMENT_BYTES 38

/* Everything of a block on the tip but who mines it and when. Immutable, counted by the
 * miner: drop_template gives it back. */
struct block_template {
    struct block_info tip;
    int32_t height;
    int32_t version;   /* Signals for all that is started or locked in. */
    uint32_t min_time; /* After the median of eleven; BIP 94's bound, on every network. */
    bool has_segwit;   /* BIP 141 holds. */
    int64_t subsidy_sat;
    int64_t fees_sat;
    const struct mempool_pick *txs; /* Behind the coinbase, in order; the template's. */
    size_t txs_n;
    int64_t weight;           /* With what is kept for header, count and coinbase. */
    int64_t sigop_cost;       /* With what is kept for the coinbase. */
    uint64_t mempool_changes; /* See mempool_ops.changes: what it knows of. */
    uint8_t commitment[MINER_COMMITMENT_BYTES]; /* For a reserved value of zeros. */
};

struct miner_info {
    bool has_last; /* A template was made since the start. */
    int64_t last_weight;
    uint64_t last_txs_n;
    int64_t min_sat_kvb; /* -blockmintxfee */
    bool is_mining;      /* -mine */
    double hashes_per_s; /* Of that, over the last half minute or so. */
    uint64_t mined_n;    /* Blocks found by it. */
};

struct miner_ops {
    /* The best block that could be mined on the tip now. Costs next to nothing as long as
     * neither tip nor mempool have changed.
     *
     * Out: ret_template: to be given back with drop_template.
     *      ret_time, ret_bits: for a block that is begun now. */
    int (*get_template)(struct miner *miner, const struct block_template **ret_template,
                        uint32_t *ret_time, uint32_t *ret_bits, struct error *err);
    void (*drop_template)(struct miner *miner, const struct block_template *own_template);

    void (*info)(struct miner *miner, struct miner_info *ret_info);

    /* Mine blocks of what the mempool has on the tip, one on the other, and submit each.
     *
     * Returns: 0, also when max_tries hashes (over all blocks) did not suffice for
     *          all; E_STATE when the node refused a block; E_STOPPED.
     * Out:     ret_hashes: count entries, *ret_n of them filled.
     * In:      script: the output script that subsidy and fees go to. */
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
