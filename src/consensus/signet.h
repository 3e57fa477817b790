/* BIP 325: a signet block is signed as if it were a transaction that spends an
 * output locked by the network's challenge. Pure.
 */
#ifndef CONSENSUS_SIGNET_H
#define CONSENSUS_SIGNET_H

#include "base/arena.h"
#include "consensus/params.h"
#include "primitives/block.h"

/* Marks the push of the witness commitment output that holds the solution. */
#define SIGNET_HEAD "\xec\xc7\xda\xa2"
#define SIGNET_HEAD_BYTES 4

/* The two virtual transactions. The block is what to_spend's input commits to. */
struct signet_txs {
    struct tx to_spend;
    struct tx to_sign; /* Its one input carries the solution the block had. */
};

/* Build them from block, whose solution (absent counts as empty) is taken out of
 * the commitment first. All memory from arena.
 *
 * Returns: false if the block has no transaction or no witness commitment, or its
 *          solution cannot be parsed. */
bool signet_txs_of(struct signet_txs *ret_txs, const struct block *block, struct span challenge,
                   struct arena *arena);

/* Does the block solve the network's challenge? The genesis block always does. */
bool signet_solution_holds(const struct block *block, const struct params *params,
                           struct arena *arena);

#endif /* CONSENSUS_SIGNET_H */
