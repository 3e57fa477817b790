#include "stage.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "codec/writer.h"
#include "consensus/pow.h"
#include "headers/accept.h"
#include "test.h"

#define TICK_MS 100

/* --- The network --- */

static struct stage *stage_of_net(struct net_io *net)
{
    return (struct stage *)net;
}

static struct actor *actor_of(struct stage *stage, net_conn conn)
{
    for (size_t i = 0; i < stage->actors_n; i++) {
        if (stage->actors[i].conn == conn)
            return &stage->actors[i];
    }
    return NULL;
}

static void net_set_handler(struct net_io *net, const struct net_handler *handler)
{
    stage_of_net(net)->handler = *handler;
}

static int net_listen(struct net_io *net, const struct net_endpoint *endpoint, int tag,
                      struct error *err)
{
    (void)net;
    (void)endpoint;
    (void)tag;
    (void)err;
    return 0;
}

static void net_stop_listening(struct net_io *net)
{
    (void)net;
}

static net_conn net_connect(struct net_io *net, const struct net_endpoint *endpoint,
                            uint64_t timeout_ms)
{
    struct stage *stage = stage_of_net(net);

    (void)endpoint;
    (void)timeout_ms;
    return ++stage->next_conn;
}

static void hear(struct actor *actor, const struct wire_message *message)
{
    struct heard *heard;

    if (message->type == MESSAGE_PING && message->payload.len == 8) {
        actor->owes_pong = true;
        actor->pong = get_le64(message->payload.data);
        return;
    }
    actor->heard = realloc_array(actor->heard, actor->heard_n + 1, sizeof(*actor->heard));
    heard = &actor->heard[actor->heard_n++];
    *heard = (struct heard){.type = message->type};
    buf_add(&heard->payload, message->payload.data, message->payload.len);
}

static void net_send(struct net_io *net, net_conn conn, struct span bytes)
{
    struct actor *actor = actor_of(stage_of_net(net), conn);
    struct wire_message message;

    while (actor != NULL && wire_receive(actor->wire, &bytes, &message, NULL) == WIRE_EVENT_MESSAGE)
        hear(actor, &message);
}

static size_t net_queued(struct net_io *net, net_conn conn)
{
    (void)net;
    (void)conn;
    return 0;
}

static void net_set_reading(struct net_io *net, net_conn conn, bool is_on)
{
    (void)net;
    (void)conn;
    (void)is_on;
}

static void net_close(struct net_io *net, net_conn conn)
{
    struct actor *actor = actor_of(stage_of_net(net), conn);

    if (actor != NULL)
        actor->is_gone = true;
}

static void net_resolve(struct net_io *net, uint64_t token, const char *host, size_t max)
{
    (void)net;
    (void)token;
    (void)host;
    (void)max;
}

static void net_set_timer(struct net_io *net, uint64_t delay_ms)
{
    (void)net;
    (void)delay_ms;
}

static void net_wake(struct net_io *net)
{
    stage_of_net(net)->is_woken = true;
}

static size_t net_interfaces(struct net_io *net, struct net_endpoint *ret_endpoints, size_t max)
{
    (void)net;
    (void)ret_endpoints;
    (void)max;
    return 0;
}

static size_t net_limit(struct net_io *net)
{
    (void)net;
    return 1000;
}

static const struct net_ops net_ops = {
    .set_handler = net_set_handler,
    .listen = net_listen,
    .stop_listening = net_stop_listening,
    .connect = net_connect,
    .send = net_send,
    .queued = net_queued,
    .set_reading = net_set_reading,
    .close = net_close,
    .resolve = net_resolve,
    .set_timer = net_set_timer,
    .wake = net_wake,
    .interfaces = net_interfaces,
    .limit = net_limit,
};

/* --- The chain --- */

static struct stage *stage_of_sink(struct sink *sink)
{
    return (struct stage *)((char *)sink - offsetof(struct stage, sink));
}

static int64_t now_s(struct stage *stage)
{
    return clock_wall_s(&stage->clock.clock);
}

static enum verdict accept_one(struct stage *stage, struct header_node **ret_node,
                               const struct header *header, bool *ret_is_new)
{
    struct finding finding = {0};
    enum verdict verdict;

    CHECK(header_accept(stage->tree, ret_node, ret_is_new, &verdict, header, stage->params,
                        now_s(stage), &finding, NULL) == 0);
    return verdict;
}

static void sink_headers(struct sink *sink, struct header *own_headers, size_t n,
                         void (*done)(void *context, const struct headers_answer *answer),
                         void *context)
{
    struct stage *stage = stage_of_sink(sink);
    struct headers_answer answer = {.verdict = V_VALID};

    stage->headers_offered += (uint32_t)n;
    for (size_t i = 0; i < n && answer.verdict == V_VALID; i++) {
        struct header_node *node;
        bool is_new;

        answer.verdict = accept_one(stage, &node, &own_headers[i], &is_new);
        if (answer.verdict != V_VALID)
            break;
        answer.accepted_n++;
        answer.new_n += is_new;
        answer.last = node->hash;
    }
    free(own_headers);
    done(context, &answer);
}

static void hold_data(struct header_node *node)
{
    const struct header_node *prev = node->prev;

    header_mark(node, HEADER_DATA | HEADER_CHECKED);
    atomic_store(&node->tx_n, 1);
    if (prev == NULL || atomic_load(&prev->chain_tx_n) != 0)
        atomic_store(&node->chain_tx_n, (uint64_t)node->height + 1);
}

/* Those behind it that were waiting for it. */
static void link_children(struct stage *stage, const struct header_node *from)
{
    uint32_t count = header_tree_count(stage->tree);

    for (uint32_t i = from->index + 1; i < count; i++) {
        struct header_node *node = header_tree_at(stage->tree, i);

        if (header_has(node, HEADER_DATA) && atomic_load(&node->chain_tx_n) == 0 &&
            atomic_load(&node->prev->chain_tx_n) != 0)
            atomic_store(&node->chain_tx_n, (uint64_t)node->height + 1);
    }
}

static void keep_bytes(struct stage *stage, const struct header_node *node, struct buf *own_bytes)
{
    CHECK(node->index < STAGE_BLOCKS_MAX);
    buf_clear(&stage->blocks[node->index]);
    stage->blocks[node->index] = *own_bytes;
    *own_bytes = (struct buf){0};
}

void stage_set_tip(struct stage *stage, const struct header_node *tip)
{
    const struct chain_events *events = p2p_events(stage->p2p);
    struct tip_event event = {.initial_block_download = stage->is_initial};

    event.tip.hash = tip->hash;
    event.tip.height = tip->height;
    event.fork.hash = header_fork(stage->tip, tip)->hash;
    if (events->tip_changed != NULL)
        events->tip_changed(events->context, &event);
    if (events->tip_published != NULL)
        events->tip_published(events->context, &event);
    stage->tip = tip;
}

/* As far as blocks are there the chain grows; told as the real one does. */
static void connect_on(struct stage *stage)
{
    const struct chain_events *events = p2p_events(stage->p2p);
    uint32_t count = header_tree_count(stage->tree);

    for (uint32_t i = 0; i < count; i++) {
        struct header_node *node = header_tree_at(stage->tree, i);
        struct block_info info = {.hash = node->hash, .height = node->height};

        struct block block;
        struct arena arena;

        if (node->prev != stage->tip || atomic_load(&node->chain_tx_n) == 0)
            continue;
        header_mark(node, HEADER_CONNECTED);
        arena_init(&arena);
        CHECK(block_read(&block, stage->blocks[i].data, stage->blocks[i].len, &arena) == 0);
        if (events->block_connected != NULL)
            events->block_connected(events->context, &info, &block, NULL);
        arena_clear(&arena);
        stage_set_tip(stage, node);
    }
}

static void sink_block(struct sink *sink, struct buf *own_bytes, bool is_requested,
                       void (*done)(void *context, const struct block_answer *answer),
                       void *context)
{
    struct stage *stage = stage_of_sink(sink);
    struct block_answer answer = {.result = {.verdict = stage->next_verdict}};
    struct header_node *node = NULL;
    struct header header;
    struct reader r;
    bool is_new;

    (void)is_requested;
    stage->blocks_offered++;
    reader_init(&r, own_bytes->data, own_bytes->len);
    header_read(&header, &r);
    answer.hash = header_hash(&header);
    answer.is_mutated = stage->next_is_mutated;
    stage->next_verdict = V_VALID;
    stage->next_is_mutated = false;
    if (answer.result.verdict == V_VALID)
        answer.result.verdict = accept_one(stage, &node, &header, &is_new);
    if (answer.result.verdict == V_VALID && !header_has(node, HEADER_DATA)) {
        answer.result.is_new = true;
        hold_data(node);
        keep_bytes(stage, node, own_bytes);
        link_children(stage, node);
        connect_on(stage);
    }
    buf_clear(own_bytes);
    if (!stage->holds_answers) {
        done(context, &answer);
        return;
    }
    CHECK(stage->held_n < ARRAY_LEN(stage->held));
    stage->held[stage->held_n++] = (struct held_answer){done, context, answer};
}

void stage_answer(struct stage *stage)
{
    for (size_t i = 0; i < stage->held_n; i++)
        stage->held[i].done(stage->held[i].context, &stage->held[i].answer);
    stage->held_n = 0;
    stage_run(stage);
}

static void sink_txs(struct sink *sink, const struct tx_ref *const *txs, size_t n,
                     void (*done)(void *context, const struct txs_answer *answer), void *context)
{
    struct txs_answer answer = {.package_reason = ""};

    (void)sink;
    (void)txs;
    (void)n;
    done(context, &answer);
}

static bool sink_has_room(struct sink *sink)
{
    return !stage_of_sink(sink)->is_full;
}

static const struct sink_ops sink_ops = {.offer_headers = sink_headers,
                                         .offer_block = sink_block,
                                         .offer_txs = sink_txs,
                                         .has_room = sink_has_room};

static struct stage *stage_of_node(struct node *node)
{
    return (struct stage *)((char *)node - offsetof(struct stage, node));
}

static int node_read_bytes(struct node *node, struct buf *buf, const struct block_hash *hash,
                           struct error *err)
{
    struct stage *stage = stage_of_node(node);
    const struct header_node *found = header_tree_find(stage->tree, hash);

    if (found == NULL || !header_has(found, HEADER_DATA))
        return error_set(err, E_NOT_FOUND, "no data");
    buf_add(buf, stage->blocks[found->index].data, stage->blocks[found->index].len);
    return 0;
}

static int node_read_block(struct node *node, struct block_data *ret_data,
                           const struct block_hash *hash, struct error *err)
{
    int rc;

    *ret_data = (struct block_data){.bytes = {0}};
    rc = node_read_bytes(node, &ret_data->bytes, hash, err);
    if (rc < 0)
        return rc;
    return block_read(&ret_data->block, ret_data->bytes.data, ret_data->bytes.len,
                      &ret_data->arena);
}

static void node_status_of(struct node *node, struct node_status *ret_status)
{
    *ret_status = (struct node_status){.initial_block_download = stage_of_node(node)->is_initial};
}

static const struct node_ops node_ops = {
    .status = node_status_of, .read_block = node_read_block, .read_block_bytes = node_read_bytes};

/* --- The mempool: empty --- */

static void pool_status(struct mempool_view *pool, struct mempool_status *ret_status)
{
    (void)pool;
    *ret_status = (struct mempool_status){.is_loaded = true};
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

static const struct mempool_ops pool_ops = {.status = pool_status,
                                            .has = pool_has,
                                            .find = pool_find,
                                            .walk = pool_walk,
                                            .sort = pool_sort,
                                            .unbroadcast = pool_unbroadcast};

struct header stage_header(const struct header_node *prev, uint32_t tag)
{
    struct header header = {.version = 4,
                            .prev = prev->hash,
                            .time = prev->time + 1,
                            .bits = prev->bits,
                            .nonce = tag << 8};
    struct block_hash hash = header_hash(&header);

    while (!pow_check(&hash, header.bits, params_of(NETWORK_REGTEST))) {
        header.nonce++;
        hash = header_hash(&header);
    }
    return header;
}

void stage_block(struct buf *ret_bytes, const struct header *header)
{
    static const uint8_t tx[] = {1, 1, 0, 0, 0, 1};
    uint8_t bytes[HEADER_BYTES];

    header_write(bytes, header);
    buf_add(ret_bytes, bytes, sizeof(bytes));
    buf_add(ret_bytes, tx, sizeof(tx)); /* One transaction: version, one input. */
    for (int i = 0; i < 32; i++)
        buf_add_byte(ret_bytes, 0);
    write_le32(ret_bytes, 0xffffffff);
    buf_add_byte(ret_bytes, 2); /* Its script. */
    buf_add(ret_bytes, "\x51\x51", 2);
    write_le32(ret_bytes, 0xffffffff);
    buf_add_byte(ret_bytes, 1); /* One output. */
    write_le64(ret_bytes, 0);
    buf_add_byte(ret_bytes, 0);
    write_le32(ret_bytes, 0);
}

const struct header_node *stage_grow(struct stage *stage, const struct header_node *on, uint32_t n,
                                     bool with_data)
{
    while (n-- > 0) {
        struct header header = stage_header(on, with_data ? 7 : 0);
        struct header_node *node;
        struct buf bytes = {0};
        bool is_new;

        CHECK(accept_one(stage, &node, &header, &is_new) == V_VALID);
        if (with_data) {
            stage_block(&bytes, &header);
            hold_data(node);
            header_mark(node, HEADER_CONNECTED);
            keep_bytes(stage, node, &bytes);
        }
        on = node;
    }
    return on;
}

/* --- Life --- */

static const struct header_node *ground_tip(void *context)
{
    return ((struct stage *)context)->tip;
}

static bool ground_is_initial(void *context)
{
    return ((struct stage *)context)->is_initial;
}

static void print_line(enum log_level level, const char *category, const char *file, int line,
                       const char *function, const char *message)
{
    (void)level;
    (void)file;
    (void)line;
    (void)function;
    fprintf(stderr, "[%s] %s\n", category, message);
}

static bool want_all(enum log_level level, const char *category)
{
    (void)level;
    (void)category;
    return true;
}

struct stage *stage_new(void (*change)(struct p2p_options *options))
{
    static const uint64_t salt[2] = {5, 6};
    struct stage *stage = alloc_zero(sizeof(*stage));
    struct p2p_options options;
    struct error err = {0};
    struct header_node *genesis;

    /* To see what happens: STAGE_LOG=1 in the environment. */
    if (getenv("STAGE_LOG") != NULL)
        log_set_sink(print_line, want_all);
    stage->params = params_of(NETWORK_REGTEST);
    stage->net.ops = &net_ops;
    stage->sink.ops = &sink_ops;
    stage->node.ops = &node_ops;
    stage->tree = header_tree_new(stage->params, salt);
    genesis = header_tree_genesis(stage->tree);
    hold_data(genesis);
    buf_add(&stage->blocks[0], stage->params->genesis.data, stage->params->genesis.len);
    stage->tip = genesis;
    stage->disk = sim_disk_new(1);
    sim_clock_init(&stage->clock, ((int64_t)genesis->time + 60) * 1000);
    p2p_options_default(&options, stage->params);
    options.net = &stage->net;
    options.clock = &stage->clock.clock;
    options.disk = sim_disk_disk(stage->disk);
    options.folder = "node";
    CHECK(options.disk->ops->make_folder(options.disk, "node", NULL) == 0);
    options.node = &stage->node;
    options.sink = &stage->sink;
    stage->pool.ops = &pool_ops;
    options.mempool = &stage->pool;
    options.ground = (struct p2p_ground){.tree = stage->tree,
                                         .tip = ground_tip,
                                         .is_initial_block_download = ground_is_initial,
                                         .context = stage};
    options.is_single_thread = true;
    options.v2_transport = false;
    options.connect_only = true;
    options.listen_onion = false;
    options.dns_seed = false;
    options.fixed_seeds = false;
    if (change != NULL)
        change(&options);
    if (p2p_new(&stage->p2p, &options, &err) < 0 || p2p_start(stage->p2p, &err) < 0)
        CHECK_NEVER(error_text(&err));
    return stage;
}

void stage_free(struct stage *own_stage)
{
    stage_answer(own_stage);
    p2p_stop(own_stage->p2p);
    p2p_free(own_stage->p2p);
    for (size_t i = 0; i < own_stage->actors_n; i++) {
        wire_free(own_stage->actors[i].wire);
        for (size_t k = 0; k < own_stage->actors[i].heard_n; k++)
            buf_clear(&own_stage->actors[i].heard[k].payload);
        free(own_stage->actors[i].heard);
    }
    for (size_t i = 0; i < STAGE_BLOCKS_MAX; i++)
        buf_clear(&own_stage->blocks[i]);
    header_tree_free(own_stage->tree);
    sim_disk_free(own_stage->disk);
    free(own_stage);
}

static void feed(struct actor *actor)
{
    struct stage *stage = actor->stage;
    struct span bytes = wire_to_send(actor->wire);

    if (!actor->is_gone)
        stage->handler.received(stage->handler.context, actor->conn, bytes);
    wire_sent(actor->wire, bytes.len);
}

static bool answer_pings(struct stage *stage)
{
    bool was_any = false;

    for (size_t i = 0; i < stage->actors_n; i++) {
        struct actor *actor = &stage->actors[i];

        if (!actor->owes_pong)
            continue;
        actor->owes_pong = false;
        message_write_nonce(wire_begin(actor->wire, MESSAGE_PONG), actor->pong);
        wire_end(actor->wire);
        feed(actor);
        was_any = true;
    }
    return was_any;
}

void stage_run(struct stage *stage)
{
    do {
        while (stage->is_woken) {
            stage->is_woken = false;
            stage->handler.woken(stage->handler.context);
        }
    } while (answer_pings(stage));
}

void stage_wait_ms(struct stage *stage, uint64_t ms)
{
    for (;;) {
        uint64_t step = MIN(ms, TICK_MS);

        stage_run(stage);
        if (step == 0)
            return;
        sim_clock_advance_us(&stage->clock, step * 1000);
        stage->handler.timer(stage->handler.context);
        ms -= step;
    }
}

/* --- Peers --- */

static void flush(struct actor *actor)
{
    feed(actor);
    stage_run(actor->stage);
}

struct buf *actor_begin(struct actor *actor, enum message_type type)
{
    return wire_begin(actor->wire, type);
}

void actor_end(struct actor *actor)
{
    wire_end(actor->wire);
    flush(actor);
}

void actor_send(struct actor *actor, enum message_type type, struct span payload)
{
    wire_send(actor->wire, type, payload);
    flush(actor);
}

bool actor_next(struct actor *actor, enum message_type type, struct wire_message *ret_message)
{
    while (actor->heard_at < actor->heard_n) {
        const struct heard *heard = &actor->heard[actor->heard_at++];

        if (heard->type != type)
            continue;
        *ret_message = (struct wire_message){.type = type, .payload = span_of_buf(&heard->payload)};
        return true;
    }
    return false;
}

void actor_forget(struct actor *actor)
{
    actor->heard_at = actor->heard_n;
}

static void say_version(struct actor *actor, uint64_t services)
{
    struct message_version version = {.version = PROTOCOL_VERSION,
                                      .services = services,
                                      .time_s = now_s(actor->stage),
                                      .nonce = 0x1122334455667788 + (uint64_t)actor->conn,
                                      .user_agent = span_of_string("/actor/"),
                                      .start_height = 0,
                                      .relay = true};

    message_write_version(actor_begin(actor, MESSAGE_VERSION), &version);
    actor_end(actor);
}

struct actor *stage_join(struct stage *stage, bool is_inbound, uint64_t services)
{
    struct actor *actor = &stage->actors[stage->actors_n];
    struct net_endpoint peer = {.port = (uint16_t)(20000 + stage->actors_n)};
    struct net_endpoint local = {.port = 18444};
    struct wire_message message;
    char text[64];

    CHECK(stage->actors_n < STAGE_ACTORS_MAX);
    peer.ip[10] = peer.ip[11] = local.ip[10] = local.ip[11] = 0xff;
    peer.ip[12] = 8;
    peer.ip[13] = (uint8_t)(stage->actors_n + 1);
    peer.ip[15] = local.ip[15] = 1;
    local.ip[12] = 9;
    *actor = (struct actor){.stage = stage, .wire = wire_new(WIRE_V1, stage->params->magic, NULL)};
    actor->id = (int64_t)stage->actors_n++;
    if (is_inbound) {
        actor->conn = ++stage->next_conn;
        stage->handler.accepted(stage->handler.context, actor->conn, 0, &peer, &local);
    } else {
        struct peers *peers = p2p_peers(stage->p2p);

        actor->conn = stage->next_conn + 1;
        snprintf(text, sizeof(text), "8.%u.0.1:%u", (unsigned)actor->id + 1, (unsigned)peer.port);
        CHECK(peers->ops->add_connection(peers, text, "outbound-full-relay", false) == 0);
        stage_run(stage);
        CHECK(stage->next_conn == actor->conn);
        stage->handler.connected(stage->handler.context, actor->conn, 0, &local, NULL);
    }
    stage_run(stage);
    say_version(actor, services);
    EXPECT_TRUE("version", actor_next(actor, MESSAGE_VERSION, &message));
    EXPECT_TRUE("verack", actor_next(actor, MESSAGE_VERACK, &message));
    actor_send(actor, MESSAGE_VERACK, span_of(NULL, 0));
    stage_run(stage);
    return actor;
}

void actor_send_headers(struct actor *actor, const struct header *headers, size_t n)
{
    message_write_headers(actor_begin(actor, MESSAGE_HEADERS), headers, n);
    actor_end(actor);
}

void actor_send_block(struct actor *actor, struct span bytes)
{
    actor_send(actor, MESSAGE_BLOCK, bytes);
}

uint32_t actor_asked(struct actor *actor, struct inv *ret_inv)
{
    struct wire_message message;
    struct message_inv inv;
    struct arena arena;
    uint32_t n = 0;

    arena_init(&arena);
    if (actor_next(actor, MESSAGE_GETDATA, &message) &&
        message_read_inv(&inv, message.payload, MESSAGE_GETDATA, &arena, NULL) == 0) {
        n = inv.n;
        if (ret_inv != NULL)
            memcpy(ret_inv, inv.inv, n * sizeof(*ret_inv));
    }
    arena_clear(&arena);
    return n;
}
