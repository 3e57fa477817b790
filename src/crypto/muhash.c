#include "crypto/muhash.h"

#include <string.h>

#include <sodium.h>

#include "base/bytes.h"
#include "base/check.h"
#include "crypto/sha256.h"

#define NUM_BYTES 384
/* The prime is 2^3072 - PRIME_GAP. */
#define PRIME_GAP 1103717U

__extension__ typedef unsigned __int128 wide;

/* Three words that columns of a product add up in. */
struct column {
    wide low;
    uint64_t high;
};

static inline void column_add(struct column *c, uint64_t a, uint64_t b)
{
    wide product = (wide)a * b;

    c->low += product;
    c->high += c->low < product;
}

static inline uint64_t column_take(struct column *c)
{
    uint64_t limb = (uint64_t)c->low;

    c->low = c->low >> 64 | (wide)c->high << 64;
    c->high = 0;
    return limb;
}

static void product_of(uint64_t *ret, const uint64_t *a, const uint64_t *b)
{
    struct column c = {0};

    for (size_t k = 0; k < 2 * MUHASH_LIMBS - 1; k++) {
        size_t first = k < MUHASH_LIMBS ? 0 : k - MUHASH_LIMBS + 1;
        size_t last = MIN(k, (size_t)MUHASH_LIMBS - 1);

        for (size_t i = first; i <= last; i++)
            column_add(&c, a[i], b[k - i]);
        ret[k] = column_take(&c);
    }
    ret[2 * MUHASH_LIMBS - 1] = column_take(&c);
}

/* As product_of(ret, a, a): each pair of different limbs is multiplied once and
 * counted twice. */
static void square_of(uint64_t *ret, const uint64_t *a)
{
    struct column c = {0};

    for (size_t k = 0; k < 2 * MUHASH_LIMBS - 1; k++) {
        size_t first = k < MUHASH_LIMBS ? 0 : k - MUHASH_LIMBS + 1;
        struct column pairs = {0};

        for (size_t i = first; i < k - i; i++)
            column_add(&pairs, a[i], a[k - i]);
        pairs.high = pairs.high << 1 | (uint64_t)(pairs.low >> 127);
        pairs.low <<= 1;
        if (k % 2 == 0)
            column_add(&pairs, a[k / 2], a[k / 2]);
        c.low += pairs.low;
        c.high += pairs.high + (c.low < pairs.low);
        ret[k] = column_take(&c);
    }
    ret[2 * MUHASH_LIMBS - 1] = column_take(&c);
}

/* num += small; returns what goes over the top. */
static uint64_t add_small(struct muhash_num *num, wide small)
{
    for (size_t i = 0; i < MUHASH_LIMBS && small > 0; i++) {
        small += num->limb[i];
        num->limb[i] = (uint64_t)small;
        small >>= 64;
    }
    return (uint64_t)small;
}

/* 2^3072 is PRIME_GAP: the upper half is folded onto the lower, twice. */
static void reduce(struct muhash_num *ret, const uint64_t *product)
{
    wide carry = 0;
    uint64_t over;

    for (size_t i = 0; i < MUHASH_LIMBS; i++) {
        carry += (wide)product[MUHASH_LIMBS + i] * PRIME_GAP + product[i];
        ret->limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    over = add_small(ret, carry * PRIME_GAP);
    /* A carry out of the second fold leaves next to nothing behind. */
    if (over > 0)
        CHECK(add_small(ret, PRIME_GAP) == 0);
}

static void multiply(struct muhash_num *a, const struct muhash_num *b)
{
    uint64_t product[2 * MUHASH_LIMBS];

    product_of(product, a->limb, b->limb);
    reduce(a, product);
}

static void square(struct muhash_num *a)
{
    uint64_t product[2 * MUHASH_LIMBS];

    square_of(product, a->limb);
    reduce(a, product);
}

static void square_times(struct muhash_num *a, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        square(a);
}

/* The least form: below the prime. */
static void normalize(struct muhash_num *a)
{
    struct muhash_num above = *a;

    if (add_small(&above, PRIME_GAP) != 0)
        *a = above;
}

static void set_one(struct muhash_num *a)
{
    *a = (struct muhash_num){.limb = {1}};
}

/* a^(2^n - 1): an exponent of n ones is one of n/2 ones, shifted, and once more. */
static struct muhash_num power_of_ones(const struct muhash_num *a, unsigned n)
{
    unsigned top = 31 - (unsigned)__builtin_clz(n);
    struct muhash_num power = *a;
    unsigned ones = 1;

    for (unsigned bit = top; bit-- > 0;) {
        struct muhash_num half = power;

        square_times(&power, ones);
        multiply(&power, &half);
        ones *= 2;
        if ((n >> bit & 1) != 0) {
            square(&power);
            multiply(&power, a);
            ones++;
        }
    }
    return power;
}

/* 1/a is a^(prime - 2), after Fermat. That exponent is 3051 ones in front of the
 * 21 bits of LOW_EXPONENT. */
#define LOW_BITS 21
#define LOW_EXPONENT ((1U << LOW_BITS) - PRIME_GAP - 2)

static struct muhash_num inverse(const struct muhash_num *a)
{
    struct muhash_num power = power_of_ones(a, 3072 - LOW_BITS);

    for (unsigned bit = LOW_BITS; bit-- > 0;) {
        square(&power);
        if ((LOW_EXPONENT >> bit & 1) != 0)
            multiply(&power, a);
    }
    return power;
}

static void num_write(uint8_t *ret_data, const struct muhash_num *num)
{
    for (size_t i = 0; i < MUHASH_LIMBS; i++)
        put_le64(ret_data + 8 * i, num->limb[i]);
}

static void num_read(struct muhash_num *ret_num, const uint8_t *data)
{
    for (size_t i = 0; i < MUHASH_LIMBS; i++)
        ret_num->limb[i] = get_le64(data + 8 * i);
}

static struct muhash_num num_of(const void *data, size_t len)
{
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];
    uint8_t key[SHA256_BYTES];
    uint8_t stream[NUM_BYTES];
    struct muhash_num num;

    sha256(key, data, len);
    CHECK(crypto_stream_chacha20(stream, sizeof(stream), nonce, key) == 0);
    num_read(&num, stream);
    return num;
}

void muhash_init(struct muhash *set)
{
    set_one(&set->numerator);
    set_one(&set->denominator);
}

void muhash_insert(struct muhash *set, const void *data, size_t len)
{
    struct muhash_num num = num_of(data, len);

    multiply(&set->numerator, &num);
}

void muhash_remove(struct muhash *set, const void *data, size_t len)
{
    struct muhash_num num = num_of(data, len);

    multiply(&set->denominator, &num);
}

void muhash_combine(struct muhash *set, const struct muhash *other)
{
    multiply(&set->numerator, &other->numerator);
    multiply(&set->denominator, &other->denominator);
}

void muhash_divide(struct muhash *set, const struct muhash *other)
{
    struct muhash_num numerator = other->numerator; /* set may be other. */

    multiply(&set->numerator, &other->denominator);
    multiply(&set->denominator, &numerator);
}

void muhash_finish(struct muhash *set, uint8_t *ret_digest)
{
    struct muhash_num over = inverse(&set->denominator);
    uint8_t data[NUM_BYTES];

    multiply(&set->numerator, &over);
    normalize(&set->numerator);
    set_one(&set->denominator);
    num_write(data, &set->numerator);
    sha256(ret_digest, data, sizeof(data));
}

void muhash_write(uint8_t *ret_data, const struct muhash *set)
{
    num_write(ret_data, &set->numerator);
    num_write(ret_data + NUM_BYTES, &set->denominator);
}

void muhash_read(struct muhash *ret_set, const uint8_t *data)
{
    num_read(&ret_set->numerator, data);
    num_read(&ret_set->denominator, data + NUM_BYTES);
}
