/* The log as the options ask for it. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/daemon.h"
#include "app/log.h"
#include "base/alloc.h"
#include "base/hex.h"
#include "rpc/version.h"

static int set_categories(const struct options *o)
{
    const char **list;
    size_t n = options_list(o, "debug", &list);
    size_t first = 0;
    int rc = 0;

    /* "0" and "none" undo what stands before them. */
    for (size_t i = 0; i < n; i++) {
        if (strcmp(list[i], "0") == 0 || strcmp(list[i], "none") == 0)
            first = i + 1;
    }
    for (size_t i = first; rc == 0 && i < n; i++) {
        if (!log_category_set(list[i], true))
            rc = daemon_error("Unsupported logging category -debug=%s.", list[i]);
    }
    free(list);
    n = options_list(o, "debugexclude", &list);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (!log_category_set(list[i], false))
            rc = daemon_error("Unsupported logging category -debugexclude=%s.", list[i]);
    }
    free(list);
    return rc;
}

static int fail_category_level(const char *given)
{
    struct buf names = {0};
    int rc;

    for (size_t i = 0; log_category_name(i) != NULL; i++)
        buf_add_printf(&names, "%s%s", i > 0 ? ", " : "", log_category_name(i));
    rc = daemon_error("Unsupported category-specific logging level -loglevel=%s. Expected "
                      "-loglevel=<category>:<loglevel>. Valid categories: %s. Valid loglevels: "
                      "info, debug, trace.",
                      given, buf_string(&names));
    buf_clear(&names);
    return rc;
}

static int set_levels(const struct options *o)
{
    const char **list;
    size_t n = options_list(o, "loglevel", &list);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < n; i++) {
        char *copy = alloc_string(list[i]);
        char *colon = strchr(copy, ':');

        if (colon == NULL) {
            if (!log_level_set(NULL, copy))
                rc = daemon_error("Unsupported global logging level -loglevel=%s. Valid values: "
                                  "info, debug, trace.",
                                  copy);
        } else {
            *colon = '\0';
            if (strchr(colon + 1, ':') != NULL || !log_level_set(copy, colon + 1))
                rc = fail_category_level(list[i]);
        }
        free(copy);
    }
    free(list);
    return rc;
}

int daemon_set_log_levels(struct daemon *daemon)
{
    int rc = set_categories(&daemon->options);

    return rc < 0 ? rc : set_levels(&daemon->options);
}

static void log_config_path(const struct daemon *daemon)
{
    const char *path = daemon->options.config_path;
    struct stat st;

    if (path[0] == '\0')
        log_info("config", "Config file: <disabled>");
    else if (stat(path, &st) == 0)
        log_info("config", "Config file: %s", path);
    else
        log_info("config", "Config file: %s (not found, skipping)", path);
}

int daemon_open_log(struct daemon *daemon)
{
    const struct options *o = &daemon->options;
    char *name = options_path(o, "debuglogfile", LOG_FILE_NAME);
    struct log_options log = {
        .to_console = options_bool(o, "printtoconsole",
                                   !options_bool(o, "daemon", false) &&
                                       !options_bool(o, "daemonwait", false)),
        .with_time = options_bool(o, "logtimestamps", true),
        .with_micros = options_bool(o, "logtimemicros", false),
        .with_thread = options_bool(o, "logthreadnames", false),
        .with_source = options_bool(o, "logsourcelocations", false),
        .with_level_always = options_bool(o, "loglevelalways", false),
        .rate_limit = options_bool(o, "logratelimit", true),
    };
    int rc = 0;

    daemon->log_path = name[0] == '\0' ? alloc_string("") : path_from(daemon->network_folder, name);
    free(name);
    if (daemon->log_path[0] != '\0') {
        log.path = daemon->log_path;
        if (options_bool(o, "shrinkdebugfile", !log_category_any()))
            log_shrink_file(log.path);
    }
    log_info("app", "%s version v%s (%s %s)", CLIENT_NAME, CLIENT_VERSION_TEXT, DAEMON_NAME,
             ASSAY_VERSION);
    if (log_open(&log, NULL) < 0)
        rc = daemon_error("Could not open debug log file %s", daemon->log_path);
    if (rc == 0) {
        log_info("config", "Log output may contain privacy-sensitive information. Be cautious when "
                           "sharing logs.");
        log_info("config", "Using data directory %s", daemon->network_folder);
        if (daemon->params.network == NETWORK_SIGNET) {
            char magic[2 * sizeof(daemon->params.magic) + 1];

            hex_write(magic, daemon->params.magic, sizeof(daemon->params.magic));
            log_info("config", "Signet derived magic (message start): %s", magic);
        }
        log_config_path(daemon);
        options_log(o);
    }
    return rc;
}
