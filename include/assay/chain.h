/** A data directory: blocks, coins, and the chain with the most work. */
#ifndef ASSAY_CHAIN_H
#define ASSAY_CHAIN_H

#include <assay/block.h>
#include <assay/headers.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An open data directory. Any thread may call; calls that change the chain wait
 *  for each other. */
struct assay_chain;

struct assay_chain_options {
    const char *folder; /**< Made if it is not there. */
    enum assay_network network;
    uint64_t cache_bytes;    /**< Coins cache; 0: the default. */
    unsigned threads;        /**< Verifying threads; 0: one for each processor. */
    bool verify_all_scripts; /**< false: skip what assumevalid allows. */
};

/** Open a data directory, recovering it from a crash if there was one. The layout
 *  is assayd's: the daemon can open it afterwards, and the other way round.
 *
 *  Returns: ASSAY_OK, ASSAY_E_LOCKED if another process has it, ASSAY_E_CORRUPT (err names
 *           file and offset), ASSAY_E_IO, ASSAY_E_PERMISSION, ASSAY_E_NO_SPACE.
 *  Out:     ret_chain: close with assay_chain_close. */
ASSAY_API ASSAY_NODISCARD int assay_chain_open(struct assay_chain **ret_chain,
                                               const struct assay_chain_options *options,
                                               struct assay_error *err) ASSAY_NONNULL(1, 2);

/** Write what is left and close. The data directory is whole whatever this
 *  returns; after an error only the latest blocks must be verified again.
 *  In: own_chain: released in any case; NULL is fine. */
ASSAY_API int assay_chain_close(struct assay_chain *own_chain, struct assay_error *err);

/** Offer a block: it is verified as far as its place allows, stored, and connected
 *  if it makes the best chain.
 *
 *  Returns: ASSAY_OK, or the operating error that stopped us (the block is then
 *           neither valid nor invalid).
 *  Out:     ret_verdict: ASSAY_V_VALID (also for a block known before), or the rule it
 *                        breaks. ASSAY_V_PREV_NOT_FOUND: offer its parent first.
 *  In:      bytes:       consensus serialization with witness, len bytes. */
ASSAY_API ASSAY_NODISCARD int assay_chain_offer(struct assay_chain *chain,
                                                enum assay_verdict *ret_verdict,
                                                const uint8_t *bytes, size_t len,
                                                struct assay_error *err) ASSAY_NONNULL(1, 2, 3);

/** The tip: the last block of the best chain that is verified whole. */
ASSAY_API void assay_chain_tip(struct assay_header_info *ret_info, struct assay_chain *chain)
    ASSAY_NONNULL(1, 2);

/** A block of the best chain. The bytes live until assay_block_free.
 *  Returns: ASSAY_OK, ASSAY_E_NOT_FOUND, or an operating error. */
ASSAY_API ASSAY_NODISCARD int assay_chain_block_at(struct assay_block **ret_block,
                                                   struct assay_chain *chain, int32_t height,
                                                   struct assay_error *err) ASSAY_NONNULL(1, 2);

/** A coin as of the tip.
 *
 *  Returns: ASSAY_OK, ASSAY_E_NOT_FOUND if it is spent or never was, ASSAY_E_LIMIT if
 *           script_size is too small (*ret_script_len says what it takes).
 *  Out:     ret_value_sat, ret_height: may be NULL.
 *           ret_script: script_size bytes of room.
 *  In:      txid:       32 bytes, wire order. */
ASSAY_API ASSAY_NODISCARD int assay_chain_coin(struct assay_chain *chain, int64_t *ret_value_sat,
                                               int32_t *ret_height, uint8_t *ret_script,
                                               size_t *ret_script_len, const uint8_t *txid,
                                               uint32_t vout, size_t script_size,
                                               struct assay_error *err) ASSAY_NONNULL(1, 4, 5, 6);

#ifdef __cplusplus
}
#endif
#endif /* ASSAY_CHAIN_H */
