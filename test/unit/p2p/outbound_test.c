#include "p2p/outbound.h"

#include "test.h"

#define NOW_MS 1700000000000
#define MINUTE_MS 60000

static const uint8_t seed[RANDOM_SEED_BYTES];
static const char *const fixed[] = {
    "8.8.8.8:8333", "[2a01::1]:8333",
    "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion:8333", NULL};

struct scene {
    struct outbound *outbound;
    struct addrman *man;
    struct outbound_view view;
    struct outbound_call call;
    struct net_address added;
    struct net_address connected;
    bool has_services;
};

static bool is_local(void *context, const struct net_address *address)
{
    (void)context;
    return address->net == NET_IPV4 && address->bytes[0] == 99;
}

static bool is_connected(void *context, const struct net_address *address)
{
    return net_address_host_equal(&((struct scene *)context)->connected, address);
}

static bool is_added(void *context, const struct net_address *address)
{
    return net_address_equal(&((struct scene *)context)->added, address);
}

static bool has_services(void *context, uint64_t services)
{
    return ((struct scene *)context)->has_services && (services & 9) == 9;
}

static void begin(struct scene *s, struct outbound_options options,
                  const struct addrman_address *anchors, size_t anchors_n)
{
    const struct addrman_options man_options = {.seed = seed};
    const struct outbound_questions questions = {s, is_local, is_connected, is_added, has_services};

    *s = (struct scene){.has_services = true};
    s->view = (struct outbound_view){
        .now_ms = NOW_MS, .has_slot = true, .reachable = 1U << NET_IPV4 | 1U << NET_IPV6};
    options.seed = seed;
    options.fixed = fixed;
    options.full_relay_max = 8;
    options.block_relay_max = 2;
    options.automatic_max = 11;
    s->man = addrman_new(&man_options);
    s->outbound = outbound_new(&options, &questions, anchors, anchors_n);
}

static void end(struct scene *s)
{
    outbound_free(s->outbound);
    addrman_free(s->man);
}

static enum outbound_what step(struct scene *s, int64_t later_ms)
{
    s->view.now_ms += later_ms;
    s->view.real_ms += later_ms;
    return outbound_step(s->outbound, s->man, &s->view, &s->call);
}

static struct addrman_address known(unsigned i, uint64_t services)
{
    const uint8_t ip[4] = {(uint8_t)(20 + i / 250), (uint8_t)i, 1, 1};

    return (struct addrman_address){
        .address = net_address_ipv4(ip, 8333), .services = services, .time_s = NOW_MS / 1000};
}

static void know(struct scene *s, unsigned n, uint64_t services)
{
    for (unsigned i = 0; i < n; i++) {
        struct addrman_address one = known(i, services);

        (void)addrman_add(s->man, &one, 1, &one.address, 0, NOW_MS / 1000);
    }
}

/* Ten slots: anchors, then full relay, then block relay, then feelers now and then. */
static void fills_slots_in_order(void)
{
    struct addrman_address anchors[2] = {known(300, 9), known(301, 9)};
    unsigned feelers = 0;
    struct scene s;

    begin(&s, (struct outbound_options){0}, anchors, 2);
    know(&s, 200, 9);
    for (unsigned i = 0; i < 2; i++) {
        EXPECT_INT("anchor", step(&s, 500), OUTBOUND_ADDRESS);
        EXPECT_INT("anchor", s.call.kind, PEER_BLOCK_RELAY);
        EXPECT_TRUE("anchor", net_address_equal(&s.call.known.address, &anchors[1 - i].address));
        s.view.block_relay_n++;
    }
    EXPECT_INT("not so soon", step(&s, 499), OUTBOUND_NOTHING);
    s.view.block_relay_n = 1;
    for (unsigned i = 0; i < 8; i++) {
        EXPECT_INT("full", step(&s, 500), OUTBOUND_ADDRESS);
        EXPECT_INT("full", s.call.kind, PEER_FULL_RELAY);
        s.view.full_relay_n++;
    }
    EXPECT_INT("block relay", step(&s, 500), OUTBOUND_ADDRESS);
    EXPECT_INT("block relay", s.call.kind, PEER_BLOCK_RELAY);
    s.view.block_relay_n = 2;
    s.view.nets_n[NET_IPV4] = 8;
    for (unsigned i = 0; i < 2000; i++) {
        if (step(&s, 1000) == OUTBOUND_NOTHING)
            continue;
        EXPECT_INT("feeler", s.call.kind, PEER_FEELER);
        feelers++;
    }
    EXPECT_TRUE("about every two minutes", feelers > 9 && feelers < 28);
    end(&s);
}

static void extras(void)
{
    unsigned extra = 0;
    struct scene s;

    begin(&s, (struct outbound_options){0}, NULL, 0);
    know(&s, 200, 9);
    s.view.full_relay_n = 8;
    s.view.block_relay_n = 2;
    s.view.nets_n[NET_IPV4] = 8;
    outbound_set_extra_full_relay(s.outbound, true);
    EXPECT_INT("old tip", step(&s, 500), OUTBOUND_ADDRESS);
    EXPECT_INT("old tip", s.call.kind, PEER_FULL_RELAY);
    outbound_set_extra_full_relay(s.outbound, false);
    outbound_start_extra_block_relay(s.outbound);
    for (unsigned i = 0; i < 3600; i++)
        extra += step(&s, 1000) == OUTBOUND_ADDRESS && s.call.kind == PEER_BLOCK_RELAY ? 1 : 0;
    EXPECT_TRUE("about every five minutes", extra > 4 && extra < 24);
    end(&s);
}

static void one_peer_of_each_network(void)
{
    struct addrman_address v6 = {.services = 9, .time_s = NOW_MS / 1000};
    unsigned made = 0;
    struct scene s;

    begin(&s, (struct outbound_options){0}, NULL, 0);
    know(&s, 50, 9);
    CHECK(net_address_read(&v6.address, "2a01:4f8::1", 11, 8333));
    (void)addrman_add(s.man, &v6, 1, &v6.address, 0, NOW_MS / 1000);
    s.view.full_relay_n = 8;
    s.view.block_relay_n = 2;
    s.view.nets_n[NET_IPV4] = 8;
    for (unsigned i = 0; i < 3600; i++) {
        if (step(&s, 1000) != OUTBOUND_ADDRESS || s.call.kind != PEER_FULL_RELAY)
            continue;
        made++;
        EXPECT_INT("IPv6", s.call.known.address.net, NET_IPV6);
    }
    EXPECT_TRUE("some", made > 3 && made < 25);
    s.view.nets_n[NET_IPV6] = 1;
    for (unsigned i = 0; i < 3600; i++)
        EXPECT_TRUE("there is one",
                    step(&s, 1000) == OUTBOUND_NOTHING || s.call.kind != PEER_FULL_RELAY);
    end(&s);
}

static void groups_are_apart(void)
{
    struct addrman_address first;
    struct scene s;

    begin(&s, (struct outbound_options){0}, NULL, 0);
    know(&s, 3, 9);
    EXPECT_INT("one", step(&s, 500), OUTBOUND_ADDRESS);
    EXPECT_TRUE("offline: failures do not count", !s.call.counts_failure);
    first = s.call.known;
    s.view.groups[s.view.groups_n++] = net_group_of(&first.address, 0);
    for (unsigned i = 0; i < 30; i++) {
        EXPECT_INT("another", step(&s, 500), OUTBOUND_ADDRESS);
        EXPECT_TRUE("of another group", !net_address_equal(&s.call.known.address, &first.address));
    }
    s.view.groups[s.view.groups_n++] = net_group_of(&s.call.known.address, 0);
    EXPECT_INT("two groups", step(&s, 500), OUTBOUND_ADDRESS);
    EXPECT_TRUE("we are online", s.call.counts_failure);
    s.view.groups[s.view.groups_n++] = net_group_of(&s.call.known.address, 0);
    EXPECT_INT("no fourth", step(&s, 500), OUTBOUND_NOTHING);
    end(&s);
}

static void who_is_not_called(void)
{
    struct addrman_address one = known(5, 9);
    struct scene s;

    begin(&s, (struct outbound_options){0}, NULL, 0);
    (void)addrman_add(s.man, &one, 1, &one.address, 0, NOW_MS / 1000);
    s.view.has_slot = false;
    EXPECT_INT("no slot", step(&s, 500), OUTBOUND_NOTHING);
    s.view.has_slot = true;
    s.view.reachable = 1U << NET_IPV6;
    EXPECT_INT("not reachable", step(&s, 500), OUTBOUND_NOTHING);
    s.view.reachable = 1U << NET_IPV4;
    s.added = one.address;
    EXPECT_INT("added", step(&s, 500), OUTBOUND_NOTHING);
    s.added.port = 1;
    s.has_services = false;
    EXPECT_INT("services", step(&s, 500), OUTBOUND_NOTHING);
    s.has_services = true;
    EXPECT_INT("now", step(&s, 500), OUTBOUND_ADDRESS);
    end(&s);

    begin(&s, (struct outbound_options){0}, NULL, 0);
    one.address.bytes[0] = 99;
    (void)addrman_add(s.man, &one, 1, &one.address, 0, NOW_MS / 1000);
    EXPECT_INT("ourselves", step(&s, 500), OUTBOUND_NOTHING);
    end(&s);

    begin(&s, (struct outbound_options){0}, NULL, 0);
    one = known(6, 9);
    one.address.port = 22;
    (void)addrman_add(s.man, &one, 1, &one.address, 0, NOW_MS / 1000);
    EXPECT_INT("a bad port, after 50 tries", step(&s, 500), OUTBOUND_ADDRESS);
    addrman_attempt(s.man, &one.address, false, NOW_MS / 1000);
    EXPECT_INT("just tried, but the only one", step(&s, 500), OUTBOUND_ADDRESS);
    end(&s);
}

static void seed_nodes(void)
{
    static const char *const names[] = {"one.example", "two.example"};
    struct scene s;

    begin(&s, (struct outbound_options){.seed_nodes = names, .seed_nodes_n = 2}, NULL, 0);
    EXPECT_INT("at once", step(&s, 0), OUTBOUND_NAME);
    EXPECT_STR("the last", s.call.name, "two.example");
    EXPECT_INT("kind", s.call.kind, PEER_ADDR_FETCH);
    EXPECT_INT("not yet", step(&s, 5000), OUTBOUND_NOTHING);
    EXPECT_INT("noted", step(&s, 5500), OUTBOUND_NOTHING);
    EXPECT_INT("then", step(&s, 500), OUTBOUND_NAME);
    EXPECT_STR("the first", s.call.name, "one.example");
    outbound_fetch_from(s.outbound, "three.example");
    EXPECT_INT("asked for", step(&s, 500), OUTBOUND_NAME);
    EXPECT_STR("asked for", s.call.name, "three.example");
    end(&s);
}

static void fixed_seeds_as_a_last_resort(void)
{
    struct scene s;

    begin(&s, (struct outbound_options){.fixed_seeds = true, .dns_seed = true}, NULL, 0);
    EXPECT_INT("DNS first", step(&s, 500), OUTBOUND_NOTHING);
    EXPECT_INT("DNS first", step(&s, MINUTE_MS - 600), OUTBOUND_NOTHING);
    EXPECT_U64("none yet", addrman_size(s.man), 0);
    (void)step(&s, 700);
    EXPECT_U64("of reachable networks", addrman_size(s.man), 2);
    end(&s);

    begin(&s, (struct outbound_options){.fixed_seeds = true}, NULL, 0);
    (void)step(&s, 0);
    EXPECT_U64("at once", addrman_size(s.man), 2);
    end(&s);

    begin(&s, (struct outbound_options){.fixed_seeds = true}, NULL, 0);
    s.view.has_added_nodes = true;
    (void)step(&s, 500);
    EXPECT_U64("added nodes first", addrman_size(s.man), 0);
    end(&s);

    begin(&s, (struct outbound_options){0}, NULL, 0);
    (void)step(&s, 2 * MINUTE_MS);
    EXPECT_U64("off", addrman_size(s.man), 0);
    end(&s);
}

TEST_LIST(TEST(fills_slots_in_order), TEST(extras), TEST(one_peer_of_each_network),
          TEST(groups_are_apart), TEST(who_is_not_called), TEST(seed_nodes),
          TEST(fixed_seeds_as_a_last_resort))
