/* Blocks we fetch: the moving window, stalling and slow peers, compact blocks received.
 * A subject of p2p: see p2p_priv.h.
 */
#ifndef P2P_BLOCK_DOWNLOAD_PRIV_H
#define P2P_BLOCK_DOWNLOAD_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/verdict.h"
#include "headers/tree.h"
#include "iface/events.h"
#include "iface/peers.h"
#include "p2p/wire.h"
#include "primitives/tx_ref.h"

struct p2p;
struct peer;
struct partial_block;

#define BLOCKS_PER_PEER_MAX 16
#define BLOCKS_WINDOW 1024
#define BLOCKS_COMPACT_PEERS_MAX 3 /* That fetch one block at a time. */
#define BLOCKS_HB_PEERS_MAX 3      /* That send us compact blocks unasked. */
#define BLOCKS_LIMITED_DEPTH 288   /* NODE_NETWORK_LIMITED. */

/* A block asked of a peer. */
struct block_request {
    struct peer *peer;
    const struct header_node *node;
    struct partial_block *partial; /* Owned: a compact block being completed; NULL: none. */
    struct block_request *next;    /* Of this peer, in the order asked. */
    struct block_request *same;    /* Of this table slot, in the order asked. */
};

/* What belongs to one peer. */
struct peer_blocks {
    struct block_request *first, *last;
    uint32_t n;
    int64_t since_ms;                 /* When the first of them became the first. */
    int64_t stalling_ms;              /* Since when it holds up the window; 0: it does not. */
    const struct header_node *common; /* All before it is here. NULL: not known. */
    int64_t last_block_s;             /* It gave us a block that was new. */
    bool provides_compact;            /* sendcmpct of version 2 came. */
    bool is_hb_to;                    /* We asked it to send compact blocks unasked. */
    bool is_hb_from;                  /* It asked us. */
};

#define BLOCKS_SLOTS 1024
#define BLOCKS_SOURCES 4096

/* Who sent a block that is being judged. */
struct block_source {
    struct block_hash hash;
    int64_t peer_id;
    bool is_used;
    bool may_punish; /* Not a compact block: those come before they are verified. */
};

struct p2p_blocks {
    struct block_request *slots[BLOCKS_SLOTS];
    uint32_t requests_n;
    struct block_request *here[BLOCKS_SLOTS]; /* With the sink: came, not judged yet. */
    uint32_t peers_n;                         /* That we fetch from now. */
    int64_t stall_ms;                         /* How long a peer may hold up the window. */
    int64_t strangers_from_ms; /* p2p_real_ms: before it only preferred peers are asked. */
    int64_t hb_peers[BLOCKS_HB_PEERS_MAX + 1];
    uint32_t hb_peers_n;
    struct block_source *sources; /* BLOCKS_SOURCES; by hash, later ones take the place. */
    const struct tx_ref **extra;  /* Ring of -blockreconstructionextratxn. */
    uint32_t extra_n, extra_next;
};

void blocks_init(struct p2p *p2p);
void blocks_clear(struct p2p *p2p);
void blocks_peer_added(struct peer *peer);
void blocks_peer_ready(struct peer *peer);
void blocks_peer_gone(struct peer *peer);
bool blocks_handle(struct peer *peer, const struct wire_message *message, struct arena *arena);
void blocks_send(struct peer *peer, int64_t now_ms);
void blocks_tick(struct p2p *p2p, int64_t now_ms);

/* --- For other subjects --- */

/* A transaction that was refused, replaced or waits for parents may still be in the next
 * block: kept for compact blocks. */
void blocks_keep_extra(struct p2p *p2p, const struct tx_ref *tx);
/* getblockfrompeer: "" or why not, in Core's words. */
const char *blocks_fetch(struct p2p *p2p, const struct header_node *node, int64_t peer_id);
/* synced_blocks, inflight, last_block, bip152_hb_*. */
void blocks_fill_info(const struct peer *peer, struct peer_info *info, struct arena *arena);
/* How many blocks are asked of it. */
static inline uint32_t blocks_in_flight(const struct peer_blocks *blocks)
{
    return blocks->n;
}
bool blocks_are_in_flight(const struct p2p *p2p);

/* After a headers message that ended in node: fetch at once what leads there. */
void blocks_fetch_towards(struct peer *peer, const struct header_node *node);

/* What a verdict about a block or header means for who sent it. */
void blocks_punish(struct peer *peer, enum verdict verdict, bool is_compact, const char *why);

/* --- Chain events, as iface/events.h; on the chain thread. --- */
void blocks_event_connected(struct p2p *p2p, const struct block_info *info,
                            const struct block *block);
void blocks_event_rejected(struct p2p *p2p, const struct block_hash *hash, const char *reason);

/* --- Within the subject --- */

/* The requests for a block, in the order asked; next with `same` (others may be between). */
struct block_request *blocks_requests(const struct p2p *p2p, const struct header_node *node);
uint32_t blocks_request_count(const struct p2p *p2p, const struct header_node *node);
struct block_request *blocks_request_of(const struct peer *peer, const struct header_node *node);
/* Ask of the peer; the request there is, or a new one (*ret_is_new). The caller sends. */
struct block_request *blocks_requested(struct peer *peer, const struct header_node *node,
                                       bool *ret_is_new);
/* Forget the requests of a block: the peer's, or all (NULL). */
void blocks_forget(struct p2p *p2p, const struct header_node *node, const struct peer *peer);
/* The block came and is being judged: nobody is asked for it, and nobody waits for it. */
void blocks_arrived(struct p2p *p2p, const struct header_node *node);
void blocks_judged(struct p2p *p2p, const struct header_node *node);
bool blocks_is_here(const struct p2p *p2p, const struct header_node *node);
/* The inv type with which the peer is asked for full blocks. */
uint32_t blocks_inv_type(const struct peer *peer);
void blocks_send_getdata(struct peer *peer, uint32_t type, const struct block_hash *hash);
/* How a block came together. */
enum block_origin {
    BLOCK_SENT,                /* Whole, whether asked for or not. */
    BLOCK_FROM_COMPACT,        /* Of a compact block that this peer's request is for. */
    BLOCK_FROM_COMPACT_UNASKED /* All of it was known; others are asked for it. */
};
/* Takes *own_bytes to the sink; the peer waits. */
void blocks_offer(struct peer *peer, struct buf *own_bytes, const struct block_hash *hash,
                  bool is_requested, enum block_origin origin);

/* compact_receive.c */
bool compact_handle(struct peer *peer, const struct wire_message *message, struct arena *arena);
void compact_prefer(struct peer *peer);
void compact_peer_gone(struct peer *peer);
/* The chain says that what was put together is not the block after all. */
void compact_spoilt(struct peer *peer, const struct header_node *node);
void partial_block_free(struct partial_block *own_partial);

#endif /* P2P_BLOCK_DOWNLOAD_PRIV_H */
