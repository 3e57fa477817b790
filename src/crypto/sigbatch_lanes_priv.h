/* Eight verifications side by side: the curve arithmetic, written once over the
 * lane operations that the including file defines (v8, m8, v8_add, ...). Included
 * by sigbatch_ifma.c and sigbatch_plain.c, where it defines lanes_run, and by the
 * tests of its points.
 *
 * A field element is five limbs of 52 bits in eight lanes. Its magnitude m, in
 * the comments, says that each lane's value is below m * (2^256 + 2^216); every
 * limb is below 2^52, so a magnitude is at most 15. Multiplication takes any
 * magnitudes and gives 1. docs/sigbatch.md proves each bound; the verify build
 * checks the limbs at every operation.
 */
#ifndef LANES_FN
#error "include this from a lane engine"
#endif

#include <string.h>

#include "base/check.h"
#include "crypto/sigbatch_priv.h"

#define LIMB_BITS 52
#define LIMB_MASK ((UINT64_C(1) << LIMB_BITS) - 1)
#define TOP_BITS 48 /* Of the fifth limb, within 256 bits. */
#define TOP_MASK ((UINT64_C(1) << TOP_BITS) - 1)
/* What 2^256 and 2^260 are worth modulo p. */
#define FOLD_256 UINT64_C(0x1000003d1)
#define FOLD_260 UINT64_C(0x1000003d10)

#define TABLE_ENTRIES 8 /* P, 3P, ..., 15P */

struct fe {
    v8 n[5];
};

/* Jacobian: x / z^2, y / z^3. z = 0 stands for infinity and for the outcome of an
 * addition whose points had equal x; once zero it stays zero. */
struct jacobian {
    struct fe x;
    struct fe y;
    struct fe z;
};

struct affine {
    struct fe x;
    struct fe y;
};

struct group {
    struct affine p;
    struct affine table[TABLE_ENTRIES];
    struct fe lambda_x[TABLE_ENTRIES]; /* beta * table[i].x */
    struct fe h[TABLE_ENTRIES];        /* z of entry i + 1 is z of entry i times h[i]. */
    struct fe z;                       /* Of the last entry; then of the result. */
    struct fe x;
    struct fe y;
    m8 on_curve;
};

LANES_FN void fe_verify(const struct fe *a)
{
#ifdef ASSAY_VERIFY
    for (size_t i = 0; i < 5; i++)
        CHECK(v8_all_below_2_52(a->n[i]));
#else
    (void)a;
#endif
}

/* Limbs may be signed and of up to 62 bits; the value must not be negative and be
 * below 2^260. */
LANES_FN void fe_carry(struct fe *a)
{
    const v8 mask = v8_set1(LIMB_MASK);

    for (size_t i = 0; i < 4; i++) {
        a->n[i + 1] = v8_add(a->n[i + 1], v8_sar(a->n[i], LIMB_BITS));
        a->n[i] = v8_and(a->n[i], mask);
    }
    fe_verify(a);
}

/* Ten columns to five limbs. Columns below 2^58, the value below 2^520. */
LANES_FN void fe_reduce(struct fe *ret, v8 *c)
{
    const v8 mask = v8_set1(LIMB_MASK);
    const v8 zero = v8_set1(0);
    const v8 fold_260 = v8_set1(FOLD_260);
    const v8 fold_256 = v8_set1(FOLD_256);
    v8 over;
    v8 top;

    for (size_t i = 5; i < 9; i++) {
        c[i + 1] = v8_add(c[i + 1], v8_shr(c[i], LIMB_BITS));
        c[i] = v8_and(c[i], mask);
    }
    c[0] = v8_madlo(c[0], c[5], fold_260);
    for (size_t i = 1; i < 5; i++) {
        c[i] = v8_madhi(c[i], c[i + 4], fold_260);
        c[i] = v8_madlo(c[i], c[i + 5], fold_260);
    }
    over = v8_madhi(zero, c[9], fold_260);

    /* What lies over 2^256: the top of limb four, and over, which is worth 2^260. */
    top = v8_add(v8_shr(c[4], TOP_BITS), v8_shl(over, LIMB_BITS - TOP_BITS));
    c[4] = v8_and(c[4], v8_set1(TOP_MASK));
    c[0] = v8_madlo(c[0], top, fold_256);
    c[1] = v8_madhi(c[1], top, fold_256);
    for (size_t i = 0; i < 4; i++) {
        c[i + 1] = v8_add(c[i + 1], v8_shr(c[i], LIMB_BITS));
        ret->n[i] = v8_and(c[i], mask);
    }
    ret->n[4] = c[4];
    fe_verify(ret);
}

LANES_FN void columns_zero(v8 *c)
{
    for (size_t i = 0; i < 10; i++)
        c[i] = v8_set1(0);
}

LANES_FN void columns_add(v8 *c, const struct fe *a, const struct fe *b)
{
    fe_verify(a);
    fe_verify(b);
    for (size_t i = 0; i < 5; i++) {
        for (size_t k = 0; k < 5; k++) {
            c[i + k] = v8_madlo(c[i + k], a->n[i], b->n[k]);
            c[i + k + 1] = v8_madhi(c[i + k + 1], a->n[i], b->n[k]);
        }
    }
}

LANES_FN void fe_mul(struct fe *ret, const struct fe *a, const struct fe *b)
{
    v8 c[10];

    columns_zero(c);
    columns_add(c, a, b);
    fe_reduce(ret, c);
}

/* a * b + d * e; the sum of the products must be below 2^520. */
LANES_FN void fe_mul_add(struct fe *ret, const struct fe *a, const struct fe *b, const struct fe *d,
                         const struct fe *e)
{
    v8 c[10];

    columns_zero(c);
    columns_add(c, a, b);
    columns_add(c, d, e);
    fe_reduce(ret, c);
}

LANES_FN void fe_sqr(struct fe *ret, const struct fe *a)
{
    v8 c[10];

    fe_verify(a);
    columns_zero(c);
    for (size_t i = 0; i < 5; i++) {
        for (size_t k = i + 1; k < 5; k++) {
            c[i + k] = v8_madlo(c[i + k], a->n[i], a->n[k]);
            c[i + k + 1] = v8_madhi(c[i + k + 1], a->n[i], a->n[k]);
        }
    }
    for (size_t i = 1; i < 9; i++)
        c[i] = v8_add(c[i], c[i]);
    for (size_t i = 0; i < 5; i++) {
        c[2 * i] = v8_madlo(c[2 * i], a->n[i], a->n[i]);
        c[2 * i + 1] = v8_madhi(c[2 * i + 1], a->n[i], a->n[i]);
    }
    fe_reduce(ret, c);
}

/* Limb i of m * p, so that a difference can be kept from going below zero. */
LANES_FN v8 p_times(uint64_t m, size_t limb)
{
    static const uint64_t p[5] = {0xffffefffffc2f, LIMB_MASK, LIMB_MASK, LIMB_MASK, TOP_MASK};

    return v8_set1(m * p[limb]);
}

/* a - b + m * p, where m * p is at least b. Magnitude: a's + m. */
LANES_FN void fe_subtract(struct fe *ret, const struct fe *a, const struct fe *b, uint64_t m)
{
    for (size_t i = 0; i < 5; i++)
        ret->n[i] = v8_sub(v8_add(a->n[i], p_times(m, i)), b->n[i]);
    fe_carry(ret);
}

LANES_FN void fe_set(struct fe *ret, uint64_t value)
{
    ret->n[0] = v8_set1(value);
    for (size_t i = 1; i < 5; i++)
        ret->n[i] = v8_set1(0);
}

LANES_FN void fe_blend(struct fe *ret, m8 which, const struct fe *if_set)
{
    for (size_t i = 0; i < 5; i++)
        ret->n[i] = v8_blend(which, ret->n[i], if_set->n[i]);
}

/* To the one value below p. */
LANES_FN void fe_normalize(struct fe *a)
{
    const v8 top_mask = v8_set1(TOP_MASK);
    struct fe less_p;
    m8 is_over;

    for (int round = 0; round < 2; round++) {
        v8 top = v8_shr(a->n[4], TOP_BITS);

        a->n[4] = v8_and(a->n[4], top_mask);
        a->n[0] = v8_madlo(a->n[0], top, v8_set1(FOLD_256));
        fe_carry(a);
    }
    less_p = *a;
    less_p.n[0] = v8_add(less_p.n[0], v8_set1(FOLD_256));
    fe_carry(&less_p);
    is_over = v8_not_equal(v8_shr(less_p.n[4], TOP_BITS), v8_set1(0));
    less_p.n[4] = v8_and(less_p.n[4], top_mask);
    fe_blend(a, is_over, &less_p);
}

/* a must be normalized. */
LANES_FN m8 fe_is_zero(const struct fe *a)
{
    v8 any = a->n[0];

    for (size_t i = 1; i < 5; i++)
        any = v8_or(any, a->n[i]);
    return (m8)~v8_not_equal(any, v8_set1(0));
}

/* Is a - b zero modulo p? b of magnitude up to m - 1. */
LANES_FN m8 fe_equal(const struct fe *a, const struct fe *b, uint64_t m)
{
    struct fe difference;

    fe_subtract(&difference, a, b, m);
    fe_normalize(&difference);
    return fe_is_zero(&difference);
}

LANES_SLOW void fe_sqr_times(struct fe *a, int times)
{
    struct fe b = *a;

    for (int i = 0; i < times; i++)
        fe_sqr(&b, &b);
    *a = b;
}

/* The powers that square root and inverse share: ones(k) is a^(2^k - 1). */
LANES_SLOW void fe_powers(struct fe *ret_ones2, struct fe *ret_ones22, struct fe *ret_ones223,
                          const struct fe *a)
{
    struct fe ones3;
    struct fe ones44;
    struct fe t;

    fe_sqr(&t, a);
    fe_mul(ret_ones2, &t, a);
    fe_sqr(&t, ret_ones2);
    fe_mul(&ones3, &t, a);
    t = ones3;
    for (int i = 0; i < 2; i++) { /* 6, 9 */
        fe_sqr_times(&t, 3);
        fe_mul(&t, &t, &ones3);
    }
    fe_sqr_times(&t, 2); /* 11 */
    fe_mul(&t, &t, ret_ones2);
    *ret_ones22 = t;
    fe_sqr_times(ret_ones22, 11);
    fe_mul(ret_ones22, ret_ones22, &t);
    ones44 = *ret_ones22;
    fe_sqr_times(&ones44, 22);
    fe_mul(&ones44, &ones44, ret_ones22);
    t = ones44;
    fe_sqr_times(&t, 44); /* 88 */
    fe_mul(&t, &t, &ones44);
    *ret_ones223 = t;
    fe_sqr_times(&t, 88); /* 176 */
    fe_mul(&t, &t, ret_ones223);
    fe_sqr_times(&t, 44); /* 220 */
    fe_mul(&t, &t, &ones44);
    fe_sqr_times(&t, 3);
    fe_mul(ret_ones223, &t, &ones3);
}

/* a^((p + 1) / 4): a root of a, if it has one. */
LANES_SLOW void fe_root(struct fe *ret, const struct fe *a)
{
    struct fe ones2;
    struct fe ones22;
    struct fe t;

    fe_powers(&ones2, &ones22, &t, a);
    fe_sqr_times(&t, 23);
    fe_mul(&t, &t, &ones22);
    fe_sqr_times(&t, 6);
    fe_mul(&t, &t, &ones2);
    fe_sqr_times(&t, 2);
    *ret = t;
}

/* a^(p - 2) */
LANES_SLOW void fe_inverse(struct fe *ret, const struct fe *a)
{
    struct fe ones2;
    struct fe ones22;
    struct fe t;

    fe_powers(&ones2, &ones22, &t, a);
    fe_sqr_times(&t, 23);
    fe_mul(&t, &t, &ones22);
    fe_sqr_times(&t, 5);
    fe_mul(&t, &t, a);
    fe_sqr_times(&t, 3);
    fe_mul(&t, &t, &ones2);
    fe_sqr_times(&t, 2);
    fe_mul(ret, &t, a);
}

/* In: x, y up to 10, z up to 2. Out: 10, 10, 2. */
LANES_FN void point_double(struct jacobian *p)
{
    struct fe a;
    struct fe b;
    struct fe c;
    struct fe d;
    struct fe e;
    struct fe f;
    struct fe t;

    fe_sqr(&a, &p->x);
    fe_sqr(&b, &p->y);
    fe_mul(&t, &p->y, &p->z);
    fe_sqr(&c, &b);
    fe_mul(&d, &p->x, &b);
    for (size_t i = 0; i < 5; i++) {
        e.n[i] = v8_add(v8_add(a.n[i], a.n[i]), a.n[i]);
        p->z.n[i] = v8_add(t.n[i], t.n[i]);
    }
    fe_carry(&e);
    fe_carry(&p->z);
    fe_sqr(&f, &e);
    for (size_t i = 0; i < 5; i++) {
        v8 four_d = v8_shl(d.n[i], 2);

        /* x = f - 8 d;  t = 4 d - x = 12 d - f */
        p->x.n[i] = v8_sub(v8_add(f.n[i], p_times(9, i)), v8_add(four_d, four_d));
        t.n[i] = v8_sub(v8_add(v8_add(v8_add(four_d, four_d), four_d), p_times(2, i)), f.n[i]);
    }
    fe_carry(&p->x);
    fe_carry(&t);
    fe_mul(&p->y, &e, &t);
    for (size_t i = 0; i < 5; i++)
        p->y.n[i] = v8_sub(v8_add(p->y.n[i], p_times(9, i)), v8_shl(c.n[i], 3));
    fe_carry(&p->y);
}

/* p += q, or p -= q in the lanes of negative (all ones there, else zero). In: p as in
 * point_double, q 1. Out: 5, 1, 1. ret_h (may be NULL): what z was multiplied by; zero
 * where the points had equal x. */
LANES_FN void point_add(struct jacobian *p, struct fe *ret_h, const struct fe *qx,
                        const struct fe *qy, v8 negative)
{
    struct fe zz;
    struct fe h;
    struct fe hh;
    struct fe hhh;
    struct fe r;
    struct fe v;
    struct fe t;
    struct fe minus_y;

    fe_sqr(&zz, &p->z);
    fe_mul(&h, qx, &zz);
    fe_mul(&t, &zz, &p->z);
    fe_subtract(&h, &h, &p->x, 11);
    fe_mul(&t, &t, qy);
    for (size_t i = 0; i < 5; i++) {
        v8 signed_t = v8_sub(v8_xor(t.n[i], negative), negative);

        r.n[i] = v8_sub(v8_add(signed_t, p_times(13, i)), p->y.n[i]);
        minus_y.n[i] = v8_sub(p_times(11, i), p->y.n[i]);
    }
    fe_carry(&r);
    fe_carry(&minus_y);
    fe_sqr(&hh, &h);
    fe_mul(&p->z, &p->z, &h);
    fe_mul(&hhh, &hh, &h);
    fe_mul(&v, &p->x, &hh);
    fe_sqr(&t, &r);
    for (size_t i = 0; i < 5; i++)
        p->x.n[i] = v8_sub(v8_add(t.n[i], p_times(4, i)), v8_add(hhh.n[i], v8_add(v.n[i], v.n[i])));
    fe_carry(&p->x);
    fe_subtract(&t, &v, &p->x, 6);
    fe_mul_add(&p->y, &r, &t, &minus_y, &hhh);
    if (ret_h != NULL)
        *ret_h = h;
}

LANES_FN void fe_of_words(struct fe *ret, v8 w0, v8 w1, v8 w2, v8 w3)
{
    const v8 mask = v8_set1(LIMB_MASK);

    ret->n[0] = v8_and(w0, mask);
    ret->n[1] = v8_and(v8_or(v8_shr(w0, 52), v8_shl(w1, 12)), mask);
    ret->n[2] = v8_and(v8_or(v8_shr(w1, 40), v8_shl(w2, 24)), mask);
    ret->n[3] = v8_and(v8_or(v8_shr(w2, 28), v8_shl(w3, 36)), mask);
    ret->n[4] = v8_shr(w3, 16);
}

/* One 256-bit number of each lane, found at this offset in its struct. */
LANES_FN void fe_load(struct fe *ret, const struct lane *lanes, size_t offset)
{
    uint64_t words[4][LANES];

    for (size_t i = 0; i < LANES; i++) {
        uint64_t number[4];

        memcpy(number, (const char *)&lanes[i] + offset, sizeof(number));
        for (size_t k = 0; k < 4; k++)
            words[k][i] = number[k];
    }
    fe_of_words(ret, v8_load(words[0]), v8_load(words[1]), v8_load(words[2]), v8_load(words[3]));
}

LANES_FN void generator(struct affine *ret)
{
    fe_of_words(&ret->x, v8_set1(0x59f2815b16f81798), v8_set1(0x029bfcdb2dce28d9),
                v8_set1(0x55a06295ce870b07), v8_set1(0x79be667ef9dcbbac));
    fe_of_words(&ret->y, v8_set1(0x9c47d08ffb10d4b8), v8_set1(0xfd17b448a6855419),
                v8_set1(0x5da4fbfc0e1108a8), v8_set1(0x483ada7726a3c465));
}

/* Find P: y by a square root where it is not given. A lane whose x or point is not on
 * the curve goes on with G, to no effect. */
LANES_SLOW void load_point(struct group *g, const struct lane *lanes, uint64_t curve_b)
{
    struct affine safe;
    struct fe given;
    struct fe square;
    struct fe minus;
    struct fe t;
    m8 has_y = 0;
    m8 wants_odd = 0;
    m8 is_odd;

    for (size_t i = 0; i < LANES; i++) {
        has_y |= (m8)((unsigned)lanes[i].has_y << i);
        wants_odd |= (m8)((unsigned)lanes[i].odd << i);
    }
    fe_load(&g->p.x, lanes, offsetof(struct lane, x));
    fe_load(&given, lanes, offsetof(struct lane, y));
    fe_sqr(&t, &g->p.x);
    fe_mul(&square, &t, &g->p.x);
    square.n[0] = v8_add(square.n[0], v8_set1(curve_b));
    fe_carry(&square);
    if (has_y != (m8)0xff) {
        fe_root(&g->p.y, &square);
        fe_normalize(&g->p.y);
        is_odd = v8_not_equal(v8_and(g->p.y.n[0], v8_set1(1)), v8_set1(0));
        fe_set(&t, 0);
        fe_subtract(&minus, &t, &g->p.y, 1);
        fe_blend(&g->p.y, (m8)(is_odd ^ wants_odd), &minus);
    }
    fe_blend(&g->p.y, has_y, &given);
    fe_sqr(&t, &g->p.y);
    g->on_curve = fe_equal(&t, &square, 3);
    generator(&safe);
    fe_blend(&g->p.x, (m8)~g->on_curve, &safe.x);
    fe_blend(&g->p.y, (m8)~g->on_curve, &safe.y);
}

/* The odd multiples up to 15 P, Jacobian. On the curve that is the image of ours under
 * (x, y) -> (x d^2, y d^3), with d the z of 2P, the point 2P is affine, so that each
 * step is an addition of an affine point; P becomes (x d^2, y d^3), and a z there
 * times d is the z here. */
LANES_SLOW void make_table(struct group *g)
{
    struct jacobian twice = {.x = g->p.x, .y = g->p.y};
    struct jacobian at;
    struct fe d2;
    struct fe d3;

    fe_set(&twice.z, 1);
    point_double(&twice);
    /* An affine point must have magnitude 1. */
    fe_normalize(&twice.x);
    fe_normalize(&twice.y);
    fe_sqr(&d2, &twice.z);
    fe_mul(&d3, &d2, &twice.z);
    fe_mul(&at.x, &g->p.x, &d2);
    fe_mul(&at.y, &g->p.y, &d3);
    fe_set(&at.z, 1);
    g->table[0] = g->p;
    for (size_t i = 1; i < TABLE_ENTRIES; i++) {
        point_add(&at, &g->h[i - 1], &twice.x, &twice.y, v8_set1(0));
        g->table[i].x = at.x;
        g->table[i].y = at.y;
    }
    fe_mul(&g->z, &at.z, &twice.z);
}

/* One inversion for the z of all groups (Montgomery's trick); none may be zero. */
LANES_SLOW void invert_all(struct group *groups, size_t n)
{
    struct fe product[SIGBATCH_GROUPS_MAX];
    struct fe inverse;
    struct fe t;

    product[0] = groups[0].z;
    for (size_t i = 1; i < n; i++)
        fe_mul(&product[i], &product[i - 1], &groups[i].z);
    fe_inverse(&inverse, &product[n - 1]);
    for (size_t i = n - 1; i > 0; i--) {
        fe_mul(&t, &inverse, &product[i - 1]);
        fe_mul(&inverse, &inverse, &groups[i].z);
        groups[i].z = t;
    }
    groups[0].z = inverse;
}

/* z holds the inverse of the last entry's. */
LANES_SLOW void make_table_affine(struct group *g)
{
    struct fe beta;
    struct fe zi = g->z;
    struct fe zi2;
    struct fe zi3;

    for (size_t i = TABLE_ENTRIES - 1; i > 0; i--) {
        fe_sqr(&zi2, &zi);
        fe_mul(&zi3, &zi2, &zi);
        fe_mul(&g->table[i].x, &g->table[i].x, &zi2);
        fe_mul(&g->table[i].y, &g->table[i].y, &zi3);
        fe_mul(&zi, &zi, &g->h[i - 1]);
    }
    fe_of_words(&beta, v8_set1(0xc1396c28719501ee), v8_set1(0x9cf0497512f58995),
                v8_set1(0x6e64479eac3434e9), v8_set1(0x7ae96a2b657c0710));
    for (size_t i = 0; i < TABLE_ENTRIES; i++)
        fe_mul(&g->lambda_x[i], &g->table[i].x, &beta);
}

/* A half of u2, recoded: for odd k below 2^128, the nibbles v of (k + 2^128 - 1) / 2
 * give k as the sum of (2 v - 15) 16^i: odd digits, none of them zero. */
struct half {
    v8 low;
    v8 high;
    v8 negative; /* All ones: the half is below zero. */
    m8 was_even; /* One was added. */
};

LANES_FN void half_load(struct half *ret, const struct lane *lanes, bool second)
{
    uint64_t low[LANES];
    uint64_t high[LANES];
    uint64_t negative[LANES];

    ret->was_even = 0;
    for (size_t i = 0; i < LANES; i++) {
        const uint64_t *k = second ? lanes[i].k2 : lanes[i].k1;
        bool is_negative = second ? lanes[i].k2_negative : lanes[i].k1_negative;

        /* Of an odd k the lower bit shifts out, and 2^128 - 1 is even after its own
         * half is taken: (k - 1) / 2 + 2^127. An even k loses nothing: k + 1. */
        low[i] = k[0] >> 1 | k[1] << 63;
        high[i] = (k[1] >> 1) + (UINT64_C(1) << 63);
        negative[i] = is_negative ? UINT64_MAX : 0;
        ret->was_even |= (m8)((unsigned)((k[0] & 1) ^ 1) << i);
    }
    ret->low = v8_load(low);
    ret->high = v8_load(high);
    ret->negative = v8_load(negative);
}

/* The entry of the digit at position, and its sign in *ret_negative. */
LANES_FN void half_entry(struct fe *ret_x, struct fe *ret_y, v8 *ret_negative,
                         const struct half *half, int position, const struct group *g, bool second)
{
    v8 word = position >= 16 ? half->high : half->low;
    v8 nibble = v8_and(v8_shr_by(word, (unsigned)(4 * (position % 16))), v8_set1(15));
    /* 8..15 are the positive digits 1..15, 7..0 the negative ones. */
    v8 is_below = v8_sub(v8_shr(nibble, 3), v8_set1(1));
    v8 index = v8_and(v8_xor(nibble, is_below), v8_set1(7));

    *ret_x = second ? g->lambda_x[0] : g->table[0].x;
    *ret_y = g->table[0].y;
    for (size_t i = 1; i < TABLE_ENTRIES; i++) {
        m8 here = (m8)~v8_not_equal(index, v8_set1(i));

        fe_blend(ret_x, here, second ? &g->lambda_x[i] : &g->table[i].x);
        fe_blend(ret_y, here, &g->table[i].y);
    }
    *ret_negative = v8_xor(is_below, half->negative);
}

LANES_FN void jacobian_blend(struct jacobian *ret, m8 which, const struct jacobian *if_set)
{
    fe_blend(&ret->x, which, &if_set->x);
    fe_blend(&ret->y, which, &if_set->y);
    fe_blend(&ret->z, which, &if_set->z);
}

/* Add a multiple of G, or of 2^128 G, to each lane whose digit is not zero. */
LANES_FN void add_g(struct jacobian *at, const struct lane *lanes, const struct g_entry *table,
                    size_t digit, bool high)
{
    const uint64_t *entries[LANES];
    uint64_t negative[LANES];
    struct jacobian before = *at;
    struct affine q;
    m8 is_zero = 0;
    v8 w[8];

    for (size_t i = 0; i < LANES; i++) {
        int d = high ? lanes[i].g_high[digit] : lanes[i].g_low[digit];

        negative[i] = d < 0 ? UINT64_MAX : 0;
        is_zero |= (m8)((unsigned)(d == 0) << i);
        entries[i] = table[d == 0 ? 0 : (d < 0 ? -d : d) - 1].xy;
    }
    v8_load_rows(w, entries);
    fe_of_words(&q.x, w[0], w[1], w[2], w[3]);
    fe_of_words(&q.y, w[4], w[5], w[6], w[7]);
    point_add(at, NULL, &q.x, &q.y, v8_load(negative));
    jacobian_blend(at, is_zero, &before);
}

/* R = u1 G + u2 P, left in the group. */
LANES_SLOW void run_group(struct group *g, const struct lane *lanes, const struct g_tables *tables)
{
    struct half half[2];
    struct jacobian at;
    struct jacobian before;
    struct fe qx;
    struct fe qy;
    struct fe zero;
    v8 negative;

    half_load(&half[0], lanes, false);
    half_load(&half[1], lanes, true);

    fe_set(&zero, 0);
    for (int position = 31; position >= 0; position--) {
        half_entry(&qx, &qy, &negative, &half[0], position, g, false);
        if (position == 31) {
            struct fe minus;

            fe_subtract(&minus, &zero, &qy, 2);
            at = (struct jacobian){.x = qx, .y = qy};
            fe_blend(&at.y, v8_not_equal(negative, v8_set1(0)), &minus);
            fe_set(&at.z, 1);
        } else {
            for (int i = 0; i < 4; i++)
                point_double(&at);
            point_add(&at, NULL, &qx, &qy, negative);
        }
        half_entry(&qx, &qy, &negative, &half[1], position, g, true);
        point_add(&at, NULL, &qx, &qy, negative);
        if (position % (G_WINDOW / 4) == 0) {
            add_g(&at, lanes, tables->low, (size_t)position / (G_WINDOW / 4), false);
            add_g(&at, lanes, tables->high, (size_t)position / (G_WINDOW / 4), true);
        }
    }
    /* Take off again what made the halves odd. */
    before = at;
    point_add(&at, NULL, &g->table[0].x, &g->table[0].y, v8_not(half[0].negative));
    jacobian_blend(&at, (m8)~half[0].was_even, &before);
    before = at;
    point_add(&at, NULL, &g->lambda_x[0], &g->table[0].y, v8_not(half[1].negative));
    jacobian_blend(&at, (m8)~half[1].was_even, &before);
    g->x = at.x;
    g->y = at.y;
    g->z = at.z;
}

/* Which lanes have x / z^2 equal to r, or to r + n where that is allowed? */
LANES_SLOW m8 x_matches(const struct group *g, const struct lane *lanes)
{
    struct fe order;
    struct fe zz;
    struct fe r;
    struct fe want;
    m8 matches;
    m8 second = 0;

    fe_sqr(&zz, &g->z);
    fe_load(&r, lanes, offsetof(struct lane, r));
    fe_mul(&want, &r, &zz);
    matches = fe_equal(&g->x, &want, 2);
    for (size_t i = 0; i < LANES; i++)
        second |= (m8)((unsigned)lanes[i].or_r_plus_n << i);
    if (second != 0) {
        fe_of_words(&order, v8_set1(0xbfd25e8cd0364141), v8_set1(0xbaaedce6af48a03b),
                    v8_set1(0xfffffffffffffffe), v8_set1(0xffffffffffffffff));
        for (size_t i = 0; i < 5; i++)
            r.n[i] = v8_add(r.n[i], order.n[i]);
        fe_carry(&r);
        fe_mul(&want, &r, &zz);
        matches |= (m8)(fe_equal(&g->x, &want, 2) & second);
    }
    return matches;
}

/* z holds its inverse: which lanes have an odd y? */
LANES_SLOW m8 y_is_odd(const struct group *g)
{
    struct fe zi3;
    struct fe y;

    fe_sqr(&zi3, &g->z);
    fe_mul(&zi3, &zi3, &g->z);
    fe_mul(&y, &g->y, &zi3);
    fe_normalize(&y);
    return v8_not_equal(v8_and(y.n[0], v8_set1(1)), v8_set1(0));
}

LANES_SLOW void lanes_run(struct lane *lanes, size_t lanes_n, const struct g_tables *tables)
{
    struct group groups[SIGBATCH_GROUPS_MAX];
    m8 matches[SIGBATCH_GROUPS_MAX];
    m8 unsure[SIGBATCH_GROUPS_MAX];
    size_t n = lanes_n / LANES;
    bool parity_asked = false;

    CHECK(lanes_n % LANES == 0 && n <= SIGBATCH_GROUPS_MAX);
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++) {
        load_point(&groups[i], lanes + i * LANES, tables->b);
        make_table(&groups[i]);
    }
    invert_all(groups, n);
    for (size_t i = 0; i < n; i++) {
        struct fe one;

        make_table_affine(&groups[i]);
        run_group(&groups[i], lanes + i * LANES, tables);
        matches[i] = x_matches(&groups[i], lanes + i * LANES);
        /* An exceptional lane must not spoil the common inversion. */
        fe_normalize(&groups[i].z);
        unsure[i] = fe_is_zero(&groups[i].z);
        fe_set(&one, 1);
        fe_blend(&groups[i].z, unsure[i], &one);
    }
    for (size_t i = 0; i < lanes_n; i++)
        parity_asked |= lanes[i].parity != PARITY_ANY;
    if (parity_asked)
        invert_all(groups, n);
    for (size_t i = 0; i < n; i++) {
        m8 odd = parity_asked ? y_is_odd(&groups[i]) : 0;

        for (size_t k = 0; k < LANES; k++) {
            struct lane *lane = &lanes[i * LANES + k];
            bool parity = lane->parity == PARITY_ANY ||
                          (odd >> k & 1) == (lane->parity == PARITY_ODD ? 1 : 0);
            bool good = (matches[i] >> k & 1) && (groups[i].on_curve >> k & 1) && parity;

            lane->result = good ? LANE_VALID : LANE_INVALID;
            if (unsure[i] >> k & 1)
                lane->result = LANE_UNSURE;
        }
    }
}
