#include "primitives/tx_ref.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/check.h"

/* One block of memory: the object, its bytes, then inputs, outputs and witness items,
 * moved out of the arena they were read into, so that a small transaction costs what
 * it holds and no more. */
static size_t round_up(size_t bytes)
{
    return (bytes + 7) & ~(size_t)7;
}

static struct span moved(struct span span, const uint8_t *from, const uint8_t *to)
{
    if (span.data != NULL)
        span.data = to + (span.data - from);
    return span;
}

static struct tx_ref *copy_tx(const struct tx *tx, struct span raw)
{
    size_t witness_n = 0;
    size_t bytes;
    struct tx_ref *ref;
    struct tx_in *in;
    struct tx_out *out;
    struct span *items;
    uint8_t *data;

    for (uint32_t i = 0; i < tx->in_n; i++)
        witness_n += tx->in[i].witness_n;
    bytes = round_up(sizeof(*ref)) + tx->in_n * sizeof(*in) + tx->out_n * sizeof(*out) +
            witness_n * sizeof(*items) + raw.len;
    ref = alloc_zero(bytes);
    in = (struct tx_in *)((uint8_t *)ref + round_up(sizeof(*ref)));
    out = (struct tx_out *)(in + tx->in_n);
    items = (struct span *)(out + tx->out_n);
    data = (uint8_t *)(items + witness_n);
    memcpy(data, raw.data, raw.len);
    *ref = (struct tx_ref){.tx = *tx, .holders = 1, .memory_bytes = (uint32_t)bytes};
    ref->tx.raw = (struct span){data, raw.len};
    ref->tx.body = moved(tx->body, raw.data, data);
    ref->tx.in = in;
    ref->tx.out = out;
    for (uint32_t i = 0; i < tx->in_n; i++) {
        in[i] = tx->in[i];
        in[i].script_sig = moved(in[i].script_sig, raw.data, data);
        for (uint32_t w = 0; w < in[i].witness_n; w++)
            items[w] = moved(in[i].witness[w], raw.data, data);
        in[i].witness = items;
        items += in[i].witness_n;
    }
    for (uint32_t i = 0; i < tx->out_n; i++) {
        out[i] = tx->out[i];
        out[i].script_pubkey = moved(out[i].script_pubkey, raw.data, data);
    }
    return ref;
}

int tx_ref_read(struct tx_ref **ret_ref, struct span raw, struct error *err)
{
    struct arena arena;
    struct reader r;
    struct tx tx;
    int rc;

    arena_init(&arena);
    reader_init(&r, raw.data, raw.len);
    rc = tx_read(&tx, &r, &arena, TX_READ_IDS);
    if (rc == 0 && r.left != 0)
        rc = E_MALFORMED;
    if (rc < 0)
        rc = error_set(err, rc, "the transaction does not decode");
    else
        *ret_ref = copy_tx(&tx, raw);
    arena_clear(&arena);
    return rc;
}

const struct tx_ref *tx_ref_hold(const struct tx_ref *ref)
{
    struct tx_ref *counted = (struct tx_ref *)(uintptr_t)ref;
    uint32_t before = atomic_fetch_add_explicit(&counted->holders, 1, memory_order_relaxed);

    CHECK(before > 0);
    return ref;
}

void tx_ref_drop(const struct tx_ref *own_ref)
{
    struct tx_ref *counted = (struct tx_ref *)(uintptr_t)own_ref;

    if (own_ref != NULL &&
        atomic_fetch_sub_explicit(&counted->holders, 1, memory_order_acq_rel) == 1)
        free(counted);
}
