#include "mining/builder.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "codec/writer.h"
#include "consensus/deployments.h"
#include "consensus/rules.h"
#include "crypto/sha256.h"
#include "os/thread.h"
#include "primitives/merkle.h"

_Static_assert(MINER_COMMITMENT_BYTES == WITNESS_COMMITMENT_BYTES, "one output script");

/* How often a template is begun anew because the tip moved meanwhile. */
#define TRIES_MAX 10000

struct built {
    struct block_template template; /* First: what is handed out. */
    _Atomic uint32_t holders;
    struct arena arena; /* Of the picks. */
};

struct builder {
    struct builder_options options;
    struct mutex mutex; /* Guards all below. */
    struct deployment_cache cache;
    struct block_info cached_tip; /* What cache was last used for. */
    struct built *current;        /* Held; NULL: none yet. */
    bool has_last;
    int64_t last_weight;
    uint64_t last_txs_n;
};

/* A branch of the node's tree, by its last block. */
struct branch {
    struct node *node;
    struct block_info tip;
};

static struct ancestor branch_at(const void *context, int32_t height)
{
    const struct branch *branch = context;
    struct block_info info = branch->tip;

    if (height != branch->tip.height)
        CHECK(branch->node->ops->ancestor(branch->node, &info, &branch->tip.hash, height) == 0);
    return (struct ancestor){
        .version = info.header.version, .time = info.header.time, .bits = info.header.bits};
}

struct builder *builder_new(const struct builder_options *options)
{
    struct builder *builder = alloc_zero(sizeof(*builder));

    CHECK(options->reserved_weight <= options->max_weight);
    builder->options = *options;
    builder->cached_tip.height = -1;
    mutex_init(&builder->mutex);
    return builder;
}

void builder_free(struct builder *own_builder)
{
    struct builder *builder = own_builder;

    if (builder == NULL)
        return;
    if (builder->current != NULL)
        builder_drop(builder, &builder->current->template);
    deployment_cache_clear(&builder->cache);
    mutex_clear(&builder->mutex);
    free(builder);
}

void builder_drop(struct builder *builder, const struct block_template *own_template)
{
    struct built *built = (struct built *)(uintptr_t)own_template;

    (void)builder;
    if (built == NULL || atomic_fetch_sub(&built->holders, 1) != 1)
        return;
    for (size_t i = 0; i < built->template.txs_n; i++)
        tx_ref_drop(built->template.txs[i].tx);
    arena_clear(&built->arena);
    free(built);
}

/* --- Header -------------------------------------------------------------------------- */

/* The cache holds for the branch only if its last tip is on it. */
static void fit_cache(struct builder *builder, const struct branch *branch)
{
    struct block_info old;

    if (builder->cached_tip.height < 0 || builder->cached_tip.height > branch->tip.height ||
        branch->node->ops->ancestor(branch->node, &old, &branch->tip.hash,
                                    builder->cached_tip.height) < 0 ||
        !block_hash_equal(&old.hash, &builder->cached_tip.hash))
        deployment_cache_clear(&builder->cache);
    builder->cached_tip = branch->tip;
}

static int32_t block_version(struct builder *builder, struct branch *branch)
{
    struct ancestry ancestry = {
        .at = branch_at, .context = branch, .tip_height = branch->tip.height};

    if (builder->options.has_version)
        return builder->options.version;
    fit_cache(builder, branch);
    return block_version_after(&ancestry, builder->options.params, &builder->cache);
}

/* After the median of eleven; and, as one day BIP 94 may hold everywhere, not further
 * back than it allows at the start of a period. */
static uint32_t min_time(const struct block_info *tip, const struct params *params)
{
    int64_t least = (int64_t)tip->median_time_past + 1;

    if ((tip->height + 1) % params_retarget_period(params) == 0)
        least = MAX(least, (int64_t)tip->header.time - TIMEWARP_MAX_S);
    return (uint32_t)least;
}

void builder_time(struct builder *builder, const struct block_template *template,
                  uint32_t *ret_time, uint32_t *ret_bits)
{
    struct branch branch = {.node = builder->options.node, .tip = template->tip};
    struct ancestry ancestry = {
        .at = branch_at, .context = &branch, .tip_height = branch.tip.height};
    int64_t now_s = clock_wall_s(builder->options.clock);

    *ret_time = (uint32_t)MAX((int64_t) template->min_time, MIN(now_s, UINT32_MAX));
    *ret_bits = pow_next_bits(&ancestry, *ret_time, builder->options.params);
}

/* --- Transactions -------------------------------------------------------------------- */

/* BIP 141: over the wtxids, the coinbase's and the reserved value taken as zeros. */
static void write_commitment(struct block_template *template)
{
    uint8_t *leaves = alloc_array(template->txs_n + 1, HASH_BYTES);
    uint8_t parts[2 * HASH_BYTES] = {0};

    for (size_t i = 0; i < template->txs_n; i++)
        memcpy(leaves + HASH_BYTES * (i + 1), template->txs[i].tx->tx.wtxid.b, HASH_BYTES);
    merkle_root_of(parts, NULL, leaves, template->txs_n + 1);
    memcpy(template->commitment, WITNESS_COMMITMENT_HEAD, WITNESS_COMMITMENT_HEAD_BYTES);
    sha256d(template->commitment + WITNESS_COMMITMENT_HEAD_BYTES, parts, sizeof(parts));
    free(leaves);
}

/* Returns: 0; E_STATE: the mempool is not that of this tip. */
static int pick_txs(struct builder *builder, struct built *built, struct error *err)
{
    const struct builder_options *options = &builder->options;
    struct block_template *template = &built->template;
    struct mempool_pick_options wanted = {
        .prev = template->tip.hash,
        .weight_max = options->max_weight - options->reserved_weight,
        .sigop_cost_max = BLOCK_SIGOPS_COST_MAX - BUILDER_COINBASE_SIGOPS,
        .min_sat_kvb = options->min_sat_kvb,
        .height = template->height,
        .lock_time_cutoff_s = template->tip.median_time_past,
    };
    struct mempool_pick *picks = NULL;
    int rc = options->mempool->ops->pick(options->mempool, &picks, &template->txs_n,
                                         &template->mempool_changes, &wanted, &built->arena, err);

    if (rc < 0)
        return rc;
    template->txs = picks;
    for (size_t i = 0; i < template->txs_n; i++) {
        template->fees_sat += picks[i].fee_sat;
        template->weight += picks[i].weight;
        template->sigop_cost += picks[i].sigop_cost;
    }
    return 0;
}

/* --- Templates ----------------------------------------------------------------------- */

static int build(struct builder *builder, struct built **ret_built, const struct block_info *tip,
                 bool want_txs, struct error *err)
{
    const struct params *params = builder->options.params;
    struct branch branch = {.node = builder->options.node, .tip = *tip};
    struct built *built = alloc_zero(sizeof(*built));
    struct block_template *template = &built->template;
    int rc = 0;

    atomic_init(&built->holders, 1);
    arena_init(&built->arena);
    template->tip = *tip;
    template->height = tip->height + 1;
    template->version = block_version(builder, &branch);
    template->min_time = min_time(tip, params);
    template->has_segwit = buried_active(BURIED_SEGWIT, template->height, params);
    template->subsidy_sat = subsidy_at(template->height, params);
    template->weight = builder->options.reserved_weight;
    template->sigop_cost = BUILDER_COINBASE_SIGOPS;
    if (want_txs)
        rc = pick_txs(builder, built, err);
    if (rc < 0) {
        builder_drop(builder, template);
        return rc;
    }
    write_commitment(template);
    *ret_built = built;
    return 0;
}

static bool is_current(const struct builder *builder, const struct block_info *tip)
{
    const struct block_template *template;
    struct mempool_view *mempool = builder->options.mempool;

    if (builder->current == NULL)
        return false;
    template = &builder->current->template;
    return block_hash_equal(&template->tip.hash, &tip->hash) &&
           mempool->ops->changes(mempool) == template->mempool_changes;
}

/* The one that is kept is good, or a new one takes its place. */
static int refresh(struct builder *builder, struct error *err)
{
    struct node *node = builder->options.node;
    struct node_status status;
    struct built *built = NULL;
    int rc = E_STATE;

    for (int i = 0; i < TRIES_MAX && rc == E_STATE; i++) {
        node->ops->status(node, &status);
        if (is_current(builder, &status.tip))
            return 0;
        rc = build(builder, &built, &status.tip, true, err);
        if (rc == E_STATE) /* The new tip is about to be shown. */
            node->ops->wait_tip(node, &status.best_header, &status.tip.hash, 1);
    }
    if (rc < 0)
        return rc;
    if (builder->current != NULL)
        builder_drop(builder, &builder->current->template);
    builder->current = built;
    log_info("mining",
             "CreateNewBlock(): block weight: %" PRId64 " txs: %zu fees: %" PRId64
             " sigops %" PRId64,
             built->template.weight, built->template.txs_n, built->template.fees_sat,
             built->template.sigop_cost);
    return 0;
}

int builder_template(struct builder *builder, const struct block_template **ret_template,
                     bool want_txs, struct error *err)
{
    struct node *node = builder->options.node;
    struct node_status status;
    struct built *built = NULL;
    int rc;

    mutex_lock(&builder->mutex);
    if (want_txs && builder->options.mempool != NULL) {
        rc = refresh(builder, err);
        if (rc == 0) {
            built = builder->current;
            atomic_fetch_add(&built->holders, 1);
        }
    } else {
        node->ops->status(node, &status);
        rc = build(builder, &built, &status.tip, false, err);
    }
    if (rc == 0 && want_txs) {
        builder->has_last = true;
        builder->last_weight = built->template.weight;
        builder->last_txs_n = built->template.txs_n;
    }
    mutex_unlock(&builder->mutex);
    if (rc == 0)
        *ret_template = &built->template;
    return rc;
}

bool builder_last(struct builder *builder, int64_t *ret_weight, uint64_t *ret_txs_n)
{
    bool has_last;

    mutex_lock(&builder->mutex);
    has_last = builder->has_last;
    *ret_weight = builder->last_weight;
    *ret_txs_n = builder->last_txs_n;
    mutex_unlock(&builder->mutex);
    return has_last;
}
