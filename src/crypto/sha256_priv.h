/* The implementations behind crypto/sha256.h: private to the room and its tests.
 *
 * Two kinds of engines: one stream after another (sha256_blocks_fn), and lanes:
 * several independent messages, one block of each at a time (struct
 * sha256_lanes).
 */
#ifndef CRYPTO_SHA256_PRIV_H
#define CRYPTO_SHA256_PRIV_H

#include "crypto/sha256.h"
#include "crypto/sha256_scan.h"

#define SHA256_LANES_MAX 16

/* In front of a loop over vectors: unrolled, they stay in registers. */
#ifdef __clang__
#define SHA256_UNROLL _Pragma("clang loop unroll(full)")
#else
#define SHA256_UNROLL _Pragma("GCC unroll 16")
#endif

extern const uint32_t sha256_initial[8];
extern const uint32_t sha256_constants[64];
/* The schedule of the block that pads a 64-byte message, constants added: the
 * same for every such message. */
extern const uint32_t sha256_padding_64[64];
/* Words 8 to 15 of the block of a 32-byte message, constants added. */
extern const uint32_t sha256_scan_fixed[8];
#define SHA256_SCAN_BITS 640U /* The length of a header. */

/* count blocks, one behind the other, into state. */
typedef void sha256_blocks_fn(uint32_t *state, const uint8_t *blocks, size_t count);

struct sha256_lanes {
    const char *name;
    unsigned lanes;       /* At most SHA256_LANES_MAX. */
    unsigned least;       /* With fewer messages, something narrower is faster. */
    unsigned word_stride; /* Word w of lane l is state[w * word_stride + l * lane_stride]. */
    unsigned lane_stride;
    /* One block into each lane. state has 8 * lanes words, aligned to 64 bytes. */
    void (*step)(uint32_t *state, const uint8_t *const *blocks);
    /* `lanes` double hashes of 64-byte inputs one behind the other; everything is
     * read before the first byte is written. */
    void (*double_64)(uint8_t *ret_digests, const uint8_t *inputs);
    /* Tries `lanes` nonces from this one on: the lowest lane that is good, or `lanes`. NULL:
     * step is as good. */
    unsigned (*scan)(const struct sha256_scan *scan, uint32_t nonce, uint32_t bound);
};

void sha256_blocks_portable(uint32_t *state, const uint8_t *blocks, size_t count);

/* The engines this processor can run; NULL where it cannot or none was built. */
sha256_blocks_fn *sha256_blocks_shani(void);
const struct sha256_lanes *sha256_lanes_shani(void);
const struct sha256_lanes *sha256_lanes_avx2(void);
const struct sha256_lanes *sha256_lanes_avx512(void);

/* Does the engine agree with portable C on a fixed set of messages? */
bool sha256_blocks_agree(sha256_blocks_fn *blocks);
bool sha256_lanes_agree(const struct sha256_lanes *lanes);
bool sha256_scan_agrees(const struct sha256_lanes *lanes);

/* Use these engines from now on; wide and narrow may be NULL. For tests and
 * benchmarks; sha256_select is what a program calls. */
void sha256_use(sha256_blocks_fn *blocks, const struct sha256_lanes *wide,
                const struct sha256_lanes *narrow);
/* The widest in use; NULL: none. */
const struct sha256_lanes *sha256_lanes_in_use(void);

#endif /* CRYPTO_SHA256_PRIV_H */
