/* Target: the orphanage. Whatever peers do in whatever order, it says the same
 * as the naive one. */
#include "p2p/naive_orphanage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    naive_orphanage_run(data, len < 4000 ? len : 4000);
    return 0;
}
