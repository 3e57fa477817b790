#include "p2p/message.h"

#include <string.h>

#include "base/check.h"
#include "codec/reader.h"
#include "codec/writer.h"
#include "crypto/sha256.h"
#include "p2p/message_priv.h"

/* BIP 144: version, no input, no output, lock time. */
#define INV_BYTES (4 + HASH_BYTES)
#define ADDR_V1_BYTES (4 + 8 + 16 + 2)
#define ADDR_V2_BYTES_MIN (4 + 1 + 1 + 1 + 2)
#define HEADER_AND_COUNT_BYTES (HEADER_BYTES + 1)
/* Of the sender itself, which nobody looks at: services, address, port. */
#define VERSION_FROM_BYTES 26

static const char *const names[MESSAGE_TYPE_N] = {[MESSAGE_OTHER] = "*other*",
#define MESSAGE_TEXT(name, text, short_id) [MESSAGE_##name] = (text),
                                                  MESSAGE_MAP(MESSAGE_TEXT)
#undef MESSAGE_TEXT
};

static const uint8_t short_ids[MESSAGE_TYPE_N] = {
#define MESSAGE_SHORT(name, text, short_id) [MESSAGE_##name] = (short_id),
    MESSAGE_MAP(MESSAGE_SHORT)
#undef MESSAGE_SHORT
};

const char *message_name(enum message_type type)
{
    CHECK((unsigned int)type < MESSAGE_TYPE_N);
    return names[type];
}

enum message_type message_type_of(const char *name)
{
    for (unsigned int i = MESSAGE_OTHER + 1; i < MESSAGE_TYPE_N; i++)
        if (strcmp(names[i], name) == 0)
            return (enum message_type)i;
    return MESSAGE_OTHER;
}

uint8_t message_short_id(enum message_type type)
{
    CHECK((unsigned int)type < MESSAGE_TYPE_N);
    return short_ids[type];
}

enum message_type message_type_of_short_id(uint8_t short_id)
{
    for (unsigned int i = MESSAGE_OTHER + 1; i < MESSAGE_TYPE_N && short_id != 0; i++)
        if (short_ids[i] == short_id)
            return (enum message_type)i;
    return MESSAGE_OTHER;
}

/* --- What the readers share --- */

int message_end(const struct reader *r, struct error *err)
{
    if (r->rc == 0)
        return 0;
    return error_set(err, r->rc, "%s",
                     r->why != NULL         ? r->why
                     : r->rc == E_TRUNCATED ? "end of data"
                                            : "not canonically encoded");
}

int message_read_count(uint32_t *ret_n, struct reader *r, uint32_t max, size_t item_bytes_min,
                       const char *what, struct error *err)
{
    uint32_t n = read_length(r);

    if (r->rc < 0)
        return message_end(r, err);
    if (n > max)
        return error_set(err, E_LIMIT, "%s = %u", what, n);
    if (n > r->left / item_bytes_min)
        return error_set(err, E_TRUNCATED, "end of data");
    *ret_n = n;
    return 0;
}

/* --- version --- */

int message_read_version(struct message_version *ret, struct span payload, struct error *err)
{
    struct reader r;
    uint32_t len;

    memset(ret, 0, sizeof(*ret));
    ret->nonce = 1;
    ret->start_height = -1;
    ret->relay = true;
    reader_init(&r, payload.data, payload.len);
    ret->version = (int32_t)read_le32(&r);
    ret->services = read_le64(&r);
    ret->time_s = (int64_t)read_le64(&r);
    ret->to_services = read_le64(&r);
    net_address_read_v1(&ret->to, &r);
    /* What follows came later into the protocol; each part may be missing with all
     * behind it. */
    if (r.left > 0) {
        (void)read_span(&r, VERSION_FROM_BYTES);
        ret->nonce = read_le64(&r);
    }
    if (r.left > 0) {
        len = read_length(&r);
        if (r.rc == 0 && len > USER_AGENT_BYTES_MAX)
            return error_set(err, E_MALFORMED, "user agent of %u bytes is too long", len);
        ret->user_agent = read_span(&r, len);
    }
    if (r.left > 0)
        ret->start_height = (int32_t)read_le32(&r);
    if (r.left > 0)
        ret->relay = read_u8(&r) != 0;
    return message_end(&r, err);
}

void message_write_version(struct buf *buf, const struct message_version *version)
{
    CHECK(version->user_agent.len <= USER_AGENT_BYTES_MAX);
    write_le32(buf, (uint32_t)version->version);
    write_le64(buf, version->services);
    write_le64(buf, (uint64_t)version->time_s);
    write_le64(buf, version->to_services);
    net_address_write_v1(buf, &version->to);
    write_le64(buf, version->from_services);
    net_address_write_v1(buf, &version->from);
    write_le64(buf, version->nonce);
    write_var_bytes(buf, version->user_agent);
    write_le32(buf, (uint32_t)version->start_height);
    write_u8(buf, version->relay ? 1 : 0);
}

/* --- addr, addrv2 --- */

/* BIP 155: an address of more bytes than this ends the message, whatever its
 * network. Looks ahead only. */
static int check_address_len(const struct reader *at, struct error *err)
{
    struct reader ahead = *at;
    uint64_t len;

    (void)read_u8(&ahead);
    len = read_compact_size(&ahead);
    if (ahead.rc == 0 && len > ADDRV2_ADDRESS_BYTES_MAX)
        return error_set(err, E_MALFORMED, "Address too long: %llu > %d", (unsigned long long)len,
                         ADDRV2_ADDRESS_BYTES_MAX);
    return 0;
}

static int read_entry(struct message_addr_entry *ret, struct reader *r, bool v2, struct error *err)
{
    int rc;

    ret->time_s = read_le32(r);
    if (!v2) {
        ret->services = read_le64(r);
        net_address_read_v1(&ret->address, r);
        return message_end(r, err);
    }
    ret->services = read_compact_size(r);
    rc = check_address_len(r, err);
    if (rc < 0)
        return rc;
    net_address_read_v2(&ret->address, r);
    return message_end(r, err);
}

int message_read_addr(struct message_addr *ret, struct span payload, bool v2, struct arena *arena,
                      struct error *err)
{
    struct reader r;
    int rc;

    reader_init(&r, payload.data, payload.len);
    rc = message_read_count(&ret->n, &r, ADDR_N_MAX, v2 ? ADDR_V2_BYTES_MIN : ADDR_V1_BYTES,
                            v2 ? "addrv2 message size" : "addr message size", err);
    if (rc < 0)
        return rc;
    ret->entry = arena_array(arena, ret->n, sizeof(*ret->entry));
    for (uint32_t i = 0; i < ret->n && rc == 0; i++)
        rc = read_entry(&ret->entry[i], &r, v2, err);
    return rc;
}

void message_write_addr(struct buf *buf, const struct message_addr *addr, bool v2)
{
    CHECK(addr->n <= ADDR_N_MAX);
    write_compact_size(buf, addr->n);
    for (uint32_t i = 0; i < addr->n; i++) {
        const struct message_addr_entry *entry = &addr->entry[i];

        write_le32(buf, entry->time_s);
        if (v2) {
            write_compact_size(buf, entry->services);
            net_address_write_v2(buf, &entry->address);
        } else {
            write_le64(buf, entry->services);
            net_address_write_v1(buf, &entry->address);
        }
    }
}

/* --- inv, getdata, notfound --- */

const char *inv_type_name(uint32_t type)
{
    switch (type) {
    case INV_TX:
        return "tx";
    case INV_WITNESS_TX:
        return "witness-tx";
    case INV_WTX:
        return "wtx";
    case INV_BLOCK:
        return "block";
    case INV_WITNESS_BLOCK:
        return "witness-block";
    case INV_FILTERED_BLOCK:
        return "merkleblock";
    case INV_CMPCT_BLOCK:
        return "cmpctblock";
    default:
        return "unknown";
    }
}

int message_read_inv(struct message_inv *ret, struct span payload, enum message_type type,
                     struct arena *arena, struct error *err)
{
    const char *what = type == MESSAGE_GETDATA    ? "getdata message size"
                       : type == MESSAGE_NOTFOUND ? "notfound message size"
                                                  : "inv message size";
    struct reader r;
    int rc;

    reader_init(&r, payload.data, payload.len);
    rc = message_read_count(&ret->n, &r, INV_N_MAX, INV_BYTES, what, err);
    if (rc < 0)
        return rc;
    ret->inv = arena_array(arena, ret->n, sizeof(*ret->inv));
    for (uint32_t i = 0; i < ret->n; i++) {
        ret->inv[i].type = read_le32(&r);
        read_bytes(&r, ret->inv[i].hash, HASH_BYTES);
    }
    return message_end(&r, err);
}

void message_write_inv(struct buf *buf, const struct inv *inv, size_t n)
{
    CHECK(n <= INV_N_MAX);
    write_compact_size(buf, n);
    for (size_t i = 0; i < n; i++) {
        write_le32(buf, inv[i].type);
        buf_add(buf, inv[i].hash, HASH_BYTES);
    }
}

/* --- getblocks, getheaders --- */

int message_read_locator(struct message_locator *ret, struct span payload, struct arena *arena,
                         struct error *err)
{
    struct reader r;
    int rc;

    reader_init(&r, payload.data, payload.len);
    ret->version = read_le32(&r);
    rc = message_read_count(&ret->n, &r, LOCATOR_N_MAX, HASH_BYTES, "locator size", err);
    if (rc < 0)
        return rc;
    ret->have = arena_array(arena, ret->n, sizeof(*ret->have));
    for (uint32_t i = 0; i < ret->n; i++)
        read_bytes(&r, ret->have[i].b, HASH_BYTES);
    read_bytes(&r, ret->stop.b, HASH_BYTES);
    return message_end(&r, err);
}

void message_write_locator(struct buf *buf, const struct message_locator *locator)
{
    CHECK(locator->n <= LOCATOR_N_MAX);
    write_le32(buf, locator->version);
    write_compact_size(buf, locator->n);
    for (uint32_t i = 0; i < locator->n; i++)
        buf_add(buf, locator->have[i].b, HASH_BYTES);
    buf_add(buf, locator->stop.b, HASH_BYTES);
}

/* --- headers --- */

int message_read_headers(struct message_headers *ret, struct span payload, struct arena *arena,
                         struct error *err)
{
    struct reader r;
    int rc;

    reader_init(&r, payload.data, payload.len);
    rc = message_read_count(&ret->n, &r, HEADERS_N_MAX, HEADER_AND_COUNT_BYTES,
                            "headers message size", err);
    if (rc < 0)
        return rc;
    ret->header = arena_array(arena, ret->n, sizeof(*ret->header));
    for (uint32_t i = 0; i < ret->n; i++) {
        header_read(&ret->header[i], &r);
        (void)read_length(&r); /* Of transactions: always zero, never looked at. */
    }
    return message_end(&r, err);
}

void message_write_headers(struct buf *buf, const struct header *header, size_t n)
{
    CHECK(n <= HEADERS_N_MAX);
    write_compact_size(buf, n);
    for (size_t i = 0; i < n; i++) {
        header_write(buf_extend(buf, HEADER_BYTES), &header[i]);
        write_compact_size(buf, 0);
    }
}

/* --- block, tx --- */

int message_read_block(struct message_block *ret, struct span payload, struct error *err)
{
    struct reader r;

    reader_init(&r, payload.data, payload.len);
    header_read(&ret->header, &r);
    if (r.rc < 0)
        return message_end(&r, err);
    sha256d(ret->hash.b, payload.data, HEADER_BYTES);
    ret->raw = payload;
    return 0;
}

int message_read_tx(struct tx *ret, struct span payload, struct arena *arena, struct error *err)
{
    struct reader r;

    reader_init(&r, payload.data, payload.len);
    if (tx_read(ret, &r, arena, TX_READ_IDS) < 0)
        return message_end(&r, err);
    return 0;
}

/* --- ping, pong, feefilter --- */

int message_read_nonce(uint64_t *ret_nonce, struct span payload, struct error *err)
{
    struct reader r;

    reader_init(&r, payload.data, payload.len);
    *ret_nonce = read_le64(&r);
    return message_end(&r, err);
}

void message_write_nonce(struct buf *buf, uint64_t nonce)
{
    write_le64(buf, nonce);
}

int message_read_feefilter(int64_t *ret_feerate_sat_kvb, struct span payload, struct error *err)
{
    struct reader r;

    reader_init(&r, payload.data, payload.len);
    *ret_feerate_sat_kvb = (int64_t)read_le64(&r);
    return message_end(&r, err);
}

void message_write_feefilter(struct buf *buf, int64_t feerate_sat_kvb)
{
    write_le64(buf, (uint64_t)feerate_sat_kvb);
}

/* --- BIP 330, BIP 434 --- */

int message_read_sendtxrcncl(struct message_sendtxrcncl *ret, struct span payload,
                             struct error *err)
{
    struct reader r;

    reader_init(&r, payload.data, payload.len);
    ret->version = read_le32(&r);
    ret->salt = read_le64(&r);
    return message_end(&r, err);
}

void message_write_sendtxrcncl(struct buf *buf, const struct message_sendtxrcncl *sendtxrcncl)
{
    write_le32(buf, sendtxrcncl->version);
    write_le64(buf, sendtxrcncl->salt);
}

int message_read_feature(struct message_feature *ret, struct span payload, struct error *err)
{
    struct reader r;

    reader_init(&r, payload.data, payload.len);
    ret->id = read_var_bytes(&r);
    ret->data = read_var_bytes(&r);
    if (r.rc < 0)
        return message_end(&r, err);
    if (ret->id.len < FEATURE_ID_BYTES_MIN || ret->id.len > FEATURE_ID_BYTES_MAX)
        return error_set(err, E_LIMIT, "feature id of %zu bytes", ret->id.len);
    if (ret->data.len > FEATURE_DATA_BYTES_MAX)
        return error_set(err, E_LIMIT, "feature data of %zu bytes", ret->data.len);
    if (r.left > 0)
        return error_set(err, E_MALFORMED, "%zu bytes behind the feature", r.left);
    return 0;
}

void message_write_feature(struct buf *buf, const struct message_feature *feature)
{
    CHECK(feature->id.len >= FEATURE_ID_BYTES_MIN && feature->id.len <= FEATURE_ID_BYTES_MAX);
    CHECK(feature->data.len <= FEATURE_DATA_BYTES_MAX);
    write_var_bytes(buf, feature->id);
    write_var_bytes(buf, feature->data);
}
