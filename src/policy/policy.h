/* What this node takes for a usual transaction, beyond what consensus asks: pure
 * functions that mempool, mining and wallet share, and the defaults. */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <stdbool.h>

#include "policy/feerate.h"
#include "primitives/tx.h"
#include "script/flags.h"
#include "script/solver.h"

#define POLICY_DUST_RELAY_SAT_KVB INT64_C(3000)
#define POLICY_MIN_RELAY_SAT_KVB INT64_C(100)
#define POLICY_INCREMENTAL_RELAY_SAT_KVB INT64_C(100)
#define POLICY_BLOCK_MIN_SAT_KVB INT64_C(1)
#define POLICY_TX_WEIGHT_MAX 400000U
#define POLICY_MULTISIG_KEYS_MAX 3

/* Rules that have been soft-forked in: breaking one of these shows a peer that
 * is out of date or worse. */
#define POLICY_MANDATORY_FLAGS                                                 \
    (SCRIPT_VERIFY(P2SH) | SCRIPT_VERIFY(DERSIG) | SCRIPT_VERIFY(NULLDUMMY) |  \
     SCRIPT_VERIFY(CHECKLOCKTIMEVERIFY) | SCRIPT_VERIFY(CHECKSEQUENCEVERIFY) | \
     SCRIPT_VERIFY(WITNESS) | SCRIPT_VERIFY(TAPROOT))

/* What scripts of relayed transactions are held to. */
#define POLICY_STANDARD_FLAGS                                                                   \
    (POLICY_MANDATORY_FLAGS | SCRIPT_VERIFY(STRICTENC) | SCRIPT_VERIFY(MINIMALDATA) |           \
     SCRIPT_VERIFY(DISCOURAGE_UPGRADABLE_NOPS) | SCRIPT_VERIFY(CLEANSTACK) |                    \
     SCRIPT_VERIFY(MINIMALIF) | SCRIPT_VERIFY(NULLFAIL) | SCRIPT_VERIFY(LOW_S) |                \
     SCRIPT_VERIFY(DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM) | SCRIPT_VERIFY(WITNESS_PUBKEYTYPE) | \
     SCRIPT_VERIFY(CONST_SCRIPTCODE) | SCRIPT_VERIFY(DISCOURAGE_UPGRADABLE_TAPROOT_VERSION) |   \
     SCRIPT_VERIFY(DISCOURAGE_OP_SUCCESS) | SCRIPT_VERIFY(DISCOURAGE_UPGRADABLE_PUBKEYTYPE))

/* Is it an output script of a usual kind: any but NONSTANDARD, multisig of at most
 * POLICY_MULTISIG_KEYS_MAX keys? */
bool policy_script_is_standard(struct span script_pubkey);

/* Below this an output costs more to spend, at the given rate, than it holds. 0
 * for one that cannot be spent. */
int64_t policy_dust_threshold_sat(const struct tx_out *out, struct feerate dust_relay)
    __attribute__((nonnull(1)));
bool policy_is_dust(const struct tx_out *out, struct feerate dust_relay)
    __attribute__((nonnull(1)));

#endif /* POLICY_POLICY_H */
