#include "rpc/block_json.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "consensus/pow.h"
#include "rpc/args.h"

double difficulty_of_bits(uint32_t bits)
{
    unsigned exponent = bits >> 24;
    double difficulty = (double)0xffff / (double)(bits & 0xffffffU);

    /* Powers of 256 are exact in floating point, so their order does not matter. */
    for (; exponent < 29; exponent++)
        difficulty *= 256.0;
    for (; exponent > 29; exponent--)
        difficulty /= 256.0;
    return difficulty;
}

void target_to_hex(char *ret_text, uint32_t bits)
{
    struct u256 target = target_of_bits(bits, NULL, NULL);

    u256_to_hex(ret_text, &target);
}

struct bits_hex bits_hex(uint32_t bits)
{
    struct bits_hex hex;

    (void)snprintf(hex.text, sizeof(hex.text), "%08x", bits);
    return hex;
}

struct hash_hex work_hex(const uint8_t *chainwork)
{
    struct hash_hex hex;

    hex_write(hex.text, chainwork, HASH_BYTES);
    return hex;
}

int32_t confirmations_of(const struct block_info *info, int32_t tip_height)
{
    return info->in_active_chain ? tip_height - info->height + 1 : -1;
}

void write_header_members(struct json_writer *w, const struct block_info *info, int32_t tip_height)
{
    char target[HASH_HEX_SIZE];

    target_to_hex(target, info->header.bits);
    json_put_hash(w, "hash", info->hash.b);
    json_put_int(w, "confirmations", confirmations_of(info, tip_height));
    json_put_int(w, "height", info->height);
    json_put_int(w, "version", info->header.version);
    json_put_string(w, "versionHex", bits_hex((uint32_t)info->header.version).text);
    json_put_hash(w, "merkleroot", info->header.merkle_root.b);
    json_put_uint(w, "time", info->header.time);
    json_put_uint(w, "mediantime", info->median_time_past);
    json_put_uint(w, "nonce", info->header.nonce);
    json_put_string(w, "bits", bits_hex(info->header.bits).text);
    json_put_string(w, "target", target);
    json_put_double(w, "difficulty", difficulty_of_bits(info->header.bits));
    json_put_string(w, "chainwork", work_hex(info->chainwork).text);
    json_put_uint(w, "nTx", info->tx_n);
    if (info->height > 0)
        json_put_hash(w, "previousblockhash", info->header.prev.b);
    if (info->in_active_chain && info->has_next)
        json_put_hash(w, "nextblockhash", info->next.b);
}

int find_block_by_arg(struct rpc_call *call, struct block_info *ret_info, size_t index)
{
    struct node *node = call->context->node;
    struct block_hash hash;
    int rc = rpc_arg_hash(call, hash.b, index);

    if (rc < 0)
        return rc;
    if (node->ops->block_by_hash(node, ret_info, &hash) < 0)
        return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Block not found");
    return 0;
}

int find_block_by_value(struct rpc_call *call, struct block_info *ret_info,
                        const struct json *value)
{
    struct node *node = call->context->node;
    struct block_hash hash;
    int64_t height;
    int rc;

    if (value->type != JSON_NUMBER) {
        rc = rpc_value_hash(call, hash.b, value, "hash_or_height");
        if (rc == 0 && node->ops->block_by_hash(node, ret_info, &hash) < 0)
            rc = rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Block not found");
        return rc;
    }
    rc = rpc_value_int(call, &height, value, INT32_MIN, INT32_MAX);
    return rc < 0 ? rc : find_block_at(call, ret_info, height);
}

int find_block_at(struct rpc_call *call, struct block_info *ret_info, int64_t height)
{
    struct node *node = call->context->node;
    struct node_status status;

    if (height < 0)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Target block height %lld is negative",
                        (long long)height);
    node->ops->status(node, &status);
    if (height > status.tip.height ||
        node->ops->block_by_height(node, ret_info, (int32_t)height) < 0)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Target block height %lld after current tip %d", (long long)height,
                        status.tip.height);
    return 0;
}

void write_warnings(struct rpc_call *call, const struct node_status *status)
{
    const char *last = "";

    for (size_t i = 0; i < NODE_WARNINGS_N; i++) {
        if (status->warnings[i][0] != '\0')
            last = status->warnings[i];
    }
    json_key(call->out, "warnings");
    if (rpc_is_deprecated_enabled(call->context, "warnings")) {
        json_string(call->out, last);
        return;
    }
    json_begin_array(call->out);
    for (size_t i = 0; i < NODE_WARNINGS_N; i++) {
        if (status->warnings[i][0] != '\0')
            json_string(call->out, status->warnings[i]);
    }
    json_end_array(call->out);
}

static int fail_absent(struct rpc_call *call, const struct block_info *info, const char *what)
{
    struct node *node = call->context->node;
    struct node_status status;

    /* It was there once: the transactions were counted. */
    node->ops->status(node, &status);
    if (status.pruned && info->tx_n > 0)
        return rpc_fail(call, RPC_MISC_ERROR, "%s not available (pruned data)", what);
    if (strcmp(what, "Block") != 0)
        return rpc_fail(call, RPC_MISC_ERROR, "%s not available", what);
    return rpc_fail(call, RPC_MISC_ERROR, "Block not available (not fully downloaded)");
}

int load_block(struct rpc_call *call, struct block_data *ret_data, struct undo_data *ret_undo,
               const struct block_info *info)
{
    struct node *node = call->context->node;

    if (!info->have_data)
        return fail_absent(call, info, "Block");
    if (node->ops->read_block(node, ret_data, &info->hash, NULL) < 0)
        return rpc_fail(call, RPC_MISC_ERROR, "Block not found on disk");
    if (ret_undo == NULL || info->height == 0)
        return 0;
    if (!info->have_undo) {
        block_data_clear(ret_data);
        return fail_absent(call, info, "Undo data");
    }
    if (node->ops->read_undo(node, ret_undo, &info->hash, NULL) < 0) {
        block_data_clear(ret_data);
        return rpc_fail(call, RPC_MISC_ERROR, "Can't read undo data from disk");
    }
    return 0;
}
