/* p2p's randomness: one stream from a secret seed, so that a run can be repeated and no
 * peer can foresee it. Belongs to the net thread.
 */
#ifndef P2P_RANDOM_H
#define P2P_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
    uint8_t key[32];
    uint64_t block; /* The next of the stream's blocks. */
    uint8_t left[64];
    size_t left_n;
};

void random_init(struct random *random, const uint8_t seed[32]);
void random_fill(struct random *random, void *ret_data, size_t len);
uint64_t random_u64(struct random *random);
/* 0 .. bound - 1, each as likely; bound > 0. */
uint64_t random_below(struct random *random, uint64_t bound);
bool random_bool(struct random *random);
/* The time to the next event of a Poisson process with this mean. Same unit. */
int64_t random_poisson(struct random *random, int64_t mean);
/* -mean/2 .. mean/2 and such: uniform in [low, high). */
int64_t random_between(struct random *random, int64_t low, int64_t high);
void random_shuffle(struct random *random, void *items, size_t n, size_t item_bytes);

#endif /* P2P_RANDOM_H */
