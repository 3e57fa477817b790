#include "naive_curve.h"

#include <stddef.h>

__extension__ typedef unsigned __int128 u128;

static const struct naive_fe prime = {
    {0xfffffffefffffc2f, 0xffffffffffffffff, 0xffffffffffffffff, 0xffffffffffffffff}};

bool naive_fe_equal(const struct naive_fe *a, const struct naive_fe *b)
{
    for (size_t i = 0; i < 4; i++) {
        if (a->d[i] != b->d[i])
            return false;
    }
    return true;
}

static bool is_below(const struct naive_fe *a, const struct naive_fe *b)
{
    for (int i = 3; i >= 0; i--) {
        if (a->d[i] != b->d[i])
            return a->d[i] < b->d[i];
    }
    return false;
}

/* 256 bits; returns the borrow. */
static bool subtract_limbs(struct naive_fe *a, const struct naive_fe *b)
{
    bool borrow = false;

    for (size_t i = 0; i < 4; i++) {
        u128 difference = (u128)a->d[i] - b->d[i] - borrow;

        a->d[i] = (uint64_t)difference;
        borrow = difference >> 64 != 0;
    }
    return borrow;
}

static bool add_limbs(struct naive_fe *a, const struct naive_fe *b)
{
    u128 carry = 0;

    for (size_t i = 0; i < 4; i++) {
        carry += (u128)a->d[i] + b->d[i];
        a->d[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return carry != 0;
}

void naive_fe_add(struct naive_fe *ret, const struct naive_fe *a, const struct naive_fe *b)
{
    struct naive_fe sum = *a;

    if (add_limbs(&sum, b) || !is_below(&sum, &prime))
        (void)subtract_limbs(&sum, &prime);
    *ret = sum;
}

void naive_fe_sub(struct naive_fe *ret, const struct naive_fe *a, const struct naive_fe *b)
{
    struct naive_fe difference = *a;

    if (subtract_limbs(&difference, b))
        (void)add_limbs(&difference, &prime);
    *ret = difference;
}

/* Bit by bit: no trick that could be wrong in the same way as the lanes'. */
void naive_fe_mul(struct naive_fe *ret, const struct naive_fe *a, const struct naive_fe *b)
{
    struct naive_fe product = {{0}};

    for (int bit = 255; bit >= 0; bit--) {
        naive_fe_add(&product, &product, &product);
        if (b->d[bit / 64] >> (bit % 64) & 1)
            naive_fe_add(&product, &product, a);
    }
    *ret = product;
}

static void halve(struct naive_fe *a)
{
    bool carry = (a->d[0] & 1) != 0 && add_limbs(a, &prime);

    for (size_t i = 0; i < 4; i++)
        a->d[i] = a->d[i] >> 1 | (i < 3 ? a->d[i + 1] : (uint64_t)carry) << 63;
}

/* The binary extended algorithm of Euclid. */
void naive_fe_inverse(struct naive_fe *ret, const struct naive_fe *a)
{
    static const struct naive_fe zero = {{0}};
    struct naive_fe u = *a;
    struct naive_fe v = prime;
    struct naive_fe of_u = {{1, 0, 0, 0}};
    struct naive_fe of_v = {{0}};

    while (!naive_fe_equal(&u, &zero)) {
        while ((u.d[0] & 1) == 0) {
            for (size_t i = 0; i < 4; i++)
                u.d[i] = u.d[i] >> 1 | (i < 3 ? u.d[i + 1] << 63 : 0);
            halve(&of_u);
        }
        if (is_below(&u, &v)) {
            struct naive_fe t = u;

            u = v;
            v = t;
            t = of_u;
            of_u = of_v;
            of_v = t;
        }
        (void)subtract_limbs(&u, &v);
        naive_fe_sub(&of_u, &of_u, &of_v);
    }
    *ret = of_v;
}

void naive_point_add(struct naive_point *ret, const struct naive_point *a,
                     const struct naive_point *b)
{
    static const struct naive_fe zero = {{0}};
    struct naive_fe slope;
    struct naive_fe t;
    struct naive_point sum = {.is_infinity = false};

    if (a->is_infinity || b->is_infinity) {
        *ret = a->is_infinity ? *b : *a;
        return;
    }
    if (naive_fe_equal(&a->x, &b->x)) {
        naive_fe_add(&t, &a->y, &b->y);
        if (naive_fe_equal(&t, &zero)) {
            *ret = (struct naive_point){.is_infinity = true};
            return;
        }
        naive_fe_inverse(&slope, &t);
        naive_fe_mul(&t, &a->x, &a->x);
        naive_fe_mul(&slope, &slope, &t);
        naive_fe_add(&t, &slope, &slope);
        naive_fe_add(&slope, &slope, &t);
    } else {
        naive_fe_sub(&t, &b->x, &a->x);
        naive_fe_inverse(&slope, &t);
        naive_fe_sub(&t, &b->y, &a->y);
        naive_fe_mul(&slope, &slope, &t);
    }
    naive_fe_mul(&sum.x, &slope, &slope);
    naive_fe_sub(&sum.x, &sum.x, &a->x);
    naive_fe_sub(&sum.x, &sum.x, &b->x);
    naive_fe_sub(&t, &a->x, &sum.x);
    naive_fe_mul(&sum.y, &slope, &t);
    naive_fe_sub(&sum.y, &sum.y, &a->y);
    *ret = sum;
}
