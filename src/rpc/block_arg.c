#include "rpc/block_arg.h"

bool block_arg_read(struct block *ret_block, struct span *bytes, struct arena *arena)
{
    struct header header;
    struct reader r;
    struct tx tx;
    uint32_t n;

    reader_init(&r, bytes->data, bytes->len);
    header_read(&header, &r);
    n = read_length(&r);
    for (uint32_t i = 0; r.rc == 0 && i < n; i++) {
        if (tx_read(&tx, &r, arena, TX_READ_NO_IDS) < 0)
            return false;
    }
    if (r.rc < 0)
        return false;
    bytes->len -= r.left;
    return block_read(ret_block, bytes->data, bytes->len, arena) == 0;
}
