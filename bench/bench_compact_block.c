/* Putting a full block together from a compact one (BIP 152), all of it known.
 *
 *   bench_compact_block [TRANSACTIONS]
 *
 * A mempool of so many transactions (default 100,000), offered in no order, and a block
 * of 4,000,000 weight units made of some of them. CPU time, the best of ten.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/check.h"
#include "codec/writer.h"
#include "consensus/rules.h"
#include "crypto/sha256.h"
#include "p2p/compact_block.h"
#include "primitives/merkle.h"

#define ROUNDS 10
#define AHEAD 12

static uint64_t state = 88172645463325252U;

static uint64_t next(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static double cpu_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static void add_noise(struct buf *buf, size_t len)
{
    for (size_t i = 0; i < len; i++)
        buf_add_byte(buf, (uint8_t)next());
}

/* One input that spends a key's hash, two outputs to such. */
static struct tx_ref *make_tx(bool is_coinbase)
{
    struct buf buf = {0};
    struct tx_ref *ref;

    write_le32(&buf, 2);
    buf_add(&buf, "\x00\x01\x01", 3);
    if (is_coinbase)
        memset(buf_extend(&buf, 32), 0, 32);
    else
        add_noise(&buf, 32);
    write_le32(&buf, is_coinbase ? 0xffffffff : 0);
    write_compact_size(&buf, is_coinbase ? 4 : 0);
    add_noise(&buf, is_coinbase ? 4 : 0);
    write_le32(&buf, 0xfffffffd);
    write_compact_size(&buf, 2);
    for (int i = 0; i < 2; i++) {
        write_le64(&buf, next() % 1000000);
        buf_add(&buf, "\x16\x00\x14", 3);
        add_noise(&buf, 20);
    }
    write_compact_size(&buf, 2);
    write_compact_size(&buf, 72);
    add_noise(&buf, 72);
    write_compact_size(&buf, 33);
    add_noise(&buf, 33);
    write_le32(&buf, 0);
    CHECK(tx_ref_read(&ref, span_of_buf(&buf), NULL) == 0);
    buf_clear(&buf);
    return ref;
}

/* The block of the first transactions of the pool that fit. */
static void make_block(struct buf *raw, struct tx_ref **pool, uint32_t pool_n)
{
    struct tx_ref *coinbase = make_tx(true);
    struct header header = {.version = 4, .time = 1700000000, .bits = 0x207fffff};
    struct arena arena;
    struct block block;
    uint64_t weight = 4 * (HEADER_BYTES + 3) + tx_weight(&coinbase->tx);
    uint32_t n = 0;

    while (n < pool_n && weight + tx_weight(&pool[n]->tx) <= BLOCK_WEIGHT_MAX)
        weight += tx_weight(&pool[n++]->tx);
    header_write(buf_extend(raw, HEADER_BYTES), &header);
    write_compact_size(raw, n + 1);
    write_span(raw, coinbase->tx.raw);
    for (uint32_t i = 0; i < n; i++)
        write_span(raw, pool[i]->tx.raw);
    arena_init(&arena);
    CHECK(block_read(&block, raw->data, raw->len, &arena) == 0);
    header.merkle_root = block_merkle_root(&block, NULL, &arena);
    header_write(raw->data, &header);
    arena_clear(&arena);
    tx_ref_drop(coinbase);
    printf("block: %u transactions, %" PRIu64 " weight units, %zu bytes\n", n + 1, weight,
           raw->len);
}

static void shuffle(struct tx_ref **pool, uint32_t n)
{
    for (uint32_t i = n - 1; i > 0; i--) {
        uint32_t k = (uint32_t)(next() % (i + 1));
        struct tx_ref *other = pool[k];

        pool[k] = pool[i];
        pool[i] = other;
    }
}

static void run(struct tx_ref **pool, uint32_t pool_n, const struct buf *raw)
{
    double best[5] = {1e9, 1e9, 1e9, 1e9, 1e9};
    struct arena arena;
    struct block block;

    arena_init(&arena);
    CHECK(block_read(&block, raw->data, raw->len, &arena) == 0);
    for (int round = 0; round < ROUNDS; round++) {
        struct message_cmpctblock message;
        struct compact_block *partial;
        struct buf compact = {0};
        struct buf again = {0};
        double at[6] = {cpu_ms()};

        compact_block_write(&compact, &block, next(), NULL, 0);
        at[1] = cpu_ms();
        CHECK(message_read_cmpctblock(&message, span_of_buf(&compact), &arena, NULL) == 0);
        CHECK(compact_block_new(&partial, &message, next()) == COMPACT_OK);
        at[2] = cpu_ms();
        for (uint32_t i = 0; i < pool_n; i++) {
            /* As the mempool's walk does. */
            if (i + AHEAD < pool_n)
                __builtin_prefetch(&pool[i + AHEAD]->tx.wtxid);
            if (!compact_block_offer(partial, pool[i]))
                break;
        }
        at[3] = cpu_ms();
        CHECK(compact_block_fill(partial, NULL, 0, &again) == COMPACT_OK);
        at[4] = cpu_ms();
        CHECK(span_equal(span_of_buf(raw), span_of_buf(&again)));
        for (int i = 0; i < 4; i++)
            best[i] = at[i + 1] - at[i] < best[i] ? at[i + 1] - at[i] : best[i];
        best[4] = at[4] - at[1] < best[4] ? at[4] - at[1] : best[4];
        compact_block_free(partial);
        buf_clear(&compact);
        buf_clear(&again);
    }
    printf("made: %.2f ms\nread: %.2f ms\nmempool looked through: %.2f ms (%.0f ns each)\n"
           "put together and its root checked: %.2f ms\nfrom message to block: %.2f ms\n",
           best[0], best[1], best[2], best[2] * 1e6 / pool_n, best[3], best[4]);
    arena_clear(&arena);
}

int main(int argc, char **argv)
{
    uint32_t pool_n = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100000;
    struct tx_ref **pool = alloc_array(pool_n, sizeof(struct tx_ref *));
    struct buf raw = {0};

    CHECK(pool_n > 0);
    (void)sha256_select(true);
    for (uint32_t i = 0; i < pool_n; i++)
        pool[i] = make_tx(false);
    make_block(&raw, pool, pool_n);
    shuffle(pool, pool_n);
    run(pool, pool_n, &raw);
    for (uint32_t i = 0; i < pool_n; i++)
        tx_ref_drop(pool[i]);
    free(pool);
    buf_clear(&raw);
    return 0;
}
