#include "mining/template.h"

#include "codec/writer.h"
#include "consensus/rules.h"
#include "primitives/merkle.h"

#define COINBASE_VERSION 2
#define SEQUENCE_NOT_FINAL (SEQUENCE_FINAL - 1)
#define EXTRANONCE_BYTES_MAX 8
#define OP_0 0x00

/* What the coinbase points into while a template is written. */
struct coinbase {
    uint8_t script[COINBASE_HEIGHT_BYTES_MAX + 1 + EXTRANONCE_BYTES_MAX];
    uint8_t commitment[WITNESS_COMMITMENT_BYTES];
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
    c->out[1] = (struct tx_out){.script_pubkey = span_of(c->commitment, sizeof(c->commitment))};
    *ret_tx = (struct tx){.version = COINBASE_VERSION,
                          .lock_time = (uint32_t)(parts->height - 1),
                          .in = &c->in,
                          .in_n = 1,
                          .out = c->out,
                          .out_n = 2};
    tx_finish(ret_tx, arena);
}

void template_write(struct buf *buf, const struct template_parts *parts)
{
    struct header header = {
        .version = parts->version, .prev = parts->prev, .time = parts->time, .bits = parts->bits};
    struct block block = {.tx_n = (uint32_t)parts->txs_n + 1};
    struct coinbase coinbase = {0};
    struct arena arena;
    struct tx *txs;

    arena_init(&arena);
    txs = arena_array(&arena, block.tx_n, sizeof(*txs));
    if (parts->txs_n > 0)
        memcpy(txs + 1, parts->txs, parts->txs_n * sizeof(*txs));
    block.tx = txs;
    memcpy(coinbase.commitment, WITNESS_COMMITMENT_HEAD, WITNESS_COMMITMENT_HEAD_BYTES);
    witness_commitment_of(coinbase.commitment + WITNESS_COMMITMENT_HEAD_BYTES, &block,
                          coinbase.reserved_value, &arena);
    make_coinbase(&txs[0], &coinbase, parts, &arena);
    header.merkle_root = block_merkle_root(&block, NULL, &arena);

    header_write(buf_extend(buf, HEADER_BYTES), &header);
    write_compact_size(buf, block.tx_n);
    for (uint32_t i = 0; i < block.tx_n; i++)
        tx_write(buf, &txs[i], true);
    arena_clear(&arena);
}
