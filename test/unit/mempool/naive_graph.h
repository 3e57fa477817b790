/* A slow, obviously right cluster graph, and a player that gives the real one and this
 * the same orders and compares everything after each. */
#ifndef MEMPOOL_NAIVE_GRAPH_H
#define MEMPOOL_NAIVE_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mempool/diagram.h"

#define NAIVE_NODES 48

/* The best diagram of a cluster of up to 20 nodes, found by looking at all its closed
 * sets. ancestors as in linearize.h. Returns the number of chunks, as many as there can
 * be. */
size_t naive_best_chunks(struct fee_size *ret_chunks, const struct fee_size *nodes,
                         const uint64_t *ancestors, uint32_t n);

/* Plays orders made of these bytes; a difference ends the process. */
void naive_graph_play(const uint8_t *data, size_t len);

#endif /* MEMPOOL_NAIVE_GRAPH_H */
