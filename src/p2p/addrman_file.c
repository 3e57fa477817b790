/* peers.dat, the bytes of which are Core's:
 *
 *   4 magic, 1 version, 1 lowest version that can read it + 32, 32 key of the buckets,
 *   4 number of new ones, 4 of tried ones, 4 new buckets XOR 2^30,
 *   the new ones, the tried ones, for each new bucket how many and which (numbers in the
 *   order above), 32 version of the asmap, 32 double SHA-256 of all before.
 *
 * An address: 4 form, 4 time, services, address and port, source, 8 time of the last
 * success, 4 attempts since then.
 */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "codec/writer.h"
#include "crypto/sha256.h"
#include "p2p/addrman_priv.h"
#include "p2p/disk_address.h"

enum version {
    VERSION_HISTORICAL,
    VERSION_DETERMINISTIC, /* Buckets hashed under a key. */
    VERSION_ASMAP,         /* The asmap's version at the end. */
    VERSION_BIP155,        /* Addresses of all networks. */
    VERSION_PORTS          /* An address may be there with more ports. */
};

#define COMPATIBLE_BASE 32
#define BUCKETS_MASK (1U << 30)
#define NEW_MAX (ADDRMAN_NEW_BUCKETS * ADDRMAN_BUCKET_SIZE)
#define TRIED_MAX (ADDRMAN_TRIED_BUCKETS * ADDRMAN_BUCKET_SIZE)
/* A full one has about 9 MB. */
#define FILE_BYTES_MAX ((size_t)64 << 20)

struct file {
    struct reader r;
    uint8_t version;
    int32_t new_n;
    int32_t tried_n;
    uint32_t buckets;
    int32_t *ids; /* Owned: of the new ones. */
    size_t lost_tried;
    size_t lost_new;
};

/* --- Writing --- */

static void write_entry(struct buf *buf, const struct entry *entry)
{
    const struct addrman_address known = {
        .address = entry->address, .services = entry->services, .time_s = entry->time_s};

    disk_address_write(buf, &known);
    net_address_write_host_v2(buf, &entry->source);
    write_le64(buf, (uint64_t)entry->last_success_s);
    write_le32(buf, (uint32_t)entry->attempts);
}

static void write_buckets(struct buf *buf, const struct addrman *man, const uint32_t *numbers)
{
    for (unsigned bucket = 0; bucket < ADDRMAN_NEW_BUCKETS; bucket++) {
        const int32_t *places = man->fresh + (size_t)bucket * ADDRMAN_BUCKET_SIZE;
        uint32_t n = 0;

        for (unsigned i = 0; i < ADDRMAN_BUCKET_SIZE; i++)
            n += places[i] != NOBODY ? 1 : 0;
        write_le32(buf, n);
        for (unsigned i = 0; i < ADDRMAN_BUCKET_SIZE; i++) {
            if (places[i] != NOBODY)
                write_le32(buf, numbers[places[i]]);
        }
    }
}

void addrman_write(struct buf *buf, const struct addrman *man, const uint8_t *magic)
{
    uint32_t *numbers = alloc_array(man->entries_n + 1, sizeof(*numbers));
    uint8_t digest[SHA256_BYTES];
    size_t begin = buf->len;
    uint32_t number = 0;

    write_span(buf, span_of(magic, 4));
    write_u8(buf, VERSION_PORTS);
    write_u8(buf, COMPATIBLE_BASE + VERSION_PORTS);
    write_span(buf, span_of(man->key, sizeof(man->key)));
    write_le32(buf, (uint32_t)addrman_count(man, NET_COUNT, false));
    write_le32(buf, (uint32_t)addrman_count(man, NET_COUNT, true));
    write_le32(buf, ADDRMAN_NEW_BUCKETS ^ BUCKETS_MASK);
    for (size_t i = 0; i < man->entries_n; i++) {
        if (man->entries[i].is_used && !man->entries[i].is_tried) {
            numbers[i] = number++;
            write_entry(buf, &man->entries[i]);
        }
    }
    for (size_t i = 0; i < man->entries_n; i++) {
        if (man->entries[i].is_used && man->entries[i].is_tried)
            write_entry(buf, &man->entries[i]);
    }
    write_buckets(buf, man, numbers);
    asmap_version(digest, man->asmap);
    write_span(buf, span_of(digest, sizeof(digest)));
    sha256d(digest, buf->data + begin, buf->len - begin);
    write_span(buf, span_of(digest, sizeof(digest)));
    free(numbers);
}

/* --- Reading --- */

static int end_of_file(const struct file *file, struct error *err)
{
    if (file->r.rc == E_TRUNCATED)
        return error_set(err, E_CORRUPT, "AutoFile::read: end of file: iostream error");
    return error_set(err, E_CORRUPT, "an address is not canonically encoded: iostream error");
}

static int read_head(struct addrman *man, struct file *file, const uint8_t *magic,
                     struct error *err)
{
    struct reader *r = &file->r;
    struct span found = read_span(r, 4);
    uint8_t compatible;

    if (r->rc == 0 && memcmp(found.data, magic, 4) != 0)
        return error_set(err, E_CORRUPT, "Invalid network magic number");
    file->version = read_u8(r);
    compatible = read_u8(r);
    if (r->rc < 0)
        return end_of_file(file, err);
    if (compatible < COMPATIBLE_BASE)
        return error_set(err, E_CORRUPT,
                         "Corrupted addrman database: The compat value (%u) is lower than the "
                         "expected minimum value %u.: iostream error",
                         compatible, COMPATIBLE_BASE);
    if (compatible - COMPATIBLE_BASE > VERSION_PORTS)
        return error_set(err, E_UNSUPPORTED,
                         "it is of version %u, which a program that knows version %u can read, "
                         "but this one only %u",
                         file->version, compatible - COMPATIBLE_BASE, VERSION_PORTS);
    read_bytes(r, man->key, sizeof(man->key));
    file->new_n = (int32_t)read_le32(r);
    file->tried_n = (int32_t)read_le32(r);
    file->buckets = read_le32(r);
    if (file->version >= VERSION_DETERMINISTIC)
        file->buckets ^= BUCKETS_MASK;
    if (r->rc < 0)
        return end_of_file(file, err);
    if (file->new_n < 0 || file->new_n > NEW_MAX)
        return error_set(err, E_CORRUPT,
                         "Corrupt AddrMan serialization: nNew=%" PRId32
                         ", should be in [0, %d]: iostream error",
                         file->new_n, NEW_MAX);
    if (file->tried_n < 0 || file->tried_n > TRIED_MAX)
        return error_set(err, E_CORRUPT,
                         "Corrupt AddrMan serialization: nTried=%" PRId32
                         ", should be in [0, %d]: iostream error",
                         file->tried_n, TRIED_MAX);
    return 0;
}

static void read_entry(struct file *file, struct entry *ret_entry)
{
    bool has_v2 = file->version >= VERSION_BIP155;
    struct addrman_address known;

    memset(ret_entry, 0, sizeof(*ret_entry));
    disk_address_read(&known, &file->r, has_v2);
    if (has_v2)
        net_address_read_host_v2(&ret_entry->source, &file->r);
    else
        net_address_read_host_v1(&ret_entry->source, &file->r);
    ret_entry->address = known.address;
    ret_entry->services = known.services;
    ret_entry->time_s = known.time_s;
    ret_entry->last_success_s = (int64_t)read_le64(&file->r);
    ret_entry->attempts = (int32_t)read_le32(&file->r);
}

static int create(struct addrman *man, int32_t *ret_id, const struct entry *read, struct error *err)
{
    const struct addrman_address known = {
        .address = read->address, .services = read->services, .time_s = read->time_s};
    struct entry *entry;

    if (addrman_id_of(man, &read->address) != NOBODY)
        return error_set(err, E_CORRUPT,
                         "Corrupt data. Consistency check failed with code -5: "
                         "iostream error");
    *ret_id = addrman_create(man, &known, &read->source);
    entry = &man->entries[*ret_id];
    entry->last_success_s = read->last_success_s;
    entry->attempts = read->attempts;
    return 0;
}

/* Several invalid ones ("::" stands for all networks we do not know) may be there; they
 * are lost. */
static int read_entries(struct addrman *man, struct file *file, struct error *err)
{
    struct entry read;
    unsigned place;
    int32_t id;
    int rc;

    for (int32_t i = 0; i < file->new_n; i++) {
        read_entry(file, &read);
        if (file->r.rc < 0)
            return end_of_file(file, err);
        file->ids[i] = NOBODY;
        if (!net_address_is_valid(&read.address)) {
            file->lost_new++;
            continue;
        }
        rc = create(man, &file->ids[i], &read, err);
        if (rc < 0)
            return rc;
    }
    for (int32_t i = 0; i < file->tried_n; i++) {
        read_entry(file, &read);
        if (file->r.rc < 0)
            return end_of_file(file, err);
        place = addrman_tried_place(man, &read);
        if (!net_address_is_valid(&read.address) || man->tried[place] != NOBODY) {
            file->lost_tried++;
            continue;
        }
        rc = create(man, &id, &read, err);
        if (rc < 0)
            return rc;
        addrman_put_tried(man, id, place);
    }
    return 0;
}

static void place_new(struct addrman *man, struct file *file, unsigned bucket, int32_t number,
                      bool is_restored)
{
    int32_t id = number >= 0 && number < file->new_n ? file->ids[number] : NOBODY;
    unsigned place;

    if (id == NOBODY || man->entries[id].refs_n == NEW_REFS_MAX)
        return;
    if (is_restored) {
        place = addrman_place_in_new_bucket(man, &man->entries[id], bucket);
        if (man->fresh[place] == NOBODY) {
            addrman_put_new(man, id, place);
            return;
        }
    }
    place = addrman_new_place(man, &man->entries[id], &man->entries[id].source);
    if (man->fresh[place] == NOBODY)
        addrman_put_new(man, id, place);
}

/* Goes over the lists of the buckets; with man they are put in place. */
static void walk_buckets(struct addrman *man, struct file *file, bool is_restored)
{
    for (uint32_t bucket = 0; bucket < file->buckets && file->r.rc == 0; bucket++) {
        int32_t n = (int32_t)read_le32(&file->r);

        for (int32_t i = 0; i < n && file->r.rc == 0; i++) {
            int32_t number = (int32_t)read_le32(&file->r);

            if (man != NULL && file->r.rc == 0)
                place_new(man, file, bucket, number, is_restored);
        }
    }
}

static int read_buckets(struct addrman *man, struct file *file, struct error *err)
{
    const struct reader begin = file->r;
    uint8_t now_version[SHA256_BYTES];
    uint8_t then_version[SHA256_BYTES] = {0};
    struct reader end;
    bool is_restored;

    walk_buckets(NULL, file, false);
    if (file->version >= VERSION_ASMAP)
        read_bytes(&file->r, then_version, sizeof(then_version));
    if (file->r.rc < 0)
        return end_of_file(file, err);
    asmap_version(now_version, man->asmap);
    is_restored = file->buckets == ADDRMAN_NEW_BUCKETS &&
                  memcmp(now_version, then_version, sizeof(now_version)) == 0;
    if (!is_restored)
        log_debug("addrman",
                  "Bucketing method was updated, re-bucketing addrman entries from disk");
    end = file->r;
    file->r = begin;
    walk_buckets(man, file, is_restored);
    file->r = end;
    for (int32_t i = 0; i < file->new_n; i++) {
        if (file->ids[i] != NOBODY && man->entries[file->ids[i]].refs_n == 0) {
            addrman_delete(man, file->ids[i]);
            file->lost_new++;
        }
    }
    if (file->lost_new + file->lost_tried > 0)
        log_debug("addrman",
                  "addrman lost %zu new and %zu tried addresses due to collisions or invalid "
                  "addresses",
                  file->lost_new, file->lost_tried);
    return 0;
}

static int check_checksum(struct file *file, struct span all, struct error *err)
{
    size_t len = all.len - file->r.left;
    uint8_t digest[SHA256_BYTES];
    struct span found = read_span(&file->r, sizeof(digest));

    if (file->r.rc < 0)
        return end_of_file(file, err);
    sha256d(digest, all.data, len);
    if (memcmp(found.data, digest, sizeof(digest)) != 0)
        return error_set(err, E_CORRUPT, "Checksum mismatch, data corrupted");
    return 0;
}

int addrman_read(struct addrman **ret_man, const struct addrman_options *options, struct span all,
                 const uint8_t *magic, struct error *err)
{
    struct addrman *man = addrman_new(options);
    struct file file = {0};
    int broken;
    int rc;

    reader_init(&file.r, all.data, all.len);
    rc = read_head(man, &file, magic, err);
    if (rc < 0)
        goto done;
    file.ids = alloc_array((size_t)file.new_n + 1, sizeof(*file.ids));
    rc = read_entries(man, &file, err);
    if (rc < 0)
        goto done;
    rc = read_buckets(man, &file, err);
    if (rc < 0)
        goto done;
    broken = addrman_check(man);
    if (broken != 0) {
        rc = error_set(err, E_CORRUPT,
                       "Corrupt data. Consistency check failed with code %d: "
                       "iostream error",
                       broken);
        goto done;
    }
    rc = check_checksum(&file, all, err);
    if (rc < 0)
        goto done;
    *ret_man = man;
    man = NULL;
done:
    free(file.ids);
    addrman_free(man);
    return rc;
}

/* --- Files --- */

int addrman_save(const struct addrman *man, struct disk *disk, const char *folder,
                 const uint8_t *magic, struct error *err)
{
    char *path = alloc_printf("%s/peers.dat", folder);
    struct buf buf = {0};
    int rc;

    addrman_write(&buf, man, magic);
    rc = disk_replace_file(disk, path, buf.data, buf.len, err);
    buf_clear(&buf);
    free(path);
    return rc;
}

/* Nothing to be read: an empty one, on disk too. */
static int start_empty(struct addrman **ret_man, const struct addrman_options *options,
                       struct disk *disk, const char *folder, const uint8_t *magic,
                       struct error *err)
{
    struct addrman *man = addrman_new(options);
    int rc = addrman_save(man, disk, folder, magic, err);

    if (rc < 0)
        addrman_free(man);
    else
        *ret_man = man;
    return rc;
}

int addrman_load(struct addrman **ret_man, const struct addrman_options *options, struct disk *disk,
                 const char *folder, const uint8_t *magic, struct error *err)
{
    char *path = alloc_printf("%s/peers.dat", folder);
    char *backup = alloc_printf("%s.bak", path);
    struct buf buf = {0};
    int rc;

    rc = disk_read_file(disk, &buf, path, FILE_BYTES_MAX, err);
    if (rc == E_NOT_FOUND) {
        log_info("addrman", "Creating peers.dat because the file was not found (\"%s\")", path);
        rc = start_empty(ret_man, options, disk, folder, magic, err);
        goto done;
    }
    if (rc < 0)
        goto done;
    rc = addrman_read(ret_man, options, span_of_buf(&buf), magic, err);
    if (rc == 0) {
        log_info("addrman", "Loaded %zu addresses from peers.dat", (*ret_man)->order_n);
    } else if (rc == E_UNSUPPORTED) {
        rc = disk_rename(disk, path, backup, err);
        if (rc < 0) {
            rc = error_set(err, rc,
                           "Failed to rename invalid peers.dat file. Please move or "
                           "delete it and try again.");
            goto done;
        }
        log_warning("addrman",
                    "Creating new peers.dat because the file version was not compatible (\"%s\"). "
                    "Original backed up to peers.dat.bak",
                    path);
        rc = start_empty(ret_man, options, disk, folder, magic, err);
    }
done:
    buf_clear(&buf);
    free(path);
    free(backup);
    return rc;
}
