/* Numbers modulo n against additions one bit at a time, and the halves of a split
 * against what they must add up to. */
#include <string.h>

#include "crypto/scalar_priv.h"
#include "test.h"

static const struct scalar order = {
    {0xbfd25e8cd0364141, 0xbaaedce6af48a03b, 0xfffffffffffffffe, 0xffffffffffffffff}};
static const struct scalar lambda = {
    {0xdf02967c1b23bd72, 0x122e22ea20816678, 0xa5261c028812645a, 0x5363ad4cc05c30e0}};

static bool equal(const struct scalar *a, const struct scalar *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static void write(uint8_t *ret_bytes, const struct scalar *a)
{
    for (size_t i = 0; i < 4; i++)
        put_be64(ret_bytes + 8 * i, a->d[3 - i]);
}

/* Limbs of all zeros and all ones are as frequent as others. */
static void pick(struct scalar *ret)
{
    uint8_t bytes[32];

    for (size_t i = 0; i < 4; i++) {
        static const uint64_t edges[] = {0,
                                         1,
                                         UINT64_MAX,
                                         UINT64_C(1) << 63,
                                         0xbfd25e8cd0364140,
                                         0xbaaedce6af48a03b,
                                         0xfffffffffffffffe};
        uint64_t at = test_random_below(2 * ARRAY_LEN(edges));

        put_be64(bytes + 8 * i, at < ARRAY_LEN(edges) ? edges[at] : test_random());
    }
    (void)scalar_read(ret, bytes);
}

static void products_agree_with_additions(void)
{
    for (int round = 0; round < 3000; round++) {
        struct scalar product = {{0}};
        struct scalar got;
        struct scalar a;
        struct scalar b;

        pick(&a);
        pick(&b);
        for (int bit = 255; bit >= 0; bit--) {
            scalar_add(&product, &product, &product);
            if (b.d[bit / 64] >> (bit % 64) & 1)
                scalar_add(&product, &product, &a);
        }
        scalar_mul(&got, &a, &b);
        EXPECT_BYTES("product", &got, sizeof(got), &product, sizeof(product));
    }
}

static void sums_stay_below_the_order(void)
{
    for (int round = 0; round < 3000; round++) {
        struct scalar zero = {{0}};
        struct scalar minus;
        struct scalar sum;
        struct scalar a;
        struct scalar again;
        uint8_t bytes[32];

        pick(&a);
        scalar_negate(&minus, &a);
        scalar_add(&sum, &a, &minus);
        EXPECT_TRUE("a - a", equal(&sum, &zero));
        scalar_add(&sum, &a, &a);
        write(bytes, &sum);
        EXPECT_TRUE("below n", scalar_read(&again, bytes) && equal(&again, &sum));
        EXPECT_INT("high", scalar_is_high(&a), !scalar_is_zero(&a) && !scalar_is_high(&minus));
    }
}

static void readings_at_the_order(void)
{
    struct scalar got;
    uint8_t bytes[32];

    write(bytes, &order);
    EXPECT_TRUE("n", !scalar_read(&got, bytes) && scalar_is_zero(&got));
    bytes[31]--;
    EXPECT_TRUE("n - 1", scalar_read(&got, bytes) && got.d[0] == order.d[0] - 1);
    bytes[31] += 2;
    EXPECT_TRUE("n + 1", !scalar_read(&got, bytes) && got.d[0] == 1 && got.d[3] == 0);
}

static void inverses_give_one(void)
{
    for (int round = 0; round < 100; round++) {
        struct scalar one = {{1, 0, 0, 0}};
        struct scalar inverse;
        struct scalar a;

        do
            pick(&a);
        while (scalar_is_zero(&a));
        scalar_inverse(&inverse, &a);
        scalar_mul(&a, &a, &inverse);
        EXPECT_TRUE("a / a", equal(&a, &one));
    }
}

static void halves_add_up(void)
{
    for (int round = 0; round < 20000; round++) {
        struct scalar_halves halves;
        struct scalar k1 = {{0}};
        struct scalar k2 = {{0}};
        struct scalar k;

        pick(&k);
        /* Near multiples of lambda one half is small. */
        if (round % 4 == 0) {
            k = (struct scalar){{test_random_below(8), 0, 0, 0}};
            scalar_mul(&k, &k, &lambda);
            scalar_add(&k, &k, &(struct scalar){{test_random_below(8), 0, 0, 0}});
        }
        scalar_split(&halves, &k);
        memcpy(k1.d, halves.k1, sizeof(halves.k1));
        memcpy(k2.d, halves.k2, sizeof(halves.k2));
        if (halves.k1_negative)
            scalar_negate(&k1, &k1);
        if (halves.k2_negative)
            scalar_negate(&k2, &k2);
        scalar_mul(&k2, &k2, &lambda);
        scalar_add(&k1, &k1, &k2);
        EXPECT_BYTES("k1 + k2 lambda", &k1, sizeof(k1), &k, sizeof(k));
    }
}

TEST_LIST(TEST(products_agree_with_additions), TEST(sums_stay_below_the_order),
          TEST(readings_at_the_order), TEST(inverses_give_one), TEST(halves_add_up))
