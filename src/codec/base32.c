#include "codec/base32.h"

static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";

static int value_of(char c)
{
    if (c >= 'a' && c <= 'z')
        return c - 'a';
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= '2' && c <= '7')
        return c - '2' + 26;
    return -1;
}

bool base32_read(uint8_t *ret_data, size_t len, const char *text, size_t text_len)
{
    uint32_t pending = 0;
    unsigned bits = 0;

    if (text_len != BASE32_TEXT_LEN(len))
        return false;
    for (size_t i = 0; i < text_len; i++) {
        int value = value_of(text[i]);

        if (value < 0)
            return false;
        pending = (pending << 5 | (uint32_t)value) & 0xfff;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            *ret_data++ = (uint8_t)(pending >> bits);
        }
    }
    return (pending & ((1U << bits) - 1)) == 0;
}

void base32_write(char *ret_text, const uint8_t *data, size_t len)
{
    uint32_t pending = 0;
    unsigned bits = 0;

    for (size_t i = 0; i < len; i++) {
        pending = (pending << 8 | data[i]) & 0xfff;
        bits += 8;
        while (bits >= 5) {
            bits -= 5;
            *ret_text++ = digits[pending >> bits & 31];
        }
    }
    if (bits > 0)
        *ret_text++ = digits[pending << (5 - bits) & 31];
    *ret_text = '\0';
}
