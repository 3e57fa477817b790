/* The block index on disk: the header tree with what is known of each block, the
 * block files' infos and a few facts, in one append-only log with checksums
 * (blocks/index/assay-index.log). Private to the chain room.
 *
 * Nothing in it is written before what it tells of is durable: a commit makes
 * block and undo bytes durable first and hands its changes to block_index_write
 * then. Files that other programs keep in the same folder are left alone.
 *
 * Threads: opened by one; then block_index_write is safe from any.
 */
#ifndef CHAIN_BLOCK_INDEX_PRIV_H
#define CHAIN_BLOCK_INDEX_PRIV_H

#include "chain/block_files.h"
#include "headers/tree.h"
#include "os/disk.h"

struct block_index;

/* Where the coins of the tip come from. The numbers are those on disk. */
enum snapshot_stage {
    SNAPSHOT_NONE,    /* From genesis. */
    SNAPSHOT_ASSUMED, /* From a snapshot; those from genesis have not reached its base. */
    SNAPSHOT_VERIFIED /* From a snapshot that was found true; they may take the place of
                         the others, and are perhaps doing so. */
};

/* Facts that are neither about one block nor about one file. */
struct block_index_facts {
    bool is_reindexing; /* The files are not yet known completely. */
    bool has_pruned;    /* Blocks have been removed at some time. */
    enum snapshot_stage snapshot;
    struct block_hash snapshot_base; /* Zeros without a snapshot. */
};

struct block_index_options {
    struct disk *disk;
    const char *folder;       /* <blocksdir>/blocks; its index folder is made. */
    struct header_tree *tree; /* Holds genesis only; gets the rest. */
    bool is_reindex;          /* Start over: afterwards the facts say is_reindexing. */
};

/* Returns: 0; E_CORRUPT (file and offset; also for another network's index);
 *          disk errors.
 * Out:     ret_is_fresh: nothing had been written to it. */
NODISCARD int block_index_open(struct block_index **ret_index, bool *ret_is_fresh,
                               const struct block_index_options *options, struct error *err);
void block_index_close(struct block_index *own_index);

/* What the log said when it was opened. */
const struct block_index_facts *block_index_facts(const struct block_index *index);
uint32_t block_index_nodes_n(const struct block_index *index);
size_t block_index_files_n(const struct block_index *index);
const struct block_file_info *block_index_file(const struct block_index *index, size_t file);

/* Changes gather on the chain thread ... Zero to start. */
struct block_index_changes {
    struct buf bytes;
    size_t last; /* Where the last record begins. */
};
void block_index_add_node(struct block_index_changes *changes, const struct header_node *node,
                          bool is_new);
void block_index_add_file(struct block_index_changes *changes, int32_t file,
                          const struct block_file_info *info);
void block_index_add_facts(struct block_index_changes *changes,
                           const struct block_index_facts *facts);
/* ... and are appended and made durable together, in the order in which they were
 * added; new nodes must come in the order of the tree. */
NODISCARD int block_index_write(struct block_index *index,
                                const struct block_index_changes *changes, struct error *err);
/* Facts are kept here too. */
void block_index_set_facts(struct block_index *index, const struct block_index_facts *facts);

/* Write the log anew from the tree if it has grown well beyond what it must hold.
 * Before other threads use the index. */
NODISCARD int block_index_tidy(struct block_index *index, struct error *err);

#endif /* CHAIN_BLOCK_INDEX_PRIV_H */
