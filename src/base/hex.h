/* Hexadecimal text, lower case when written, either case when read. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* Writes 2 * len characters and a terminator. */
void hex_write(char *ret_text, const uint8_t *data, size_t len);

/* As hex_write, last byte first: how hashes are shown. */
void hex_write_reversed(char *ret_text, const uint8_t *data, size_t len);

/* Reads exactly 2 * len characters of text (text_len must be that); false, with
 * ret_data undefined, for any other length or character. */
bool hex_read(uint8_t *ret_data, size_t len, const char *text, size_t text_len);
bool hex_read_reversed(uint8_t *ret_data, size_t len, const char *text, size_t text_len);

/* Appends the bytes of text (any even length) to buf; false leaves buf as it was. */
bool hex_read_buf(struct buf *buf, const char *text, size_t text_len);

/* Appends data as text to buf. */
void hex_write_buf(struct buf *buf, struct span data);

#endif /* BASE_HEX_H */
