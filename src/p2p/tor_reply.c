#include <string.h>

#include "p2p/tor_reply_priv.h"

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

/* One escaped character behind a backslash (control-spec 2.1.1). Returns how many were
 * taken. */
static size_t unescape(struct buf *value, const char *text)
{
    unsigned byte = 0;
    size_t n = 0;
    size_t digits;

    switch (text[0]) {
    case 'n':
        buf_add_byte(value, '\n');
        return 1;
    case 't':
        buf_add_byte(value, '\t');
        return 1;
    case 'r':
        buf_add_byte(value, '\r');
        return 1;
    default:
        break;
    }
    if (!is_octal(text[0])) {
        buf_add_byte(value, (uint8_t)text[0]);
        return 1;
    }
    digits = text[0] <= '3' ? 3 : 2;
    while (n < digits && is_octal(text[n]))
        byte = byte * 8 + (unsigned)(text[n++] - '0');
    buf_add_byte(value, (uint8_t)byte);
    return n;
}

/* Behind the opening quote, to behind the closing one; NULL if there is none. */
static const char *read_quoted(struct buf *value, const char *text)
{
    while (*text != '\0' && *text != '"') {
        if (*text == '\\') {
            if (text[1] == '\0')
                return NULL;
            text += 1 + unescape(value, text + 1);
        } else {
            buf_add_byte(value, (uint8_t)*text++);
        }
    }
    return *text == '"' ? text + 1 : NULL;
}

bool tor_reply_value(struct buf *value, const char *text, const char *key)
{
    size_t begin = value->len;
    bool is_found = false;
    struct buf one = {0};

    while (text != NULL && *text != '\0') {
        size_t key_len = strcspn(text, "= ");
        bool is_it = key_len == strlen(key) && memcmp(text, key, key_len) == 0;

        /* Behind a word without '=' comes free text. */
        if (text[key_len] == ' ')
            break;
        if (text[key_len] == '\0') {
            text = NULL;
            break;
        }
        text += key_len + 1;
        one.len = 0;
        if (*text == '"') {
            text = read_quoted(&one, text + 1);
        } else {
            size_t len = strcspn(text, " ");

            buf_add(&one, text, len);
            text += len;
        }
        if (text != NULL && *text == ' ')
            text++;
        if (is_it) {
            value->len = begin;
            buf_add(value, one.data, one.len);
            is_found = true;
        }
    }
    if (text == NULL)
        is_found = false;
    if (!is_found)
        value->len = begin;
    (void)buf_string(value);
    buf_clear(&one);
    return is_found;
}
