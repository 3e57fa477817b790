/* A network of IPv4 or IPv6 addresses, or one address of any other network: what can
 * be banned and allowed. Pure: any thread. */
#ifndef P2P_SUBNET_H
#define P2P_SUBNET_H

#include "p2p/address.h"

struct net_subnet {
    struct net_address base; /* Masked; port 0. */
    uint8_t mask[16];        /* Ones in front. Other networks than IPv4 and IPv6: zeros. */
};

/* "1.2.3.4", "1.2.3.0/24", "1.2.3.0/255.255.255.0", "::/0", one .onion. With
 * to_cjdns, fc00::/8 is CJDNS. False, with *ret as it was, for anything else. */
NODISCARD bool net_subnet_read(struct net_subnet *ret, const char *text, size_t len, bool to_cjdns)
    NONNULL(1, 2);
/* The address alone. False if it is of no network. */
NODISCARD bool net_subnet_of_address(struct net_subnet *ret, const struct net_address *address);

/* As net_address_text; IPv4 and IPv6 with "/bits" behind. */
const char *net_subnet_text(char *ret_text, const struct net_subnet *subnet);

bool net_subnet_contains(const struct net_subnet *subnet, const struct net_address *address);
/* Is it one address, and not a network? */
bool net_subnet_is_single(const struct net_subnet *subnet);
bool net_subnet_equal(const struct net_subnet *a, const struct net_subnet *b);
/* Network, bytes, mask. */
int net_subnet_compare(const struct net_subnet *a, const struct net_subnet *b);

#endif /* P2P_SUBNET_H */
