#include "p2p/local_addresses.h"

#include "test.h"

#define ONION "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8"

static struct net_address address_of(const char *text)
{
    struct net_address address;

    CHECK(net_address_read(&address, text, strlen(text), 8333));
    return address;
}

static bool add(struct local_addresses *locals, const char *text, int32_t score)
{
    struct net_address address = address_of(text);

    return local_addresses_add(locals, &address, score);
}

static void scores_and_ports(void)
{
    struct local_addresses locals = {0};
    struct net_address address = address_of("8.8.8.8:5");
    const struct local_address *local;

    EXPECT_TRUE("not routable", !add(&locals, "10.0.0.1", LOCAL_MANUAL));
    EXPECT_TRUE("kept", add(&locals, "8.8.8.8:1", LOCAL_BIND));
    EXPECT_TRUE("kept", add(&locals, "8.8.8.8:2", LOCAL_INTERFACE));
    local = local_addresses_find(&locals, &address);
    EXPECT_TRUE("lower score changes nothing",
                local != NULL && local->score == LOCAL_BIND && local->address.port == 1);
    EXPECT_TRUE("kept", add(&locals, "8.8.8.8:3", LOCAL_MANUAL));
    EXPECT_TRUE("higher brings its port",
                local->score == LOCAL_MANUAL + 1 && local->address.port == 3);
    EXPECT_TRUE("seen", local_addresses_seen(&locals, &address));
    EXPECT_INT("counts", local->score, LOCAL_MANUAL + 2);
    local_addresses_remove(&locals, &address);
    EXPECT_TRUE("gone", local_addresses_find(&locals, &address) == NULL && locals.n == 0);
    EXPECT_TRUE("not seen", !local_addresses_seen(&locals, &address));
}

static void ordered_and_bounded(void)
{
    struct local_addresses locals = {0};

    for (unsigned i = 0; i < 2 * LOCAL_ADDRESSES_MAX; i++) {
        const uint8_t ip[4] = {8, (uint8_t)test_random(), (uint8_t)test_random(), 1};
        struct net_address address = net_address_ipv4(ip, 1);

        (void)local_addresses_add(&locals, &address, LOCAL_BIND);
        for (size_t j = 1; j < locals.n; j++)
            EXPECT_TRUE("order", net_address_compare(&locals.list[j - 1].address,
                                                     &locals.list[j].address) < 0);
    }
    EXPECT_U64("bound", locals.n, LOCAL_ADDRESSES_MAX);
}

/* Ours: v4, v6, onion. Who hears what. */
static const struct {
    const char *partner;
    enum net_kind net;
    const char *want;
} rows[] = {
    {"9.9.9.9", NET_IPV4, "8.8.8.8:8333"},
    {"2a01::9", NET_IPV6, "[2a01:4f8::1]:8333"},
    {ONION, NET_ONION, ONION},
    {"127.0.0.1", NET_ONION, ONION},
    {"9.9.9.9", NET_I2P, NULL},
};

static void best_for_each(void)
{
    struct local_addresses locals = {0};

    (void)add(&locals, "8.8.8.8", LOCAL_MANUAL);
    (void)add(&locals, "8.8.4.4", LOCAL_BIND);
    (void)add(&locals, "2a01:4f8::1", LOCAL_BIND);
    (void)add(&locals, ONION, LOCAL_MANUAL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct net_address partner = address_of(rows[i].partner);
        const struct local_address *best = local_addresses_best(&locals, &partner, rows[i].net);
        char text[NET_ADDRESS_TEXT_SIZE];

        EXPECT_INT(rows[i].partner, best != NULL, rows[i].want != NULL);
        if (best != NULL && rows[i].want != NULL)
            EXPECT_STR(rows[i].partner, net_address_text(text, &best->address), rows[i].want);
    }
}

TEST_LIST(TEST(scores_and_ports), TEST(ordered_and_bounded), TEST(best_for_each))
