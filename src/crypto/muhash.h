/* MuHash3072: a hash of a set, whose members can be put in and taken out in any
 * order. Each becomes a number of 3072 bits (SHA-256 of it, stretched with
 * ChaCha20); the set is their product modulo the prime 2^3072 - 1103717 (the
 * convention of gettxoutsetinfo "muhash", coin statistics).
 * What is taken out collects in a denominator; the one division is done at the
 * end. Owner thread: whoever holds it; parts may be built apart and combined.
 */
#ifndef CRYPTO_MUHASH_H
#define CRYPTO_MUHASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define MUHASH_LIMBS 48
#define MUHASH_STATE_BYTES 768
#define MUHASH_BYTES 32

/* A number below 2^3072, least limb first; the same number modulo the prime may
 * have two forms. */
struct muhash_num {
    uint64_t limb[MUHASH_LIMBS];
};

struct muhash {
    struct muhash_num numerator;
    struct muhash_num denominator;
};

/* The empty set. */
void muhash_init(struct muhash *set) NONNULL(1);

/* Put one member in, or take one out. The state also holds sets with negative
 * members: taking out first and putting in later is as good. */
void muhash_insert(struct muhash *set, const void *data, size_t len) NONNULL(1);
void muhash_remove(struct muhash *set, const void *data, size_t len) NONNULL(1);

/* set gets all members of other, or loses them. */
void muhash_combine(struct muhash *set, const struct muhash *other) NONNULL(1, 2);
void muhash_divide(struct muhash *set, const struct muhash *other) NONNULL(1, 2);

/* 32 bytes: SHA-256 of the quotient, 384 bytes little-endian. set is unchanged in
 * meaning; its denominator becomes one. Some milliseconds. */
void muhash_finish(struct muhash *set, uint8_t *ret_digest) NONNULL(1, 2);

/* The state as MUHASH_STATE_BYTES bytes, numerator first, each little-endian. */
void muhash_write(uint8_t *ret_data, const struct muhash *set) NONNULL(1, 2);
void muhash_read(struct muhash *ret_set, const uint8_t *data) NONNULL(1, 2);

#endif /* CRYPTO_MUHASH_H */
