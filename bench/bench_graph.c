/* The cluster graph under the load of a mempool.
 *
 *   bench_graph [NODES]
 *
 * Nodes come one by one, each in a staged level of its own that is compared and
 * committed, as acceptance does it. Then the best are taken as a block takes them, the
 * worst are evicted, and clusters of 64 of several shapes are linearized. CPU time.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/check.h"
#include "mempool/graph.h"
#include "mempool/linearize.h"

static uint64_t state = 88172645463325252U;

static uint64_t below(uint64_t bound)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % bound;
}

static double cpu_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int by_name(const void *a, const void *b)
{
    return (a > b) - (a < b);
}

/* Each node has up to parents_max parents among the last of its group. */
static struct graph *fill(const char *label, uint32_t n, uint32_t group, uint32_t parents_max,
                          bool is_chain)
{
    struct graph_options options = {.compare = by_name, .seed = 1};
    struct graph *graph = graph_new(&options);
    uint32_t *nodes = alloc_array(n, sizeof(*nodes));
    double begin = cpu_s();

    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = i % group;
        struct graph_diagrams diagrams;

        graph_stage(graph);
        nodes[i] = graph_add(graph, 100 + (int64_t)below(100000), 400 + (int32_t)below(800),
                             (void *)(uintptr_t)(below(UINT64_MAX) | 1));
        for (uint32_t k = 0; k < parents_max && at > 0; k++)
            graph_link(graph, is_chain ? nodes[i - 1] : nodes[i - 1 - below(at)], nodes[i]);
        CHECK(graph_fits(graph, GRAPH_TOP));
        graph_diagrams(graph, &diagrams);
        CHECK(diagrams.staged_n > 0);
        graph_commit(graph);
    }
    graph_settle(graph);
    begin = cpu_s() - begin;
    printf("%-34s %9.0f nodes/s  %6.2f us each  %5zu bytes each\n", label, n / begin,
           begin / n * 1e6, graph_memory_bytes(graph) / n);
    free(nodes);
    return graph;
}

/* Takes the best 3,000 nodes out, then evicts the rest. */
static void drain(struct graph *graph)
{
    uint32_t taken[3000 + GRAPH_CLUSTER_MAX];
    size_t taken_n = 0;
    uint32_t evicted_n = 0;
    struct graph_walk walk;
    struct graph_chunk chunk;
    double begin = cpu_s();
    double walked;

    graph_walk_begin(graph, &walk);
    while (taken_n < 3000 && graph_walk_next(&walk, &chunk))
        for (size_t k = 0; k < chunk.nodes_n; k++)
            taken[taken_n++] = chunk.nodes[k];
    walked = cpu_s() - begin;
    begin = cpu_s();
    for (size_t i = 0; i < taken_n; i++)
        graph_remove(graph, taken[i]);
    graph_settle(graph);
    printf("  block of %zu: walk %.3f ms, removal %.3f ms\n", taken_n, walked * 1e3,
           (cpu_s() - begin) * 1e3);
    begin = cpu_s();
    while (graph_worst(graph, &chunk)) {
        uint32_t nodes[GRAPH_CLUSTER_MAX];
        size_t n = chunk.nodes_n;

        for (size_t k = 0; k < n; k++)
            nodes[k] = chunk.nodes[k];
        while (n > 0)
            graph_remove(graph, nodes[--n]);
        evicted_n++;
    }
    printf("  eviction: %.2f us a chunk\n", (cpu_s() - begin) / evicted_n * 1e6);
    graph_free(graph);
}

static int compare_numbers(const void *context, uint32_t a, uint32_t b)
{
    (void)context;
    return (a > b) - (a < b);
}

enum shape { SHAPE_SPARSE, SHAPE_DENSE, SHAPE_CHAIN, SHAPE_TREE, SHAPE_BIPARTITE, SHAPES };
static const char *const shape_names[SHAPES] = {"sparse", "dense", "chain", "tree", "two layers"};

static void random_cluster(struct linearize_task *task, enum shape shape)
{
    task->n = 64;
    for (uint32_t i = 0; i < 64; i++) {
        task->nodes[i] = (struct fee_size){.fee_sat = (int64_t)below(100000),
                                           .size = 400 + (int64_t)below(40000)};
        task->ancestors[i] = UINT64_C(1) << i;
        for (uint32_t j = 0; j < i; j++) {
            bool is_parent = false;

            switch (shape) {
            case SHAPE_SPARSE:
                is_parent = below(i) < 2;
                break;
            case SHAPE_DENSE:
                is_parent = below(8) == 0;
                break;
            case SHAPE_CHAIN:
                is_parent = j + 1 == i;
                break;
            case SHAPE_TREE:
                is_parent = j == (i - 1) / 2;
                break;
            default:
                is_parent = i >= 32 && j < 32 && below(8) == 0;
                break;
            }
            if (is_parent)
                task->ancestors[i] |= task->ancestors[j];
        }
    }
}

static void linearizations(void)
{
    struct linearize_task task = {.compare = compare_numbers, .budget = UINT64_MAX};
    struct linearization result;

    for (enum shape shape = 0; shape < SHAPES; shape++) {
        uint64_t steps_max = 0;
        double total = 0;
        double worst = 0;

        for (int round = 0; round < 300; round++) {
            double begin;

            random_cluster(&task, shape);
            begin = cpu_s();
            linearize(&task, &result);
            begin = cpu_s() - begin;
            total += begin;
            worst = begin > worst ? begin : worst;
            steps_max = result.steps > steps_max ? result.steps : steps_max;
        }
        printf("linearize 64, %-10s  %7.1f us, worst %7.1f us, steps at most %" PRIu64 "\n",
               shape_names[shape], total / 300 * 1e6, worst * 1e6, steps_max);
    }
}

int main(int argc, char **argv)
{
    uint32_t n = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 50000;

    drain(fill("alone", n, 1, 0, false));
    drain(fill("pairs", n, 2, 1, true));
    drain(fill("chains of 25", n, 25, 1, true));
    drain(fill("clusters of 10, two parents", n, 10, 2, false));
    drain(fill("clusters of 25, two parents", n, 25, 2, false));
    drain(fill("chains of 64", n, 64, 1, true));
    drain(fill("clusters of 64, two parents", n, 64, 2, false));
    linearizations();
    return 0;
}
