/* The log: debug.log and the terminal, behind base/log.h.
 *
 * A line is written with one call and without buffering, so that it is in the
 * file before anything that follows its cause. Lines from before log_open are
 * kept, and written then. Any thread, but set up by one.
 */
#ifndef APP_LOG_H
#define APP_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/log.h"

/* Bytes that one place in the code may write to the file in one hour. */
#define LOG_RATE_BYTES (1024U * 1024)
#define LOG_RATE_WINDOW_S 3600

struct log_options {
    const char *path; /* NULL: no file. Copied. */
    bool to_console;
    bool with_time;
    bool with_micros;
    bool with_thread;
    bool with_source;
    bool with_level_always;
    bool rate_limit;
};

/* Become the sink of base/log.h; lines are kept until log_open. */
void log_init(void);
/* 0 or E_IO. */
NODISCARD int log_open(const struct log_options *options, struct error *err);
/* Writes what was kept to nobody; for programs that end before log_open. */
void log_close(void);

/* Open the file anew at the next line, for those who move it away. Safe from a
 * signal's thread. */
void log_reopen(void);

/* Cut a file of more than 11 MB down to its last 10 MB. */
void log_shrink_file(const char *path);

/* Categories by number, in the order of their names; NULL behind the last. */
const char *log_category_name(size_t index);
bool log_category_is_on(size_t index);
/* "all", "1" and "" mean every one. False: no such category. */
bool log_category_set(const char *name, bool is_on);
bool log_category_any(void);

/* The level from which on lines of categories switched on are written: "info",
 * "debug", "trace". category NULL: of those that have no level of their own. */
bool log_level_set(const char *category, const char *level);

/* The mocked time shown beside the real one; 0: none. */
void log_set_mock_time(int64_t time_s);

#endif /* APP_LOG_H */
