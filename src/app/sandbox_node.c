/* The sandbox's nodes: folders, processes, questions. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/sandbox.h"
#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "os/clock.h"

/* A node that ends so soon is started again later and later. */
#define EARLY_END_US (UINT64_C(5) * 1000 * 1000)
#define RESTART_US (UINT64_C(1) * 1000 * 1000)
#define RESTART_MAX_US (UINT64_C(60) * 1000 * 1000)
#define STOP_WAIT_US (UINT64_C(60) * 1000 * 1000)

static uint64_t now_us(void)
{
    return clock_monotonic_us(clock_real());
}

static int make_folder(const char *path, struct error *err)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return error_set(err, E_IO, "could not make folder '%s': %s", path, strerror(errno));
    return 0;
}

static int write_file(const char *path, const struct buf *text, struct error *err)
{
    FILE *file = fopen(path, "w");
    bool is_good = file != NULL && fwrite(text->data, 1, text->len, file) == text->len;

    if (file != NULL && fclose(file) != 0)
        is_good = false;
    return is_good ? 0 : error_set(err, E_IO, "could not write '%s': %s", path, strerror(errno));
}

/* Everything is in the folder's configuration, so that the user's own calls need
 * nothing but -datadir. */
static int write_config(const struct sandbox *box, const struct sandbox_node *node,
                        struct error *err)
{
    char *path = alloc_printf("%s/bitcoin.conf", node->folder);
    struct buf text = {0};
    int rc;

    buf_add_printf(&text,
                   "# Written by assay-sandbox at each start.\nregtest=1\nserver=1\n"
                   "[regtest]\nport=%u\nbind=127.0.0.1:%u\nrpcport=%u\n"
                   "dnsseed=0\nfixedseeds=0\ndiscover=0\nlistenonion=0\nnatpmp=0\n"
                   "dbcache=32\nmaxmempool=50\nprinttoconsole=0\nfallbackfee=0.0001\n",
                   node->port, node->port, node->rpc_port);
    for (uint32_t i = 0; i < box->nodes_n; i++) {
        if (&box->nodes[i] != node)
            buf_add_printf(&text, "addnode=127.0.0.1:%u\n", box->nodes[i].port);
    }
    rc = write_file(path, &text, err);
    buf_clear(&text);
    free(path);
    return rc;
}

int sandbox_nodes_prepare(struct sandbox *box, struct error *err)
{
    uint16_t port = (uint16_t)options_int(&box->options, "port", SANDBOX_PORT);
    int rc = make_folder(box->folder, err);

    for (uint32_t i = 0; i < box->nodes_n && rc == 0; i++) {
        struct sandbox_node *node = &box->nodes[i];

        node->number = i + 1;
        node->port = (uint16_t)(port + 10 * i);
        node->rpc_port = (uint16_t)(port + 10 * i + 1);
        node->folder = alloc_printf("%s/node%u", box->folder, node->number);
        rc = make_folder(node->folder, err);
    }
    for (uint32_t i = 0; i < box->nodes_n && rc == 0; i++)
        rc = write_config(box, &box->nodes[i], err);
    return rc;
}

void sandbox_nodes_clear(struct sandbox *box)
{
    for (uint32_t i = 0; i < SANDBOX_NODES_MAX; i++) {
        struct sandbox_node *node = &box->nodes[i];

        if (node->is_cli_open)
            cli_close(&node->cli);
        free(node->folder);
    }
}

void sandbox_node_start(struct sandbox *box, struct sandbox_node *node)
{
    char *datadir = alloc_printf("-datadir=%s", node->folder);
    char *output = alloc_printf("%s/assayd.out", node->folder);
    char *const args[] = {box->assayd, datadir, NULL};
    pid_t keeper = getpid();

    node->started_us = now_us();
    node->pid = fork();
    if (node->pid == 0) {
        int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        sigset_t none;

        (void)sigemptyset(&none);
        (void)sigprocmask(SIG_SETMASK, &none, NULL);
        /* A keeper that is killed leaves no nodes behind. */
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != keeper)
            _exit(1);
        if (fd >= 0) {
            (void)dup2(fd, STDOUT_FILENO);
            (void)dup2(fd, STDERR_FILENO);
        }
        execv(box->assayd, args);
        _exit(127);
    }
    if (node->pid < 0) {
        log_warning("sandbox", "node %u could not be started: %s", node->number, strerror(errno));
        node->pid = 0;
        node->start_at_us = now_us() + RESTART_MAX_US;
    } else {
        log_info("sandbox", "node %u started, process %d", node->number, (int)node->pid);
    }
    free(datadir);
    free(output);
}

static void note_end(struct sandbox_node *node, int status)
{
    uint64_t wait_us = RESTART_US;

    node->early_ends = now_us() - node->started_us < EARLY_END_US ? node->early_ends + 1 : 0;
    for (uint32_t i = 1; i < node->early_ends && wait_us < RESTART_MAX_US; i++)
        wait_us *= 2;
    if (WIFSIGNALED(status))
        log_info("sandbox", "node %u was killed by signal %d", node->number, WTERMSIG(status));
    else
        log_info("sandbox", "node %u ended with status %d; see %s/assayd.out", node->number,
                 WEXITSTATUS(status), node->folder);
    node->pid = 0;
    node->start_at_us = now_us() + MIN(wait_us, RESTART_MAX_US);
}

void sandbox_nodes_look(struct sandbox *box)
{
    for (uint32_t i = 0; i < box->nodes_n; i++) {
        struct sandbox_node *node = &box->nodes[i];
        int status = 0;

        if (node->pid > 0 && waitpid(node->pid, &status, WNOHANG) == node->pid)
            note_end(node, status);
        if (node->pid == 0 && now_us() >= node->start_at_us)
            sandbox_node_start(box, node);
    }
}

void sandbox_nodes_stop(struct sandbox *box)
{
    uint64_t end_us = now_us() + STOP_WAIT_US;

    for (uint32_t i = 0; i < box->nodes_n; i++) {
        if (box->nodes[i].pid > 0)
            (void)kill(box->nodes[i].pid, SIGTERM);
    }
    for (uint32_t i = 0; i < box->nodes_n; i++) {
        struct sandbox_node *node = &box->nodes[i];
        int status;

        while (node->pid > 0 && waitpid(node->pid, &status, WNOHANG) == 0) {
            if (now_us() > end_us)
                (void)kill(node->pid, SIGKILL);
            (void)usleep(20000);
        }
        node->pid = 0;
    }
}

static bool open_cli(struct sandbox_node *node)
{
    char *datadir = alloc_printf("-datadir=%s", node->folder);
    char program[] = "assay-sandbox";
    char timeout[] = "-rpcclienttimeout=10";
    char method[] = "help";
    char *args[] = {program, datadir, timeout, method};

    if (!node->is_cli_open)
        node->is_cli_open = cli_open(&node->cli, ARRAY_LEN(args), args);
    free(datadir);
    return node->is_cli_open;
}

const struct json *sandbox_ask(struct sandbox_node *node, const char *method,
                               const char *const *args)
{
    struct json *reply;
    size_t args_n = 0;

    while (args[args_n] != NULL)
        args_n++;
    if (!open_cli(node))
        return NULL;
    arena_reset(&node->cli.arena);
    reply = arena_alloc(&node->cli.arena, sizeof(*reply));
    /* The arguments are only read. */
    if (cli_call_method(&node->cli, reply, method, (char *const *)(uintptr_t)args, args_n, NULL) <
        0)
        return NULL;
    if (reply_error(reply) != NULL) {
        const struct json *text = json_find(reply_error(reply), "message");

        (void)cli_fail(&node->cli, "%s: %s", method, text == NULL ? "?" : json_text(text));
        return NULL;
    }
    return json_find(reply, "result");
}
