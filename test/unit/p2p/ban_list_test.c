#include "p2p/ban_list.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"

#include "test.h"

#define NOW 1000000

static const uint8_t seed[RANDOM_SEED_BYTES];

static struct ban_target target_of(const char *text)
{
    struct ban_target target;

    CHECK(ban_target_read(&target, text, false));
    return target;
}

static bool has(const struct ban_list *list, const char *text, uint32_t asn, int64_t now_s)
{
    struct net_address address;

    CHECK(net_address_read(&address, text, strlen(text), 1));
    return ban_list_has(list, &address, asn, now_s);
}

static bool add(struct ban_list *list, const char *text, int64_t until_s)
{
    struct ban_target target = target_of(text);

    return ban_list_add(list, &target, until_s, NOW);
}

static void targets(void)
{
    static const char *const rows[][2] = {{"1.2.3.4", "1.2.3.4/32"},
                                          {"1.2.3.4/24", "1.2.3.0/24"},
                                          {"AS64496", "AS64496"},
                                          {"as1", "AS1"},
                                          {"AS4294967295", "AS4294967295"}};
    static const char *const bad[] = {"AS", "AS0", "AS4294967296", "AS-1", "AS1x", "x", ""};
    struct ban_target target;
    char text[NET_ADDRESS_TEXT_SIZE];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        target = target_of(rows[i][0]);
        EXPECT_STR(rows[i][0], ban_target_text(text, &target), rows[i][1]);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        EXPECT_TRUE(bad[i], !ban_target_read(&target, bad[i], false));
}

static void bans_last_until_their_time(void)
{
    struct ban_list *list = ban_list_new(seed);
    struct ban_target target = target_of("1.2.3.0/24");
    const struct ban *bans;

    EXPECT_TRUE("new", add(list, "1.2.3.0/24", NOW + 100));
    EXPECT_TRUE("shorter", !add(list, "1.2.3.0/24", NOW + 99));
    EXPECT_TRUE("inside", has(list, "1.2.3.200", 0, NOW + 99));
    EXPECT_TRUE("over", !has(list, "1.2.3.200", 0, NOW + 100));
    EXPECT_TRUE("outside", !has(list, "1.2.4.200", 0, NOW));
    EXPECT_TRUE("exactly", ban_list_has_target(list, &target, NOW));
    EXPECT_TRUE("exactly, over", !ban_list_has_target(list, &target, NOW + 100));
    EXPECT_TRUE("longer", add(list, "1.2.3.0/24", NOW + 200));
    EXPECT_U64("one", ban_list_get(list, &bans, NOW + 200), 1);
    EXPECT_INT("until", bans[0].until_s, NOW + 200);
    EXPECT_INT("since", bans[0].created_s, NOW);
    EXPECT_U64("swept", ban_list_get(list, &bans, NOW + 201), 0);
    ban_list_free(list);
}

static void systems(void)
{
    struct ban_list *list = ban_list_new(seed);

    EXPECT_TRUE("new", add(list, "AS64496", NOW + 100));
    EXPECT_TRUE("of it", has(list, "1.2.3.4", 64496, NOW));
    EXPECT_TRUE("of another", !has(list, "1.2.3.4", 64497, NOW));
    EXPECT_TRUE("of none", !has(list, "1.2.3.4", 0, NOW));
    ban_list_free(list);
}

static void kept_in_order(void)
{
    static const char *const in[] = {"9.9.9.9", "::1", "AS5", "1.2.3.4", "1.2.3.0/24", "AS4"};
    static const char *const out[] = {"1.2.3.0/24", "1.2.3.4/32", "9.9.9.9/32",
                                      "::1/128",    "AS4",        "AS5"};
    struct ban_list *list = ban_list_new(seed);
    struct ban_target target = target_of("9.9.9.9");
    char text[NET_ADDRESS_TEXT_SIZE];
    const struct ban *bans;

    for (size_t i = 0; i < ARRAY_LEN(in); i++)
        (void)add(list, in[i], NOW + 10);
    CHECK(ban_list_get(list, &bans, NOW) == ARRAY_LEN(out));
    for (size_t i = 0; i < ARRAY_LEN(out); i++)
        EXPECT_STR("order", ban_target_text(text, &bans[i].target), out[i]);
    EXPECT_TRUE("removed", ban_list_remove(list, &target));
    EXPECT_TRUE("only once", !ban_list_remove(list, &target));
    EXPECT_U64("five", ban_list_get(list, &bans, NOW), 5);
    EXPECT_TRUE("its neighbours stay", has(list, "1.2.3.4", 0, NOW) && has(list, "::1", 0, NOW));
    ban_list_clear(list);
    EXPECT_U64("none", ban_list_get(list, &bans, NOW), 0);
    ban_list_free(list);
}

static struct net_address numbered(uint32_t i)
{
    uint8_t ip[4];

    put_be32(ip, i + (1U << 24));
    return net_address_ipv4(ip, (uint16_t)i);
}

static void discouraged_are_forgotten_in_turn(void)
{
    struct ban_list *list = ban_list_new(seed);
    struct net_address address = numbered(0);
    unsigned remembered = 0;
    unsigned strangers = 0;

    EXPECT_TRUE("nobody", !ban_list_is_discouraged(list, &address));
    for (uint32_t i = 0; i < 3 * DISCOURAGED_N; i++) {
        address = numbered(i);
        ban_list_discourage(list, &address);
    }
    for (uint32_t i = 0; i < 3 * DISCOURAGED_N; i++) {
        address = numbered(i);
        address.port = 5;
        remembered += ban_list_is_discouraged(list, &address) ? 1 : 0;
        if (i >= 2 * DISCOURAGED_N)
            EXPECT_TRUE("the last ones", ban_list_is_discouraged(list, &address));
    }
    EXPECT_TRUE("half as many more at most", remembered <= DISCOURAGED_N + DISCOURAGED_N / 2);
    for (uint32_t i = 3 * DISCOURAGED_N; i < 4 * DISCOURAGED_N; i++) {
        address = numbered(i);
        strangers += ban_list_is_discouraged(list, &address) ? 1 : 0;
    }
    EXPECT_TRUE("not others", strangers < 3);
    ban_list_free(list);
}

static void file_both_ways(void)
{
    struct ban_list *list = ban_list_new(seed);
    struct ban_list *again = ban_list_new(seed);
    const struct ban *a;
    const struct ban *b;
    struct buf text = {0};
    size_t n;

    (void)add(list, "1.2.3.0/24", NOW + 10);
    (void)add(list, "::1", NOW + 20);
    (void)add(list, "AS64496", NOW + 30);
    ban_list_write(&text, list);
    EXPECT_INT("read", ban_list_read(again, span_of_buf(&text), false, NULL), 0);
    n = ban_list_get(list, &a, NOW);
    EXPECT_U64("as many", ban_list_get(again, &b, NOW), n);
    for (size_t i = 0; i < n; i++) {
        EXPECT_TRUE("subnet", net_subnet_equal(&a[i].target.subnet, &b[i].target.subnet));
        EXPECT_U64("system", a[i].target.asn, b[i].target.asn);
        EXPECT_INT("until", a[i].until_s, b[i].until_s);
        EXPECT_INT("since", a[i].created_s, b[i].created_s);
    }
    buf_clear(&text);
    ban_list_free(list);
    ban_list_free(again);
}

static const struct {
    const char *text;
    int rc;
    size_t n;
} file_rows[] = {
    {"{ \"banned_nets\": [] }", 0, 0},
    {"{ \"banned_nets\": [ { \"version\": 1, \"ban_created\": 0, \"banned_until\": 3000000000, "
     "\"address\": \"1.2.3.4/32\" } ] }",
     0, 1},
    {"{\"banned_nets\":[{\"version\":2,\"address\":\"1.2.3.4\"},"
     "{\"version\":1,\"address\":\"nonsense\"}]}",
     0, 0},
    {"{\"banned_nets\":[{\"version\":1,\"address\":\"1.2.3.4\"}]}", E_MALFORMED, 0},
    {"{\"banned_nets\":[{\"version\":1,\"ban_created\":1,\"banned_until\":2}]}", E_MALFORMED, 0},
    {"{\"banned_nets\":[5]}", E_MALFORMED, 0},
    {"{\"banned_nets\":{}}", E_MALFORMED, 0},
    {"{}", E_MALFORMED, 0},
    {"[]", E_MALFORMED, 0},
    {"", E_MALFORMED, 0},
};

static void reads_files(void)
{
    for (size_t i = 0; i < ARRAY_LEN(file_rows); i++) {
        struct ban_list *list = ban_list_new(seed);
        const struct ban *bans;

        EXPECT_INT(file_rows[i].text,
                   ban_list_read(list, span_of_string(file_rows[i].text), false, NULL),
                   file_rows[i].rc);
        EXPECT_U64(file_rows[i].text, ban_list_get(list, &bans, 5), file_rows[i].n);
        ban_list_free(list);
    }
}

static void loads_and_saves(void)
{
    char *folder = alloc_printf("%s/bans", test_folder());
    char *path = alloc_printf("%s/banlist.json", folder);
    struct ban_list *list = ban_list_new(seed);
    const struct ban *bans;

    CHECK(mkdir(folder, 0700) == 0);
    ban_list_load(list, disk_real(), folder, false, NOW);
    EXPECT_INT("made", ban_list_save(list, disk_real(), folder, NOW, NULL), 0);
    EXPECT_INT("made", access(path, F_OK), 0);
    CHECK(unlink(path) == 0);
    EXPECT_INT("unchanged", ban_list_save(list, disk_real(), folder, NOW, NULL), 0);
    EXPECT_TRUE("not written", access(path, F_OK) != 0);
    (void)add(list, "1.2.3.4", NOW + 5);
    (void)add(list, "1.2.3.5", NOW + 50);
    EXPECT_INT("changed", ban_list_save(list, disk_real(), folder, NOW, NULL), 0);
    ban_list_free(list);

    list = ban_list_new(seed);
    ban_list_load(list, disk_real(), folder, false, NOW + 6);
    EXPECT_U64("one is over", ban_list_get(list, &bans, NOW + 6), 1);
    CHECK(disk_replace_file(disk_real(), path, "{", 1, NULL) == 0);
    ban_list_load(list, disk_real(), folder, false, NOW);
    EXPECT_U64("begun anew", ban_list_get(list, &bans, NOW), 0);
    ban_list_free(list);
    free(folder);
    free(path);
}

TEST_LIST(TEST(targets), TEST(bans_last_until_their_time), TEST(systems), TEST(kept_in_order),
          TEST(discouraged_are_forgotten_in_turn), TEST(file_both_ways), TEST(reads_files),
          TEST(loads_and_saves))
