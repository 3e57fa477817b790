/* The mempool of the daemon: what the options mean for it, and the thread that fills it
 * from the last run and looks after it. */
#include <stdlib.h>
#include <string.h>

#include "app/daemon.h"
#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "codec/decimal.h"
#include "mempool/graph.h"
#include "os/entropy.h"
#include "policy/policy.h"
#include "primitives/amount.h"

#define MEGABYTE INT64_C(1000000)
#define SIG_CACHE_DEFAULT_MIB 32
#define SIG_CACHE_MAX_MIB 16384
#define HOUR_S 3600
#define LOOK_US (UINT64_C(500) * 1000)

static int read_rate(const struct options *o, const char *name, int64_t *rate)
{
    const char *text = options_text(o, name, NULL);
    int64_t value;

    if (text == NULL)
        return 0;
    if (!decimal_read(&value, text, strlen(text), 8) || !money_in_range(value))
        return daemon_error("Invalid amount for -%s=<amount>: '%s'", name, text);
    *rate = value;
    return 0;
}

static int set_rates(const struct options *o, struct mempool_options *pool)
{
    int rc = read_rate(o, "incrementalrelayfee", &pool->incremental_sat_kvb);

    if (rc == 0)
        rc = read_rate(o, "minrelaytxfee", &pool->min_relay_sat_kvb);
    if (rc == 0)
        rc = read_rate(o, "dustrelayfee", &pool->dust_relay_sat_kvb);
    if (rc == 0 && !options_is_set(o, "minrelaytxfee") &&
        pool->incremental_sat_kvb > pool->min_relay_sat_kvb) {
        pool->min_relay_sat_kvb = pool->incremental_sat_kvb;
        log_info("mempool",
                 "Increasing minrelaytxfee to %lld.%08lld BTC/kvB to match "
                 "incrementalrelayfee",
                 (long long)(pool->min_relay_sat_kvb / COIN_SAT),
                 (long long)(pool->min_relay_sat_kvb % COIN_SAT));
    }
    return rc;
}

static uint32_t small_option(const struct options *o, const char *name, uint32_t otherwise)
{
    return (uint32_t)MAX(0, MIN(options_int(o, name, otherwise), INT32_MAX));
}

static int set_limits(const struct options *o, struct mempool_options *pool)
{
    int64_t megabytes = options_int(o, "maxmempool", (int64_t)pool->limit_bytes / MEGABYTE);
    int64_t hours = options_int(o, "mempoolexpiry", pool->expiry_s / HOUR_S);
    int64_t kvb = options_int(o, "limitclustersize", pool->cluster_vsize_max / 1000);

    pool->limit_bytes = (uint64_t)(MAX(0, MIN(megabytes, INT32_MAX)) * MEGABYTE);
    pool->expiry_s = MAX(0, MIN(hours, INT32_MAX)) * HOUR_S;
    pool->cluster_vsize_max = MAX(1, MIN(kvb, INT32_MAX / 1000)) * 1000;
    pool->cluster_count_max = small_option(o, "limitclustercount", pool->cluster_count_max);
    pool->ancestors_max = small_option(o, "limitancestorcount", pool->ancestors_max);
    pool->descendants_max = small_option(o, "limitdescendantcount", pool->descendants_max);
    if (pool->cluster_count_max > GRAPH_CLUSTER_MAX)
        return daemon_error("limitclustercount must be less than or equal to %u",
                            GRAPH_CLUSTER_MAX);
    pool->cluster_count_max = MAX(1U, pool->cluster_count_max);
    return 0;
}

static int set_options(struct daemon *daemon, struct mempool_options *pool)
{
    const struct options *o = &daemon->options;
    int rc;

    mempool_options_default(pool, &daemon->params);
    pool->clock = &daemon->clock.clock;
    pool->disk = disk_real();
    pool->folder = daemon->network_folder;
    pool->sig_cache = daemon->sig_cache;
    entropy_fill(pool->seed, sizeof(pool->seed));
    pool->ground = (struct mempool_ground){.context = daemon->chain,
                                           .tip = chain_ground_tip,
                                           .find_coins = chain_ground_find_coins,
                                           .has_confirmed = chain_ground_has_confirmed,
                                           .ask = chain_ground_ask,
                                           .is_initial_block_download = chain_ground_is_initial};
    pool->require_standard = !options_bool(o, "acceptnonstdtxn", false);
    pool->permit_bare_multisig = options_bool(o, "permitbaremultisig", pool->permit_bare_multisig);
    pool->max_datacarrier_bytes =
        options_bool(o, "datacarrier", true)
            ? (int64_t)small_option(o, "datacarriersize", (uint32_t)pool->max_datacarrier_bytes)
            : -1;
    pool->bytes_per_sigop = small_option(o, "bytespersigop", pool->bytes_per_sigop);
    pool->persist = options_bool(o, "persistmempool", pool->persist);
    pool->persist_v1 = options_bool(o, "persistmempoolv1", false);
    pool->check_ratio =
        (int)MAX(0, MIN(options_int(o, "checkmempool", pool->check_ratio), INT32_MAX));
    pool->estimates_fees = !options_bool(o, "blocksonly", false);
    pool->accept_stale_fees = options_bool(o, "acceptstalefeeestimates", false);
    if (pool->accept_stale_fees && daemon->params.network != NETWORK_REGTEST)
        return daemon_error("acceptstalefeeestimates is not supported on %s chain.",
                            daemon->params.name);
    rc = set_rates(o, pool);
    return rc < 0 ? rc : set_limits(o, pool);
}

void daemon_new_sig_cache(struct daemon *daemon)
{
    int64_t mib = options_int(&daemon->options, "maxsigcachesize", SIG_CACHE_DEFAULT_MIB);
    uint8_t salt[SIG_CACHE_SALT_BYTES];

    entropy_fill(salt, sizeof(salt));
    mib = MAX(0, MIN(mib, SIG_CACHE_MAX_MIB));
    daemon->sig_cache = sig_cache_new((size_t)mib << 20, salt);
}

static int judge_txs(void *context, struct tx_result *ret_results, char *ret_package_reason,
                     const struct tx_ref *const *txs, size_t txs_n, bool test_only,
                     struct error *err)
{
    struct tx_submit_options options = {.test_only = test_only, .is_package = txs_n > 1};

    return mempool_submit(context, ret_results, ret_package_reason, txs, txs_n, &options, err);
}

int daemon_open_mempool(struct daemon *daemon)
{
    struct mempool_options pool;
    struct error err = {0};
    int rc = set_options(daemon, &pool);

    if (rc < 0)
        return rc;
    if (mempool_new(&daemon->mempool, &pool, &err) < 0)
        return daemon_error("%s", error_text(&err));
    daemon->rpc.mempool = mempool_view(daemon->mempool);
    chain_add_events(daemon->chain, mempool_events(daemon->mempool));
    daemon->guests = (struct chain_guests){.context = daemon->mempool, .judge_txs = judge_txs};
    chain_set_guests(daemon->chain, &daemon->guests);
    return 0;
}

/* --- The thread that looks after it ------------------------------------------------- */

static int run_loading(void *argument, struct error *err)
{
    return mempool_load_some(argument, err);
}

static int run_idle(void *argument, struct error *err)
{
    (void)err;
    mempool_idle(argument);
    return 0;
}

/* The chain is asked only for what is to be done: it drops what it is at. Returns whether
 * there is more at once. */
static bool look_once(struct daemon *daemon, bool *is_loaded)
{
    struct error err;
    int rc;

    if (!*is_loaded && chain_import_is_done(daemon->chain)) {
        rc = chain_ground_ask(daemon->chain, run_loading, daemon->mempool, &err);
        *is_loaded = rc <= 0;
        return rc > 0;
    }
    if (*is_loaded && mempool_is_due(daemon->mempool))
        (void)chain_ground_ask(daemon->chain, run_idle, daemon->mempool, &err);
    return false;
}

static void look_after(void *context)
{
    struct daemon *daemon = context;
    bool is_loaded = false;

    mutex_lock(&daemon->mempool_mutex);
    while (!daemon->mempool_stops) {
        bool has_more;

        mutex_unlock(&daemon->mempool_mutex);
        has_more = look_once(daemon, &is_loaded);
        mutex_lock(&daemon->mempool_mutex);
        if (!daemon->mempool_stops && !has_more)
            (void)cond_wait_for(&daemon->mempool_wakes, &daemon->mempool_mutex, LOOK_US);
    }
    mutex_unlock(&daemon->mempool_mutex);
}

int daemon_start_mempool(struct daemon *daemon)
{
    struct error err = {0};

    mutex_init(&daemon->mempool_mutex);
    cond_init(&daemon->mempool_wakes);
    if (thread_start(&daemon->mempool_thread, "mempool", look_after, daemon, &err) < 0)
        return daemon_error("%s", error_text(&err));
    return 0;
}

void daemon_stop_mempool(struct daemon *daemon)
{
    if (!daemon->mempool_thread.is_started)
        return;
    mutex_lock(&daemon->mempool_mutex);
    daemon->mempool_stops = true;
    cond_signal(&daemon->mempool_wakes);
    mutex_unlock(&daemon->mempool_mutex);
    thread_join(&daemon->mempool_thread);
}

void daemon_close_mempool(struct daemon *daemon)
{
    struct error err = {0};

    if (daemon->mempool != NULL && mempool_stop(daemon->mempool, &err) < 0)
        log_warning("mempool", "%s", error_text(&err));
    mempool_free(daemon->mempool);
    daemon->mempool = NULL;
    sig_cache_free(daemon->sig_cache);
    daemon->sig_cache = NULL;
}
