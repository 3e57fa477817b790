#include "codec/decimal.h"

#include <string.h>

#include "base/check.h"
#include "codec/json.h"

/* Exponents beyond this cannot be made good by digits: texts are shorter. */
#define EXPONENT_MAX ((int64_t)1 << 40)

static int64_t read_exponent(const char *at, const char *end)
{
    int64_t value = 0;
    bool negative = *at == '-';

    if (*at == '-' || *at == '+')
        at++;
    for (; at < end; at++)
        value = MIN(value * 10 + (*at - '0'), EXPONENT_MAX);
    return negative ? -value : value;
}

/* Digits are taken one by one; zeros wait until a digit follows that needs them,
 * so that 1000e-11 is as good as 1e-8. */
bool decimal_read(int64_t *ret_value, const char *text, size_t len, unsigned places)
{
    const char *end = text + len;
    const char *at = text;
    int64_t value = 0;
    int64_t zeros = 0;
    int64_t power = places; /* Of ten, by which value is still to be multiplied. */
    bool negative;
    bool in_fraction = false;

    CHECK(places <= 17);
    if (!json_is_number_text(text, len))
        return false;
    negative = *at == '-';
    if (negative)
        at++;
    if (*at == '0')
        at++; /* Alone before the point: no digit that counts. */
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            in_fraction = true;
            continue;
        }
        if (in_fraction)
            power--;
        if (*at == '0') {
            zeros++;
            continue;
        }
        for (; zeros >= 0; zeros--) {
            if (value > DECIMAL_VALUE_MAX / 10)
                return false;
            value *= 10;
        }
        zeros = 0;
        value += *at - '0';
    }
    if (at < end)
        power += read_exponent(at + 1, end);
    power += zeros;
    if (power < 0 || power >= 18)
        return false;
    for (; power > 0; power--) {
        if (value > DECIMAL_VALUE_MAX / 10)
            return false;
        value *= 10;
    }
    if (value > DECIMAL_VALUE_MAX)
        return false;
    *ret_value = negative ? -value : value;
    return true;
}
