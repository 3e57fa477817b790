#include "primitives/ids.h"

#include "base/hex.h"

static bool is_zero(const uint8_t *hash)
{
    static const uint8_t zero[HASH_BYTES];

    return memcmp(hash, zero, HASH_BYTES) == 0;
}

bool block_hash_is_null(const struct block_hash *hash)
{
    return is_zero(hash->b);
}

bool outpoint_is_null(const struct outpoint *outpoint)
{
    return outpoint->vout == OUTPOINT_VOUT_NULL && is_zero(outpoint->txid.b);
}

void hash_to_hex(char *ret_text, const uint8_t *hash)
{
    hex_write_reversed(ret_text, hash, HASH_BYTES);
}

struct hash_hex hash_hex(const uint8_t *hash)
{
    struct hash_hex hex;

    hash_to_hex(hex.text, hash);
    return hex;
}

bool hash_from_hex(uint8_t *ret_hash, const char *text)
{
    return hex_read_reversed(ret_hash, HASH_BYTES, text, strlen(text));
}
