/* The network as p2p sees it: connections that move bytes, a timer, a way to be
 * woken. The daemon's is over the machine's sockets (net_uv.c), the simulator's over a
 * virtual network.
 *
 * Everything belongs to one thread, the net thread, on which the handler is called and
 * from which all functions are called, but for net_wake (any thread). No call waits.
 */
#ifndef OS_NET_H
#define OS_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

struct net_io;

/* Names a connection; never used again for another. 0: none. */
typedef uint64_t net_conn;

#define NET_PATH_SIZE 108

/* Where a socket is bound or connected: an IP address, or the path of a local socket. */
struct net_endpoint {
    uint8_t ip[16]; /* IPv4 mapped. */
    uint16_t port;
    uint32_t scope;           /* IPv6 link-local; else 0. */
    char path[NET_PATH_SIZE]; /* Not empty: a local (unix) socket; the rest is unused. */
};

struct net_handler {
    void *context;
    /* Somebody connected to a listener (the tag it was made with). */
    void (*accepted)(void *context, net_conn conn, int listener_tag,
                     const struct net_endpoint *peer, const struct net_endpoint *local);
    /* A connect ended. rc: 0, or E_IO (refused, timeout ...), E_STOPPED; then conn is gone. */
    void (*connected)(void *context, net_conn conn, int rc, const struct net_endpoint *local,
                      const struct error *err);
    /* Bytes came: borrowed for the call. */
    void (*received)(void *context, net_conn conn, struct span bytes);
    /* The bytes queued for sending went below half of what was asked, or to zero. */
    void (*drained)(void *context, net_conn conn, size_t queued_bytes);
    /* The other side closed, or the connection broke. conn is gone. Not told for those
     * that net_close ended. */
    void (*closed)(void *context, net_conn conn, const struct error *err);
    /* Answer to net_resolve; n 0: nothing found. */
    void (*resolved)(void *context, uint64_t token, const struct net_endpoint *endpoints, size_t n);
    void (*timer)(void *context);
    void (*woken)(void *context);
};

struct net_ops {
    void (*set_handler)(struct net_io *net, const struct net_handler *handler);
    /* Returns: 0, or E_IO, E_EXISTS (the address is in use), E_LIMIT, E_PERMISSION. */
    int (*listen)(struct net_io *net, const struct net_endpoint *endpoint, int tag,
                  struct error *err);
    void (*stop_listening)(struct net_io *net);
    /* Starts; the answer is `connected`. timeout_ms covers the connect only. */
    net_conn (*connect)(struct net_io *net, const struct net_endpoint *endpoint,
                        uint64_t timeout_ms);
    /* Copies bytes into the connection's queue. The caller bounds what is queued. */
    void (*send)(struct net_io *net, net_conn conn, struct span bytes);
    size_t (*queued)(struct net_io *net, net_conn conn);
    /* Stop or go on delivering what comes; it waits in the kernel then. */
    void (*set_reading)(struct net_io *net, net_conn conn, bool is_on);
    /* What is queued is sent if that works at once; nothing more is told of conn. */
    void (*close)(struct net_io *net, net_conn conn);
    /* Look a host name up, off this thread. Up to max endpoints, ports zero. */
    void (*resolve)(struct net_io *net, uint64_t token, const char *host, size_t max);
    /* Calls timer once, after delay_ms; a later call replaces an earlier one. */
    void (*set_timer)(struct net_io *net, uint64_t delay_ms);
    /* Any thread: calls woken soon; many wakes may become one. */
    void (*wake)(struct net_io *net);
    /* Addresses of this machine's interfaces; returns how many were written. */
    size_t (*interfaces)(struct net_io *net, struct net_endpoint *ret_endpoints, size_t max);
    /* -maxconnections: how many descriptors may be had. */
    size_t (*limit)(struct net_io *net);
};

struct net_io {
    const struct net_ops *ops;
};

/* --- Over the machine's sockets (net_uv.c) --- */

/* Returns: 0 or E_IO. */
NODISCARD int net_uv_new(struct net_io **ret_net, struct error *err) NONNULL(1);
/* Closes what is open, without telling the handler. NULL is fine. Not while it runs. */
void net_uv_free(struct net_io *own_net);
/* Serves until net_uv_stop; the calling thread is the net thread meanwhile. */
void net_uv_run(struct net_io *net) NONNULL(1);
/* Any thread: net_uv_run returns soon, or at once when it is called next (which uses this up). */
void net_uv_stop(struct net_io *net) NONNULL(1);

#endif /* OS_NET_H */
