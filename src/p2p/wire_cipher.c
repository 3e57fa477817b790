#include "p2p/wire_cipher_priv.h"

#include <string.h>

#include "base/alloc.h"
#include "crypto/ellswift.h"
#include "crypto/hkdf.h"

#define IGNORE_BIT 0x80

struct role_keys {
    uint8_t initiator_length[32], initiator_packet[32];
    uint8_t responder_length[32], responder_packet[32];
    uint8_t terminators[2 * WIRE_TERMINATOR_BYTES]; /* The initiator's, the responder's. */
};

static void expand(uint8_t *ret_key, const uint8_t *prk, const char *info)
{
    hkdf_expand(ret_key, prk, span_of_string(info));
}

void wire_cipher_init(struct wire_cipher *cipher, const uint8_t *secret, const uint8_t *magic,
                      bool is_initiator)
{
    static const char text[] = "bitcoin_v2_shared_secret";
    uint8_t salt[sizeof(text) - 1 + WIRE_MAGIC_BYTES];
    uint8_t prk[HKDF_BYTES];
    struct role_keys keys;

    memcpy(salt, text, sizeof(text) - 1);
    memcpy(salt + sizeof(text) - 1, magic, WIRE_MAGIC_BYTES);
    hkdf_extract(prk, span_of(salt, sizeof(salt)), span_of(secret, ELLSWIFT_SECRET_BYTES));
    expand(keys.initiator_length, prk, "initiator_L");
    expand(keys.initiator_packet, prk, "initiator_P");
    expand(keys.responder_length, prk, "responder_L");
    expand(keys.responder_packet, prk, "responder_P");
    expand(keys.terminators, prk, "garbage_terminators");
    expand(cipher->session_id, prk, "session_id");

    fs_chacha20_init(&cipher->send_length,
                     is_initiator ? keys.initiator_length : keys.responder_length);
    fs_aead_init(&cipher->send, is_initiator ? keys.initiator_packet : keys.responder_packet);
    fs_chacha20_init(&cipher->recv_length,
                     is_initiator ? keys.responder_length : keys.initiator_length);
    fs_aead_init(&cipher->recv, is_initiator ? keys.responder_packet : keys.initiator_packet);
    memcpy(cipher->our_terminator, keys.terminators + (is_initiator ? 0 : WIRE_TERMINATOR_BYTES),
           WIRE_TERMINATOR_BYTES);
    memcpy(cipher->peer_terminator, keys.terminators + (is_initiator ? WIRE_TERMINATOR_BYTES : 0),
           WIRE_TERMINATOR_BYTES);
    secret_wipe(prk, sizeof(prk));
    secret_wipe(&keys, sizeof(keys));
}

void wire_cipher_seal(struct wire_cipher *cipher, uint8_t *packet, size_t len, struct span aad,
                      bool is_decoy)
{
    uint8_t *inner = packet + WIRE_LENGTH_BYTES;

    packet[0] = (uint8_t)len;
    packet[1] = (uint8_t)(len >> 8);
    packet[2] = (uint8_t)(len >> 16);
    inner[0] = is_decoy ? IGNORE_BIT : 0;
    fs_chacha20_crypt(&cipher->send_length, packet, WIRE_LENGTH_BYTES);
    fs_aead_seal(&cipher->send, inner, WIRE_HEADER_BYTES + len, aad,
                 inner + WIRE_HEADER_BYTES + len);
}

uint32_t wire_cipher_open_length(struct wire_cipher *cipher, uint8_t *length)
{
    fs_chacha20_crypt(&cipher->recv_length, length, WIRE_LENGTH_BYTES);
    return length[0] | (uint32_t)length[1] << 8 | (uint32_t)length[2] << 16;
}

bool wire_cipher_open(struct wire_cipher *cipher, bool *ret_is_decoy, uint8_t *data, size_t len,
                      struct span aad)
{
    if (!fs_aead_open(&cipher->recv, data, WIRE_HEADER_BYTES + len, aad,
                      data + WIRE_HEADER_BYTES + len))
        return false;
    *ret_is_decoy = (data[0] & IGNORE_BIT) != 0;
    return true;
}
