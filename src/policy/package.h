/* Packages: transactions that are judged together. What their shape alone must be. Pure,
 * any thread. */
#ifndef POLICY_PACKAGE_H
#define POLICY_PACKAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "primitives/tx.h"

#define PACKAGE_TXS_MAX 25U
#define PACKAGE_WEIGHT_MAX 404000U

/* Parents before children, nothing twice, no output spent twice, not too large.
 * Returns: NULL, or "package-too-many-transactions", "package-too-large",
 *          "package-contains-duplicates", "package-not-sorted", "conflict-in-package". */
const char *package_flaw(const struct tx *const *txs, size_t n) NONNULL(1);

/* Is the last one a child of all the others? n >= 2 and well-formed. */
bool package_is_child_with_parents(const struct tx *const *txs, size_t n) NONNULL(1);

/* Does tx spend an output of the transaction? */
bool tx_spends_from(const struct tx *tx, const struct txid *txid) NONNULL(1, 2);

#endif /* POLICY_PACKAGE_H */
