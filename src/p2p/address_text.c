/* Addresses as people read and write them. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "codec/base32.h"
#include "crypto/sha3.h"
#include "p2p/address.h"

#define ONION_SUFFIX ".onion"
#define ONION_VERSION 3
#define ONION_BYTES 35 /* Key, two bytes of checksum, version. */
#define I2P_SUFFIX ".b32.i2p"
/* The longest text that can be an address, scope and all; longer ones are not looked
 * at. */
#define HOST_TEXT_MAX 64

static const char *const names[NET_COUNT] = {
    [NET_UNROUTABLE] = "not_publicly_routable",
    [NET_IPV4] = "ipv4",
    [NET_IPV6] = "ipv6",
    [NET_ONION] = "onion",
    [NET_I2P] = "i2p",
    [NET_CJDNS] = "cjdns",
    [NET_INTERNAL] = "internal",
};

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool equal_in_any_case(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (lower(a[i]) != lower(b[i]))
            return false;
    }
    return true;
}

const char *net_name(enum net_kind net)
{
    return names[net];
}

enum net_kind net_read_name(const char *name)
{
    for (enum net_kind net = NET_IPV4; net <= NET_CJDNS; net++) {
        if (strlen(name) == strlen(names[net]) && equal_in_any_case(name, names[net], strlen(name)))
            return net;
    }
    return NET_UNROUTABLE;
}

/* --- Reading --- */

static bool read_decimal(uint32_t *ret, const char *text, size_t len, uint32_t max)
{
    uint64_t value = 0;

    if (len == 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text[i] - '0');
        if (value > max)
            return false;
    }
    *ret = (uint32_t)value;
    return true;
}

bool net_host_port_split(struct span *ret_host, uint16_t *ret_port, const char *text, size_t len)
{
    const char *colon = memrchr(text, ':', len);
    size_t before = colon == NULL ? len : (size_t)(colon - text);
    bool is_bracketed = colon != NULL && before > 0 && text[0] == '[' && colon[-1] == ']';
    bool is_only = colon != NULL && memchr(text, ':', before) == NULL;
    bool is_right = true;
    uint32_t port;

    if (is_bracketed || is_only) {
        is_right = read_decimal(&port, colon + 1, len - before - 1, UINT16_MAX);
        if (is_right) {
            *ret_port = (uint16_t)port;
            is_right = port != 0;
            len = before;
        }
    }
    if (len > 1 && text[0] == '[' && text[len - 1] == ']')
        *ret_host = span_of(text + 1, len - 2);
    else
        *ret_host = span_of(text, len);
    return is_right;
}

static void onion_checksum(uint8_t *ret_two_bytes, const uint8_t *key)
{
    static const char prefix[] = ".onion checksum";
    uint8_t data[sizeof(prefix) - 1 + 32 + 1];
    uint8_t digest[SHA3_256_BYTES];

    memcpy(data, prefix, sizeof(prefix) - 1);
    memcpy(data + sizeof(prefix) - 1, key, 32);
    data[sizeof(data) - 1] = ONION_VERSION;
    sha3_256(digest, data, sizeof(data));
    memcpy(ret_two_bytes, digest, 2);
}

static bool read_onion(struct net_address *ret, const char *text, size_t len)
{
    const size_t digits = BASE32_TEXT_LEN(ONION_BYTES);
    uint8_t bytes[ONION_BYTES];
    uint8_t checksum[2];

    if (len != digits + strlen(ONION_SUFFIX) ||
        memcmp(text + digits, ONION_SUFFIX, strlen(ONION_SUFFIX)) != 0 ||
        !base32_read(bytes, sizeof(bytes), text, digits))
        return false;
    onion_checksum(checksum, bytes);
    if (memcmp(checksum, bytes + 32, 2) != 0 || bytes[34] != ONION_VERSION)
        return false;
    *ret = net_address_onion(bytes, 0);
    return true;
}

static bool read_i2p(struct net_address *ret, const char *text, size_t len)
{
    const size_t digits = BASE32_TEXT_LEN(32);
    uint8_t hash[32];

    if (len != digits + strlen(I2P_SUFFIX) ||
        !equal_in_any_case(text + digits, I2P_SUFFIX, strlen(I2P_SUFFIX)) ||
        !base32_read(hash, sizeof(hash), text, digits))
        return false;
    *ret = net_address_i2p(hash, 0);
    return true;
}

/* One number of an IPv4 address: decimal, 0x hexadecimal or 0 octal. Returns the
 * characters used, 0 for none. */
static size_t read_part(uint64_t *ret, const char *text)
{
    unsigned base = 10;
    size_t used = 0;
    size_t digits = 0;

    *ret = 0;
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        used = 2;
    } else if (text[0] == '0') {
        base = 8;
    }
    for (;; used++, digits++) {
        char c = lower(text[used]);
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                                                : 16;

        if (digit >= base)
            break;
        *ret = *ret * base + digit;
        if (*ret > UINT32_MAX)
            return 0;
    }
    return digits == 0 ? 0 : used;
}

/* The forms of inet_aton: a, a.b, a.b.c, a.b.c.d; the last number fills what is
 * left. */
static bool read_ipv4(struct net_address *ret, const char *text)
{
    uint8_t bytes[4] = {0};

    for (unsigned i = 0; i < 4; i++) {
        uint64_t value;
        size_t used = read_part(&value, text);

        if (used == 0)
            return false;
        text += used;
        if (*text == '\0') {
            if (value >> (8 * (4 - i)) != 0)
                return false;
            for (unsigned j = i; j < 4; j++)
                bytes[j] = (uint8_t)(value >> (8 * (3 - j)));
            *ret = net_address_ipv4(bytes, 0);
            return true;
        }
        if (*text != '.' || value > 0xff)
            return false;
        bytes[i] = (uint8_t)value;
        text++;
    }
    return false;
}

static bool read_ipv6(struct net_address *ret, char *text)
{
    char *percent = strchr(text, '%');
    uint32_t scope = 0;
    uint8_t bytes[16];

    if (percent != NULL) {
        if (!read_decimal(&scope, percent + 1, strlen(percent + 1), UINT32_MAX))
            return false;
        *percent = '\0';
    }
    if (inet_pton(AF_INET6, text, bytes) != 1)
        return false;
    *ret = net_address_ipv6(bytes, scope, 0);
    return ret->net != NET_INTERNAL;
}

static bool read_host(struct net_address *ret, const char *text, size_t len)
{
    struct net_address address = {0};
    char copy[HOST_TEXT_MAX + 1];
    bool is_read;

    if (len == 0 || len > HOST_TEXT_MAX || memchr(text, '\0', len) != NULL)
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    is_read = read_onion(&address, text, len) || read_i2p(&address, text, len) ||
              read_ipv4(&address, copy) || read_ipv6(&address, copy);
    if (is_read)
        *ret = address;
    return is_read;
}

bool net_address_read_host(struct net_address *ret, const char *text, size_t len)
{
    if (len >= 2 && text[0] == '[' && text[len - 1] == ']')
        return read_host(ret, text + 1, len - 2);
    return read_host(ret, text, len);
}

bool net_address_read(struct net_address *ret, const char *text, size_t len, uint16_t default_port)
{
    uint16_t port = default_port;
    struct span host;

    (void)net_host_port_split(&host, &port, text, len);
    if (!read_host(ret, (const char *)host.data, host.len))
        return false;
    ret->port = port;
    return true;
}

/* --- Writing --- */

/* RFC 5952: the longest run of at least two zero groups, the first of equals, is
 * left out. */
static void find_zeros(const uint8_t *bytes, unsigned *ret_at, unsigned *ret_n)
{
    unsigned run = 0;

    *ret_at = 8;
    *ret_n = 1;
    for (unsigned i = 0; i < 8; i++) {
        run = bytes[2 * i] == 0 && bytes[2 * i + 1] == 0 ? run + 1 : 0;
        if (run > *ret_n) {
            *ret_n = run;
            *ret_at = i + 1 - run;
        }
    }
}

static void write_ipv6(char *ret_text, const uint8_t *bytes, uint32_t scope)
{
    unsigned zeros_at;
    unsigned zeros_n;
    const char *end = ret_text + NET_ADDRESS_TEXT_SIZE;
    char *at = ret_text;

    find_zeros(bytes, &zeros_at, &zeros_n);
    for (unsigned i = 0; i < 8; i++) {
        if (i == zeros_at) {
            at += snprintf(at, (size_t)(end - at), "::");
            i += zeros_n - 1;
            continue;
        }
        at += snprintf(at, (size_t)(end - at), "%s%x", at != ret_text && at[-1] != ':' ? ":" : "",
                       (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1]);
    }
    if (scope != 0)
        (void)snprintf(at, (size_t)(end - at), "%%%" PRIu32, scope);
}

/* ret_text: NET_ADDRESS_TEXT_SIZE bytes, with room for it. */
static void add_text(char *ret_text, const char *text)
{
    size_t len = strlen(ret_text);

    (void)snprintf(ret_text + len, NET_ADDRESS_TEXT_SIZE - len, "%s", text);
}

static void write_onion(char *ret_text, const uint8_t *key)
{
    uint8_t bytes[ONION_BYTES];

    memcpy(bytes, key, 32);
    onion_checksum(bytes + 32, key);
    bytes[34] = ONION_VERSION;
    base32_write(ret_text, bytes, sizeof(bytes));
    add_text(ret_text, ONION_SUFFIX);
}

const char *net_address_host_text(char *ret_text, const struct net_address *address)
{
    const uint8_t *b = address->bytes;

    switch (address->net) {
    case NET_IPV4:
        (void)snprintf(ret_text, NET_ADDRESS_TEXT_SIZE, "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
        break;
    case NET_ONION:
        write_onion(ret_text, b);
        break;
    case NET_I2P:
        base32_write(ret_text, b, address->len);
        add_text(ret_text, I2P_SUFFIX);
        break;
    case NET_INTERNAL:
        base32_write(ret_text, b, address->len);
        add_text(ret_text, ".internal");
        break;
    case NET_UNROUTABLE:
    case NET_IPV6:
    case NET_CJDNS:
        write_ipv6(ret_text, b, address->scope);
        break;
    case NET_COUNT:
        CHECK_NEVER("no such network");
    }
    return ret_text;
}

const char *net_address_text(char *ret_text, const struct net_address *address)
{
    char host[NET_ADDRESS_TEXT_SIZE];
    bool has_colons =
        address->net == NET_IPV6 || address->net == NET_CJDNS || address->net == NET_UNROUTABLE;

    (void)net_address_host_text(host, address);
    if (has_colons)
        (void)snprintf(ret_text, NET_ADDRESS_TEXT_SIZE, "[%.64s]:%u", host, address->port);
    else
        (void)snprintf(ret_text, NET_ADDRESS_TEXT_SIZE, "%.64s:%u", host, address->port);
    return ret_text;
}
