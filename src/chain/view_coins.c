/* Walks over the coins for others: everything verified is committed first, then the
 * commit is walked on the asker's thread while the chain goes on. */
#include "chain/view_priv.h"

#include <stdio.h>

#include "base/alloc.h"
#include "coins/snapshot.h"
#include "coins/stats.h"

static int ask_flush(struct chain *chain, void *argument, struct error *err)
{
    uint64_t *ret_disk_bytes = argument;
    int rc = chain_flush(chain, err);

    *ret_disk_bytes = coins_disk_bytes(chain->active->coins);
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
    uint64_t disk_bytes;
    struct coin found;
    int rc = chain_ask(chain, ask_flush, &disk_bytes, false, err);

    if (rc == 0)
        rc = coins_scan_new(&scan, chain->active->coins, &tip, &options, err);
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
    uint64_t disk_bytes;
    int rc = chain_ask(chain, ask_flush, &disk_bytes, false, err);

    if (rc == 0)
        rc = coins_stats_compute(&stats, &tip, chain->active->coins, hash_kind_of(kind), &options,
                                 err);
    if (rc < 0)
        return rc;
    *ret_stats = stats_at(chain, &tip, &stats, disk_bytes);
    return 0;
}

static bool may_go_on(void *context)
{
    return !chain_is_stopping(context);
}

/* By way of a copy of the coins that is taken back to base. */
static int dump_earlier(struct chain *chain, const char *path, const struct header_node *base,
                        struct snapshot_header *ret_header, struct coins_stats *ret_stats,
                        const struct coins_scan_options *options, struct error *err)
{
    char *part_path = alloc_printf("%s.incomplete", path);
    struct coins_store *coins;
    int rc = snapshot_probe(chain->disk, path, err);

    if (rc < 0)
        goto done;
    rc = rollback_open(&coins, chain, base, err);
    if (rc < 0) {
        if (disk_remove(chain->disk, part_path, NULL) < 0)
            error_wrap(err, "'%s' was left behind", part_path);
        goto done;
    }
    rc = snapshot_write(chain->disk, path, chain->params->magic, coins, ret_header, ret_stats,
                        options, err);
    rollback_close(chain, coins);

done:
    free(part_path);
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
    uint64_t disk_bytes;
    int rc;

    if (base != NULL && (at == NULL || !block_hash_equal(base, &at->hash))) {
        at = header_tree_find(chain->tree, base);
        if (at == NULL)
            return error_set(err, E_STATE, "block %s is not known", hash_hex(base->b).text);
    } else {
        base = NULL;
    }
    rc = chain_ask(chain, ask_flush, &disk_bytes, false, err);
    if (rc < 0)
        return rc;
    if (base != NULL)
        rc = dump_earlier(chain, path, at, &header, &stats, &options, err);
    else
        rc = snapshot_write(chain->disk, path, chain->params->magic, chain->active->coins, &header,
                            &stats, &options, err);
    if (rc < 0)
        return rc;
    *ret_stats = stats_at(chain, &header.base, &stats, disk_bytes);
    return 0;
}

static int check_network(const struct chain *chain, const struct snapshot_header *header,
                         struct error *err)
{
    const struct params *of_file = params_by_magic(header->magic);

    if (memcmp(header->magic, chain->params->magic, sizeof(header->magic)) == 0)
        return 0;
    if (of_file == NULL)
        return error_set(err, E_MALFORMED,
                         "This snapshot has been created for an unrecognized network. This could "
                         "be a custom signet, a new testnet or possibly caused by data "
                         "corruption.");
    return error_set(err, E_MALFORMED,
                     "The network of the snapshot (%s) does not match the network of this node "
                     "(%s).",
                     of_file->name, chain->params->name);
}

/* Do we vouch for a snapshot of this block? */
static int check_vouched(const struct params *params, const struct block_hash *base,
                         struct error *err)
{
    char heights[256] = "";
    size_t len = 0;

    for (size_t i = 0; i < params->snapshots_n; i++) {
        int n;

        if (block_hash_equal(&params->snapshots[i].block_hash, base))
            return 0;
        n = snprintf(heights + len, sizeof(heights) - len, "%s%d", i == 0 ? "" : ", ",
                     params->snapshots[i].height);
        if (n > 0 && (size_t)n < sizeof(heights) - len)
            len += (size_t)n;
    }
    return error_set(err, E_STATE,
                     "assumeutxo block hash in snapshot metadata not recognized (hash: %s). The "
                     "following snapshot heights are available: %s",
                     hash_hex(base->b).text, heights);
}

static int check_base(const struct chain *chain, const struct header_node *base,
                      const struct block_hash *hash, struct error *err)
{
    const struct header_node *tip = chain_tip_node(chain);

    if (base == NULL)
        return error_set(err, E_STATE,
                         "The base block header (%s) must appear in the headers chain. Make sure "
                         "all headers are syncing, and call loadtxoutset again",
                         hash_hex(hash->b).text);
    if (header_is_failed(base))
        return error_set(err, E_STATE, "The base block header (%s) is part of an invalid chain",
                         hash_hex(hash->b).text);
    if (!header_is_ancestor(base, header_tree_best(chain->tree)))
        return error_set(err, E_STATE,
                         "A forked headers-chain with more work than the chain with the snapshot "
                         "base block header exists. Please proceed to sync without AssumeUtxo.");
    if (tip != NULL && header_work_compare(tip, base) >= 0)
        return error_set(err, E_STATE, "Population failed: Work does not exceed active chainstate");
    return 0;
}

int view_load_snapshot(struct node *node, const char *path, struct block_info *ret_base,
                       uint64_t *ret_coins_n, struct error *err)
{
    struct chain *chain = view_chain(node);
    struct snapshot_reader *reader = NULL;
    const struct header_node *base;
    struct snapshot_header header;
    int rc = snapshot_reader_new(&reader, &header, chain->disk, path, err);

    if (rc == 0)
        rc = check_network(chain, &header, err);
    snapshot_reader_free(reader);
    if (rc == 0)
        rc = check_vouched(chain->params, &header.base, err);
    if (rc < 0)
        return rc;
    base = header_tree_find(chain->tree, &header.base);
    rc = check_base(chain, base, &header.base, err);
    if (rc < 0)
        return rc;
    *ret_base = chain_info(chain, base, chain_tip_node(chain));
    *ret_coins_n = header.coins_n;
    return error_set(err, E_STATE,
                     "This node verifies every block itself and continues from no snapshot");
}
