/* Bytes: a borrowed view (span), a growing buffer (buf), and little- and
 * big-endian access.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"

/* Borrowed bytes. data may be NULL when len is 0. */
struct span {
    const uint8_t *data;
    size_t len;
};

static inline struct span span_of(const void *data, size_t len)
{
    return (struct span){.data = (const uint8_t *)data, .len = len};
}

static inline struct span span_of_string(const char *text)
{
    return span_of(text, strlen(text));
}

static inline bool span_equal(struct span a, struct span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* A growing buffer. Zero it to start; release with buf_clear. */
struct buf {
    uint8_t *data; /* Owned. */
    size_t len;
    size_t capacity;
};

static inline struct span span_of_buf(const struct buf *buf)
{
    return span_of(buf->data, buf->len);
}

void buf_clear(struct buf *buf) NONNULL(1);
void buf_reserve(struct buf *buf, size_t more_bytes) NONNULL(1);
void buf_add(struct buf *buf, const void *data, size_t len) NONNULL(1);
void buf_add_byte(struct buf *buf, uint8_t byte) NONNULL(1);
void buf_add_string(struct buf *buf, const char *text) NONNULL(1, 2);
void buf_add_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3) NONNULL(1);
/* Space for len further bytes, already counted in; the caller fills it. */
uint8_t *buf_extend(struct buf *buf, size_t len) NONNULL(1);
/* Adds a terminator behind the content, not counted in len; returns the text. */
const char *buf_string(struct buf *buf) NONNULL(1);

static inline uint16_t get_le16(const uint8_t *p)
{
    return (uint16_t)(p[0] | (uint16_t)p[1] << 8);
}

static inline uint32_t get_le32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, 4);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    return v;
}

static inline uint64_t get_le64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, 8);
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

static inline uint32_t get_be32(const uint8_t *p)
{
    return __builtin_bswap32(get_le32(p));
}

static inline uint64_t get_be64(const uint8_t *p)
{
    return __builtin_bswap64(get_le64(p));
}

static inline void put_le16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static inline void put_le32(uint8_t *p, uint32_t v)
{
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap32(v);
#endif
    memcpy(p, &v, 4);
}

static inline void put_le64(uint8_t *p, uint64_t v)
{
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    memcpy(p, &v, 8);
}

static inline void put_be32(uint8_t *p, uint32_t v)
{
    put_le32(p, __builtin_bswap32(v));
}

static inline void put_be64(uint8_t *p, uint64_t v)
{
    put_le64(p, __builtin_bswap64(v));
}

#endif /* BASE_BYTES_H */
