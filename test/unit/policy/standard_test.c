/* Standardness: each flaw by itself, at both sides of its border. */
#include "policy/standard.h"

#include "../test.h"
#include "base/arena.h"
#include "script/build.h"

#define OUTPUTS_MAX 8
#define ITEMS_MAX 128

/* A transaction that is standard, for tests to spoil. */
struct sample {
    struct arena arena;
    struct tx tx;
    struct tx_in in[2];
    struct tx_out out[OUTPUTS_MAX];
    struct tx_out spent[2];
    struct span items[ITEMS_MAX];
    struct buf script; /* Memory for one script. */
    struct buf key_script;
};

static const struct standard_rules usual = {
    .max_datacarrier_bytes = POLICY_DATACARRIER_BYTES_MAX,
    .permit_bare_multisig = true,
    .dust_relay = {POLICY_DUST_RELAY_SAT_KVB},
};

static const uint8_t zeros[4096];

static void sample_init(struct sample *s)
{
    memset(s, 0, sizeof(*s));
    arena_init(&s->arena);
    script_add_p2pkh(&s->key_script, zeros);
    s->in[0].sequence = SEQUENCE_FINAL;
    s->in[1].sequence = SEQUENCE_FINAL;
    s->in[1].prevout.vout = 1;
    for (size_t i = 0; i < OUTPUTS_MAX; i++)
        s->out[i] = (struct tx_out){10000, span_of_buf(&s->key_script)};
    s->spent[0] = s->spent[1] = s->out[0];
    s->tx = (struct tx){.version = 2, .in = s->in, .in_n = 1, .out = s->out, .out_n = 1};
}

static const char *flaw_of(struct sample *s)
{
    const char *flaw;

    tx_finish(&s->tx, &s->arena);
    flaw = standard_tx_flaw(&s->tx, &usual);
    return flaw == NULL ? "" : flaw;
}

static void sample_clear(struct sample *s)
{
    arena_clear(&s->arena);
    buf_clear(&s->script);
    buf_clear(&s->key_script);
}

static void versions_have_borders(void)
{
    static const struct {
        uint32_t version;
        const char *flaw;
    } rows[] = {{0, "version"}, {1, ""}, {2, ""}, {3, ""}, {4, "version"}, {0xffffffff, "version"}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sample s;

        sample_init(&s);
        s.tx.version = rows[i].version;
        EXPECT_STR("version", flaw_of(&s), rows[i].flaw);
        sample_clear(&s);
    }
}

static void script_sigs_are_small_pushes(void)
{
    struct sample s;

    sample_init(&s);
    s.in[0].script_sig = span_of(zeros, POLICY_SCRIPT_SIG_BYTES_MAX);
    EXPECT_STR("largest", flaw_of(&s), "");
    s.in[0].script_sig = span_of(zeros, POLICY_SCRIPT_SIG_BYTES_MAX + 1);
    EXPECT_STR("too large", flaw_of(&s), "scriptsig-size");
    s.in[0].script_sig = span_of("\x61", 1);
    EXPECT_STR("a NOP", flaw_of(&s), "scriptsig-not-pushonly");
    s.in[0].script_sig = span_of("\x02\x01", 2);
    EXPECT_STR("cut push", flaw_of(&s), "scriptsig-not-pushonly");
    sample_clear(&s);
}

static void outputs_are_of_known_kinds(void)
{
    uint8_t keys_bytes[4][33] = {{2}, {2}, {2}, {2}};
    struct span keys[4];
    struct sample s;

    sample_init(&s);
    for (size_t i = 0; i < 4; i++)
        keys[i] = span_of(keys_bytes[i], 33);
    s.out[0].script_pubkey = span_of("\x61", 1);
    EXPECT_STR("unknown", flaw_of(&s), "scriptpubkey");
    script_add_multisig(&s.script, 1, keys, 3);
    s.out[0].script_pubkey = span_of_buf(&s.script);
    EXPECT_STR("1 of 3", flaw_of(&s), "");
    {
        struct standard_rules strict = usual;

        strict.permit_bare_multisig = false;
        EXPECT_STR("1 of 3, not wanted", standard_tx_flaw(&s.tx, &strict), "bare-multisig");
    }
    s.script.len = 0;
    script_add_multisig(&s.script, 1, keys, 4);
    s.out[0].script_pubkey = span_of_buf(&s.script);
    EXPECT_STR("1 of 4", flaw_of(&s), "scriptpubkey");
    s.out[0].script_pubkey = span_of("\x51\x02\x4e\x73", 4);
    EXPECT_STR("anchor", flaw_of(&s), "");
    sample_clear(&s);
}

static void data_shares_one_bound(void)
{
    struct standard_rules rules = usual;
    struct sample s;

    sample_init(&s);
    s.tx.out_n = 2;
    s.out[0] = s.out[1] = (struct tx_out){0, span_of("\x6a\x03wow", 5)};
    EXPECT_STR("two", flaw_of(&s), "");
    rules.max_datacarrier_bytes = 10;
    EXPECT_TRUE("exactly", standard_tx_flaw(&s.tx, &rules) == NULL);
    rules.max_datacarrier_bytes = 9;
    EXPECT_STR("one more", standard_tx_flaw(&s.tx, &rules), "datacarrier");
    rules.max_datacarrier_bytes = -1;
    EXPECT_STR("none", standard_tx_flaw(&s.tx, &rules), "datacarrier");
    sample_clear(&s);
}

static void one_dust_output_may_be(void)
{
    struct sample s;

    sample_init(&s);
    s.tx.out_n = 3;
    s.out[0].value_sat = 545;
    EXPECT_STR("one", flaw_of(&s), "");
    EXPECT_U64("one", standard_dust_n(&s.tx, usual.dust_relay), 1);
    s.out[1].value_sat = 546;
    EXPECT_STR("border", flaw_of(&s), "");
    s.out[1].value_sat = 545;
    EXPECT_STR("two", flaw_of(&s), "dust");
    sample_clear(&s);
}

static bool inputs_hold(struct sample *s, char *ret_detail)
{
    ret_detail[0] = 0;
    return standard_inputs(&s->tx, s->spent, ret_detail, 128);
}

static void redeem_scripts_are_looked_into(void)
{
    struct sample s;
    char detail[128];
    uint8_t redeem[16];

    sample_init(&s);
    script_add_p2sh(&s.script, zeros);
    s.spent[0].script_pubkey = span_of_buf(&s.script);
    memset(redeem, OP_CHECKSIG, sizeof(redeem));
    {
        uint8_t sig[17] = {15};

        memcpy(sig + 1, redeem, 15);
        s.in[0].script_sig = span_of(sig, 16);
        EXPECT_TRUE("15 sigops", inputs_hold(&s, detail));
        sig[0] = 16;
        sig[16] = OP_CHECKSIG;
        s.in[0].script_sig = span_of(sig, 17);
        EXPECT_TRUE("16 sigops", !inputs_hold(&s, detail));
        EXPECT_STR("16 sigops", detail, "p2sh redeemscript sigops exceed limit (input 0: 16 > 15)");
    }
    s.in[0].script_sig = span_of(NULL, 0);
    EXPECT_TRUE("empty", !inputs_hold(&s, detail));
    EXPECT_STR("empty", detail, "input 0 P2SH redeemscript missing");
    s.in[0].script_sig = span_of("\x50", 1);
    EXPECT_TRUE("reserved", !inputs_hold(&s, detail));
    EXPECT_STR("reserved", detail,
               "p2sh scriptsig malformed (input 0: Opcode missing or not understood)");
    s.in[0].script_sig = span_of(zeros, 1001);
    EXPECT_TRUE("deep", !inputs_hold(&s, detail));
    EXPECT_STR("deep", detail, "p2sh scriptsig malformed (input 0: Stack size limit exceeded)");
    s.in[0].script_sig = span_of(zeros, 1000);
    EXPECT_TRUE("as deep as can be", inputs_hold(&s, detail));
    s.spent[0].script_pubkey = span_of("\x52\x02\x01\x02", 4);
    EXPECT_TRUE("version 2", !inputs_hold(&s, detail));
    EXPECT_STR("version 2", detail, "input 0 witness program is undefined");
    s.spent[0].script_pubkey = span_of("\x61", 1);
    EXPECT_TRUE("unknown", !inputs_hold(&s, detail));
    EXPECT_STR("unknown", detail, "input 0 script unknown");
    sample_clear(&s);
}

static void legacy_sigops_have_a_bound(void)
{
    static uint8_t many[2501];
    struct sample s;
    char detail[128];

    /* A bare script of that many checks is not standard either, but this is asked first. */
    memset(many, OP_CHECKSIG, sizeof(many));
    sample_init(&s);
    s.spent[0].script_pubkey = span_of(many, 2501);
    EXPECT_TRUE("2501", !inputs_hold(&s, detail));
    EXPECT_STR("2501", detail, "non-witness sigops exceed bip54 limit");
    s.spent[0].script_pubkey = span_of(many, 2500);
    EXPECT_TRUE("2500", !inputs_hold(&s, detail));
    EXPECT_STR("2500", detail, "input 0 script unknown");
    sample_clear(&s);
}

static bool witness_holds(struct sample *s, struct span program, uint32_t items_n)
{
    s->spent[0].script_pubkey = program;
    s->in[0].witness = s->items;
    s->in[0].witness_n = items_n;
    return standard_witness(&s->tx, s->spent);
}

static void witnesses_are_bounded(void)
{
    uint8_t p2wsh[34] = {0, 32};
    uint8_t p2tr[34] = {0x51, 32};
    uint8_t control[33] = {0xc0};
    struct sample s;

    sample_init(&s);
    for (size_t i = 0; i < ITEMS_MAX; i++)
        s.items[i] = span_of(zeros, 80);
    EXPECT_TRUE("100 items", witness_holds(&s, span_of(p2wsh, 34), 101));
    EXPECT_TRUE("101 items", !witness_holds(&s, span_of(p2wsh, 34), 102));
    s.items[0].len = 81;
    EXPECT_TRUE("81 bytes", !witness_holds(&s, span_of(p2wsh, 34), 2));
    s.items[0].len = 3600;
    EXPECT_TRUE("script", witness_holds(&s, span_of(p2wsh, 34), 1));
    s.items[0].len = 3601;
    EXPECT_TRUE("script too large", !witness_holds(&s, span_of(p2wsh, 34), 1));
    EXPECT_TRUE("key path", witness_holds(&s, span_of(p2tr, 34), 1));
    s.items[0].len = 80;
    s.items[2] = span_of(control, 33);
    EXPECT_TRUE("leaf", witness_holds(&s, span_of(p2tr, 34), 3));
    s.items[0].len = 81;
    EXPECT_TRUE("leaf, 81 bytes", !witness_holds(&s, span_of(p2tr, 34), 3));
    control[0] = 0xc2;
    EXPECT_TRUE("another leaf version", witness_holds(&s, span_of(p2tr, 34), 3));
    control[0] = 0x50;
    EXPECT_TRUE("annex", !witness_holds(&s, span_of(p2tr, 34), 3));
    s.items[2].len = 0;
    EXPECT_TRUE("no control", !witness_holds(&s, span_of(p2tr, 34), 3));
    EXPECT_TRUE("anchor", !witness_holds(&s, span_of("\x51\x02\x4e\x73", 4), 1));
    EXPECT_TRUE("none asked for", !witness_holds(&s, span_of_buf(&s.key_script), 1));
    EXPECT_TRUE("none there", witness_holds(&s, span_of_buf(&s.key_script), 0));
    sample_clear(&s);
}

static void missing_witnesses_are_told(void)
{
    uint8_t p2wpkh[22] = {0, 20};
    uint8_t sig[23] = {22, 0, 20};
    struct sample s;

    sample_init(&s);
    EXPECT_TRUE("key hash", !standard_needs_witness(&s.tx, s.spent));
    s.spent[0].script_pubkey = span_of("\x51\x02\x4e\x73", 4);
    EXPECT_TRUE("anchor", !standard_needs_witness(&s.tx, s.spent));
    s.spent[0].script_pubkey = span_of(p2wpkh, 22);
    EXPECT_TRUE("native", standard_needs_witness(&s.tx, s.spent));
    script_add_p2sh(&s.script, zeros);
    s.spent[0].script_pubkey = span_of_buf(&s.script);
    EXPECT_TRUE("nothing inside", !standard_needs_witness(&s.tx, s.spent));
    s.in[0].script_sig = span_of(sig, 23);
    EXPECT_TRUE("inside", standard_needs_witness(&s.tx, s.spent));
    sample_clear(&s);
}

static void sizes_count_sigops(void)
{
    EXPECT_INT("weight", policy_adjusted_weight(1000, 50, 20), 1000);
    EXPECT_INT("sigops", policy_adjusted_weight(1000, 51, 20), 1020);
    EXPECT_INT("up", policy_vsize(1001), 251);
    EXPECT_INT("exact", policy_vsize(1000), 250);
}

TEST_LIST(TEST(versions_have_borders), TEST(script_sigs_are_small_pushes),
          TEST(outputs_are_of_known_kinds), TEST(data_shares_one_bound),
          TEST(one_dust_output_may_be), TEST(redeem_scripts_are_looked_into),
          TEST(legacy_sigops_have_a_bound), TEST(witnesses_are_bounded),
          TEST(missing_witnesses_are_told), TEST(sizes_count_sigops))
