/* Whole blocks made to be slow, through the chain room's own pieces, as the node judges
 * them: one thread, CPU time of everything between the coins' answer and the verdict,
 * when each check is decided at once by libsecp256k1 and when inputs go through batches.
 * Each number is the least of several rounds, taken in turns.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/check.h"
#include "chain/body_priv.h"
#include "codec/writer.h"
#include "crypto/scalar_priv.h"
#include "crypto/secp.h"
#include "crypto/sha256.h"
#include "crypto/sigbatch.h"
#include "script/build.h"
#include "script/opcodes.h"
#include "script/sig_cache.h"
#include "script/sighash.h"

#define ROUNDS 2
#define KEYS 20
#define VALUE_SAT 1000
#define HEIGHT 1000000
#define UNSURE_POOL 256
#define UNSURE_TRIES 16 /* Pairs tried at once; divides the pool. */
#define HASH_TYPE 1U    /* SIGHASH_ALL. */

enum kind {
    REPEAT, /* sigs checks of one signature. */
    STORM,  /* sigs of 20, by the keys that are tried first. */
    LATE,   /* By those that are tried last. */
    UNSURE, /* sigs checks of one signature that meets an exceptional point in the lanes. */
};

static const struct scene {
    const char *name;
    enum kind kind;
    bool is_bare; /* The script is the output's: hashed as before segwit. */
    uint32_t sigs;
    uint32_t inputs_n;
    uint32_t inputs_per_tx;
    uint32_t checks_n; /* One by one. */
    bool is_last_bad;  /* The last input is invalid. */
} scenes[] = {
    {"P2WSH, 60 checks an input", REPEAT, false, 60, 1333, 100, 79980, false},
    {"the same, the last one invalid", REPEAT, false, 60, 1333, 100, 79980, true},
    {"bare, 60 checks an input", REPEAT, true, 60, 1333, 100, 79980, false},
    {"bare, one check, 1 tx of 6,000 inputs", REPEAT, true, 1, 6000, 6000, 6000, false},
    {"bare 1 of 20, key tried last", LATE, true, 1, 4000, 100, 80000, false},
    {"bare 1 of 20, key tried first", STORM, true, 1, 8000, 100, 8000, false},
    {"bare 20 of 20", STORM, true, 20, 600, 100, 12000, false},
    {"P2WSH, one unsure check an input", UNSURE, false, 1, 8000, 100, 8000, false},
    {"P2WSH, 64 unsure checks an input", UNSURE, false, 64, 1250, 100, 80000, false},
    {"bare, one unsure check an input", UNSURE, true, 1, 6000, 100, 6000, false},
};

/* A nonce and a key that is minus half of it. */
struct unsure_pair {
    struct scalar r;
    struct scalar nonce_inverse;
    struct scalar seckey;
    uint8_t r_bytes[32];
    uint8_t pubkey[SECP_PUBKEY_BYTES];
};

static uint8_t seckeys[KEYS][32];
static uint8_t pubkeys[KEYS][SECP_PUBKEY_BYTES];
static struct unsure_pair unsure_pairs[UNSURE_POOL];
static size_t unsure_next;
static const uint8_t cache_salt[SIG_CACHE_SALT_BYTES] = {7};

struct maker {
    const struct scene *scene;
    struct arena arena;
    struct span script;
    struct span script_pubkey;
    struct buf bytes; /* The block. */
    uint32_t made_n;  /* Inputs. */
};

static void scalar_bytes(uint8_t *ret_bytes, const struct scalar *a)
{
    for (size_t i = 0; i < 4; i++)
        put_be64(ret_bytes + 8 * i, a->d[3 - i]);
}

static void make_pubkey(uint8_t *ret_pubkey, const uint8_t *seckey)
{
    struct secp_pubkey pubkey;

    CHECK(secp_pubkey_of(&pubkey, seckey));
    secp_pubkey_write(ret_pubkey, &pubkey);
}

static void make_unsure_pair(struct unsure_pair *pair, uint32_t number)
{
    struct scalar nonce = {.d = {number, 77, 0, 5}};
    struct scalar two = {.d = {2, 0, 0, 0}};
    uint8_t bytes[33];

    scalar_bytes(bytes, &nonce);
    make_pubkey(bytes, bytes);
    memcpy(pair->r_bytes, bytes + 1, 32);
    (void)scalar_read(&pair->r, pair->r_bytes);
    scalar_bytes(pair->r_bytes, &pair->r);
    scalar_inverse(&pair->nonce_inverse, &nonce);
    scalar_inverse(&two, &two);
    scalar_mul(&pair->seckey, &nonce, &two);
    scalar_negate(&pair->seckey, &pair->seckey);
    scalar_bytes(bytes, &pair->seckey);
    make_pubkey(pair->pubkey, bytes);
}

static void make_keys(void)
{
    for (size_t i = 0; i < KEYS; i++) {
        seckeys[i][0] = 3;
        seckeys[i][31] = (uint8_t)(i + 1);
        make_pubkey(pubkeys[i], seckeys[i]);
    }
    for (uint32_t i = 0; i < UNSURE_POOL; i++)
        make_unsure_pair(&unsure_pairs[i], i + 1);
}

static struct span keep(struct maker *maker, struct buf *buf)
{
    uint8_t *copy = arena_alloc(&maker->arena, buf->len);
    struct span kept = span_of(copy, buf->len);

    memcpy(copy, buf->data, buf->len);
    buf_clear(buf);
    return kept;
}

static void make_scripts(struct maker *maker)
{
    const struct scene *scene = maker->scene;
    struct span keys[KEYS];
    struct buf script = {0};
    struct buf output = {0};
    uint8_t program[SHA256_BYTES];

    for (size_t i = 0; i < KEYS; i++)
        keys[i] = span_of(pubkeys[i], SECP_PUBKEY_BYTES);
    switch (scene->kind) {
    case REPEAT:
        for (uint32_t i = 1; i < scene->sigs; i++) {
            script_add_op(&script, OP_DUP);
            script_add_push(&script, keys[0]);
            script_add_op(&script, OP_CHECKSIGVERIFY);
        }
        script_add_p2pk(&script, keys[0]);
        break;
    case STORM:
    case LATE:
        script_add_multisig(&script, scene->sigs, keys, KEYS);
        break;
    case UNSURE:
        /* The key comes from the input, so that it may be chosen after the hash. */
        for (uint32_t i = 1; i < scene->sigs; i++) {
            script_add_op(&script, OP_2DUP);
            script_add_op(&script, OP_CHECKSIGVERIFY);
        }
        script_add_op(&script, OP_CHECKSIG);
        break;
    }
    maker->script = keep(maker, &script);
    maker->script_pubkey = maker->script;
    if (scene->is_bare)
        return;
    sha256(program, maker->script.data, maker->script.len);
    script_add_witness_program(&output, 0, span_of(program, sizeof(program)));
    maker->script_pubkey = keep(maker, &output);
}

static struct span keep_sig(struct maker *maker, const struct ecdsa_sig *sig)
{
    uint8_t *der = arena_alloc(&maker->arena, SECP_DER_BYTES_MAX + 1);
    size_t len = ecdsa_sig_write(der, sig);

    der[len] = HASH_TYPE;
    return span_of(der, len + 1);
}

static struct span sign(struct maker *maker, const uint8_t *hash, size_t by)
{
    struct ecdsa_sig sig;

    CHECK(ecdsa_sign(&sig, hash, seckeys[by], false));
    return keep_sig(maker, &sig);
}

/* hash signed with the pair's nonce and key. */
static void sign_with_pair(struct sigbatch_item *ret_item, const struct unsure_pair *pair,
                           const uint8_t *hash)
{
    struct scalar z;
    struct scalar s;

    (void)scalar_read(&z, hash);
    scalar_mul(&s, &pair->r, &pair->seckey);
    scalar_add(&s, &s, &z);
    scalar_mul(&s, &s, &pair->nonce_inverse);
    *ret_item = (struct sigbatch_item){.kind = SIGBATCH_ECDSA, .pubkey_len = sizeof(pair->pubkey)};
    memcpy(ret_item->pubkey, pair->pubkey, sizeof(pair->pubkey));
    memcpy(ret_item->r, pair->r_bytes, sizeof(ret_item->r));
    scalar_bytes(ret_item->s, &s);
    memcpy(ret_item->hash, hash, sizeof(ret_item->hash));
}

/* With the nonce k and the key -k/2 the sum R is minus twice the key's point. Where the
 * lanes add that point once too often and take it off at the end (docs/sigbatch.md,
 * section 3) they add opposite points then. Whether they do depends on u2, so pairs are
 * tried until one does. */
static struct span sign_unsure(struct maker *maker, const uint8_t *hash, struct span *ret_key)
{
    struct sigbatch_item items[UNSURE_TRIES];

    for (;;) {
        const struct unsure_pair *pairs = &unsure_pairs[unsure_next];
        size_t i = 0;

        unsure_next = (unsure_next + UNSURE_TRIES) % UNSURE_POOL;
        for (size_t k = 0; k < UNSURE_TRIES; k++)
            sign_with_pair(&items[k], &pairs[k], hash);
        sigbatch_try(items, UNSURE_TRIES);
        while (i < UNSURE_TRIES && items[i].is_valid && sigbatch_has_lanes())
            i++;
        if (i < UNSURE_TRIES) {
            struct ecdsa_sig sig;

            memcpy(sig.r, items[i].r, sizeof(sig.r));
            memcpy(sig.s, items[i].s, sizeof(sig.s));
            *ret_key = span_of(pairs[i].pubkey, sizeof(pairs[i].pubkey));
            return keep_sig(maker, &sig);
        }
    }
}

/* The stack an input begins with, bottom first. Returns how many items. */
static uint32_t make_stack(struct maker *maker, const uint8_t *hash, struct span *ret_items)
{
    const struct scene *scene = maker->scene;
    uint32_t n = 0;

    switch (scene->kind) {
    case REPEAT:
        ret_items[n++] = sign(maker, hash, 0);
        break;
    case STORM:
    case LATE:
        ret_items[n++] = span_of(NULL, 0);
        for (uint32_t k = 0; k < scene->sigs; k++)
            /* The key pushed last is tried first. */
            ret_items[n++] = sign(maker, hash, scene->kind == STORM ? KEYS - scene->sigs + k : k);
        break;
    case UNSURE:
        n = 2;
        ret_items[0] = sign_unsure(maker, hash, &ret_items[1]);
        break;
    }
    return n;
}

static void sign_input(struct maker *maker, const struct sighash_cache *cache, uint32_t i,
                       struct tx_in *in)
{
    const struct scene *scene = maker->scene;
    struct script_code code = {.bytes = maker->script};
    struct span *items = arena_array(&maker->arena, KEYS + 3, sizeof(*items));
    struct buf script_sig = {0};
    struct sighash_input input;
    uint8_t hash[SHA256_BYTES];
    uint32_t n;

    sighash_input_init(&input, cache, i);
    if (scene->is_bare)
        sighash_legacy(&input, hash, &code, HASH_TYPE);
    else
        sighash_v0(&input, hash, &code, VALUE_SAT, HASH_TYPE);
    hash[0] ^= scene->is_last_bad && maker->made_n + 1 == scene->inputs_n;
    n = make_stack(maker, hash, items);
    maker->made_n++;
    if (scene->is_bare) {
        for (uint32_t k = 0; k < n; k++)
            script_add_push(&script_sig, items[k]);
        in->script_sig = keep(maker, &script_sig);
        return;
    }
    items[n++] = maker->script;
    in->witness = items;
    in->witness_n = n;
}

static void make_tx(struct maker *maker, uint32_t in_n)
{
    struct tx_in *in = arena_array(&maker->arena, in_n, sizeof(*in));
    struct tx_out *spent = arena_array(&maker->arena, in_n, sizeof(*spent));
    struct tx_out out = {.script_pubkey = maker->script_pubkey};
    struct tx tx = {.version = 2, .in_n = in_n, .out_n = 1, .in = in, .out = &out};
    struct sighash_cache cache;
    struct tx blank;

    /* What comes out must not count as operations of this block's own outputs. */
    out.script_pubkey = span_of(pubkeys[0], 0);
    for (uint32_t i = 0; i < in_n; i++) {
        in[i].sequence = SEQUENCE_FINAL;
        in[i].prevout.txid.b[0] = 1;
        in[i].prevout.vout = maker->made_n + i;
        spent[i] = (struct tx_out){.value_sat = VALUE_SAT, .script_pubkey = maker->script_pubkey};
    }
    blank = tx;
    tx_finish(&blank, &maker->arena);
    sighash_cache_init(&cache, &blank, spent, &maker->arena);
    for (uint32_t i = 0; i < in_n; i++)
        sign_input(maker, &cache, i, &in[i]);
    tx_write(&maker->bytes, &tx, true);
}

static void make_coinbase(struct maker *maker)
{
    struct tx_in in = {.sequence = SEQUENCE_FINAL};
    struct tx_out out = {.script_pubkey = span_of(pubkeys[0], 0)};
    struct tx tx = {.version = 2, .in_n = 1, .out_n = 1, .in = &in, .out = &out};

    in.prevout.vout = UINT32_MAX;
    in.script_sig = span_of(pubkeys[0], 4);
    tx_write(&maker->bytes, &tx, false);
}

static void make_block(struct maker *maker)
{
    const struct scene *scene = maker->scene;
    uint32_t txs_n = (scene->inputs_n + scene->inputs_per_tx - 1) / scene->inputs_per_tx;

    arena_init(&maker->arena);
    make_scripts(maker);
    memset(buf_extend(&maker->bytes, HEADER_BYTES), 0, HEADER_BYTES);
    write_compact_size(&maker->bytes, txs_n + 1);
    make_coinbase(maker);
    for (uint32_t i = 0; i < txs_n; i++)
        make_tx(maker, MIN(scene->inputs_per_tx, scene->inputs_n - maker->made_n));
}

/* As the chain does it, but for the coins, which all are the same one. */
static double run_seconds(const struct maker *maker, struct body *body, struct header_node *node)
{
    const struct coin coin = {
        .value_sat = VALUE_SAT, .script_pubkey = maker->script_pubkey, .height = 1};
    bool is_bad = maker->scene->is_last_bad;
    struct finding finding = {.verdict = V_VALID};
    struct coin *coins;
    clock_t began;
    clock_t ended;

    body_reset(body);
    body->node = node;
    body->check_pow = false;
    body->check_merkle = false;
    buf_add(&body->bytes, maker->bytes.data, maker->bytes.len);
    body_prepare(body);
    CHECK(body->rc == 0 && body->finding.verdict == V_VALID);
    CHECK(body->spends_n == maker->scene->inputs_n && body->block.weight <= BLOCK_WEIGHT_MAX);
    coins = arena_array(&body->arena, body->spends_n, sizeof(*coins));
    for (uint32_t i = 0; i < body->spends_n; i++)
        coins[i] = coin;
    began = clock();
    body_take_coins(body, coins);
    body_cut(body);
    for (uint32_t i = 0; i < body->pieces_n; i++)
        body_piece_run(&body->pieces[i].work, 0);
    CHECK((body_judge(body, &finding) == V_VALID) == !is_bad);
    ended = clock();
    CHECK(!is_bad ||
          finding.in_index == (maker->scene->inputs_n - 1) % maker->scene->inputs_per_tx);
    return (double)(ended - began) / CLOCKS_PER_SEC;
}

static void measure(const struct scene *scene)
{
    struct sig_batch *batch = sig_batch_new(body_script_done, NULL);
    struct body *body = body_new(params_of(NETWORK_REGTEST), &batch, 1);
    const struct wtxid unknown = {{1}};
    struct sig_cache_key known;
    struct header_node node = {.height = HEIGHT};
    struct maker maker = {.scene = scene};
    double least[2] = {1e9, 1e9};

    /* As a node with a mempool has one, but it knows nothing of this block. */
    body->sig_cache = sig_cache_new(1 << 20, cache_salt);
    known = sig_cache_scripts_key(body->sig_cache, &unknown, 0);
    sig_cache_add(body->sig_cache, &known);
    (void)sigbatch_select(true);
    make_block(&maker);
    for (int round = 0; round < ROUNDS; round++) {
        for (int lanes = 0; lanes < 2; lanes++) {
            double seconds;

            (void)sigbatch_select(lanes != 0);
            seconds = run_seconds(&maker, body, &node);
            least[lanes] = seconds < least[lanes] ? seconds : least[lanes];
        }
    }
    (void)printf("%-38s %7u %7.2f %9.0f %9.0f %8.3f\n", scene->name, scene->checks_n,
                 (double)maker.bytes.len / 1e6, least[0] * 1e3, least[1] * 1e3,
                 least[1] / least[0]);
    (void)fflush(stdout);
    sig_cache_free(body->sig_cache);
    body_free(body);
    sig_batch_free(batch);
    buf_clear(&maker.bytes);
    arena_clear(&maker.arena);
}

int main(void)
{
    static const uint8_t seed[32] = {1};

    secp_init(seed);
    (void)sha256_select(true);
    make_keys();
    (void)printf("%-38s %7s %7s %9s %9s %8s\n", "ms a block", "checks", "MB", "at once", "batches",
                 "ratio");
    for (size_t i = 0; i < ARRAY_LEN(scenes); i++)
        measure(&scenes[i]);
    (void)sigbatch_select(true);
    (void)printf("engine %s\n", sigbatch_engine());
    secp_clear();
    return 0;
}
