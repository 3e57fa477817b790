/* JSON (RFC 8259): reading into a tree, and writing without one.
 *
 * The texts are those of Bitcoin Core's RPC. Read: one value of at most
 * JSON_DEPTH_MAX nested arrays and objects; numbers keep the characters they
 * were written with, so that no decimal is ever rounded; keys keep their order,
 * and of equal keys all are kept and the first is found; strings are UTF-8 and may hold
 * any character, "\u0000" too, so a reader that goes on with a C string must
 * look at the length. A strict reader: nothing outside the grammar is taken.
 *
 * Own code instead of a library's: the library at hand turns numbers into
 * 64-bit integers and doubles, cuts keys at a zero and drops equal keys.
 */
#ifndef CODEC_JSON_H
#define CODEC_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"

#define JSON_DEPTH_MAX 512
#define JSON_TEXT_MAX ((size_t)1 << 28) /* Bytes. */

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* One value. Zeroed, it is null. */
struct json {
    enum json_type type;
    bool truth;               /* JSON_BOOL. */
    uint32_t count;           /* JSON_ARRAY, JSON_OBJECT: of items. */
    struct span text;         /* JSON_STRING, JSON_NUMBER; a zero byte lies behind. */
    const struct json *items; /* JSON_ARRAY, JSON_OBJECT. */
    const struct span *keys;  /* JSON_OBJECT: of items, same order. A zero byte lies behind each. */
};

/* Read exactly one value, with white space around it.
 *
 * Returns: 0, E_MALFORMED, or E_LIMIT for a text over JSON_TEXT_MAX.
 * Out:     ret_value: undefined on failure. Everything in it is from arena. */
NODISCARD int json_read(struct json *ret_value, const char *text, size_t len, struct arena *arena,
                        struct error *err) NONNULL(1, 4);

/* "null", "bool", "number", "string", "array", "object". */
const char *json_type_name(enum json_type type);

/* The first member of that name; NULL if there is none or object is no object. */
const struct json *json_find(const struct json *object, const char *key) NONNULL(1, 2);

/* The characters of a string or number, terminated. Of any other type: "". */
const char *json_text(const struct json *value) NONNULL(1);

/* Is this a string of exactly these characters? */
bool json_is_string(const struct json *value, const char *text) NONNULL(1, 2);

/* The value of a number written as an integer; false, with *ret undefined, for
 * another type, a fraction or exponent, or a value out of range. */
NODISCARD bool json_get_int64(int64_t *ret, const struct json *value) NONNULL(1, 2);
NODISCARD bool json_get_uint64(uint64_t *ret, const struct json *value) NONNULL(1, 2);
/* The nearest double; false for another type or a value beyond doubles. */
NODISCARD bool json_get_double(double *ret, const struct json *value) NONNULL(1, 2);

/* Would these characters be read as a number? */
bool json_is_number_text(const char *text, size_t len);

/* --- Writing --- */

/* Appends one value to a buffer, piece by piece. Commas, line breaks and spaces
 * come by themselves. Owner thread: whoever holds it. */
struct json_writer {
    struct buf *buf; /* Borrowed. */
    unsigned indent; /* Spaces a level; 0 writes no line breaks. */
    unsigned depth;  /* Open arrays and objects. */
    bool is_first;   /* No item was written yet on this level. */
    bool has_key;    /* A key was written and waits for its value. */
};

void json_writer_init(struct json_writer *w, struct buf *buf, unsigned indent) NONNULL(1, 2);

void json_begin_object(struct json_writer *w) NONNULL(1);
void json_end_object(struct json_writer *w) NONNULL(1);
void json_begin_array(struct json_writer *w) NONNULL(1);
void json_end_array(struct json_writer *w) NONNULL(1);

/* The name of the next value, inside an object. */
void json_key(struct json_writer *w, const char *key) NONNULL(1, 2);
void json_key_span(struct json_writer *w, struct span key) NONNULL(1);

void json_null(struct json_writer *w) NONNULL(1);
void json_bool(struct json_writer *w, bool v) NONNULL(1);
void json_int(struct json_writer *w, int64_t v) NONNULL(1);
void json_uint(struct json_writer *w, uint64_t v) NONNULL(1);
/* At most 16 significant digits, as "%.16g" writes them; v is finite. */
void json_double(struct json_writer *w, double v) NONNULL(1);
/* Satoshi as bitcoin with all eight decimals: -0.00000001. */
void json_amount(struct json_writer *w, int64_t amount_sat) NONNULL(1);
/* The characters of a number as they are; they must make one. */
void json_number_text(struct json_writer *w, const char *text) NONNULL(1, 2);
void json_string(struct json_writer *w, const char *text) NONNULL(1, 2);
void json_string_span(struct json_writer *w, struct span text) NONNULL(1);
/* Bytes as a string of hexadecimal digits; reversed as hashes are shown. */
void json_hex(struct json_writer *w, struct span data) NONNULL(1);
void json_hex_reversed(struct json_writer *w, struct span data) NONNULL(1);
/* A value that was read, with all that is in it. */
void json_value(struct json_writer *w, const struct json *value) NONNULL(1, 2);
/* Characters that are one JSON value already. */
void json_raw(struct json_writer *w, struct span text) NONNULL(1);

/* A key and its value in one call. */
void json_put_null(struct json_writer *w, const char *key) NONNULL(1, 2);
void json_put_bool(struct json_writer *w, const char *key, bool v) NONNULL(1, 2);
void json_put_int(struct json_writer *w, const char *key, int64_t v) NONNULL(1, 2);
void json_put_uint(struct json_writer *w, const char *key, uint64_t v) NONNULL(1, 2);
void json_put_double(struct json_writer *w, const char *key, double v) NONNULL(1, 2);
void json_put_amount(struct json_writer *w, const char *key, int64_t amount_sat) NONNULL(1, 2);
void json_put_string(struct json_writer *w, const char *key, const char *text) NONNULL(1, 2, 3);
void json_put_hex(struct json_writer *w, const char *key, struct span data) NONNULL(1, 2);
void json_put_hash(struct json_writer *w, const char *key, const uint8_t *hash) NONNULL(1, 2, 3);

#endif /* CODEC_JSON_H */
