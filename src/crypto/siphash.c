#include "crypto/siphash.h"

#include "base/check.h"

void siphash_init(struct siphash *hash, const struct siphash_key *key)
{
    hash->v[0] = key->k0 ^ 0x736f6d6570736575;
    hash->v[1] = key->k1 ^ 0x646f72616e646f6d;
    hash->v[2] = key->k0 ^ 0x6c7967656e657261;
    hash->v[3] = key->k1 ^ 0x7465646279746573;
    hash->len = 0;
}

static void mix(struct siphash *hash, uint64_t word)
{
    uint64_t *v = hash->v;

    v[3] ^= word;
    SIPHASH_ROUND(v[0], v[1], v[2], v[3]);
    SIPHASH_ROUND(v[0], v[1], v[2], v[3]);
    v[0] ^= word;
}

void siphash_add(struct siphash *hash, const void *data, size_t len)
{
    const uint8_t *at = data;
    size_t held = hash->len % 8;

    if (len == 0)
        return;
    hash->len += len;
    if (held > 0) {
        size_t take = MIN(8 - held, len);

        memcpy(hash->tail + held, at, take);
        at += take;
        len -= take;
        if (held + take < 8)
            return;
        mix(hash, get_le64(hash->tail));
    }
    for (; len >= 8; at += 8, len -= 8)
        mix(hash, get_le64(at));
    memcpy(hash->tail, at, len);
}

void siphash_add_u64(struct siphash *hash, uint64_t word)
{
    uint8_t bytes[8];

    put_le64(bytes, word);
    siphash_add(hash, bytes, sizeof(bytes));
}

uint64_t siphash_finish(struct siphash *hash)
{
    uint64_t *v = hash->v;

    memset(hash->tail + hash->len % 8, 0, 8 - hash->len % 8);
    mix(hash, get_le64(hash->tail) | hash->len << 56);
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        SIPHASH_ROUND(v[0], v[1], v[2], v[3]);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t siphash_of(const struct siphash_key *key, const void *data, size_t len)
{
    struct siphash hash;

    siphash_init(&hash, key);
    siphash_add(&hash, data, len);
    return siphash_finish(&hash);
}
