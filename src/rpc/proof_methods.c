/* Proofs that transactions are in a block: the part of its merkle tree that leads
 * to them, in the form of BIP 37's merkleblock. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "codec/reader.h"
#include "codec/writer.h"
#include "crypto/sha256.h"
#include "rpc/args.h"
#include "rpc/block_json.h"
#include "rpc/groups.h"

/* A transaction weighs at least 240: more than these are in no block. */
#define PROOF_TXS_MAX (4000000U / 240U)
/* Outputs that fit into a block at most. */
#define OUTPUTS_MAX (4000000U / (9U * 4U))
#define HEIGHT_MAX 16

static uint32_t width_at(uint32_t leaves_n, unsigned height)
{
    return (uint32_t)(((uint64_t)leaves_n + (UINT64_C(1) << height) - 1) >> height);
}

static void hash_pair(uint8_t *ret_hash, const uint8_t *left, const uint8_t *right)
{
    uint8_t pair[2 * HASH_BYTES];

    memcpy(pair, left, HASH_BYTES);
    memcpy(pair + HASH_BYTES, right, HASH_BYTES);
    sha256d(ret_hash, pair, sizeof(pair));
}

/* --- Making --- */

/* The whole tree with marks: which nodes have a wanted leaf below. */
struct tree {
    uint32_t leaves_n;
    unsigned height;
    uint8_t (*hashes[HEIGHT_MAX])[HASH_BYTES];
    bool *marks[HEIGHT_MAX];
};

struct proof {
    struct buf hashes;
    bool *bits; /* Room for two for each node. */
    uint32_t bits_n;
};

static void grow_tree(struct tree *tree, struct arena *arena)
{
    tree->height = 0;
    while (width_at(tree->leaves_n, tree->height) > 1) {
        unsigned h = tree->height++;
        uint32_t below = width_at(tree->leaves_n, h);
        uint32_t n = width_at(tree->leaves_n, h + 1);

        CHECK(tree->height < HEIGHT_MAX);
        tree->hashes[h + 1] = arena_alloc(arena, (size_t)n * HASH_BYTES);
        tree->marks[h + 1] = arena_array(arena, n, sizeof(bool));
        for (uint32_t i = 0; i < n; i++) {
            uint32_t right = MIN(2 * i + 1, below - 1);

            hash_pair(tree->hashes[h + 1][i], tree->hashes[h][2 * i], tree->hashes[h][right]);
            tree->marks[h + 1][i] = tree->marks[h][2 * i] || tree->marks[h][right];
        }
    }
}

/* Depth first: a bit for each node, a hash where the way ends. */
static void prove(const struct tree *tree, struct proof *proof, unsigned height, uint32_t at)
{
    bool is_marked = tree->marks[height][at];

    proof->bits[proof->bits_n++] = is_marked;
    if (height == 0 || !is_marked) {
        buf_add(&proof->hashes, tree->hashes[height][at], HASH_BYTES);
        return;
    }
    prove(tree, proof, height - 1, 2 * at);
    if (2 * at + 1 < width_at(tree->leaves_n, height - 1))
        prove(tree, proof, height - 1, 2 * at + 1);
}

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
    struct tree tree = {.leaves_n = block->tx_n};
    struct proof proof = {0};
    uint8_t header[HEADER_BYTES];

    tree.hashes[0] = arena_alloc(arena, (size_t)block->tx_n * HASH_BYTES);
    tree.marks[0] = arena_array(arena, block->tx_n, sizeof(bool));
    for (uint32_t i = 0; i < block->tx_n; i++) {
        memcpy(tree.hashes[0][i], block->tx[i].txid.b, HASH_BYTES);
        tree.marks[0][i] = is_wanted(wanted, wanted_n, &block->tx[i].txid);
    }
    grow_tree(&tree, arena);
    proof.bits = arena_array(arena, (size_t)block->tx_n * 2 + HEIGHT_MAX, sizeof(bool));
    prove(&tree, &proof, tree.height, 0);
    header_write(header, &block->header);
    buf_add(out, header, sizeof(header));
    write_le32(out, block->tx_n);
    write_compact_size(out, proof.hashes.len / HASH_BYTES);
    buf_add(out, proof.hashes.data, proof.hashes.len);
    write_compact_size(out, (proof.bits_n + 7) / 8);
    for (uint32_t i = 0; i < proof.bits_n; i += 8) {
        uint8_t byte = 0;

        for (uint32_t k = 0; k < 8 && i + k < proof.bits_n; k++)
            byte |= (uint8_t)(proof.bits[i + k] << k);
        write_u8(out, byte);
    }
    buf_clear(&proof.hashes);
}

/* --- Checking --- */

struct check {
    uint32_t leaves_n;
    struct span hashes;
    struct span bits;
    size_t hashes_used; /* Bytes. */
    size_t bits_used;
    struct txid *found; /* Room for leaves_n. */
    uint32_t found_n;
    bool is_bad;
};

static void walk(struct check *check, unsigned height, uint32_t at, uint8_t *ret_hash)
{
    uint8_t left[HASH_BYTES];
    uint8_t right[HASH_BYTES];
    bool is_marked;

    memset(ret_hash, 0, HASH_BYTES);
    if (check->is_bad || check->bits_used >= check->bits.len * 8) {
        check->is_bad = true;
        return;
    }
    is_marked = (check->bits.data[check->bits_used / 8] >> (check->bits_used % 8) & 1) != 0;
    check->bits_used++;
    if (height == 0 || !is_marked) {
        if (check->hashes_used + HASH_BYTES > check->hashes.len) {
            check->is_bad = true;
            return;
        }
        memcpy(ret_hash, check->hashes.data + check->hashes_used, HASH_BYTES);
        check->hashes_used += HASH_BYTES;
        if (height == 0 && is_marked)
            memcpy(check->found[check->found_n++].b, ret_hash, HASH_BYTES);
        return;
    }
    walk(check, height - 1, 2 * at, left);
    memcpy(right, left, HASH_BYTES);
    if (2 * at + 1 < width_at(check->leaves_n, height - 1)) {
        walk(check, height - 1, 2 * at + 1, right);
        /* Equal neighbours would let one tree pass for another (CVE-2012-2459). */
        if (memcmp(left, right, HASH_BYTES) == 0)
            check->is_bad = true;
    }
    hash_pair(ret_hash, left, right);
}

/* Does the proof lead to the root of its header, using all it has? */
static bool check_proof(struct check *check, const struct header *header, struct arena *arena)
{
    uint8_t root[HASH_BYTES];
    unsigned height = 0;

    if (check->leaves_n == 0 || check->leaves_n > PROOF_TXS_MAX ||
        check->hashes.len / HASH_BYTES > check->leaves_n ||
        check->bits.len * 8 < check->hashes.len / HASH_BYTES)
        return false;
    while (width_at(check->leaves_n, height) > 1)
        height++;
    check->found = arena_array(arena, check->leaves_n, sizeof(*check->found));
    walk(check, height, 0, root);
    return !check->is_bad && (check->bits_used + 7) / 8 == check->bits.len &&
           check->hashes_used == check->hashes.len &&
           memcmp(root, header->merkle_root.b, HASH_BYTES) == 0;
}

/* --- The methods --- */

static int read_txids(struct rpc_call *call, struct txid **ret_txids, uint32_t *ret_n)
{
    const struct json *list = rpc_arg(call, 0);
    struct txid *txids;

    if (list == NULL || list->count == 0)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Parameter 'txids' cannot be empty");
    if (list->count > PROOF_TXS_MAX)
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
    struct check check = {0};
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
    check.leaves_n = read_le32(&r);
    check.hashes = read_span(&r, (size_t)read_length(&r) * HASH_BYTES);
    check.bits = read_var_bytes(&r);
    if (r.rc < 0)
        return rpc_fail(call, RPC_MISC_ERROR, "proof ends too early");
    is_good = check_proof(&check, &header, call->arena);
    hash = header_hash(&header);
    if (is_good && (node->ops->block_by_hash(node, &info, &hash) < 0 || !info.in_active_chain ||
                    info.tx_n == 0))
        return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Block not found in chain");
    json_begin_array(call->out);
    /* A proof with another number of transactions may be about an inner node. */
    for (uint32_t i = 0; is_good && info.tx_n == check.leaves_n && i < check.found_n; i++)
        json_hex_reversed(call->out, span_of(check.found[i].b, HASH_BYTES));
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
