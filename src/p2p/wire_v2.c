/* The second transport (BIP 324): everything looks random from the first byte on.
 *
 * initiator ──► key, garbage ──────────────────────────────► responder
 *           ◄── key, garbage, terminator, version packet ◄──
 *           ──► terminator, version packet, packets ... ──►
 *
 * A packet is 3 bytes of encrypted length, then header byte, contents and tag. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/hex.h"
#include "crypto/ellswift.h"
#include "crypto/hkdf.h"
#include "crypto/hmac.h"
#include "p2p/wire_cipher_priv.h"
#include "p2p/wire_priv.h"

#define V1_PREFIX_BYTES 16
#define LONG_NAME_BYTES (1 + MESSAGE_NAME_BYTES)
#define CONTENTS_BYTES_MAX (LONG_NAME_BYTES + MESSAGE_BYTES_MAX)
/* Numbers below this are reserved by BIP 324 or given to a message; some of them to
 * none yet: such a message is an unknown one, not a bad one. */
#define SHORT_ID_END 38
#define NAME_LAST 0x7f

/* A proof is a decoy of this many bytes; how many such decoys a stranger may make us
 * try, all before the first message. */
#define PROOF_BYTES 32
#define PROOF_TRIES_MAX 4

enum stage {
    STAGE_KEY_OR_V1, /* Responder: is it the beginning of a v1 version message? */
    STAGE_KEY,
    STAGE_GARBAGE,
    STAGE_VERSION, /* The first packet that is no decoy. */
    STAGE_MESSAGES
};

struct wire_v2 {
    enum stage stage;
    bool is_initiator;
    struct wire_secrets secrets;
    uint8_t our_ell[ELLSWIFT_BYTES];
    struct wire_cipher cipher; /* From STAGE_GARBAGE on. */
    uint8_t *aad;              /* The peer's garbage, until the first packet has come. Owned. */
    size_t aad_len;
    uint32_t packet_len; /* Contents of the packet being received. */
    bool has_packet_len;
    uint8_t length_bytes[WIRE_LENGTH_BYTES];
    size_t length_n;

    struct wire_pin *pins; /* Owned, secret memory. */
    size_t pin_n;
    uint32_t tries;
    int pinned;
};

/* --- Sending --- */

/* out holds room for length and header and the contents, from at on: seals them. */
static void seal(struct wire *wire, size_t at, struct span aad, bool is_decoy)
{
    size_t len = wire->out.len - at - WIRE_LENGTH_BYTES - WIRE_HEADER_BYTES;

    (void)buf_extend(&wire->out, POLY1305_TAG_BYTES);
    wire_cipher_seal(&wire->v2->cipher, wire->out.data + at, len, aad, is_decoy);
}

static void send_packet(struct wire *wire, struct span contents, struct span aad, bool is_decoy)
{
    size_t at = wire->out.len;

    memset(buf_extend(&wire->out, WIRE_LENGTH_BYTES + WIRE_HEADER_BYTES), 0,
           WIRE_LENGTH_BYTES + WIRE_HEADER_BYTES);
    buf_add(&wire->out, contents.data, contents.len);
    seal(wire, at, aad, is_decoy);
}

static void frame_begin(struct wire *wire, enum message_type type, const char *name)
{
    uint8_t short_id = type == MESSAGE_OTHER ? 0 : message_short_id(type);
    size_t head = WIRE_LENGTH_BYTES + WIRE_HEADER_BYTES + (short_id != 0 ? 1 : LONG_NAME_BYTES);
    uint8_t *packet = buf_extend(&wire->out, head);

    memset(packet, 0, head);
    packet[WIRE_LENGTH_BYTES + WIRE_HEADER_BYTES] = short_id;
    if (short_id == 0)
        memcpy(packet + WIRE_LENGTH_BYTES + WIRE_HEADER_BYTES + 1, name, strlen(name));
}

static void frame_end(struct wire *wire)
{
    CHECK(wire->out.len - wire->frame_at <=
          WIRE_LENGTH_BYTES + WIRE_HEADER_BYTES + LONG_NAME_BYTES + WIRE_NAMED_BYTES_MAX);
    seal(wire, wire->frame_at, span_of(NULL, 0), false);
}

static void send_key(struct wire *wire)
{
    struct wire_v2 *v2 = wire->v2;

    /* The caller's key is a key, else the process has no randomness. */
    CHECK(ellswift_make(v2->our_ell, v2->secrets.seckey, v2->secrets.key_aux));
    buf_add(&wire->out, v2->our_ell, sizeof(v2->our_ell));
    buf_add(&wire->out, v2->secrets.garbage, v2->secrets.garbage_len);
}

void wire_v2_start(struct wire *wire, const struct wire_secrets *secrets)
{
    struct wire_v2 *v2 = secret_alloc(sizeof(*v2));

    CHECK(secrets->garbage_len <= WIRE_GARBAGE_BYTES_MAX);
    wire->v2 = v2;
    v2->is_initiator = wire->kind == WIRE_V2_INITIATOR;
    v2->secrets = *secrets;
    v2->pinned = -1;
    v2->stage = v2->is_initiator ? STAGE_KEY : STAGE_KEY_OR_V1;
    if (v2->is_initiator)
        send_key(wire);
}

static void forget_pins(struct wire_v2 *v2)
{
    if (v2->pins != NULL)
        secret_free(v2->pins, v2->pin_n * sizeof(*v2->pins));
    v2->pins = NULL;
    v2->pin_n = 0;
}

void wire_v2_free(struct wire_v2 *own_v2)
{
    if (own_v2 == NULL)
        return;
    forget_pins(own_v2);
    free(own_v2->aad);
    secret_free(own_v2, sizeof(*own_v2));
}

const uint8_t *wire_v2_session_id(const struct wire_v2 *v2)
{
    return v2->cipher.session_id;
}

/* --- Pinned keys (docs/decisions/0010) --- */

bool wire_pin_make(struct wire_pin *ret_pin, const uint8_t *seckey, const uint8_t *peer_pubkey)
{
    uint8_t secret[32];
    bool is_good = ecdh_shared(secret, seckey, peer_pubkey);

    if (is_good)
        hkdf_extract(ret_pin->secret, span_of_string("assay pinned peer 1"),
                     span_of(secret, sizeof(secret)));
    secret_wipe(secret, sizeof(secret));
    return is_good;
}

void wire_v2_set_pins(struct wire_v2 *v2, const struct wire_pin *pins, size_t n)
{
    CHECK(v2->pins == NULL && v2->stage <= STAGE_KEY);
    if (n == 0)
        return;
    v2->pins = secret_alloc(n * sizeof(*pins));
    v2->pin_n = n;
    memcpy(v2->pins, pins, n * sizeof(*pins));
}

int wire_v2_pinned(const struct wire_v2 *v2)
{
    return v2->pinned;
}

static void make_proof(uint8_t *ret_proof, const struct wire_v2 *v2, const struct wire_pin *pin,
                       bool of_initiator)
{
    struct hmac_sha256 mac;
    const char *who = of_initiator ? "initiator" : "responder";

    hmac_sha256_init(&mac, pin->secret, sizeof(pin->secret));
    hmac_sha256_add(&mac, who, strlen(who));
    hmac_sha256_add(&mac, v2->cipher.session_id, sizeof(v2->cipher.session_id));
    hmac_sha256_finish(&mac, ret_proof);
}

static void send_proof(struct wire *wire, const struct wire_pin *pin)
{
    uint8_t proof[PROOF_BYTES];

    make_proof(proof, wire->v2, pin, wire->v2->is_initiator);
    send_packet(wire, span_of(proof, sizeof(proof)), span_of(NULL, 0), true);
}

static bool is_equal_secret(const uint8_t *a, const uint8_t *b)
{
    uint8_t difference = 0;

    for (size_t i = 0; i < PROOF_BYTES; i++)
        difference |= a[i] ^ b[i];
    return difference == 0;
}

/* A decoy came: is it the proof of one we know? All pins are tried, so that the time
 * taken tells nothing about which. */
static void try_proof(struct wire *wire, struct span contents)
{
    struct wire_v2 *v2 = wire->v2;
    uint8_t proof[PROOF_BYTES];
    int found = -1;

    if (v2->pin_n == 0 || contents.len != PROOF_BYTES || v2->tries == PROOF_TRIES_MAX)
        return;
    v2->tries++;
    for (size_t i = 0; i < v2->pin_n; i++) {
        make_proof(proof, v2, &v2->pins[i], !v2->is_initiator);
        if (is_equal_secret(proof, contents.data))
            found = (int)i;
    }
    if (found < 0)
        return;
    v2->pinned = found;
    if (!v2->is_initiator)
        send_proof(wire, &v2->pins[found]);
    forget_pins(v2);
    if (!wire->can_send)
        wire_open_gate(wire);
}

/* --- Receiving --- */

bool wire_v2_heard_nothing(const struct wire *wire)
{
    return wire->v2->stage == STAGE_KEY && wire->in.len == 0 && wire->v2->pin_n == 0;
}

/* Goes on as v1 with the bytes that have come. */
static void become_v1(struct wire *wire)
{
    memcpy(wire->header, wire->in.data, V1_PREFIX_BYTES);
    wire->header_len = V1_PREFIX_BYTES;
    wire_inlet_reset(&wire->in);
    wire_v2_free(wire->v2);
    wire->v2 = NULL;
    wire->ops = &wire_v1_ops;
    wire->transport = WIRE_IS_V1;
    wire_open_gate(wire);
}

/* Looks at each byte as it comes: the first that differs ends the doubt. Returns
 * whether the connection is v1 now. */
static bool receive_first(struct wire *wire, struct span *bytes)
{
    static const uint8_t version[V1_PREFIX_BYTES - WIRE_MAGIC_BYTES] = "version";
    uint8_t prefix[V1_PREFIX_BYTES];

    memcpy(prefix, wire->magic, WIRE_MAGIC_BYTES);
    memcpy(prefix + WIRE_MAGIC_BYTES, version, sizeof(version));
    (void)wire_inlet_fill(&wire->in, bytes, V1_PREFIX_BYTES);
    if (wire->in.len > 0 && memcmp(wire->in.data, prefix, wire->in.len) != 0) {
        wire->v2->stage = STAGE_KEY;
        send_key(wire);
        return false;
    }
    if (wire->in.len < V1_PREFIX_BYTES)
        return false;
    become_v1(wire);
    return true;
}

/* A v1 peer of another network is told from a key, so that the log can say so. */
static bool is_foreign_v1(const struct wire *wire)
{
    static const uint8_t version[V1_PREFIX_BYTES - WIRE_MAGIC_BYTES] = "version";

    return !wire->v2->is_initiator && wire->in.len >= V1_PREFIX_BYTES &&
           memcmp(wire->in.data + WIRE_MAGIC_BYTES, version, sizeof(version)) == 0;
}

static enum wire_event receive_key(struct wire *wire, struct span *bytes, struct error *err)
{
    struct wire_v2 *v2 = wire->v2;
    uint8_t secret[ELLSWIFT_SECRET_BYTES];
    bool is_whole = wire_inlet_fill(&wire->in, bytes, ELLSWIFT_BYTES);

    if (is_foreign_v1(wire)) {
        char hex[2 * WIRE_MAGIC_BYTES + 1];

        hex_write(hex, wire->in.data, WIRE_MAGIC_BYTES);
        return wire_fail(wire, err, "V2 transport error: V1 peer with wrong MessageStart %s", hex);
    }
    if (!is_whole)
        return WIRE_EVENT_NONE;
    CHECK(
        ellswift_shared(secret, v2->our_ell, wire->in.data, v2->secrets.seckey, v2->is_initiator));
    wire_cipher_init(&v2->cipher, secret, wire->magic, v2->is_initiator);
    secret_wipe(secret, sizeof(secret));
    wire_inlet_reset(&wire->in);
    v2->stage = STAGE_GARBAGE;

    buf_add(&wire->out, v2->cipher.our_terminator, WIRE_TERMINATOR_BYTES);
    send_packet(wire, span_of(NULL, 0), span_of(v2->secrets.garbage, v2->secrets.garbage_len),
                false);
    secret_wipe(&v2->secrets, sizeof(v2->secrets));
    /* With a pin, no message leaves before the peer has proven itself. */
    if (v2->is_initiator && v2->pin_n > 0)
        send_proof(wire, &v2->pins[0]);
    else
        wire_open_gate(wire);
    return WIRE_EVENT_NONE;
}

static enum wire_event receive_garbage(struct wire *wire, struct span *bytes, struct error *err)
{
    struct wire_v2 *v2 = wire->v2;
    struct wire_inlet *in = &wire->in;

    wire_inlet_reserve(in, WIRE_GARBAGE_BYTES_MAX + WIRE_TERMINATOR_BYTES);
    while (bytes->len > 0) {
        size_t want = MAX(in->len + 1, (size_t)WIRE_TERMINATOR_BYTES);

        if (!wire_inlet_fill(in, bytes, want))
            return WIRE_EVENT_NONE;
        if (memcmp(in->data + in->len - WIRE_TERMINATOR_BYTES, v2->cipher.peer_terminator,
                   WIRE_TERMINATOR_BYTES) == 0) {
            v2->aad_len = in->len - WIRE_TERMINATOR_BYTES;
            v2->aad = alloc(MAX(v2->aad_len, (size_t)1));
            memcpy(v2->aad, in->data, v2->aad_len);
            wire_inlet_reset(in);
            v2->stage = STAGE_VERSION;
            return WIRE_EVENT_NONE;
        }
        if (in->len == WIRE_GARBAGE_BYTES_MAX + WIRE_TERMINATOR_BYTES)
            return wire_fail(wire, err, "V2 transport error: missing garbage terminator");
    }
    return WIRE_EVENT_NONE;
}

/* The contents of a packet that is no decoy: what message is it? */
static enum wire_event take(struct wire *wire, struct span contents, struct wire_message *ret,
                            struct error *err)
{
    size_t head = contents.len > 0 && contents.data[0] == 0 ? LONG_NAME_BYTES : 1;
    bool is_good = false;

    memset(ret, 0, sizeof(*ret));
    ret->wire_bytes = contents.len + WIRE_EXPANSION_BYTES;
    wire->is_taken = true;
    if (head == LONG_NAME_BYTES && contents.len >= head) {
        is_good = wire_name_read(ret->name, contents.data + 1, NAME_LAST);
        ret->type = is_good ? message_type_of(ret->name) : MESSAGE_OTHER;
    } else if (head == 1 && contents.len > 0 && contents.data[0] < SHORT_ID_END) {
        is_good = true;
        ret->type = message_type_of_short_id(contents.data[0]);
        if (ret->type != MESSAGE_OTHER)
            memcpy(ret->name, message_name(ret->type), strlen(message_name(ret->type)));
    }
    wire_count(&wire->received, ret->type, ret->wire_bytes);
    if (!is_good) {
        (void)error_set(err, E_MALFORMED,
                        "V2 transport error: invalid message type (%zu bytes contents)",
                        contents.len);
        return WIRE_EVENT_REJECTED;
    }
    ret->payload = span_of(contents.data + head, contents.len - head);
    return WIRE_EVENT_MESSAGE;
}

/* A packet was authenticated. */
static enum wire_event handle(struct wire *wire, bool is_decoy, struct span contents,
                              struct wire_message *ret_message, struct error *err)
{
    struct wire_v2 *v2 = wire->v2;

    if (is_decoy) {
        try_proof(wire, contents);
    } else if (v2->stage == STAGE_VERSION) {
        /* Its contents are for later versions of the transport. */
        v2->stage = STAGE_MESSAGES;
        wire->transport = WIRE_IS_V2;
    } else {
        if (v2->pin_n > 0 && v2->is_initiator)
            return wire_fail(wire, err, "V2 transport error: peer does not hold the pinned key");
        forget_pins(v2); /* Who has not proven itself by now, will not. */
        return take(wire, contents, ret_message, err);
    }
    wire->is_taken = true;
    return WIRE_EVENT_NONE;
}

/* Length first, for nothing else says how much to wait for. */
static bool receive_length(struct wire_v2 *v2, struct span *bytes)
{
    while (v2->length_n < WIRE_LENGTH_BYTES && bytes->len > 0) {
        v2->length_bytes[v2->length_n++] = bytes->data[0];
        bytes->data++;
        bytes->len--;
    }
    if (v2->length_n < WIRE_LENGTH_BYTES)
        return false;
    v2->packet_len = wire_cipher_open_length(&v2->cipher, v2->length_bytes);
    v2->length_n = 0;
    v2->has_packet_len = true;
    return true;
}

static enum wire_event receive_packet(struct wire *wire, struct span *bytes,
                                      struct wire_message *ret_message, struct error *err)
{
    struct wire_v2 *v2 = wire->v2;
    struct wire_inlet *in = &wire->in;
    bool is_decoy;

    if (!v2->has_packet_len && !receive_length(v2, bytes))
        return WIRE_EVENT_NONE;
    if (v2->packet_len > CONTENTS_BYTES_MAX)
        return wire_fail(wire, err, "V2 transport error: packet too large (%u bytes)",
                         v2->packet_len);
    if (!wire_inlet_fill(in, bytes, WIRE_HEADER_BYTES + v2->packet_len + POLY1305_TAG_BYTES))
        return WIRE_EVENT_NONE;
    if (!wire_cipher_open(&v2->cipher, &is_decoy, in->data, v2->packet_len,
                          span_of(v2->aad, v2->aad_len)))
        return wire_fail(wire, err, "V2 transport error: packet decryption failure (%u bytes)",
                         v2->packet_len);
    free(v2->aad);
    v2->aad = NULL;
    v2->aad_len = 0;
    v2->has_packet_len = false;
    return handle(wire, is_decoy, span_of(in->data + WIRE_HEADER_BYTES, v2->packet_len),
                  ret_message, err);
}

static enum wire_event receive(struct wire *wire, struct span *bytes,
                               struct wire_message *ret_message, struct error *err)
{
    enum wire_event event = WIRE_EVENT_NONE;

    while (bytes->len > 0 && event == WIRE_EVENT_NONE) {
        if (wire->is_taken) {
            wire_inlet_reset(&wire->in);
            wire->is_taken = false;
        }
        switch (wire->v2->stage) {
        case STAGE_KEY_OR_V1:
            if (receive_first(wire, bytes))
                return wire->ops->receive(wire, bytes, ret_message, err);
            break;
        case STAGE_KEY:
            event = receive_key(wire, bytes, err);
            break;
        case STAGE_GARBAGE:
            event = receive_garbage(wire, bytes, err);
            break;
        case STAGE_VERSION:
        case STAGE_MESSAGES:
            event = receive_packet(wire, bytes, ret_message, err);
            break;
        }
    }
    return event;
}

const struct wire_ops wire_v2_ops = {
    .receive = receive,
    .frame_begin = frame_begin,
    .frame_end = frame_end,
};
