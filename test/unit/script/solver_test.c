/* What outputs are taken for, what they read like, what they count. */
#include "script/solver.h"

#include "script/asm.h"
#include "script/build.h"
#include "script_text.h"

#define KEY "02eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
#define HASH20 "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
#define HASH32 "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"

static const struct {
    const char *script;
    const char *type;
} type_rows[] = {
    {"21" KEY "ac", "pubkey"},
    {"2104" HASH32 "ac", "nonstandard"},
    {"21" KEY "ad", "nonstandard"},
    {"76a914" HASH20 "88ac", "pubkeyhash"},
    {"76a914" HASH20 "88ad", "nonstandard"},
    {"a914" HASH20 "87", "scripthash"},
    {"a914" HASH20 "8761", "nonstandard"},
    {"0014" HASH20, "witness_v0_keyhash"},
    {"0020" HASH32, "witness_v0_scripthash"},
    {"0002eeee", "nonstandard"},
    {"5120" HASH32, "witness_v1_taproot"},
    {"5114" HASH20, "witness_unknown"},
    {"6002eeee", "witness_unknown"},
    {"51024e73", "anchor"},
    {"52024e73", "witness_unknown"},
    {"5101ee", "nonstandard"},
    {"6a", "nulldata"},
    {"6a04deadbeef51", "nulldata"},
    {"6a04dead", "nonstandard"},
    {"6a61", "nonstandard"},
    {"51"
     "21" KEY "51ae",
     "multisig"},
    {"52"
     "21" KEY "21" KEY "52ae",
     "multisig"},
    {"0102"
     "21" KEY "21" KEY "52ae",
     "nonstandard"},
    {"53"
     "21" KEY "21" KEY "52ae",
     "nonstandard"},
    {"52"
     "21" KEY "21" KEY "53ae",
     "nonstandard"},
    {"00"
     "21" KEY "51ae",
     "nonstandard"},
    {"51"
     "21" KEY "5161ae",
     "nonstandard"},
    {"51ae", "nonstandard"},
    {"", "nonstandard"},
};

static void types_are_told(void)
{
    struct arena arena;

    arena_init(&arena);
    for (size_t i = 0; i < ARRAY_LEN(type_rows); i++) {
        struct span script = bytes_from_hex(type_rows[i].script, &arena);
        struct solution solution;

        EXPECT_STR(type_rows[i].script, script_type_name(script_solve(&solution, script)),
                   type_rows[i].type);
    }
    arena_clear(&arena);
}

/* Multisigs of 17 to 20 keys push their numbers. */
static void long_multisigs_are_known(void)
{
    uint8_t key[33] = {2};
    struct span keys[SCRIPT_MULTISIG_KEYS_MAX];
    struct buf script = {0};
    struct solution solution;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        keys[i] = span_of(key, sizeof(key));
    for (uint32_t n = 1; n <= ARRAY_LEN(keys); n++) {
        script.len = 0;
        script_add_multisig(&script, n, keys, n);
        EXPECT_INT("multisig", script_solve(&solution, span_of_buf(&script)), SCRIPT_TYPE_MULTISIG);
        EXPECT_INT("required", solution.required, n);
        EXPECT_INT("keys", solution.keys_n, n);
        EXPECT_U64("sigops", script_sigops(span_of_buf(&script), true), n <= 16 ? n : 20);
        EXPECT_U64("sigops", script_sigops(span_of_buf(&script), false), 20);
    }
    buf_clear(&script);
}

static const struct {
    const char *script;
    bool show;
    const char *text;
} asm_rows[] = {
    {"", false, ""},
    {"00", false, "0"},
    {"4f5160", false, "-1 1 16"},
    {"0181", false, "-1"},
    {"0180", false, "0"},
    {"04ffffffff", false, "-2147483647"},
    {"04ffffff7f", false, "2147483647"},
    {"0400000080", false, "0"},
    {"050000000001", false, "0000000001"},
    {"4c00", false, "0"},
    {"76a914" HASH20 "88ac", false, "OP_DUP OP_HASH160 " HASH20 " OP_EQUALVERIFY OP_CHECKSIG"},
    {"b1b2b3babbff50", false,
     "OP_CHECKLOCKTIMEVERIFY OP_CHECKSEQUENCEVERIFY OP_NOP4 OP_CHECKSIGADD OP_UNKNOWN "
     "OP_INVALIDOPCODE OP_RESERVED"},
    {"6a02ee", false, "OP_RETURN [error]"},
    {"4c", false, "[error]"},
    {"09300602010102010101", false, "300602010102010101"},
    {"09300602010102010101", true, "3006020101020101[ALL]"},
    {"09300602010102010182", true, "3006020101020101[NONE|ANYONECANPAY]"},
    {"09300602010102010100", true, "300602010102010100"},
    {"09300602018102010101", true, "300602018102010101"},
    {"6a09300602010102010101", true, "OP_RETURN 300602010102010101"},
};

static void text_is_as_rpc_shows_it(void)
{
    struct arena arena;
    struct buf text = {0};

    arena_init(&arena);
    for (size_t i = 0; i < ARRAY_LEN(asm_rows); i++) {
        text.len = 0;
        script_asm(&text, bytes_from_hex(asm_rows[i].script, &arena), asm_rows[i].show);
        EXPECT_STR(asm_rows[i].script, buf_string(&text), asm_rows[i].text);
    }
    for (int type = 0; type < 256; type++) {
        const char *name = sighash_type_name((uint8_t)type);

        if (name != NULL)
            EXPECT_INT(name, sighash_type_of(name), type);
    }
    EXPECT_INT("DEFAULT", sighash_type_of("DEFAULT"), 0);
    EXPECT_INT("unknown", sighash_type_of("all"), -1);
    buf_clear(&text);
    arena_clear(&arena);
}

static void decodescript_vectors_match(void)
{
    struct arena arena;
    struct json root;
    struct buf text = {0};

    arena_init(&arena);
    if (!load_vectors(&root, "vectors/core/rpc_decodescript.json", &arena))
        return;
    EXPECT_U64("rows", root.count, 10);
    for (uint32_t i = 0; i < root.count; i++) {
        const struct json *row = &root.items[i];
        struct span script = bytes_from_hex(json_text(&row->items[0]), &arena);
        const struct json *want = &row->items[1];
        struct solution solution;

        text.len = 0;
        script_asm(&text, script, false);
        EXPECT_STR("asm", buf_string(&text), json_text(json_find(want, "asm")));
        EXPECT_STR("type", script_type_name(script_solve(&solution, script)),
                   json_text(json_find(want, "type")));
    }
    buf_clear(&text);
    arena_clear(&arena);
}

static const struct {
    const char *label;
    const char *script_sig;
    const char *script_pubkey;
    const char *witness; /* The last item, or NULL. */
    uint64_t without;
    uint64_t with_p2sh;
    uint64_t with_witness;
} cost_rows[] = {
    {"p2pkh output counts where it is made", "", "DUP", NULL, 0, 0, 0},
    {"script_sig counts, inaccurately", "2 CHECKMULTISIG CHECKSIG", "1", NULL, 84, 84, 84},
    {"p2sh multisig", "0x03 0x5252ae", "HASH160 0x14 0x" HASH20 " EQUAL", NULL, 0, 8, 8},
    {"p2sh, not push-only", "NOP 0x03 0x5252ae", "HASH160 0x14 0x" HASH20 " EQUAL", NULL, 0, 0, 0},
    {"p2sh, ends with a number", "0x03 0x5252ae 1", "HASH160 0x14 0x" HASH20 " EQUAL", NULL, 0, 0,
     0},
    {"p2wpkh", "", "0 0x14 0x" HASH20, "ac", 0, 0, 1},
    {"p2wsh", "", "0 0x20 0x" HASH32, "5253aeacad", 0, 0, 5},
    {"p2sh of p2wpkh", "0x16 0x0014" HASH20, "HASH160 0x14 0x" HASH20 " EQUAL", "ac", 0, 0, 1},
    {"taproot", "", "1 0x20 0x" HASH32, "acac", 0, 0, 0},
    {"a push that runs out ends the count", "CHECKSIG 0x02 0xac", "1", NULL, 4, 4, 4},
};

static void sigops_cost_what_they_cost(void)
{
    for (size_t i = 0; i < ARRAY_LEN(cost_rows); i++) {
        struct buf script_sig = {0};
        struct buf script_pubkey = {0};
        struct span witness = {0};
        struct tx_in in = {.prevout.vout = 1};
        struct tx_out spent = {0};
        struct tx tx = {.in_n = 1, .in = &in};
        struct arena arena;

        arena_init(&arena);
        script_from_text(&script_sig, cost_rows[i].script_sig);
        script_from_text(&script_pubkey, cost_rows[i].script_pubkey);
        in.script_sig = span_of_buf(&script_sig);
        spent.script_pubkey = span_of_buf(&script_pubkey);
        if (cost_rows[i].witness != NULL) {
            witness = bytes_from_hex(cost_rows[i].witness, &arena);
            in.witness = &witness;
            in.witness_n = 1;
        }
        EXPECT_U64(cost_rows[i].label, tx_sigops_cost(&tx, &spent, 0), cost_rows[i].without);
        EXPECT_U64(cost_rows[i].label, tx_sigops_cost(&tx, &spent, SCRIPT_VERIFY(P2SH)),
                   cost_rows[i].with_p2sh);
        EXPECT_U64(cost_rows[i].label,
                   tx_sigops_cost(&tx, &spent, SCRIPT_VERIFY(P2SH) | SCRIPT_VERIFY(WITNESS)),
                   cost_rows[i].with_witness);
        /* A coinbase has no outputs it spends. */
        in.prevout = (struct outpoint){.vout = OUTPOINT_VOUT_NULL};
        EXPECT_U64(cost_rows[i].label, tx_sigops_cost(&tx, NULL, SCRIPT_VERIFY(P2SH)),
                   cost_rows[i].without);
        buf_clear(&script_sig);
        buf_clear(&script_pubkey);
        arena_clear(&arena);
    }
}

TEST_LIST(TEST(types_are_told), TEST(long_multisigs_are_known), TEST(text_is_as_rpc_shows_it),
          TEST(decodescript_vectors_match), TEST(sigops_cost_what_they_cost))
