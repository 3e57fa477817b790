/* The format. Bits are taken from each byte lowest first. Instructions:
 *
 *   0    RETURN asn     the answer
 *   10   JUMP offset    looks at the next bit of the address; 1: goes offset bits on
 *   110  MATCH pattern  looks at as many bits as the pattern has behind its first one;
 *                       any other: the default is the answer
 *   111  DEFAULT asn    sets the default (0 at the start)
 *
 * Numbers come in classes of growing width: a 1 for each class skipped, a 0 (none in the
 * last class), then the place inside the class, highest bit first.
 */
#include "p2p/asmap.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "crypto/sha256.h"

#define ADDRESS_BITS 128
#define BROKEN UINT32_MAX /* No number: the data ended inside it. */

struct asmap {
    size_t bits;
    uint8_t version[SHA256_BYTES];
    size_t len;
    uint8_t data[];
};

struct cursor {
    const uint8_t *data;
    size_t at; /* Bits. */
    size_t end;
};

enum op { OP_RETURN, OP_JUMP, OP_MATCH, OP_DEFAULT, OP_BROKEN };

/* The next bit, or -1 at the end. */
static int next_bit(struct cursor *c)
{
    int bit;

    if (c->at >= c->end)
        return -1;
    bit = c->data[c->at / 8] >> (c->at % 8) & 1;
    c->at++;
    return bit;
}

/* Classes have first_width, first_width + 1, ... last_width bits. */
static uint32_t read_number(struct cursor *c, uint32_t least, unsigned first_width,
                            unsigned last_width)
{
    uint32_t value = least;

    for (unsigned width = first_width; width <= last_width; width++) {
        int goes_on = width == last_width ? 0 : next_bit(c);

        if (goes_on < 0)
            return BROKEN;
        if (goes_on == 1) {
            value += 1U << width;
            continue;
        }
        for (unsigned left = width; left > 0; left--) {
            int bit = next_bit(c);

            if (bit < 0)
                return BROKEN;
            value += (uint32_t)bit << (left - 1);
        }
        break;
    }
    return value;
}

static enum op read_op(struct cursor *c)
{
    int first = next_bit(c);
    int second;
    int third;

    if (first <= 0)
        return first < 0 ? OP_BROKEN : OP_RETURN;
    second = next_bit(c);
    if (second <= 0)
        return second < 0 ? OP_BROKEN : OP_JUMP;
    third = next_bit(c);
    if (third < 0)
        return OP_BROKEN;
    return third == 0 ? OP_MATCH : OP_DEFAULT;
}

static uint32_t read_asn(struct cursor *c)
{
    return read_number(c, 1, 15, 24);
}

static uint32_t read_pattern(struct cursor *c)
{
    return read_number(c, 2, 1, 8);
}

static uint32_t read_offset(struct cursor *c)
{
    return read_number(c, 17, 5, 30);
}

/* How many bits a pattern (2 to 511) asks for. */
static unsigned pattern_bits(uint32_t pattern)
{
    return 31U - (unsigned)__builtin_clz(pattern);
}

/* --- Checking --- */

struct walk {
    struct cursor c;
    unsigned bits_left; /* Of the address. */
    enum op last;       /* A place that was jumped to counts as behind a jump. */
    bool had_short_match;
    /* Where the ones of open jumps lead, and the bits left there. Each took one bit of
     * the address, so there are no more than it has. */
    struct {
        size_t at;
        unsigned bits_left;
    } jumps[ADDRESS_BITS];
    unsigned jumps_n;
};

static bool check_padding(struct cursor *c)
{
    if (c->end - c->at > 7)
        return false;
    while (c->at < c->end) {
        if (next_bit(c) != 0)
            return false;
    }
    return true;
}

/* Behind a RETURN the walk goes on where the innermost jump leads: right here, or some
 * bits are never reached. */
static bool check_return(struct walk *w)
{
    if (w->last == OP_DEFAULT || read_asn(&w->c) == BROKEN)
        return false;
    if (w->jumps_n == 0)
        return true;
    w->jumps_n--;
    w->bits_left = w->jumps[w->jumps_n].bits_left;
    w->last = OP_JUMP;
    return w->c.at == w->jumps[w->jumps_n].at;
}

static bool check_jump(struct walk *w)
{
    uint32_t offset = read_offset(&w->c);
    size_t to = w->c.at + offset;

    if (offset == BROKEN || to > w->c.end || w->bits_left == 0)
        return false;
    if (w->jumps_n > 0 && to >= w->jumps[w->jumps_n - 1].at)
        return false;
    w->bits_left--;
    w->jumps[w->jumps_n].at = to;
    w->jumps[w->jumps_n].bits_left = w->bits_left;
    w->jumps_n++;
    w->last = OP_JUMP;
    return true;
}

/* In a row of matches only one may be shorter than the longest there is. */
static bool check_match(struct walk *w)
{
    uint32_t pattern = read_pattern(&w->c);
    unsigned bits;

    if (pattern == BROKEN)
        return false;
    bits = pattern_bits(pattern);
    if (w->last != OP_MATCH)
        w->had_short_match = false;
    if ((bits < 8 && w->had_short_match) || w->bits_left < bits)
        return false;
    w->had_short_match = bits < 8;
    w->bits_left -= bits;
    w->last = OP_MATCH;
    return true;
}

static bool check_default(struct walk *w)
{
    if (w->last == OP_DEFAULT || read_asn(&w->c) == BROKEN)
        return false;
    w->last = OP_DEFAULT;
    return true;
}

static bool is_sane(struct span data)
{
    struct walk w = {
        .c = {.data = data.data, .end = data.len * 8},
        .bits_left = ADDRESS_BITS,
        .last = OP_JUMP,
    };

    while (w.c.at < w.c.end) {
        bool was_last = w.jumps_n == 0;
        bool is_right = false;
        enum op op;

        if (w.jumps_n > 0 && w.c.at >= w.jumps[w.jumps_n - 1].at)
            return false;
        op = read_op(&w.c);
        switch (op) {
        case OP_RETURN:
            is_right = check_return(&w);
            if (is_right && was_last)
                return check_padding(&w.c);
            break;
        case OP_JUMP:
            is_right = check_jump(&w);
            break;
        case OP_MATCH:
            is_right = check_match(&w);
            break;
        case OP_DEFAULT:
            is_right = check_default(&w);
            break;
        case OP_BROKEN:
            break;
        }
        if (!is_right)
            return false;
    }
    return false;
}

/* --- Making --- */

int asmap_new(struct asmap **ret_asmap, struct span data, struct error *err)
{
    struct asmap *asmap;

    if (data.len > ASMAP_BYTES_MAX)
        return error_set(err, E_LIMIT, "an asmap has at most %zu bytes", ASMAP_BYTES_MAX);
    if (!is_sane(data))
        return error_set(err, E_MALFORMED, "this is no sane asmap");
    asmap = alloc(sizeof(*asmap) + data.len);
    asmap->len = data.len;
    asmap->bits = data.len * 8;
    memcpy(asmap->data, data.data, data.len);
    sha256d(asmap->version, data.data, data.len);
    *ret_asmap = asmap;
    return 0;
}

void asmap_free(struct asmap *own_asmap)
{
    free(own_asmap);
}

int asmap_load(struct asmap **ret_asmap, struct disk *disk, const char *path, struct error *err)
{
    struct buf data = {0};
    int rc;

    rc = disk_read_file(disk, &data, path, ASMAP_BYTES_MAX, err);
    if (rc < 0) {
        log_warning("net", "Failed to open asmap file from disk");
        goto done;
    }
    log_info("net", "Opened asmap file \"%s\" (%zu bytes) from disk", path, data.len);
    rc = asmap_new(ret_asmap, span_of_buf(&data), err);
    if (rc < 0)
        log_warning("net", "Sanity check of asmap file \"%s\" failed", path);
done:
    buf_clear(&data);
    return rc;
}

/* --- Asking --- */

static unsigned address_bit(const uint8_t *ip, unsigned at)
{
    return ip[at / 8] >> (7 - at % 8) & 1U;
}

static uint32_t run(const struct asmap *asmap, const uint8_t *ip)
{
    struct cursor c = {.data = asmap->data, .end = asmap->bits};
    uint32_t fallback = 0;
    unsigned at = 0;

    for (;;) {
        uint32_t value;
        unsigned bits;

        switch (read_op(&c)) {
        case OP_RETURN:
            return read_asn(&c);
        case OP_JUMP:
            value = read_offset(&c);
            if (address_bit(ip, at++) != 0)
                c.at += value;
            break;
        case OP_MATCH:
            value = read_pattern(&c);
            for (bits = pattern_bits(value); bits > 0; bits--) {
                if (address_bit(ip, at++) != (value >> (bits - 1) & 1))
                    return fallback;
            }
            break;
        case OP_DEFAULT:
            fallback = read_asn(&c);
            break;
        case OP_BROKEN:
            CHECK_NEVER("a checked asmap does not end like this");
        }
    }
}

uint32_t asmap_find(const struct asmap *asmap, const struct net_address *address)
{
    enum net_kind class;
    uint8_t ip[NET_ADDRESS_BYTES_MAX];
    uint32_t ipv4;

    if (asmap == NULL)
        return 0;
    class = net_address_class(address);
    if (class != NET_IPV4 && class != NET_IPV6)
        return 0;
    (void)net_address_key(ip, address, false);
    if (net_address_linked_ipv4(&ipv4, address)) {
        memset(ip, 0, 10);
        memset(ip + 10, 0xff, 2);
        put_be32(ip + 12, ipv4);
    }
    return run(asmap, ip);
}

struct net_group asmap_group(const struct asmap *asmap, const struct net_address *address)
{
    return net_group_of(address, asmap_find(asmap, address));
}

void asmap_version(uint8_t *ret_version, const struct asmap *asmap)
{
    memset(ret_version, 0, SHA256_BYTES);
    if (asmap != NULL)
        memcpy(ret_version, asmap->version, SHA256_BYTES);
}
