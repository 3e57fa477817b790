#include "crypto/sha256.h"

#include "base/check.h"

static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t v, unsigned n)
{
    return v >> n | v << (32 - n);
}

static void compress(uint32_t *state, const uint8_t *blocks, size_t count)
{
    uint32_t w[64];

    for (; count > 0; count--, blocks += SHA256_BLOCK_BYTES) {
        uint32_t v[8];

        for (size_t i = 0; i < 16; i++)
            w[i] = get_be32(blocks + 4 * i);
        for (size_t i = 16; i < 64; i++) {
            uint32_t a = w[i - 15];
            uint32_t b = w[i - 2];

            w[i] = w[i - 16] + w[i - 7] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) +
                   (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
        }
        memcpy(v, state, sizeof(v));
        for (size_t i = 0; i < 64; i++) {
            uint32_t t1 = v[7] + (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) +
                          ((v[4] & v[5]) ^ (~v[4] & v[6])) + round_constants[i] + w[i];
            uint32_t t2 = (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) +
                          ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

            memmove(v + 1, v, 7 * sizeof(v[0]));
            v[4] += t1;
            v[0] = t1 + t2;
        }
        for (size_t i = 0; i < 8; i++)
            state[i] += v[i];
    }
}

void sha256_init(struct sha256 *hash)
{
    static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

    memcpy(hash->state, initial, sizeof(initial));
    hash->len = 0;
}

void sha256_add(struct sha256 *hash, const void *data, size_t len)
{
    const uint8_t *at = data;
    size_t held = hash->len % SHA256_BLOCK_BYTES;

    if (len == 0)
        return;
    hash->len += len;
    if (held > 0) {
        size_t take = SHA256_BLOCK_BYTES - held;

        if (take > len)
            take = len;
        memcpy(hash->tail + held, at, take);
        at += take;
        len -= take;
        if (held + take < SHA256_BLOCK_BYTES)
            return;
        compress(hash->state, hash->tail, 1);
    }
    compress(hash->state, at, len / SHA256_BLOCK_BYTES);
    at += len - len % SHA256_BLOCK_BYTES;
    memcpy(hash->tail, at, len % SHA256_BLOCK_BYTES);
}

void sha256_finish(struct sha256 *hash, uint8_t *ret_digest)
{
    uint8_t padding[2 * SHA256_BLOCK_BYTES] = {0x80};
    size_t held = hash->len % SHA256_BLOCK_BYTES;
    size_t pad = (held < 56 ? 56 : 120) - held;

    put_be64(padding + pad, hash->len * 8);
    sha256_add(hash, padding, pad + 8);
    for (size_t i = 0; i < 8; i++)
        put_be32(ret_digest + 4 * i, hash->state[i]);
}

void sha256(uint8_t *ret_digest, const void *data, size_t len)
{
    struct sha256 hash;

    sha256_init(&hash);
    sha256_add(&hash, data, len);
    sha256_finish(&hash, ret_digest);
}

void sha256d_finish(struct sha256 *hash, uint8_t *ret_digest)
{
    uint8_t digest[SHA256_BYTES];

    sha256_finish(hash, digest);
    sha256(ret_digest, digest, sizeof(digest));
}

void sha256d(uint8_t *ret_digest, const void *data, size_t len)
{
    uint8_t digest[SHA256_BYTES];

    sha256(digest, data, len);
    sha256(ret_digest, digest, sizeof(digest));
}

void sha256d_64_many(uint8_t *ret_digests, const uint8_t *inputs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sha256d(ret_digests + 32 * i, inputs + 64 * i, 64);
}

void sha256d_many(const struct sha256_job *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct sha256 hash;

        sha256_init(&hash);
        for (size_t k = 0; k < ARRAY_LEN(jobs[i].piece); k++)
            sha256_add(&hash, jobs[i].piece[k].data, jobs[i].piece[k].len);
        sha256d_finish(&hash, jobs[i].ret_digest);
    }
}

void sha256_tagged_init(struct sha256 *hash, const char *tag)
{
    uint8_t digest[SHA256_BYTES];

    sha256(digest, tag, strlen(tag));
    sha256_init(hash);
    sha256_add(hash, digest, sizeof(digest));
    sha256_add(hash, digest, sizeof(digest));
}

const char *sha256_select(bool allow_vector)
{
    (void)allow_vector;
    return "portable";
}
