/* The undo data of a block: the coins it spent, in Core's format (CBlockUndo):
 *
 *     compact size: transactions but the coinbase; for each of them
 *         compact size: inputs; for each of them
 *             varint: height * 2 + is_coinbase
 *             0x00 when height > 0 (once the transaction's version)
 *             compressed output (compress.h)
 *
 * Any thread.
 */
#ifndef COINS_UNDO_H
#define COINS_UNDO_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"
#include "primitives/coin.h"

/* Write: begin with the number of transactions without the coinbase, then add each
 * transaction's coins in input order. Appends to buf, and grows it rarely. */
void undo_begin(struct buf *buf, uint32_t tx_n) NONNULL(1);
void undo_add_tx(struct buf *buf, const struct coin *coins, uint32_t coins_n) NONNULL(1);

struct undo_tx {
    uint32_t coins_n;
    const struct coin *coins; /* In input order. */
};

struct undo {
    uint32_t tx_n; /* Without the coinbase: tx[i] belongs to the block's i + 1. */
    const struct undo_tx *tx;
};

/* Read a whole undo record, every byte of it.
 *
 * Returns: 0, E_TRUNCATED or E_MALFORMED.
 * Out:     ret_undo: arrays from arena; scripts in arena or pointing into bytes,
 *                    which must live as long. Memory is bounded by a constant
 *                    factor of the bytes that are really there. */
NODISCARD int undo_read(struct undo *ret_undo, struct span bytes, struct arena *arena,
                        struct error *err) NONNULL(1, 3);

#endif /* COINS_UNDO_H */
