/* What verifying an input costs besides the curves: CPU nanoseconds for each
 * standard kind, with an engine that answers true at once. Transactions of two
 * inputs and two outputs; the shared hashes of the transaction are counted in.
 * Also the worst legacy case: one transaction with thousands of old-style inputs.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/check.h"
#include "crypto/hash160.h"
#include "script/build.h"
#include "script/script.h"
#include "script/sig_engine.h"
#include "script/sighash.h"

#define LEAST_SECONDS 0.1
#define ROUNDS 5
#define INPUTS_MAX 5569U

static double cpu_seconds(void)
{
    struct timespec now;

    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static bool true_ecdsa(const struct sig_engine *engine, struct span pubkey, struct span sig,
                       const uint8_t *hash)
{
    (void)engine;
    (void)pubkey;
    (void)sig;
    (void)hash;
    return true;
}

static bool true_bytes(const struct sig_engine *engine, const uint8_t *pubkey, const uint8_t *sig,
                       const uint8_t *hash)
{
    (void)engine;
    (void)pubkey;
    (void)sig;
    (void)hash;
    return true;
}

static bool true_tweak(const struct sig_engine *engine, const uint8_t *output_key, bool odd,
                       const uint8_t *internal_key, const uint8_t *tweak)
{
    (void)engine;
    (void)output_key;
    (void)odd;
    (void)internal_key;
    (void)tweak;
    return true;
}

static const struct sig_engine true_engine = {
    .ecdsa = true_ecdsa, .schnorr = true_bytes, .tweak = true_tweak};

/* 30 45 02 21 .. 02 20 .. 01: the form of a good signature, type ALL. */
static struct span fake_sig(void)
{
    static uint8_t sig[72];

    sig[0] = 0x30;
    sig[1] = 69;
    sig[2] = 2;
    sig[3] = 33;
    sig[5] = 0x80;
    sig[37] = 2;
    sig[38] = 32;
    sig[39] = 1;
    sig[71] = SIGHASH_ALL;
    return span_of(sig, sizeof(sig));
}

static struct span fake_key(void)
{
    static uint8_t key[33] = {2, 1};

    return span_of(key, sizeof(key));
}

struct kind {
    const char *name;
    struct buf script_sig;
    struct buf script_pubkey;
    struct buf witness_script;
    struct span witness[4];
    uint32_t witness_n;
};

static void add_2_of_3(struct buf *script)
{
    struct span keys[3] = {fake_key(), fake_key(), fake_key()};

    script_add_multisig(script, 2, keys, 3);
}

static void make_p2pkh(struct kind *kind)
{
    uint8_t hash[20];

    kind->name = "P2PKH";
    hash160(hash, fake_key().data, 33);
    script_add_push(&kind->script_sig, fake_sig());
    script_add_push(&kind->script_sig, fake_key());
    script_add_p2pkh(&kind->script_pubkey, hash);
}

static void make_p2wpkh(struct kind *kind)
{
    uint8_t hash[20];

    kind->name = "P2WPKH";
    hash160(hash, fake_key().data, 33);
    script_add_witness_program(&kind->script_pubkey, 0, span_of(hash, 20));
    kind->witness[0] = fake_sig();
    kind->witness[1] = fake_key();
    kind->witness_n = 2;
}

static void make_p2tr(struct kind *kind)
{
    kind->name = "P2TR key path";
    script_add_witness_program(&kind->script_pubkey, 1, span_of(fake_key().data + 1, 32));
    kind->witness[0] = span_of(fake_sig().data, 64);
    kind->witness_n = 1;
}

static void make_p2sh_multisig(struct kind *kind)
{
    uint8_t hash[20];

    kind->name = "P2SH 2 of 3";
    add_2_of_3(&kind->witness_script);
    hash160(hash, kind->witness_script.data, kind->witness_script.len);
    script_add_op(&kind->script_sig, OP_0);
    script_add_push(&kind->script_sig, fake_sig());
    script_add_push(&kind->script_sig, fake_sig());
    script_add_push(&kind->script_sig, span_of_buf(&kind->witness_script));
    script_add_p2sh(&kind->script_pubkey, hash);
}

static void make_p2wsh_multisig(struct kind *kind)
{
    uint8_t hash[32];

    kind->name = "P2WSH 2 of 3";
    add_2_of_3(&kind->witness_script);
    sha256(hash, kind->witness_script.data, kind->witness_script.len);
    script_add_witness_program(&kind->script_pubkey, 0, span_of(hash, 32));
    kind->witness[1] = fake_sig();
    kind->witness[2] = fake_sig();
    kind->witness[3] = span_of_buf(&kind->witness_script);
    kind->witness_n = 4;
}

static void make_tapscript(struct kind *kind)
{
    static uint8_t control[33] = {0xc0, 2};

    kind->name = "P2TR script path, one key";
    script_add_push(&kind->witness_script, span_of(fake_key().data + 1, 32));
    script_add_op(&kind->witness_script, OP_CHECKSIG);
    script_add_witness_program(&kind->script_pubkey, 1, span_of(control + 1, 32));
    kind->witness[0] = span_of(fake_sig().data, 64);
    kind->witness[1] = span_of_buf(&kind->witness_script);
    kind->witness[2] = span_of(control, 33);
    kind->witness_n = 3;
}

/* A transaction whose inputs are all of one kind. */
static void make_tx(struct tx *tx, struct tx_in *in, struct tx_out *spent, const struct kind *kind,
                    uint32_t in_n, struct arena *arena)
{
    static struct tx_out out[2];

    for (uint32_t i = 0; i < 2; i++) {
        out[i].value_sat = 1000;
        out[i].script_pubkey = span_of_buf(&kind->script_pubkey);
    }
    for (uint32_t i = 0; i < in_n; i++) {
        in[i] = (struct tx_in){
            .prevout.vout = i,
            .script_sig = span_of_buf(&kind->script_sig),
            .sequence = SEQUENCE_FINAL,
            .witness = kind->witness,
            .witness_n = kind->witness_n,
        };
        spent[i] =
            (struct tx_out){.value_sat = 5000, .script_pubkey = span_of_buf(&kind->script_pubkey)};
    }
    *tx = (struct tx){.version = 2, .in_n = in_n, .in = in, .out_n = 2, .out = out};
    tx_finish(tx, arena);
}

static double ns_an_input(const struct kind *kind, uint32_t in_n)
{
    const uint64_t flags = SCRIPT_VERIFY(P2SH) | SCRIPT_VERIFY(DERSIG) | SCRIPT_VERIFY(NULLDUMMY) |
                           SCRIPT_VERIFY(CHECKLOCKTIMEVERIFY) | SCRIPT_VERIFY(CHECKSEQUENCEVERIFY) |
                           SCRIPT_VERIFY(WITNESS) | SCRIPT_VERIFY(TAPROOT);
    static struct tx_in in[INPUTS_MAX];
    static struct tx_out spent[INPUTS_MAX];
    struct sighash_cache cache;
    struct spend spend = {.spent = spent, .sighash = &cache, .engine = &true_engine};
    struct arena arena;
    struct arena scratch;
    struct tx tx;
    double best = 1e9;

    arena_init(&arena);
    arena_init(&scratch);
    make_tx(&tx, in, spent, kind, in_n, &arena);
    spend.tx = &tx;
    for (int round = 0; round < ROUNDS; round++) {
        double start = cpu_seconds();
        double seconds;
        uint64_t n = 0;

        do {
            arena_reset(&scratch);
            sighash_cache_init(&cache, &tx, spent, &scratch);
            for (uint32_t i = 0; i < in_n; i++)
                CHECK(script_verify_input(&spend, i, flags) == V_VALID);
            n += in_n;
            seconds = cpu_seconds() - start;
        } while (seconds < LEAST_SECONDS);
        best = MIN(best, seconds / (double)n * 1e9);
    }
    arena_clear(&arena);
    arena_clear(&scratch);
    return best;
}

int main(void)
{
    static void (*const makers[])(struct kind *) = {make_p2pkh,          make_p2wpkh,
                                                    make_p2tr,           make_p2sh_multisig,
                                                    make_p2wsh_multisig, make_tapscript};

    (void)printf("sha256: %s\n", sha256_select(true));
    for (size_t i = 0; i < ARRAY_LEN(makers); i++) {
        struct kind kind = {0};

        makers[i](&kind);
        (void)printf("%-26s %6.0f ns an input without curves\n", kind.name, ns_an_input(&kind, 2));
        if (i == 0)
            (void)printf("%-26s %6.0f ns an input without curves\n", "P2PKH, 5,569 inputs",
                         ns_an_input(&kind, INPUTS_MAX));
        buf_clear(&kind.script_sig);
        buf_clear(&kind.script_pubkey);
        buf_clear(&kind.witness_script);
    }
    return 0;
}
