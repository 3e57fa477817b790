/* Target: the request scheduler. Whatever peers do in whatever order, it says the same
 * as the naive one. */
#include "p2p/naive_tx_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    naive_tx_request_run(data, len < 6000 ? len : 6000);
    return 0;
}
