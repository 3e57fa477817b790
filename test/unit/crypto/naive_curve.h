/* Points on curves y^2 = x^3 + b over the field of secp256k1, the slow and plain way:
 * affine, one inversion an addition, every case by itself. For tests.
 */
#ifndef TEST_NAIVE_CURVE_H
#define TEST_NAIVE_CURVE_H

#include <stdbool.h>
#include <stdint.h>

/* Below p, least significant limb first. */
struct naive_fe {
    uint64_t d[4];
};

struct naive_point {
    struct naive_fe x;
    struct naive_fe y;
    bool is_infinity;
};

bool naive_fe_equal(const struct naive_fe *a, const struct naive_fe *b);
void naive_fe_add(struct naive_fe *ret, const struct naive_fe *a, const struct naive_fe *b);
void naive_fe_sub(struct naive_fe *ret, const struct naive_fe *a, const struct naive_fe *b);
void naive_fe_mul(struct naive_fe *ret, const struct naive_fe *a, const struct naive_fe *b);
/* Of zero: zero. */
void naive_fe_inverse(struct naive_fe *ret, const struct naive_fe *a);

void naive_point_add(struct naive_point *ret, const struct naive_point *a,
                     const struct naive_point *b);

#endif /* TEST_NAIVE_CURVE_H */
