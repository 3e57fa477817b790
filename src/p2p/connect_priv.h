/* Whom we are connected with: who may come, whom we call and how, when a connection
 * ends, own addresses, bans. A subject of p2p: see p2p_priv.h.
 */
#ifndef P2P_CONNECT_PRIV_H
#define P2P_CONNECT_PRIV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "iface/peers.h"
#include "p2p/core_priv.h"
#include "p2p/i2p_sam.h"
#include "p2p/local_addresses.h"
#include "p2p/permissions.h"
#include "p2p/proxies.h"
#include "p2p/socks5.h"
#include "p2p/wire.h"

struct addrman;
struct asmap;
struct ban_list;
struct connect_automatic;
struct connect_i2p;
struct connect_tor;
struct i2p_carrier;
struct p2p;
struct peer;
struct pins;

#define FULL_RELAY_MAX 8
#define BLOCK_RELAY_MAX 2
#define FEELERS_MAX 1
#define ADDED_MAX 8 /* Connections to added nodes at a time. */
#define DIAL_ADDRESSES_MAX 256

/* A place we listen at; its index is the tag of the listener. */
struct connect_listener {
    struct net_address address;
    uint32_t permissions;
    bool is_onion; /* Who comes here comes from Tor. */
    bool may_fail; /* A default: no error if there is no such network. */
};

/* Somebody we want a connection with. */
struct dial_wish {
    enum peer_kind kind;
    struct net_address address; /* Where, when name is NULL. */
    const char *name;           /* As the user wrote it, host or address; or NULL. */
    bool v2;
    bool counts_failure; /* The address manager is to remember a failure. */
    uint64_t services;   /* As told; 0: not known. */
    int64_t seen_s;      /* When it was last seen; for the log. */
};

enum dial_way { DIAL_DIRECTLY, DIAL_SOCKS5, DIAL_I2P };

/* A connection being made: one name, one address after the other. */
struct dial {
    struct dial *next;
    enum peer_kind kind;
    char name[PEER_TEXT_SIZE]; /* "": by address */
    struct net_address *addresses;
    size_t addresses_n, at;
    uint64_t services;
    bool v2;
    bool counts_failure;
    enum dial_way way;
    const struct proxy *proxy; /* Borrowed; NULL: none. */
    struct net_address bind;   /* Our end, of the connection to the proxy. */
    int64_t deadline_ms;       /* p2p_real_ms: a proxy's answer; 0: none awaited. */
    struct socks5 socks;
    struct i2p_carrier *carrier; /* DIAL_I2P. */
    uint64_t carrier_mark;       /* Of connect_i2p_take. */
    struct i2p_link link;
    struct lookup lookup;
    struct stream stream;
};

struct connect_added {
    char name[PEER_TEXT_SIZE];
    bool v2;
};

/* Shut on us when spoken to in v2: tried again with v1. */
struct connect_retry {
    struct connect_retry *next;
    enum peer_kind kind;
    struct net_address address;
    char name[PEER_TEXT_SIZE];
};

struct p2p_connect {
    struct asmap *asmap;     /* Owned; NULL: none. */
    struct addrman *addrman; /* Owned, as the next ones are. */
    struct ban_list *bans;
    struct pins *pins;
    struct connect_automatic *automatic; /* NULL: not started. */
    struct connect_tor *tor;             /* NULL: no onion service is wanted. */
    struct connect_i2p *i2p;             /* NULL: no router is known. */
    struct local_addresses locals;
    struct proxies proxies;
    struct socks5_isolation isolation;
    int64_t save_at_ms;   /* p2p_timer_ms of the next saving of peers.dat and bans. */
    int64_t health_at_ms; /* The same of the next look at the asmap's use. */
    struct connect_listener *listeners;
    size_t listeners_n;
    struct net_whitelist *whitelist;
    size_t whitelist_n;
    uint32_t full_relay_max, block_relay_max, automatic_max, inbound_max, inbound_relay_max;
    struct dial *dials;
    struct connect_retry *retries;
    struct connect_added *added;
    size_t added_n;
    int64_t added_at_ms; /* p2p_real_ms of the next look. */
    size_t added_next;
    bool added_tried;
    int64_t specified_at_ms; /* -connect: the next look. */
    size_t specified_next;
    uint32_t specified_rounds;
};

void connect_init(struct p2p *p2p);
void connect_clear(struct p2p *p2p);
void connect_peer_added(struct peer *peer);
void connect_peer_ready(struct peer *peer);
void connect_peer_gone(struct peer *peer);
bool connect_handle(struct peer *peer, const struct wire_message *message, struct arena *arena);
void connect_send(struct peer *peer, int64_t now_ms);
void connect_tick(struct p2p *p2p, int64_t now_ms);
void connect_fill_info(const struct peer *peer, struct peer_info *info, struct arena *arena);

/* Its part of getnetworkinfo: local addresses; one network. */
void connect_fill_status(const struct p2p *p2p, struct peers_status *status, struct arena *arena);
void connect_fill_network(const struct p2p *p2p, struct peers_network *ret, enum net_kind net);

/* --- Life, with errors for the user --- */

NODISCARD int connect_read_options(struct p2p *p2p, struct error *err);
NODISCARD int connect_start(struct p2p *p2p, struct error *err);
void connect_stop(struct p2p *p2p);

/* --- Who comes (connect_listen.c) --- */

/* -bind, -whitebind: errors for the user. */
NODISCARD int connect_read_binds(struct p2p *p2p, struct error *err);
NODISCARD int connect_listen(struct p2p *p2p, struct error *err);
void connect_accepted(struct p2p *p2p, net_conn conn, int tag, const struct net_endpoint *peer,
                      const struct net_endpoint *local);
/* The same for one that came another way (I2P). NULL: it was turned away. */
struct peer *connect_take(struct p2p *p2p, net_conn conn, uint32_t permissions, bool is_onion,
                          const struct net_address *address, const struct net_address *bind);
uint16_t connect_listen_port(const struct p2p *p2p);

/* --- Whom we call (connect_dial.c) --- */

/* False: not now (network off, already connected or being called). */
bool connect_dial(struct p2p *p2p, const struct dial_wish *wish);
/* Is a call by this name under way? */
bool connect_is_calling(const struct p2p *p2p, const char *name);
/* What is due of -connect, of added nodes and of second tries. */
void connect_dial_due(struct p2p *p2p);
void connect_end_dials(struct p2p *p2p);
/* Peers and calls of a kind; of all automatic kinds. */
uint32_t connect_count(const struct p2p *p2p, enum peer_kind kind);
uint32_t connect_count_automatic(const struct p2p *p2p);
bool connect_uses_v2(const struct p2p *p2p);
/* A peer that was spoken to in v2 hung up: v1 soon. */
void connect_retry_v1(struct peer *peer);
/* For the network of the address, or a name. */
uint16_t connect_default_port(const struct p2p *p2p, const char *name);

/* --- Who stays (connect.c) --- */

/* Discouraged: it, and all that come from its address, end. */
void connect_discourage(struct p2p *p2p, const struct net_address *address);
/* Its version message was accepted: what it tells of addresses is used. */
void connect_heard_version(struct peer *peer);
/* Of an address; 0: none, or no map. */
uint32_t connect_asn(const struct p2p *p2p, const struct net_address *address);
/* A transaction-relaying inbound peer is one too many: another one must go. False: none
 * could, and the peer ends. message: what made it one. */
bool connect_make_room_for_relay(struct peer *peer, const char *message);
/* Ends all peers of a subnet; whether there were any. */
bool connect_disconnect_subnet(struct p2p *p2p, const struct net_subnet *subnet);
void connect_set_active(struct p2p *p2p, bool is_active);

/* --- For RPC --- */

enum peers_answer connect_add_node(struct p2p *p2p, const char *node, const char *command,
                                   bool use_v2);
void connect_added(struct p2p *p2p, struct peers_added **ret_list, size_t *ret_n,
                   struct arena *arena);
enum peers_answer connect_add_connection(struct p2p *p2p, const char *address, const char *type,
                                         bool use_v2);
enum peers_answer connect_disconnect(struct p2p *p2p, const char *address, int64_t id);
/* Ours, for the others' -peerkey; PEERS_STATE: there is none, and why. */
enum peers_answer connect_own_key(struct p2p *p2p, char *ret_text, size_t size);

/* --- What is known: addrman, bans, own addresses, proxies (connect_known.c) --- */

NODISCARD int connect_known_load(struct p2p *p2p, struct error *err);
void connect_known_start(struct p2p *p2p);
void connect_known_tick(struct p2p *p2p);
void connect_known_save(struct p2p *p2p);
void connect_known_clear(struct p2p *p2p);
bool connect_is_discouraged(const struct p2p *p2p, const struct net_address *address);
bool connect_is_banned(const struct p2p *p2p, const struct net_address *address);
/* One of our own addresses, as far as we know. */
bool connect_is_local(const struct p2p *p2p, const struct net_address *address);
bool connect_add_local(struct p2p *p2p, const struct net_address *address, int32_t score);
void connect_remove_local(struct p2p *p2p, const struct net_address *address);

enum peers_answer connect_ban(struct p2p *p2p, const char *subnet, int64_t until_s);
enum peers_answer connect_unban(struct p2p *p2p, const char *subnet);
void connect_clear_bans(struct p2p *p2p);
size_t connect_bans(struct p2p *p2p, struct peers_ban **ret_list, struct arena *arena);
/* network NULL: any; n 0: all. */
size_t connect_addresses(struct p2p *p2p, struct peers_address **ret_list, size_t n,
                         const char *network, struct arena *arena);
size_t connect_raw_addresses(struct p2p *p2p, struct peers_address **ret_list, struct arena *arena);
size_t connect_address_counts(struct p2p *p2p, struct peers_counts **ret_list, struct arena *arena);
enum peers_answer connect_add_address(struct p2p *p2p, const char *address, uint16_t port,
                                      bool tried, const char **ret_why);

/* --- Calls that nobody asked for (connect_auto.c) --- */

void connect_auto_start(struct p2p *p2p);
void connect_auto_tick(struct p2p *p2p);
void connect_auto_clear(struct p2p *p2p);
/* The tip is old: one more full relay peer is tried. */
void connect_set_extra_full_relay(struct p2p *p2p, bool is_on);
bool connect_wants_extra_full_relay(const struct p2p *p2p);
/* False with -connect: only those are called. */
bool connect_calls_by_itself(const struct p2p *p2p);
/* Initial sync is done: extra block relay peers from now on. */
void connect_start_extra_block_relay(struct p2p *p2p);
/* Peers beyond what there should be, with the handshake done. */
uint32_t connect_extra_full_relay_n(const struct p2p *p2p);
uint32_t connect_extra_block_relay_n(const struct p2p *p2p);
/* Is it the only full relay or manual peer of its network? */
bool connect_is_alone_on_network(const struct peer *peer);

/* --- Who goes for a newcomer (connect_evict.c) --- */

/* only_txs: of those that relay transactions; keep: an id that stays, or -1. False: none
 * may go. */
bool connect_evict_one(struct p2p *p2p, bool only_txs, int64_t keep);
/* Transactions are announced to it, or will be. */
bool connect_relays_txs(const struct peer *peer);
uint64_t connect_group_key(const struct p2p *p2p, const struct net_address *address);

/* --- Tor's control port (connect_tor.c) --- */

void connect_tor_start(struct p2p *p2p);
void connect_tor_tick(struct p2p *p2p);
void connect_tor_clear(struct p2p *p2p);

/* --- I2P's router (connect_i2p.c) --- */

void connect_i2p_start(struct p2p *p2p);
void connect_i2p_tick(struct p2p *p2p);
void connect_i2p_clear(struct p2p *p2p);
/* A session to call from: ours, or with is_transient one of its own. Its control link is
 * begun where needed; ret_mark tells failures from then on from earlier ones. Give it
 * back. */
struct i2p_carrier *connect_i2p_take(struct p2p *p2p, bool is_transient, uint64_t *ret_mark);
void connect_i2p_give_back(struct p2p *p2p, struct i2p_carrier *own_carrier);
/* It lives as long as the peer. */
void connect_i2p_bind(struct p2p *p2p, struct i2p_carrier *own_carrier, int64_t peer_id);
void connect_i2p_peer_gone(struct p2p *p2p, int64_t peer_id);
/* NULL: not ready. ret_failed: nor will it be; why is in err. */
struct i2p_session *connect_i2p_session(struct i2p_carrier *carrier, uint64_t mark,
                                        bool *ret_failed, struct error *err);

/* --- For address relay --- */

struct addrman *connect_addrman(struct p2p *p2p);
/* Banned or discouraged: neither kept nor told. */
bool connect_is_refused(const struct p2p *p2p, const struct net_address *address);
/* Addresses of this network may be called. */
bool connect_is_reachable(const struct p2p *p2p, enum net_kind net);
/* Where this peer should be told that we are. False: nowhere that it could call. */
bool connect_local_address(struct peer *peer, struct net_address *ret_address);

#endif /* P2P_CONNECT_PRIV_H */
