/* Headers and blocks for those who ask. */
#include "p2p/serve_priv.h"

#include <inttypes.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "codec/writer.h"
#include "p2p/p2p_priv.h"

#define GETBLOCKS_MAX 500
#define COMPACT_DEPTH 5   /* Deeper blocks are sent whole. */
#define BLOCKTXN_DEPTH 10 /* So are those whose transactions are asked for. */
#define DAY_S (24 * 60 * 60)
#define STALE_AGE_S (INT64_C(30) * DAY_S) /* Older stale blocks would mark us. */
#define OLD_BLOCK_S (7 * DAY_S)           /* -maxuploadtarget spares younger ones. */
#define UPLOAD_SPAN_S DAY_S
#define KEPT_BLOCKS 288
/* What a limited node must have: with two for races. */
#define LIMITED_DEPTH (KEPT_BLOCKS + 2)

void serve_init(struct p2p *p2p)
{
    p2p->serve.fast_height = -1;
}

static void clear_recent(struct recent_block *recent)
{
    buf_clear(&recent->bytes);
    buf_clear(&recent->compact);
    arena_clear(&recent->arena);
    *recent = (struct recent_block){.node = NULL};
}

void serve_clear(struct p2p *p2p)
{
    clear_recent(&p2p->serve.recent);
}

void serve_peer_added(struct peer *peer)
{
    peer->serve = (struct peer_serve){.queue = NULL};
}

void serve_peer_ready(struct peer *peer)
{
    (void)peer;
}

void serve_peer_gone(struct peer *peer)
{
    free(peer->serve.queue);
    peer->serve = (struct peer_serve){.queue = NULL};
}

void serve_fill_info(const struct peer *peer, struct peer_info *info, struct arena *arena)
{
    (void)peer;
    (void)info;
    (void)arena;
}

/* --- -maxuploadtarget --- */

void serve_sent(struct p2p *p2p, uint64_t bytes)
{
    struct p2p_serve *serve = &p2p->serve;
    int64_t now_s = p2p_now_s(p2p);

    if (serve->span_start_s + UPLOAD_SPAN_S < now_s) {
        serve->span_start_s = now_s;
        serve->sent_bytes = 0;
    }
    serve->sent_bytes += bytes;
}

static uint64_t span_left_s(const struct p2p *p2p)
{
    int64_t end_s = p2p->serve.span_start_s + UPLOAD_SPAN_S;

    if (p2p->options.max_upload_bytes == 0)
        return 0;
    if (p2p->serve.span_start_s == 0)
        return UPLOAD_SPAN_S;
    return (uint64_t)MAX(end_s - p2p_now_s(p2p), 0);
}

bool serve_upload_is_over(struct p2p *p2p, bool for_old_blocks)
{
    uint64_t limit = p2p->options.max_upload_bytes;
    /* One block every ten minutes until the span ends. */
    uint64_t reserve = for_old_blocks ? span_left_s(p2p) / 600 * MESSAGE_BYTES_MAX : 0;

    if (limit == 0)
        return false;
    return reserve >= limit || p2p->serve.sent_bytes >= limit - reserve;
}

void serve_fill_status(struct p2p *p2p, struct peers_status *status)
{
    uint64_t limit = p2p->options.max_upload_bytes;
    uint64_t sent = p2p->serve.sent_bytes;

    status->upload_target_bytes = limit;
    status->upload_span_s = UPLOAD_SPAN_S;
    status->upload_left_bytes = limit > sent ? limit - sent : 0;
    status->upload_left_s = span_left_s(p2p);
    status->upload_reached = serve_upload_is_over(p2p, false);
    status->upload_serves_old = !serve_upload_is_over(p2p, true);
}

/* --- What may be served --- */

static bool is_on_chain(const struct header_node *tip, const struct header_node *node)
{
    return node->height <= tip->height && header_is_ancestor(node, tip);
}

/* Is the work between the two less than so many seconds of it? */
static bool is_work_within(const struct p2p *p2p, const struct header_node *best,
                           const struct header_node *node, int64_t seconds)
{
    struct u256 best_work = header_work(best);
    struct u256 work = header_work(node);
    struct u256 one = work_of_bits(best->bits);
    double behind;

    if (u256_compare(&work, &best_work) >= 0)
        return true;
    work = u256_subtract(&best_work, &work);
    behind = u256_to_double(&work) / u256_to_double(&one);
    return behind * (double)p2p->params->pow_target_spacing_s < (double)seconds;
}

bool serve_is_allowed(const struct p2p *p2p, const struct header_node *node)
{
    const struct header_node *best = headers_best(p2p);

    if (is_on_chain(headers_tip(p2p), node))
        return true;
    return !header_is_failed(node) && header_has(node, HEADER_CONNECTED) &&
           (int64_t)best->time - (int64_t)node->time < STALE_AGE_S &&
           is_work_within(p2p, best, node, STALE_AGE_S);
}

/* The last block of the locator that is on our chain; genesis if none is. */
static const struct header_node *fork_of(const struct p2p *p2p,
                                         const struct message_locator *locator)
{
    const struct header_node *tip = headers_tip(p2p);
    const struct header_tree *tree = p2p->options.ground.tree;

    for (uint32_t i = 0; i < locator->n; i++) {
        const struct header_node *node = header_tree_find(tree, &locator->have[i]);

        if (node == NULL)
            continue;
        if (is_on_chain(tip, node))
            return node;
        if (header_is_ancestor(tip, node))
            return tip;
    }
    return header_tree_genesis(tree);
}

static const char *stop_text(const struct block_hash *stop, struct hash_hex *hex)
{
    if (block_hash_is_null(stop))
        return "end";
    *hex = hash_hex(stop->b);
    return hex->text;
}

static bool read_locator(struct peer *peer, struct message_locator *ret_locator,
                         const struct wire_message *message, struct arena *arena)
{
    struct error err = {0};
    int rc = message_read_locator(ret_locator, message->payload, arena, &err);

    if (rc == E_LIMIT)
        peer_disconnect(peer, "%s %s", message_name(message->type), error_text(&err));
    else if (rc < 0)
        peer_garbled(peer, message, &err);
    return rc == 0;
}

/* --- getheaders --- */

static void send_headers(struct peer *peer, const struct header *headers, size_t n)
{
    message_write_headers(peer_begin(peer, MESSAGE_HEADERS), headers, n);
    peer_end(peer);
}

/* Where to begin; NULL: nothing to send. False: no answer at all. */
static bool first_header(struct peer *peer, const struct message_locator *locator,
                         const struct header_node **ret_first)
{
    const struct p2p *p2p = peer->p2p;
    const struct header_node *tip = headers_tip(p2p);
    const struct header_node *node;

    if (locator->n > 0) {
        node = fork_of(p2p, locator);
        *ret_first = node == tip ? NULL : header_ancestor(tip, node->height + 1);
        return true;
    }
    node = header_tree_find(p2p->options.ground.tree, &locator->stop);
    if (node == NULL)
        return false;
    if (!serve_is_allowed(p2p, node)) {
        log_debug("net",
                  "getheaders: ignoring request from peer=%" PRId64
                  " for old block header that isn't in the main chain",
                  peer->id);
        return false;
    }
    *ret_first = node;
    return true;
}

/* The blocks of the branch from first up to top, at most max; returns how many. */
static size_t list_up(const struct header_node **ret_nodes, const struct header_node *first,
                      const struct header_node *top, size_t max)
{
    int32_t n = MIN((int32_t)max, top->height - first->height + 1);
    const struct header_node *node = header_ancestor(top, first->height + n - 1);

    for (int32_t i = n; i > 0; i--, node = node->prev)
        ret_nodes[i - 1] = node;
    return (size_t)n;
}

static void handle_getheaders(struct peer *peer, const struct wire_message *message,
                              struct arena *arena)
{
    struct p2p *p2p = peer->p2p;
    const struct header_node *tip = headers_tip(p2p);
    const struct header_node **nodes;
    const struct header_node *first = NULL;
    struct message_locator locator;
    struct u256 work = header_work(tip);
    struct header *headers;
    struct hash_hex hex;
    size_t n = 0;

    if (!read_locator(peer, &locator, message, arena))
        return;
    if (headers_is_loading(p2p)) {
        log_debug("net", "Ignoring getheaders from peer=%" PRId64 " while importing/reindexing",
                  peer->id);
        return;
    }
    /* Our headers would only make it begin a sync that it will give up. */
    if (u256_compare(&work, &p2p->options.minimum_chain_work) < 0 &&
        !peer_has(peer, PERMISSION_DOWNLOAD)) {
        log_debug("net",
                  "Ignoring getheaders from peer=%" PRId64
                  " because active chain has too little work; sending empty response",
                  peer->id);
        send_headers(peer, NULL, 0);
        return;
    }
    if (!first_header(peer, &locator, &first))
        return;
    log_debug("net", "getheaders %" PRId32 " to %s from peer=%" PRId64,
              first == NULL ? -1 : first->height, stop_text(&locator.stop, &hex), peer->id);
    nodes = arena_array(arena, HEADERS_N_MAX, sizeof(*nodes));
    headers = arena_array(arena, HEADERS_N_MAX, sizeof(*headers));
    if (first != NULL && is_on_chain(tip, first))
        n = list_up(nodes, first, tip, HEADERS_N_MAX);
    else if (first != NULL)
        nodes[n++] = first;
    for (size_t i = 0; i < n; i++) {
        headers[i] = header_of_node(nodes[i]);
        if (block_hash_equal(&nodes[i]->hash, &locator.stop))
            n = i + 1;
    }
    /* Reset, not only raised: what we announced and the peer forgot is told again. */
    headers_told(peer, n == 0 ? tip : nodes[n - 1]);
    send_headers(peer, headers, n);
}

/* --- getblocks --- */

static void handle_getblocks(struct peer *peer, const struct wire_message *message,
                             struct arena *arena)
{
    struct p2p *p2p = peer->p2p;
    const struct header_node *tip = headers_tip(p2p);
    const struct header_node *nodes[GETBLOCKS_MAX];
    struct message_locator locator;
    const struct header_node *fork;
    struct inv invs[GETBLOCKS_MAX];
    struct hash_hex hex;
    size_t n = 0;
    size_t sent = 0;

    if (!read_locator(peer, &locator, message, arena))
        return;
    fork = fork_of(p2p, &locator);
    if (fork != tip)
        n = list_up(nodes, header_ancestor(tip, fork->height + 1), tip, GETBLOCKS_MAX);
    log_debug("net", "getblocks %" PRId32 " to %s limit %d from peer=%" PRId64,
              n == 0 ? -1 : nodes[0]->height, stop_text(&locator.stop, &hex), GETBLOCKS_MAX,
              peer->id);
    for (; sent < n; sent++) {
        const struct header_node *node = nodes[sent];

        if (block_hash_equal(&node->hash, &locator.stop))
            break;
        /* Pruned, or soon to be: an hour is left to fetch it. */
        if (p2p->options.prune &&
            (!header_has(node, HEADER_DATA) ||
             node->height <=
                 tip->height - (int32_t)(KEPT_BLOCKS - 3600 / p2p->params->pow_target_spacing_s)))
            break;
        invs[sent].type = INV_BLOCK;
        memcpy(invs[sent].hash, node->hash.b, HASH_BYTES);
    }
    if (sent == 0)
        return;
    if (sent == GETBLOCKS_MAX)
        peer->serve.go_on = nodes[sent - 1]->hash;
    message_write_inv(peer_begin(peer, MESSAGE_INV), invs, sent);
    peer_end(peer);
}

/* --- The recent block --- */

static struct recent_block *recent_of(struct p2p *p2p, const struct header_node *node)
{
    return p2p->serve.recent.node == node ? &p2p->serve.recent : NULL;
}

const struct tx *serve_recent_tx(const struct p2p *p2p, const struct tx_name *name)
{
    const struct recent_block *recent = &p2p->serve.recent;

    if (recent->node == NULL)
        return NULL;
    for (uint32_t i = 0; i < recent->block.tx_n; i++) {
        const struct tx *tx = &recent->block.tx[i];

        if (memcmp(name->is_wtxid ? tx->wtxid.b : tx->txid.b, name->id, sizeof(name->id)) == 0)
            return tx;
    }
    return NULL;
}

/* --- getdata: blocks --- */

static void send_parsed(struct peer *peer, const struct block *block, uint32_t type)
{
    struct buf *buf;

    if (type == INV_FILTERED_BLOCK) {
        relay_send_filtered(peer, block);
        return;
    }
    buf = peer_begin(peer, MESSAGE_BLOCK);
    if (type == INV_WITNESS_BLOCK) {
        buf_add(buf, block->raw.data, block->raw.len);
    } else {
        buf_add(buf, block->raw.data, HEADER_BYTES);
        write_compact_size(buf, block->tx_n);
        for (uint32_t i = 0; i < block->tx_n; i++)
            tx_write(buf, &block->tx[i], false);
    }
    peer_end(peer);
}

static void cannot_read(struct peer *peer, const struct header_node *node)
{
    if (header_has(node, HEADER_DATA))
        log_error("net", "Cannot load block from disk, disconnecting peer=%" PRId64, peer->id);
    peer_disconnect(peer, header_has(node, HEADER_DATA)
                              ? "Cannot load block from disk"
                              : "Block was pruned before it could be read");
}

static void send_from_disk(struct peer *peer, const struct header_node *node, uint32_t type)
{
    struct node *source = peer->p2p->options.node;
    struct block_data data = {.bytes = {0}};
    struct buf bytes = {0};

    if (type == INV_WITNESS_BLOCK) {
        if (source->ops->read_block_bytes(source, &bytes, &node->hash, NULL) < 0) {
            cannot_read(peer, node);
        } else {
            buf_add(peer_begin(peer, MESSAGE_BLOCK), bytes.data, bytes.len);
            peer_end(peer);
        }
        buf_clear(&bytes);
        return;
    }
    if (source->ops->read_block(source, &data, &node->hash, NULL) < 0) {
        cannot_read(peer, node);
        return;
    }
    send_parsed(peer, &data.block, type);
    block_data_clear(&data);
}

/* False: the request ends here, with or without the connection. */
static bool may_have(struct peer *peer, const struct header_node *node, uint32_t type)
{
    struct p2p *p2p = peer->p2p;
    const struct header_node *tip = headers_tip(p2p);
    int64_t age_s = (int64_t)headers_best(p2p)->time - (int64_t)node->time;
    uint64_t ours = peer_our_services(peer) & (NODE_NETWORK | NODE_NETWORK_LIMITED);

    if (!serve_is_allowed(p2p, node)) {
        log_debug("net",
                  "getdata: ignoring request from peer=%" PRId64
                  " for old block that isn't in the main chain",
                  peer->id);
        return false;
    }
    if (serve_upload_is_over(p2p, true) && (age_s > OLD_BLOCK_S || type == INV_FILTERED_BLOCK) &&
        !peer_has(peer, PERMISSION_DOWNLOAD)) {
        peer_disconnect(peer, "historical block serving limit reached");
        return false;
    }
    /* How far we have pruned is nobody's business. */
    if (!peer_has(peer, PERMISSION_NO_BAN) && ours == NODE_NETWORK_LIMITED &&
        tip->height - node->height > LIMITED_DEPTH) {
        peer_disconnect(peer, "Ignore block request below NODE_NETWORK_LIMITED threshold");
        return false;
    }
    return header_has(node, HEADER_DATA);
}

static void serve_block(struct peer *peer, const struct inv *inv)
{
    struct p2p *p2p = peer->p2p;
    const struct header_node *tip = headers_tip(p2p);
    const struct header_node *node;
    const struct recent_block *recent;
    struct block_hash hash;
    uint32_t type = inv->type;

    if (type == INV_FILTERED_BLOCK && (peer_our_services(peer) & NODE_BLOOM) == 0) {
        peer_disconnect(peer, "filtered block request received when NODE_BLOOM service disabled");
        return;
    }
    memcpy(hash.b, inv->hash, HASH_BYTES);
    node = header_tree_find(p2p->options.ground.tree, &hash);
    if (node == NULL || !may_have(peer, node, type))
        return;
    recent = recent_of(p2p, node);
    if (type == INV_CMPCT_BLOCK && headers_is_near_tip(p2p) &&
        node->height >= tip->height - COMPACT_DEPTH) {
        announce_send_compact(peer, node);
    } else {
        if (type == INV_CMPCT_BLOCK)
            type = INV_WITNESS_BLOCK;
        if (recent != NULL)
            send_parsed(peer, &recent->block, type);
        else
            send_from_disk(peer, node, type);
    }
    if (block_hash_equal(&hash, &peer->serve.go_on) && !peer->is_doomed) {
        struct inv next = {.type = INV_BLOCK};

        memcpy(next.hash, tip->hash.b, HASH_BYTES);
        message_write_inv(peer_begin(peer, MESSAGE_INV), &next, 1);
        peer_end(peer);
        peer->serve.go_on = (struct block_hash){{0}};
    }
}

/* --- getdata: the queue --- */

static bool is_tx(uint32_t type)
{
    return type == INV_TX || type == INV_WTX || type == INV_WITNESS_TX;
}

static bool is_block(uint32_t type)
{
    return type == INV_BLOCK || type == INV_WITNESS_BLOCK || type == INV_FILTERED_BLOCK ||
           type == INV_CMPCT_BLOCK;
}

static void queue_add(struct peer *peer, const struct inv *inv, uint32_t n)
{
    struct peer_serve *serve = &peer->serve;
    uint32_t left = serve->queue_n - serve->queue_at;

    CHECK(left + n <= INV_N_MAX + 1);
    if (serve->queue_at > 0)
        memmove(serve->queue, serve->queue + serve->queue_at, left * sizeof(*inv));
    serve->queue = realloc_array(serve->queue, left + n, sizeof(*inv));
    memcpy(serve->queue + left, inv, n * sizeof(*inv));
    serve->queue_at = 0;
    serve->queue_n = left + n;
}

/* As long as the peer takes what is sent: its buffer holds us back. */
static void work_off(struct peer *peer)
{
    struct peer_serve *serve = &peer->serve;
    struct inv *missing = NULL;
    uint32_t missing_n = 0;

    while (serve->queue_at < serve->queue_n && !peer->is_sending_paused && !peer->is_doomed) {
        const struct inv *inv = &serve->queue[serve->queue_at++];

        if (is_block(inv->type)) {
            serve_block(peer, inv);
        } else if (is_tx(inv->type) && !relay_serve_tx(peer, inv)) {
            if (missing == NULL)
                missing = alloc_array(serve->queue_n, sizeof(*missing));
            missing[missing_n++] = *inv;
        }
    }
    if (missing_n > 0 && !peer->is_doomed) {
        message_write_inv(peer_begin(peer, MESSAGE_NOTFOUND), missing, missing_n);
        peer_end(peer);
    }
    free(missing);
    if (serve->queue_at == serve->queue_n) {
        free(serve->queue);
        serve->queue = NULL;
        serve->queue_at = serve->queue_n = 0;
    }
}

/* The peer waits while something is left: its next messages come after the answers. */
static void serve_queue(struct peer *peer)
{
    struct peer_serve *serve = &peer->serve;

    work_off(peer);
    if (!serve->is_serving && serve->queue_n > 0) {
        serve->is_serving = true;
        peer_wait(peer);
    } else if (serve->is_serving && serve->queue_n == 0) {
        serve->is_serving = false;
        peer_answered(peer);
    }
}

static void handle_getdata(struct peer *peer, const struct wire_message *message,
                           struct arena *arena)
{
    struct message_inv inv;
    struct error err = {0};
    int rc = message_read_inv(&inv, message->payload, MESSAGE_GETDATA, arena, &err);

    if (rc == E_LIMIT) {
        peer_misbehaved(peer, "%s", error_text(&err));
        return;
    }
    if (rc < 0) {
        peer_garbled(peer, message, &err);
        return;
    }
    log_debug("net", "received getdata (%" PRIu32 " invsz) peer=%" PRId64, inv.n, peer->id);
    if (inv.n > 0)
        log_debug("net", "received getdata for: %s %s peer=%" PRId64,
                  inv_type_name(inv.inv[0].type), hash_hex(inv.inv[0].hash).text, peer->id);
    if (peer->kind == PEER_PRIVATE_BROADCAST) {
        relay_private_asked(peer, &inv);
        return;
    }
    if (inv.n == 0)
        return;
    queue_add(peer, inv.inv, inv.n);
    serve_queue(peer);
}

/* --- getblocktxn --- */

static void send_txs(struct peer *peer, const struct block *block,
                     const struct message_getblocktxn *asked, struct arena *arena)
{
    struct message_blocktxn answer = {.block_hash = asked->block_hash, .n = asked->n};
    size_t bytes = 0;

    answer.tx = arena_array(arena, asked->n, sizeof(*answer.tx));
    for (uint32_t i = 0; i < asked->n; i++) {
        if (asked->index[i] >= block->tx_n) {
            peer_misbehaved(peer, "getblocktxn with out-of-bounds tx indices");
            return;
        }
        answer.tx[i] = block->tx[asked->index[i]];
        bytes += answer.tx[i].total_bytes;
    }
    log_debug("cmpctblock",
              "peer=%" PRId64 " sent us a GETBLOCKTXN for block %s, sending a BLOCKTXN with "
              "%" PRIu32 " txns. (%zu bytes)",
              peer->id, hash_hex(asked->block_hash.b).text, asked->n, bytes);
    message_write_blocktxn(peer_begin(peer, MESSAGE_BLOCKTXN), &answer);
    peer_end(peer);
}

static void handle_getblocktxn(struct peer *peer, const struct wire_message *message,
                               struct arena *arena)
{
    struct p2p *p2p = peer->p2p;
    struct node *source = p2p->options.node;
    const struct header_node *node;
    struct message_getblocktxn asked;
    struct block_data data = {.bytes = {0}};
    struct error err = {0};
    struct inv whole = {.type = INV_WITNESS_BLOCK};

    if (message_read_getblocktxn(&asked, message->payload, arena, &err) < 0) {
        peer_garbled(peer, message, &err);
        return;
    }
    if (asked.n == 0) {
        peer_disconnect(peer, "getblocktxn received with no transaction indexes");
        return;
    }
    node = header_tree_find(p2p->options.ground.tree, &asked.block_hash);
    if (node != NULL && recent_of(p2p, node) != NULL) {
        send_txs(peer, &p2p->serve.recent.block, &asked, arena);
        return;
    }
    if (node == NULL || !header_has(node, HEADER_DATA)) {
        log_debug("net", "Peer %" PRId64 " sent us a getblocktxn for a block we don't have",
                  peer->id);
        return;
    }
    if (node->height >= headers_tip(p2p)->height - BLOCKTXN_DEPTH) {
        if (source->ops->read_block(source, &data, &node->hash, &err) == 0)
            send_txs(peer, &data.block, &asked, arena);
        else
            cannot_read(peer, node);
        block_data_clear(&data);
        return;
    }
    /* Who makes us read an old block shall have to take all of it. */
    log_debug("net", "Peer %" PRId64 " sent us a getblocktxn for a block > %d deep", peer->id,
              BLOCKTXN_DEPTH);
    memcpy(whole.hash, asked.block_hash.b, HASH_BYTES);
    queue_add(peer, &whole, 1);
    serve_queue(peer);
}

/* --- Hooks --- */

bool serve_handle(struct peer *peer, const struct wire_message *message, struct arena *arena)
{
    if (peer->kind == PEER_PRIVATE_BROADCAST && message->type != MESSAGE_GETDATA)
        return false;
    switch (message->type) {
    case MESSAGE_GETHEADERS:
        handle_getheaders(peer, message, arena);
        return true;
    case MESSAGE_GETBLOCKS:
        handle_getblocks(peer, message, arena);
        return true;
    case MESSAGE_GETDATA:
        handle_getdata(peer, message, arena);
        return true;
    case MESSAGE_GETBLOCKTXN:
        handle_getblocktxn(peer, message, arena);
        return true;
    case MESSAGE_SENDHEADERS:
        peer->serve.prefers_headers = true;
        return true;
    default:
        return filters_handle(peer, message, arena);
    }
}

void serve_send(struct peer *peer, int64_t now_ms)
{
    (void)now_ms;
    if (!peer->is_ready || peer->is_doomed || peer->kind == PEER_PRIVATE_BROADCAST)
        return;
    if (peer->serve.queue_n > 0)
        serve_queue(peer);
    if (!peer->is_doomed)
        announce_send(peer);
}

void serve_tick(struct p2p *p2p, int64_t now_ms)
{
    (void)p2p;
    (void)now_ms;
}
