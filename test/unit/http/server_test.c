/* The server with real sockets on this host: order, slow clients, a full queue. */
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "http/server.h"
#include "os/thread.h"
#include "test.h"

#define HOST "127.0.0.1"
#define WAIT_MS 10000

static _Atomic bool is_held;
static _Atomic int running_n;

/* "/hold" waits until it is let go; everything else echoes its target. */
static void handle(void *context, struct http_exchange *exchange)
{
    (void)context;
    atomic_fetch_add(&running_n, 1);
    while (strcmp(exchange->request->target, "/hold") == 0 && atomic_load(&is_held))
        (void)usleep(1000);
    atomic_fetch_sub(&running_n, 1);
    exchange->status = 200;
    exchange->content_type = "text/plain";
    buf_add_string(&exchange->body, exchange->request->target);
}

static uint16_t port_of(struct http_server *server)
{
    struct error err = {0};

    for (int i = 0; i < 100; i++) {
        uint16_t port = (uint16_t)(30000 + test_random_below(20000));

        if (http_server_listen(server, HOST, port, &err) == 0)
            return port;
    }
    CHECK_NEVER("no free port");
    return 0;
}

static struct http_server *start(unsigned threads, unsigned queue_len, const char *allowed,
                                 uint16_t *ret_port)
{
    struct subnet subnet;
    struct http_options options = {
        .threads = threads,
        .queue_len = queue_len,
        .timeout_s = 30,
        .allowed = &subnet,
        .allowed_n = 1,
        .handle = handle,
    };
    struct http_server *server;

    CHECK(subnet_read(&subnet, allowed));
    CHECK(http_server_new(&server, &options, NULL) == 0);
    *ret_port = port_of(server);
    CHECK(http_server_start(server, NULL) == 0);
    return server;
}

static int dial(uint16_t port, const char *bytes)
{
    int fd;

    CHECK(socket_connect(&fd, HOST, port, WAIT_MS, NULL) == 0);
    CHECK(socket_write(fd, bytes, strlen(bytes)) == (ssize_t)strlen(bytes));
    return fd;
}

/* Reads until text has come n times; false: it did not. */
static bool await(int fd, struct buf *got, const char *text, int n)
{
    for (;;) {
        const char *at = buf_string(got);
        char part[512];
        ssize_t len;
        int seen = 0;

        while ((at = strstr(at, text)) != NULL) {
            seen++;
            at++;
        }
        if (seen >= n)
            return true;
        len = socket_read(fd, part, sizeof(part));
        if (len <= 0)
            return false;
        buf_add(got, part, (size_t)len);
    }
}

static void pipelined_requests_are_answered_in_order(void)
{
    struct buf got = {0};
    uint16_t port;
    struct http_server *server = start(2, 8, "127.0.0.0/8", &port);
    const char *second;
    int fd = dial(port, "GET /one HTTP/1.1\r\n\r\nGET /two HTTP/1.1\r\n\r\nGET / HTTP/9.9\r\n\r\n");

    EXPECT_TRUE("three replies", await(fd, &got, "HTTP/1.", 3));
    second = strstr(buf_string(&got), "/two");
    EXPECT_TRUE("the first first", strstr(buf_string(&got), "/one") < second);
    EXPECT_TRUE("the bad one last", second < strstr(buf_string(&got), " 400 "));
    socket_close(fd);
    http_server_free(server);
    buf_clear(&got);
}

static void slow_clients_hold_nobody_up(void)
{
    struct buf got = {0};
    uint16_t port;
    struct http_server *server = start(1, 8, "127.0.0.0/8", &port);
    int slow = dial(port, "POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf");
    int quick = dial(port, "GET /quick HTTP/1.1\r\n\r\n");

    EXPECT_TRUE("quick", await(quick, &got, "/quick", 1));
    socket_close(slow);
    socket_close(quick);
    http_server_free(server);
    buf_clear(&got);
}

static void full_queues_refuse(void)
{
    struct buf got = {0};
    uint16_t port;
    struct http_server *server = start(1, 1, "127.0.0.0/8", &port);
    int fds[3];

    atomic_store(&is_held, true);
    fds[0] = dial(port, "GET /hold HTTP/1.1\r\n\r\n");
    while (atomic_load(&running_n) == 0)
        (void)usleep(1000);
    fds[1] = dial(port, "GET /waits HTTP/1.1\r\n\r\n");
    (void)usleep(100000);
    fds[2] = dial(port, "GET /refused HTTP/1.1\r\n\r\n");
    EXPECT_TRUE("refused", await(fds[2], &got, "Work queue depth exceeded", 1));
    EXPECT_TRUE("503", strncmp(buf_string(&got), "HTTP/1.1 503 ", 13) == 0);
    atomic_store(&is_held, false);
    got.len = 0;
    EXPECT_TRUE("the one that waited", await(fds[1], &got, "/waits", 1));
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        socket_close(fds[i]);
    http_server_free(server);
    buf_clear(&got);
}

static void strangers_are_turned_away(void)
{
    struct buf got = {0};
    uint16_t port;
    struct http_server *server = start(1, 1, "10.0.0.0/8", &port);
    int fd = dial(port, "GET / HTTP/1.1\r\n\r\n");

    EXPECT_TRUE("closed at once", !await(fd, &got, "HTTP", 1));
    EXPECT_U64("without a word", got.len, 0);
    socket_close(fd);
    http_server_free(server);
    buf_clear(&got);
}

static void calls_end_before_the_server_does(void)
{
    struct buf got = {0};
    uint16_t port;
    struct http_server *server = start(1, 8, "127.0.0.0/8", &port);
    int fd;

    atomic_store(&is_held, true);
    fd = dial(port, "GET /hold HTTP/1.1\r\n\r\n");
    while (atomic_load(&running_n) == 0)
        (void)usleep(1000);
    http_server_interrupt(server);
    atomic_store(&is_held, false);
    http_server_free(server);
    EXPECT_TRUE("its reply came", await(fd, &got, "/hold", 1));
    socket_close(fd);
    buf_clear(&got);
}

TEST_LIST(TEST(pipelined_requests_are_answered_in_order), TEST(slow_clients_hold_nobody_up),
          TEST(full_queues_refuse), TEST(strangers_are_turned_away),
          TEST(calls_end_before_the_server_does))
