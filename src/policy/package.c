#include "policy/package.h"

#include <stdlib.h>

#include "base/alloc.h"

struct use {
    const struct outpoint *outpoint;
    size_t tx; /* Which one spends it. */
};

static int compare_uses(const void *a_ptr, const void *b_ptr)
{
    const struct use *a = a_ptr;
    const struct use *b = b_ptr;
    int order = memcmp(a->outpoint->txid.b, b->outpoint->txid.b, HASH_BYTES);

    if (order != 0)
        return order;
    return (a->outpoint->vout > b->outpoint->vout) - (a->outpoint->vout < b->outpoint->vout);
}

/* Two transactions spend the same output, or one spends nothing at all. One that spends
 * an output twice breaks a rule by itself, and is left to that rule. */
static bool has_conflict(const struct tx *const *txs, size_t n)
{
    size_t uses_n = 0;
    bool found = false;
    struct use *uses;
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        if (txs[i]->in_n == 0)
            return true;
        uses_n += txs[i]->in_n;
    }
    uses = alloc_array(uses_n, sizeof(*uses));
    for (size_t i = 0; i < n; i++) {
        for (uint32_t k = 0; k < txs[i]->in_n; k++)
            uses[at++] = (struct use){&txs[i]->in[k].prevout, i};
    }
    qsort(uses, uses_n, sizeof(*uses), compare_uses);
    /* Equal ones lie side by side; of more than two, some neighbours differ in tx. */
    for (size_t i = 1; i < uses_n && !found; i++)
        found =
            uses[i].tx != uses[i - 1].tx && outpoint_equal(uses[i].outpoint, uses[i - 1].outpoint);
    free(uses);
    return found;
}

static bool has_duplicate(const struct tx *const *txs, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            if (txid_equal(&txs[i]->txid, &txs[k]->txid))
                return true;
        }
    }
    return false;
}

bool tx_spends_from(const struct tx *tx, const struct txid *txid)
{
    for (uint32_t i = 0; i < tx->in_n; i++) {
        if (txid_equal(&tx->in[i].prevout.txid, txid))
            return true;
    }
    return false;
}

static bool is_sorted(const struct tx *const *txs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t later = i; later < n; later++) {
            if (tx_spends_from(txs[i], &txs[later]->txid))
                return false;
        }
    }
    return true;
}

const char *package_flaw(const struct tx *const *txs, size_t n)
{
    uint64_t weight = 0;

    if (n > PACKAGE_TXS_MAX)
        return "package-too-many-transactions";
    for (size_t i = 0; i < n; i++)
        weight += tx_weight(txs[i]);
    /* One alone is told that it is too large by itself. */
    if (n > 1 && weight > PACKAGE_WEIGHT_MAX)
        return "package-too-large";
    if (has_duplicate(txs, n))
        return "package-contains-duplicates";
    if (!is_sorted(txs, n))
        return "package-not-sorted";
    if (has_conflict(txs, n))
        return "conflict-in-package";
    return NULL;
}

bool package_is_child_with_parents(const struct tx *const *txs, size_t n)
{
    if (n < 2)
        return false;
    for (size_t i = 0; i + 1 < n; i++) {
        if (!tx_spends_from(txs[n - 1], &txs[i]->txid))
            return false;
    }
    return true;
}
