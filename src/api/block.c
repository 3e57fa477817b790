#include "api/api_priv.h"

#include "base/alloc.h"
#include "consensus/rules.h"

void assay_header_read(struct assay_header *ret_header, const uint8_t *bytes)
{
    struct header header;
    struct reader r;

    reader_init(&r, bytes, HEADER_BYTES);
    header_read(&header, &r);
    *ret_header = (struct assay_header){
        .version = header.version, .time = header.time, .bits = header.bits, .nonce = header.nonce};
    memcpy(ret_header->prev, header.prev.b, HASH_BYTES);
    memcpy(ret_header->merkle_root, header.merkle_root.b, HASH_BYTES);
}

void assay_header_hash(uint8_t *ret_hash, const struct assay_header *header)
{
    struct header inner = {.version = header->version,
                           .time = header->time,
                           .bits = header->bits,
                           .nonce = header->nonce};
    struct block_hash hash;

    api_prepare();
    memcpy(inner.prev.b, header->prev, HASH_BYTES);
    memcpy(inner.merkle_root.b, header->merkle_root, HASH_BYTES);
    hash = header_hash(&inner);
    memcpy(ret_hash, hash.b, HASH_BYTES);
}

int api_block_of_bytes(struct assay_block **ret_block, uint8_t *own_bytes, size_t len,
                       struct error *err)
{
    struct assay_block *block = alloc_zero(sizeof(*block));
    int rc;

    arena_init(&block->arena);
    block->own_bytes = own_bytes;
    rc = block_read(&block->block, own_bytes, len, &block->arena);
    if (rc < 0) {
        assay_block_free(block);
        return api_parse_error(rc, "block", err);
    }
    block->txs = alloc_array(block->block.tx_n, sizeof(*block->txs));
    for (uint32_t i = 0; i < block->block.tx_n; i++)
        block->txs[i].tx = block->block.tx[i];
    *ret_block = block;
    return 0;
}

int assay_block_parse(struct assay_block **ret_block, const uint8_t *bytes, size_t len,
                      struct assay_error *err)
{
    uint8_t *copy = alloc(len);

    api_prepare();
    memcpy(copy, bytes, len);
    return api_block_of_bytes(ret_block, copy, len, error_of(err));
}

void assay_block_free(struct assay_block *own_block)
{
    if (own_block == NULL)
        return;
    arena_clear(&own_block->arena);
    free(own_block->txs);
    free(own_block->own_bytes);
    free(own_block);
}

const uint8_t *assay_block_hash(const struct assay_block *block)
{
    return block->block.hash.b;
}

void assay_block_header(struct assay_header *ret_header, const struct assay_block *block)
{
    assay_header_read(ret_header, block->block.raw.data);
}

uint32_t assay_block_txs_n(const struct assay_block *block)
{
    return block->block.tx_n;
}

uint64_t assay_block_weight(const struct assay_block *block)
{
    return block->block.weight;
}

const struct assay_tx *assay_block_tx(const struct assay_block *block, uint32_t index)
{
    return index < block->block.tx_n ? &block->txs[index] : NULL;
}

enum assay_verdict assay_block_check(const struct assay_block *block,
                                     const struct assay_params *params)
{
    struct finding finding = {0};
    struct arena scratch;
    enum verdict verdict;

    arena_init(&scratch);
    verdict = block_check(&block->block, params_in(params), true, true, &scratch, &finding);
    arena_clear(&scratch);
    return (enum assay_verdict)verdict;
}
