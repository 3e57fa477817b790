#include "p2p/block_download_priv.h"

void blocks_init(struct p2p *p2p)
{
    (void)p2p;
}

void blocks_clear(struct p2p *p2p)
{
    (void)p2p;
}

void blocks_peer_added(struct peer *peer)
{
    (void)peer;
}

void blocks_peer_ready(struct peer *peer)
{
    (void)peer;
}

void blocks_peer_gone(struct peer *peer)
{
    (void)peer;
}

bool blocks_handle(struct peer *peer, const struct wire_message *message, struct arena *arena)
{
    (void)peer;
    (void)message;
    (void)arena;
    return false;
}

void blocks_send(struct peer *peer, int64_t now_ms)
{
    (void)peer;
    (void)now_ms;
}

void blocks_tick(struct p2p *p2p, int64_t now_ms)
{
    (void)p2p;
    (void)now_ms;
}
