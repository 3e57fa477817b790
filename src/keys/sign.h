/* Signing one input of a transaction. Pure; any thread (after secp_init). */
#ifndef KEYS_SIGN_H
#define KEYS_SIGN_H

#include "base/verdict.h"
#include "keys/keyring.h"
#include "script/script.h"
#include "script/sighash.h"

/* An input that was not signed to the end, as far as it came. */
struct signed_input {
    struct span script_sig;
    const struct span *witness; /* Bottom of the stack first. */
    uint32_t witness_n;
    bool is_complete;     /* It passes under the standard rules. */
    enum verdict verdict; /* What verifying it as it is now gives. */
};

/* Satisfy the output that an input spends, with what ring knows and what stands
 * in the input already: legacy, P2SH, version 0 and nested, multisig (partial
 * signatures of others are kept and combined), miniscript in P2WSH, taproot by
 * key and by script.
 *
 * Out: ret_input:  lies in arena.
 * In:  spend:      spend->tx may hold partial signatures. Where not all spent
 *                  outputs are known, spend->sighash was made without them (no
 *                  taproot signature is then made) and only spend->spent[in_index]
 *                  is read.
 *      hash_type:  SIGHASH_DEFAULT stands for ALL where taproot is not spent. With
 *                  SINGLE an input without an output of its index is left as it
 *                  is. */
void sign_input(struct signed_input *ret_input, const struct spend *spend, uint32_t in_index,
                uint8_t hash_type, const struct keyring *ring, struct arena *arena)
    NONNULL(1, 2, 5, 6);

/* As sign_input without a key, over several copies of an input: what any of them
 * brings is put together. ins: inputs_n copies, alike but for script_sig and
 * witness; the one in spend->tx is among them. */
void combine_inputs(struct signed_input *ret_input, const struct spend *spend, uint32_t in_index,
                    const struct tx_in *const *ins, size_t ins_n, struct arena *arena)
    NONNULL(1, 2, 4, 6);

#endif /* KEYS_SIGN_H */
