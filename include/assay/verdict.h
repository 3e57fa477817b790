/** What the rules say about a header, a block, a transaction or a script.
 *
 *  A verdict is knowledge about the object and is the same on every correct
 *  node; it never reports a failure of this machine (see error.h). Append only,
 *  the order is part of the ABI.
 */
#ifndef ASSAY_VERDICT_H
#define ASSAY_VERDICT_H

#include <assay/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, reject reason as seen in RPC and logs, where the rule is written,
 *   what it condemns: NOTHING, HEADER (for ever), BODY (only these bytes: the
 *   header may have another, valid body), NOW (may be judged otherwise later))
 *
 * BODY holds for every rule that is judged before the merkle root and a coinbase
 * have shown that these are the transactions the header stands for: the signet
 * solution lies in a coinbase that nobody has looked at yet, and the inner nodes
 * of a merkle tree can be passed off as 64-byte transactions, none of which is a
 * coinbase. Of the witness only the commitment speaks. */
#define ASSAY_VERDICT_MAP(X)                                                                       \
    X(VALID, "", "", NOTHING)                                                                      \
    X(HIGH_HASH, "high-hash", "proof of work", HEADER)                                             \
    X(BAD_DIFFBITS, "bad-diffbits", "retarget", HEADER)                                            \
    X(TIME_TOO_OLD, "time-too-old", "median time past", HEADER)                                    \
    X(TIME_TOO_NEW, "time-too-new", "two hours ahead", NOW)                                        \
    X(TIME_TIMEWARP, "time-timewarp-attack", "BIP 94", HEADER)                                     \
    X(BAD_VERSION, "bad-version", "BIP 34, 65, 66", HEADER)                                        \
    X(PREV_NOT_FOUND, "prev-blk-not-found", "chain", NOW)                                          \
    X(BAD_PREV, "bad-prevblk", "chain", HEADER)                                                    \
    X(LOW_WORK, "too-little-chainwork", "chain", NOW)                                              \
    X(DUPLICATE_INVALID, "duplicate-invalid", "chain", HEADER)                                     \
    X(BAD_SIGNET_SOLUTION, "bad-signet-blksig", "BIP 325", BODY)                                   \
    X(BAD_MERKLE_ROOT, "bad-txnmrklroot", "merkle tree", BODY)                                     \
    X(MUTATED, "bad-txns-duplicate", "CVE-2012-2459", BODY)                                        \
    X(BAD_BLOCK_LENGTH, "bad-blk-length", "size", BODY)                                            \
    X(BAD_CB_MISSING, "bad-cb-missing", "coinbase", BODY)                                          \
    X(BAD_CB_MULTIPLE, "bad-cb-multiple", "coinbase", HEADER)                                      \
    X(BAD_BLOCK_SIGOPS, "bad-blk-sigops", "sigops", HEADER)                                        \
    X(BAD_TXNS_NONFINAL, "bad-txns-nonfinal", "BIP 113, locktime", HEADER)                         \
    X(BAD_CB_HEIGHT, "bad-cb-height", "BIP 34", HEADER)                                            \
    X(BAD_WITNESS_NONCE_SIZE, "bad-witness-nonce-size", "BIP 141", BODY)                           \
    X(BAD_WITNESS_MERKLE, "bad-witness-merkle-match", "BIP 141", BODY)                             \
    X(UNEXPECTED_WITNESS, "unexpected-witness", "BIP 141", BODY)                                   \
    X(BAD_BLOCK_WEIGHT, "bad-blk-weight", "BIP 141", HEADER)                                       \
    X(BAD_CB_AMOUNT, "bad-cb-amount", "subsidy", HEADER)                                           \
    X(BAD_TXNS_BIP30, "bad-txns-BIP30", "BIP 30", HEADER)                                          \
    X(BAD_VIN_EMPTY, "bad-txns-vin-empty", "transaction", HEADER)                                  \
    X(BAD_VOUT_EMPTY, "bad-txns-vout-empty", "transaction", HEADER)                                \
    X(BAD_TXNS_OVERSIZE, "bad-txns-oversize", "transaction", HEADER)                               \
    X(BAD_VOUT_NEGATIVE, "bad-txns-vout-negative", "money range", HEADER)                          \
    X(BAD_VOUT_TOOLARGE, "bad-txns-vout-toolarge", "money range", HEADER)                          \
    X(BAD_TXOUTTOTAL_TOOLARGE, "bad-txns-txouttotal-toolarge", "money range", HEADER)              \
    X(BAD_INPUTS_DUPLICATE, "bad-txns-inputs-duplicate", "CVE-2018-17144", HEADER)                 \
    X(BAD_CB_LENGTH, "bad-cb-length", "coinbase", HEADER)                                          \
    X(BAD_PREVOUT_NULL, "bad-txns-prevout-null", "transaction", HEADER)                            \
    X(INPUTS_MISSING_OR_SPENT, "bad-txns-inputs-missingorspent", "coins", HEADER)                  \
    X(PREMATURE_SPEND, "bad-txns-premature-spend-of-coinbase", "coinbase maturity", HEADER)        \
    X(INPUT_VALUES_OUTOFRANGE, "bad-txns-inputvalues-outofrange", "money range", HEADER)           \
    X(IN_BELOWOUT, "bad-txns-in-belowout", "amounts", HEADER)                                      \
    X(ACCUMULATED_FEE_OUTOFRANGE, "bad-txns-accumulated-fee-outofrange", "money range", HEADER)    \
    X(SCRIPT_FAILED, "block-script-verify-flag-failed", "script", HEADER)                          \
    X(SCRIPT_UNKNOWN_ERROR, "unknown error", "script", HEADER)                                     \
    X(SCRIPT_EVAL_FALSE,                                                                           \
      "Script evaluated without error but finished with a false/empty top stack element",          \
      "script", HEADER)                                                                            \
    X(SCRIPT_OP_RETURN, "OP_RETURN was encountered", "script", HEADER)                             \
    X(SCRIPT_SCRIPTNUM, "Script number overflowed or is non-minimally encoded", "script", HEADER)  \
    X(SCRIPT_SCRIPT_SIZE, "Script is too big", "script", HEADER)                                   \
    X(SCRIPT_PUSH_SIZE, "Push value size limit exceeded", "script", HEADER)                        \
    X(SCRIPT_OP_COUNT, "Operation limit exceeded", "script", HEADER)                               \
    X(SCRIPT_STACK_SIZE, "Stack size limit exceeded", "script", HEADER)                            \
    X(SCRIPT_SIG_COUNT, "Signature count negative or greater than pubkey count", "script", HEADER) \
    X(SCRIPT_PUBKEY_COUNT, "Pubkey count negative or limit exceeded", "script", HEADER)            \
    X(SCRIPT_VERIFY, "Script failed an OP_VERIFY operation", "script", HEADER)                     \
    X(SCRIPT_EQUALVERIFY, "Script failed an OP_EQUALVERIFY operation", "script", HEADER)           \
    X(SCRIPT_CHECKMULTISIGVERIFY, "Script failed an OP_CHECKMULTISIGVERIFY operation", "script",   \
      HEADER)                                                                                      \
    X(SCRIPT_CHECKSIGVERIFY, "Script failed an OP_CHECKSIGVERIFY operation", "script", HEADER)     \
    X(SCRIPT_NUMEQUALVERIFY, "Script failed an OP_NUMEQUALVERIFY operation", "script", HEADER)     \
    X(SCRIPT_BAD_OPCODE, "Opcode missing or not understood", "script", HEADER)                     \
    X(SCRIPT_DISABLED_OPCODE, "Attempted to use a disabled opcode", "script", HEADER)              \
    X(SCRIPT_INVALID_STACK_OPERATION, "Operation not valid with the current stack size", "script", \
      HEADER)                                                                                      \
    X(SCRIPT_INVALID_ALTSTACK_OPERATION, "Operation not valid with the current altstack size",     \
      "script", HEADER)                                                                            \
    X(SCRIPT_UNBALANCED_CONDITIONAL, "Invalid OP_IF construction", "script", HEADER)               \
    X(SCRIPT_NEGATIVE_LOCKTIME, "Negative locktime", "script", HEADER)                             \
    X(SCRIPT_UNSATISFIED_LOCKTIME, "Locktime requirement not satisfied", "script", HEADER)         \
    X(SCRIPT_SIG_HASHTYPE, "Signature hash type missing or not understood", "script", HEADER)      \
    X(SCRIPT_SIG_DER, "Non-canonical DER signature", "script", HEADER)                             \
    X(SCRIPT_MINIMALDATA, "Data push larger than necessary", "script", HEADER)                     \
    X(SCRIPT_SIG_PUSHONLY, "Only push operators allowed in signatures", "script", HEADER)          \
    X(SCRIPT_SIG_HIGH_S, "Non-canonical signature: S value is unnecessarily high", "script",       \
      HEADER)                                                                                      \
    X(SCRIPT_SIG_NULLDUMMY, "Dummy CHECKMULTISIG argument must be zero", "script", HEADER)         \
    X(SCRIPT_PUBKEYTYPE, "Public key is neither compressed or uncompressed", "script", HEADER)     \
    X(SCRIPT_CLEANSTACK, "Stack size must be exactly one after execution", "script", HEADER)       \
    X(SCRIPT_MINIMALIF, "OP_IF/NOTIF argument must be minimal", "script", HEADER)                  \
    X(SCRIPT_SIG_NULLFAIL, "Signature must be zero for failed CHECK(MULTI)SIG operation",          \
      "script", HEADER)                                                                            \
    X(SCRIPT_DISCOURAGE_UPGRADABLE_NOPS, "NOPx reserved for soft-fork upgrades", "script", HEADER) \
    X(SCRIPT_DISCOURAGE_UPGRADABLE_WITNESS_PROGRAM,                                                \
      "Witness version reserved for soft-fork upgrades", "script", HEADER)                         \
    X(SCRIPT_DISCOURAGE_UPGRADABLE_TAPROOT_VERSION,                                                \
      "Taproot version reserved for soft-fork upgrades", "script", HEADER)                         \
    X(SCRIPT_DISCOURAGE_OP_SUCCESS, "OP_SUCCESSx reserved for soft-fork upgrades", "script",       \
      HEADER)                                                                                      \
    X(SCRIPT_DISCOURAGE_UPGRADABLE_PUBKEYTYPE,                                                     \
      "Public key version reserved for soft-fork upgrades", "script", HEADER)                      \
    X(SCRIPT_WITNESS_PROGRAM_WRONG_LENGTH, "Witness program has incorrect length", "script",       \
      HEADER)                                                                                      \
    X(SCRIPT_WITNESS_PROGRAM_WITNESS_EMPTY, "Witness program was passed an empty witness",         \
      "script", HEADER)                                                                            \
    X(SCRIPT_WITNESS_PROGRAM_MISMATCH, "Witness program hash mismatch", "script", HEADER)          \
    X(SCRIPT_WITNESS_MALLEATED, "Witness requires empty scriptSig", "script", HEADER)              \
    X(SCRIPT_WITNESS_MALLEATED_P2SH, "Witness requires only-redeemscript scriptSig", "script",     \
      HEADER)                                                                                      \
    X(SCRIPT_WITNESS_UNEXPECTED, "Witness provided for non-witness script", "script", HEADER)      \
    X(SCRIPT_WITNESS_PUBKEYTYPE, "Using non-compressed keys in segwit", "script", HEADER)          \
    X(SCRIPT_SCHNORR_SIG_SIZE, "Invalid Schnorr signature size", "script", HEADER)                 \
    X(SCRIPT_SCHNORR_SIG_HASHTYPE, "Invalid Schnorr signature hash type", "script", HEADER)        \
    X(SCRIPT_SCHNORR_SIG, "Invalid Schnorr signature", "script", HEADER)                           \
    X(SCRIPT_TAPROOT_WRONG_CONTROL_SIZE, "Invalid Taproot control block size", "script", HEADER)   \
    X(SCRIPT_TAPSCRIPT_VALIDATION_WEIGHT,                                                          \
      "Too much signature validation relative to witness weight", "script", HEADER)                \
    X(SCRIPT_TAPSCRIPT_CHECKMULTISIG, "OP_CHECKMULTISIG(VERIFY) is not available in tapscript",    \
      "script", HEADER)                                                                            \
    X(SCRIPT_TAPSCRIPT_MINIMALIF, "OP_IF/NOTIF argument must be minimal in tapscript", "script",   \
      HEADER)                                                                                      \
    X(SCRIPT_TAPSCRIPT_EMPTY_PUBKEY, "Empty public key in tapscript", "script", HEADER)            \
    X(SCRIPT_OP_CODESEPARATOR, "Using OP_CODESEPARATOR in non-witness script", "script", HEADER)   \
    X(SCRIPT_SIG_FINDANDDELETE, "Signature is found in scriptCode", "script", HEADER)

/** The verdicts as ASSAY_V_... */
enum assay_verdict {
#define ASSAY_VERDICT_ENUM(name, reason, where, condemns) ASSAY_V_##name,
    ASSAY_VERDICT_MAP(ASSAY_VERDICT_ENUM)
#undef ASSAY_VERDICT_ENUM
        ASSAY_V_COUNT
};

/** What a verdict condemns. */
enum assay_condemns {
    ASSAY_CONDEMNS_NOTHING,
    ASSAY_CONDEMNS_HEADER,
    ASSAY_CONDEMNS_BODY,
    ASSAY_CONDEMNS_NOW
};

/** The reject reason of a verdict, e.g. "bad-cb-amount"; "" for VALID.
 *  Returns: a string with static lifetime, never NULL. Any thread. */
ASSAY_API const char *assay_verdict_reason(enum assay_verdict verdict);

/** Where the rule is written, e.g. "BIP 141".
 *  Returns: a string with static lifetime, never NULL. Any thread. */
ASSAY_API const char *assay_verdict_source(enum assay_verdict verdict);

/** What the verdict condemns. Any thread. */
ASSAY_API enum assay_condemns assay_verdict_condemns(enum assay_verdict verdict);

#ifdef __cplusplus
}
#endif
#endif /* ASSAY_VERDICT_H */
