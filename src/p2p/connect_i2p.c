/* I2P's router: sessions and their control links, and whoever calls us there. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "p2p/p2p_priv.h"

#define WAIT_FIRST_MS 1000
#define WAIT_STEP_MS 1000
#define WAIT_MAX_MS (5 * 60 * 1000)
#define NOBODY_YET (-1)

/* A session with its control link. */
struct i2p_carrier {
    struct i2p_carrier *next;
    struct p2p *p2p;
    struct i2p_session *session;
    struct stream stream; /* Of the control link. */
    struct i2p_link link;
    bool is_linked;      /* link has begun. */
    uint64_t failures_n; /* Tries that failed; why the last one did is in failure. */
    struct error failure;
    int64_t deadline_ms; /* p2p_real_ms of the router's answer; 0: none awaited. */
    int64_t peer_id;     /* Transient: whose it is; NOBODY_YET: of a call. */
    bool is_transient;
};

struct connect_i2p {
    struct i2p_carrier *own; /* Persistent; NULL: nobody is let in. */
    struct i2p_carrier *transient;
    uint64_t sessions_n; /* Made; keeps their ids apart. */

    struct stream stream; /* Where the next one to come is waited for. */
    struct i2p_link link;
    bool is_waiting; /* stream is open or being opened. */
    int64_t deadline_ms;
    int64_t try_at_ms;
    int64_t wait_ms; /* Until the next try, if this one fails. */
    bool is_told;    /* Our address is among the local ones. */
    uint64_t seen_n; /* Failures of own that were taken note of. */
};

static bool router(struct p2p *p2p, struct net_endpoint *ret)
{
    return proxy_endpoint(ret, &p2p->connect.proxies.by_net[NET_I2P]);
}

static const char *router_text(struct p2p *p2p, char *text)
{
    return proxy_text(text, &p2p->connect.proxies.by_net[NET_I2P]);
}

static void send_out(struct p2p *p2p, struct stream *stream, struct buf *own_out)
{
    if (own_out->len > 0 && stream->conn != 0)
        p2p->net->ops->send(p2p->net, stream->conn, span_of_buf(own_out));
    if (own_out->data != NULL)
        secret_wipe(own_out->data, own_out->capacity);
    buf_clear(own_out);
}

/* --- Control links --- */

static struct i2p_carrier *carrier_of(struct stream *stream)
{
    return (struct i2p_carrier *)(void *)((char *)stream - offsetof(struct i2p_carrier, stream));
}

static void carrier_end(struct i2p_carrier *carrier)
{
    stream_close(carrier->p2p, &carrier->stream);
    if (carrier->is_linked)
        i2p_link_clear(&carrier->link);
    carrier->is_linked = false;
    carrier->deadline_ms = 0;
    i2p_session_lost(carrier->session);
}

static void carrier_fail(struct i2p_carrier *carrier, const struct error *why)
{
    carrier->failures_n++;
    carrier->failure = *why;
    carrier_end(carrier);
}

static void on_control_connected(struct p2p *p2p, struct stream *stream, int rc,
                                 const struct net_endpoint *local, const struct error *err)
{
    struct i2p_carrier *carrier = carrier_of(stream);
    char text[PROXY_TEXT_SIZE];
    struct error why = {0};
    struct buf out = {0};

    (void)local;
    (void)err;
    if (rc < 0) {
        (void)error_set(&why, E_IO, "Cannot connect to %s", router_text(p2p, text));
        carrier_fail(carrier, &why);
        return;
    }
    i2p_link_begin(&carrier->link, carrier->session, I2P_CONTROL, NULL, &out);
    carrier->is_linked = true;
    carrier->deadline_ms = p2p_real_ms(p2p) + I2P_ANSWER_MS;
    send_out(p2p, stream, &out);
}

static void on_control_received(struct p2p *p2p, struct stream *stream, struct span bytes)
{
    struct i2p_carrier *carrier = carrier_of(stream);
    struct error why = {0};
    struct buf out = {0};
    size_t used;
    int rc;

    /* Once the session stands the router has nothing to say here. */
    if (carrier->link.state == I2P_DONE)
        return;
    rc = i2p_link_feed(&carrier->link, &used, bytes, &out, &why);
    send_out(p2p, stream, &out);
    if (rc < 0)
        carrier_fail(carrier, &why);
    else if (carrier->link.state == I2P_DONE)
        carrier->deadline_ms = 0;
}

static void on_control_closed(struct p2p *p2p, struct stream *stream, const struct error *err)
{
    (void)p2p;
    log_debug("i2p", "Control socket error: %s", error_text(err));
    carrier_fail(carrier_of(stream), err);
}

static void carrier_begin(struct i2p_carrier *carrier)
{
    struct p2p *p2p = carrier->p2p;
    struct net_endpoint endpoint;
    struct error why = {0};
    char text[PROXY_TEXT_SIZE];

    i2p_session_name(carrier->session);
    if (!router(p2p, &endpoint)) {
        (void)error_set(&why, E_IO, "Cannot connect to %s", router_text(p2p, text));
        carrier_fail(carrier, &why);
        return;
    }
    carrier->deadline_ms = p2p_real_ms(p2p) + I2P_ANSWER_MS;
    stream_open(p2p, &carrier->stream, &endpoint, p2p->options.connect_timeout_ms);
}

static struct i2p_carrier *carrier_new(struct p2p *p2p, bool is_transient)
{
    struct i2p_carrier *carrier = alloc_zero(sizeof(*carrier));
    char text[PROXY_TEXT_SIZE];
    uint8_t seed[RANDOM_SEED_BYTES];
    struct i2p_session_options options = {.router = router_text(p2p, text),
                                          .disk = is_transient ? NULL : p2p->options.disk,
                                          .folder = is_transient ? NULL : p2p->options.folder,
                                          .seed = seed};

    random_fill(&p2p->random, seed, sizeof(seed));
    carrier->p2p = p2p;
    carrier->is_transient = is_transient;
    carrier->peer_id = NOBODY_YET;
    carrier->session = i2p_session_new(&options);
    carrier->stream.connected = on_control_connected;
    carrier->stream.received = on_control_received;
    carrier->stream.closed = on_control_closed;
    secret_wipe(seed, sizeof(seed));
    return carrier;
}

static void carrier_free(struct i2p_carrier *own_carrier)
{
    if (own_carrier == NULL)
        return;
    carrier_end(own_carrier);
    i2p_session_free(own_carrier->session);
    free(own_carrier);
}

/* --- For calls --- */

struct i2p_carrier *connect_i2p_take(struct p2p *p2p, bool is_transient, uint64_t *ret_mark)
{
    struct connect_i2p *i2p = p2p->connect.i2p;
    struct i2p_carrier *carrier = i2p->own;

    if (is_transient || carrier == NULL) {
        carrier = carrier_new(p2p, true);
        carrier->next = i2p->transient;
        i2p->transient = carrier;
    }
    *ret_mark = carrier->failures_n;
    if (!i2p_session_is_ready(carrier->session) && carrier->stream.conn == 0)
        carrier_begin(carrier);
    return carrier;
}

void connect_i2p_give_back(struct p2p *p2p, struct i2p_carrier *own_carrier)
{
    struct i2p_carrier **at;

    if (own_carrier == NULL || !own_carrier->is_transient)
        return;
    at = &p2p->connect.i2p->transient;
    while (*at != own_carrier)
        at = &(*at)->next;
    *at = own_carrier->next;
    carrier_free(own_carrier);
}

void connect_i2p_bind(struct p2p *p2p, struct i2p_carrier *own_carrier, int64_t peer_id)
{
    (void)p2p;
    own_carrier->peer_id = peer_id;
}

void connect_i2p_peer_gone(struct p2p *p2p, int64_t peer_id)
{
    struct connect_i2p *i2p = p2p->connect.i2p;
    struct i2p_carrier *carrier = i2p == NULL ? NULL : i2p->transient;

    while (carrier != NULL && carrier->peer_id != peer_id)
        carrier = carrier->next;
    if (carrier != NULL)
        connect_i2p_give_back(p2p, carrier);
}

struct i2p_session *connect_i2p_session(struct i2p_carrier *carrier, uint64_t mark,
                                        bool *ret_failed, struct error *err)
{
    *ret_failed = carrier->failures_n != mark;
    if (*ret_failed)
        *err = carrier->failure;
    return i2p_session_is_ready(carrier->session) ? carrier->session : NULL;
}

/* --- Whoever comes --- */

static struct connect_i2p *i2p_of(struct stream *stream)
{
    return (struct connect_i2p *)(void *)((char *)stream - offsetof(struct connect_i2p, stream));
}

static void wait_again(struct p2p *p2p, bool is_failed)
{
    struct connect_i2p *i2p = p2p->connect.i2p;

    stream_close(p2p, &i2p->stream);
    i2p_link_clear(&i2p->link);
    i2p->is_waiting = false;
    i2p->deadline_ms = 0;
    if (!is_failed) {
        i2p->wait_ms = WAIT_FIRST_MS;
        i2p->try_at_ms = p2p_real_ms(p2p);
        return;
    }
    if (i2p->is_told) {
        connect_remove_local(p2p, i2p_session_address(i2p->own->session));
        i2p->is_told = false;
    }
    i2p->try_at_ms = p2p_real_ms(p2p) + i2p->wait_ms;
    i2p->wait_ms = MIN(i2p->wait_ms + WAIT_STEP_MS, (int64_t)WAIT_MAX_MS);
}

static void on_accept_connected(struct p2p *p2p, struct stream *stream, int rc,
                                const struct net_endpoint *local, const struct error *err)
{
    struct connect_i2p *i2p = i2p_of(stream);
    char text[PROXY_TEXT_SIZE];
    struct buf out = {0};

    (void)local;
    (void)err;
    if (rc < 0 || !i2p_session_is_ready(i2p->own->session)) {
        log_error("i2p", "Couldn't listen: Cannot connect to %s", router_text(p2p, text));
        wait_again(p2p, true);
        return;
    }
    i2p_link_begin(&i2p->link, i2p->own->session, I2P_ACCEPT, NULL, &out);
    i2p->deadline_ms = p2p_real_ms(p2p) + I2P_ANSWER_MS;
    send_out(p2p, stream, &out);
}

static void on_accept_received(struct p2p *p2p, struct stream *stream, struct span bytes)
{
    struct connect_i2p *i2p = i2p_of(stream);
    struct net_address own = *i2p_session_address(i2p->own->session);
    struct net_address address;
    struct buf out = {0};
    struct peer *peer;
    net_conn conn;
    size_t used;
    int rc;

    rc = i2p_link_feed(&i2p->link, &used, bytes, &out, NULL);
    send_out(p2p, stream, &out);
    if (rc < 0) {
        if (!i2p_session_is_ready(i2p->own->session))
            carrier_end(i2p->own);
        wait_again(p2p, true);
        return;
    }
    if (i2p->link.state == I2P_WAITING)
        i2p->deadline_ms = 0;
    if (i2p->link.state != I2P_DONE)
        return;
    address = i2p->link.peer;
    conn = stream_release(p2p, stream);
    wait_again(p2p, false);
    peer = connect_take(p2p, conn, 0, false, &address, &own);
    if (peer != NULL)
        peer_received(peer, span_of(bytes.data + used, bytes.len - used));
}

static void on_accept_closed(struct p2p *p2p, struct stream *stream, const struct error *err)
{
    (void)stream;
    log_debug("i2p", "Error accepting: %s", error_text(err));
    wait_again(p2p, true);
}

static void wait_for_one(struct p2p *p2p)
{
    struct connect_i2p *i2p = p2p->connect.i2p;
    struct net_endpoint endpoint;

    if (i2p->own->failures_n != i2p->seen_n) {
        log_error("i2p", "Couldn't listen: %s", error_text(&i2p->own->failure));
        i2p->seen_n = i2p->own->failures_n;
        wait_again(p2p, true);
        return;
    }
    if (!i2p_session_is_ready(i2p->own->session)) {
        if (i2p->own->stream.conn == 0)
            carrier_begin(i2p->own);
        return;
    }
    if (!i2p->is_told)
        i2p->is_told = connect_add_local(p2p, i2p_session_address(i2p->own->session), LOCAL_MANUAL);
    if (!router(p2p, &endpoint))
        return;
    i2p->is_waiting = true;
    stream_open(p2p, &i2p->stream, &endpoint, p2p->options.connect_timeout_ms);
}

/* --- Life --- */

void connect_i2p_start(struct p2p *p2p)
{
    struct connect_i2p *i2p;

    if (!p2p->connect.proxies.by_net[NET_I2P].is_set)
        return;
    i2p = alloc_zero(sizeof(*i2p));
    p2p->connect.i2p = i2p;
    i2p->stream.connected = on_accept_connected;
    i2p->stream.received = on_accept_received;
    i2p->stream.closed = on_accept_closed;
    i2p->wait_ms = WAIT_FIRST_MS;
    i2p->try_at_ms = p2p_real_ms(p2p);
    if (p2p->options.i2p_accept_incoming && p2p->options.folder != NULL)
        i2p->own = carrier_new(p2p, false);
}

static void end_late(struct i2p_carrier *carrier, int64_t now_ms)
{
    struct error why = {0};

    if (carrier == NULL || carrier->deadline_ms == 0 || now_ms < carrier->deadline_ms)
        return;
    (void)error_set(&why, E_IO, "Receive timeout");
    carrier_fail(carrier, &why);
}

void connect_i2p_tick(struct p2p *p2p)
{
    struct connect_i2p *i2p = p2p->connect.i2p;
    int64_t now_ms = p2p_real_ms(p2p);

    if (i2p == NULL)
        return;
    end_late(i2p->own, now_ms);
    for (struct i2p_carrier *at = i2p->transient; at != NULL; at = at->next)
        end_late(at, now_ms);
    if (i2p->deadline_ms != 0 && now_ms >= i2p->deadline_ms)
        wait_again(p2p, true);
    if (i2p->own != NULL && !i2p->is_waiting && now_ms >= i2p->try_at_ms)
        wait_for_one(p2p);
}

void connect_i2p_clear(struct p2p *p2p)
{
    struct connect_i2p *i2p = p2p->connect.i2p;

    if (i2p == NULL)
        return;
    stream_close(p2p, &i2p->stream);
    i2p_link_clear(&i2p->link);
    carrier_free(i2p->own);
    while (i2p->transient != NULL)
        connect_i2p_give_back(p2p, i2p->transient);
    free(i2p);
    p2p->connect.i2p = NULL;
}
