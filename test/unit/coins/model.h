/* A naive model of the coins, and random blocks for it: what a coins_store must
 * agree with. A coin is made from its number alone, so that the model is a list of
 * numbers. */
#ifndef COINS_MODEL_H
#define COINS_MODEL_H

#include "coins/coins.h"

struct ids {
    uint64_t *id; /* Owned. */
    size_t n;
    size_t capacity;
};

struct model_block {
    struct ids spends;
    struct ids adds;
    struct block_hash tip_before;
};

/* The state at one tip. */
struct model_state {
    struct ids live;
    struct model_block *blocks; /* Owned; those that a revert can take back. */
    size_t blocks_n;
    struct block_hash tip;
};

struct model {
    struct model_state now;
    struct model_state committed; /* The last commit that was acknowledged. */
    struct model_state flushing;  /* The one under way. */
    bool is_flushing;
    uint64_t next_id; /* Ids below have been used. */
    uint64_t tips_n;
    uint32_t block_spends_max;
    uint32_t block_adds_max;
};

void model_init(struct model *model);
void model_clear(struct model *model);

struct outpoint model_outpoint(uint64_t id);
struct coin model_coin(uint64_t id, struct arena *arena);

/* A random block, applied to both; or the last one taken back from both. They return
 * what the store returns, and then the model has not changed. */
int model_apply(struct model *model, struct coins_store *store, struct error *err);
int model_revert(struct model *model, struct coins_store *store, struct error *err);

int model_flush_start(struct model *model, struct coins_store *store, struct error *err);
/* Polls (or waits) and keeps the model's commits in step. */
int model_flush_poll(struct model *model, struct coins_store *store, bool wait, struct error *err);

/* The store was opened again: the model goes back to the commit it stands at.
 * false: to none that it may stand at. */
bool model_reopened(struct model *model, const struct coins_store *store);

/* Every coin that ever was is found if and only if it is there, and is the same. */
bool model_agrees(const struct model *model, struct coins_store *store);
/* A scan gives exactly the coins of the last commit, in order. */
bool model_scan_agrees(const struct model *model, struct coins_store *store,
                       const struct coins_scan_options *options);

#endif /* COINS_MODEL_H */
