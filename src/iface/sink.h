/* Where p2p puts what peers sent: headers, blocks, transactions. The chain thread
 * judges them in the order given and answers each once.
 *
 * Any thread may offer; a call never waits. Memory is bounded by those who offer:
 * p2p has at most one message of each peer with the sink, or some blocks of a peer while
 * has_room says so, and asks has_room before it asks peers for more blocks. Where the
 * chain has no thread (simulator, tests) the work is done, and answered, inside the call
 * (or right after the answer from inside which it was offered). When the chain is closed
 * what is left is answered as not judged: nothing accepted, no results.
 */
#ifndef IFACE_SINK_H
#define IFACE_SINK_H

#include "iface/mempool.h"
#include "iface/node.h"

struct sink;

/* The answer, on the chain thread: be quick, call nothing that waits for it. What is
 * pointed to lives for the call. */
struct headers_answer {
    size_t accepted_n;    /* Of the front of the list. */
    size_t new_n;         /* Of them not known before. */
    enum verdict verdict; /* Of the first one not accepted. V_VALID: all were. */
    char reason[96];
    struct block_hash last; /* The last one accepted; zeros if none. */
};
struct block_answer {
    struct submit_result result; /* As submit_block: connecting may come later, see
                                  * chain_events.block_rejected. */
    struct block_hash hash;
    bool is_mutated;    /* These bytes are bad, another copy may be good. */
    bool is_header_bad; /* The header itself is invalid for ever. */
};
struct txs_answer {
    const struct tx_result *results; /* txs_n; the sink clears them. */
    size_t txs_n;
    const char *package_reason; /* "" */
};

struct sink_ops {
    /* own_headers: from the heap, freed by the sink. Each builds on the one before.
     * Chains below the minimum work are p2p's to keep away (presync). */
    void (*offer_headers)(struct sink *sink, struct header *own_headers, size_t n,
                          void (*done)(void *context, const struct headers_answer *answer),
                          void *context);
    /* own_bytes is taken. is_requested: we asked for it (otherwise only a block with as
     * much work as the tip, not too far ahead, is stored). The answer comes when the block
     * has been checked by itself and stored, or refused; connecting goes on behind it
     * unless the chain is up to date: then it comes when the block has been connected. */
    void (*offer_block)(struct sink *sink, struct buf *own_bytes, bool is_requested,
                        void (*done)(void *context, const struct block_answer *answer),
                        void *context);
    /* txs: held by the sink until the answer. n > 1: a package, parents first. */
    void (*offer_txs)(struct sink *sink, const struct tx_ref *const *txs, size_t n,
                      void (*done)(void *context, const struct txs_answer *answer), void *context);
    /* Would the mempool take it? Nothing is changed. */
    void (*test_tx)(struct sink *sink, const struct tx_ref *tx,
                    void (*done)(void *context, const struct txs_answer *answer), void *context);
    /* More blocks may be asked for: those not judged yet hold less than the bound. Any
     * thread. */
    bool (*has_room)(struct sink *sink);
};

struct sink {
    const struct sink_ops *ops;
};

#endif /* IFACE_SINK_H */
