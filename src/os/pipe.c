#include "os/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

/* Between two looks at whether to go on. */
#define LOOK_MS 100

bool pipe_is_at(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
}

int pipe_open(int *ret_fd, const char *path, bool (*go_on)(void *context), void *context,
              struct error *err)
{
    for (;;) {
        int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

        if (fd >= 0) {
            *ret_fd = fd;
            return 0;
        }
        if (errno != ENXIO && errno != EINTR)
            return error_set_errno(err, errno, "could not open '%s'", path);
        if (go_on != NULL && !go_on(context))
            return error_set(err, E_STOPPED, "stopped before anybody read from '%s'", path);
        (void)poll(NULL, 0, LOOK_MS);
    }
}

int pipe_write(int fd, const void *data, size_t len, bool (*go_on)(void *context), void *context,
               struct error *err)
{
    const uint8_t *at = data;

    while (len > 0) {
        struct pollfd wanted = {.fd = fd, .events = POLLOUT};
        ssize_t put = write(fd, at, len);

        if (put > 0) {
            at += put;
            len -= (size_t)put;
            continue;
        }
        if (put < 0 && errno != EAGAIN && errno != EINTR)
            return error_set(err, E_IO, "could not write to the pipe: %s",
                             errno == EPIPE ? "its reader went away" : "the system refused");
        if (go_on != NULL && !go_on(context))
            return error_set(err, E_STOPPED, "stopped while writing to a pipe");
        (void)poll(&wanted, 1, LOOK_MS);
    }
    return 0;
}

void pipe_close(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}
