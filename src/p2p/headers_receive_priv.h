/* Headers that come, and peers that lag: within the subject of headers. */
#ifndef P2P_HEADERS_RECEIVE_PRIV_H
#define P2P_HEADERS_RECEIVE_PRIV_H

#include "p2p/headers_sync_priv.h"

/* getheaders with a locator made by the caller, unless one is on its way. */
bool headers_ask_locator(struct peer *peer, struct block_hash *hashes, size_t n);

/* An outbound peer whose chain stays behind ours is let go. */
void headers_watch_lag(struct peer *peer);
/* After a headers message: protect it from that, or let it go at once. */
void headers_judge_chain(struct peer *peer, bool may_have_more);

/* Surplus outbound peers and a stale tip, from time to time (headers_stale.c). */
void headers_watch_tip(struct p2p *p2p);

#endif /* P2P_HEADERS_RECEIVE_PRIV_H */
