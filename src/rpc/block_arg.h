/* Blocks that callers hand in. */
#ifndef RPC_BLOCK_ARG_H
#define RPC_BLOCK_ARG_H

#include "base/arena.h"
#include "base/bytes.h"
#include "primitives/block.h"

/* Cuts off what stands behind the block, as ever. False: it is not even a block. */
bool block_arg_read(struct block *ret_block, struct span *bytes, struct arena *arena);

#endif /* RPC_BLOCK_ARG_H */
