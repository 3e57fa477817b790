/* Who must go so that every cluster is within the limits again.
 *
 * Nodes are let in one by one, best first: a node may come when everything it needs is
 * in (parents that wait to be linked, and whoever stands before it in its own cluster's
 * order, which respects its dependencies), and of those who may come that with the best
 * chunk feerate does. The clusters that would come about are kept as a forest. A node whose
 * cluster would be too large stays out, and so does all that needs it: those must go.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "mempool/graph_priv.h"

struct trim_entry {
    uint32_t node;
    uint32_t needs_n; /* Of what it needs, how many are not in yet. */
    uint32_t above;   /* In the forest; itself: a root. */
    uint32_t in_n;    /* Roots: nodes and size of the cluster so far. */
    uint64_t in_size;
    struct fee_size chunk;
    uint32_t needed_by; /* Its first link; GRAPH_NONE: none. */
    uint32_t needs;
    uint32_t counted_for; /* Roots: the entry whose cluster it was last counted into. */
    bool is_in;
};

/* Two lists at once: the links of each entry as what is needed, and as who needs. */
struct trim_link {
    uint32_t needed;
    uint32_t by;
    uint32_t next_needed_by;
    uint32_t next_needs;
};

struct trim {
    struct graph *graph;
    int level;
    struct trim_entry *entries;
    uint32_t entries_n;
    struct trim_link *links;
    uint32_t links_n;
    uint32_t *heap; /* Entries that may come, the best first. */
    uint32_t heap_n;
};

/* --- Gathering ----------------------------------------------------------------------- */

static void count_cluster(struct trim *trim, struct cluster *cluster)
{
    if (cluster->mark == trim->graph->mark)
        return;
    cluster->mark = trim->graph->mark;
    trim->entries_n += cluster->n;
    trim->links_n += cluster->n;
}

static void add_link(struct trim *trim, uint32_t needed, uint32_t by)
{
    uint32_t number = trim->links_n++;

    trim->links[number] = (struct trim_link){.needed = needed,
                                             .by = by,
                                             .next_needed_by = trim->entries[needed].needed_by,
                                             .next_needs = trim->entries[by].needs};
    trim->entries[needed].needed_by = number;
    trim->entries[by].needs = number;
    trim->entries[by].needs_n++;
}

static void add_cluster(struct trim *trim, struct cluster *cluster)
{
    uint64_t ends;
    uint32_t first = 0;

    if (cluster->mark == trim->graph->mark)
        return;
    cluster->mark = trim->graph->mark;
    for (ends = cluster->ends; ends != 0; ends &= ends - 1) {
        uint32_t end = graph_lowest(ends) + 1;
        uint64_t set = graph_all(end) & ~(graph_bit(first) - 1);
        struct fee_size chunk = cluster_sum(trim->graph, cluster, set);

        for (uint32_t i = first; i < end; i++) {
            uint32_t node = cluster_nodes(cluster)[i];
            uint32_t entry = trim->entries_n++;

            trim->entries[entry] = (struct trim_entry){.node = node,
                                                       .above = entry,
                                                       .counted_for = GRAPH_NONE,
                                                       .chunk = chunk,
                                                       .needed_by = GRAPH_NONE,
                                                       .needs = GRAPH_NONE};
            graph_node_at(trim->graph, node)->next = entry;
            if (i > 0)
                add_link(trim, entry - 1, entry);
        }
        first = end;
    }
}

static struct cluster *ordered_cluster(struct trim *trim, uint32_t node)
{
    struct cluster *cluster = graph_find(trim->graph, trim->level, node);

    if (!cluster->is_ordered)
        cluster_order(trim->graph, cluster);
    return cluster;
}

static void gather(struct trim *trim)
{
    struct graph *graph = trim->graph;
    const struct graph_level_state *state = &graph->levels[trim->level];
    uint32_t links_room;

    graph->mark++;
    for (size_t i = 0; i < state->waiting_n; i++) {
        count_cluster(trim, ordered_cluster(trim, state->waiting[i].parent));
        count_cluster(trim, ordered_cluster(trim, state->waiting[i].child));
    }
    for (size_t i = 0; i < state->giants.n; i++)
        count_cluster(trim, ordered_cluster(trim, state->giants.numbers[i]));
    links_room = trim->links_n + (uint32_t)state->waiting_n;
    trim->entries = alloc_array(trim->entries_n, sizeof(*trim->entries));
    trim->heap = alloc_array(trim->entries_n, sizeof(*trim->heap));
    trim->links = alloc_array(links_room, sizeof(*trim->links));
    trim->entries_n = 0;
    trim->links_n = 0;
    graph->mark++;
    for (size_t i = 0; i < state->waiting_n; i++) {
        const struct waiting_link *link = &state->waiting[i];

        add_cluster(trim, graph_find(graph, trim->level, link->parent));
        add_cluster(trim, graph_find(graph, trim->level, link->child));
        add_link(trim, graph_node_at(graph, link->parent)->next,
                 graph_node_at(graph, link->child)->next);
    }
    for (size_t i = 0; i < state->giants.n; i++)
        add_cluster(trim, graph_find(graph, trim->level, state->giants.numbers[i]));
}

/* --- The heap ------------------------------------------------------------------------ */

static bool comes_first(const struct trim *trim, uint32_t a, uint32_t b)
{
    const struct trim_entry *left = &trim->entries[a];
    const struct trim_entry *right = &trim->entries[b];
    int order = fee_size_compare(left->chunk, right->chunk);

    if (order != 0)
        return order > 0;
    if (left->chunk.size != right->chunk.size)
        return left->chunk.size < right->chunk.size;
    return graph_node_compare(trim->graph, left->node, right->node) < 0;
}

static void heap_push(struct trim *trim, uint32_t entry)
{
    uint32_t at = trim->heap_n++;

    while (at > 0 && comes_first(trim, entry, trim->heap[(at - 1) / 2])) {
        trim->heap[at] = trim->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    trim->heap[at] = entry;
}

static uint32_t heap_pop(struct trim *trim)
{
    uint32_t first = trim->heap[0];
    uint32_t last = trim->heap[--trim->heap_n];
    uint32_t at = 0;

    for (;;) {
        uint32_t kid = 2 * at + 1;

        if (kid >= trim->heap_n)
            break;
        if (kid + 1 < trim->heap_n && comes_first(trim, trim->heap[kid + 1], trim->heap[kid]))
            kid++;
        if (!comes_first(trim, trim->heap[kid], last))
            break;
        trim->heap[at] = trim->heap[kid];
        at = kid;
    }
    trim->heap[at] = last;
    return first;
}

/* --- Letting in ---------------------------------------------------------------------- */

static uint32_t root_of(struct trim *trim, uint32_t entry)
{
    struct trim_entry *entries = trim->entries;

    while (entries[entry].above != entry) {
        entries[entry].above = entries[entries[entry].above].above;
        entry = entries[entry].above;
    }
    return entry;
}

/* False: with what it needs the node would make too large a cluster. */
static bool let_in(struct trim *trim, uint32_t number)
{
    struct trim_entry *entry = &trim->entries[number];
    const struct graph_options *options = &trim->graph->options;
    uint32_t n = 1;
    uint64_t size = (uint64_t)graph_node_at(trim->graph, entry->node)->size;
    uint32_t link;

    for (link = entry->needs; link != GRAPH_NONE; link = trim->links[link].next_needs) {
        struct trim_entry *root = &trim->entries[root_of(trim, trim->links[link].needed)];

        if (root->counted_for == number)
            continue;
        root->counted_for = number;
        n += root->in_n;
        size += root->in_size;
    }
    if (n > options->cluster_nodes_max || size > options->cluster_size_max)
        return false;
    for (link = entry->needs; link != GRAPH_NONE; link = trim->links[link].next_needs)
        trim->entries[root_of(trim, trim->links[link].needed)].above = number;
    entry->in_n = n;
    entry->in_size = size;
    entry->is_in = true;
    return true;
}

static void let_in_all(struct trim *trim)
{
    for (uint32_t i = 0; i < trim->entries_n; i++)
        if (trim->entries[i].needs_n == 0)
            heap_push(trim, i);
    while (trim->heap_n > 0) {
        uint32_t number = heap_pop(trim);
        uint32_t link;

        if (!let_in(trim, number))
            continue;
        link = trim->entries[number].needed_by;
        for (; link != GRAPH_NONE; link = trim->links[link].next_needed_by)
            if (--trim->entries[trim->links[link].by].needs_n == 0)
                heap_push(trim, trim->links[link].by);
    }
}

size_t graph_trim(struct graph *graph, const uint32_t **ret_nodes)
{
    struct trim trim = {.graph = graph, .level = graph_level_of(graph, GRAPH_TOP)};

    graph->result.n = 0;
    if (!graph_fits(graph, GRAPH_TOP)) {
        gather(&trim);
        let_in_all(&trim);
        for (uint32_t i = 0; i < trim.entries_n; i++)
            if (!trim.entries[i].is_in)
                graph_numbers_add(&graph->result, trim.entries[i].node);
        free(trim.entries);
        free(trim.links);
        free(trim.heap);
    }
    *ret_nodes = graph->result.numbers;
    return graph->result.n;
}
