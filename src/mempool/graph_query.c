/* What the graph is asked. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "mempool/graph_priv.h"

bool graph_fits(struct graph *graph, enum graph_level level)
{
    int l = graph_level_of(graph, level);

    graph_retry(graph, l);
    return graph->levels[l].waiting_n == 0 && graph->levels[l].giants.n == 0;
}

bool graph_exists(const struct graph *graph, enum graph_level level, uint32_t node)
{
    return node < graph->nodes_end && graph_node_at(graph, node)->is_used &&
           graph_find(graph, graph_level_of(graph, level), node) != NULL;
}

uint32_t graph_count(const struct graph *graph, enum graph_level level)
{
    return graph->levels[graph_level_of(graph, level)].nodes_n;
}

void *graph_user(const struct graph *graph, uint32_t node)
{
    return graph_node_at(graph, node)->user;
}

struct fee_size graph_fee_size(const struct graph *graph, uint32_t node)
{
    return graph_fee_size_at(graph, node);
}

size_t graph_memory_bytes(const struct graph *graph)
{
    return graph->main_bytes + graph->levels[LEVEL_MAIN].nodes_n * sizeof(struct graph_node) +
           graph->chunks_n * sizeof(struct chunk);
}

/* --- Around one node ----------------------------------------------------------------- */

/* The nodes of a set, parents first. */
static size_t write_set(struct cluster *cluster, uint64_t set, uint32_t *ret_nodes)
{
    uint8_t positions[GRAPH_CLUSTER_MAX];
    size_t n = 0;

    for (; set != 0; set &= set - 1) {
        size_t at = n++;

        /* Without an order: who has fewer ancestors is nobody's child who has more. */
        if (!cluster->is_ordered) {
            const uint64_t *ancestors = cluster_ancestors(cluster);
            int depth = __builtin_popcountll(ancestors[graph_lowest(set)]);

            for (; at > 0 && __builtin_popcountll(ancestors[positions[at - 1]]) > depth; at--)
                positions[at] = positions[at - 1];
        }
        positions[at] = (uint8_t)graph_lowest(set);
    }
    for (size_t i = 0; i < n; i++)
        ret_nodes[i] = cluster_nodes(cluster)[positions[i]];
    return n;
}

/* The cluster in one piece and in order; NULL: the level does not have the node. */
static struct cluster *find_ordered(struct graph *graph, enum graph_level level, uint32_t node)
{
    int l = graph_level_of(graph, level);
    struct cluster *cluster;

    graph_retry(graph, l);
    if (l == LEVEL_MAIN)
        cluster_settle_level(graph, LEVEL_MAIN);
    cluster = graph_find(graph, l, node);
    if (cluster == NULL || cluster->level == LEVEL_MAIN)
        return cluster;
    cluster_split(graph, cluster);
    cluster = graph_find(graph, l, node);
    cluster_order(graph, cluster);
    return cluster;
}

size_t graph_cluster(struct graph *graph, enum graph_level level, uint32_t node,
                     uint32_t ret_nodes[GRAPH_CLUSTER_MAX])
{
    struct cluster *cluster = find_ordered(graph, level, node);

    if (cluster == NULL)
        return 0;
    memcpy(ret_nodes, cluster_nodes(cluster), cluster->n * sizeof(*ret_nodes));
    return cluster->n;
}

static struct cluster *find_set(struct graph *graph, enum graph_level level, uint32_t node,
                                bool is_down, uint64_t *ret_set)
{
    int l = graph_level_of(graph, level);
    struct cluster *cluster;
    uint32_t at;

    graph_retry(graph, l);
    cluster = graph_find(graph, l, node);
    if (cluster == NULL)
        return NULL;
    at = graph_position(graph, cluster, node);
    *ret_set = is_down ? cluster_descendants(cluster)[at] : cluster_ancestors(cluster)[at];
    return cluster;
}

size_t graph_ancestors(struct graph *graph, enum graph_level level, uint32_t node,
                       uint32_t ret_nodes[GRAPH_CLUSTER_MAX])
{
    uint64_t set;
    struct cluster *cluster = find_set(graph, level, node, false, &set);

    return cluster == NULL ? 0 : write_set(cluster, set, ret_nodes);
}

size_t graph_descendants(struct graph *graph, enum graph_level level, uint32_t node,
                         uint32_t ret_nodes[GRAPH_CLUSTER_MAX])
{
    uint64_t set;
    struct cluster *cluster = find_set(graph, level, node, true, &set);

    return cluster == NULL ? 0 : write_set(cluster, set, ret_nodes);
}

static struct graph_sum sum_set(const struct graph *graph, struct cluster *cluster, uint64_t set)
{
    if (cluster == NULL)
        return (struct graph_sum){0};
    return (struct graph_sum){.nodes_n = (uint32_t)__builtin_popcountll(set),
                              .total = cluster_sum(graph, cluster, set)};
}

struct graph_sum graph_cluster_sum(struct graph *graph, enum graph_level level, uint32_t node)
{
    struct cluster *cluster = find_ordered(graph, level, node);

    return sum_set(graph, cluster, cluster == NULL ? 0 : graph_all(cluster->n));
}

struct graph_sum graph_ancestors_sum(struct graph *graph, enum graph_level level, uint32_t node)
{
    uint64_t set = 0;
    struct cluster *cluster = find_set(graph, level, node, false, &set);

    return sum_set(graph, cluster, set);
}

struct graph_sum graph_descendants_sum(struct graph *graph, enum graph_level level, uint32_t node)
{
    uint64_t set = 0;
    struct cluster *cluster = find_set(graph, level, node, true, &set);

    return sum_set(graph, cluster, set);
}

/* --- Around many --------------------------------------------------------------------- */

struct cluster_set {
    struct cluster *cluster;
    uint64_t set;
};

static size_t relatives_of(struct graph *graph, enum graph_level level, const uint32_t *nodes,
                           size_t nodes_n, bool is_down, const uint32_t **ret_nodes)
{
    struct cluster_set *sets = alloc_array(nodes_n + 1, sizeof(*sets));
    size_t sets_n = 0;
    size_t total = 0;

    graph->mark++;
    for (size_t i = 0; i < nodes_n; i++) {
        uint64_t set;
        struct cluster *cluster = find_set(graph, level, nodes[i], is_down, &set);

        if (cluster == NULL)
            continue;
        if (cluster->mark != graph->mark) {
            cluster->mark = graph->mark;
            cluster->slot = (uint32_t)sets_n;
            sets[sets_n++] = (struct cluster_set){.cluster = cluster};
        }
        sets[cluster->slot].set |= set;
    }
    for (size_t i = 0; i < sets_n; i++)
        total += (size_t)__builtin_popcountll(sets[i].set);
    if (total > graph->result.room) {
        graph->result.room = total;
        graph->result.numbers = realloc_array(graph->result.numbers, total, sizeof(uint32_t));
    }
    graph->result.n = 0;
    for (size_t i = 0; i < sets_n; i++)
        graph->result.n +=
            write_set(sets[i].cluster, sets[i].set, graph->result.numbers + graph->result.n);
    free(sets);
    *ret_nodes = graph->result.numbers;
    return total;
}

size_t graph_ancestors_of(struct graph *graph, enum graph_level level, const uint32_t *nodes,
                          size_t nodes_n, const uint32_t **ret_nodes)
{
    return relatives_of(graph, level, nodes, nodes_n, false, ret_nodes);
}

size_t graph_descendants_of(struct graph *graph, enum graph_level level, const uint32_t *nodes,
                            size_t nodes_n, const uint32_t **ret_nodes)
{
    return relatives_of(graph, level, nodes, nodes_n, true, ret_nodes);
}

size_t graph_count_clusters(struct graph *graph, enum graph_level level, const uint32_t *nodes,
                            size_t nodes_n)
{
    int l = graph_level_of(graph, level);
    size_t n = 0;

    graph_retry(graph, l);
    /* Parts that no longer hang together count as what they are. */
    cluster_settle_level(graph, l);
    graph->mark++;
    for (size_t i = 0; i < nodes_n; i++) {
        struct cluster *cluster = graph_find(graph, l, nodes[i]);

        if (cluster == NULL || cluster->mark == graph->mark)
            continue;
        cluster->mark = graph->mark;
        n++;
    }
    return n;
}

/* --- Diagrams ------------------------------------------------------------------------ */

static size_t write_diagram(struct graph *graph, int level, const struct graph_list *list)
{
    size_t room = 0;
    size_t n = 0;

    for (uint32_t i = 0; i < list->n; i++)
        room += (size_t)__builtin_popcountll(list->clusters[i]->ends);
    if (room > graph->diagram_room[level]) {
        graph->diagram_room[level] = room;
        graph->diagram[level] =
            realloc_array(graph->diagram[level], room, sizeof(*graph->diagram[level]));
    }
    for (uint32_t i = 0; i < list->n; i++) {
        struct cluster *cluster = list->clusters[i];
        uint64_t before = 0;

        for (uint64_t ends = cluster->ends; ends != 0; ends &= ends - 1) {
            uint64_t upto = ends ^ (ends - 1);

            graph->diagram[level][n++] = cluster_sum(graph, cluster, upto & ~before);
            before = upto;
        }
    }
    diagram_sort(graph->diagram[level], n);
    return n;
}

void graph_diagrams(struct graph *graph, struct graph_diagrams *ret)
{
    CHECK(graph->is_staged);
    CHECK(graph_fits(graph, GRAPH_TOP));
    cluster_settle_level(graph, LEVEL_MAIN);
    cluster_settle_level(graph, LEVEL_STAGED);
    ret->main_n = write_diagram(graph, LEVEL_MAIN, &graph->shadowed);
    ret->staged_n = write_diagram(graph, LEVEL_STAGED, &graph->levels[LEVEL_STAGED].list);
    ret->main = graph->diagram[LEVEL_MAIN];
    ret->staged = graph->diagram[LEVEL_STAGED];
}

/* --- The order of main --------------------------------------------------------------- */

static void ready_main(struct graph *graph)
{
    CHECK(graph_fits(graph, GRAPH_MAIN));
    cluster_settle_level(graph, LEVEL_MAIN);
}

static const struct chunk *main_chunk(struct graph *graph, uint32_t node)
{
    ready_main(graph);
    CHECK(graph_exists(graph, GRAPH_MAIN, node));
    return graph_chunk_at(graph, graph_node_at(graph, node)->chunk);
}

int graph_compare(struct graph *graph, uint32_t a, uint32_t b)
{
    const struct chunk *left = main_chunk(graph, a);
    const struct chunk *right = main_chunk(graph, b);
    int at_a = graph_node_at(graph, a)->at[LEVEL_MAIN];
    int at_b = graph_node_at(graph, b)->at[LEVEL_MAIN];

    if (left != right)
        return chunk_order_compare(graph, left, right);
    return (at_a > at_b) - (at_a < at_b);
}

struct fee_size graph_chunk_of(struct graph *graph, uint32_t node)
{
    return main_chunk(graph, node)->total;
}

static void write_chunk(const struct graph *graph, uint32_t number, struct graph_chunk *ret_chunk)
{
    const struct chunk *chunk = graph_chunk_at(graph, number);
    uint64_t before = chunk->cluster->ends & (graph_bit(chunk->first) - 1);

    ret_chunk->nodes = cluster_nodes(chunk->cluster) + chunk->first;
    ret_chunk->nodes_n = (size_t)(chunk->end - chunk->first);
    ret_chunk->total = chunk->total;
    ret_chunk->index = (uint32_t)__builtin_popcountll(before);
}

bool graph_worst(struct graph *graph, struct graph_chunk *ret_chunk)
{
    uint32_t last;

    ready_main(graph);
    last = chunk_order_last(graph);
    if (last == GRAPH_NONE)
        return false;
    write_chunk(graph, last, ret_chunk);
    return true;
}

void graph_walk_begin(struct graph *graph, struct graph_walk *ret_walk)
{
    ready_main(graph);
    *ret_walk = (struct graph_walk){.graph = graph, .at = GRAPH_NONE, .epoch = ++graph->walks};
}

bool graph_walk_next(struct graph_walk *walk, struct graph_chunk *ret_chunk)
{
    const struct graph *graph = walk->graph;

    if (walk->is_ended)
        return false;
    do {
        walk->at =
            walk->at == GRAPH_NONE ? chunk_order_first(graph) : chunk_order_next(graph, walk->at);
        if (walk->at == GRAPH_NONE) {
            walk->is_ended = true;
            return false;
        }
    } while (graph_chunk_at(graph, walk->at)->cluster->skipped_in == walk->epoch);
    write_chunk(graph, walk->at, ret_chunk);
    return true;
}

void graph_walk_skip(struct graph_walk *walk)
{
    CHECK(walk->at != GRAPH_NONE);
    graph_chunk_at(walk->graph, walk->at)->cluster->skipped_in = walk->epoch;
}

bool graph_is_optimal(struct graph *graph)
{
    ready_main(graph);
    return graph->unproved_n == 0;
}

size_t graph_cluster_chunks(struct graph *graph, uint32_t node,
                            uint32_t ret_nodes[GRAPH_CLUSTER_MAX],
                            uint32_t ret_ends[GRAPH_CLUSTER_MAX])
{
    struct cluster *cluster = find_ordered(graph, GRAPH_MAIN, node);
    size_t n = 0;

    if (cluster == NULL)
        return 0;
    memcpy(ret_nodes, cluster_nodes(cluster), cluster->n * sizeof(*ret_nodes));
    for (uint64_t ends = cluster->ends; ends != 0; ends &= ends - 1)
        ret_ends[n++] = graph_lowest(ends) + 1;
    return n;
}

/* --- The graph's own check ----------------------------------------------------------- */

static void check_cluster(struct graph *graph, struct cluster *cluster)
{
    const uint64_t *ancestors = cluster_ancestors(cluster);
    const uint64_t *descendants = cluster_descendants(cluster);
    uint64_t size = 0;

    CHECK(cluster->n >= 1 && cluster->n <= graph->options.cluster_nodes_max);
    CHECK(cluster->n <= 1U << cluster->class);
    for (uint32_t i = 0; i < cluster->n; i++) {
        const struct graph_node *node = graph_node_at(graph, cluster_nodes(cluster)[i]);

        CHECK(node->is_used && node->cluster[cluster->level] == cluster);
        CHECK(node->at[cluster->level] == i);
        CHECK((ancestors[i] | descendants[i]) <= graph_all(cluster->n));
        CHECK((ancestors[i] & descendants[i]) == graph_bit(i));
        for (uint64_t set = ancestors[i]; set != 0; set &= set - 1) {
            CHECK((ancestors[graph_lowest(set)] & ~ancestors[i]) == 0);
            CHECK(descendants[graph_lowest(set)] & graph_bit(i));
        }
        if (cluster->is_ordered)
            CHECK(ancestors[i] <= graph_all(i + 1));
        size += (uint64_t)node->size;
    }
    CHECK(size == cluster->size);
    CHECK(cluster->n == 1 || cluster->size <= graph->options.cluster_size_max);
    CHECK(!cluster->is_ordered || (cluster->ends & graph_bit(cluster->n - 1)));
    CHECK(!cluster->is_ordered || cluster->ends <= graph_all(cluster->n));
    CHECK(cluster->level == LEVEL_MAIN || cluster->listed_at != GRAPH_UNLISTED);
    CHECK(cluster->level == LEVEL_STAGED ||
          cluster->is_indexed == (cluster->listed_at == GRAPH_UNLISTED));
}

void graph_check(struct graph *graph)
{
    uint32_t counts[LEVELS] = {0};
    size_t bytes = 0;
    uint32_t unproved_n = 0;

    for (uint32_t i = 0; i < graph->nodes_end; i++) {
        const struct graph_node *node = graph_node_at(graph, i);

        if (!node->is_used)
            continue;
        for (int level = 0; level < LEVELS; level++) {
            struct cluster *cluster = node->cluster[level];

            if (cluster == NULL || node->at[level] != 0)
                continue;
            check_cluster(graph, cluster);
            if (level == LEVEL_MAIN) {
                bytes += cluster_bytes(cluster);
                unproved_n += cluster->is_indexed && !cluster->is_optimal;
            }
        }
        counts[LEVEL_MAIN] += node->cluster[LEVEL_MAIN] != NULL;
        counts[LEVEL_STAGED] += graph->is_staged && graph_find(graph, LEVEL_STAGED, i) != NULL;
        CHECK(node->cluster[LEVEL_STAGED] == NULL || (graph->is_staged && !node->is_gone));
    }
    for (int level = 0; level < LEVELS; level++)
        CHECK(counts[level] == graph->levels[level].nodes_n);
    CHECK(bytes == graph->main_bytes);
    CHECK(unproved_n == graph->unproved_n);
    chunk_order_check(graph);
}
