/* Transactions we fetch: what peers announce, what we ask for, what is handed to the sink,
 * orphans, packages of one parent and one child, and what was refused not long ago.
 * A subject of p2p: see p2p_priv.h.
 *
 * Bounds: see docs/p2p.md. With the sink is at most one transaction or package of each
 * peer.
 */
#ifndef P2P_TX_DOWNLOAD_PRIV_H
#define P2P_TX_DOWNLOAD_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "iface/events.h"
#include "iface/peers.h"
#include "p2p/orphanage.h"
#include "p2p/rolling_set.h"
#include "p2p/tx_request.h"
#include "p2p/wire.h"

struct p2p;
struct peer;

#define TXS_ANNOUNCED_MAX 5000     /* Announcements kept of a peer without relay permission. */
#define TXS_IN_FLIGHT_MANY 100     /* From here on a peer is asked later than others. */
#define TXS_DELAY_MS 2000          /* For each reason to rather ask others. */
#define TXS_EXPIRY_MS 60000        /* Of a request. */
#define TXS_GETDATA_MAX 1000       /* In one message. */
#define TXS_EXTRA_BYTES_MAX 100000 /* Larger ones are not kept for compact blocks. */

#define TXS_REJECTS_N 120000
#define TXS_CONFIRMED_N 48000

/* What belongs to one peer. */
struct peer_txs {
    bool is_counted;   /* Among wtxid_peers_n. */
    bool is_judging;   /* The sink has a transaction of its. */
    int64_t last_tx_s; /* When one of its transactions was accepted; 0. */
};

struct p2p_txs {
    struct tx_requests *requests;
    struct orphanage *orphanage;
    /* By wtxid: refused for good; refused for the fee alone, and packages; by both ids: in
     * recent blocks. The first two are emptied by each new tip. */
    struct rolling_set rejects, rejects_fee, confirmed;
    uint32_t wtxid_peers_n;
};

void txs_init(struct p2p *p2p);
void txs_clear(struct p2p *p2p);
void txs_peer_added(struct peer *peer);
void txs_peer_ready(struct peer *peer);
void txs_peer_gone(struct peer *peer);
bool txs_handle(struct peer *peer, const struct wire_message *message, struct arena *arena);
void txs_send(struct peer *peer, int64_t now_ms);
void txs_tick(struct p2p *p2p, int64_t now_ms);

/* --- For other subjects and the core --- */

/* last_transaction */
void txs_fill_info(const struct peer *peer, struct peer_info *info, struct arena *arena);
/* getorphantxs: transactions held for the caller. */
void txs_list_orphans(const struct p2p *p2p, struct peers_orphan **ret_list, size_t *ret_n,
                      struct arena *arena);

/* --- Chain events, as iface/events.h; on the chain thread. --- */
void txs_event_connected(struct p2p *p2p, const struct block_info *info, const struct block *block);
void txs_event_disconnected(struct p2p *p2p, const struct block_info *info,
                            const struct block *block);
void txs_event_tip(struct p2p *p2p, const struct tip_event *event);

/* --- Within the subject: tx_download.c --- */

/* Need it not be asked for? Orphans count by wtxid only: a spoilt witness must not hide
 * the good one. */
bool txs_have(const struct p2p *p2p, const struct tx_name *name, bool with_rejects_fee);
bool txs_have_txid(const struct p2p *p2p, const struct txid *txid, bool with_rejects_fee);
void txs_forget(struct p2p *p2p, const struct tx *tx); /* No requests for either id. */
/* The parents without repetition. */
void txs_parents(struct txid **ret_parents, size_t *ret_n, const struct tx *tx,
                 struct arena *arena);
/* peer may be asked for the parents of an orphan. False: it has too much to do for us, or
 * is known to have the orphan. */
bool txs_ask_parents(struct peer *peer, const struct txid *parents, size_t parents_n,
                     const struct wtxid *orphan);

/* --- Within the subject: tx_judge.c --- */

/* To the sink with it, first time; the peer waits. */
void txs_judge(struct peer *peer, const struct tx_ref *tx);
/* A parent that only failed for its fee came again: with a child it may do. */
void txs_judge_package_of(struct peer *peer, const struct tx_ref *parent);
/* Orphans on the peer's work list, unless the sink has something of its. */
void txs_judge_orphans(struct peer *peer);
void txs_wake(struct p2p *p2p, const int64_t *peers, size_t n);

#endif /* P2P_TX_DOWNLOAD_PRIV_H */
