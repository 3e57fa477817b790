/* The lanes on small subgroups of curves y^2 = x^3 + b: all pairs of points added, all
 * doubled, and whole equations whose every step is followed by logarithms. In groups
 * this small equal, opposite and infinite points are met all the time, so a lane must
 * answer "unsure" exactly where the logarithms say so.
 *
 * Orders 7 and 13 stay below the table of 15 P and serve the points only.
 */
#include <stdlib.h>

#include "crypto/sigbatch_plain_priv.h"

#include "crypto/sigbatch_lanes_priv.h"

#include "base/alloc.h"
#include "base/hex.h"
#include "naive_curve.h"
#include "test.h"

static const struct subgroup {
    const char *label;
    uint64_t b;
    uint32_t order;
    uint32_t lambda; /* (beta x, y) is lambda (x, y) */
    const char *x;
    const char *y;
} subgroups[] = {
    {"order 7", 6, 7, 4, "b98654ee0ea624fe83f229c80f99da9a2fed4171d0a4c594fb1fc272793ef8cf",
     "efa6cdb56c249c14e2b48232057e3e3e0e3f66df4202b18eb219cb4644cd1828"},
    {"order 13", 2, 13, 9, "edc60018a51a786b2ea91f4d4c9416c09de54c3ba13165546cf4345c7277ef15",
     "ab34e4942373ed8cf787bb15bc0b9fc1f15065bc091001aa6c607f91c8520383"},
    {"order 199", 4, 199, 92, "c0490783fb1bb3d174112d628086f552f0c177afd1d87770447e56db3db01bba",
     "a31cf9242c5eba9a76c67ad37b5252b57df449ef7dae434fdfbb2d29473d283b"},
    {"order 3319", 2, 3319, 1791,
     "23da59961b1d123bb04204012e0b0caa6e6c14860cf60daa47f2826ecb9665ba",
     "44768291ff4c88f639a2ab373f517b66b714cc46305e970fc733bf5ef156b804"},
    {"order 10903", 6, 10903, 10424,
     "d048c6327b4b9f5f7511f20ac3025461320c03c60924744df66f1910a8103147",
     "4f743df574ca6cda99d4922fc3ffeaf18c2d0fc64c443a0f26bb3dff1955a9e5"},
};

/* 0 G, 1 G, ... */
static struct naive_point *multiples_of(const struct subgroup *group)
{
    struct naive_point *points = alloc_array(group->order, sizeof(*points));
    uint8_t bytes[2][32];

    CHECK(hex_read(bytes[0], 32, group->x, 64) && hex_read(bytes[1], 32, group->y, 64));
    points[0] = (struct naive_point){.is_infinity = true};
    points[1] = (struct naive_point){.is_infinity = false};
    for (size_t i = 0; i < 4; i++) {
        points[1].x.d[3 - i] = get_be64(bytes[0] + 8 * i);
        points[1].y.d[3 - i] = get_be64(bytes[1] + 8 * i);
    }
    for (uint32_t i = 2; i < group->order; i++)
        naive_point_add(&points[i], &points[i - 1], &points[1]);
    return points;
}

static void generators_have_their_order(void)
{
    for (size_t i = 0; i < ARRAY_LEN(subgroups); i++) {
        struct naive_point *points = multiples_of(&subgroups[i]);
        struct naive_point next;
        struct naive_fe beta = {
            {0xc1396c28719501ee, 0x9cf0497512f58995, 0x6e64479eac3434e9, 0x7ae96a2b657c0710}};

        naive_point_add(&next, &points[subgroups[i].order - 1], &points[1]);
        EXPECT_TRUE(subgroups[i].label, next.is_infinity);
        naive_fe_mul(&beta, &beta, &points[1].x);
        EXPECT_TRUE(subgroups[i].label,
                    naive_fe_equal(&beta, &points[subgroups[i].lambda].x) &&
                        naive_fe_equal(&points[1].y, &points[subgroups[i].lambda].y));
        free(points);
    }
}

/* --- Points --- */

static void load_fe(struct fe *ret, const struct naive_fe numbers[LANES])
{
    uint64_t words[4][LANES];

    for (size_t i = 0; i < LANES; i++) {
        for (size_t k = 0; k < 4; k++)
            words[k][i] = numbers[i].d[k];
    }
    fe_of_words(ret, v8_load(words[0]), v8_load(words[1]), v8_load(words[2]), v8_load(words[3]));
}

static void store_fe(struct naive_fe ret[LANES], const struct fe *a)
{
    struct fe t = *a;

    fe_normalize(&t);
    for (size_t i = 0; i < LANES; i++) {
        uint64_t n[5];

        for (size_t k = 0; k < 5; k++)
            n[k] = t.n[k].lane[i];
        ret[i] = (struct naive_fe){{n[0] | n[1] << 52, n[1] >> 12 | n[2] << 40,
                                    n[2] >> 24 | n[3] << 28, n[3] >> 36 | n[4] << 16}};
    }
}

/* Eight points with random z; infinity as z = 0 with random x and y. */
static void load_jacobian(struct jacobian *ret, const struct naive_point points[LANES])
{
    struct naive_fe x[LANES];
    struct naive_fe y[LANES];
    struct naive_fe z[LANES];

    for (size_t i = 0; i < LANES; i++) {
        struct naive_fe zz;
        struct naive_fe from_x = points[i].x;
        struct naive_fe from_y = points[i].y;

        test_random_fill(&z[i], sizeof(z[i]));
        z[i].d[3] >>= 1;
        if (points[i].is_infinity) {
            from_x = z[i];
            from_y = (struct naive_fe){{test_random(), 0, 0, 0}};
        }
        naive_fe_mul(&zz, &z[i], &z[i]);
        naive_fe_mul(&x[i], &from_x, &zz);
        naive_fe_mul(&zz, &zz, &z[i]);
        naive_fe_mul(&y[i], &from_y, &zz);
        if (points[i].is_infinity)
            z[i] = (struct naive_fe){{0}};
    }
    load_fe(&ret->x, x);
    load_fe(&ret->y, y);
    load_fe(&ret->z, z);
}

static void expect_points(const char *label, const struct jacobian *got,
                          const struct naive_point want[LANES])
{
    struct naive_fe x[LANES];
    struct naive_fe y[LANES];
    struct naive_fe z[LANES];

    store_fe(x, &got->x);
    store_fe(y, &got->y);
    store_fe(z, &got->z);
    for (size_t i = 0; i < LANES; i++) {
        static const struct naive_fe zero = {{0}};
        struct naive_fe zi;
        struct naive_fe t;

        EXPECT_INT(label, naive_fe_equal(&z[i], &zero), want[i].is_infinity);
        if (want[i].is_infinity)
            continue;
        naive_fe_inverse(&zi, &z[i]);
        naive_fe_mul(&t, &zi, &zi);
        naive_fe_mul(&x[i], &x[i], &t);
        naive_fe_mul(&t, &t, &zi);
        naive_fe_mul(&y[i], &y[i], &t);
        EXPECT_TRUE(label, naive_fe_equal(&x[i], &want[i].x));
        EXPECT_TRUE(label, naive_fe_equal(&y[i], &want[i].y));
    }
}

/* Pairs number first to first + 7 of order * order. The sum is to be "infinite"
 * wherever the addition cannot know it. */
static void check_pairs(const struct subgroup *group, const struct naive_point *points,
                        uint32_t first)
{
    struct naive_point a[LANES];
    struct naive_point want[LANES];
    struct naive_fe bx[LANES];
    struct naive_fe by[LANES];
    uint64_t negative[LANES];
    struct jacobian at;
    struct fe qx;
    struct fe qy;

    for (size_t i = 0; i < LANES; i++) {
        uint32_t pair = (first + (uint32_t)i) % (group->order * group->order);
        uint32_t m = pair / group->order;
        uint32_t n = pair % group->order;
        struct naive_point b;

        if (n == 0)
            n = 1; /* What is added is never infinity. */
        negative[i] = test_random_below(2) == 0 ? 0 : UINT64_MAX;
        a[i] = points[m];
        b = points[negative[i] != 0 ? group->order - n : n];
        bx[i] = points[n].x;
        by[i] = points[n].y;
        naive_point_add(&want[i], &a[i], &b);
        want[i].is_infinity = m == 0 || m == n || m == group->order - n;
    }
    load_jacobian(&at, a);
    load_fe(&qx, bx);
    load_fe(&qy, by);
    point_add(&at, NULL, &qx, &qy, v8_load(negative));
    expect_points(group->label, &at, want);
    /* Once zero, always zero. */
    point_double(&at);
    for (size_t i = 0; i < LANES; i++)
        naive_point_add(&want[i], &want[i], &want[i]);
    expect_points(group->label, &at, want);
}

static void all_pairs_add(void)
{
    for (size_t i = 0; i < 3; i++) {
        const struct subgroup *group = &subgroups[i];
        struct naive_point *points = multiples_of(group);
        uint32_t pairs = group->order * group->order;
        /* Every pair where it is quick, else a share, another one each time. */
        uint32_t step = pairs > 1000 ? 40 * LANES : LANES;

        for (uint32_t first = (uint32_t)test_random_below(step); first < pairs + step;
             first += step)
            check_pairs(group, points, first);
        for (uint32_t n = 1; n < group->order && pairs > 1000; n += LANES)
            check_pairs(group, points, n * group->order + n);
        free(points);
    }
}

/* --- Whole equations --- */

struct table_set {
    const struct subgroup *group;
    struct naive_point *points;
    struct g_tables *tables;
    uint32_t high; /* What stands for 2^128. */
};

static void fill_table(struct g_entry *table, const struct table_set *set, uint32_t step)
{
    for (uint32_t i = 0; i < G_ENTRIES; i++) {
        const struct naive_point *point =
            &set->points[(uint64_t)(i + 1) * step % set->group->order];

        memcpy(table[i].xy, point->x.d, 32);
        memcpy(table[i].xy + 4, point->y.d, 32);
    }
}

static void table_set_init(struct table_set *set, const struct subgroup *group)
{
    *set = (struct table_set){.group = group, .points = multiples_of(group), .high = 77};
    set->tables = aligned_alloc(64, sizeof(*set->tables));
    CHECK(set->tables != NULL);
    set->tables->b = group->b;
    fill_table(set->tables->low, set, 1);
    fill_table(set->tables->high, set, set->high);
}

static void table_set_clear(struct table_set *set)
{
    free(set->points);
    free(set->tables);
}

/* Logarithms, walked the way the lanes walk the points. */
struct walk {
    int64_t order;
    int64_t at;
    bool is_unsure;
};

static int64_t modulo(int64_t a, int64_t order)
{
    return (a % order + order) % order;
}

static void walk_add(struct walk *walk, int64_t log)
{
    log = modulo(log, walk->order);
    if (walk->at == 0 || walk->at == log || walk->at == walk->order - log)
        walk->is_unsure = true;
    walk->at = modulo(walk->at + log, walk->order);
}

static int64_t odd_digit(const uint64_t *k, bool is_negative, int position)
{
    uint64_t half[2] = {k[0] >> 1 | k[1] << 63, (k[1] >> 1) + (UINT64_C(1) << 63)};
    int64_t digit = 2 * (int64_t)(half[position / 16] >> (4 * (position % 16)) & 15) - 15;

    return is_negative ? -digit : digit;
}

static void walk_lane(struct walk *walk, const struct lane *lane, int64_t p,
                      const struct table_set *set)
{
    int64_t lambda_p = p * set->group->lambda % walk->order;

    for (int position = 31; position >= 0; position--) {
        int64_t first = odd_digit(lane->k1, lane->k1_negative, position) * p;

        if (position == 31) {
            walk->at = modulo(first, walk->order);
        } else {
            walk->at = 16 * walk->at % walk->order;
            walk_add(walk, first);
        }
        walk_add(walk, odd_digit(lane->k2, lane->k2_negative, position) * lambda_p);
        if (position % 3 == 0) {
            int64_t low = lane->g_low[position / 3];
            int64_t high = lane->g_high[position / 3];

            if (low != 0)
                walk_add(walk, low);
            if (high != 0)
                walk_add(walk, high * set->high);
        }
    }
    if ((lane->k1[0] & 1) == 0)
        walk_add(walk, lane->k1_negative ? p : -p);
    if ((lane->k2[0] & 1) == 0)
        walk_add(walk, lane->k2_negative ? lambda_p : -lambda_p);
}

/* The sum by plain arithmetic, to check the walk itself. */
static int64_t log_of(const struct lane *lane, int64_t p, const struct table_set *set)
{
    int64_t order = set->group->order;
    int64_t power = (int64_t)((UINT64_C(1) << 63) % (uint64_t)order * 2 % (uint64_t)order);
    int64_t u1 = 0;
    int64_t k1;
    int64_t k2;

    for (int i = G_DIGITS - 1; i >= 0; i--)
        u1 = modulo(u1 * 2 * G_ENTRIES + lane->g_low[i] + lane->g_high[i] * (int64_t)set->high,
                    order);
    k1 = modulo((int64_t)(lane->k1[1] % (uint64_t)order) * power +
                    (int64_t)(lane->k1[0] % (uint64_t)order),
                order);
    k2 = modulo((int64_t)(lane->k2[1] % (uint64_t)order) * power +
                    (int64_t)(lane->k2[0] % (uint64_t)order),
                order);
    k1 = lane->k1_negative ? -k1 : k1;
    k2 = lane->k2_negative ? -k2 : k2;
    return modulo(u1 + modulo(k1 + k2 * set->group->lambda, order) * p, order);
}

static int16_t random_digit(uint32_t order)
{
    int digit;

    if (test_random_below(4) == 0)
        return 0;
    do
        digit = (int)test_random_below(2 * G_ENTRIES) - G_ENTRIES + 1;
    while (digit % (int)order == 0 && digit != 0);
    return (int16_t)digit;
}

static void random_half(uint64_t *ret_k)
{
    static const uint64_t edges[] = {0, 1, 2, UINT64_MAX, UINT64_MAX - 1, UINT64_C(1) << 63};

    for (size_t i = 0; i < 2; i++)
        ret_k[i] =
            test_random_below(4) == 0 ? edges[test_random_below(ARRAY_LEN(edges))] : test_random();
}

/* A lane about the point p G and what it must answer. */
static enum lane_result make_lane(struct lane *lane, int64_t p, const struct table_set *set)
{
    const struct naive_point *point = &set->points[p];
    const struct naive_point *claim;
    struct walk walk = {.order = set->group->order};
    int64_t other;
    bool is_odd;

    *lane = (struct lane){.has_y = test_random_below(2) == 0,
                          .odd = (point->y.d[0] & 1) != 0,
                          .k1_negative = test_random_below(2) == 0,
                          .k2_negative = test_random_below(2) == 0,
                          .parity = (enum lane_parity)test_random_below(3)};
    memcpy(lane->x, point->x.d, sizeof(lane->x));
    if (lane->has_y)
        memcpy(lane->y, point->y.d, sizeof(lane->y));
    for (size_t i = 0; i < G_DIGITS; i++) {
        lane->g_low[i] = random_digit(set->group->order);
        lane->g_high[i] = random_digit(set->group->order);
    }
    random_half(lane->k1);
    random_half(lane->k2);
    walk_lane(&walk, lane, p, set);
    EXPECT_INT(set->group->label, walk.at, log_of(lane, p, set));
    other =
        test_random_below(2) == 0 ? walk.at : 1 + (int64_t)test_random_below(set->group->order - 1);
    claim = &set->points[other == 0 ? 1 : other];
    memcpy(lane->r, claim->x.d, sizeof(lane->r));
    if (walk.is_unsure || walk.at == 0)
        return LANE_UNSURE;
    is_odd = (set->points[walk.at].y.d[0] & 1) != 0;
    if (!naive_fe_equal(&claim->x, &set->points[walk.at].x) ||
        (lane->parity != PARITY_ANY && is_odd != (lane->parity == PARITY_ODD)))
        return LANE_INVALID;
    return LANE_VALID;
}

static void check_equations(const char *engine, lanes_run_fn *run, uint32_t rounds)
{
    for (size_t i = 2; i < ARRAY_LEN(subgroups); i++) {
        uint64_t seen[LANE_UNSURE + 1] = {0};
        struct table_set set;
        int64_t p = 0;

        table_set_init(&set, &subgroups[i]);
        for (uint32_t round = 0; round < rounds; round++) {
            struct lane lanes[2 * LANES];
            enum lane_result want[2 * LANES];

            for (size_t k = 0; k < ARRAY_LEN(lanes); k++) {
                p = p % (subgroups[i].order - 1) + 1;
                want[k] = make_lane(&lanes[k], p, &set);
            }
            run(lanes, ARRAY_LEN(lanes), set.tables);
            for (size_t k = 0; k < ARRAY_LEN(lanes); k++) {
                EXPECT_INT(engine, lanes[k].result, want[k]);
                seen[want[k]]++;
            }
        }
        /* Each answer has been asked for. */
        EXPECT_TRUE(subgroups[i].label, seen[LANE_INVALID] > rounds / 4 &&
                                            seen[LANE_VALID] > rounds / 4 &&
                                            seen[LANE_UNSURE] > rounds / 16);
        table_set_clear(&set);
    }
}

static void equations_hold_on_plain_lanes(void)
{
    check_equations("plain", lanes_run_plain, 25);
}

static void equations_hold_on_ifma_lanes(void)
{
#if defined(__x86_64__)
    if (strcmp(sigbatch_select(true), "avx512-ifma") == 0) {
        check_equations("ifma", lanes_run_ifma, 2000);
        return;
    }
#endif
    test_skip("the processor has no AVX-512 IFMA");
}

TEST_LIST(TEST(generators_have_their_order), TEST(all_pairs_add),
          TEST(equations_hold_on_plain_lanes), TEST(equations_hold_on_ifma_lanes))
