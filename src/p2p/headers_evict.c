/* Outbound peers whose chain is not up to ours, surplus ones, and the tip that does not
 * move: so that we are never left with peers of one bad chain only. */
#include <inttypes.h>

#include "base/log.h"
#include "p2p/headers_receive_priv.h"
#include "p2p/p2p_priv.h"

#define LAG_S (20 * 60)       /* To catch up with our tip. */
#define LAG_ANSWER_S (2 * 60) /* To answer the last question. */
#define PROTECTED_MAX 4
#define STALE_CHECK_S (10 * 60)
#define STALE_BLOCKS 3
#define SURPLUS_CHECK_MS 45000
#define CONNECTED_MIN_MS 30000

static bool is_up_to(const struct peer *peer, const struct header_node *node)
{
    const struct header_node *known = peer->headers.best_known;

    return known != NULL && header_work_compare(known, node) >= 0;
}

static const char *known_text(const struct peer *peer, struct hash_hex *hex)
{
    if (peer->headers.best_known == NULL)
        return "<none>";
    *hex = hash_hex(peer->headers.best_known->hash.b);
    return hex->text;
}

static void ask_once_more(struct peer *peer, int64_t now_s)
{
    struct peer_lag *lag = &peer->headers.lag;
    struct hash_hex hex;

    (void)headers_ask(peer, lag->tip->prev != NULL ? lag->tip->prev : lag->tip);
    log_debug("net",
              "sending getheaders to outbound peer=%" PRId64
              " to verify chain work (current best known block:%s, benchmark blockhash: %s)",
              peer->id, known_text(peer, &hex), hash_hex(lag->tip->hash.b).text);
    lag->was_asked = true;
    lag->deadline_s = now_s + LAG_ANSWER_S;
}

void headers_watch_lag(struct peer *peer)
{
    struct peer_lag *lag = &peer->headers.lag;
    const struct header_node *tip = headers_tip(peer->p2p);
    int64_t now_s = p2p_now_s(peer->p2p);
    struct hash_hex hex;

    if (lag->is_protected || !peer->headers.is_sync_started ||
        (peer->kind != PEER_FULL_RELAY && peer->kind != PEER_BLOCK_RELAY))
        return;
    if (is_up_to(peer, tip)) {
        lag->deadline_s = 0;
        lag->tip = NULL;
        lag->was_asked = false;
    } else if (lag->deadline_s == 0 || is_up_to(peer, lag->tip)) {
        /* New, or it reached what was our tip then: the time begins again. */
        lag->deadline_s = now_s + LAG_S;
        lag->tip = tip;
        lag->was_asked = false;
    } else if (now_s > lag->deadline_s) {
        if (lag->was_asked)
            peer_disconnect(peer, "Outbound peer has old chain, best known block = %s",
                            known_text(peer, &hex));
        else
            ask_once_more(peer, now_s);
    }
}

void headers_judge_chain(struct peer *peer, bool may_have_more)
{
    struct p2p *p2p = peer->p2p;
    const struct header_node *known = peer->headers.best_known;
    const struct p2p_ground *ground = &p2p->options.ground;
    struct u256 work;

    if (known == NULL || peer->is_doomed)
        return;
    if (!may_have_more && ground->is_initial_block_download(ground->context) &&
        (peer->kind == PEER_FULL_RELAY || peer->kind == PEER_BLOCK_RELAY)) {
        work = header_work(known);
        if (u256_compare(&work, &p2p->options.minimum_chain_work) < 0) {
            peer_disconnect(peer, "outbound peer headers chain has insufficient work");
            return;
        }
    }
    if (peer->kind == PEER_FULL_RELAY && p2p->headers.protected_n < PROTECTED_MAX &&
        !peer->headers.lag.is_protected && is_up_to(peer, headers_tip(p2p))) {
        log_debug("net", "Protecting outbound peer=%" PRId64 " from eviction", peer->id);
        peer->headers.lag.is_protected = true;
        p2p->headers.protected_n++;
    }
}

/* --- Surplus outbound peers --- */

/* Long enough with us, and no block on its way. */
static bool can_go(const struct peer *peer, int64_t now_ms)
{
    return now_ms - peer->connected_ms >= CONNECTED_MIN_MS && peer->blocks.first == NULL;
}

/* Of the two youngest block-relay peers the one that gave us a block less recently. */
static void end_surplus_block_relay(struct p2p *p2p, int64_t now_ms)
{
    struct peer *youngest = NULL;
    struct peer *second = NULL;
    struct peer *chosen;

    for (struct peer *peer = p2p->first; peer != NULL; peer = peer->next) {
        if (peer->kind != PEER_BLOCK_RELAY || peer->is_doomed)
            continue;
        second = youngest;
        youngest = peer;
    }
    if (youngest == NULL)
        return;
    chosen = second != NULL && youngest->blocks.last_block_s > second->blocks.last_block_s
                 ? second
                 : youngest;
    if (can_go(chosen, now_ms))
        peer_disconnect(chosen,
                        "extra block-relay-only peer (last block received at time %" PRId64 ")",
                        chosen->blocks.last_block_s);
}

static bool is_surplus(const struct peer *peer)
{
    return peer->kind == PEER_FULL_RELAY && !peer->is_doomed && !peer->headers.lag.is_protected &&
           !connect_is_alone_on_network(peer);
}

/* The one that told us of a new block longest ago; the youngest among equals. */
static void end_surplus_full(struct p2p *p2p, int64_t now_ms)
{
    struct peer *worst = NULL;

    for (struct peer *peer = p2p->first; peer != NULL; peer = peer->next) {
        if (is_surplus(peer) &&
            (worst == NULL || peer->headers.announced_s <= worst->headers.announced_s))
            worst = peer;
    }
    if (worst == NULL || !can_go(worst, now_ms))
        return;
    log_debug("net",
              "disconnecting extra outbound peer=%" PRId64
              " (last block announcement received at time %" PRId64 ")",
              worst->id, worst->headers.announced_s);
    peer_disconnect(worst, "extra outbound peer");
    connect_set_extra_full_relay(p2p, false);
}

/* --- The tip --- */

void headers_tip_moved(struct p2p *p2p)
{
    p2p->headers.tip_moved_s = p2p_now_s(p2p);
}

static bool may_be_stale(struct p2p *p2p, int64_t now_s)
{
    if (p2p->headers.tip_moved_s == 0)
        p2p->headers.tip_moved_s = now_s;
    return p2p->headers.tip_moved_s < now_s - p2p->params->pow_target_spacing_s * STALE_BLOCKS &&
           !blocks_are_in_flight(p2p);
}

static void look_at_tip(struct p2p *p2p, int64_t now_s)
{
    bool is_stale = !headers_is_loading(p2p) && p2p->is_active && connect_calls_by_itself(p2p) &&
                    may_be_stale(p2p, now_s);

    if (is_stale)
        log_info("net",
                 "Potential stale tip detected, will try using extra outbound peer (last tip "
                 "update: %" PRId64 " seconds ago)",
                 now_s - p2p->headers.tip_moved_s);
    connect_set_extra_full_relay(p2p, is_stale);
}

void headers_tick(struct p2p *p2p, int64_t now_ms)
{
    struct p2p_headers *all = &p2p->headers;
    int64_t now_s = now_ms / 1000;
    int64_t timer_ms = p2p_timer_ms(p2p);

    if (all->evict_check_ms == 0)
        all->evict_check_ms = timer_ms + SURPLUS_CHECK_MS;
    if (timer_ms < all->evict_check_ms)
        return;
    all->evict_check_ms = timer_ms + SURPLUS_CHECK_MS;
    if (connect_extra_block_relay_n(p2p) > 0)
        end_surplus_block_relay(p2p, now_ms);
    if (connect_extra_full_relay_n(p2p) > 0)
        end_surplus_full(p2p, now_ms);
    if (now_s > all->stale_check_s || all->stale_check_s - now_s > STALE_CHECK_S) {
        look_at_tip(p2p, now_s);
        all->stale_check_s = now_s + STALE_CHECK_S;
    }
    if (!all->is_caught_up && headers_is_near_tip(p2p)) {
        all->is_caught_up = true;
        connect_start_extra_block_relay(p2p);
    }
}
