/* The best order of a cluster, found exactly.
 *
 * What is asked. Of at most 64 nodes with fees, sizes and dependencies: an order with
 * parents before children whose feerate diagram is nowhere below that of any other
 * such order, cut into chunks. A chunk is the best that is left: the closed set (with
 * each node all its ancestors) of the greatest feerate; where several sets have that
 * feerate, as small a one as there is.
 *
 * How. Take a closed piece S of what remains and its feerate r. Give each node the worth
 * fee - r * size; together they are worth 0. Is there a closed subset worth more than
 * 0? That is the question of a maximum closure, answered by a maximum flow (Picard
 * 1976): nodes of positive worth pay for ancestors of negative worth until no payment
 * can be added or redirected. If some payer keeps money over, then what the money left
 * can reach (ancestors; payers of ancestors, to whom it could be given back) is the
 * smallest closed set of the greatest worth. All its chunks are better than r and all
 * chunks of the rest are at most r, so that both can be ordered on their own, one after the
 * other. If nobody keeps anything, no subset beats r: S is made of chunks of exactly
 * that feerate, and the finest way to cut it is along the strong components of "can
 * reach" (Picard and Queyranne 1980): a component pays for itself, and no closed part of
 * it does, since what flows into that part from outside is what ties it to the rest.
 *
 * Each cut makes two pieces that are not empty, so at most 127 flows are computed, each
 * on sets that are words of 64 bits. Arithmetic is exact.
 *
 * Work is counted (a step is one node looked at in a search). If the budget runs
 * out, what is not yet cut is put into order by its ancestors' feerates and improved by
 * merging and swapping neighbours; the order is then valid and its chunks fall, but it
 * may not be the best, and it says so.
 *
 * Ties: among chunks of one feerate that could come next the smaller first, then the one
 * whose greatest node (in the order of compare) is less; within a chunk the node of the
 * greater feerate, then the smaller, then the lesser.
 *
 * Pure; any thread.
 */
#ifndef MEMPOOL_LINEARIZE_H
#define MEMPOOL_LINEARIZE_H

#include <stdbool.h>
#include <stdint.h>

#include "mempool/diagram.h"

#define LINEARIZE_MAX 64U

struct linearize_task {
    uint32_t n; /* 1..LINEARIZE_MAX */
    struct fee_size nodes[LINEARIZE_MAX];
    /* Bit j of ancestors[i]: i depends on j, at whatever distance, or j == i. */
    uint64_t ancestors[LINEARIZE_MAX];
    /* A total order of the nodes; asked only about ties. */
    int (*compare)(const void *context, uint32_t a, uint32_t b);
    const void *context;
    uint64_t budget; /* Steps. */
};

struct linearization {
    uint8_t order[LINEARIZE_MAX]; /* Nodes, parents first. */
    uint64_t ends;                /* Bit k: a chunk ends with order[k]. */
    uint64_t steps;               /* Work done. */
    bool is_optimal;              /* The budget was enough. */
};

void linearize(const struct linearize_task *task, struct linearization *ret);

#endif /* MEMPOOL_LINEARIZE_H */
