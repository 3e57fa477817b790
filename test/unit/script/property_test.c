/* The interpreter against the naive one: random scripts under all rules, and
 * standard spends, signed and then damaged. */
#include "script/script.h"

#include "crypto/hash160.h"
#include "crypto/secp.h"
#include "naive.h"
#include "script/build.h"
#include "script/sig_engine.h"
#include "script_text.h"

/* --- Quick curves: good or bad by what is signed, so that a wrong hash shows --- */

static bool quick(const uint8_t *hash, const uint8_t *sig, size_t len)
{
    return ((hash[0] ^ (len > 0 ? sig[len - 1] : 0)) & 3) != 0;
}

static bool quick_ecdsa(struct span pubkey, struct span sig, const uint8_t *hash)
{
    (void)pubkey;
    return quick(hash, sig.data, sig.len);
}

static bool quick_schnorr(const uint8_t *pubkey, const uint8_t *sig, const uint8_t *hash)
{
    (void)pubkey;
    return quick(hash, sig, 64);
}

static bool engine_ecdsa(const struct sig_engine *engine, struct span pubkey, struct span sig,
                         const uint8_t *hash)
{
    (void)engine;
    return quick_ecdsa(pubkey, sig, hash);
}

static bool engine_schnorr(const struct sig_engine *engine, const uint8_t *pubkey,
                           const uint8_t *sig, const uint8_t *hash)
{
    (void)engine;
    return quick_schnorr(pubkey, sig, hash);
}

static struct sig_engine quick_engine;

static void use_quick_curves(void)
{
    quick_engine = sig_engine_default;
    quick_engine.ecdsa = engine_ecdsa;
    quick_engine.schnorr = engine_schnorr;
    naive_ecdsa = quick_ecdsa;
    naive_schnorr = quick_schnorr;
}

/* --- Random scripts --- */

static uint64_t below(uint64_t bound)
{
    return test_random_below(bound);
}

static void add_random_push(struct buf *script)
{
    static const size_t lengths[] = {0,  1,  1,  1,  2,  4,  5,   20,  32,  33, 33,
                                     64, 65, 72, 75, 76, 80, 255, 256, 520, 521};
    uint8_t bytes[521];
    size_t len = lengths[below(ARRAY_LEN(lengths))];

    test_random_fill(bytes, len);
    if (below(2) == 0 && len > 0)
        bytes[0] = (uint8_t)(below(2) + 2); /* Like a public key. */
    if (below(4) == 0)
        memset(bytes, 7, len); /* Repeats itself. */
    script_add_push(script, span_of(bytes, len));
}

static void add_random_number(struct buf *script)
{
    static const int64_t odd[] = {-1,         0,         1,          2,           3,
                                  127,        128,       255,        256,         65535,
                                  499999999,  500000000, 0x7fffffff, -0x7fffffff, 0x80000000,
                                  0xffffffff, 0x3fffff,  0x400000,   0x100000000};

    script_add_number(script, odd[below(ARRAY_LEN(odd))]);
}

/* sig <n> pubkeys <n> OP_CHECKMULTISIG with counts that mostly fit. */
static void add_random_multisig(struct buf *script)
{
    size_t keys = below(4);
    size_t sigs = below(keys + 1);
    uint8_t bytes[73] = {0};

    script_add_number(script, below(8) == 0 ? 1 : 0);
    for (size_t i = 0; i < sigs; i++) {
        test_random_fill(bytes, sizeof(bytes));
        bytes[70] = (uint8_t)(1 + below(3));
        script_add_push(script, span_of(bytes, below(4) == 0 ? 0 : 71));
    }
    script_add_number(script, (int64_t)sigs);
    for (size_t i = 0; i < keys; i++) {
        bytes[0] = below(8) == 0 ? 9 : 2;
        script_add_push(script, span_of(bytes, 33));
    }
    script_add_number(script, (int64_t)keys);
    script_add_op(script, below(2) == 0 ? OP_CHECKMULTISIG : OP_CHECKMULTISIGVERIFY);
}

static void add_random_checksig(struct buf *script, bool tapscript)
{
    uint8_t bytes[73];

    test_random_fill(bytes, sizeof(bytes));
    bytes[70] = (uint8_t)(1 + below(3) + 128 * below(2));
    bytes[64] = (uint8_t)(1 + below(3) + 128 * below(2));
    script_add_push(script, span_of(bytes, below(4) == 0 ? 0 : tapscript ? 64 + below(2) : 71));
    if (tapscript && below(2) == 0)
        add_random_number(script);
    bytes[0] = (uint8_t)(2 + below(2));
    script_add_push(script, span_of(bytes, tapscript ? 32 + (below(8) == 0) : 33));
    script_add_op(script, tapscript && below(2) == 0 ? OP_CHECKSIGADD
                          : below(2) == 0            ? OP_CHECKSIG
                                                     : OP_CHECKSIGVERIFY);
}

/* Mostly one that does something. */
static uint8_t random_op(void)
{
    for (;;) {
        uint8_t op = (uint8_t)(OP_NOP + below(OP_CHECKSIGADD - OP_NOP + 1));
        bool ends = op == OP_RETURN || op == OP_VER || op == OP_RESERVED1 || op == OP_RESERVED2 ||
                    op == OP_VERIF || op == OP_VERNOTIF || op == OP_VERIFY ||
                    (op >= OP_CAT && op <= OP_RIGHT) || (op >= OP_INVERT && op <= OP_XOR) ||
                    op == OP_2MUL || op == OP_2DIV || (op >= OP_MUL && op <= OP_RSHIFT);

        if (!ends || below(20) == 0)
            return op;
    }
}

static void add_random_script(struct buf *script, size_t ops, bool tapscript)
{
    for (size_t i = 0; i < ops; i++) {
        switch (below(12)) {
        case 0:
            add_random_push(script);
            break;
        case 1:
        case 2:
        case 10:
        case 11:
            add_random_number(script);
            break;
        case 3:
            if (below(3) == 0)
                add_random_multisig(script);
            else
                add_random_checksig(script, tapscript);
            break;
        case 4:
            script_add_op(script, (uint8_t)(OP_IF + below(6)));
            break;
        case 5:
            script_add_op(script, below(8) == 0 ? (uint8_t)test_random() : OP_CODESEPARATOR);
            break;
        case 6:
            script_add_op(script, (uint8_t)(OP_CHECKLOCKTIMEVERIFY + below(2)));
            break;
        default:
            script_add_op(script, random_op());
            break;
        }
    }
}

/* --- Comparison --- */

static uint64_t random_flags(void)
{
    uint64_t flags = test_random() & ALL_FLAGS;

    if (below(2) == 0)
        flags &= test_random(); /* Fewer: more scripts reach their end. */
    if (below(4) != 0)
        flags &= ~(SCRIPT_VERIFY(STRICTENC) | SCRIPT_VERIFY(DERSIG) | SCRIPT_VERIFY(LOW_S));
    return below(2) == 0 ? flags_fill(flags) : flags_trim(flags);
}

static unsigned seen[V_COUNT];

static void compare(const struct ready_spend *ready, uint32_t index, uint64_t flags,
                    const char *label)
{
    const struct tx_in *in = &ready->spend.tx->in[index];
    const struct tx_out *out = &ready->spend.spent[index];
    enum verdict got = script_verify_input(&ready->spend, index, flags);
    enum verdict want = naive_verify(ready->spend.tx, ready->spend.spent, index, in->script_sig,
                                     out->script_pubkey, in->witness, in->witness_n, flags);
    char what[96];

    seen[got]++;
    (void)snprintf(what, sizeof(what), "%s flags=%" PRIx64, label, flags);
    EXPECT_STR(what, verdict_text(got), verdict_text(want));
}

/* A transaction with random fields and as many inputs and outputs. */
static void random_tx(struct tx *ret_tx, struct tx_in *in, struct tx_out *out, struct tx_out *spent)
{
    static const uint32_t times[] = {0, 1, 100, 499999999, 500000000, 0xffffffff};
    static const uint32_t sequences[] = {0,        1,          65535,      0x400000,
                                         0x400005, 0x80000000, 0xfffffffe, 0xffffffff};
    static const uint8_t script[3] = {OP_1, OP_2, OP_3};

    *ret_tx = (struct tx){
        .version = (uint32_t)below(4),
        .lock_time = times[below(ARRAY_LEN(times))],
        .in_n = (uint32_t)(1 + below(3)),
        .out_n = (uint32_t)below(4),
        .in = in,
        .out = out,
    };
    for (uint32_t i = 0; i < ret_tx->in_n; i++) {
        in[i] = (struct tx_in){.sequence = sequences[below(ARRAY_LEN(sequences))]};
        test_random_fill(&in[i].prevout, sizeof(in[i].prevout));
        spent[i] = (struct tx_out){.value_sat = (int64_t)below(1000)};
    }
    for (uint32_t i = 0; i < ret_tx->out_n; i++)
        out[i] = (struct tx_out){.value_sat = (int64_t)below(1000),
                                 .script_pubkey = span_of(script, below(4))};
}

/* OP_1 <output key>, with one leaf below it; control gets 33 or 65 bytes. */
static void make_taproot(struct buf *script_pubkey, uint8_t *control, size_t *ret_control_len,
                         struct span leaf, uint8_t leaf_version)
{
    static const uint8_t seckey[32] = {9};
    uint8_t program[32];
    uint8_t node[32];
    struct secp_pubkey pubkey;
    struct buf bytes = {0};
    bool odd;

    CHECK(secp_pubkey_of(&pubkey, seckey));
    secp_xonly_of(control + 1, &odd, &pubkey);
    tapleaf_hash(node, leaf_version, leaf);
    *ret_control_len = 33;
    if (below(2) == 0) {
        test_random_fill(control + 33, 32);
        tapbranch_hash(node, node, control + 33);
        *ret_control_len = 65;
    }
    buf_add(&bytes, control + 1, 32);
    buf_add(&bytes, node, 32);
    naive_tagged(node, "TapTweak", span_of_buf(&bytes));
    CHECK(secp_xonly_tweak_add(program, &odd, control + 1, node));
    control[0] = (uint8_t)(leaf_version | odd);
    script_add_witness_program(script_pubkey, 1, span_of(program, 32));
    buf_clear(&bytes);
}

struct place {
    struct buf script;
    struct buf sig;
    struct buf pubkey;
    struct span witness[12];
    uint8_t items[12][40];
    uint8_t control[65];
};

static uint32_t random_items(struct place *place, struct tx_in *in)
{
    uint32_t n = (uint32_t)below(8);

    for (uint32_t i = 0; i < n; i++) {
        size_t len = below(3) == 0 ? below(40) : below(3);

        test_random_fill(place->items[i], 40);
        if (below(2) == 0)
            place->items[i][0] = 1;
        place->witness[i] = span_of(place->items[i], len);
    }
    in->witness = place->witness;
    return n;
}

/* Puts a random script into an input, in one of the places where scripts run. */
static void place_script(struct place *place, struct tx_in *in, struct tx_out *spent)
{
    unsigned kind = (unsigned)below(6);
    uint8_t hash[32];
    size_t control_len;
    uint32_t n;

    place->script.len = place->sig.len = place->pubkey.len = 0;
    add_random_script(&place->script, below(40), kind == 5);
    if (below(30) == 0 && place->script.len > 0)
        place->script.len--; /* Perhaps in the midst of a push. */
    in->witness_n = 0;
    if (kind <= 2) {
        for (uint64_t i = below(8); i > 0; i--)
            add_random_number(&place->sig);
        if (kind == 1) {
            hash160(hash, place->script.data, place->script.len);
            script_add_push(&place->sig, span_of_buf(&place->script));
            script_add_p2sh(&place->pubkey, hash);
        } else {
            buf_add(&place->pubkey, place->script.data, place->script.len);
        }
    } else {
        n = random_items(place, in);
        place->witness[n++] = span_of_buf(&place->script);
        if (kind == 5) {
            make_taproot(&place->pubkey, place->control, &control_len, span_of_buf(&place->script),
                         below(10) == 0 ? 0xc2 : 0xc0);
            place->witness[n++] = span_of(place->control, control_len);
            if (below(4) == 0)
                place->witness[n++] = span_of("\x50xyz", 1 + below(4));
        } else {
            sha256(hash, place->script.data, place->script.len);
            script_add_witness_program(&place->pubkey, 0, span_of(hash, 32));
        }
        if (kind == 4) { /* Inside P2SH. */
            hash160(hash, place->pubkey.data, place->pubkey.len);
            script_add_push(&place->sig, span_of_buf(&place->pubkey));
            place->pubkey.len = 0;
            script_add_p2sh(&place->pubkey, hash);
        }
        in->witness_n = n;
    }
    in->script_sig = span_of_buf(&place->sig);
    spent->script_pubkey = span_of_buf(&place->pubkey);
}

static void random_scripts_agree(void)
{
    static const uint8_t seed[32] = {1};
    static struct place storage;
    struct place *place = &storage;
    unsigned kinds = 0;

    secp_init(seed);
    use_quick_curves();
    for (int turn = 0; turn < 30000; turn++) {
        struct ready_spend ready;
        struct tx_out spent[4];
        struct tx_out out[4];
        struct tx_in in[4];
        struct arena arena;
        uint32_t index;
        struct tx tx;
        char label[40];

        arena_init(&arena);
        random_tx(&tx, in, out, spent);
        index = (uint32_t)below(tx.in_n);
        place_script(place, &in[index], &spent[index]);
        tx_finish(&tx, &arena);
        ready_spend_init(&ready, &tx, spent, below(2) == 0 ? &arena : NULL);
        ready.spend.engine = &quick_engine;
        (void)snprintf(label, sizeof(label), "turn %d", turn);
        for (int i = 0; i < 3; i++)
            compare(&ready, index, random_flags(), label);
        arena_clear(&arena);
    }
    for (int v = 0; v < V_COUNT; v++)
        kinds += seen[v] > 0;
    /* Not all of them end in the same way. */
    EXPECT_TRUE("verdicts seen", kinds >= 38 && seen[V_VALID] > 1000);
    buf_clear(&place->script);
    buf_clear(&place->sig);
    buf_clear(&place->pubkey);
    secp_clear();
}

TEST_LIST(TEST(random_scripts_agree))
