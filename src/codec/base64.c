#include "codec/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_write(struct buf *buf, struct span data)
{
    for (size_t i = 0; i < data.len; i += 3) {
        size_t n = data.len - i < 3 ? data.len - i : 3;
        uint32_t bits = (uint32_t)data.data[i] << 16;

        if (n > 1)
            bits |= (uint32_t)data.data[i + 1] << 8;
        if (n > 2)
            bits |= data.data[i + 2];
        for (size_t k = 0; k < 4; k++)
            buf_add_byte(buf, k <= n ? (uint8_t)alphabet[bits >> (18 - 6 * k) & 63] : '=');
    }
}

static bool read_text(struct buf *buf, const char *text, size_t digits)
{
    uint32_t bits = 0;
    unsigned held = 0;

    for (size_t i = 0; i < digits; i++) {
        const char *digit = memchr(alphabet, text[i], 64);

        if (digit == NULL)
            return false;
        bits = (bits << 6 | (uint32_t)(digit - alphabet)) & 0xffff;
        held += 6;
        if (held >= 8) {
            held -= 8;
            buf_add_byte(buf, (uint8_t)(bits >> held));
        }
    }
    /* Six bits left over are a digit too many; others must be zero. */
    return held < 6 && (bits & ((1U << held) - 1)) == 0;
}

bool base64_read(struct buf *buf, const char *text, size_t text_len)
{
    size_t before = buf->len;
    size_t digits = text_len;

    if (text_len % 4 != 0)
        return false;
    for (int i = 0; i < 2 && digits > 0 && text[digits - 1] == '='; i++)
        digits--;
    if (!read_text(buf, text, digits)) {
        buf->len = before;
        return false;
    }
    return true;
}
