/* SHA-512 (FIPS 180-4): key derivation (BIP 32, BIP 39). Any thread. */
#ifndef CRYPTO_SHA512_H
#define CRYPTO_SHA512_H

#include <stddef.h>
#include <stdint.h>

#define SHA512_BYTES 64
#define SHA512_BLOCK_BYTES 128

struct sha512 {
    uint64_t state[8];
    uint8_t tail[SHA512_BLOCK_BYTES]; /* Bytes that do not fill a block yet. */
    uint64_t len;                     /* Bytes taken so far. */
};

void sha512_init(struct sha512 *hash);
void sha512_add(struct sha512 *hash, const void *data, size_t len);
/* Writes 64 bytes; the context must be initialised again before further use. */
void sha512_finish(struct sha512 *hash, uint8_t *ret_digest);

/* One-shot, 64 bytes out. */
void sha512(uint8_t *ret_digest, const void *data, size_t len);

#endif /* CRYPTO_SHA512_H */
