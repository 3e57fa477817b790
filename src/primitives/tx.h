/* Transactions, as views into the bytes they were read from.
 *
 * Reading allocates only from the arena; scripts and witness items point into
 * the input, which must outlive the transaction. A tx is immutable once read
 * and may be shared by threads.
 */
#ifndef PRIMITIVES_TX_H
#define PRIMITIVES_TX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "codec/reader.h"
#include "primitives/ids.h"

#define WITNESS_SCALE_FACTOR 4
#define SEQUENCE_FINAL 0xffffffffU
/* BIP 68. */
#define SEQUENCE_LOCKTIME_DISABLE_FLAG (1U << 31)
#define SEQUENCE_LOCKTIME_TYPE_FLAG (1U << 22)
#define SEQUENCE_LOCKTIME_MASK 0x0000ffffU
#define SEQUENCE_LOCKTIME_GRANULARITY 9
/* nLockTime below this is a height, from here on a time. */
#define LOCKTIME_THRESHOLD 500000000U

struct tx_in {
    struct outpoint prevout;
    struct span script_sig;
    uint32_t sequence;
    uint32_t witness_n;         /* Items; 0 without witness. */
    const struct span *witness; /* Bottom of the stack first. */
};

struct tx_out {
    int64_t value_sat;
    struct span script_pubkey;
};

struct tx {
    struct txid txid;
    struct wtxid wtxid; /* Equal to txid when there is no witness. */
    uint32_t version;   /* Compared as unsigned since BIP 431; signed on the wire. */
    uint32_t lock_time;
    uint32_t in_n;
    uint32_t out_n;
    const struct tx_in *in;
    const struct tx_out *out;
    bool has_witness;     /* Serialized with marker and flag. */
    uint32_t base_bytes;  /* Without witness. */
    uint32_t total_bytes; /* As serialized. */
    struct span raw;      /* As serialized, total_bytes. */
    struct span body;     /* Within raw: from the input count to the last output. */
};

/* How ids are made while reading. */
enum tx_read_mode {
    TX_READ_IDS,   /* txid and wtxid are computed at once. */
    TX_READ_NO_IDS /* Left zero: block_read hashes all of them together. */
};

/* Read one transaction, BIP 144 form or old form.
 *
 * Returns: 0, or E_TRUNCATED or E_MALFORMED as the wire rules of Bitcoin Core
 *          say (non-canonical sizes, superfluous witness, unknown flag). On
 *          failure r is failed too.
 * Out:     ret_tx: arrays from arena, bytes from the reader's input. */
NODISCARD int tx_read(struct tx *ret_tx, struct reader *r, struct arena *arena,
                      enum tx_read_mode mode) NONNULL(1, 2, 3);

/* As tx_read, but never takes an empty input list for the marker of BIP 144:
 * what RPC needs for unfunded transactions. */
NODISCARD int tx_read_no_witness(struct tx *ret_tx, struct reader *r, struct arena *arena)
    NONNULL(1, 2, 3);

/* Serialize from the fields (not from raw), with or without witness. */
void tx_write(struct buf *buf, const struct tx *tx, bool with_witness) NONNULL(1, 2);

/* Fill txid, wtxid, sizes from the fields: for a tx made by hand. raw and body
 * become arena copies. */
void tx_finish(struct tx *tx, struct arena *arena) NONNULL(1, 2);

/* BIP 141: base_bytes * 3 + total_bytes. */
static inline uint64_t tx_weight(const struct tx *tx)
{
    return (uint64_t)tx->base_bytes * (WITNESS_SCALE_FACTOR - 1) + tx->total_bytes;
}

static inline bool tx_is_coinbase(const struct tx *tx)
{
    return tx->in_n == 1 && outpoint_is_null(&tx->in[0].prevout);
}

#endif /* PRIMITIVES_TX_H */
