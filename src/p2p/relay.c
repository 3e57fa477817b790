#include "p2p/relay_priv.h"

void relay_init(struct p2p *p2p)
{
    (void)p2p;
}

void relay_clear(struct p2p *p2p)
{
    (void)p2p;
}

void relay_peer_added(struct peer *peer)
{
    (void)peer;
}

void relay_peer_ready(struct peer *peer)
{
    (void)peer;
}

void relay_peer_gone(struct peer *peer)
{
    (void)peer;
}

bool relay_handle(struct peer *peer, const struct wire_message *message, struct arena *arena)
{
    (void)peer;
    (void)message;
    (void)arena;
    return false;
}

void relay_send(struct peer *peer, int64_t now_ms)
{
    (void)peer;
    (void)now_ms;
}

void relay_tick(struct p2p *p2p, int64_t now_ms)
{
    (void)p2p;
    (void)now_ms;
}

bool relay_serve_tx(struct peer *peer, const struct inv *inv)
{
    (void)peer;
    (void)inv;
    return false;
}

void relay_send_filtered(struct peer *peer, const struct block *block)
{
    (void)peer;
    (void)block;
}
