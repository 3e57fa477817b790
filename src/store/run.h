/* Sorted runs: immutable files of records in the order of a 64-bit hash that the
 * caller computes, so that one read finds a record.
 *
 * A record is a body whose first bytes are its key; no key may be the beginning
 * of another. Records of equal hash are in the order of their keys' bytes. The
 * file is a row of 4 KiB blocks, each with a checksum over the run's id and its
 * own position, so that a flipped byte or a strayed block is E_CORRUPT with file
 * and offset, never a missing record:
 *
 *     data blocks | first hash of each data block | filter | footer
 *
 * A record longer than a block has blocks of its own. The first hashes (four
 * bytes a block) stay in memory, and the filter where the caller can afford it.
 */
#ifndef STORE_RUN_H
#define STORE_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "os/disk.h"

#define RUN_BLOCK_BYTES 4096U
#define RUN_BODY_BYTES_MAX 32768U

/* Writing. One thread. */
struct run_writer;

struct run_writer_options {
    struct disk *disk;
    const char *path;          /* Must not exist. */
    uint64_t id;               /* Must differ from run to run in a folder. */
    uint64_t records_n_max;    /* An upper bound, for the size of the filter. */
    uint64_t filter_bytes_max; /* No filter where it would be larger. */
};

NODISCARD int run_writer_new(struct run_writer **ret_writer,
                             const struct run_writer_options *options, struct error *err);
/* In order, at most RUN_BODY_BYTES_MAX bytes, not empty; both are invariants. */
NODISCARD int run_writer_add(struct run_writer *writer, uint64_t hash, struct span body,
                             struct error *err);
/* Writes the rest and syncs the file; the folder is the caller's to sync. */
NODISCARD int run_writer_finish(struct run_writer *writer, uint64_t *ret_file_bytes,
                                struct error *err);
/* Closes the file; what an unfinished writer wrote stays for the caller to remove. */
void run_writer_free(struct run_writer *own_writer);
uint64_t run_writer_records_n(const struct run_writer *writer);

/* An open run. Counted references, any thread. */
struct run;

struct run_open_options {
    struct disk *disk;
    const char *path;
    uint64_t id;
    uint64_t file_bytes; /* As finished; another length is E_CORRUPT. */
    bool want_filter;
};

NODISCARD int run_open(struct run **ret_run, const struct run_open_options *options,
                       struct error *err);
struct run *run_ref(struct run *run);
/* The last one closes the file, and removes it if run_remove_at_end was called. */
void run_unref(struct run *own_run);
void run_remove_at_end(struct run *run);

uint64_t run_id(const struct run *run);
uint64_t run_records_n(const struct run *run);
uint64_t run_file_bytes(const struct run *run);
uint64_t run_memory_bytes(const struct run *run);

/* false: certainly no record of this hash. Without a filter always true. */
bool run_may_have(const struct run *run, uint64_t hash);

/* Find the record of a key. scratch keeps the block read, to be used again by the
 * same thread; zero it to start, release with buf_clear.
 *
 * Returns: 1 found, 0 absent, or an error.
 * Out:     ret_body: in scratch, until its next use. */
NODISCARD int run_find(struct run *run, struct span *ret_body, uint64_t hash, struct span key,
                       struct buf *scratch, struct error *err);

/* All records in order. One thread; holds its run. */
struct run_walk;
NODISCARD struct run_walk *run_walk_new(struct run *run, uint32_t buffer_bytes);
/* 1: a record, alive until the next call; 0: the end; or an error. */
NODISCARD int run_walk_next(struct run_walk *walk, struct span *ret_body, struct error *err);
void run_walk_free(struct run_walk *own_walk);

/* Takes one data block apart, as run_find and run_walk do: for the fuzzer. Returns
 * the records in it, or E_CORRUPT. block: RUN_BLOCK_BYTES. */
NODISCARD int run_block_check(const uint8_t *block);

#endif /* STORE_RUN_H */
