#include "mempool/accept_priv.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "primitives/amount.h"
#include "script/sig_memo.h"

__extension__ typedef __int128 wide;

bool attempt_refuse(struct attempt *attempt, enum tx_cause cause, const char *reason,
                    const char *detail, ...)
{
    struct tx_result *result = attempt->result;
    va_list args;

    result->outcome = TX_REFUSED;
    result->cause = cause;
    (void)snprintf(result->reason, sizeof(result->reason), "%s", reason);
    va_start(args, detail);
    (void)vsnprintf(result->detail, sizeof(result->detail), detail, args);
    va_end(args);
    return false;
}

int64_t rate_sat_kvb(int64_t fee_sat, int64_t vsize)
{
    wide scaled = (wide)fee_sat * 1000;
    wide rate = vsize == 0 ? 0 : scaled / vsize;

    /* Division cuts towards zero; rates are rounded down. */
    if (vsize != 0 && scaled < 0 && rate * vsize != scaled)
        rate--;
    return (int64_t)rate;
}

void result_set_rate(struct tx_result *result, int64_t fee_sat, int64_t vsize,
                     const struct attempt *attempts, size_t attempts_n)
{
    free(result->effective_with);
    result->effective_sat_kvb = rate_sat_kvb(fee_sat, vsize);
    result->effective_with = alloc_array(attempts_n, sizeof(*result->effective_with));
    for (size_t i = 0; i < attempts_n; i++)
        result->effective_with[i] = attempts[i].tx->wtxid;
    result->effective_with_n = attempts_n;
}

bool fee_is_enough(struct mempool *pool, struct tx_result *result, int64_t fee_sat, int64_t vsize)
{
    const char *reason = "mempool min fee not met";
    int64_t least;

    pool_lock(pool);
    least = feerate_fee_sat(feerate_of_sat_kvb(pool_min_fee(pool)), (uint64_t)vsize);
    pool_unlock(pool);
    if (least <= 0 || fee_sat >= least) {
        reason = "min relay fee not met";
        least =
            feerate_fee_sat(feerate_of_sat_kvb(pool->options.min_relay_sat_kvb), (uint64_t)vsize);
        if (fee_sat >= least)
            return true;
    }
    result->outcome = TX_REFUSED;
    result->cause = TX_CAUSE_FEE;
    (void)snprintf(result->reason, sizeof(result->reason), "%s", reason);
    (void)snprintf(result->detail, sizeof(result->detail), "%" PRId64 " < %" PRId64, fee_sat,
                   least);
    return false;
}

/* --- Rules that need nothing but the transaction and the tip -------------------------- */

static bool refuse_by_rule(struct attempt *attempt, const struct finding *finding)
{
    enum tx_cause cause = TX_CAUSE_CONSENSUS;

    if (finding->verdict == V_PREMATURE_SPEND)
        cause = TX_CAUSE_PREMATURE;
    attempt->result->verdict = finding->verdict;
    return attempt_refuse(attempt, cause, verdict_reason(finding->verdict), "%s", finding->detail);
}

static bool check_alone(struct trial *trial, struct attempt *attempt)
{
    const struct mempool_options *options = &trial->pool->options;
    const struct header_node *tip = options->ground.tip(options->ground.context);
    const struct standard_rules rules = {
        .max_datacarrier_bytes = options->max_datacarrier_bytes,
        .permit_bare_multisig = options->permit_bare_multisig,
        .dust_relay = feerate_of_sat_kvb(options->dust_relay_sat_kvb),
    };
    const struct tx *tx = attempt->tx;
    struct finding finding;
    const char *flaw;

    if (tx_check(tx, &finding) != V_VALID)
        return refuse_by_rule(attempt, &finding);
    if (tx_is_coinbase(tx))
        return attempt_refuse(attempt, TX_CAUSE_CONSENSUS, "coinbase", "%s", "");
    flaw = options->require_standard ? standard_tx_flaw(tx, &rules) : NULL;
    if (flaw != NULL)
        return attempt_refuse(attempt, TX_CAUSE_STANDARD, flaw, "%s", "");
    if (tx->base_bytes < POLICY_TX_BASE_BYTES_MIN)
        return attempt_refuse(attempt, TX_CAUSE_STANDARD, "tx-size-small", "%s", "");
    if (!tx_is_final(tx, tip->height + 1, header_median_time(tip)))
        return attempt_refuse(attempt, TX_CAUSE_PREMATURE, "non-final", "%s", "");
    return true;
}

static bool check_new(struct trial *trial, struct attempt *attempt)
{
    const struct mempool *pool = trial->pool;
    const struct tx *tx = attempt->tx;
    const struct entry *same = pool_find_txid(pool, &tx->txid);
    size_t n = 0;

    if (same != NULL && wtxid_equal(&entry_tx(same)->wtxid, &tx->wtxid)) {
        (void)attempt_refuse(attempt, TX_CAUSE_CONFLICT, "txn-already-in-mempool", "%s", "");
        attempt->result->outcome = TX_KNOWN;
        return false;
    }
    if (same != NULL) {
        (void)attempt_refuse(attempt, TX_CAUSE_CONFLICT, "txn-same-nonwitness-data-in-mempool",
                             "%s", "");
        attempt->result->outcome = TX_KNOWN_OTHER;
        attempt->result->other_wtxid = entry_tx(same)->wtxid;
        return false;
    }
    attempt->conflicts = arena_array(&trial->arena, tx->in_n + 1, sizeof(struct entry *));
    for (uint32_t i = 0; i < tx->in_n; i++) {
        struct entry *other = pool_find_spender(pool, &tx->in[i].prevout);

        if (other == NULL)
            continue;
        if (!trial->args->allow_replacement)
            return attempt_refuse(attempt, TX_CAUSE_POLICY, "bip125-replacement-disallowed", "%s",
                                  "");
        attempt->conflicts[n++] = other;
    }
    attempt->conflicts_n = entries_unique(attempt->conflicts, n);
    return true;
}

/* --- What it spends -------------------------------------------------------------------- */

/* An output of the package's or the mempool's. False: neither has the transaction. */
static bool find_unconfirmed(const struct trial *trial, const struct attempt *attempt,
                             const struct outpoint *outpoint, const struct tx_out **ret_out)
{
    const struct tx *tx = NULL;
    const struct entry *entry;

    for (const struct attempt *other = trial->attempts; other < attempt && tx == NULL; other++) {
        if (txid_equal(&other->tx->txid, &outpoint->txid))
            tx = other->tx;
    }
    if (tx == NULL) {
        entry = pool_find_txid(trial->pool, &outpoint->txid);
        if (entry == NULL)
            return false;
        tx = entry_tx(entry);
    }
    *ret_out = outpoint->vout < tx->out_n ? &tx->out[outpoint->vout] : NULL;
    return true;
}

/* Only a better word for what is refused anyway: strangers shall not have thousands of
 * outputs looked up for it. */
#define KNOWN_OUTPUTS_MAX 16U

/* Fills coins and spent. *ret_ok false: refused. */
static int find_coins(struct trial *trial, struct attempt *attempt, bool *ret_ok, struct error *err)
{
    const struct mempool_ground *ground = &trial->pool->options.ground;
    const struct tx *tx = attempt->tx;
    uint32_t next_height = (uint32_t)ground->tip(ground->context)->height + 1;
    struct outpoint *asked = arena_array(&trial->arena, tx->in_n, sizeof(*asked));
    uint32_t *asked_at = arena_array(&trial->arena, tx->in_n, sizeof(*asked_at));
    struct coin *coins = arena_array(&trial->arena, tx->in_n, sizeof(*coins));
    bool *found = arena_array(&trial->arena, tx->in_n, sizeof(*found));
    const struct tx_out *out;
    bool is_missing = false;
    bool is_known = false;
    uint32_t asked_n = 0;
    int rc = 0;

    attempt->coins = arena_array(&trial->arena, tx->in_n, sizeof(*attempt->coins));
    attempt->spent = arena_array(&trial->arena, tx->in_n, sizeof(*attempt->spent));
    for (uint32_t i = 0; i < tx->in_n; i++) {
        if (!find_unconfirmed(trial, attempt, &tx->in[i].prevout, &out)) {
            asked_at[asked_n] = i;
            asked[asked_n++] = tx->in[i].prevout;
        } else if (out == NULL) {
            is_missing = true;
        } else {
            /* It will be in the next block at the earliest. */
            attempt->coins[i] = (struct coin){.value_sat = out->value_sat,
                                              .script_pubkey = out->script_pubkey,
                                              .height = next_height};
        }
    }
    if (asked_n > 0 && !is_missing)
        rc = ground->find_coins(ground->context, coins, found, asked, asked_n, &trial->arena, err);
    for (uint32_t k = 0; k < asked_n && rc == 0 && !is_missing; k++) {
        is_missing = !found[k];
        attempt->coins[asked_at[k]] = coins[k];
    }
    for (uint32_t i = 0; i < tx->in_n; i++)
        attempt->spent[i] = (struct tx_out){.value_sat = attempt->coins[i].value_sat,
                                            .script_pubkey = attempt->coins[i].script_pubkey};
    *ret_ok = rc == 0 && !is_missing;
    if (rc < 0 || !is_missing)
        return rc;
    rc = ground->has_confirmed(ground->context, &is_known, &tx->txid,
                               MIN(tx->out_n, KNOWN_OUTPUTS_MAX), err);
    if (rc == 0 && is_known)
        (void)attempt_refuse(attempt, TX_CAUSE_CONFLICT, "txn-already-known", "%s", "");
    else if (rc == 0)
        (void)attempt_refuse(attempt, TX_CAUSE_MISSING_INPUTS, "bad-txns-inputs-missingorspent",
                             "%s", "");
    return rc;
}

bool accept_locks_hold(const struct mempool *pool, const struct tx *tx, const struct coin *coins,
                       struct arena *arena)
{
    const struct header_node *tip = pool->options.ground.tip(pool->options.ground.context);
    uint32_t *mtps = NULL;
    bool by_time;

    if (!tx_has_sequence_locks(tx, &by_time))
        return true;
    if (by_time) {
        mtps = arena_array(arena, tx->in_n, sizeof(*mtps));
        for (uint32_t i = 0; i < tx->in_n; i++) {
            int32_t height = (int32_t)coins[i].height;

            mtps[i] = header_median_time(header_ancestor(tip, MAX(height - 1, 0)));
        }
    }
    return tx_sequence_locks_hold(tx, coins, mtps, tip->height + 1, header_median_time(tip));
}

static bool check_spending(struct trial *trial, struct attempt *attempt)
{
    const struct mempool_options *options = &trial->pool->options;
    const struct header_node *tip = options->ground.tip(options->ground.context);
    const struct tx *tx = attempt->tx;
    struct finding finding;
    char detail[128];

    if (!accept_locks_hold(trial->pool, tx, attempt->coins, &trial->arena))
        return attempt_refuse(attempt, TX_CAUSE_PREMATURE, "non-BIP68-final", "%s", "");
    if (tx_verify_inputs(tx, attempt->coins, tip->height + 1, &attempt->fee_sat, &finding) !=
        V_VALID)
        return refuse_by_rule(attempt, &finding);
    if (!options->require_standard)
        return true;
    if (!standard_inputs(tx, attempt->spent, detail, sizeof(detail)))
        return attempt_refuse(attempt, TX_CAUSE_INPUTS, "bad-txns-nonstandard-inputs", "%s",
                              detail);
    if (tx->has_witness && !standard_witness(tx, attempt->spent))
        return attempt_refuse(attempt, TX_CAUSE_WITNESS_MUTATED, "bad-witness-nonstandard", "%s",
                              "");
    return true;
}

/* --- What it would be here --------------------------------------------------------------- */

static void fill_entry(struct trial *trial, struct attempt *attempt)
{
    struct mempool *pool = trial->pool;
    const struct mempool_ground *ground = &pool->options.ground;
    const struct tx *tx = attempt->tx;
    struct feerate dust_relay = feerate_of_sat_kvb(pool->options.dust_relay_sat_kvb);
    struct entry *entry = entry_new(pool, attempt->ref);
    int64_t delta_sat = pool_delta(pool, &tx->txid);
    bool by_time;

    attempt->entry = entry;
    entry->fee_sat = attempt->fee_sat;
    entry->delta_sat = delta_in_range(delta_sat);
    entry->time_s = trial->args->time_s;
    entry->height = ground->tip(ground->context)->height;
    entry->sigop_cost = (int64_t)tx_sigops_cost(tx, attempt->spent, POLICY_STANDARD_FLAGS);
    entry->weight =
        policy_adjusted_weight(tx_weight(tx), entry->sigop_cost, pool->options.bytes_per_sigop);
    entry->has_locks = tx_has_sequence_locks(tx, &by_time);
    entry->has_dust = standard_dust_n(tx, dust_relay) > 0;
    for (uint32_t i = 0; i < tx->in_n; i++)
        entry->spends_coinbase |= attempt->coins[i].is_coinbase;
    attempt->modified_fee_sat = entry_modified_fee(entry);
    attempt->vsize = entry_vsize(entry);
    attempt->result->vsize = attempt->vsize;
    attempt->result->fee_sat = attempt->fee_sat;
    attempt->result->has_fee = true;
}

static bool check_truc(struct trial *trial, struct attempt *attempt)
{
    char detail[TRUC_DETAIL_MAX];
    struct entry *sibling = NULL;
    bool ok;

    pool_lock(trial->pool);
    ok = truc_check_one(trial->pool, attempt, detail, &sibling);
    pool_unlock(trial->pool);
    if (ok)
        return true;
    if (sibling == NULL || !trial->args->allow_sibling_eviction)
        return attempt_refuse(attempt, TX_CAUSE_POLICY, "TRUC-violation", "%s", detail);
    attempt->conflicts[attempt->conflicts_n] = sibling;
    attempt->conflicts_n = entries_unique(attempt->conflicts, attempt->conflicts_n + 1);
    attempt->evicts_sibling = true;
    return true;
}

static bool check_value(struct trial *trial, struct attempt *attempt)
{
    const struct mempool_options *options = &trial->pool->options;
    const struct accept_args *args = trial->args;
    const struct entry *entry = attempt->entry;

    /* Nobody shall gain by mining what leaves dust without what sweeps it. */
    if (options->require_standard && entry->has_dust &&
        (attempt->fee_sat != 0 || attempt->modified_fee_sat != 0))
        return attempt_refuse(attempt, TX_CAUSE_STANDARD, "dust", "%s",
                              "tx with dust output must be 0-fee");
    if (entry->sigop_cost > POLICY_TX_SIGOPS_COST_MAX)
        return attempt_refuse(attempt, TX_CAUSE_STANDARD, "bad-txns-too-many-sigops", "%" PRId64,
                              entry->sigop_cost);
    if (!args->bypass_limits && !args->use_package_feerates &&
        !fee_is_enough(trial->pool, attempt->result, attempt->modified_fee_sat, attempt->vsize)) {
        result_set_rate(attempt->result, attempt->modified_fee_sat, attempt->vsize, attempt, 1);
        return false;
    }
    if (entry->weight > GRAPH_SIZE_MAX)
        return attempt_refuse(attempt, TX_CAUSE_POLICY, "too-large-cluster", "%s", "");
    attempt->parents_n = pool_parents(trial->pool, attempt->tx, &attempt->parents, &trial->arena);
    return args->bypass_limits || check_truc(trial, attempt);
}

int attempt_precheck(struct trial *trial, struct attempt *attempt, bool *ret_ok, struct error *err)
{
    int rc;

    *ret_ok = check_alone(trial, attempt) && check_new(trial, attempt);
    if (!*ret_ok)
        return 0;
    rc = find_coins(trial, attempt, ret_ok, err);
    if (rc < 0 || !*ret_ok)
        return rc;
    *ret_ok = check_spending(trial, attempt);
    if (!*ret_ok)
        return 0;
    fill_entry(trial, attempt);
    *ret_ok = check_value(trial, attempt);
    trial->replaces |= attempt->conflicts_n > 0;
    return 0;
}

/* --- Dust and scripts ------------------------------------------------------------------------ */

static bool sweeps_dust_of(const struct tx *tx, const struct tx *parent, struct feerate dust_relay)
{
    for (uint32_t out = 0; out < parent->out_n; out++) {
        bool is_spent = false;

        if (!policy_is_dust(&parent->out[out], dust_relay))
            continue;
        for (uint32_t i = 0; i < tx->in_n && !is_spent; i++)
            is_spent =
                tx->in[i].prevout.vout == out && txid_equal(&tx->in[i].prevout.txid, &parent->txid);
        if (!is_spent)
            return false;
    }
    return true;
}

bool trial_sweeps_dust(struct trial *trial, struct attempt **ret_bad)
{
    struct feerate dust_relay = feerate_of_sat_kvb(trial->pool->options.dust_relay_sat_kvb);
    bool ok = true;

    for (size_t i = 0; i < trial->attempts_n && ok; i++) {
        struct attempt *attempt = &trial->attempts[i];

        for (size_t k = 0; k < attempt->parents_n && ok; k++)
            ok = !attempt->parents[k]->has_dust ||
                 sweeps_dust_of(attempt->tx, entry_tx(attempt->parents[k]), dust_relay);
        for (size_t k = 0; k < i && ok; k++) {
            const struct attempt *parent = &trial->attempts[k];
            bool is_parent = false;

            for (uint32_t in = 0; in < attempt->tx->in_n && !is_parent; in++)
                is_parent = txid_equal(&attempt->tx->in[in].prevout.txid, &parent->tx->txid);
            ok = !is_parent || !parent->entry->has_dust ||
                 sweeps_dust_of(attempt->tx, parent->tx, dust_relay);
        }
        if (!ok) {
            *ret_bad = attempt;
            (void)attempt_refuse(attempt, TX_CAUSE_POLICY, "missing-ephemeral-spends",
                                 "tx %s (wtxid=%s) did not spend parent's ephemeral dust",
                                 hash_hex(attempt->tx->txid.b).text,
                                 hash_hex(attempt->tx->wtxid.b).text);
        }
    }
    return ok;
}

static enum verdict run_scripts(struct trial *trial, struct attempt *attempt, uint64_t flags,
                                uint32_t *ret_input)
{
    struct spend spend = {
        .tx = attempt->tx,
        .spent = attempt->spent,
        .sighash = &attempt->sighash,
        .sig_cache = trial->pool->options.sig_cache,
        .sig_cache_store = true,
        .engine = sig_memo_engine(trial->pool->sig_memo),
    };

    for (uint32_t i = 0; i < attempt->tx->in_n; i++) {
        enum verdict verdict = script_verify_input(&spend, i, flags);

        if (verdict != V_VALID) {
            *ret_input = i;
            return verdict;
        }
    }
    return V_VALID;
}

bool attempt_check_scripts(struct trial *trial, struct attempt *attempt)
{
    const struct mempool_options *options = &trial->pool->options;
    const struct header_node *tip = options->ground.tip(options->ground.context);
    static const struct block_hash unknown;
    uint64_t block_flags = block_script_flags(tip->height + 1, &unknown, options->params);
    const struct tx *tx = attempt->tx;
    struct finding finding;
    char reason[sizeof(attempt->result->reason)];
    enum verdict verdict;
    uint32_t input;

    sig_memo_reset(trial->pool->sig_memo);
    sighash_cache_init(&attempt->sighash, tx, attempt->spent, &trial->arena);
    verdict = run_scripts(trial, attempt, POLICY_STANDARD_FLAGS, &input);
    if (verdict != V_VALID) {
        bool is_stripped = !tx->has_witness && standard_needs_witness(tx, attempt->spent);

        (void)finding_set_script(&finding, verdict, tx, 0, input);
        (void)snprintf(reason, sizeof(reason), "mempool-script-verify-flag-failed (%s)",
                       verdict_reason(verdict));
        return attempt_refuse(attempt, is_stripped ? TX_CAUSE_WITNESS_STRIPPED : TX_CAUSE_STANDARD,
                              reason, "%s", finding.detail);
    }
    /* By the rules of the next block too: what it takes from the cache of scripts must have
     * been judged by exactly these. */
    verdict = run_scripts(trial, attempt, block_flags, &input);
    if (verdict != V_VALID) {
        log_error("mempool", "scripts of %s hold by policy, not by consensus: %s",
                  hash_hex(tx->txid.b).text, verdict_reason(verdict));
        return attempt_refuse(attempt, TX_CAUSE_INTERNAL, "internal", "%s",
                              verdict_reason(verdict));
    }
    if (options->sig_cache != NULL) {
        struct sig_cache_key key =
            sig_cache_scripts_key(options->sig_cache, &tx->wtxid, block_flags);

        sig_cache_add(options->sig_cache, &key);
    }
    return true;
}

/* --- A trial -------------------------------------------------------------------------------- */

void trial_init(struct trial *trial, struct mempool *pool, const struct accept_args *args,
                const struct tx_ref *const *txs, struct tx_result *results, size_t n)
{
    *trial = (struct trial){.pool = pool, .args = args, .attempts_n = n};
    arena_init(&trial->arena);
    trial->attempts = arena_array(&trial->arena, n, sizeof(*trial->attempts));
    for (size_t i = 0; i < n; i++) {
        trial->attempts[i] =
            (struct attempt){.ref = txs[i], .tx = &txs[i]->tx, .result = &results[i]};
        results[i].txid = txs[i]->tx.txid;
        results[i].wtxid = txs[i]->tx.wtxid;
        results[i].outcome = TX_NOT_JUDGED;
    }
}

void trial_clear(struct trial *trial)
{
    if (trial->is_staged) {
        pool_lock(trial->pool);
        graph_abort(trial->pool->graph);
        pool_unlock(trial->pool);
    }
    for (size_t i = 0; i < trial->attempts_n; i++)
        entry_free(trial->attempts[i].entry);
    arena_clear(&trial->arena);
}

static void link_parents(struct trial *trial, struct attempt *attempt)
{
    struct graph *graph = trial->pool->graph;

    for (size_t k = 0; k < attempt->parents_n; k++)
        graph_link(graph, attempt->parents[k]->node, attempt->entry->node);
    for (struct attempt *other = trial->attempts; other < attempt; other++) {
        for (uint32_t i = 0; i < attempt->tx->in_n; i++) {
            if (txid_equal(&attempt->tx->in[i].prevout.txid, &other->tx->txid)) {
                graph_link(graph, other->entry->node, attempt->entry->node);
                break;
            }
        }
    }
}

void trial_stage(struct trial *trial)
{
    struct graph *graph = trial->pool->graph;

    if (trial->is_staged)
        return;
    graph_stage(graph);
    trial->is_staged = true;
    for (size_t i = 0; i < trial->attempts_n; i++) {
        struct entry *entry = trial->attempts[i].entry;

        entry->node = graph_add(graph, entry_modified_fee(entry), (int32_t)entry->weight, entry);
    }
    for (size_t i = 0; i < trial->doomed_n; i++)
        graph_remove(graph, trial->doomed[i]->node);
    for (size_t i = 0; i < trial->attempts_n; i++)
        link_parents(trial, &trial->attempts[i]);
}

bool trial_fits(struct trial *trial)
{
    trial_stage(trial);
    return graph_fits(trial->pool->graph, GRAPH_TOP);
}

static void log_replaced(const struct trial *trial, const struct entry *old)
{
    const struct tx *tx = trial->attempts[0].tx;

    log_debug("mempool",
              "replacing mempool tx %s (wtxid=%s, fees=%" PRId64 ", vsize=%" PRId64
              "). New tx %s (wtxid=%s, fees=%" PRId64 ", vsize=%" PRId64 ")",
              hash_hex(entry_tx(old)->txid.b).text, hash_hex(entry_tx(old)->wtxid.b).text,
              old->fee_sat, entry_vsize(old), hash_hex(tx->txid.b).text, hash_hex(tx->wtxid.b).text,
              trial->fee_sum_sat, trial->vsize_sum);
}

void trial_finalize(struct trial *trial)
{
    struct mempool *pool = trial->pool;
    struct tx_result *result = trial->attempts[0].result;

    CHECK(trial->is_staged);
    graph_commit(pool->graph);
    trial->is_staged = false;
    if (trial->doomed_n > 0)
        result->replaced = alloc_array(trial->doomed_n, sizeof(struct tx_ref *));
    for (size_t i = 0; i < trial->doomed_n; i++) {
        log_replaced(trial, trial->doomed[i]);
        result->replaced[result->replaced_n++] = tx_ref_hold(trial->doomed[i]->ref);
        pool_forget(pool, trial->doomed[i], TX_REMOVED_REPLACED);
    }
    for (size_t i = 0; i < trial->attempts_n; i++) {
        pool_insert(pool, trial->attempts[i].entry);
        trial->attempts[i].entry = NULL;
    }
}

#define FEES_TIP_AGE_MAX_S (3 * 60 * 60)

/* How long transactions wait can be told only at the tip of the best chain. */
static bool is_up_to_date(const struct mempool *pool)
{
    const struct mempool_ground *ground = &pool->options.ground;
    const struct header_node *tip = ground->tip(ground->context);

    return !ground->is_initial_block_download(ground->context) &&
           (int64_t)tip->time >= pool_now_s(pool) - FEES_TIP_AGE_MAX_S &&
           tip->height >= pool->best_header_height - 1;
}

void attempt_announce(struct trial *trial, struct attempt *attempt)
{
    struct mempool *pool = trial->pool;
    struct entry *entry = pool_find_txid(pool, &attempt->tx->txid);

    CHECK(entry != NULL);
    entry->fee_bucket =
        fees_tx_added(pool->fees, rate_sat_kvb(entry->fee_sat, entry_vsize(entry)), entry->height,
                      !trial->args->bypass_limits && !trial->args->is_package_submission &&
                          attempt->parents_n == 0 && is_up_to_date(pool));
    if (trial->args->is_local)
        pool_set_unbroadcast(pool, entry, true);
    pool_note_added(pool, entry, trial->args->bypass_limits);
}

/* --- One transaction ------------------------------------------------------------------------- */

/* A transaction must not spend from what it replaces. */
static bool check_ancestors(struct trial *trial, struct attempt *attempt)
{
    struct graph *graph = trial->pool->graph;
    const uint32_t *found;
    uint32_t *nodes;
    size_t n;

    if (attempt->conflicts_n == 0 || attempt->parents_n == 0)
        return true;
    nodes = arena_array(&trial->arena, attempt->parents_n, sizeof(*nodes));
    for (size_t i = 0; i < attempt->parents_n; i++)
        nodes[i] = attempt->parents[i]->node;
    n = graph_ancestors_of(graph, GRAPH_MAIN, nodes, attempt->parents_n, &found);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < attempt->conflicts_n; k++) {
            if (attempt->conflicts[k]->node == found[i])
                return attempt_refuse(attempt, TX_CAUSE_CONSENSUS, "bad-txns-spends-conflicting-tx",
                                      "%s spends conflicting transaction %s",
                                      hash_hex(attempt->tx->txid.b).text,
                                      hash_hex(entry_tx(attempt->conflicts[k])->txid.b).text);
        }
    }
    return true;
}

static bool check_together(struct trial *trial, struct attempt *attempt)
{
    if (trial->replaces && !replace_check_one(trial, attempt))
        return false;
    if (!trial_fits(trial))
        return attempt_refuse(attempt, TX_CAUSE_POLICY, "too-large-cluster", "%s", "");
    return check_ancestors(trial, attempt);
}

bool rate_is_above(int64_t fee_sat, int64_t vsize, int64_t limit_sat_kvb)
{
    return (wide)fee_sat * 1000 > (wide)limit_sat_kvb * vsize;
}

static bool check_submitter(struct trial *trial, struct attempt *attempt)
{
    const struct accept_args *args = trial->args;

    if (args->max_fee_rate_sat_kvb > 0 &&
        rate_is_above(attempt->modified_fee_sat, attempt->vsize, args->max_fee_rate_sat_kvb))
        return attempt_refuse(attempt, TX_CAUSE_POLICY, "max feerate exceeded", "%s", "");
    return true;
}

static bool check_base_fee(struct trial *trial, struct attempt *attempt)
{
    int64_t limit_sat_kvb = trial->args->max_base_rate_sat_kvb;
    uint64_t vsize = (uint64_t)policy_vsize((int64_t)tx_weight(attempt->tx));

    if (limit_sat_kvb > 0 &&
        attempt->fee_sat > feerate_fee_sat(feerate_of_sat_kvb(limit_sat_kvb), vsize))
        return attempt_refuse(attempt, TX_CAUSE_POLICY, "max-fee-exceeded", "%s", "");
    return true;
}

/* Takes it in. False: it was the first to go, the mempool being full. */
static bool enter(struct trial *trial, struct attempt *attempt)
{
    struct mempool *pool = trial->pool;
    bool stays = true;

    pool_lock(pool);
    trial_finalize(trial);
    if (!trial->args->is_package_submission && !trial->args->bypass_limits) {
        pool_limit(pool);
        stays = pool_find_txid(pool, &attempt->tx->txid) != NULL;
    }
    if (stays)
        attempt_announce(trial, attempt);
    pool_unlock(pool);
    if (!stays) {
        (void)attempt_refuse(attempt, TX_CAUSE_FEE, "mempool full", "%s", "");
        result_set_rate(attempt->result, attempt->modified_fee_sat, attempt->vsize, attempt, 1);
    }
    return stays;
}

static bool judge_one(struct trial *trial, struct attempt *attempt)
{
    struct attempt *bad;
    bool ok;

    pool_lock(trial->pool);
    ok = check_together(trial, attempt);
    pool_unlock(trial->pool);
    if (!ok) {
        if (attempt->result->cause == TX_CAUSE_FEE)
            result_set_rate(attempt->result, attempt->modified_fee_sat, attempt->vsize, attempt, 1);
        return false;
    }
    trial->fee_sum_sat = attempt->modified_fee_sat;
    trial->vsize_sum = attempt->vsize;
    if (!check_submitter(trial, attempt))
        return false;
    if (!trial->args->bypass_limits && trial->pool->options.require_standard &&
        !trial_sweeps_dust(trial, &bad))
        return false;
    if (!attempt_check_scripts(trial, attempt) || !check_base_fee(trial, attempt))
        return false;
    return trial->args->test_only || enter(trial, attempt);
}

int accept_one(struct mempool *pool, struct tx_result *result, const struct tx_ref *ref,
               const struct accept_args *args, struct error *err)
{
    struct trial trial;
    bool ok = false;
    int rc;

    trial_init(&trial, pool, args, &ref, result, 1);
    rc = attempt_precheck(&trial, trial.attempts, &ok, err);
    if (rc == 0 && ok && judge_one(&trial, trial.attempts)) {
        result->outcome = TX_ACCEPTED;
        result_set_rate(result, trial.fee_sum_sat, trial.vsize_sum, trial.attempts, 1);
    }
    trial_clear(&trial);
    return rc;
}
