/* The parts of the view that have files of their own: private to the chain room. */
#ifndef CHAIN_VIEW_PRIV_H
#define CHAIN_VIEW_PRIV_H

#include "chain/chain_priv.h"

static inline struct chain *view_chain(struct node *node)
{
    return (struct chain *)(void *)node; /* Its first member. */
}

/* As in struct node_ops. */
int view_scan_coins(struct node *node, struct block_info *ret_at,
                    bool (*visit)(void *context, const struct outpoint *outpoint,
                                  const struct coin *coin),
                    void *context, struct error *err);
int view_utxo_stats(struct node *node, struct utxo_stats *ret_stats, enum utxo_hash_kind kind,
                    bool (*go_on)(void *context), void *context, struct error *err);
int view_dump_snapshot(struct node *node, const char *path, const struct block_hash *base,
                       struct utxo_stats *ret_stats, struct error *err);
int view_load_snapshot(struct node *node, const char *path, struct block_info *ret_base,
                       uint64_t *ret_coins_n, struct error *err);

/* The coin as of the last settled block, whatever is applied on top of it. Chain
 * thread. 0 or E_NOT_FOUND. */
int view_find_coin(struct chain *chain, struct coin *ret_coin, const struct outpoint *outpoint,
                   struct arena *arena, struct error *err);

#endif /* CHAIN_VIEW_PRIV_H */
