/* Fee rates: what is paid for a transaction by its size. */
#ifndef POLICY_FEERATE_H
#define POLICY_FEERATE_H

#include <stdint.h>

struct feerate {
    int64_t sat_kvb; /* Satoshi for 1,000 virtual bytes. */
};

static inline struct feerate feerate_of_sat_kvb(int64_t sat_kvb)
{
    return (struct feerate){.sat_kvb = sat_kvb};
}

/* The fee for a size, rounded up to whole satoshi. The size is at most 2^31 and
 * the rate at most all the money there is. */
int64_t feerate_fee_sat(struct feerate feerate, uint64_t size_vbytes);

#endif /* POLICY_FEERATE_H */
