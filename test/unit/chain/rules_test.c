/* Rules that only a whole chain can break, and what is left of a block that does. */
#include <stdlib.h>

#include "base/alloc.h"
#include "branches.h"
#include "codec/writer.h"
#include "consensus/pow.h"
#include "primitives/merkle.h"
#include "sim_clock.h"
#include "sim_disk.h"

#define FULL_SAT INT64_C(5000000000)
#define FILLER_SAT 1000

static const uint8_t script_true[] = {0x51};

struct line {
    struct params params;
    struct sim_disk *sim;
    struct sim_clock clock;
    struct chain *chain;
    struct arena arena;
    struct block_hash tip;
    int32_t height;
};

static void line_init(struct line *line, const char *activation)
{
    struct chain_options options;
    struct error err = {0};

    *line = (struct line){.params = *params_of(NETWORK_REGTEST)};
    EXPECT_INT("option", params_set_activation_height(&line->params, activation, &err), 0);
    line->tip = line->params.genesis_hash;
    line->sim = sim_disk_new(test_random());
    sim_clock_init(&line->clock, (INT64_C(1296688602) + 600 * 400) * 1000);
    arena_init(&line->arena);
    chain_options_default(&options, &line->params);
    options.disk = sim_disk_disk(line->sim);
    options.clock = &line->clock.clock;
    options.blocks_folder = "/node/blocks";
    options.chainstate_folder = "/node/chainstate";
    options.cache_bytes = 4U << 20;
    options.threads = 2;
    if (chain_open(&line->chain, &options, &err) < 0 || chain_import(line->chain, &err) < 0)
        EXPECT_STR("open", error_text(&err), "success");
    CHECK(line->chain != NULL);
}

static void line_clear(struct line *line)
{
    EXPECT_INT("close", chain_close(line->chain, NULL), 0);
    sim_disk_free(line->sim);
    arena_clear(&line->arena);
}

/* One input, one output that anyone can spend. tag: what makes coinbases differ. */
static struct tx simple_tx(struct line *line, const struct outpoint *prevout, uint32_t tag,
                           int64_t value_sat)
{
    struct tx_out *out = arena_array(&line->arena, 1, sizeof(*out));
    struct tx_in *in = arena_array(&line->arena, 1, sizeof(*in));
    uint8_t *script = arena_alloc(&line->arena, 5);
    struct tx tx = {.version = 1, .in_n = 1, .out_n = 1, .in = in, .out = out};

    out[0].value_sat = value_sat;
    out[0].script_pubkey = span_of(script_true, sizeof(script_true));
    in[0].sequence = SEQUENCE_FINAL;
    if (prevout != NULL) {
        in[0].prevout = *prevout;
    } else {
        in[0].prevout.vout = OUTPOINT_VOUT_NULL;
        script[0] = 4;
        put_le32(script + 1, tag);
        in[0].script_sig = span_of(script, 5);
    }
    tx_finish(&tx, &line->arena);
    return tx;
}

static enum verdict offer(struct line *line, const struct tx *txs, uint32_t tx_n,
                          struct block_hash *ret_hash)
{
    struct block view = {.tx = txs, .tx_n = tx_n};
    struct u256 limit = u256_of_hash(line->params.pow_limit);
    struct header header = {.version = 0x20000000,
                            .prev = line->tip,
                            .time = 1296688602U + (uint32_t)(line->height + 1) * 600,
                            .bits = bits_of_target(&limit)};
    struct node *node = chain_node(line->chain);
    struct submit_result result = {0};
    struct error err = {0};
    struct buf bytes = {0};

    header.merkle_root = block_merkle_root(&view, NULL, &line->arena);
    for (*ret_hash = header_hash(&header); !pow_check(ret_hash, header.bits, &line->params);
         *ret_hash = header_hash(&header))
        header.nonce++;
    header_write(buf_extend(&bytes, HEADER_BYTES), &header);
    write_compact_size(&bytes, tx_n);
    for (uint32_t i = 0; i < tx_n; i++)
        tx_write(&bytes, &txs[i], true);
    if (node->ops->submit_block(node, &result, span_of_buf(&bytes), &err) < 0)
        EXPECT_STR("submit", error_text(&err), "success");
    buf_clear(&bytes);
    if (result.verdict == V_VALID && result.is_connected) {
        line->tip = *ret_hash;
        line->height++;
    }
    return result.verdict;
}

static void grow_to(struct line *line, int32_t height)
{
    struct block_hash hash;

    while (line->height < height) {
        struct tx coinbase = simple_tx(line, NULL, (uint32_t)line->height + 1000, FILLER_SAT);

        if (!EXPECT_INT("filler", offer(line, &coinbase, 1, &hash), V_VALID))
            return;
    }
}

static bool is_known(struct line *line, const struct block_hash *hash)
{
    struct node *node = chain_node(line->chain);
    struct block_info info;

    return node->ops->block_by_hash(node, &info, hash) == 0;
}

/* The repeated output is spent by the very block that makes it again: it never
 * reaches the coins, and is a repetition all the same. */
static void repeats_are_found_though_the_block_spends_them(void)
{
    struct line line;
    struct block_hash hash;
    struct tx first[2];
    struct tx again[3];

    line_init(&line, "bip34@1000");
    first[0] = simple_tx(&line, NULL, 7, FULL_SAT);
    EXPECT_INT("coinbase", offer(&line, first, 1, &hash), V_VALID);
    grow_to(&line, 101);
    first[1] = simple_tx(&line, &(struct outpoint){.txid = first[0].txid, .vout = 0}, 0, FULL_SAT);
    again[0] = simple_tx(&line, NULL, 8, FILLER_SAT);
    again[1] = first[1];
    EXPECT_INT("spent", offer(&line, again, 2, &hash), V_VALID);
    EXPECT_INT("coinbase again", offer(&line, first, 1, &hash), V_VALID);
    grow_to(&line, 203);

    again[0] = simple_tx(&line, NULL, 9, FILLER_SAT);
    again[2] = simple_tx(&line, &(struct outpoint){.txid = first[1].txid, .vout = 0}, 0, FULL_SAT);
    EXPECT_INT("repeated", offer(&line, again, 2, &hash), V_BAD_TXNS_BIP30);
    EXPECT_INT("repeated and spent", offer(&line, again, 3, &hash), V_BAD_TXNS_BIP30);
    again[1] = again[2];
    EXPECT_INT("spent only", offer(&line, again, 2, &hash), V_VALID);
    line_clear(&line);
}

/* What a body breaks by itself says nothing about its header, not even that there
 * is one. What it breaks by where it stands condemns it. */
static void a_header_is_not_known_by_a_body_that_breaks_rules_alone(void)
{
    struct line line;
    struct block_hash hash;
    struct block_hash other;
    struct tx txs[2];

    line_init(&line, "bip34@1000");
    grow_to(&line, 3);
    txs[0] = simple_tx(&line, NULL, 5, FULL_SAT);
    txs[1] = simple_tx(&line, NULL, 6, FULL_SAT);
    for (int i = 0; i < 2; i++) {
        EXPECT_INT("two coinbases", offer(&line, txs, 2, &hash), V_BAD_CB_MULTIPLE);
        EXPECT_TRUE("unknown", !is_known(&line, &hash));
    }
    txs[0] = simple_tx(&line, NULL, 5, FULL_SAT + 1);
    EXPECT_INT("too much", offer(&line, txs, 1, &hash), V_BAD_CB_AMOUNT);
    EXPECT_TRUE("known", is_known(&line, &hash));
    EXPECT_INT("known to be bad", offer(&line, txs, 1, &other), V_DUPLICATE_INVALID);
    EXPECT_TRUE("the same", block_hash_equal(&hash, &other));
    line_clear(&line);
}

TEST_LIST(TEST(repeats_are_found_though_the_block_spends_them),
          TEST(a_header_is_not_known_by_a_body_that_breaks_rules_alone))
