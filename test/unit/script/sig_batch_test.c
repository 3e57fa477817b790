/* Inputs in a batch: verdicts known beforehand, whatever the scripts do with the
 * results of their checks; bounds and budgets. */
#include "script/sig_batch.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "crypto/secp.h"
#include "crypto/sigbatch_priv.h"
#include "script/build.h"
#include "script/sig_cache.h"
#include "script_text.h"

#define KEYS 4
#define INPUTS_MAX 600

static uint8_t seckeys[KEYS][32];
static struct span pubkeys[KEYS];
static uint8_t pubkey_bytes[KEYS][SECP_PUBKEY_BYTES];

/* A transaction under construction: each input spends a bare script. */
static struct stage {
    struct arena arena;
    struct tx tx;
    struct tx_in in[INPUTS_MAX];
    struct tx_out spent[INPUTS_MAX];
    struct tx_out out;
    struct ready_spend ready;
    uint32_t told_n[INPUTS_MAX];
    enum verdict told[INPUTS_MAX];
} stage;

static void begin(uint32_t inputs_n)
{
    static const uint8_t seed[32] = {9};

    CHECK(inputs_n <= INPUTS_MAX);
    secp_init(seed);
    (void)sigbatch_select(true);
    if (!sigbatch_has_lanes())
        CHECK(sigbatch_use(lanes_run_plain));
    for (size_t i = 0; i < KEYS; i++) {
        struct secp_pubkey pubkey;

        seckeys[i][31] = (uint8_t)(i + 101);
        seckeys[i][0] = 77;
        CHECK(secp_pubkey_of(&pubkey, seckeys[i]));
        secp_pubkey_write(pubkey_bytes[i], &pubkey);
        pubkeys[i] = span_of(pubkey_bytes[i], SECP_PUBKEY_BYTES);
    }
    memset(&stage, 0, sizeof(stage));
    arena_init(&stage.arena);
    for (uint32_t i = 0; i < inputs_n; i++) {
        stage.in[i].sequence = SEQUENCE_FINAL;
        stage.in[i].prevout.vout = i;
    }
    stage.tx =
        (struct tx){.version = 1, .in_n = inputs_n, .out_n = 1, .in = stage.in, .out = &stage.out};
    tx_finish(&stage.tx, &stage.arena);
    ready_spend_init(&stage.ready, &stage.tx, stage.spent, &stage.arena);
}

static void end(void)
{
    arena_clear(&stage.arena);
    CHECK(sigbatch_use(NULL));
    secp_clear();
}

static struct span keep(struct buf *buf)
{
    uint8_t *copy = arena_alloc(&stage.arena, buf->len + 1);
    struct span kept = span_of(copy, buf->len);

    if (buf->len > 0)
        memcpy(copy, buf->data, buf->len);
    buf_clear(buf);
    return kept;
}

/* A signature of key for input i, or one of another message. */
static struct span sign(uint32_t i, size_t key, bool is_good)
{
    uint8_t *der = arena_alloc(&stage.arena, SECP_DER_BYTES_MAX + 1);
    struct script_code code = {.bytes = stage.spent[i].script_pubkey};
    struct sighash_input input;
    struct ecdsa_sig sig;
    uint8_t hash[32];
    size_t len;

    sighash_input_init(&input, &stage.ready.cache, i);
    sighash_legacy(&input, hash, &code, 1);
    hash[7] ^= !is_good;
    CHECK(ecdsa_sign(&sig, hash, seckeys[key], false));
    len = ecdsa_sig_write(der, &sig);
    der[len] = 1;
    return span_of(der, len + 1);
}

static void note(void *context, void *tag, uint32_t in_index, enum verdict verdict)
{
    (void)context;
    EXPECT_TRUE("tag", tag == &stage.told[in_index]);
    stage.told_n[in_index]++;
    stage.told[in_index] = verdict;
}

/* All inputs through one batch, which settles when it likes and every `settle`
 * inputs; each verdict must come once and be the exact one. */
static void run(const char *label, uint32_t settle)
{
    struct sig_batch *batch = sig_batch_new(note, NULL);

    memset(stage.told_n, 0, sizeof(stage.told_n));
    for (uint32_t i = 0; i < stage.tx.in_n; i++) {
        sig_batch_input(batch, &stage.ready.spend, i, 0, &stage.told[i]);
        if (settle != 0 && i % settle == settle - 1)
            sig_batch_settle(batch);
    }
    sig_batch_settle(batch);
    EXPECT_U64(label, sig_batch_waiting(batch), 0);
    sig_batch_free(batch);
    for (uint32_t i = 0; i < stage.tx.in_n; i++) {
        EXPECT_U64(label, stage.told_n[i], 1);
        EXPECT_STR(label, verdict_text(stage.told[i]),
                   verdict_text(script_verify_input(&stage.ready.spend, i, 0)));
    }
}

static uint64_t seen_by_lanes(void)
{
    struct sigbatch_stats stats = sigbatch_stats();

    return stats.lanes + stats.again + stats.tried;
}

/* With a cache that knows nothing of the inputs, as many checks go to the lanes as
 * without; with one that knows every good pair, no good input's do. The verdicts stay. */
static void run_with_cache(const char *label, const bool *wanted, uint64_t seen_without)
{
    static const uint8_t salt[SIG_CACHE_SALT_BYTES] = {5};
    struct sig_cache *cache = sig_cache_new(1 << 16, salt);
    struct spend *spend = &stage.ready.spend;
    bool all_wanted = true;
    uint64_t seen[2];

    EXPECT_TRUE(label, sig_cache_is_empty(cache));
    for (uint32_t i = 0; i < stage.tx.in_n; i++)
        all_wanted = all_wanted && wanted[i];
    for (int is_known = 0; is_known < 2; is_known++) {
        spend->sig_cache = cache;
        spend->sig_cache_store = is_known != 0;
        for (uint32_t i = 0; i < stage.tx.in_n && is_known; i++)
            EXPECT_INT(label, script_verify_input(spend, i, 0) == V_VALID, wanted[i]);
        EXPECT_INT(label, sig_cache_is_empty(cache), is_known == 0);
        spend->sig_cache_store = false;
        seen[is_known] = seen_by_lanes();
        run(label, 16);
        seen[is_known] = seen_by_lanes() - seen[is_known];
        for (uint32_t i = 0; i < stage.tx.in_n; i++)
            EXPECT_INT(label, stage.told[i] == V_VALID, wanted[i]);
    }
    EXPECT_U64(label, seen[0], seen_without);
    EXPECT_TRUE(label, seen[1] <= seen_without);
    if (all_wanted)
        EXPECT_U64(label, seen[1], 0);
    spend->sig_cache = NULL;
    sig_cache_free(cache);
}

/* Every way to fill s places with signatures of k keys: it is valid just when the keys
 * are in their order. */
static void multisigs_in_every_order(void)
{
    for (uint32_t keys_n = 1; keys_n <= KEYS; keys_n++) {
        for (uint32_t sigs_n = 1; sigs_n <= keys_n; sigs_n++) {
            bool wanted[INPUTS_MAX];
            uint32_t ways = 1;
            uint64_t seen;
            char label[32];

            for (uint32_t k = 0; k < sigs_n; k++)
                ways *= keys_n;
            begin(ways);
            (void)snprintf(label, sizeof(label), "%u of %u", sigs_n, keys_n);
            for (uint32_t i = 0; i < ways; i++) {
                struct buf script = {0};
                struct buf script_sig = {0};
                size_t last = 0;

                script_add_multisig(&script, sigs_n, pubkeys, keys_n);
                stage.spent[i].script_pubkey = keep(&script);
                script_add_op(&script_sig, OP_0);
                wanted[i] = true;
                for (uint32_t k = 0, rest = i; k < sigs_n; k++, rest /= keys_n) {
                    size_t key = rest % keys_n;

                    wanted[i] = wanted[i] && (k == 0 || key > last);
                    last = key;
                    script_add_push(&script_sig, sign(i, key, true));
                }
                stage.in[i].script_sig = keep(&script_sig);
            }
            seen = seen_by_lanes();
            run(label, 16);
            seen = seen_by_lanes() - seen;
            for (uint32_t i = 0; i < ways; i++)
                EXPECT_INT(label, stage.told[i] == V_VALID, wanted[i]);
            run_with_cache(label, wanted, seen);
            end();
        }
    }
}

/* Scripts that go on after a failed check. A and B are signatures, in script_sig;
 * a and b the keys. Which of the four outcomes (A good: 1, B good: 2) are valid? */
static const struct {
    const char *script;
    uint8_t valid; /* Bit outcome. */
} flows[] = {
    {"a CHECKSIGVERIFY b CHECKSIG", 0x8},
    {"a CHECKSIGVERIFY b CHECKSIG NOT", 0x2},
    {"a CHECKSIG NOT VERIFY b CHECKSIG", 0x4},
    {"a CHECKSIG SWAP b CHECKSIG BOOLOR", 0xe},
    {"a CHECKSIG SWAP b CHECKSIG BOOLAND NOT", 0x7},
    {"a CHECKSIG SWAP b CHECKSIG NUMEQUAL", 0x9},
    {"a CHECKSIG IF b CHECKSIG ELSE DROP 1 ENDIF", 0xd},
    {"a CHECKSIG IF DROP 1 ELSE b CHECKSIG ENDIF", 0xe},
    {"a CHECKSIG IF b CHECKSIG NOT ELSE b CHECKSIG ENDIF", 0x6},
    {"a CHECKSIG NOTIF RETURN ENDIF b CHECKSIG DROP 1", 0xa},
    {"a CHECKSIG DROP b CHECKSIG DROP 1", 0xf},
    {"a CHECKSIG DROP b CHECKSIG DROP 0", 0x0},
    {"a CHECKSIG SWAP b CHECKSIG ADD 2 NUMEQUAL", 0x8},
    {"a CHECKSIG SWAP b CHECKSIG ADD 1 NUMEQUAL", 0x6},
    {"a CHECKSIG SWAP b CHECKSIG ADD 0 NUMEQUAL", 0x1},
    {"a SWAP DROP DROP b CHECKSIG", 0xc},
    {"TOALTSTACK 0 FROMALTSTACK 1 a 1 CHECKMULTISIG NOT VERIFY b CHECKSIG", 0x4},
    {"a 2DROP 0 SWAP 1 a b 2 CHECKMULTISIG", 0xc},
};

static struct span flow_script(const char *text)
{
    struct buf script = {0};

    for (const char *at = text; *at != '\0';) {
        size_t len = strcspn(at, " ");
        char word[32];

        (void)snprintf(word, sizeof(word), "%.*s", (int)len, at);
        if (len == 1 && (*at == 'a' || *at == 'b'))
            script_add_push(&script, pubkeys[*at - 'a']);
        else
            script_from_text(&script, word);
        at += len + (at[len] == ' ');
    }
    return keep(&script);
}

static void scripts_that_go_on_after_a_failure(void)
{
    begin(4 * ARRAY_LEN(flows));
    for (uint32_t i = 0; i < stage.tx.in_n; i++) {
        struct buf script_sig = {0};

        stage.spent[i].script_pubkey = flow_script(flows[i / 4].script);
        script_add_push(&script_sig, sign(i, 1, (i & 2) != 0));
        script_add_push(&script_sig, sign(i, 0, (i & 1) != 0));
        stage.in[i].script_sig = keep(&script_sig);
    }
    for (uint32_t settle = 0; settle < 7; settle += 3) {
        run("flows", settle);
        for (uint32_t i = 0; i < stage.tx.in_n; i++)
            EXPECT_INT(flows[i / 4].script, stage.told[i] == V_VALID,
                       flows[i / 4].valid >> (i % 4) & 1);
    }
    end();
}

/* Valid only if the signature is not: each evaluation in the batch is in vain. */
static void vain_inputs_lose_trust_and_good_ones_earn_it(void)
{
    uint64_t before;
    uint64_t vain;

    begin(INPUTS_MAX);
    for (uint32_t i = 0; i < stage.tx.in_n; i++) {
        struct buf script_sig = {0};

        stage.spent[i].script_pubkey = flow_script(i < 300 ? "a CHECKSIG NOT" : "a CHECKSIG");
        script_add_push(&script_sig, sign(i, 0, i >= 300));
        stage.in[i].script_sig = keep(&script_sig);
    }
    before = seen_by_lanes();
    stage.tx.in_n = 300;
    run("in vain", 0);
    for (uint32_t i = 0; i < 300; i++)
        EXPECT_INT("in vain", stage.told[i], V_VALID);
    vain = seen_by_lanes() - before;
    EXPECT_TRUE("budget", vain < 100);
    /* The same batch again and again: first 300 in vain, then good ones. */
    stage.tx.in_n = INPUTS_MAX;
    before = seen_by_lanes();
    run("recovering", 0);
    EXPECT_TRUE("earned again", seen_by_lanes() - before > 100);
    end();
}

static void many_checks_in_one_input(void)
{
    static const uint32_t checks[] = {1, 63, 64, 65, 90};

    begin(2 * ARRAY_LEN(checks));
    for (uint32_t i = 0; i < stage.tx.in_n; i++) {
        struct buf script = {0};
        struct buf script_sig = {0};

        for (uint32_t k = 1; k < checks[i / 2]; k++) {
            script_add_op(&script, OP_DUP);
            script_add_push(&script, pubkeys[0]);
            script_add_op(&script, OP_CHECKSIGVERIFY);
        }
        script_add_push(&script, pubkeys[0]);
        script_add_op(&script, OP_CHECKSIG);
        stage.spent[i].script_pubkey = keep(&script);
        script_add_push(&script_sig, sign(i, 0, i % 2 == 0));
        stage.in[i].script_sig = keep(&script_sig);
    }
    run("many checks", 0);
    for (uint32_t i = 0; i < stage.tx.in_n; i++)
        EXPECT_INT("many checks", stage.told[i] == V_VALID, i % 2 == 0);
    end();
}

/* Four checks each, so that the items run over in the midst of inputs. */
static void more_inputs_than_a_batch_holds(void)
{
    uint32_t bad = 0;

    begin(400);
    for (uint32_t i = 0; i < stage.tx.in_n; i++) {
        struct buf script_sig = {0};

        stage.spent[i].script_pubkey =
            flow_script("a CHECKSIGVERIFY b CHECKSIGVERIFY a CHECKSIGVERIFY b CHECKSIG");
        for (uint32_t k = 4; k-- > 0;)
            script_add_push(&script_sig, sign(i, k & 1, i % 59 != 58 || k != i % 4));
        stage.in[i].script_sig = keep(&script_sig);
    }
    for (uint32_t settle = 0; settle < 100; settle += 33) {
        run("many inputs", settle);
        for (uint32_t i = 0; i < stage.tx.in_n; i++) {
            EXPECT_INT("many inputs", stage.told[i] != V_VALID, i % 59 == 58);
            bad += stage.told[i] != V_VALID;
        }
    }
    EXPECT_U64("bad ones", bad, UINT64_C(4) * (400 / 59));
    end();
}

/* Without lanes nothing waits. */
static void without_lanes_inputs_are_told_at_once(void)
{
    struct sig_batch *batch;
    struct buf script_sig = {0};

    begin(1);
    CHECK(sigbatch_use(NULL));
    stage.spent[0].script_pubkey = flow_script("a CHECKSIG");
    script_add_push(&script_sig, sign(0, 0, true));
    stage.in[0].script_sig = keep(&script_sig);
    batch = sig_batch_new(note, NULL);
    sig_batch_input(batch, &stage.ready.spend, 0, 0, &stage.told[0]);
    EXPECT_U64("told", stage.told_n[0], 1);
    EXPECT_INT("valid", stage.told[0], V_VALID);
    sig_batch_free(batch);
    end();
}

TEST_LIST(TEST(multisigs_in_every_order), TEST(scripts_that_go_on_after_a_failure),
          TEST(vain_inputs_lose_trust_and_good_ones_earn_it), TEST(many_checks_in_one_input),
          TEST(more_inputs_than_a_batch_holds), TEST(without_lanes_inputs_are_told_at_once))
