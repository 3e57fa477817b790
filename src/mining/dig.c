/* -mine: every thread works on a block of its own (its coinbase differs by a number), of
 * the newest template, until the tip moves, the block is older than a second, or its
 * nonces are used up. */
#include <inttypes.h>

#include "base/check.h"
#include "base/log.h"
#include "consensus/pow.h"
#include "mining/miner_priv.h"

#define RENEW_US UINT64_C(1000000) /* A block's time and transactions are at most so old. */
#define RATE_SPAN_US UINT64_C(30000000)
#define REST_MS 1000 /* After something went wrong, or with nothing to do. */

struct dig {
    struct own_miner *m;
    struct block_hash prev; /* The block stands on it. */
    uint64_t begun_us;
};

static uint64_t now_us(const struct own_miner *m)
{
    return clock_monotonic_us(m->options.builder.clock);
}

static bool tip_is(const struct own_miner *m, const struct block_hash *hash)
{
    struct node *node = m->options.builder.node;
    struct node_status status;

    node->ops->status(node, &status);
    return block_hash_equal(&status.tip.hash, hash);
}

/* Asked after every SCAN_ASK_EVERY hashes: some milliseconds. */
static bool is_still_good(void *context)
{
    struct dig *dig = context;
    struct own_miner *m = dig->m;

    atomic_fetch_add(&m->tried_n, SCAN_ASK_EVERY);
    return miner_goes_on(m) && now_us(m) - dig->begun_us < RENEW_US && tip_is(m, &dig->prev);
}

/* Waits until the tip changes or the time is over. */
static void rest(const struct own_miner *m, int64_t ms)
{
    struct node *node = m->options.builder.node;
    struct node_status status;
    struct block_info seen;

    node->ops->status(node, &status);
    node->ops->wait_tip(node, &seen, &status.tip.hash, MIN(ms, REST_MS));
}

/* How long until this miner may find another block. */
static int64_t wait_ms(const struct own_miner *m)
{
    uint64_t found_us = atomic_load(&m->found_us);
    uint64_t over_us = found_us + m->options.mine_interval_s * UINT64_C(1000000);
    uint64_t now = now_us(m);

    return found_us == 0 || over_us <= now ? 0 : (int64_t)((over_us - now) / 1000) + 1;
}

static void found(struct own_miner *m, const struct buf *block)
{
    struct block_hash hash = miner_hash_of(block);
    struct error err;

    atomic_store(&m->found_us, now_us(m));
    if (miner_submit(m, span_of_buf(block), &err) < 0) {
        log_warning("mining", "a block that was found was not taken: %s", error_text(&err));
        return;
    }
    log_info("mining", "mined block %s, %" PRIu64 " so far", hash_hex(hash.b).text,
             atomic_fetch_add(&m->mined_n, 1) + 1);
}

static int begin(struct dig *dig, struct buf *block, uint32_t *ret_bits, struct error *err)
{
    struct own_miner *m = dig->m;
    const struct block_template *template = NULL;
    struct template_parts parts;
    struct arena arena;
    int rc = builder_template(m->builder, &template, true, err);

    if (rc < 0)
        return rc;
    arena_init(&arena);
    miner_parts(m, &parts, template, span_of_buf(&m->script),
                atomic_fetch_add(&m->extranonce, 1) + 1, &arena);
    dig->prev = parts.prev;
    dig->begun_us = now_us(m);
    *ret_bits = parts.bits;
    block->len = 0;
    rc = template_write(block, &parts, err);
    arena_clear(&arena);
    builder_drop(m->builder, template);
    return rc;
}

/* While old blocks are still read or fetched, the tip is not where to mine. */
static bool is_behind(const struct own_miner *m)
{
    struct node *node = m->options.builder.node;
    struct node_status status;

    node->ops->status(node, &status);
    return status.importing ||
           (status.initial_block_download && status.best_header.height > status.tip.height);
}

/* One block, from template to end of nonces. */
static int dig_one(struct dig *dig, struct buf *block, struct error *err)
{
    struct own_miner *m = dig->m;
    uint64_t tries = UINT64_MAX;
    struct u256 target;
    uint32_t bits;
    int rc = begin(dig, block, &bits, err);

    if (rc < 0)
        return rc;
    target = target_of_bits(bits, NULL, NULL);
    if (nonce_scan(block->data, &target, &tries, is_still_good, dig) == SCAN_FOUND &&
        tip_is(m, &dig->prev) && wait_ms(m) == 0)
        found(m, block);
    return 0;
}

double dig_rate(struct own_miner *m)
{
    uint64_t now = now_us(m);
    uint64_t tried_n = atomic_load(&m->tried_n);
    uint64_t passed_us;
    double rate;

    mutex_lock(&m->rate_mutex);
    passed_us = now - m->rate_since_us;
    rate = m->rate;
    if (rate < 0 || passed_us >= RATE_SPAN_US)
        rate = passed_us == 0 ? 0 : (double)(tried_n - m->rate_tried_n) * 1e6 / (double)passed_us;
    if (passed_us >= RATE_SPAN_US) {
        m->rate = rate;
        m->rate_since_us = now;
        m->rate_tried_n = tried_n;
        log_info("mining", "hashing at %.2f MH/s with %u threads", rate * 1e-6, m->started_n);
    }
    mutex_unlock(&m->rate_mutex);
    return rate;
}

void dig_thread(void *context)
{
    struct digger *digger = context;
    struct own_miner *m = digger->miner;
    struct dig dig = {.m = m};
    struct buf block = {0};

    while (miner_goes_on(m)) {
        int64_t ms = wait_ms(m);
        struct error err;

        if (digger->number == 0)
            (void)dig_rate(m); /* Logs now and then. */
        if (ms > 0 || is_behind(m)) {
            rest(m, ms > 0 ? ms : REST_MS);
        } else if (dig_one(&dig, &block, &err) < 0) {
            log_warning("mining", "could not begin a block: %s", error_text(&err));
            rest(m, REST_MS);
        }
    }
    buf_clear(&block);
}
