/* The mempool of a node that keeps none yet: always empty, and true as far as it
 * goes. */
#include <string.h>

#include "rpc/args.h"
#include "rpc/groups.h"

#define MAXMEMPOOL_BYTES INT64_C(300000000)
#define FEERATE_SAT_KVB 100

static int get_mempool_info(struct rpc_call *call)
{
    struct node *node = call->context->node;
    struct json_writer *w = call->out;
    struct node_status status;

    node->ops->status(node, &status);
    json_begin_object(w);
    json_put_bool(w, "loaded", !status.importing);
    json_put_int(w, "size", 0);
    json_put_int(w, "bytes", 0);
    json_put_int(w, "usage", 0);
    json_put_amount(w, "total_fee", 0);
    json_put_int(w, "maxmempool", MAXMEMPOOL_BYTES);
    json_put_amount(w, "mempoolminfee", FEERATE_SAT_KVB);
    json_put_amount(w, "minrelaytxfee", FEERATE_SAT_KVB);
    json_put_amount(w, "incrementalrelayfee", FEERATE_SAT_KVB);
    json_put_int(w, "unbroadcastcount", 0);
    json_put_bool(w, "permitbaremultisig", true);
    json_put_int(w, "maxdatacarriersize", 100000);
    json_put_int(w, "limitclustercount", 64);
    json_put_int(w, "limitclustersize", 101000);
    json_put_bool(w, "optimal", true);
    json_end_object(w);
    return 0;
}

static int get_raw_mempool(struct rpc_call *call)
{
    bool is_verbose;
    bool with_sequence;
    int rc = rpc_arg_bool(call, &is_verbose, 0);

    if (rc == 0)
        rc = rpc_arg_bool(call, &with_sequence, 1);
    if (rc < 0)
        return rc;
    if (is_verbose && with_sequence)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Verbose results cannot contain mempool sequence values.");
    if (is_verbose) {
        json_begin_object(call->out);
        json_end_object(call->out);
        return 0;
    }
    if (!with_sequence) {
        json_begin_array(call->out);
        json_end_array(call->out);
        return 0;
    }
    json_begin_object(call->out);
    json_key(call->out, "txids");
    json_begin_array(call->out);
    json_end_array(call->out);
    json_put_int(call->out, "mempool_sequence", 1);
    json_end_object(call->out);
    return 0;
}

const struct rpc_method rpc_mempool_methods[] = {
    {.name = "getmempoolinfo",
     .group = "blockchain",
     .summary = "Tells about the state of the mempool.",
     .results = RPC_RESULTS(
         {RPC_OBJ,
          .inner = RPC_RESULTS(
              {RPC_BOOL, "loaded", "Has the start, with all imports, come to its end?"},
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
              {RPC_BOOL, "optimal", "Is the order known to be the best?"})}),
     .examples = RPC_EXAMPLES(""),
     .run = get_mempool_info},
    {.name = "getrawmempool",
     .group = "blockchain",
     .summary = "Lists the transactions in the mempool.",
     .params = RPC_PARAMS(
         {"verbose", RPC_BOOL, "=false", "An object with details for each."},
         {"mempool_sequence", RPC_BOOL, "=false", "Tell the number of the last change too."}),
     .results =
         RPC_RESULTS({RPC_ARR, .when = "for verbose = false",
                      .inner = RPC_RESULTS({RPC_HEX, .text = "A txid."})},
                     {RPC_OBJ_DYN, .when = "for verbose = true",
                      .inner = RPC_RESULTS({RPC_ANY, "txid", "Details."})},
                     {RPC_OBJ, .when = "for verbose = false and mempool_sequence = true",
                      .inner = RPC_RESULTS({RPC_ARR, "txids", .inner = RPC_RESULTS({RPC_HEX})},
                                           {RPC_NUM, "mempool_sequence", "The number."})}),
     .examples = RPC_EXAMPLES("", "true"),
     .run = get_raw_mempool},
    {.name = NULL},
};
