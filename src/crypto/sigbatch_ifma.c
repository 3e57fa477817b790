/* The lanes on AVX-512 IFMA: eight 64-bit lanes, products of 52-bit limbs. */
#include "crypto/sigbatch_priv.h"

#if defined(__x86_64__)

#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(                                                      \
    __attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,avx512ifma,bmi2"))), \
    apply_to = function)
#else
/* Without -O3 gcc leaves the loops over limbs rolled and the limbs in memory: three
 * times the time. */
#pragma GCC push_options
#pragma GCC optimize("O3")
#pragma GCC target("avx512f,avx512dq,avx512vl,avx512bw,avx512ifma,bmi2")
#endif

typedef __m512i v8;
typedef __mmask8 m8;

#define LANES_FN static inline __attribute__((always_inline, unused))
#define LANES_SLOW static __attribute__((noinline))

LANES_FN v8 v8_set1(uint64_t value)
{
    return _mm512_set1_epi64((long long)value);
}

LANES_FN v8 v8_load(const uint64_t *eight)
{
    return _mm512_loadu_si512(eight);
}

LANES_FN v8 v8_add(v8 a, v8 b)
{
    return _mm512_add_epi64(a, b);
}

LANES_FN v8 v8_sub(v8 a, v8 b)
{
    return _mm512_sub_epi64(a, b);
}

LANES_FN v8 v8_and(v8 a, v8 b)
{
    return _mm512_and_si512(a, b);
}

LANES_FN v8 v8_or(v8 a, v8 b)
{
    return _mm512_or_si512(a, b);
}

LANES_FN v8 v8_xor(v8 a, v8 b)
{
    return _mm512_xor_si512(a, b);
}

LANES_FN v8 v8_not(v8 a)
{
    return _mm512_ternarylogic_epi64(a, a, a, 0x55);
}

LANES_FN v8 v8_shr_by(v8 a, unsigned bits)
{
    return _mm512_srl_epi64(a, _mm_cvtsi32_si128((int)bits));
}

#define v8_shr(a, bits) _mm512_srli_epi64(a, bits)
#define v8_sar(a, bits) _mm512_srai_epi64(a, bits)
#define v8_shl(a, bits) _mm512_slli_epi64(a, bits)

LANES_FN v8 v8_madlo(v8 sum, v8 a, v8 b)
{
    return _mm512_madd52lo_epu64(sum, a, b);
}

LANES_FN v8 v8_madhi(v8 sum, v8 a, v8 b)
{
    return _mm512_madd52hi_epu64(sum, a, b);
}

LANES_FN m8 v8_not_equal(v8 a, v8 b)
{
    return _mm512_cmpneq_epi64_mask(a, b);
}

LANES_FN v8 v8_blend(m8 which, v8 if_clear, v8 if_set)
{
    return _mm512_mask_mov_epi64(if_clear, which, if_set);
}

LANES_FN bool v8_all_below_2_52(v8 a)
{
    return _mm512_cmpge_epu64_mask(a, v8_set1(UINT64_C(1) << 52)) == 0;
}

/* Eight rows of eight words become eight columns: ret[k] holds word k of each row. */
LANES_FN void v8_load_rows(v8 *ret, const uint64_t *const *rows)
{
    v8 a[8];
    v8 b[8];

    for (size_t i = 0; i < 4; i++) {
        v8 even = _mm512_load_si512(rows[2 * i]);
        v8 odd = _mm512_load_si512(rows[2 * i + 1]);

        a[2 * i] = _mm512_unpacklo_epi64(even, odd);
        a[2 * i + 1] = _mm512_unpackhi_epi64(even, odd);
    }
    /* a[2i + j]: words j, j + 2, j + 4, j + 6 of rows 2i and 2i + 1, in quarters. */
    for (size_t j = 0; j < 2; j++) {
        b[j] = _mm512_shuffle_i64x2(a[j], a[2 + j], 0x88);
        b[2 + j] = _mm512_shuffle_i64x2(a[j], a[2 + j], 0xdd);
        b[4 + j] = _mm512_shuffle_i64x2(a[4 + j], a[6 + j], 0x88);
        b[6 + j] = _mm512_shuffle_i64x2(a[4 + j], a[6 + j], 0xdd);
    }
    for (size_t j = 0; j < 2; j++) {
        ret[j] = _mm512_shuffle_i64x2(b[j], b[4 + j], 0x88);
        ret[4 + j] = _mm512_shuffle_i64x2(b[j], b[4 + j], 0xdd);
        ret[2 + j] = _mm512_shuffle_i64x2(b[2 + j], b[6 + j], 0x88);
        ret[6 + j] = _mm512_shuffle_i64x2(b[2 + j], b[6 + j], 0xdd);
    }
}

#include "crypto/sigbatch_lanes_priv.h"

void lanes_run_ifma(struct lane *lanes, size_t lanes_n, const struct g_tables *tables)
{
    lanes_run(lanes, lanes_n, tables);
}

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#endif /* __x86_64__ */
