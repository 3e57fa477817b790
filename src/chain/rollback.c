/* The coins as they were at an earlier block, for those who want to walk them: the
 * last commit is copied into a store of its own, which is then taken back block by
 * block with the undo data. The chain's own coins are only read, so neither a crash
 * nor the blocks that come meanwhile matter to it. */
#include "chain/chain_priv.h"

#include "base/alloc.h"
#include "base/check.h"
#include "base/log.h"
#include "coins/fill.h"

#define ROLLBACK_CACHE_BYTES (UINT64_C(64) << 20)

static char *rollback_folder(const struct chain *chain)
{
    return alloc_printf("%s_rollback", chain->options.chainstate_folder);
}

static bool may_go_on(void *context)
{
    return !chain_is_stopping(context);
}

static int copy_all(struct coins_fill *fill, struct coins_scan *scan, struct error *err)
{
    struct outpoint outpoint;
    struct coin coin;
    int rc;

    while ((rc = coins_scan_next(scan, &outpoint, &coin, err)) == 1) {
        rc = coins_fill_add(fill, &outpoint, &coin, err);
        if (rc < 0)
            return rc;
    }
    return rc < 0 ? rc : coins_fill_end(fill, err);
}

static int take_back(struct chain *chain, struct coins_store *coins, struct header_node *from,
                     const struct header_node *base, struct error *err)
{
    struct body *body = body_new(chain->params, chain->batches, chain->options.salt[0]);
    struct buf undo_bytes = {0};
    int rc = 0;

    for (struct header_node *node = from; node != base && rc == 0; node = node->prev) {
        body_reset(body);
        undo_bytes.len = 0;
        if (chain_is_stopping(chain))
            rc = error_set(err, E_STOPPED, "stopped on request");
        else if (!header_has(node, HEADER_DATA) || !header_has(node, HEADER_UNDO))
            rc = error_set(err, E_STATE, "block %d or its undo data is pruned", node->height);
        if (rc == 0)
            rc = chain_read_body(chain, body, node, err);
        if (rc == 0)
            rc = chain_revert_body(chain, coins, body, &undo_bytes, err);
        if (rc == 0)
            rc = coins_relieve(coins, err);
        if (rc < 0)
            error_wrap(err, "could not roll back block %d", node->height);
    }
    buf_clear(&undo_bytes);
    body_free(body);
    return rc;
}

static int fill(struct chain *chain, struct coins_store *coins, struct coins_store *source,
                const struct header_node *base, struct error *err)
{
    struct coins_scan_options options = {.any_order = true, .go_on = may_go_on, .context = chain};
    struct coins_fill *fill = NULL;
    struct header_node *from;
    struct coins_scan *scan = NULL;
    struct block_hash tip;
    int rc;

    rc = coins_scan_new(&scan, source, &tip, &options, err);
    if (rc < 0)
        goto done;
    from = header_tree_find(chain->tree, &tip);
    if (from == NULL || !header_is_ancestor(base, from)) {
        rc = error_set(err, E_STATE, "block %s is not in the active chain",
                       hash_hex(base->hash.b).text);
        goto done;
    }
    log_info("chain", "Copying the coins of height %d, to roll them back to %d", from->height,
             base->height);
    fill = coins_fill_new(coins, &tip, false);
    rc = copy_all(fill, scan, err);
    if (rc == 0)
        rc = take_back(chain, coins, from, base, err);
    if (rc == 0)
        rc = coins_commit(coins, err);

done:
    coins_scan_free(scan);
    coins_fill_free(fill);
    return rc;
}

static void let_go(struct chain *chain)
{
    atomic_store(&chain->rollback_height, INT32_MAX);
    atomic_store(&chain->is_rolling_back, false);
}

int rollback_open(struct coins_store **ret_coins, struct chain *chain, struct coins_store *source,
                  const struct header_node *base, struct error *err)
{
    struct coins_options options = {
        .disk = chain->disk, .cache_bytes = ROLLBACK_CACHE_BYTES, .must_be_empty = true};
    struct coins_store *coins = NULL;
    bool is_free = false;
    char *folder;
    int rc;

    if (!atomic_compare_exchange_strong(&chain->is_rolling_back, &is_free, true))
        return error_set(err, E_STATE, "another rollback of the coins is under way");
    atomic_store(&chain->rollback_height, base->height);
    folder = rollback_folder(chain);
    options.folder = folder;
    rc = coins_open(&coins, &options, err);
    if (rc < 0) {
        let_go(chain);
        goto done;
    }
    rc = fill(chain, coins, source, base, err);
    if (rc < 0)
        rollback_close(chain, coins);
    else
        *ret_coins = coins;

done:
    free(folder);
    return rc;
}

int rollback_clean(struct chain *chain, struct error *err)
{
    char *folder = rollback_folder(chain);
    int rc = coins_remove(chain->disk, folder, err);

    free(folder);
    return rc;
}

void rollback_close(struct chain *chain, struct coins_store *own_coins)
{
    struct error err = {0};

    coins_close(own_coins);
    /* Not the asker's trouble: the next start tries again. */
    if (rollback_clean(chain, &err) < 0)
        log_warning("chain", "could not remove a copy of the coins: %s", error_text(&err));
    let_go(chain);
}
