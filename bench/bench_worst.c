/* Blocks made to be slow: microseconds a check when inputs go through batches
 * (script/sig_batch.h) and when each check is decided at once by libsecp256k1. The
 * batch may be quicker; what matters is that it is never much slower, whatever the
 * scripts do. CPU time, the least of several rounds, taken in turns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/check.h"
#include "crypto/secp.h"
#include "crypto/sha256.h"
#include "crypto/sigbatch.h"
#include "script/build.h"
#include "script/sig_batch.h"
#include "script/sighash.h"

#define ROUNDS 3
#define KEYS 20
#define LEAF_VERSION 0xc0

enum kind {
    REPEAT,        /* a checks of one signature, all good. */
    ONE_BAD,       /* a - 1 good checks and one that fails, as its script wants. */
    ALL_BAD,       /* a checks that fail, their results dropped. */
    MULTISIG,      /* a of b, by the keys that are tried first. */
    MULTISIG_LATE, /* By those that are tried last. */
    TAPSCRIPT,     /* One check in a leaf. */
};

static const struct scene {
    const char *name;
    enum kind kind;
    uint32_t a;
    uint32_t b;
    uint32_t inputs_n;
    bool is_last_bad; /* The last input is invalid. */
} scenes[] = {
    {"one check an input", REPEAT, 1, 0, 6000, false},
    {"one check, the last input invalid", REPEAT, 1, 0, 6000, true},
    {"60 checks an input", REPEAT, 60, 0, 120, false},
    {"100 checks an input", REPEAT, 100, 0, 80, false},
    {"one failing check an input", ONE_BAD, 1, 0, 6000, false},
    {"3 good, one failing check", ONE_BAD, 4, 0, 2000, false},
    {"63 good, one failing check", ONE_BAD, 64, 0, 120, false},
    {"64 failing checks, dropped", ALL_BAD, 64, 0, 120, false},
    {"one failing check, dropped", ALL_BAD, 1, 0, 6000, false},
    {"1 of 20, first key", MULTISIG, 1, 20, 4000, false},
    {"1 of 20, last key", MULTISIG_LATE, 1, 20, 400, false},
    {"20 of 20", MULTISIG, 20, 20, 300, false},
    {"1 of 5, first key", MULTISIG, 1, 5, 4000, false},
    {"2 of 3, first keys", MULTISIG, 2, 3, 3000, false},
    {"2 of 3, last keys", MULTISIG_LATE, 2, 3, 2000, false},
    {"8 of 15, first keys", MULTISIG, 8, 15, 700, false},
    {"tapscript, one check", TAPSCRIPT, 1, 0, 4000, false},
};

static uint8_t seckeys[KEYS][32];
static uint8_t pubkeys[KEYS][SECP_PUBKEY_BYTES];
static uint8_t xonly[32];

struct block {
    struct arena arena;
    struct tx tx;
    struct tx_in *in;
    struct tx_out *spent;
    struct tx_out out;
    struct sighash_cache cache;
    struct spend spend;
    uint32_t valid_n;
};

static void make_keys(void)
{
    for (size_t i = 0; i < KEYS; i++) {
        struct secp_pubkey pubkey;
        bool odd;

        seckeys[i][0] = 3;
        seckeys[i][31] = (uint8_t)(i + 1);
        CHECK(secp_pubkey_of(&pubkey, seckeys[i]));
        secp_pubkey_write(pubkeys[i], &pubkey);
        if (i == 0)
            secp_xonly_of(xonly, &odd, &pubkey);
    }
}

static struct span key(size_t i)
{
    return span_of(pubkeys[i], SECP_PUBKEY_BYTES);
}

static struct span keep(struct block *block, struct buf *buf)
{
    uint8_t *copy = arena_alloc(&block->arena, buf->len);
    struct span kept = span_of(copy, buf->len);

    memcpy(copy, buf->data, buf->len);
    buf_clear(buf);
    return kept;
}

static void add_check(struct buf *script, uint8_t op)
{
    script_add_push(script, key(0));
    script_add_op(script, op);
}

static struct span make_script(struct block *block, const struct scene *scene)
{
    struct span keys[KEYS];
    struct buf script = {0};

    for (size_t i = 0; i < KEYS; i++)
        keys[i] = key(i);
    switch (scene->kind) {
    case REPEAT:
    case ONE_BAD:
        for (uint32_t i = 1; i < scene->a; i++) {
            script_add_op(&script, OP_DUP);
            add_check(&script, OP_CHECKSIGVERIFY);
        }
        if (scene->kind == ONE_BAD)
            script_add_op(&script, OP_DROP);
        add_check(&script, OP_CHECKSIG);
        if (scene->kind == ONE_BAD)
            script_add_op(&script, OP_NOT);
        break;
    case ALL_BAD:
        for (uint32_t i = 0; i < scene->a; i++) {
            script_add_op(&script, OP_DUP);
            add_check(&script, OP_CHECKSIG);
            script_add_op(&script, OP_DROP);
        }
        break;
    case MULTISIG:
    case MULTISIG_LATE:
        script_add_multisig(&script, scene->a, keys, scene->b);
        break;
    case TAPSCRIPT:
        script_add_push(&script, span_of(xonly, 32));
        script_add_op(&script, OP_CHECKSIG);
        break;
    }
    return keep(block, &script);
}

static struct span sign_v0(struct block *block, uint32_t i, struct span script, size_t by,
                           bool is_good)
{
    struct script_code code = {.bytes = script};
    uint8_t *der = arena_alloc(&block->arena, SECP_DER_BYTES_MAX + 1);
    struct sighash_input input;
    struct ecdsa_sig sig;
    uint8_t hash[32];
    size_t len;

    sighash_input_init(&input, &block->cache, i);
    sighash_v0(&input, hash, &code, block->spent[i].value_sat, 1);
    hash[0] ^= !is_good;
    CHECK(ecdsa_sign(&sig, hash, seckeys[by], false));
    len = ecdsa_sig_write(der, &sig);
    der[len] = 1;
    return span_of(der, len + 1);
}

static void make_v0_witness(struct block *block, uint32_t i, const struct scene *scene,
                            struct span script)
{
    struct span *items = arena_array(&block->arena, KEYS + 3, sizeof(*items));
    bool is_good = !scene->is_last_bad || i + 1 < scene->inputs_n;
    uint32_t n = 0;

    switch (scene->kind) {
    case ONE_BAD:
        items[n++] = sign_v0(block, i, script, 0, false);
        items[n++] = sign_v0(block, i, script, 0, true);
        break;
    case MULTISIG:
    case MULTISIG_LATE:
        items[n++] = span_of(NULL, 0);
        for (uint32_t k = 0; k < scene->a; k++) {
            /* The key pushed last is tried first. */
            uint32_t by = scene->kind == MULTISIG ? scene->b - scene->a + k : k;

            items[n++] = sign_v0(block, i, script, by, is_good);
        }
        break;
    default:
        items[n++] = sign_v0(block, i, script, 0, is_good && scene->kind != ALL_BAD);
    }
    items[n++] = script;
    block->in[i].witness = items;
    block->in[i].witness_n = n;
}

/* The output of a tree of one leaf, whose internal key is the leaf's as well. */
static void make_taproot_output(uint8_t *ret_program, uint8_t *ret_control, struct span script)
{
    uint8_t leaf[32];
    uint8_t tweak[32];
    struct sha256 hash;
    bool odd;

    tapleaf_hash(leaf, LEAF_VERSION, script);
    sha256_tagged_init(&hash, "TapTweak");
    sha256_add(&hash, xonly, 32);
    sha256_add(&hash, leaf, 32);
    sha256_finish(&hash, tweak);
    CHECK(secp_xonly_tweak_add(ret_program, &odd, xonly, tweak));
    ret_control[0] = (uint8_t)(LEAF_VERSION | odd);
    memcpy(ret_control + 1, xonly, 32);
}

static void make_taproot_witness(struct block *block, uint32_t i, struct span script,
                                 struct span control)
{
    struct span *items = arena_array(&block->arena, 3, sizeof(*items));
    uint8_t *sig = arena_alloc(&block->arena, SECP_SCHNORR_BYTES);
    uint8_t leaf[32];
    uint8_t hash[32];
    const struct sighash_taproot extra = {.leaf_hash = leaf, .code_separator = UINT32_MAX};
    struct sighash_input input;

    tapleaf_hash(leaf, LEAF_VERSION, script);
    sighash_input_init(&input, &block->cache, i);
    CHECK(sighash_taproot(&input, hash, 0, &extra));
    CHECK(schnorr_sign(sig, hash, seckeys[0], NULL));
    items[0] = span_of(sig, SECP_SCHNORR_BYTES);
    items[1] = script;
    items[2] = control;
    block->in[i].witness = items;
    block->in[i].witness_n = 3;
}

static struct block *make_block(const struct scene *scene)
{
    struct block *block = alloc_zero(sizeof(*block));
    uint8_t program[32];
    uint8_t *control;
    struct buf output = {0};
    struct span script;
    struct span script_pubkey;

    arena_init(&block->arena);
    control = arena_alloc(&block->arena, 33);
    script = make_script(block, scene);
    if (scene->kind == TAPSCRIPT) {
        make_taproot_output(program, control, script);
    } else {
        struct sha256 hash;

        sha256_init(&hash);
        sha256_add(&hash, script.data, script.len);
        sha256_finish(&hash, program);
    }
    script_add_witness_program(&output, scene->kind == TAPSCRIPT, span_of(program, 32));
    script_pubkey = keep(block, &output);
    block->in = arena_array(&block->arena, scene->inputs_n, sizeof(*block->in));
    block->spent = arena_array(&block->arena, scene->inputs_n, sizeof(*block->spent));
    for (uint32_t i = 0; i < scene->inputs_n; i++) {
        block->in[i] = (struct tx_in){.sequence = SEQUENCE_FINAL,
                                      .witness_n = 1,
                                      .witness = &script}; /* The real one comes later. */
        block->in[i].prevout.vout = i;
        block->spent[i] = (struct tx_out){.value_sat = 1000, .script_pubkey = script_pubkey};
    }
    block->tx = (struct tx){
        .version = 2, .in_n = scene->inputs_n, .out_n = 1, .in = block->in, .out = &block->out};
    tx_finish(&block->tx, &block->arena);
    sighash_cache_init(&block->cache, &block->tx, block->spent, &block->arena);
    for (uint32_t i = 0; i < scene->inputs_n; i++) {
        if (scene->kind == TAPSCRIPT)
            make_taproot_witness(block, i, script, span_of(control, 33));
        else
            make_v0_witness(block, i, scene, script);
    }
    block->spend =
        (struct spend){.tx = &block->tx, .spent = block->spent, .sighash = &block->cache};
    return block;
}

static void told(void *context, void *tag, uint32_t in_index, enum verdict verdict)
{
    struct block *block = context;

    (void)tag;
    (void)in_index;
    block->valid_n += verdict == V_VALID;
}

static double run_seconds(struct block *block)
{
    const uint64_t flags = SCRIPT_VERIFY(P2SH) | SCRIPT_VERIFY(WITNESS) | SCRIPT_VERIFY(TAPROOT);
    struct sig_batch *batch = sig_batch_new(told, block);
    clock_t began = clock();

    block->valid_n = 0;
    for (uint32_t i = 0; i < block->tx.in_n; i++)
        sig_batch_input(batch, &block->spend, i, flags, NULL);
    sig_batch_settle(batch);
    sig_batch_free(batch);
    return (double)(clock() - began) / CLOCKS_PER_SEC;
}

static void measure(const struct scene *scene)
{
    struct block *block = make_block(scene);
    double least[2] = {1e9, 1e9};

    for (int round = 0; round < ROUNDS; round++) {
        for (int lanes = 0; lanes < 2; lanes++) {
            double seconds;

            (void)sigbatch_select(lanes != 0);
            seconds = run_seconds(block);
            least[lanes] = seconds < least[lanes] ? seconds : least[lanes];
            CHECK(block->valid_n == scene->inputs_n - scene->is_last_bad);
        }
    }
    (void)printf("%-36s %9.2f %9.2f %8.3f\n", scene->name, least[0] * 1e6 / scene->inputs_n,
                 least[1] * 1e6 / scene->inputs_n, least[1] / least[0]);
    arena_clear(&block->arena);
    free(block);
}

int main(void)
{
    static const uint8_t seed[32] = {1};

    secp_init(seed);
    (void)sha256_select(true);
    make_keys();
    (void)printf("%-36s %9s %9s %8s\n", "us an input", "one by one", "batches", "ratio");
    for (size_t i = 0; i < ARRAY_LEN(scenes); i++)
        measure(&scenes[i]);
    (void)sigbatch_select(true);
    (void)printf("engine %s\n", sigbatch_engine());
    secp_clear();
    return 0;
}
