#include <stdlib.h>

#include "base/alloc.h"
#include "sim_disk.h"
#include "store/record_log.h"
#include "test.h"

#define PATH "/d/log"
#define KIND 7
#define PAYLOAD_MAX 3000

/* Record i has a content that follows from i, so that a model needs only numbers. */
static struct span payload_of(uint64_t i, uint8_t *room)
{
    size_t len = (size_t)((i * 2654435761U) % 7 == 0 ? (i * 7919) % PAYLOAD_MAX : i % 90);

    for (size_t k = 0; k < len; k++)
        room[k] = (uint8_t)(i * 31 + k * 7 + (k >> 8));
    return span_of(room, len);
}

struct replayed {
    uint64_t first; /* Number of the first record, UINT64_MAX: none yet. */
    uint64_t next;
    bool is_wrong;
};

static int on_record(void *context, uint32_t type, struct span payload, struct error *err)
{
    struct replayed *seen = context;
    uint8_t room[PAYLOAD_MAX];

    (void)err;
    if (seen->first == UINT64_MAX) {
        seen->first = type;
        seen->next = type;
    }
    seen->is_wrong |= type != seen->next || !span_equal(payload, payload_of(type, room));
    seen->next++;
    return 0;
}

static int open_log(struct sim_disk *sim, struct record_log **ret_log, struct replayed *seen,
                    struct error *err)
{
    struct record_log_options options = {
        .disk = sim_disk_disk(sim),
        .path = PATH,
        .kind = KIND,
        .record_bytes_max = PAYLOAD_MAX,
        .on_record = on_record,
        .context = seen,
    };

    *seen = (struct replayed){.first = UINT64_MAX, .next = 0};
    return record_log_open(ret_log, &options, err);
}

static int append(struct record_log *log, uint64_t i, struct error *err)
{
    uint8_t room[PAYLOAD_MAX];

    return record_log_append(log, (uint32_t)i, payload_of(i, room), err);
}

static struct sim_disk *new_sim(uint64_t seed)
{
    struct sim_disk *sim = sim_disk_new(seed);

    CHECK(disk_make_folder(sim_disk_disk(sim), "/d", NULL) == 0);
    return sim;
}

static void records_come_back(void)
{
    struct sim_disk *sim = new_sim(1);
    struct error err = {0};
    struct record_log *log;
    struct replayed seen;

    for (int round = 0; round < 3; round++) {
        if (!EXPECT_INT("open", open_log(sim, &log, &seen, &err), 0))
            break;
        EXPECT_U64("all", seen.next, (uint64_t)round * 2000);
        EXPECT_TRUE("right", !seen.is_wrong);
        EXPECT_U64("no cut", record_log_cut_bytes(log), 0);
        for (uint64_t i = 0; i < 2000; i++)
            EXPECT_INT("append", append(log, (uint64_t)round * 2000 + i, &err), 0);
        EXPECT_INT("sync", record_log_sync(log, &err), 0);
        EXPECT_INT("nothing to sync", record_log_sync(log, &err), 0);
        record_log_close(log);
    }
    EXPECT_INT("open", open_log(sim, &log, &seen, &err), 0);
    {
        uint8_t big[PAYLOAD_MAX + 1] = {0};

        EXPECT_INT("too long", record_log_append(log, 1, span_of(big, sizeof(big)), &err), E_LIMIT);
        EXPECT_INT("type", record_log_append(log, 0xffffffffU, span_of(big, 1), &err), E_LIMIT);
    }
    record_log_close(log);
    sim_disk_free(sim);
}

static void other_files_are_refused(void)
{
    struct sim_disk *sim = new_sim(2);
    struct disk *disk = sim_disk_disk(sim);
    struct error err = {0};
    struct record_log *log;
    struct replayed seen;
    struct record_log_options options = {
        .disk = disk,
        .path = PATH,
        .kind = KIND + 1,
        .record_bytes_max = 10,
        .on_record = on_record,
        .context = &seen,
    };

    EXPECT_INT("make", open_log(sim, &log, &seen, &err), 0);
    record_log_close(log);
    EXPECT_INT("kind", record_log_open(&log, &options, &err), E_CORRUPT);
    EXPECT_INT("short", disk_replace_file(disk, PATH, "ASSAYLG1", 8, &err), 0);
    EXPECT_INT("short", open_log(sim, &log, &seen, &err), E_CORRUPT);
    EXPECT_INT("text", disk_replace_file(disk, PATH, "this is no log of ours at all", 29, &err), 0);
    EXPECT_INT("text", open_log(sim, &log, &seen, &err), E_CORRUPT);
    EXPECT_TRUE("names the file", strstr(error_text(&err), PATH) != NULL);
    sim_disk_free(sim);
}

/* A run of appends, syncs and replacements. *ret_synced: records certainly durable;
 * *ret_base: the first record that must be there. */
struct run {
    uint64_t appended; /* Records handed to the log so far. */
    uint64_t synced;
    uint64_t base;
    uint64_t base_next; /* What a replacement under way would make the base. */
};

static int do_run(struct record_log *log, struct run *run, uint64_t steps, uint64_t *random)
{
    for (uint64_t step = 0; step < steps; step++) {
        int rc = 0;

        *random = *random * 6364136223846793005U + 1442695040888963407U;
        if (*random >> 60 == 0 && run->appended > 10) {
            rc = record_log_replace_start(log, NULL);
            run->base_next = run->appended - 5;
            for (uint64_t i = run->base_next; i < run->appended && rc == 0; i++)
                rc = append(log, i, NULL);
            if (rc == 0)
                rc = record_log_replace_finish(log, NULL);
            if (rc == 0) {
                run->base = run->base_next;
                run->synced = run->appended;
            }
        } else if (*random >> 62 == 1) {
            rc = record_log_sync(log, NULL);
            if (rc == 0)
                run->synced = run->appended;
        } else {
            rc = append(log, run->appended, NULL);
            run->appended += rc == 0;
        }
        if (rc < 0)
            return rc;
    }
    return 0;
}

static void expect_state(const struct replayed *seen, struct run *run)
{
    uint64_t first = seen->first == UINT64_MAX ? 0 : seen->first;

    EXPECT_TRUE("right", !seen->is_wrong);
    EXPECT_TRUE("nothing synced is lost", seen->next >= run->synced);
    EXPECT_TRUE("nothing is made up", seen->next <= run->appended);
    EXPECT_TRUE("begins where it should",
                seen->next == 0 || first == run->base || first == run->base_next);
    run->base = first;
    run->base_next = first;
    run->synced = seen->next; /* Open made them durable. */
    run->appended = seen->next;
}

/* The power goes at every call that changes the disk, over and over on one disk. */
static void a_crash_at_any_call_loses_nothing_synced(void)
{
    uint64_t crashes = 0;

    for (uint64_t seed = 0; seed < 250; seed++) {
        struct sim_disk *sim = new_sim(seed);
        uint64_t random = seed * 2 + 1;
        struct run run = {0};

        for (uint64_t n = 1; n <= 24; n++) {
            struct record_log *log = NULL;
            struct error err = {0};
            struct replayed seen;

            sim_disk_crash_after(sim, n);
            if (open_log(sim, &log, &seen, &err) == 0) {
                expect_state(&seen, &run);
                (void)do_run(log, &run, 60, &random);
            }
            EXPECT_TRUE(error_text(&err), sim_disk_is_off(sim) || log != NULL);
            crashes += sim_disk_is_off(sim);
            record_log_close(log);
            sim_disk_power_on(sim);
            if (!EXPECT_INT("open again", open_log(sim, &log, &seen, &err), 0)) {
                (void)printf("seed %" PRIu64 ": %s\n", seed, error_text(&err));
                sim_disk_free(sim);
                return;
            }
            expect_state(&seen, &run);
            record_log_close(log);
        }
        sim_disk_free(sim);
    }
    EXPECT_TRUE("there were crashes", crashes > 3000);
}

/* A killed process leaves records in the kernel that no sync has covered. The next
 * open takes them over, and the power goes while it does. */
static void a_kill_and_then_a_crash_lose_nothing_synced(void)
{
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct sim_disk *sim = new_sim(seed);
        struct run run = {0};
        struct record_log *log;
        struct replayed seen;
        struct error err = {0};

        CHECK(open_log(sim, &log, &seen, &err) == 0);
        for (; run.appended < 1500; run.appended++) {
            if (run.appended == 5) {
                CHECK(record_log_sync(log, &err) == 0);
                run.synced = 5;
            }
            CHECK(append(log, run.appended, &err) == 0);
        }
        sim_disk_kill(sim);
        record_log_close(log);
        sim_disk_crash_after(sim, 1 + seed % 5);
        if (open_log(sim, &log, &seen, &err) == 0) {
            EXPECT_TRUE("some of the unsynced are there", seen.next > 5);
            run.synced = seen.next;
            record_log_close(log);
        }
        sim_disk_power_on(sim);
        if (EXPECT_INT("open again", open_log(sim, &log, &seen, &err), 0)) {
            expect_state(&seen, &run);
            record_log_close(log);
        }
        sim_disk_free(sim);
    }
}

/* Every byte of what was synced, flipped: found, and said where. The mark behind it
 * is the one thing nobody needs. */
static void a_flipped_byte_is_found(void)
{
    for (int is_killed = 0; is_killed < 2; is_killed++) {
        struct sim_disk *sim = new_sim(9);
        struct error err = {0};
        struct record_log *log;
        struct replayed seen;
        struct disk_entry entry;

        EXPECT_INT("open", open_log(sim, &log, &seen, &err), 0);
        for (uint64_t i = 0; i < 20; i++)
            EXPECT_INT("append", append(log, i, &err), 0);
        EXPECT_INT("sync", record_log_sync(log, &err), 0);
        record_log_close(log);
        if (is_killed)
            sim_disk_kill(sim);
        EXPECT_INT("stat", disk_stat(sim_disk_disk(sim), PATH, &entry, &err), 0);
        for (uint64_t at = 0; at < entry.len - 36; at++) {
            struct buf before = {0};

            CHECK(sim_disk_peek(sim, PATH, &before));
            CHECK(sim_disk_flip(sim, PATH, at, (uint8_t)(1U << (at % 8))));
            if (!EXPECT_INT("flip", open_log(sim, &log, &seen, &err), E_CORRUPT))
                record_log_close(log);
            EXPECT_TRUE("file and offset", strstr(error_text(&err), PATH) != NULL &&
                                               strstr(error_text(&err), "offset") != NULL);
            CHECK(sim_disk_flip(sim, PATH, at, (uint8_t)(1U << (at % 8))));
            buf_clear(&before);
        }
        EXPECT_INT("whole again", open_log(sim, &log, &seen, &err), 0);
        EXPECT_U64("all", seen.next, 20);
        record_log_close(log);
        CHECK(sim_disk_flip(sim, PATH, entry.len - 1, 1));
        EXPECT_INT("mark", open_log(sim, &log, &seen, &err), 0);
        EXPECT_U64("all", seen.next, 20);
        EXPECT_U64("only the mark", record_log_cut_bytes(log), 36);
        record_log_close(log);
        sim_disk_free(sim);
    }
}

static void failures_are_final(void)
{
    static const enum sim_disk_call calls[] = {SIM_CALL_WRITE, SIM_CALL_SYNC};

    for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
        struct sim_disk *sim = new_sim(i);
        struct error err = {0};
        struct record_log *log;
        struct replayed seen;

        EXPECT_INT("open", open_log(sim, &log, &seen, &err), 0);
        EXPECT_INT("append", append(log, 0, &err), 0);
        EXPECT_INT("sync", record_log_sync(log, &err), 0);
        EXPECT_INT("append", append(log, 1, &err), 0);
        sim_disk_fail_call(sim, calls[i], 1);
        EXPECT_INT("fails", record_log_sync(log, &err), E_IO);
        EXPECT_INT("not retried", record_log_sync(log, &err), E_IO);
        EXPECT_INT("no appends", append(log, 2, &err), E_IO);
        EXPECT_INT("no replacement", record_log_replace_start(log, &err), E_IO);
        record_log_close(log);
        EXPECT_INT("open", open_log(sim, &log, &seen, &err), 0);
        EXPECT_TRUE("as synced", seen.next == 1 || seen.next == 2);
        sim_disk_set_space(sim, 10);
        EXPECT_INT("append", append(log, seen.next, &err), 0);
        EXPECT_INT("full", record_log_sync(log, &err), E_NO_SPACE);
        record_log_close(log);
        sim_disk_set_space(sim, UINT64_MAX);
        sim_disk_fail_call(sim, SIM_CALL_READ, 2);
        EXPECT_INT("read error", open_log(sim, &log, &seen, &err), E_IO);
        sim_disk_fail_call(sim, SIM_CALL_READ, 0);
        EXPECT_INT("open", open_log(sim, &log, &seen, &err), 0);
        record_log_close(log);
        sim_disk_free(sim);
    }
}

static void an_abandoned_replacement_leaves_the_log(void)
{
    struct sim_disk *sim = new_sim(3);
    struct error err = {0};
    struct record_log *log;
    struct replayed seen;
    struct disk_entry entry;

    EXPECT_INT("open", open_log(sim, &log, &seen, &err), 0);
    for (uint64_t i = 0; i < 5; i++)
        EXPECT_INT("append", append(log, i, &err), 0);
    EXPECT_INT("sync", record_log_sync(log, &err), 0);
    EXPECT_INT("start", record_log_replace_start(log, &err), 0);
    EXPECT_INT("append", append(log, 100, &err), 0);
    record_log_replace_abandon(log);
    EXPECT_INT("append", append(log, 5, &err), 0);
    EXPECT_INT("sync", record_log_sync(log, &err), 0);
    record_log_close(log);
    EXPECT_INT("gone", disk_stat(sim_disk_disk(sim), PATH ".new", &entry, &err), E_NOT_FOUND);
    EXPECT_INT("open", open_log(sim, &log, &seen, &err), 0);
    EXPECT_U64("all", seen.next, 6);
    record_log_close(log);
    sim_disk_free(sim);
}

TEST_LIST(TEST(records_come_back), TEST(other_files_are_refused),
          TEST(a_crash_at_any_call_loses_nothing_synced),
          TEST(a_kill_and_then_a_crash_lose_nothing_synced), TEST(a_flipped_byte_is_found),
          TEST(failures_are_final), TEST(an_abandoned_replacement_leaves_the_log))
