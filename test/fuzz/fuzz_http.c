/* Target: HTTP requests. However the bytes are cut, the outcome, the body and the
 * end of the request are the same. The first byte says how to cut. */
#include <string.h>

#include "base/check.h"
#include "http/parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static enum http_parse feed(struct http_parser *parser, const uint8_t *data, size_t len,
                            size_t step, size_t *ret_used)
{
    enum http_parse outcome = HTTP_MORE;
    size_t at = 0;

    http_parser_init(parser);
    while (outcome == HTTP_MORE && at < len) {
        size_t n = step < len - at ? step : len - at;
        size_t used;

        outcome = http_parser_feed(parser, data + at, n, &used);
        CHECK(used <= n);
        CHECK(outcome != HTTP_MORE || used == n);
        at += used;
    }
    *ret_used = at;
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct http_parser whole;
    struct http_parser cut;
    enum http_parse outcome;
    size_t used;
    size_t used_cut;
    size_t step;

    if (len == 0)
        return 0;
    step = (size_t)data[0] % 64 + 1;
    data++;
    len--;
    outcome = feed(&whole, data, len, len + 1, &used);
    CHECK(feed(&cut, data, len, step, &used_cut) == outcome);
    if (outcome == HTTP_READY) {
        CHECK(used == used_cut);
        CHECK(whole.body.len == cut.body.len && whole.body.len <= HTTP_BODY_BYTES_MAX);
        CHECK(whole.body.len == 0 || memcmp(whole.body.data, cut.body.data, whole.body.len) == 0);
        CHECK(strcmp(whole.method, cut.method) == 0 && strcmp(whole.target, cut.target) == 0);
    }
    http_parser_clear(&whole);
    http_parser_clear(&cut);
    return 0;
}
