/* BIP 325: solutions of real blocks, of damaged ones, of networks of one's own. */
#include "consensus/signet.h"

#include "base/hex.h"
#include "consensus/make.h"
#include "consensus/rules.h"
#include "test.h"

static bool load(struct buf *bytes)
{
    const char *path = test_data_path("blocks/signet_1.raw");

    if (path == NULL) {
        test_skip("no ASSAY_DATA");
        return false;
    }
    return EXPECT_TRUE("block", test_read_file(bytes, path));
}

static void each_bit_of_a_real_block_is_signed(void)
{
    const struct params *params = params_of(NETWORK_SIGNET);
    struct buf bytes = {0};
    struct block block;
    struct arena arena;
    size_t script_at;
    size_t script_len;

    if (!load(&bytes))
        return;
    arena_init(&arena);
    CHECK(block_read(&block, bytes.data, bytes.len, &arena) == 0);
    EXPECT_TRUE("as it is", signet_solution_holds(&block, params, &arena));
    {
        struct span script = block.tx[0].out[witness_commitment_index(&block)].script_pubkey;

        script_at = (size_t)(script.data - bytes.data);
        script_len = script.len;
    }
    for (size_t at = 0; at < bytes.len; at++) {
        bool nonce_or_bits = at >= 72 && at < 80;
        bool own_root = at >= 36 && at < 68;
        /* The reserved value is in the coinbase's witness, which is not signed. */
        bool witness = at >= bytes.len - 4 - 34 && at < bytes.len - 4;
        char label[32];

        (void)snprintf(label, sizeof(label), "byte %zu", at);
        bytes.data[at] ^= 1;
        if (block_read(&block, bytes.data, bytes.len, &arena) == 0)
            EXPECT_INT(label, signet_solution_holds(&block, params, &arena),
                       nonce_or_bits || own_root || witness);
        bytes.data[at] ^= 1;
        arena_reset(&arena);
    }
    EXPECT_TRUE("a solution was there", script_at > 80 && script_len > WITNESS_COMMITMENT_BYTES);
    arena_clear(&arena);
    buf_clear(&bytes);
}

static void block_check_asks_for_the_solution(void)
{
    struct params params = *params_of(NETWORK_SIGNET);
    static const uint8_t op_false[] = {0x00};
    struct finding finding = {0};
    struct buf bytes = {0};
    struct block block;
    struct arena arena;

    if (!load(&bytes))
        return;
    arena_init(&arena);
    CHECK(block_read(&block, bytes.data, bytes.len, &arena) == 0);
    EXPECT_INT("default", block_check(&block, &params, true, true, &arena, &finding), V_VALID);
    CHECK(params_set_signet_challenge(&params, span_of(op_false, 1), NULL) == 0);
    EXPECT_INT("another network", block_check(&block, &params, true, true, &arena, &finding),
               V_BAD_SIGNET_SOLUTION);
    EXPECT_STR("reason", verdict_reason(finding.verdict), "bad-signet-blksig");
    EXPECT_INT("body", verdict_condemns(finding.verdict), ASSAY_CONDEMNS_BODY);
    EXPECT_INT("not asked", block_check(&block, &params, false, true, &arena, &finding), V_VALID);
    params.genesis_hash = block.hash;
    EXPECT_INT("a genesis block", block_check(&block, &params, true, true, &arena, &finding),
               V_VALID);
    arena_clear(&arena);
    buf_clear(&bytes);
}

/* What follows the commitment in its output, in hex, and whether a block of a
 * network with challenge OP_TRUE, or OP_EQUAL with 2 pushes, has its solution. */
static const struct {
    const char *label;
    const char *challenge;
    const char *behind; /* NULL: no commitment at all. */
    bool want;
} custom_rows[] = {
    {"OP_TRUE, no solution", "51", "", true},
    {"OP_TRUE, no commitment", "51", NULL, false},
    {"OP_TRUE, empty solution", "51", "06ecc7daa20000", true},
    {"OP_TRUE, head only", "51", "04ecc7daa2", true},
    {"OP_TRUE, a byte too many", "51", "07ecc7daa2000000", false},
    {"OP_TRUE, script cut", "51", "06ecc7daa20500", false},
    {"OP_TRUE, witness cut", "51", "07ecc7daa2000105", false},
    {"OP_TRUE, no witness count", "51", "05ecc7daa200", false},
    {"OP_TRUE, needless witness", "51", "08ecc7daa200010151", false},
    {"two pushes, right", "52935587", "08ecc7daa202530000", false},
    {"2 added gives 5", "52935587", "07ecc7daa2015300", true},
    {"2 added gives 6", "52935587", "07ecc7daa2015400", false},
    {"nothing to add to", "52935587", "", false},
    {"only the first counts", "52935587", "07ecc7daa201530007ecc7daa2015400", true},
    {"the wrong one first", "52935587", "07ecc7daa201540007ecc7daa2015300", false},
    {"other push before", "52935587", "026a6a07ecc7daa2015300", true},
    {"script broken off behind", "51", "4c", true},
};

static void custom_challenges_are_solved(void)
{
    for (size_t i = 0; i < ARRAY_LEN(custom_rows); i++) {
        const char *label = custom_rows[i].label;
        const char *behind = custom_rows[i].behind;
        struct params params = *params_of(NETWORK_SIGNET);
        struct buf challenge = {0};
        struct arena arena;
        struct draft coinbase;
        const struct tx *tx;
        struct block block;

        arena_init(&arena);
        CHECK(hex_read_buf(&challenge, custom_rows[i].challenge, strlen(custom_rows[i].challenge)));
        CHECK(params_set_signet_challenge(&params, span_of_buf(&challenge), NULL) == 0);
        coinbase = make_coinbase(7, 0, &arena);
        if (behind != NULL) {
            struct buf script = {0};
            uint8_t *kept;

            make_commitment(&coinbase, NULL, 0, &arena);
            buf_add(&script, coinbase.out[1].script_pubkey.data, WITNESS_COMMITMENT_BYTES);
            CHECK(hex_read_buf(&script, behind, strlen(behind)));
            kept = arena_alloc(&arena, script.len);
            memcpy(kept, script.data, script.len);
            coinbase.out[1].script_pubkey = span_of(kept, script.len);
            buf_clear(&script);
        }
        tx = make_finish(&coinbase, &arena);
        block = make_block(&tx, 1, &params, false, &arena);
        EXPECT_INT(label, signet_solution_holds(&block, &params, &arena), custom_rows[i].want);
        buf_clear(&challenge);
        arena_clear(&arena);
    }
}

static void a_block_without_transactions_has_no_solution(void)
{
    struct params params = *params_of(NETWORK_SIGNET);
    struct arena arena;
    struct block block;

    arena_init(&arena);
    CHECK(params_set_signet_challenge(&params, span_of("\x51", 1), NULL) == 0);
    block = make_block(NULL, 0, &params, false, &arena);
    EXPECT_TRUE("empty", !signet_solution_holds(&block, &params, &arena));
    arena_clear(&arena);
}

TEST_LIST(TEST(each_bit_of_a_real_block_is_signed), TEST(block_check_asks_for_the_solution),
          TEST(custom_challenges_are_solved), TEST(a_block_without_transactions_has_no_solution))
