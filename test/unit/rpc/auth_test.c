/* Who may use RPC: passwords, hashed users, lists of methods. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "codec/base64.h"
#include "crypto/hmac.h"
#include "rpc/auth.h"
#include "test.h"

static bool check(const struct rpc_auth *auth, const char *pair)
{
    struct buf header = {0};
    char user[RPC_USER_SIZE];
    bool fits;

    buf_add_string(&header, "Basic ");
    base64_write(&header, span_of_string(pair));
    fits = rpc_auth_check(auth, buf_string(&header), user);
    buf_clear(&header);
    return fits;
}

static void passwords_are_checked(void)
{
    static const uint8_t salt[RPC_SALT_BYTES] = {1, 2, 3};
    struct rpc_auth *auth = rpc_auth_new();
    char user[RPC_USER_SIZE];

    rpc_auth_add(auth, "alice", "secret:with:colons", salt);
    EXPECT_TRUE("right", check(auth, "alice:secret:with:colons"));
    EXPECT_TRUE("wrong", !check(auth, "alice:secret"));
    EXPECT_TRUE("longer", !check(auth, "alice:secret:with:colons!"));
    EXPECT_TRUE("empty", !check(auth, "alice:"));
    EXPECT_TRUE("another user", !check(auth, "bob:secret:with:colons"));
    EXPECT_TRUE("no user", !check(auth, ":secret:with:colons"));
    EXPECT_TRUE("no colon", !check(auth, "alice"));
    EXPECT_TRUE("other scheme", !rpc_auth_check(auth, "Bearer x", user));
    EXPECT_TRUE("no base64", !rpc_auth_check(auth, "Basic !!!", user));
    EXPECT_TRUE("nothing", !rpc_auth_check(auth, "Basic ", user));
    rpc_auth_free(auth);
}

static void hashed_users_are_read(void)
{
    static const char *const bad[] = {"", "a", "a:b", "a:b$c$d", "a:b:c$d", "a$b:c", "$"};
    struct rpc_auth *auth = rpc_auth_new();
    char hash[65];
    char *text;
    uint8_t digest[32];

    hmac_sha256(digest, "5a17", 4, "pass", 4);
    hex_write(hash, digest, sizeof(digest));
    text = alloc_printf("carol:5a17$%s", hash);
    EXPECT_INT("good", rpc_auth_add_hashed(auth, text), 0);
    EXPECT_TRUE("right", check(auth, "carol:pass"));
    EXPECT_TRUE("wrong", !check(auth, "carol:passe"));
    EXPECT_INT("short hash is taken", rpc_auth_add_hashed(auth, "dave:5a17$00"), 0);
    EXPECT_TRUE("and fits nothing", !check(auth, "dave:"));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        EXPECT_TRUE(bad[i], rpc_auth_add_hashed(auth, bad[i]) < 0);
    free(text);
    rpc_auth_free(auth);
}

static void whitelists_narrow(void)
{
    struct rpc_auth *auth = rpc_auth_new();

    EXPECT_TRUE("no lists", rpc_auth_permits(auth, "alice", "stop"));
    rpc_auth_add_whitelist(auth, "alice:stop,help, uptime");
    EXPECT_TRUE("in it", rpc_auth_permits(auth, "alice", "uptime"));
    EXPECT_TRUE("not in it", !rpc_auth_permits(auth, "alice", "getblock"));
    EXPECT_TRUE("others are free", rpc_auth_permits(auth, "bob", "getblock"));
    rpc_auth_set_default_deny(auth, true);
    EXPECT_TRUE("unless denied", !rpc_auth_permits(auth, "bob", "getblock"));
    EXPECT_TRUE("any at all", !rpc_auth_permits(auth, "bob", NULL));
    rpc_auth_add_whitelist(auth, "alice:help,getblock");
    EXPECT_TRUE("in both", rpc_auth_permits(auth, "alice", "help"));
    EXPECT_TRUE("in the first only", !rpc_auth_permits(auth, "alice", "stop"));
    EXPECT_TRUE("in the second only", !rpc_auth_permits(auth, "alice", "getblock"));
    rpc_auth_add_whitelist(auth, "carol");
    EXPECT_TRUE("an empty list", !rpc_auth_permits(auth, "carol", "help"));
    rpc_auth_free(auth);
}

TEST_LIST(TEST(passwords_are_checked), TEST(hashed_users_are_read), TEST(whitelists_narrow))
