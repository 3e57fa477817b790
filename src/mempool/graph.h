/* The cluster graph: which of many things with a fee and a size depend on which
 * others, in what order they are best taken, and what to drop first.
 *
 * It knows nothing of transactions. A node has a fee (signed: priorities are in it), a
 * size and a pointer of the user's. "Child depends on parent" makes clusters: nodes
 * connected by dependencies, in whatever direction. Each cluster has a linearization,
 * an order in which parents come before children, cut into chunks of falling
 * feerate: no order could earn more for any given space (see linearize.h). All chunks
 * of all clusters together have one order, best first: miners take from its front, a
 * full mempool evicts from its back.
 *
 * Levels. Changes go to the main graph, or, between graph_stage and graph_commit or
 * graph_abort, to the staged one, which begins as a copy of main (it costs only what is
 * changed). So a replacement can be tried, its diagram compared, and taken or left.
 *
 * Limits. A cluster has at most GRAPH_CLUSTER_MAX nodes and a greatest total size. A
 * dependency that would break that is kept waiting and the level does not fit
 * (graph_fits) until nodes were removed; then the waiting ones come into force. While a
 * level does not fit, ask it only what says so.
 *
 * Nodes are named by small numbers that are used again once a node has gone from both
 * levels.
 *
 * Owner thread: chain; everything may be called by it only, but: as long as the owner
 * is in none of these calls and has called graph_settle after its last change of the
 * main graph, other threads may read main (functions marked R), under the lock of
 * whoever holds the graph. Equal calls in equal order give equal results.
 */
#ifndef MEMPOOL_GRAPH_H
#define MEMPOOL_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mempool/diagram.h"

#define GRAPH_CLUSTER_MAX 64U
#define GRAPH_NONE UINT32_MAX /* No node. */
#define GRAPH_NODES_MAX (1U << 26)
#define GRAPH_SIZE_MAX (INT32_C(1) << 24) /* Of one node; more is a bug of the caller. */
/* Fees beyond this, either way, count as this much: 17 times all the money there is. */
#define GRAPH_FEE_MAX_SAT (INT64_C(1) << 55)

#define GRAPH_CLUSTER_SIZE_DEFAULT (UINT64_C(101000) * 4) /* Weight: 101,000 vbytes. */
#define GRAPH_BUDGET_DEFAULT UINT64_C(100000)

enum graph_level {
    GRAPH_MAIN,
    GRAPH_TOP /* The staged graph if there is one, else main. */
};

struct graph_options {
    uint32_t cluster_nodes_max; /* 1..GRAPH_CLUSTER_MAX; 0: GRAPH_CLUSTER_MAX. */
    uint64_t cluster_size_max;  /* In the unit of sizes; 0: GRAPH_CLUSTER_SIZE_DEFAULT. */
    uint64_t budget;            /* Of one linearization, see linearize.h; 0: default. */
    uint64_t seed;              /* Of internal shapes only: no result depends on it. */
    /* A total order of the users' things (the mempool: by txid), to break ties: negative
     * if a comes first. NULL: the order in which nodes were added. */
    int (*compare)(const void *a_user, const void *b_user);
};

struct graph;

/* Never NULL. The options are copied; NULL: defaults. */
struct graph *graph_new(const struct graph_options *options);
void graph_free(struct graph *own_graph);

/* --- Changes, to the top level ------------------------------------------------------- */

/* A node of its own. size is 1..GRAPH_SIZE_MAX; at most GRAPH_NODES_MAX nodes. user must
 * stay valid, and keep its place in the order of options.compare, until the node is
 * gone. */
uint32_t graph_add(struct graph *graph, int64_t fee_sat, int32_t size, void *user);

/* Takes a node out (nothing happens if the level does not have it). Its children stay,
 * and depend from then on on its parents. Without staging, or once that is committed,
 * the number is free again: forget it. Dependencies that wait for want of room and
 * begin or end at the node are dropped. */
void graph_remove(struct graph *graph, uint32_t node);

/* child depends on parent. Nothing happens if the level lacks one of them or it does so
 * already. parent must not depend on child (a bug of the caller). */
void graph_link(struct graph *graph, uint32_t parent, uint32_t child);

/* A node's fee, in both levels. */
void graph_set_fee(struct graph *graph, uint32_t node, int64_t fee_sat);

/* Begins the staged level; there must be none, and main must fit. */
void graph_stage(struct graph *graph);
/* The staged level becomes the main one. Nodes removed in it are gone. */
void graph_commit(struct graph *graph);
/* The staged level is forgotten. Nodes added in it are gone. */
void graph_abort(struct graph *graph);
bool graph_is_staged(const struct graph *graph);

/* Does now what reading main would else do first (splits, linearizations). No reading
 * function changes anything after it. */
void graph_settle(struct graph *graph);

/* --- Always allowed ------------------------------------------------------------------ */

/* R. Whether every cluster of the level is within the limits. */
bool graph_fits(struct graph *graph, enum graph_level level);

/* Who must go for the top level to fit again, children with their parents, cheap before
 * dear as well as a quick look can tell; nothing if it fits. The caller removes them
 * all. They are put into *ret_nodes, valid until the next change. Returns how many. */
size_t graph_trim(struct graph *graph, const uint32_t **ret_nodes);

/* R. */
bool graph_exists(const struct graph *graph, enum graph_level level, uint32_t node);
uint32_t graph_count(const struct graph *graph, enum graph_level level);  /* R. Nodes. */
void *graph_user(const struct graph *graph, uint32_t node);               /* R. */
struct fee_size graph_fee_size(const struct graph *graph, uint32_t node); /* R. */

/* R. Memory used by the main graph, in bytes: what it would be after graph_abort. */
size_t graph_memory_bytes(const struct graph *graph);

/* Everything that must hold inside; ends the process if it does not. For tests. */
void graph_check(struct graph *graph);

/* --- Asked of a level that fits ------------------------------------------------------ */

/* R. The nodes of node's cluster in the order of its linearization (of main: settled);
 * its ancestors; its descendants (both with itself, parents before children). Returns
 * how many, 0 if the level does not have the node. */
size_t graph_cluster(struct graph *graph, enum graph_level level, uint32_t node,
                     uint32_t ret_nodes[GRAPH_CLUSTER_MAX]);
size_t graph_ancestors(struct graph *graph, enum graph_level level, uint32_t node,
                       uint32_t ret_nodes[GRAPH_CLUSTER_MAX]);
size_t graph_descendants(struct graph *graph, enum graph_level level, uint32_t node,
                         uint32_t ret_nodes[GRAPH_CLUSTER_MAX]);

/* How many nodes, and their fees and sizes together. */
struct graph_sum {
    uint32_t nodes_n;
    struct fee_size total;
};
/* R. Zeros if the level does not have the node. */
struct graph_sum graph_cluster_sum(struct graph *graph, enum graph_level level, uint32_t node);
struct graph_sum graph_ancestors_sum(struct graph *graph, enum graph_level level, uint32_t node);
struct graph_sum graph_descendants_sum(struct graph *graph, enum graph_level level, uint32_t node);

/* All that one of the nodes depends on, or that depends on one of them (with themselves;
 * each once; cluster by cluster, parents before children). Nodes the level lacks are
 * passed over. *ret_nodes is valid until the next call of one of the three or the next
 * change; owner only. Returns how many. */
size_t graph_ancestors_of(struct graph *graph, enum graph_level level, const uint32_t *nodes,
                          size_t nodes_n, const uint32_t **ret_nodes);
size_t graph_descendants_of(struct graph *graph, enum graph_level level, const uint32_t *nodes,
                            size_t nodes_n, const uint32_t **ret_nodes);
/* In how many clusters the nodes are. Owner only. */
size_t graph_count_clusters(struct graph *graph, enum graph_level level, const uint32_t *nodes,
                            size_t nodes_n);

/* The diagrams of the clusters in which main and the staged level differ: what is, and
 * what would be. There must be a staged level; both must fit. The arrays are valid until
 * the next change. */
struct graph_diagrams {
    const struct fee_size *main;
    size_t main_n;
    const struct fee_size *staged;
    size_t staged_n;
};
void graph_diagrams(struct graph *graph, struct graph_diagrams *ret);

/* --- The order of main, which must fit ----------------------------------------------- */

/* R. In which order a and b, both in main, are best taken (or told to peers): negative if a
 * comes first. Parents come before children. By chunk feerate; then by how much of that
 * feerate the cluster has up to the end of the chunk, less first; then by the chunks'
 * greatest nodes in the order of options.compare; then by linearization. */
int graph_compare(struct graph *graph, uint32_t a, uint32_t b);

/* R. Fee and size of the chunk in which node (in main) is. */
struct fee_size graph_chunk_of(struct graph *graph, uint32_t node);

/* A chunk. nodes: parents first, valid until the next change of main. */
struct graph_chunk {
    const uint32_t *nodes;
    size_t nodes_n;
    struct fee_size total;
    uint32_t index; /* Its place in its cluster, from 0. */
};

/* R. The last chunk in that order. False: there are no nodes. */
bool graph_worst(struct graph *graph, struct graph_chunk *ret_chunk);

/* R. A walk through all chunks, best first. main must not change meanwhile; one walk with
 * graph_walk_skip at a time. */
struct graph_walk {
    struct graph *graph;
    uint32_t at;    /* Private. */
    uint64_t epoch; /* Private. */
    bool is_ended;  /* Private. */
};
void graph_walk_begin(struct graph *graph, struct graph_walk *ret_walk);
/* Gives the next chunk, false at the end. */
bool graph_walk_next(struct graph_walk *walk, struct graph_chunk *ret_chunk);
/* The chunk just given is not taken: no later chunk of its cluster will be given. */
void graph_walk_skip(struct graph_walk *walk);

/* R. Whether every linearization of main is known to be the best possible; false if a budget
 * ran out. */
bool graph_is_optimal(struct graph *graph);

/* R. The same for node's cluster in main; and the cluster's chunks: *ret_nodes in order (as
 * graph_cluster), ret_ends[i] is one past the last node of chunk i. Returns how many chunks. */
size_t graph_cluster_chunks(struct graph *graph, uint32_t node,
                            uint32_t ret_nodes[GRAPH_CLUSTER_MAX],
                            uint32_t ret_ends[GRAPH_CLUSTER_MAX]);

#endif /* MEMPOOL_GRAPH_H */
