#include "base/hex.h"

static const char digits[] = "0123456789abcdef";

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
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

    if (high < 0 || low < 0)
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
