/* The miner on a node made of a list of headers. */
#include "mining/miner.h"

#include "base/alloc.h"
#include "consensus/pow.h"
#include "consensus/rules.h"
#include "consensus/signet.h"
#include "os/thread.h"
#include "test.h"

#define BLOCKS_MAX 100000
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
    /* A mempool of transactions that spend nothing real. */
    struct mempool_view mempool;
    const struct tx_ref *txs[16];
    size_t txs_n;
    uint64_t changes;
    unsigned picked;    /* Calls. */
    unsigned busy;      /* So many picks find it between two tips. */
    struct mutex mutex; /* Of the chain, for the threads of -mine. */
    _Atomic unsigned mined;
    struct mempool_pick_options wanted;
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
    struct fake *f = (struct fake *)node;

    mutex_lock(&f->mutex);
    *ret_status = (struct node_status){.tip = f->chain[f->tip]};
    mutex_unlock(&f->mutex);
}

static int ancestor(struct node *node, struct block_info *ret_info, const struct block_hash *hash,
                    int32_t height)
{
    struct fake *f = (struct fake *)node;
    int rc = E_NOT_FOUND;

    mutex_lock(&f->mutex);
    for (int32_t h = f->tip; h >= 0 && rc < 0; h--)
        if (block_hash_equal(hash, &f->chain[h].hash) && height >= 0 && height <= h)
            rc = 0;
    if (rc == 0)
        *ret_info = f->chain[height];
    mutex_unlock(&f->mutex);
    return rc;
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
    mutex_lock(&f->mutex);
    if (f->submit_verdict == V_VALID && block_hash_equal(&header.prev, &f->chain[f->tip].hash)) {
        append(f, &header);
        atomic_fetch_add(&f->mined, 1);
    }
    mutex_unlock(&f->mutex);
    return 0;
}

static void wait_tip(struct node *node, struct block_info *ret_tip, const struct block_hash *known,
                     int64_t timeout_ms)
{
    struct node_status now;

    (void)known;
    (void)timeout_ms;
    status(node, &now);
    *ret_tip = now.tip;
}

static int pick(struct mempool_view *view, struct mempool_pick **ret_picks, size_t *ret_n,
                uint64_t *ret_changes, const struct mempool_pick_options *options,
                struct arena *arena, struct error *err)
{
    struct fake *f = (struct fake *)(void *)((char *)view - offsetof(struct fake, mempool));

    f->picked++;
    f->wanted = *options;
    if (f->busy > 0) {
        f->busy--;
        return error_set(err, E_STATE, "between two tips");
    }
    *ret_picks = arena_array(arena, f->txs_n + 1, sizeof(**ret_picks));
    for (size_t i = 0; i < f->txs_n; i++)
        (*ret_picks)[i] = (struct mempool_pick){.tx = tx_ref_hold(f->txs[i]),
                                                .fee_sat = 1000 + (int64_t)i,
                                                .weight = (int64_t)tx_weight(&f->txs[i]->tx),
                                                .sigop_cost = 4};
    *ret_n = f->txs_n;
    *ret_changes = f->changes;
    return 0;
}

static uint64_t changes(struct mempool_view *view)
{
    return ((struct fake *)(void *)((char *)view - offsetof(struct fake, mempool)))->changes;
}

static const struct mempool_ops fake_mempool_ops = {.pick = pick, .changes = changes};

static int test_block(struct node *node, struct submit_result *ret_result, struct span bytes,
                      bool check_pow, bool check_merkle, struct error *err)
{
    struct fake *f = (struct fake *)node;

    (void)err;
    EXPECT_TRUE("a template is tested without work", !check_pow && !check_merkle);
    EXPECT_TRUE("bytes", bytes.len > HEADER_BYTES);
    f->tested++;
    *ret_result = (struct submit_result){.verdict = f->test_verdict, .is_judged = true};
    return 0;
}

static const struct node_ops fake_ops = {.status = status,
                                         .ancestor = ancestor,
                                         .submit_block = submit_block,
                                         .test_block = test_block,
                                         .wait_tip = wait_tip};

static int64_t wall_ms(struct clock *clock)
{
    const struct fake *f =
        (const struct fake *)(const void *)((const char *)clock - offsetof(struct fake, clock));

    return f->now_s * 1000;
}

static uint64_t monotonic_us(struct clock *clock)
{
    (void)clock;
    return clock_monotonic_us(clock_real());
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
    f->mempool.ops = &fake_mempool_ops;
    mutex_init(&f->mutex);
    f->clock.wall_ms = wall_ms;
    f->clock.monotonic_us = monotonic_us;
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
    mutex_clear(&f->mutex);
    for (size_t i = 0; i < f->txs_n; i++)
        tx_ref_drop(f->txs[i]);
    free(f);
}

static struct miner_options options_on(struct fake *f, const struct params *params)
{
    struct miner_options options = {.builder = {.node = &f->node,
                                                .params = params,
                                                .clock = &f->clock,
                                                .max_weight = BLOCK_WEIGHT_MAX,
                                                .reserved_weight = BUILDER_RESERVED_WEIGHT_DEFAULT},
                                    .go_on = go_on,
                                    .context = f};

    return options;
}

static struct miner *miner_on(struct fake *f, const struct params *params)
{
    struct miner_options options = options_on(f, params);

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

/* Transactions that spend nothing real, the second one's output by the third. */
static void fill_mempool(struct fake *f, size_t n)
{
    struct buf raw = {0};
    struct arena arena;

    arena_init(&arena);
    while (f->txs_n < n) {
        struct span witness = span_of("w", 1);
        struct tx_in in = {.prevout = {.vout = (uint32_t)f->txs_n}, .witness = &witness};
        struct tx_out out = {.value_sat = 5, .script_pubkey = span_of("\x51", 1)};
        struct tx tx = {.version = 2, .in = &in, .in_n = 1, .out = &out, .out_n = 1};
        struct tx_ref *ref;

        in.witness_n = f->txs_n % 2;
        memset(in.prevout.txid.b, 7, sizeof(in.prevout.txid.b));
        tx_finish(&tx, &arena);
        raw.len = 0;
        tx_write(&raw, &tx, true);
        CHECK(tx_ref_read(&ref, span_of_buf(&raw), NULL) == 0);
        f->txs[f->txs_n++] = ref;
        f->changes++;
    }
    buf_clear(&raw);
    arena_clear(&arena);
}

static void templates_hold_until_something_changes(void)
{
    const struct params *params = params_of(NETWORK_REGTEST);
    struct fake *f = fake_new(params);
    struct miner_options options = options_on(f, params);
    const struct block_template *first;
    const struct block_template *second;
    struct miner_info info;
    struct miner *miner;
    uint32_t time;
    uint32_t bits;

    options.builder.mempool = &f->mempool;
    options.builder.min_sat_kvb = 77;
    miner = miner_new(&options);
    miner->ops->info(miner, &info);
    EXPECT_TRUE("none yet", !info.has_last);
    fill_mempool(f, 3);
    CHECK(miner->ops->get_template(miner, &first, &time, &bits, NULL) == 0);
    EXPECT_U64("transactions", first->txs_n, 3);
    EXPECT_INT("fees", first->fees_sat, 3003);
    EXPECT_INT("subsidy", first->subsidy_sat, INT64_C(5000000000));
    EXPECT_INT("sigops", first->sigop_cost, 400 + 12);
    EXPECT_U64("time", time, T0);
    EXPECT_U64("bits", bits, 0x207fffff);
    EXPECT_INT("weight asked", f->wanted.weight_max, 4000000 - 8000);
    EXPECT_INT("sigops asked", f->wanted.sigop_cost_max, 80000 - 400);
    EXPECT_INT("fee asked", f->wanted.min_sat_kvb, 77);
    EXPECT_INT("height asked", f->wanted.height, 1);
    f->now_s += 9;
    CHECK(miner->ops->get_template(miner, &second, &time, &bits, NULL) == 0);
    EXPECT_TRUE("the same", first == second);
    EXPECT_U64("but later", time, T0 + 9);
    EXPECT_U64("picked once", f->picked, 1);
    miner->ops->drop_template(miner, second);

    fill_mempool(f, 4);
    CHECK(miner->ops->get_template(miner, &second, &time, &bits, NULL) == 0);
    EXPECT_U64("another", second->txs_n, 4);
    EXPECT_U64("the old one is as it was", first->txs_n, 3);
    EXPECT_TRUE("held still", first->txs[2].tx == f->txs[2]);
    miner->ops->info(miner, &info);
    EXPECT_U64("last", info.last_txs_n, 4);
    EXPECT_INT("last weight", info.last_weight, second->weight);
    miner->ops->drop_template(miner, first);
    miner->ops->drop_template(miner, second);

    f->busy = 3;
    f->changes++;
    CHECK(miner->ops->get_template(miner, &second, &time, &bits, NULL) == 0);
    EXPECT_U64("asked until it is ready", f->picked, 6);
    miner->ops->drop_template(miner, second);
    miner_free(miner);
    fake_free(f);
}

static void mempool_transactions_are_mined(void)
{
    const struct params *params = params_of(NETWORK_REGTEST);
    struct fake *f = fake_new(params);
    struct miner_options options = options_on(f, params);
    struct finding finding = {0};
    struct block_hash hash;
    struct miner *miner;
    struct arena arena;
    struct block block;
    uint8_t want[HASH_BYTES];
    const uint8_t zeros[HASH_BYTES] = {0};
    uint32_t n;

    options.builder.mempool = &f->mempool;
    miner = miner_new(&options);
    fill_mempool(f, 5);
    EXPECT_INT("rc", miner->ops->generate(miner, &hash, &n, 1, span_of("\x51", 1), 1000, NULL), 0);
    EXPECT_U64("one", n, 1);
    arena_init(&arena);
    CHECK(block_read(&block, f->last.data, f->last.len, &arena) == 0);
    EXPECT_U64("transactions", block.tx_n, 6);
    EXPECT_INT("check", block_check(&block, params, true, true, &arena, &finding), V_VALID);
    EXPECT_INT("value", block.tx[0].out[0].value_sat, INT64_C(5000000000) + 5010);
    for (size_t i = 0; i < 5; i++)
        EXPECT_BYTES("order", block.tx[i + 1].wtxid.b, HASH_BYTES, f->txs[i]->tx.wtxid.b,
                     HASH_BYTES);
    witness_commitment_of(want, &block, zeros, &arena);
    EXPECT_BYTES("commitment", block.tx[0].out[1].script_pubkey.data + 6, HASH_BYTES, want,
                 HASH_BYTES);
    arena_clear(&arena);
    miner_free(miner);
    fake_free(f);
}

/* BIP 325: with the key the block solves the challenge, without it there is none. */
static void signet_blocks_are_signed(void)
{
    static const uint8_t seed[32] = {1};
    struct params params = *params_of(NETWORK_SIGNET);
    struct u256 easy = target_of_bits(0x207fffff, NULL, NULL);
    struct seckey key = {.b = {9}, .is_compressed = true};
    struct buf challenge = {0};
    struct miner_options options;
    struct keyring ring;
    struct pubkey pubkey;
    struct block_hash hash;
    struct error err = {0};
    struct miner *miner;
    struct arena arena;
    struct block block;
    struct fake *f;
    uint32_t n;

    secp_init(seed);
    pubkey = pubkey_of_seckey(&key);
    buf_add(&challenge, "\x21", 1);
    buf_add(&challenge, pubkey.b, pubkey.len);
    buf_add(&challenge, "\xac", 1);
    CHECK(params_set_signet_challenge(&params, span_of_buf(&challenge), NULL) == 0);
    for (int i = 0; i < 4; i++)
        put_le64(params.pow_limit + 8 * i, easy.limb[i]);
    f = fake_new(&params);
    f->chain[0].header.bits = 0x207fffff;
    options = options_on(f, &params);
    options.builder.mempool = &f->mempool;
    fill_mempool(f, 2);
    miner = miner_new(&options);
    EXPECT_INT("no key", miner->ops->generate(miner, &hash, &n, 1, span_of("\x51", 1), 1000, &err),
               E_PERMISSION);
    miner_free(miner);
    keyring_init(&ring);
    keyring_add_secret(&ring, &key);
    options.signet_keys = &ring;
    miner = miner_new(&options);
    EXPECT_INT("key", miner->ops->generate(miner, &hash, &n, 1, span_of("\x51", 1), 1000, &err), 0);
    EXPECT_U64("one", n, 1);
    arena_init(&arena);
    CHECK(block_read(&block, f->last.data, f->last.len, &arena) == 0);
    EXPECT_TRUE("solved", signet_solution_holds(&block, &params, &arena));
    arena_clear(&arena);
    miner_free(miner);
    keyring_clear(&ring);
    buf_clear(&challenge);
    fake_free(f);
}

/* -mine: threads find blocks until they are told to stop, and count what they do. */
static void threads_mine_by_themselves(void)
{
    const struct params *params = params_of(NETWORK_REGTEST);
    struct fake *f = fake_new(params);
    struct miner_options options = options_on(f, params);
    struct miner_info info;
    struct miner *miner;

    options.threads_n = 3;
    options.mine_script = span_of("\x51", 1);
    miner = miner_new(&options);
    CHECK(miner_start(miner, NULL) == 0);
    while (atomic_load(&f->mined) < 20)
        sched_yield();
    miner->ops->info(miner, &info);
    EXPECT_TRUE("is mining", info.is_mining);
    miner_free(miner);
    EXPECT_TRUE("blocks", f->tip >= 20);
    check_last(f, params, 1);
    fake_free(f);

    /* With an interval of an hour only one is found. */
    f = fake_new(params);
    options = options_on(f, params);
    options.threads_n = 2;
    options.mine_script = span_of("\x51", 1);
    options.mine_interval_s = 3600;
    miner = miner_new(&options);
    CHECK(miner_start(miner, NULL) == 0);
    while (atomic_load(&f->mined) < 1)
        sched_yield();
    miner_free(miner);
    EXPECT_INT("one", f->tip, 1);
    fake_free(f);
}

TEST_LIST(TEST(templates_hold_until_something_changes), TEST(mempool_transactions_are_mined),
          TEST(signet_blocks_are_signed), TEST(threads_mine_by_themselves),
          TEST(blocks_follow_each_other), TEST(a_reorganization_makes_states_anew),
          TEST(tries_are_shared_by_all_blocks), TEST(refusals_and_stops_are_reported),
          TEST(given_transactions_are_mined_in_order), TEST(a_signet_of_op_true_can_be_mined),
          TEST(retarget_blocks_keep_to_bip94))
