#include "p2p/pins.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/secp.h"

#include "test.h"

#define PORT 18444

/* Multiples of the generator, 2 and 3 (the tables of SEC 2 begin with 1). */
#define KEY_2 "02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5"
#define KEY_3 "02f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9"

static const uint8_t seed[RANDOM_SEED_BYTES] = {7};
static struct random_source source;
static const char *folder;

static int open_pins(struct pins **ret_pins, const char *name, const char *const *keys, size_t n,
                     struct error *err)
{
    char *path = alloc_printf("%s/%s", folder, name);
    const struct pins_options options = {.disk = disk_real(),
                                         .path = path,
                                         .random = &source,
                                         .default_port = PORT,
                                         .keys = keys,
                                         .keys_n = n};
    int rc = pins_new(ret_pins, &options, err);

    free(path);
    return rc;
}

static int find(const struct pins *pins, const char *name, const char *address)
{
    struct net_address at;

    CHECK(net_address_read(&at, address, strlen(address), 1));
    return pins_find(pins, name, &at);
}

static void own_key_stays(void)
{
    char key[PIN_KEY_TEXT_SIZE] = "";
    char again[PIN_KEY_TEXT_SIZE] = "";
    char other[PIN_KEY_TEXT_SIZE] = "";
    struct disk_entry entry;
    struct error err = {0};
    struct pins *pins;
    char *path = alloc_printf("%s/own", folder);

    EXPECT_INT("new", open_pins(&pins, "own", NULL, 0, &err), 0);
    EXPECT_INT("no file unasked", disk_stat(disk_real(), path, &entry, &err), E_NOT_FOUND);
    EXPECT_INT("made", pins_own_key(pins, key, &err), 0);
    EXPECT_INT("length", (long)strlen(key), 66);
    pins_free(pins);
    EXPECT_INT("opened", open_pins(&pins, "own", NULL, 0, &err), 0);
    EXPECT_INT("read", pins_own_key(pins, again, &err), 0);
    EXPECT_STR("the same", again, key);
    pins_free(pins);
    EXPECT_INT("elsewhere", open_pins(&pins, "other", NULL, 0, &err), 0);
    EXPECT_INT("made", pins_own_key(pins, other, &err), 0);
    EXPECT_TRUE("another", strcmp(other, key) != 0);
    pins_free(pins);
    free(path);
}

static void spoilt_file_is_left_alone(void)
{
    static const char *const bad[] = {
        "", "00", "0000000000000000000000000000000000000000000000000000000000000000\n",
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141\n"};
    char *path = alloc_printf("%s/spoilt", folder);

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        static const char *const keys[] = {KEY_2};
        char key[PIN_KEY_TEXT_SIZE];
        struct error err = {0};
        struct buf content = {0};
        struct pins *pins;

        EXPECT_INT("put", disk_replace_file(disk_real(), path, bad[i], strlen(bad[i]), &err), 0);
        EXPECT_INT("new", open_pins(&pins, "spoilt", NULL, 0, &err), 0);
        EXPECT_INT("refused", pins_own_key(pins, key, &err), E_CORRUPT);
        pins_free(pins);
        EXPECT_INT("with keys", open_pins(&pins, "spoilt", keys, 1, &err), E_CORRUPT);
        EXPECT_INT("read", disk_read_file(disk_real(), &content, path, 100, &err), 0);
        EXPECT_INT("as it was", (long)content.len, (long)strlen(bad[i]));
        buf_clear(&content);
    }
    free(path);
}

static void options_are_checked(void)
{
    static const char *const bad[] = {"",
                                      "@1.2.3.4",
                                      "02",
                                      KEY_2 "00",
                                      KEY_2 " ",
                                      KEY_2 "@",
                                      KEY_2 "@:1",
                                      KEY_2 "@host:0",
                                      KEY_2 "@host:70000",
                                      "05" KEY_3,
                                      "020000000000000000000000000000000000000000000000000000000000"
                                      "00000005"};
    const char *many[WIRE_PINS_MAX + 1];
    struct error err = {0};
    struct pins *pins;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        EXPECT_INT(bad[i], open_pins(&pins, "own", &bad[i], 1, &err), E_MALFORMED);
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = i % 2 == 0 ? KEY_2 : KEY_3 "@host";
    EXPECT_INT("too many", open_pins(&pins, "own", many, ARRAY_LEN(many), &err), E_LIMIT);
    EXPECT_INT("as many as may be", open_pins(&pins, "own", many, WIRE_PINS_MAX, &err), 0);
    EXPECT_INT("count", (long)pins_count(pins), WIRE_PINS_MAX);
    pins_free(pins);
}

static void nodes_are_found_by_what_is_called(void)
{
    static const char *const keys[] = {KEY_2, KEY_3 "@1.2.3.4:5", KEY_2 "@Host.example",
                                       KEY_3 "@[::7]"};
    struct error err = {0};
    struct pins *pins;

    EXPECT_INT("new", open_pins(&pins, "own", keys, ARRAY_LEN(keys), &err), 0);
    EXPECT_STR("key", pins_key(pins, 1), KEY_3);
    EXPECT_TRUE("nowhere", pins_place(pins, 0) == NULL);
    EXPECT_STR("place", pins_place(pins, 1), "1.2.3.4:5");
    EXPECT_INT("by address", find(pins, NULL, "1.2.3.4:5"), 1);
    EXPECT_INT("by address, nameless", find(pins, "", "1.2.3.4:5"), 1);
    EXPECT_INT("by a name that leads there", find(pins, "a.example:5", "1.2.3.4:5"), 1);
    EXPECT_INT("another port", find(pins, "1.2.3.4:6", "1.2.3.4:6"), -1);
    EXPECT_INT("another address", find(pins, NULL, "1.2.3.5:5"), -1);
    EXPECT_INT("by name", find(pins, "host.EXAMPLE", "9.9.9.9:18444"), 2);
    EXPECT_INT("with the usual port", find(pins, "host.example:18444", "9.9.9.9:18444"), 2);
    EXPECT_INT("with another port", find(pins, "host.example:1", "9.9.9.9:1"), -1);
    EXPECT_INT("a longer name", find(pins, "host.example.org", "9.9.9.9:18444"), -1);
    EXPECT_INT("the usual port", find(pins, NULL, "[::7]:18444"), 3);
    pins_free(pins);
}

static void start(void)
{
    folder = test_folder();
    secp_init(seed);
    random_init(&source, seed, "pins_test");
}

static void stop(void)
{
    secp_clear();
}

TEST_LIST(TEST(start), TEST(own_key_stays), TEST(spoilt_file_is_left_alone),
          TEST(options_are_checked), TEST(nodes_are_found_by_what_is_called), TEST(stop))
