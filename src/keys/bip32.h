/* Hierarchical keys (BIP 32). Pure; any thread. An xprv is a secret: keep it in
 * memory from secret_alloc and wipe it.
 */
#ifndef KEYS_BIP32_H
#define KEYS_BIP32_H

#include "base/bytes.h"
#include "consensus/params.h"
#include "keys/key.h"

#define BIP32_HARDENED 0x80000000U
#define BIP32_FINGERPRINT_BYTES 4
#define BIP32_SEED_BYTES_MIN 16
#define BIP32_SEED_BYTES_MAX 64
/* Without the network's prefix. */
#define BIP32_BYTES 74
/* Text of an xpub or xprv, terminator included. */
#define BIP32_TEXT_MAX 113

/* What a public and a secret extended key have in common. */
struct bip32_place {
    uint8_t depth;
    uint8_t parent[BIP32_FINGERPRINT_BYTES]; /* Fingerprint; zeros at depth 0. */
    uint32_t child;                          /* Number, hardened ones from 2^31. */
    uint8_t chain_code[32];
};

struct xpub {
    struct bip32_place place;
    struct pubkey pubkey; /* Compressed. */
};

struct xprv {
    struct bip32_place place;
    struct seckey key;
};

/* False if the seed's length is out of range or makes no key (one in 2^127). */
bool xprv_of_seed(struct xprv *ret_key, struct span seed) NONNULL(1);

struct xpub xpub_of_xprv(const struct xprv *key) NONNULL(1);

/* One step down. False for a hardened child of an xpub, at depth 255, or where
 * there is no such key (one in 2^127); ret_key may be key itself, and is then
 * undefined. ret_tweak: NULL, or takes the 32 bytes that were added. */
bool xpub_derive(struct xpub *ret_key, const struct xpub *key, uint32_t child, uint8_t *ret_tweak)
    NONNULL(1, 2);
bool xprv_derive(struct xprv *ret_key, const struct xprv *key, uint32_t child) NONNULL(1, 2);

/* First four bytes of the key's HASH160. */
void pubkey_fingerprint(uint8_t *ret_fingerprint, const struct pubkey *pubkey) NONNULL(1, 2);

/* Text with the network's prefix. False: not one, or one that BIP 32 calls
 * invalid. */
bool xpub_read(struct xpub *ret_key, struct span text, const struct params *params) NONNULL(1, 3);
bool xprv_read(struct xprv *ret_key, struct span text, const struct params *params) NONNULL(1, 3);
void xpub_write(struct buf *text, const struct xpub *key, const struct params *params)
    NONNULL(1, 2, 3);
void xprv_write(struct buf *text, const struct xprv *key, const struct params *params)
    NONNULL(1, 2, 3);

/* "/84h/0h/7" or, with apostrophe, "/84'/0'/7". */
void bip32_path_write(struct buf *text, const uint32_t *path, size_t path_n, bool apostrophe)
    NONNULL(1);

/* BIP 328: the extended key whose children a musig() aggregate has. */
struct xpub xpub_of_musig(const struct pubkey *aggregate) NONNULL(1);

#endif /* KEYS_BIP32_H */
