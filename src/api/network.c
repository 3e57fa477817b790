#include "api/api_priv.h"

#include "consensus/rules.h"

const struct assay_params *assay_params_of(enum assay_network network)
{
    static const enum network inner[] = {[ASSAY_MAIN] = NETWORK_MAIN,
                                         [ASSAY_TEST] = NETWORK_TEST,
                                         [ASSAY_TESTNET4] = NETWORK_TESTNET4,
                                         [ASSAY_SIGNET] = NETWORK_SIGNET,
                                         [ASSAY_REGTEST] = NETWORK_REGTEST};

    if ((unsigned)network > ASSAY_REGTEST)
        return NULL;
    api_prepare();
    return (const struct assay_params *)params_of(inner[network]);
}

const struct assay_params *assay_params_by_name(const char *name)
{
    api_prepare();
    return (const struct assay_params *)params_by_name(name);
}

void assay_params_magic(uint8_t *ret_magic, const struct assay_params *params)
{
    memcpy(ret_magic, params_in(params)->magic, sizeof(params_in(params)->magic));
}

const uint8_t *assay_params_genesis(size_t *ret_len, const struct assay_params *params)
{
    *ret_len = params_in(params)->genesis.len;
    return params_in(params)->genesis.data;
}

uint64_t assay_verify_flags_of(const struct assay_params *params, int32_t height,
                               const uint8_t *block_hash)
{
    struct block_hash hash;

    memcpy(hash.b, block_hash, HASH_BYTES);
    return block_script_flags(height, &hash, params_in(params));
}

int64_t assay_subsidy_at(const struct assay_params *params, int32_t height)
{
    return subsidy_at(height, params_in(params));
}
