/* What we tell peers without being asked for it: which transactions there are, at which
 * feerate from on we want theirs, and where other nodes are; and the bloom filters and
 * requests that go with it. A subject of p2p: see p2p_priv.h.
 *
 * Transactions: what enters the mempool goes into two backlogs, for inbound and for
 * outbound peers; from there, as fast as two token buckets allow, best first, into the
 * queues of all peers; from there, in bursts at random times, onto the wire. All inbound
 * peers of one network share their times: having many connections tells nothing about where
 * a transaction came from. Only what had been in the mempool at the last burst may be
 * fetched, so that nobody can probe for what was not announced.
 *
 * Bounds: see docs/p2p.md.
 */
#ifndef P2P_RELAY_PRIV_H
#define P2P_RELAY_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "iface/events.h"
#include "iface/peers.h"
#include "p2p/addrman.h"
#include "p2p/bloom.h"
#include "p2p/message.h"
#include "p2p/private_broadcast.h"
#include "p2p/rolling_set.h"
#include "p2p/wire.h"

struct p2p;
struct peer;

#define RELAY_INBOUND_MEAN_MS 5000 /* Between bursts of announcements. */
#define RELAY_OUTBOUND_MEAN_MS 2000
#define RELAY_KNOWN_TXS 50000 /* That a peer is remembered to have, at least. */
#define RELAY_BACKLOG_CHECK_MS 100
#define RELAY_HEARTBEAT_MS 2000
#define RELAY_HEARTBEAT_N 100 /* Backlogs from here on are logged. */
#define RELAY_FEEFILTER_MEAN_MS (10 * 60 * 1000)
#define RELAY_FEEFILTER_CHANGE_MS (5 * 60 * 1000) /* A great change is told this soon. */
#define RELAY_FEEFILTER_STEPS_MAX 200

#define RELAY_ADDR_MEAN_MS (30 * 1000)
#define RELAY_LOCAL_ADDR_MEAN_MS (24 * 60 * 60 * 1000)
#define RELAY_ADDR_ROTATE_S (24 * 60 * 60)
#define RELAY_KNOWN_ADDRS 5000
#define RELAY_ADDR_PERCENT 23
#define RELAY_ADDR_TOKENS_PER_S 0.1
#define RELAY_NETWORKS_MAX 64 /* Of ours, as strangers may tell them apart. */

/* What belongs to one peer. */
struct peer_relay {
    /* Transactions. */
    bool has_txs; /* They may be announced to it, now or after a filter message. */
    bool wants_txs;
    struct bloom *filter;         /* Owned; NULL: none. */
    struct rolling_set known_txs; /* txids or wtxids, as they are announced to it. */
    struct wtxid *queue;          /* Owned: to be announced. */
    size_t queue_n, queue_capacity;
    bool wants_mempool;
    int64_t next_burst_ms;      /* 0: the first is to come. */
    uint64_t last_sequence;     /* What came before it may be fetched: set at each burst. */
    int64_t fee_filter_sat_kvb; /* What it wants. */
    int64_t fee_told_sat_kvb;   /* What we told it. */
    int64_t fee_at_ms;

    /* Addresses. */
    bool has_addrs;
    struct rolling_set known_addrs;
    struct message_addr_entry *addrs; /* Owned: to be sent, at most ADDR_N_MAX. */
    uint32_t addrs_n, addrs_capacity;
    bool getaddr_sent; /* Its answer is outstanding. */
    bool getaddr_came;
    int64_t next_addr_ms, next_local_ms; /* 0: never yet. */
    double addr_tokens;
    int64_t addr_tokens_ms;
    uint64_t addrs_processed, addrs_dropped;
};

/* So much may be told, on average. */
struct token_bucket {
    double rate_per_s, cap, tokens;
    int64_t updated_ms; /* -1: not yet. */
};
struct inv_backlog {
    struct wtxid *wtxids; /* Owned. */
    size_t n, capacity;
    double count_floor;
    struct token_bucket count, bytes;
};

/* The sample of addresses that askers on one of our networks get for a day. */
struct addr_cache {
    uint64_t network_key;
    int64_t until_ms;
    struct message_addr_entry *list; /* Owned. */
    size_t n;
};

struct p2p_relay {
    struct inv_backlog inbound, outbound;
    int64_t next_backlog_ms, heartbeat_ms; /* -1: none. */
    struct inbound_timer {
        uint64_t network_key;
        int64_t at_ms;
    } * timers; /* Owned. */
    size_t timers_n;
    int64_t reannounce_ms;                        /* p2p_timer_ms */
    int64_t fee_steps[RELAY_FEEFILTER_STEPS_MAX]; /* Feerates that are told, rising. */
    size_t fee_steps_n;
    struct addr_cache *caches; /* Owned. */
    size_t caches_n;
    struct siphash_key addr_key; /* Chooses whom an address is told. */
    struct private_broadcast *privates;
    size_t privates_to_open; /* Connections still to be made. */
    int64_t privates_ms;     /* p2p_timer_ms of the next look for stale ones. */
    int64_t private_call_ms; /* p2p_real_ms of the next call. */
    uint32_t private_bad_n;  /* Tries in a row without an address to call. */
    bool tor_works;          /* A handshake through Tor succeeded once. */
};

void relay_init(struct p2p *p2p);
void relay_clear(struct p2p *p2p);
void relay_peer_added(struct peer *peer);
void relay_peer_ready(struct peer *peer);
void relay_peer_gone(struct peer *peer);
bool relay_handle(struct peer *peer, const struct wire_message *message, struct arena *arena);
void relay_send(struct peer *peer, int64_t now_ms);
void relay_tick(struct p2p *p2p, int64_t now_ms);
/* relaytxes, minfeefilter, addr_*, inv_to_send, last_inv_sequence */
void relay_fill_info(const struct peer *peer, struct peer_info *info, struct arena *arena);

/* --- For other subjects and the core --- */

/* A transaction has entered the mempool: all are to hear of it. */
void relay_broadcast(struct p2p *p2p, const struct wtxid *wtxid);
/* It has, or has announced, this txid or wtxid (32 bytes). */
void relay_peer_knows(struct peer *peer, const uint8_t *id);
/* Answers one entry of getdata for a transaction. False: not for it (to be listed in
 * notfound). */
bool relay_serve_tx(struct peer *peer, const struct inv *inv);
/* Transactions are announced to it at present: for eviction. */
bool relay_is_on(const struct peer *peer);
bool relay_has_filter(const struct peer *peer);
/* A block as its bloom filter sees it: merkleblock, then the transactions that matched.
 * Nothing where it has loaded none. */
void relay_send_filtered(struct peer *peer, const struct block *block);
/* Tx rate and backlogs of getnetworkinfo. */
void relay_fill_status(const struct p2p *p2p, struct peers_status *status);

/* --- Private broadcast (relay_private.c) --- */

/* For RPC, on the net thread. PEERS_FULL: too many are on their way. */
enum peers_answer relay_broadcast_privately(struct p2p *p2p, const struct tx_ref *tx);
/* By txid or wtxid. ret_txs: from arena, each held for the caller. */
enum peers_answer relay_abort_private(struct p2p *p2p, const uint8_t *id,
                                      const struct tx_ref ***ret_txs, size_t *ret_n,
                                      struct arena *arena);
void relay_list_private(const struct p2p *p2p, struct peers_private **ret_list, size_t *ret_n,
                        struct arena *arena);
/* The peer answered our ping: what it asked for has arrived. */
void relay_private_ponged(struct peer *peer);
/* getdata of such a peer; everything it asks for is answered here. */
void relay_private_asked(struct peer *peer, const struct message_inv *wanted);
/* A peer sent us one of ours: it has reached the network. */
void relay_private_came_back(struct peer *peer, const struct tx_ref *tx);

/* --- Within the subject --- */

struct siphash_key relay_random_key(struct p2p *p2p);
/* relay_txs.c */
void relay_txs_init(struct p2p *p2p);
void relay_txs_clear(struct p2p *p2p);
void relay_txs_send(struct peer *peer, int64_t now_ms);
void relay_txs_tick(struct p2p *p2p, int64_t now_ms);
void relay_mempool_asked(struct peer *peer);
uint64_t relay_network_key(const struct peer *peer);
/* relay_fees.c */
void relay_fees_send(struct peer *peer, int64_t now_ms);
/* relay_addrs.c */
void relay_addrs_init(struct p2p *p2p);
void relay_addrs_clear(struct p2p *p2p);
void relay_addrs_ready(struct peer *peer);
void relay_addrs_received(struct peer *peer, const struct wire_message *message,
                          struct arena *arena);
void relay_addrs_asked(struct peer *peer);
void relay_addrs_send(struct peer *peer, int64_t now_ms);
/* relay_private.c */
void relay_private_init(struct p2p *p2p);
void relay_private_clear(struct p2p *p2p);
void relay_private_connected(struct peer *peer);
void relay_private_ready(struct peer *peer);
void relay_private_gone(struct peer *peer);
void relay_private_send(struct peer *peer, int64_t now_ms);
void relay_private_tick(struct p2p *p2p);

#endif /* P2P_RELAY_PRIV_H */
