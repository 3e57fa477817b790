/** Transactions (BIP 144 and before). Immutable once parsed; may be shared. */
#ifndef ASSAY_TRANSACTION_H
#define ASSAY_TRANSACTION_H

#include <assay/base.h>
#include <assay/verdict.h>

#ifdef __cplusplus
extern "C" {
#endif

struct assay_tx;

/** One input. Pointers live as long as the transaction. */
struct assay_input {
    const uint8_t *prevout_txid; /**< 32 bytes, wire order. */
    uint32_t prevout_vout;
    uint32_t sequence;
    const uint8_t *script_sig;
    size_t script_sig_len;
    uint32_t witness_n; /**< Items of its witness. */
};

/** One output. Pointers live as long as the transaction. */
struct assay_output {
    int64_t value_sat;
    const uint8_t *script_pubkey;
    size_t script_pubkey_len;
};

/** Parse exactly one transaction.
 *
 *  Returns: ASSAY_OK, or ASSAY_E_TRUNCATED / ASSAY_E_MALFORMED if bytes is not one
 *           transaction and nothing else.
 *  Out:     ret_tx: release with assay_tx_free.
 *  In:      bytes:  consensus serialization, len bytes. Copied. */
ASSAY_API ASSAY_NODISCARD int assay_tx_parse(struct assay_tx **ret_tx, const uint8_t *bytes,
                                             size_t len, struct assay_error *err)
    ASSAY_NONNULL(1, 2);

ASSAY_API void assay_tx_free(struct assay_tx *own_tx);

/** 32 bytes in wire order, as long as the transaction lives. */
ASSAY_API const uint8_t *assay_tx_txid(const struct assay_tx *tx) ASSAY_NONNULL(1);
ASSAY_API const uint8_t *assay_tx_wtxid(const struct assay_tx *tx) ASSAY_NONNULL(1);

ASSAY_API uint32_t assay_tx_version(const struct assay_tx *tx) ASSAY_NONNULL(1);
ASSAY_API uint32_t assay_tx_lock_time(const struct assay_tx *tx) ASSAY_NONNULL(1);
/** BIP 141 weight units. */
ASSAY_API uint64_t assay_tx_weight(const struct assay_tx *tx) ASSAY_NONNULL(1);
ASSAY_API uint32_t assay_tx_inputs_n(const struct assay_tx *tx) ASSAY_NONNULL(1);
ASSAY_API uint32_t assay_tx_outputs_n(const struct assay_tx *tx) ASSAY_NONNULL(1);
ASSAY_API bool assay_tx_is_coinbase(const struct assay_tx *tx) ASSAY_NONNULL(1);

/** Returns: ASSAY_OK, or ASSAY_E_LIMIT if index is not below the count. */
ASSAY_API ASSAY_NODISCARD int assay_tx_input(struct assay_input *ret_input,
                                             const struct assay_tx *tx, uint32_t index)
    ASSAY_NONNULL(1, 2);
ASSAY_API ASSAY_NODISCARD int assay_tx_output(struct assay_output *ret_output,
                                              const struct assay_tx *tx, uint32_t index)
    ASSAY_NONNULL(1, 2);

/** One item of an input's witness, bottom of the stack first.
 *  Returns: ASSAY_OK, or ASSAY_E_LIMIT. */
ASSAY_API ASSAY_NODISCARD int assay_tx_witness(const uint8_t **ret_item, size_t *ret_len,
                                               const struct assay_tx *tx, uint32_t input,
                                               uint32_t item) ASSAY_NONNULL(1, 2, 3);

/** The rules a transaction must keep whatever chain it is in: counts, sizes, money
 *  range, duplicate inputs, coinbase script length. Not proof that it can be
 *  spent: see script.h.
 *  Returns: the verdict. */
ASSAY_API enum assay_verdict assay_tx_check(const struct assay_tx *tx) ASSAY_NONNULL(1);

#ifdef __cplusplus
}
#endif
#endif /* ASSAY_TRANSACTION_H */
