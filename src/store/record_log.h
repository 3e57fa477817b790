/* A log of checksummed records in one file: small state that is replayed at start
 * (the block index, the coins manifest).
 *
 * Records are appended, become durable in order at record_log_sync, and are handed
 * out again in order by record_log_open. After a crash the log holds every record
 * up to the last sync and some of those after it, none of them torn and none
 * without its predecessors: a tail that was never synced is cut where it breaks. A
 * record that had been synced and does not match its checksum is E_CORRUPT with
 * file and offset, never a cut.
 *
 * How the two are told apart: every record says how far the file was durable when
 * it was written, and each sync writes a mark behind itself. A broken place that
 * some later record calls durable is damage.
 *
 * Owner thread: one at a time. A failed write or sync is final: the log then fails
 * every later call, and the caller must stop.
 */
#ifndef STORE_RECORD_LOG_H
#define STORE_RECORD_LOG_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "os/disk.h"

struct record_log;

#define RECORD_LOG_TYPE_MAX 0xfffffffeU
/* Memory beside one record: written out when it is full. */
#define RECORD_LOG_BUFFER_BYTES (256U << 10)

struct record_log_options {
    struct disk *disk;
    const char *path;
    uint32_t kind;             /* What the log is about: another kind is E_CORRUPT. */
    uint32_t record_bytes_max; /* Longest payload; at most 64 MiB. */
    /* Called once for each record, oldest first. type 0 .. RECORD_LOG_TYPE_MAX; the
     * payload lives for the call. Its failure fails the open. */
    int (*on_record)(void *context, uint32_t type, struct span payload, struct error *err);
    void *context;
};

/* Open, or make it empty if it is not there, and replay it.
 *
 * Returns: 0; E_CORRUPT with file and offset; what on_record returned; disk errors.
 * Out:     ret_log: everything replayed is durable. */
NODISCARD int record_log_open(struct record_log **ret_log, const struct record_log_options *options,
                              struct error *err);

/* Does not sync: what was not synced may be lost. */
void record_log_close(struct record_log *own_log);

/* Buffered. E_LIMIT for a payload that is too long or a type out of range. */
NODISCARD int record_log_append(struct record_log *log, uint32_t type, struct span payload,
                                struct error *err);

/* All records appended so far are durable when this returns 0. */
NODISCARD int record_log_sync(struct record_log *log, struct error *err);

/* Write the log anew: appends after record_log_replace_start go to another file,
 * which takes the place of the old one, in one step and durably, at
 * record_log_replace_finish. Until then a crash, and record_log_replace_abandon,
 * leave the old log as it was last synced. */
NODISCARD int record_log_replace_start(struct record_log *log, struct error *err);
NODISCARD int record_log_replace_finish(struct record_log *log, struct error *err);
void record_log_replace_abandon(struct record_log *log);

/* Length of the file with what is buffered: when to write it anew. */
uint64_t record_log_bytes(const struct record_log *log);

/* Bytes of tail that the open cut off: nonzero after a crash only. */
uint64_t record_log_cut_bytes(const struct record_log *log);

#endif /* STORE_RECORD_LOG_H */
