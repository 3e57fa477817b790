/* Transactions and blocks made by hand for tests. All memory is the arena's. */
#ifndef TEST_CONSENSUS_MAKE_H
#define TEST_CONSENSUS_MAKE_H

#include "consensus/params.h"
#include "primitives/block.h"

/* A transaction whose parts can still be changed; make_finish before use. */
struct draft {
    struct tx tx;
    struct tx_in *in;
    struct tx_out *out;
};

/* Version 2; input i spends output i of a transaction whose id is full of 7s and
 * is final; each output pays 1,000 satoshi to an empty script. */
struct draft make_tx(uint32_t in_n, uint32_t out_n, struct arena *arena);
/* BIP 34 height, a byte more, and one output. */
struct draft make_coinbase(int32_t height, int64_t value_sat, struct arena *arena);
struct span make_bytes(size_t len, uint8_t byte, struct arena *arena);
const struct tx *make_finish(struct draft *draft, struct arena *arena);

/* A block of txs (made by make_finish). Root, ids, sizes and hash are right, a
 * witness commitment is not added. bits as the limit of params; with solve the
 * nonce fits. */
struct block make_block(const struct tx *const *txs, uint32_t tx_n, const struct params *params,
                        bool solve, struct arena *arena);
/* After a change of the header: hash again, nonce again. */
void make_solved(struct block *block, const struct params *params);
/* Add the commitment to draft, the coinbase to be, for a block with txs behind it. */
void make_commitment(struct draft *draft, const struct tx *const *txs, uint32_t tx_n,
                     struct arena *arena);

#endif /* TEST_CONSENSUS_MAKE_H */
