#include "p2p/eviction.h"

#include "base/alloc.h"

#include "test.h"

typedef struct eviction_candidate candidate;

static void fill(candidate *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        list[i] = (candidate){
            .id = (int64_t)i,
            .connected_us = (int64_t)test_random_below(1000000),
            .min_ping_us = (int64_t)test_random_below(1000000),
            .last_block_s = (int64_t)test_random_below(3),
            .last_tx_s = (int64_t)test_random_below(3),
            .group = test_random_below(20),
            .net = test_random_below(3) == 0 ? NET_ONION : NET_IPV4,
            .has_services = test_random_below(2) == 0,
            .relays_txs = test_random_below(2) == 0,
            .has_filter = test_random_below(2) == 0,
            .is_local = test_random_below(10) == 0,
        };
}

static void shuffle(candidate *list, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)test_random_below(i);
        candidate kept = list[i - 1];

        list[i - 1] = list[j];
        list[j] = kept;
    }
}

/* Does any of 40 candidates of which those with rank below protected_n are the best in
 * something ever go? set gives the one of that rank its merit. */
static bool ever_goes(void (*set)(candidate *c, size_t rank), size_t protected_n)
{
    bool goes = false;

    for (unsigned round = 0; round < 300; round++) {
        candidate list[40];
        int64_t id = -1;

        fill(list, ARRAY_LEN(list));
        for (size_t i = 0; i < ARRAY_LEN(list); i++)
            set(&list[i], i);
        shuffle(list, ARRAY_LEN(list));
        EXPECT_TRUE("of forty one can go", eviction_choose_inbound(&id, list, ARRAY_LEN(list)));
        goes = goes || (size_t)id < protected_n;
    }
    return goes;
}

static void set_group(candidate *c, size_t rank)
{
    c->group = 1000 - rank;
}

static void set_ping(candidate *c, size_t rank)
{
    c->min_ping_us = (int64_t)rank;
}

static void set_tx(candidate *c, size_t rank)
{
    c->last_tx_s = 1000 - (int64_t)rank;
}

static void set_block(candidate *c, size_t rank)
{
    c->last_block_s = 1000 - (int64_t)rank;
}

static void set_block_relay(candidate *c, size_t rank)
{
    c->last_block_s = 1000 - (int64_t)rank;
    c->relays_txs = rank >= 8;
    c->has_services = true;
}

static void set_age(candidate *c, size_t rank)
{
    c->connected_us = (int64_t)rank;
    c->net = NET_IPV4;
    c->is_local = false;
}

static void set_protected(candidate *c, size_t rank)
{
    c->is_protected = rank < 10;
}

static void merits_protect(void)
{
    EXPECT_TRUE("4 by group", !ever_goes(set_group, 4));
    EXPECT_TRUE("not all by group", ever_goes(set_group, 40));
    EXPECT_TRUE("8 by ping", !ever_goes(set_ping, 8));
    EXPECT_TRUE("4 by transactions", !ever_goes(set_tx, 4));
    EXPECT_TRUE("4 by blocks", !ever_goes(set_block, 4));
    EXPECT_TRUE("8 that only relay blocks, and 4", !ever_goes(set_block_relay, 12));
    EXPECT_TRUE("the oldest of those that remain", !ever_goes(set_age, 6));
    EXPECT_TRUE("noban and outbound", !ever_goes(set_protected, 10));
}

static void few_are_all_protected(void)
{
    for (size_t n = 0; n <= 30; n++) {
        candidate list[30];
        int64_t id = -1;
        bool can;

        fill(list, n);
        for (size_t i = 0; i < n; i++) {
            list[i].relays_txs = true;
            list[i].group = i;
        }
        can = eviction_choose_inbound(&id, list, n);
        /* 4 + 8 + 4 + 4, and the half of one is none. */
        EXPECT_INT("twenty stay", can, n > 20);
    }
}

/* A group of many loses its youngest, unless one is to go anyway. */
static void largest_group_loses_its_youngest(void)
{
    candidate list[60];
    int64_t id = -1;

    for (unsigned has_preferred = 0; has_preferred < 2; has_preferred++) {
        for (size_t i = 0; i < ARRAY_LEN(list); i++)
            list[i] = (candidate){.id = (int64_t)i,
                                  .connected_us = 1000 + (int64_t)i,
                                  .min_ping_us = 1000 - (int64_t)i % 7,
                                  .group = i >= 20 && i < 55 ? 5 : 100 + i,
                                  .net = NET_IPV4,
                                  .relays_txs = true};
        list[53].is_preferred = has_preferred != 0;
        EXPECT_TRUE("one goes", eviction_choose_inbound(&id, list, ARRAY_LEN(list)));
        EXPECT_TRUE("of the group", id >= 20 && id < 55);
        EXPECT_INT("the preferred one, or not", id == 53, has_preferred != 0);
    }
}

/* --- By ratio --- */

/* A row sets the networks of the candidates by age (the first is youngest); the text
 * under it says who stays: 'x' protected, '.' not. */
static const struct {
    const char *label;
    const char *nets; /* 4 IPv4, o onion, i I2P, c CJDNS, l local. */
    const char *want;
} ratio_rows[] = {
    {"age alone", "44444444", "....xxxx"},
    {"one onion, young", "o4444444", "x....xxx"},
    {"quarter for onion", "oo444444", "xx....xx"},
    {"a quarter at most", "ooo44444", ".xx...xx"},
    {"old onions", "444444oo", "....xxxx"},
    {"two networks", "oi444444", "xx....xx"},
    {"two networks, two each", "ooii444444444444", "xxxx........xxxx"},
    {"smaller first", "oiiic44444444444", "x.xxx.......xxxx"},
    {"what is unused is shared again", "iooooo4444444444", "x..xxx......xxxx"},
    {"local", "l4444444", "x....xxx"},
    {"odd", "o44", "..x"},
    {"four kinds", "lcoi444444444444", "xxxx........xxxx"},
};

static void ratios(void)
{
    for (size_t row = 0; row < ARRAY_LEN(ratio_rows); row++) {
        size_t n = strlen(ratio_rows[row].nets);
        candidate list[32];
        char got[33];
        size_t left;

        for (size_t i = 0; i < n; i++) {
            char c = ratio_rows[row].nets[i];

            list[i] = (candidate){.id = (int64_t)i, .connected_us = 1000 - (int64_t)i};
            list[i].net = c == 'o'   ? NET_ONION
                          : c == 'i' ? NET_I2P
                          : c == 'c' ? NET_CJDNS
                                     : NET_IPV4;
            list[i].is_local = c == 'l';
            got[i] = 'x';
        }
        got[n] = '\0';
        shuffle(list, n);
        left = eviction_protect_by_ratio(list, n);
        for (size_t i = 0; i < left; i++)
            got[list[i].id] = '.';
        EXPECT_STR(ratio_rows[row].label, got, ratio_rows[row].want);
    }
}

/* --- Outbound --- */

#define OLD_US 0
#define NOW_US EVICTION_AGE_MIN_US

static void block_relay_extra(void)
{
    struct eviction_outbound peers[] = {
        {.id = 7, .is_block_relay_only = true, .last_block_s = 5},
        {.id = 9, .is_block_relay_only = true, .last_block_s = 5},
        {.id = 3, .is_block_relay_only = true, .last_block_s = 5},
        {.id = 11, .is_block_relay_only = false},
    };
    int64_t id = -1;

    EXPECT_INT("none", eviction_choose_block_relay(&id, peers + 3, 1, NOW_US), EVICTION_NONE);
    EXPECT_INT("youngest", eviction_choose_block_relay(&id, peers, 4, NOW_US), EVICTION_GO);
    EXPECT_INT("youngest", id, 9);
    peers[1].last_block_s = 6;
    EXPECT_INT("second", eviction_choose_block_relay(&id, peers, 4, NOW_US), EVICTION_GO);
    EXPECT_INT("second", id, 7);
    EXPECT_INT("too young", eviction_choose_block_relay(&id, peers, 4, NOW_US - 1), EVICTION_KEEP);
    peers[0].blocks_in_flight = 1;
    EXPECT_INT("busy", eviction_choose_block_relay(&id, peers, 4, NOW_US), EVICTION_KEEP);
}

static void full_relay_extra(void)
{
    struct eviction_outbound peers[] = {
        {.id = 1, .last_announcement_s = 8},    {.id = 2, .last_announcement_s = 3},
        {.id = 3, .last_announcement_s = 3},    {.id = 4, .last_announcement_s = 9},
        {.id = 5, .is_block_relay_only = true},
    };
    int64_t id = -1;

    EXPECT_INT("worst", eviction_choose_full_relay(&id, peers, 5, NOW_US + 1), EVICTION_GO);
    EXPECT_INT("the younger of two", id, 3);
    EXPECT_INT("too young", eviction_choose_full_relay(&id, peers, 5, NOW_US), EVICTION_KEEP);
    peers[2].is_protected = true;
    peers[1].is_alone_on_network = true;
    EXPECT_INT("next", eviction_choose_full_relay(&id, peers, 5, NOW_US + 1), EVICTION_GO);
    EXPECT_INT("next", id, 1);
    peers[0].blocks_in_flight = 2;
    EXPECT_INT("busy", eviction_choose_full_relay(&id, peers, 5, NOW_US + 1), EVICTION_KEEP);
    EXPECT_INT("none", eviction_choose_full_relay(&id, peers + 4, 1, NOW_US), EVICTION_NONE);
}

TEST_LIST(TEST(merits_protect), TEST(few_are_all_protected), TEST(largest_group_loses_its_youngest),
          TEST(ratios), TEST(block_relay_extra), TEST(full_relay_extra))
