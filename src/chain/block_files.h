/* Blocks and their undo data in files as Bitcoin Core keeps them:
 * blkNNNNN.dat and revNNNNN.dat, each a run of records
 *
 *     magic (4)  length (u32, little-endian)  bytes  [undo only: checksum (32)]
 *
 * all of it combined with the eight repeating bytes of xor.dat. The checksum is
 * the double SHA-256 of the hash of the block's parent followed by the undo bytes.
 * Files grow in steps of 16 MiB (blk) and 1 MiB (rev) that are zeros until used.
 *
 * Bytes that another program wrote are never changed: in a file whose end is not
 * known to be ours, blocks go behind everything that is not zero, and undo data
 * that is there already is found by its checksum and used as it is.
 *
 * Threads: the chain thread is the single writer. block_files_read,
 * block_files_read_part and block_files_read_undo may be called from any thread,
 * block_files_sync from one other thread, while the writer goes on. Where a record
 * lies is kept by the block index, which also keeps each block_file_info.
 */
#ifndef CHAIN_BLOCK_FILES_H
#define CHAIN_BLOCK_FILES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "os/disk.h"
#include "primitives/ids.h"

#define BLOCK_FILE_BYTES_MAX (UINT32_C(128) << 20)
#define BLOCK_FILE_BYTES_MAX_FAST (UINT32_C(64) << 10) /* -fastprune */
#define BLOCK_FILE_FRAME_BYTES 8
#define BLOCK_FILE_UNDO_SUM_BYTES 32
#define BLOCK_FILE_KEY_BYTES 8
#define BLOCK_FILE_NUMBER_MAX 99999
/* Lengths beyond these are refused: what Core would not write or read back. */
#define BLOCK_FILE_BLOCK_BYTES_MAX UINT32_C(4000000)
#define BLOCK_FILE_UNDO_BYTES_MAX (UINT32_C(32) << 20)
/* Growing a file must leave this much of the disk free. */
#define BLOCK_FILE_FREE_BYTES_MIN (UINT64_C(50) << 20)

struct block_files;

/* Where the bytes of a block or undo record begin: behind magic and length. */
struct block_pos {
    int32_t file; /* -1: nowhere. */
    uint32_t offset;
};

#define BLOCK_POS_NONE ((struct block_pos){-1, 0})

static inline bool block_pos_is_none(struct block_pos pos)
{
    return pos.file < 0;
}

/* What is known of a pair of files. All of it belongs into the block index. */
struct block_file_info {
    uint32_t blocks_n;
    uint32_t size;      /* Bytes of blkNNNNN.dat in use. */
    uint32_t undo_size; /* Bytes of revNNNNN.dat in use. */
    uint32_t height_first;
    uint32_t height_last;
    uint64_t time_first;
    uint64_t time_last;
    bool owns_end;      /* What lies behind size is ours to write over. */
    bool owns_undo_end; /* The same for undo_size. */
};

struct block_files_options {
    struct disk *disk;
    const char *folder; /* <blocksdir>/blocks; made if absent. */
    uint8_t magic[4];
    bool fast_prune; /* Small files. */
    bool use_xor;    /* -blocksxor: a random key for a fresh folder. */
    /* Called before the first byte of a new pair of files: must make durable that
     * this pair is ours (an info with size 0 and both owns_ flags), so that after a
     * crash its bytes are not taken for another program's. NULL: not asked. */
    int (*claim)(void *context, int32_t file, struct error *err);
    void *claim_context;
};

/* Read or make xor.dat. As in Core a folder that holds more than hidden files gets
 * the zero key, and a stored key other than zero cannot be switched off.
 *
 * Returns: 0; E_STATE (use_xor is off but a key is stored); E_TRUNCATED or disk
 *          errors. */
NODISCARD int block_files_open(struct block_files **ret_files,
                               const struct block_files_options *options, struct error *err);

/* Does not sync. */
void block_files_close(struct block_files *own_files);

/* The eight bytes; all zero: bytes are stored as they are. For the scan. */
const uint8_t *block_files_key(const struct block_files *files);

/* At start, for each pair that the index knows; before anything is added. */
void block_files_set_info(struct block_files *files, int32_t file,
                          const struct block_file_info *info);

/* Blocks from height on go into other files than those below, so that both can be
 * pruned by themselves: two parts of the chain are filled at once. INT32_MAX: all into
 * one file again. */
void block_files_split(struct block_files *files, int32_t height);
/* Blocks are being added to this pair. */
bool block_files_is_filling(const struct block_files *files, int32_t file);

/* Pairs are numbered 0 .. count - 1; those never used or pruned are all zero. */
int32_t block_files_count(const struct block_files *files);
const struct block_file_info *block_files_info(const struct block_files *files, int32_t file);

/* Infos changed since the last call, for the index: returns false when there are
 * no more, otherwise one of them, now counted as saved. */
bool block_files_next_changed(struct block_files *files, int32_t *ret_file,
                              struct block_file_info *ret_info);

/* Sum of size and undo_size over all pairs (size_on_disk). */
uint64_t block_files_used_bytes(const struct block_files *files);

/* True once after a file has taken more of the disk: time to look at pruning. */
bool block_files_take_grown(struct block_files *files);

/* "<folder>/blkNNNNN.dat" or "rev": the caller's to free. */
char *block_files_path(const struct block_files *files, int32_t file, bool is_undo);

/* Append a block. Written at once, durable after block_files_sync.
 *
 * Returns: 0; E_NO_SPACE ("disk space is too low"); E_LIMIT for a length out of
 *          range or no numbers left; others from the disk. After an error nothing
 *          counts as added.
 * Out:     ret_pos: where it is. */
NODISCARD int block_files_add(struct block_files *files, struct block_pos *ret_pos,
                              struct span bytes, int32_t height, uint64_t time, struct error *err);

/* Take note of a block that a scan of blkNNNNN.dat found there. */
void block_files_add_known(struct block_files *files, struct block_pos pos, uint32_t len,
                           int32_t height, uint64_t time);

/* Append the undo data (coins/undo.h) of a block that lies in the pair `file`.
 * prev: hash of that block's parent. height: the block's. Returns as
 * block_files_add. */
NODISCARD int block_files_add_undo(struct block_files *files, struct block_pos *ret_pos,
                                   int32_t file, struct span bytes, const struct block_hash *prev,
                                   int32_t height, struct error *err);

/* Make everything durable that was added before the call, names included. The
 * failure is final: every later call that writes or syncs fails too. */
NODISCARD int block_files_sync(struct block_files *files, struct error *err);

/* Append the bytes of the block at pos to buf.
 *
 * Returns: 0; E_NOT_FOUND: no such file (pruned meanwhile); E_CORRUPT: no block
 *          begins there (file and offset in err); others from the disk. */
NODISCARD int block_files_read(const struct block_files *files, struct buf *buf,
                               struct block_pos pos, struct error *err);
/* Only len bytes from `from` on; E_LIMIT if the block has fewer or len is 0. */
NODISCARD int block_files_read_part(const struct block_files *files, struct buf *buf,
                                    struct block_pos pos, uint32_t from, uint32_t len,
                                    struct error *err);
/* Append the undo bytes at pos, checked against their checksum. */
NODISCARD int block_files_read_undo(const struct block_files *files, struct buf *buf,
                                    struct block_pos pos, const struct block_hash *prev,
                                    struct error *err);

/* Forget a pair and delete its files (prune). The index must already be durable
 * without the blocks in it. Files that are gone are no error. */
NODISCARD int block_files_remove(struct block_files *files, int32_t file, struct error *err);

/* Combine data, which lies at offset in its file, with the key. */
void block_files_xor(const uint8_t *key, uint64_t offset, uint8_t *data, size_t len);

/* --- Scan: find the blocks in a file that anyone may have written ---
 *
 * For -reindex and -loadblock. Finds what Core's import finds, in the same order:
 * looks for magic and a length from 80 to 4,000,000; goes on one byte further when
 * that is no record; goes on behind the record when it is one, whatever its
 * content; ends where a record claims more bytes than the file has. Memory:
 * BLOCK_SCAN_WINDOW_BYTES. One thread at a time.
 */
struct block_scan;

#define BLOCK_SCAN_WINDOW_BYTES (256U << 10)

struct block_scan_record {
    uint64_t offset;       /* Of the block's bytes. */
    uint32_t len;          /* As claimed; the block in it may be shorter. */
    const uint8_t *header; /* 80 bytes, until the next call. */
};

/* key: 8 bytes, NULL for none (-loadblock). */
NODISCARD int block_scan_open(struct block_scan **ret_scan, struct disk *disk, const char *path,
                              const uint8_t *magic, const uint8_t *key, struct error *err);
void block_scan_close(struct block_scan *own_scan);

/* Returns: 1 and a record; 0 at the end; E_IO ... */
NODISCARD int block_scan_next(struct block_scan *scan, struct block_scan_record *ret_record,
                              struct error *err);

/* Read the len bytes of the record last found straight to ret_data. */
NODISCARD int block_scan_read(struct block_scan *scan, uint8_t *ret_data, struct error *err);

/* The block in the record last found took only block_len bytes: go on there, as
 * Core does after a block it could read. */
void block_scan_go_on_after(struct block_scan *scan, uint32_t block_len);

/* How far the scan is, and the file's length: for progress. */
uint64_t block_scan_offset(const struct block_scan *scan);
uint64_t block_scan_len(const struct block_scan *scan);

#endif /* CHAIN_BLOCK_FILES_H */
