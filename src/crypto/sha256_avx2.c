/* Eight messages at once in AVX2 vectors. */
#include "crypto/sha256_priv.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define LANES 8
#define TARGET __attribute__((target("avx2")))

typedef __m256i vec;

#define add(x, y) _mm256_add_epi32(x, y)
#define shift_right(x, n) _mm256_srli_epi32(x, n)
#define rotate_right(x, n) _mm256_or_si256(_mm256_srli_epi32(x, n), _mm256_slli_epi32(x, 32 - (n)))
#define xor3(x, y, z) _mm256_xor_si256(x, _mm256_xor_si256(y, z))
#define choose(x, y, z) _mm256_xor_si256(z, _mm256_and_si256(x, _mm256_xor_si256(y, z)))
#define majority(x, y, z) \
    _mm256_or_si256(_mm256_and_si256(x, y), _mm256_and_si256(z, _mm256_or_si256(x, y)))
#define all(word) _mm256_set1_epi32((int)(word))
#define swap_bytes(x)    \
    _mm256_shuffle_epi8( \
        x, _mm256_broadcastsi128_si256(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203)))
#define at_most(x, y)              \
    ((unsigned)_mm256_movemask_ps( \
        _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_min_epu32(x, y), x))))
#define load(at) _mm256_load_si256((const vec *)(const void *)(at))
#define store(at, x) _mm256_store_si256((vec *)(void *)(at), x)

/* Eight rows of eight words, turned. */
TARGET static inline __attribute__((always_inline)) void turn(vec *r)
{
    vec t[8];

    SHA256_UNROLL
    for (size_t i = 0; i < 8; i += 2) {
        t[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
    }
    SHA256_UNROLL
    for (size_t i = 0; i < 8; i += 4) {
        r[i] = _mm256_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm256_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm256_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm256_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    SHA256_UNROLL
    for (size_t i = 0; i < 4; i++) {
        t[i] = _mm256_permute2x128_si256(r[i], r[4 + i], 0x20);
        t[4 + i] = _mm256_permute2x128_si256(r[i], r[4 + i], 0x31);
    }
    SHA256_UNROLL
    for (size_t i = 0; i < 8; i++)
        r[i] = t[i];
}

TARGET static inline __attribute__((always_inline)) void load_blocks(vec *ret_words,
                                                                     const uint8_t *const *blocks)
{
    const vec swap =
        _mm256_broadcastsi128_si256(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));

    SHA256_UNROLL
    for (size_t half = 0; half < 16; half += 8) {
        SHA256_UNROLL
        for (size_t i = 0; i < 8; i++) {
            const void *row = blocks[i] + 4 * half;

            ret_words[half + i] = _mm256_shuffle_epi8(_mm256_loadu_si256(row), swap);
        }
        turn(ret_words + half);
    }
}

#include "crypto/sha256_lanes_priv.h"

static const struct sha256_lanes eight_lanes = {
    .name = "avx2",
    .lanes = LANES,
    .least = 3,
    .word_stride = LANES,
    .lane_stride = 1,
    .step = step,
    .double_64 = double_64,
    .scan = scan_lanes,
};

const struct sha256_lanes *sha256_lanes_avx2(void)
{
    return __builtin_cpu_supports("avx2") ? &eight_lanes : NULL;
}

#else

const struct sha256_lanes *sha256_lanes_avx2(void)
{
    return NULL;
}

#endif
