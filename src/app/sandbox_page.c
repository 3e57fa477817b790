/* The sandbox as one page of text: nodes, peers, mempools, the last blocks, fees. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "app/sandbox.h"
#include "base/alloc.h"
#include "base/check.h"

#define BLOCKS_SHOWN 6

struct paint {
    const char *title;
    const char *good;
    const char *bad;
    const char *end;
};

static const struct paint plain = {"", "", "", ""};
static const struct paint coloured = {"\033[1m", "\033[32m", "\033[31m", "\033[0m"};

/* What one row shows; the replies themselves do not live that long. */
struct row {
    bool is_up;
    int64_t height;
    int64_t headers;
    char tip[65];
    int64_t in, out;
    int64_t txs_n, bytes;
    char min_fee[32]; /* BTC/kvB, as the node writes it. */
};

static int64_t number(const struct json *object, const char *key)
{
    const struct json *member = object == NULL ? NULL : json_find(object, key);
    int64_t value = 0;

    return member != NULL && json_get_int64(&value, member) ? value : 0;
}

static void copy_text(char *ret_text, size_t size, const struct json *object, const char *key)
{
    const struct json *member = object == NULL ? NULL : json_find(object, key);
    size_t len = member == NULL ? 0 : strnlen(json_text(member), size - 1);

    memcpy(ret_text, member == NULL ? "" : json_text(member), len);
    ret_text[len] = '\0';
}

static void ask_row(struct row *row, struct sandbox_node *node)
{
    const struct json *reply = SANDBOX_ASK(node, "getblockchaininfo", NULL);

    *row = (struct row){.is_up = reply != NULL};
    if (!row->is_up)
        return;
    row->height = number(reply, "blocks");
    row->headers = number(reply, "headers");
    copy_text(row->tip, sizeof(row->tip), reply, "bestblockhash");
    reply = SANDBOX_ASK(node, "getnetworkinfo", NULL);
    row->in = number(reply, "connections_in");
    row->out = number(reply, "connections_out");
    reply = SANDBOX_ASK(node, "getmempoolinfo", NULL);
    row->txs_n = number(reply, "size");
    row->bytes = number(reply, "bytes");
    copy_text(row->min_fee, sizeof(row->min_fee), reply, "mempoolminfee");
}

static void write_row(struct buf *text, const struct sandbox_node *node, const struct row *row,
                      const struct row *best, const struct paint *paint)
{
    bool is_level = row->is_up && best != NULL && strcmp(row->tip, best->tip) == 0;

    if (!row->is_up) {
        buf_add_printf(text, "  node%u  %sdown%s   rpc %u\n", node->number, paint->bad, paint->end,
                       node->rpc_port);
        return;
    }
    buf_add_printf(text,
                   "  node%u  %sup%s     rpc %-6u p2p %-6u height %s%-6" PRId64
                   "%s tip %.12s..  peers %" PRId64 " in %" PRId64 " out  mempool %4" PRId64
                   " tx %6" PRId64 " vB\n",
                   node->number, paint->good, paint->end, node->rpc_port, node->port,
                   is_level ? paint->good : paint->bad, row->height, paint->end, row->tip + 52,
                   row->in, row->out, row->txs_n, row->bytes);
}

static void write_block(struct buf *text, struct sandbox_node *node, int64_t height)
{
    char *at = alloc_printf("%" PRId64, height);
    const struct json *stats = SANDBOX_ASK(
        node, "getblockstats", at,
        "[\"txs\",\"total_weight\",\"totalfee\",\"feerate_percentiles\",\"time\",\"blockhash\"]");
    const struct json *rates = stats == NULL ? NULL : json_find(stats, "feerate_percentiles");
    char hash[65];

    free(at);
    if (rates == NULL || rates->count != 5)
        return;
    copy_text(hash, sizeof(hash), stats, "blockhash");
    buf_add_printf(text,
                   "  %6" PRId64 "  ..%.12s  %4" PRId64 " tx  %7" PRId64 " WU  fees %8" PRId64
                   " sat  feerates %s / %s / %s sat/vB\n",
                   height, hash + 52, number(stats, "txs"), number(stats, "total_weight"),
                   number(stats, "totalfee"), json_text(&rates->items[0]),
                   json_text(&rates->items[2]), json_text(&rates->items[4]));
}

static void write_fees(struct buf *text, struct sandbox_node *node, const struct row *row)
{
    static const char *const targets[] = {"2", "6", "12"};

    buf_add_printf(text, "  mempool minimum %s BTC/kvB", row->min_fee);
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        const struct json *reply = SANDBOX_ASK(node, "estimatesmartfee", targets[i]);
        char rate[32];

        copy_text(rate, sizeof(rate), reply, "feerate");
        buf_add_printf(text, "   %s blocks: %s", targets[i], rate[0] == '\0' ? "-" : rate);
    }
    buf_add_string(text, "\n");
}

void sandbox_page_write(struct sandbox *box, struct buf *text, bool has_colours)
{
    const struct paint *paint = has_colours ? &coloured : &plain;
    struct row rows[SANDBOX_NODES_MAX];
    const struct row *best = NULL;
    uint32_t best_at = 0;

    for (uint32_t i = 0; i < box->nodes_n; i++) {
        ask_row(&rows[i], &box->nodes[i]);
        if (rows[i].is_up && (best == NULL || rows[i].height > best->height)) {
            best = &rows[i];
            best_at = i;
        }
    }
    buf_add_printf(text, "%sAssay sandbox%s  %s\n\n%sNodes%s\n", paint->title, paint->end,
                   box->folder, paint->title, paint->end);
    for (uint32_t i = 0; i < box->nodes_n; i++)
        write_row(text, &box->nodes[i], &rows[i], best, paint);
    if (best == NULL)
        return;
    buf_add_printf(text, "\n%sLast blocks%s (feerates: low / middle / high)\n", paint->title,
                   paint->end);
    for (int64_t h = best->height; h > best->height - BLOCKS_SHOWN && h > 0; h--)
        write_block(text, &box->nodes[best_at], h);
    buf_add_printf(text, "\n%sFees%s\n", paint->title, paint->end);
    write_fees(text, &box->nodes[best_at], best);
}
