#include <stdio.h>

#include "base/alloc.h"
#include "base/check.h"
#include "coins_stores.h"

struct bench_store {
    struct coins_store *coins;
    struct arena arena;
};

static void must(int rc, const struct error *err)
{
    if (rc < 0)
        (void)fprintf(stderr, "bench_coins: %s\n", error_text(err));
    CHECK(rc >= 0);
}

static struct bench_store *assay_open(const char *folder, uint64_t cache_bytes)
{
    struct bench_store *store = alloc_zero(sizeof(*store));
    struct coins_options options = {
        .disk = disk_real(), .folder = folder, .cache_bytes = cache_bytes};
    struct error err = {0};

    must(coins_open(&store->coins, &options, &err), &err);
    return store;
}

static void assay_apply(struct bench_store *store, const struct coins_change *change, bool flush)
{
    enum coins_pressure pressure = coins_pressure(store->coins);
    struct coin *spent;
    struct error err = {0};
    size_t missing;

    arena_reset(&store->arena);
    if (pressure == COINS_MUST_WAIT)
        must(coins_flush_wait(store->coins, &err), &err);
    spent = arena_alloc(&store->arena, (change->spends_n + 1) * sizeof(*spent));
    must(coins_apply(store->coins, spent, &missing, change, &store->arena, &err), &err);
    CHECK(missing == SIZE_MAX);
    if ((flush || pressure == COINS_WANT_FLUSH) && coins_flush_poll(store->coins, &err) == 0)
        must(coins_flush_start(store->coins, NULL, NULL, &err), &err);
}

static void assay_flush(struct bench_store *store)
{
    struct error err = {0};

    must(coins_flush_wait(store->coins, &err), &err);
    must(coins_flush_start(store->coins, NULL, NULL, &err), &err);
    must(coins_flush_wait(store->coins, &err), &err);
    must(coins_merge_wait(store->coins, &err), &err);
}

static size_t assay_find(struct bench_store *store, const struct outpoint *outpoints, size_t n)
{
    struct coin *coins;
    struct error err = {0};
    size_t found_n = 0;
    bool *found;

    arena_reset(&store->arena);
    coins = arena_alloc(&store->arena, n * sizeof(*coins));
    found = arena_alloc(&store->arena, n * sizeof(*found));
    must(coins_find_many(store->coins, coins, found, outpoints, n, &store->arena, &err), &err);
    for (size_t i = 0; i < n; i++)
        found_n += found[i];
    return found_n;
}

static void assay_close(struct bench_store *own_store)
{
    coins_close(own_store->coins);
    arena_clear(&own_store->arena);
    free(own_store);
}

const struct bench_store_ops bench_store_assay = {"assay",     assay_open, assay_apply,
                                                  assay_flush, assay_find, assay_close};
