#include "consensus/deployments.h"

#include "base/alloc.h"
#include "base/check.h"

const char *deployment_state_name(enum deployment_state state)
{
    static const char *const names[] = {
        [DEPLOYMENT_DEFINED] = "defined",     [DEPLOYMENT_STARTED] = "started",
        [DEPLOYMENT_LOCKED_IN] = "locked_in", [DEPLOYMENT_ACTIVE] = "active",
        [DEPLOYMENT_FAILED] = "failed",
    };

    return names[state];
}

/* What a run of states depends on: a deployment of ours, or a bit nobody told us
 * about. */
struct rule {
    struct deployment_params how;
    int32_t counts_from; /* Signals below this height do not count. */
    bool is_unknown;     /* A bit that our own version would set does not count. */
    const struct params *params;
    struct deployment_cache *cache;
};

static void forget_from(struct deployment_states *states, int32_t fork_height, uint32_t period)
{
    /* The state of period p rests on the blocks before it, that is up to
     * p * period - 1. */
    size_t keep = (size_t)(fork_height + 1) / period + 1;

    if (states->n > keep)
        states->n = keep;
}

void deployment_cache_clear(struct deployment_cache *cache)
{
    for (int i = 0; i < DEPLOYMENT_COUNT; i++)
        free(cache->known[i].states);
    for (int i = 0; i < VERSION_SIGNAL_BITS; i++)
        free(cache->unknown[i].states);
    *cache = (struct deployment_cache){0};
}

static uint32_t unknown_period(const struct params *params)
{
    return params->is_test_chain ? (uint32_t)params_retarget_period(params) : 2016;
}

void deployment_cache_rewind(struct deployment_cache *cache, int32_t fork_height,
                             const struct params *params)
{
    for (int i = 0; i < DEPLOYMENT_COUNT; i++)
        forget_from(&cache->known[i], fork_height, params->deployments[i].period);
    for (int i = 0; i < VERSION_SIGNAL_BITS; i++)
        forget_from(&cache->unknown[i], fork_height, unknown_period(params));
}

static bool signals(const struct ancestry *branch, int32_t height, const struct rule *rule)
{
    uint32_t version = (uint32_t)branch->at(branch->context, height).version;
    struct ancestry below = *branch;

    if (height < rule->counts_from || (version & VERSION_TOP_MASK) != VERSION_TOP_BITS ||
        (version >> rule->how.bit & 1) == 0)
        return false;
    if (!rule->is_unknown)
        return true;
    below.tip_height = height - 1;
    return ((uint32_t)block_version_after(&below, rule->params, rule->cache) >> rule->how.bit &
            1) == 0;
}

static uint32_t count_signals(const struct ancestry *branch, int32_t from, int32_t to,
                              const struct rule *rule, bool *ret_signals)
{
    uint32_t count = 0;

    if (to < rule->counts_from && ret_signals == NULL)
        return 0;
    for (int32_t height = from; height <= to; height++) {
        bool is_signal = signals(branch, height, rule);

        count += is_signal ? 1 : 0;
        if (ret_signals != NULL)
            ret_signals[height - from] = is_signal;
    }
    return count;
}

/* From the state of one period to that of the next, which begins after the
 * branch's tip. */
static enum deployment_state step(enum deployment_state state, const struct ancestry *branch,
                                  const struct rule *rule)
{
    int32_t last = branch->tip_height;

    switch (state) {
    case DEPLOYMENT_DEFINED:
        return median_time_past(branch) >= rule->how.start_time ? DEPLOYMENT_STARTED : state;
    case DEPLOYMENT_STARTED:
        if (count_signals(branch, last - (int32_t)rule->how.period + 1, last, rule, NULL) >=
            rule->how.threshold)
            return DEPLOYMENT_LOCKED_IN;
        return median_time_past(branch) >= rule->how.timeout ? DEPLOYMENT_FAILED : state;
    case DEPLOYMENT_LOCKED_IN:
        return last + 1 >= rule->how.min_activation_height ? DEPLOYMENT_ACTIVE : state;
    case DEPLOYMENT_ACTIVE:
    case DEPLOYMENT_FAILED:
        break;
    }
    return state;
}

static void append(struct deployment_states *states, enum deployment_state state)
{
    if (states->n == states->capacity) {
        states->capacity = states->capacity == 0 ? 64 : states->capacity * 2;
        states->states = realloc_array(states->states, states->capacity, 1);
    }
    states->states[states->n++] = (uint8_t)state;
}

/* The state of a period (counted from 0) of the branch. states may hold less. */
static enum deployment_state state_of_period(const struct ancestry *branch, size_t period,
                                             const struct rule *rule,
                                             struct deployment_states *states)
{
    if (states->n == 0)
        append(states, DEPLOYMENT_DEFINED);
    while (states->n <= period) {
        struct ancestry before = *branch;

        before.tip_height = (int32_t)(states->n * rule->how.period) - 1;
        append(states, step((enum deployment_state)states->states[states->n - 1], &before, rule));
    }
    return (enum deployment_state)states->states[period];
}

static size_t period_after(const struct ancestry *ancestry, const struct rule *rule)
{
    return (size_t)(ancestry->tip_height + 1) / rule->how.period;
}

/* State of the block after the tip; *ret_since may be NULL. */
static enum deployment_state state_after(const struct ancestry *ancestry, const struct rule *rule,
                                         struct deployment_states *states, int32_t *ret_since)
{
    size_t period = period_after(ancestry, rule);
    enum deployment_state state;

    if (ret_since != NULL)
        *ret_since = 0;
    if (rule->how.start_time == DEPLOYMENT_ALWAYS_ACTIVE)
        return DEPLOYMENT_ACTIVE;
    if (rule->how.start_time == DEPLOYMENT_NEVER_ACTIVE)
        return DEPLOYMENT_FAILED;
    state = state_of_period(ancestry, period, rule, states);
    if (ret_since != NULL && state != DEPLOYMENT_DEFINED) {
        while (period > 0 && states->states[period - 1] == (uint8_t)state)
            period--;
        *ret_since = (int32_t)(period * rule->how.period);
    }
    return state;
}

static struct rule known_rule(enum deployment deployment, const struct params *params)
{
    return (struct rule){.how = params->deployments[deployment], .params = params};
}

static enum deployment_state known_after(const struct ancestry *ancestry,
                                         enum deployment deployment, const struct params *params,
                                         struct deployment_cache *cache, int32_t *ret_since)
{
    struct rule rule = known_rule(deployment, params);
    struct deployment_states own = {0};
    enum deployment_state state =
        state_after(ancestry, &rule, cache == NULL ? &own : &cache->known[deployment], ret_since);

    free(own.states);
    return state;
}

enum deployment_state deployment_state_after(const struct ancestry *ancestry,
                                             enum deployment deployment,
                                             const struct params *params,
                                             struct deployment_cache *cache)
{
    return known_after(ancestry, deployment, params, cache, NULL);
}

int32_t deployment_since_after(const struct ancestry *ancestry, enum deployment deployment,
                               const struct params *params, struct deployment_cache *cache)
{
    int32_t since;

    (void)known_after(ancestry, deployment, params, cache, &since);
    return since;
}

static struct deployment_statistics statistics_of(const struct ancestry *ancestry,
                                                  const struct rule *rule, bool *ret_signals)
{
    int32_t tip = ancestry->tip_height;
    int32_t from = tip - tip % (int32_t)rule->how.period;
    struct deployment_statistics out = {.period = rule->how.period,
                                        .threshold = rule->how.threshold};

    out.elapsed = (uint32_t)(tip - from + 1);
    out.count = count_signals(ancestry, from, tip, rule, ret_signals);
    out.possible = out.period - out.threshold >= out.elapsed - out.count;
    return out;
}

struct deployment_info deployment_info_of(const struct ancestry *ancestry,
                                          enum deployment deployment, const struct params *params,
                                          struct deployment_cache *cache, bool *ret_signals)
{
    struct rule rule = known_rule(deployment, params);
    struct ancestry parent = *ancestry;
    struct deployment_info info = {.active_since = -1};

    CHECK(ancestry->tip_height >= 0);
    parent.tip_height--;
    info.state = known_after(&parent, deployment, params, cache, &info.since);
    info.next = known_after(ancestry, deployment, params, cache, NULL);
    if (info.state == DEPLOYMENT_STARTED || info.state == DEPLOYMENT_LOCKED_IN) {
        info.has_statistics = true;
        info.statistics = statistics_of(ancestry, &rule, ret_signals);
    }
    if (info.state == DEPLOYMENT_LOCKED_IN) {
        info.statistics.threshold = 0;
        info.statistics.possible = false;
    }
    if (info.state == DEPLOYMENT_ACTIVE)
        info.active_since = info.since;
    else if (info.next == DEPLOYMENT_ACTIVE)
        info.active_since = ancestry->tip_height + 1;
    return info;
}

int32_t block_version_after(const struct ancestry *ancestry, const struct params *params,
                            struct deployment_cache *cache)
{
    uint32_t version = VERSION_TOP_BITS;

    for (int i = 0; i < DEPLOYMENT_COUNT; i++) {
        enum deployment_state state =
            deployment_state_after(ancestry, (enum deployment)i, params, cache);

        if (state == DEPLOYMENT_STARTED || state == DEPLOYMENT_LOCKED_IN)
            version |= 1U << params->deployments[i].bit;
    }
    return (int32_t)version;
}

/* 90 % of 2,016 blocks on the main chain, 75 % elsewhere. */
static struct rule unknown_rule(int bit, const struct params *params,
                                struct deployment_cache *cache)
{
    struct rule rule = {.how = {.bit = bit,
                                .timeout = DEPLOYMENT_NO_TIMEOUT,
                                .period = unknown_period(params),
                                .threshold = 1815},
                        .counts_from = params->unknown_signals_from_height,
                        .is_unknown = true,
                        .params = params,
                        .cache = cache};

    if (params->is_test_chain)
        rule.how.threshold = rule.how.period * 3 / 4;
    return rule;
}

size_t unknown_deployments_after(struct unknown_deployment *ret_unknown,
                                 const struct ancestry *ancestry, const struct params *params,
                                 struct deployment_cache *cache)
{
    size_t n = 0;

    for (int bit = 0; bit < VERSION_SIGNAL_BITS; bit++) {
        struct rule rule = unknown_rule(bit, params, cache);
        struct deployment_states own = {0};
        enum deployment_state state =
            state_after(ancestry, &rule, cache == NULL ? &own : &cache->unknown[bit], NULL);

        if (state == DEPLOYMENT_ACTIVE || state == DEPLOYMENT_LOCKED_IN)
            ret_unknown[n++] =
                (struct unknown_deployment){.bit = bit, .is_active = state == DEPLOYMENT_ACTIVE};
        free(own.states);
    }
    return n;
}
