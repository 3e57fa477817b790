/* Random bytes from the kernel. Any thread; blocks only in early boot; a kernel
 * without them is a broken invariant. */
#ifndef OS_ENTROPY_H
#define OS_ENTROPY_H

#include <stddef.h>

void entropy_fill(void *ret_data, size_t len);

#endif /* OS_ENTROPY_H */
