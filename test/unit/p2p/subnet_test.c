#include "p2p/subnet.h"

#include "test.h"

#define ONION "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"

static bool read(struct net_subnet *ret, const char *text)
{
    return net_subnet_read(ret, text, strlen(text), false);
}

static const struct {
    const char *in;
    const char *out;
} text_rows[] = {
    {"1.2.3.4", "1.2.3.4/32"},
    {"1.2.3.4/32", "1.2.3.4/32"},
    {"1.2.3.4/24", "1.2.3.0/24"},
    {"1.2.3.4/0", "0.0.0.0/0"},
    {"1.2.3.4/255.255.255.0", "1.2.3.0/24"},
    {"1.2.3.4/255.255.255.255", "1.2.3.4/32"},
    {"1.2.3.4/0.0.0.0", "0.0.0.0/0"},
    {"1.2.3.4/255.254.0.0", "1.2.0.0/15"},
    {"[1.2.3.4]/25", "1.2.3.0/25"},
    {"::1", "::1/128"},
    {"1:2:3:4:5:6:7:8/ffff:ffff:ffff:ffff::", "1:2:3:4::/64"},
    {"1:2:3:4:5:6:7:8/33", "1:2::/33"},
    {"[::]/0", "::/0"},
    {"::ffff:1.2.3.4/24", "1.2.3.0/24"},
    {ONION, ONION},
};

static void text_both_ways(void)
{
    for (size_t i = 0; i < ARRAY_LEN(text_rows); i++) {
        struct net_subnet subnet;
        struct net_subnet again;
        char text[NET_ADDRESS_TEXT_SIZE];

        EXPECT_TRUE(text_rows[i].in, read(&subnet, text_rows[i].in));
        EXPECT_STR(text_rows[i].in, net_subnet_text(text, &subnet), text_rows[i].out);
        EXPECT_TRUE(text, read(&again, text));
        EXPECT_TRUE(text, net_subnet_equal(&subnet, &again));
    }
}

static void refuses(void)
{
    static const char *const rows[] = {
        "",
        "/",
        "1.2.3.0/33",
        "1.2.3.0/-1",
        "1.2.3.0/",
        "1.2.3.0/x",
        "1.2.3.0/256",
        "1.2.3.0/300.0.0.0",
        "1.2.3.0/255.0.255.0",
        "1.2.3.0/::",
        "::/129",
        "::/ffff:0:ffff::",
        ONION "/32",
        "example.com",
        "1.2.3.0/24/",
        "fd6b:88c0:8724::1",
    };
    struct net_subnet subnet;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        EXPECT_TRUE(rows[i], !read(&subnet, rows[i]));
}

static const struct {
    const char *subnet;
    const char *inside;
    const char *outside;
} match_rows[] = {
    {"1.2.3.0/24", "1.2.3.255", "1.2.4.0"},
    {"1.2.3.4", "1.2.3.4", "1.2.3.5"},
    {"1.2.3.4/31", "1.2.3.5", "1.2.3.6"},
    {"0.0.0.0/0", "9.9.9.9", "::2"},
    {"::/0", "1:2::3", "1.2.3.4"},
    {"1:2:3:4::/65", "1:2:3:4:7fff::", "1:2:3:4:8000::"},
    {ONION, ONION, "1.2.3.4"},
    {"::/0", "::1", "::"},
    {"0.0.0.0/0", "127.0.0.1", "0.0.0.0"},
};

static void contains(void)
{
    for (size_t i = 0; i < ARRAY_LEN(match_rows); i++) {
        const char *label = match_rows[i].subnet;
        struct net_address address;
        struct net_subnet subnet;

        EXPECT_TRUE(label, read(&subnet, match_rows[i].subnet));
        CHECK(net_address_read(&address, match_rows[i].inside, strlen(match_rows[i].inside), 0));
        EXPECT_TRUE(label, net_subnet_contains(&subnet, &address));
        CHECK(net_address_read(&address, match_rows[i].outside, strlen(match_rows[i].outside), 0));
        EXPECT_TRUE(label, !net_subnet_contains(&subnet, &address));
    }
}

static void single_and_cjdns(void)
{
    struct net_subnet subnet;
    struct net_address internal = net_address_internal("x");

    EXPECT_TRUE("one", read(&subnet, "1.2.3.4") && net_subnet_is_single(&subnet));
    EXPECT_TRUE("two", read(&subnet, "1.2.3.4/31") && !net_subnet_is_single(&subnet));
    EXPECT_TRUE("onion", read(&subnet, ONION) && net_subnet_is_single(&subnet));
    EXPECT_TRUE("no name", !net_subnet_of_address(&subnet, &internal));
    EXPECT_TRUE("cjdns", net_subnet_read(&subnet, "fc00::1", 7, true));
    EXPECT_INT("cjdns", subnet.base.net, NET_CJDNS);
    EXPECT_TRUE("no networks of it", !net_subnet_read(&subnet, "fc00::/8", 8, true));
    EXPECT_TRUE("but of IPv6", net_subnet_read(&subnet, "fc00::/8", 8, false));
}

TEST_LIST(TEST(text_both_ways), TEST(refuses), TEST(contains), TEST(single_and_cjdns))
