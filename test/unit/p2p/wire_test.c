#include "p2p/wire.h"

#include "base/alloc.h"
#include "crypto/ellswift.h"
#include "crypto/hmac.h"
#include "p2p/wire_cipher_priv.h"
#include "test.h"

static const uint8_t magic[WIRE_MAGIC_BYTES] = {0xfa, 0xbf, 0xb5, 0xda};
static const uint8_t other_magic[WIRE_MAGIC_BYTES] = {0xf9, 0xbe, 0xb4, 0xd9};

/* What one side has received. */
struct heard {
    size_t n;
    char names[64][MESSAGE_NAME_BYTES + 1];
    struct buf payloads[64];
    size_t rejected;
    bool has_failed;
    struct error err;
};

static void heard_clear(struct heard *heard)
{
    for (size_t i = 0; i < heard->n; i++)
        buf_clear(&heard->payloads[i]);
    memset(heard, 0, sizeof(*heard));
}

static void feed(struct wire *wire, struct span bytes, struct heard *heard)
{
    while (bytes.len > 0 && !heard->has_failed) {
        struct wire_message message;
        enum wire_event event = wire_receive(wire, &bytes, &message, &heard->err);

        if (event == WIRE_EVENT_FAILED) {
            heard->has_failed = true;
        } else if (event == WIRE_EVENT_REJECTED) {
            heard->rejected++;
        } else if (event == WIRE_EVENT_MESSAGE && heard->n < ARRAY_LEN(heard->names)) {
            memcpy(heard->names[heard->n], message.name, sizeof(message.name));
            buf_add(&heard->payloads[heard->n], message.payload.data, message.payload.len);
            heard->n++;
        } else {
            EXPECT_U64("all taken", bytes.len, 0);
        }
    }
}

/* Carries what from wants to send to to, in pieces. */
static bool carry(struct wire *from, struct wire *to, struct heard *heard, size_t piece_max)
{
    bool is_any = false;

    while (wire_to_send(from).len > 0) {
        struct span span = wire_to_send(from);
        size_t piece = 1 + test_random_below(piece_max);
        size_t len = MIN(span.len, piece);
        uint8_t *copy = alloc(len); /* So that a look behind its end is seen. */

        memcpy(copy, span.data, len);
        feed(to, span_of(copy, len), heard);
        free(copy);
        wire_sent(from, len);
        is_any = true;
    }
    return is_any;
}

static void carry_all(struct wire *a, struct wire *b, struct heard *a_heard, struct heard *b_heard,
                      size_t piece_max)
{
    bool is_any = true;

    while (is_any && !a_heard->has_failed && !b_heard->has_failed) {
        is_any = carry(a, b, b_heard, piece_max);
        is_any = carry(b, a, a_heard, piece_max) || is_any;
    }
}

static struct wire *make(enum wire_kind kind, const uint8_t *of_magic)
{
    uint8_t seed[32];
    struct wire_secrets secrets;

    test_random_fill(seed, sizeof(seed));
    wire_secrets_from_seed(&secrets, seed);
    return wire_new(kind, of_magic, kind == WIRE_V1 ? NULL : &secrets);
}

static const struct {
    const char *label;
    enum wire_kind a, b;
    enum wire_transport becomes;
} pairs[] = {
    {"v1 and v1", WIRE_V1, WIRE_V1, WIRE_IS_V1},
    {"v2 and v2", WIRE_V2_INITIATOR, WIRE_V2_RESPONDER, WIRE_IS_V2},
    {"v1 calls v2", WIRE_V1, WIRE_V2_RESPONDER, WIRE_IS_V1},
};

/* Messages of all kinds, both ways, some before the transport can send; v2 long enough
 * for several keys. */
static void talk(const char *label, struct wire *a, struct wire *b, size_t piece_max)
{
    struct heard a_heard = {0};
    struct heard b_heard = {0};
    uint8_t data[700];

    wire_send(a, MESSAGE_VERSION, span_of("hello", 5));
    wire_send(b, MESSAGE_VERSION, span_of("good day", 8));
    carry_all(a, b, &a_heard, &b_heard, piece_max);
    EXPECT_U64(label, b_heard.n, 1);
    EXPECT_U64(label, a_heard.n, 1);
    EXPECT_STR(label, b_heard.names[0], "version");
    EXPECT_BYTES(label, a_heard.payloads[0].data, a_heard.payloads[0].len, "good day", 8);
    heard_clear(&a_heard);
    heard_clear(&b_heard);
    for (size_t round = 0; round < 500; round++) {
        enum message_type type = (enum message_type)(1 + test_random_below(MESSAGE_TYPE_N - 1));
        bool is_reply = test_random_below(2) == 0;
        struct heard *heard = is_reply ? &a_heard : &b_heard;
        size_t len = test_random_below(sizeof(data) + 1);
        struct buf *buf = wire_begin(is_reply ? b : a, type);

        test_random_fill(data, len);
        buf_add(buf, data, len);
        wire_end(is_reply ? b : a);
        carry_all(a, b, &a_heard, &b_heard, piece_max);
        EXPECT_U64(label, heard->n, 1);
        EXPECT_STR(label, heard->names[0], message_name(type));
        EXPECT_BYTES(label, heard->payloads[0].data, heard->payloads[0].len, data, len);
        heard_clear(&a_heard);
        heard_clear(&b_heard);
    }
    wire_send_named(a, "nonsense", span_of("x", 1));
    carry_all(a, b, &a_heard, &b_heard, piece_max);
    EXPECT_STR(label, b_heard.names[0], "nonsense");
    EXPECT_U64(label, wire_received_counts(b)->messages[MESSAGE_OTHER], 1);
    EXPECT_U64(label, wire_unsent_bytes(a) + wire_unsent_bytes(b), 0);
    for (int type = 0; type < MESSAGE_TYPE_N; type++) {
        EXPECT_U64(label, wire_received_counts(b)->bytes[type], wire_sent_counts(a)->bytes[type]);
        EXPECT_U64(label, wire_received_counts(a)->messages[type],
                   wire_sent_counts(b)->messages[type]);
    }
    heard_clear(&a_heard);
    heard_clear(&b_heard);
}

static void two_sides_talk(void)
{
    for (size_t i = 0; i < 3 * ARRAY_LEN(pairs); i++) {
        const char *label = pairs[i % 3].label;
        struct wire *a = make(pairs[i % 3].a, magic);
        struct wire *b = make(pairs[i % 3].b, magic);

        talk(label, a, b, i < 3 ? 1 : i < 6 ? 100 : 100000);
        EXPECT_INT(label, wire_transport(a), pairs[i % 3].becomes);
        EXPECT_INT(label, wire_transport(b), pairs[i % 3].becomes);
        if (pairs[i % 3].becomes == WIRE_IS_V2)
            EXPECT_BYTES(label, wire_session_id(a), 32, wire_session_id(b), 32);
        else
            EXPECT_TRUE(label, wire_session_id(a) == NULL && wire_session_id(b) == NULL);
        EXPECT_TRUE(label, !wire_wants_v1_retry(a) && !wire_wants_v1_retry(b));
        wire_free(a);
        wire_free(b);
    }
}

static void greatest_message_passes(void)
{
    uint8_t *data = alloc_zero(MESSAGE_BYTES_MAX);

    for (size_t i = 0; i < 2; i++) {
        struct wire *a = make(pairs[i].a, magic);
        struct wire *b = make(pairs[i].b, magic);
        struct heard a_heard = {0};
        struct heard b_heard = {0};

        wire_send(a, MESSAGE_BLOCK, span_of(data, MESSAGE_BYTES_MAX));
        wire_send(a, MESSAGE_FEATURE, span_of(data, MESSAGE_BYTES_MAX));
        wire_send_named(a, "twelve chars", span_of(data, MESSAGE_BYTES_MAX));
        carry_all(a, b, &a_heard, &b_heard, 1000000);
        EXPECT_U64(pairs[i].label, b_heard.n, 3);
        EXPECT_U64(pairs[i].label, b_heard.payloads[2].len, MESSAGE_BYTES_MAX);
        EXPECT_STR(pairs[i].label, b_heard.names[2], "twelve chars");
        heard_clear(&b_heard);
        wire_free(a);
        wire_free(b);
    }
    free(data);
}

/* A v1 message whose bytes the row bends. */
static const struct {
    const char *label;
    size_t at;
    uint8_t bytes[4];
    size_t n;
    bool has_failed;
    size_t rejected;
    const char *text;
} v1_rows[] = {
    {"as it is", 0, {0xfa}, 1, false, 0, ""},
    {"magic",
     0,
     {0xff, 0xff, 0xff, 0xff},
     4,
     true,
     0,
     "Header error: Wrong MessageStart ffffffff received"},
    {"size",
     16,
     {0x01, 0x09, 0x3d, 0x00},
     4,
     true,
     0,
     "Header error: Size too large (badmsg, 4000001 bytes)"},
    {"checksum",
     20,
     {0xff, 0xff, 0xff, 0xff},
     4,
     false,
     1,
     "Header error: Wrong checksum (badmsg, 2 bytes), expected 78df0a04 was ffffffff"},
    {"name", 6, {0xff}, 1, false, 1, "Header error: Invalid message type (bamsg, 2 bytes)"},
    {"name behind its end",
     15,
     {'a'},
     1,
     false,
     1,
     "Header error: Invalid message type (badmsga, 2 bytes)"},
};

static void v1_bad_headers(void)
{
    for (size_t i = 0; i < ARRAY_LEN(v1_rows); i++) {
        struct wire *from = make(WIRE_V1, magic);
        struct wire *to = make(WIRE_V1, magic);
        struct heard heard = {0};
        struct buf bytes = {0};

        wire_send_named(from, "badmsg",
                        span_of("\x01"
                                "d",
                                2));
        buf_add(&bytes, wire_to_send(from).data, wire_to_send(from).len);
        memcpy(bytes.data + v1_rows[i].at, v1_rows[i].bytes, v1_rows[i].n);
        feed(to, span_of_buf(&bytes), &heard);
        EXPECT_INT(v1_rows[i].label, heard.has_failed, v1_rows[i].has_failed);
        EXPECT_U64(v1_rows[i].label, heard.rejected, v1_rows[i].rejected);
        EXPECT_STR(v1_rows[i].label, heard.err.shown.text, v1_rows[i].text);
        heard.err.shown.text[0] = '\0';
        /* What was only left out does not spoil the next. */
        buf_clear(&bytes);
        wire_sent(from, wire_to_send(from).len);
        wire_send(from, MESSAGE_VERACK, span_of(NULL, 0));
        if (!heard.has_failed) {
            size_t before = heard.n;

            carry(from, to, &heard, 100);
            EXPECT_U64(v1_rows[i].label, heard.n, before + 1);
        }
        heard_clear(&heard);
        wire_free(from);
        wire_free(to);
    }
}

static void v2_refuses_what_is_bent(void)
{
    size_t failed = 0;

    for (size_t round = 0; round < 300; round++) {
        struct wire *a = make(WIRE_V2_INITIATOR, magic);
        struct wire *b = make(WIRE_V2_RESPONDER, magic);
        struct heard a_heard = {0};
        struct heard b_heard = {0};
        struct buf bytes = {0};

        carry_all(a, b, &a_heard, &b_heard, 5000);
        wire_send(a, MESSAGE_PING, span_of("12345678", 8));
        buf_add(&bytes, wire_to_send(a).data, wire_to_send(a).len);
        bytes.data[test_random_below(bytes.len)] ^= (uint8_t)(1U << test_random_below(8));
        feed(b, span_of_buf(&bytes), &b_heard);
        /* A length that became greater waits for bytes that do not come. */
        EXPECT_U64("nothing passes", b_heard.n, 0);
        failed += b_heard.has_failed;
        buf_clear(&bytes);
        wire_free(a);
        wire_free(b);
    }
    EXPECT_TRUE("most are seen at once", failed > 200);
}

static void v2_bent_handshake(void)
{
    struct wire *b = make(WIRE_V2_RESPONDER, magic);
    struct wire *v1 = make(WIRE_V1, other_magic);
    struct heard heard = {0};
    uint8_t noise[64 + 4095 + 16] = {0};

    wire_send(v1, MESSAGE_VERSION, span_of("x", 1));
    carry(v1, b, &heard, 7);
    EXPECT_TRUE("another network's v1", heard.has_failed);
    EXPECT_STR("said", heard.err.shown.text,
               "V2 transport error: V1 peer with wrong MessageStart f9beb4d9");
    wire_free(b);
    memset(&heard, 0, sizeof(heard));

    b = make(WIRE_V2_RESPONDER, magic);
    feed(b, span_of(noise, sizeof(noise) - 1), &heard);
    EXPECT_TRUE("waits for a terminator", !heard.has_failed);
    feed(b, span_of(noise, 1), &heard);
    EXPECT_STR("to the end", heard.err.shown.text,
               "V2 transport error: missing garbage terminator");
    EXPECT_INT("not known", wire_transport(b), WIRE_DETECTING);
    wire_free(b);
    wire_free(v1);
}

static void v1_retry_is_wanted(void)
{
    struct wire *a = make(WIRE_V2_INITIATOR, magic);
    struct heard heard = {0};

    EXPECT_TRUE("nothing sent", !wire_wants_v1_retry(a));
    wire_sent(a, 23);
    EXPECT_TRUE("too little sent", !wire_wants_v1_retry(a));
    wire_sent(a, 1);
    EXPECT_TRUE("heard nothing", wire_wants_v1_retry(a));
    feed(a, span_of("a", 1), &heard);
    EXPECT_TRUE("heard something", !wire_wants_v1_retry(a));
    wire_free(a);
}

/* --- Pinned keys --- */

static void make_pins(struct wire_pin pins[2])
{
    uint8_t keys[2][32];
    uint8_t pubkeys[2][33];
    uint8_t bad[33] = {9};
    struct wire_pin pin;

    for (int i = 0; i < 2; i++) {
        struct secp_pubkey point;

        test_random_fill(keys[i], 32);
        EXPECT_TRUE("key", secp_pubkey_of(&point, keys[i]));
        secp_pubkey_write(pubkeys[i], &point);
    }
    EXPECT_TRUE("ours", wire_pin_make(&pins[0], keys[0], pubkeys[1]));
    EXPECT_TRUE("theirs", wire_pin_make(&pins[1], keys[1], pubkeys[0]));
    EXPECT_BYTES("the same", &pins[0], 32, &pins[1], 32);
    EXPECT_TRUE("no key", !wire_pin_make(&pin, keys[0], bad));
}

static void pinned_nodes_know_each_other(void)
{
    struct wire_pin pins[2];
    struct wire_pin known[WIRE_PINS_MAX];
    struct wire *a = make(WIRE_V2_INITIATOR, magic);
    struct wire *b = make(WIRE_V2_RESPONDER, magic);
    struct heard a_heard = {0};
    struct heard b_heard = {0};

    make_pins(pins);
    test_random_fill(known, sizeof(known));
    known[17] = pins[1];
    wire_set_pins(a, pins, 1);
    wire_set_pins(b, known, WIRE_PINS_MAX);
    wire_send(a, MESSAGE_VERSION, span_of("a", 1));
    carry_all(a, b, &a_heard, &b_heard, 33);
    EXPECT_INT("initiator", wire_pinned(a), 0);
    EXPECT_INT("responder", wire_pinned(b), 17);
    EXPECT_U64("message passed", b_heard.n, 1);
    heard_clear(&b_heard);
    wire_free(a);
    wire_free(b);
}

/* To one that does not hold the key: not a word, whatever it sends; and never v1. */
static void pinned_to_a_stranger(void)
{
    for (int has_other_pin = 0; has_other_pin < 2; has_other_pin++) {
        struct wire_pin pins[2];
        struct wire_pin others[2];
        struct wire *a = make(WIRE_V2_INITIATOR, magic);
        struct wire *b = make(WIRE_V2_RESPONDER, magic);
        struct heard a_heard = {0};
        struct heard b_heard = {0};

        make_pins(pins);
        make_pins(others);
        wire_set_pins(a, pins, 1);
        if (has_other_pin != 0)
            wire_set_pins(b, others, 1);
        wire_send(a, MESSAGE_VERSION, span_of("a", 1));
        wire_free(a);
        a = make(WIRE_V2_INITIATOR, magic);
        wire_set_pins(a, pins, 1);
        wire_sent(a, 64);
        EXPECT_TRUE("no retry", !wire_wants_v1_retry(a));
        wire_free(a);
        a = make(WIRE_V2_INITIATOR, magic);
        wire_set_pins(a, pins, 1);
        wire_send(a, MESSAGE_VERSION, span_of("a", 1));
        carry_all(a, b, &a_heard, &b_heard, 50);
        EXPECT_U64("nothing heard", b_heard.n, 0);
        EXPECT_INT("a", wire_pinned(a), -1);
        EXPECT_INT("b", wire_pinned(b), -1);
        EXPECT_TRUE("no failure yet", !a_heard.has_failed && !b_heard.has_failed);
        wire_send(b, MESSAGE_PING, span_of("12345678", 8));
        carry_all(a, b, &a_heard, &b_heard, 50);
        EXPECT_TRUE("ends", a_heard.has_failed);
        EXPECT_U64("not handed out", a_heard.n, 0);
        wire_free(a);
        wire_free(b);
    }
}

/* Who knows pins answers strangers as everybody does. */
static void strangers_learn_nothing(void)
{
    struct wire_pin pins[2];
    struct wire *a = make(WIRE_V2_INITIATOR, magic);
    struct wire *b = make(WIRE_V2_RESPONDER, magic);
    struct heard a_heard = {0};
    struct heard b_heard = {0};

    make_pins(pins);
    wire_set_pins(b, pins, 1);
    talk("stranger", a, b, 60);
    EXPECT_INT("b", wire_pinned(b), -1);
    wire_free(a);
    wire_free(b);
    heard_clear(&a_heard);
    heard_clear(&b_heard);
}

/* An initiator made by hand, which sends what proof it likes. Returns which pin b takes it
 * for. */
static int prove_by_hand(const struct wire_pin *pin, const uint8_t *session_id_or_own)
{
    struct wire *b = make(WIRE_V2_RESPONDER, magic);
    uint8_t seckey[32];
    uint8_t aux[32] = {0};
    uint8_t ell[ELLSWIFT_BYTES];
    uint8_t secret[ELLSWIFT_SECRET_BYTES];
    uint8_t packet[WIRE_EXPANSION_BYTES + 32] = {0};
    struct wire_cipher cipher;
    struct hmac_sha256 mac;
    struct heard heard = {0};
    int pinned;

    test_random_fill(seckey, sizeof(seckey));
    EXPECT_TRUE("key", ellswift_make(ell, seckey, aux));
    wire_set_pins(b, pin, 1);
    feed(b, span_of(ell, sizeof(ell)), &heard);
    EXPECT_TRUE("shared", ellswift_shared(secret, ell, wire_to_send(b).data, seckey, true));
    wire_cipher_init(&cipher, secret, magic, true);
    feed(b, span_of(cipher.our_terminator, WIRE_TERMINATOR_BYTES), &heard);
    wire_cipher_seal(&cipher, packet, 0, span_of(NULL, 0), false);
    feed(b, span_of(packet, WIRE_EXPANSION_BYTES), &heard);
    EXPECT_BYTES("session", wire_session_id(b), 32, cipher.session_id, 32);
    hmac_sha256_init(&mac, pin->secret, sizeof(pin->secret));
    hmac_sha256_add(&mac, "initiator", 9);
    hmac_sha256_add(&mac, session_id_or_own == NULL ? cipher.session_id : session_id_or_own, 32);
    hmac_sha256_finish(&mac, packet + WIRE_LENGTH_BYTES + WIRE_HEADER_BYTES);
    wire_cipher_seal(&cipher, packet, 32, span_of(NULL, 0), true);
    feed(b, span_of(packet, sizeof(packet)), &heard);
    EXPECT_TRUE("no failure", !heard.has_failed);
    pinned = wire_pinned(b);
    wire_free(b);
    return pinned;
}

/* A proof that was good elsewhere is worth nothing here: whoever passes it on, from the
 * middle, is a stranger. */
static void proofs_are_of_one_session(void)
{
    static const uint8_t elsewhere[32] = {1};
    struct wire_pin pins[2];

    make_pins(pins);
    EXPECT_INT("this session", prove_by_hand(&pins[0], NULL), 0);
    EXPECT_INT("another session", prove_by_hand(&pins[0], elsewhere), -1);
}

static void names_and_numbers(void)
{
    EXPECT_STR("name", message_name(MESSAGE_SENDTXRCNCL), "sendtxrcncl");
    EXPECT_INT("type", message_type_of("cfcheckpt"), MESSAGE_CFCHECKPT);
    EXPECT_INT("none", message_type_of("cfcheckp"), MESSAGE_OTHER);
    EXPECT_INT("empty", message_type_of(""), MESSAGE_OTHER);
    EXPECT_INT("short", message_type_of_short_id(2), MESSAGE_BLOCK);
    EXPECT_INT("short", message_type_of_short_id(28), MESSAGE_ADDRV2);
    EXPECT_INT("short", message_type_of_short_id(37), MESSAGE_FEATURE);
    for (int id = 29; id <= 36; id++)
        EXPECT_INT("reserved", message_type_of_short_id((uint8_t)id), MESSAGE_OTHER);
    for (int type = 1; type < MESSAGE_TYPE_N; type++) {
        uint8_t id = message_short_id((enum message_type)type);

        EXPECT_INT("there", message_type_of(message_name((enum message_type)type)), type);
        if (id != 0)
            EXPECT_INT("back", message_type_of_short_id(id), type);
    }
}

static void start(void)
{
    uint8_t seed[32] = {1};

    secp_init(seed);
}

static void stop(void)
{
    secp_clear();
}

TEST_LIST(TEST(start), TEST(names_and_numbers), TEST(two_sides_talk), TEST(greatest_message_passes),
          TEST(v1_bad_headers), TEST(v2_refuses_what_is_bent), TEST(v2_bent_handshake),
          TEST(v1_retry_is_wanted), TEST(pinned_nodes_know_each_other), TEST(pinned_to_a_stranger),
          TEST(strangers_learn_nothing), TEST(proofs_are_of_one_session), TEST(stop))
