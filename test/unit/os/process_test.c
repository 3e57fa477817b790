#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/clock.h"
#include "os/entropy.h"
#include "os/process.h"
#include "test.h"

static void signals_become_events(void)
{
    struct error err = {0};

    EXPECT_INT("open", signals_open(&err), 0);
    EXPECT_INT("twice", signals_open(&err), E_STATE);
    EXPECT_INT("none", signals_wait(0), 0);
    EXPECT_INT("none", signals_wait(2), 0);
    (void)raise(SIGHUP);
    (void)raise(SIGUSR1);
    signals_raise(SIGTERM);
    EXPECT_INT("first", signals_wait(-1), SIGHUP);
    EXPECT_INT("second", signals_wait(1000), SIGUSR1);
    EXPECT_INT("third", signals_wait(0), SIGTERM);
    EXPECT_INT("no more", signals_wait(0), 0);
    EXPECT_TRUE("for a loop", signals_fd() >= 0);
    signals_close();
    EXPECT_INT("closed", signals_fd(), -1);
    signals_close();
}

/* What the daemon's parent would exit with. */
static int daemon_ends_with(bool is_ready)
{
    int status;
    pid_t middle = fork();

    if (middle == 0) {
        struct daemon_link link;
        bool is_parent;

        if (process_daemonize(&is_parent, &link, NULL) < 0)
            _exit(9);
        if (is_parent)
            _exit(daemon_wait(&link, NULL) == 0 ? 0 : 1);
        if (is_ready && getsid(0) == getpid() && !isatty(0))
            daemon_ready(&link);
        daemon_ready(&(struct daemon_link){-1});
        _exit(0);
    }
    CHECK(waitpid(middle, &status, 0) == middle);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

static void a_parent_learns_how_the_start_went(void)
{
    EXPECT_INT("ready", daemon_ends_with(true), 0);
    EXPECT_INT("ended early", daemon_ends_with(false), 1);
}

static void pid_files_hold_the_id(void)
{
    char *path = alloc_printf("%s/assayd.pid", test_folder());
    struct error err = {0};
    struct buf buf = {0};
    char want[32];

    EXPECT_INT("write", pid_file_write(path, &err), 0);
    EXPECT_INT("again", pid_file_write(path, &err), 0);
    EXPECT_TRUE("read", test_read_file(&buf, path));
    (void)snprintf(want, sizeof(want), "%ld\n", (long)getpid());
    EXPECT_STR("content", buf_string(&buf), want);
    pid_file_remove(path);
    EXPECT_INT("gone", access(path, F_OK), -1);
    pid_file_remove(path);
    EXPECT_INT("no folder", pid_file_write("/nonexistent/x/pid", &err), E_NOT_FOUND);
    buf_clear(&buf);
    free(path);
}

static void limits_and_memory_are_known(void)
{
    struct rlimit before;
    struct rlimit small;

    EXPECT_INT("limit", getrlimit(RLIMIT_NOFILE, &before), 0);
    small = before;
    small.rlim_cur = 64;
    EXPECT_INT("limit", setrlimit(RLIMIT_NOFILE, &small), 0);
    EXPECT_INT("not lowered", fd_limit_raise(10), 64);
    EXPECT_INT("raised", fd_limit_raise(100), 100);
    EXPECT_TRUE("at most the hard limit", (rlim_t)fd_limit_raise(INT32_MAX) <= before.rlim_max);
    EXPECT_INT("limit", setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_TRUE("total", memory_total_bytes() > 16 << 20);
    EXPECT_TRUE("available", memory_available_bytes() > 0);
    EXPECT_TRUE("no more than there is", memory_available_bytes() <= memory_total_bytes());
    EXPECT_TRUE("peak", memory_peak_bytes() > 1 << 16);
    EXPECT_TRUE("processors", processors_n() >= 1);
}

static void mocked_time_stands_still(void)
{
    struct mock_clock mock;
    struct clock *clock = &mock.clock;
    int64_t real_s = clock_wall_s(clock_real());
    uint64_t before_us;

    mock_clock_init(&mock, clock_real());
    EXPECT_TRUE("unset", clock_wall_s(clock) >= real_s && clock_wall_s(clock) < real_s + 100);
    mock_clock_set(&mock, 1296688602);
    EXPECT_INT("set", clock_wall_s(clock), 1296688602);
    EXPECT_INT("set", clock->wall_ms(clock), INT64_C(1296688602000));
    before_us = clock_monotonic_us(clock);
    EXPECT_TRUE("monotonic", clock_monotonic_us(clock) >= before_us);
    mock_clock_set(&mock, 0);
    EXPECT_TRUE("unset", clock_wall_s(clock) >= real_s);
}

static void entropy_differs(void)
{
    uint8_t bytes[2][32] = {{0}};
    uint8_t none[32] = {0};

    entropy_fill(bytes[0], 32);
    entropy_fill(bytes[1], 32);
    EXPECT_TRUE("differs", memcmp(bytes[0], bytes[1], 32) != 0);
    EXPECT_TRUE("filled", memcmp(bytes[0], none, 32) != 0);
}

TEST_LIST(TEST(signals_become_events), TEST(a_parent_learns_how_the_start_went),
          TEST(pid_files_hold_the_id), TEST(limits_and_memory_are_known),
          TEST(mocked_time_stands_still), TEST(entropy_differs))
