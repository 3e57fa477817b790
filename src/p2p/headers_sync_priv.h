/* Headers first: which chain each peer has, getheaders, the low-work defence
 * (headers_presync.h), outbound peers on a worse chain, and when the tip is stale. A
 * subject of p2p: see p2p_priv.h.
 */
#ifndef P2P_HEADERS_SYNC_PRIV_H
#define P2P_HEADERS_SYNC_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "consensus/pow.h"
#include "headers/tree.h"
#include "iface/peers.h"
#include "p2p/headers_presync.h"
#include "p2p/wire.h"
#include "primitives/header.h"

struct p2p;
struct peer;

/* An outbound peer whose chain is behind ours must catch up by a time. */
struct peer_lag {
    int64_t deadline_s;            /* 0: it is not behind. */
    const struct header_node *tip; /* Ours, when it was noticed. */
    bool was_asked;                /* One more getheaders went out. */
    bool is_protected;             /* One of the few that are never ended for it. */
};

/* What belongs to one peer. */
struct peer_headers {
    const struct header_node *best_known; /* Most work it has shown to have; NULL: none. */
    struct block_hash unknown;            /* Announced last, header not here yet; zeros: none. */
    const struct header_node *best_sent;  /* The last one we told it of; NULL: none. */
    bool is_sync_started;
    bool is_preferred;  /* Blocks and headers are fetched from it first. */
    bool was_inv_asked; /* An inv made us ask before its sync began. */
    bool sent_sendheaders;
    int64_t asked_ms;         /* getheaders without an answer yet; 0: none. */
    int64_t sync_deadline_ms; /* Of the first sync; INT64_MAX: it has passed well. */
    int64_t announced_s;      /* When it last told us of a better block. */
    struct presync *presync;  /* Owned; NULL: none going on. */
    struct peer_lag lag;
};

/* Headers that the sink has and has not answered: a message of one peer. */
struct headers_judged {
    struct headers_judged *next;
    struct block_hash end; /* The last one. */
    int32_t n;
};

struct p2p_headers {
    struct headers_judged *judged; /* One of each peer at most; not owned. */
    uint32_t syncs_n;              /* Peers with is_sync_started. */
    uint32_t preferred_n;          /* Peers with is_preferred. */
    uint32_t protected_n;          /* Peers with lag.is_protected. */
    struct block_hash inv_asked;   /* The last block whose inv made us ask another peer. */
    int64_t presync_best;          /* Id of the peer that is ahead in it; -1: none. */
    int64_t presync_told_ms;
    int64_t tip_moved_s;    /* 0: not seen yet. */
    int64_t stale_check_s;  /* When the tip is looked at next. */
    int64_t evict_check_ms; /* p2p_timer_ms: when surplus peers are looked at next. */
    bool is_caught_up;      /* Has once been near the tip. */
};

void headers_init(struct p2p *p2p);
void headers_clear(struct p2p *p2p);
void headers_peer_added(struct peer *peer);
void headers_peer_ready(struct peer *peer);
void headers_peer_gone(struct peer *peer);
bool headers_handle(struct peer *peer, const struct wire_message *message, struct arena *arena);
void headers_send(struct peer *peer, int64_t now_ms);
void headers_tick(struct p2p *p2p, int64_t now_ms);

/* --- What it knows --- */

/* Our tip (genesis before there is one), and the header with the most work. */
const struct header_node *headers_tip(const struct p2p *p2p);
const struct header_node *headers_best(const struct p2p *p2p);
/* Blocks of ours are read in from files: peers have to wait. */
bool headers_is_loading(const struct p2p *p2p);
/* Blocks below a snapshot are still to be fetched: those above from, up to target. */
bool headers_history_wanted(const struct p2p *p2p, const struct header_node **ret_from,
                            const struct header_node **ret_target);
/* Is the tip so young that announced blocks are fetched at once? */
bool headers_is_near_tip(const struct p2p *p2p);
/* Less work than this is not stored. */
struct u256 headers_work_threshold(const struct p2p *p2p);
/* Does the header make a chain of enough work? prev: its parent. */
bool headers_has_work(const struct p2p *p2p, const struct header_node *prev, uint32_t bits);

bool peer_serves_blocks(const struct peer *peer);
bool peer_is_limited(const struct peer *peer); /* Only the last 288 blocks: BIP 159. */
bool peer_serves_witness(const struct peer *peer);
/* Preferred for downloads: not called by it (or noban), and it serves blocks. */
bool headers_is_preferred(const struct peer *peer);
/* Shall blocks and headers be fetched from it during initial download? */
bool headers_may_sync_from(const struct peer *peer);

/* The peer has the block, says it. */
void headers_heard(struct peer *peer, const struct block_hash *hash);
/* The header for what it said may have come meanwhile. */
void headers_look_again(struct peer *peer);
/* It has the header, or we told it. */
bool headers_peer_has(const struct peer *peer, const struct header_node *node);
void headers_told(struct peer *peer, const struct header_node *node);
/* Is it among headers that the sink has not answered yet? The peer that sent them is asked
 * for the block first, and in a way of its own. */
bool headers_are_judged(const struct p2p *p2p, const struct header_node *node);
void headers_judging(struct p2p *p2p, struct headers_judged *judged);
void headers_answered(struct p2p *p2p, const struct headers_judged *judged);
/* A better block was announced by it just now. */
void headers_announced(struct peer *peer);

/* --- What it does for others --- */

/* getheaders from node on, unless one is on its way. */
bool headers_ask(struct peer *peer, const struct header_node *node);
/* One header, as if it had come in a headers message. */
void headers_take_one(struct peer *peer, const struct header *header, bool is_compact);
/* "Saw new header ..." */
void headers_log_new(const struct peer *peer, const struct header_node *node, bool is_compact);
/* synced_headers, presynced_headers. */
void headers_fill_info(const struct peer *peer, struct peer_info *info, struct arena *arena);
/* A block was connected. */
void headers_tip_moved(struct p2p *p2p);

#endif /* P2P_HEADERS_SYNC_PRIV_H */
