/* The net thread, and what the options mean for it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/daemon.h"
#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "os/entropy.h"
#include "os/net.h"
#include "p2p/p2p.h"
#include "rpc/version.h"

#define CONNECTIONS_DEFAULT 200
#define THOUSAND 1000
/* Descriptors for block files, runs of coins, the RPC server and added nodes. */
#define FILES_RESERVED 512

struct daemon_net {
    struct net_io *net;
    struct p2p *p2p;
    struct thread thread;
    bool is_running;
};

/* Lists of texts that live until p2p_new has copied them. */
struct lists {
    const char **list[16];
    size_t n;
};

static const char *const *take_list(const struct options *o, const char *name, size_t *ret_n,
                                    struct lists *lists)
{
    CHECK(lists->n < ARRAY_LEN(lists->list));
    *ret_n = options_list(o, name, &lists->list[lists->n]);
    return lists->list[lists->n++];
}

static void free_lists(struct lists *lists)
{
    for (size_t i = 0; i < lists->n; i++)
        free(lists->list[i]);
}

/* A number with a unit behind: k, M, G, T are powers of 1024 where large, of 1000 where
 * small; M where there is none. False: it is no such number. */
static bool read_size(uint64_t *ret_bytes, const char *text)
{
    static const struct {
        char letter;
        uint64_t factor;
    } units[] = {{'k', 1000},
                 {'K', 1024},
                 {'m', 1000000},
                 {'M', UINT64_C(1) << 20},
                 {'g', 1000000000},
                 {'G', UINT64_C(1) << 30},
                 {'t', 1000000000000},
                 {'T', UINT64_C(1) << 40},
                 {'\0', UINT64_C(1) << 20}};
    char *end;
    unsigned long long number;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    number = strtoull(text, &end, 10);
    if (errno != 0 || (end[0] != '\0' && end[1] != '\0'))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (units[i].letter == end[0])
            return !__builtin_mul_overflow((uint64_t)number, units[i].factor, ret_bytes);
    }
    return false;
}

static size_t kilobytes(const struct options *o, const char *name, int64_t otherwise)
{
    int64_t value = options_int(o, name, otherwise);

    return (size_t)MAX(INT64_C(0), MIN(value, (int64_t)UINT32_MAX)) * THOUSAND;
}

static void set_numbers(const struct options *o, struct p2p_options *p2p)
{
    p2p->port = (uint16_t)options_int(o, "port", 0);
    p2p->connect_timeout_ms = (uint64_t)MAX(INT64_C(1), options_int(o, "timeout", 5000));
    p2p->peer_timeout_s = options_int(o, "peertimeout", 60);
    p2p->max_receive_bytes = kilobytes(o, "maxreceivebuffer", 5000);
    p2p->max_send_bytes = kilobytes(o, "maxsendbuffer", 1000);
    p2p->ban_time_s = options_int(o, "bantime", 86400);
    p2p->block_reconstruction_extra_txn = (uint32_t)MAX(
        INT64_C(0), MIN(options_int(o, "blockreconstructionextratxn", 100), (int64_t)UINT32_MAX));
    p2p->tx_send_rate =
        (uint32_t)MAX(INT64_C(1), MIN(options_int(o, "txsendrate", 14), (int64_t)UINT32_MAX));
    p2p->check_addrman =
        (uint32_t)MAX(INT64_C(0), MIN(options_int(o, "checkaddrman", 0), INT64_C(1000000)));
    p2p->max_tip_age_s = options_int(o, "maxtipage", 86400);
    p2p->inbound_relay_percent =
        (uint32_t)MAX(INT64_C(0), MIN(options_int(o, "inboundrelaypercent", 50), INT64_C(100)));
}

static void set_switches(const struct options *o, struct p2p_options *p2p)
{
    p2p->listen = options_bool(o, "listen", true);
    p2p->discover = options_bool(o, "discover", true);
    p2p->dns = options_bool(o, "dns", true);
    p2p->dns_seed = options_bool(o, "dnsseed", true);
    p2p->force_dns_seed = options_bool(o, "forcednsseed", false);
    p2p->fixed_seeds = options_bool(o, "fixedseeds", true);
    p2p->cjdns_reachable = options_bool(o, "cjdnsreachable", false);
    p2p->proxy_randomize = options_bool(o, "proxyrandomize", true);
    p2p->listen_onion = options_bool(o, "listenonion", true);
    p2p->i2p_accept_incoming = options_bool(o, "i2pacceptincoming", true);
    p2p->network_active = options_bool(o, "networkactive", true);
    p2p->v2_transport = options_bool(o, "v2transport", true);
    p2p->blocks_only = options_bool(o, "blocksonly", false);
    p2p->peer_bloom_filters = options_bool(o, "peerbloomfilters", false);
    /* Offered only where there is an index to serve them from. */
    p2p->peer_block_filters = p2p->filters != NULL && options_bool(o, "peerblockfilters", false);
    p2p->tx_reconciliation = options_bool(o, "txreconciliation", false);
    p2p->capture_messages = options_bool(o, "capturemessages", false);
    p2p->private_broadcast = options_bool(o, "privatebroadcast", false);
    p2p->whitelist_relay = options_bool(o, "whitelistrelay", true);
    p2p->whitelist_force_relay = options_bool(o, "whitelistforcerelay", false);
    p2p->log_ips = options_bool(o, "logips", false);
}

static void set_texts(const struct options *o, struct p2p_options *p2p, struct lists *lists)
{
    const char *const *list;
    size_t n;

    p2p->bind = take_list(o, "bind", &p2p->bind_n, lists);
    p2p->whitebind = take_list(o, "whitebind", &p2p->whitebind_n, lists);
    p2p->whitelist = take_list(o, "whitelist", &p2p->whitelist_n, lists);
    p2p->external_ip = take_list(o, "externalip", &p2p->external_ip_n, lists);
    p2p->connect = take_list(o, "connect", &p2p->connect_n, lists);
    p2p->connect_only = p2p->connect_n > 0 || options_is_negated(o, "connect");
    p2p->add_node = take_list(o, "addnode", &p2p->add_node_n, lists);
    p2p->peer_keys = take_list(o, "peerkey", &p2p->peer_keys_n, lists);
    p2p->seed_node = take_list(o, "seednode", &p2p->seed_node_n, lists);
    p2p->only_net = take_list(o, "onlynet", &p2p->only_net_n, lists);
    p2p->proxy = take_list(o, "proxy", &p2p->proxy_n, lists);
    p2p->onion_proxy = options_text(o, "onion", NULL);
    p2p->tor_control = options_text(o, "torcontrol", "127.0.0.1:9051");
    p2p->tor_password = options_text(o, "torpassword", "");
    p2p->i2p_sam = options_text(o, "i2psam", NULL);
    p2p->asmap_path = options_text(o, "asmap", NULL);
    list = take_list(o, "test", &n, lists);
    for (size_t i = 0; i < n; i++)
        p2p->test_addrman_deterministic =
            p2p->test_addrman_deterministic || strcmp(list[i], "addrman") == 0;
}

/* As many as asked for, if there are descriptors for them. */
static int set_connections(struct daemon *daemon, struct p2p_options *p2p)
{
    const struct options *o = &daemon->options;
    int64_t wanted = options_int(o, "maxconnections", CONNECTIONS_DEFAULT);
    size_t had = p2p->net->ops->limit(p2p->net);
    size_t binds = MAX(p2p->bind_n + p2p->whitebind_n, (size_t)1);
    size_t reserved = FILES_RESERVED + binds;

    wanted = MIN(wanted, (int64_t)INT32_MAX);
    if (had < (size_t)wanted + reserved) {
        (void)fd_limit_raise((int)((size_t)wanted + reserved));
        had = p2p->net->ops->limit(p2p->net);
    }
    if (had < reserved)
        return daemon_error("Not enough file descriptors available. %zu available, %zu required.",
                            had, reserved);
    p2p->max_connections = (uint32_t)MIN((size_t)wanted, had - reserved);
    if (p2p->max_connections < (uint32_t)wanted)
        daemon_warn("Reducing -maxconnections from %lld to %u, because of system limitations.",
                    (long long)wanted, p2p->max_connections);
    log_info("net", "Using at most %u automatic connections (%zu file descriptors available)",
             p2p->max_connections, had);
    return 0;
}

/* Paths of local sockets that are too long: their texts do not fit into an error of p2p. */
static int check_paths(const struct p2p_options *p2p)
{
    static const char prefix[] = "unix:";

    for (size_t i = 0; i < p2p->proxy_n; i++) {
        size_t len = strcspn(p2p->proxy[i], "=");

        if (strncmp(p2p->proxy[i], prefix, strlen(prefix)) == 0 &&
            len - strlen(prefix) >= NET_PATH_SIZE)
            return daemon_error("Invalid -proxy address or hostname: '%.*s'", (int)len,
                                p2p->proxy[i]);
    }
    if (p2p->onion_proxy != NULL && strncmp(p2p->onion_proxy, prefix, strlen(prefix)) == 0 &&
        strlen(p2p->onion_proxy) - strlen(prefix) >= NET_PATH_SIZE)
        return daemon_error("Invalid -onion address or hostname: '%s'", p2p->onion_proxy);
    return 0;
}

static int set_upload_target(struct daemon *daemon, struct p2p_options *p2p)
{
    const char *text = options_text(&daemon->options, "maxuploadtarget", "0");

    if (!read_size(&p2p->max_upload_bytes, text))
        return daemon_error("Unable to parse -maxuploadtarget: '%s'", text);
    return 0;
}

static const struct header_node *ground_tip(void *context)
{
    return chain_tip(context);
}

static bool ground_is_initial(void *context)
{
    return chain_is_initial(context);
}

static bool ground_is_loading(void *context)
{
    return !chain_import_is_done(context);
}

static bool ground_history(void *context, const struct header_node **ret_from,
                           const struct header_node **ret_target)
{
    return chain_history(context, ret_from, ret_target);
}

int daemon_open_net(struct daemon *daemon, const struct chain_options *chain)
{
    struct daemon_net *own = alloc_zero(sizeof(*own));
    const struct options *o = &daemon->options;
    struct p2p_options p2p;
    struct lists lists = {.n = 0};
    struct error err = {0};
    int rc;

    daemon->net = own;
    p2p_options_default(&p2p, &daemon->params);
    rc = net_uv_new(&own->net, &err);
    if (rc < 0)
        return daemon_error("%s", error_text(&err));
    p2p.net = own->net;
    p2p.clock = &daemon->clock.clock;
    p2p.disk = disk_real();
    p2p.folder = daemon->network_folder;
    entropy_fill(p2p.seed, sizeof(p2p.seed));
    p2p.node = chain_node(daemon->chain);
    p2p.sink = chain_sink(daemon->chain);
    p2p.mempool = daemon->rpc.mempool;
    p2p.ground = (struct p2p_ground){.tree = chain_headers(daemon->chain),
                                     .tip = ground_tip,
                                     .is_initial_block_download = ground_is_initial,
                                     .is_loading = ground_is_loading,
                                     .history = ground_history,
                                     .context = daemon->chain};
    p2p.minimum_chain_work = chain->minimum_chain_work;
    p2p.prune = chain->prune_on;
    p2p.user_agent = daemon->user_agent;
    p2p.client_name = CLIENT_NAME;
    set_numbers(o, &p2p);
    set_switches(o, &p2p);
    set_texts(o, &p2p, &lists);
    rc = set_connections(daemon, &p2p);
    if (rc == 0)
        rc = check_paths(&p2p);
    if (rc == 0)
        rc = set_upload_target(daemon, &p2p);
    if (rc == 0 && p2p_new(&own->p2p, &p2p, &err) < 0)
        rc = daemon_error("%s", error_text(&err));
    secret_wipe(p2p.seed, sizeof(p2p.seed));
    free_lists(&lists);
    if (rc < 0)
        return rc;
    chain_add_events(daemon->chain, p2p_events(own->p2p));
    mempool_add_events(daemon->mempool, p2p_events(own->p2p));
    daemon->rpc.peers = p2p_peers(own->p2p);
    return 0;
}

static void run_net(void *context)
{
    struct daemon_net *own = context;

    net_uv_run(own->net);
}

int daemon_start_net(struct daemon *daemon)
{
    struct daemon_net *own = daemon->net;
    struct error err = {0};

    log_info("net", "init message: Starting network threads…");
    if (p2p_start(own->p2p, &err) < 0) {
        (void)daemon_error("%s", error_text(&err));
        return daemon_error("Failed to listen on any port. Use -listen=0 if you want this.");
    }
    if (thread_start(&own->thread, "net", run_net, own, &err) < 0)
        return daemon_error("%s", error_text(&err));
    own->is_running = true;
    return 0;
}

void daemon_stop_net(struct daemon *daemon)
{
    struct daemon_net *own = daemon->net;

    if (own == NULL || own->p2p == NULL)
        return;
    if (own->is_running) {
        net_uv_stop(own->net);
        thread_join(&own->thread);
        own->is_running = false;
    }
    p2p_stop(own->p2p);
}

void daemon_close_net(struct daemon *daemon)
{
    struct daemon_net *own = daemon->net;

    if (own == NULL)
        return;
    daemon->net = NULL;
    p2p_free(own->p2p);
    net_uv_free(own->net);
    free(own);
}

void daemon_time_changed(struct daemon *daemon, int64_t advance_s)
{
    if (daemon->net != NULL && daemon->net->p2p != NULL)
        p2p_time_changed(daemon->net->p2p, advance_s);
}
