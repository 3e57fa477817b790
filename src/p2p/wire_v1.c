/* The first transport: magic, name, length, checksum, payload. */
#include <string.h>

#include "base/check.h"
#include "base/hex.h"
#include "crypto/sha256.h"
#include "p2p/wire_priv.h"

#define HEADER_V1_BYTES 24
#define NAME_AT 4
#define LENGTH_AT 16
#define CHECKSUM_AT 20
#define CHECKSUM_BYTES 4
#define NAME_LAST 0x7e

/* The header is there: does it promise something we take? */
static enum wire_event check_header(struct wire *wire, struct error *err)
{
    char name[MESSAGE_NAME_BYTES + 1];
    uint32_t len = get_le32(wire->header + LENGTH_AT);

    if (memcmp(wire->header, wire->magic, WIRE_MAGIC_BYTES) != 0) {
        char hex[2 * WIRE_MAGIC_BYTES + 1];

        hex_write(hex, wire->header, WIRE_MAGIC_BYTES);
        return wire_fail(wire, err, "Header error: Wrong MessageStart %s received", hex);
    }
    if (len > MESSAGE_BYTES_MAX) {
        (void)wire_name_read(name, wire->header + NAME_AT, NAME_LAST);
        return wire_fail(wire, err, "Header error: Size too large (%s, %u bytes)", name, len);
    }
    wire->payload_len = len;
    return WIRE_EVENT_NONE;
}

/* All of a message is there. */
static enum wire_event take(struct wire *wire, struct wire_message *ret, struct error *err)
{
    bool is_named = wire_name_read(ret->name, wire->header + NAME_AT, NAME_LAST);
    uint8_t digest[SHA256_BYTES];

    ret->wire_bytes = HEADER_V1_BYTES + wire->in.len;
    ret->payload = span_of(wire->in.data, wire->in.len);
    ret->type = MESSAGE_OTHER;
    wire->header_len = 0;
    wire->is_taken = true;

    sha256d(digest, wire->in.data, wire->in.len);
    if (memcmp(digest, wire->header + CHECKSUM_AT, CHECKSUM_BYTES) != 0) {
        char found[2 * CHECKSUM_BYTES + 1];
        char wanted[2 * CHECKSUM_BYTES + 1];

        hex_write(wanted, digest, CHECKSUM_BYTES);
        hex_write(found, wire->header + CHECKSUM_AT, CHECKSUM_BYTES);
        (void)error_set(err, E_MALFORMED,
                        "Header error: Wrong checksum (%s, %zu bytes), expected %s was %s",
                        ret->name, wire->in.len, wanted, found);
    } else if (!is_named) {
        (void)error_set(err, E_MALFORMED, "Header error: Invalid message type (%s, %zu bytes)",
                        ret->name, wire->in.len);
    } else {
        ret->type = message_type_of(ret->name);
        wire_count(&wire->received, ret->type, ret->wire_bytes);
        return WIRE_EVENT_MESSAGE;
    }
    wire_count(&wire->received, MESSAGE_OTHER, ret->wire_bytes);
    return WIRE_EVENT_REJECTED;
}

static enum wire_event receive(struct wire *wire, struct span *bytes,
                               struct wire_message *ret_message, struct error *err)
{
    if (wire->header_len < HEADER_V1_BYTES) {
        size_t take_n = MIN(bytes->len, HEADER_V1_BYTES - wire->header_len);

        if (take_n == 0)
            return WIRE_EVENT_NONE;
        memcpy(wire->header + wire->header_len, bytes->data, take_n);
        wire->header_len += take_n;
        bytes->data += take_n;
        bytes->len -= take_n;
        if (wire->header_len < HEADER_V1_BYTES)
            return WIRE_EVENT_NONE;
        if (check_header(wire, err) == WIRE_EVENT_FAILED)
            return WIRE_EVENT_FAILED;
    }
    if (!wire_inlet_fill(&wire->in, bytes, wire->payload_len))
        return WIRE_EVENT_NONE;
    return take(wire, ret_message, err);
}

static void frame_begin(struct wire *wire, enum message_type type, const char *name)
{
    uint8_t *header = buf_extend(&wire->out, HEADER_V1_BYTES);

    (void)type;
    memset(header, 0, HEADER_V1_BYTES);
    memcpy(header, wire->magic, WIRE_MAGIC_BYTES);
    memcpy(header + NAME_AT, name, strlen(name));
}

static void frame_end(struct wire *wire)
{
    uint8_t *header = wire->out.data + wire->frame_at;
    size_t len = wire->out.len - wire->frame_at - HEADER_V1_BYTES;
    uint8_t digest[SHA256_BYTES];

    CHECK(len <= WIRE_NAMED_BYTES_MAX);
    sha256d(digest, header + HEADER_V1_BYTES, len);
    put_le32(header + LENGTH_AT, (uint32_t)len);
    memcpy(header + CHECKSUM_AT, digest, CHECKSUM_BYTES);
}

const struct wire_ops wire_v1_ops = {
    .receive = receive,
    .frame_begin = frame_begin,
    .frame_end = frame_end,
};
