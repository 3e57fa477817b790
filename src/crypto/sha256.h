/* SHA-256 (FIPS 180-4), one stream or many lanes at once. The implementation is
 * chosen at run time by sha256_select(); before the first call, and on machines
 * without vector code, it is portable C. All give equal results.
 */
#ifndef CRYPTO_SHA256_H
#define CRYPTO_SHA256_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

#define SHA256_BYTES 32
#define SHA256_BLOCK_BYTES 64

struct sha256 {
    uint32_t state[8];
    uint8_t tail[SHA256_BLOCK_BYTES]; /* Bytes that do not fill a block yet. */
    uint64_t len;                     /* Bytes taken so far. */
};

void sha256_init(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *data, size_t len);
/* Writes 32 bytes; the context must be initialised again before further use. */
void sha256_finish(struct sha256 *hash, uint8_t *ret_digest);

/* One-shot, 32 bytes out. */
void sha256(uint8_t *ret_digest, const void *data, size_t len);
/* SHA-256 of the SHA-256. */
void sha256d(uint8_t *ret_digest, const void *data, size_t len);
/* Ends hash and hashes its digest again. */
void sha256d_finish(struct sha256 *hash, uint8_t *ret_digest);

/* count double hashes of 64-byte inputs lying one behind the other; ret_digests
 * gets 32 bytes each and may be the same memory as inputs (a merkle row). */
void sha256d_64_many(uint8_t *ret_digests, const uint8_t *inputs, size_t count);

/* A message in up to three pieces (an outline of a transaction without its
 * witness); unused pieces are empty. */
struct sha256_job {
    struct span piece[3];
    uint8_t *ret_digest; /* 32 bytes. */
};

/* Double hashes of many messages of any lengths, lanes filled as well as they
 * can be. */
void sha256d_many(const struct sha256_job *jobs, size_t count);

/* BIP 340: a context that has taken SHA256(tag) twice. */
void sha256_tagged_init(struct sha256 *hash, const char *tag);

/* Choose the fastest implementation this processor has, after checking each
 * candidate against portable C; allow_vector false keeps portable C. Call once
 * at start, before other threads hash.
 *
 * Returns: the name of what was chosen ("portable", "sha-ni", "avx2", ...). */
const char *sha256_select(bool allow_vector);
/* What was chosen last. */
const char *sha256_engine(void);

#endif /* CRYPTO_SHA256_H */
