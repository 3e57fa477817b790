#include "p2p/permissions.h"

#include "test.h"

static const struct {
    const char *text;
    int rc;
    uint32_t permissions;
    bool in, out;
    const char *error;
} rows[] = {
    {"127.0.0.1", 0, PERMISSION_IMPLICIT, true, false, ""},
    {"@1.2.3.4/32", 0, PERMISSION_NONE, true, false, ""},
    {"noban@127.0.0.1", 0, PERMISSION_NO_BAN, true, false, ""},
    {"bloom,,relay@::/0", 0, PERMISSION_BLOOM | PERMISSION_RELAY, true, false, ""},
    {"all@10.0.0.0/8", 0, PERMISSION_ALL, true, false, ""},
    {"forcerelay,out@10.0.0.0/8", 0, PERMISSION_FORCE_RELAY, false, true, ""},
    {"in,addr,out,mempool,download@1.1.1.1", 0,
     PERMISSION_ADDR | PERMISSION_MEMPOOL | PERMISSION_DOWNLOAD, true, true, ""},
    {"in,out@1.1.1.1", E_MALFORMED, 0, true, true,
     "Only direction was set, no permissions: 'in,out@1.1.1.1'"},
    {"oopsie@1.1.1.1", E_MALFORMED, 0, false, false, "Invalid P2P permission: 'oopsie'"},
    {"noban@1.1.1.1:230", E_MALFORMED, PERMISSION_NO_BAN, true, false,
     "Invalid netmask specified in -whitelist: '1.1.1.1:230'"},
};

static void whitelists_are_read(void)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct net_whitelist list = {0};
        struct error err = {0};

        EXPECT_INT(rows[i].text, net_whitelist_read(&list, rows[i].text, false, &err), rows[i].rc);
        EXPECT_U64(rows[i].text, list.permissions, rows[i].permissions);
        EXPECT_INT(rows[i].text, list.inbound, rows[i].in);
        EXPECT_INT(rows[i].text, list.outbound, rows[i].out);
        if (rows[i].rc < 0)
            EXPECT_STR(rows[i].text, error_text(&err), rows[i].error);
    }
}

static void whitebinds_are_read(void)
{
    struct net_whitebind bind;
    struct error err = {0};

    EXPECT_INT("", net_whitebind_read(&bind, "noban@127.0.0.1:8000", &err), 0);
    EXPECT_INT("", bind.address.port, 8000);
    EXPECT_U64("", bind.permissions, PERMISSION_NO_BAN);
    EXPECT_INT("", net_whitebind_read(&bind, "127.0.0.1", &err), E_MALFORMED);
    EXPECT_STR("", error_text(&err), "Need to specify a port with -whitebind: '127.0.0.1'");
    EXPECT_INT("", net_whitebind_read(&bind, "a b:3", &err), E_MALFORMED);
    EXPECT_STR("", error_text(&err), "Cannot resolve -whitebind address: 'a b:3'");
    EXPECT_INT("", net_whitebind_read(&bind, "noban,out@127.0.0.1:1", &err), E_MALFORMED);
    EXPECT_STR("", error_text(&err),
               "whitebind may only be used for incoming connections (\"out\" was passed)");
}

static void defaults_and_names(void)
{
    const char *names[PERMISSION_NAMES_MAX];
    uint32_t all = net_permissions_resolve(PERMISSION_IMPLICIT, true, false);

    EXPECT_U64("", all, PERMISSION_RELAY | PERMISSION_MEMPOOL | PERMISSION_NO_BAN);
    EXPECT_U64("named ones stay", net_permissions_resolve(PERMISSION_ADDR, true, true),
               PERMISSION_ADDR);
    EXPECT_U64("", net_permission_names(names, all), 4);
    EXPECT_STR("", names[0], "noban");
    EXPECT_STR("", names[1], "relay");
    EXPECT_STR("", names[2], "mempool");
    EXPECT_STR("noban holds it", names[3], "download");
    EXPECT_U64("", net_permission_names(names, PERMISSION_ALL), PERMISSION_NAMES_MAX);
}

TEST_LIST(TEST(whitelists_are_read), TEST(whitebinds_are_read), TEST(defaults_and_names))
