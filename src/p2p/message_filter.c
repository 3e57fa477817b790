/* The payloads of BIP 37 and BIP 157. */
#include <string.h>

#include "base/check.h"
#include "codec/reader.h"
#include "codec/writer.h"
#include "p2p/message.h"
#include "p2p/message_priv.h"

/* --- BIP 37 --- */

int message_read_filterload(struct message_filterload *ret, struct span payload, struct error *err)
{
    struct reader r;

    reader_init(&r, payload.data, payload.len);
    ret->filter = read_var_bytes(&r);
    ret->hash_funcs = read_le32(&r);
    ret->tweak = read_le32(&r);
    ret->flags = read_u8(&r);
    if (r.rc < 0)
        return message_end(&r, err);
    if (ret->filter.len > FILTER_BYTES_MAX || ret->hash_funcs > FILTER_HASH_FUNCS_MAX)
        return error_set(err, E_LIMIT, "too-large bloom filter");
    return 0;
}

void message_write_filterload(struct buf *buf, const struct message_filterload *load)
{
    CHECK(load->filter.len <= FILTER_BYTES_MAX);
    CHECK(load->hash_funcs <= FILTER_HASH_FUNCS_MAX);
    write_var_bytes(buf, load->filter);
    write_le32(buf, load->hash_funcs);
    write_le32(buf, load->tweak);
    write_u8(buf, load->flags);
}

int message_read_filteradd(struct span *ret_data, struct span payload, struct error *err)
{
    struct reader r;

    reader_init(&r, payload.data, payload.len);
    *ret_data = read_var_bytes(&r);
    if (r.rc < 0)
        return message_end(&r, err);
    if (ret_data->len > FILTER_ADD_BYTES_MAX)
        return error_set(err, E_LIMIT, "bad filteradd message");
    return 0;
}

void message_write_filteradd(struct buf *buf, struct span data)
{
    CHECK(data.len <= FILTER_ADD_BYTES_MAX);
    write_var_bytes(buf, data);
}

/* Reads n hashes, which are known to be there, one behind the other. */
static uint8_t *read_hashes(struct reader *r, uint32_t n, struct arena *arena)
{
    uint8_t *hashes = arena_array(arena, n, HASH_BYTES);

    read_bytes(r, hashes, (size_t)n * HASH_BYTES);
    return hashes;
}

int message_read_merkleblock(struct message_merkleblock *ret, struct span payload,
                             struct arena *arena, struct error *err)
{
    struct reader r;
    int rc;

    reader_init(&r, payload.data, payload.len);
    header_read(&ret->header, &r);
    ret->tx_n = read_le32(&r);
    rc = message_read_count(&ret->hash_n, &r, MESSAGE_BYTES_MAX / HASH_BYTES, HASH_BYTES,
                            "merkleblock hashes", err);
    if (rc < 0)
        return rc;
    ret->hash = read_hashes(&r, ret->hash_n, arena);
    ret->flags = read_var_bytes(&r);
    return message_end(&r, err);
}

void message_write_merkleblock(struct buf *buf, const struct message_merkleblock *merkleblock)
{
    header_write(buf_extend(buf, HEADER_BYTES), &merkleblock->header);
    write_le32(buf, merkleblock->tx_n);
    write_compact_size(buf, merkleblock->hash_n);
    buf_add(buf, merkleblock->hash, (size_t)merkleblock->hash_n * HASH_BYTES);
    write_var_bytes(buf, merkleblock->flags);
}

/* --- BIP 157 --- */

int message_read_getcfilters(struct message_getcfilters *ret, struct span payload,
                             struct error *err)
{
    struct reader r;

    reader_init(&r, payload.data, payload.len);
    ret->filter_type = read_u8(&r);
    ret->start_height = read_le32(&r);
    read_bytes(&r, ret->stop.b, HASH_BYTES);
    return message_end(&r, err);
}

void message_write_getcfilters(struct buf *buf, const struct message_getcfilters *getcfilters)
{
    write_u8(buf, getcfilters->filter_type);
    write_le32(buf, getcfilters->start_height);
    buf_add(buf, getcfilters->stop.b, HASH_BYTES);
}

int message_read_cfilter(struct message_cfilter *ret, struct span payload, struct error *err)
{
    struct reader r;

    reader_init(&r, payload.data, payload.len);
    ret->filter_type = read_u8(&r);
    read_bytes(&r, ret->block_hash.b, HASH_BYTES);
    ret->filter = read_var_bytes(&r);
    return message_end(&r, err);
}

void message_write_cfilter(struct buf *buf, const struct message_cfilter *cfilter)
{
    write_u8(buf, cfilter->filter_type);
    buf_add(buf, cfilter->block_hash.b, HASH_BYTES);
    write_var_bytes(buf, cfilter->filter);
}

int message_read_cfheaders(struct message_cfheaders *ret, struct span payload, struct arena *arena,
                           struct error *err)
{
    struct reader r;
    int rc;

    reader_init(&r, payload.data, payload.len);
    ret->filter_type = read_u8(&r);
    read_bytes(&r, ret->stop.b, HASH_BYTES);
    read_bytes(&r, ret->prev_header, HASH_BYTES);
    rc =
        message_read_count(&ret->n, &r, CFHEADERS_N_MAX, HASH_BYTES, "cfheaders message size", err);
    if (rc < 0)
        return rc;
    ret->hash = read_hashes(&r, ret->n, arena);
    return message_end(&r, err);
}

void message_write_cfheaders(struct buf *buf, const struct message_cfheaders *cfheaders)
{
    CHECK(cfheaders->n <= CFHEADERS_N_MAX);
    write_u8(buf, cfheaders->filter_type);
    buf_add(buf, cfheaders->stop.b, HASH_BYTES);
    buf_add(buf, cfheaders->prev_header, HASH_BYTES);
    write_compact_size(buf, cfheaders->n);
    buf_add(buf, cfheaders->hash, (size_t)cfheaders->n * HASH_BYTES);
}

int message_read_getcfcheckpt(struct message_getcfcheckpt *ret, struct span payload,
                              struct error *err)
{
    struct reader r;

    reader_init(&r, payload.data, payload.len);
    ret->filter_type = read_u8(&r);
    read_bytes(&r, ret->stop.b, HASH_BYTES);
    return message_end(&r, err);
}

void message_write_getcfcheckpt(struct buf *buf, const struct message_getcfcheckpt *getcfcheckpt)
{
    write_u8(buf, getcfcheckpt->filter_type);
    buf_add(buf, getcfcheckpt->stop.b, HASH_BYTES);
}

int message_read_cfcheckpt(struct message_cfcheckpt *ret, struct span payload, struct arena *arena,
                           struct error *err)
{
    struct reader r;
    int rc;

    reader_init(&r, payload.data, payload.len);
    ret->filter_type = read_u8(&r);
    read_bytes(&r, ret->stop.b, HASH_BYTES);
    rc =
        message_read_count(&ret->n, &r, CFCHECKPT_N_MAX, HASH_BYTES, "cfcheckpt message size", err);
    if (rc < 0)
        return rc;
    ret->header = read_hashes(&r, ret->n, arena);
    return message_end(&r, err);
}

void message_write_cfcheckpt(struct buf *buf, const struct message_cfcheckpt *cfcheckpt)
{
    CHECK(cfcheckpt->n <= CFCHECKPT_N_MAX);
    write_u8(buf, cfcheckpt->filter_type);
    buf_add(buf, cfcheckpt->stop.b, HASH_BYTES);
    write_compact_size(buf, cfcheckpt->n);
    buf_add(buf, cfcheckpt->header, (size_t)cfcheckpt->n * HASH_BYTES);
}
