#include "consensus/pow.h"

#include <math.h>

#include "base/check.h"
#include "base/hex.h"

#define LIMBS 4
#define COMPACT_SIGN 0x00800000U
#define COMPACT_WORD 0x007fffffU

__extension__ typedef unsigned __int128 wide;

int u256_compare(const struct u256 *a, const struct u256 *b)
{
    for (int i = LIMBS - 1; i >= 0; i--) {
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    }
    return 0;
}

struct u256 u256_add(const struct u256 *a, const struct u256 *b)
{
    struct u256 sum;
    wide carry = 0;

    for (int i = 0; i < LIMBS; i++) {
        carry += (wide)a->limb[i] + b->limb[i];
        sum.limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return sum;
}

struct u256 u256_subtract(const struct u256 *a, const struct u256 *b)
{
    struct u256 difference;
    uint64_t borrow = 0;

    for (int i = 0; i < LIMBS; i++) {
        wide left = (wide)a->limb[i] - b->limb[i] - borrow;

        difference.limb[i] = (uint64_t)left;
        borrow = (uint64_t)(left >> 64) & 1;
    }
    return difference;
}

void u256_to_hex(char *ret_text, const struct u256 *v)
{
    uint8_t bytes[32];

    for (int i = 0; i < LIMBS; i++)
        put_be64(bytes + 8 * (LIMBS - 1 - i), v->limb[i]);
    hex_write(ret_text, bytes, sizeof(bytes));
}

bool u256_from_hex(struct u256 *ret_v, const char *text)
{
    char padded[64];
    uint8_t bytes[32];
    size_t len = strlen(text);

    if (len == 0 || len > sizeof(padded))
        return false;
    memset(padded, '0', sizeof(padded));
    memcpy(padded + sizeof(padded) - len, text, len);
    if (!hex_read(bytes, sizeof(bytes), padded, sizeof(padded)))
        return false;
    for (int i = 0; i < LIMBS; i++)
        ret_v->limb[i] = get_be64(bytes + 8 * (LIMBS - 1 - i));
    return true;
}

double u256_to_double(const struct u256 *v)
{
    double sum = 0;

    for (int i = 0; i < LIMBS; i++)
        sum += ldexp((double)v->limb[i], 64 * i);
    return sum;
}

struct u256 u256_of_hash(const uint8_t *hash)
{
    struct u256 v;

    for (int i = 0; i < LIMBS; i++)
        v.limb[i] = get_le64(hash + 8 * i);
    return v;
}

static bool is_zero(const struct u256 *v)
{
    return (v->limb[0] | v->limb[1] | v->limb[2] | v->limb[3]) == 0;
}

static unsigned bit_length(const struct u256 *v)
{
    for (unsigned i = LIMBS; i > 0; i--) {
        if (v->limb[i - 1] != 0)
            return 64 * i - (unsigned)__builtin_clzll(v->limb[i - 1]);
    }
    return 0;
}

/* bits may be anything; from 256 on nothing is left. */
static struct u256 shift_left(const struct u256 *v, unsigned bits)
{
    struct u256 out = {{0}};
    unsigned limbs = bits / 64;
    unsigned rest = bits % 64;

    for (unsigned i = limbs; i < LIMBS; i++) {
        out.limb[i] = v->limb[i - limbs] << rest;
        if (rest > 0 && i > limbs)
            out.limb[i] |= v->limb[i - limbs - 1] >> (64 - rest);
    }
    return out;
}

static struct u256 shift_right(const struct u256 *v, unsigned bits)
{
    struct u256 out = {{0}};
    unsigned limbs = bits / 64;
    unsigned rest = bits % 64;

    for (unsigned i = 0; i + limbs < LIMBS; i++) {
        out.limb[i] = v->limb[i + limbs] >> rest;
        if (rest > 0 && i + limbs + 1 < LIMBS)
            out.limb[i] |= v->limb[i + limbs + 1] << (64 - rest);
    }
    return out;
}

/* Wraps, which no target within a network's limit reaches. */
static struct u256 multiply_small(const struct u256 *v, uint32_t factor)
{
    struct u256 out;
    wide carry = 0;

    for (int i = 0; i < LIMBS; i++) {
        carry += (wide)v->limb[i] * factor;
        out.limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return out;
}

static struct u256 divide_small(const struct u256 *v, uint32_t divisor)
{
    struct u256 out;
    wide rest = 0;

    for (int i = LIMBS - 1; i >= 0; i--) {
        rest = rest << 64 | v->limb[i];
        out.limb[i] = (uint64_t)(rest / divisor);
        rest %= divisor;
    }
    return out;
}

static void halve(struct u256 *v)
{
    for (int i = 0; i < LIMBS - 1; i++)
        v->limb[i] = v->limb[i] >> 1 | v->limb[i + 1] << 63;
    v->limb[LIMBS - 1] >>= 1;
}

/* Bit by bit, but only as many as the quotient has: 33 to some 100 for the
 * targets of real chains. divisor is not zero. */
static struct u256 divide(struct u256 rest, const struct u256 *divisor)
{
    struct u256 quotient = {{0}};
    struct u256 part;
    unsigned rest_bits = bit_length(&rest);
    unsigned divisor_bits = bit_length(divisor);

    if (rest_bits < divisor_bits)
        return quotient;
    part = shift_left(divisor, rest_bits - divisor_bits);
    for (unsigned i = rest_bits - divisor_bits + 1; i > 0; i--) {
        if (u256_compare(&rest, &part) >= 0) {
            rest = u256_subtract(&rest, &part);
            quotient.limb[(i - 1) / 64] |= UINT64_C(1) << (i - 1) % 64;
        }
        halve(&part);
    }
    return quotient;
}

struct u256 target_of_bits(uint32_t bits, bool *ret_negative, bool *ret_overflow)
{
    uint32_t size = bits >> 24;
    uint32_t word = bits & COMPACT_WORD;
    struct u256 target = {{0}};

    if (size <= 3) {
        word >>= 8 * (3 - size);
        target.limb[0] = word;
    } else {
        struct u256 low = {{word}};

        target = shift_left(&low, 8 * (size - 3));
    }
    if (ret_negative != NULL)
        *ret_negative = word != 0 && (bits & COMPACT_SIGN) != 0;
    if (ret_overflow != NULL)
        *ret_overflow =
            word != 0 && (size > 34 || (word > 0xff && size > 33) || (word > 0xffff && size > 32));
    return target;
}

uint32_t bits_of_target(const struct u256 *target)
{
    uint32_t size = (bit_length(target) + 7) / 8;
    uint32_t word;

    if (size <= 3) {
        word = (uint32_t)(target->limb[0] << 8 * (3 - size));
    } else {
        struct u256 high = shift_right(target, 8 * (size - 3));

        word = (uint32_t)high.limb[0];
    }
    /* The top bit would be read as a sign. */
    if (word & COMPACT_SIGN) {
        word >>= 8;
        size++;
    }
    return word | size << 24;
}

struct u256 work_of_bits(uint32_t bits)
{
    const struct u256 one = {{1}};
    bool negative;
    bool overflow;
    struct u256 target = target_of_bits(bits, &negative, &overflow);
    struct u256 divisor;
    struct u256 inverse;

    if (negative || overflow || is_zero(&target))
        return (struct u256){{0}};
    /* 2^256 does not fit; 2^256 / (t + 1) is (2^256 - 1 - t) / (t + 1) + 1. */
    divisor = u256_add(&target, &one);
    for (int i = 0; i < LIMBS; i++)
        inverse.limb[i] = ~target.limb[i];
    inverse = divide(inverse, &divisor);
    return u256_add(&inverse, &one);
}

bool pow_check(const struct block_hash *hash, uint32_t bits, const struct params *params)
{
    struct u256 limit = u256_of_hash(params->pow_limit);
    struct u256 value = u256_of_hash(hash->b);
    bool negative;
    bool overflow;
    struct u256 target = target_of_bits(bits, &negative, &overflow);

    if (negative || overflow || is_zero(&target) || u256_compare(&target, &limit) > 0)
        return false;
    return u256_compare(&value, &target) <= 0;
}

static struct ancestor at(const struct ancestry *ancestry, int32_t height)
{
    VERIFY(height >= 0 && height <= ancestry->tip_height);
    return ancestry->at(ancestry->context, height);
}

static struct u256 scaled(const struct u256 *target, int64_t timespan_s,
                          const struct params *params)
{
    struct u256 limit = u256_of_hash(params->pow_limit);
    struct u256 out = multiply_small(target, (uint32_t)timespan_s);

    out = divide_small(&out, (uint32_t)params->pow_target_timespan_s);
    return u256_compare(&out, &limit) > 0 ? limit : out;
}

static uint32_t retarget(const struct ancestry *ancestry, const struct params *params)
{
    struct ancestor last = at(ancestry, ancestry->tip_height);
    int32_t period = params_retarget_period(params);
    struct ancestor first;
    int64_t timespan_s;
    struct u256 target;

    if (params->pow_no_retargeting)
        return last.bits;
    /* From the first to the last block of the period: one interval fewer than
     * the period has, as ever. */
    first = at(ancestry, ancestry->tip_height - (period - 1));
    timespan_s = (int64_t)last.time - (int64_t)first.time;
    timespan_s = MAX(timespan_s, params->pow_target_timespan_s / 4);
    timespan_s = MIN(timespan_s, params->pow_target_timespan_s * 4);
    /* BIP 94: the first block of a period never has the minimum difficulty by
     * exception, the last one may. */
    target = target_of_bits(params->enforce_bip94 ? first.bits : last.bits, NULL, NULL);
    target = scaled(&target, timespan_s, params);
    return bits_of_target(&target);
}

uint32_t pow_next_bits(const struct ancestry *ancestry, uint32_t time, const struct params *params)
{
    struct u256 limit = u256_of_hash(params->pow_limit);
    uint32_t limit_bits = bits_of_target(&limit);
    int32_t height = ancestry->tip_height;
    int32_t period = params_retarget_period(params);
    struct ancestor block;

    if (height < 0)
        return limit_bits;
    if ((height + 1) % period == 0)
        return retarget(ancestry, params);
    block = at(ancestry, height);
    if (!params->pow_min_difficulty_blocks)
        return block.bits;
    /* After twenty minutes without a block anyone may find the next. */
    if ((int64_t)time > (int64_t)block.time + params->pow_target_spacing_s * 2)
        return limit_bits;
    /* Otherwise the difficulty before such exceptions goes on. */
    while (height > 0 && height % period != 0 && block.bits == limit_bits)
        block = at(ancestry, --height);
    return block.bits;
}

bool pow_transition_allowed(int32_t height, uint32_t old_bits, uint32_t new_bits,
                            const struct params *params)
{
    struct u256 old_target;
    struct u256 new_target;
    struct u256 bound;

    if (params->pow_min_difficulty_blocks)
        return true;
    if (height % params_retarget_period(params) != 0)
        return old_bits == new_bits;
    old_target = target_of_bits(old_bits, NULL, NULL);
    new_target = target_of_bits(new_bits, NULL, NULL);
    /* Each bound goes through the compact form, as the real target did. */
    bound = scaled(&old_target, params->pow_target_timespan_s * 4, params);
    bound = target_of_bits(bits_of_target(&bound), NULL, NULL);
    if (u256_compare(&new_target, &bound) > 0)
        return false;
    bound = scaled(&old_target, params->pow_target_timespan_s / 4, params);
    bound = target_of_bits(bits_of_target(&bound), NULL, NULL);
    return u256_compare(&new_target, &bound) >= 0;
}

#define MEDIAN_SPAN 11

uint32_t median_time_past(const struct ancestry *ancestry)
{
    uint32_t times[MEDIAN_SPAN];
    int32_t n = MIN(ancestry->tip_height + 1, MEDIAN_SPAN);

    if (n <= 0)
        return 0;
    for (int32_t i = 0; i < n; i++) {
        uint32_t time = at(ancestry, ancestry->tip_height - i).time;
        int32_t k = i;

        for (; k > 0 && times[k - 1] > time; k--)
            times[k] = times[k - 1];
        times[k] = time;
    }
    return times[n / 2];
}
