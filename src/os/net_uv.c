/* net_io over libuv: what moves the bytes of the daemon's peers. */
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <uv.h>
/* Of a system header behind uv.h; base/check.h has its own. */
#undef MIN
#undef MAX

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "os/net.h"

#define READ_BYTES 262144U
#define BACKLOG 128
#define SLOT_BITS 20 /* Of a connection's name; the rest counts connections. */
#define RESOLVED_MAX 256

struct uv_net;

/* Two handles may belong to a connection; it is freed when both have been closed. */
struct conn {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } h;
    uv_timer_t timeout; /* Of the connect. */
    uv_connect_t connect;
    uv_write_t write;
    struct uv_net *net;
    net_conn name;
    struct buf going; /* With the kernel's queue until write ends. */
    struct buf next;
    size_t gone; /* Of going, written before the request was made. */
    unsigned handles_open;
    bool is_local; /* A unix socket. */
    bool has_timer;
    bool is_connecting;
    bool is_writing;
    bool is_reading;
    bool is_closing;
};

struct listener {
    union {
        uv_handle_t handle;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } h;
    struct listener *next;
    struct uv_net *net;
    int tag;
    bool is_local;
};

struct lookup {
    uv_getaddrinfo_t request;
    struct uv_net *net;
    struct lookup *next;
    uint64_t token;
    size_t max;
};

struct uv_net {
    struct net_io io; /* First. */
    uv_loop_t loop;
    uv_timer_t timer;
    uv_async_t async;
    struct net_handler handler;
    struct conn **slots;
    size_t slots_n;
    uint64_t conns_made;
    struct listener *listeners;
    struct lookup *lookups;
    uint8_t *read_buffer;
    _Atomic bool is_stopping;
    bool is_ending; /* Nothing is told any more. */
};

static struct uv_net *net_of(struct net_io *io)
{
    return (struct uv_net *)io;
}

static int set_error(struct error *err, int uv_rc, const char *what)
{
    int rc = uv_rc == UV_EADDRINUSE                            ? E_EXISTS
             : uv_rc == UV_EMFILE || uv_rc == UV_EADDRNOTAVAIL ? E_LIMIT
             : uv_rc == UV_EACCES || uv_rc == UV_EPERM         ? E_PERMISSION
             : uv_rc == UV_ECANCELED                           ? E_STOPPED
                                                               : E_IO;

    if (what[0] == '\0')
        return error_set(err, rc, "%s", uv_strerror(uv_rc));
    return error_set(err, rc, "%s: %s", what, uv_strerror(uv_rc));
}

/* --- Addresses --- */

static void to_sockaddr(struct sockaddr_storage *ret, const struct net_endpoint *endpoint)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    memset(ret, 0, sizeof(*ret));
    if (memcmp(endpoint->ip, mapped, sizeof(mapped)) == 0) {
        struct sockaddr_in *v4 = (struct sockaddr_in *)ret;

        v4->sin_family = AF_INET;
        v4->sin_port = htons(endpoint->port);
        memcpy(&v4->sin_addr, endpoint->ip + sizeof(mapped), 4);
    } else {
        struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(endpoint->port);
        v6->sin6_scope_id = endpoint->scope;
        memcpy(&v6->sin6_addr, endpoint->ip, sizeof(endpoint->ip));
    }
}

/* False: of another family. */
static bool from_sockaddr(struct net_endpoint *ret, const struct sockaddr *address)
{
    memset(ret, 0, sizeof(*ret));
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;

        memcpy(&v4, address, sizeof(v4));
        memset(ret->ip + 10, 0xff, 2);
        memcpy(ret->ip + 12, &v4.sin_addr, 4);
        ret->port = ntohs(v4.sin_port);
        return true;
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;

        memcpy(&v6, address, sizeof(v6));
        memcpy(ret->ip, &v6.sin6_addr, sizeof(ret->ip));
        ret->port = ntohs(v6.sin6_port);
        ret->scope = v6.sin6_scope_id;
        return true;
    }
    return false;
}

/* Zeros for a unix socket. */
static void ends_of(struct conn *conn, struct net_endpoint *ret_peer,
                    struct net_endpoint *ret_local)
{
    struct sockaddr_storage address;
    int len = (int)sizeof(address);

    memset(ret_peer, 0, sizeof(*ret_peer));
    memset(ret_local, 0, sizeof(*ret_local));
    if (conn->is_local)
        return;
    if (uv_tcp_getpeername(&conn->h.tcp, (struct sockaddr *)&address, &len) == 0)
        (void)from_sockaddr(ret_peer, (struct sockaddr *)&address);
    len = (int)sizeof(address);
    if (uv_tcp_getsockname(&conn->h.tcp, (struct sockaddr *)&address, &len) == 0)
        (void)from_sockaddr(ret_local, (struct sockaddr *)&address);
}

/* --- The table of connections --- */

static struct conn *conn_find(const struct uv_net *net, net_conn name)
{
    size_t slot = (size_t)(name & ((1U << SLOT_BITS) - 1));

    if (name == 0 || slot >= net->slots_n || net->slots[slot] == NULL ||
        net->slots[slot]->name != name)
        return NULL;
    return net->slots[slot];
}

static struct conn *conn_new(struct uv_net *net, bool is_local)
{
    struct conn *conn = alloc_zero(sizeof(*conn));
    size_t slot = 0;

    while (slot < net->slots_n && net->slots[slot] != NULL)
        slot++;
    if (slot == net->slots_n) {
        size_t more = net->slots_n == 0 ? 64 : net->slots_n;

        net->slots = realloc_array(net->slots, net->slots_n + more, sizeof(*net->slots));
        memset(net->slots + net->slots_n, 0, more * sizeof(*net->slots));
        net->slots_n += more;
        CHECK(net->slots_n <= (size_t)1 << SLOT_BITS);
    }
    conn->net = net;
    conn->name = ++net->conns_made << SLOT_BITS | slot;
    conn->is_local = is_local;
    if (is_local)
        CHECK(uv_pipe_init(&net->loop, &conn->h.pipe, 0) == 0);
    else
        CHECK(uv_tcp_init(&net->loop, &conn->h.tcp) == 0);
    conn->h.handle.data = conn;
    conn->handles_open = 1;
    net->slots[slot] = conn;
    return conn;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct conn *conn = handle->data;

    if (--conn->handles_open > 0)
        return;
    buf_clear(&conn->going);
    buf_clear(&conn->next);
    free(conn);
}

/* The name means nothing from here on; memory goes when libuv is done with it. */
static void conn_end(struct conn *conn)
{
    if (conn->is_closing)
        return;
    conn->is_closing = true;
    conn->net->slots[conn->name & ((1U << SLOT_BITS) - 1)] = NULL;
    if (conn->has_timer)
        uv_close((uv_handle_t *)&conn->timeout, on_handle_closed);
    uv_close(&conn->h.handle, on_handle_closed);
}

/* --- Receiving --- */

static void give_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *ret_buffer)
{
    struct conn *conn = handle->data;

    (void)wanted;
    *ret_buffer = uv_buf_init((char *)conn->net->read_buffer, READ_BYTES);
}

static void conn_broken(struct conn *conn, int uv_rc, const char *what)
{
    struct uv_net *net = conn->net;
    net_conn name = conn->name;
    struct error err = {0};

    if (conn->is_closing)
        return;
    if (uv_rc == UV_EOF)
        (void)error_set(&err, E_IO, "socket closed");
    else
        (void)set_error(&err, uv_rc, what);
    conn_end(conn);
    net->handler.closed(net->handler.context, name, &err);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    struct conn *conn = stream->data;
    struct uv_net *net = conn->net;

    if (n < 0)
        conn_broken(conn, (int)n, "socket recv error");
    else if (n > 0)
        net->handler.received(net->handler.context, conn->name, span_of(buffer->base, (size_t)n));
}

static void start_reading(struct conn *conn)
{
    int rc;

    if (conn->is_reading)
        return;
    conn->is_reading = true;
    rc = uv_read_start(&conn->h.stream, give_buffer, on_read);
    if (rc < 0)
        log_debug("net", "reading could not start: %s", uv_strerror(rc));
}

static void uv_set_reading(struct net_io *io, net_conn name, bool is_on)
{
    struct conn *conn = conn_find(net_of(io), name);

    if (conn == NULL || conn->is_connecting)
        return;
    if (is_on) {
        start_reading(conn);
    } else if (conn->is_reading) {
        conn->is_reading = false;
        (void)uv_read_stop(&conn->h.stream);
    }
}

/* --- Sending --- */

static size_t conn_queued(const struct conn *conn)
{
    return conn->going.len - conn->gone + conn->next.len;
}

static void on_written(uv_write_t *request, int status);

static void write_going(struct conn *conn)
{
    uv_buf_t bytes = uv_buf_init((char *)conn->going.data + conn->gone,
                                 (unsigned)(conn->going.len - conn->gone));
    int rc;

    conn->is_writing = true;
    conn->write.data = conn;
    rc = uv_write(&conn->write, &conn->h.stream, &bytes, 1, on_written);
    if (rc < 0) {
        conn->is_writing = false;
        log_debug("net", "socket send error: %s", uv_strerror(rc));
    }
}

static void on_written(uv_write_t *request, int status)
{
    struct conn *conn = request->data;
    struct uv_net *net = conn->net;
    struct buf done;

    conn->is_writing = false;
    if (conn->is_closing)
        return;
    if (status < 0) {
        conn_broken(conn, status, "socket send error");
        return;
    }
    done = conn->going;
    done.len = 0;
    conn->gone = 0;
    conn->going = conn->next;
    conn->next = done;
    if (conn->going.len > 0)
        write_going(conn);
    else
        buf_clear(&conn->next);
    net->handler.drained(net->handler.context, conn->name, conn_queued(conn));
}

static void uv_send(struct net_io *io, net_conn name, struct span bytes)
{
    struct conn *conn = conn_find(net_of(io), name);

    if (conn == NULL || bytes.len == 0 || conn->is_connecting)
        return;
    if (!conn->is_writing) {
        uv_buf_t direct = uv_buf_init((char *)(uintptr_t)bytes.data, (unsigned)bytes.len);
        int n = uv_try_write(&conn->h.stream, &direct, 1);

        if (n > 0)
            bytes = span_of(bytes.data + n, bytes.len - (size_t)n);
        if (bytes.len == 0)
            return;
        conn->going.len = 0;
        conn->gone = 0;
        buf_add(&conn->going, bytes.data, bytes.len);
        write_going(conn); /* Tells of an error, too. */
        return;
    }
    buf_add(&conn->next, bytes.data, bytes.len);
}

static size_t uv_queued(struct net_io *io, net_conn name)
{
    const struct conn *conn = conn_find(net_of(io), name);

    return conn == NULL ? 0 : conn_queued(conn);
}

static void uv_close_conn(struct net_io *io, net_conn name)
{
    struct conn *conn = conn_find(net_of(io), name);

    if (conn != NULL)
        conn_end(conn);
}

/* --- Connecting --- */

static void tell_connected(struct conn *conn, int uv_rc)
{
    struct uv_net *net = conn->net;
    net_conn name = conn->name;
    struct net_endpoint peer;
    struct net_endpoint local;
    struct error err = {0};
    int rc = 0;

    if (conn->is_closing)
        return;
    conn->is_connecting = false;
    if (conn->has_timer)
        (void)uv_timer_stop(&conn->timeout);
    if (uv_rc < 0) {
        rc = set_error(&err, uv_rc, "");
        conn_end(conn);
        memset(&local, 0, sizeof(local));
    } else {
        if (!conn->is_local)
            (void)uv_tcp_nodelay(&conn->h.tcp, 1);
        ends_of(conn, &peer, &local);
        start_reading(conn);
    }
    net->handler.connected(net->handler.context, name, rc, &local, &err);
}

static void on_connect(uv_connect_t *request, int status)
{
    tell_connected(request->data, status);
}

/* Also what tells of a failure that was there at once: never from within connect. */
static void on_timeout(uv_timer_t *timer)
{
    struct conn *conn = timer->data;

    tell_connected(conn, conn->connect.data == NULL ? UV_EINVAL : UV_ETIMEDOUT);
}

static net_conn uv_connect_to(struct net_io *io, const struct net_endpoint *endpoint,
                              uint64_t timeout_ms)
{
    struct uv_net *net = net_of(io);
    struct conn *conn = conn_new(net, endpoint->path[0] != '\0');
    int rc = 0;

    conn->is_connecting = true;
    CHECK(uv_timer_init(&net->loop, &conn->timeout) == 0);
    conn->timeout.data = conn;
    conn->has_timer = true;
    conn->handles_open++;
    conn->connect.data = conn;
    if (conn->is_local) {
        uv_pipe_connect(&conn->connect, &conn->h.pipe, endpoint->path, on_connect);
    } else {
        struct sockaddr_storage address;

        to_sockaddr(&address, endpoint);
        rc = uv_tcp_connect(&conn->connect, &conn->h.tcp, (struct sockaddr *)&address, on_connect);
    }
    if (rc < 0)
        conn->connect.data = NULL;
    CHECK(uv_timer_start(&conn->timeout, on_timeout, rc < 0 ? 0 : timeout_ms, 0) == 0);
    return conn->name;
}

/* --- Listening --- */

static void on_connection(uv_stream_t *stream, int status)
{
    struct listener *listener = stream->data;
    struct uv_net *net = listener->net;
    struct net_endpoint peer;
    struct net_endpoint local;
    struct conn *conn;
    int rc;

    if (status < 0) {
        log_debug("net", "socket error accept failed: %s", uv_strerror(status));
        return;
    }
    conn = conn_new(net, listener->is_local);
    rc = uv_accept(stream, &conn->h.stream);
    if (rc < 0) {
        log_debug("net", "socket error accept failed: %s", uv_strerror(rc));
        conn_end(conn);
        return;
    }
    if (!conn->is_local)
        (void)uv_tcp_nodelay(&conn->h.tcp, 1);
    ends_of(conn, &peer, &local);
    start_reading(conn);
    net->handler.accepted(net->handler.context, conn->name, listener->tag, &peer, &local);
}

static void on_listener_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static int uv_listen_at(struct net_io *io, const struct net_endpoint *endpoint, int tag,
                        struct error *err)
{
    struct uv_net *net = net_of(io);
    struct listener *listener = alloc_zero(sizeof(*listener));
    int rc;

    listener->net = net;
    listener->tag = tag;
    listener->is_local = endpoint->path[0] != '\0';
    if (listener->is_local) {
        CHECK(uv_pipe_init(&net->loop, &listener->h.pipe, 0) == 0);
        rc = uv_pipe_bind(&listener->h.pipe, endpoint->path);
    } else {
        struct sockaddr_storage address;

        CHECK(uv_tcp_init(&net->loop, &listener->h.tcp) == 0);
        to_sockaddr(&address, endpoint);
        rc = uv_tcp_bind(&listener->h.tcp, (struct sockaddr *)&address,
                         address.ss_family == AF_INET6 ? UV_TCP_IPV6ONLY : 0);
    }
    listener->h.handle.data = listener;
    if (rc == 0)
        rc = uv_listen(&listener->h.stream, BACKLOG, on_connection);
    if (rc < 0) {
        uv_close(&listener->h.handle, on_listener_closed);
        return set_error(err, rc, "");
    }
    listener->next = net->listeners;
    net->listeners = listener;
    return 0;
}

static void uv_stop_listening(struct net_io *io)
{
    struct uv_net *net = net_of(io);

    while (net->listeners != NULL) {
        struct listener *listener = net->listeners;

        net->listeners = listener->next;
        uv_close(&listener->h.handle, on_listener_closed);
    }
}

/* --- Names --- */

static void forget_lookup(struct lookup *lookup)
{
    struct lookup **at = &lookup->net->lookups;

    while (*at != lookup)
        at = &(*at)->next;
    *at = lookup->next;
    free(lookup);
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct lookup *lookup = request->data;
    struct uv_net *net = lookup->net;
    struct net_endpoint endpoints[RESOLVED_MAX];
    uint64_t token = lookup->token;
    size_t n = 0;

    if (status == 0) {
        for (struct addrinfo *at = list; at != NULL && n < lookup->max; at = at->ai_next) {
            if (from_sockaddr(&endpoints[n], at->ai_addr))
                n++;
        }
    }
    uv_freeaddrinfo(list);
    forget_lookup(lookup);
    if (!net->is_ending)
        net->handler.resolved(net->handler.context, token, endpoints, n);
}

static void uv_resolve(struct net_io *io, uint64_t token, const char *host, size_t max)
{
    struct uv_net *net = net_of(io);
    struct lookup *lookup = alloc_zero(sizeof(*lookup));
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_protocol = IPPROTO_TCP,
                             .ai_flags = AI_ADDRCONFIG};
    int rc;

    lookup->net = net;
    lookup->token = token;
    lookup->max = MIN(max, (size_t)RESOLVED_MAX);
    lookup->request.data = lookup;
    lookup->next = net->lookups;
    net->lookups = lookup;
    rc = uv_getaddrinfo(&net->loop, &lookup->request, on_resolved, host, NULL, &hints);
    if (rc < 0) {
        forget_lookup(lookup);
        log_debug("net", "looking up %s: %s", host, uv_strerror(rc));
        net->handler.resolved(net->handler.context, token, NULL, 0);
    }
}

/* --- The rest of the table --- */

static void uv_set_handler(struct net_io *io, const struct net_handler *handler)
{
    net_of(io)->handler = *handler;
}

static void on_timer(uv_timer_t *timer)
{
    struct uv_net *net = timer->data;

    net->handler.timer(net->handler.context);
}

static void uv_set_timer(struct net_io *io, uint64_t delay_ms)
{
    CHECK(uv_timer_start(&net_of(io)->timer, on_timer, delay_ms, 0) == 0);
}

static void on_async(uv_async_t *async)
{
    struct uv_net *net = async->data;

    if (atomic_load(&net->is_stopping))
        uv_stop(&net->loop);
    else if (net->handler.woken != NULL)
        net->handler.woken(net->handler.context);
}

static void uv_wake(struct net_io *io)
{
    (void)uv_async_send(&net_of(io)->async);
}

static size_t uv_interfaces(struct net_io *io, struct net_endpoint *ret_endpoints, size_t max)
{
    uv_interface_address_t *list = NULL;
    int list_n = 0;
    size_t n = 0;

    (void)io;
    if (uv_interface_addresses(&list, &list_n) < 0)
        return 0;
    for (int i = 0; i < list_n && n < max; i++) {
        if (!list[i].is_internal &&
            from_sockaddr(&ret_endpoints[n], (const struct sockaddr *)&list[i].address))
            n++;
    }
    uv_free_interface_addresses(list, list_n);
    return n;
}

static size_t uv_limit(struct net_io *io)
{
    struct rlimit limit;

    (void)io;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return 256;
    return limit.rlim_cur == RLIM_INFINITY ? SIZE_MAX : (size_t)limit.rlim_cur;
}

static const struct net_ops uv_ops = {
    .set_handler = uv_set_handler,
    .listen = uv_listen_at,
    .stop_listening = uv_stop_listening,
    .connect = uv_connect_to,
    .send = uv_send,
    .queued = uv_queued,
    .set_reading = uv_set_reading,
    .close = uv_close_conn,
    .resolve = uv_resolve,
    .set_timer = uv_set_timer,
    .wake = uv_wake,
    .interfaces = uv_interfaces,
    .limit = uv_limit,
};

/* --- Life --- */

int net_uv_new(struct net_io **ret_net, struct error *err)
{
    struct uv_net *net = alloc_zero(sizeof(*net));
    int rc = uv_loop_init(&net->loop);

    if (rc < 0) {
        free(net);
        return set_error(err, rc, "could not make an event loop");
    }
    net->io.ops = &uv_ops;
    rc = uv_async_init(&net->loop, &net->async, on_async);
    if (rc < 0) {
        (void)uv_loop_close(&net->loop);
        free(net);
        return set_error(err, rc, "could not make an event loop");
    }
    CHECK(uv_timer_init(&net->loop, &net->timer) == 0);
    net->timer.data = net;
    net->async.data = net;
    net->read_buffer = alloc(READ_BYTES);
    *ret_net = &net->io;
    return 0;
}

void net_uv_run(struct net_io *io)
{
    struct uv_net *net = net_of(io);

    while (!atomic_exchange(&net->is_stopping, false))
        (void)uv_run(&net->loop, UV_RUN_DEFAULT);
}

void net_uv_stop(struct net_io *io)
{
    atomic_store(&net_of(io)->is_stopping, true);
    uv_wake(io);
}

void net_uv_free(struct net_io *own_io)
{
    struct uv_net *net = net_of(own_io);

    if (net == NULL)
        return;
    net->is_ending = true;
    uv_stop_listening(own_io);
    for (size_t i = 0; i < net->slots_n; i++) {
        if (net->slots[i] != NULL)
            conn_end(net->slots[i]);
    }
    for (struct lookup *at = net->lookups; at != NULL; at = at->next)
        (void)uv_cancel((uv_req_t *)&at->request);
    uv_close((uv_handle_t *)&net->timer, NULL);
    uv_close((uv_handle_t *)&net->async, NULL);
    while (uv_run(&net->loop, UV_RUN_DEFAULT) != 0)
        continue;
    CHECK(uv_loop_close(&net->loop) == 0);
    free(net->slots);
    free(net->read_buffer);
    free(net);
}
