/* Methods that look into blocks. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"
#include "consensus/rules.h"
#include "primitives/amount.h"
#include "rpc/args.h"
#include "rpc/block_json.h"
#include "rpc/groups.h"
#include "rpc/tx_json.h"

/* --- getblock --- */

static void write_coinbase(struct json_writer *w, const struct tx *coinbase)
{
    const struct tx_in *in = &coinbase->in[0];

    json_key(w, "coinbase_tx");
    json_begin_object(w);
    json_put_uint(w, "version", coinbase->version);
    json_put_uint(w, "locktime", coinbase->lock_time);
    json_put_uint(w, "sequence", in->sequence);
    json_put_hex(w, "coinbase", in->script_sig);
    if (in->witness_n > 0)
        json_put_hex(w, "witness", in->witness[0]);
    json_end_object(w);
}

static void write_txs(struct rpc_call *call, const struct block *block,
                      const struct undo_data *undo, int verbosity)
{
    struct json_writer *w = call->out;

    json_key(w, "tx");
    json_begin_array(w);
    for (uint32_t i = 0; i < block->tx_n; i++) {
        struct tx_view view = {
            .coins = undo != NULL && i > 0 ? undo->coins[i] : NULL,
            .show_prevouts = verbosity >= 3,
            .show_hex = true,
        };

        if (verbosity == 1) {
            json_hex_reversed(w, span_of(block->tx[i].txid.b, HASH_BYTES));
            continue;
        }
        json_begin_object(w);
        write_tx_members(w, &block->tx[i], &view, call->context->params);
        json_end_object(w);
    }
    json_end_array(w);
}

static void write_block(struct rpc_call *call, const struct block_info *info,
                        const struct block *block, const struct undo_data *undo, int verbosity)
{
    struct node *node = call->context->node;
    struct json_writer *w = call->out;
    struct node_status status;
    uint64_t stripped;

    node->ops->status(node, &status);
    /* weight = 3 * stripped + size */
    stripped = (block->weight - block->raw.len) / (WITNESS_SCALE_FACTOR - 1);
    json_begin_object(w);
    write_header_members(w, info, status.tip.height);
    json_put_uint(w, "strippedsize", stripped);
    json_put_uint(w, "size", block->raw.len);
    json_put_uint(w, "weight", block->weight);
    write_coinbase(w, &block->tx[0]);
    write_txs(call, block, undo, verbosity);
    json_end_object(w);
}

static int get_block(struct rpc_call *call)
{
    struct node *node = call->context->node;
    struct block_data data = {0};
    struct undo_data undo = {0};
    struct block_info info;
    int verbosity = 1;
    bool with_undo;
    int rc = rpc_arg_verbosity(call, &verbosity, 1, 1, true);

    if (rc == 0)
        rc = find_block_by_arg(call, &info, 0);
    if (rc < 0)
        return rc;
    with_undo = verbosity >= 2 && info.height > 0 && info.have_undo;
    rc = load_block(call, &data, NULL, &info);
    if (rc < 0)
        return rc;
    if (with_undo && node->ops->read_undo(node, &undo, &info.hash, NULL) < 0) {
        block_data_clear(&data);
        return rpc_fail(call, RPC_INTERNAL_ERROR,
                        "Undo data expected but can't be read. This could be due to disk "
                        "corruption or a conflict with a pruning event.");
    }
    if (verbosity <= 0)
        json_hex(call->out, data.block.raw);
    else
        write_block(call, &info, &data.block, with_undo ? &undo : NULL, verbosity);
    if (with_undo)
        undo_data_clear(&undo);
    block_data_clear(&data);
    return 0;
}

/* --- getblockstats --- */

#define PERCENTILES_N 5
/* An outpoint and a height: what a coin costs besides its output. */
#define COIN_OVERHEAD_BYTES (32 + 4 + 4)

struct rated_fee {
    int64_t feerate;
    int64_t weight;
};

struct stats {
    int64_t total_out;
    int64_t total_fee;
    int64_t max_fee;
    int64_t min_fee;
    int64_t max_feerate;
    int64_t min_feerate;
    int64_t max_size;
    int64_t min_size;
    int64_t total_size;
    int64_t total_weight;
    int64_t sw_n;
    int64_t sw_size;
    int64_t sw_weight;
    int64_t ins;
    int64_t outs;
    int64_t coins;
    int64_t utxo_size;
    int64_t utxo_size_actual;
    int64_t *fees;
    int64_t *sizes;
    struct rated_fee *rates;
    size_t n;
};

static int64_t output_bytes(struct span script)
{
    size_t prefix = script.len < 0xfd ? 1 : script.len <= 0xffff ? 3 : 5;

    return (int64_t)(8 + prefix + script.len + COIN_OVERHEAD_BYTES);
}

static int compare_int64(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a;
    const int64_t y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int compare_rates(const void *a, const void *b)
{
    const struct rated_fee *x = a;
    const struct rated_fee *y = b;

    if (x->feerate != y->feerate)
        return x->feerate < y->feerate ? -1 : 1;
    return (x->weight > y->weight) - (x->weight < y->weight);
}

static int64_t median(int64_t *values, size_t n)
{
    if (n == 0)
        return 0;
    qsort(values, n, sizeof(*values), compare_int64);
    return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* The fee rates below which 10, 25, 50, 75 and 90 percent of the weight lie. */
static void percentiles(int64_t *ret_rates, struct stats *s)
{
    static const int64_t shares[PERCENTILES_N] = {10, 25, 50, 75, 90};
    int64_t weight = 0;
    size_t k = 0;

    memset(ret_rates, 0, PERCENTILES_N * sizeof(*ret_rates));
    if (s->n == 0)
        return;
    qsort(s->rates, s->n, sizeof(*s->rates), compare_rates);
    for (size_t i = 0; i < s->n; i++) {
        weight += s->rates[i].weight;
        while (k < PERCENTILES_N && weight * 100 >= s->total_weight * shares[k])
            ret_rates[k++] = s->rates[i].feerate;
    }
    while (k < PERCENTILES_N)
        ret_rates[k++] = s->rates[s->n - 1].feerate;
}

static void count_outputs(struct stats *s, const struct tx *tx, bool makes_coins,
                          int64_t *ret_total)
{
    *ret_total = 0;
    s->outs += tx->out_n;
    for (uint32_t i = 0; i < tx->out_n; i++) {
        int64_t bytes = output_bytes(tx->out[i].script_pubkey);

        *ret_total += tx->out[i].value_sat;
        s->utxo_size += bytes;
        if (!makes_coins || script_is_unspendable(tx->out[i].script_pubkey))
            continue;
        s->coins++;
        s->utxo_size_actual += bytes;
    }
}

static void count_tx(struct stats *s, const struct tx *tx, const struct coin *coins,
                     int64_t out_sat)
{
    int64_t size = tx->total_bytes;
    int64_t weight = (int64_t)tx_weight(tx);
    int64_t in_sat = 0;
    int64_t fee;
    int64_t feerate;

    for (uint32_t i = 0; i < tx->in_n; i++) {
        int64_t bytes = output_bytes(coins[i].script_pubkey);

        in_sat += coins[i].value_sat;
        s->utxo_size -= bytes;
        s->utxo_size_actual -= bytes;
    }
    fee = in_sat - out_sat;
    feerate = weight == 0 ? 0 : fee * WITNESS_SCALE_FACTOR / weight;
    s->ins += tx->in_n;
    s->total_out += out_sat;
    s->total_fee += fee;
    s->max_fee = MAX(s->max_fee, fee);
    s->min_fee = MIN(s->min_fee, fee);
    s->max_feerate = MAX(s->max_feerate, feerate);
    s->min_feerate = MIN(s->min_feerate, feerate);
    s->max_size = MAX(s->max_size, size);
    s->min_size = MIN(s->min_size, size);
    s->total_size += size;
    s->total_weight += weight;
    if (tx->has_witness) {
        s->sw_n++;
        s->sw_size += size;
        s->sw_weight += weight;
    }
    s->fees[s->n] = fee;
    s->sizes[s->n] = size;
    s->rates[s->n++] = (struct rated_fee){feerate, weight};
}

/* One statistic: a number, or the texts and lists that are not. */
struct stat_row {
    const char *name;
    int64_t value;
};

static bool is_selected(const struct json *selected, const char *name)
{
    for (uint32_t i = 0; i < selected->count; i++) {
        if (json_is_string(&selected->items[i], name))
            return true;
    }
    return false;
}

static void write_percentiles(struct json_writer *w, const int64_t *rates)
{
    json_key(w, "feerate_percentiles");
    json_begin_array(w);
    for (size_t i = 0; i < PERCENTILES_N; i++)
        json_int(w, rates[i]);
    json_end_array(w);
}

/* selected: NULL for all of them. */
static int write_stats(struct rpc_call *call, struct stats *s, const struct block_info *info,
                       const struct block *block, const struct json *selected)
{
    const int64_t n = (int64_t)s->n;
    const struct stat_row rows[] = {
        {"avgfee", n == 0 ? 0 : s->total_fee / n},
        {"avgfeerate",
         s->total_weight == 0 ? 0 : s->total_fee * WITNESS_SCALE_FACTOR / s->total_weight},
        {"avgtxsize", n == 0 ? 0 : s->total_size / n},
        {"blockhash", 0},
        {"feerate_percentiles", 0},
        {"height", info->height},
        {"ins", s->ins},
        {"maxfee", s->max_fee},
        {"maxfeerate", s->max_feerate},
        {"maxtxsize", s->max_size},
        {"medianfee", median(s->fees, s->n)},
        {"mediantime", info->median_time_past},
        {"mediantxsize", median(s->sizes, s->n)},
        {"minfee", n == 0 ? 0 : s->min_fee},
        {"minfeerate", n == 0 ? 0 : s->min_feerate},
        {"mintxsize", n == 0 ? 0 : s->min_size},
        {"outs", s->outs},
        {"subsidy", subsidy_at(info->height, call->context->params)},
        {"swtotal_size", s->sw_size},
        {"swtotal_weight", s->sw_weight},
        {"swtxs", s->sw_n},
        {"time", info->header.time},
        {"total_out", s->total_out},
        {"total_size", s->total_size},
        {"total_weight", s->total_weight},
        {"totalfee", s->total_fee},
        {"txs", block->tx_n},
        {"utxo_increase", s->outs - s->ins},
        {"utxo_size_inc", s->utxo_size},
        {"utxo_increase_actual", s->coins - s->ins},
        {"utxo_size_inc_actual", s->utxo_size_actual},
    };
    int64_t rates[PERCENTILES_N];

    for (uint32_t i = 0; selected != NULL && i < selected->count; i++) {
        bool is_known = false;

        for (size_t k = 0; k < ARRAY_LEN(rows); k++)
            is_known = is_known || json_is_string(&selected->items[i], rows[k].name);
        if (!is_known)
            return rpc_fail(call, RPC_INVALID_PARAMETER, "Invalid selected statistic '%s'",
                            json_text(&selected->items[i]));
    }
    percentiles(rates, s);
    json_begin_object(call->out);
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        if (selected != NULL && !is_selected(selected, rows[k].name))
            continue;
        if (strcmp(rows[k].name, "blockhash") == 0)
            json_put_hash(call->out, "blockhash", info->hash.b);
        else if (strcmp(rows[k].name, "feerate_percentiles") == 0)
            write_percentiles(call->out, rates);
        else
            json_put_int(call->out, rows[k].name, rows[k].value);
    }
    json_end_object(call->out);
    return 0;
}

static int get_block_stats(struct rpc_call *call)
{
    const struct json *selected = rpc_arg(call, 1);
    struct stats s = {
        .min_fee = MONEY_MAX_SAT,
        .min_feerate = MONEY_MAX_SAT,
        .min_size = BLOCK_BYTES_MAX,
    };
    struct block_data data = {0};
    struct undo_data undo = {0};
    struct block_info info;
    bool is_repeat;
    int rc = find_block_by_value(call, &info, call->args[0]);

    if (rc == 0)
        rc = load_block(call, &data, &undo, &info);
    if (rc < 0)
        return rc;
    s.fees = arena_array(call->arena, data.block.tx_n, sizeof(*s.fees));
    s.sizes = arena_array(call->arena, data.block.tx_n, sizeof(*s.sizes));
    s.rates = arena_array(call->arena, data.block.tx_n, sizeof(*s.rates));
    /* The genesis coinbase and the two that were repeated make no coins. */
    is_repeat = info.height == 0 || bip30_is_repeat(info.height, &info.hash, call->context->params);
    for (uint32_t i = 0; i < data.block.tx_n; i++) {
        int64_t out_sat;

        count_outputs(&s, &data.block.tx[i], i > 0 || !is_repeat, &out_sat);
        if (i > 0)
            count_tx(&s, &data.block.tx[i], undo.coins[i], out_sat);
    }
    if (selected != NULL && selected->count == 0)
        selected = NULL;
    rc = write_stats(call, &s, &info, &data.block, selected);
    if (info.height > 0)
        undo_data_clear(&undo);
    block_data_clear(&data);
    return rc;
}

#define BLOCK_RESULTS                                                                \
    HEADER_RESULTS, {RPC_NUM, "strippedsize", "Bytes without witnesses."},           \
        {RPC_NUM, "size", "Bytes."}, {RPC_NUM, "weight", "Its weight (BIP 141)."},   \
    {                                                                                \
        RPC_OBJ, "coinbase_tx", "The coinbase transaction.",                         \
            RPC_RESULTS({RPC_NUM, "version", "Its version."},                        \
                        {RPC_NUM, "locktime", "Its lock time."},                     \
                        {RPC_NUM, "sequence", "Of its input."},                      \
                        {RPC_HEX, "coinbase", "What the miner wrote."},              \
                        {RPC_HEX, "witness", "Its witness.", .flags = RPC_OPTIONAL}) \
    }
#define BLOCK_TX_RESULTS                                                          \
    TX_RESULTS, {RPC_AMOUNT, "fee", "Its fee, if known.", .flags = RPC_OPTIONAL}, \
    {                                                                             \
        RPC_HEX, "hex", "Its bytes."                                              \
    }
#define STAT(name, about)                           \
    {                                               \
        RPC_NUM, name, about, .flags = RPC_OPTIONAL \
    }

const struct rpc_method rpc_block_methods[] = {
    {.name = "getblock",
     .group = "blockchain",
     .summary = "Returns a block.",
     .params = RPC_PARAMS(
         {"blockhash", RPC_HEX, RPC_REQUIRED, "The block."},
         {"verbosity|verbose", RPC_NUM, "=1",
          "0: its bytes in hexadecimal, 1: an object, 2: with its transactions, 3: with the "
          "outputs they spend.",
          .flags = RPC_ANY_TYPE}),
     .results = RPC_RESULTS(
         {RPC_HEX, .when = "for verbosity = 0", .text = "The bytes."},
         {RPC_OBJ, .when = "for verbosity = 1",
          .inner = RPC_RESULTS(BLOCK_RESULTS, {RPC_ARR, "tx", "Its transactions.",
                                               RPC_RESULTS({RPC_HEX, .text = "A txid."})})},
         {RPC_OBJ, .when = "for verbosity = 2 and 3",
          .inner = RPC_RESULTS(BLOCK_RESULTS,
                               {RPC_ARR, "tx", "Its transactions.",
                                RPC_RESULTS({RPC_OBJ, .inner = RPC_RESULTS(BLOCK_TX_RESULTS)})})}),
     .examples =
         RPC_EXAMPLES("\"00000000c937983704a73af28acdec37b049d214adbda81d7e2a3dd146f6ed09\""),
     .run = get_block},
    {.name = "getblockstats",
     .group = "blockchain",
     .summary = "Counts and sums over the transactions of a block. Amounts are in satoshi.",
     .params = RPC_PARAMS({"hash_or_height", RPC_NUM, RPC_REQUIRED, "The block.",
                           .flags = RPC_ANY_TYPE, .type_text = "string or numeric"},
                          {"stats", RPC_ARR, "~all values", "Which of them.",
                           RPC_PARAMS({"height", RPC_STR, RPC_OMITTED, "A name, see the result."},
                                      {"time", RPC_STR, RPC_OMITTED, "Another one."}),
                           .oneline = "stats"}),
     .results = RPC_RESULTS(
         {RPC_OBJ,
          .inner = RPC_RESULTS(
              STAT("avgfee", "Average fee."), STAT("avgfeerate", "Average fee rate, sat/vB."),
              STAT("avgtxsize", "Average size."),
              {RPC_HEX, "blockhash", "The block.", .flags = RPC_OPTIONAL},
              {RPC_ARR_FIXED, "feerate_percentiles",
               "Fee rates below which 10, 25, 50, 75, 90 percent of the weight lie.",
               RPC_RESULTS({RPC_NUM}, {RPC_NUM}, {RPC_NUM}, {RPC_NUM}, {RPC_NUM}),
               .flags = RPC_OPTIONAL},
              STAT("height", "Its height."), STAT("ins", "Inputs, without the coinbase's."),
              STAT("maxfee", "Greatest fee."), STAT("maxfeerate", "Greatest fee rate."),
              STAT("maxtxsize", "Greatest size."), STAT("medianfee", "Median fee."),
              STAT("mediantime", "Median time past."), STAT("mediantxsize", "Median size."),
              STAT("minfee", "Least fee."), STAT("minfeerate", "Least fee rate."),
              STAT("mintxsize", "Least size."), STAT("outs", "Outputs."),
              STAT("subsidy", "The subsidy."), STAT("swtotal_size", "Size of those with witness."),
              STAT("swtotal_weight", "Weight of those with witness."),
              STAT("swtxs", "Transactions with witness."), STAT("time", "Its time."),
              STAT("total_out", "Sum of outputs, without the coinbase's."),
              STAT("total_size", "Sum of sizes."), STAT("total_weight", "Sum of weights."),
              STAT("totalfee", "Sum of fees."), STAT("txs", "Transactions."),
              STAT("utxo_increase", "Outputs less inputs."),
              STAT("utxo_size_inc", "Their bytes in a set of coins."),
              STAT("utxo_increase_actual", "Coins made less coins spent."),
              STAT("utxo_size_inc_actual", "Their bytes."))}),
     .examples = RPC_EXAMPLES("1000 '[\"minfeerate\",\"avgfeerate\"]'"),
     .run = get_block_stats},
    {.name = NULL},
};
