/* Methods that make, take in and weigh blocks. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/hex.h"
#include "consensus/pow.h"
#include "consensus/rules.h"
#include "iface/mempool.h"
#include "iface/miner.h"
#include "keys/address.h"
#include "keys/descriptor.h"
#include "rpc/args.h"
#include "rpc/block_arg.h"
#include "rpc/block_json.h"
#include "rpc/branch.h"
#include "rpc/groups.h"
#include "rpc/help.h"

#define GENERATE_MAX 1000000

/* --- Where the coins go --- */

/* The one script that a descriptor stands for; of combo() the hash of the key. */
static int script_of_descriptor(struct rpc_call *call, struct span *ret_script, const char *text,
                                bool *ret_is_descriptor)
{
    struct descriptor *descriptor = NULL;
    struct script_list scripts = {0};
    struct keyring ring;
    struct buf why = {0};
    int rc = 0;

    *ret_is_descriptor = true;
    keyring_init(&ring);
    if (descriptor_parse(&descriptor, &ring, span_of_string(text), false, call->context->params,
                         &why) < 0) {
        *ret_is_descriptor = false;
        rc = rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "%s", buf_string(&why));
        goto done;
    }
    if (descriptor_branches(descriptor) > 1) {
        rc = rpc_fail(call, RPC_INVALID_PARAMETER, "Multipath descriptor not accepted");
        goto done;
    }
    if (descriptor_is_range(descriptor)) {
        rc = rpc_fail(call, RPC_INVALID_PARAMETER,
                      "Ranged descriptor not accepted. Maybe pass through deriveaddresses first?");
        goto done;
    }
    if (!descriptor_expand(descriptor, &scripts, NULL, 0, 0, &ring) || scripts.n == 0) {
        rc =
            rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Cannot derive script without private keys");
        goto done;
    }
    {
        /* combo(): bare key, P2PKH and, for compressed keys, P2WPKH and its P2SH. */
        size_t chosen = scripts.n == 1 ? 0 : scripts.n == 4 ? 2 : 1;
        const struct buf *script = &scripts.scripts[chosen];
        uint8_t *copy = arena_alloc(call->arena, script->len + 1);

        memcpy(copy, script->data, script->len);
        *ret_script = span_of(copy, script->len);
    }
done:
    script_list_clear(&scripts);
    descriptor_free(descriptor);
    keyring_clear(&ring);
    buf_clear(&why);
    return rc;
}

/* False: text is no address of this network. */
static bool script_of_address(struct rpc_call *call, struct span *ret_script, const char *text)
{
    struct destination destination;
    struct buf script = {0};
    uint8_t *copy;

    if (!address_read(&destination, span_of_string(text), call->context->params, NULL))
        return false;
    destination_write_script(&script, &destination);
    copy = arena_alloc(call->arena, script.len + 1);
    if (script.len > 0)
        memcpy(copy, script.data, script.len);
    *ret_script = span_of(copy, script.len);
    buf_clear(&script);
    return true;
}

/* --- generate --- */

static int generate_to(struct rpc_call *call, struct span script)
{
    struct miner *miner = call->context->miner;
    struct error err = {0};
    struct block_hash *hashes;
    int64_t count;
    int64_t tries;
    uint32_t n = 0;
    int rc = rpc_arg_int(call, &count, 0, INT32_MIN, INT32_MAX);

    if (rc == 0)
        rc = rpc_arg_int(call, &tries, 2, 0, INT64_MAX);
    if (rc < 0)
        return rc;
    count = MAX(0, MIN(count, GENERATE_MAX));
    hashes = alloc_array((size_t)count + 1, sizeof(*hashes));
    if (count > 0)
        rc =
            miner->ops->generate(miner, hashes, &n, (uint32_t)count, script, (uint64_t)tries, &err);
    if (rc < 0 && rc != E_STOPPED) {
        rc = rpc_fail(call, RPC_INTERNAL_ERROR, "ProcessNewBlock, block not accepted: %s",
                      error_text(&err));
    } else {
        json_begin_array(call->out);
        for (uint32_t i = 0; i < n; i++)
            json_hex_reversed(call->out, span_of(hashes[i].b, HASH_BYTES));
        json_end_array(call->out);
        rc = 0;
    }
    free(hashes);
    return rc;
}

static int generate_to_address(struct rpc_call *call)
{
    struct span script;
    const char *text;
    int rc = rpc_arg_string(call, &text, 1);

    if (rc < 0)
        return rc;
    if (!script_of_address(call, &script, text))
        return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Error: Invalid address");
    return generate_to(call, script);
}

static int generate_to_descriptor(struct rpc_call *call)
{
    struct span script = {0};
    const char *text;
    bool is_descriptor;
    int rc = rpc_arg_string(call, &text, 1);

    if (rc == 0)
        rc = script_of_descriptor(call, &script, text, &is_descriptor);
    return rc < 0 ? rc : generate_to(call, script);
}

static int generate(struct rpc_call *call)
{
    struct buf text = {0};
    int rc;

    rpc_help_method(&text, call->method);
    rc = rpc_fail(call, RPC_METHOD_NOT_FOUND, "%s", buf_string(&text));
    buf_clear(&text);
    return rc;
}

/* A transaction of the mempool, by its id; it lives as long as the call. */
static int take_from_mempool(struct rpc_call *call, struct tx *ret_tx, const struct json *value)
{
    struct mempool_view *mempool = call->context->mempool;
    struct tx_name name = {.is_wtxid = false};
    const struct tx_ref *ref = NULL;
    struct buf raw = {0};
    struct reader r;
    uint8_t *copy;
    int rc = rpc_value_hash(call, name.id, value, "txid");

    if (rc < 0)
        return rc;
    if (mempool != NULL)
        ref = mempool->ops->find(mempool, NULL, &name);
    if (ref == NULL)
        return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Transaction %s not in mempool.",
                        json_text(value));
    tx_write(&raw, &ref->tx, true);
    copy = arena_alloc(call->arena, raw.len);
    memcpy(copy, raw.data, raw.len);
    reader_init(&r, copy, raw.len);
    CHECK(tx_read(ret_tx, &r, call->arena, TX_READ_IDS) == 0);
    buf_clear(&raw);
    tx_ref_drop(ref);
    return 0;
}

/* Reads one transaction of generateblock's list. */
static int read_tx(struct rpc_call *call, struct tx *ret_tx, const struct json *value)
{
    struct span bytes;
    struct reader r;
    const char *text;
    int rc = rpc_value_string(call, &text, value);

    if (rc < 0)
        return rc;
    if (value->text.len == 2 * HASH_BYTES && strspn(text, "0123456789abcdefABCDEF") == 64)
        return take_from_mempool(call, ret_tx, value);
    if (rpc_value_hex(call, &bytes, value, "rawtx") == 0) {
        reader_init(&r, bytes.data, bytes.len);
        if (tx_read(ret_tx, &r, call->arena, TX_READ_IDS) == 0 && r.left == 0)
            return 0;
    }
    return rpc_fail(call, RPC_DESERIALIZATION_ERROR,
                    "Transaction decode failed for %s. Make sure the tx has at least one input.",
                    text);
}

static int read_output(struct rpc_call *call, struct span *ret_script)
{
    const char *text;
    bool is_descriptor;
    int rc = rpc_arg_string(call, &text, 0);

    if (rc < 0)
        return rc;
    rc = script_of_descriptor(call, ret_script, text, &is_descriptor);
    if (rc < 0 && !is_descriptor) {
        rc = 0;
        if (!script_of_address(call, ret_script, text))
            rc = rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Error: Invalid address or descriptor");
    }
    return rc;
}

static int generate_block(struct rpc_call *call)
{
    struct miner *miner = call->context->miner;
    const struct json *list = rpc_arg(call, 1);
    struct submit_result test = {0};
    struct error err = {0};
    struct block_hash hash;
    struct buf block = {0};
    struct span script = {0};
    struct tx *txs;
    bool submit;
    int rc = read_output(call, &script);

    if (rc == 0)
        rc = rpc_arg_bool(call, &submit, 2);
    if (rc < 0)
        return rc;
    txs = arena_array(call->arena, list->count + 1U, sizeof(*txs));
    for (uint32_t i = 0; i < list->count; i++) {
        rc = read_tx(call, &txs[i], &list->items[i]);
        if (rc < 0)
            return rc;
    }
    rc = miner->ops->generate_block(miner, &test, &hash, submit ? NULL : &block, script, txs,
                                    list->count, submit, &err);
    if (rc == 0 && test.verdict != V_VALID)
        rc = rpc_fail(call, RPC_VERIFY_ERROR, "TestBlockValidity failed: %s%s%s", test.reason,
                      test.detail[0] == '\0' ? "" : ", ", test.detail);
    else if (rc < 0)
        rc = rpc_fail(call, RPC_MISC_ERROR, "%s", error_text(&err));
    if (rc == 0) {
        json_begin_object(call->out);
        json_put_hash(call->out, "hash", hash.b);
        if (!submit)
            json_put_hex(call->out, "hex", span_of_buf(&block));
        json_end_object(call->out);
    }
    buf_clear(&block);
    return rc;
}

/* --- submit --- */

/* Miners may leave out the reserved value of a coinbase that commits to witnesses
 * (BIP 141); then it is filled in. */
static void complete_coinbase(struct rpc_call *call, struct span *bytes, const struct block *block,
                              bool has_segwit)
{
    static const uint8_t zeros[HASH_BYTES];
    static const struct span reserved = {zeros, HASH_BYTES};
    struct tx coinbase;
    struct tx_in in;
    struct buf whole = {0};
    uint8_t *copy;
    size_t rest;

    if (!has_segwit || block->tx_n == 0 || block->tx[0].has_witness || block->tx[0].in_n == 0 ||
        witness_commitment_index(block) < 0)
        return;
    coinbase = block->tx[0];
    in = coinbase.in[0];
    in.witness = &reserved;
    in.witness_n = 1;
    coinbase.in = &in;
    coinbase.in_n = 1;
    coinbase.has_witness = true;
    buf_add(&whole, bytes->data, (size_t)(block->tx[0].raw.data - bytes->data));
    tx_write(&whole, &coinbase, true);
    rest = (size_t)(block->tx[0].raw.data - bytes->data) + block->tx[0].raw.len;
    buf_add(&whole, bytes->data + rest, bytes->len - rest);
    copy = arena_alloc(call->arena, whole.len);
    memcpy(copy, whole.data, whole.len);
    *bytes = span_of(copy, whole.len);
    buf_clear(&whole);
}

static int submit_block(struct rpc_call *call)
{
    struct node *node = call->context->node;
    const int32_t segwit_height = call->context->params->buried_height[BURIED_SEGWIT];
    struct submit_result result = {0};
    struct error err = {0};
    struct block_info parent;
    struct block block;
    struct span bytes;

    if (rpc_arg_hex(call, &bytes, 0) < 0 || !block_arg_read(&block, &bytes, call->arena))
        return rpc_fail(call, RPC_DESERIALIZATION_ERROR, "Block decode failed");
    if (node->ops->block_by_hash(node, &parent, &block.header.prev) == 0)
        complete_coinbase(call, &bytes, &block, parent.height + 1 >= segwit_height);
    if (node->ops->submit_block(node, &result, bytes, &err) < 0)
        return rpc_fail(call, RPC_VERIFY_ERROR, "%s", error_text(&err));
    if (result.verdict != V_VALID)
        json_string(call->out, result.reason);
    else if (!result.is_new)
        json_string(call->out, "duplicate");
    else if (!result.is_judged)
        json_string(call->out, "inconclusive");
    else
        json_null(call->out);
    return 0;
}

static int submit_header(struct rpc_call *call)
{
    struct node *node = call->context->node;
    struct submit_result result = {0};
    struct error err = {0};
    struct block_info parent;
    struct header header;
    struct reader r;
    struct span bytes;

    if (rpc_arg_hex(call, &bytes, 0) < 0 || bytes.len < HEADER_BYTES)
        return rpc_fail(call, RPC_DESERIALIZATION_ERROR, "Block header decode failed");
    reader_init(&r, bytes.data, bytes.len);
    header_read(&header, &r);
    if (node->ops->block_by_hash(node, &parent, &header.prev) < 0)
        return rpc_fail(call, RPC_VERIFY_ERROR, "Must submit previous header (%s) first",
                        hash_hex(header.prev.b).text);
    if (node->ops->submit_header(node, &result, &header, &err) < 0)
        return rpc_fail(call, RPC_VERIFY_ERROR, "%s", error_text(&err));
    if (result.verdict != V_VALID)
        return rpc_fail(call, RPC_VERIFY_ERROR, "%s", result.reason);
    json_null(call->out);
    return 0;
}

/* --- Weighing --- */

/* Hashes a second between two blocks; 0 when the times do not tell. */
static int network_hashps(struct rpc_call *call, double *ret_rate, int64_t lookup, int64_t height)
{
    const struct params *params = call->context->params;
    struct node *node = call->context->node;
    struct node_status status;
    struct block_info last;
    struct block_info at;
    struct u256 work[2] = {{{0}}, {{0}}};
    uint32_t earliest;
    uint32_t latest;
    struct u256 done;

    *ret_rate = 0;
    node->ops->status(node, &status);
    if (lookup < -1 || lookup == 0)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Invalid nblocks. Must be a positive number or -1.");
    if (height < -1 || height > status.tip.height)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Block does not exist at specified height");
    last = status.tip;
    if (height >= 0 && node->ops->block_by_height(node, &last, (int32_t)height) < 0)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Block does not exist at specified height");
    if (last.height == 0)
        return 0;
    if (lookup == -1)
        lookup = last.height % (params->pow_target_timespan_s / params->pow_target_spacing_s) + 1;
    lookup = MIN(lookup, last.height);
    at = last;
    earliest = latest = last.header.time;
    for (int64_t i = 0; i < lookup; i++) {
        if (node->ops->ancestor(node, &at, &last.hash, at.height - 1) < 0)
            return rpc_fail(call, RPC_INTERNAL_ERROR, "could not walk the chain back");
        earliest = MIN(earliest, at.header.time);
        latest = MAX(latest, at.header.time);
    }
    if (earliest == latest)
        return 0;
    CHECK(u256_from_hex(&work[0], work_hex(last.chainwork).text));
    CHECK(u256_from_hex(&work[1], work_hex(at.chainwork).text));
    done = u256_subtract(&work[0], &work[1]);
    *ret_rate = u256_to_double(&done) / (double)(latest - earliest);
    return 0;
}

static int get_network_hashps(struct rpc_call *call)
{
    int64_t lookup;
    int64_t height;
    double rate;
    int rc = rpc_arg_int(call, &lookup, 0, INT32_MIN, INT32_MAX);

    if (rc == 0)
        rc = rpc_arg_int(call, &height, 1, INT32_MIN, INT32_MAX);
    if (rc == 0)
        rc = network_hashps(call, &rate, lookup, height);
    if (rc == 0)
        json_double(call->out, rate);
    return rc;
}

static uint32_t next_bits(struct rpc_call *call, const struct block_info *tip)
{
    struct host *host = call->context->host;
    struct branch branch = {.node = call->context->node, .hash = tip->hash};
    struct ancestry ancestry = {
        .tip_height = tip->height,
        .at = branch_at,
        .context = &branch,
    };
    int64_t now_s = host->ops->now_s(host);

    return pow_next_bits(&ancestry, (uint32_t)MAX(now_s, (int64_t)tip->median_time_past + 1),
                         call->context->params);
}

static void write_difficulty(struct json_writer *w, uint32_t bits)
{
    char target[HASH_HEX_SIZE];

    target_to_hex(target, bits);
    json_put_double(w, "difficulty", difficulty_of_bits(bits));
    json_put_string(w, "target", target);
}

static int get_mining_info(struct rpc_call *call)
{
    const struct params *params = call->context->params;
    struct node *node = call->context->node;
    struct json_writer *w = call->out;
    struct miner *miner = call->context->miner;
    struct mempool_view *mempool = call->context->mempool;
    struct mempool_status pool = {0};
    struct miner_info mining;
    struct node_status status;
    uint32_t bits;
    double rate;
    int rc = network_hashps(call, &rate, 120, -1);

    if (rc < 0)
        return rc;
    node->ops->status(node, &status);
    miner->ops->info(miner, &mining);
    if (mempool != NULL)
        mempool->ops->status(mempool, &pool);
    bits = next_bits(call, &status.tip);
    json_begin_object(w);
    json_put_int(w, "blocks", status.tip.height);
    if (mining.has_last) {
        json_put_int(w, "currentblockweight", mining.last_weight);
        json_put_uint(w, "currentblocktx", mining.last_txs_n);
    }
    json_put_string(w, "bits", bits_hex(status.tip.header.bits).text);
    write_difficulty(w, status.tip.header.bits);
    json_put_double(w, "networkhashps", rate);
    json_put_uint(w, "pooledtx", pool.txs_n);
    json_put_amount(w, "blockmintxfee", mining.min_sat_kvb);
    json_put_string(w, "chain", params->name);
    json_key(w, "next");
    json_begin_object(w);
    json_put_int(w, "height", status.tip.height + 1);
    json_put_string(w, "bits", bits_hex(bits).text);
    write_difficulty(w, bits);
    json_end_object(w);
    if (params->signet_blocks)
        json_put_hex(w, "signet_challenge", params->signet_challenge);
    if (mining.is_mining) {
        json_put_double(w, "hashespersec", mining.hashes_per_s);
        json_put_uint(w, "minedblocks", mining.mined_n);
    }
    write_warnings(call, &status);
    json_end_object(w);
    return 0;
}

#define HASHES_RESULT                                      \
    RPC_RESULTS({RPC_ARR, .text = "Hashes of the blocks.", \
                 .inner = RPC_RESULTS({RPC_HEX, .text = "A hash."})})
#define TRIES_PARAM                                               \
    {                                                             \
        "maxtries", RPC_NUM, "=1000000", "Hashes to try at most." \
    }

const struct rpc_method rpc_mining_methods[] = {
    {.name = "generate",
     .group = "hidden",
     .summary = "has been replaced by the -generate cli option. Refer to -help for more "
                "information.",
     .results = (const struct rpc_result[]){{.is_end = true}},
     .run = generate},
    {.name = "generateblock",
     .group = "hidden",
     .summary = "Mines one block of given transactions, in the given order. Their fees are not "
                "collected.",
     .params = RPC_PARAMS(
         {"output", RPC_STR, RPC_REQUIRED, "The address or descriptor that the subsidy goes to."},
         {"transactions", RPC_ARR, RPC_REQUIRED, "The transactions.",
          RPC_PARAMS({"rawtx/txid", RPC_HEX, RPC_OMITTED, "A transaction in hexadecimal."})},
         {"submit", RPC_BOOL, "=true", "false: return the block instead of submitting it."}),
     .results = RPC_RESULTS(
         {RPC_OBJ, .inner = RPC_RESULTS(
                       {RPC_HEX, "hash", "The block's hash."},
                       {RPC_HEX, "hex", "The block, when not submitted.", .flags = RPC_OPTIONAL})}),
     .examples = RPC_EXAMPLES("\"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080\" '[]'"),
     .run = generate_block},
    {.name = "generatetoaddress",
     .group = "hidden",
     .summary = "Mines blocks to an address.",
     .params =
         RPC_PARAMS({"nblocks", RPC_NUM, RPC_REQUIRED, "How many."},
                    {"address", RPC_STR, RPC_REQUIRED, "Where the subsidy goes."}, TRIES_PARAM),
     .results = HASHES_RESULT,
     .examples = RPC_EXAMPLES("11 \"myaddress\""),
     .run = generate_to_address},
    {.name = "generatetodescriptor",
     .group = "hidden",
     .summary = "Mines blocks to a descriptor.",
     .params =
         RPC_PARAMS({"num_blocks", RPC_NUM, RPC_REQUIRED, "How many."},
                    {"descriptor", RPC_STR, RPC_REQUIRED, "Where the subsidy goes."}, TRIES_PARAM),
     .results = HASHES_RESULT,
     .examples = RPC_EXAMPLES("5 \"raw(51)#8lvh9jxk\""),
     .run = generate_to_descriptor},
    {.name = "getmininginfo",
     .group = "mining",
     .summary = "Tells about mining: difficulty, the network's hash rate, the next block.",
     .results = RPC_RESULTS(
         {RPC_OBJ,
          .inner = RPC_RESULTS(
              {RPC_NUM, "blocks", "Height of the tip."},
              {RPC_NUM, "currentblockweight",
               "Weight of the last template made, with what is "
               "kept for header and coinbase.",
               .flags = RPC_OPTIONAL},
              {RPC_NUM, "currentblocktx", "Its transactions without the coinbase.",
               .flags = RPC_OPTIONAL},
              {RPC_HEX, "bits", "Its target, compact form."},
              {RPC_NUM, "difficulty", "Its difficulty."}, {RPC_HEX, "target", "Its target."},
              {RPC_NUM, "networkhashps", "Hashes a second, an estimate."},
              {RPC_NUM, "pooledtx", "Transactions in the mempool."},
              {RPC_AMOUNT, "blockmintxfee", "Least fee rate of mined transactions, BTC/kvB."},
              {RPC_STR, "chain", "The network."},
              {RPC_OBJ, "next", "The block after the tip.",
               RPC_RESULTS({RPC_NUM, "height", "Its height."},
                           {RPC_HEX, "bits", "Its target, compact form."},
                           {RPC_NUM, "difficulty", "Its difficulty."},
                           {RPC_HEX, "target", "Its target."})},
              {RPC_HEX, "signet_challenge", "The script that blocks satisfy, on signet.",
               .flags = RPC_OPTIONAL},
              {RPC_NUM, "hashespersec", "With -mine: hashes a second of this node.",
               .flags = RPC_OPTIONAL},
              {RPC_NUM, "minedblocks", "With -mine: blocks this node has found since its start.",
               .flags = RPC_OPTIONAL},
              {RPC_ANY, "warnings", "Warnings, a list of texts."})}),
     .examples = RPC_EXAMPLES(""),
     .run = get_mining_info},
    {.name = "getnetworkhashps",
     .group = "mining",
     .summary = "Estimates the hashes a second of the whole network.",
     .params = RPC_PARAMS({"nblocks", RPC_NUM, "=120",
                           "Over so many blocks; -1: since the last change of difficulty."},
                          {"height", RPC_NUM, "=-1", "At the time of this block; -1: the tip."}),
     .results = RPC_RESULTS({RPC_NUM, .text = "Hashes a second."}),
     .examples = RPC_EXAMPLES("", "-1 2000"),
     .run = get_network_hashps},
    {.name = "submitblock",
     .group = "mining",
     .summary = "Offers a block to the node (BIP 22).",
     .params = RPC_PARAMS({"hexdata", RPC_HEX, RPC_REQUIRED, "The block in hexadecimal."},
                          {"dummy", RPC_STR, "~ignored", "Passed over.", .flags = RPC_OBSOLETE}),
     .results = RPC_RESULTS({RPC_NULL, .when = "when it was accepted"},
                            {RPC_STR, .when = "otherwise", .text = "Why it was not."}),
     .examples = RPC_EXAMPLES("\"hexdata\""),
     .run = submit_block},
    {.name = "submitheader",
     .group = "mining",
     .summary = "Offers a header to the node. Fails if it is invalid.",
     .params = RPC_PARAMS({"hexdata", RPC_HEX, RPC_REQUIRED, "80 bytes in hexadecimal."}),
     .results = RPC_RESULTS({RPC_NULL}),
     .examples = RPC_EXAMPLES("\"hexdata\""),
     .run = submit_header},
    {.name = NULL},
};
