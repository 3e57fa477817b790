/* The core and the handshake: one object, its peers played by the test. */
#include "naive_around.h"

#include "test.h"

static const uint64_t full = NODE_NETWORK | NODE_WITNESS;

static void send_version(struct around *a, size_t conn, const struct message_version *version)
{
    struct buf payload = {0};

    message_write_version(&payload, version);
    (void)around_say(a, conn, "version", span_of_buf(&payload));
    buf_clear(&payload);
}

static struct message_version version_of(const struct around *a)
{
    return (struct message_version){.version = PROTOCOL_VERSION,
                                    .services = full,
                                    .time_s = clock_wall_s((struct clock *)(uintptr_t)&a->clock),
                                    .nonce = 5,
                                    .user_agent = span_of_string("/x:1/"),
                                    .relay = true};
}

static bool is_open(const struct around *a, size_t conn)
{
    return a->conns[conn - 1].is_open;
}

static void an_inbound_handshake(void)
{
    struct around a;
    size_t conn;
    struct message_version version;
    struct span payload;

    around_open(&a, NULL);
    conn = around_call(&a, 1);
    EXPECT_TRUE("silent until spoken to", a.conns[0].sent.len == 0);
    version = version_of(&a);
    send_version(&a, conn, &version);
    EXPECT_TRUE("version", around_heard(&a, conn, "version", &payload));
    EXPECT_INT("", message_read_version(&version, payload, NULL), 0);
    EXPECT_INT("", version.version, PROTOCOL_VERSION);
    EXPECT_U64("", version.services, NODE_NETWORK | NODE_WITNESS | NODE_NETWORK_LIMITED);
    EXPECT_TRUE("", version.relay);
    EXPECT_TRUE("BIP 339", around_heard(&a, conn, "wtxidrelay", NULL));
    EXPECT_TRUE("BIP 155", around_heard(&a, conn, "sendaddrv2", NULL));
    EXPECT_TRUE("", around_heard(&a, conn, "verack", NULL));
    EXPECT_TRUE("", !a.p2p->first->is_ready);
    (void)around_say(&a, conn, "wtxidrelay", span_of(NULL, 0));
    (void)around_say(&a, conn, "sendaddrv2", span_of(NULL, 0));
    (void)around_say(&a, conn, "verack", span_of(NULL, 0));
    EXPECT_TRUE("", a.p2p->first->is_ready);
    EXPECT_TRUE("", peer_has_wtxid_relay(a.p2p->first));
    EXPECT_TRUE("", peer_wants_addrv2(a.p2p->first));
    EXPECT_TRUE("a ping comes first", around_heard(&a, conn, "ping", NULL));
    around_hang_up(&a, conn);
    EXPECT_TRUE("gone", a.p2p->first == NULL);
    around_close(&a);
}

/* What ends the connection, and what is only passed over. */
static void messages_at_the_wrong_time(void)
{
    static const struct {
        const char *name;
        bool after_verack;
        bool ends;
    } rows[] = {
        {"wtxidrelay", true, true}, {"sendaddrv2", true, true},   {"feature", true, true},
        {"verack", true, false},    {"version", true, false},     {"ping", false, false},
        {"inv", false, false},      {"wtxidrelay", false, false}, {"sendtxrcncl", false, false},
        {"feature", false, true},   {"nonsense", true, false},    {"sendheaders", false, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct around a;
        size_t conn;
        struct message_version version;

        around_open(&a, NULL);
        conn = around_call(&a, 1);
        version = version_of(&a);
        (void)around_say(&a, conn, rows[i].name[0] == 'v' ? "ping" : rows[i].name,
                         span_of(NULL, 0));
        EXPECT_TRUE("before version nothing counts", is_open(&a, conn));
        EXPECT_TRUE("and nothing is said", !around_heard(&a, conn, "pong", NULL));
        send_version(&a, conn, &version);
        if (rows[i].after_verack)
            (void)around_say(&a, conn, "verack", span_of(NULL, 0));
        (void)around_say(&a, conn, rows[i].name, span_of(NULL, 0));
        EXPECT_INT(rows[i].name, !is_open(&a, conn), rows[i].ends);
        around_close(&a);
    }
}

static void who_is_not_talked_to(void)
{
    struct around a;
    size_t conn;
    struct message_version version;

    around_open(&a, NULL);
    version = version_of(&a);
    version.version = PROTOCOL_VERSION_MIN_PEER - 1;
    conn = around_call(&a, 1);
    send_version(&a, conn, &version);
    EXPECT_TRUE("too old", !is_open(&a, conn));
    version.version++;
    conn = around_call(&a, 2);
    send_version(&a, conn, &version);
    EXPECT_TRUE("just not", is_open(&a, conn));
    EXPECT_TRUE("", around_heard(&a, conn, "version", NULL));
    EXPECT_TRUE("knows no wtxidrelay", !around_heard(&a, conn, "wtxidrelay", NULL));
    around_close(&a);
}

/* Our own nonce comes back. */
static void we_do_not_talk_to_ourselves(void)
{
    struct around a;
    size_t out;
    size_t in;
    struct message_version version;
    struct span payload;

    around_open(&a, NULL);
    EXPECT_INT("", p2p_peers(a.p2p)->ops->add_node(p2p_peers(a.p2p), "1.2.3.9:5", "onetry", false),
               PEERS_OK);
    out = a.conns_n;
    around_answer_call(&a, out, true);
    EXPECT_TRUE("the caller begins", around_heard(&a, out, "version", &payload));
    EXPECT_INT("", message_read_version(&version, payload, NULL), 0);
    in = around_call(&a, 9);
    send_version(&a, in, &version);
    EXPECT_TRUE("", !is_open(&a, in));
    version.nonce++;
    in = around_call(&a, 9);
    send_version(&a, in, &version);
    EXPECT_TRUE("another one", is_open(&a, in));
    around_close(&a);
}

static void pings_are_timed_and_answered(void)
{
    struct around a;
    struct span payload;
    struct peer *peer;
    uint8_t nonce[8];
    size_t conn;

    around_open(&a, NULL);
    conn = around_call(&a, 1);
    around_shake(&a, conn, full, true);
    peer = a.p2p->first;
    EXPECT_TRUE("", around_heard(&a, conn, "ping", &payload));
    memcpy(nonce, payload.data, sizeof(nonce));
    around_pass(&a, 300);
    nonce[0] ^= 1;
    (void)around_say(&a, conn, "pong", span_of(nonce, 8));
    EXPECT_INT("another nonce is none", peer->handshake.ping_us, -1);
    nonce[0] ^= 1;
    (void)around_say(&a, conn, "pong", span_of(nonce, 8));
    EXPECT_INT("", peer->handshake.ping_us, 300000);
    EXPECT_U64("", peer->handshake.ping_nonce, 0);
    (void)around_say(&a, conn, "ping", span_of_string("abcdefgh"));
    EXPECT_TRUE("", around_heard(&a, conn, "pong", &payload));
    EXPECT_BYTES("", payload.data, payload.len, "abcdefgh", 8);
    around_pass(&a, 2 * 60 * 1000 + 200);
    EXPECT_TRUE("again after two minutes", around_heard(&a, conn, "ping", NULL));
    for (unsigned i = 0; i < 19; i++) {
        around_pass(&a, 60 * 1000);
        (void)around_say(&a, conn, "ping", span_of_string("abcdefgh"));
    }
    EXPECT_TRUE("patience", is_open(&a, conn));
    around_pass(&a, 2 * 60 * 1000);
    EXPECT_TRUE("twenty minutes without an answer", !is_open(&a, conn));
    around_close(&a);
}

static void silence_ends_a_connection(void)
{
    struct around a;
    size_t quiet;
    size_t half;
    struct message_version version;

    around_open(&a, NULL);
    quiet = around_call(&a, 1);
    half = around_call(&a, 2);
    version = version_of(&a);
    send_version(&a, half, &version);
    around_pass(&a, 60 * 1000);
    EXPECT_TRUE("", is_open(&a, quiet) && is_open(&a, half));
    around_pass(&a, 1500);
    EXPECT_TRUE("no byte", !is_open(&a, quiet));
    EXPECT_TRUE("no verack", !is_open(&a, half));
    around_close(&a);
}

static void small_buffers(struct p2p_options *options)
{
    options->max_send_bytes = 1000;
    options->max_receive_bytes = 1000;
}

/* Who takes nothing is answered nothing more, and in the end not read from. */
static void a_peer_that_takes_nothing(void)
{
    struct around a;
    struct peer *peer;
    size_t conn;
    unsigned fed = 0;

    around_open(&a, small_buffers);
    conn = around_call(&a, 1);
    around_shake(&a, conn, full, true);
    peer = a.p2p->first;
    a.conns[0].is_stuck = true;
    while (fed < 1000 && around_say(&a, conn, "ping", span_of_string("abcdefgh")))
        fed++;
    EXPECT_TRUE("reading stops", fed < 100 && !a.conns[0].is_reading);
    EXPECT_TRUE("bounded", a.conns[0].queued < 1000 + 64);
    EXPECT_TRUE("", peer->is_sending_paused);
    a.conns[0].is_stuck = false;
    a.conns[0].queued = 0;
    a.conns[0].sent.len = 0;
    a.handler.drained(a.handler.context, (net_conn)conn, 0);
    EXPECT_TRUE("goes on", a.conns[0].is_reading && peer->inbox.len == 0);
    EXPECT_TRUE("what had waited is answered", around_heard(&a, conn, "pong", NULL));
    around_close(&a);
}

/* While something of a peer is judged its further messages wait, in order; others' do not. */
static void order_while_judging(void)
{
    struct around a;
    struct peer *peer;
    size_t conn;
    size_t other;

    around_open(&a, NULL);
    conn = around_call(&a, 1);
    other = around_call(&a, 2);
    around_shake(&a, conn, full, true);
    around_shake(&a, other, full, true);
    peer = a.p2p->first;
    peer_wait(peer);
    peer_wait(peer);
    (void)around_say(&a, conn, "ping", span_of_string("abcdefgh"));
    (void)around_say(&a, other, "ping", span_of_string("abcdefgh"));
    EXPECT_TRUE("waits", !around_heard(&a, conn, "pong", NULL));
    EXPECT_TRUE("does not", around_heard(&a, other, "pong", NULL));
    peer_answered(peer);
    around_pass(&a, 200);
    EXPECT_TRUE("still waits", !around_heard(&a, conn, "pong", NULL));
    peer_answered(peer);
    around_pass(&a, 200);
    EXPECT_TRUE("", around_heard(&a, conn, "pong", NULL));
    around_close(&a);
}

static void bad_bytes(void)
{
    struct around a;
    struct buf bytes = {0};
    size_t conn;

    around_open(&a, NULL);
    conn = around_call(&a, 1);
    around_shake(&a, conn, full, true);
    around_write(&a, &bytes, "ping", span_of_string("abcdefgh"));
    bytes.data[20] ^= 1;
    (void)around_feed(&a, conn, span_of_buf(&bytes));
    EXPECT_TRUE("a checksum is only passed over", is_open(&a, conn));
    EXPECT_TRUE("", !around_heard(&a, conn, "pong", NULL));
    bytes.data[20] ^= 1;
    for (size_t i = 0; i < bytes.len; i++)
        (void)around_feed(&a, conn, span_of(bytes.data + i, 1));
    EXPECT_TRUE("byte by byte", around_heard(&a, conn, "pong", NULL));
    bytes.data[0] ^= 1;
    (void)around_feed(&a, conn, span_of_buf(&bytes));
    EXPECT_TRUE("no message of this network", !is_open(&a, conn));
    buf_clear(&bytes);
    around_close(&a);
}

static void calls_are_tried_once_or_kept_up(void)
{
    struct around a;
    struct peers *peers;

    around_open(&a, NULL);
    peers = p2p_peers(a.p2p);
    EXPECT_INT("", peers->ops->add_node(peers, "1.2.3.9:5", "add", false), PEERS_OK);
    EXPECT_INT("", peers->ops->add_node(peers, "1.2.3.9:5", "add", false), PEERS_EXISTS);
    EXPECT_INT("", peers->ops->add_node(peers, "1.2.3.8:5", "remove", false), PEERS_NOT_FOUND);
    around_pass(&a, 3000);
    EXPECT_U64("called", a.conns_n, 1);
    EXPECT_INT("", a.conns[0].peer.port, 5);
    around_answer_call(&a, 1, false);
    around_pass(&a, 30000);
    EXPECT_U64("not at once again", a.conns_n, 1);
    around_pass(&a, 40000);
    EXPECT_U64("but later", a.conns_n, 2);
    around_answer_call(&a, 2, true);
    around_shake(&a, 2, full, true);
    around_pass(&a, 200000);
    EXPECT_U64("while there is one, no other", a.conns_n, 2);
    EXPECT_INT("", a.p2p->first->kind, PEER_MANUAL);
    EXPECT_INT("", peers->ops->disconnect(peers, "1.2.3.9:5", 0), PEERS_OK);
    EXPECT_INT("", peers->ops->add_node(peers, "1.2.3.9:5", "remove", false), PEERS_OK);
    around_pass(&a, 200000);
    EXPECT_U64("taken off the list", a.conns_n, 2);
    around_close(&a);
}

TEST_LIST(TEST(an_inbound_handshake), TEST(messages_at_the_wrong_time), TEST(who_is_not_talked_to),
          TEST(we_do_not_talk_to_ourselves), TEST(pings_are_timed_and_answered),
          TEST(silence_ends_a_connection), TEST(a_peer_that_takes_nothing),
          TEST(order_while_judging), TEST(bad_bytes), TEST(calls_are_tried_once_or_kept_up))
