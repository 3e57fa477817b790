#include "mining/miner.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/check.h"
#include "codec/reader.h"
#include "codec/writer.h"
#include "consensus/pow.h"
#include "mining/miner_priv.h"

bool miner_goes_on(const struct own_miner *m)
{
    return !atomic_load(&m->is_stopping) &&
           (m->options.go_on == NULL || m->options.go_on(m->options.context));
}

static bool goes_on(void *context)
{
    return miner_goes_on(context);
}

/* --- Blocks -------------------------------------------------------------------------- */

void miner_parts(const struct own_miner *m, struct template_parts *ret_parts,
                 const struct block_template *template, struct span script, uint64_t extranonce,
                 struct arena *arena)
{
    const struct params *params = m->options.builder.params;
    struct tx *txs = arena_array(arena, template->txs_n + 1, sizeof(*txs));

    for (size_t i = 0; i < template->txs_n; i++)
        txs[i] = template->txs[i].tx->tx;
    *ret_parts = (struct template_parts){
        .prev = template->tip.hash,
        .height = template->height,
        .version = template->version,
        .coinbase_value_sat = template->subsidy_sat + template->fees_sat,
        .coinbase_script = script,
        .extranonce = extranonce,
        .segwit = template->has_segwit,
        .txs = txs,
        .txs_n = template->txs_n,
        .signet = params->signet_blocks ? params : NULL,
        .signet_keys = m->options.signet_keys,
    };
    builder_time(m->builder, template, &ret_parts->time, &ret_parts->bits);
}

/* A block of a fresh template (or, with txs, of a coinbase and these), nonce zero. */
static int make_block(struct own_miner *m, struct buf *ret_block, uint32_t *ret_bits,
                      struct span script, uint64_t extranonce, const struct tx *txs, size_t txs_n,
                      struct error *err)
{
    const struct block_template *template = NULL;
    struct template_parts parts;
    struct arena arena;
    int rc = builder_template(m->builder, &template, txs == NULL, err);

    if (rc < 0)
        return rc;
    arena_init(&arena);
    miner_parts(m, &parts, template, script, extranonce, &arena);
    if (txs != NULL) {
        parts.txs = txs;
        parts.txs_n = txs_n;
    }
    ret_block->len = 0;
    rc = template_write(ret_block, &parts, err);
    *ret_bits = parts.bits;
    arena_clear(&arena);
    builder_drop(m->builder, template);
    return rc;
}

static enum scan_result solve(struct own_miner *m, struct buf *block, uint32_t bits,
                              uint64_t *tries)
{
    struct u256 target = target_of_bits(bits, NULL, NULL);

    return nonce_scan(block->data, &target, tries, goes_on, m);
}

struct block_hash miner_hash_of(const struct buf *block)
{
    struct header header;
    struct reader r;

    reader_init(&r, block->data, HEADER_BYTES);
    header_read(&header, &r);
    return header_hash(&header);
}

int miner_submit(const struct own_miner *m, struct span block, struct error *err)
{
    struct node *node = m->options.builder.node;
    struct submit_result result;
    int rc = node->ops->submit_block(node, &result, block, err);

    if (rc < 0)
        return rc;
    if (result.verdict != V_VALID)
        return error_set(err, E_STATE, "ProcessNewBlock, block not accepted");
    return 0;
}

/* --- The interface ------------------------------------------------------------------- */

static int get_template(struct miner *miner, const struct block_template **ret_template,
                        uint32_t *ret_time, uint32_t *ret_bits, struct error *err)
{
    struct own_miner *m = (struct own_miner *)miner;
    int rc = builder_template(m->builder, ret_template, true, err);

    if (rc == 0)
        builder_time(m->builder, *ret_template, ret_time, ret_bits);
    return rc;
}

static void drop_template(struct miner *miner, const struct block_template *own_template)
{
    builder_drop(((struct own_miner *)miner)->builder, own_template);
}

static void info(struct miner *miner, struct miner_info *ret_info)
{
    struct own_miner *m = (struct own_miner *)miner;

    *ret_info = (struct miner_info){.min_sat_kvb = m->options.builder.min_sat_kvb,
                                    .is_mining = m->started_n > 0,
                                    .mined_n = atomic_load(&m->mined_n)};
    if (ret_info->is_mining)
        ret_info->hashes_per_s = dig_rate(m);
    ret_info->has_last = builder_last(m->builder, &ret_info->last_weight, &ret_info->last_txs_n);
}

static int generate(struct miner *miner, struct block_hash *ret_hashes, uint32_t *ret_n,
                    uint32_t count, struct span script, uint64_t max_tries, struct error *err)
{
    struct own_miner *m = (struct own_miner *)miner;
    uint64_t extranonce = 0;
    struct buf block = {0};
    int rc = 0;

    *ret_n = 0;
    mutex_lock(&m->mutex);
    while (*ret_n < count && rc == 0) {
        enum scan_result scan;
        uint32_t bits;

        if (!miner_goes_on(m)) {
            rc = error_set(err, E_STOPPED, "the node is stopping");
            break;
        }
        rc = make_block(m, &block, &bits, script, extranonce, NULL, 0, err);
        if (rc < 0)
            break;
        scan = solve(m, &block, bits, &max_tries);
        if (scan == SCAN_NO_TRIES)
            break;
        if (scan == SCAN_NO_NONCES) {
            extranonce++;
            continue;
        }
        if (scan == SCAN_STOPPED)
            continue;
        rc = miner_submit(m, span_of_buf(&block), err);
        if (rc == 0)
            ret_hashes[(*ret_n)++] = miner_hash_of(&block);
    }
    mutex_unlock(&m->mutex);
    buf_clear(&block);
    return rc;
}

static int solve_one(struct own_miner *m, struct buf *block, uint32_t bits, struct error *err)
{
    uint64_t tries = MINER_TRIES_DEFAULT;

    switch (solve(m, block, bits, &tries)) {
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
    static const struct tx none;
    struct own_miner *m = (struct own_miner *)miner;
    struct node *node = m->options.builder.node;
    struct buf block = {0};
    uint32_t bits;
    int rc;

    mutex_lock(&m->mutex);
    do {
        rc = make_block(m, &block, &bits, script, 0, txs == NULL ? &none : txs, txs_n, err);
        if (rc == 0)
            rc = node->ops->test_block(node, ret_test, span_of_buf(&block), false, false, err);
    } while (rc == 0 && !ret_test->is_judged); /* The tip moved meanwhile. */
    if (rc < 0 || ret_test->verdict != V_VALID)
        goto done;
    rc = solve_one(m, &block, bits, err);
    if (rc == 0 && want_submit)
        rc = miner_submit(m, span_of_buf(&block), err);
    if (rc < 0)
        goto done;
    *ret_hash = miner_hash_of(&block);
    if (ret_block != NULL)
        write_span(ret_block, span_of_buf(&block));

done:
    mutex_unlock(&m->mutex);
    buf_clear(&block);
    return rc;
}

static const struct miner_ops ops = {
    .get_template = get_template,
    .drop_template = drop_template,
    .info = info,
    .generate = generate,
    .generate_block = generate_block,
};

struct miner *miner_new(const struct miner_options *options)
{
    struct own_miner *m = alloc_zero(sizeof(*m));

    CHECK(options->threads_n <= MINER_THREADS_MAX);
    m->miner.ops = &ops;
    m->options = *options;
    m->builder = builder_new(&options->builder);
    write_span(&m->script, options->mine_script);
    m->diggers = alloc_array(options->threads_n + 1U, sizeof(*m->diggers));
    m->rate = -1;
    mutex_init(&m->mutex);
    mutex_init(&m->rate_mutex);
    return &m->miner;
}

int miner_start(struct miner *miner, struct error *err)
{
    struct own_miner *m = (struct own_miner *)miner;

    m->rate_since_us = clock_monotonic_us(m->options.builder.clock);
    for (unsigned i = 0; i < m->options.threads_n; i++) {
        struct digger *digger = &m->diggers[i];
        char name[THREAD_NAME_SIZE];
        int rc;

        digger->miner = m;
        digger->number = i;
        (void)snprintf(name, sizeof(name), "mine-%u", i % 1000);
        rc = thread_start(&digger->thread, name, dig_thread, digger, err);
        if (rc < 0)
            return rc;
        m->started_n++;
    }
    return 0;
}

void miner_free(struct miner *own_miner)
{
    struct own_miner *m = (struct own_miner *)own_miner;

    if (m == NULL)
        return;
    atomic_store(&m->is_stopping, true);
    for (unsigned i = 0; i < m->started_n; i++)
        thread_join(&m->diggers[i].thread);
    builder_free(m->builder);
    mutex_clear(&m->mutex);
    mutex_clear(&m->rate_mutex);
    buf_clear(&m->script);
    free(m->diggers);
    free(m);
}
