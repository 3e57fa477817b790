/* Linearizations against all closed sets and all orders of small clusters, and large ones
 * against what must hold of any. */
#include "mempool/linearize.h"

#include "mempool/naive_graph.h"
#include "test.h"

static int compare_numbers(const void *context, uint32_t a, uint32_t b)
{
    (void)context;
    return (a > b) - (a < b);
}

/* A random cluster: likely gives how dense it is, of 16. */
static struct linearize_task random_task(uint32_t n, unsigned likely, int64_t fees, int64_t sizes)
{
    struct linearize_task task = {.n = n, .compare = compare_numbers, .budget = UINT64_MAX};

    for (uint32_t i = 0; i < n; i++) {
        task.nodes[i].fee_sat = (int64_t)test_random_below((uint64_t)fees) - fees / 16;
        task.nodes[i].size = 1 + (int64_t)test_random_below((uint64_t)sizes);
        task.ancestors[i] = UINT64_C(1) << i;
        for (uint32_t j = 0; j < i; j++)
            if (test_random_below(16) < likely)
                task.ancestors[i] |= task.ancestors[j];
    }
    return task;
}

/* The chunks; checks that the order respects dependencies and that chunks fall, hang
 * together and have no better beginning. */
static size_t chunks_of(const struct linearize_task *task, const struct linearization *result,
                        struct fee_size *ret_chunks)
{
    uint64_t done = 0;
    uint64_t chunk = 0;
    size_t n = 0;

    ret_chunks[0] = (struct fee_size){0};
    for (uint32_t k = 0; k < task->n; k++) {
        uint32_t i = result->order[k];
        uint64_t part;
        uint64_t before;

        CHECK(!(done >> i & 1));
        done |= UINT64_C(1) << i;
        chunk |= UINT64_C(1) << i;
        CHECK((task->ancestors[i] & ~done) == 0);
        ret_chunks[n] = fee_size_add(ret_chunks[n], task->nodes[i]);
        if (!(result->ends >> k & 1))
            continue;
        CHECK(n == 0 || fee_size_compare(ret_chunks[n - 1], ret_chunks[n]) >= 0);
        part = chunk & -chunk;
        do {
            before = part;
            for (uint32_t a = 0; a < task->n; a++)
                if ((chunk >> a & 1) && ((task->ancestors[a] & part) || (part >> a & 1)))
                    part |= task->ancestors[a] & chunk;
        } while (part != before);
        CHECK(part == chunk);
        chunk = 0;
        n++;
        if (k + 1 < task->n)
            ret_chunks[n] = (struct fee_size){0};
    }
    CHECK(chunk == 0);
    return n;
}

static void small_clusters_are_best_of_all_sets(void)
{
    struct fee_size want[LINEARIZE_MAX];
    struct fee_size got[LINEARIZE_MAX];

    for (int round = 0; round < 1500; round++) {
        /* Few different fees and sizes make many ties. */
        int64_t fees = round % 2 ? 8 : 1000;
        struct linearize_task task = random_task(1 + (uint32_t)test_random_below(10),
                                                 (unsigned)test_random_below(10), fees, fees / 4);
        struct linearization result;
        size_t want_n = naive_best_chunks(want, task.nodes, task.ancestors, task.n);
        size_t got_n;

        linearize(&task, &result);
        got_n = chunks_of(&task, &result, got);
        diagram_sort(want, want_n);
        diagram_sort(got, got_n);
        EXPECT_INT("optimal", result.is_optimal, 1);
        EXPECT_U64("chunks", got_n, want_n);
        EXPECT_BYTES("diagram", got, got_n * sizeof(*got), want, want_n * sizeof(*want));
    }
}

/* Every order that respects dependencies, one after the other. */
static void all_orders(const struct linearize_task *task, uint64_t done, uint32_t *order,
                       uint32_t at, const struct fee_size *best, size_t best_n)
{
    struct fee_size chunks[LINEARIZE_MAX];
    size_t n = 0;

    if (at < task->n) {
        for (uint32_t i = 0; i < task->n; i++) {
            if ((done >> i & 1) || (task->ancestors[i] & ~done) != UINT64_C(1) << i)
                continue;
            order[at] = i;
            all_orders(task, done | UINT64_C(1) << i, order, at + 1, best, best_n);
        }
        return;
    }
    for (uint32_t k = 0; k < task->n; k++) {
        chunks[n++] = task->nodes[order[k]];
        while (n > 1 && fee_size_compare(chunks[n - 2], chunks[n - 1]) < 0) {
            chunks[n - 2] = fee_size_add(chunks[n - 2], chunks[n - 1]);
            n--;
        }
    }
    switch (diagram_compare(best, best_n, chunks, n)) {
    case DIAGRAM_EQUAL:
    case DIAGRAM_BETTER:
        return;
    default:
        EXPECT_INT("no order is better", 0, 1);
    }
}

static void small_clusters_are_best_of_all_orders(void)
{
    for (int round = 0; round < 200; round++) {
        struct linearize_task task = random_task(1 + (uint32_t)test_random_below(7), 4, 50, 10);
        struct fee_size got[LINEARIZE_MAX];
        uint32_t order[LINEARIZE_MAX];
        struct linearization result;
        size_t n;

        linearize(&task, &result);
        n = chunks_of(&task, &result, got);
        all_orders(&task, 0, order, 0, got, n);
    }
}

/* Fees and sizes at their greatest must not overflow, and a budget that ends in the middle
 * must leave an order that is valid and nowhere above the best. */
static void large_clusters_and_small_budgets(void)
{
    for (int round = 0; round < 150; round++) {
        int64_t fees = round % 3 == 0 ? INT64_C(1) << 55 : 100000;
        struct linearize_task task =
            random_task(64, 1 + (unsigned)round % 5, fees, round % 3 == 0 ? 1 << 24 : 1000);
        struct fee_size best[LINEARIZE_MAX];
        struct fee_size other[LINEARIZE_MAX];
        struct linearization result;
        size_t best_n;
        size_t other_n;

        linearize(&task, &result);
        EXPECT_INT("optimal", result.is_optimal, 1);
        best_n = chunks_of(&task, &result, best);
        task.budget = test_random_below(result.steps);
        linearize(&task, &result);
        other_n = chunks_of(&task, &result, other);
        if (result.is_optimal)
            EXPECT_INT("the same", diagram_compare(best, best_n, other, other_n), DIAGRAM_EQUAL);
        else
            EXPECT_INT("not better",
                       diagram_compare(other, other_n, best, best_n) == DIAGRAM_BETTER ||
                           diagram_compare(other, other_n, best, best_n) == DIAGRAM_INCOMPARABLE,
                       0);
    }
}

static void ties_follow_the_users_order(void)
{
    struct linearize_task task = {.n = 4, .compare = compare_numbers, .budget = UINT64_MAX};
    struct linearization result;

    /* Three alike, and one of the same feerate but smaller: that first, then by name. */
    for (uint32_t i = 0; i < 4; i++) {
        task.nodes[i] = (struct fee_size){.fee_sat = 20, .size = 10};
        task.ancestors[i] = UINT64_C(1) << i | 1;
    }
    task.nodes[3] = (struct fee_size){.fee_sat = 2, .size = 1};
    linearize(&task, &result);
    EXPECT_INT("root", result.order[0], 0);
    EXPECT_INT("small", result.order[1], 3);
    EXPECT_INT("then", result.order[2], 1);
    EXPECT_INT("last", result.order[3], 2);
    EXPECT_U64("every one a chunk", result.ends, 15);
}

TEST_LIST(TEST(small_clusters_are_best_of_all_sets), TEST(small_clusters_are_best_of_all_orders),
          TEST(large_clusters_and_small_budgets), TEST(ties_follow_the_users_order))
