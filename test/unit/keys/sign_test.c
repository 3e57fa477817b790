/* Signing: what is signed must verify, for every kind of script and every hash
 * type; partial signatures come together; what is missing is told. */
#include "keys/sign.h"

#include <stdlib.h>

#include "base/hex.h"
#include "codec/json.h"
#include "keys/descriptor.h"
#include "keys/script_write.h"
#include "policy/policy.h"
#include "primitives/amount.h"
#include "script/script.h"
#include "test.h"

/* Keys of the tests; nobody's. */
#define WIF_1 "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn"
#define WIF_2 "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU74NMTptX4"
#define WIF_3 "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU74sHUHy8S"
#define WIF_LONG "5HpHagT65TZzG1PH3CSu63k8DbpvD8s5ip4nEB3kEsreAnchuDf"
/* A point whose secret nobody here knows (BIP 341). */
#define NO_SECRET "50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0"
#define PUB_2 "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
#define PUB_3 "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"

#define VALUE_SAT 5000

/* A transaction with two inputs, the first of which spends script, and one
 * output. */
struct fixture {
    struct arena arena;
    struct keyring ring; /* Secrets, scripts and trees. */
    struct buf script;
    struct tx tx;
    struct tx_in in[2];
    struct tx_out out[1];
    struct tx_out spent[2];
    struct sighash_cache cache;
    struct spend spend;
};

static void prepare_spend(struct fixture *f)
{
    tx_finish(&f->tx, &f->arena);
    sighash_cache_init(&f->cache, &f->tx, f->spent, &f->arena);
    f->spend = (struct spend){.tx = &f->tx, .spent = f->spent, .sighash = &f->cache};
}

static void fixture_init(struct fixture *f, const char *descriptor_text)
{
    static const uint8_t other_script[1] = {OP_1};
    struct descriptor *descriptor = NULL;
    struct script_list scripts = {0};
    struct buf why = {0};

    memset(f, 0, sizeof(*f));
    arena_init(&f->arena);
    keyring_init(&f->ring);
    if (descriptor_parse(&descriptor, &f->ring, span_of_string(descriptor_text), false,
                         params_of(NETWORK_MAIN), &why) < 0) {
        EXPECT_STR(descriptor_text, buf_string(&why), "");
        abort();
    }
    CHECK(descriptor_expand(descriptor, &scripts, &f->ring, 0, 0, &f->ring));
    buf_add(&f->script, scripts.scripts[0].data, scripts.scripts[0].len);
    for (size_t i = 0; i < 2; i++) {
        memset(f->in[i].prevout.txid.b, (int)(0x11 * (i + 1)), 32);
        f->in[i].prevout.vout = (uint32_t)i;
        f->in[i].sequence = 10;
        f->spent[i] =
            (struct tx_out){.value_sat = VALUE_SAT, .script_pubkey = span_of(other_script, 1)};
    }
    f->spent[0].script_pubkey = span_of_buf(&f->script);
    f->out[0] = (struct tx_out){.value_sat = 7, .script_pubkey = span_of(other_script, 1)};
    f->tx = (struct tx){
        .version = 2, .lock_time = 100, .in_n = 2, .out_n = 1, .in = f->in, .out = f->out};
    prepare_spend(f);
    script_list_clear(&scripts);
    descriptor_free(descriptor);
    buf_clear(&why);
}

static void fixture_clear(struct fixture *f)
{
    buf_clear(&f->script);
    keyring_clear(&f->ring);
    arena_clear(&f->arena);
}

/* Puts a result into the transaction's first input. */
static void adopt(struct fixture *f, const struct signed_input *signed_input)
{
    f->in[0].script_sig = signed_input->script_sig;
    f->in[0].witness = signed_input->witness;
    f->in[0].witness_n = signed_input->witness_n;
    f->tx.has_witness = signed_input->witness_n > 0;
    prepare_spend(f);
}

static const char *const kinds[] = {
    "pk(" WIF_1 ")",
    "pk(" WIF_LONG ")",
    "pkh(" WIF_1 ")",
    "pkh(" WIF_LONG ")",
    "wpkh(" WIF_1 ")",
    "sh(pk(" WIF_1 "))",
    "sh(pkh(" WIF_LONG "))",
    "sh(wpkh(" WIF_1 "))",
    "multi(2," WIF_1 "," WIF_LONG "," WIF_3 ")",
    "multi(2," WIF_1 "," PUB_2 "," WIF_3 ")",
    "sh(multi(2," WIF_1 "," WIF_2 "," PUB_3 "))",
    "sh(sortedmulti(1," PUB_3 "," WIF_2 "))",
    "wsh(multi(2," WIF_1 "," PUB_2 "," WIF_3 "))",
    "wsh(pk(" WIF_1 "))",
    "wsh(pkh(" WIF_1 "))",
    "sh(wsh(multi(3," WIF_1 "," WIF_2 "," WIF_3 ")))",
    "tr(" WIF_1 ")",
    "rawtr(" WIF_1 ")",
    "tr(" WIF_1 ",pk(" PUB_2 "))",
    "tr(" NO_SECRET ",pk(" WIF_1 "))",
    "tr(" NO_SECRET ",{pk(" PUB_2 "),{pk(" PUB_3 "),pk(" WIF_1 ")}})",
    "tr(" NO_SECRET ",multi_a(2," WIF_1 "," PUB_2 "," WIF_3 "))",
    "tr(" NO_SECRET ",sortedmulti_a(1," WIF_3 "," PUB_2 "))",
    "tr(" NO_SECRET ",and_v(v:pk(" WIF_1 "),after(99)))",
    "wsh(and_v(v:pk(" WIF_1 "),older(10)))",
    "wsh(or_d(pk(" PUB_2 "),and_v(v:pkh(" WIF_1 "),older(5))))",
    "wsh(thresh(2,pk(" WIF_1 "),s:pk(" PUB_2 "),sln:older(9)))",
    "wsh(thresh(2,pk(" WIF_1 "),s:pk(" WIF_2 "),s:pk(" PUB_3 ")))",
    "wsh(andor(pk(" PUB_2 "),older(5),pk(" WIF_1 ")))",
    "wsh(andor(pk(" WIF_1 "),older(5),pk(" PUB_2 ")))",
    "wsh(or_i(pk(" PUB_2 "),pkh(" WIF_1 ")))",
    "wsh(or_b(pk(" PUB_2 "),s:pk(" WIF_3 ")))",
    "wsh(and_b(pk(" WIF_2 "),s:pk(" WIF_3 ")))",
    "wsh(t:or_c(pk(" PUB_2 "),v:pk(" WIF_3 ")))",
    "sh(wsh(and_v(v:multi(1," WIF_1 "," PUB_3 "),after(100))))",
};

static const uint8_t hash_types[] = {SIGHASH_DEFAULT,
                                     SIGHASH_ALL,
                                     SIGHASH_NONE,
                                     SIGHASH_SINGLE,
                                     SIGHASH_ALL | SIGHASH_ANYONECANPAY,
                                     SIGHASH_NONE | SIGHASH_ANYONECANPAY,
                                     SIGHASH_SINGLE | SIGHASH_ANYONECANPAY};

static void every_kind_signs_with_every_hash_type(void)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        for (size_t t = 0; t < ARRAY_LEN(hash_types); t++) {
            struct signed_input done;
            struct fixture f;

            fixture_init(&f, kinds[i]);
            sign_input(&done, &f.spend, 0, hash_types[t], &f.ring, &f.arena);
            EXPECT_TRUE(kinds[i], done.is_complete);
            EXPECT_STR(kinds[i], verdict_reason(done.verdict), "");
            adopt(&f, &done);
            EXPECT_STR(kinds[i],
                       verdict_reason(script_verify_input(&f.spend, 0, POLICY_STANDARD_FLAGS)), "");
            f.out[0].value_sat++;
            prepare_spend(&f);
            EXPECT_TRUE(kinds[i],
                        (script_verify_input(&f.spend, 0, POLICY_STANDARD_FLAGS) == V_VALID) ==
                            ((hash_types[t] & SIGHASH_OUTPUT_MASK) == SIGHASH_NONE));
            f.out[0].value_sat--;
            prepare_spend(&f);
            /* Signing again changes nothing. */
            sign_input(&done, &f.spend, 0, SIGHASH_ALL, &f.ring, &f.arena);
            EXPECT_TRUE(kinds[i], done.is_complete);
            EXPECT_BYTES(kinds[i], done.script_sig.data, done.script_sig.len,
                         f.in[0].script_sig.data, f.in[0].script_sig.len);
            EXPECT_TRUE(kinds[i], done.witness == f.in[0].witness);
            fixture_clear(&f);
        }
    }
}

/* SINGLE with an input that has no output is left alone. */
static void single_without_output_is_not_signed(void)
{
    struct signed_input done;
    struct fixture f;

    fixture_init(&f, "pkh(" WIF_1 ")");
    f.spent[1].script_pubkey = span_of_buf(&f.script);
    prepare_spend(&f);
    sign_input(&done, &f.spend, 1, SIGHASH_SINGLE, &f.ring, &f.arena);
    EXPECT_TRUE("not complete", !done.is_complete);
    EXPECT_U64("empty", done.script_sig.len, 0);
    EXPECT_INT("verdict", done.verdict, V_SCRIPT_INVALID_STACK_OPERATION);
    sign_input(&done, &f.spend, 1, SIGHASH_ALL, &f.ring, &f.arena);
    EXPECT_TRUE("complete", done.is_complete);
    fixture_clear(&f);
}

static void keep_only(struct keyring *ret_ring, const struct fixture *f, const char *wif,
                      bool scripts)
{
    struct descriptor *descriptor = NULL;
    struct span script;
    struct buf text = {0};
    uint8_t hash[20];

    keyring_init(ret_ring);
    buf_add_printf(&text, "pk(%s)", wif);
    CHECK(descriptor_parse(&descriptor, ret_ring, span_of_buf(&text), false,
                           params_of(NETWORK_MAIN), NULL) == 0);
    if (scripts && f->script.len == 23) {
        memcpy(hash, f->script.data + 2, sizeof(hash));
        if (keyring_script(&f->ring, &script, hash))
            keyring_add_script(ret_ring, script);
    }
    descriptor_free(descriptor);
    buf_clear(&text);
}

/* Three signers, one after the other, each knowing only the key; the first knows
 * the script. Any order must do. */
static void partial_signatures_come_together(void)
{
    static const char *const wifs[3] = {WIF_1, WIF_2, WIF_3};
    static const size_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                        {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

    for (size_t o = 0; o < ARRAY_LEN(orders); o++) {
        struct signed_input done;
        struct fixture f;

        fixture_init(&f, "sh(multi(3," WIF_1 "," WIF_2 "," WIF_3 "))");
        for (size_t i = 0; i < 3; i++) {
            struct keyring ring;

            keep_only(&ring, &f, wifs[orders[o][i]], i == 0);
            sign_input(&done, &f.spend, 0, SIGHASH_ALL, &ring, &f.arena);
            EXPECT_TRUE("complete at the last", done.is_complete == (i == 2));
            EXPECT_TRUE("verdict", (done.verdict == V_VALID) == (i == 2));
            adopt(&f, &done);
            keyring_clear(&ring);
        }
        fixture_clear(&f);
    }
}

static void what_is_missing_is_told(void)
{
    struct signed_input done;
    struct keyring nothing;
    struct fixture f;

    keyring_init(&nothing);
    fixture_init(&f, "pkh(" WIF_1 ")");
    sign_input(&done, &f.spend, 0, SIGHASH_ALL, &nothing, &f.arena);
    EXPECT_INT("no key", done.verdict, V_SCRIPT_INVALID_STACK_OPERATION);
    fixture_clear(&f);

    fixture_init(&f, "wpkh(" WIF_1 ")");
    sign_input(&done, &f.spend, 0, SIGHASH_ALL, &nothing, &f.arena);
    EXPECT_INT("no witness", done.verdict, V_SCRIPT_WITNESS_PROGRAM_MISMATCH);
    f.spent[0].value_sat = MONEY_MAX_SAT + 1;
    prepare_spend(&f);
    sign_input(&done, &f.spend, 0, SIGHASH_ALL, &f.ring, &f.arena);
    EXPECT_TRUE("an amount out of range", !done.is_complete);
    fixture_clear(&f);

    /* Without all spent outputs there is no taproot signature. */
    fixture_init(&f, "tr(" WIF_1 ")");
    sighash_cache_init(&f.cache, &f.tx, NULL, &f.arena);
    sign_input(&done, &f.spend, 0, SIGHASH_DEFAULT, &f.ring, &f.arena);
    EXPECT_TRUE("no outputs", !done.is_complete);
    EXPECT_U64("no outputs", done.witness_n, 0);
    fixture_clear(&f);
    keyring_clear(&nothing);
}

/* BIP 341: the outputs of its wallet vectors, built again. */
static uint8_t add_leaves(struct taproot_leaf *leaves, size_t *n, const struct json *tree,
                          uint8_t depth, struct arena *arena)
{
    if (tree->type == JSON_ARRAY) {
        for (uint32_t i = 0; i < tree->count; i++)
            (void)add_leaves(leaves, n, &tree->items[i], (uint8_t)(depth + 1), arena);
        return depth;
    }
    if (tree->type == JSON_OBJECT) {
        const struct json *hex = json_find(tree, "script");
        uint8_t *script = arena_alloc(arena, hex->text.len / 2);
        int64_t version;

        CHECK(hex_read(script, hex->text.len / 2, json_text(hex), hex->text.len));
        CHECK(json_get_int64(&version, json_find(tree, "leafVersion")));
        leaves[*n] = (struct taproot_leaf){.depth = depth,
                                           .version = (uint8_t)version,
                                           .script = span_of(script, hex->text.len / 2)};
        (*n)++;
    }
    return depth;
}

static void published_taproot_outputs(void)
{
    const char *path = test_data_path("vectors/core/bip341_wallet_vectors.json");
    struct buf bytes = {0};
    const struct json *rows;
    struct arena arena;
    struct json doc;

    if (path == NULL) {
        test_skip("no ASSAY_DATA");
        return;
    }
    arena_init(&arena);
    CHECK(test_read_file(&bytes, path));
    CHECK(json_read(&doc, (const char *)bytes.data, bytes.len, &arena, NULL) == 0);
    rows = json_find(&doc, "scriptPubKey");
    EXPECT_TRUE("rows", rows->count >= 7);
    for (uint32_t i = 0; i < rows->count; i++) {
        const struct json *given = json_find(&rows->items[i], "given");
        const struct json *expected = json_find(&rows->items[i], "expected");
        const struct json *controls = json_find(expected, "scriptPathControlBlocks");
        struct destination destination = {
            .kind = DESTINATION_TAPROOT, .version = 1, .len = XONLY_BYTES};
        struct taproot_leaf leaves[16];
        struct taproot taproot;
        struct buf text = {0};
        uint8_t internal[32];
        size_t n = 0;

        CHECK(hex_read(internal, 32, json_text(json_find(given, "internalPubkey")), 64));
        (void)add_leaves(leaves, &n, json_find(given, "scriptTree"), 0, &arena);
        EXPECT_TRUE("build", taproot_build(&taproot, internal, leaves, n, &arena));
        memcpy(destination.b, taproot.output_key, XONLY_BYTES);
        EXPECT_TRUE("address", address_write(&text, &destination, params_of(NETWORK_MAIN)));
        EXPECT_STR("address", buf_string(&text), json_text(json_find(expected, "bip350Address")));
        for (size_t k = 0; k < n; k++) {
            text.len = 0;
            hex_write_buf(&text, taproot.leaves[k].control);
            EXPECT_STR("control", buf_string(&text), json_text(&controls->items[k]));
        }
        buf_clear(&text);
    }
    arena_clear(&arena);
    buf_clear(&bytes);
}

/* BIP 341: the key path signatures of its wallet vectors. */
static void published_taproot_signatures(void)
{
    const char *path = test_data_path("vectors/core/bip341_wallet_vectors.json");
    struct buf bytes = {0};
    const struct json *spending;
    const struct json *rows;
    struct arena arena;
    struct json doc;

    if (path == NULL) {
        test_skip("no ASSAY_DATA");
        return;
    }
    arena_init(&arena);
    CHECK(test_read_file(&bytes, path));
    CHECK(json_read(&doc, (const char *)bytes.data, bytes.len, &arena, NULL) == 0);
    spending = &json_find(&doc, "keyPathSpending")->items[0];
    rows = json_find(spending, "inputSpending");
    EXPECT_TRUE("rows", rows->count >= 7);
    for (uint32_t i = 0; i < rows->count; i++) {
        const struct json *given = json_find(&rows->items[i], "given");
        const struct json *expected = json_find(&rows->items[i], "expected");
        const struct json *root = json_find(given, "merkleRoot");
        const struct json *witness = &json_find(expected, "witness")->items[0];
        uint8_t merkle_root[32] = {0};
        struct buf text = {0};
        struct seckey key;
        uint8_t secret[32];
        uint8_t hash[32];
        uint8_t sig[SCHNORR_SIG_BYTES];
        int64_t hash_type;

        CHECK(hex_read(secret, 32, json_text(json_find(given, "internalPrivkey")), 64));
        CHECK(seckey_read(&key, secret, true));
        CHECK(hex_read(hash, 32,
                       json_text(json_find(json_find(&rows->items[i], "intermediary"), "sigHash")),
                       64));
        if (root->type == JSON_STRING)
            CHECK(hex_read(merkle_root, 32, json_text(root), 64));
        CHECK(json_get_int64(&hash_type, json_find(given, "hashType")));
        seckey_sign_schnorr(sig, &key, hash, merkle_root);
        hex_write_buf(&text, span_of(sig, sizeof(sig)));
        if (hash_type != 0)
            buf_add_printf(&text, "%02x", (unsigned)hash_type);
        EXPECT_STR("signature", buf_string(&text), json_text(witness));
        buf_clear(&text);
    }
    arena_clear(&arena);
    buf_clear(&bytes);
}

TEST_LIST(TEST(every_kind_signs_with_every_hash_type), TEST(single_without_output_is_not_signed),
          TEST(partial_signatures_come_together), TEST(what_is_missing_is_told),
          TEST(published_taproot_outputs), TEST(published_taproot_signatures))
