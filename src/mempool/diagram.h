/* Fees by size: the feerate of a set of transactions as an exact fraction, and
 * feerate diagrams.
 *
 * A diagram is a list of chunks of falling feerate. Drawn from (0, 0), each chunk
 * adds its size to the right and its fee upwards: the curve says how much can be
 * earned with the first so many units of space.
 *
 * Pure; any thread.
 */
#ifndef MEMPOOL_DIAGRAM_H
#define MEMPOOL_DIAGRAM_H

#include <stddef.h>
#include <stdint.h>

/* A fee and the size it is paid for. Fees may be negative: priorities can be. */
struct fee_size {
    int64_t fee_sat;
    int64_t size; /* In whatever unit the owner measures; the mempool uses weight. */
};

static inline struct fee_size fee_size_add(struct fee_size a, struct fee_size b)
{
    return (struct fee_size){.fee_sat = a.fee_sat + b.fee_sat, .size = a.size + b.size};
}

/* The sign of (feerate of a) - (feerate of b), exact. Sizes must be > 0. */
int fee_size_compare(struct fee_size a, struct fee_size b);

/* The fee at this feerate for another size, rounded down (towards minus infinity) or
 * up. rate.size > 0, size >= 0. Saturates at the borders of int64_t. */
int64_t fee_size_fee_down(struct fee_size rate, int64_t size);
int64_t fee_size_fee_up(struct fee_size rate, int64_t size);

enum diagram_order {
    DIAGRAM_EQUAL,
    DIAGRAM_BETTER,      /* The first is nowhere below the second, and somewhere above. */
    DIAGRAM_WORSE,       /* The other way round. */
    DIAGRAM_INCOMPARABLE /* Each is above the other somewhere. */
};

/* Compares two diagrams (chunks of falling feerate, sizes > 0). A diagram that ends goes
 * on level: beyond its end nothing more is earned, nor lost. */
enum diagram_order diagram_compare(const struct fee_size *a, size_t a_n, const struct fee_size *b,
                                   size_t b_n);

/* Sorts chunks of several clusters into one diagram: falling feerate, among equals the
 * smaller first. */
void diagram_sort(struct fee_size *chunks, size_t n);

#endif /* MEMPOOL_DIAGRAM_H */
