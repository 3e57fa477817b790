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

/* ret (a_n + b_n limbs) = a * b */
static void mul_limbs(uint64_t *ret, const uint64_t *a, size_t a_n, const uint64_t *b, size_t b_n)
{
    memset(ret, 0, (a_n + b_n) * sizeof(*ret));
    for (size_t i = 0; i < a_n; i++) {
        u128 carry = 0;

        for (size_t k = 0; k < b_n; k++) {
            carry += (u128)a[i] * b[k] + ret[i + k];
            ret[i + k] = (uint64_t)carry;
            carry >>= 64;
        }
        ret[i + b_n] = (uint64_t)carry;
    }
}

/* Fold what is above 2^256 down by order_complement until nothing is. Each round
 * shortens the number: 512 bits, 386, 260, and then at most a bit over 256. */
static void reduce(struct scalar *ret_scalar, const uint64_t *wide)
{
    uint64_t sum[8];
    size_t high_n = 4;

    memcpy(sum, wide, sizeof(sum));
    for (int round = 0; round < 3; round++) {
        uint64_t product[7];

        mul_limbs(product, sum + 4, high_n, order_complement, 3);
        memset(sum + 4, 0, high_n * sizeof(*sum));
        (void)add_limbs(sum, 8, product, high_n + 3);
        high_n = round == 0 ? 3 : 1;
    }
    if (sum[4] != 0 || !less(sum, order))
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

    mul_limbs(wide, a->d, 4, b->d, 4);
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
static void mul_shift_384(struct scalar *ret_scalar, const struct scalar *k, const uint64_t *g)
{
    uint64_t wide[8];
    uint64_t rounding = 0;

    mul_limbs(wide, k->d, 4, g, 4);
    rounding = wide[5] >> 63;
    *ret_scalar = (struct scalar){{wide[6], wide[7], 0, 0}};
    (void)add_limbs(ret_scalar->d, 4, &rounding, 1);
}

static void size_and_sign(uint64_t *ret_size, bool *ret_negative, const struct scalar *k)
{
    struct scalar size = *k;

    *ret_negative = scalar_is_high(k);
    if (*ret_negative)
        scalar_negate(&size, k);
    CHECK(size.d[2] == 0 && size.d[3] == 0);
    ret_size[0] = size.d[0];
    ret_size[1] = size.d[1];
}

/* The lattice of pairs (a, b) with a + b * lambda = 0 has the short basis (a1, b1),
 * (a2, b2). g1 and g2 are b2 and -b1 times 2^384 / n, so that the two products find
 * the lattice point nearest to (k, 0). See Guide to Elliptic Curve Cryptography,
 * section 3.5; docs/sigbatch.md derives the bound on the halves. */
void scalar_split(struct scalar_halves *ret_halves, const struct scalar *k)
{
    static const uint64_t g1[4] = {0xe893209a45dbb031, 0x3daa8a1471e8ca7f, 0xe86c90e49284eb15,
                                   0x3086d221a7d46bcd};
    static const uint64_t g2[4] = {0x1571b4ae8ac47f71, 0x221208ac9df506c6, 0x6f547fa90abfe4c4,
                                   0xe4437ed6010e8828};
    static const struct scalar minus_b1 = {{0x6f547fa90abfe4c3, 0xe4437ed6010e8828, 0, 0}};
    static const struct scalar minus_b2 = {{0xd765cda83db1562c, 0x8a280ac50774346d,
                                            0xfffffffffffffffe, 0xffffffffffffffff}};
    static const struct scalar minus_lambda = {{0xe0cfc810b51283cf, 0xa880b9fc8ec739c2,
                                                0x5ad9e3fd77ed9ba4, 0xac9c52b33fa3cf1f}};
    struct scalar c1;
    struct scalar c2;
    struct scalar k1;
    struct scalar k2;

    mul_shift_384(&c1, k, g1);
    mul_shift_384(&c2, k, g2);
    scalar_mul(&c1, &c1, &minus_b1);
    scalar_mul(&c2, &c2, &minus_b2);
    scalar_add(&k2, &c1, &c2);
    scalar_mul(&k1, &k2, &minus_lambda);
    scalar_add(&k1, &k1, k);
    size_and_sign(ret_halves->k1, &ret_halves->k1_negative, &k1);
    size_and_sign(ret_halves->k2, &ret_halves->k2_negative, &k2);
}
