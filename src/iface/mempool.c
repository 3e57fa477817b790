#include "iface/mempool.h"

#include <stdlib.h>

void tx_result_clear(struct tx_result *result)
{
    for (size_t i = 0; i < result->replaced_n; i++)
        tx_ref_drop(result->replaced[i]);
    free(result->replaced);
    free(result->effective_with);
    *result = (struct tx_result){0};
}
