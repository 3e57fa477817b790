#include "os/memory.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "base/alloc.h"

void *memory_block_new(void)
{
    void *block = NULL;

    /* On failure alloc tells the handler; its size is then the one that is missing. */
    if (posix_memalign(&block, MEMORY_BLOCK_BYTES, MEMORY_BLOCK_BYTES) != 0)
        return alloc(MEMORY_BLOCK_BYTES);
    /* A wish: where it is refused, small pages serve as well, only slower. */
    (void)madvise(block, MEMORY_BLOCK_BYTES, MADV_HUGEPAGE);
    return block;
}
