#include "naive_around.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "crypto/sha256.h"
#include "headers/accept.h"

#define DAY_MS INT64_C(86400000)
#define HEADER_V1_BYTES 24

static struct around *around_of(struct net_io *io)
{
    return (struct around *)io;
}

static struct around_conn *conn_of(struct around *a, net_conn conn)
{
    return conn == 0 || conn > a->conns_n ? NULL : &a->conns[conn - 1];
}

/* --- The network --- */

static void io_set_handler(struct net_io *io, const struct net_handler *handler)
{
    around_of(io)->handler = *handler;
}

static int io_listen(struct net_io *io, const struct net_endpoint *endpoint, int tag,
                     struct error *err)
{
    (void)io;
    (void)endpoint;
    (void)tag;
    (void)err;
    return 0;
}

static void io_nothing(struct net_io *io)
{
    (void)io;
}

static net_conn new_conn(struct around *a, const struct net_endpoint *peer, bool is_outgoing)
{
    struct around_conn *conn = &a->conns[a->conns_n++];

    CHECK(a->conns_n <= AROUND_CONNS_MAX);
    *conn = (struct around_conn){
        .is_open = true, .is_reading = true, .is_outgoing = is_outgoing, .peer = *peer};
    return (net_conn)a->conns_n;
}

static net_conn io_connect(struct net_io *io, const struct net_endpoint *endpoint,
                           uint64_t timeout_ms)
{
    (void)timeout_ms;
    return new_conn(around_of(io), endpoint, true);
}

static void io_send(struct net_io *io, net_conn name, struct span bytes)
{
    struct around_conn *conn = conn_of(around_of(io), name);

    if (conn == NULL || !conn->is_open)
        return;
    buf_add(&conn->sent, bytes.data, bytes.len);
    if (conn->is_stuck)
        conn->queued += bytes.len;
}

static size_t io_queued(struct net_io *io, net_conn name)
{
    const struct around_conn *conn = conn_of(around_of(io), name);

    return conn == NULL || !conn->is_open ? 0 : conn->queued;
}

static void io_set_reading(struct net_io *io, net_conn name, bool is_on)
{
    struct around_conn *conn = conn_of(around_of(io), name);

    CHECK(conn != NULL);
    conn->is_reading = is_on;
}

static void io_close(struct net_io *io, net_conn name)
{
    struct around_conn *conn = conn_of(around_of(io), name);

    CHECK(conn != NULL);
    conn->is_open = false;
}

static void io_resolve(struct net_io *io, uint64_t token, const char *host, size_t max)
{
    (void)io;
    (void)token;
    (void)host;
    (void)max;
}

static void io_set_timer(struct net_io *io, uint64_t delay_ms)
{
    struct around *a = around_of(io);

    a->has_timer = true;
    a->timer_at_us = clock_monotonic_us(&a->clock.clock) + delay_ms * 1000;
}

static void io_wake(struct net_io *io)
{
    around_of(io)->is_woken = true;
}

static size_t io_interfaces(struct net_io *io, struct net_endpoint *ret_endpoints, size_t max)
{
    (void)io;
    (void)ret_endpoints;
    (void)max;
    return 0;
}

static size_t io_limit(struct net_io *io)
{
    (void)io;
    return 1024;
}

static const struct net_ops io_ops = {
    .set_handler = io_set_handler,
    .listen = io_listen,
    .stop_listening = io_nothing,
    .connect = io_connect,
    .send = io_send,
    .queued = io_queued,
    .set_reading = io_set_reading,
    .close = io_close,
    .resolve = io_resolve,
    .set_timer = io_set_timer,
    .wake = io_wake,
    .interfaces = io_interfaces,
    .limit = io_limit,
};

/* --- The chain: a tree of headers, no block --- */

static struct around *around_of_sink(struct sink *sink)
{
    return (struct around *)((char *)sink - offsetof(struct around, sink));
}

static void sink_headers(struct sink *sink, struct header *own_headers, size_t n,
                         void (*done)(void *context, const struct headers_answer *answer),
                         void *context)
{
    struct around *a = around_of_sink(sink);
    struct headers_answer answer = {.verdict = V_VALID};

    a->headers_n += n;
    for (size_t i = 0; i < n && answer.verdict == V_VALID; i++) {
        struct header_node *node = NULL;
        struct finding finding;
        bool is_new = false;

        if (header_accept(a->tree, &node, &is_new, &answer.verdict, &own_headers[i], a->params,
                          clock_wall_s(&a->clock.clock), &finding, NULL) < 0)
            break;
        if (answer.verdict != V_VALID)
            break;
        answer.accepted_n++;
        answer.new_n += is_new;
        answer.last = node->hash;
    }
    free(own_headers);
    done(context, &answer);
}

static void sink_block(struct sink *sink, struct buf *own_bytes, bool is_requested,
                       void (*done)(void *context, const struct block_answer *answer),
                       void *context)
{
    struct around *a = around_of_sink(sink);
    struct block_answer answer = {.result = {.verdict = V_VALID, .is_new = true}};

    (void)is_requested;
    a->blocks_n++;
    sha256d(answer.hash.b, own_bytes->data, MIN(own_bytes->len, (size_t)80));
    buf_clear(&a->offered);
    a->offered = *own_bytes;
    *own_bytes = (struct buf){0};
    done(context, &answer);
}

static void answer_txs(struct around *a, const struct tx_ref *const *txs, size_t n,
                       void (*done)(void *context, const struct txs_answer *answer), void *context)
{
    struct tx_result *results = alloc_array(n, sizeof(*results));
    struct txs_answer answer = {.results = results, .txs_n = n, .package_reason = ""};

    a->txs_n += n;
    for (size_t i = 0; i < n; i++) {
        results[i].txid = txs[i]->tx.txid;
        results[i].wtxid = txs[i]->tx.wtxid;
        results[i].outcome = a->tx_cause == TX_CAUSE_NONE ? TX_ACCEPTED : TX_REFUSED;
        results[i].cause = a->tx_cause;
        results[i].vsize = 200;
    }
    done(context, &answer);
    free(results);
}

static void sink_txs(struct sink *sink, const struct tx_ref *const *txs, size_t n,
                     void (*done)(void *context, const struct txs_answer *answer), void *context)
{
    answer_txs(around_of_sink(sink), txs, n, done, context);
}

static void sink_test_tx(struct sink *sink, const struct tx_ref *tx,
                         void (*done)(void *context, const struct txs_answer *answer),
                         void *context)
{
    answer_txs(around_of_sink(sink), &tx, 1, done, context);
}

static bool sink_has_room(struct sink *sink)
{
    (void)sink;
    return true;
}

static const struct sink_ops sink_ops = {
    .offer_headers = sink_headers,
    .offer_block = sink_block,
    .offer_txs = sink_txs,
    .test_tx = sink_test_tx,
    .has_room = sink_has_room,
};

static void node_status(struct node *node, struct node_status *ret_status)
{
    (void)node;
    *ret_status = (struct node_status){.tip = {.height = 0}};
}

static int node_read_block(struct node *node, struct block_data *ret_data,
                           const struct block_hash *hash, struct error *err)
{
    (void)node;
    (void)ret_data;
    (void)hash;
    return error_set(err, E_NOT_FOUND, "no blocks here");
}

static int node_read_block_bytes(struct node *node, struct buf *buf, const struct block_hash *hash,
                                 struct error *err)
{
    (void)node;
    (void)buf;
    (void)hash;
    return error_set(err, E_NOT_FOUND, "no blocks here");
}

static const struct node_ops node_ops = {
    .status = node_status,
    .read_block = node_read_block,
    .read_block_bytes = node_read_block_bytes,
};

static const struct header_node *ground_tip(void *context)
{
    return header_tree_genesis(((struct around *)context)->tree);
}

static bool ground_is_initial(void *context)
{
    (void)context;
    return false;
}

/* --- The mempool: always empty --- */

static void pool_status(struct mempool_view *pool, struct mempool_status *ret_status)
{
    (void)pool;
    *ret_status = (struct mempool_status){.is_loaded = true,
                                          .min_fee_sat_kvb = 100,
                                          .min_relay_sat_kvb = 100,
                                          .incremental_sat_kvb = 100};
}

static bool pool_has(struct mempool_view *pool, const struct tx_name *name)
{
    (void)pool;
    (void)name;
    return false;
}

static const struct tx_ref *pool_find(struct mempool_view *pool, struct mempool_entry *ret_entry,
                                      const struct tx_name *name)
{
    (void)pool;
    (void)ret_entry;
    (void)name;
    return NULL;
}

static void pool_walk(struct mempool_view *pool,
                      bool (*visit)(void *context, const struct tx_ref *tx), void *context)
{
    (void)pool;
    (void)visit;
    (void)context;
}

static size_t pool_sort(struct mempool_view *pool, struct wtxid *wtxids, size_t n)
{
    (void)pool;
    (void)wtxids;
    (void)n;
    return 0;
}

static void pool_unbroadcast(struct mempool_view *pool, struct txid **ret_txids, size_t *ret_n,
                             struct arena *arena)
{
    (void)pool;
    (void)arena;
    *ret_txids = NULL;
    *ret_n = 0;
}

static void pool_was_broadcast(struct mempool_view *pool, const struct txid *txid)
{
    (void)pool;
    (void)txid;
}

static const struct mempool_ops pool_ops = {
    .status = pool_status,
    .has = pool_has,
    .find = pool_find,
    .walk = pool_walk,
    .sort = pool_sort,
    .unbroadcast = pool_unbroadcast,
    .was_broadcast = pool_was_broadcast,
};

/* --- Life --- */

void around_open(struct around *a, void (*change)(struct p2p_options *options))
{
    static const uint64_t salt[2] = {1, 2};
    struct p2p_options options;

    *a = (struct around){.io = {.ops = &io_ops},
                         .sink = {.ops = &sink_ops},
                         .pool = {.ops = &pool_ops},
                         .node = {.ops = &node_ops},
                         .params = params_of(NETWORK_REGTEST)};
    a->tree = header_tree_new(a->params, salt);
    sim_clock_init(&a->clock, (int64_t)header_tree_genesis(a->tree)->time * 1000 + DAY_MS);
    p2p_options_default(&options, a->params);
    options.net = &a->io;
    options.clock = &a->clock.clock;
    options.sink = &a->sink;
    options.mempool = &a->pool;
    options.node = &a->node;
    options.ground = (struct p2p_ground){.tree = a->tree,
                                         .tip = ground_tip,
                                         .is_initial_block_download = ground_is_initial,
                                         .context = a};
    options.seed[0] = 7;
    options.dns_seed = false;
    options.fixed_seeds = false;
    options.listen_onion = false;
    options.v2_transport = false;
    options.is_single_thread = true;
    if (change != NULL)
        change(&options);
    CHECK(p2p_new(&a->p2p, &options, NULL) == 0);
    CHECK(p2p_start(a->p2p, NULL) == 0);
}

void around_close(struct around *a)
{
    p2p_stop(a->p2p);
    p2p_free(a->p2p);
    header_tree_free(a->tree);
    for (size_t i = 0; i < a->conns_n; i++)
        buf_clear(&a->conns[i].sent);
    buf_clear(&a->offered);
}

void around_settle(struct around *a)
{
    /* Work may post more work; it ends, or the test does not. */
    for (unsigned i = 0; a->is_woken && i < 100000; i++) {
        a->is_woken = false;
        a->handler.woken(a->handler.context);
    }
}

void around_pass(struct around *a, uint64_t ms)
{
    uint64_t end_us = clock_monotonic_us(&a->clock.clock) + ms * 1000;

    around_settle(a);
    while (a->has_timer && a->timer_at_us <= end_us) {
        uint64_t now_us = clock_monotonic_us(&a->clock.clock);

        if (a->timer_at_us > now_us)
            sim_clock_advance_us(&a->clock, a->timer_at_us - now_us);
        a->has_timer = false;
        a->handler.timer(a->handler.context);
        around_settle(a);
    }
    if (clock_monotonic_us(&a->clock.clock) < end_us)
        sim_clock_advance_us(&a->clock, end_us - clock_monotonic_us(&a->clock.clock));
}

/* --- Connections --- */

static struct net_endpoint endpoint_of(uint8_t n, uint16_t port)
{
    struct net_endpoint endpoint = {.port = port};

    memset(endpoint.ip + 10, 0xff, 2);
    memcpy(endpoint.ip + 12, (uint8_t[]){1, 2, 3, n}, 4);
    return endpoint;
}

size_t around_call(struct around *a, uint8_t n)
{
    struct net_endpoint peer = endpoint_of(n, 50000);
    struct net_endpoint local = endpoint_of(200, 18444);
    net_conn conn;

    if (a->conns_n == AROUND_CONNS_MAX)
        return 0;
    conn = new_conn(a, &peer, false);
    a->handler.accepted(a->handler.context, conn, 1, &peer, &local);
    return a->conns[conn - 1].is_open ? (size_t)conn : 0;
}

void around_answer_call(struct around *a, size_t conn, bool works)
{
    struct net_endpoint local = endpoint_of(200, 40000);
    struct error err = {0};

    if (!works)
        (void)error_set(&err, E_IO, "connection refused");
    a->conns[conn - 1].is_open = works;
    a->handler.connected(a->handler.context, (net_conn)conn, works ? 0 : E_IO, &local, &err);
}

bool around_feed(struct around *a, size_t conn, struct span bytes)
{
    struct around_conn *at = &a->conns[conn - 1];

    if (!at->is_open || !at->is_reading)
        return false;
    if (bytes.len > 0)
        a->handler.received(a->handler.context, (net_conn)conn, bytes);
    around_settle(a);
    return at->is_open;
}

void around_hang_up(struct around *a, size_t conn)
{
    struct error err = {0};

    if (!a->conns[conn - 1].is_open)
        return;
    (void)error_set(&err, E_IO, "socket closed");
    a->conns[conn - 1].is_open = false;
    a->handler.closed(a->handler.context, (net_conn)conn, &err);
    around_settle(a);
}

/* --- Messages --- */

void around_write(struct around *a, struct buf *buf, const char *name, struct span payload)
{
    uint8_t header[HEADER_V1_BYTES] = {0};
    uint8_t digest[SHA256_BYTES];

    sha256d(digest, payload.data, payload.len);
    memcpy(header, a->params->magic, 4);
    memcpy(header + 4, name, strlen(name));
    put_le32(header + 16, (uint32_t)payload.len);
    memcpy(header + 20, digest, 4);
    buf_add(buf, header, sizeof(header));
    if (payload.len > 0)
        buf_add(buf, payload.data, payload.len);
}

bool around_say(struct around *a, size_t conn, const char *name, struct span payload)
{
    struct buf buf = {0};
    bool is_open;

    around_write(a, &buf, name, payload);
    is_open = around_feed(a, conn, span_of_buf(&buf));
    buf_clear(&buf);
    return is_open;
}

void around_shake(struct around *a, size_t conn, uint64_t services, bool relay)
{
    struct message_version version = {.version = PROTOCOL_VERSION,
                                      .services = services,
                                      .time_s = clock_wall_s(&a->clock.clock),
                                      .nonce = 77,
                                      .user_agent = span_of_string("/test:1/"),
                                      .relay = relay};
    struct buf payload = {0};

    message_write_version(&payload, &version);
    (void)around_say(a, conn, "version", span_of_buf(&payload));
    (void)around_say(a, conn, "verack", span_of(NULL, 0));
    buf_clear(&payload);
}

bool around_heard(struct around *a, size_t conn, const char *name, struct span *ret_payload)
{
    struct buf *sent = &a->conns[conn - 1].sent;
    size_t at = 0;
    bool found = false;

    /* Payloads shown stay until the next call: what was taken out is dropped now. */
    while (!found && sent->len - at >= HEADER_V1_BYTES) {
        size_t len = get_le32(sent->data + at + 16);

        if (sent->len - at < HEADER_V1_BYTES + len)
            break;
        found = strncmp((const char *)sent->data + at + 4, name, 12) == 0;
        if (found && ret_payload != NULL) {
            static uint8_t copy[MESSAGE_BYTES_MAX];

            memcpy(copy, sent->data + at + HEADER_V1_BYTES, len);
            *ret_payload = span_of(copy, len);
        }
        at += HEADER_V1_BYTES + len;
    }
    if (at == 0)
        return false;
    sent->len -= at;
    memmove(sent->data, sent->data + at, sent->len);
    return found;
}
