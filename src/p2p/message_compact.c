/* The payloads of BIP 152. */
#include <string.h>

#include "base/check.h"
#include "codec/reader.h"
#include "codec/writer.h"
#include "p2p/message.h"
#include "p2p/message_priv.h"

#define SHORT_ID_BYTES 6
/* Version, no inputs, no outputs, lock time: the least a transaction reads as. */
#define TX_BYTES_MIN 10

int message_read_sendcmpct(struct message_sendcmpct *ret, struct span payload, struct error *err)
{
    struct reader r;
    uint8_t announce;

    reader_init(&r, payload.data, payload.len);
    announce = read_u8(&r);
    ret->high_bandwidth = announce != 0;
    ret->version = read_le64(&r);
    /* BIP 152: "The first integer is interpreted as a boolean (and MUST have a value of
     * either 1 or 0)" */
    if (r.rc == 0 && announce > 1)
        return error_set(err, E_LIMIT, "invalid sendcmpct announce field");
    return message_end(&r, err);
}

void message_write_sendcmpct(struct buf *buf, const struct message_sendcmpct *sendcmpct)
{
    write_u8(buf, sendcmpct->high_bandwidth ? 1 : 0);
    write_le64(buf, sendcmpct->version);
}

/* --- cmpctblock --- */

static int read_short_ids(struct message_cmpctblock *ret, struct reader *r, struct arena *arena,
                          struct error *err)
{
    int rc;

    rc = message_read_count(&ret->short_n, r, COMPACT_TX_N_MAX, SHORT_ID_BYTES, "short ids", err);
    if (rc < 0)
        return rc;
    ret->short_id = arena_array(arena, ret->short_n, sizeof(*ret->short_id));
    for (uint32_t i = 0; i < ret->short_n; i++) {
        uint64_t low = read_le32(r);

        ret->short_id[i] = low | (uint64_t)read_le16(r) << 32;
    }
    return message_end(r, err);
}

/* Each index is told as how many transactions lie between it and the one before. */
static int read_prefilled(struct message_cmpctblock *ret, struct reader *r, struct arena *arena,
                          struct error *err)
{
    uint64_t next = 0;
    int rc;

    rc = message_read_count(&ret->prefilled_n, r, COMPACT_TX_N_MAX - ret->short_n, 1 + TX_BYTES_MIN,
                            "prefilled transactions", err);
    if (rc < 0)
        return rc;
    ret->prefilled = arena_array(arena, ret->prefilled_n, sizeof(*ret->prefilled));
    for (uint32_t i = 0; i < ret->prefilled_n; i++) {
        struct prefilled_tx *prefilled = &ret->prefilled[i];
        uint64_t gap = read_compact_size(r);

        if (r->rc == 0 && gap > UINT16_MAX)
            return error_set(err, E_MALFORMED, "index overflows 16 bits");
        /* It may not lie behind all that short ids and earlier ones can fill. */
        if (r->rc == 0 && next + gap > (uint64_t)ret->short_n + i)
            return error_set(err, E_LIMIT, "prefilled index out of range");
        prefilled->index = (uint32_t)(next + gap);
        next = (uint64_t)prefilled->index + 1;
        if (r->rc < 0 || tx_read(&prefilled->tx, r, arena, TX_READ_IDS) < 0)
            return message_end(r, err);
    }
    return 0;
}

int message_read_cmpctblock(struct message_cmpctblock *ret, struct span payload,
                            struct arena *arena, struct error *err)
{
    struct reader r;
    int rc;

    memset(ret, 0, sizeof(*ret));
    reader_init(&r, payload.data, payload.len);
    header_read(&ret->header, &r);
    ret->nonce = read_le64(&r);
    if (r.rc < 0)
        return message_end(&r, err);
    rc = read_short_ids(ret, &r, arena, err);
    if (rc < 0)
        return rc;
    return read_prefilled(ret, &r, arena, err);
}

void message_write_cmpctblock(struct buf *buf, const struct message_cmpctblock *cmpctblock)
{
    uint32_t next = 0;

    CHECK(cmpctblock->short_n <= COMPACT_TX_N_MAX);
    CHECK(cmpctblock->prefilled_n <= COMPACT_TX_N_MAX - cmpctblock->short_n);
    header_write(buf_extend(buf, HEADER_BYTES), &cmpctblock->header);
    write_le64(buf, cmpctblock->nonce);
    write_compact_size(buf, cmpctblock->short_n);
    for (uint32_t i = 0; i < cmpctblock->short_n; i++) {
        write_le32(buf, (uint32_t)cmpctblock->short_id[i]);
        write_le16(buf, (uint16_t)(cmpctblock->short_id[i] >> 32));
    }
    write_compact_size(buf, cmpctblock->prefilled_n);
    for (uint32_t i = 0; i < cmpctblock->prefilled_n; i++) {
        CHECK(cmpctblock->prefilled[i].index >= next);
        write_compact_size(buf, cmpctblock->prefilled[i].index - next);
        write_span(buf, cmpctblock->prefilled[i].tx.raw);
        next = cmpctblock->prefilled[i].index + 1;
    }
}

/* --- getblocktxn, blocktxn --- */

int message_read_getblocktxn(struct message_getblocktxn *ret, struct span payload,
                             struct arena *arena, struct error *err)
{
    struct reader r;
    uint64_t next = 0;
    int rc;

    reader_init(&r, payload.data, payload.len);
    read_bytes(&r, ret->block_hash.b, HASH_BYTES);
    rc = message_read_count(&ret->n, &r, COMPACT_TX_N_MAX + 1, 1, "transactions asked for", err);
    if (rc < 0)
        return rc;
    ret->index = arena_array(arena, ret->n, sizeof(*ret->index));
    for (uint32_t i = 0; i < ret->n; i++) {
        uint64_t gap = read_compact_size(&r);

        if (r.rc < 0)
            break;
        if (gap > UINT16_MAX || next + gap > UINT16_MAX)
            return error_set(err, E_MALFORMED, "index overflows 16 bits");
        ret->index[i] = (uint16_t)(next + gap);
        next += gap + 1;
    }
    return message_end(&r, err);
}

void message_write_getblocktxn(struct buf *buf, const struct message_getblocktxn *getblocktxn)
{
    uint32_t next = 0;

    CHECK(getblocktxn->n <= COMPACT_TX_N_MAX + 1);
    buf_add(buf, getblocktxn->block_hash.b, HASH_BYTES);
    write_compact_size(buf, getblocktxn->n);
    for (uint32_t i = 0; i < getblocktxn->n; i++) {
        CHECK(getblocktxn->index[i] >= next);
        write_compact_size(buf, getblocktxn->index[i] - next);
        next = (uint32_t)getblocktxn->index[i] + 1;
    }
}

int message_read_blocktxn(struct message_blocktxn *ret, struct span payload, struct arena *arena,
                          struct error *err)
{
    struct reader r;
    int rc;

    reader_init(&r, payload.data, payload.len);
    read_bytes(&r, ret->block_hash.b, HASH_BYTES);
    rc = message_read_count(&ret->n, &r, COMPACT_TX_N_MAX + 1, TX_BYTES_MIN, "transactions", err);
    if (rc < 0)
        return rc;
    ret->tx = arena_array(arena, ret->n, sizeof(*ret->tx));
    for (uint32_t i = 0; i < ret->n; i++)
        if (tx_read(&ret->tx[i], &r, arena, TX_READ_IDS) < 0)
            break;
    return message_end(&r, err);
}

void message_write_blocktxn(struct buf *buf, const struct message_blocktxn *blocktxn)
{
    CHECK(blocktxn->n <= COMPACT_TX_N_MAX + 1);
    buf_add(buf, blocktxn->block_hash.b, HASH_BYTES);
    write_compact_size(buf, blocktxn->n);
    for (uint32_t i = 0; i < blocktxn->n; i++)
        write_span(buf, blocktxn->tx[i].raw);
}
