#include "os/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/check.h"

#define LISTEN_BACKLOG 1024
#define EVENTS_MAX 64

static struct addrinfo *look_up(const char *host, uint16_t port, bool to_listen, struct error *err)
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_NUMERICSERV | (to_listen ? AI_PASSIVE : 0),
    };
    struct addrinfo *found = NULL;
    char service[8];
    int rc;

    (void)snprintf(service, sizeof(service), "%u", port);
    rc = getaddrinfo(host, service, &hints, &found);
    if (rc != 0) {
        (void)error_set(err, E_LIMIT, "could not find the address of '%s': %s", host,
                        gai_strerror(rc));
        return NULL;
    }
    return found;
}

int socket_listen(int *ret_fd, const char *host, uint16_t port, struct error *err)
{
    struct addrinfo *address = look_up(host, port, true, err);
    const int one = 1;
    int rc = 0;
    int fd;

    if (address == NULL)
        return E_LIMIT;
    fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        rc = error_set_errno(err, errno, "could not make a socket");
        goto done;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (address->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
    if (bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, LISTEN_BACKLOG) != 0) {
        rc = errno == EADDRINUSE
                 ? error_set(err, E_EXISTS, "somebody listens on %s port %u already", host, port)
                 : error_set_errno(err, errno, "could not listen on %s port %u", host, port);
        goto done;
    }
    *ret_fd = fd;
    fd = -1;
done:
    socket_close(fd);
    freeaddrinfo(address);
    return rc;
}

static void name_peer(const struct sockaddr_storage *from, char *ret_peer, uint8_t *ret_ip)
{
    char host[INET6_ADDRSTRLEN] = "?";
    uint8_t ip[16] = {0};

    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)from;

        ip[10] = ip[11] = 0xff;
        memcpy(ip + 12, &in->sin_addr, 4);
        (void)inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
        if (ret_peer != NULL)
            (void)snprintf(ret_peer, SOCKET_ADDRESS_SIZE, "%s:%u", host, ntohs(in->sin_port));
    } else {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)(const void *)from;

        memcpy(ip, &in->sin6_addr, 16);
        (void)inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof(host));
        if (ret_peer != NULL)
            (void)snprintf(ret_peer, SOCKET_ADDRESS_SIZE, "[%s]:%u", host, ntohs(in->sin6_port));
    }
    if (ret_ip != NULL)
        memcpy(ret_ip, ip, 16);
}

int socket_accept(int listener, char *ret_peer, uint8_t *ret_ip)
{
    struct sockaddr_storage from = {0};
    socklen_t from_len = sizeof(from);
    const int one = 1;
    int fd = accept4(listener, (struct sockaddr *)&from, &from_len, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    name_peer(&from, ret_peer, ret_ip);
    return fd;
}

static int connect_one(int *ret_fd, const struct addrinfo *address, int64_t timeout_ms)
{
    struct timeval limit = {.tv_sec = timeout_ms / 1000, .tv_usec = (timeout_ms % 1000) * 1000};
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int one = 1;

    if (fd < 0)
        return errno;
    if (timeout_ms > 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
        int problem = errno;

        socket_close(fd);
        return problem;
    }
    *ret_fd = fd;
    return 0;
}

int socket_connect(int *ret_fd, const char *host, uint16_t port, int64_t timeout_ms,
                   struct error *err)
{
    struct addrinfo *addresses = look_up(host, port, false, err);
    int problem = EHOSTUNREACH;

    if (addresses == NULL)
        return E_IO;
    for (const struct addrinfo *a = addresses; a != NULL && problem != 0; a = a->ai_next)
        problem = connect_one(ret_fd, a, timeout_ms);
    freeaddrinfo(addresses);
    if (problem != 0) {
        (void)error_set_errno(err, problem, "could not connect to %s port %u", host, port);
        return E_IO;
    }
    return 0;
}

ssize_t socket_read(int fd, void *ret_data, size_t len)
{
    ssize_t n;

    do {
        n = recv(fd, ret_data, len, 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? -1 : -2;
    return n;
}

ssize_t socket_write(int fd, const void *data, size_t len)
{
    ssize_t n;

    do {
        n = send(fd, data, len, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN || errno == EWOULDBLOCK ? -1 : -2;
    return n;
}

void socket_end_writing(int fd)
{
    (void)shutdown(fd, SHUT_WR);
}

void socket_close(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

/* Returns the length of the address in bits, 0 for text that is none. */
static unsigned read_address(uint8_t *ret_ip, const char *text)
{
    memset(ret_ip, 0, 16);
    if (inet_pton(AF_INET, text, ret_ip + 12) == 1) {
        ret_ip[10] = ret_ip[11] = 0xff;
        return 32;
    }
    return inet_pton(AF_INET6, text, ret_ip) == 1 ? 128 : 0;
}

static void set_mask(uint8_t *mask, unsigned bits)
{
    for (unsigned i = 0; i < 16; i++) {
        unsigned in_byte = bits >= (i + 1) * 8 ? 8 : bits > i * 8 ? bits - i * 8 : 0;

        mask[i] = (uint8_t)(0xff00U >> in_byte);
    }
}

/* A network mask has ones in front and zeros behind. */
static bool mask_is_whole(const uint8_t *mask)
{
    bool is_over = false;

    for (unsigned i = 0; i < 128; i++) {
        bool bit = (mask[i / 8] >> (7 - i % 8) & 1) != 0;

        if (bit && is_over)
            return false;
        is_over = is_over || !bit;
    }
    return true;
}

bool subnet_read(struct subnet *ret_subnet, const char *text)
{
    const char *slash = strchr(text, '/');
    char head[INET6_ADDRSTRLEN];
    size_t head_len = slash == NULL ? strlen(text) : (size_t)(slash - text);
    unsigned width;
    unsigned long bits;
    char *end;

    if (head_len >= sizeof(head))
        return false;
    if (head_len >= 2 && text[0] == '[' && text[head_len - 1] == ']') {
        text++;
        head_len -= 2;
    }
    memcpy(head, text, head_len);
    head[head_len] = '\0';
    width = read_address(ret_subnet->address, head);
    if (width == 0)
        return false;
    if (slash == NULL) {
        set_mask(ret_subnet->mask, 128);
    } else if (strspn(slash + 1, "0123456789") == strlen(slash + 1) && slash[1] != '\0') {
        bits = strtoul(slash + 1, &end, 10);
        if (bits > width)
            return false;
        set_mask(ret_subnet->mask, 128 - width + (unsigned)bits);
    } else {
        if (read_address(ret_subnet->mask, slash + 1) != width)
            return false;
        if (width == 32)
            memset(ret_subnet->mask, 0xff, 12);
        if (!mask_is_whole(ret_subnet->mask))
            return false;
    }
    for (unsigned i = 0; i < 16; i++)
        ret_subnet->address[i] &= ret_subnet->mask[i];
    return true;
}

bool subnet_contains(const struct subnet *subnet, const uint8_t *ip)
{
    for (unsigned i = 0; i < 16; i++) {
        if ((ip[i] & subnet->mask[i]) != subnet->address[i])
            return false;
    }
    return true;
}

int poller_init(struct poller *poller, struct error *err)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

    poller->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    poller->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (poller->epoll_fd < 0 || poller->wake_fd < 0 ||
        epoll_ctl(poller->epoll_fd, EPOLL_CTL_ADD, poller->wake_fd, &event) != 0) {
        int rc = error_set_errno(err, errno, "could not make an event queue");

        poller_clear(poller);
        return rc;
    }
    return 0;
}

void poller_clear(struct poller *poller)
{
    socket_close(poller->epoll_fd);
    socket_close(poller->wake_fd);
    poller->epoll_fd = poller->wake_fd = -1;
}

static uint32_t events_of(bool want_write)
{
    return (want_write ? EPOLLOUT : EPOLLIN) | EPOLLONESHOT;
}

int poller_add(struct poller *poller, int fd, bool want_write, void *context, struct error *err)
{
    struct epoll_event event = {.events = events_of(want_write), .data.ptr = context};

    if (epoll_ctl(poller->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        return error_set_errno(err, errno, "could not watch a socket");
    return 0;
}

void poller_arm(struct poller *poller, int fd, bool want_write, void *context)
{
    struct epoll_event event = {.events = events_of(want_write), .data.ptr = context};

    CHECK(epoll_ctl(poller->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0);
}

size_t poller_wait(struct poller *poller, struct poll_event *ret_events, size_t n, int timeout_ms)
{
    struct epoll_event events[EVENTS_MAX];
    int found = epoll_wait(poller->epoll_fd, events, (int)MIN(n, EVENTS_MAX), timeout_ms);
    size_t used = 0;

    for (int i = 0; i < found; i++) {
        uint64_t count;

        if (events[i].data.ptr == NULL) {
            ssize_t got = read(poller->wake_fd, &count, sizeof(count));

            (void)got; /* It only empties the counter. */
            continue;
        }
        ret_events[used++] = (struct poll_event){
            .context = events[i].data.ptr,
            .can_read = (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0,
            .can_write = (events[i].events & (EPOLLOUT | EPOLLERR)) != 0,
        };
    }
    return used;
}

void poller_wake(struct poller *poller)
{
    const uint64_t one = 1;
    ssize_t put = write(poller->wake_fd, &one, sizeof(one));

    (void)put; /* A full counter wakes as well. */
}
