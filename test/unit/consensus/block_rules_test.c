/* Rules of whole blocks: made by hand, one thing wrong in each, and real ones. */
#include <dirent.h>

#include "consensus/chain_of.h"
#include "consensus/make.h"
#include "consensus/rules.h"
#include "crypto/sha256.h"
#include "primitives/amount.h"
#include "primitives/merkle.h"
#include "script/flags.h"
#include "test.h"

#define T0 1500000000U
#define HEIGHT 200
#define CHECKSIG 0xac
#define CHECKMULTISIG 0xae

/* A good block of three transactions, the last with a witness, on a regtest chain
 * of 200 blocks; rows change it before it is put together. */
struct making {
    struct arena *arena;
    struct params params;
    struct draft coinbase;
    struct draft a;
    struct draft b;
    bool no_commitment;
    bool no_coinbase;
    bool no_tx;
    bool repeat_last; /* CVE-2012-2459 */
    int32_t height;
    /* After it is put together. */
    bool wrong_root;
    bool lazy; /* A hash above the target. */
};

static struct making begin(struct arena *arena)
{
    struct making m = {.arena = arena, .height = HEIGHT, .params = *params_of(NETWORK_REGTEST)};
    struct span *stack = arena_array(arena, 1, sizeof(*stack));

    m.coinbase = make_coinbase(HEIGHT, 25 * COIN_SAT, arena);
    m.a = make_tx(2, 2, arena);
    m.b = make_tx(1, 1, arena);
    m.b.in[0].prevout.vout = 9;
    stack[0] = make_bytes(10, 1, arena);
    m.b.in[0].witness = stack;
    m.b.in[0].witness_n = 1;
    return m;
}

static struct block put_together(struct making *m)
{
    const struct tx *txs[5] = {NULL};
    uint32_t n = m->no_coinbase ? 0 : 1;
    struct block block;

    txs[n++] = make_finish(&m->a, m->arena);
    txs[n++] = make_finish(&m->b, m->arena);
    if (!m->no_coinbase) {
        if (!m->no_commitment)
            make_commitment(&m->coinbase, txs + 1, n - 1, m->arena);
        txs[0] = make_finish(&m->coinbase, m->arena);
    }
    if (m->no_tx)
        n = 0;
    if (m->repeat_last) {
        txs[n] = txs[n - 1];
        n++;
    }
    block = make_block(txs, n, &m->params, true, m->arena);
    if (m->wrong_root) {
        block.header.merkle_root.b[5] ^= 1;
        make_solved(&block, &m->params);
    }
    for (; m->lazy && pow_check(&block.hash, block.header.bits, &m->params); block.header.nonce++)
        block.hash = header_hash(&block.header);
    return block;
}

static void keep(struct making *m)
{
    (void)m;
}

static void be_lazy(struct making *m)
{
    m->lazy = true;
}

static void take_wrong_root(struct making *m)
{
    m->wrong_root = true;
}

static void repeat_last(struct making *m)
{
    m->repeat_last = true;
}

static void no_tx(struct making *m)
{
    m->no_tx = true;
}

static void no_coinbase(struct making *m)
{
    m->no_coinbase = true;
}

static void second_coinbase(struct making *m)
{
    m->a = make_coinbase(HEIGHT + 1, 0, m->arena);
}

static void negative_output(struct making *m)
{
    m->b.out[0].value_sat = -1;
}

static void repeated_input(struct making *m)
{
    m->a.in[1].prevout = m->a.in[0].prevout;
}

static void many_sigops(struct making *m, size_t n, uint8_t opcode)
{
    m->b.out[0].script_pubkey = make_bytes(n, opcode, m->arena);
}

static void sigops_20000(struct making *m)
{
    many_sigops(m, 20000, CHECKSIG);
}

static void sigops_20001(struct making *m)
{
    many_sigops(m, 20001, CHECKSIG);
}

static void multisigs_1000(struct making *m)
{
    many_sigops(m, 1000, CHECKMULTISIG);
}

static void multisigs_1001(struct making *m)
{
    many_sigops(m, 1001, CHECKMULTISIG);
}

static void sixty_four_bytes(struct making *m)
{
    m->a = make_tx(1, 1, m->arena);
    m->a.out[0].script_pubkey = make_bytes(4, 0x51, m->arena);
}

/* All transactions together one million bytes, header and count included. */
static void base_bytes(struct making *m, size_t bytes)
{
    size_t others;

    m->no_commitment = true;
    m->b.in[0].witness_n = 0;
    others = make_finish(&m->coinbase, m->arena)->base_bytes +
             make_finish(&m->a, m->arena)->base_bytes + make_finish(&m->b, m->arena)->base_bytes +
             81;
    m->b.out[0].script_pubkey = make_bytes(bytes - others - 4, 0, m->arena);
}

static void a_million_bytes(struct making *m)
{
    base_bytes(m, 1000000);
}

static void a_million_and_one(struct making *m)
{
    base_bytes(m, 1000001);
}

static const struct {
    const char *label;
    void (*change)(struct making *m);
    enum verdict want;
    const char *reason;
    const char *detail; /* The beginning of it. */
    enum assay_condemns condemns;
} check_rows[] = {
    {"good", keep, V_VALID, "", "", ASSAY_CONDEMNS_NOTHING},
    {"no work", be_lazy, V_HIGH_HASH, "high-hash", "proof of work failed", ASSAY_CONDEMNS_HEADER},
    {"another root", take_wrong_root, V_BAD_MERKLE_ROOT, "bad-txnmrklroot",
     "hashMerkleRoot mismatch", ASSAY_CONDEMNS_BODY},
    {"CVE-2012-2459", repeat_last, V_MUTATED, "bad-txns-duplicate", "duplicate transaction",
     ASSAY_CONDEMNS_BODY},
    {"no transaction", no_tx, V_BAD_BLOCK_LENGTH, "bad-blk-length", "size limits failed",
     ASSAY_CONDEMNS_BODY},
    {"1,000,000 bytes", a_million_bytes, V_VALID, "", "", ASSAY_CONDEMNS_NOTHING},
    {"1,000,001 bytes", a_million_and_one, V_BAD_BLOCK_LENGTH, "bad-blk-length",
     "size limits failed", ASSAY_CONDEMNS_BODY},
    {"no coinbase", no_coinbase, V_BAD_CB_MISSING, "bad-cb-missing", "first tx is not coinbase",
     ASSAY_CONDEMNS_BODY},
    {"two coinbases", second_coinbase, V_BAD_CB_MULTIPLE, "bad-cb-multiple",
     "more than one coinbase", ASSAY_CONDEMNS_HEADER},
    {"bad transaction", negative_output, V_BAD_VOUT_NEGATIVE, "bad-txns-vout-negative",
     "Transaction check failed (tx hash ", ASSAY_CONDEMNS_HEADER},
    {"CVE-2018-17144", repeated_input, V_BAD_INPUTS_DUPLICATE, "bad-txns-inputs-duplicate",
     "Transaction check failed (tx hash ", ASSAY_CONDEMNS_HEADER},
    {"20,000 sigops", sigops_20000, V_VALID, "", "", ASSAY_CONDEMNS_NOTHING},
    {"20,001 sigops", sigops_20001, V_BAD_BLOCK_SIGOPS, "bad-blk-sigops",
     "out-of-bounds SigOpCount", ASSAY_CONDEMNS_HEADER},
    {"1,000 bare multisigs", multisigs_1000, V_VALID, "", "", ASSAY_CONDEMNS_NOTHING},
    {"1,001 bare multisigs", multisigs_1001, V_BAD_BLOCK_SIGOPS, "bad-blk-sigops",
     "out-of-bounds SigOpCount", ASSAY_CONDEMNS_HEADER},
    {"64-byte transaction", sixty_four_bytes, V_VALID, "", "", ASSAY_CONDEMNS_NOTHING},
};

static void blocks_are_checked(void)
{
    for (size_t i = 0; i < ARRAY_LEN(check_rows); i++) {
        const char *label = check_rows[i].label;
        struct finding finding = {0};
        struct arena arena;
        struct making m;
        struct block block;

        arena_init(&arena);
        m = begin(&arena);
        check_rows[i].change(&m);
        block = put_together(&m);
        EXPECT_INT(label, block_check(&block, &m.params, true, true, &arena, &finding),
                   check_rows[i].want);
        EXPECT_STR(label, verdict_reason(check_rows[i].want), check_rows[i].reason);
        EXPECT_INT(label, verdict_condemns(check_rows[i].want), check_rows[i].condemns);
        EXPECT_TRUE(label, strncmp(finding.detail, check_rows[i].detail,
                                   strlen(check_rows[i].detail)) == 0);
        if (check_rows[i].want == V_HIGH_HASH)
            EXPECT_INT(label, block_check(&block, &m.params, false, true, &arena, &finding),
                       V_VALID);
        if (check_rows[i].want == V_BAD_MERKLE_ROOT)
            EXPECT_INT(label, block_check(&block, &m.params, true, false, &arena, &finding),
                       V_VALID);
        arena_clear(&arena);
    }
}

/* The inner nodes of a tree of two transactions, read as one of 64 bytes: another
 * body of the same header, which must not be condemned for it. */
static void inner_nodes_do_not_condemn_a_header(void)
{
    struct finding finding = {0};
    struct arena arena;
    struct making m;
    struct block block;
    struct block other;
    struct tx fake = {0};
    struct tx_in in[1] = {{.sequence = 0}};
    struct tx_out out[1] = {{.value_sat = 0}};

    arena_init(&arena);
    m = begin(&arena);
    block = put_together(&m);
    block.tx_n = 2;
    block.header.merkle_root = block_merkle_root(&block, NULL, &arena);
    make_solved(&block, &m.params);
    EXPECT_INT("the real body", block_check(&block, &m.params, true, true, &arena, &finding),
               V_VALID);
    /* Its id is the root, as the id of the two ids' 64 bytes would be. */
    fake = (struct tx){
        .in = in, .in_n = 1, .out = out, .out_n = 1, .base_bytes = 64, .total_bytes = 64};
    memcpy(fake.txid.b, block.header.merkle_root.b, HASH_BYTES);
    other = block;
    other.tx = &fake;
    other.tx_n = 1;
    EXPECT_INT("the false body", block_check(&other, &m.params, true, true, &arena, &finding),
               V_BAD_CB_MISSING);
    EXPECT_INT("the header stays", verdict_condemns(finding.verdict), ASSAY_CONDEMNS_BODY);
    arena_clear(&arena);
}

/* block_verify */
static void without_witness(struct making *m)
{
    m->no_commitment = true;
    m->b.in[0].witness_n = 0;
}

static void lock_at_height(struct making *m)
{
    m->a.tx.lock_time = HEIGHT;
    m->a.in[1].sequence = 0;
}

static void lock_before_height(struct making *m)
{
    m->a.tx.lock_time = HEIGHT - 1;
    m->a.in[1].sequence = 0;
}

/* Blocks are 600 s apart: the median is 3,000 s behind the parent's T0, the block
 * itself at T0. */
static void lock_at_median(struct making *m)
{
    m->a.tx.lock_time = T0 - 3000;
    m->a.in[1].sequence = 0;
}

static void lock_below_median(struct making *m)
{
    m->a.tx.lock_time = T0 - 3001;
    m->a.in[1].sequence = 0;
}

static void lock_at_median_before_csv(struct making *m)
{
    lock_at_median(m);
    m->params.buried_height[BURIED_CSV] = HEIGHT + 1;
}

static void other_height(struct making *m)
{
    m->coinbase = make_coinbase(HEIGHT - 1, 25 * COIN_SAT, m->arena);
}

static void other_height_before_bip34(struct making *m)
{
    other_height(m);
    m->params.buried_height[BURIED_BIP34] = HEIGHT + 1;
}

/* 200 as a longer push than needed. */
static void long_height(struct making *m)
{
    static const uint8_t script[] = {0x03, 0xc8, 0x00, 0x00, 0x00};

    m->coinbase.in[0].script_sig = span_of(script, sizeof(script));
}

static void height_alone_cut(struct making *m)
{
    static const uint8_t script[] = {0x02, 0xc8};

    m->coinbase.in[0].script_sig = span_of(script, sizeof(script));
}

static void no_commitment(struct making *m)
{
    m->no_commitment = true;
}

static void before_segwit(struct making *m)
{
    m->params.buried_height[BURIED_SEGWIT] = HEIGHT + 1;
}

/* A commitment of the right form that commits to nothing, before the real one,
 * which make_commitment puts last. */
static void wrong_one_first(struct making *m)
{
    uint8_t *script = arena_alloc(m->arena, WITNESS_COMMITMENT_BYTES);

    memset(script, 7, WITNESS_COMMITMENT_BYTES);
    memcpy(script, WITNESS_COMMITMENT_HEAD, WITNESS_COMMITMENT_HEAD_BYTES);
    m->coinbase.out[0].script_pubkey = span_of(script, WITNESS_COMMITMENT_BYTES);
}

static const struct {
    const char *label;
    void (*change)(struct making *m);
    enum verdict want;
    const char *reason;
} verify_rows[] = {
    {"good", keep, V_VALID, ""},
    {"no witness at all", without_witness, V_VALID, ""},
    {"lock at its height", lock_at_height, V_BAD_TXNS_NONFINAL, "bad-txns-nonfinal"},
    {"lock one below", lock_before_height, V_VALID, ""},
    {"lock at the median", lock_at_median, V_BAD_TXNS_NONFINAL, "bad-txns-nonfinal"},
    {"lock below the median", lock_below_median, V_VALID, ""},
    {"BIP 113 not yet", lock_at_median_before_csv, V_VALID, ""},
    {"another height", other_height, V_BAD_CB_HEIGHT, "bad-cb-height"},
    {"BIP 34 not yet", other_height_before_bip34, V_VALID, ""},
    {"height with a needless byte", long_height, V_BAD_CB_HEIGHT, "bad-cb-height"},
    {"height cut", height_alone_cut, V_BAD_CB_HEIGHT, "bad-cb-height"},
    {"no commitment", no_commitment, V_UNEXPECTED_WITNESS, "unexpected-witness"},
    {"before segwit", before_segwit, V_UNEXPECTED_WITNESS, "unexpected-witness"},
    {"the last commitment counts", wrong_one_first, V_VALID, ""},
};

/* times 600 s apart, the last block's at T0. */
static struct chain_of ancestors_of(const struct making *m)
{
    struct chain_of chain = {0};

    for (int32_t i = 0; i < m->height; i++)
        chain_of_add(&chain, 4, T0 - 600 * (uint32_t)(m->height - 1 - i), 0x207fffff);
    return chain;
}

static enum verdict verify(struct making *m, const struct block *block, struct finding *finding)
{
    struct chain_of chain = ancestors_of(m);
    struct ancestry ancestry = chain_of_ancestry(&chain, m->height - 1);
    enum verdict verdict = block_verify(block, &ancestry, &m->params, m->arena, finding);

    chain_of_clear(&chain);
    return verdict;
}

static void blocks_are_verified(void)
{
    for (size_t i = 0; i < ARRAY_LEN(verify_rows); i++) {
        const char *label = verify_rows[i].label;
        struct finding finding = {0};
        struct arena arena;
        struct making m;
        struct block block;

        arena_init(&arena);
        m = begin(&arena);
        verify_rows[i].change(&m);
        block = put_together(&m);
        EXPECT_INT(label, block_check(&block, &m.params, true, true, &arena, &finding), V_VALID);
        EXPECT_INT(label, verify(&m, &block, &finding), verify_rows[i].want);
        EXPECT_INT(label, finding.verdict, verify_rows[i].want);
        EXPECT_STR(label, verdict_reason(verify_rows[i].want), verify_rows[i].reason);
        arena_clear(&arena);
    }
}

/* The witness of a finished block, changed without changing its ids. */
static const struct {
    const char *label;
    size_t reserved_bytes;
    uint32_t items;
    bool other_value;
    bool other_witness; /* Of the last transaction. */
    enum verdict want;
    const char *reason;
} witness_rows[] = {
    {"good", 32, 1, false, false, V_VALID, ""},
    {"no reserved value", 32, 0, false, false, V_BAD_WITNESS_NONCE_SIZE, "bad-witness-nonce-size"},
    {"31 bytes", 31, 1, false, false, V_BAD_WITNESS_NONCE_SIZE, "bad-witness-nonce-size"},
    {"33 bytes", 33, 1, false, false, V_BAD_WITNESS_NONCE_SIZE, "bad-witness-nonce-size"},
    {"two items", 32, 2, false, false, V_BAD_WITNESS_NONCE_SIZE, "bad-witness-nonce-size"},
    {"another value", 32, 1, true, false, V_BAD_WITNESS_MERKLE, "bad-witness-merkle-match"},
    {"another witness", 32, 1, false, true, V_BAD_WITNESS_MERKLE, "bad-witness-merkle-match"},
};

static void odd_witnesses_condemn_only_the_bytes(void)
{
    for (size_t i = 0; i < ARRAY_LEN(witness_rows); i++) {
        const char *label = witness_rows[i].label;
        struct finding finding = {0};
        struct span stack[2];
        struct arena arena;
        struct making m;
        struct block block;
        struct tx txs[3];
        struct tx_in in;

        arena_init(&arena);
        m = begin(&arena);
        block = put_together(&m);
        memcpy(txs, block.tx, sizeof(txs));
        in = txs[0].in[0];
        stack[0] =
            make_bytes(witness_rows[i].reserved_bytes, witness_rows[i].other_value ? 1 : 0, &arena);
        stack[1] = stack[0];
        in.witness = stack;
        in.witness_n = witness_rows[i].items;
        txs[0].in = &in;
        if (witness_rows[i].other_witness)
            txs[2].wtxid.b[0] ^= 1;
        block.tx = txs;
        EXPECT_INT(label, block_check(&block, &m.params, true, true, &arena, &finding), V_VALID);
        EXPECT_INT(label, verify(&m, &block, &finding), witness_rows[i].want);
        EXPECT_STR(label, verdict_reason(witness_rows[i].want), witness_rows[i].reason);
        if (witness_rows[i].want != V_VALID)
            EXPECT_INT(label, verdict_condemns(witness_rows[i].want), ASSAY_CONDEMNS_BODY);
        arena_clear(&arena);
    }
}

static void weight_is_bounded(void)
{
    for (int over = 0; over < 2; over++) {
        struct finding finding = {0};
        struct arena arena;
        struct making m;
        struct block block;
        struct span *stack;
        size_t without;

        arena_init(&arena);
        m = begin(&arena);
        stack = arena_array(&arena, 1, sizeof(*stack));
        m.b.in[0].witness = stack;
        stack[0] = make_bytes(100000, 1, &arena);
        block = put_together(&m);
        without = block.weight;
        /* Both lengths take five bytes. */
        stack[0] = make_bytes(100000 + 4000000 - without + (size_t)over, 1, &arena);
        m.coinbase.tx.out_n--;
        block = put_together(&m);
        EXPECT_U64("weight", block.weight, 4000000 + (unsigned)over);
        EXPECT_INT("context-free", block_check(&block, &m.params, true, true, &arena, &finding),
                   V_VALID);
        EXPECT_INT("weight", verify(&m, &block, &finding), over ? V_BAD_BLOCK_WEIGHT : V_VALID);
        arena_clear(&arena);
    }
    EXPECT_STR("reason", verdict_reason(V_BAD_BLOCK_WEIGHT), "bad-blk-weight");
}

/* What connecting adds up. */
static const uint8_t p2sh_script[] = {0xa9, 0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0,   0,
                                      0,    0,    0, 0, 0, 0, 0, 0, 0, 0, 0x87};
static const uint8_t p2wsh_script[34] = {0x00, 0x20};
static const uint8_t p2tr_script[34] = {0x51, 0x20};
static const uint8_t p2wpkh_script[22] = {0x00, 0x14};

#define SPEND(script)            \
    {                            \
        (script), sizeof(script) \
    }

static const struct {
    const char *label;
    struct span spent;
    size_t redeem_len; /* P2SH: pushed; P2WSH: last witness item; of CHECKSIG. */
    bool in_witness;
    bool no_p2sh; /* As in the BIP 16 exception. */
    uint64_t want;
} sigop_rows[] = {
    {"P2SH", SPEND(p2sh_script), 70, false, false, 280},
    {"P2SH before BIP 16", SPEND(p2sh_script), 70, false, true, 0},
    {"P2WSH", SPEND(p2wsh_script), 80000, true, false, 80000},
    {"P2WSH, one too many", SPEND(p2wsh_script), 80001, true, false, 80001},
    {"P2WPKH", SPEND(p2wpkh_script), 33, true, false, 1},
    {"P2TR: its budget is the witness", SPEND(p2tr_script), 80001, true, false, 0},
};

static void sigops_cost_by_kind(void)
{
    for (size_t i = 0; i < ARRAY_LEN(sigop_rows); i++) {
        const char *label = sigop_rows[i].label;
        struct block_place place = {.height = HEIGHT,
                                    .script_flags = SCRIPT_VERIFY(P2SH) | SCRIPT_VERIFY(WITNESS) |
                                                    SCRIPT_VERIFY(TAPROOT)};
        struct block_tally tally = {0};
        struct finding finding = {0};
        struct tx_out spent = {.value_sat = 1000, .script_pubkey = sigop_rows[i].spent};
        struct coin coin = {.value_sat = 1000, .script_pubkey = sigop_rows[i].spent};
        struct span stack[2] = {{0}};
        struct arena arena;
        struct draft draft;
        uint8_t *push;

        arena_init(&arena);
        draft = make_tx(1, 1, &arena);
        push = arena_alloc(&arena, sigop_rows[i].redeem_len + 1);
        memset(push, CHECKSIG, sigop_rows[i].redeem_len + 1);
        push[0] = (uint8_t)sigop_rows[i].redeem_len;
        if (sigop_rows[i].in_witness) {
            stack[1] = span_of(push + 1, sigop_rows[i].redeem_len);
            draft.in[0].witness = stack;
            draft.in[0].witness_n = 2;
        } else {
            draft.in[0].script_sig = span_of(push, sigop_rows[i].redeem_len + 1);
        }
        if (sigop_rows[i].no_p2sh)
            place.script_flags = 0;
        EXPECT_INT(label,
                   block_tally_tx(&tally, make_finish(&draft, &arena), 1, &coin, &spent, NULL,
                                  &place, &finding),
                   sigop_rows[i].want > 80000 ? V_BAD_BLOCK_SIGOPS : V_VALID);
        EXPECT_U64(label, tally.sigops_cost, sigop_rows[i].want);
        arena_clear(&arena);
    }
}

static void fees_and_subsidy_bound_the_coinbase(void)
{
    for (int64_t more = 0; more < 2; more++) {
        struct block_place place = {.height = HEIGHT};
        struct block_tally tally = {0};
        struct finding finding = {0};
        struct arena arena;
        struct making m;
        struct block block;
        struct coin coins[2] = {{.value_sat = 3000}, {.value_sat = 500}};
        struct tx_out spent[2] = {{.value_sat = 3000}, {.value_sat = 500}};

        arena_init(&arena);
        m = begin(&arena);
        m.coinbase.out[0].value_sat = 25 * COIN_SAT + 1500 + more;
        block = put_together(&m);
        EXPECT_INT("coinbase",
                   block_tally_tx(&tally, &block.tx[0], 0, NULL, NULL, NULL, &place, &finding),
                   V_VALID);
        EXPECT_INT("tx",
                   block_tally_tx(&tally, &block.tx[1], 1, coins, spent, NULL, &place, &finding),
                   V_VALID);
        EXPECT_INT("fees", tally.fees_sat, 1500);
        EXPECT_INT("end", block_tally_end(&tally, &block, &place, &m.params, &finding),
                   more > 0 ? V_BAD_CB_AMOUNT : V_VALID);
        if (more > 0)
            EXPECT_STR("detail", finding.detail,
                       "coinbase pays too much (actual=2500001501 vs limit=2500001500)");
        arena_clear(&arena);
    }
}

static void fees_stay_in_the_money_range(void)
{
    struct block_place place = {.height = HEIGHT};
    struct block_tally tally = {.fees_sat = MONEY_MAX_SAT - 9000};
    struct coin coin = {.value_sat = 10000};
    struct tx_out spent = {.value_sat = 10000};
    struct finding finding = {0};
    struct arena arena;
    struct draft draft;
    const struct tx *tx;

    arena_init(&arena);
    draft = make_tx(1, 1, &arena);
    tx = make_finish(&draft, &arena);
    EXPECT_INT("up to all", block_tally_tx(&tally, tx, 1, &coin, &spent, NULL, &place, &finding),
               V_VALID);
    EXPECT_INT("more", block_tally_tx(&tally, tx, 2, &coin, &spent, NULL, &place, &finding),
               V_ACCUMULATED_FEE_OUTOFRANGE);
    EXPECT_STR("reason", verdict_reason(finding.verdict), "bad-txns-accumulated-fee-outofrange");
    EXPECT_U64("which", finding.tx_index, 2);
    arena_clear(&arena);
}

static void tally_names_the_transaction(void)
{
    struct block_place place = {.height = HEIGHT, .prev_mtp = T0, .sequence_locks = true};
    struct block_tally tally = {0};
    struct coin coin = {.value_sat = 10000, .height = HEIGHT - 4};
    struct tx_out spent = {.value_sat = 10000};
    struct finding finding = {0};
    struct arena arena;
    struct draft draft;
    const struct tx *tx;
    char want[200];

    arena_init(&arena);
    draft = make_tx(1, 1, &arena);
    draft.in[0].sequence = 5;
    tx = make_finish(&draft, &arena);
    EXPECT_INT("missing", block_tally_tx(&tally, tx, 3, NULL, NULL, NULL, &place, &finding),
               V_INPUTS_MISSING_OR_SPENT);
    (void)snprintf(want, sizeof(want), "CheckTxInputs: inputs missing/spent in transaction %s",
                   hash_hex(tx->txid.b).text);
    EXPECT_STR("missing", finding.detail, want);
    EXPECT_U64("missing", finding.tx_index, 3);
    EXPECT_INT("BIP 68", block_tally_tx(&tally, tx, 3, &coin, &spent, NULL, &place, &finding),
               V_BAD_TXNS_NONFINAL);
    (void)snprintf(want, sizeof(want), "contains a non-BIP68-final transaction %s",
                   hash_hex(tx->txid.b).text);
    EXPECT_STR("BIP 68", finding.detail, want);
    place.sequence_locks = false;
    EXPECT_INT("BIP 68 not yet",
               block_tally_tx(&tally, tx, 3, &coin, &spent, NULL, &place, &finding), V_VALID);
    (void)finding_set_script(&finding, V_SCRIPT_EVAL_FALSE, tx, 3, 0);
    finding_reason(want, &finding);
    EXPECT_STR("script", want,
               "block-script-verify-flag-failed (Script evaluated without error but finished with "
               "a false/empty top stack element)");
    arena_clear(&arena);
}

/* Every block of the collection passes what needs no context. */
static const struct params *params_of_file(const char *name)
{
    static const struct {
        const char *prefix;
        enum network network;
    } prefixes[] = {{"mainnet_", NETWORK_MAIN},
                    {"testnet3_", NETWORK_TEST},
                    {"testnet4_", NETWORK_TESTNET4},
                    {"signet_", NETWORK_SIGNET}};

    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        if (strncmp(name, prefixes[i].prefix, strlen(prefixes[i].prefix)) == 0)
            return params_of(prefixes[i].network);
    }
    return NULL;
}

static bool is_block_file(const char *name)
{
    size_t len = strlen(name);

    return len > 4 && strcmp(name + len - 4, ".raw") == 0 && strstr(name, ".undo.") == NULL;
}

static void real_blocks_pass(void)
{
    const char *path = test_data_path("blocks");
    struct dirent *entry;
    unsigned n = 0;
    DIR *folder;

    if (path == NULL) {
        test_skip("no ASSAY_DATA");
        return;
    }
    folder = opendir(path);
    CHECK(folder != NULL);
    while ((entry = readdir(folder)) != NULL) {
        const struct params *params = params_of_file(entry->d_name);
        struct finding finding = {0};
        struct buf bytes = {0};
        struct arena arena;
        struct block block;
        char relative[300];

        if (params == NULL || !is_block_file(entry->d_name))
            continue;
        (void)snprintf(relative, sizeof(relative), "blocks/%s", entry->d_name);
        CHECK(test_read_file(&bytes, test_data_path(relative)));
        arena_init(&arena);
        EXPECT_INT(entry->d_name, block_read(&block, bytes.data, bytes.len, &arena), 0);
        EXPECT_INT(entry->d_name, block_check(&block, params, true, true, &arena, &finding),
                   V_VALID);
        n++;
        arena_clear(&arena);
        buf_clear(&bytes);
    }
    (void)closedir(folder);
    EXPECT_TRUE("blocks", n >= 90);
}

/* Whole chains from their first block on: headers and blocks in context. */
static void verify_chain(const char *relative, const struct params *params)
{
    struct buf bytes = {0};
    struct chain_of chain = {0};
    size_t at = 0;

    CHECK(test_read_file(&bytes, test_data_path(relative)));
    for (int32_t height = 0; at + 8 <= bytes.len; height++) {
        uint32_t len = get_le32(bytes.data + at + 4);
        struct finding finding = {0};
        struct arena arena;
        struct block block;
        struct ancestry ancestry;

        EXPECT_BYTES(relative, bytes.data + at, 4, params->magic, 4);
        arena_init(&arena);
        CHECK(block_read(&block, bytes.data + at + 8, len, &arena) == 0);
        EXPECT_INT(relative, block_check(&block, params, true, true, &arena, &finding), V_VALID);
        if (height == 0) {
            EXPECT_BYTES(relative, block.raw.data, block.raw.len, params->genesis.data,
                         params->genesis.len);
        } else {
            ancestry = chain_of_ancestry(&chain, height - 1);
            EXPECT_INT(relative,
                       header_verify(&block.header, &ancestry, params, UINT32_MAX, &finding),
                       V_VALID);
            EXPECT_INT(relative, block_verify(&block, &ancestry, params, &arena, &finding),
                       V_VALID);
        }
        chain_of_add(&chain, block.header.version, block.header.time, block.header.bits);
        arena_clear(&arena);
        at += 8 + len;
    }
    EXPECT_TRUE(relative, chain.n > 100);
    chain_of_clear(&chain);
    buf_clear(&bytes);
}

static void real_chains_pass(void)
{
    if (test_data_path("chains/mainnet_0_4521.dat") == NULL) {
        test_skip("no ASSAY_DATA");
        return;
    }
    verify_chain("chains/mainnet_0_4521.dat", params_of(NETWORK_MAIN));
    verify_chain("chains/signet_0_120.dat", params_of(NETWORK_SIGNET));
}

TEST_LIST(TEST(blocks_are_checked), TEST(inner_nodes_do_not_condemn_a_header),
          TEST(blocks_are_verified), TEST(odd_witnesses_condemn_only_the_bytes),
          TEST(weight_is_bounded), TEST(sigops_cost_by_kind),
          TEST(fees_and_subsidy_bound_the_coinbase), TEST(fees_stay_in_the_money_range),
          TEST(tally_names_the_transaction), TEST(real_blocks_pass), TEST(real_chains_pass))
