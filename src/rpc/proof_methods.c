/* Proofs that transactions are in a block: the part of its merkle tree that leads
 * to them, in the form of BIP 37's merkleblock. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "codec/reader.h"
#include "codec/writer.h"
#include "primitives/partial_tree.h"
#include "rpc/args.h"
#include "rpc/block_json.h"
#include "rpc/groups.h"

/* Outputs that fit into a block at most. */
#define OUTPUTS_MAX (4000000U / (9U * 4U))

static bool is_wanted(const struct txid *wanted, uint32_t n, const struct txid *txid)
{
    for (uint32_t i = 0; i < n; i++) {
        if (txid_equal(&wanted[i], txid))
            return true;
    }
    return false;
}

static void write_proof(struct buf *out, const struct block *block, const struct txid *wanted,
                        uint32_t wanted_n, struct arena *arena)
{
    struct txid *leaves = arena_array(arena, block->tx_n, sizeof(*leaves));
    bool *is_marked = arena_array(arena, block->tx_n, sizeof(*is_marked));
    struct partial_tree tree;

    for (uint32_t i = 0; i < block->tx_n; i++) {
        leaves[i] = block->tx[i].txid;
        is_marked[i] = is_wanted(wanted, wanted_n, &block->tx[i].txid);
    }
    partial_tree_make(&tree, leaves, is_marked, block->tx_n, arena);
    header_write(buf_extend(out, HEADER_BYTES), &block->header);
    write_le32(out, tree.leaves_n);
    write_compact_size(out, tree.hashes.len / HASH_BYTES);
    write_span(out, tree.hashes);
    write_var_bytes(out, tree.flags);
}

/* --- The methods --- */

static int read_txids(struct rpc_call *call, struct txid **ret_txids, uint32_t *ret_n)
{
    const struct json *list = rpc_arg(call, 0);
    struct txid *txids;

    if (list == NULL || list->count == 0)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Parameter 'txids' cannot be empty");
    if (list->count > PARTIAL_TREE_LEAVES_MAX)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Parameter 'txids' is too long");
    txids = arena_array(call->arena, list->count, sizeof(*txids));
    for (uint32_t i = 0; i < list->count; i++) {
        int rc = rpc_value_hash(call, txids[i].b, &list->items[i], "txid");

        if (rc < 0)
            return rc;
        if (is_wanted(txids, i, &txids[i]))
            return rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid parameter, duplicated txid: %s",
                            json_text(&list->items[i]));
    }
    *ret_txids = txids;
    *ret_n = list->count;
    return 0;
}

/* The block of a transaction that has an output left. */
static bool find_by_coin(struct rpc_call *call, struct block_info *ret_info,
                         const struct txid *txid)
{
    struct node *node = call->context->node;
    struct outpoint outpoint = {.txid = *txid};
    struct coin coin;

    for (; outpoint.vout < OUTPUTS_MAX; outpoint.vout++) {
        if (node->ops->coin(node, &coin, NULL, &outpoint, call->arena, NULL) == 0)
            return node->ops->block_by_height(node, ret_info, (int32_t)coin.height) == 0;
    }
    return false;
}

static int find_block(struct rpc_call *call, struct block_info *ret_info, const struct txid *txids,
                      uint32_t n)
{
    if (rpc_arg_given(call, 1))
        return find_block_by_arg(call, ret_info, 1);
    for (uint32_t i = 0; i < n; i++) {
        if (find_by_coin(call, ret_info, &txids[i]))
            return 0;
    }
    return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Transaction not yet in block");
}

static int get_tx_out_proof(struct rpc_call *call)
{
    struct block_data data = {0};
    struct block_info info;
    struct buf out = {0};
    struct txid *txids = NULL;
    uint32_t found_n = 0;
    uint32_t n = 0;
    int rc = read_txids(call, &txids, &n);

    if (rc == 0)
        rc = find_block(call, &info, txids, n);
    if (rc == 0)
        rc = load_block(call, &data, NULL, &info);
    if (rc < 0)
        return rc;
    for (uint32_t i = 0; i < data.block.tx_n; i++)
        found_n += is_wanted(txids, n, &data.block.tx[i].txid);
    if (found_n != n) {
        rc = rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY,
                      "Not all transactions found in specified or retrieved block");
    } else {
        write_proof(&out, &data.block, txids, n, call->arena);
        json_hex(call->out, span_of_buf(&out));
    }
    buf_clear(&out);
    block_data_clear(&data);
    return rc;
}

static int verify_tx_out_proof(struct rpc_call *call)
{
    struct node *node = call->context->node;
    struct partial_tree tree;
    struct txid *found = NULL;
    uint32_t found_n = 0;
    struct block_info info;
    struct block_hash hash;
    struct header header;
    struct reader r;
    struct span bytes;
    bool is_good;
    int rc = rpc_arg_hex(call, &bytes, 0);

    if (rc < 0)
        return rc;
    reader_init(&r, bytes.data, bytes.len);
    header_read(&header, &r);
    tree.leaves_n = read_le32(&r);
    tree.hashes = read_span(&r, (size_t)read_length(&r) * HASH_BYTES);
    tree.flags = read_var_bytes(&r);
    if (r.rc < 0)
        return rpc_fail(call, RPC_MISC_ERROR, "proof ends too early");
    is_good = partial_tree_check(&tree, &header.merkle_root, &found, &found_n, call->arena);
    hash = header_hash(&header);
    if (is_good && (node->ops->block_by_hash(node, &info, &hash) < 0 || !info.in_active_chain ||
                    info.tx_n == 0))
        return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Block not found in chain");
    json_begin_array(call->out);
    /* A proof with another number of transactions may be about an inner node. */
    for (uint32_t i = 0; is_good && info.tx_n == tree.leaves_n && i < found_n; i++)
        json_hex_reversed(call->out, span_of(found[i].b, HASH_BYTES));
    json_end_array(call->out);
    return 0;
}

const struct rpc_method rpc_proof_methods[] = {
    {.name = "gettxoutproof",
     .group = "blockchain",
     .summary = "Proves that transactions are in a block. Without the block's hash this works only "
                "while\none of them has an unspent output.",
     .params = RPC_PARAMS({"txids", RPC_ARR, RPC_REQUIRED, "The transactions.",
                           RPC_PARAMS({"txid", RPC_HEX, RPC_OMITTED, "One of them."})},
                          {"blockhash", RPC_HEX, RPC_OMITTED, "The block."}),
     .results = RPC_RESULTS({RPC_STR, .text = "The proof in hexadecimal."}),
     .examples =
         RPC_EXAMPLES("'[\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\"]'"),
     .run = get_tx_out_proof},
    {.name = "verifytxoutproof",
     .group = "blockchain",
     .summary = "Checks a proof of gettxoutproof. Fails if the block is not on the active chain.",
     .params = RPC_PARAMS({"proof", RPC_HEX, RPC_REQUIRED, "The proof in hexadecimal."}),
     .results = RPC_RESULTS({RPC_ARR, .text = "The transactions it proves; none for a bad proof.",
                             .inner = RPC_RESULTS({RPC_HEX, .text = "A txid."})}),
     .examples = RPC_EXAMPLES("\"hexdata\""),
     .run = verify_tx_out_proof},
    {.name = NULL},
};
