#include "consensus/signet.h"

#include "codec/writer.h"
#include "consensus/rules.h"
#include "primitives/merkle.h"
#include "script/script.h"
#include "script/sighash.h"

#define OP_PUSHDATA1 0x4c
#define OP_PUSHDATA2 0x4d
#define OP_PUSHDATA4 0x4e
#define OP_RETURN_BYTES "\x6a"

#define SOLUTION_FLAGS                                                      \
    (SCRIPT_VERIFY(P2SH) | SCRIPT_VERIFY(WITNESS) | SCRIPT_VERIFY(DERSIG) | \
     SCRIPT_VERIFY(NULLDUMMY))

/* One operation of a script. data is empty for one that pushes nothing. */
struct operation {
    uint8_t opcode;
    struct span data;
};

/* false: the script ends here, or has no whole operation left. */
static bool next_operation(struct reader *r, struct operation *ret_op)
{
    uint32_t len = 0;

    if (r->left == 0)
        return false;
    ret_op->opcode = read_u8(r);
    if (ret_op->opcode < OP_PUSHDATA1)
        len = ret_op->opcode;
    else if (ret_op->opcode == OP_PUSHDATA1)
        len = read_u8(r);
    else if (ret_op->opcode == OP_PUSHDATA2)
        len = read_le16(r);
    else if (ret_op->opcode == OP_PUSHDATA4)
        len = read_le32(r);
    ret_op->data = read_span(r, len);
    return r->rc == 0;
}

/* The shortest push by length alone: a one-byte number is pushed as a byte. */
static void write_push(struct buf *buf, struct span data)
{
    if (data.len < OP_PUSHDATA1) {
        write_u8(buf, (uint8_t)data.len);
    } else if (data.len <= 0xff) {
        write_u8(buf, OP_PUSHDATA1);
        write_u8(buf, (uint8_t)data.len);
    } else if (data.len <= 0xffff) {
        write_u8(buf, OP_PUSHDATA2);
        write_le16(buf, (uint16_t)data.len);
    } else {
        write_u8(buf, OP_PUSHDATA4);
        write_le32(buf, (uint32_t)data.len);
    }
    write_span(buf, data);
}

static bool has_solution(struct span data)
{
    return data.len > SIGNET_HEAD_BYTES && memcmp(data.data, SIGNET_HEAD, SIGNET_HEAD_BYTES) == 0;
}

/* Writes script to without, the first push that holds a solution cut to its
 * head, and returns the solution. Without one, without is script as it is. */
static struct span take_solution(struct buf *without, struct span script)
{
    struct span solution = {0};
    struct operation op;
    struct reader r;
    bool found = false;

    reader_init(&r, script.data, script.len);
    while (next_operation(&r, &op)) {
        if (op.data.len == 0) {
            write_u8(without, op.opcode);
            continue;
        }
        if (!found && has_solution(op.data)) {
            found = true;
            solution = span_of(op.data.data + SIGNET_HEAD_BYTES, op.data.len - SIGNET_HEAD_BYTES);
            op.data.len = SIGNET_HEAD_BYTES;
        }
        write_push(without, op.data);
    }
    if (!found) {
        without->len = 0;
        write_span(without, script);
    }
    return solution;
}

static struct span copied(struct arena *arena, struct span data)
{
    uint8_t *copy = arena_alloc(arena, data.len);

    if (data.len > 0)
        memcpy(copy, data.data, data.len);
    return span_of(copy, data.len);
}

/* The block's merkle root, its coinbase having script in output index. */
static struct merkle_root root_with(const struct block *block, int64_t index, struct span script,
                                    struct arena *arena)
{
    const struct tx *old = &block->tx[0];
    struct tx coinbase = *old;
    struct tx_out *out = arena_array(arena, old->out_n, sizeof(*out));
    uint8_t *leaves = arena_alloc(arena, (size_t)block->tx_n * HASH_BYTES);
    struct merkle_root root;

    memcpy(out, old->out, old->out_n * sizeof(*out));
    out[index].script_pubkey = script;
    coinbase.out = out;
    tx_finish(&coinbase, arena);
    memcpy(leaves, coinbase.txid.b, HASH_BYTES);
    for (uint32_t i = 1; i < block->tx_n; i++)
        memcpy(leaves + (size_t)HASH_BYTES * i, block->tx[i].txid.b, HASH_BYTES);
    merkle_root_of(root.b, NULL, leaves, block->tx_n);
    return root;
}

/* BIP 325: a script and a witness stack, and not a byte more. */
static bool read_solution(struct tx_in *in, struct span solution, struct arena *arena)
{
    struct reader r;
    struct span *stack;
    uint32_t items;

    reader_init(&r, solution.data, solution.len);
    in->script_sig = read_var_bytes(&r);
    items = read_length(&r);
    if (r.rc < 0 || items > r.left)
        return false;
    stack = arena_array(arena, items, sizeof(*stack));
    for (uint32_t i = 0; i < items; i++)
        stack[i] = read_var_bytes(&r);
    in->witness = stack;
    in->witness_n = items;
    return r.rc == 0 && r.left == 0;
}

static void make_tx(struct tx *ret_tx, struct tx_in *in, struct span script_pubkey,
                    struct arena *arena)
{
    struct tx_out *out = arena_array(arena, 1, sizeof(*out));

    out->script_pubkey = script_pubkey;
    *ret_tx = (struct tx){.in = in, .in_n = 1, .out = out, .out_n = 1};
    tx_finish(ret_tx, arena);
}

/* OP_0 and a push of the header's fields but bits and nonce, with root for the
 * block's own. */
static struct span commitment_script(const struct header *header, const struct merkle_root *root,
                                     struct arena *arena)
{
    uint8_t data[4 + 2 * HASH_BYTES + 4];
    struct buf script = {0};
    struct span kept;

    put_le32(data, (uint32_t)header->version);
    memcpy(data + 4, header->prev.b, HASH_BYTES);
    memcpy(data + 4 + HASH_BYTES, root->b, HASH_BYTES);
    put_le32(data + 4 + 2 * HASH_BYTES, header->time);
    write_u8(&script, 0);
    write_push(&script, span_of(data, sizeof(data)));
    kept = copied(arena, span_of_buf(&script));
    buf_clear(&script);
    return kept;
}

bool signet_txs_of(struct signet_txs *ret_txs, const struct block *block, struct span challenge,
                   struct arena *arena)
{
    int64_t index = witness_commitment_index(block);
    struct tx_in *spend_in = arena_array(arena, 1, sizeof(*spend_in));
    struct tx_in *sign_in = arena_array(arena, 1, sizeof(*sign_in));
    struct buf without = {0};
    struct merkle_root root;
    struct span solution;

    if (index < 0)
        return false;
    solution = take_solution(&without, block->tx[0].out[index].script_pubkey);
    root = root_with(block, index, copied(arena, span_of_buf(&without)), arena);
    buf_clear(&without);
    if (solution.len > 0 && !read_solution(sign_in, solution, arena))
        return false;
    spend_in->prevout.vout = OUTPOINT_VOUT_NULL;
    spend_in->script_sig = commitment_script(&block->header, &root, arena);
    make_tx(&ret_txs->to_spend, spend_in, challenge, arena);
    sign_in->prevout.txid = ret_txs->to_spend.txid;
    make_tx(&ret_txs->to_sign, sign_in, span_of(OP_RETURN_BYTES, 1), arena);
    return true;
}

bool signet_solution_holds(const struct block *block, const struct params *params,
                           struct arena *arena)
{
    struct sighash_cache sighash;
    struct signet_txs txs;
    struct spend spend = {.tx = &txs.to_sign, .sighash = &sighash};

    if (block_hash_equal(&block->hash, &params->genesis_hash))
        return true;
    if (!signet_txs_of(&txs, block, params->signet_challenge, arena))
        return false;
    spend.spent = txs.to_spend.out;
    sighash_cache_init(&sighash, &txs.to_sign, spend.spent, NULL);
    return script_verify_input(&spend, 0, SOLUTION_FLAGS) == V_VALID;
}
