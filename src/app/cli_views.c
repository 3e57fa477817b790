/* Views put together from several calls: -getinfo, -netinfo, -addrinfo. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/cli.h"
#include "base/check.h"
#include "rpc/version.h"

#define PROGRESS_DONE 0.99
#define PROGRESS_STEPS 20

static const struct json json_is_null = {.type = JSON_NULL};

/* The member at the end of a path of keys; null if there is none. */
static const struct json *find(const struct json *value, const char *a, const char *b)
{
    const struct json *found = json_find(value, a);

    if (found != NULL && b != NULL)
        found = json_find(found, b);
    return found == NULL ? &json_is_null : found;
}

/* Its characters: of a number or text. */
static const char *shown(const struct json *value)
{
    return json_text(value);
}

/* Several calls without arguments in one request. replies[i]: the whole reply to
 * methods[i], in arena. */
static int call_batch(struct cli *cli, const struct json **replies, const char *const *methods,
                      size_t n)
{
    const char *wallet = options_is_negated(&cli->options, "rpcwallet")
                             ? NULL
                             : options_text(&cli->options, "rpcwallet", NULL);
    struct json *reply = arena_alloc(&cli->arena, sizeof(*reply));
    struct buf body = {0};
    struct json_writer w;
    int rc;

    json_writer_init(&w, &body, 0);
    json_begin_array(&w);
    for (size_t i = 0; i < n; i++) {
        json_begin_object(&w);
        json_put_string(&w, "method", methods[i]);
        json_put_null(&w, "params");
        json_put_uint(&w, "id", i);
        json_put_string(&w, "jsonrpc", "2.0");
        json_end_object(&w);
        replies[i] = &json_is_null;
    }
    json_end_array(&w);
    rc = cli_call(cli, reply, span_of_buf(&body), wallet);
    buf_clear(&body);
    if (rc < 0)
        return rc;
    if (reply->type != JSON_ARRAY)
        return cli_fail(cli, "Batch must be an array");
    for (uint32_t i = 0; i < reply->count; i++) {
        uint64_t id;

        if (json_get_uint64(&id, find(&reply->items[i], "id", NULL)) && id < n)
            replies[id] = &reply->items[i];
    }
    return 0;
}

/* --- -getinfo --- */

struct colours {
    const char *off;
    const char *green;
    const char *blue;
    const char *yellow;
    const char *magenta;
    const char *cyan;
};

static int choose_colours(struct cli *cli, struct colours *ret_colours)
{
    static const struct colours none = {"", "", "", "", "", ""};
    static const struct colours some = {"\x1b[0m",  "\x1b[32m", "\x1b[34m",
                                        "\x1b[33m", "\x1b[35m", "\x1b[36m"};
    const char *when = options_text(&cli->options, "color", "auto");

    *ret_colours = isatty(STDOUT_FILENO) == 1 ? some : none;
    if (strcmp(when, "always") == 0)
        *ret_colours = some;
    else if (strcmp(when, "never") == 0)
        *ret_colours = none;
    else if (strcmp(when, "auto") != 0)
        return cli_fail(cli, "Invalid value for -color option. Valid values: always, auto, never.");
    return 0;
}

static void write_progress(struct buf *text, const struct json *progress)
{
    double done;

    if (!json_get_double(&done, progress))
        return;
    buf_add_string(text, "Verification progress: ");
    if (done < PROGRESS_DONE && done >= 0) {
        for (int i = 0; i < done * PROGRESS_STEPS; i++)
            buf_add_string(text, "\u2592");
        for (int i = 0; i < (1 - done) * PROGRESS_STEPS; i++)
            buf_add_string(text, "\u2591");
        buf_add_byte(text, ' ');
    }
    buf_add_printf(text, "%.4f%%\n", done * 100);
}

/* Each proxy once, with the networks it serves. */
static void write_proxies(struct buf *text, const struct json *networks)
{
    size_t n = 0;

    buf_add_string(text, "Proxies: ");
    for (uint32_t i = 0; i < networks->count; i++) {
        const char *proxy = shown(find(&networks->items[i], "proxy", NULL));
        bool is_first = proxy[0] != '\0';

        for (uint32_t k = 0; k < i; k++)
            is_first =
                is_first && strcmp(proxy, shown(find(&networks->items[k], "proxy", NULL))) != 0;
        if (!is_first)
            continue;
        buf_add_printf(text, "%s%s (%s", n++ > 0 ? ", " : "", proxy,
                       shown(find(&networks->items[i], "name", NULL)));
        for (uint32_t k = i + 1; k < networks->count; k++) {
            if (strcmp(proxy, shown(find(&networks->items[k], "proxy", NULL))) == 0)
                buf_add_printf(text, ", %s", shown(find(&networks->items[k], "name", NULL)));
        }
        buf_add_byte(text, ')');
    }
    buf_add_string(text, n == 0 ? "n/a\n" : "\n");
}

static void write_wallet(struct buf *text, const struct colours *c, const struct json *wallet,
                         const struct json *balances)
{
    const struct json *balance = find(balances, "mine", "trusted");

    if (wallet->type == JSON_OBJECT) {
        const char *name = shown(find(wallet, "walletname", NULL));
        const struct json *until = find(wallet, "unlocked_until", NULL);

        buf_add_printf(text, "%sWallet: %s%s\n", c->magenta, name[0] == '\0' ? "\"\"" : name,
                       c->off);
        buf_add_printf(text, "Keypool size: %s\n", shown(find(wallet, "keypoolsize", NULL)));
        if (until->type != JSON_NULL)
            buf_add_printf(text, "Unlocked until: %s\n", shown(until));
    }
    if (balance->type != JSON_NULL)
        buf_add_printf(text, "%sBalance:%s %s\n\n", c->cyan, c->off, shown(balance));
}

/* With several wallets loaded and none chosen: what each holds. */
static int write_balances(struct cli *cli, struct buf *text, const struct colours *c)
{
    const struct json *wallets;
    struct json list;
    int rc = cli_call_method(cli, &list, "listwallets", NULL, 0, NULL);

    if (rc < 0)
        return rc;
    wallets = find(&list, "result", NULL);
    if (wallets->type != JSON_ARRAY || wallets->count <= 1)
        return 0;
    buf_add_printf(text, "%sBalances%s\n", c->cyan, c->off);
    for (uint32_t i = 0; rc == 0 && i < wallets->count; i++) {
        const char *name = shown(&wallets->items[i]);
        struct json reply;

        rc = cli_call_method(cli, &reply, "getbalances", NULL, 0, name);
        if (rc == 0)
            buf_add_printf(text, "%10s %s\n",
                           shown(find(find(&reply, "result", "mine"), "trusted", NULL)),
                           name[0] == '\0' ? "\"\"" : name);
    }
    buf_add_byte(text, '\n');
    return rc;
}

static void write_info(struct buf *text, const struct colours *c, const struct json *network,
                       const struct json *chain)
{
    buf_add_printf(text, "%sChain: %s%s\n", c->blue, shown(find(chain, "chain", NULL)), c->off);
    buf_add_printf(text, "Blocks: %s\n", shown(find(chain, "blocks", NULL)));
    buf_add_printf(text, "Headers: %s\n", shown(find(chain, "headers", NULL)));
    write_progress(text, find(chain, "verificationprogress", NULL));
    buf_add_printf(text, "Difficulty: %s\n\n", shown(find(chain, "difficulty", NULL)));
    buf_add_printf(text, "%sNetwork: in %s, out %s, total %s%s\n", c->green,
                   shown(find(network, "connections_in", NULL)),
                   shown(find(network, "connections_out", NULL)),
                   shown(find(network, "connections", NULL)), c->off);
    buf_add_printf(text, "Version: %s\n", shown(find(network, "version", NULL)));
    buf_add_printf(text, "Time offset (s): %s\n", shown(find(network, "timeoffset", NULL)));
    write_proxies(text, find(network, "networks", NULL));
    buf_add_printf(text, "Min tx relay fee rate (BTC/kvB): %s\n\n",
                   shown(find(network, "relayfee", NULL)));
}

int cli_get_info(struct cli *cli, struct buf *text, const struct json **ret_error, size_t args_n)
{
    static const char *const methods[] = {"getnetworkinfo", "getblockchaininfo", "getwalletinfo",
                                          "getbalances"};
    const struct json *replies[ARRAY_LEN(methods)];
    const struct json *network;
    const struct json *warnings;
    struct colours colours;
    int rc;

    if (args_n > 0)
        return cli_fail(cli, "-getinfo takes no arguments");
    rc = call_batch(cli, replies, methods, ARRAY_LEN(methods));
    if (rc < 0)
        return rc;
    *ret_error =
        reply_error(replies[0]) != NULL ? reply_error(replies[0]) : reply_error(replies[1]);
    if (*ret_error != NULL)
        return 0;
    rc = choose_colours(cli, &colours);
    if (rc < 0)
        return rc;
    network = find(replies[0], "result", NULL);
    write_info(text, &colours, network, find(replies[1], "result", NULL));
    write_wallet(text, &colours, find(replies[2], "result", NULL),
                 find(replies[3], "result", NULL));
    if (!options_is_set(&cli->options, "rpcwallet"))
        rc = write_balances(cli, text, &colours);
    warnings = find(network, "warnings", NULL);
    buf_add_printf(text, "%sWarnings:%s ", colours.yellow, colours.off);
    for (uint32_t i = 0; warnings->type == JSON_ARRAY && i < warnings->count; i++)
        buf_add_printf(text, "%s%s", i > 0 ? "; " : "", shown(&warnings->items[i]));
    if (warnings->type == JSON_STRING)
        buf_add_string(text, shown(warnings));
    if (warnings->text.len == 0 && warnings->count == 0)
        buf_add_string(text, "(none)");
    return rc;
}

/* --- -addrinfo --- */

int cli_addr_info(struct cli *cli, struct buf *text, const struct json **ret_error, size_t args_n)
{
    struct json *reply = arena_alloc(&cli->arena, sizeof(*reply));
    const struct json *counts;
    const struct json *all;
    struct json_writer w;
    int rc;

    if (args_n > 0)
        return cli_fail(cli, "-addrinfo takes no arguments");
    rc = cli_call_method(cli, reply, "getaddrmaninfo", NULL, 0, NULL);
    if (rc < 0)
        return rc;
    *ret_error = reply_error(reply);
    if (*ret_error != NULL)
        return 0;
    counts = find(reply, "result", NULL);
    json_writer_init(&w, text, 2);
    json_begin_object(&w);
    json_key(&w, "addresses_known");
    json_begin_object(&w);
    for (uint32_t i = 0; i < counts->count; i++) {
        const char *name = (const char *)counts->keys[i].data;

        if (strcmp(name, "all_networks") == 0)
            continue;
        json_key(&w, name);
        json_value(&w, find(&counts->items[i], "total", NULL));
    }
    all = find(counts, "all_networks", "total");
    json_key(&w, "total");
    json_value(&w, all);
    json_end_object(&w);
    json_end_object(&w);
    return 0;
}

/* --- -netinfo --- */

#define NETWORKS_N 5
#define LEVEL_MAX 4

static const char *const networks[NETWORKS_N] = {"ipv4", "ipv6", "onion", "i2p", "cjdns"};

static const char netinfo_help[] =
    "-netinfo [level] [outonly]\n\n"
    "Shows how the node is connected: counts of peers by direction and network.\n\n"
    "level    0: counts only; 1: a line for each peer too; 2: with its address; 3: with its\n"
    "         version; 4: with both (default: 0)\n"
    "outonly  (or o) outbound peers only\n\n"
    "Of each peer: <-> in or out, type of the connection, network, time of the last ping in\n"
    "milliseconds, seconds since the last message sent and received, age in minutes, its\n"
    "number, then address and version.\n";

static void write_counts(struct buf *text, const struct json *peers)
{
    unsigned counts[2][NETWORKS_N + 1] = {{0}};

    for (uint32_t i = 0; i < peers->count; i++) {
        bool is_inbound = find(&peers->items[i], "inbound", NULL)->truth;
        const char *network = shown(find(&peers->items[i], "network", NULL));

        for (size_t k = 0; k < NETWORKS_N; k++)
            counts[!is_inbound][k] += strcmp(network, networks[k]) == 0;
        counts[!is_inbound][NETWORKS_N]++;
    }
    buf_add_string(text, "         ");
    for (size_t k = 0; k < NETWORKS_N; k++)
        buf_add_printf(text, "%8s", networks[k]);
    buf_add_string(text, "   total\n");
    for (size_t d = 0; d < 3; d++) {
        buf_add_printf(text, "%-9s", d == 0 ? "in" : d == 1 ? "out" : "total");
        for (size_t k = 0; k <= NETWORKS_N; k++)
            buf_add_printf(text, "%8u", d < 2 ? counts[d][k] : counts[0][k] + counts[1][k]);
        buf_add_byte(text, '\n');
    }
}

static void write_service_name(struct buf *text, const char *name, bool is_next)
{
    buf_add_string(text, is_next ? ", " : "");
    for (; *name != '\0'; name++)
        buf_add_byte(text, *name == '_' ? ' ' : (uint8_t)tolower((unsigned char)*name));
}

/* "network, network limited", or each name's first letter. */
static void write_services(struct buf *text, const struct json *network, bool is_short)
{
    const struct json *names = find(network, "localservicesnames", NULL);

    for (uint32_t i = 0; i < names->count; i++) {
        const char *name = shown(&names->items[i]);
        /* NETWORK_LIMITED and NETWORK must differ. */
        const char *letter = strrchr(name, '_') == NULL ? name : strrchr(name, '_') + 1;

        if (is_short && strcmp(name, "P2P_V2") == 0)
            buf_add_byte(text, '2');
        else if (is_short)
            buf_add_byte(text, (uint8_t)tolower((unsigned char)letter[0]));
        else
            write_service_name(text, name, i > 0);
    }
    if (names->count == 0)
        buf_add_string(text, "none");
}

static int64_t number_of(const struct json *value)
{
    int64_t number = 0;

    return json_get_int64(&number, value) ? number : 0;
}

static void write_peer(struct buf *text, const struct json *peer, int level, int64_t now_s)
{
    double ping_s;

    if (!json_get_double(&ping_s, find(peer, "pingtime", NULL)))
        ping_s = 0;
    buf_add_printf(text, "%-3s %-18s %-5s %7.0f %6lld %6lld %6lld %5s",
                   find(peer, "inbound", NULL)->truth ? "in" : "out",
                   shown(find(peer, "connection_type", NULL)), shown(find(peer, "network", NULL)),
                   ping_s * 1000, (long long)(now_s - number_of(find(peer, "lastsend", NULL))),
                   (long long)(now_s - number_of(find(peer, "lastrecv", NULL))),
                   (long long)((now_s - number_of(find(peer, "conntime", NULL))) / 60),
                   shown(find(peer, "id", NULL)));
    if (level == 2 || level == 4)
        buf_add_printf(text, " %s", shown(find(peer, "addr", NULL)));
    if (level >= 3)
        buf_add_printf(text, " %s%s", shown(find(peer, "version", NULL)),
                       shown(find(peer, "subver", NULL)));
    buf_add_byte(text, '\n');
}

static void write_addresses(struct buf *text, const struct json *network)
{
    const struct json *list = find(network, "localaddresses", NULL);

    buf_add_string(text, "\nLocal addresses");
    if (list->count == 0)
        buf_add_string(text, ": n/a");
    for (uint32_t i = 0; i < list->count; i++)
        buf_add_printf(text, "\n%s     port %6s    score %6s",
                       shown(find(&list->items[i], "address", NULL)),
                       shown(find(&list->items[i], "port", NULL)),
                       shown(find(&list->items[i], "score", NULL)));
}

static int read_level(struct cli *cli, char *const *args, size_t n, int *ret_level,
                      bool *ret_outbound_only)
{
    *ret_level = 0;
    *ret_outbound_only = false;
    if (n > 0) {
        char *end;
        long level = strtol(args[0], &end, 10);

        if (args[0][0] < '0' || args[0][0] > '9' || *end != '\0')
            return cli_fail(cli,
                            "invalid -netinfo level argument: %s\nFor more information, run: "
                            "bitcoin-cli -netinfo help",
                            args[0]);
        *ret_level = (int)MIN(level, LEVEL_MAX);
    }
    if (n > 1) {
        *ret_outbound_only = strcmp(args[1], "outonly") == 0 || strcmp(args[1], "o") == 0;
        if (!*ret_outbound_only)
            return cli_fail(cli,
                            "invalid -netinfo outonly argument: %s\nFor more information, run: "
                            "bitcoin-cli -netinfo help",
                            args[1]);
    }
    return 0;
}

int cli_net_info(struct cli *cli, struct buf *text, const struct json **ret_error,
                 char *const *args, size_t args_n)
{
    static const char *const methods[] = {"getpeerinfo", "getnetworkinfo", "getnettotals"};
    const struct json *replies[ARRAY_LEN(methods)];
    const struct json *peers;
    const struct json *network;
    bool outbound_only;
    int64_t now_s;
    int level;
    int rc;

    if (args_n > 0 && (strcmp(args[0], "help") == 0 || strcmp(args[0], "h") == 0)) {
        buf_add_string(text, netinfo_help);
        return 0;
    }
    rc = read_level(cli, args, args_n, &level, &outbound_only);
    if (rc == 0)
        rc = call_batch(cli, replies, methods, ARRAY_LEN(methods));
    if (rc < 0)
        return rc;
    for (size_t i = 0; *ret_error == NULL && i < ARRAY_LEN(methods); i++)
        *ret_error = reply_error(replies[i]);
    if (*ret_error != NULL)
        return 0;
    peers = find(replies[0], "result", NULL);
    network = find(replies[1], "result", NULL);
    now_s = number_of(find(find(replies[2], "result", NULL), "timemillis", NULL)) / 1000;
    buf_add_printf(text, "%s client v%s %s - server %s%s", CLIENT_NAME, CLIENT_VERSION_TEXT,
                   cli->params->name, shown(find(network, "protocolversion", NULL)),
                   shown(find(network, "subversion", NULL)));
    if (level > 0) {
        buf_add_string(text, " - services ");
        write_services(text, network, true);
    }
    buf_add_string(text, "\n\n");
    if (level > 0) {
        buf_add_string(text, "<-> type               net     mping   send   recv    age    id\n");
        for (uint32_t i = 0; i < peers->count; i++) {
            if (!outbound_only || !find(&peers->items[i], "inbound", NULL)->truth)
                write_peer(text, &peers->items[i], level, now_s);
        }
        buf_add_byte(text, '\n');
    }
    write_counts(text, peers);
    if (level == 0) {
        buf_add_string(text, "\nLocal services: ");
        write_services(text, network, false);
        buf_add_byte(text, '\n');
    }
    write_addresses(text, network);
    return 0;
}
