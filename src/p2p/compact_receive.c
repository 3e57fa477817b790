/* Compact blocks that come (BIP 152): put together from what we have, the rest asked for,
 * or the whole block where that does not work out. */
#include <inttypes.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "p2p/block_download_priv.h"
#include "p2p/compact_block.h"
#include "p2p/p2p_priv.h"

#define COMPACT_VERSION 2
/* Further above the tip the transactions are hardly known. */
#define COMPACT_AHEAD_MAX 2

/* What a peer's compact block lacks is on its way. */
struct partial_block {
    struct compact_block *compact; /* Owned; NULL once it was tried and did not work. */
};

void partial_block_free(struct partial_block *own_partial)
{
    if (own_partial == NULL)
        return;
    compact_block_free(own_partial->compact);
    free(own_partial);
}

/* --- High bandwidth: who may send compact blocks unasked --- */

static void say_sendcmpct(struct peer *peer, bool is_high)
{
    struct message_sendcmpct sendcmpct = {.high_bandwidth = is_high, .version = COMPACT_VERSION};

    message_write_sendcmpct(peer_begin(peer, MESSAGE_SENDCMPCT), &sendcmpct);
    peer_end(peer);
}

static void drop_preferred(struct p2p_blocks *all, uint32_t at)
{
    memmove(&all->hb_peers[at], &all->hb_peers[at + 1],
            (all->hb_peers_n - at - 1) * sizeof(all->hb_peers[0]));
    all->hb_peers_n--;
}

void compact_peer_gone(struct peer *peer)
{
    struct p2p_blocks *all = &peer->p2p->blocks;

    for (uint32_t i = all->hb_peers_n; i > 0; i--) {
        if (all->hb_peers[i - 1] == peer->id)
            drop_preferred(all, i - 1);
    }
}

/* An inbound newcomer must not push out the only one that we chose to connect to. */
static void spare_outbound(struct p2p *p2p)
{
    struct p2p_blocks *all = &p2p->blocks;
    uint32_t outbound_n = 0;
    bool first_is_outbound = false;

    for (uint32_t i = 0; i < all->hb_peers_n; i++) {
        const struct peer *peer = peer_find(p2p, all->hb_peers[i]);
        bool is_outbound = peer != NULL && !peer_is_inbound(peer);

        outbound_n += is_outbound;
        first_is_outbound = i == 0 ? is_outbound : first_is_outbound;
    }
    if (all->hb_peers_n == BLOCKS_HB_PEERS_MAX && outbound_n == 1 && first_is_outbound) {
        int64_t id = all->hb_peers[0];

        all->hb_peers[0] = all->hb_peers[1];
        all->hb_peers[1] = id;
    }
}

void compact_prefer(struct peer *peer)
{
    struct p2p *p2p = peer->p2p;
    struct p2p_blocks *all = &p2p->blocks;
    struct peer *old;

    if (p2p->options.blocks_only || !peer->blocks.provides_compact || peer->is_doomed)
        return;
    for (uint32_t i = 0; i < all->hb_peers_n; i++) {
        if (all->hb_peers[i] != peer->id)
            continue;
        drop_preferred(all, i);
        all->hb_peers[all->hb_peers_n++] = peer->id; /* The youngest now. */
        return;
    }
    if (peer_is_inbound(peer))
        spare_outbound(p2p);
    say_sendcmpct(peer, true);
    peer->blocks.is_hb_to = true;
    all->hb_peers[all->hb_peers_n++] = peer->id;
    if (all->hb_peers_n <= BLOCKS_HB_PEERS_MAX)
        return;
    old = peer_find(p2p, all->hb_peers[0]);
    drop_preferred(all, 0);
    if (old != NULL && !old->is_doomed) {
        say_sendcmpct(old, false);
        old->blocks.is_hb_to = false;
    }
}

/* BIP 152: after the handshake both sides say what they understand. */
void blocks_peer_ready(struct peer *peer)
{
    if (peer->kind != PEER_PRIVATE_BROADCAST &&
        peer_common_version(peer) >= PROTOCOL_VERSION_COMPACT)
        say_sendcmpct(peer, false);
}

static void handle_sendcmpct(struct peer *peer, const struct wire_message *message)
{
    struct message_sendcmpct sendcmpct;
    struct error err = {0};
    int rc = message_read_sendcmpct(&sendcmpct, message->payload, &err);

    if (rc == E_LIMIT) {
        peer_misbehaved(peer, "%s", error_text(&err));
        return;
    }
    if (rc < 0) {
        peer_garbled(peer, message, &err);
        return;
    }
    if (sendcmpct.version != COMPACT_VERSION)
        return;
    peer->blocks.provides_compact = true;
    peer->blocks.is_hb_from = sendcmpct.high_bandwidth;
}

/* --- Transactions that may be in the next block --- */

void blocks_keep_extra(struct p2p *p2p, const struct tx_ref *tx)
{
    struct p2p_blocks *all = &p2p->blocks;
    uint32_t max = p2p->options.block_reconstruction_extra_txn;

    if (max == 0)
        return;
    if (all->extra_n == max)
        tx_ref_drop(all->extra[all->extra_next]);
    else
        all->extra_n++;
    all->extra[all->extra_next] = tx_ref_hold(tx);
    all->extra_next = (all->extra_next + 1) % max;
}

static bool offer_one(void *context, const struct tx_ref *tx)
{
    return compact_block_offer(context, tx);
}

static void offer_known(struct p2p *p2p, struct compact_block *compact)
{
    struct mempool_view *mempool = p2p->options.mempool;

    if (mempool != NULL)
        mempool->ops->walk(mempool, offer_one, compact);
    for (uint32_t i = 0; i < p2p->blocks.extra_n; i++) {
        if (!compact_block_offer(compact, p2p->blocks.extra[i]))
            break;
    }
}

/* --- Putting a block together --- */

static bool is_first_in_flight(const struct peer *peer, const struct header_node *node)
{
    const struct block_request *first = blocks_requests(peer->p2p, node);

    return first == NULL || first->peer == peer;
}

static void ask_whole(struct peer *peer, const struct header_node *node)
{
    blocks_send_getdata(peer, blocks_inv_type(peer), &node->hash);
}

/* It did not work out. The first one asked sends all of it, under the same timer; its
 * other compact blocks for it are refused. */
static void fall_back(struct peer *peer, const struct header_node *node)
{
    struct block_request *request = blocks_request_of(peer, node);

    if (is_first_in_flight(peer, node)) {
        if (request != NULL && request->partial != NULL) {
            compact_block_free(request->partial->compact);
            request->partial->compact = NULL;
        }
        ask_whole(peer, node);
        return;
    }
    blocks_forget(peer->p2p, node, peer);
    log_debug("net",
              "Peer %" PRId64 " sent us a compact block but it failed to reconstruct, waiting on "
              "first download to complete",
              peer->id);
}

static void log_done(const struct compact_block *compact, const struct tx *missing, size_t n)
{
    size_t bytes = 0;

    for (size_t i = 0; i < n; i++)
        bytes += missing[i].total_bytes;
    log_debug("cmpctblock",
              "Successfully reconstructed block %s with %" PRIu32 " txn prefilled, %" PRIu32
              " txn from mempool (incl at least 0 from extra pool) and %zu txn (%zu bytes) "
              "requested",
              hash_hex(compact_block_hash(compact)->b).text, compact_block_prefilled_n(compact),
              compact_block_found_n(compact), n, bytes);
    for (size_t i = 0; n < 5 && i < n; i++)
        log_debug("cmpctblock", "Reconstructed block %s required tx %s",
                  hash_hex(compact_block_hash(compact)->b).text, hash_hex(missing[i].txid.b).text);
}

/* With the missing ones the block is whole: to the sink with it. */
static void complete(struct peer *peer, const struct header_node *node, const struct tx *missing,
                     size_t missing_n)
{
    struct block_request *request = blocks_request_of(peer, node);
    struct compact_block *compact = request->partial->compact;
    struct buf bytes = {0};

    switch (compact_block_fill(compact, missing, missing_n, &bytes)) {
    case COMPACT_INVALID:
        blocks_forget(peer->p2p, node, peer);
        peer_misbehaved(peer, "invalid compact block/non-matching block transactions");
        break;
    case COMPACT_FAILED:
        fall_back(peer, node);
        break;
    case COMPACT_OK:
        log_done(compact, missing, missing_n);
        blocks_offer(peer, &bytes, &node->hash, true, BLOCK_FROM_COMPACT);
        break;
    }
    buf_clear(&bytes);
}

void compact_spoilt(struct peer *peer, const struct header_node *node)
{
    const struct block_request *request = blocks_request_of(peer, node);

    if (request != NULL && request->partial != NULL && request->partial->compact != NULL)
        fall_back(peer, node);
}

/* --- cmpctblock --- */

/* Its header on the way to the sink and back; the message waits in this copy. */
struct compact_offer {
    struct headers_judged judged;
    struct p2p *p2p;
    int64_t peer_id;
    struct block_hash hash;
    bool is_news;
    enum verdict verdict;
    struct buf payload;
};

/* In flight from others, or too much from this one: perhaps all of it is here anyway. */
static void try_at_once(struct peer *peer, const struct header_node *node,
                        struct compact_block *compact, struct arena *arena)
{
    struct message_getblocktxn missing;
    struct buf bytes = {0};

    compact_block_missing(compact, &missing, arena);
    if (missing.n == 0 && compact_block_fill(compact, NULL, 0, &bytes) == COMPACT_OK) {
        log_done(compact, NULL, 0);
        blocks_offer(peer, &bytes, &node->hash, true, BLOCK_FROM_COMPACT_UNASKED);
    }
    buf_clear(&bytes);
}

static bool is_asked_from_outbound(const struct p2p *p2p, const struct header_node *node)
{
    for (const struct block_request *at = blocks_requests(p2p, node); at != NULL; at = at->same) {
        if (at->node == node && !peer_is_inbound(at->peer))
            return true;
    }
    return false;
}

/* May what is missing be asked of it, though others were asked first? The last of the
 * places is kept for a peer that we chose ourselves. */
static bool may_join(const struct peer *peer, const struct header_node *node, uint32_t in_flight)
{
    return peer->blocks.is_hb_to &&
           (!peer_is_inbound(peer) || is_asked_from_outbound(peer->p2p, node) ||
            in_flight < BLOCKS_COMPACT_PEERS_MAX - 1);
}

static void begin_partial(struct peer *peer, const struct header_node *node,
                          const struct message_cmpctblock *message, struct arena *arena)
{
    struct p2p *p2p = peer->p2p;
    uint32_t in_flight = blocks_request_count(p2p, node);
    bool is_first = is_first_in_flight(peer, node);
    struct message_getblocktxn missing;
    struct block_request *request;
    struct compact_block *compact = NULL;
    bool is_new;

    request = blocks_requested(peer, node, &is_new);
    if (request->partial != NULL) {
        log_debug("net", "Peer sent us compact block we were already syncing!");
        return;
    }
    request->partial = alloc_zero(sizeof(*request->partial));
    switch (compact_block_new(&compact, message, random_u64(&p2p->random))) {
    case COMPACT_INVALID:
        blocks_forget(p2p, node, peer);
        peer_misbehaved(peer, "invalid compact block");
        return;
    case COMPACT_FAILED:
        if (is_first)
            ask_whole(peer, node);
        else
            blocks_forget(p2p, node, peer);
        return;
    case COMPACT_OK:
        break;
    }
    request->partial->compact = compact;
    offer_known(p2p, compact);
    compact_block_missing(compact, &missing, arena);
    if (missing.n == 0) {
        complete(peer, node, NULL, 0);
    } else if (is_first || may_join(peer, node, in_flight)) {
        message_write_getblocktxn(peer_begin(peer, MESSAGE_GETBLOCKTXN), &missing);
        peer_end(peer);
    } else {
        blocks_forget(p2p, node, peer);
    }
}

/* The header is good: is the block wanted, and how? */
static void use_compact(struct peer *peer, const struct header_node *node,
                        const struct message_cmpctblock *message, struct arena *arena)
{
    struct p2p *p2p = peer->p2p;
    const struct header_node *tip = headers_tip(p2p);
    uint32_t in_flight = blocks_request_count(p2p, node);
    bool is_ours = blocks_request_of(peer, node) != NULL;
    struct compact_block *compact = NULL;

    if (header_has(node, HEADER_DATA) || blocks_is_here(p2p, node))
        return;
    if (!is_ours && !peer->blocks.is_hb_to) {
        log_debug("cmpctblock",
                  "peer=%" PRId64
                  ", not marked as high-bandwidth, sent us an unsolicited compact block!",
                  peer->id);
        return;
    }
    /* Something better is known, or it was here once and pruned. */
    if (header_work_compare(node, tip) <= 0 || atomic_load(&node->tx_n) != 0) {
        if (is_ours)
            ask_whole(peer, node);
        return;
    }
    if (in_flight == 0 && !headers_is_near_tip(p2p))
        return;
    if (node->height > tip->height + COMPACT_AHEAD_MAX) {
        if (is_ours)
            ask_whole(peer, node);
        else
            headers_take_one(peer, &message->header, true);
        return;
    }
    if (is_ours || (in_flight < BLOCKS_COMPACT_PEERS_MAX && peer->blocks.n < BLOCKS_PER_PEER_MAX)) {
        begin_partial(peer, node, message, arena);
    } else if (compact_block_new(&compact, message, random_u64(&p2p->random)) == COMPACT_OK) {
        offer_known(p2p, compact);
        try_at_once(peer, node, compact, arena);
        compact_block_free(compact);
    }
}

static void header_is_good(struct peer *peer, struct compact_offer *offer)
{
    struct p2p *p2p = peer->p2p;
    const struct header_node *node = header_tree_find(p2p->options.ground.tree, &offer->hash);
    struct message_cmpctblock message;
    struct arena arena;

    if (node == NULL)
        return;
    arena_init(&arena);
    if (offer->is_news) {
        headers_log_new(peer, node, true);
        if (header_work_compare(node, headers_tip(p2p)) > 0)
            headers_announced(peer);
    }
    headers_heard(peer, &node->hash);
    if (message_read_cmpctblock(&message, span_of_buf(&offer->payload), &arena, NULL) == 0)
        use_compact(peer, node, &message, &arena);
    arena_clear(&arena);
}

static void answered(struct p2p *p2p, void *own_argument)
{
    struct compact_offer *offer = own_argument;
    struct peer *peer = peer_find(p2p, offer->peer_id);

    headers_answered(p2p, &offer->judged);
    if (peer != NULL) {
        if (offer->verdict != V_VALID)
            blocks_punish(peer, offer->verdict, true, "invalid header via cmpctblock");
        else if (!peer->is_doomed)
            header_is_good(peer, offer);
        peer_answered(peer);
    }
    buf_clear(&offer->payload);
    free(offer);
}

/* On the chain thread. */
static void take_answer(void *context, const struct headers_answer *answer)
{
    struct compact_offer *offer = context;

    offer->verdict = answer->verdict;
    p2p_post(offer->p2p, answered, offer);
}

static void offer_header(struct peer *peer, const struct message_cmpctblock *compact,
                         struct span payload)
{
    struct p2p *p2p = peer->p2p;
    struct compact_offer *offer = alloc_zero(sizeof(*offer));
    struct header *header = alloc(sizeof(*header));

    *header = compact->header;
    offer->p2p = p2p;
    offer->peer_id = peer->id;
    offer->hash = header_hash(header);
    offer->is_news = header_tree_find(p2p->options.ground.tree, &offer->hash) == NULL;
    buf_add(&offer->payload, payload.data, payload.len);
    offer->judged = (struct headers_judged){.end = offer->hash, .n = 1};
    headers_judging(p2p, &offer->judged);
    peer_wait(peer);
    p2p->options.sink->ops->offer_headers(p2p->options.sink, header, 1, take_answer, offer);
}

static bool may_send_compact(const struct peer *peer)
{
    const char *why = NULL;

    if (headers_is_loading(peer->p2p))
        why = "even though we are still loading blocks!";
    else if (peer->p2p->options.blocks_only)
        why = "even though we are blocksonly!";
    else if (!peer->blocks.provides_compact)
        why = "despite never having sent us a SENDCMPCT!";
    if (why != NULL)
        log_debug("cmpctblock", "peer=%" PRId64 " sent us a compact block %s", peer->id, why);
    return why == NULL;
}

static void handle_cmpctblock(struct peer *peer, const struct wire_message *message,
                              struct arena *arena)
{
    struct p2p *p2p = peer->p2p;
    const struct p2p_ground *ground = &p2p->options.ground;
    const struct header_node *prev;
    struct message_cmpctblock compact;
    struct error err = {0};
    int rc;

    if (!may_send_compact(peer))
        return;
    rc = message_read_cmpctblock(&compact, message->payload, arena, &err);
    if (rc == E_LIMIT)
        peer_misbehaved(peer, "invalid compact block: %s", error_text(&err));
    else if (rc < 0)
        peer_garbled(peer, message, &err);
    if (rc < 0)
        return;
    prev = header_tree_find(ground->tree, &compact.header.prev);
    if (prev == NULL) {
        if (!ground->is_initial_block_download(ground->context))
            (void)headers_ask(peer, headers_best(p2p));
        return;
    }
    if (!headers_has_work(p2p, prev, compact.header.bits)) {
        log_debug("net", "Ignoring low-work compact block from peer %" PRId64, peer->id);
        return;
    }
    offer_header(peer, &compact, message->payload);
}

/* --- blocktxn --- */

static void handle_blocktxn(struct peer *peer, const struct wire_message *message,
                            struct arena *arena)
{
    struct p2p *p2p = peer->p2p;
    const struct header_node *node;
    const struct block_request *request;
    struct message_blocktxn txs;
    struct error err = {0};

    if (headers_is_loading(p2p)) {
        log_debug("net", "Unexpected blocktxn message received from peer %" PRId64, peer->id);
        return;
    }
    if (message_read_blocktxn(&txs, message->payload, arena, &err) < 0) {
        peer_garbled(peer, message, &err);
        return;
    }
    node = header_tree_find(p2p->options.ground.tree, &txs.block_hash);
    request = node == NULL ? NULL : blocks_request_of(peer, node);
    if (request == NULL || request->partial == NULL) {
        log_debug("net",
                  "Peer %" PRId64 " sent us block transactions for block we weren't expecting",
                  peer->id);
        return;
    }
    if (request->partial->compact == NULL) {
        blocks_forget(p2p, node, peer);
        peer_misbehaved(peer, "previous compact block reconstruction attempt failed");
        return;
    }
    complete(peer, node, txs.tx, txs.n);
}

bool compact_handle(struct peer *peer, const struct wire_message *message, struct arena *arena)
{
    switch (message->type) {
    case MESSAGE_SENDCMPCT:
        handle_sendcmpct(peer, message);
        return true;
    case MESSAGE_CMPCTBLOCK:
        handle_cmpctblock(peer, message, arena);
        return true;
    case MESSAGE_BLOCKTXN:
        handle_blocktxn(peer, message, arena);
        return true;
    default:
        return false;
    }
}
