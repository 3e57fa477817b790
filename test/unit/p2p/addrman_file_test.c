#include "p2p/addrman.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "codec/writer.h"
#include "crypto/sha256.h"
#include "p2p/addrman_priv.h"

#include "test.h"

#define NOW 1700000000

static const uint8_t magic[4] = {0xfa, 0xbf, 0xb5, 0xda};
static const uint8_t zeros[32];
static const struct addrman_options options = {.seed = zeros};

static struct net_address address_of(const char *text)
{
    struct net_address address;

    CHECK(net_address_read(&address, text, strlen(text), 8333));
    return address;
}

/* A file of that version with one new address, by hand. */
struct shape {
    uint8_t version;
    uint8_t compatible;
    uint8_t key;
    int32_t new_n;
    int32_t tried_n;
    bool is_v2;       /* The form of the address. */
    bool has_asmap;   /* And its version differs from ours. */
    uint32_t buckets; /* In the file. */
    bool is_in_two_buckets;
};

static const struct shape plain = {.version = 4,
                                   .compatible = 36,
                                   .key = 1,
                                   .new_n = 1,
                                   .is_v2 = true,
                                   .buckets = ADDRMAN_NEW_BUCKETS};

static void make_file(struct buf *buf, const struct shape *shape)
{
    const struct net_address address = address_of("8.8.8.8");
    const struct net_address source = address_of("9.9.9.9");
    uint8_t digest[32] = {0};
    uint8_t key[32] = {shape->key};

    write_span(buf, span_of(magic, 4));
    write_u8(buf, shape->version);
    write_u8(buf, shape->compatible);
    write_span(buf, span_of(key, 32));
    write_le32(buf, (uint32_t)shape->new_n);
    write_le32(buf, (uint32_t)shape->tried_n);
    write_le32(buf, shape->version == 0 ? shape->buckets : shape->buckets ^ 1U << 30);
    if (shape->new_n == 1) {
        write_le32(buf, shape->is_v2 ? 220000U | 1U << 29 : 219900U);
        write_le32(buf, NOW);
        if (shape->is_v2) {
            write_compact_size(buf, 1033);
            net_address_write_v2(buf, &address);
        } else {
            write_le64(buf, 1033);
            net_address_write_v1(buf, &address);
        }
        if (shape->version >= 3) {
            net_address_write_host_v2(buf, &source);
        } else {
            net_address_write_v1(buf, &source);
            buf->len -= 2;
        }
        write_le64(buf, 5);
        write_le32(buf, 2);
    }
    for (uint32_t i = 0; i < shape->buckets; i++) {
        bool is_here = shape->new_n == 1 && (i == 3 || (i == 5 && shape->is_in_two_buckets));

        write_le32(buf, is_here ? 1 : 0);
        if (is_here)
            write_le32(buf, 0);
    }
    if (shape->version >= 2) {
        digest[0] = shape->has_asmap ? 1 : 0;
        write_span(buf, span_of(digest, 32));
    }
    sha256d(digest, buf->data, buf->len);
    write_span(buf, span_of(digest, 32));
}

/* Where the address is then: bucket 3 if it was put back as it was. */
static const struct {
    const char *label;
    uint8_t version;
    bool is_v2;
    bool has_asmap;
    uint32_t buckets;
    bool is_restored;
} version_rows[] = {
    {"0", 0, false, false, 1024, true},
    {"1", 1, false, false, 1024, true},
    {"2", 2, false, false, 1024, true},
    {"3", 3, true, false, 1024, true},
    {"4", 4, true, false, 1024, true},
    {"3, old form", 3, false, false, 1024, true},
    {"other asmap", 4, true, true, 1024, false},
    {"fewer buckets", 4, true, false, 256, false},
    {"more buckets", 4, true, false, 2048, false},
};

static void reads_all_versions(void)
{
    for (size_t i = 0; i < ARRAY_LEN(version_rows); i++) {
        const char *label = version_rows[i].label;
        struct shape shape = plain;
        struct addrman_entry *list;
        struct addrman *man = NULL;
        struct buf buf = {0};
        struct net_address want = address_of("8.8.8.8");
        struct net_address source = address_of("9.9.9.9");

        shape.version = version_rows[i].version;
        shape.is_v2 = version_rows[i].is_v2;
        shape.has_asmap = version_rows[i].has_asmap;
        shape.buckets = version_rows[i].buckets;
        make_file(&buf, &shape);
        EXPECT_INT(label, addrman_read(&man, &options, span_of_buf(&buf), magic, NULL), 0);
        buf_clear(&buf);
        if (man == NULL)
            continue;
        EXPECT_U64(label, addrman_entries(man, &list, false), 1);
        EXPECT_TRUE(label, net_address_equal(&list[0].known.address, &want));
        EXPECT_TRUE(label, net_address_host_equal(&list[0].source, &source));
        EXPECT_U64(label, list[0].known.services, 1033);
        EXPECT_INT(label, list[0].known.time_s, NOW);
        EXPECT_INT(label, list[0].place.bucket == 3, version_rows[i].is_restored);
        EXPECT_INT(label, man->entries[0].last_success_s, 5);
        EXPECT_INT(label, man->entries[0].attempts, 2);
        free(list);
        addrman_free(man);
    }
}

static void expect_refused(const char *label, struct span file, int rc, const char *reason)
{
    struct addrman *man = NULL;
    struct error err = {0};

    EXPECT_INT(label, addrman_read(&man, &options, file, magic, &err), rc);
    EXPECT_TRUE(label, man == NULL);
    if (strncmp(err.shown.text, reason, strlen(reason)) != 0)
        EXPECT_STR(label, err.shown.text, reason);
    addrman_free(man);
}

static void refuses(void)
{
    struct shape shape = plain;
    struct buf buf = {0};

#define ROW(label, change, rc, reason)                        \
    do {                                                      \
        shape = plain;                                        \
        change;                                               \
        buf.len = 0;                                          \
        make_file(&buf, &shape);                              \
        expect_refused(label, span_of_buf(&buf), rc, reason); \
    } while (0)
    ROW("compatible", shape.compatible = 0, E_CORRUPT,
        "Corrupted addrman database: The compat value (0) is lower than the expected minimum "
        "value 32.: ");
    ROW("later", shape.compatible = 37, E_UNSUPPORTED, "");
    ROW("tried", shape.tried_n = -1, E_CORRUPT,
        "Corrupt AddrMan serialization: nTried=-1, should be in [0, 16384]:");
    ROW("tried", shape.tried_n = 16385, E_CORRUPT,
        "Corrupt AddrMan serialization: nTried=16385, should be in [0, 16384]:");
    ROW("new", shape.new_n = -1, E_CORRUPT,
        "Corrupt AddrMan serialization: nNew=-1, should be in [0, 65536]:");
    ROW("new", shape.new_n = 65537, E_CORRUPT,
        "Corrupt AddrMan serialization: nNew=65537, should be in [0, 65536]:");
    ROW("key", shape.key = 0, E_CORRUPT, "Corrupt data. Consistency check failed with code -16: ");
    ROW("form", shape.version = 1, E_CORRUPT, "an address is not canonically encoded");
#undef ROW
    buf.len = 0;
    make_file(&buf, &plain);
    for (size_t len = 0; len < buf.len; len += len < 120 ? 1 : 97)
        expect_refused("cut", span_of(buf.data, len), E_CORRUPT, "AutoFile::read: end of file");
    expect_refused("cut", span_of(buf.data, buf.len - 1), E_CORRUPT, "AutoFile::read: end of file");
    buf.data[buf.len - 1] ^= 1;
    expect_refused("checksum", span_of_buf(&buf), E_CORRUPT, "Checksum mismatch, data corrupted");
    buf.data[0] ^= 1;
    expect_refused("magic", span_of_buf(&buf), E_CORRUPT, "Invalid network magic number");
    buf_clear(&buf);
}

static void two_places_come_back(void)
{
    struct shape shape = plain;
    struct addrman *man = NULL;
    struct addrman_entry *list;
    struct buf buf = {0};

    shape.is_in_two_buckets = true;
    make_file(&buf, &shape);
    EXPECT_INT("read", addrman_read(&man, &options, span_of_buf(&buf), magic, NULL), 0);
    if (man != NULL) {
        EXPECT_U64("two places", addrman_entries(man, &list, false), 2);
        EXPECT_U64("one address", addrman_size(man), 1);
        free(list);
    }
    addrman_free(man);
    buf_clear(&buf);
}

static void loads_and_saves(void)
{
    struct addrman_address known = {.address = address_of("8.8.8.8"), .time_s = NOW};
    char *folder = alloc_printf("%s/load", test_folder());
    char *path = alloc_printf("%s/peers.dat", folder);
    char *backup = alloc_printf("%s.bak", path);
    struct addrman *man = NULL;
    struct error err = {0};
    struct buf buf = {0};
    struct shape later = plain;

    CHECK(mkdir(folder, 0700) == 0);
    EXPECT_INT("none", addrman_load(&man, &options, disk_real(), folder, magic, &err), 0);
    EXPECT_INT("written", access(path, F_OK), 0);
    CHECK(man != NULL);
    (void)addrman_add(man, &known, 1, &known.address, 0, NOW);
    EXPECT_INT("save", addrman_save(man, disk_real(), folder, magic, &err), 0);
    addrman_free(man);
    EXPECT_INT("load", addrman_load(&man, &options, disk_real(), folder, magic, &err), 0);
    EXPECT_U64("one", addrman_size(man), 1);
    addrman_free(man);

    later.compatible = 40;
    make_file(&buf, &later);
    CHECK(disk_replace_file(disk_real(), path, buf.data, buf.len, NULL) == 0);
    EXPECT_INT("later version", addrman_load(&man, &options, disk_real(), folder, magic, &err), 0);
    EXPECT_U64("empty", addrman_size(man), 0);
    addrman_free(man);
    man = NULL;
    buf.len = 0;
    EXPECT_TRUE("kept", test_read_file(&buf, backup) && buf.len > 32 && buf.data[5] == 40);

    CHECK(disk_replace_file(disk_real(), path, buf.data, 100, NULL) == 0);
    buf.data[5] = 36;
    CHECK(disk_replace_file(disk_real(), path, buf.data, 100, NULL) == 0);
    EXPECT_INT("corrupt", addrman_load(&man, &options, disk_real(), folder, magic, &err),
               E_CORRUPT);
    EXPECT_TRUE("nothing made", man == NULL);
    buf_clear(&buf);
    free(folder);
    free(path);
    free(backup);
}

TEST_LIST(TEST(reads_all_versions), TEST(refuses), TEST(two_places_come_back),
          TEST(loads_and_saves))
