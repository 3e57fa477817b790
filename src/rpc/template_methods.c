/* Block templates for miners (BIP 22, 23, 9, 145) and what changes them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "consensus/deployments.h"
#include "consensus/rules.h"
#include "iface/mempool.h"
#include "iface/miner.h"
#include "iface/peers.h"
#include "policy/standard.h"
#include "rpc/args.h"
#include "rpc/block_arg.h"
#include "rpc/block_json.h"
#include "rpc/branch.h"
#include "rpc/groups.h"

/* A waiting miner is answered when the tip moves, or else, after a minute and then every
 * ten seconds, if there are other transactions. */
#define LONG_POLL_FIRST_MS 60000
#define LONG_POLL_NEXT_MS 10000

static const char *const deployment_names[DEPLOYMENT_COUNT] = {[DEPLOYMENT_TESTDUMMY] =
                                                                   "testdummy"};

/* --- Proposals ----------------------------------------------------------------------- */

static const char *duplicate_word(enum block_validity validity)
{
    if (validity == BLOCK_SCRIPTS)
        return "duplicate";
    if (validity == BLOCK_FAILED || validity == BLOCK_FAILED_CHILD)
        return "duplicate-invalid";
    return "duplicate-inconclusive";
}

static int judge_proposal(struct rpc_call *call, const struct json *request)
{
    struct node *node = call->context->node;
    const struct json *data = json_find(request, "data");
    struct submit_result result = {0};
    struct error err = {0};
    struct block_info known;
    struct block block;
    struct span bytes;

    if (data == NULL || data->type != JSON_STRING)
        return rpc_fail(call, RPC_TYPE_ERROR, "Missing data String key for proposal");
    if (rpc_value_hex(call, &bytes, data, "data") < 0 ||
        !block_arg_read(&block, &bytes, call->arena))
        return rpc_fail(call, RPC_DESERIALIZATION_ERROR, "Block decode failed");
    if (node->ops->block_by_hash(node, &known, &block.hash) == 0) {
        json_string(call->out, duplicate_word(known.validity));
        return 0;
    }
    if (node->ops->test_block(node, &result, bytes, false, true, &err) < 0)
        return rpc_fail(call, RPC_VERIFY_ERROR, "%s", error_text(&err));
    if (!result.is_judged)
        json_string(call->out, "inconclusive-not-best-prevblk");
    else if (result.verdict == V_VALID)
        json_null(call->out);
    else
        json_string(call->out, result.reason[0] == '\0' ? "rejected" : result.reason);
    return 0;
}

/* --- Waiting ------------------------------------------------------------------------- */

static bool is_stopping(const struct rpc_call *call)
{
    struct host *host = call->context->host;

    return host->ops->is_stopping(host);
}

static uint64_t mempool_changes(const struct rpc_call *call)
{
    struct mempool_view *mempool = call->context->mempool;

    return mempool == NULL ? 0 : mempool->ops->changes(mempool);
}

/* The id is the tip's hash, and behind it how far the mempool was. */
static int read_poll_id(struct rpc_call *call, const struct json *id, struct block_hash *ret_tip,
                        uint64_t *ret_changes)
{
    const char *text = json_text(id);
    struct json hash = *id;
    int rc;

    hash.text.len = MIN(id->text.len, 2U * HASH_BYTES);
    rc = rpc_value_hash(call, ret_tip->b, &hash, "longpollid");
    if (rc == 0)
        *ret_changes = strtoull(text + hash.text.len, NULL, 10);
    return rc;
}

static int wait_for_news(struct rpc_call *call, const struct json *id)
{
    struct node *node = call->context->node;
    int64_t timeout_ms = LONG_POLL_FIRST_MS;
    struct node_status status;
    struct block_hash known;
    struct block_info tip;
    uint64_t changes = mempool_changes(call);

    node->ops->status(node, &status);
    known = status.tip.hash;
    if (id->type == JSON_STRING) {
        int rc = read_poll_id(call, id, &known, &changes);

        if (rc < 0)
            return rc;
    }
    while (!is_stopping(call)) {
        node->ops->wait_tip(node, &tip, &known, timeout_ms);
        if (!block_hash_equal(&tip.hash, &known) || mempool_changes(call) != changes)
            break;
        timeout_ms = LONG_POLL_NEXT_MS;
    }
    if (is_stopping(call))
        return rpc_fail(call, RPC_CLIENT_NOT_CONNECTED, "Shutting down");
    return 0;
}

/* --- The template as JSON ------------------------------------------------------------ */

/* Where a transaction stands in the template, by its id: open addressing. */
struct places {
    uint32_t *slots; /* Place plus 1; 0: free. */
    size_t mask;
    const struct mempool_pick *txs;
};

static size_t slot_of(const struct places *places, const struct txid *txid)
{
    return (size_t)get_le64(txid->b) & places->mask;
}

static void places_init(struct places *places, const struct block_template *template,
                        struct arena *arena)
{
    size_t slots_n = 16;

    while (slots_n < 2 * template->txs_n)
        slots_n *= 2;
    *places = (struct places){.mask = slots_n - 1, .txs = template->txs};
    places->slots = arena_array(arena, slots_n, sizeof(*places->slots));
    memset(places->slots, 0, slots_n * sizeof(*places->slots));
    for (size_t i = 0; i < template->txs_n; i++) {
        size_t at = slot_of(places, &template->txs[i].tx->tx.txid);

        while (places->slots[at] != 0)
            at = (at + 1) & places->mask;
        places->slots[at] = (uint32_t)i + 1;
    }
}

/* From 1; 0: it is not there. */
static uint32_t place_of(const struct places *places, const struct txid *txid)
{
    size_t at = slot_of(places, txid);

    while (places->slots[at] != 0 &&
           memcmp(places->txs[places->slots[at] - 1].tx->tx.txid.b, txid->b, HASH_BYTES) != 0)
        at = (at + 1) & places->mask;
    return places->slots[at];
}

static void write_tx(struct json_writer *w, const struct mempool_pick *pick,
                     const struct places *places, bool has_segwit)
{
    const struct tx *tx = &pick->tx->tx;
    struct buf raw = {0};

    tx_write(&raw, tx, true);
    json_begin_object(w);
    json_put_hex(w, "data", span_of_buf(&raw));
    json_put_hash(w, "txid", tx->txid.b);
    json_put_hash(w, "hash", tx->wtxid.b);
    json_key(w, "depends");
    json_begin_array(w);
    for (uint32_t i = 0; i < tx->in_n; i++) {
        uint32_t place = place_of(places, &tx->in[i].prevout.txid);

        if (place > 0)
            json_int(w, place);
    }
    json_end_array(w);
    json_put_int(w, "fee", pick->fee_sat);
    json_put_int(w, "sigops",
                 has_segwit ? pick->sigop_cost : pick->sigop_cost / WITNESS_SCALE_FACTOR);
    json_put_int(w, "weight", pick->weight);
    json_end_object(w);
    buf_clear(&raw);
}

static void write_txs(struct rpc_call *call, const struct block_template *template)
{
    struct json_writer *w = call->out;
    struct places places;

    places_init(&places, template, call->arena);
    json_key(w, "transactions");
    json_begin_array(w);
    for (size_t i = 0; i < template->txs_n; i++)
        write_tx(w, &template->txs[i], &places, template->has_segwit);
    json_end_array(w);
}

static void put_strings(struct json_writer *w, const char *key, const char *const *texts)
{
    json_key(w, key);
    json_begin_array(w);
    for (; *texts != NULL; texts++)
        json_string(w, *texts);
    json_end_array(w);
}

/* BIP 9: "!" stands before rules that a miner must know to make a valid block. */
static void write_rules(struct rpc_call *call, const struct block_template *template)
{
    const struct params *params = call->context->params;
    struct branch branch = {.node = call->context->node, .hash = template->tip.hash};
    struct ancestry ancestry = {
        .tip_height = template->tip.height, .at = branch_at, .context = &branch};
    enum deployment_state states[DEPLOYMENT_COUNT];
    struct json_writer *w = call->out;

    for (enum deployment d = 0; d < DEPLOYMENT_COUNT; d++)
        states[d] = deployment_state_after(&ancestry, d, params, NULL);
    json_key(w, "rules");
    json_begin_array(w);
    json_string(w, "csv");
    if (template->has_segwit) {
        json_string(w, "!segwit");
        json_string(w, "taproot");
    }
    if (params->signet_blocks)
        json_string(w, "!signet");
    for (enum deployment d = 0; d < DEPLOYMENT_COUNT; d++)
        if (states[d] == DEPLOYMENT_ACTIVE)
            json_string(w, deployment_names[d]);
    json_end_array(w);
    json_key(w, "vbavailable");
    json_begin_object(w);
    for (enum deployment d = 0; d < DEPLOYMENT_COUNT; d++)
        if (states[d] == DEPLOYMENT_STARTED || states[d] == DEPLOYMENT_LOCKED_IN)
            json_put_int(w, deployment_names[d], params->deployments[d].bit);
    json_end_object(w);
    json_put_int(w, "vbrequired", 0);
}

static void write_limits(struct json_writer *w, const struct block_template *template)
{
    /* Before BIP 141 sigops counted one each, and bytes were what was limited. */
    int64_t scale = template->has_segwit ? 1 : WITNESS_SCALE_FACTOR;

    json_put_int(w, "sigoplimit", BLOCK_SIGOPS_COST_MAX / scale);
    json_put_int(w, "sizelimit", BLOCK_WEIGHT_MAX / scale);
    if (template->has_segwit)
        json_put_int(w, "weightlimit", BLOCK_WEIGHT_MAX);
}

static void write_template(struct rpc_call *call, const struct block_template *template,
                           uint32_t time, uint32_t bits)
{
    static const char *const capabilities[] = {"proposal", NULL};
    static const char *const mutables[] = {"time", "transactions", "prevblock", NULL};
    const struct params *params = call->context->params;
    struct json_writer *w = call->out;
    char target[HASH_HEX_SIZE];
    char *poll_id =
        alloc_printf("%s%" PRIu64, hash_hex(template->tip.hash.b).text, template->mempool_changes);

    target_to_hex(target, bits);
    json_begin_object(w);
    put_strings(w, "capabilities", capabilities);
    json_put_int(w, "version", template->version);
    write_rules(call, template);
    json_put_hash(w, "previousblockhash", template->tip.hash.b);
    write_txs(call, template);
    json_key(w, "coinbaseaux");
    json_begin_object(w);
    json_end_object(w);
    json_put_int(w, "coinbasevalue", template->subsidy_sat + template->fees_sat);
    json_put_string(w, "longpollid", poll_id);
    json_put_string(w, "target", target);
    json_put_int(w, "mintime", template->min_time);
    put_strings(w, "mutable", mutables);
    json_put_string(w, "noncerange", "00000000ffffffff");
    write_limits(w, template);
    json_put_int(w, "curtime", time);
    json_put_string(w, "bits", bits_hex(bits).text);
    json_put_int(w, "height", template->height);
    if (params->signet_blocks)
        json_put_hex(w, "signet_challenge", params->signet_challenge);
    if (template->has_segwit)
        json_put_hex(w, "default_witness_commitment",
                     span_of(template->commitment, sizeof(template->commitment)));
    json_end_object(w);
    free(poll_id);
}

/* --- getblocktemplate ---------------------------------------------------------------- */

static bool knows_rule(const struct json *request, const char *name)
{
    const struct json *rules = json_find(request, "rules");

    if (rules == NULL || rules->type != JSON_ARRAY)
        return false;
    for (uint32_t i = 0; i < rules->count; i++)
        if (json_is_string(&rules->items[i], name))
            return true;
    return false;
}

/* A template on a chain that is not the network's would be work for nothing. */
static int check_connected(struct rpc_call *call)
{
    struct node *node = call->context->node;
    struct peers *peers = call->context->peers;
    struct peers_status connections = {0};
    struct node_status status;

    if (call->context->params->is_test_chain)
        return 0;
    if (peers != NULL)
        peers->ops->status(peers, &connections, call->arena);
    if (connections.connections == 0)
        return rpc_fail(call, RPC_CLIENT_NOT_CONNECTED, "Assay is not connected!");
    node->ops->status(node, &status);
    if (status.initial_block_download)
        return rpc_fail(call, RPC_CLIENT_IN_INITIAL_DOWNLOAD,
                        "Assay is in initial sync and waiting for blocks...");
    return 0;
}

static int check_rules(struct rpc_call *call, const struct json *request)
{
    if (call->context->params->signet_blocks && !knows_rule(request, "signet"))
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "getblocktemplate must be called with the signet rule set (call with "
                        "{\"rules\": [\"segwit\", \"signet\"]})");
    if (!knows_rule(request, "segwit"))
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "getblocktemplate must be called with the segwit rule set (call with "
                        "{\"rules\": [\"segwit\"]})");
    return 0;
}

static int get_block_template(struct rpc_call *call)
{
    struct miner *miner = call->context->miner;
    const struct json *request = rpc_arg(call, 0);
    const struct json *mode = json_find(request, "mode");
    const struct json *poll_id = json_find(request, "longpollid");
    const struct block_template *template;
    struct error err = {0};
    uint32_t time;
    uint32_t bits;
    int rc = 0;

    if (mode != NULL && mode->type == JSON_NULL)
        mode = NULL;
    if (mode != NULL && json_is_string(mode, "proposal"))
        return judge_proposal(call, request);
    if (mode != NULL && !json_is_string(mode, "template"))
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid mode");
    rc = check_connected(call);
    if (rc == 0 && poll_id != NULL && poll_id->type != JSON_NULL)
        rc = wait_for_news(call, poll_id);
    if (rc == 0)
        rc = check_rules(call, request);
    if (rc < 0)
        return rc;
    if (miner->ops->get_template(miner, &template, &time, &bits, &err) < 0)
        return rpc_fail(call, RPC_INTERNAL_ERROR, "%s", error_text(&err));
    write_template(call, template, time, bits);
    miner->ops->drop_template(miner, template);
    return 0;
}

/* --- Priorities ---------------------------------------------------------------------- */

static int find_mempool(struct rpc_call *call, struct mempool_view **ret_mempool)
{
    *ret_mempool = call->context->mempool;
    if (*ret_mempool == NULL)
        return rpc_fail(call, RPC_CLIENT_MEMPOOL_DISABLED,
                        "Mempool disabled or instance not found");
    return 0;
}

/* Dust is let in only where it costs its miner nothing to leave it out. */
static bool has_forbidden_dust(struct mempool_view *mempool, const struct txid *txid)
{
    struct tx_name name = {.is_wtxid = false};
    struct mempool_status status;
    const struct tx_ref *tx;
    bool has_dust;

    memcpy(name.id, txid->b, HASH_BYTES);
    tx = mempool->ops->find(mempool, NULL, &name);
    if (tx == NULL)
        return false;
    mempool->ops->status(mempool, &status);
    has_dust = status.require_standard &&
               standard_dust_n(&tx->tx, feerate_of_sat_kvb(status.dust_relay_sat_kvb)) > 0;
    tx_ref_drop(tx);
    return has_dust;
}

static int prioritise_transaction(struct rpc_call *call)
{
    const struct json *dummy = rpc_arg(call, 1);
    struct mempool_view *mempool;
    struct error err = {0};
    struct txid txid;
    double zero = 0;
    int64_t delta_sat;
    int rc = rpc_arg_hash(call, txid.b, 0);

    if (rc == 0)
        rc = rpc_arg_int(call, &delta_sat, 2, INT64_MIN, INT64_MAX);
    if (rc < 0)
        return rc;
    if (dummy != NULL && (!json_get_double(&zero, dummy) || zero != 0))
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Priority is no longer supported, dummy argument to "
                        "prioritisetransaction must be 0.");
    rc = find_mempool(call, &mempool);
    if (rc < 0)
        return rc;
    if (has_forbidden_dust(mempool, &txid))
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Priority is not supported for transactions with dust outputs.");
    if (mempool->ops->prioritise(mempool, &txid, delta_sat, &err) < 0)
        return rpc_fail(call, RPC_MISC_ERROR, "%s", error_text(&err));
    json_bool(call->out, true);
    return 0;
}

static int compare_prioritised(const void *a, const void *b)
{
    const struct mempool_prioritised *left = a;
    const struct mempool_prioritised *right = b;

    return memcmp(left->txid.b, right->txid.b, HASH_BYTES);
}

static int get_prioritised_transactions(struct rpc_call *call)
{
    struct json_writer *w = call->out;
    struct mempool_prioritised *list;
    struct mempool_view *mempool;
    size_t n;
    int rc = find_mempool(call, &mempool);

    if (rc < 0)
        return rc;
    mempool->ops->prioritised(mempool, &list, &n, call->arena);
    if (n > 1)
        qsort(list, n, sizeof(*list), compare_prioritised);
    json_begin_object(w);
    for (size_t i = 0; i < n; i++) {
        json_key(w, hash_hex(list[i].txid.b).text);
        json_begin_object(w);
        json_put_int(w, "fee_delta", list[i].delta_sat);
        json_put_bool(w, "in_mempool", list[i].is_in_mempool);
        if (list[i].is_in_mempool)
            json_put_int(w, "modified_fee", list[i].modified_fee_sat);
        json_end_object(w);
    }
    json_end_object(w);
    return 0;
}

/* ------------------------------------------------------------------------------------- */

#define TEMPLATE_TX_RESULT                                                                  \
    RPC_RESULTS({RPC_HEX, "data", "The transaction."},                                      \
                {RPC_HEX, "txid", "Its hash without witness data."},                        \
                {RPC_HEX, "hash", "Its hash with witness data."},                           \
                {RPC_ARR, "depends", "Those of this list, counted from 1, that it spends.", \
                 RPC_RESULTS({RPC_NUM, .text = "A place in the list."})},                   \
                {RPC_NUM, "fee", "What it pays, in satoshi."},                              \
                {RPC_NUM, "sigops", "Its signature operations as blocks count them."},      \
                {RPC_NUM, "weight", "Its weight."})

#define TEMPLATE_RESULT                                                                          \
    RPC_RESULTS(                                                                                 \
        {RPC_ARR, "capabilities", "What this server can do beside.",                             \
         RPC_RESULTS({RPC_STR, .text = "\"proposal\""})},                                        \
        {RPC_NUM, "version", "The version to use."},                                             \
        {RPC_ARR, "rules", "Rules in force; \"!\" before those a miner must know (BIP 9).",      \
         RPC_RESULTS({RPC_STR, .text = "A rule."})},                                             \
        {RPC_OBJ_DYN, "vbavailable", "Rules that may be signalled for.",                         \
         RPC_RESULTS({RPC_NUM, .text = "The bit of the version."})},                             \
        {RPC_NUM, "vbrequired", "Bits of the version that must be set."},                        \
        {RPC_HEX, "previousblockhash", "The block to build on."},                                \
        {RPC_ARR, "transactions", "What should follow the coinbase, in this order.",             \
         RPC_RESULTS({RPC_OBJ, .inner = TEMPLATE_TX_RESULT})},                                   \
        {RPC_OBJ_DYN, "coinbaseaux", "What the coinbase should contain.",                        \
         RPC_RESULTS({RPC_HEX, .text = "Bytes."})},                                              \
        {RPC_NUM, "coinbasevalue", "What the coinbase may pay out at most, in satoshi."},        \
        {RPC_STR, "longpollid", "Given with the next request: wait until this is out of date."}, \
        {RPC_HEX, "target", "The hash must be at most this."},                                   \
        {RPC_TIME, "mintime", "The least time of the block."},                                   \
        {RPC_ARR, "mutable", "What may be changed.",                                             \
         RPC_RESULTS({RPC_STR, .text = "\"time\", \"transactions\" or \"prevblock\""})},         \
        {RPC_HEX, "noncerange", "Nonces that count."},                                           \
        {RPC_NUM, "sigoplimit", "Limit of signature operations of a block."},                    \
        {RPC_NUM, "sizelimit", "Limit of its size."},                                            \
        {RPC_NUM, "weightlimit", "Limit of its weight.", .flags = RPC_OPTIONAL},                 \
        {RPC_TIME, "curtime", "Time for a block begun now."},                                    \
        {RPC_STR, "bits", "The target in compact form."},                                        \
        {RPC_NUM, "height", "The block's height."},                                              \
        {RPC_HEX, "signet_challenge", "On signet: the script it must satisfy.",                  \
         .flags = RPC_OPTIONAL},                                                                 \
        {RPC_HEX, "default_witness_commitment",                                                  \
         "Output script that commits to the witnesses, if nothing is changed.",                  \
         .flags = RPC_OPTIONAL})

const struct rpc_method rpc_template_methods[] = {
    {.name = "getblocktemplate",
     .group = "mining",
     .summary = "Gives what is needed to mine a block (BIP 22, 23, 9, 145), or judges a block "
                "that somebody proposes.",
     .params = RPC_PARAMS(
         {"template_request", RPC_OBJ, RPC_REQUIRED, "What is wanted.",
          RPC_PARAMS(
              {"mode", RPC_STR, RPC_OMITTED, "\"template\", the default, or \"proposal\".",
               .flags = RPC_ANY_TYPE},
              {"capabilities", RPC_ARR, RPC_OMITTED, "What the miner can do.",
               RPC_PARAMS({"str", RPC_STR, RPC_OMITTED, "\"longpoll\", \"coinbasevalue\", ..."})},
              {"rules", RPC_ARR, RPC_REQUIRED, "Rules the miner knows.",
               RPC_PARAMS({"segwit", RPC_STR, RPC_REQUIRED, "(literal)"},
                          {"str", RPC_STR, RPC_OMITTED, "Another rule."})},
              {"longpollid", RPC_STR, RPC_OMITTED,
               "Of an earlier answer: wait until there is a better template.",
               .flags = RPC_ANY_TYPE},
              {"data", RPC_HEX, RPC_OMITTED, "The proposed block.", .flags = RPC_ANY_TYPE})}),
     .results =
         RPC_RESULTS({RPC_NULL, .when = "for a proposal that is valid"},
                     {RPC_STR, .when = "for a proposal that is not", .text = "Why (BIP 22)."},
                     {RPC_OBJ, .when = "otherwise", .inner = TEMPLATE_RESULT}),
     .examples = RPC_EXAMPLES("'{\"rules\": [\"segwit\"]}'"),
     .run = get_block_template},
    {.name = "getprioritisedtransactions",
     .group = "mining",
     .summary = "Lists the priorities that prioritisetransaction has given.",
     .results = RPC_RESULTS(
         {RPC_OBJ_DYN,
          .inner = RPC_RESULTS(
              {RPC_OBJ, .inner = RPC_RESULTS(
                            {RPC_NUM, "fee_delta", "What its fee counts more, in satoshi."},
                            {RPC_BOOL, "in_mempool", "It is in the mempool now."},
                            {RPC_NUM, "modified_fee", "Then: what its fee counts, in satoshi.",
                             .flags = RPC_OPTIONAL})})}),
     .examples = RPC_EXAMPLES(""),
     .run = get_prioritised_transactions},
    {.name = "prioritisetransaction",
     .group = "mining",
     .summary = "Lets a transaction count as if it paid more, or less, when blocks are made.",
     .params = RPC_PARAMS(
         {"txid", RPC_HEX, RPC_REQUIRED, "The transaction."},
         {"dummy", RPC_NUM, RPC_OMITTED, "Zero or null; for old callers.", .flags = RPC_OBSOLETE},
         {"fee_delta", RPC_NUM, RPC_REQUIRED,
          "What to add to its fee, in satoshi; may be negative. Nobody pays it."}),
     .results = RPC_RESULTS({RPC_BOOL, .text = "true"}),
     .examples = RPC_EXAMPLES("\"txid\" 0.0 10000"),
     .run = prioritise_transaction},
    {.name = NULL},
};
