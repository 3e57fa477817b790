#include "mempool/graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "mempool/graph_priv.h"
#include "mempool/linearize.h"

_Static_assert(GRAPH_CLUSTER_MAX == LINEARIZE_MAX, "a cluster is linearized at once");

struct graph *graph_new(const struct graph_options *options)
{
    struct graph *graph = alloc_zero(sizeof(*graph));

    if (options != NULL)
        graph->options = *options;
    if (graph->options.cluster_nodes_max == 0)
        graph->options.cluster_nodes_max = GRAPH_CLUSTER_MAX;
    if (graph->options.cluster_size_max == 0)
        graph->options.cluster_size_max = GRAPH_CLUSTER_SIZE_DEFAULT;
    if (graph->options.budget == 0)
        graph->options.budget = GRAPH_BUDGET_DEFAULT;
    CHECK(graph->options.cluster_nodes_max <= GRAPH_CLUSTER_MAX);
    graph->random = (graph->options.seed + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
    graph->free_node = GRAPH_NONE;
    graph->free_chunk = GRAPH_NONE;
    graph->root = GRAPH_NONE;
    return graph;
}

void graph_free(struct graph *own_graph)
{
    struct graph *graph = own_graph;

    if (graph == NULL)
        return;
    for (uint32_t i = 0; i < graph->nodes_end; i += GRAPH_PAGE)
        free(graph->node_pages[i / GRAPH_PAGE]);
    for (uint32_t i = 0; i < graph->chunks_end; i += GRAPH_PAGE)
        free(graph->chunk_pages[i / GRAPH_PAGE]);
    for (size_t i = 0; i < graph->slabs_n; i++)
        free(graph->slabs[i]);
    for (int level = 0; level < LEVELS; level++) {
        free(graph->levels[level].list.clusters);
        free(graph->levels[level].waiting);
        free(graph->levels[level].giants.numbers);
        free(graph->diagram[level]);
    }
    free(graph->node_pages);
    free(graph->chunk_pages);
    free(graph->slabs);
    free(graph->shadowed.clusters);
    free(graph->gone.numbers);
    free(graph->added.numbers);
    free(graph->result.numbers);
    free(graph);
}

int graph_node_compare(const struct graph *graph, uint32_t a, uint32_t b)
{
    const struct graph_node *left = graph_node_at(graph, a);
    const struct graph_node *right = graph_node_at(graph, b);

    if (graph->options.compare != NULL) {
        int order = graph->options.compare(left->user, right->user);

        if (order != 0)
            return order;
    }
    return (left->sequence > right->sequence) - (left->sequence < right->sequence);
}

void graph_numbers_add(struct graph_numbers *numbers, uint32_t number)
{
    if (numbers->n == numbers->room) {
        numbers->room = MAX(2 * numbers->room, (size_t)64);
        numbers->numbers = realloc_array(numbers->numbers, numbers->room, sizeof(uint32_t));
    }
    numbers->numbers[numbers->n++] = number;
}

static void numbers_drop(struct graph_numbers *numbers, uint32_t number)
{
    for (size_t i = 0; i < numbers->n; i++) {
        if (numbers->numbers[i] == number) {
            numbers->numbers[i] = numbers->numbers[--numbers->n];
            return;
        }
    }
}

/* --- Nodes --------------------------------------------------------------------------- */

static uint32_t node_new(struct graph *graph)
{
    uint32_t number = graph->free_node;

    if (number != GRAPH_NONE) {
        graph->free_node = graph_node_at(graph, number)->next;
        return number;
    }
    number = graph->nodes_end++;
    CHECK(number < GRAPH_NODES_MAX);
    if (number % GRAPH_PAGE == 0) {
        graph->node_pages =
            realloc_array(graph->node_pages, number / GRAPH_PAGE + 1, sizeof(*graph->node_pages));
        graph->node_pages[number / GRAPH_PAGE] = alloc_array(GRAPH_PAGE, sizeof(struct graph_node));
    }
    return number;
}

static void node_free(struct graph *graph, uint32_t number)
{
    struct graph_node *node = graph_node_at(graph, number);

    memset(node, 0, sizeof(*node));
    node->next = graph->free_node;
    graph->free_node = number;
}

static int64_t within_bounds(int64_t fee_sat)
{
    return MAX(MIN(fee_sat, GRAPH_FEE_MAX_SAT), -GRAPH_FEE_MAX_SAT);
}

uint32_t graph_add(struct graph *graph, int64_t fee_sat, int32_t size, void *user)
{
    int level = graph_level_of(graph, GRAPH_TOP);
    uint32_t number = node_new(graph);
    struct graph_node *node = graph_node_at(graph, number);

    CHECK(size > 0 && size <= GRAPH_SIZE_MAX);
    memset(node, 0, sizeof(*node));
    node->is_used = true;
    node->user = user;
    node->fee_sat = within_bounds(fee_sat);
    node->size = size;
    node->sequence = ++graph->sequence;
    cluster_add_single(graph, level, number);
    graph->levels[level].nodes_n++;
    if ((uint64_t)size > graph->options.cluster_size_max)
        graph_numbers_add(&graph->levels[level].giants, number);
    if (level == LEVEL_STAGED)
        graph_numbers_add(&graph->added, number);
    return number;
}

void graph_remove(struct graph *graph, uint32_t number)
{
    int level = graph_level_of(graph, GRAPH_TOP);
    struct graph_level_state *state = &graph->levels[level];
    struct graph_node *node = graph_node_at(graph, number);
    struct cluster *cluster = graph_find(graph, level, number);

    if (cluster == NULL)
        return;
    cluster = cluster_own(graph, level, cluster);
    cluster_remove(graph, cluster, node->at[level]);
    state->nodes_n--;
    if ((uint64_t)node->size > graph->options.cluster_size_max)
        numbers_drop(&state->giants, number);
    state->is_retry = true;
    if (level == LEVEL_MAIN) {
        node_free(graph, number);
    } else {
        node->is_gone = true;
        graph_numbers_add(&graph->gone, number);
    }
}

void graph_set_fee(struct graph *graph, uint32_t number, int64_t fee_sat)
{
    struct graph_node *node = graph_node_at(graph, number);

    fee_sat = within_bounds(fee_sat);
    if (node->fee_sat == fee_sat)
        return;
    node->fee_sat = fee_sat;
    for (int level = 0; level < LEVELS; level++)
        if (node->cluster[level] != NULL)
            cluster_touch(graph, node->cluster[level]);
}

/* --- Dependencies -------------------------------------------------------------------- */

static bool has_room(const struct graph *graph, const struct cluster *a, const struct cluster *b)
{
    return a->n + b->n <= graph->options.cluster_nodes_max &&
           a->size + b->size <= graph->options.cluster_size_max;
}

/* False: there is no room for it. Nodes the level lacks are passed over. */
static bool link_now(struct graph *graph, int level, uint32_t parent, uint32_t child)
{
    struct cluster *above = graph_find(graph, level, parent);
    struct cluster *below = graph_find(graph, level, child);
    struct cluster *cluster;

    if (above == NULL || below == NULL)
        return true;
    if (above != below && !has_room(graph, above, below)) {
        /* What they lost may have cut them. */
        cluster_split(graph, above);
        above = graph_find(graph, level, parent);
        below = graph_find(graph, level, child);
        cluster_split(graph, below);
        above = graph_find(graph, level, parent);
        below = graph_find(graph, level, child);
        if (above != below && !has_room(graph, above, below))
            return false;
    }
    if (above == below) {
        uint32_t at = graph_position(graph, above, parent);

        if (cluster_ancestors(above)[graph_position(graph, above, child)] & graph_bit(at))
            return true;
        cluster = cluster_own(graph, level, above);
    } else {
        cluster = cluster_merge(graph, level, above, below);
    }
    cluster_link(graph, cluster, graph_position(graph, cluster, parent),
                 graph_position(graph, cluster, child));
    return true;
}

void graph_link(struct graph *graph, uint32_t parent, uint32_t child)
{
    int level = graph_level_of(graph, GRAPH_TOP);
    struct graph_level_state *state = &graph->levels[level];

    CHECK(parent != child);
    if (link_now(graph, level, parent, child))
        return;
    if (state->waiting_n == state->waiting_room) {
        state->waiting_room = MAX(2 * state->waiting_room, (size_t)64);
        state->waiting =
            realloc_array(state->waiting, state->waiting_room, sizeof(*state->waiting));
    }
    state->waiting[state->waiting_n++] =
        (struct waiting_link){.parent = parent,
                              .child = child,
                              .parent_sequence = graph_node_at(graph, parent)->sequence,
                              .child_sequence = graph_node_at(graph, child)->sequence};
}

/* The clusters that waiting dependencies would make one, as a forest. */
struct merge_set {
    size_t above;
    uint32_t n;
    uint64_t size;
};

static size_t merge_root(struct merge_set *sets, size_t at)
{
    while (sets[at].above != at) {
        sets[at].above = sets[sets[at].above].above;
        at = sets[at].above;
    }
    return at;
}

static size_t merge_slot(struct graph *graph, struct merge_set *sets, size_t *sets_n,
                         struct cluster *cluster)
{
    if (cluster->mark != graph->mark) {
        cluster->mark = graph->mark;
        cluster->slot = (uint32_t)*sets_n;
        sets[*sets_n] =
            (struct merge_set){.above = *sets_n, .n = cluster->n, .size = cluster->size};
        (*sets_n)++;
    }
    return merge_root(sets, cluster->slot);
}

static bool is_there_still(const struct graph *graph, int level, uint32_t node, uint64_t sequence)
{
    return graph_find(graph, level, node) != NULL &&
           graph_node_at(graph, node)->sequence == sequence;
}

/* Forgets those an end of which has gone, and finds out how the others' clusters lie. */
static void clean_waiting(struct graph *graph, int level)
{
    struct graph_level_state *state = &graph->levels[level];
    size_t kept = 0;

    for (size_t i = 0; i < state->waiting_n; i++) {
        struct waiting_link link = state->waiting[i];

        if (!is_there_still(graph, level, link.parent, link.parent_sequence) ||
            !is_there_still(graph, level, link.child, link.child_sequence))
            continue;
        cluster_split(graph, graph_find(graph, level, link.parent));
        cluster_split(graph, graph_find(graph, level, link.child));
        state->waiting[kept++] = link;
    }
    state->waiting_n = kept;
}

void graph_retry(struct graph *graph, int level)
{
    struct graph_level_state *state = &graph->levels[level];
    struct merge_set *sets;
    size_t *set_of;
    size_t sets_n = 0;
    size_t kept = 0;

    if (!state->is_retry)
        return;
    state->is_retry = false;
    if (state->waiting_n == 0)
        return;
    clean_waiting(graph, level);
    sets = alloc_array(2 * state->waiting_n + 1, sizeof(*sets));
    set_of = alloc_array(state->waiting_n + 1, sizeof(*set_of));
    graph->mark++;
    for (size_t i = 0; i < state->waiting_n; i++) {
        const struct waiting_link *link = &state->waiting[i];
        size_t a = merge_slot(graph, sets, &sets_n, graph_find(graph, level, link->parent));
        size_t b = merge_slot(graph, sets, &sets_n, graph_find(graph, level, link->child));

        set_of[i] = a;
        if (a == b)
            continue;
        sets[b].above = a;
        sets[a].n += sets[b].n;
        sets[a].size += sets[b].size;
    }
    for (size_t i = 0; i < state->waiting_n; i++) {
        const struct merge_set *set = &sets[merge_root(sets, set_of[i])];
        struct waiting_link link = state->waiting[i];

        if (set->n > graph->options.cluster_nodes_max ||
            set->size > graph->options.cluster_size_max)
            state->waiting[kept++] = link;
        else
            CHECK(link_now(graph, level, link.parent, link.child));
    }
    state->waiting_n = kept;
    free(sets);
    free(set_of);
}

/* --- Levels -------------------------------------------------------------------------- */

bool graph_is_staged(const struct graph *graph)
{
    return graph->is_staged;
}

void graph_settle(struct graph *graph)
{
    graph_retry(graph, LEVEL_MAIN);
    cluster_settle_level(graph, LEVEL_MAIN);
}

void graph_stage(struct graph *graph)
{
    CHECK(!graph->is_staged);
    graph_settle(graph);
    CHECK(graph_fits(graph, GRAPH_MAIN));
    graph->is_staged = true;
    graph->levels[LEVEL_STAGED].nodes_n = graph->levels[LEVEL_MAIN].nodes_n;
}

/* Nobody looks at the staged level any more. */
static void end_stage(struct graph *graph)
{
    struct graph_level_state *state = &graph->levels[LEVEL_STAGED];

    graph->is_staged = false;
    graph->shadowed.n = 0;
    graph->gone.n = 0;
    graph->added.n = 0;
    state->waiting_n = 0;
    state->giants.n = 0;
    state->is_retry = false;
    state->nodes_n = 0;
}

static void give_waiting_to_main(struct graph *graph)
{
    struct graph_level_state *main = &graph->levels[LEVEL_MAIN];
    struct graph_level_state *staged = &graph->levels[LEVEL_STAGED];
    struct graph_level_state old = *main;

    /* Main had none of these: it did fit. */
    main->waiting = staged->waiting;
    main->waiting_n = staged->waiting_n;
    main->waiting_room = staged->waiting_room;
    main->giants = staged->giants;
    main->is_retry = staged->is_retry;
    main->nodes_n = staged->nodes_n;
    staged->waiting = old.waiting;
    staged->waiting_room = old.waiting_room;
    staged->giants = old.giants;
}

void graph_commit(struct graph *graph)
{
    struct graph_list *list = &graph->levels[LEVEL_STAGED].list;

    CHECK(graph->is_staged);
    for (uint32_t i = 0; i < graph->shadowed.n; i++)
        cluster_free(graph, graph->shadowed.clusters[i]);
    while (list->n > 0) {
        struct cluster *cluster = list->clusters[list->n - 1];

        cluster_list_remove(graph, cluster);
        cluster->level = LEVEL_MAIN;
        graph->main_bytes += cluster_bytes(cluster);
        for (uint32_t i = 0; i < cluster->n; i++) {
            struct graph_node *node = graph_node_at(graph, cluster_nodes(cluster)[i]);

            node->cluster[LEVEL_MAIN] = cluster;
            node->cluster[LEVEL_STAGED] = NULL;
            node->at[LEVEL_MAIN] = node->at[LEVEL_STAGED];
        }
        cluster_list_add(graph, cluster);
    }
    for (size_t i = 0; i < graph->gone.n; i++)
        node_free(graph, graph->gone.numbers[i]);
    give_waiting_to_main(graph);
    end_stage(graph);
}

void graph_abort(struct graph *graph)
{
    struct graph_list *list = &graph->levels[LEVEL_STAGED].list;

    CHECK(graph->is_staged);
    while (list->n > 0) {
        struct cluster *cluster = list->clusters[list->n - 1];

        for (uint32_t i = 0; i < cluster->n; i++)
            graph_node_at(graph, cluster_nodes(cluster)[i])->cluster[LEVEL_STAGED] = NULL;
        cluster_free(graph, cluster);
    }
    for (uint32_t i = 0; i < graph->shadowed.n; i++)
        graph->shadowed.clusters[i]->is_shadowed = false;
    for (size_t i = 0; i < graph->gone.n; i++)
        graph_node_at(graph, graph->gone.numbers[i])->is_gone = false;
    for (size_t i = 0; i < graph->added.n; i++)
        node_free(graph, graph->added.numbers[i]);
    end_stage(graph);
}
