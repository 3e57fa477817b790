#include "sim_net.h"

#include "base/alloc.h"
#include "test.h"

/* A node that sends a stream of counted bytes over every connection and checks those
 * it gets. */
struct node {
    struct net_io *io;
    struct net_handler handler;
    net_conn conn;
    uint64_t sent, received;
    uint64_t accepted, connected, failed, closed, drained, timers, woken, resolved;
    uint64_t connected_us;
    struct sim_net *net;
};

static uint8_t byte_at(uint64_t at)
{
    return (uint8_t)(at * 31 + (at >> 8));
}

static void send_some(struct node *node, size_t len)
{
    uint8_t *bytes = alloc(len);

    for (size_t i = 0; i < len; i++)
        bytes[i] = byte_at(node->sent++);
    node->io->ops->send(node->io, node->conn, span_of(bytes, len));
    free(bytes);
}

static void on_accepted(void *context, net_conn conn, int tag, const struct net_endpoint *peer,
                        const struct net_endpoint *local)
{
    struct node *node = context;

    EXPECT_INT("tag", tag, 7);
    EXPECT_INT("port", local->port, 8333);
    EXPECT_TRUE("peer's port", peer->port >= 40000);
    node->accepted++;
    node->conn = conn;
}

static void on_connected(void *context, net_conn conn, int rc, const struct net_endpoint *local,
                         const struct error *err)
{
    struct node *node = context;

    (void)local;
    (void)err;
    EXPECT_U64("conn", conn, node->conn);
    node->connected += rc == 0;
    node->failed += rc != 0;
    node->connected_us = sim_net_now_us(node->net);
}

static void on_received(void *context, net_conn conn, struct span bytes)
{
    struct node *node = context;
    bool is_good = true;

    EXPECT_U64("conn", conn, node->conn);
    for (size_t i = 0; i < bytes.len; i++)
        is_good = is_good && bytes.data[i] == byte_at(node->received++);
    EXPECT_TRUE("in order", is_good);
}

static void on_drained(void *context, net_conn conn, size_t queued)
{
    struct node *node = context;

    (void)conn;
    EXPECT_U64("empty", queued, 0);
    node->drained++;
}

static void on_closed(void *context, net_conn conn, const struct error *err)
{
    struct node *node = context;

    (void)conn;
    (void)err;
    node->closed++;
}

static void on_resolved(void *context, uint64_t token, const struct net_endpoint *endpoints,
                        size_t n)
{
    struct node *node = context;

    EXPECT_U64("token", token, 99);
    node->resolved += n;
    if (n > 0)
        EXPECT_INT("ip", endpoints[0].ip[15], 2);
}

static void on_timer(void *context)
{
    ((struct node *)context)->timers++;
}

static void on_woken(void *context)
{
    ((struct node *)context)->woken++;
}

struct pair {
    struct sim_net *net;
    struct node a, b;
};

static void node_init(struct node *node, struct sim_net *net, uint8_t last)
{
    uint8_t ip[4] = {10, 0, 0, last};

    *node = (struct node){.net = net};
    node->io = sim_net_io(net, sim_net_add_host(net, ip, NULL));
    node->handler = (struct net_handler){.context = node,
                                         .accepted = on_accepted,
                                         .connected = on_connected,
                                         .received = on_received,
                                         .drained = on_drained,
                                         .closed = on_closed,
                                         .resolved = on_resolved,
                                         .timer = on_timer,
                                         .woken = on_woken};
    node->io->ops->set_handler(node->io, &node->handler);
}

static struct net_endpoint endpoint_of(uint8_t last)
{
    return (struct net_endpoint){.ip = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = last},
                                 .port = 8333};
}

/* a has called b and both talk. */
static void pair_init(struct pair *pair, uint64_t seed, const struct sim_net_options *options)
{
    struct sim_net_options usual;
    struct net_endpoint endpoint = endpoint_of(2);

    sim_net_options_default(&usual);
    pair->net = sim_net_new(seed, options == NULL ? &usual : options);
    node_init(&pair->a, pair->net, 1);
    node_init(&pair->b, pair->net, 2);
    EXPECT_INT("listen", pair->b.io->ops->listen(pair->b.io, &endpoint, 7, NULL), 0);
    EXPECT_INT("twice", pair->b.io->ops->listen(pair->b.io, &endpoint, 7, NULL), E_EXISTS);
    pair->a.conn = pair->a.io->ops->connect(pair->a.io, &endpoint, 5000);
    sim_net_run(pair->net, 1000000);
    EXPECT_U64("connected", pair->a.connected, 1);
    EXPECT_U64("accepted", pair->b.accepted, 1);
}

static void pair_clear(struct pair *pair)
{
    sim_net_free(pair->net);
}

static void second(struct pair *pair, uint64_t n)
{
    sim_net_run(pair->net, sim_net_now_us(pair->net) + n * 1000000);
}

static void bytes_arrive_in_order(void)
{
    struct sim_net_options options;
    uint64_t digests[3];

    sim_net_options_default(&options);
    options.stall_one_in = 5;
    options.stall_us = 2000000;
    for (size_t round = 0; round < 3; round++) {
        struct pair pair;

        pair_init(&pair, round < 2 ? 5 : 6, &options);
        for (size_t i = 0; i < 50; i++) {
            send_some(&pair.a, 1 + 997 * i);
            send_some(&pair.b, 1 + 577 * (50 - i));
            sim_net_run(pair.net, sim_net_now_us(pair.net) + 30000 * (i % 3));
        }
        second(&pair, 200);
        EXPECT_U64("a to b", pair.b.received, pair.a.sent);
        EXPECT_U64("b to a", pair.a.received, pair.b.sent);
        digests[round] = sim_net_digest(pair.net);
        pair_clear(&pair);
    }
    EXPECT_U64("the same run", digests[0], digests[1]);
    EXPECT_TRUE("another run", digests[0] != digests[2]);
}

static void readers_hold_senders_up(void)
{
    struct pair pair;

    pair_init(&pair, 1, NULL);
    pair.b.io->ops->set_reading(pair.b.io, pair.b.conn, false);
    send_some(&pair.a, 3 * SIM_NET_WINDOW);
    second(&pair, 100);
    EXPECT_U64("nothing read", pair.b.received, 0);
    EXPECT_U64("the rest waits", pair.a.io->ops->queued(pair.a.io, pair.a.conn),
               2 * SIM_NET_WINDOW);
    EXPECT_U64("not drained", pair.a.drained, 0);
    pair.b.io->ops->set_reading(pair.b.io, pair.b.conn, true);
    second(&pair, 10);
    EXPECT_U64("all read", pair.b.received, pair.a.sent);
    EXPECT_U64("drained", pair.a.drained, 1);
    pair_clear(&pair);
}

static void what_was_sent_before_closing_arrives(void)
{
    struct pair pair;

    pair_init(&pair, 1, NULL);
    send_some(&pair.a, 100000);
    pair.a.io->ops->close(pair.a.io, pair.a.conn);
    second(&pair, 5);
    EXPECT_U64("all read", pair.b.received, pair.a.sent);
    EXPECT_U64("then told", pair.b.closed, 1);
    EXPECT_U64("not who closed", pair.a.closed, 0);
    pair_clear(&pair);
}

static void calls_that_fail(void)
{
    struct pair pair;
    struct net_endpoint endpoint = endpoint_of(2);

    pair_init(&pair, 1, NULL);
    pair.b.io->ops->stop_listening(pair.b.io);
    pair.a.conn = pair.a.io->ops->connect(pair.a.io, &endpoint, 5000);
    second(&pair, 1);
    EXPECT_U64("refused soon", pair.a.failed, 1);
    endpoint = endpoint_of(77);
    pair.a.conn = pair.a.io->ops->connect(pair.a.io, &endpoint, 5000);
    second(&pair, 4);
    EXPECT_U64("not yet", pair.a.failed, 1);
    second(&pair, 2);
    EXPECT_U64("nobody there", pair.a.failed, 2);
    pair_clear(&pair);
}

static void partitions_delay_or_end(void)
{
    for (uint64_t span = 20; span <= 200; span += 180) {
        struct pair pair;

        pair_init(&pair, 1, NULL);
        sim_net_set_group(pair.net, 0, 1);
        send_some(&pair.a, 1000);
        second(&pair, span);
        EXPECT_U64("nothing passes", pair.b.received, 0);
        sim_net_set_group(pair.net, 0, 0);
        second(&pair, 10);
        EXPECT_U64("passes", pair.b.received, span == 20 ? 1000 : 0);
        EXPECT_U64("or ends", pair.a.closed + pair.b.closed, span == 20 ? 0 : 2);
        pair_clear(&pair);
    }
}

/* The way opens at a moment between two tries. */
static void cut_ways_keep_the_order(void)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct pair pair;

        pair_init(&pair, seed, NULL);
        sim_net_set_group(pair.net, 0, 1);
        for (size_t i = 0; i < 40; i++) {
            send_some(&pair.a, 100);
            sim_net_run(pair.net, sim_net_now_us(pair.net) + 90000);
            if (i == 15 + seed)
                sim_net_set_group(pair.net, 0, 0);
        }
        second(&pair, 5);
        EXPECT_U64("all", pair.b.received, pair.a.sent);
        pair_clear(&pair);
    }
}

static void hosts_that_die(void)
{
    for (int silent = 0; silent < 2; silent++) {
        struct pair pair;

        pair_init(&pair, 1, NULL);
        pair.b.io->ops->set_timer(pair.b.io, 3000);
        sim_net_stop_host(pair.net, 1, silent == 1);
        send_some(&pair.a, 1000);
        second(&pair, 5);
        EXPECT_U64("told", pair.a.closed, silent == 1 ? 0 : 1);
        second(&pair, 60);
        EXPECT_U64("told late", pair.a.closed, 1);
        EXPECT_U64("the dead hear nothing", pair.b.received + pair.b.timers + pair.b.closed, 0);
        sim_net_start_host(pair.net, 1);
        pair.b.io->ops->set_handler(pair.b.io, &pair.b.handler);
        pair.b.io->ops->set_timer(pair.b.io, 1000);
        second(&pair, 2);
        EXPECT_U64("lives again", pair.b.timers, 1);
        pair_clear(&pair);
    }
}

static void connections_that_break(void)
{
    struct sim_net_options options;
    uint64_t broken = 0;

    sim_net_options_default(&options);
    options.reset_one_in = 10;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct pair pair;

        pair_init(&pair, seed, &options);
        for (size_t i = 0; i < 5; i++) {
            send_some(&pair.a, 1000);
            second(&pair, 1);
        }
        EXPECT_U64("both or none", pair.a.closed, pair.b.closed);
        EXPECT_TRUE("what came is a front", pair.b.received <= pair.a.sent);
        EXPECT_TRUE("all or broken", pair.b.closed == 1 || pair.b.received == pair.a.sent);
        broken += pair.b.closed;
        pair_clear(&pair);
    }
    EXPECT_TRUE("some", broken > 5 && broken < 45);
}

static void timers_wakes_and_names(void)
{
    static const uint8_t ip[4] = {10, 0, 0, 2};
    struct pair pair;
    struct sim_clock clock;
    uint8_t third[4] = {10, 0, 0, 3};

    pair_init(&pair, 1, NULL);
    sim_clock_init(&clock, 1000);
    (void)sim_net_add_host(pair.net, third, &clock);
    sim_net_add_name(pair.net, "seed.example", ip);
    pair.a.io->ops->set_timer(pair.a.io, 1000);
    pair.a.io->ops->set_timer(pair.a.io, 2000); /* In place of the first. */
    pair.a.io->ops->wake(pair.a.io);
    pair.a.io->ops->wake(pair.a.io);
    pair.a.io->ops->resolve(pair.a.io, 99, "seed.example", 10);
    pair.a.io->ops->resolve(pair.a.io, 99, "nobody.example", 10);
    second(&pair, 10);
    EXPECT_U64("timer", pair.a.timers, 1);
    EXPECT_U64("woken", pair.a.woken, 1);
    EXPECT_U64("resolved", pair.a.resolved, 1);
    sim_net_stop_host(pair.net, 2, true);
    sim_net_start_host(pair.net, 2);
    EXPECT_INT("its clock goes on", clock.clock.wall_ms(&clock.clock), 11000);
    pair_clear(&pair);
}

TEST_LIST(TEST(bytes_arrive_in_order), TEST(readers_hold_senders_up),
          TEST(what_was_sent_before_closing_arrives), TEST(calls_that_fail),
          TEST(partitions_delay_or_end), TEST(cut_ways_keep_the_order), TEST(hosts_that_die),
          TEST(connections_that_break), TEST(timers_wakes_and_names))
