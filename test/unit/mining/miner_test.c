/* The miner on a node made of a list of headers. */
#include "mining/miner.h"

#include "base/alloc.h"
#include "consensus/pow.h"
#include "consensus/rules.h"
#include "test.h"

#define BLOCKS_MAX 500
#define T0 1700000000U

struct fake {
    struct node node;
    struct clock clock;
    struct block_info chain[BLOCKS_MAX];
    int32_t tip;
    int64_t now_s;
    enum verdict test_verdict;
    enum verdict submit_verdict;
    unsigned submitted;
    unsigned tested;
    bool stopping;
    struct buf last; /* Block offered last. */
};

static uint32_t fake_mtp(const struct fake *f)
{
    uint32_t times[11];
    int n = 0;

    for (int32_t h = f->tip; h >= 0 && n < 11; h--)
        times[n++] = f->chain[h].header.time;
    for (int i = 0; i < n; i++) {
        for (int k = i + 1; k < n; k++) {
            if (times[k] < times[i]) {
                uint32_t swap = times[i];

                times[i] = times[k];
                times[k] = swap;
            }
        }
    }
    return times[n / 2];
}

static void append(struct fake *f, const struct header *header)
{
    struct block_info *info = &f->chain[++f->tip];

    CHECK(f->tip < BLOCKS_MAX);
    *info = (struct block_info){.header = *header, .hash = header_hash(header), .height = f->tip};
    info->median_time_past = fake_mtp(f);
}

static void status(struct node *node, struct node_status *ret_status)
{
    const struct fake *f = (const struct fake *)node;

    *ret_status = (struct node_status){.tip = f->chain[f->tip]};
}

static int ancestor(struct node *node, struct block_info *ret_info, const struct block_hash *hash,
                    int32_t height)
{
    const struct fake *f = (const struct fake *)node;

    if (height < 0 || height > f->tip || !block_hash_equal(hash, &f->chain[f->tip].hash))
        return E_NOT_FOUND;
    *ret_info = f->chain[height];
    return 0;
}

static int submit_block(struct node *node, struct submit_result *ret_result, struct span bytes,
                        struct error *err)
{
    struct fake *f = (struct fake *)node;
    struct header header;
    struct reader r;

    (void)err;
    f->submitted++;
    f->last.len = 0;
    buf_add(&f->last, bytes.data, bytes.len);
    *ret_result = (struct submit_result){.verdict = f->submit_verdict};
    reader_init(&r, bytes.data, bytes.len);
    header_read(&header, &r);
    if (f->submit_verdict == V_VALID)
        append(f, &header);
    return 0;
}

static int test_block(struct node *node, struct submit_result *ret_result, struct span bytes,
                      bool check_pow, bool check_merkle, struct error *err)
{
    struct fake *f = (struct fake *)node;

    (void)err;
    EXPECT_TRUE("a template is tested without work", !check_pow && !check_merkle);
    EXPECT_TRUE("bytes", bytes.len > HEADER_BYTES);
    f->tested++;
    *ret_result = (struct submit_result){.verdict = f->test_verdict};
    return 0;
}

static const struct node_ops fake_ops = {
    .status = status, .ancestor = ancestor, .submit_block = submit_block, .test_block = test_block};

static int64_t wall_ms(struct clock *clock)
{
    const struct fake *f =
        (const struct fake *)(const void *)((const char *)clock - offsetof(struct fake, clock));

    return f->now_s * 1000;
}

static bool go_on(void *context)
{
    return !((const struct fake *)context)->stopping;
}

static struct fake *fake_new(const struct params *params)
{
    struct fake *f = alloc_zero(sizeof(*f));
    struct header header;
    struct reader r;

    f->node.ops = &fake_ops;
    f->clock.wall_ms = wall_ms;
    f->tip = -1;
    f->now_s = T0;
    reader_init(&r, params->genesis.data, params->genesis.len);
    header_read(&header, &r);
    append(f, &header);
    return f;
}

static void fake_free(struct fake *f)
{
    buf_clear(&f->last);
    free(f);
}

static struct miner *miner_on(struct fake *f, const struct params *params)
{
    struct miner_options options = {.builder = {.node = &f->node,
                                                .params = params,
                                                .clock = &f->clock,
                                                .max_weight = BLOCK_WEIGHT_MAX,
                                                .reserved_weight = BUILDER_RESERVED_WEIGHT_DEFAULT},
                                    .go_on = go_on,
                                    .context = f};

    return miner_new(&options);
}

static void check_last(const struct fake *f, const struct params *params, size_t tx_n)
{
    struct finding finding = {0};
    struct arena arena;
    struct block block;

    arena_init(&arena);
    CHECK(block_read(&block, f->last.data, f->last.len, &arena) == 0);
    EXPECT_U64("transactions", block.tx_n, tx_n);
    EXPECT_INT("check", block_check(&block, params, true, true, &arena, &finding), V_VALID);
    EXPECT_INT("value", block.tx[0].out[0].value_sat, subsidy_at(f->tip, params));
    arena_clear(&arena);
}

static void blocks_follow_each_other(void)
{
    const struct params *params = params_of(NETWORK_REGTEST);
    struct fake *f = fake_new(params);
    struct miner *miner = miner_on(f, params);
    struct block_hash hashes[300];
    uint32_t n;

    EXPECT_INT(
        "rc",
        miner->ops->generate(miner, hashes, &n, 300, span_of("\x51", 1), MINER_TRIES_DEFAULT, NULL),
        0);
    EXPECT_U64("all", n, 300);
    EXPECT_INT("tip", f->tip, 300);
    for (uint32_t i = 0; i < n; i++)
        EXPECT_BYTES("hash", hashes[i].b, 32, f->chain[i + 1].hash.b, 32);
    check_last(f, params, 1);
    /* The clock stands still: times follow the median of eleven. */
    EXPECT_U64("first", f->chain[1].header.time, T0);
    EXPECT_U64("second", f->chain[2].header.time, T0 + 1);
    EXPECT_TRUE("later ones must be after the median",
                f->chain[300].header.time > f->chain[299].median_time_past);
    /* Testdummy is DEFINED in the first period of 144, STARTED in the second, locked
     * in by our own signals in the third. */
    EXPECT_U64("version 143", (uint32_t)f->chain[143].header.version, 0x20000000);
    EXPECT_U64("version 144", (uint32_t)f->chain[144].header.version, 0x30000000);
    EXPECT_U64("version 300", (uint32_t)f->chain[300].header.version, 0x30000000);
    miner_free(miner);
    fake_free(f);
}

static void a_reorganization_makes_states_anew(void)
{
    const struct params *params = params_of(NETWORK_REGTEST);
    struct fake *f = fake_new(params);
    struct miner *miner = miner_on(f, params);
    struct block_hash hashes[300];
    uint32_t n;

    CHECK(miner->ops->generate(miner, hashes, &n, 300, span_of("\x51", 1), MINER_TRIES_DEFAULT,
                               NULL) == 0);
    /* Back to 200, and a branch that signals nothing. */
    f->tip = 200;
    for (int i = 0; i < 100; i++) {
        struct header header = f->chain[f->tip].header;

        header.prev = f->chain[f->tip].hash;
        header.version = 0x20000000;
        header.nonce = 77;
        append(f, &header);
    }
    EXPECT_INT(
        "rc",
        miner->ops->generate(miner, hashes, &n, 140, span_of("\x51", 1), MINER_TRIES_DEFAULT, NULL),
        0);
    EXPECT_INT("tip", f->tip, 440);
    /* On the old branch 432 would have been ACTIVE. On this one 57 signals were too
     * few for the period that ends at 287, and 432 is the first LOCKED_IN. */
    EXPECT_U64("version", (uint32_t)f->chain[432].header.version, 0x30000000);
    miner_free(miner);
    fake_free(f);
}

static void tries_are_shared_by_all_blocks(void)
{
    const struct params *params = params_of(NETWORK_REGTEST);
    struct fake *f = fake_new(params);
    struct miner *miner = miner_on(f, params);
    struct block_hash hashes[300];
    uint32_t n;

    EXPECT_INT("rc", miner->ops->generate(miner, hashes, &n, 300, span_of("\x51", 1), 20, NULL), 0);
    EXPECT_TRUE("some", n > 0 && n < 300);
    EXPECT_U64("submitted", f->submitted, n);
    EXPECT_INT("none", miner->ops->generate(miner, hashes, &n, 300, span_of("\x51", 1), 0, NULL),
               0);
    EXPECT_U64("none", n, 0);
    miner_free(miner);
    fake_free(f);
}

static void refusals_and_stops_are_reported(void)
{
    const struct params *params = params_of(NETWORK_REGTEST);
    struct fake *f = fake_new(params);
    struct miner *miner = miner_on(f, params);
    struct block_hash hashes[2];
    struct error err = {0};
    uint32_t n;

    f->submit_verdict = V_BAD_CB_AMOUNT;
    EXPECT_INT("refused",
               miner->ops->generate(miner, hashes, &n, 2, span_of("\x51", 1), 1000, &err), E_STATE);
    EXPECT_STR("refused", err.shown.text, "ProcessNewBlock, block not accepted");
    EXPECT_U64("refused", n, 0);
    f->stopping = true;
    EXPECT_INT("stopped",
               miner->ops->generate(miner, hashes, &n, 2, span_of("\x51", 1), 1000, &err),
               E_STOPPED);
    miner_free(miner);
    fake_free(f);
}

static void given_transactions_are_mined_in_order(void)
{
    const struct params *params = params_of(NETWORK_REGTEST);
    struct fake *f = fake_new(params);
    struct miner *miner = miner_on(f, params);
    struct submit_result test = {0};
    struct block_hash hash = {{0}};
    struct buf bytes = {0};
    struct arena arena;
    struct tx txs[2];
    struct tx_in in[2] = {{.prevout = {.vout = 1}}, {.prevout = {.vout = 2}}};
    struct tx_out out = {.value_sat = 5};

    arena_init(&arena);
    for (int i = 0; i < 2; i++) {
        txs[i] = (struct tx){.version = 2, .in = &in[i], .in_n = 1, .out = &out, .out_n = 1};
        tx_finish(&txs[i], &arena);
    }
    EXPECT_INT("kept",
               miner->ops->generate_block(miner, &test, &hash, &bytes, span_of("\x51", 1), txs, 2,
                                          false, NULL),
               0);
    EXPECT_U64("not submitted", f->submitted, 0);
    EXPECT_U64("tested", f->tested, 1);
    EXPECT_TRUE("bytes", bytes.len > HEADER_BYTES);
    EXPECT_INT("mined",
               miner->ops->generate_block(miner, &test, &hash, NULL, span_of("\x51", 1), txs, 2,
                                          true, NULL),
               0);
    EXPECT_U64("submitted", f->submitted, 1);
    EXPECT_BYTES("hash", hash.b, 32, f->chain[1].hash.b, 32);
    EXPECT_BYTES("same", f->last.data, f->last.len, bytes.data, bytes.len);
    check_last(f, params, 3);
    f->test_verdict = V_INPUTS_MISSING_OR_SPENT;
    EXPECT_INT("bad ones",
               miner->ops->generate_block(miner, &test, &hash, NULL, span_of("\x51", 1), txs, 2,
                                          true, NULL),
               0);
    EXPECT_INT("bad ones", test.verdict, V_INPUTS_MISSING_OR_SPENT);
    EXPECT_U64("bad ones are not mined", f->submitted, 1);
    arena_clear(&arena);
    buf_clear(&bytes);
    miner_free(miner);
    fake_free(f);
}

/* BIP 325 with OP_TRUE: no solution is needed, only work. */
static void a_signet_of_op_true_can_be_mined(void)
{
    struct params params = *params_of(NETWORK_SIGNET);
    struct u256 easy = target_of_bits(0x207fffff, NULL, NULL);
    struct fake *f;
    struct miner *miner;
    struct block_hash hash;
    uint32_t n;

    CHECK(params_set_signet_challenge(&params, span_of("\x51", 1), NULL) == 0);
    for (int i = 0; i < 4; i++)
        put_le64(params.pow_limit + 8 * i, easy.limb[i]);
    f = fake_new(&params);
    f->chain[0].header.bits = 0x207fffff;
    miner = miner_on(f, &params);
    EXPECT_INT("rc", miner->ops->generate(miner, &hash, &n, 1, span_of("\x51", 1), 1000, NULL), 0);
    EXPECT_U64("one", n, 1);
    check_last(f, &params, 1);
    miner_free(miner);
    fake_free(f);
}

static void retarget_blocks_keep_to_bip94(void)
{
    const struct params *params = params_of(NETWORK_REGTEST);
    struct fake *f = fake_new(params);
    struct miner *miner = miner_on(f, params);
    struct block_hash hash;
    uint32_t n;

    for (int i = 0; i < 143; i++) {
        struct header header = f->chain[f->tip].header;

        header.prev = f->chain[f->tip].hash;
        header.time = T0 + (i == 142 ? 100000 : (uint32_t)i);
        append(f, &header);
    }
    EXPECT_INT("tip", f->tip, 143);
    CHECK(miner->ops->generate(miner, &hash, &n, 1, span_of("\x51", 1), 1000, NULL) == 0);
    EXPECT_U64("not 600 s before its parent", f->chain[144].header.time, T0 + 100000 - 600);
    miner_free(miner);
    fake_free(f);
}

TEST_LIST(TEST(blocks_follow_each_other), TEST(a_reorganization_makes_states_anew),
          TEST(tries_are_shared_by_all_blocks), TEST(refusals_and_stops_are_reported),
          TEST(given_transactions_are_mined_in_order), TEST(a_signet_of_op_true_can_be_mined),
          TEST(retarget_blocks_keep_to_bip94))
