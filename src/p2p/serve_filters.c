/* Block filters for light clients (BIP 157), from whoever has them: iface/filters.h. */
#include <inttypes.h>

#include "base/check.h"
#include "base/log.h"
#include "iface/filters.h"
#include "p2p/p2p_priv.h"
#include "p2p/serve_priv.h"

#define FILTER_BASIC 0

/* The block asked for up to; NULL: not to be answered, perhaps with the end of the
 * connection. */
static const struct header_node *stop_of(struct peer *peer, uint8_t type, uint32_t start,
                                         const struct block_hash *hash, uint32_t n_max)
{
    const struct p2p *p2p = peer->p2p;
    const struct header_node *stop;

    if (type != FILTER_BASIC || (peer_our_services(peer) & NODE_COMPACT_FILTERS) == 0) {
        peer_disconnect(peer, "peer requested unsupported block filter type: %u", type);
        return NULL;
    }
    stop = header_tree_find(p2p->options.ground.tree, hash);
    if (stop == NULL || !serve_is_allowed(p2p, stop)) {
        peer_disconnect(peer, "peer requested invalid block hash: %s", hash_hex(hash->b).text);
        return NULL;
    }
    if (start > (uint32_t)stop->height) {
        peer_disconnect(peer,
                        "peer sent invalid getcfilters/getcfheaders with start height %" PRIu32
                        " and stop height %" PRId32,
                        start, stop->height);
        return NULL;
    }
    if ((uint32_t)stop->height - start >= n_max) {
        peer_disconnect(peer, "peer requested too many cfilters/cfheaders: %" PRIu32 " / %" PRIu32,
                        (uint32_t)stop->height - start + 1, n_max);
        return NULL;
    }
    if (p2p->options.filters == NULL) {
        log_debug("net", "Filter index for supported type basic not found");
        return NULL;
    }
    return stop;
}

static bool send_filter(void *context, const struct block_hash *block, struct span filter)
{
    struct peer *peer = context;
    struct message_cfilter cfilter = {
        .filter_type = FILTER_BASIC, .block_hash = *block, .filter = filter};

    message_write_cfilter(peer_begin(peer, MESSAGE_CFILTER), &cfilter);
    peer_end(peer);
    return true;
}

static void log_lack(const char *what, uint32_t start, const struct block_hash *stop)
{
    log_debug("net",
              "Failed to find block filter %s in index: filter_type=basic, start_height=%" PRIu32
              ", stop_hash=%s",
              what, start, hash_hex(stop->b).text);
}

static void handle_getcfilters(struct peer *peer, const struct wire_message *message)
{
    struct filters *filters = peer->p2p->options.filters;
    struct message_getcfilters asked;
    struct error err = {0};

    if (message_read_getcfilters(&asked, message->payload, &err) < 0) {
        peer_garbled(peer, message, &err);
        return;
    }
    if (stop_of(peer, asked.filter_type, asked.start_height, &asked.stop, CFILTERS_N_MAX) == NULL)
        return;
    if (filters->ops->range(filters, (int32_t)asked.start_height, &asked.stop, send_filter, peer) <
        0)
        log_lack("range", asked.start_height, &asked.stop);
}

static void handle_getcfheaders(struct peer *peer, const struct wire_message *message,
                                struct arena *arena)
{
    struct filters *filters = peer->p2p->options.filters;
    struct message_cfheaders answer = {.filter_type = FILTER_BASIC};
    struct message_getcfilters asked;
    const struct header_node *stop;
    struct error err = {0};

    if (message_read_getcfilters(&asked, message->payload, &err) < 0) {
        peer_garbled(peer, message, &err);
        return;
    }
    stop = stop_of(peer, asked.filter_type, asked.start_height, &asked.stop, CFHEADERS_N_MAX);
    if (stop == NULL)
        return;
    answer.stop = asked.stop;
    answer.n = (uint32_t)stop->height - asked.start_height + 1;
    answer.hash = arena_array(arena, answer.n, HASH_BYTES);
    if (asked.start_height > 0 &&
        filters->ops->header(filters, &header_ancestor(stop, (int32_t)asked.start_height - 1)->hash,
                             answer.prev_header) < 0) {
        log_lack("header", asked.start_height, &asked.stop);
        return;
    }
    if (filters->ops->hashes(filters, (int32_t)asked.start_height, &asked.stop, answer.hash) < 0) {
        log_lack("hashes", asked.start_height, &asked.stop);
        return;
    }
    message_write_cfheaders(peer_begin(peer, MESSAGE_CFHEADERS), &answer);
    peer_end(peer);
}

static void handle_getcfcheckpt(struct peer *peer, const struct wire_message *message,
                                struct arena *arena)
{
    struct filters *filters = peer->p2p->options.filters;
    struct message_cfcheckpt answer = {.filter_type = FILTER_BASIC};
    struct message_getcfcheckpt asked;
    const struct header_node *stop;
    struct error err = {0};

    if (message_read_getcfcheckpt(&asked, message->payload, &err) < 0) {
        peer_garbled(peer, message, &err);
        return;
    }
    stop = stop_of(peer, asked.filter_type, 0, &asked.stop, UINT32_MAX);
    if (stop == NULL)
        return;
    answer.stop = asked.stop;
    answer.n = (uint32_t)stop->height / CFCHECKPT_INTERVAL;
    answer.header = arena_array(arena, MAX(answer.n, 1), HASH_BYTES);
    for (uint32_t i = 0; i < answer.n; i++) {
        int32_t height = (int32_t)(i + 1) * CFCHECKPT_INTERVAL;

        if (filters->ops->header(filters, &header_ancestor(stop, height)->hash,
                                 answer.header + (size_t)i * HASH_BYTES) < 0) {
            log_lack("header", (uint32_t)height, &asked.stop);
            return;
        }
    }
    message_write_cfcheckpt(peer_begin(peer, MESSAGE_CFCHECKPT), &answer);
    peer_end(peer);
}

bool filters_handle(struct peer *peer, const struct wire_message *message, struct arena *arena)
{
    switch (message->type) {
    case MESSAGE_GETCFILTERS:
        handle_getcfilters(peer, message);
        return true;
    case MESSAGE_GETCFHEADERS:
        handle_getcfheaders(peer, message, arena);
        return true;
    case MESSAGE_GETCFCHECKPT:
        handle_getcfcheckpt(peer, message, arena);
        return true;
    default:
        return false;
    }
}
