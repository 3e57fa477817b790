#include "p2p/anchors.h"

#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "codec/writer.h"
#include "crypto/sha256.h"
#include "p2p/disk_address.h"

#define FILE_BYTES_MAX ((size_t)1 << 20)

/* Magic, a count, that many addresses, double SHA-256 of all before. */
static int read_file(struct addrman_address *ret_anchors, uint32_t *ret_n, struct span file,
                     const uint8_t *magic)
{
    struct addrman_address address;
    uint8_t digest[SHA256_BYTES];
    struct reader r;
    struct span found;
    size_t len;
    uint32_t n;

    reader_init(&r, file.data, file.len);
    found = read_span(&r, 4);
    if (r.rc == 0 && memcmp(found.data, magic, 4) != 0)
        return E_CORRUPT;
    n = read_length(&r);
    for (uint32_t i = 0; i < n && r.rc == 0; i++) {
        disk_address_read(&address, &r, true);
        if (i < ANCHORS_MAX)
            ret_anchors[i] = address;
    }
    len = file.len - r.left;
    found = read_span(&r, sizeof(digest));
    if (r.rc < 0)
        return r.rc;
    sha256d(digest, file.data, len);
    if (memcmp(found.data, digest, sizeof(digest)) != 0)
        return E_CORRUPT;
    *ret_n = n;
    return 0;
}

size_t anchors_load(struct addrman_address *ret_anchors, struct disk *disk, const char *folder,
                    const uint8_t *magic)
{
    char *path = alloc_printf("%s/anchors.dat", folder);
    struct buf file = {0};
    uint32_t n = 0;

    if (disk_read_file(disk, &file, path, FILE_BYTES_MAX, NULL) == 0 &&
        read_file(ret_anchors, &n, span_of_buf(&file), magic) == 0)
        log_info("net", "Loaded %u addresses from \"anchors.dat\"", n);
    if (disk_remove(disk, path, NULL) < 0)
        log_debug("net", "There is no anchors.dat");
    buf_clear(&file);
    free(path);
    return n < ANCHORS_MAX ? n : ANCHORS_MAX;
}

int anchors_save(const struct addrman_address *anchors, size_t n, struct disk *disk,
                 const char *folder, const uint8_t *magic, struct error *err)
{
    char *path = alloc_printf("%s/anchors.dat", folder);
    uint8_t digest[SHA256_BYTES];
    struct buf file = {0};
    int rc;

    log_info("net",
             "DumpAnchors: Flush %zu outbound block-relay-only peer addresses to "
             "anchors.dat started",
             n);
    write_span(&file, span_of(magic, 4));
    write_compact_size(&file, n);
    for (size_t i = 0; i < n; i++)
        disk_address_write(&file, &anchors[i]);
    sha256d(digest, file.data, file.len);
    write_span(&file, span_of(digest, sizeof(digest)));
    rc = disk_replace_file(disk, path, file.data, file.len, err);
    if (rc == 0)
        log_info("net",
                 "DumpAnchors: Flush %zu outbound block-relay-only peer addresses to "
                 "anchors.dat completed",
                 n);
    buf_clear(&file);
    free(path);
    return rc;
}
