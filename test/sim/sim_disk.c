#include "sim_disk.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "os/thread.h"

#define SECTOR_BYTES 512U
#define FOLDER_NAMES_MAX 4096U

/* A change since the last sync. A truncation or an allocation has no data. */
struct change {
    uint64_t order; /* Of all changes on this disk. */
    uint64_t offset;
    uint64_t len;
    uint64_t file_len; /* After it. */
    uint8_t *data;     /* Owned; NULL: zeros from offset on. */
};

struct inode {
    struct inode *next;
    unsigned names_n; /* In use anywhere: names, changes of names, handles. */
    bool is_folder;
    bool is_locked;
    struct buf seen;    /* As programs read it. */
    struct buf platter; /* Durable. */
    struct change *changes;
    size_t changes_n;
    size_t changes_capacity;
};

struct name {
    char *path;
    struct inode *inode; /* NULL: there is no such file. */
};

/* A name set or unset and not synced; a rename is two that live or die together. */
struct name_change {
    uint64_t order;
    char *path[2];
    struct inode *inode[2];
    unsigned n;
};

struct sim_disk {
    struct disk base;
    struct mutex mutex;
    uint64_t random;
    uint64_t order;
    uint64_t boot; /* Handles of another boot are dead. */
    struct inode *inodes;
    struct name *seen;
    size_t seen_n;
    struct name *platter;
    size_t platter_n;
    struct name_change *name_changes;
    size_t name_changes_n;
    uint64_t ops;
    uint64_t crash_at; /* In ops; 0: never. */
    bool is_off;
    enum sim_disk_loss loss;
    uint64_t fail_in[SIM_CALL_COUNT];
    uint64_t space_bytes;
    bool is_read_only;
};

struct sim_file {
    struct disk_file base;
    struct sim_disk *sim;
    struct inode *inode;
    uint64_t boot;
    bool may_write;
    bool is_lock;
};

static const struct disk_ops ops;

static struct sim_disk *sim_of(struct disk *disk)
{
    return (struct sim_disk *)(void *)disk;
}

static struct sim_file *file_of(struct disk_file *file)
{
    return (struct sim_file *)(void *)file;
}

static uint64_t next_random(struct sim_disk *sim)
{
    uint64_t z = (sim->random += 0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static uint64_t random_below(struct sim_disk *sim, uint64_t bound)
{
    return next_random(sim) % bound;
}

/* --- Names --- */

static struct name *find_name(struct name *names, size_t n, const char *path)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i].path, path) == 0)
            return &names[i];
    return NULL;
}

static struct inode *find_inode(struct sim_disk *sim, const char *path)
{
    struct name *name = find_name(sim->seen, sim->seen_n, path);

    return name == NULL ? NULL : name->inode;
}

static void drop_inode(struct inode *inode)
{
    if (inode != NULL)
        inode->names_n--;
}

static void set_name(struct name **names, size_t *n, const char *path, struct inode *inode)
{
    struct name *name = find_name(*names, *n, path);

    if (inode != NULL)
        inode->names_n++;
    if (name == NULL) {
        CHECK(*n < FOLDER_NAMES_MAX);
        *names = realloc_array(*names, *n + 1, sizeof(**names));
        name = &(*names)[(*n)++];
        name->path = alloc_string(path);
        name->inode = NULL;
    }
    drop_inode(name->inode);
    name->inode = inode;
}

static void note_names(struct sim_disk *sim, const char *path, struct inode *inode,
                       const char *path2, struct inode *inode2)
{
    struct name_change *change;

    sim->name_changes = realloc_array(sim->name_changes, sim->name_changes_n + 1, sizeof(*change));
    change = &sim->name_changes[sim->name_changes_n++];
    *change = (struct name_change){.order = sim->order++, .n = path2 == NULL ? 1 : 2};
    change->path[0] = alloc_string(path);
    change->inode[0] = inode;
    change->path[1] = path2 == NULL ? NULL : alloc_string(path2);
    change->inode[1] = inode2;
    for (unsigned i = 0; i < change->n; i++) {
        if (change->inode[i] != NULL)
            change->inode[i]->names_n++;
        set_name(&sim->seen, &sim->seen_n, change->path[i], change->inode[i]);
    }
}

static void apply_name_change(struct sim_disk *sim, const struct name_change *change)
{
    for (unsigned i = 0; i < change->n; i++)
        set_name(&sim->platter, &sim->platter_n, change->path[i], change->inode[i]);
}

static void clear_name_change(struct name_change *change)
{
    for (unsigned i = 0; i < change->n; i++) {
        drop_inode(change->inode[i]);
        free(change->path[i]);
    }
}

static struct inode *new_inode(struct sim_disk *sim, bool is_folder)
{
    struct inode *inode = alloc_zero(sizeof(*inode));

    inode->is_folder = is_folder;
    inode->next = sim->inodes;
    sim->inodes = inode;
    return inode;
}

/* --- Content --- */

static void resize(struct buf *buf, uint64_t len)
{
    if (len > buf->len)
        memset(buf_extend(buf, (size_t)len - buf->len), 0, (size_t)len - buf->len);
    buf->len = (size_t)len;
}

static void put(struct buf *buf, uint64_t offset, const uint8_t *data, uint64_t len)
{
    if (len == 0)
        return;
    if (buf->len < offset + len)
        resize(buf, offset + len);
    if (data != NULL)
        memcpy(buf->data + offset, data, (size_t)len);
    else
        memset(buf->data + offset, 0, (size_t)len);
}

static void clear_changes(struct inode *inode)
{
    for (size_t i = 0; i < inode->changes_n; i++)
        free(inode->changes[i].data);
    inode->changes_n = 0;
}

/* What a file looks like after one more change. */
static void apply(struct buf *content, const struct change *change)
{
    if (change->data == NULL)
        resize(content, change->file_len);
    else
        put(content, change->offset, change->data, change->len);
}

static void add_change(struct sim_disk *sim, struct inode *inode, uint64_t offset,
                       const uint8_t *data, uint64_t len, uint64_t file_len)
{
    struct change *change;

    if (inode->changes_n == inode->changes_capacity) {
        inode->changes_capacity = inode->changes_capacity * 2 + 16;
        inode->changes = realloc_array(inode->changes, inode->changes_capacity, sizeof(*change));
    }
    change = &inode->changes[inode->changes_n++];
    *change = (struct change){sim->order++, offset, len, file_len, NULL};
    if (data != NULL) {
        change->data = alloc((size_t)len + 1);
        memcpy(change->data, data, (size_t)len);
    }
    apply(&inode->seen, change);
}

static void make_durable(struct inode *inode)
{
    for (size_t i = 0; i < inode->changes_n; i++)
        apply(&inode->platter, &inode->changes[i]);
    clear_changes(inode);
}

/* --- Power loss --- */

/* How many of the file's changes, in order, one sector has taken; the last of them
 * only up to *ret_torn of its bytes within the sector. */
static size_t taken_by_sector(struct sim_disk *sim, const struct inode *inode,
                              enum sim_disk_loss loss, uint64_t order_end, uint64_t *ret_torn)
{
    size_t n = 0;

    *ret_torn = SECTOR_BYTES;
    if (loss == SIM_LOSS_SECTORS) {
        n = (size_t)random_below(sim, inode->changes_n + 1);
        if (random_below(sim, 4) == 0)
            *ret_torn = random_below(sim, SECTOR_BYTES);
        return n;
    }
    while (n < inode->changes_n && inode->changes[n].order < order_end)
        n++;
    return n;
}

static void lose_in_sector(struct sim_disk *sim, struct inode *inode, uint64_t sector,
                           enum sim_disk_loss loss, uint64_t order_end)
{
    uint64_t begin = sector * SECTOR_BYTES;
    uint64_t torn;
    size_t n = taken_by_sector(sim, inode, loss, order_end, &torn);

    for (size_t i = 0; i < n; i++) {
        const struct change *change = &inode->changes[i];
        uint64_t from = MAX(change->offset, begin);
        uint64_t to = MIN(change->offset + change->len, begin + SECTOR_BYTES);

        if (i + 1 == n)
            to = MIN(to, begin + torn);
        to = MIN(to, (uint64_t)inode->platter.len);
        if (from >= to)
            continue;
        put(&inode->platter, from,
            change->data == NULL ? NULL : change->data + (from - change->offset), to - from);
    }
}

static void lose_in_file(struct sim_disk *sim, struct inode *inode, enum sim_disk_loss loss,
                         uint64_t order_end)
{
    uint64_t len = inode->platter.len;
    uint64_t sector_end = 0;
    uint64_t torn;
    size_t n;

    if (inode->changes_n == 0 || loss == SIM_LOSS_ALL) {
        clear_changes(inode);
        inode->seen.len = 0;
        buf_add(&inode->seen, inode->platter.data, inode->platter.len);
        return;
    }
    n = taken_by_sector(sim, inode, loss, order_end, &torn);
    if (n > 0)
        len = inode->changes[n - 1].file_len;
    /* The last write of an ordered loss may have grown the file by a part only. */
    if (n > 0 && loss == SIM_LOSS_ORDERED && inode->changes[n - 1].order + 1 == order_end &&
        inode->changes[n - 1].data != NULL && random_below(sim, 2) == 0) {
        struct change *last = &inode->changes[n - 1];

        last->len = random_below(sim, last->len + 1);
        len =
            MAX((uint64_t)inode->platter.len, n > 1 ? inode->changes[n - 2].file_len : (uint64_t)0);
        len = MAX(len, last->offset + last->len);
        len = MIN(len, last->file_len);
    }
    resize(&inode->platter, len);
    sector_end = (len + SECTOR_BYTES - 1) / SECTOR_BYTES;
    for (uint64_t sector = 0; sector < sector_end; sector++)
        lose_in_sector(sim, inode, sector, loss, order_end);
    clear_changes(inode);
    inode->seen.len = 0;
    buf_add(&inode->seen, inode->platter.data, inode->platter.len);
}

static void lose_names(struct sim_disk *sim, enum sim_disk_loss loss, uint64_t order_end)
{
    for (size_t i = 0; i < sim->name_changes_n; i++) {
        struct name_change *change = &sim->name_changes[i];
        bool lives =
            loss == SIM_LOSS_SECTORS ? random_below(sim, 2) == 0 : change->order < order_end;

        if (lives)
            apply_name_change(sim, change);
        clear_name_change(change);
    }
    sim->name_changes_n = 0;
    for (size_t i = 0; i < sim->seen_n; i++) {
        drop_inode(sim->seen[i].inode);
        free(sim->seen[i].path);
    }
    sim->seen_n = 0;
    for (size_t i = 0; i < sim->platter_n; i++)
        if (sim->platter[i].inode != NULL)
            set_name(&sim->seen, &sim->seen_n, sim->platter[i].path, sim->platter[i].inode);
}

static void lose(struct sim_disk *sim)
{
    enum sim_disk_loss loss = sim->loss;
    uint64_t first = sim->order;
    uint64_t order_end;

    if (loss == SIM_LOSS_RANDOM)
        loss = (enum sim_disk_loss)(SIM_LOSS_ALL + random_below(sim, 4));
    for (struct inode *inode = sim->inodes; inode != NULL; inode = inode->next)
        if (inode->changes_n > 0)
            first = MIN(first, inode->changes[0].order);
    if (sim->name_changes_n > 0)
        first = MIN(first, sim->name_changes[0].order);
    order_end = loss == SIM_LOSS_ALL    ? 0
                : loss == SIM_LOSS_NONE ? UINT64_MAX
                                        : first + random_below(sim, sim->order - first + 1);
    lose_names(sim, loss, order_end);
    for (struct inode *inode = sim->inodes; inode != NULL; inode = inode->next)
        lose_in_file(sim, inode, loss, order_end);
}

static void free_inode(struct inode *inode)
{
    clear_changes(inode);
    free(inode->changes);
    buf_clear(&inode->seen);
    buf_clear(&inode->platter);
    free(inode);
}

/* Files without a name or a handle. */
static void sweep(struct sim_disk *sim)
{
    struct inode **at = &sim->inodes;

    while (*at != NULL) {
        struct inode *inode = *at;

        if (inode->names_n > 0) {
            at = &inode->next;
            continue;
        }
        *at = inode->next;
        free_inode(inode);
    }
}

static void end_boot(struct sim_disk *sim)
{
    sweep(sim);
    sim->boot++;
    sim->is_off = false;
    sim->crash_at = 0;
    for (struct inode *inode = sim->inodes; inode != NULL; inode = inode->next)
        inode->is_locked = false;
}

void sim_disk_power_on(struct sim_disk *sim)
{
    mutex_lock(&sim->mutex);
    lose(sim);
    end_boot(sim);
    mutex_unlock(&sim->mutex);
}

void sim_disk_kill(struct sim_disk *sim)
{
    mutex_lock(&sim->mutex);
    CHECK(!sim->is_off);
    end_boot(sim);
    mutex_unlock(&sim->mutex);
}

/* --- Calls --- */

static int power_is_off(struct error *err)
{
    return error_set(err, E_IO, "the power is off");
}

/* For calls that read: with the mutex held. */
static int enter(struct sim_disk *sim, struct error *err)
{
    return sim->is_off ? power_is_off(err) : 0;
}

/* For calls that change something. *ret_is_last: the power goes within this call,
 * which takes whatever effect it has and then fails. */
static int enter_change(struct sim_disk *sim, bool *ret_is_last, struct error *err)
{
    if (sim->is_off)
        return power_is_off(err);
    if (sim->is_read_only)
        return error_set(err, E_PERMISSION, "read-only file system");
    sim->ops++;
    *ret_is_last = sim->ops == sim->crash_at;
    return 0;
}

static int leave_change(struct sim_disk *sim, bool is_last, int rc, struct error *err)
{
    if (!is_last)
        return rc;
    sim->is_off = true;
    return power_is_off(err);
}

static bool must_fail(struct sim_disk *sim, enum sim_disk_call call)
{
    return sim->fail_in[call] > 0 && --sim->fail_in[call] == 0;
}

static int check_handle(const struct sim_file *file, struct error *err)
{
    return file->boot == file->sim->boot ? 0 : error_set(err, E_IO, "a handle of before");
}

static int not_found(struct error *err, const char *path)
{
    return error_set(err, E_NOT_FOUND, "could not find '%s'", path);
}

/* A name can be made only where its folder is. */
static int check_folder(struct sim_disk *sim, const char *path, struct error *err)
{
    char *folder = disk_folder_of(path);
    struct inode *inode = find_inode(sim, folder);
    bool is_there =
        strcmp(folder, "/") == 0 || strcmp(folder, ".") == 0 || (inode != NULL && inode->is_folder);

    free(folder);
    return is_there ? 0 : not_found(err, path);
}

static struct disk_file *new_handle(struct sim_disk *sim, struct inode *inode, bool may_write)
{
    struct sim_file *file = alloc_zero(sizeof(*file));

    file->base.ops = &ops;
    file->sim = sim;
    file->inode = inode;
    file->boot = sim->boot;
    file->may_write = may_write;
    inode->names_n++;
    return &file->base;
}

static int open_or_make(struct sim_disk *sim, struct inode **ret_inode, const char *path,
                        enum disk_open_mode mode, struct error *err)
{
    struct inode *inode = find_inode(sim, path);
    bool is_last = false;
    int rc = enter(sim, err);

    if (rc < 0)
        return rc;
    if (inode != NULL && mode == DISK_CREATE_NEW)
        return error_set(err, E_EXISTS, "'%s' exists", path);
    if (inode != NULL && inode->is_folder && mode != DISK_READ)
        return error_set(err, E_IO, "'%s' is a folder", path);
    if (mode != DISK_READ && sim->is_read_only)
        return error_set(err, E_PERMISSION, "could not open '%s': read-only file system", path);
    if (inode == NULL && (mode == DISK_READ || mode == DISK_READ_WRITE))
        return not_found(err, path);
    if (inode == NULL) {
        rc = check_folder(sim, path, err);
        if (rc == 0)
            rc = enter_change(sim, &is_last, err);
        if (rc < 0)
            return rc;
        inode = new_inode(sim, false);
        note_names(sim, path, inode, NULL, NULL);
    }
    *ret_inode = inode;
    return leave_change(sim, is_last, 0, err);
}

static int sim_open(struct disk *disk, struct disk_file **ret_file, const char *path,
                    enum disk_open_mode mode, struct error *err)
{
    struct sim_disk *sim = sim_of(disk);
    struct inode *inode;
    int rc;

    mutex_lock(&sim->mutex);
    rc = open_or_make(sim, &inode, path, mode, err);
    if (rc == 0)
        *ret_file = new_handle(sim, inode, mode != DISK_READ);
    mutex_unlock(&sim->mutex);
    return rc;
}

static void sim_close(struct disk_file *own_file)
{
    struct sim_file *file = file_of(own_file);
    struct sim_disk *sim = file->sim;

    mutex_lock(&sim->mutex);
    if (file->is_lock && file->boot == sim->boot)
        file->inode->is_locked = false;
    drop_inode(file->inode);
    mutex_unlock(&sim->mutex);
    free(file);
}

static int sim_read(struct disk_file *base, void *ret_data, size_t len, uint64_t offset,
                    size_t *ret_len, struct error *err)
{
    struct sim_file *file = file_of(base);
    struct sim_disk *sim = file->sim;
    size_t n = 0;
    int rc;

    mutex_lock(&sim->mutex);
    rc = enter(sim, err);
    if (rc == 0)
        rc = check_handle(file, err);
    if (rc == 0 && must_fail(sim, SIM_CALL_READ))
        rc = error_set(err, E_IO, "could not read at offset %llu", (unsigned long long)offset);
    if (rc == 0) {
        if (offset < file->inode->seen.len)
            n = MIN(len, file->inode->seen.len - (size_t)offset);
        if (n > 0)
            memcpy(ret_data, file->inode->seen.data + offset, n);
        *ret_len = n;
    }
    mutex_unlock(&sim->mutex);
    return rc;
}

/* The part of a growth that the disk still has room for. */
static uint64_t take_space(struct sim_disk *sim, const struct inode *inode, uint64_t end)
{
    uint64_t grows = end > inode->seen.len ? end - inode->seen.len : 0;
    uint64_t lacks;

    if (sim->space_bytes == UINT64_MAX || grows <= sim->space_bytes) {
        if (sim->space_bytes != UINT64_MAX)
            sim->space_bytes -= grows;
        return 0;
    }
    lacks = grows - sim->space_bytes;
    sim->space_bytes = 0;
    return lacks;
}

static int check_writable(const struct sim_file *file, struct error *err)
{
    int rc = check_handle(file, err);

    if (rc == 0 && !file->may_write)
        rc = error_set(err, E_IO, "the file is open for reading");
    return rc;
}

static int sim_write(struct disk_file *base, const void *data, size_t len, uint64_t offset,
                     struct error *err)
{
    struct sim_file *file = file_of(base);
    struct sim_disk *sim = file->sim;
    struct inode *inode = file->inode;
    bool is_last = false;
    uint64_t lacks;
    int rc;

    mutex_lock(&sim->mutex);
    rc = check_writable(file, err);
    if (rc == 0)
        rc = enter_change(sim, &is_last, err);
    if (rc < 0 || len == 0) {
        rc = rc < 0 ? rc : leave_change(sim, is_last, 0, err);
        goto done;
    }
    lacks = take_space(sim, inode, offset + len);
    if (lacks > 0)
        rc = error_set(err, E_NO_SPACE, "could not write: no space left on device");
    len -= MIN((size_t)lacks, len);
    if (rc == 0 && must_fail(sim, SIM_CALL_WRITE)) {
        rc = error_set(err, E_IO, "could not write at offset %llu", (unsigned long long)offset);
        len = (size_t)random_below(sim, len + 1);
    }
    if (len > 0)
        add_change(sim, inode, offset, data, len, MAX((uint64_t)inode->seen.len, offset + len));
    rc = leave_change(sim, is_last, rc, err);
done:
    mutex_unlock(&sim->mutex);
    return rc;
}

static int sim_size(struct disk_file *base, uint64_t *ret_len, struct error *err)
{
    struct sim_file *file = file_of(base);
    int rc;

    mutex_lock(&file->sim->mutex);
    rc = enter(file->sim, err);
    if (rc == 0)
        rc = check_handle(file, err);
    if (rc == 0)
        *ret_len = file->inode->seen.len;
    mutex_unlock(&file->sim->mutex);
    return rc;
}

/* Truncate (may shrink) or allocate (never does). */
static int set_len(struct sim_file *file, uint64_t len, bool may_shrink, struct error *err)
{
    struct sim_disk *sim = file->sim;
    uint64_t before;
    bool is_last = false;
    int rc;

    mutex_lock(&sim->mutex);
    before = file->inode->seen.len;
    rc = check_writable(file, err);
    if (rc == 0)
        rc = enter_change(sim, &is_last, err);
    if (rc == 0 && !may_shrink && take_space(sim, file->inode, len) > 0)
        rc = error_set(err, E_NO_SPACE, "could not set space aside: no space left on device");
    if (rc == 0 && (may_shrink ? len != before : len > before))
        add_change(sim, file->inode, MIN(len, before), NULL, MAX(len, before) - MIN(len, before),
                   len);
    if (rc == 0 || is_last)
        rc = leave_change(sim, is_last, rc, err);
    mutex_unlock(&sim->mutex);
    return rc;
}

static int sim_truncate(struct disk_file *base, uint64_t len, struct error *err)
{
    return set_len(file_of(base), len, true, err);
}

static int sim_allocate(struct disk_file *base, uint64_t offset, uint64_t len, struct error *err)
{
    return set_len(file_of(base), offset + len, false, err);
}

/* The kernel marks pages clean although they never reached the platter. */
static void forget_some(struct sim_disk *sim, struct inode *inode)
{
    for (size_t i = 0; i < inode->changes_n; i++)
        if (random_below(sim, 2) == 0)
            apply(&inode->platter, &inode->changes[i]);
    clear_changes(inode);
}

static int sim_sync(struct disk_file *base, struct error *err)
{
    struct sim_file *file = file_of(base);
    struct sim_disk *sim = file->sim;
    bool is_last = false;
    int rc;

    mutex_lock(&sim->mutex);
    rc = check_handle(file, err);
    if (rc == 0)
        rc = enter_change(sim, &is_last, err);
    if (rc == 0 && must_fail(sim, SIM_CALL_SYNC)) {
        forget_some(sim, file->inode);
        rc = error_set(err, E_IO, "could not sync");
    } else if (rc == 0 && !is_last) {
        make_durable(file->inode);
    }
    if (rc == 0 || is_last)
        rc = leave_change(sim, is_last, rc, err);
    mutex_unlock(&sim->mutex);
    return rc;
}

static void sim_advise(struct disk_file *file, uint64_t offset, uint64_t len, bool want)
{
    (void)file;
    (void)offset;
    (void)len;
    (void)want;
}

static int sim_rename(struct disk *disk, const char *from, const char *to, struct error *err)
{
    struct sim_disk *sim = sim_of(disk);
    struct inode *inode;
    bool is_last = false;
    int rc;

    mutex_lock(&sim->mutex);
    inode = find_inode(sim, from);
    rc = enter(sim, err);
    if (rc == 0 && inode == NULL)
        rc = not_found(err, from);
    if (rc == 0)
        rc = check_folder(sim, to, err);
    if (rc == 0)
        rc = enter_change(sim, &is_last, err);
    if (rc == 0) {
        note_names(sim, from, NULL, to, inode);
        rc = leave_change(sim, is_last, 0, err);
    }
    mutex_unlock(&sim->mutex);
    return rc;
}

static int sim_remove(struct disk *disk, const char *path, struct error *err)
{
    struct sim_disk *sim = sim_of(disk);
    bool is_last = false;
    int rc;

    mutex_lock(&sim->mutex);
    rc = enter(sim, err);
    if (rc == 0 && find_inode(sim, path) == NULL)
        rc = not_found(err, path);
    if (rc == 0)
        rc = enter_change(sim, &is_last, err);
    if (rc == 0) {
        note_names(sim, path, NULL, NULL, NULL);
        rc = leave_change(sim, is_last, 0, err);
    }
    mutex_unlock(&sim->mutex);
    return rc;
}

/* As on the real disk a new folder is durable at once. */
static int sim_make_folder(struct disk *disk, const char *path, struct error *err)
{
    struct sim_disk *sim = sim_of(disk);
    char *part = alloc_string(path);
    size_t len = strlen(part);
    struct inode *inode;
    bool is_last = false;
    int rc;

    while (len > 1 && part[len - 1] == '/')
        part[--len] = '\0';
    mutex_lock(&sim->mutex);
    inode = find_inode(sim, part);
    if (inode != NULL && inode->is_folder) {
        rc = enter(sim, err);
        goto done;
    }
    rc = enter_change(sim, &is_last, err);
    for (size_t i = 1; rc == 0 && i <= len; i++) {
        char held = part[i];

        if (held != '/' && held != '\0')
            continue;
        part[i] = '\0';
        inode = find_inode(sim, part);
        if (inode != NULL && !inode->is_folder) {
            rc = error_set(err, E_EXISTS, "'%s' is a file", part);
        } else if (inode == NULL) {
            inode = new_inode(sim, true);
            set_name(&sim->seen, &sim->seen_n, part, inode);
            set_name(&sim->platter, &sim->platter_n, part, inode);
        }
        part[i] = held;
    }
    if (rc == 0)
        rc = leave_change(sim, is_last, 0, err);
done:
    mutex_unlock(&sim->mutex);
    free(part);
    return rc;
}

static bool lies_in(const char *folder, const char *path)
{
    size_t len = strlen(folder);

    while (len > 0 && folder[len - 1] == '/')
        len--;
    return strncmp(path, folder, len) == 0 && path[len] == '/' &&
           strchr(path + len + 1, '/') == NULL;
}

static void sync_names(struct sim_disk *sim, const char *folder)
{
    size_t kept = 0;

    for (size_t i = 0; i < sim->name_changes_n; i++) {
        struct name_change *change = &sim->name_changes[i];

        if (lies_in(folder, change->path[0]) ||
            (change->n == 2 && lies_in(folder, change->path[1]))) {
            apply_name_change(sim, change);
            clear_name_change(change);
        } else {
            sim->name_changes[kept++] = *change;
        }
    }
    sim->name_changes_n = kept;
}

static int sim_sync_folder(struct disk *disk, const char *path, struct error *err)
{
    struct sim_disk *sim = sim_of(disk);
    struct inode *inode;
    bool is_last = false;
    int rc;

    mutex_lock(&sim->mutex);
    inode = find_inode(sim, path);
    rc = enter(sim, err);
    if (rc == 0 && (inode == NULL || !inode->is_folder) && strcmp(path, "/") != 0)
        rc = not_found(err, path);
    if (rc == 0)
        rc = enter_change(sim, &is_last, err);
    if (rc == 0 && must_fail(sim, SIM_CALL_SYNC))
        rc = error_set(err, E_IO, "could not sync folder '%s'", path);
    else if (rc == 0 && !is_last)
        sync_names(sim, path);
    if (rc == 0 || is_last)
        rc = leave_change(sim, is_last, rc, err);
    mutex_unlock(&sim->mutex);
    return rc;
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct disk_entry *)a)->name, ((const struct disk_entry *)b)->name);
}

static int sim_list(struct disk *disk, const char *path, struct disk_entry **ret_entries,
                    size_t *ret_n, struct error *err)
{
    struct sim_disk *sim = sim_of(disk);
    struct disk_entry *entries = NULL;
    struct inode *inode;
    size_t n = 0;
    int rc;

    mutex_lock(&sim->mutex);
    inode = find_inode(sim, path);
    rc = enter(sim, err);
    if (rc == 0 && (inode == NULL || !inode->is_folder) && strcmp(path, "/") != 0)
        rc = not_found(err, path);
    for (size_t i = 0; rc == 0 && i < sim->seen_n; i++) {
        const struct name *name = &sim->seen[i];

        if (name->inode == NULL || !lies_in(path, name->path))
            continue;
        entries = realloc_array(entries, n + 1, sizeof(*entries));
        entries[n++] = (struct disk_entry){alloc_string(strrchr(name->path, '/') + 1),
                                           name->inode->is_folder, name->inode->seen.len, 0};
    }
    mutex_unlock(&sim->mutex);
    if (rc < 0)
        return rc;
    if (n > 0)
        qsort(entries, n, sizeof(*entries), compare_entries);
    *ret_entries = entries;
    *ret_n = n;
    return 0;
}

static int sim_stat(struct disk *disk, const char *path, struct disk_entry *ret_entry,
                    struct error *err)
{
    struct sim_disk *sim = sim_of(disk);
    struct inode *inode;
    int rc;

    mutex_lock(&sim->mutex);
    inode = find_inode(sim, path);
    rc = enter(sim, err);
    if (rc == 0 && inode == NULL)
        rc = not_found(err, path);
    if (rc == 0)
        *ret_entry = (struct disk_entry){NULL, inode->is_folder, inode->seen.len, 0};
    mutex_unlock(&sim->mutex);
    return rc;
}

static int sim_lock(struct disk *disk, struct disk_file **ret_file, const char *path,
                    struct error *err)
{
    struct sim_disk *sim = sim_of(disk);
    struct inode *inode;
    int rc;

    mutex_lock(&sim->mutex);
    rc = open_or_make(sim, &inode, path, DISK_CREATE, err);
    if (rc == 0 && inode->is_locked)
        rc = error_set(err, E_LOCKED, "could not lock '%s': in use by another process", path);
    if (rc == 0) {
        inode->is_locked = true;
        *ret_file = new_handle(sim, inode, true);
        file_of(*ret_file)->is_lock = true;
    }
    mutex_unlock(&sim->mutex);
    return rc;
}

static int sim_free_space(struct disk *disk, const char *path, uint64_t *ret_bytes,
                          struct error *err)
{
    struct sim_disk *sim = sim_of(disk);
    int rc;

    (void)path;
    mutex_lock(&sim->mutex);
    rc = enter(sim, err);
    if (rc == 0)
        *ret_bytes = sim->space_bytes == UINT64_MAX ? UINT64_C(1) << 40 : sim->space_bytes;
    mutex_unlock(&sim->mutex);
    return rc;
}

static const struct disk_ops ops = {
    .open = sim_open,
    .close = sim_close,
    .read = sim_read,
    .write = sim_write,
    .size = sim_size,
    .truncate = sim_truncate,
    .allocate = sim_allocate,
    .sync = sim_sync,
    .advise = sim_advise,
    .rename = sim_rename,
    .remove = sim_remove,
    .make_folder = sim_make_folder,
    .sync_folder = sim_sync_folder,
    .list = sim_list,
    .stat = sim_stat,
    .lock = sim_lock,
    .free_space = sim_free_space,
};

/* --- The test's side --- */

struct sim_disk *sim_disk_new(uint64_t seed)
{
    struct sim_disk *sim = alloc_zero(sizeof(*sim));

    sim->base.ops = &ops;
    sim->random = seed;
    sim->space_bytes = UINT64_MAX;
    sim->boot = 1;
    mutex_init(&sim->mutex);
    return sim;
}

void sim_disk_free(struct sim_disk *own_sim)
{
    struct sim_disk *sim = own_sim;

    if (sim == NULL)
        return;
    for (size_t i = 0; i < sim->name_changes_n; i++)
        clear_name_change(&sim->name_changes[i]);
    for (size_t i = 0; i < sim->seen_n; i++)
        free(sim->seen[i].path);
    for (size_t i = 0; i < sim->platter_n; i++)
        free(sim->platter[i].path);
    while (sim->inodes != NULL) {
        struct inode *inode = sim->inodes;

        sim->inodes = inode->next;
        free_inode(inode);
    }
    free(sim->name_changes);
    free(sim->seen);
    free(sim->platter);
    mutex_clear(&sim->mutex);
    free(sim);
}

struct disk *sim_disk_disk(struct sim_disk *sim)
{
    return &sim->base;
}

/* The test turns knobs while threads of what it tests use the disk. */

uint64_t sim_disk_ops(struct sim_disk *sim)
{
    uint64_t done;

    mutex_lock(&sim->mutex);
    done = sim->ops;
    mutex_unlock(&sim->mutex);
    return done;
}

void sim_disk_crash_after(struct sim_disk *sim, uint64_t n)
{
    mutex_lock(&sim->mutex);
    sim->crash_at = n == 0 ? 0 : sim->ops + n;
    mutex_unlock(&sim->mutex);
}

bool sim_disk_is_off(struct sim_disk *sim)
{
    bool is_off;

    mutex_lock(&sim->mutex);
    is_off = sim->is_off;
    mutex_unlock(&sim->mutex);
    return is_off;
}

void sim_disk_set_loss(struct sim_disk *sim, enum sim_disk_loss loss)
{
    mutex_lock(&sim->mutex);
    sim->loss = loss;
    mutex_unlock(&sim->mutex);
}

void sim_disk_fail_call(struct sim_disk *sim, enum sim_disk_call call, uint64_t n)
{
    mutex_lock(&sim->mutex);
    sim->fail_in[call] = n;
    mutex_unlock(&sim->mutex);
}

void sim_disk_set_space(struct sim_disk *sim, uint64_t bytes)
{
    mutex_lock(&sim->mutex);
    sim->space_bytes = bytes;
    mutex_unlock(&sim->mutex);
}

void sim_disk_set_read_only(struct sim_disk *sim, bool read_only)
{
    mutex_lock(&sim->mutex);
    sim->is_read_only = read_only;
    mutex_unlock(&sim->mutex);
}

bool sim_disk_flip(struct sim_disk *sim, const char *path, uint64_t offset, uint8_t mask)
{
    struct inode *inode = find_inode(sim, path);

    if (inode == NULL || offset >= inode->seen.len)
        return false;
    inode->seen.data[offset] ^= mask;
    if (offset < inode->platter.len)
        inode->platter.data[offset] ^= mask;
    return true;
}

bool sim_disk_peek(struct sim_disk *sim, const char *path, struct buf *buf)
{
    struct inode *inode = find_inode(sim, path);

    if (inode == NULL)
        return false;
    buf_add(buf, inode->seen.data, inode->seen.len);
    return true;
}

bool sim_disk_is_durable(struct sim_disk *sim, const char *path)
{
    struct inode *inode = find_inode(sim, path);
    struct name *name = find_name(sim->platter, sim->platter_n, path);

    if (inode == NULL || name == NULL || name->inode != inode)
        return false;
    return span_equal(span_of_buf(&inode->seen), span_of_buf(&inode->platter));
}
