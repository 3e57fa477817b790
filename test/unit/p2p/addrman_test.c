#include "p2p/addrman.h"

#include "base/alloc.h"
#include "crypto/sha256.h"
#include "p2p/addrman_priv.h"

#include "test.h"

#define NOW 1700000000
#define DAY (24 * 60 * 60)
#define ONION "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion"
#define I2P "ukeu3k5oycgaauneqgtnvselmt4yemvoilkln7jpvamvfx7dnkdq.b32.i2p"

static const uint8_t magic[4] = {0xfa, 0xbf, 0xb5, 0xda};
static const uint8_t zeros[32];

static struct addrman *make(void)
{
    const struct addrman_options options = {.seed = zeros, .has_known_key = true, .check_ratio = 1};

    return addrman_new(&options);
}

static struct net_address address_of(const char *text)
{
    struct net_address address;

    CHECK(net_address_read(&address, text, strlen(text), 8333));
    if (address.bytes[0] == 0xfc)
        net_address_to_cjdns(&address);
    return address;
}

static bool add(struct addrman *man, const char *text, const char *source, int64_t time_s)
{
    const struct addrman_address known = {
        .address = address_of(text), .services = 9, .time_s = time_s};
    struct net_address from = address_of(source);

    return addrman_add(man, &known, 1, &from, 0, NOW);
}

static bool good(struct addrman *man, const char *text, int64_t now_s)
{
    struct net_address address = address_of(text);

    return addrman_good(man, &address, now_s);
}

static struct entry *entry_of(struct addrman *man, const char *text)
{
    struct net_address address = address_of(text);
    int32_t id = addrman_id_of(man, &address);

    CHECK(id != NOBODY);
    return &man->entries[id];
}

/* --- Where things go: as another program (Bitcoin Core, -test=addrman) puts them --- */

static const struct {
    const char *text;
    bool is_tried;
    int32_t bucket;
    int32_t position;
} place_rows[] = {
    {"2a01:4f8::1", false, 76, 35},
    {"2.0.0.0", false, 82, 8},
    {"2.0.1.1", false, 82, 56},
    {"8.8.8.8", false, 125, 41},
    {"fc00:1:2:3:4:5:6:7", false, 336, 24},
    {I2P ":0", false, 587, 63},
    {ONION, false, 752, 15},
    {"1.2.3.4", false, 774, 4},
    {"2002:102:304::1", false, 774, 46},
    {"2a02::1", true, 42, 33},
    {"3.4.5.6", true, 73, 28},
    {"9.9.9.9", true, 93, 7},
};

static struct addrman *make_with_places(void)
{
    struct addrman *man = make();

    for (size_t i = 0; i < ARRAY_LEN(place_rows); i++) {
        EXPECT_TRUE(place_rows[i].text,
                    add(man, place_rows[i].text, place_rows[i].text, NOW - (int64_t)i));
        if (place_rows[i].is_tried)
            EXPECT_TRUE(place_rows[i].text, good(man, place_rows[i].text, NOW));
    }
    return man;
}

static void places(void)
{
    struct addrman *man = make_with_places();
    struct addrman_entry *list;
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(place_rows); i++) {
        struct net_address address = address_of(place_rows[i].text);
        struct addrman_place place = {0};

        EXPECT_TRUE(place_rows[i].text, addrman_find(man, &place, &address));
        EXPECT_INT(place_rows[i].text, place.is_tried, place_rows[i].is_tried);
        EXPECT_INT(place_rows[i].text, place.bucket, place_rows[i].bucket);
        EXPECT_INT(place_rows[i].text, place.position, place_rows[i].position);
        EXPECT_U64(place_rows[i].text, place.multiplicity, 1);
    }
    for (unsigned is_tried = 0; is_tried < 2; is_tried++) {
        size_t here = addrman_entries(man, &list, is_tried != 0);

        for (size_t i = 0; i < here; i++, n++) {
            struct net_address want = address_of(place_rows[n].text);

            EXPECT_TRUE(place_rows[n].text, net_address_equal(&list[i].known.address, &want));
            EXPECT_INT(place_rows[n].text, list[i].place.bucket, place_rows[n].bucket);
            EXPECT_TRUE(place_rows[n].text, net_address_host_equal(&list[i].source, &want));
        }
        free(list);
    }
    EXPECT_U64("all of them", n, ARRAY_LEN(place_rows));
    EXPECT_U64("size", addrman_size(man), ARRAY_LEN(place_rows));
    EXPECT_U64("tried", addrman_count(man, NET_COUNT, true), 3);
    EXPECT_U64("new on IPv6", addrman_count(man, NET_IPV6, false), 2);
    EXPECT_U64("tried on IPv6", addrman_count(man, NET_IPV6, true), 1);
    addrman_free(man);
}

/* --- Learning --- */

static void refuses_what_nobody_can_reach(void)
{
    static const char *const rows[] = {"10.0.0.1", "127.0.0.1", "0.0.0.0", "::1", "2001:db8::1"};
    struct addrman *man = make();

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        EXPECT_TRUE(rows[i], !add(man, rows[i], "8.8.8.8", NOW));
    EXPECT_U64("empty", addrman_size(man), 0);
    EXPECT_TRUE("one", add(man, "8.8.8.8", "9.9.9.9", NOW));
    EXPECT_TRUE("known already", !add(man, "8.8.8.8", "9.9.9.9", NOW));
    EXPECT_TRUE("another port", add(man, "8.8.8.8:1", "9.9.9.9", NOW));
    EXPECT_U64("two", addrman_size(man), 2);
    addrman_free(man);
}

static void times_and_services(void)
{
    struct addrman_address known = {.address = address_of("8.8.8.8"), .time_s = NOW - 100};
    struct net_address source = address_of("9.9.9.9");
    struct addrman *man = make();

    (void)addrman_add(man, &known, 1, &source, 50, NOW);
    EXPECT_INT("penalty", entry_of(man, "8.8.8.8")->time_s, NOW - 150);
    known.time_s = NOW;
    known.services = 8;
    (void)addrman_add(man, &known, 1, &source, 0, NOW);
    EXPECT_INT("too little news", entry_of(man, "8.8.8.8")->time_s, NOW - 150);
    EXPECT_U64("services add up", entry_of(man, "8.8.8.8")->services, 8);
    known.time_s = NOW + 4000;
    known.services = 1;
    (void)addrman_add(man, &known, 1, &source, 100, NOW);
    EXPECT_INT("news", entry_of(man, "8.8.8.8")->time_s, NOW + 3900);
    EXPECT_U64("services add up", entry_of(man, "8.8.8.8")->services, 9);
    addrman_set_services(man, &known.address, 4);
    EXPECT_U64("set", entry_of(man, "8.8.8.8")->services, 4);

    known.address = address_of("7.7.7.7");
    known.time_s = 30;
    (void)addrman_add(man, &known, 1, &source, 50, NOW);
    EXPECT_INT("not below zero", entry_of(man, "7.7.7.7")->time_s, 0);
    known.address = address_of("6.6.6.6");
    known.time_s = 1000;
    (void)addrman_add(man, &known, 1, &known.address, 50, NOW);
    EXPECT_INT("none for itself", entry_of(man, "6.6.6.6")->time_s, 1000);
    addrman_connected(man, &known.address, 1000 + 20 * 60);
    EXPECT_INT("connected, no news", entry_of(man, "6.6.6.6")->time_s, 1000);
    addrman_connected(man, &known.address, 1001 + 20 * 60);
    EXPECT_INT("connected", entry_of(man, "6.6.6.6")->time_s, 1001 + 20 * 60);
    addrman_free(man);
}

static void attempts_count_once_a_success(void)
{
    struct addrman *man = make();
    struct net_address address = address_of("8.8.8.8");

    (void)add(man, "8.8.8.8", "9.9.9.9", NOW);
    (void)add(man, "7.7.7.7", "9.9.9.9", NOW);
    addrman_attempt(man, &address, false, NOW);
    EXPECT_INT("does not count", entry_of(man, "8.8.8.8")->attempts, 0);
    EXPECT_INT("but was tried", entry_of(man, "8.8.8.8")->last_try_s, NOW);
    addrman_attempt(man, &address, true, NOW);
    addrman_attempt(man, &address, true, NOW + 1);
    EXPECT_INT("once", entry_of(man, "8.8.8.8")->attempts, 1);
    (void)good(man, "7.7.7.7", NOW + 2);
    addrman_attempt(man, &address, true, NOW + 3);
    EXPECT_INT("another answered since", entry_of(man, "8.8.8.8")->attempts, 2);
    (void)good(man, "8.8.8.8", NOW + 4);
    EXPECT_INT("forgotten", entry_of(man, "8.8.8.8")->attempts, 0);
    addrman_free(man);
}

/* One source group reaches at most 64 buckets, whatever it sends. */
static void sources_are_bounded(void)
{
    const struct addrman_options options = {.seed = zeros, .check_ratio = 0};
    struct addrman *man = addrman_new(&options);
    struct net_address source = address_of("250.1.2.3");
    bool is_hit[ADDRMAN_NEW_BUCKETS] = {false};
    struct addrman_entry *list;
    unsigned buckets = 0;
    size_t n;

    for (unsigned i = 0; i < 20000; i++) {
        struct addrman_address known = {.time_s = NOW};
        uint8_t ip[4];

        test_random_fill(ip, sizeof(ip));
        ip[0] = (uint8_t)(1 + ip[0] % 9);
        known.address = net_address_ipv4(ip, 8333);
        source.bytes[3] = (uint8_t)i;
        (void)addrman_add(man, &known, 1, &source, 0, NOW);
    }
    n = addrman_entries(man, &list, false);
    for (size_t i = 0; i < n; i++)
        is_hit[list[i].place.bucket] = true;
    for (unsigned i = 0; i < ADDRMAN_NEW_BUCKETS; i++)
        buckets += is_hit[i] ? 1 : 0;
    EXPECT_TRUE("64 at most", buckets <= 64 && buckets >= 56);
    EXPECT_TRUE("so many addresses", n <= 64 * ADDRMAN_BUCKET_SIZE && n > 3500);
    EXPECT_INT("check", addrman_check(man), 0);
    free(list);
    addrman_free(man);
}

/* --- Test before evict --- */

/* An address whose place in tried is that of the first. */
static struct net_address find_rival(struct addrman *man, const char *first)
{
    unsigned place = addrman_tried_place(man, entry_of(man, first));

    for (unsigned port = 1; port < 65536; port++) {
        struct entry entry = *entry_of(man, first);

        /* Other ports of other hosts of its group: 8 buckets. */
        entry.address.bytes[3] = (uint8_t)(port >> 8);
        entry.address.bytes[2] = (uint8_t)port;
        if (!net_address_equal(&entry.address, &entry_of(man, first)->address) &&
            addrman_tried_place(man, &entry) == place)
            return entry.address;
    }
    CHECK_NEVER("one in 512 should do");
}

static struct addrman *make_collision(struct net_address *ret_rival)
{
    struct addrman *man = make();
    struct addrman_address known = {.time_s = NOW};

    (void)add(man, "8.8.8.8", "9.9.9.9", NOW);
    EXPECT_TRUE("first", good(man, "8.8.8.8", NOW));
    known.address = *ret_rival = find_rival(man, "8.8.8.8");
    EXPECT_TRUE("told", addrman_add(man, &known, 1, &known.address, 0, NOW));
    EXPECT_TRUE("stands in the way", !addrman_good(man, ret_rival, NOW));
    EXPECT_U64("noted", man->collisions_n, 1);
    EXPECT_TRUE("not twice", !addrman_good(man, ret_rival, NOW));
    EXPECT_U64("noted", man->collisions_n, 1);
    return man;
}

static bool is_in_tried(struct addrman *man, const struct net_address *address)
{
    struct addrman_place place;

    return addrman_find(man, &place, address) && place.is_tried;
}

static void the_old_one_answered(void)
{
    struct net_address rival;
    struct addrman *man = make_collision(&rival);
    struct net_address first = address_of("8.8.8.8");
    struct addrman_address known;
    int64_t last_try;

    EXPECT_TRUE("to be tested", addrman_select_collision(man, &known, &last_try));
    EXPECT_TRUE("the old one", net_address_equal(&known.address, &first));
    EXPECT_INT("when", last_try, NOW);
    (void)good(man, "8.8.8.8", NOW + ADDRMAN_REPLACEMENT_S);
    addrman_resolve_collisions(man, NOW + ADDRMAN_REPLACEMENT_S + 1);
    EXPECT_U64("decided", man->collisions_n, 0);
    EXPECT_TRUE("stays", is_in_tried(man, &first) && !is_in_tried(man, &rival));
    EXPECT_TRUE("none waits", !addrman_select_collision(man, &known, &last_try));
    addrman_free(man);
}

static void the_old_one_failed(void)
{
    struct net_address rival;
    struct addrman *man = make_collision(&rival);
    struct net_address first = address_of("8.8.8.8");
    int64_t now = NOW + ADDRMAN_REPLACEMENT_S + 1;

    (void)addrman_good(man, &rival, now);
    addrman_attempt(man, &first, true, now);
    addrman_resolve_collisions(man, now + 60);
    EXPECT_U64("patience", man->collisions_n, 1);
    addrman_resolve_collisions(man, now + 61);
    EXPECT_U64("decided", man->collisions_n, 0);
    EXPECT_TRUE("changed places", !is_in_tried(man, &first) && is_in_tried(man, &rival));
    EXPECT_U64("none lost", addrman_size(man), 2);
    EXPECT_INT("check", addrman_check(man), 0);
    addrman_free(man);
}

static void the_old_one_was_never_tested(void)
{
    struct net_address rival;
    struct addrman *man = make_collision(&rival);
    struct net_address first = address_of("8.8.8.8");
    int64_t now = NOW + ADDRMAN_REPLACEMENT_S + 1;

    (void)addrman_good(man, &rival, now);
    addrman_resolve_collisions(man, now + 40 * 60);
    EXPECT_U64("waits", man->collisions_n, 1);
    addrman_resolve_collisions(man, now + 40 * 60 + 1);
    EXPECT_U64("decided", man->collisions_n, 0);
    EXPECT_TRUE("changed places", !is_in_tried(man, &first) && is_in_tried(man, &rival));
    addrman_free(man);
}

/* --- Choosing --- */

static void selects(void)
{
    struct addrman *man = make();
    struct addrman_address known;
    struct net_address old = address_of("8.8.8.8");
    unsigned old_n = 0;
    unsigned tried_n = 0;

    EXPECT_TRUE("empty", !addrman_select(man, &known, NULL, false, 0, NOW));
    man->check_ratio = 0;
    (void)add(man, "8.8.8.8", "8.8.8.8", NOW);
    (void)add(man, "7.7.7.7", "7.7.7.7", NOW);
    (void)add(man, ONION, ONION, NOW);
    (void)good(man, "7.7.7.7", NOW);
    for (unsigned i = 0; i < 200; i++) {
        EXPECT_TRUE("new only", addrman_select(man, &known, NULL, true, 0, NOW));
        EXPECT_TRUE("new only", !is_in_tried(man, &known.address));
        EXPECT_TRUE("onion", addrman_select(man, &known, NULL, false, NET_BIT(NET_ONION), NOW));
        EXPECT_INT("onion", known.address.net, NET_ONION);
        EXPECT_TRUE("either", addrman_select(man, &known, NULL, false, 0, NOW + DAY));
        tried_n += is_in_tried(man, &known.address) ? 1 : 0;
    }
    EXPECT_TRUE("half from tried", tried_n > 60 && tried_n < 140);
    EXPECT_TRUE("none on I2P", !addrman_select(man, &known, NULL, false, NET_BIT(NET_I2P), NOW));
    EXPECT_TRUE("none new on IPv6",
                !addrman_select(man, &known, NULL, true, NET_BIT(NET_IPV6), NOW));
    for (int i = 0; i < 3; i++) {
        (void)good(man, "7.7.7.7", NOW + i);
        addrman_attempt(man, &old, true, NOW + i + 1);
    }
    for (unsigned i = 0; i < 400; i++) {
        (void)addrman_select(man, &known, NULL, true, 0, NOW + 60);
        old_n += net_address_equal(&known.address, &old) ? 1 : 0;
    }
    EXPECT_TRUE("the failing one is rare", old_n < 60);
    addrman_free(man);
}

static void gives_some_to_peers(void)
{
    struct addrman *man = make();
    struct addrman_address *list;
    size_t n;

    man->check_ratio = 0;
    for (unsigned i = 0; i < 400; i++) {
        const uint8_t ip[4] = {(uint8_t)(20 + i / 100), (uint8_t)i, 3, 4};
        struct addrman_address known = {.address = net_address_ipv4(ip, 8333),
                                        .time_s = i % 2 == 0 ? NOW : NOW - 31 * DAY};

        (void)addrman_add(man, &known, 1, &known.address, 0, NOW);
    }
    CHECK(addrman_size(man) > 350);
    n = addrman_get(man, &list, 0, 23, NET_COUNT, false, NOW);
    EXPECT_U64("percent", n, addrman_size(man) * 23 / 100);
    free(list);
    n = addrman_get(man, &list, 10, 23, NET_COUNT, false, NOW);
    EXPECT_U64("most", n, 10);
    free(list);
    n = addrman_get(man, &list, 0, 0, NET_COUNT, true, NOW);
    EXPECT_TRUE("only young ones", n > 170 && n < 201);
    for (size_t i = 0; i < n; i++) {
        EXPECT_INT("young", list[i].time_s, NOW);
        for (size_t j = 0; j < i; j++)
            EXPECT_TRUE("once", !net_address_equal(&list[i].address, &list[j].address));
    }
    free(list);
    n = addrman_get(man, &list, 0, 0, NET_ONION, false, NOW);
    EXPECT_U64("other network", n, 0);
    free(list);
    addrman_free(man);
}

static void terrible_ones_give_way(void)
{
    struct addrman *man = make();
    struct entry *entry;
    struct addrman_address *list;

    man->check_ratio = 0;
    (void)add(man, "8.8.8.8", "8.8.8.8", NOW);
    entry = entry_of(man, "8.8.8.8");
#define SHOWN(label, want, at)                                                       \
    do {                                                                             \
        EXPECT_U64(label, addrman_get(man, &list, 0, 0, NET_COUNT, true, at), want); \
        free(list);                                                                  \
    } while (0)
    SHOWN("fresh", 1, NOW);
    SHOWN("a month old", 1, NOW + 30 * DAY);
    SHOWN("older", 0, NOW + 30 * DAY + 1);
    SHOWN("ten minutes ahead", 1, NOW - 600);
    SHOWN("more", 0, NOW - 601);
    entry->attempts = 2;
    SHOWN("two tries", 1, NOW);
    entry->attempts = 3;
    SHOWN("three tries, never a success", 0, NOW);
    entry->last_try_s = NOW - 60;
    SHOWN("but a minute ago", 1, NOW);
    entry->last_try_s = 0;
    entry->last_success_s = NOW - 7 * DAY;
    entry->attempts = 10;
    SHOWN("ten failures in a week", 1, NOW);
    SHOWN("in more than a week", 0, NOW + 1);
#undef SHOWN
    addrman_free(man);
}

/* --- Anything at all, against the rules --- */

static struct net_address random_address(void)
{
    uint8_t bytes[32];

    test_random_fill(bytes, sizeof(bytes));
    switch (test_random_below(5)) {
    case 0:
        bytes[0] = 0x2a;
        memset(bytes + 2, 0, 12);
        return net_address_ipv6(bytes, 0, 8333);
    case 1:
        memset(bytes + 1, 0, 31);
        return net_address_onion(bytes, 8333);
    default:
        bytes[0] = (uint8_t)(60 + bytes[0] % 4);
        bytes[1] = (uint8_t)(bytes[1] % 16);
        bytes[2] = bytes[3];
        return net_address_ipv4(bytes, (uint16_t)(1 + test_random_below(2)));
    }
}

static void step(struct addrman *man, int64_t now_s)
{
    struct net_address source = random_address();
    struct addrman_address known[4];
    struct addrman_address picked;
    int32_t id;

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        known[i] = (struct addrman_address){.address = random_address(),
                                            .time_s = now_s - (int64_t)test_random_below(40 * DAY)};
    switch (test_random_below(8)) {
    case 0:
        if (man->order_n > 0) {
            id = man->order[test_random_below(man->order_n)];
            source = man->entries[id].address;
            (void)addrman_good(man, &source, now_s);
        }
        break;
    case 1:
        addrman_resolve_collisions(man, now_s);
        (void)addrman_select_collision(man, &picked, NULL);
        break;
    case 2:
        if (addrman_select(man, &picked, NULL, test_random_below(2) == 0, 0, now_s)) {
            EXPECT_TRUE("of the table", addrman_id_of(man, &picked.address) != NOBODY);
            addrman_attempt(man, &picked.address, true, now_s);
        }
        break;
    default:
        (void)addrman_add(man, known, ARRAY_LEN(known), &source, 0, now_s);
        break;
    }
}

static struct addrman *copy_by_file(const struct addrman *man, bool has_known_key)
{
    const struct addrman_options options = {.seed = zeros, .has_known_key = has_known_key};
    struct addrman *copy = NULL;
    struct error err = {0};
    struct buf buf = {0};

    addrman_write(&buf, man, magic);
    if (addrman_read(&copy, &options, span_of_buf(&buf), magic, &err) < 0)
        EXPECT_STR("can be read", err.shown.text, "");
    buf_clear(&buf);
    return copy;
}

static void same_entries(const struct addrman *a, const struct addrman *b)
{
    for (unsigned is_tried = 0; is_tried < 2; is_tried++) {
        struct addrman_entry *of_a;
        struct addrman_entry *of_b;
        size_t a_n = addrman_entries(a, &of_a, is_tried != 0);
        size_t b_n = addrman_entries(b, &of_b, is_tried != 0);

        EXPECT_U64("as many", a_n, b_n);
        for (size_t i = 0; i < a_n && i < b_n; i++) {
            EXPECT_TRUE("address",
                        net_address_equal(&of_a[i].known.address, &of_b[i].known.address));
            EXPECT_INT("bucket", of_a[i].place.bucket, of_b[i].place.bucket);
            EXPECT_INT("position", of_a[i].place.position, of_b[i].place.position);
            EXPECT_U64("places", of_a[i].place.multiplicity, of_b[i].place.multiplicity);
            EXPECT_INT("time", of_a[i].known.time_s, of_b[i].known.time_s);
        }
        free(of_a);
        free(of_b);
    }
}

static void any_run_keeps_the_rules(void)
{
    struct addrman_options options = {.seed = zeros};
    struct addrman *man = addrman_new(&options);
    struct addrman *copy;
    int64_t now_s = NOW;

    for (unsigned i = 0; i < 7000; i++) {
        step(man, now_s);
        now_s += (int64_t)test_random_below(i % 1000 == 0 ? 30 * DAY : 600);
        if (i % 500 == 0)
            EXPECT_INT("check", addrman_check(man), 0);
    }
    EXPECT_TRUE("many", addrman_size(man) > 1500);
    EXPECT_TRUE("of both kinds", addrman_count(man, NET_COUNT, true) > 200);
    copy = copy_by_file(man, false);
    if (copy != NULL)
        same_entries(man, copy);
    addrman_free(copy);
    addrman_free(man);
}

static void same_seed_same_answers(void)
{
    struct addrman_options options = {.seed = zeros};
    struct addrman *a = addrman_new(&options);
    struct addrman *b = addrman_new(&options);

    for (unsigned i = 0; i < 300; i++) {
        struct addrman_address known = {.address = random_address(), .time_s = NOW};
        struct addrman_address from_a;
        struct addrman_address from_b;

        (void)addrman_add(a, &known, 1, &known.address, 0, NOW);
        (void)addrman_add(b, &known, 1, &known.address, 0, NOW);
        (void)addrman_select(a, &from_a, NULL, false, 0, NOW);
        (void)addrman_select(b, &from_b, NULL, false, 0, NOW);
        EXPECT_TRUE("same", net_address_equal(&from_a.address, &from_b.address));
    }
    addrman_free(a);
    addrman_free(b);
}

TEST_LIST(TEST(places), TEST(refuses_what_nobody_can_reach), TEST(times_and_services),
          TEST(attempts_count_once_a_success), TEST(sources_are_bounded),
          TEST(the_old_one_answered), TEST(the_old_one_failed), TEST(the_old_one_was_never_tested),
          TEST(selects), TEST(gives_some_to_peers), TEST(terrible_ones_give_way),
          TEST(any_run_keeps_the_rules), TEST(same_seed_same_answers))
