/* Block filters (BIP 157, 158) as p2p and rpc see them: a table of functions that app
 * wires to the index, when there is one. Any thread may call.
 */
#ifndef IFACE_FILTERS_H
#define IFACE_FILTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "primitives/ids.h"

struct filters;

/* Each returns 0, or E_NOT_FOUND when the index does not have all that was asked (yet). */
struct filters_ops {
    /* Shows visit the filter of each block from height start up to stop, on the branch that
     * ends in stop; visit returns false to end it. */
    int (*range)(struct filters *filters, int32_t start, const struct block_hash *stop,
                 bool (*visit)(void *context, const struct block_hash *block, struct span filter),
                 void *context);
    /* The hashes of these filters: 32 bytes for each block, in order. */
    int (*hashes)(struct filters *filters, int32_t start, const struct block_hash *stop,
                  uint8_t *ret_hashes);
    /* The filter header of a block: 32 bytes. */
    int (*header)(struct filters *filters, const struct block_hash *block, uint8_t *ret_header);
};

struct filters {
    const struct filters_ops *ops;
};

#endif /* IFACE_FILTERS_H */
