/* Where we listen, and whom we let in there. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "p2p/p2p_priv.h"

uint16_t connect_listen_port(const struct p2p *p2p)
{
    return p2p->options.port != 0 ? p2p->options.port : p2p->params->p2p_port;
}

static struct connect_listener *add_listener(struct p2p *p2p, const struct net_address *address,
                                             uint32_t permissions, bool is_onion)
{
    struct p2p_connect *c = &p2p->connect;
    struct connect_listener *listener;

    c->listeners = realloc_array(c->listeners, c->listeners_n + 1, sizeof(*c->listeners));
    listener = &c->listeners[c->listeners_n++];
    *listener = (struct connect_listener){
        .address = *address, .permissions = permissions, .is_onion = is_onion};
    if (p2p->options.cjdns_reachable)
        net_address_to_cjdns(&listener->address);
    return listener;
}

static void warn_of_bad_port(const char *option, uint16_t port)
{
    if (net_port_is_bad(port))
        log_warning("net",
                    "%s request to listen on port %u. This port is considered \"bad\" and thus it "
                    "is unlikely that any peer will connect to it. See doc/p2p-bad-ports.md for "
                    "details and a full list.",
                    option, port);
}

/* "addr[:port]", "addr[:port]=onion" */
static int read_bind(struct p2p *p2p, const char *text, struct error *err)
{
    const char *mark = strrchr(text, '=');
    size_t len = mark == NULL ? strlen(text) : (size_t)(mark - text);
    bool is_onion = mark != NULL && strcmp(mark, "=onion") == 0;
    uint16_t port = (uint16_t)(connect_listen_port(p2p) + (is_onion ? 1 : 0));
    struct net_address address;

    if ((mark != NULL && !is_onion) || !net_address_read(&address, text, len, port))
        return error_set(err, E_MALFORMED, "Cannot resolve -bind address: '%s'", text);
    if (!is_onion)
        warn_of_bad_port("-bind", address.port);
    (void)add_listener(p2p, &address, 0, is_onion);
    return 0;
}

/* Without -bind and -whitebind: everywhere. */
static void add_defaults(struct p2p *p2p)
{
    static const uint8_t any[16];
    struct net_address address = net_address_ipv6(any, 0, connect_listen_port(p2p));

    add_listener(p2p, &address, 0, false)->may_fail = true;
    address = net_address_ipv4(any, connect_listen_port(p2p));
    (void)add_listener(p2p, &address, 0, false);
    if (p2p->options.port != 0)
        warn_of_bad_port("-port", p2p->options.port);
}

/* Onion services come to a port of their own, so that they can be told from others. */
static void add_onion_default(struct p2p *p2p)
{
    static const uint8_t loopback[4] = {127, 0, 0, 1};
    struct net_address address =
        net_address_ipv4(loopback, (uint16_t)(connect_listen_port(p2p) + 1));

    (void)add_listener(p2p, &address, 0, true);
}

static int check_conflicts(const struct p2p *p2p, struct error *err)
{
    const struct p2p_connect *c = &p2p->connect;
    char text[NET_ADDRESS_TEXT_SIZE];

    for (size_t i = 0; i < c->listeners_n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (net_address_equal(&c->listeners[i].address, &c->listeners[k].address))
                return error_set(
                    err, E_MALFORMED,
                    "Duplicate binding configuration for address %s. Please check your "
                    "-bind, -bind=...=onion and -whitebind settings.",
                    net_address_text(text, &c->listeners[i].address));
        }
    }
    return 0;
}

int connect_read_binds(struct p2p *p2p, struct error *err)
{
    const struct p2p_options *o = &p2p->options;
    bool has_place = false;
    bool has_onion = false;

    for (size_t i = 0; i < o->bind_n; i++) {
        int rc = read_bind(p2p, o->bind[i], err);

        if (rc < 0)
            return rc;
        has_onion = has_onion || p2p->connect.listeners[i].is_onion;
        has_place = has_place || !p2p->connect.listeners[i].is_onion;
    }
    for (size_t i = 0; i < o->whitebind_n; i++) {
        struct net_whitebind bind;
        int rc = net_whitebind_read(&bind, o->whitebind[i], err);

        if (rc < 0)
            return rc;
        (void)add_listener(p2p, &bind.address, bind.permissions, false);
    }
    if (o->bind_n == 0 && o->whitebind_n == 0)
        add_defaults(p2p);
    if (!has_onion && !has_place)
        add_onion_default(p2p);
    return check_conflicts(p2p, err);
}

static int listen_at(struct p2p *p2p, size_t i, struct error *err)
{
    const struct connect_listener *listener = &p2p->connect.listeners[i];
    char text[NET_ADDRESS_TEXT_SIZE];
    struct net_endpoint endpoint;
    struct error why = {0};
    int rc;

    (void)net_address_text(text, &listener->address);
    if (!net_endpoint_of_address(&endpoint, &listener->address))
        return error_set(err, E_MALFORMED, "Bind address family for %s not supported", text);
    rc = p2p->net->ops->listen(p2p->net, &endpoint, (int)i, &why);
    if (rc == E_EXISTS)
        return error_set(err, rc,
                         "Unable to bind to %s on this computer. %s is probably already running.",
                         text, p2p->options.client_name);
    if (rc < 0)
        return error_set(err, rc, "Unable to bind to %s on this computer (bind returned error %s)",
                         text, error_text(&why));
    log_info("net", "Bound to %s", text);
    return 0;
}

int connect_listen(struct p2p *p2p, struct error *err)
{
    for (size_t i = 0; i < p2p->connect.listeners_n; i++) {
        struct error why = {0};
        int rc = listen_at(p2p, i, &why);

        if (rc < 0)
            log_error("net", "%s", error_text(&why));
        if (rc < 0 && !p2p->connect.listeners[i].may_fail)
            return error_set(err, rc, "%s", error_text(&why));
    }
    return 0;
}

/* --- Who comes --- */

static uint32_t permissions_of(const struct p2p *p2p, uint32_t permissions,
                               const struct net_address *address)
{
    const struct p2p_connect *c = &p2p->connect;

    for (size_t i = 0; address != NULL && i < c->whitelist_n; i++) {
        if (c->whitelist[i].inbound && net_subnet_contains(&c->whitelist[i].subnet, address))
            permissions |= c->whitelist[i].permissions;
    }
    return net_permissions_resolve(permissions, p2p->options.whitelist_relay,
                                   p2p->options.whitelist_force_relay);
}

static uint32_t count_inbound(const struct p2p *p2p)
{
    uint32_t n = 0;

    for (const struct peer *peer = p2p->first; peer != NULL; peer = peer->next)
        n += peer_is_inbound(peer) && !peer->is_doomed;
    return n;
}

enum verdict_of_guest { TAKEN, REFUSED_OFF, REFUSED_BANNED, REFUSED_DISCOURAGED, REFUSED_FULL };

static enum verdict_of_guest judge(struct p2p *p2p, const struct peer_birth *birth)
{
    bool is_spared = (birth->permissions & PERMISSION_NO_BAN) == PERMISSION_NO_BAN;
    uint32_t inbound = count_inbound(p2p);

    if (!p2p->is_active)
        return REFUSED_OFF;
    if (!is_spared && connect_is_banned(p2p, &birth->address))
        return REFUSED_BANNED;
    if (!is_spared && inbound + 1 >= p2p->connect.inbound_max && birth->is_easily_evicted)
        return REFUSED_DISCOURAGED;
    if (inbound >= p2p->connect.inbound_max && !connect_evict_one(p2p, false, -1))
        return REFUSED_FULL;
    return TAKEN;
}

struct peer *connect_take(struct p2p *p2p, net_conn conn, uint32_t permissions, bool is_onion,
                          const struct net_address *address, const struct net_address *bind)
{
    /* What Tor hands on has no address of its own. */
    struct peer_birth birth = {.conn = conn,
                               .kind = PEER_INBOUND,
                               .address = *address,
                               .bind = *bind,
                               .permissions =
                                   permissions_of(p2p, permissions, is_onion ? NULL : address),
                               .is_inbound_onion = is_onion,
                               .is_easily_evicted = connect_is_discouraged(p2p, address),
                               .v2 = p2p->options.v2_transport};
    char text[NET_ADDRESS_TEXT_SIZE];
    struct peer *peer;

    (void)net_address_text(text, address);
    switch (judge(p2p, &birth)) {
    case REFUSED_OFF:
        log_debug("net", "connection from %s dropped: not accepting new connections", text);
        break;
    case REFUSED_BANNED:
        log_debug("net", "connection from %s dropped (banned)", text);
        break;
    case REFUSED_DISCOURAGED:
        log_debug("net", "connection from %s dropped (discouraged)", text);
        break;
    case REFUSED_FULL:
        log_debug("net", "failed to find an eviction candidate - connection dropped (full)");
        break;
    case TAKEN:
        peer = peer_add(p2p, &birth);
        log_debug("net", "connection from %s accepted", text);
        return peer;
    }
    p2p->net->ops->close(p2p->net, conn);
    return NULL;
}

void connect_accepted(struct p2p *p2p, net_conn conn, int tag, const struct net_endpoint *peer,
                      const struct net_endpoint *local)
{
    const struct connect_listener *listener = &p2p->connect.listeners[tag];
    struct net_address address = net_address_of_endpoint(peer);
    struct net_address bind = net_address_of_endpoint(local);

    if (p2p->options.cjdns_reachable) {
        net_address_to_cjdns(&address);
        net_address_to_cjdns(&bind);
    }
    (void)connect_take(p2p, conn, listener->permissions, listener->is_onion, &address, &bind);
}
