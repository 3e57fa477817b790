/* Reading a snapshot: into a store of its own on the asker's thread, while the chain
 * goes on, before the chain thread makes that store the tip's. */
#include "chain/view_priv.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/log.h"
#include "coins/fill.h"
#include "coins/snapshot.h"
#include "coins/stats.h"

/* Coins between two lines of the log. */
#define LOG_EVERY 1000000U
/* ... and between two looks at whether the node stops. */
#define LOOK_EVERY 4096U

struct load {
    struct snapshot_header header;
    struct header_node *base;
    struct coins_store *coins; /* Owned until the chain has taken it. */
    bool is_promised;          /* The index may say that the coins are there. */
    struct block_info info;
};

static bool may_go_on(void *context)
{
    return !chain_is_stopping(context);
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

    if (assumed_params(params, base) != NULL)
        return 0;
    for (size_t i = 0; i < params->snapshots_n; i++) {
        int n = snprintf(heights + len, sizeof(heights) - len, "%s%d", i == 0 ? "" : ", ",
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
    for (size_t i = 0; i < chain->events_n; i++) {
        const struct chain_events *events = chain->events[i];

        if (events->holds_txs != NULL && events->holds_txs(events->context))
            return error_set(err, E_STATE, "Can't activate a snapshot when mempool not empty");
    }
    return 0;
}

static int check_work(const struct chain *chain, const struct header_node *base, const char *text,
                      struct error *err)
{
    const struct header_node *tip = chain->active->verified;

    if (tip == NULL || header_work_compare(tip, base) < 0)
        return 0;
    return error_set(err, E_STATE, "%s", text);
}

/* On the chain thread. */
static int ask_begin(struct chain *chain, void *argument, struct error *err)
{
    struct load *load = argument;
    const struct block_hash *hash = &load->header.base;
    int rc;

    if (chain->active != &chain->own)
        return error_set(err, E_STATE, "Can't activate a snapshot-based chainstate more than once");
    if (chain->is_loading)
        return error_set(err, E_STATE, "another snapshot is being loaded");
    rc = check_vouched(chain->params, hash, err);
    load->base = header_tree_find(chain->tree, hash);
    if (rc == 0)
        rc = check_base(chain, load->base, hash, err);
    if (rc == 0)
        rc = check_work(chain, load->base,
                        "Population failed: Work does not exceed active chainstate", err);
    if (rc < 0)
        return rc;
    chain->is_loading = true;
    assumed_share_memory(chain);
    return 0;
}

static int ask_end(struct chain *chain, void *unused, struct error *err)
{
    (void)unused;
    (void)err;
    chain->is_loading = false;
    assumed_share_memory(chain);
    return 0;
}

static int ask_activate(struct chain *chain, void *argument, struct error *err)
{
    struct load *load = argument;
    int rc = check_base(chain, load->base, &load->header.base, err);

    if (rc == 0)
        rc = check_work(chain, load->base, "work does not exceed active chainstate", err);
    if (rc < 0)
        return rc;
    chain->is_loading = false;
    load->is_promised = true;
    rc = assumed_begin(chain, load->coins, load->base, err);
    if (rc < 0)
        return rc;
    load->coins = NULL;
    load->info = chain_info(chain, load->base, load->base);
    return 0;
}

static int read_coins(struct chain *chain, const struct load *load, struct snapshot_reader *reader,
                      struct error *err)
{
    struct coins_fill *fill = coins_fill_new(load->coins, &load->header.base, true);
    uint64_t all = load->header.coins_n;
    struct outpoint outpoint;
    struct coin coin;
    uint64_t n = 0;
    int rc;

    log_info("chain", "[snapshot] loading %llu coins from snapshot %s", (unsigned long long)all,
             hash_hex(load->header.base.b).text);
    while ((rc = snapshot_reader_next(reader, &outpoint, &coin, (uint32_t)load->base->height,
                                      err)) == 1) {
        rc = coins_fill_add(fill, &outpoint, &coin, err);
        if (rc == 0 && ++n % LOOK_EVERY == 0 && chain_is_stopping(chain))
            rc = error_set(err, E_STOPPED, "Aborting after an interrupt was requested");
        if (rc < 0)
            break;
        if (n % LOG_EVERY == 0)
            log_info("chain", "[snapshot] %llu coins loaded (%.2f%%)", (unsigned long long)n,
                     (double)n * 100 / (double)all);
    }
    if (rc == 0)
        rc = coins_fill_end(fill, err);
    if (rc == 0)
        rc = coins_commit(load->coins, err);
    if (rc == 0)
        log_info("chain", "[snapshot] loaded %llu coins from snapshot %s", (unsigned long long)n,
                 hash_hex(load->header.base.b).text);
    coins_fill_free(fill);
    return rc;
}

static int check_hash(struct chain *chain, const struct load *load, struct error *err)
{
    const struct snapshot_params *params = assumed_params(chain->params, &load->header.base);
    struct coins_scan_options options = {.go_on = may_go_on, .context = chain};
    struct coins_stats stats;
    int rc = coins_stats_compute(&stats, NULL, load->coins, COINS_HASH_SERIALIZED_3, &options, err);

    if (rc < 0)
        return rc;
    if (memcmp(stats.hash, params->hash_serialized, HASH_BYTES) != 0)
        return error_set(err, E_STATE, "Bad snapshot content hash: expected %s, got %s",
                         hash_hex(params->hash_serialized).text, hash_hex(stats.hash).text);
    log_info("chain", "[snapshot] validated snapshot");
    return 0;
}

static int populate(struct chain *chain, struct load *load, struct snapshot_reader *reader,
                    const char *folder, struct error *err)
{
    struct coins_options options = {.disk = chain->disk,
                                    .folder = folder,
                                    .cache_bytes = chain->options.cache_bytes,
                                    .must_be_empty = true};
    int rc = coins_open(&load->coins, &options, err);

    if (rc == 0)
        rc = read_coins(chain, load, reader, err);
    if (rc == 0)
        rc = check_hash(chain, load, err);
    /* The file's header was good: what is wrong now is the snapshot. */
    if (rc == E_MALFORMED || rc == E_TRUNCATED)
        rc = E_STATE;
    if (rc < 0)
        error_wrap(err, "Population failed");
    return rc;
}

int view_load_snapshot(struct node *node, const char *path, struct block_info *ret_base,
                       uint64_t *ret_coins_n, struct error *err)
{
    struct chain *chain = view_chain(node);
    struct snapshot_reader *reader = NULL;
    char *folder = assumed_folder(chain);
    struct load load = {.base = NULL};
    int rc = snapshot_reader_new(&reader, &load.header, chain->disk, path, err);

    if (rc == 0)
        rc = check_network(chain, &load.header, err);
    if (rc == 0)
        rc = chain_ask(chain, ask_begin, &load, false, err);
    if (rc < 0)
        goto done;
    rc = populate(chain, &load, reader, folder, err);
    if (rc == 0)
        rc = chain_ask(chain, ask_activate, &load, false, err);
    if (rc == 0) {
        *ret_base = load.info;
        *ret_coins_n = load.header.coins_n;
        goto done;
    }
    coins_close(load.coins);
    /* What cannot be removed now is removed by the next start. */
    if (!load.is_promised && coins_remove(chain->disk, folder, NULL) < 0)
        log_warning("chain", "could not remove '%s'", folder);
    (void)chain_ask(chain, ask_end, NULL, false, NULL);

done:
    snapshot_reader_free(reader);
    free(folder);
    return rc;
}
