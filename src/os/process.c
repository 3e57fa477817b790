#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"

static int null_stdio(struct error *err)
{
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return error_set_errno(err, errno, "could not open '/dev/null'");
    (void)fflush(NULL);
    for (int to = 0; to <= 2; to++) {
        if (dup2(fd, to) < 0) { /* dup2 clears the close-on-exec flag. */
            int errno_value = errno;

            (void)close(fd);
            return error_set_errno(err, errno_value, "could not leave the terminal");
        }
    }
    if (fd > 2)
        (void)close(fd);
    return 0;
}

int process_daemonize(bool *ret_is_parent, struct daemon_link *ret_link, struct error *err)
{
    int ends[2];
    pid_t child;
    int rc;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return error_set_errno(err, errno, "could not make a pipe");
    (void)fflush(NULL); /* Buffered text must not come out twice. */
    child = fork();
    if (child < 0) {
        rc = error_set_errno(err, errno, "could not fork");
        (void)close(ends[0]);
        (void)close(ends[1]);
        return rc;
    }
    if (child > 0) {
        (void)close(ends[1]);
        *ret_is_parent = true;
        ret_link->fd = ends[0];
        return 0;
    }
    (void)close(ends[0]);
    *ret_is_parent = false;
    ret_link->fd = ends[1];
    CHECK(setsid() >= 0); /* A fresh child leads no group. */
    rc = null_stdio(err);
    if (rc < 0)
        daemon_unlink(ret_link);
    return rc;
}

int daemon_wait(struct daemon_link *link, struct error *err)
{
    char byte;
    ssize_t got;

    do
        got = read(link->fd, &byte, 1);
    while (got < 0 && errno == EINTR);
    daemon_unlink(link);
    if (got == 1)
        return 0;
    return error_set(err, E_STOPPED, "the process in the background ended early");
}

void daemon_ready(struct daemon_link *link)
{
    ssize_t put;

    if (link->fd < 0)
        return;
    do
        put = write(link->fd, "r", 1);
    while (put < 0 && errno == EINTR);
    daemon_unlink(link);
}

void daemon_unlink(struct daemon_link *link)
{
    if (link->fd >= 0)
        (void)close(link->fd);
    link->fd = -1;
}

int pid_file_write(const char *path, struct error *err)
{
    FILE *file = fopen(path, "we");
    bool is_good;

    if (file == NULL)
        return error_set_errno(err, errno, "could not create the process id file '%s'", path);
    is_good = fprintf(file, "%ld\n", (long)getpid()) > 0;
    is_good = fclose(file) == 0 && is_good;
    if (!is_good)
        return error_set_errno(err, errno, "could not write the process id file '%s'", path);
    return 0;
}

void pid_file_remove(const char *path)
{
    (void)unlink(path);
}

static const int handled[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
static int signal_ends[2] = {-1, -1};
static atomic_int signal_in = -1; /* signal_ends[1] as handlers see it. */

static void put_signal(int number)
{
    int fd = atomic_load(&signal_in);
    int errno_before = errno;
    unsigned char byte = (unsigned char)number;

    /* A full pipe holds thousands that nobody has taken: one more says nothing. */
    if (fd >= 0 && write(fd, &byte, 1) < 0)
        errno = errno_before;
    errno = errno_before;
}

int signals_open(struct error *err)
{
    struct sigaction action = {.sa_handler = put_signal, .sa_flags = SA_RESTART};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    if (signal_ends[0] >= 0)
        return error_set(err, E_STATE, "signals are handled already");
    if (pipe2(signal_ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return error_set_errno(err, errno, "could not make a pipe for signals");
    atomic_store(&signal_in, signal_ends[1]);
    (void)sigemptyset(&action.sa_mask);
    (void)sigemptyset(&ignore.sa_mask);
    for (size_t i = 0; i < ARRAY_LEN(handled); i++)
        CHECK(sigaction(handled[i], &action, NULL) == 0);
    CHECK(sigaction(SIGPIPE, &ignore, NULL) == 0);
    return 0;
}

void signals_close(void)
{
    struct sigaction fall_back = {.sa_handler = SIG_DFL};

    if (signal_ends[0] < 0)
        return;
    (void)sigemptyset(&fall_back.sa_mask);
    for (size_t i = 0; i < ARRAY_LEN(handled); i++)
        CHECK(sigaction(handled[i], &fall_back, NULL) == 0);
    atomic_store(&signal_in, -1);
    (void)close(signal_ends[0]);
    (void)close(signal_ends[1]);
    signal_ends[0] = -1;
    signal_ends[1] = -1;
}

int signals_fd(void)
{
    return signal_ends[0];
}

static int64_t now_ms(void)
{
    struct timespec now;

    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int signals_wait(int64_t timeout_ms)
{
    int64_t deadline_ms = timeout_ms <= 0 ? 0 : now_ms() + MIN(timeout_ms, INT64_MAX / 2);
    struct pollfd ready = {.fd = signal_ends[0], .events = POLLIN};

    for (;;) {
        unsigned char byte;
        int64_t left_ms;

        if (read(signal_ends[0], &byte, 1) == 1)
            return byte;
        left_ms = timeout_ms > 0 ? deadline_ms - now_ms() : timeout_ms;
        if (timeout_ms >= 0 && left_ms <= 0)
            return 0;
        (void)poll(&ready, 1, timeout_ms < 0 ? -1 : (int)MIN(left_ms, (int64_t)INT_MAX));
    }
}

void signals_raise(int number)
{
    put_signal(number);
}

int fd_limit_raise(int want)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)MAX(want, 0);

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return want;
    if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < wanted) {
        limit.rlim_cur = limit.rlim_max == RLIM_INFINITY ? wanted : MIN(wanted, limit.rlim_max);
        (void)setrlimit(RLIMIT_NOFILE, &limit);
        if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
            return want;
    }
    return limit.rlim_cur > INT_MAX ? INT_MAX : (int)limit.rlim_cur;
}

/* The first number in a small file of the kernel's, or UINT64_MAX. */
static uint64_t number_in(const char *path)
{
    FILE *file = fopen(path, "re");
    unsigned long long value;
    int n;

    if (file == NULL)
        return UINT64_MAX;
    n = fscanf(file, "%llu", &value);
    (void)fclose(file);
    return n == 1 ? value : UINT64_MAX;
}

uint64_t memory_total_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_bytes = sysconf(_SC_PAGESIZE);
    uint64_t total = pages > 0 && page_bytes > 0 ? (uint64_t)pages * (uint64_t)page_bytes : 0;
    uint64_t group = MIN(number_in("/sys/fs/cgroup/memory.max"),
                         number_in("/sys/fs/cgroup/memory/memory.limit_in_bytes"));

    return MIN(total, group);
}

uint64_t memory_available_bytes(void)
{
    FILE *file = fopen("/proc/meminfo", "re");
    uint64_t available = 0;
    char line[128];

    if (file == NULL)
        return 0;
    while (fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "MemAvailable:", 13) != 0)
            continue;
        available = strtoull(line + 13, NULL, 10) * 1024;
        break;
    }
    (void)fclose(file);
    return MIN(available, memory_total_bytes());
}

uint64_t memory_peak_bytes(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return 0;
    return (uint64_t)usage.ru_maxrss * 1024;
}

unsigned processors_n(void)
{
    cpu_set_t set;
    int n = 0;

    if (sched_getaffinity(0, sizeof(set), &set) == 0)
        n = CPU_COUNT(&set);
    if (n <= 0)
        n = (int)sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (unsigned)n : 1;
}
