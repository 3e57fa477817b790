/* Calls that go out by themselves: what outbound and the DNS seeds decide is done here. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "p2p/anchors.h"
#include "p2p/dns_seeds.h"
#include "p2p/fixed_seeds.h"
#include "p2p/outbound.h"
#include "p2p/p2p_priv.h"

#define SERVICE_P2P_V2 (1U << 11)

struct connect_automatic {
    struct outbound *outbound; /* NULL: -connect. */
    struct dns_seeds *seeds;   /* NULL: none are asked. */
    struct lookup lookup;      /* Of a seed. */
};

/* --- What outbound asks --- */

static bool is_local(void *context, const struct net_address *address)
{
    return connect_is_local(context, address);
}

static bool is_connected(void *context, const struct net_address *address)
{
    const struct p2p *p2p = context;

    for (const struct peer *peer = p2p->first; peer != NULL; peer = peer->next) {
        if (net_address_host_equal(&peer->address, address))
            return true;
    }
    return false;
}

static bool is_added(void *context, const struct net_address *address)
{
    const struct p2p *p2p = context;
    char text[NET_ADDRESS_TEXT_SIZE];
    char host[NET_ADDRESS_TEXT_SIZE];

    (void)net_address_text(text, address);
    (void)net_address_host_text(host, address);
    for (size_t i = 0; i < p2p->connect.added_n; i++) {
        const char *name = p2p->connect.added[i].name;

        if (strcmp(name, text) == 0 || strcmp(name, host) == 0)
            return true;
    }
    return false;
}

static bool has_services(void *context, uint64_t services)
{
    const uint64_t wanted = handshake_desirable_services(context, services);

    return (services & wanted) == wanted;
}

static bool is_lasting(enum peer_kind kind)
{
    return kind == PEER_FULL_RELAY || kind == PEER_MANUAL || kind == PEER_BLOCK_RELAY;
}

/* Calls count like peers, so that two of them do not take one slot. */
static void count_one(const struct p2p *p2p, struct outbound_view *view, enum peer_kind kind,
                      const struct net_address *address)
{
    view->full_relay_n += kind == PEER_FULL_RELAY;
    view->block_relay_n += kind == PEER_BLOCK_RELAY;
    if (kind == PEER_FULL_RELAY || kind == PEER_MANUAL)
        view->nets_n[net_address_net(address)]++;
    if (!is_lasting(kind))
        return;
    if (address->net == NET_ONION || address->net == NET_I2P || address->net == NET_CJDNS)
        view->private_n++;
    else if (view->groups_n < OUTBOUND_GROUPS_MAX)
        view->groups[view->groups_n++] = asmap_group(p2p->connect.asmap, address);
}

static void look_around(struct p2p *p2p, struct outbound_view *ret)
{
    const struct p2p_connect *c = &p2p->connect;

    *ret = (struct outbound_view){
        .now_ms = p2p_now_ms(p2p),
        .real_ms = p2p_real_ms(p2p),
        .has_slot = connect_count_automatic(p2p) < c->automatic_max,
        .reachable = c->proxies.reachable,
        .has_added_nodes = c->added_n > 0,
    };
    for (const struct peer *peer = p2p->first; peer != NULL; peer = peer->next) {
        if (peer->is_doomed)
            continue;
        count_one(p2p, ret, peer->kind, &peer->address);
        ret->full_ready_n += peer->kind == PEER_FULL_RELAY && peer->is_ready;
    }
    for (const struct dial *dial = c->dials; dial != NULL; dial = dial->next) {
        if (dial->at < dial->addresses_n)
            count_one(p2p, ret, dial->kind, &dial->addresses[dial->at]);
    }
}

/* --- Life --- */

void connect_auto_start(struct p2p *p2p)
{
    const struct p2p_options *o = &p2p->options;
    struct p2p_connect *c = &p2p->connect;
    const struct outbound_questions questions = {p2p, is_local, is_connected, is_added,
                                                 has_services};
    const struct outbound_options options = {
        .full_relay_max = c->full_relay_max,
        .block_relay_max = c->block_relay_max,
        .automatic_max = c->automatic_max,
        .seed_nodes = o->seed_node,
        .seed_nodes_n = o->seed_node_n,
        .dns_seed = o->dns_seed,
        .fixed_seeds = o->fixed_seeds,
        .fixed = p2p->params->dns_seeds == NULL || p2p->params->dns_seeds[0] == NULL
                     ? NULL
                     : fixed_seeds_of(p2p->params->network),
        .seed = o->seed,
        .asmap = c->asmap,
        .logs_ips = o->log_ips,
    };
    const struct dns_seeds_options seeds = {
        .names = p2p->params->dns_seeds,
        .is_forced = o->force_dns_seed,
        .has_seed_nodes = o->seed_node_n > 0,
        .by_proxy = c->proxies.names.is_set,
        .port = p2p->params->p2p_port,
        .seed = o->seed,
    };
    struct addrman_address anchors[ANCHORS_MAX];
    size_t anchors_n = 0;

    c->automatic = alloc_zero(sizeof(*c->automatic));
    if (!o->connect_only) {
        if (o->folder != NULL)
            anchors_n = anchors_load(anchors, o->disk, o->folder, p2p->params->magic);
        log_info("net", "%zu block-relay-only anchors will be tried for connections.", anchors_n);
        c->automatic->outbound = outbound_new(&options, &questions, anchors, anchors_n);
    }
    if (o->dns_seed)
        c->automatic->seeds = dns_seeds_new(&seeds);
    else
        log_info("net", "DNS seeding disabled");
}

static void save_anchors(struct p2p *p2p)
{
    const struct p2p_options *o = &p2p->options;
    struct addrman_address anchors[ANCHORS_MAX];
    struct error err = {0};
    size_t n = 0;

    for (const struct peer *peer = p2p->first; peer != NULL && n < ANCHORS_MAX; peer = peer->next) {
        if (peer->kind == PEER_BLOCK_RELAY)
            anchors[n++] = (struct addrman_address){
                .address = peer->address, .services = peer->known_services, .time_s = 100000000};
    }
    if (o->folder != NULL &&
        anchors_save(anchors, n, o->disk, o->folder, p2p->params->magic, &err) < 0)
        log_error("net", "could not save anchors.dat: %s", error_text(&err));
}

void connect_auto_clear(struct p2p *p2p)
{
    struct connect_automatic *a = p2p->connect.automatic;

    if (a == NULL)
        return;
    p2p->connect.automatic = NULL;
    if (a->outbound != NULL)
        save_anchors(p2p);
    lookup_forget(p2p, &a->lookup);
    outbound_free(a->outbound);
    dns_seeds_free(a->seeds);
    free(a);
}

/* --- DNS seeds --- */

static void on_resolved(struct p2p *p2p, struct lookup *lookup,
                        const struct net_endpoint *endpoints, size_t n)
{
    struct net_address addresses[DNS_SEED_ADDRESSES_MAX];

    (void)lookup;
    n = MIN(n, (size_t)DNS_SEED_ADDRESSES_MAX);
    for (size_t i = 0; i < n; i++)
        addresses[i] = net_address_of_endpoint(&endpoints[i]);
    dns_seeds_answered(p2p->connect.automatic->seeds, p2p->connect.addrman, addresses, n,
                       p2p_now_ms(p2p));
}

static void ask_seeds(struct p2p *p2p, const struct outbound_view *around)
{
    struct connect_automatic *a = p2p->connect.automatic;
    const struct dns_seeds_view view = {.now_ms = around->now_ms,
                                        .real_ms = around->real_ms,
                                        .full_ready_n = around->full_ready_n,
                                        .is_active = p2p->is_active};
    char name[DNS_SEED_HOST_SIZE];

    if (a->seeds == NULL)
        return;
    switch (dns_seeds_step(a->seeds, p2p->connect.addrman, &view, name)) {
    case DNS_SEEDS_NOTHING:
        break;
    case DNS_SEEDS_LOOK_UP:
        a->lookup.resolved = on_resolved;
        if (p2p->options.dns)
            lookup_start(p2p, &a->lookup, name, DNS_SEED_ADDRESSES_MAX);
        else
            on_resolved(p2p, &a->lookup, NULL, 0);
        break;
    case DNS_SEEDS_FETCH:
        if (a->outbound != NULL)
            outbound_fetch_from(a->outbound, name);
        break;
    }
}

/* --- Each tick --- */

void connect_auto_tick(struct p2p *p2p)
{
    struct connect_automatic *a = p2p->connect.automatic;
    struct outbound_view around;
    struct outbound_call call;
    struct dial_wish wish = {0};
    enum outbound_what what;
    bool is_due;

    if (a == NULL)
        return;
    is_due = a->outbound != NULL && outbound_is_due(a->outbound, p2p_real_ms(p2p));
    if (a->seeds == NULL && !is_due)
        return;
    look_around(p2p, &around);
    ask_seeds(p2p, &around);
    if (!p2p->is_active || !is_due)
        return;
    what = outbound_step(a->outbound, p2p->connect.addrman, &around, &call);
    if (what == OUTBOUND_NOTHING)
        return;
    wish.kind = call.kind;
    wish.counts_failure = call.counts_failure;
    if (what == OUTBOUND_NAME) {
        wish.name = call.name;
        wish.v2 = connect_uses_v2(p2p);
    } else {
        wish.address = call.known.address;
        wish.services = call.known.services;
        wish.seen_s = call.known.time_s;
        wish.v2 = connect_uses_v2(p2p) && (call.known.services & SERVICE_P2P_V2) != 0;
    }
    (void)connect_dial(p2p, &wish);
}

void connect_set_extra_full_relay(struct p2p *p2p, bool is_on)
{
    if (connect_calls_by_itself(p2p))
        outbound_set_extra_full_relay(p2p->connect.automatic->outbound, is_on);
}

bool connect_calls_by_itself(const struct p2p *p2p)
{
    return p2p->connect.automatic != NULL && p2p->connect.automatic->outbound != NULL;
}

bool connect_wants_extra_full_relay(const struct p2p *p2p)
{
    return connect_calls_by_itself(p2p) &&
           outbound_extra_full_relay(p2p->connect.automatic->outbound);
}

void connect_start_extra_block_relay(struct p2p *p2p)
{
    if (connect_calls_by_itself(p2p))
        outbound_start_extra_block_relay(p2p->connect.automatic->outbound);
}

static uint32_t surplus(const struct p2p *p2p, enum peer_kind kind, uint32_t max)
{
    uint32_t n = 0;

    for (const struct peer *peer = p2p->first; peer != NULL; peer = peer->next)
        n += peer->kind == kind && peer->is_ready && !peer->is_doomed;
    return n > max ? n - max : 0;
}

uint32_t connect_extra_full_relay_n(const struct p2p *p2p)
{
    return surplus(p2p, PEER_FULL_RELAY, p2p->connect.full_relay_max);
}

uint32_t connect_extra_block_relay_n(const struct p2p *p2p)
{
    return surplus(p2p, PEER_BLOCK_RELAY, p2p->connect.block_relay_max);
}

bool connect_is_alone_on_network(const struct peer *peer)
{
    enum net_kind net = net_address_net(&peer->address);

    for (const struct peer *at = peer->p2p->first; at != NULL; at = at->next) {
        if (at != peer && peer_is_full_outbound(at) && net_address_net(&at->address) == net)
            return false;
    }
    return true;
}
