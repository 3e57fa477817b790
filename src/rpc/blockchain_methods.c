/* Methods that look at the chain as a whole: tip, headers, branches. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "consensus/deployments.h"
#include "consensus/pow.h"
#include "consensus/rules.h"
#include "iface/peers.h"
#include "rpc/args.h"
#include "rpc/block_json.h"
#include "rpc/branch.h"
#include "rpc/groups.h"
#include "script/flags.h"

static void read_status(struct rpc_call *call, struct node_status *ret_status)
{
    struct node *node = call->context->node;

    node->ops->status(node, ret_status);
}

static int get_best_block_hash(struct rpc_call *call)
{
    struct node_status status;

    read_status(call, &status);
    json_hex_reversed(call->out, span_of(status.tip.hash.b, HASH_BYTES));
    return 0;
}

static int get_block_count(struct rpc_call *call)
{
    struct node_status status;

    read_status(call, &status);
    json_int(call->out, status.tip.height);
    return 0;
}

static int get_difficulty(struct rpc_call *call)
{
    struct node_status status;

    read_status(call, &status);
    json_double(call->out, difficulty_of_bits(status.tip.header.bits));
    return 0;
}

static int get_block_hash(struct rpc_call *call)
{
    struct node *node = call->context->node;
    struct block_info info;
    int64_t height;
    int rc = rpc_arg_int(call, &height, 0, INT32_MIN, INT32_MAX);

    if (rc < 0)
        return rc;
    if (height < 0 || node->ops->block_by_height(node, &info, (int32_t)height) < 0)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Block height out of range");
    json_hex_reversed(call->out, span_of(info.hash.b, HASH_BYTES));
    return 0;
}

static int get_block_header(struct rpc_call *call)
{
    struct node_status status;
    struct block_info info;
    uint8_t bytes[HEADER_BYTES];
    bool is_verbose;
    int rc = rpc_arg_bool(call, &is_verbose, 1);

    read_status(call, &status);
    if (rc == 0)
        rc = find_block_by_arg(call, &info, 0);
    if (rc < 0)
        return rc;
    if (!is_verbose) {
        header_write(bytes, &info.header);
        json_hex(call->out, span_of(bytes, sizeof(bytes)));
        return 0;
    }
    json_begin_object(call->out);
    write_header_members(call->out, &info, status.tip.height);
    json_end_object(call->out);
    return 0;
}

/* --- Waiting --- */

/* What the wait is for, given a tip. */
struct wish {
    const struct block_hash *other_than; /* Any tip but this one. */
    const struct block_hash *hash;       /* This one. */
    int32_t height;                      /* This high at least. */
};

static bool is_fulfilled(const struct wish *wish, const struct block_info *tip)
{
    if (wish->other_than != NULL)
        return !block_hash_equal(wish->other_than, &tip->hash);
    if (wish->hash != NULL)
        return block_hash_equal(wish->hash, &tip->hash);
    return tip->height >= wish->height;
}

static int wait_for(struct rpc_call *call, const struct wish *wish, size_t timeout_index)
{
    struct host *host = call->context->host;
    struct node *node = call->context->node;
    struct node_status status;
    uint64_t start_us = host->ops->monotonic_us(host);
    int64_t timeout_ms;
    int rc = rpc_arg_int(call, &timeout_ms, timeout_index, INT32_MIN, INT32_MAX);

    if (rc < 0)
        return rc;
    if (timeout_ms < 0)
        return rpc_fail(call, RPC_MISC_ERROR, "Negative timeout");
    read_status(call, &status);
    while (!is_fulfilled(wish, &status.tip) && !host->ops->is_stopping(host)) {
        int64_t passed_ms = (int64_t)((host->ops->monotonic_us(host) - start_us) / 1000);
        struct block_info tip = status.tip;

        if (timeout_ms > 0 && passed_ms >= timeout_ms)
            break;
        node->ops->wait_tip(node, &status.tip, &tip.hash,
                            timeout_ms == 0 ? 0 : timeout_ms - passed_ms);
    }
    json_begin_object(call->out);
    json_put_hash(call->out, "hash", status.tip.hash.b);
    json_put_int(call->out, "height", status.tip.height);
    json_end_object(call->out);
    return 0;
}

static int wait_for_new_block(struct rpc_call *call)
{
    struct node_status status;
    struct block_hash known;
    struct wish wish = {.other_than = &known};

    read_status(call, &status);
    known = status.tip.hash;
    if (rpc_arg_given(call, 1)) {
        int rc = rpc_arg_hash(call, known.b, 1);

        if (rc < 0)
            return rc;
    }
    return wait_for(call, &wish, 0);
}

static int wait_for_block(struct rpc_call *call)
{
    struct block_hash hash;
    struct wish wish = {.hash = &hash};
    int rc = rpc_arg_hash(call, hash.b, 0);

    return rc < 0 ? rc : wait_for(call, &wish, 1);
}

static int wait_for_block_height(struct rpc_call *call)
{
    struct wish wish = {0};
    int64_t height;
    int rc = rpc_arg_int(call, &height, 0, INT32_MIN, INT32_MAX);

    if (rc < 0)
        return rc;
    wish.height = (int32_t)height;
    return wait_for(call, &wish, 1);
}

/* --- State --- */

static void write_background(struct json_writer *w, const struct node_status *status)
{
    const struct block_info *tip = &status->background_tip;

    json_key(w, "backgroundvalidation");
    json_begin_object(w);
    json_put_int(w, "snapshotheight", status->snapshot_base.height);
    json_put_int(w, "blocks", tip->height);
    json_put_hash(w, "bestblockhash", tip->hash.b);
    json_put_uint(w, "mediantime", tip->median_time_past);
    json_put_string(w, "chainwork", work_hex(tip->chainwork).text);
    json_put_double(w, "verificationprogress", status->background_progress);
    json_end_object(w);
}

static int get_blockchain_info(struct rpc_call *call)
{
    const struct params *params = call->context->params;
    struct json_writer *w = call->out;
    struct node_status status;
    char target[HASH_HEX_SIZE];

    read_status(call, &status);
    target_to_hex(target, status.tip.header.bits);
    json_begin_object(w);
    json_put_string(w, "chain", params->name);
    json_put_int(w, "blocks", status.tip.height);
    json_put_int(w, "headers", status.best_header.height);
    json_put_hash(w, "bestblockhash", status.tip.hash.b);
    json_put_string(w, "bits", bits_hex(status.tip.header.bits).text);
    json_put_string(w, "target", target);
    json_put_double(w, "difficulty", difficulty_of_bits(status.tip.header.bits));
    json_put_uint(w, "time", status.tip.header.time);
    json_put_uint(w, "mediantime", status.tip.median_time_past);
    json_put_double(w, "verificationprogress", status.verification_progress);
    json_put_bool(w, "initialblockdownload", status.initial_block_download);
    if (status.has_background)
        write_background(w, &status);
    json_put_string(w, "chainwork", work_hex(status.tip.chainwork).text);
    json_put_uint(w, "size_on_disk", status.size_on_disk_bytes);
    json_put_bool(w, "pruned", status.pruned);
    if (status.pruned) {
        json_put_int(w, "pruneheight", status.prune_height);
        json_put_bool(w, "automatic_pruning", status.prune_automatic);
        if (status.prune_automatic)
            json_put_uint(w, "prune_target_size", status.prune_target_bytes);
    }
    if (params->signet_blocks)
        json_put_hex(w, "signet_challenge", params->signet_challenge);
    write_warnings(call, &status);
    json_end_object(w);
    return 0;
}

static int compare_tips(const void *a, const void *b)
{
    const struct chain_tip *x = a;
    const struct chain_tip *y = b;

    if (x->info.height != y->info.height)
        return x->info.height > y->info.height ? -1 : 1;
    return memcmp(x->info.hash.b, y->info.hash.b, HASH_BYTES);
}

static int get_chain_tips(struct rpc_call *call)
{
    struct node *node = call->context->node;
    struct chain_tip *tips = NULL;
    size_t n = 0;

    node->ops->tips(node, &tips, &n);
    if (n > 1)
        qsort(tips, n, sizeof(*tips), compare_tips);
    json_begin_array(call->out);
    for (size_t i = 0; i < n; i++) {
        json_begin_object(call->out);
        json_put_int(call->out, "height", tips[i].info.height);
        json_put_hash(call->out, "hash", tips[i].info.hash.b);
        json_put_int(call->out, "branchlen", tips[i].branch_len);
        json_put_string(call->out, "status", tips[i].status);
        json_end_object(call->out);
    }
    json_end_array(call->out);
    free(tips);
    return 0;
}

struct chainstate_view {
    const struct block_info *tip;
    double progress;
    uint64_t cache_bytes;
    const struct block_hash *snapshot; /* NULL: from genesis. */
    bool is_validated;
    int32_t skipped_up_to;
};

static void write_chainstate(struct json_writer *w, const struct chainstate_view *state)
{
    char target[HASH_HEX_SIZE];

    target_to_hex(target, state->tip->header.bits);
    json_begin_object(w);
    json_put_int(w, "blocks", state->tip->height);
    json_put_hash(w, "bestblockhash", state->tip->hash.b);
    json_put_string(w, "bits", bits_hex(state->tip->header.bits).text);
    json_put_string(w, "target", target);
    json_put_double(w, "difficulty", difficulty_of_bits(state->tip->header.bits));
    json_put_double(w, "verificationprogress", state->progress);
    if (state->snapshot != NULL)
        json_put_hash(w, "snapshot_blockhash", state->snapshot->b);
    json_put_uint(w, "coins_db_cache_bytes", 0);
    json_put_uint(w, "coins_tip_cache_bytes", state->cache_bytes);
    json_put_bool(w, "validated", state->is_validated);
    json_put_int(w, "scripts_skipped_up_to", MIN(state->skipped_up_to, state->tip->height));
    json_end_object(w);
}

static int get_chainstates(struct rpc_call *call)
{
    struct json_writer *w = call->out;
    struct node_status status;
    struct chainstate_view behind = {.tip = &status.background_tip, .is_validated = true};
    struct chainstate_view active = {.tip = &status.tip};

    read_status(call, &status);
    json_begin_object(w);
    json_put_int(w, "headers", status.best_header.height);
    json_key(w, "chainstates");
    json_begin_array(w);
    if (status.has_background) {
        behind.progress = status.background_verification_progress;
        behind.cache_bytes = status.background_bound_bytes;
        behind.skipped_up_to = status.scripts_skipped_up_to;
        write_chainstate(w, &behind);
    }
    active.progress = status.verification_progress;
    active.cache_bytes = status.coins_bound_bytes;
    active.snapshot = status.has_snapshot ? &status.snapshot_base.hash : NULL;
    active.is_validated = !status.has_background;
    active.skipped_up_to = status.scripts_skipped_up_to;
    write_chainstate(w, &active);
    json_end_array(w);
    json_end_object(w);
    return 0;
}

static int get_chain_tx_stats(struct rpc_call *call)
{
    struct node *node = call->context->node;
    struct json_writer *w = call->out;
    int64_t n = 30 * 24 * 60 * 60 / call->context->params->pow_target_spacing_s;
    struct node_status status;
    struct block_info last;
    struct block_info first;
    int64_t interval_s;
    int rc = 0;

    read_status(call, &status);
    last = status.tip;
    if (rpc_arg_given(call, 1)) {
        rc = find_block_by_arg(call, &last, 1);
        if (rc == 0 && !last.in_active_chain)
            rc = rpc_fail(call, RPC_INVALID_PARAMETER, "Block is not in main chain");
    }
    if (rc == 0 && rpc_arg_given(call, 0)) {
        rc = rpc_arg_int(call, &n, 0, INT32_MIN, INT32_MAX);
        if (rc == 0 && (n < 0 || (n > 0 && n >= last.height)))
            rc = rpc_fail(call, RPC_INVALID_PARAMETER,
                          "Invalid block count: should be between 0 and the block's height - 1");
    } else {
        n = MAX(0, MIN(n, last.height - 1));
    }
    if (rc < 0)
        return rc;
    if (node->ops->ancestor(node, &first, &last.hash, last.height - (int32_t)n) < 0)
        return rpc_fail(call, RPC_INTERNAL_ERROR, "could not find the start of the window");
    interval_s = (int64_t)last.median_time_past - first.median_time_past;
    json_begin_object(w);
    json_put_uint(w, "time", last.header.time);
    if (last.chain_tx_n > 0)
        json_put_uint(w, "txcount", last.chain_tx_n);
    json_put_hash(w, "window_final_block_hash", last.hash.b);
    json_put_int(w, "window_final_block_height", last.height);
    json_put_int(w, "window_block_count", n);
    if (n > 0) {
        json_put_int(w, "window_interval", interval_s);
        if (last.chain_tx_n > 0 && first.chain_tx_n > 0) {
            uint64_t tx_n = last.chain_tx_n - first.chain_tx_n;

            json_put_uint(w, "window_tx_count", tx_n);
            if (interval_s > 0)
                json_put_double(w, "txrate", (double)tx_n / (double)interval_s);
        }
    }
    json_end_object(w);
    return 0;
}

/* --- Deployments --- */

static void write_buried(struct json_writer *w, const char *name, int32_t since, int32_t height)
{
    if (since == INT32_MAX)
        return;
    json_key(w, name);
    json_begin_object(w);
    json_put_string(w, "type", "buried");
    json_put_bool(w, "active", height + 1 >= since);
    json_put_int(w, "height", since);
    json_end_object(w);
}

static void write_statistics(struct json_writer *w, const struct deployment_statistics *s,
                             const bool *signals)
{
    json_key(w, "statistics");
    json_begin_object(w);
    json_put_uint(w, "period", s->period);
    json_put_uint(w, "elapsed", s->elapsed);
    json_put_uint(w, "count", s->count);
    if (s->threshold > 0 || s->possible) {
        json_put_uint(w, "threshold", s->threshold);
        json_put_bool(w, "possible", s->possible);
    }
    json_end_object(w);
    json_key(w, "signalling");
    {
        char *text = alloc((size_t)s->elapsed + 1);

        for (uint32_t i = 0; i < s->elapsed; i++)
            text[i] = signals[i] ? '#' : '-';
        text[s->elapsed] = '\0';
        json_string(w, text);
        free(text);
    }
}

static void write_deployment(struct json_writer *w, const char *name,
                             const struct ancestry *ancestry, enum deployment deployment,
                             const struct params *params)
{
    const struct deployment_params *d = &params->deployments[deployment];
    bool *signals = alloc_array((size_t)d->period + 1, sizeof(*signals));
    struct deployment_info info = deployment_info_of(ancestry, deployment, params, NULL, signals);

    json_key(w, name);
    json_begin_object(w);
    json_put_string(w, "type", "bip9");
    if (info.active_since >= 0)
        json_put_int(w, "height", info.active_since);
    json_put_bool(w, "active",
                  info.active_since >= 0 && info.active_since <= ancestry->tip_height + 1);
    json_key(w, "bip9");
    json_begin_object(w);
    if (info.has_statistics)
        json_put_int(w, "bit", d->bit);
    json_put_int(w, "start_time", d->start_time);
    json_put_int(w, "timeout", d->timeout);
    json_put_int(w, "min_activation_height", d->min_activation_height);
    json_put_string(w, "status", deployment_state_name(info.state));
    json_put_int(w, "since", info.since);
    json_put_string(w, "status_next", deployment_state_name(info.next));
    if (info.has_statistics)
        write_statistics(w, &info.statistics, signals);
    json_end_object(w);
    json_end_object(w);
    free(signals);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void write_script_flags(struct json_writer *w, uint64_t flags)
{
    static const struct {
        const char *name;
        unsigned bit;
    } all[] = {
#define FLAG_ROW(name, bit) {#name, bit},
        SCRIPT_FLAG_MAP(FLAG_ROW)
#undef FLAG_ROW
    };
    const char *names[ARRAY_LEN(all)];
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if ((flags >> all[i].bit & 1) != 0)
            names[n++] = all[i].name;
    }
    qsort(names, n, sizeof(names[0]), compare_texts);
    json_key(w, "script_flags");
    json_begin_array(w);
    for (size_t i = 0; i < n; i++)
        json_string(w, names[i]);
    json_end_array(w);
}

static int get_deployment_info(struct rpc_call *call)
{
    const struct params *params = call->context->params;
    const int32_t *buried = params->buried_height;
    struct json_writer *w = call->out;
    struct branch branch = {.node = call->context->node};
    struct ancestry ancestry = {.at = branch_at, .context = &branch};
    struct node_status status;
    struct block_info at;
    int rc = 0;

    read_status(call, &status);
    at = status.tip;
    if (rpc_arg_given(call, 0))
        rc = find_block_by_arg(call, &at, 0);
    if (rc < 0)
        return rc;
    branch.hash = at.hash;
    ancestry.tip_height = at.height;
    json_begin_object(w);
    json_put_hash(w, "hash", at.hash.b);
    json_put_int(w, "height", at.height);
    write_script_flags(w, block_script_flags(at.height, &at.hash, params));
    json_key(w, "deployments");
    json_begin_object(w);
    write_buried(w, "bip34", buried[BURIED_BIP34], at.height);
    write_buried(w, "bip66", buried[BURIED_BIP66], at.height);
    write_buried(w, "bip65", buried[BURIED_BIP65], at.height);
    write_buried(w, "csv", buried[BURIED_CSV], at.height);
    write_buried(w, "segwit", buried[BURIED_SEGWIT], at.height);
    write_deployment(w, "testdummy", &ancestry, DEPLOYMENT_TESTDUMMY, params);
    json_end_object(w);
    json_end_object(w);
    return 0;
}

/* --- Changing the chain --- */

typedef int change_fn(struct node *node, const struct block_hash *hash, struct error *err);

static int change(struct rpc_call *call, change_fn *fn)
{
    struct error err = {0};
    struct block_info info;
    int rc = find_block_by_arg(call, &info, 0);

    if (rc < 0)
        return rc;
    if (fn(call->context->node, &info.hash, &err) < 0)
        return rpc_fail(call, RPC_DATABASE_ERROR, "%s", error_text(&err));
    json_null(call->out);
    return 0;
}

static int precious_block(struct rpc_call *call)
{
    return change(call, call->context->node->ops->precious_block);
}

static int invalidate_block(struct rpc_call *call)
{
    return change(call, call->context->node->ops->invalidate_block);
}

static int reconsider_block(struct rpc_call *call)
{
    return change(call, call->context->node->ops->reconsider_block);
}

#define PRUNE_KEEP_BLOCKS 288
#define PRUNE_TIME_MARGIN_S (2 * 60 * 60)
#define PRUNE_IS_TIME_ABOVE 1000000000

/* The first block of the active chain from which on no time is below time_s;
 * false: there is none. */
static bool find_by_time(struct node *node, int32_t tip_height, int64_t time_s, int32_t *ret_height)
{
    struct block_info info;
    uint32_t latest = 0;

    /* The running maximum of times rises, so the answer is where it first
     * reaches time_s. */
    for (int32_t height = 0; height <= tip_height; height++) {
        if (node->ops->block_by_height(node, &info, height) < 0)
            return false;
        latest = MAX(latest, info.header.time);
        if ((int64_t)latest >= time_s) {
            *ret_height = height;
            return true;
        }
    }
    return false;
}

static int prune_blockchain(struct rpc_call *call)
{
    struct node *node = call->context->node;
    struct error err = {0};
    struct node_status status;
    int64_t height;
    int32_t pruned_to;
    int rc;

    read_status(call, &status);
    if (!status.pruned)
        return rpc_fail(call, RPC_MISC_ERROR,
                        "Cannot prune blocks because node is not in prune mode.");
    rc = rpc_arg_int(call, &height, 0, INT32_MIN, INT32_MAX);
    if (rc < 0)
        return rc;
    if (height < 0)
        return rpc_fail(call, RPC_INVALID_PARAMETER, "Negative block height.");
    if (height > PRUNE_IS_TIME_ABOVE) {
        int32_t found;

        if (!find_by_time(node, status.tip.height, height - PRUNE_TIME_MARGIN_S, &found))
            return rpc_fail(call, RPC_INVALID_PARAMETER,
                            "Could not find block with at least the specified timestamp.");
        height = found;
    }
    if ((uint64_t)status.tip.height < call->context->params->prune_after_height)
        return rpc_fail(call, RPC_MISC_ERROR, "Blockchain is too short for pruning.");
    if (height > status.tip.height)
        return rpc_fail(call, RPC_INVALID_PARAMETER,
                        "Blockchain is shorter than the attempted prune height.");
    height = MAX(0, MIN(height, status.tip.height - PRUNE_KEEP_BLOCKS));
    if (node->ops->prune(node, (int32_t)height, &pruned_to, &err) < 0)
        return rpc_fail(call, RPC_DATABASE_ERROR, "%s", error_text(&err));
    json_int(call->out, pruned_to);
    return 0;
}

static int verify_chain(struct rpc_call *call)
{
    struct node *node = call->context->node;
    struct error err = {0};
    int64_t level = 3;
    int64_t n = 6;
    bool is_ok;
    int rc = 0;

    if (rpc_arg_given(call, 0))
        rc = rpc_arg_int(call, &level, 0, INT32_MIN, INT32_MAX);
    if (rc == 0 && rpc_arg_given(call, 1))
        rc = rpc_arg_int(call, &n, 1, INT32_MIN, INT32_MAX);
    if (rc < 0)
        return rc;
    level = MAX(0, MIN(level, 4));
    if (node->ops->verify_chain(node, (int)level, (int32_t)MAX(n, 0), &is_ok, &err) < 0)
        return rpc_fail(call, RPC_DATABASE_ERROR, "%s", error_text(&err));
    json_bool(call->out, is_ok);
    return 0;
}

static int get_block_from_peer(struct rpc_call *call)
{
    struct node *node = call->context->node;
    struct peers *peers = call->context->peers;
    struct node_status status;
    struct block_hash hash;
    struct block_info info;
    char why[128] = "";
    int64_t peer;
    int rc = rpc_arg_hash(call, hash.b, 0);

    if (rc == 0)
        rc = rpc_arg_int(call, &peer, 1, INT64_MIN, INT64_MAX);
    if (rc < 0)
        return rc;
    if (node->ops->block_by_hash(node, &info, &hash) < 0)
        return rpc_fail(call, RPC_MISC_ERROR, "Block header missing");
    node->ops->status(node, &status);
    if (status.pruned && info.height > status.tip.height)
        return rpc_fail(call, RPC_MISC_ERROR,
                        "In prune mode, only blocks that the node has already synced previously "
                        "can be fetched from a peer");
    if (info.have_data)
        return rpc_fail(call, RPC_MISC_ERROR, "Block already downloaded");
    if (peers == NULL || peers->ops->get_block(peers, &hash, peer, why, sizeof(why)) == PEERS_OFF)
        return rpc_fail(call, RPC_MISC_ERROR, "Peer does not exist");
    if (why[0] != '\0')
        return rpc_fail(call, RPC_MISC_ERROR, "%s", why);
    json_begin_object(call->out);
    json_end_object(call->out);
    return 0;
}

#define TIMEOUT_PARAM                                          \
    {                                                          \
        "timeout", RPC_NUM, "=0", "Milliseconds; 0: for ever." \
    }
#define HASH_PARAM(text_)                         \
    {                                             \
        "blockhash", RPC_HEX, RPC_REQUIRED, text_ \
    }
#define TIP_RESULT                                                    \
    RPC_RESULTS({RPC_OBJ, .text = "The tip then.",                    \
                 .inner = RPC_RESULTS({RPC_HEX, "hash", "Its hash."}, \
                                      {RPC_NUM, "height", "Its height."})})
#define NO_RESULT RPC_RESULTS({RPC_NULL})
#define DEPLOYMENT_RESULTS                                                                       \
    RPC_RESULTS(                                                                                 \
        {RPC_STR, "type", "\"buried\" or \"bip9\"."},                                            \
        {RPC_NUM, "height", "The first block it is in force for.", .flags = RPC_OPTIONAL},       \
        {RPC_BOOL, "active", "Is it in force for the next block?"},                              \
        {RPC_OBJ, "bip9", "Of deployments by version bits.", .flags = RPC_OPTIONAL,              \
         .inner = RPC_RESULTS(                                                                   \
             {RPC_NUM, "bit", "The bit that signals.", .flags = RPC_OPTIONAL},                   \
             {RPC_TIME, "start_time", "When signals begin to count."},                           \
             {RPC_TIME, "timeout", "When the attempt has failed."},                              \
             {RPC_NUM, "min_activation_height", "Not in force before this height."},             \
             {RPC_STR, "status", "defined, started, locked_in, active or failed."},              \
             {RPC_NUM, "since", "The first block with that status."},                            \
             {RPC_STR, "status_next", "The status of the next block."},                          \
             {RPC_OBJ, "statistics", "Signals in this period.", .flags = RPC_OPTIONAL,           \
              .inner = RPC_RESULTS(                                                              \
                  {RPC_NUM, "period", "Blocks of a period."},                                    \
                  {RPC_NUM, "threshold", "Signals needed.", .flags = RPC_OPTIONAL},              \
                  {RPC_NUM, "elapsed", "Blocks so far."}, {RPC_NUM, "count", "Signals so far."}, \
                  {RPC_BOOL, "possible", "Can it still be reached?", .flags = RPC_OPTIONAL})},   \
             {RPC_STR, "signalling", "# for each block that signals, - for others.",             \
              .flags = RPC_OPTIONAL})})

const struct rpc_method rpc_blockchain_methods[] = {
    {.name = "getbestblockhash",
     .group = "blockchain",
     .summary = "Returns the hash of the tip of the active chain.",
     .results = RPC_RESULTS({RPC_HEX, .text = "The hash."}),
     .examples = RPC_EXAMPLES(""),
     .run = get_best_block_hash},
    {.name = "getblockchaininfo",
     .group = "blockchain",
     .summary = "Tells about the state of the chain and how far it has been verified.",
     .results = RPC_RESULTS(
         {RPC_OBJ,
          .inner = RPC_RESULTS(
              {RPC_STR, "chain", "The network: main, test, testnet4, signet or regtest."},
              {RPC_NUM, "blocks", "Height of the tip."},
              {RPC_NUM, "headers", "Height of the best header."},
              {RPC_STR, "bestblockhash", "The tip's hash."},
              {RPC_HEX, "bits", "The tip's target, compact form."},
              {RPC_HEX, "target", "The tip's target."},
              {RPC_NUM, "difficulty", "The tip's difficulty."},
              {RPC_TIME, "time", "The tip's time, seconds since 1970."},
              {RPC_TIME, "mediantime", "The middle one of the last eleven times."},
              {RPC_NUM, "verificationprogress", "Estimate, 0 to 1."},
              {RPC_BOOL, "initialblockdownload", "Is the chain still being caught up with?"},
              {RPC_OBJ, "backgroundvalidation",
               "How far the blocks below an assumed snapshot have been verified.",
               RPC_RESULTS(
                   {RPC_NUM, "snapshotheight", "Height of the snapshot's base, where it ends."},
                   {RPC_NUM, "blocks", "Height reached."},
                   {RPC_STR, "bestblockhash", "The block there."},
                   {RPC_TIME, "mediantime", "The middle one of the last eleven times up to it."},
                   {RPC_HEX, "chainwork", "Hashes expected for the chain up to it."},
                   {RPC_NUM, "verificationprogress", "Towards the snapshot's base, 0 to 1."}),
               .flags = RPC_OPTIONAL},
              {RPC_HEX, "chainwork", "Hashes expected for the active chain."},
              {RPC_NUM, "size_on_disk", "Bytes of block and undo files, an estimate."},
              {RPC_BOOL, "pruned", "Are old blocks deleted?"},
              {RPC_NUM, "pruneheight", "The first block kept, when pruning.",
               .flags = RPC_OPTIONAL},
              {RPC_BOOL, "automatic_pruning", "Are they deleted without being asked?",
               .flags = RPC_OPTIONAL},
              {RPC_NUM, "prune_target_size", "Bytes that block files may take.",
               .flags = RPC_OPTIONAL},
              {RPC_HEX, "signet_challenge", "The script that blocks satisfy, on signet.",
               .flags = RPC_OPTIONAL},
              {RPC_ANY, "warnings", "Warnings, a list of texts."})}),
     .examples = RPC_EXAMPLES(""),
     .run = get_blockchain_info},
    {.name = "getblockcount",
     .group = "blockchain",
     .summary = "Returns the height of the tip of the active chain; the genesis block has 0.",
     .results = RPC_RESULTS({RPC_NUM, .text = "The height."}),
     .examples = RPC_EXAMPLES(""),
     .run = get_block_count},
    {.name = "getblockfrompeer",
     .group = "blockchain",
     .summary = "Asks a peer for a block of which only the header is known.",
     .params = RPC_PARAMS(HASH_PARAM("The block."),
                          {"peer_id", RPC_NUM, RPC_REQUIRED, "The peer, see getpeerinfo."}),
     .results = RPC_RESULTS({RPC_OBJ}),
     .examples =
         RPC_EXAMPLES("\"00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09\" 0"),
     .run = get_block_from_peer},
    {.name = "getblockhash",
     .group = "blockchain",
     .summary = "Returns the hash of the block at a height of the active chain.",
     .params = RPC_PARAMS({"height", RPC_NUM, RPC_REQUIRED, "The height."}),
     .results = RPC_RESULTS({RPC_HEX, .text = "The hash."}),
     .examples = RPC_EXAMPLES("1000"),
     .run = get_block_hash},
    {.name = "getblockheader",
     .group = "blockchain",
     .summary = "Returns the header of a block.",
     .params = RPC_PARAMS(HASH_PARAM("The block."),
                          {"verbose", RPC_BOOL, "=true", "false: the 80 bytes in hexadecimal."}),
     .results =
         RPC_RESULTS({RPC_OBJ, .when = "for verbose = true", .inner = RPC_RESULTS(HEADER_RESULTS)},
                     {RPC_HEX, .when = "for verbose = false", .text = "The bytes."}),
     .examples =
         RPC_EXAMPLES("\"00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09\""),
     .run = get_block_header},
    {.name = "getchainstates",
     .group = "blockchain",
     .summary = "Tells about the chain states the node keeps.",
     .results = RPC_RESULTS(
         {RPC_OBJ,
          .inner = RPC_RESULTS(
              {RPC_NUM, "headers", "Height of the best header."},
              {RPC_ARR, "chainstates", "The states.",
               RPC_RESULTS(
                   {RPC_OBJ,
                    .inner = RPC_RESULTS(
                        {RPC_NUM, "blocks", "Height of its tip."},
                        {RPC_HEX, "bestblockhash", "Its tip's hash."},
                        {RPC_HEX, "bits", "Its tip's target, compact form."},
                        {RPC_HEX, "target", "Its tip's target."},
                        {RPC_NUM, "difficulty", "Its tip's difficulty."},
                        {RPC_NUM, "verificationprogress", "Estimate, 0 to 1."},
                        {RPC_HEX, "snapshot_blockhash", "The block of the snapshot it began with.",
                         .flags = RPC_OPTIONAL},
                        {RPC_NUM, "coins_db_cache_bytes", "Memory for the coins on disk."},
                        {RPC_NUM, "coins_tip_cache_bytes", "Memory for coins."},
                        {RPC_BOOL, "validated", "Was everything verified from the start?"},
                        {RPC_NUM, "scripts_skipped_up_to",
                         "The last block whose scripts were not run (-assumevalid); -1: every "
                         "script was verified."})})})}),
     .examples = RPC_EXAMPLES(""),
     .run = get_chainstates},
    {.name = "getchaintips",
     .group = "blockchain",
     .summary = "Lists the last blocks of all branches of the tree of blocks.",
     .results =
         RPC_RESULTS({RPC_ARR,
                      .inner = RPC_RESULTS(
                          {RPC_OBJ,
                           .inner = RPC_RESULTS(
                               {RPC_NUM, "height", "Its height."}, {RPC_HEX, "hash", "Its hash."},
                               {RPC_NUM, "branchlen", "Blocks since it left the active chain."},
                               {RPC_STR, "status",
                                "\"active\": the tip of the active chain; \"valid-fork\": fully "
                                "verified;\n\"valid-headers\": bodies are there, not verified; "
                                "\"headers-only\": bodies are missing;\n"
                                "\"invalid\": breaks a rule."})})}),
     .examples = RPC_EXAMPLES(""),
     .run = get_chain_tips},
    {.name = "getchaintxstats",
     .group = "blockchain",
     .summary = "Counts transactions of the chain in a window of blocks.",
     .params = RPC_PARAMS({"nblocks", RPC_NUM, "~one month", "Blocks of the window."},
                          {"blockhash", RPC_HEX, "~chain tip", "The last block of the window."}),
     .results = RPC_RESULTS(
         {RPC_OBJ,
          .inner = RPC_RESULTS(
              {RPC_TIME, "time", "Time of the last block."},
              {RPC_NUM, "txcount", "Transactions up to it, when known.", .flags = RPC_OPTIONAL},
              {RPC_HEX, "window_final_block_hash", "The last block."},
              {RPC_NUM, "window_final_block_height", "Its height."},
              {RPC_NUM, "window_block_count", "Blocks of the window."},
              {RPC_NUM, "window_interval", "Seconds of it.", .flags = RPC_OPTIONAL},
              {RPC_NUM, "window_tx_count", "Transactions in it.", .flags = RPC_OPTIONAL},
              {RPC_NUM, "txrate", "Transactions a second.", .flags = RPC_OPTIONAL})}),
     .examples = RPC_EXAMPLES("", "2016"),
     .run = get_chain_tx_stats},
    {.name = "getdeploymentinfo",
     .group = "blockchain",
     .summary = "Tells which soft forks are in force, or on the way, after a block.",
     .params = RPC_PARAMS({"blockhash", RPC_HEX, "~hash of current chain tip", "The block."}),
     .results = RPC_RESULTS(
         {RPC_OBJ,
          .inner = RPC_RESULTS({RPC_STR, "hash", "The block."}, {RPC_NUM, "height", "Its height."},
                               {RPC_ARR, "script_flags", "Rules its scripts are held to.",
                                RPC_RESULTS({RPC_STR, .text = "A rule."})},
                               {RPC_OBJ_DYN, "deployments", "The soft forks, by name.",
                                RPC_RESULTS({RPC_OBJ, "name", .inner = DEPLOYMENT_RESULTS})})}),
     .examples = RPC_EXAMPLES(""),
     .run = get_deployment_info},
    {.name = "getdifficulty",
     .group = "blockchain",
     .summary = "Returns how much harder the tip was to mine than the easiest block.",
     .results = RPC_RESULTS({RPC_NUM, .text = "The difficulty."}),
     .examples = RPC_EXAMPLES(""),
     .run = get_difficulty},
    {.name = "invalidateblock",
     .group = "hidden",
     .summary = "Marks a block as if it broke a rule, for good.",
     .params = RPC_PARAMS(HASH_PARAM("The block.")),
     .results = NO_RESULT,
     .examples =
         RPC_EXAMPLES("\"00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09\""),
     .run = invalidate_block},
    {.name = "preciousblock",
     .group = "blockchain",
     .summary = "Takes a block as if it had come before others with as much work.\nA later call "
                "overrides an earlier one; a restart forgets it.",
     .params = RPC_PARAMS(HASH_PARAM("The block.")),
     .results = NO_RESULT,
     .examples =
         RPC_EXAMPLES("\"00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09\""),
     .run = precious_block},
    {.name = "pruneblockchain",
     .group = "blockchain",
     .summary = "Deletes old blocks and their undo data, with -prune only.",
     .params = RPC_PARAMS({"height", RPC_NUM, RPC_REQUIRED,
                           "Delete up to this height, or, as seconds since 1970, blocks two hours "
                           "older than that."}),
     .results = RPC_RESULTS({RPC_NUM, .text = "The last block deleted; -1: none."}),
     .examples = RPC_EXAMPLES("1000"),
     .run = prune_blockchain},
    {.name = "reconsiderblock",
     .group = "hidden",
     .summary = "Takes the marks of invalidity off a block, its ancestors and its descendants.",
     .params = RPC_PARAMS(HASH_PARAM("The block.")),
     .results = NO_RESULT,
     .examples =
         RPC_EXAMPLES("\"00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09\""),
     .run = reconsider_block},
    {.name = "verifychain",
     .group = "blockchain",
     .summary = "Verifies the last blocks again from what is on disk.",
     .params =
         RPC_PARAMS({"checklevel", RPC_NUM, "~3, range=0-4",
                     "0 read blocks, 1 check them, 2 undo data, 3 disconnect, 4 connect again."},
                    {"nblocks", RPC_NUM, "~6, 0=all", "How many."}),
     .results = RPC_RESULTS({RPC_BOOL, .text = "Is all well? If not, the log says what is wrong."}),
     .examples = RPC_EXAMPLES("", "4 100"),
     .run = verify_chain},
    {.name = "waitforblock",
     .group = "blockchain",
     .summary = "Waits until a block is the tip. Returns the tip also when time is up.",
     .params = RPC_PARAMS(HASH_PARAM("The block."), TIMEOUT_PARAM),
     .results = TIP_RESULT,
     .examples =
         RPC_EXAMPLES("\"00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09\" 1000"),
     .run = wait_for_block},
    {.name = "waitforblockheight",
     .group = "blockchain",
     .summary = "Waits until the tip has a height. Returns the tip also when time is up.",
     .params = RPC_PARAMS({"height", RPC_NUM, RPC_REQUIRED, "The height."}, TIMEOUT_PARAM),
     .results = TIP_RESULT,
     .examples = RPC_EXAMPLES("100 1000"),
     .run = wait_for_block_height},
    {.name = "waitfornewblock",
     .group = "blockchain",
     .summary = "Waits for another tip. Returns the tip also when time is up.",
     .params = RPC_PARAMS(TIMEOUT_PARAM, {"current_tip", RPC_HEX, RPC_OMITTED,
                                          "Waits for a tip other than this one."}),
     .results = TIP_RESULT,
     .examples = RPC_EXAMPLES("1000"),
     .run = wait_for_new_block},
    {.name = NULL},
};
