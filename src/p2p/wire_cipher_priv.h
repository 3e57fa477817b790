/* Private to p2p: the packets of BIP 324, once both sides hold the shared secret. */
#ifndef P2P_WIRE_CIPHER_PRIV_H
#define P2P_WIRE_CIPHER_PRIV_H

#include "crypto/chacha20.h"
#include "p2p/wire.h"

#define WIRE_TERMINATOR_BYTES 16
#define WIRE_LENGTH_BYTES 3
#define WIRE_HEADER_BYTES 1
/* What a packet is longer than its contents. */
#define WIRE_EXPANSION_BYTES (WIRE_LENGTH_BYTES + WIRE_HEADER_BYTES + POLY1305_TAG_BYTES)

struct wire_cipher {
    uint8_t session_id[WIRE_SESSION_ID_BYTES];
    uint8_t our_terminator[WIRE_TERMINATOR_BYTES];
    uint8_t peer_terminator[WIRE_TERMINATOR_BYTES];
    struct fs_chacha20 send_length, recv_length;
    struct fs_aead send, recv;
};

/* secret: from ellswift_shared; magic: of the network. */
void wire_cipher_init(struct wire_cipher *cipher, const uint8_t *secret, const uint8_t *magic,
                      bool is_initiator) NONNULL(1, 2, 3);
/* packet: room for length and header, len bytes of contents, room for the tag. */
void wire_cipher_seal(struct wire_cipher *cipher, uint8_t *packet, size_t len, struct span aad,
                      bool is_decoy) NONNULL(1, 2);
/* The length of the contents of the packet whose first WIRE_LENGTH_BYTES these are;
 * they are overwritten. */
uint32_t wire_cipher_open_length(struct wire_cipher *cipher, uint8_t *length) NONNULL(1, 2);
/* data: what comes behind the length: header, len bytes of contents, tag; decrypted in
 * place, contents from WIRE_HEADER_BYTES on. False: it is not the peer's. */
NODISCARD bool wire_cipher_open(struct wire_cipher *cipher, bool *ret_is_decoy, uint8_t *data,
                                size_t len, struct span aad) NONNULL(1, 2, 3);

#endif /* P2P_WIRE_CIPHER_PRIV_H */
