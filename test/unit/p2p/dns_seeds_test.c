#include "p2p/dns_seeds.h"

#include "test.h"

#define NOW_MS 1700000000000

static const uint8_t seed[RANDOM_SEED_BYTES];
static const char *const names[] = {"a.example", "b.example", "c.example", "d.example", NULL};

struct scene {
    struct dns_seeds *seeds;
    struct addrman *man;
    struct dns_seeds_view view;
    char name[DNS_SEED_HOST_SIZE];
};

static void begin(struct scene *s, struct dns_seeds_options options, unsigned known_n)
{
    const struct addrman_options man_options = {.seed = seed};

    *s = (struct scene){.view = {.now_ms = NOW_MS, .is_active = true}};
    options.names = names;
    options.seed = seed;
    options.port = 8333;
    s->seeds = dns_seeds_new(&options);
    s->man = addrman_new(&man_options);
    for (unsigned i = 0; i < known_n; i++) {
        const uint8_t ip[4] = {(uint8_t)(20 + i / 250), (uint8_t)i, 1, 1};
        struct addrman_address known = {.address = net_address_ipv4(ip, 1),
                                        .time_s = NOW_MS / 1000};

        (void)addrman_add(s->man, &known, 1, &known.address, 0, NOW_MS / 1000);
    }
}

static void end(struct scene *s)
{
    dns_seeds_free(s->seeds);
    addrman_free(s->man);
}

static enum dns_seeds_what step(struct scene *s, int64_t later_ms)
{
    s->view.now_ms += later_ms;
    s->view.real_ms += later_ms;
    return dns_seeds_step(s->seeds, s->man, &s->view, s->name);
}

static void answer(struct scene *s, size_t n)
{
    struct net_address addresses[50];

    for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
        const uint8_t ip[4] = {60, (uint8_t)test_random(), (uint8_t)test_random(), (uint8_t)i};

        addresses[i] = net_address_ipv4(ip, 1);
    }
    dns_seeds_answered(s->seeds, s->man, addresses, n, s->view.now_ms);
}

static void nothing_known_asks_all(void)
{
    unsigned asked = 0;
    struct scene s;

    begin(&s, (struct dns_seeds_options){0}, 0);
    for (unsigned i = 0; i < 4; i++) {
        EXPECT_INT("ask", step(&s, 0), DNS_SEEDS_LOOK_UP);
        EXPECT_TRUE("prefix", strncmp(s.name, "x9.", 3) == 0);
        EXPECT_INT("not before the answer", step(&s, 100000), DNS_SEEDS_NOTHING);
        asked |= 1U << (s.name[3] - 'a');
        answer(&s, 50);
    }
    EXPECT_U64("each", asked, 15);
    EXPECT_INT("over", step(&s, 0), DNS_SEEDS_NOTHING);
    EXPECT_INT("for ever", step(&s, 10000000), DNS_SEEDS_NOTHING);
    EXPECT_TRUE("32 of each at most",
                addrman_size(s.man) > 80 && addrman_size(s.man) <= 4 * DNS_SEED_ADDRESSES_MAX);
    end(&s);
}

static void known_ones_are_tried_first(void)
{
    struct scene s;

    begin(&s, (struct dns_seeds_options){0}, 5);
    EXPECT_INT("waits", step(&s, 0), DNS_SEEDS_NOTHING);
    EXPECT_INT("waits", step(&s, 10999), DNS_SEEDS_NOTHING);
    for (unsigned i = 0; i < 3; i++) {
        EXPECT_INT("three", step(&s, 1), DNS_SEEDS_LOOK_UP);
        answer(&s, 3);
    }
    EXPECT_INT("waits again", step(&s, 0), DNS_SEEDS_NOTHING);
    s.view.full_ready_n = 2;
    EXPECT_INT("enough", step(&s, 11000), DNS_SEEDS_NOTHING);
    s.view.full_ready_n = 0;
    EXPECT_INT("over", step(&s, 1000000), DNS_SEEDS_NOTHING);
    end(&s);

    begin(&s, (struct dns_seeds_options){0}, 1500);
    CHECK(addrman_size(s.man) >= 1000);
    EXPECT_INT("waits", step(&s, 0), DNS_SEEDS_NOTHING);
    for (unsigned i = 0; i < 27; i++)
        EXPECT_INT("longer", step(&s, 11000), DNS_SEEDS_NOTHING);
    EXPECT_INT("five minutes", step(&s, 11000), DNS_SEEDS_LOOK_UP);
    end(&s);

    begin(&s, (struct dns_seeds_options){.is_forced = true}, 5);
    for (unsigned i = 0; i < 4; i++) {
        EXPECT_INT("forced", step(&s, 0), DNS_SEEDS_LOOK_UP);
        answer(&s, 1);
    }
    end(&s);
}

static void by_proxy_and_without_answer(void)
{
    struct scene s;

    begin(&s, (struct dns_seeds_options){.by_proxy = true}, 0);
    for (unsigned i = 0; i < 4; i++) {
        EXPECT_INT("fetch", step(&s, 0), DNS_SEEDS_FETCH);
        EXPECT_TRUE("plain name", strncmp(s.name + 1, ".example", 8) == 0);
    }
    EXPECT_INT("over", step(&s, 0), DNS_SEEDS_NOTHING);
    end(&s);

    begin(&s, (struct dns_seeds_options){0}, 0);
    EXPECT_INT("ask", step(&s, 0), DNS_SEEDS_LOOK_UP);
    answer(&s, 0);
    EXPECT_INT("then fetch", step(&s, 0), DNS_SEEDS_FETCH);
    EXPECT_INT("the next one", step(&s, 0), DNS_SEEDS_LOOK_UP);
    end(&s);
}

static void seed_nodes_first(void)
{
    struct scene s;

    begin(&s, (struct dns_seeds_options){.has_seed_nodes = true}, 0);
    EXPECT_INT("waits", step(&s, 0), DNS_SEEDS_NOTHING);
    EXPECT_INT("waits", step(&s, 30000), DNS_SEEDS_NOTHING);
    EXPECT_INT("half a minute", step(&s, 500), DNS_SEEDS_LOOK_UP);
    end(&s);

    begin(&s, (struct dns_seeds_options){.has_seed_nodes = true}, 3);
    EXPECT_INT("waits", step(&s, 0), DNS_SEEDS_NOTHING);
    s.view.full_ready_n = 2;
    EXPECT_INT("enough", step(&s, 500), DNS_SEEDS_NOTHING);
    s.view.full_ready_n = 0;
    EXPECT_INT("over", step(&s, 1000000), DNS_SEEDS_NOTHING);
    end(&s);
}

static void not_while_the_network_is_off(void)
{
    struct scene s;

    begin(&s, (struct dns_seeds_options){0}, 0);
    s.view.is_active = false;
    EXPECT_INT("off", step(&s, 0), DNS_SEEDS_NOTHING);
    EXPECT_INT("off", step(&s, 5000), DNS_SEEDS_NOTHING);
    s.view.is_active = true;
    EXPECT_INT("on", step(&s, 1000), DNS_SEEDS_LOOK_UP);
    end(&s);
}

TEST_LIST(TEST(nothing_known_asks_all), TEST(known_ones_are_tried_first),
          TEST(by_proxy_and_without_answer), TEST(seed_nodes_first),
          TEST(not_while_the_network_is_off))
