#include "os/pipe.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/thread.h"
#include "test.h"

#define MUCH (1U << 20) /* More than a pipe holds. */

struct reader_of {
    const char *path;
    uint8_t *bytes;
    size_t len;
};

static void read_all(void *context)
{
    struct reader_of *reader = context;
    int fd = open(reader->path, O_RDONLY);
    ssize_t got;

    while ((got = read(fd, reader->bytes + reader->len, MUCH + 1 - reader->len)) > 0)
        reader->len += (size_t)got;
    (void)close(fd);
}

static bool count_down(void *context)
{
    int *left = context;

    return (*left)-- > 0;
}

static void all_goes_through(void)
{
    char *path = alloc_printf("%s/pipe", test_folder());
    struct reader_of reader = {.path = path, .bytes = alloc(MUCH + 1)};
    uint8_t *bytes = alloc(MUCH);
    struct thread thread = {0};
    struct error err = {0};
    int fd = -1;
    int left = 1;

    (void)signal(SIGPIPE, SIG_IGN);
    test_random_fill(bytes, MUCH);
    EXPECT_TRUE("not there", !pipe_is_at(path));
    EXPECT_INT("not there", pipe_open(&fd, path, NULL, NULL, &err), E_NOT_FOUND);
    CHECK(mkfifo(path, 0600) == 0);
    EXPECT_TRUE("there", pipe_is_at(path));
    EXPECT_TRUE("a folder is none", !pipe_is_at(test_folder()));
    EXPECT_INT("nobody reads", pipe_open(&fd, path, count_down, &left, &err), E_STOPPED);
    CHECK(thread_start(&thread, "reader", read_all, &reader, &err) == 0);
    EXPECT_INT("open", pipe_open(&fd, path, NULL, NULL, &err), 0);
    EXPECT_INT("write", pipe_write(fd, bytes, MUCH, NULL, NULL, &err), 0);
    pipe_close(fd);
    thread_join(&thread);
    EXPECT_BYTES("read", reader.bytes, reader.len, bytes, MUCH);
    free(reader.bytes);
    free(bytes);
    free(path);
}

static void a_reader_that_sleeps_or_goes(void)
{
    char *path = alloc_printf("%s/sleepy", test_folder());
    uint8_t *bytes = alloc_zero(MUCH);
    struct error err = {0};
    int left = 2;
    int reader;
    int fd = -1;

    (void)signal(SIGPIPE, SIG_IGN);
    CHECK(mkfifo(path, 0600) == 0);
    reader = open(path, O_RDONLY | O_NONBLOCK);
    EXPECT_INT("open", pipe_open(&fd, path, NULL, NULL, &err), 0);
    EXPECT_INT("asleep", pipe_write(fd, bytes, MUCH, count_down, &left, &err), E_STOPPED);
    (void)close(reader);
    EXPECT_INT("gone", pipe_write(fd, bytes, MUCH, NULL, NULL, &err), E_IO);
    pipe_close(fd);
    free(bytes);
    free(path);
}

TEST_LIST(TEST(all_goes_through), TEST(a_reader_that_sleeps_or_goes))
