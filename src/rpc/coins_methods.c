/* Methods about the unspent outputs. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "rpc/args.h"
#include "rpc/block_json.h"
#include "rpc/groups.h"
#include "rpc/tx_json.h"

#define UNCONFIRMED UINT32_MAX

/* With the mempool: unless it is spent there, and those its transactions make. */
static int find_coin(struct rpc_call *call, struct coin *ret_coin, struct block_info *ret_tip,
                     const struct outpoint *outpoint, bool with_mempool, struct error *err)
{
    struct mempool_view *pool = call->context->mempool;
    struct node *node = call->context->node;
    const struct tx_ref *spender;
    struct node_status status;
    struct tx_out out;

    if (!with_mempool || pool == NULL)
        return node->ops->coin(node, ret_coin, ret_tip, outpoint, call->arena, err);
    spender = pool->ops->spender(pool, outpoint);
    tx_ref_drop(spender);
    if (spender != NULL)
        return E_NOT_FOUND;
    if (!pool->ops->output(pool, &out, outpoint, call->arena))
        return node->ops->coin(node, ret_coin, ret_tip, outpoint, call->arena, err);
    node->ops->status(node, &status);
    *ret_tip = status.tip;
    *ret_coin = (struct coin){
        .value_sat = out.value_sat, .script_pubkey = out.script_pubkey, .height = UNCONFIRMED};
    return 0;
}

static int get_tx_out(struct rpc_call *call)
{
    struct json_writer *w = call->out;
    struct outpoint outpoint;
    struct error err = {0};
    struct block_info tip;
    struct coin coin;
    bool with_mempool;
    int64_t n = 0;
    int rc = rpc_arg_hash(call, outpoint.txid.b, 0);

    if (rc == 0)
        rc = rpc_arg_int(call, &n, 1, 0, UINT32_MAX);
    if (rc == 0)
        rc = rpc_arg_bool(call, &with_mempool, 2);
    if (rc < 0)
        return rc;
    outpoint.vout = (uint32_t)n;
    rc = find_coin(call, &coin, &tip, &outpoint, with_mempool, &err);
    if (rc == E_NOT_FOUND) {
        json_null(w);
        return 0;
    }
    if (rc < 0)
        return rpc_fail(call, RPC_INTERNAL_ERROR, "%s", error_text(&err));
    json_begin_object(w);
    json_put_hash(w, "bestblock", tip.hash.b);
    json_put_int(w, "confirmations",
                 coin.height == UNCONFIRMED ? 0 : tip.height - (int64_t)coin.height + 1);
    json_put_amount(w, "value", coin.value_sat);
    json_key(w, "scriptPubKey");
    json_begin_object(w);
    write_script_members(w, coin.script_pubkey, true, NULL, call->context->params);
    json_end_object(w);
    json_put_bool(w, "coinbase", coin.is_coinbase);
    json_end_object(w);
    return 0;
}

static bool may_go_on(void *context)
{
    struct host *host = context;

    return !host->ops->is_stopping(host);
}

static int read_hash_kind(struct rpc_call *call, enum utxo_hash_kind *ret_kind)
{
    const char *text = "";
    int rc = rpc_arg_string(call, &text, 0);

    if (rc < 0)
        return rc;
    if (strcmp(text, "hash_serialized_3") == 0)
        *ret_kind = UTXO_HASH_SERIALIZED_3;
    else if (strcmp(text, "muhash") == 0)
        *ret_kind = UTXO_HASH_MUHASH;
    else if (strcmp(text, "none") == 0)
        *ret_kind = UTXO_HASH_NONE;
    else
        return rpc_fail(call, RPC_INVALID_PARAMETER, "'%s' is not a valid hash_type", text);
    return 0;
}

static int get_tx_out_set_info(struct rpc_call *call)
{
    struct node *node = call->context->node;
    struct json_writer *w = call->out;
    struct utxo_stats stats;
    struct error err = {0};
    enum utxo_hash_kind kind = UTXO_HASH_NONE;
    int rc = read_hash_kind(call, &kind);

    if (rc < 0)
        return rc;
    if (rpc_arg_given(call, 1))
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Querying specific block heights requires coinstatsindex");
    rc = node->ops->utxo_stats(node, &stats, kind, may_go_on, call->context->host, &err);
    if (rc == E_STOPPED)
        return rpc_fail(call, RPC_CLIENT_NOT_CONNECTED, "Shutting down");
    if (rc < 0)
        return rpc_fail(call, RPC_INTERNAL_ERROR, "Unable to read UTXO set: %s", error_text(&err));
    json_begin_object(w);
    json_put_int(w, "height", stats.at.height);
    json_put_hash(w, "bestblock", stats.at.hash.b);
    json_put_uint(w, "txouts", stats.outputs_n);
    json_put_uint(w, "bogosize", stats.bogosize);
    if (kind == UTXO_HASH_SERIALIZED_3)
        json_put_hash(w, "hash_serialized_3", stats.hash);
    if (kind == UTXO_HASH_MUHASH)
        json_put_hash(w, "muhash", stats.hash);
    json_put_amount(w, "total_amount", stats.total_sat);
    json_put_uint(w, "transactions", stats.tx_n);
    json_put_uint(w, "disk_size", stats.disk_bytes);
    json_end_object(w);
    return 0;
}

static int fail_path(struct rpc_call *call, char *own_path, const char *format)
{
    int rc = rpc_fail(call, RPC_INVALID_PARAMETER, format, own_path);

    free(own_path);
    return rc;
}

/* The height of the newest snapshot that loadtxoutset takes. */
static int32_t newest_snapshot_height(const struct params *params)
{
    int32_t height = 0;

    for (size_t i = 0; i < params->snapshots_n; i++)
        height = MAX(height, params->snapshots[i].height);
    return height;
}

/* *ret_is_tip: as of the tip; otherwise as of *ret_base. */
static int read_snapshot_base(struct rpc_call *call, bool *ret_is_tip, struct block_info *ret_base)
{
    struct node *node = call->context->node;
    const struct json *options = rpc_arg(call, 2);
    const struct json *rollback = options == NULL ? NULL : json_find(options, "rollback");
    struct node_status status;
    const char *type = "";
    int rc = rpc_arg_string(call, &type, 1);

    if (rc < 0)
        return rc;
    *ret_is_tip = rollback == NULL && strcmp(type, "latest") == 0;
    if (*ret_is_tip)
        return 0;
    if (rollback != NULL && type[0] != '\0' && strcmp(type, "rollback") != 0)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Invalid snapshot type \"%s\" specified with rollback option", type);
    if (rollback == NULL && strcmp(type, "rollback") != 0)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Invalid snapshot type \"%s\" specified. Please specify \"rollback\" or "
                        "\"latest\"",
                        type);
    rc = rollback != NULL
             ? find_block_by_value(call, ret_base, rollback)
             : find_block_at(call, ret_base, newest_snapshot_height(call->context->params));
    if (rc < 0)
        return rc;
    node->ops->status(node, &status);
    *ret_is_tip = block_hash_equal(&ret_base->hash, &status.tip.hash);
    return 0;
}

static int fail_dump(struct rpc_call *call, char *own_path, int rc, const struct error *err)
{
    if (rc == E_EXISTS)
        return fail_path(call, own_path,
                         "%s already exists. If you are sure this is what you want, "
                         "move it out of the way first");
    if (rc == E_NOT_FOUND || rc == E_PERMISSION)
        return fail_path(call, own_path, "Couldn't open file %s.incomplete for writing.");
    free(own_path);
    if (rc == E_STOPPED)
        return rpc_fail(call, RPC_CLIENT_NOT_CONNECTED, "Shutting down");
    return rpc_fail(call, RPC_INTERNAL_ERROR, "%s", error_text(err));
}

/* Blocks from the base on must be there. */
static bool is_base_pruned(struct node *node, const struct block_info *base)
{
    struct node_status status;

    node->ops->status(node, &status);
    return status.pruned && status.prune_height > base->height;
}

static int dump_tx_out_set(struct rpc_call *call)
{
    struct node *node = call->context->node;
    struct host *host = call->context->host;
    struct json_writer *w = call->out;
    struct utxo_stats stats;
    struct block_info base;
    struct error err = {0};
    const char *path = "";
    bool is_tip;
    char *full;
    int rc = rpc_arg_string(call, &path, 0);

    if (rc == 0)
        rc = read_snapshot_base(call, &is_tip, &base);
    if (rc < 0)
        return rc;
    if (node->ops->dump_snapshot == NULL)
        return rpc_fail(call, RPC_MISC_ERROR, "This node makes no snapshots");
    if (!is_tip && is_base_pruned(node, &base))
        return rpc_fail(call, RPC_MISC_ERROR,
                        "Could not roll back to requested height since necessary block data is "
                        "already pruned.");
    full = host->ops->data_path(host, path);
    rc = node->ops->dump_snapshot(node, full, is_tip ? NULL : &base.hash, &stats, &err);
    if (rc < 0)
        return fail_dump(call, full, rc, &err);
    json_begin_object(w);
    json_put_uint(w, "coins_written", stats.outputs_n);
    json_put_hash(w, "base_hash", stats.at.hash.b);
    json_put_int(w, "base_height", stats.at.height);
    json_put_string(w, "path", full);
    json_put_hash(w, "txoutset_hash", stats.hash);
    json_put_uint(w, "nchaintx", stats.at.chain_tx_n);
    json_end_object(w);
    free(full);
    return 0;
}

static int load_tx_out_set(struct rpc_call *call)
{
    struct node *node = call->context->node;
    struct host *host = call->context->host;
    struct json_writer *w = call->out;
    struct error err = {0};
    struct block_info base;
    const char *path = "";
    uint64_t coins_n;
    char *full;
    int rc = rpc_arg_string(call, &path, 0);

    if (rc < 0)
        return rc;
    if (node->ops->load_snapshot == NULL)
        return rpc_fail(call, RPC_MISC_ERROR, "This node takes no snapshots");
    full = host->ops->data_path(host, path);
    rc = node->ops->load_snapshot(node, full, &base, &coins_n, &err);
    if (rc == E_NOT_FOUND || rc == E_PERMISSION)
        return fail_path(call, full, "Couldn't open file %s for reading.");
    if (rc == E_MALFORMED) {
        free(full);
        return rpc_fail(call, RPC_DESERIALIZATION_ERROR, "Unable to parse metadata: %s",
                        error_text(&err));
    }
    if (rc < 0) {
        rc = rpc_fail(call, RPC_INTERNAL_ERROR, "Unable to load UTXO snapshot: %s. (%s)",
                      error_text(&err), full);
        free(full);
        return rc;
    }
    json_begin_object(w);
    json_put_uint(w, "coins_loaded", coins_n);
    json_put_hash(w, "tip_hash", base.hash.b);
    json_put_int(w, "base_height", base.height);
    json_put_string(w, "path", full);
    json_end_object(w);
    free(full);
    return 0;
}

const struct rpc_method rpc_coins_methods[] = {
    {.name = "dumptxoutset",
     .group = "blockchain",
     .summary = "Writes all unspent outputs as of a block to a file, which loadtxoutset reads.",
     .params = RPC_PARAMS(
         {"path", RPC_STR, RPC_REQUIRED,
          "The file; relative paths start at the network's data directory. It must not exist, "
          "or be a named pipe that somebody reads."},
         {"type", RPC_STR, "=\"\"",
          "\"latest\": as of the tip. \"rollback\": as of the block that the option rollback "
          "names, "
          "or else of the newest one that loadtxoutset takes; a copy of the coins is rolled back, "
          "and the chain stays where it is."},
         {"options", RPC_OBJ_OPTIONS, RPC_OMITTED, NULL,
          RPC_PARAMS({"rollback", RPC_NUM, RPC_OMITTED, "The block, by hash or height.",
                      .flags = RPC_ANY_TYPE, .type_text = "string or numeric"},
                     {"in_memory", RPC_BOOL, "=false",
                      "Accepted for compatibility: the copy is cached "
                      "in memory and removed in any case."})}),
     .results = RPC_RESULTS(
         {RPC_OBJ,
          .inner = RPC_RESULTS({RPC_NUM, "coins_written", "Outputs in the file."},
                               {RPC_HEX, "base_hash", "The block it is as of."},
                               {RPC_NUM, "base_height", "Its height."},
                               {RPC_STR, "path", "The absolute path of the file."},
                               {RPC_HEX, "txoutset_hash", "Hash of the outputs."},
                               {RPC_NUM, "nchaintx", "Transactions of the chain up to it."})}),
     .examples = RPC_EXAMPLES("utxo.dat latest"),
     .run = dump_tx_out_set},
    {.name = "gettxout",
     .group = "blockchain",
     .summary = "Returns an unspent output, null if there is none.",
     .params = RPC_PARAMS(
         {"txid", RPC_STR, RPC_REQUIRED, "The transaction."},
         {"n", RPC_NUM, RPC_REQUIRED, "Which of its outputs."},
         {"include_mempool", RPC_BOOL, "=true", "Look at the mempool's transactions too."}),
     .results = RPC_RESULTS(
         {RPC_NULL, .when = "when there is none"},
         {RPC_OBJ, .when = "otherwise",
          .inner = RPC_RESULTS({RPC_HEX, "bestblock", "The tip."},
                               {RPC_NUM, "confirmations", "Blocks on top of it and its own."},
                               {RPC_AMOUNT, "value", "Its value in BTC."},
                               SCRIPT_OBJECT_RESULT("scriptPubKey", "Its script."),
                               {RPC_BOOL, "coinbase", "Did a coinbase make it?"})}),
     .examples =
         RPC_EXAMPLES("\"4a5e1e4baab89f3a32518a88c31bc87f618f76673e2cc77ab2127b7afdeda33b\" 1"),
     .run = get_tx_out},
    {.name = "gettxoutsetinfo",
     .group = "blockchain",
     .summary = "Counts, sums and hashes all unspent outputs. This may take long.",
     .params = RPC_PARAMS(
         {"hash_type", RPC_STR, "=\"hash_serialized_3\"", "hash_serialized_3, muhash or none."},
         {"hash_or_height", RPC_NUM, "~the current best block",
          "As of this block; needs an index that is not there yet.", .flags = RPC_ANY_TYPE,
          .type_text = "string or numeric"},
         {"use_index", RPC_BOOL, "=true", "Use the index, if there is one."}),
     .results = RPC_RESULTS(
         {RPC_OBJ,
          .inner = RPC_RESULTS(
              {RPC_NUM, "height", "Height of the block."},
              {RPC_HEX, "bestblock", "The block it is as of."}, {RPC_NUM, "txouts", "Outputs."},
              {RPC_NUM, "bogosize", "A size that does not depend on the database."},
              {RPC_HEX, "hash_serialized_3", "Their hash.", .flags = RPC_OPTIONAL},
              {RPC_HEX, "muhash", "Their hash.", .flags = RPC_OPTIONAL},
              {RPC_AMOUNT, "total_amount", "Their value in BTC."},
              {RPC_NUM, "transactions", "Transactions they are of."},
              {RPC_NUM, "disk_size", "Bytes on disk."})}),
     .examples = RPC_EXAMPLES("", "\"muhash\""),
     .run = get_tx_out_set_info},
    {.name = "loadtxoutset",
     .group = "blockchain",
     .summary =
         "Reads all unspent outputs as of a block from a file, as dumptxoutset writes it, and "
         "goes on from there. Only outputs whose hash this software knows are taken. The "
         "blocks before are verified meanwhile (see getchainstates); should they make other "
         "outputs, everything that came of the file is dropped and the node stops.",
     .params = RPC_PARAMS({"path", RPC_STR, RPC_REQUIRED,
                           "The file; relative paths start at the network's data directory."}),
     .results = RPC_RESULTS(
         {RPC_OBJ, .inner = RPC_RESULTS({RPC_NUM, "coins_loaded", "Outputs in the file."},
                                        {RPC_HEX, "tip_hash", "The block it is as of."},
                                        {RPC_NUM, "base_height", "Its height."},
                                        {RPC_STR, "path", "The absolute path of the file."})}),
     .examples = RPC_EXAMPLES("utxo.dat"),
     .run = load_tx_out_set},
    {.name = NULL},
};
