/* Handshake: version to verack, what was negotiated, ping and pong, time offsets, self-connections.
 * A subject of p2p: see p2p_priv.h.
 */
#ifndef P2P_HANDSHAKE_PRIV_H
#define P2P_HANDSHAKE_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "iface/peers.h"
#include "p2p/address.h"
#include "p2p/message.h"
#include "p2p/wire.h"

struct p2p;
struct peer;

#define HANDSHAKE_OFFSETS_MAX 50

/* BIP 330: how far the two sides have come with each other. */
enum reconciliation_state { RECONCILIATION_NONE, RECONCILIATION_OFFERED, RECONCILIATION_AGREED };

/* What belongs to one peer. */
struct peer_handshake {
    uint64_t nonce;        /* Of our version message. */
    uint64_t our_services; /* Offered to this peer. */
    bool is_version_sent;

    /* From its version message; 0 and false before. */
    int32_t version;
    int32_t common_version;
    uint64_t services;
    struct net_address sees_us; /* Where it thinks we are. */
    char user_agent[USER_AGENT_BYTES_MAX + 1];
    int32_t start_height; /* -1 */
    int64_t time_offset_s;
    bool asks_txs;     /* It wants transactions announced from the start. */
    bool has_tx_relay; /* Transactions may be announced to it, now or after a filter. */

    bool wtxid_relay;  /* BIP 339 */
    bool wants_addrv2; /* BIP 155 */
    enum reconciliation_state reconciliation;
    uint64_t our_salt, its_salt;

    uint64_t ping_nonce;          /* Under way; 0: none. */
    int64_t ping_start_ms;        /* p2p_now_ms of the last one. */
    uint64_t ping_start_us;       /* The same by the clock that nobody sets. */
    int64_t ping_us, ping_min_us; /* -1: none yet. */
    bool ping_wanted;             /* By RPC. */
};

struct p2p_handshake {
    int64_t offsets_s[HANDSHAKE_OFFSETS_MAX]; /* Of outbound peers' clocks, a ring. */
    size_t offsets_n, offsets_at;
    bool is_out_of_sync; /* As the user was warned. */
};

void handshake_init(struct p2p *p2p);
void handshake_clear(struct p2p *p2p);
void handshake_peer_added(struct peer *peer);
void handshake_peer_ready(struct peer *peer);
void handshake_peer_gone(struct peer *peer);
bool handshake_handle(struct peer *peer, const struct wire_message *message, struct arena *arena);
void handshake_send(struct peer *peer, int64_t now_ms);
void handshake_tick(struct p2p *p2p, int64_t now_ms);
void handshake_fill_info(const struct peer *peer, struct peer_info *info, struct arena *arena);

/* --- For the other subjects --- */

/* Offered by the peer; 0 before its version message. */
uint64_t peer_services(const struct peer *peer);
uint64_t peer_our_services(const struct peer *peer);
/* The lower of both versions; 0 before its version message. */
int32_t peer_common_version(const struct peer *peer);
int32_t peer_start_height(const struct peer *peer);
bool peer_has_wtxid_relay(const struct peer *peer);
bool peer_wants_addrv2(const struct peer *peer);
/* It asked in its version message for transactions (a bloom filter turns that on later;
 * the relay subject knows what holds now). */
bool peer_asks_txs(const struct peer *peer);
/* Transactions may go to it: neither side keeps that off for good. */
bool peer_has_tx_relay(const struct peer *peer);
/* Transactions of it are not wanted (Core's RejectIncomingTxs): block-relay-only, feelers,
 * -blocksonly without the permission. */
bool peer_may_not_send_txs(const struct peer *peer);
/* Services that a full outbound peer must offer (GetDesirableServiceFlags). */
uint64_t handshake_desirable_services(const struct p2p *p2p, uint64_t offered);
/* What this node offers to everybody. */
uint64_t p2p_local_services(const struct p2p *p2p);
/* The least round trip of a ping, INT64_MAX if none came back. */
int64_t peer_ping_min_us(const struct peer *peer);
/* Our version message goes out now: for connections that are new. */
void handshake_send_version(struct peer *peer);
/* Median of outbound peers' clocks against ours, seconds. */
int64_t handshake_time_offset_s(const struct p2p *p2p);
void handshake_ping_all(struct p2p *p2p);
/* A ping goes out now; the answer ends in peer_ping_min_us. */
void handshake_ping(struct peer *peer);

/* --- Within the subject --- */

bool handshake_take_ping(struct peer *peer, const struct wire_message *message);

#define HANDSHAKE_CLOCK_WARNING                                                                   \
    "Your computer's date and time appear to be more than 10 minutes out of sync with the "       \
    "network, this may lead to consensus failure. After you've confirmed your computer's clock, " \
    "this message should no longer appear when you restart your node. Without a restart, it "     \
    "should stop showing automatically after you've connected to a sufficient number of new "     \
    "outbound peers, which may take some time. You can inspect the `timeoffset` field of the "    \
    "`getpeerinfo` and `getnetworkinfo` RPC methods to get more info."

#endif /* P2P_HANDSHAKE_PRIV_H */
