/* Target: the scan of a block file. It finds what a byte-by-byte reading of the
 * rules finds, with a key and without, and reads those bytes. The first byte of
 * the input chooses the key. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/check.h"
#include "chain/block_files.h"
#include "sim_disk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const uint8_t magic[4] = {'m', 'a', 'g', 'i'};

/* The next record at or behind at; SIZE_MAX: none. */
static size_t find_slowly(const uint8_t *file, size_t len, size_t at)
{
    for (; at + 8 <= len; at++) {
        uint32_t claimed = get_le32(file + at + 4);

        if (memcmp(file + at, magic, 4) != 0 || claimed < 80 || claimed > 4000000)
            continue;
        return at + 8 + claimed <= len ? at : SIZE_MAX;
    }
    return SIZE_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct sim_disk *sim = sim_disk_new(0);
    struct disk *disk = sim_disk_disk(sim);
    uint8_t key[BLOCK_FILE_KEY_BYTES] = {0};
    struct block_scan_record record;
    struct block_scan *scan;
    struct disk_file *file;
    struct buf stored = {0};
    uint8_t *block;
    size_t at = 0;

    if (len > 0) {
        memset(key, data[0], data[0] % 9U);
        data++;
        len--;
    }
    buf_add(&stored, data, len);
    block_files_xor(key, 0, stored.data, stored.len);
    CHECK(disk_open(disk, &file, "/f", DISK_CREATE, NULL) == 0);
    CHECK(disk_write(file, stored.data, stored.len, 0, NULL) == 0);
    disk_close(file);
    block = alloc(len + 1);
    CHECK(block_scan_open(&scan, disk, "/f", magic, key, NULL) == 0);
    while (block_scan_next(scan, &record, NULL) == 1) {
        at = find_slowly(data, len, at);
        CHECK(at != SIZE_MAX);
        CHECK(record.offset == at + 8 && record.len == get_le32(data + at + 4));
        CHECK(memcmp(record.header, data + record.offset, 80) == 0);
        CHECK(block_scan_read(scan, block, NULL) == 0);
        CHECK(memcmp(block, data + record.offset, record.len) == 0);
        at += 8 + (size_t)record.len;
    }
    CHECK(find_slowly(data, len, at) == SIZE_MAX);
    block_scan_close(scan);
    free(block);
    buf_clear(&stored);
    sim_disk_free(sim);
    return 0;
}
