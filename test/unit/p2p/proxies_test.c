#include "p2p/proxies.h"

#include "p2p/fixed_seeds.h"

#include "test.h"

static int read(struct proxies *ret, struct proxies_options options, struct error *err)
{
    return proxies_read(ret, &options, err);
}

static const char *way(const struct proxies *p, enum net_kind net)
{
    static char text[PROXY_TEXT_SIZE];

    return proxy_text(text, proxies_find(p, net));
}

static void nothing_said(void)
{
    struct proxies p;

    EXPECT_INT("none", read(&p, (struct proxies_options){.listen_onion = true}, NULL), 0);
    EXPECT_TRUE("v4 v6", proxies_reach(&p, NET_IPV4) && proxies_reach(&p, NET_IPV6));
    EXPECT_TRUE("no others", !proxies_reach(&p, NET_ONION) && !proxies_reach(&p, NET_I2P) &&
                                 !proxies_reach(&p, NET_CJDNS));
    EXPECT_TRUE("directly", proxies_find(&p, NET_IPV4) == NULL && !p.names.is_set);
    EXPECT_TRUE("Tor may come", p.onion_by_only_net && !p.has_onion_option);
}

static void one_for_all(void)
{
    struct net_endpoint endpoint;
    struct proxies p;

    EXPECT_INT("all",
               read(&p,
                    (struct proxies_options){.proxy = (const char *const[]){"127.0.0.1"},
                                             .proxy_n = 1,
                                             .randomize = true,
                                             .cjdns_reachable = true},
                    NULL),
               0);
    EXPECT_STR("v4", way(&p, NET_IPV4), "127.0.0.1:9050");
    EXPECT_STR("v6", way(&p, NET_IPV6), "127.0.0.1:9050");
    EXPECT_STR("onion", way(&p, NET_ONION), "127.0.0.1:9050");
    EXPECT_STR("cjdns", way(&p, NET_CJDNS), "127.0.0.1:9050");
    EXPECT_STR("i2p", way(&p, NET_I2P), "");
    EXPECT_TRUE("names", p.names.is_set && p.names.isolates);
    EXPECT_TRUE("onion", proxies_reach(&p, NET_ONION) && proxies_reach(&p, NET_CJDNS));
    EXPECT_TRUE("endpoint", proxy_endpoint(&endpoint, proxies_find(&p, NET_IPV4)));
    EXPECT_U64("port", endpoint.port, 9050);
    EXPECT_BYTES("mapped", endpoint.ip + 10, 6, "\xff\xff\x7f\0\0\1", 6);
}

static void each_its_own(void)
{
    struct proxies p;

    EXPECT_INT(
        "each",
        read(&p,
             (struct proxies_options){
                 .proxy = (const char *const[]){"1.2.3.4:1=ipv4", "1.2.3.4:2=IPv6",
                                                "unix:/run/tor/socks=onion", "[::1]:4=cjdns"},
                 .proxy_n = 4,
                 .i2p_sam = "127.0.0.1"},
             NULL),
        0);
    EXPECT_STR("v4", way(&p, NET_IPV4), "1.2.3.4:1");
    EXPECT_STR("v6", way(&p, NET_IPV6), "1.2.3.4:2");
    EXPECT_STR("onion", way(&p, NET_ONION), "unix:/run/tor/socks");
    EXPECT_STR("cjdns", way(&p, NET_CJDNS), "[::1]:4");
    EXPECT_STR("i2p", way(&p, NET_I2P), "127.0.0.1:7656");
    EXPECT_TRUE("names go the last way", p.names.address.port == 2);
    EXPECT_TRUE("reachable", proxies_reach(&p, NET_I2P) && !proxies_reach(&p, NET_CJDNS));
    EXPECT_INT("taken back",
               read(&p,
                    (struct proxies_options){.proxy = (const char *const[]){"1.2.3.4:1", "0=ipv6"},
                                             .proxy_n = 2,
                                             .onion = "0"},
                    NULL),
               0);
    EXPECT_STR("v4", way(&p, NET_IPV4), "1.2.3.4:1");
    EXPECT_STR("v6", way(&p, NET_IPV6), "");
    EXPECT_STR("onion", way(&p, NET_ONION), "");
    EXPECT_TRUE("onion", p.has_onion_option && !proxies_reach(&p, NET_ONION));
}

static const struct {
    const char *proxy;
    const char *onion;
    const char *i2p;
    const char *only;
    const char *want;
} bad_rows[] = {
    {"abc..abc:23456", NULL, NULL, NULL, "Invalid -proxy address or hostname: 'abc..abc:23456'"},
    {"127.0.0.1:1=", NULL, NULL, NULL,
     "Invalid -proxy address or hostname, ends with '=': '127.0.0.1:1='"},
    {"127.0.0.1:1=foo", NULL, NULL, NULL,
     "Unrecognized network in -proxy='127.0.0.1:1=foo': 'foo'"},
    {"127.0.0.1:1=i2p", NULL, NULL, NULL,
     "Unrecognized network in -proxy='127.0.0.1:1=i2p': 'i2p'"},
    {"127.0.0.1:99999", NULL, NULL, NULL, "Invalid port specified in -proxy: '127.0.0.1:99999'"},
    {NULL, "xyz:abc", NULL, NULL, "Invalid port specified in -onion: 'xyz:abc'"},
    {NULL, "xyz:1", NULL, NULL, "Invalid -onion address or hostname: 'xyz:1'"},
    {NULL, NULL, "def:xyz", NULL, "Invalid port specified in -i2psam: 'def:xyz'"},
    {NULL, NULL, "def", NULL, "Invalid -i2psam address or hostname: 'def'"},
    {NULL, NULL, "unix:/x", NULL, "Invalid port specified in -i2psam: 'unix:/x'"},
    {NULL, NULL, NULL, "abc", "Unknown network specified in -onlynet: 'abc'"},
    {NULL, "0", NULL, "onion",
     "Outbound connections restricted to Tor (-onlynet=onion) but the proxy for reaching the Tor "
     "network is explicitly forbidden: -onion=0"},
    {NULL, NULL, NULL, "onion",
     "Outbound connections restricted to Tor (-onlynet=onion) but the proxy for reaching the Tor "
     "network is not provided: none of -proxy, -onion or -listenonion is given"},
    {NULL, NULL, NULL, "cjdns",
     "Outbound connections restricted to CJDNS (-onlynet=cjdns) but -cjdnsreachable is not "
     "provided"},
    {NULL, NULL, NULL, "i2p",
     "Outbound connections restricted to i2p (-onlynet=i2p) but -i2psam is not provided"},
};

static void refuses(void)
{
    for (size_t i = 0; i < ARRAY_LEN(bad_rows); i++) {
        struct proxies_options options = {.proxy = &bad_rows[i].proxy,
                                          .proxy_n = bad_rows[i].proxy != NULL ? 1 : 0,
                                          .onion = bad_rows[i].onion,
                                          .i2p_sam = bad_rows[i].i2p,
                                          .only_net = &bad_rows[i].only,
                                          .only_net_n = bad_rows[i].only != NULL ? 1 : 0};
        struct error err = {0};
        struct proxies p;

        EXPECT_INT(bad_rows[i].want, proxies_read(&p, &options, &err), E_MALFORMED);
        EXPECT_STR("text", err.shown.text, bad_rows[i].want);
    }
}

static void only_nets(void)
{
    const char *const only[] = {"IPv6", "onion"};
    struct proxies p;

    EXPECT_INT(
        "two",
        read(&p, (struct proxies_options){.only_net = only, .only_net_n = 2, .listen_onion = true},
             NULL),
        0);
    EXPECT_U64("v6, Tor later", p.reachable, 1U << NET_IPV6);
    EXPECT_TRUE("Tor later", p.onion_by_only_net);
}

static void fixed_seeds_are_addresses(void)
{
    for (enum network network = NETWORK_MAIN; network < NETWORK_COUNT; network++) {
        size_t n = 0;

        for (const char *const *seed = fixed_seeds_of(network); *seed != NULL; seed++, n++) {
            struct net_address address;

            EXPECT_TRUE(*seed, net_address_read(&address, *seed, strlen(*seed), 0));
            net_address_to_cjdns(&address);
            EXPECT_TRUE(*seed, net_address_is_routable(&address));
            EXPECT_TRUE(*seed, (address.port == 0) == (address.net == NET_I2P));
        }
        EXPECT_TRUE("some", (n > 50) == (network != NETWORK_REGTEST));
    }
}

TEST_LIST(TEST(nothing_said), TEST(one_for_all), TEST(each_its_own), TEST(refuses), TEST(only_nets),
          TEST(fixed_seeds_are_addresses))
