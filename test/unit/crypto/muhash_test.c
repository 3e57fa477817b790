#include "crypto/muhash.h"

#include "base/hex.h"
#include "test.h"

/* --- A naive model: bits and 32-bit digits --- */

#define DIGITS 96

struct model {
    uint32_t digit[DIGITS];
};

static bool model_at_least_prime(const struct model *a)
{
    if (a->digit[0] < 0xffffffffU - 1103717 + 1)
        return false;
    for (size_t i = 1; i < DIGITS; i++) {
        if (a->digit[i] != 0xffffffff)
            return false;
    }
    return true;
}

static void model_add(struct model *a, const struct model *b)
{
    uint64_t carry = 0;

    for (size_t i = 0; i < DIGITS; i++) {
        carry += (uint64_t)a->digit[i] + b->digit[i];
        a->digit[i] = (uint32_t)carry;
        carry >>= 32;
    }
    /* 2^3072 is the prime and 1103717. */
    carry *= 1103717;
    for (size_t i = 0; carry > 0; i++) {
        carry += a->digit[i % DIGITS];
        a->digit[i % DIGITS] = (uint32_t)carry;
        carry >>= 32;
    }
    if (model_at_least_prime(a)) {
        a->digit[0] += 1103717;
        memset(a->digit + 1, 0, sizeof(a->digit) - 4);
    }
}

/* a * b, by doubling and adding. */
static struct model model_product(const struct model *a, const struct model *b)
{
    struct model sum = {0};

    for (size_t bit = 32 * DIGITS; bit-- > 0;) {
        struct model same = sum;

        model_add(&sum, &same);
        if ((b->digit[bit / 32] >> bit % 32 & 1) != 0)
            model_add(&sum, a);
    }
    return sum;
}

static struct model model_of(const struct muhash_num *num)
{
    struct model a;
    struct model zero = {0};

    for (size_t i = 0; i < DIGITS; i++)
        a.digit[i] = (uint32_t)(num->limb[i / 2] >> 32 * (i % 2));
    model_add(&a, &zero); /* Least form. */
    return a;
}

static void random_num(struct muhash_num *ret)
{
    test_random_fill(ret, sizeof(*ret));
    /* Runs of ones and zeros: where carries are born and where they travel. */
    for (size_t i = 0; i < MUHASH_LIMBS; i++) {
        uint64_t kind = test_random_below(6);

        if (kind == 0)
            ret->limb[i] = 0;
        else if (kind < 3)
            ret->limb[i] = UINT64_MAX;
    }
    if (test_random_below(4) == 0)
        memset(ret, 0xff, sizeof(*ret));
}

static void products_are_those_of_the_model(void)
{
    for (int i = 0; i < 40; i++) {
        struct muhash a;
        struct muhash b;
        struct model want;
        struct model got;

        random_num(&a.numerator);
        random_num(&b.numerator);
        random_num(&a.denominator);
        random_num(&b.denominator);
        {
            struct model x = model_of(&a.numerator);
            struct model y = model_of(&b.numerator);

            want = model_product(&x, &y);
        }
        muhash_combine(&a, &b);
        got = model_of(&a.numerator);
        EXPECT_BYTES("product", &got, sizeof(got), &want, sizeof(want));
    }
}

/* What finish leaves in the numerator, times the denominator, is the numerator
 * that was: so squaring and the inverse are right. */
static void quotients_are_those_of_the_model(void)
{
    for (int i = 0; i < 8; i++) {
        struct muhash a;
        struct model numerator;
        struct model denominator;
        struct model quotient;
        struct model got;
        uint8_t digest[32];

        random_num(&a.numerator);
        random_num(&a.denominator);
        a.denominator.limb[0] |= 1ULL << 63; /* Not zero. */
        numerator = model_of(&a.numerator);
        denominator = model_of(&a.denominator);
        muhash_finish(&a, digest);
        quotient = model_of(&a.numerator);
        got = model_product(&quotient, &denominator);
        EXPECT_BYTES("back", &got, sizeof(got), &numerator, sizeof(numerator));
    }
}

/* --- As a hash of sets --- */

static void member(uint8_t *ret_data, uint8_t number)
{
    memset(ret_data, 0, 32);
    ret_data[0] = number;
}

/* The value that implementations of MuHash3072 publish for the members 0 and 1,
 * without 2. */
static void published_answer(void)
{
    uint8_t data[32];
    uint8_t digest[32];
    char text[65];
    struct muhash set;

    muhash_init(&set);
    member(data, 0);
    muhash_insert(&set, data, 32);
    member(data, 1);
    muhash_insert(&set, data, 32);
    member(data, 2);
    muhash_remove(&set, data, 32);
    muhash_finish(&set, digest);
    hex_write_reversed(text, digest, 32);
    EXPECT_STR("0 1 -2", text, "10d312b100cbd32ada024a6646e40d3482fcff103668d2625f10002a607d5863");
}

static void order_does_not_matter(void)
{
    for (int i = 0; i < 5; i++) {
        uint8_t data[20][32];
        uint8_t one[32];
        uint8_t other[32];
        uint8_t part[MUHASH_STATE_BYTES];
        struct muhash a;
        struct muhash b;
        struct muhash c;

        test_random_fill(data, sizeof(data));
        muhash_init(&a);
        muhash_init(&b);
        muhash_init(&c);
        for (size_t k = 0; k < 10; k++)
            muhash_insert(&a, data[k], 1 + k);
        /* Backwards, in two parts, one written and read, with detours. */
        for (size_t k = 20; k-- > 5;) {
            muhash_insert(&b, data[k], 1 + k);
            if (k >= 10)
                muhash_remove(k % 2 == 0 ? &b : &c, data[k], 1 + k);
        }
        for (size_t k = 0; k < 5; k++)
            muhash_insert(&c, data[k], 1 + k);
        muhash_write(part, &c);
        muhash_read(&c, part);
        muhash_combine(&b, &c);
        muhash_finish(&a, one);
        muhash_finish(&b, other);
        EXPECT_BYTES("same set", other, 32, one, 32);
        muhash_finish(&b, other);
        EXPECT_BYTES("finished twice", other, 32, one, 32);
        muhash_insert(&b, data[0], 1);
        muhash_finish(&b, other);
        EXPECT_TRUE("a member twice", memcmp(other, one, 32) != 0);
        muhash_divide(&b, &b);
        muhash_init(&a);
        muhash_finish(&a, one);
        muhash_finish(&b, other);
        EXPECT_BYTES("nothing left", other, 32, one, 32);
    }
}

TEST_LIST(TEST(products_are_those_of_the_model), TEST(quotients_are_those_of_the_model),
          TEST(published_answer), TEST(order_does_not_matter))
