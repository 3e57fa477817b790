/* scantxoutset: unspent outputs of scripts that descriptors stand for. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "rpc/args.h"
#include "rpc/block_json.h"
#include "rpc/descriptor_args.h"
#include "rpc/groups.h"

#define FOUND_MAX 1000000U

/* One script looked for. */
struct needle {
    struct buf script; /* Owned. */
    char *descriptor;  /* What it is. */
};

struct found {
    struct outpoint outpoint;
    int64_t value_sat;
    uint32_t height;
    bool is_coinbase;
    const struct needle *needle;
};

struct scan {
    struct rpc_call *call;
    struct needle *needles; /* Sorted by script once the scan begins. */
    size_t needles_n;
    struct found *found;
    size_t found_n;
    uint64_t seen_n;
};

/* There is one scan at a time; others ask after it and may end it. */
static atomic_flag is_scanning = ATOMIC_FLAG_INIT;
static _Atomic bool wants_abort;
static _Atomic int progress_percent;

static int compare_spans(struct span a, struct span b)
{
    size_t len = MIN(a.len, b.len);
    int order = len == 0 ? 0 : memcmp(a.data, b.data, len);

    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

static int compare_needles(const void *a, const void *b)
{
    const struct needle *x = a;
    const struct needle *y = b;

    return compare_spans(span_of_buf(&x->script), span_of_buf(&y->script));
}

static int compare_found(const void *a, const void *b)
{
    const struct found *x = a;
    const struct found *y = b;
    int order = memcmp(x->outpoint.txid.b, y->outpoint.txid.b, HASH_BYTES);

    if (order != 0)
        return order;
    return (x->outpoint.vout > y->outpoint.vout) - (x->outpoint.vout < y->outpoint.vout);
}

static const struct needle *find_needle(const struct scan *scan, struct span script)
{
    size_t low = 0;
    size_t high = scan->needles_n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_spans(script, span_of_buf(&scan->needles[middle].script));

        if (order == 0)
            return &scan->needles[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* --- What to look for --- */

/* Takes the bytes of the scripts over. */
static void add_needles(struct scan *scan, struct script_list *scripts, const struct keyring *ring)
{
    scan->needles =
        realloc_array(scan->needles, scan->needles_n + scripts->n, sizeof(*scan->needles));
    for (size_t i = 0; i < scripts->n; i++) {
        struct needle *needle = &scan->needles[scan->needles_n++];
        struct descriptor *inferred =
            descriptor_infer(span_of_buf(&scripts->scripts[i]), ring, scan->call->context->params);
        struct buf text = {0};

        (void)descriptor_write(inferred, &text, 0, DESCRIPTOR_PUBLIC, NULL);
        *needle = (struct needle){
            .script = scripts->scripts[i],
            .descriptor = alloc_string(buf_string(&text)),
        };
        scripts->scripts[i] = (struct buf){0};
        buf_clear(&text);
        descriptor_free(inferred);
    }
}

/* A descriptor, or an object with one and a range. */
static int add_object(struct scan *scan, const struct json *object)
{
    struct script_list scripts = {0};
    struct keyring ring;
    int rc;

    keyring_init(&ring);
    rc = rpc_value_scripts(scan->call, &scripts, &ring, object);
    if (rc == 0)
        add_needles(scan, &scripts, &ring);
    script_list_clear(&scripts);
    keyring_clear(&ring);
    return rc;
}

/* --- The scan --- */

static bool visit(void *context, const struct outpoint *outpoint, const struct coin *coin)
{
    struct scan *scan = context;
    struct host *host = scan->call->context->host;
    const struct needle *needle = find_needle(scan, coin->script_pubkey);

    if (scan->seen_n++ % 8192 == 0) {
        unsigned place = (unsigned)outpoint->txid.b[0] * 256 + outpoint->txid.b[1];

        atomic_store(&progress_percent, (int)(place * 100 / 65536));
        if (atomic_load(&wants_abort) || host->ops->is_stopping(host))
            return false;
    }
    if (needle == NULL)
        return true;
    if (scan->found_n == FOUND_MAX)
        return false;
    scan->found = realloc_array(scan->found, scan->found_n + 1, sizeof(*scan->found));
    scan->found[scan->found_n++] = (struct found){
        .outpoint = *outpoint,
        .value_sat = coin->value_sat,
        .height = coin->height,
        .is_coinbase = coin->is_coinbase,
        .needle = needle,
    };
    return true;
}

static void write_found(struct scan *scan, const struct found *found, const struct block_info *at)
{
    struct node *node = scan->call->context->node;
    struct json_writer *w = scan->call->out;
    struct block_info block;

    CHECK(node->ops->ancestor(node, &block, &at->hash, (int32_t)found->height) == 0);
    json_begin_object(w);
    json_put_hash(w, "txid", found->outpoint.txid.b);
    json_put_uint(w, "vout", found->outpoint.vout);
    json_put_hex(w, "scriptPubKey", span_of_buf(&found->needle->script));
    json_put_string(w, "desc", found->needle->descriptor);
    json_put_amount(w, "amount", found->value_sat);
    json_put_bool(w, "coinbase", found->is_coinbase);
    json_put_uint(w, "height", found->height);
    json_put_hash(w, "blockhash", block.hash.b);
    json_put_int(w, "confirmations", at->height - (int64_t)found->height + 1);
    json_end_object(w);
}

static void write_scan(struct scan *scan, const struct block_info *at, bool is_whole)
{
    struct json_writer *w = scan->call->out;
    int64_t total_sat = 0;

    if (scan->found_n > 1)
        qsort(scan->found, scan->found_n, sizeof(*scan->found), compare_found);
    json_begin_object(w);
    json_put_bool(w, "success", is_whole);
    json_put_uint(w, "txouts", scan->seen_n);
    json_put_int(w, "height", at->height);
    json_put_hash(w, "bestblock", at->hash.b);
    json_key(w, "unspents");
    json_begin_array(w);
    for (size_t i = 0; i < scan->found_n; i++) {
        write_found(scan, &scan->found[i], at);
        total_sat += scan->found[i].value_sat;
    }
    json_end_array(w);
    json_put_amount(w, "total_amount", total_sat);
    json_end_object(w);
}

static int run_scan(struct scan *scan, const struct json *objects)
{
    struct rpc_call *call = scan->call;
    struct node *node = call->context->node;
    struct error err = {0};
    struct block_info at;
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < objects->count; i++)
        rc = add_object(scan, &objects->items[i]);
    if (rc < 0)
        return rc;
    if (scan->needles_n > 1)
        qsort(scan->needles, scan->needles_n, sizeof(*scan->needles), compare_needles);
    rc = node->ops->scan_coins(node, &at, visit, scan, &err);
    if (rc < 0 && rc != E_STOPPED)
        return rpc_fail(call, RPC_INTERNAL_ERROR, "Unable to read UTXO set: %s", error_text(&err));
    write_scan(scan, &at, rc == 0);
    return 0;
}

static int start_scan(struct rpc_call *call)
{
    struct scan scan = {.call = call};
    const struct json *objects = rpc_arg(call, 1);
    int rc;

    if (atomic_flag_test_and_set(&is_scanning))
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Scan already in progress, use action \"abort\" or \"status\"");
    atomic_store(&wants_abort, false);
    atomic_store(&progress_percent, 0);
    if (objects == NULL)
        rc =
            rpc_fail(call, RPC_MISC_ERROR, "scanobjects argument is required for the start action");
    else
        rc = run_scan(&scan, objects);
    atomic_flag_clear(&is_scanning);
    for (size_t i = 0; i < scan.needles_n; i++) {
        buf_clear(&scan.needles[i].script);
        free(scan.needles[i].descriptor);
    }
    free(scan.needles);
    free(scan.found);
    return rc;
}

static int scan_tx_out_set(struct rpc_call *call)
{
    const char *action = "";
    bool is_idle;
    int rc = rpc_arg_string(call, &action, 0);

    if (rc < 0)
        return rc;
    if (strcmp(action, "start") == 0)
        return start_scan(call);
    if (strcmp(action, "status") != 0 && strcmp(action, "abort") != 0)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid action '%s'", action);
    is_idle = !atomic_flag_test_and_set(&is_scanning);
    if (is_idle)
        atomic_flag_clear(&is_scanning);
    if (strcmp(action, "abort") == 0) {
        if (!is_idle)
            atomic_store(&wants_abort, true);
        json_bool(call->out, !is_idle);
    } else if (is_idle) {
        json_null(call->out);
    } else {
        json_begin_object(call->out);
        json_put_int(call->out, "progress", atomic_load(&progress_percent));
        json_end_object(call->out);
    }
    return 0;
}

const struct rpc_method rpc_scan_methods[] = {
    {.name = "scantxoutset",
     .group = "blockchain",
     .summary = "Looks through all unspent outputs for those of some descriptors.",
     .params = RPC_PARAMS(
         {"action", RPC_STR, RPC_REQUIRED,
          "\"start\" a scan, \"abort\" the one going on, or tell its \"status\"."},
         {"scanobjects", RPC_ARR, RPC_OMITTED, "What to look for, with \"start\".",
          RPC_PARAMS({"descriptor", RPC_STR, RPC_OMITTED, "A descriptor."},
                     {"", RPC_OBJ, RPC_OMITTED, "A descriptor with a range.",
                      RPC_PARAMS({"desc", RPC_STR, RPC_REQUIRED, "The descriptor."},
                                 {"range", RPC_RANGE, "=1000", "Last index, or first and last."})}),
          .oneline = "[scanobjects,...]"}),
     .results = RPC_RESULTS(
         {RPC_OBJ, .when = "for \"start\"",
          .inner = RPC_RESULTS(
              {RPC_BOOL, "success", "Did the scan come to its end?"},
              {RPC_NUM, "txouts", "Outputs looked at."}, {RPC_NUM, "height", "Height of the tip."},
              {RPC_HEX, "bestblock", "The tip."},
              {RPC_ARR, "unspents", "What was found.",
               RPC_RESULTS(
                   {RPC_OBJ, .inner = RPC_RESULTS(
                                 {RPC_HEX, "txid", "The transaction."},
                                 {RPC_NUM, "vout", "Which of its outputs."},
                                 {RPC_HEX, "scriptPubKey", "Its script."},
                                 {RPC_STR, "desc", "A descriptor of that script."},
                                 {RPC_AMOUNT, "amount", "Its value in BTC."},
                                 {RPC_BOOL, "coinbase", "Did a coinbase make it?"},
                                 {RPC_NUM, "height", "Height of its block."},
                                 {RPC_HEX, "blockhash", "Its block."},
                                 {RPC_NUM, "confirmations", "Blocks on top of it and its own."})})},
              {RPC_AMOUNT, "total_amount", "Their value in BTC."})},
         {RPC_BOOL, .when = "for \"abort\"", .text = "Was there a scan?"},
         {RPC_OBJ, .when = "for \"status\" during a scan",
          .inner = RPC_RESULTS({RPC_NUM, "progress", "Percent."})},
         {RPC_NULL, .when = "for \"status\" without one"}),
     .examples = RPC_EXAMPLES("status", "start '[\"raw(76a914...88ac)\"]'"),
     .run = scan_tx_out_set},
    {.name = NULL},
};
