/* What the options mean for making blocks. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "app/daemon.h"
#include "base/alloc.h"
#include "base/check.h"
#include "codec/decimal.h"
#include "consensus/rules.h"
#include "keys/address.h"
#include "keys/wif.h"
#include "mining/miner.h"
#include "os/process.h"

#define THREADS_MAX 64
#define INTERVAL_REGTEST_S 5
#define AMOUNT_PLACES 8

struct weights {
    int64_t most;
    int64_t reserved;
};

static struct weights weights_of(const struct options *o)
{
    return (struct weights){
        .most = options_int(o, "blockmaxweight", BLOCK_WEIGHT_MAX),
        .reserved = options_int(o, "blockreservedweight", BUILDER_RESERVED_WEIGHT_DEFAULT)};
}

static int check_weights(const struct options *o)
{
    struct weights w = weights_of(o);

    if (w.reserved < BUILDER_RESERVED_WEIGHT_LEAST)
        return daemon_error("-blockreservedweight (%" PRId64
                            ") is lower than minimum safety value of (%d)",
                            w.reserved, BUILDER_RESERVED_WEIGHT_LEAST);
    if (w.reserved > BLOCK_WEIGHT_MAX)
        return daemon_error("-blockreservedweight (%" PRId64
                            ") exceeds consensus maximum block weight (%u)",
                            w.reserved, BLOCK_WEIGHT_MAX);
    if (w.most > BLOCK_WEIGHT_MAX)
        return daemon_error("-blockmaxweight (%" PRId64
                            ") exceeds consensus maximum block weight (%u)",
                            w.most, BLOCK_WEIGHT_MAX);
    if (w.reserved > w.most)
        return daemon_error("-blockreservedweight (%" PRId64 ") exceeds -blockmaxweight (%" PRId64
                            ")",
                            w.reserved, w.most);
    return 0;
}

static int read_min_fee(const struct options *o, int64_t *ret_sat_kvb)
{
    const char *text = options_text(o, "blockmintxfee", NULL);

    *ret_sat_kvb = BUILDER_MIN_SAT_KVB_DEFAULT;
    if (text != NULL &&
        (!decimal_read(ret_sat_kvb, text, strlen(text), AMOUNT_PLACES) || *ret_sat_kvb < 0))
        return daemon_error("Invalid amount for -blockmintxfee=<amount>: '%s'", text);
    return 0;
}

/* Where -mine pays to. */
static int read_mine_script(const struct daemon *daemon, struct buf *ret_script)
{
    const char *text = options_text(&daemon->options, "mine", NULL);
    struct destination destination;

    if (text == NULL || options_is_negated(&daemon->options, "mine"))
        return 0;
    if (!daemon->params.is_mockable && !daemon->params.signet_blocks)
        return daemon_error("-mine is for regtest and signet only.");
    if (!address_read(&destination, span_of_string(text), &daemon->params, NULL))
        return daemon_error("-mine: '%s' is not an address of this network.", text);
    if (ret_script != NULL)
        destination_write_script(ret_script, &destination);
    return 0;
}

/* ret_ring may be NULL: they are only looked at. */
static int read_keys(const struct daemon *daemon, struct keyring *ret_ring)
{
    struct seckey *key = secret_alloc(sizeof(*key));
    const char **list;
    size_t n = options_list(&daemon->options, "minekey", &list);
    int rc = 0;

    for (size_t i = 0; i < n && rc == 0; i++) {
        if (!wif_read(key, span_of_string(list[i]), &daemon->params))
            rc = daemon_error("-minekey: not a secret key of this network.");
        else if (ret_ring != NULL)
            keyring_add_secret(ret_ring, key);
    }
    free(list);
    secret_free(key, sizeof(*key));
    return rc;
}

int daemon_check_mining(struct daemon *daemon)
{
    int64_t sat_kvb;
    int rc = read_min_fee(&daemon->options, &sat_kvb);

    if (rc == 0)
        rc = check_weights(&daemon->options);
    if (rc == 0)
        rc = read_mine_script(daemon, NULL);
    return rc;
}

static bool may_go_on(void *context)
{
    const struct daemon *daemon = context;

    return !atomic_load(&daemon->is_stopping);
}

int daemon_start_miner(struct daemon *daemon)
{
    const struct options *o = &daemon->options;
    struct weights weights = weights_of(o);
    struct miner_options miner = {
        .builder = {.node = chain_node(daemon->chain),
                    .params = &daemon->params,
                    .clock = &daemon->clock.clock,
                    .mempool = daemon->rpc.mempool,
                    .max_weight = (uint32_t)weights.most,
                    .reserved_weight = (uint32_t)weights.reserved,
                    .has_version = daemon->params.is_mockable && options_is_set(o, "blockversion"),
                    .version = (int32_t)options_int(o, "blockversion", 0)},
        .go_on = may_go_on,
        .context = daemon,
        .signet_keys = &daemon->mine_keys,
    };
    int64_t interval_s =
        options_int(o, "mineinterval", daemon->params.is_mockable ? INTERVAL_REGTEST_S : 0);
    int64_t threads_n = options_int(o, "minethreads", 0);
    struct buf script = {0};
    struct error err = {0};
    int rc = read_min_fee(o, &miner.builder.min_sat_kvb);

    keyring_init(&daemon->mine_keys);
    if (rc == 0)
        rc = read_keys(daemon, &daemon->mine_keys);
    if (rc == 0)
        rc = read_mine_script(daemon, &script);
    if (rc < 0)
        goto done;
    miner.mine_script = span_of_buf(&script);
    miner.mine_interval_s = (uint32_t)MAX(0, MIN(interval_s, INT32_MAX));
    if (threads_n <= 0)
        threads_n = (int64_t)processors_n();
    if (script.len > 0)
        miner.threads_n = (unsigned)MAX(1, MIN(threads_n, THREADS_MAX));
    daemon->miner = miner_new(&miner);
    daemon->rpc.miner = daemon->miner;
    if (miner_start(daemon->miner, &err) < 0)
        rc = daemon_error("%s", error_text(&err));

done:
    buf_clear(&script);
    return rc;
}

void daemon_stop_miner(struct daemon *daemon)
{
    if (daemon->miner == NULL)
        return;
    miner_free(daemon->miner);
    daemon->miner = NULL;
    keyring_clear(&daemon->mine_keys);
}
