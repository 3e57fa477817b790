/* Large pieces of memory for tables that are read all over: on pages as large as the
 * machine gives, so that finding the page costs less than finding the data. Any
 * thread.
 */
#ifndef OS_MEMORY_H
#define OS_MEMORY_H

#include <stddef.h>

#define MEMORY_BLOCK_BYTES ((size_t)2 << 20)

/* MEMORY_BLOCK_BYTES, aligned to as much; never NULL. Pages that were not touched
 * take nothing. Release with free(). */
void *memory_block_new(void) __attribute__((malloc, returns_nonnull, warn_unused_result));

#endif /* OS_MEMORY_H */
