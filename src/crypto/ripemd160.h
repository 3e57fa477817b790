/* RIPEMD-160 (Dobbertin, Bosselaers, Preneel 1996). Any thread. */
#ifndef CRYPTO_RIPEMD160_H
#define CRYPTO_RIPEMD160_H

#include <stddef.h>
#include <stdint.h>

#define RIPEMD160_BYTES 20
#define RIPEMD160_BLOCK_BYTES 64

struct ripemd160 {
    uint32_t state[5];
    uint8_t tail[RIPEMD160_BLOCK_BYTES]; /* Bytes that do not fill a block yet. */
    uint64_t len;                        /* Bytes taken so far. */
};

void ripemd160_init(struct ripemd160 *hash);
void ripemd160_add(struct ripemd160 *hash, const void *data, size_t len);
/* Writes 20 bytes; the context must be initialised again before further use. */
void ripemd160_finish(struct ripemd160 *hash, uint8_t *ret_digest);

/* One-shot, 20 bytes out. */
void ripemd160(uint8_t *ret_digest, const void *data, size_t len);

#endif /* CRYPTO_RIPEMD160_H */
