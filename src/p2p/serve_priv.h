/* What we serve of the chain: headers, blocks, compact blocks, filters; announcing new
 * tips. A subject of p2p: see p2p_priv.h.
 */
#ifndef P2P_SERVE_PRIV_H
#define P2P_SERVE_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "headers/tree.h"
#include "iface/events.h"
#include "iface/peers.h"
#include "p2p/message.h"
#include "p2p/wire.h"
#include "primitives/block.h"

struct p2p;
struct peer;

#define SERVE_ANNOUNCE_MAX 8 /* More new blocks than that are an inv of the last. */

/* What belongs to one peer. */
struct peer_serve {
    struct inv *queue; /* Owned: of getdata, first to last; at most INV_N_MAX + 1. */
    uint32_t queue_n, queue_at;
    bool is_serving;      /* The peer waits until the queue is empty. */
    bool prefers_headers; /* sendheaders came. */
    const struct header_node *announce[SERVE_ANNOUNCE_MAX + 1]; /* New blocks, oldest first. */
    uint32_t announce_n;     /* Above SERVE_ANNOUNCE_MAX: too many, only the last one counts. */
    struct block_hash go_on; /* getblocks ended here: asked for, we inv the tip. Zeros: none. */
};

/* The block that came last, kept parsed: everybody asks for it now. */
struct recent_block {
    const struct header_node *node; /* NULL: none. */
    struct buf bytes;
    struct arena arena;
    struct block block;
    struct buf compact; /* A cmpctblock payload. */
};

struct p2p_serve {
    struct recent_block recent;
    int32_t fast_height;           /* Greatest one announced before it was connected. */
    const struct header_node *tip; /* As announced. */
    /* -maxuploadtarget */
    uint64_t sent_bytes; /* In the present span. */
    int64_t span_start_s;
};

void serve_init(struct p2p *p2p);
void serve_clear(struct p2p *p2p);
void serve_peer_added(struct peer *peer);
void serve_peer_ready(struct peer *peer);
void serve_peer_gone(struct peer *peer);
bool serve_handle(struct peer *peer, const struct wire_message *message, struct arena *arena);
void serve_send(struct peer *peer, int64_t now_ms);
void serve_tick(struct p2p *p2p, int64_t now_ms);
void serve_fill_info(const struct peer *peer, struct peer_info *info, struct arena *arena);

/* --- For other subjects and the core --- */

/* Bytes left for a peer: counted for -maxuploadtarget. */
void serve_sent(struct p2p *p2p, uint64_t bytes);
/* upload_* of getnettotals. */
void serve_fill_status(struct p2p *p2p, struct peers_status *status);
/* Nothing may be sent any more in this span; for_old_blocks: a day's new blocks are kept in
 * reserve. */
bool serve_upload_is_over(struct p2p *p2p, bool for_old_blocks);
/* A transaction of the block that came last; NULL: it is not in it. */
const struct tx *serve_recent_tx(const struct p2p *p2p, const struct tx_name *name);

/* --- Chain events, as iface/events.h; on the chain thread. --- */
void serve_event_stored(struct p2p *p2p, const struct block_info *info, const struct block *block);
void serve_event_tip(struct p2p *p2p, const struct tip_event *event);

/* --- Within the subject --- */

/* May a stranger have it: on our chain, or a stale one that is young? */
bool serve_is_allowed(const struct p2p *p2p, const struct header_node *node);
/* serve_announce.c */
void announce_send(struct peer *peer);
void announce_send_compact(struct peer *peer, const struct header_node *node);
/* serve_filters.c */
bool filters_handle(struct peer *peer, const struct wire_message *message, struct arena *arena);

#endif /* P2P_SERVE_PRIV_H */
