/* Which transaction is asked of which peer, and when.
 *
 * What peers announce (a peer, and a txid or wtxid) is kept until the transaction has
 * come or nobody is left to ask. For one id at most one request is in flight. Of those
 * whose time has come the preferred peers go first; among equals a salted hash of id and
 * peer decides, so that no peer can make itself the first to be asked. A peer that did
 * not answer in time, or had nothing, is not asked again for that id.
 *
 * Ids are taken as they are: a txid and an equal wtxid are one id. Times are in
 * milliseconds of any one clock; announcements whose time has come stay ready when the
 * clock is set back.
 *
 * Pure: no clock, no randomness but the key. Belongs to one thread. Memory: per
 * announcement some 100 bytes; the caller bounds them per peer (tx_request_count).
 */
#ifndef P2P_TX_REQUEST_H
#define P2P_TX_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "crypto/siphash.h"
#include "iface/mempool.h"

struct tx_requests;

struct tx_requests *tx_request_new(const struct siphash_key *key) NONNULL(1);
void tx_request_free(struct tx_requests *own_requests); /* NULL is fine. */

/* peer has the transaction and may be asked from at_ms on. Nothing happens if it has
 * announced this id before. */
void tx_request_announced(struct tx_requests *requests, int64_t peer, const struct tx_name *name,
                          bool is_preferred, int64_t at_ms) NONNULL(1, 3);

struct tx_request_expired {
    int64_t peer;
    struct tx_name name;
};
/* Moves time to now_ms, for all peers. Out: what to ask of peer now, in the order in which
 * it was announced; ret_expired: requests (of any peer) that were not answered in time.
 * Both from arena. What is listed is asked for with tx_request_sent or given up with
 * tx_request_forget before the next call. */
void tx_request_due(struct tx_requests *requests, struct tx_name **ret_names, size_t *ret_n,
                    struct tx_request_expired **ret_expired, size_t *ret_expired_n, int64_t peer,
                    int64_t now_ms, struct arena *arena) NONNULL(1, 2, 3, 4, 5, 8);

/* It was asked of peer, who has until expiry_ms. Nothing happens if peer is no candidate. */
void tx_request_sent(struct tx_requests *requests, int64_t peer, const uint8_t *id,
                     int64_t expiry_ms) NONNULL(1, 3);
/* peer sent it, or said that it has not got it. */
void tx_request_answered(struct tx_requests *requests, int64_t peer, const uint8_t *id)
    NONNULL(1, 3);

/* Nobody need be asked for it any more. */
void tx_request_forget(struct tx_requests *requests, const uint8_t *id) NONNULL(1, 2);
void tx_request_peer_gone(struct tx_requests *requests, int64_t peer) NONNULL(1);

/* Peers that announced it and have not answered yet; at most max are written. Returns how
 * many were. */
size_t tx_request_candidates(const struct tx_requests *requests, int64_t *ret_peers, size_t max,
                             const uint8_t *id) NONNULL(1, 4);

/* Announcements of a peer: all, and those in flight. */
size_t tx_request_count(const struct tx_requests *requests, int64_t peer) NONNULL(1);
size_t tx_request_in_flight(const struct tx_requests *requests, int64_t peer) NONNULL(1);
size_t tx_request_total(const struct tx_requests *requests) NONNULL(1);

/* The rank among candidates; the greatest is asked first. For tests. */
uint64_t tx_request_priority(const struct siphash_key *key, const uint8_t *id, int64_t peer,
                             bool is_preferred) NONNULL(1, 2);

#endif /* P2P_TX_REQUEST_H */
