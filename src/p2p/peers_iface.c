/* The peers as RPC sees them: every call is asked of the net thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/hex.h"
#include "iface/peers.h"
#include "p2p/events_priv.h"
#include "p2p/inbox_priv.h"
#include "p2p/known_iface_priv.h"
#include "p2p/p2p_priv.h"

/* How long a call is waited for: ten seconds. */
#define CALL_LOOK_US 5000
#define CALL_LOOKS_MAX 2000

static struct p2p *p2p_of(struct peers *peers)
{
    return (struct p2p *)peers;
}

/* What a question and its answer need; each uses what it needs of it. */
struct question {
    struct arena *arena;
    const char *text, *type;
    bool flag;
    int64_t number;
    struct span payload;
    enum peers_answer answer;
    struct peers_status *status;
    struct peer_info *list;
    struct peers_added *added;
    size_t n;
};

/* --- status --- */

static void add_network(const struct p2p *p2p, struct peers_network *ret, enum net_kind net)
{
    ret->name = net_name(net);
    connect_fill_network(p2p, ret, net);
}

static void run_status(struct p2p *p2p, void *argument)
{
    static const enum net_kind nets[] = {NET_IPV4, NET_IPV6, NET_ONION, NET_I2P, NET_CJDNS};
    struct question *q = argument;
    struct peers_status *status = q->status;
    struct peers_network *networks =
        arena_array(q->arena, ARRAY_LEN(nets), sizeof(struct peers_network));

    *status = (struct peers_status){.local_services = p2p_local_services(p2p),
                                    .local_relay = !p2p->options.blocks_only,
                                    .is_active = p2p->is_active,
                                    .bytes_recv = p2p->bytes_recv,
                                    .bytes_sent = p2p->bytes_sent,
                                    .time_offset_s = handshake_time_offset_s(p2p),
                                    .networks = networks,
                                    .networks_n = ARRAY_LEN(nets)};
    if (p2p->handshake.is_out_of_sync)
        status->warning = HANDSHAKE_CLOCK_WARNING;
    for (const struct peer *peer = p2p->first; peer != NULL; peer = peer->next) {
        status->inbound += peer_is_inbound(peer);
        status->outbound += !peer_is_inbound(peer);
    }
    status->connections = status->inbound + status->outbound;
    for (size_t i = 0; i < ARRAY_LEN(nets); i++)
        add_network(p2p, &networks[i], nets[i]);
    connect_fill_status(p2p, status, q->arena);
    serve_fill_status(p2p, status);
    relay_fill_status(p2p, status);
}

static void peers_status(struct peers *peers, struct peers_status *ret_status, struct arena *arena)
{
    struct question q = {.arena = arena, .status = ret_status};

    if (!p2p_ask(p2p_of(peers), run_status, &q))
        *ret_status = (struct peers_status){.is_active = false};
}

/* --- list --- */

static size_t fill_traffic(struct peer_traffic *ret, const struct wire_counts *counts)
{
    size_t n = 0;

    for (unsigned i = 0; i < MESSAGE_TYPE_N && n < PEER_MESSAGES_MAX; i++) {
        if (counts->bytes[i] > 0)
            ret[n++] = (struct peer_traffic){.type = message_name((enum message_type)i),
                                             .bytes = counts->bytes[i]};
    }
    return n;
}

static void fill_core(const struct peer *peer, struct peer_info *info, struct arena *arena)
{
    static const char *const transports[] = {
        [WIRE_DETECTING] = "detecting", [WIRE_IS_V1] = "v1", [WIRE_IS_V2] = "v2"};
    const char **names = arena_array(arena, PERMISSION_NAMES_MAX, sizeof(*names));
    const uint8_t *session = wire_session_id(peer->wire);

    *info = (struct peer_info){.id = peer->id,
                               .last_send = peer->last_send_ms / 1000,
                               .last_recv = peer->last_recv_ms / 1000,
                               .bytes_sent = peer->bytes_sent,
                               .bytes_recv = peer->bytes_recv,
                               .connected_at = peer->connected_ms / 1000,
                               .is_inbound = peer_is_inbound(peer),
                               .presynced_headers = -1,
                               .synced_headers = -1,
                               .synced_blocks = -1,
                               .permissions = names,
                               .permissions_n = net_permission_names(names, peer->permissions),
                               .connection_type = peer_kind_name(peer->kind),
                               .transport = transports[wire_transport(peer->wire)]};
    (void)snprintf(info->addr, sizeof(info->addr), "%s", peer->name);
    if (net_address_is_valid(&peer->bind))
        (void)net_address_text(info->addr_bind, &peer->bind);
    if (session != NULL)
        hex_write(info->session_id, session, WIRE_SESSION_ID_BYTES);
    info->sent_by_n = fill_traffic(info->sent_by, wire_sent_counts(peer->wire));
    info->recv_by_n = fill_traffic(info->recv_by, wire_received_counts(peer->wire));
}

static void run_list(struct p2p *p2p, void *argument)
{
    struct question *q = argument;

    q->list = arena_array(q->arena, p2p->peers_n, sizeof(*q->list));
    for (const struct peer *peer = p2p->first; peer != NULL; peer = peer->next) {
        struct peer_info *info = &q->list[q->n++];

        fill_core(peer, info, q->arena);
        handshake_fill_info(peer, info, q->arena);
        connect_fill_info(peer, info, q->arena);
        headers_fill_info(peer, info, q->arena);
        blocks_fill_info(peer, info, q->arena);
        serve_fill_info(peer, info, q->arena);
        txs_fill_info(peer, info, q->arena);
        relay_fill_info(peer, info, q->arena);
    }
}

static void peers_list(struct peers *peers, struct peer_info **ret_list, size_t *ret_n,
                       struct arena *arena)
{
    struct question q = {.arena = arena};

    (void)p2p_ask(p2p_of(peers), run_list, &q);
    *ret_list = q.list;
    *ret_n = q.n;
}

/* --- What changes something --- */

static void run_set_active(struct p2p *p2p, void *argument)
{
    const struct question *q = argument;

    connect_set_active(p2p, q->flag);
}

static void peers_set_active(struct peers *peers, bool is_active)
{
    struct question q = {.flag = is_active};

    (void)p2p_ask(p2p_of(peers), run_set_active, &q);
}

static void run_ping_all(struct p2p *p2p, void *argument)
{
    (void)argument;
    handshake_ping_all(p2p);
}

static void peers_ping_all(struct peers *peers)
{
    (void)p2p_ask(p2p_of(peers), run_ping_all, NULL);
}

static void run_add_node(struct p2p *p2p, void *argument)
{
    struct question *q = argument;

    q->answer = connect_add_node(p2p, q->text, q->type, q->flag);
}

static enum peers_answer ask(struct peers *peers, void (*run)(struct p2p *p2p, void *argument),
                             struct question *q)
{
    q->answer = PEERS_OFF;
    return p2p_ask(p2p_of(peers), run, q) ? q->answer : PEERS_OFF;
}

static void run_is_calling(struct p2p *p2p, void *argument)
{
    struct question *q = argument;

    q->flag = connect_is_calling(p2p, q->text);
}

/* Who asks for a connection wants to know afterwards whether it is there: the answer comes
 * when the call has ended, or takes too long. */
static void wait_for_call(struct p2p *p2p, const char *name)
{
    struct question q = {.text = name};

    for (unsigned i = 0; i < CALL_LOOKS_MAX && !p2p->options.is_single_thread; i++) {
        q.flag = false;
        if (!p2p_ask(p2p, run_is_calling, &q) || !q.flag)
            break;
        inbox_pause(p2p, CALL_LOOK_US);
    }
}

static enum peers_answer peers_add_node(struct peers *peers, const char *node, const char *command,
                                        bool use_v2)
{
    struct question q = {.text = node, .type = command, .flag = use_v2};
    enum peers_answer answer = ask(peers, run_add_node, &q);

    if (answer == PEERS_OK && strcmp(command, "onetry") == 0)
        wait_for_call(p2p_of(peers), node);
    return answer;
}

static void run_added(struct p2p *p2p, void *argument)
{
    struct question *q = argument;

    connect_added(p2p, &q->added, &q->n, q->arena);
}

static void peers_added(struct peers *peers, struct peers_added **ret_list, size_t *ret_n,
                        struct arena *arena)
{
    struct question q = {.arena = arena};

    (void)p2p_ask(p2p_of(peers), run_added, &q);
    *ret_list = q.added;
    *ret_n = q.n;
}

static void run_add_connection(struct p2p *p2p, void *argument)
{
    struct question *q = argument;

    q->answer = connect_add_connection(p2p, q->text, q->type, q->flag);
}

static enum peers_answer peers_add_connection(struct peers *peers, const char *address,
                                              const char *type, bool use_v2)
{
    struct question q = {.text = address, .type = type, .flag = use_v2};
    enum peers_answer answer = ask(peers, run_add_connection, &q);

    if (answer == PEERS_OK)
        wait_for_call(p2p_of(peers), address);
    return answer;
}

static void run_disconnect(struct p2p *p2p, void *argument)
{
    struct question *q = argument;

    q->answer = connect_disconnect(p2p, q->text, q->number);
}

static enum peers_answer peers_disconnect(struct peers *peers, const char *address, int64_t id)
{
    struct question q = {.text = address, .number = id};

    return ask(peers, run_disconnect, &q);
}

struct key_question {
    char *ret_text;
    size_t size;
    enum peers_answer answer;
};

static void run_own_key(struct p2p *p2p, void *argument)
{
    struct key_question *q = argument;

    q->answer = connect_own_key(p2p, q->ret_text, q->size);
}

static enum peers_answer peers_own_key(struct peers *peers, char *ret_text, size_t size)
{
    struct key_question q = {.ret_text = ret_text, .size = size};

    return p2p_ask(p2p_of(peers), run_own_key, &q) ? q.answer : PEERS_OFF;
}

static void run_send_raw(struct p2p *p2p, void *argument)
{
    struct question *q = argument;
    struct peer *peer = peer_find(p2p, q->number);

    q->answer = peer == NULL                            ? PEERS_NOT_FOUND
                : q->payload.len > WIRE_NAMED_BYTES_MAX ? PEERS_STATE
                                                        : PEERS_OK;
    if (q->answer == PEERS_OK)
        peer_send_named(peer, q->type, q->payload);
}

static enum peers_answer peers_send_raw(struct peers *peers, int64_t id, const char *type,
                                        struct span payload)
{
    struct question q = {.number = id, .type = type, .payload = payload};

    return ask(peers, run_send_raw, &q);
}

/* --- Blocks and transactions --- */

struct block_question {
    const struct block_hash *hash;
    int64_t id;
    char *ret_why;
    size_t why_size;
    enum peers_answer answer;
};

static void run_get_block(struct p2p *p2p, void *argument)
{
    struct block_question *q = argument;
    const struct header_node *node = header_tree_find(p2p->options.ground.tree, q->hash);
    const char *why;

    q->answer = PEERS_NOT_FOUND;
    if (node == NULL)
        return;
    why = blocks_fetch(p2p, node, q->id);
    (void)snprintf(q->ret_why, q->why_size, "%s", why);
    q->answer = why[0] == '\0' ? PEERS_OK : PEERS_STATE;
}

static enum peers_answer peers_get_block(struct peers *peers, const struct block_hash *hash,
                                         int64_t id, char *ret_why, size_t why_size)
{
    struct block_question q = {.hash = hash, .id = id, .ret_why = ret_why, .why_size = why_size};

    return p2p_ask(p2p_of(peers), run_get_block, &q) ? q.answer : PEERS_OFF;
}

struct private_question {
    struct arena *arena;
    const struct tx_ref *tx;
    const uint8_t *id;
    const struct tx_ref **txs;
    struct peers_private *list;
    struct peers_orphan *orphans;
    size_t n;
    enum peers_answer answer;
};

static void run_announce(struct p2p *p2p, void *own_argument)
{
    struct wtxid *wtxid = own_argument;

    relay_broadcast(p2p, wtxid);
    free(wtxid);
}

static void peers_announce(struct peers *peers, const struct txid *txid, const struct wtxid *wtxid)
{
    struct wtxid *copy = alloc(sizeof(*copy));

    (void)txid;
    *copy = *wtxid;
    p2p_post(p2p_of(peers), run_announce, copy);
}

static bool peers_is_private(struct peers *peers)
{
    return p2p_of(peers)->options.private_broadcast;
}

static void run_broadcast(struct p2p *p2p, void *argument)
{
    struct private_question *q = argument;

    q->answer = relay_broadcast_privately(p2p, q->tx);
}

static enum peers_answer peers_broadcast_privately(struct peers *peers, const struct tx_ref *tx)
{
    struct private_question q = {.tx = tx};

    return p2p_ask(p2p_of(peers), run_broadcast, &q) ? q.answer : PEERS_OFF;
}

static void run_abort(struct p2p *p2p, void *argument)
{
    struct private_question *q = argument;

    q->answer = relay_abort_private(p2p, q->id, &q->txs, &q->n, q->arena);
}

static enum peers_answer peers_abort_private(struct peers *peers, const uint8_t *id,
                                             const struct tx_ref ***ret_txs, size_t *ret_n,
                                             struct arena *arena)
{
    struct private_question q = {.id = id, .arena = arena, .answer = PEERS_OFF};

    (void)p2p_ask(p2p_of(peers), run_abort, &q);
    *ret_txs = q.txs;
    *ret_n = q.n;
    return q.answer;
}

static void run_private_list(struct p2p *p2p, void *argument)
{
    struct private_question *q = argument;

    relay_list_private(p2p, &q->list, &q->n, q->arena);
}

static void peers_private_list(struct peers *peers, struct peers_private **ret_list, size_t *ret_n,
                               struct arena *arena)
{
    struct private_question q = {.arena = arena};

    (void)p2p_ask(p2p_of(peers), run_private_list, &q);
    *ret_list = q.list;
    *ret_n = q.n;
}

static void run_orphans(struct p2p *p2p, void *argument)
{
    struct private_question *q = argument;

    txs_list_orphans(p2p, &q->orphans, &q->n, q->arena);
}

static void peers_orphans(struct peers *peers, struct peers_orphan **ret_list, size_t *ret_n,
                          struct arena *arena)
{
    struct private_question q = {.arena = arena};

    (void)p2p_ask(p2p_of(peers), run_orphans, &q);
    *ret_list = q.orphans;
    *ret_n = q.n;
}

const struct peers_ops p2p_peers_ops = {
    .status = peers_status,
    .list = peers_list,
    .set_active = peers_set_active,
    .ping_all = peers_ping_all,
    .add_node = peers_add_node,
    .added = peers_added,
    .add_connection = peers_add_connection,
    .disconnect = peers_disconnect,
    .own_key = peers_own_key,
    .send_raw = peers_send_raw,
    .get_block = peers_get_block,
    .announce = peers_announce,
    .is_private = peers_is_private,
    .broadcast_privately = peers_broadcast_privately,
    .abort_private = peers_abort_private,
    .private_list = peers_private_list,
    .orphans = peers_orphans,
    .ban = known_ban,
    .unban = known_unban,
    .bans = known_bans,
    .clear_bans = known_clear_bans,
    .addresses = known_addresses,
    .raw_addresses = known_raw_addresses,
    .address_counts = known_address_counts,
    .add_address = known_add_address,
};
