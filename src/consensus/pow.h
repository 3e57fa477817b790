/* Proof of work: targets, work, retargeting. Pure. */
#ifndef CONSENSUS_POW_H
#define CONSENSUS_POW_H

#include <stdbool.h>
#include <stdint.h>

#include "consensus/params.h"
#include "primitives/header.h"

/* A 256-bit unsigned number, least significant limb first: a target or an amount
 * of work. */
struct u256 {
    uint64_t limb[4];
};

int u256_compare(const struct u256 *a, const struct u256 *b);
struct u256 u256_add(const struct u256 *a, const struct u256 *b);      /* Wraps. */
struct u256 u256_subtract(const struct u256 *a, const struct u256 *b); /* Wraps. */
void u256_to_hex(char *ret_text, const struct u256 *v);                /* 64 digits + 0. */
bool u256_from_hex(struct u256 *ret_v, const char *text);              /* Up to 64 digits. */
double u256_to_double(const struct u256 *v);
struct u256 u256_of_hash(const uint8_t *hash); /* 32 bytes, wire order. */

/* The compact form ("nBits"). ret_negative, ret_overflow may be NULL. */
struct u256 target_of_bits(uint32_t bits, bool *ret_negative, bool *ret_overflow);
uint32_t bits_of_target(const struct u256 *target);

/* Expected hashes for a block of this difficulty: 2^256 / (target + 1); zero for
 * bits that no block can have. */
struct u256 work_of_bits(uint32_t bits);

/* Is hash at or below the target of bits, and bits within the network's limit? */
bool pow_check(const struct block_hash *hash, uint32_t bits, const struct params *params);

/* What a rule may know of an earlier block. */
struct ancestor {
    int32_t version;
    uint32_t time;
    uint32_t bits;
};

/* The chain below a block, given by the caller. at: the block at height (0 ..
 * tip_height) of the branch that ends in tip_height. */
struct ancestry {
    int32_t tip_height; /* The parent of the block that is judged; -1: no blocks. */
    struct ancestor (*at)(const void *context, int32_t height);
    const void *context;
};

/* The bits that the block after the ancestry's tip must carry, if its time is
 * time: retarget every 2,016 blocks (off by one as ever), testnet's 20-minute
 * rule, BIP 94, no retargeting on regtest. */
uint32_t pow_next_bits(const struct ancestry *ancestry, uint32_t time, const struct params *params);

/* Can bits follow old_bits at height, whatever the times were? For header sync
 * below the minimum chain work. */
bool pow_transition_allowed(int32_t height, uint32_t old_bits, uint32_t new_bits,
                            const struct params *params);

/* The middle one of the last eleven times up to the ancestry's tip. */
uint32_t median_time_past(const struct ancestry *ancestry);

#endif /* CONSENSUS_POW_H */
