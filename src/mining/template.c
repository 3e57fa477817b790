#include "mining/template.h"

#include "codec/writer.h"
#include "consensus/rules.h"
#include "consensus/signet.h"
#include "keys/sign.h"
#include "primitives/merkle.h"
#include "script/build.h"

#define COINBASE_VERSION 2
#define SEQUENCE_NOT_FINAL (SEQUENCE_FINAL - 1)
#define EXTRANONCE_BYTES_MAX 8
#define OP_0 0x00

/* What the coinbase points into while a template is written. */
struct coinbase {
    uint8_t script[COINBASE_HEIGHT_BYTES_MAX + 1 + EXTRANONCE_BYTES_MAX];
    struct buf commitment; /* The output script. Owned. */
    uint8_t reserved_value[HASH_BYTES];
    struct span witness;
    struct tx_in in;
    struct tx_out out[2];
};

static size_t write_script(uint8_t *ret_script, int32_t height, uint64_t extranonce)
{
    size_t len = coinbase_height_write(ret_script, height);

    /* A height of one byte alone is shorter than a coinbase may be. */
    if (len == 1)
        ret_script[len++] = OP_0;
    if (extranonce != 0) {
        size_t at = len++;

        for (; extranonce > 0; extranonce >>= 8)
            ret_script[len++] = (uint8_t)extranonce;
        ret_script[at] = (uint8_t)(len - at - 1);
    }
    return len;
}

static void make_coinbase(struct tx *ret_tx, struct coinbase *c, const struct template_parts *parts,
                          struct arena *arena)
{
    c->in = (struct tx_in){.prevout = {.vout = OUTPOINT_VOUT_NULL}, .sequence = SEQUENCE_NOT_FINAL};
    c->in.script_sig =
        span_of(c->script, write_script(c->script, parts->height, parts->extranonce));
    c->witness = span_of(c->reserved_value, HASH_BYTES);
    if (parts->segwit) {
        c->in.witness = &c->witness;
        c->in.witness_n = 1;
    }
    c->out[0] = (struct tx_out){.value_sat = parts->coinbase_value_sat,
                                .script_pubkey = parts->coinbase_script};
    c->out[1] = (struct tx_out){.script_pubkey = span_of_buf(&c->commitment)};
    *ret_tx = (struct tx){.version = COINBASE_VERSION,
                          .lock_time = (uint32_t)(parts->height - 1),
                          .in = &c->in,
                          .in_n = 1,
                          .out = c->out,
                          .out_n = 2};
    tx_finish(ret_tx, arena);
}

static void write_commitment(struct coinbase *c, const struct block *block, struct span solution,
                             struct arena *arena)
{
    uint8_t hash[HASH_BYTES];
    struct buf push = {0};

    witness_commitment_of(hash, block, c->reserved_value, arena);
    c->commitment.len = 0;
    buf_add(&c->commitment, WITNESS_COMMITMENT_HEAD, WITNESS_COMMITMENT_HEAD_BYTES);
    buf_add(&c->commitment, hash, sizeof(hash));
    if (solution.data != NULL) {
        buf_add(&push, SIGNET_HEAD, SIGNET_HEAD_BYTES);
        write_span(&push, solution);
        script_add_push(&c->commitment, span_of_buf(&push));
    }
    buf_clear(&push);
}

/* BIP 325: the block as it will be, but for the solution, is what the keys sign. */
static int solve_signet(struct buf *ret_solution, const struct block *block,
                        const struct template_parts *parts, struct arena *arena, struct error *err)
{
    struct sighash_cache sighash;
    struct signed_input input;
    struct signet_txs txs;
    struct spend spend = {.tx = &txs.to_sign, .sighash = &sighash};
    struct keyring empty;

    if (!signet_txs_of(&txs, block, parts->signet->signet_challenge, arena))
        return error_set(err, E_STATE, "the block has no place for a signet solution");
    spend.spent = txs.to_spend.out;
    sighash_cache_init(&sighash, &txs.to_sign, spend.spent, NULL);
    keyring_init(&empty);
    sign_input(&input, &spend, 0, SIGHASH_ALL,
               parts->signet_keys == NULL ? &empty : parts->signet_keys, arena);
    keyring_clear(&empty);
    ret_solution->len = 0;
    write_compact_size(ret_solution, input.script_sig.len);
    write_span(ret_solution, input.script_sig);
    write_compact_size(ret_solution, input.witness_n);
    for (uint32_t i = 0; i < input.witness_n; i++) {
        write_compact_size(ret_solution, input.witness[i].len);
        write_span(ret_solution, input.witness[i]);
    }
    return 0;
}

static void finish(struct block *block, struct tx *txs, struct coinbase *coinbase,
                   const struct template_parts *parts, struct span solution, struct arena *arena)
{
    write_commitment(coinbase, block, solution, arena);
    make_coinbase(&txs[0], coinbase, parts, arena);
    block->header.merkle_root = block_merkle_root(block, NULL, arena);
}

int template_write(struct buf *buf, const struct template_parts *parts, struct error *err)
{
    struct block block = {.tx_n = (uint32_t)parts->txs_n + 1};
    struct coinbase coinbase = {0};
    struct buf solution = {0};
    struct arena arena;
    struct tx *txs;
    int rc = 0;

    arena_init(&arena);
    txs = arena_array(&arena, block.tx_n, sizeof(*txs));
    if (parts->txs_n > 0)
        memcpy(txs + 1, parts->txs, parts->txs_n * sizeof(*txs));
    block.tx = txs;
    block.header = (struct header){
        .version = parts->version, .prev = parts->prev, .time = parts->time, .bits = parts->bits};
    if (parts->signet == NULL) {
        finish(&block, txs, &coinbase, parts, (struct span){0}, &arena);
    } else {
        finish(&block, txs, &coinbase, parts, span_of("", 0), &arena);
        rc = solve_signet(&solution, &block, parts, &arena, err);
        if (rc < 0)
            goto done;
        finish(&block, txs, &coinbase, parts, span_of_buf(&solution), &arena);
        if (!signet_solution_holds(&block, parts->signet, &arena)) {
            rc = error_set(err, E_PERMISSION, "no key is known that solves the signet's challenge");
            goto done;
        }
    }
    header_write(buf_extend(buf, HEADER_BYTES), &block.header);
    write_compact_size(buf, block.tx_n);
    for (uint32_t i = 0; i < block.tx_n; i++)
        tx_write(buf, &txs[i], true);

done:
    buf_clear(&coinbase.commitment);
    buf_clear(&solution);
    arena_clear(&arena);
    return rc;
}
