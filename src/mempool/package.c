/* Several transactions judged together: a list to test, or a child with its parents. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "mempool/accept_priv.h"
#include "policy/package.h"

static void set_reason(char *ret_reason, const char *reason, const char *detail)
{
    (void)snprintf(ret_reason, TX_PACKAGE_REASON_MAX, "%s%s%s", reason, detail[0] == 0 ? "" : ", ",
                   detail);
}

#define ONE_FAILED "transaction failed"

/* The cheap rules, one by one, each seeing the outputs of those before it. */
static int precheck_all(struct trial *trial, bool *ret_ok, char *ret_reason, struct error *err)
{
    const struct accept_args *args = trial->args;
    int rc = 0;

    *ret_ok = true;
    for (size_t i = 0; i < trial->attempts_n && rc == 0 && *ret_ok; i++) {
        struct attempt *attempt = &trial->attempts[i];

        rc = attempt_precheck(trial, attempt, ret_ok, err);
        if (rc == 0 && *ret_ok && args->max_fee_rate_sat_kvb > 0 &&
            rate_is_above(attempt->modified_fee_sat, attempt->vsize, args->max_fee_rate_sat_kvb))
            *ret_ok = attempt_refuse(attempt, TX_CAUSE_POLICY, "max feerate exceeded", "%s", "");
        if (rc == 0 && !*ret_ok)
            set_reason(ret_reason, ONE_FAILED, "");
    }
    return rc;
}

static bool check_truc_all(struct trial *trial, char *ret_reason)
{
    char detail[TRUC_DETAIL_MAX];

    for (size_t i = 0; i < trial->attempts_n; i++) {
        if (!truc_check_in_package(trial, &trial->attempts[i], detail)) {
            set_reason(ret_reason, "TRUC-violation", detail);
            return false;
        }
    }
    return true;
}

/* What the graph has to say. Lock held. */
static bool check_graph(struct trial *trial, char *ret_reason)
{
    char reason[TX_REASON_MAX];
    char detail[TX_DETAIL_MAX];

    if (trial->replaces && !replace_check_package(trial, reason, detail)) {
        set_reason(ret_reason, reason, detail);
        return false;
    }
    if (!trial_fits(trial)) {
        set_reason(ret_reason, "too-large-cluster", "");
        return false;
    }
    return true;
}

static bool check_fee_of_all(struct trial *trial, char *ret_reason)
{
    struct tx_result *last = trial->attempts[trial->attempts_n - 1].result;

    if (!trial->args->use_package_feerates ||
        fee_is_enough(trial->pool, last, trial->fee_sum_sat, trial->vsize_sum))
        return true;
    result_set_rate(last, trial->fee_sum_sat, trial->vsize_sum, trial->attempts, trial->attempts_n);
    set_reason(ret_reason, ONE_FAILED, "");
    return false;
}

static bool check_all(struct trial *trial, char *ret_reason)
{
    struct attempt *bad;
    bool ok;

    pool_lock(trial->pool);
    ok = check_truc_all(trial, ret_reason);
    pool_unlock(trial->pool);
    for (size_t i = 0; i < trial->attempts_n; i++) {
        trial->fee_sum_sat += trial->attempts[i].modified_fee_sat;
        trial->vsize_sum += trial->attempts[i].vsize;
    }
    if (!ok || !check_fee_of_all(trial, ret_reason))
        return false;
    pool_lock(trial->pool);
    ok = check_graph(trial, ret_reason);
    pool_unlock(trial->pool);
    if (!ok)
        return false;
    if (trial->pool->options.require_standard && !trial_sweeps_dust(trial, &bad)) {
        set_reason(ret_reason, "unspent-dust", "");
        return false;
    }
    return true;
}

static void set_accepted(struct trial *trial, struct attempt *attempt)
{
    attempt->result->outcome = TX_ACCEPTED;
    if (trial->args->use_package_feerates)
        result_set_rate(attempt->result, trial->fee_sum_sat, trial->vsize_sum, trial->attempts,
                        trial->attempts_n);
    else
        result_set_rate(attempt->result, attempt->modified_fee_sat, attempt->vsize, attempt, 1);
}

static void enter_all(struct trial *trial)
{
    pool_lock(trial->pool);
    trial_finalize(trial);
    for (size_t i = 0; i < trial->attempts_n; i++)
        attempt_announce(trial, &trial->attempts[i]);
    pool_unlock(trial->pool);
}

static int judge_all(struct trial *trial, char *ret_reason, struct error *err)
{
    bool ok;
    int rc = precheck_all(trial, &ok, ret_reason, err);

    if (rc < 0 || !ok || !check_all(trial, ret_reason))
        return rc;
    for (size_t i = 0; i < trial->attempts_n; i++) {
        struct attempt *attempt = &trial->attempts[i];

        if (!attempt_check_scripts(trial, attempt)) {
            set_reason(ret_reason, ONE_FAILED, "");
            return 0;
        }
        if (trial->args->test_only)
            set_accepted(trial, attempt);
    }
    if (trial->args->test_only)
        return 0;
    enter_all(trial);
    for (size_t i = 0; i < trial->attempts_n; i++)
        set_accepted(trial, &trial->attempts[i]);
    return 0;
}

static const char *shape_flaw(const struct tx_ref *const *txs, size_t n, bool with_parents)
{
    const struct tx **list = alloc_array(n, sizeof(*list));
    const char *flaw;

    for (size_t i = 0; i < n; i++)
        list[i] = &txs[i]->tx;
    flaw = package_flaw(list, n);
    if (flaw == NULL && with_parents && n > 1 && !package_is_child_with_parents(list, n))
        flaw = "package-not-child-with-parents";
    free(list);
    return flaw;
}

int accept_many(struct mempool *pool, struct tx_result *results, char *ret_reason,
                const struct tx_ref *const *txs, size_t n, const struct accept_args *args,
                struct error *err)
{
    const char *flaw = shape_flaw(txs, n, false);
    struct trial trial;
    int rc = 0;

    trial_init(&trial, pool, args, txs, results, n);
    if (flaw != NULL)
        set_reason(ret_reason, flaw, "");
    else
        rc = judge_all(&trial, ret_reason, err);
    trial_clear(&trial);
    return rc;
}

/* --- A child with its parents ---------------------------------------------------------- */

/* Each by itself: most need nobody's help. eval: those that might do with it. */
static int accept_each(struct mempool *pool, struct tx_result *results,
                       const struct tx_ref *const *txs, size_t n, const struct accept_args *args,
                       size_t *ret_eval, size_t *ret_eval_n, bool *ret_is_over, struct error *err)
{
    struct accept_args alone = *args;
    int rc = 0;

    alone.use_package_feerates = false;
    alone.allow_sibling_eviction = true;
    *ret_eval_n = 0;
    *ret_is_over = false;
    for (size_t i = 0; i < n && rc == 0; i++) {
        struct tx_result *result = &results[i];
        const struct entry *same = pool_find_txid(pool, &txs[i]->tx.txid);

        if (same != NULL) {
            result->txid = txs[i]->tx.txid;
            result->wtxid = txs[i]->tx.wtxid;
            result->vsize = entry_vsize(same);
            result->fee_sat = same->fee_sat;
            result->has_fee = true;
            result->other_wtxid = entry_tx(same)->wtxid;
            result->outcome =
                wtxid_equal(&result->other_wtxid, &result->wtxid) ? TX_KNOWN : TX_KNOWN_OTHER;
            continue;
        }
        rc = accept_one(pool, result, txs[i], &alone, err);
        if (rc < 0 || result->outcome == TX_ACCEPTED)
            continue;
        if (n > 1 && (result->cause == TX_CAUSE_FEE || result->cause == TX_CAUSE_MISSING_INPUTS))
            ret_eval[(*ret_eval_n)++] = i;
        else
            *ret_is_over = true;
    }
    return rc;
}

/* Those that failed alone, together. A result of this look replaces the older one. */
static int accept_rest(struct mempool *pool, struct tx_result *results, char *ret_reason,
                       const struct tx_ref *const *txs, const size_t *eval, size_t eval_n,
                       const struct accept_args *args, struct error *err)
{
    struct tx_result *again = alloc_array(eval_n, sizeof(*again));
    const struct tx_ref **list = alloc_array(eval_n, sizeof(*list));
    struct accept_args alone = *args;
    int rc;

    for (size_t i = 0; i < eval_n; i++)
        list[i] = txs[eval[i]];
    if (eval_n > 1) {
        rc = accept_many(pool, again, ret_reason, list, eval_n, args, err);
    } else {
        alone.use_package_feerates = false;
        alone.allow_sibling_eviction = true;
        rc = accept_one(pool, again, list[0], &alone, err);
        if (again->outcome != TX_ACCEPTED)
            set_reason(ret_reason, ONE_FAILED, "");
    }
    for (size_t i = 0; i < eval_n; i++) {
        if (again[i].outcome == TX_NOT_JUDGED) {
            tx_result_clear(&again[i]);
        } else {
            tx_result_clear(&results[eval[i]]);
            results[eval[i]] = again[i];
        }
    }
    free(list);
    free(again);
    return rc;
}

/* Those that had to go as the mempool was over its bound. */
static void limit_after(struct mempool *pool, struct tx_result *results, char *ret_reason, size_t n)
{
    pool_lock(pool);
    pool_limit(pool);
    pool_unlock(pool);
    for (size_t i = 0; i < n; i++) {
        struct tx_result *result = &results[i];
        struct tx_result full = {.txid = result->txid,
                                 .wtxid = result->wtxid,
                                 .outcome = TX_REFUSED,
                                 .cause = TX_CAUSE_POLICY,
                                 .reason = "mempool full",
                                 .replaced = result->replaced,
                                 .replaced_n = result->replaced_n};

        if (result->outcome == TX_REFUSED || result->outcome == TX_NOT_JUDGED ||
            pool_find_txid(pool, &result->txid) != NULL)
            continue;
        free(result->effective_with);
        *result = full;
        set_reason(ret_reason, ONE_FAILED, "");
    }
}

int accept_package(struct mempool *pool, struct tx_result *results, char *ret_reason,
                   const struct tx_ref *const *txs, size_t n, const struct accept_args *args,
                   struct error *err)
{
    const char *flaw = shape_flaw(txs, n, true);
    size_t *eval;
    size_t eval_n;
    bool is_over;
    int rc;

    for (size_t i = 0; i < n; i++) {
        results[i].txid = txs[i]->tx.txid;
        results[i].wtxid = txs[i]->tx.wtxid;
        results[i].outcome = TX_NOT_JUDGED;
    }
    if (flaw != NULL) {
        set_reason(ret_reason, flaw, "");
        return 0;
    }
    eval = alloc_array(n, sizeof(*eval));
    rc = accept_each(pool, results, txs, n, args, eval, &eval_n, &is_over, err);
    if (rc == 0 && is_over)
        set_reason(ret_reason, ONE_FAILED, "");
    else if (rc == 0 && eval_n > 0)
        rc = accept_rest(pool, results, ret_reason, txs, eval, eval_n, args, err);
    limit_after(pool, results, ret_reason, n);
    free(eval);
    return rc;
}
