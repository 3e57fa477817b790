/* Signatures eight at a time: ECDSA, Schnorr (BIP 340) and the tweak of BIP 341, on
 * AVX-512 IFMA where the processor has it. The mathematics is in docs/sigbatch.md.
 *
 * An answer "invalid" is always libsecp256k1's: what the lanes do not find valid is
 * decided again by it. Of the answers "valid" a random share is too; should the two
 * ever differ, the lanes are switched off and the handler of sigbatch_on_difference is
 * called, by default one that ends the process.
 *
 * Any thread, after sigbatch_select.
 */
#ifndef CRYPTO_SIGBATCH_H
#define CRYPTO_SIGBATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum sigbatch_kind { SIGBATCH_ECDSA, SIGBATCH_SCHNORR, SIGBATCH_TWEAK };

struct sigbatch_item {
    enum sigbatch_kind kind;
    bool is_valid;      /* Out. */
    bool odd;           /* SIGBATCH_TWEAK: the oddness the output key must have. */
    uint8_t pubkey_len; /* ECDSA: 33 or 65 (04, 06, 07); else 32. */
    uint8_t pubkey[65]; /* SIGBATCH_TWEAK: the internal key. */
    uint8_t r[32];      /* SIGBATCH_TWEAK: the output key's x. */
    uint8_t s[32];      /* SIGBATCH_TWEAK: the tweak. High s is as good as low s. */
    uint8_t hash[32];   /* The message; unused by SIGBATCH_TWEAK. */
};

/* Items that fill all lanes and share their inversions best: hand over this many at
 * a time, or a multiple. */
#define SIGBATCH_BEST 128

/* Choose the engine: the lanes where the processor has them and they pass a self-test,
 * unless allow_vector is false; otherwise libsecp256k1. Call once at start.
 *
 * Returns: "avx512-ifma" or "libsecp256k1". */
const char *sigbatch_select(bool allow_vector);
/* The name of what was chosen. */
const char *sigbatch_engine(void);
/* Are there lanes? Without them nothing is gained by gathering items. */
bool sigbatch_has_lanes(void);

#define SIGBATCH_SHARE_DEFAULT 1024

/* How often a "valid" is checked again: one in `share` (0: never), chosen by a
 * generator seeded with seed, 16 random bytes that nobody who makes blocks knows. Call
 * before other threads verify. */
void sigbatch_set_share(uint32_t share, const uint8_t *seed) NONNULL(2);
uint32_t sigbatch_share(void);

/* What to do when libsecp256k1 calls an item invalid that the lanes called valid: called
 * once, for the first such item, which is lent, by the thread that found it. NULL
 * restores the default: print it and abort. */
void sigbatch_on_difference(void (*handler)(const struct sigbatch_item *item));

/* Fill is_valid of n items. */
void sigbatch_verify(struct sigbatch_item *items, size_t n);

/* The same, but libsecp256k1 is not asked about what the lanes do not find valid: a
 * false is_valid then says nothing. For callers who have it decide whatever follows
 * from that: the pairs of a multisig, mostly not meant to fit, cost no more so. */
void sigbatch_try(struct sigbatch_item *items, size_t n);

/* Counted since start, for logs and RPC. */
struct sigbatch_stats {
    uint64_t lanes;       /* Items the lanes found valid. */
    uint64_t again;       /* Items libsecp256k1 decided after the lanes. */
    uint64_t directly;    /* Items that never saw the lanes. */
    uint64_t tried;       /* Items of sigbatch_try that the lanes did not find valid. */
    uint64_t shares;      /* Valid ones that were checked a second time. */
    uint64_t differences; /* Of these, refused by libsecp256k1. */
};
struct sigbatch_stats sigbatch_stats(void);

#endif /* CRYPTO_SIGBATCH_H */
