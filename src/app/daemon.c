#include "app/daemon.h"

#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/command.h"
#include "app/log.h"
#include "base/alloc.h"
#include "base/check.h"
#include "consensus/rules.h"
#include "rpc/version.h"

#define WAIT_MS 500
#define FILES_WANTED 4096
#define DISK_SPACE_MIN (UINT64_C(50) << 20)

static int say(const char *caption, enum log_level level, const char *format, va_list args)
{
    char *text = NULL;

    CHECK(vasprintf(&text, format, args) >= 0);
    (void)fprintf(stderr, "%s: %s\n", caption, text);
    LOG_AT(level, "app", "%s", text);
    free(text);
    return E_STATE;
}

int daemon_error(const char *format, ...)
{
    va_list args;
    int rc;

    va_start(args, format);
    rc = say("Error", LOG_ERROR, format, args);
    va_end(args);
    return rc;
}

void daemon_warn(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)say("Warning", LOG_WARNING, format, args);
    va_end(args);
}

void daemon_request_stop(struct daemon *daemon)
{
    if (!atomic_exchange(&daemon->is_stopping, true))
        signals_raise(SIGTERM);
}

/* --- Locks and the pid file --- */

static int lock_folder(const char *folder, struct disk_file **ret_lock)
{
    char *path = alloc_printf("%s/.lock", folder);
    struct error err = {0};
    int rc = disk_lock(disk_real(), ret_lock, path, &err);

    free(path);
    if (rc == E_LOCKED)
        return daemon_error("Cannot obtain a lock on directory %s. %s is probably already running.",
                            folder, CLIENT_NAME);
    if (rc < 0)
        return daemon_error("Cannot write to directory '%s'; check permissions.", folder);
    return 0;
}

/* The chain takes the lock on its blocks itself: this only looks whether it can. */
static int probe_locks(struct daemon *daemon)
{
    struct disk_file *lock = NULL;
    int rc = lock_folder(daemon->network_folder, &lock);

    disk_close(lock);
    lock = NULL;
    if (rc == 0)
        rc = lock_folder(daemon->blocks_folder, &lock);
    disk_close(lock);
    return rc;
}

static char *pid_path(struct daemon *daemon)
{
    char *name = options_path(&daemon->options, "pid", PID_FILE_NAME);
    char *path = name[0] == '\0' ? NULL : path_from(daemon->network_folder, name);

    free(name);
    return path;
}

static int make_pid_file(struct daemon *daemon)
{
    char *path = pid_path(daemon);
    struct error err = {0};
    int rc = 0;

    if (path != NULL && pid_file_write(path, &err) < 0)
        rc = daemon_error("Unable to create the PID file '%s': %s", path, error_text(&err));
    daemon->made_pid_file = path != NULL && rc == 0;
    free(path);
    return rc;
}

static void remove_pid_file(struct daemon *daemon)
{
    char *path = pid_path(daemon);

    if (daemon->made_pid_file && path != NULL)
        pid_file_remove(path);
    free(path);
}

/* --- Events of the chain --- */

static void on_tip(void *context, const struct tip_event *event)
{
    struct daemon *daemon = context;

    if (event->initial_block_download || !options_is_set(&daemon->options, "blocknotify"))
        return;
    commands_run(&daemon->options, "blocknotify", hash_hex(event->tip.hash.b).text, false);
}

static void on_warning(void *context, const char *text)
{
    struct daemon *daemon = context;
    char *quoted = command_quote(text);

    commands_run(&daemon->options, "alertnotify", quoted, false);
    free(quoted);
}

/* Where a user at a screen would be asked whether to rebuild: no caption. */
static int suggest_rebuild(const char *problem)
{
    static const char advice[] = "Please restart with -reindex or -reindex-chainstate to recover.";

    (void)fprintf(stderr, "%s.\n%s\n", problem, advice);
    log_error("app", "%s. %s", problem, advice);
    return E_STATE;
}

static int explain_chain_error(struct daemon *daemon, int rc, const struct error *err)
{
    if (rc == E_LOCKED)
        return daemon_error("Cannot obtain a lock on directory %s. %s is probably already running.",
                            daemon->blocks_folder, CLIENT_NAME);
    /* Files without the state that belongs to them, or the reverse: building that
     * anew is what helps. */
    if (rc == E_STATE)
        log_error("app", "%s", error_text(err));
    if (rc == E_STATE && strstr(error_text(err), "without a block index") != NULL)
        return suggest_rebuild("Error initializing block database");
    if (rc == E_STATE && strncmp(error_text(err), "Witness data", 12) == 0)
        return suggest_rebuild(error_text(err));
    return daemon_error("%s", error_text(err));
}

/* -test=reindex_after_failure_noninteractive_yes: as if a user had agreed. */
static bool reindexes_by_itself(const struct daemon *daemon)
{
    const char **list;
    size_t n = options_list(&daemon->options, "test", &list);
    bool found = false;

    for (size_t i = 0; i < n; i++)
        found = found || strcmp(list[i], "reindex_after_failure_noninteractive_yes") == 0;
    free(list);
    return found;
}

static int check_disk_space(const char *folder)
{
    uint64_t free_bytes;

    if (disk_free_space(disk_real(), folder, &free_bytes, NULL) == 0 && free_bytes < DISK_SPACE_MIN)
        return daemon_error("Error: Disk space is low for \"%s\"", folder);
    return 0;
}

/* A clock that is wrong would make us refuse good blocks, or keep bad ones. */
static int check_tip_time(struct daemon *daemon)
{
    struct node *node = chain_node(daemon->chain);
    struct node_status status;

    node->ops->status(node, &status);
    if ((int64_t)status.tip.header.time <= clock_wall_s(&daemon->clock.clock) + HEADER_FUTURE_MAX_S)
        return 0;
    return suggest_rebuild(
        "The block database contains a block which appears to be from the future. This may be due "
        "to your computer's date and time being set incorrectly. Only rebuild the block database "
        "if you are sure that your computer's date and time are correct");
}

static int open_chain(struct daemon *daemon, const struct chain_options *options)
{
    struct error err = {0};
    int rc;

    if (daemon->rpc_server != NULL)
        rpc_server_set_warmup(daemon->rpc_server, "Loading block index…");
    rc = chain_open(&daemon->chain, options, &err);
    if (rc == E_STATE && reindexes_by_itself(daemon)) {
        struct chain_options again = *options;

        log_info("app", "%s; building the index anew", error_text(&err));
        again.reindex = true;
        rc = chain_open(&daemon->chain, &again, &err);
    }
    if (rc < 0)
        return explain_chain_error(daemon, rc, &err);
    rc = check_tip_time(daemon);
    if (rc < 0)
        return rc;
    daemon->rpc.node = chain_node(daemon->chain);
    rc = daemon_open_mempool(daemon);
    if (rc < 0)
        return rc;
    daemon->events =
        (struct chain_events){.context = daemon, .tip_changed = on_tip, .warned = on_warning};
    chain_add_events(daemon->chain, &daemon->events);
    return daemon_start_miner(daemon);
}

static void make_index_folder(struct daemon *daemon)
{
    char *path = alloc_printf("%s/indexes", daemon->network_folder);
    struct error err = {0};

    if (disk_make_folder(disk_real(), path, &err) < 0)
        log_warning("app", "%s", error_text(&err));
    free(path);
}

/* --- The life of the process --- */

static int go_to_background(struct daemon *daemon, bool *ret_is_parent)
{
    const struct options *o = &daemon->options;
    bool waits = options_bool(o, "daemonwait", false);
    struct error err = {0};

    *ret_is_parent = false;
    daemon->link.fd = -1;
    if (!options_bool(o, "daemon", false) && !waits)
        return 0;
    (void)printf("%s starting\n", CLIENT_NAME);
    (void)fflush(stdout);
    if (process_daemonize(ret_is_parent, &daemon->link, &err) < 0)
        return daemon_error("fork_daemon() failed: %s", error_text(&err));
    if (!*ret_is_parent) {
        if (!waits)
            daemon_ready(&daemon->link);
        return 0;
    }
    if (daemon_wait(&daemon->link, &err) < 0) {
        (void)fprintf(stderr, "Error during initialization - check %s for details\n",
                      LOG_FILE_NAME);
        atomic_store(&daemon->exit_status, EXIT_FAILURE);
    }
    return 0;
}

static void wait_for_end(struct daemon *daemon)
{
    bool stops_after_import = options_bool(&daemon->options, "stopafterblockimport", false);

    while (!atomic_load(&daemon->is_stopping)) {
        int signal_number = signals_wait(stops_after_import ? WAIT_MS : -1);

        if (signal_number == SIGHUP)
            log_reopen();
        if (signal_number == SIGTERM || signal_number == SIGINT)
            atomic_store(&daemon->is_stopping, true);
        if (stops_after_import && chain_import_is_done(daemon->chain)) {
            log_info("app", "Stopping after block import");
            atomic_store(&daemon->is_stopping, true);
        }
    }
}

static void shut_down(struct daemon *daemon)
{
    struct error err = {0};

    atomic_store(&daemon->is_stopping, true);
    if (daemon->network_folder != NULL)
        commands_run(&daemon->options, "shutdownnotify", NULL, true);
    log_info("app", "Shutdown in progress...");
    if (daemon->http != NULL)
        http_server_interrupt(daemon->http);
    daemon_stop_net(daemon);
    if (daemon->chain != NULL)
        chain_stop(daemon->chain);
    daemon_stop_rpc(daemon);
    daemon_stop_miner(daemon);
    daemon_stop_mempool(daemon);
    if (daemon->chain != NULL)
        chain_join(daemon->chain);
    daemon_close_net(daemon); /* What was posted to it looks into the chain. */
    if (daemon->chain != NULL && chain_close(daemon->chain, &err) < 0) {
        if (atomic_exchange(&daemon->exit_status, EXIT_FAILURE) == EXIT_SUCCESS)
            (void)daemon_error("%s", error_text(&err));
    }
    daemon_close_mempool(daemon);
    remove_pid_file(daemon);
    disk_close(daemon->lock);
    log_info("app", "Shutdown done");
}

static int start(struct daemon *daemon)
{
    struct chain_options chain;
    const char **loadblock = NULL;
    struct error err = {0};
    int rc = lock_folder(daemon->network_folder, &daemon->lock);

    if (rc == 0)
        rc = make_pid_file(daemon);
    if (rc == 0)
        rc = daemon_open_log(daemon);
    if (rc == 0 && signals_open(&err) < 0)
        rc = daemon_error("%s", error_text(&err));
    if (rc == 0)
        rc = daemon_select_engines(daemon);
    if (rc == 0)
        rc = daemon_chain_options(daemon, &chain, &loadblock);
    if (rc == 0)
        rc = check_disk_space(daemon->network_folder);
    if (rc == 0)
        rc = check_disk_space(daemon->blocks_folder);
    if (rc == 0 && options_bool(&daemon->options, "server", true))
        rc = daemon_start_rpc(daemon);
    if (rc == 0) {
        char *chainstate = alloc_printf("%s/chainstate", daemon->network_folder);
        char *index = alloc_printf("%s/blocks", daemon->network_folder);

        make_index_folder(daemon);
        daemon_new_sig_cache(daemon);
        chain.sig_cache = daemon->sig_cache;
        chain.chainstate_folder = chainstate;
        chain.index_folder = index;
        rc = open_chain(daemon, &chain);
        if (rc == 0)
            rc = daemon_open_net(daemon, &chain);
        free(chainstate);
        free(index);
    }
    if (rc == 0) {
        chain_start(daemon->chain);
        rc = daemon_start_mempool(daemon);
        if (rc == 0)
            rc = daemon_start_net(daemon);
    }
    if (rc == 0) {
        if (daemon->rpc_server != NULL)
            rpc_server_end_warmup(daemon->rpc_server);
        log_info("app", "init message: Done loading");
        commands_run(&daemon->options, "startupnotify", NULL, false);
        daemon_ready(&daemon->link);
    }
    free(loadblock);
    return rc;
}

static void release(struct daemon *daemon)
{
    daemon_unlink(&daemon->link);
    options_clear(&daemon->options);
    free(daemon->folder);
    free(daemon->network_folder);
    free(daemon->blocks_folder);
    free(daemon->log_path);
    free(daemon->user_agent);
    log_close();
}

int daemon_main(int argc, char **argv)
{
    static struct daemon daemon = {.link = {.fd = -1}};
    bool is_done = false;
    bool is_parent = false;
    int rc;

    (void)umask(0077);
    (void)setlocale(LC_ALL, "C");
    thread_set_name("init");
    log_init();
    daemon_init_host(&daemon);
    rc = daemon_configure(&daemon, argc, argv, &is_done);
    if (rc == 0 && !is_done) {
        (void)fd_limit_raise(FILES_WANTED);
        daemon_settle_options(&daemon);
        rc = daemon_check_options(&daemon);
        if (rc == 0)
            rc = probe_locks(&daemon);
        if (rc == 0)
            rc = go_to_background(&daemon, &is_parent);
        if (rc == 0 && !is_parent) {
            rc = start(&daemon);
            if (rc == 0)
                wait_for_end(&daemon);
            shut_down(&daemon);
        }
    }
    if (rc < 0)
        atomic_store(&daemon.exit_status, EXIT_FAILURE);
    release(&daemon);
    return atomic_load(&daemon.exit_status);
}
