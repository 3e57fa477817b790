/* Standardness: which transactions a node passes on though consensus would allow many
 * more. What is refused here either costs others too much to check, or uses what a
 * later rule may give a meaning.
 *
 * Pure functions, any thread. A flaw is told as the reject reason that users know.
 */
#ifndef POLICY_STANDARD_H
#define POLICY_STANDARD_H

#include "policy/policy.h"

#define POLICY_TX_VERSION_MAX 3U
#define POLICY_TX_BASE_BYTES_MIN 65U /* 64 bytes could pass for a node of a merkle tree. */
#define POLICY_SCRIPT_SIG_BYTES_MAX 1650U
#define POLICY_P2SH_SIGOPS_MAX 15U
#define POLICY_TX_SIGOPS_COST_MAX 16000
#define POLICY_TX_LEGACY_SIGOPS_MAX 2500U /* BIP 54. */
#define POLICY_P2WSH_ITEMS_MAX 100U
#define POLICY_P2WSH_ITEM_BYTES_MAX 80U
#define POLICY_P2WSH_SCRIPT_BYTES_MAX 3600U
#define POLICY_TAPSCRIPT_ITEM_BYTES_MAX 80U
#define POLICY_DUST_OUTPUTS_MAX 1U
#define POLICY_BYTES_PER_SIGOP 20U
#define POLICY_DATACARRIER_BYTES_MAX (POLICY_TX_WEIGHT_MAX / WITNESS_SCALE_FACTOR)

/* What the user may choose about it. */
struct standard_rules {
    int64_t max_datacarrier_bytes; /* Of all OP_RETURN scripts together; -1: none. */
    bool permit_bare_multisig;
    struct feerate dust_relay;
};

/* The transaction by itself.
 * Returns: NULL, or "version", "tx-size", "scriptsig-size", "scriptsig-not-pushonly",
 *          "scriptpubkey", "datacarrier", "bare-multisig", "dust". */
const char *standard_tx_flaw(const struct tx *tx, const struct standard_rules *rules) NONNULL(1, 2);

/* How many outputs are dust. */
uint32_t standard_dust_n(const struct tx *tx, struct feerate dust_relay) NONNULL(1);

/* What it spends, without the witnesses: only known kinds of outputs, redeem scripts of
 * at most 15 sigops, at most 2,500 legacy sigops. spent: tx->in_n outputs in input order.
 * False writes why into ret_detail. The transaction itself was found standard. */
bool standard_inputs(const struct tx *tx, const struct tx_out *spent, char *ret_detail,
                     size_t detail_size) NONNULL(1, 2, 3);

/* Witnesses: none where none belongs, none larger than usual spending needs, no annex. */
bool standard_witness(const struct tx *tx, const struct tx_out *spent) NONNULL(1, 2);

/* Does any input spend a witness program (other than an anchor), also inside P2SH? Then
 * the lack of a witness may be why its scripts fail. */
bool standard_needs_witness(const struct tx *tx, const struct tx_out *spent) NONNULL(1, 2);

/* Weight that counts signature checks too, and virtual bytes of a weight. */
static inline int64_t policy_adjusted_weight(uint64_t weight, int64_t sigop_cost,
                                             uint32_t bytes_per_sigop)
{
    int64_t by_sigops = sigop_cost * (int64_t)bytes_per_sigop;

    return by_sigops > (int64_t)weight ? by_sigops : (int64_t)weight;
}
static inline int64_t policy_vsize(int64_t weight)
{
    return (weight + WITNESS_SCALE_FACTOR - 1) / WITNESS_SCALE_FACTOR;
}

#endif /* POLICY_STANDARD_H */
