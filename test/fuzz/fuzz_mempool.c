/* Target: the mempool. Transactions, blocks and reorganizations made of the input go to it and
 * to a slow model; after each step both hold the same. */
#include <stddef.h>
#include <stdint.h>

#include "mempool/naive_pool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    naive_pool_play(data, len < 2000 ? len : 2000);
    return 0;
}
