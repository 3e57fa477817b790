#include "p2p/headers_sync_priv.h"

void headers_init(struct p2p *p2p)
{
    (void)p2p;
}

void headers_clear(struct p2p *p2p)
{
    (void)p2p;
}

void headers_peer_added(struct peer *peer)
{
    (void)peer;
}

void headers_peer_ready(struct peer *peer)
{
    (void)peer;
}

void headers_peer_gone(struct peer *peer)
{
    (void)peer;
}

bool headers_handle(struct peer *peer, const struct wire_message *message, struct arena *arena)
{
    (void)peer;
    (void)message;
    (void)arena;
    return false;
}

void headers_send(struct peer *peer, int64_t now_ms)
{
    (void)peer;
    (void)now_ms;
}

void headers_tick(struct p2p *p2p, int64_t now_ms)
{
    (void)p2p;
    (void)now_ms;
}
