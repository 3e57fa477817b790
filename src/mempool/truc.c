/* BIP 431: transactions of version 3 stay in clusters of two, a parent and a small child,
 * so that replacing the child is always cheap. */
#include <inttypes.h>
#include <stdio.h>

#include "mempool/accept_priv.h"

#define TRUC_RELATIVES_MAX 2U

/* "tx <txid> (wtxid=<wtxid>)" */
struct tx_text {
    char text[160];
};

static struct tx_text tx_text(const struct tx *tx)
{
    struct tx_text text;

    (void)snprintf(text.text, sizeof(text.text), "tx %s (wtxid=%s)", hash_hex(tx->txid.b).text,
                   hash_hex(tx->wtxid.b).text);
    return text;
}

static bool is_truc(const struct tx *tx)
{
    return tx->version == TRUC_VERSION;
}

static bool too_many_ancestors(const struct tx *tx, char *ret_detail)
{
    (void)snprintf(ret_detail, TRUC_DETAIL_MAX, "%s would have too many ancestors",
                   tx_text(tx).text);
    return false;
}

static bool too_many_descendants(const struct tx *tx, char *ret_detail)
{
    (void)snprintf(ret_detail, TRUC_DETAIL_MAX, "%s would exceed descendant count limit",
                   tx_text(tx).text);
    return false;
}

static bool too_big(const struct tx *tx, const char *what, int64_t vsize, int64_t limit,
                    char *ret_detail)
{
    (void)snprintf(ret_detail, TRUC_DETAIL_MAX,
                   "version=3 %s%s is too big: %" PRId64 " > %" PRId64 " virtual bytes", what,
                   tx_text(tx).text, vsize, limit);
    return false;
}

/* Either all unconfirmed relatives are of version 3, or none is. */
static bool may_spend_from(const struct tx *tx, const struct tx *parent, char *ret_detail)
{
    if (is_truc(tx) == is_truc(parent))
        return true;
    (void)snprintf(ret_detail, TRUC_DETAIL_MAX, "%s %s cannot spend from %s %s",
                   is_truc(tx) ? "version=3" : "non-version=3", tx_text(tx).text,
                   is_truc(tx) ? "non-version=3" : "version=3", tx_text(parent).text);
    return false;
}

/* The parent has another descendant than those that are to be replaced anyway. */
static bool check_sibling(struct mempool *pool, const struct attempt *attempt, char *ret_detail,
                          struct entry **ret_sibling)
{
    const struct entry *parent = attempt->parents[0];
    uint32_t nodes[GRAPH_CLUSTER_MAX];
    size_t n = graph_descendants(pool->graph, GRAPH_MAIN, parent->node, nodes);
    struct entry *other;

    if (n + 1 <= TRUC_RELATIVES_MAX)
        return true;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < attempt->conflicts_n; k++) {
            if (nodes[i] != parent->node && attempt->conflicts[k]->node == nodes[i])
                return true;
        }
    }
    /* After a reorganization there may be more of them, or more below: then nobody can
     * say which is to make room. */
    other = pool->entries[nodes[0] == parent->node ? nodes[1] : nodes[0]];
    if (n == 2 && graph_ancestors_sum(pool->graph, GRAPH_MAIN, other->node).nodes_n == 2)
        *ret_sibling = other;
    return too_many_descendants(entry_tx(parent), ret_detail);
}

bool truc_check_one(struct mempool *pool, const struct attempt *attempt, char *ret_detail,
                    struct entry **ret_sibling)
{
    const struct tx *tx = attempt->tx;
    const struct entry *parent;

    *ret_sibling = NULL;
    for (size_t i = 0; i < attempt->parents_n; i++) {
        if (!may_spend_from(tx, entry_tx(attempt->parents[i]), ret_detail))
            return false;
    }
    if (!is_truc(tx))
        return true;
    if (attempt->vsize > TRUC_VSIZE_MAX)
        return too_big(tx, "", attempt->vsize, TRUC_VSIZE_MAX, ret_detail);
    if (attempt->parents_n + 1 > TRUC_RELATIVES_MAX)
        return too_many_ancestors(tx, ret_detail);
    if (attempt->parents_n == 0)
        return true;
    parent = attempt->parents[0];
    if (graph_ancestors_sum(pool->graph, GRAPH_MAIN, parent->node).nodes_n + 1 > TRUC_RELATIVES_MAX)
        return too_many_ancestors(tx, ret_detail);
    if (attempt->vsize > TRUC_CHILD_VSIZE_MAX)
        return too_big(tx, "child ", attempt->vsize, TRUC_CHILD_VSIZE_MAX, ret_detail);
    return check_sibling(pool, attempt, ret_detail, ret_sibling);
}

static bool spends_from(const struct tx *tx, const struct txid *txid)
{
    for (uint32_t i = 0; i < tx->in_n; i++) {
        if (txid_equal(&tx->in[i].prevout.txid, txid))
            return true;
    }
    return false;
}

/* Nobody else in the package hangs on the same parent, and nobody on the child. */
static bool is_only_child(const struct trial *trial, const struct attempt *attempt,
                          const struct tx *parent, char *ret_detail)
{
    for (size_t i = 0; i < trial->attempts_n; i++) {
        const struct tx *other = trial->attempts[i].tx;

        for (uint32_t k = 0; k < other->in_n && other != attempt->tx; k++) {
            const struct txid *spent = &other->in[k].prevout.txid;

            if (txid_equal(spent, &parent->txid))
                return too_many_descendants(parent, ret_detail);
            if (txid_equal(spent, &attempt->tx->txid))
                return too_many_ancestors(other, ret_detail);
        }
    }
    return true;
}

static bool check_truc_in_package(struct trial *trial, const struct attempt *attempt,
                                  const struct attempt *first_parent, size_t package_parents_n,
                                  char *ret_detail)
{
    struct graph *graph = trial->pool->graph;
    size_t parents_n = attempt->parents_n + package_parents_n;
    const struct entry *held = attempt->parents_n > 0 ? attempt->parents[0] : NULL;
    const struct tx *parent;

    if (attempt->vsize > TRUC_VSIZE_MAX)
        return too_big(attempt->tx, "", attempt->vsize, TRUC_VSIZE_MAX, ret_detail);
    if (parents_n + 1 > TRUC_RELATIVES_MAX)
        return too_many_ancestors(attempt->tx, ret_detail);
    if (held != NULL &&
        graph_ancestors_sum(graph, GRAPH_MAIN, held->node).nodes_n + package_parents_n + 1 >
            TRUC_RELATIVES_MAX)
        return too_many_ancestors(attempt->tx, ret_detail);
    if (parents_n == 0)
        return true;
    if (attempt->vsize > TRUC_CHILD_VSIZE_MAX)
        return too_big(attempt->tx, "child ", attempt->vsize, TRUC_CHILD_VSIZE_MAX, ret_detail);
    parent = held != NULL ? entry_tx(held) : first_parent->tx;
    if (!may_spend_from(attempt->tx, parent, ret_detail) ||
        !is_only_child(trial, attempt, parent, ret_detail))
        return false;
    if (held != NULL && graph_descendants_sum(graph, GRAPH_MAIN, held->node).nodes_n > 1)
        return too_many_descendants(parent, ret_detail);
    return true;
}

bool truc_check_in_package(struct trial *trial, const struct attempt *attempt, char *ret_detail)
{
    const struct attempt *first_parent = NULL;
    size_t n = 0;

    for (const struct attempt *other = trial->attempts; other < attempt; other++) {
        if (!spends_from(attempt->tx, &other->tx->txid))
            continue;
        if (first_parent == NULL)
            first_parent = other;
        n++;
    }
    if (is_truc(attempt->tx))
        return check_truc_in_package(trial, attempt, first_parent, n, ret_detail);
    for (size_t i = 0; i < attempt->parents_n; i++) {
        if (!may_spend_from(attempt->tx, entry_tx(attempt->parents[i]), ret_detail))
            return false;
    }
    for (const struct attempt *other = trial->attempts; other < attempt; other++) {
        if (spends_from(attempt->tx, &other->tx->txid) &&
            !may_spend_from(attempt->tx, other->tx, ret_detail))
            return false;
    }
    return true;
}
