/* Calling others: names are looked up, addresses tried one after the other; -connect,
 * added nodes, second tries with v1. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "p2p/addrman.h"
#include "p2p/p2p_priv.h"

#define ADDED_PAUSE_MS 500      /* Between two added nodes. */
#define ADDED_AGAIN_MS 60000    /* After a round in which one was called ... */
#define ADDED_LOOK_MS 2000      /* ... and after one in which none was. */
#define SPECIFIED_PAUSE_MS 500  /* -connect: a step of the pause that grows ... */
#define SPECIFIED_STEPS_MAX 10U /* ... with every round, up to this. */
#define I2P_PORT 0

bool connect_uses_v2(const struct p2p *p2p)
{
    return p2p->options.v2_transport;
}

static bool read_numeric(const struct p2p *p2p, struct net_address *ret, const char *name)
{
    if (!net_address_read(ret, name, strlen(name), connect_default_port(p2p, name)))
        return false;
    if (p2p->options.cjdns_reachable)
        net_address_to_cjdns(ret);
    return true;
}

uint16_t connect_default_port(const struct p2p *p2p, const char *name)
{
    struct net_address address;

    if (net_address_read_host(&address, name, strlen(name)) && address.net == NET_I2P)
        return I2P_PORT;
    return p2p->params->p2p_port;
}

/* --- Counting --- */

uint32_t connect_count(const struct p2p *p2p, enum peer_kind kind)
{
    uint32_t n = 0;

    for (const struct peer *peer = p2p->first; peer != NULL; peer = peer->next)
        n += peer->kind == kind && !peer->is_doomed;
    for (const struct dial *dial = p2p->connect.dials; dial != NULL; dial = dial->next)
        n += dial->kind == kind;
    return n;
}

uint32_t connect_count_automatic(const struct p2p *p2p)
{
    return connect_count(p2p, PEER_FULL_RELAY) + connect_count(p2p, PEER_BLOCK_RELAY) +
           connect_count(p2p, PEER_FEELER) + connect_count(p2p, PEER_ADDR_FETCH);
}

static bool is_connected_to(const struct p2p *p2p, const struct net_address *address)
{
    for (const struct peer *peer = p2p->first; peer != NULL; peer = peer->next) {
        if (net_address_equal(&peer->address, address))
            return true;
    }
    return false;
}

bool connect_is_calling(const struct p2p *p2p, const char *name)
{
    for (const struct dial *dial = p2p->connect.dials; dial != NULL; dial = dial->next) {
        if (strcmp(dial->name, name) == 0)
            return true;
    }
    return false;
}

/* By the name it was called by, or is called by now. */
static bool is_name_in_use(const struct p2p *p2p, const char *name)
{
    for (const struct peer *peer = p2p->first; peer != NULL; peer = peer->next) {
        if (strcmp(peer->name, name) == 0)
            return true;
    }
    return connect_is_calling(p2p, name);
}

/* --- One call --- */

static struct dial *dial_of_stream(struct stream *stream)
{
    return (struct dial *)((char *)stream - offsetof(struct dial, stream));
}

static void dial_free(struct p2p *p2p, struct dial *own_dial)
{
    struct dial **at = &p2p->connect.dials;

    while (*at != own_dial)
        at = &(*at)->next;
    *at = own_dial->next;
    lookup_forget(p2p, &own_dial->lookup);
    stream_close(p2p, &own_dial->stream);
    i2p_link_clear(&own_dial->link);
    connect_i2p_give_back(p2p, own_dial->carrier);
    free(own_dial->addresses);
    free(own_dial);
}

void connect_end_dials(struct p2p *p2p)
{
    while (p2p->connect.dials != NULL)
        dial_free(p2p, p2p->connect.dials);
    while (p2p->connect.retries != NULL) {
        struct connect_retry *retry = p2p->connect.retries;

        p2p->connect.retries = retry->next;
        free(retry);
    }
}

static uint32_t permissions_of(const struct p2p *p2p, const struct dial *dial,
                               const struct net_address *address)
{
    const struct p2p_connect *c = &p2p->connect;
    uint32_t permissions = 0;

    for (size_t i = 0; dial->kind == PEER_MANUAL && i < c->whitelist_n; i++) {
        if (c->whitelist[i].outbound && net_subnet_contains(&c->whitelist[i].subnet, address))
            permissions |= c->whitelist[i].permissions;
    }
    return net_permissions_resolve(permissions, p2p->options.whitelist_relay,
                                   p2p->options.whitelist_force_relay);
}

static void send_out(struct p2p *p2p, struct dial *dial, struct buf *own_out)
{
    if (own_out->len > 0 && dial->stream.conn != 0)
        p2p->net->ops->send(p2p->net, dial->stream.conn, span_of_buf(own_out));
    buf_clear(own_out);
}

/* rest: what came behind a proxy's last word is the peer's. */
static void become_peer(struct p2p *p2p, struct dial *dial, const struct net_address *bind,
                        struct span rest)
{
    struct net_address *address = &dial->addresses[dial->at];
    struct peer_birth birth = {.conn = stream_release(p2p, &dial->stream),
                               .kind = dial->kind,
                               .address = *address,
                               .bind = *bind,
                               .dest = dial->name,
                               .permissions = permissions_of(p2p, dial, address),
                               .known_services = dial->services,
                               .v2 = dial->v2};
    struct i2p_carrier *carrier = dial->carrier;
    struct peer *peer;

    if (p2p->options.cjdns_reachable)
        net_address_to_cjdns(&birth.bind);
    dial->carrier = NULL;
    addrman_attempt(p2p->connect.addrman, address, dial->counts_failure, p2p_now_s(p2p));
    peer = peer_add(p2p, &birth);
    if (carrier != NULL)
        connect_i2p_bind(p2p, carrier, peer->id);
    dial_free(p2p, dial);
    if (rest.len > 0)
        peer_received(peer, rest);
}

static void try_next(struct p2p *p2p, struct dial *dial);

static void say_failure(const struct dial *dial, const struct error *err)
{
    char text[PROXY_TEXT_SIZE];
    bool is_loud = dial->kind == PEER_MANUAL || dial->way != DIAL_DIRECTLY;

    (void)net_address_text(text, &dial->addresses[dial->at]);
    if (dial->way == DIAL_SOCKS5)
        (void)proxy_text(text, dial->proxy);
    if (strstr(error_text(err), "timed out") != NULL)
        log_debug("net", "connection attempt to %s timed out", text);
    else if (is_loud)
        log_info("net", "connect() to %s failed after wait: %s", text, error_text(err));
    else
        log_debug("net", "connect() to %s failed after wait: %s", text, error_text(err));
}

/* blames_peer: the proxy, if there is one, works. */
static void give_up_address(struct p2p *p2p, struct dial *dial, bool blames_peer)
{
    if (blames_peer && net_address_is_valid(&dial->addresses[dial->at]))
        addrman_attempt(p2p->connect.addrman, &dial->addresses[dial->at], dial->counts_failure,
                        p2p_now_s(p2p));
    stream_close(p2p, &dial->stream);
    i2p_link_clear(&dial->link);
    connect_i2p_give_back(p2p, dial->carrier);
    dial->carrier = NULL;
    dial->deadline_ms = 0;
    dial->at++;
    try_next(p2p, dial);
}

static void begin_socks5(struct p2p *p2p, struct dial *dial)
{
    const struct net_address *address = &dial->addresses[dial->at];
    char text[SOCKS5_HOST_MAX + 1];
    uint16_t port = address->port;
    struct socks5_auth auth;
    struct buf out = {0};
    struct span host;

    if (net_address_is_valid(address)) {
        (void)net_address_host_text(text, address);
    } else {
        port = connect_default_port(p2p, dial->name);
        (void)net_host_port_split(&host, &port, dial->name, strlen(dial->name));
        (void)snprintf(text, sizeof(text), "%.*s", (int)host.len, (const char *)host.data);
    }
    if (dial->proxy->isolates)
        socks5_isolation_next(&p2p->connect.isolation, &auth);
    dial->deadline_ms = p2p_real_ms(p2p) + SOCKS5_TIMEOUT_MS;
    if (socks5_begin(&dial->socks, text, port, dial->proxy->isolates ? &auth : NULL, &out, NULL) <
        0) {
        buf_clear(&out);
        give_up_address(p2p, dial, true);
        return;
    }
    send_out(p2p, dial, &out);
}

static void on_connected(struct p2p *p2p, struct stream *stream, int rc,
                         const struct net_endpoint *local, const struct error *err)
{
    struct dial *dial = dial_of_stream(stream);
    struct net_address bind = rc == 0 ? net_address_of_endpoint(local) : (struct net_address){0};
    char text[PROXY_TEXT_SIZE];
    char address[NET_ADDRESS_TEXT_SIZE];
    struct i2p_session *session;
    struct error why = {0};
    struct buf out = {0};
    bool has_failed;

    dial->bind = bind;
    if (rc < 0) {
        if (dial->way == DIAL_I2P)
            log_debug("i2p", "Error connecting to %s: Cannot connect to %s",
                      net_address_text(address, &dial->addresses[dial->at]),
                      proxy_text(text, dial->proxy));
        else
            say_failure(dial, err);
        give_up_address(p2p, dial, dial->way == DIAL_DIRECTLY);
    } else if (dial->way == DIAL_DIRECTLY) {
        become_peer(p2p, dial, &bind, span_of(NULL, 0));
    } else if (dial->way == DIAL_SOCKS5) {
        begin_socks5(p2p, dial);
    } else {
        session = connect_i2p_session(dial->carrier, dial->carrier_mark, &has_failed, &why);
        if (session == NULL) {
            give_up_address(p2p, dial, false);
            return;
        }
        dial->deadline_ms = p2p_real_ms(p2p) + I2P_ANSWER_MS;
        i2p_link_begin(&dial->link, session, I2P_CONNECT, &dial->addresses[dial->at], &out);
        send_out(p2p, dial, &out);
    }
}

static void socks5_received(struct p2p *p2p, struct dial *dial, struct span bytes)
{
    struct buf out = {0};
    size_t used;
    int rc = socks5_feed(&dial->socks, &used, bytes, &out, NULL);

    send_out(p2p, dial, &out);
    dial->deadline_ms = p2p_real_ms(p2p) + SOCKS5_TIMEOUT_MS;
    if (rc < 0)
        give_up_address(p2p, dial, true);
    else if (dial->socks.state == SOCKS5_DONE)
        become_peer(p2p, dial, &dial->bind, span_of(bytes.data + used, bytes.len - used));
}

static void i2p_received(struct p2p *p2p, struct dial *dial, struct span bytes)
{
    struct net_address own = *i2p_session_address(dial->link.session);
    struct buf out = {0};
    size_t used;
    int rc = i2p_link_feed(&dial->link, &used, bytes, &out, NULL);

    send_out(p2p, dial, &out);
    if (rc < 0)
        give_up_address(p2p, dial, dial->link.blames_peer);
    else if (dial->link.state == I2P_DONE)
        become_peer(p2p, dial, &own, span_of(bytes.data + used, bytes.len - used));
}

/* Only proxies speak before the connection is a peer's. */
static void on_received(struct p2p *p2p, struct stream *stream, struct span bytes)
{
    struct dial *dial = dial_of_stream(stream);

    CHECK(dial->way != DIAL_DIRECTLY);
    if (dial->way == DIAL_SOCKS5)
        socks5_received(p2p, dial, bytes);
    else
        i2p_received(p2p, dial, bytes);
}

static void on_closed(struct p2p *p2p, struct stream *stream, const struct error *err)
{
    struct dial *dial = dial_of_stream(stream);

    if (dial->way == DIAL_SOCKS5)
        log_info("net",
                 "Socks5() connect to %s:%u failed: InterruptibleRecv() timeout or other "
                 "failure",
                 dial->socks.host, dial->socks.port);
    else
        say_failure(dial, err);
    give_up_address(p2p, dial, dial->way != DIAL_I2P);
}

/* By which way; false: there is none. */
static bool choose_way(struct p2p *p2p, struct dial *dial, struct net_endpoint *ret)
{
    const struct net_address *address = &dial->addresses[dial->at];
    const struct proxies *proxies = &p2p->connect.proxies;
    char text[NET_ADDRESS_TEXT_SIZE];
    char proxy[PROXY_TEXT_SIZE];

    dial->way = DIAL_DIRECTLY;
    if (!net_address_is_valid(address))
        dial->proxy = proxies->names.is_set ? &proxies->names : NULL;
    else if (dial->kind == PEER_PRIVATE_BROADCAST && address->net != NET_I2P)
        dial->proxy = proxies_find(proxies, NET_ONION);
    else
        dial->proxy = proxies_find(proxies, net_address_net(address));
    if (dial->proxy == NULL)
        return dial->kind != PEER_PRIVATE_BROADCAST && net_address_is_valid(address) &&
               net_endpoint_of_address(ret, address);
    dial->way = address->net == NET_I2P ? DIAL_I2P : DIAL_SOCKS5;
    if (dial->way == DIAL_I2P)
        return i2p_may_connect(address) && proxy_endpoint(ret, dial->proxy);
    if (net_address_is_valid(address))
        log_debug("proxy", "Using proxy: %s to connect to %s", proxy_text(proxy, dial->proxy),
                  net_address_text(text, address));
    return proxy_endpoint(ret, dial->proxy);
}

static void try_next(struct p2p *p2p, struct dial *dial)
{
    for (; dial->at < dial->addresses_n; dial->at++) {
        struct net_endpoint endpoint;

        if (!choose_way(p2p, dial, &endpoint))
            continue;
        if (dial->way == DIAL_I2P) {
            /* Goes on when the session is there: wait_for_sessions. */
            dial->carrier =
                connect_i2p_take(p2p, dial->kind == PEER_PRIVATE_BROADCAST, &dial->carrier_mark);
            return;
        }
        stream_open(p2p, &dial->stream, &endpoint, p2p->options.connect_timeout_ms);
        return;
    }
    dial_free(p2p, dial);
}

/* A call through I2P begins when there is a session to call from. */
static void go_on(struct p2p *p2p, struct dial *dial)
{
    struct net_endpoint endpoint;
    struct error why = {0};
    char text[NET_ADDRESS_TEXT_SIZE];
    bool has_failed;

    if (connect_i2p_session(dial->carrier, dial->carrier_mark, &has_failed, &why) != NULL) {
        if (proxy_endpoint(&endpoint, dial->proxy))
            stream_open(p2p, &dial->stream, &endpoint, p2p->options.connect_timeout_ms);
        else
            give_up_address(p2p, dial, false);
    } else if (has_failed) {
        log_debug("i2p", "Error connecting to %s: %s",
                  net_address_text(text, &dial->addresses[dial->at]), error_text(&why));
        give_up_address(p2p, dial, false);
    }
}

/* Proxies that do not answer, sessions that came. */
static void look_at_dials(struct p2p *p2p)
{
    struct dial *next;

    for (struct dial *dial = p2p->connect.dials; dial != NULL; dial = next) {
        next = dial->next;
        if (dial->way == DIAL_I2P && dial->carrier != NULL && dial->stream.conn == 0)
            go_on(p2p, dial);
        else if (dial->deadline_ms != 0 && p2p_real_ms(p2p) >= dial->deadline_ms)
            give_up_address(p2p, dial, dial->way == DIAL_SOCKS5);
    }
}

/* One connection to a name is enough, whichever of its addresses. */
static bool leads_to_peer(const struct p2p *p2p, const struct dial *dial)
{
    char text[NET_ADDRESS_TEXT_SIZE];

    for (size_t i = 0; i < dial->addresses_n; i++) {
        if (!is_connected_to(p2p, &dial->addresses[i]))
            continue;
        log_info("net", "Not opening a connection to %s, already connected to %s", dial->name,
                 net_address_text(text, &dial->addresses[i]));
        return true;
    }
    return false;
}

static void on_resolved(struct p2p *p2p, struct lookup *lookup,
                        const struct net_endpoint *endpoints, size_t n)
{
    struct dial *dial = (struct dial *)((char *)lookup - offsetof(struct dial, lookup));
    struct span host;
    uint16_t port = connect_default_port(p2p, dial->name);

    (void)net_host_port_split(&host, &port, dial->name, strlen(dial->name));
    dial->addresses = alloc_array(n + 1, sizeof(*dial->addresses));
    for (size_t i = 0; i < n; i++) {
        struct net_address address = net_address_of_endpoint(&endpoints[i]);
        size_t place = (size_t)random_below(&p2p->random, i + 1);

        address.port = port;
        if (p2p->options.cjdns_reachable)
            net_address_to_cjdns(&address);
        dial->addresses[i] = dial->addresses[place];
        dial->addresses[place] = address;
    }
    dial->addresses_n = n;
    if (n == 0)
        log_debug("net", "could not look up %s", dial->name);
    if (leads_to_peer(p2p, dial))
        dial_free(p2p, dial);
    else
        try_next(p2p, dial);
}

static void look_up(struct p2p *p2p, struct dial *dial)
{
    struct span host;
    uint16_t port = 0;
    char name[PEER_TEXT_SIZE];

    (void)net_host_port_split(&host, &port, dial->name, strlen(dial->name));
    (void)snprintf(name, sizeof(name), "%.*s", (int)host.len, (const char *)host.data);
    dial->lookup.resolved = on_resolved;
    if (p2p->connect.proxies.names.is_set) {
        /* One address that is none: the proxy looks the name up. */
        dial->addresses = alloc_array(1, sizeof(*dial->addresses));
        dial->addresses_n = 1;
        try_next(p2p, dial);
    } else if (p2p->options.dns) {
        lookup_start(p2p, &dial->lookup, name, DIAL_ADDRESSES_MAX);
    } else {
        on_resolved(p2p, &dial->lookup, NULL, 0);
    }
}

static void say_trying(const struct p2p *p2p, const struct dial_wish *wish)
{
    char text[NET_ADDRESS_TEXT_SIZE];
    double hours = wish->name != NULL ? 0 : (double)(p2p_now_s(p2p) - wish->seen_s) / 3600;

    log_debug("net", "trying %s connection (%s) to %s, lastseen=%.1fhrs", wish->v2 ? "v2" : "v1",
              peer_kind_name(wish->kind),
              wish->name != NULL ? wish->name : net_address_text(text, &wish->address), hours);
}

bool connect_dial(struct p2p *p2p, const struct dial_wish *wish)
{
    char text[NET_ADDRESS_TEXT_SIZE];
    struct dial *dial;
    struct net_address address = wish->address;
    bool is_numeric = wish->name == NULL || read_numeric(p2p, &address, wish->name);

    if (!p2p->is_active || !p2p->is_started ||
        (wish->name != NULL && is_name_in_use(p2p, wish->name)))
        return false;
    if (wish->name == NULL &&
        (connect_is_local(p2p, &address) || connect_is_refused(p2p, &address)))
        return false;
    if (wish->name == NULL && is_connected_to(p2p, &address)) {
        log_info("net", "Failed to open new connection to %s, already connected",
                 net_address_text(text, &address));
        return false;
    }
    say_trying(p2p, wish);
    dial = alloc_zero(sizeof(*dial));
    dial->kind = wish->kind;
    dial->v2 = wish->v2;
    dial->services = wish->services;
    dial->counts_failure = wish->counts_failure;
    dial->stream.connected = on_connected;
    dial->stream.received = on_received;
    dial->stream.closed = on_closed;
    (void)snprintf(dial->name, sizeof(dial->name), "%s", wish->name == NULL ? "" : wish->name);
    dial->next = p2p->connect.dials;
    p2p->connect.dials = dial;
    if (!is_numeric) {
        look_up(p2p, dial);
        return true;
    }
    dial->addresses = alloc_array(1, sizeof(*dial->addresses));
    dial->addresses[0] = address;
    dial->addresses_n = 1;
    if (wish->name != NULL && leads_to_peer(p2p, dial)) {
        dial_free(p2p, dial);
        return false;
    }
    try_next(p2p, dial);
    return true;
}

/* --- Second tries --- */

void connect_retry_v1(struct peer *peer)
{
    struct connect_retry *retry = alloc_zero(sizeof(*retry));
    struct connect_retry **at = &peer->p2p->connect.retries;

    retry->kind = peer->kind;
    retry->address = peer->address;
    (void)snprintf(retry->name, sizeof(retry->name), "%s", peer->dest);
    while (*at != NULL)
        at = &(*at)->next;
    *at = retry;
}

static void retry_due(struct p2p *p2p)
{
    struct connect_retry *retry;

    while ((retry = p2p->connect.retries) != NULL) {
        struct dial_wish wish = {.kind = retry->kind,
                                 .address = retry->address,
                                 .name = retry->name[0] == '\0' ? NULL : retry->name,
                                 .seen_s = p2p_now_s(p2p)};

        p2p->connect.retries = retry->next;
        (void)connect_dial(p2p, &wish);
        free(retry);
    }
}

/* --- Added nodes --- */

enum peers_answer connect_add_node(struct p2p *p2p, const char *node, const char *command,
                                   bool use_v2)
{
    struct p2p_connect *c = &p2p->connect;
    struct net_address wanted;
    bool is_numeric = read_numeric(p2p, &wanted, node);
    size_t i;

    if (strcmp(command, "onetry") == 0) {
        struct dial_wish wish = {.kind = PEER_MANUAL, .name = node, .v2 = use_v2};

        (void)connect_dial(p2p, &wish);
        return PEERS_OK;
    }
    for (i = 0; i < c->added_n; i++) {
        struct net_address other;

        if (strcmp(c->added[i].name, node) == 0)
            break;
        if (strcmp(command, "add") == 0 && is_numeric &&
            read_numeric(p2p, &other, c->added[i].name) && net_address_equal(&wanted, &other))
            break;
    }
    if (strcmp(command, "add") == 0) {
        struct connect_added added = {.v2 = use_v2};

        if (i < c->added_n)
            return PEERS_EXISTS;
        (void)snprintf(added.name, sizeof(added.name), "%s", node);
        c->added = realloc_array(c->added, c->added_n + 1, sizeof(*c->added));
        c->added[c->added_n++] = added;
        return PEERS_OK;
    }
    if (i == c->added_n)
        return PEERS_NOT_FOUND;
    c->added_n--;
    memmove(&c->added[i], &c->added[i + 1], (c->added_n - i) * sizeof(*c->added));
    return PEERS_OK;
}

static const struct peer *peer_of_added(const struct p2p *p2p, const char *name)
{
    struct net_address address;
    bool is_numeric = read_numeric(p2p, &address, name);

    for (const struct peer *peer = p2p->first; peer != NULL; peer = peer->next) {
        if (is_numeric ? net_address_equal(&peer->address, &address)
                       : strcmp(peer->name, name) == 0)
            return peer;
    }
    return NULL;
}

void connect_added(struct p2p *p2p, struct peers_added **ret_list, size_t *ret_n,
                   struct arena *arena)
{
    const struct p2p_connect *c = &p2p->connect;

    *ret_list = arena_array(arena, c->added_n, sizeof(**ret_list));
    *ret_n = c->added_n;
    for (size_t i = 0; i < c->added_n; i++) {
        struct peers_added *at = &(*ret_list)[i];
        const struct peer *peer = peer_of_added(p2p, c->added[i].name);

        memcpy(at->node, c->added[i].name, sizeof(at->node));
        at->is_connected = peer != NULL;
        if (peer == NULL)
            continue;
        at->is_inbound = peer_is_inbound(peer);
        (void)net_address_text(at->address, &peer->address);
    }
}

static uint32_t count_manual_dials(const struct p2p *p2p)
{
    uint32_t n = 0;

    for (size_t i = 0; i < p2p->connect.added_n; i++) {
        const char *name = p2p->connect.added[i].name;

        n += peer_of_added(p2p, name) != NULL || is_name_in_use(p2p, name);
    }
    return n;
}

static void added_due(struct p2p *p2p, int64_t now_ms)
{
    struct p2p_connect *c = &p2p->connect;

    if (now_ms < c->added_at_ms)
        return;
    while (c->added_next < c->added_n && count_manual_dials(p2p) < ADDED_MAX) {
        const struct connect_added *added = &c->added[c->added_next++];
        struct dial_wish wish = {.kind = PEER_MANUAL, .name = added->name, .v2 = added->v2};

        if (peer_of_added(p2p, added->name) != NULL || is_name_in_use(p2p, added->name))
            continue;
        c->added_tried = true;
        (void)connect_dial(p2p, &wish);
        c->added_at_ms = now_ms + ADDED_PAUSE_MS;
        return;
    }
    c->added_next = 0;
    c->added_at_ms = now_ms + (c->added_tried ? ADDED_AGAIN_MS : ADDED_LOOK_MS);
    c->added_tried = false;
}

/* --- -connect --- */

static void specified_due(struct p2p *p2p, int64_t now_ms)
{
    struct p2p_connect *c = &p2p->connect;
    const struct p2p_options *o = &p2p->options;
    struct dial_wish wish = {.kind = PEER_MANUAL, .v2 = o->v2_transport};

    if (now_ms < c->specified_at_ms || o->connect_n == 0 ||
        (o->connect_n == 1 && strcmp(o->connect[0], "0") == 0))
        return;
    wish.name = o->connect[c->specified_next];
    if (!is_name_in_use(p2p, wish.name))
        (void)connect_dial(p2p, &wish);
    c->specified_at_ms =
        now_ms + (int64_t)MIN(c->specified_rounds, SPECIFIED_STEPS_MAX) * SPECIFIED_PAUSE_MS;
    if (++c->specified_next < o->connect_n)
        return;
    c->specified_next = 0;
    c->specified_rounds = MIN(c->specified_rounds + 1, SPECIFIED_STEPS_MAX);
    c->specified_at_ms += SPECIFIED_PAUSE_MS;
}

void connect_dial_due(struct p2p *p2p)
{
    int64_t now_ms = p2p_real_ms(p2p);

    look_at_dials(p2p);
    retry_due(p2p);
    specified_due(p2p, now_ms);
    added_due(p2p, now_ms);
}

/* --- addconnection --- */

enum peers_answer connect_add_connection(struct p2p *p2p, const char *address, const char *type,
                                         bool use_v2)
{
    static const enum peer_kind kinds[] = {PEER_FULL_RELAY, PEER_BLOCK_RELAY, PEER_ADDR_FETCH,
                                           PEER_FEELER};
    const struct p2p_connect *c = &p2p->connect;
    struct dial_wish wish = {.name = address, .v2 = use_v2};
    uint32_t max;
    size_t i;

    for (i = 0; i < ARRAY_LEN(kinds) && strcmp(peer_kind_name(kinds[i]), type) != 0; i++)
        continue;
    if (i == ARRAY_LEN(kinds))
        return PEERS_STATE;
    wish.kind = kinds[i];
    max = wish.kind == PEER_FULL_RELAY    ? c->full_relay_max
          : wish.kind == PEER_BLOCK_RELAY ? c->block_relay_max
                                          : UINT32_MAX;
    if (connect_count(p2p, wish.kind) >= max || connect_count_automatic(p2p) >= c->automatic_max)
        return PEERS_FULL;
    (void)connect_dial(p2p, &wish);
    return PEERS_OK;
}
