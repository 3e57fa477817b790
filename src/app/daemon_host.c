/* The process as RPC sees it. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/daemon.h"
#include "app/log.h"
#include "base/alloc.h"
#include "os/entropy.h"

static struct daemon *daemon_of(struct host *host)
{
    return (struct daemon *)(void *)((char *)host - offsetof(struct daemon, host));
}

static void host_stop(struct host *host)
{
    daemon_request_stop(daemon_of(host));
}

static bool host_is_stopping(struct host *host)
{
    return atomic_load(&daemon_of(host)->is_stopping);
}

static int64_t host_now_s(struct host *host)
{
    return clock_wall_s(&daemon_of(host)->clock.clock);
}

static uint64_t host_monotonic_us(struct host *host)
{
    return clock_monotonic_us(&daemon_of(host)->clock.clock);
}

static int64_t host_uptime_s(struct host *host)
{
    uint64_t now_us = clock_monotonic_us(clock_real());

    return (int64_t)(now_us / 1000000) - daemon_of(host)->start_s;
}

static void host_sleep_ms(struct host *host, int64_t ms)
{
    struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};

    (void)host;
    (void)nanosleep(&span, NULL);
}

static void host_set_mock_time(struct host *host, int64_t time_s)
{
    mock_clock_set(&daemon_of(host)->clock, time_s);
    log_set_mock_time(time_s);
    daemon_time_changed(daemon_of(host), 0);
}

static void host_advance_timers(struct host *host, int64_t seconds)
{
    struct daemon *daemon = daemon_of(host);

    daemon_time_changed(daemon, seconds);
    if (daemon->mempool != NULL)
        mempool_advance_timers(daemon->mempool, seconds);
    log_debug("app", "timers moved ahead by %lld seconds", (long long)seconds);
}

static void host_random(struct host *host, void *ret_data, size_t len)
{
    (void)host;
    entropy_fill(ret_data, len);
}

static void host_memory(struct host *host, struct host_memory *ret_memory)
{
    struct secret_usage usage;

    (void)host;
    secret_usage(&usage);
    *ret_memory = (struct host_memory){.used = usage.used_bytes,
                                       .free = usage.free_bytes,
                                       .total = usage.used_bytes + usage.free_bytes,
                                       .locked = usage.locked_bytes,
                                       .chunks_used = usage.used_chunks,
                                       .chunks_free = usage.free_chunks};
}

static const char *host_log_category(struct host *host, size_t index, bool *ret_is_on)
{
    const char *name = log_category_name(index);

    (void)host;
    *ret_is_on = name != NULL && log_category_is_on(index);
    return name;
}

static bool host_set_log(struct host *host, const char *category, bool is_on)
{
    (void)host;
    return log_category_set(category, is_on);
}

static const char *host_log_path(struct host *host)
{
    return daemon_of(host)->log_path;
}

static char *host_data_path(struct host *host, const char *path)
{
    return path_from(daemon_of(host)->network_folder, path);
}

static const struct host_ops ops = {
    .stop = host_stop,
    .is_stopping = host_is_stopping,
    .now_s = host_now_s,
    .monotonic_us = host_monotonic_us,
    .uptime_s = host_uptime_s,
    .sleep_ms = host_sleep_ms,
    .set_mock_time = host_set_mock_time,
    .advance_timers = host_advance_timers,
    .random = host_random,
    .memory = host_memory,
    .log_category = host_log_category,
    .set_log = host_set_log,
    .log_path = host_log_path,
    .data_path = host_data_path,
};

void daemon_init_host(struct daemon *daemon)
{
    mock_clock_init(&daemon->clock, clock_real());
    daemon->start_s = (int64_t)(clock_monotonic_us(clock_real()) / 1000000);
    daemon->host.ops = &ops;
}
