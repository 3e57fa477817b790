/* Transactions whose parents we do not know.
 *
 * Which of them will ever be good cannot be told, so peers share a bounded room fairly:
 * each one that holds something here has the same share of the announcements and
 * ORPHANAGE_PEER_WEIGHT of weight. Nothing goes out while all of it together fits; then
 * the oldest of the peer that is furthest above its share goes first. A peer within its
 * share never loses a transaction through others.
 *
 * A transaction stays as long as one of its announcers' entries stays. When a parent has
 * come it goes on the work list of one of its announcers, chosen at random.
 *
 * Pure but for log lines; belongs to one thread. Bounds: announcements and a tenth of the
 * inputs together at most ORPHANAGE_SCORE_MAX; weight at most ORPHANAGE_PEER_WEIGHT times
 * the peers that hold something; one transaction at most ORPHAN_WEIGHT_MAX.
 */
#ifndef P2P_ORPHANAGE_H
#define P2P_ORPHANAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "crypto/siphash.h"
#include "p2p/random.h"
#include "primitives/tx_ref.h"

#define ORPHANAGE_SCORE_MAX 3000
#define ORPHANAGE_PEER_WEIGHT 404000
#define ORPHAN_WEIGHT_MAX 400000 /* Heavier is not relayed by anybody. */

struct orphanage;

/* score_max, peer_weight: the bounds above, smaller in tests. */
struct orphanage *orphanage_new(const struct siphash_key *key, uint32_t score_max,
                                int64_t peer_weight) NONNULL(1);
void orphanage_free(struct orphanage *own_orphanage); /* NULL is fine. */

/* peer has sent tx, or announced it. True: it was not here before. tx is held. Another
 * transaction, or even this one, may go out for it. */
bool orphanage_add(struct orphanage *orphanage, const struct tx_ref *tx, int64_t peer)
    NONNULL(1, 2);
/* peer has one that is here, too. False: it is not here, or peer was known to. */
bool orphanage_add_announcer(struct orphanage *orphanage, const struct wtxid *wtxid, int64_t peer)
    NONNULL(1, 2);

/* NULL: not here. Not held for the caller. */
const struct tx_ref *orphanage_find(const struct orphanage *orphanage, const struct wtxid *wtxid)
    NONNULL(1, 2);
bool orphanage_has_from(const struct orphanage *orphanage, const struct wtxid *wtxid, int64_t peer)
    NONNULL(1, 2);

/* Returns whether it was here. */
bool orphanage_remove(struct orphanage *orphanage, const struct wtxid *wtxid) NONNULL(1, 2);
void orphanage_peer_gone(struct orphanage *orphanage, int64_t peer) NONNULL(1);
/* A block has spent these: those that spend one of them, too, are in the block or will
 * never be. */
void orphanage_spent(struct orphanage *orphanage, const struct outpoint *spent, size_t n)
    NONNULL(1);

/* A parent with out_n outputs has come: its children here are to be looked at again.
 * ret_peers (from arena): on whose work list each went; a peer may be in it several
 * times. */
void orphanage_parent_came(struct orphanage *orphanage, const struct txid *parent, uint32_t out_n,
                           struct random_source *random, int64_t **ret_peers, size_t *ret_n,
                           struct arena *arena) NONNULL(1, 2, 4, 5, 6, 7);
bool orphanage_has_work(const struct orphanage *orphanage, int64_t peer) NONNULL(1);
/* The oldest of peer's work list, held for the caller, and off the list; it stays here.
 * NULL: none. */
const struct tx_ref *orphanage_take_work(struct orphanage *orphanage, int64_t peer) NONNULL(1);

/* Those that spend from parent and were announced by peer, on the work list first, then the
 * newest first. Not held; from arena. */
void orphanage_children(const struct orphanage *orphanage, const struct tx_ref *const **ret_txs,
                        size_t *ret_n, const struct txid *parent, int64_t peer, struct arena *arena)
    NONNULL(1, 2, 3, 4, 6);

/* Everything, in no order. tx is not held; from arena. */
struct orphan_info {
    const struct tx_ref *tx;
    int64_t *peers; /* Rising. */
    size_t peers_n;
};
void orphanage_list(const struct orphanage *orphanage, struct orphan_info **ret_list, size_t *ret_n,
                    struct arena *arena) NONNULL(1, 2, 3, 4);

/* What its bounds count. */
struct orphanage_usage {
    uint32_t announcements; /* Pairs of peer and transaction. */
    uint32_t score;         /* Announcements, and a tenth of each transaction's inputs. */
    int64_t weight;         /* Each transaction once. */
    uint32_t txs, peers;
};
struct orphanage_usage orphanage_usage(const struct orphanage *orphanage) NONNULL(1);
/* Of one peer: score and weight of all it has announced. */
struct orphanage_usage orphanage_peer_usage(const struct orphanage *orphanage, int64_t peer)
    NONNULL(1);

#endif /* P2P_ORPHANAGE_H */
