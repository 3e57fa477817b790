/* The processor's SHA instructions, one stream and four streams interleaved: an
 * instruction waits for the one before it in its stream, so that one stream
 * leaves the unit idle most of the time. */
#include "crypto/sha256_priv.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

#include "base/check.h"

#define TARGET __attribute__((target("sha,sse4.1,ssse3")))
#define INLINE TARGET static inline __attribute__((always_inline))

/* The state as the instructions want it. */
struct pair {
    __m128i abef;
    __m128i cdgh;
};

INLINE struct pair load_state(const uint32_t *state)
{
    __m128i dcba = _mm_loadu_si128((const __m128i *)(const void *)state);
    __m128i hgfe = _mm_loadu_si128((const __m128i *)(const void *)(state + 4));
    __m128i cdab = _mm_shuffle_epi32(dcba, 0xb1);
    __m128i efgh = _mm_shuffle_epi32(hgfe, 0x1b);

    return (struct pair){.abef = _mm_alignr_epi8(cdab, efgh, 8),
                         .cdgh = _mm_blend_epi16(efgh, cdab, 0xf0)};
}

/* Two vectors of words in their natural order: a to d, e to h. */
INLINE void natural_order(__m128i *ret_low, __m128i *ret_high, struct pair s)
{
    __m128i feba = _mm_shuffle_epi32(s.abef, 0x1b);
    __m128i dchg = _mm_shuffle_epi32(s.cdgh, 0xb1);

    *ret_low = _mm_blend_epi16(feba, dchg, 0xf0);
    *ret_high = _mm_alignr_epi8(dchg, feba, 8);
}

INLINE void store_state(uint32_t *state, struct pair s)
{
    __m128i low;
    __m128i high;

    natural_order(&low, &high, s);
    _mm_storeu_si128((__m128i *)(void *)state, low);
    _mm_storeu_si128((__m128i *)(void *)(state + 4), high);
}

INLINE __m128i swap_bytes(__m128i words)
{
    return _mm_shuffle_epi8(words, _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203));
}

INLINE __m128i load_message(const uint8_t *at)
{
    return swap_bytes(_mm_loadu_si128((const __m128i *)(const void *)at));
}

INLINE __m128i load_words(const uint32_t *words)
{
    return _mm_load_si128((const __m128i *)(const void *)words);
}

INLINE void four_rounds(struct pair *s, __m128i words)
{
    s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, words);
    s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, _mm_shuffle_epi32(words, 0x0e));
}

/* Words 16 on: w becomes the four words that follow the sixteen in w, x, y, z. */
INLINE __m128i next_words(__m128i w, __m128i x, __m128i y, __m128i z)
{
    return _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(w, x), _mm_alignr_epi8(z, y, 4)),
                                z);
}

/* All 64 rounds of n streams; m holds four vectors of the message for each. */
INLINE void rounds(struct pair *s, __m128i (*m)[4], size_t n)
{
    SHA256_UNROLL
    for (size_t i = 0; i < 16; i++) {
        __m128i constants = load_words(sha256_constants + 4 * i);

        SHA256_UNROLL
        for (size_t k = 0; k < n; k++) {
            four_rounds(&s[k], _mm_add_epi32(m[k][i % 4], constants));
            if (i < 12)
                m[k][i % 4] = next_words(m[k][i % 4], m[k][(i + 1) % 4], m[k][(i + 2) % 4],
                                         m[k][(i + 3) % 4]);
        }
    }
}

INLINE void add_state(struct pair *s, struct pair before)
{
    s->abef = _mm_add_epi32(s->abef, before.abef);
    s->cdgh = _mm_add_epi32(s->cdgh, before.cdgh);
}

TARGET static void blocks_one(uint32_t *state, const uint8_t *blocks, size_t count)
{
    struct pair s = load_state(state);

    for (; count > 0; count--, blocks += SHA256_BLOCK_BYTES) {
        struct pair before = s;
        __m128i m[1][4];

        SHA256_UNROLL
        for (size_t i = 0; i < 4; i++)
            m[0][i] = load_message(blocks + 16 * i);
        rounds(&s, m, 1);
        add_state(&s, before);
    }
    store_state(state, s);
}

#define STREAMS 4

TARGET static void step_four(uint32_t *state, const uint8_t *const *blocks)
{
    struct pair s[STREAMS];
    __m128i m[STREAMS][4];

    SHA256_UNROLL
    for (size_t k = 0; k < STREAMS; k++) {
        s[k] = load_state(state + 8 * k);
        SHA256_UNROLL
        for (size_t i = 0; i < 4; i++)
            m[k][i] = load_message(blocks[k] + 16 * i);
    }
    rounds(s, m, STREAMS);
    SHA256_UNROLL
    for (size_t k = 0; k < STREAMS; k++) {
        add_state(&s[k], load_state(state + 8 * k));
        store_state(state + 8 * k, s[k]);
    }
}

TARGET static void double_64_four(uint8_t *ret_digests, const uint8_t *inputs)
{
    const struct pair initial = load_state(sha256_initial);
    struct pair s[STREAMS];
    struct pair middle[STREAMS];
    __m128i m[STREAMS][4];

    SHA256_UNROLL
    for (size_t k = 0; k < STREAMS; k++) {
        s[k] = initial;
        SHA256_UNROLL
        for (size_t i = 0; i < 4; i++)
            m[k][i] = load_message(inputs + 64 * k + 16 * i);
    }
    rounds(s, m, STREAMS);
    SHA256_UNROLL
    for (size_t k = 0; k < STREAMS; k++) {
        add_state(&s[k], initial);
        middle[k] = s[k];
    }
    /* The padding's schedule is known. */
    SHA256_UNROLL
    for (size_t i = 0; i < 16; i++) {
        __m128i words = load_words(sha256_padding_64 + 4 * i);

        SHA256_UNROLL
        for (size_t k = 0; k < STREAMS; k++)
            four_rounds(&s[k], words);
    }
    SHA256_UNROLL
    for (size_t k = 0; k < STREAMS; k++) {
        add_state(&s[k], middle[k]);
        natural_order(&m[k][0], &m[k][1], s[k]);
        m[k][2] = _mm_set_epi32(0, 0, 0, (int)0x80000000U);
        m[k][3] = _mm_set_epi32(8 * SHA256_BYTES, 0, 0, 0);
        s[k] = initial;
    }
    rounds(s, m, STREAMS);
    SHA256_UNROLL
    for (size_t k = 0; k < STREAMS; k++) {
        __m128i low;
        __m128i high;

        add_state(&s[k], initial);
        natural_order(&low, &high, s[k]);
        _mm_storeu_si128((__m128i *)(void *)(ret_digests + 32 * k), swap_bytes(low));
        _mm_storeu_si128((__m128i *)(void *)(ret_digests + 32 * k + 16), swap_bytes(high));
    }
}

static const struct sha256_lanes four_lanes = {
    .name = "sha-ni",
    .lanes = STREAMS,
    .least = 2,
    .word_stride = 1,
    .lane_stride = 8,
    .step = step_four,
    .double_64 = double_64_four,
};

static bool is_there(void)
{
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;

    if (!__builtin_cpu_supports("ssse3") || !__builtin_cpu_supports("sse4.1"))
        return false;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (ebx >> 29 & 1) != 0;
}

sha256_blocks_fn *sha256_blocks_shani(void)
{
    return is_there() ? blocks_one : NULL;
}

const struct sha256_lanes *sha256_lanes_shani(void)
{
    return is_there() ? &four_lanes : NULL;
}

#else

sha256_blocks_fn *sha256_blocks_shani(void)
{
    return NULL;
}

const struct sha256_lanes *sha256_lanes_shani(void)
{
    return NULL;
}

#endif
