/* The real network on the loopback interface: two ends in one loop. */
#include "os/net.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/thread.h"
#include "test.h"

#define TAG 7
#define BIG ((size_t)3 << 20)

/* What came, and what to do then. */
struct world {
    struct net_io *net;
    net_conn client, server;
    int tag;
    int connect_rc;
    bool is_connected, is_accepted, is_closed, is_resolved, is_woken, timer_ran;
    size_t resolved_n;
    uint64_t resolved_token;
    struct buf got;   /* By the server. */
    struct buf reply; /* By the client. */
    size_t drained_n;
    struct net_endpoint local, peer;
    size_t stop_at; /* Of got. */
};

static struct net_endpoint loopback(uint16_t port)
{
    struct net_endpoint endpoint = {.port = port};

    endpoint.ip[10] = endpoint.ip[11] = 0xff;
    endpoint.ip[12] = 127;
    endpoint.ip[15] = 1;
    return endpoint;
}

/* A port nobody listens on just now. */
static uint16_t free_port(void)
{
    return (uint16_t)(20000 + (getpid() * 7 + (int)test_random_below(97)) % 12000);
}

static void on_accepted(void *context, net_conn conn, int tag, const struct net_endpoint *peer,
                        const struct net_endpoint *local)
{
    struct world *w = context;

    w->server = conn;
    w->tag = tag;
    w->is_accepted = true;
    w->peer = *peer;
    w->local = *local;
    if (w->is_connected)
        net_uv_stop(w->net);
}

static void on_connected(void *context, net_conn conn, int rc, const struct net_endpoint *local,
                         const struct error *err)
{
    struct world *w = context;

    (void)local;
    EXPECT_U64("", conn, w->client);
    EXPECT_TRUE("text", (rc == 0) == (err->shown.code == 0));
    w->connect_rc = rc;
    w->is_connected = true;
    if (rc < 0 || w->is_accepted)
        net_uv_stop(w->net);
}

static void on_received(void *context, net_conn conn, struct span bytes)
{
    struct world *w = context;
    struct buf *to = conn == w->server ? &w->got : &w->reply;

    buf_add(to, bytes.data, bytes.len);
    if (to->len >= w->stop_at)
        net_uv_stop(w->net);
}

static void on_drained(void *context, net_conn conn, size_t queued)
{
    struct world *w = context;

    (void)conn;
    (void)queued;
    w->drained_n++;
}

static void on_closed(void *context, net_conn conn, const struct error *err)
{
    struct world *w = context;

    (void)err;
    EXPECT_U64("", conn, w->server);
    w->is_closed = true;
    net_uv_stop(w->net);
}

static void on_resolved(void *context, uint64_t token, const struct net_endpoint *endpoints,
                        size_t n)
{
    struct world *w = context;

    w->is_resolved = true;
    w->resolved_token = token;
    w->resolved_n = n;
    for (size_t i = 0; i < n; i++)
        EXPECT_INT("port", endpoints[i].port, 0);
    net_uv_stop(w->net);
}

static void on_timer(void *context)
{
    struct world *w = context;

    w->timer_ran = true;
    net_uv_stop(w->net);
}

static void on_woken(void *context)
{
    struct world *w = context;

    w->is_woken = true;
    net_uv_stop(w->net);
}

static void world_open(struct world *w)
{
    *w = (struct world){.connect_rc = 1, .stop_at = SIZE_MAX};
    CHECK(net_uv_new(&w->net, NULL) == 0);
    w->net->ops->set_handler(w->net, &(struct net_handler){.context = w,
                                                           .accepted = on_accepted,
                                                           .connected = on_connected,
                                                           .received = on_received,
                                                           .drained = on_drained,
                                                           .closed = on_closed,
                                                           .resolved = on_resolved,
                                                           .timer = on_timer,
                                                           .woken = on_woken});
}

static void world_close(struct world *w)
{
    net_uv_free(w->net);
    buf_clear(&w->got);
    buf_clear(&w->reply);
}

static uint16_t world_connect(struct world *w)
{
    struct net_endpoint endpoint = loopback(free_port());

    while (w->net->ops->listen(w->net, &endpoint, TAG, NULL) < 0)
        endpoint.port++;
    w->client = w->net->ops->connect(w->net, &endpoint, 5000);
    net_uv_run(w->net);
    EXPECT_TRUE("both ends", w->is_connected && w->is_accepted);
    EXPECT_INT("", w->connect_rc, 0);
    return endpoint.port;
}

static void bytes_go_both_ways(void)
{
    struct world w;
    uint16_t port;

    world_open(&w);
    port = world_connect(&w);
    EXPECT_INT("", w.tag, TAG);
    EXPECT_INT("our end", w.local.port, port);
    EXPECT_INT("127", w.peer.ip[12], 127);
    w.stop_at = 5;
    w.net->ops->send(w.net, w.client, span_of_string("hello"));
    net_uv_run(w.net);
    EXPECT_BYTES("", w.got.data, w.got.len, "hello", 5);
    w.net->ops->send(w.net, w.server, span_of_string("world"));
    net_uv_run(w.net);
    EXPECT_BYTES("", w.reply.data, w.reply.len, "world", 5);
    world_close(&w);
}

/* More than the kernel takes waits here, is counted, and arrives in order. */
static void much_is_queued_and_drained(void)
{
    struct world w;
    struct buf sent = {0};
    uint8_t *data;

    buf_reserve(&sent, 17 * BIG);
    data = buf_extend(&sent, BIG);
    test_random_fill(data, BIG);
    world_open(&w);
    (void)world_connect(&w);
    w.net->ops->set_reading(w.net, w.server, false);
    for (size_t at = 0; at < BIG; at += BIG / 8)
        w.net->ops->send(w.net, w.client, span_of(data + at, BIG / 8));
    for (size_t i = 0; i < 16; i++) {
        w.net->ops->send(w.net, w.client, span_of(data, BIG));
        buf_add(&sent, sent.data, BIG);
    }
    EXPECT_TRUE("waits", w.net->ops->queued(w.net, w.client) > 0);
    w.net->ops->set_timer(w.net, 30);
    net_uv_run(w.net);
    EXPECT_TRUE("timer", w.timer_ran);
    EXPECT_U64("reading is off", w.got.len, 0);
    w.net->ops->set_reading(w.net, w.server, true);
    w.stop_at = sent.len;
    net_uv_run(w.net);
    EXPECT_BYTES("", w.got.data, w.got.len, sent.data, sent.len);
    EXPECT_TRUE("told", w.drained_n > 0);
    EXPECT_U64("", w.net->ops->queued(w.net, w.client), 0);
    buf_clear(&sent);
    world_close(&w);
}

static void an_end_is_told(void)
{
    struct world w;

    world_open(&w);
    (void)world_connect(&w);
    w.net->ops->close(w.net, w.client);
    w.net->ops->close(w.net, w.client);
    net_uv_run(w.net);
    EXPECT_TRUE("", w.is_closed);
    w.net->ops->send(w.net, w.client, span_of_string("into the void"));
    w.net->ops->send(w.net, w.server, span_of_string("into the void"));
    w.net->ops->set_reading(w.net, w.server, true);
    world_close(&w);
}

static void failures_to_connect(void)
{
    struct world w;
    struct net_endpoint endpoint = loopback(1);

    world_open(&w);
    w.client = w.net->ops->connect(w.net, &endpoint, 5000);
    EXPECT_TRUE("not from within", !w.is_connected);
    net_uv_run(w.net);
    EXPECT_INT("refused", w.connect_rc, E_IO);
    world_close(&w);

    world_open(&w);
    snprintf(endpoint.path, sizeof(endpoint.path), "%s/nothing", test_folder());
    w.client = w.net->ops->connect(w.net, &endpoint, 5000);
    net_uv_run(w.net);
    EXPECT_INT("no such file", w.connect_rc, E_IO);
    world_close(&w);
}

/* A listener that takes nobody in and whose queue is full: nothing comes back. */
static void a_connect_times_out(void)
{
    struct world w;
    struct net_endpoint endpoint = loopback(0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int fill[8];

    CHECK(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0);
    CHECK(listen(listener, 0) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &len) == 0);
    for (size_t i = 0; i < ARRAY_LEN(fill); i++) {
        fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fill[i], (struct sockaddr *)&address, sizeof(address));
    }
    endpoint.port = ntohs(address.sin_port);
    world_open(&w);
    w.client = w.net->ops->connect(w.net, &endpoint, 50);
    net_uv_run(w.net);
    EXPECT_INT("", w.connect_rc, E_IO);
    world_close(&w);
    for (size_t i = 0; i < ARRAY_LEN(fill); i++)
        (void)close(fill[i]);
    (void)close(listener);
}

static void addresses_in_use(void)
{
    struct world w;
    struct net_endpoint endpoint = loopback(free_port());
    struct error err = {0};

    world_open(&w);
    while (w.net->ops->listen(w.net, &endpoint, TAG, NULL) < 0)
        endpoint.port++;
    EXPECT_INT("twice", w.net->ops->listen(w.net, &endpoint, TAG, &err), E_EXISTS);
    EXPECT_TRUE("why", error_text(&err)[0] != '\0');
    endpoint.ip[12] = 8;
    EXPECT_INT("not ours", w.net->ops->listen(w.net, &endpoint, TAG, NULL), E_LIMIT);
    w.net->ops->stop_listening(w.net);
    world_close(&w);
}

static void unix_sockets(void)
{
    struct world w;
    struct net_endpoint endpoint = {0};

    world_open(&w);
    snprintf(endpoint.path, sizeof(endpoint.path), "%s/socket", test_folder());
    EXPECT_INT("", w.net->ops->listen(w.net, &endpoint, TAG, NULL), 0);
    w.client = w.net->ops->connect(w.net, &endpoint, 5000);
    net_uv_run(w.net);
    EXPECT_INT("", w.connect_rc, 0);
    w.stop_at = 2;
    w.net->ops->send(w.net, w.client, span_of_string("hi"));
    net_uv_run(w.net);
    EXPECT_BYTES("", w.got.data, w.got.len, "hi", 2);
    world_close(&w);
}

static void names_are_looked_up(void)
{
    struct world w;

    world_open(&w);
    w.net->ops->resolve(w.net, 42, "localhost", 4);
    net_uv_run(w.net);
    EXPECT_TRUE("", w.is_resolved);
    EXPECT_U64("", w.resolved_token, 42);
    EXPECT_TRUE("1 to 4", w.resolved_n >= 1 && w.resolved_n <= 4);
    w.is_resolved = false;
    w.net->ops->resolve(w.net, 43, "no..name", 4);
    net_uv_run(w.net);
    EXPECT_U64("", w.resolved_token, 43);
    EXPECT_U64("", w.resolved_n, 0);
    /* One that is under way when all ends. */
    w.net->ops->resolve(w.net, 44, "no..name", 4);
    world_close(&w);
}

static void wake_it(void *context)
{
    struct world *w = context;

    w->net->ops->wake(w->net);
}

static void any_thread_wakes(void)
{
    struct world w;
    struct thread thread = {0};

    world_open(&w);
    CHECK(thread_start(&thread, "waker", wake_it, &w, NULL) == 0);
    net_uv_run(w.net);
    thread_join(&thread);
    EXPECT_TRUE("", w.is_woken);
    EXPECT_TRUE("", w.net->ops->limit(w.net) >= 64);
    EXPECT_TRUE("", w.net->ops->interfaces(w.net, &w.local, 1) <= 1);
    world_close(&w);
}

TEST_LIST(TEST(bytes_go_both_ways), TEST(much_is_queued_and_drained), TEST(an_end_is_told),
          TEST(failures_to_connect), TEST(a_connect_times_out), TEST(addresses_in_use),
          TEST(unix_sockets), TEST(names_are_looked_up), TEST(any_thread_wakes))
