/* I2P's SAM bridge, version 3.1: our session with the router, and streams to and from
 * others, each over a connection to the router of its own. Sans I/O: the owner connects
 * to the router, makes a link of each such connection, feeds it bytes and sends what
 * comes out.
 *
 * A session lives as long as its control link. Owner thread: net.
 */
#ifndef P2P_I2P_SAM_H
#define P2P_I2P_SAM_H

#include "os/disk.h"
#include "p2p/address.h"
#include "p2p/random.h"

#define I2P_SAM_PORT 7656
#define I2P_PORT 0 /* Of all peers: SAM 3.1 knows no ports. */
#define I2P_LINE_MAX 65536
#define I2P_ANSWER_MS (3 * 60 * 1000) /* The router may have to ask its network. */
#define I2P_ID_SIZE 11

struct i2p_session;

struct i2p_session_options {
    const char *router;  /* As given, for log lines. */
    struct disk *disk;   /* Of the key; NULL: a transient session, a new one every time. */
    const char *folder;  /* Of i2p_private_key; NULL with a transient one. */
    const uint8_t *seed; /* RANDOM_SEED_BYTES; other ones for other sessions. */
};

/* Texts are copied. */
struct i2p_session *i2p_session_new(const struct i2p_session_options *options);
void i2p_session_free(struct i2p_session *own_session); /* NULL is fine. */
/* A control link is about to be made: the session gets a new id, and that is logged. */
void i2p_session_name(struct i2p_session *session);
/* Is there one that streams can use? */
bool i2p_session_is_ready(const struct i2p_session *session);
/* Our own address; not valid before the session was ready once. */
const struct net_address *i2p_session_address(const struct i2p_session *session);
/* Its control link ended, or must: the next use makes another. */
void i2p_session_lost(struct i2p_session *session);

enum i2p_role {
    I2P_CONTROL, /* Makes the session ready, and holds it. */
    I2P_CONNECT, /* To a peer. */
    I2P_ACCEPT   /* From one. */
};

enum i2p_link_state {
    I2P_TALKING,
    I2P_WAITING, /* I2P_ACCEPT: for whoever comes; takes any time. */
    I2P_DONE,    /* I2P_CONTROL: the session is ready. Others: the stream stands, and what
                  * comes further is the peer's. */
    I2P_FAILED
};

struct i2p_link {
    struct i2p_session *session; /* Borrowed. */
    enum i2p_role role;
    enum i2p_link_state state;
    unsigned step;
    struct net_address peer; /* I2P_CONNECT: whom; I2P_ACCEPT, done: who. */
    struct buf line;         /* Owned: what came of the line now read. */
    bool blames_peer;        /* I2P_FAILED: the router works, the peer does not. */
};

/* The connection to the router stands: appends the first words to send. peer: for
 * I2P_CONNECT. For other roles than I2P_CONTROL the session is ready; for that it is named
 * (and is named here if it was not). */
void i2p_link_begin(struct i2p_link *link, struct i2p_session *session, enum i2p_role role,
                    const struct net_address *peer, struct buf *send);
void i2p_link_clear(struct i2p_link *link);

/* Returns: 0, or E_MALFORMED, E_IO ... with I2P_FAILED; if the session was lost by it,
 *          i2p_session_is_ready says so.
 * Out:     ret_used: how many bytes were taken. */
NODISCARD int i2p_link_feed(struct i2p_link *link, size_t *ret_used, struct span bytes,
                            struct buf *send, struct error *err);

/* May we connect there at all? Logs why not. */
bool i2p_may_connect(const struct net_address *peer);

/* The address of a destination, in the base64 of I2P. */
NODISCARD bool i2p_address_of(struct net_address *ret, const char *destination, size_t len);

#endif /* P2P_I2P_SAM_H */
