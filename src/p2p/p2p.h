/* The peers: everything between sockets and the chain.
 *
 * One object, one thread: the net thread owns all of it, is called by the network
 * (os/net.h) and calls it. Given equal seed, time and bytes it does equal things, so
 * that the simulator can run many in one process.
 *
 * Life: p2p_new reads peers.dat, bans and anchors; p2p_start binds, begins to connect;
 * p2p_stop closes connections and saves; p2p_free. All on the net thread but
 * p2p_new and p2p_free, before and after it.
 */
#ifndef P2P_P2P_H
#define P2P_P2P_H

#include "consensus/params.h"
#include "headers/tree.h"
#include "iface/events.h"
#include "iface/filters.h"
#include "iface/mempool.h"
#include "iface/node.h"
#include "iface/peers.h"
#include "iface/sink.h"
#include "os/clock.h"
#include "os/disk.h"
#include "os/net.h"

struct p2p;

/* Where the chain lets p2p look; any thread. */
struct p2p_ground {
    const struct header_tree *tree;
    /* The published tip; NULL before genesis. */
    const struct header_node *(*tip)(void *context);
    bool (*is_initial_block_download)(void *context);
    /* Blocks are read in from files (-reindex, -loadblock). NULL: never. */
    bool (*is_loading)(void *context);
    /* The coins came from a snapshot: the blocks above from, up to target, are wanted to
     * check it. False: none are. NULL: never. */
    bool (*history)(void *context, const struct header_node **ret_from,
                    const struct header_node **ret_target);
    void *context;
};

/* Names and defaults are Core's (p2p_options_default); texts are copied. */
struct p2p_options {
    const struct params *params; /* Borrowed, as all pointers to objects here. */
    struct net_io *net;
    struct clock *clock;
    struct disk *disk;
    const char *folder; /* peers.dat, banlist.json, anchors.dat, ... */
    uint8_t seed[32];   /* All randomness comes from it. */
    struct node *node;
    struct sink *sink;
    struct mempool_view *mempool;
    struct filters *filters; /* NULL: there is no index of them. */
    struct p2p_ground ground;
    struct u256 minimum_chain_work;
    const char *user_agent;  /* Whole, with comments. */
    const char *client_name; /* For texts to the user. */

    bool listen;
    uint16_t port;           /* 0: the network's. */
    const char *const *bind; /* -bind=addr[:port][=onion] */
    size_t bind_n;
    const char *const *whitebind; /* perms@addr:port */
    size_t whitebind_n;
    const char *const *whitelist; /* perms@subnet */
    size_t whitelist_n;
    bool whitelist_relay, whitelist_force_relay;
    const char *const *external_ip;
    size_t external_ip_n;
    bool discover;

    const char *const *connect; /* -connect; connect_only: even if empty ("0"). */
    size_t connect_n;
    bool connect_only;
    const char *const *add_node;
    size_t add_node_n;
    const char *const *seed_node;
    size_t seed_node_n;
    bool dns; /* -dns: names may be looked up. */
    bool dns_seed, force_dns_seed, fixed_seeds;
    const char *const *only_net; /* Names; n 0: all. */
    size_t only_net_n;
    bool cjdns_reachable;
    const char *const *proxy; /* -proxy=addr[=network], in order. */
    size_t proxy_n;
    const char *onion_proxy; /* -onion; NULL: none given. */
    bool proxy_randomize;
    bool listen_onion;
    const char *tor_control, *tor_password;
    const char *i2p_sam;
    bool i2p_accept_incoming;

    uint32_t max_connections; /* Automatic ones, within what descriptors allow. */
    uint32_t inbound_relay_percent;
    uint64_t connect_timeout_ms; /* -timeout */
    int64_t peer_timeout_s;
    size_t max_receive_bytes, max_send_bytes; /* -maxreceivebuffer, -maxsendbuffer */
    uint64_t max_upload_bytes;                /* -maxuploadtarget; a day's; 0: none. */
    bool network_active;
    bool v2_transport;
    bool blocks_only;
    bool peer_bloom_filters, peer_block_filters;
    bool tx_reconciliation; /* -txreconciliation: signalling */
    bool capture_messages;
    bool private_broadcast;
    uint32_t tx_send_rate; /* -txsendrate: transactions a second announced to inbound peers. */
    int64_t ban_time_s;
    uint32_t max_orphans; /* -maxorphantx is gone in Core: announcements, weights bound them. */
    uint32_t block_reconstruction_extra_txn;
    int64_t max_tip_age_s;
    bool prune;             /* NODE_NETWORK is not offered. */
    const char *asmap_path; /* NULL: none. */
    /* Keys for one's own nodes: see pins.h. own_key_path NULL: peer_key in the folder. */
    const char *const *peer_keys;
    size_t peer_keys_n;
    const char *own_key_path;
    bool test_addrman_deterministic; /* -test=addrman */
    uint32_t check_addrman;          /* -checkaddrman: one in so many; 0: never. */
    bool log_ips;                    /* -logips */
    /* Net thread and all others are one (simulator, tests): RPC's questions are answered
     * within the call. */
    bool is_single_thread;
};
void p2p_options_default(struct p2p_options *ret_options, const struct params *params);

/* Returns: 0; E_CORRUPT when peers.dat is not good (text as Core's), E_MALFORMED for an
 *          option that makes no sense (text fit for the user), E_IO ... */
NODISCARD int p2p_new(struct p2p **ret_p2p, const struct p2p_options *options, struct error *err);
/* When no other thread posts to it any more (events, the sink's answers), and while the
 * chain can still be read: what has been posted is worked off. */
void p2p_free(struct p2p *own_p2p);

/* Bind and begin. E_EXISTS ...: an address could not be bound; text as Core's. */
NODISCARD int p2p_start(struct p2p *p2p, struct error *err);
void p2p_stop(struct p2p *p2p);

/* For RPC; any thread. For the chain: called on the chain thread, posts. */
struct peers *p2p_peers(struct p2p *p2p);
const struct chain_events *p2p_events(struct p2p *p2p);

/* setmocktime, mockscheduler: timers are looked at again; any thread. advance_s: as if
 * so long had passed for timers of the scheduler's kind. */
void p2p_time_changed(struct p2p *p2p, int64_t advance_s);

#endif /* P2P_P2P_H */
