/* Blocks told by the short names of their transactions (BIP 152, version 2: names are
 * made of wtxids): making such a message, and putting a block together from one.
 *
 *   compact_block_new ─► compact_block_offer for all of the mempool (its walk, under
 *   its lock), then for the extra transactions ─► compact_block_missing tells what
 *   to ask the peer for ─► compact_block_fill makes the block's bytes.
 *
 * What one holds: the message's prefilled transactions (at most its bytes), 40 bytes for
 * each of them, 40 for every transaction of the block, and the counted transactions that
 * matched. Belongs to whoever holds it; no locks.
 */
#ifndef P2P_COMPACT_BLOCK_H
#define P2P_COMPACT_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "crypto/siphash.h"
#include "p2p/message.h"
#include "primitives/block.h"
#include "primitives/tx_ref.h"

/* --- Making --- */

/* Of one message: the key from header and nonce. */
struct siphash_key compact_key_of(const struct header *header, uint64_t nonce) NONNULL(1);
/* Six bytes. */
uint64_t compact_short_id(const struct siphash_key *key, const struct wtxid *wtxid) NONNULL(1, 2);

/* Appends the payload of a cmpctblock. The coinbase is always prefilled; prefill:
 * indices of others that the peers probably lack, strictly rising, 1 on; may be empty.
 * nonce: random, of this message. block: its transactions with ids, and its bytes. */
void compact_block_write(struct buf *buf, const struct block *block, uint64_t nonce,
                         const uint32_t *prefill, size_t prefill_n) NONNULL(1, 2);

/* --- Putting together --- */

enum compact_result {
    COMPACT_OK,
    COMPACT_INVALID, /* No honest peer sends this. */
    COMPACT_FAILED   /* Short names coincide, or the parts do not make the block: ask for
                        the whole block; nobody is to blame. */
};

struct compact_block;

/* cmpctblock: as message_read_cmpctblock gave it; nothing of it is kept. salt: random.
 * Only for COMPACT_OK *ret_block is set; release with compact_block_free. */
NODISCARD enum compact_result compact_block_new(struct compact_block **ret_block,
                                                const struct message_cmpctblock *cmpctblock,
                                                uint64_t salt) NONNULL(1, 2);
void compact_block_free(struct compact_block *own_block); /* NULL is fine. */

/* A transaction we know: taken (held) if its short name is wanted. Two different ones
 * with one short name: neither is. Offering one twice is fine.
 * Returns: false when every short name is found: no further ones are needed. */
bool compact_block_offer(struct compact_block *block, const struct tx_ref *tx) NONNULL(1, 2);

const struct header *compact_block_header(const struct compact_block *block) NONNULL(1);
const struct block_hash *compact_block_hash(const struct compact_block *block) NONNULL(1);
uint32_t compact_block_tx_n(const struct compact_block *block) NONNULL(1);
uint32_t compact_block_prefilled_n(const struct compact_block *block) NONNULL(1);
/* How many were found among those offered. */
uint32_t compact_block_found_n(const struct compact_block *block) NONNULL(1);

/* What is not there, for a getblocktxn; the list from arena. */
void compact_block_missing(const struct compact_block *block,
                           struct message_getblocktxn *ret_getblocktxn, struct arena *arena)
    NONNULL(1, 2, 3);

/* The block's bytes, appended to buf, from what is there and the missing transactions in
 * order. COMPACT_INVALID: missing_n is not what is missing. COMPACT_FAILED: the bytes
 * are more than a block may have, or the merkle root does not fit (or fits another list
 * as well); buf is then as before. The witness is not looked at: the chain does. May
 * be called again. */
NODISCARD enum compact_result compact_block_fill(const struct compact_block *block,
                                                 const struct tx *missing, size_t missing_n,
                                                 struct buf *buf) NONNULL(1, 4);

/* --- Answering getblocktxn --- */

/* Appends the payload of a blocktxn. False (nothing appended) if an index is not in the
 * block: no honest peer asks that. */
NODISCARD bool compact_block_answer(struct buf *buf, const struct block *block,
                                    const struct message_getblocktxn *getblocktxn) NONNULL(1, 2, 3);

#endif /* P2P_COMPACT_BLOCK_H */
