#include "app/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"
#include "rpc/version.h"

#define LINE_MAX_BYTES ((size_t)1 << 28)
#define EXIT_GO_ON (-1)
#define WALLET_NOT_SPECIFIED (-19)

int cli_fail(struct cli *cli, const char *format, ...)
{
    va_list args;
    char *text = NULL;

    va_start(args, format);
    CHECK(vasprintf(&text, format, args) >= 0);
    va_end(args);
    buf_clear(&cli->error);
    buf_add_string(&cli->error, text);
    free(text);
    return -1;
}

const struct json *reply_error(const struct json *reply)
{
    const struct json *error = json_find(reply, "error");

    return error == NULL || error->type == JSON_NULL ? NULL : error;
}

static void show_information(const struct options *options)
{
    struct buf out = {0};

    buf_add_printf(&out, "%s RPC client version v%s (assay-cli %s)\n", CLIENT_NAME,
                   CLIENT_VERSION_TEXT, ASSAY_VERSION);
    if (options_bool(options, "version", false)) {
        buf_add_string(&out, "MIT licence. This is software without any warranty.\n");
        buf_add_printf(&out, "Report bugs: %s\n", ASSAY_BUGREPORT);
    } else {
        buf_add_string(&out, "\nAsks a node over JSON-RPC.\n\n"
                             "Usage: assay-cli [options] <method> [arguments]\n"
                             "or:    assay-cli [options] -named <method> [name=value]...\n"
                             "or:    assay-cli [options] help\n"
                             "or:    assay-cli [options] help <method>\n\n");
        options_help(&out, options->rows, "-", false);
    }
    (void)fputs(buf_string(&out), stdout);
    buf_clear(&out);
}

static int read_options(struct cli *cli, int argc, char **argv)
{
    struct options *options = &cli->options;
    const char *network;
    char *folder;

    options_init(options, assay_cli_options);
    if (options_read_arguments(options, argc, argv, true) < 0) {
        (void)fprintf(stderr, "Error parsing command line arguments: %s\n", options_error(options));
        return EXIT_FAILURE;
    }
    if (argc < 2 || options_is_set(options, "help") || options_is_set(options, "h") ||
        options_is_set(options, "?") || options_bool(options, "version", false)) {
        show_information(options);
        if (argc < 2)
            (void)fprintf(stderr, "Error: too few parameters\n");
        return argc < 2 ? EXIT_FAILURE : EXIT_SUCCESS;
    }
    folder = options_data_folder(options);
    if (folder == NULL) {
        (void)fprintf(stderr, "Error: Specified data directory \"%s\" does not exist.\n",
                      options_text(options, "datadir", ""));
        return EXIT_FAILURE;
    }
    free(folder);
    if (options_read_config(options) < 0) {
        (void)fprintf(stderr, "Error reading configuration file: %s\n", options_error(options));
        return EXIT_FAILURE;
    }
    network = options_network(options);
    cli->params = network == NULL ? NULL : params_by_name(network);
    if (cli->params == NULL) {
        if (network == NULL)
            (void)fprintf(stderr, "Error: %s\n", options_error(options));
        else
            (void)fprintf(stderr, "Error: Unknown chain %s.\n", network);
        return EXIT_FAILURE;
    }
    options_select_network(options, cli->params->name);
    folder = options_data_folder(options);
    cli->network_folder = path_from(folder, cli->params->folder);
    free(folder);
    return EXIT_GO_ON;
}

/* --- Standard input --- */

static void set_echo(bool is_on)
{
    struct termios mode;

    if (tcgetattr(STDIN_FILENO, &mode) != 0)
        return;
    if (is_on)
        mode.c_lflag |= ECHO;
    else
        mode.c_lflag &= ~(tcflag_t)ECHO;
    (void)tcsetattr(STDIN_FILENO, TCSANOW, &mode);
}

/* NULL at the end. The caller frees it. */
static char *read_line(void)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len = getline(&line, &capacity, stdin);

    if (len < 0 || (size_t)len > LINE_MAX_BYTES) {
        free(line);
        return NULL;
    }
    if (len > 0 && line[len - 1] == '\n')
        line[len - 1] = '\0';
    return line;
}

static char *ask_secret(const char *prompt)
{
    bool is_terminal = isatty(STDIN_FILENO) == 1;
    char *line;

    if (is_terminal) {
        (void)fputs(prompt, stderr);
        set_echo(false);
    }
    line = read_line();
    if (is_terminal) {
        set_echo(true);
        (void)fputc('\n', stdout);
    }
    return line;
}

static void insert_word(struct options *options, size_t at, char *own_word)
{
    options->words = realloc_array(options->words, options->words_n + 1, sizeof(options->words[0]));
    memmove(options->words + at + 1, options->words + at,
            (options->words_n - at) * sizeof(options->words[0]));
    options->words[at] = own_word;
    options->words_n++;
}

static int read_standard_input(struct cli *cli)
{
    struct options *options = &cli->options;
    char *line;

    if (options_bool(options, "stdinrpcpass", false)) {
        line = ask_secret("RPC password> ");
        if (line == NULL)
            return cli_fail(cli, "-stdinrpcpass specified but failed to read from standard input");
        options_set_forced(options, "rpcpassword", line);
        secret_wipe(line, strlen(line));
        free(line);
    }
    if (options_bool(options, "stdinwalletpassphrase", false)) {
        if (options->words_n < 1 || strncmp(options->words[0], "walletpassphrase", 16) != 0)
            return cli_fail(cli, "-stdinwalletpassphrase is only applicable for "
                                 "walletpassphrase(change)");
        line = ask_secret("Wallet passphrase> ");
        if (line == NULL)
            return cli_fail(cli, "-stdinwalletpassphrase specified but failed to read from "
                                 "standard input");
        insert_word(options, 1, line);
    }
    if (options_bool(options, "stdin", false)) {
        while ((line = read_line()) != NULL)
            insert_word(options, options->words_n, line);
        if (isatty(STDIN_FILENO) == 1)
            (void)fputc('\n', stdout);
    }
    return 0;
}

/* --- What came back --- */

/* Texts as they are, null as nothing, everything else as readable JSON. */
static void write_result(struct buf *text, const struct json *result)
{
    struct json_writer w;

    if (result == NULL || result->type == JSON_NULL)
        return;
    if (result->type == JSON_STRING) {
        buf_add(text, result->text.data, result->text.len);
        return;
    }
    json_writer_init(&w, text, 2);
    json_value(&w, result);
}

/* Returns the exit status. */
static int write_error(struct buf *text, const struct json *error)
{
    const struct json *code = json_find(error, "code");
    const struct json *message = json_find(error, "message");
    struct json_writer w;
    int64_t number = 1;

    if (code == NULL || !json_get_int64(&number, code)) {
        buf_add_string(text, "error: ");
        json_writer_init(&w, text, 0);
        json_value(&w, error);
        return EXIT_FAILURE;
    }
    buf_add_printf(text, "error code: %lld\n", (long long)number);
    if (message != NULL && message->type == JSON_STRING)
        buf_add_printf(text, "error message:\n%s", json_text(message));
    if (number == WALLET_NOT_SPECIFIED)
        buf_add_string(text, " Or for the CLI, specify the \"-rpcwallet=<walletname>\" option "
                             "before the command (run \"bitcoin-cli -h\" for help or "
                             "\"bitcoin-cli listwallets\" to see which wallets are currently "
                             "loaded).");
    return (int)(number < 0 ? -number : number) & 0xff;
}

/* --- The commands --- */

static int check_one_command(struct cli *cli)
{
    struct buf found = {0};
    size_t n = 0;
    int rc = 0;

    for (const struct option_row *row = cli->options.rows; row->name != NULL; row++) {
        if (row->group != GROUP_COMMAND || !options_is_set(&cli->options, row->name))
            continue;
        buf_add_printf(&found, "%s-%s", n > 0 ? ", " : "", row->name);
        n++;
    }
    if (n > 1)
        rc = cli_fail(cli, "Only one of %s may be specified.", buf_string(&found));
    buf_clear(&found);
    return rc;
}

static const char *wallet_of(const struct options *options)
{
    return options_is_negated(options, "rpcwallet") ? NULL
                                                    : options_text(options, "rpcwallet", NULL);
}

/* getnewaddress, then generatetoaddress; the answer holds both. */
static int generate(struct cli *cli, struct buf *text, struct json *ret_reply)
{
    struct options *options = &cli->options;
    const char *wallet = wallet_of(options);
    const struct json *address;
    const struct json *blocks;
    struct json_writer w;
    int rc = cli_call_method(cli, ret_reply, "getnewaddress", NULL, 0, wallet);

    if (rc < 0 || reply_error(ret_reply) != NULL)
        return rc;
    if (options->words_n > 2)
        return cli_fail(cli, "too many arguments (maximum 2 for nblocks and maxtries)");
    if (options->words_n == 0)
        insert_word(options, 0, alloc_string("1"));
    if (strcmp(options->words[0], "0") == 0)
        return cli_fail(cli, "the first argument (number of blocks to generate, default: 1) must "
                             "be an integer value greater than zero");
    address = json_find(ret_reply, "result");
    insert_word(options, 1, alloc_string(address == NULL ? "" : json_text(address)));
    rc = cli_call_method(cli, ret_reply, "generatetoaddress", options->words, options->words_n,
                         wallet);
    blocks = rc < 0 ? NULL : json_find(ret_reply, "result");
    if (rc < 0 || reply_error(ret_reply) != NULL || blocks == NULL)
        return rc;
    json_writer_init(&w, text, 2);
    json_begin_object(&w);
    json_put_string(&w, "address", options->words[1]);
    json_key(&w, "blocks");
    json_value(&w, blocks);
    json_end_object(&w);
    return 0;
}

/* *ret_error: what the node complains of; NULL: text is the answer. */
static int run(struct cli *cli, struct buf *text, const struct json **ret_error, struct json *reply)
{
    struct options *options = &cli->options;
    size_t n;
    int rc = read_standard_input(cli);

    *ret_error = NULL;
    if (rc == 0)
        rc = check_one_command(cli);
    if (rc == 0 && options_is_set(options, "ipcconnect") &&
        !options_is_negated(options, "ipcconnect") &&
        strcmp(options_text(options, "ipcconnect", ""), "auto") != 0)
        rc = cli_fail(cli, "bitcoin-cli was not built with IPC support");
    if (rc < 0)
        return rc;
    n = options->words_n;
    if (options_bool(options, "getinfo", false))
        return cli_get_info(cli, text, ret_error, n);
    if (options_bool(options, "netinfo", false))
        return cli_net_info(cli, text, ret_error, options->words, n);
    if (options_bool(options, "addrinfo", false))
        return cli_addr_info(cli, text, ret_error, n);
    if (options_bool(options, "generate", false))
        rc = generate(cli, text, reply);
    else if (n < 1)
        rc = cli_fail(cli, "too few parameters (need at least command)");
    else
        rc = cli_call_method(cli, reply, options->words[0], options->words + 1, n - 1,
                             wallet_of(options));
    if (rc < 0)
        return rc;
    if (reply->type != JSON_OBJECT || reply->count == 0)
        return cli_fail(cli, "expected reply to have result, error and id properties");
    *ret_error = reply_error(reply);
    if (*ret_error == NULL && text->len == 0)
        write_result(text, json_find(reply, "result"));
    return 0;
}

bool cli_open(struct cli *cli, int argc, char **argv)
{
    *cli = (struct cli){0};
    arena_init(&cli->arena);
    if (read_options(cli, argc, argv) == EXIT_GO_ON)
        return true;
    cli_close(cli);
    return false;
}

void cli_close(struct cli *cli)
{
    options_clear(&cli->options);
    arena_clear(&cli->arena);
    buf_clear(&cli->error);
    free(cli->network_folder);
}

int cli_main(int argc, char **argv)
{
    struct cli cli = {0};
    const struct json *error;
    struct json reply = {0};
    struct buf text = {0};
    int status;

    arena_init(&cli.arena);
    status = read_options(&cli, argc, argv);
    if (status == EXIT_GO_ON) {
        status = EXIT_SUCCESS;
        if (run(&cli, &text, &error, &reply) < 0) {
            status = EXIT_FAILURE;
            text.len = 0;
            buf_add_printf(&text, "error: %s", buf_string(&cli.error));
        } else if (error != NULL) {
            status = write_error(&text, error);
        }
        if (text.len > 0) {
            buf_add_byte(&text, '\n');
            (void)fwrite(text.data, 1, text.len, status == EXIT_SUCCESS ? stdout : stderr);
        }
    }
    buf_clear(&text);
    cli_close(&cli);
    return status;
}
