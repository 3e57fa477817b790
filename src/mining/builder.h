/* Block templates from the mempool, kept until tip or mempool change.
 *
 * Any thread may call: one lock, held while a template is made.
 */
#ifndef MINING_BUILDER_H
#define MINING_BUILDER_H

#include "consensus/params.h"
#include "iface/miner.h"
#include "os/clock.h"

/* Kept for header, transaction count and coinbase. */
#define BUILDER_RESERVED_WEIGHT_DEFAULT 8000
#define BUILDER_RESERVED_WEIGHT_LEAST 2000
/* Kept for what a miner puts into the coinbase. */
#define BUILDER_COINBASE_SIGOPS 400
#define BUILDER_MIN_SAT_KVB_DEFAULT 1

struct builder_options {
    struct node *node; /* All borrowed, must outlive the builder. */
    const struct params *params;
    struct clock *clock;
    struct mempool_view *mempool; /* NULL: blocks of a coinbase alone. */
    uint32_t max_weight;          /* -blockmaxweight */
    uint32_t reserved_weight;     /* -blockreservedweight, at most max_weight. */
    int64_t min_sat_kvb;          /* -blockmintxfee */
    bool has_version;             /* -blockversion, on regtest. */
    int32_t version;
};

struct builder;

/* Never NULL; options are copied. */
struct builder *builder_new(const struct builder_options *options);
void builder_free(struct builder *own_builder);

/* The best block on the tip now; drop it with builder_drop. want_txs false: of a coinbase
 * alone (and not counted as the last one made). */
NODISCARD int builder_template(struct builder *builder, const struct block_template **ret_template,
                               bool want_txs, struct error *err);
void builder_drop(struct builder *builder, const struct block_template *own_template);

/* Time and target of a block that is begun on the template now. */
void builder_time(struct builder *builder, const struct block_template *template,
                  uint32_t *ret_time, uint32_t *ret_bits);

/* Of the last template with transactions that was made. False: none was. */
bool builder_last(struct builder *builder, int64_t *ret_weight, uint64_t *ret_txs_n);

#endif /* MINING_BUILDER_H */
