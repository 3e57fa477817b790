/** Does an input satisfy the output it spends? */
#ifndef ASSAY_SCRIPT_H
#define ASSAY_SCRIPT_H

#include <assay/transaction.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Verification flags: bits. For consensus take assay_verify_flags_of(). */
#define ASSAY_VERIFY_NONE UINT64_C(0)
#define ASSAY_VERIFY_P2SH (UINT64_C(1) << 0)                 /**< BIP 16 */
#define ASSAY_VERIFY_DERSIG (UINT64_C(1) << 2)               /**< BIP 66 */
#define ASSAY_VERIFY_NULLDUMMY (UINT64_C(1) << 4)            /**< BIP 147 */
#define ASSAY_VERIFY_CHECKLOCKTIMEVERIFY (UINT64_C(1) << 9)  /**< BIP 65 */
#define ASSAY_VERIFY_CHECKSEQUENCEVERIFY (UINT64_C(1) << 10) /**< BIP 112 */
#define ASSAY_VERIFY_WITNESS (UINT64_C(1) << 11)             /**< BIP 141 */
#define ASSAY_VERIFY_TAPROOT (UINT64_C(1) << 17)             /**< BIP 341, 342 */
/** Every consensus rule of today. */
#define ASSAY_VERIFY_CONSENSUS                                                                    \
    (ASSAY_VERIFY_P2SH | ASSAY_VERIFY_DERSIG | ASSAY_VERIFY_NULLDUMMY |                           \
     ASSAY_VERIFY_CHECKLOCKTIMEVERIFY | ASSAY_VERIFY_CHECKSEQUENCEVERIFY | ASSAY_VERIFY_WITNESS | \
     ASSAY_VERIFY_TAPROOT)

/** A transaction with every output it spends: what all its inputs share. */
struct assay_spend;

/** One spent output. */
struct assay_coin {
    int64_t value_sat;
    const uint8_t *script_pubkey;
    size_t script_pubkey_len;
};

/** Build the signature-hash midstates shared by all inputs of a transaction.
 *
 *  Returns: ASSAY_OK, or ASSAY_E_TRUNCATED / ASSAY_E_MALFORMED if tx_bytes is not
 *           exactly one transaction, or ASSAY_E_LIMIT if coins_len is not its
 *           input count.
 *  Out:     ret_spend: release with assay_spend_free.
 *  In:      tx_bytes:  consensus serialization, with witness. Copied.
 *           tx_len:    bytes.
 *           coins:     the spent outputs in input order. Copied.
 *           coins_len: number of coins. */
ASSAY_API ASSAY_NODISCARD int assay_spend_new(struct assay_spend **ret_spend,
                                              const uint8_t *tx_bytes, size_t tx_len,
                                              const struct assay_coin *coins, size_t coins_len,
                                              struct assay_error *err) ASSAY_NONNULL(1, 2);

ASSAY_API void assay_spend_free(struct assay_spend *own_spend);

/** Decide whether one input satisfies the output it spends.
 *
 *  Evaluates script_sig, script_pubkey and witness of input in_index under exactly
 *  the rules in flags. Performs no I/O and reads no clock and no chain state:
 *  equal arguments give an equal verdict. Any number of threads may use one spend.
 *
 *  Returns: ASSAY_OK if the evaluation came to an end, whatever it found;
 *           ASSAY_E_LIMIT if in_index or flags is out of range.
 *  Out:     ret_verdict: ASSAY_V_VALID, or the first rule that was broken.
 *  In:      spend:       borrowed for the call.
 *           in_index:    position of the input, from 0.
 *           flags:       ASSAY_VERIFY_* bits. */
ASSAY_API ASSAY_NODISCARD int assay_script_verify(enum assay_verdict *ret_verdict,
                                                  const struct assay_spend *spend,
                                                  uint32_t in_index, uint64_t flags,
                                                  struct assay_error *err) ASSAY_NONNULL(1, 2);

#ifdef __cplusplus
}
#endif
#endif /* ASSAY_SCRIPT_H */
