#include "consensus/chain_of.h"

#include "base/alloc.h"
#include "base/check.h"

void chain_of_clear(struct chain_of *chain)
{
    free(chain->blocks);
    *chain = (struct chain_of){0};
}

void chain_of_add(struct chain_of *chain, int32_t version, uint32_t time, uint32_t bits)
{
    if ((chain->n & (chain->n - 1)) == 0)
        chain->blocks =
            realloc_array(chain->blocks, chain->n == 0 ? 1 : 2 * chain->n, sizeof(*chain->blocks));
    chain->blocks[chain->n++] = (struct ancestor){.version = version, .time = time, .bits = bits};
}

static struct ancestor at(const void *context, int32_t height)
{
    const struct chain_of *chain = context;

    CHECK(height >= chain->base_height && height - chain->base_height < (int32_t)chain->n);
    return chain->blocks[height - chain->base_height];
}

struct ancestry chain_of_ancestry(const struct chain_of *chain, int32_t tip_height)
{
    return (struct ancestry){.tip_height = tip_height, .at = at, .context = chain};
}
