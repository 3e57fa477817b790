/* What is known for making and signing scripts: public and secret keys, where
 * keys come from, redeem and witness scripts, taproot trees. Found by hash.
 * Secret keys lie in memory from secret_alloc and are wiped by keyring_clear.
 * Owner thread: whoever holds it.
 */
#ifndef KEYS_KEYRING_H
#define KEYS_KEYRING_H

#include "base/arena.h"
#include "keys/bip32.h"
#include "keys/key.h"
#include "keys/taproot.h"

struct key_origin {
    uint8_t fingerprint[BIP32_FINGERPRINT_BYTES];
    const uint32_t *path;
    size_t path_n;
};

struct keyring_entry;

struct keyring {
    struct arena arena;
    struct keyring_entry **entries; /* In the order they came. */
    size_t entries_n;
    uint32_t *slots; /* Open addressing: index of an entry plus 1, or 0. */
    size_t slots_n;  /* A power of two, or 0. */
    size_t secrets_n;
};

void keyring_init(struct keyring *ring) NONNULL(1);
void keyring_clear(struct keyring *ring) NONNULL(1);

/* What is there already stays. The secret's public key becomes known too. */
void keyring_add_secret(struct keyring *ring, const struct seckey *key) NONNULL(1, 2);
/* The pubkey and its origin (copied; replaces an earlier one). */
void keyring_add_origin(struct keyring *ring, const struct pubkey *pubkey,
                        const struct key_origin *origin) NONNULL(1, 2, 3);
void keyring_add_script(struct keyring *ring, struct span script) NONNULL(1); /* Copied. */
/* Copied, with its leaves. */
void keyring_add_taproot(struct keyring *ring, const struct taproot *taproot) NONNULL(1, 2);

/* Each returns NULL when unknown; what they return lives until keyring_clear.
 * _by_xonly tries both keys that share the x. */
const struct seckey *keyring_secret(const struct keyring *ring, const struct key_id *id)
    NONNULL(1, 2);
const struct seckey *keyring_secret_by_xonly(const struct keyring *ring, const uint8_t *xonly)
    NONNULL(1, 2);
const struct pubkey *keyring_pubkey(const struct keyring *ring, const struct key_id *id)
    NONNULL(1, 2);
const struct key_origin *keyring_origin(const struct keyring *ring, const struct key_id *id)
    NONNULL(1, 2);
const struct key_origin *keyring_origin_by_xonly(const struct keyring *ring, const uint8_t *xonly)
    NONNULL(1, 2);
/* hash: HASH160 of the script; for a P2WSH program, its RIPEMD-160. */
bool keyring_script(const struct keyring *ring, struct span *ret_script, const uint8_t *hash)
    NONNULL(1, 2, 3);
const struct taproot *keyring_taproot(const struct keyring *ring, const uint8_t *output_key)
    NONNULL(1, 2);

#endif /* KEYS_KEYRING_H */
