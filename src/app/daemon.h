/* assayd: from the command line to a running node and back to a clean stop. */
#ifndef APP_DAEMON_H
#define APP_DAEMON_H

#include <stdatomic.h>

#include "app/options.h"
#include "chain/chain.h"
#include "consensus/params.h"
#include "http/server.h"
#include "iface/host.h"
#include "keys/keyring.h"
#include "mempool/mempool.h"
#include "os/clock.h"
#include "os/disk.h"
#include "os/process.h"
#include "os/thread.h"
#include "rpc/auth.h"
#include "rpc/context.h"
#include "rpc/server.h"

#define DAEMON_NAME "assayd"
#define PID_FILE_NAME "bitcoind.pid"
#define COOKIE_FILE_NAME ".cookie"
#define COOKIE_USER "__cookie__"
#define SETTINGS_FILE_NAME "settings.json"
#define LOG_FILE_NAME "debug.log"
#define USER_AGENT_MAX 256

struct daemon {
    struct options options;
    struct params params; /* With what the options change. */
    char *folder;         /* The data directory. */
    char *network_folder; /* Of the network in use. */
    char *blocks_folder;
    char *log_path; /* "" for none. */
    char *user_agent;
    struct mock_clock clock;
    int64_t start_s;
    struct disk_file *lock;
    struct host host;
    struct daemon_link link;
    bool made_pid_file;
    char *cookie_path; /* NULL: no cookie was made. */

    struct rpc_context rpc;
    struct rpc_server *rpc_server;
    struct rpc_auth *auth;
    struct http_server *http;
    const char **deprecated;

    struct chain *chain;
    struct chain_events events;
    struct sig_cache *sig_cache; /* Of mempool and chain. */
    struct mempool *mempool;
    struct chain_guests guests;
    struct thread mempool_thread;
    struct mutex mempool_mutex; /* Guards mempool_stops. */
    struct cond mempool_wakes;
    bool mempool_stops;
    struct miner *miner;
    struct keyring mine_keys; /* -minekey */
    struct daemon_net *net;   /* daemon_net.c */
    _Atomic bool is_stopping;
    _Atomic int exit_status;
};

/* main() of assayd. */
int daemon_main(int argc, char **argv);

/* --- What the files behind it share --- */

/* "Error: text" to standard error and to the log. Returns E_STATE. */
int daemon_error(const char *format, ...) PRINTF_LIKE(1, 2);
void daemon_warn(const char *format, ...) PRINTF_LIKE(1, 2);

/* Command line, files, network, folders. True in *ret_is_done: nothing is left to
 * do (-help, -version). */
NODISCARD int daemon_configure(struct daemon *daemon, int argc, char **argv, bool *ret_is_done);
/* What options mean for each other, and whether they make sense. */
void daemon_settle_options(struct daemon *daemon);
NODISCARD int daemon_check_options(struct daemon *daemon);
NODISCARD int daemon_set_log_levels(struct daemon *daemon);
NODISCARD int daemon_open_log(struct daemon *daemon);
/* Vector code for hashes and signatures, and the context of the curve. */
NODISCARD int daemon_select_engines(struct daemon *daemon);
struct sigbatch_item;
/* Writes an item that the lanes and libsecp256k1 judge differently to a new file in the
 * network's folder. Returns the file's path, to be freed, or NULL. */
NODISCARD char *daemon_keep_difference(struct daemon *daemon, const struct sigbatch_item *item,
                                       struct error *err) NONNULL(1, 2);
/* The chain's options from ours. ret_loadblock: free with free(). */
NODISCARD int daemon_chain_options(struct daemon *daemon, struct chain_options *ret_options,
                                   const char ***ret_loadblock);

/* The mempool: its cache of signatures before the chain is opened; the mempool itself once it
 * is, before it is started; its thread after. The thread stops before the chain is
 * closed, the rest goes after. */
void daemon_new_sig_cache(struct daemon *daemon);
NODISCARD int daemon_open_mempool(struct daemon *daemon);
NODISCARD int daemon_start_mempool(struct daemon *daemon);
void daemon_stop_mempool(struct daemon *daemon);
void daemon_close_mempool(struct daemon *daemon);

/* The options of mining, before anything is opened. */
NODISCARD int daemon_check_mining(struct daemon *daemon);
/* Wires the mining room to RPC; the chain must be open, the mempool (if there is one) in
 * rpc.mempool. */
NODISCARD int daemon_start_miner(struct daemon *daemon);
void daemon_stop_miner(struct daemon *daemon);

/* The peers. The chain must be open and not started; it is followed from then on. */
NODISCARD int daemon_open_net(struct daemon *daemon, const struct chain_options *chain);
NODISCARD int daemon_start_net(struct daemon *daemon);
/* Connections end; RPC calls get answers without peers from here on. */
void daemon_stop_net(struct daemon *daemon);
/* When the chain thread has ended, which posts to it until then; the chain is there still. */
void daemon_close_net(struct daemon *daemon);
/* The clock was set, or timers are to be moved ahead. Any thread. */
void daemon_time_changed(struct daemon *daemon, int64_t advance_s);

/* "host", "host:port", "[v6]:port", "v6"; *ret_port stays when there is none. False: the
 * port is no port. The caller frees *ret_host. */
bool daemon_split_host_port(const char *text, char **ret_host, uint16_t *ret_port);

void daemon_init_host(struct daemon *daemon);
NODISCARD int daemon_start_rpc(struct daemon *daemon);
void daemon_stop_rpc(struct daemon *daemon);
/* Begins the stop; safe from any thread. */
void daemon_request_stop(struct daemon *daemon);

#endif /* APP_DAEMON_H */
