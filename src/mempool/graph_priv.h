/* The cluster graph's insides: private to graph.c, cluster.c, chunk_order.c,
 * graph_query.c and trim.c, and to tests.
 *
 * A cluster is one block of memory from pools by capacity (1, 2, 4 ... 64). Its nodes'
 * positions are at once bit numbers of the sets and, when it is ordered, their places in
 * the linearization. Sets hold the whole relation: ancestors and descendants at whatever
 * distance.
 *
 * The staged level has its own clusters only where it differs: a main cluster it changes is
 * copied and *shadowed*. A node's entry for the staged level is NULL as long as that level
 * sees it as main does.
 *
 * Work is put off: a cluster that lost a node may be in several parts (is_cut), and a
 * changed one has no order (!is_ordered). Main's chunks are in the order of chunks only
 * while is_indexed; main clusters that are not are in the main level's list. The staged
 * level's list has all its clusters.
 */
#ifndef MEMPOOL_GRAPH_PRIV_H
#define MEMPOOL_GRAPH_PRIV_H

#include "mempool/graph.h"

#define GRAPH_PAGE 1024U /* Nodes or chunks allocated at a time. */
#define GRAPH_CLASSES 7U /* Of clusters: up to 1, 2, 4, 8, 16, 32, 64 nodes. */
#define GRAPH_UNLISTED UINT32_MAX

enum { LEVEL_MAIN, LEVEL_STAGED, LEVELS };

struct cluster {
    uint32_t n;
    uint32_t listed_at; /* In the list of its level. */
    uint8_t class;      /* Room for 1 << class nodes. */
    uint8_t level;
    bool is_cut;      /* May not hang together any more. */
    bool is_ordered;  /* Positions are the linearization, ends are its chunks. */
    bool is_optimal;  /* That is proved to be the best. */
    bool is_indexed;  /* Main: its chunks are in the order of chunks. */
    bool is_shadowed; /* Main: the staged level has changed it. */
    uint32_t slot;    /* Its entry in a table of the function at work, if mark is its. */
    uint64_t mark;
    uint64_t skipped_in; /* The walk that skips its further chunks. */
    uint64_t size;
    uint64_t ends;   /* Bit k: a chunk ends at position k. */
    uint64_t rows[]; /* Ancestors, descendants, node numbers. */
};

struct graph_node {
    void *user;
    int64_t fee_sat;
    struct cluster *cluster[LEVELS];
    uint64_t sequence; /* Rises with every node added. */
    int32_t size;
    uint32_t chunk; /* Of main, while its cluster is indexed. */
    uint32_t next;  /* Free nodes: the next one; else a table's entry, as cluster.slot. */
    uint8_t at[LEVELS];
    bool is_gone; /* The staged level has removed it. */
    bool is_used;
};

struct chunk {
    struct fee_size total;
    struct cluster *cluster;
    int64_t prefix;    /* Size of the cluster's chunks of this feerate up to its end. */
    uint32_t greatest; /* Its greatest node in the order of options.compare. */
    uint32_t priority; /* Random: the tree is a treap. */
    uint32_t up;
    uint32_t kids[2]; /* Free chunks: kids[0] is the next one. */
    uint8_t first;
    uint8_t end; /* One past its last position. */
};

struct graph_list {
    struct cluster **clusters;
    uint32_t n;
    uint32_t room;
};

struct graph_numbers {
    uint32_t *numbers;
    size_t n;
    size_t room;
};

struct waiting_link {
    uint32_t parent;
    uint32_t child;
    uint64_t parent_sequence; /* Numbers are used again: these say who was meant. */
    uint64_t child_sequence;
};

struct graph_level_state {
    struct graph_list list;
    struct waiting_link *waiting; /* Dependencies for which there is no room. */
    size_t waiting_n;
    size_t waiting_room;
    bool is_retry;               /* Nodes have gone since they were looked at. */
    struct graph_numbers giants; /* Nodes larger than a cluster may be. */
    uint32_t nodes_n;
};

struct graph {
    struct graph_options options;
    bool is_staged;
    uint64_t sequence;
    uint64_t mark;
    uint64_t walks;
    uint64_t random;
    struct graph_level_state levels[LEVELS];
    struct graph_node **node_pages;
    uint32_t nodes_end; /* Numbers given out so far. */
    uint32_t free_node;
    struct chunk **chunk_pages;
    uint32_t chunks_end;
    uint32_t chunks_n;
    uint32_t free_chunk;
    uint32_t root;
    uint32_t unproved_n; /* Indexed clusters that are not known to be optimal. */
    /* The staged level against main. */
    struct graph_list shadowed;
    struct graph_numbers gone;
    struct graph_numbers added;
    /* Memory for clusters. */
    void *free_clusters[GRAPH_CLASSES];
    uint8_t **slabs;
    size_t slabs_n;
    size_t slab_used;
    size_t main_bytes; /* Of main's clusters. */
    /* Results. */
    struct graph_numbers result;
    struct fee_size *diagram[LEVELS];
    size_t diagram_room[LEVELS];
};

static inline uint64_t graph_bit(uint32_t i)
{
    return UINT64_C(1) << i;
}
static inline uint32_t graph_lowest(uint64_t set)
{
    return (uint32_t)__builtin_ctzll(set);
}
static inline uint64_t graph_all(uint32_t n)
{
    return UINT64_MAX >> (64 - n);
}

static inline uint64_t *cluster_ancestors(struct cluster *cluster)
{
    return cluster->rows;
}
static inline uint64_t *cluster_descendants(struct cluster *cluster)
{
    return cluster->rows + (UINT64_C(1) << cluster->class);
}
static inline uint32_t *cluster_nodes(struct cluster *cluster)
{
    return (uint32_t *)(void *)(cluster->rows + (UINT64_C(2) << cluster->class));
}

static inline struct graph_node *graph_node_at(const struct graph *graph, uint32_t node)
{
    return &graph->node_pages[node / GRAPH_PAGE][node % GRAPH_PAGE];
}
static inline struct chunk *graph_chunk_at(const struct graph *graph, uint32_t chunk)
{
    return &graph->chunk_pages[chunk / GRAPH_PAGE][chunk % GRAPH_PAGE];
}
static inline struct fee_size graph_fee_size_at(const struct graph *graph, uint32_t node)
{
    const struct graph_node *entry = graph_node_at(graph, node);

    return (struct fee_size){.fee_sat = entry->fee_sat, .size = entry->size};
}

/* The cluster of a node as a level sees it; NULL: the level does not have it. */
static inline struct cluster *graph_find(const struct graph *graph, int level, uint32_t node)
{
    const struct graph_node *entry = graph_node_at(graph, node);

    if (level == LEVEL_MAIN)
        return entry->cluster[LEVEL_MAIN];
    if (entry->cluster[LEVEL_STAGED] != NULL)
        return entry->cluster[LEVEL_STAGED];
    return entry->is_gone ? NULL : entry->cluster[LEVEL_MAIN];
}
/* Its position there. */
static inline uint32_t graph_position(const struct graph *graph, const struct cluster *cluster,
                                      uint32_t node)
{
    return graph_node_at(graph, node)->at[cluster->level];
}
static inline int graph_level_of(const struct graph *graph, enum graph_level level)
{
    return level == GRAPH_TOP && graph->is_staged ? LEVEL_STAGED : LEVEL_MAIN;
}

int graph_node_compare(const struct graph *graph, uint32_t a, uint32_t b);
void graph_numbers_add(struct graph_numbers *numbers, uint32_t number);

/* cluster.c. A cluster without nodes, on the list of its level unless it is main's. */
struct cluster *cluster_new(struct graph *graph, int level, uint32_t room);
/* Off its list and out of the order of chunks; its memory is free again. */
void cluster_free(struct graph *graph, struct cluster *cluster);
void cluster_list_add(struct graph *graph, struct cluster *cluster);
void cluster_list_remove(struct graph *graph, struct cluster *cluster);
/* Before any change: out of the order of chunks. */
void cluster_touch(struct graph *graph, struct cluster *cluster);
/* A node that has no cluster at the level becomes a cluster of its own. */
void cluster_add_single(struct graph *graph, int level, uint32_t node);
/* The cluster itself if it is the level's, else a copy that shadows it. */
struct cluster *cluster_own(struct graph *graph, int level, struct cluster *cluster);
/* The two as one cluster of the level. */
struct cluster *cluster_merge(struct graph *graph, int level, struct cluster *a, struct cluster *b);
/* Both positions are the cluster's. */
void cluster_link(struct graph *graph, struct cluster *cluster, uint32_t parent, uint32_t child);
/* Takes a position out; the cluster is freed when that was the last one. */
void cluster_remove(struct graph *graph, struct cluster *cluster, uint32_t position);
/* Into connected parts; the cluster may be gone afterwards. */
void cluster_split(struct graph *graph, struct cluster *cluster);
/* Not cut. Makes it ordered. */
void cluster_order(struct graph *graph, struct cluster *cluster);
/* All lists done: split, ordered, indexed. */
void cluster_settle_level(struct graph *graph, int level);
struct fee_size cluster_sum(const struct graph *graph, struct cluster *cluster, uint64_t set);
size_t cluster_bytes(const struct cluster *cluster);

/* chunk_order.c. */
void chunk_order_add(struct graph *graph, struct cluster *cluster);    /* Ordered, of main. */
void chunk_order_remove(struct graph *graph, struct cluster *cluster); /* Indexed. */
int chunk_order_compare(const struct graph *graph, const struct chunk *a, const struct chunk *b);
uint32_t chunk_order_first(const struct graph *graph);
uint32_t chunk_order_last(const struct graph *graph);
uint32_t chunk_order_next(const struct graph *graph, uint32_t chunk);
void chunk_order_check(const struct graph *graph);

/* graph.c. Waiting dependencies come into force if there is room now. */
void graph_retry(struct graph *graph, int level);

#endif /* MEMPOOL_GRAPH_PRIV_H */
