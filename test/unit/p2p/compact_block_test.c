#include "p2p/compact_block.h"

#include "base/alloc.h"
#include "codec/writer.h"
#include "crypto/sha256.h"
#include "primitives/merkle.h"
#include "test.h"

/* A block of tx_n random transactions, with its bytes and a counted copy of each. */
struct sample {
    struct arena arena;
    struct buf raw;
    struct block block;
    struct tx_ref **refs;
};

static void add_tx(struct buf *buf, bool is_coinbase)
{
    uint8_t script[60];
    size_t len = 2 + test_random_below(40);
    bool has_witness = test_random_below(2) == 0;
    uint8_t prevout[36];

    test_random_fill(script, sizeof(script));
    test_random_fill(prevout, sizeof(prevout));
    if (is_coinbase) {
        memset(prevout, 0, 32);
        memset(prevout + 32, 0xff, 4);
    }
    write_le32(buf, 2);
    if (has_witness)
        buf_add(buf, "\0\1", 2);
    write_compact_size(buf, 1);
    buf_add(buf, prevout, sizeof(prevout));
    write_var_bytes(buf, span_of(script, len));
    write_le32(buf, 0xffffffff);
    write_compact_size(buf, 1);
    write_le64(buf, 1000);
    write_var_bytes(buf, span_of(script + 3, len));
    if (has_witness) {
        write_compact_size(buf, 1);
        write_var_bytes(buf, span_of(script + 1, len));
    }
    write_le32(buf, 0);
}

static void sample_make(struct sample *sample, uint32_t tx_n)
{
    struct header header = {.version = 4, .time = 1700000000, .bits = 0x207fffff};

    memset(sample, 0, sizeof(*sample));
    arena_init(&sample->arena);
    header_write(buf_extend(&sample->raw, HEADER_BYTES), &header);
    write_compact_size(&sample->raw, tx_n);
    for (uint32_t i = 0; i < tx_n; i++)
        add_tx(&sample->raw, i == 0);
    CHECK(block_read(&sample->block, sample->raw.data, sample->raw.len, &sample->arena) == 0);
    header.merkle_root = block_merkle_root(&sample->block, NULL, &sample->arena);
    header_write(sample->raw.data, &header);
    CHECK(block_read(&sample->block, sample->raw.data, sample->raw.len, &sample->arena) == 0);
    sample->refs = alloc_array(tx_n, sizeof(struct tx_ref *));
    for (uint32_t i = 0; i < tx_n; i++)
        CHECK(tx_ref_read(&sample->refs[i], sample->block.tx[i].raw, NULL) == 0);
}

static void sample_clear(struct sample *sample)
{
    for (uint32_t i = 0; i < sample->block.tx_n; i++) {
        EXPECT_U64("nobody else holds it", atomic_load(&sample->refs[i]->holders), 1);
        tx_ref_drop(sample->refs[i]);
    }
    free(sample->refs);
    buf_clear(&sample->raw);
    arena_clear(&sample->arena);
}

/* The sample as its message, sent and read. */
static struct message_cmpctblock sent(struct sample *sample, const uint32_t *prefill, size_t n)
{
    struct message_cmpctblock message;
    struct buf buf = {0};
    uint8_t *copy;

    compact_block_write(&buf, &sample->block, test_random(), prefill, n);
    copy = arena_alloc(&sample->arena, buf.len);
    memcpy(copy, buf.data, buf.len);
    CHECK(message_read_cmpctblock(&message, span_of(copy, buf.len), &sample->arena, NULL) == 0);
    buf_clear(&buf);
    return message;
}

/* Sizes, what is prefilled, what is known at random: the block's bytes come back. */
static void blocks_come_back(void)
{
    for (int round = 0; round < 300; round++) {
        struct sample sample;
        struct message_cmpctblock message;
        struct compact_block *partial = NULL;
        struct message_getblocktxn asked;
        struct message_getblocktxn asked_read;
        struct message_blocktxn answer;
        struct buf buf = {0};
        struct buf block = {0};
        uint32_t prefill[64];
        size_t prefill_n = 0;
        uint32_t missing_n = 0;
        uint32_t tx_n = 1 + (uint32_t)test_random_below(60);
        uint64_t known_of_8 = test_random_below(9);
        bool is_more;

        sample_make(&sample, tx_n);
        for (uint32_t i = 1; i < tx_n; i++)
            if (test_random_below(5) == 0)
                prefill[prefill_n++] = i;
        message = sent(&sample, prefill, prefill_n);
        EXPECT_INT("new", compact_block_new(&partial, &message, test_random()), COMPACT_OK);
        EXPECT_U64("all", compact_block_tx_n(partial), tx_n);
        EXPECT_U64("prefilled", compact_block_prefilled_n(partial), prefill_n + 1);
        is_more = tx_n > prefill_n + 1;
        for (uint32_t i = tx_n; i-- > 0;)
            if (test_random_below(8) < known_of_8)
                is_more = compact_block_offer(partial, sample.refs[i]);
        missing_n = tx_n - compact_block_prefilled_n(partial) - compact_block_found_n(partial);
        EXPECT_INT("more wanted", is_more, missing_n > 0);

        compact_block_missing(partial, &asked, &sample.arena);
        EXPECT_U64("missing", asked.n, missing_n);
        message_write_getblocktxn(&buf, &asked);
        CHECK(message_read_getblocktxn(&asked_read, span_of_buf(&buf), &sample.arena, NULL) == 0);
        buf.len = 0;
        EXPECT_TRUE("answered", compact_block_answer(&buf, &sample.block, &asked_read));
        CHECK(message_read_blocktxn(&answer, span_of_buf(&buf), &sample.arena, NULL) == 0);
        EXPECT_BYTES("of", answer.block_hash.b, 32, sample.block.hash.b, 32);
        EXPECT_INT("fill", compact_block_fill(partial, answer.tx, answer.n, &block), COMPACT_OK);
        EXPECT_BYTES("block", block.data, block.len, sample.raw.data, sample.raw.len);
        if (answer.n > 0)
            EXPECT_INT("one too few", compact_block_fill(partial, answer.tx, answer.n - 1, &block),
                       COMPACT_INVALID);
        if (answer.n > 1) {
            struct tx swap = answer.tx[0];
            size_t before = block.len;

            answer.tx[0] = answer.tx[1];
            answer.tx[1] = swap;
            EXPECT_INT("wrong order", compact_block_fill(partial, answer.tx, answer.n, &block),
                       COMPACT_FAILED);
            EXPECT_U64("buf as before", block.len, before);
        }
        compact_block_free(partial);
        buf_clear(&buf);
        buf_clear(&block);
        sample_clear(&sample);
    }
}

static void bad_messages(void)
{
    struct sample sample;
    struct message_cmpctblock message;
    struct compact_block *partial = NULL;
    uint64_t kept;

    sample_make(&sample, 10);
    message = sent(&sample, NULL, 0);
    message.header.bits = 0;
    EXPECT_INT("no header", compact_block_new(&partial, &message, 1), COMPACT_INVALID);
    message = sent(&sample, NULL, 0);
    message.short_n = 0;
    message.prefilled_n = 0;
    EXPECT_INT("empty", compact_block_new(&partial, &message, 1), COMPACT_INVALID);
    message = sent(&sample, NULL, 0);
    message.prefilled[0].tx.in_n = 0;
    message.prefilled[0].tx.out_n = 0;
    EXPECT_INT("nothing prefilled", compact_block_new(&partial, &message, 1), COMPACT_INVALID);
    message = sent(&sample, NULL, 0);
    kept = message.short_id[3];
    message.short_id[3] = message.short_id[7];
    EXPECT_INT("one name twice", compact_block_new(&partial, &message, 1), COMPACT_FAILED);
    /* A wrong name: the transaction is missing, and another does not make the block. */
    message.short_id[3] = kept ^ 1;
    EXPECT_INT("new", compact_block_new(&partial, &message, 1), COMPACT_OK);
    for (uint32_t i = 0; i < 10; i++)
        EXPECT_TRUE("not all", compact_block_offer(partial, sample.refs[i]));
    EXPECT_U64("one missing", compact_block_found_n(partial), 8);
    {
        struct buf block = {0};

        EXPECT_INT("not it", compact_block_fill(partial, &sample.block.tx[5], 1, &block),
                   COMPACT_FAILED);
        EXPECT_INT("it", compact_block_fill(partial, &sample.block.tx[4], 1, &block), COMPACT_OK);
        buf_clear(&block);
    }
    compact_block_free(partial);
    sample_clear(&sample);
}

/* Two known transactions with one short name: neither is taken, and the block comes
 * together from what the peer sends. The names are made equal by hand. */
static void names_that_coincide(void)
{
    struct sample sample;
    struct sample other;
    struct message_cmpctblock message;
    struct compact_block *partial = NULL;
    struct message_getblocktxn asked;
    struct siphash_key key;
    struct buf block = {0};

    sample_make(&sample, 3);
    sample_make(&other, 2);
    message = sent(&sample, NULL, 0);
    EXPECT_INT("new", compact_block_new(&partial, &message, 5), COMPACT_OK);
    key = compact_key_of(&message.header, message.nonce);
    EXPECT_U64("name", compact_short_id(&key, &sample.refs[1]->tx.wtxid), message.short_id[0]);
    EXPECT_TRUE("taken", compact_block_offer(partial, sample.refs[1]));
    EXPECT_TRUE("again", compact_block_offer(partial, sample.refs[1]));
    EXPECT_U64("once", compact_block_found_n(partial), 1);
    EXPECT_TRUE("not it", compact_block_offer(partial, other.refs[1]));
    EXPECT_U64("once", compact_block_found_n(partial), 1);
    compact_block_free(partial);

    /* A message that claims the other's name for the place of transaction 1. */
    message.short_id[0] = compact_short_id(&key, &other.refs[1]->tx.wtxid);
    EXPECT_INT("new", compact_block_new(&partial, &message, 5), COMPACT_OK);
    EXPECT_TRUE("wrong one", compact_block_offer(partial, other.refs[1]));
    EXPECT_TRUE("all found", !compact_block_offer(partial, sample.refs[2]));
    compact_block_missing(partial, &asked, &sample.arena);
    EXPECT_U64("nothing missing", asked.n, 0);
    EXPECT_INT("but not the block", compact_block_fill(partial, NULL, 0, &block), COMPACT_FAILED);
    EXPECT_U64("nothing written", block.len, 0);
    compact_block_free(partial);
    buf_clear(&block);
    sample_clear(&sample);
    sample_clear(&other);
}

/* The second transaction of one name: found by trying, among names cut short. */
static void two_of_one_name(void)
{
    struct sample sample;
    struct message_cmpctblock message;
    struct compact_block *partial = NULL;
    struct message_getblocktxn asked;
    struct tx_ref *twin;

    sample_make(&sample, 3);
    message = sent(&sample, NULL, 0);
    CHECK(tx_ref_read(&twin, sample.block.tx[1].raw, NULL) == 0);
    EXPECT_INT("new", compact_block_new(&partial, &message, 5), COMPACT_OK);
    EXPECT_TRUE("taken", compact_block_offer(partial, sample.refs[1]));
    EXPECT_TRUE("a copy is the same", compact_block_offer(partial, twin));
    EXPECT_U64("found", compact_block_found_n(partial), 1);
    compact_block_free(partial);

    /* Its wtxid is looked up by name, compared by itself: change the latter after the
     * first was taken, as if another had the same name. */
    EXPECT_INT("new", compact_block_new(&partial, &message, 5), COMPACT_OK);
    EXPECT_TRUE("taken", compact_block_offer(partial, twin));
    twin->tx.wtxid.b[0] ^= 1;
    EXPECT_TRUE("ambiguous", compact_block_offer(partial, sample.refs[1]));
    EXPECT_U64("neither", compact_block_found_n(partial), 0);
    EXPECT_TRUE("nor a third", compact_block_offer(partial, sample.refs[1]));
    EXPECT_U64("neither", compact_block_found_n(partial), 0);
    compact_block_missing(partial, &asked, &sample.arena);
    EXPECT_U64("asked for", asked.n, 2);
    compact_block_free(partial);
    tx_ref_drop(twin);
    sample_clear(&sample);
}

static void answers_stay_in_the_block(void)
{
    struct sample sample;
    struct buf buf = {0};
    uint16_t index[2] = {1, 4};
    struct message_getblocktxn asked = {.n = 2, .index = index};

    sample_make(&sample, 5);
    EXPECT_TRUE("last", compact_block_answer(&buf, &sample.block, &asked));
    index[1] = 5;
    buf.len = 0;
    EXPECT_TRUE("behind it", !compact_block_answer(&buf, &sample.block, &asked));
    EXPECT_U64("nothing written", buf.len, 0);
    buf_clear(&buf);
    sample_clear(&sample);
}

TEST_LIST(TEST(blocks_come_back), TEST(bad_messages), TEST(names_that_coincide),
          TEST(two_of_one_name), TEST(answers_stay_in_the_block))
