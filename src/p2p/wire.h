/* The transport: bytes of a connection in, whole messages out, and back. Two of
 * them behind one table: v1 (plain, magic and checksum) and v2 (BIP 324,
 * encrypted); a responder finds out which one its peer speaks.
 *
 * Sans-I/O: no clock, no socket, no randomness of its own. Receiving and sending
 * are two independent halves. A wire belongs to the thread that holds it.
 *
 * What it holds is bounded: received, one message (MESSAGE_BYTES_MAX and the room
 * read ahead, WIRE_AHEAD_BYTES); to be sent, what the caller has put in and not
 * taken out (wire_unsent_bytes is for the caller's limit).
 */
#ifndef P2P_WIRE_H
#define P2P_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "p2p/message.h"

#define WIRE_MAGIC_BYTES 4
#define WIRE_AHEAD_BYTES 262144U
#define WIRE_SESSION_ID_BYTES 32
#define WIRE_GARBAGE_BYTES_MAX 4095
#define WIRE_NAMED_BYTES_MAX (2U * MESSAGE_BYTES_MAX)

struct wire; /* In wire_priv.h. */

/* What a v2 connection needs that nobody can guess. Wipe it after wire_new. */
struct wire_secrets {
    uint8_t seckey[32];  /* A secret key; of this connection only. */
    uint8_t key_aux[32]; /* Chooses among the encodings of the public key. */
    size_t garbage_len;  /* At most WIRE_GARBAGE_BYTES_MAX; as chance will have it. */
    uint8_t garbage[WIRE_GARBAGE_BYTES_MAX];
};

/* All of it from 32 random bytes, so that a simulation repeats. */
void wire_secrets_from_seed(struct wire_secrets *ret_secrets, const uint8_t *seed) NONNULL(1, 2);

enum wire_kind {
    WIRE_V1,           /* Either side. */
    WIRE_V2_INITIATOR, /* We opened the connection and speak v2. */
    WIRE_V2_RESPONDER  /* We were called, and speak what the caller speaks. */
};

/* Was Assay built with a libsecp256k1 that has ElligatorSwift (0.4.0 on)? Where
 * not, only WIRE_V1 may be asked for. */
bool wire_v2_is_built(void);

/* magic: WIRE_MAGIC_BYTES of the network, copied. secrets: NULL for WIRE_V1;
 * copied. Never NULL. */
struct wire *wire_new(enum wire_kind kind, const uint8_t *magic, const struct wire_secrets *secrets)
    NONNULL(2);
void wire_free(struct wire *own_wire); /* NULL is fine. */

/* --- Receiving --- */

enum wire_event {
    WIRE_EVENT_NONE,     /* All bytes taken, no message complete. */
    WIRE_EVENT_MESSAGE,  /* *ret_message is one; bytes may be left: call again. */
    WIRE_EVENT_REJECTED, /* A message whose checksum or name is wrong was left out:
                            *ret_message has its wire_bytes (and name where it has one),
                            err the reason; go on. */
    WIRE_EVENT_FAILED    /* The connection must end; err says why. Final. */
};

struct wire_message {
    enum message_type type;
    char name[MESSAGE_NAME_BYTES + 1]; /* As received, terminated; printable bytes. */
    struct span payload;               /* The wire's, until its next wire_receive or wire_free. */
    size_t wire_bytes;                 /* What it cost on the wire, framing included. */
};

/* Take bytes off the front of *bytes until a message is complete or none are
 * left. Never touches what comes behind a complete message. */
NODISCARD enum wire_event wire_receive(struct wire *wire, struct span *bytes,
                                       struct wire_message *ret_message, struct error *err)
    NONNULL(1, 2, 3);

/* --- Sending --- */

/* Put a message into what is to be sent. Works at any time: before the transport
 * knows how to send (v2 handshake not done, v1 or v2 not known), messages wait
 * inside, in order. payload at most MESSAGE_BYTES_MAX bytes, copied. */
void wire_send(struct wire *wire, enum message_type type, struct span payload) NONNULL(1);

/* The same without a copy: between the two calls the caller appends the payload
 * to the buffer, and only there. */
struct buf *wire_begin(struct wire *wire, enum message_type type) NONNULL(1)
    __attribute__((returns_nonnull));
void wire_end(struct wire *wire) NONNULL(1);

/* A message of a name not in the list (tests, sendmsgtopeer). name: at most
 * MESSAGE_NAME_BYTES bytes, terminated. payload: up to WIRE_NAMED_BYTES_MAX, more than
 * any peer takes. */
void wire_send_named(struct wire *wire, const char *name, struct span payload) NONNULL(1, 2);

/* What may go out now, in order; valid until the next call on wire. */
struct span wire_to_send(const struct wire *wire) NONNULL(1);
/* That many of these bytes have gone out. */
void wire_sent(struct wire *wire, size_t len) NONNULL(1);
/* Ready to go and waiting inside, in bytes. */
size_t wire_unsent_bytes(const struct wire *wire) NONNULL(1);

/* --- What it knows --- */

enum wire_transport { WIRE_DETECTING, WIRE_IS_V1, WIRE_IS_V2 };

/* WIRE_IS_V2 only once the peer's version packet was authenticated. */
enum wire_transport wire_transport(const struct wire *wire) NONNULL(1);
/* WIRE_SESSION_ID_BYTES, the same on both sides and of no other connection; NULL
 * unless WIRE_IS_V2. */
const uint8_t *wire_session_id(const struct wire *wire) NONNULL(1);
/* To be asked when an initiator's connection has ended: the peer hung up on our
 * handshake without a byte, as one does that speaks v1 only. Try again with v1. */
bool wire_wants_v1_retry(const struct wire *wire) NONNULL(1);

/* Messages and their bytes on the wire, framing included; what is sent counts
 * when it is put in. */
struct wire_counts {
    uint64_t messages[MESSAGE_TYPE_N];
    uint64_t bytes[MESSAGE_TYPE_N];
};
const struct wire_counts *wire_received_counts(const struct wire *wire) NONNULL(1);
const struct wire_counts *wire_sent_counts(const struct wire *wire) NONNULL(1);

/* --- Knowing whom one speaks with (docs/decisions/0010) ---
 *
 * Owners of several nodes give each a key and pin the others' keys. Once a v2
 * connection stands, its initiator shows, bound to the session id, that it holds
 * its key; the responder answers in kind. Both in packets that every other
 * implementation ignores as decoys and that look random to whoever does not hold
 * one of the two secret keys. A stranger gets no answer. */

#define WIRE_PINS_MAX 64

struct wire_pin {
    uint8_t secret[32];
};

/* What two nodes share: of our secret key (32 bytes) and the peer's public key
 * (33 bytes). The same on both sides. Secret. False if either is no key. */
NODISCARD bool wire_pin_make(struct wire_pin *ret_pin, const uint8_t *seckey,
                             const uint8_t *peer_pubkey) NONNULL(1, 2, 3);

/* Before the first bytes are fed. Initiator: exactly one pin, the one of the node
 * we called; no message of ours leaves before it has proven itself. Responder:
 * those of all nodes we know, at most WIRE_PINS_MAX. Copied, wiped after use. */
void wire_set_pins(struct wire *wire, const struct wire_pin *pins, size_t n) NONNULL(1);

/* Which pin the peer has proven; -1: none (yet). */
int wire_pinned(const struct wire *wire) NONNULL(1);

#endif /* P2P_WIRE_H */
