/* Real blocks with the outputs they spend, input by input: a batch and the exact way
 * give equal verdicts, for the blocks as they are and with bits flipped. */
#include <dirent.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "crypto/sigbatch_priv.h"
#include "primitives/block.h"
#include "script/sig_batch.h"
#include "script_text.h"

/* A share of a block's transactions, so that the test stays short. */
#define TXS_PER_BLOCK 150

struct tally {
    uint64_t inputs;
    uint64_t valid;
};

static void note(void *context, void *tag, uint32_t in_index, enum verdict verdict)
{
    (void)context;
    ((enum verdict *)tag)[in_index] = verdict;
}

/* All rules of today, also for blocks older than they are: what is asked is whether
 * both ways agree. */
static const uint64_t rules = SCRIPT_VERIFY(P2SH) | SCRIPT_VERIFY(DERSIG) |
                              SCRIPT_VERIFY(NULLDUMMY) | SCRIPT_VERIFY(CHECKLOCKTIMEVERIFY) |
                              SCRIPT_VERIFY(CHECKSEQUENCEVERIFY) | SCRIPT_VERIFY(WITNESS) |
                              SCRIPT_VERIFY(TAPROOT);

static void compare_tx(const struct tx *tx, const struct tx_out *spent, const char *label,
                       struct tally *tally, struct arena *arena)
{
    enum verdict *told = arena_array(arena, tx->in_n, sizeof(*told));
    struct sig_batch *batch = sig_batch_new(note, NULL);
    struct ready_spend ready;

    ready_spend_init(&ready, tx, spent, arena);
    /* Again and again, so that a transaction of one input fills lanes, too. */
    for (uint32_t i = 0; i < 4 * tx->in_n; i++)
        sig_batch_input(batch, &ready.spend, i % tx->in_n, rules, told);
    sig_batch_settle(batch);
    sig_batch_free(batch);
    for (uint32_t i = 0; i < tx->in_n; i++) {
        enum verdict want = script_verify_input(&ready.spend, i, rules);

        EXPECT_INT(label, told[i], want);
        tally->inputs++;
        tally->valid += want == V_VALID;
    }
}

/* One bit of one script_sig or witness item is another one. */
static void flip_bit(struct tx *tx, struct arena *arena)
{
    struct tx_in *in = arena_array(arena, tx->in_n, sizeof(*in));
    struct tx_in *hit = &in[test_random_below(tx->in_n)];
    struct span *target = &hit->script_sig;
    uint8_t *copy;

    memcpy(in, tx->in, tx->in_n * sizeof(*in));
    if (hit->witness_n > 0) {
        struct span *items = arena_array(arena, hit->witness_n, sizeof(*items));

        memcpy(items, hit->witness, hit->witness_n * sizeof(*items));
        target = &items[test_random_below(hit->witness_n)];
        hit->witness = items;
    }
    tx->in = in;
    if (target->len == 0)
        return;
    copy = arena_alloc(arena, target->len);
    memcpy(copy, target->data, target->len);
    copy[test_random_below(target->len)] ^= (uint8_t)(1U << test_random_below(8));
    target->data = copy;
}

static void compare_block(const char *raw_path, const char *undo_path, const char *label,
                          struct tally *real, struct tally *flipped)
{
    struct buf raw = {0};
    struct buf undo = {0};
    struct block block;
    struct arena arena;
    struct arena scratch;
    struct reader r;

    CHECK(test_read_file(&raw, raw_path) && test_read_file(&undo, undo_path));
    arena_init(&arena);
    arena_init(&scratch);
    CHECK(block_read(&block, raw.data, raw.len, &arena) == 0);
    reader_init(&r, undo.data, undo.len);
    for (uint32_t t = 1; t < block.tx_n; t++) {
        struct tx tx = block.tx[t];
        struct tx_out *spent = arena_array(&scratch, tx.in_n, sizeof(*spent));

        for (uint32_t i = 0; i < tx.in_n; i++) {
            spent[i].value_sat = (int64_t)read_le64(&r);
            spent[i].script_pubkey = read_var_bytes(&r);
        }
        if (test_random_below(block.tx_n) < TXS_PER_BLOCK && tx.in_n <= 200) {
            compare_tx(&tx, spent, label, real, &scratch);
            flip_bit(&tx, &scratch);
            compare_tx(&tx, spent, label, flipped, &scratch);
        }
        arena_reset(&scratch);
    }
    EXPECT_INT(label, r.rc, 0);
    EXPECT_U64(label, r.left, 0);
    arena_clear(&scratch);
    arena_clear(&arena);
    buf_clear(&undo);
    buf_clear(&raw);
}

static void both_ways_agree_on_real_blocks(void)
{
    const char *folder = test_data_path("blocks/INDEX.tsv");
    struct tally real = {0};
    struct tally flipped = {0};
    struct dirent *entry;
    char *path;
    DIR *blocks;

    if (folder == NULL) {
        test_skip("no ASSAY_DATA");
        return;
    }
    if (strcmp(sigbatch_select(true), "avx512-ifma") != 0)
        CHECK(sigbatch_use(lanes_run_plain));
    path = alloc_printf("%.*s", (int)(strlen(folder) - strlen("INDEX.tsv")), folder);
    blocks = opendir(path);
    CHECK(blocks != NULL);
    while ((entry = readdir(blocks)) != NULL) {
        char *end = strstr(entry->d_name, ".undo.raw");

        if (end != NULL) {
            char *undo = alloc_printf("%s%s", path, entry->d_name);
            char *raw = alloc_printf("%s%.*s.raw", path, (int)(end - entry->d_name), entry->d_name);

            compare_block(raw, undo, entry->d_name, &real, &flipped);
            free(raw);
            free(undo);
        }
    }
    (void)closedir(blocks);
    free(path);
    EXPECT_TRUE("inputs", real.inputs > 2000);
    EXPECT_TRUE("real ones are valid", real.valid > real.inputs - real.inputs / 50);
    EXPECT_TRUE("flipped ones often not", flipped.valid < flipped.inputs - flipped.inputs / 10);
    (void)printf("%" PRIu64 " inputs, %" PRIu64 " with a bit flipped beside them\n", real.inputs,
                 flipped.inputs);
    CHECK(sigbatch_use(NULL));
}

TEST_LIST(TEST(both_ways_agree_on_real_blocks))
