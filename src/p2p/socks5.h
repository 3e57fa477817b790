/* Asking a SOCKS5 proxy (RFC 1928) to connect us, with user and password (RFC 1929)
 * where the proxy wants them. Sans I/O: bytes that come go in, bytes to send come out.
 * Names and addresses both go as names; nothing is looked up here. */
#ifndef P2P_SOCKS5_H
#define P2P_SOCKS5_H

#include "base/bytes.h"
#include "p2p/random.h"

#define SOCKS5_TIMEOUT_MS 20000 /* For each answer of the proxy. */
#define SOCKS5_HOST_MAX 255
#define SOCKS5_AUTH_SIZE 64

/* User and password for Tor: connections with different ones share no circuit. */
struct socks5_auth {
    char user[SOCKS5_AUTH_SIZE]; /* Both terminated. */
    char password[SOCKS5_AUTH_SIZE];
};

struct socks5_isolation {
    char prefix[20]; /* Of this run. */
    uint64_t counter;
};
void socks5_isolation_init(struct socks5_isolation *isolation, struct random_source *random);
/* Never the same again. */
void socks5_isolation_next(struct socks5_isolation *isolation, struct socks5_auth *ret_auth);

enum socks5_state { SOCKS5_METHOD, SOCKS5_AUTH, SOCKS5_REPLY, SOCKS5_DONE, SOCKS5_FAILED };

struct socks5 {
    enum socks5_state state;
    char host[SOCKS5_HOST_MAX + 1];
    uint16_t port;
    bool has_auth;
    struct socks5_auth auth;
    uint8_t got[4 + 1 + 255 + 2]; /* The answer so far. */
    size_t got_n;
};

/* Appends what is to be sent first. auth may be NULL. Returns 0, or E_LIMIT for a host
 * over SOCKS5_HOST_MAX. */
NODISCARD int socks5_begin(struct socks5 *socks, const char *host, uint16_t port,
                           const struct socks5_auth *auth, struct buf *send, struct error *err);

/* Takes bytes and appends what is to be sent next.
 * Returns: 0, or E_MALFORMED (the proxy talks nonsense), E_PERMISSION (it wants other
 *          credentials), E_IO (it could not connect). state tells whether it is done.
 * Out:     ret_used: how many of the bytes were taken; when done the rest are from the
 *          other side. */
NODISCARD int socks5_feed(struct socks5 *socks, size_t *ret_used, struct span bytes,
                          struct buf *send, struct error *err);

#endif /* P2P_SOCKS5_H */
