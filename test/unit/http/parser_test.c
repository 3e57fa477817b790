/* HTTP requests: what is taken, what is refused, however the bytes are cut. */
#include <stdlib.h>

#include "base/alloc.h"
#include "http/parser.h"
#include "test.h"

static const struct {
    const char *label;
    const char *bytes;
    enum http_parse outcome;
    const char *body; /* Of a request that is ready. */
} rows[] = {
    {"get", "GET / HTTP/1.1\r\n\r\n", HTTP_READY, ""},
    {"bare line feeds", "GET / HTTP/1.1\nHost: a\n\n", HTTP_READY, ""},
    {"old version", "GET / HTTP/1.0\r\n\r\n", HTTP_READY, ""},
    {"body", "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", HTTP_READY, "abc"},
    {"empty body", "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", HTTP_READY, ""},
    {"the same length twice",
     "POST / HTTP/1.1\r\nContent-Length: 3\r\ncontent-length: 3\r\n\r\nabc", HTTP_READY, "abc"},
    {"chunks",
     "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
     "2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n",
     HTTP_READY, "abc"},
    {"chunks before length",
     "POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
     "3\r\nabc\r\n0\r\n\r\n",
     HTTP_READY, "abc"},
    {"chunks with trailer",
     "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\n\r\n", HTTP_READY,
     "a"},
    {"cut line", "GET / HT", HTTP_MORE, NULL},
    {"cut headers", "GET / HTTP/1.1\r\nHost: a\r\n", HTTP_MORE, NULL},
    {"cut body", "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab", HTTP_MORE, NULL},
    {"cut chunk", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", HTTP_MORE, NULL},
    {"no version", "GET / \r\n\r\n", HTTP_BAD, NULL},
    {"two words", "GET /\r\n\r\n", HTTP_BAD, NULL},
    {"version too new", "GET / HTTP/9.9\r\n\r\n", HTTP_BAD, NULL},
    {"version with two digits", "GET / HTTP/1.11\r\n\r\n", HTTP_BAD, NULL},
    {"another protocol", "GET / NOTHTTP/1.1\r\n\r\n", HTTP_BAD, NULL},
    {"four words", "GET / x HTTP/1.1\r\n\r\n", HTTP_BAD, NULL},
    {"space before colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", HTTP_BAD, NULL},
    {"folded header", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", HTTP_BAD, NULL},
    {"no colon", "GET / HTTP/1.1\r\nHost\r\n\r\n", HTTP_BAD, NULL},
    {"no name", "GET / HTTP/1.1\r\n: a\r\n\r\n", HTTP_BAD, NULL},
    {"bare return", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", HTTP_BAD, NULL},
    {"two lengths", "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
     HTTP_BAD, NULL},
    {"length with sign", "POST / HTTP/1.1\r\nContent-Length: +3\r\n\r\nabc", HTTP_BAD, NULL},
    {"length with tail", "POST / HTTP/1.1\r\nContent-Length: 3x\r\n\r\nabc", HTTP_BAD, NULL},
    {"other encoding", "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", HTTP_BAD, NULL},
    {"bad chunk size", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", HTTP_BAD,
     NULL},
    {"bytes behind a chunk", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
     HTTP_BAD, NULL},
    {"length over the limit", "POST / HTTP/1.1\r\nContent-Length: 33554433\r\n\r\n", HTTP_TOO_LARGE,
     NULL},
    {"chunk over the limit", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2000001\r\n",
     HTTP_TOO_LARGE, NULL},
};

static void check(const char *label, const char *bytes, size_t len, size_t step,
                  enum http_parse outcome, const char *body)
{
    struct http_parser parser;
    enum http_parse got = HTTP_MORE;
    size_t at = 0;

    http_parser_init(&parser);
    while (got == HTTP_MORE && at < len) {
        size_t n = step < len - at ? step : len - at;
        size_t used;

        got = http_parser_feed(&parser, (const uint8_t *)bytes + at, n, &used);
        EXPECT_TRUE(label, used <= n);
        at += used;
    }
    EXPECT_INT(label, got, outcome);
    if (body != NULL)
        EXPECT_BYTES(label, parser.body.data, parser.body.len, body, strlen(body));
    http_parser_clear(&parser);
}

static void requests_are_judged_alike_however_cut(void)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t len = strlen(rows[i].bytes);

        for (size_t step = 1; step <= len; step++)
            check(rows[i].label, rows[i].bytes, len, step, rows[i].outcome, rows[i].body);
    }
}

static void zero_bytes_are_refused(void)
{
    static const char in_target[] = "GET /a\0/b HTTP/1.1\r\n\r\n";
    static const char in_header[] = "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n";

    check("target", in_target, sizeof(in_target) - 1, 7, HTTP_BAD, NULL);
    check("header", in_header, sizeof(in_header) - 1, 7, HTTP_BAD, NULL);
}

static void heads_have_a_limit(void)
{
    struct buf bytes = {0};

    buf_add_string(&bytes, "GET /");
    while (bytes.len < HTTP_HEAD_BYTES_MAX - 100)
        buf_add_byte(&bytes, 'x');
    buf_add_string(&bytes, " HTTP/1.1\r\n\r\n");
    check("a long target", (const char *)bytes.data, bytes.len, 1000, HTTP_READY, "");
    bytes.len = 0;
    buf_add_string(&bytes, "GET /");
    while (bytes.len < HTTP_HEAD_BYTES_MAX + 100)
        buf_add_byte(&bytes, 'x');
    check("too long a target", (const char *)bytes.data, bytes.len, 1000, HTTP_BAD, NULL);
    bytes.len = 0;
    buf_add_string(&bytes, "GET / HTTP/1.1\r\n");
    for (size_t i = 0; i < HTTP_HEAD_BYTES_MAX / 4; i++)
        buf_add_string(&bytes, "a: b\r\n");
    check("too many headers", (const char *)bytes.data, bytes.len, 1000, HTTP_BAD, NULL);
    buf_clear(&bytes);
}

static void one_request_ends_where_the_next_begins(void)
{
    static const char bytes[] = "POST /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi"
                                "GET /b HTTP/1.1\r\n\r\n";
    struct http_parser parser;
    size_t used;
    size_t more;

    http_parser_init(&parser);
    EXPECT_INT("first", http_parser_feed(&parser, (const uint8_t *)bytes, sizeof(bytes) - 1, &used),
               HTTP_READY);
    EXPECT_STR("first", parser.target, "/a");
    http_parser_reset(&parser);
    EXPECT_INT(
        "second",
        http_parser_feed(&parser, (const uint8_t *)bytes + used, sizeof(bytes) - 1 - used, &more),
        HTTP_READY);
    EXPECT_STR("second", parser.target, "/b");
    EXPECT_U64("second", parser.body.len, 0);
    EXPECT_U64("all", used + more, sizeof(bytes) - 1);
    http_parser_clear(&parser);
}

static const struct {
    const char *bytes;
    bool keeps;
} keep_rows[] = {
    {"GET / HTTP/1.1\r\n\r\n", true},
    {"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", false},
    {"GET / HTTP/1.1\r\nconnection: CLOSE\r\n\r\n", false},
    {"GET / HTTP/1.0\r\n\r\n", false},
    {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
};

static void connections_stay_as_asked(void)
{
    for (size_t i = 0; i < ARRAY_LEN(keep_rows); i++) {
        struct http_parser parser;
        size_t used;

        http_parser_init(&parser);
        (void)http_parser_feed(&parser, (const uint8_t *)keep_rows[i].bytes,
                               strlen(keep_rows[i].bytes), &used);
        EXPECT_INT(keep_rows[i].bytes, http_parser_keeps_alive(&parser), keep_rows[i].keeps);
        http_parser_clear(&parser);
    }
}

TEST_LIST(TEST(requests_are_judged_alike_however_cut), TEST(zero_bytes_are_refused),
          TEST(heads_have_a_limit), TEST(one_request_ends_where_the_next_begins),
          TEST(connections_stay_as_asked))
