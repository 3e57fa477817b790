/* The engine that remembers: each question reaches the inner engine once, and no answer is
 * ever given to another question. */
#include "script/sig_memo.h"

#include "test.h"

struct counting {
    struct sig_engine engine;
    unsigned asked_n;
};

/* Answers by the question itself, so that a mixed-up answer shows. */
static bool answer_of(const uint8_t *hash)
{
    return hash[0] % 2 != 0;
}

static bool count_ecdsa(const struct sig_engine *engine, struct span pubkey, struct span sig,
                        const uint8_t *hash)
{
    (void)pubkey;
    (void)sig;
    ((struct counting *)engine->context)->asked_n++;
    return answer_of(hash);
}

static bool count_schnorr(const struct sig_engine *engine, const uint8_t *pubkey,
                          const uint8_t *sig, const uint8_t *hash)
{
    (void)pubkey;
    (void)sig;
    ((struct counting *)engine->context)->asked_n++;
    return answer_of(hash);
}

static bool count_tweak(const struct sig_engine *engine, const uint8_t *output_key, bool odd,
                        const uint8_t *internal_key, const uint8_t *tweak)
{
    (void)output_key;
    (void)internal_key;
    ((struct counting *)engine->context)->asked_n++;
    return answer_of(tweak) != odd;
}

static void counting_init(struct counting *counting)
{
    *counting = (struct counting){.engine = {.ecdsa = count_ecdsa,
                                             .schnorr = count_schnorr,
                                             .tweak = count_tweak,
                                             .context = counting}};
}

static void each_question_once(void)
{
    struct counting counting;
    struct sig_memo *memo;
    const struct sig_engine *engine;
    uint8_t key[33] = {2}, sig[600] = {0x30}, hash[32] = {0};

    counting_init(&counting);
    memo = sig_memo_new(&counting.engine);
    engine = sig_memo_engine(memo);
    for (unsigned round = 0; round < 3; round++) {
        for (uint8_t i = 0; i < 40; i++) {
            hash[0] = i;
            EXPECT_INT("ecdsa", engine->ecdsa(engine, span_of(key, 33), span_of(sig, 70), hash),
                       i % 2);
            EXPECT_INT("schnorr", engine->schnorr(engine, key, sig, hash), i % 2);
            EXPECT_INT("even", engine->tweak(engine, key, false, sig, hash), i % 2);
            EXPECT_INT("odd", engine->tweak(engine, key, true, sig, hash), 1 - i % 2);
        }
        EXPECT_U64("each once", counting.asked_n, 160);
    }
    sig_memo_reset(memo);
    EXPECT_TRUE("anew", engine->schnorr(engine, key, sig, hash));
    EXPECT_U64("asked again", counting.asked_n, 161);
    /* Too long to be remembered. */
    for (unsigned round = 0; round < 2; round++)
        EXPECT_TRUE("long", engine->ecdsa(engine, span_of(key, 33), span_of(sig, 600), hash));
    EXPECT_U64("each time", counting.asked_n, 163);
    sig_memo_free(memo);
}

/* Whatever byte or length differs, it is another question. */
static void all_of_it_counts(void)
{
    struct counting counting;
    struct sig_memo *memo;
    const struct sig_engine *engine;
    uint8_t key[65] = {4}, sig[73] = {0x30}, hash[32] = {1};
    unsigned want = 0;

    counting_init(&counting);
    memo = sig_memo_new(&counting.engine);
    engine = sig_memo_engine(memo);
    for (unsigned at = 0; at < 32; at++) {
        uint8_t *const places[] = {&key[at], &sig[at], &hash[at]};

        for (size_t p = 0; p < ARRAY_LEN(places); p++) {
            *places[p] ^= 2;
            (void)engine->ecdsa(engine, span_of(key, 33), span_of(sig, 70), hash);
            EXPECT_U64("one byte", counting.asked_n, ++want);
            *places[p] ^= 2;
        }
    }
    for (size_t len = 60; len < 72; len++) {
        (void)engine->ecdsa(engine, span_of(key, 33), span_of(sig, len), hash);
        (void)engine->ecdsa(engine, span_of(key, 65), span_of(sig, len), hash);
        want += 2;
        EXPECT_U64("length", counting.asked_n, want);
    }
    sig_memo_free(memo);
}

/* More than it remembers: answers stay right. */
static void full(void)
{
    struct counting counting;
    struct sig_memo *memo;
    const struct sig_engine *engine;
    uint8_t key[33] = {2}, sig[64] = {0}, hash[32] = {0};

    counting_init(&counting);
    memo = sig_memo_new(&counting.engine);
    engine = sig_memo_engine(memo);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < SIG_MEMO_QUESTIONS + 50; i++) {
            hash[0] = (uint8_t)i;
            hash[1] = (uint8_t)(i >> 8);
            EXPECT_INT("answer", engine->schnorr(engine, key, sig, hash), i % 2);
        }
    }
    EXPECT_U64("those that found no room twice", counting.asked_n, SIG_MEMO_QUESTIONS + 100);
    sig_memo_free(memo);
}

TEST_LIST(TEST(each_question_once), TEST(all_of_it_counts), TEST(full))
