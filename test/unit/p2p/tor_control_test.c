#include "p2p/tor_control.h"

#include <sys/stat.h>

#include "base/alloc.h"
#include "base/hex.h"
#include "crypto/hmac.h"

#include "test.h"

#define SERVICE "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd"

static const uint8_t seed[RANDOM_SEED_BYTES];

/* One for all tests of this file. */
static const char *base_folder(void)
{
    static char *folder;

    if (folder == NULL)
        folder = alloc_string(test_folder());
    return folder;
}

struct tor {
    struct tor_control *control;
    struct buf sent;
    struct net_address proxy;
    struct net_address service;
    unsigned services_n; /* Made and not lost. */
    char *folder;
};

static void on_send(void *context, struct span bytes)
{
    buf_add(&((struct tor *)context)->sent, bytes.data, bytes.len);
}

static void on_proxy(void *context, const struct net_address *proxy)
{
    ((struct tor *)context)->proxy = *proxy;
}

static void on_made(void *context, const struct net_address *service)
{
    ((struct tor *)context)->service = *service;
    ((struct tor *)context)->services_n++;
}

static void on_lost(void *context, const struct net_address *service)
{
    EXPECT_TRUE("the one it made", net_address_equal(service, &((struct tor *)context)->service));
    ((struct tor *)context)->services_n--;
}

static void begin(struct tor *tor, const char *folder, const char *password, bool wants_proxy)
{
    struct tor_control_options options = {
        .control = "127.0.0.1:9051",
        .password = password,
        .service_port = 8333,
        .wants_proxy = wants_proxy,
        .disk = disk_real(),
        .seed = seed,
        .handler = {tor, on_send, on_proxy, on_made, on_lost},
    };

    *tor = (struct tor){.folder = alloc_printf("%s/%s", base_folder(), folder)};
    (void)mkdir(tor->folder, 0700);
    options.folder = tor->folder;
    CHECK(net_address_read(&options.target, "127.0.0.1:8334", 14, 0));
    tor->control = tor_control_new(&options);
    tor_control_connected(tor->control);
    EXPECT_STR("first", buf_string(&tor->sent), "PROTOCOLINFO 1\r\n");
}

static void end(struct tor *tor)
{
    tor_control_free(tor->control);
    buf_clear(&tor->sent);
    free(tor->folder);
}

/* Tor says in; then we say out. */
static void says(struct tor *tor, const char *in, const char *out)
{
    struct error err = {0};

    tor->sent.len = 0;
    EXPECT_INT(in, tor_control_feed(tor->control, span_of_string(in), &err), 0);
    EXPECT_STR(in, buf_string(&tor->sent), out);
}

static void null_authentication(void)
{
    struct tor tor;
    char text[NET_ADDRESS_TEXT_SIZE];
    struct buf key = {0};
    char *path;

    begin(&tor, "null", NULL, true);
    says(&tor,
         "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n250-VERSION Tor=\"0.1.2.3\"\r\n250 OK",
         "");
    says(&tor, "\r\n", "AUTHENTICATE\r\n");
    says(&tor, "250 OK\r\n",
         "GETINFO net/listeners/socks\r\n"
         "ADD_ONION NEW:ED25519-V3 PoWDefensesEnabled=1 Port=8333,127.0.0.1:8334\r\n");
    says(&tor, "250-net/listeners/socks=\"127.0.0.1:9055\"\r\n250 OK\r\n", "");
    EXPECT_STR("proxy", net_address_text(text, &tor.proxy), "127.0.0.1:9055");
    says(&tor, "250-ServiceID=" SERVICE "\r\n250-PrivateKey=ED25519-V3:secret+/=\r\n250 OK\r\n",
         "");
    EXPECT_STR("service", net_address_text(text, &tor.service), SERVICE ".onion:8333");
    EXPECT_U64("one", tor.services_n, 1);
    says(&tor, "650 SOMETHING\r\n250 OK\r\n", "");
    tor_control_closed(tor.control);
    EXPECT_U64("gone", tor.services_n, 0);
    path = alloc_printf("%s/onion_v3_private_key", tor.folder);
    EXPECT_TRUE("saved", test_read_file(&key, path));
    EXPECT_STR("saved", buf_string(&key), "ED25519-V3:secret+/=");
    end(&tor);

    begin(&tor, "null", NULL, false);
    says(&tor, "250-AUTH METHODS=NULL\r\n250 OK\r\n", "AUTHENTICATE\r\n");
    says(&tor, "250 OK\r\n",
         "ADD_ONION ED25519-V3:secret+/= PoWDefensesEnabled=1 Port=8333,127.0.0.1:8334\r\n");
    says(&tor, "512 no such thing\r\n",
         "ADD_ONION ED25519-V3:secret+/= Port=8333,127.0.0.1:8334\r\n");
    says(&tor, "512 no such thing\r\n", "");
    EXPECT_U64("none", tor.services_n, 0);
    end(&tor);
    buf_clear(&key);
    free(path);
}

static void password(void)
{
    struct tor tor;

    begin(&tor, "password", "se\"cret", true);
    says(&tor, "250-AUTH METHODS=NULL,HASHEDPASSWORD\r\n250 OK\r\n",
         "AUTHENTICATE \"se\\\"cret\"\r\n");
    says(&tor, "515 no\r\n", "");
    tor_control_closed(tor.control);
    tor.sent.len = 0;
    tor_control_connected(tor.control);
    says(&tor, "250-AUTH METHODS=NULL\r\n250 OK\r\n", "");
    end(&tor);
    begin(&tor, "password", "", true);
    says(&tor, "250-AUTH METHODS=HASHEDPASSWORD\r\n250 OK\r\n", "");
    end(&tor);
}

static void mac_of(char *ret_hex, const char *key, const uint8_t *cookie, const uint8_t *client,
                   const uint8_t *server)
{
    uint8_t data[96];
    uint8_t mac[32];

    memcpy(data, cookie, 32);
    memcpy(data + 32, client, 32);
    memcpy(data + 64, server, 32);
    hmac_sha256(mac, key, strlen(key), data, sizeof(data));
    hex_write(ret_hex, mac, sizeof(mac));
}

static void safe_cookie(void)
{
    static const char *const to_us = "Tor safe cookie authentication server-to-controller hash";
    static const char *const to_tor = "Tor safe cookie authentication controller-to-server hash";
    uint8_t cookie[32] = {1, 2, 3};
    uint8_t server[32] = {4, 5, 6};
    uint8_t client[32];
    char *path = alloc_printf("%s/a \"cookie\"", base_folder());
    char *info = alloc_printf("250-AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE=\"%s/a "
                              "\\\"cookie\\\"\"\r\n250 OK\r\n",
                              base_folder());
    char *answer;
    char *want;
    char hash[65];
    char nonce[65];
    struct tor tor;

    hex_write(nonce, server, 32);
    for (unsigned is_right = 0; is_right < 2; is_right++) {
        CHECK(disk_replace_file(disk_real(), path, cookie, 32, NULL) == 0);
        begin(&tor, "cookie", NULL, false);
        tor.sent.len = 0;
        CHECK(tor_control_feed(tor.control, span_of_string(info), NULL) == 0);
        CHECK(tor.sent.len == 25 + 64 + 2 &&
              memcmp(tor.sent.data, "AUTHCHALLENGE SAFECOOKIE ", 25) == 0);
        CHECK(hex_read(client, 32, (const char *)tor.sent.data + 25, 64));
        mac_of(hash, to_us, cookie, client, server);
        if (is_right == 0)
            hash[0] = hash[0] == '0' ? '1' : '0';
        answer = alloc_printf("250 AUTHCHALLENGE SERVERHASH=%s SERVERNONCE=%s\r\n", hash, nonce);
        mac_of(hash, to_tor, cookie, client, server);
        want = alloc_printf("AUTHENTICATE %s\r\n", hash);
        says(&tor, answer, is_right == 0 ? "" : want);
        free(answer);
        free(want);
        end(&tor);
    }
    CHECK(disk_replace_file(disk_real(), path, cookie, 31, NULL) == 0);
    begin(&tor, "cookie", NULL, false);
    says(&tor, info, "");
    end(&tor);
    CHECK(disk_remove(disk_real(), path, NULL) == 0);
    begin(&tor, "cookie", NULL, false);
    says(&tor, info, "");
    end(&tor);
    free(path);
    free(info);
}

/* Which of the listeners Tor names is taken. */
static const struct {
    const char *reply;
    const char *want;
} socks_rows[] = {
    {"250-net/listeners/socks=\"127.0.0.1:1\"\r\n250 OK\r\n", "127.0.0.1:1"},
    {"250-net/listeners/socks=\"1.2.3.4:2\" \"127.0.0.1:1\" \"5.6.7.8:3\"\r\n250 OK\r\n",
     "127.0.0.1:1"},
    {"250-net/listeners/socks=\"1.2.3.4:2\" '5.6.7.8:3'\r\n250 OK\r\n", "5.6.7.8:3"},
    {"250-net/listeners/socks=1.2.3.4\r\n250 OK\r\n", "1.2.3.4:9050"},
    {"250-net/listeners/socks=\"unix:/run/tor\"\r\n250 OK\r\n", "127.0.0.1:9050"},
    {"250-net/listeners/socks=\r\n250 OK\r\n", "127.0.0.1:9050"},
    {"250-net/listeners/socks=\"\" \"\r\n250 OK\r\n", "127.0.0.1:9050"},
    {"250 OK\r\n", "127.0.0.1:9050"},
    {"510 what\r\n", "127.0.0.1:9050"},
};

static void socks_ports(void)
{
    for (size_t i = 0; i < ARRAY_LEN(socks_rows); i++) {
        char text[NET_ADDRESS_TEXT_SIZE];
        struct tor tor;

        begin(&tor, "socks", NULL, true);
        says(&tor, "250-AUTH METHODS=NULL\r\n250 OK\r\n", "AUTHENTICATE\r\n");
        CHECK(tor_control_feed(tor.control, span_of_string("250 OK\r\n"), NULL) == 0);
        says(&tor, socks_rows[i].reply, "");
        EXPECT_STR(socks_rows[i].reply, net_address_text(text, &tor.proxy), socks_rows[i].want);
        end(&tor);
    }
}

static void bounds(void)
{
    struct buf line = {0};
    struct tor tor;

    begin(&tor, "bounds", NULL, false);
    buf_add_string(&line, "250-");
    memset(buf_extend(&line, TOR_LINE_MAX - 5), 'A', TOR_LINE_MAX - 5);
    buf_add_string(&line, "\r\n");
    EXPECT_INT("longest line", tor_control_feed(tor.control, span_of_buf(&line), NULL), 0);
    line.len -= 2;
    buf_add_string(&line, "A\r\n");
    EXPECT_INT("longer", tor_control_feed(tor.control, span_of_buf(&line), NULL), E_LIMIT);
    tor_control_closed(tor.control);

    tor_control_connected(tor.control);
    for (unsigned i = 0; i < TOR_LINES_MAX; i++)
        EXPECT_INT("lines", tor_control_feed(tor.control, span_of_string("250-more\r\n"), NULL), 0);
    EXPECT_INT("one more", tor_control_feed(tor.control, span_of_string("250-more\r\n"), NULL),
               E_LIMIT);
    tor_control_closed(tor.control);

    tor_control_connected(tor.control);
    line.len -= 3;
    buf_add_string(&line, "\r\n");
    for (unsigned i = 0; i < TOR_REPLY_BYTES_MAX / TOR_LINE_MAX; i++)
        EXPECT_INT("bytes", tor_control_feed(tor.control, span_of_buf(&line), NULL), 0);
    EXPECT_INT("too many", tor_control_feed(tor.control, span_of_buf(&line), NULL), E_LIMIT);
    buf_clear(&line);
    end(&tor);
}

static void waits_longer_each_time(void)
{
    struct tor tor;
    uint64_t wait_ms = 0;

    begin(&tor, "wait", NULL, false);
    EXPECT_U64("first", tor_control_failed(tor.control), 1000);
    EXPECT_U64("second", tor_control_failed(tor.control), 1500);
    for (unsigned i = 0; i < 30; i++)
        wait_ms = tor_control_failed(tor.control);
    EXPECT_U64("at most", wait_ms, 600000);
    tor_control_connected(tor.control);
    EXPECT_U64("from the start", tor_control_failed(tor.control), 1000);
    end(&tor);
}

TEST_LIST(TEST(null_authentication), TEST(password), TEST(safe_cookie), TEST(socks_ports),
          TEST(bounds), TEST(waits_longer_each_time))
