/* Rules that need no script: headers, transactions, subsidy, locks, BIP 30. */
#include "consensus/rules.h"

#include "consensus/chain_of.h"
#include "consensus/make.h"
#include "primitives/amount.h"
#include "script/flags.h"
#include "test.h"

#define T0 1500000000U

static const struct {
    enum network network;
    int32_t height;
    int64_t want_sat;
} subsidy_rows[] = {
    {NETWORK_MAIN, 0, 50 * COIN_SAT},
    {NETWORK_MAIN, 209999, 50 * COIN_SAT},
    {NETWORK_MAIN, 210000, 25 * COIN_SAT},
    {NETWORK_MAIN, 420000, 1250000000},
    {NETWORK_MAIN, 840000, 312500000},
    {NETWORK_MAIN, 32 * 210000, 1},
    {NETWORK_MAIN, 33 * 210000, 0},
    /* BIP 42: 64 halvings and more must not begin anew. */
    {NETWORK_MAIN, 64 * 210000, 0},
    {NETWORK_MAIN, 65 * 210000, 0},
    {NETWORK_REGTEST, 149, 50 * COIN_SAT},
    {NETWORK_REGTEST, 150, 25 * COIN_SAT},
    {NETWORK_REGTEST, 64 * 150, 0},
};

static void subsidies_halve_and_end(void)
{
    int64_t total_sat = 0;

    for (size_t i = 0; i < ARRAY_LEN(subsidy_rows); i++) {
        char label[32];

        (void)snprintf(label, sizeof(label), "height %d", subsidy_rows[i].height);
        EXPECT_INT(label, subsidy_at(subsidy_rows[i].height, params_of(subsidy_rows[i].network)),
                   subsidy_rows[i].want_sat);
    }
    for (int32_t height = 0; height < 34 * 210000; height += 210000)
        total_sat += 210000 * subsidy_at(height, params_of(NETWORK_MAIN));
    EXPECT_INT("all of it", total_sat, INT64_C(2099999997690000));
}

#define P2SH SCRIPT_VERIFY(P2SH)
#define BASE (P2SH | SCRIPT_VERIFY(WITNESS) | SCRIPT_VERIFY(TAPROOT))
#define DER SCRIPT_VERIFY(DERSIG)
#define CLTV SCRIPT_VERIFY(CHECKLOCKTIMEVERIFY)
#define CSV SCRIPT_VERIFY(CHECKSEQUENCEVERIFY)
#define DUMMY SCRIPT_VERIFY(NULLDUMMY)

static const struct {
    enum network network;
    int32_t height;
    const char *hash; /* NULL: any other. */
    uint64_t want;
} flag_rows[] = {
    {NETWORK_MAIN, 0, NULL, BASE},
    {NETWORK_MAIN, 363724, NULL, BASE},
    {NETWORK_MAIN, 363725, NULL, BASE | DER},
    {NETWORK_MAIN, 388381, NULL, BASE | DER | CLTV},
    {NETWORK_MAIN, 419327, NULL, BASE | DER | CLTV},
    {NETWORK_MAIN, 419328, NULL, BASE | DER | CLTV | CSV},
    {NETWORK_MAIN, 481823, NULL, BASE | DER | CLTV | CSV},
    {NETWORK_MAIN, 481824, NULL, BASE | DER | CLTV | CSV | DUMMY},
    {NETWORK_MAIN, 170060, "00000000000002dc756eebf4f49723ed8d30cc28a5f108eb94b1ba88ac4f9c22", 0},
    {NETWORK_MAIN, 692261, "0000000000000000000f14c35b2d841e986ab5441de8c585d5ffe55ea1e395ad",
     P2SH | SCRIPT_VERIFY(WITNESS) | DER | CLTV | CSV | DUMMY},
    {NETWORK_TEST, 100, "00000000dd30457c001f4095d208cc1296b0eed002427aa599874af7a432b105", 0},
    {NETWORK_TEST, 834624, NULL, BASE | DER | CLTV | CSV | DUMMY},
    {NETWORK_TESTNET4, 1, NULL, BASE | DER | CLTV | CSV | DUMMY},
    {NETWORK_REGTEST, 0, NULL, BASE | DUMMY},
};

static void blocks_get_the_flags_of_their_height_and_hash(void)
{
    for (size_t i = 0; i < ARRAY_LEN(flag_rows); i++) {
        struct block_hash hash = {{1}};
        char label[48];

        (void)snprintf(label, sizeof(label), "%d at %d", (int)flag_rows[i].network,
                       flag_rows[i].height);
        if (flag_rows[i].hash != NULL)
            CHECK(hash_from_hex(hash.b, flag_rows[i].hash));
        EXPECT_U64(label,
                   block_script_flags(flag_rows[i].height, &hash, params_of(flag_rows[i].network)),
                   flag_rows[i].want);
    }
}

/* One header after 2,016 blocks of 600 s; each row changes one thing. */
static const struct {
    const char *label;
    enum network network;
    int32_t height; /* Of the header. */
    int32_t version;
    int64_t time_after_parent_s;
    int64_t ahead_of_now_s;
    uint32_t bits;
    enum verdict want;
    const char *reason;
} header_rows[] = {
    {"good", NETWORK_MAIN, 2015, 4, 600, 0, 0x1d00ffff, V_VALID, NULL},
    {"wrong bits", NETWORK_MAIN, 2015, 4, 600, 0, 0x1d00fffe, V_BAD_DIFFBITS, "bad-diffbits"},
    {"as old as the median", NETWORK_MAIN, 2015, 4, -3000, 0, 0x1d00ffff, V_TIME_TOO_OLD,
     "time-too-old"},
    {"a second after the median", NETWORK_MAIN, 2015, 4, -2999, 0, 0x1d00ffff, V_VALID, NULL},
    {"two hours ahead", NETWORK_MAIN, 2015, 4, 600, 7200, 0x1d00ffff, V_VALID, NULL},
    {"a second more", NETWORK_MAIN, 2015, 4, 600, 7201, 0x1d00ffff, V_TIME_TOO_NEW, "time-too-new"},
    {"BIP 94, 600 s back", NETWORK_TESTNET4, 2016, 4, -600, 0, 0x1d00ffde, V_VALID, NULL},
    {"BIP 94, 601 s back", NETWORK_TESTNET4, 2016, 4, -601, 0, 0x1d00ffde, V_TIME_TIMEWARP,
     "time-timewarp-attack"},
    {"BIP 94 within a period", NETWORK_TESTNET4, 2015, 4, -601, 0, 0x1d00ffff, V_VALID, NULL},
    {"no BIP 94 on main", NETWORK_MAIN, 2016, 4, -601, 0, 0x1d00ffde, V_VALID, NULL},
    {"version 3 where BIP 65 holds", NETWORK_SIGNET, 2015, 3, 600, 0, 0x1e0377ae, V_BAD_VERSION,
     "bad-version(0x00000003)"},
    {"negative version", NETWORK_SIGNET, 2015, -1, 600, 0, 0x1e0377ae, V_BAD_VERSION,
     "bad-version(0xffffffff)"},
    {"version 1 before BIP 34", NETWORK_MAIN, 2015, 1, 600, 0, 0x1d00ffff, V_VALID, NULL},
};

static void headers_are_verified(void)
{
    for (size_t i = 0; i < ARRAY_LEN(header_rows); i++) {
        const char *label = header_rows[i].label;
        const struct params *params = params_of(header_rows[i].network);
        /* What the retarget of 2,015 intervals leads to must not be at the limit. */
        uint32_t limit = header_rows[i].bits == 0x1d00ffde ? 0x1d00ffff : header_rows[i].bits;
        struct chain_of chain = {0};
        struct ancestry ancestry = chain_of_ancestry(&chain, header_rows[i].height - 1);
        struct finding finding = {0};
        char reason[FINDING_REASON_MAX];
        struct header header = {.version = header_rows[i].version, .bits = header_rows[i].bits};

        if (header_rows[i].want == V_BAD_DIFFBITS)
            limit = 0x1d00ffff;
        for (int32_t k = 0; k < header_rows[i].height; k++)
            chain_of_add(&chain, 4, T0 + 600 * (uint32_t)k, limit);
        header.time = (uint32_t)((int64_t)T0 + 600 * (header_rows[i].height - 1) +
                                 header_rows[i].time_after_parent_s);
        EXPECT_INT(label,
                   header_verify(&header, &ancestry, params,
                                 (int64_t)header.time - header_rows[i].ahead_of_now_s, &finding),
                   header_rows[i].want);
        if (header_rows[i].reason != NULL) {
            finding_reason(reason, &finding);
            EXPECT_STR(label, reason, header_rows[i].reason);
        }
        chain_of_clear(&chain);
    }
}

static const struct {
    int32_t height;
    int32_t version;
    enum verdict want;
} version_rows[] = {
    {227930, 1, V_VALID},          {227931, 1, V_BAD_VERSION}, {227931, 2, V_VALID},
    {363724, 2, V_VALID},          {363725, 2, V_BAD_VERSION}, {363725, 3, V_VALID},
    {388380, 3, V_VALID},          {388381, 3, V_BAD_VERSION}, {388381, 4, V_VALID},
    {388381, 0x20000000, V_VALID},
};

static void old_versions_end_at_their_heights(void)
{
    for (size_t i = 0; i < ARRAY_LEN(version_rows); i++) {
        struct chain_of chain = {.base_height = version_rows[i].height - 2017};
        struct ancestry ancestry = chain_of_ancestry(&chain, version_rows[i].height - 1);
        struct header header = {.version = version_rows[i].version, .time = T0 + 600 * 3000};
        struct finding finding = {0};
        char label[32];

        (void)snprintf(label, sizeof(label), "%d at %d", version_rows[i].version,
                       version_rows[i].height);
        for (uint32_t k = 0; k < 2017; k++)
            chain_of_add(&chain, 4, T0 + 600 * k, 0x1b00ffff);
        header.bits = pow_next_bits(&ancestry, header.time, params_of(NETWORK_MAIN));
        EXPECT_INT(
            label,
            header_verify(&header, &ancestry, params_of(NETWORK_MAIN), T0 + 600 * 3000, &finding),
            version_rows[i].want);
        chain_of_clear(&chain);
    }
}

static void work_must_be_done(void)
{
    const struct params *params = params_of(NETWORK_MAIN);
    struct finding finding = {0};
    struct header header;
    struct reader r;
    struct block_hash hash = params->genesis_hash;

    reader_init(&r, params->genesis.data, params->genesis.len);
    header_read(&header, &r);
    EXPECT_INT("genesis", header_check(&header, &hash, params, &finding), V_VALID);
    header.nonce++;
    hash = header_hash(&header);
    EXPECT_INT("next nonce", header_check(&header, &hash, params, &finding), V_HIGH_HASH);
    EXPECT_STR("next nonce", finding.detail, "proof of work failed");
    EXPECT_INT("condemns", verdict_condemns(V_HIGH_HASH), ASSAY_CONDEMNS_HEADER);
    EXPECT_INT("condemns", verdict_condemns(V_TIME_TOO_NEW), ASSAY_CONDEMNS_NOW);
}

/* tx_check: each row damages a good transaction of 3 inputs and 2 outputs. */
static void leave(struct draft *d, struct arena *arena)
{
    (void)d;
    (void)arena;
}

static void no_inputs(struct draft *d, struct arena *arena)
{
    (void)arena;
    d->tx.in_n = 0;
}

static void no_outputs(struct draft *d, struct arena *arena)
{
    (void)arena;
    d->tx.out_n = 0;
}

/* 999,999 bytes more or less decide; the witness is not counted. */
static void base_size(struct draft *d, size_t bytes, struct arena *arena)
{
    size_t now = 4 + 1 + 3 * 41 + 1 + 2 * 9 + 4;

    d->out[0].script_pubkey = make_bytes(bytes - now - 4, 0, arena); /* 5-byte length. */
}

static void exactly_a_block(struct draft *d, struct arena *arena)
{
    struct span *stack = arena_array(arena, 1, sizeof(*stack));

    base_size(d, 1000000, arena);
    stack[0] = make_bytes(100000, 1, arena);
    d->in[0].witness = stack;
    d->in[0].witness_n = 1;
}

static void over_a_block(struct draft *d, struct arena *arena)
{
    base_size(d, 1000001, arena);
}

static void sixty_four_bytes(struct draft *d, struct arena *arena)
{
    d->tx.in_n = 1;
    d->tx.out_n = 1;
    d->out[0].script_pubkey = make_bytes(4, 0x51, arena);
}

static void negative(struct draft *d, struct arena *arena)
{
    (void)arena;
    d->out[1].value_sat = -1;
}

static void all_the_money(struct draft *d, struct arena *arena)
{
    (void)arena;
    d->out[0].value_sat = 0;
    d->out[1].value_sat = MONEY_MAX_SAT;
}

static void too_large(struct draft *d, struct arena *arena)
{
    (void)arena;
    d->out[1].value_sat = MONEY_MAX_SAT + 1;
}

static void sum_too_large(struct draft *d, struct arena *arena)
{
    (void)arena;
    d->out[0].value_sat = 1;
    d->out[1].value_sat = MONEY_MAX_SAT;
}

static void repeated(struct draft *d, struct arena *arena)
{
    (void)arena;
    d->in[2].prevout = d->in[0].prevout;
}

static void null_among_others(struct draft *d, struct arena *arena)
{
    (void)arena;
    memset(&d->in[1].prevout, 0, sizeof(d->in[1].prevout));
    d->in[1].prevout.vout = OUTPOINT_VOUT_NULL;
}

static void zero_txid_is_not_null(struct draft *d, struct arena *arena)
{
    (void)arena;
    memset(&d->in[1].prevout, 0, sizeof(d->in[1].prevout));
}

static void coinbase_script(struct draft *d, size_t len, struct arena *arena)
{
    d->tx.in_n = 1;
    memset(&d->in[0].prevout, 0, sizeof(d->in[0].prevout));
    d->in[0].prevout.vout = OUTPOINT_VOUT_NULL;
    d->in[0].script_sig = make_bytes(len, 0, arena);
}

static void coinbase_1(struct draft *d, struct arena *arena)
{
    coinbase_script(d, 1, arena);
}

static void coinbase_2(struct draft *d, struct arena *arena)
{
    coinbase_script(d, 2, arena);
}

static void coinbase_100(struct draft *d, struct arena *arena)
{
    coinbase_script(d, 100, arena);
}

static void coinbase_101(struct draft *d, struct arena *arena)
{
    coinbase_script(d, 101, arena);
}

static const struct {
    const char *label;
    void (*damage)(struct draft *draft, struct arena *arena);
    enum verdict want;
    const char *reason;
} tx_rows[] = {
    {"good", leave, V_VALID, ""},
    {"no inputs", no_inputs, V_BAD_VIN_EMPTY, "bad-txns-vin-empty"},
    {"no outputs", no_outputs, V_BAD_VOUT_EMPTY, "bad-txns-vout-empty"},
    {"1,000,000 bytes and a witness", exactly_a_block, V_VALID, ""},
    {"1,000,001 bytes", over_a_block, V_BAD_TXNS_OVERSIZE, "bad-txns-oversize"},
    {"64 bytes", sixty_four_bytes, V_VALID, ""},
    {"negative output", negative, V_BAD_VOUT_NEGATIVE, "bad-txns-vout-negative"},
    {"21 million", all_the_money, V_VALID, ""},
    {"a satoshi more", too_large, V_BAD_VOUT_TOOLARGE, "bad-txns-vout-toolarge"},
    {"sum", sum_too_large, V_BAD_TXOUTTOTAL_TOOLARGE, "bad-txns-txouttotal-toolarge"},
    {"CVE-2018-17144", repeated, V_BAD_INPUTS_DUPLICATE, "bad-txns-inputs-duplicate"},
    {"null prevout", null_among_others, V_BAD_PREVOUT_NULL, "bad-txns-prevout-null"},
    {"zero txid, index 0", zero_txid_is_not_null, V_VALID, ""},
    {"coinbase of 1 byte", coinbase_1, V_BAD_CB_LENGTH, "bad-cb-length"},
    {"coinbase of 2 bytes", coinbase_2, V_VALID, ""},
    {"coinbase of 100 bytes", coinbase_100, V_VALID, ""},
    {"coinbase of 101 bytes", coinbase_101, V_BAD_CB_LENGTH, "bad-cb-length"},
};

static void transactions_are_checked(void)
{
    for (size_t i = 0; i < ARRAY_LEN(tx_rows); i++) {
        const char *label = tx_rows[i].label;
        struct finding finding = {0};
        struct arena arena;
        struct draft draft;
        const struct tx *tx;

        arena_init(&arena);
        draft = make_tx(3, 2, &arena);
        tx_rows[i].damage(&draft, &arena);
        tx = make_finish(&draft, &arena);
        EXPECT_INT(label, tx_check(tx, &finding), tx_rows[i].want);
        EXPECT_INT(label, finding.verdict, tx_rows[i].want);
        EXPECT_STR(label, verdict_reason(tx_rows[i].want), tx_rows[i].reason);
        if (tx_rows[i].damage == sixty_four_bytes)
            EXPECT_U64(label, tx->base_bytes, 64);
        arena_clear(&arena);
    }
}

/* Every size class of the search for repeats, against all pairs. */
static void repeats_are_found_at_any_size(void)
{
    static const uint32_t sizes[] = {1, 2, 7, 8, 9, 40, 127, 128, 129, 500, 5000, 24000};

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        uint32_t n = sizes[i];
        struct finding finding = {0};
        struct arena arena;
        struct draft draft;
        const struct tx *tx;
        char label[16];

        (void)snprintf(label, sizeof(label), "%u inputs", n);
        arena_init(&arena);
        draft = make_tx(n, 1, &arena);
        for (uint32_t k = 0; k < n; k++) {
            /* Close to each other: few bytes differ, in different places. */
            draft.in[k].prevout.txid.b[k % 32] = (uint8_t)(k / 32);
            draft.in[k].prevout.vout = k / 3;
            draft.in[k].prevout.txid.b[31] = (uint8_t)k;
        }
        tx = make_finish(&draft, &arena);
        EXPECT_INT(label, tx_check(tx, &finding), V_VALID);
        for (int round = 0; n > 1 && round < 5; round++) {
            uint32_t a = (uint32_t)test_random_below(n);
            uint32_t b = (uint32_t)test_random_below(n);
            struct outpoint kept;

            if (a == b)
                b = (b + 1) % n;
            kept = draft.in[b].prevout;
            draft.in[b].prevout = draft.in[a].prevout;
            tx = make_finish(&draft, &arena);
            EXPECT_INT(label, tx_check(tx, &finding), V_BAD_INPUTS_DUPLICATE);
            EXPECT_U64(label, finding.in_index, MAX(a, b));
            draft.in[b].prevout = kept;
        }
        arena_clear(&arena);
    }
}

static const struct {
    const char *label;
    uint32_t lock_time;
    uint32_t sequence;
    int32_t height;
    int64_t time_s;
    bool want;
} final_rows[] = {
    {"no lock", 0, 0, 0, 0, true},
    {"at its height", 100, 0, 100, T0, false},
    {"one later", 100, 0, 101, T0, true},
    {"final inputs", 100, SEQUENCE_FINAL, 100, T0, true},
    {"greatest height", LOCKTIME_THRESHOLD - 1, 0, INT32_MAX, 0, true},
    {"greatest height, low", LOCKTIME_THRESHOLD - 1, 0, 1, INT64_MAX, false},
    {"least time", LOCKTIME_THRESHOLD, 0, INT32_MAX, LOCKTIME_THRESHOLD, false},
    {"a second later", LOCKTIME_THRESHOLD, 0, 0, LOCKTIME_THRESHOLD + 1, true},
    {"greatest", 0xffffffff, 0xfffffffe, INT32_MAX, 0xffffffff, false},
};

static void finality_is_by_height_or_time(void)
{
    for (size_t i = 0; i < ARRAY_LEN(final_rows); i++) {
        struct tx_in in[2] = {{.sequence = SEQUENCE_FINAL}, {.sequence = final_rows[i].sequence}};
        struct tx tx = {.in = in, .in_n = 2, .lock_time = final_rows[i].lock_time};

        EXPECT_INT(final_rows[i].label,
                   tx_is_final(&tx, final_rows[i].height, final_rows[i].time_s),
                   final_rows[i].want);
    }
}

#define BY_TIME SEQUENCE_LOCKTIME_TYPE_FLAG
#define OFF SEQUENCE_LOCKTIME_DISABLE_FLAG

static const struct {
    const char *label;
    uint32_t version;
    uint32_t sequence;
    int32_t coin_height;
    uint32_t coin_mtp;
    int32_t height;
    uint32_t prev_mtp;
    bool want;
    bool any;
    bool by_time;
} sequence_rows[] = {
    {"version 1 has no locks", 1, 100, 50, T0, 51, T0, true, false, false},
    {"version 0xffffffff has", 0xffffffff, 100, 50, T0, 51, T0, false, true, false},
    {"switched off", 2, OFF | 100, 50, T0, 51, T0, true, false, false},
    {"nothing", 2, 0, 50, T0, 50, T0, true, true, false},
    {"1 in the same block", 2, 1, 50, T0, 50, T0, false, true, false},
    {"1 in the next block", 2, 1, 50, T0, 51, T0, true, true, false},
    {"100, one early", 2, 100, 50, T0, 149, T0, false, true, false},
    {"100", 2, 100, 50, T0, 150, T0, true, true, false},
    {"mask", 2, 0x3f0064, 50, T0, 150, T0, true, true, false},
    {"greatest", 2, 0xffff, 50, T0, 65584, T0, false, true, false},
    {"greatest met", 2, 0xffff, 50, T0, 65585, T0, true, true, false},
    {"512 s, one early", 2, BY_TIME | 1, 50, T0, 51, T0 + 511, false, true, true},
    {"512 s", 2, BY_TIME | 1, 50, T0, 51, T0 + 512, true, true, true},
    {"no time", 2, BY_TIME, 50, T0, 51, T0, true, true, true},
    {"no time, but before", 2, BY_TIME, 50, T0, 51, T0 - 1, false, true, true},
    {"greatest time, early", 2, BY_TIME | 0xffff, 50, T0, 51, T0 + 65535 * 512 - 1, false, true,
     true},
    {"greatest time", 2, BY_TIME | 0xffff, 50, T0, 51, T0 + 65535 * 512, true, true, true},
};

static void sequence_locks_count_from_the_coin(void)
{
    for (size_t i = 0; i < ARRAY_LEN(sequence_rows); i++) {
        const char *label = sequence_rows[i].label;
        struct tx_in in[2] = {{.sequence = SEQUENCE_FINAL},
                              {.sequence = sequence_rows[i].sequence}};
        struct tx tx = {.in = in, .in_n = 2, .version = sequence_rows[i].version};
        struct coin coins[2] = {{.height = 1}, {.height = (uint32_t)sequence_rows[i].coin_height}};
        uint32_t mtps[2] = {T0, sequence_rows[i].coin_mtp};
        bool by_time;

        EXPECT_INT(label, tx_has_sequence_locks(&tx, &by_time), sequence_rows[i].any);
        EXPECT_INT(label, by_time, sequence_rows[i].by_time);
        EXPECT_INT(label,
                   tx_sequence_locks_hold(&tx, coins, by_time ? mtps : NULL,
                                          sequence_rows[i].height, sequence_rows[i].prev_mtp),
                   sequence_rows[i].want);
    }
}

static const struct {
    const char *label;
    int64_t in_sat[2];
    int64_t out_sat;
    uint32_t coin_height;
    bool coinbase;
    bool missing;
    enum verdict want;
    const char *detail;
} input_rows[] = {
    {"good", {5000, 6000}, 10999, 1, false, false, V_VALID, ""},
    {"no fee", {5000, 6000}, 11000, 1, false, false, V_VALID, ""},
    {"below",
     {5000, 6000},
     11001,
     1,
     false,
     false,
     V_IN_BELOWOUT,
     "value in (0.00011) < value out (0.00011001)"},
    {"round amounts",
     {100000000, 0},
     5000000000,
     1,
     false,
     false,
     V_IN_BELOWOUT,
     "value in (1.00) < value out (50.00)"},
    {"missing",
     {0, 0},
     0,
     1,
     false,
     true,
     V_INPUTS_MISSING_OR_SPENT,
     "CheckTxInputs: inputs missing/spent"},
    {"coinbase of depth 99",
     {5000, 6000},
     1,
     901,
     true,
     false,
     V_PREMATURE_SPEND,
     "tried to spend coinbase at depth 99"},
    {"coinbase of depth 100", {5000, 6000}, 1, 900, true, false, V_VALID, ""},
    {"not a coinbase, depth 0", {5000, 6000}, 1, 1000, false, false, V_VALID, ""},
    {"negative coin", {-1, 6000}, 1, 1, false, false, V_INPUT_VALUES_OUTOFRANGE, ""},
    {"coin too large", {0, MONEY_MAX_SAT + 1}, 1, 1, false, false, V_INPUT_VALUES_OUTOFRANGE, ""},
    {"sum too large", {1, MONEY_MAX_SAT}, 1, 1, false, false, V_INPUT_VALUES_OUTOFRANGE, ""},
    {"sum as large as can be", {0, MONEY_MAX_SAT}, 1, 1, false, false, V_VALID, ""},
};

static void inputs_pay_for_outputs(void)
{
    for (size_t i = 0; i < ARRAY_LEN(input_rows); i++) {
        const char *label = input_rows[i].label;
        struct tx_in in[2] = {{.sequence = 0}, {.sequence = 0}};
        struct tx_out out = {.value_sat = input_rows[i].out_sat};
        struct tx tx = {.in = in, .in_n = 2, .out = &out, .out_n = 1};
        struct coin coins[2] = {{.value_sat = input_rows[i].in_sat[0], .height = 1},
                                {.value_sat = input_rows[i].in_sat[1],
                                 .height = input_rows[i].coin_height,
                                 .is_coinbase = input_rows[i].coinbase}};
        struct finding finding = {0};
        int64_t fee_sat = -1;

        EXPECT_INT(
            label,
            tx_verify_inputs(&tx, input_rows[i].missing ? NULL : coins, 1000, &fee_sat, &finding),
            input_rows[i].want);
        EXPECT_STR(label, finding.detail, input_rows[i].detail);
        if (input_rows[i].want == V_VALID)
            EXPECT_INT(label, fee_sat,
                       input_rows[i].in_sat[0] + input_rows[i].in_sat[1] - out.value_sat);
    }
}

#define REPEAT_91842 "00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec"
#define REPEAT_91880 "00000000000743f190a18c5577a3c2d2a1f610ae9601ac046a38084ccb7cd721"
#define FIRST_91722 "00000000000271a2dc26e7667f8419f2e15416dc6955e5a6c6cdf3f2574dd08e"
#define FIRST_91812 "00000000000af0aed4792b1acee3d966af36cf5def14935db8de83d6f9306f2f"
#define BIP34_BLOCK "000000000000024b89b42a942fe0d9fea3bb44ab7bd1b19115dd6a759c0808b8"
#define OTHER "0000000000000000000000000000000000000000000000000000000000000001"

static const struct {
    const char *label;
    enum network network;
    int32_t height;
    const char *hash;
    const char *at_bip34; /* NULL: the branch is shorter. */
    bool needed;
    bool repeat;
    bool unclean;
} bip30_rows[] = {
    {"first repeat", NETWORK_MAIN, 91842, REPEAT_91842, NULL, false, true, false},
    {"second repeat", NETWORK_MAIN, 91880, REPEAT_91880, NULL, false, true, false},
    {"another block there", NETWORK_MAIN, 91842, OTHER, NULL, true, false, false},
    {"that block elsewhere", NETWORK_MAIN, 91843, REPEAT_91842, NULL, true, false, false},
    {"first overwritten", NETWORK_MAIN, 91722, FIRST_91722, NULL, true, false, true},
    {"second overwritten", NETWORK_MAIN, 91812, FIRST_91812, NULL, true, false, true},
    {"not on regtest", NETWORK_REGTEST, 91842, REPEAT_91842, NULL, true, false, false},
    {"before BIP 34", NETWORK_MAIN, 227931, OTHER, NULL, true, false, false},
    {"after BIP 34", NETWORK_MAIN, 227932, OTHER, BIP34_BLOCK, false, false, false},
    {"after BIP 34 on another branch", NETWORK_MAIN, 227932, OTHER, OTHER, true, false, false},
    {"the last free one", NETWORK_MAIN, 1983701, OTHER, BIP34_BLOCK, false, false, false},
    {"the return", NETWORK_MAIN, 1983702, OTHER, BIP34_BLOCK, true, false, false},
    {"regtest always", NETWORK_REGTEST, 1000, OTHER, OTHER, true, false, false},
};

static void bip30_ends_and_returns(void)
{
    for (size_t i = 0; i < ARRAY_LEN(bip30_rows); i++) {
        const struct params *params = params_of(bip30_rows[i].network);
        const char *label = bip30_rows[i].label;
        int32_t height = bip30_rows[i].height;
        struct block_hash hash;
        struct block_hash ancestor;

        CHECK(hash_from_hex(hash.b, bip30_rows[i].hash));
        if (bip30_rows[i].at_bip34 != NULL)
            CHECK(hash_from_hex(ancestor.b, bip30_rows[i].at_bip34));
        EXPECT_INT(label,
                   bip30_check_needed(height, &hash,
                                      bip30_rows[i].at_bip34 == NULL ? NULL : &ancestor, params),
                   bip30_rows[i].needed);
        EXPECT_INT(label, bip30_is_repeat(height, &hash, params), bip30_rows[i].repeat);
        EXPECT_INT(label, bip30_is_unclean(height, &hash, params), bip30_rows[i].unclean);
    }
}

static const struct {
    const char *label;
    size_t len;
    uint8_t first;
    bool want;
} coin_rows[] = {
    {"empty", 0, 0, false},
    {"OP_RETURN", 1, 0x6a, true},
    {"10,000 bytes", 10000, 0x51, false},
    {"10,001 bytes", 10001, 0x51, true},
    {"OP_RETURN later", 2, 0x51, false},
};

static void some_outputs_never_become_coins(void)
{
    for (size_t i = 0; i < ARRAY_LEN(coin_rows); i++) {
        struct arena arena;
        struct span script;

        arena_init(&arena);
        script = make_bytes(coin_rows[i].len, coin_rows[i].first, &arena);
        if (coin_rows[i].len == 2)
            ((uint8_t *)(uintptr_t)script.data)[1] = 0x6a;
        EXPECT_INT(coin_rows[i].label, script_is_unspendable(script), coin_rows[i].want);
        arena_clear(&arena);
    }
}

static const struct {
    int32_t height;
    uint8_t want[COINBASE_HEIGHT_BYTES_MAX];
    size_t len;
} height_rows[] = {
    {0, {0x00}, 1},
    {1, {0x51}, 1},
    {16, {0x60}, 1},
    {17, {0x01, 0x11}, 2},
    {127, {0x01, 0x7f}, 2},
    {128, {0x02, 0x80, 0x00}, 3},
    {255, {0x02, 0xff, 0x00}, 3},
    {256, {0x02, 0x00, 0x01}, 3},
    {32768, {0x03, 0x00, 0x80, 0x00}, 4},
    {227931, {0x03, 0x5b, 0x7a, 0x03}, 4},
    {8388608, {0x04, 0x00, 0x00, 0x80, 0x00}, 5},
    {INT32_MAX, {0x04, 0xff, 0xff, 0xff, 0x7f}, 5},
};

static void heights_are_pushed_exactly(void)
{
    for (size_t i = 0; i < ARRAY_LEN(height_rows); i++) {
        uint8_t got[COINBASE_HEIGHT_BYTES_MAX];
        size_t len = coinbase_height_write(got, height_rows[i].height);
        char label[16];

        (void)snprintf(label, sizeof(label), "%d", height_rows[i].height);
        EXPECT_BYTES(label, got, len, height_rows[i].want, height_rows[i].len);
    }
}

TEST_LIST(TEST(subsidies_halve_and_end), TEST(blocks_get_the_flags_of_their_height_and_hash),
          TEST(headers_are_verified), TEST(old_versions_end_at_their_heights),
          TEST(work_must_be_done), TEST(transactions_are_checked),
          TEST(repeats_are_found_at_any_size), TEST(finality_is_by_height_or_time),
          TEST(sequence_locks_count_from_the_coin), TEST(inputs_pay_for_outputs),
          TEST(bip30_ends_and_returns), TEST(some_outputs_never_become_coins),
          TEST(heights_are_pushed_exactly))
