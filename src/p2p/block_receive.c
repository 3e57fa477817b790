/* Blocks that come, and what is found out about them. */
#include <inttypes.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "p2p/block_download_priv.h"
#include "p2p/p2p_priv.h"

#define STALL_MIN_MS 2000

/* --- Who sent it --- */

static struct block_source *source_slot(const struct p2p *p2p, const struct block_hash *hash)
{
    return &p2p->blocks.sources[get_le32(hash->b) % BLOCKS_SOURCES];
}

static struct block_source *source_of(const struct p2p *p2p, const struct block_hash *hash)
{
    struct block_source *source = source_slot(p2p, hash);

    return source->is_used && block_hash_equal(&source->hash, hash) ? source : NULL;
}

/* Whoever was first stays it. */
static void set_source(struct peer *peer, const struct block_hash *hash, bool may_punish)
{
    if (source_of(peer->p2p, hash) == NULL)
        *source_slot(peer->p2p, hash) = (struct block_source){
            .hash = *hash, .peer_id = peer->id, .is_used = true, .may_punish = may_punish};
}

static void forget_source(struct p2p *p2p, const struct block_hash *hash)
{
    struct block_source *source = source_of(p2p, hash);

    if (source != NULL)
        source->is_used = false;
}

/* --- Punishing --- */

void blocks_punish(struct peer *peer, enum verdict verdict, bool is_compact, const char *why)
{
    bool is_bad;

    switch (verdict) {
    case V_VALID:
        return;
    case V_TIME_TOO_NEW: /* Its clock may be right. */
    case V_LOW_WORK:
        is_bad = false;
        break;
    case V_DUPLICATE_INVALID: /* Those who called us may just not know better. */
        is_bad = !is_compact && !peer_is_inbound(peer);
        break;
    case V_HIGH_HASH:
    case V_BAD_DIFFBITS:
    case V_TIME_TOO_OLD:
    case V_TIME_TIMEWARP:
    case V_BAD_VERSION:
    case V_BAD_PREV:
    case V_PREV_NOT_FOUND:
        is_bad = true;
        break;
    default: /* Compact blocks are passed on before they are verified. */
        is_bad = !is_compact;
        break;
    }
    if (is_bad)
        peer_misbehaved(peer, "%s", why);
    else if (why[0] != '\0')
        log_debug("net", "peer=%" PRId64 ": %s", peer->id, why);
}

static void punish_source(struct p2p *p2p, const struct block_hash *hash, enum verdict verdict)
{
    const struct block_source *source = source_of(p2p, hash);
    struct peer *peer = source == NULL ? NULL : peer_find(p2p, source->peer_id);
    bool is_compact = source != NULL && !source->may_punish;

    forget_source(p2p, hash);
    if (peer != NULL)
        blocks_punish(peer, verdict, is_compact, verdict_reason(verdict));
}

/* --- Offering --- */

struct block_offer {
    struct p2p *p2p;
    int64_t peer_id;
    struct block_hash hash;
    const struct header_node *here; /* blocks_arrived was called for it; or NULL. */
    enum block_origin origin;
    enum verdict verdict;
    bool is_new;
    bool is_mutated;
    bool is_unreadable;
    char reason[192];
    char detail[128];
};

static void refused(struct p2p *p2p, struct peer *peer, const struct block_offer *offer,
                    const struct header_node *node)
{
    if (offer->is_mutated && offer->origin != BLOCK_SENT) {
        /* Two transactions of one short name: nobody is to blame. */
        forget_source(p2p, &offer->hash);
        if (peer != NULL && node != NULL && offer->origin == BLOCK_FROM_COMPACT)
            compact_spoilt(peer, node);
        return;
    }
    if (offer->is_mutated) {
        log_debug("validation", "Block mutated: %s, %s", offer->reason, offer->detail);
        log_debug("net", "Received mutated block from peer=%" PRId64, offer->peer_id);
    } else {
        log_debug("validation", "Block %s, %s: AcceptBlock FAILED (%s)",
                  hash_hex(offer->hash.b).text, offer->reason, offer->reason);
    }
    if (peer != NULL && node != NULL && offer->origin == BLOCK_FROM_COMPACT)
        blocks_forget(p2p, node, peer);
    punish_source(p2p, &offer->hash, offer->verdict);
}

static void taken(struct p2p *p2p, struct peer *peer, const struct block_offer *offer,
                  const struct header_node *node)
{
    if (offer->is_new && peer != NULL)
        peer->blocks.last_block_s = p2p_now_s(p2p);
    if (!offer->is_new)
        forget_source(p2p, &offer->hash);
    if (node == NULL)
        return;
    /* Whoever else was asked need not send it any more. */
    if (offer->is_new ||
        (offer->origin == BLOCK_FROM_COMPACT_UNASKED && header_has(node, HEADER_CHECKED)))
        blocks_forget(p2p, node, NULL);
    else if (peer != NULL && offer->origin == BLOCK_FROM_COMPACT)
        blocks_forget(p2p, node, peer);
}

static void block_answered(struct p2p *p2p, void *own_argument)
{
    struct block_offer *offer = own_argument;
    struct peer *peer = peer_find(p2p, offer->peer_id);
    const struct header_node *node = header_tree_find(p2p->options.ground.tree, &offer->hash);

    if (offer->here != NULL)
        blocks_judged(p2p, offer->here);
    if (offer->is_unreadable) {
        log_debug("net", "ProcessMessages(block): Exception '%s' caught, peer=%" PRId64,
                  strstr(offer->detail, "end of data") != NULL
                      ? "DataStream::read(): end of data"
                      : "non-canonical ReadCompactSize() or unknown flags",
                  offer->peer_id);
        forget_source(p2p, &offer->hash);
    } else if (offer->verdict != V_VALID) {
        refused(p2p, peer, offer, node);
    } else {
        taken(p2p, peer, offer, node);
    }
    if (peer != NULL)
        peer_block_answered(peer);
    free(offer);
}

/* On the chain thread. */
static void take_answer(void *context, const struct block_answer *answer)
{
    struct block_offer *offer = context;

    offer->verdict = answer->result.verdict;
    offer->is_new = answer->result.is_new;
    offer->is_mutated = answer->is_mutated;
    offer->is_unreadable = answer->result.verdict != V_VALID && block_hash_is_null(&answer->hash);
    snprintf(offer->reason, sizeof(offer->reason), "%s", answer->result.reason);
    snprintf(offer->detail, sizeof(offer->detail), "%.127s", answer->result.detail);
    p2p_post(offer->p2p, block_answered, offer);
}

void blocks_offer(struct peer *peer, struct buf *own_bytes, const struct block_hash *hash,
                  bool is_requested, enum block_origin origin)
{
    struct p2p *p2p = peer->p2p;
    struct block_offer *offer = alloc_zero(sizeof(*offer));

    offer->p2p = p2p;
    offer->peer_id = peer->id;
    offer->hash = *hash;
    offer->origin = origin;
    offer->here = header_tree_find(p2p->options.ground.tree, hash);
    if (offer->here != NULL)
        blocks_arrived(p2p, offer->here);
    set_source(peer, hash, origin == BLOCK_SENT);
    peer_wait_block(peer);
    p2p->options.sink->ops->offer_block(p2p->options.sink, own_bytes, is_requested, take_answer,
                                        offer);
}

static void handle_block(struct peer *peer, const struct wire_message *message)
{
    struct p2p *p2p = peer->p2p;
    const struct header_tree *tree = p2p->options.ground.tree;
    const struct header_node *node;
    const struct header_node *prev;
    struct message_block block;
    struct buf bytes = {0};
    bool is_requested;

    if (headers_is_loading(p2p)) {
        log_debug("net", "Unexpected block message received from peer %" PRId64, peer->id);
        return;
    }
    if (message_read_block(&block, message->payload, NULL) < 0)
        return;
    log_debug("net", "received block %s peer=%" PRId64, hash_hex(block.hash.b).text, peer->id);
    node = header_tree_find(tree, &block.hash);
    prev = header_tree_find(tree, &block.header.prev);
    is_requested = node != NULL && blocks_requests(p2p, node) != NULL;
    if (node != NULL)
        blocks_forget(p2p, node, peer);
    /* A chain with too little work is not stored, nor is its sender to blame. */
    if (node == NULL && prev != NULL && !headers_has_work(p2p, prev, block.header.bits)) {
        log_debug("validation",
                  "AcceptBlockHeader: not adding new block header %s, missing anti-dos "
                  "proof-of-work validation",
                  hash_hex(block.hash.b).text);
        return;
    }
    buf_add(&bytes, block.raw.data, block.raw.len);
    blocks_offer(peer, &bytes, &block.hash, is_requested, BLOCK_SENT);
}

bool blocks_handle(struct peer *peer, const struct wire_message *message, struct arena *arena)
{
    if (message->type == MESSAGE_BLOCK) {
        handle_block(peer, message);
        return true;
    }
    return compact_handle(peer, message, arena);
}

/* --- Chain events --- */

struct block_event {
    struct block_hash hash;
    enum verdict verdict;
};

static void connected(struct p2p *p2p, void *own_argument)
{
    struct block_event *event = own_argument;
    const struct p2p_ground *ground = &p2p->options.ground;
    struct p2p_blocks *all = &p2p->blocks;
    const struct block_source *source = source_of(p2p, &event->hash);
    const struct header_node *node = header_tree_find(ground->tree, &event->hash);
    struct peer *peer = source == NULL ? NULL : peer_find(p2p, source->peer_id);

    headers_tip_moved(p2p);
    if (all->stall_ms > STALL_MIN_MS) {
        all->stall_ms = MAX(all->stall_ms * 85 / 100 / 1000 * 1000, STALL_MIN_MS);
        log_debug("net", "Decreased stalling timeout to %" PRId64 " seconds", all->stall_ms / 1000);
    }
    /* Whoever brings the best block first may do so unasked from now on. */
    if (peer != NULL && node != NULL && !ground->is_initial_block_download(ground->context) &&
        blocks_request_count(p2p, node) == all->requests_n)
        compact_prefer(peer);
    forget_source(p2p, &event->hash);
    free(event);
}

static void rejected(struct p2p *p2p, void *own_argument)
{
    struct block_event *event = own_argument;

    punish_source(p2p, &event->hash, event->verdict);
    free(event);
}

static void post(struct p2p *p2p, const struct block_hash *hash, enum verdict verdict,
                 void (*run)(struct p2p *p2p, void *own_argument))
{
    struct block_event *event = alloc_zero(sizeof(*event));

    event->hash = *hash;
    event->verdict = verdict;
    p2p_post(p2p, run, event);
}

void blocks_event_connected(struct p2p *p2p, const struct block_info *info,
                            const struct block *block)
{
    (void)block;
    post(p2p, &info->hash, V_VALID, connected);
}

/* Reasons may go on behind the words of the verdict. */
static enum verdict verdict_of(const char *reason)
{
    enum verdict best = V_SCRIPT_FAILED;
    size_t best_len = 0;

    for (int v = V_VALID + 1; v < V_COUNT; v++) {
        const char *words = verdict_reason((enum verdict)v);
        size_t len = strlen(words);

        if (len > best_len && strncmp(reason, words, len) == 0) {
            best = (enum verdict)v;
            best_len = len;
        }
    }
    return best;
}

void blocks_event_rejected(struct p2p *p2p, const struct block_hash *hash, const char *reason)
{
    post(p2p, hash, verdict_of(reason), rejected);
}
