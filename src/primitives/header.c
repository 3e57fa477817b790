#include "primitives/header.h"

#include "crypto/sha256.h"

void header_read(struct header *ret_header, struct reader *r)
{
    ret_header->version = (int32_t)read_le32(r);
    read_bytes(r, ret_header->prev.b, HASH_BYTES);
    read_bytes(r, ret_header->merkle_root.b, HASH_BYTES);
    ret_header->time = read_le32(r);
    ret_header->bits = read_le32(r);
    ret_header->nonce = read_le32(r);
}

void header_write(uint8_t *ret_bytes, const struct header *header)
{
    put_le32(ret_bytes, (uint32_t)header->version);
    memcpy(ret_bytes + 4, header->prev.b, HASH_BYTES);
    memcpy(ret_bytes + 36, header->merkle_root.b, HASH_BYTES);
    put_le32(ret_bytes + 68, header->time);
    put_le32(ret_bytes + 72, header->bits);
    put_le32(ret_bytes + 76, header->nonce);
}

struct block_hash header_hash(const struct header *header)
{
    uint8_t bytes[HEADER_BYTES];
    struct block_hash hash;

    header_write(bytes, header);
    sha256d(hash.b, bytes, sizeof(bytes));
    return hash;
}
