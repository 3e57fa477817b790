#include "consensus/make.h"

#include "base/check.h"
#include "codec/writer.h"
#include "consensus/pow.h"
#include "consensus/rules.h"
#include "crypto/sha256.h"
#include "primitives/merkle.h"

struct span make_bytes(size_t len, uint8_t byte, struct arena *arena)
{
    uint8_t *data = arena_alloc(arena, len + 1);

    memset(data, byte, len);
    return span_of(data, len);
}

struct draft make_tx(uint32_t in_n, uint32_t out_n, struct arena *arena)
{
    struct draft draft = {.in = arena_array(arena, in_n, sizeof(struct tx_in)),
                          .out = arena_array(arena, out_n + 1, sizeof(struct tx_out))};

    for (uint32_t i = 0; i < in_n; i++) {
        memset(draft.in[i].prevout.txid.b, 7, HASH_BYTES);
        draft.in[i].prevout.vout = i;
        draft.in[i].sequence = SEQUENCE_FINAL;
    }
    for (uint32_t i = 0; i < out_n; i++)
        draft.out[i].value_sat = 1000;
    draft.tx =
        (struct tx){.version = 2, .in = draft.in, .in_n = in_n, .out = draft.out, .out_n = out_n};
    return draft;
}

struct draft make_coinbase(int32_t height, int64_t value_sat, struct arena *arena)
{
    struct draft draft = make_tx(1, 1, arena);
    uint8_t *script = arena_alloc(arena, COINBASE_HEIGHT_BYTES_MAX + 1);
    size_t len = coinbase_height_write(script, height);

    script[len++] = 0;
    memset(draft.in[0].prevout.txid.b, 0, HASH_BYTES);
    draft.in[0].prevout.vout = OUTPOINT_VOUT_NULL;
    draft.in[0].script_sig = span_of(script, len);
    draft.out[0].value_sat = value_sat;
    return draft;
}

const struct tx *make_finish(struct draft *draft, struct arena *arena)
{
    struct tx *kept = arena_alloc(arena, sizeof(*kept));

    tx_finish(&draft->tx, arena);
    *kept = draft->tx;
    return kept;
}

void make_solved(struct block *block, const struct params *params)
{
    block->hash = header_hash(&block->header);
    while (!pow_check(&block->hash, block->header.bits, params)) {
        block->header.nonce++;
        block->hash = header_hash(&block->header);
    }
}

struct block make_block(const struct tx *const *txs, uint32_t tx_n, const struct params *params,
                        bool solve, struct arena *arena)
{
    struct tx *copies = arena_array(arena, tx_n, sizeof(*copies));
    struct u256 limit = u256_of_hash(params->pow_limit);
    struct block block = {.tx = copies, .tx_n = tx_n};

    block.weight = (HEADER_BYTES + compact_size_len(tx_n)) * WITNESS_SCALE_FACTOR;
    for (uint32_t i = 0; i < tx_n; i++) {
        copies[i] = *txs[i];
        block.weight += tx_weight(&copies[i]);
    }
    block.header =
        (struct header){.version = 4, .time = 1500000000, .bits = bits_of_target(&limit)};
    block.header.merkle_root = block_merkle_root(&block, NULL, arena);
    if (solve)
        make_solved(&block, params);
    else
        block.hash = header_hash(&block.header);
    return block;
}

void make_commitment(struct draft *draft, const struct tx *const *txs, uint32_t tx_n,
                     struct arena *arena)
{
    struct tx *copies = arena_array(arena, tx_n + 1, sizeof(*copies));
    struct block block = {.tx = copies, .tx_n = tx_n + 1};
    uint8_t *script = arena_alloc(arena, WITNESS_COMMITMENT_BYTES);
    struct span *stack = arena_array(arena, 1, sizeof(*stack));
    uint8_t pair[2 * HASH_BYTES] = {0};
    struct merkle_root root;

    for (uint32_t i = 0; i < tx_n; i++)
        copies[i + 1] = *txs[i];
    root = block_witness_root(&block, arena);
    memcpy(pair, root.b, HASH_BYTES);
    memcpy(script, WITNESS_COMMITMENT_HEAD, WITNESS_COMMITMENT_HEAD_BYTES);
    sha256d(script + WITNESS_COMMITMENT_HEAD_BYTES, pair, sizeof(pair));
    stack[0] = make_bytes(HASH_BYTES, 0, arena);
    draft->in[0].witness = stack;
    draft->in[0].witness_n = 1;
    /* make_tx has left room for one more output. */
    draft->out[draft->tx.out_n] =
        (struct tx_out){.script_pubkey = span_of(script, WITNESS_COMMITMENT_BYTES)};
    draft->tx.out_n++;
}
