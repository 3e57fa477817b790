/* The coins store under the load of a chain: blocks that spend old coins (42 %,
 * anywhere in the set) and young ones (58 %, of the last blocks) and make new ones.
 *
 *   bench_coins [STORE] [COINS] [CACHE_MIB] [BLOCKS] [FOLDER]
 *
 * STORE: assay, lmdb, rocksdb (those found when it was configured). First the set is
 * filled with COINS coins, then BLOCKS blocks are measured. An operation is one add,
 * one find or one delete. Times are CPU time of the chain thread (which waits for
 * the disk elsewhere), of the whole process, and of the clock on the wall.
 */
#include "coins_stores.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "base/alloc.h"
#include "base/check.h"
#include "os/disk.h"

static const struct bench_store_ops *const stores[] = {
    &bench_store_assay,
#ifdef BENCH_LMDB
    &bench_store_lmdb,
#endif
#ifdef BENCH_ROCKSDB
    &bench_store_rocksdb,
#endif
};

#define BLOCK_SPENDS 2500U
#define BLOCK_ADDS 2500U
#define FILL_ADDS 5000U
#define YOUNG_COINS 40000U /* Of the last sixteen blocks. */
#define FLUSH_BLOCKS 400U  /* A flush is asked for this often. */

struct trace {
    uint64_t *live; /* Ids, oldest first until mixed. Owned. */
    size_t live_n;
    uint64_t next_id;
    uint64_t random;
    struct arena arena;
    struct outpoint spends[BLOCK_SPENDS];
    struct outpoint adds[FILL_ADDS];
    struct coin add_coins[FILL_ADDS];
};

static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 31) * 0x7fb5d329728ea185;
    x = (x ^ x >> 27) * 0x81dadef4bc2dd44d;
    return x ^ x >> 33;
}

static uint64_t next_random(struct trace *trace)
{
    return mix(trace->random += 0x9e3779b97f4a7c15);
}

static struct outpoint outpoint_of(uint64_t id)
{
    struct outpoint outpoint;

    for (size_t i = 0; i < 4; i++)
        put_le64(outpoint.txid.b + 8 * i, mix(id / 2 * 4 + i + 1));
    outpoint.vout = (uint32_t)(id & 1);
    return outpoint;
}

/* Pay to witness key hash, key hash, script hash, taproot by turns. */
static struct coin coin_of(uint64_t id, struct arena *arena)
{
    static const uint8_t heads[4][3] = {
        {0x00, 0x14}, {0x76, 0xa9, 0x14}, {0xa9, 0x14}, {0x51, 0x20}};
    static const size_t lens[4] = {22, 25, 23, 34};
    size_t kind = id % 4;
    uint8_t *script = arena_alloc(arena, 40);

    for (size_t i = 0; i < 40; i += 8)
        put_le64(script + i, mix(id + i));
    memcpy(script, heads[kind], kind == 1 ? 3 : 2);
    if (kind == 1)
        memcpy(script + 23, "\x88\xac", 2);
    if (kind == 2)
        script[22] = 0x87;
    return (struct coin){
        .value_sat = (int64_t)(mix(id) % 5000000000),
        .script_pubkey = span_of(script, lens[kind]),
        .height = (uint32_t)(id / 5000),
    };
}

static void make_block(struct trace *trace, struct coins_change *ret_change, size_t spends_n,
                       size_t adds_n)
{
    arena_reset(&trace->arena);
    for (size_t i = 0; i < spends_n; i++) {
        size_t young = MIN(YOUNG_COINS, trace->live_n);
        bool is_old = next_random(trace) % 100 < 42;
        size_t at = is_old ? next_random(trace) % trace->live_n
                           : trace->live_n - 1 - next_random(trace) % young;

        trace->spends[i] = outpoint_of(trace->live[at]);
        trace->live[at] = trace->live[--trace->live_n];
    }
    for (size_t i = 0; i < adds_n; i++) {
        trace->live[trace->live_n++] = trace->next_id;
        trace->adds[i] = outpoint_of(trace->next_id);
        trace->add_coins[i] = coin_of(trace->next_id++, &trace->arena);
    }
    *ret_change = (struct coins_change){
        .spends = trace->spends,
        .spends_n = spends_n,
        .adds = trace->adds,
        .add_coins = trace->add_coins,
        .adds_n = adds_n,
    };
    put_le64(ret_change->new_tip.b, trace->next_id);
}

static double seconds(clockid_t clock)
{
    struct timespec t;

    CHECK(clock_gettime(clock, &t) == 0);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct times {
    double thread;
    double process;
    double wall;
};

static struct times times_now(void)
{
    return (struct times){seconds(CLOCK_THREAD_CPUTIME_ID), seconds(CLOCK_PROCESS_CPUTIME_ID),
                          seconds(CLOCK_MONOTONIC)};
}

static void times_add(struct times *sum, struct times from)
{
    struct times now = times_now();

    sum->thread += now.thread - from.thread;
    sum->process += now.process - from.process;
    sum->wall += now.wall - from.wall;
}

static void report(const char *what, const struct times *sum, double ops)
{
    printf("%-28s %6.1f ns/op chain thread (%5.2f M ops/s), %6.1f ns/op process, "
           "%6.1f ns/op wall\n",
           what, sum->thread / ops * 1e9, ops / sum->thread / 1e6, sum->process / ops * 1e9,
           sum->wall / ops * 1e9);
}

static long memory_kib(void)
{
    struct rusage usage;

    CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
    return usage.ru_maxrss;
}

static void run(const struct bench_store_ops *ops, struct trace *trace, uint64_t coins,
                uint64_t blocks, uint64_t cache_mib, const char *folder)
{
    long before_kib = memory_kib();
    struct bench_store *store = ops->open(folder, cache_mib << 20);
    struct coins_change change;
    struct times sum = {0};
    struct times from;
    double ops_n = 0;

    for (uint64_t b = 0; trace->live_n < coins; b++) {
        make_block(trace, &change, 0, FILL_ADDS);
        from = times_now();
        ops->apply(store, &change, b % FLUSH_BLOCKS == FLUSH_BLOCKS - 1);
        times_add(&sum, from);
        ops_n += FILL_ADDS;
    }
    report("fill: add", &sum, ops_n);
    printf("%-28s %6.1f bytes a coin, %ld MiB greatest use\n", "memory",
           (double)(memory_kib() - before_kib) * 1024 / (double)trace->live_n, memory_kib() / 1024);

    sum = (struct times){0};
    from = times_now();
    ops->flush(store);
    times_add(&sum, from);
    report("flush of the rest, a coin", &sum, (double)trace->live_n);

    sum = (struct times){0};
    ops_n = 0;
    for (uint64_t b = 0; b < blocks; b++) {
        make_block(trace, &change, BLOCK_SPENDS, BLOCK_ADDS);
        from = times_now();
        ops->apply(store, &change, b % FLUSH_BLOCKS == FLUSH_BLOCKS - 1);
        times_add(&sum, from);
        ops_n += 2 * BLOCK_SPENDS + BLOCK_ADDS;
    }
    report("blocks: add, find, delete", &sum, ops_n);

    sum = (struct times){0};
    from = times_now();
    ops->flush(store);
    ops->close(store);
    times_add(&sum, from);
    report("flush and close, a coin", &sum, (double)trace->live_n);

    store = ops->open(folder, (uint64_t)4 << 20);
    sum = (struct times){0};
    ops_n = 0;
    for (uint64_t b = 0; b < 40; b++) {
        size_t found_n;

        for (size_t i = 0; i < BLOCK_SPENDS; i++)
            trace->spends[i] = outpoint_of(trace->live[next_random(trace) % trace->live_n]);
        from = times_now();
        found_n = ops->find(store, trace->spends, BLOCK_SPENDS);
        times_add(&sum, from);
        CHECK(found_n == BLOCK_SPENDS);
        ops_n += BLOCK_SPENDS;
    }
    report("find from disk, there", &sum, ops_n);
    sum = (struct times){0};
    ops_n = 0;
    for (uint64_t b = 0; b < 40; b++) {
        for (size_t i = 0; i < BLOCK_SPENDS; i++)
            trace->spends[i] = outpoint_of(UINT64_C(1) << 50 | next_random(trace) >> 20);
        from = times_now();
        CHECK(ops->find(store, trace->spends, BLOCK_SPENDS) == 0);
        times_add(&sum, from);
        ops_n += BLOCK_SPENDS;
    }
    report("find from disk, absent", &sum, ops_n);
    ops->close(store);
    printf("%-28s %ld MiB greatest use\n", "memory", memory_kib() / 1024);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "assay";
    uint64_t coins = argc > 2 ? strtoull(argv[2], NULL, 0) : 2000000;
    uint64_t cache_mib = argc > 3 ? strtoull(argv[3], NULL, 0) : 1024;
    uint64_t blocks = argc > 4 ? strtoull(argv[4], NULL, 0) : 2000;
    const char *folder = argc > 5 ? argv[5] : "bench-coins";
    struct trace *trace = alloc_zero(sizeof(*trace));

    trace->live = alloc_array(coins + FILL_ADDS + blocks * BLOCK_ADDS, sizeof(*trace->live));
    memset(trace->live, 1, (coins + FILL_ADDS) * sizeof(*trace->live)); /* Not counted later. */
    for (size_t i = 0; i < ARRAY_LEN(stores); i++) {
        if (strcmp(stores[i]->name, name) != 0)
            continue;
        printf("%s, %" PRIu64 " coins, %" PRIu64 " MiB of cache, %" PRIu64 " blocks\n", name, coins,
               cache_mib, blocks);
        run(stores[i], trace, coins, blocks, cache_mib, folder);
        arena_clear(&trace->arena);
        free(trace->live);
        free(trace);
        return 0;
    }
    (void)fprintf(stderr, "bench_coins: no store '%s' in this build\n", name);
    return 1;
}
