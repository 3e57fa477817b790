#include "consensus/rules.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/check.h"
#include "primitives/amount.h"
#include "script/flags.h"

enum verdict finding_set(struct finding *finding, enum verdict verdict, uint32_t tx_index,
                         uint32_t in_index, const char *detail, ...)
{
    va_list args;

    finding->verdict = verdict;
    finding->script = V_VALID;
    finding->tx_index = tx_index;
    finding->in_index = in_index;
    finding->version = 0;
    va_start(args, detail);
    (void)vsnprintf(finding->detail, sizeof(finding->detail), detail, args);
    va_end(args);
    return verdict;
}

enum verdict finding_set_script(struct finding *finding, enum verdict script, const struct tx *tx,
                                uint32_t tx_index, uint32_t in_index)
{
    const struct outpoint *prevout = &tx->in[in_index].prevout;

    (void)finding_set(finding, V_SCRIPT_FAILED, tx_index, in_index,
                      "input %u of %s (wtxid %s), spending %s:%u", in_index,
                      hash_hex(tx->txid.b).text, hash_hex(tx->wtxid.b).text,
                      hash_hex(prevout->txid.b).text, prevout->vout);
    finding->script = script;
    return V_SCRIPT_FAILED;
}

void finding_reason(char *ret_text, const struct finding *finding)
{
    const char *reason = verdict_reason(finding->verdict);

    if (finding->verdict == V_SCRIPT_FAILED)
        (void)snprintf(ret_text, FINDING_REASON_MAX, "%s (%s)", reason,
                       verdict_reason(finding->script));
    else if (finding->verdict == V_BAD_VERSION)
        (void)snprintf(ret_text, FINDING_REASON_MAX, "%s(0x%08x)", reason,
                       (unsigned)finding->version);
    else
        (void)snprintf(ret_text, FINDING_REASON_MAX, "%s", reason);
}

#define SUBSIDY_FIRST_SAT (50 * COIN_SAT)

int64_t subsidy_at(int32_t height, const struct params *params)
{
    int32_t halvings = height / params->subsidy_halving_interval;

    /* BIP 42: shifting by more than the width would bring the subsidy back. */
    if (halvings >= 64)
        return 0;
    return SUBSIDY_FIRST_SAT >> halvings;
}

bool buried_active(enum buried rule, int32_t height, const struct params *params)
{
    return height >= params->buried_height[rule];
}

uint64_t block_script_flags(int32_t height, const struct block_hash *hash,
                            const struct params *params)
{
    uint64_t flags = SCRIPT_VERIFY(P2SH) | SCRIPT_VERIFY(WITNESS) | SCRIPT_VERIFY(TAPROOT);

    /* The soft forks of 2012, 2017 and 2021 hold for all blocks from the first
     * but those that broke them before they were in force. */
    for (size_t i = 0; i < params->script_exceptions_n; i++) {
        if (block_hash_equal(hash, &params->script_exceptions[i].hash))
            flags = params->script_exceptions[i].flags;
    }
    if (buried_active(BURIED_BIP66, height, params))
        flags |= SCRIPT_VERIFY(DERSIG);
    if (buried_active(BURIED_BIP65, height, params))
        flags |= SCRIPT_VERIFY(CHECKLOCKTIMEVERIFY);
    if (buried_active(BURIED_CSV, height, params))
        flags |= SCRIPT_VERIFY(CHECKSEQUENCEVERIFY);
    /* BIP 147 came with segwit. */
    if (buried_active(BURIED_SEGWIT, height, params))
        flags |= SCRIPT_VERIFY(NULLDUMMY);
    return flags;
}

struct block_place block_place_of(int32_t height, const struct block_hash *hash, uint32_t prev_mtp,
                                  const struct params *params)
{
    return (struct block_place){.height = height,
                                .prev_mtp = prev_mtp,
                                .script_flags = block_script_flags(height, hash, params),
                                .sequence_locks = buried_active(BURIED_CSV, height, params)};
}

enum verdict header_check(const struct header *header, const struct block_hash *hash,
                          const struct params *params, struct finding *finding)
{
    if (!pow_check(hash, header->bits, params))
        return finding_set(finding, V_HIGH_HASH, UINT32_MAX, UINT32_MAX, "proof of work failed");
    return V_VALID;
}

enum verdict header_version_check(const struct header *header, int32_t height,
                                  const struct params *params, struct finding *finding)
{
    if ((header->version >= 2 || !buried_active(BURIED_BIP34, height, params)) &&
        (header->version >= 3 || !buried_active(BURIED_BIP66, height, params)) &&
        (header->version >= 4 || !buried_active(BURIED_BIP65, height, params)))
        return V_VALID;
    (void)finding_set(finding, V_BAD_VERSION, UINT32_MAX, UINT32_MAX,
                      "rejected nVersion=0x%08x block", (unsigned)header->version);
    finding->version = header->version;
    return V_BAD_VERSION;
}

static enum verdict bad_header(struct finding *finding, enum verdict verdict, const char *detail)
{
    return finding_set(finding, verdict, UINT32_MAX, UINT32_MAX, "%s", detail);
}

static bool is_timewarp(const struct header *header, const struct ancestry *ancestry,
                        const struct params *params)
{
    struct ancestor parent;

    if (!params->enforce_bip94 || (ancestry->tip_height + 1) % params_retarget_period(params) != 0)
        return false;
    parent = ancestry->at(ancestry->context, ancestry->tip_height);
    return (int64_t)header->time < (int64_t)parent.time - TIMEWARP_MAX_S;
}

enum verdict header_verify(const struct header *header, const struct ancestry *ancestry,
                           const struct params *params, int64_t now_s, struct finding *finding)
{
    int32_t height = ancestry->tip_height + 1;

    if (header->bits != pow_next_bits(ancestry, header->time, params))
        return bad_header(finding, V_BAD_DIFFBITS, "incorrect proof of work");
    if (header->time <= median_time_past(ancestry))
        return bad_header(finding, V_TIME_TOO_OLD, "block's timestamp is too early");
    if (is_timewarp(header, ancestry, params))
        return bad_header(finding, V_TIME_TIMEWARP,
                          "block's timestamp is too early on diff adjustment block");
    if ((int64_t)header->time > now_s + HEADER_FUTURE_MAX_S)
        return bad_header(finding, V_TIME_TOO_NEW, "block timestamp too far in the future");
    return header_version_check(header, height, params, finding);
}

/* The two pairs of equal coinbases on the main chain: the second of a pair
 * overwrote the output of the first. */
static const struct {
    int32_t first_height;
    const char *first;
    int32_t repeat_height;
    const char *repeat;
} bip30_pairs[] = {
    {91812, "00000000000af0aed4792b1acee3d966af36cf5def14935db8de83d6f9306f2f", 91842,
     "00000000000a4d0a398161ffc163c503763b1f4360639393e0e4c8e300e0caec"},
    {91722, "00000000000271a2dc26e7667f8419f2e15416dc6955e5a6c6cdf3f2574dd08e", 91880,
     "00000000000743f190a18c5577a3c2d2a1f610ae9601ac046a38084ccb7cd721"},
};

static bool is_block(const struct block_hash *hash, const char *hex)
{
    return strcmp(hash_hex(hash->b).text, hex) == 0;
}

bool bip30_is_repeat(int32_t height, const struct block_hash *hash, const struct params *params)
{
    if (params->network != NETWORK_MAIN)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(bip30_pairs); i++) {
        if (height == bip30_pairs[i].repeat_height && is_block(hash, bip30_pairs[i].repeat))
            return true;
    }
    return false;
}

bool bip30_is_unclean(int32_t height, const struct block_hash *hash, const struct params *params)
{
    if (params->network != NETWORK_MAIN)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(bip30_pairs); i++) {
        if (height == bip30_pairs[i].first_height && is_block(hash, bip30_pairs[i].first))
            return true;
    }
    return false;
}

bool bip30_check_needed(int32_t height, const struct block_hash *hash,
                        const struct block_hash *ancestor_at_bip34, const struct params *params)
{
    /* Coinbases that begin with their height cannot repeat each other, and on the
     * real chain none from before that can be repeated until this height: the
     * least one that such an old coinbase begins with by chance. */
    if (height >= BIP34_IMPLIES_BIP30_LIMIT)
        return true;
    if (bip30_is_repeat(height, hash, params))
        return false;
    return ancestor_at_bip34 == NULL || !block_hash_equal(ancestor_at_bip34, &params->bip34_hash);
}
