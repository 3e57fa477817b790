#include "p2p/address.h"

#include <stdlib.h>

#include "base/hex.h"

#include "test.h"

#define ONION "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
#define I2P "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p"

static struct net_address address_of(const char *text)
{
    struct net_address address = {0};

    EXPECT_TRUE(text, net_address_read(&address, text, strlen(text), 0));
    return address;
}

/* What is read, and how it is written; the port where none is given is 7. */
static const struct {
    const char *in;
    const char *out;
    enum net_kind net;
} text_rows[] = {
    {"1.2.3.4", "1.2.3.4:7", NET_IPV4},
    {"1.2.3.4:8333", "1.2.3.4:8333", NET_IPV4},
    {"1.2.3.4:0", "1.2.3.4:0", NET_IPV4},
    {"1.2.3.4:65535", "1.2.3.4:65535", NET_IPV4},
    {"[1.2.3.4]:5", "1.2.3.4:5", NET_IPV4},
    {"127.1", "127.0.0.1:7", NET_IPV4},
    {"1.2.259", "1.2.1.3:7", NET_IPV4},
    {"0x7f.010.1.0xFf", "127.8.1.255:7", NET_IPV4},
    {"4294967295", "255.255.255.255:7", NET_IPV4},
    {"::", "[::]:7", NET_IPV6},
    {"::1", "[::1]:7", NET_IPV6},
    {"[::1]:80", "[::1]:80", NET_IPV6},
    {"[2001:db8::1]", "[2001:db8::1]:7", NET_IPV6},
    {"2001:0DB8:0:0:1:0:0:1", "[2001:db8::1:0:0:1]:7", NET_IPV6},
    {"1:0:0:2:0:0:0:3", "[1:0:0:2::3]:7", NET_IPV6},
    {"1:0:3:4:5:6:7:8", "[1:0:3:4:5:6:7:8]:7", NET_IPV6},
    {"1::", "[1::]:7", NET_IPV6},
    {"fe80::1%21", "[fe80::1%21]:7", NET_IPV6},
    {"::ffff:1.2.3.4", "1.2.3.4:7", NET_IPV4},
    {"::ffff:102:304", "1.2.3.4:7", NET_IPV4},
    {"fd87:d87e:eb43::1", "[::]:7", NET_IPV6},
    {"fc00::1", "[fc00::1]:7", NET_IPV6},
    {ONION, ONION ":7", NET_ONION},
    {ONION ":9", ONION ":9", NET_ONION},
    {I2P, I2P ":7", NET_I2P},
    {"UKEU3K5OYCGAAUNEQGTNVSELMT4YEMVOILKLN7JPVAMVFX7DNKDQ.B32.I2P:0", I2P ":0", NET_I2P},
};

static void text_both_ways(void)
{
    for (size_t i = 0; i < ARRAY_LEN(text_rows); i++) {
        struct net_address address = {0};
        struct net_address again = {0};
        char text[NET_ADDRESS_TEXT_SIZE];

        EXPECT_TRUE(text_rows[i].in,
                    net_address_read(&address, text_rows[i].in, strlen(text_rows[i].in), 7));
        EXPECT_STR(text_rows[i].in, net_address_text(text, &address), text_rows[i].out);
        EXPECT_INT(text_rows[i].in, address.net, text_rows[i].net);
        EXPECT_TRUE(text, net_address_read(&again, text, strlen(text), 1));
        EXPECT_TRUE(text, net_address_equal(&address, &again));
        EXPECT_U64(text, again.scope, address.scope);
    }
}

static const char *const bad_text_rows[] = {
    "",
    "[]",
    "1.2.3.4.5",
    "1.2.3.256",
    "1.256.3.4",
    "1.2.3.",
    ".1.2.3",
    "1.2.3.4 ",
    " 1.2.3.4",
    "1.2.3.4:",
    "1.2.3.4:65536",
    "1.2.3.4:-1",
    "1.2.3.4:+1",
    "1.2.3.4:8333x",
    "08.1.1.1",
    "0x.1.1.1",
    "4294967296",
    "1.16777216",
    "localhost",
    ":::",
    "1:2:3:4:5:6:7:8:9",
    "::1%",
    "::1%eth0",
    "fd6b:88c0:8724::1",
    "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscrye.onion",
    "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.ONION",
    "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscrya.onion",
    "5wyqrzbvrdsumnok.onion",
    "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdr.b32.i2p",
    "keu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p",
};

static void refuses_text(void)
{
    struct net_address address;
    struct net_address before;

    memset(&address, 0x5a, sizeof(address));
    before = address;
    for (size_t i = 0; i < ARRAY_LEN(bad_text_rows); i++) {
        const char *text = bad_text_rows[i];

        EXPECT_TRUE(text, !net_address_read(&address, text, strlen(text), 7));
        EXPECT_BYTES(text, &address, sizeof(address), &before, sizeof(before));
    }
    EXPECT_TRUE("zero inside", !net_address_read(&address, "1.2.3.4\0x", 9, 7));
    EXPECT_TRUE("port where none may be", !net_address_read_host(&address, "1.2.3.4:1", 9));
    EXPECT_TRUE("brackets", net_address_read_host(&address, "[::1]", 5));
    EXPECT_U64("no port", address.port, 0);
}

static const struct {
    const char *text;
    bool is_right;
    uint16_t port; /* 7: none was there. */
    const char *host;
} split_rows[] = {
    {"www.example.com", true, 7, "www.example.com"},
    {"www.example.com:80", true, 80, "www.example.com"},
    {"[www.example.com]", true, 7, "www.example.com"},
    {"[www.example.com]:80", true, 80, "www.example.com"},
    {"127.0.0.1:8333", true, 8333, "127.0.0.1"},
    {"[::ffff:127.0.0.1]:8333", true, 8333, "::ffff:127.0.0.1"},
    {"::8333", true, 7, "::8333"},
    {"[::]:8333", true, 8333, "::"},
    {":8333", true, 8333, ""},
    {"", true, 7, ""},
    {"[", true, 7, "["},
    {"[]", true, 7, ""},
    {"host:0", false, 0, "host"},
    {"host:", false, 7, "host:"},
    {"host:x", false, 7, "host:x"},
    {"host:65536", false, 7, "host:65536"},
    {"[::1]:x", false, 7, "[::1]:x"},
};

static void splits_host_and_port(void)
{
    for (size_t i = 0; i < ARRAY_LEN(split_rows); i++) {
        struct span host;
        uint16_t port = 7;
        const char *text = split_rows[i].text;

        EXPECT_INT(text, net_host_port_split(&host, &port, text, strlen(text)),
                   split_rows[i].is_right);
        EXPECT_U64(text, port, split_rows[i].port);
        EXPECT_BYTES(text, host.data, host.len, split_rows[i].host, strlen(split_rows[i].host));
    }
}

/* --- What an address is --- */

enum { VALID = 1, ROUTABLE = 2, LOCAL = 4, ANY = 8 };

static const struct {
    const char *text;
    unsigned is;
    enum net_kind class;
    int range; /* -1: none. */
} kind_rows[] = {
    {"0.0.0.0", LOCAL | ANY, NET_UNROUTABLE, RANGE_LOOPBACK},
    {"255.255.255.255", 0, NET_UNROUTABLE, -1},
    {"127.0.0.1", VALID | LOCAL, NET_UNROUTABLE, RANGE_LOOPBACK},
    {"0.1.2.3", VALID | LOCAL, NET_UNROUTABLE, RANGE_LOOPBACK},
    {"8.8.8.8", VALID | ROUTABLE, NET_IPV4, -1},
    {"10.0.0.1", VALID, NET_UNROUTABLE, RANGE_RFC1918},
    {"11.0.0.1", VALID | ROUTABLE, NET_IPV4, -1},
    {"172.15.255.255", VALID | ROUTABLE, NET_IPV4, -1},
    {"172.16.0.1", VALID, NET_UNROUTABLE, RANGE_RFC1918},
    {"172.31.255.255", VALID, NET_UNROUTABLE, RANGE_RFC1918},
    {"172.32.0.1", VALID | ROUTABLE, NET_IPV4, -1},
    {"192.168.0.1", VALID, NET_UNROUTABLE, RANGE_RFC1918},
    {"198.17.255.255", VALID | ROUTABLE, NET_IPV4, -1},
    {"198.18.0.1", VALID, NET_UNROUTABLE, RANGE_RFC2544},
    {"198.19.255.255", VALID, NET_UNROUTABLE, RANGE_RFC2544},
    {"198.20.0.1", VALID | ROUTABLE, NET_IPV4, -1},
    {"169.254.1.1", VALID, NET_UNROUTABLE, RANGE_RFC3927},
    {"100.63.255.255", VALID | ROUTABLE, NET_IPV4, -1},
    {"100.64.0.1", VALID, NET_UNROUTABLE, RANGE_RFC6598},
    {"100.127.255.255", VALID, NET_UNROUTABLE, RANGE_RFC6598},
    {"100.128.0.1", VALID | ROUTABLE, NET_IPV4, -1},
    {"192.0.2.1", VALID, NET_UNROUTABLE, RANGE_RFC5737},
    {"198.51.100.1", VALID, NET_UNROUTABLE, RANGE_RFC5737},
    {"203.0.113.1", VALID, NET_UNROUTABLE, RANGE_RFC5737},
    {"::", ANY, NET_UNROUTABLE, -1},
    {"::1", VALID | LOCAL, NET_UNROUTABLE, RANGE_LOOPBACK},
    {"::2", VALID | ROUTABLE, NET_IPV6, -1},
    {"2001:db8::1", 0, NET_UNROUTABLE, RANGE_RFC3849},
    {"2002:101:101::1", VALID | ROUTABLE, NET_IPV4, RANGE_RFC3964},
    {"fc00::1", VALID, NET_UNROUTABLE, RANGE_RFC4193},
    {"fd00::1", VALID, NET_UNROUTABLE, RANGE_RFC4193},
    {"2001::2", VALID | ROUTABLE, NET_IPV4, RANGE_RFC4380},
    {"2001:10::2", VALID, NET_UNROUTABLE, RANGE_RFC4843},
    {"2001:1f::2", VALID, NET_UNROUTABLE, RANGE_RFC4843},
    {"2001:20::2", VALID, NET_UNROUTABLE, RANGE_RFC7343},
    {"2001:30::2", VALID | ROUTABLE, NET_IPV6, -1},
    {"fe80::1", VALID, NET_UNROUTABLE, RANGE_RFC4862},
    {"fe80:0:0:1::1", VALID | ROUTABLE, NET_IPV6, -1},
    {"64:ff9b::808:808", VALID | ROUTABLE, NET_IPV4, RANGE_RFC6052},
    {"::ffff:0:808:808", VALID | ROUTABLE, NET_IPV4, RANGE_RFC6145},
    {"2001:470::1", VALID | ROUTABLE, NET_IPV6, RANGE_HE_NET},
    {"2a01:4f8::1", VALID | ROUTABLE, NET_IPV6, -1},
    {ONION, VALID | ROUTABLE, NET_ONION, -1},
    {I2P, VALID | ROUTABLE, NET_I2P, -1},
};

static void kinds(void)
{
    for (size_t i = 0; i < ARRAY_LEN(kind_rows); i++) {
        struct net_address a = address_of(kind_rows[i].text);
        unsigned is = kind_rows[i].is;
        const char *label = kind_rows[i].text;

        EXPECT_INT(label, net_address_is_valid(&a), (is & VALID) != 0);
        EXPECT_INT(label, net_address_is_routable(&a), (is & ROUTABLE) != 0);
        EXPECT_INT(label, net_address_is_local(&a), (is & LOCAL) != 0);
        EXPECT_INT(label, net_address_is_bind_any(&a), (is & ANY) != 0);
        EXPECT_INT(label, net_address_class(&a), kind_rows[i].class);
        for (int range = RANGE_RFC1918; range <= RANGE_LOOPBACK; range++)
            EXPECT_INT(label, net_address_is_in(&a, (enum net_range)range),
                       range == kind_rows[i].range);
    }
}

static void cjdns_and_internal(void)
{
    struct net_address cjdns = address_of("[fc00:1:2:3::4]:5");
    struct net_address other = address_of("[fd00::1]:5");
    struct net_address name = net_address_internal("seed.example.com");
    struct net_address none = {0};
    char text[NET_ADDRESS_TEXT_SIZE];

    net_address_to_cjdns(&cjdns);
    net_address_to_cjdns(&other);
    EXPECT_INT("fc00::/8", cjdns.net, NET_CJDNS);
    EXPECT_INT("fd00::/8", other.net, NET_IPV6);
    EXPECT_TRUE("routable", net_address_is_routable(&cjdns));
    EXPECT_STR("text", net_address_text(text, &cjdns), "[fc00:1:2:3::4]:5");
    cjdns.bytes[0] = 0xfd;
    EXPECT_TRUE("other prefix", !net_address_is_valid(&cjdns));

    EXPECT_INT("class", net_address_class(&name), NET_INTERNAL);
    EXPECT_TRUE("invalid", !net_address_is_valid(&name));
    EXPECT_TRUE("suffix", strstr(net_address_host_text(text, &name), ".internal") != NULL);
    EXPECT_TRUE("not told to peers", !net_address_is_relayable(&name));

    EXPECT_TRUE("zeroed", !net_address_is_valid(&none) && !net_address_is_routable(&none));
    EXPECT_INT("zeroed", net_address_class(&none), NET_UNROUTABLE);
    EXPECT_STR("zeroed", net_address_text(text, &none), "[::]:0");
}

/* --- Bytes --- */

static const struct {
    const char *text;
    const char *v1;
    const char *v2;
} byte_rows[] = {
    {"1.2.3.4:258", "00000000000000000000ffff010203040102", "0104010203040102"},
    {"[1a1b:2a2b:3a3b:4a4b:5a5b:6a6b:7a7b:8a8b]:3", "1a1b2a2b3a3b4a4b5a5b6a6b7a7b8a8b0003",
     "02101a1b2a2b3a3b4a4b5a5b6a6b7a7b8a8b0003"},
    {ONION ":4", "000000000000000000000000000000000004",
     "042079bcc625184b05194975c28b66b66b0469f7f6556fb1ac3189a79b40dda32f1f0004"},
    {I2P ":0", "000000000000000000000000000000000000",
     "0520a2894dabaec08c0051a481a6dac88b64f98232ae42d4b6fd2fa81952dfe36a870000"},
};

static void bytes_both_ways(void)
{
    for (size_t i = 0; i < ARRAY_LEN(byte_rows); i++) {
        struct net_address address = address_of(byte_rows[i].text);
        const char *label = byte_rows[i].text;
        struct net_address again;
        struct buf raw = {0};
        struct buf hex = {0};
        struct reader r;

        net_address_write_v1(&raw, &address);
        hex_write_buf(&hex, span_of_buf(&raw));
        EXPECT_STR(label, buf_string(&hex), byte_rows[i].v1);
        reader_init(&r, raw.data, raw.len);
        net_address_read_v1(&again, &r);
        EXPECT_INT(label, r.rc, 0);
        EXPECT_INT(label, net_address_equal(&again, &address), net_address_fits_v1(&address));

        raw.len = hex.len = 0;
        net_address_write_v2(&raw, &address);
        hex_write_buf(&hex, span_of_buf(&raw));
        EXPECT_STR(label, buf_string(&hex), byte_rows[i].v2);
        reader_init(&r, raw.data, raw.len);
        net_address_read_v2(&again, &r);
        EXPECT_INT(label, r.rc, 0);
        EXPECT_U64(label, r.left, 0);
        EXPECT_TRUE(label, net_address_equal(&again, &address));
        buf_clear(&raw);
        buf_clear(&hex);
    }
}

static const struct {
    const char *label;
    const char *hex;
    int rc;
    const char *text;
} v2_rows[] = {
    {"IPv4 too long",
     "01050102030405"
     "0001",
     E_MALFORMED, NULL},
    {"IPv4 too short",
     "0103010203"
     "0001",
     E_MALFORMED, NULL},
    {"IPv6 too short", "0204010203040001", E_MALFORMED, NULL},
    {"Tor v3 too short", "0400", E_MALFORMED, NULL},
    {"I2P too short", "0503aabbcc0001", E_MALFORMED, NULL},
    {"CJDNS too short", "0603fc00010001", E_MALFORMED, NULL},
    {"cut", "010401020304", E_TRUNCATED, NULL},
    {"no bytes", "", E_TRUNCATED, NULL},
    {"CJDNS", "0610fc0001020003000400050006000700080009", 0, "[fc00:102:3:4:5:6:7:8]:9"},
    {"CJDNS, other prefix", "0610fd0001020003000400050006000700080009", 0,
     "[fd00:102:3:4:5:6:7:8]:9"},
    {"IPv4 in IPv6", "021000000000000000000000ffff010203040005", 0, "[::]:5"},
    {"Tor v2 in IPv6",
     "0210fd87d87eeb4300000000000000000001"
     "0005",
     0, "[::]:5"},
    {"Tor v2", "030af1f2f3f4f5f6f7f8f9fa0005", 0, "[::]:5"},
    {"unknown, any length", "aa04010203040005", 0, "[::]:5"},
    {"unknown, none", "aa000005", 0, "[::]:5"},
    {"internal",
     "0210fd6b88c08724010203040506070809"
     "0a0005",
     0, "aebagbafaydqqcik.internal:5"},
    {"513 bytes", "aafd0102", E_MALFORMED, NULL},
};

static void reads_version_2(void)
{
    for (size_t i = 0; i < ARRAY_LEN(v2_rows); i++) {
        struct net_address address;
        char text[NET_ADDRESS_TEXT_SIZE];
        struct buf raw = {0};
        struct reader r;

        CHECK(hex_read_buf(&raw, v2_rows[i].hex, strlen(v2_rows[i].hex)));
        reader_init(&r, raw.data, raw.len);
        net_address_read_v2(&address, &r);
        EXPECT_INT(v2_rows[i].label, r.rc, v2_rows[i].rc);
        if (v2_rows[i].text != NULL) {
            EXPECT_STR(v2_rows[i].label, net_address_text(text, &address), v2_rows[i].text);
            EXPECT_U64(v2_rows[i].label, r.left, 0);
        }
        buf_clear(&raw);
    }
}

/* --- Groups, keys, order, reachability --- */

static const struct {
    const char *text;
    const char *hex;
} group_rows[] = {
    {"127.0.0.1", "00"},
    {"10.0.0.1", "00"},
    {"169.254.1.1", "00"},
    {"1.2.3.4", "010102"},
    {"::ffff:0:102:304", "010102"},
    {"64:ff9b::102:304", "010102"},
    {"2002:102:304:9999:9999:9999:9999:9999", "010102"},
    {"2001:0:9999:9999:9999:9999:fefd:fcfb", "010102"},
    {"2001:470:abcd:9999:9999:9999:9999:9999", "0220010470af"},
    {"2001:2001:9999:9999:9999:9999:9999:9999", "0220012001"},
    {ONION, "037f"},
    {I2P, "04af"},
};

static void groups(void)
{
    struct net_address cjdns = address_of("fc12:3456::1");
    struct net_address name = net_address_internal("x");
    struct net_group group;
    struct net_group other;
    char hex[2 * NET_GROUP_BYTES_MAX + 1];

    for (size_t i = 0; i < ARRAY_LEN(group_rows); i++) {
        struct net_address address;

        address = address_of(group_rows[i].text);
        group = net_group_of(&address, 0);
        hex_write(hex, group.bytes, group.len);
        EXPECT_STR(group_rows[i].text, hex, group_rows[i].hex);
        group = net_group_of(&address, 0x01020304);
        hex_write(hex, group.bytes, group.len);
        EXPECT_STR(group_rows[i].text, hex, "0204030201");
    }
    net_address_to_cjdns(&cjdns);
    group = net_group_of(&cjdns, 0);
    hex_write(hex, group.bytes, group.len);
    EXPECT_STR("cjdns", hex, "05fc1f");
    group = net_group_of(&name, 0);
    EXPECT_U64("internal", group.len, 11);
    EXPECT_BYTES("internal", group.bytes + 1, 10, name.bytes, 10);
    name = net_address_internal("y");
    other = net_group_of(&name, 0);
    EXPECT_TRUE("names apart", !net_group_equal(&group, &other));
}

static void keys(void)
{
    struct net_address ipv4 = address_of("1.2.3.4:258");
    struct net_address onion = address_of(ONION ":258");
    uint8_t key[NET_ADDRESS_BYTES_MAX + 2];
    char hex[2 * sizeof(key) + 1];

    hex_write(hex, key, net_address_key(key, &ipv4, true));
    EXPECT_STR("ipv4", hex, "00000000000000000000ffff010203040102");
    EXPECT_U64("onion", net_address_key(key, &onion, true), 34);
    EXPECT_U64("onion", net_address_key(key, &onion, false), 32);
    EXPECT_BYTES("onion", key, 32, onion.bytes, 32);
}

static void order_and_hash(void)
{
    const struct siphash_key salt = {1, 2};
    const struct siphash_key other_salt = {1, 3};

    for (unsigned i = 0; i < 1000; i++) {
        struct net_address a = {0};
        struct net_address b;
        struct net_address c;

        a.net = NET_IPV4;
        a.len = 4;
        test_random_fill(a.bytes, 4);
        a.port = (uint16_t)test_random();
        b = a;
        b.scope = 5;
        EXPECT_INT("same", net_address_compare(&a, &b), 0);
        EXPECT_TRUE("same", net_address_equal(&a, &b));
        EXPECT_U64("same", net_address_hash(&salt, &a), net_address_hash(&salt, &b));
        EXPECT_TRUE("salt", net_address_hash(&salt, &a) != net_address_hash(&other_salt, &a));
        c = a;
        c.bytes[test_random_below(4)] ^= (uint8_t)(1 + test_random_below(255));
        EXPECT_TRUE("other", net_address_compare(&a, &c) != 0);
        EXPECT_INT("order turns round", net_address_compare(&a, &c) > 0,
                   net_address_compare(&c, &a) < 0);
        c = a;
        c.port ^= 1;
        EXPECT_TRUE("port", !net_address_equal(&a, &c) && net_address_host_equal(&a, &c));
        EXPECT_TRUE("port", net_address_hash(&salt, &a) != net_address_hash(&salt, &c));
    }
}

/* Best first, as each partner should hear of us. */
static void reachability(void)
{
    struct net_address v4 = address_of("8.8.8.8");
    struct net_address v6 = address_of("2a01:4f8::1");
    struct net_address tunnel = address_of("2002:808:808::1");
    struct net_address teredo = address_of("2001::1");
    struct net_address onion = address_of(ONION);
    struct net_address i2p = address_of(I2P);
    struct net_address closed = address_of("10.0.0.1");
    struct net_address none = {0};

    EXPECT_INT("closed", net_address_reachability(&closed, &v4), 0);
    EXPECT_TRUE("v4: v4", net_address_reachability(&v4, &v4) > net_address_reachability(&v6, &v4));
    EXPECT_TRUE("v6: v6", net_address_reachability(&v6, &v6) > net_address_reachability(&v4, &v6));
    EXPECT_TRUE("v6: tunnel",
                net_address_reachability(&v4, &v6) > net_address_reachability(&tunnel, &v6));
    EXPECT_TRUE("v6: teredo",
                net_address_reachability(&tunnel, &v6) > net_address_reachability(&teredo, &v6));
    EXPECT_TRUE("v6: onion",
                net_address_reachability(&teredo, &v6) > net_address_reachability(&onion, &v6));
    EXPECT_TRUE("onion: onion",
                net_address_reachability(&onion, &onion) > net_address_reachability(&v4, &onion));
    EXPECT_TRUE("onion: v4",
                net_address_reachability(&v4, &onion) > net_address_reachability(&v6, &onion));
    EXPECT_TRUE("i2p: i2p",
                net_address_reachability(&i2p, &i2p) > net_address_reachability(&v4, &i2p));
    EXPECT_TRUE("teredo: v4",
                net_address_reachability(&v4, &teredo) > net_address_reachability(&v6, &teredo));
    EXPECT_TRUE("unknown: onion",
                net_address_reachability(&onion, &none) > net_address_reachability(&v4, &none));
}

static void names_and_ports(void)
{
    for (enum net_kind net = NET_IPV4; net <= NET_CJDNS; net++)
        EXPECT_INT(net_name(net), net_read_name(net_name(net)), net);
    EXPECT_INT("case", net_read_name("OnIoN"), NET_ONION);
    EXPECT_INT("tor", net_read_name("tor"), NET_UNROUTABLE);
    EXPECT_INT("internal", net_read_name("internal"), NET_UNROUTABLE);
    EXPECT_TRUE("ssh", net_port_is_bad(22) && net_port_is_bad(1) && net_port_is_bad(27017));
    EXPECT_TRUE("ours", !net_port_is_bad(8333) && !net_port_is_bad(0) && !net_port_is_bad(18));
}

TEST_LIST(TEST(text_both_ways), TEST(refuses_text), TEST(splits_host_and_port), TEST(kinds),
          TEST(cjdns_and_internal), TEST(bytes_both_ways), TEST(reads_version_2), TEST(groups),
          TEST(keys), TEST(order_and_hash), TEST(reachability), TEST(names_and_ports))
