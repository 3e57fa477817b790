/* Addresses of peers on any network that BIP155 knows: what they are written as, on
 * the wire and for people, and what kind of place they name.
 *
 * A struct net_address is a plain value, copied freely. Zeroed it is no address at
 * all: not valid, not routable, written to the wire as sixteen zeros. What a peer
 * sends on a network we do not know is read as "::", which is not valid either.
 *
 * Pure: any thread.
 */
#ifndef P2P_ADDRESS_H
#define P2P_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "codec/reader.h"
#include "crypto/siphash.h"

/* The order is part of stored formats (netgroups in peers.dat's buckets): append
 * only. */
enum net_kind {
    NET_UNROUTABLE, /* As the network of a stored address: none. As a class: nobody else can
                       reach it. */
    NET_IPV4,
    NET_IPV6,
    NET_ONION,    /* Tor v3: the service's key. */
    NET_I2P,      /* The SHA-256 of a destination. */
    NET_CJDNS,    /* Always in fc00::/8. */
    NET_INTERNAL, /* The hash of a name: where a DNS seed's answers came from. */
    NET_COUNT
};

#define NET_ADDRESS_BYTES_MAX 32
/* Room for any address as text, with port and terminator. */
#define NET_ADDRESS_TEXT_SIZE 80

struct net_address {
    enum net_kind net;
    uint8_t len; /* Of bytes: 0, 4, 10, 16 or 32. */
    uint16_t port;
    uint32_t scope;                       /* IPv6: the interface of a link-local address, or 0. */
    uint8_t bytes[NET_ADDRESS_BYTES_MAX]; /* As on the wire; zeros behind len. */
};

/* --- Making --- */

struct net_address net_address_ipv4(const uint8_t *bytes4, uint16_t port);
/* Sixteen bytes as in version 1 messages and socket addresses: an embedded IPv4 or
 * internal address is taken out, the old Tor range becomes "::". */
struct net_address net_address_ipv6(const uint8_t *bytes16, uint32_t scope, uint16_t port);
/* 32 bytes each. */
struct net_address net_address_onion(const uint8_t *key, uint16_t port);
struct net_address net_address_i2p(const uint8_t *hash, uint16_t port);
/* A name's stand-in; text is not empty. */
struct net_address net_address_internal(const char *name);

/* An IPv6 address in fc00::/8 becomes what it is where CJDNS is in use. */
void net_address_to_cjdns(struct net_address *address);

/* --- Text --- */

/* "host", "host:port", "[v6]:port": numeric, .onion or .b32.i2p; names are not looked
 * up. The port is default_port where text has none. IPv4 also in the short forms of
 * inet_aton, IPv6 with a numeric scope ("fe80::1%2"). False, with *ret as it was, for
 * anything else. */
NODISCARD bool net_address_read(struct net_address *ret, const char *text, size_t len,
                                uint16_t default_port) NONNULL(1, 2);
/* As above without a port, which becomes 0; brackets around are fine. */
NODISCARD bool net_address_read_host(struct net_address *ret, const char *text, size_t len)
    NONNULL(1, 2);
/* Splits "host:port", where host may also be a name. *ret_port stays as it was where
 * there is no port. False if what stands behind the colon is no port from 1 to 65535; the
 * host is then the whole text, or what is before ":0". */
bool net_host_port_split(struct span *ret_host, uint16_t *ret_port, const char *text, size_t len)
    NONNULL(1, 2, 3);

/* Both write at most NET_ADDRESS_TEXT_SIZE bytes and return ret_text. */
const char *net_address_text(char *ret_text, const struct net_address *address); /* With port. */
const char *net_address_host_text(char *ret_text, const struct net_address *address);

/* "ipv4", "ipv6", "onion", "i2p", "cjdns"; "not_publicly_routable", "internal". */
const char *net_name(enum net_kind net);
/* The first five, in either case; NET_UNROUTABLE for anything else. */
enum net_kind net_read_name(const char *name);

/* --- Bytes --- */

#define BIP155_ADDRESS_MAX 512 /* Bytes of an address of a network we do not know. */

/* Version 1: sixteen bytes, and two of port (big-endian). Addresses that do not fit
 * are written as zeros. */
void net_address_write_v1(struct buf *buf, const struct net_address *address);
void net_address_read_v1(struct net_address *ret, struct reader *r);
bool net_address_fits_v1(const struct net_address *address);
/* BIP155: network, length, bytes, and two of port. An unknown network is read over
 * and gives "::"; a known one with another length fails the reader. */
void net_address_write_v2(struct buf *buf, const struct net_address *address);
void net_address_read_v2(struct net_address *ret, struct reader *r);
/* The same without a port, which is read as 0: peers.dat keeps sources so. */
void net_address_write_host_v2(struct buf *buf, const struct net_address *address);
void net_address_read_host_v1(struct net_address *ret, struct reader *r);
void net_address_read_host_v2(struct net_address *ret, struct reader *r);

/* --- What it is --- */

/* Port and place are the same; scope does not count. */
bool net_address_equal(const struct net_address *a, const struct net_address *b);
bool net_address_host_equal(const struct net_address *a, const struct net_address *b);
/* An order over all addresses: network, bytes, port. */
int net_address_compare(const struct net_address *a, const struct net_address *b);
/* Place and port, salted. */
uint64_t net_address_hash(const struct siphash_key *key, const struct net_address *address);

/* Address ranges with a meaning of their own. */
enum net_range {
    RANGE_RFC1918, /* 10/8, 172.16/12, 192.168/16. */
    RANGE_RFC2544, /* 198.18/15. */
    RANGE_RFC3927, /* 169.254/16. */
    RANGE_RFC6598, /* 100.64/10. */
    RANGE_RFC5737, /* 192.0.2/24, 198.51.100/24, 203.0.113/24. */
    RANGE_RFC3849, /* 2001:db8::/32. */
    RANGE_RFC3964, /* 2002::/16: IPv4 behind. */
    RANGE_RFC4193, /* fc00::/7. */
    RANGE_RFC4380, /* 2001::/32: IPv4 behind, inverted. */
    RANGE_RFC4843, /* 2001:10::/28. */
    RANGE_RFC7343, /* 2001:20::/28. */
    RANGE_RFC4862, /* fe80::/64. */
    RANGE_RFC6052, /* 64:ff9b::/96: IPv4 behind. */
    RANGE_RFC6145, /* ::ffff:0:0:0/96: IPv4 behind. */
    RANGE_HE_NET,  /* 2001:470::/32: many small users of one provider. */
    RANGE_LOOPBACK /* 127/8, 0/8, ::1. */
};
bool net_address_is_in(const struct net_address *address, enum net_range range);

bool net_address_is_valid(const struct net_address *address); /* Can name a host. */
bool net_address_is_routable(const struct net_address *address);
bool net_address_is_local(const struct net_address *address);       /* This machine. */
bool net_address_is_bind_any(const struct net_address *address);    /* 0.0.0.0 or ::. */
bool net_address_is_private_net(const struct net_address *address); /* Tor or I2P. */
/* Handed on to peers, whether or not we can reach it. */
bool net_address_is_relayable(const struct net_address *address);

/* The network as users see it: NET_UNROUTABLE for what is not routable. */
enum net_kind net_address_net(const struct net_address *address);
/* The same, IPv6 that leads to an IPv4 address counted as that. */
enum net_kind net_address_class(const struct net_address *address);
/* The IPv4 address (host order) that a routable one is or leads to; false if none. */
bool net_address_linked_ipv4(uint32_t *ret_ipv4, const struct net_address *address);

/* Ports of other services, which automatic connections keep away from. */
bool net_port_is_bad(uint16_t port);

/* How well a partner can be expected to reach us at ours; more is better. */
int net_address_reachability(const struct net_address *ours, const struct net_address *partner);

/* What places near each other have in common: /16 of IPv4, /32 of IPv6 (/36 of
 * he.net), 4 bits of Tor and I2P, 12 of CJDNS; or the autonomous system, where asn is
 * not 0 (asmap_find). */
#define NET_GROUP_BYTES_MAX 12
struct net_group {
    uint8_t bytes[NET_GROUP_BYTES_MAX];
    uint8_t len;
};
struct net_group net_group_of(const struct net_address *address, uint32_t asn);
bool net_group_equal(const struct net_group *a, const struct net_group *b);

/* The bytes that buckets and groups hash: sixteen of version 1, or the address itself
 * where that cannot hold it; with has_port two of port behind. Writes at most
 * NET_ADDRESS_BYTES_MAX + 2 bytes. Returns how many. */
size_t net_address_key(uint8_t *ret_key, const struct net_address *address, bool has_port);

#endif /* P2P_ADDRESS_H */
