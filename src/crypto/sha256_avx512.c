/* Sixteen messages at once in AVX-512 vectors. */
#include "crypto/sha256_priv.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define LANES 16
#define TARGET __attribute__((target("avx512f,avx512bw")))

typedef __m512i vec;

#define add(x, y) _mm512_add_epi32(x, y)
#define rotate_right(x, n) _mm512_ror_epi32(x, n)
#define shift_right(x, n) _mm512_srli_epi32(x, n)
/* The last argument is the truth table. */
#define xor3(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0x96)
#define choose(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xca)
#define majority(x, y, z) _mm512_ternarylogic_epi32(x, y, z, 0xe8)
#define all(word) _mm512_set1_epi32((int)(word))
#define swap_bytes(x)    \
    _mm512_shuffle_epi8( \
        x, _mm512_broadcast_i32x4(_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203)))
#define at_most(x, y) ((unsigned)_mm512_cmple_epu32_mask(x, y))
#define load(at) _mm512_load_si512(at)
#define store(at, x) _mm512_store_si512(at, x)

/* Sixteen rows of sixteen words, turned: pairs of words, of pairs, then of the
 * vectors' quarters. */
TARGET static inline __attribute__((always_inline)) void load_blocks(vec *ret_words,
                                                                     const uint8_t *const *blocks)
{
    vec r[16];
    vec t[16];

    SHA256_UNROLL
    for (size_t i = 0; i < 16; i++)
        r[i] = swap_bytes(_mm512_loadu_si512(blocks[i]));
    SHA256_UNROLL
    for (size_t i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
    SHA256_UNROLL
    for (size_t i = 0; i < 16; i += 4) {
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
    /* Quarter q of r[4 * g + c] holds word 4 * q + c of the rows 4 * g on. */
    SHA256_UNROLL
    for (size_t c = 0; c < 4; c++) {
        vec even_low = _mm512_shuffle_i32x4(r[c], r[4 + c], 0x88);
        vec odd_low = _mm512_shuffle_i32x4(r[c], r[4 + c], 0xdd);
        vec even_high = _mm512_shuffle_i32x4(r[8 + c], r[12 + c], 0x88);
        vec odd_high = _mm512_shuffle_i32x4(r[8 + c], r[12 + c], 0xdd);

        ret_words[c] = _mm512_shuffle_i32x4(even_low, even_high, 0x88);
        ret_words[8 + c] = _mm512_shuffle_i32x4(even_low, even_high, 0xdd);
        ret_words[4 + c] = _mm512_shuffle_i32x4(odd_low, odd_high, 0x88);
        ret_words[12 + c] = _mm512_shuffle_i32x4(odd_low, odd_high, 0xdd);
    }
}

#include "crypto/sha256_lanes_priv.h"

static const struct sha256_lanes sixteen_lanes = {
    .name = "avx512",
    .lanes = LANES,
    .least = 6,
    .word_stride = LANES,
    .lane_stride = 1,
    .step = step,
    .double_64 = double_64,
    .scan = scan_lanes,
};

const struct sha256_lanes *sha256_lanes_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") ? &sixteen_lanes
                                                                                   : NULL;
}

#else

const struct sha256_lanes *sha256_lanes_avx512(void)
{
    return NULL;
}

#endif
