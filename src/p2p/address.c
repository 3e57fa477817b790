#include "p2p/address.h"

#include <string.h>

#include "base/check.h"
#include "codec/writer.h"
#include "crypto/sha256.h"

static const uint8_t mapped_ipv4[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
static const uint8_t mapped_tor_v2[6] = {0xfd, 0x87, 0xd8, 0x7e, 0xeb, 0x43};
static const uint8_t mapped_internal[6] = {0xfd, 0x6b, 0x88, 0xc0, 0x87, 0x24};

#define CJDNS_FIRST_BYTE 0xfc
#define INTERNAL_BYTES 10

/* BIP155, "Specification": the ids of networks. */
static const struct {
    uint8_t id;
    uint8_t len;
} bip155[NET_COUNT] = {
    [NET_IPV4] = {1, 4}, [NET_IPV6] = {2, 16},  [NET_ONION] = {4, 32},
    [NET_I2P] = {5, 32}, [NET_CJDNS] = {6, 16},
};

static struct net_address make(enum net_kind net, const uint8_t *bytes, size_t len, uint16_t port)
{
    struct net_address address = {.net = net, .len = (uint8_t)len, .port = port};

    memcpy(address.bytes, bytes, len);
    return address;
}

struct net_address net_address_ipv4(const uint8_t *bytes4, uint16_t port)
{
    return make(NET_IPV4, bytes4, 4, port);
}

struct net_address net_address_ipv6(const uint8_t *bytes16, uint32_t scope, uint16_t port)
{
    static const uint8_t none[16];
    struct net_address address;

    if (memcmp(bytes16, mapped_ipv4, sizeof(mapped_ipv4)) == 0)
        return net_address_ipv4(bytes16 + sizeof(mapped_ipv4), port);
    if (memcmp(bytes16, mapped_internal, sizeof(mapped_internal)) == 0)
        return make(NET_INTERNAL, bytes16 + sizeof(mapped_internal), INTERNAL_BYTES, port);
    if (memcmp(bytes16, mapped_tor_v2, sizeof(mapped_tor_v2)) == 0)
        return make(NET_IPV6, none, sizeof(none), port);
    address = make(NET_IPV6, bytes16, 16, port);
    address.scope = scope;
    return address;
}

struct net_address net_address_onion(const uint8_t *key, uint16_t port)
{
    return make(NET_ONION, key, 32, port);
}

struct net_address net_address_i2p(const uint8_t *hash, uint16_t port)
{
    return make(NET_I2P, hash, 32, port);
}

struct net_address net_address_internal(const char *name)
{
    uint8_t hash[SHA256_BYTES];

    CHECK(name[0] != '\0');
    sha256(hash, name, strlen(name));
    return make(NET_INTERNAL, hash, INTERNAL_BYTES, 0);
}

void net_address_to_cjdns(struct net_address *address)
{
    if (address->net == NET_IPV6 && address->bytes[0] == CJDNS_FIRST_BYTE)
        address->net = NET_CJDNS;
}

/* --- Bytes --- */

static size_t write_key(uint8_t *ret_key, const struct net_address *address)
{
    size_t len = 16;

    memset(ret_key, 0, 16);
    switch (address->net) {
    case NET_IPV4:
        memcpy(ret_key, mapped_ipv4, sizeof(mapped_ipv4));
        memcpy(ret_key + sizeof(mapped_ipv4), address->bytes, 4);
        break;
    case NET_INTERNAL:
        memcpy(ret_key, mapped_internal, sizeof(mapped_internal));
        memcpy(ret_key + sizeof(mapped_internal), address->bytes, INTERNAL_BYTES);
        break;
    case NET_IPV6:
    case NET_ONION:
    case NET_I2P:
    case NET_CJDNS:
        len = address->len;
        memcpy(ret_key, address->bytes, len);
        break;
    case NET_UNROUTABLE:
    case NET_COUNT:
        break;
    }
    return len;
}

size_t net_address_key(uint8_t *ret_key, const struct net_address *address, bool has_port)
{
    size_t len = write_key(ret_key, address);

    if (has_port) {
        ret_key[len++] = (uint8_t)(address->port >> 8);
        ret_key[len++] = (uint8_t)address->port;
    }
    return len;
}

bool net_address_fits_v1(const struct net_address *address)
{
    return address->net == NET_IPV4 || address->net == NET_IPV6 || address->net == NET_INTERNAL;
}

static void write_port(struct buf *buf, uint16_t port)
{
    write_u8(buf, (uint8_t)(port >> 8));
    write_u8(buf, (uint8_t)port);
}

static uint16_t read_port(struct reader *r)
{
    uint16_t port = (uint16_t)(read_u8(r) << 8);

    return (uint16_t)(port | read_u8(r));
}

void net_address_write_v1(struct buf *buf, const struct net_address *address)
{
    uint8_t key[NET_ADDRESS_BYTES_MAX] = {0};

    if (net_address_fits_v1(address))
        (void)write_key(key, address);
    write_span(buf, span_of(key, 16));
    write_port(buf, address->port);
}

void net_address_read_host_v1(struct net_address *ret, struct reader *r)
{
    uint8_t bytes[16];

    read_bytes(r, bytes, sizeof(bytes));
    *ret = net_address_ipv6(bytes, 0, 0);
}

void net_address_read_v1(struct net_address *ret, struct reader *r)
{
    net_address_read_host_v1(ret, r);
    ret->port = read_port(r);
}

void net_address_write_host_v2(struct buf *buf, const struct net_address *address)
{
    uint8_t key[NET_ADDRESS_BYTES_MAX];
    enum net_kind net =
        net_address_fits_v1(address) && address->net != NET_IPV4 ? NET_IPV6 : address->net;

    /* Internal addresses go to peers.dat inside IPv6, never to peers. */
    if (net == NET_UNROUTABLE)
        net = NET_IPV6;
    (void)write_key(key, address);
    write_u8(buf, bip155[net].id);
    write_compact_size(buf, bip155[net].len);
    write_span(buf, span_of(net == NET_IPV4 ? address->bytes : key, bip155[net].len));
}

void net_address_write_v2(struct buf *buf, const struct net_address *address)
{
    net_address_write_host_v2(buf, address);
    write_port(buf, address->port);
}

static struct net_address address_of_bip155(uint8_t id, struct span bytes, struct reader *r)
{
    static const uint8_t none[16];

    for (enum net_kind net = NET_IPV4; net < NET_INTERNAL; net++) {
        if (bip155[net].id != id)
            continue;
        if (bytes.len != bip155[net].len) {
            (void)reader_fail(r, E_MALFORMED);
            break;
        }
        if (net != NET_IPV6)
            return make(net, bytes.data, bytes.len, 0);
        /* IPv4 has an id of its own; inside IPv6 it is not to be taken. */
        if (memcmp(bytes.data, mapped_ipv4, sizeof(mapped_ipv4)) == 0)
            break;
        return net_address_ipv6(bytes.data, 0, 0);
    }
    return make(NET_IPV6, none, sizeof(none), 0);
}

void net_address_read_host_v2(struct net_address *ret, struct reader *r)
{
    uint8_t id = read_u8(r);
    uint32_t len = read_length(r);

    if (r->rc == 0 && len > BIP155_ADDRESS_MAX)
        (void)reader_fail(r, E_MALFORMED);
    *ret = address_of_bip155(id, read_span(r, len), r);
}

void net_address_read_v2(struct net_address *ret, struct reader *r)
{
    net_address_read_host_v2(ret, r);
    ret->port = read_port(r);
}

/* --- Ranges --- */

/* The fixed bits in front of each range, of IPv4 or IPv6. */
static const struct range_row {
    enum net_range range;
    enum net_kind net;
    uint8_t bits;
    uint8_t prefix[16];
} range_rows[] = {
    {RANGE_RFC1918, NET_IPV4, 8, {10}},
    {RANGE_RFC1918, NET_IPV4, 12, {172, 16}},
    {RANGE_RFC1918, NET_IPV4, 16, {192, 168}},
    {RANGE_RFC2544, NET_IPV4, 15, {198, 18}},
    {RANGE_RFC3927, NET_IPV4, 16, {169, 254}},
    {RANGE_RFC6598, NET_IPV4, 10, {100, 64}},
    {RANGE_RFC5737, NET_IPV4, 24, {192, 0, 2}},
    {RANGE_RFC5737, NET_IPV4, 24, {198, 51, 100}},
    {RANGE_RFC5737, NET_IPV4, 24, {203, 0, 113}},
    {RANGE_RFC3849, NET_IPV6, 32, {0x20, 0x01, 0x0d, 0xb8}},
    {RANGE_RFC3964, NET_IPV6, 16, {0x20, 0x02}},
    {RANGE_RFC4193, NET_IPV6, 7, {0xfc}},
    {RANGE_RFC4380, NET_IPV6, 32, {0x20, 0x01, 0x00, 0x00}},
    {RANGE_RFC4843, NET_IPV6, 28, {0x20, 0x01, 0x00, 0x10}},
    {RANGE_RFC7343, NET_IPV6, 28, {0x20, 0x01, 0x00, 0x20}},
    {RANGE_RFC4862, NET_IPV6, 64, {0xfe, 0x80}},
    {RANGE_RFC6052, NET_IPV6, 96, {0x00, 0x64, 0xff, 0x9b}},
    {RANGE_RFC6145, NET_IPV6, 96, {0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}},
    {RANGE_HE_NET, NET_IPV6, 32, {0x20, 0x01, 0x04, 0x70}},
    {RANGE_LOOPBACK, NET_IPV4, 8, {127}},
    {RANGE_LOOPBACK, NET_IPV4, 8, {0}},
    {RANGE_LOOPBACK, NET_IPV6, 128, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}},
};

static bool begins_with(const uint8_t *bytes, const uint8_t *prefix, unsigned bits)
{
    unsigned left = bits % 8;

    if ((bits >= 8 && bytes[0] != prefix[0]) || memcmp(bytes, prefix, bits / 8) != 0)
        return false;
    return left == 0 || (bytes[bits / 8] ^ prefix[bits / 8]) >> (8 - left) == 0;
}

#define RANGE_BIT(range) (1U << (range))

/* All that it is in. */
static uint32_t ranges_of(const struct net_address *address)
{
    uint32_t ranges = 0;

    if (address->net != NET_IPV4 && address->net != NET_IPV6)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(range_rows); i++) {
        const struct range_row *row = &range_rows[i];

        if (row->net == address->net && begins_with(address->bytes, row->prefix, row->bits))
            ranges |= RANGE_BIT(row->range);
    }
    return ranges;
}

bool net_address_is_in(const struct net_address *address, enum net_range range)
{
    return (ranges_of(address) & RANGE_BIT(range)) != 0;
}

static bool is_filled_with(const struct net_address *address, uint8_t byte)
{
    for (unsigned i = 0; i < address->len; i++) {
        if (address->bytes[i] != byte)
            return false;
    }
    return true;
}

bool net_address_is_bind_any(const struct net_address *address)
{
    return (address->net == NET_IPV4 || address->net == NET_IPV6) && is_filled_with(address, 0);
}

bool net_address_is_valid(const struct net_address *address)
{
    switch (address->net) {
    case NET_IPV4:
        return !is_filled_with(address, 0) && !is_filled_with(address, 0xff);
    case NET_IPV6:
        return !is_filled_with(address, 0) && !net_address_is_in(address, RANGE_RFC3849);
    case NET_CJDNS:
        return address->bytes[0] == CJDNS_FIRST_BYTE;
    case NET_ONION:
    case NET_I2P:
        return true;
    case NET_UNROUTABLE:
    case NET_INTERNAL:
    case NET_COUNT:
        break;
    }
    return false;
}

bool net_address_is_local(const struct net_address *address)
{
    return net_address_is_in(address, RANGE_LOOPBACK);
}

bool net_address_is_routable(const struct net_address *address)
{
    static const uint32_t closed = RANGE_BIT(RANGE_RFC1918) | RANGE_BIT(RANGE_RFC2544) |
                                   RANGE_BIT(RANGE_RFC3927) | RANGE_BIT(RANGE_RFC4862) |
                                   RANGE_BIT(RANGE_RFC6598) | RANGE_BIT(RANGE_RFC5737) |
                                   RANGE_BIT(RANGE_RFC4193) | RANGE_BIT(RANGE_RFC4843) |
                                   RANGE_BIT(RANGE_RFC7343) | RANGE_BIT(RANGE_LOOPBACK);

    return net_address_is_valid(address) && (ranges_of(address) & closed) == 0;
}

bool net_address_is_private_net(const struct net_address *address)
{
    return address->net == NET_ONION || address->net == NET_I2P;
}

bool net_address_is_relayable(const struct net_address *address)
{
    return address->net != NET_UNROUTABLE && address->net != NET_INTERNAL;
}

bool net_address_linked_ipv4(uint32_t *ret_ipv4, const struct net_address *address)
{
    const uint8_t *bytes = address->bytes;
    uint32_t ranges;

    if (!net_address_is_routable(address))
        return false;
    if (address->net == NET_IPV4) {
        *ret_ipv4 = get_be32(bytes);
        return true;
    }
    ranges = ranges_of(address);
    if ((ranges & (RANGE_BIT(RANGE_RFC6052) | RANGE_BIT(RANGE_RFC6145))) != 0)
        *ret_ipv4 = get_be32(bytes + 12);
    else if ((ranges & RANGE_BIT(RANGE_RFC3964)) != 0)
        *ret_ipv4 = get_be32(bytes + 2);
    else if ((ranges & RANGE_BIT(RANGE_RFC4380)) != 0)
        *ret_ipv4 = ~get_be32(bytes + 12);
    else
        return false;
    return true;
}

enum net_kind net_address_net(const struct net_address *address)
{
    if (address->net == NET_INTERNAL)
        return NET_INTERNAL;
    return net_address_is_routable(address) ? address->net : NET_UNROUTABLE;
}

enum net_kind net_address_class(const struct net_address *address)
{
    uint32_t ipv4;

    return net_address_linked_ipv4(&ipv4, address) ? NET_IPV4 : net_address_net(address);
}

/* --- Comparing --- */

bool net_address_host_equal(const struct net_address *a, const struct net_address *b)
{
    return a->net == b->net && a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

bool net_address_equal(const struct net_address *a, const struct net_address *b)
{
    return a->port == b->port && net_address_host_equal(a, b);
}

int net_address_compare(const struct net_address *a, const struct net_address *b)
{
    int order;

    if (a->net != b->net)
        return a->net < b->net ? -1 : 1;
    order = memcmp(a->bytes, b->bytes, sizeof(a->bytes));
    if (order != 0)
        return order;
    return a->port == b->port ? 0 : a->port < b->port ? -1 : 1;
}

uint64_t net_address_hash(const struct siphash_key *key, const struct net_address *address)
{
    struct siphash hash;

    siphash_init(&hash, key);
    siphash_add_u64(&hash, (uint64_t)address->net << 16 | address->port);
    siphash_add(&hash, address->bytes, address->len);
    return siphash_finish(&hash);
}

/* --- Groups --- */

static void group_add(struct net_group *group, const uint8_t *bytes, unsigned bits)
{
    unsigned left = bits % 8;

    memcpy(group->bytes + group->len, bytes, bits / 8);
    group->len = (uint8_t)(group->len + bits / 8);
    if (left > 0)
        group->bytes[group->len++] = (uint8_t)(bytes[bits / 8] | ((1U << (8 - left)) - 1));
}

struct net_group net_group_of(const struct net_address *address, uint32_t asn)
{
    struct net_group group = {.bytes = {(uint8_t)net_address_class(address)}, .len = 1};
    uint8_t ipv4_bytes[4];
    uint32_t ipv4;

    if (asn != 0) {
        /* IPv4 and IPv6 of one system are one group. */
        group.bytes[0] = NET_IPV6;
        put_le32(group.bytes + 1, asn);
        group.len = 5;
    } else if (address->net == NET_INTERNAL) {
        group_add(&group, address->bytes, INTERNAL_BYTES * 8);
    } else if (net_address_linked_ipv4(&ipv4, address)) {
        put_be32(ipv4_bytes, ipv4);
        group_add(&group, ipv4_bytes, 16);
    } else if (!net_address_is_routable(address)) {
        /* All of them are one group. */
    } else if (net_address_is_private_net(address)) {
        group_add(&group, address->bytes, 4);
    } else if (address->net == NET_CJDNS) {
        group_add(&group, address->bytes, 12);
    } else {
        group_add(&group, address->bytes, net_address_is_in(address, RANGE_HE_NET) ? 36 : 32);
    }
    return group;
}

bool net_group_equal(const struct net_group *a, const struct net_group *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* --- Reachability --- */

enum reach {
    REACH_NONE,
    REACH_DEFAULT,
    REACH_TEREDO,
    REACH_IPV6_WEAK,
    REACH_IPV4,
    REACH_IPV6_STRONG,
    REACH_PRIVATE
};

/* Teredo is a network of its own here. */
#define NET_TEREDO NET_COUNT

static int net_with_teredo(const struct net_address *address)
{
    return net_address_is_in(address, RANGE_RFC4380) ? (int)NET_TEREDO
                                                     : (int)net_address_net(address);
}

int net_address_reachability(const struct net_address *ours, const struct net_address *partner)
{
    /* Row: the partner's network; column: ours. Zero stands for REACH_DEFAULT. */
    static const uint8_t table[NET_COUNT + 1][NET_COUNT + 1] = {
        [NET_IPV4] = {[NET_IPV4] = REACH_IPV4},
        [NET_IPV6] =
            {[NET_TEREDO] = REACH_TEREDO, [NET_IPV4] = REACH_IPV4, [NET_IPV6] = REACH_IPV6_STRONG},
        [NET_ONION] = {[NET_IPV4] = REACH_IPV4, [NET_ONION] = REACH_PRIVATE},
        [NET_I2P] = {[NET_I2P] = REACH_PRIVATE},
        [NET_CJDNS] = {[NET_CJDNS] = REACH_PRIVATE},
        [NET_TEREDO] =
            {[NET_TEREDO] = REACH_TEREDO, [NET_IPV6] = REACH_IPV6_WEAK, [NET_IPV4] = REACH_IPV4},
        /* A partner of whom we know nothing. */
        [NET_UNROUTABLE] = {[NET_TEREDO] = REACH_TEREDO,
                            [NET_IPV6] = REACH_IPV6_WEAK,
                            [NET_IPV4] = REACH_IPV4,
                            [NET_ONION] = REACH_PRIVATE},
    };
    int theirs = net_with_teredo(partner);
    bool is_tunnel = net_address_is_in(ours, RANGE_RFC3964) ||
                     net_address_is_in(ours, RANGE_RFC6052) ||
                     net_address_is_in(ours, RANGE_RFC6145);
    int reach;

    if (!net_address_is_routable(ours))
        return REACH_NONE;
    if (theirs == NET_INTERNAL)
        theirs = NET_UNROUTABLE;
    reach = table[theirs][net_with_teredo(ours)];
    if (reach == REACH_IPV6_STRONG && is_tunnel)
        reach = REACH_IPV6_WEAK;
    return reach == 0 ? REACH_DEFAULT : reach;
}

/* --- Ports --- */

bool net_port_is_bad(uint16_t port)
{
    static const uint16_t bad[] = {
        1,    7,    9,    11,   13,   15,   17,   19,   20,    21,    22,   23,   25,   37,   42,
        43,   53,   69,   77,   79,   87,   95,   101,  102,   103,   104,  109,  110,  111,  113,
        115,  117,  119,  123,  135,  137,  139,  143,  161,   179,   389,  427,  465,  512,  513,
        514,  515,  526,  530,  531,  532,  540,  548,  554,   556,   563,  587,  601,  636,  989,
        990,  993,  995,  1719, 1720, 1723, 2049, 3306, 3389,  3659,  4045, 5060, 5061, 5432, 5900,
        6000, 6566, 6665, 6666, 6667, 6668, 6669, 6697, 10080, 27017,
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (bad[i] == port)
            return true;
    }
    return false;
}
