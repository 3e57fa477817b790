#include "script_text.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/hex.h"
#include "crypto/sigbatch_priv.h"
#include "script/build.h"
#include "script/sig_batch.h"

static bool is_number(const char *word, size_t len)
{
    size_t i = len > 1 && word[0] == '-' ? 1 : 0;

    for (; i < len; i++) {
        if (!isdigit((unsigned char)word[i]))
            return false;
    }
    return len > 0;
}

/* By name, with or without "OP_"; those that have a number for a name are not
 * written so. */
static int op_from_name(const char *word, size_t len)
{
    if (len > 3 && memcmp(word, "OP_", 3) == 0) {
        word += 3;
        len -= 3;
    }
    for (int op = OP_RESERVED; op <= OP_NOP10 + 1; op++) {
        const char *name = opcode_name((uint8_t)op);

        if (strncmp(name, "OP_", 3) == 0 && strlen(name + 3) == len &&
            memcmp(name + 3, word, len) == 0)
            return op;
    }
    return -1;
}

static void add_word(struct buf *script, const char *word, size_t len)
{
    int op;

    if (is_number(word, len)) {
        script_add_number(script, strtoll(word, NULL, 10));
    } else if (len > 2 && word[0] == '0' && word[1] == 'x') {
        CHECK(hex_read_buf(script, word + 2, len - 2));
    } else if (len >= 2 && word[0] == '\'' && word[len - 1] == '\'') {
        script_add_push(script, span_of(word + 1, len - 2));
    } else {
        op = op_from_name(word, len);
        CHECK(op >= 0);
        script_add_op(script, (uint8_t)op);
    }
}

void script_from_text(struct buf *script, const char *text)
{
    while (*text != '\0') {
        size_t len = strcspn(text, " \t\n");

        if (len > 0)
            add_word(script, text, len);
        text += len;
        text += strspn(text, " \t\n");
    }
}

uint64_t flags_from_text(const char *text)
{
    static const struct {
        const char *name;
        uint64_t bit;
    } names[] = {
#define FLAG_ROW(name, bit) {#name, UINT64_C(1) << (bit)},
        SCRIPT_FLAG_MAP(FLAG_ROW)
#undef FLAG_ROW
            {"NONE", 0},
        {"BADTX", 0},
    };
    uint64_t flags = 0;

    while (*text != '\0') {
        size_t len = strcspn(text, ",");
        size_t i = 0;

        while (i < ARRAY_LEN(names) &&
               (strlen(names[i].name) != len || memcmp(names[i].name, text, len) != 0))
            i++;
        CHECK(i < ARRAY_LEN(names));
        flags |= names[i].bit;
        text += len + (text[len] == ',');
    }
    return flags;
}

uint64_t flags_fill(uint64_t flags)
{
    if (flags & SCRIPT_VERIFY(CLEANSTACK))
        flags |= SCRIPT_VERIFY(WITNESS);
    if (flags & SCRIPT_VERIFY(WITNESS))
        flags |= SCRIPT_VERIFY(P2SH);
    return flags;
}

uint64_t flags_trim(uint64_t flags)
{
    if ((flags & SCRIPT_VERIFY(P2SH)) == 0)
        flags &= ~SCRIPT_VERIFY(WITNESS);
    if ((flags & SCRIPT_VERIFY(WITNESS)) == 0)
        flags &= ~SCRIPT_VERIFY(CLEANSTACK);
    return flags;
}

static const char *const verdict_names[V_COUNT] = {
#define VERDICT_NAME(name, reason, where, condemns) #name,
    ASSAY_VERDICT_MAP(VERDICT_NAME)
#undef VERDICT_NAME
};

/* Where the vectors' word is not ours. */
static const char *const other_words[][2] = {
    {"OK", "VALID"},
    {"NULLFAIL", "SCRIPT_SIG_NULLFAIL"},
};

enum verdict verdict_from_text(const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(other_words); i++) {
        if (strcmp(text, other_words[i][0]) == 0)
            text = other_words[i][1];
    }
    for (int v = 0; v < V_COUNT; v++) {
        const char *name = verdict_names[v];

        if (strcmp(text, name) == 0 ||
            (strncmp(name, "SCRIPT_", 7) == 0 && strcmp(text, name + 7) == 0))
            return (enum verdict)v;
    }
    check_failed("the name of a verdict", __FILE__, __LINE__);
}

const char *verdict_text(enum verdict verdict)
{
    return verdict_names[verdict];
}

struct span bytes_from_hex(const char *text, struct arena *arena)
{
    size_t len = strlen(text);
    uint8_t *bytes = arena_alloc(arena, len / 2 + 1);

    CHECK(hex_read(bytes, len / 2, text, len));
    return span_of(bytes, len / 2);
}

bool load_vectors(struct json *ret_root, const char *relative, struct arena *arena)
{
    const char *path = test_data_path(relative);
    struct buf text = {0};

    if (path == NULL) {
        test_skip("no ASSAY_DATA");
        return false;
    }
    CHECK(test_read_file(&text, path));
    CHECK(json_read(ret_root, (const char *)text.data, text.len, arena, NULL) == 0);
    buf_clear(&text);
    return true;
}

void tx_from_hex(struct tx *ret_tx, const char *text, struct arena *arena)
{
    struct span bytes = bytes_from_hex(text, arena);
    struct reader r;

    reader_init(&r, bytes.data, bytes.len);
    CHECK(tx_read(ret_tx, &r, arena, TX_READ_IDS) == 0);
    CHECK(r.left == 0);
}

void ready_spend_init(struct ready_spend *ready, const struct tx *tx, const struct tx_out *spent,
                      struct arena *arena)
{
    sighash_cache_init(&ready->cache, tx, spent, arena);
    ready->spend = (struct spend){.tx = tx, .spent = spent, .sighash = &ready->cache};
}

static void expect_told(void *context, void *tag, uint32_t in_index, enum verdict verdict)
{
    const enum verdict *want = context;

    (void)tag;
    (void)in_index;
    EXPECT_STR("in a batch", verdict_text(verdict), verdict_text(*want));
}

/* The processor's lanes, or those in plain C. */
static void choose_lanes(void)
{
    static bool is_chosen;

    if (is_chosen)
        return;
    is_chosen = true;
    (void)sigbatch_select(true);
    if (!sigbatch_has_lanes())
        CHECK(sigbatch_use(lanes_run_plain));
}

enum verdict verify_both_ways(const struct spend *spend, uint32_t in_index, uint64_t flags)
{
    enum verdict want = script_verify_input(spend, in_index, flags);
    struct sig_batch *batch = sig_batch_new(expect_told, &want);

    choose_lanes();
    /* So many that even one check each is worth the lanes. */
    for (int i = 0; i < 4; i++)
        sig_batch_input(batch, spend, in_index, flags, NULL);
    sig_batch_settle(batch);
    sig_batch_free(batch);
    return want;
}
