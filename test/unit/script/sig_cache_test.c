/* The cache of signatures: what it must remember, forget and never say. */
#include "script/sig_cache.h"

#include <pthread.h>

#include "test.h"

static const uint8_t salt[SIG_CACHE_SALT_BYTES] = {3, 1, 4};
static const uint8_t other_salt[SIG_CACHE_SALT_BYTES] = {2, 7, 1};

static struct sig_cache_key key_of(const struct sig_cache *cache, uint64_t number)
{
    uint8_t pubkey[33] = {2};
    uint8_t sig[70] = {0x30};
    uint8_t hash[32] = {0};

    put_le64(hash, number);
    return sig_cache_ecdsa_key(cache, span_of(pubkey, 33), span_of(sig, 70), hash);
}

static void found_only_when_added(void)
{
    struct sig_cache *cache = sig_cache_new(1 << 20, salt);
    size_t kept = 0;

    EXPECT_TRUE("capacity", sig_cache_capacity(cache) >= (1 << 20) / 64);
    EXPECT_TRUE("bounded", sig_cache_capacity(cache) <= (1 << 20) / 24);
    for (uint64_t i = 0; i < 4000; i++) {
        struct sig_cache_key key = key_of(cache, i);

        EXPECT_TRUE("not yet", !sig_cache_find(cache, &key));
        sig_cache_add(cache, &key);
        sig_cache_add(cache, &key);
        EXPECT_TRUE("added", sig_cache_find(cache, &key));
    }
    for (uint64_t i = 0; i < 4000; i++) {
        struct sig_cache_key key = key_of(cache, i);

        kept += sig_cache_find(cache, &key);
    }
    EXPECT_TRUE("a tenth full, nearly all are kept", kept > 3950);
    sig_cache_free(cache);
}

static void old_entries_make_room(void)
{
    struct sig_cache *cache = sig_cache_new(0, salt);
    size_t capacity = sig_cache_capacity(cache);
    size_t kept = 0;

    for (uint64_t i = 0; i < 100; i++) {
        struct sig_cache_key key = key_of(cache, i);

        sig_cache_add(cache, &key);
    }
    for (uint64_t i = 100 - capacity; i < 100; i++) {
        struct sig_cache_key key = key_of(cache, i);

        kept += sig_cache_find(cache, &key);
    }
    EXPECT_U64("the newest are there", kept, capacity);
    for (uint64_t i = 0; i < 100 - capacity; i++) {
        struct sig_cache_key key = key_of(cache, i);

        EXPECT_TRUE("the oldest are not", !sig_cache_find(cache, &key));
    }
    sig_cache_free(cache);
}

/* Every part of a check is part of its key. */
static void keys_differ(void)
{
    struct sig_cache *cache = sig_cache_new(0, salt);
    struct sig_cache *other = sig_cache_new(0, other_salt);
    uint8_t bytes[65] = {2};
    uint8_t hash[32] = {0};
    uint8_t hash2[32] = {1};
    uint8_t bytes2[65] = {3};
    struct wtxid wtxid = {{2}};
    struct sig_cache_key keys[10];

    keys[0] = sig_cache_ecdsa_key(cache, span_of(bytes, 33), span_of(bytes, 64), hash);
    keys[1] = sig_cache_ecdsa_key(cache, span_of(bytes, 33), span_of(bytes, 64), hash2);
    keys[2] = sig_cache_ecdsa_key(cache, span_of(bytes, 33), span_of(bytes, 63), hash);
    keys[3] = sig_cache_ecdsa_key(cache, span_of(bytes2, 33), span_of(bytes, 64), hash);
    keys[4] = sig_cache_ecdsa_key(cache, span_of(bytes, 32), span_of(bytes + 1, 64), hash);
    keys[5] = sig_cache_schnorr_key(cache, bytes, bytes, hash);
    keys[6] = sig_cache_schnorr_key(cache, bytes2, bytes, hash);
    keys[7] = sig_cache_scripts_key(cache, &wtxid, 1);
    keys[8] = sig_cache_scripts_key(cache, &wtxid, 2);
    keys[9] = sig_cache_ecdsa_key(other, span_of(bytes, 33), span_of(bytes, 64), hash);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        for (size_t k = 0; k < i; k++)
            EXPECT_TRUE("keys", memcmp(&keys[i], &keys[k], sizeof(keys[0])) != 0);
    }
    sig_cache_free(cache);
    sig_cache_free(other);
    sig_cache_free(NULL);
}

static struct sig_cache *shared;

/* Adds even numbers, asks for odd ones, which nobody ever added. */
static void *use_shared(void *seed)
{
    uint64_t wrong = 0;

    for (uint64_t i = 0; i < 20000; i++) {
        uint64_t number = (*(uint64_t *)seed + i * 7919) % 5000;
        struct sig_cache_key key = key_of(shared, number * 2);

        sig_cache_add(shared, &key);
        key = key_of(shared, number * 2 + 1);
        wrong += sig_cache_find(shared, &key);
    }
    *(uint64_t *)seed = wrong;
    return NULL;
}

static void threads_never_find_what_is_not_there(void)
{
    uint64_t seeds[4] = {1, 2, 3, 4};
    pthread_t threads[4];

    shared = sig_cache_new(4096, salt);
    for (size_t i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, use_shared, &seeds[i]) == 0);
    for (size_t i = 0; i < 4; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        EXPECT_U64("found", seeds[i], 0);
    }
    sig_cache_free(shared);
}

TEST_LIST(TEST(found_only_when_added), TEST(old_entries_make_room), TEST(keys_differ),
          TEST(threads_never_find_what_is_not_there))
