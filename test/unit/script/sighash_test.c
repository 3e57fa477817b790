/* Signature hashes against published ones. */
#include "script/sighash.h"

#include <stdlib.h>

#include "base/hex.h"
#include "crypto/secp.h"
#include "script_text.h"

static void legacy_hashes_match(void)
{
    struct arena arena;
    struct json root;
    unsigned rows = 0;

    arena_init(&arena);
    if (!load_vectors(&root, "vectors/core/sighash.json", &arena))
        return;
    for (uint32_t i = 0; i < root.count; i++) {
        const struct json *row = &root.items[i];
        struct sighash_cache cache;
        struct sighash_input input;
        struct script_code code = {0};
        struct tx tx;
        uint8_t hash[32];
        int64_t index;
        int64_t type;

        if (row->count < 5)
            continue;
        rows++;
        tx_from_hex(&tx, json_text(&row->items[0]), &arena);
        code.bytes = bytes_from_hex(json_text(&row->items[1]), &arena);
        CHECK(json_get_int64(&index, &row->items[2]) && json_get_int64(&type, &row->items[3]));
        sighash_cache_init(&cache, &tx, NULL, &arena);
        sighash_input_init(&input, &cache, (uint32_t)index);
        /* Twice: the second one comes from the kept pass. */
        for (int turn = 0; turn < 2; turn++) {
            sighash_legacy(&input, hash, &code, (uint32_t)type);
            EXPECT_STR("sighash.json", hash_hex(hash).text, json_text(&row->items[4]));
        }
    }
    EXPECT_U64("rows", rows, 500);
    arena_clear(&arena);
}

static void expect_hex(const char *label, const uint8_t *hash, const struct json *want)
{
    char text[65];

    hex_write(text, hash, 32);
    EXPECT_STR(label, text, json_text(want));
}

static void check_key_path(const struct json *spending, const struct sighash_cache *cache,
                           struct arena *arena)
{
    const struct json *given = json_find(spending, "given");
    const struct json *want = json_find(spending, "intermediary");
    const struct json *witness = json_find(json_find(spending, "expected"), "witness");
    struct sighash_taproot extra = {.code_separator = UINT32_MAX};
    struct sighash_input input;
    struct span sig;
    uint8_t hash[32];
    int64_t index;
    int64_t type;

    CHECK(json_get_int64(&index, json_find(given, "txinIndex")));
    CHECK(json_get_int64(&type, json_find(given, "hashType")));
    sighash_input_init(&input, cache, (uint32_t)index);
    EXPECT_TRUE("hash type", sighash_taproot(&input, hash, (uint8_t)type, &extra));
    expect_hex("sigHash", hash, json_find(want, "sigHash"));
    sig = bytes_from_hex(json_text(&witness->items[0]), arena);
    EXPECT_TRUE("signature",
                schnorr_verify(sig.data, hash, 32, cache->spent[index].script_pubkey.data + 2));
}

static void taproot_hashes_match(void)
{
    struct arena arena;
    struct json root;
    const struct json *paths;
    unsigned spends = 0;

    arena_init(&arena);
    if (!load_vectors(&root, "vectors/core/bip341_wallet_vectors.json", &arena))
        return;
    paths = json_find(&root, "keyPathSpending");
    for (uint32_t i = 0; i < paths->count; i++) {
        const struct json *given = json_find(&paths->items[i], "given");
        const struct json *want = json_find(&paths->items[i], "intermediary");
        const struct json *utxos = json_find(given, "utxosSpent");
        const struct json *spendings = json_find(&paths->items[i], "inputSpending");
        struct sighash_cache cache;
        struct sighash_input input;
        struct sighash_taproot extra = {.code_separator = UINT32_MAX};
        struct tx_out *spent;
        struct tx_in *in;
        struct span item = {0};
        uint8_t hash[32];
        struct tx tx;

        tx_from_hex(&tx, json_text(json_find(given, "rawUnsignedTx")), &arena);
        CHECK(utxos->count == tx.in_n);
        spent = arena_array(&arena, tx.in_n, sizeof(*spent));
        in = arena_array(&arena, tx.in_n, sizeof(*in));
        for (uint32_t k = 0; k < tx.in_n; k++) {
            CHECK(json_get_int64(&spent[k].value_sat, json_find(&utxos->items[k], "amountSats")));
            spent[k].script_pubkey =
                bytes_from_hex(json_text(json_find(&utxos->items[k], "scriptPubKey")), &arena);
            in[k] = tx.in[k];
        }
        /* Without witness the cache has nothing prepared: hashes on the spot. */
        sighash_cache_init(&cache, &tx, spent, NULL);
        EXPECT_TRUE("nothing prepared", !cache.has_once && !cache.has_spent);
        for (uint32_t k = 0; k < spendings->count; k++)
            check_key_path(&spendings->items[k], &cache, &arena);
        /* And with. */
        for (uint32_t k = 0; k < tx.in_n; k++) {
            in[k].witness = &item;
            in[k].witness_n = 1;
        }
        tx.in = in;
        tx_finish(&tx, &arena);
        sighash_cache_init(&cache, &tx, spent, NULL);
        expect_hex("hashAmounts", cache.amounts, json_find(want, "hashAmounts"));
        expect_hex("hashOutputs", cache.outs, json_find(want, "hashOutputs"));
        expect_hex("hashPrevouts", cache.prevouts, json_find(want, "hashPrevouts"));
        expect_hex("hashScriptPubkeys", cache.scripts, json_find(want, "hashScriptPubkeys"));
        expect_hex("hashSequences", cache.sequences, json_find(want, "hashSequences"));
        for (uint32_t k = 0; k < spendings->count; k++, spends++)
            check_key_path(&spendings->items[k], &cache, &arena);
        sighash_input_init(&input, &cache, 0);
        for (unsigned type = 0; type < 256; type++) {
            bool defined = type < 4 || (type > 0x80 && type < 0x84);

            EXPECT_INT("defined types", sighash_taproot(&input, hash, (uint8_t)type, &extra),
                       defined);
        }
    }
    EXPECT_U64("spends", spends, 7);
    arena_clear(&arena);
}

/* The constants that stand for hashed tags. */
static void tagged_states_are_right(void)
{
    static const uint8_t a[32] = {1};
    static const uint8_t b[32] = {2};
    uint8_t got[32];
    uint8_t want[32];
    struct sha256 hash;

    sha256_tagged_init(&hash, "TapBranch");
    sha256_add(&hash, a, 32);
    sha256_add(&hash, b, 32);
    sha256_finish(&hash, want);
    tapbranch_hash(got, a, b);
    EXPECT_BYTES("in order", got, 32, want, 32);
    tapbranch_hash(got, b, a);
    EXPECT_BYTES("the other way round", got, 32, want, 32);

    sha256_tagged_init(&hash, "TapLeaf");
    sha256_add(&hash, "\xc0\x02\x51\x51", 4);
    sha256_finish(&hash, want);
    tapleaf_hash(got, 0xc0, span_of("\x51\x51", 2));
    EXPECT_BYTES("leaf", got, 32, want, 32);
}

TEST_LIST(TEST(legacy_hashes_match), TEST(taproot_hashes_match), TEST(tagged_states_are_right))
