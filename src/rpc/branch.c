#include "rpc/branch.h"

#include "base/check.h"

struct ancestor branch_at(const void *context, int32_t height)
{
    const struct branch *branch = context;
    struct block_info info;

    CHECK(branch->node->ops->ancestor(branch->node, &info, &branch->hash, height) == 0);
    return (struct ancestor){
        .version = info.header.version,
        .time = info.header.time,
        .bits = info.header.bits,
    };
}
