#include "coins/undo.h"

#include "base/check.h"
#include "codec/reader.h"
#include "codec/writer.h"
#include "coins/compress.h"

/* Height and flag, the old version byte, amount and script. */
#define COIN_OVERHEAD (VARINT_BYTES_MAX + 1 + TXOUT_COMPRESSED_OVERHEAD)
/* The shortest coin there is: height 0, an amount, no script. */
#define COIN_BYTES_MIN 3

void undo_begin(struct buf *buf, uint32_t tx_n)
{
    write_compact_size(buf, tx_n);
}

void undo_add_tx(struct buf *buf, const struct coin *coins, uint32_t coins_n)
{
    write_compact_size(buf, coins_n);
    for (uint32_t i = 0; i < coins_n; i++) {
        const struct coin *coin = &coins[i];
        uint8_t *at;
        size_t n;

        CHECK(coin->height <= UINT32_MAX >> 1);
        buf_reserve(buf, COIN_OVERHEAD + coin->script_pubkey.len);
        at = buf->data + buf->len;
        n = varint_write(at, (uint64_t)coin->height << 1 | coin->is_coinbase);
        if (coin->height > 0)
            at[n++] = 0;
        n += txout_write_compressed(at + n, coin->value_sat, coin->script_pubkey);
        buf->len += n;
    }
}

static void read_coin(struct reader *r, struct coin *ret_coin, struct arena *arena)
{
    uint64_t code = read_varint(r, UINT32_MAX);

    ret_coin->height = (uint32_t)(code >> 1);
    ret_coin->is_coinbase = code & 1;
    if (ret_coin->height > 0)
        (void)read_varint(r, UINT32_MAX); /* Old versions kept the transaction's version. */
    read_txout_compressed(r, &ret_coin->value_sat, &ret_coin->script_pubkey, arena);
}

int undo_read(struct undo *ret_undo, struct span bytes, struct arena *arena, struct error *err)
{
    struct reader r;
    struct undo_tx *tx;
    uint32_t tx_n;

    reader_init(&r, bytes.data, bytes.len);
    tx_n = read_length(&r);
    if (tx_n > r.left)
        (void)reader_fail(&r, E_TRUNCATED);
    if (r.rc < 0)
        goto done;
    tx = arena_array(arena, tx_n, sizeof(*tx));
    for (uint32_t i = 0; i < tx_n && r.rc == 0; i++) {
        struct coin *coins;

        tx[i].coins_n = read_length(&r);
        if (tx[i].coins_n > r.left / COIN_BYTES_MIN)
            (void)reader_fail(&r, E_TRUNCATED);
        if (r.rc < 0)
            break;
        coins = arena_array(arena, tx[i].coins_n, sizeof(*coins));
        for (uint32_t k = 0; k < tx[i].coins_n && r.rc == 0; k++)
            read_coin(&r, &coins[k], arena);
        tx[i].coins = coins;
    }
    if (r.rc == 0 && r.left > 0)
        (void)reader_fail(&r, E_MALFORMED);
    if (r.rc == 0)
        *ret_undo = (struct undo){tx_n, tx};
done:
    return r.rc == 0 ? 0
                     : error_set(err, r.rc, "undo data cannot be decoded at byte %zu",
                                 bytes.len - r.left);
}
