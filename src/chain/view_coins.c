/* Walks over the coins for others: everything verified is committed first, then the
 * commit is walked on the asker's thread while the chain goes on. */
#include "chain/view_priv.h"

#include "coins/snapshot.h"
#include "coins/stats.h"

/* Coins that anyone may walk: they stay open until the chain is closed. */
struct coins_ask {
    struct coins_store *coins;
    uint64_t disk_bytes;
};

/* Which coins are the tip's is for the chain thread to say. */
static int ask_flush(struct chain *chain, void *argument, struct error *err)
{
    struct coins_ask *ask = argument;
    int rc = chain_flush(chain, err);

    ask->coins = chain->active->coins;
    ask->disk_bytes = coins_disk_bytes(ask->coins);
    return rc;
}

static struct block_info info_at(const struct chain *chain, const struct block_hash *tip)
{
    const struct header_node *at = header_tree_find(chain->tree, tip);

    if (at == NULL)
        at = header_tree_genesis(chain->tree);
    return chain_info(chain, at, chain_tip_node(chain));
}

int view_scan_coins(struct node *node, struct block_info *ret_at,
                    bool (*visit)(void *context, const struct outpoint *outpoint,
                                  const struct coin *coin),
                    void *context, struct error *err)
{
    struct chain *chain = view_chain(node);
    struct coins_scan_options options = {.any_order = true};
    struct coins_scan *scan = NULL;
    struct block_hash tip;
    struct outpoint outpoint;
    struct coins_ask ask = {0};
    struct coin found;
    int rc = chain_ask(chain, ask_flush, &ask, false, err);

    if (rc == 0)
        rc = coins_scan_new(&scan, ask.coins, &tip, &options, err);
    if (rc < 0)
        return rc;
    if (ret_at != NULL)
        *ret_at = info_at(chain, &tip);
    while ((rc = coins_scan_next(scan, &outpoint, &found, err)) > 0) {
        if (!visit(context, &outpoint, &found)) {
            rc = error_set(err, E_STOPPED, "stopped on request");
            break;
        }
    }
    coins_scan_free(scan);
    return rc;
}

static enum coins_hash_kind hash_kind_of(enum utxo_hash_kind kind)
{
    switch (kind) {
    case UTXO_HASH_SERIALIZED_3:
        return COINS_HASH_SERIALIZED_3;
    case UTXO_HASH_MUHASH:
        return COINS_HASH_MUHASH;
    case UTXO_HASH_NONE:
        break;
    }
    return COINS_HASH_NONE;
}

static struct utxo_stats stats_at(const struct chain *chain, const struct block_hash *tip,
                                  const struct coins_stats *stats, uint64_t disk_bytes)
{
    struct utxo_stats result = {.at = info_at(chain, tip),
                                .tx_n = stats->tx_n,
                                .outputs_n = stats->outputs_n,
                                .bogosize = stats->bogosize,
                                .disk_bytes = disk_bytes,
                                .total_sat = stats->total_sat};

    memcpy(result.hash, stats->hash, sizeof(result.hash));
    return result;
}

int view_utxo_stats(struct node *node, struct utxo_stats *ret_stats, enum utxo_hash_kind kind,
                    bool (*go_on)(void *context), void *context, struct error *err)
{
    struct chain *chain = view_chain(node);
    struct coins_scan_options options = {.go_on = go_on, .context = context};
    struct coins_stats stats;
    struct block_hash tip;
    struct coins_ask ask = {0};
    int rc = chain_ask(chain, ask_flush, &ask, false, err);

    if (rc == 0)
        rc = coins_stats_compute(&stats, &tip, ask.coins, hash_kind_of(kind), &options, err);
    if (rc < 0)
        return rc;
    *ret_stats = stats_at(chain, &tip, &stats, ask.disk_bytes);
    return 0;
}

static bool may_go_on(void *context)
{
    return !chain_is_stopping(context);
}

/* By way of a copy of the coins that is taken back to base. */
static int dump_earlier(struct chain *chain, struct coins_store *source, const char *path,
                        const struct header_node *base, struct snapshot_header *ret_header,
                        struct coins_stats *ret_stats, const struct coins_scan_options *options,
                        struct error *err)
{
    struct coins_store *coins;
    int rc = snapshot_probe(chain->disk, path, err);

    if (rc < 0)
        return rc;
    rc = rollback_open(&coins, chain, source, base, err);
    if (rc < 0) {
        if (snapshot_probe_undo(chain->disk, path, NULL) < 0)
            error_wrap(err, "'%s.incomplete' was left behind", path);
        return rc;
    }
    rc = snapshot_write(chain->disk, path, chain->params->magic, coins, ret_header, ret_stats,
                        options, err);
    rollback_close(chain, coins);
    return rc;
}

int view_dump_snapshot(struct node *node, const char *path, const struct block_hash *base,
                       struct utxo_stats *ret_stats, struct error *err)
{
    struct chain *chain = view_chain(node);
    struct coins_scan_options options = {.go_on = may_go_on, .context = chain};
    const struct header_node *at = chain_tip_node(chain);
    struct snapshot_header header;
    struct coins_stats stats;
    struct coins_ask ask = {0};
    int rc;

    if (base != NULL && (at == NULL || !block_hash_equal(base, &at->hash))) {
        at = header_tree_find(chain->tree, base);
        if (at == NULL)
            return error_set(err, E_STATE, "block %s is not known", hash_hex(base->b).text);
    } else {
        base = NULL;
    }
    rc = chain_ask(chain, ask_flush, &ask, false, err);
    if (rc < 0)
        return rc;
    if (base != NULL)
        rc = dump_earlier(chain, ask.coins, path, at, &header, &stats, &options, err);
    else
        rc = snapshot_write(chain->disk, path, chain->params->magic, ask.coins, &header, &stats,
                            &options, err);
    if (rc < 0)
        return rc;
    *ret_stats = stats_at(chain, &header.base, &stats, ask.disk_bytes);
    return 0;
}
