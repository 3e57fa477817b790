/* The last things a peer is known to know: a set that forgets. It remembers at least
 * the last item_n items that were added and at most half as many more, and takes one
 * it has never seen for known about once in 2^27 questions.
 *
 * In place of a rolling Bloom filter: it holds salted fingerprints of 32 bits, in
 * three generations, in less memory (15 bytes for every item at most, 8 for 50,000 items;
 * a generation is taken when the first item comes), and an answer costs three cache lines, not
 * twenty.
 *
 * Items are 32 bytes that a stranger may choose; the salt keeps the tables even. A set
 * belongs to whoever holds it; no locks.
 */
#ifndef P2P_ROLLING_SET_H
#define P2P_ROLLING_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "crypto/siphash.h"

#define ROLLING_SET_ITEMS_MAX 1000000U
#define ROLLING_SET_GENERATIONS 3

struct rolling_generation {
    uint32_t *slots;  /* Owned; 0: free. NULL as long as nothing is in it. */
    uint32_t slots_n; /* A power of two. */
    uint32_t used;
};

struct rolling_set {
    struct siphash_key key;
    uint32_t generation_items; /* Half of item_n. */
    uint32_t newest;           /* Of generations. */
    struct rolling_generation generations[ROLLING_SET_GENERATIONS];
};

/* item_n: 2 to ROLLING_SET_ITEMS_MAX. key: secret, random. */
void rolling_set_init(struct rolling_set *ret_set, uint32_t item_n, const struct siphash_key *key)
    NONNULL(1, 3);
void rolling_set_clear(struct rolling_set *set) NONNULL(1);
/* Forgets everything; the key stays. */
void rolling_set_reset(struct rolling_set *set) NONNULL(1);
/* id: 32 bytes. */
void rolling_set_add(struct rolling_set *set, const uint8_t *id) NONNULL(1, 2);
bool rolling_set_has(const struct rolling_set *set, const uint8_t *id) NONNULL(1, 2);
/* Any bytes, such as an address. */
void rolling_set_add_bytes(struct rolling_set *set, const void *data, size_t len) NONNULL(1);
bool rolling_set_has_bytes(const struct rolling_set *set, const void *data, size_t len) NONNULL(1);

#endif /* P2P_ROLLING_SET_H */
