/* tx_valid.json and tx_invalid.json (the script half: transactions that fail
 * before any script are the consensus room's), and odd transactions of the chain. */
#include "script/script.h"

#include <stdlib.h>

#include "crypto/hash160.h"
#include "script/build.h"
#include "script/parse.h"
#include "script_text.h"

/* A row's transaction with its prevouts; false if an input has none in the row. */
static bool read_row(struct tx *ret_tx, struct ready_spend *ready, const struct json *row,
                     struct arena *arena)
{
    const struct json *prevouts = &row->items[0];
    struct tx_out *spent;

    tx_from_hex(ret_tx, json_text(&row->items[1]), arena);
    spent = arena_array(arena, ret_tx->in_n, sizeof(*spent));
    for (uint32_t i = 0; i < ret_tx->in_n; i++) {
        bool found = false;

        for (uint32_t k = 0; k < prevouts->count && !found; k++) {
            const struct json *prevout = &prevouts->items[k];
            struct buf script = {0};
            struct outpoint outpoint;
            uint8_t *copy;
            int64_t vout;

            CHECK(hash_from_hex(outpoint.txid.b, json_text(&prevout->items[0])));
            CHECK(json_get_int64(&vout, &prevout->items[1]));
            outpoint.vout = (uint32_t)vout;
            if (!outpoint_equal(&outpoint, &ret_tx->in[i].prevout))
                continue;
            found = true;
            script_from_text(&script, json_text(&prevout->items[2]));
            copy = arena_alloc(arena, script.len + 1);
            if (script.len > 0)
                memcpy(copy, script.data, script.len);
            spent[i].script_pubkey = span_of(copy, script.len);
            if (prevout->count > 3)
                CHECK(json_get_int64(&spent[i].value_sat, &prevout->items[3]));
            buf_clear(&script);
        }
        if (!found)
            return false;
    }
    ready_spend_init(ready, ret_tx, spent, arena);
    return true;
}

static bool all_valid(const struct ready_spend *ready, uint64_t flags)
{
    for (uint32_t i = 0; i < ready->spend.tx->in_n; i++) {
        if (verify_both_ways(&ready->spend, i, flags) != V_VALID)
            return false;
    }
    return true;
}

/* flags: with them the transaction is valid, with any rule more it is not. */
static void check_valid_row(const struct ready_spend *ready, uint64_t excluded, const char *label)
{
    EXPECT_INT(label, flags_fill(~excluded & ALL_FLAGS), ~excluded & ALL_FLAGS);
    EXPECT_TRUE(label, all_valid(ready, ~excluded & ALL_FLAGS));
    for (int bit = 0; bit < SCRIPT_FLAG_BITS; bit++) {
        uint64_t fewer = flags_trim(excluded & ~(UINT64_C(1) << bit));

        EXPECT_TRUE(label,
                    all_valid(ready, flags_trim(~(excluded | UINT64_C(1) << bit) & ALL_FLAGS)));
        EXPECT_TRUE(label, all_valid(ready, flags_trim(~(excluded | test_random()) & ALL_FLAGS)));
        if (fewer != excluded && script_flags_are_valid(~fewer & ALL_FLAGS))
            EXPECT_TRUE(label, !all_valid(ready, ~fewer & ALL_FLAGS));
    }
}

static void valid_transactions_are_valid(void)
{
    struct arena arena;
    struct json root;
    unsigned rows = 0;

    arena_init(&arena);
    if (!load_vectors(&root, "vectors/core/tx_valid.json", &arena))
        return;
    for (uint32_t i = 0; i < root.count; i++) {
        struct ready_spend ready;
        struct tx tx;
        char label[64];

        if (root.items[i].items[0].type != JSON_ARRAY)
            continue;
        rows++;
        (void)snprintf(label, sizeof(label), "tx_valid row %u", i);
        if (EXPECT_TRUE(label, read_row(&tx, &ready, &root.items[i], &arena)))
            check_valid_row(&ready, flags_from_text(json_text(&root.items[i].items[2])), label);
    }
    EXPECT_U64("rows", rows, 121);
    arena_clear(&arena);
}

static void invalid_transactions_are_invalid(void)
{
    struct arena arena;
    struct json root;
    unsigned rows = 0;
    unsigned bad = 0;

    arena_init(&arena);
    if (!load_vectors(&root, "vectors/core/tx_invalid.json", &arena))
        return;
    for (uint32_t i = 0; i < root.count; i++) {
        const char *words;
        struct ready_spend ready;
        struct tx tx;
        uint64_t flags;
        char label[64];

        if (root.items[i].items[0].type != JSON_ARRAY)
            continue;
        rows++;
        words = json_text(&root.items[i].items[2]);
        if (strcmp(words, "BADTX") == 0) {
            bad++;
            continue;
        }
        (void)snprintf(label, sizeof(label), "tx_invalid row %u", i);
        if (!EXPECT_TRUE(label, read_row(&tx, &ready, &root.items[i], &arena)))
            continue;
        flags = flags_from_text(words);
        EXPECT_U64(label, flags_fill(flags), flags);
        EXPECT_TRUE(label, !all_valid(&ready, flags));
        for (int bit = 0; bit < SCRIPT_FLAG_BITS; bit++) {
            uint64_t fewer = flags_trim(flags & ~(UINT64_C(1) << bit));

            EXPECT_TRUE(label, !all_valid(&ready, flags_fill(flags | UINT64_C(1) << bit)));
            EXPECT_TRUE(label, !all_valid(&ready, flags_fill(flags | (test_random() & ALL_FLAGS))));
            if (fewer != flags)
                EXPECT_TRUE(label, all_valid(&ready, fewer));
        }
    }
    EXPECT_U64("rows", rows, 93);
    EXPECT_U64("rows that fail before scripts", bad, 9);
    arena_clear(&arena);
}

static void bip16_exception_needs_no_p2sh(void)
{
    struct arena arena;
    struct ready_spend ready;
    struct json root;
    struct tx_out spent;
    struct tx tx;
    const struct json *prevout;

    arena_init(&arena);
    if (!load_vectors(&root, "vectors/misc/bip16_exception_tx.json", &arena))
        return;
    prevout = &json_find(&root, "prevouts")->items[0];
    tx_from_hex(&tx, json_text(json_find(&root, "raw")), &arena);
    CHECK(json_get_int64(&spent.value_sat, &prevout->items[0]));
    spent.script_pubkey = bytes_from_hex(json_text(&prevout->items[1]), &arena);
    ready_spend_init(&ready, &tx, &spent, &arena);
    EXPECT_INT("before BIP 16", script_verify_input(&ready.spend, 0, 0), V_VALID);
    EXPECT_STR("BIP 16", verdict_text(script_verify_input(&ready.spend, 0, SCRIPT_VERIFY(P2SH))),
               "SCRIPT_INVALID_STACK_OPERATION");
    arena_clear(&arena);
}

/* Single transactions with the outputs they spend, as undo data. */
static void transactions_of_the_chain_are_valid(void)
{
    static const int numbers[] = {1, 2, 3, 4, 6, 7, 10};
    const uint64_t flags = SCRIPT_VERIFY(P2SH) | SCRIPT_VERIFY(WITNESS);

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        char name[64];
        struct buf raw = {0};
        struct buf undo = {0};
        struct ready_spend ready;
        struct tx_out *spent;
        struct arena arena;
        struct reader r;
        struct tx tx;

        (void)snprintf(name, sizeof(name), "vectors/misc/bcoin_tx%d.raw", numbers[i]);
        if (test_data_path(name) == NULL) {
            test_skip("no ASSAY_DATA");
            return;
        }
        arena_init(&arena);
        CHECK(test_read_file(&raw, test_data_path(name)));
        reader_init(&r, raw.data, raw.len);
        CHECK(tx_read(&tx, &r, &arena, TX_READ_IDS) == 0);
        (void)snprintf(name, sizeof(name), "vectors/misc/bcoin_tx%d-undo.raw", numbers[i]);
        CHECK(test_read_file(&undo, test_data_path(name)));
        reader_init(&r, undo.data, undo.len);
        spent = arena_array(&arena, tx.in_n, sizeof(*spent));
        for (uint32_t k = 0; k < tx.in_n; k++) {
            spent[k].value_sat = (int64_t)read_le64(&r);
            spent[k].script_pubkey = read_var_bytes(&r);
        }
        EXPECT_INT(name, r.rc, 0);
        ready_spend_init(&ready, &tx, spent, &arena);
        EXPECT_TRUE(name, all_valid(&ready, flags));
        arena_clear(&arena);
        buf_clear(&raw);
        buf_clear(&undo);
    }
}

TEST_LIST(TEST(valid_transactions_are_valid), TEST(invalid_transactions_are_invalid),
          TEST(bip16_exception_needs_no_p2sh), TEST(transactions_of_the_chain_are_valid))
