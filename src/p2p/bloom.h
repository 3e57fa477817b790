/* The filter of BIP 37, which a light client loads into us: what may be its own. It
 * tells little and costs us much; nodes offer it only when asked to
 * (-peerbloomfilters).
 *
 * A filter belongs to whoever holds it; no locks.
 */
#ifndef P2P_BLOOM_H
#define P2P_BLOOM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "p2p/message.h"
#include "primitives/block.h"
#include "primitives/tx.h"

/* What is added to the filter when an output matches: nothing, its outpoint, or its
 * outpoint where the output pays to keys or multisig. */
#define BLOOM_UPDATE_NONE 0
#define BLOOM_UPDATE_ALL 1
#define BLOOM_UPDATE_P2PUBKEY_ONLY 2
#define BLOOM_UPDATE_MASK 3

struct bloom {
    uint8_t *data; /* Owned. */
    size_t len;    /* At most FILTER_BYTES_MAX; 0 matches everything. */
    uint32_t hash_funcs;
    uint32_t tweak;
    uint8_t flags;
};

/* As the peer wants it; what message_read_filterload has passed. Copied. */
void bloom_init(struct bloom *ret_bloom, const struct message_filterload *load) NONNULL(1, 2);
void bloom_clear(struct bloom *bloom) NONNULL(1);

void bloom_add(struct bloom *bloom, struct span item) NONNULL(1);
bool bloom_has(const struct bloom *bloom, struct span item) NONNULL(1);
void bloom_add_outpoint(struct bloom *bloom, const struct outpoint *outpoint) NONNULL(1, 2);

/* Does the filter match the transaction: its txid, what its outputs push, what it
 * spends or what its inputs push? Outputs that match may be added (flags). */
bool bloom_match_tx(struct bloom *bloom, const struct tx *tx) NONNULL(1, 2);

/* The answer to a filtered getdata: the block's tree as far as it leads to what the
 * filter matches. ret_matched: room for block->tx_n, which of them. Lists come from
 * arena. */
void bloom_filter_block(struct bloom *bloom, const struct block *block,
                        struct message_merkleblock *ret_merkleblock, bool *ret_matched,
                        struct arena *arena) NONNULL(1, 2, 3, 4, 5);

#endif /* P2P_BLOOM_H */
