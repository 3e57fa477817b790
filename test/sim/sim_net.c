#include "sim_net.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "crypto/siphash.h"

#define PIECE_BYTES_MAX 65536U
#define AGAIN_US 1000000

enum event_kind {
    EVENT_SCENARIO,
    EVENT_TIMER,
    EVENT_WOKEN,
    EVENT_RESOLVED,
    EVENT_CONNECT,   /* The call reaches the other host. */
    EVENT_CONNECTED, /* The answer comes back; or the time is over. */
    EVENT_PIECE,     /* Bytes arrive. */
    EVENT_AGAIN,     /* Bytes that did not get through are sent again. */
    EVENT_CREDIT,    /* The sender learns that the reader took bytes. */
    EVENT_CLOSED
};

struct event {
    uint64_t at_us;
    uint64_t order; /* Of events of one time: as they were made. */
    enum event_kind kind;
    int host;         /* Whom it concerns; -1: nobody's. */
    uint64_t life;    /* Of the host when it was made: events for a former life are void. */
    uint64_t subject; /* A connection's end, a timer's number, a token. */
    uint64_t number;  /* Bytes, a port, a result. */
    struct buf bytes; /* Owned. */
    void (*run)(void *context, uint64_t number);
    void *context;
};

/* One end of a connection. Ends are made in pairs: n and n ^ 1. */
struct end {
    int host;
    uint64_t life;
    bool is_open;      /* The node has it. */
    bool is_connected; /* Bytes may flow. */
    bool is_reading;
    bool has_pending_close; /* The other side closed; told once all bytes are taken. */
    bool was_full;          /* drained is owed. */
    struct buf out;         /* To be sent, from out_at on. */
    size_t out_at;
    struct buf in;      /* Arrived, not taken. */
    struct buf held;    /* Came to where the way was cut. */
    uint64_t in_flight; /* Sent and not yet taken by the reader. */
    uint64_t last_arrival_us;
    uint64_t heard_us; /* The last time the way worked. */
    struct net_endpoint local, peer;
};

struct listener {
    struct net_endpoint endpoint;
    int tag;
};

struct host {
    struct net_io io; /* First: what the node holds. */
    struct sim_net *net;
    int number;
    uint8_t ip[16];
    struct sim_clock *clock;
    uint64_t clock_at_us;
    struct net_handler handler;
    bool is_up;
    uint64_t life;
    int group;
    struct listener *listeners;
    size_t listeners_n;
    uint64_t timer; /* Number of the timer that counts. */
    bool is_woken;
    uint64_t bytes_per_s;
    uint64_t uplink_free_us;
    uint16_t next_port;
};

struct name {
    char *name;
    uint8_t ip[16];
};

struct sim_net {
    struct sim_net_options options;
    uint64_t random; /* State of the generator. */
    uint64_t now_us;
    uint64_t order;
    struct event *heap; /* The earliest first. */
    size_t heap_n, heap_capacity;
    struct host **hosts;
    int hosts_n;
    struct end **ends;
    size_t ends_n, ends_capacity;
    struct name *names;
    size_t names_n;
    int host_now;
    struct siphash_key latency_key;
    uint64_t digest;
    struct sim_net_counts counts;
};

/* --- Chance --- */

static uint64_t next_random(struct sim_net *net)
{
    uint64_t z = net->random += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static uint64_t random_below(struct sim_net *net, uint64_t bound)
{
    return bound <= 1 ? 0 : next_random(net) % bound;
}

static void digest(struct sim_net *net, uint64_t what)
{
    net->digest = (net->digest ^ what) * 0x100000001b3;
    net->digest ^= net->digest >> 29;
}

/* --- The queue --- */

static bool is_before(const struct event *a, const struct event *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void push(struct sim_net *net, struct event event)
{
    size_t at = net->heap_n++;

    if (net->heap_n > net->heap_capacity) {
        net->heap_capacity = MAX(2 * net->heap_capacity, (size_t)256);
        net->heap = realloc_array(net->heap, net->heap_capacity, sizeof(*net->heap));
    }
    event.order = net->order++;
    while (at > 0 && is_before(&event, &net->heap[(at - 1) / 2])) {
        net->heap[at] = net->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    net->heap[at] = event;
}

static struct event pop(struct sim_net *net)
{
    struct event first = net->heap[0];
    struct event last = net->heap[--net->heap_n];
    size_t at = 0;

    for (;;) {
        size_t child = 2 * at + 1;

        if (child >= net->heap_n)
            break;
        if (child + 1 < net->heap_n && is_before(&net->heap[child + 1], &net->heap[child]))
            child++;
        if (!is_before(&net->heap[child], &last))
            break;
        net->heap[at] = net->heap[child];
        at = child;
    }
    net->heap[at] = last;
    return first;
}

static void push_for(struct host *host, enum event_kind kind, uint64_t at_us, uint64_t subject,
                     uint64_t number)
{
    push(host->net, (struct event){.at_us = at_us,
                                   .kind = kind,
                                   .host = host->number,
                                   .life = host->life,
                                   .subject = subject,
                                   .number = number});
}

/* --- The way --- */

static uint64_t latency_us(struct sim_net *net, int a, int b)
{
    uint64_t span = net->options.latency_max_us - net->options.latency_min_us;
    uint32_t pair[2] = {(uint32_t)MIN(a, b), (uint32_t)MAX(a, b)};

    if (a == b)
        return 50;
    return net->options.latency_min_us +
           (span == 0 ? 0 : siphash_of(&net->latency_key, pair, sizeof(pair)) % (span + 1));
}

static bool is_reachable(const struct sim_net *net, int a, int b)
{
    return net->hosts[a]->group == net->hosts[b]->group;
}

static struct end *end_of(struct sim_net *net, net_conn conn)
{
    return conn < 2 || conn >= net->ends_n ? NULL : net->ends[conn];
}

/* The end if this host's node has it. */
static struct end *own_end(struct host *host, net_conn conn)
{
    struct end *end = end_of(host->net, conn);

    return end != NULL && end->is_open && end->host == host->number && end->life == host->life
               ? end
               : NULL;
}

static void release_end(struct end *end)
{
    end->is_open = false;
    end->is_connected = false;
    buf_clear(&end->out);
    buf_clear(&end->in);
    buf_clear(&end->held);
    end->out_at = 0;
}

/* Sends as much as the window takes. */
static void pump(struct sim_net *net, net_conn conn)
{
    struct end *end = net->ends[conn];
    struct host *host = net->hosts[end->host];
    int to = net->ends[conn ^ 1]->host;

    while (end->is_connected && end->out.len > end->out_at && end->in_flight < SIM_NET_WINDOW) {
        size_t len = MIN(end->out.len - end->out_at, (size_t)(SIM_NET_WINDOW - end->in_flight));
        struct event event = {.kind = EVENT_PIECE, .host = to, .subject = conn ^ 1};
        uint64_t start = MAX(net->now_us, host->uplink_free_us);

        len = MIN(len, (size_t)PIECE_BYTES_MAX);
        buf_add(&event.bytes, end->out.data + end->out_at, len);
        end->out_at += len;
        end->in_flight += len;
        host->uplink_free_us = start + len * 1000000 / host->bytes_per_s;
        event.at_us = host->uplink_free_us + latency_us(net, end->host, to) +
                      random_below(net, net->options.jitter_us + 1);
        if (net->options.stall_one_in > 0 && random_below(net, net->options.stall_one_in) == 0)
            event.at_us += random_below(net, net->options.stall_us);
        event.at_us = MAX(event.at_us, end->last_arrival_us);
        end->last_arrival_us = event.at_us;
        event.life = net->hosts[to]->life;
        net->counts.pieces++;
        net->counts.bytes += len;
        push(net, event);
    }
    if (end->out_at == end->out.len) {
        end->out.len = 0;
        end->out_at = 0;
    }
}

/* Tells the other end, when word of it can have come there. */
static void tell_closed(struct sim_net *net, net_conn conn)
{
    struct end *end = net->ends[conn];
    struct host *other = net->hosts[net->ends[conn ^ 1]->host];
    uint64_t at =
        MAX(net->now_us + latency_us(net, end->host, other->number), end->last_arrival_us);

    push_for(other, EVENT_CLOSED, at, conn ^ 1, 0);
}

/* --- What a node calls --- */

static struct host *host_of(struct net_io *io)
{
    return (struct host *)io;
}

static void do_set_handler(struct net_io *io, const struct net_handler *handler)
{
    host_of(io)->handler = *handler;
}

static bool is_any(const uint8_t *ip)
{
    static const uint8_t any6[16];
    static const uint8_t any4[16] = {[10] = 0xff, [11] = 0xff};

    return memcmp(ip, any6, 16) == 0 || memcmp(ip, any4, 16) == 0;
}

static int do_listen(struct net_io *io, const struct net_endpoint *endpoint, int tag,
                     struct error *err)
{
    struct host *host = host_of(io);

    for (size_t i = 0; i < host->listeners_n; i++)
        if (host->listeners[i].endpoint.port == endpoint->port &&
            memcmp(host->listeners[i].endpoint.ip, endpoint->ip, 16) == 0)
            return error_set(err, E_EXISTS, "address is in use");
    host->listeners =
        realloc_array(host->listeners, host->listeners_n + 1, sizeof(*host->listeners));
    host->listeners[host->listeners_n++] = (struct listener){.endpoint = *endpoint, .tag = tag};
    return 0;
}

static void do_stop_listening(struct net_io *io)
{
    host_of(io)->listeners_n = 0;
}

static int host_at(const struct sim_net *net, const uint8_t *ip)
{
    for (int i = 0; i < net->hosts_n; i++)
        if (memcmp(net->hosts[i]->ip, ip, 16) == 0)
            return i;
    return -1;
}

static const struct listener *find_listener(const struct host *host,
                                            const struct net_endpoint *endpoint)
{
    for (size_t i = 0; i < host->listeners_n; i++) {
        const struct net_endpoint *at = &host->listeners[i].endpoint;

        if (at->port == endpoint->port && (is_any(at->ip) || memcmp(at->ip, endpoint->ip, 16) == 0))
            return &host->listeners[i];
    }
    return NULL;
}

static net_conn new_pair(struct sim_net *net)
{
    net_conn conn = net->ends_n;

    if (net->ends_n + 2 > net->ends_capacity) {
        net->ends_capacity *= 2;
        net->ends = realloc_array(net->ends, net->ends_capacity, sizeof(struct end *));
    }
    net->ends[net->ends_n++] = alloc_zero(sizeof(struct end));
    net->ends[net->ends_n++] = alloc_zero(sizeof(struct end));
    return conn;
}

static net_conn do_connect(struct net_io *io, const struct net_endpoint *endpoint,
                           uint64_t timeout_ms)
{
    struct host *host = host_of(io);
    struct sim_net *net = host->net;
    net_conn conn = new_pair(net);
    struct end *end = net->ends[conn];
    int to = host_at(net, endpoint->ip);

    *end = (struct end){.host = host->number, .life = host->life, .is_open = true};
    end->is_reading = true;
    end->peer = *endpoint;
    memcpy(end->local.ip, host->ip, 16);
    end->local.port = host->next_port++;
    net->ends[conn + 1]->host = MAX(to, 0);
    net->counts.connects++;
    if (to >= 0)
        push_for(net->hosts[to], EVENT_CONNECT, net->now_us + latency_us(net, host->number, to),
                 conn + 1, 0);
    push_for(host, EVENT_CONNECTED, net->now_us + timeout_ms * 1000, conn, (uint64_t)-E_IO);
    return conn;
}

static void do_send(struct net_io *io, net_conn conn, struct span bytes)
{
    struct host *host = host_of(io);
    struct end *end = own_end(host, conn);

    if (end == NULL)
        return;
    buf_add(&end->out, bytes.data, bytes.len);
    pump(host->net, conn);
    end->was_full = end->was_full || end->out.len > end->out_at;
}

static size_t do_queued(struct net_io *io, net_conn conn)
{
    struct end *end = own_end(host_of(io), conn);

    return end == NULL ? 0 : end->out.len - end->out_at;
}

static void do_set_reading(struct net_io *io, net_conn conn, bool is_on)
{
    struct host *host = host_of(io);
    struct end *end = own_end(host, conn);

    if (end == NULL || end->is_reading == is_on)
        return;
    end->is_reading = is_on;
    if (is_on && (end->in.len > 0 || end->has_pending_close))
        push_for(host, EVENT_PIECE, host->net->now_us, conn, 0);
}

static void do_close(struct net_io *io, net_conn conn)
{
    struct host *host = host_of(io);
    struct end *end = own_end(host, conn);

    if (end == NULL)
        return;
    pump(host->net, conn);
    if (end->is_connected)
        tell_closed(host->net, conn);
    release_end(end);
}

static void do_resolve(struct net_io *io, uint64_t token, const char *name, size_t max)
{
    struct host *host = host_of(io);
    struct sim_net *net = host->net;
    struct event event = {.kind = EVENT_RESOLVED,
                          .host = host->number,
                          .life = host->life,
                          .subject = token,
                          .at_us = net->now_us + 20000 + random_below(net, 100000)};

    for (size_t i = 0; i < net->names_n && event.number < max; i++) {
        struct net_endpoint endpoint = {.port = 0};

        if (strcmp(net->names[i].name, name) != 0)
            continue;
        memcpy(endpoint.ip, net->names[i].ip, 16);
        buf_add(&event.bytes, &endpoint, sizeof(endpoint));
        event.number++;
    }
    push(net, event);
}

static void do_set_timer(struct net_io *io, uint64_t delay_ms)
{
    struct host *host = host_of(io);

    push_for(host, EVENT_TIMER, host->net->now_us + delay_ms * 1000, ++host->timer, 0);
}

static void do_wake(struct net_io *io)
{
    struct host *host = host_of(io);

    if (host->is_woken)
        return;
    host->is_woken = true;
    push_for(host, EVENT_WOKEN, host->net->now_us, 0, 0);
}

static size_t do_interfaces(struct net_io *io, struct net_endpoint *ret_endpoints, size_t max)
{
    if (max == 0)
        return 0;
    ret_endpoints[0] = (struct net_endpoint){.port = 0};
    memcpy(ret_endpoints[0].ip, host_of(io)->ip, 16);
    return 1;
}

static size_t do_limit(struct net_io *io)
{
    (void)io;
    return 10000;
}

static const struct net_ops ops = {
    .set_handler = do_set_handler,
    .listen = do_listen,
    .stop_listening = do_stop_listening,
    .connect = do_connect,
    .send = do_send,
    .queued = do_queued,
    .set_reading = do_set_reading,
    .close = do_close,
    .resolve = do_resolve,
    .set_timer = do_set_timer,
    .wake = do_wake,
    .interfaces = do_interfaces,
    .limit = do_limit,
};

/* --- What happens --- */

/* The connection is broken: both ends find out, each in its time. */
static void reset(struct sim_net *net, net_conn conn)
{
    net->counts.resets++;
    for (net_conn at = conn & ~UINT64_C(1); at <= (conn | 1); at++) {
        struct end *end = net->ends[at];

        end->is_connected = false;
        end->has_pending_close = true;
        buf_clear(&end->in);
        buf_clear(&end->held);
        push_for(net->hosts[end->host], EVENT_CLOSED, net->now_us + random_below(net, 50000), at,
                 1);
    }
}

/* The call arrives: somebody listens, nobody does (the caller learns that), or nothing
 * comes back and the caller's time runs out. */
static void happen_connect(struct sim_net *net, const struct event *event)
{
    struct end *end = net->ends[event->subject];
    struct end *caller = net->ends[event->subject ^ 1];
    struct host *host = net->hosts[event->host];
    struct host *from = net->hosts[caller->host];
    const struct listener *listener = find_listener(host, &caller->peer);
    uint64_t back = net->now_us + latency_us(net, host->number, caller->host);

    if (!is_reachable(net, host->number, caller->host) || !caller->is_open)
        return;
    if (listener == NULL || host->handler.accepted == NULL) {
        push_for(from, EVENT_CONNECTED, back, event->subject ^ 1, (uint64_t)-E_IO);
        return;
    }
    *end = (struct end){.host = host->number,
                        .life = host->life,
                        .is_open = true,
                        .is_connected = true,
                        .is_reading = true,
                        .local = caller->peer,
                        .peer = caller->local,
                        .heard_us = net->now_us};
    push_for(from, EVENT_CONNECTED, back, event->subject ^ 1, 0);
    host->handler.accepted(host->handler.context, event->subject, listener->tag, &end->peer,
                           &end->local);
}

static void happen_connected(struct sim_net *net, const struct event *event)
{
    struct host *host = net->hosts[event->host];
    struct end *end = own_end(host, event->subject);
    int rc = -(int)event->number;
    struct error err = {0};

    if (end == NULL || end->is_connected || end->has_pending_close)
        return; /* Closed meanwhile, or the time was over after it stood. */
    if (rc == 0) {
        end->is_connected = true;
        end->heard_us = net->now_us;
        host->handler.connected(host->handler.context, event->subject, 0, &end->local, NULL);
        if (own_end(host, event->subject) != NULL)
            pump(net, event->subject);
        return;
    }
    (void)error_set(&err, E_IO, "connection refused or timed out");
    release_end(end);
    host->handler.connected(host->handler.context, event->subject, E_IO, &end->local, &err);
}

/* Gives the node what has come. */
static void deliver(struct host *host, net_conn conn)
{
    struct sim_net *net = host->net;
    struct end *end = own_end(host, conn);
    struct buf bytes;
    struct error err = {0};

    if (end == NULL || !end->is_reading)
        return;
    bytes = end->in;
    end->in = (struct buf){0};
    if (bytes.len > 0) {
        struct host *sender = net->hosts[net->ends[conn ^ 1]->host];

        push_for(sender, EVENT_CREDIT, net->now_us + latency_us(net, host->number, sender->number),
                 conn ^ 1, bytes.len);
        digest(net, bytes.len);
        host->handler.received(host->handler.context, conn, span_of_buf(&bytes));
    }
    buf_clear(&bytes);
    end = own_end(host, conn);
    if (end == NULL || !end->has_pending_close || end->in.len > 0 || !end->is_reading)
        return;
    (void)error_set(&err, E_IO, "closed by the other side");
    release_end(end);
    host->handler.closed(host->handler.context, conn, &err);
}

/* What could not pass is tried again each second, in its order, until the way is open or
 * somebody gives up. */
static void happen_again(struct sim_net *net, const struct event *event)
{
    struct host *host = net->hosts[event->host];
    struct end *end = own_end(host, event->subject);

    if (end == NULL || !end->is_connected)
        return;
    if (!is_reachable(net, host->number, net->ends[event->subject ^ 1]->host)) {
        if (net->now_us - end->heard_us > SIM_NET_GIVE_UP_US)
            reset(net, event->subject);
        else
            push_for(host, EVENT_AGAIN, net->now_us + AGAIN_US, event->subject, 0);
        return;
    }
    end->heard_us = net->now_us;
    buf_add(&end->in, end->held.data, end->held.len);
    buf_clear(&end->held);
    deliver(host, event->subject);
}

static void happen_piece(struct sim_net *net, const struct event *event)
{
    struct host *host = net->hosts[event->host];
    struct end *end = own_end(host, event->subject);

    if (end == NULL || (event->bytes.len > 0 && !end->is_connected))
        return;
    if (event->bytes.len > 0 &&
        (end->held.len > 0 ||
         !is_reachable(net, host->number, net->ends[event->subject ^ 1]->host))) {
        if (end->held.len == 0)
            push_for(host, EVENT_AGAIN, net->now_us + AGAIN_US, event->subject, 0);
        buf_add(&end->held, event->bytes.data, event->bytes.len);
        return;
    }
    if (event->bytes.len > 0 && net->options.reset_one_in > 0 &&
        random_below(net, net->options.reset_one_in) == 0) {
        reset(net, event->subject);
        return;
    }
    end->heard_us = net->now_us;
    buf_add(&end->in, event->bytes.data, event->bytes.len);
    deliver(host, event->subject);
}

static void happen_credit(struct sim_net *net, const struct event *event)
{
    struct host *host = net->hosts[event->host];
    struct end *end = own_end(host, event->subject);

    if (end == NULL)
        return;
    end->heard_us = net->now_us;
    end->in_flight -= MIN(end->in_flight, event->number);
    pump(net, event->subject);
    if (end->was_full && end->out.len == end->out_at) {
        end->was_full = false;
        host->handler.drained(host->handler.context, event->subject, 0);
    }
}

static void happen_closed(struct sim_net *net, const struct event *event)
{
    struct host *host = net->hosts[event->host];
    struct end *end = own_end(host, event->subject);
    struct end *other = net->ends[event->subject ^ 1];

    if (end == NULL)
        return;
    if (event->number == 0 &&
        (end->held.len > 0 || !is_reachable(net, host->number, other->host))) {
        struct event again = *event;

        again.at_us = net->now_us + 1000000;
        push(net, again);
        return;
    }
    end->is_connected = false;
    end->has_pending_close = true;
    deliver(host, event->subject);
}

static void happen(struct sim_net *net, struct event *event)
{
    struct host *host = event->host < 0 ? NULL : net->hosts[event->host];

    if (host != NULL && (!host->is_up || host->life != event->life)) {
        /* Nobody is there. If it says so, the sender hears of it. */
        return;
    }
    if (host != NULL && host->clock != NULL) {
        sim_clock_advance_us(host->clock, net->now_us - host->clock_at_us);
        host->clock_at_us = net->now_us;
    }
    switch (event->kind) {
    case EVENT_SCENARIO:
        event->run(event->context, event->number);
        break;
    case EVENT_TIMER:
        if (event->subject == host->timer)
            host->handler.timer(host->handler.context);
        break;
    case EVENT_WOKEN:
        host->is_woken = false;
        host->handler.woken(host->handler.context);
        break;
    case EVENT_RESOLVED:
        host->handler.resolved(host->handler.context, event->subject,
                               (const struct net_endpoint *)(const void *)event->bytes.data,
                               (size_t)event->number);
        break;
    case EVENT_CONNECT:
        happen_connect(net, event);
        break;
    case EVENT_CONNECTED:
        happen_connected(net, event);
        break;
    case EVENT_PIECE:
        happen_piece(net, event);
        break;
    case EVENT_AGAIN:
        happen_again(net, event);
        break;
    case EVENT_CREDIT:
        happen_credit(net, event);
        break;
    case EVENT_CLOSED:
        happen_closed(net, event);
        break;
    }
}

bool sim_net_step(struct sim_net *net, uint64_t until_us)
{
    struct event event;

    if (net->heap_n == 0 || net->heap[0].at_us > until_us) {
        net->now_us = MAX(net->now_us, until_us);
        return false;
    }
    event = pop(net);
    CHECK(event.at_us >= net->now_us);
    net->now_us = event.at_us;
    net->counts.events++;
    net->host_now = event.host;
    digest(net, event.at_us);
    digest(net, (uint64_t)event.kind << 32 | (uint32_t)event.host);
    happen(net, &event);
    buf_clear(&event.bytes);
    net->host_now = -1;
    return true;
}

void sim_net_run(struct sim_net *net, uint64_t until_us)
{
    while (sim_net_step(net, until_us))
        ;
}

/* --- The world --- */

void sim_net_options_default(struct sim_net_options *ret_options)
{
    *ret_options = (struct sim_net_options){
        .latency_min_us = 10000,
        .latency_max_us = 150000,
        .jitter_us = 20000,
        .bytes_per_s = 10000000,
    };
}

struct sim_net *sim_net_new(uint64_t seed, const struct sim_net_options *options)
{
    struct sim_net *net = alloc_zero(sizeof(*net));

    net->options = *options;
    net->host_now = -1;
    net->random = seed;
    net->latency_key = (struct siphash_key){next_random(net), next_random(net)};
    net->digest = 0xcbf29ce484222325;
    net->ends_capacity = 64;
    net->ends = alloc_array(net->ends_capacity, sizeof(struct end *));
    net->ends_n = 2; /* No connection has the number 0. */
    net->ends[0] = alloc_zero(sizeof(struct end));
    net->ends[1] = alloc_zero(sizeof(struct end));
    return net;
}

void sim_net_free(struct sim_net *own_net)
{
    if (own_net == NULL)
        return;
    for (size_t i = 0; i < own_net->heap_n; i++)
        buf_clear(&own_net->heap[i].bytes);
    for (size_t i = 0; i < own_net->ends_n; i++) {
        release_end(own_net->ends[i]);
        free(own_net->ends[i]);
    }
    for (int i = 0; i < own_net->hosts_n; i++) {
        free(own_net->hosts[i]->listeners);
        free(own_net->hosts[i]);
    }
    for (size_t i = 0; i < own_net->names_n; i++)
        free(own_net->names[i].name);
    free(own_net->names);
    free(own_net->hosts);
    free(own_net->ends);
    free(own_net->heap);
    free(own_net);
}

static void map_ipv4(uint8_t *ret_ip, const uint8_t *ip4)
{
    memset(ret_ip, 0, 10);
    memset(ret_ip + 10, 0xff, 2);
    memcpy(ret_ip + 12, ip4, 4);
}

int sim_net_add_host(struct sim_net *net, const uint8_t *ip4, struct sim_clock *clock)
{
    struct host *host = alloc_zero(sizeof(*host));

    host->io.ops = &ops;
    host->net = net;
    host->number = net->hosts_n;
    map_ipv4(host->ip, ip4);
    host->clock = clock;
    host->clock_at_us = net->now_us;
    host->is_up = true;
    host->bytes_per_s = net->options.bytes_per_s;
    host->next_port = 40000;
    net->hosts = realloc_array(net->hosts, (size_t)net->hosts_n + 1, sizeof(struct host *));
    net->hosts[net->hosts_n++] = host;
    return host->number;
}

struct net_io *sim_net_io(struct sim_net *net, int host)
{
    return &net->hosts[host]->io;
}

void sim_net_stop_host(struct sim_net *net, int host, bool silent)
{
    struct host *stopped = net->hosts[host];

    for (net_conn conn = 2; conn < net->ends_n; conn++) {
        struct end *end = net->ends[conn];
        struct host *other = net->hosts[net->ends[conn ^ 1]->host];

        if (!end->is_open || end->host != host || end->life != stopped->life)
            continue;
        if (end->is_connected)
            push_for(other, EVENT_CLOSED,
                     net->now_us +
                         (silent ? UINT64_C(60000000) : latency_us(net, host, other->number)),
                     conn ^ 1, 1);
        release_end(end);
    }
    stopped->is_up = false;
    stopped->life++;
    stopped->listeners_n = 0;
    stopped->handler = (struct net_handler){0};
    stopped->is_woken = false;
    stopped->timer++;
}

void sim_net_start_host(struct sim_net *net, int host)
{
    struct host *started = net->hosts[host];

    started->is_up = true;
    if (started->clock != NULL)
        sim_clock_advance_us(started->clock, net->now_us - started->clock_at_us);
    started->clock_at_us = net->now_us;
}

void sim_net_set_group(struct sim_net *net, int host, int group)
{
    net->hosts[host]->group = group;
}

void sim_net_set_bandwidth(struct sim_net *net, int host, uint64_t bytes_per_s)
{
    net->hosts[host]->bytes_per_s = MAX(bytes_per_s, (uint64_t)1);
}

void sim_net_add_name(struct sim_net *net, const char *name, const uint8_t *ip4)
{
    net->names = realloc_array(net->names, net->names_n + 1, sizeof(*net->names));
    net->names[net->names_n].name = alloc_string(name);
    map_ipv4(net->names[net->names_n++].ip, ip4);
}

int sim_net_host_now(const struct sim_net *net)
{
    return net->host_now;
}

uint64_t sim_net_now_us(const struct sim_net *net)
{
    return net->now_us;
}

void sim_net_after(struct sim_net *net, uint64_t delay_us,
                   void (*run)(void *context, uint64_t number), void *context, uint64_t number)
{
    push(net, (struct event){.at_us = net->now_us + delay_us,
                             .kind = EVENT_SCENARIO,
                             .host = -1,
                             .run = run,
                             .context = context,
                             .number = number});
}

uint64_t sim_net_digest(const struct sim_net *net)
{
    return net->digest;
}

void sim_net_counts(const struct sim_net *net, struct sim_net_counts *ret_counts)
{
    *ret_counts = net->counts;
}
