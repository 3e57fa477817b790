/* Target: one data block of a sorted run, its checksum taken as good. It is refused or
 * has as many records as it says; nothing outside of it is read. */
#include "base/check.h"
#include "store/run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t block[RUN_BLOCK_BYTES] = {0};
    int n;

    memcpy(block, data, len < sizeof(block) ? len : sizeof(block));
    n = run_block_check(block);
    CHECK(n == E_CORRUPT || n == get_le16(block + 8));
    return 0;
}
