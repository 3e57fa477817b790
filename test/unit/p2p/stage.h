/* A stage for p2p: the real room with all its subjects on one thread, a network, a clock
 * and a chain that the test plays. Peers are played too: they speak through wires of
 * their own.
 */
#ifndef STAGE_H
#define STAGE_H

#include "headers/tree.h"
#include "iface/events.h"
#include "p2p/message.h"
#include "p2p/p2p.h"
#include "p2p/wire.h"
#include "sim_clock.h"
#include "sim_disk.h"

#define STAGE_ACTORS_MAX 32
#define STAGE_BLOCKS_MAX 4096

struct stage;

/* A message that an actor was sent. */
struct heard {
    enum message_type type;
    struct buf payload;
};

/* A peer that the test plays. Pings it answers by itself. */
struct actor {
    struct stage *stage;
    net_conn conn;
    struct wire *wire;
    struct heard *heard; /* Owned. */
    size_t heard_n, heard_at;
    bool owes_pong;
    uint64_t pong;
    bool is_gone; /* We ended the connection. */
    int64_t id;   /* As p2p counts. */
};

/* A block offered to the chain and not answered yet (stage.holds_answers). */
struct held_answer {
    void (*done)(void *context, const struct block_answer *answer);
    void *context;
    struct block_answer answer;
};

struct stage {
    struct net_io net; /* First. */
    struct net_handler handler;
    struct sink sink;
    struct node node;
    struct mempool_view pool;
    struct sim_clock clock;
    struct sim_disk *disk;
    const struct params *params;
    struct header_tree *tree;
    const struct header_node *tip;
    struct buf blocks[STAGE_BLOCKS_MAX]; /* By index in the tree: what the chain holds. */
    struct p2p *p2p;
    struct actor actors[STAGE_ACTORS_MAX];
    size_t actors_n;
    net_conn next_conn;
    bool is_woken;
    bool is_initial;
    bool is_full;       /* The sink has no room. */
    bool holds_answers; /* For blocks. */
    struct held_answer held[64];
    size_t held_n;
    enum verdict next_verdict; /* For the next block. */
    bool next_is_mutated;
    uint32_t headers_offered, blocks_offered;
};

/* options: after p2p_options_default; what the stage plays is filled in. NULL: as they
 * are. The clock stands a minute behind the genesis block's time. */
struct stage *stage_new(void (*change)(struct p2p_options *options));
void stage_free(struct stage *own_stage);
/* Runs what is due now, until nothing is. */
void stage_run(struct stage *stage);
/* Time goes on, with ticks on the way. */
void stage_wait_ms(struct stage *stage, uint64_t ms);

/* --- The chain --- */

/* A header on top of prev, with the work that regtest asks for. */
struct header stage_header(const struct header_node *prev, uint32_t tag);
/* A block of it: one transaction that no rule has looked at. */
void stage_block(struct buf *ret_bytes, const struct header *header);
/* Puts n blocks on top of the chain, whole or headers only; returns the last. */
const struct header_node *stage_grow(struct stage *stage, const struct header_node *on, uint32_t n,
                                     bool with_data);
/* The chain's tip moves there, with its event. */
void stage_set_tip(struct stage *stage, const struct header_node *tip);
/* Answers the held ones, first to last. */
void stage_answer(struct stage *stage);

/* --- Peers --- */

/* One that calls us, or that we call; the handshake is done. services: what it offers. */
struct actor *stage_join(struct stage *stage, bool is_inbound, uint64_t services);
void actor_send(struct actor *actor, enum message_type type, struct span payload);
/* Through a function message_write_*: begin returns the buffer, end sends it. */
struct buf *actor_begin(struct actor *actor, enum message_type type);
void actor_end(struct actor *actor);
/* The next message of the type that it was sent, others are left out; false: none. */
bool actor_next(struct actor *actor, enum message_type type, struct wire_message *ret_message);
/* Forgets what it was sent. */
void actor_forget(struct actor *actor);
void actor_send_headers(struct actor *actor, const struct header *headers, size_t n);
void actor_send_block(struct actor *actor, struct span bytes);
/* How many blocks it is asked for by the next getdata; 0: no getdata. ret_inv: room for
 * INV_N_MAX, or NULL. */
uint32_t actor_asked(struct actor *actor, struct inv *ret_inv);

#endif /* STAGE_H */
