/* The disk, behind a table of functions, so that the daemon runs on the real
 * one and the simulator on one that tears, reorders and forgets writes.
 *
 * Paths are absolute or relative to the process. Functions may be called from
 * any thread; one file's handle may be read by many threads at once, and written
 * by one. Short reads and writes are completed inside. A failed sync is final:
 * the caller must stop using the files and never retry (the kernel may have
 * dropped the pages).
 */
#ifndef OS_DISK_H
#define OS_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct disk;
struct disk_file; /* An open file. Each implementation has its own. */

enum disk_open_mode {
    DISK_READ,       /* Must exist. */
    DISK_READ_WRITE, /* Must exist. */
    DISK_CREATE,     /* Read and write; made empty if it is not there. */
    DISK_CREATE_NEW  /* Read and write; E_EXISTS if it is there. */
};

struct disk_entry {
    char *name; /* Without folder. */
    bool is_folder;
    uint64_t len;
    int64_t modified_s; /* Since 1970, from stat; 0: the disk keeps no times. */
};

struct disk_ops {
    int (*open)(struct disk *disk, struct disk_file **ret_file, const char *path,
                enum disk_open_mode mode, struct error *err);
    void (*close)(struct disk_file *own_file);
    /* Reads up to len bytes; *ret_len is less than len only at the end of the file. */
    int (*read)(struct disk_file *file, void *ret_data, size_t len, uint64_t offset,
                size_t *ret_len, struct error *err);
    int (*write)(struct disk_file *file, const void *data, size_t len, uint64_t offset,
                 struct error *err);
    int (*size)(struct disk_file *file, uint64_t *ret_len, struct error *err);
    int (*truncate)(struct disk_file *file, uint64_t len, struct error *err);
    /* Space set aside so that later writes do not fail; content reads as zeros. A
     * file system that cannot is no error. */
    int (*allocate)(struct disk_file *file, uint64_t offset, uint64_t len, struct error *err);
    /* Content and length are durable when this returns 0. */
    int (*sync)(struct disk_file *file, struct error *err);
    /* A hint: these bytes will be read soon (want) or not again. */
    void (*advise)(struct disk_file *file, uint64_t offset, uint64_t len, bool want);

    /* Replaces to if it is there. Durable after sync_folder of both folders. */
    int (*rename)(struct disk *disk, const char *from, const char *to, struct error *err);
    int (*remove)(struct disk *disk, const char *path, struct error *err);
    /* Makes the folder and its parents, mode 0700, durably; no error if it is there. */
    int (*make_folder)(struct disk *disk, const char *path, struct error *err);
    /* Names in the folder are durable when this returns 0. */
    int (*sync_folder)(struct disk *disk, const char *path, struct error *err);
    /* Sorted by name. Release with disk_entries_free. */
    int (*list)(struct disk *disk, const char *path, struct disk_entry **ret_entries, size_t *ret_n,
                struct error *err);
    /* E_NOT_FOUND or 0; ret_entry->name stays NULL. */
    int (*stat)(struct disk *disk, const char *path, struct disk_entry *ret_entry,
                struct error *err);
    /* An exclusive lock on a file (made if absent), held until close or the end
     * of the process: E_LOCKED if another holds it. */
    int (*lock)(struct disk *disk, struct disk_file **ret_file, const char *path,
                struct error *err);
    /* Bytes free for us on the file system of path. */
    int (*free_space)(struct disk *disk, const char *path, uint64_t *ret_bytes, struct error *err);
};

struct disk {
    const struct disk_ops *ops;
};

struct disk_file {
    const struct disk_ops *ops;
};

/* The machine's own disk. Static; any thread. */
struct disk *disk_real(void);

/* Thin calls, so that callers need not know the table. Contracts as above. */
NODISCARD int disk_open(struct disk *disk, struct disk_file **ret_file, const char *path,
                        enum disk_open_mode mode, struct error *err);
void disk_close(struct disk_file *own_file); /* NULL is fine. */
NODISCARD int disk_read(struct disk_file *file, void *ret_data, size_t len, uint64_t offset,
                        size_t *ret_len, struct error *err);
/* Exactly len bytes or E_TRUNCATED. */
NODISCARD int disk_read_exact(struct disk_file *file, void *ret_data, size_t len, uint64_t offset,
                              struct error *err);
NODISCARD int disk_write(struct disk_file *file, const void *data, size_t len, uint64_t offset,
                         struct error *err);
NODISCARD int disk_size(struct disk_file *file, uint64_t *ret_len, struct error *err);
NODISCARD int disk_truncate(struct disk_file *file, uint64_t len, struct error *err);
NODISCARD int disk_allocate(struct disk_file *file, uint64_t offset, uint64_t len,
                            struct error *err);
NODISCARD int disk_sync(struct disk_file *file, struct error *err);
void disk_advise(struct disk_file *file, uint64_t offset, uint64_t len, bool want);
NODISCARD int disk_rename(struct disk *disk, const char *from, const char *to, struct error *err);
NODISCARD int disk_remove(struct disk *disk, const char *path, struct error *err);
NODISCARD int disk_make_folder(struct disk *disk, const char *path, struct error *err);
NODISCARD int disk_sync_folder(struct disk *disk, const char *path, struct error *err);
NODISCARD int disk_list(struct disk *disk, const char *path, struct disk_entry **ret_entries,
                        size_t *ret_n, struct error *err);
void disk_entries_free(struct disk_entry *own_entries, size_t n);
NODISCARD int disk_stat(struct disk *disk, const char *path, struct disk_entry *ret_entry,
                        struct error *err);
NODISCARD int disk_lock(struct disk *disk, struct disk_file **ret_file, const char *path,
                        struct error *err);
NODISCARD int disk_free_space(struct disk *disk, const char *path, uint64_t *ret_bytes,
                              struct error *err);
/* The folder part of a path ("." without one). The caller's to free. */
char *disk_folder_of(const char *path);
/* A whole file appended to buf, at most len_max bytes (else E_LIMIT). On failure
 * buf is as before. */
struct buf;
NODISCARD int disk_read_file(struct disk *disk, struct buf *buf, const char *path, size_t len_max,
                             struct error *err);
/* Writes path.new, syncs it, renames it over path, syncs the folder: after a
 * crash either the old content or the new is there, whole. */
NODISCARD int disk_replace_file(struct disk *disk, const char *path, const void *data, size_t len,
                                struct error *err);

#endif /* OS_DISK_H */
