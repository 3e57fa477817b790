/* All chunks of the main graph, best first: a treap, its shape given by random
 * priorities, its nodes in pages of their own. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "mempool/graph_priv.h"

int chunk_order_compare(const struct graph *graph, const struct chunk *a, const struct chunk *b)
{
    int order = fee_size_compare(b->total, a->total);

    if (order != 0)
        return order;
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    if (a->cluster == b->cluster)
        return (a->first > b->first) - (a->first < b->first);
    return graph_node_compare(graph, a->greatest, b->greatest);
}

static uint32_t chunk_new(struct graph *graph)
{
    uint32_t number = graph->free_chunk;

    if (number != GRAPH_NONE) {
        graph->free_chunk = graph_chunk_at(graph, number)->kids[0];
    } else {
        number = graph->chunks_end++;
        if (number % GRAPH_PAGE == 0) {
            graph->chunk_pages = realloc_array(graph->chunk_pages, number / GRAPH_PAGE + 1,
                                               sizeof(*graph->chunk_pages));
            graph->chunk_pages[number / GRAPH_PAGE] = alloc_array(GRAPH_PAGE, sizeof(struct chunk));
        }
    }
    graph->chunks_n++;
    return number;
}

static uint32_t random_priority(struct graph *graph)
{
    graph->random ^= graph->random << 13;
    graph->random ^= graph->random >> 7;
    graph->random ^= graph->random << 17;
    return (uint32_t)(graph->random >> 32);
}

/* --- The tree ------------------------------------------------------------------------ */

/* Puts kid where node hangs. */
static void hang(struct graph *graph, uint32_t node, uint32_t kid)
{
    uint32_t up = graph_chunk_at(graph, node)->up;

    if (kid != GRAPH_NONE)
        graph_chunk_at(graph, kid)->up = up;
    if (up == GRAPH_NONE) {
        graph->root = kid;
    } else {
        struct chunk *above = graph_chunk_at(graph, up);

        above->kids[above->kids[1] == node] = kid;
    }
}

/* The kid on this side comes to stand above its parent. */
static void rotate(struct graph *graph, uint32_t node, int side)
{
    struct chunk *below = graph_chunk_at(graph, node);
    uint32_t kid = below->kids[side];
    struct chunk *above = graph_chunk_at(graph, kid);
    uint32_t inner = above->kids[!side];

    hang(graph, node, kid);
    above->kids[!side] = node;
    below->up = kid;
    below->kids[side] = inner;
    if (inner != GRAPH_NONE)
        graph_chunk_at(graph, inner)->up = node;
}

static void tree_add(struct graph *graph, uint32_t number)
{
    struct chunk *chunk = graph_chunk_at(graph, number);
    uint32_t at = graph->root;

    chunk->kids[0] = GRAPH_NONE;
    chunk->kids[1] = GRAPH_NONE;
    chunk->up = GRAPH_NONE;
    chunk->priority = random_priority(graph);
    if (at == GRAPH_NONE) {
        graph->root = number;
        return;
    }
    for (;;) {
        struct chunk *above = graph_chunk_at(graph, at);
        int side = chunk_order_compare(graph, chunk, above) > 0;

        if (above->kids[side] == GRAPH_NONE) {
            above->kids[side] = number;
            chunk->up = at;
            break;
        }
        at = above->kids[side];
    }
    while (chunk->up != GRAPH_NONE) {
        const struct chunk *above = graph_chunk_at(graph, chunk->up);

        if (above->priority >= chunk->priority)
            return;
        rotate(graph, chunk->up, above->kids[1] == number);
    }
}

static void tree_remove(struct graph *graph, uint32_t number)
{
    struct chunk *chunk = graph_chunk_at(graph, number);

    while (chunk->kids[0] != GRAPH_NONE && chunk->kids[1] != GRAPH_NONE) {
        uint32_t left = graph_chunk_at(graph, chunk->kids[0])->priority;
        uint32_t right = graph_chunk_at(graph, chunk->kids[1])->priority;

        rotate(graph, number, right > left);
    }
    hang(graph, number, chunk->kids[chunk->kids[0] == GRAPH_NONE]);
}

static uint32_t outermost(const struct graph *graph, uint32_t at, int side)
{
    if (at == GRAPH_NONE)
        return GRAPH_NONE;
    while (graph_chunk_at(graph, at)->kids[side] != GRAPH_NONE)
        at = graph_chunk_at(graph, at)->kids[side];
    return at;
}

uint32_t chunk_order_first(const struct graph *graph)
{
    return outermost(graph, graph->root, 0);
}

uint32_t chunk_order_last(const struct graph *graph)
{
    return outermost(graph, graph->root, 1);
}

uint32_t chunk_order_next(const struct graph *graph, uint32_t chunk)
{
    const struct chunk *entry = graph_chunk_at(graph, chunk);

    if (entry->kids[1] != GRAPH_NONE)
        return outermost(graph, entry->kids[1], 0);
    while (entry->up != GRAPH_NONE) {
        uint32_t up = entry->up;

        entry = graph_chunk_at(graph, up);
        if (entry->kids[0] == chunk)
            return up;
        chunk = up;
    }
    return GRAPH_NONE;
}

/* --- Clusters ------------------------------------------------------------------------ */

static void add_chunk(struct graph *graph, struct cluster *cluster, uint32_t first, uint32_t end,
                      struct fee_size *equal)
{
    const uint32_t *nodes = cluster_nodes(cluster);
    uint32_t number = chunk_new(graph);
    struct chunk *chunk = graph_chunk_at(graph, number);

    *chunk = (struct chunk){
        .cluster = cluster, .first = (uint8_t)first, .end = (uint8_t)end, .greatest = nodes[first]};
    for (uint32_t i = first; i < end; i++) {
        struct graph_node *node = graph_node_at(graph, nodes[i]);

        node->chunk = number;
        chunk->total.fee_sat += node->fee_sat;
        chunk->total.size += node->size;
        if (i > first && graph_node_compare(graph, nodes[i], chunk->greatest) > 0)
            chunk->greatest = nodes[i];
    }
    if (equal->size != 0 && fee_size_compare(chunk->total, *equal) == 0)
        equal->size += chunk->total.size, equal->fee_sat += chunk->total.fee_sat;
    else
        *equal = chunk->total;
    chunk->prefix = equal->size;
    tree_add(graph, number);
}

void chunk_order_add(struct graph *graph, struct cluster *cluster)
{
    struct fee_size equal = {0};
    uint32_t first = 0;

    for (uint64_t ends = cluster->ends; ends != 0; ends &= ends - 1) {
        uint32_t end = graph_lowest(ends) + 1;

        add_chunk(graph, cluster, first, end, &equal);
        first = end;
    }
    cluster->is_indexed = true;
    graph->unproved_n += !cluster->is_optimal;
}

void chunk_order_remove(struct graph *graph, struct cluster *cluster)
{
    const uint32_t *nodes = cluster_nodes(cluster);

    for (uint64_t ends = cluster->ends; ends != 0; ends &= ends - 1) {
        uint32_t number = graph_node_at(graph, nodes[graph_lowest(ends)])->chunk;

        tree_remove(graph, number);
        graph_chunk_at(graph, number)->kids[0] = graph->free_chunk;
        graph->free_chunk = number;
        graph->chunks_n--;
    }
    cluster->is_indexed = false;
    graph->unproved_n -= !cluster->is_optimal;
}

void chunk_order_check(const struct graph *graph)
{
    uint32_t previous = GRAPH_NONE;
    uint32_t n = 0;

    for (uint32_t at = chunk_order_first(graph); at != GRAPH_NONE;
         at = chunk_order_next(graph, at)) {
        const struct chunk *chunk = graph_chunk_at(graph, at);

        for (int side = 0; side < 2; side++) {
            uint32_t kid = chunk->kids[side];

            CHECK(kid == GRAPH_NONE || graph_chunk_at(graph, kid)->up == at);
            CHECK(kid == GRAPH_NONE || graph_chunk_at(graph, kid)->priority <= chunk->priority);
        }
        CHECK(previous == GRAPH_NONE ||
              chunk_order_compare(graph, graph_chunk_at(graph, previous), chunk) < 0);
        CHECK(chunk->cluster->is_indexed && chunk->cluster->level == LEVEL_MAIN);
        previous = at;
        n++;
    }
    CHECK(n == graph->chunks_n);
}
