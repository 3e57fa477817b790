#include "primitives/block.h"

#include "codec/writer.h"
#include "crypto/sha256.h"

/* version, one input count, one output count, lock time. */
#define TX_BYTES_MIN 10

static void hash_all(struct tx *tx, uint32_t tx_n, struct arena *arena)
{
    struct sha256_job *jobs = arena_alloc(arena, 2 * (size_t)tx_n * sizeof(*jobs));
    size_t jobs_n = 0;

    for (uint32_t i = 0; i < tx_n; i++) {
        struct span raw = tx[i].raw;

        jobs[jobs_n++] = (struct sha256_job){
            .piece = {span_of(raw.data, 4), tx[i].body, span_of(raw.data + raw.len - 4, 4)},
            .ret_digest = tx[i].txid.b};
        if (tx[i].has_witness)
            jobs[jobs_n++] = (struct sha256_job){.piece = {raw}, .ret_digest = tx[i].wtxid.b};
    }
    sha256d_many(jobs, jobs_n);
    for (uint32_t i = 0; i < tx_n; i++) {
        if (!tx[i].has_witness)
            memcpy(tx[i].wtxid.b, tx[i].txid.b, HASH_BYTES);
    }
}

int block_read(struct block *ret_block, const uint8_t *data, size_t len, struct arena *arena)
{
    struct block block = {0};
    struct reader r;
    struct tx *tx;
    uint64_t tx_n;

    reader_init(&r, data, len);
    header_read(&block.header, &r);
    tx_n = read_length(&r);
    if (tx_n > r.left / TX_BYTES_MIN)
        return reader_fail(&r, E_TRUNCATED);
    tx = arena_alloc(arena, tx_n * sizeof(*tx));
    for (uint64_t i = 0; i < tx_n; i++) {
        int rc = tx_read(&tx[i], &r, arena, TX_READ_NO_IDS);

        if (rc < 0)
            return rc;
        block.weight += tx_weight(&tx[i]);
    }
    if (r.rc < 0)
        return r.rc;
    if (r.left > 0)
        return E_MALFORMED;

    hash_all(tx, (uint32_t)tx_n, arena);
    block.tx = tx;
    block.tx_n = (uint32_t)tx_n;
    block.raw = span_of(data, len);
    block.weight += (HEADER_BYTES + compact_size_len(tx_n)) * WITNESS_SCALE_FACTOR;
    sha256d(block.hash.b, data, HEADER_BYTES);
    *ret_block = block;
    return 0;
}
