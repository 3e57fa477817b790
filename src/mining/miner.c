#include "mining/miner.h"

#include "base/alloc.h"
#include "base/check.h"
#include "codec/writer.h"
#include "consensus/deployments.h"
#include "consensus/rules.h"
#include "mining/scan.h"
#include "mining/template.h"
#include "os/thread.h"

struct cpu_miner {
    struct miner miner;
    struct miner_options options;
    struct mutex mutex; /* One call at a time: cache belongs to it. */
    struct deployment_cache cache;
    struct block_info cached_tip; /* What cache was last used for. */
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

/* The cache holds for the branch only if its last tip is on it. */
static void fit_cache(struct cpu_miner *m, const struct branch *branch)
{
    struct block_info old;

    if (m->cached_tip.height > branch->tip.height ||
        branch->node->ops->ancestor(branch->node, &old, &branch->tip.hash, m->cached_tip.height) <
            0 ||
        !block_hash_equal(&old.hash, &m->cached_tip.hash))
        deployment_cache_clear(&m->cache);
    m->cached_tip = branch->tip;
}

/* After the median of eleven; and, as one day BIP 94 may hold everywhere, not
 * further back than it allows at the start of a period. */
static uint32_t block_time(const struct cpu_miner *m, const struct branch *branch)
{
    int64_t least = (int64_t)branch->tip.median_time_past + 1;
    int64_t now_s = clock_wall_s(m->options.clock);

    if ((branch->tip.height + 1) % params_retarget_period(m->options.params) == 0)
        least = MAX(least, (int64_t)branch->tip.header.time - TIMEWARP_MAX_S);
    return (uint32_t)MAX(least, now_s);
}

static void begin(struct cpu_miner *m, struct template_parts *parts, struct span script,
                  uint64_t extranonce)
{
    const struct params *params = m->options.params;
    struct branch branch = {.node = m->options.node};
    struct ancestry ancestry = {.at = branch_at, .context = &branch};
    struct node_status status;

    branch.node->ops->status(branch.node, &status);
    branch.tip = status.tip;
    ancestry.tip_height = branch.tip.height;
    fit_cache(m, &branch);
    *parts = (struct template_parts){.prev = branch.tip.hash,
                                     .height = branch.tip.height + 1,
                                     .coinbase_script = script,
                                     .extranonce = extranonce};
    parts->version = m->options.has_block_version
                         ? m->options.block_version
                         : block_version_after(&ancestry, params, &m->cache);
    parts->time = block_time(m, &branch);
    parts->bits = pow_next_bits(&ancestry, parts->time, params);
    parts->coinbase_value_sat = subsidy_at(parts->height, params);
    parts->segwit = buried_active(BURIED_SEGWIT, parts->height, params);
}

static enum scan_result solve(const struct cpu_miner *m, struct buf *block, uint32_t bits,
                              uint64_t *tries)
{
    struct u256 target = target_of_bits(bits, NULL, NULL);

    return nonce_scan(block->data, &target, tries, m->options.go_on, m->options.context);
}

static bool goes_on(const struct cpu_miner *m)
{
    return m->options.go_on == NULL || m->options.go_on(m->options.context);
}

static struct block_hash hash_of(const struct buf *block)
{
    struct header header;
    struct reader r;

    reader_init(&r, block->data, HEADER_BYTES);
    header_read(&header, &r);
    return header_hash(&header);
}

static int submit(const struct cpu_miner *m, const struct buf *block, struct error *err)
{
    struct node *node = m->options.node;
    struct submit_result result;
    int rc = node->ops->submit_block(node, &result, span_of_buf(block), err);

    if (rc < 0)
        return rc;
    if (result.verdict != V_VALID)
        return error_set(err, E_STATE, "ProcessNewBlock, block not accepted");
    return 0;
}

static int generate(struct miner *miner, struct block_hash *ret_hashes, uint32_t *ret_n,
                    uint32_t count, struct span script, uint64_t max_tries, struct error *err)
{
    struct cpu_miner *m = (struct cpu_miner *)miner;
    uint64_t extranonce = 0;
    struct buf block = {0};
    int rc = 0;

    *ret_n = 0;
    mutex_lock(&m->mutex);
    while (*ret_n < count && rc == 0) {
        struct template_parts parts;
        enum scan_result scan;

        if (!goes_on(m)) {
            rc = error_set(err, E_STOPPED, "the node is stopping");
            break;
        }
        begin(m, &parts, script, extranonce);
        block.len = 0;
        template_write(&block, &parts);
        scan = solve(m, &block, parts.bits, &max_tries);
        if (scan == SCAN_NO_TRIES)
            break;
        if (scan == SCAN_NO_NONCES) {
            extranonce++;
            continue;
        }
        if (scan == SCAN_STOPPED)
            continue;
        rc = submit(m, &block, err);
        if (rc == 0)
            ret_hashes[(*ret_n)++] = hash_of(&block);
    }
    mutex_unlock(&m->mutex);
    buf_clear(&block);
    return rc;
}

static int solve_one(struct cpu_miner *m, struct buf *block, const struct template_parts *parts,
                     struct error *err)
{
    uint64_t tries = MINER_TRIES_DEFAULT;

    switch (solve(m, block, parts->bits, &tries)) {
    case SCAN_FOUND:
        return 0;
    case SCAN_STOPPED:
        return error_set(err, E_STOPPED, "the node is stopping");
    case SCAN_NO_TRIES:
    case SCAN_NO_NONCES:
        break;
    }
    return error_set(err, E_STATE, "Failed to make block.");
}

static int generate_block(struct miner *miner, struct submit_result *ret_test,
                          struct block_hash *ret_hash, struct buf *ret_block, struct span script,
                          const struct tx *txs, size_t txs_n, bool want_submit, struct error *err)
{
    struct cpu_miner *m = (struct cpu_miner *)miner;
    struct node *node = m->options.node;
    struct template_parts parts;
    struct buf block = {0};
    int rc;

    mutex_lock(&m->mutex);
    begin(m, &parts, script, 0);
    parts.txs = txs;
    parts.txs_n = txs_n;
    template_write(&block, &parts);
    rc = node->ops->test_block(node, ret_test, span_of_buf(&block), false, false, err);
    if (rc < 0 || ret_test->verdict != V_VALID)
        goto done;
    rc = solve_one(m, &block, &parts, err);
    if (rc == 0 && want_submit)
        rc = submit(m, &block, err);
    if (rc < 0)
        goto done;
    *ret_hash = hash_of(&block);
    if (ret_block != NULL)
        write_span(ret_block, span_of_buf(&block));

done:
    mutex_unlock(&m->mutex);
    buf_clear(&block);
    return rc;
}

static const struct miner_ops ops = {.generate = generate, .generate_block = generate_block};

struct miner *miner_new(const struct miner_options *options)
{
    struct cpu_miner *m = alloc_zero(sizeof(*m));

    m->miner.ops = &ops;
    m->options = *options;
    m->cached_tip.height = -1;
    mutex_init(&m->mutex);
    return &m->miner;
}

void miner_free(struct miner *own_miner)
{
    struct cpu_miner *m = (struct cpu_miner *)own_miner;

    if (m == NULL)
        return;
    mutex_clear(&m->mutex);
    deployment_cache_clear(&m->cache);
    free(m);
}
