/* SipHash-2-4, 64 bits (Aumasson, Bernstein 2012): hashing keys that strangers
 * choose, under a secret salt. Any thread. */
#ifndef CRYPTO_SIPHASH_H
#define CRYPTO_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct siphash_key {
    uint64_t k0;
    uint64_t k1;
};

struct siphash {
    uint64_t v[4];
    uint8_t tail[8]; /* Bytes that do not fill a word yet. */
    uint64_t len;    /* Bytes taken so far. */
};

void siphash_init(struct siphash *hash, const struct siphash_key *key);
void siphash_add(struct siphash *hash, const void *data, size_t len);
/* As siphash_add of the word's 8 bytes, little-endian. */
void siphash_add_u64(struct siphash *hash, uint64_t word);
/* The context must be initialised again before further use. */
uint64_t siphash_finish(struct siphash *hash);

/* One-shot. */
uint64_t siphash_of(const struct siphash_key *key, const void *data, size_t len);

#define SIPHASH_ROUND(v0, v1, v2, v3)   \
    do {                                \
        (v0) += (v1);                   \
        (v2) += (v3);                   \
        (v1) = (v1) << 13 | (v1) >> 51; \
        (v3) = (v3) << 16 | (v3) >> 48; \
        (v1) ^= (v0);                   \
        (v3) ^= (v2);                   \
        (v0) = (v0) << 32 | (v0) >> 32; \
        (v2) += (v1);                   \
        (v0) += (v3);                   \
        (v1) = (v1) << 17 | (v1) >> 47; \
        (v3) = (v3) << 21 | (v3) >> 43; \
        (v1) ^= (v2);                   \
        (v3) ^= (v0);                   \
        (v2) = (v2) << 32 | (v2) >> 32; \
    } while (0)

/* siphash_of over four words and a last one, which carries the length in its
 * top byte: the body of the two below. */
static inline uint64_t siphash_five_words(const struct siphash_key *key, const uint8_t *data32,
                                          uint64_t last)
{
    uint64_t v0 = key->k0 ^ 0x736f6d6570736575;
    uint64_t v1 = key->k1 ^ 0x646f72616e646f6d;
    uint64_t v2 = key->k0 ^ 0x6c7967656e657261;
    uint64_t v3 = key->k1 ^ 0x7465646279746573;

    for (size_t i = 0; i < 5; i++) {
        uint64_t word = i < 4 ? get_le64(data32 + 8 * i) : last;

        v3 ^= word;
        SIPHASH_ROUND(v0, v1, v2, v3);
        SIPHASH_ROUND(v0, v1, v2, v3);
        v0 ^= word;
    }
    v2 ^= 0xff;
    SIPHASH_ROUND(v0, v1, v2, v3);
    SIPHASH_ROUND(v0, v1, v2, v3);
    SIPHASH_ROUND(v0, v1, v2, v3);
    SIPHASH_ROUND(v0, v1, v2, v3);
    return v0 ^ v1 ^ v2 ^ v3;
}

/* siphash_of(key, id, 32): txids, wtxids, block hashes. */
static inline uint64_t siphash_id(const struct siphash_key *key, const uint8_t *id)
{
    return siphash_five_words(key, id, (uint64_t)32 << 56);
}

/* siphash_of over the 36 bytes of an outpoint: 32 of the txid, then vout,
 * little-endian. */
static inline uint64_t siphash_outpoint(const struct siphash_key *key, const uint8_t *txid,
                                        uint32_t vout)
{
    return siphash_five_words(key, txid, (uint64_t)36 << 56 | vout);
}

#endif /* CRYPTO_SIPHASH_H */
