/* Transactions on their way: those that wait for parents, those that nobody shall know
 * are ours. */
#include "base/check.h"
#include "iface/peers.h"
#include "policy/standard.h"
#include "rpc/args.h"
#include "rpc/context.h"
#include "rpc/groups.h"

/* --- getorphantxs -------------------------------------------------------------------- */

static void write_orphan(struct json_writer *w, const struct peers_orphan *orphan, bool with_hex)
{
    const struct tx *tx = &orphan->tx->tx;
    int64_t weight = (int64_t)tx_weight(tx);

    json_begin_object(w);
    json_put_hash(w, "txid", tx->txid.b);
    json_put_hash(w, "wtxid", tx->wtxid.b);
    json_put_int(w, "bytes", tx->total_bytes);
    json_put_int(w, "vsize", policy_vsize(weight));
    json_put_int(w, "vsize_bip141", policy_vsize(weight));
    json_put_int(w, "weight", weight);
    json_key(w, "from");
    json_begin_array(w);
    for (size_t i = 0; i < orphan->from_n; i++)
        json_int(w, orphan->from[i]);
    json_end_array(w);
    if (with_hex)
        json_put_hex(w, "hex", tx->raw);
    json_end_object(w);
}

static int get_orphan_txs(struct rpc_call *call)
{
    struct peers *peers = call->context->peers;
    struct json_writer *w = call->out;
    struct peers_orphan *list;
    size_t n;
    int level;
    int rc = rpc_arg_verbosity(call, &level, 0, 0, false);

    if (rc == 0 && (level < 0 || level > 2))
        rc = rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid verbosity value %d", level);
    if (rc < 0)
        return rc;
    peers->ops->orphans(peers, &list, &n, call->arena);
    json_begin_array(w);
    for (size_t i = 0; i < n; i++) {
        if (level == 0)
            json_string(w, hash_hex(list[i].tx->tx.txid.b).text);
        else
            write_orphan(w, &list[i], level == 2);
        tx_ref_drop(list[i].tx);
    }
    json_end_array(w);
    return 0;
}

/* --- Private broadcast --------------------------------------------------------------- */

static int check_private(struct rpc_call *call)
{
    struct peers *peers = call->context->peers;
    struct peers_status status = {0};

    peers->ops->status(peers, &status, call->arena);
    if (status.private_broadcast)
        return 0;
    return rpc_fail(call, RPC_METHOD_NOT_FOUND,
                    "Private broadcast is not enabled. Ensure you're running Bitcoin Core with "
                    "-privatebroadcast=1.");
}

static void write_ids(struct json_writer *w, const struct tx *tx)
{
    json_put_hash(w, "txid", tx->txid.b);
    json_put_hash(w, "wtxid", tx->wtxid.b);
    json_put_hex(w, "hex", tx->raw);
}

static int get_private_broadcast_info(struct rpc_call *call)
{
    struct peers *peers = call->context->peers;
    struct json_writer *w = call->out;
    struct peers_private *list;
    size_t n;
    int rc = check_private(call);

    if (rc < 0)
        return rc;
    peers->ops->private_list(peers, &list, &n, call->arena);
    json_begin_object(w);
    json_key(w, "transactions");
    json_begin_array(w);
    for (size_t i = 0; i < n; i++) {
        json_begin_object(w);
        write_ids(w, &list[i].tx->tx);
        json_put_int(w, "time_added", list[i].time_s);
        json_put_int(w, "attempts_remaining", list[i].tries_left);
        json_key(w, "peers");
        json_begin_array(w);
        for (size_t k = 0; k < list[i].tries_n; k++) {
            json_begin_object(w);
            json_put_string(w, "address", list[i].tries[k].address);
            json_put_int(w, "sent", list[i].tries[k].sent_s);
            if (list[i].tries[k].received_s != 0)
                json_put_int(w, "received", list[i].tries[k].received_s);
            json_end_object(w);
        }
        json_end_array(w);
        json_end_object(w);
        tx_ref_drop(list[i].tx);
    }
    json_end_array(w);
    json_end_object(w);
    return 0;
}

static int abort_private_broadcast(struct rpc_call *call)
{
    struct peers *peers = call->context->peers;
    struct json_writer *w = call->out;
    const struct tx_ref **txs;
    uint8_t id[HASH_BYTES];
    size_t n;
    int rc = check_private(call);

    if (rc == 0)
        rc = rpc_arg_hash(call, id, 0);
    if (rc == 0 && peers->ops->abort_private(peers, id, &txs, &n, call->arena) != PEERS_OK)
        rc = rpc_fail(call, RPC_INVALID_ADDRESS_OR_KEY,
                      "Transaction not in private broadcast queue. Check getprivatebroadcastinfo.");
    if (rc < 0)
        return rc;
    json_begin_object(w);
    json_key(w, "removed_transactions");
    json_begin_array(w);
    for (size_t i = 0; i < n; i++) {
        json_begin_object(w);
        write_ids(w, &txs[i]->tx);
        json_end_object(w);
        tx_ref_drop(txs[i]);
    }
    json_end_array(w);
    json_end_object(w);
    return 0;
}

#define ID_RESULTS                               \
    {RPC_HEX, "txid", "Its id."},                \
    {                                            \
        RPC_HEX, "wtxid", "Its id with witness." \
    }

#define ORPHAN_RESULTS                                                                      \
    ID_RESULTS, {RPC_NUM, "bytes", "Its size."}, {RPC_NUM, "vsize", "As vsize_bip141."},    \
        {RPC_NUM, "vsize_bip141", "Its virtual size."}, {RPC_NUM, "weight", "Its weight."}, \
    {                                                                                       \
        RPC_ARR, "from", "The peers that announced it.",                                    \
            .inner = RPC_RESULTS({RPC_NUM, "peer_id", "One of them."})                      \
    }

const struct rpc_method rpc_relay_methods[] = {
    {.name = "abortprivatebroadcast",
     .group = "rawtransactions",
     .summary = "Stops sending a transaction privately; it is forgotten. Only with "
                "-privatebroadcast.",
     .params = RPC_PARAMS({"id", RPC_HEX, RPC_REQUIRED,
                           "A txid or wtxid. All transactions of that txid, whatever their "
                           "witness, are taken out."}),
     .results = RPC_RESULTS(
         {RPC_OBJ,
          .inner = RPC_RESULTS(
              {RPC_ARR, "removed_transactions", "What was taken out.",
               .inner = RPC_RESULTS(
                   {RPC_OBJ, .inner = RPC_RESULTS(ID_RESULTS, {RPC_HEX, "hex", "All of it."})})})}),
     .examples = RPC_EXAMPLES("\"id\""),
     .run = abort_private_broadcast},
    {.name = "getorphantxs",
     .group = "hidden",
     .summary = "Shows transactions that wait for their parents.",
     .params = RPC_PARAMS({"verbosity", RPC_NUM, "=0",
                           "0 for txids (one may come twice), 1 for details, 2 for details and "
                           "the transaction.",
                           .flags = RPC_ANY_TYPE}),
     .results = RPC_RESULTS(
         {RPC_ARR, .when = "for verbose = 0",
          .inner = RPC_RESULTS({RPC_HEX, "txid", "One that waits."})},
         {RPC_ARR, .when = "for verbose = 1",
          .inner = RPC_RESULTS({RPC_OBJ, .inner = RPC_RESULTS(ORPHAN_RESULTS)})},
         {RPC_ARR, .when = "for verbose = 2",
          .inner = RPC_RESULTS(
              {RPC_OBJ, .inner = RPC_RESULTS(ORPHAN_RESULTS, {RPC_HEX, "hex", "All of it."})})}),
     .examples = RPC_EXAMPLES("2"),
     .run = get_orphan_txs},
    {.name = "getprivatebroadcastinfo",
     .group = "rawtransactions",
     .summary = "Shows the transactions that are being sent privately, and to whom. Those without "
                "attempts left stay in the list. Only with -privatebroadcast.",
     .results = RPC_RESULTS(
         {RPC_OBJ,
          .inner = RPC_RESULTS(
              {RPC_ARR, "transactions", "All of them.",
               .inner = RPC_RESULTS(
                   {RPC_OBJ, .inner = RPC_RESULTS(
                                 ID_RESULTS, {RPC_HEX, "hex", "All of it."},
                                 {RPC_TIME, "time_added", "When it was handed in."},
                                 {RPC_NUM, "attempts_remaining", "How often it may still be sent."},
                                 {RPC_ARR, "peers", "Where it was sent.",
                                  .inner = RPC_RESULTS(
                                      {RPC_OBJ, .inner = RPC_RESULTS(
                                                    {RPC_STR, "address", "The peer's address."},
                                                    {RPC_TIME, "sent", "When it was offered."},
                                                    {RPC_TIME, "received", "When the peer had it.",
                                                     .flags = RPC_OPTIONAL})})})})})}),
     .examples = RPC_EXAMPLES(""),
     .run = get_private_broadcast_info},
    {.name = NULL},
};
