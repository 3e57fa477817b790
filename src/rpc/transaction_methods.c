/* Methods about raw transactions and scripts. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "base/hex.h"
#include "crypto/hash160.h"
#include "keys/descriptor.h"
#include "keys/script_write.h"
#include "keys/text.h"
#include "keys/wif.h"
#include "policy/policy.h"
#include "primitives/amount.h"
#include "rpc/args.h"
#include "rpc/groups.h"
#include "rpc/signing.h"
#include "rpc/tx_json.h"
#include "script/asm.h"
#include "script/build.h"
#include "script/parse.h"
#include "script/solver.h"

#define TX_VERSION_MIN 1
#define TX_VERSION_MAX 3
#define SEQUENCE_REPLACEABLE (SEQUENCE_FINAL - 2) /* BIP 125 */
#define SEQUENCE_NONFINAL (SEQUENCE_FINAL - 1)

/* --- Reading --- */

static bool script_is_sane(struct span script)
{
    return script.len <= SCRIPT_BYTES_MAX && script_has_valid_ops(script);
}

/* Do its scripts look like scripts? Tells a wrong reading from the right one. */
static bool scripts_are_sane(const struct tx *tx)
{
    for (uint32_t i = 0; i < tx->in_n && !tx_is_coinbase(tx); i++) {
        if (!script_is_sane(tx->in[i].script_sig))
            return false;
    }
    for (uint32_t i = 0; i < tx->out_n; i++) {
        if (!script_is_sane(tx->out[i].script_pubkey))
            return false;
    }
    return true;
}

bool read_raw_tx(struct tx *ret_tx, const char *hex, bool try_old, bool try_witness,
                 struct arena *arena)
{
    size_t len = strlen(hex);
    struct reader r;
    struct tx old;
    uint8_t *bytes;
    bool has_new = false;
    bool has_old = false;

    if (len == 0)
        return false;
    bytes = arena_alloc(arena, len / 2 + 1);
    if (!hex_read(bytes, len / 2, hex, len))
        return false;
    if (try_witness) {
        reader_init(&r, bytes, len / 2);
        has_new = tx_read(ret_tx, &r, arena, TX_READ_IDS) == 0 && r.left == 0;
        if (has_new && scripts_are_sane(ret_tx))
            return true;
    }
    if (try_old) {
        reader_init(&r, bytes, len / 2);
        has_old = tx_read_no_witness(&old, &r, arena) == 0 && r.left == 0;
    }
    /* Without inputs the old form may be taken for the marker of the new one. */
    if (has_old && (!has_new || scripts_are_sane(&old)))
        *ret_tx = old;
    return has_old || has_new;
}

/* --- decoderawtransaction, decodescript --- */

static int decode_raw_transaction(struct rpc_call *call)
{
    const struct tx_view view = {.coins = NULL};
    bool is_witness = false;
    bool is_told = rpc_arg_given(call, 1);
    const char *hex;
    struct tx tx;
    int rc = rpc_arg_string(call, &hex, 0);

    if (rc == 0 && is_told)
        rc = rpc_arg_bool(call, &is_witness, 1);
    if (rc < 0)
        return rc;
    if (!read_raw_tx(&tx, hex, !is_told || !is_witness, !is_told || is_witness, call->arena))
        return rpc_fail(call, RPC_DESERIALIZATION_ERROR, "TX decode failed");
    json_begin_object(call->out);
    write_tx_members(call->out, &tx, &view, call->context->params);
    json_end_object(call->out);
    return 0;
}

/* Can it stand behind the hash of a P2SH output? */
static bool can_be_hashed(struct span script, enum script_type type)
{
    struct script_iter iter = script_iter_of(script);
    struct span push;
    uint8_t op;

    switch (type) {
    case SCRIPT_TYPE_MULTISIG:
    case SCRIPT_TYPE_NONSTANDARD:
    case SCRIPT_TYPE_PUBKEY:
    case SCRIPT_TYPE_PUBKEYHASH:
    case SCRIPT_TYPE_WITNESS_V0_KEYHASH:
    case SCRIPT_TYPE_WITNESS_V0_SCRIPTHASH:
        break;
    default:
        return false;
    }
    if (!script_has_valid_ops(script) || script_is_unspendable(script))
        return false;
    while (script_next(&iter, &op, &push)) {
        if (op == OP_CHECKSIGADD || opcode_is_success(op))
            return false;
    }
    return true;
}

/* ... in a witness, where keys are compressed? */
static bool can_be_witnessed(const struct solution *solution)
{
    switch (solution->type) {
    case SCRIPT_TYPE_MULTISIG:
        for (size_t i = 0; i < solution->keys_n; i++) {
            if (solution->keys[i].len != PUBKEY_COMPRESSED_BYTES)
                return false;
        }
        return true;
    case SCRIPT_TYPE_PUBKEY:
        return solution->data.len == PUBKEY_COMPRESSED_BYTES;
    default:
        return solution->type == SCRIPT_TYPE_NONSTANDARD ||
               solution->type == SCRIPT_TYPE_PUBKEYHASH;
    }
}

static void put_p2sh_address(struct rpc_call *call, const char *key, struct span script)
{
    struct buf output = {0};

    script_write_p2sh_of(&output, script);
    json_key(call->out, key);
    write_address(call->out, span_of_buf(&output), call->context->params);
    buf_clear(&output);
}

static void put_segwit(struct rpc_call *call, struct span script, const struct solution *solution)
{
    uint8_t hash[HASH160_BYTES];
    struct buf segwit = {0};
    struct keyring ring;

    keyring_init(&ring);
    if (solution->type == SCRIPT_TYPE_PUBKEY) {
        hash160(hash, solution->data.data, solution->data.len);
        script_add_witness_program(&segwit, 0, span_of(hash, sizeof(hash)));
    } else if (solution->type == SCRIPT_TYPE_PUBKEYHASH) {
        script_add_witness_program(&segwit, 0, solution->data);
    } else {
        keyring_add_script(&ring, script);
        script_write_p2wsh_of(&segwit, script);
    }
    json_key(call->out, "segwit");
    json_begin_object(call->out);
    write_script_members(call->out, span_of_buf(&segwit), true, &ring, call->context->params);
    put_p2sh_address(call, "p2sh-segwit", span_of_buf(&segwit));
    json_end_object(call->out);
    keyring_clear(&ring);
    buf_clear(&segwit);
}

static int decode_script(struct rpc_call *call)
{
    struct span script = {0};
    struct solution solution;
    const char *hex;
    int rc = rpc_arg_string(call, &hex, 0);

    if (rc == 0 && hex[0] != '\0')
        rc = rpc_value_hex(call, &script, rpc_arg(call, 0), "argument");
    if (rc < 0)
        return rc;
    script_solve(&solution, script);
    json_begin_object(call->out);
    write_script_members(call->out, script, false, NULL, call->context->params);
    if (can_be_hashed(script, solution.type)) {
        put_p2sh_address(call, "p2sh", script);
        if (can_be_witnessed(&solution))
            put_segwit(call, script, &solution);
    }
    json_end_object(call->out);
    return 0;
}

/* --- createrawtransaction --- */

/* What createrawtransaction collects. */
struct draft {
    struct tx tx;
    struct tx_in *in;
    struct tx_out *out;
    struct destination *seen; /* Addresses so far. */
    size_t seen_n;
    bool has_data;
    bool contradicts; /* It should be replaceable, but no sequence number says so. */
};

static int add_input(struct rpc_call *call, struct draft *draft, const struct json *value,
                     uint32_t sequence)
{
    const struct json *vout = json_find(value, "vout");
    const struct json *given = json_find(value, "sequence");
    static const struct json absent = {.type = JSON_NULL};
    const struct json *txid = json_find(value, "txid");
    struct tx_in *in = &draft->in[draft->tx.in_n];
    int64_t number;
    int rc;

    rc = rpc_value_hash(call, in->prevout.txid.b, txid == NULL ? &absent : txid, "txid");
    if (rc < 0)
        return rc;
    if (vout == NULL || vout->type != JSON_NUMBER)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid parameter, missing vout key");
    rc = rpc_value_int(call, &number, vout, INT32_MIN, INT32_MAX);
    if (rc < 0)
        return rc;
    if (number < 0)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid parameter, vout cannot be negative");
    in->prevout.vout = (uint32_t)number;
    in->sequence = sequence;
    if (given != NULL && given->type == JSON_NUMBER) {
        rc = rpc_value_int(call, &number, given, INT64_MIN, INT64_MAX);
        if (rc < 0)
            return rc;
        if (number < 0 || number > SEQUENCE_FINAL)
            return rpc_fail(call, RPC_INVALID_PARAMETER,
                            "Invalid parameter, sequence number is out of range");
        in->sequence = (uint32_t)number;
    }
    draft->tx.in_n++;
    return 0;
}

static int add_inputs(struct rpc_call *call, struct draft *draft, const struct json *list)
{
    bool is_told = rpc_arg_given(call, 3);
    bool replaceable = true;
    uint32_t sequence = SEQUENCE_REPLACEABLE;
    bool signals = false;
    int rc = is_told ? rpc_arg_bool(call, &replaceable, 3) : 0;

    if (rc < 0)
        return rc;
    if (!replaceable)
        sequence = draft->tx.lock_time != 0 ? SEQUENCE_NONFINAL : SEQUENCE_FINAL;
    draft->in = arena_array(call->arena, list->count, sizeof(*draft->in));
    draft->tx.in = draft->in;
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i].type != JSON_OBJECT)
            return rpc_fail_type(call, &list->items[i], "object");
        rc = add_input(call, draft, &list->items[i], sequence);
        if (rc < 0)
            return rc;
        signals = signals || draft->in[i].sequence <= SEQUENCE_REPLACEABLE;
    }
    draft->contradicts = is_told && replaceable && list->count > 0 && !signals;
    return 0;
}

static struct span kept(struct rpc_call *call, struct buf *own_script)
{
    uint8_t *copy = arena_alloc(call->arena, own_script->len);
    struct span script = span_of(copy, own_script->len);

    if (own_script->len > 0)
        memcpy(copy, own_script->data, own_script->len);
    buf_clear(own_script);
    return script;
}

static int add_data(struct rpc_call *call, struct draft *draft, const struct json *value)
{
    struct tx_out *out = &draft->out[draft->tx.out_n];
    struct buf script = {0};
    struct span data;
    int rc;

    if (draft->has_data)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid parameter, duplicate key: data");
    draft->has_data = true;
    rc = rpc_value_hex(call, &data, value, "Data");
    if (rc < 0)
        return rc;
    script_add_op(&script, OP_RETURN);
    script_add_push(&script, data);
    out->value_sat = 0;
    out->script_pubkey = kept(call, &script);
    draft->tx.out_n++;
    return 0;
}

static int add_output(struct rpc_call *call, struct draft *draft, struct span key,
                      const struct json *value)
{
    struct tx_out *out = &draft->out[draft->tx.out_n];
    struct destination destination;
    struct buf script = {0};
    bool is_address;
    int rc;

    if (text_equal(key, "data"))
        return add_data(call, draft, value);
    is_address = address_read(&destination, key, call->context->params, NULL);
    rc = rpc_value_amount(call, &out->value_sat, value, 8);
    if (rc < 0)
        return rc;
    if (!is_address)
        return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Invalid Bitcoin address: %.*s",
                        TEXT_ARGS(key));
    for (size_t i = 0; i < draft->seen_n; i++) {
        if (destination_equal(&draft->seen[i], &destination))
            return rpc_fail(call, RPC_INVALID_PARAMETER,
                            "Invalid parameter, duplicated address: %.*s", TEXT_ARGS(key));
    }
    draft->seen[draft->seen_n++] = destination;
    destination_write_script(&script, &destination);
    out->script_pubkey = kept(call, &script);
    draft->tx.out_n++;
    return 0;
}

static int add_outputs(struct rpc_call *call, struct draft *draft, const struct json *outputs)
{
    int rc = 0;

    if (outputs->type != JSON_ARRAY && outputs->type != JSON_OBJECT)
        return rpc_fail_type(call, outputs, "array");
    draft->out = arena_array(call->arena, outputs->count, sizeof(*draft->out));
    draft->seen = arena_array(call->arena, outputs->count, sizeof(*draft->seen));
    draft->tx.out = draft->out;
    for (uint32_t i = 0; outputs->type == JSON_ARRAY && i < outputs->count; i++) {
        if (outputs->items[i].type != JSON_OBJECT)
            return rpc_fail(call, RPC_INVALID_PARAMETER,
                            "Invalid parameter, key-value pair not an object as expected");
        if (outputs->items[i].count != 1)
            return rpc_fail(call, RPC_INVALID_PARAMETER,
                            "Invalid parameter, key-value pair must contain exactly one key");
    }
    for (uint32_t i = 0; rc == 0 && i < outputs->count; i++) {
        if (outputs->type == JSON_OBJECT)
            rc = add_output(call, draft, outputs->keys[i], &outputs->items[i]);
        else
            rc = add_output(call, draft, outputs->items[i].keys[0], &outputs->items[i].items[0]);
    }
    return rc;
}

static int create_raw_transaction(struct rpc_call *call)
{
    struct draft draft = {.has_data = false};
    struct buf bytes = {0};
    int64_t lock_time;
    int64_t version;
    int rc = rpc_arg_int(call, &lock_time, 2, INT64_MIN, INT64_MAX);

    if (rc < 0)
        return rc;
    if (lock_time < 0 || lock_time > UINT32_MAX)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid parameter, locktime out of range");
    rc = rpc_arg_int(call, &version, 4, 0, UINT32_MAX);
    if (rc < 0)
        return rc;
    if (version < TX_VERSION_MIN || version > TX_VERSION_MAX)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Invalid parameter, version out of range(%d~%d)", TX_VERSION_MIN,
                        TX_VERSION_MAX);
    draft.tx.lock_time = (uint32_t)lock_time;
    draft.tx.version = (uint32_t)version;
    rc = add_inputs(call, &draft, rpc_arg(call, 0));
    if (rc < 0)
        return rc;
    if (!rpc_arg_given(call, 1))
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Invalid parameter, output argument must be non-null");
    rc = add_outputs(call, &draft, rpc_arg(call, 1));
    if (rc < 0)
        return rc;
    if (draft.contradicts)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Invalid parameter combination: Sequence number(s) contradict replaceable "
                        "option");
    tx_write(&bytes, &draft.tx, false);
    json_hex(call->out, span_of_buf(&bytes));
    buf_clear(&bytes);
    return 0;
}

/* --- getrawtransaction --- */

static int not_found(struct rpc_call *call, const char *what)
{
    return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY,
                    "%s. Use gettransaction for wallet transactions.", what);
}

/* Where txid stands in a block; tx_n: nowhere. */
static uint32_t find_tx(const struct block *block, const uint8_t *txid)
{
    uint32_t at = 0;

    while (at < block->tx_n && memcmp(block->tx[at].txid.b, txid, HASH_BYTES) != 0)
        at++;
    return at;
}

static void write_found_tx(struct rpc_call *call, const struct tx *tx, const struct coin *coins,
                           const struct block_info *info)
{
    struct node *node = call->context->node;
    struct tx_view view = {.coins = coins, .show_prevouts = true, .show_hex = true};
    struct json_writer *w = call->out;
    struct node_status status;

    node->ops->status(node, &status);
    json_begin_object(w);
    json_put_bool(w, "in_active_chain", info->in_active_chain);
    write_tx_members(w, tx, &view, call->context->params);
    json_put_hash(w, "blockhash", info->hash.b);
    if (info->in_active_chain) {
        json_put_int(w, "confirmations", 1 + status.tip.height - info->height);
        json_put_uint(w, "time", info->header.time);
        json_put_uint(w, "blocktime", info->header.time);
    } else {
        json_put_int(w, "confirmations", 0);
    }
    json_end_object(w);
}

/* The transaction in the block that info names. */
static int show_tx_of_block(struct rpc_call *call, const uint8_t *txid,
                            const struct block_info *info, int verbosity)
{
    struct node *node = call->context->node;
    struct block_data data = {0};
    struct undo_data undo = {0};
    const struct coin *coins = NULL;
    struct error err = {0};
    uint32_t at;
    int rc = 0;

    if (!info->have_data)
        return rpc_fail(call, RPC_MISC_ERROR, "Block not available");
    if (node->ops->read_block(node, &data, &info->hash, &err) < 0)
        return not_found(call, "No such transaction found in the provided block");
    at = find_tx(&data.block, txid);
    if (at == data.block.tx_n) {
        rc = not_found(call, "No such transaction found in the provided block");
        goto done;
    }
    if (verbosity <= 0) {
        json_hex(call->out, data.block.tx[at].raw);
        goto done;
    }
    if (verbosity > 1 && at > 0 && info->have_undo) {
        if (node->ops->read_undo(node, &undo, &info->hash, &err) < 0) {
            rc = rpc_fail(call, RPC_INTERNAL_ERROR,
                          "Undo data expected but can't be read. This could be due to disk "
                          "corruption or a conflict with a pruning event.");
            goto done;
        }
        coins = undo.coins[at];
    }
    write_found_tx(call, &data.block.tx[at], coins, info);
    if (coins != NULL)
        undo_data_clear(&undo);

done:
    block_data_clear(&data);
    return rc;
}

/* False: the mempool does not have it. */
static bool show_tx_of_mempool(struct rpc_call *call, const uint8_t *txid, int verbosity)
{
    struct mempool_view *pool = call->context->mempool;
    const struct tx_view view = {.show_hex = true};
    struct tx_name name = {.is_wtxid = false};
    struct mempool_entry entry;
    const struct tx_ref *ref;

    memcpy(name.id, txid, HASH_BYTES);
    ref = pool == NULL ? NULL : pool->ops->find(pool, &entry, &name);
    if (ref == NULL)
        return false;
    if (verbosity <= 0) {
        json_hex(call->out, ref->tx.raw);
    } else {
        json_begin_object(call->out);
        json_put_int(call->out, "vsize_adjusted", entry.vsize);
        write_tx_members(call->out, &ref->tx, &view, call->context->params);
        json_end_object(call->out);
    }
    tx_ref_drop(ref);
    return true;
}

static int get_raw_transaction(struct rpc_call *call)
{
    const struct params *params = call->context->params;
    struct node *node = call->context->node;
    struct block_info info;
    struct block_hash hash;
    uint8_t txid[HASH_BYTES];
    int verbosity;
    int rc = rpc_value_hash(call, txid, rpc_arg(call, 0), "parameter 1");

    if (rc < 0)
        return rc;
    /* With one transaction, the merkle root is its id. */
    CHECK(params->genesis.len > HEADER_BYTES);
    if (memcmp(txid, params->genesis.data + 4 + HASH_BYTES, HASH_BYTES) == 0)
        return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY,
                        "The genesis block coinbase is not considered an ordinary transaction and "
                        "cannot be retrieved");
    rc = rpc_arg_verbosity(call, &verbosity, 1, 0, true);
    if (rc < 0)
        return rc;
    if (!rpc_arg_given(call, 2) && show_tx_of_mempool(call, txid, verbosity))
        return 0;
    if (!rpc_arg_given(call, 2))
        return not_found(call,
                         "No such mempool transaction. Use -txindex or provide a block hash to "
                         "enable blockchain transaction queries");
    rc = rpc_value_hash(call, hash.b, rpc_arg(call, 2), "parameter 3");
    if (rc < 0)
        return rc;
    if (node->ops->block_by_hash(node, &info, &hash) < 0)
        return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Block hash not found");
    return show_tx_of_block(call, txid, &info, verbosity);
}

/* --- The table --- */

#define FOUND_TX_RESULTS                                                                       \
    {RPC_BOOL, "in_active_chain", "Is its block on the active chain?", .flags = RPC_OPTIONAL}, \
        TX_RESULTS, {RPC_AMOUNT, "fee", "Its fee in BTC.", .flags = RPC_OPTIONAL},             \
        {RPC_HEX, "hex", "Its bytes."},                                                        \
        {RPC_HEX, "blockhash", "Its block.", .flags = RPC_OPTIONAL},                           \
        {RPC_NUM, "vsize_adjusted",                                                            \
         "Of an unconfirmed one: virtual size, or what its "                                   \
         "signature checks count if more.",                                                    \
         .flags = RPC_OPTIONAL},                                                               \
        {RPC_NUM, "confirmations", "Blocks on top and its own.", .flags = RPC_OPTIONAL},       \
        {RPC_TIME, "time", "As blocktime.", .flags = RPC_OPTIONAL},                            \
    {                                                                                          \
        RPC_TIME, "blocktime", "The block's time.", .flags = RPC_OPTIONAL                      \
    }

const struct rpc_method rpc_transaction_methods[] = {
    {.name = "combinerawtransaction",
     .group = "rawtransactions",
     .summary = "Brings the signatures of several copies of a transaction together.",
     .params =
         RPC_PARAMS({"txs", RPC_ARR, RPC_REQUIRED, "The copies.",
                     .inner = RPC_PARAMS({"hexstring", RPC_HEX, RPC_OMITTED, "A transaction."})}),
     .results = RPC_RESULTS({RPC_STR, .text = "The transaction with all of them."}),
     .examples = RPC_EXAMPLES("'[\"myhex1\", \"myhex2\", \"myhex3\"]'"),
     .run = combine_raw_transaction},
    {.name = "createrawtransaction",
     .group = "rawtransactions",
     .summary = "Makes a transaction, not signed, that spends the given inputs and makes the given "
                "outputs.",
     .params = RPC_PARAMS(
         {"inputs", RPC_ARR, RPC_REQUIRED, "What it spends.",
          .inner = RPC_PARAMS(
              {"", RPC_OBJ, RPC_OMITTED,
               .inner = RPC_PARAMS({"txid", RPC_HEX, RPC_REQUIRED, "The transaction."},
                                   {"vout", RPC_NUM, RPC_REQUIRED, "Which of its outputs."},
                                   {"sequence", RPC_NUM,
                                    "~depends on the value of the 'replaceable' and 'locktime' "
                                    "arguments",
                                    "The sequence number."})})},
         {"outputs", RPC_ARR, RPC_REQUIRED,
          "What it makes: each address once, and at most one \"data\". One object with all of "
          "them will do too.",
          .inner = RPC_PARAMS({"", RPC_OBJ_USER, RPC_OMITTED,
                               .inner = RPC_PARAMS({"address", RPC_AMOUNT, RPC_REQUIRED,
                                                    "An address and the amount in BTC."})},
                              {"", RPC_OBJ, RPC_OMITTED,
                               .inner = RPC_PARAMS({"data", RPC_HEX, RPC_REQUIRED,
                                                    "Bytes for an output that cannot be spent."})}),
          .flags = RPC_ANY_TYPE},
         {"locktime", RPC_NUM, "=0", "Not in a block before this height or time."},
         {"replaceable", RPC_BOOL, "=true", "Say that it may be replaced (BIP 125)."},
         {"version", RPC_NUM, "=2", "Its version."}),
     .results = RPC_RESULTS({RPC_HEX, .text = "The transaction."}),
     .examples = RPC_EXAMPLES("\"[{\\\"txid\\\":\\\"myid\\\",\\\"vout\\\":0}]\" "
                              "\"[{\\\"address\\\":0.01}]\""),
     .run = create_raw_transaction},
    {.name = "decoderawtransaction",
     .group = "rawtransactions",
     .summary = "Shows what is in a transaction.",
     .params = RPC_PARAMS({"hexstring", RPC_HEX, RPC_REQUIRED, "The transaction."},
                          {"iswitness", RPC_BOOL, "~depends on heuristic tests",
                           "Is it in the form that may have a witness? Both are tried where this "
                           "is not told."}),
     .results = RPC_RESULTS({RPC_OBJ, .inner = RPC_RESULTS(TX_RESULTS)}),
     .examples = RPC_EXAMPLES("\"hexstring\""),
     .run = decode_raw_transaction},
    {.name = "decodescript",
     .group = "rawtransactions",
     .summary = "Shows what is in a script, and the outputs that can hide it.",
     .params = RPC_PARAMS({"hexstring", RPC_HEX, RPC_REQUIRED, "The script."}),
     .results = RPC_RESULTS(
         {RPC_OBJ,
          .inner = RPC_RESULTS(
              {RPC_STR, "asm", "Its operations as text."},
              {RPC_STR, "desc", "A descriptor of it."},
              {RPC_STR, "type", "What kind of script it is."},
              {RPC_STR, "address", "Its address.", .flags = RPC_OPTIONAL},
              {RPC_STR, "p2sh", "The address of its hash.", .flags = RPC_OPTIONAL},
              {RPC_OBJ, "segwit", "The witness output that hides it.", .flags = RPC_OPTIONAL,
               .inner = RPC_RESULTS(SCRIPT_RESULTS, {RPC_STR, "p2sh-segwit",
                                                     "The address that hides that once more."})})}),
     .examples = RPC_EXAMPLES("\"hexstring\""),
     .run = decode_script},
    {.name = "getrawtransaction",
     .group = "rawtransactions",
     .summary = "Returns a transaction of the mempool, or of a block.",
     .params = RPC_PARAMS({"txid", RPC_HEX, RPC_REQUIRED, "The transaction."},
                          {"verbosity|verbose", RPC_NUM, "=0",
                           "0: its bytes; 1: what is in it; 2: with fee and spent outputs.",
                           .flags = RPC_ANY_TYPE},
                          {"blockhash", RPC_HEX, RPC_OMITTED, "The block to look in."}),
     .results = RPC_RESULTS(
         {RPC_STR, .text = "The transaction.", .when = "for verbosity = 0"},
         {RPC_OBJ, .when = "for verbosity = 1", .inner = RPC_RESULTS(FOUND_TX_RESULTS)},
         {RPC_OBJ, .when = "for verbosity = 2", .inner = RPC_RESULTS(FOUND_TX_RESULTS)}),
     .examples = RPC_EXAMPLES("\"mytxid\"", "\"mytxid\" 1", "\"mytxid\" 0 \"myblockhash\""),
     .run = get_raw_transaction},
    {.name = "signrawtransactionwithkey",
     .group = "rawtransactions",
     .summary = "Signs the inputs of a transaction with the keys given, and no others.",
     .params = RPC_PARAMS(
         {"hexstring", RPC_STR, RPC_REQUIRED, "The transaction."},
         {"privkeys", RPC_ARR, RPC_REQUIRED, "The private keys.",
          .inner = RPC_PARAMS({"privatekey", RPC_HEX, RPC_OMITTED, "A private key."})},
         {"prevtxs", RPC_ARR, RPC_OMITTED,
          "Outputs it spends that are not in the chain, and what is not known of those that are.",
          .inner = RPC_PARAMS(
              {"", RPC_OBJ, RPC_OMITTED,
               .inner = RPC_PARAMS(
                   {"txid", RPC_HEX, RPC_REQUIRED, "The transaction."},
                   {"vout", RPC_NUM, RPC_REQUIRED, "Which of its outputs."},
                   {"scriptPubKey", RPC_HEX, RPC_REQUIRED, "The output's script."},
                   {"redeemScript", RPC_HEX, RPC_OMITTED, "The script behind a P2SH output."},
                   {"witnessScript", RPC_HEX, RPC_OMITTED,
                    "The script behind a P2WSH output, nested or not."},
                   {"amount", RPC_AMOUNT, RPC_OMITTED, "Its value; segwit signs it."})})},
         {"sighashtype", RPC_STR, "~DEFAULT for Taproot, ALL otherwise",
          "\"DEFAULT\", \"ALL\", \"NONE\", \"SINGLE\", \"ALL|ANYONECANPAY\", "
          "\"NONE|ANYONECANPAY\" or \"SINGLE|ANYONECANPAY\"."}),
     .results = RPC_RESULTS(
         {RPC_OBJ,
          .inner = RPC_RESULTS(
              {RPC_HEX, "hex", "The transaction with its signatures."},
              {RPC_BOOL, "complete", "Is nothing missing?"},
              {RPC_ARR, "errors", "What is wrong with inputs.", .flags = RPC_OPTIONAL,
               .inner = RPC_RESULTS(
                   {RPC_OBJ, .inner = RPC_RESULTS({RPC_HEX, "txid", "The transaction spent from."},
                                                  {RPC_NUM, "vout", "Which of its outputs."},
                                                  {RPC_ARR, "witness", "The witness.",
                                                   .inner = RPC_RESULTS({RPC_HEX})},
                                                  {RPC_HEX, "scriptSig", "The script."},
                                                  {RPC_NUM, "sequence", "The sequence number."},
                                                  {RPC_STR, "error", "What is wrong."})})})}),
     .examples = RPC_EXAMPLES("\"myhex\" \"[\\\"key1\\\",\\\"key2\\\"]\""),
     .run = sign_raw_transaction_with_key},
    {.name = NULL},
};
