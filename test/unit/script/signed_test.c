/* Real signatures: standard spends of every kind, made with the naive signature
 * hashes, must be valid under every standard rule; damaged in any way, both
 * interpreters must still say the same. And the hashes by themselves, on random
 * transactions of many inputs. */
#include "script/script.h"

#include "codec/writer.h"
#include "crypto/hash160.h"
#include "crypto/secp.h"
#include "naive.h"
#include "script/build.h"
#include "script/sig_cache.h"
#include "script_text.h"

#define INPUTS_MAX 20

static uint64_t below(uint64_t bound)
{
    return test_random_below(bound);
}

/* --- Hashes --- */

struct random_tx {
    struct tx tx;
    struct tx_in in[INPUTS_MAX];
    struct tx_out out[INPUTS_MAX];
    struct tx_out spent[INPUTS_MAX];
    struct span item;
    uint8_t scripts[600];
};

static void make_random_tx(struct random_tx *r, uint32_t in_n, bool witness, struct arena *arena)
{
    test_random_fill(r->scripts, sizeof(r->scripts));
    r->item = span_of(r->scripts, 3);
    r->tx = (struct tx){.version = (uint32_t)test_random(),
                        .lock_time = (uint32_t)test_random(),
                        .in_n = in_n,
                        .out_n = (uint32_t)below(INPUTS_MAX),
                        .in = r->in,
                        .out = r->out};
    for (uint32_t i = 0; i < in_n; i++) {
        r->in[i] = (struct tx_in){.sequence = (uint32_t)test_random(),
                                  .script_sig = span_of(r->scripts, below(30)),
                                  .witness = &r->item,
                                  .witness_n = witness && below(2) == 0};
        test_random_fill(&r->in[i].prevout, sizeof(r->in[i].prevout));
        r->spent[i] = (struct tx_out){.value_sat = (int64_t)test_random(),
                                      .script_pubkey = span_of(r->scripts, below(600))};
    }
    for (uint32_t i = 0; i < r->tx.out_n; i++)
        r->out[i] = (struct tx_out){.value_sat = (int64_t)test_random(),
                                    .script_pubkey = span_of(r->scripts, below(600))};
    tx_finish(&r->tx, arena);
}

/* Bytes that are separators and short pushes more often than chance has it. */
static struct span random_code(uint8_t *bytes, size_t len_max)
{
    size_t len = below(len_max + 1);

    for (size_t i = 0; i < len; i++) {
        uint8_t byte = (uint8_t)test_random();

        bytes[i] = byte % 4 == 0 ? OP_CODESEPARATOR : byte % 4 == 1 ? byte % 8 : byte;
    }
    return span_of(bytes, len);
}

static uint32_t random_type(void)
{
    static const uint32_t types[] = {0, 1, 2, 3, 0x81, 0x82, 0x83, 0x80, 0x41, 0x22, 0x63, 0xe3};

    return below(4) == 0 ? (uint32_t)test_random() : types[below(ARRAY_LEN(types))];
}

static void hash_with_length(uint8_t *ret_hash, struct span bytes)
{
    struct buf all = {0};

    write_var_bytes(&all, bytes);
    sha256(ret_hash, all.data, all.len);
    buf_clear(&all);
}

static void compare_hashes(struct sighash_input *input, const struct random_tx *r,
                           struct arena *arena)
{
    uint8_t code_bytes[2][1500];
    struct span codes[2] = {random_code(code_bytes[0], 1500), random_code(code_bytes[1], 40)};
    const uint8_t annex_bytes[4] = {0x50, 1, 2, (uint8_t)below(4)};
    uint8_t annex_hash[32];
    uint8_t got[32];
    uint8_t want[32];

    /* Many checks of one input, as one script would ask for: some hit what was
     * kept. */
    for (int i = 0; i < 12; i++) {
        struct script_code code = {.bytes = codes[below(2)]};
        uint32_t type = random_type();
        int64_t amount = r->spent[input->in_index].value_sat; /* One input has one. */
        struct naive_taproot how = {.code_separator = (uint32_t)below(9)};
        struct sighash_taproot extra = {.code_separator = how.code_separator};
        bool defined;

        code.is_scratch = code.bytes.data == codes[1].data;
        if (code.is_scratch && below(3) == 0)
            codes[1] = code.bytes = random_code(code_bytes[1], 40); /* Same memory. */
        sighash_legacy(input, got, &code, type);
        naive_sighash_legacy(want, &r->tx, input->in_index, code.bytes, type, arena);
        EXPECT_BYTES("legacy", got, 32, want, 32);
        sighash_v0(input, got, &code, amount, type);
        naive_sighash_v0(want, &r->tx, input->in_index, code.bytes, amount, type, arena);
        EXPECT_BYTES("version 0", got, 32, want, 32);
        if (below(2) == 0) {
            how.has_annex = true;
            how.annex = span_of(annex_bytes, 4);
            hash_with_length(annex_hash, how.annex);
            extra.annex_hash = annex_hash;
        }
        if (below(2) == 0) {
            how.has_leaf = true;
            test_random_fill(how.leaf_hash, 32);
            extra.leaf_hash = how.leaf_hash;
        }
        defined =
            naive_sighash_taproot(want, &r->tx, r->spent, input->in_index, (uint8_t)type, &how);
        EXPECT_INT("defined", sighash_taproot(input, got, (uint8_t)type, &extra), defined);
        if (defined)
            EXPECT_BYTES("taproot", got, 32, want, 32);
    }
}

static void hashes_agree(void)
{
    static struct random_tx r;

    for (int turn = 0; turn < 40; turn++) {
        struct sighash_cache cache;
        struct sighash_input input;
        struct arena arena;

        arena_init(&arena);
        make_random_tx(&r, (uint32_t)(1 + below(INPUTS_MAX)), below(2) == 0, &arena);
        sighash_cache_init(&cache, &r.tx, r.spent, below(4) > 0 ? &arena : NULL);
        for (uint32_t i = 0; i < r.tx.in_n; i++) {
            sighash_input_init(&input, &cache, i);
            compare_hashes(&input, &r, &arena);
        }
        arena_clear(&arena);
    }
}

/* --- Signed spends --- */

struct signer {
    uint8_t seckey[32];
    uint8_t pubkey[65];
    size_t pubkey_len;
    uint8_t xonly[32];
};

static struct signer signers[4];

static void make_signers(void)
{
    static const uint8_t seed[32] = {1};

    secp_init(seed);
    for (size_t i = 0; i < ARRAY_LEN(signers); i++) {
        struct secp_pubkey pubkey;
        bool odd;

        signers[i].seckey[31] = (uint8_t)(i + 5);
        CHECK(secp_pubkey_of(&pubkey, signers[i].seckey));
        secp_xonly_of(signers[i].xonly, &odd, &pubkey);
        signers[i].pubkey_len = i == 3 ? 65 : 33;
        if (i == 3)
            secp_pubkey_write_long(signers[i].pubkey, &pubkey);
        else
            secp_pubkey_write(signers[i].pubkey, &pubkey);
    }
}

/* Owned bytes of one spend under construction. */
struct making {
    const struct random_tx *r;
    uint32_t index;
    struct arena *arena;
    struct span script_sig;
    struct span script_pubkey;
    struct span witness[24];
    uint32_t witness_n;
};

static struct span pubkey_of(const struct signer *signer)
{
    return span_of(signer->pubkey, signer->pubkey_len);
}

static struct span keep(struct buf *buf, struct arena *arena)
{
    struct span copy = naive_copy(span_of_buf(buf), arena);

    buf_clear(buf);
    return copy;
}

static struct span ecdsa_of(const struct making *m, const struct signer *signer, struct span code,
                            bool is_v0)
{
    static const uint8_t types[] = {1, 1, 1, 2, 3, 0x81, 0x82, 0x83};
    uint8_t type = types[below(ARRAY_LEN(types))];
    uint8_t *der = arena_alloc(m->arena, SECP_DER_BYTES_MAX + 1);
    struct ecdsa_sig sig;
    uint8_t hash[32];
    size_t len;

    if (is_v0)
        naive_sighash_v0(hash, &m->r->tx, m->index, code, m->r->spent[m->index].value_sat, type,
                         m->arena);
    else
        naive_sighash_legacy(hash, &m->r->tx, m->index, code, type, m->arena);
    CHECK(ecdsa_sign(&sig, hash, signer->seckey, false));
    len = ecdsa_sig_write(der, &sig);
    der[len] = type;
    return span_of(der, len + 1);
}

/* A script and the elements that satisfy it, bottom first. */
static struct span make_inner(struct making *m, bool is_v0, struct span *ret_items, size_t *ret_n)
{
    unsigned kind = (unsigned)below(4);
    size_t keys = 1 + below(3); /* Compressed ones. */
    size_t needed = 1 + below(keys);
    struct span pubkeys[3];
    struct buf script = {0};
    struct span code;
    size_t cut = 0;
    size_t n = 0;
    size_t skip = keys - needed;

    for (size_t i = 0; i < keys; i++)
        pubkeys[i] = pubkey_of(&signers[i]);
    if (kind == 0) { /* A separator, so that only what follows it is signed. */
        script_add_number(&script, 77);
        script_add_op(&script, OP_DROP);
        script_add_op(&script, OP_CODESEPARATOR);
        cut = script.len;
    } else if (kind == 1) {
        script_add_number(&script, 1);
        script_add_op(&script, OP_IF);
    }
    if (kind == 2)
        script_add_p2pk(&script, pubkeys[0]);
    else
        script_add_multisig(&script, (uint32_t)needed, pubkeys, keys);
    if (kind == 1) {
        script_add_op(&script, OP_ELSE);
        script_add_op(&script, OP_RETURN);
        script_add_op(&script, OP_ENDIF);
    }
    code = keep(&script, m->arena);
    code = span_of(code.data + cut, code.len - cut);
    if (kind != 2)
        ret_items[n++] = (struct span){0};
    for (size_t i = 0; i < (kind == 2 ? 1 : keys); i++) {
        if (kind != 2 && skip > 0 && below(2) == 0) {
            skip--;
            continue;
        }
        if (n < needed + (kind != 2))
            ret_items[n++] = ecdsa_of(m, &signers[i], code, is_v0);
    }
    if (kind == 2)
        n = 1;
    *ret_n = n;
    return span_of(code.data - cut, code.len + cut);
}

static struct span push_items(const struct span *items, size_t n, struct arena *arena)
{
    struct buf script = {0};

    for (size_t i = 0; i < n; i++)
        script_add_push(&script, items[i]);
    return keep(&script, arena);
}

static struct span p2sh_of(struct span redeem, struct arena *arena)
{
    struct buf script = {0};
    uint8_t hash[20];

    hash160(hash, redeem.data, redeem.len);
    script_add_p2sh(&script, hash);
    return keep(&script, arena);
}

static struct span program_of(uint8_t version, const uint8_t *data, size_t len, struct arena *arena)
{
    struct buf script = {0};

    script_add_witness_program(&script, version, span_of(data, len));
    return keep(&script, arena);
}

static struct span p2pkh_of(struct span pubkey, struct arena *arena)
{
    struct buf script = {0};
    uint8_t hash[20];

    hash160(hash, pubkey.data, pubkey.len);
    script_add_p2pkh(&script, hash);
    return keep(&script, arena);
}

/* Any script as it stands, or as P2SH. */
static void make_legacy(struct making *m)
{
    struct span items[8];
    struct span inner;
    size_t n;

    if (below(3) == 0) {
        const struct signer *signer = &signers[below(4)];

        m->script_pubkey = p2pkh_of(pubkey_of(signer), m->arena);
        items[0] = ecdsa_of(m, signer, m->script_pubkey, false);
        items[1] = pubkey_of(signer);
        m->script_sig = push_items(items, 2, m->arena);
        return;
    }
    inner = make_inner(m, false, items, &n);
    if (below(2) == 0) {
        m->script_pubkey = inner;
    } else {
        m->script_pubkey = p2sh_of(inner, m->arena);
        items[n++] = inner;
    }
    m->script_sig = push_items(items, n, m->arena);
}

static void make_v0(struct making *m)
{
    struct span program;
    uint8_t hash[32];
    size_t n = 0;

    if (below(2) == 0) {
        const struct signer *signer = &signers[below(3)];

        hash160(hash, signer->pubkey, signer->pubkey_len);
        program = program_of(0, hash, 20, m->arena);
        m->witness[0] = ecdsa_of(m, signer, p2pkh_of(pubkey_of(signer), m->arena), true);
        m->witness[1] = pubkey_of(signer);
        m->witness_n = 2;
    } else {
        struct span inner = make_inner(m, true, m->witness, &n);

        sha256(hash, inner.data, inner.len);
        program = program_of(0, hash, 32, m->arena);
        m->witness[n++] = inner;
        m->witness_n = (uint32_t)n;
    }
    m->script_pubkey = program;
    if (below(2) == 0) {
        m->script_pubkey = p2sh_of(program, m->arena);
        m->script_sig = push_items(&program, 1, m->arena);
    }
}

static struct span schnorr_of(const struct making *m, const uint8_t *seckey,
                              const struct naive_taproot *how)
{
    static const uint8_t types[] = {0, 0, 1, 2, 3, 0x81, 0x82, 0x83};
    uint8_t type = types[below(ARRAY_LEN(types))];
    uint8_t *sig = arena_alloc(m->arena, 65);
    uint8_t hash[32];

    if (!naive_sighash_taproot(hash, &m->r->tx, m->r->spent, m->index, type, how)) {
        type = 0; /* SINGLE without an output. */
        CHECK(naive_sighash_taproot(hash, &m->r->tx, m->r->spent, m->index, type, how));
    }
    CHECK(schnorr_sign(sig, hash, seckey, NULL));
    sig[64] = type;
    return span_of(sig, type == 0 ? 64 : 65);
}

/* One key, or two of three with OP_CHECKSIGADD; perhaps behind a separator. */
static struct span make_leaf(struct naive_taproot *how, bool *ret_is_multi, struct arena *arena)
{
    struct buf script = {0};

    *ret_is_multi = below(2) == 0;
    how->code_separator = UINT32_MAX;
    if (below(2) == 0) {
        script_add_op(&script, OP_NOP);
        script_add_op(&script, OP_CODESEPARATOR);
        how->code_separator = 1;
    }
    script_add_push(&script, span_of(signers[0].xonly, 32));
    script_add_op(&script, OP_CHECKSIG);
    if (*ret_is_multi) {
        for (size_t i = 1; i < 3; i++) {
            script_add_push(&script, span_of(signers[i].xonly, 32));
            script_add_op(&script, OP_CHECKSIGADD);
        }
        script_add_number(&script, 2);
        script_add_op(&script, OP_NUMEQUAL);
    }
    return keep(&script, arena);
}

/* The output key for a leaf beside one other node, and the control block. Sets the
 * leaf's hash. */
static struct span make_control(struct naive_taproot *how, struct span leaf, uint8_t *ret_tweak,
                                uint8_t *ret_output_key, struct arena *arena)
{
    uint8_t *control = arena_alloc(arena, 65);
    struct buf bytes = {0};
    uint8_t node[32];
    bool odd;

    memcpy(control + 1, signers[0].xonly, 32);
    test_random_fill(control + 33, 32);
    tapleaf_hash(how->leaf_hash, 0xc0, leaf);
    tapbranch_hash(node, control + 33, how->leaf_hash);
    buf_add(&bytes, signers[0].xonly, 32);
    buf_add(&bytes, node, 32);
    naive_tagged(ret_tweak, "TapTweak", span_of_buf(&bytes));
    buf_clear(&bytes);
    CHECK(secp_xonly_tweak_add(ret_output_key, &odd, signers[0].xonly, ret_tweak));
    control[0] = (uint8_t)(0xc0 | odd);
    return span_of(control, 65);
}

static void make_taproot(struct making *m, struct tx_out *spent)
{
    static const uint8_t annex[] = {0x50, 1, 2, 3};
    struct naive_taproot how = {.code_separator = UINT32_MAX};
    uint8_t output_key[32];
    uint8_t seckey[32];
    uint8_t tweak[32];
    struct span control;
    bool is_multi;
    struct span leaf = make_leaf(&how, &is_multi, m->arena);

    control = make_control(&how, leaf, tweak, output_key, m->arena);
    m->script_pubkey = program_of(1, output_key, 32, m->arena);
    spent->script_pubkey = m->script_pubkey; /* It is signed too. */
    if (below(3) == 0) {
        how.has_annex = true;
        how.annex = span_of(annex, sizeof(annex));
    }
    if (below(2) == 0) {
        how.code_separator = UINT32_MAX;
        memcpy(seckey, signers[0].seckey, 32);
        CHECK(secp_seckey_xonly_tweak_add(seckey, tweak));
        m->witness[m->witness_n++] = schnorr_of(m, seckey, &how);
    } else {
        how.has_leaf = true;
        if (is_multi) {
            size_t absent = below(3);

            for (size_t i = 3; i > 0; i--)
                m->witness[m->witness_n++] =
                    i - 1 == absent ? (struct span){0} : schnorr_of(m, signers[i - 1].seckey, &how);
        } else {
            m->witness[m->witness_n++] = schnorr_of(m, signers[0].seckey, &how);
        }
        m->witness[m->witness_n++] = leaf;
        m->witness[m->witness_n++] = control;
    }
    if (how.has_annex)
        m->witness[m->witness_n++] = how.annex;
}

static void make_spend(struct making *m, struct random_tx *r)
{
    unsigned kind = (unsigned)below(3);

    m->script_sig = m->script_pubkey = (struct span){0};
    m->witness_n = 0;
    if (kind == 0)
        make_legacy(m);
    else if (kind == 1)
        make_v0(m);
    else
        make_taproot(m, &r->spent[m->index]);
    r->spent[m->index].script_pubkey = m->script_pubkey;
}

static struct span damaged(struct span bytes, struct arena *arena)
{
    struct span copy = naive_copy(bytes, arena);
    uint8_t *data = arena_alloc(arena, copy.len + 2);

    memcpy(data, copy.data, copy.len);
    switch (below(4)) {
    case 0:
        data[copy.len++] = (uint8_t)test_random();
        break;
    case 1:
        if (copy.len > 0)
            copy.len--;
        break;
    default:
        if (copy.len > 0)
            data[below(copy.len)] ^= (uint8_t)(1 << below(8));
        break;
    }
    return span_of(data, copy.len);
}

static void damage(struct making *m)
{
    switch (below(m->witness_n > 0 ? 6 : 2)) {
    case 0:
        m->script_sig = damaged(m->script_sig, m->arena);
        break;
    case 1:
        m->script_pubkey = damaged(m->script_pubkey, m->arena);
        break;
    case 2:
        m->witness_n--;
        break;
    case 3:
        m->witness[m->witness_n] = m->witness[below(m->witness_n)];
        m->witness_n++;
        break;
    default: {
        uint64_t at = below(m->witness_n);

        m->witness[at] = damaged(m->witness[at], m->arena);
        break;
    }
    }
}

static enum verdict compare(const struct ready_spend *ready, const struct making *m, uint64_t flags)
{
    enum verdict got = script_verify(&ready->spend, m->index, m->script_sig, m->script_pubkey,
                                     m->witness, m->witness_n, flags);
    enum verdict want = naive_verify(&m->r->tx, m->r->spent, m->index, m->script_sig,
                                     m->script_pubkey, m->witness, m->witness_n, flags);

    EXPECT_STR("both", verdict_text(got), verdict_text(want));
    return got;
}

static void signed_spends_agree(void)
{
    /* Uncompressed keys and separators are valid, if not welcome. */
    const uint64_t all = ALL_FLAGS & ~SCRIPT_VERIFY(CONST_SCRIPTCODE);
    static const uint8_t salt[SIG_CACHE_SALT_BYTES] = {5};
    struct sig_cache *cache = sig_cache_new(1 << 16, salt);
    static struct random_tx r;
    unsigned still_valid = 0;

    make_signers();
    for (int turn = 0; turn < 1500; turn++) {
        struct ready_spend ready;
        struct making m = {.r = &r};
        struct arena arena;

        arena_init(&arena);
        make_random_tx(&r, (uint32_t)(1 + below(4)), false, &arena);
        m.arena = &arena;
        m.index = (uint32_t)below(r.tx.in_n);
        r.spent[m.index].value_sat = (int64_t)below(1 << 30);
        make_spend(&m, &r);
        ready_spend_init(&ready, &r.tx, r.spent, &arena);
        if (turn % 2 == 0) {
            ready.spend.sig_cache = cache;
            ready.spend.sig_cache_store = turn % 4 == 0;
        }
        EXPECT_STR("as made", verdict_text(compare(&ready, &m, all)), "VALID");
        (void)compare(&ready, &m, flags_trim(test_random() & ALL_FLAGS));
        damage(&m);
        still_valid += compare(&ready, &m, all) == V_VALID;
        (void)compare(&ready, &m, flags_trim(test_random() & ALL_FLAGS));
        arena_clear(&arena);
    }
    EXPECT_TRUE("damage is mostly seen", still_valid < 400);
    sig_cache_free(cache);
    secp_clear();
}

/* A version 0 witness larger than the stack may be: what its first operation says
 * of it, and what an empty script does. */
static void great_witnesses_agree(void)
{
    static const char *const scripts[] = {"",
                                          "NOP",
                                          "DROP",
                                          "2DROP",
                                          "DEPTH",
                                          "0x02 0x2003 PICK",
                                          "0 0 CHECKMULTISIG",
                                          "CHECKMULTISIG",
                                          "PICK",
                                          "ROLL",
                                          "IF",
                                          "TOALTSTACK",
                                          "1ADD",
                                          "RETURN"};
    static const uint32_t sizes[] = {999,  1000, 1001, 1002, 1042, 1043,
                                     1044, 1063, 1064, 1065, 1500};
    static const uint8_t numbers[][2] = {{20, 0}, {1, 0}, {0xe8, 3}, {0x80, 4}, {0xff, 0x7f}};
    static struct span items[1501];

    for (size_t s = 0; s < ARRAY_LEN(scripts); s++) {
        for (size_t i = 0; i < ARRAY_LEN(sizes) * ARRAY_LEN(numbers); i++) {
            uint32_t n = sizes[i % ARRAY_LEN(sizes)];
            const uint8_t *number = numbers[i / ARRAY_LEN(sizes)];
            struct ready_spend ready;
            struct buf script = {0};
            static struct random_tx r;
            struct making m = {.r = &r};
            struct arena arena;
            struct span program;
            uint8_t hash[32];
            enum verdict got;
            enum verdict want;
            const uint64_t flags = SCRIPT_VERIFY(P2SH) | SCRIPT_VERIFY(WITNESS);

            arena_init(&arena);
            make_random_tx(&r, 1, false, &arena);
            script_from_text(&script, scripts[s]);
            m.script_pubkey = keep(&script, &arena);
            /* Numbers 20 for a multisig at the top, one that counts down below. */
            for (uint32_t k = 0; k < n; k++)
                items[k] = k + 45 > n ? span_of("\x14", 1) : (struct span){0};
            items[n - 1] = span_of(number, number[1] == 0 ? 1 : 2);
            if (number[0] == 20)
                items[n - 22] = span_of("\x14", 1);
            items[n] = m.script_pubkey;
            sha256(hash, m.script_pubkey.data, m.script_pubkey.len);
            program = program_of(0, hash, 32, &arena);
            r.spent[0].script_pubkey = program;
            ready_spend_init(&ready, &r.tx, r.spent, &arena);
            got = script_verify(&ready.spend, 0, (struct span){0}, program, items, n + 1, flags);
            want = naive_verify(&r.tx, r.spent, 0, (struct span){0}, program, items, n + 1, flags);
            EXPECT_STR(scripts[s], verdict_text(got), verdict_text(want));
            arena_clear(&arena);
        }
    }
}

TEST_LIST(TEST(hashes_agree), TEST(signed_spends_agree), TEST(great_witnesses_agree))
