/* The list of peers; bytes in, through the transport, to the subjects; messages out. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "p2p/capture.h"
#include "p2p/p2p_priv.h"
#include "p2p/peers_priv.h"
#include "p2p/pins.h"

#define IDLE_TIMEOUT_MS (20 * 60 * 1000)
#define INBOX_KEPT_BYTES 65536U /* Of an empty inbox. */

static const char *const kind_names[] = {
    [PEER_INBOUND] = "inbound",
    [PEER_FULL_RELAY] = "outbound-full-relay",
    [PEER_MANUAL] = "manual",
    [PEER_FEELER] = "feeler",
    [PEER_BLOCK_RELAY] = "block-relay-only",
    [PEER_ADDR_FETCH] = "addr-fetch",
    [PEER_PRIVATE_BROADCAST] = "private-broadcast",
};

const char *peer_kind_name(enum peer_kind kind)
{
    return kind_names[kind];
}

struct peer *peer_find(const struct p2p *p2p, int64_t id)
{
    struct peer *peer = p2p->first;

    while (peer != NULL && peer->id != id)
        peer = peer->next;
    return peer == NULL || peer->is_doomed ? NULL : peer;
}

struct peer *peer_of_conn(const struct p2p *p2p, net_conn conn)
{
    struct peer *peer = p2p->first;

    while (peer != NULL && peer->conn != conn)
        peer = peer->next;
    return peer;
}

/* --- Birth and end --- */

/* A private broadcast proves nothing: it would tell who sends it. */
static int pin_of(const struct p2p *p2p, const struct peer_birth *birth)
{
    if (birth->kind == PEER_INBOUND || birth->kind == PEER_PRIVATE_BROADCAST)
        return -1;
    return pins_find(p2p->connect.pins, birth->dest, &birth->address);
}

static struct wire *new_wire(struct p2p *p2p, const struct peer_birth *birth, int pin)
{
    struct wire_secrets secrets;
    struct wire *wire;
    uint8_t seed[32];

    if (!birth->v2 && pin < 0)
        return wire_new(WIRE_V1, p2p->params->magic, NULL);
    random_fill(&p2p->random, seed, sizeof(seed));
    wire_secrets_from_seed(&secrets, seed);
    wire = wire_new(birth->kind == PEER_INBOUND ? WIRE_V2_RESPONDER : WIRE_V2_INITIATOR,
                    p2p->params->magic, &secrets);
    secret_wipe(&secrets, sizeof(secrets));
    secret_wipe(seed, sizeof(seed));
    if (pin >= 0)
        pins_set_one(p2p->connect.pins, wire, pin);
    else if (birth->kind == PEER_INBOUND)
        pins_set_all(p2p->connect.pins, wire);
    return wire;
}

const char *peer_pinned_key(const struct peer *peer)
{
    int i = wire_pinned(peer->wire);

    if (i < 0)
        return NULL;
    return pins_key(peer->p2p->connect.pins, (size_t)(peer->pin >= 0 ? peer->pin : i));
}

static void set_names(struct peer *peer, const char *dest)
{
    char text[NET_ADDRESS_TEXT_SIZE];

    (void)net_address_text(text, &peer->address);
    (void)snprintf(peer->dest, sizeof(peer->dest), "%s", dest == NULL ? "" : dest);
    (void)snprintf(peer->name, sizeof(peer->name), "%s", peer->dest[0] != '\0' ? peer->dest : text);
    (void)snprintf(peer->log_name, sizeof(peer->log_name), "peer=%" PRId64 "%s%s", peer->id,
                   peer->p2p->options.log_ips ? ", peeraddr=" : "",
                   peer->p2p->options.log_ips ? text : "");
}

struct peer *peer_add(struct p2p *p2p, const struct peer_birth *birth)
{
    struct peer *peer = alloc_zero(sizeof(*peer));

    peer->p2p = p2p;
    peer->id = p2p->next_id++;
    peer->conn = birth->conn;
    peer->kind = birth->kind;
    peer->permissions = birth->permissions;
    peer->address = birth->address;
    peer->bind = birth->bind;
    peer->is_inbound_onion = birth->is_inbound_onion;
    peer->is_easily_evicted = birth->is_easily_evicted;
    peer->known_services = birth->known_services;
    peer->is_reading = true;
    peer->connected_ms = p2p_now_ms(p2p);
    peer->connected_us = clock_monotonic_us(p2p->options.clock);
    peer->pin = pin_of(p2p, birth);
    peer->wire = new_wire(p2p, birth, peer->pin);
    set_names(peer, birth->dest);
    if (p2p->last == NULL)
        p2p->first = peer;
    else
        p2p->last->next = peer;
    p2p->last = peer;
    p2p->peers_n++;
    if (p2p->options.log_ips)
        log_debug("net", "Added connection to %s peer=%" PRId64, peer->name, peer->id);
    else
        log_debug("net", "Added connection peer=%" PRId64, peer->id);
    handshake_peer_added(peer);
    connect_peer_added(peer);
    headers_peer_added(peer);
    blocks_peer_added(peer);
    serve_peer_added(peer);
    txs_peer_added(peer);
    relay_peer_added(peer);
    return peer;
}

static void unlink_peer(struct peer *peer)
{
    struct p2p *p2p = peer->p2p;
    struct peer *before = NULL;

    if (p2p->first == peer) {
        p2p->first = peer->next;
    } else {
        for (before = p2p->first; before->next != peer; before = before->next)
            continue;
        before->next = peer->next;
    }
    if (p2p->last == peer)
        p2p->last = before;
    p2p->peers_n--;
}

static void end_peer(struct peer *peer)
{
    struct p2p *p2p = peer->p2p;

    unlink_peer(peer);
    if (peer->pin >= 0 && wire_pinned(peer->wire) < 0 && p2p->is_started)
        log_warning("net", "%s has not proven the key of -peerkey; the connection ends",
                    peer->name);
    if (p2p->is_started && p2p->is_active && wire_wants_v1_retry(peer->wire)) {
        log_debug("net", "retrying with v1 transport protocol for peer=%" PRId64, peer->id);
        connect_retry_v1(peer);
    }
    if (peer->conn != 0) {
        log_debug("net", "Resetting socket for %s", peer->log_name);
        p2p->net->ops->close(p2p->net, peer->conn);
    }
    relay_peer_gone(peer);
    txs_peer_gone(peer);
    serve_peer_gone(peer);
    blocks_peer_gone(peer);
    headers_peer_gone(peer);
    connect_peer_gone(peer);
    handshake_peer_gone(peer);
    log_debug("net", "Cleared nodestate for peer=%" PRId64, peer->id);
    wire_free(peer->wire);
    buf_clear(&peer->inbox);
    free(peer);
}

void peers_end_all(struct p2p *p2p)
{
    while (p2p->first != NULL) {
        log_debug("net", "Stopping node, disconnecting %s", p2p->first->log_name);
        p2p->first->is_doomed = true;
        end_peer(p2p->first);
    }
}

void peer_disconnect(struct peer *peer, const char *why, ...)
{
    char text[512];
    va_list args;

    if (peer->is_doomed)
        return;
    va_start(args, why);
    (void)vsnprintf(text, sizeof(text), why, args);
    va_end(args);
    log_debug("net", "%s, disconnecting %s", text, peer->log_name);
    peer->is_doomed = true;
}

void peer_closed(struct peer *peer, const struct error *err)
{
    peer->conn = 0;
    if (peer->is_doomed)
        return;
    log_debug("net", "%s, disconnecting %s", error_text(err), peer->log_name);
    peer->is_doomed = true;
}

void peer_misbehaved(struct peer *peer, const char *why, ...)
{
    char text[512];
    va_list args;

    va_start(args, why);
    (void)vsnprintf(text, sizeof(text), why, args);
    va_end(args);
    log_debug("net", "Misbehaving: peer=%" PRId64 "%s%s", peer->id, text[0] == '\0' ? "" : ": ",
              text);
    peer->is_misbehaving = true;
}

static void punish(struct peer *peer)
{
    struct p2p *p2p = peer->p2p;

    if (!peer->is_misbehaving || peer->is_doomed)
        return;
    peer->is_misbehaving = false;
    if (peer_has(peer, PERMISSION_NO_BAN)) {
        log_warning("net", "Not punishing noban peer %" PRId64 "!", peer->id);
    } else if (peer->kind == PEER_MANUAL) {
        log_warning("net", "Not punishing manually connected peer %" PRId64 "!", peer->id);
    } else if (net_address_is_local(&peer->address)) {
        /* All who come from here share the address. */
        log_debug("net", "Warning: disconnecting but not discouraging %s peer %" PRId64 "!",
                  peer->is_inbound_onion ? "inbound onion" : "local", peer->id);
        peer->is_doomed = true;
    } else {
        log_debug("net", "Disconnecting and discouraging peer %" PRId64 "!", peer->id);
        connect_discourage(p2p, &peer->address);
    }
}

static void capture(const struct peer *peer, bool is_received, const char *name,
                    struct span payload)
{
    const struct p2p_options *o = &peer->p2p->options;
    struct error err = {0};

    if (o->capture_messages &&
        capture_message(o->disk, o->folder, &peer->address, is_received,
                        p2p_now_ms(peer->p2p) * 1000, name, payload, &err) < 0)
        log_error("net", "could not capture a message: %s", error_text(&err));
}

/* --- Receiving --- */

static void dispatch(struct peer *peer, const struct wire_message *message)
{
    struct arena *arena = &peer->p2p->arena;

    if (handshake_handle(peer, message, arena) || connect_handle(peer, message, arena) ||
        headers_handle(peer, message, arena) || blocks_handle(peer, message, arena) ||
        serve_handle(peer, message, arena) || txs_handle(peer, message, arena) ||
        relay_handle(peer, message, arena))
        return;
    log_debug("net", "Unknown message type \"%s\" from peer=%" PRId64, message->name, peer->id);
}

static void handle(struct peer *peer, const struct wire_message *message)
{
    struct p2p *p2p = peer->p2p;
    bool was_ready = peer->is_ready;

    capture(peer, true, message->name, message->payload);
    log_debug("net", "received: %s (%zu bytes) peer=%" PRId64, message->name, message->payload.len,
              peer->id);
    dispatch(peer, message);
    arena_reset(&p2p->arena);
    if (peer->is_ready && !was_ready && !peer->is_doomed) {
        connect_peer_ready(peer);
        headers_peer_ready(peer);
        blocks_peer_ready(peer);
        serve_peer_ready(peer);
        txs_peer_ready(peer);
        relay_peer_ready(peer);
    }
    punish(peer);
}

void peer_garbled(struct peer *peer, const struct wire_message *message, const struct error *err)
{
    log_debug("net", "ProcessMessages(%s, %zu bytes): Exception '%s' caught, peer=%" PRId64,
              message->name, message->payload.len, error_text(err), peer->id);
}

static bool may_handle(const struct peer *peer)
{
    return peer->waits == 0 && !peer->is_doomed && !peer->is_sending_paused;
}

/* Blocks of its are being judged: only further ones may come before the answers. */
static bool must_hold(const struct peer *peer, const struct wire_message *message)
{
    struct sink *sink = peer->p2p->options.sink;

    return peer->blocks_judged > 0 &&
           (message->type != MESSAGE_BLOCK || peer->blocks_judged >= BLOCKS_PER_PEER_MAX ||
            !sink->ops->has_room(sink));
}

/* True: it was handled. Else it stays in the wire until the answers are there. */
static bool handle_or_hold(struct peer *peer, const struct wire_message *message)
{
    struct wire_message mine = *message;

    peer->has_held = must_hold(peer, message);
    if (peer->has_held)
        peer->held = mine;
    else
        handle(peer, &mine);
    return !peer->has_held;
}

/* Takes what it can off the front of bytes. Returns whether a message was handled. */
static bool feed(struct peer *peer, struct span *bytes)
{
    bool was_any = false;

    if (peer->has_held && may_handle(peer))
        was_any = handle_or_hold(peer, &peer->held);
    while (bytes->len > 0 && may_handle(peer) && !peer->has_held) {
        struct wire_message message;
        struct error err = {0};

        switch (wire_receive(peer->wire, bytes, &message, &err)) {
        case WIRE_EVENT_NONE:
            break;
        case WIRE_EVENT_MESSAGE:
            was_any = handle_or_hold(peer, &message) || was_any;
            break;
        case WIRE_EVENT_REJECTED:
            log_debug("net", "%s, peer=%" PRId64, error_text(&err), peer->id);
            break;
        case WIRE_EVENT_FAILED:
            log_debug("net", "%s, peer=%" PRId64, error_text(&err), peer->id);
            peer_disconnect(peer, "receiving message bytes failed");
            break;
        }
    }
    return was_any;
}

static void pace_reading(struct peer *peer)
{
    struct p2p *p2p = peer->p2p;
    bool wants = peer->inbox.len - peer->inbox_at <= p2p->options.max_receive_bytes;

    if (wants == peer->is_reading || peer->conn == 0)
        return;
    peer->is_reading = wants;
    p2p->net->ops->set_reading(p2p->net, peer->conn, wants);
}

static void keep(struct peer *peer, struct span bytes)
{
    if (peer->inbox_at == peer->inbox.len) {
        peer->inbox.len = 0;
        peer->inbox_at = 0;
    } else if (peer->inbox_at > peer->inbox.len / 2) {
        peer->inbox.len -= peer->inbox_at;
        memmove(peer->inbox.data, peer->inbox.data + peer->inbox_at, peer->inbox.len);
        peer->inbox_at = 0;
    }
    if (bytes.len > 0)
        buf_add(&peer->inbox, bytes.data, bytes.len);
    else if (peer->inbox.len == 0 && peer->inbox.capacity > INBOX_KEPT_BYTES)
        buf_clear(&peer->inbox);
}

static void let_send(struct peer *peer)
{
    int64_t now_ms = p2p_now_ms(peer->p2p);

    if (!peer->is_ready || peer->is_doomed)
        return;
    if (peer->kind == PEER_PRIVATE_BROADCAST) {
        relay_send(peer, now_ms);
        return;
    }
    handshake_send(peer, now_ms);
    connect_send(peer, now_ms);
    headers_send(peer, now_ms);
    blocks_send(peer, now_ms);
    serve_send(peer, now_ms);
    txs_send(peer, now_ms);
    relay_send(peer, now_ms);
    punish(peer);
}

/* What has waited in its inbox. Returns whether a message was handled. */
static bool go_on(struct peer *peer)
{
    size_t had = peer->inbox.len - peer->inbox_at;
    struct span bytes;
    bool was_any;

    if ((had == 0 && !peer->has_held) || !may_handle(peer))
        return false;
    bytes = span_of(had == 0 ? NULL : peer->inbox.data + peer->inbox_at, had);
    was_any = feed(peer, &bytes);
    peer->inbox_at += had - bytes.len;
    keep(peer, span_of(NULL, 0));
    pace_reading(peer);
    return was_any;
}

void peer_received(struct peer *peer, struct span bytes)
{
    if (peer->is_doomed)
        return;
    peer->last_recv_ms = p2p_now_ms(peer->p2p);
    peer->bytes_recv += bytes.len;
    peer->p2p->bytes_recv += bytes.len;
    if (peer->inbox_at < peer->inbox.len) {
        keep(peer, bytes);
        pace_reading(peer);
        if (go_on(peer))
            let_send(peer);
        return;
    }
    if (feed(peer, &bytes))
        let_send(peer);
    if (peer->is_doomed || bytes.len == 0)
        return;
    keep(peer, bytes);
    pace_reading(peer);
}

void peer_wait(struct peer *peer)
{
    peer->waits++;
}

void peer_answered(struct peer *peer)
{
    CHECK(peer->waits > 0);
    peer->waits--;
}

void peer_wait_block(struct peer *peer)
{
    peer->blocks_judged++;
}

void peer_block_answered(struct peer *peer)
{
    CHECK(peer->blocks_judged > 0);
    peer->blocks_judged--;
}

/* --- Sending --- */

/* Of a private broadcast nothing else may leave: it would tell who we are. */
static bool may_send(const struct peer *peer, enum message_type type)
{
    return peer->kind != PEER_PRIVATE_BROADCAST || type == MESSAGE_VERSION ||
           type == MESSAGE_VERACK || type == MESSAGE_INV || type == MESSAGE_TX ||
           type == MESSAGE_PING;
}

struct buf *peer_begin(struct peer *peer, enum message_type type)
{
    struct buf *buf;

    CHECK(peer->sending == MESSAGE_OTHER);
    peer->sending = type;
    if (!may_send(peer, type)) {
        peer->p2p->scratch.len = 0;
        buf = &peer->p2p->scratch;
    } else {
        buf = wire_begin(peer->wire, type);
    }
    peer->sending_buf = buf;
    peer->sending_from = buf->len;
    return buf;
}

static void was_written(struct peer *peer)
{
    struct p2p *p2p = peer->p2p;

    if (wire_unsent_bytes(peer->wire) +
            (peer->conn == 0 ? 0 : p2p->net->ops->queued(p2p->net, peer->conn)) >
        p2p->options.max_send_bytes)
        peer->is_sending_paused = true;
}

void peer_end(struct peer *peer)
{
    struct buf *buf = peer->sending_buf;
    const char *name = message_name(peer->sending);
    struct span payload = span_of(buf->data + peer->sending_from, buf->len - peer->sending_from);
    bool is_kept = buf != &peer->p2p->scratch;

    peer->sending = MESSAGE_OTHER;
    peer->sending_buf = NULL;
    if (!is_kept) {
        log_debug("privatebroadcast", "Omitting send of message '%s', %s", name, peer->log_name);
        return;
    }
    log_debug("net", "sending %s (%zu bytes) peer=%" PRId64, name, payload.len, peer->id);
    capture(peer, false, name, payload);
    wire_end(peer->wire);
    was_written(peer);
}

void peer_send_empty(struct peer *peer, enum message_type type)
{
    (void)peer_begin(peer, type);
    peer_end(peer);
}

void peer_send_named(struct peer *peer, const char *name, struct span payload)
{
    log_debug("net", "sending %s (%zu bytes) peer=%" PRId64, name, payload.len, peer->id);
    capture(peer, false, name, payload);
    wire_send_named(peer->wire, name, payload);
    was_written(peer);
}

static void push(struct peer *peer)
{
    struct p2p *p2p = peer->p2p;
    struct span bytes = wire_to_send(peer->wire);

    if (bytes.len == 0 || peer->conn == 0)
        return;
    if (peer->bytes_sent == 0 && wire_transport(peer->wire) != WIRE_IS_V1)
        log_debug("net", "start sending v2 handshake to peer=%" PRId64, peer->id);
    p2p->net->ops->send(p2p->net, peer->conn, bytes);
    peer->last_send_ms = p2p_now_ms(p2p);
    peer->bytes_sent += bytes.len;
    p2p->bytes_sent += bytes.len;
    serve_sent(p2p, bytes.len);
    wire_sent(peer->wire, bytes.len);
    if (p2p->net->ops->queued(p2p->net, peer->conn) <= p2p->options.max_send_bytes)
        peer->is_sending_paused = false;
}

/* Where the network took everything at once nobody tells us later: what was held back
 * goes on now. */
static void flush(struct peer *peer)
{
    bool was_paused;

    do {
        was_paused = peer->is_sending_paused;
        push(peer);
        if (was_paused && !peer->is_sending_paused) {
            (void)go_on(peer);
            let_send(peer);
        }
    } while (was_paused && !peer->is_doomed && wire_to_send(peer->wire).len > 0);
}

void peer_drained(struct peer *peer)
{
    struct p2p *p2p = peer->p2p;

    if (wire_unsent_bytes(peer->wire) + p2p->net->ops->queued(p2p->net, peer->conn) >
        p2p->options.max_send_bytes)
        return;
    peer->is_sending_paused = false;
    (void)go_on(peer);
    let_send(peer);
}

/* --- Rounds --- */

void peers_round(struct p2p *p2p)
{
    for (struct peer *peer = p2p->first; peer != NULL; peer = peer->next) {
        (void)go_on(peer);
        let_send(peer);
    }
}

/* Idle, or silent from the start: see -peertimeout. */
static void check_idle(struct peer *peer, int64_t now_ms)
{
    int64_t patience_s = peer->p2p->options.peer_timeout_s;

    if (peer->is_doomed || now_ms / 1000 <= peer->connected_ms / 1000 + patience_s)
        return;
    if (peer->last_recv_ms == 0 || peer->last_send_ms == 0)
        peer_disconnect(peer, "socket no message in first %" PRId64 " seconds%s%s", patience_s,
                        peer->last_recv_ms == 0 ? ", never received from peer" : "",
                        peer->last_send_ms == 0 ? ", never sent to peer" : "");
    else if (now_ms > peer->last_send_ms + IDLE_TIMEOUT_MS)
        peer_disconnect(peer, "socket sending timeout: %" PRId64 "s",
                        (now_ms - peer->last_send_ms) / 1000);
    else if (now_ms > peer->last_recv_ms + IDLE_TIMEOUT_MS)
        peer_disconnect(peer, "socket receive timeout: %" PRId64 "s",
                        (now_ms - peer->last_recv_ms) / 1000);
    else if (!peer->is_ready)
        peer_disconnect(peer, wire_transport(peer->wire) == WIRE_DETECTING
                                  ? "V2 handshake timeout"
                                  : "version handshake timeout");
}

void peers_tick(struct p2p *p2p)
{
    int64_t now_ms = p2p_now_ms(p2p);

    for (struct peer *peer = p2p->first; peer != NULL; peer = peer->next)
        check_idle(peer, now_ms);
    handshake_tick(p2p, now_ms);
    connect_tick(p2p, now_ms);
    headers_tick(p2p, now_ms);
    blocks_tick(p2p, now_ms);
    serve_tick(p2p, now_ms);
    txs_tick(p2p, now_ms);
    relay_tick(p2p, now_ms);
    peers_round(p2p);
}

/* Ends come before sending: who is doomed is sent nothing more. */
void peers_settle(struct p2p *p2p)
{
    struct peer *peer = p2p->first;

    while (peer != NULL) {
        struct peer *next = peer->next;

        if (peer->is_doomed)
            end_peer(peer);
        peer = next;
    }
    for (peer = p2p->first; peer != NULL; peer = peer->next)
        flush(peer);
}
