#include "api/api_priv.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "consensus/rules.h"

int api_parse_error(int rc, const char *what, struct error *err)
{
    return error_set(err, rc, "could not read %s: %s", what, assay_error_name(rc));
}

int assay_tx_parse(struct assay_tx **ret_tx, const uint8_t *bytes, size_t len,
                   struct assay_error *err)
{
    struct assay_tx *tx;
    struct reader r;
    int rc;

    api_prepare();
    tx = alloc_zero(sizeof(*tx));
    arena_init(&tx->arena);
    tx->own_bytes = alloc(len);
    memcpy(tx->own_bytes, bytes, len);
    reader_init(&r, tx->own_bytes, len);
    rc = tx_read(&tx->tx, &r, &tx->arena, TX_READ_IDS);
    if (rc == 0 && r.left > 0)
        rc = E_MALFORMED;
    if (rc < 0) {
        assay_tx_free(tx);
        return api_parse_error(rc, "transaction", error_of(err));
    }
    *ret_tx = tx;
    return 0;
}

void assay_tx_free(struct assay_tx *own_tx)
{
    if (own_tx == NULL)
        return;
    arena_clear(&own_tx->arena);
    free(own_tx->own_bytes);
    free(own_tx);
}

const uint8_t *assay_tx_txid(const struct assay_tx *tx)
{
    return tx->tx.txid.b;
}

const uint8_t *assay_tx_wtxid(const struct assay_tx *tx)
{
    return tx->tx.wtxid.b;
}

uint32_t assay_tx_version(const struct assay_tx *tx)
{
    return tx->tx.version;
}

uint32_t assay_tx_lock_time(const struct assay_tx *tx)
{
    return tx->tx.lock_time;
}

uint64_t assay_tx_weight(const struct assay_tx *tx)
{
    return tx_weight(&tx->tx);
}

uint32_t assay_tx_inputs_n(const struct assay_tx *tx)
{
    return tx->tx.in_n;
}

uint32_t assay_tx_outputs_n(const struct assay_tx *tx)
{
    return tx->tx.out_n;
}

bool assay_tx_is_coinbase(const struct assay_tx *tx)
{
    return tx_is_coinbase(&tx->tx);
}

int assay_tx_input(struct assay_input *ret_input, const struct assay_tx *tx, uint32_t index)
{
    const struct tx_in *in;

    if (index >= tx->tx.in_n)
        return E_LIMIT;
    in = &tx->tx.in[index];
    *ret_input = (struct assay_input){
        .prevout_txid = in->prevout.txid.b,
        .prevout_vout = in->prevout.vout,
        .sequence = in->sequence,
        .script_sig = in->script_sig.data,
        .script_sig_len = in->script_sig.len,
        .witness_n = in->witness_n,
    };
    return 0;
}

int assay_tx_output(struct assay_output *ret_output, const struct assay_tx *tx, uint32_t index)
{
    const struct tx_out *out;

    if (index >= tx->tx.out_n)
        return E_LIMIT;
    out = &tx->tx.out[index];
    *ret_output = (struct assay_output){
        .value_sat = out->value_sat,
        .script_pubkey = out->script_pubkey.data,
        .script_pubkey_len = out->script_pubkey.len,
    };
    return 0;
}

int assay_tx_witness(const uint8_t **ret_item, size_t *ret_len, const struct assay_tx *tx,
                     uint32_t input, uint32_t item)
{
    if (input >= tx->tx.in_n || item >= tx->tx.in[input].witness_n)
        return E_LIMIT;
    *ret_item = tx->tx.in[input].witness[item].data;
    *ret_len = tx->tx.in[input].witness[item].len;
    return 0;
}

enum assay_verdict assay_tx_check(const struct assay_tx *tx)
{
    struct finding finding = {0};

    return (enum assay_verdict)tx_check(&tx->tx, &finding);
}
