#include "p2p/message.h"

#include "base/alloc.h"
#include "codec/writer.h"
#include "test.h"

/* --- Bounds: the greatest list passes, one more is a limit, one byte less is short --- */

static struct arena arena;

static int read_as(enum message_type type, struct span payload, struct error *err)
{
    union {
        struct message_addr addr;
        struct message_inv inv;
        struct message_locator locator;
        struct message_headers headers;
        struct message_cmpctblock cmpctblock;
        struct message_getblocktxn getblocktxn;
        struct message_blocktxn blocktxn;
        struct message_cfheaders cfheaders;
        struct message_cfcheckpt cfcheckpt;
        struct message_merkleblock merkleblock;
    } u;

    switch (type) {
    case MESSAGE_ADDR:
    case MESSAGE_ADDRV2:
        return message_read_addr(&u.addr, payload, type == MESSAGE_ADDRV2, &arena, err);
    case MESSAGE_GETHEADERS:
        return message_read_locator(&u.locator, payload, &arena, err);
    case MESSAGE_HEADERS:
        return message_read_headers(&u.headers, payload, &arena, err);
    case MESSAGE_CMPCTBLOCK:
        return message_read_cmpctblock(&u.cmpctblock, payload, &arena, err);
    case MESSAGE_GETBLOCKTXN:
        return message_read_getblocktxn(&u.getblocktxn, payload, &arena, err);
    case MESSAGE_BLOCKTXN:
        return message_read_blocktxn(&u.blocktxn, payload, &arena, err);
    case MESSAGE_CFHEADERS:
        return message_read_cfheaders(&u.cfheaders, payload, &arena, err);
    case MESSAGE_CFCHECKPT:
        return message_read_cfcheckpt(&u.cfcheckpt, payload, &arena, err);
    case MESSAGE_MERKLEBLOCK:
        return message_read_merkleblock(&u.merkleblock, payload, &arena, err);
    default:
        return message_read_inv(&u.inv, payload, type, &arena, err);
    }
}

/* A payload: bytes before the count, the count, items of zeros, bytes behind. */
static const struct {
    const char *label;
    enum message_type type;
    size_t before;
    uint32_t max;
    size_t item;
    size_t behind;
    const char *text;
} list_rows[] = {
    {"addr", MESSAGE_ADDR, 0, 1000, 30, 0, "addr message size = 1001"},
    /* Time, services, an unknown network without bytes, port. */
    {"addrv2", MESSAGE_ADDRV2, 0, 1000, 9, 0, "addrv2 message size = 1001"},
    {"inv", MESSAGE_INV, 0, 50000, 36, 0, "inv message size = 50001"},
    {"getdata", MESSAGE_GETDATA, 0, 50000, 36, 0, "getdata message size = 50001"},
    {"locator", MESSAGE_GETHEADERS, 4, 101, 32, 32, "locator size = 102"},
    {"headers", MESSAGE_HEADERS, 0, 2000, 81, 0, "headers message size = 2001"},
    {"blocktxn", MESSAGE_BLOCKTXN, 32, 65536, 10, 0, "transactions = 65537"},
    {"cfheaders", MESSAGE_CFHEADERS, 65, 2000, 32, 0, "cfheaders message size = 2001"},
    {"cfcheckpt", MESSAGE_CFCHECKPT, 33, 100000, 32, 0, "cfcheckpt message size = 100001"},
};

static void make_list(struct buf *buf, size_t row, uint32_t n)
{
    size_t behind = n * list_rows[row].item + list_rows[row].behind;

    buf->len = 0;
    memset(buf_extend(buf, list_rows[row].before), 0, list_rows[row].before);
    write_compact_size(buf, n);
    memset(buf_extend(buf, behind), 0, behind);
}

static void lists_are_bounded(void)
{
    struct buf buf = {0};

    for (size_t i = 0; i < ARRAY_LEN(list_rows); i++) {
        const char *label = list_rows[i].label;
        struct error err = {0};

        arena_init(&arena);
        make_list(&buf, i, list_rows[i].max);
        EXPECT_INT(label, read_as(list_rows[i].type, span_of_buf(&buf), &err), 0);
        buf_add_byte(&buf, 0); /* Later versions may say more. */
        EXPECT_INT(label, read_as(list_rows[i].type, span_of_buf(&buf), &err), 0);
        buf.len -= 2;
        EXPECT_INT(label, read_as(list_rows[i].type, span_of_buf(&buf), &err), E_TRUNCATED);
        EXPECT_STR(label, err.shown.text, "end of data");
        make_list(&buf, i, list_rows[i].max + 1);
        EXPECT_INT(label, read_as(list_rows[i].type, span_of_buf(&buf), &err), E_LIMIT);
        EXPECT_STR(label, err.shown.text, list_rows[i].text);
        arena_clear(&arena);
        /* A count with nothing behind takes no memory. */
        arena_init(&arena);
        make_list(&buf, i, list_rows[i].max);
        buf.len = list_rows[i].before + compact_size_len(list_rows[i].max);
        EXPECT_INT(label, read_as(list_rows[i].type, span_of_buf(&buf), &err), E_TRUNCATED);
        EXPECT_U64(label, arena.total_bytes, 0);
        EXPECT_INT(label, read_as(list_rows[i].type, span_of(NULL, 0), &err), E_TRUNCATED);
        arena_clear(&arena);
    }
    buf_clear(&buf);
}

/* --- version --- */

static struct buf version_payload(void)
{
    static const uint8_t ours[4] = {10, 1, 2, 3};
    static const uint8_t theirs[4] = {1, 2, 3, 4};
    struct buf buf = {0};
    struct message_version version = {
        .version = PROTOCOL_VERSION,
        .services = NODE_NETWORK | NODE_WITNESS,
        .time_s = 1700000000,
        .to = net_address_ipv4(theirs, 8333),
        .from = net_address_ipv4(ours, 18444),
        .nonce = 0x1122334455667788,
        .user_agent = span_of_string("/Assay:0.1.0/"),
        .start_height = 840000,
        .relay = false,
    };

    message_write_version(&buf, &version);
    return buf;
}

/* Cut at every place: whole fields of the later part may be missing, halves not. */
static void version_in_all_lengths(void)
{
    struct buf buf = version_payload();
    const size_t whole[] = {46, 80, 94, 98, 99}; /* Where it may end. */

    EXPECT_U64("bytes", buf.len, 99);
    for (size_t len = 0; len <= buf.len; len++) {
        struct message_version version;
        uint8_t *cut = alloc(MAX(len, (size_t)1));
        bool may_end = false;
        int rc;

        for (size_t i = 0; i < ARRAY_LEN(whole); i++)
            may_end = may_end || whole[i] == len;
        memcpy(cut, buf.data, len);
        rc = message_read_version(&version, span_of(cut, len), NULL);
        EXPECT_INT("rc", rc, may_end ? 0 : E_TRUNCATED);
        if (rc == 0) {
            EXPECT_INT("version", version.version, PROTOCOL_VERSION);
            EXPECT_INT("port", version.to.port, 8333);
            EXPECT_U64("nonce", version.nonce, len >= 80 ? 0x1122334455667788 : 1);
            EXPECT_U64("user agent", version.user_agent.len, len >= 94 ? 13 : 0);
            EXPECT_INT("height", version.start_height, len >= 98 ? 840000 : -1);
            EXPECT_INT("relay", version.relay, len < 99);
        }
        free(cut);
    }
    buf_clear(&buf);
}

static void user_agent_is_bounded(void)
{
    for (size_t len = USER_AGENT_BYTES_MAX; len <= USER_AGENT_BYTES_MAX + 1; len++) {
        struct buf buf = version_payload();
        struct message_version version;

        buf.len = 80;
        write_compact_size(&buf, len);
        memset(buf_extend(&buf, len), 'a', len);
        EXPECT_INT("user agent", message_read_version(&version, span_of_buf(&buf), NULL),
                   len > USER_AGENT_BYTES_MAX ? E_MALFORMED : 0);
        buf_clear(&buf);
    }
}

/* --- addrv2 --- */

static void long_addresses(void)
{
    for (size_t len = 512; len <= 513; len++) {
        struct buf buf = {0};
        struct message_addr addr;
        struct error err = {0};
        int rc;

        arena_init(&arena);
        write_compact_size(&buf, 1);
        write_le32(&buf, 1);
        write_compact_size(&buf, NODE_NETWORK);
        write_u8(&buf, 99); /* A network of the future. */
        write_compact_size(&buf, len);
        memset(buf_extend(&buf, len + 2), 1, len + 2);
        rc = message_read_addr(&addr, span_of_buf(&buf), true, &arena, &err);
        EXPECT_INT("rc", rc, len == 512 ? 0 : E_MALFORMED);
        if (rc == 0)
            EXPECT_TRUE("not valid", !net_address_is_valid(&addr.entry[0].address));
        else
            EXPECT_STR("text", err.shown.text, "Address too long: 513 > 512");
        buf_clear(&buf);
        arena_clear(&arena);
    }
}

/* --- BIP 152 --- */

static const uint8_t least_tx[] = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0};

/* Short ids, then gaps of prefilled transactions. */
static const struct {
    const char *label;
    uint32_t short_n;
    uint32_t prefilled_n;
    uint64_t gaps[3];
    int rc;
    uint32_t last;
} compact_rows[] = {
    {"coinbase only", 0, 1, {0}, 0, 0},
    {"first and second", 5, 2, {0, 0}, 0, 1},
    {"last of all", 5, 1, {5}, 0, 5},
    {"behind the last", 5, 1, {6}, E_LIMIT, 0},
    {"between", 5, 3, {1, 1, 1}, 0, 5},
    {"second behind the last", 2, 2, {2, 1}, E_LIMIT, 0},
    {"more than 16 bits", 5, 1, {65536}, E_MALFORMED, 0},
    {"far more", 5, 1, {0xffffffffffffffff}, E_MALFORMED, 0},
    {"adds up to too much", 5, 2, {5, 0xffff}, E_LIMIT, 0},
};

static void compact_indices(void)
{
    for (size_t i = 0; i < ARRAY_LEN(compact_rows); i++) {
        const char *label = compact_rows[i].label;
        struct message_cmpctblock cmpctblock;
        struct buf buf = {0};
        int rc;

        arena_init(&arena);
        memset(buf_extend(&buf, HEADER_BYTES + 8), 7, HEADER_BYTES + 8);
        write_compact_size(&buf, compact_rows[i].short_n);
        for (uint32_t k = 0; k < compact_rows[i].short_n; k++) {
            write_le32(&buf, k);
            write_le16(&buf, 0xffff);
        }
        write_compact_size(&buf, compact_rows[i].prefilled_n);
        for (uint32_t k = 0; k < compact_rows[i].prefilled_n; k++) {
            write_compact_size(&buf, compact_rows[i].gaps[k]);
            buf_add(&buf, least_tx, sizeof(least_tx));
        }
        rc = message_read_cmpctblock(&cmpctblock, span_of_buf(&buf), &arena, NULL);
        EXPECT_INT(label, rc, compact_rows[i].rc);
        if (rc == 0) {
            struct buf again = {0};

            EXPECT_U64(label, cmpctblock.prefilled[cmpctblock.prefilled_n - 1].index,
                       compact_rows[i].last);
            for (uint32_t k = 0; k < cmpctblock.short_n; k++)
                EXPECT_U64(label, cmpctblock.short_id[k], 0xffff00000000 | k);
            message_write_cmpctblock(&again, &cmpctblock);
            EXPECT_BYTES(label, again.data, again.len, buf.data, buf.len);
            buf_clear(&again);
        }
        buf_clear(&buf);
        arena_clear(&arena);
    }
}

static void compact_counts(void)
{
    for (uint32_t over = 0; over < 2; over++) {
        struct message_cmpctblock cmpctblock;
        struct buf buf = {0};

        arena_init(&arena);
        memset(buf_extend(&buf, HEADER_BYTES + 8), 7, HEADER_BYTES + 8);
        write_compact_size(&buf, COMPACT_TX_N_MAX);
        memset(buf_extend(&buf, COMPACT_TX_N_MAX * 6), 1, COMPACT_TX_N_MAX * 6);
        write_compact_size(&buf, over);
        write_compact_size(&buf, 0);
        buf_add(&buf, least_tx, sizeof(least_tx));
        EXPECT_INT("both together",
                   message_read_cmpctblock(&cmpctblock, span_of_buf(&buf), &arena, NULL),
                   over == 0 ? 0 : E_LIMIT);
        buf_clear(&buf);
        arena_clear(&arena);
    }
}

static void asked_indices(void)
{
    static const struct {
        const char *label;
        uint64_t gaps[3];
        uint32_t n;
        int rc;
    } rows[] = {
        {"all of 16 bits", {65535}, 1, 0},
        {"in a row", {0, 0, 0}, 3, 0},
        {"to the end", {0, 65534}, 2, 0},
        {"one behind it", {0, 65535}, 2, E_MALFORMED},
        {"wraps", {1, 0xffffffffffffffff}, 2, E_MALFORMED},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct message_getblocktxn asked;
        struct buf buf = {0};

        arena_init(&arena);
        memset(buf_extend(&buf, 32), 3, 32);
        write_compact_size(&buf, rows[i].n);
        for (uint32_t k = 0; k < rows[i].n; k++)
            write_compact_size(&buf, rows[i].gaps[k]);
        EXPECT_INT(rows[i].label, message_read_getblocktxn(&asked, span_of_buf(&buf), &arena, NULL),
                   rows[i].rc);
        buf_clear(&buf);
        arena_clear(&arena);
    }
}

/* --- Byte strings --- */

static void filters_are_bounded(void)
{
    static const struct {
        const char *label;
        size_t len;
        uint32_t funcs;
        int rc;
    } rows[] = {
        {"greatest", 36000, 50, 0},
        {"empty", 0, 0, 0},
        {"too long", 36001, 50, E_LIMIT},
        {"too many", 36000, 51, E_LIMIT},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct message_filterload load;
        struct buf buf = {0};

        write_compact_size(&buf, rows[i].len);
        memset(buf_extend(&buf, rows[i].len), 0xff, rows[i].len);
        write_le32(&buf, rows[i].funcs);
        write_le32(&buf, 5);
        write_u8(&buf, 1);
        EXPECT_INT(rows[i].label, message_read_filterload(&load, span_of_buf(&buf), NULL),
                   rows[i].rc);
        buf_clear(&buf);
    }
    for (size_t len = 520; len <= 521; len++) {
        struct span item;
        struct buf buf = {0};

        write_compact_size(&buf, len);
        memset(buf_extend(&buf, len), 0xff, len);
        EXPECT_INT("filteradd", message_read_filteradd(&item, span_of_buf(&buf), NULL),
                   len == 520 ? 0 : E_LIMIT);
        buf_clear(&buf);
    }
}

static void features(void)
{
    static const struct {
        const char *label;
        size_t id, data, behind;
        int rc;
    } rows[] = {
        {"least", 4, 0, 0, 0},
        {"greatest", 80, 512, 0, 0},
        {"id too short", 3, 0, 0, E_LIMIT},
        {"id too long", 81, 0, 0, E_LIMIT},
        {"data too long", 4, 513, 0, E_LIMIT},
        {"bytes behind", 4, 0, 1, E_MALFORMED},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct message_feature feature;
        struct buf buf = {0};

        write_compact_size(&buf, rows[i].id);
        memset(buf_extend(&buf, rows[i].id), 'a', rows[i].id);
        write_compact_size(&buf, rows[i].data);
        memset(buf_extend(&buf, rows[i].data + rows[i].behind), 0, rows[i].data + rows[i].behind);
        EXPECT_INT(rows[i].label, message_read_feature(&feature, span_of_buf(&buf), NULL),
                   rows[i].rc);
        buf_clear(&buf);
    }
}

static void numbers(void)
{
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    struct message_sendtxrcncl rcncl;
    struct message_sendcmpct sendcmpct;
    uint64_t nonce;
    int64_t feerate;

    EXPECT_INT("short", message_read_nonce(&nonce, span_of(bytes, 7), NULL), E_TRUNCATED);
    EXPECT_INT("nonce", message_read_nonce(&nonce, span_of(bytes, 8), NULL), 0);
    EXPECT_U64("nonce", nonce, 0x0807060504030201);
    EXPECT_INT("fee", message_read_feefilter(&feerate, span_of(bytes, 9), NULL), 0);
    EXPECT_INT("fee", feerate, 0x0807060504030201);
    EXPECT_INT("rcncl", message_read_sendtxrcncl(&rcncl, span_of(bytes, 12), NULL), 0);
    EXPECT_U64("salt", rcncl.salt, 0x0c0b0a0908070605);
    EXPECT_INT("rcncl", message_read_sendtxrcncl(&rcncl, span_of(bytes, 11), NULL), E_TRUNCATED);
    EXPECT_INT("cmpct", message_read_sendcmpct(&sendcmpct, span_of(bytes, 9), NULL), 0);
    EXPECT_TRUE("high", sendcmpct.high_bandwidth);
    EXPECT_U64("version", sendcmpct.version, 0x0908070605040302);
}

TEST_LIST(TEST(lists_are_bounded), TEST(version_in_all_lengths), TEST(user_agent_is_bounded),
          TEST(long_addresses), TEST(compact_indices), TEST(compact_counts), TEST(asked_indices),
          TEST(filters_are_bounded), TEST(features), TEST(numbers))
