/** The hashes of Bitcoin and their text. Pure; any thread. */
#ifndef ASSAY_HASH_H
#define ASSAY_HASH_H

#include <assay/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** SHA-256 (FIPS 180-4).
 *  Out: ret_digest: 32 bytes.
 *  In:  data:       len bytes; may be NULL when len is 0. */
ASSAY_API void assay_sha256(uint8_t *ret_digest, const void *data, size_t len) ASSAY_NONNULL(1);

/** SHA-256 of the SHA-256: txids and block hashes. As assay_sha256. */
ASSAY_API void assay_sha256d(uint8_t *ret_digest, const void *data, size_t len) ASSAY_NONNULL(1);

/** RIPEMD-160 of the SHA-256: key and script hashes.
 *  Out: ret_digest: 20 bytes. */
ASSAY_API void assay_hash160(uint8_t *ret_digest, const void *data, size_t len) ASSAY_NONNULL(1);

/** A hash as users see it.
 *  Out: ret_text: ASSAY_HASH_HEX_SIZE bytes, terminated.
 *  In:  hash:     32 bytes, wire order. */
ASSAY_API void assay_hash_to_hex(char *ret_text, const uint8_t *hash) ASSAY_NONNULL(1, 2);

/** The reverse.
 *  Returns: ASSAY_OK, or ASSAY_E_MALFORMED if text is not 64 hexadecimal digits. */
ASSAY_API ASSAY_NODISCARD int assay_hash_from_hex(uint8_t *ret_hash, const char *text,
                                                  struct assay_error *err) ASSAY_NONNULL(1, 2);

#ifdef __cplusplus
}
#endif
#endif /* ASSAY_HASH_H */
