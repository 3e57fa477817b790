/* The file of dumptxoutset and loadtxoutset, in Bitcoin Core's format, version 2:
 *
 *     "utxo" ff | version 2 | network magic 4 | base block hash 32 | coins 8
 *     and for each transaction, by txid: txid 32, how many, and for each output
 *     its number and the coin in short form (compress.h)
 */
#ifndef COINS_SNAPSHOT_H
#define COINS_SNAPSHOT_H

#include "coins/coins.h"
#include "coins/stats.h"

#define SNAPSHOT_HEADER_BYTES 51U

struct snapshot_header {
    uint8_t magic[4]; /* Of the network. */
    struct block_hash base;
    uint64_t coins_n;
};

/* Write the coins of the last commit to path, by way of "<path>.incomplete", so that
 * path is there whole or not at all. A named pipe is written into as it is, once
 * somebody reads. Any thread.
 *
 * Returns: 0; E_EXISTS when path is there; E_STOPPED; disk and store errors.
 * Out:     ret_stats: with COINS_HASH_SERIALIZED_3.
 * In:      options:   for the walk; may be NULL. */
NODISCARD int snapshot_write(struct disk *disk, const char *path, const uint8_t *magic,
                             struct coins_store *store, struct snapshot_header *ret_header,
                             struct coins_stats *ret_stats,
                             const struct coins_scan_options *options, struct error *err);

/* Can snapshot_write write to path? Leaves "<path>.incomplete" behind, empty; where
 * snapshot_write does not follow, snapshot_probe_undo removes it.
 *
 * Returns: 0; E_EXISTS; disk errors. */
NODISCARD int snapshot_probe(struct disk *disk, const char *path, struct error *err);
NODISCARD int snapshot_probe_undo(struct disk *disk, const char *path, struct error *err);

/* Reading, in bounded memory. One thread. */
struct snapshot_reader;

/* Opens and reads the header. E_MALFORMED: not a snapshot, or of another version; the
 * network is for the caller to look at. E_STATE: a named pipe. */
NODISCARD int snapshot_reader_new(struct snapshot_reader **ret_reader,
                                  struct snapshot_header *ret_header, struct disk *disk,
                                  const char *path, struct error *err);

/* The next coin. No coin may be above base_height.
 *
 * Returns: 1; 0 after the last one, when nothing follows it; E_MALFORMED; disk
 *          errors.
 * Out:     ret_coin: its script lives until the next call. */
NODISCARD int snapshot_reader_next(struct snapshot_reader *reader, struct outpoint *ret_outpoint,
                                   struct coin *ret_coin, uint32_t base_height, struct error *err);
void snapshot_reader_free(struct snapshot_reader *own_reader);

#endif /* COINS_SNAPSHOT_H */
