/* Memory for secrets: pages of our own, locked against paging and left out of core
 * dumps, cut into small units. Locking heap memory instead would lock and unlock
 * whole pages that other secrets lie on, too. */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "base/check.h"

#define POOL_BYTES ((size_t)256 << 10)
#define PAGE_BYTES ((size_t)4096)
#define UNIT_BYTES ((size_t)32)
#define UNITS (POOL_BYTES / UNIT_BYTES)

struct pool {
    uint8_t *base; /* Never given back. */
    size_t locked_bytes;
    size_t used_units;
    size_t chunks;
    bool is_used[UNITS];
    /* Secrets too large for the pool, or more than it holds. */
    size_t outside_bytes;
    size_t outside_chunks;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct pool pool;

static size_t whole_pages(size_t size_bytes)
{
    return (MAX(size_bytes, 1) + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
}

/* Zeroed; len: whole pages. NULL: there is no memory. */
static uint8_t *get_pages(size_t len, size_t *ret_locked)
{
    void *pages = aligned_alloc(PAGE_BYTES, len);

    *ret_locked = 0;
    if (pages == NULL)
        return NULL;
    memset(pages, 0, len);
    (void)madvise(pages, len, MADV_DONTDUMP);
    /* Without the right to lock, swapping is the lesser evil to not running. */
    if (mlock(pages, len) == 0)
        *ret_locked = len;
    return pages;
}

static size_t units_of(size_t size_bytes)
{
    return size_bytes == 0 ? 1 : (size_bytes + UNIT_BYTES - 1) / UNIT_BYTES;
}

/* The first gap that is wide enough; UNITS: none. */
static size_t find_gap(size_t n)
{
    size_t run = 0;

    for (size_t i = 0; i < UNITS; i++) {
        run = pool.is_used[i] ? 0 : run + 1;
        if (run == n)
            return i + 1 - n;
    }
    return UNITS;
}

static void *take(size_t size_bytes)
{
    size_t n = units_of(size_bytes);
    size_t at;

    if (pool.base == NULL)
        pool.base = get_pages(POOL_BYTES, &pool.locked_bytes);
    at = pool.base == NULL || size_bytes > POOL_BYTES ? UNITS : find_gap(n);
    if (at == UNITS)
        return NULL;
    memset(&pool.is_used[at], true, n * sizeof(pool.is_used[0]));
    pool.used_units += n;
    pool.chunks++;
    return pool.base + at * UNIT_BYTES;
}

void *secret_alloc(size_t size_bytes)
{
    void *secret;

    (void)pthread_mutex_lock(&mutex);
    secret = take(size_bytes);
    if (secret == NULL) {
        size_t locked;

        secret = get_pages(whole_pages(size_bytes), &locked);
        pool.outside_bytes += size_bytes;
        pool.outside_chunks++;
    }
    (void)pthread_mutex_unlock(&mutex);
    if (secret == NULL)
        alloc_fail(size_bytes);
    return secret;
}

void secret_free(void *secret, size_t size_bytes)
{
    uint8_t *bytes = secret;
    size_t n = units_of(size_bytes);

    if (secret == NULL)
        return;
    secret_wipe(secret, size_bytes);
    (void)pthread_mutex_lock(&mutex);
    if (pool.base != NULL && bytes >= pool.base && bytes < pool.base + POOL_BYTES) {
        size_t at = (size_t)(bytes - pool.base) / UNIT_BYTES;

        for (size_t i = at; i < at + n; i++) {
            CHECK(pool.is_used[i]);
            pool.is_used[i] = false;
        }
        pool.used_units -= n;
        pool.chunks--;
    } else {
        pool.outside_bytes -= size_bytes;
        pool.outside_chunks--;
        (void)madvise(secret, whole_pages(size_bytes), MADV_DODUMP);
        (void)munlock(secret, whole_pages(size_bytes));
        free(secret);
    }
    (void)pthread_mutex_unlock(&mutex);
}

void secret_wipe(void *secret, size_t size_bytes)
{
    explicit_bzero(secret, size_bytes);
}

void secret_usage(struct secret_usage *ret_usage)
{
    bool was_used = true;

    (void)pthread_mutex_lock(&mutex);
    *ret_usage = (struct secret_usage){
        .used_bytes = pool.used_units * UNIT_BYTES + pool.outside_bytes,
        .free_bytes = pool.base == NULL ? 0 : (UNITS - pool.used_units) * UNIT_BYTES,
        .locked_bytes = pool.locked_bytes,
        .used_chunks = pool.chunks + pool.outside_chunks,
    };
    for (size_t i = 0; pool.base != NULL && i < UNITS; i++) {
        ret_usage->free_chunks += was_used && !pool.is_used[i];
        was_used = pool.is_used[i];
    }
    (void)pthread_mutex_unlock(&mutex);
}
