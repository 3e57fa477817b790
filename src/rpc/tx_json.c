#include "rpc/tx_json.h"

#include "base/check.h"
#include "keys/address.h"
#include "keys/descriptor.h"
#include "script/asm.h"
#include "script/solver.h"

static void put_asm(struct json_writer *w, struct span script, bool show_hash_types)
{
    struct buf text = {0};

    script_asm(&text, script, show_hash_types);
    json_key(w, "asm");
    json_string_span(w, span_of_buf(&text));
    buf_clear(&text);
}

static void put_descriptor(struct json_writer *w, struct span script, const struct keyring *ring,
                           const struct params *params)
{
    struct descriptor *descriptor;
    struct keyring nothing;
    struct buf text = {0};

    keyring_init(&nothing);
    descriptor = descriptor_infer(script, ring == NULL ? &nothing : ring, params);
    (void)descriptor_write(descriptor, &text, 0, DESCRIPTOR_PUBLIC, NULL);
    json_put_string(w, "desc", buf_string(&text));
    descriptor_free(descriptor);
    keyring_clear(&nothing);
    buf_clear(&text);
}

void write_address(struct json_writer *w, struct span script, const struct params *params)
{
    struct destination destination = destination_of_script(script);
    struct buf text = {0};

    CHECK(address_write(&text, &destination, params));
    json_string(w, buf_string(&text));
    buf_clear(&text);
}

void write_script_members(struct json_writer *w, struct span script, bool show_hex,
                          const struct keyring *ring, const struct params *params)
{
    struct destination destination = destination_of_script(script);
    struct solution solution;

    put_asm(w, script, false);
    put_descriptor(w, script, ring, params);
    if (show_hex)
        json_put_hex(w, "hex", script);
    if (destination_has_address(&destination)) {
        json_key(w, "address");
        write_address(w, script, params);
    }
    json_put_string(w, "type", script_type_name(script_solve(&solution, script)));
}

static void put_script(struct json_writer *w, const char *key, struct span script,
                       const struct params *params)
{
    json_key(w, key);
    json_begin_object(w);
    write_script_members(w, script, true, NULL, params);
    json_end_object(w);
}

static void write_prevout(struct json_writer *w, const struct coin *coin,
                          const struct params *params)
{
    json_key(w, "prevout");
    json_begin_object(w);
    json_put_bool(w, "generated", coin->is_coinbase);
    json_put_uint(w, "height", coin->height);
    json_put_amount(w, "value", coin->value_sat);
    put_script(w, "scriptPubKey", coin->script_pubkey, params);
    json_end_object(w);
}

static void write_input(struct json_writer *w, const struct tx *tx, uint32_t index,
                        const struct tx_view *view, const struct params *params)
{
    const struct tx_in *in = &tx->in[index];

    json_begin_object(w);
    if (tx_is_coinbase(tx)) {
        json_put_hex(w, "coinbase", in->script_sig);
    } else {
        json_put_hash(w, "txid", in->prevout.txid.b);
        json_put_uint(w, "vout", in->prevout.vout);
        json_key(w, "scriptSig");
        json_begin_object(w);
        put_asm(w, in->script_sig, true);
        json_put_hex(w, "hex", in->script_sig);
        json_end_object(w);
    }
    if (in->witness_n > 0) {
        json_key(w, "txinwitness");
        json_begin_array(w);
        for (uint32_t i = 0; i < in->witness_n; i++)
            json_hex(w, in->witness[i]);
        json_end_array(w);
    }
    if (view->coins != NULL && view->show_prevouts)
        write_prevout(w, &view->coins[index], params);
    json_put_uint(w, "sequence", in->sequence);
    json_end_object(w);
}

static void write_output(struct json_writer *w, const struct tx_out *out, uint32_t index,
                         const struct params *params)
{
    json_begin_object(w);
    json_put_amount(w, "value", out->value_sat);
    json_put_uint(w, "n", index);
    put_script(w, "scriptPubKey", out->script_pubkey, params);
    json_end_object(w);
}

static int64_t fee_of(const struct tx *tx, const struct coin *coins)
{
    int64_t fee_sat = 0;

    for (uint32_t i = 0; i < tx->in_n; i++)
        fee_sat += coins[i].value_sat;
    for (uint32_t i = 0; i < tx->out_n; i++)
        fee_sat -= tx->out[i].value_sat;
    return fee_sat;
}

void write_tx_members(struct json_writer *w, const struct tx *tx, const struct tx_view *view,
                      const struct params *params)
{
    uint64_t weight = tx_weight(tx);

    json_put_hash(w, "txid", tx->txid.b);
    json_put_hash(w, "hash", tx->wtxid.b);
    json_put_uint(w, "version", tx->version);
    json_put_uint(w, "size", tx->total_bytes);
    json_put_uint(w, "vsize", (weight + WITNESS_SCALE_FACTOR - 1) / WITNESS_SCALE_FACTOR);
    json_put_uint(w, "weight", weight);
    json_put_uint(w, "locktime", tx->lock_time);
    json_key(w, "vin");
    json_begin_array(w);
    for (uint32_t i = 0; i < tx->in_n; i++)
        write_input(w, tx, i, view, params);
    json_end_array(w);
    json_key(w, "vout");
    json_begin_array(w);
    for (uint32_t i = 0; i < tx->out_n; i++)
        write_output(w, &tx->out[i], i, params);
    json_end_array(w);
    if (view->coins != NULL)
        json_put_amount(w, "fee", fee_of(tx, view->coins));
    if (view->show_hex)
        json_put_hex(w, "hex", tx->raw);
}
