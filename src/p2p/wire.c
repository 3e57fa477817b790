#include "p2p/wire.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "crypto/chacha20.h"
#include "crypto/ellswift.h"
#include "p2p/wire_priv.h"

/* What an idle connection may keep of the room its largest message needed. */
#define IDLE_BYTES_MAX 65536U
#define WAITING_HEAD_BYTES (MESSAGE_NAME_BYTES + 4)
/* BIP 324: what a v1 peer needs of us to hang up is a header's worth. */
#define V1_HEADER_BYTES 24

void wire_secrets_from_seed(struct wire_secrets *ret_secrets, const uint8_t *seed)
{
    uint8_t nonce[CHACHA20_NONCE_BYTES] = {0};
    uint8_t stream[2 + 32 + 32 + WIRE_GARBAGE_BYTES_MAX];

    do {
        chacha20_stream(stream, sizeof(stream), seed, nonce);
        nonce[0]++; /* Numbers that are no keys are rarer than broken machines. */
    } while (!secp_seckey_is_valid(stream + 2));
    ret_secrets->garbage_len = get_le16(stream) % (WIRE_GARBAGE_BYTES_MAX + 1);
    memcpy(ret_secrets->seckey, stream + 2, 32);
    memcpy(ret_secrets->key_aux, stream + 2 + 32, 32);
    memcpy(ret_secrets->garbage, stream + 2 + 64, WIRE_GARBAGE_BYTES_MAX);
    secret_wipe(stream, sizeof(stream));
}

bool wire_v2_is_built(void)
{
    return ellswift_is_built();
}

struct wire *wire_new(enum wire_kind kind, const uint8_t *magic, const struct wire_secrets *secrets)
{
    struct wire *wire = alloc_zero(sizeof(*wire));

    CHECK((kind == WIRE_V1) == (secrets == NULL));
    wire->kind = kind;
    memcpy(wire->magic, magic, WIRE_MAGIC_BYTES);
    if (kind == WIRE_V1) {
        wire->ops = &wire_v1_ops;
        wire->transport = WIRE_IS_V1;
        wire->can_send = true;
    } else {
        CHECK(wire_v2_is_built());
        wire->ops = &wire_v2_ops;
        wire->transport = WIRE_DETECTING;
        wire_v2_start(wire, secrets);
    }
    return wire;
}

void wire_free(struct wire *own_wire)
{
    if (own_wire == NULL)
        return;
    wire_v2_free(own_wire->v2);
    free(own_wire->in.data);
    buf_clear(&own_wire->out);
    buf_clear(&own_wire->waiting);
    free(own_wire);
}

/* --- Receiving --- */

enum wire_event wire_receive(struct wire *wire, struct span *bytes,
                             struct wire_message *ret_message, struct error *err)
{
    if (wire->is_failed) {
        (void)error_set(err, E_STATE, "the connection has failed");
        return WIRE_EVENT_FAILED;
    }
    if (wire->is_taken) {
        wire_inlet_reset(&wire->in);
        wire->is_taken = false;
    }
    return wire->ops->receive(wire, bytes, ret_message, err);
}

enum wire_event wire_fail(struct wire *wire, struct error *err, const char *format, ...)
{
    char text[160];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void)error_set(err, E_MALFORMED, "%s", text);
    wire->is_failed = true;
    return WIRE_EVENT_FAILED;
}

void wire_inlet_reserve(struct wire_inlet *in, size_t capacity)
{
    if (in->capacity >= capacity)
        return;
    in->data = realloc_array(in->data, capacity, 1);
    in->capacity = capacity;
}

bool wire_inlet_fill(struct wire_inlet *in, struct span *bytes, size_t want)
{
    size_t take = MIN(bytes->len, want - in->len);

    if (take == 0)
        return in->len == want;
    if (in->len + take > in->capacity)
        wire_inlet_reserve(in, MIN(want, MAX(2 * in->len, in->len + take + WIRE_AHEAD_BYTES)));
    memcpy(in->data + in->len, bytes->data, take);
    in->len += take;
    bytes->data += take;
    bytes->len -= take;
    return in->len == want;
}

void wire_inlet_reset(struct wire_inlet *in)
{
    in->len = 0;
    if (in->capacity <= IDLE_BYTES_MAX)
        return;
    free(in->data);
    in->data = NULL;
    in->capacity = 0;
}

bool wire_name_read(char *ret_name, const uint8_t *field, uint8_t last)
{
    size_t len = 0;
    bool is_over = false;
    bool is_good = true;

    for (size_t i = 0; i < MESSAGE_NAME_BYTES; i++) {
        if (field[i] == 0) {
            is_over = true;
            continue;
        }
        if (is_over || field[i] < ' ' || field[i] > last)
            is_good = false;
        if (field[i] >= ' ' && field[i] < 0x7f)
            ret_name[len++] = (char)field[i];
    }
    ret_name[len] = '\0';
    return is_good;
}

void wire_count(struct wire_counts *counts, enum message_type type, size_t bytes)
{
    counts->messages[type]++;
    counts->bytes[type] += bytes;
}

/* --- Sending --- */

static void frame_begin(struct wire *wire, enum message_type type, const char *name)
{
    CHECK(!wire->is_framing);
    wire->is_framing = true;
    wire->frame_type = type;
    if (wire->can_send) {
        wire->frame_at = wire->out.len;
        wire->ops->frame_begin(wire, type, name);
        return;
    }
    wire->frame_at = wire->waiting.len;
    memset(buf_extend(&wire->waiting, WAITING_HEAD_BYTES), 0, WAITING_HEAD_BYTES);
    memcpy(wire->waiting.data + wire->frame_at, name, strlen(name));
}

struct buf *wire_begin(struct wire *wire, enum message_type type)
{
    CHECK(type != MESSAGE_OTHER);
    frame_begin(wire, type, message_name(type));
    return wire->can_send ? &wire->out : &wire->waiting;
}

void wire_end(struct wire *wire)
{
    CHECK(wire->is_framing);
    wire->is_framing = false;
    if (wire->can_send) {
        wire->ops->frame_end(wire);
        wire_count(&wire->sent, wire->frame_type, wire->out.len - wire->frame_at);
        return;
    }
    size_t len = wire->waiting.len - wire->frame_at - WAITING_HEAD_BYTES;

    CHECK(len <= WIRE_NAMED_BYTES_MAX);
    put_le32(wire->waiting.data + wire->frame_at + MESSAGE_NAME_BYTES, (uint32_t)len);
}

void wire_send_named(struct wire *wire, const char *name, struct span payload)
{
    CHECK(strlen(name) <= MESSAGE_NAME_BYTES);
    frame_begin(wire, message_type_of(name), name);
    buf_add(wire->can_send ? &wire->out : &wire->waiting, payload.data, payload.len);
    wire_end(wire);
}

void wire_send(struct wire *wire, enum message_type type, struct span payload)
{
    buf_add(wire_begin(wire, type), payload.data, payload.len);
    wire_end(wire);
}

void wire_open_gate(struct wire *wire)
{
    struct buf waiting = wire->waiting;
    size_t at = 0;

    /* Someone may be between wire_begin and wire_end only on the sending half, which
     * is not here. */
    CHECK(!wire->is_framing && !wire->can_send);
    wire->can_send = true;
    wire->waiting = (struct buf){0};
    while (at < waiting.len) {
        char name[MESSAGE_NAME_BYTES + 1] = {0};
        uint32_t len = get_le32(waiting.data + at + MESSAGE_NAME_BYTES);

        memcpy(name, waiting.data + at, MESSAGE_NAME_BYTES);
        at += WAITING_HEAD_BYTES;
        wire_send_named(wire, name, span_of(waiting.data + at, len));
        at += len;
    }
    buf_clear(&waiting);
}

struct span wire_to_send(const struct wire *wire)
{
    if (wire->out.len == wire->out_at)
        return span_of(NULL, 0);
    return span_of(wire->out.data + wire->out_at, wire->out.len - wire->out_at);
}

void wire_sent(struct wire *wire, size_t len)
{
    struct buf *out = &wire->out;

    CHECK(len <= out->len - wire->out_at);
    CHECK(!wire->is_framing);
    wire->out_at += len;
    wire->sent_total += len;
    if (wire->out_at == out->len) {
        wire->out_at = 0;
        out->len = 0;
        if (out->capacity > IDLE_BYTES_MAX)
            buf_clear(out);
    } else if (wire->out_at > out->len / 2 && wire->out_at >= IDLE_BYTES_MAX) {
        /* Each byte is moved at most once for every byte that has gone out. */
        memmove(out->data, out->data + wire->out_at, out->len - wire->out_at);
        out->len -= wire->out_at;
        wire->out_at = 0;
    }
}

size_t wire_unsent_bytes(const struct wire *wire)
{
    return wire->out.len - wire->out_at + wire->waiting.len;
}

/* --- What it knows --- */

enum wire_transport wire_transport(const struct wire *wire)
{
    return wire->transport;
}

const uint8_t *wire_session_id(const struct wire *wire)
{
    return wire->transport == WIRE_IS_V2 ? wire_v2_session_id(wire->v2) : NULL;
}

bool wire_wants_v1_retry(const struct wire *wire)
{
    return wire->kind == WIRE_V2_INITIATOR && wire->sent_total >= V1_HEADER_BYTES &&
           wire_v2_heard_nothing(wire);
}

const struct wire_counts *wire_received_counts(const struct wire *wire)
{
    return &wire->received;
}

const struct wire_counts *wire_sent_counts(const struct wire *wire)
{
    return &wire->sent;
}

void wire_set_pins(struct wire *wire, const struct wire_pin *pins, size_t n)
{
    CHECK(wire->v2 != NULL);
    CHECK(n <= (wire->kind == WIRE_V2_INITIATOR ? 1 : WIRE_PINS_MAX));
    wire_v2_set_pins(wire->v2, pins, n);
}

int wire_pinned(const struct wire *wire)
{
    return wire->v2 == NULL ? -1 : wire_v2_pinned(wire->v2);
}
