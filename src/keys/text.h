/* Reading expressions: the grammar that descriptors and miniscript share. Spans
 * of characters, not terminated. */
#ifndef KEYS_TEXT_H
#define KEYS_TEXT_H

#include <stdbool.h>

#include "base/bytes.h"

/* For "%.*s". */
#define TEXT_ARGS(span) (int)(span).len, (const char *)(span).data

static inline struct span text_from(struct span text, size_t at)
{
    return span_of(text.data + at, text.len - at);
}

bool text_equal(struct span text, const char *want);

/* Does text begin with want? text_skip then also moves text behind it. */
bool text_begins(struct span text, const char *want);
bool text_skip(struct span *text, const char *want);

/* Is text "name(...)" to its end? It is then narrowed to what is between the
 * parentheses. */
bool text_enter(struct span *text, const char *name);

/* Cut one expression off the front: up to the first ',' ')' or '}' that no
 * earlier bracket encloses. */
struct span text_take_expression(struct span *text);

/* Cut off the front up to the first separator, which is dropped; all of it where
 * there is none. ret_more: was there one? */
struct span text_take_part(struct span *text, char separator, bool *ret_more);

/* Decimal digits only, all of text, no sign. */
bool text_read_u32(struct span text, uint32_t *ret_number);
/* A minus sign is allowed. */
bool text_read_i64(struct span text, int64_t *ret_number);

/* An even, positive number of hexadecimal digits. */
bool text_is_hex(struct span text);

#endif /* KEYS_TEXT_H */
