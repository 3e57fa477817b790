#include "app/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "crypto/secp.h"
#include "os/clock.h"
#include "os/entropy.h"
#include "os/process.h"
#include "rpc/version.h"

#define NODES_DEFAULT 3
#define BLOCK_INTERVAL_DEFAULT_MS 5000
#define TX_INTERVAL_DEFAULT_MS 700
#define LOOK_MS 100
#define START_WAIT_MS 60000
#define CLEAR_SCREEN "\033[H\033[2J"

static FILE *keeper_log; /* Of the process that keeps the nodes. */

/* --- What is on disk: the folder, the key, who keeps it --- */

static char *path_in(const struct sandbox *box, const char *name)
{
    return alloc_printf("%s/%s", box->folder, name);
}

static int load_key(struct sandbox *box, struct error *err)
{
    const struct params *params = params_by_name("regtest");
    char *path = path_in(box, "key");
    FILE *file = fopen(path, "r");
    struct seckey key = {.is_compressed = true};
    struct buf text = {0};
    char line[WIF_TEXT_MAX + 1] = "";
    int rc = 0;

    if (file != NULL) {
        if (fgets(line, sizeof(line), file) == NULL)
            line[0] = '\0';
        line[strcspn(line, "\r\n")] = '\0';
        (void)fclose(file);
        if (!wif_read(&key, span_of(line, strlen(line)), params))
            rc = error_set(err, E_CORRUPT, "'%s' holds no key of regtest", path);
        memcpy(box->wif, line, sizeof(box->wif));
        goto done;
    }
    do
        entropy_fill(key.b, sizeof(key.b));
    while (!secp_seckey_is_valid(key.b));
    wif_write(&text, &key, params);
    memcpy(box->wif, buf_string(&text), text.len + 1);
    file = fopen(path, "w");
    if (file == NULL || fprintf(file, "%s\n", box->wif) < 0 || fclose(file) != 0)
        rc = error_set(err, E_IO, "could not write '%s': %s", path, strerror(errno));

done:
    buf_clear(&text);
    free(path);
    return rc;
}

/* The process that holds the lock keeps the nodes. 0: nobody. */
static pid_t find_keeper(const struct sandbox *box)
{
    char *path = path_in(box, "sandbox.pid");
    FILE *file = fopen(path, "r");
    long pid = 0;

    free(path);
    if (file == NULL)
        return 0;
    if (flock(fileno(file), LOCK_SH | LOCK_NB) == 0 || fscanf(file, "%ld", &pid) != 1)
        pid = 0;
    (void)fclose(file);
    return (pid_t)pid;
}

static int take_lock(const struct sandbox *box, int *ret_fd, struct error *err)
{
    char *path = path_in(box, "sandbox.pid");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int rc = 0;

    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0)
        rc = error_set(err, E_LOCKED, "another process keeps the sandbox in '%s'", box->folder);
    else if (ftruncate(fd, 0) != 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0)
        rc = error_set(err, E_IO, "could not write '%s': %s", path, strerror(errno));
    free(path);
    if (rc == 0)
        *ret_fd = fd;
    else if (fd >= 0)
        (void)close(fd);
    return rc;
}

/* --- The keeper --- */

static void write_log(enum log_level level, const char *category, const char *file, int line,
                      const char *function, const char *message)
{
    time_t now = time(NULL);
    char date[32] = "";
    struct tm tm;

    (void)level;
    (void)file;
    (void)line;
    (void)function;
    if (keeper_log == NULL || strcmp(category, "sandbox") != 0)
        return;
    if (gmtime_r(&now, &tm) != NULL)
        (void)strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &tm);
    (void)fprintf(keeper_log, "%s %s\n", date, message);
    (void)fflush(keeper_log);
}

/* Until a signal says it is enough. */
static void keep(struct sandbox *box)
{
    struct sandbox_traffic *traffic = sandbox_traffic_new(box);

    for (;;) {
        int number = signals_wait(LOOK_MS);

        if (number == SIGTERM || number == SIGINT)
            break;
        sandbox_nodes_look(box);
        sandbox_traffic_look(traffic);
    }
    log_info("sandbox", "stopping");
    sandbox_traffic_free(traffic);
    sandbox_nodes_stop(box);
}

static int run_keeper(struct sandbox *box, struct daemon_link *link)
{
    char *path = path_in(box, "sandbox.log");
    struct error err = {0};
    int lock = -1;
    int rc = take_lock(box, &lock, &err);

    keeper_log = fopen(path, "a");
    free(path);
    log_set_sink(write_log, NULL);
    if (rc == 0)
        rc = signals_open(&err);
    if (rc == 0) {
        daemon_ready(link);
        keep(box);
        signals_close();
        log_info("sandbox", "stopped");
    } else {
        log_error("sandbox", "%s", error_text(&err));
    }
    if (lock >= 0)
        (void)close(lock);
    if (keeper_log != NULL)
        (void)fclose(keeper_log);
    return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --- Commands --- */

static int fail(const char *what)
{
    (void)fprintf(stderr, "assay-sandbox: %s\n", what);
    return EXIT_FAILURE;
}

static bool all_answer(struct sandbox *box)
{
    for (uint32_t i = 0; i < box->nodes_n; i++) {
        if (SANDBOX_ASK(&box->nodes[i], "getblockcount", NULL) == NULL)
            return false;
    }
    return true;
}

/* Starts the keeper unless there is one. *ret_status: what to end with, or -1 to go on.*/
static int start(struct sandbox *box)
{
    struct daemon_link link = {.fd = -1};
    struct error err = {0};
    bool is_parent = true;
    int rc;

    if (find_keeper(box) != 0)
        return -1;
    rc = load_key(box, &err);
    if (rc == 0)
        rc = process_daemonize(&is_parent, &link, &err);
    if (rc < 0)
        return fail(error_text(&err));
    if (!is_parent)
        return run_keeper(box, &link);
    if (daemon_wait(&link, &err) < 0)
        return fail("the keeper did not start; see sandbox.log in its folder");
    for (int waited = 0; !all_answer(box); waited += LOOK_MS) {
        if (waited >= START_WAIT_MS)
            return fail("the nodes do not answer; see node*/assayd.out and "
                        "node*/regtest/debug.log in its folder");
        (void)usleep(LOOK_MS * 1000);
    }
    return -1;
}

static int stop(struct sandbox *box)
{
    pid_t keeper = find_keeper(box);

    if (keeper == 0)
        return fail("no sandbox is running there");
    if (kill(keeper, SIGTERM) != 0)
        return fail(strerror(errno));
    while (find_keeper(box) == keeper)
        (void)usleep(LOOK_MS * 1000);
    return EXIT_SUCCESS;
}

static void print_page(struct sandbox *box, bool is_terminal)
{
    struct buf text = {0};

    if (is_terminal)
        buf_add_string(&text, CLEAR_SCREEN);
    sandbox_page_write(box, &text, is_terminal);
    (void)fwrite(text.data, 1, text.len, stdout);
    (void)fflush(stdout);
    buf_clear(&text);
}

static void print_usage_hints(const struct sandbox *box)
{
    printf("\nAsk a node:       assay-cli -datadir=%s getblockchaininfo\n"
           "Its log:          %s/regtest/debug.log\n"
           "Watch the page:   assay-sandbox -dir=%s\n"
           "Stop it all:      assay-sandbox -dir=%s stop\n",
           box->nodes[0].folder, box->nodes[0].folder, box->folder, box->folder);
}

static int watch(struct sandbox *box)
{
    struct error err = {0};
    int number = 0;

    if (signals_open(&err) < 0)
        return fail(error_text(&err));
    while (number != SIGINT && number != SIGTERM) {
        print_page(box, true);
        printf("\nCtrl-C leaves this page; the nodes go on running.\n");
        number = signals_wait(1000);
    }
    signals_close();
    print_usage_hints(box);
    return EXIT_SUCCESS;
}

static void show_help(bool is_version)
{
    struct buf out = {0};

    buf_add_printf(&out, "%s sandbox v%s\n", CLIENT_NAME, ASSAY_VERSION);
    if (!is_version) {
        buf_add_string(&out,
                       "\nA private network of a few nodes on this machine: one mines every few "
                       "seconds,\npayments go between them, and a page shows what they do. "
                       "Nodes that are killed\nare started again.\n\n"
                       "Usage: assay-sandbox [options] [command]\n\n"
                       "Commands:\n\n"
                       "  watch   start it if need be, and show the page (the default on a "
                       "terminal)\n"
                       "  start   start it, wait until the nodes answer, show the page once\n"
                       "  status  show the page once\n"
                       "  stop    stop the nodes; what they hold stays for the next start\n\n");
        options_help(&out, assay_sandbox_options, "-", false);
    }
    (void)fputs(buf_string(&out), stdout);
    buf_clear(&out);
}

/* The folder of this program, where assayd is too. */
static char *find_assayd(const struct sandbox *box)
{
    const char *given = options_text(&box->options, "assayd", NULL);
    char self[4096];
    ssize_t len;
    char *slash;

    if (given != NULL)
        return alloc_string(given);
    len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (len <= 0)
        return alloc_string("assayd");
    self[len] = '\0';
    slash = strrchr(self, '/');
    *slash = '\0';
    return alloc_printf("%s/assayd", self);
}

static char *find_folder(const struct sandbox *box)
{
    const char *home = getenv("HOME");
    char *given = options_path(&box->options, "dir", "");
    char *absolute;

    if (given[0] == '\0') {
        free(given);
        return alloc_printf("%s/.assay-sandbox", home == NULL ? "" : home);
    }
    /* Nodes are started from another folder: it must exist to have an absolute name. */
    (void)mkdir(given, 0700);
    absolute = realpath(given, NULL);
    if (absolute == NULL)
        return given;
    free(given);
    return absolute;
}

static int run(struct sandbox *box, const char *command)
{
    bool is_terminal = isatty(STDOUT_FILENO) == 1;
    bool wants_page = strcmp(command, "watch") == 0;
    struct error err = {0};
    int status;

    if (strcmp(command, "stop") == 0)
        return stop(box);
    if (find_keeper(box) == 0 && strcmp(command, "status") == 0)
        return fail("no sandbox is running there");
    if (sandbox_nodes_prepare(box, &err) < 0)
        return fail(error_text(&err));
    if (strcmp(command, "status") == 0) {
        print_page(box, false);
        return EXIT_SUCCESS;
    }
    status = start(box);
    if (status >= 0)
        return status;
    if (wants_page && is_terminal)
        return watch(box);
    print_page(box, false);
    print_usage_hints(box);
    return EXIT_SUCCESS;
}

static bool is_command(const char *text)
{
    static const char *const commands[] = {"watch", "start", "status", "stop"};

    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(text, commands[i]) == 0)
            return true;
    }
    return false;
}

int sandbox_main(int argc, char **argv)
{
    struct sandbox box = {0};
    struct options *options = &box.options;
    const char *command = "watch";
    int64_t block_ms;
    int64_t tx_ms;
    uint8_t seed[32];
    int status;

    options_init(options, assay_sandbox_options);
    if (options_read_arguments(options, argc, argv, true) < 0) {
        status = fail(options_error(options));
        goto done;
    }
    if (options_is_set(options, "help") || options_is_set(options, "h") ||
        options_is_set(options, "version")) {
        show_help(options_is_set(options, "version"));
        status = EXIT_SUCCESS;
        goto done;
    }
    if (options->words_n > 0)
        command = options->words[0];
    block_ms = options_int(options, "blockinterval", BLOCK_INTERVAL_DEFAULT_MS);
    tx_ms = options_int(options, "txinterval", TX_INTERVAL_DEFAULT_MS);
    box.nodes_n = (uint32_t)options_int(options, "nodes", NODES_DEFAULT);
    if (options->words_n > 1 || !is_command(command) || box.nodes_n < 1 ||
        box.nodes_n > SANDBOX_NODES_MAX || block_ms < 1 || block_ms > 86400000 || tx_ms < 1 ||
        tx_ms > 86400000) {
        status = fail("options or command make no sense; see -help");
        goto done;
    }
    box.block_interval_us = (uint64_t)block_ms * 1000;
    box.tx_interval_us = (uint64_t)tx_ms * 1000;
    box.folder = find_folder(&box);
    box.assayd = find_assayd(&box);
    entropy_fill(seed, sizeof(seed));
    secp_init(seed);
    status = run(&box, command);

done:
    sandbox_nodes_clear(&box);
    for (uint32_t i = 0; i < SANDBOX_ADDRESSES; i++)
        free(box.addresses[i]);
    free(box.folder);
    free(box.assayd);
    options_clear(options);
    return status;
}
