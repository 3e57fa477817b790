/* A disk in memory that forgets what was not synced: for crash tests.
 *
 * What a file holds is kept twice: as the running program sees it and as the
 * platter has it. Between the two lie the writes since the last sync, and at a
 * power loss every 512-byte sector of the file takes, by the seed, only the first
 * few of the writes that touched it (none, some, all), the last of them possibly
 * torn at any byte; the file's length goes its own way. Names that were made,
 * renamed or removed since the last sync_folder survive or not, each by itself. A
 * failed sync forgets: later syncs succeed without making its bytes durable.
 *
 * The same seed and the same calls give the same disk. Any thread may call, but
 * then the order of the threads decides.
 */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "os/disk.h"

struct sim_disk;

struct sim_disk *sim_disk_new(uint64_t seed);
void sim_disk_free(struct sim_disk *own_sim);

/* What the program under test gets. Lives as long as the sim_disk. */
struct disk *sim_disk_disk(struct sim_disk *sim);

/* Calls so far that could change what a crash leaves: write, truncate, allocate,
 * sync, create, rename, remove, make_folder, sync_folder. */
uint64_t sim_disk_ops(struct sim_disk *sim);

/* Lose power within the n-th of those calls from now (1: the next one). That call
 * and all later ones fail with E_IO, "the power is off". */
void sim_disk_crash_after(struct sim_disk *sim, uint64_t n);
bool sim_disk_is_off(struct sim_disk *sim);

/* Lose power now, if it is on, and come back: the platter is all there is. Handles
 * from before are dead but must still be closed; locks are gone. */
void sim_disk_power_on(struct sim_disk *sim);

/* The process was killed but the machine goes on: handles die, nothing is lost. */
void sim_disk_kill(struct sim_disk *sim);

/* How a power loss treats the writes that were not synced. */
enum sim_disk_loss {
    SIM_LOSS_RANDOM,  /* One of the others, by the seed. */
    SIM_LOSS_ALL,     /* Nothing unsynced survives. */
    SIM_LOSS_NONE,    /* Everything does. */
    SIM_LOSS_ORDERED, /* A prefix of all writes and names survives; the last is torn. */
    SIM_LOSS_SECTORS  /* Each sector and each name by itself. */
};
void sim_disk_set_loss(struct sim_disk *sim, enum sim_disk_loss loss);

/* --- Failures --- */

enum sim_disk_call { SIM_CALL_READ, SIM_CALL_WRITE, SIM_CALL_SYNC, SIM_CALL_COUNT };

/* The n-th such call from now (1: the next) fails with E_IO; 0: none does. A write
 * that fails may have written a part. */
void sim_disk_fail_call(struct sim_disk *sim, enum sim_disk_call call, uint64_t n);

/* Writes that make files longer fail with E_NO_SPACE once they have used this many
 * bytes; UINT64_MAX: never. */
void sim_disk_set_space(struct sim_disk *sim, uint64_t bytes);

/* Everything that would change the disk fails with E_PERMISSION. */
void sim_disk_set_read_only(struct sim_disk *sim, bool read_only);

/* Flip bits of a stored byte, on the platter and as seen; false if there is none. */
bool sim_disk_flip(struct sim_disk *sim, const char *path, uint64_t offset, uint8_t mask);

/* The content as the program sees it; false if there is no such file. */
bool sim_disk_peek(struct sim_disk *sim, const char *path, struct buf *buf);

/* Are all bytes and the name of this file safe from a power loss now? */
bool sim_disk_is_durable(struct sim_disk *sim, const char *path);

#endif /* SIM_DISK_H */
