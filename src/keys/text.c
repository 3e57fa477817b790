#include "keys/text.h"

#include <string.h>

bool text_equal(struct span text, const char *want)
{
    return span_equal(text, span_of_string(want));
}

bool text_begins(struct span text, const char *want)
{
    size_t len = strlen(want);

    return text.len >= len && memcmp(text.data, want, len) == 0;
}

bool text_skip(struct span *text, const char *want)
{
    if (!text_begins(*text, want))
        return false;
    *text = text_from(*text, strlen(want));
    return true;
}

bool text_enter(struct span *text, const char *name)
{
    size_t len = strlen(name);

    if (text->len < len + 2 || memcmp(text->data, name, len) != 0 || text->data[len] != '(' ||
        text->data[text->len - 1] != ')')
        return false;
    *text = span_of(text->data + len + 1, text->len - len - 2);
    return true;
}

struct span text_take_expression(struct span *text)
{
    size_t depth = 0;
    size_t at;
    struct span taken;

    for (at = 0; at < text->len; at++) {
        char c = (char)text->data[at];
        bool closes = c == ')' || c == '}';

        if (c == '(' || c == '{')
            depth++;
        else if (closes && depth > 0)
            depth--;
        else if (depth == 0 && (closes || c == ','))
            break;
    }
    taken = span_of(text->data, at);
    *text = text_from(*text, at);
    return taken;
}

struct span text_take_part(struct span *text, char separator, bool *ret_more)
{
    const uint8_t *found =
        text->len == 0 ? NULL : memchr(text->data, (unsigned char)separator, text->len);
    struct span taken = *text;

    *ret_more = found != NULL;
    if (found == NULL) {
        *text = text_from(*text, text->len);
        return taken;
    }
    taken.len = (size_t)(found - text->data);
    *text = text_from(*text, taken.len + 1);
    return taken;
}

static bool read_digits(struct span text, uint64_t limit, uint64_t *ret_number)
{
    uint64_t number = 0;

    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint64_t digit = (uint64_t)(text.data[i] - '0');

        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        if (number > (limit - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *ret_number = number;
    return true;
}

bool text_read_u32(struct span text, uint32_t *ret_number)
{
    uint64_t number;

    if (!read_digits(text, UINT32_MAX, &number))
        return false;
    *ret_number = (uint32_t)number;
    return true;
}

bool text_read_i64(struct span text, int64_t *ret_number)
{
    bool is_negative = text_skip(&text, "-");
    uint64_t number;

    if (!read_digits(text, INT64_MAX, &number))
        return false;
    *ret_number = is_negative ? -(int64_t)number : (int64_t)number;
    return true;
}

bool text_is_hex(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = (char)text.data[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return false;
    }
    return text.len > 0 && text.len % 2 == 0;
}
