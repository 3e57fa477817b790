/* The control port of Tor: from it we learn where its SOCKS port is, and have it make
 * an onion service that leads to us. Sans I/O: the owner connects, feeds bytes, sends
 * what comes out, and asks when to connect again.
 *
 * Source: Tor's control-spec. Owner thread: net.
 */
#ifndef P2P_TOR_CONTROL_H
#define P2P_TOR_CONTROL_H

#include "os/disk.h"
#include "p2p/address.h"
#include "p2p/random.h"

#define TOR_CONTROL_PORT 9051
#define TOR_SOCKS_PORT 9050
#define TOR_LINE_MAX 100000
#define TOR_LINES_MAX 1000
#define TOR_REPLY_BYTES_MAX ((size_t)1 << 20)

struct tor_control;

struct tor_control_handler {
    void *context;
    void (*send)(void *context, struct span bytes);
    /* Tor's SOCKS port: the proxy for onion addresses, with isolation. */
    void (*found_proxy)(void *context, const struct net_address *proxy);
    /* The service stands: to be told to others. */
    void (*made_service)(void *context, const struct net_address *service);
    /* It ended with the connection. */
    void (*lost_service)(void *context, const struct net_address *service);
};

struct tor_control_options {
    const char *control;       /* As given, for log lines. */
    const char *password;      /* NULL or "": none. */
    struct net_address target; /* Where the service leads. */
    uint16_t service_port;     /* Of the service: the chain's, never our own. */
    bool wants_proxy;          /* -onion says nothing. */
    struct disk *disk;
    const char *folder;  /* Of onion_v3_private_key. */
    const uint8_t *seed; /* For the client's nonce. */
    struct tor_control_handler handler;
};

/* All texts are copied. The key is read. */
struct tor_control *tor_control_new(const struct tor_control_options *options);
void tor_control_free(struct tor_control *own_control); /* NULL is fine. */

/* The connection stands: begins to talk. */
void tor_control_connected(struct tor_control *control);
/* It could not be made. Returns after how many milliseconds to try again. */
uint64_t tor_control_failed(struct tor_control *control);
/* Returns: 0, or E_LIMIT (too much, or too long a line): the owner closes the connection
 * and calls tor_control_closed. */
NODISCARD int tor_control_feed(struct tor_control *control, struct span bytes, struct error *err);
/* It ended, for whatever reason; a new one may be made at once. */
void tor_control_closed(struct tor_control *control);

#endif /* P2P_TOR_CONTROL_H */
