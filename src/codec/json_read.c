#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "codec/json.h"

/* Items of arrays and objects still open lie on one stack, the innermost last;
 * a closed one moves to the arena. */
struct parser {
    const uint8_t *at;
    const uint8_t *end;
    struct arena *arena;
    struct json *items; /* Owned. */
    struct span *keys;  /* Owned, same index. */
    size_t items_n;
    size_t capacity;
};

static bool parse_value(struct parser *p, struct json *ret, unsigned depth);

static void skip_space(struct parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r'))
        p->at++;
}

static bool skip_char(struct parser *p, char c)
{
    skip_space(p);
    if (p->at == p->end || *p->at != (uint8_t)c)
        return false;
    p->at++;
    return true;
}

static struct span keep_text(struct parser *p, const uint8_t *data, size_t len)
{
    uint8_t *copy = arena_alloc(p->arena, len + 1);

    memcpy(copy, data, len);
    copy[len] = '\0';
    return span_of(copy, len);
}

/* --- Numbers --- */

static bool is_digit(const uint8_t *at, const uint8_t *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

static const uint8_t *skip_digits(const uint8_t *at, const uint8_t *end)
{
    while (is_digit(at, end))
        at++;
    return at;
}

/* Behind the longest number at the start, or NULL if there is none. */
static const uint8_t *skip_number(const uint8_t *at, const uint8_t *end)
{
    if (at < end && *at == '-')
        at++;
    if (!is_digit(at, end) || (*at == '0' && is_digit(at + 1, end)))
        return NULL;
    at = skip_digits(at, end);
    if (at < end && *at == '.') {
        at++;
        if (!is_digit(at, end))
            return NULL;
        at = skip_digits(at, end);
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '-' || *at == '+'))
            at++;
        if (!is_digit(at, end))
            return NULL;
        at = skip_digits(at, end);
    }
    return at;
}

bool json_is_number_text(const char *text, size_t len)
{
    const uint8_t *at = (const uint8_t *)text;

    return len > 0 && skip_number(at, at + len) == at + len;
}

static bool parse_number(struct parser *p, struct json *ret)
{
    const uint8_t *end = skip_number(p->at, p->end);

    if (end == NULL)
        return false;
    ret->type = JSON_NUMBER;
    ret->text = keep_text(p, p->at, (size_t)(end - p->at));
    p->at = end;
    return true;
}

/* --- Strings --- */

/* Behind the string's last character (at its closing quote), or NULL. */
static const uint8_t *find_quote(const uint8_t *at, const uint8_t *end)
{
    for (; at < end; at++) {
        if (*at == '"')
            return at;
        if (*at < 0x20)
            return NULL;
        if (*at == '\\' && ++at == end)
            return NULL;
    }
    return NULL;
}

static bool take_hex4(const uint8_t **at, const uint8_t *end, uint32_t *ret)
{
    uint32_t value = 0;

    if (end - *at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        uint8_t c = *(*at)++;

        if (c >= '0' && c <= '9')
            value = value << 4 | (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (uint32_t)(c - 'a' + 10);
        else if (c >= 'A' && c <= 'F')
            value = value << 4 | (uint32_t)(c - 'A' + 10);
        else
            return false;
    }
    *ret = value;
    return true;
}

/* \uXXXX; a character beyond 16 bits is two of them, a pair of surrogates. */
static bool take_escaped_unicode(const uint8_t **at, const uint8_t *end, uint32_t *ret)
{
    uint32_t low;

    if (!take_hex4(at, end, ret))
        return false;
    if (*ret < 0xd800 || *ret >= 0xe000)
        return true;
    if (*ret >= 0xdc00 || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
        return false;
    *at += 2;
    if (!take_hex4(at, end, &low) || low < 0xdc00 || low >= 0xe000)
        return false;
    *ret = 0x10000 + ((*ret - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

static bool take_escape(const uint8_t **at, const uint8_t *end, uint32_t *ret)
{
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    uint8_t c = *(*at)++; /* find_quote saw that there is one. */
    const char *found;

    if (c == 'u')
        return take_escaped_unicode(at, end, ret);
    found = c == 0 ? NULL : strchr(names, c);
    if (found == NULL)
        return false;
    *ret = (uint8_t)values[found - names];
    return true;
}

/* One character of more than a byte, in its shortest form (RFC 3629). */
static bool take_utf8(const uint8_t **at, const uint8_t *end, uint32_t *ret)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    uint8_t first = *(*at)++;
    int more;

    if (first >= 0xc2 && first < 0xe0)
        more = 1;
    else if (first >= 0xe0 && first < 0xf0)
        more = 2;
    else if (first >= 0xf0 && first < 0xf5)
        more = 3;
    else
        return false;
    if (end - *at < more)
        return false;
    *ret = first & (0x3fU >> more);
    for (int i = 0; i < more; i++) {
        uint8_t c = *(*at)++;

        if ((c & 0xc0) != 0x80)
            return false;
        *ret = *ret << 6 | (c & 0x3fU);
    }
    return *ret >= least[more] && *ret <= 0x10ffff && (*ret < 0xd800 || *ret >= 0xe000);
}

static uint8_t *put_utf8(uint8_t *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (uint8_t)c;
        return out;
    }
    if (c < 0x800) {
        *out++ = (uint8_t)(0xc0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *out++ = (uint8_t)(0xe0 | c >> 12);
        } else {
            *out++ = (uint8_t)(0xf0 | c >> 18);
            *out++ = (uint8_t)(0x80 | (c >> 12 & 0x3f));
        }
        *out++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    }
    *out++ = (uint8_t)(0x80 | (c & 0x3f));
    return out;
}

/* At an opening quote. */
static bool parse_string(struct parser *p, struct span *ret)
{
    const uint8_t *at = p->at + 1;
    const uint8_t *end = find_quote(at, p->end);
    uint8_t *text;
    uint8_t *out;

    if (end == NULL)
        return false;
    /* No escape is shorter than what it stands for. */
    text = arena_alloc(p->arena, (size_t)(end - at) + 1);
    out = text;
    while (at < end) {
        uint32_t c;

        if (*at < 0x80 && *at != '\\') {
            *out++ = *at++;
            continue;
        }
        if (*at == '\\') {
            at++;
            if (!take_escape(&at, end, &c))
                return false;
        } else if (!take_utf8(&at, end, &c)) {
            return false;
        }
        out = put_utf8(out, c);
    }
    *out = '\0';
    *ret = span_of(text, (size_t)(out - text));
    p->at = end + 1;
    return true;
}

/* --- Arrays and objects --- */

static void push_item(struct parser *p, struct span key, const struct json *item)
{
    if (p->items_n == p->capacity) {
        p->capacity = p->capacity == 0 ? 64 : 2 * p->capacity;
        p->items = realloc_array(p->items, p->capacity, sizeof(*p->items));
        p->keys = realloc_array(p->keys, p->capacity, sizeof(*p->keys));
    }
    p->items[p->items_n] = *item;
    p->keys[p->items_n] = key;
    p->items_n++;
}

static void close_items(struct parser *p, struct json *ret, size_t first)
{
    size_t count = p->items_n - first;
    struct json *items = arena_array(p->arena, count, sizeof(*items));

    if (count > 0)
        memcpy(items, p->items + first, count * sizeof(*items));
    ret->items = items;
    ret->count = (uint32_t)count;
    if (ret->type == JSON_OBJECT) {
        struct span *keys = arena_array(p->arena, count, sizeof(*keys));

        if (count > 0)
            memcpy(keys, p->keys + first, count * sizeof(*keys));
        ret->keys = keys;
    }
    p->items_n = first;
}

/* At an opening bracket or brace. */
static bool parse_items(struct parser *p, struct json *ret, unsigned depth)
{
    size_t first = p->items_n;
    bool is_object = *p->at == '{';
    char close = is_object ? '}' : ']';

    if (depth >= JSON_DEPTH_MAX)
        return false;
    p->at++;
    ret->type = is_object ? JSON_OBJECT : JSON_ARRAY;
    if (!skip_char(p, close)) {
        do {
            struct span key = {0};
            struct json item = {0};

            skip_space(p);
            if (is_object &&
                (p->at == p->end || *p->at != '"' || !parse_string(p, &key) || !skip_char(p, ':')))
                return false;
            if (!parse_value(p, &item, depth + 1))
                return false;
            push_item(p, key, &item);
        } while (skip_char(p, ','));
        if (!skip_char(p, close))
            return false;
    }
    close_items(p, ret, first);
    return true;
}

static bool parse_word(struct parser *p, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(p->end - p->at) < len || memcmp(p->at, word, len) != 0)
        return false;
    p->at += len;
    return true;
}

static bool parse_value(struct parser *p, struct json *ret, unsigned depth)
{
    skip_space(p);
    if (p->at == p->end)
        return false;
    switch (*p->at) {
    case '{':
    case '[':
        return parse_items(p, ret, depth);
    case '"':
        ret->type = JSON_STRING;
        return parse_string(p, &ret->text);
    case 'n':
        return parse_word(p, "null");
    case 't':
        ret->type = JSON_BOOL;
        ret->truth = true;
        return parse_word(p, "true");
    case 'f':
        ret->type = JSON_BOOL;
        return parse_word(p, "false");
    default:
        return parse_number(p, ret);
    }
}

int json_read(struct json *ret_value, const char *text, size_t len, struct arena *arena,
              struct error *err)
{
    const uint8_t *start = (const uint8_t *)text;
    struct parser p = {.at = start, .end = start + len, .arena = arena};
    int rc = 0;

    if (len > JSON_TEXT_MAX)
        return error_set(err, E_LIMIT, "could not read JSON: %zu bytes are too many", len);
    *ret_value = (struct json){.type = JSON_NULL};
    if (len == 0 || !parse_value(&p, ret_value, 0)) {
        rc = error_set(err, E_MALFORMED, "could not read JSON: no value at byte %zu",
                       len == 0 ? 0 : (size_t)(p.at - start));
        goto done;
    }
    skip_space(&p);
    if (p.at != p.end)
        rc = error_set(err, E_MALFORMED, "could not read JSON: more than one value, at byte %zu",
                       (size_t)(p.at - start));

done:
    free(p.items);
    free(p.keys);
    return rc;
}

/* --- Looking at values --- */

const char *json_type_name(enum json_type type)
{
    static const char *const names[] = {"null", "bool", "number", "string", "array", "object"};

    CHECK((size_t)type < ARRAY_LEN(names));
    return names[type];
}

const struct json *json_find(const struct json *object, const char *key)
{
    struct span wanted = span_of_string(key);

    if (object->type != JSON_OBJECT)
        return NULL;
    for (uint32_t i = 0; i < object->count; i++) {
        if (span_equal(object->keys[i], wanted))
            return &object->items[i];
    }
    return NULL;
}

const char *json_text(const struct json *value)
{
    if (value->type != JSON_STRING && value->type != JSON_NUMBER)
        return "";
    return (const char *)value->text.data;
}

bool json_is_string(const struct json *value, const char *text)
{
    return value->type == JSON_STRING && span_equal(value->text, span_of_string(text));
}

static bool is_integer_text(const struct json *value)
{
    return value->type == JSON_NUMBER && strpbrk(json_text(value), ".eE") == NULL;
}

bool json_get_int64(int64_t *ret, const struct json *value)
{
    if (!is_integer_text(value))
        return false;
    errno = 0;
    *ret = (int64_t)strtoimax(json_text(value), NULL, 10);
    return errno == 0;
}

bool json_get_uint64(uint64_t *ret, const struct json *value)
{
    if (!is_integer_text(value) || json_text(value)[0] == '-')
        return false;
    errno = 0;
    *ret = (uint64_t)strtoumax(json_text(value), NULL, 10);
    return errno == 0;
}

bool json_get_double(double *ret, const struct json *value)
{
    if (value->type != JSON_NUMBER)
        return false;
    *ret = strtod(json_text(value), NULL);
    return *ret <= __DBL_MAX__ && *ret >= -__DBL_MAX__;
}
