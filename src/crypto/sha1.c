#include "crypto/sha1.h"

#include "base/bytes.h"

#define SHA1_BLOCK_BYTES 64

static uint32_t rotate(uint32_t v, unsigned n)
{
    return v << n | v >> (32 - n);
}

static uint32_t mix(size_t i, uint32_t x, uint32_t y, uint32_t z)
{
    if (i < 20)
        return ((x & y) | (~x & z)) + 0x5a827999;
    if (i < 40)
        return (x ^ y ^ z) + 0x6ed9eba1;
    if (i < 60)
        return ((x & y) | (x & z) | (y & z)) + 0x8f1bbcdc;
    return (x ^ y ^ z) + 0xca62c1d6;
}

static void compress(uint32_t *state, const uint8_t *block)
{
    uint32_t w[80];
    uint32_t v[5];

    for (size_t i = 0; i < 16; i++)
        w[i] = get_be32(block + 4 * i);
    for (size_t i = 16; i < 80; i++)
        w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    memcpy(v, state, sizeof(v));
    for (size_t i = 0; i < 80; i++) {
        uint32_t t = rotate(v[0], 5) + mix(i, v[1], v[2], v[3]) + v[4] + w[i];

        v[4] = v[3];
        v[3] = v[2];
        v[2] = rotate(v[1], 30);
        v[1] = v[0];
        v[0] = t;
    }
    for (size_t i = 0; i < 5; i++)
        state[i] += v[i];
}

void sha1(uint8_t *ret_digest, const void *data, size_t len)
{
    uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    uint8_t last[2 * SHA1_BLOCK_BYTES] = {0};
    const uint8_t *at = data;
    size_t left = len;
    size_t last_len;

    for (; left >= SHA1_BLOCK_BYTES; at += SHA1_BLOCK_BYTES, left -= SHA1_BLOCK_BYTES)
        compress(state, at);
    if (left > 0)
        memcpy(last, at, left);
    last[left] = 0x80;
    last_len = left < 56 ? SHA1_BLOCK_BYTES : 2 * SHA1_BLOCK_BYTES;
    put_be64(last + last_len - 8, (uint64_t)len * 8);
    for (size_t i = 0; i < last_len; i += SHA1_BLOCK_BYTES)
        compress(state, last + i);
    for (size_t i = 0; i < 5; i++)
        put_be32(ret_digest + 4 * i, state[i]);
}
