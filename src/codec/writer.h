/* Writing consensus-encoded bytes at the end of a buffer. */
#ifndef CODEC_WRITER_H
#define CODEC_WRITER_H

#include <stdint.h>

#include "base/bytes.h"

#define COMPACT_SIZE_BYTES_MAX 9

/* Writes the shortest encoding to out (COMPACT_SIZE_BYTES_MAX bytes of room).
 * Returns the bytes used: 1, 3, 5 or 9. */
size_t compact_size_write(uint8_t *out, uint64_t value);

/* How many bytes compact_size_write would use. */
size_t compact_size_len(uint64_t value);

void write_u8(struct buf *buf, uint8_t v);
void write_le16(struct buf *buf, uint16_t v);
void write_le32(struct buf *buf, uint32_t v);
void write_le64(struct buf *buf, uint64_t v);
void write_compact_size(struct buf *buf, uint64_t v);
void write_span(struct buf *buf, struct span data);
void write_var_bytes(struct buf *buf, struct span data); /* Length, then bytes. */

#endif /* CODEC_WRITER_H */
