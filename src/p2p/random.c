#include "p2p/random.h"

#include <math.h>
#include <sodium.h>
#include <string.h>

#include "base/bytes.h"
#include "base/check.h"

/* ChaCha20 under the seed, the block number as its nonce. */
void random_init(struct random *random, const uint8_t seed[32])
{
    *random = (struct random){.block = 0};
    memcpy(random->key, seed, sizeof(random->key));
}

static void refill(struct random *random)
{
    uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];

    put_le64(nonce, random->block++);
    crypto_stream_chacha20(random->left, sizeof(random->left), nonce, random->key);
    random->left_n = sizeof(random->left);
}

void random_fill(struct random *random, void *ret_data, size_t len)
{
    uint8_t *at = ret_data;

    while (len > 0) {
        size_t n;

        if (random->left_n == 0)
            refill(random);
        n = MIN(len, random->left_n);
        memcpy(at, random->left + sizeof(random->left) - random->left_n, n);
        random->left_n -= n;
        at += n;
        len -= n;
    }
}

uint64_t random_u64(struct random *random)
{
    uint8_t bytes[8];

    random_fill(random, bytes, sizeof(bytes));
    return get_le64(bytes);
}

uint64_t random_below(struct random *random, uint64_t bound)
{
    uint64_t limit;
    uint64_t value;

    CHECK(bound > 0);
    /* Values from limit on would make small results likelier. */
    limit = UINT64_MAX - UINT64_MAX % bound;
    do
        value = random_u64(random);
    while (value >= limit);
    return value % bound;
}

bool random_bool(struct random *random)
{
    return (random_u64(random) & 1) != 0;
}

int64_t random_poisson(struct random *random, int64_t mean)
{
    double uniform = (double)(random_u64(random) >> 11) / 9007199254740992.0;

    return (int64_t)(-log1p(-uniform) * (double)mean + 0.5);
}

int64_t random_between(struct random *random, int64_t low, int64_t high)
{
    CHECK(low < high);
    return low + (int64_t)random_below(random, (uint64_t)(high - low));
}

void random_shuffle(struct random *random, void *items, size_t n, size_t item_bytes)
{
    uint8_t *bytes = items;
    uint8_t spare[64];

    CHECK(item_bytes <= sizeof(spare));
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)random_below(random, i);

        memcpy(spare, bytes + (i - 1) * item_bytes, item_bytes);
        memmove(bytes + (i - 1) * item_bytes, bytes + j * item_bytes, item_bytes);
        memcpy(bytes + j * item_bytes, spare, item_bytes);
    }
}
