/* Reading HTTP/1.x requests (RFC 9110, 9112), without input or output: bytes go
 * in as they come, requests come out. Strict where leniency would let two
 * readers of the same bytes see different requests.
 *
 * One owner at a time.
 */
#ifndef HTTP_PARSER_H
#define HTTP_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define HTTP_HEAD_BYTES_MAX 8192U /* Of the request line, and of all header lines. */
#define HTTP_BODY_BYTES_MAX (32U << 20)

enum http_parse {
    HTTP_MORE,     /* The request is not complete. */
    HTTP_READY,    /* It is; call http_parser_reset before feeding on. */
    HTTP_BAD,      /* Not a request we accept: answer 400 and close. */
    HTTP_TOO_LARGE /* The body is: answer 413 and close. */
};

enum http_parser_state {
    HTTP_AT_LINE,
    HTTP_AT_HEADERS,
    HTTP_AT_BODY,
    HTTP_AT_CHUNK_SIZE,
    HTTP_AT_CHUNK,
    HTTP_AT_CHUNK_END,
    HTTP_AT_TRAILER,
    HTTP_AT_END
};

struct http_parser {
    enum http_parser_state state;
    enum http_parse outcome; /* Sticky once it is not HTTP_MORE. */
    struct buf line;         /* The line being read, without its end. */
    struct buf head;         /* "name\0value\0" for each header. */
    struct buf body;
    size_t head_used; /* Bytes of header lines so far. */
    uint64_t left;    /* Of the body or the chunk. */
    char *method;     /* Owned; "" before the request line is read. */
    char *target;
    int minor_version;
};

void http_parser_init(struct http_parser *parser);
void http_parser_clear(struct http_parser *parser);
/* For the next request on the same connection. */
void http_parser_reset(struct http_parser *parser);

/* Takes bytes up to the end of one request. *ret_used: how many it took. */
enum http_parse http_parser_feed(struct http_parser *parser, const uint8_t *data, size_t len,
                                 size_t *ret_used);

/* The first header of that name (any case); NULL: none. */
const char *http_parser_header(const struct http_parser *parser, const char *name);

/* Does the client want the connection to stay open after the reply? */
bool http_parser_keeps_alive(const struct http_parser *parser);

#endif /* HTTP_PARSER_H */
