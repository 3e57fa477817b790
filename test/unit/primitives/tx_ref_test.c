/* A counted transaction says what the bytes it was read from say. */
#include "primitives/tx_ref.h"

#include "primitives/block.h"
#include "test.h"

static void same_as_in_the_block(void)
{
    const char *path = test_data_path("blocks/mainnet_481824.raw");
    struct buf bytes = {0};
    struct arena arena;
    struct block block;

    if (path == NULL) {
        test_skip("no ASSAY_DATA");
        return;
    }
    arena_init(&arena);
    EXPECT_TRUE("file", test_read_file(&bytes, path));
    EXPECT_INT("block", block_read(&block, bytes.data, bytes.len, &arena), 0);
    for (uint32_t t = 0; t < block.tx_n; t++) {
        const struct tx *tx = &block.tx[t];
        struct buf copy = {0};
        struct buf written = {0};
        struct tx_ref *ref;

        buf_add(&copy, tx->raw.data, tx->raw.len);
        EXPECT_INT("read", tx_ref_read(&ref, span_of_buf(&copy), NULL), 0);
        memset(copy.data, 0xee, copy.len); /* It must not matter any more. */
        buf_clear(&copy);
        EXPECT_TRUE("txid", txid_equal(&ref->tx.txid, &tx->txid));
        EXPECT_TRUE("raw", span_equal(ref->tx.raw, tx->raw));
        EXPECT_TRUE("body", span_equal(ref->tx.body, tx->body));
        tx_write(&written, &ref->tx, true);
        EXPECT_TRUE("fields", span_equal(span_of_buf(&written), tx->raw));
        buf_clear(&written);
        EXPECT_TRUE("held", tx_ref_hold(ref) == ref);
        tx_ref_drop(ref);
        EXPECT_U64("holders", ref->holders, 1);
        tx_ref_drop(ref);
    }
    buf_clear(&bytes);
    arena_clear(&arena);
}

static void bad_bytes_make_none(void)
{
    static const uint8_t junk[] = {1, 0, 0, 0, 0};
    struct tx_ref *ref = NULL;

    EXPECT_TRUE("cut", tx_ref_read(&ref, (struct span){junk, sizeof(junk)}, NULL) < 0);
    EXPECT_TRUE("none", ref == NULL);
    tx_ref_drop(NULL);
}

TEST_LIST(TEST(same_as_in_the_block), TEST(bad_bytes_make_none))
