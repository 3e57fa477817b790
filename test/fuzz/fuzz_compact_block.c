/* Target: compact blocks from a peer. The input is a byte of choices, the length of a
 * cmpctblock, that, and a blocktxn; their own transactions are what the mempool offers. Whatever
 * comes out as a block reads as one, has the root its header says, and makes the message again. */
#include "base/check.h"
#include "p2p/compact_block.h"
#include "primitives/merkle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_block(const struct buf *bytes, const struct message_cmpctblock *message,
                        struct arena *arena)
{
    struct block block;
    struct merkle_root root;
    bool is_mutated;
    struct message_cmpctblock again;
    struct buf buf = {0};

    CHECK(block_read(&block, bytes->data, bytes->len, arena) == 0);
    root = block_merkle_root(&block, &is_mutated, arena);
    CHECK(!is_mutated);
    CHECK(memcmp(root.b, message->header.merkle_root.b, HASH_BYTES) == 0);
    CHECK(block.tx_n == message->short_n + message->prefilled_n);
    compact_block_write(&buf, &block, message->nonce, NULL, 0);
    CHECK(message_read_cmpctblock(&again, span_of_buf(&buf), arena, NULL) == 0);
    CHECK(again.short_n == block.tx_n - 1);
    buf_clear(&buf);
}

/* The header's root is made to fit what is there, so that the good end is reached, too:
 * a stranger can do that as well, but for the work. */
static void make_fit(struct message_cmpctblock *message, const struct message_blocktxn *txs,
                     struct arena *arena)
{
    uint32_t n = message->short_n + message->prefilled_n;
    uint8_t *leaves = arena_array(arena, n, HASH_BYTES);
    uint32_t prefilled = 0;
    uint32_t missing = 0;

    for (uint32_t i = 0; i < n; i++) {
        const struct tx *tx = NULL;

        if (prefilled < message->prefilled_n && message->prefilled[prefilled].index == i)
            tx = &message->prefilled[prefilled++].tx;
        else if (missing < txs->n)
            tx = &txs->tx[missing++];
        if (tx != NULL)
            memcpy(leaves + (size_t)i * HASH_BYTES, tx->txid.b, HASH_BYTES);
    }
    merkle_root_of(message->header.merkle_root.b, NULL, leaves, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct message_cmpctblock message;
    struct message_blocktxn txs = {.n = 0};
    struct message_getblocktxn asked;
    struct compact_block *partial = NULL;
    struct buf bytes = {0};
    struct arena arena;
    size_t first;

    if (len < 4)
        return 0;
    first = MIN((size_t)get_le16(data + 1), len - 3);
    arena_init(&arena);
    if (message_read_cmpctblock(&message, span_of(data + 3, first), &arena, NULL) < 0)
        goto done;
    if (message_read_blocktxn(&txs, span_of(data + 3 + first, len - 3 - first), &arena, NULL) < 0)
        txs.n = 0;
    if (message.short_n + message.prefilled_n > 0 && (data[0] & 1) != 0)
        make_fit(&message, &txs, &arena);
    if (compact_block_new(&partial, &message, 12345) != COMPACT_OK)
        goto done;
    for (uint32_t i = 0; i < txs.n && (data[0] & 2) != 0; i++) {
        struct tx_ref *ref;

        if (tx_ref_read(&ref, txs.tx[i].raw, NULL) == 0) {
            (void)compact_block_offer(partial, ref);
            tx_ref_drop(ref);
        }
    }
    compact_block_missing(partial, &asked, &arena);
    CHECK(asked.n + compact_block_found_n(partial) == message.short_n);
    if (compact_block_fill(partial, txs.tx, txs.n, &bytes) == COMPACT_OK)
        check_block(&bytes, &message, &arena);
    else
        CHECK(bytes.len == 0);
done:
    compact_block_free(partial);
    buf_clear(&bytes);
    arena_clear(&arena);
    return 0;
}
