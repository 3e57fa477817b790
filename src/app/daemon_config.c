/* From the command line and the files to options that make sense. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/daemon.h"
#include "app/log.h"
#include "base/alloc.h"
#include "base/check.h"
#include "base/hex.h"
#include "os/net.h"
#include "rpc/version.h"

#define CONFIG_NAME "bitcoin.conf"
#define FAST_PRUNE_AFTER_HEIGHT 100
#define LOCAL_SOCKET "unix:"

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

/* --- -help and -version --- */

static void print_version(struct buf *out)
{
    buf_add_printf(out, "%s daemon version v%s (%s %s)\n", CLIENT_NAME, CLIENT_VERSION_TEXT,
                   DAEMON_NAME, ASSAY_VERSION);
}

static bool show_information(const struct options *options)
{
    bool wants_help = options_is_set(options, "help") || options_is_set(options, "h") ||
                      options_is_set(options, "?") || options_is_set(options, "help-debug");
    bool wants_version = options_bool(options, "version", false);
    struct buf out = {0};

    if (!wants_help && !wants_version)
        return false;
    print_version(&out);
    if (wants_version) {
        buf_add_string(&out, "MIT licence. This is software without any warranty.\n");
        buf_add_printf(&out, "Report bugs: %s\n", ASSAY_BUGREPORT);
    } else {
        buf_add_printf(&out,
                       "\nVerifies the Bitcoin chain, keeps it and its coins on disk, and answers "
                       "questions about\nthem over JSON-RPC.\n\nUsage: %s [options]\n\n",
                       DAEMON_NAME);
        options_help(&out, options->rows, "-", options_bool(options, "help-debug", false));
    }
    (void)fputs(buf_string(&out), stdout);
    (void)fflush(stdout);
    buf_clear(&out);
    return true;
}

/* --- Folders and files --- */

/* A new folder gets one for wallets too: where there is none, wallets of old
 * live in the folder itself. */
static int make_data_folder(const char *path)
{
    char *wallets;
    struct error err = {0};
    int rc = 0;

    if (exists(path))
        return 0;
    wallets = alloc_printf("%s/wallets", path);
    if (disk_make_folder(disk_real(), wallets, &err) < 0)
        rc = daemon_error("%s", error_text(&err));
    free(wallets);
    return rc;
}

static bool same_file(const char *a, const char *b)
{
    struct stat x;
    struct stat y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The configuration may move the data directory to a place with another
 * configuration file, which nobody reads. */
static int check_ignored_config(struct daemon *daemon, const char *first_folder)
{
    const struct options *options = &daemon->options;
    char *there = alloc_printf("%s/%s", daemon->folder, CONFIG_NAME);
    const char *in_use = options->config_path;
    const char *given = options_text(options, "conf", "");
    char *source;
    int rc = 0;

    if (!exists(there) || same_file(in_use, there)) {
        free(there);
        return 0;
    }
    if (in_use[0] == '\0') {
        log_info("config",
                 "Data directory \"%s\" contains a \"%s\" file which is explicitly ignored using "
                 "-noconf.",
                 daemon->folder, CONFIG_NAME);
        free(there);
        return 0;
    }
    source = given[0] == '\0' ? alloc_printf("data directory \"%s\"", first_folder)
                              : alloc_printf("command line argument \"-conf=%s\"", given);
    {
        char *text = alloc_printf(
            "Data directory \"%s\" contains a \"%s\" file which is ignored, because a different "
            "configuration file \"%s\" from %s is being used instead. Possible ways to address "
            "this would be to:\n"
            "- Delete or rename the \"%s\" file in data directory \"%s\".\n"
            "- Change datadir= or conf= options to specify one configuration file, not two, and "
            "use includeconf= to include any other configuration files.",
            daemon->folder, CONFIG_NAME, in_use, source, CONFIG_NAME, daemon->folder);

        if (options_bool(options, "allowignoredconf", false))
            log_warning("config", "%s", text);
        else
            rc = daemon_error("%s\n- Set allowignoredconf=1 option to treat this condition as a "
                              "warning, not an error.",
                              text);
        free(text);
    }
    free(source);
    free(there);
    return rc;
}

static int read_settings(struct daemon *daemon)
{
    char *name = options_path(&daemon->options, "settings", SETTINGS_FILE_NAME);
    char *path;
    int rc;

    if (name[0] == '\0') {
        free(name);
        return 0;
    }
    path = path_from(daemon->network_folder, name);
    rc = options_read_settings(&daemon->options, path);
    if (rc < 0)
        rc =
            daemon_error("Settings file could not be read:\n- %s", options_error(&daemon->options));
    else if (options_write_settings(&daemon->options, path) < 0)
        rc = daemon_error("Settings file could not be written:\n- %s",
                          options_error(&daemon->options));
    free(path);
    free(name);
    return rc;
}

static int apply_network_options(struct daemon *daemon)
{
    static const struct {
        const char *option;
        int (*set)(struct params *params, const char *text, struct error *err);
    } changes[] = {
        {"testactivationheight", params_set_activation_height},
        {"vbparams", params_set_vbparams},
    };
    const char *challenge = options_text(&daemon->options, "signetchallenge", NULL);
    struct error err = {0};
    int rc = 0;

    for (size_t k = 0; daemon->params.network != NETWORK_MAIN && k < ARRAY_LEN(changes); k++) {
        const char **list;
        size_t n = options_list(&daemon->options, changes[k].option, &list);

        for (size_t i = 0; rc == 0 && i < n && daemon->params.network == NETWORK_REGTEST; i++) {
            if (changes[k].set(&daemon->params, list[i], &err) < 0)
                rc = daemon_error("%s", error_text(&err));
        }
        free(list);
    }
    if (rc == 0 && challenge != NULL && daemon->params.network == NETWORK_SIGNET) {
        struct buf bytes = {0};
        const char **list;
        size_t n = options_list(&daemon->options, "signetchallenge", &list);

        if (n != 1)
            rc = daemon_error("-signetchallenge cannot be multiple values.");
        else if (!hex_read_buf(&bytes, challenge, strlen(challenge)))
            rc = daemon_error("-signetchallenge must be hex, not '%s'.", challenge);
        else if (params_set_signet_challenge(&daemon->params, span_of_buf(&bytes), &err) < 0)
            rc = daemon_error("%s", error_text(&err));
        free(list);
        /* The parameters borrow the bytes for as long as the process lives. */
        if (rc < 0)
            buf_clear(&bytes);
    }
    return rc;
}

static int choose_network(struct daemon *daemon)
{
    const char *name = options_network(&daemon->options);
    const struct params *params;

    if (name == NULL)
        return daemon_error("%s", options_error(&daemon->options));
    params = params_by_name(name);
    if (params == NULL)
        return daemon_error("Unknown chain %s.", name);
    daemon->params = *params;
    options_select_network(&daemon->options, params->name);
    return apply_network_options(daemon);
}

int daemon_configure(struct daemon *daemon, int argc, char **argv, bool *ret_is_done)
{
    struct options *options = &daemon->options;
    char *first_folder;
    int rc;

    *ret_is_done = false;
    options_init(options, assayd_options);
    if (options_read_arguments(options, argc, argv, false) < 0)
        return daemon_error("Error parsing command line arguments: %s", options_error(options));
    if (show_information(options)) {
        *ret_is_done = true;
        return 0;
    }
    first_folder = options_data_folder(options);
    if (first_folder == NULL)
        return daemon_error("Specified data directory \"%s\" does not exist.",
                            options_text(options, "datadir", ""));
    if (options_read_config(options) < 0) {
        rc = daemon_error("Error reading configuration file: %s", options_error(options));
        goto done;
    }
    rc = choose_network(daemon);
    if (rc < 0)
        goto done;
    daemon->folder = options_data_folder(options);
    daemon->network_folder = path_from(daemon->folder, daemon->params.folder);
    rc = make_data_folder(daemon->folder);
    if (rc == 0)
        rc = make_data_folder(daemon->network_folder);
    if (rc == 0)
        rc = check_ignored_config(daemon, first_folder);
    if (rc == 0)
        rc = read_settings(daemon);
    if (rc == 0 && options->words_n > 0)
        rc = daemon_error("Command line contains unexpected token '%s', see %s -h for a list of "
                          "options.",
                          options->words[0], DAEMON_NAME);
done:
    free(first_folder);
    return rc;
}

/* --- What options mean for each other --- */

static bool list_is_empty(const struct options *options, const char *name)
{
    const char **list;
    size_t n = options_list(options, name, &list);

    free(list);
    return n == 0;
}

static void settle(struct options *options, const char *name, const char *value, const char *why)
{
    if (options_set_soft(options, name, value))
        log_info("config", "parameter interaction: %s -> setting -%s=%s", why, name, value);
}

void daemon_settle_options(struct daemon *daemon)
{
    struct options *o = &daemon->options;
    const char *proxy = options_text(o, "proxy", "");

    (void)options_set_soft(o, "server", "1");
    if (!list_is_empty(o, "bind"))
        settle(o, "listen", "1", "-bind set");
    if (!list_is_empty(o, "whitebind"))
        settle(o, "listen", "1", "-whitebind set");
    if (!list_is_empty(o, "connect") || options_is_negated(o, "connect") ||
        options_int(o, "maxconnections", 200) <= 0) {
        settle(o, "dnsseed", "0", "-connect or -maxconnections=0 set");
        settle(o, "listen", "0", "-connect or -maxconnections=0 set");
    }
    if (proxy[0] != '\0' && strcmp(proxy, "0") != 0) {
        settle(o, "listen", "0", "-proxy set");
        settle(o, "natpmp", "0", "-proxy set");
        settle(o, "discover", "0", "-proxy set");
    }
    if (!options_bool(o, "listen", true)) {
        settle(o, "natpmp", "0", "-listen=0");
        settle(o, "discover", "0", "-listen=0");
        settle(o, "listenonion", "0", "-listen=0");
        settle(o, "i2pacceptincoming", "0", "-listen=0");
    }
    if (!list_is_empty(o, "externalip"))
        settle(o, "discover", "0", "-externalip set");
    if (options_bool(o, "blocksonly", false)) {
        settle(o, "whitelistrelay", "0", "-blocksonly=1");
        settle(o, "maxmempool", "5", "-blocksonly=1");
    }
    if (options_bool(o, "whitelistforcerelay", false))
        settle(o, "whitelistrelay", "1", "-whitelistforcerelay=1");
}

/* --- Do they make sense? --- */

static void warn_of_old_options(const struct options *o)
{
    if (options_is_set(o, "checkpoints"))
        daemon_warn("Option '-checkpoints' is set but checkpoints were removed. This option has no "
                    "effect.");
    if (options_is_set(o, "limitancestorsize"))
        daemon_warn("Option '-limitancestorsize' is given but ancestor size limits have been "
                    "replaced with cluster size limits (see -limitclustersize). This option has no "
                    "effect.");
    if (options_is_set(o, "limitdescendantsize"))
        daemon_warn("Option '-limitdescendantsize' is given but descendant size limits have been "
                    "replaced with cluster size limits (see -limitclustersize). This option has no "
                    "effect.");
}

static int check_sections(struct daemon *daemon)
{
    const struct options *o = &daemon->options;
    struct buf text = {0};
    const char *name;
    int rc = 0;

    for (size_t i = 0; (name = options_misplaced(o, i)) != NULL; i++)
        buf_add_printf(&text,
                       "%sConfig setting for -%s only applied on %s network when in [%s] section.",
                       i > 0 ? "\n" : "", name, daemon->params.name, daemon->params.name);
    if (text.len > 0)
        rc = daemon_error("%s", buf_string(&text));
    text.len = 0;
    for (size_t i = 0; rc == 0 && i < o->sections_n; i++) {
        if (params_by_name(o->sections[i].name) == NULL)
            buf_add_printf(&text, "%s%s:%d Section [%s] is not recognized.",
                           text.len > 0 ? "\n" : "", o->sections[i].file, o->sections[i].line,
                           o->sections[i].name);
    }
    if (text.len > 0)
        daemon_warn("%s", buf_string(&text));
    buf_clear(&text);
    return rc;
}

static int set_blocks_folder(struct daemon *daemon)
{
    const struct options *o = &daemon->options;
    char *given = options_path(o, "blocksdir", "");
    char *base;
    char cwd[4096];
    struct error err = {0};
    int rc = 0;

    if (!options_is_set(o, "blocksdir")) {
        base = alloc_string(daemon->network_folder);
    } else {
        char *absolute;

        /* A process whose folder was deleted has none; a full path needs none. */
        if (getcwd(cwd, sizeof(cwd)) == NULL)
            cwd[0] = '\0';
        absolute = path_from(cwd, given);
        if (!is_folder(absolute))
            rc = daemon_error("Specified blocks directory \"%s\" does not exist.",
                              options_text(o, "blocksdir", ""));
        base = path_from(absolute, daemon->params.folder);
        free(absolute);
    }
    daemon->blocks_folder = alloc_printf("%s/blocks", base);
    if (rc == 0 && disk_make_folder(disk_real(), daemon->blocks_folder, &err) < 0)
        rc = daemon_error("%s", error_text(&err));
    free(base);
    free(given);
    return rc;
}

static int check_port(const struct options *o, const char *name)
{
    const char *text = options_text(o, name, NULL);
    char *end;
    long port;

    if (text == NULL)
        return 0;
    port = strtol(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || port < 1 || port > 65535)
        return daemon_error("Invalid port specified in -%s: '%s'", name, text);
    return 0;
}

static int check_host_ports(const struct options *o, const char *name)
{
    const char **list;
    size_t n = options_list(o, name, &list);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < n; i++) {
        char *host = NULL;
        uint16_t port = 0;

        if (!daemon_split_host_port(list[i], &host, &port))
            rc = daemon_error("Invalid port specified in -%s: '%s'", name, list[i]);
        free(host);
    }
    free(list);
    return rc;
}

/* The path of a local socket must fit into what the system takes. */
static int check_proxy_paths(const struct options *o)
{
    const char **list;
    size_t n = options_list(o, "proxy", &list);
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < n; i++) {
        const char *end = strrchr(list[i], '=');
        size_t len = end == NULL ? strlen(list[i]) : (size_t)(end - list[i]);

        if (strncmp(list[i], LOCAL_SOCKET, strlen(LOCAL_SOCKET)) == 0 &&
            len - strlen(LOCAL_SOCKET) >= NET_PATH_SIZE)
            rc = daemon_error("Invalid -proxy address or hostname: '%.*s'", (int)len, list[i]);
    }
    free(list);
    return rc;
}

static int check_combinations(struct daemon *daemon)
{
    const struct options *o = &daemon->options;
    bool listens = options_bool(o, "listen", true);

    if (options_int(o, "prune", 0) != 0) {
        if (options_bool(o, "txindex", false))
            return daemon_error("Prune mode is incompatible with -txindex.");
        if (options_bool(o, "txospenderindex", false))
            return daemon_error("Prune mode is incompatible with -txospenderindex.");
        if (options_bool(o, "reindex-chainstate", false))
            return daemon_error("Prune mode is incompatible with -reindex-chainstate. Use full "
                                "-reindex instead.");
    }
    if (options_bool(o, "forcednsseed", false) && !options_bool(o, "dnsseed", true))
        return daemon_error("Cannot set -forcednsseed to true when setting -dnsseed to false.");
    if (!listens && (!list_is_empty(o, "bind") || !list_is_empty(o, "whitebind")))
        return daemon_error("Cannot set -bind or -whitebind together with -listen=0");
    if (!listens && options_bool(o, "listenonion", true))
        return daemon_error("Cannot set -listen=0 together with -listenonion=1");
    if (options_int(o, "maxconnections", 200) < 0)
        return daemon_error("-maxconnections must be greater or equal than zero");
    if (options_int(o, "peertimeout", 60) <= 0)
        return daemon_error("peertimeout must be a positive integer.");
    if (options_bool(o, "acceptnonstdtxn", false) && !daemon->params.is_test_chain)
        return daemon_error("acceptnonstdtxn is not currently supported for %s chain",
                            daemon->params.name);
    return 0;
}

static int check_test_options(struct daemon *daemon)
{
    static const char *const known[] = {"addrman", "reindex_after_failure_noninteractive_yes",
                                        "bip94"};
    const struct options *o = &daemon->options;
    const char **list;
    size_t n = options_list(o, "test", &list);
    int rc = 0;

    if (n > 0 && daemon->params.network != NETWORK_REGTEST)
        rc = daemon_error("-test=<option> can only be used with regtest");
    for (size_t i = 0; rc == 0 && i < n; i++) {
        bool is_known = false;

        for (size_t k = 0; k < ARRAY_LEN(known); k++)
            is_known = is_known || strcmp(list[i], known[k]) == 0;
        if (!is_known)
            daemon_warn("Unrecognised option \"%s\" provided in -test=<option>.", list[i]);
        if (strcmp(list[i], "bip94") == 0)
            daemon->params.enforce_bip94 = true;
    }
    free(list);
    if (daemon->params.network == NETWORK_REGTEST && options_bool(o, "fastprune", false))
        daemon->params.prune_after_height = FAST_PRUNE_AFTER_HEIGHT;
    if (rc == 0 && daemon->params.network == NETWORK_MAIN) {
        if (options_is_set(o, "testactivationheight"))
            return daemon_error("The -testactivationheight option may not be used on mainnet.");
        if (options_is_set(o, "vbparams"))
            return daemon_error("The -vbparams option may not be used on mainnet.");
    }
    return rc;
}

/* "/Satoshi:31.99.0(comment; comment)/", as peers will see it. */
static int set_user_agent(struct daemon *daemon)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               " .,;-_?@";
    const char **list;
    size_t n = options_list(&daemon->options, "uacomment", &list);
    struct buf text = {0};
    int rc = 0;

    buf_add_string(&text, "/" CLIENT_AGENT_NAME ":" CLIENT_VERSION_TEXT);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (strspn(list[i], safe) != strlen(list[i]))
            rc = daemon_error("User Agent comment (%s) contains unsafe characters.", list[i]);
        buf_add_string(&text, i == 0 ? "(" : "; ");
        buf_add_string(&text, list[i]);
    }
    buf_add_string(&text, n > 0 ? ")/" : "/");
    if (rc == 0 && text.len > USER_AGENT_MAX)
        rc = daemon_error("Total length of network version string (%zu) exceeds maximum length "
                          "(%d). Reduce the number or size of uacomments.",
                          text.len, USER_AGENT_MAX);
    daemon->user_agent = alloc_string(buf_string(&text));
    buf_clear(&text);
    free(list);
    return rc;
}

int daemon_check_options(struct daemon *daemon)
{
    int rc;

    warn_of_old_options(&daemon->options);
    rc = check_sections(daemon);
    if (rc == 0)
        rc = set_blocks_folder(daemon);
    if (rc == 0)
        rc = check_combinations(daemon);
    if (rc == 0)
        rc = check_proxy_paths(&daemon->options);
    if (rc == 0)
        rc = daemon_set_log_levels(daemon);
    if (rc == 0)
        rc = check_test_options(daemon);
    if (rc == 0)
        rc = daemon_check_mining(daemon);
    if (rc == 0)
        rc = check_port(&daemon->options, "port");
    if (rc == 0)
        rc = check_port(&daemon->options, "rpcport");
    if (rc == 0)
        rc = check_host_ports(&daemon->options, "rpcbind");
    if (rc == 0)
        rc = set_user_agent(daemon);
    if (rc == 0 && options_is_set(&daemon->options, "mocktime")) {
        int64_t time_s = options_int(&daemon->options, "mocktime", 0);

        if (time_s >= 0 && time_s <= UINT32_MAX)
            daemon->host.ops->set_mock_time(&daemon->host, time_s);
    }
    return rc;
}
