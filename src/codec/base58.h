/* Base58: bytes as one number in digits without look-alikes, a leading zero byte
 * as a leading 1. The form with a checksum is crypto/base58check.h. */
#ifndef CODEC_BASE58_H
#define CODEC_BASE58_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

#define BASE58_BYTES_MAX 256

/* Read text; white space around it is skipped.
 *
 * Returns: false, with *ret_data and *ret_len undefined, for another character
 *          or for more than max_len bytes.
 * Out:     ret_data: room for max_len bytes.
 * In:      max_len:  at most BASE58_BYTES_MAX. */
NODISCARD bool base58_read(uint8_t *ret_data, size_t *ret_len, size_t max_len, const char *text,
                           size_t text_len) NONNULL(1, 2);

/* Append at most BASE58_BYTES_MAX bytes as text. */
void base58_write(struct buf *buf, const uint8_t *data, size_t len) NONNULL(1);

#endif /* CODEC_BASE58_H */
