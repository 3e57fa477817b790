/* Log lines. Rooms below app do not log errors, they return them; they may log
 * events. app installs the sink (debug.log, terminal); without one nothing is
 * written. The category is the room's noun. Any thread.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

#include "base/error.h"

enum log_level { LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

/* Receives one formatted message, without newline. file, line and function name
 * the call. Must not call log_write itself. */
typedef void log_sink_fn(enum log_level level, const char *category, const char *file, int line,
                         const char *function, const char *message);

/* Both are set once at start, before other threads log. is_wanted lets a call
 * skip its formatting; NULL wants info and above. */
void log_set_sink(log_sink_fn *sink, bool (*is_wanted)(enum log_level, const char *category));

bool log_is_wanted(enum log_level level, const char *category);

void log_write(enum log_level level, const char *category, const char *file, int line,
               const char *function, const char *format, ...) PRINTF_LIKE(6, 7);

#define LOG_AT(level, category, ...)                                               \
    do {                                                                           \
        if (log_is_wanted(level, category))                                        \
            log_write(level, category, __FILE__, __LINE__, __func__, __VA_ARGS__); \
    } while (0)
#define log_trace(category, ...) LOG_AT(LOG_TRACE, category, __VA_ARGS__)
#define log_debug(category, ...) LOG_AT(LOG_DEBUG, category, __VA_ARGS__)
#define log_info(category, ...) LOG_AT(LOG_INFO, category, __VA_ARGS__)
#define log_warning(category, ...) LOG_AT(LOG_WARNING, category, __VA_ARGS__)
#define log_error(category, ...) LOG_AT(LOG_ERROR, category, __VA_ARGS__)

#endif /* BASE_LOG_H */
