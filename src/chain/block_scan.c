/* The scan declared in block_files.h. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "chain/block_files.h"
#include "primitives/header.h"

/* Behind a block that was read straight into its own buffer, only the next frame
 * and header are wanted. */
#define FILL_BYTES_SMALL (4U << 10)
#define AHEAD_BYTES (UINT64_C(8) << 20)

struct block_scan {
    struct disk_file *file;
    uint64_t file_len;
    uint8_t magic[4];
    uint8_t key[BLOCK_FILE_KEY_BYTES];
    uint64_t at;         /* Where the search goes on. */
    uint64_t record;     /* Offset of the block last found. */
    uint32_t record_len; /* 0: none. */
    uint64_t wanted_to;  /* The system has been told to read this far. */
    uint64_t window_at;
    size_t window_len;
    uint8_t *window; /* BLOCK_SCAN_WINDOW_BYTES. */
};

int block_scan_open(struct block_scan **ret_scan, struct disk *disk, const char *path,
                    const uint8_t *magic, const uint8_t *key, struct error *err)
{
    struct block_scan *scan = alloc_zero(sizeof(*scan));
    int rc = disk_open(disk, &scan->file, path, DISK_READ, err);

    if (rc == 0)
        rc = disk_size(scan->file, &scan->file_len, err);
    if (rc < 0) {
        block_scan_close(scan);
        return rc;
    }
    memcpy(scan->magic, magic, sizeof(scan->magic));
    if (key != NULL)
        memcpy(scan->key, key, sizeof(scan->key));
    scan->window = alloc(BLOCK_SCAN_WINDOW_BYTES);
    *ret_scan = scan;
    return 0;
}

void block_scan_close(struct block_scan *own_scan)
{
    if (own_scan == NULL)
        return;
    disk_close(own_scan->file);
    free(own_scan->window);
    free(own_scan);
}

uint64_t block_scan_offset(const struct block_scan *scan)
{
    return scan->at;
}

uint64_t block_scan_len(const struct block_scan *scan)
{
    return scan->file_len;
}

static int fill(struct block_scan *scan, uint64_t offset, size_t want, struct error *err)
{
    int rc;

    if (offset + AHEAD_BYTES / 2 > scan->wanted_to) {
        scan->wanted_to = offset + AHEAD_BYTES;
        disk_advise(scan->file, offset, AHEAD_BYTES, true);
    }
    scan->window_len = 0;
    rc = disk_read(scan->file, scan->window, want, offset, &scan->window_len, err);
    if (rc < 0) {
        scan->window_len = 0;
        return rc;
    }
    scan->window_at = offset;
    block_files_xor(scan->key, offset, scan->window, scan->window_len);
    return 0;
}

/* Bytes of the window at offset that are there; at least `least` of them unless the
 * file ends before. */
static int look(struct block_scan *scan, uint64_t offset, size_t least, size_t want,
                struct span *ret_bytes, struct error *err)
{
    uint64_t end = scan->window_at + scan->window_len;
    int rc = 0;

    if (offset < scan->window_at || offset + least > end)
        rc = fill(scan, offset, want, err);
    if (rc < 0)
        return rc;
    end = scan->window_at + scan->window_len;
    *ret_bytes = offset >= end
                     ? span_of(NULL, 0)
                     : span_of(scan->window + (offset - scan->window_at), (size_t)(end - offset));
    return 0;
}

/* Moves scan->at to the next magic; *ret_found false: there is none. */
static int find_magic(struct block_scan *scan, size_t want, bool *ret_found, struct error *err)
{
    *ret_found = false;
    for (;;) {
        struct span bytes;
        const uint8_t *found;
        int rc = look(scan, scan->at, BLOCK_FILE_FRAME_BYTES, want, &bytes, err);

        if (rc < 0)
            return rc;
        if (bytes.len < BLOCK_FILE_FRAME_BYTES)
            return 0;
        found = memmem(bytes.data, bytes.len, scan->magic, sizeof(scan->magic));
        if (found != NULL) {
            scan->at += (uint64_t)(found - bytes.data);
            *ret_found = true;
            return 0;
        }
        scan->at += bytes.len - (sizeof(scan->magic) - 1);
        want = BLOCK_SCAN_WINDOW_BYTES; /* A long search. */
    }
}

int block_scan_next(struct block_scan *scan, struct block_scan_record *ret_record,
                    struct error *err)
{
    size_t want =
        scan->record_len > FILL_BYTES_SMALL * 4 ? FILL_BYTES_SMALL : BLOCK_SCAN_WINDOW_BYTES;

    scan->record_len = 0;
    for (;;) {
        struct span bytes;
        uint32_t len;
        bool is_found;
        int rc = find_magic(scan, want, &is_found, err);

        if (rc < 0 || !is_found)
            return rc;
        rc = look(scan, scan->at, BLOCK_FILE_FRAME_BYTES + HEADER_BYTES, want, &bytes, err);
        if (rc < 0)
            return rc;
        if (bytes.len < BLOCK_FILE_FRAME_BYTES)
            return 0;
        len = get_le32(bytes.data + 4);
        if (len < HEADER_BYTES || len > BLOCK_FILE_BLOCK_BYTES_MAX) {
            scan->at++;
            want = BLOCK_SCAN_WINDOW_BYTES;
            continue;
        }
        scan->record = scan->at + BLOCK_FILE_FRAME_BYTES;
        scan->at = scan->record + len;
        if (scan->at > scan->file_len || bytes.len < BLOCK_FILE_FRAME_BYTES + HEADER_BYTES) {
            scan->at = scan->file_len; /* Core reads no further either. */
            return 0;
        }
        scan->record_len = len;
        *ret_record =
            (struct block_scan_record){scan->record, len, bytes.data + BLOCK_FILE_FRAME_BYTES};
        return 1;
    }
}

int block_scan_read(struct block_scan *scan, uint8_t *ret_data, struct error *err)
{
    uint64_t offset = scan->record;
    size_t left = scan->record_len;
    struct span bytes;
    size_t n;
    int rc;

    CHECK(scan->record_len > 0);
    rc = look(scan, offset, 0, FILL_BYTES_SMALL, &bytes, err);
    if (rc < 0)
        return rc;
    n = MIN(bytes.len, left);
    if (n > 0)
        memcpy(ret_data, bytes.data, n);
    if (n == left)
        return 0;
    rc = disk_read_exact(scan->file, ret_data + n, left - n, offset + n, err);
    if (rc == 0)
        block_files_xor(scan->key, offset + n, ret_data + n, left - n);
    return rc;
}

void block_scan_go_on_after(struct block_scan *scan, uint32_t block_len)
{
    CHECK(scan->record_len > 0 && block_len <= scan->record_len);
    scan->at = scan->record + block_len;
}
