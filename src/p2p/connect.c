/* Who may stay: slots, the ends of connections, what RPC asks. */
#include "p2p/connect_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "p2p/addrman.h"
#include "p2p/p2p_priv.h"
#include "p2p/pins.h"

#define ADDR_FETCH_PATIENCE_MS (5 * 60 * 1000)

void connect_init(struct p2p *p2p)
{
    struct p2p_connect *c = &p2p->connect;
    uint32_t automatic = p2p->options.max_connections;

    *c = (struct p2p_connect){.full_relay_max = MIN(automatic, (uint32_t)FULL_RELAY_MAX)};
    c->block_relay_max = MIN(automatic - c->full_relay_max, (uint32_t)BLOCK_RELAY_MAX);
    c->inbound_max = c->full_relay_max + c->block_relay_max + FEELERS_MAX;
    c->automatic_max = MIN(c->inbound_max, automatic);
    c->inbound_max = automatic > c->inbound_max ? automatic - c->inbound_max : 0;
    c->inbound_relay_max =
        (uint32_t)((uint64_t)c->inbound_max * p2p->options.inbound_relay_percent / 100);
}

void connect_clear(struct p2p *p2p)
{
    struct p2p_connect *c = &p2p->connect;

    connect_end_dials(p2p);
    connect_tor_clear(p2p);
    connect_i2p_clear(p2p);
    connect_auto_clear(p2p);
    connect_known_clear(p2p);
    pins_free(c->pins);
    free(c->listeners);
    free(c->whitelist);
    free(c->added);
    *c = (struct p2p_connect){.listeners_n = 0};
}

static int read_pins(struct p2p *p2p, struct error *err)
{
    const struct p2p_options *o = &p2p->options;
    char *path = o->own_key_path == NULL ? alloc_printf("%s/%s", o->folder, PINS_FILE)
                                         : alloc_string(o->own_key_path);
    const struct pins_options options = {.disk = o->disk,
                                         .path = path,
                                         .random = &p2p->random,
                                         .default_port = p2p->params->p2p_port,
                                         .keys = o->peer_keys,
                                         .keys_n = o->peer_keys_n};
    int rc = o->peer_keys_n > 0 && !o->v2_transport
                 ? error_set(err, E_MALFORMED,
                             "-peerkey needs the v2 transport (-v2transport), which is off or "
                             "not built in")
                 : pins_new(&p2p->connect.pins, &options, err);

    free(path);
    return rc;
}

int connect_read_options(struct p2p *p2p, struct error *err)
{
    struct p2p_connect *c = &p2p->connect;
    const struct p2p_options *o = &p2p->options;
    int rc;

    c->whitelist = alloc_array(o->whitelist_n + 1, sizeof(*c->whitelist));
    for (size_t i = 0; i < o->whitelist_n; i++) {
        rc = net_whitelist_read(&c->whitelist[i], o->whitelist[i], o->cjdns_reachable, err);
        if (rc < 0)
            return rc;
        c->whitelist_n++;
    }
    rc = connect_known_load(p2p, err);
    if (rc < 0)
        return rc;
    rc = read_pins(p2p, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < o->add_node_n; i++)
        (void)connect_add_node(p2p, o->add_node[i], "add", o->v2_transport);
    for (size_t i = 0; i < pins_count(c->pins); i++) {
        if (pins_place(c->pins, i) != NULL)
            (void)connect_add_node(p2p, pins_place(c->pins, i), "add", true);
    }
    return connect_read_binds(p2p, err);
}

int connect_start(struct p2p *p2p, struct error *err)
{
    int64_t now_ms = p2p_real_ms(p2p);
    int rc = p2p->options.listen ? connect_listen(p2p, err) : 0;

    p2p->connect.added_at_ms = now_ms;
    p2p->connect.specified_at_ms = now_ms;
    if (rc < 0)
        return rc;
    connect_known_start(p2p);
    connect_tor_start(p2p);
    connect_i2p_start(p2p);
    connect_auto_start(p2p);
    return 0;
}

void connect_stop(struct p2p *p2p)
{
    connect_end_dials(p2p);
    connect_tor_clear(p2p);
    connect_auto_clear(p2p);
    connect_i2p_clear(p2p);
    connect_known_save(p2p);
}

/* --- Hooks --- */

void connect_peer_added(struct peer *peer)
{
    (void)peer;
}

void connect_peer_ready(struct peer *peer)
{
    const char *key = peer_pinned_key(peer);

    if (key != NULL)
        log_info("net", "peer=%" PRId64 " has proven the key %s", peer->id, key);
}

void connect_peer_gone(struct peer *peer)
{
    if (peer->is_ready && !peer_is_inbound(peer) && peer->kind != PEER_BLOCK_RELAY &&
        peer->kind != PEER_PRIVATE_BROADCAST)
        addrman_connected(peer->p2p->connect.addrman, &peer->address, p2p_now_s(peer->p2p));
    connect_i2p_peer_gone(peer->p2p, peer->id);
}

bool connect_handle(struct peer *peer, const struct wire_message *message, struct arena *arena)
{
    (void)peer;
    (void)message;
    (void)arena;
    return false;
}

void connect_send(struct peer *peer, int64_t now_ms)
{
    if (peer->kind == PEER_ADDR_FETCH && now_ms - peer->connected_ms > ADDR_FETCH_PATIENCE_MS)
        peer_disconnect(peer, "addrfetch connection timeout");
}

void connect_tick(struct p2p *p2p, int64_t now_ms)
{
    (void)now_ms;
    connect_known_tick(p2p);
    connect_tor_tick(p2p);
    connect_i2p_tick(p2p);
    connect_auto_tick(p2p);
    if (p2p->is_active)
        connect_dial_due(p2p);
}

void connect_fill_info(const struct peer *peer, struct peer_info *info, struct arena *arena)
{
    (void)arena;
    info->network = net_name(peer->is_inbound_onion ? NET_ONION : net_address_net(&peer->address));
    info->mapped_as = connect_asn(peer->p2p, &peer->address);
    info->pinned_key = peer_pinned_key(peer);
}

enum peers_answer connect_own_key(struct p2p *p2p, char *ret_text, size_t size)
{
    char key[PIN_KEY_TEXT_SIZE];
    struct error err = {0};
    bool is_there = pins_own_key(p2p->connect.pins, key, &err) == 0;

    (void)snprintf(ret_text, size, "%s", is_there ? key : error_text(&err));
    return is_there ? PEERS_OK : PEERS_STATE;
}

/* --- Ends --- */

bool connect_make_room_for_relay(struct peer *peer, const char *message)
{
    struct p2p *p2p = peer->p2p;
    uint32_t n = 0;

    for (const struct peer *at = p2p->first; at != NULL; at = at->next)
        n += !at->is_doomed && peer_is_inbound(at) && connect_relays_txs(at);
    if (n <= p2p->connect.inbound_relay_max || connect_evict_one(p2p, true, peer->id))
        return true;
    log_debug("net",
              "failed to find a tx-relaying eviction candidate - connection dropped after %s "
              "message, peer=%" PRId64,
              message, peer->id);
    peer->is_doomed = true;
    return false;
}

void connect_set_active(struct p2p *p2p, bool is_active)
{
    log_info("net", "SetNetworkActive: %s", is_active ? "true" : "false");
    p2p->is_active = is_active;
    if (is_active)
        return;
    for (struct peer *peer = p2p->first; peer != NULL; peer = peer->next)
        peer_disconnect(peer, "Network not active");
    connect_end_dials(p2p);
}

enum peers_answer connect_disconnect(struct p2p *p2p, const char *address, int64_t id)
{
    bool shows = p2p->options.log_ips;

    for (struct peer *peer = p2p->first; peer != NULL; peer = peer->next) {
        if (address == NULL ? peer->id != id : strcmp(peer->name, address) != 0)
            continue;
        if (address == NULL)
            peer_disconnect(peer, "disconnect by id");
        else
            peer_disconnect(peer, "disconnect by address%s%s match", shows ? "=" : "",
                            shows ? address : "");
        return PEERS_OK;
    }
    return PEERS_NOT_FOUND;
}

bool connect_disconnect_subnet(struct p2p *p2p, const struct net_subnet *subnet)
{
    char text[NET_ADDRESS_TEXT_SIZE];
    bool shows = p2p->options.log_ips;
    bool was_any = false;

    for (struct peer *peer = p2p->first; peer != NULL; peer = peer->next) {
        if (!net_subnet_contains(subnet, &peer->address))
            continue;
        peer_disconnect(peer, "disconnect by subnet%s%s match", shows ? "=" : "",
                        shows ? net_subnet_text(text, subnet) : "");
        was_any = true;
    }
    return was_any;
}
