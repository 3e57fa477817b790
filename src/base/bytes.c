#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/check.h"

#define BUF_CAPACITY_MIN ((size_t)64)

void buf_clear(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){0};
}

void buf_reserve(struct buf *buf, size_t more_bytes)
{
    size_t capacity = buf->capacity == 0 ? BUF_CAPACITY_MIN : buf->capacity;

    CHECK(more_bytes <= SIZE_MAX / 4);
    if (buf->capacity - buf->len >= more_bytes)
        return;
    while (capacity - buf->len < more_bytes)
        capacity *= 2;
    buf->data = realloc_array(buf->data, capacity, 1);
    buf->capacity = capacity;
}

uint8_t *buf_extend(struct buf *buf, size_t len)
{
    uint8_t *at;

    buf_reserve(buf, MAX(len, (size_t)1)); /* The place is real, even for nothing. */
    at = buf->data + buf->len;
    buf->len += len;
    return at;
}

void buf_add(struct buf *buf, const void *data, size_t len)
{
    if (len > 0)
        memcpy(buf_extend(buf, len), data, len);
}

void buf_add_byte(struct buf *buf, uint8_t byte)
{
    *buf_extend(buf, 1) = byte;
}

void buf_add_string(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_add_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    CHECK(len >= 0);
    buf_reserve(buf, (size_t)len + 1);
    va_start(args, format);
    (void)vsnprintf((char *)buf->data + buf->len, (size_t)len + 1, format, args);
    va_end(args);
    buf->len += (size_t)len;
}

const char *buf_string(struct buf *buf)
{
    buf_reserve(buf, 1);
    buf->data[buf->len] = '\0';
    return (const char *)buf->data;
}
