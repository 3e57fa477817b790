#include <inttypes.h>
#include <stdlib.h>

#include "app/verify_coins_priv.h"
#include "codec/json.h"
#include "codec/reader.h"

static int read_undo(struct verify_coins *coins, struct span undo, struct error *err)
{
    struct reader r;

    reader_init(&r, undo.data, undo.len);
    for (size_t i = 0; i < coins->n; i++) {
        coins->spent[i].value_sat = (int64_t)read_le64(&r);
        coins->spent[i].script_pubkey = read_var_bytes(&r);
        coins->coins[i].value_sat = coins->spent[i].value_sat;
        coins->coins[i].script_pubkey = coins->spent[i].script_pubkey;
    }
    if (r.rc < 0)
        return error_set(err, r.rc, "the prevouts end before the block's %zu inputs do", coins->n);
    if (r.left > 0)
        return error_set(err, E_LIMIT, "the prevouts are more than the block's %zu inputs",
                         coins->n);
    return 0;
}

static int read_line(struct verify_coins *coins, size_t i, struct span line,
                     const struct verify_request *request, struct arena *arena, struct error *err)
{
    const struct json *inblock;
    const struct json *height;
    const struct json *coinbase;
    const struct json *mtp;
    struct json object;
    int64_t number;
    int rc = json_read(&object, (const char *)line.data, line.len, arena, err);

    if (rc < 0)
        return rc;
    inblock = json_find(&object, "inblock");
    if (inblock != NULL && inblock->type == JSON_BOOL && inblock->truth) {
        coins->coins[i].height = (uint32_t)request->height;
        return 0;
    }
    height = json_find(&object, "height");
    coinbase = json_find(&object, "coinbase");
    mtp = json_find(&object, "mtp");
    if (height == NULL || !json_get_int64(&number, height) || number < 0 || number > INT32_MAX)
        return error_set(err, E_MALFORMED, "'height' is no height");
    coins->coins[i].height = (uint32_t)number;
    if (coinbase == NULL || coinbase->type != JSON_BOOL)
        return error_set(err, E_MALFORMED, "'coinbase' is neither true nor false");
    coins->coins[i].is_coinbase = coinbase->truth;
    coins->has_mtp[i] = mtp != NULL && mtp->type != JSON_NULL;
    if (!coins->has_mtp[i])
        return 0;
    if (!json_get_int64(&number, mtp) || number < 0 || number > UINT32_MAX)
        return error_set(err, E_MALFORMED, "'mtp' is no time");
    coins->mtps[i] = (uint32_t)number;
    return 0;
}

static int read_origins(struct verify_coins *coins, const struct verify_request *request,
                        struct arena *arena, struct error *err)
{
    struct span text = request->coins;
    size_t at = 0;
    size_t n = 0;

    while (at < text.len) {
        const uint8_t *line = text.data + at;
        const uint8_t *end = memchr(line, '\n', text.len - at);
        size_t len = end == NULL ? text.len - at : (size_t)(end - line);

        at += len + 1;
        if (len == 0)
            continue;
        if (n < coins->n) {
            int rc = read_line(coins, n, span_of(line, len), request, arena, err);

            if (rc < 0) {
                error_wrap(err, "line %zu of the coins", n + 1);
                return rc;
            }
        }
        n++;
    }
    if (n != coins->n)
        return error_set(err, E_LIMIT, "there are %zu coins for the block's %zu inputs", n,
                         coins->n);
    coins->has_origin = true;
    return 0;
}

int verify_coins_read(struct verify_coins *ret_coins, const struct block *block,
                      const struct verify_request *request, struct arena *arena, struct error *err)
{
    struct verify_coins coins = {0};
    int rc = 0;

    for (uint32_t i = 1; i < block->tx_n; i++)
        coins.n += block->tx[i].in_n;
    coins.spent = arena_array(arena, coins.n, sizeof(*coins.spent));
    coins.coins = arena_array(arena, coins.n, sizeof(*coins.coins));
    coins.mtps = arena_array(arena, coins.n, sizeof(*coins.mtps));
    coins.has_mtp = arena_array(arena, coins.n, sizeof(*coins.has_mtp));
    rc = read_undo(&coins, request->undo, err);
    if (rc == 0 && request->coins.data != NULL)
        rc = read_origins(&coins, request, arena, err);
    *ret_coins = coins;
    return rc;
}

/* An input by its outpoint, to be sorted; the position settles equals. */
struct spend_ref {
    const struct outpoint *prevout;
    size_t position;
};

static int compare_refs(const void *a, const void *b)
{
    const struct spend_ref *x = a;
    const struct spend_ref *y = b;
    int order = memcmp(x->prevout->txid.b, y->prevout->txid.b, HASH_BYTES);

    if (order != 0)
        return order;
    if (x->prevout->vout != y->prevout->vout)
        return x->prevout->vout < y->prevout->vout ? -1 : 1;
    return x->position < y->position ? -1 : x->position > y->position;
}

static int compare_txs(const void *a, const void *b)
{
    const struct tx *const *x = a;
    const struct tx *const *y = b;

    return memcmp((*x)->txid.b, (*y)->txid.b, HASH_BYTES);
}

/* Where txid is among the sorted transactions, or -1. */
static int64_t find_tx(const struct tx *const *sorted, const struct block *block,
                       const struct txid *txid)
{
    struct tx wanted = {.txid = *txid};
    const struct tx *key = &wanted;
    const struct tx *const *found =
        bsearch(&key, sorted, block->tx_n, sizeof(const struct tx *), compare_txs);

    return found == NULL ? -1 : *found - block->tx;
}

void verify_coins_relate(int64_t *index, bool *twice, const struct block *block, size_t n,
                         struct arena *arena)
{
    struct spend_ref *refs = arena_array(arena, n, sizeof(*refs));
    const struct tx **sorted = arena_array(arena, block->tx_n, sizeof(const struct tx *));
    size_t at = 0;

    for (uint32_t i = 0; i < block->tx_n; i++)
        sorted[i] = &block->tx[i];
    qsort(sorted, block->tx_n, sizeof(const struct tx *), compare_txs);
    for (uint32_t i = 1; i < block->tx_n; i++) {
        for (uint32_t k = 0; k < block->tx[i].in_n; k++) {
            refs[at] = (struct spend_ref){.prevout = &block->tx[i].in[k].prevout, .position = at};
            index[at] = find_tx(sorted, block, &refs[at].prevout->txid);
            at++;
        }
    }
    if (n > 0)
        qsort(refs, n, sizeof(*refs), compare_refs);
    for (size_t i = 1; i < n; i++) {
        if (outpoint_equal(refs[i].prevout, refs[i - 1].prevout))
            twice[refs[i].position] = true;
    }
}
