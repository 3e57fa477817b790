#include "app/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/check.h"
#include "os/thread.h"

#define SHRINK_ABOVE (11 * 1000 * 1000)
#define SHRINK_TO (10 * 1000 * 1000)
#define EARLY_BYTES_MAX (1U << 20)
#define PLACES_MAX 4096U /* Places in the code, for the rate limit. */

/* Sorted by name. */
static const char *const names[] = {
    "addrman",
    "bench",
    "blockstorage",
    "cmpctblock",
    "coindb",
    "estimatefee",
    "http",
    "i2p",
    "ipc",
    "kernel",
    "leveldb",
    "mempool",
    "mempoolrej",
    "net",
    "privatebroadcast",
    "proxy",
    "prune",
    "qt",
    "rand",
    "reindex",
    "rpc",
    "scan",
    "selectcoins",
    "tor",
    "txpackages",
    "txreconciliation",
    "validation",
    "walletdb",
    "zmq",
};

/* Rooms whose noun is not among them. */
static const struct {
    const char *noun;
    const char *name;
} nouns[] = {
    {"chain", "validation"},     {"coins", "coindb"},
    {"store", "blockstorage"},   {"config", "kernel"},
    {"consensus", "validation"}, {"headers", "validation"},
    {"mining", "validation"},    {"os", "kernel"},
    {"app", "kernel"},
};

struct early_line {
    char *text;
    struct early_line *next;
};

struct place {
    const char *file; /* NULL: free. */
    int line;
    uint64_t used;
    uint64_t dropped;
};

static struct {
    struct mutex mutex;
    bool is_open;
    struct log_options options;
    int fd;
    struct early_line *early;
    struct early_line **early_end;
    size_t early_bytes;
    size_t early_lost;
    struct place places[PLACES_MAX];
    time_t window_start;
    bool has_dropped;
} the_log;

static _Atomic uint64_t categories_on;
static _Atomic int level_default = LOG_DEBUG;
static _Atomic int level_of[ARRAY_LEN(names)]; /* 0: the default; else 1 + level. */
static _Atomic bool wants_reopen;
static _Atomic int64_t mock_time_s;

static const char *const level_names[] = {"trace", "debug", "info", "warning", "error"};

static int find_category(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], name) == 0)
            return (int)i;
    }
    for (size_t i = 0; i < ARRAY_LEN(nouns); i++) {
        if (strcmp(nouns[i].noun, name) == 0)
            return find_category(nouns[i].name);
    }
    return -1;
}

const char *log_category_name(size_t index)
{
    return index < ARRAY_LEN(names) ? names[index] : NULL;
}

bool log_category_is_on(size_t index)
{
    return (atomic_load(&categories_on) >> index & 1) != 0;
}

bool log_category_any(void)
{
    return atomic_load(&categories_on) != 0;
}

bool log_category_set(const char *name, bool is_on)
{
    uint64_t bits = (UINT64_C(1) << ARRAY_LEN(names)) - 1;

    if (name[0] != '\0' && strcmp(name, "1") != 0 && strcmp(name, "all") != 0) {
        int category = find_category(name);

        if (category < 0 || strcmp(names[category], name) != 0) {
            if (strcmp(name, "libevent") != 0)
                return false;
            log_warning("config",
                        "The logging category `%s` is deprecated, does nothing, and will "
                        "be removed in a future version",
                        name);
            return true;
        }
        bits = UINT64_C(1) << category;
    }
    if (is_on)
        atomic_fetch_or(&categories_on, bits);
    else
        atomic_fetch_and(&categories_on, ~bits);
    return true;
}

bool log_level_set(const char *category, const char *level)
{
    int index = 0;
    int number = LOG_TRACE;

    while (number <= LOG_INFO && strcmp(level_names[number], level) != 0)
        number++;
    if (number > LOG_INFO)
        return false;
    if (category == NULL) {
        atomic_store(&level_default, number);
        return true;
    }
    index = find_category(category);
    if (index < 0)
        return false;
    atomic_store(&level_of[index], number + 1);
    return true;
}

void log_set_mock_time(int64_t time_s)
{
    atomic_store(&mock_time_s, time_s);
}

static bool is_wanted(enum log_level level, const char *category)
{
    int index;
    int own;

    if (level >= LOG_INFO)
        return true;
    if (atomic_load_explicit(&categories_on, memory_order_relaxed) == 0)
        return false;
    index = find_category(category);
    if (index < 0 || !log_category_is_on((size_t)index))
        return false;
    own = atomic_load(&level_of[index]);
    return (int)level >= (own != 0 ? own - 1 : atomic_load(&level_default));
}

static void add_time(struct buf *line, time_t time_s, long micros, const char *tail)
{
    char text[32];
    struct tm tm;

    (void)gmtime_r(&time_s, &tm);
    (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    buf_add_string(line, text);
    if (micros >= 0)
        buf_add_printf(line, ".%06ld", micros);
    buf_add_string(line, tail);
}

/* "[net]", "[net:trace]", "[warning]"; nothing for plain information. */
static void add_tag(struct buf *line, enum log_level level, const char *category)
{
    int index = find_category(category);
    bool has_category = level < LOG_INFO || the_log.options.with_level_always;
    const char *name = index < 0 || (level >= LOG_INFO) ? "all" : names[index];

    if (!has_category && level == LOG_INFO)
        return;
    if (!has_category)
        buf_add_printf(line, "[%s] ", level_names[level]);
    else if (level == LOG_DEBUG && !the_log.options.with_level_always)
        buf_add_printf(line, "[%s] ", name);
    else
        buf_add_printf(line, "[%s:%s] ", name, level_names[level]);
}

/* Control characters of strangers must not reach a terminal. */
static void add_escaped(struct buf *line, const char *text)
{
    for (; *text != '\0'; text++) {
        uint8_t c = (uint8_t)*text;

        if ((c >= 32 || c == '\n') && c != 0x7f)
            buf_add_byte(line, c);
        else
            buf_add_printf(line, "\\x%02x", c);
    }
}

/* "room/file.c" of a path that a compiler was given. */
static const char *source_name(const char *file)
{
    const char *slash = strrchr(file, '/');
    const char *start = slash;

    while (start != NULL && start > file && start[-1] != '/')
        start--;
    return start == NULL ? file : start;
}

static void format_line(struct buf *line, enum log_level level, const char *category,
                        const char *file, int at, const char *function, const char *message)
{
    struct timespec now;
    int64_t mock_s = atomic_load(&mock_time_s);

    if (the_log.options.with_time) {
        (void)clock_gettime(CLOCK_REALTIME, &now);
        add_time(line, now.tv_sec, the_log.options.with_micros ? now.tv_nsec / 1000 : -1, "Z ");
        if (mock_s > 0) {
            buf_add_string(line, "(mocktime: ");
            add_time(line, (time_t)mock_s, -1, "Z) ");
        }
    }
    if (the_log.options.with_thread)
        buf_add_printf(line, "[%s] ", thread_name()[0] == '\0' ? "unknown" : thread_name());
    if (the_log.options.with_source)
        buf_add_printf(line, "[%s:%d] [%s] ", source_name(file), at, function);
    add_tag(line, level, category);
    add_escaped(line, message);
    if (line->data[line->len - 1] != '\n')
        buf_add_byte(line, '\n');
}

static void write_all(int fd, const uint8_t *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return; /* A full disk must not stop the node from saying so elsewhere. */
        data += n;
        len -= (size_t)n;
    }
}

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static struct place *find_place(const char *file, int line)
{
    size_t at = ((size_t)line * 31 + (uintptr_t)file / 8) % PLACES_MAX;

    for (size_t i = 0; i < PLACES_MAX; i++) {
        struct place *place = &the_log.places[(at + i) % PLACES_MAX];

        if (place->file == NULL)
            *place = (struct place){.file = file, .line = line};
        if (place->file == file && place->line == line)
            return place;
    }
    return NULL;
}

static void emit(const struct buf *line, bool to_file)
{
    if (the_log.options.to_console)
        write_all(STDOUT_FILENO, line->data, line->len);
    if (the_log.fd < 0 || !to_file)
        return;
    if (atomic_exchange(&wants_reopen, false)) {
        int fd = open_file(the_log.options.path);

        if (fd >= 0) {
            (void)close(the_log.fd);
            the_log.fd = fd;
        }
    }
    write_all(the_log.fd, line->data, line->len);
}

static void emit_note(const char *format, const char *file, int line, uint64_t bytes)
{
    char message[512];
    struct buf text = {0};

    (void)snprintf(message, sizeof(message), format, file, line, (unsigned long long)bytes,
                   LOG_RATE_WINDOW_S);
    format_line(&text, LOG_WARNING, "all", __FILE__, __LINE__, __func__, message);
    emit(&text, true);
    buf_clear(&text);
}

static void begin_window(void)
{
    time_t now = time(NULL);

    if (now - the_log.window_start < LOG_RATE_WINDOW_S && now >= the_log.window_start)
        return;
    the_log.window_start = now;
    the_log.has_dropped = false;
    for (size_t i = 0; i < PLACES_MAX; i++) {
        struct place place = the_log.places[i];

        the_log.places[i] = (struct place){0};
        if (place.dropped > 0)
            emit_note("Restarting logging from %s:%d: %llu bytes were dropped during the last %ds.",
                      place.file, place.line, place.dropped);
    }
}

/* Detailed lines were asked for and are never held back. Returns whether the line
 * may go to the file. */
static bool pass_limit(enum log_level level, const char *file, int line, size_t len)
{
    struct place *place;
    bool was_suppressed;

    if (!the_log.options.rate_limit || level < LOG_INFO)
        return true;
    begin_window();
    place = find_place(file, line);
    if (place == NULL)
        return true;
    was_suppressed = place->dropped > 0;
    place->used += len;
    if (place->used <= LOG_RATE_BYTES)
        return true;
    place->dropped += len;
    if (was_suppressed)
        return false;
    the_log.has_dropped = true;
    emit_note("Excessive logging detected from %s:%d: >%llu bytes logged during the last time "
              "window of %ds. Suppressing logging to disk from this source location until time "
              "window resets. Console logging unaffected. Last log entry.",
              file, line, (uint64_t)LOG_RATE_BYTES);
    return true;
}

static void keep_early(struct buf *line)
{
    struct early_line *early;

    the_log.early_bytes += line->len;
    if (the_log.early_bytes > EARLY_BYTES_MAX) {
        the_log.early_lost++;
        return;
    }
    early = alloc_zero(sizeof(*early));
    early->text = alloc_string(buf_string(line));
    *the_log.early_end = early;
    the_log.early_end = &early->next;
}

static void sink(enum log_level level, const char *category, const char *file, int line,
                 const char *function, const char *message)
{
    struct buf text = {0};
    bool to_file;

    mutex_lock(&the_log.mutex);
    if (the_log.has_dropped)
        buf_add_string(&text, "[*] ");
    format_line(&text, level, category, file, line, function, message);
    if (!the_log.is_open) {
        keep_early(&text);
    } else {
        to_file = pass_limit(level, file, line, text.len);
        emit(&text, to_file);
    }
    mutex_unlock(&the_log.mutex);
    buf_clear(&text);
}

void log_init(void)
{
    mutex_init(&the_log.mutex);
    the_log.fd = -1;
    the_log.early_end = &the_log.early;
    the_log.window_start = time(NULL);
    log_set_sink(sink, is_wanted);
}

/* Lines from before the open were formatted without knowing how they shall look;
 * they get the time of the open. */
static void flush_early(void)
{
    struct early_line *next;
    struct buf line = {0};

    for (struct early_line *early = the_log.early; early != NULL; early = next) {
        next = early->next;
        if (the_log.options.with_time) {
            struct timespec now;

            (void)clock_gettime(CLOCK_REALTIME, &now);
            add_time(&line, now.tv_sec, the_log.options.with_micros ? now.tv_nsec / 1000 : -1,
                     "Z ");
        }
        if (the_log.options.with_thread)
            buf_add_printf(&line, "[%s] ", thread_name());
        buf_add_string(&line, early->text);
        emit(&line, true);
        line.len = 0;
        free(early->text);
        free(early);
    }
    the_log.early = NULL;
    the_log.early_end = &the_log.early;
    buf_clear(&line);
}

int log_open(const struct log_options *options, struct error *err)
{
    static const struct buf gap = {.data = (uint8_t *)(uintptr_t) "\n\n\n\n\n", .len = 5};
    int rc = 0;

    mutex_lock(&the_log.mutex);
    CHECK(!the_log.is_open);
    if (options->path != NULL) {
        the_log.fd = open_file(options->path);
        if (the_log.fd < 0)
            rc = error_set_errno(err, errno, "could not open '%s'", options->path);
    }
    if (rc == 0) {
        the_log.options = *options;
        the_log.options.path = options->path == NULL ? NULL : alloc_string(options->path);
        if (the_log.fd >= 0)
            write_all(the_log.fd, gap.data, gap.len);
        the_log.is_open = true;
        flush_early();
    }
    mutex_unlock(&the_log.mutex);
    return rc;
}

void log_close(void)
{
    struct early_line *next;

    mutex_lock(&the_log.mutex);
    log_set_sink(NULL, NULL);
    for (struct early_line *early = the_log.early; early != NULL; early = next) {
        next = early->next;
        free(early->text);
        free(early);
    }
    the_log.early = NULL;
    the_log.early_end = &the_log.early;
    if (the_log.fd >= 0)
        (void)close(the_log.fd);
    the_log.fd = -1;
    free((void *)(uintptr_t)the_log.options.path);
    the_log.options.path = NULL;
    the_log.is_open = false;
    mutex_unlock(&the_log.mutex);
}

void log_reopen(void)
{
    atomic_store(&wants_reopen, true);
}

void log_shrink_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat st;
    uint8_t *tail;
    size_t n;

    if (file == NULL)
        return;
    if (fstat(fileno(file), &st) != 0 || st.st_size <= SHRINK_ABOVE ||
        fseek(file, -(long)SHRINK_TO, SEEK_END) != 0) {
        (void)fclose(file);
        return;
    }
    tail = alloc(SHRINK_TO);
    n = fread(tail, 1, SHRINK_TO, file);
    (void)fclose(file);
    file = fopen(path, "wb");
    if (file != NULL) {
        (void)fwrite(tail, 1, n, file);
        (void)fclose(file);
    }
    free(tail);
}
