/* The sandbox's life: a node mines every few seconds, payments go to and fro between
 * outputs of one key. All by RPC. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/sandbox.h"
#include "base/alloc.h"
#include "base/log.h"
#include "codec/decimal.h"
#include "os/clock.h"
#include "os/entropy.h"

#define COINS_MAX 2000
#define COINS_ENOUGH 400
#define MATURITY 100
#define FIRST_BLOCKS 110
/* Feerates wander between these, so that there is something to see. */
#define FEERATE_MAX_SAT_VB 40
#define TX_VSIZE 141
#define OUTPUT_MIN_SAT 20000
#define REFRESH_US (UINT64_C(3) * 1000 * 1000)

struct own_coin {
    char txid[65];
    uint32_t vout;
    int64_t amount_sat;
};

struct sandbox_traffic {
    struct sandbox *box;
    struct own_coin coins[COINS_MAX];
    size_t coins_n;
    uint64_t block_at_us;
    uint64_t tx_at_us;
    uint64_t refresh_at_us;
};

static uint64_t now_us(void)
{
    return clock_monotonic_us(clock_real());
}

static uint64_t chance(uint64_t bound)
{
    uint64_t value;

    entropy_fill(&value, sizeof(value));
    return value % bound;
}

struct sandbox_traffic *sandbox_traffic_new(struct sandbox *box)
{
    struct sandbox_traffic *traffic = alloc_zero(sizeof(*traffic));

    traffic->box = box;
    return traffic;
}

void sandbox_traffic_free(struct sandbox_traffic *own_traffic)
{
    free(own_traffic);
}

/* One that runs; they take turns. */
static struct sandbox_node *any_node(struct sandbox *box)
{
    uint32_t from = (uint32_t)chance(box->nodes_n);

    for (uint32_t i = 0; i < box->nodes_n; i++) {
        struct sandbox_node *node = &box->nodes[(from + i) % box->nodes_n];

        if (node->pid > 0)
            return node;
    }
    return NULL;
}

/* One key, two kinds of outputs: a transaction may name an address only once. */
static char *address_of(struct sandbox *box, struct sandbox_node *node, const char *kind)
{
    char *descriptor = alloc_printf("%s(%s)", kind, box->wif);
    const struct json *reply = SANDBOX_ASK(node, "getdescriptorinfo", descriptor);
    const struct json *sum = reply == NULL ? NULL : json_find(reply, "checksum");
    char *full = sum == NULL ? NULL : alloc_printf("%s#%s", descriptor, json_text(sum));
    char *address = NULL;

    reply = full == NULL ? NULL : SANDBOX_ASK(node, "deriveaddresses", full);
    if (reply != NULL && reply->count == 1)
        address = alloc_string(json_text(&reply->items[0]));
    free(full);
    free(descriptor);
    return address;
}

static bool find_addresses(struct sandbox *box, struct sandbox_node *node)
{
    static const char *const kinds[SANDBOX_ADDRESSES] = {"wpkh", "pkh"};

    for (uint32_t i = 0; i < SANDBOX_ADDRESSES; i++) {
        if (box->addresses[i] == NULL)
            box->addresses[i] = address_of(box, node, kinds[i]);
        if (box->addresses[i] == NULL)
            return false;
    }
    return true;
}

static void mine(struct sandbox_traffic *traffic)
{
    struct sandbox *box = traffic->box;
    struct sandbox_node *node = &box->nodes[0];
    const struct json *reply;
    int64_t height;

    /* The first one mines; another does while that is down. */
    if (node->pid == 0)
        node = any_node(box);
    reply = node == NULL ? NULL : SANDBOX_ASK(node, "getblockcount", NULL);
    if (reply == NULL || !json_get_int64(&height, reply))
        return;
    if (height < FIRST_BLOCKS) {
        char *count = alloc_printf("%lld", (long long)(FIRST_BLOCKS - height));

        if (SANDBOX_ASK(node, "generatetoaddress", count, box->addresses[0]) != NULL)
            log_info("sandbox", "made the first blocks");
        free(count);
    } else if (SANDBOX_ASK(node, "generatetoaddress", "1", box->addresses[0]) == NULL) {
        log_warning("sandbox", "%s", buf_string(&node->cli.error));
    }
}

static void take_coin(struct sandbox_traffic *traffic, const struct json *entry, int64_t height)
{
    const struct json *amount = json_find(entry, "amount");
    const struct json *coinbase = json_find(entry, "coinbase");
    const struct json *at = json_find(entry, "height");
    const struct json *vout = json_find(entry, "vout");
    const struct json *txid = json_find(entry, "txid");
    struct own_coin *coin = &traffic->coins[traffic->coins_n];
    int64_t made;
    int64_t index;

    if (amount == NULL || coinbase == NULL || at == NULL || vout == NULL || txid == NULL ||
        txid->text.len != 64 || !json_get_int64(&made, at) || !json_get_int64(&index, vout) ||
        (coinbase->truth && height + 1 - made < MATURITY) ||
        !decimal_read(&coin->amount_sat, json_text(amount), amount->text.len, 8))
        return;
    memcpy(coin->txid, json_text(txid), sizeof(coin->txid));
    coin->vout = (uint32_t)index;
    traffic->coins_n++;
}

/* Asks the chain which coins are ours: at the start, and when we lost track. */
static void refresh(struct sandbox_traffic *traffic, struct sandbox_node *node)
{
    char *objects = alloc_printf("[\"addr(%s)\"]", traffic->box->addresses[0]);
    const struct json *reply = SANDBOX_ASK(node, "scantxoutset", "start", objects);
    const struct json *list = reply == NULL ? NULL : json_find(reply, "unspents");
    const struct json *tip = reply == NULL ? NULL : json_find(reply, "height");
    int64_t height;

    free(objects);
    traffic->refresh_at_us = now_us() + REFRESH_US;
    if (list == NULL || tip == NULL || !json_get_int64(&height, tip))
        return;
    for (uint32_t i = 0; i < list->count && traffic->coins_n < COINS_MAX; i++)
        take_coin(traffic, &list->items[i], height);
}

static void write_outputs(struct buf *text, const struct sandbox *box, const int64_t *values_sat,
                          uint32_t n)
{
    struct json_writer w;

    json_writer_init(&w, text, 0);
    json_begin_array(&w);
    for (uint32_t i = 0; i < n; i++) {
        json_begin_object(&w);
        json_put_amount(&w, box->addresses[i], values_sat[i]);
        json_end_object(&w);
    }
    json_end_array(&w);
}

static char *own_text(const struct json *reply, const char *key)
{
    const struct json *member = reply == NULL || key == NULL ? reply : json_find(reply, key);

    return member == NULL ? NULL : alloc_string(json_text(member));
}

/* What the outputs get: the coin's amount less a fee, in two parts as long as there
 * are few coins. Returns how many. */
static uint32_t share(int64_t *ret_values_sat, const struct sandbox_traffic *traffic,
                      const struct own_coin *coin)
{
    int64_t rate =
        1 + (int64_t)(chance(FEERATE_MAX_SAT_VB) * chance(FEERATE_MAX_SAT_VB) / FEERATE_MAX_SAT_VB);
    int64_t left_sat = coin->amount_sat - rate * TX_VSIZE;

    ret_values_sat[0] = left_sat;
    if (left_sat < 2 * OUTPUT_MIN_SAT || traffic->coins_n >= COINS_ENOUGH)
        return 1;
    ret_values_sat[0] =
        OUTPUT_MIN_SAT + (int64_t)chance((uint64_t)(left_sat - 2 * OUTPUT_MIN_SAT + 1));
    ret_values_sat[1] = left_sat - ret_values_sat[0];
    return 2;
}

static void take_outputs(struct sandbox_traffic *traffic, const char *txid,
                         const int64_t *values_sat, uint32_t n)
{
    for (uint32_t i = 0; i < n && traffic->coins_n < COINS_MAX && strlen(txid) == 64; i++) {
        struct own_coin *made = &traffic->coins[traffic->coins_n++];

        memcpy(made->txid, txid, sizeof(made->txid));
        made->vout = i;
        made->amount_sat = values_sat[i];
    }
}

/* Spends one coin. What a node refuses (it may not know the parent yet) comes back with
 * a refresh. */
static void pay(struct sandbox_traffic *traffic, struct sandbox_node *node,
                const struct own_coin *coin)
{
    char *inputs = alloc_printf("[{\"txid\":\"%s\",\"vout\":%u}]", coin->txid, coin->vout);
    char *keys = alloc_printf("[\"%s\"]", traffic->box->wif);
    int64_t values_sat[SANDBOX_ADDRESSES];
    uint32_t n = share(values_sat, traffic, coin);
    struct buf outputs = {0};
    char *raw;
    char *signed_hex = NULL;
    char *txid = NULL;

    write_outputs(&outputs, traffic->box, values_sat, n);
    raw = own_text(SANDBOX_ASK(node, "createrawtransaction", inputs, buf_string(&outputs)), NULL);
    if (raw != NULL)
        signed_hex = own_text(SANDBOX_ASK(node, "signrawtransactionwithkey", raw, keys), "hex");
    if (signed_hex != NULL)
        txid = own_text(SANDBOX_ASK(node, "sendrawtransaction", signed_hex), NULL);
    if (txid != NULL)
        take_outputs(traffic, txid, values_sat, n);
    buf_clear(&outputs);
    free(inputs);
    free(keys);
    free(raw);
    free(signed_hex);
    free(txid);
}

static void send_payment(struct sandbox_traffic *traffic)
{
    struct sandbox_node *node = any_node(traffic->box);
    struct own_coin coin;
    size_t at;

    if (node == NULL)
        return;
    if (traffic->coins_n == 0) {
        if (now_us() >= traffic->refresh_at_us)
            refresh(traffic, node);
        return;
    }
    at = (size_t)chance(traffic->coins_n);
    coin = traffic->coins[at];
    traffic->coins[at] = traffic->coins[--traffic->coins_n];
    if (coin.amount_sat >= OUTPUT_MIN_SAT)
        pay(traffic, node, &coin);
}

void sandbox_traffic_look(struct sandbox_traffic *traffic)
{
    struct sandbox *box = traffic->box;
    struct sandbox_node *node = any_node(box);

    if (node == NULL || !find_addresses(box, node))
        return;
    if (now_us() >= traffic->block_at_us) {
        mine(traffic);
        traffic->block_at_us =
            now_us() + box->block_interval_us / 2 + chance(box->block_interval_us + 1);
    }
    if (now_us() >= traffic->tx_at_us) {
        send_payment(traffic);
        traffic->tx_at_us = now_us() + box->tx_interval_us / 2 + chance(box->tx_interval_us + 1);
    }
}
