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
#include "p2p/permissions.h"
#include "p2p/wire.h"

struct addrman;
struct p2p;
struct peer;

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
    struct addrman *addrman; /* Owned. */
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
/* The same for one that came another way (I2P). */
void connect_take(struct p2p *p2p, net_conn conn, uint32_t permissions, bool is_onion,
                  const struct net_address *address, const struct net_address *bind);
uint16_t connect_listen_port(const struct p2p *p2p);

/* --- Whom we call (connect_dial.c) --- */

/* False: not now (network off, already connected or being called). */
bool connect_dial(struct p2p *p2p, const struct dial_wish *wish);
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

/* --- For address relay --- */

struct addrman *connect_addrman(struct p2p *p2p);
/* Banned or discouraged: neither kept nor told. */
bool connect_is_refused(const struct p2p *p2p, const struct net_address *address);
/* Addresses of this network may be called. */
bool connect_is_reachable(const struct p2p *p2p, enum net_kind net);
/* Where this peer should be told that we are. False: nowhere that it could call. */
bool connect_local_address(struct peer *peer, struct net_address *ret_address);

#endif /* P2P_CONNECT_PRIV_H */
