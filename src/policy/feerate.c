#include "policy/feerate.h"

#include "base/check.h"
#include "primitives/amount.h"

__extension__ typedef __int128 wide;

int64_t feerate_fee_sat(struct feerate feerate, uint64_t size_vbytes)
{
    CHECK(size_vbytes <= UINT64_C(1) << 31);
    CHECK(feerate.sat_kvb >= 0 && feerate.sat_kvb <= MONEY_MAX_SAT);
    return (int64_t)(((wide)feerate.sat_kvb * (wide)size_vbytes + 999) / 1000);
}
