/* By which ways other networks are reached: -proxy, -onion, -i2psam, -onlynet,
 * -cjdnsreachable. Owner thread: net. */
#ifndef P2P_PROXIES_H
#define P2P_PROXIES_H

#include "os/net.h"
#include "p2p/address.h"

/* Sets of networks are masks of 1 << enum net_kind. */
#define NETS_PUBLIC \
    (1U << NET_IPV4 | 1U << NET_IPV6 | 1U << NET_ONION | 1U << NET_I2P | 1U << NET_CJDNS)

struct proxy {
    bool is_set;
    bool isolates;            /* Each connection gets a user name of its own. */
    char path[NET_PATH_SIZE]; /* Not empty: of a local socket; else ... */
    struct net_address address;
};

struct proxies {
    struct proxy by_net[NET_COUNT]; /* SOCKS5; the one of NET_I2P speaks SAM. */
    struct proxy names;             /* For names, which are then not looked up here. */
    uint32_t reachable;             /* Networks; also NET_UNROUTABLE and NET_INTERNAL. */
    bool has_onion_option;          /* -onion said something: Tor's control port does not. */
    bool onion_by_only_net;         /* -onlynet does not forbid it. */
};

struct proxies_options {
    const char *const *proxy; /* "addr[:port]" or "unix:path", "=network" behind. */
    size_t proxy_n;
    const char *onion; /* NULL or "": nothing said; "0": none. */
    const char *i2p_sam;
    const char *const *only_net;
    size_t only_net_n;
    bool cjdns_reachable;
    bool randomize;
    bool listen_onion;
};

/* Returns: 0 or E_MALFORMED, with Core's text. */
NODISCARD int proxies_read(struct proxies *ret, const struct proxies_options *options,
                           struct error *err);

static inline bool proxies_reach(const struct proxies *proxies, enum net_kind net)
{
    return (proxies->reachable & 1U << net) != 0;
}

/* For an address of that network; NULL: it is connected to directly, or not at all. */
const struct proxy *proxies_find(const struct proxies *proxies, enum net_kind net);
/* "127.0.0.1:9050", "unix:/path"; "" for NULL. Writes at most NET_PATH_SIZE + 5 bytes (and
 * NET_ADDRESS_TEXT_SIZE); returns ret_text. */
#define PROXY_TEXT_SIZE (NET_PATH_SIZE + 8)
const char *proxy_text(char *ret_text, const struct proxy *proxy);
bool proxy_endpoint(struct net_endpoint *ret, const struct proxy *proxy);

#endif /* P2P_PROXIES_H */
