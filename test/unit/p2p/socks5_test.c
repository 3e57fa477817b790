#include "p2p/socks5.h"

#include "base/hex.h"

#include "test.h"

static const uint8_t seed[RANDOM_SEED_BYTES];

/* What the proxy says (hex), and what we say then; pieces are fed one byte at a time. */
static const struct {
    const char *label;
    bool has_auth;
    const char *in;
    const char *out; /* After the greeting. */
    enum socks5_state state;
    int rc;
    size_t left; /* Bytes not taken. */
} rows[] = {
#define REQUEST        \
    "0501000308"       \
    "61622e6f6e696f6e" \
    "208d" /* ab.onion, 8333 */
    {"plain, IPv4", false,
     "0500"
     "05000001"
     "7f000001"
     "1f90"
     "aabb",
     REQUEST, SOCKS5_DONE, 0, 2},
    {"plain, IPv6", false,
     "0500"
     "05000004"
     "000102030405060708090a0b0c0d0e0f"
     "1f90",
     REQUEST, SOCKS5_DONE, 0, 0},
    {"plain, name", false,
     "0500"
     "05000003"
     "03616263"
     "1f90"
     "cc",
     REQUEST, SOCKS5_DONE, 0, 1},
    {"plain, no name", false,
     "0500"
     "05000003"
     "00"
     "1f90",
     REQUEST, SOCKS5_DONE, 0, 0},
    {"with user", true,
     "0502"
     "0100"
     "05000001"
     "7f000001"
     "1f90",
     "0104757365720470617373" REQUEST, SOCKS5_DONE, 0, 0},
    {"user not wanted", true,
     "0500"
     "05000001"
     "7f000001"
     "1f90",
     REQUEST, SOCKS5_DONE, 0, 0},
    {"not there yet", false,
     "0500"
     "05000001"
     "7f00",
     REQUEST, SOCKS5_REPLY, 0, 0},
    {"version", false, "0400", "", SOCKS5_FAILED, E_MALFORMED, 0},
    {"user without being offered", false, "0502", "", SOCKS5_FAILED, E_PERMISSION, 0},
    {"no method", true, "05ff", "", SOCKS5_FAILED, E_PERMISSION, 0},
    {"refused user", true,
     "0502"
     "0101",
     "0104757365720470617373", SOCKS5_FAILED, E_PERMISSION, 0},
    {"refused", false,
     "0500"
     "05050001",
     REQUEST, SOCKS5_FAILED, E_IO, 0},
    {"reserved", false,
     "0500"
     "05000101",
     REQUEST, SOCKS5_FAILED, E_MALFORMED, 0},
    {"type", false,
     "0500"
     "05000002",
     REQUEST, SOCKS5_FAILED, E_MALFORMED, 0},
    {"reply version", false,
     "0500"
     "04000001",
     REQUEST, SOCKS5_FAILED, E_MALFORMED, 0},
};

static void run(size_t row, size_t piece)
{
    const struct socks5_auth auth = {"user", "pass"};
    const char *label = rows[row].label;
    struct socks5 socks;
    struct buf send = {0};
    struct buf in = {0};
    struct buf hex = {0};
    size_t at = 0;
    int rc = 0;

    CHECK(hex_read_buf(&in, rows[row].in, strlen(rows[row].in)));
    EXPECT_INT(
        label,
        socks5_begin(&socks, "ab.onion", 8333, rows[row].has_auth ? &auth : NULL, &send, NULL), 0);
    EXPECT_BYTES(label, send.data, send.len, rows[row].has_auth ? "\5\2\0\2" : "\5\1\0",
                 rows[row].has_auth ? 4 : 3);
    send.len = 0;
    while (rc == 0 && at < in.len && socks.state < SOCKS5_DONE) {
        size_t n = MIN(piece, in.len - at);
        size_t used;

        rc = socks5_feed(&socks, &used, span_of(in.data + at, n), &send, NULL);
        EXPECT_TRUE(label, used == n || socks.state >= SOCKS5_DONE);
        at += used;
    }
    hex_write_buf(&hex, span_of_buf(&send));
    EXPECT_STR(label, buf_string(&hex), rows[row].out);
    EXPECT_INT(label, rc, rows[row].rc);
    EXPECT_INT(label, socks.state, rows[row].state);
    EXPECT_U64(label, in.len - at, rows[row].left);
    buf_clear(&send);
    buf_clear(&in);
    buf_clear(&hex);
}

static void talks_to_proxies(void)
{
    for (size_t row = 0; row < ARRAY_LEN(rows); row++) {
        run(row, 1);
        run(row, 3);
        run(row, 1000);
    }
}

static void long_names(void)
{
    char host[300];
    struct socks5 socks;
    struct buf send = {0};
    size_t used;

    memset(host, 'a', sizeof(host));
    host[256] = '\0';
    EXPECT_INT("256", socks5_begin(&socks, host, 1, NULL, &send, NULL), E_LIMIT);
    host[255] = '\0';
    EXPECT_INT("255", socks5_begin(&socks, host, 1, NULL, &send, NULL), 0);
    send.len = 0;
    EXPECT_INT("255", socks5_feed(&socks, &used, span_of("\5\0", 2), &send, NULL), 0);
    EXPECT_U64("all of it", send.len, 4 + 1 + 255 + 2);
    buf_clear(&send);
}

static void isolation_never_repeats(void)
{
    struct socks5_isolation isolation;
    struct random_source random;
    struct socks5_auth a;
    struct socks5_auth b;

    random_init(&random, seed, "x");
    socks5_isolation_init(&isolation, &random);
    for (unsigned i = 0; i < 20; i++) {
        socks5_isolation_next(&isolation, &a);
        EXPECT_STR("user and password", a.user, a.password);
        EXPECT_TRUE("another", i == 0 || strcmp(a.user, b.user) != 0);
        EXPECT_TRUE("one prefix", i == 0 || strncmp(a.user, b.user, 17) == 0);
        b = a;
    }
    socks5_isolation_init(&isolation, &random);
    socks5_isolation_next(&isolation, &a);
    EXPECT_TRUE("another run", strncmp(a.user, b.user, 17) != 0);
}

TEST_LIST(TEST(talks_to_proxies), TEST(long_names), TEST(isolation_never_repeats))
