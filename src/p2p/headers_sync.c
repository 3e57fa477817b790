/* What is known of each peer's chain, and when headers are asked for. */
#include "p2p/headers_sync_priv.h"

#include <inttypes.h>

#include "base/check.h"
#include "base/log.h"
#include "p2p/headers_receive_priv.h"
#include "p2p/p2p_priv.h"

#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)
/* A getheaders is not repeated before. */
#define ANSWER_MS (INT64_C(2) * 60 * 1000)
/* The first sync with a peer may take so long, and more for each header to come. */
#define SYNC_BASE_MS (INT64_C(15) * 60 * 1000)
#define SYNC_PER_HEADER_MS 1
/* Headers that fork off so many blocks below the tip need no more work than that. */
#define THRESHOLD_BLOCKS 144
/* The tip is near as long as it is no older than so many blocks. */
#define NEAR_TIP_BLOCKS 20

void headers_init(struct p2p *p2p)
{
    p2p->headers.presync_best = -1;
}

void headers_clear(struct p2p *p2p)
{
    p2p->headers = (struct p2p_headers){.presync_best = -1};
}

void headers_peer_added(struct peer *peer)
{
    peer->headers = (struct peer_headers){.sync_deadline_ms = 0};
}

void headers_peer_ready(struct peer *peer)
{
    bool is_friend = !peer_is_inbound(peer) || peer_has(peer, PERMISSION_NO_BAN);

    if (peer->kind == PEER_PRIVATE_BROADCAST || peer->kind == PEER_ADDR_FETCH)
        return;
    peer->headers.is_preferred = is_friend && peer_serves_blocks(peer);
    peer->p2p->headers.preferred_n += peer->headers.is_preferred;
}

void headers_peer_gone(struct peer *peer)
{
    struct p2p_headers *all = &peer->p2p->headers;

    all->syncs_n -= peer->headers.is_sync_started;
    all->preferred_n -= peer->headers.is_preferred;
    all->protected_n -= peer->headers.lag.is_protected;
    presync_free(peer->headers.presync);
    peer->headers = (struct peer_headers){.sync_deadline_ms = 0};
}

/* --- Our chain --- */

const struct header_node *headers_tip(const struct p2p *p2p)
{
    const struct p2p_ground *ground = &p2p->options.ground;
    const struct header_node *tip = ground->tip(ground->context);

    return tip != NULL ? tip : header_tree_genesis(ground->tree);
}

const struct header_node *headers_best(const struct p2p *p2p)
{
    return header_tree_best(p2p->options.ground.tree);
}

bool headers_is_loading(const struct p2p *p2p)
{
    const struct p2p_ground *ground = &p2p->options.ground;

    return ground->is_loading != NULL && ground->is_loading(ground->context);
}

bool headers_history_wanted(const struct p2p *p2p, const struct header_node **ret_from,
                            const struct header_node **ret_target)
{
    const struct p2p_ground *ground = &p2p->options.ground;

    return ground->history != NULL && ground->history(ground->context, ret_from, ret_target);
}

bool headers_is_near_tip(const struct p2p *p2p)
{
    int64_t age_s = p2p_now_s(p2p) - (int64_t)headers_tip(p2p)->time;

    return age_s < p2p->params->pow_target_spacing_s * NEAR_TIP_BLOCKS;
}

struct u256 headers_work_threshold(const struct p2p *p2p)
{
    const struct header_node *tip = headers_tip(p2p);
    struct u256 least = p2p->options.minimum_chain_work;
    struct u256 work = header_work(tip);
    struct u256 one = work_of_bits(tip->bits);
    struct u256 near = {.limb = {0}};

    for (int i = 0; i < THRESHOLD_BLOCKS; i++)
        near = u256_add(&near, &one);
    if (u256_compare(&near, &work) >= 0)
        return least;
    near = u256_subtract(&work, &near);
    return u256_compare(&near, &least) > 0 ? near : least;
}

bool headers_has_work(const struct p2p *p2p, const struct header_node *prev, uint32_t bits)
{
    struct u256 threshold = headers_work_threshold(p2p);
    struct u256 before = header_work(prev);
    struct u256 one = work_of_bits(bits);
    struct u256 work = u256_add(&before, &one);

    return u256_compare(&work, &threshold) >= 0;
}

/* --- The peer's chain --- */

bool peer_serves_blocks(const struct peer *peer)
{
    return (peer_services(peer) & (NODE_NETWORK | NODE_NETWORK_LIMITED)) != 0;
}

bool peer_is_limited(const struct peer *peer)
{
    return (peer_services(peer) & (NODE_NETWORK | NODE_NETWORK_LIMITED)) == NODE_NETWORK_LIMITED;
}

bool peer_serves_witness(const struct peer *peer)
{
    return (peer_services(peer) & NODE_WITNESS) != 0;
}

bool headers_is_preferred(const struct peer *peer)
{
    return peer->headers.is_preferred;
}

bool headers_may_sync_from(const struct peer *peer)
{
    if (peer->headers.is_preferred)
        return true;
    if (!peer_serves_blocks(peer) || peer->kind == PEER_ADDR_FETCH)
        return false;
    /* Those who called us are spared as long as somebody else sends blocks. */
    return peer->p2p->headers.preferred_n == 0 || !blocks_are_in_flight(peer->p2p);
}

static void knows(struct peer_headers *headers, const struct header_node *node)
{
    if (headers->best_known == NULL || header_work_compare(node, headers->best_known) >= 0)
        headers->best_known = node;
}

void headers_look_again(struct peer *peer)
{
    struct peer_headers *headers = &peer->headers;
    const struct header_node *node;

    if (block_hash_is_null(&headers->unknown))
        return;
    node = header_tree_find(peer->p2p->options.ground.tree, &headers->unknown);
    if (node == NULL)
        return;
    knows(headers, node);
    headers->unknown = (struct block_hash){{0}};
}

void headers_heard(struct peer *peer, const struct block_hash *hash)
{
    const struct header_node *node = header_tree_find(peer->p2p->options.ground.tree, hash);

    headers_look_again(peer);
    if (node != NULL)
        knows(&peer->headers, node);
    else
        peer->headers.unknown = *hash; /* The latest may be the best. */
}

bool headers_peer_has(const struct peer *peer, const struct header_node *node)
{
    const struct peer_headers *headers = &peer->headers;

    return (headers->best_known != NULL && header_is_ancestor(node, headers->best_known)) ||
           (headers->best_sent != NULL && header_is_ancestor(node, headers->best_sent));
}

void headers_told(struct peer *peer, const struct header_node *node)
{
    peer->headers.best_sent = node;
}

void headers_announced(struct peer *peer)
{
    peer->headers.announced_s = p2p_now_s(peer->p2p);
}

void headers_fill_info(const struct peer *peer, struct peer_info *info, struct arena *arena)
{
    const struct peer_headers *headers = &peer->headers;

    (void)arena;
    info->synced_headers = headers->best_known == NULL ? -1 : headers->best_known->height;
    info->presynced_headers = headers->presync == NULL ? -1 : presync_height(headers->presync);
}

/* --- Asking --- */

bool headers_ask_locator(struct peer *peer, struct block_hash *hashes, size_t n)
{
    struct message_locator locator = {
        .version = PROTOCOL_VERSION, .n = (uint32_t)n, .have = hashes};
    int64_t now_ms = p2p_now_ms(peer->p2p);

    if (peer->headers.asked_ms != 0 && now_ms - peer->headers.asked_ms <= ANSWER_MS)
        return false;
    message_write_locator(peer_begin(peer, MESSAGE_GETHEADERS), &locator);
    peer_end(peer);
    peer->headers.asked_ms = now_ms;
    return true;
}

bool headers_ask(struct peer *peer, const struct header_node *node)
{
    struct block_hash hashes[LOCATOR_MAX];

    return headers_ask_locator(peer, hashes, header_locator(node, hashes));
}

/* During initial download headers come from one peer; later each is asked once. */
static void begin_sync(struct peer *peer, int64_t now_ms)
{
    struct p2p *p2p = peer->p2p;
    const struct header_node *best = headers_best(p2p);
    int64_t age_ms = now_ms - (int64_t)best->time * 1000;
    /* From the one before, so that an answer tells even if there is nothing new. */
    const struct header_node *from = best->prev != NULL ? best->prev : best;

    if (peer->headers.is_sync_started || !peer_serves_blocks(peer) || headers_is_loading(p2p))
        return;
    if (!(p2p->headers.syncs_n == 0 && headers_may_sync_from(peer)) && age_ms >= DAY_MS)
        return;
    if (!headers_ask(peer, from))
        return;
    log_debug("net", "initial getheaders (%" PRId32 ") to peer=%" PRId64, from->height, peer->id);
    peer->headers.is_sync_started = true;
    peer->headers.sync_deadline_ms =
        now_ms + SYNC_BASE_MS +
        SYNC_PER_HEADER_MS * (age_ms / 1000) / p2p->params->pow_target_spacing_s;
    p2p->headers.syncs_n++;
}

static void watch_sync(struct peer *peer, int64_t now_ms)
{
    struct p2p_headers *all = &peer->p2p->headers;
    struct peer_headers *headers = &peer->headers;

    if (!headers->is_sync_started || headers->sync_deadline_ms == INT64_MAX)
        return;
    if ((int64_t)headers_best(peer->p2p)->time * 1000 > now_ms - DAY_MS) {
        headers->sync_deadline_ms = INT64_MAX;
        return;
    }
    if (now_ms <= headers->sync_deadline_ms || all->syncs_n != 1 ||
        all->preferred_n - headers->is_preferred == 0)
        return;
    if (!peer_has(peer, PERMISSION_NO_BAN)) {
        peer_disconnect(peer, "Timeout downloading headers");
        return;
    }
    log_info("net", "Timeout downloading headers from noban peer, not disconnecting peer=%" PRId64,
             peer->id);
    headers->is_sync_started = false;
    headers->sync_deadline_ms = 0;
    all->syncs_n--;
}

/* BIP 130; not during the first sync, whose headers would get mixed up with news. */
static void say_sendheaders(struct peer *peer)
{
    struct peer_headers *headers = &peer->headers;
    struct u256 work;

    if (headers->sent_sendheaders || headers->best_known == NULL ||
        peer_common_version(peer) < PROTOCOL_VERSION_SENDHEADERS)
        return;
    work = header_work(headers->best_known);
    if (u256_compare(&work, &peer->p2p->options.minimum_chain_work) <= 0)
        return;
    peer_send_empty(peer, MESSAGE_SENDHEADERS);
    headers->sent_sendheaders = true;
}

void headers_send(struct peer *peer, int64_t now_ms)
{
    if (!peer->is_ready || peer->is_doomed || peer->kind == PEER_PRIVATE_BROADCAST)
        return;
    say_sendheaders(peer);
    begin_sync(peer, now_ms);
    watch_sync(peer, now_ms);
    if (!peer->is_doomed)
        headers_watch_lag(peer);
}
