#include "p2p/anchors.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

#include "test.h"

static const uint8_t magic[4] = {0xfa, 0xbf, 0xb5, 0xda};
static const uint8_t other_magic[4] = {1, 2, 3, 4};

static void make(struct addrman_address *anchors)
{
    static const char *const texts[ANCHORS_MAX] = {
        "127.0.0.1:7777", "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8"};

    for (size_t i = 0; i < ANCHORS_MAX; i++) {
        CHECK(net_address_read(&anchors[i].address, texts[i], strlen(texts[i]), 0));
        anchors[i].services = 1033 + i;
        anchors[i].time_s = 5;
    }
}

static void both_ways_and_once(void)
{
    char *folder = alloc_printf("%s/anchors", test_folder());
    char *path = alloc_printf("%s/anchors.dat", folder);
    struct addrman_address anchors[ANCHORS_MAX];
    struct addrman_address got[ANCHORS_MAX];
    struct buf file = {0};

    CHECK(mkdir(folder, 0700) == 0);
    make(anchors);
    EXPECT_U64("none", anchors_load(got, disk_real(), folder, magic), 0);
    EXPECT_INT("save", anchors_save(anchors, 2, disk_real(), folder, magic, NULL), 0);
    EXPECT_U64("two", anchors_load(got, disk_real(), folder, magic), 2);
    for (size_t i = 0; i < 2; i++) {
        EXPECT_TRUE("address", net_address_equal(&got[i].address, &anchors[i].address));
        EXPECT_U64("services", got[i].services, anchors[i].services);
    }
    EXPECT_U64("gone", anchors_load(got, disk_real(), folder, magic), 0);

    CHECK(anchors_save(anchors, 1, disk_real(), folder, magic, NULL) == 0);
    EXPECT_U64("other chain", anchors_load(got, disk_real(), folder, other_magic), 0);
    EXPECT_TRUE("removed", access(path, F_OK) != 0);

    CHECK(anchors_save(anchors, 2, disk_real(), folder, magic, NULL) == 0);
    CHECK(test_read_file(&file, path));
    for (size_t i = 0; i < file.len; i += 7) {
        file.data[i] ^= 1;
        CHECK(disk_replace_file(disk_real(), path, file.data, file.len, NULL) == 0);
        EXPECT_U64("a bit is wrong", anchors_load(got, disk_real(), folder, magic), 0);
        file.data[i] ^= 1;
        CHECK(disk_replace_file(disk_real(), path, file.data, i, NULL) == 0);
        EXPECT_U64("cut", anchors_load(got, disk_real(), folder, magic), 0);
    }
    buf_clear(&file);
    free(folder);
    free(path);
}

TEST_LIST(TEST(both_ways_and_once))
