/* Target: the v1 transport's receiving half. The input is what a peer sends; cut at
 * other places it gives the same messages, and what came as a message is sent as the
 * same bytes again. */
#include "base/check.h"
#include "p2p/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const uint8_t magic[WIRE_MAGIC_BYTES] = {0xfa, 0xbf, 0xb5, 0xda};

/* What a wire made of the bytes: events and messages, as bytes to compare. */
static void run(struct buf *ret_log, struct buf *ret_again, struct span input, size_t piece)
{
    struct wire *wire = wire_new(WIRE_V1, magic, NULL);
    struct wire *back = wire_new(WIRE_V1, magic, NULL);
    enum wire_event event = WIRE_EVENT_NONE;

    while (input.len > 0 && event != WIRE_EVENT_FAILED) {
        struct span part = span_of(input.data, MIN(piece, input.len));

        input.data += part.len;
        input.len -= part.len;
        do {
            struct wire_message message;

            event = wire_receive(wire, &part, &message, NULL);
            if (event == WIRE_EVENT_NONE)
                break;
            buf_add_byte(ret_log, (uint8_t)event);
            if (event != WIRE_EVENT_MESSAGE)
                continue;
            buf_add_string(ret_log, message.name);
            buf_add(ret_log, message.payload.data, message.payload.len);
            CHECK(message.wire_bytes == 24 + message.payload.len);
            CHECK(message.type == message_type_of(message.name));
            wire_send_named(back, message.name, message.payload);
        } while (part.len > 0 && event != WIRE_EVENT_FAILED);
        if (event == WIRE_EVENT_NONE)
            CHECK(part.len == 0);
    }
    buf_add(ret_again, wire_to_send(back).data, wire_to_send(back).len);
    wire_free(wire);
    wire_free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct buf whole = {0};
    struct buf cut = {0};
    struct buf again[2] = {{0}, {0}};
    struct buf log_again = {0};

    if (len < 1)
        return 0;
    run(&whole, &again[0], span_of(data + 1, len - 1), len);
    run(&cut, &again[1], span_of(data + 1, len - 1), 1 + data[0] % 64);
    CHECK(span_equal(span_of_buf(&whole), span_of_buf(&cut)));
    /* What is sent again is taken again. */
    run(&log_again, &again[1], span_of_buf(&again[0]), 1000);
    CHECK(again[1].len == 2 * again[0].len);
    buf_clear(&whole);
    buf_clear(&cut);
    buf_clear(&log_again);
    buf_clear(&again[0]);
    buf_clear(&again[1]);
    return 0;
}
