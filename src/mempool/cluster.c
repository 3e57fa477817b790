/* Clusters: their memory, and what is done to one or two of them. */
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "mempool/graph_priv.h"
#include "mempool/linearize.h"

#define SLAB_BYTES ((size_t)256 << 10)
#define NODE_BYTES (2 * sizeof(uint64_t) + sizeof(uint32_t))

/* --- Memory -------------------------------------------------------------------------- */

static size_t class_bytes(uint32_t class)
{
    return (sizeof(struct cluster) + (NODE_BYTES << class) + 7) & ~(size_t)7;
}

size_t cluster_bytes(const struct cluster *cluster)
{
    return class_bytes(cluster->class);
}

static struct cluster *take_memory(struct graph *graph, uint32_t class)
{
    size_t bytes = class_bytes(class);
    void *block = graph->free_clusters[class];

    if (block != NULL) {
        memcpy(&graph->free_clusters[class], block, sizeof(void *));
        return block;
    }
    if (graph->slabs_n == 0 || graph->slab_used + bytes > SLAB_BYTES) {
        graph->slabs = realloc_array(graph->slabs, graph->slabs_n + 1, sizeof(*graph->slabs));
        graph->slabs[graph->slabs_n++] = alloc(SLAB_BYTES);
        graph->slab_used = 0;
    }
    block = graph->slabs[graph->slabs_n - 1] + graph->slab_used;
    graph->slab_used += bytes;
    return block;
}

static void list_push(struct graph_list *list, struct cluster *cluster)
{
    if (list->n == list->room) {
        list->room = MAX(2 * list->room, 64U);
        list->clusters = realloc_array(list->clusters, list->room, sizeof(struct cluster *));
    }
    list->clusters[list->n++] = cluster;
}

void cluster_list_add(struct graph *graph, struct cluster *cluster)
{
    struct graph_list *list = &graph->levels[cluster->level].list;

    if (cluster->listed_at != GRAPH_UNLISTED)
        return;
    cluster->listed_at = list->n;
    list_push(list, cluster);
}

void cluster_list_remove(struct graph *graph, struct cluster *cluster)
{
    struct graph_list *list = &graph->levels[cluster->level].list;

    if (cluster->listed_at == GRAPH_UNLISTED)
        return;
    list->clusters[cluster->listed_at] = list->clusters[--list->n];
    list->clusters[cluster->listed_at]->listed_at = cluster->listed_at;
    cluster->listed_at = GRAPH_UNLISTED;
}

struct cluster *cluster_new(struct graph *graph, int level, uint32_t room)
{
    uint32_t class = room <= 1 ? 0 : 32 - (uint32_t)__builtin_clz(room - 1);
    struct cluster *cluster = take_memory(graph, class);

    memset(cluster, 0, sizeof(*cluster));
    cluster->class = (uint8_t) class;
    cluster->level = (uint8_t)level;
    cluster->listed_at = GRAPH_UNLISTED;
    if (level == LEVEL_MAIN)
        graph->main_bytes += class_bytes(class);
    cluster_list_add(graph, cluster);
    return cluster;
}

void cluster_free(struct graph *graph, struct cluster *cluster)
{
    uint32_t class = cluster->class;

    cluster_list_remove(graph, cluster);
    if (cluster->is_indexed)
        chunk_order_remove(graph, cluster);
    if (cluster->level == LEVEL_MAIN)
        graph->main_bytes -= class_bytes(class);
    memcpy(cluster, &graph->free_clusters[class], sizeof(void *));
    graph->free_clusters[class] = cluster;
}

void cluster_touch(struct graph *graph, struct cluster *cluster)
{
    if (cluster->is_indexed)
        chunk_order_remove(graph, cluster);
    cluster_list_add(graph, cluster);
    cluster->is_ordered = false;
}

/* --- Shape --------------------------------------------------------------------------- */

static void set_place(struct graph *graph, struct cluster *cluster, uint32_t position)
{
    struct graph_node *node = graph_node_at(graph, cluster_nodes(cluster)[position]);

    node->cluster[cluster->level] = cluster;
    node->at[cluster->level] = (uint8_t)position;
}

void cluster_add_single(struct graph *graph, int level, uint32_t node)
{
    struct cluster *cluster = cluster_new(graph, level, 1);

    cluster->n = 1;
    cluster->size = (uint64_t)graph_node_at(graph, node)->size;
    cluster_ancestors(cluster)[0] = 1;
    cluster_descendants(cluster)[0] = 1;
    cluster_nodes(cluster)[0] = node;
    set_place(graph, cluster, 0);
}

struct fee_size cluster_sum(const struct graph *graph, struct cluster *cluster, uint64_t set)
{
    struct fee_size sum = {0};

    for (; set != 0; set &= set - 1)
        sum =
            fee_size_add(sum, graph_fee_size_at(graph, cluster_nodes(cluster)[graph_lowest(set)]));
    return sum;
}

static void shadow(struct graph *graph, struct cluster *cluster)
{
    cluster->is_shadowed = true;
    list_push(&graph->shadowed, cluster);
}

/* Appends the nodes of one cluster to another that has room, positions moved up. */
static void append(struct graph *graph, struct cluster *to, struct cluster *from)
{
    uint32_t base = to->n;

    for (uint32_t i = 0; i < from->n; i++) {
        cluster_ancestors(to)[base + i] = cluster_ancestors(from)[i] << base;
        cluster_descendants(to)[base + i] = cluster_descendants(from)[i] << base;
        cluster_nodes(to)[base + i] = cluster_nodes(from)[i];
    }
    to->n += from->n;
    to->size += from->size;
    to->is_cut |= from->is_cut;
    for (uint32_t i = base; i < to->n; i++)
        set_place(graph, to, i);
}

struct cluster *cluster_own(struct graph *graph, int level, struct cluster *cluster)
{
    struct cluster *copy;

    if (cluster->level == level)
        return cluster;
    copy = cluster_new(graph, level, cluster->n);
    append(graph, copy, cluster);
    copy->is_ordered = cluster->is_ordered;
    copy->is_optimal = cluster->is_optimal;
    copy->ends = cluster->ends;
    shadow(graph, cluster);
    return copy;
}

struct cluster *cluster_merge(struct graph *graph, int level, struct cluster *a, struct cluster *b)
{
    uint32_t n = a->n + b->n;
    struct cluster *merged = NULL;
    struct cluster *parts[2] = {a, b};

    if (b->n > a->n) {
        parts[0] = b;
        parts[1] = a;
    }
    if (parts[0]->level == level && n <= 1U << parts[0]->class) {
        merged = parts[0];
        cluster_touch(graph, merged);
    } else {
        merged = cluster_new(graph, level, n);
    }
    for (int i = 0; i < 2; i++) {
        if (parts[i] == merged)
            continue;
        append(graph, merged, parts[i]);
        if (parts[i]->level == level)
            cluster_free(graph, parts[i]);
        else
            shadow(graph, parts[i]);
    }
    return merged;
}

void cluster_link(struct graph *graph, struct cluster *cluster, uint32_t parent, uint32_t child)
{
    uint64_t *ancestors = cluster_ancestors(cluster);
    uint64_t *descendants = cluster_descendants(cluster);
    uint64_t above = ancestors[parent];
    uint64_t below = descendants[child];

    CHECK(!(above & graph_bit(child))); /* Else a circle. */
    if (ancestors[child] & graph_bit(parent))
        return;
    cluster_touch(graph, cluster);
    for (uint64_t set = below; set != 0; set &= set - 1)
        ancestors[graph_lowest(set)] |= above;
    for (uint64_t set = above; set != 0; set &= set - 1)
        descendants[graph_lowest(set)] |= below;
}

/* The set without this position, those above moved down. */
static uint64_t squeeze(uint64_t set, uint32_t position)
{
    uint64_t low = graph_bit(position) - 1;

    return (set & low) | (set >> 1 & ~low);
}

void cluster_remove(struct graph *graph, struct cluster *cluster, uint32_t position)
{
    uint64_t *ancestors = cluster_ancestors(cluster);
    uint64_t *descendants = cluster_descendants(cluster);
    uint32_t *nodes = cluster_nodes(cluster);
    uint64_t related = (ancestors[position] | descendants[position]) & ~graph_bit(position);
    struct graph_node *node = graph_node_at(graph, nodes[position]);
    uint32_t n = cluster->n - 1;

    cluster_touch(graph, cluster);
    node->cluster[cluster->level] = NULL;
    if (n == 0) {
        cluster_free(graph, cluster);
        return;
    }
    cluster->is_cut |= (related & (related - 1)) != 0;
    cluster->size -= (uint64_t)node->size;
    cluster->n = n;
    for (uint32_t i = position; i < n; i++) {
        ancestors[i] = ancestors[i + 1];
        descendants[i] = descendants[i + 1];
        nodes[i] = nodes[i + 1];
        set_place(graph, cluster, i);
    }
    for (uint32_t i = 0; i < n; i++) {
        ancestors[i] = squeeze(ancestors[i], position);
        descendants[i] = squeeze(descendants[i], position);
    }
}

/* Moves the positions of a set, each to its new place. */
static uint64_t move_set(uint64_t set, const uint8_t *places)
{
    uint64_t moved = 0;

    for (; set != 0; set &= set - 1)
        moved |= graph_bit(places[graph_lowest(set)]);
    return moved;
}

static uint64_t connected_part(struct cluster *cluster, uint32_t from)
{
    uint64_t part = graph_bit(from);
    uint64_t edge = part;

    while (edge != 0) {
        uint32_t i = graph_lowest(edge);
        uint64_t found = (cluster_ancestors(cluster)[i] | cluster_descendants(cluster)[i]) & ~part;

        part |= found;
        edge = (edge & (edge - 1)) | found;
    }
    return part;
}

static void move_part(struct graph *graph, struct cluster *cluster, uint64_t part)
{
    uint32_t n = (uint32_t)__builtin_popcountll(part);
    struct cluster *to = cluster_new(graph, cluster->level, n);
    uint8_t places[GRAPH_CLUSTER_MAX];

    for (uint64_t set = part; set != 0; set &= set - 1)
        places[graph_lowest(set)] = (uint8_t)to->n++;
    for (uint64_t set = part; set != 0; set &= set - 1) {
        uint32_t from = graph_lowest(set);
        uint32_t node = cluster_nodes(cluster)[from];

        cluster_ancestors(to)[places[from]] = move_set(cluster_ancestors(cluster)[from], places);
        cluster_descendants(to)[places[from]] =
            move_set(cluster_descendants(cluster)[from], places);
        cluster_nodes(to)[places[from]] = node;
        to->size += (uint64_t)graph_node_at(graph, node)->size;
        set_place(graph, to, places[from]);
    }
}

void cluster_split(struct graph *graph, struct cluster *cluster)
{
    uint64_t left = graph_all(cluster->n);
    uint64_t part;

    if (!cluster->is_cut)
        return;
    part = connected_part(cluster, 0);
    if (part == left) {
        cluster->is_cut = false;
        return;
    }
    while (left != 0) {
        part = connected_part(cluster, graph_lowest(left));
        move_part(graph, cluster, part);
        left &= ~part;
    }
    cluster_free(graph, cluster);
}

/* --- Order --------------------------------------------------------------------------- */

struct order_context {
    const struct graph *graph;
    const uint32_t *nodes;
};

static int compare_positions(const void *context, uint32_t a, uint32_t b)
{
    const struct order_context *order = context;

    return graph_node_compare(order->graph, order->nodes[a], order->nodes[b]);
}

static void permute(struct graph *graph, struct cluster *cluster, const uint8_t *order)
{
    uint64_t ancestors[GRAPH_CLUSTER_MAX];
    uint64_t descendants[GRAPH_CLUSTER_MAX];
    uint32_t nodes[GRAPH_CLUSTER_MAX];
    uint8_t places[GRAPH_CLUSTER_MAX];
    bool is_same = true;

    for (uint32_t i = 0; i < cluster->n; i++) {
        places[order[i]] = (uint8_t)i;
        is_same &= order[i] == i;
    }
    if (is_same)
        return;
    memcpy(ancestors, cluster_ancestors(cluster), cluster->n * sizeof(*ancestors));
    memcpy(descendants, cluster_descendants(cluster), cluster->n * sizeof(*descendants));
    memcpy(nodes, cluster_nodes(cluster), cluster->n * sizeof(*nodes));
    for (uint32_t i = 0; i < cluster->n; i++) {
        cluster_ancestors(cluster)[i] = move_set(ancestors[order[i]], places);
        cluster_descendants(cluster)[i] = move_set(descendants[order[i]], places);
        cluster_nodes(cluster)[i] = nodes[order[i]];
        set_place(graph, cluster, i);
    }
}

void cluster_order(struct graph *graph, struct cluster *cluster)
{
    struct order_context context = {.graph = graph, .nodes = cluster_nodes(cluster)};
    struct linearize_task task = {.compare = compare_positions, .context = &context};
    struct linearization result;

    if (cluster->is_ordered)
        return;
    cluster->is_ordered = true;
    cluster->is_optimal = true;
    cluster->ends = 1;
    if (cluster->n == 1)
        return;
    task.n = cluster->n;
    task.budget = graph->options.budget;
    for (uint32_t i = 0; i < task.n; i++) {
        task.nodes[i] = graph_fee_size_at(graph, cluster_nodes(cluster)[i]);
        task.ancestors[i] = cluster_ancestors(cluster)[i];
    }
    linearize(&task, &result);
    cluster->is_optimal = result.is_optimal;
    cluster->ends = result.ends;
    permute(graph, cluster, result.order);
}

void cluster_settle_level(struct graph *graph, int level)
{
    struct graph_list *list = &graph->levels[level].list;
    uint32_t i = 0;

    /* Splitting puts new clusters at the end and another one into the place of the old. */
    while (i < list->n) {
        struct cluster *cluster = list->clusters[i];

        if (cluster->is_cut) {
            cluster_split(graph, cluster);
            continue;
        }
        cluster_order(graph, cluster);
        if (level == LEVEL_STAGED) {
            i++;
            continue;
        }
        cluster_list_remove(graph, cluster);
        chunk_order_add(graph, cluster);
    }
}
