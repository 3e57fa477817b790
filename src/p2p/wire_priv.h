/* Private to p2p: what the two transports share. */
#ifndef P2P_WIRE_PRIV_H
#define P2P_WIRE_PRIV_H

#include "p2p/wire.h"

/* A transport. frame_begin and frame_end put the framing of one message around what
 * is appended to wire->out between them; frame_at is where it begins. */
struct wire_ops {
    enum wire_event (*receive)(struct wire *wire, struct span *bytes,
                               struct wire_message *ret_message, struct error *err);
    void (*frame_begin)(struct wire *wire, enum message_type type, const char *name);
    void (*frame_end)(struct wire *wire);
};

/* The message being received: data has room for what was announced, but never for
 * much more than has come. */
struct wire_inlet {
    uint8_t *data; /* Owned. */
    size_t len;
    size_t capacity;
};

struct wire_v2;

struct wire {
    const struct wire_ops *ops;
    enum wire_kind kind;
    enum wire_transport transport;
    uint8_t magic[WIRE_MAGIC_BYTES];
    bool is_failed;

    /* Received. */
    struct wire_inlet in;
    uint8_t header[24]; /* Of v1. */
    size_t header_len;  /* Bytes of it that have come. */
    uint32_t payload_len;
    bool is_taken; /* in holds a message given out before: its place is free now. */

    /* To be sent: framed, from out_at on; and messages that wait for the transport to
     * know how: name (12 bytes), length (4), payload. */
    struct buf out;
    size_t out_at;
    uint64_t sent_total; /* Bytes gone out. */
    bool can_send;
    struct buf waiting;
    size_t frame_at;
    enum message_type frame_type;
    bool is_framing;

    struct wire_counts received;
    struct wire_counts sent;
    struct wire_v2 *v2; /* Owned; NULL for v1. Secret memory. */
};

extern const struct wire_ops wire_v1_ops;
extern const struct wire_ops wire_v2_ops;

/* The connection must end: err's text is kept for later calls. */
enum wire_event wire_fail(struct wire *wire, struct error *err, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Room for that many bytes in all. */
void wire_inlet_reserve(struct wire_inlet *in, size_t capacity);
/* Moves bytes to the inlet until it holds want bytes. True once it does. */
bool wire_inlet_fill(struct wire_inlet *in, struct span *bytes, size_t want);
/* Empties it; large room goes back to the heap. */
void wire_inlet_reset(struct wire_inlet *in);

/* Text of a type as the wire has it: MESSAGE_NAME_BYTES, zeros behind. False if it is
 * not printable characters up to 'last' and then zeros. ret_name always gets what
 * is printable of it. */
bool wire_name_read(char *ret_name, const uint8_t *field, uint8_t last);

void wire_count(struct wire_counts *counts, enum message_type type, size_t bytes);
/* The transport can send now: frames what waits. */
void wire_open_gate(struct wire *wire);

/* wire_v2.c. */
void wire_v2_start(struct wire *wire, const struct wire_secrets *secrets);
void wire_v2_free(struct wire_v2 *own_v2);
const uint8_t *wire_v2_session_id(const struct wire_v2 *v2);
void wire_v2_set_pins(struct wire_v2 *v2, const struct wire_pin *pins, size_t n);
int wire_v2_pinned(const struct wire_v2 *v2);
/* Nothing has come of the peer's key, and it had pins to prove nothing with. */
bool wire_v2_heard_nothing(const struct wire *wire);

#endif /* P2P_WIRE_PRIV_H */
