#include <stdlib.h>

#include "base/alloc.h"
#include "chain/block_files.h"
#include "crypto/sha256.h"
#include "primitives/header.h"
#include "sim_disk.h"
#include "test.h"

#define PATH "/d/blk"

static const uint8_t magic[4] = {0xf9, 0xbe, 0xb4, 0xd9};
static const uint8_t no_key[8];
static const uint8_t key[8] = {0xf9, 0, 3, 4, 5, 6, 0xff, 8};

struct found {
    uint64_t offset;
    uint32_t len;
};

/* Byte by byte, as the rules are written. */
static size_t scan_slowly(struct found *ret_found, size_t max, struct span file)
{
    size_t n = 0;
    size_t at = 0;

    while (at + 8 <= file.len && n < max) {
        uint32_t len = get_le32(file.data + at + 4);

        if (memcmp(file.data + at, magic, 4) != 0 || len < 80 || len > 4000000) {
            at++;
            continue;
        }
        if (at + 8 + len > file.len)
            break;
        ret_found[n++] = (struct found){at + 8, len};
        at += 8 + (size_t)len;
    }
    return n;
}

static struct sim_disk *disk_with(struct span bytes, const uint8_t *xor_key)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct disk_file *file;
    struct buf stored = {0};

    buf_add(&stored, bytes.data, bytes.len);
    block_files_xor(xor_key, 0, stored.data, stored.len);
    CHECK(disk_make_folder(sim_disk_disk(sim), "/d", NULL) == 0);
    CHECK(disk_open(sim_disk_disk(sim), &file, PATH, DISK_CREATE, NULL) == 0);
    CHECK(disk_write(file, stored.data, stored.len, 0, NULL) == 0);
    disk_close(file);
    buf_clear(&stored);
    return sim;
}

static void expect_scan(const char *label, struct span bytes, const uint8_t *xor_key, bool reads)
{
    struct sim_disk *sim = disk_with(bytes, xor_key);
    struct found *want = alloc_array(bytes.len / 88 + 1, sizeof(*want));
    size_t want_n = scan_slowly(want, bytes.len / 88 + 1, bytes);
    uint8_t *block = alloc(4000000);
    struct block_scan_record record;
    struct block_scan *scan;
    struct error err = {0};
    size_t n = 0;
    int rc;

    CHECK(block_scan_open(&scan, sim_disk_disk(sim), PATH, magic, xor_key, &err) == 0);
    while ((rc = block_scan_next(scan, &record, &err)) == 1) {
        if (!EXPECT_TRUE(label, n < want_n))
            break;
        EXPECT_U64(label, record.offset, want[n].offset);
        EXPECT_U64(label, record.len, want[n].len);
        EXPECT_BYTES(label, record.header, 80, bytes.data + record.offset, 80);
        if (reads) {
            EXPECT_INT(label, block_scan_read(scan, block, &err), 0);
            EXPECT_TRUE(label, memcmp(block, bytes.data + record.offset, record.len) == 0);
        }
        n++;
    }
    EXPECT_INT(label, rc, 0);
    EXPECT_U64(label, n, want_n);
    EXPECT_INT("stays at the end", block_scan_next(scan, &record, &err), 0);
    block_scan_close(scan);
    free(block);
    free(want);
    sim_disk_free(sim);
}

static void add_frame(struct buf *buf, uint32_t claimed_len, size_t len)
{
    buf_add(buf, magic, 4);
    put_le32(buf_extend(buf, 4), claimed_len);
    test_random_fill(buf_extend(buf, len), len);
}

static void add_garbage(struct buf *buf)
{
    size_t len = (size_t)test_random_below(300);

    switch (test_random_below(9)) {
    case 0: /* Zeros, few or many. */
        len = (size_t)test_random_below(test_random_below(20) == 0 ? 700000 : 300);
        memset(buf_extend(buf, len), 0, len);
        break;
    case 1:
        test_random_fill(buf_extend(buf, len), len);
        break;
    case 2: /* Parts of a frame. */
        buf_add(buf, magic, (size_t)test_random_below(5));
        break;
    case 3:
        add_frame(buf, (uint32_t)test_random_below(80), len);
        break;
    case 4:
        add_frame(buf, 4000001 + (uint32_t)test_random_below(10), len);
        break;
    case 5: /* Half-written: the claim runs over what follows. */
        add_frame(buf, 80 + (uint32_t)test_random_below(2000), len);
        break;
    case 6: /* Much of the first byte. */
        memset(buf_extend(buf, len), magic[0], len);
        break;
    default: /* A record within a record. */
        add_frame(buf, 400, 100);
        add_frame(buf, 200, 200);
        test_random_fill(buf_extend(buf, 92), 92);
        break;
    }
}

static void scans_agree_with_the_slow_one(void)
{
    for (int round = 0; round < 150; round++) {
        struct buf file = {0};
        size_t parts = (size_t)test_random_below(30);

        for (size_t i = 0; i < parts; i++) {
            uint32_t len =
                80 + (uint32_t)test_random_below(test_random_below(10) == 0 ? 300000 : 500);

            if (test_random_below(3) == 0)
                add_garbage(&file);
            else
                add_frame(&file, len, len);
        }
        if (test_random_below(4) == 0 && file.len > 0)
            file.len = (size_t)test_random_below(file.len); /* Cut anywhere. */
        expect_scan("plain", span_of_buf(&file), no_key, round % 2 == 0);
        expect_scan("with a key", span_of_buf(&file), key, round % 3 == 0);
        buf_clear(&file);
    }
}

/* The frame lies across the border of two windows, by every byte. */
static void frames_across_windows_are_found(void)
{
    for (size_t before = BLOCK_SCAN_WINDOW_BYTES - 100; before <= BLOCK_SCAN_WINDOW_BYTES;
         before++) {
        struct buf file = {0};

        memset(buf_extend(&file, before), 0, before);
        add_frame(&file, 100, 100);
        add_frame(&file, 90, 90);
        expect_scan("behind zeros", span_of_buf(&file), no_key, true);
        buf_clear(&file);
    }
}

/* A block that takes less than its record claims: what follows it is searched. */
static void a_short_block_lets_the_scan_go_on_within(void)
{
    struct buf file = {0};
    struct sim_disk *sim;
    struct block_scan *scan;
    struct block_scan_record record;
    struct error err = {0};

    add_frame(&file, 400, 150);
    add_frame(&file, 100, 100);
    test_random_fill(buf_extend(&file, 200), 200);
    sim = disk_with(span_of_buf(&file), no_key);
    CHECK(block_scan_open(&scan, sim_disk_disk(sim), PATH, magic, NULL, &err) == 0);
    EXPECT_U64("len", block_scan_len(scan), file.len);
    EXPECT_INT("outer", block_scan_next(scan, &record, &err), 1);
    EXPECT_U64("outer", record.offset, 8);
    EXPECT_U64("progress", block_scan_offset(scan), 408);
    block_scan_go_on_after(scan, 150);
    EXPECT_INT("inner", block_scan_next(scan, &record, &err), 1);
    EXPECT_U64("inner", record.offset, 8 + 150 + 8);
    EXPECT_INT("end", block_scan_next(scan, &record, &err), 0);
    block_scan_close(scan);

    CHECK(block_scan_open(&scan, sim_disk_disk(sim), PATH, magic, NULL, &err) == 0);
    sim_disk_fail_call(sim, SIM_CALL_READ, 1);
    EXPECT_INT("read error", block_scan_next(scan, &record, &err), E_IO);
    EXPECT_INT("not the end", block_scan_next(scan, &record, &err), 1);
    block_scan_close(scan);
    EXPECT_INT("no file", block_scan_open(&scan, sim_disk_disk(sim), "/d/x", magic, NULL, &err),
               E_NOT_FOUND);
    sim_disk_free(sim);
    buf_clear(&file);
}

/* The chain of real blocks: each is the child of the one before. */
static void expect_chain(const char *path, const uint8_t *its_magic, uint64_t blocks_n)
{
    uint8_t *block = alloc(4000000);
    uint8_t hash[32] = {0};
    struct block_scan_record record;
    struct block_scan *scan;
    struct error err = {0};
    uint64_t n = 0;

    CHECK(block_scan_open(&scan, disk_real(), path, its_magic, NULL, &err) == 0);
    while (block_scan_next(scan, &record, &err) == 1) {
        EXPECT_BYTES("child of the last", record.header + 4, 32, hash, 32);
        EXPECT_INT("read", block_scan_read(scan, block, &err), 0);
        sha256d(hash, block, 80);
        n++;
    }
    EXPECT_U64(path, n, blocks_n);
    block_scan_close(scan);
    free(block);
}

static void real_files_are_read(void)
{
    const char *mainnet = test_data_path("chains/mainnet_0_4521.dat");
    const char *signet = test_data_path("chains/signet_0_120.dat");
    static const uint8_t signet_magic[4] = {0x0a, 0x03, 0xcf, 0x40};

    if (mainnet == NULL || signet == NULL) {
        test_skip("no chains in ASSAY_DATA");
        return;
    }
    expect_chain(mainnet, magic, 4522);
    expect_chain(signet, signet_magic, 121);
}

TEST_LIST(TEST(scans_agree_with_the_slow_one), TEST(frames_across_windows_are_found),
          TEST(a_short_block_lets_the_scan_go_on_within), TEST(real_files_are_read))
