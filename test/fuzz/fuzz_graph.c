/* Target: the cluster graph. Orders made of the input are given to it and to a slow
 * model; after each order everything that can be asked must have the same answer. */
#include <stddef.h>
#include <stdint.h>

#include "mempool/naive_graph.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    naive_graph_play(data, len < 2000 ? len : 2000);
    return 0;
}
