#include "os/disk.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/check.h"

int disk_open(struct disk *disk, struct disk_file **ret_file, const char *path,
              enum disk_open_mode mode, struct error *err)
{
    return disk->ops->open(disk, ret_file, path, mode, err);
}

void disk_close(struct disk_file *own_file)
{
    if (own_file != NULL)
        own_file->ops->close(own_file);
}

int disk_read(struct disk_file *file, void *ret_data, size_t len, uint64_t offset, size_t *ret_len,
              struct error *err)
{
    return file->ops->read(file, ret_data, len, offset, ret_len, err);
}

int disk_read_exact(struct disk_file *file, void *ret_data, size_t len, uint64_t offset,
                    struct error *err)
{
    size_t got;
    int rc = file->ops->read(file, ret_data, len, offset, &got, err);

    if (rc < 0)
        return rc;
    if (got != len)
        return error_set(err, E_TRUNCATED,
                         "file ends %zu bytes short of the %zu expected at offset %llu", len - got,
                         len, (unsigned long long)offset);
    return 0;
}

int disk_write(struct disk_file *file, const void *data, size_t len, uint64_t offset,
               struct error *err)
{
    return file->ops->write(file, data, len, offset, err);
}

int disk_size(struct disk_file *file, uint64_t *ret_len, struct error *err)
{
    return file->ops->size(file, ret_len, err);
}

int disk_truncate(struct disk_file *file, uint64_t len, struct error *err)
{
    return file->ops->truncate(file, len, err);
}

int disk_allocate(struct disk_file *file, uint64_t offset, uint64_t len, struct error *err)
{
    return file->ops->allocate(file, offset, len, err);
}

int disk_sync(struct disk_file *file, struct error *err)
{
    return file->ops->sync(file, err);
}

void disk_advise(struct disk_file *file, uint64_t offset, uint64_t len, bool want)
{
    file->ops->advise(file, offset, len, want);
}

int disk_rename(struct disk *disk, const char *from, const char *to, struct error *err)
{
    return disk->ops->rename(disk, from, to, err);
}

int disk_remove(struct disk *disk, const char *path, struct error *err)
{
    return disk->ops->remove(disk, path, err);
}

int disk_make_folder(struct disk *disk, const char *path, struct error *err)
{
    return disk->ops->make_folder(disk, path, err);
}

int disk_sync_folder(struct disk *disk, const char *path, struct error *err)
{
    return disk->ops->sync_folder(disk, path, err);
}

int disk_list(struct disk *disk, const char *path, struct disk_entry **ret_entries, size_t *ret_n,
              struct error *err)
{
    return disk->ops->list(disk, path, ret_entries, ret_n, err);
}

void disk_entries_free(struct disk_entry *own_entries, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(own_entries[i].name);
    free(own_entries);
}

int disk_stat(struct disk *disk, const char *path, struct disk_entry *ret_entry, struct error *err)
{
    return disk->ops->stat(disk, path, ret_entry, err);
}

int disk_lock(struct disk *disk, struct disk_file **ret_file, const char *path, struct error *err)
{
    return disk->ops->lock(disk, ret_file, path, err);
}

int disk_free_space(struct disk *disk, const char *path, uint64_t *ret_bytes, struct error *err)
{
    return disk->ops->free_space(disk, path, ret_bytes, err);
}

char *disk_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder;

    if (slash == NULL)
        return alloc_string(".");
    if (slash == path)
        return alloc_string("/");
    folder = alloc((size_t)(slash - path) + 1);
    memcpy(folder, path, (size_t)(slash - path));
    folder[slash - path] = '\0';
    return folder;
}

int disk_read_file(struct disk *disk, struct buf *buf, const char *path, size_t len_max,
                   struct error *err)
{
    struct disk_file *file = NULL;
    size_t len_before = buf->len;
    uint64_t len;
    int rc;

    rc = disk_open(disk, &file, path, DISK_READ, err);
    if (rc < 0)
        return rc;
    rc = disk_size(file, &len, err);
    if (rc < 0)
        goto done;
    if (len > len_max) {
        rc = error_set(err, E_LIMIT, "'%s' has %llu bytes, more than the %zu allowed", path,
                       (unsigned long long)len, len_max);
        goto done;
    }
    rc = disk_read_exact(file, buf_extend(buf, (size_t)len), (size_t)len, 0, err);
    if (rc < 0)
        error_wrap(err, "could not read '%s'", path);
done:
    if (rc < 0)
        buf->len = len_before;
    disk_close(file);
    return rc;
}

int disk_replace_file(struct disk *disk, const char *path, const void *data, size_t len,
                      struct error *err)
{
    char *path_new = alloc_printf("%s.new", path);
    char *folder = disk_folder_of(path);
    struct disk_file *file = NULL;
    bool is_made = false;
    int rc;

    rc = disk_open(disk, &file, path_new, DISK_CREATE, err);
    if (rc < 0)
        goto done;
    is_made = true;
    rc = disk_truncate(file, 0, err); /* One left behind by a crash. */
    if (rc < 0)
        goto done;
    rc = disk_write(file, data, len, 0, err);
    if (rc < 0)
        goto done;
    rc = disk_sync(file, err);
    if (rc < 0)
        goto done;
    disk_close(file);
    file = NULL;
    rc = disk_rename(disk, path_new, path, err);
    if (rc < 0)
        goto done;
    is_made = false;
    rc = disk_sync_folder(disk, folder, err);

done:
    disk_close(file);
    if (rc < 0 && is_made)
        (void)disk->ops->remove(disk, path_new, NULL);
    if (rc < 0)
        error_wrap(err, "could not replace '%s'", path);
    free(folder);
    free(path_new);
    return rc;
}
