/* Base32 (RFC 4648 section 6) without padding, as in the names of Tor and I2P:
 * lower case when written, either case when read. */
#ifndef CODEC_BASE32_H
#define CODEC_BASE32_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

/* Digits of len bytes. */
#define BASE32_TEXT_LEN(len) (((len)*8 + 4) / 5)

/* Reads exactly len bytes from exactly BASE32_TEXT_LEN(len) digits. False, with
 * ret_data undefined, for any other length or character, or bits left over that
 * are not zero. */
NODISCARD bool base32_read(uint8_t *ret_data, size_t len, const char *text, size_t text_len)
    NONNULL(1, 3);

/* Writes BASE32_TEXT_LEN(len) characters and a terminator. */
void base32_write(char *ret_text, const uint8_t *data, size_t len) NONNULL(1);

#endif /* CODEC_BASE32_H */
