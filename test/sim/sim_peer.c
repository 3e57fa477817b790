#include "sim_peer.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"

struct sim_peer {
    struct sim_net *net;
    struct net_io *io;
    int host;
    const struct params *params;
    uint64_t random;
    struct sim_peer_script script;
    void *context;
    uint64_t services;
    int32_t start_height;
    struct sim_talk *talks[SIM_TALKS_MAX];
    size_t talks_n;
    struct sim_talk *current; /* A script is being asked about it. */
    bool is_current_over;
};

static uint64_t next_random(struct sim_peer *peer)
{
    uint64_t z = peer->random += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static struct sim_talk *find(const struct sim_peer *peer, net_conn conn)
{
    for (size_t i = 0; i < peer->talks_n; i++)
        if (peer->talks[i]->conn == conn)
            return peer->talks[i];
    return NULL;
}

static void end(struct sim_talk *talk)
{
    struct sim_peer *peer = talk->peer;

    for (size_t i = 0; i < peer->talks_n; i++)
        if (peer->talks[i] == talk)
            peer->talks[i] = peer->talks[--peer->talks_n];
    if (peer->script.ended != NULL)
        peer->script.ended(peer->context, talk);
    if (peer->current == talk) {
        peer->is_current_over = true; /* Freed by whoever uses it. */
        return;
    }
    wire_free(talk->wire);
    free(talk);
}

static struct sim_talk *begin(struct sim_peer *peer, net_conn conn, enum wire_kind kind)
{
    struct sim_talk *talk = alloc_zero(sizeof(*talk));
    struct wire_secrets secrets;
    uint8_t seed[32];

    for (size_t i = 0; i < 4; i++)
        put_le64(seed + 8 * i, next_random(peer));
    wire_secrets_from_seed(&secrets, seed);
    talk->peer = peer;
    talk->conn = conn;
    talk->wire = wire_new(kind, peer->params->magic, kind == WIRE_V1 ? NULL : &secrets);
    peer->talks[peer->talks_n++] = talk;
    return talk;
}

static void push_out(struct sim_talk *talk)
{
    struct span span = wire_to_send(talk->wire);

    if (span.len == 0)
        return;
    talk->peer->io->ops->send(talk->peer->io, talk->conn, span);
    wire_sent(talk->wire, span.len);
}

static void send_version(struct sim_talk *talk)
{
    struct sim_peer *peer = talk->peer;
    struct message_version version = {
        .version = PROTOCOL_VERSION,
        .services = peer->services,
        .nonce = next_random(peer),
        .user_agent = span_of_string("/script/"),
        .start_height = peer->start_height,
        .relay = true,
    };

    message_write_version(sim_talk_begin(talk, MESSAGE_VERSION), &version);
    sim_talk_end(talk);
}

/* What every script leaves to us. */
static void answer(struct sim_talk *talk, const struct wire_message *message)
{
    if (message->type == MESSAGE_VERSION) {
        if (wire_received_counts(talk->wire)->messages[MESSAGE_VERSION] == 1 &&
            wire_sent_counts(talk->wire)->messages[MESSAGE_VERSION] == 0)
            send_version(talk);
        sim_talk_send(talk, MESSAGE_WTXIDRELAY, span_of(NULL, 0));
        sim_talk_send(talk, MESSAGE_SENDADDRV2, span_of(NULL, 0));
        sim_talk_send(talk, MESSAGE_VERACK, span_of(NULL, 0));
    } else if (message->type == MESSAGE_PING) {
        sim_talk_send(talk, MESSAGE_PONG, message->payload);
    }
}

static void on_accepted(void *context, net_conn conn, int tag, const struct net_endpoint *peer_at,
                        const struct net_endpoint *local)
{
    struct sim_peer *peer = context;

    (void)tag;
    (void)peer_at;
    (void)local;
    if (peer->talks_n == SIM_TALKS_MAX)
        peer->io->ops->close(peer->io, conn);
    else
        (void)begin(peer, conn, WIRE_V2_RESPONDER);
}

static void on_connected(void *context, net_conn conn, int rc, const struct net_endpoint *local,
                         const struct error *err)
{
    struct sim_peer *peer = context;
    struct sim_talk *talk = find(peer, conn);

    (void)local;
    (void)err;
    if (talk == NULL)
        return;
    if (rc < 0) {
        end(talk);
        return;
    }
    send_version(talk);
    push_out(talk);
}

static void ask_script(struct sim_talk *talk, const struct wire_message *message)
{
    struct sim_peer *peer = talk->peer;

    answer(talk, message);
    if (message->type == MESSAGE_VERACK && !talk->is_ready) {
        talk->is_ready = true;
        if (peer->script.ready != NULL)
            peer->script.ready(peer->context, talk);
    } else if (talk->is_ready) {
        talk->heard_n++;
        if (peer->script.message != NULL)
            peer->script.message(peer->context, talk, message);
    }
}

static void on_received(void *context, net_conn conn, struct span bytes)
{
    struct sim_peer *peer = context;
    struct sim_talk *talk = find(peer, conn);
    enum wire_event event = WIRE_EVENT_NONE;

    if (talk == NULL)
        return;
    peer->current = talk;
    peer->is_current_over = false;
    do {
        struct wire_message message;

        event = wire_receive(talk->wire, &bytes, &message, NULL);
        if (event == WIRE_EVENT_MESSAGE)
            ask_script(talk, &message);
    } while (event != WIRE_EVENT_NONE && event != WIRE_EVENT_FAILED && !peer->is_current_over);
    peer->current = NULL;
    if (peer->is_current_over) {
        wire_free(talk->wire);
        free(talk);
    } else if (event == WIRE_EVENT_FAILED) {
        sim_talk_close(talk);
    } else {
        push_out(talk);
    }
}

static void on_closed(void *context, net_conn conn, const struct error *err)
{
    struct sim_talk *talk = find(context, conn);

    (void)err;
    if (talk != NULL)
        end(talk);
}

static void on_drained(void *context, net_conn conn, size_t queued_bytes)
{
    (void)context;
    (void)conn;
    (void)queued_bytes;
}

static void on_nothing(void *context)
{
    (void)context;
}

struct sim_peer *sim_peer_new(struct sim_net *net, const struct params *params, uint64_t seed,
                              const uint8_t *ip4, const struct sim_peer_script *script,
                              void *context)
{
    struct sim_peer *peer = alloc_zero(sizeof(*peer));
    struct net_handler handler = {.context = peer,
                                  .accepted = on_accepted,
                                  .connected = on_connected,
                                  .received = on_received,
                                  .drained = on_drained,
                                  .closed = on_closed,
                                  .timer = on_nothing,
                                  .woken = on_nothing};

    peer->net = net;
    peer->params = params;
    peer->random = seed;
    peer->script = *script;
    peer->context = context;
    peer->services = NODE_NETWORK | NODE_WITNESS | NODE_P2P_V2;
    peer->host = sim_net_add_host(net, ip4, NULL);
    peer->io = sim_net_io(net, peer->host);
    peer->io->ops->set_handler(peer->io, &handler);
    return peer;
}

void sim_peer_free(struct sim_peer *own_peer)
{
    if (own_peer == NULL)
        return;
    while (own_peer->talks_n > 0)
        sim_talk_close(own_peer->talks[0]);
    sim_net_stop_host(own_peer->net, own_peer->host, false);
    free(own_peer);
}

void sim_peer_claim(struct sim_peer *peer, uint64_t services, int32_t start_height)
{
    peer->services = services;
    peer->start_height = start_height;
}

void sim_peer_listen(struct sim_peer *peer, uint16_t port)
{
    struct net_endpoint any = {.ip = {[10] = 0xff, [11] = 0xff}, .port = port};

    CHECK(peer->io->ops->listen(peer->io, &any, 0, NULL) == 0);
}

bool sim_peer_call(struct sim_peer *peer, const uint8_t *ip4, uint16_t port, bool v2)
{
    struct net_endpoint to = {.ip = {[10] = 0xff, [11] = 0xff}, .port = port};

    if (peer->talks_n == SIM_TALKS_MAX)
        return false;
    memcpy(to.ip + 12, ip4, 4);
    (void)begin(peer, peer->io->ops->connect(peer->io, &to, 5000),
                v2 ? WIRE_V2_INITIATOR : WIRE_V1);
    return true;
}

size_t sim_peer_talks_n(const struct sim_peer *peer)
{
    return peer->talks_n;
}

struct sim_talk *sim_peer_talk(struct sim_peer *peer, size_t i)
{
    CHECK(i < peer->talks_n);
    return peer->talks[i];
}

struct buf *sim_talk_begin(struct sim_talk *talk, enum message_type type)
{
    return wire_begin(talk->wire, type);
}

void sim_talk_end(struct sim_talk *talk)
{
    wire_end(talk->wire);
    push_out(talk);
}

void sim_talk_send(struct sim_talk *talk, enum message_type type, struct span payload)
{
    wire_send(talk->wire, type, payload);
    push_out(talk);
}

void sim_talk_close(struct sim_talk *talk)
{
    talk->peer->io->ops->close(talk->peer->io, talk->conn);
    end(talk);
}
