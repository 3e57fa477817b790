/* Sorted runs: what was written is found, and a flipped byte anywhere is told. */
#include "store/run.h"

#include "base/alloc.h"
#include "sim_disk.h"
#include "test.h"

#define RECORDS_N 3000U
#define KEY_BYTES 12U

/* Hashes rise; some agree in their first half, as at a block's border. */
static uint64_t hash_of(uint32_t i)
{
    return (uint64_t)(i / 3) * 0x0005000000000000 + i % 3;
}

static struct span body_of(uint32_t i, uint8_t *room)
{
    size_t len = i % 611 == 5 ? 5000 + i : KEY_BYTES + i % 400;

    for (size_t k = 0; k < len; k++)
        room[k] = (uint8_t)(i * 7 + k * 13);
    put_be64(room, i);
    put_be32(room + 8, ~i);
    return span_of(room, len);
}

static uint64_t write_run(struct disk *disk)
{
    struct run_writer_options options = {.disk = disk,
                                         .path = "r.run",
                                         .id = 9,
                                         .records_n_max = RECORDS_N,
                                         .filter_bytes_max = 1 << 20};
    static uint8_t room[RUN_BODY_BYTES_MAX];
    struct run_writer *writer = NULL;
    struct error err = {0};
    uint64_t file_bytes;

    CHECK(run_writer_new(&writer, &options, &err) == 0);
    for (uint32_t i = 0; i < RECORDS_N; i++)
        CHECK(run_writer_add(writer, hash_of(i), body_of(i, room), &err) == 0);
    CHECK(run_writer_finish(writer, &file_bytes, &err) == 0);
    run_writer_free(writer);
    return file_bytes;
}

static int open_run(struct disk *disk, uint64_t file_bytes, struct run **ret_run, struct error *err)
{
    struct run_open_options options = {
        .disk = disk, .path = "r.run", .id = 9, .file_bytes = file_bytes, .want_filter = true};

    return run_open(ret_run, &options, err);
}

static void written_is_found(void)
{
    struct sim_disk *sim = sim_disk_new(1);
    uint64_t file_bytes = write_run(sim_disk_disk(sim));
    static uint8_t room[RUN_BODY_BYTES_MAX];
    struct buf scratch = {0};
    struct error err = {0};
    struct run_walk *walk;
    struct run *run = NULL;
    struct span got;
    size_t passed_n = 0;

    CHECK(open_run(sim_disk_disk(sim), file_bytes, &run, &err) == 0);
    EXPECT_U64("records", run_records_n(run), RECORDS_N);
    walk = run_walk_new(run, 3 * RUN_BLOCK_BYTES);
    for (uint32_t i = 0; i < RECORDS_N; i++) {
        struct span want = body_of(i, room);

        EXPECT_TRUE("filter", run_may_have(run, hash_of(i)));
        EXPECT_INT("find",
                   run_find(run, &got, hash_of(i), span_of(want.data, KEY_BYTES), &scratch, &err),
                   1);
        EXPECT_TRUE("found", span_equal(got, want));
        EXPECT_INT("walk", run_walk_next(walk, &got, &err), 1);
        EXPECT_TRUE("walked", span_equal(got, want));
        room[11] ^= 1;
        EXPECT_INT("absent",
                   run_find(run, &got, hash_of(i), span_of(want.data, KEY_BYTES), &scratch, &err),
                   0);
        passed_n += run_may_have(run, hash_of(i) + 0x123456789);
    }
    EXPECT_INT("end", run_walk_next(walk, &got, &err), 0);
    EXPECT_TRUE("the filter filters", passed_n < RECORDS_N / 20);
    run_walk_free(walk);
    run_unref(run);
    buf_clear(&scratch);
    sim_disk_free(sim);
}

/* 0 or what reading everything ends with. */
static int read_all(struct disk *disk, uint64_t file_bytes, struct error *err)
{
    struct run *run = NULL;
    int rc = open_run(disk, file_bytes, &run, err);

    if (rc == 0) {
        struct run_walk *walk = run_walk_new(run, 8 * RUN_BLOCK_BYTES);
        struct span body;

        while ((rc = run_walk_next(walk, &body, err)) == 1)
            continue;
        run_walk_free(walk);
    }
    run_unref(run);
    return rc;
}

static void flipped_byte_is_told(void)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct disk *disk = sim_disk_disk(sim);
    uint64_t file_bytes = write_run(disk);
    struct error err = {0};

    EXPECT_INT("untouched", read_all(disk, file_bytes, &err), 0);
    for (int i = 0; i < 250; i++) {
        uint64_t at = i < 40 ? (uint64_t)i : test_random_below(file_bytes);
        uint8_t mask = (uint8_t)(1 + test_random_below(255));
        char where[64];

        CHECK(sim_disk_flip(sim, "r.run", at, mask));
        EXPECT_INT("flipped", read_all(disk, file_bytes, &err), E_CORRUPT);
        (void)snprintf(where, sizeof(where), "'r.run' is damaged at offset %" PRIu64,
                       at / RUN_BLOCK_BYTES * RUN_BLOCK_BYTES);
        if (!EXPECT_TRUE("says where", strstr(error_text(&err), where) != NULL))
            printf("%s, want %s\n", error_text(&err), where);
        CHECK(sim_disk_flip(sim, "r.run", at, mask));
    }
    EXPECT_INT("another length", read_all(disk, file_bytes - RUN_BLOCK_BYTES, &err), E_CORRUPT);
    sim_disk_free(sim);
}

static void failed_read_is_no_absence(void)
{
    struct sim_disk *sim = sim_disk_new(1);
    uint64_t file_bytes = write_run(sim_disk_disk(sim));
    static uint8_t room[RUN_BODY_BYTES_MAX];
    struct span want = body_of(77, room);
    struct buf scratch = {0};
    struct error err = {0};
    struct run *run = NULL;
    struct span got;

    CHECK(open_run(sim_disk_disk(sim), file_bytes, &run, &err) == 0);
    sim_disk_fail_call(sim, SIM_CALL_READ, 1);
    EXPECT_INT("read fails",
               run_find(run, &got, hash_of(77), span_of(want.data, KEY_BYTES), &scratch, &err),
               E_IO);
    EXPECT_INT("and then not",
               run_find(run, &got, hash_of(77), span_of(want.data, KEY_BYTES), &scratch, &err), 1);
    run_unref(run);
    buf_clear(&scratch);
    sim_disk_free(sim);
}

TEST_LIST(TEST(written_is_found), TEST(flipped_byte_is_told), TEST(failed_read_is_no_absence))
