/* Hashes that must not be mixed up are types of their own. All are kept in wire
 * order; text (hex) is the reverse, as users see them.
 */
#ifndef PRIMITIVES_IDS_H
#define PRIMITIVES_IDS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define HASH_BYTES 32
#define HASH_HEX_SIZE 65 /* 64 digits and a terminator. */

struct txid {
    uint8_t b[HASH_BYTES];
};
struct wtxid {
    uint8_t b[HASH_BYTES];
};
struct block_hash {
    uint8_t b[HASH_BYTES];
};
struct merkle_root {
    uint8_t b[HASH_BYTES];
};

/* Which output of which transaction. */
struct outpoint {
    struct txid txid;
    uint32_t vout;
};

#define OUTPOINT_VOUT_NULL 0xffffffffU

static inline bool txid_equal(const struct txid *a, const struct txid *b)
{
    return memcmp(a->b, b->b, HASH_BYTES) == 0;
}

static inline bool wtxid_equal(const struct wtxid *a, const struct wtxid *b)
{
    return memcmp(a->b, b->b, HASH_BYTES) == 0;
}

static inline bool block_hash_equal(const struct block_hash *a, const struct block_hash *b)
{
    return memcmp(a->b, b->b, HASH_BYTES) == 0;
}

static inline bool outpoint_equal(const struct outpoint *a, const struct outpoint *b)
{
    return a->vout == b->vout && txid_equal(&a->txid, &b->txid);
}

/* All zeros: the parent of the genesis block. */
bool block_hash_is_null(const struct block_hash *hash);

/* The prevout of a coinbase input. */
bool outpoint_is_null(const struct outpoint *outpoint);

/* Display order. ret_text has HASH_HEX_SIZE bytes; hash 32 bytes in wire order. */
void hash_to_hex(char *ret_text, const uint8_t *hash);

/* A buffer for one text, so that logs can say hash_hex(hash->b).text. */
struct hash_hex {
    char text[HASH_HEX_SIZE];
};
struct hash_hex hash_hex(const uint8_t *hash);

/* 64 digits in display order; false leaves ret_hash undefined. */
bool hash_from_hex(uint8_t *ret_hash, const char *text);

#endif /* PRIMITIVES_IDS_H */
