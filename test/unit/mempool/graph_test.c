/* The cluster graph: orders against the naive model, and the cases named in its header. */
#include "mempool/graph.h"

#include "mempool/naive_graph.h"
#include "test.h"

static void random_orders_match_the_model(void)
{
    uint8_t orders[400];

    for (int round = 0; round < 150; round++) {
        test_random_fill(orders, sizeof(orders));
        naive_graph_play(orders, 20 + test_random_below(sizeof(orders) - 20));
    }
}

static uint32_t chain(struct graph *graph, uint32_t parent, uint32_t n, int64_t fee_sat,
                      int32_t size)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t node = graph_add(graph, fee_sat, size, NULL);

        if (parent != GRAPH_NONE)
            graph_link(graph, parent, node);
        parent = node;
    }
    return parent;
}

static void limits_are_those_of_the_options(void)
{
    struct graph *graph = graph_new(NULL);
    uint32_t last = chain(graph, GRAPH_NONE, 64, 100, 400);
    uint32_t more;

    EXPECT_INT("64 nodes", graph_fits(graph, GRAPH_MAIN), 1);
    graph_stage(graph);
    more = graph_add(graph, 100, 400, NULL);
    graph_link(graph, last, more);
    EXPECT_INT("65 nodes", graph_fits(graph, GRAPH_TOP), 0);
    EXPECT_INT("main does not care", graph_fits(graph, GRAPH_MAIN), 1);
    graph_remove(graph, last);
    EXPECT_INT("one gone", graph_fits(graph, GRAPH_TOP), 1);
    graph_abort(graph);
    EXPECT_U64("as before", graph_count(graph, GRAPH_MAIN), 64);
    graph_free(graph);

    graph = graph_new(NULL);
    last = chain(graph, GRAPH_NONE, 1, 1, 204000);
    more = chain(graph, last, 1, 1, 200000);
    EXPECT_INT("404,000", graph_fits(graph, GRAPH_MAIN), 1);
    chain(graph, more, 1, 1, 1);
    EXPECT_INT("404,001", graph_fits(graph, GRAPH_MAIN), 0);
    graph_free(graph);

    graph = graph_new(NULL);
    chain(graph, GRAPH_NONE, 1, 1, 404001);
    EXPECT_INT("one alone too large", graph_fits(graph, GRAPH_MAIN), 0);
    graph_free(graph);
}

static void late_parents_are_trimmed(void)
{
    struct graph *graph = graph_new(NULL);
    uint32_t child = graph_add(graph, 1000, 100, NULL);
    const uint32_t *nodes;
    uint32_t parent;
    size_t n;

    chain(graph, child, 39, 1000, 100);
    parent = chain(graph, GRAPH_NONE, 30, 10, 100);
    graph_link(graph, parent, child);
    EXPECT_INT("70 nodes", graph_fits(graph, GRAPH_MAIN), 0);
    n = graph_trim(graph, &nodes);
    EXPECT_U64("six must go", n, 6);
    for (size_t i = 0; i < n; i++)
        graph_remove(graph, nodes[i]);
    EXPECT_INT("fits", graph_fits(graph, GRAPH_MAIN), 1);
    EXPECT_U64("one cluster", graph_cluster_sum(graph, GRAPH_MAIN, child).nodes_n, 64);
    EXPECT_U64("its depth", graph_ancestors_sum(graph, GRAPH_MAIN, child).nodes_n, 31);
    graph_free(graph);
}

static void a_replacement_is_compared(void)
{
    struct graph *graph = graph_new(NULL);
    uint32_t parent = graph_add(graph, 1000, 1000, NULL);
    uint32_t child = graph_add(graph, 9000, 1000, NULL);
    struct graph_diagrams got;
    uint32_t other;

    graph_link(graph, parent, child);
    graph_add(graph, 77, 7, NULL);
    graph_stage(graph);
    other = graph_add(graph, 9500, 1000, NULL);
    graph_link(graph, parent, other);
    graph_remove(graph, child);
    graph_diagrams(graph, &got);
    EXPECT_U64("one chunk before", got.main_n, 1);
    EXPECT_U64("one after", got.staged_n, 1);
    EXPECT_INT("fee before", got.main[0].fee_sat, 10000);
    EXPECT_INT("fee after", got.staged[0].fee_sat, 10500);
    EXPECT_INT("better", diagram_compare(got.staged, got.staged_n, got.main, got.main_n),
               DIAGRAM_BETTER);
    EXPECT_INT("not in main", graph_exists(graph, GRAPH_MAIN, other), 0);
    graph_commit(graph);
    EXPECT_INT("in main", graph_exists(graph, GRAPH_MAIN, other), 1);
    EXPECT_INT("child is gone", graph_exists(graph, GRAPH_MAIN, child), 0);
    EXPECT_INT("its chunk", graph_chunk_of(graph, parent).fee_sat, 10500);
    graph_free(graph);
}

static void a_skipped_cluster_stays_out(void)
{
    struct graph *graph = graph_new(NULL);
    uint32_t parent = graph_add(graph, 9000, 1000, NULL);
    uint32_t child = graph_add(graph, 1000, 1000, NULL);
    struct graph_chunk chunk;
    struct graph_walk walk;

    graph_link(graph, parent, child);
    graph_add(graph, 5000, 1000, NULL);
    graph_walk_begin(graph, &walk);
    EXPECT_INT("first", graph_walk_next(&walk, &chunk), 1);
    EXPECT_U64("the parent", chunk.nodes[0], parent);
    graph_walk_skip(&walk);
    EXPECT_INT("second", graph_walk_next(&walk, &chunk), 1);
    EXPECT_INT("the other", chunk.total.fee_sat, 5000);
    EXPECT_INT("no more", graph_walk_next(&walk, &chunk), 0);
    EXPECT_INT("still none", graph_walk_next(&walk, &chunk), 0);
    graph_walk_begin(graph, &walk);
    for (int i = 0; i < 3; i++)
        EXPECT_INT("again", graph_walk_next(&walk, &chunk), 1);
    EXPECT_U64("the child at last", chunk.nodes[0], child);
    EXPECT_U64("second of its cluster", chunk.index, 1);
    graph_free(graph);
}

static void equal_feerates_come_small_first(void)
{
    struct graph *graph = graph_new(NULL);
    uint32_t parent = graph_add(graph, 100, 10, NULL);
    uint32_t child = graph_add(graph, 100, 10, NULL);
    uint32_t middle = graph_add(graph, 150, 15, NULL);
    uint32_t same = graph_add(graph, 200, 20, NULL);

    /* The child's chunk ends at 20 of its cluster; it came before the last one. */
    graph_link(graph, parent, child);
    EXPECT_INT("10, 15", graph_compare(graph, parent, middle), -1);
    EXPECT_INT("15, 20", graph_compare(graph, middle, child), -1);
    EXPECT_INT("20, 20", graph_compare(graph, child, same), -1);
    graph_free(graph);
}

static void memory_comes_back(void)
{
    struct graph *graph = graph_new(NULL);
    size_t empty = graph_memory_bytes(graph);
    uint32_t nodes[500];

    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
            nodes[i] = graph_add(graph, (int64_t)test_random_below(1000), 100, NULL);
            EXPECT_INT("numbers are used again", nodes[i] < ARRAY_LEN(nodes), 1);
            if (i % 20 != 0)
                graph_link(graph, nodes[i - 1 - test_random_below(i % 20)], nodes[i]);
        }
        graph_settle(graph);
        EXPECT_INT("takes some", graph_memory_bytes(graph) > 500 * 64, 1);
        for (size_t i = 0; i < ARRAY_LEN(nodes); i++)
            graph_remove(graph, nodes[i]);
        graph_settle(graph);
        EXPECT_U64("none left", graph_memory_bytes(graph), empty);
        graph_check(graph);
    }
    graph_free(graph);
}

TEST_LIST(TEST(random_orders_match_the_model), TEST(limits_are_those_of_the_options),
          TEST(late_parents_are_trimmed), TEST(a_replacement_is_compared),
          TEST(a_skipped_cluster_stays_out), TEST(equal_feerates_come_small_first),
          TEST(memory_comes_back))
