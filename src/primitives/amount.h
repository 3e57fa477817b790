/* Amounts are signed 64-bit satoshis, names end in _sat. */
#ifndef PRIMITIVES_AMOUNT_H
#define PRIMITIVES_AMOUNT_H

#include <stdbool.h>
#include <stdint.h>

#define COIN_SAT INT64_C(100000000)
#define MONEY_MAX_SAT (INT64_C(21000000) * COIN_SAT)

static inline bool money_in_range(int64_t amount_sat)
{
    return amount_sat >= 0 && amount_sat <= MONEY_MAX_SAT;
}

#endif /* PRIMITIVES_AMOUNT_H */
