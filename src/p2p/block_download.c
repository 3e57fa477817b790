/* Which blocks are asked of whom, and what becomes of a peer that does not send them. */
#include "p2p/block_download_priv.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "consensus/rules.h"
#include "p2p/p2p_priv.h"

/* Read ahead at once: an ancestor costs about as much as walking so many. */
#define WALK_STEP 128
#define STALL_MS 2000
#define STALL_MAX_MS 64000
#define STRANGERS_WAIT_MS 2000 /* Behind a block that a stranger withheld. */
/* Blocks that a limited peer need not have, with two for races. */
#define LIMITED_AHEAD (BLOCKS_LIMITED_DEPTH - 2)

void blocks_init(struct p2p *p2p)
{
    struct p2p_blocks *blocks = &p2p->blocks;

    blocks->stall_ms = STALL_MS;
    blocks->sources = alloc_array(BLOCKS_SOURCES, sizeof(*blocks->sources));
    if (p2p->options.block_reconstruction_extra_txn > 0)
        blocks->extra =
            alloc_array(p2p->options.block_reconstruction_extra_txn, sizeof(*blocks->extra));
}

void blocks_clear(struct p2p *p2p)
{
    struct p2p_blocks *blocks = &p2p->blocks;

    for (uint32_t i = 0; i < BLOCKS_SLOTS; i++) {
        while (blocks->here[i] != NULL)
            blocks_judged(p2p, blocks->here[i]->node);
    }
    for (uint32_t i = 0; i < blocks->extra_n; i++)
        tx_ref_drop(blocks->extra[i]);
    free(blocks->extra);
    free(blocks->sources);
    *blocks = (struct p2p_blocks){.stall_ms = STALL_MS};
}

/* --- The table of requests --- */

static struct block_request **slot_of(struct p2p_blocks *blocks, const struct header_node *node)
{
    return &blocks->slots[node->index % BLOCKS_SLOTS];
}

static struct block_request *only(struct block_request *request, const struct header_node *node)
{
    while (request != NULL && request->node != node)
        request = request->same;
    return request;
}

struct block_request *blocks_requests(const struct p2p *p2p, const struct header_node *node)
{
    return only(p2p->blocks.slots[node->index % BLOCKS_SLOTS], node);
}

uint32_t blocks_request_count(const struct p2p *p2p, const struct header_node *node)
{
    uint32_t n = 0;

    for (struct block_request *at = blocks_requests(p2p, node); at != NULL;
         at = only(at->same, node))
        n++;
    return n;
}

struct block_request *blocks_request_of(const struct peer *peer, const struct header_node *node)
{
    struct block_request *at = peer->blocks.first;

    while (at != NULL && at->node != node)
        at = at->next;
    return at;
}

bool blocks_are_in_flight(const struct p2p *p2p)
{
    return p2p->blocks.requests_n > 0;
}

struct block_request *blocks_requested(struct peer *peer, const struct header_node *node,
                                       bool *ret_is_new)
{
    struct p2p_blocks *all = &peer->p2p->blocks;
    struct block_request *request = blocks_request_of(peer, node);
    struct block_request **end;

    *ret_is_new = request == NULL;
    if (request != NULL)
        return request;
    request = alloc_zero(sizeof(*request));
    request->peer = peer;
    request->node = node;
    for (end = slot_of(all, node); *end != NULL; end = &(*end)->same)
        ;
    *end = request;
    if (peer->blocks.last != NULL)
        peer->blocks.last->next = request;
    else
        peer->blocks.first = request;
    peer->blocks.last = request;
    if (peer->blocks.n++ == 0) {
        peer->blocks.since_ms = p2p_now_ms(peer->p2p);
        all->peers_n++;
    }
    all->requests_n++;
    return request;
}

static void take_from_peer(struct block_request *request)
{
    struct peer_blocks *blocks = &request->peer->blocks;
    struct block_request **at = &blocks->first;
    struct block_request *before = NULL;

    if (blocks->first == request) /* The next one's time begins now. */
        blocks->since_ms = MAX(blocks->since_ms, p2p_now_ms(request->peer->p2p));
    for (; *at != request; at = &(*at)->next)
        before = *at;
    *at = request->next;
    if (blocks->last == request)
        blocks->last = before;
    if (--blocks->n == 0)
        request->peer->p2p->blocks.peers_n--;
    blocks->stalling_ms = 0;
}

void blocks_forget(struct p2p *p2p, const struct header_node *node, const struct peer *peer)
{
    struct block_request **at = slot_of(&p2p->blocks, node);

    while (*at != NULL) {
        struct block_request *request = *at;

        if (request->node != node || (peer != NULL && request->peer != peer)) {
            at = &request->same;
            continue;
        }
        take_from_peer(request);
        *at = request->same;
        p2p->blocks.requests_n--;
        partial_block_free(request->partial);
        free(request);
    }
}

void blocks_arrived(struct p2p *p2p, const struct header_node *node)
{
    struct block_request *request = alloc_zero(sizeof(*request));
    struct block_request **slot = &p2p->blocks.here[node->index % BLOCKS_SLOTS];

    request->node = node;
    request->same = *slot;
    *slot = request;
}

void blocks_judged(struct p2p *p2p, const struct header_node *node)
{
    struct block_request **at = &p2p->blocks.here[node->index % BLOCKS_SLOTS];
    struct block_request *request;

    while (*at != NULL && (*at)->node != node)
        at = &(*at)->same;
    request = *at;
    if (request == NULL)
        return;
    *at = request->same;
    free(request);
}

bool blocks_is_here(const struct p2p *p2p, const struct header_node *node)
{
    return only(p2p->blocks.here[node->index % BLOCKS_SLOTS], node) != NULL;
}

void blocks_peer_added(struct peer *peer)
{
    peer->blocks = (struct peer_blocks){.n = 0};
}

void blocks_peer_gone(struct peer *peer)
{
    while (peer->blocks.first != NULL)
        blocks_forget(peer->p2p, peer->blocks.first->node, peer);
    compact_peer_gone(peer);
}

void blocks_fill_info(const struct peer *peer, struct peer_info *info, struct arena *arena)
{
    const struct peer_blocks *blocks = &peer->blocks;
    int32_t *heights = arena_array(arena, MAX(blocks->n, 1), sizeof(*heights));
    size_t n = 0;

    for (const struct block_request *at = blocks->first; at != NULL; at = at->next)
        heights[n++] = at->node->height;
    info->inflight = heights;
    info->inflight_n = n;
    info->synced_blocks = blocks->common == NULL ? -1 : blocks->common->height;
    info->last_block = blocks->last_block_s;
    info->bip152_hb_to = blocks->is_hb_to;
    info->bip152_hb_from = blocks->is_hb_from;
}

/* --- Asking --- */

uint32_t blocks_inv_type(const struct peer *peer)
{
    return peer_serves_witness(peer) ? INV_WITNESS_BLOCK : INV_BLOCK;
}

static void fill_inv(struct inv *inv, uint32_t type, const struct block_hash *hash)
{
    inv->type = type;
    memcpy(inv->hash, hash->b, HASH_BYTES);
}

void blocks_send_getdata(struct peer *peer, uint32_t type, const struct block_hash *hash)
{
    struct inv inv;

    fill_inv(&inv, type, hash);
    message_write_inv(peer_begin(peer, MESSAGE_GETDATA), &inv, 1);
    peer_end(peer);
}

static bool needs_witness(const struct p2p *p2p, const struct header_node *node)
{
    return buried_active(BURIED_SEGWIT, node->height, p2p->params);
}

static bool is_on_chain(const struct header_node *tip, const struct header_node *node)
{
    return node->height <= tip->height && header_is_ancestor(node, tip);
}

const char *blocks_fetch(struct p2p *p2p, const struct header_node *node, int64_t peer_id)
{
    struct peer *peer = peer_find(p2p, peer_id);
    bool is_new;

    if (headers_is_loading(p2p))
        return "Loading blocks ...";
    if (peer == NULL || peer->is_doomed)
        return "Peer does not exist";
    if (!peer_serves_witness(peer))
        return "Pre-SegWit peer";
    if (!peer->is_ready)
        return "Peer not fully connected";
    if (blocks_request_of(peer, node) != NULL)
        return "Already requested from this peer";
    blocks_forget(p2p, node, NULL);
    (void)blocks_requested(peer, node, &is_new);
    blocks_send_getdata(peer, INV_WITNESS_BLOCK, &node->hash);
    log_debug("net", "Requesting block %s from peer=%" PRId64, hash_hex(node->hash.b).text,
              peer->id);
    return "";
}

/* The blocks between our chain and node that are missing, newest first; false when they
 * are too many to be news. */
static bool missing_up_to(const struct peer *peer, const struct header_node *node,
                          const struct header_node **ret_missing, uint32_t *ret_n)
{
    const struct p2p *p2p = peer->p2p;
    const struct header_node *tip = headers_tip(p2p);
    uint32_t n = 0;

    while (!is_on_chain(tip, node) && n <= BLOCKS_PER_PEER_MAX) {
        if (!header_has(node, HEADER_DATA) && blocks_requests(p2p, node) == NULL &&
            !blocks_is_here(p2p, node) && (!needs_witness(p2p, node) || peer_serves_witness(peer)))
            ret_missing[n++] = node;
        node = node->prev;
    }
    *ret_n = n;
    return is_on_chain(tip, node);
}

void blocks_fetch_towards(struct peer *peer, const struct header_node *node)
{
    const struct header_node *missing[BLOCKS_PER_PEER_MAX + 1];
    struct p2p *p2p = peer->p2p;
    struct inv invs[BLOCKS_PER_PEER_MAX];
    uint32_t n;
    uint32_t sent = 0;

    if (!headers_is_near_tip(p2p) || header_is_failed(node) ||
        header_work_compare(headers_tip(p2p), node) > 0)
        return;
    if (!missing_up_to(peer, node, missing, &n)) {
        log_debug("net", "Large reorg, won't direct fetch to %s (%" PRId32 ")",
                  hash_hex(node->hash.b).text, node->height);
        return;
    }
    for (; n > 0 && peer->blocks.n < BLOCKS_PER_PEER_MAX; n--) {
        bool is_new;

        fill_inv(&invs[sent++], blocks_inv_type(peer), &missing[n - 1]->hash);
        (void)blocks_requested(peer, missing[n - 1], &is_new);
        log_debug("net", "Requesting block %s from peer=%" PRId64,
                  hash_hex(missing[n - 1]->hash.b).text, peer->id);
    }
    if (sent > 1)
        log_debug("net", "Downloading blocks toward %s (%" PRId32 ") via headers direct fetch",
                  hash_hex(node->hash.b).text, node->height);
    if (sent == 0)
        return;
    /* A single new block on top of a chain that is all here: its transactions are known
     * for the most part. */
    if (sent == 1 && !p2p->options.blocks_only && peer->blocks.provides_compact &&
        p2p->blocks.requests_n == 1 &&
        (header_marks(node->prev) & (HEADER_CONNECTED | HEADER_SKIPPED)) != 0)
        invs[0].type = INV_CMPCT_BLOCK;
    message_write_inv(peer_begin(peer, MESSAGE_GETDATA), invs, sent);
    peer_end(peer);
}

/* --- The window --- */

struct window {
    struct peer *peer;
    bool is_initial;
    const struct header_node *tip; /* NULL: history below a snapshot, no chain to compare. */
    const struct header_node *want[BLOCKS_PER_PEER_MAX];
    uint32_t want_n, want_max;
    struct peer *staller;     /* Who keeps the window from moving; NULL: nobody. */
    struct peer *waiting_for; /* Of whom the first one in flight was asked. */
};

enum look { LOOK_ON, LOOK_END };

static enum look look_at(struct window *window, const struct header_node *node, int32_t end)
{
    struct peer *peer = window->peer;
    const struct p2p *p2p = peer->p2p;
    const struct header_node *known = peer->headers.best_known;
    const struct block_request *request;

    if (header_is_failed(node) || (needs_witness(p2p, node) && !peer_serves_witness(peer)))
        return LOOK_END;
    if (header_has(node, HEADER_DATA) || (window->tip != NULL && is_on_chain(window->tip, node))) {
        if (window->tip != NULL && atomic_load(&node->chain_tx_n) != 0)
            peer->blocks.common = node;
        return LOOK_ON;
    }
    if (blocks_is_here(p2p, node) || (!window->is_initial && headers_are_judged(p2p, node)))
        return LOOK_ON;
    request = blocks_requests(p2p, node);
    if (request != NULL) {
        if (window->waiting_for == NULL)
            window->waiting_for = request->peer;
        return LOOK_ON;
    }
    if (node->height > end) {
        /* Were the window greater by one, something could be asked for. */
        if (window->want_n == 0 && window->waiting_for != peer)
            window->staller = window->waiting_for;
        return LOOK_END;
    }
    if (peer_is_limited(peer) && known->height - node->height >= LIMITED_AHEAD)
        return LOOK_ON;
    window->want[window->want_n++] = node;
    return window->want_n == window->want_max ? LOOK_END : LOOK_ON;
}

/* From the child of `from` towards what the peer has, one beyond the end: that shows who
 * stalls. */
static void walk_window(struct window *window, const struct header_node *from, int32_t end)
{
    const struct header_node *known = window->peer->headers.best_known;
    const struct header_node *step[WALK_STEP];
    int32_t top = MIN(known->height, end + 1);

    while (from->height < top) {
        int32_t n = MIN(top - from->height, WALK_STEP);
        const struct header_node *node = header_ancestor(known, from->height + n);

        from = node;
        for (int32_t i = n; i > 0; i--, node = node->prev)
            step[i - 1] = node;
        for (int32_t i = 0; i < n; i++) {
            if (look_at(window, step[i], end) == LOOK_END)
                return;
        }
    }
}

static void find_next(struct window *window)
{
    struct peer *peer = window->peer;
    const struct p2p *p2p = peer->p2p;
    const struct header_node *tip = headers_tip(p2p);
    const struct header_node *known;
    const struct header_node *fork;
    const struct header_node *from;
    const struct header_node *base;
    const struct header_node **common = &peer->blocks.common;
    struct u256 work;

    headers_look_again(peer);
    known = peer->headers.best_known;
    if (known == NULL || header_work_compare(known, tip) < 0)
        return;
    work = header_work(known);
    if (u256_compare(&work, &p2p->options.minimum_chain_work) < 0)
        return;
    /* Until a snapshot is verified we could not leave its chain. */
    if (headers_history_wanted(p2p, &from, &base) && !header_is_ancestor(base, known)) {
        log_debug("net",
                  "Not downloading blocks from peer=%" PRId64
                  ", which doesn't have the snapshot block in its best chain.",
                  peer->id);
        return;
    }
    fork = header_fork(known, tip);
    if (*common == NULL || header_work_compare(fork, *common) > 0 ||
        !header_is_ancestor(*common, known))
        *common = fork;
    if (*common == known)
        return;
    window->tip = tip;
    /* What is common may turn out to be more: the window moves with it. */
    do {
        from = *common;
        window->staller = window->waiting_for = NULL;
        walk_window(window, from, from->height + BLOCKS_WINDOW);
    } while (window->want_n == 0 && window->staller != NULL && *common != from);
}

/* Blocks below a snapshot that our coins came from. */
static void find_history(struct window *window)
{
    const struct p2p *p2p = window->peer->p2p;
    const struct header_node *known = window->peer->headers.best_known;
    const struct header_node *from;
    const struct header_node *target;

    if (window->want_n == window->want_max || known == NULL || peer_is_limited(window->peer) ||
        !headers_history_wanted(p2p, &from, &target) || !header_is_ancestor(target, known))
        return;
    window->tip = NULL;
    from = header_fork(from, target);
    walk_window(window, from, MIN(from->height + BLOCKS_WINDOW, target->height));
}

static void ask_more(struct peer *peer, bool is_initial, int64_t now_ms)
{
    struct window window = {
        .peer = peer, .is_initial = is_initial, .want_max = BLOCKS_PER_PEER_MAX - peer->blocks.n};
    struct inv invs[BLOCKS_PER_PEER_MAX];

    find_next(&window);
    find_history(&window);
    if (window.want_n > 0) {
        for (uint32_t i = 0; i < window.want_n; i++) {
            bool is_new;

            fill_inv(&invs[i], blocks_inv_type(peer), &window.want[i]->hash);
            (void)blocks_requested(peer, window.want[i], &is_new);
            log_debug("net", "Requesting block %s (%" PRId32 ") peer=%" PRId64,
                      hash_hex(window.want[i]->hash.b).text, window.want[i]->height, peer->id);
        }
        message_write_inv(peer_begin(peer, MESSAGE_GETDATA), invs, window.want_n);
        peer_end(peer);
    }
    if (peer->blocks.n == 0 && window.staller != NULL && window.staller->blocks.stalling_ms == 0) {
        window.staller->blocks.stalling_ms = now_ms;
        log_debug("net", "Stall started peer=%" PRId64, window.staller->id);
    }
}

/* --- Timers --- */

static void watch_stall(struct peer *peer, int64_t now_ms)
{
    struct p2p_blocks *all = &peer->p2p->blocks;

    if (peer->blocks.stalling_ms == 0 || peer->blocks.stalling_ms >= now_ms - all->stall_ms)
        return;
    peer_disconnect(peer, "Peer is stalling block download");
    /* If it is our line that is slow, the next one shall have more time. */
    if (all->stall_ms < STALL_MAX_MS) {
        all->stall_ms = MIN(2 * all->stall_ms, STALL_MAX_MS);
        log_debug("net", "Increased stalling timeout temporarily to %" PRId64 " seconds",
                  all->stall_ms / 1000);
    }
}

/* One block interval, and half of one more for each other peer that sends blocks. */
static void watch_slow(struct peer *peer, int64_t now_ms)
{
    const struct p2p *p2p = peer->p2p;
    int64_t interval_ms = p2p->params->pow_target_spacing_s * 1000;
    int64_t allowed_ms;

    if (peer->blocks.first == NULL)
        return;
    allowed_ms = interval_ms + interval_ms / 2 * ((int64_t)p2p->blocks.peers_n - 1);
    if (now_ms <= peer->blocks.since_ms + allowed_ms)
        return;
    peer_disconnect(peer, "Timeout downloading block %s",
                    hash_hex(peer->blocks.first->node->hash.b).text);
    /* Else the next stranger could withhold it just as long, and then another one. */
    if (!headers_is_preferred(peer))
        peer->p2p->blocks.strangers_from_ms = p2p_real_ms(peer->p2p) + STRANGERS_WAIT_MS;
}

/* A stranger kept a block from us: those we chose are asked first. */
static bool must_wait(const struct peer *peer)
{
    const struct p2p *p2p = peer->p2p;

    return !headers_is_preferred(peer) && p2p->headers.preferred_n > 0 &&
           p2p_real_ms(p2p) < p2p->blocks.strangers_from_ms;
}

void blocks_send(struct peer *peer, int64_t now_ms)
{
    struct p2p *p2p = peer->p2p;
    const struct p2p_ground *ground = &p2p->options.ground;
    bool is_initial;

    if (!peer->is_ready || peer->is_doomed || peer->kind == PEER_PRIVATE_BROADCAST)
        return;
    watch_stall(peer, now_ms);
    if (!peer->is_doomed)
        watch_slow(peer, now_ms);
    if (peer->is_doomed || peer->blocks.n >= BLOCKS_PER_PEER_MAX || !peer_serves_blocks(peer) ||
        headers_is_loading(p2p) || !p2p->options.sink->ops->has_room(p2p->options.sink))
        return;
    is_initial = ground->is_initial_block_download(ground->context);
    if (is_initial && (!headers_may_sync_from(peer) || peer_is_limited(peer)))
        return;
    if (must_wait(peer))
        return;
    ask_more(peer, is_initial, now_ms);
}

void blocks_tick(struct p2p *p2p, int64_t now_ms)
{
    (void)p2p;
    (void)now_ms;
}
