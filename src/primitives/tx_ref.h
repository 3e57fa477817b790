/* A transaction that several hold: immutable, counted, with bytes of its own.
 *
 * Any thread may hold and drop; the last to drop releases it.
 */
#ifndef PRIMITIVES_TX_REF_H
#define PRIMITIVES_TX_REF_H

#include <stdatomic.h>

#include "base/error.h"
#include "primitives/tx.h"

struct tx_ref {
    struct tx tx; /* Points into bytes of this object. */
    _Atomic uint32_t holders;
    uint32_t memory_bytes; /* Of everything this object holds, itself included. */
};

/* Copy a serialized transaction; every byte of raw must belong to it.
 *
 * Returns: 0, E_TRUNCATED or E_MALFORMED as tx_read.
 * Out:     ret_ref: held once by the caller; drop with tx_ref_drop. */
NODISCARD int tx_ref_read(struct tx_ref **ret_ref, struct span raw, struct error *err) NONNULL(1);

/* The same object, held once more. */
const struct tx_ref *tx_ref_hold(const struct tx_ref *ref) NONNULL(1);
void tx_ref_drop(const struct tx_ref *own_ref); /* NULL is fine. */

#endif /* PRIMITIVES_TX_REF_H */
