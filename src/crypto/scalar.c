#include "crypto/scalar_priv.h"

#include <string.h>

#include "base/bytes.h"
#include "base/check.h"

__extension__ typedef unsigned __int128 u128;

/* n, and 2^256 - n: what 2^256 is worth modulo n. */
static const uint64_t order[4] = {0xbfd25e8cd0364141, 0xbaaedce6af48a03b, 0xfffffffffffffffe,
                                  0xffffffffffffffff};
static const uint64_t order_complement[3] = {0x402da1732fc9bebf, 0x4551231950b75fc4, 1};
static const uint64_t order_half[4] = {0xdfe92f46681b20a0, 0x5d576e7357a4501d, 0xffffffffffffffff,
                                       0x7fffffffffffffff};

static bool less(const uint64_t *a, const uint64_t *b)
{
    for (int i = 3; i >= 0; i--) {
        if (a[i] != b[i])
            return a[i] < b[i];
    }
    return false;
}

/* a += b where b has b_n limbs; the carry out is returned. */
static uint64_t add_limbs(uint64_t *a, size_t a_n, const uint64_t *b, size_t b_n)
{
    u128 carry = 0;

    for (size_t i = 0; i < a_n; i++) {
        carry += (u128)a[i] + (i < b_n ? b[i] : 0);
        a[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return (uint64_t)carry;
}

static void subtract_order(uint64_t *a)
{
    (void)add_limbs(a, 4, order_complement, 3);
}

/* ret (eight limbs) = a * b */
static void mul_limbs(uint64_t *ret, const uint64_t *a, const uint64_t *b)
{
    u128 carry = 0;

    for (size_t k = 0; k < 4; k++) {
        carry += (u128)a[0] * b[k];
        ret[k] = (uint64_t)carry;
        carry >>= 64;
    }
    ret[4] = (uint64_t)carry;
    for (size_t i = 1; i < 4; i++) {
        carry = 0;
        for (size_t k = 0; k < 4; k++) {
            carry += (u128)a[i] * b[k] + ret[i + k];
            ret[i + k] = (uint64_t)carry;
            carry >>= 64;
        }
        ret[i + 4] = (uint64_t)carry;
    }
}

/* ret (six limbs) = low (four) + high (four) * order_complement, whose top limb is 1. */
static void fold(uint64_t *ret, const uint64_t *low, const uint64_t *high)
{
    u128 carry = 0;

    for (size_t k = 0; k < 4; k++) {
        carry += (u128)high[k] * order_complement[0] + low[k];
        ret[k] = (uint64_t)carry;
        carry >>= 64;
    }
    ret[4] = (uint64_t)carry;
    carry = 0;
    for (size_t k = 0; k < 4; k++) {
        carry += (u128)high[k] * order_complement[1] + ret[k + 1];
        ret[k + 1] = (uint64_t)carry;
        carry >>= 64;
    }
    ret[5] = (uint64_t)carry;
    carry = 0;
    for (size_t k = 0; k < 4; k++) {
        carry += (u128)high[k] + ret[k + 2];
        ret[k + 2] = (uint64_t)carry;
        carry >>= 64;
    }
    ret[6] = (uint64_t)carry;
}

/* Fold what is above 2^256 down by order_complement until nothing is. Each round
 * shortens the number: 512 bits, 386, 260, and then at most a bit over 256. */
static void reduce(struct scalar *ret_scalar, const uint64_t *wide)
{
    uint64_t sum[7];
    uint64_t high[4];
    u128 carry;

    fold(sum, wide, wide + 4);
    memcpy(high, sum + 4, 3 * sizeof(*high));
    high[3] = 0;
    fold(sum, sum, high);
    /* Four bits are left. */
    carry = (u128)sum[4] * order_complement[0] + sum[0];
    sum[0] = (uint64_t)carry;
    carry = (carry >> 64) + (u128)sum[4] * order_complement[1] + sum[1];
    sum[1] = (uint64_t)carry;
    carry = (carry >> 64) + sum[4] + sum[2];
    sum[2] = (uint64_t)carry;
    carry = (carry >> 64) + sum[3];
    sum[3] = (uint64_t)carry;
    if (carry >> 64 != 0 || !less(sum, order))
        subtract_order(sum);
    memcpy(ret_scalar->d, sum, sizeof(ret_scalar->d));
}

bool scalar_read(struct scalar *ret_scalar, const uint8_t *bytes)
{
    for (size_t i = 0; i < 4; i++)
        ret_scalar->d[3 - i] = get_be64(bytes + 8 * i);
    if (less(ret_scalar->d, order))
        return true;
    subtract_order(ret_scalar->d);
    return false;
}

bool scalar_is_zero(const struct scalar *a)
{
    return (a->d[0] | a->d[1] | a->d[2] | a->d[3]) == 0;
}

bool scalar_is_high(const struct scalar *a)
{
    return less(order_half, a->d);
}

void scalar_negate(struct scalar *ret_scalar, const struct scalar *a)
{
    uint64_t borrow = 0;
    struct scalar result;

    if (scalar_is_zero(a)) {
        *ret_scalar = *a;
        return;
    }
    for (size_t i = 0; i < 4; i++) {
        u128 difference = (u128)order[i] - a->d[i] - borrow;

        result.d[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
    *ret_scalar = result;
}

void scalar_add(struct scalar *ret_scalar, const struct scalar *a, const struct scalar *b)
{
    struct scalar sum = *a;

    /* Below 2n: taking n off once is enough, and a carry out makes it certain. */
    if (add_limbs(sum.d, 4, b->d, 4) != 0 || !less(sum.d, order))
        subtract_order(sum.d);
    *ret_scalar = sum;
}

void scalar_mul(struct scalar *ret_scalar, const struct scalar *a, const struct scalar *b)
{
    uint64_t wide[8];

    mul_limbs(wide, a->d, b->d);
    reduce(ret_scalar, wide);
}

void scalar_inverse(struct scalar *ret_scalar, const struct scalar *a)
{
    /* a^(n-2), four bits at a time. */
    struct scalar power[16] = {{{1, 0, 0, 0}}};
    struct scalar result = {{1, 0, 0, 0}};
    uint64_t exponent[4];

    memcpy(exponent, order, sizeof(exponent));
    exponent[0] -= 2;
    for (size_t i = 1; i < ARRAY_LEN(power); i++)
        scalar_mul(&power[i], &power[i - 1], a);
    for (int bit = 252; bit >= 0; bit -= 4) {
        for (int i = 0; i < 4; i++)
            scalar_mul(&result, &result, &result);
        scalar_mul(&result, &result, &power[exponent[bit / 64] >> (bit % 64) & 15]);
    }
    *ret_scalar = result;
}

/* round(k * g / 2^384) */
static u128 mul_shift_384(const struct scalar *k, const uint64_t *g)
{
    uint64_t wide[8];

    mul_limbs(wide, k->d, g);
    /* Both g times n are below 2^512 - 2^384, so the rounding does not overflow. */
    return ((u128)wide[7] << 64 | wide[6]) + (wide[5] >> 63);
}

/* ret (four limbs) = b * c */
static void mul_halves(uint64_t *ret, u128 b, u128 c)
{
    uint64_t b0 = (uint64_t)b;
    uint64_t b1 = (uint64_t)(b >> 64);
    uint64_t c0 = (uint64_t)c;
    uint64_t c1 = (uint64_t)(c >> 64);
    u128 low = (u128)b0 * c0;
    u128 middle = (u128)b0 * c1 + (uint64_t)(low >> 64);
    u128 other = (u128)b1 * c0 + (uint64_t)middle;
    u128 high = (u128)b1 * c1 + (uint64_t)(middle >> 64) + (uint64_t)(other >> 64);

    ret[0] = (uint64_t)low;
    ret[1] = (uint64_t)other;
    ret[2] = (uint64_t)high;
    ret[3] = (uint64_t)(high >> 64);
}

/* a -= b, modulo 2^256. */
static void subtract_limbs(uint64_t *a, const uint64_t *b)
{
    uint64_t borrow = 0;

    for (size_t i = 0; i < 4; i++) {
        u128 difference = (u128)a[i] - b[i] - borrow;

        a[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> 64) & 1;
    }
}

/* Of a number in two's complement of 256 bits. */
static void size_and_sign(uint64_t *ret_size, bool *ret_negative, uint64_t *a)
{
    *ret_negative = a[3] >> 63 != 0;
    if (*ret_negative) {
        u128 carry = 1;

        for (size_t i = 0; i < 4; i++) {
            carry += ~a[i];
            a[i] = (uint64_t)carry;
            carry >>= 64;
        }
    }
    CHECK(a[2] == 0 && a[3] == 0);
    ret_size[0] = a[0];
    ret_size[1] = a[1];
}

/* The lattice of pairs (a, b) with a + b * lambda = 0 has the short basis (a1, b1),
 * (a2, b2), where b2 = a1 and a2 = a1 - b1. g1 and g2 are b2 and -b1 times 2^384 / n, so
 * that the two products, c1 and c2, find the lattice point nearest to (k, 0). See Guide
 * to Elliptic Curve Cryptography, section 3.5; docs/sigbatch.md derives the bound on the
 * halves, which lets them be found modulo 2^256:
 *   k1 = k - c1 a1 - c2 a2 = k - c1 a1 - c2 (-b1) - c2 a1,  k2 = c1 (-b1) - c2 a1 */
void scalar_split(struct scalar_halves *ret_halves, const struct scalar *k)
{
    static const uint64_t g1[4] = {0xe893209a45dbb031, 0x3daa8a1471e8ca7f, 0xe86c90e49284eb15,
                                   0x3086d221a7d46bcd};
    static const uint64_t g2[4] = {0x1571b4ae8ac47f71, 0x221208ac9df506c6, 0x6f547fa90abfe4c4,
                                   0xe4437ed6010e8828};
    const u128 a1 = (u128)0x3086d221a7d46bcd << 64 | 0xe86c90e49284eb15;
    const u128 minus_b1 = (u128)0xe4437ed6010e8828 << 64 | 0x6f547fa90abfe4c3;
    u128 c1 = mul_shift_384(k, g1);
    u128 c2 = mul_shift_384(k, g2);
    uint64_t k1[4];
    uint64_t k2[4];
    uint64_t product[4];

    memcpy(k1, k->d, sizeof(k1));
    mul_halves(product, c1, a1);
    subtract_limbs(k1, product);
    mul_halves(product, c2, minus_b1);
    subtract_limbs(k1, product);
    mul_halves(product, c2, a1);
    subtract_limbs(k1, product);
    mul_halves(k2, c1, minus_b1);
    subtract_limbs(k2, product);
    size_and_sign(ret_halves->k1, &ret_halves->k1_negative, k1);
    size_and_sign(ret_halves->k2, &ret_halves->k2_negative, k2);
}
