/* Tor's control port: connects to it, again and again, and does what it tells. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "p2p/p2p_priv.h"
#include "p2p/tor_control.h"

struct connect_tor {
    struct tor_control *control;
    struct stream stream;
    bool is_open;      /* Or being opened. */
    int64_t try_at_ms; /* p2p_real_ms */
};

static struct connect_tor *tor_of(struct stream *stream)
{
    return (struct connect_tor *)(void *)((char *)stream - offsetof(struct connect_tor, stream));
}

/* --- What it tells --- */

static void on_send(void *context, struct span bytes)
{
    struct p2p *p2p = context;

    p2p->net->ops->send(p2p->net, p2p->connect.tor->stream.conn, bytes);
}

static void on_proxy(void *context, const struct net_address *address)
{
    struct p2p *p2p = context;
    struct proxies *proxies = &p2p->connect.proxies;

    /* Different user names: Tor then uses different circuits. */
    proxies->by_net[NET_ONION] =
        (struct proxy){.is_set = true, .isolates = true, .address = *address};
    if (proxies->onion_by_only_net)
        proxies->reachable |= 1U << NET_ONION;
}

static void on_service(void *context, const struct net_address *service)
{
    (void)connect_add_local(context, service, LOCAL_MANUAL);
}

static void on_lost(void *context, const struct net_address *service)
{
    connect_remove_local(context, service);
}

/* --- The connection --- */

static void on_connected(struct p2p *p2p, struct stream *stream, int rc,
                         const struct net_endpoint *local, const struct error *err)
{
    struct connect_tor *tor = tor_of(stream);

    (void)local;
    (void)err;
    tor->is_open = rc == 0;
    if (rc == 0)
        tor_control_connected(tor->control);
    else
        tor->try_at_ms = p2p_real_ms(p2p) + (int64_t)tor_control_failed(tor->control);
}

static void on_closed(struct p2p *p2p, struct stream *stream, const struct error *err)
{
    struct connect_tor *tor = tor_of(stream);

    (void)err;
    log_debug("tor", "End of stream");
    tor->is_open = false;
    tor->try_at_ms = p2p_real_ms(p2p);
    tor_control_closed(tor->control);
}

static void on_received(struct p2p *p2p, struct stream *stream, struct span bytes)
{
    struct connect_tor *tor = tor_of(stream);
    struct error err = {0};

    if (tor_control_feed(tor->control, bytes, &err) == 0)
        return;
    stream_close(p2p, stream);
    tor->is_open = false;
    tor->try_at_ms = p2p_real_ms(p2p);
    tor_control_closed(tor->control);
}

/* Where the service is to lead: the place that is for onion peers only. */
static struct net_address target(const struct p2p *p2p)
{
    static const uint8_t loopback[4] = {127, 0, 0, 1};

    for (size_t i = 0; i < p2p->connect.listeners_n; i++) {
        if (p2p->connect.listeners[i].is_onion)
            return p2p->connect.listeners[i].address;
    }
    return net_address_ipv4(loopback, (uint16_t)(connect_listen_port(p2p) + 1));
}

void connect_tor_start(struct p2p *p2p)
{
    const struct p2p_options *o = &p2p->options;
    struct tor_control_options options = {
        .control = o->tor_control,
        .password = o->tor_password,
        .target = target(p2p),
        .service_port = p2p->params->p2p_port,
        .wants_proxy = !p2p->connect.proxies.has_onion_option,
        .disk = o->disk,
        .folder = o->folder,
        .seed = o->seed,
        .handler = {p2p, on_send, on_proxy, on_service, on_lost},
    };
    struct connect_tor *tor;

    if (!o->listen_onion || o->tor_control == NULL || o->folder == NULL)
        return;
    tor = alloc_zero(sizeof(*tor));
    tor->control = tor_control_new(&options);
    tor->stream.connected = on_connected;
    tor->stream.received = on_received;
    tor->stream.closed = on_closed;
    tor->try_at_ms = p2p_real_ms(p2p);
    p2p->connect.tor = tor;
}

void connect_tor_tick(struct p2p *p2p)
{
    struct connect_tor *tor = p2p->connect.tor;
    const char *control = p2p->options.tor_control;
    struct net_address address;
    struct net_endpoint endpoint;

    if (tor == NULL || tor->is_open || p2p_real_ms(p2p) < tor->try_at_ms)
        return;
    log_debug("tor", "Attempting to connect to Tor control port %s", control);
    if (!net_address_read(&address, control, strlen(control), TOR_CONTROL_PORT) ||
        !net_endpoint_of_address(&endpoint, &address)) {
        log_warning("tor", "tor: Failed to look up control center %s", control);
        tor->try_at_ms = p2p_real_ms(p2p) + (int64_t)tor_control_failed(tor->control);
        return;
    }
    tor->is_open = true;
    stream_open(p2p, &tor->stream, &endpoint, p2p->options.connect_timeout_ms);
}

void connect_tor_clear(struct p2p *p2p)
{
    struct connect_tor *tor = p2p->connect.tor;

    if (tor == NULL)
        return;
    stream_close(p2p, &tor->stream);
    tor_control_free(tor->control);
    free(tor);
    p2p->connect.tor = NULL;
}
