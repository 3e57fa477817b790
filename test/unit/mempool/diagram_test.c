/* Diagrams against their values at every size. */
#include "mempool/diagram.h"

#include "test.h"

__extension__ typedef __int128 wide;

/* The height at a size, as numerator over a common denominator: 5040 is divisible by all
 * chunk sizes used. */
static int64_t height(const struct fee_size *chunks, size_t n, int64_t size)
{
    int64_t sum = 0;

    for (size_t i = 0; i < n && size > 0; i++) {
        int64_t part = MIN(size, chunks[i].size);

        sum += chunks[i].fee_sat * part * (5040 / chunks[i].size);
        size -= part;
    }
    return sum;
}

static size_t random_chunks(struct fee_size *chunks)
{
    size_t n = test_random_below(5);

    for (size_t i = 0; i < n; i++) {
        chunks[i].size = 1 + (int64_t)test_random_below(9);
        chunks[i].fee_sat = (int64_t)test_random_below(20) - 3;
    }
    diagram_sort(chunks, n);
    return n;
}

static void comparison_matches_every_size(void)
{
    size_t seen[4] = {0};

    for (int round = 0; round < 20000; round++) {
        struct fee_size a[5];
        struct fee_size b[5];
        size_t a_n = random_chunks(a);
        size_t b_n = random_chunks(b);
        bool above = false;
        bool below = false;
        enum diagram_order want;

        for (int64_t size = 0; size <= 60; size++) {
            above |= height(a, a_n, size) > height(b, b_n, size);
            below |= height(a, a_n, size) < height(b, b_n, size);
        }
        want = above && below ? DIAGRAM_INCOMPARABLE
               : above        ? DIAGRAM_BETTER
               : below        ? DIAGRAM_WORSE
                              : DIAGRAM_EQUAL;
        seen[want]++;
        EXPECT_INT("order", diagram_compare(a, a_n, b, b_n), want);
    }
    for (int i = 0; i < 4; i++)
        EXPECT_INT("every answer came up", seen[i] > 20, 1);
}

static void feerates_are_exact(void)
{
    struct fee_size a = {.fee_sat = INT64_C(1) << 55, .size = (1 << 24) - 1};
    struct fee_size b = {.fee_sat = (INT64_C(1) << 55) - 1, .size = (1 << 24) - 1};

    EXPECT_INT("greater", fee_size_compare(a, b), 1);
    EXPECT_INT("less", fee_size_compare(b, a), -1);
    EXPECT_INT("equal", fee_size_compare((struct fee_size){6, 4}, (struct fee_size){3, 2}), 0);
    EXPECT_INT("negative", fee_size_compare((struct fee_size){-3, 1}, (struct fee_size){-3, 2}),
               -1);
}

static const struct {
    const char *label;
    struct fee_size rate;
    int64_t size;
    int64_t down, up;
} fee_rows[] = {
    {"whole", {10, 4}, 2, 5, 5},
    {"part", {10, 4}, 3, 7, 8},
    {"negative", {-10, 4}, 3, -8, -7},
    {"nothing", {10, 4}, 0, 0, 0},
    {"too much", {INT64_MAX, 1}, 2, INT64_MAX, INT64_MAX},
    {"too little", {INT64_MIN, 1}, 2, INT64_MIN, INT64_MIN},
};

static void fees_for_other_sizes(void)
{
    for (size_t i = 0; i < ARRAY_LEN(fee_rows); i++) {
        EXPECT_INT(fee_rows[i].label, fee_size_fee_down(fee_rows[i].rate, fee_rows[i].size),
                   fee_rows[i].down);
        EXPECT_INT(fee_rows[i].label, fee_size_fee_up(fee_rows[i].rate, fee_rows[i].size),
                   fee_rows[i].up);
    }
}

TEST_LIST(TEST(comparison_matches_every_size), TEST(feerates_are_exact), TEST(fees_for_other_sizes))
