/* What gettxoutsetinfo tells of the coins: counts, total, and a hash of the set,
 * the same on every node.
 */
#ifndef COINS_STATS_H
#define COINS_STATS_H

#include "coins/coins.h"
#include "crypto/muhash.h"
#include "crypto/sha256.h"

enum coins_hash_kind {
    COINS_HASH_NONE,
    COINS_HASH_SERIALIZED_3, /* Double SHA-256 over all coins in order. */
    COINS_HASH_MUHASH
};

struct coins_stats {
    uint64_t tx_n; /* Transactions with coins left. */
    uint64_t outputs_n;
    uint64_t bogosize;
    int64_t total_sat;
    uint8_t hash[SHA256_BYTES]; /* Wire order; zeros for COINS_HASH_NONE. */
};

/* How a coin enters the hashes: outpoint 36, height * 2 + coinbase 4, amount 8,
 * script with its length. Appended to buf. */
void coin_write_for_hash(struct buf *buf, const struct outpoint *outpoint, const struct coin *coin);
uint64_t coin_bogosize(const struct coin *coin);

/* Collecting the figures coin by coin, in the order of the outpoints. */
struct coins_stats_maker {
    enum coins_hash_kind kind;
    struct coins_stats stats;
    struct txid last_txid;
    struct sha256 sha256;
    struct muhash muhash;
    struct buf bytes;
};

void coins_stats_maker_init(struct coins_stats_maker *maker, enum coins_hash_kind kind);
/* E_CORRUPT when the total leaves the range of 64 bits. */
NODISCARD int coins_stats_maker_add(struct coins_stats_maker *maker,
                                    const struct outpoint *outpoint, const struct coin *coin,
                                    struct error *err);
/* Ends the hash and releases what the maker holds. */
void coins_stats_maker_finish(struct coins_stats_maker *maker, struct coins_stats *ret_stats);

/* Over all coins of the last commit. Any thread; options as for a scan, whose order
 * is always by outpoint here; may be NULL. ret_tip may be NULL. */
NODISCARD int coins_stats_compute(struct coins_stats *ret_stats, struct block_hash *ret_tip,
                                  struct coins_store *store, enum coins_hash_kind kind,
                                  const struct coins_scan_options *options, struct error *err);

#endif /* COINS_STATS_H */
