/* New blocks, told to those who do not have them: by compact block, headers or inv. */
#include <inttypes.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "consensus/rules.h"
#include "p2p/compact_block.h"
#include "p2p/p2p_priv.h"
#include "p2p/serve_priv.h"

/* Newer ones no longer take a block that is invalid for a crime (BIP 152). */
#define PROTOCOL_VERSION_NO_BLAME 70015

/* --- Compact blocks --- */

static void write_compact(struct p2p *p2p, struct buf *buf, const struct block *block)
{
    compact_block_write(buf, block, random_u64(&p2p->random), NULL, 0);
}

void announce_send_compact(struct peer *peer, const struct header_node *node)
{
    struct p2p *p2p = peer->p2p;
    const struct recent_block *recent = &p2p->serve.recent;
    struct node *source = p2p->options.node;
    struct block_data data = {.bytes = {0}};
    struct error err = {0};

    if (recent->node == node) {
        buf_add(peer_begin(peer, MESSAGE_CMPCTBLOCK), recent->compact.data, recent->compact.len);
        peer_end(peer);
        return;
    }
    if (source->ops->read_block(source, &data, &node->hash, &err) == 0) {
        write_compact(p2p, peer_begin(peer, MESSAGE_CMPCTBLOCK), &data.block);
        peer_end(peer);
    } else {
        log_error("net", "Cannot load block from disk: %s", error_text(&err));
        peer_disconnect(peer, "Cannot load block from disk");
    }
    block_data_clear(&data);
}

/* --- A block that is about to be connected --- */

struct stored_block {
    struct block_hash hash;
    struct buf bytes;
};

static void keep_recent(struct p2p *p2p, const struct header_node *node, struct buf *bytes)
{
    struct recent_block *recent = &p2p->serve.recent;

    buf_clear(&recent->bytes);
    arena_reset(&recent->arena);
    recent->compact.len = 0;
    recent->node = NULL;
    recent->bytes = *bytes;
    *bytes = (struct buf){0};
    if (block_read(&recent->block, recent->bytes.data, recent->bytes.len, &recent->arena) < 0)
        return;
    recent->node = node;
    write_compact(p2p, &recent->compact, &recent->block);
}

static bool wants_fast(struct peer *peer, const struct header_node *node)
{
    if (!peer->is_ready || peer->is_doomed || peer->kind == PEER_PRIVATE_BROADCAST ||
        !peer->blocks.is_hb_from || peer_common_version(peer) < PROTOCOL_VERSION_NO_BLAME)
        return false;
    headers_look_again(peer);
    return !headers_peer_has(peer, node) && headers_peer_has(peer, node->prev);
}

static void stored(struct p2p *p2p, void *own_argument)
{
    struct stored_block *event = own_argument;
    const struct header_node *node = header_tree_find(p2p->options.ground.tree, &event->hash);

    if (node == NULL || node->height <= p2p->serve.fast_height || node->prev == NULL ||
        !buried_active(BURIED_SEGWIT, node->height, p2p->params))
        goto done;
    p2p->serve.fast_height = node->height;
    keep_recent(p2p, node, &event->bytes);
    for (struct peer *peer = p2p->first; peer != NULL; peer = peer->next) {
        if (!wants_fast(peer, node))
            continue;
        log_debug("net", "sending header-and-ids %s to peer=%" PRId64, hash_hex(node->hash.b).text,
                  peer->id);
        announce_send_compact(peer, node);
        headers_told(peer, node);
    }

done:
    buf_clear(&event->bytes);
    free(event);
}

void serve_event_stored(struct p2p *p2p, const struct block_info *info, const struct block *block)
{
    struct stored_block *event = alloc_zero(sizeof(*event));

    event->hash = info->hash;
    buf_add(&event->bytes, block->raw.data, block->raw.len);
    p2p_post(p2p, stored, event);
}

/* --- A new tip --- */

struct new_tip {
    struct block_hash tip;
    struct block_hash fork;
    bool is_initial;
};

static void announce_to(struct peer *peer, const struct header_node *const *nodes, uint32_t n)
{
    struct peer_serve *serve = &peer->serve;

    for (uint32_t i = 0; i < n; i++) {
        /* The place behind the last says that they are too many for headers. */
        serve->announce_n = MIN(serve->announce_n, SERVE_ANNOUNCE_MAX);
        serve->announce[serve->announce_n++] = nodes[i];
    }
}

static void tip_changed(struct p2p *p2p, void *own_argument)
{
    struct new_tip *event = own_argument;
    const struct header_tree *tree = p2p->options.ground.tree;
    const struct header_node *nodes[SERVE_ANNOUNCE_MAX];
    const struct header_node *tip = header_tree_find(tree, &event->tip);
    const struct header_node *fork = header_tree_find(tree, &event->fork);
    uint32_t n = 0;

    if (tip != NULL)
        p2p->serve.tip = tip;
    if (tip == NULL || fork == NULL || event->is_initial)
        goto done;
    for (const struct header_node *node = tip; node != fork && n < SERVE_ANNOUNCE_MAX;
         node = node->prev)
        n++;
    for (uint32_t i = n; i > 0; i--, tip = tip->prev)
        nodes[i - 1] = tip;
    for (struct peer *peer = p2p->first; peer != NULL; peer = peer->next) {
        announce_to(peer, nodes, n);
        if (peer->is_ready && !peer->is_doomed && peer->kind != PEER_PRIVATE_BROADCAST)
            announce_send(peer);
    }

done:
    free(event);
}

void serve_event_tip(struct p2p *p2p, const struct tip_event *event)
{
    struct new_tip *copy = alloc_zero(sizeof(*copy));

    copy->tip = event->tip.hash;
    copy->fork = event->fork.hash;
    copy->is_initial = event->initial_block_download;
    p2p_post(p2p, tip_changed, copy);
}

/* The headers the peer lacks, oldest first; 0 with *ret_use_inv when they would not connect
 * to anything it has. */
static uint32_t lacking(const struct peer *peer, const struct header_node **ret_nodes,
                        bool *ret_use_inv)
{
    const struct peer_serve *serve = &peer->serve;
    const struct header_node *before = NULL;
    uint32_t n = 0;

    for (uint32_t i = 0; i < serve->announce_n; i++) {
        const struct header_node *node = serve->announce[i];

        /* The chain may have gone elsewhere meanwhile, and come back. */
        if (!header_is_ancestor(node, peer->p2p->serve.tip) ||
            (before != NULL && node->prev != before)) {
            *ret_use_inv = true;
            return 0;
        }
        before = node;
        if (n == 0 && headers_peer_has(peer, node))
            continue;
        if (n == 0 && node->prev != NULL && !headers_peer_has(peer, node->prev)) {
            *ret_use_inv = true;
            return 0;
        }
        ret_nodes[n++] = node;
    }
    return n;
}

static void send_headers(struct peer *peer, const struct header_node *const *nodes, uint32_t n)
{
    struct header headers[SERVE_ANNOUNCE_MAX];

    for (uint32_t i = 0; i < n; i++)
        headers[i] = header_of_node(nodes[i]);
    if (n > 1)
        log_debug("net", "SendMessages: %" PRIu32 " headers, range (%s, %s), to peer=%" PRId64, n,
                  hash_hex(nodes[0]->hash.b).text, hash_hex(nodes[n - 1]->hash.b).text, peer->id);
    else
        log_debug("net", "SendMessages: sending header %s to peer=%" PRId64,
                  hash_hex(nodes[0]->hash.b).text, peer->id);
    message_write_headers(peer_begin(peer, MESSAGE_HEADERS), headers, n);
    peer_end(peer);
    headers_told(peer, nodes[n - 1]);
}

static void send_inv(struct peer *peer, const struct header_node *node)
{
    struct inv inv = {.type = INV_BLOCK};

    if (headers_peer_has(peer, node))
        return;
    memcpy(inv.hash, node->hash.b, HASH_BYTES);
    message_write_inv(peer_begin(peer, MESSAGE_INV), &inv, 1);
    peer_end(peer);
    log_debug("net", "SendMessages: sending inv peer=%" PRId64 " hash=%s", peer->id,
              hash_hex(node->hash.b).text);
}

void announce_send(struct peer *peer)
{
    struct peer_serve *serve = &peer->serve;
    const struct header_node *nodes[SERVE_ANNOUNCE_MAX];
    bool is_hb = peer->blocks.is_hb_from;
    bool use_inv = (!serve->prefers_headers && (!is_hb || serve->announce_n > 1)) ||
                   serve->announce_n > SERVE_ANNOUNCE_MAX;
    uint32_t n = 0;

    if (serve->announce_n == 0)
        return;
    headers_look_again(peer);
    if (!use_inv)
        n = lacking(peer, nodes, &use_inv);
    if (n == 1 && is_hb) {
        log_debug("net", "SendMessages sending header-and-ids %s to peer=%" PRId64,
                  hash_hex(nodes[0]->hash.b).text, peer->id);
        announce_send_compact(peer, nodes[0]);
        headers_told(peer, nodes[0]);
    } else if (n > 0 && serve->prefers_headers) {
        send_headers(peer, nodes, n);
    } else if (n > 0) {
        use_inv = true;
    }
    if (use_inv)
        send_inv(peer, serve->announce[serve->announce_n - 1]);
    serve->announce_n = 0;
}
