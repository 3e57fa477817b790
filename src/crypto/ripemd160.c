#include "crypto/ripemd160.h"

#include <string.h>

#include "base/bytes.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* One line of the computation; the function has two that run side by side. */
struct line {
    uint32_t a, b, c, d, e;
};

ALWAYS_INLINE uint32_t rotate(uint32_t v, unsigned n)
{
    return v << n | v >> (32 - n);
}

ALWAYS_INLINE uint32_t mix_xor(uint32_t x, uint32_t y, uint32_t z)
{
    return x ^ y ^ z;
}

ALWAYS_INLINE uint32_t mix_select(uint32_t x, uint32_t y, uint32_t z)
{
    return z ^ (x & (y ^ z));
}

ALWAYS_INLINE uint32_t mix_or(uint32_t x, uint32_t y, uint32_t z)
{
    return (x | ~y) ^ z;
}

ALWAYS_INLINE uint32_t mix_select_last(uint32_t x, uint32_t y, uint32_t z)
{
    return y ^ (z & (x ^ y));
}

ALWAYS_INLINE uint32_t mix_or_last(uint32_t x, uint32_t y, uint32_t z)
{
    return x ^ (y | ~z);
}

/* With every argument but the words a constant, the shifting of names costs
 * nothing: the compiler renames registers. */
ALWAYS_INLINE void step(struct line *l, uint32_t mixed, uint32_t word, uint32_t constant,
                        unsigned turn)
{
    uint32_t t = rotate(l->a + mixed + word + constant, turn) + l->e;

    l->a = l->e;
    l->e = l->d;
    l->d = rotate(l->c, 10);
    l->c = l->b;
    l->b = t;
}

/* Message word and rotation of each step, in the order of the paper's tables. */
static const uint8_t left_word[80] = {0, 1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15,
                                      7, 4,  13, 1,  10, 6,  15, 3,  12, 0, 9,  5,  2,  14, 11, 8,
                                      3, 10, 14, 4,  9,  15, 8,  1,  2,  7, 0,  6,  13, 11, 5,  12,
                                      1, 9,  11, 10, 0,  8,  12, 4,  13, 3, 7,  15, 14, 5,  6,  2,
                                      4, 0,  5,  9,  7,  12, 2,  10, 14, 1, 3,  8,  11, 6,  15, 13};
static const uint8_t right_word[80] = {
    5,  14, 7,  0,  9,  2,  11, 4,  13, 6, 15, 8, 1,  10, 3,  12, 6, 11, 3, 7,
    0,  13, 5,  10, 14, 15, 8,  12, 4,  9, 1,  2, 15, 5,  1,  3,  7, 14, 6, 9,
    11, 8,  12, 2,  10, 0,  4,  13, 8,  6, 4,  1, 3,  11, 15, 0,  5, 12, 2, 13,
    9,  7,  10, 14, 12, 15, 10, 4,  1,  5, 8,  7, 6,  2,  13, 14, 0, 3,  9, 11};
static const uint8_t left_turn[80] = {
    11, 14, 15, 12, 5, 8,  7,  9,  11, 13, 14, 15, 6,  7,  9,  8,  7,  6,  8,  13,
    11, 9,  7,  15, 7, 12, 15, 9,  11, 7,  13, 12, 11, 13, 6,  7,  14, 9,  13, 15,
    14, 8,  13, 6,  5, 12, 7,  5,  11, 12, 14, 15, 14, 15, 9,  8,  9,  14, 5,  6,
    8,  6,  5,  12, 9, 15, 5,  11, 6,  8,  13, 12, 5,  12, 13, 14, 11, 8,  5,  6};
static const uint8_t right_turn[80] = {
    8,  9,  9,  11, 13, 15, 15, 5, 7,  7,  8,  11, 14, 14, 12, 6,  9,  13, 15, 7,
    12, 8,  9,  11, 7,  7,  12, 7, 6,  15, 13, 11, 9,  7,  15, 11, 8,  6,  6,  14,
    12, 13, 5,  14, 13, 13, 7,  5, 15, 5,  8,  11, 14, 14, 6,  14, 6,  9,  12, 9,
    12, 5,  15, 8,  8,  5,  12, 9, 12, 5,  14, 6,  8,  13, 6,  5,  15, 13, 11, 11};

#define LEFT(mix, constant, i) \
    step(&l, mix(l.b, l.c, l.d), w[left_word[i]], constant, left_turn[i]);
#define RIGHT(mix, constant, i) \
    step(&r, mix(r.b, r.c, r.d), w[right_word[i]], constant, right_turn[i]);
#define BOTH(mix_l, k_l, mix_r, k_r, i) LEFT(mix_l, k_l, i) RIGHT(mix_r, k_r, i)
#define FOUR(mix_l, k_l, mix_r, k_r, i)   \
    BOTH(mix_l, k_l, mix_r, k_r, i)       \
    BOTH(mix_l, k_l, mix_r, k_r, (i) + 1) \
    BOTH(mix_l, k_l, mix_r, k_r, (i) + 2) \
    BOTH(mix_l, k_l, mix_r, k_r, (i) + 3)
#define SIXTEEN(mix_l, k_l, mix_r, k_r, i) \
    FOUR(mix_l, k_l, mix_r, k_r, i)        \
    FOUR(mix_l, k_l, mix_r, k_r, (i) + 4)  \
    FOUR(mix_l, k_l, mix_r, k_r, (i) + 8)  \
    FOUR(mix_l, k_l, mix_r, k_r, (i) + 12)

static void compress(uint32_t *state, const uint8_t *block)
{
    struct line l = {state[0], state[1], state[2], state[3], state[4]};
    struct line r = l;
    uint32_t w[16];
    uint32_t t;

    for (size_t i = 0; i < 16; i++)
        w[i] = get_le32(block + 4 * i);
    SIXTEEN(mix_xor, 0, mix_or_last, 0x50a28be6, 0)
    SIXTEEN(mix_select, 0x5a827999, mix_select_last, 0x5c4dd124, 16)
    SIXTEEN(mix_or, 0x6ed9eba1, mix_or, 0x6d703ef3, 32)
    SIXTEEN(mix_select_last, 0x8f1bbcdc, mix_select, 0x7a6d76e9, 48)
    SIXTEEN(mix_or_last, 0xa953fd4e, mix_xor, 0, 64)
    t = state[1] + l.c + r.d;
    state[1] = state[2] + l.d + r.e;
    state[2] = state[3] + l.e + r.a;
    state[3] = state[4] + l.a + r.b;
    state[4] = state[0] + l.b + r.c;
    state[0] = t;
}

void ripemd160_init(struct ripemd160 *hash)
{
    static const uint32_t initial[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};

    memcpy(hash->state, initial, sizeof(initial));
    hash->len = 0;
}

void ripemd160_add(struct ripemd160 *hash, const void *data, size_t len)
{
    const uint8_t *at = data;

    while (len > 0) {
        size_t held = hash->len % RIPEMD160_BLOCK_BYTES;
        size_t take = RIPEMD160_BLOCK_BYTES - held;

        if (take > len)
            take = len;
        memcpy(hash->tail + held, at, take);
        hash->len += take;
        at += take;
        len -= take;
        if (held + take == RIPEMD160_BLOCK_BYTES)
            compress(hash->state, hash->tail);
    }
}

void ripemd160_finish(struct ripemd160 *hash, uint8_t *ret_digest)
{
    uint8_t padding[2 * RIPEMD160_BLOCK_BYTES] = {0x80};
    size_t held = hash->len % RIPEMD160_BLOCK_BYTES;
    size_t pad = (held < 56 ? 56 : 120) - held;

    put_le64(padding + pad, hash->len * 8);
    ripemd160_add(hash, padding, pad + 8);
    for (size_t i = 0; i < 5; i++)
        put_le32(ret_digest + 4 * i, hash->state[i]);
}

void ripemd160(uint8_t *ret_digest, const void *data, size_t len)
{
    struct ripemd160 hash;

    ripemd160_init(&hash);
    ripemd160_add(&hash, data, len);
    ripemd160_finish(&hash, ret_digest);
}
