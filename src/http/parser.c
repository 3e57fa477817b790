#include "http/parser.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/check.h"

#define METHOD_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~"

void http_parser_init(struct http_parser *parser)
{
    *parser = (struct http_parser){.outcome = HTTP_MORE};
}

void http_parser_clear(struct http_parser *parser)
{
    buf_clear(&parser->line);
    buf_clear(&parser->head);
    buf_clear(&parser->body);
    free(parser->method);
    free(parser->target);
    http_parser_init(parser);
}

void http_parser_reset(struct http_parser *parser)
{
    /* Buffers stay for the next request, unless a large one made them large. */
    struct buf line = parser->line;
    struct buf head = parser->head;

    buf_clear(&parser->body);
    free(parser->method);
    free(parser->target);
    http_parser_init(parser);
    line.len = 0;
    head.len = 0;
    parser->line = line;
    parser->head = head;
}

const char *http_parser_header(const struct http_parser *parser, const char *name)
{
    const char *at = (const char *)parser->head.data;
    const char *end = at == NULL ? NULL : at + parser->head.len;

    while (at != end) {
        const char *value = at + strlen(at) + 1;

        if (strcasecmp(at, name) == 0)
            return value;
        at = value + strlen(value) + 1;
    }
    return NULL;
}

bool http_parser_keeps_alive(const struct http_parser *parser)
{
    const char *connection = http_parser_header(parser, "Connection");

    if (parser->minor_version == 0)
        return connection != NULL && strcasecmp(connection, "keep-alive") == 0;
    return connection == NULL || strcasecmp(connection, "close") != 0;
}

static enum http_parse end_with(struct http_parser *parser, enum http_parse outcome)
{
    parser->outcome = outcome;
    parser->state = HTTP_AT_END;
    return outcome;
}

/* METHOD SP target SP HTTP/1.n: exactly one space each. */
static bool take_request_line(struct http_parser *parser, const char *line)
{
    size_t method_len = strspn(line, METHOD_CHARS);
    const char *target = line + method_len + 1;
    const char *version;
    size_t target_len;

    if (method_len == 0 || line[method_len] != ' ')
        return false;
    target_len = strcspn(target, " ");
    if (target_len == 0 || target[target_len] != ' ')
        return false;
    version = target + target_len + 1;
    if (strncmp(version, "HTTP/1.", 7) != 0 || version[7] < '0' || version[7] > '9' ||
        version[8] != '\0')
        return false;
    parser->minor_version = version[7] - '0';
    parser->method = alloc_printf("%.*s", (int)method_len, line);
    parser->target = alloc_printf("%.*s", (int)target_len, target);
    return true;
}

static bool take_header(struct http_parser *parser, const char *line, bool keep)
{
    const char *colon = strchr(line, ':');
    const char *value;
    size_t value_len;

    /* A name that ends or begins in space (or a folded line) is how requests are
     * smuggled past a proxy: RFC 9112, 5.1 and 5.2. */
    if (colon == NULL || colon == line || strcspn(line, " \t\v\f") < (size_t)(colon - line))
        return false;
    value = colon + 1 + strspn(colon + 1, " \t");
    value_len = strlen(value);
    while (value_len > 0 && (value[value_len - 1] == ' ' || value[value_len - 1] == '\t'))
        value_len--;
    if (!keep)
        return true;
    buf_add(&parser->head, line, (size_t)(colon - line));
    buf_add_byte(&parser->head, 0);
    buf_add(&parser->head, value, value_len);
    buf_add_byte(&parser->head, 0);
    return true;
}

/* Digits only, no sign, no spaces; false also when it does not fit. */
static bool read_number(const char *text, int base, uint64_t *ret_value)
{
    const char *digits = base == 16 ? "0123456789abcdefABCDEF" : "0123456789";
    size_t len = strspn(text, digits);

    if (len == 0 || len > 15 || text[len] != '\0')
        return false;
    *ret_value = strtoull(text, NULL, base);
    return true;
}

/* All Content-Length headers must say the same. */
static bool find_length(const struct http_parser *parser, const char **ret_length)
{
    const char *at = (const char *)parser->head.data;
    const char *end = at == NULL ? NULL : at + parser->head.len;

    *ret_length = NULL;
    while (at != end) {
        const char *value = at + strlen(at) + 1;

        if (strcasecmp(at, "Content-Length") == 0) {
            if (*ret_length != NULL && strcmp(*ret_length, value) != 0)
                return false;
            *ret_length = value;
        }
        at = value + strlen(value) + 1;
    }
    return true;
}

/* The empty line came: is there a body? */
static enum http_parse end_headers(struct http_parser *parser)
{
    const char *encoding = http_parser_header(parser, "Transfer-Encoding");
    const char *length;

    if (encoding != NULL) {
        if (strcasecmp(encoding, "chunked") != 0)
            return end_with(parser, HTTP_BAD);
        parser->state = HTTP_AT_CHUNK_SIZE;
        return HTTP_MORE;
    }
    if (!find_length(parser, &length))
        return end_with(parser, HTTP_BAD);
    if (length == NULL)
        return end_with(parser, HTTP_READY);
    if (!read_number(length, 10, &parser->left))
        return end_with(parser, HTTP_BAD);
    if (parser->left > HTTP_BODY_BYTES_MAX)
        return end_with(parser, HTTP_TOO_LARGE);
    parser->state = HTTP_AT_BODY;
    return parser->left == 0 ? end_with(parser, HTTP_READY) : HTTP_MORE;
}

static enum http_parse take_chunk_size(struct http_parser *parser, char *line)
{
    char *text = line + strspn(line, " \t");
    size_t len = strcspn(text, "; \t");

    text[len] = '\0'; /* Extensions are allowed and passed over. */
    if (!read_number(text, 16, &parser->left))
        return end_with(parser, HTTP_BAD);
    if (parser->left > HTTP_BODY_BYTES_MAX - parser->body.len)
        return end_with(parser, HTTP_TOO_LARGE);
    parser->state = parser->left == 0 ? HTTP_AT_TRAILER : HTTP_AT_CHUNK;
    return HTTP_MORE;
}

static enum http_parse take_line(struct http_parser *parser)
{
    size_t len = parser->line.len;
    char *line;

    if (len > 0 && parser->line.data[len - 1] == '\r')
        parser->line.len = --len;
    if (len > 0 && (memchr(parser->line.data, '\0', len) != NULL ||
                    memchr(parser->line.data, '\r', len) != NULL))
        return end_with(parser, HTTP_BAD);
    (void)buf_string(&parser->line);
    line = (char *)parser->line.data;
    parser->line.len = 0;
    switch (parser->state) {
    case HTTP_AT_LINE:
        if (!take_request_line(parser, line))
            return end_with(parser, HTTP_BAD);
        parser->state = HTTP_AT_HEADERS;
        return HTTP_MORE;
    case HTTP_AT_HEADERS:
    case HTTP_AT_TRAILER:
        if (len == 0)
            return parser->state == HTTP_AT_HEADERS ? end_headers(parser)
                                                    : end_with(parser, HTTP_READY);
        if (!take_header(parser, line, parser->state == HTTP_AT_HEADERS))
            return end_with(parser, HTTP_BAD);
        return HTTP_MORE;
    case HTTP_AT_CHUNK_SIZE:
        return take_chunk_size(parser, line);
    case HTTP_AT_CHUNK_END:
        if (len != 0)
            return end_with(parser, HTTP_BAD);
        parser->state = HTTP_AT_CHUNK_SIZE;
        return HTTP_MORE;
    default:
        break;
    }
    CHECK_NEVER("a line where none is read");
    return HTTP_BAD;
}

/* Bytes of a body, counted off. */
static size_t take_body(struct http_parser *parser, const uint8_t *data, size_t len)
{
    size_t n = parser->left < len ? (size_t)parser->left : len;

    buf_add(&parser->body, data, n);
    parser->left -= n;
    if (parser->left > 0)
        return n;
    if (parser->state == HTTP_AT_CHUNK)
        parser->state = HTTP_AT_CHUNK_END;
    else
        (void)end_with(parser, HTTP_READY);
    return n;
}

/* Bytes of a line. */
static size_t take_text(struct http_parser *parser, const uint8_t *data, size_t len)
{
    const uint8_t *end = memchr(data, '\n', len);
    size_t n = end == NULL ? len : (size_t)(end - data) + 1;

    if (parser->state != HTTP_AT_LINE && parser->state != HTTP_AT_CHUNK_END &&
        parser->state != HTTP_AT_CHUNK_SIZE)
        parser->head_used += n;
    if (parser->line.len + n > HTTP_HEAD_BYTES_MAX || parser->head_used > HTTP_HEAD_BYTES_MAX) {
        (void)end_with(parser, HTTP_BAD);
        return n;
    }
    buf_add(&parser->line, data, end == NULL ? n : n - 1);
    if (end != NULL)
        (void)take_line(parser);
    return n;
}

enum http_parse http_parser_feed(struct http_parser *parser, const uint8_t *data, size_t len,
                                 size_t *ret_used)
{
    size_t used = 0;

    while (parser->outcome == HTTP_MORE && used < len) {
        bool is_body = parser->state == HTTP_AT_BODY || parser->state == HTTP_AT_CHUNK;

        used += is_body ? take_body(parser, data + used, len - used)
                        : take_text(parser, data + used, len - used);
    }
    *ret_used = used;
    return parser->outcome;
}
