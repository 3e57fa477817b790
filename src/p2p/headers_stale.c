/* Outbound peers beyond what there should be, and a tip that does not move: then one more
 * peer is tried, and one that tells us nothing goes. */
#include <inttypes.h>

#include "base/alloc.h"
#include "base/log.h"
#include "p2p/eviction.h"
#include "p2p/headers_receive_priv.h"
#include "p2p/p2p_priv.h"

#define CHECK_EVERY_MS 45000
#define STALE_CHECK_EVERY_S (10 * 60)
#define STALE_BLOCKS 3 /* So many usual distances without a block. */

static size_t describe(const struct p2p *p2p, struct eviction_outbound *ret_list)
{
    size_t n = 0;

    for (const struct peer *peer = p2p->first; peer != NULL; peer = peer->next) {
        bool is_block_relay = peer->kind == PEER_BLOCK_RELAY;

        if (!peer->is_ready || peer->is_doomed ||
            (!is_block_relay && peer->kind != PEER_FULL_RELAY))
            continue;
        ret_list[n++] = (struct eviction_outbound){
            .id = peer->id,
            .connected_us = peer->connected_ms * 1000,
            .last_block_s = peer->blocks.last_block_s,
            .last_announcement_s = peer->headers.announced_s,
            .blocks_in_flight = blocks_in_flight(&peer->blocks),
            .is_block_relay_only = is_block_relay,
            .is_protected = peer->headers.lag.is_protected,
            .is_alone_on_network = !is_block_relay && connect_is_alone_on_network(peer),
        };
    }
    return n;
}

static void end_block_relay(struct p2p *p2p, const struct eviction_outbound *list, size_t n)
{
    struct peer *peer;
    int64_t id = -1;

    switch (eviction_choose_block_relay(&id, list, n, p2p_now_ms(p2p) * 1000)) {
    case EVICTION_NONE:
        return;
    case EVICTION_KEEP:
        log_debug("net",
                  "keeping block-relay-only peer=%" PRId64
                  " chosen for eviction (it is new, or gives us a block)",
                  id);
        return;
    case EVICTION_GO:
        break;
    }
    peer = peer_find(p2p, id);
    if (peer == NULL)
        return;
    log_debug("net",
              "disconnecting extra block-relay-only peer=%" PRId64
              " (last block received at time %" PRId64 ")",
              id, peer->blocks.last_block_s);
    peer->is_doomed = true;
}

static void end_full_relay(struct p2p *p2p, const struct eviction_outbound *list, size_t n)
{
    struct peer *peer;
    int64_t id = -1;

    switch (eviction_choose_full_relay(&id, list, n, p2p_now_ms(p2p) * 1000)) {
    case EVICTION_NONE:
        return;
    case EVICTION_KEEP:
        log_debug("net",
                  "keeping outbound peer=%" PRId64
                  " chosen for eviction (it is new, or gives us a block)",
                  id);
        return;
    case EVICTION_GO:
        break;
    }
    peer = peer_find(p2p, id);
    if (peer == NULL)
        return;
    log_debug("net",
              "disconnecting extra outbound peer=%" PRId64
              " (last block announcement received at time %" PRId64 ")",
              id, peer->headers.announced_s);
    peer->is_doomed = true;
    /* A new one was found; no more of them until the tip is stale again. */
    connect_set_extra_full_relay(p2p, false);
}

static void end_surplus(struct p2p *p2p)
{
    struct eviction_outbound *list = alloc_array(p2p->peers_n + 1, sizeof(*list));
    size_t n = describe(p2p, list);

    if (connect_extra_block_relay_n(p2p) > 0)
        end_block_relay(p2p, list, n);
    if (connect_extra_full_relay_n(p2p) > 0)
        end_full_relay(p2p, list, n);
    free(list);
}

static bool is_any_block_under_way(const struct p2p *p2p)
{
    for (const struct peer *peer = p2p->first; peer != NULL; peer = peer->next) {
        if (blocks_in_flight(&peer->blocks) > 0)
            return true;
    }
    return false;
}

static void look_at_tip(struct p2p *p2p, int64_t now_s)
{
    struct p2p_headers *h = &p2p->headers;
    bool is_stale;

    if (h->tip_moved_s == 0)
        h->tip_moved_s = now_s;
    is_stale = h->tip_moved_s < now_s - STALE_BLOCKS * p2p->params->pow_target_spacing_s &&
               !is_any_block_under_way(p2p);
    if (!headers_is_loading(p2p) && p2p->is_active && is_stale && connect_calls_by_itself(p2p)) {
        log_info("net",
                 "Potential stale tip detected, will try using extra outbound peer (last tip "
                 "update: %" PRId64 " seconds ago)",
                 now_s - h->tip_moved_s);
        connect_set_extra_full_relay(p2p, true);
    } else if (connect_wants_extra_full_relay(p2p)) {
        connect_set_extra_full_relay(p2p, false);
    }
}

void headers_watch_tip(struct p2p *p2p)
{
    struct p2p_headers *h = &p2p->headers;
    int64_t timer_ms = p2p_timer_ms(p2p);
    int64_t now_s = p2p_now_s(p2p);

    if (h->evict_check_ms == 0)
        h->evict_check_ms = timer_ms + CHECK_EVERY_MS;
    if (timer_ms < h->evict_check_ms)
        return;
    h->evict_check_ms = timer_ms + CHECK_EVERY_MS;
    end_surplus(p2p);
    if (now_s > h->stale_check_s) {
        look_at_tip(p2p, now_s);
        h->stale_check_s = now_s + STALE_CHECK_EVERY_S;
    }
    if (!h->is_caught_up && headers_is_near_tip(p2p)) {
        h->is_caught_up = true;
        connect_start_extra_block_relay(p2p);
    }
}
