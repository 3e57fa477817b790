/* Methods about what to pay. */
#include <math.h>
#include <stdio.h>
#include <strings.h>

#include "base/check.h"
#include "rpc/args.h"
#include "rpc/groups.h"

static int read_target(struct rpc_call *call, int32_t *ret_target)
{
    struct mempool_view *pool = call->context->mempool;
    int32_t greatest = pool->ops->estimate_target_max(pool);
    int64_t target;
    int rc;

    if (greatest == 0)
        return rpc_fail(call, RPC_INTERNAL_ERROR, "Fee estimation disabled");
    rc = rpc_arg_int(call, &target, 0, INT32_MIN, INT32_MAX);
    if (rc < 0)
        return rc;
    if (target < 1 || target > greatest)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Invalid conf_target, must be between %d and %d", 1, greatest);
    *ret_target = (int32_t)target;
    return 0;
}

static int read_mode(struct rpc_call *call, enum fee_mode *ret_mode)
{
    const char *text;
    int rc = rpc_arg_string(call, &text, 1);

    if (rc < 0)
        return rc;
    if (strcasecmp(text, "conservative") == 0)
        *ret_mode = FEE_CONSERVATIVE;
    else if (strcasecmp(text, "economical") == 0 || strcasecmp(text, "unset") == 0)
        *ret_mode = FEE_ECONOMICAL;
    else
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Invalid estimate_mode parameter, must be one of: \"unset\", "
                        "\"economical\", \"conservative\"");
    return 0;
}

static void put_error(struct json_writer *w, const char *text)
{
    json_key(w, "errors");
    json_begin_array(w);
    json_string(w, text);
    json_end_array(w);
}

static int estimate_smart_fee(struct rpc_call *call)
{
    struct mempool_view *pool = call->context->mempool;
    struct json_writer *w = call->out;
    struct fee_estimate estimate;
    enum fee_mode mode = FEE_ECONOMICAL;
    int32_t target;
    int rc = read_target(call, &target);

    if (rc == 0)
        rc = read_mode(call, &mode);
    if (rc < 0)
        return rc;
    estimate = pool->ops->estimate(pool, target, mode);
    json_begin_object(w);
    if (estimate.sat_kvb >= 0)
        json_put_amount(w, "feerate", estimate.sat_kvb);
    else
        put_error(w, "Insufficient data or no feerate found");
    json_put_int(w, "blocks", estimate.blocks);
    json_end_object(w);
    return 0;
}

/* --- estimaterawfee ------------------------------------------------------------------ */

static double cents(double value)
{
    return round(value * 100.0) / 100.0;
}

static void put_range(struct json_writer *w, const char *key, const struct fee_bucket_range *range)
{
    json_key(w, key);
    json_begin_object(w);
    json_put_double(w, "startrange", round(range->start));
    json_put_double(w, "endrange", round(range->end));
    json_put_double(w, "withintarget", cents(range->within_target));
    json_put_double(w, "totalconfirmed", cents(range->total_confirmed));
    json_put_double(w, "inmempool", cents(range->in_mempool));
    json_put_double(w, "leftmempool", cents(range->left_mempool));
    json_end_object(w);
}

static void put_horizon(struct json_writer *w, const struct fee_horizon *horizon)
{
    json_key(w, horizon->name);
    json_begin_object(w);
    if (horizon->sat_kvb >= 0)
        json_put_amount(w, "feerate", horizon->sat_kvb);
    json_put_double(w, "decay", horizon->decay);
    json_put_int(w, "scale", horizon->scale);
    if (horizon->sat_kvb >= 0) {
        put_range(w, "pass", &horizon->pass);
        if (horizon->fail.start >= 0)
            put_range(w, "fail", &horizon->fail);
    } else {
        put_range(w, "fail", &horizon->fail);
        put_error(w, "Insufficient data or no feerate found which meets threshold");
    }
    json_end_object(w);
}

static int read_threshold(struct rpc_call *call, double *ret_threshold)
{
    const struct json *value = rpc_arg(call, 1);

    *ret_threshold = 0.95;
    if (value == NULL)
        return 0;
    if (!json_get_double(ret_threshold, value))
        return rpc_fail_type(call, value, "number");
    if (*ret_threshold < 0 || *ret_threshold > 1)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid threshold");
    return 0;
}

static int estimate_raw_fee(struct rpc_call *call)
{
    struct mempool_view *pool = call->context->mempool;
    struct fee_horizon horizons[3];
    double threshold;
    int32_t target;
    size_t n;
    int rc = read_target(call, &target);

    if (rc == 0)
        rc = read_threshold(call, &threshold);
    if (rc < 0)
        return rc;
    n = pool->ops->estimate_raw(pool, horizons, target, threshold);
    json_begin_object(call->out);
    for (size_t i = 0; i < n; i++)
        put_horizon(call->out, &horizons[i]);
    json_end_object(call->out);
    return 0;
}

/* --- The table ------------------------------------------------------------------------ */

#define TARGET_PARAM(about)                         \
    {                                               \
        "conf_target", RPC_NUM, RPC_REQUIRED, about \
    }
#define RANGE_RESULT(key_text, about)                                                           \
    {                                                                                           \
        RPC_OBJ, key_text, about,                                                               \
            .flags = RPC_OPTIONAL,                                                              \
            .inner = RPC_RESULTS({RPC_NUM, "startrange", "Its least feerate, sat/kvB."},        \
                                 {RPC_NUM, "endrange", "Its greatest."},                        \
                                 {RPC_NUM, "withintarget", "Confirmed within the target."},     \
                                 {RPC_NUM, "totalconfirmed", "Confirmed at all."},              \
                                 {RPC_NUM, "inmempool", "Waiting for longer than the target."}, \
                                 {RPC_NUM, "leftmempool", "Left after that, unconfirmed."})     \
    }
#define HORIZON_RESULT(key_text, about)                                                           \
    {                                                                                             \
        RPC_OBJ, key_text, about,                                                                 \
            .flags = RPC_OPTIONAL,                                                                \
            .inner = RPC_RESULTS({RPC_AMOUNT, "feerate", "BTC/kvB.", .flags = RPC_OPTIONAL},      \
                                 {RPC_NUM, "decay", "What is left of a count after a block."},    \
                                 {RPC_NUM, "scale", "Blocks that are counted as one step."},      \
                                 RANGE_RESULT("pass", "The cheapest range that is good enough."), \
                                 RANGE_RESULT("fail", "The dearest one that is not."),            \
                                 {RPC_ARR, "errors", "Why there is no answer.",                   \
                                  .flags = RPC_OPTIONAL, .inner = RPC_RESULTS({RPC_STR})})        \
    }

const struct rpc_method rpc_fee_methods[] = {
    {.name = "estimaterawfee",
     .group = "hidden",
     .summary = "Shows what the estimates rest on. May change with how they are made.",
     .params = RPC_PARAMS(TARGET_PARAM("Confirmed within this many blocks, 1 to 1008."),
                          {"threshold", RPC_NUM, "=0.95",
                           "The share of transactions that must have been confirmed in time."}),
     .results = RPC_RESULTS(
         {RPC_OBJ, .inner = RPC_RESULTS(HORIZON_RESULT("short", "Forgets fast."),
                                        HORIZON_RESULT("medium", "Forgets more slowly."),
                                        HORIZON_RESULT("long", "Remembers for weeks."))}),
     .examples = RPC_EXAMPLES("6 0.9"),
     .run = estimate_raw_fee},
    {.name = "estimatesmartfee",
     .group = "util",
     .summary = "Estimates what a transaction must pay to be confirmed soon enough: by how long "
                "others waited, but no more than what is paid now for a place that near.",
     .params = RPC_PARAMS(
         TARGET_PARAM("Within this many blocks, 1 to 1008."),
         {"estimate_mode", RPC_STR, "=\"economical\"",
          "\"economical\", or \"conservative\": rather too much than too little. \"unset\" is the "
          "default."}),
     .results = RPC_RESULTS(
         {RPC_OBJ,
          .inner = RPC_RESULTS({RPC_NUM, "feerate", "BTC/kvB.", .flags = RPC_OPTIONAL},
                               {RPC_ARR, "errors", "Why there is no answer.", .flags = RPC_OPTIONAL,
                                .inner = RPC_RESULTS({RPC_STR})},
                               {RPC_NUM, "blocks", "For how many blocks the answer holds."})}),
     .examples = RPC_EXAMPLES("6"),
     .run = estimate_smart_fee},
    {.name = NULL},
};
