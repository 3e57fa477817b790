/* Real blocks, read and written back byte for byte. */
#include "primitives/block.h"

#include "base/hex.h"
#include "primitives/merkle.h"
#include "test.h"

static const struct {
    const char *file;
    const char *hash;
    uint32_t tx_n;
} rows[] = {
    {"blocks/mainnet_0.raw", "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f", 1},
    {"blocks/mainnet_170.raw", "00000000d1145790a8694403d4063f323d499e655c83426834d4ce2f8dd4a2ee",
     2},
    {"blocks/mainnet_481824.raw",
     "0000000000000000001c8018d9cb3b742ef25114f27563e3fc4a1902167f9893", 1866},
};

static void real_blocks_round_trip(void)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *path = test_data_path(rows[i].file);
        struct buf bytes = {0};
        struct buf again = {0};
        struct arena arena;
        struct block block;
        struct merkle_root root;
        bool mutated;

        if (path == NULL) {
            test_skip("no ASSAY_DATA");
            return;
        }
        arena_init(&arena);
        EXPECT_TRUE(rows[i].file, test_read_file(&bytes, path));
        EXPECT_INT(rows[i].file, block_read(&block, bytes.data, bytes.len, &arena), 0);
        EXPECT_STR(rows[i].file, hash_hex(block.hash.b).text, rows[i].hash);
        EXPECT_U64(rows[i].file, block.tx_n, rows[i].tx_n);
        root = block_merkle_root(&block, &mutated, &arena);
        EXPECT_BYTES(rows[i].file, root.b, 32, block.header.merkle_root.b, 32);
        EXPECT_TRUE(rows[i].file, !mutated);
        for (uint32_t k = 0; k < block.tx_n; k++) {
            again.len = 0;
            tx_write(&again, &block.tx[k], true);
            EXPECT_BYTES(rows[i].file, again.data, again.len, block.tx[k].raw.data,
                         block.tx[k].raw.len);
        }
        EXPECT_INT("one byte short", block_read(&block, bytes.data, bytes.len - 1, &arena),
                   E_TRUNCATED);
        buf_add_byte(&bytes, 0);
        EXPECT_INT("one byte more", block_read(&block, bytes.data, bytes.len, &arena), E_MALFORMED);
        buf_clear(&bytes);
        buf_clear(&again);
        arena_clear(&arena);
    }
}

TEST_LIST(TEST(real_blocks_round_trip))
