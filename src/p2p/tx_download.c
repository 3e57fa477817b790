#include "p2p/tx_download_priv.h"

void txs_init(struct p2p *p2p)
{
    (void)p2p;
}

void txs_clear(struct p2p *p2p)
{
    (void)p2p;
}

void txs_peer_added(struct peer *peer)
{
    (void)peer;
}

void txs_peer_ready(struct peer *peer)
{
    (void)peer;
}

void txs_peer_gone(struct peer *peer)
{
    (void)peer;
}

bool txs_handle(struct peer *peer, const struct wire_message *message, struct arena *arena)
{
    (void)peer;
    (void)message;
    (void)arena;
    return false;
}

void txs_send(struct peer *peer, int64_t now_ms)
{
    (void)peer;
    (void)now_ms;
}

void txs_tick(struct p2p *p2p, int64_t now_ms)
{
    (void)p2p;
    (void)now_ms;
}
