/* Target: two v2 transports with each other. The input is a script: messages to send,
 * pieces to carry, bytes to bend, to leave out or to put in. As long as nothing was
 * bent, every message arrives as it was sent, in order, and both sides agree on the
 * session; from then on either side may fail, but takes nothing that was not sent, nor
 * out of order. */
#include "base/check.h"
#include "codec/reader.h"
#include "crypto/secp.h"
#include "p2p/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const uint8_t magic[WIRE_MAGIC_BYTES] = {0xfa, 0xbf, 0xb5, 0xda};

struct side {
    struct wire *wire;
    struct buf sent;     /* Names and payloads, in order. */
    struct buf received; /* Of the other side. */
    bool has_failed;
};

/* Something arrived that was not as it was sent. */
static bool is_bent;

static void feed(struct side *side, struct span bytes)
{
    while (bytes.len > 0 && !side->has_failed) {
        struct wire_message message;
        enum wire_event event = wire_receive(side->wire, &bytes, &message, NULL);

        if (event == WIRE_EVENT_MESSAGE) {
            buf_add_string(&side->received, message.name);
            buf_add(&side->received, message.payload.data, message.payload.len);
        } else if (event == WIRE_EVENT_FAILED) {
            side->has_failed = true;
        } else {
            CHECK(event == WIRE_EVENT_NONE && bytes.len == 0);
        }
    }
    CHECK(!side->has_failed || is_bent);
}

static void send(struct side *side, uint8_t kind, struct span payload)
{
    enum message_type type = (enum message_type)(kind % MESSAGE_TYPE_N);

    if (type == MESSAGE_OTHER)
        wire_send_named(side->wire, "other", payload);
    else
        wire_send(side->wire, type, payload);
    buf_add_string(&side->sent, type == MESSAGE_OTHER ? "other" : message_name(type));
    buf_add(&side->sent, payload.data, payload.len);
}

static void carry(struct side *from, struct side *to, size_t len)
{
    struct span span = wire_to_send(from->wire);
    struct buf copy = {0};

    span.len = MIN(span.len, len);
    buf_add(&copy, span.data, span.len);
    feed(to, span_of_buf(&copy));
    wire_sent(from->wire, span.len);
    buf_clear(&copy);
}

/* The other side's next bytes with one bit bent, left out, or with bytes before them. */
static void carry_bent(struct side *from, struct side *to, struct reader *script)
{
    struct span span = wire_to_send(from->wire);
    uint8_t how = read_u8(script);
    struct span extra = read_span(script, MIN(script->left, (size_t)how / 3));
    struct buf copy = {0};

    if (span.len == 0)
        return;
    is_bent = true;
    if (how % 3 == 1)
        buf_add(&copy, extra.data, extra.len);
    if (how % 3 != 2)
        buf_add(&copy, span.data, span.len);
    if (how % 3 == 0)
        copy.data[how % span.len] ^= (uint8_t)(1U << (how & 7));
    feed(to, span_of_buf(&copy));
    wire_sent(from->wire, span.len);
    buf_clear(&copy);
}

static struct wire *make(enum wire_kind kind, uint8_t seed_byte)
{
    uint8_t seed[32] = {seed_byte, (uint8_t)kind};
    struct wire_secrets secrets;

    wire_secrets_from_seed(&secrets, seed);
    return wire_new(kind, magic, &secrets);
}

static void check_side(const struct side *side, const struct side *other)
{
    /* What has come is what was sent, as far as it has come. */
    CHECK(side->received.len <= other->sent.len);
    CHECK(side->received.len == 0 ||
          memcmp(side->received.data, other->sent.data, side->received.len) == 0);
}

static void run(struct reader *script)
{
    struct side sides[2] = {{.wire = make(WIRE_V2_INITIATOR, read_u8(script))},
                            {.wire = make(WIRE_V2_RESPONDER, read_u8(script))}};

    is_bent = false;
    while (script->left > 0) {
        uint8_t what = read_u8(script);
        struct side *a = &sides[what & 1];
        struct side *b = &sides[1 - (what & 1)];

        switch (what >> 1 & 3) {
        case 0:
            send(a, what >> 3, read_span(script, MIN(script->left, (size_t)read_u8(script))));
            break;
        case 3:
            if (what >> 3 == 31) {
                carry_bent(a, b, script);
                break;
            }
            /* fall through */
        default:
            carry(a, b, (size_t)1 << (what >> 3 & 15));
            break;
        }
        check_side(&sides[0], &sides[1]);
        check_side(&sides[1], &sides[0]);
    }
    for (int i = 0; i < 4; i++) {
        carry(&sides[0], &sides[1], SIZE_MAX);
        carry(&sides[1], &sides[0], SIZE_MAX);
    }
    if (!is_bent) {
        CHECK(span_equal(span_of_buf(&sides[0].received), span_of_buf(&sides[1].sent)));
        CHECK(span_equal(span_of_buf(&sides[1].received), span_of_buf(&sides[0].sent)));
        CHECK(memcmp(wire_session_id(sides[0].wire), wire_session_id(sides[1].wire), 32) == 0);
    }
    for (int i = 0; i < 2; i++) {
        wire_free(sides[i].wire);
        buf_clear(&sides[i].sent);
        buf_clear(&sides[i].received);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static bool is_ready;
    struct reader script;

    if (!is_ready) {
        uint8_t seed[32] = {1};

        secp_init(seed);
        is_ready = true;
    }
    if (len < 3 || len > 4096)
        return 0;
    reader_init(&script, data, len);
    run(&script);
    return 0;
}
