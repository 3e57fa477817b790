/* Decimal text to fixed-point numbers, exactly: amounts in RPC arguments and on
 * the command line. */
#ifndef CODEC_DECIMAL_H
#define CODEC_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define DECIMAL_VALUE_MAX 999999999999999999

/* Read a number in JSON's form (sign, fraction and exponent allowed) times
 * 10^places. False if it is no such number, has digits below the last place, or
 * is beyond DECIMAL_VALUE_MAX either way; *ret_value is then unchanged. places
 * is 0 to 17. */
NODISCARD bool decimal_read(int64_t *ret_value, const char *text, size_t len, unsigned places)
    NONNULL(1);

#endif /* CODEC_DECIMAL_H */
