/* Named pipes (FIFOs) to write into: what a user makes to hand a large file on without
 * storing it. Any thread; one pipe is one thread's. Waiting ends when go_on, asked
 * now and then, says false (E_STOPPED); go_on may be NULL.
 */
#ifndef OS_PIPE_H
#define OS_PIPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

bool pipe_is_at(const char *path);

/* Waits until somebody reads. *ret_fd is the caller's to end with pipe_close.
 * Returns: 0, E_STOPPED, E_NOT_FOUND, E_PERMISSION, E_IO. */
NODISCARD int pipe_open(int *ret_fd, const char *path, bool (*go_on)(void *context), void *context,
                        struct error *err);

/* All of it. E_IO: the reader went away. SIGPIPE is to be ignored. */
NODISCARD int pipe_write(int fd, const void *data, size_t len, bool (*go_on)(void *context),
                         void *context, struct error *err);

void pipe_close(int fd); /* -1 is fine. */

#endif /* OS_PIPE_H */
