/* From version to verack: who the peer is, what both sides understand. */
#include "p2p/handshake_priv.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/log.h"
#include "p2p/p2p_priv.h"

#define LIMITED_DEPTH_BLOCKS 144 /* So near the tip a peer with the last 288 blocks will do. */
#define RECONCILIATION_VERSION 1
#define OFFSETS_LEAST 5
#define OFFSET_WARN_S (10 * 60)
/* What private broadcasts say they are: nothing of this node may show. */
#define PRIVATE_USER_AGENT "/pynode:0.0.1/"

void handshake_init(struct p2p *p2p)
{
    p2p->handshake = (struct p2p_handshake){.offsets_n = 0};
}

void handshake_clear(struct p2p *p2p)
{
    (void)p2p;
}

/* --- What we offer, what we want --- */

uint64_t p2p_local_services(const struct p2p *p2p)
{
    const struct p2p_options *o = &p2p->options;
    struct node_status status = {.pruned = o->prune};

    if (o->node != NULL)
        o->node->ops->status(o->node, &status);
    /* Behind a snapshot not all blocks are here yet. */
    return NODE_NETWORK_LIMITED | NODE_WITNESS |
           (o->prune || status.has_background ? 0 : NODE_NETWORK) |
           (o->peer_bloom_filters ? NODE_BLOOM : 0) |
           (o->peer_block_filters ? NODE_COMPACT_FILTERS : 0) | (o->v2_transport ? NODE_P2P_V2 : 0);
}

static const struct header_node *tip_of(const struct p2p *p2p)
{
    return p2p->options.ground.tip(p2p->options.ground.context);
}

uint64_t handshake_desirable_services(const struct p2p *p2p, uint64_t offered)
{
    const struct header_node *tip = tip_of(p2p);
    int64_t tip_s = tip == NULL ? 0 : (int64_t)tip->time;
    int64_t depth = (p2p_now_s(p2p) - tip_s) / p2p->params->pow_target_spacing_s;

    if ((offered & NODE_NETWORK_LIMITED) != 0 && depth < LIMITED_DEPTH_BLOCKS)
        return NODE_NETWORK_LIMITED | NODE_WITNESS;
    return NODE_NETWORK | NODE_WITNESS;
}

bool peer_may_not_send_txs(const struct peer *peer)
{
    if (peer->kind == PEER_BLOCK_RELAY || peer->kind == PEER_FEELER)
        return true;
    return peer->p2p->options.blocks_only && !peer_has(peer, PERMISSION_RELAY);
}

uint64_t peer_services(const struct peer *peer)
{
    return peer->handshake.services;
}

uint64_t peer_our_services(const struct peer *peer)
{
    return peer->handshake.our_services;
}

int32_t peer_common_version(const struct peer *peer)
{
    return peer->handshake.common_version;
}

int32_t peer_start_height(const struct peer *peer)
{
    return peer->handshake.start_height;
}

bool peer_has_wtxid_relay(const struct peer *peer)
{
    return peer->handshake.wtxid_relay;
}

bool peer_wants_addrv2(const struct peer *peer)
{
    return peer->handshake.wants_addrv2;
}

bool peer_asks_txs(const struct peer *peer)
{
    return peer->handshake.asks_txs;
}

bool peer_has_tx_relay(const struct peer *peer)
{
    return peer->handshake.has_tx_relay;
}

/* --- Our version message --- */

static int32_t advertised_version(const struct peer *peer)
{
    return peer->kind == PEER_PRIVATE_BROADCAST ? PROTOCOL_VERSION_WTXIDRELAY : PROTOCOL_VERSION;
}

static void say_version(const struct peer *peer, const struct message_version *version)
{
    char them[NET_ADDRESS_TEXT_SIZE];

    log_debug("net",
              "send version message: version=%" PRId32 ", blocks=%" PRId32
              "%s%s, txrelay=%d, peer=%" PRId64,
              version->version, version->start_height, peer->p2p->options.log_ips ? ", them=" : "",
              peer->p2p->options.log_ips ? net_address_text(them, &version->to) : "",
              version->relay, peer->id);
}

void handshake_send_version(struct peer *peer)
{
    struct p2p *p2p = peer->p2p;
    const struct header_node *tip = tip_of(p2p);
    struct message_version version = {.version = advertised_version(peer),
                                      .nonce = peer->handshake.nonce};

    if (peer->kind == PEER_PRIVATE_BROADCAST) {
        version.user_agent = span_of_string(PRIVATE_USER_AGENT);
    } else {
        version.services = peer->handshake.our_services;
        version.from_services = version.services;
        version.time_s = p2p_now_s(p2p);
        version.to_services = peer->known_services;
        if (net_address_is_routable(&peer->address) && net_address_fits_v1(&peer->address))
            version.to = peer->address;
        version.user_agent = span_of_string(p2p->options.user_agent);
        version.start_height = tip == NULL ? -1 : tip->height;
        version.relay = !peer_may_not_send_txs(peer);
    }
    message_write_version(peer_begin(peer, MESSAGE_VERSION), &version);
    peer_end(peer);
    peer->handshake.is_version_sent = true;
    say_version(peer, &version);
}

void handshake_peer_added(struct peer *peer)
{
    struct peer_handshake *h = &peer->handshake;

    h->nonce = random_u64(&peer->p2p->random);
    h->our_services =
        p2p_local_services(peer->p2p) | (peer_has(peer, PERMISSION_BLOOM) ? NODE_BLOOM : 0);
    h->start_height = -1;
    h->ping_us = -1;
    h->ping_min_us = -1;
    if (!peer_is_inbound(peer))
        handshake_send_version(peer);
}

void handshake_peer_ready(struct peer *peer)
{
    (void)peer;
}

void handshake_peer_gone(struct peer *peer)
{
    if (peer->handshake.reconciliation != RECONCILIATION_NONE)
        log_debug("txreconciliation", "Forget txreconciliation state of peer=%" PRId64, peer->id);
}

/* --- Clocks of others: they never move ours --- */

static int compare_offsets(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

int64_t handshake_time_offset_s(const struct p2p *p2p)
{
    const struct p2p_handshake *h = &p2p->handshake;
    int64_t sorted[HANDSHAKE_OFFSETS_MAX];

    if (h->offsets_n < OFFSETS_LEAST)
        return 0;
    memcpy(sorted, h->offsets_s, h->offsets_n * sizeof(sorted[0]));
    qsort(sorted, h->offsets_n, sizeof(sorted[0]), compare_offsets);
    return sorted[h->offsets_n / 2];
}

static void add_offset(struct p2p *p2p, int64_t offset_s)
{
    struct p2p_handshake *h = &p2p->handshake;
    int64_t median_s;

    h->offsets_s[h->offsets_at] = offset_s;
    h->offsets_at = (h->offsets_at + 1) % HANDSHAKE_OFFSETS_MAX;
    h->offsets_n = MIN(h->offsets_n + 1, (size_t)HANDSHAKE_OFFSETS_MAX);
    log_debug("net", "Added time offset %+" PRId64 "s, total samples %zu", offset_s, h->offsets_n);
    median_s = handshake_time_offset_s(p2p);
    h->is_out_of_sync = median_s > OFFSET_WARN_S || median_s < -OFFSET_WARN_S;
    if (h->is_out_of_sync)
        log_warning("net", "%s", HANDSHAKE_CLOCK_WARNING);
}

/* --- Its version message --- */

static bool is_self(const struct p2p *p2p, uint64_t nonce)
{
    for (const struct peer *peer = p2p->first; peer != NULL; peer = peer->next) {
        /* Not for private broadcasts: hanging up would tell that both ends are ours. */
        if (!peer->is_ready && !peer_is_inbound(peer) && peer->kind != PEER_PRIVATE_BROADCAST &&
            peer->handshake.nonce == nonce)
            return true;
    }
    return false;
}

static bool expects_services(const struct peer *peer)
{
    return peer->kind != PEER_INBOUND && peer->kind != PEER_MANUAL && peer->kind != PEER_FEELER;
}

/* False: the peer is not for us. */
static bool judge_version(struct peer *peer, const struct message_version *version)
{
    uint64_t wanted = handshake_desirable_services(peer->p2p, version->services);
    char text[NET_ADDRESS_TEXT_SIZE];

    if (expects_services(peer) && (version->services & wanted) != wanted) {
        peer_disconnect(peer,
                        "peer does not offer the expected services (%08" PRIx64
                        " offered, %08" PRIx64 " expected)",
                        version->services, wanted);
        return false;
    }
    if (version->version < PROTOCOL_VERSION_MIN_PEER) {
        peer_disconnect(peer, "peer using obsolete version %" PRId32, version->version);
        return false;
    }
    if (peer_is_inbound(peer) && is_self(peer->p2p, version->nonce)) {
        log_info("net", "connected to self at %s, disconnecting",
                 net_address_text(text, &peer->address));
        peer->is_doomed = true;
        return false;
    }
    return true;
}

/* Strangers' text is shown to people: only harmless characters stay. */
static void copy_user_agent(char *ret_text, struct span raw)
{
    size_t n = 0;

    for (size_t i = 0; i < raw.len && n < USER_AGENT_BYTES_MAX; i++) {
        char c = (char)raw.data[i];

        if (c != '\0' && (isalnum((unsigned char)c) || strchr(" .,;-_/:?@()", c) != NULL))
            ret_text[n++] = c;
    }
    ret_text[n] = '\0';
}

static void keep_version(struct peer *peer, const struct message_version *version)
{
    struct peer_handshake *h = &peer->handshake;
    char us[NET_ADDRESS_TEXT_SIZE];
    uint32_t asn = connect_asn(peer->p2p, &peer->address);
    char mapped[32] = "";

    h->version = version->version;
    h->common_version = MIN(version->version, advertised_version(peer));
    h->services = version->services;
    h->sees_us = version->to;
    h->start_height = version->start_height;
    h->asks_txs = version->relay;
    h->has_tx_relay = peer->kind != PEER_BLOCK_RELAY && peer->kind != PEER_FEELER &&
                      (version->relay || (h->our_services & NODE_BLOOM) != 0);
    copy_user_agent(h->user_agent, version->user_agent);
    if (asn != 0)
        (void)snprintf(mapped, sizeof(mapped), ", mapped_as=%" PRIu32, asn);
    log_debug("net",
              "receive version message: %s: version %" PRId32 ", blocks=%" PRId32
              ", us=%s, txrelay=%d, %s%s",
              h->user_agent[0] == '\0' ? "<no user agent>" : h->user_agent, h->version,
              h->start_height, net_address_text(us, &h->sees_us), version->relay, peer->log_name,
              mapped);
}

/* BIP 330: offered to those whom transactions may go to. */
static void offer_reconciliation(struct peer *peer)
{
    struct peer_handshake *h = &peer->handshake;
    const struct p2p_options *o = &peer->p2p->options;
    struct message_sendtxrcncl offer = {.version = RECONCILIATION_VERSION};

    if (!o->tx_reconciliation || !h->has_tx_relay || !h->asks_txs ||
        peer->kind == PEER_ADDR_FETCH || o->blocks_only)
        return;
    log_debug("txreconciliation", "Pre-register peer=%" PRId64, peer->id);
    h->our_salt = random_u64(&peer->p2p->random);
    h->reconciliation = RECONCILIATION_OFFERED;
    offer.salt = h->our_salt;
    message_write_sendtxrcncl(peer_begin(peer, MESSAGE_SENDTXRCNCL), &offer);
    peer_end(peer);
}

static void answer_version(struct peer *peer, const struct message_version *version)
{
    struct peer_handshake *h = &peer->handshake;

    if (h->common_version >= PROTOCOL_VERSION_WTXIDRELAY) {
        peer_send_empty(peer, MESSAGE_WTXIDRELAY);
        peer_send_empty(peer, MESSAGE_SENDADDRV2);
        offer_reconciliation(peer);
    }
    if (peer_is_inbound(peer) && version->relay && h->has_tx_relay &&
        !connect_make_room_for_relay(peer, "version"))
        return;
    peer_send_empty(peer, MESSAGE_VERACK);
    connect_heard_version(peer);
    h->time_offset_s = MAX(version->time_s, INT64_C(0)) - p2p_now_s(peer->p2p);
    if (!peer_is_inbound(peer))
        add_offset(peer->p2p, h->time_offset_s);
    if (peer->kind == PEER_FEELER)
        peer_disconnect(peer, "feeler connection completed");
}

static void take_version(struct peer *peer, const struct wire_message *message)
{
    struct message_version version;
    struct error err = {0};

    if (peer->handshake.version != 0) {
        log_debug("net", "redundant version message from peer=%" PRId64, peer->id);
        return;
    }
    if (message_read_version(&version, message->payload, &err) < 0) {
        peer_garbled(peer, message, &err);
        return;
    }
    if (!judge_version(peer, &version))
        return;
    if (peer_is_inbound(peer))
        handshake_send_version(peer);
    keep_version(peer, &version);
    if (peer->kind != PEER_PRIVATE_BROADCAST) {
        answer_version(peer, &version);
    } else if (version.relay) {
        peer_send_empty(peer, MESSAGE_VERACK);
    } else {
        log_debug("privatebroadcast",
                  "Disconnecting: does not support transaction relay (connected in vain), %s",
                  peer->log_name);
        peer->is_doomed = true;
    }
}

/* --- Between version and verack --- */

static void take_verack(struct peer *peer)
{
    struct peer_handshake *h = &peer->handshake;
    static const char *const transports[] = {
        [WIRE_DETECTING] = "detecting", [WIRE_IS_V1] = "v1", [WIRE_IS_V2] = "v2"};
    uint32_t asn = connect_asn(peer->p2p, &peer->address);
    char mapped[32] = "";

    if (peer->is_ready) {
        log_debug("net", "ignoring redundant verack message from peer=%" PRId64, peer->id);
        return;
    }
    if (asn != 0)
        (void)snprintf(mapped, sizeof(mapped), ", mapped_as=%" PRIu32, asn);
    /* Strangers could fill the log with inbound ones. */
    LOG_AT(peer_is_inbound(peer) ? LOG_DEBUG : LOG_INFO, "net",
           "New %s peer connected: transport: %s, version: %" PRId32 ", %s%s",
           peer_kind_name(peer->kind), transports[wire_transport(peer->wire)], h->version,
           peer->log_name, mapped);
    if (h->reconciliation != RECONCILIATION_NONE &&
        (!h->wtxid_relay || h->reconciliation != RECONCILIATION_AGREED)) {
        log_debug("txreconciliation", "Forget txreconciliation state of peer=%" PRId64, peer->id);
        h->reconciliation = RECONCILIATION_NONE;
    }
    peer->is_ready = true;
}

static void take_wtxidrelay(struct peer *peer)
{
    struct peer_handshake *h = &peer->handshake;

    if (peer->is_ready)
        peer_disconnect(peer, "wtxidrelay received after verack");
    else if (h->common_version < PROTOCOL_VERSION_WTXIDRELAY)
        log_debug("net",
                  "ignoring wtxidrelay due to old common version=%" PRId32 " from peer=%" PRId64,
                  h->common_version, peer->id);
    else if (h->wtxid_relay)
        log_debug("net", "ignoring duplicate wtxidrelay from peer=%" PRId64, peer->id);
    else
        h->wtxid_relay = true;
}

static void take_sendaddrv2(struct peer *peer)
{
    if (peer->is_ready)
        peer_disconnect(peer, "sendaddrv2 received after verack");
    else
        peer->handshake.wants_addrv2 = true;
}

/* BIP 434. No feature is known to us yet. */
static void take_feature(struct peer *peer, const struct wire_message *message)
{
    struct message_feature feature;
    char id[USER_AGENT_BYTES_MAX + 1];

    if (peer->is_ready) {
        peer_disconnect(peer, "feature received after verack");
    } else if (peer->handshake.common_version < PROTOCOL_VERSION_FEATURE) {
        peer_disconnect(peer, "feature received with incompatible version %" PRId32,
                        peer->handshake.common_version);
    } else if (message_read_feature(&feature, message->payload, NULL) < 0) {
        peer_disconnect(peer, "invalid feature payload");
    } else {
        copy_user_agent(id, feature.id);
        log_debug("net", "unknown feature advertised: %s", id);
    }
}

static void register_reconciliation(struct peer *peer, const struct message_sendtxrcncl *offer)
{
    struct peer_handshake *h = &peer->handshake;

    if (h->reconciliation == RECONCILIATION_NONE) {
        log_debug("net", "Ignore unexpected txreconciliation signal from peer=%" PRId64, peer->id);
    } else if (h->reconciliation == RECONCILIATION_AGREED) {
        peer_disconnect(peer, "txreconciliation protocol violation (sendtxrcncl received from "
                              "already registered peer)");
    } else if (offer->version < RECONCILIATION_VERSION) {
        peer_disconnect(peer, "txreconciliation protocol violation");
    } else {
        log_debug("txreconciliation", "Register peer=%" PRId64 " (inbound=%d)", peer->id,
                  peer_is_inbound(peer));
        h->its_salt = offer->salt;
        h->reconciliation = RECONCILIATION_AGREED;
    }
}

static void take_sendtxrcncl(struct peer *peer, const struct wire_message *message)
{
    struct message_sendtxrcncl offer;
    struct error err = {0};

    if (!peer->p2p->options.tx_reconciliation)
        log_debug("net",
                  "sendtxrcncl from peer=%" PRId64
                  " ignored, as our node does not have txreconciliation enabled",
                  peer->id);
    else if (peer->is_ready)
        peer_disconnect(peer, "sendtxrcncl received after verack");
    else if (peer_may_not_send_txs(peer))
        peer_disconnect(peer, "sendtxrcncl received to which we indicated no tx relay");
    else if (!peer->handshake.has_tx_relay || !peer->handshake.asks_txs)
        peer_disconnect(peer, "sendtxrcncl received which indicated no tx relay to us");
    else if (message_read_sendtxrcncl(&offer, message->payload, &err) < 0)
        peer_garbled(peer, message, &err);
    else
        register_reconciliation(peer, &offer);
}

/* False: no message of the handshake. */
static bool take_of_handshake(struct peer *peer, const struct wire_message *message)
{
    switch (message->type) {
    case MESSAGE_VERACK:
        take_verack(peer);
        return true;
    case MESSAGE_WTXIDRELAY:
        take_wtxidrelay(peer);
        return true;
    case MESSAGE_SENDADDRV2:
        take_sendaddrv2(peer);
        return true;
    case MESSAGE_FEATURE:
        take_feature(peer, message);
        return true;
    case MESSAGE_SENDTXRCNCL:
        take_sendtxrcncl(peer, message);
        return true;
    default:
        return false;
    }
}

bool handshake_handle(struct peer *peer, const struct wire_message *message, struct arena *arena)
{
    (void)arena;
    if (message->type == MESSAGE_VERSION) {
        take_version(peer, message);
        return true;
    }
    if (peer->handshake.version == 0) {
        log_debug("net",
                  "non-version message before version handshake. Message \"%s\" from peer=%" PRId64,
                  message->name, peer->id);
        return true;
    }
    /* These two may come at any time. */
    if (message->type == MESSAGE_SENDHEADERS || message->type == MESSAGE_SENDCMPCT)
        return false;
    if (take_of_handshake(peer, message))
        return true;
    if (!peer->is_ready) {
        log_debug("net", "Unsupported message \"%s\" prior to verack from peer=%" PRId64,
                  message->name, peer->id);
        return true;
    }
    if (peer->kind == PEER_PRIVATE_BROADCAST && message->type != MESSAGE_PONG &&
        message->type != MESSAGE_GETDATA) {
        log_debug("privatebroadcast", "Ignoring incoming message '%s', %s", message->name,
                  peer->log_name);
        return true;
    }
    return handshake_take_ping(peer, message);
}

void handshake_tick(struct p2p *p2p, int64_t now_ms)
{
    (void)p2p;
    (void)now_ms;
}

void handshake_fill_info(const struct peer *peer, struct peer_info *info, struct arena *arena)
{
    const struct peer_handshake *h = &peer->handshake;
    int64_t wait_ms = p2p_now_ms(peer->p2p) - h->ping_start_ms;

    (void)arena;
    info->services = h->services;
    info->version = (uint32_t)h->version;
    (void)snprintf(info->sub_version, sizeof(info->sub_version), "%s", h->user_agent);
    if (net_address_is_valid(&h->sees_us))
        (void)net_address_text(info->addr_local, &h->sees_us);
    info->time_offset_s = h->time_offset_s;
    info->starting_height = h->start_height;
    info->relays_txs = h->asks_txs && h->has_tx_relay;
    info->ping_us = h->ping_us;
    info->ping_min_us = h->ping_min_us;
    info->ping_wait_us = h->ping_nonce != 0 && h->ping_start_ms != 0 ? wait_ms * 1000 : -1;
}
