/* HMAC (RFC 2104) over SHA-256 and SHA-512. Any thread. */
#ifndef CRYPTO_HMAC_H
#define CRYPTO_HMAC_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/sha256.h"
#include "crypto/sha512.h"

struct hmac_sha256 {
    struct sha256 inner;
    struct sha256 outer;
};

/* key of any length; it is not kept. */
void hmac_sha256_init(struct hmac_sha256 *mac, const void *key, size_t key_len);
void hmac_sha256_add(struct hmac_sha256 *mac, const void *data, size_t len);
/* Writes 32 bytes and wipes mac. */
void hmac_sha256_finish(struct hmac_sha256 *mac, uint8_t *ret_digest);
/* One-shot, 32 bytes out. */
void hmac_sha256(uint8_t *ret_digest, const void *key, size_t key_len, const void *data,
                 size_t len);

struct hmac_sha512 {
    struct sha512 inner;
    struct sha512 outer;
};

/* As above, 64 bytes out. */
void hmac_sha512_init(struct hmac_sha512 *mac, const void *key, size_t key_len);
void hmac_sha512_add(struct hmac_sha512 *mac, const void *data, size_t len);
void hmac_sha512_finish(struct hmac_sha512 *mac, uint8_t *ret_digest);
void hmac_sha512(uint8_t *ret_digest, const void *key, size_t key_len, const void *data,
                 size_t len);

#endif /* CRYPTO_HMAC_H */
