#include "p2p/p2p.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "p2p/events_priv.h"
#include "p2p/inbox_priv.h"
#include "p2p/p2p_priv.h"
#include "p2p/peers_priv.h"
#include "p2p/streams_priv.h"

#define TICK_MS 100

/* --- Options --- */

void p2p_options_default(struct p2p_options *ret_options, const struct params *params)
{
    *ret_options = (struct p2p_options){.params = params,
                                        .listen = true,
                                        .discover = true,
                                        .whitelist_relay = true,
                                        .dns = true,
                                        .dns_seed = true,
                                        .fixed_seeds = true,
                                        .proxy_randomize = true,
                                        .listen_onion = true,
                                        .i2p_accept_incoming = true,
                                        .max_connections = 200,
                                        .inbound_relay_percent = 50,
                                        .connect_timeout_ms = 5000,
                                        .peer_timeout_s = 60,
                                        .max_receive_bytes = 5000 * 1000,
                                        .max_send_bytes = 1000 * 1000,
                                        .network_active = true,
                                        .v2_transport = true,
                                        .tx_send_rate = 14,
                                        .ban_time_s = 86400,
                                        .block_reconstruction_extra_txn = 100,
                                        .max_tip_age_s = 86400,
                                        .user_agent = "/Assay/",
                                        .client_name = "Assay"};
}

static const char *copy_text(struct p2p *p2p, const char *text)
{
    char *copy;

    if (text == NULL)
        return NULL;
    copy = arena_alloc(&p2p->texts, strlen(text) + 1);
    memcpy(copy, text, strlen(text) + 1);
    return copy;
}

static void copy_list(struct p2p *p2p, const char *const **list, size_t n)
{
    const char **copy = arena_array(&p2p->texts, n + 1, sizeof(*copy));

    for (size_t i = 0; i < n; i++)
        copy[i] = copy_text(p2p, (*list)[i]);
    *list = copy;
}

static void copy_options(struct p2p *p2p, const struct p2p_options *options)
{
    struct p2p_options *o = &p2p->options;

    *o = *options;
    o->folder = copy_text(p2p, o->folder);
    o->user_agent = copy_text(p2p, o->user_agent);
    o->client_name = copy_text(p2p, o->client_name);
    o->onion_proxy = copy_text(p2p, o->onion_proxy);
    o->tor_control = copy_text(p2p, o->tor_control);
    o->tor_password = copy_text(p2p, o->tor_password);
    o->i2p_sam = copy_text(p2p, o->i2p_sam);
    o->asmap_path = copy_text(p2p, o->asmap_path);
    o->own_key_path = copy_text(p2p, o->own_key_path);
    copy_list(p2p, &o->bind, o->bind_n);
    copy_list(p2p, &o->whitebind, o->whitebind_n);
    copy_list(p2p, &o->whitelist, o->whitelist_n);
    copy_list(p2p, &o->external_ip, o->external_ip_n);
    copy_list(p2p, &o->connect, o->connect_n);
    copy_list(p2p, &o->add_node, o->add_node_n);
    copy_list(p2p, &o->seed_node, o->seed_node_n);
    copy_list(p2p, &o->only_net, o->only_net_n);
    copy_list(p2p, &o->proxy, o->proxy_n);
    copy_list(p2p, &o->peer_keys, o->peer_keys_n);
    if (!wire_v2_is_built())
        o->v2_transport = false;
}

/* --- Time --- */

int64_t p2p_now_ms(const struct p2p *p2p)
{
    return p2p->options.clock->wall_ms(p2p->options.clock);
}

int64_t p2p_real_ms(const struct p2p *p2p)
{
    return (int64_t)(clock_monotonic_us(p2p->options.clock) / 1000);
}

int64_t p2p_timer_ms(const struct p2p *p2p)
{
    return p2p_real_ms(p2p) + p2p->advanced_ms;
}

static void run_time_changed(struct p2p *p2p, void *own_argument)
{
    int64_t *advance_ms = own_argument;

    p2p->advanced_ms += *advance_ms;
    free(advance_ms);
    if (p2p->is_started)
        peers_tick(p2p);
}

void p2p_time_changed(struct p2p *p2p, int64_t advance_s)
{
    int64_t *advance_ms = alloc(sizeof(*advance_ms));

    *advance_ms = advance_s * 1000;
    p2p_post(p2p, run_time_changed, advance_ms);
}

/* --- What the network tells --- */

static void on_accepted(void *context, net_conn conn, int tag, const struct net_endpoint *peer,
                        const struct net_endpoint *local)
{
    struct p2p *p2p = context;

    connect_accepted(p2p, conn, tag, peer, local);
    peers_settle(p2p);
}

static void on_connected(void *context, net_conn conn, int rc, const struct net_endpoint *local,
                         const struct error *err)
{
    struct p2p *p2p = context;
    struct stream *stream = stream_find(p2p, conn);

    if (stream == NULL)
        return;
    if (rc < 0)
        (void)stream_release(p2p, stream);
    stream->connected(p2p, stream, rc, local, err);
    peers_settle(p2p);
}

static void on_received(void *context, net_conn conn, struct span bytes)
{
    struct p2p *p2p = context;
    struct peer *peer = peer_of_conn(p2p, conn);

    if (peer != NULL) {
        peer_received(peer, bytes);
    } else {
        struct stream *stream = stream_find(p2p, conn);

        if (stream != NULL)
            stream->received(p2p, stream, bytes);
    }
    peers_settle(p2p);
}

static void on_drained(void *context, net_conn conn, size_t queued_bytes)
{
    struct p2p *p2p = context;
    struct peer *peer = peer_of_conn(p2p, conn);

    (void)queued_bytes;
    if (peer != NULL)
        peer_drained(peer);
    peers_settle(p2p);
}

static void on_closed(void *context, net_conn conn, const struct error *err)
{
    struct p2p *p2p = context;
    struct peer *peer = peer_of_conn(p2p, conn);

    if (peer != NULL) {
        peer_closed(peer, err);
    } else {
        struct stream *stream = stream_find(p2p, conn);

        if (stream != NULL) {
            (void)stream_release(p2p, stream);
            stream->closed(p2p, stream, err);
        }
    }
    peers_settle(p2p);
}

static void on_resolved(void *context, uint64_t token, const struct net_endpoint *endpoints,
                        size_t n)
{
    struct p2p *p2p = context;

    lookup_answered(p2p, token, endpoints, n);
    peers_settle(p2p);
}

static void on_timer(void *context)
{
    struct p2p *p2p = context;

    if (!p2p->is_started)
        return;
    p2p->net->ops->set_timer(p2p->net, TICK_MS);
    peers_tick(p2p);
    peers_settle(p2p);
}

static void on_woken(void *context)
{
    struct p2p *p2p = context;

    inbox_run(p2p);
    peers_round(p2p);
    peers_settle(p2p);
}

/* --- Life --- */

static const struct net_handler handler = {
    .accepted = on_accepted,
    .connected = on_connected,
    .received = on_received,
    .drained = on_drained,
    .closed = on_closed,
    .resolved = on_resolved,
    .timer = on_timer,
    .woken = on_woken,
};

static void init_subjects(struct p2p *p2p)
{
    handshake_init(p2p);
    connect_init(p2p);
    headers_init(p2p);
    blocks_init(p2p);
    serve_init(p2p);
    txs_init(p2p);
    relay_init(p2p);
}

static void clear_subjects(struct p2p *p2p)
{
    relay_clear(p2p);
    txs_clear(p2p);
    serve_clear(p2p);
    blocks_clear(p2p);
    headers_clear(p2p);
    connect_clear(p2p);
    handshake_clear(p2p);
}

int p2p_new(struct p2p **ret_p2p, const struct p2p_options *options, struct error *err)
{
    struct p2p *p2p = alloc_zero(sizeof(*p2p));
    struct net_handler mine = handler;
    int rc;

    arena_init(&p2p->arena);
    arena_init(&p2p->texts);
    copy_options(p2p, options);
    p2p->peers.ops = &p2p_peers_ops;
    p2p->net = options->net;
    p2p->params = options->params;
    p2p->is_active = options->network_active;
    p2p->inbox = inbox_new();
    random_init(&p2p->random, options->seed, "p2p");
    events_init(p2p);
    init_subjects(p2p);
    rc = connect_read_options(p2p, err);
    if (rc < 0) {
        p2p_free(p2p);
        return rc;
    }
    mine.context = p2p;
    p2p->net->ops->set_handler(p2p->net, &mine);
    *ret_p2p = p2p;
    return 0;
}

void p2p_free(struct p2p *own_p2p)
{
    if (own_p2p == NULL)
        return;
    CHECK(!own_p2p->is_started);
    inbox_close(own_p2p);
    inbox_run(own_p2p); /* What was posted since the stop frees its arguments. */
    clear_subjects(own_p2p);
    inbox_free(own_p2p->inbox);
    arena_clear(&own_p2p->arena);
    arena_clear(&own_p2p->texts);
    buf_clear(&own_p2p->scratch);
    free(own_p2p);
}

int p2p_start(struct p2p *p2p, struct error *err)
{
    int rc = connect_start(p2p, err);

    if (rc < 0) {
        p2p->net->ops->stop_listening(p2p->net);
        return rc;
    }
    p2p->is_started = true;
    p2p->net->ops->set_timer(p2p->net, 0);
    return 0;
}

void p2p_stop(struct p2p *p2p)
{
    if (!p2p->is_started)
        return;
    p2p->is_started = false;
    inbox_close(p2p);
    inbox_run(p2p);
    p2p->net->ops->stop_listening(p2p->net);
    connect_stop(p2p);
    peers_end_all(p2p);
}

struct peers *p2p_peers(struct p2p *p2p)
{
    return &p2p->peers;
}

const struct chain_events *p2p_events(struct p2p *p2p)
{
    return &p2p->events;
}
