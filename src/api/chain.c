#include "api/api_priv.h"

#include "base/alloc.h"
#include "chain/chain.h"
#include "os/entropy.h"
#include "os/process.h"

/* Where the machine's memory is not known to the caller. */
#define CACHE_BYTES_DEFAULT (UINT64_C(450) * 1024 * 1024)

struct assay_chain {
    struct chain *chain;
    struct node *node; /* Of chain. */
};

static void info_out(struct assay_header_info *ret_info, const struct block_info *info)
{
    uint8_t bytes[HEADER_BYTES];

    header_write(bytes, &info->header);
    assay_header_read(&ret_info->header, bytes);
    memcpy(ret_info->hash, info->hash.b, HASH_BYTES);
    ret_info->height = info->height;
    ret_info->median_time_past = info->median_time_past;
    memcpy(ret_info->chainwork, info->chainwork, sizeof(ret_info->chainwork));
}

int assay_chain_open(struct assay_chain **ret_chain, const struct assay_chain_options *options,
                     struct assay_error *err)
{
    const struct assay_params *params = assay_params_of(options->network);
    struct chain_options inner;
    struct assay_chain *chain;
    char *blocks = NULL;
    char *chainstate = NULL;
    int rc;

    if (params == NULL)
        return error_set(error_of(err), E_LIMIT, "%d is no network", (int)options->network);
    blocks = alloc_printf("%s/%s/blocks", options->folder, params_in(params)->folder);
    chainstate = alloc_printf("%s/%s/chainstate", options->folder, params_in(params)->folder);
    chain_options_default(&inner, params_in(params));
    inner.disk = disk_real();
    inner.clock = clock_real();
    inner.blocks_folder = blocks;
    inner.chainstate_folder = chainstate;
    inner.cache_bytes = options->cache_bytes == 0 ? CACHE_BYTES_DEFAULT : options->cache_bytes;
    inner.threads = options->threads == 0 ? (int)processors_n() : (int)options->threads;
    entropy_fill(inner.salt, sizeof(inner.salt));
    if (options->verify_all_scripts)
        inner.assumevalid = (struct block_hash){0};

    chain = alloc_zero(sizeof(*chain));
    rc = chain_open(&chain->chain, &inner, error_of(err));
    if (rc == 0) {
        chain->node = chain_node(chain->chain);
        chain_start(chain->chain);
        *ret_chain = chain;
    } else {
        error_wrap(error_of(err), "could not open data directory '%s'", options->folder);
        free(chain);
    }
    free(blocks);
    free(chainstate);
    return rc;
}

int assay_chain_close(struct assay_chain *own_chain, struct assay_error *err)
{
    int rc;

    if (own_chain == NULL)
        return 0;
    chain_stop(own_chain->chain);
    rc = chain_close(own_chain->chain, error_of(err));
    free(own_chain);
    return rc;
}

int assay_chain_offer(struct assay_chain *chain, enum assay_verdict *ret_verdict,
                      const uint8_t *bytes, size_t len, struct assay_error *err)
{
    struct submit_result result = {0};
    int rc =
        chain->node->ops->submit_block(chain->node, &result, span_of(bytes, len), error_of(err));

    if (rc == 0)
        *ret_verdict = (enum assay_verdict)result.verdict;
    return rc;
}

void assay_chain_tip(struct assay_header_info *ret_info, struct assay_chain *chain)
{
    struct node_status status;

    chain->node->ops->status(chain->node, &status);
    info_out(ret_info, &status.tip);
}

int assay_chain_block_at(struct assay_block **ret_block, struct assay_chain *chain, int32_t height,
                         struct assay_error *err)
{
    struct block_info info;
    struct block_data data;
    uint8_t *own_bytes;
    size_t len;
    int rc = chain->node->ops->block_by_height(chain->node, &info, height);

    if (rc < 0)
        return error_set(error_of(err), rc, "no block at height %d", (int)height);
    rc = chain->node->ops->read_block(chain->node, &data, &info.hash, error_of(err));
    if (rc < 0)
        return rc;
    own_bytes = data.bytes.data;
    len = data.bytes.len;
    data.bytes = (struct buf){0};
    block_data_clear(&data);
    return api_block_of_bytes(ret_block, own_bytes, len, error_of(err));
}

int assay_chain_coin(struct assay_chain *chain, int64_t *ret_value_sat, int32_t *ret_height,
                     uint8_t *ret_script, size_t *ret_script_len, const uint8_t *txid,
                     uint32_t vout, size_t script_size, struct assay_error *err)
{
    struct outpoint outpoint = {.vout = vout};
    struct arena arena;
    struct coin coin;
    int rc;

    memcpy(outpoint.txid.b, txid, HASH_BYTES);
    arena_init(&arena);
    rc = chain->node->ops->coin(chain->node, &coin, NULL, &outpoint, &arena, error_of(err));
    if (rc < 0)
        goto done;
    *ret_script_len = coin.script_pubkey.len;
    if (coin.script_pubkey.len > script_size) {
        rc = error_set(error_of(err), E_LIMIT, "script has %zu bytes, room is %zu",
                       coin.script_pubkey.len, script_size);
        goto done;
    }
    if (coin.script_pubkey.len > 0)
        memcpy(ret_script, coin.script_pubkey.data, coin.script_pubkey.len);
    if (ret_value_sat != NULL)
        *ret_value_sat = coin.value_sat;
    if (ret_height != NULL)
        *ret_height = (int32_t)coin.height;

done:
    arena_clear(&arena);
    return rc;
}
