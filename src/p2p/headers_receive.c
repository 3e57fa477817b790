/* The headers and inv messages: from a stranger's bytes to what the sink may judge. */
#include "p2p/headers_receive_priv.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "p2p/p2p_priv.h"

#define PRESYNC_TELL_MS 250

/* Headers on their way to the sink and back. */
struct headers_offer {
    struct headers_judged judged;
    struct p2p *p2p;
    int64_t peer_id;
    bool is_compact;
    bool was_full;    /* The message held as many as one can. */
    bool has_presync; /* That asks for more by itself. */
    bool is_news;     /* The last one was not known before. */
    enum verdict verdict;
    struct block_hash last; /* Accepted; zeros: none. */
    struct block_hash bad;  /* The first one that was not. */
};

void headers_log_new(const struct peer *peer, const struct header_node *node, bool is_compact)
{
    const struct p2p_ground *ground = &peer->p2p->options.ground;
    bool is_initial = ground->is_initial_block_download(ground->context);
    const char *kind = is_compact ? "cmpctblock " : "";

    if (is_initial)
        log_debug("validation", "Saw new %sheader hash=%s height=%" PRId32 " peer=%" PRId64, kind,
                  hash_hex(node->hash.b).text, node->height, peer->id);
    else
        log_info("net", "Saw new %sheader hash=%s height=%" PRId32 " peer=%" PRId64, kind,
                 hash_hex(node->hash.b).text, node->height, peer->id);
}

/* --- What the sink said --- */

static void refused(struct peer *peer, const struct headers_offer *offer)
{
    if (!peer_is_inbound(peer) && offer->verdict == V_DUPLICATE_INVALID)
        log_warning("net",
                    "header %s was previously marked as invalid (received from peer=%" PRId64
                    "). If this happens with all peers, consider database corruption (that "
                    "-reindex may fix) or a potential consensus incompatibility.",
                    hash_hex(offer->bad.b).text, peer->id);
    blocks_punish(peer, offer->verdict, offer->is_compact, "invalid header received");
}

static void log_news(const struct peer *peer, const struct header_node *last)
{
    const struct p2p *p2p = peer->p2p;
    const struct p2p_ground *ground = &p2p->options.ground;
    int64_t left = (p2p_now_s(p2p) - (int64_t)last->time) / p2p->params->pow_target_spacing_s;

    if (last == headers_best(p2p) && ground->is_initial_block_download(ground->context))
        log_info("net", "Synchronizing blockheaders, height: %" PRId32 " (~%.2f%%)", last->height,
                 100.0 * last->height / (double)(last->height + MAX(left, 0)));
    headers_log_new(peer, last, false);
}

static void accepted(struct peer *peer, const struct headers_offer *offer)
{
    const struct header_node *last = header_tree_find(peer->p2p->options.ground.tree, &offer->last);

    if (last == NULL) /* The chain was closed before it looked. */
        return;
    if (offer->is_news)
        log_news(peer, last);
    if (offer->was_full && !offer->has_presync && headers_ask(peer, last))
        log_debug("net", "more getheaders (%" PRId32 ") to end to peer=%" PRId64, last->height,
                  peer->id);
    headers_heard(peer, &last->hash);
    if (offer->is_news && header_work_compare(last, headers_tip(peer->p2p)) > 0)
        headers_announced(peer);
    headers_judge_chain(peer, offer->was_full);
    if (!peer->is_doomed)
        blocks_fetch_towards(peer, last);
}

bool headers_are_judged(const struct p2p *p2p, const struct header_node *node)
{
    const struct headers_judged *at = p2p->headers.judged;

    for (; at != NULL; at = at->next) {
        const struct header_node *end = header_tree_find(p2p->options.ground.tree, &at->end);

        if (end != NULL && node->height <= end->height && node->height > end->height - at->n &&
            header_is_ancestor(node, end))
            return true;
    }
    return false;
}

void headers_judging(struct p2p *p2p, struct headers_judged *judged)
{
    judged->next = p2p->headers.judged;
    p2p->headers.judged = judged;
}

void headers_answered(struct p2p *p2p, const struct headers_judged *judged)
{
    struct headers_judged **at = &p2p->headers.judged;

    while (*at != judged)
        at = &(*at)->next;
    *at = judged->next;
}

static void answered(struct p2p *p2p, void *own_argument)
{
    struct headers_offer *offer = own_argument;
    struct peer *peer = peer_find(p2p, offer->peer_id);

    headers_answered(p2p, &offer->judged);
    if (peer != NULL) {
        if (offer->verdict != V_VALID)
            refused(peer, offer);
        else
            accepted(peer, offer);
        peer_answered(peer);
    }
    free(offer);
}

/* On the chain thread. */
static void take_answer(void *context, const struct headers_answer *answer)
{
    struct headers_offer *offer = context;

    offer->verdict = answer->verdict;
    offer->last = answer->last;
    p2p_post(offer->p2p, answered, offer);
}

static void offer_headers(struct peer *peer, const struct header *headers,
                          const struct block_hash *hashes, size_t n, bool was_full, bool is_compact)
{
    struct p2p *p2p = peer->p2p;
    struct header *copy = alloc_array(n, sizeof(*copy));
    struct headers_offer *offer = alloc_zero(sizeof(*offer));

    memcpy(copy, headers, n * sizeof(*copy));
    offer->p2p = p2p;
    offer->peer_id = peer->id;
    offer->is_compact = is_compact;
    offer->was_full = was_full;
    offer->has_presync = peer->headers.presync != NULL;
    offer->is_news = header_tree_find(p2p->options.ground.tree, &hashes[n - 1]) == NULL;
    offer->bad = hashes[n - 1];
    offer->judged = (struct headers_judged){.end = hashes[n - 1], .n = (int32_t)n};
    headers_judging(p2p, &offer->judged);
    peer_wait(peer);
    p2p->options.sink->ops->offer_headers(p2p->options.sink, copy, n, take_answer, offer);
}

/* --- Low work --- */

static void presync_over(struct peer *peer)
{
    presync_free(peer->headers.presync);
    peer->headers.presync = NULL;
    if (peer->p2p->headers.presync_best == peer->id)
        peer->p2p->headers.presync_best = -1;
}

/* Of several peers in their first pass only the one that is ahead is told of. */
static void tell_presync(struct peer *peer)
{
    struct p2p *p2p = peer->p2p;
    const struct p2p_ground *ground = &p2p->options.ground;
    struct peer *best = peer_find(p2p, p2p->headers.presync_best);
    int64_t now_ms = p2p_now_ms(p2p);
    int64_t height = presync_height(peer->headers.presync);
    struct u256 work = header_work(headers_best(p2p));
    int64_t left;

    if (best != NULL && best != peer && best->headers.presync != NULL) {
        struct u256 mine = presync_work(peer->headers.presync);
        struct u256 others = presync_work(best->headers.presync);

        if (u256_compare(&mine, &others) <= 0)
            return;
    }
    p2p->headers.presync_best = peer->id;
    if (presync_phase_of(peer->headers.presync) != PRESYNC_COUNT ||
        u256_compare(&work, &p2p->options.minimum_chain_work) >= 0 ||
        (p2p->headers.presync_told_ms <= now_ms &&
         now_ms < p2p->headers.presync_told_ms + PRESYNC_TELL_MS))
        return;
    p2p->headers.presync_told_ms = now_ms;
    if (!ground->is_initial_block_download(ground->context))
        return;
    left = (now_ms / 1000 - (int64_t)presync_time(peer->headers.presync)) /
           p2p->params->pow_target_spacing_s;
    log_info("net", "Pre-synchronizing blockheaders, height: %" PRId64 " (~%.2f%%)", height,
             100.0 * (double)height / (double)(height + MAX(left, 0)));
}

static void ask_presync(struct peer *peer)
{
    struct block_hash hashes[LOCATOR_MAX + 1];
    size_t n = presync_locator(peer->headers.presync, hashes);

    if (headers_ask_locator(peer, hashes, n))
        log_debug("net", "more getheaders (from %s) to peer=%" PRId64, hash_hex(hashes[0].b).text,
                  peer->id);
}

static void log_presync(const struct peer *peer, const struct presync_result *result)
{
    const char *what = "aborted";

    if (result->note[0] == '\0')
        return;
    if (result->is_ok && result->wants_more)
        what = "transition";
    else if (result->is_ok && strncmp(result->note, "releasing", 9) == 0)
        what = "complete";
    log_debug("net", "Initial headers sync %s with peer=%" PRId64 ": %s", what, peer->id,
              result->note);
}

/* True: it was for the presync. Then what is left to judge, proven, is in *ret. */
static bool feed_presync(struct peer *peer, struct presync_result *ret,
                         const struct header *headers, const struct block_hash *hashes, size_t n)
{
    *ret = (struct presync_result){.is_ok = false};
    if (peer->headers.presync == NULL)
        return false;
    presync_feed(peer->headers.presync, ret, headers, hashes, n, n == HEADERS_N_MAX);
    log_presync(peer, ret);
    if (ret->is_ok)
        peer->headers.asked_ms = 0;
    if (ret->is_ok && ret->wants_more)
        ask_presync(peer);
    if (presync_phase_of(peer->headers.presync) == PRESYNC_OVER)
        presync_over(peer);
    else
        tell_presync(peer);
    return ret->is_ok;
}

static void begin_presync(struct peer *peer, const struct header_node *start,
                          const struct header *headers, const struct block_hash *hashes, size_t n,
                          const struct u256 *threshold)
{
    struct p2p *p2p = peer->p2p;
    struct presync_options options = {.params = p2p->params,
                                      .start = start,
                                      .work_wanted = *threshold,
                                      .limits = presync_limits_of(p2p->params),
                                      .now_s = p2p_now_s(p2p)};
    struct presync_result result;
    char work[65];

    random_fill(&p2p->random, &options.salt, sizeof(options.salt));
    options.offset = (uint32_t)random_below(&p2p->random, options.limits.stride);
    presync_free(peer->headers.presync);
    peer->headers.presync = presync_new(&options);
    u256_to_hex(work, threshold);
    log_debug("net",
              "Initial headers sync started with peer=%" PRId64 ": height=%" PRId32
              ", max_commitments=%" PRIu64 ", min_work=%s",
              peer->id, start->height, presync_bits_max(peer->headers.presync), work);
    (void)feed_presync(peer, &result, headers, hashes, n);
    free(result.headers);
}

/* --- The message --- */

static bool is_on_our_chain(const struct p2p *p2p, const struct header_node *node)
{
    return node != NULL && (header_is_ancestor(node, headers_best(p2p)) ||
                            header_is_ancestor(node, headers_tip(p2p)));
}

/* Work as claimed, each header with the next one's parent. */
static bool check_headers(struct peer *peer, const struct header *headers,
                          struct block_hash *ret_hashes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ret_hashes[i] = header_hash(&headers[i]);
        if (!pow_check(&ret_hashes[i], headers[i].bits, peer->p2p->params)) {
            peer_misbehaved(peer, "header with invalid proof of work");
            return false;
        }
    }
    for (size_t i = 1; i < n; i++) {
        if (!block_hash_equal(&headers[i].prev, &ret_hashes[i - 1])) {
            peer_misbehaved(peer, "non-continuous headers sequence");
            return false;
        }
    }
    return true;
}

/* Perhaps news whose parents we miss: the answer to our question will tell. */
static void take_unconnected(struct peer *peer, const struct header *headers,
                             const struct block_hash *hashes, size_t n)
{
    const struct header_node *best = headers_best(peer->p2p);

    if (headers_ask(peer, best))
        log_debug("net",
                  "received header %s: missing prev block %s, sending getheaders (%" PRId32
                  ") to end (peer=%" PRId64 ")",
                  hash_hex(hashes[0].b).text, hash_hex(headers[0].prev.b).text, best->height,
                  peer->id);
    headers_heard(peer, &hashes[n - 1]);
}

/* True: too little work to be judged. */
static bool is_low_work(struct peer *peer, const struct header_node *start,
                        const struct header *headers, const struct block_hash *hashes, size_t n)
{
    struct u256 threshold = headers_work_threshold(peer->p2p);
    struct u256 work = header_work(start);
    struct u256 one = {.limb = {0}};

    for (size_t i = 0; i < n; i++) {
        if (i == 0 || headers[i].bits != headers[i - 1].bits)
            one = work_of_bits(headers[i].bits);
        work = u256_add(&work, &one);
    }
    if (u256_compare(&work, &threshold) >= 0)
        return false;
    if (n == HEADERS_N_MAX)
        begin_presync(peer, start, headers, hashes, n, &threshold);
    else
        log_debug("net", "Ignoring low-work chain (height=%zu) from peer=%" PRId64,
                  (size_t)start->height + n, peer->id);
    return true;
}

static void take_connected(struct peer *peer, const struct header *headers,
                           struct block_hash *hashes, size_t n, bool was_full, bool is_compact,
                           bool is_proven)
{
    const struct header_tree *tree = peer->p2p->options.ground.tree;
    const struct header_node *start = header_tree_find(tree, &headers[0].prev);

    if (start == NULL) {
        take_unconnected(peer, headers, hashes, n);
        return;
    }
    peer->headers.asked_ms = 0;
    is_proven = is_proven || peer_has(peer, PERMISSION_NO_BAN) ||
                is_on_our_chain(peer->p2p, header_tree_find(tree, &hashes[n - 1]));
    if (!is_proven && is_low_work(peer, start, headers, hashes, n))
        return;
    offer_headers(peer, headers, hashes, n, was_full, is_compact);
}

static void take_headers(struct peer *peer, const struct header *headers, size_t n, bool is_compact,
                         struct arena *arena)
{
    struct block_hash *hashes = arena_array(arena, n, sizeof(*hashes));
    struct presync_result result;
    bool is_proven;

    if (!check_headers(peer, headers, hashes, n))
        return;
    is_proven = feed_presync(peer, &result, headers, hashes, n);
    if (is_proven) {
        if (result.headers_n > 0) {
            hashes = arena_array(arena, result.headers_n, sizeof(*hashes));
            for (size_t i = 0; i < result.headers_n; i++)
                hashes[i] = header_hash(&result.headers[i]);
            take_connected(peer, result.headers, hashes, result.headers_n, n == HEADERS_N_MAX,
                           is_compact, true);
        }
    } else {
        take_connected(peer, headers, hashes, n, n == HEADERS_N_MAX, is_compact, false);
    }
    free(result.headers);
}

void headers_take_one(struct peer *peer, const struct header *header, bool is_compact)
{
    struct arena arena;

    arena_init(&arena);
    take_headers(peer, header, 1, is_compact, &arena);
    arena_clear(&arena);
}

static void handle_headers(struct peer *peer, const struct wire_message *message,
                           struct arena *arena)
{
    struct message_headers headers;
    struct error err = {0};
    int rc;

    if (headers_is_loading(peer->p2p)) {
        log_debug("net", "Unexpected headers message received from peer %" PRId64, peer->id);
        return;
    }
    rc = message_read_headers(&headers, message->payload, arena, &err);
    if (rc == E_LIMIT) {
        peer_misbehaved(peer, "%s", error_text(&err));
        return;
    }
    if (rc < 0) {
        log_debug("net", "headers (%zu bytes): %s, peer=%" PRId64, message->payload.len,
                  error_text(&err), peer->id);
        return;
    }
    if (headers.n == 0) {
        /* It has nothing more: an answer, and the end of what was going on. */
        presync_over(peer);
        peer->headers.asked_ms = 0;
        return;
    }
    take_headers(peer, headers.header, headers.n, false, arena);
}

/* --- inv: blocks only, transactions are another subject's --- */

static bool is_had(const struct p2p *p2p, const struct block_hash *hash)
{
    return header_tree_find(p2p->options.ground.tree, hash) != NULL;
}

static void inv_wants_headers(struct peer *peer, const struct block_hash *hash)
{
    struct p2p_headers *all = &peer->p2p->headers;
    const struct header_node *best = headers_best(peer->p2p);

    /* Before the first sync one more peer is asked for each new block. */
    if (!peer->headers.is_sync_started &&
        (peer->headers.was_inv_asked || block_hash_equal(hash, &all->inv_asked)))
        return;
    if (headers_ask(peer, best))
        log_debug("net", "getheaders (%" PRId32 ") %s to peer=%" PRId64, best->height,
                  hash_hex(hash->b).text, peer->id);
    if (!peer->headers.is_sync_started) {
        peer->headers.was_inv_asked = true;
        all->inv_asked = *hash;
    }
}

/* Returns whether the message is done with: others read its transactions. */
static bool handle_inv(struct peer *peer, const struct wire_message *message, struct arena *arena)
{
    struct block_hash last = {{0}};
    struct message_inv inv;
    struct error err = {0};
    int rc = message_read_inv(&inv, message->payload, MESSAGE_INV, arena, &err);

    if (rc == E_LIMIT) {
        peer_misbehaved(peer, "%s", error_text(&err));
        return true;
    }
    if (rc < 0)
        return false;
    for (uint32_t i = 0; i < inv.n; i++) {
        struct block_hash hash;
        bool is_here;

        if (inv.inv[i].type != INV_BLOCK)
            continue;
        memcpy(hash.b, inv.inv[i].hash, HASH_BYTES);
        is_here = is_had(peer->p2p, &hash);
        log_debug("net", "got inv: block %s %s peer=%" PRId64, hash_hex(hash.b).text,
                  is_here ? "have" : "new", peer->id);
        headers_heard(peer, &hash);
        if (!is_here && !headers_is_loading(peer->p2p))
            last = hash;
    }
    if (!block_hash_is_null(&last))
        inv_wants_headers(peer, &last);
    return false;
}

bool headers_handle(struct peer *peer, const struct wire_message *message, struct arena *arena)
{
    switch (message->type) {
    case MESSAGE_HEADERS:
        handle_headers(peer, message, arena);
        return true;
    case MESSAGE_INV:
        return handle_inv(peer, message, arena);
    default:
        return false;
    }
}
