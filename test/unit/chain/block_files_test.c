#include <stdlib.h>

#include "base/alloc.h"
#include "chain/block_files.h"
#include "crypto/sha256.h"
#include "os/thread.h"
#include "sim_disk.h"
#include "test.h"

static const uint8_t magic[4] = {0xfa, 0xbf, 0xb5, 0xda};

static struct block_files_options options_of(struct sim_disk *sim)
{
    struct block_files_options options = {
        .disk = sim_disk_disk(sim),
        .folder = "/b/blocks",
        .fast_prune = true,
        .use_xor = true,
    };

    memcpy(options.magic, magic, sizeof(magic));
    return options;
}

static struct block_files *must_open(struct sim_disk *sim)
{
    struct block_files_options options = options_of(sim);
    struct block_files *files;
    struct error err = {0};

    if (block_files_open(&files, &options, &err) < 0)
        (void)printf("%s\n", error_text(&err));
    return files;
}

/* Block i and its undo: bytes that follow from i. */
static void make_bytes(struct buf *buf, uint64_t i, bool is_undo)
{
    uint64_t len = (is_undo ? 1 : 81) + (i * 2654435761U) % (i % 13 == 0 ? 20000 : 900);
    uint64_t x = i * 2 + is_undo;

    buf->len = 0;
    for (uint64_t k = 0; k < len; k++) {
        x = x * 6364136223846793005U + 1442695040888963407U;
        buf_add_byte(buf, (uint8_t)(x >> 56));
    }
}

static struct block_hash prev_of(uint64_t i)
{
    struct block_hash hash = {{0}};

    put_le64(hash.b, i);
    return hash;
}

struct stored {
    struct block_pos block;
    struct block_pos undo;
};

static int add(struct block_files *files, uint64_t i, struct stored *ret_stored, struct error *err)
{
    struct block_hash prev = prev_of(i);
    struct buf bytes = {0};
    int rc;

    make_bytes(&bytes, i, false);
    rc = block_files_add(files, &ret_stored->block, span_of_buf(&bytes), (int32_t)i, 1000 + i, err);
    if (rc == 0) {
        make_bytes(&bytes, i, true);
        rc = block_files_add_undo(files, &ret_stored->undo, ret_stored->block.file,
                                  span_of_buf(&bytes), &prev, (int32_t)i, err);
    }
    buf_clear(&bytes);
    return rc;
}

static bool is_there(struct block_files *files, uint64_t i, const struct stored *stored,
                     struct error *err)
{
    struct block_hash prev = prev_of(i);
    struct buf want = {0};
    struct buf got = {0};
    bool good;

    make_bytes(&want, i, false);
    good = block_files_read(files, &got, stored->block, err) == 0 &&
           span_equal(span_of_buf(&want), span_of_buf(&got));
    make_bytes(&want, i, true);
    got.len = 0;
    good = good && block_files_read_undo(files, &got, stored->undo, &prev, err) == 0 &&
           span_equal(span_of_buf(&want), span_of_buf(&got));
    buf_clear(&want);
    buf_clear(&got);
    return good;
}

static void what_is_added_is_read(void)
{
    enum { N = 600 };
    static struct stored stored[N];

    for (int use_xor = 0; use_xor < 2; use_xor++) {
        struct sim_disk *sim = sim_disk_new(1);
        struct block_files_options options = options_of(sim);
        struct block_files *files;
        struct error err = {0};
        uint64_t used = 0;
        uint32_t blocks_n = 0;

        options.use_xor = use_xor;
        EXPECT_INT("open", block_files_open(&files, &options, &err), 0);
        EXPECT_TRUE("key", (get_le64(block_files_key(files)) != 0) == use_xor);
        for (uint64_t i = 0; i < N; i++)
            EXPECT_INT("add", add(files, i, &stored[i], &err), 0);
        for (uint64_t i = 0; i < N; i++)
            EXPECT_TRUE("read", is_there(files, i, &stored[i], &err));
        EXPECT_TRUE("several files", block_files_count(files) > 5);
        EXPECT_TRUE("grown", block_files_take_grown(files));
        EXPECT_TRUE("grown once", !block_files_take_grown(files));
        for (int32_t file = 0; file < block_files_count(files); file++) {
            const struct block_file_info *info = block_files_info(files, file);
            bool is_last = file + 1 == block_files_count(files);

            EXPECT_TRUE("size", info->size < BLOCK_FILE_BYTES_MAX_FAST);
            EXPECT_U64("height", info->height_first, blocks_n);
            blocks_n += info->blocks_n;
            EXPECT_U64("height", info->height_last, blocks_n - 1);
            EXPECT_U64("time", info->time_last, 1000 + blocks_n - 1);
            used += info->size + info->undo_size;
            for (int is_undo = 0; is_undo < 2; is_undo++) {
                char *path = block_files_path(files, file, is_undo);
                struct disk_entry entry = {0};

                EXPECT_INT("stat", disk_stat(options.disk, path, &entry, &err), 0);
                EXPECT_U64(path, entry.len,
                           is_last   ? (is_undo ? 1U << 20 : (info->size + 16383U) / 16384 * 16384)
                           : is_undo ? info->undo_size
                                     : info->size);
                free(path);
            }
        }
        EXPECT_U64("blocks", blocks_n, N);
        EXPECT_U64("used", block_files_used_bytes(files), used);
        block_files_close(files);
        sim_disk_free(sim);
    }
}

/* The bytes of both files, against the format as written down in the header. */
static void the_format_is_cores(void)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct block_files_options options = options_of(sim);
    struct block_hash prev = prev_of(77);
    struct block_pos pos;
    struct block_files *files;
    struct error err = {0};
    struct buf got = {0};
    struct buf want = {0};
    uint8_t sum[32];

    options.use_xor = false;
    options.fast_prune = false;
    EXPECT_INT("open", block_files_open(&files, &options, &err), 0);
    for (int i = 0; i < 2; i++)
        EXPECT_INT("add", block_files_add(files, &pos, span_of_string("a block"), i, 1, &err), 0);
    EXPECT_U64("pos", pos.offset, 8 + 7 + 8);
    EXPECT_INT("undo", block_files_add_undo(files, &pos, 0, span_of_string("undo"), &prev, 1, &err),
               0);
    EXPECT_U64("pos", pos.offset, 8);
    CHECK(sim_disk_peek(sim, "/b/blocks/blk00000.dat", &got));
    EXPECT_U64("16 MiB at once", got.len, 16 << 20);
    EXPECT_BYTES("blk", got.data, 30,
                 "\xfa\xbf\xb5\xda\7\0\0\0a block"
                 "\xfa\xbf\xb5\xda\7\0\0\0a block",
                 30);
    got.len = 0;
    CHECK(sim_disk_peek(sim, "/b/blocks/rev00000.dat", &got));
    EXPECT_U64("1 MiB at once", got.len, 1 << 20);
    buf_add(&want, prev.b, 32);
    buf_add_string(&want, "undo");
    sha256d(sum, want.data, want.len);
    EXPECT_BYTES("rev", got.data, 12, "\xfa\xbf\xb5\xda\4\0\0\0undo", 12);
    EXPECT_BYTES("sum", got.data + 12, 32, sum, 32);
    EXPECT_INT("empty", block_files_add(files, &pos, span_of(NULL, 0), 1, 1, &err), E_LIMIT);
    EXPECT_INT("too long", block_files_add(files, &pos, span_of(got.data, 4000001), 1, 1, &err),
               E_LIMIT);
    block_files_close(files);
    buf_clear(&got);
    buf_clear(&want);
    sim_disk_free(sim);
}

static void the_key_follows_cores_rules(void)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct disk *disk = sim_disk_disk(sim);
    struct block_files_options options = options_of(sim);
    struct block_files *files;
    struct error err = {0};
    uint8_t key[8];
    struct disk_file *lock;

    CHECK(disk_make_folder(disk, "/b/blocks", NULL) == 0);
    CHECK(disk_lock(disk, &lock, "/b/blocks/.lock", NULL) == 0);
    files = must_open(sim);
    memcpy(key, block_files_key(files), 8);
    EXPECT_TRUE("a hidden file does not count", get_le64(key) != 0);
    block_files_close(files);
    options.use_xor = false;
    EXPECT_INT("cannot be switched off", block_files_open(&files, &options, &err), E_STATE);
    files = must_open(sim);
    EXPECT_BYTES("stays", block_files_key(files), 8, key, 8);
    block_files_close(files);

    CHECK(disk_remove(disk, "/b/blocks/xor.dat", NULL) == 0);
    CHECK(disk_replace_file(disk, "/b/blocks/blk00000.dat", "x", 1, NULL) == 0);
    files = must_open(sim);
    EXPECT_U64("a folder in use gets none", get_le64(block_files_key(files)), 0);
    block_files_close(files);
    CHECK(disk_replace_file(disk, "/b/blocks/xor.dat", "12345678", 8, NULL) == 0);
    options.use_xor = true;
    EXPECT_INT("open", block_files_open(&files, &options, &err), 0);
    EXPECT_BYTES("taken", block_files_key(files), 8, "12345678", 8);
    block_files_close(files);
    CHECK(disk_replace_file(disk, "/b/blocks/xor.dat", "1234567", 7, NULL) == 0);
    EXPECT_INT("short", block_files_open(&files, &options, &err), E_TRUNCATED);
    disk_close(lock);
    sim_disk_free(sim);
}

static void xor_is_the_same_at_every_offset(void)
{
    static const uint8_t key[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint8_t data[100];

    for (uint64_t offset = 0; offset < 20; offset++) {
        for (size_t len = 0; len < 40; len++) {
            memset(data, 0, sizeof(data));
            block_files_xor(key, offset, data + len % 3, len);
            for (size_t i = 0; i < len; i++)
                EXPECT_U64("byte", data[len % 3 + i], key[(offset + i) % 8]);
            EXPECT_U64("no further", data[len % 3 + len], 0);
        }
    }
}

static void damage_is_found(void)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct block_files *files = must_open(sim);
    struct block_hash prev = prev_of(3);
    struct error err = {0};
    struct stored stored = {0};
    struct buf buf = {0};
    uint32_t undo_len;

    EXPECT_INT("add", add(files, 3, &stored, &err), 0);
    EXPECT_INT("add", block_files_read_undo(files, &buf, stored.undo, &prev, &err), 0);
    undo_len = (uint32_t)buf.len;
    buf.len = 0;
    for (uint32_t at = 0; at < 8 + undo_len + 32; at++) {
        CHECK(sim_disk_flip(sim, "/b/blocks/rev00000.dat", at, 0x10));
        EXPECT_INT("undo", block_files_read_undo(files, &buf, stored.undo, &prev, &err), E_CORRUPT);
        EXPECT_TRUE("names the file", strstr(error_text(&err), "rev00000.dat") != NULL);
        EXPECT_U64("nothing added", buf.len, 0);
        CHECK(sim_disk_flip(sim, "/b/blocks/rev00000.dat", at, 0x10));
    }
    prev.b[0] ^= 1;
    EXPECT_INT("of another block", block_files_read_undo(files, &buf, stored.undo, &prev, &err),
               E_CORRUPT);
    CHECK(sim_disk_flip(sim, "/b/blocks/blk00000.dat", 2, 1));
    EXPECT_INT("magic", block_files_read(files, &buf, stored.block, &err), E_CORRUPT);
    CHECK(sim_disk_flip(sim, "/b/blocks/blk00000.dat", 2, 1));
    EXPECT_INT("part", block_files_read_part(files, &buf, stored.block, 1, 2, &err), 0);
    EXPECT_U64("part", buf.len, 2);
    EXPECT_INT("no part", block_files_read_part(files, &buf, stored.block, 1, 0, &err), E_LIMIT);
    EXPECT_INT("over", block_files_read_part(files, &buf, stored.block, 1, 1 << 20, &err), E_LIMIT);
    EXPECT_INT("nowhere", block_files_read(files, &buf, BLOCK_POS_NONE, &err), E_NOT_FOUND);
    EXPECT_INT("past the end", block_files_read(files, &buf, (struct block_pos){0, 1 << 30}, &err),
               E_CORRUPT);
    EXPECT_INT("remove", block_files_remove(files, 0, &err), 0);
    EXPECT_INT("again", block_files_remove(files, 0, &err), 0);
    EXPECT_INT("gone", block_files_read(files, &buf, stored.block, &err), E_NOT_FOUND);
    EXPECT_U64("forgotten", block_files_used_bytes(files), 0);
    block_files_close(files);
    buf_clear(&buf);
    sim_disk_free(sim);
}

/* Files of another program: blocks go behind what is there, undo data that is there
 * is used, and not one byte of them changes. */
static void foreign_files_stay_as_they_are(void)
{
    enum { N = 40, MORE = 60 };
    static struct stored theirs[N];
    static struct stored ours[N + MORE];

    for (int tail = 0; tail < 3; tail++) { /* None, zeros, garbage. */
        struct sim_disk *sim = sim_disk_new(1);
        struct block_files *files = must_open(sim);
        struct disk *disk = sim_disk_disk(sim);
        struct error err = {0};
        struct buf before[2] = {{0}, {0}};
        struct buf after = {0};
        uint32_t reused = 0;

        for (uint64_t i = 0; i < N; i++)
            CHECK(add(files, i, &theirs[i], &err) == 0);
        CHECK(block_files_count(files) == 1);
        for (int is_undo = 0; is_undo < 2; is_undo++) {
            char *path = block_files_path(files, 0, is_undo);
            uint32_t used =
                is_undo ? block_files_info(files, 0)->undo_size : block_files_info(files, 0)->size;
            struct disk_file *file;

            CHECK(disk_open(disk, &file, path, DISK_READ_WRITE, &err) == 0);
            CHECK(tail == 1 || disk_truncate(file, used, &err) == 0);
            CHECK(tail < 2 || disk_write(file, "garbage", 7, used + 100, &err) == 0);
            disk_close(file);
            CHECK(sim_disk_peek(sim, path, &before[is_undo]));
            if (tail == 1)
                before[is_undo].len = used;
            free(path);
        }
        block_files_close(files);

        files = must_open(sim);
        for (uint64_t i = 0; i < N; i++) {
            struct buf bytes = {0};

            make_bytes(&bytes, i, false);
            block_files_add_known(files, theirs[i].block, (uint32_t)bytes.len, (int32_t)i, i);
            buf_clear(&bytes);
        }
        for (uint64_t k = 0; k < N; k++) {
            uint64_t i = (k * 7) % N; /* Any order will do. */
            struct block_hash prev = prev_of(i);
            struct buf bytes = {0};

            make_bytes(&bytes, i, true);
            ours[i].block = theirs[i].block;
            CHECK(block_files_add_undo(files, &ours[i].undo, 0, span_of_buf(&bytes), &prev,
                                       (int32_t)i, &err) == 0);
            reused += ours[i].undo.offset == theirs[i].undo.offset;
            buf_clear(&bytes);
        }
        EXPECT_U64("undo used as it is", reused, N);
        for (uint64_t i = N; i < N + MORE; i++)
            EXPECT_INT("add", add(files, i, &ours[i], &err), 0);
        EXPECT_INT("sync", block_files_sync(files, &err), 0);
        for (uint64_t i = 0; i < N + MORE; i++)
            EXPECT_TRUE("read", is_there(files, i, &ours[i], &err));
        for (int is_undo = 0; is_undo < 2; is_undo++) {
            char *path = block_files_path(files, 0, is_undo);

            after.len = 0;
            CHECK(sim_disk_peek(sim, path, &after));
            EXPECT_TRUE("no shorter", after.len >= before[is_undo].len);
            EXPECT_TRUE("not a byte changed",
                        memcmp(after.data, before[is_undo].data, before[is_undo].len) == 0);
            free(path);
            buf_clear(&before[is_undo]);
        }
        buf_clear(&after);
        block_files_close(files);

        /* Without any knowledge of them: numbers that are taken are left alone. */
        files = must_open(sim);
        CHECK(add(files, 1, &ours[1], &err) == 0);
        EXPECT_TRUE("a new number", ours[1].block.file > ours[N + MORE - 1].block.file);
        block_files_close(files);
        sim_disk_free(sim);
    }
}

static void failures_are_errors(void)
{
    struct sim_disk *sim = sim_disk_new(1);
    struct block_files *files = must_open(sim);
    struct error err = {0};
    struct stored stored = {0};
    struct stored first;

    EXPECT_INT("add", add(files, 1, &first, &err), 0);
    sim_disk_set_space(sim, 1 << 20);
    for (uint64_t i = 0; i < 200; i++)
        if (add(files, 13, &stored, &err) < 0)
            break;
    EXPECT_INT("full", err.shown.code, E_NO_SPACE);
    EXPECT_TRUE("says so", strstr(error_text(&err), "disk space is too low") != NULL);
    sim_disk_set_space(sim, UINT64_MAX);
    EXPECT_INT("goes on", add(files, 2, &stored, &err), 0);
    EXPECT_TRUE("nothing lost", is_there(files, 1, &first, &err));
    EXPECT_TRUE("nothing lost", is_there(files, 2, &stored, &err));
    sim_disk_fail_call(sim, SIM_CALL_READ, 1);
    {
        struct buf buf = {0};

        EXPECT_INT("read error", block_files_read(files, &buf, first.block, &err), E_IO);
        buf_clear(&buf);
    }
    sim_disk_fail_call(sim, SIM_CALL_SYNC, 1);
    EXPECT_INT("sync", block_files_sync(files, &err), E_IO);
    EXPECT_INT("final", block_files_sync(files, &err), E_IO);
    EXPECT_INT("final", add(files, 3, &stored, &err), E_IO);
    EXPECT_INT("final", block_files_remove(files, 0, &err), E_IO);
    block_files_close(files);
    sim_disk_set_read_only(sim, true);
    files = must_open(sim);
    EXPECT_TRUE("read-only: reads", is_there(files, 1, &first, &err));
    EXPECT_INT("read-only: no writes", add(files, 1, &stored, &err), E_PERMISSION);
    block_files_close(files);
    sim_disk_free(sim);
}

/* What the block index would hold: taken at each sync, kept over crashes. */
struct index {
    struct stored stored[4000];
    uint64_t n;
    struct block_file_info info[64];
    int32_t infos_n;
};

static int claim(void *context, int32_t file, struct error *err)
{
    struct index *index = context;

    (void)err;
    CHECK(file >= index->infos_n && file < 64);
    index->info[file] = (struct block_file_info){.owns_end = true, .owns_undo_end = true};
    index->infos_n = file + 1;
    return 0;
}

static struct block_files *reopen(struct sim_disk *sim, struct index *index)
{
    struct block_files_options options = options_of(sim);
    struct block_files *files;
    struct error err = {0};

    options.claim = claim;
    options.claim_context = index;
    if (block_files_open(&files, &options, &err) < 0)
        return NULL;
    for (int32_t i = 0; i < index->infos_n; i++)
        block_files_set_info(files, i, &index->info[i]);
    return files;
}

static void commit(struct block_files *files, struct index *index, const struct index *pending)
{
    int32_t file;
    struct block_file_info info;

    memcpy(index->stored + index->n, pending->stored + index->n,
           (pending->n - index->n) * sizeof(pending->stored[0]));
    index->n = pending->n;
    while (block_files_next_changed(files, &file, &info))
        index->info[file] = info;
}

static void a_crash_at_any_call_loses_nothing_synced(void)
{
    static struct index index;
    static struct index pending;
    uint64_t crashes = 0;

    for (uint64_t seed = 0; seed < 12; seed++) {
        struct sim_disk *sim = sim_disk_new(seed);
        struct error err = {0};

        memset(&index, 0, sizeof(index));
        for (uint64_t n = 1; n < 36; n++) {
            struct block_files *files;

            sim_disk_crash_after(sim, n);
            files = reopen(sim, &index);
            pending.n = index.n;
            for (uint64_t step = 0; files != NULL && step < 40; step++) {
                if (add(files, pending.n, &pending.stored[pending.n], &err) < 0)
                    break;
                pending.n++;
                if (step % 5 == seed % 5) {
                    if (block_files_sync(files, &err) < 0)
                        break;
                    commit(files, &index, &pending);
                }
            }
            crashes += sim_disk_is_off(sim);
            block_files_close(files);
            sim_disk_power_on(sim);
            files = reopen(sim, &index);
            EXPECT_TRUE("opens again", files != NULL);
            for (uint64_t i = 0; files != NULL && i < index.n; i++)
                EXPECT_TRUE("synced and there", is_there(files, i, &index.stored[i], &err));
            block_files_close(files);
        }
        EXPECT_TRUE("it went forward", index.n > 100);
        sim_disk_free(sim);
    }
    EXPECT_TRUE("there were crashes", crashes > 300);
}

struct syncing {
    struct block_files *files;
    atomic_bool is_over;
    int rc;
};

static void sync_on(void *context)
{
    struct syncing *syncing = context;

    while (!atomic_load(&syncing->is_over) && syncing->rc == 0)
        syncing->rc = block_files_sync(syncing->files, NULL);
}

static void another_thread_may_sync(void)
{
    enum { N = 1500 };
    static struct stored stored[N];
    struct sim_disk *sim = sim_disk_new(1);
    struct syncing syncing = {.files = must_open(sim)};
    struct thread thread;
    struct error err = {0};

    CHECK(thread_start(&thread, "sync", sync_on, &syncing, &err) == 0);
    for (uint64_t i = 0; i < N; i++)
        CHECK(add(syncing.files, i, &stored[i], &err) == 0);
    atomic_store(&syncing.is_over, true);
    thread_join(&thread);
    EXPECT_INT("sync", syncing.rc, 0);
    EXPECT_INT("sync", block_files_sync(syncing.files, &err), 0);
    {
        uint64_t ops = sim_disk_ops(sim);

        EXPECT_INT("nothing to sync", block_files_sync(syncing.files, &err), 0);
        EXPECT_U64("nothing done", sim_disk_ops(sim), ops);
    }
    sim_disk_set_loss(sim, SIM_LOSS_ALL);
    sim_disk_power_on(sim);
    for (uint64_t i = 0; i < N; i++)
        EXPECT_TRUE("durable", is_there(syncing.files, i, &stored[i], &err));
    block_files_close(syncing.files);
    sim_disk_free(sim);
}

TEST_LIST(TEST(what_is_added_is_read), TEST(the_format_is_cores), TEST(the_key_follows_cores_rules),
          TEST(xor_is_the_same_at_every_offset), TEST(damage_is_found),
          TEST(foreign_files_stay_as_they_are), TEST(failures_are_errors),
          TEST(a_crash_at_any_call_loses_nothing_synced), TEST(another_thread_may_sync))
