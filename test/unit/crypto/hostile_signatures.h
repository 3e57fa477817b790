/* Signatures, keys and tweaks made to be trouble: for unit tests, the fuzz target and
 * the soak of crypto/sigbatch. Built with known logarithms, so that the numbers which
 * reach the curve (u1, u2, the key, the nonce) can be chosen.
 */
#ifndef TEST_HOSTILE_SIGNATURES_H
#define TEST_HOSTILE_SIGNATURES_H

#include "crypto/sigbatch.h"
#include "crypto/sigbatch_priv.h"

/* Where choices come from: a number below bound. */
struct hostile_source {
    uint64_t (*below)(void *context, uint64_t bound);
    void *context;
};

/* What to expect of an item. */
enum hostile_hope {
    HOSTILE_VALID,
    HOSTILE_UNKNOWN, /* Mostly invalid. */
};

/* Make the pools of points; about 20 ms. Once, before the others; needs secp_init. */
void hostile_prepare(void);
void hostile_clear(void);

/* Edge scalars, edge coordinates, points that meet inside the ladder, spoiled parts. */
enum hostile_hope hostile_structured(struct sigbatch_item *ret_item,
                                     const struct hostile_source *source);
/* Keys, nonces and messages at random; one in eight spoiled. */
enum hostile_hope hostile_random(struct sigbatch_item *ret_item,
                                 const struct hostile_source *source);

/* xorshift, for the tests that need many choices quickly. */
struct hostile_dice {
    uint64_t state; /* Not zero. */
};
struct hostile_source hostile_dice_source(struct hostile_dice *dice);

struct hostile_counts {
    uint64_t items;
    uint64_t valid;   /* By libsecp256k1. */
    uint64_t unsure;  /* Exceptional points in the lanes. */
    uint64_t unasked; /* Malformed ones. */
    uint64_t differences;
};

/* Hold what the lanes alone say of n items against libsecp256k1: valid must be valid,
 * invalid and malformed must be invalid, and what was hoped valid must be. False, with
 * the item printed, if not. n at most SIGBATCH_LANES_MAX. */
bool hostile_compare(lanes_run_fn *run, const struct sigbatch_item *items,
                     const enum hostile_hope *hopes, size_t n, struct hostile_counts *counts);

#endif /* TEST_HOSTILE_SIGNATURES_H */
