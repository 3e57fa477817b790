/* What stands around one p2p object in tests: a network of memory, a chain and a mempool
 * that know next to nothing, a clock that is told. One thread; nothing happens by itself.
 */
#ifndef NAIVE_AROUND_H
#define NAIVE_AROUND_H

#include "headers/tree.h"
#include "p2p/p2p.h"
#include "p2p/p2p_priv.h"
#include "sim_clock.h"

#define AROUND_CONNS_MAX 64

/* Our end of a connection with the object; it sees the other one. */
struct around_conn {
    bool is_open;
    bool is_reading; /* The object takes bytes. */
    bool is_stuck;   /* Takes none of what the object sends: it stays queued. */
    bool is_outgoing;
    struct net_endpoint peer;
    struct buf sent; /* By the object, not taken out yet. */
    size_t queued;
};

struct around {
    struct net_io io; /* First. */
    struct net_handler handler;
    struct sim_clock clock;
    struct sink sink;
    struct mempool_view pool;
    struct node node;
    struct header_tree *tree;
    const struct params *params;
    struct p2p *p2p;
    struct around_conn conns[AROUND_CONNS_MAX];
    size_t conns_n;
    bool is_woken;
    bool has_timer;
    uint64_t timer_at_us;
    struct buf offered;                /* The block the sink was given last. */
    size_t headers_n, blocks_n, txs_n; /* Offered to the sink. */
    enum tx_cause tx_cause;            /* How the next transactions are refused; NONE: accepted. */
};

/* Regtest, at the time of the genesis block and a day. options: what to change, or NULL. */
void around_open(struct around *a, void (*change)(struct p2p_options *options));
void around_close(struct around *a);

/* Somebody at 1.2.3.<n> calls. Returns its number (from 1), 0: it was refused. */
size_t around_call(struct around *a, uint8_t n);
/* What the object called ends well or badly. */
void around_answer_call(struct around *a, size_t conn, bool works);
/* The object receives, as soon as it reads; false: it does not, or has hung up. */
bool around_feed(struct around *a, size_t conn, struct span bytes);
void around_hang_up(struct around *a, size_t conn);
/* Time passes; timers and wakes happen. */
void around_pass(struct around *a, uint64_t ms);
/* Only what was posted is done. */
void around_settle(struct around *a);

/* A v1 message, appended. */
void around_write(struct around *a, struct buf *buf, const char *name, struct span payload);
/* The same, fed. */
bool around_say(struct around *a, size_t conn, const char *name, struct span payload);
/* version and verack. relay: wants transactions. */
void around_shake(struct around *a, size_t conn, uint64_t services, bool relay);
/* Has the object sent a (v1) message of this name? Everything up to it is taken out;
 * *ret_payload (may be NULL) is borrowed until the next call. False: all is taken out. */
bool around_heard(struct around *a, size_t conn, const char *name, struct span *ret_payload);

#endif /* NAIVE_AROUND_H */
