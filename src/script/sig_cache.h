/* A cache of signatures, and of whole transactions' scripts, that were found
 * good. Bounded: a full set forgets its oldest entry. Keys are SHA-256 under a
 * secret salt, so nobody can aim at an entry. Any number of threads may find and
 * add at once, without locks; an add that meets another in the same set, or a
 * find that meets an add, may miss, never lie.
 */
#ifndef SCRIPT_SIG_CACHE_H
#define SCRIPT_SIG_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "primitives/ids.h"

#define SIG_CACHE_SALT_BYTES 32

struct sig_cache;

/* Room for as many entries as size_bytes holds (about 26 bytes each; at least
 * one set of five). salt: SIG_CACHE_SALT_BYTES random bytes, copied. Release with
 * sig_cache_free. */
struct sig_cache *sig_cache_new(size_t size_bytes, const uint8_t *salt) NONNULL(2);
void sig_cache_free(struct sig_cache *own_cache);

/* How many entries fit. */
size_t sig_cache_capacity(const struct sig_cache *cache) NONNULL(1);

/* The name of a check inside the cache. */
struct sig_cache_key {
    uint64_t word[4];
};

/* One ECDSA or Schnorr check. pubkey up to 65 bytes; hash 32 bytes. */
struct sig_cache_key sig_cache_ecdsa_key(const struct sig_cache *cache, struct span pubkey,
                                         struct span sig, const uint8_t *hash) NONNULL(1, 4);
struct sig_cache_key sig_cache_schnorr_key(const struct sig_cache *cache, const uint8_t *pubkey,
                                           const uint8_t *sig, const uint8_t *hash)
    NONNULL(1, 2, 3, 4);
/* All scripts of a transaction under flags. The wtxid fixes the coins too, as it
 * names them by outpoint. */
struct sig_cache_key sig_cache_scripts_key(const struct sig_cache *cache, const struct wtxid *wtxid,
                                           uint64_t flags) NONNULL(1, 2);

/* Was nothing added yet? Then there is no need to make keys. */
bool sig_cache_is_empty(const struct sig_cache *cache) NONNULL(1);

bool sig_cache_find(const struct sig_cache *cache, const struct sig_cache_key *key) NONNULL(1, 2);
void sig_cache_add(struct sig_cache *cache, const struct sig_cache_key *key) NONNULL(1, 2);

#endif /* SCRIPT_SIG_CACHE_H */
