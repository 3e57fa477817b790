/* Replacing: what a transaction must pay to push out those it conflicts with. Every
 * transaction may be replaced; what counts is that miners gain at any size of block (the
 * feerate diagram rises), and that what was relayed for nothing is paid for. */
#include <inttypes.h>
#include <stdio.h>

#include "mempool/accept_priv.h"
#include "primitives/amount.h"

#define WHY_MAX TX_DETAIL_MAX

struct money_text money_text(int64_t amount_sat)
{
    uint64_t amount = amount_sat < 0 ? -(uint64_t)amount_sat : (uint64_t)amount_sat;
    struct money_text money;
    int len;

    len = snprintf(money.text, sizeof(money.text), "%s%" PRIu64 ".%08" PRIu64,
                   amount_sat < 0 ? "-" : "", amount / (uint64_t)COIN_SAT,
                   amount % (uint64_t)COIN_SAT);
    while (money.text[len - 1] == '0' && money.text[len - 3] != '.')
        money.text[--len] = 0;
    return money;
}

/* All that must go: direct conflicts of all attempts and what descends from them. */
static bool gather_doomed(struct trial *trial, const struct tx *tx, char *ret_why)
{
    struct mempool *pool = trial->pool;
    const uint32_t *found;
    size_t clusters_n;
    uint32_t *nodes;
    size_t n = 0;

    for (size_t i = 0; i < trial->attempts_n; i++)
        n += trial->attempts[i].conflicts_n;
    nodes = arena_array(&trial->arena, n, sizeof(*nodes));
    n = 0;
    for (size_t i = 0; i < trial->attempts_n; i++) {
        for (size_t k = 0; k < trial->attempts[i].conflicts_n; k++)
            nodes[n++] = trial->attempts[i].conflicts[k]->node;
    }
    clusters_n = graph_count_clusters(pool->graph, GRAPH_MAIN, nodes, n);
    if (clusters_n > REPLACED_CLUSTERS_MAX) {
        (void)snprintf(ret_why, WHY_MAX,
                       "rejecting replacement %s; too many conflicting clusters (%zu > %u)",
                       hash_hex(tx->txid.b).text, clusters_n, REPLACED_CLUSTERS_MAX);
        return false;
    }
    n = graph_descendants_of(pool->graph, GRAPH_MAIN, nodes, n, &found);
    trial->doomed = arena_array(&trial->arena, n, sizeof(struct entry *));
    trial->doomed_n = n;
    for (size_t i = 0; i < n; i++) {
        trial->doomed[i] = pool->entries[found[i]];
        trial->doomed_fee_sat += entry_modified_fee(trial->doomed[i]);
        trial->doomed_vsize += entry_vsize(trial->doomed[i]);
    }
    return true;
}

/* BIP 125, rules 3 and 4. */
static bool pays(const struct trial *trial, int64_t fee_sat, int64_t vsize, const struct tx *tx,
                 char *ret_why)
{
    int64_t more_sat = fee_sat - trial->doomed_fee_sat;
    int64_t relay_sat = feerate_fee_sat(
        feerate_of_sat_kvb(trial->pool->options.incremental_sat_kvb), (uint64_t)vsize);

    if (more_sat < 0) {
        (void)snprintf(ret_why, WHY_MAX,
                       "rejecting replacement %s, less fees than conflicting txs; %s < %s",
                       hash_hex(tx->txid.b).text, money_text(fee_sat).text,
                       money_text(trial->doomed_fee_sat).text);
        return false;
    }
    if (more_sat < relay_sat) {
        (void)snprintf(ret_why, WHY_MAX,
                       "rejecting replacement %s, not enough additional fees to relay; %s < %s",
                       hash_hex(tx->txid.b).text, money_text(more_sat).text,
                       money_text(relay_sat).text);
        return false;
    }
    return true;
}

static bool improves_diagram(struct trial *trial)
{
    struct graph_diagrams diagrams;

    graph_diagrams(trial->pool->graph, &diagrams);
    return diagram_compare(diagrams.staged, diagrams.staged_n, diagrams.main, diagrams.main_n) ==
           DIAGRAM_BETTER;
}

#define NO_GAIN "insufficient feerate: does not improve feerate diagram"

bool replace_check_one(struct trial *trial, struct attempt *attempt)
{
    const char *suffix = attempt->evicts_sibling ? " (including sibling eviction)" : "";
    char reason[64];
    char why[WHY_MAX];

    if (!gather_doomed(trial, attempt->tx, why)) {
        (void)snprintf(reason, sizeof(reason), "too many potential replacements%s", suffix);
        return attempt_refuse(attempt, TX_CAUSE_POLICY, reason, "%s", why);
    }
    if (!pays(trial, attempt->modified_fee_sat, attempt->vsize, attempt->tx, why)) {
        (void)snprintf(reason, sizeof(reason), "insufficient fee%s", suffix);
        return attempt_refuse(attempt, TX_CAUSE_FEE, reason, "%s", why);
    }
    if (!trial_fits(trial))
        return attempt_refuse(attempt, TX_CAUSE_POLICY, "too-large-cluster", "%s", "");
    if (!improves_diagram(trial))
        return attempt_refuse(attempt, TX_CAUSE_FEE, "replacement-failed", "%s", NO_GAIN);
    return true;
}

#define REASON_MAX TX_REASON_MAX

static struct money_text rate_text(int64_t fee_sat, int64_t vsize)
{
    int64_t rate = rate_sat_kvb(fee_sat, vsize);
    struct money_text text;

    (void)snprintf(text.text, sizeof(text.text), "%" PRId64 ".%08" PRId64 " BTC/kvB",
                   rate / COIN_SAT, rate % COIN_SAT);
    return text;
}

bool replace_check_package(struct trial *trial, char *ret_reason, char *ret_detail)
{
    const struct attempt *parent = &trial->attempts[0];
    const struct attempt *child = &trial->attempts[trial->attempts_n - 1];

    ret_detail[0] = 0;
    if (trial->attempts_n != 2) {
        (void)snprintf(ret_reason, REASON_MAX,
                       "package RBF failed: package must be 1-parent-1-child");
        return false;
    }
    for (size_t i = 0; i < trial->attempts_n; i++) {
        if (trial->attempts[i].parents_n > 0) {
            (void)snprintf(ret_reason, REASON_MAX,
                           "package RBF failed: new transaction cannot have mempool ancestors");
            return false;
        }
    }
    if (!gather_doomed(trial, child->tx, ret_detail)) {
        (void)snprintf(ret_reason, REASON_MAX,
                       "package RBF failed: too many potential replacements");
        return false;
    }
    if (!pays(trial, trial->fee_sum_sat, trial->vsize_sum, child->tx, ret_detail)) {
        (void)snprintf(ret_reason, REASON_MAX, "package RBF failed: insufficient anti-DoS fees");
        return false;
    }
    /* The child must pay for the parent, or the parent should do without it. */
    if (fee_size_compare((struct fee_size){trial->fee_sum_sat, trial->vsize_sum},
                         (struct fee_size){parent->modified_fee_sat, parent->vsize}) <= 0) {
        (void)snprintf(ret_reason, REASON_MAX,
                       "package RBF failed: package feerate is less than or equal to parent "
                       "feerate");
        (void)snprintf(ret_detail, WHY_MAX, "package feerate %s <= parent feerate is %s",
                       rate_text(trial->fee_sum_sat, trial->vsize_sum).text,
                       rate_text(parent->modified_fee_sat, parent->vsize).text);
        return false;
    }
    if (!trial_fits(trial)) {
        (void)snprintf(ret_reason, REASON_MAX, "too-large-cluster");
        return false;
    }
    if (!improves_diagram(trial)) {
        (void)snprintf(ret_reason, REASON_MAX, "package RBF failed: " NO_GAIN);
        return false;
    }
    return true;
}
