#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/disk.h"
#include "test.h"

static char *in_folder(const char *folder, const char *name)
{
    return alloc_printf("%s/%s", folder, name);
}

static void what_is_written_is_read(void)
{
    struct disk *disk = disk_real();
    char *path = in_folder(test_folder(), "a");
    struct disk_file *file = NULL;
    struct error err = {0};
    uint8_t back[8];
    size_t got;
    uint64_t len;

    EXPECT_INT("missing", disk_open(disk, &file, path, DISK_READ_WRITE, &err), E_NOT_FOUND);
    EXPECT_TRUE("names the file", strstr(error_text(&err), path) != NULL);
    EXPECT_INT("create", disk_open(disk, &file, path, DISK_CREATE_NEW, &err), 0);
    EXPECT_INT("write", disk_write(file, "hello", 5, 3, &err), 0);
    EXPECT_INT("sync", disk_sync(file, &err), 0);
    EXPECT_INT("size", disk_size(file, &len, &err), 0);
    EXPECT_U64("size", len, 8);
    EXPECT_INT("read", disk_read(file, back, 8, 0, &got, &err), 0);
    EXPECT_BYTES("hole", back, got, "\0\0\0hello", 8);
    EXPECT_INT("short read", disk_read(file, back, 8, 6, &got, &err), 0);
    EXPECT_BYTES("short read", back, got, "lo", 2);
    EXPECT_INT("exact", disk_read_exact(file, back, 3, 6, &err), E_TRUNCATED);
    EXPECT_INT("past the end", disk_read(file, back, 8, 100, &got, &err), 0);
    EXPECT_U64("past the end", got, 0);
    EXPECT_INT("truncate", disk_truncate(file, 4, &err), 0);
    EXPECT_INT("allocate", disk_allocate(file, 4, 100, &err), 0);
    EXPECT_INT("read", disk_read(file, back, 8, 2, &got, &err), 0);
    if (got > 2)
        EXPECT_BYTES("allocated space is zero", back, got, "\0h\0\0\0\0\0\0", 8);
    disk_advise(file, 0, 8, true);
    disk_advise(file, 0, 8, false);
    disk_close(file);
    EXPECT_INT("exists", disk_open(disk, &file, path, DISK_CREATE_NEW, &err), E_EXISTS);
    EXPECT_INT("read only", disk_open(disk, &file, path, DISK_READ, &err), 0);
    EXPECT_TRUE("write to it fails", disk_write(file, "x", 1, 0, &err) < 0);
    disk_close(file);
    disk_close(NULL);
    free(path);
}

static void folders_are_made_listed_and_synced(void)
{
    struct disk *disk = disk_real();
    char *base = alloc_string(test_folder());
    char *deep = in_folder(base, "x/y//z/");
    char *file_path = in_folder(base, "x/file");
    char *below_file = in_folder(base, "x/file/y");
    struct disk_entry *entries;
    struct disk_entry entry;
    struct disk_file *file;
    struct error err = {0};
    struct stat st;
    size_t n;

    EXPECT_INT("make", disk_make_folder(disk, deep, &err), 0);
    EXPECT_INT("again", disk_make_folder(disk, deep, &err), 0);
    EXPECT_INT("mode", stat(deep, &st), 0);
    EXPECT_INT("mode", st.st_mode & 0777, 0700);
    EXPECT_INT("file", disk_open(disk, &file, file_path, DISK_CREATE, &err), 0);
    EXPECT_INT("file", disk_write(file, "abc", 3, 0, &err), 0);
    disk_close(file);
    EXPECT_INT("over a file", disk_make_folder(disk, file_path, &err), E_EXISTS);
    EXPECT_TRUE("below a file", disk_make_folder(disk, below_file, &err) < 0);
    free(deep);
    deep = in_folder(base, "x");
    EXPECT_INT("sync", disk_sync_folder(disk, deep, &err), 0);
    EXPECT_INT("list", disk_list(disk, deep, &entries, &n, &err), 0);
    EXPECT_U64("list", n, 2);
    EXPECT_STR("sorted", entries[0].name, "file");
    EXPECT_U64("len", entries[0].len, 3);
    EXPECT_TRUE("folder", !entries[0].is_folder && entries[1].is_folder);
    disk_entries_free(entries, n);
    EXPECT_INT("stat", disk_stat(disk, file_path, &entry, &err), 0);
    EXPECT_U64("stat", entry.len, 3);
    EXPECT_INT("remove", disk_remove(disk, file_path, &err), 0);
    EXPECT_INT("gone", disk_stat(disk, file_path, &entry, &err), E_NOT_FOUND);
    EXPECT_INT("remove again", disk_remove(disk, file_path, &err), E_NOT_FOUND);
    EXPECT_INT("no folder", disk_list(disk, file_path, &entries, &n, &err), E_NOT_FOUND);
    EXPECT_INT("no folder", disk_sync_folder(disk, file_path, &err), E_NOT_FOUND);
    free(below_file);
    free(file_path);
    free(deep);
    free(base);
}

static void folder_of_paths(void)
{
    static const char *const rows[][2] = {
        {"a", "."}, {"/a", "/"}, {"a/b", "a"}, {"/a/b", "/a"}, {"/a/b/", "/a/b"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *folder = disk_folder_of(rows[i][0]);

        EXPECT_STR(rows[i][0], folder, rows[i][1]);
        free(folder);
    }
}

static void whole_files_are_replaced_and_read(void)
{
    struct disk *disk = disk_real();
    char *base = alloc_string(test_folder());
    char *path = in_folder(base, "f");
    char *path_new = in_folder(base, "f.new");
    struct disk_entry entry;
    struct disk_file *file;
    struct error err = {0};
    struct buf buf = {0};

    EXPECT_INT("left behind", disk_open(disk, &file, path_new, DISK_CREATE, &err), 0);
    EXPECT_INT("left behind", disk_write(file, "longer than the rest", 20, 0, &err), 0);
    disk_close(file);
    EXPECT_INT("first", disk_replace_file(disk, path, "one", 3, &err), 0);
    EXPECT_INT("second", disk_replace_file(disk, path, "second", 6, &err), 0);
    EXPECT_INT("too long", disk_read_file(disk, &buf, path, 5, &err), E_LIMIT);
    EXPECT_U64("untouched", buf.len, 0);
    EXPECT_INT("read", disk_read_file(disk, &buf, path, 6, &err), 0);
    EXPECT_INT("appends", disk_read_file(disk, &buf, path, 6, &err), 0);
    EXPECT_BYTES("content", buf.data, buf.len, "secondsecond", 12);
    EXPECT_INT("nothing stays", disk_stat(disk, path_new, &entry, &err), E_NOT_FOUND);
    free(path_new);
    path_new = in_folder(base, "none/f");
    EXPECT_INT("no folder", disk_replace_file(disk, path_new, "x", 1, &err), E_NOT_FOUND);
    buf_clear(&buf);
    free(path_new);
    free(path);
    free(base);
}

/* The lock must hold against a second open here, against another process, and
 * against the process locks that Bitcoin Core uses. */
static void locks_exclude(void)
{
    struct disk *disk = disk_real();
    char *path = in_folder(test_folder(), ".lock");
    struct disk_file *held;
    struct disk_file *other;
    struct error err = {0};
    pid_t child;
    int status;

    EXPECT_INT("lock", disk_lock(disk, &held, path, &err), 0);
    EXPECT_INT("same process", disk_lock(disk, &other, path, &err), E_LOCKED);
    EXPECT_TRUE("says so", strstr(error_text(&err), "in use by another process") != NULL);
    child = fork();
    if (child == 0) {
        struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        int fd = open(path, O_RDWR);

        _exit(fd >= 0 && fcntl(fd, F_SETLK, &range) != 0 ? 0 : 1);
    }
    EXPECT_TRUE("waited", waitpid(child, &status, 0) == child);
    EXPECT_INT("process lock refused", status, 0);
    disk_close(held);
    EXPECT_INT("free again", disk_lock(disk, &other, path, &err), 0);
    disk_close(other);
    free(path);
}

static void limits_are_clear_errors(void)
{
    struct disk *disk = disk_real();
    char *path = in_folder(test_folder(), "a");
    struct disk_file *files[64];
    struct rlimit before;
    struct rlimit small;
    struct error err = {0};
    uint64_t bytes;
    int rc = 0;
    size_t n = 0;

    EXPECT_INT("limit", getrlimit(RLIMIT_NOFILE, &before), 0);
    small = before;
    small.rlim_cur = 32;
    EXPECT_INT("limit", setrlimit(RLIMIT_NOFILE, &small), 0);
    while (n < ARRAY_LEN(files) && rc == 0) {
        rc = disk_open(disk, &files[n], path, DISK_CREATE, &err);
        if (rc == 0)
            n++;
    }
    EXPECT_INT("limit", setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_INT("too many", rc, E_IO);
    EXPECT_TRUE("says so", strstr(error_text(&err), "too many open files") != NULL);
    while (n > 0)
        disk_close(files[--n]);
    EXPECT_INT("free space", disk_free_space(disk, path, &bytes, &err), 0);
    EXPECT_TRUE("free space", bytes > 0);
    if (access("/dev/full", W_OK) == 0) {
        EXPECT_INT("full", disk_open(disk, &files[0], "/dev/full", DISK_READ_WRITE, &err), 0);
        EXPECT_INT("full", disk_write(files[0], "x", 1, 0, &err), E_NO_SPACE);
        EXPECT_TRUE("says so", strstr(error_text(&err), "No space left") != NULL);
        disk_close(files[0]);
    }
    EXPECT_INT("read of a folder", disk_open(disk, &files[0], "/", DISK_READ, &err), 0);
    {
        uint8_t byte;
        size_t got;

        EXPECT_INT("read of a folder", disk_read(files[0], &byte, 1, 0, &got, &err), E_IO);
    }
    disk_close(files[0]);
    free(path);
}

TEST_LIST(TEST(what_is_written_is_read), TEST(folders_are_made_listed_and_synced),
          TEST(folder_of_paths), TEST(whole_files_are_replaced_and_read), TEST(locks_exclude),
          TEST(limits_are_clear_errors))
