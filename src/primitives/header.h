/* A block header: 80 bytes on the wire. */
#ifndef PRIMITIVES_HEADER_H
#define PRIMITIVES_HEADER_H

#include <stdint.h>

#include "codec/reader.h"
#include "primitives/ids.h"

#define HEADER_BYTES 80

struct header {
    int32_t version;
    struct block_hash prev;
    struct merkle_root merkle_root;
    uint32_t time; /* Seconds since 1970. */
    uint32_t bits; /* Compact target. */
    uint32_t nonce;
};

void header_read(struct header *ret_header, struct reader *r);
void header_write(uint8_t *ret_bytes, const struct header *header); /* HEADER_BYTES. */
struct block_hash header_hash(const struct header *header);

#endif /* PRIMITIVES_HEADER_H */
