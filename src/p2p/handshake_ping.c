/* Ping and pong: is the peer there, and how far away? */
#include <inttypes.h>

#include "base/check.h"
#include "base/log.h"
#include "p2p/p2p_priv.h"

#define PING_INTERVAL_MS (2 * 60 * 1000)
#define PING_TIMEOUT_MS (20 * 60 * 1000)
/* Further apart, the node's clock was set meanwhile, and counts (setmocktime). */
#define CLOCKS_APART_US 5000

void handshake_ping(struct peer *peer)
{
    struct peer_handshake *h = &peer->handshake;
    uint64_t nonce = random_u64(&peer->p2p->random) | 1;

    h->ping_wanted = false;
    h->ping_start_ms = p2p_now_ms(peer->p2p);
    h->ping_start_us = clock_monotonic_us(peer->p2p->options.clock);
    if (h->common_version > PROTOCOL_VERSION_PONG - 1) {
        h->ping_nonce = nonce;
        message_write_nonce(peer_begin(peer, MESSAGE_PING), nonce);
        peer_end(peer);
    } else {
        /* It never answers. */
        h->ping_nonce = 0;
        peer_send_empty(peer, MESSAGE_PING);
    }
}

void handshake_ping_all(struct p2p *p2p)
{
    for (struct peer *peer = p2p->first; peer != NULL; peer = peer->next)
        peer->handshake.ping_wanted = true;
}

void handshake_send(struct peer *peer, int64_t now_ms)
{
    struct peer_handshake *h = &peer->handshake;
    int64_t patience_ms = peer->p2p->options.peer_timeout_s * 1000;

    if (h->ping_nonce != 0 && now_ms > h->ping_start_ms + PING_TIMEOUT_MS &&
        now_ms - patience_ms > peer->connected_ms) {
        peer_disconnect(peer, "ping timeout: %fs", (double)(now_ms - h->ping_start_ms) / 1000);
        return;
    }
    if (h->ping_wanted || (h->ping_nonce == 0 && now_ms > h->ping_start_ms + PING_INTERVAL_MS))
        handshake_ping(peer);
}

static int64_t elapsed_us(const struct peer *peer)
{
    const struct peer_handshake *h = &peer->handshake;
    int64_t wall_us = (p2p_now_ms(peer->p2p) - h->ping_start_ms) * 1000;
    int64_t real_us = (int64_t)(clock_monotonic_us(peer->p2p->options.clock) - h->ping_start_us);
    int64_t apart_us = wall_us - real_us;

    return apart_us > -CLOCKS_APART_US && apart_us < CLOCKS_APART_US ? real_us : wall_us;
}

static void take_pong(struct peer *peer, struct span payload)
{
    struct peer_handshake *h = &peer->handshake;
    const char *problem = NULL;
    uint64_t expected = h->ping_nonce;
    uint64_t nonce = 0;
    bool is_over = false;

    if (message_read_nonce(&nonce, payload, NULL) < 0) {
        nonce = 0;
        is_over = true;
        problem = "Short payload";
    } else if (expected == 0) {
        problem = "Unsolicited pong without ping";
    } else if (nonce == expected) {
        int64_t span_us = elapsed_us(peer);

        is_over = true;
        if (span_us < 0) {
            problem = "Timing mishap";
        } else {
            h->ping_us = span_us;
            h->ping_min_us = h->ping_min_us < 0 ? span_us : MIN(h->ping_min_us, span_us);
            if (peer->kind == PEER_PRIVATE_BROADCAST)
                relay_private_ponged(peer);
        }
    } else {
        /* Pings that overlap; a zero is a fault of the other side, which ends this one. */
        is_over = nonce == 0;
        problem = nonce == 0 ? "Nonce zero" : "Nonce mismatch";
    }
    if (problem != NULL)
        log_debug("net",
                  "pong peer=%" PRId64 ": %s, %" PRIx64 " expected, %" PRIx64
                  " received, %zu bytes",
                  peer->id, problem, expected, nonce, payload.len);
    if (is_over)
        h->ping_nonce = 0;
}

bool handshake_take_ping(struct peer *peer, const struct wire_message *message)
{
    struct error err = {0};
    uint64_t nonce;

    if (message->type == MESSAGE_PONG) {
        take_pong(peer, message->payload);
        return true;
    }
    if (message->type != MESSAGE_PING)
        return false;
    if (peer->handshake.common_version < PROTOCOL_VERSION_PONG)
        return true;
    if (message_read_nonce(&nonce, message->payload, &err) < 0) {
        peer_garbled(peer, message, &err);
        return true;
    }
    message_write_nonce(peer_begin(peer, MESSAGE_PONG), nonce);
    peer_end(peer);
    return true;
}

int64_t peer_ping_min_us(const struct peer *peer)
{
    return peer->handshake.ping_min_us < 0 ? INT64_MAX : peer->handshake.ping_min_us;
}
