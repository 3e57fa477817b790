/* Which code hashes and checks signatures, and how it fares. */
#include "crypto/sha256.h"
#include "crypto/sigbatch.h"
#include "rpc/groups.h"

static int get_engine_info(struct rpc_call *call)
{
    struct sigbatch_stats stats = sigbatch_stats();

    json_begin_object(call->out);
    json_put_string(call->out, "sha256", sha256_engine());
    json_put_string(call->out, "signatures", sigbatch_engine());
    json_key(call->out, "sigbatch");
    json_begin_object(call->out);
    json_put_bool(call->out, "active", sigbatch_has_lanes());
    json_put_uint(call->out, "share", sigbatch_share());
    json_put_uint(call->out, "valid", stats.lanes);
    json_put_uint(call->out, "checked_again", stats.shares);
    json_put_uint(call->out, "not_valid", stats.again + stats.tried);
    json_put_uint(call->out, "directly", stats.directly);
    json_put_uint(call->out, "differences", stats.differences);
    json_end_object(call->out);
    json_end_object(call->out);
    return 0;
}

const struct rpc_method rpc_engine_methods[] = {
    {.name = "getengineinfo",
     .group = "control",
     .summary = "Tells which code hashes and checks signatures on this processor.",
     .results = RPC_RESULTS(
         {RPC_OBJ,
          .inner = RPC_RESULTS(
              {RPC_STR, "sha256", "What hashes."},
              {RPC_STR, "signatures", "What checks the signatures of blocks."},
              {RPC_OBJ, "sigbatch", "Signatures checked eight at a time, since the start",
               RPC_RESULTS(
                   {RPC_BOOL, "active", "Is this done?"},
                   {RPC_NUM, "share",
                    "One in this many valid ones is checked again with libsecp256k1; 0: none."},
                   {RPC_NUM, "valid", "Found valid."},
                   {RPC_NUM, "checked_again", "Of these, checked again."},
                   {RPC_NUM, "not_valid",
                    "Not found valid: libsecp256k1 decides what follows. Most are pairs of a "
                    "multisig that do not belong together."},
                   {RPC_NUM, "directly", "Left to libsecp256k1 from the start."},
                   {RPC_NUM, "differences",
                    "Valid ones that libsecp256k1 refused: any stops the node."})})}),
     .examples = RPC_EXAMPLES(""),
     .run = get_engine_info},
    {.name = NULL},
};
