#include "coins/stats.h"

#include "codec/writer.h"

/* txid, vout, height and coinbase, amount, length of the script: by convention the
 * same whatever the store really needs. */
#define BOGOSIZE_BASE (32U + 4 + 4 + 8 + 2)

void coin_write_for_hash(struct buf *buf, const struct outpoint *outpoint, const struct coin *coin)
{
    buf_add(buf, outpoint->txid.b, HASH_BYTES);
    write_le32(buf, outpoint->vout);
    write_le32(buf, coin->height << 1 | coin->is_coinbase);
    write_le64(buf, (uint64_t)coin->value_sat);
    write_var_bytes(buf, coin->script_pubkey);
}

uint64_t coin_bogosize(const struct coin *coin)
{
    return BOGOSIZE_BASE + coin->script_pubkey.len;
}

void coins_stats_maker_init(struct coins_stats_maker *maker, enum coins_hash_kind kind)
{
    *maker = (struct coins_stats_maker){.kind = kind};
    sha256_init(&maker->sha256);
    if (kind == COINS_HASH_MUHASH)
        muhash_init(&maker->muhash);
}

int coins_stats_maker_add(struct coins_stats_maker *maker, const struct outpoint *outpoint,
                          const struct coin *coin, struct error *err)
{
    struct coins_stats *stats = &maker->stats;

    if (stats->outputs_n == 0 || !txid_equal(&maker->last_txid, &outpoint->txid))
        stats->tx_n++;
    maker->last_txid = outpoint->txid;
    stats->outputs_n++;
    stats->bogosize += coin_bogosize(coin);
    if (__builtin_add_overflow(stats->total_sat, coin->value_sat, &stats->total_sat))
        return error_set(err, E_CORRUPT, "the total of all coins is out of range");
    if (maker->kind == COINS_HASH_NONE)
        return 0;
    maker->bytes.len = 0;
    coin_write_for_hash(&maker->bytes, outpoint, coin);
    if (maker->kind == COINS_HASH_SERIALIZED_3)
        sha256_add(&maker->sha256, maker->bytes.data, maker->bytes.len);
    else
        muhash_insert(&maker->muhash, maker->bytes.data, maker->bytes.len);
    return 0;
}

void coins_stats_maker_finish(struct coins_stats_maker *maker, struct coins_stats *ret_stats)
{
    if (maker->kind == COINS_HASH_SERIALIZED_3)
        sha256d_finish(&maker->sha256, maker->stats.hash);
    else if (maker->kind == COINS_HASH_MUHASH)
        muhash_finish(&maker->muhash, maker->stats.hash);
    *ret_stats = maker->stats;
    buf_clear(&maker->bytes);
}

int coins_stats_compute(struct coins_stats *ret_stats, struct block_hash *ret_tip,
                        struct coins_store *store, enum coins_hash_kind kind,
                        const struct coins_scan_options *options, struct error *err)
{
    struct coins_scan_options in_order = {0};
    struct coins_stats_maker maker;
    struct coins_stats stats;
    struct coins_scan *scan;
    struct outpoint outpoint;
    struct coin coin;
    int rc;

    if (options != NULL)
        in_order = *options;
    in_order.any_order = false;
    rc = coins_scan_new(&scan, store, ret_tip, &in_order, err);
    if (rc < 0)
        return rc;
    coins_stats_maker_init(&maker, kind);
    while ((rc = coins_scan_next(scan, &outpoint, &coin, err)) == 1) {
        rc = coins_stats_maker_add(&maker, &outpoint, &coin, err);
        if (rc < 0)
            break;
    }
    coins_stats_maker_finish(&maker, &stats);
    coins_scan_free(scan);
    if (rc == 0)
        *ret_stats = stats;
    return rc;
}
