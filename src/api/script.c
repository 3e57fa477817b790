#include "api/api_priv.h"

#include "base/alloc.h"
#include "script/script.h"
#include "script/sighash.h"

/* The published bits are the inner ones. */
_Static_assert(ASSAY_VERIFY_P2SH == SCRIPT_VERIFY(P2SH), "bit");
_Static_assert(ASSAY_VERIFY_DERSIG == SCRIPT_VERIFY(DERSIG), "bit");
_Static_assert(ASSAY_VERIFY_NULLDUMMY == SCRIPT_VERIFY(NULLDUMMY), "bit");
_Static_assert(ASSAY_VERIFY_CHECKLOCKTIMEVERIFY == SCRIPT_VERIFY(CHECKLOCKTIMEVERIFY), "bit");
_Static_assert(ASSAY_VERIFY_CHECKSEQUENCEVERIFY == SCRIPT_VERIFY(CHECKSEQUENCEVERIFY), "bit");
_Static_assert(ASSAY_VERIFY_WITNESS == SCRIPT_VERIFY(WITNESS), "bit");
_Static_assert(ASSAY_VERIFY_TAPROOT == SCRIPT_VERIFY(TAPROOT), "bit");

struct assay_spend {
    struct assay_tx *tx; /* Owned. */
    struct tx_out *spent;
    struct sighash_cache sighash;
    struct arena arena; /* spent, its scripts and midstates. */
    struct spend spend;
};

int assay_spend_new(struct assay_spend **ret_spend, const uint8_t *tx_bytes, size_t tx_len,
                    const struct assay_coin *coins, size_t coins_len, struct assay_error *err)
{
    struct assay_spend *spend = NULL;
    struct assay_tx *tx = NULL;
    int rc = assay_tx_parse(&tx, tx_bytes, tx_len, err);

    if (rc < 0)
        return rc;
    if (coins_len != tx->tx.in_n) {
        rc = error_set(error_of(err), E_LIMIT, "%zu coins for %u inputs", coins_len,
                       (unsigned)tx->tx.in_n);
        assay_tx_free(tx);
        return rc;
    }
    spend = alloc_zero(sizeof(*spend));
    spend->tx = tx;
    arena_init(&spend->arena);
    spend->spent = arena_array(&spend->arena, coins_len, sizeof(*spend->spent));
    for (size_t i = 0; i < coins_len; i++) {
        uint8_t *script = arena_alloc(&spend->arena, coins[i].script_pubkey_len);

        if (coins[i].script_pubkey_len > 0)
            memcpy(script, coins[i].script_pubkey, coins[i].script_pubkey_len);
        spend->spent[i] =
            (struct tx_out){.value_sat = coins[i].value_sat,
                            .script_pubkey = span_of(script, coins[i].script_pubkey_len)};
    }
    sighash_cache_init(&spend->sighash, &tx->tx, spend->spent, &spend->arena);
    spend->spend = (struct spend){.tx = &tx->tx, .spent = spend->spent, .sighash = &spend->sighash};
    *ret_spend = spend;
    return 0;
}

void assay_spend_free(struct assay_spend *own_spend)
{
    if (own_spend == NULL)
        return;
    assay_tx_free(own_spend->tx);
    arena_clear(&own_spend->arena);
    free(own_spend);
}

int assay_script_verify(enum assay_verdict *ret_verdict, const struct assay_spend *spend,
                        uint32_t in_index, uint64_t flags, struct assay_error *err)
{
    if (in_index >= spend->tx->tx.in_n)
        return error_set(error_of(err), E_LIMIT, "input %u of %u", (unsigned)in_index,
                         (unsigned)spend->tx->tx.in_n);
    if (!script_flags_are_valid(flags))
        return error_set(error_of(err), E_LIMIT, "flags 0x%llx do not go together",
                         (unsigned long long)flags);
    *ret_verdict = (enum assay_verdict)script_verify_input(&spend->spend, in_index, flags);
    return 0;
}
