/* The lane operations in plain C: private to the crypto room. Included, before the
 * arithmetic over them, by sigbatch_plain.c and by the tests of that arithmetic.
 */
#ifndef CRYPTO_SIGBATCH_PLAIN_PRIV_H
#define CRYPTO_SIGBATCH_PLAIN_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/sigbatch_priv.h"

typedef struct {
    uint64_t lane[LANES];
} v8;
typedef uint8_t m8;

#define LANES_FN static inline __attribute__((unused))
#define LANES_SLOW static __attribute__((unused))

__extension__ typedef unsigned __int128 u128;

#define MASK_52 ((UINT64_C(1) << 52) - 1)

/* Each operation is one expression over x and y, the lanes of a and b. */
#define LANE_OP(name, expression)            \
    LANES_FN v8 name(v8 a, v8 b)             \
    {                                        \
        v8 result;                           \
                                             \
        for (size_t i = 0; i < LANES; i++) { \
            uint64_t x = a.lane[i];          \
            uint64_t y = b.lane[i];          \
                                             \
            result.lane[i] = (expression);   \
        }                                    \
        return result;                       \
    }

LANE_OP(v8_add, x + y)
LANE_OP(v8_sub, x - y)
LANE_OP(v8_and, x &y)
LANE_OP(v8_or, x | y)
LANE_OP(v8_xor, x ^ y)
LANE_OP(lanes_shr, x >> y)
LANE_OP(lanes_sar, (uint64_t)((int64_t)x >> y))
LANE_OP(lanes_shl, x << y)
LANE_OP(product_low, (x & MASK_52) * (y & MASK_52) & MASK_52)
LANE_OP(product_high, (uint64_t)((u128)(x &MASK_52) * (y & MASK_52) >> 52))

LANES_FN v8 v8_set1(uint64_t value)
{
    v8 result;

    for (size_t i = 0; i < LANES; i++)
        result.lane[i] = value;
    return result;
}

LANES_FN v8 v8_load(const uint64_t *eight)
{
    v8 result;

    for (size_t i = 0; i < LANES; i++)
        result.lane[i] = eight[i];
    return result;
}

LANES_FN v8 v8_not(v8 a)
{
    return v8_xor(a, v8_set1(UINT64_MAX));
}

#define v8_shr(a, bits) lanes_shr(a, v8_set1(bits))
#define v8_sar(a, bits) lanes_sar(a, v8_set1(bits))
#define v8_shl(a, bits) lanes_shl(a, v8_set1(bits))
#define v8_shr_by(a, bits) lanes_shr(a, v8_set1(bits))

LANES_FN v8 v8_madlo(v8 sum, v8 a, v8 b)
{
    return v8_add(sum, product_low(a, b));
}

LANES_FN v8 v8_madhi(v8 sum, v8 a, v8 b)
{
    return v8_add(sum, product_high(a, b));
}

LANES_FN m8 v8_not_equal(v8 a, v8 b)
{
    unsigned mask = 0;

    for (size_t i = 0; i < LANES; i++)
        mask |= (unsigned)(a.lane[i] != b.lane[i]) << i;
    return (m8)mask;
}

LANES_FN v8 v8_blend(m8 which, v8 if_clear, v8 if_set)
{
    for (size_t i = 0; i < LANES; i++) {
        if (which >> i & 1)
            if_clear.lane[i] = if_set.lane[i];
    }
    return if_clear;
}

LANES_FN bool v8_all_below_2_52(v8 a)
{
    for (size_t i = 0; i < LANES; i++) {
        if (a.lane[i] >> 52 != 0)
            return false;
    }
    return true;
}

LANES_FN void v8_load_rows(v8 *ret, const uint64_t *const *rows)
{
    for (size_t k = 0; k < 8; k++) {
        for (size_t i = 0; i < LANES; i++)
            ret[k].lane[i] = rows[i][k];
    }
}

#endif /* CRYPTO_SIGBATCH_PLAIN_PRIV_H */
