/* Base58 with the first four bytes of the payload's double SHA-256 behind it:
 * old addresses, secret keys, extended keys. */
#ifndef CRYPTO_BASE58CHECK_H
#define CRYPTO_BASE58CHECK_H

#include "codec/base58.h"

#define BASE58CHECK_BYTES_MAX (BASE58_BYTES_MAX - 4)

/* As base58_read, of the payload: false also if the checksum does not match.
 * What was read is wiped on failure (it may be most of a key). */
NODISCARD bool base58check_read(uint8_t *ret_data, size_t *ret_len, size_t max_len,
                                const char *text, size_t text_len) NONNULL(1, 2);

/* As base58_write; len at most BASE58CHECK_BYTES_MAX. */
void base58check_write(struct buf *buf, const uint8_t *data, size_t len) NONNULL(1);

#endif /* CRYPTO_BASE58CHECK_H */
