/* assay-verify's judgement: real blocks are accepted, every flipped bit is not, as
 * it stands and with merkle root and witness commitment made good again. */
#include "app/verify_block.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "codec/writer.h"
#include "consensus/rules.h"
#include "crypto/sha256.h"
#include "primitives/amount.h"
#include "primitives/merkle.h"
#include "test.h"

/* A block with what is known of it. */
struct sample {
    char name[64];
    const struct params *params;
    int32_t height;
    struct buf block;
    struct buf undo;
    struct buf coins;
};

static void read_part(struct buf *buf, const char *name, const char *ending)
{
    char relative[128];
    const char *path;

    (void)snprintf(relative, sizeof(relative), "blocks/%s%s", name, ending);
    path = test_data_path(relative);
    if (path != NULL)
        CHECK(test_read_file(buf, path));
}

static bool load(struct sample *s, const char *name)
{
    const char *number = strrchr(name, '_');

    *s = (struct sample){0};
    if (test_data_path("blocks/INDEX.tsv") == NULL) {
        test_skip("no ASSAY_DATA");
        return false;
    }
    (void)snprintf(s->name, sizeof(s->name), "%s", name);
    s->params = params_of(strncmp(name, "mainnet", 7) == 0 ? NETWORK_MAIN : NETWORK_TEST);
    s->height = (int32_t)strtol(number + 1, NULL, 10);
    read_part(&s->block, name, ".raw");
    read_part(&s->undo, name, ".undo.raw");
    read_part(&s->coins, name, ".coins.jsonl");
    CHECK(s->block.len > 0 && s->undo.len > 0);
    return true;
}

static void unload(struct sample *s)
{
    buf_clear(&s->block);
    buf_clear(&s->undo);
    buf_clear(&s->coins);
}

static struct verify_request request_of(const struct sample *s)
{
    return (struct verify_request){.params = s->params,
                                   .height = s->height,
                                   .block = span_of_buf(&s->block),
                                   .undo = span_of_buf(&s->undo),
                                   .coins = span_of_buf(&s->coins),
                                   .threads_n = 1};
}

static bool found(const struct verify_report *report, enum verdict verdict, uint32_t tx_index)
{
    for (size_t i = 0; i < report->findings_n; i++) {
        const struct finding *finding = &report->findings[i].finding;

        if (finding->verdict == verdict &&
            (tx_index == UINT32_MAX || finding->tx_index == tx_index))
            return true;
    }
    return false;
}

static const char *const samples[] = {
    "mainnet_170",    "mainnet_183",    "mainnet_24835",   "mainnet_116928",  "mainnet_210000",
    "mainnet_255018", "mainnet_277647", "mainnet_300025",  "mainnet_367891",  "mainnet_403200",
    "mainnet_419328", "mainnet_481824", "mainnet_542213",  "mainnet_553724",  "mainnet_692261",
    "mainnet_709632", "mainnet_757753", "testnet3_928816", "testnet3_928831", "testnet3_928848",
};

static int64_t fees_in_index(const char *name)
{
    struct buf index = {0};
    const char *line;
    int64_t fees_sat = -1;
    int column = 0;

    CHECK(test_read_file(&index, test_data_path("blocks/INDEX.tsv")));
    line = strstr(buf_string(&index), name);
    while (line != NULL && line[strlen(name)] != '\t')
        line = strstr(line + 1, name);
    CHECK(line != NULL);
    for (; *line != '\n' && column < 5; line++)
        column += *line == '\t';
    fees_sat = strtoll(line, NULL, 10);
    buf_clear(&index);
    return fees_sat;
}

static void real_blocks_are_accepted(void)
{
    (void)sha256_select(true);
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        struct verify_request request;
        struct verify_report report;
        struct sample s;

        if (!load(&s, samples[i]))
            return;
        request = request_of(&s);
        EXPECT_INT(s.name, verify_block(&report, &request, NULL), 0);
        EXPECT_U64(s.name, report.findings_n, 0);
        EXPECT_TRUE(s.name, verify_report_complete(&report));
        EXPECT_U64(s.name, report.scripts_n, report.inputs_n);
        EXPECT_INT(s.name, report.fees_sat, fees_in_index(s.name));
        verify_report_clear(&report);
        unload(&s);
    }
}

static void each_given_prevouts_file_is_a_sample(void)
{
    const char *path = test_data_path("blocks");
    struct dirent *entry;
    size_t n = 0;
    DIR *folder;

    if (path == NULL) {
        test_skip("no ASSAY_DATA");
        return;
    }
    folder = opendir(path);
    CHECK(folder != NULL);
    while ((entry = readdir(folder)) != NULL)
        n += strstr(entry->d_name, ".undo.raw") != NULL;
    (void)closedir(folder);
    EXPECT_U64("samples", ARRAY_LEN(samples), n);
}

/* What a byte of a block belongs to. */
enum part { PART_HEADER, PART_COUNT, PART_BASE, PART_WITNESS };

static enum part part_of(const struct block *block, size_t at)
{
    const uint8_t *p = block->raw.data + at;

    if (at < HEADER_BYTES)
        return PART_HEADER;
    for (uint32_t i = 0; i < block->tx_n; i++) {
        const struct tx *tx = &block->tx[i];
        const uint8_t *end = tx->raw.data + tx->raw.len;

        if (p >= tx->raw.data && p < end)
            return p >= tx->body.data + tx->body.len && p < end - 4 ? PART_WITNESS : PART_BASE;
    }
    return PART_COUNT;
}

/* Every byte of small blocks, one bit each. */
static void flipped_bits_are_found_as_they_stand(void)
{
    static const char *const names[] = {"mainnet_170", "mainnet_183", "mainnet_542213",
                                        "mainnet_553724"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct verify_request request;
        struct verify_report report;
        struct arena arena;
        struct block block;
        struct sample s;
        struct buf original = {0};
        unsigned parsed = 0;

        if (!load(&s, names[i]))
            return;
        buf_add(&original, s.block.data, s.block.len);
        arena_init(&arena);
        CHECK(block_read(&block, original.data, original.len, &arena) == 0);
        for (size_t at = 0; at < s.block.len; at++) {
            uint8_t bit = (uint8_t)(1U << test_random_below(8));
            enum part part = part_of(&block, at);
            char label[64];

            (void)snprintf(label, sizeof(label), "%s byte %zu bit %02x", names[i], at, bit);
            s.block.data[at] ^= bit;
            request = request_of(&s);
            if (verify_block(&report, &request, NULL) == 0) {
                parsed++;
                EXPECT_TRUE(label, report.findings_n > 0);
                if (part == PART_HEADER)
                    EXPECT_TRUE(label, found(&report, V_HIGH_HASH, UINT32_MAX));
                else if (part == PART_BASE)
                    EXPECT_TRUE(label, found(&report, V_BAD_MERKLE_ROOT, UINT32_MAX));
                else if (part == PART_WITNESS)
                    EXPECT_TRUE(label, found(&report, V_BAD_WITNESS_MERKLE, UINT32_MAX) ||
                                           found(&report, V_BAD_WITNESS_NONCE_SIZE, UINT32_MAX));
            }
            verify_report_clear(&report);
            s.block.data[at] ^= bit;
        }
        EXPECT_TRUE(names[i], parsed > s.block.len / 2);
        arena_clear(&arena);
        buf_clear(&original);
        unload(&s);
    }
}

/* A block taken apart, so that any field can be changed. */
struct parts {
    struct arena arena;
    struct block block;
    struct tx *tx;
    struct tx_in **in;
    struct tx_out **out;
};

static void take_apart(struct parts *p, const struct buf *bytes)
{
    arena_init(&p->arena);
    CHECK(block_read(&p->block, bytes->data, bytes->len, &p->arena) == 0);
    p->tx = arena_array(&p->arena, p->block.tx_n, sizeof(*p->tx));
    p->in = arena_array(&p->arena, p->block.tx_n, sizeof(*p->in));
    p->out = arena_array(&p->arena, p->block.tx_n, sizeof(*p->out));
    memcpy(p->tx, p->block.tx, p->block.tx_n * sizeof(*p->tx));
    for (uint32_t i = 0; i < p->block.tx_n; i++) {
        p->in[i] = arena_array(&p->arena, p->tx[i].in_n, sizeof(**p->in));
        p->out[i] = arena_array(&p->arena, p->tx[i].out_n, sizeof(**p->out));
        memcpy(p->in[i], p->tx[i].in, p->tx[i].in_n * sizeof(**p->in));
        memcpy(p->out[i], p->tx[i].out, p->tx[i].out_n * sizeof(**p->out));
        p->tx[i].in = p->in[i];
        p->tx[i].out = p->out[i];
    }
    p->block.tx = p->tx;
}

static uint8_t *writable(struct parts *p, struct span *span)
{
    uint8_t *copy = arena_alloc(&p->arena, span->len + 1);

    memcpy(copy, span->data, span->len);
    span->data = copy;
    return copy;
}

/* Ids, witness commitment and merkle root as they must be, then bytes again. */
static void make_good(struct parts *p, struct buf *ret_bytes)
{
    int64_t index;

    for (uint32_t i = 0; i < p->block.tx_n; i++)
        tx_finish(&p->tx[i], &p->arena);
    index = witness_commitment_index(&p->block);
    if (index >= 0 && p->in[0][0].witness_n == 1) {
        uint8_t *script = writable(p, &p->out[0][index].script_pubkey);

        witness_commitment_of(script + WITNESS_COMMITMENT_HEAD_BYTES, &p->block,
                              p->in[0][0].witness[0].data, &p->arena);
        tx_finish(&p->tx[0], &p->arena);
    }
    p->block.header.merkle_root = block_merkle_root(&p->block, NULL, &p->arena);
    ret_bytes->len = 0;
    header_write(buf_extend(ret_bytes, HEADER_BYTES), &p->block.header);
    write_compact_size(ret_bytes, p->block.tx_n);
    for (uint32_t i = 0; i < p->block.tx_n; i++)
        tx_write(ret_bytes, &p->tx[i], true);
}

/* Where the numbers of a signature lie in a script or witness item: DER or
 * Schnorr. false: there is none. */
static bool find_signature(struct span item, size_t *ret_at, size_t *ret_len)
{
    for (size_t i = 0; i + 9 < item.len; i++) {
        size_t r_len = item.data[i + 3];

        /* 30 len 02 r_len ... 02 s_len ... */
        if (item.data[i] != 0x30 || item.data[i + 2] != 2 || r_len < 28 || r_len > 33 ||
            i + 6 + r_len > item.len || item.data[i + 4 + r_len] != 2)
            continue;
        *ret_at = i + 4;
        *ret_len = r_len;
        return true;
    }
    *ret_at = 0;
    *ret_len = 64;
    return item.len == 64 || item.len == 65;
}

static bool damage_signature(struct parts *p, uint32_t tx, uint32_t in)
{
    struct tx_in *input = &p->in[tx][in];
    struct span *stack;
    size_t at;
    size_t len;

    if (find_signature(input->script_sig, &at, &len) && input->script_sig.len > 65) {
        writable(p, &input->script_sig)[at + test_random_below(len)] ^=
            (uint8_t)(1U << test_random_below(8));
        return true;
    }
    stack = arena_array(&p->arena, input->witness_n, sizeof(*stack));
    for (uint32_t k = 0; k < input->witness_n; k++)
        stack[k] = input->witness[k];
    for (uint32_t k = 0; k < input->witness_n; k++) {
        if (!find_signature(stack[k], &at, &len))
            continue;
        writable(p, &stack[k])[at + test_random_below(len)] ^=
            (uint8_t)(1U << test_random_below(8));
        input->witness = stack;
        return true;
    }
    return false;
}

static int64_t spent_by(const struct sample *s, const struct parts *p, uint32_t tx)
{
    struct reader r;
    int64_t sum_sat = 0;

    reader_init(&r, s->undo.data, s->undo.len);
    for (uint32_t i = 1; i <= tx; i++) {
        sum_sat = 0;
        for (uint32_t k = 0; k < p->tx[i].in_n; k++) {
            sum_sat += (int64_t)read_le64(&r);
            (void)read_var_bytes(&r);
        }
    }
    return sum_sat;
}

/* What changing an output's amount must lead to, in a transaction whose
 * signatures cover it. */
static enum verdict amount_oracle(const struct sample *s, const struct parts *p, uint32_t tx,
                                  uint32_t out)
{
    int64_t value_sat = p->out[tx][out].value_sat;
    int64_t total_sat = 0;

    if (value_sat < 0)
        return V_BAD_VOUT_NEGATIVE;
    if (value_sat > MONEY_MAX_SAT)
        return V_BAD_VOUT_TOOLARGE;
    for (uint32_t k = 0; k < p->tx[tx].out_n; k++)
        total_sat += p->out[tx][k].value_sat;
    if (total_sat > MONEY_MAX_SAT)
        return V_BAD_TXOUTTOTAL_TOOLARGE;
    if (tx == 0)
        return V_BAD_CB_AMOUNT;
    return total_sat > spent_by(s, p, tx) ? V_IN_BELOWOUT : V_SCRIPT_FAILED;
}

enum field {
    FIELD_SIGNATURE,
    FIELD_AMOUNT,
    FIELD_SCRIPT,
    FIELD_SEQUENCE,
    FIELD_PREVOUT,
    FIELD_VERSION,
    FIELD_LOCK_TIME,
    FIELD_COUNT
};

/* Change one bit; the verdict that must come of it, or V_VALID for nothing to
 * change here. */
static enum verdict damage(const struct sample *s, struct parts *p, enum field field, uint32_t tx,
                           uint32_t in)
{
    uint32_t out = (uint32_t)test_random_below(p->tx[tx].out_n);
    struct tx_out *output = &p->out[tx][out];

    switch (field) {
    case FIELD_SIGNATURE:
        return damage_signature(p, tx, in) ? V_SCRIPT_FAILED : V_VALID;
    case FIELD_AMOUNT:
        output->value_sat ^= INT64_C(1) << test_random_below(63);
        return amount_oracle(s, p, tx, out);
    case FIELD_SCRIPT:
        if (output->script_pubkey.len == 0)
            return V_VALID;
        writable(p, &output->script_pubkey)[test_random_below(output->script_pubkey.len)] ^=
            (uint8_t)(1U << test_random_below(8));
        return V_SCRIPT_FAILED;
    case FIELD_SEQUENCE:
        p->in[tx][in].sequence ^= 1U << test_random_below(32);
        return V_SCRIPT_FAILED;
    case FIELD_PREVOUT:
        p->in[tx][in].prevout.txid.b[test_random_below(32)] ^= 4;
        return V_SCRIPT_FAILED;
    case FIELD_VERSION:
        p->tx[tx].version ^= 1U << test_random_below(32);
        return V_SCRIPT_FAILED;
    case FIELD_LOCK_TIME:
        p->tx[tx].lock_time ^= 1U << test_random_below(32);
        return V_SCRIPT_FAILED;
    case FIELD_COUNT:
        break;
    }
    return V_VALID;
}

static void rules_answer_when_the_rest_is_made_good(void)
{
    static const char *const names[] = {"mainnet_170",    "mainnet_183",    "mainnet_116928",
                                        "mainnet_542213", "mainnet_553724", "mainnet_757753"};
    unsigned hits[FIELD_COUNT] = {0};

    for (size_t round = 0; round < 40 * ARRAY_LEN(names); round++) {
        enum field field = (enum field)(round % FIELD_COUNT);
        struct verify_request request;
        struct verify_report report;
        struct buf bytes = {0};
        struct parts p;
        struct sample s;
        enum verdict want;
        uint32_t tx;
        char label[96];

        if (!load(&s, names[round % ARRAY_LEN(names)]))
            return;
        buf_clear(&s.coins); /* Locks are not the question here. */
        take_apart(&p, &s.block);
        tx = 1 + (uint32_t)test_random_below(p.block.tx_n - 1);
        want = damage(&s, &p, field, tx, (uint32_t)test_random_below(p.tx[tx].in_n));
        make_good(&p, &bytes);
        (void)snprintf(label, sizeof(label), "%s tx %u field %d seed round %zu", s.name, tx,
                       (int)field, round);
        request = request_of(&s);
        request.block = span_of_buf(&bytes);
        request.skip_pow = true;
        EXPECT_INT(label, verify_block(&report, &request, NULL), 0);
        if (want != V_VALID) {
            EXPECT_TRUE(label, found(&report, want, tx));
            hits[field]++;
        }
        EXPECT_TRUE(label, !found(&report, V_BAD_MERKLE_ROOT, UINT32_MAX) &&
                               !found(&report, V_BAD_WITNESS_MERKLE, UINT32_MAX));
        verify_report_clear(&report);
        arena_clear(&p.arena);
        buf_clear(&bytes);
        unload(&s);
    }
    for (int i = 0; i < FIELD_COUNT; i++)
        EXPECT_TRUE("each field was damaged", hits[i] > 10);
}

/* Changes to header and coinbase of the first block with segwit, made good. */
static void change_nothing(struct parts *p, struct verify_request *r)
{
    (void)p;
    (void)r;
}

static void old_version(struct parts *p, struct verify_request *r)
{
    (void)r;
    p->block.header.version = 3;
}

static void too_old(struct parts *p, struct verify_request *r)
{
    r->has_prev_mtp = true;
    r->prev_mtp = p->block.header.time;
}

static void just_young_enough(struct parts *p, struct verify_request *r)
{
    r->has_prev_mtp = true;
    r->prev_mtp = p->block.header.time - 1;
}

static void a_satoshi_too_much(struct parts *p, struct verify_request *r)
{
    int64_t paid_sat = 0;

    for (uint32_t i = 0; i < p->tx[0].out_n; i++)
        paid_sat += p->out[0][i].value_sat;
    p->out[0][0].value_sat += 1250000000 + 212514269 - paid_sat + 1;
    (void)r;
}

static void all_there_is(struct parts *p, struct verify_request *r)
{
    a_satoshi_too_much(p, r);
    p->out[0][0].value_sat--;
}

static void another_height(struct parts *p, struct verify_request *r)
{
    writable(p, &p->in[0][0].script_sig)[1] ^= 1;
    (void)r;
}

static void long_coinbase(struct parts *p, struct verify_request *r)
{
    uint8_t *script = arena_alloc(&p->arena, 101);

    memset(script, 0, 101);
    memcpy(script, p->in[0][0].script_sig.data, 4);
    p->in[0][0].script_sig = span_of(script, 101);
    (void)r;
}

static void same_input_twice(struct parts *p, struct verify_request *r)
{
    p->in[2][0].prevout = p->in[1][0].prevout;
    (void)r;
}

static void other_network(struct parts *p, struct verify_request *r)
{
    (void)p;
    r->params = params_of(NETWORK_SIGNET);
}

static const struct {
    const char *label;
    void (*change)(struct parts *p, struct verify_request *r);
    enum verdict want;
} made_good_rows[] = {
    {"nothing", change_nothing, V_VALID},
    {"version 3", old_version, V_BAD_VERSION},
    {"time equal to the median", too_old, V_TIME_TOO_OLD},
    {"time a second later", just_young_enough, V_VALID},
    {"a satoshi over subsidy and fees", a_satoshi_too_much, V_BAD_CB_AMOUNT},
    {"subsidy and fees", all_there_is, V_VALID},
    {"another height", another_height, V_BAD_CB_HEIGHT},
    {"coinbase script of 101 bytes", long_coinbase, V_BAD_CB_LENGTH},
    {"an output spent twice", same_input_twice, V_INPUTS_MISSING_OR_SPENT},
    {"no signet solution", other_network, V_BAD_SIGNET_SOLUTION},
};

static void changed_blocks_break_the_rule_they_should(void)
{
    for (size_t i = 0; i < ARRAY_LEN(made_good_rows); i++) {
        const char *label = made_good_rows[i].label;
        struct verify_request request;
        struct verify_report report;
        struct buf bytes = {0};
        struct parts p;
        struct sample s;

        if (!load(&s, "mainnet_481824"))
            return;
        take_apart(&p, &s.block);
        request = request_of(&s);
        request.skip_pow = true;
        made_good_rows[i].change(&p, &request);
        make_good(&p, &bytes);
        request.block = span_of_buf(&bytes);
        EXPECT_INT(label, verify_block(&report, &request, NULL), 0);
        if (made_good_rows[i].want == V_VALID)
            EXPECT_U64(label, report.findings_n, 0);
        else
            EXPECT_TRUE(label, found(&report, made_good_rows[i].want, UINT32_MAX));
        verify_report_clear(&report);
        arena_clear(&p.arena);
        buf_clear(&bytes);
        unload(&s);
    }
}

/* Coins that say where outputs come from, for block 183 and its one input. */
static const struct {
    const char *label;
    const char *coins;
    int rc;
    enum verdict want;
} coin_rows[] = {
    {"as they are", "{\"height\": 182, \"coinbase\": false}\n", 0, V_VALID},
    {"a coinbase of depth 99", "{\"height\": 84, \"coinbase\": true}\n", 0, V_PREMATURE_SPEND},
    {"a coinbase of depth 100", "{\"height\": 83, \"coinbase\": true, \"mtp\": 5}", 0, V_VALID},
    {"none", "", E_LIMIT, V_VALID},
    {"two", "{\"height\": 1, \"coinbase\": true}\n{\"height\": 1, \"coinbase\": true}\n", E_LIMIT,
     V_VALID},
    {"no height", "{\"coinbase\": true}\n", E_MALFORMED, V_VALID},
    {"negative height", "{\"height\": -1, \"coinbase\": true}\n", E_MALFORMED, V_VALID},
    {"no truth", "{\"height\": 1, \"coinbase\": 1}\n", E_MALFORMED, V_VALID},
    {"no time", "{\"height\": 1, \"coinbase\": true, \"mtp\": 4294967296}\n", E_MALFORMED, V_VALID},
    {"no JSON", "height 1\n", E_MALFORMED, V_VALID},
};

static void coins_say_where_outputs_come_from(void)
{
    for (size_t i = 0; i < ARRAY_LEN(coin_rows); i++) {
        const char *label = coin_rows[i].label;
        struct verify_request request;
        struct verify_report report;
        struct sample s;

        if (!load(&s, "mainnet_183"))
            return;
        request = request_of(&s);
        request.coins = span_of_string(coin_rows[i].coins);
        EXPECT_INT(label, verify_block(&report, &request, NULL), coin_rows[i].rc);
        EXPECT_U64(label, report.findings_n, coin_rows[i].want == V_VALID ? 0 : 1);
        EXPECT_TRUE(label, coin_rows[i].want == V_VALID || found(&report, coin_rows[i].want, 1));
        verify_report_clear(&report);
        unload(&s);
    }
}

/* BIP 68 with the coins' ages: the only input of block 183's transaction, put at a
 * height where the rule holds. Its signature no longer fits; the lock is asked. */
static const struct {
    const char *label;
    uint32_t sequence;
    const char *coins;
    bool has_prev_mtp;
    bool nonfinal;
    bool unsure;
} lock_rows[] = {
    {"10 blocks, met", 10, "{\"height\": 499990, \"coinbase\": false}", false, false, false},
    {"10 blocks, not met", 10, "{\"height\": 499991, \"coinbase\": false}", false, true, false},
    {"512 s, met", 1 << 22 | 1, "{\"height\": 9, \"coinbase\": false, \"mtp\": 1231000000}", true,
     false, false},
    {"512 s, not met", 1 << 22 | 1, "{\"height\": 9, \"coinbase\": false, \"mtp\": 1231700000}",
     true, true, false},
    {"512 s, unknown coin", 1 << 22 | 1, "{\"height\": 9, \"coinbase\": false}", true, false, true},
    {"512 s, unknown parent", 1 << 22 | 1,
     "{\"height\": 9, \"coinbase\": false, \"mtp\": 1231700000}", false, false, true},
    {"512 s, its own block", 1 << 22 | 1, "{\"inblock\": true}", true, true, false},
    {"nothing, its own block", 1 << 22, "{\"inblock\": true}", true, false, false},
};

static void sequence_locks_are_judged_as_far_as_known(void)
{
    for (size_t i = 0; i < ARRAY_LEN(lock_rows); i++) {
        const char *label = lock_rows[i].label;
        struct verify_request request;
        struct verify_report report;
        struct buf bytes = {0};
        struct parts p;
        struct sample s;

        if (!load(&s, "mainnet_183"))
            return;
        take_apart(&p, &s.block);
        p.tx[1].version = 2;
        p.in[1][0].sequence = lock_rows[i].sequence;
        make_good(&p, &bytes);
        request = request_of(&s);
        request.block = span_of_buf(&bytes);
        request.skip_pow = true;
        request.height = 500000;
        request.has_prev_mtp = lock_rows[i].has_prev_mtp;
        request.prev_mtp = 1231700511;
        request.coins = span_of_string(lock_rows[i].coins);
        EXPECT_INT(label, verify_block(&report, &request, NULL), 0);
        EXPECT_INT(label, found(&report, V_BAD_TXNS_NONFINAL, 1), lock_rows[i].nonfinal);
        EXPECT_INT(label, strstr(buf_string(&report.unchecked), "sequence locks by time") != NULL,
                   lock_rows[i].unsure);
        verify_report_clear(&report);
        arena_clear(&p.arena);
        buf_clear(&bytes);
        unload(&s);
    }
}

static void bad_prevouts_are_errors(void)
{
    struct verify_request request;
    struct verify_report report;
    struct error err = {0};
    struct sample s;

    if (!load(&s, "mainnet_183"))
        return;
    request = request_of(&s);
    request.undo.len--;
    EXPECT_INT("cut", verify_block(&report, &request, &err), E_TRUNCATED);
    verify_report_clear(&report);
    buf_add_byte(&s.undo, 0);
    request.undo = span_of_buf(&s.undo);
    EXPECT_INT("a byte more", verify_block(&report, &request, &err), E_LIMIT);
    verify_report_clear(&report);
    request = request_of(&s);
    request.undo = (struct span){0};
    request.coins = (struct span){0};
    EXPECT_INT("none", verify_block(&report, &request, &err), 0);
    EXPECT_TRUE("none", !verify_report_complete(&report));
    EXPECT_U64("none", report.findings_n, 0);
    verify_report_clear(&report);
    request.block.len--;
    EXPECT_INT("block cut", verify_block(&report, &request, &err), E_TRUNCATED);
    verify_report_clear(&report);
    unload(&s);
}

/* The program itself: arguments and exit status. */
static const struct {
    const char *label;
    const char *arguments; /* %s: the folder of the blocks. */
    int status;
    const char *says; /* On either output. */
} program_rows[] = {
    {"help", "--help", 0, "Usage: assay-verify"},
    {"version", "--version", 0, "Report bugs: "},
    {"valid", "--chain=main --height=183 --prevouts=mainnet_183.undo.raw mainnet_183.raw", 0,
     "valid, as far as checked"},
    {"all given",
     "--chain=main --height=183 --prevouts=mainnet_183.undo.raw --prev-mtp=1231735142 "
     "--coins=mainnet_183.coins.jsonl --threads=2 - <mainnet_183.raw",
     0, "maturity of coinbase outputs"},
    {"coinbase alone", "--chain=main --height=1 mainnet_1.raw", 0, "0 scripts verified"},
    {"first block", "--chain=main --height=0 mainnet_0.raw", 0, "valid, as far as checked"},
    {"not the first block", "--chain=main --height=0 mainnet_1.raw", 1, "prev-blk-not-found"},
    {"no prevouts", "--chain=main --height=183 mainnet_183.raw", 2, "scripts were not checked"},
    {"wrong height", "--chain=main --height=500000 mainnet_1.raw", 1, "bad-version(0x00000001)"},
    {"wrong network", "--chain=signet --height=1 mainnet_1.raw", 1, "bad-signet-blksig"},
    {"no block", "--chain=main --height=1", 2, "missing 'BLOCKFILE'"},
    {"no chain", "--height=1 mainnet_1.raw", 2, "missing '--chain'"},
    {"unknown chain", "--chain=test5 --height=1 mainnet_1.raw", 2, "unknown chain 'test5'"},
    {"bad height", "--chain=main --height=1x mainnet_1.raw", 2, "not a height '1x'"},
    {"bad option", "--chain=main --height=1 --fast mainnet_1.raw", 2, "unknown option '--fast'"},
    {"two blocks", "--chain=main --height=1 mainnet_1.raw mainnet_2.raw", 2, "one block"},
    {"no such file", "--chain=main --height=1 nowhere", 2, "could not open 'nowhere'"},
    {"not a block", "--chain=main --height=1 INDEX.tsv", 2, "cannot be parsed"},
    {"coins alone", "--chain=main --height=1 --coins=x mainnet_1.raw", 2, "--prevouts"},
};

static void the_program_answers(void)
{
    const char *folder = test_data_path("blocks");
    char self[512];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    char *program;

    CHECK(len > 0);
    self[len] = '\0';
    program = alloc_printf("%.*s/../bin/assay-verify", (int)(strrchr(self, '/') - self), self);
    if (folder == NULL || access(program, X_OK) != 0) {
        test_skip("no ASSAY_DATA, or the program is not built");
        free(program);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(program_rows); i++) {
        char *command =
            alloc_printf("cd '%s' && '%s' %s 2>&1", folder, program, program_rows[i].arguments);
        char output[8192];
        FILE *pipe = popen(command, "r");
        size_t n;
        int status;

        CHECK(pipe != NULL);
        n = fread(output, 1, sizeof(output) - 1, pipe);
        output[n] = '\0';
        status = pclose(pipe);
        EXPECT_TRUE(program_rows[i].label, WIFEXITED(status));
        EXPECT_INT(program_rows[i].label, WEXITSTATUS(status), program_rows[i].status);
        EXPECT_TRUE(program_rows[i].label, strstr(output, program_rows[i].says) != NULL);
        free(command);
    }
    free(program);
}

TEST_LIST(TEST(real_blocks_are_accepted), TEST(each_given_prevouts_file_is_a_sample),
          TEST(flipped_bits_are_found_as_they_stand), TEST(rules_answer_when_the_rest_is_made_good),
          TEST(changed_blocks_break_the_rule_they_should), TEST(coins_say_where_outputs_come_from),
          TEST(sequence_locks_are_judged_as_far_as_known), TEST(bad_prevouts_are_errors),
          TEST(the_program_answers))
