/* What a peer may do that others may not: -whitelist and -whitebind. Pure: any thread. */
#ifndef P2P_PERMISSIONS_H
#define P2P_PERMISSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "p2p/subnet.h"

/* Bits. Some contain others: ask whether all bits of one are there (peer_has). */
enum net_permission {
    PERMISSION_NONE = 0,
    PERMISSION_BLOOM = 1 << 1, /* Bloom filters though -peerbloomfilters=0. */
    PERMISSION_RELAY = 1 << 3, /* Its transactions are taken though -blocksonly; never held back. */
    PERMISSION_FORCE_RELAY = 1 << 2 | PERMISSION_RELAY, /* Relayed again when known already. */
    PERMISSION_MEMPOOL = 1 << 5,                        /* May ask for the mempool. */
    PERMISSION_DOWNLOAD = 1 << 6, /* getheaders during initial download; no upload bound. */
    PERMISSION_NO_BAN = 1 << 4 | PERMISSION_DOWNLOAD,
    PERMISSION_ADDR = 1 << 7, /* getaddr is answered afresh, as often as it asks. */
    PERMISSION_ALL = PERMISSION_BLOOM | PERMISSION_FORCE_RELAY | PERMISSION_MEMPOOL |
                     PERMISSION_NO_BAN | PERMISSION_ADDR,
    PERMISSION_IMPLICIT = 1 << 30 /* None were named: the default ones. */
};
#define PERMISSION_NAMES_MAX 7

struct net_whitelist {
    struct net_subnet subnet;
    uint32_t permissions;
    bool inbound, outbound; /* Which connections it is for. */
};
struct net_whitebind {
    struct net_address address;
    uint32_t permissions;
};

/* "[permissions@]subnet". Returns 0 or E_MALFORMED, with Core's text. */
NODISCARD int net_whitelist_read(struct net_whitelist *ret, const char *text, bool to_cjdns,
                                 struct error *err) NONNULL(1, 2);
/* "[permissions@]addr:port". The same. */
NODISCARD int net_whitebind_read(struct net_whitebind *ret, const char *text, struct error *err)
    NONNULL(1, 2);

/* What PERMISSION_IMPLICIT stands for, in its place; others stay. */
uint32_t net_permissions_resolve(uint32_t permissions, bool whitelist_relay,
                                 bool whitelist_force_relay);

/* Names in the order in which they are shown. Returns how many; static texts. */
size_t net_permission_names(const char *ret_names[PERMISSION_NAMES_MAX], uint32_t permissions);

#endif /* P2P_PERMISSIONS_H */
