/* Target: the asmap. A map that passes the check answers for every address, within its
 * bytes. */
#include <string.h>

#include "base/check.h"
#include "p2p/asmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct asmap *asmap = NULL;
    uint8_t ip[16] = {0x2a};

    if (asmap_new(&asmap, span_of(data, len), NULL) < 0)
        return 0;
    for (unsigned i = 0; i < 64; i++) {
        struct net_address address;

        for (unsigned j = 1; j < sizeof(ip); j++)
            ip[j] = (uint8_t)(data[(i * 7 + j * 3) % len] ^ i * 31);
        address = i % 2 == 0 ? net_address_ipv6(ip, 0, 0) : net_address_ipv4(ip + 4, 0);
        CHECK(asmap_find(asmap, &address) <= 1U << 25);
    }
    asmap_free(asmap);
    return 0;
}
