#include "os/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/check.h"

/* Larger transfers than this are cut by the kernel. */
#define TRANSFER_MAX ((size_t)1 << 30)

struct real_file {
    struct disk_file base;
    int fd;
    char *path; /* Owned; for messages. */
};

static const struct disk_ops ops;
static struct disk real_disk = {&ops};

struct disk *disk_real(void)
{
    return &real_disk;
}

static struct real_file *real_of(struct disk_file *file)
{
    return (struct real_file *)(void *)file;
}

static int fail(struct error *err, int errno_value, const char *what, const char *path)
{
    if (errno_value == EMFILE || errno_value == ENFILE)
        return error_set(err, E_IO,
                         "could not %s '%s': too many open files (raise the limit, see ulimit -n)",
                         what, path);
    return error_set_errno(err, errno_value, "could not %s '%s'", what, path);
}

static int fail_at(struct error *err, int errno_value, const char *what,
                   const struct real_file *file, uint64_t offset)
{
    return error_set_errno(err, errno_value, "could not %s '%s' at offset %llu", what, file->path,
                           (unsigned long long)offset);
}

static int open_retrying(const char *path, int flags)
{
    int fd;

    do
        fd = open(path, flags | O_CLOEXEC, 0600);
    while (fd < 0 && errno == EINTR);
    return fd;
}

static struct disk_file *wrap(int fd, const char *path)
{
    struct real_file *file = alloc_zero(sizeof(*file));

    file->base.ops = &ops;
    file->fd = fd;
    file->path = alloc_string(path);
    return &file->base;
}

static int real_open(struct disk *disk, struct disk_file **ret_file, const char *path,
                     enum disk_open_mode mode, struct error *err)
{
    static const int flags_of[] = {
        [DISK_READ] = O_RDONLY,
        [DISK_READ_WRITE] = O_RDWR,
        [DISK_CREATE] = O_RDWR | O_CREAT,
        [DISK_CREATE_NEW] = O_RDWR | O_CREAT | O_EXCL,
    };
    int fd = open_retrying(path, flags_of[mode]);

    (void)disk;
    if (fd < 0)
        return fail(err, errno, "open", path);
    *ret_file = wrap(fd, path);
    return 0;
}

static void real_close(struct disk_file *own_file)
{
    struct real_file *file = real_of(own_file);

    /* Whoever needs the bytes has synced them: a late error tells nothing. */
    (void)close(file->fd);
    free(file->path);
    free(file);
}

static int real_read(struct disk_file *base, void *ret_data, size_t len, uint64_t offset,
                     size_t *ret_len, struct error *err)
{
    struct real_file *file = real_of(base);
    uint8_t *at = ret_data;
    size_t done = 0;

    while (done < len) {
        ssize_t got =
            pread(file->fd, at + done, MIN(len - done, TRANSFER_MAX), (off_t)(offset + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_at(err, errno, "read", file, offset + done);
        if (got == 0)
            break;
        done += (size_t)got;
    }
    *ret_len = done;
    return 0;
}

static int real_write(struct disk_file *base, const void *data, size_t len, uint64_t offset,
                      struct error *err)
{
    struct real_file *file = real_of(base);
    const uint8_t *at = data;
    size_t done = 0;

    while (done < len) {
        ssize_t put =
            pwrite(file->fd, at + done, MIN(len - done, TRANSFER_MAX), (off_t)(offset + done));

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return fail_at(err, put < 0 ? errno : EIO, "write", file, offset + done);
        done += (size_t)put;
    }
    return 0;
}

static int real_size(struct disk_file *base, uint64_t *ret_len, struct error *err)
{
    struct real_file *file = real_of(base);
    struct stat st;

    if (fstat(file->fd, &st) != 0)
        return fail(err, errno, "measure", file->path);
    *ret_len = (uint64_t)st.st_size;
    return 0;
}

static int real_truncate(struct disk_file *base, uint64_t len, struct error *err)
{
    struct real_file *file = real_of(base);
    int rc;

    do
        rc = ftruncate(file->fd, (off_t)len);
    while (rc != 0 && errno == EINTR);
    return rc == 0 ? 0 : fail(err, errno, "truncate", file->path);
}

static int real_allocate(struct disk_file *base, uint64_t offset, uint64_t len, struct error *err)
{
    struct real_file *file = real_of(base);
    int rc;

    if (len == 0)
        return 0;
    do
        rc = fallocate(file->fd, 0, (off_t)offset, (off_t)len);
    while (rc != 0 && errno == EINTR);
    if (rc == 0 || errno == EOPNOTSUPP || errno == ENOSYS)
        return 0;
    return fail_at(err, errno, "set space aside in", file, offset);
}

static int real_sync(struct disk_file *base, struct error *err)
{
    struct real_file *file = real_of(base);

    /* EINVAL: this kind of file cannot be synced at all. EINTR is not retried: a
     * second sync may succeed although the first has dropped pages. */
    if (fdatasync(file->fd) != 0 && errno != EINVAL)
        return fail(err, errno, "sync", file->path);
    return 0;
}

static void real_advise(struct disk_file *base, uint64_t offset, uint64_t len, bool want)
{
    (void)posix_fadvise(real_of(base)->fd, (off_t)offset, (off_t)len,
                        want ? POSIX_FADV_WILLNEED : POSIX_FADV_DONTNEED);
}

static int real_rename(struct disk *disk, const char *from, const char *to, struct error *err)
{
    (void)disk;
    if (rename(from, to) != 0)
        return error_set_errno(err, errno, "could not rename '%s' to '%s'", from, to);
    return 0;
}

static int real_remove(struct disk *disk, const char *path, struct error *err)
{
    (void)disk;
    if (remove(path) != 0)
        return fail(err, errno, "remove", path);
    return 0;
}

static int real_sync_folder(struct disk *disk, const char *path, struct error *err)
{
    int fd = open_retrying(path, O_RDONLY | O_DIRECTORY);
    int rc = 0;

    (void)disk;
    if (fd < 0)
        return fail(err, errno, "open folder", path);
    if (fsync(fd) != 0 && errno != EINVAL)
        rc = fail(err, errno, "sync folder", path);
    (void)close(fd);
    return rc;
}

/* One level: the parent is there. */
static int make_one(struct disk *disk, const char *path, struct error *err)
{
    struct stat st;
    char *parent;
    int errno_value;
    int rc;

    if (mkdir(path, 0700) == 0) {
        parent = disk_folder_of(path);
        rc = real_sync_folder(disk, parent, err);
        free(parent);
        return rc;
    }
    errno_value = errno;
    if (errno_value == ENOENT) /* A parent is missing: the caller's turn. */
        return E_NOT_FOUND;
    if (stat(path, &st) == 0)
        return S_ISDIR(st.st_mode)
                   ? 0
                   : error_set(err, E_EXISTS, "could not make folder '%s': a file has that name",
                               path);
    return fail(err, errno_value, "make folder", path);
}

static int real_make_folder(struct disk *disk, const char *path, struct error *err)
{
    size_t len = strlen(path);
    char *part = alloc_string(path);
    int rc;

    while (len > 1 && part[len - 1] == '/')
        part[--len] = '\0';
    rc = make_one(disk, part, err);
    if (rc != E_NOT_FOUND)
        goto done;
    for (size_t i = 1; i <= len; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        part[i] = '\0';
        rc = make_one(disk, part, err);
        if (rc == E_NOT_FOUND)
            rc = fail(err, ENOENT, "make folder", part);
        if (rc < 0)
            break;
        if (i < len)
            part[i] = '/';
    }
done:
    free(part);
    return rc;
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct disk_entry *)a)->name, ((const struct disk_entry *)b)->name);
}

static int real_list(struct disk *disk, const char *path, struct disk_entry **ret_entries,
                     size_t *ret_n, struct error *err)
{
    DIR *folder = opendir(path);
    struct disk_entry *entries = NULL;
    struct dirent *found;
    size_t n = 0;
    size_t capacity = 0;
    int rc = 0;

    (void)disk;
    if (folder == NULL)
        return fail(err, errno, "open folder", path);
    while (errno = 0, (found = readdir(folder)) != NULL) {
        struct stat st;

        if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0)
            continue;
        if (fstatat(dirfd(folder), found->d_name, &st, 0) != 0)
            continue; /* Gone meanwhile, or a link to nowhere. */
        if (n == capacity) {
            capacity = capacity * 2 + 16;
            entries = realloc_array(entries, capacity, sizeof(*entries));
        }
        entries[n].name = alloc_string(found->d_name);
        entries[n].is_folder = S_ISDIR(st.st_mode);
        entries[n].len = (uint64_t)st.st_size;
        n++;
    }
    if (errno != 0) {
        rc = fail(err, errno, "read folder", path);
        disk_entries_free(entries, n);
        goto done;
    }
    if (n > 0)
        qsort(entries, n, sizeof(*entries), compare_entries);
    *ret_entries = entries;
    *ret_n = n;
done:
    (void)closedir(folder);
    return rc;
}

static int real_stat(struct disk *disk, const char *path, struct disk_entry *ret_entry,
                     struct error *err)
{
    struct stat st;

    (void)disk;
    if (stat(path, &st) != 0)
        return fail(err, errno, "find", path);
    *ret_entry =
        (struct disk_entry){NULL, S_ISDIR(st.st_mode), (uint64_t)st.st_size, (int64_t)st.st_mtime};
    return 0;
}

/* A lock of the open file rather than of the process: it meets the process locks
 * that Bitcoin Core takes on the same name, holds against a second open in this
 * process, and survives fork. */
static int lock_fd(int fd)
{
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(fd, F_OFD_SETLK, &range) == 0)
        return 0;
    if (errno != EINVAL)
        return errno;
    return fcntl(fd, F_SETLK, &range) == 0 ? 0 : errno; /* A kernel without the former. */
}

static int real_lock(struct disk *disk, struct disk_file **ret_file, const char *path,
                     struct error *err)
{
    int fd = open_retrying(path, O_RDWR | O_CREAT);
    int errno_value;

    (void)disk;
    if (fd < 0)
        return fail(err, errno, "open lock file", path);
    errno_value = lock_fd(fd);
    if (errno_value == 0) {
        *ret_file = wrap(fd, path);
        return 0;
    }
    (void)close(fd);
    if (errno_value == EAGAIN || errno_value == EACCES)
        return error_set(err, E_LOCKED, "could not lock '%s': in use by another process", path);
    return fail(err, errno_value, "lock", path);
}

static int real_free_space(struct disk *disk, const char *path, uint64_t *ret_bytes,
                           struct error *err)
{
    struct statvfs st;

    (void)disk;
    if (statvfs(path, &st) != 0)
        return fail(err, errno, "measure the free space of", path);
    *ret_bytes = (uint64_t)st.f_bavail * st.f_frsize;
    return 0;
}

static const struct disk_ops ops = {
    .open = real_open,
    .close = real_close,
    .read = real_read,
    .write = real_write,
    .size = real_size,
    .truncate = real_truncate,
    .allocate = real_allocate,
    .sync = real_sync,
    .advise = real_advise,
    .rename = real_rename,
    .remove = real_remove,
    .make_folder = real_make_folder,
    .sync_folder = real_sync_folder,
    .list = real_list,
    .stat = real_stat,
    .lock = real_lock,
    .free_space = real_free_space,
};
