#include "codec/reader.h"

void reader_init(struct reader *r, const void *data, size_t len)
{
    *r = (struct reader){.at = data, .left = len, .rc = 0};
}

int reader_fail(struct reader *r, int rc)
{
    if (r->rc == 0)
        r->rc = rc;
    r->left = 0;
    return r->rc;
}

int reader_fail_why(struct reader *r, int rc, const char *why)
{
    if (r->rc == 0)
        r->why = why;
    return reader_fail(r, rc);
}

struct span read_span(struct reader *r, size_t len)
{
    struct span span;

    if (r->rc < 0 || r->left < len) {
        (void)reader_fail(r, E_TRUNCATED);
        return span_of(NULL, 0);
    }
    span = span_of(r->at, len);
    r->at += len;
    r->left -= len;
    return span;
}

void read_bytes(struct reader *r, uint8_t *ret_data, size_t len)
{
    struct span span = read_span(r, len);

    if (span.len == len && len > 0)
        memcpy(ret_data, span.data, len);
    else
        memset(ret_data, 0, len);
}

uint8_t read_u8(struct reader *r)
{
    struct span s = read_span(r, 1);

    return s.len == 1 ? s.data[0] : 0;
}

uint16_t read_le16(struct reader *r)
{
    struct span s = read_span(r, 2);

    return s.len == 2 ? get_le16(s.data) : 0;
}

uint32_t read_le32(struct reader *r)
{
    struct span s = read_span(r, 4);

    return s.len == 4 ? get_le32(s.data) : 0;
}

uint64_t read_le64(struct reader *r)
{
    struct span s = read_span(r, 8);

    return s.len == 8 ? get_le64(s.data) : 0;
}

uint64_t read_compact_size(struct reader *r)
{
    uint8_t first = read_u8(r);
    uint64_t value;
    uint64_t least;

    if (first < 0xfd)
        return first;
    if (first == 0xfd) {
        value = read_le16(r);
        least = 0xfd;
    } else if (first == 0xfe) {
        value = read_le32(r);
        least = 0x10000;
    } else {
        value = read_le64(r);
        least = 0x100000000;
    }
    if (r->rc == 0 && value < least)
        (void)reader_fail(r, E_MALFORMED);
    return r->rc == 0 ? value : 0;
}

uint32_t read_length(struct reader *r)
{
    uint64_t value = read_compact_size(r);

    if (value > COMPACT_SIZE_MAX) {
        (void)reader_fail(r, E_MALFORMED);
        return 0;
    }
    return (uint32_t)value;
}

struct span read_var_bytes(struct reader *r)
{
    uint32_t len = read_length(r);

    return read_span(r, len);
}
