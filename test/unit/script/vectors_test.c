/* script_tests.json and script_assets_part.jsonl: bare scripts with their exact
 * results, and taproot-era inputs under many sets of flags. */
#include "script/script.h"

#include <stdlib.h>

#include "base/hex.h"
#include "crypto/secp.h"
#include "script/build.h"
#include "script_text.h"

/* BIP 341: a point nobody knows the logarithm of. */
static const char nums_hex[] = "50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0";

struct row {
    struct span witness[64];
    uint32_t witness_n;
    int64_t value_sat;
    struct span script_sig;
    struct span script_pubkey;
    uint64_t flags;
    enum verdict want;
};

/* The control block of a tree of one leaf under the point above, and the output
 * key. */
static struct span make_control(struct span leaf_script, uint8_t *ret_output_key,
                                struct arena *arena)
{
    uint8_t *control = arena_alloc(arena, 33);
    uint8_t leaf[32];
    uint8_t tweak[32];
    struct sha256 hash;
    bool odd;

    CHECK(hex_read(control + 1, 32, nums_hex, 64));
    tapleaf_hash(leaf, 0xc0, leaf_script);
    sha256_tagged_init(&hash, "TapTweak");
    sha256_add(&hash, control + 1, 32);
    sha256_add(&hash, leaf, 32);
    sha256_finish(&hash, tweak);
    CHECK(secp_xonly_tweak_add(ret_output_key, &odd, control + 1, tweak));
    control[0] = (uint8_t)(0xc0 | odd);
    return span_of(control, 33);
}

static struct span text_script(const char *text, struct arena *arena)
{
    struct buf script = {0};
    uint8_t *copy;
    size_t len;

    script_from_text(&script, text);
    len = script.len;
    copy = arena_alloc(arena, len + 1);
    if (len > 0)
        memcpy(copy, script.data, len);
    buf_clear(&script);
    return span_of(copy, len);
}

static void read_witness(struct row *row, const struct json *items, uint8_t *ret_output_key,
                         struct arena *arena)
{
    row->witness_n = items->count - 1;
    CHECK(row->witness_n <= ARRAY_LEN(row->witness));
    for (uint32_t i = 0; i < row->witness_n; i++) {
        const char *text = json_text(&items->items[i]);

        if (strncmp(text, "#SCRIPT#", 8) == 0)
            row->witness[i] = text_script(text + 8, arena);
        else if (strcmp(text, "#CONTROLBLOCK#") == 0)
            row->witness[i] = make_control(row->witness[i - 1], ret_output_key, arena);
        else
            row->witness[i] = bytes_from_hex(text, arena);
    }
    row->value_sat = (int64_t)(strtod(json_text(&items->items[row->witness_n]), NULL) * 1e8 + 0.5);
}

static void read_row(struct row *row, const struct json *json, struct arena *arena)
{
    uint8_t output_key[32] = {0};
    uint32_t at = 0;

    *row = (struct row){0};
    if (json->items[0].type == JSON_ARRAY)
        read_witness(row, &json->items[at++], output_key, arena);
    row->script_sig = text_script(json_text(&json->items[at]), arena);
    if (json_is_string(&json->items[at + 1], "0x51 0x20 #TAPROOTOUTPUT#")) {
        uint8_t *script = arena_alloc(arena, 34);

        script[0] = OP_1;
        script[1] = 32;
        memcpy(script + 2, output_key, 32);
        row->script_pubkey = span_of(script, 34);
    } else {
        row->script_pubkey = text_script(json_text(&json->items[at + 1]), arena);
    }
    row->flags = flags_fill(flags_from_text(json_text(&json->items[at + 2])));
    row->want = verdict_from_text(json_text(&json->items[at + 3]));
}

/* The two transactions that the vectors' signatures are made for. */
static void make_spend(struct ready_spend *ready, const struct row *row, struct arena *arena)
{
    static const uint8_t two_zeros[2];
    struct tx *funding = arena_array(arena, 1, sizeof(*funding));
    struct tx *spending = arena_array(arena, 1, sizeof(*spending));
    struct tx_in *in = arena_array(arena, 2, sizeof(*in));
    struct tx_out *out = arena_array(arena, 2, sizeof(*out));

    in[0].prevout.vout = OUTPOINT_VOUT_NULL;
    in[0].script_sig = span_of(two_zeros, 2);
    in[0].sequence = SEQUENCE_FINAL;
    out[0] = (struct tx_out){.value_sat = row->value_sat, .script_pubkey = row->script_pubkey};
    *funding = (struct tx){.version = 1, .in_n = 1, .out_n = 1, .in = &in[0], .out = &out[0]};
    tx_finish(funding, arena);
    in[1].prevout.txid = funding->txid;
    in[1].script_sig = row->script_sig;
    in[1].sequence = SEQUENCE_FINAL;
    in[1].witness = row->witness;
    in[1].witness_n = row->witness_n;
    out[1] = (struct tx_out){.value_sat = row->value_sat};
    *spending = (struct tx){.version = 1, .in_n = 1, .out_n = 1, .in = &in[1], .out = &out[1]};
    tx_finish(spending, arena);
    ready_spend_init(ready, spending, &out[0], arena);
}

/* Fewer rules keep a success, more keep a failure. */
static void check_other_flags(const struct ready_spend *ready, const struct row *row,
                              const char *label)
{
    for (int i = 0; i < 64; i++) {
        uint64_t other = test_random() & ALL_FLAGS;
        uint64_t flags =
            row->want == V_VALID ? flags_trim(row->flags & ~other) : flags_fill(row->flags | other);
        bool valid = script_verify_input(&ready->spend, 0, flags) == V_VALID;

        EXPECT_INT(label, valid, row->want == V_VALID);
    }
}

static void script_tests_have_their_results(void)
{
    struct arena file_arena;
    struct json root;
    unsigned rows = 0;

    arena_init(&file_arena);
    if (!load_vectors(&root, "vectors/core/script_tests.json", &file_arena))
        return;
    for (uint32_t i = 0; i < root.count; i++) {
        struct ready_spend ready;
        struct arena arena;
        struct row row;
        char label[64];

        if (root.items[i].count < 4)
            continue;
        rows++;
        (void)snprintf(label, sizeof(label), "script_tests row %u", i);
        arena_init(&arena);
        read_row(&row, &root.items[i], &arena);
        make_spend(&ready, &row, &arena);
        EXPECT_STR(label, verdict_text(verify_both_ways(&ready.spend, 0, row.flags)),
                   verdict_text(row.want));
        check_other_flags(&ready, &row, label);
        arena_clear(&arena);
    }
    EXPECT_U64("rows", rows, 1233);
    arena_clear(&file_arena);
}

static const uint64_t soft_forks[] = {
    SCRIPT_VERIFY(P2SH),
    SCRIPT_VERIFY(DERSIG),
    SCRIPT_VERIFY(NULLDUMMY),
    SCRIPT_VERIFY(CHECKLOCKTIMEVERIFY),
    SCRIPT_VERIFY(CHECKSEQUENCEVERIFY),
    SCRIPT_VERIFY(WITNESS),
    SCRIPT_VERIFY(TAPROOT),
};

/* The subset-th set of consensus flags; 0 with ret_skip for one that makes no
 * sense. */
static bool consensus_flags(unsigned subset, uint64_t *ret_flags)
{
    *ret_flags = 0;
    for (size_t i = 0; i < ARRAY_LEN(soft_forks); i++) {
        if (subset >> i & 1)
            *ret_flags |= soft_forks[i];
    }
    return script_flags_are_valid(*ret_flags) && ((*ret_flags & SCRIPT_VERIFY(TAPROOT)) == 0 ||
                                                  (*ret_flags & SCRIPT_VERIFY(WITNESS)) != 0);
}

/* One of the two ways to spend that a line has: the input with its script_sig and
 * witness, under every set of consensus flags it speaks of. */
static void check_asset(const struct json *line, const struct json *way, bool success,
                        const char *label)
{
    uint64_t line_flags = flags_from_text(json_text(json_find(line, "flags")));
    const struct json *prevouts = json_find(line, "prevouts");
    const struct json *witness = json_find(way, "witness");
    const struct json *final = json_find(line, "final");
    bool is_final = final != NULL && final->truth;
    struct ready_spend ready;
    struct tx_out *spent;
    struct span *items;
    struct tx_in *in;
    struct arena arena;
    struct tx tx;
    int64_t index;

    arena_init(&arena);
    tx_from_hex(&tx, json_text(json_find(line, "tx")), &arena);
    CHECK(json_get_int64(&index, json_find(line, "index")) && prevouts->count == tx.in_n);
    in = arena_array(&arena, tx.in_n, sizeof(*in));
    memcpy(in, tx.in, tx.in_n * sizeof(*in));
    items = arena_array(&arena, witness->count, sizeof(*items));
    for (uint32_t i = 0; i < witness->count; i++)
        items[i] = bytes_from_hex(json_text(&witness->items[i]), &arena);
    in[index].script_sig = bytes_from_hex(json_text(json_find(way, "scriptSig")), &arena);
    in[index].witness = items;
    in[index].witness_n = witness->count;
    tx.in = in;
    tx_finish(&tx, &arena);
    spent = arena_array(&arena, tx.in_n, sizeof(*spent));
    for (uint32_t i = 0; i < tx.in_n; i++) {
        struct span bytes = bytes_from_hex(json_text(&prevouts->items[i]), &arena);
        struct reader r;

        reader_init(&r, bytes.data, bytes.len);
        spent[i].value_sat = (int64_t)read_le64(&r);
        spent[i].script_pubkey = read_var_bytes(&r);
        CHECK(r.rc == 0 && r.left == 0);
    }
    ready_spend_init(&ready, &tx, spent, &arena);
    for (unsigned subset = 0; subset < 1U << ARRAY_LEN(soft_forks); subset++) {
        uint64_t flags;
        bool speaks;

        if (!consensus_flags(subset, &flags))
            continue;
        speaks = success ? is_final || (flags & line_flags) == flags
                         : (flags & line_flags) == line_flags;
        if (speaks)
            EXPECT_INT(label, verify_both_ways(&ready.spend, (uint32_t)index, flags) == V_VALID,
                       success);
    }
    arena_clear(&arena);
}

static void script_assets_hold(void)
{
    const char *path = test_data_path("vectors/core/script_assets_part.jsonl");
    struct buf text = {0};
    unsigned lines = 0;

    if (path == NULL) {
        test_skip("no ASSAY_DATA");
        return;
    }
    CHECK(test_read_file(&text, path));
    for (const char *at = buf_string(&text); *at != '\0'; lines++) {
        size_t len = strcspn(at, "\n");
        const struct json *success;
        const struct json *failure;
        struct arena arena;
        struct json line;
        char label[64];

        arena_init(&arena);
        (void)snprintf(label, sizeof(label), "script_assets line %u", lines + 1);
        CHECK(json_read(&line, at, len, &arena, NULL) == 0);
        success = json_find(&line, "success");
        failure = json_find(&line, "failure");
        if (success != NULL)
            check_asset(&line, success, true, label);
        if (failure != NULL)
            check_asset(&line, failure, false, label);
        arena_clear(&arena);
        at += len + (at[len] == '\n');
    }
    EXPECT_U64("lines", lines, 1380);
    buf_clear(&text);
}

TEST_LIST(TEST(script_tests_have_their_results), TEST(script_assets_hold))
