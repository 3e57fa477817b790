#include "p2p/serve_priv.h"

void serve_init(struct p2p *p2p)
{
    (void)p2p;
}

void serve_clear(struct p2p *p2p)
{
    (void)p2p;
}

void serve_peer_added(struct peer *peer)
{
    (void)peer;
}

void serve_peer_ready(struct peer *peer)
{
    (void)peer;
}

void serve_peer_gone(struct peer *peer)
{
    (void)peer;
}

bool serve_handle(struct peer *peer, const struct wire_message *message, struct arena *arena)
{
    (void)peer;
    (void)message;
    (void)arena;
    return false;
}

void serve_send(struct peer *peer, int64_t now_ms)
{
    (void)peer;
    (void)now_ms;
}

void serve_tick(struct p2p *p2p, int64_t now_ms)
{
    (void)p2p;
    (void)now_ms;
}
