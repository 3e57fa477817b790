/** The networks and what differs between them. Pure; any thread. */
#ifndef ASSAY_NETWORK_H
#define ASSAY_NETWORK_H

#include <assay/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum assay_network {
    ASSAY_MAIN,
    ASSAY_TEST, /**< testnet3 */
    ASSAY_TESTNET4,
    ASSAY_SIGNET, /**< The default signet. */
    ASSAY_REGTEST
};

/** The parameters of one network. Opaque, static: never released. */
struct assay_params;

/** Returns: the parameters, or NULL for a number that is no network. */
ASSAY_API const struct assay_params *assay_params_of(enum assay_network network);

/** By name: "main", "test", "testnet4", "signet", "regtest".
 *  Returns: the parameters, or NULL. */
ASSAY_API const struct assay_params *assay_params_by_name(const char *name) ASSAY_NONNULL(1);

/** The four bytes in front of each message and each block in a block file. */
ASSAY_API void assay_params_magic(uint8_t *ret_magic, const struct assay_params *params)
    ASSAY_NONNULL(1, 2);

/** The genesis block's serialization; it lives for ever.
 *  Out: ret_len: bytes. */
ASSAY_API const uint8_t *assay_params_genesis(size_t *ret_len, const struct assay_params *params)
    ASSAY_NONNULL(1, 2);

/** The verification flags (script.h) for the inputs of one block: by height, but
 *  a few historical blocks are exceptions by hash.
 *  In: block_hash: 32 bytes, wire order. */
ASSAY_API uint64_t assay_verify_flags_of(const struct assay_params *params, int32_t height,
                                         const uint8_t *block_hash) ASSAY_NONNULL(1, 3);

/** What a block at this height may create, in satoshi, fees not included. */
ASSAY_API int64_t assay_subsidy_at(const struct assay_params *params, int32_t height)
    ASSAY_NONNULL(1);

#ifdef __cplusplus
}
#endif
#endif /* ASSAY_NETWORK_H */
