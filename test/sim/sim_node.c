#include "sim_node.h"

#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "mining/miner.h"

/* 2011-02-03, a little after regtest's genesis. */
#define FIRST_WALL_MS (INT64_C(1296688602) * 1000 + 600000)
#define CACHE_BYTES (4U << 20)
#define SIG_CACHE_BYTES (64U << 10)
/* A node commits what it has about this often, by its seed; more often than the chain
 * would by itself, and waiting for it, so that the flush thread decides nothing. */
#define COMMIT_US_MAX 6000000U
#define IDLE_US 1000000U
/* OP_TRUE, behind its hash (BIP 141). */
static const uint8_t reward_witness[] = {0x51};
static const uint8_t reward_script[] = {0x00, 0x20, 0x4a, 0xe8, 0x15, 0x72, 0xf0, 0x6e, 0x1b,
                                        0x88, 0xfd, 0x5c, 0xed, 0x7a, 0x1a, 0x00, 0x09, 0x45,
                                        0x43, 0x2e, 0x83, 0xe1, 0x55, 0x1e, 0x6f, 0x72, 0x1e,
                                        0xe9, 0xc0, 0x0b, 0x8c, 0xc3, 0x32, 0x60};

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t z = a + 0x9e3779b97f4a7c15 * (b + 1);

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

struct sim_node *sim_node_new(struct sim_net *net, uint64_t seed, const uint8_t *ip4,
                              int64_t skew_ms)
{
    struct sim_node *node = alloc_zero(sizeof(*node));

    node->net = net;
    node->seed = seed;
    memcpy(node->ip4, ip4, sizeof(node->ip4));
    node->params = params_of(NETWORK_REGTEST);
    node->disk = sim_disk_new(mix(seed, 1));
    sim_disk_set_loss(node->disk, SIM_LOSS_RANDOM);
    sim_clock_init(&node->clock, FIRST_WALL_MS + (int64_t)(sim_net_now_us(net) / 1000) + skew_ms);
    node->host = sim_net_add_host(net, ip4, &node->clock);
    node->speaks_v2 = true;
    return node;
}

void sim_node_free(struct sim_node *own_node)
{
    if (own_node == NULL)
        return;
    if (own_node->is_up)
        sim_node_crash(own_node, SIM_NODE_KILLED);
    sim_disk_free(own_node->disk);
    free(own_node);
}

void sim_node_set_skew(struct sim_node *node, int64_t skew_ms)
{
    sim_clock_set_wall_ms(&node->clock,
                          FIRST_WALL_MS + (int64_t)(sim_net_now_us(node->net) / 1000) + skew_ms);
}

/* --- Opening --- */

static void on_stop(void *context, enum chain_stop_reason reason, const char *text)
{
    struct sim_node *node = context;

    (void)reason;
    if (node->fatal == NULL)
        node->fatal = alloc_string(text);
}

static int judge(void *context, struct tx_result *ret_results, char *ret_package_reason,
                 const struct tx_ref *const *txs, size_t txs_n, bool test_only, struct error *err)
{
    struct sim_node *node = context;
    struct tx_submit_options options = {.test_only = test_only, .is_package = txs_n > 1};

    return mempool_submit(node->mempool, ret_results, ret_package_reason, txs, txs_n, &options,
                          err);
}

static int open_chain(struct sim_node *node, struct error *err)
{
    static const uint8_t salt[SIG_CACHE_SALT_BYTES] = {1};
    struct chain_options options;

    chain_options_default(&options, node->params);
    options.disk = sim_disk_disk(node->disk);
    options.clock = &node->clock.clock;
    options.blocks_folder = "/node/blocks";
    options.chainstate_folder = "/node/chainstate";
    options.cache_bytes = CACHE_BYTES;
    options.threads = 1;
    options.salt[0] = mix(node->seed, 2);
    options.salt[1] = mix(node->seed, 3);
    options.minimum_chain_work = node->minimum_chain_work;
    options.on_stop = on_stop;
    options.on_stop_context = node;
    node->sig_cache = sig_cache_new(SIG_CACHE_BYTES, salt);
    options.sig_cache = node->sig_cache;
    return chain_open(&node->chain, &options, err);
}

static int open_mempool(struct sim_node *node, struct error *err)
{
    struct mempool_options options;

    mempool_options_default(&options, node->params);
    options.clock = &node->clock.clock;
    options.disk = sim_disk_disk(node->disk);
    options.folder = "/node";
    options.sig_cache = node->sig_cache;
    options.seed[0] = mix(node->seed, 4);
    options.seed[1] = mix(node->seed, 5);
    options.check_ratio = 1;
    options.ground = (struct mempool_ground){.context = node->chain,
                                             .tip = chain_ground_tip,
                                             .find_coins = chain_ground_find_coins,
                                             .has_confirmed = chain_ground_has_confirmed,
                                             .ask = chain_ground_ask,
                                             .is_initial_block_download = chain_ground_is_initial};
    return mempool_new(&node->mempool, &options, err);
}

static const struct header_node *ground_tip(void *context)
{
    return chain_tip(context);
}

static bool ground_is_initial(void *context)
{
    return chain_is_initial(context);
}

static int open_p2p(struct sim_node *node, struct error *err)
{
    struct p2p_options options;

    p2p_options_default(&options, node->params);
    options.net = sim_net_io(node->net, node->host);
    options.clock = &node->clock.clock;
    options.disk = sim_disk_disk(node->disk);
    options.folder = "/node";
    for (size_t i = 0; i < 4; i++)
        put_le64(options.seed + 8 * i, mix(node->seed, 10 + i + 4 * node->life));
    options.node = chain_node(node->chain);
    options.sink = chain_sink(node->chain);
    options.mempool = mempool_view(node->mempool);
    options.ground = (struct p2p_ground){.tree = chain_headers(node->chain),
                                         .tip = ground_tip,
                                         .is_initial_block_download = ground_is_initial,
                                         .context = node->chain};
    options.minimum_chain_work = node->minimum_chain_work;
    options.user_agent = "/Assay:sim/";
    options.port = SIM_NODE_PORT;
    options.add_node = node->calls;
    options.add_node_n = node->calls_n;
    options.seed_node = &node->seed_name;
    options.seed_node_n = node->seed_name != NULL;
    options.dns_seed = false;
    options.fixed_seeds = false;
    options.listen_onion = false;
    options.v2_transport = node->speaks_v2;
    options.is_single_thread = true;
    return p2p_new(&node->p2p, &options, err);
}

/* Releases what is open, in the order of the daemon. Returns what the chain said. */
static int release(struct sim_node *node, bool is_clean, struct error *err)
{
    int rc = 0;

    if (node->p2p != NULL)
        p2p_stop(node->p2p);
    miner_free(node->miner);
    if (node->chain != NULL)
        chain_join(node->chain);
    p2p_free(node->p2p);
    if (node->mempool != NULL && is_clean)
        rc = mempool_stop(node->mempool, err);
    if (node->chain != NULL) {
        int closed = chain_close(node->chain, rc == 0 ? err : NULL);

        rc = rc == 0 ? closed : rc;
    }
    mempool_free(node->mempool);
    sig_cache_free(node->sig_cache);
    free(node->fatal);
    node->miner = NULL;
    node->p2p = NULL;
    node->mempool = NULL;
    node->chain = NULL;
    node->sig_cache = NULL;
    node->fatal = NULL;
    node->is_up = false;
    node->life++;
    return rc;
}

/* --- What the chain thread does when nobody asks anything --- */

static void idle(void *context, uint64_t life)
{
    struct sim_node *node = context;
    uint64_t now_us = sim_net_now_us(node->net);
    struct error err = {0};
    int rc;

    if (!node->is_up || node->life != life)
        return;
    rc = chain_idle(node->chain, &err);
    mempool_idle(node->mempool);
    if (rc == 0 && now_us >= node->commit_us) {
        rc = chain_rest(node->chain, &err);
        node->commit_us = now_us + mix(node->seed, now_us) % COMMIT_US_MAX;
    }
    if (rc < 0 && node->fatal == NULL)
        node->fatal = alloc_string(error_text(&err));
    sim_net_after(node->net, IDLE_US, idle, node, life);
}

int sim_node_start(struct sim_node *node, struct error *err)
{
    struct miner_options miner = {
        .builder = {.params = node->params,
                    .clock = &node->clock.clock,
                    .max_weight = 4000000,
                    .reserved_weight = BUILDER_RESERVED_WEIGHT_DEFAULT,
                    .min_sat_kvb = BUILDER_MIN_SAT_KVB_DEFAULT},
    };
    int rc;

    CHECK(!node->is_up);
    sim_net_start_host(node->net, node->host);
    rc = open_chain(node, err);
    if (rc == 0)
        rc = open_mempool(node, err);
    if (rc == 0)
        rc = open_p2p(node, err);
    if (rc < 0) {
        (void)release(node, false, NULL);
        return rc;
    }
    chain_add_events(node->chain, mempool_events(node->mempool));
    chain_add_events(node->chain, p2p_events(node->p2p));
    node->guests = (struct chain_guests){.context = node, .judge_txs = judge};
    chain_set_guests(node->chain, &node->guests);
    miner.builder.node = chain_node(node->chain);
    miner.builder.mempool = mempool_view(node->mempool);
    node->miner = miner_new(&miner);
    node->is_up = true;
    rc = chain_import(node->chain, err);
    if (rc == 0)
        rc = chain_rest(node->chain, err);
    while (rc == 0 && mempool_load_some(node->mempool, err) > 0)
        ;
    if (rc == 0)
        rc = p2p_start(node->p2p, err);
    if (rc < 0) {
        (void)release(node, false, NULL);
        return rc;
    }
    node->commit_us = 0;
    sim_net_after(node->net, IDLE_US, idle, node, node->life);
    return 0;
}

int sim_node_stop(struct sim_node *node, struct error *err)
{
    int rc;

    CHECK(node->is_up);
    rc = release(node, true, err);
    sim_net_stop_host(node->net, node->host, false);
    return rc;
}

void sim_node_crash(struct sim_node *node, enum sim_node_end how)
{
    CHECK(node->is_up);
    /* Nothing that is done while the objects are released reaches network or disk. */
    sim_net_stop_host(node->net, node->host, how == SIM_NODE_POWER_OFF);
    if (how == SIM_NODE_POWER_OFF) {
        sim_disk_crash_after(node->disk, 1);
    } else {
        sim_disk_kill(node->disk);
        sim_disk_set_read_only(node->disk, true);
    }
    (void)release(node, false, NULL);
    if (how == SIM_NODE_POWER_OFF)
        sim_disk_power_on(node->disk);
    sim_disk_set_read_only(node->disk, false);
}

/* --- Looking --- */

struct node *sim_node_view(const struct sim_node *node)
{
    return chain_node(node->chain);
}

struct block_info sim_node_tip(const struct sim_node *node)
{
    struct node_status status;

    sim_node_view(node)->ops->status(sim_node_view(node), &status);
    return status.tip;
}

bool sim_node_mine(struct sim_node *node, struct block_hash *ret_hash)
{
    uint32_t n = 0;

    return node->miner->ops->generate(node->miner, ret_hash, &n, 1, sim_reward_script(), 1000000,
                                      NULL) == 0 &&
           n == 1;
}

void sim_node_coins(const struct sim_node *node, uint8_t *ret_hash)
{
    struct utxo_stats stats;

    CHECK(sim_node_view(node)->ops->utxo_stats(sim_node_view(node), &stats, UTXO_HASH_SERIALIZED_3,
                                               NULL, NULL, NULL) == 0);
    memcpy(ret_hash, stats.hash, 32);
}

size_t sim_node_peers_n(const struct sim_node *node)
{
    struct peers *peers = p2p_peers(node->p2p);
    struct peers_status status;
    struct arena arena;

    arena_init(&arena);
    peers->ops->status(peers, &status, &arena);
    arena_clear(&arena);
    return status.connections;
}

bool sim_node_submit(struct sim_node *node, const struct tx_ref *tx)
{
    struct mempool_view *pool = mempool_view(node->mempool);
    struct peers *peers = p2p_peers(node->p2p);
    struct tx_submit_options options = {.is_local = true};
    struct tx_result result = {.outcome = TX_REFUSED};
    char reason[96];
    bool is_taken;

    is_taken = pool->ops->submit(pool, &result, reason, &tx, 1, &options, NULL) == 0 &&
               result.outcome == TX_ACCEPTED;
    tx_result_clear(&result);
    if (is_taken)
        peers->ops->announce(peers, &tx->tx.txid, &tx->tx.wtxid);
    return is_taken;
}

size_t sim_node_headers_n(const struct sim_node *node)
{
    return header_tree_count(chain_headers(node->chain));
}

size_t sim_node_pool_n(const struct sim_node *node)
{
    struct mempool_view *pool = mempool_view(node->mempool);
    struct mempool_status status;

    pool->ops->status(pool, &status);
    return (size_t)status.txs_n;
}

struct span sim_reward_script(void)
{
    return span_of(reward_script, sizeof(reward_script));
}

struct span sim_reward_witness(void)
{
    return span_of(reward_witness, sizeof(reward_witness));
}
