/* The RPC service: who may connect and ask, the cookie, the HTTP server. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/daemon.h"
#include "base/alloc.h"
#include "base/check.h"
#include "base/hex.h"
#include "base/log.h"
#include "os/entropy.h"

#define COOKIE_BYTES 32
#define WRONG_PASSWORD_MS 250
#define QUEUE_DEFAULT 64
#define THREADS_DEFAULT 16
#define THREADS_MAX 256
#define TIMEOUT_DEFAULT_S 30
#define CJDNS_FIRST_BYTE 0xfc

static void add_password(struct daemon *daemon, const char *user, const char *password)
{
    uint8_t salt[RPC_SALT_BYTES];

    entropy_fill(salt, sizeof(salt));
    rpc_auth_add(daemon->auth, user, password, salt);
}

/* "owner", "group" or "all" as a file mode; 0: neither. */
static mode_t mode_of(const char *readers)
{
    if (strcmp(readers, "owner") == 0)
        return 0600;
    if (strcmp(readers, "group") == 0)
        return 0640;
    return strcmp(readers, "all") == 0 ? 0644 : 0;
}

static void log_mode(const char *path)
{
    static const char letters[] = "rwxrwxrwx";
    struct stat st;
    char text[10] = "---------";

    if (stat(path, &st) != 0)
        return;
    for (int i = 0; i < 9; i++) {
        if ((st.st_mode >> (8 - i) & 1) != 0)
            text[i] = letters[i];
    }
    log_info("rpc", "Permissions used for cookie: %s", text);
}

static int write_cookie(const char *path, const char *content, mode_t mode)
{
    char *temporary = alloc_printf("%s.tmp", path);
    size_t len = strlen(content);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int rc = 0;

    if (fd < 0 || write(fd, content, len) != (ssize_t)len) {
        log_warning("rpc", "Unable to open cookie authentication file %s for writing", temporary);
        rc = E_IO;
    }
    if (fd >= 0)
        (void)close(fd);
    if (rc == 0 && rename(temporary, path) != 0) {
        log_warning("rpc", "Unable to rename cookie authentication file %s to %s", temporary, path);
        rc = E_IO;
    }
    if (rc == 0 && mode != 0 && chmod(path, mode) != 0) {
        log_warning("rpc", "Unable to set permissions on cookie authentication file %s", path);
        rc = E_IO;
    }
    free(temporary);
    return rc;
}

static int make_cookie(struct daemon *daemon)
{
    const char *readers = options_text(&daemon->options, "rpccookieperms", NULL);
    char *name = options_path(&daemon->options, "rpccookiefile", COOKIE_FILE_NAME);
    uint8_t secret[COOKIE_BYTES];
    char hex[2 * COOKIE_BYTES + 1];
    char *content = NULL;
    char *path = NULL;
    mode_t mode = 0;
    int rc = 0;

    if (readers != NULL) {
        mode = mode_of(readers);
        if (mode == 0) {
            log_error("rpc",
                      "Invalid -rpccookieperms=%s; must be one of 'owner', 'group', or "
                      "'all'.",
                      readers);
            rc = E_LIMIT;
            goto done;
        }
    }
    if (name[0] == '\0') {
        log_info("rpc", "RPC authentication cookie file generation is disabled.");
        goto done;
    }
    path = path_from(daemon->network_folder, name);
    entropy_fill(secret, sizeof(secret));
    hex_write(hex, secret, sizeof(secret));
    content = alloc_printf("%s:%s", COOKIE_USER, hex);
    rc = write_cookie(path, content, mode);
    if (rc < 0)
        goto done;
    log_info("rpc", "Generated RPC authentication cookie %s", path);
    log_mode(path);
    log_info("rpc", "Using random cookie authentication.");
    add_password(daemon, COOKIE_USER, hex);
    daemon->cookie_path = path;
    path = NULL;
done:
    if (content != NULL)
        secret_wipe(content, strlen(content));
    secret_wipe(secret, sizeof(secret));
    secret_wipe(hex, sizeof(hex));
    free(content);
    free(path);
    free(name);
    return rc;
}

static int set_up_users(struct daemon *daemon)
{
    const struct options *options = &daemon->options;
    const char *password = options_text(options, "rpcpassword", "");
    const char **list;
    size_t n;
    int rc = 0;

    daemon->auth = rpc_auth_new();
    if (password[0] == '\0') {
        rc = make_cookie(daemon);
    } else {
        log_info("rpc", "Using rpcuser/rpcpassword authentication.");
        log_warning("rpc", "The use of rpcuser/rpcpassword is less secure, because credentials are "
                           "configured in plain text. It is recommended that locally-run instances "
                           "switch to cookie-based auth, or otherwise to use hashed rpcauth "
                           "credentials.");
        add_password(daemon, options_text(options, "rpcuser", ""), password);
    }
    n = options_list(options, "rpcauth", &list);
    if (n > 0)
        log_info("rpc", "Using rpcauth authentication.");
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = rpc_auth_add_hashed(daemon->auth, list[i]);
        if (rc < 0)
            log_warning("rpc", "Invalid -rpcauth argument.");
    }
    free(list);
    n = options_list(options, "rpcwhitelist", &list);
    for (size_t i = 0; i < n; i++)
        rpc_auth_add_whitelist(daemon->auth, list[i]);
    free(list);
    rpc_auth_set_default_deny(daemon->auth, options_bool(options, "rpcwhitelistdefault", n > 0));
    return rc;
}

static void handle(void *context, struct http_exchange *exchange)
{
    struct daemon *daemon = context;
    const struct http_parser *request = exchange->request;
    const char *credentials;
    char user[RPC_USER_SIZE];

    if (strcmp(request->target, "/") != 0 && strncmp(request->target, "/wallet/", 8) != 0) {
        bool is_known = strcmp(request->method, "GET") == 0 ||
                        strcmp(request->method, "POST") == 0 ||
                        strcmp(request->method, "HEAD") == 0 || strcmp(request->method, "PUT") == 0;

        exchange->status = is_known ? 404 : 405;
        return;
    }
    if (strcmp(request->method, "POST") != 0) {
        exchange->status = 405;
        exchange->content_type = "text/plain";
        buf_add_string(&exchange->body, "JSONRPC server handles only POST requests");
        return;
    }
    credentials = http_parser_header(request, "Authorization");
    if (credentials == NULL || !rpc_auth_check(daemon->auth, credentials, user)) {
        if (credentials != NULL) {
            struct timespec delay = {.tv_nsec = WRONG_PASSWORD_MS * 1000000L};

            log_warning("rpc", "ThreadRPCServer incorrect password attempt from %s",
                        exchange->peer);
            (void)nanosleep(&delay, NULL); /* Guessing shall take long. */
        }
        exchange->status = 401;
        exchange->extra_header = "WWW-Authenticate: Basic realm=\"jsonrpc\"";
        return;
    }
    exchange->status =
        rpc_server_answer(daemon->rpc_server, &exchange->body, span_of_buf(&request->body), user,
                          exchange->peer, request->target);
    if (exchange->body.len > 0)
        exchange->content_type = "application/json";
}

/* The networks that may connect: this host, and what -rpcallowip adds. */
static int read_allowed(struct daemon *daemon, struct subnet **ret_allowed, size_t *ret_n)
{
    static const char *const local[] = {"127.0.0.0/8", "::1"};
    const char **list;
    size_t n = options_list(&daemon->options, "rpcallowip", &list);
    struct subnet *allowed = alloc_array(n + ARRAY_LEN(local), sizeof(*allowed));
    bool cjdns = options_bool(&daemon->options, "cjdnsreachable", false);
    int rc = 0;

    for (size_t i = 0; i < ARRAY_LEN(local); i++)
        CHECK(subnet_read(&allowed[i], local[i]));
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct subnet *subnet = &allowed[ARRAY_LEN(local) + i];

        /* With CJDNS fc00::/8 is a network of its own, not one of private hosts. */
        if (!subnet_read(subnet, list[i]) || (cjdns && subnet->address[0] == CJDNS_FIRST_BYTE))
            rc = daemon_error("Invalid -rpcallowip subnet specification: %s. Valid values are a "
                              "single IP (e.g. 1.2.3.4), a network/netmask (e.g. "
                              "1.2.3.4/255.255.255.0), a network/CIDR (e.g. 1.2.3.4/24), all ipv4 "
                              "(0.0.0.0/0), or all ipv6 (::/0). RFC4193 is allowed only if "
                              "-cjdnsreachable=0.",
                              list[i]);
    }
    free(list);
    *ret_allowed = allowed;
    *ret_n = n + ARRAY_LEN(local);
    return rc;
}

bool daemon_split_host_port(const char *text, char **ret_host, uint16_t *ret_port)
{
    const char *colon = strrchr(text, ':');
    bool is_bracketed = text[0] == '[' && strchr(text, ']') != NULL;
    bool is_bare_v6 = colon != NULL && !is_bracketed && strchr(text, ':') != colon;
    const char *end = text + strlen(text);

    if (colon != NULL && !is_bare_v6 && (!is_bracketed || colon[-1] == ']')) {
        char *rest;
        long port = strtol(colon + 1, &rest, 10);

        if (colon[1] < '0' || colon[1] > '9' || *rest != '\0' || port < 1 || port > 65535)
            return false;
        *ret_port = (uint16_t)port;
        end = colon;
    }
    if (is_bracketed)
        *ret_host = alloc_printf("%.*s", (int)(strchr(text, ']') - text - 1), text + 1);
    else
        *ret_host = alloc_printf("%.*s", (int)(end - text), text);
    return true;
}

static bool listen_at(struct daemon *daemon, const char *host, uint16_t port)
{
    struct error err = {0};

    log_info("http", "Binding RPC on address %s port %u", host, port);
    if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0)
        log_warning("http", "The RPC server is not safe to expose to untrusted networks such as "
                            "the public internet");
    if (http_server_listen(daemon->http, host, port, &err) == 0)
        return true;
    log_warning("http", "Binding RPC on address %s port %u failed: %s", host, port,
                error_text(&err));
    return false;
}

/* Somebody besides this host is let in only when both options say so. */
static int listen_everywhere(struct daemon *daemon)
{
    uint16_t port = (uint16_t)options_int(&daemon->options, "rpcport", daemon->params.rpc_port);
    const char **allowed;
    const char **binds;
    size_t allowed_n = options_list(&daemon->options, "rpcallowip", &allowed);
    size_t binds_n = options_list(&daemon->options, "rpcbind", &binds);
    bool is_bound = false;

    if (allowed_n == 0 || binds_n == 0) {
        if (allowed_n > 0)
            log_warning("http", "Option -rpcallowip was specified without -rpcbind; this doesn't "
                                "usually make sense");
        if (binds_n > 0)
            log_warning("http", "Option -rpcbind was ignored because -rpcallowip was not "
                                "specified, refusing to allow everyone to connect");
        is_bound = listen_at(daemon, "::1", port);
        is_bound = listen_at(daemon, "127.0.0.1", port) || is_bound;
    } else {
        for (size_t i = 0; i < binds_n; i++) {
            uint16_t own_port = port;
            char *host = NULL;

            if (daemon_split_host_port(binds[i], &host, &own_port))
                is_bound = listen_at(daemon, host, own_port) || is_bound;
            free(host);
        }
    }
    free(allowed);
    free(binds);
    if (!is_bound)
        log_error("http", "Unable to bind any endpoint for RPC server");
    return is_bound ? 0 : E_IO;
}

static void fill_context(struct daemon *daemon)
{
    struct rpc_context *rpc = &daemon->rpc;

    rpc->host = &daemon->host;
    rpc->params = &daemon->params;
    rpc->check_results = options_bool(&daemon->options, "rpcdoccheck", false);
    rpc->log_ips = options_bool(&daemon->options, "logips", false);
    rpc->user_agent = daemon->user_agent;
    rpc->deprecated_n = options_list(&daemon->options, "deprecatedrpc", &daemon->deprecated);
    rpc->deprecated = daemon->deprecated;
    daemon->rpc_server = rpc_server_new(rpc);
}

int daemon_start_rpc(struct daemon *daemon)
{
    const struct options *options = &daemon->options;
    struct http_options http = {
        .threads =
            (unsigned)MAX(1, MIN(options_int(options, "rpcthreads", THREADS_DEFAULT), THREADS_MAX)),
        .queue_len =
            (unsigned)MAX(1, MIN(options_int(options, "rpcworkqueue", QUEUE_DEFAULT), UINT16_MAX)),
        .timeout_s = options_int(options, "rpcservertimeout", TIMEOUT_DEFAULT_S),
        .handle = handle,
        .context = daemon,
    };
    struct subnet *allowed = NULL;
    struct error err = {0};
    int rc;

    fill_context(daemon);
    rc = read_allowed(daemon, &allowed, &http.allowed_n);
    http.allowed = allowed;
    if (rc < 0) {
        free(allowed);
        return rc;
    }
    rc = http_server_new(&daemon->http, &http, &err);
    free(allowed);
    if (rc == 0)
        rc = listen_everywhere(daemon);
    if (rc == 0)
        rc = set_up_users(daemon);
    if (rc == 0) {
        rpc_server_set_permit(daemon->rpc_server, rpc_auth_permits, daemon->auth);
        log_info("http", "Starting HTTP server with %u worker threads", http.threads);
        rc = http_server_start(daemon->http, &err);
    }
    if (rc < 0)
        return daemon_error("Unable to start HTTP server. See debug log for details.");
    return 0;
}

void daemon_stop_rpc(struct daemon *daemon)
{
    if (daemon->cookie_path != NULL && unlink(daemon->cookie_path) != 0)
        log_warning("rpc", "Unable to remove random auth cookie file %s", daemon->cookie_path);
    http_server_free(daemon->http);
    rpc_server_free(daemon->rpc_server);
    rpc_auth_free(daemon->auth);
    free(daemon->cookie_path);
    free(daemon->deprecated);
    daemon->http = NULL;
    daemon->rpc_server = NULL;
    daemon->auth = NULL;
    daemon->cookie_path = NULL;
    daemon->deprecated = NULL;
}
