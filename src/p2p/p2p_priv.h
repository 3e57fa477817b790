/* p2p from inside: the object, a peer, and how the files of the room meet.
 *
 * Each subject keeps what it knows in its own structs (one in struct p2p, one in each
 * struct peer), defined in its own *_priv.h, and takes part through the hooks listed
 * here; peers.c calls them. Nobody reaches into another subject's struct: ask by a
 * function of its header.
 */
#ifndef P2P_P2P_PRIV_H
#define P2P_P2P_PRIV_H

#include "p2p/address.h"
#include "p2p/block_download_priv.h"
#include "p2p/connect_priv.h"
#include "p2p/core_priv.h"
#include "p2p/handshake_priv.h"
#include "p2p/headers_sync_priv.h"
#include "p2p/message.h"
#include "p2p/p2p.h"
#include "p2p/permissions.h"
#include "p2p/random.h"
#include "p2p/relay_priv.h"
#include "p2p/serve_priv.h"
#include "p2p/tx_download_priv.h"
#include "p2p/wire.h"

struct peer {
    struct p2p *p2p;
    struct peer *next; /* In order of id. */
    int64_t id;
    net_conn conn;
    enum peer_kind kind;
    uint32_t permissions;          /* enum net_permission bits */
    struct net_address address;    /* As connected. */
    struct net_address bind;       /* Our end. */
    char name[PEER_TEXT_SIZE];     /* "host:port", or the name asked for. */
    char dest[PEER_TEXT_SIZE];     /* The name asked for; "" for a connection by address. */
    char log_name[PEER_TEXT_SIZE]; /* "peer=3"; with -logips its address, too. */
    bool is_inbound_onion;
    bool is_easily_evicted;  /* It was discouraged before it came. */
    uint64_t known_services; /* Of an address that was told to us; 0: not known. */
    struct wire *wire;
    struct buf inbox;       /* Bytes received and not fed yet (peer busy). */
    size_t inbox_at;        /* Of it, fed already. */
    bool is_reading;        /* Its socket is read from: inbox is below -maxreceivebuffer. */
    unsigned waits;         /* What others judge of its at present: nothing further is handled
                             * until it is zero (peer_wait, peer_answered). */
    unsigned blocks_judged; /* Blocks of its with the sink: nothing but blocks is handled. */
    bool has_held;          /* held came and has to wait for them. */
    struct wire_message held;
    bool is_misbehaving; /* To be punished when the present message is done with. */
    bool is_doomed;      /* Ends at the next look. */
    bool is_ready;       /* Both verack's are there. */
    int pin;             /* Whose key it must prove, of pins_find; -1: none. */
    int64_t connected_ms, last_send_ms, last_recv_ms; /* p2p_now_ms; 0: never */
    uint64_t connected_us;                            /* By the clock that nobody sets. */
    uint64_t bytes_sent, bytes_recv;
    bool is_sending_paused;    /* More than -maxsendbuffer waits: no request is served. */
    enum message_type sending; /* Between peer_begin and peer_end. */
    struct buf *sending_buf;
    size_t sending_from; /* Where its payload begins in the buffer. */

    /* The subjects'. */
    struct peer_handshake handshake; /* version, services, flags negotiated, ping */
    struct peer_headers headers;
    struct peer_blocks blocks; /* download, compact blocks */
    struct peer_serve serve;   /* getdata queue, what it wants to be told of blocks */
    struct peer_relay relay;   /* announcements of transactions and addresses to it */
    struct peer_txs txs;       /* transactions wanted from it */
};

struct p2p {
    struct peers peers; /* First. */
    struct p2p_options options;
    struct net_io *net;
    const struct params *params;
    struct random_source random; /* Of everything. */
    struct peer *first;          /* All, also those not ready. */
    struct peer *last;
    uint32_t peers_n;
    int64_t next_id;
    bool is_active;
    bool is_started;
    struct inbox *inbox; /* Posted by other threads: see p2p_post. */
    struct chain_events events;
    struct arena arena; /* Of the message being handled; nothing of it stays. */
    struct arena texts; /* Of options. */
    struct buf scratch; /* Messages that are not to be sent. */
    struct stream *streams;
    struct lookup *lookups;
    uint64_t lookups_made;
    int64_t advanced_ms; /* mockscheduler */
    uint64_t bytes_recv, bytes_sent;

    struct p2p_connect connect; /* addrman, bans, local addresses, whom to connect to */
    struct p2p_handshake handshake;
    struct p2p_headers headers;
    struct p2p_blocks blocks;
    struct p2p_serve serve;
    struct p2p_relay relay;
    struct p2p_txs txs;
};

/* --- What the core (p2p.c, peers.c) offers the subjects --- */

/* Milliseconds of the node's clock, obeying setmocktime: for everything Core's timers
 * count in. */
int64_t p2p_now_ms(const struct p2p *p2p);
static inline int64_t p2p_now_s(const struct p2p *p2p)
{
    return p2p_now_ms(p2p) / 1000;
}

/* Milliseconds by the clock that nobody sets, for what must not stand still in tests. */
int64_t p2p_real_ms(const struct p2p *p2p);
/* The same, moved ahead by mockscheduler: for timers of the scheduler's kind (saving,
 * rebroadcasting). */
int64_t p2p_timer_ms(const struct p2p *p2p);

struct peer *peer_find(const struct p2p *p2p, int64_t id); /* NULL: gone. */

/* A new connection becomes a peer: every subject's peer_added is called. */
struct peer_birth {
    net_conn conn;
    enum peer_kind kind;
    struct net_address address, bind;
    const char *dest; /* As asked for; NULL or "": by address. */
    uint32_t permissions;
    uint64_t known_services; /* What its address was told to offer; 0: not known. */
    bool is_inbound_onion, is_easily_evicted;
    bool v2;
};
struct peer *peer_add(struct p2p *p2p, const struct peer_birth *birth);
/* The key it has proven (pins.h), as text; NULL: none (yet). */
const char *peer_pinned_key(const struct peer *peer);
/* Bytes that came on its connection before it was a peer, or now. */
void peer_received(struct peer *peer, struct span bytes);

void stream_open(struct p2p *p2p, struct stream *stream, const struct net_endpoint *endpoint,
                 uint64_t timeout_ms);
/* Whoever is called for its events may. Nothing for one that is not open. */
void stream_close(struct p2p *p2p, struct stream *stream);
/* The connection goes on, but not as this stream (peer_add). Returns its name. */
net_conn stream_release(struct p2p *p2p, struct stream *stream);
/* lookup_forget: `resolved` is not called any more. */
void lookup_start(struct p2p *p2p, struct lookup *lookup, const char *host, size_t max);
void lookup_forget(struct p2p *p2p, struct lookup *lookup);
struct net_address net_address_of_endpoint(const struct net_endpoint *endpoint);
/* False: not of a network that sockets reach by themselves. */
bool net_endpoint_of_address(struct net_endpoint *ret, const struct net_address *address);

/* Begin a message, append its payload to what is returned, peer_end. */
struct buf *peer_begin(struct peer *peer, enum message_type type);
void peer_end(struct peer *peer);
void peer_send_empty(struct peer *peer, enum message_type type);
/* A message of any name (tests). */
void peer_send_named(struct peer *peer, const char *name, struct span payload);

/* Ends the connection soon; the object lives to the end of the present hook round.
 * why: for the log: "[net] <why>, disconnecting peer=N". */
void peer_disconnect(struct peer *peer, const char *why, ...) __attribute__((format(printf, 2, 3)));
/* Its message could not be read: a log line, nothing more. err: of message_read_*. */
void peer_garbled(struct peer *peer, const struct wire_message *message, const struct error *err);
/* It did what no honest peer does: discouraged and disconnected, unless permissions or
 * kind spare it (Core's Misbehaving). */
void peer_misbehaved(struct peer *peer, const char *why, ...) __attribute__((format(printf, 2, 3)));
static inline bool peer_has(const struct peer *peer, uint32_t permission)
{
    return (peer->permissions & permission) == permission;
}
static inline bool peer_is_inbound(const struct peer *peer)
{
    return peer->kind == PEER_INBOUND;
}
static inline bool peer_is_full_outbound(const struct peer *peer)
{
    return peer->kind == PEER_FULL_RELAY || peer->kind == PEER_MANUAL;
}

/* While the sink judges something of the peer's: peer_wait, then in the posted answer
 * peer_answered (the peer may be gone: answers carry its id). They nest: one answered for
 * each wait. What has come meanwhile is handled behind the hook that is running. */
void peer_wait(struct peer *peer);
void peer_answered(struct peer *peer);
/* The same for a block: further blocks are handled meanwhile, as long as the sink has room,
 * so that it never runs dry; any other message waits. */
void peer_wait_block(struct peer *peer);
void peer_block_answered(struct peer *peer);

/* Runs run(p2p, own_argument) on the net thread. Any thread. run frees the argument. */
void p2p_post(struct p2p *p2p, void (*run)(struct p2p *p2p, void *own_argument),
              void *own_argument);
/* The same, and waits for it: RPC threads. False: the node stops, it was not run. */
bool p2p_ask(struct p2p *p2p, void (*run)(struct p2p *p2p, void *argument), void *argument);

/* --- Hooks. peers.c calls them for each subject in the order handshake, connect,
 *     headers, blocks, serve, txs, relay. --- */

/* handle: a message came (never before the handshake allows it). True: it was this
 * subject's. Declared by each subject's header as
 *   void <subject>_init(struct p2p *); void <subject>_clear(struct p2p *);
 *   void <subject>_peer_added(struct peer *);     the connection stands
 *   void <subject>_peer_ready(struct peer *);     handshake is done
 *   void <subject>_peer_gone(struct peer *);
 *   bool <subject>_handle(struct peer *, const struct wire_message *, struct arena *);
 *   void <subject>_send(struct peer *, int64_t now_ms);   what is due for this peer; after
 *                                                         its messages and about every
 *                                                         100 ms; ready peers only
 *   void <subject>_tick(struct p2p *, int64_t now_ms);    what is due for all, as often
 *   void <subject>_fill_info(const struct peer *, struct peer_info *, struct arena *);
 *                                                         its part of getpeerinfo
 * A subject defines all of them; peers.c calls them by name. */

#endif /* P2P_P2P_PRIV_H */
