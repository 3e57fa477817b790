#include "http/server.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "os/clock.h"
#include "os/thread.h"

#define READ_BYTES 65536
/* Bytes that may wait behind a request that is being answered. */
#define PIPELINE_BYTES_MAX 65536U
#define POLL_MS 500
#define LAST_SENDS_MS 2000
#define DRAIN_US 5000000U

/* Who may touch a connection: the reading thread, or the worker that answers its
 * request. A worker gives it back as its very last act. */
enum owner { OWNER_READER, OWNER_WORKER };

struct connection {
    int fd;
    bool is_listener;
    _Atomic int owner;
    bool must_close; /* When out has been sent. */
    bool must_drain; /* Then first take what the client still sends: closing over
                      * unread bytes would destroy the reply on its way. */
    bool is_draining;
    uint64_t active_us;
    char peer[SOCKET_ADDRESS_SIZE];
    struct http_parser parser;
    struct buf in; /* Read but not parsed: further requests. */
    struct buf out;
    size_t out_sent;
    struct http_server *server;
    struct connection *next;
    struct connection *prev;
};

struct http_server {
    struct http_options options;
    struct poller poller;
    struct connection listeners[HTTP_LISTENERS_MAX];
    size_t listeners_n;
    struct connection *connections; /* The reading thread's. */
    size_t connections_n;
    struct queue queue;
    struct thread reader;
    struct thread *workers;
    unsigned workers_n;
    _Atomic bool is_interrupted;
    _Atomic bool is_ending;
};

const char *http_status_text(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 204:
        return "No Content";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 413:
        return "Content too large";
    case 500:
        return "Internal Server Error";
    case 503:
        return "Service Unavailable";
    default:
        return "";
    }
}

/* --- Replies --- */

static void add_date(struct buf *out)
{
    char text[64];
    time_t now = (time_t)clock_wall_s(clock_real());
    struct tm tm;

    (void)gmtime_r(&now, &tm);
    (void)strftime(text, sizeof(text), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
    buf_add_string(out, text);
}

static void add_reply(struct connection *c, const struct http_exchange *exchange)
{
    bool keeps_alive = http_parser_keeps_alive(&c->parser) && !c->must_close;
    int minor = c->parser.minor_version;
    bool has_body = exchange->status != 204;

    buf_add_printf(&c->out, "HTTP/1.%d %d %s\r\n", minor, exchange->status,
                   http_status_text(exchange->status));
    if (exchange->content_type != NULL)
        buf_add_printf(&c->out, "Content-Type: %s\r\n", exchange->content_type);
    if (exchange->extra_header != NULL)
        buf_add_printf(&c->out, "%s\r\n", exchange->extra_header);
    if (minor > 0)
        add_date(&c->out);
    if (has_body)
        buf_add_printf(&c->out, "Content-Length: %zu\r\n", exchange->body.len);
    if (!keeps_alive)
        buf_add_string(&c->out, "Connection: close\r\n");
    else if (minor == 0)
        buf_add_string(&c->out, "Connection: keep-alive\r\n");
    buf_add_string(&c->out, "\r\n");
    if (has_body && exchange->body.len > 0 &&
        (c->parser.method == NULL || strcmp(c->parser.method, "HEAD") != 0))
        buf_add(&c->out, exchange->body.data, exchange->body.len);
    c->must_close = !keeps_alive;
}

/* A reply that no handler makes. */
static void add_plain_reply(struct connection *c, int status, const char *text)
{
    struct http_exchange exchange = {
        .status = status,
        .content_type = "text/plain",
        .extra_header = "Cache-Control: no-store",
    };

    buf_add_string(&exchange.body, text);
    add_reply(c, &exchange);
    buf_clear(&exchange.body);
}

/* 1: all is sent; 0: the socket is full; -1: it is broken. */
static int send_out(struct connection *c)
{
    while (c->out_sent < c->out.len) {
        ssize_t n = socket_write(c->fd, c->out.data + c->out_sent, c->out.len - c->out_sent);

        if (n == -1)
            return 0;
        if (n < 0)
            return -1;
        c->out_sent += (size_t)n;
        c->active_us = clock_monotonic_us(clock_real());
    }
    if (c->out.capacity > READ_BYTES)
        buf_clear(&c->out);
    c->out.len = 0;
    c->out_sent = 0;
    return 1;
}

/* --- Workers --- */

static void answer(struct connection *c)
{
    struct http_server *server = c->server;
    struct http_exchange exchange = {.request = &c->parser, .peer = c->peer, .status = 500};

    if (atomic_load(&server->is_interrupted)) {
        add_plain_reply(c, 503, "Request rejected during server shutdown");
        return;
    }
    server->options.handle(server->options.context, &exchange);
    add_reply(c, &exchange);
    buf_clear(&exchange.body);
}

static void work(void *context)
{
    struct http_server *server = context;
    struct connection *c;

    while ((c = queue_pop(&server->queue)) != NULL) {
        int sent;

        answer(c);
        http_parser_reset(&c->parser);
        sent = send_out(c);
        if (sent < 0 || (sent == 1 && c->must_close)) {
            c->must_close = true;
            c->out.len = c->out_sent = 0;
        }
        c->active_us = clock_monotonic_us(clock_real());
        /* Requests read ahead are looked at by the reader, which a writable socket
         * wakes at once. */
        poller_arm(&server->poller, c->fd, sent == 0 || c->must_close || c->in.len > 0, c);
        atomic_store_explicit(&c->owner, OWNER_READER, memory_order_release);
    }
}

/* --- The reading thread --- */

static void connection_close(struct connection *c)
{
    struct http_server *server = c->server;

    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        server->connections = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    server->connections_n--;
    socket_close(c->fd);
    http_parser_clear(&c->parser);
    buf_clear(&c->in);
    buf_clear(&c->out);
    free(c);
}

static bool is_allowed(const struct http_server *server, const uint8_t *ip)
{
    for (size_t i = 0; i < server->options.allowed_n; i++) {
        if (subnet_contains(&server->options.allowed[i], ip))
            return true;
    }
    return false;
}

static void accept_all(struct http_server *server, struct connection *listener)
{
    char peer[SOCKET_ADDRESS_SIZE];
    uint8_t ip[16];
    int fd;

    while ((fd = socket_accept(listener->fd, peer, ip)) >= 0) {
        struct connection *c;

        if (!is_allowed(server, ip)) {
            log_debug("http",
                      "Connection from %s rejected: Client network is not allowed HTTP access",
                      peer);
            socket_close(fd);
            continue;
        }
        if (server->connections_n >= HTTP_CONNECTIONS_MAX) {
            socket_close(fd);
            continue;
        }
        c = alloc_zero(sizeof(*c));
        c->fd = fd;
        c->server = server;
        memcpy(c->peer, peer, sizeof(peer));
        http_parser_init(&c->parser);
        c->active_us = clock_monotonic_us(clock_real());
        c->next = server->connections;
        if (c->next != NULL)
            c->next->prev = c;
        server->connections = c;
        server->connections_n++;
        if (poller_add(&server->poller, fd, false, c, NULL) < 0)
            connection_close(c);
    }
    poller_arm(&server->poller, listener->fd, false, listener);
}

/* Puts the request that the parser holds on its way. */
static bool dispatch(struct connection *c)
{
    struct http_server *server = c->server;

    log_debug("http", "Received a %s request for %.100s from %s", c->parser.method,
              c->parser.target, c->peer);
    atomic_store_explicit(&c->owner, OWNER_WORKER, memory_order_release);
    if (queue_try_push(&server->queue, c))
        return true;
    atomic_store_explicit(&c->owner, OWNER_READER, memory_order_release);
    log_warning("http", "Request rejected because http work queue depth exceeded, it can be "
                        "increased with the -rpcworkqueue= setting");
    add_plain_reply(c, 503, "Work queue depth exceeded");
    http_parser_reset(&c->parser);
    return false;
}

/* Parses what has been read. True: the connection is a worker's now. */
static bool parse_input(struct connection *c)
{
    size_t at = 0;
    bool is_given = false;

    while (!is_given && !c->must_close && at < c->in.len) {
        size_t used;
        enum http_parse outcome =
            http_parser_feed(&c->parser, c->in.data + at, c->in.len - at, &used);

        at += used;
        if (outcome == HTTP_BAD || outcome == HTTP_TOO_LARGE) {
            c->must_close = c->must_drain = true;
            if (c->parser.method == NULL)
                c->parser.minor_version = 1;
            add_plain_reply(c, outcome == HTTP_BAD ? 400 : 413, "");
            at = c->in.len;
        } else if (outcome == HTTP_READY) {
            /* The bytes behind this request must be in place before a worker has
             * the connection. */
            memmove(c->in.data, c->in.data + at, c->in.len - at);
            c->in.len -= at;
            at = 0;
            is_given = dispatch(c);
        }
    }
    if (!is_given) {
        if (at > 0)
            memmove(c->in.data, c->in.data + at, c->in.len - at);
        c->in.len -= at;
    }
    return is_given;
}

/* Reads what is there. False: the client is gone. */
static bool read_input(struct connection *c)
{
    while (c->in.len < PIPELINE_BYTES_MAX) {
        size_t before = c->in.len;
        ssize_t n;

        buf_reserve(&c->in, READ_BYTES);
        n = socket_read(c->fd, c->in.data + before, READ_BYTES);
        if (n == -1)
            return true;
        if (n <= 0)
            return false;
        c->in.len = before + (size_t)n;
        c->active_us = clock_monotonic_us(clock_real());
        if (n < READ_BYTES)
            return true;
    }
    return true;
}

/* After a request that was refused before it was read whole: false when the
 * client has ended too. */
static bool drain(struct connection *c)
{
    ssize_t n;

    if (!c->is_draining) {
        c->is_draining = true;
        c->active_us = clock_monotonic_us(clock_real());
        socket_end_writing(c->fd);
    }
    buf_reserve(&c->in, READ_BYTES);
    do {
        n = socket_read(c->fd, c->in.data, READ_BYTES);
    } while (n > 0);
    return n == -1;
}

/* Sends what waits. False: the connection is closed, or waits for its end. */
static bool push_output(struct connection *c)
{
    int sent = send_out(c);

    if (sent == 0) {
        poller_arm(&c->server->poller, c->fd, true, c);
        return false;
    }
    if (sent > 0 && !c->must_close)
        return true;
    if (sent > 0 && c->must_drain && drain(c))
        poller_arm(&c->server->poller, c->fd, false, c);
    else
        connection_close(c);
    return false;
}

static void serve(struct connection *c, const struct poll_event *event)
{
    /* The worker arms the socket just before it lets go. */
    while (atomic_load_explicit(&c->owner, memory_order_acquire) != OWNER_READER)
        sched_yield();
    if (c->is_listener) {
        accept_all(c->server, c);
        return;
    }
    if (event->can_read && !c->must_close && !read_input(c)) {
        connection_close(c);
        return;
    }
    if (!push_output(c))
        return;
    if (parse_input(c))
        return;
    if (push_output(c))
        poller_arm(&c->server->poller, c->fd, false, c);
}

static void close_silent(struct http_server *server)
{
    uint64_t now_us = clock_monotonic_us(clock_real());
    uint64_t limit_us = (uint64_t)MAX(server->options.timeout_s, 0) * 1000000U;
    struct connection *next;

    for (struct connection *c = server->connections; c != NULL; c = next) {
        uint64_t silent_us;

        next = c->next;
        if (atomic_load_explicit(&c->owner, memory_order_acquire) != OWNER_READER)
            continue;
        silent_us = now_us - MIN(now_us, c->active_us);
        if ((limit_us > 0 && silent_us > limit_us) || (c->is_draining && silent_us > DRAIN_US))
            connection_close(c);
    }
}

static void read_requests(void *context)
{
    struct http_server *server = context;
    struct poll_event events[64];

    while (!atomic_load(&server->is_ending)) {
        size_t n = poller_wait(&server->poller, events, ARRAY_LEN(events), POLL_MS);

        for (size_t i = 0; i < n; i++)
            serve(events[i].context, &events[i]);
        close_silent(server);
    }
}

/* After the workers have ended: send what replies are left. */
static void send_last(struct http_server *server)
{
    uint64_t until_us = clock_monotonic_us(clock_real()) + LAST_SENDS_MS * 1000U;
    bool has_more = true;

    while (has_more && clock_monotonic_us(clock_real()) < until_us) {
        struct poll_event events[64];

        has_more = false;
        for (struct connection *c = server->connections; c != NULL; c = c->next) {
            if (c->out.len > 0 && send_out(c) == 0)
                has_more = true;
        }
        if (has_more)
            (void)poller_wait(&server->poller, events, ARRAY_LEN(events), 20);
    }
}

int http_server_new(struct http_server **ret_server, const struct http_options *options,
                    struct error *err)
{
    struct http_server *server = alloc_zero(sizeof(*server));
    struct subnet *allowed = alloc_array(options->allowed_n + 1, sizeof(*allowed));
    int rc;

    CHECK(options->threads > 0 && options->queue_len > 0);
    memcpy(allowed, options->allowed, options->allowed_n * sizeof(*allowed));
    server->options = *options;
    server->options.allowed = allowed;
    rc = poller_init(&server->poller, err);
    if (rc < 0) {
        free(allowed);
        free(server);
        return rc;
    }
    queue_init(&server->queue, options->queue_len);
    *ret_server = server;
    return 0;
}

int http_server_listen(struct http_server *server, const char *host, uint16_t port,
                       struct error *err)
{
    struct connection *listener = &server->listeners[server->listeners_n];
    int rc;

    if (server->listeners_n == HTTP_LISTENERS_MAX)
        return error_set(err, E_LIMIT, "too many addresses to listen on");
    *listener = (struct connection){.is_listener = true, .server = server};
    rc = socket_listen(&listener->fd, host, port, err);
    if (rc == 0)
        server->listeners_n++;
    return rc;
}

int http_server_start(struct http_server *server, struct error *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < server->listeners_n; i++)
        rc =
            poller_add(&server->poller, server->listeners[i].fd, false, &server->listeners[i], err);
    server->workers = alloc_array(server->options.threads, sizeof(*server->workers));
    for (unsigned i = 0; rc == 0 && i < server->options.threads; i++) {
        char name[THREAD_NAME_SIZE];

        (void)snprintf(name, sizeof(name), "httpworker.%u", i % 1000U);
        rc = thread_start(&server->workers[i], name, work, server, err);
        server->workers_n += rc == 0;
    }
    if (rc == 0)
        rc = thread_start(&server->reader, "http", read_requests, server, err);
    return rc;
}

void http_server_interrupt(struct http_server *server)
{
    atomic_store(&server->is_interrupted, true);
}

void http_server_free(struct http_server *own_server)
{
    struct http_server *server = own_server;

    if (server == NULL)
        return;
    http_server_interrupt(server);
    atomic_store(&server->is_ending, true);
    poller_wake(&server->poller);
    thread_join(&server->reader);
    queue_close(&server->queue);
    for (unsigned i = 0; i < server->workers_n; i++)
        thread_join(&server->workers[i]);
    send_last(server);
    while (server->connections != NULL)
        connection_close(server->connections);
    for (size_t i = 0; i < server->listeners_n; i++)
        socket_close(server->listeners[i].fd);
    queue_clear(&server->queue);
    poller_clear(&server->poller);
    free(server->workers);
    free((void *)(uintptr_t)server->options.allowed);
    free(server);
}
