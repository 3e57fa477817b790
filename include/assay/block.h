/** Headers and blocks. Immutable once parsed; may be shared. */
#ifndef ASSAY_BLOCK_H
#define ASSAY_BLOCK_H

#include <assay/network.h>
#include <assay/transaction.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes of a serialized header. */
#define ASSAY_HEADER_BYTES 80

struct assay_header {
    int32_t version;
    uint32_t time; /**< Seconds since 1970. */
    uint32_t bits; /**< Compact target. */
    uint32_t nonce;
    uint8_t prev[ASSAY_HASH_BYTES];
    uint8_t merkle_root[ASSAY_HASH_BYTES];
};

/** Read a header.
 *  In: bytes: ASSAY_HEADER_BYTES. */
ASSAY_API void assay_header_read(struct assay_header *ret_header, const uint8_t *bytes)
    ASSAY_NONNULL(1, 2);

/** The block hash. Out: ret_hash: 32 bytes, wire order. */
ASSAY_API void assay_header_hash(uint8_t *ret_hash, const struct assay_header *header)
    ASSAY_NONNULL(1, 2);

struct assay_block;

/** Parse exactly one block.
 *
 *  Returns: ASSAY_OK, ASSAY_E_TRUNCATED or ASSAY_E_MALFORMED.
 *  Out:     ret_block: release with assay_block_free.
 *  In:      bytes:     consensus serialization with witness, len bytes. Copied. */
ASSAY_API ASSAY_NODISCARD int assay_block_parse(struct assay_block **ret_block,
                                                const uint8_t *bytes, size_t len,
                                                struct assay_error *err) ASSAY_NONNULL(1, 2);

ASSAY_API void assay_block_free(struct assay_block *own_block);

/** 32 bytes in wire order, as long as the block lives. */
ASSAY_API const uint8_t *assay_block_hash(const struct assay_block *block) ASSAY_NONNULL(1);
ASSAY_API void assay_block_header(struct assay_header *ret_header, const struct assay_block *block)
    ASSAY_NONNULL(1, 2);
ASSAY_API uint32_t assay_block_txs_n(const struct assay_block *block) ASSAY_NONNULL(1);
ASSAY_API uint64_t assay_block_weight(const struct assay_block *block) ASSAY_NONNULL(1);

/** One transaction, borrowed from the block. NULL if index is out of range. */
ASSAY_API const struct assay_tx *assay_block_tx(const struct assay_block *block, uint32_t index)
    ASSAY_NONNULL(1);

/** The rules that need no other block: proof of work, merkle root and mutation,
 *  sizes, coinbase, every assay_tx_check, legacy sigops, signet solution.
 *  Returns: the verdict. */
ASSAY_API enum assay_verdict assay_block_check(const struct assay_block *block,
                                               const struct assay_params *params)
    ASSAY_NONNULL(1, 2);

#ifdef __cplusplus
}
#endif
#endif /* ASSAY_BLOCK_H */
