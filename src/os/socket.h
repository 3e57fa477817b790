/* TCP sockets that never block, and waiting for many of them at once. */
#ifndef OS_SOCKET_H
#define OS_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define SOCKET_ADDRESS_SIZE 64 /* "[ffff:...%scope]:65535" and a terminator. */

/* Listen on a numeric address ("127.0.0.1", "::1", "::", "0.0.0.0") or a host
 * name, whose first address is taken. IPv6 sockets take IPv6 only.
 *
 * Returns: 0 or E_IO, E_EXISTS (somebody listens there already), E_LIMIT (no such
 *          address).
 * Out:     ret_fd: close with socket_close. */
NODISCARD int socket_listen(int *ret_fd, const char *host, uint16_t port, struct error *err);

/* The next connection that waits, or -1. ret_peer: "1.2.3.4:5678", may be NULL;
 * SOCKET_ADDRESS_SIZE bytes. ret_ip: its address as 16 bytes, IPv4 mapped; may be
 * NULL. */
int socket_accept(int listener, char *ret_peer, uint8_t *ret_ip);

/* Connect and wait at most timeout_ms; the socket then blocks, with that timeout
 * on each read and write (0: none). Returns 0 or E_IO. */
NODISCARD int socket_connect(int *ret_fd, const char *host, uint16_t port, int64_t timeout_ms,
                             struct error *err);

/* Bytes moved, 0 at the end (read only), -1: would block, -2: broken. */
ssize_t socket_read(int fd, void *ret_data, size_t len);
ssize_t socket_write(int fd, const void *data, size_t len);
/* The other side reads the end after what was written. */
void socket_end_writing(int fd);
void socket_close(int fd); /* -1 is fine. */

/* A numeric address or network as text: "1.2.3.4", "1.2.3.0/24",
 * "1.2.3.0/255.255.255.0", "::/0". Addresses are 16 bytes, IPv4 mapped. */
struct subnet {
    uint8_t address[16];
    uint8_t mask[16];
};
bool subnet_read(struct subnet *ret_subnet, const char *text);
bool subnet_contains(const struct subnet *subnet, const uint8_t *ip);

/* Waiting. Each descriptor is armed for one event; after that it is silent until
 * it is armed again. Arming is safe from any thread. */
struct poller {
    int epoll_fd;
    int wake_fd;
};

struct poll_event {
    void *context;
    bool can_read; /* Also on hang-up: a read then tells. */
    bool can_write;
};

NODISCARD int poller_init(struct poller *poller, struct error *err);
void poller_clear(struct poller *poller);
/* 0 or E_IO. */
NODISCARD int poller_add(struct poller *poller, int fd, bool want_write, void *context,
                         struct error *err);
void poller_arm(struct poller *poller, int fd, bool want_write, void *context);
/* Up to n events; 0 after timeout_ms or poller_wake. */
size_t poller_wait(struct poller *poller, struct poll_event *ret_events, size_t n, int timeout_ms);
void poller_wake(struct poller *poller);

#endif /* OS_SOCKET_H */
