/* ElligatorSwift (BIP 324): public keys as 64 bytes that look random, and the
 * shared secret of two of them. Over libsecp256k1, which has it from 0.4.0 on; with
 * an older one ellswift_is_built says false, and nothing else may be called. Any
 * thread; secp_init first, as for everything with secrets.
 */
#ifndef CRYPTO_ELLSWIFT_H
#define CRYPTO_ELLSWIFT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "crypto/secp.h"

#define ELLSWIFT_BYTES 64
#define ELLSWIFT_SECRET_BYTES 32

bool ellswift_is_built(void);

/* One of the many encodings of seckey's public key, chosen by aux (32 random
 * bytes). False if seckey is not valid. */
NODISCARD bool ellswift_make(uint8_t *ret_ell, const uint8_t *seckey, const uint8_t *aux)
    NONNULL(1, 2, 3);
/* Every 64 bytes encode a key. */
void ellswift_decode(struct secp_pubkey *ret_pubkey, const uint8_t *ell) NONNULL(1, 2);
/* The x-only secret that BIP 324 derives, of our key and the peer's encoding.
 * False if seckey is not valid. */
NODISCARD bool ellswift_shared(uint8_t *ret_secret, const uint8_t *our_ell,
                               const uint8_t *their_ell, const uint8_t *seckey, bool initiating)
    NONNULL(1, 2, 3, 4);

/* Plain ECDH of a secret key and a compressed public key (33 bytes): SHA-256 of
 * the compressed point. False if either is no key. */
NODISCARD bool ecdh_shared(uint8_t *ret_secret, const uint8_t *seckey, const uint8_t *pubkey)
    NONNULL(1, 2, 3);

#endif /* CRYPTO_ELLSWIFT_H */
