/* Transactions of ours on their way to the network without a trace to us: each is sent
 * over a few short-lived connections through Tor or I2P, until it comes back from a peer.
 * This is the list of them, and what was sent where.
 *
 * Pure; belongs to one thread. Bounds: PRIVATE_TXS_MAX transactions,
 * PRIVATE_TRIES_MAX peers for each.
 */
#ifndef P2P_PRIVATE_BROADCAST_H
#define P2P_PRIVATE_BROADCAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "p2p/address.h"
#include "primitives/tx_ref.h"

#define PRIVATE_TXS_MAX 10000
#define PRIVATE_TRIES_MAX 1000
#define PRIVATE_CONNECTIONS 3 /* For each new transaction. */
#define PRIVATE_CONNECTIONS_MAX 64
/* It ought to have come back after that long: since it was added if nobody has confirmed
 * to have got it, else since the last confirmation. */
#define PRIVATE_STALE_FIRST_MS (5 * 60 * 1000)
#define PRIVATE_STALE_MS (60 * 1000)

struct private_broadcast;

struct private_broadcast *private_broadcast_new(void);
void private_broadcast_free(struct private_broadcast *own_privates); /* NULL is fine. */

enum private_add {
    PRIVATE_ADDED,
    PRIVATE_KNOWN, /* It is on its way. */
    PRIVATE_FULL
};
/* One that had all its tries begins again. tx is held. */
enum private_add private_broadcast_add(struct private_broadcast *privates, const struct tx_ref *tx,
                                       int64_t now_ms) NONNULL(1, 2);
/* By wtxid. False: it is not there. ret_confirmed: how many peers have got it. */
bool private_broadcast_remove(struct private_broadcast *privates, size_t *ret_confirmed,
                              const struct wtxid *wtxid) NONNULL(1, 2, 3);

/* What to send to a peer: of those with tries left the one sent and confirmed least, and
 * longest ago. Noted as sent. Not held; NULL: none. A peer gets one. */
const struct tx_ref *private_broadcast_pick(struct private_broadcast *privates, int64_t peer,
                                            const struct net_address *address, int64_t now_ms)
    NONNULL(1, 3);
/* What was picked for it; NULL: nothing. Not held. */
const struct tx_ref *private_broadcast_of(const struct private_broadcast *privates, int64_t peer)
    NONNULL(1);
void private_broadcast_confirmed(struct private_broadcast *privates, int64_t peer, int64_t now_ms)
    NONNULL(1);
bool private_broadcast_is_confirmed(const struct private_broadcast *privates, int64_t peer)
    NONNULL(1);
/* Any with tries left? */
bool private_broadcast_has_pending(const struct private_broadcast *privates) NONNULL(1);

/* Those that ought to have come back, with tries left. From arena; held for the caller. */
void private_broadcast_stale(const struct private_broadcast *privates,
                             const struct tx_ref ***ret_txs, size_t *ret_n, int64_t now_ms,
                             struct arena *arena) NONNULL(1, 2, 3, 5);

struct private_try {
    int64_t peer;
    struct net_address address;
    int64_t sent_ms, confirmed_ms; /* 0: not confirmed. */
};
size_t private_broadcast_count(const struct private_broadcast *privates) NONNULL(1);
/* All, in the order in which they were added. Nothing is held for visit. */
void private_broadcast_walk(const struct private_broadcast *privates,
                            void (*visit)(void *context, const struct tx_ref *tx, int64_t added_ms,
                                          const struct private_try *tries, size_t tries_n),
                            void *context) NONNULL(1, 2);

#endif /* P2P_PRIVATE_BROADCAST_H */
