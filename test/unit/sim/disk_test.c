#include <stdlib.h>

#include "sim_clock.h"
#include "sim_disk.h"
#include "test.h"

static struct disk_file *must_open(struct sim_disk *sim, const char *path, enum disk_open_mode mode)
{
    struct disk_file *file;

    CHECK(disk_open(sim_disk_disk(sim), &file, path, mode, NULL) == 0);
    return file;
}

static void must_write(struct disk_file *file, const char *text, uint64_t offset)
{
    CHECK(disk_write(file, text, strlen(text), offset, NULL) == 0);
}

static void expect_content(struct sim_disk *sim, const char *path, const char *want)
{
    struct buf buf = {0};
    bool is_there = sim_disk_peek(sim, path, &buf);

    EXPECT_TRUE(path, is_there == (want != NULL));
    if (is_there && want != NULL)
        EXPECT_STR(path, buf_string(&buf), want);
    buf_clear(&buf);
}

static void make_synced(struct sim_disk *sim, const char *path, const char *text)
{
    struct disk_file *file = must_open(sim, path, DISK_CREATE_NEW);

    must_write(file, text, 0);
    CHECK(disk_sync(file, NULL) == 0);
    CHECK(disk_sync_folder(sim_disk_disk(sim), "/d", NULL) == 0);
    disk_close(file);
}

static struct sim_disk *new_sim(uint64_t seed)
{
    struct sim_disk *sim = sim_disk_new(seed);

    CHECK(disk_make_folder(sim_disk_disk(sim), "/d", NULL) == 0);
    return sim;
}

static void synced_bytes_and_names_survive(void)
{
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct sim_disk *sim = new_sim(seed);
        struct disk_file *file;

        make_synced(sim, "/d/a", "durable");
        EXPECT_TRUE("durable", sim_disk_is_durable(sim, "/d/a"));
        file = must_open(sim, "/d/b", DISK_CREATE_NEW);
        must_write(file, "x", 0);
        EXPECT_TRUE("not durable", !sim_disk_is_durable(sim, "/d/b"));
        sim_disk_power_on(sim);
        expect_content(sim, "/d/a", "durable");
        disk_close(file);
        sim_disk_free(sim);
    }
}

static void losses_are_as_they_say(void)
{
    struct sim_disk *sim = new_sim(1);
    struct disk_file *file;
    struct disk *disk = sim_disk_disk(sim);

    make_synced(sim, "/d/a", "one");
    sim_disk_set_loss(sim, SIM_LOSS_ALL);
    file = must_open(sim, "/d/a", DISK_READ_WRITE);
    must_write(file, "two and more", 0);
    EXPECT_INT("rename", disk_rename(disk, "/d/a", "/d/b", NULL), 0);
    expect_content(sim, "/d/b", "two and more");
    sim_disk_power_on(sim);
    expect_content(sim, "/d/a", "one");
    expect_content(sim, "/d/b", NULL);
    EXPECT_TRUE("dead handle", disk_write(file, "x", 1, 0, NULL) < 0);
    disk_close(file);

    sim_disk_set_loss(sim, SIM_LOSS_NONE);
    file = must_open(sim, "/d/a", DISK_READ_WRITE);
    must_write(file, "three", 0);
    EXPECT_INT("truncate", disk_truncate(file, 4, NULL), 0);
    EXPECT_INT("rename", disk_rename(disk, "/d/a", "/d/b", NULL), 0);
    sim_disk_power_on(sim);
    expect_content(sim, "/d/a", NULL);
    expect_content(sim, "/d/b", "thre");
    disk_close(file);
    sim_disk_free(sim);
}

/* Each byte of what comes back was there at some time since the last sync, and over
 * many seeds every fate is seen: all, nothing, torn, reordered. */
static void unsynced_writes_are_torn_and_reordered(void)
{
    enum { LEN = 2048 };
    unsigned all = 0;
    unsigned none = 0;
    unsigned torn = 0;
    unsigned reordered = 0;

    for (uint64_t seed = 0; seed < 400; seed++) {
        struct sim_disk *sim = new_sim(seed);
        struct disk_file *file = must_open(sim, "/d/a", DISK_CREATE_NEW);
        uint8_t bytes[LEN];
        struct buf buf = {0};
        size_t n[3] = {0};

        memset(bytes, '0', LEN);
        CHECK(disk_write(file, bytes, LEN, 0, NULL) == 0 && disk_sync(file, NULL) == 0);
        CHECK(disk_sync_folder(sim_disk_disk(sim), "/d", NULL) == 0);
        memset(bytes, '1', LEN);
        CHECK(disk_write(file, bytes, LEN / 2, 0, NULL) == 0);
        memset(bytes, '2', LEN);
        CHECK(disk_write(file, bytes, LEN / 2, LEN / 2, NULL) == 0);
        sim_disk_power_on(sim);
        CHECK(sim_disk_peek(sim, "/d/a", &buf));
        EXPECT_U64("length never changed", buf.len, LEN);
        for (size_t i = 0; i < buf.len; i++) {
            EXPECT_TRUE("a byte of its time",
                        buf.data[i] == '0' || buf.data[i] == (i < LEN / 2 ? '1' : '2'));
            n[buf.data[i] - '0']++;
        }
        all += n[0] == 0;
        none += n[0] == LEN;
        torn += n[0] % 512 != 0;
        reordered += n[1] < LEN / 2 && n[2] > 0;
        buf_clear(&buf);
        disk_close(file);
        sim_disk_free(sim);
    }
    EXPECT_TRUE("all kept", all > 20);
    EXPECT_TRUE("all lost", none > 20);
    EXPECT_TRUE("torn", torn > 20);
    EXPECT_TRUE("reordered", reordered > 20);
}

static void names_without_sync_may_be_lost(void)
{
    unsigned kept = 0;
    unsigned lost = 0;
    unsigned swapped = 0;

    for (uint64_t seed = 0; seed < 200; seed++) {
        struct sim_disk *sim = new_sim(seed);
        struct buf buf = {0};

        make_synced(sim, "/d/old", "old");
        {
            struct disk_file *file = must_open(sim, "/d/old.new", DISK_CREATE);

            must_write(file, "new", 0);
            CHECK(disk_sync(file, NULL) == 0);
            disk_close(file);
        }
        CHECK(disk_rename(sim_disk_disk(sim), "/d/old.new", "/d/old", NULL) == 0);
        sim_disk_power_on(sim);
        EXPECT_TRUE("one of the two is there", sim_disk_peek(sim, "/d/old", &buf));
        kept += buf.data[0] == 'n';
        lost += buf.data[0] == 'o';
        swapped += buf.data[0] == 'o' && sim_disk_peek(sim, "/d/old.new", &buf);
        buf_clear(&buf);
        sim_disk_free(sim);
    }
    EXPECT_TRUE("kept", kept > 20);
    EXPECT_TRUE("lost", lost > 20);
    EXPECT_TRUE("made but not renamed", swapped > 5);
}

static void the_power_goes_at_the_call_asked_for(void)
{
    struct sim_disk *sim = new_sim(3);
    struct disk_file *file = must_open(sim, "/d/a", DISK_CREATE);
    struct error err = {0};
    uint8_t byte;
    size_t got;

    sim_disk_crash_after(sim, 3);
    EXPECT_INT("first", disk_write(file, "x", 1, 0, &err), 0);
    EXPECT_INT("second", disk_sync(file, &err), 0);
    EXPECT_TRUE("still on", !sim_disk_is_off(sim));
    EXPECT_INT("third", disk_write(file, "y", 1, 0, &err), E_IO);
    EXPECT_TRUE("off", sim_disk_is_off(sim));
    EXPECT_STR("says so", error_text(&err), "the power is off");
    EXPECT_INT("reads fail", disk_read(file, &byte, 1, 0, &got, &err), E_IO);
    EXPECT_INT("all fail", disk_sync(file, &err), E_IO);
    disk_close(file);
    sim_disk_power_on(sim);
    EXPECT_TRUE("on", !sim_disk_is_off(sim));
    sim_disk_free(sim);
}

static void a_kill_loses_nothing(void)
{
    struct sim_disk *sim = new_sim(4);
    struct disk_file *file = must_open(sim, "/d/a", DISK_CREATE);
    struct disk_file *lock;
    struct disk_file *other;
    struct error err = {0};

    must_write(file, "unsynced", 0);
    EXPECT_INT("lock", disk_lock(sim_disk_disk(sim), &lock, "/d/.lock", &err), 0);
    EXPECT_INT("held", disk_lock(sim_disk_disk(sim), &other, "/d/.lock", &err), E_LOCKED);
    sim_disk_kill(sim);
    EXPECT_TRUE("dead handle", disk_write(file, "x", 1, 0, &err) < 0);
    expect_content(sim, "/d/a", "unsynced");
    EXPECT_INT("lock", disk_lock(sim_disk_disk(sim), &other, "/d/.lock", &err), 0);
    disk_close(other);
    disk_close(lock);
    disk_close(file);
    sim_disk_free(sim);
}

static void failures_come_when_asked_for(void)
{
    struct sim_disk *sim = new_sim(5);
    struct disk *disk = sim_disk_disk(sim);
    struct disk_file *file = must_open(sim, "/d/a", DISK_CREATE);
    struct error err = {0};
    uint8_t byte;
    size_t got;
    uint64_t len;

    sim_disk_fail_call(sim, SIM_CALL_WRITE, 2);
    EXPECT_INT("first", disk_write(file, "abc", 3, 0, &err), 0);
    EXPECT_INT("second", disk_write(file, "abc", 3, 3, &err), E_IO);
    EXPECT_INT("third", disk_write(file, "abc", 3, 3, &err), 0);
    sim_disk_fail_call(sim, SIM_CALL_READ, 1);
    EXPECT_INT("read", disk_read(file, &byte, 1, 0, &got, &err), E_IO);
    EXPECT_INT("read", disk_read(file, &byte, 1, 0, &got, &err), 0);
    sim_disk_set_space(sim, 2);
    EXPECT_INT("over", disk_write(file, "zz", 2, 0, &err), 0);
    EXPECT_INT("full", disk_write(file, "zzzz", 4, 6, &err), E_NO_SPACE);
    EXPECT_INT("full", disk_size(file, &len, &err), 0);
    EXPECT_U64("a part", len, 8);
    EXPECT_INT("full", disk_allocate(file, 0, 9, &err), E_NO_SPACE);
    sim_disk_set_space(sim, UINT64_MAX);
    sim_disk_set_read_only(sim, true);
    EXPECT_INT("read-only", disk_write(file, "z", 1, 0, &err), E_PERMISSION);
    EXPECT_INT("read-only", disk_remove(disk, "/d/a", &err), E_PERMISSION);
    sim_disk_set_read_only(sim, false);
    EXPECT_TRUE("flip", sim_disk_flip(sim, "/d/a", 0, 1));
    EXPECT_TRUE("no such byte", !sim_disk_flip(sim, "/d/a", 8, 1));
    expect_content(sim, "/d/a", "{zcabczz");
    disk_close(file);
    sim_disk_free(sim);
}

/* After a failed sync the bytes may be gone although a second sync says 0. */
static void a_failed_sync_forgets(void)
{
    unsigned lost = 0;

    for (uint64_t seed = 0; seed < 40; seed++) {
        struct sim_disk *sim = new_sim(seed);
        struct disk_file *file;
        struct buf buf = {0};

        make_synced(sim, "/d/a", "old");
        file = must_open(sim, "/d/a", DISK_READ_WRITE);
        must_write(file, "new", 0);
        sim_disk_fail_call(sim, SIM_CALL_SYNC, 1);
        EXPECT_INT("fails", disk_sync(file, NULL), E_IO);
        EXPECT_INT("retried", disk_sync(file, NULL), 0);
        sim_disk_power_on(sim);
        CHECK(sim_disk_peek(sim, "/d/a", &buf));
        lost += buf.data[0] == 'o';
        buf_clear(&buf);
        disk_close(file);
        sim_disk_free(sim);
    }
    EXPECT_TRUE("sometimes lost, sometimes not", lost > 5 && lost < 35);
}

static void the_same_seed_gives_the_same_disk(void)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct buf content[2] = {{0}, {0}};

        for (int run = 0; run < 2; run++) {
            struct sim_disk *sim = new_sim(seed);
            struct disk_file *file = must_open(sim, "/d/a", DISK_CREATE);

            CHECK(disk_sync_folder(sim_disk_disk(sim), "/d", NULL) == 0);
            for (uint64_t i = 0; i < 30; i++) {
                uint8_t part[700];

                memset(part, (int)i + 1, sizeof(part));
                CHECK(disk_write(file, part, sizeof(part), i * 300, NULL) == 0);
            }
            sim_disk_power_on(sim);
            CHECK(sim_disk_peek(sim, "/d/a", &content[run]));
            disk_close(file);
            sim_disk_free(sim);
        }
        EXPECT_BYTES("same", content[0].data, content[0].len, content[1].data, content[1].len);
        buf_clear(&content[0]);
        buf_clear(&content[1]);
    }
}

static void lists_and_folders(void)
{
    struct sim_disk *sim = new_sim(6);
    struct disk *disk = sim_disk_disk(sim);
    struct disk_entry *entries;
    struct disk_file *file;
    size_t n;

    EXPECT_INT("no folder", disk_open(disk, &file, "/e/a", DISK_CREATE, NULL), E_NOT_FOUND);
    make_synced(sim, "/d/b", "22");
    make_synced(sim, "/d/a", "1");
    EXPECT_INT("deep", disk_make_folder(disk, "/d/c/e", NULL), 0);
    EXPECT_INT("list", disk_list(disk, "/d", &entries, &n, NULL), 0);
    EXPECT_U64("list", n, 3);
    EXPECT_STR("sorted", entries[0].name, "a");
    EXPECT_U64("len", entries[1].len, 2);
    EXPECT_TRUE("folder", entries[2].is_folder);
    disk_entries_free(entries, n);
    EXPECT_INT("missing", disk_list(disk, "/x", &entries, &n, NULL), E_NOT_FOUND);
    EXPECT_INT("replace", disk_replace_file(disk, "/d/a", "other", 5, NULL), 0);
    EXPECT_TRUE("durable", sim_disk_is_durable(sim, "/d/a"));
    expect_content(sim, "/d/a", "other");
    sim_disk_free(sim);
}

static void the_clock_moves_when_told(void)
{
    struct sim_clock sim;

    sim_clock_init(&sim, 5000);
    EXPECT_INT("start", clock_wall_s(&sim.clock), 5);
    sim_clock_advance_us(&sim, 1500);
    sim_clock_advance_us(&sim, 500);
    EXPECT_INT("wall", sim.clock.wall_ms(&sim.clock), 5002);
    EXPECT_U64("monotonic", clock_monotonic_us(&sim.clock), 2000);
    sim_clock_set_wall_ms(&sim, 1);
    EXPECT_INT("jump", sim.clock.wall_ms(&sim.clock), 1);
    EXPECT_U64("monotonic", clock_monotonic_us(&sim.clock), 2000);
}

TEST_LIST(TEST(synced_bytes_and_names_survive), TEST(losses_are_as_they_say),
          TEST(unsynced_writes_are_torn_and_reordered), TEST(names_without_sync_may_be_lost),
          TEST(the_power_goes_at_the_call_asked_for), TEST(a_kill_loses_nothing),
          TEST(failures_come_when_asked_for), TEST(a_failed_sync_forgets),
          TEST(the_same_seed_gives_the_same_disk), TEST(lists_and_folders),
          TEST(the_clock_moves_when_told))
