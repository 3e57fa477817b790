/* A stream of random numbers from one seed, for decisions of p2p that must be replayed
 * by a simulator and not be guessed by peers: SipHash of a counter under a secret key.
 * Not for keys and nonces of encryption. Owner thread: whoever holds it. */
#ifndef P2P_RANDOM_H
#define P2P_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/siphash.h"

#define RANDOM_SEED_BYTES 32

struct random_source {
    struct siphash_key key;
    uint64_t counter;
};

/* name keeps streams from one seed apart. */
void random_init(struct random_source *random, const uint8_t *seed, const char *name);

uint64_t random_u64(struct random_source *random);
/* 0 to bound - 1, evenly; bound is not 0. */
uint64_t random_below(struct random_source *random, uint64_t bound);
bool random_bool(struct random_source *random);
void random_fill(struct random_source *random, void *ret_data, size_t len);
/* Time until the next event of a Poisson process with this mean distance. */
uint64_t random_poisson(struct random_source *random, uint64_t mean);

#endif /* P2P_RANDOM_H */
