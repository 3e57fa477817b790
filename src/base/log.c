#include "base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#define LOG_LINE_MAX 4096

static log_sink_fn *the_sink;
static bool (*wanted)(enum log_level, const char *);

void log_set_sink(log_sink_fn *sink, bool (*is_wanted)(enum log_level, const char *category))
{
    the_sink = sink;
    wanted = is_wanted;
}

bool log_is_wanted(enum log_level level, const char *category)
{
    if (the_sink == NULL)
        return false;
    return wanted == NULL ? level >= LOG_INFO : wanted(level, category);
}

void log_write(enum log_level level, const char *category, const char *file, int line,
               const char *function, const char *format, ...)
{
    char message[LOG_LINE_MAX];
    va_list args;

    if (the_sink == NULL)
        return;
    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    the_sink(level, category, file, line, function, message);
}
