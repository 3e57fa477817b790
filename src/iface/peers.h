/* The peers as RPC sees them: a table of functions that app wires to p2p.
 *
 * Any thread may call; a call is posted to the net thread and returns when that has
 * answered (soon: it never waits for validation).
 */
#ifndef IFACE_PEERS_H
#define IFACE_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "primitives/ids.h"
#include "primitives/tx_ref.h"

struct peers;

#define PEER_TEXT_SIZE 128
#define PEER_MESSAGES_MAX 48

struct peer_traffic {
    const char *type; /* A message type; "*other*" for unknown ones. Static text. */
    uint64_t bytes;
};

/* One peer; times in seconds since 1970 by the node's clock, 0: never. -1: unknown. */
struct peer_info {
    int64_t id;
    char addr[PEER_TEXT_SIZE];       /* host:port as connected */
    char addr_bind[PEER_TEXT_SIZE];  /* "" */
    char addr_local[PEER_TEXT_SIZE]; /* As the peer sees us; "" */
    const char *network;             /* "ipv4", "not_publicly_routable", ... */
    uint32_t mapped_as;              /* 0: no asmap */
    uint64_t services;
    bool relays_txs;
    uint64_t last_inv_sequence;
    uint64_t inv_to_send;
    int64_t last_send, last_recv, last_transaction, last_block;
    uint64_t bytes_sent, bytes_recv;
    int64_t connected_at;
    int64_t time_offset_s;
    int64_t ping_us, ping_min_us, ping_wait_us; /* -1: none */
    uint32_t version;
    char sub_version[260];
    bool is_inbound;
    bool bip152_hb_to, bip152_hb_from;
    int64_t presynced_headers, synced_headers, synced_blocks; /* Heights; -1. */
    const int32_t *inflight;                                  /* Heights, arena. */
    size_t inflight_n;
    bool addr_relay;
    uint64_t addr_processed, addr_rate_limited;
    const char *const *permissions; /* arena */
    size_t permissions_n;
    int64_t min_fee_sat_kvb;
    struct peer_traffic sent_by[PEER_MESSAGES_MAX], recv_by[PEER_MESSAGES_MAX];
    size_t sent_by_n, recv_by_n;
    const char *connection_type; /* "outbound-full-relay", ... */
    const char *transport;       /* "detecting", "v1", "v2" */
    char session_id[65];         /* v2: hex; "" */
    int32_t starting_height;
    const char *pinned_key; /* The public key it has proven (-peerkey), hex; NULL. As long
                             * as the peers live. */
};

struct peers_local {
    char address[PEER_TEXT_SIZE];
    uint16_t port;
    int32_t score;
};
struct peers_network {
    const char *name;
    bool limited, reachable;
    char proxy[PEER_TEXT_SIZE]; /* "" */
    bool proxy_randomize;
};

/* Transactions that wait to be announced, and what the rate limit has left. */
struct peers_backlog {
    uint64_t n;
    double count_tokens, byte_tokens;
};

struct peers_status {
    uint64_t local_services;
    bool local_relay;
    bool is_active; /* setnetworkactive */
    uint32_t connections, inbound, outbound;
    uint64_t bytes_recv, bytes_sent;
    int64_t time_offset_s; /* Median of outbound peers' clocks against ours. */
    const char *warning;   /* About the clock: static text, or NULL. */
    /* -maxuploadtarget */
    uint64_t upload_target_bytes, upload_span_s, upload_left_bytes, upload_left_s;
    bool upload_reached, upload_serves_old;
    uint32_t tx_send_rate; /* -txsendrate */
    struct peers_backlog inbound_backlog, outbound_backlog;
    bool private_broadcast;           /* -privatebroadcast */
    const struct peers_local *locals; /* arena */
    size_t locals_n;
    const struct peers_network *networks; /* arena */
    size_t networks_n;
};

struct peers_added {
    char node[PEER_TEXT_SIZE];
    bool is_connected, is_inbound;
    char address[PEER_TEXT_SIZE];
};
struct peers_ban {
    char subnet[PEER_TEXT_SIZE];
    int64_t created_s, until_s;
};
struct peers_address {
    char address[PEER_TEXT_SIZE];
    uint16_t port;
    const char *network;
    uint64_t services;
    int64_t time_s;
    /* getrawaddrman only. */
    bool is_tried;
    int32_t bucket, position;
    char source[PEER_TEXT_SIZE];
    const char *source_network;
    uint32_t mapped_as, source_mapped_as;
};
struct peers_counts {
    const char *network;
    uint64_t fresh, tried;
};

/* A transaction on its way by private broadcast, and where it was sent. */
struct peers_private_try {
    char address[PEER_TEXT_SIZE];
    int64_t sent_s, received_s; /* 0: not yet. */
};
struct peers_private {
    const struct tx_ref *tx; /* Held for the caller. */
    int64_t time_s;
    uint32_t tries_left;
    struct peers_private_try *tries; /* arena */
    size_t tries_n;
};
/* A transaction that waits for its parents. */
struct peers_orphan {
    const struct tx_ref *tx; /* Held for the caller. */
    int64_t *from;           /* Peer ids, arena. */
    size_t from_n;
};

/* What RPC refuses, for its error codes. */
enum peers_answer {
    PEERS_OK,
    PEERS_NOT_FOUND,
    PEERS_EXISTS,
    PEERS_BAD_ADDRESS,
    PEERS_FULL,
    PEERS_OFF,
    PEERS_STATE
};

struct peers_ops {
    void (*status)(struct peers *peers, struct peers_status *ret_status, struct arena *arena);
    void (*list)(struct peers *peers, struct peer_info **ret_list, size_t *ret_n,
                 struct arena *arena);
    void (*set_active)(struct peers *peers, bool is_active);
    void (*ping_all)(struct peers *peers);

    /* command: "add", "remove", "onetry". */
    enum peers_answer (*add_node)(struct peers *peers, const char *node, const char *command,
                                  bool use_v2);
    void (*added)(struct peers *peers, struct peers_added **ret_list, size_t *ret_n,
                  struct arena *arena);
    /* type: connection_type of peer_info. Regtest only (hidden RPC). */
    enum peers_answer (*add_connection)(struct peers *peers, const char *address, const char *type,
                                        bool use_v2);
    /* By address, or by id when address is NULL. */
    enum peers_answer (*disconnect)(struct peers *peers, const char *address, int64_t id);
    enum peers_answer (*get_block)(struct peers *peers, const struct block_hash *hash, int64_t id,
                                   char *ret_why, size_t why_size);

    /* until_s: absolute, 0: as long as -bantime says; a subnet, an address or a system
     * ("AS64496") as text. */
    enum peers_answer (*ban)(struct peers *peers, const char *subnet, int64_t until_s);
    enum peers_answer (*unban)(struct peers *peers, const char *subnet);
    void (*bans)(struct peers *peers, struct peers_ban **ret_list, size_t *ret_n,
                 struct arena *arena);
    void (*clear_bans)(struct peers *peers);

    /* network NULL: all; n 0: all. */
    void (*addresses)(struct peers *peers, struct peers_address **ret_list, size_t *ret_n, size_t n,
                      const char *network, struct arena *arena);
    void (*raw_addresses)(struct peers *peers, struct peers_address **ret_list, size_t *ret_n,
                          struct arena *arena);
    void (*address_counts)(struct peers *peers, struct peers_counts **ret_list, size_t *ret_n,
                           struct arena *arena);
    enum peers_answer (*add_address)(struct peers *peers, const char *address, uint16_t port,
                                     bool tried, char *ret_why, size_t why_size);
    /* Our own public key, hex, for -peerkey of our other nodes; its file is made where there
     * is none. PEERS_STATE: it cannot be read or made; ret_text is why. */
    enum peers_answer (*own_key)(struct peers *peers, char *ret_text, size_t size);
    /* sendmsgtopeer (hidden). */
    enum peers_answer (*send_raw)(struct peers *peers, int64_t id, const char *type,
                                  struct span payload);

    /* Tell the peers of a transaction of ours in the mempool. */
    void (*announce)(struct peers *peers, const struct txid *txid, const struct wtxid *wtxid);
    /* Private broadcast: over short-lived Tor and I2P connections, not from our mempool.
     * Is it what -privatebroadcast asks for? Waits for nobody. */
    bool (*is_private)(struct peers *peers);
    enum peers_answer (*broadcast_privately)(struct peers *peers, const struct tx_ref *tx);
    enum peers_answer (*abort_private)(struct peers *peers, const uint8_t *id,
                                       const struct tx_ref ***ret_txs, size_t *ret_n,
                                       struct arena *arena);
    void (*private_list)(struct peers *peers, struct peers_private **ret_list, size_t *ret_n,
                         struct arena *arena);
    void (*orphans)(struct peers *peers, struct peers_orphan **ret_list, size_t *ret_n,
                    struct arena *arena);
};

struct peers {
    const struct peers_ops *ops;
};

#endif /* IFACE_PEERS_H */
