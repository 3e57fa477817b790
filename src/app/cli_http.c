/* assay-cli's side of HTTP: one request, one reply. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "app/cli.h"
#include "base/alloc.h"
#include "base/check.h"
#include "codec/base64.h"
#include "os/clock.h"
#include "os/socket.h"

#define TIMEOUT_DEFAULT_S 900
#define REPLY_BYTES_MAX ((size_t)1 << 30)
#define WARMUP_CODE (-28)

struct target {
    char *host;
    uint16_t port;
};

/* "host", "host:port", "[v6]:port", "v6". Port 0: none was given. */
static bool split_host(const char *text, struct target *ret_target)
{
    const char *colon = strrchr(text, ':');
    const char *bracket = text[0] == '[' ? strchr(text, ']') : NULL;
    bool has_port =
        colon != NULL && (bracket != NULL ? colon == bracket + 1 : strchr(text, ':') == colon);
    size_t len = bracket != NULL ? (size_t)(bracket - text) - 1
                 : has_port      ? (size_t)(colon - text)
                                 : strlen(text);

    ret_target->port = 0;
    ret_target->host = alloc_printf("%.*s", (int)len, text + (bracket != NULL));
    if (has_port) {
        char *end;
        long port = strtol(colon + 1, &end, 10);

        if (colon[1] < '0' || colon[1] > '9' || *end != '\0' || port < 1 || port > 65535)
            return false;
        ret_target->port = (uint16_t)port;
    }
    return true;
}

static int find_target(struct cli *cli, struct target *ret_target)
{
    const char *host = options_text(&cli->options, "rpcconnect", "127.0.0.1");
    const char *port = options_text(&cli->options, "rpcport", NULL);

    if (!split_host(host, ret_target))
        return cli_fail(cli, "Invalid port provided in -rpcconnect: %s", host);
    if (port != NULL) {
        char *end;
        long number = strtol(port, &end, 10);

        if (port[0] < '0' || port[0] > '9' || *end != '\0' || number < 1 || number > 65535)
            return cli_fail(cli, "Invalid port provided in -rpcport: %s", port);
        if (ret_target->port != 0)
            (void)fprintf(stderr,
                          "Warning: Port specified in both -rpcconnect and -rpcport. Using "
                          "-rpcport %ld\n",
                          number);
        ret_target->port = (uint16_t)number;
    }
    if (ret_target->port == 0)
        ret_target->port = cli->params->rpc_port;
    return 0;
}

enum cookie_state { COOKIE_NOT_ASKED, COOKIE_READ, COOKIE_ABSENT, COOKIE_DISABLED };

/* "user:password" to the end of buf. */
static enum cookie_state read_credentials(struct cli *cli, struct buf *credentials)
{
    const char *password = options_text(&cli->options, "rpcpassword", "");
    char *name;
    char *path;
    char line[512];
    FILE *file;

    if (password[0] != '\0') {
        buf_add_printf(credentials, "%s:%s", options_text(&cli->options, "rpcuser", ""), password);
        return COOKIE_NOT_ASKED;
    }
    name = options_path(&cli->options, "rpccookiefile", ".cookie");
    if (name[0] == '\0') {
        free(name);
        return COOKIE_DISABLED;
    }
    path = path_from(cli->network_folder, name);
    file = fopen(path, "r");
    free(name);
    free(path);
    if (file == NULL)
        return COOKIE_ABSENT;
    if (fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        buf_add_string(credentials, line);
    }
    (void)fclose(file);
    return COOKIE_READ;
}

static bool send_all(int fd, struct span data)
{
    while (data.len > 0) {
        ssize_t n = socket_write(fd, data.data, data.len);

        if (n <= 0)
            return false;
        data.data += n;
        data.len -= (size_t)n;
    }
    return true;
}

/* Everything up to the end of the connection. */
static const char *receive_all(int fd, struct buf *reply)
{
    for (;;) {
        uint8_t *room;
        ssize_t n;

        buf_reserve(reply, 65536);
        room = reply->data + reply->len;
        n = socket_read(fd, room, 65536);
        if (n == 0)
            return NULL;
        if (n == -1)
            return "timeout";
        if (n < 0)
            return "the connection broke";
        reply->len += (size_t)n;
        if (reply->len > REPLY_BYTES_MAX)
            return "the reply is too long";
    }
}

/* Splits a whole reply. False: it is none. */
static bool read_reply(struct buf *reply, int *ret_status, struct span *ret_body)
{
    const char *text = buf_string(reply);
    const char *end = strstr(text, "\r\n\r\n");

    if (end == NULL || strncmp(text, "HTTP/1.", 7) != 0 || text[8] != ' ')
        return false;
    *ret_status = (int)strtol(text + 9, NULL, 10);
    *ret_body = span_of(end + 4, reply->len - (size_t)(end + 4 - text));
    return true;
}

static int fail_connection(struct cli *cli, const struct target *target, const char *why)
{
    return cli_fail(cli,
                    "Error while attempting to communicate with server %s:%u (%s)\n\nMake sure "
                    "the bitcoind server is running and that you are connecting to the correct "
                    "RPC port.\nUse \"bitcoin-cli -help\" for more info.",
                    target->host, target->port, why);
}

static int fail_authorization(struct cli *cli, enum cookie_state cookie)
{
    static const char *const reasons[] = {
        [COOKIE_NOT_ASKED] = "Incorrect rpcuser or rpcpassword were specified.",
        [COOKIE_READ] = "Cookie file credentials were invalid and no rpcpassword was specified.",
        [COOKIE_ABSENT] = "Failed to read cookie file and no rpcpassword was specified.",
        [COOKIE_DISABLED] = ("Cookie file was disabled via -norpccookiefile and no rpcpassword was "
                             "specified."),
    };

    return cli_fail(cli, "Authorization failed: %s Configuration file: (%s)", reasons[cookie],
                    cli->options.config_path);
}

/* The characters of a path that need no escape stay. */
static void add_wallet_path(struct buf *request, const char *wallet)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_.~";

    buf_add_string(request, "/wallet/");
    for (; *wallet != '\0'; wallet++) {
        if (strchr(plain, *wallet) != NULL)
            buf_add_byte(request, (uint8_t)*wallet);
        else
            buf_add_printf(request, "%%%02X", (uint8_t)*wallet);
    }
}

static void write_http(struct buf *request, const struct target *target, struct span body,
                       const struct buf *credentials, const char *wallet)
{
    buf_add_string(request, "POST ");
    if (wallet != NULL)
        add_wallet_path(request, wallet);
    else
        buf_add_byte(request, '/');
    buf_add_printf(request,
                   " HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: %zu\r\n"
                   "Content-Type: application/json\r\nAuthorization: Basic ",
                   target->host, body.len);
    base64_write(request, span_of_buf(credentials));
    buf_add_string(request, "\r\n\r\n");
    buf_add(request, body.data, body.len);
}

static int check_status(struct cli *cli, int status, struct span body, enum cookie_state cookie)
{
    if (status == 401)
        return fail_authorization(cli, cookie);
    if (status == 503)
        return cli_fail(cli, "Server response: %.*s", (int)body.len, (const char *)body.data);
    if (status >= 400 && status != 400 && status != 404 && status != 500)
        return cli_fail(cli, "server returned HTTP error %d", status);
    if (body.len == 0)
        return cli_fail(cli, "no response from server");
    return 0;
}

/* One attempt. *ret_is_transient: the node may be there in a moment. */
static int call_once(struct cli *cli, struct json *ret_reply, struct span body, const char *wallet,
                     bool *ret_is_transient)
{
    int64_t timeout_s = options_int(&cli->options, "rpcclienttimeout", TIMEOUT_DEFAULT_S);
    struct target target = {0};
    struct buf credentials = {0};
    struct buf request = {0};
    struct buf reply = {0};
    enum cookie_state cookie;
    const char *why = NULL;
    struct span answer = {0};
    int status = 0;
    int fd = -1;
    int rc = find_target(cli, &target);

    *ret_is_transient = false;
    cookie = read_credentials(cli, &credentials);
    if (rc < 0)
        goto done;
    write_http(&request, &target, body, &credentials, wallet);
    if (socket_connect(&fd, target.host, target.port, MAX(timeout_s, 0) * 1000, NULL) < 0)
        why = "Could not connect to the server";
    else if (!send_all(fd, span_of_buf(&request)))
        why = "Failed to send HTTP request";
    else
        why = receive_all(fd, &reply);
    if (why == NULL && !read_reply(&reply, &status, &answer))
        why = "HTTP error: Invalid status line";
    if (why != NULL) {
        *ret_is_transient = true;
        rc = fail_connection(cli, &target, why);
        goto done;
    }
    rc = check_status(cli, status, answer, cookie);
    if (rc == 0 &&
        json_read(ret_reply, (const char *)answer.data, answer.len, &cli->arena, NULL) < 0)
        rc = cli_fail(cli, "couldn't parse reply from server");
done:
    socket_close(fd);
    buf_clear(&request);
    buf_clear(&reply);
    buf_clear(&credentials);
    free(target.host);
    return rc;
}

static bool is_warming_up(const struct json *reply)
{
    const struct json *error = reply_error(reply);
    const struct json *code = error == NULL ? NULL : json_find(error, "code");
    int64_t number;

    return code != NULL && json_get_int64(&number, code) && number == WARMUP_CODE;
}

int cli_call(struct cli *cli, struct json *ret_reply, struct span body, const char *wallet)
{
    bool waits = options_bool(&cli->options, "rpcwait", false);
    int64_t timeout_s = options_int(&cli->options, "rpcwaittimeout", 0);
    uint64_t start_us = clock_monotonic_us(clock_real());

    for (;;) {
        bool is_transient;
        int rc = call_once(cli, ret_reply, body, wallet, &is_transient);
        uint64_t passed_s = (clock_monotonic_us(clock_real()) - start_us) / 1000000;

        if (rc == 0 && waits && is_warming_up(ret_reply)) {
            rc = cli_fail(cli, "server in warmup");
            is_transient = true;
        }
        if (rc == 0 || !waits || !is_transient)
            return rc;
        if (timeout_s > 0 && passed_s >= (uint64_t)timeout_s) {
            char *why = alloc_string(buf_string(&cli->error));

            rc = cli_fail(cli, "timeout on transient error: %s", why);
            free(why);
            return rc;
        }
        (void)sleep(1);
    }
}
