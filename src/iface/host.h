/* The process as upper rooms see it: time, the end of the process, the log.
 * app wires it. Any thread may call.
 */
#ifndef IFACE_HOST_H
#define IFACE_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host;

/* Memory locked against paging, bytes. */
struct host_memory {
    uint64_t used;
    uint64_t free;
    uint64_t total;
    uint64_t locked;
    uint64_t chunks_used;
    uint64_t chunks_free;
};

struct host_ops {
    /* Begins the clean stop and returns at once. */
    void (*stop)(struct host *host);
    bool (*is_stopping)(struct host *host);

    /* Seconds since 1970, obeying set_mock_time. */
    int64_t (*now_s)(struct host *host);
    uint64_t (*monotonic_us)(struct host *host);
    int64_t (*uptime_s)(struct host *host);
    void (*sleep_ms)(struct host *host, int64_t ms);
    /* 0: the real time again. */
    void (*set_mock_time)(struct host *host, int64_t time_s);
    /* Timers of the node behave as if this long had passed. */
    void (*advance_timers)(struct host *host, int64_t seconds);

    void (*random)(struct host *host, void *ret_data, size_t len);
    void (*memory)(struct host *host, struct host_memory *ret_memory);

    /* Log categories by name; NULL behind the last. "all" and "1" stand for all
     * of them, "none" and "0" too. set_log: false for an unknown name. */
    const char *(*log_category)(struct host *host, size_t index, bool *ret_is_on);
    bool (*set_log)(struct host *host, const char *category, bool is_on);
    const char *(*log_path)(struct host *host);

    /* An absolute path for one that the user gave, relative to the network's data
     * directory. Caller frees. */
    char *(*data_path)(struct host *host, const char *path);
};

struct host {
    const struct host_ops *ops;
};

#endif /* IFACE_HOST_H */
