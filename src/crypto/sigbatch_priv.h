/* What the batch and its lane engines share: private to the crypto room. The
 * mathematics is in docs/sigbatch.md.
 */
#ifndef CRYPTO_SIGBATCH_PRIV_H
#define CRYPTO_SIGBATCH_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/sigbatch.h"

#define LANES 8
/* Groups of eight that share one inversion. */
#define SIGBATCH_GROUPS_MAX 16
#define SIGBATCH_LANES_MAX (SIGBATCH_GROUPS_MAX * LANES)

/* The multiples of G are looked up twelve bits at a time, with a sign. */
#define G_WINDOW 12
#define G_DIGITS 11
#define G_ENTRIES (1 << (G_WINDOW - 1))

/* An affine point, x and y least significant limb first: one cache line. */
struct g_entry {
    _Alignas(64) uint64_t xy[8];
};

/* A curve y^2 = x^3 + b and multiples of its generator. Nothing else in the lanes
 * depends on b, so that tests can drive them on the small subgroups that other b have,
 * where exceptional points are common. */
struct g_tables {
    uint64_t b;                     /* 7. */
    struct g_entry low[G_ENTRIES];  /* 1 G, 2 G, ... */
    struct g_entry high[G_ENTRIES]; /* The same of 2^128 G. */
};

/* Unsure: an exceptional point was met. Unasked: what was asked is malformed, or
 * rare enough to be left to libsecp256k1. */
enum lane_result { LANE_INVALID, LANE_VALID, LANE_UNSURE, LANE_UNASKED };

/* What is asked of the y of the result. */
enum lane_parity { PARITY_EVEN, PARITY_ODD, PARITY_ANY };

/* One equation, R = u1 G + u2 P, with a claim about R. Numbers are limbs, least
 * significant first. */
struct lane {
    uint64_t x[4]; /* Of P; below p. */
    uint64_t y[4]; /* Of P, when has_y; below p. */
    bool has_y;
    bool odd;                 /* Without y: which root is meant. */
    int16_t g_low[G_DIGITS];  /* u1's lower half in signed digits. */
    int16_t g_high[G_DIGITS]; /* Its upper half. */
    uint64_t k1[2];           /* u2 split: see scalar_split. */
    uint64_t k2[2];
    bool k1_negative;
    bool k2_negative;
    uint64_t r[4];    /* R's x must be this, */
    bool or_r_plus_n; /* or this and n more (which is then below p). */
    enum lane_parity parity;
    enum lane_result result; /* Out. */
};

/* lanes_n is a multiple of LANES, at most SIGBATCH_LANES_MAX. */
typedef void lanes_run_fn(struct lane *lanes, size_t lanes_n, const struct g_tables *tables);

void lanes_run_plain(struct lane *lanes, size_t lanes_n, const struct g_tables *tables);
#if defined(__x86_64__)
void lanes_run_ifma(struct lane *lanes, size_t lanes_n, const struct g_tables *tables);
#endif

/* What the lanes alone say of n items, at most SIGBATCH_LANES_MAX; sigbatch_use must
 * have been called. is_valid stays as it was. */
void sigbatch_ask(lanes_run_fn *run, const struct sigbatch_item *items, size_t n,
                  enum lane_result *ret_results);

/* Use these lanes, if they pass the self-test; NULL: libsecp256k1. For tests of an
 * engine that the processor would not choose. */
bool sigbatch_use(lanes_run_fn *run);

#endif /* CRYPTO_SIGBATCH_PRIV_H */
