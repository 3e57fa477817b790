#include "script/sig_cache.h"

#include <stdatomic.h>

#include "base/alloc.h"
#include "base/check.h"
#include "crypto/sha256.h"

#define WAYS 5
#define WORDS 3 /* Of a key; its fourth word chose the set. */

/* Two cache lines. The sequence is odd while someone writes; a reader that saw
 * it odd or changing takes what it read for a miss. */
struct set {
    _Atomic uint32_t sequence;
    _Atomic uint32_t next; /* The way to be replaced. */
    _Atomic uint64_t way[WAYS][WORDS];
};

_Static_assert(sizeof(struct set) == 128, "a set fills two cache lines");

enum key_kind { KEY_ECDSA, KEY_SCHNORR, KEY_SCRIPTS, KEY_KINDS };

struct sig_cache {
    struct sha256 salted[KEY_KINDS]; /* Has taken one block: salt and kind. */
    size_t mask;
    struct set *sets; /* Owned; mask + 1. */
    _Atomic bool is_used;
};

struct sig_cache *sig_cache_new(size_t size_bytes, const uint8_t *salt)
{
    struct sig_cache *cache = alloc_zero(sizeof(*cache));
    size_t count = 1;

    while (count <= size_bytes / sizeof(struct set) / 2)
        count *= 2;
    cache->mask = count - 1;
    cache->sets = alloc_array(count, sizeof(*cache->sets));
    for (size_t kind = 0; kind < KEY_KINDS; kind++) {
        uint8_t block[SHA256_BLOCK_BYTES] = {0};

        memcpy(block, salt, SIG_CACHE_SALT_BYTES);
        block[SIG_CACHE_SALT_BYTES] = (uint8_t)kind;
        sha256_init(&cache->salted[kind]);
        sha256_add(&cache->salted[kind], block, sizeof(block));
    }
    return cache;
}

void sig_cache_free(struct sig_cache *own_cache)
{
    if (own_cache == NULL)
        return;
    free(own_cache->sets);
    free(own_cache);
}

size_t sig_cache_capacity(const struct sig_cache *cache)
{
    return (cache->mask + 1) * WAYS;
}

static struct sig_cache_key finish_key(struct sha256 *hash)
{
    struct sig_cache_key key;
    uint8_t digest[SHA256_BYTES];

    sha256_finish(hash, digest);
    for (size_t i = 0; i < ARRAY_LEN(key.word); i++)
        key.word[i] = get_le64(digest + 8 * i);
    key.word[0] |= 1; /* Never all zeros: that is an empty way. */
    return key;
}

struct sig_cache_key sig_cache_ecdsa_key(const struct sig_cache *cache, struct span pubkey,
                                         struct span sig, const uint8_t *hash)
{
    struct sha256 key = cache->salted[KEY_ECDSA];
    uint8_t pubkey_len = (uint8_t)pubkey.len;

    sha256_add(&key, hash, SHA256_BYTES);
    sha256_add(&key, &pubkey_len, 1);
    sha256_add(&key, pubkey.data, pubkey.len);
    sha256_add(&key, sig.data, sig.len);
    return finish_key(&key);
}

struct sig_cache_key sig_cache_schnorr_key(const struct sig_cache *cache, const uint8_t *pubkey,
                                           const uint8_t *sig, const uint8_t *hash)
{
    struct sha256 key = cache->salted[KEY_SCHNORR];

    sha256_add(&key, hash, SHA256_BYTES);
    sha256_add(&key, pubkey, 32);
    sha256_add(&key, sig, 64);
    return finish_key(&key);
}

struct sig_cache_key sig_cache_scripts_key(const struct sig_cache *cache, const struct wtxid *wtxid,
                                           uint64_t flags)
{
    struct sha256 key = cache->salted[KEY_SCRIPTS];
    uint8_t flag_bytes[8];

    put_le64(flag_bytes, flags);
    sha256_add(&key, wtxid->b, HASH_BYTES);
    sha256_add(&key, flag_bytes, sizeof(flag_bytes));
    return finish_key(&key);
}

static struct set *set_of(const struct sig_cache *cache, const struct sig_cache_key *key)
{
    return &cache->sets[key->word[WORDS] & cache->mask];
}

static bool way_holds(struct set *set, size_t way, const struct sig_cache_key *key)
{
    for (size_t i = 0; i < WORDS; i++) {
        if (atomic_load_explicit(&set->way[way][i], memory_order_relaxed) != key->word[i])
            return false;
    }
    return true;
}

static bool set_holds(struct set *set, const struct sig_cache_key *key)
{
    for (size_t way = 0; way < WAYS; way++) {
        if (way_holds(set, way, key))
            return true;
    }
    return false;
}

bool sig_cache_is_empty(const struct sig_cache *cache)
{
    return !atomic_load_explicit(&cache->is_used, memory_order_relaxed);
}

bool sig_cache_find(const struct sig_cache *cache, const struct sig_cache_key *key)
{
    struct set *set = set_of(cache, key);
    uint32_t before = atomic_load_explicit(&set->sequence, memory_order_acquire);
    bool found;

    if (before & 1)
        return false;
    found = set_holds(set, key);
    atomic_thread_fence(memory_order_acquire);
    return found && atomic_load_explicit(&set->sequence, memory_order_relaxed) == before;
}

void sig_cache_add(struct sig_cache *cache, const struct sig_cache_key *key)
{
    struct set *set = set_of(cache, key);
    uint32_t before = atomic_load_explicit(&set->sequence, memory_order_relaxed);
    uint32_t way;

    /* Only once: the line is read by all who find. */
    if (sig_cache_is_empty(cache))
        atomic_store_explicit(&cache->is_used, true, memory_order_relaxed);
    if ((before & 1) ||
        !atomic_compare_exchange_strong_explicit(&set->sequence, &before, before + 1,
                                                 memory_order_acquire, memory_order_relaxed))
        return;
    atomic_thread_fence(memory_order_release);
    if (!set_holds(set, key)) {
        way = atomic_load_explicit(&set->next, memory_order_relaxed);
        for (size_t i = 0; i < WORDS; i++)
            atomic_store_explicit(&set->way[way][i], key->word[i], memory_order_relaxed);
        atomic_store_explicit(&set->next, (way + 1) % WAYS, memory_order_relaxed);
    }
    atomic_store_explicit(&set->sequence, before + 2, memory_order_release);
}
