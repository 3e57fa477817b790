#include "base/hex.h"

static const char digits[] = "0123456789abcdef";

/* One more than the value, so that all others are 0: a look-up does not guess which of the
 * ranges comes next, as branches would, mostly in vain. */
static const uint8_t values[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16};

static int nibble(char c)
{
    return values[(uint8_t)c] - 1;
}

void hex_write(char *ret_text, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        ret_text[2 * i] = digits[data[i] >> 4];
        ret_text[2 * i + 1] = digits[data[i] & 15];
    }
    ret_text[2 * len] = '\0';
}

void hex_write_reversed(char *ret_text, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        ret_text[2 * i] = digits[data[len - 1 - i] >> 4];
        ret_text[2 * i + 1] = digits[data[len - 1 - i] & 15];
    }
    ret_text[2 * len] = '\0';
}

static bool byte_at(uint8_t *ret_byte, const char *text)
{
    int high = nibble(text[0]);
    int low = nibble(text[1]);

    if ((high | low) < 0)
        return false;
    *ret_byte = (uint8_t)(high << 4 | low);
    return true;
}

bool hex_read(uint8_t *ret_data, size_t len, const char *text, size_t text_len)
{
    if (text_len % 2 != 0 || text_len / 2 != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!byte_at(&ret_data[i], text + 2 * i))
            return false;
    }
    return true;
}

bool hex_read_reversed(uint8_t *ret_data, size_t len, const char *text, size_t text_len)
{
    if (text_len % 2 != 0 || text_len / 2 != len)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!byte_at(&ret_data[len - 1 - i], text + 2 * i))
            return false;
    }
    return true;
}

bool hex_read_buf(struct buf *buf, const char *text, size_t text_len)
{
    size_t before = buf->len;

    if (text_len % 2 != 0)
        return false;
    if (!hex_read(buf_extend(buf, text_len / 2), text_len / 2, text, text_len)) {
        buf->len = before;
        return false;
    }
    return true;
}

void hex_write_buf(struct buf *buf, struct span data)
{
    char *at;

    buf_reserve(buf, 2 * data.len + 1);
    at = (char *)buf->data + buf->len;
    hex_write(at, data.data, data.len);
    buf->len += 2 * data.len;
}
