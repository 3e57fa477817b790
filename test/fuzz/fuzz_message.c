/* Target: payloads of every type. The first byte chooses the type, the rest is the
 * payload. What is read is written again; what was written reads as the same, and is a
 * fixed point. Nothing taken from the arena is out of proportion to the payload. */
#include "base/check.h"
#include "codec/writer.h"
#include "p2p/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Read payload as type, and write what was read to again. Returns as the reader. */
static int round_trip(enum message_type type, struct span payload, struct buf *again,
                      struct arena *arena);

static int trip_lists(enum message_type type, struct span payload, struct buf *again,
                      struct arena *arena)
{
    struct message_addr addr;
    struct message_inv inv;
    struct message_locator locator;
    struct message_headers headers;
    int rc;

    switch (type) {
    case MESSAGE_ADDR:
    case MESSAGE_ADDRV2:
        rc = message_read_addr(&addr, payload, type == MESSAGE_ADDRV2, arena, NULL);
        if (rc == 0)
            message_write_addr(again, &addr, type == MESSAGE_ADDRV2);
        return rc;
    case MESSAGE_GETBLOCKS:
    case MESSAGE_GETHEADERS:
        rc = message_read_locator(&locator, payload, arena, NULL);
        if (rc == 0)
            message_write_locator(again, &locator);
        return rc;
    case MESSAGE_HEADERS:
        rc = message_read_headers(&headers, payload, arena, NULL);
        if (rc == 0)
            message_write_headers(again, headers.header, headers.n);
        return rc;
    default:
        rc = message_read_inv(&inv, payload, type, arena, NULL);
        if (rc == 0)
            message_write_inv(again, inv.inv, inv.n);
        return rc;
    }
}

static int trip_compact(enum message_type type, struct span payload, struct buf *again,
                        struct arena *arena)
{
    struct message_sendcmpct sendcmpct;
    struct message_cmpctblock cmpctblock;
    struct message_getblocktxn getblocktxn;
    struct message_blocktxn blocktxn;
    int rc;

    switch (type) {
    case MESSAGE_SENDCMPCT:
        rc = message_read_sendcmpct(&sendcmpct, payload, NULL);
        if (rc == 0)
            message_write_sendcmpct(again, &sendcmpct);
        return rc;
    case MESSAGE_CMPCTBLOCK:
        rc = message_read_cmpctblock(&cmpctblock, payload, arena, NULL);
        if (rc == 0)
            message_write_cmpctblock(again, &cmpctblock);
        return rc;
    case MESSAGE_GETBLOCKTXN:
        rc = message_read_getblocktxn(&getblocktxn, payload, arena, NULL);
        if (rc == 0)
            message_write_getblocktxn(again, &getblocktxn);
        return rc;
    default:
        rc = message_read_blocktxn(&blocktxn, payload, arena, NULL);
        if (rc == 0)
            message_write_blocktxn(again, &blocktxn);
        return rc;
    }
}

static int trip_bloom(enum message_type type, struct span payload, struct buf *again,
                      struct arena *arena)
{
    struct message_filterload load;
    struct message_merkleblock merkleblock;
    struct span item;
    int rc;

    switch (type) {
    case MESSAGE_FILTERLOAD:
        rc = message_read_filterload(&load, payload, NULL);
        if (rc == 0)
            message_write_filterload(again, &load);
        return rc;
    case MESSAGE_FILTERADD:
        rc = message_read_filteradd(&item, payload, NULL);
        if (rc == 0)
            message_write_filteradd(again, item);
        return rc;
    default:
        rc = message_read_merkleblock(&merkleblock, payload, arena, NULL);
        if (rc == 0)
            message_write_merkleblock(again, &merkleblock);
        return rc;
    }
}

static int trip_filters(enum message_type type, struct span payload, struct buf *again,
                        struct arena *arena)
{
    struct message_getcfilters getcfilters;
    struct message_getcfcheckpt getcfcheckpt;
    struct message_cfilter cfilter;
    struct message_cfheaders cfheaders;
    struct message_cfcheckpt cfcheckpt;
    int rc;

    switch (type) {
    case MESSAGE_CFILTER:
        rc = message_read_cfilter(&cfilter, payload, NULL);
        if (rc == 0)
            message_write_cfilter(again, &cfilter);
        return rc;
    case MESSAGE_CFHEADERS:
        rc = message_read_cfheaders(&cfheaders, payload, arena, NULL);
        if (rc == 0)
            message_write_cfheaders(again, &cfheaders);
        return rc;
    case MESSAGE_CFCHECKPT:
        rc = message_read_cfcheckpt(&cfcheckpt, payload, arena, NULL);
        if (rc == 0)
            message_write_cfcheckpt(again, &cfcheckpt);
        return rc;
    case MESSAGE_GETCFCHECKPT:
        rc = message_read_getcfcheckpt(&getcfcheckpt, payload, NULL);
        if (rc == 0)
            message_write_getcfcheckpt(again, &getcfcheckpt);
        return rc;
    default:
        rc = message_read_getcfilters(&getcfilters, payload, NULL);
        if (rc == 0)
            message_write_getcfilters(again, &getcfilters);
        return rc;
    }
}

static int trip_small(enum message_type type, struct span payload, struct buf *again,
                      struct arena *arena)
{
    struct message_version version;
    struct message_sendtxrcncl sendtxrcncl;
    struct message_feature feature;
    struct message_block block;
    struct tx tx;
    uint64_t nonce;
    int64_t feerate;
    int rc;

    switch (type) {
    case MESSAGE_VERSION:
        rc = message_read_version(&version, payload, NULL);
        if (rc == 0)
            message_write_version(again, &version);
        return rc;
    case MESSAGE_BLOCK:
        rc = message_read_block(&block, payload, NULL);
        if (rc == 0)
            write_span(again, block.raw);
        return rc;
    case MESSAGE_TX:
        rc = message_read_tx(&tx, payload, arena, NULL);
        if (rc == 0)
            write_span(again, tx.raw);
        return rc;
    case MESSAGE_FEEFILTER:
        rc = message_read_feefilter(&feerate, payload, NULL);
        if (rc == 0)
            message_write_feefilter(again, feerate);
        return rc;
    case MESSAGE_SENDTXRCNCL:
        rc = message_read_sendtxrcncl(&sendtxrcncl, payload, NULL);
        if (rc == 0)
            message_write_sendtxrcncl(again, &sendtxrcncl);
        return rc;
    case MESSAGE_FEATURE:
        rc = message_read_feature(&feature, payload, NULL);
        if (rc == 0)
            message_write_feature(again, &feature);
        return rc;
    default:
        rc = message_read_nonce(&nonce, payload, NULL);
        if (rc == 0)
            message_write_nonce(again, nonce);
        return rc;
    }
}

static int round_trip(enum message_type type, struct span payload, struct buf *again,
                      struct arena *arena)
{
    switch (type) {
    case MESSAGE_ADDR:
    case MESSAGE_ADDRV2:
    case MESSAGE_INV:
    case MESSAGE_GETDATA:
    case MESSAGE_NOTFOUND:
    case MESSAGE_GETBLOCKS:
    case MESSAGE_GETHEADERS:
    case MESSAGE_HEADERS:
        return trip_lists(type, payload, again, arena);
    case MESSAGE_SENDCMPCT:
    case MESSAGE_CMPCTBLOCK:
    case MESSAGE_GETBLOCKTXN:
    case MESSAGE_BLOCKTXN:
        return trip_compact(type, payload, again, arena);
    case MESSAGE_FILTERLOAD:
    case MESSAGE_FILTERADD:
    case MESSAGE_MERKLEBLOCK:
        return trip_bloom(type, payload, again, arena);
    case MESSAGE_GETCFILTERS:
    case MESSAGE_GETCFHEADERS:
    case MESSAGE_CFILTER:
    case MESSAGE_CFHEADERS:
    case MESSAGE_CFCHECKPT:
    case MESSAGE_GETCFCHECKPT:
        return trip_filters(type, payload, again, arena);
    default:
        return trip_small(type, payload, again, arena);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct buf first = {0};
    struct buf second = {0};
    struct arena arena;
    enum message_type type;

    if (len == 0 || len > MESSAGE_BYTES_MAX)
        return 0;
    type = (enum message_type)(data[0] % MESSAGE_TYPE_N);
    arena_init(&arena);
    if (round_trip(type, span_of(data + 1, len - 1), &first, &arena) == 0) {
        CHECK(round_trip(type, span_of_buf(&first), &second, &arena) == 0);
        CHECK(span_equal(span_of_buf(&first), span_of_buf(&second)));
    }
    /* A transaction is read into some forty times the ten bytes it has at least. */
    CHECK(arena.total_bytes <= 200000 + 100 * len);
    arena_clear(&arena);
    buf_clear(&first);
    buf_clear(&second);
    return 0;
}
