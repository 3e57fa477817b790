/* Keys and signatures on secp256k1: thin over libsecp256k1 (0.2.0 or later).
 *
 * Everything that only verifies works at any time, from any thread. What needs a
 * secret key uses one process-wide context; secp_init must have been called
 * before, and is not safe against calls that run at the same time.
 *
 * Message hashes are 32 bytes, tweaks and secret keys 32 bytes big-endian.
 */
#ifndef CRYPTO_SECP_H
#define CRYPTO_SECP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <secp256k1.h>

#include "base/error.h"

#define SECP_SECKEY_BYTES 32
#define SECP_TWEAK_BYTES 32
#define SECP_HASH_BYTES 32
#define SECP_XONLY_BYTES 32
#define SECP_PUBKEY_BYTES 33      /* Compressed. */
#define SECP_PUBKEY_LONG_BYTES 65 /* Uncompressed or hybrid. */
#define SECP_SCHNORR_BYTES 64
#define SECP_DER_BYTES_MAX 72

/* A point on the curve, parsed. */
struct secp_pubkey {
    secp256k1_pubkey point;
};

/* An ECDSA signature: r and s, each 32 bytes big-endian. Both zero where the
 * encoding held a number that is no scalar: such a signature verifies never. */
struct ecdsa_sig {
    uint8_t r[32];
    uint8_t s[32];
};

/* Create or renew the context for secrets, blinded with seed (32 random bytes;
 * wiping them is the caller's). */
void secp_init(const uint8_t *seed) NONNULL(1);
/* Release it; for leak checkers. */
void secp_clear(void);

/* --- Public keys --- */

/* 33 bytes, or 65 uncompressed or hybrid (first byte 6 or 7, of the parity it
 * says). False for any other encoding or a point off the curve. */
NODISCARD bool secp_pubkey_read(struct secp_pubkey *ret_pubkey, const uint8_t *data, size_t len)
    NONNULL(1);
/* 33 and 65 bytes. */
void secp_pubkey_write(uint8_t *ret_data, const struct secp_pubkey *pubkey) NONNULL(1, 2);
void secp_pubkey_write_long(uint8_t *ret_data, const struct secp_pubkey *pubkey) NONNULL(1, 2);
/* pubkey + tweak * G. False if tweak is no scalar or the sum is infinity; pubkey
 * is then useless. (BIP 32) */
NODISCARD bool secp_pubkey_tweak_add(struct secp_pubkey *pubkey, const uint8_t *tweak)
    NONNULL(1, 2);

/* Is this the x coordinate of a point? (BIP 340) */
bool secp_xonly_is_valid(const uint8_t *xonly) NONNULL(1);
/* x coordinate and oddness of Y. */
void secp_xonly_of(uint8_t *ret_xonly, bool *ret_odd, const struct secp_pubkey *pubkey)
    NONNULL(1, 2, 3);
/* BIP 341: the output key of an internal key. False as in secp_pubkey_tweak_add,
 * or if internal is no x coordinate. */
NODISCARD bool secp_xonly_tweak_add(uint8_t *ret_xonly, bool *ret_odd, const uint8_t *internal,
                                    const uint8_t *tweak) NONNULL(1, 2, 3, 4);
/* BIP 341: does internal, tweaked, give this output key of this oddness? */
bool secp_xonly_tweak_check(const uint8_t *xonly, bool odd, const uint8_t *internal,
                            const uint8_t *tweak) NONNULL(1, 3, 4);

/* --- ECDSA --- */

/* Read a signature as the network did before BIP 66: DER whose lengths may be
 * over-long or wrong, with leading zeros and bytes behind. False only where not
 * even so two numbers can be found. */
NODISCARD bool ecdsa_sig_read_lax(struct ecdsa_sig *ret_sig, const uint8_t *der, size_t len)
    NONNULL(1);
/* Strict DER, nothing behind it. A number that is no scalar is no failure but
 * gives the zero signature. */
NODISCARD bool ecdsa_sig_read_strict(struct ecdsa_sig *ret_sig, const uint8_t *der, size_t len)
    NONNULL(1);
/* At most SECP_DER_BYTES_MAX bytes. Returns the length. */
size_t ecdsa_sig_write(uint8_t *ret_der, const struct ecdsa_sig *sig) NONNULL(1, 2);
/* Is s at most half the group order? (BIP 62, policy; BIP 146) */
bool ecdsa_sig_is_low_s(const struct ecdsa_sig *sig) NONNULL(1);
/* High s is as good as low s. */
bool ecdsa_sig_verify(const struct ecdsa_sig *sig, const uint8_t *hash,
                      const struct secp_pubkey *pubkey) NONNULL(1, 2, 3);
/* What OP_CHECKSIG asks: signature bytes (without the hash type) read lax, key
 * bytes of any valid form. */
bool ecdsa_verify_lax(const uint8_t *der, size_t der_len, const uint8_t *hash,
                      const uint8_t *pubkey, size_t pubkey_len) NONNULL(3);

/* Sign with the nonce of RFC 6979; the first of its sequence whose r is below
 * 2^255, which saves a byte, when grind is set. s is low. False if seckey is not
 * valid. */
NODISCARD bool ecdsa_sign(struct ecdsa_sig *ret_sig, const uint8_t *hash, const uint8_t *seckey,
                          bool grind) NONNULL(1, 2, 3);
/* As ecdsa_sign without grinding, plus which of the four keys fits (0 to 3). */
NODISCARD bool ecdsa_sign_recoverable(struct ecdsa_sig *ret_sig, int *ret_recid,
                                      const uint8_t *hash, const uint8_t *seckey)
    NONNULL(1, 2, 3, 4);
/* False if no key fits. recid 0 to 3. */
NODISCARD bool ecdsa_recover(struct secp_pubkey *ret_pubkey, const struct ecdsa_sig *sig, int recid,
                             const uint8_t *hash) NONNULL(1, 2, 4);

/* --- Schnorr (BIP 340) --- */

/* sig 64 bytes, xonly 32; a message of any length. */
bool schnorr_verify(const uint8_t *sig, const uint8_t *message, size_t message_len,
                    const uint8_t *xonly) NONNULL(1, 4);
/* aux: 32 bytes of fresh randomness, or NULL for zeros. False if seckey is not
 * valid. The signature is verified before it is given out. */
NODISCARD bool schnorr_sign(uint8_t *ret_sig, const uint8_t *hash, const uint8_t *seckey,
                            const uint8_t *aux) NONNULL(1, 2, 3);

/* --- Secret keys --- */

/* Neither zero nor the group order or above? */
bool secp_seckey_is_valid(const uint8_t *seckey) NONNULL(1);
/* False if seckey is not valid. */
NODISCARD bool secp_pubkey_of(struct secp_pubkey *ret_pubkey, const uint8_t *seckey) NONNULL(1, 2);
/* seckey + tweak; false if tweak is no scalar or the sum is zero. (BIP 32) */
NODISCARD bool secp_seckey_tweak_add(uint8_t *seckey, const uint8_t *tweak) NONNULL(1, 2);
NODISCARD bool secp_seckey_negate(uint8_t *seckey) NONNULL(1);
/* BIP 341: negate if the public key's Y is odd, then add tweak. */
NODISCARD bool secp_seckey_xonly_tweak_add(uint8_t *seckey, const uint8_t *tweak) NONNULL(1, 2);

#endif /* CRYPTO_SECP_H */
