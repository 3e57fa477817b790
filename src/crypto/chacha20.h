/* The ciphers of BIP 324 on libsodium's ChaCha20 and Poly1305 (RFC 8439): an
 * authenticated cipher for packets and a stream for their lengths, both of which
 * replace their key every FS_REKEY_INTERVAL uses, so that what was said before
 * cannot be read with a key found later ("FS": forward secure).
 *
 * One object a direction; it belongs to whoever holds it. Wipe with fs_*_clear.
 */
#ifndef CRYPTO_CHACHA20_H
#define CRYPTO_CHACHA20_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

#define CHACHA20_KEY_BYTES 32
#define CHACHA20_NONCE_BYTES 12
#define POLY1305_TAG_BYTES 16
#define FS_REKEY_INTERVAL 224

/* len bytes of the key stream (RFC 8439, block counter from 0): what a seed of 32
 * bytes expands to. */
void chacha20_stream(uint8_t *ret_data, size_t len, const uint8_t *key, const uint8_t *nonce)
    NONNULL(1, 3, 4);

/* BIP 324 FSChaCha20: one endless stream in pieces, the key replaced after every
 * FS_REKEY_INTERVAL pieces. */
struct fs_chacha20 {
    uint8_t key[CHACHA20_KEY_BYTES];
    uint32_t uses; /* Pieces since the key was made. */
    uint64_t rekeys;
    uint8_t block[64]; /* Of the stream; used from block_at on. */
    uint32_t block_at;
    uint32_t counter; /* Of the next block. */
};

void fs_chacha20_init(struct fs_chacha20 *fs, const uint8_t *key) NONNULL(1, 2);
/* One piece: data XOR stream, in place. At most a few KB are sensible. */
void fs_chacha20_crypt(struct fs_chacha20 *fs, uint8_t *data, size_t len) NONNULL(1, 2);
void fs_chacha20_clear(struct fs_chacha20 *fs) NONNULL(1);

/* BIP 324 FSChaCha20Poly1305. */
struct fs_aead {
    uint8_t key[CHACHA20_KEY_BYTES];
    uint32_t uses;
    uint64_t rekeys;
};

void fs_aead_init(struct fs_aead *fs, const uint8_t *key) NONNULL(1, 2);
/* Encrypt len bytes in place; the tag (POLY1305_TAG_BYTES) goes to ret_tag. */
void fs_aead_seal(struct fs_aead *fs, uint8_t *data, size_t len, struct span aad, uint8_t *ret_tag)
    NONNULL(1, 2, 5);
/* Decrypt len bytes in place. False if the tag does not fit: data is then
 * useless, and so is the connection. */
NODISCARD bool fs_aead_open(struct fs_aead *fs, uint8_t *data, size_t len, struct span aad,
                            const uint8_t *tag) NONNULL(1, 2, 5);
void fs_aead_clear(struct fs_aead *fs) NONNULL(1);

#endif /* CRYPTO_CHACHA20_H */
