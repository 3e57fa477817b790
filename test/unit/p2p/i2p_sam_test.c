#include "p2p/i2p_sam.h"

#include <sys/stat.h>

#include "base/alloc.h"
#include "codec/base64.h"
#include "crypto/sha256.h"

#include "test.h"

static const uint8_t seed[RANDOM_SEED_BYTES];

/* One for all tests of this file. */
static const char *base_folder(void)
{
    static char *folder;

    if (folder == NULL)
        folder = alloc_string(test_folder());
    return folder;
}

/* A key of len bytes whose certificate has four, in the base64 of I2P. */
static char *make_key(uint8_t fill, size_t len, struct net_address *ret_address)
{
    uint8_t *key = alloc(len);
    uint8_t hash[SHA256_BYTES];
    struct buf text = {0};
    char *copy;

    memset(key, fill, len);
    key[384] = 5;
    key[385] = 0;
    key[386] = 4;
    sha256(hash, key, MIN(len, (size_t)391));
    *ret_address = net_address_i2p(hash, I2P_PORT);
    base64_write(&text, span_of(key, len));
    copy = alloc_string(buf_string(&text));
    for (char *at = copy; *at != '\0'; at++)
        *at = (char)(*at == '+' ? '-' : *at == '/' ? '~' : *at);
    buf_clear(&text);
    free(key);
    return copy;
}

struct sam {
    struct i2p_session *session;
    struct i2p_link link;
    struct buf sent;
    char *folder;
};

static void begin(struct sam *sam, const char *folder)
{
    struct i2p_session_options options = {
        .router = "127.0.0.1:7656", .disk = disk_real(), .seed = seed};

    *sam = (struct sam){0};
    if (folder != NULL) {
        sam->folder = alloc_printf("%s/%s", base_folder(), folder);
        (void)mkdir(sam->folder, 0700);
        options.folder = sam->folder;
    }
    sam->session = i2p_session_new(&options);
}

static void end(struct sam *sam)
{
    i2p_link_clear(&sam->link);
    i2p_session_free(sam->session);
    buf_clear(&sam->sent);
    free(sam->folder);
}

static void open_link(struct sam *sam, enum i2p_role role, const struct net_address *peer)
{
    i2p_link_clear(&sam->link);
    sam->sent.len = 0;
    i2p_link_begin(&sam->link, sam->session, role, peer, &sam->sent);
    EXPECT_STR("hello", buf_string(&sam->sent), "HELLO VERSION MIN=3.1 MAX=3.1\n");
}

/* The router says in, byte by byte; then we say what begins with out. */
static void says(struct sam *sam, const char *in, const char *out, int rc)
{
    size_t len = strlen(in);
    int got = 0;

    sam->sent.len = 0;
    for (size_t i = 0; i < len && got == 0; i++) {
        size_t used;

        got = i2p_link_feed(&sam->link, &used, span_of(in + i, 1), &sam->sent, NULL);
        EXPECT_TRUE("used", used == 1);
    }
    EXPECT_INT(in, got, rc);
    if (strncmp(buf_string(&sam->sent), out, strlen(out)) != 0 ||
        (out[0] == '\0') != (sam->sent.len == 0))
        EXPECT_STR(in, buf_string(&sam->sent), out);
    EXPECT_INT(in, sam->link.state == I2P_FAILED, rc < 0);
}

#define HELLO_OK "HELLO REPLY RESULT=OK VERSION=3.1\n"

static char *alloc_line(const char *before, const char *value, const char *after)
{
    return alloc_printf("%s%s%s", before, value, after);
}

static void make_session(struct sam *sam, struct net_address *ret_address)
{
    char *key = make_key(7, 679, ret_address);
    char *line = alloc_line("SESSION STATUS RESULT=OK DESTINATION=", key, "\n");

    open_link(sam, I2P_CONTROL, NULL);
    says(sam, HELLO_OK, "SESSION CREATE STYLE=STREAM ID=", 0);
    says(sam, line, "", 0);
    EXPECT_INT("done", sam->link.state, I2P_DONE);
    free(line);
    free(key);
}

static void transient_sessions(void)
{
    struct net_address address;
    struct sam sam;

    begin(&sam, NULL);
    EXPECT_TRUE("not yet", !i2p_session_is_ready(sam.session));
    make_session(&sam, &address);
    EXPECT_TRUE("ready", i2p_session_is_ready(sam.session));
    EXPECT_TRUE("our address", net_address_equal(i2p_session_address(sam.session), &address));
    i2p_session_lost(sam.session);
    EXPECT_TRUE("lost", !i2p_session_is_ready(sam.session));
    end(&sam);
}

static void persistent_sessions_keep_their_key(void)
{
    struct net_address address;
    char *key = make_key(9, 679, &address);
    char *line = alloc_line("DEST REPLY PUB=x PRIV=", key, "\n");
    char *want = alloc_line(" DESTINATION=", key, " i2cp.leaseSetEncType=4,0");
    struct sam sam;

    for (unsigned run = 0; run < 2; run++) {
        begin(&sam, "persistent");
        open_link(&sam, I2P_CONTROL, NULL);
        if (run == 0) {
            says(&sam, HELLO_OK, "DEST GENERATE SIGNATURE_TYPE=7\n", 0);
            says(&sam, line, "SESSION CREATE STYLE=STREAM ID=", 0);
        } else {
            says(&sam, HELLO_OK, "SESSION CREATE STYLE=STREAM ID=", 0);
        }
        EXPECT_TRUE("the same key", strstr(buf_string(&sam.sent), want) != NULL);
        says(&sam, "SESSION STATUS RESULT=OK\n", "", 0);
        EXPECT_TRUE("our address", net_address_equal(i2p_session_address(sam.session), &address));
        end(&sam);
    }
    free(key);
    free(line);
    free(want);
}

static void sessions_that_fail(void)
{
    static const char *const replies[] = {
        "SESSION STATUS RESULT=DUPLICATED_ID\n",
        "SESSION STATUS\n",
        "SESSION STATUS RESULT=OK\n",
        "SESSION STATUS RESULT=OK DESTINATION=AAAA\n",
        "SESSION STATUS RESULT=OK DESTINATION=A+/=\n",
        "SESSION STATUS RESULT=OK DESTINATION=%%%%\n",
    };
    static const int codes[] = {E_IO,        E_MALFORMED, E_MALFORMED,
                                E_MALFORMED, E_MALFORMED, E_MALFORMED};
    struct net_address address;
    char *key = make_key(1, 390, &address);
    char *line = alloc_line("SESSION STATUS RESULT=OK DESTINATION=", key, "\n");
    struct sam sam;

    for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
        begin(&sam, NULL);
        open_link(&sam, I2P_CONTROL, NULL);
        says(&sam, HELLO_OK, "SESSION CREATE", 0);
        says(&sam, replies[i], "", codes[i]);
        EXPECT_TRUE("not ready", !i2p_session_is_ready(sam.session));
        end(&sam);
    }
    begin(&sam, NULL);
    open_link(&sam, I2P_CONTROL, NULL);
    says(&sam, HELLO_OK, "SESSION CREATE", 0);
    says(&sam, line, "", E_MALFORMED);
    open_link(&sam, I2P_CONTROL, NULL);
    says(&sam, "HELLO REPLY RESULT=NOVERSION\n", "", E_IO);
    end(&sam);
    free(line);
    free(key);
}

static void connects(void)
{
    struct net_address address;
    struct net_address peer;
    char host[NET_ADDRESS_TEXT_SIZE];
    char *peer_key = make_key(3, 391, &peer);
    char *found = alloc_line("NAMING REPLY RESULT=OK NAME=x VALUE=", peer_key, "\n");
    char *lookup = alloc_line("NAMING LOOKUP NAME=", net_address_host_text(host, &peer), "\n");
    static const struct {
        const char *reply;
        int rc;
        bool blames_peer;
        bool loses_session;
    } rows[] = {
        {"STREAM STATUS RESULT=OK\n", 0, false, false},
        {"STREAM STATUS RESULT=CANT_REACH_PEER\n", E_IO, true, false},
        {"STREAM STATUS RESULT=TIMEOUT\n", E_IO, true, false},
        {"STREAM STATUS RESULT=I2P_ERROR MESSAGE=x\n", E_IO, false, false},
        {"STREAM STATUS RESULT=INVALID_ID\n", E_STATE, false, true},
        {"STREAM STATUS\n", E_MALFORMED, false, false},
    };
    struct sam sam;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        begin(&sam, NULL);
        make_session(&sam, &address);
        open_link(&sam, I2P_CONNECT, &peer);
        says(&sam, HELLO_OK, lookup, 0);
        says(&sam, found, "STREAM CONNECT ID=", 0);
        EXPECT_TRUE("to it", strstr(buf_string(&sam.sent), peer_key) != NULL);
        says(&sam, rows[i].reply, "", rows[i].rc);
        EXPECT_INT(rows[i].reply, sam.link.state, rows[i].rc == 0 ? I2P_DONE : I2P_FAILED);
        EXPECT_INT(rows[i].reply, sam.link.blames_peer, rows[i].blames_peer);
        EXPECT_INT(rows[i].reply, i2p_session_is_ready(sam.session), !rows[i].loses_session);
        end(&sam);
    }
    begin(&sam, NULL);
    make_session(&sam, &address);
    open_link(&sam, I2P_CONNECT, &peer);
    says(&sam, HELLO_OK, lookup, 0);
    says(&sam, "NAMING REPLY RESULT=KEY_NOT_FOUND NAME=x\n", "", E_IO);
    open_link(&sam, I2P_CONNECT, &address);
    says(&sam, HELLO_OK, "NAMING LOOKUP", 0);
    says(&sam, found, "", E_MALFORMED);
    end(&sam);
    free(peer_key);
    free(found);
    free(lookup);
}

static void accepts(void)
{
    struct net_address address;
    struct net_address peer;
    char *peer_key = make_key(3, 391, &peer);
    char *line = alloc_line(peer_key, " FROM_PORT=0 TO_PORT=0\n", "bytes of the peer");
    size_t used;
    struct sam sam;

    begin(&sam, NULL);
    make_session(&sam, &address);
    open_link(&sam, I2P_ACCEPT, NULL);
    says(&sam, HELLO_OK, "STREAM ACCEPT ID=", 0);
    says(&sam, "STREAM STATUS RESULT=OK\n", "", 0);
    EXPECT_INT("waits", sam.link.state, I2P_WAITING);
    EXPECT_INT("came", i2p_link_feed(&sam.link, &used, span_of_string(line), &sam.sent, NULL), 0);
    EXPECT_INT("came", sam.link.state, I2P_DONE);
    EXPECT_STR("the rest is the peer's", line + used, "bytes of the peer");
    EXPECT_TRUE("who", net_address_equal(&sam.link.peer, &peer));

    open_link(&sam, I2P_ACCEPT, NULL);
    says(&sam, HELLO_OK, "STREAM ACCEPT ID=", 0);
    says(&sam, "STREAM STATUS RESULT=OK\n", "", 0);
    says(&sam, "nonsense!\n", "", E_MALFORMED);
    EXPECT_TRUE("the session goes on", i2p_session_is_ready(sam.session));

    open_link(&sam, I2P_ACCEPT, NULL);
    says(&sam, HELLO_OK, "STREAM ACCEPT ID=", 0);
    says(&sam, "STREAM STATUS RESULT=OK\n", "", 0);
    says(&sam, "STREAM STATUS RESULT=I2P_ERROR MESSAGE=\"Session was closed\"\n", "", E_STATE);
    EXPECT_TRUE("the session is over", !i2p_session_is_ready(sam.session));
    end(&sam);
    free(peer_key);
    free(line);
}

static void bounded_and_only_port_0(void)
{
    char *big = alloc(I2P_LINE_MAX + 1);
    struct net_address peer;
    struct sam sam;
    size_t used;

    memset(big, 'A', I2P_LINE_MAX + 1);
    begin(&sam, NULL);
    open_link(&sam, I2P_CONTROL, NULL);
    EXPECT_INT("as long as may be",
               i2p_link_feed(&sam.link, &used, span_of(big, I2P_LINE_MAX), &sam.sent, NULL), 0);
    EXPECT_INT("longer", i2p_link_feed(&sam.link, &used, span_of(big, 1), &sam.sent, NULL),
               E_LIMIT);
    end(&sam);
    free(big);

    free(make_key(1, 391, &peer));
    EXPECT_TRUE("port 0", i2p_may_connect(&peer));
    peer.port = 8333;
    EXPECT_TRUE("another", !i2p_may_connect(&peer));
}

TEST_LIST(TEST(transient_sessions), TEST(persistent_sessions_keep_their_key),
          TEST(sessions_that_fail), TEST(connects), TEST(accepts), TEST(bounded_and_only_port_0))
