/* A slow and simple mempool beside the real one. Both get the same transactions, blocks and
 * reorganizations; after every step both must hold the same, and what the real one says
 * of each transaction must be what counting by hand gives.
 *
 * The model knows no graph: relatives are found by walking over inputs, the best order of
 * a cluster by trying all subsets.
 */
#ifndef TEST_MEMPOOL_NAIVE_POOL_H
#define TEST_MEMPOOL_NAIVE_POOL_H

#include <stddef.h>
#include <stdint.h>

/* Steps are made of the input's bytes. Ends the process at the first difference. */
void naive_pool_play(const uint8_t *data, size_t len);

#endif /* TEST_MEMPOOL_NAIVE_POOL_H */
