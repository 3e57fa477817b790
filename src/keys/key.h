/* Keys of secp256k1: public, secret, and what is signed with them.
 *
 * Pure: equal arguments give equal signatures (RFC 6979, and BIP 340 without
 * auxiliary randomness). Any thread, once secp_init has been called. Secret keys
 * belong in memory from secret_alloc; the functions here leave no copy behind.
 */
#ifndef KEYS_KEY_H
#define KEYS_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/secp.h"

#define PUBKEY_COMPRESSED_BYTES 33
#define PUBKEY_UNCOMPRESSED_BYTES 65
#define XONLY_BYTES 32
#define SECKEY_BYTES 32
#define KEY_ID_BYTES 20
#define SCHNORR_SIG_BYTES 64
#define COMPACT_SIG_BYTES 65

/* A serialized public key; len 0: none. */
struct pubkey {
    uint8_t len; /* 0, 33 or 65. */
    uint8_t b[PUBKEY_UNCOMPRESSED_BYTES];
};

/* HASH160 of a serialized public key. */
struct key_id {
    uint8_t b[KEY_ID_BYTES];
};

struct seckey {
    uint8_t b[SECKEY_BYTES];
    bool is_compressed; /* Form of its public key. */
};

/* An ECDSA signature in DER. */
struct signature {
    uint8_t len;
    uint8_t b[SECP_DER_BYTES_MAX + 1]; /* Room for a hash type. */
};

/* Takes bytes whose length fits their first byte (02 03: 33; 04 06 07: 65); the
 * point may still not exist. Otherwise false, and ret_pubkey has length 0. */
bool pubkey_read(struct pubkey *ret_pubkey, struct span bytes) NONNULL(1);

/* Is there such a point? The hybrid forms 06 and 07 count. */
bool pubkey_is_on_curve(const struct pubkey *pubkey) NONNULL(1);

static inline bool pubkey_is_compressed(const struct pubkey *pubkey)
{
    return pubkey->len == PUBKEY_COMPRESSED_BYTES;
}

static inline bool pubkey_is_hybrid(const struct pubkey *pubkey)
{
    return pubkey->len > 0 && (pubkey->b[0] == 6 || pubkey->b[0] == 7);
}

static inline struct span span_of_pubkey(const struct pubkey *pubkey)
{
    return span_of(pubkey->b, pubkey->len);
}

struct key_id pubkey_id(const struct pubkey *pubkey) NONNULL(1);

/* By bytes, as BIP 67 sorts. */
int pubkey_compare(const struct pubkey *a, const struct pubkey *b) NONNULL(1, 2);

/* The point with even y for 32 bytes of x (BIP 340); it may not exist. */
struct pubkey pubkey_of_xonly(const uint8_t *xonly) NONNULL(1);

/* The x of a key, 32 bytes within it. */
static inline const uint8_t *pubkey_xonly(const struct pubkey *pubkey)
{
    return pubkey->b + 1;
}

/* Is there a point with this x? */
bool xonly_is_on_curve(const uint8_t *xonly) NONNULL(1);

/* 32 bytes in 1 .. n-1; false leaves ret_key wiped. */
bool seckey_read(struct seckey *ret_key, const uint8_t *bytes, bool is_compressed) NONNULL(1, 2);

struct pubkey pubkey_of_seckey(const struct seckey *key) NONNULL(1);

/* DER, low S, and low R found by trying nonces, so that a signature is never
 * longer than 71 bytes. hash: 32 bytes. */
struct signature seckey_sign(const struct seckey *key, const uint8_t *hash) NONNULL(1, 2);

/* BIP 340, 64 bytes. merkle_root NULL signs with the key itself, otherwise with
 * the key of its taproot output (BIP 341): 32 bytes, zeros for no scripts. */
void seckey_sign_schnorr(uint8_t *ret_sig, const struct seckey *key, const uint8_t *hash,
                         const uint8_t *merkle_root) NONNULL(1, 2, 3);

/* 65 bytes: a header that tells which of the four candidate keys and whether it
 * is compressed, then r and s. */
void seckey_sign_compact(uint8_t *ret_sig, const struct seckey *key, const uint8_t *hash)
    NONNULL(1, 2, 3);
bool pubkey_recover_compact(struct pubkey *ret_pubkey, const uint8_t *sig, const uint8_t *hash)
    NONNULL(1, 2, 3);

/* Point and scalar arithmetic of BIP 32: add tweak (32 bytes) to the key; false
 * if the result is no key. */
bool pubkey_tweak_add(struct pubkey *key, const uint8_t *tweak) NONNULL(1, 2);
bool seckey_tweak_add(struct seckey *key, const uint8_t *tweak) NONNULL(1, 2);

/* BIP 341: the output key for an internal key. merkle_root: zeros for no scripts.
 *
 * Returns: false if internal is no point.
 * Out:     ret_output: 32 bytes; ret_odd: parity for the control block. */
bool taproot_output_key(uint8_t *ret_output, bool *ret_odd, const uint8_t *internal,
                        const uint8_t *merkle_root) NONNULL(1, 2, 3);

/* BIP 327: the aggregate of keys (33 bytes each), in the order given.
 *
 * Returns: false if one of them is no point or the sum is none. */
bool musig_aggregate(struct pubkey *ret_pubkey, const struct pubkey *keys, size_t keys_n)
    NONNULL(1);

#endif /* KEYS_KEY_H */
