/* Filling an empty store with coins from elsewhere: a snapshot, another store.
 *
 * The store's single writer calls; memory stays within the store's bound.
 */
#ifndef COINS_FILL_H
#define COINS_FILL_H

#include "coins/coins.h"

struct coins_fill;

/* tip: what the store stands at in the end. may_repeat: the same outpoint may come
 * again, and then replaces the first; otherwise that is E_STATE where it is noticed. */
struct coins_fill *coins_fill_new(struct coins_store *store, const struct block_hash *tip,
                                  bool may_repeat);
void coins_fill_free(struct coins_fill *own_fill);

/* The script is copied. */
NODISCARD int coins_fill_add(struct coins_fill *fill, const struct outpoint *outpoint,
                             const struct coin *coin, struct error *err);

/* What was added is in the store; not committed yet. */
NODISCARD int coins_fill_end(struct coins_fill *fill, struct error *err);

/* After each change of a store that nobody else looks after: commits what its bound
 * on memory asks for. */
NODISCARD int coins_relieve(struct coins_store *store, struct error *err);

/* Commits everything and waits for it. */
NODISCARD int coins_commit(struct coins_store *store, struct error *err);

#endif /* COINS_FILL_H */
