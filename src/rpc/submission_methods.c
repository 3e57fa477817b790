/* Methods that hand transactions to the mempool, or ask what it would say to them. */
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "iface/peers.h"
#include "policy/package.h"
#include "policy/standard.h"
#include "primitives/amount.h"
#include "rpc/args.h"
#include "rpc/groups.h"
#include "rpc/signing.h"
#include "script/parse.h"

#define MAX_RATE_SAT_KVB (COIN_SAT / 10)

/* What is asked for, read: transactions are held. */
struct submission {
    const struct tx_ref *txs[PACKAGE_TXS_MAX];
    struct tx_result results[PACKAGE_TXS_MAX];
    size_t n;
    char package_reason[TX_PACKAGE_REASON_MAX];
    struct tx_submit_options options;
};

static void submission_clear(struct submission *s)
{
    for (size_t i = 0; i < s->n; i++) {
        tx_ref_drop(s->txs[i]);
        tx_result_clear(&s->results[i]);
    }
}

static int read_max_rate(struct rpc_call *call, int64_t *ret_sat_kvb, size_t index)
{
    int rc;

    *ret_sat_kvb = MAX_RATE_SAT_KVB;
    if (!rpc_arg_given(call, index))
        return 0;
    rc = rpc_value_amount(call, ret_sat_kvb, rpc_arg(call, index), 8);
    if (rc == 0 && *ret_sat_kvb >= COIN_SAT)
        rc = rpc_fail(call, RPC_INVALID_PARAMETER,
                      "Fee rates larger than or equal to 1BTC/kvB are not accepted");
    return rc;
}

static int read_max_burn(struct rpc_call *call, int64_t *ret_sat, size_t index)
{
    *ret_sat = 0;
    return rpc_arg_given(call, index) ? rpc_value_amount(call, ret_sat, rpc_arg(call, index), 8)
                                      : 0;
}

static int check_burn(struct rpc_call *call, const struct tx *tx, int64_t max_sat)
{
    for (uint32_t i = 0; i < tx->out_n; i++) {
        struct span script = tx->out[i].script_pubkey;

        if ((script_is_unspendable(script) || !script_has_valid_ops(script)) &&
            tx->out[i].value_sat > max_sat)
            return rpc_fail(call, RPC_VERIFY_ERROR,
                            "Unspendable output exceeds maximum configured by user "
                            "(maxburnamount)");
    }
    return 0;
}

/* Adds a transaction. What does not decode is told with its text where there are
 * several. */
static int add_tx(struct rpc_call *call, struct submission *s, const char *hex, bool tell_hex)
{
    struct tx_ref *ref;
    struct tx tx;

    if (!read_raw_tx(&tx, hex, false, true, call->arena) || tx_ref_read(&ref, tx.raw, NULL) < 0)
        return tell_hex
                   ? rpc_fail(call, RPC_DESERIALIZATION_ERROR,
                              "TX decode failed: %s Make sure the tx has at least one input.", hex)
                   : rpc_fail(call, RPC_DESERIALIZATION_ERROR,
                              "TX decode failed. Make sure the tx has at least one input.");
    s->txs[s->n++] = ref;
    return 0;
}

static int add_list(struct rpc_call *call, struct submission *s, const struct json *list)
{
    const char *hex;
    int rc = 0;

    if (list->count < 1 || list->count > PACKAGE_TXS_MAX)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Array must contain between 1 and %u transactions.", PACKAGE_TXS_MAX);
    for (uint32_t i = 0; i < list->count && rc == 0; i++) {
        rc = rpc_value_string(call, &hex, &list->items[i]);
        if (rc == 0)
            rc = add_tx(call, s, hex, true);
    }
    return rc;
}

static int submit(struct rpc_call *call, struct submission *s)
{
    struct mempool_view *pool = call->context->mempool;
    struct error err = {0};

    if (pool->ops->submit(pool, s->results, s->package_reason, s->txs, s->n, &s->options, &err) < 0)
        return rpc_fail(call, RPC_INTERNAL_ERROR, "%s", error_text(&err));
    return 0;
}

/* "reason, detail" */
static const char *full_reason(struct rpc_call *call, const struct tx_result *result)
{
    char *text = arena_alloc(call->arena, TX_PACKAGE_REASON_MAX);

    (void)snprintf(text, TX_PACKAGE_REASON_MAX, "%s%s%s", result->reason,
                   result->detail[0] == 0 ? "" : ", ", result->detail);
    return text;
}

/* --- sendrawtransaction -------------------------------------------------------------- */

static int fail_refused(struct rpc_call *call, const struct tx_result *result)
{
    if (strcmp(result->reason, "txn-already-known") == 0)
        return rpc_fail(call, RPC_VERIFY_ALREADY_IN_UTXO_SET,
                        "Transaction outputs already in utxo set");
    if (strcmp(result->reason, "max-fee-exceeded") == 0)
        return rpc_fail(call, RPC_VERIFY_ERROR,
                        "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)");
    return rpc_fail(
        call, result->cause == TX_CAUSE_MISSING_INPUTS ? RPC_VERIFY_ERROR : RPC_VERIFY_REJECTED,
        "%s", full_reason(call, result));
}

/* Peers are to hear of what is in the mempool now, also when it was there before. */
static void announce(struct rpc_call *call, const struct tx_result *result)
{
    struct peers *peers = call->context->peers;

    if (peers == NULL || result->outcome == TX_REFUSED || result->outcome == TX_NOT_JUDGED)
        return;
    peers->ops->announce(peers, &result->txid,
                         result->outcome == TX_KNOWN_OTHER ? &result->other_wtxid : &result->wtxid);
}

/* -privatebroadcast: past our own mempool, over connections made for it. */
static bool goes_privately(struct rpc_call *call, bool *ret_is_possible)
{
    struct peers *peers = call->context->peers;
    struct peers_status status = {0};

    *ret_is_possible = false;
    if (peers == NULL || !peers->ops->is_private(peers))
        return false;
    peers->ops->status(peers, &status, call->arena);
    for (size_t i = 0; i < status.networks_n; i++)
        *ret_is_possible |=
            status.networks[i].reachable && (strcmp(status.networks[i].name, "onion") == 0 ||
                                             strcmp(status.networks[i].name, "i2p") == 0);
    return true;
}

static int send_privately(struct rpc_call *call, const struct tx_ref *tx)
{
    struct peers *peers = call->context->peers;

    if (peers->ops->broadcast_privately(peers, tx) == PEERS_FULL)
        return rpc_fail(call, RPC_LIMIT_EXCEEDED, "Private broadcast queue is full");
    return 0;
}

static int send_raw_transaction(struct rpc_call *call)
{
    bool is_possible, is_private = goes_privately(call, &is_possible);
    struct submission s = {.options = {.is_local = true}};
    const struct tx_result *result = &s.results[0];
    int64_t max_burn_sat;
    const char *hex;
    int rc = read_max_burn(call, &max_burn_sat, 2);

    if (rc == 0)
        rc = rpc_arg_string(call, &hex, 0);
    if (rc == 0)
        rc = add_tx(call, &s, hex, false);
    if (rc == 0)
        rc = check_burn(call, &s.txs[0]->tx, max_burn_sat);
    if (rc == 0)
        rc = read_max_rate(call, &s.options.max_feerate_sat_kvb, 1);
    if (rc == 0 && is_private && !is_possible)
        rc = rpc_fail(call, RPC_MISC_ERROR,
                      "-privatebroadcast is enabled, but none of the Tor or I2P networks is "
                      "reachable. Maybe the location of the Tor proxy couldn't be retrieved "
                      "from the Tor daemon at startup. Check whether the Tor daemon is running "
                      "and that -torcontrol, -torpassword and -i2psam are configured properly.");
    s.options.test_only = is_private;
    if (rc == 0)
        rc = submit(call, &s);
    if (rc == 0 && result->outcome == TX_REFUSED)
        rc = fail_refused(call, result);
    if (rc == 0 && is_private)
        rc = send_privately(call, s.txs[0]);
    else if (rc == 0)
        announce(call, result);
    if (rc == 0)
        json_string(call->out, hash_hex(s.txs[0]->tx.txid.b).text);
    submission_clear(&s);
    return rc;
}

/* --- testmempoolaccept ------------------------------------------------------------------ */

static void write_fees(struct json_writer *w, const struct tx_result *result, bool with_rate)
{
    json_key(w, "fees");
    json_begin_object(w);
    json_put_amount(w, "base", result->fee_sat);
    if (with_rate) {
        json_put_amount(w, "effective-feerate", result->effective_sat_kvb);
        json_key(w, "effective-includes");
        json_begin_array(w);
        for (size_t i = 0; i < result->effective_with_n; i++)
            json_string(w, hash_hex(result->effective_with[i].b).text);
        json_end_array(w);
    }
    json_end_object(w);
}

static void write_sizes(struct json_writer *w, const struct tx_result *result, const struct tx *tx)
{
    json_put_int(w, "vsize_adjusted", result->vsize);
    json_put_int(w, "vsize", result->vsize);
    json_put_int(w, "vsize_bip141", policy_vsize((int64_t)tx_weight(tx)));
}

/* Not of one of them, but of all? */
static bool is_of_package(const char *reason)
{
    return reason[0] != 0 && strcmp(reason, "transaction failed") != 0 &&
           strcmp(reason, "unspent-dust") != 0;
}

/* True: the rest shall not be told. */
static bool write_test(struct rpc_call *call, const struct tx_result *result, const struct tx *tx,
                       int64_t max_rate_sat_kvb)
{
    struct json_writer *w = call->out;
    int64_t max_sat =
        feerate_fee_sat(feerate_of_sat_kvb(max_rate_sat_kvb), (uint64_t)result->vsize);

    if (result->outcome == TX_ACCEPTED && max_sat > 0 && result->fee_sat > max_sat) {
        json_put_bool(w, "allowed", false);
        json_put_string(w, "reject-reason", "max-fee-exceeded");
        return true;
    }
    if (result->outcome == TX_ACCEPTED) {
        json_put_bool(w, "allowed", true);
        write_sizes(w, result, tx);
        write_fees(w, result, true);
    } else if (result->cause == TX_CAUSE_MISSING_INPUTS) {
        json_put_bool(w, "allowed", false);
        json_put_string(w, "reject-reason", "missing-inputs");
    } else {
        json_put_bool(w, "allowed", false);
        json_put_string(w, "reject-reason", result->reason);
        json_put_string(w, "reject-details", full_reason(call, result));
    }
    return false;
}

static int test_mempool_accept(struct rpc_call *call)
{
    struct submission s = {.options = {.test_only = true}};
    struct json_writer *w = call->out;
    int64_t max_rate_sat_kvb;
    bool is_over = false;
    int rc = 0;

    if (rpc_arg(call, 0)->count < 1 || rpc_arg(call, 0)->count > PACKAGE_TXS_MAX)
        rc = add_list(call, &s, rpc_arg(call, 0));
    if (rc == 0)
        rc = read_max_rate(call, &max_rate_sat_kvb, 1);
    if (rc == 0)
        rc = add_list(call, &s, rpc_arg(call, 0));
    if (rc == 0)
        rc = submit(call, &s);
    if (rc == 0)
        json_begin_array(w);
    for (size_t i = 0; i < s.n && rc == 0; i++) {
        const struct tx *tx = &s.txs[i]->tx;

        json_begin_object(w);
        json_put_hash(w, "txid", tx->txid.b);
        json_put_hash(w, "wtxid", tx->wtxid.b);
        if (is_of_package(s.package_reason))
            json_put_string(w, "package-error", s.package_reason);
        if (!is_over && s.results[i].outcome != TX_NOT_JUDGED)
            is_over = write_test(call, &s.results[i], tx, max_rate_sat_kvb);
        json_end_object(w);
    }
    if (rc == 0)
        json_end_array(w);
    submission_clear(&s);
    return rc;
}

/* --- submitpackage ------------------------------------------------------------------------- */

/* A child with parents, none of which spends from another. */
static int check_tree(struct rpc_call *call, const struct submission *s)
{
    const struct tx *list[PACKAGE_TXS_MAX];
    bool ok;

    for (size_t i = 0; i < s->n; i++)
        list[i] = &s->txs[i]->tx;
    ok = s->n < 2 || package_is_child_with_parents(list, s->n);
    for (size_t i = 0; i + 1 < s->n && ok; i++) {
        for (size_t k = 0; k + 1 < s->n && ok; k++)
            ok = !tx_spends_from(list[i], &list[k]->txid);
    }
    if (ok)
        return 0;
    return rpc_fail(call, RPC_VERIFY_ERROR,
                    "package topology disallowed. not child-with-parents or parents depend on "
                    "each other.");
}

static void write_package_result(struct rpc_call *call, const struct tx_result *result,
                                 const struct tx *tx)
{
    struct json_writer *w = call->out;

    json_begin_object(w);
    json_put_hash(w, "txid", tx->txid.b);
    switch (result->outcome) {
    case TX_KNOWN_OTHER:
        json_put_hash(w, "other-wtxid", result->other_wtxid.b);
        break;
    case TX_REFUSED:
        json_put_string(w, "error", full_reason(call, result));
        break;
    case TX_NOT_JUDGED:
        json_put_string(w, "error", "package-not-validated");
        break;
    case TX_ACCEPTED:
    case TX_KNOWN:
        write_sizes(w, result, tx);
        write_fees(w, result, result->outcome == TX_ACCEPTED);
        break;
    }
    json_end_object(w);
}

static void write_package(struct rpc_call *call, const struct submission *s)
{
    struct json_writer *w = call->out;

    json_begin_object(w);
    json_put_string(w, "package_msg", s->package_reason[0] == 0 ? "success" : s->package_reason);
    json_key(w, "tx-results");
    json_begin_object(w);
    for (size_t i = 0; i < s->n; i++) {
        json_key(w, hash_hex(s->txs[i]->tx.wtxid.b).text);
        write_package_result(call, &s->results[i], &s->txs[i]->tx);
    }
    json_end_object(w);
    json_key(w, "replaced-transactions");
    json_begin_array(w);
    for (size_t i = 0; i < s->n; i++) {
        for (size_t k = 0; s->results[i].outcome == TX_ACCEPTED && k < s->results[i].replaced_n;
             k++)
            json_string(w, hash_hex(s->results[i].replaced[k]->tx.txid.b).text);
    }
    json_end_array(w);
    json_end_object(w);
}

static int submit_package(struct rpc_call *call)
{
    struct submission s = {.options = {.is_package = true, .is_local = true}};
    int64_t max_burn_sat;
    int rc = 0;

    if (rpc_arg(call, 0)->count < 1 || rpc_arg(call, 0)->count > PACKAGE_TXS_MAX)
        rc = add_list(call, &s, rpc_arg(call, 0));
    if (rc == 0)
        rc = read_max_rate(call, &s.options.max_feerate_sat_kvb, 1);
    if (rc == 0)
        rc = read_max_burn(call, &max_burn_sat, 2);
    if (rc == 0)
        rc = add_list(call, &s, rpc_arg(call, 0));
    for (size_t i = 0; i < s.n && rc == 0; i++)
        rc = check_burn(call, &s.txs[i]->tx, max_burn_sat);
    if (rc == 0)
        rc = check_tree(call, &s);
    if (rc == 0)
        rc = submit(call, &s);
    for (size_t i = 0; i < s.n && rc == 0; i++)
        announce(call, &s.results[i]);
    if (rc == 0)
        write_package(call, &s);
    submission_clear(&s);
    return rc;
}

/* --- The table ------------------------------------------------------------------------------- */

#define RATE_PARAM                                                                            \
    {                                                                                         \
        "maxfeerate", RPC_AMOUNT, "=\"0.10\"",                                                \
            "Refuse what pays more, BTC/kvB, lest a mistake costs dear. Less than 1; 0: pay " \
            "what you like."                                                                  \
    }
#define BURN_PARAM                                                                       \
    {                                                                                    \
        "maxburnamount", RPC_AMOUNT, "=\"0.00\"",                                        \
            "Refuse what puts more than this many BTC into an output that can never be " \
            "spent."                                                                     \
    }
#define SIZE_RESULTS                                                                           \
    {RPC_NUM, "vsize_adjusted", "Virtual size, or what signature checks count if more.",       \
     .flags = RPC_OPTIONAL},                                                                   \
        {RPC_NUM, "vsize", "As vsize_adjusted.", .flags = RPC_OPTIONAL | RPC_OBSOLETE},        \
    {                                                                                          \
        RPC_NUM, "vsize_bip141", "A quarter of the weight, rounded up.", .flags = RPC_OPTIONAL \
    }
#define FEES_RESULT                                                                                \
    {                                                                                              \
        RPC_OBJ, "fees", "In BTC.",                                                                \
            .flags = RPC_OPTIONAL,                                                                 \
            .inner = RPC_RESULTS({RPC_AMOUNT, "base", "What it pays."},                            \
                                 {RPC_AMOUNT, "effective-feerate",                                 \
                                  "The rate it was judged by, BTC/kvB.", .flags = RPC_OPTIONAL},   \
                                 {RPC_ARR, "effective-includes",                                   \
                                  "Whose fees and sizes are in that rate.", .flags = RPC_OPTIONAL, \
                                  .inner = RPC_RESULTS({RPC_HEX, .text = "A wtxid."})})            \
    }

const struct rpc_method rpc_submission_methods[] = {
    {.name = "sendrawtransaction",
     .group = "rawtransactions",
     .summary = "Takes a signed transaction into the mempool and sends it to peers. Others can "
                "tell that it came from here if it is sent again.",
     .params = RPC_PARAMS({"hexstring", RPC_HEX, RPC_REQUIRED, "The transaction."}, RATE_PARAM,
                          BURN_PARAM),
     .results = RPC_RESULTS({RPC_HEX, .text = "Its txid."}),
     .examples = RPC_EXAMPLES("\"signedhex\""),
     .run = send_raw_transaction},
    {.name = "submitpackage",
     .group = "rawtransactions",
     .summary = "Takes a transaction into the mempool together with unconfirmed parents, so that "
                "it may pay for them. What comes in is sent to peers, but others may judge "
                "otherwise.",
     .params = RPC_PARAMS({"package", RPC_ARR, RPC_REQUIRED, "Parents first, the child last.",
                           .inner = RPC_PARAMS({"rawtx", RPC_HEX, RPC_OMITTED, "A transaction."})},
                          RATE_PARAM, BURN_PARAM),
     .results = RPC_RESULTS(
         {RPC_OBJ,
          .inner = RPC_RESULTS(
              {RPC_STR, "package_msg", "\"success\": all are in the mempool now; or why not."},
              {RPC_OBJ_DYN, "tx-results", "By wtxid.",
               .inner = RPC_RESULTS(
                   {RPC_OBJ, "wtxid",
                    .inner = RPC_RESULTS(
                        {RPC_HEX, "txid", "Its txid."},
                        {RPC_HEX, "other-wtxid", "The same with another witness is here.",
                         .flags = RPC_OPTIONAL},
                        SIZE_RESULTS, FEES_RESULT,
                        {RPC_STR, "error", "Why it was refused.", .flags = RPC_OPTIONAL})})},
              {RPC_ARR, "replaced-transactions", "What had to go for them.", .flags = RPC_OPTIONAL,
               .inner = RPC_RESULTS({RPC_HEX, .text = "A txid."})})}),
     .examples = RPC_EXAMPLES("'[\"raw-parent-tx-1\", \"raw-parent-tx-2\", \"raw-child-tx\"]'"),
     .run = submit_package},
    {.name = "testmempoolaccept",
     .group = "rawtransactions",
     .summary = "Tells whether transactions would be taken into the mempool. Several are judged "
                "together, parents first, and must not replace anything; after the first failure "
                "the rest may not be judged.",
     .params = RPC_PARAMS({"rawtxs", RPC_ARR, RPC_REQUIRED, "Up to 25 transactions.",
                           .inner = RPC_PARAMS({"rawtx", RPC_HEX, RPC_OMITTED, "A transaction."})},
                          RATE_PARAM),
     .results = RPC_RESULTS(
         {RPC_ARR,
          .inner = RPC_RESULTS(
              {RPC_OBJ, .inner = RPC_RESULTS(
                            {RPC_HEX, "txid", "Its txid."}, {RPC_HEX, "wtxid", "Its wtxid."},
                            {RPC_STR, "package-error", "What is wrong with all together.",
                             .flags = RPC_OPTIONAL},
                            {RPC_BOOL, "allowed", "Would it be taken in? Missing: not judged.",
                             .flags = RPC_OPTIONAL},
                            SIZE_RESULTS, FEES_RESULT,
                            {RPC_STR, "reject-reason", "Why not.", .flags = RPC_OPTIONAL},
                            {RPC_STR, "reject-details", "More of it.", .flags = RPC_OPTIONAL})})}),
     .examples = RPC_EXAMPLES("'[\"signedhex\"]'"),
     .run = test_mempool_accept},
    {.name = NULL},
};
