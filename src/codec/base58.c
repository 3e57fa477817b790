#include "codec/base58.h"

#include <string.h>

#include "base/check.h"

static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/* 58^n fits 256^m for n * 138 / 100 >= m, with log 256 / log 58 = 1.3658. */
#define DIGITS_MAX (BASE58_BYTES_MAX * 138 / 100 + 1)

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* number = number * factor + add, little-endian digits of the base; len digits
 * are in use. Returns how many are now. */
static size_t multiply_add(uint8_t *number, size_t len, unsigned base, unsigned factor,
                           unsigned add)
{
    for (size_t i = 0; i < len || add > 0; i++) {
        if (i == len)
            number[len++] = 0;
        add += number[i] * factor;
        number[i] = (uint8_t)(add % base);
        add /= base;
    }
    return len;
}

bool base58_read(uint8_t *ret_data, size_t *ret_len, size_t max_len, const char *text,
                 size_t text_len)
{
    uint8_t number[BASE58_BYTES_MAX + 1];
    size_t len = 0;
    size_t zeros = 0;
    size_t at = 0;

    CHECK(max_len <= BASE58_BYTES_MAX);
    while (at < text_len && is_space(text[at]))
        at++;
    while (text_len > at && is_space(text[text_len - 1]))
        text_len--;
    for (; at < text_len && text[at] == '1'; at++) {
        if (++zeros > max_len)
            return false;
    }
    for (; at < text_len; at++) {
        const char *digit = memchr(alphabet, text[at], 58);

        if (digit == NULL)
            return false;
        len = multiply_add(number, len, 256, 58, (unsigned)(digit - alphabet));
        if (zeros + len > max_len)
            return false;
    }
    memset(ret_data, 0, zeros);
    for (size_t i = 0; i < len; i++)
        ret_data[zeros + i] = number[len - 1 - i];
    *ret_len = zeros + len;
    return true;
}

void base58_write(struct buf *buf, const uint8_t *data, size_t len)
{
    uint8_t number[DIGITS_MAX];
    size_t digits = 0;
    size_t zeros = 0;

    CHECK(len <= BASE58_BYTES_MAX);
    for (; zeros < len && data[zeros] == 0; zeros++)
        buf_add_byte(buf, (uint8_t)alphabet[0]);
    for (size_t i = zeros; i < len; i++)
        digits = multiply_add(number, digits, 58, 256, data[i]);
    while (digits > 0)
        buf_add_byte(buf, (uint8_t)alphabet[number[--digits]]);
}
