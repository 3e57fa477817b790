/* The way in: what submitters ask for, as arguments of the judges. */
#include "base/check.h"
#include "base/log.h"
#include "mempool/accept_priv.h"

/* Ours and already in the chain? Then it would only be told that its inputs are gone. */
static int refuse_confirmed(struct mempool *pool, struct tx_result *result,
                            const struct tx_ref *ref, bool *ret_is_known, struct error *err)
{
    const struct mempool_ground *ground = &pool->options.ground;
    struct attempt attempt = {.ref = ref, .tx = &ref->tx, .result = result};
    int rc =
        ground->has_confirmed(ground->context, ret_is_known, &ref->tx.txid, ref->tx.out_n, err);

    if (rc == 0 && *ret_is_known) {
        result->txid = ref->tx.txid;
        result->wtxid = ref->tx.wtxid;
        (void)attempt_refuse(&attempt, TX_CAUSE_CONFLICT, "txn-already-known", "%s", "");
    }
    return rc;
}

int mempool_submit(struct mempool *pool, struct tx_result *ret_results, char *ret_package_reason,
                   const struct tx_ref *const *txs, size_t txs_n,
                   const struct tx_submit_options *options, struct error *err)
{
    struct accept_args args = {
        .time_s = pool_now_s(pool),
        .test_only = options->test_only,
        .bypass_limits = options->bypass_limits,
        .allow_replacement = true,
        .allow_sibling_eviction = true,
        .is_local = options->is_local,
    };
    bool is_known = false;
    int rc = 0;

    CHECK(txs_n > 0);
    ret_package_reason[0] = 0;
    for (size_t i = 0; i < txs_n; i++)
        ret_results[i] = (struct tx_result){0};
    if (txs_n == 1 && !options->is_package) {
        args.max_base_rate_sat_kvb = options->max_feerate_sat_kvb;
        if (options->is_local)
            rc = refuse_confirmed(pool, &ret_results[0], txs[0], &is_known, err);
        if (rc == 0 && !is_known)
            rc = accept_one(pool, &ret_results[0], txs[0], &args, err);
    } else if (options->test_only) {
        args.allow_replacement = false;
        args.allow_sibling_eviction = false;
        rc = accept_many(pool, ret_results, ret_package_reason, txs, txs_n, &args, err);
    } else {
        args.allow_sibling_eviction = false;
        args.is_package_submission = true;
        args.use_package_feerates = true;
        args.max_fee_rate_sat_kvb = options->max_feerate_sat_kvb;
        rc = accept_package(pool, ret_results, ret_package_reason, txs, txs_n, &args, err);
    }
    pool_tell(pool);
    if (!options->test_only)
        pool_check(pool);
    return rc;
}

void mempool_advance_timers(struct mempool *pool, int64_t seconds)
{
    atomic_fetch_add(&pool->timers_ahead_us, seconds * 1000000);
}

static uint64_t timer_us(struct mempool *pool)
{
    return clock_monotonic_us(pool->options.clock) + (uint64_t)atomic_load(&pool->timers_ahead_us);
}

static bool fees_are_due(const struct mempool *pool, uint64_t now_us)
{
    return now_us - pool->fees_saved_us >= FEES_SAVE_INTERVAL_S * UINT64_C(1000000);
}

bool mempool_is_due(struct mempool *pool)
{
    uint64_t now_us = timer_us(pool);
    int64_t oldest_s = pool_now_s(pool) - pool->options.expiry_s;
    bool is_due;

    pool_lock(pool);
    is_due = fees_are_due(pool, now_us) || pool_usage(pool) > pool->options.limit_bytes ||
             (pool->txs_n > 0 && pool->entries[pool->heap[0]]->time_s < oldest_s);
    pool_unlock(pool);
    return is_due;
}

void mempool_idle(struct mempool *pool)
{
    uint64_t now_us = timer_us(pool);
    struct error err;

    pool_lock(pool);
    pool_limit(pool);
    pool_unlock(pool);
    pool_tell(pool);
    if (!fees_are_due(pool, now_us))
        return;
    pool_lock(pool);
    pool->fees_saved_us = now_us;
    pool_unlock(pool);
    if (pool_save_fees(pool, &err) < 0)
        log_warning("mempool", "%s", error_text(&err));
}
