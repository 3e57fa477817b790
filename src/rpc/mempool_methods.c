/* Methods that look into the mempool, and keep it. */
#include <stdlib.h>
#include <string.h>

#include "policy/standard.h"
#include "rpc/args.h"
#include "rpc/groups.h"

static int not_in_mempool(struct rpc_call *call)
{
    return rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY, "Transaction not in mempool");
}

static int get_mempool_info(struct rpc_call *call)
{
    struct mempool_view *pool = call->context->mempool;
    struct json_writer *w = call->out;
    struct mempool_status status;

    pool->ops->status(pool, &status);
    json_begin_object(w);
    json_put_bool(w, "loaded", status.is_loaded);
    json_put_uint(w, "size", status.txs_n);
    json_put_uint(w, "bytes", status.bytes);
    json_put_uint(w, "usage", status.usage_bytes);
    json_put_amount(w, "total_fee", status.total_fee_sat);
    json_put_uint(w, "maxmempool", status.limit_bytes);
    json_put_amount(w, "mempoolminfee", status.min_fee_sat_kvb);
    json_put_amount(w, "minrelaytxfee", status.min_relay_sat_kvb);
    json_put_amount(w, "incrementalrelayfee", status.incremental_sat_kvb);
    json_put_uint(w, "unbroadcastcount", status.unbroadcast_n);
    json_put_bool(w, "permitbaremultisig", status.permit_bare_multisig);
    json_put_int(w, "maxdatacarriersize",
                 status.max_datacarrier_bytes < 0 ? 0 : status.max_datacarrier_bytes);
    json_put_uint(w, "limitclustercount", status.cluster_count_max);
    json_put_int(w, "limitclustersize", status.cluster_vsize_max);
    json_put_bool(w, "optimal", status.is_optimal);
    if (rpc_is_deprecated_enabled(call->context, "fullrbf"))
        json_put_bool(w, "fullrbf", true);
    json_end_object(w);
    return 0;
}

static int compare_txids(const void *a, const void *b)
{
    /* As texts: the last byte is shown first. */
    const uint8_t *left = ((const struct txid *)a)->b;
    const uint8_t *right = ((const struct txid *)b)->b;

    for (size_t i = HASH_BYTES; i-- > 0;) {
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    }
    return 0;
}

static void put_txids(struct rpc_call *call, const char *key, const struct txid *txids, size_t n)
{
    struct txid *sorted = arena_array(call->arena, n, sizeof(*sorted));

    for (size_t i = 0; i < n; i++)
        sorted[i] = txids[i];
    if (n > 1)
        qsort(sorted, n, sizeof(*sorted), compare_txids);
    json_key(call->out, key);
    json_begin_array(call->out);
    for (size_t i = 0; i < n; i++)
        json_string(call->out, hash_hex(sorted[i].b).text);
    json_end_array(call->out);
}

static void write_entry(struct rpc_call *call, const struct mempool_entry *entry)
{
    struct json_writer *w = call->out;

    json_begin_object(w);
    json_put_int(w, "vsize_adjusted", entry->vsize);
    json_put_int(w, "vsize", entry->vsize);
    json_put_int(w, "vsize_bip141", policy_vsize(entry->weight));
    json_put_int(w, "weight", entry->weight);
    json_put_int(w, "time", entry->time_s);
    json_put_int(w, "height", entry->height);
    json_put_uint(w, "descendantcount", entry->descendants_n);
    json_put_int(w, "descendantsize", entry->descendants_vsize);
    json_put_uint(w, "ancestorcount", entry->ancestors_n);
    json_put_int(w, "ancestorsize", entry->ancestors_vsize);
    json_put_hash(w, "wtxid", entry->wtxid.b);
    json_put_int(w, "chunkweight", entry->chunk_weight);
    json_key(w, "fees");
    json_begin_object(w);
    json_put_amount(w, "base", entry->fee_sat);
    json_put_amount(w, "modified", entry->modified_fee_sat);
    json_put_amount(w, "ancestor", entry->ancestors_fee_sat);
    json_put_amount(w, "descendant", entry->descendants_fee_sat);
    json_put_amount(w, "chunk", entry->chunk_fee_sat);
    json_end_object(w);
    put_txids(call, "depends", entry->parents, entry->parents_n);
    put_txids(call, "spentby", entry->children, entry->children_n);
    json_put_bool(w, "unbroadcast", entry->unbroadcast);
    if (rpc_is_deprecated_enabled(call->context, "bip125"))
        json_put_bool(w, "bip125-replaceable", entry->replaceable);
    json_end_object(w);
}

static void write_list(struct rpc_call *call, const struct mempool_entry *entries, size_t n,
                       bool is_verbose)
{
    struct json_writer *w = call->out;

    if (is_verbose)
        json_begin_object(w);
    else
        json_begin_array(w);
    for (size_t i = 0; i < n; i++) {
        if (is_verbose) {
            json_key(w, hash_hex(entries[i].txid.b).text);
            write_entry(call, &entries[i]);
        } else {
            json_string(w, hash_hex(entries[i].txid.b).text);
        }
    }
    if (is_verbose)
        json_end_object(w);
    else
        json_end_array(w);
}

static int get_raw_mempool(struct rpc_call *call)
{
    struct mempool_view *pool = call->context->mempool;
    struct mempool_entry *entries;
    uint64_t sequence;
    bool is_verbose;
    bool with_sequence;
    size_t n;
    int rc = rpc_arg_bool(call, &is_verbose, 0);

    if (rc == 0)
        rc = rpc_arg_bool(call, &with_sequence, 1);
    if (rc < 0)
        return rc;
    if (is_verbose && with_sequence)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Verbose results cannot contain mempool sequence values.");
    pool->ops->list(pool, &entries, &n, &sequence, is_verbose, call->arena);
    if (!with_sequence) {
        write_list(call, entries, n, is_verbose);
        return 0;
    }
    json_begin_object(call->out);
    json_key(call->out, "txids");
    write_list(call, entries, n, false);
    /* The number that the next change will have. */
    json_put_uint(call->out, "mempool_sequence", sequence + 1);
    json_end_object(call->out);
    return 0;
}

static int get_mempool_entry(struct rpc_call *call)
{
    struct mempool_view *pool = call->context->mempool;
    struct mempool_entry entry;
    struct txid txid;
    int rc = rpc_arg_hash(call, txid.b, 0);

    if (rc < 0)
        return rc;
    if (pool->ops->entry(pool, &entry, &txid, call->arena) < 0)
        return not_in_mempool(call);
    write_entry(call, &entry);
    return 0;
}

static int get_relatives(struct rpc_call *call, bool descendants)
{
    struct mempool_view *pool = call->context->mempool;
    struct mempool_entry *entries;
    struct txid txid;
    bool is_verbose;
    size_t n;
    int rc = rpc_arg_bool(call, &is_verbose, 1);

    if (rc == 0)
        rc = rpc_arg_hash(call, txid.b, 0);
    if (rc < 0)
        return rc;
    if (pool->ops->relatives(pool, &entries, &n, &txid, descendants, call->arena) < 0)
        return not_in_mempool(call);
    write_list(call, entries, n, is_verbose);
    return 0;
}

static int get_mempool_ancestors(struct rpc_call *call)
{
    return get_relatives(call, false);
}

static int get_mempool_descendants(struct rpc_call *call)
{
    return get_relatives(call, true);
}

static int get_mempool_cluster(struct rpc_call *call)
{
    struct mempool_view *pool = call->context->mempool;
    struct json_writer *w = call->out;
    struct mempool_cluster cluster;
    struct txid txid;
    int rc = rpc_arg_hash(call, txid.b, 0);

    if (rc < 0)
        return rc;
    if (pool->ops->cluster(pool, &cluster, &txid, call->arena) < 0)
        return not_in_mempool(call);
    json_begin_object(w);
    json_put_int(w, "clusterweight", cluster.weight);
    json_put_uint(w, "txcount", cluster.txs_n);
    json_key(w, "chunks");
    json_begin_array(w);
    for (uint32_t i = 0; i < cluster.chunks_n; i++) {
        const struct mempool_chunk *chunk = &cluster.chunks[i];

        json_begin_object(w);
        json_put_amount(w, "chunkfee", chunk->fee_sat);
        json_put_int(w, "chunkweight", chunk->weight);
        json_key(w, "txs");
        json_begin_array(w);
        for (uint32_t k = 0; k < chunk->txs_n; k++)
            json_string(w, hash_hex(chunk->txids[k].b).text);
        json_end_array(w);
        json_end_object(w);
    }
    json_end_array(w);
    json_end_object(w);
    return 0;
}

static int get_mempool_feerate_diagram(struct rpc_call *call)
{
    struct mempool_view *pool = call->context->mempool;
    struct json_writer *w = call->out;
    struct feerate_point *points;
    size_t n;

    pool->ops->diagram(pool, &points, &n, call->arena);
    json_begin_array(w);
    for (size_t i = 0; i < n; i++) {
        json_begin_object(w);
        json_put_int(w, "weight", points[i].weight);
        json_put_amount(w, "fee", points[i].fee_sat);
        json_end_object(w);
    }
    json_end_array(w);
    return 0;
}

/* --- gettxspendingprevout ------------------------------------------------------------ */

static int unexpected_key(struct rpc_call *call, const struct json *object, const char *a,
                          const char *b)
{
    for (uint32_t i = 0; i < object->count; i++) {
        struct span key = object->keys[i];

        if (!span_equal(key, span_of_string(a)) && !span_equal(key, span_of_string(b)))
            return rpc_fail(call, RPC_TYPE_ERROR, "Unexpected key %.*s", (int)key.len,
                            (const char *)key.data);
    }
    return 0;
}

static int check_field(struct rpc_call *call, const struct json *object, const char *name,
                       enum json_type type, bool may_lack)
{
    const struct json expected = {.type = type};
    const struct json *value = json_find(object, name);

    if (value == NULL || value->type == JSON_NULL)
        return may_lack ? 0 : rpc_fail(call, RPC_TYPE_ERROR, "Missing %s", name);
    if (value->type != type)
        return rpc_fail(call, RPC_TYPE_ERROR,
                        "JSON value of type %s for field %s is not of expected type %s",
                        json_type_name(value->type), name, json_type_name(expected.type));
    return 0;
}

static int read_outpoint(struct rpc_call *call, struct outpoint *ret_outpoint,
                         const struct json *value)
{
    int64_t vout = 0;
    int rc = 0;

    if (value->type != JSON_OBJECT)
        return rpc_fail_type(call, value, "object");
    rc = check_field(call, value, "txid", JSON_STRING, false);
    if (rc == 0)
        rc = check_field(call, value, "vout", JSON_NUMBER, false);
    if (rc == 0)
        rc = unexpected_key(call, value, "txid", "vout");
    if (rc == 0)
        rc = rpc_value_hash(call, ret_outpoint->txid.b, json_find(value, "txid"), "txid");
    if (rc == 0)
        rc = rpc_value_int(call, &vout, json_find(value, "vout"), INT32_MIN, INT32_MAX);
    if (rc == 0 && vout < 0)
        rc = rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid parameter, vout cannot be negative");
    ret_outpoint->vout = (uint32_t)vout;
    return rc;
}

static int read_bool_option(struct rpc_call *call, const struct json *options, const char *name,
                            bool *value)
{
    const struct json *given = options == NULL ? NULL : json_find(options, name);
    int rc = options == NULL ? 0 : check_field(call, options, name, JSON_BOOL, true);

    if (rc == 0 && given != NULL && given->type != JSON_NULL)
        rc = rpc_value_bool(call, value, given);
    return rc;
}

static void write_spender(struct rpc_call *call, const struct json *asked,
                          const struct tx_ref *spender, bool with_tx)
{
    struct json_writer *w = call->out;

    json_begin_object(w);
    for (uint32_t i = 0; i < asked->count; i++) {
        json_key_span(w, asked->keys[i]);
        json_value(w, &asked->items[i]);
    }
    if (spender != NULL) {
        json_put_hash(w, "spendingtxid", spender->tx.txid.b);
        if (with_tx)
            json_put_hex(w, "spendingtx", spender->tx.raw);
    }
    json_end_object(w);
}

static int get_tx_spending_prevout(struct rpc_call *call)
{
    struct mempool_view *pool = call->context->mempool;
    const struct json *list = rpc_arg(call, 0);
    const struct json *options = rpc_arg(call, 1);
    struct outpoint *outpoints;
    bool mempool_only = true;
    bool with_tx = false;
    int rc;

    if (list->count == 0)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid parameter, outputs are missing");
    rc = read_bool_option(call, options, "mempool_only", &mempool_only);
    if (rc == 0)
        rc = read_bool_option(call, options, "return_spending_tx", &with_tx);
    if (rc == 0 && options != NULL)
        rc = unexpected_key(call, options, "mempool_only", "return_spending_tx");
    outpoints = arena_array(call->arena, list->count, sizeof(*outpoints));
    for (uint32_t i = 0; i < list->count && rc == 0; i++)
        rc = read_outpoint(call, &outpoints[i], &list->items[i]);
    if (rc < 0)
        return rc;
    json_begin_array(call->out);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct tx_ref *spender = pool->ops->spender(pool, &outpoints[i]);

        if (spender == NULL && !mempool_only)
            return rpc_fail(call, RPC_MISC_ERROR,
                            "Mempool lacks a relevant spend, and txospenderindex is unavailable.");
        write_spender(call, &list->items[i], spender, with_tx);
        tx_ref_drop(spender);
    }
    json_end_array(call->out);
    return 0;
}

/* --- Saving and reading -------------------------------------------------------------- */

static int save_mempool(struct rpc_call *call)
{
    struct mempool_view *pool = call->context->mempool;
    struct error err = {0};
    char *path;
    int rc = pool->ops->save(pool, &path, &err);

    if (rc == E_STATE)
        return rpc_fail(call, RPC_MISC_ERROR, "%s", error_text(&err));
    if (rc < 0)
        return rpc_fail(call, RPC_MISC_ERROR, "Unable to dump mempool to disk");
    json_begin_object(call->out);
    json_put_string(call->out, "filename", path);
    json_end_object(call->out);
    free(path);
    return 0;
}

static int import_mempool(struct rpc_call *call)
{
    struct mempool_view *pool = call->context->mempool;
    struct mempool_import_options wanted = {.use_current_time = true};
    const struct json *options = rpc_arg(call, 1);
    struct node_status status;
    struct error err = {0};
    const char *path;
    int rc = rpc_arg_string(call, &path, 0);

    if (rc == 0)
        rc = read_bool_option(call, options, "use_current_time", &wanted.use_current_time);
    if (rc == 0)
        rc = read_bool_option(call, options, "apply_fee_delta_priority", &wanted.apply_fee_deltas);
    if (rc == 0)
        rc = read_bool_option(call, options, "apply_unbroadcast_set", &wanted.apply_unbroadcast);
    if (rc < 0)
        return rc;
    call->context->node->ops->status(call->context->node, &status);
    if (status.initial_block_download)
        return rpc_fail(call, RPC_CLIENT_IN_INITIAL_DOWNLOAD,
                        "Can only import the mempool after the block download and sync is done.");
    if (pool->ops->import(pool, path, &wanted, &err) < 0)
        return rpc_fail(call, RPC_MISC_ERROR,
                        "Unable to import mempool file, see debug log for details.");
    json_begin_object(call->out);
    json_end_object(call->out);
    return 0;
}

/* --- The table ------------------------------------------------------------------------- */

#define ENTRY_RESULTS                                                                            \
    {RPC_NUM, "vsize", "As vsize_adjusted.", .flags = RPC_OBSOLETE},                             \
        {RPC_NUM, "vsize_bip141", "A quarter of the weight, rounded up."},                       \
        {RPC_NUM, "vsize_adjusted", "The greater of that and what its signature checks count."}, \
        {RPC_NUM, "weight", "Its weight."}, {RPC_TIME, "time", "When it came."},                 \
        {RPC_NUM, "height", "Height of the tip then."},                                          \
        {RPC_NUM, "descendantcount", "What depends on it, with itself."},                        \
        {RPC_NUM, "descendantsize", "Their virtual size."},                                      \
        {RPC_NUM, "ancestorcount", "What it depends on, with itself."},                          \
        {RPC_NUM, "ancestorsize", "Their virtual size."},                                        \
        {RPC_NUM, "chunkweight", "Adjusted weight of its chunk."},                               \
        {RPC_HEX, "wtxid", "Its id with the witness."},                                          \
        {RPC_OBJ, "fees", "In BTC.",                                                             \
         .inner =                                                                                \
             RPC_RESULTS({RPC_AMOUNT, "base", "What it pays."},                                  \
                         {RPC_AMOUNT, "modified", "With its priority."},                         \
                         {RPC_AMOUNT, "ancestor", "Modified fees of ancestors and itself."},     \
                         {RPC_AMOUNT, "descendant", "Modified fees of descendants and itself."}, \
                         {RPC_AMOUNT, "chunk", "Modified fees of its chunk."})},                 \
        {RPC_ARR, "depends", "Unconfirmed transactions it spends from.",                         \
         .inner = RPC_RESULTS({RPC_HEX, .text = "A txid."})},                                    \
        {RPC_ARR, "spentby", "Unconfirmed transactions that spend from it.",                     \
         .inner = RPC_RESULTS({RPC_HEX, .text = "A txid."})},                                    \
        {RPC_BOOL, "unbroadcast", "Ours, and no peer has asked for it yet."},                    \
    {                                                                                            \
        RPC_BOOL, "bip125-replaceable", "Does it, or an ancestor, signal replacement?",          \
            .flags = RPC_OPTIONAL                                                                \
    }

#define RELATIVES_RESULTS                                     \
    RPC_RESULTS(                                              \
        {RPC_ARR, .when = "for verbose = false",              \
         .inner = RPC_RESULTS({RPC_HEX, .text = "A txid."})}, \
        {RPC_OBJ_DYN, .when = "for verbose = true",           \
         .inner = RPC_RESULTS({RPC_OBJ, "transactionid", .inner = RPC_RESULTS(ENTRY_RESULTS)})})

#define TXID_PARAM                                                        \
    {                                                                     \
        "txid", RPC_HEX, RPC_REQUIRED, "The transaction, in the mempool." \
    }
#define VERBOSE_PARAM                                                     \
    {                                                                     \
        "verbose", RPC_BOOL, "=false", "An object with details for each." \
    }

const struct rpc_method rpc_mempool_methods[] = {
    {.name = "getmempoolancestors",
     .group = "blockchain",
     .summary = "Lists all unconfirmed transactions that one depends on.",
     .params = RPC_PARAMS(TXID_PARAM, VERBOSE_PARAM),
     .results = RELATIVES_RESULTS,
     .examples = RPC_EXAMPLES("\"mytxid\""),
     .run = get_mempool_ancestors},
    {.name = "getmempoolcluster",
     .group = "blockchain",
     .summary = "Tells about the transactions that hang together with one, chunk by chunk.",
     .params = RPC_PARAMS({"txid", RPC_HEX, RPC_REQUIRED, "A transaction of the cluster."}),
     .results = RPC_RESULTS(
         {RPC_OBJ,
          .inner = RPC_RESULTS(
              {RPC_NUM, "clusterweight", "Adjusted weight of all."},
              {RPC_NUM, "txcount", "Transactions."},
              {RPC_ARR, "chunks", "In the order in which they are mined.",
               .inner = RPC_RESULTS(
                   {RPC_OBJ, .inner = RPC_RESULTS(
                                 {RPC_AMOUNT, "chunkfee", "Its fees in BTC."},
                                 {RPC_NUM, "chunkweight", "Its adjusted weight."},
                                 {RPC_ARR, "txs", "Its transactions, parents first.",
                                  .inner = RPC_RESULTS({RPC_HEX, .text = "A txid."})})})})}),
     .examples = RPC_EXAMPLES("txid"),
     .run = get_mempool_cluster},
    {.name = "getmempooldescendants",
     .group = "blockchain",
     .summary = "Lists all unconfirmed transactions that depend on one.",
     .params = RPC_PARAMS(TXID_PARAM, VERBOSE_PARAM),
     .results = RELATIVES_RESULTS,
     .examples = RPC_EXAMPLES("\"mytxid\""),
     .run = get_mempool_descendants},
    {.name = "getmempoolentry",
     .group = "blockchain",
     .summary = "Tells about an unconfirmed transaction.",
     .params = RPC_PARAMS(TXID_PARAM),
     .results = RPC_RESULTS({RPC_OBJ, .inner = RPC_RESULTS(ENTRY_RESULTS)}),
     .examples = RPC_EXAMPLES("\"mytxid\""),
     .run = get_mempool_entry},
    {.name = "getmempoolfeeratediagram",
     .group = "hidden",
     .summary = "Returns the feerate diagram of the whole mempool.",
     .results = RPC_RESULTS(
         {RPC_ARR,
          .inner = RPC_RESULTS(
              {RPC_OBJ, .inner = RPC_RESULTS({RPC_NUM, "weight", "Adjusted weight up to here."},
                                             {RPC_AMOUNT, "fee", "Fees up to here in BTC."})})}),
     .examples = RPC_EXAMPLES(""),
     .run = get_mempool_feerate_diagram},
    {.name = "getmempoolinfo",
     .group = "blockchain",
     .summary = "Tells about the state of the mempool.",
     .results = RPC_RESULTS(
         {RPC_OBJ,
          .inner = RPC_RESULTS(
              {RPC_BOOL, "loaded", "Has what the last run left been read?"},
              {RPC_NUM, "size", "Transactions."}, {RPC_NUM, "bytes", "Their virtual size."},
              {RPC_NUM, "usage", "Memory in use, bytes."}, {RPC_AMOUNT, "total_fee", "Their fees."},
              {RPC_NUM, "maxmempool", "Bound on memory, bytes."},
              {RPC_AMOUNT, "mempoolminfee", "Least fee rate taken in, BTC/kvB."},
              {RPC_AMOUNT, "minrelaytxfee", "Least fee rate relayed, BTC/kvB."},
              {RPC_AMOUNT, "incrementalrelayfee", "What a replacement must add, BTC/kvB."},
              {RPC_NUM, "unbroadcastcount", "Transactions no peer has asked for."},
              {RPC_BOOL, "permitbaremultisig", "Are bare multisig outputs relayed?"},
              {RPC_NUM, "maxdatacarriersize", "Bytes of data in a transaction."},
              {RPC_NUM, "limitclustercount", "Transactions that may hang together."},
              {RPC_NUM, "limitclustersize", "Their virtual size."},
              {RPC_BOOL, "optimal", "Is the order known to be the best?"},
              {RPC_BOOL, "fullrbf", "Always true.", .flags = RPC_OPTIONAL})}),
     .examples = RPC_EXAMPLES(""),
     .run = get_mempool_info},
    {.name = "getrawmempool",
     .group = "blockchain",
     .summary = "Lists the transactions in the mempool, best first.",
     .params = RPC_PARAMS(VERBOSE_PARAM, {"mempool_sequence", RPC_BOOL, "=false",
                                          "Tell the number of the next change too."}),
     .results = RPC_RESULTS(
         {RPC_ARR, .when = "for verbose = false",
          .inner = RPC_RESULTS({RPC_HEX, .text = "A txid."})},
         {RPC_OBJ_DYN, .when = "for verbose = true",
          .inner = RPC_RESULTS({RPC_OBJ, "transactionid", .inner = RPC_RESULTS(ENTRY_RESULTS)})},
         {RPC_OBJ, .when = "for verbose = false and mempool_sequence = true",
          .inner = RPC_RESULTS({RPC_ARR, "txids", .inner = RPC_RESULTS({RPC_HEX})},
                               {RPC_NUM, "mempool_sequence", "The number."})}),
     .examples = RPC_EXAMPLES("", "true"),
     .run = get_raw_mempool},
    {.name = "gettxspendingprevout",
     .group = "blockchain",
     .summary = "Tells which unconfirmed transactions spend the given outputs.",
     .params = RPC_PARAMS(
         {"outputs", RPC_ARR, RPC_REQUIRED, "The outputs.",
          .inner = RPC_PARAMS(
              {"", RPC_OBJ, RPC_OMITTED,
               .inner = RPC_PARAMS({"txid", RPC_HEX, RPC_REQUIRED, "The transaction."},
                                   {"vout", RPC_NUM, RPC_REQUIRED, "Which of its outputs."})})},
         {"options", RPC_OBJ_OPTIONS, RPC_OMITTED, "What is wanted.",
          .inner = RPC_PARAMS(
              {"mempool_only", RPC_BOOL, "~true if txospenderindex unavailable, otherwise false",
               "Look nowhere else; false fails where the mempool has no answer."},
              {"return_spending_tx", RPC_BOOL, "~false", "The whole transaction too."})}),
     .results = RPC_RESULTS(
         {RPC_ARR,
          .inner = RPC_RESULTS(
              {RPC_OBJ, .inner = RPC_RESULTS(
                            {RPC_HEX, "txid", "As asked."}, {RPC_NUM, "vout", "As asked."},
                            {RPC_HEX, "spendingtxid", "Who spends it.", .flags = RPC_OPTIONAL},
                            {RPC_HEX, "spendingtx", "The same, whole.", .flags = RPC_OPTIONAL},
                            {RPC_HEX, "blockhash", "Its block.", .flags = RPC_OPTIONAL})})}),
     .examples = RPC_EXAMPLES("\"[{\\\"txid\\\":\\\"mytxid\\\",\\\"vout\\\":3}]\""),
     .run = get_tx_spending_prevout},
    {.name = "importmempool",
     .group = "blockchain",
     .summary = "Reads a mempool.dat and offers what is in it to the mempool. What a file from "
                "others says beside the transactions is better not believed.",
     .params = RPC_PARAMS(
         {"filepath", RPC_STR, RPC_REQUIRED, "The file."},
         {"options", RPC_OBJ_OPTIONS, RPC_OMITTED, "What of it is taken over.",
          .inner = RPC_PARAMS(
              {"use_current_time", RPC_BOOL, "=true", "Not the times in the file."},
              {"apply_fee_delta_priority", RPC_BOOL, "=false",
               "Its fee deltas, added to those that are there."},
              {"apply_unbroadcast_set", RPC_BOOL, "=false", "Which ones are still to be sent."}),
          .oneline = "options"}),
     .results = RPC_RESULTS({RPC_OBJ, .inner = (const struct rpc_result[]){{.is_end = true}}}),
     .examples = RPC_EXAMPLES("/path/to/mempool.dat"),
     .run = import_mempool},
    {.name = "savemempool",
     .group = "blockchain",
     .summary = "Writes the mempool to disk, once that of the last run has been read.",
     .results = RPC_RESULTS({RPC_OBJ, .inner = RPC_RESULTS({RPC_STR, "filename", "Where it is."})}),
     .examples = RPC_EXAMPLES(""),
     .run = save_mempool},
    {.name = NULL},
};
