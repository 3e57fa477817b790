#include "p2p/random.h"

#include <math.h>
#include <string.h>

#include "base/check.h"
#include "crypto/sha256.h"

void random_init(struct random_source *random, const uint8_t *seed, const char *name)
{
    uint8_t digest[SHA256_BYTES];
    struct sha256 hash;

    sha256_init(&hash);
    sha256_add(&hash, seed, RANDOM_SEED_BYTES);
    sha256_add(&hash, name, strlen(name));
    sha256_finish(&hash, digest);
    random->key.k0 = get_le64(digest);
    random->key.k1 = get_le64(digest + 8);
    random->counter = 0;
}

uint64_t random_u64(struct random_source *random)
{
    uint8_t counter[8];

    put_le64(counter, random->counter++);
    return siphash_of(&random->key, counter, sizeof(counter));
}

uint64_t random_below(struct random_source *random, uint64_t bound)
{
    /* Numbers from here on would make the small results likelier. */
    uint64_t uneven = UINT64_MAX - UINT64_MAX % bound;
    uint64_t v;

    CHECK(bound > 0);
    do {
        v = random_u64(random);
    } while (v >= uneven);
    return v % bound;
}

bool random_bool(struct random_source *random)
{
    return (random_u64(random) & 1) != 0;
}

void random_fill(struct random_source *random, void *ret_data, size_t len)
{
    uint8_t *at = (uint8_t *)ret_data;

    while (len > 0) {
        size_t n = len < 8 ? len : 8;
        uint8_t word[8];

        put_le64(word, random_u64(random));
        memcpy(at, word, n);
        at += n;
        len -= n;
    }
}

uint64_t random_poisson(struct random_source *random, uint64_t mean)
{
    /* In (0, 1]: the logarithm of zero is none. */
    double even = ((double)(random_u64(random) >> 11) + 1.0) * 0x1p-53;

    return (uint64_t)(-log(even) * (double)mean + 0.5);
}
