/* Fee estimation from blocks: how long did transactions of each feerate wait?
 *
 * Feerates fall into buckets, each 5 % wider than the one before. Three horizons, that
 * forget at different speeds, count for each bucket how many transactions were confirmed
 * within so many blocks, and how many left unconfirmed after waiting that long. An
 * estimate is the average of the cheapest range of buckets of which a great enough share
 * was confirmed in time. The numbers, and the file they are kept in, are those of Bitcoin
 * Core's block policy estimator.
 *
 * Owner: the mempool, under its lock.
 */
#ifndef MEMPOOL_FEES_H
#define MEMPOOL_FEES_H

#include "mempool/mempool.h"

#define FEES_FILE_NAME "fee_estimates.dat"
#define FEES_UNTRACKED UINT16_MAX
#define FEES_FILE_AGE_MAX_S (60 * 60 * 60)
#define FEES_SAVE_INTERVAL_S (60 * 60)

struct fees;

/* Reads <folder>/fee_estimates.dat if it is there, whole and not too old. now_s: for its
 * age; 0 takes it of any age. */
struct fees *fees_new(struct disk *disk, const char *folder, int64_t now_s);
void fees_free(struct fees *own_fees);

/* A transaction entered when the tip was at height. Returns its bucket: to be kept, and
 * given back when it leaves; FEES_UNTRACKED if it tells nothing. is_telling: it came by
 * itself, in time, and depends on nobody. */
uint16_t fees_tx_added(struct fees *fees, int64_t rate_sat_kvb, int32_t height, bool is_telling);
/* It left, but not with a block. */
void fees_tx_removed(struct fees *fees, uint16_t bucket, int32_t height);

/* One that a block took. */
struct fees_confirmed {
    uint16_t bucket; /* Not FEES_UNTRACKED. */
    int32_t height;  /* As it entered. */
    int64_t rate_sat_kvb;
};
void fees_block(struct fees *fees, int32_t height, const struct fees_confirmed *txs, size_t n);

/* sat_kvb: -1 if not enough is known. */
struct fee_estimate fees_estimate(const struct fees *fees, int32_t target_blocks,
                                  enum fee_mode mode);
int32_t fees_target_max(const struct fees *fees);
size_t fees_estimate_raw(const struct fees *fees, struct fee_horizon ret_horizons[3],
                         int32_t target_blocks, double threshold);

/* The state as the file holds it, appended. */
void fees_write(const struct fees *fees, struct buf *buf);
/* Replaces the state. Anything but 0 leaves it as it was. */
NODISCARD int fees_read(struct fees *fees, struct span bytes, struct error *err);

#endif /* MEMPOOL_FEES_H */
