#include "p2p/events_priv.h"

#include "p2p/p2p_priv.h"

static void on_block_connected(void *context, const struct block_info *info,
                               const struct block *block, const struct coin *const *spent)
{
    (void)spent;
    blocks_event_connected(context, info, block);
    txs_event_connected(context, info, block);
}

static void on_block_disconnected(void *context, const struct block_info *info,
                                  const struct block *block)
{
    txs_event_disconnected(context, info, block);
}

static void on_block_stored(void *context, const struct block_info *info, const struct block *block)
{
    serve_event_stored(context, info, block);
}

static void on_tip_published(void *context, const struct tip_event *event)
{
    serve_event_tip(context, event);
    txs_event_tip(context, event);
}

static void on_block_rejected(void *context, const struct block_hash *hash, const char *reason)
{
    blocks_event_rejected(context, hash, reason);
}

void events_init(struct p2p *p2p)
{
    p2p->events = (struct chain_events){.context = p2p,
                                        .block_connected = on_block_connected,
                                        .block_disconnected = on_block_disconnected,
                                        .block_stored = on_block_stored,
                                        .tip_published = on_tip_published,
                                        .block_rejected = on_block_rejected};
}
