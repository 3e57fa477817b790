/* Block files and undo data, bytes a second of CPU time:
 *
 *     bench_block_files FILE...     files as blkNNNNN.dat, without a key
 *
 * Finding all blocks, finding and reading them, the same with a key, and undo data
 * written and read. Run it twice: the first run fills the page cache. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/check.h"
#include "chain/block_files.h"
#include "coins/undo.h"

#define COINS_N 20000
#define ROUNDS 50

static uint8_t *block;

static double cpu_seconds(void)
{
    struct timespec now;

    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void show(const char *label, uint64_t bytes, uint64_t items, double seconds)
{
    (void)printf("%-24s %8.3f GB/s %10.0f items/s %8.3f s\n", label, (double)bytes / seconds * 1e-9,
                 (double)items / seconds, seconds);
}

/* The key is put on afterwards: as much work as taking it off. */
static void scan(const char *label, char **paths, int paths_n, bool reads, bool has_key)
{
    static const uint8_t key[BLOCK_FILE_KEY_BYTES] = {1, 2, 3, 4, 5, 6, 7, 8};
    double start = cpu_seconds();
    uint64_t bytes = 0;
    uint64_t items = 0;

    for (int i = 0; i < paths_n; i++) {
        struct block_scan_record record;
        struct disk_file *file;
        struct block_scan *s;
        struct error err = {0};
        uint8_t magic[4];

        if (disk_open(disk_real(), &file, paths[i], DISK_READ, &err) < 0) {
            (void)fprintf(stderr, "%s\n", error_text(&err));
            exit(1);
        }
        CHECK(disk_read_exact(file, magic, 4, 0, &err) == 0);
        disk_close(file);
        CHECK(block_scan_open(&s, disk_real(), paths[i], magic, NULL, &err) == 0);
        while (block_scan_next(s, &record, &err) == 1) {
            if (reads)
                CHECK(block_scan_read(s, block, &err) == 0);
            if (has_key)
                block_files_xor(key, record.offset, block, record.len);
            bytes += record.len;
            items++;
        }
        block_scan_close(s);
    }
    show(label, bytes, items, cpu_seconds() - start);
}

static void undo(void)
{
    static struct coin coins[COINS_N];
    static uint8_t script[25] = {0x76, 0xa9, 20, [23] = 0x88, [24] = 0xac};
    static uint8_t witness[34] = {0x51, 32};
    struct arena arena;
    struct buf buf = {0};
    double start = cpu_seconds();
    uint64_t bytes = 0;

    arena_init(&arena);
    for (uint32_t i = 0; i < COINS_N; i++)
        coins[i] = (struct coin){(int64_t)i * 123457,
                                 i % 3 == 0 ? span_of(witness, 34) : span_of(script, 25),
                                 800000 + i % 1000, false};
    for (int round = 0; round < ROUNDS; round++) {
        buf.len = 0;
        undo_begin(&buf, COINS_N / 2);
        for (uint32_t i = 0; i < COINS_N; i += 2)
            undo_add_tx(&buf, &coins[i], 2);
        bytes += buf.len;
    }
    show("undo written", bytes, (uint64_t)COINS_N * ROUNDS, cpu_seconds() - start);
    start = cpu_seconds();
    for (int round = 0; round < ROUNDS; round++) {
        struct undo back;

        arena_reset(&arena);
        CHECK(undo_read(&back, span_of_buf(&buf), &arena, NULL) == 0);
    }
    show("undo read", bytes, (uint64_t)COINS_N * ROUNDS, cpu_seconds() - start);
    buf_clear(&buf);
    arena_clear(&arena);
}

int main(int argc, char **argv)
{
    block = alloc(BLOCK_FILE_BLOCK_BYTES_MAX);
    if (argc > 1) {
        scan("blocks found", argv + 1, argc - 1, false, false);
        scan("found and read", argv + 1, argc - 1, true, false);
        scan("found, read, xored", argv + 1, argc - 1, true, true);
    }
    undo();
    free(block);
    return 0;
}
