/* Fee estimation: against a slow model that keeps every transaction, and its file. */
#include "mempool/fees.h"

#include <stdlib.h>

#include "../test.h"
#include "base/alloc.h"

static struct fees *fresh(void)
{
    return fees_new(NULL, "", 0);
}

/* Blocks in which each of some feerates is confirmed after its own delay. */
static void run_market(struct fees *fees, int32_t from, int32_t blocks, int32_t per_block)
{
    /* Dear ones at once, middle ones after 5 blocks, cheap ones after 20. */
    static const struct {
        int64_t rate;
        int32_t delay;
    } kinds[] = {{100000, 1}, {20000, 5}, {2000, 20}};
    struct fees_confirmed *taken = alloc_array((size_t)per_block * 3 + 1, sizeof(*taken));
    uint16_t bucket[3];

    for (int32_t height = from; height < from + blocks; height++) {
        size_t n = 0;

        for (int k = 0; k < 3; k++) {
            for (int32_t i = 0; i < per_block; i++)
                bucket[k] = fees_tx_added(fees, kinds[k].rate, height, true);
        }
        for (int k = 0; k < 3; k++) {
            int32_t entered = height + 1 - kinds[k].delay;

            for (int32_t i = 0; i < per_block && entered >= from; i++)
                taken[n++] = (struct fees_confirmed){bucket[k], entered, kinds[k].rate};
        }
        fees_block(fees, height + 1, taken, n);
    }
    free(taken);
}

static void markets_are_learned(void)
{
    struct fees *fees = fresh();
    struct fee_estimate soon;
    struct fee_estimate later;
    struct fee_estimate late;

    /* So that the tip is known. */
    fees_block(fees, 100, NULL, 0);
    EXPECT_INT("nothing yet", fees_estimate(fees, 6, FEE_ECONOMICAL).sat_kvb, -1);
    run_market(fees, 100, 300, 10);
    soon = fees_estimate(fees, 2, FEE_ECONOMICAL);
    later = fees_estimate(fees, 12, FEE_ECONOMICAL);
    late = fees_estimate(fees, 60, FEE_ECONOMICAL);
    EXPECT_TRUE("soon", llabs(soon.sat_kvb - 100000) < 10);
    EXPECT_TRUE("later", llabs(later.sat_kvb - 20000) < 10);
    EXPECT_TRUE("late", llabs(late.sat_kvb - 2000) < 10);
    EXPECT_INT("for", later.blocks, 12);
    /* Half of what was seen is the most that can be promised. */
    EXPECT_TRUE("too far", fees_estimate(fees, 1008, FEE_ECONOMICAL).blocks <= 150);
    EXPECT_INT("longest", fees_target_max(fees), 1008);
    EXPECT_INT("beyond", fees_estimate(fees, 1009, FEE_ECONOMICAL).sat_kvb, -1);
    fees_free(fees);
}

static void the_next_block_is_not_promised(void)
{
    struct fees *fees = fresh();

    fees_block(fees, 100, NULL, 0);
    run_market(fees, 100, 100, 10);
    EXPECT_INT("1 is 2", fees_estimate(fees, 1, FEE_ECONOMICAL).blocks, 2);
    fees_free(fees);
}

static void horizons_say_what_they_know(void)
{
    struct fee_horizon horizons[3];
    struct fees *fees = fresh();

    fees_block(fees, 100, NULL, 0);
    run_market(fees, 100, 200, 5);
    EXPECT_U64("12", fees_estimate_raw(fees, horizons, 12, 0.95), 3);
    EXPECT_STR("first", horizons[0].name, "short");
    EXPECT_TRUE("pass", horizons[0].pass.start <= 20000 && horizons[0].pass.end >= 20000);
    EXPECT_TRUE("fail", horizons[0].fail.end < 20000);
    EXPECT_U64("13", fees_estimate_raw(fees, horizons, 13, 0.95), 2);
    EXPECT_STR("medium", horizons[0].name, "medium");
    EXPECT_U64("49", fees_estimate_raw(fees, horizons, 49, 0.95), 1);
    EXPECT_INT("scale", horizons[0].scale, 24);
    fees_free(fees);
}

static void what_leaves_counts_against(void)
{
    struct fees *fees = fresh();
    struct fees *strict = fresh();
    struct fee_horizon plain[3];
    struct fee_horizon with_losses[3];
    uint16_t bucket;

    fees_block(fees, 100, NULL, 0);
    fees_block(strict, 100, NULL, 0);
    run_market(fees, 100, 100, 5);
    run_market(strict, 100, 80, 5);
    /* As many enter at that rate and wait ten blocks in vain. */
    for (int i = 0; i < 400; i++)
        bucket = fees_tx_added(strict, 20000, 180, true);
    run_market(strict, 180, 20, 5);
    for (int i = 0; i < 400; i++)
        fees_tx_removed(strict, bucket, 180);
    (void)fees_estimate_raw(fees, plain, 6, 0.85);
    (void)fees_estimate_raw(strict, with_losses, 6, 0.85);
    EXPECT_TRUE("without", plain[0].sat_kvb < 30000);
    EXPECT_TRUE("with", with_losses[0].sat_kvb > 50000);
    fees_free(fees);
    fees_free(strict);
}

static void files_keep_everything(void)
{
    struct fees *fees = fresh();
    struct fees *again = fresh();
    struct buf bytes = {0};
    struct buf twice = {0};
    struct error err;

    fees_block(fees, 100, NULL, 0);
    run_market(fees, 100, 150, 7);
    fees_write(fees, &bytes);
    EXPECT_INT("read", fees_read(again, span_of_buf(&bytes), &err), 0);
    fees_write(again, &twice);
    EXPECT_BYTES("the same", twice.data, twice.len, bytes.data, bytes.len);
    EXPECT_INT("estimate", fees_estimate(again, 12, FEE_ECONOMICAL).sat_kvb,
               fees_estimate(fees, 12, FEE_ECONOMICAL).sat_kvb);
    for (size_t len = 0; len < bytes.len; len += 97)
        EXPECT_TRUE("cut", fees_read(again, span_of(bytes.data, len), &err) < 0);
    bytes.data[0] ^= 1;
    EXPECT_INT("version", fees_read(again, span_of_buf(&bytes), &err), E_MALFORMED);
    bytes.data[0] ^= 1;
    memset(bytes.data + 16 + 3, 0xff, 8);
    EXPECT_INT("buckets", fees_read(again, span_of_buf(&bytes), &err), E_MALFORMED);
    twice.len = 0;
    fees_write(again, &twice);
    EXPECT_TRUE("as it was", twice.len == bytes.len);
    buf_clear(&bytes);
    buf_clear(&twice);
    fees_free(fees);
    fees_free(again);
}

TEST_LIST(TEST(markets_are_learned), TEST(the_next_block_is_not_promised),
          TEST(horizons_say_what_they_know), TEST(what_leaves_counts_against),
          TEST(files_keep_everything))
