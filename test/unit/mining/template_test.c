/* Templates are blocks that pass every rule, and those of regtest are byte for
 * byte what Bitcoin Core mines there. */
#include "mining/template.h"

#include "base/hex.h"
#include "consensus/rules.h"
#include "mining/scan.h"
#include "test.h"

/* Blocks that bitcoind mined to OP_TRUE on regtest. */
static const struct {
    const char *label;
    int32_t height;
    const char *hex;
} core_rows[] = {
    {"height 1", 1,
     "0000002006226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910ff90344ddd9a16af4f07e"
     "d7af45a2e9aec7b443ae92f7bf6560bbaea78cb122b900f15365ffff7f2000000000010200000000010100000000"
     "00000000000000000000000000000000000000000000000000000000ffffffff025100feffffff0200f2052a0100"
     "000001510000000000000000266a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd8"
     "36974e8cf90120000000000000000000000000000000000000000000000000000000000000000000000000"},
    {"height 17", 17,
     "00000020288fa41b6b70d9bf2eace85c4609d246fc855fc3b3f04b16802888cd86b80434052c82fd41d721a3eedf"
     "1f5ebd76579e439e8c44f048376a1f81588ac5b18c2c04f15365ffff7f2001000000010200000000010100000000"
     "00000000000000000000000000000000000000000000000000000000ffffffff020111feffffff0200f2052a0100"
     "000001510000000000000000266a24aa21a9ede2f61c3f71d1defd3fa999dfa36953755c690689799962b48bebd8"
     "36974e8cf90120000000000000000000000000000000000000000000000000000000000000000010000000"},
};

static struct template_parts parts_at(int32_t height)
{
    return (struct template_parts){.height = height,
                                   .version = 0x20000000,
                                   .time = 1700000000,
                                   .bits = 0x207fffff,
                                   .coinbase_value_sat = INT64_C(5000000000),
                                   .coinbase_script = span_of("\x51", 1),
                                   .segwit = true};
}

static void blocks_equal_those_of_core(void)
{
    for (size_t i = 0; i < ARRAY_LEN(core_rows); i++) {
        struct template_parts parts = parts_at(core_rows[i].height);
        struct u256 target = target_of_bits(parts.bits, NULL, NULL);
        uint64_t tries = 1000;
        struct buf want = {0};
        struct buf got = {0};
        struct header header;
        struct reader r;

        CHECK(hex_read_buf(&want, core_rows[i].hex, strlen(core_rows[i].hex)));
        reader_init(&r, want.data, want.len);
        header_read(&header, &r);
        parts.prev = header.prev;
        parts.time = header.time;
        CHECK(template_write(&got, &parts, NULL) == 0);
        EXPECT_INT(core_rows[i].label, nonce_scan(got.data, &target, &tries, NULL, NULL),
                   SCAN_FOUND);
        EXPECT_BYTES(core_rows[i].label, got.data, got.len, want.data, want.len);
        EXPECT_U64(core_rows[i].label, tries, 1000 - header.nonce);
        buf_clear(&want);
        buf_clear(&got);
    }
}

static struct ancestor older(const void *context, int32_t height)
{
    (void)context;
    (void)height;
    return (struct ancestor){.version = 4, .time = 1600000000, .bits = 0x207fffff};
}

/* A transaction with a witness, so that the commitment has something to say. */
static void make_tx(struct tx *ret_tx, uint8_t mark, struct arena *arena)
{
    static struct span item = {.data = (const uint8_t *)"proof", .len = 5};
    struct tx_in *in = arena_array(arena, 1, sizeof(*in));
    struct tx_out *out = arena_array(arena, 1, sizeof(*out));

    in->prevout.txid.b[0] = mark;
    in->witness = &item;
    in->witness_n = 1;
    *ret_tx = (struct tx){.version = 2, .in = in, .in_n = 1, .out = out, .out_n = 1};
    tx_finish(ret_tx, arena);
}

static void templates_pass_the_rules(void)
{
    static const int32_t heights[] = {1, 2, 16, 17, 127, 128, 32767, 32768, 8388608, 500000000};
    static const uint64_t extranonces[] = {0, 1, 255, 256, UINT64_MAX};

    for (size_t i = 0; i < ARRAY_LEN(heights) * ARRAY_LEN(extranonces); i++) {
        const struct params *params = params_of(NETWORK_REGTEST);
        struct template_parts parts = parts_at(heights[i / ARRAY_LEN(extranonces)]);
        struct ancestry ancestry = {.tip_height = parts.height - 1, .at = older};
        struct finding finding = {0};
        struct buf bytes = {0};
        struct arena arena;
        struct block block;
        struct tx txs[3];
        char label[64];

        parts.extranonce = extranonces[i % ARRAY_LEN(extranonces)];
        (void)snprintf(label, sizeof(label), "height %d, extranonce %" PRIu64, parts.height,
                       parts.extranonce);
        arena_init(&arena);
        for (uint8_t k = 0; k < ARRAY_LEN(txs); k++)
            make_tx(&txs[k], (uint8_t)(k + 1), &arena);
        parts.txs = txs;
        parts.txs_n = i % (ARRAY_LEN(txs) + 1);
        CHECK(template_write(&bytes, &parts, NULL) == 0);
        EXPECT_INT(label, block_read(&block, bytes.data, bytes.len, &arena), 0);
        EXPECT_U64(label, block.tx_n, parts.txs_n + 1);
        EXPECT_INT(label, block_check(&block, params, false, true, &arena, &finding), V_VALID);
        EXPECT_INT(label, block_verify(&block, &ancestry, params, &arena, &finding), V_VALID);
        for (uint32_t k = 1; k < block.tx_n; k++)
            EXPECT_BYTES(label, block.tx[k].wtxid.b, 32, txs[k - 1].wtxid.b, 32);
        arena_clear(&arena);
        buf_clear(&bytes);
    }
}

static void before_segwit_there_is_no_reserved_value(void)
{
    struct template_parts parts = parts_at(20);
    struct buf bytes = {0};
    struct arena arena;
    struct block block;

    arena_init(&arena);
    parts.segwit = false;
    CHECK(template_write(&bytes, &parts, NULL) == 0);
    CHECK(block_read(&block, bytes.data, bytes.len, &arena) == 0);
    EXPECT_TRUE("no witness", !block.tx[0].has_witness);
    EXPECT_INT("commitment", witness_commitment_index(&block), 1);
    arena_clear(&arena);
    buf_clear(&bytes);
}

static bool never(void *context)
{
    (*(unsigned *)context)++;
    return false;
}

static void scans_end_as_they_should(void)
{
    uint8_t header[HEADER_BYTES] = {1};
    struct u256 impossible = {{0}};
    uint64_t tries = 10;
    unsigned asked = 0;

    EXPECT_INT("tries", nonce_scan(header, &impossible, &tries, NULL, NULL), SCAN_NO_TRIES);
    EXPECT_U64("tries", tries, 0);
    EXPECT_U64("nonce", get_le32(header + 76), 10);
    put_le32(header + 76, UINT32_MAX - 2);
    tries = 10;
    EXPECT_INT("nonces", nonce_scan(header, &impossible, &tries, NULL, NULL), SCAN_NO_NONCES);
    EXPECT_U64("nonces", tries, 8);
    put_le32(header + 76, 0);
    tries = UINT64_MAX;
    EXPECT_INT("stop", nonce_scan(header, &impossible, &tries, never, &asked), SCAN_STOPPED);
    EXPECT_U64("asked once", asked, 1);
    EXPECT_U64("after", get_le32(header + 76), SCAN_ASK_EVERY);
}

/* Against hashing the whole header each time. */
static void the_first_good_nonce_is_found(void)
{
    for (int round = 0; round < 20; round++) {
        uint8_t header[HEADER_BYTES];
        struct u256 target = {{0, 0, 0, UINT64_MAX >> 8}};
        struct header naive;
        struct reader r;
        struct block_hash hash;
        struct u256 value;
        uint64_t tries = 1000000;

        test_random_fill(header, sizeof(header));
        put_le32(header + 76, 0);
        reader_init(&r, header, sizeof(header));
        header_read(&naive, &r);
        for (;; naive.nonce++) {
            hash = header_hash(&naive);
            value = u256_of_hash(hash.b);
            if (u256_compare(&value, &target) <= 0)
                break;
        }
        EXPECT_INT("found", nonce_scan(header, &target, &tries, NULL, NULL), SCAN_FOUND);
        EXPECT_U64("nonce", get_le32(header + 76), naive.nonce);
        EXPECT_U64("tries", tries, 1000000 - naive.nonce);
    }
}

TEST_LIST(TEST(blocks_equal_those_of_core), TEST(templates_pass_the_rules),
          TEST(before_segwit_there_is_no_reserved_value), TEST(scans_end_as_they_should),
          TEST(the_first_good_nonce_is_found))
