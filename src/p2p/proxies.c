#include "p2p/proxies.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "p2p/i2p_sam.h"
#include "p2p/tor_control.h"

#define UNIX_PREFIX "unix:"

static bool is_path(const char *text, size_t len)
{
    size_t prefix = strlen(UNIX_PREFIX);

    return len >= prefix && memcmp(text, UNIX_PREFIX, prefix) == 0 && len - prefix < NET_PATH_SIZE;
}

/* False where text is no address; what is not set is right, too ("" and "0"). */
static bool read_proxy(struct proxy *ret, const char *text, size_t len, bool isolates)
{
    *ret = (struct proxy){.isolates = isolates};
    if (len == 0 || (len == 1 && text[0] == '0'))
        return true;
    ret->is_set = true;
    if (is_path(text, len)) {
        memcpy(ret->path, text + strlen(UNIX_PREFIX), len - strlen(UNIX_PREFIX));
        return ret->path[0] != '\0';
    }
    return net_address_read(&ret->address, text, len, TOR_SOCKS_PORT) &&
           net_address_is_valid(&ret->address);
}

static bool has_right_port(const char *text, size_t len)
{
    struct span host;
    uint16_t port = 0;

    size_t prefix = strlen(UNIX_PREFIX);

    /* A path that is too long is no address, but not for its port. */
    return (len >= prefix && memcmp(text, UNIX_PREFIX, prefix) == 0) ||
           net_host_port_split(&host, &port, text, len);
}

static int bad_port(const char *option, const char *text, struct error *err)
{
    return error_set(err, E_MALFORMED, "Invalid port specified in %s: '%s'", option, text);
}

static bool is_word(const char *text, const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; i <= len; i++) {
        char c = text[i];

        if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != word[i])
            return false;
    }
    return true;
}

/* "addr=network": for that network, or for all that go by SOCKS5. Names go where IPv4 and
 * IPv6 go. */
static int take_proxy(struct proxies *p, const char *text, bool isolates, struct error *err)
{
    const char *mark = strrchr(text, '=');
    size_t len = mark == NULL ? strlen(text) : (size_t)(mark - text);
    struct proxy proxy;

    if (!has_right_port(text, len))
        return bad_port("-proxy", text, err);
    if (mark != NULL && mark[1] == '\0')
        return error_set(err, E_MALFORMED,
                         "Invalid -proxy address or hostname, ends with '=': '%s'", text);
    if (!read_proxy(&proxy, text, len, isolates))
        return error_set(err, E_MALFORMED, "Invalid -proxy address or hostname: '%.*s'", (int)len,
                         text);
    if (mark == NULL) {
        p->by_net[NET_IPV4] = p->by_net[NET_IPV6] = p->by_net[NET_CJDNS] = proxy;
        p->by_net[NET_ONION] = p->names = proxy;
    } else if (is_word(mark + 1, "ipv4")) {
        p->by_net[NET_IPV4] = p->names = proxy;
    } else if (is_word(mark + 1, "ipv6")) {
        p->by_net[NET_IPV6] = p->names = proxy;
    } else if (is_word(mark + 1, "onion")) {
        p->by_net[NET_ONION] = proxy;
    } else if (is_word(mark + 1, "cjdns")) {
        p->by_net[NET_CJDNS] = proxy;
    } else {
        return error_set(err, E_MALFORMED, "Unrecognized network in -proxy='%s': '%s'", text,
                         mark + 1);
    }
    return 0;
}

static int take_only_net(struct proxies *p, const struct proxies_options *o, struct error *err)
{
    p->reachable = NETS_PUBLIC | 1U << NET_UNROUTABLE | 1U << NET_INTERNAL;
    if (o->only_net_n > 0)
        p->reachable = 0;
    for (size_t i = 0; i < o->only_net_n; i++) {
        enum net_kind net = net_read_name(o->only_net[i]);

        if (net == NET_UNROUTABLE)
            return error_set(err, E_MALFORMED, "Unknown network specified in -onlynet: '%s'",
                             o->only_net[i]);
        p->reachable |= 1U << net;
    }
    p->onion_by_only_net = proxies_reach(p, NET_ONION);
    if (!o->cjdns_reachable) {
        if (o->only_net_n > 0 && proxies_reach(p, NET_CJDNS))
            return error_set(err, E_MALFORMED,
                             "Outbound connections restricted to CJDNS (-onlynet=cjdns) but "
                             "-cjdnsreachable is not provided");
        p->reachable &= ~(1U << NET_CJDNS);
    }
    return 0;
}

static int take_onion(struct proxies *p, const struct proxies_options *o, struct error *err)
{
    bool is_only = o->only_net_n > 0 && proxies_reach(p, NET_ONION);
    const char *text = o->onion == NULL ? "" : o->onion;

    p->has_onion_option = text[0] != '\0';
    if (strcmp(text, "0") == 0) {
        p->by_net[NET_ONION].is_set = false;
        if (is_only)
            return error_set(err, E_MALFORMED,
                             "Outbound connections restricted to Tor (-onlynet=onion) but the "
                             "proxy for reaching the Tor network is explicitly forbidden: "
                             "-onion=0");
    } else if (text[0] != '\0') {
        if (!has_right_port(text, strlen(text)))
            return bad_port("-onion", text, err);
        if (!read_proxy(&p->by_net[NET_ONION], text, strlen(text), o->randomize))
            return error_set(err, E_MALFORMED, "Invalid -onion address or hostname: '%s'", text);
    }
    if (p->by_net[NET_ONION].is_set)
        return 0;
    /* It may yet come from Tor's control port. */
    if (is_only && !o->listen_onion)
        return error_set(err, E_MALFORMED,
                         "Outbound connections restricted to Tor (-onlynet=onion) but the proxy "
                         "for reaching the Tor network is not provided: none of -proxy, -onion or "
                         "-listenonion is given");
    p->reachable &= ~(1U << NET_ONION);
    return 0;
}

static int take_i2p(struct proxies *p, const struct proxies_options *o, struct error *err)
{
    struct proxy *proxy = &p->by_net[NET_I2P];
    const char *text = o->i2p_sam;

    if (text == NULL || text[0] == '\0') {
        if (o->only_net_n > 0 && proxies_reach(p, NET_I2P))
            return error_set(err, E_MALFORMED,
                             "Outbound connections restricted to i2p (-onlynet=i2p) but -i2psam is "
                             "not provided");
        p->reachable &= ~(1U << NET_I2P);
        return 0;
    }
    if (strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0 || !has_right_port(text, strlen(text)))
        return bad_port("-i2psam", text, err);
    if (!net_address_read(&proxy->address, text, strlen(text), I2P_SAM_PORT) ||
        !net_address_is_valid(&proxy->address))
        return error_set(err, E_MALFORMED, "Invalid -i2psam address or hostname: '%s'", text);
    proxy->is_set = true;
    return 0;
}

int proxies_read(struct proxies *ret, const struct proxies_options *options, struct error *err)
{
    struct proxies proxies = {0};
    int rc;

    rc = take_only_net(&proxies, options, err);
    for (size_t i = 0; i < options->proxy_n && rc == 0; i++)
        rc = take_proxy(&proxies, options->proxy[i], options->randomize, err);
    if (rc == 0)
        rc = take_onion(&proxies, options, err);
    if (rc == 0)
        rc = take_i2p(&proxies, options, err);
    if (rc == 0)
        *ret = proxies;
    return rc;
}

const struct proxy *proxies_find(const struct proxies *proxies, enum net_kind net)
{
    return proxies->by_net[net].is_set ? &proxies->by_net[net] : NULL;
}

const char *proxy_text(char *ret_text, const struct proxy *proxy)
{
    ret_text[0] = '\0';
    if (proxy == NULL || !proxy->is_set)
        return ret_text;
    if (proxy->path[0] == '\0')
        return net_address_text(ret_text, &proxy->address);
    (void)snprintf(ret_text, PROXY_TEXT_SIZE, UNIX_PREFIX "%s", proxy->path);
    return ret_text;
}

bool proxy_endpoint(struct net_endpoint *ret, const struct proxy *proxy)
{
    uint8_t key[NET_ADDRESS_BYTES_MAX];

    *ret = (struct net_endpoint){.port = proxy->address.port, .scope = proxy->address.scope};
    memcpy(ret->path, proxy->path, sizeof(ret->path));
    if (proxy->path[0] != '\0')
        return true;
    if (proxy->address.net != NET_IPV4 && proxy->address.net != NET_IPV6)
        return false;
    (void)net_address_key(key, &proxy->address, false);
    memcpy(ret->ip, key, sizeof(ret->ip));
    return true;
}
