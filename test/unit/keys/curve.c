/* Every test of the room signs: the context for secrets is made before main. */
#include "crypto/secp.h"

__attribute__((constructor)) static void prepare_curve(void)
{
    static const uint8_t seed[32] = {1};

    secp_init(seed);
}

__attribute__((destructor)) static void release_curve(void)
{
    secp_clear();
}
