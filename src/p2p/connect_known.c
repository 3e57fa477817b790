/* What is known of addresses: the tables of others', bans, our own, and the ways to
 * networks; how all that is kept. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/hex.h"
#include "base/log.h"
#include "p2p/addrman.h"
#include "p2p/ban_list.h"
#include "p2p/p2p_priv.h"

#define SAVE_EVERY_MS (15 * 60 * 1000)
#define HEALTH_EVERY_MS (24LL * 60 * 60 * 1000)
#define SERVICE_NETWORK (1U << 0)
#define SERVICE_WITNESS (1U << 3)

/* --- Loading --- */

static int load_asmap(struct p2p *p2p, struct error *err)
{
    const struct p2p_options *o = &p2p->options;
    uint8_t version[32];
    char hex[65];
    char *path;
    int rc;

    if (o->asmap_path == NULL || strcmp(o->asmap_path, "0") == 0) {
        log_info("net", "Using /16 prefix for IP bucketing");
        return 0;
    }
    if (o->asmap_path[0] == '\0' || strcmp(o->asmap_path, "1") == 0)
        return error_set(err, E_UNSUPPORTED, "Embedded asmap data not available");
    path = o->asmap_path[0] == '/' || o->folder == NULL
               ? alloc_string(o->asmap_path)
               : alloc_printf("%s/%s", o->folder, o->asmap_path);
    rc = asmap_load(&p2p->connect.asmap, o->disk, path, NULL);
    if (rc == E_NOT_FOUND)
        rc = error_set(err, rc, "Could not find asmap file \"%s\"", path);
    else if (rc < 0)
        rc = error_set(err, rc, "Could not parse asmap file \"%s\"", path);
    free(path);
    if (rc < 0)
        return rc;
    asmap_version(version, p2p->connect.asmap);
    hex_write_reversed(hex, version, sizeof(version));
    log_info("net", "Using asmap version %s for IP bucketing", hex);
    return 0;
}

static int load_addrman(struct p2p *p2p, struct error *err)
{
    const struct p2p_options *o = &p2p->options;
    const struct addrman_options options = {.asmap = p2p->connect.asmap,
                                            .seed = o->seed,
                                            .has_known_key = o->test_addrman_deterministic,
                                            .check_ratio = o->check_addrman};
    struct error why = {0};
    int rc;

    if (o->folder == NULL) {
        p2p->connect.addrman = addrman_new(&options);
        return 0;
    }
    rc =
        addrman_load(&p2p->connect.addrman, &options, o->disk, o->folder, p2p->params->magic, &why);
    if (rc == E_CORRUPT)
        return error_set(
            err, rc,
            "Invalid or corrupt peers.dat (%s). If you believe this is a bug, please "
            "report it to %s. As a workaround, you can move the file (\"%s/peers.dat\") "
            "out of the way (rename, move, or delete) to have a new one created on "
            "the next start.",
            error_text(&why), ASSAY_BUGREPORT, o->folder);
    if (rc < 0)
        return error_set(err, rc, "%s", error_text(&why));
    return 0;
}

static int read_proxies(struct p2p *p2p, struct error *err)
{
    const struct p2p_options *o = &p2p->options;
    const struct proxies_options options = {
        .proxy = o->proxy,
        .proxy_n = o->proxy_n,
        .onion = o->onion_proxy,
        .i2p_sam = o->i2p_sam,
        .only_net = o->only_net,
        .only_net_n = o->only_net_n,
        .cjdns_reachable = o->cjdns_reachable,
        .randomize = o->proxy_randomize,
        .listen_onion = o->listen_onion,
    };

    return proxies_read(&p2p->connect.proxies, &options, err);
}

static int read_external(struct p2p *p2p, struct error *err)
{
    const struct p2p_options *o = &p2p->options;

    for (size_t i = 0; i < o->external_ip_n; i++) {
        const char *text = o->external_ip[i];
        struct net_address address;

        if (!net_address_read(&address, text, strlen(text), connect_listen_port(p2p)) ||
            !net_address_is_valid(&address))
            return error_set(err, E_MALFORMED, "Cannot resolve -externalip address: '%s'", text);
        if (o->cjdns_reachable)
            net_address_to_cjdns(&address);
        /* The user knows, even where we could not call. */
        (void)local_addresses_add(&p2p->connect.locals, &address, LOCAL_MANUAL);
    }
    return 0;
}

int connect_known_load(struct p2p *p2p, struct error *err)
{
    struct p2p_connect *c = &p2p->connect;
    const struct p2p_options *o = &p2p->options;
    int rc;

    socks5_isolation_init(&c->isolation, &p2p->random);
    rc = read_proxies(p2p, err);
    if (rc == 0)
        rc = read_external(p2p, err);
    if (rc == 0)
        rc = load_asmap(p2p, err);
    if (rc == 0)
        rc = load_addrman(p2p, err);
    if (rc < 0)
        return rc;
    c->bans = ban_list_new(o->seed);
    if (o->folder != NULL) {
        ban_list_load(c->bans, o->disk, o->folder, o->cjdns_reachable, p2p_now_s(p2p));
        rc = ban_list_save(c->bans, o->disk, o->folder, p2p_now_s(p2p), err);
    }
    return rc;
}

void connect_known_clear(struct p2p *p2p)
{
    struct p2p_connect *c = &p2p->connect;

    addrman_free(c->addrman);
    asmap_free(c->asmap);
    ban_list_free(c->bans);
}

/* --- Keeping --- */

static void save_bans(struct p2p *p2p)
{
    const struct p2p_options *o = &p2p->options;
    struct error err = {0};

    if (o->folder != NULL &&
        ban_list_save(p2p->connect.bans, o->disk, o->folder, p2p_now_s(p2p), &err) < 0)
        log_error("net", "%s", error_text(&err));
}

void connect_known_save(struct p2p *p2p)
{
    const struct p2p_options *o = &p2p->options;
    struct error err = {0};

    save_bans(p2p);
    if (o->folder == NULL)
        return;
    if (addrman_save(p2p->connect.addrman, o->disk, o->folder, p2p->params->magic, &err) < 0)
        log_error("net", "could not save peers.dat: %s", error_text(&err));
    else
        log_debug("net", "Flushed %zu addresses to peers.dat", addrman_size(p2p->connect.addrman));
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;

    return left == right ? 0 : left < right ? -1 : 1;
}

/* How well the map knows the addresses that we have. */
static void look_at_asmap(struct p2p *p2p)
{
    const struct p2p_connect *c = &p2p->connect;
    struct addrman_address *list;
    size_t n = addrman_get(c->addrman, &list, 0, 0, NET_COUNT, false, p2p_now_s(p2p));
    uint32_t *systems = alloc_array(n + 1, sizeof(*systems));
    size_t known = 0;
    size_t unmapped = 0;
    size_t different = 0;

    for (size_t i = 0; i < n; i++) {
        enum net_kind class = net_address_class(&list[i].address);
        uint32_t asn = asmap_find(c->asmap, &list[i].address);

        if (class != NET_IPV4 && class != NET_IPV6)
            continue;
        if (asn == 0)
            unmapped++;
        else
            systems[known++] = asn;
    }
    qsort(systems, known, sizeof(*systems), compare_numbers);
    for (size_t i = 0; i < known; i++)
        different += i == 0 || systems[i] != systems[i - 1] ? 1 : 0;
    log_info("net",
             "ASMap Health Check: %zu clearnet peers are mapped to %zu ASNs with %zu peers being "
             "unmapped",
             known + unmapped, different, unmapped);
    free(systems);
    free(list);
}

void connect_known_start(struct p2p *p2p)
{
    struct p2p_connect *c = &p2p->connect;
    struct net_endpoint found[LOCAL_ADDRESSES_MAX];
    size_t n;

    c->save_at_ms = p2p_timer_ms(p2p) + SAVE_EVERY_MS;
    c->health_at_ms = p2p_timer_ms(p2p);
    if (!p2p->options.listen || !p2p->options.discover)
        return;
    for (size_t i = 0; i < c->listeners_n; i++) {
        const struct connect_listener *listener = &c->listeners[i];

        if (listener->is_onion || (listener->permissions & PERMISSION_NO_BAN) == PERMISSION_NO_BAN)
            continue;
        if (!net_address_is_bind_any(&listener->address)) {
            (void)connect_add_local(p2p, &listener->address, LOCAL_BIND);
            continue;
        }
        n = p2p->net->ops->interfaces(p2p->net, found, ARRAY_LEN(found));
        for (size_t k = 0; k < n; k++) {
            struct net_address address = net_address_of_endpoint(&found[k]);

            address.port = listener->address.port;
            (void)connect_add_local(p2p, &address, LOCAL_INTERFACE);
        }
    }
}

void connect_known_tick(struct p2p *p2p)
{
    struct p2p_connect *c = &p2p->connect;
    int64_t now_ms = p2p_timer_ms(p2p);

    if (now_ms >= c->save_at_ms) {
        c->save_at_ms = now_ms + SAVE_EVERY_MS;
        connect_known_save(p2p);
    }
    if (c->asmap != NULL && now_ms >= c->health_at_ms) {
        c->health_at_ms = now_ms + HEALTH_EVERY_MS;
        look_at_asmap(p2p);
    }
}

/* --- Asking --- */

struct addrman *connect_addrman(struct p2p *p2p)
{
    return p2p->connect.addrman;
}

uint32_t connect_asn(const struct p2p *p2p, const struct net_address *address)
{
    return asmap_find(p2p->connect.asmap, address);
}

bool connect_is_banned(const struct p2p *p2p, const struct net_address *address)
{
    return ban_list_has(p2p->connect.bans, address, connect_asn(p2p, address), p2p_now_s(p2p));
}

bool connect_is_discouraged(const struct p2p *p2p, const struct net_address *address)
{
    return ban_list_is_discouraged(p2p->connect.bans, address);
}

bool connect_is_refused(const struct p2p *p2p, const struct net_address *address)
{
    return connect_is_discouraged(p2p, address) || connect_is_banned(p2p, address);
}

bool connect_is_reachable(const struct p2p *p2p, enum net_kind net)
{
    return proxies_reach(&p2p->connect.proxies, net);
}

void connect_discourage(struct p2p *p2p, const struct net_address *address)
{
    struct net_subnet subnet;

    ban_list_discourage(p2p->connect.bans, address);
    if (net_subnet_of_address(&subnet, address))
        (void)connect_disconnect_subnet(p2p, &subnet);
}

/* --- Our own addresses --- */

bool connect_is_local(const struct p2p *p2p, const struct net_address *address)
{
    return local_addresses_find(&p2p->connect.locals, address) != NULL;
}

bool connect_add_local(struct p2p *p2p, const struct net_address *address, int32_t score)
{
    struct net_address own = *address;
    char text[NET_ADDRESS_TEXT_SIZE];

    if (p2p->options.cjdns_reachable)
        net_address_to_cjdns(&own);
    if (!net_address_is_routable(&own) || (!p2p->options.discover && score < LOCAL_MANUAL) ||
        !connect_is_reachable(p2p, net_address_net(&own)))
        return false;
    if (p2p->options.log_ips)
        log_info("net", "AddLocal(%s,%" PRId32 ")", net_address_text(text, &own), score);
    return local_addresses_add(&p2p->connect.locals, &own, score);
}

void connect_remove_local(struct p2p *p2p, const struct net_address *address)
{
    char text[NET_ADDRESS_TEXT_SIZE];

    if (p2p->options.log_ips)
        log_info("net", "RemoveLocal(%s)", net_address_text(text, address));
    local_addresses_remove(&p2p->connect.locals, address);
}

static enum net_kind net_of_peer(const struct peer *peer)
{
    return peer->is_inbound_onion ? NET_ONION : net_address_class(&peer->address);
}

bool connect_local_address(struct peer *peer, struct net_address *ret_address)
{
    struct p2p *p2p = peer->p2p;
    const struct net_address *seen = &peer->handshake.sees_us;
    const struct local_address *best =
        p2p->options.listen
            ? local_addresses_best(&p2p->connect.locals, &peer->address, net_of_peer(peer))
            : NULL;
    struct net_address own = {.port = connect_listen_port(p2p)};
    char text[NET_ADDRESS_TEXT_SIZE];

    if (best != NULL)
        own = best->address;
    /* A peer may know better than we do where we are; it hears that now and then. */
    if (p2p->options.discover && net_address_is_routable(&peer->address) &&
        net_address_is_routable(seen) && connect_is_reachable(p2p, net_address_net(seen)) &&
        (!net_address_is_routable(&own) ||
         random_below(&p2p->random, best != NULL && best->score > LOCAL_MANUAL ? 8 : 2) == 0)) {
        uint16_t port = own.port;

        own = *seen;
        if (!peer_is_inbound(peer))
            own.port = port; /* It cannot see where we listen. */
    }
    if (!net_address_is_routable(&own))
        return false;
    log_debug("net", "Advertising address %s to peer=%" PRId64, net_address_text(text, &own),
              peer->id);
    *ret_address = own;
    return true;
}

void connect_heard_version(struct peer *peer)
{
    struct p2p *p2p = peer->p2p;
    struct addrman *man = p2p->connect.addrman;

    if (peer_is_inbound(peer)) {
        if (net_address_is_routable(&peer->handshake.sees_us))
            (void)local_addresses_seen(&p2p->connect.locals, &peer->handshake.sees_us);
        return;
    }
    if (peer->kind == PEER_PRIVATE_BROADCAST)
        return;
    addrman_set_services(man, &peer->address, peer_services(peer));
    (void)addrman_good(man, &peer->address, p2p_now_s(p2p));
}

void connect_fill_status(const struct p2p *p2p, struct peers_status *status, struct arena *arena)
{
    const struct local_addresses *locals = &p2p->connect.locals;
    struct peers_local *list = arena_array(arena, locals->n, sizeof(*list));

    for (size_t i = 0; i < locals->n; i++) {
        (void)net_address_host_text(list[i].address, &locals->list[i].address);
        list[i].port = locals->list[i].address.port;
        list[i].score = locals->list[i].score;
    }
    status->locals = list;
    status->locals_n = locals->n;
}

void connect_fill_network(const struct p2p *p2p, struct peers_network *ret, enum net_kind net)
{
    const struct proxy *proxy = proxies_find(&p2p->connect.proxies, net);

    ret->reachable = connect_is_reachable(p2p, net);
    ret->limited = !ret->reachable;
    (void)proxy_text(ret->proxy, proxy);
    ret->proxy_randomize = proxy != NULL && proxy->isolates;
}

/* --- Bans, for RPC --- */

static bool read_target(const struct p2p *p2p, struct ban_target *ret, const char *text)
{
    if (!ban_target_read(ret, text, p2p->options.cjdns_reachable))
        return false;
    return ret->asn != 0 || strchr(text, '/') != NULL || net_address_is_valid(&ret->subnet.base);
}

enum peers_answer connect_ban(struct p2p *p2p, const char *subnet, int64_t until_s)
{
    struct ban_target target;
    int64_t now_s = p2p_now_s(p2p);

    if (until_s == 0)
        until_s = now_s + p2p->options.ban_time_s;
    if (!read_target(p2p, &target, subnet))
        return PEERS_BAD_ADDRESS;
    /* One address may be within a network that is banned already. */
    if (ban_list_has_target(p2p->connect.bans, &target, now_s) ||
        (target.asn == 0 && strchr(subnet, '/') == NULL &&
         ban_list_has(p2p->connect.bans, &target.subnet.base, 0, now_s)))
        return PEERS_EXISTS;
    if (ban_list_add(p2p->connect.bans, &target, until_s, now_s))
        save_bans(p2p);
    if (target.asn == 0) {
        (void)connect_disconnect_subnet(p2p, &target.subnet);
        return PEERS_OK;
    }
    for (struct peer *peer = p2p->first; peer != NULL; peer = peer->next) {
        if (connect_asn(p2p, &peer->address) == target.asn)
            peer_disconnect(peer, "disconnect by autonomous system");
    }
    return PEERS_OK;
}

enum peers_answer connect_unban(struct p2p *p2p, const char *subnet)
{
    struct ban_target target;

    if (!read_target(p2p, &target, subnet))
        return PEERS_BAD_ADDRESS;
    if (!ban_list_remove(p2p->connect.bans, &target))
        return PEERS_NOT_FOUND;
    save_bans(p2p);
    return PEERS_OK;
}

void connect_clear_bans(struct p2p *p2p)
{
    ban_list_clear(p2p->connect.bans);
    save_bans(p2p);
}

size_t connect_bans(struct p2p *p2p, struct peers_ban **ret_list, struct arena *arena)
{
    const struct ban *bans;
    size_t n = ban_list_get(p2p->connect.bans, &bans, p2p_now_s(p2p));

    *ret_list = arena_array(arena, n, sizeof(**ret_list));
    for (size_t i = 0; i < n; i++) {
        (void)ban_target_text((*ret_list)[i].subnet, &bans[i].target);
        (*ret_list)[i].created_s = bans[i].created_s;
        (*ret_list)[i].until_s = bans[i].until_s;
    }
    return n;
}

/* --- The tables, for RPC --- */

static void tell(struct peers_address *ret, const struct addrman_address *known)
{
    (void)net_address_host_text(ret->address, &known->address);
    ret->port = known->address.port;
    ret->network = net_name(net_address_class(&known->address));
    ret->services = known->services;
    ret->time_s = known->time_s;
}

size_t connect_addresses(struct p2p *p2p, struct peers_address **ret_list, size_t n,
                         const char *network, struct arena *arena)
{
    enum net_kind net = network == NULL ? NET_COUNT : net_read_name(network);
    struct addrman_address *list;
    size_t found = addrman_get(p2p->connect.addrman, &list, n, 0, net, true, p2p_now_s(p2p));
    size_t told = 0;

    *ret_list = arena_array(arena, found, sizeof(**ret_list));
    for (size_t i = 0; i < found; i++) {
        if (!connect_is_refused(p2p, &list[i].address))
            tell(&(*ret_list)[told++], &list[i]);
    }
    free(list);
    return told;
}

static size_t tell_table(struct p2p *p2p, struct peers_address *ret_list,
                         const struct addrman_entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        tell(&ret_list[i], &entries[i].known);
        ret_list[i].is_tried = entries[i].place.is_tried;
        ret_list[i].bucket = entries[i].place.bucket;
        ret_list[i].position = entries[i].place.position;
        (void)net_address_host_text(ret_list[i].source, &entries[i].source);
        ret_list[i].source_network = net_name(net_address_class(&entries[i].source));
        ret_list[i].mapped_as = connect_asn(p2p, &entries[i].known.address);
        ret_list[i].source_mapped_as = connect_asn(p2p, &entries[i].source);
    }
    return n;
}

size_t connect_raw_addresses(struct p2p *p2p, struct peers_address **ret_list, struct arena *arena)
{
    struct addrman_entry *fresh;
    struct addrman_entry *tried;
    size_t fresh_n = addrman_entries(p2p->connect.addrman, &fresh, false);
    size_t tried_n = addrman_entries(p2p->connect.addrman, &tried, true);

    *ret_list = arena_array(arena, fresh_n + tried_n, sizeof(**ret_list));
    (void)tell_table(p2p, *ret_list, fresh, fresh_n);
    (void)tell_table(p2p, *ret_list + fresh_n, tried, tried_n);
    free(fresh);
    free(tried);
    return fresh_n + tried_n;
}

size_t connect_address_counts(struct p2p *p2p, struct peers_counts **ret_list, struct arena *arena)
{
    static const enum net_kind nets[] = {NET_IPV4, NET_IPV6, NET_ONION, NET_I2P, NET_CJDNS};

    *ret_list = arena_array(arena, ARRAY_LEN(nets), sizeof(**ret_list));
    for (size_t i = 0; i < ARRAY_LEN(nets); i++)
        (*ret_list)[i] =
            (struct peers_counts){.network = net_name(nets[i]),
                                  .fresh = addrman_count(p2p->connect.addrman, nets[i], false),
                                  .tried = addrman_count(p2p->connect.addrman, nets[i], true)};
    return ARRAY_LEN(nets);
}

enum peers_answer connect_add_address(struct p2p *p2p, const char *address, uint16_t port,
                                      bool tried, const char **ret_why)
{
    struct addrman_address known = {.services = SERVICE_NETWORK | SERVICE_WITNESS,
                                    .time_s = p2p_now_s(p2p)};
    struct addrman *man = p2p->connect.addrman;

    *ret_why = NULL;
    if (!net_address_read_host(&known.address, address, strlen(address)))
        return PEERS_BAD_ADDRESS;
    known.address.port = port;
    if (p2p->options.cjdns_reachable)
        net_address_to_cjdns(&known.address);
    if (!addrman_add(man, &known, 1, &known.address, 0, known.time_s))
        *ret_why = "failed-adding-to-new";
    else if (tried && !addrman_good(man, &known.address, known.time_s))
        *ret_why = "failed-adding-to-tried";
    return *ret_why == NULL ? PEERS_OK : PEERS_STATE;
}
