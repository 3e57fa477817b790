/* Base64 (RFC 4648 section 4), with padding, strict. */
#ifndef CODEC_BASE64_H
#define CODEC_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/error.h"

/* Append what text stands for. False, leaving buf as it was, for another
 * character, a length that is no multiple of four, or bits set in the padding. */
NODISCARD bool base64_read(struct buf *buf, const char *text, size_t text_len) NONNULL(1);

/* Append data as text. */
void base64_write(struct buf *buf, struct span data) NONNULL(1);

#endif /* CODEC_BASE64_H */
