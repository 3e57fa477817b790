#include "app/command.h"

#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"

extern char **environ;

static char *fill_in(const char *command, const char *value)
{
    struct buf out = {0};
    char *text;

    for (; *command != '\0'; command++) {
        if (value != NULL && command[0] == '%' && command[1] == 's') {
            buf_add_string(&out, value);
            command++;
        } else {
            buf_add_byte(&out, (uint8_t)*command);
        }
    }
    text = alloc_string(buf_string(&out));
    buf_clear(&out);
    return text;
}

char *command_quote(const char *value)
{
    struct buf out = {0};
    char *text;

    buf_add_byte(&out, '\'');
    for (; *value != '\0'; value++) {
        bool is_plain = (*value >= 'a' && *value <= 'z') || (*value >= 'A' && *value <= 'Z') ||
                        (*value >= '0' && *value <= '9') || strchr(" .,;-_/:?@()", *value) != NULL;

        if (is_plain)
            buf_add_byte(&out, (uint8_t)*value);
    }
    buf_add_byte(&out, '\'');
    text = alloc_string(buf_string(&out));
    buf_clear(&out);
    return text;
}

static void *run(void *context)
{
    char *command = context;
    char *argv[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c", command, NULL};
    posix_spawnattr_t attributes;
    sigset_t none;
    pid_t pid;
    int status = 0;
    int rc;

    /* Our threads block signals; the command must not. */
    (void)sigemptyset(&none);
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    rc = posix_spawn(&pid, "/bin/sh", NULL, &attributes, argv, environ);
    (void)posix_spawnattr_destroy(&attributes);
    if (rc == 0) {
        /* Where whoever started us ignores its children's ends there is no status. */
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            continue;
    }
    if (rc != 0 || status != 0)
        log_error("app", "runCommand error: system(%s) returned %d", command,
                  rc != 0 ? rc : status);
    free(command);
    return NULL;
}

void commands_run(const struct options *options, const char *option, const char *value, bool wait)
{
    const char **list;
    size_t n = options_list(options, option, &list);
    pthread_t *threads = alloc_array(n + 1, sizeof(*threads));
    size_t started = 0;

    for (size_t i = 0; i < n; i++) {
        char *command;

        if (list[i][0] == '\0')
            continue;
        command = fill_in(list[i], value);
        if (pthread_create(&threads[started], NULL, run, command) != 0) {
            log_error("app", "could not start a thread for '%s'", command);
            free(command);
            continue;
        }
        if (!wait)
            (void)pthread_detach(threads[started]);
        else
            started++;
    }
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    free(threads);
    free(list);
}
