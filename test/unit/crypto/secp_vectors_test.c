/* Published vectors through the wrapper and through the lanes: Wycheproof's ECDSA
 * file and BIP 340's table. */
#include "base/hex.h"
#include "codec/json.h"
#include "crypto/secp.h"
#include "crypto/sha256.h"
#include "crypto/sigbatch.h"
#include "crypto/sigbatch_priv.h"
#include "test.h"

#define ASKED_MAX 512

/* Gathered by a test, for the lanes to answer together at its end. */
static struct sigbatch_item asked[ASKED_MAX];
static bool asked_want[ASKED_MAX];
static size_t asked_n;

static void ask_lanes(const struct sigbatch_item *item, bool want)
{
    CHECK(asked_n < ASKED_MAX);
    asked[asked_n] = *item;
    asked_want[asked_n++] = want;
}

/* What the lanes say by themselves: valid where libsecp256k1 does, and only there. */
static void hear_lanes(const char *label, lanes_run_fn *run)
{
    EXPECT_TRUE(label, sigbatch_use(run));
    sigbatch_try(asked, asked_n);
    for (size_t i = 0; i < asked_n; i++)
        EXPECT_INT(label, asked[i].is_valid, asked_want[i]);
    CHECK(sigbatch_use(NULL));
}

static void hear_all_lanes(void)
{
    EXPECT_TRUE("some were asked", asked_n > 0);
    hear_lanes("plain lanes", lanes_run_plain);
#if defined(__x86_64__)
    if (strcmp(sigbatch_select(true), "avx512-ifma") == 0)
        hear_lanes("ifma lanes", lanes_run_ifma);
#endif
    asked_n = 0;
}

static void hex_of(struct buf *buf, const struct json *value)
{
    buf->len = 0;
    CHECK(value != NULL && hex_read_buf(buf, json_text(value), value->text.len));
}

struct ecdsa_case {
    struct buf key;
    struct buf message;
    struct buf sig;
};

/* Wycheproof's "Bitcoin" kind is valid for strict DER with low s. Lax reading
 * and high s only ever add signatures. */
static void check_ecdsa(const struct ecdsa_case *c, const char *label, bool want)
{
    uint8_t hash[32];
    struct secp_pubkey pubkey;
    struct ecdsa_sig sig;
    bool lax;

    sha256(hash, c->message.data, c->message.len);
    if (!EXPECT_TRUE(label, secp_pubkey_read(&pubkey, c->key.data, c->key.len)))
        return;
    lax = ecdsa_verify_lax(c->sig.data, c->sig.len, hash, c->key.data, c->key.len);
    EXPECT_INT(label,
               ecdsa_sig_read_strict(&sig, c->sig.data, c->sig.len) && ecdsa_sig_is_low_s(&sig) &&
                   ecdsa_sig_verify(&sig, hash, &pubkey),
               want);
    if (want)
        EXPECT_TRUE(label, lax);
    if (ecdsa_sig_read_strict(&sig, c->sig.data, c->sig.len)) {
        struct sigbatch_item item = {.kind = SIGBATCH_ECDSA, .pubkey_len = (uint8_t)c->key.len};

        EXPECT_INT(label, ecdsa_sig_verify(&sig, hash, &pubkey), lax);
        memcpy(item.pubkey, c->key.data, c->key.len);
        memcpy(item.r, sig.r, sizeof(item.r));
        memcpy(item.s, sig.s, sizeof(item.s));
        memcpy(item.hash, hash, sizeof(item.hash));
        ask_lanes(&item, lax);
    }
}

static void wycheproof(void)
{
    const char *path =
        test_data_path("vectors/wycheproof/ecdsa_secp256k1_sha256_bitcoin_test.json");
    struct ecdsa_case c = {0};
    struct buf file = {0};
    struct arena arena;
    struct json root;
    const struct json *groups;
    size_t n = 0;

    if (path == NULL) {
        test_skip("no vectors");
        return;
    }
    arena_init(&arena);
    CHECK(test_read_file(&file, path));
    CHECK(json_read(&root, (char *)file.data, file.len, &arena, NULL) == 0);
    groups = json_find(&root, "testGroups");
    for (uint32_t i = 0; i < groups->count; i++) {
        const struct json *group = &groups->items[i];
        const struct json *cases = json_find(group, "tests");

        hex_of(&c.key, json_find(json_find(group, "publicKey"), "uncompressed"));
        for (uint32_t k = 0; k < cases->count; k++, n++) {
            const struct json *row = &cases->items[k];

            hex_of(&c.message, json_find(row, "msg"));
            hex_of(&c.sig, json_find(row, "sig"));
            check_ecdsa(&c, json_text(json_find(row, "tcId")),
                        json_is_string(json_find(row, "result"), "valid"));
        }
    }
    EXPECT_U64("cases", n, 463);
    hear_all_lanes();
    buf_clear(&c.key);
    buf_clear(&c.message);
    buf_clear(&c.sig);
    buf_clear(&file);
    arena_clear(&arena);
}

#define COLUMNS 7 /* index, secret key, public key, aux, message, signature, result */

/* Splits a line of the table at its commas; false if there are too few. */
static bool split(struct buf *columns, const char *line, size_t len)
{
    const char *end = line + len;

    for (size_t i = 0; i < COLUMNS; i++) {
        const char *comma = memchr(line, ',', (size_t)(end - line));

        if (comma == NULL)
            return false;
        columns[i].len = 0;
        if (i == 0 || i == COLUMNS - 1)
            buf_add(&columns[i], line, (size_t)(comma - line));
        else
            CHECK(hex_read_buf(&columns[i], line, (size_t)(comma - line)));
        line = comma + 1;
    }
    return true;
}

static void check_schnorr(struct buf *column)
{
    const char *label = buf_string(&column[0]);
    const struct buf *key = &column[2];
    const struct buf *message = &column[4];
    const struct buf *sig = &column[5];
    bool want = strcmp(buf_string(&column[6]), "TRUE") == 0;
    uint8_t got[64];

    EXPECT_U64(label, key->len, 32);
    EXPECT_U64(label, sig->len, 64);
    EXPECT_INT(label, schnorr_verify(sig->data, message->data, message->len, key->data), want);
    if (message->len == 32) {
        struct sigbatch_item item = {.kind = SIGBATCH_SCHNORR, .pubkey_len = 32};

        memcpy(item.pubkey, key->data, 32);
        memcpy(item.r, sig->data, 32);
        memcpy(item.s, sig->data + 32, 32);
        memcpy(item.hash, message->data, 32);
        ask_lanes(&item, want);
    }
    /* The wrapper signs what Bitcoin signs: 32 bytes. */
    if (column[1].len == 32 && message->len == 32) {
        struct secp_pubkey pubkey;
        uint8_t xonly[32];
        bool odd;

        EXPECT_TRUE(label, secp_pubkey_of(&pubkey, column[1].data));
        secp_xonly_of(xonly, &odd, &pubkey);
        EXPECT_BYTES(label, xonly, 32, key->data, 32);
        EXPECT_TRUE(label, schnorr_sign(got, message->data, column[1].data, column[3].data));
        EXPECT_BYTES(label, got, 64, sig->data, 64);
    }
}

static void bip_340(void)
{
    static const uint8_t seed[32] = {1};
    const char *path = test_data_path("vectors/bips/bip-0340__test-vectors.csv");
    struct buf column[COLUMNS] = {0};
    struct buf file = {0};
    const char *line;
    size_t n = 0;

    if (path == NULL) {
        test_skip("no vectors");
        return;
    }
    secp_init(seed);
    CHECK(test_read_file(&file, path));
    line = strchr(buf_string(&file), '\n'); /* Behind the titles. */
    while (line != NULL && line[1] != '\0') {
        const char *end = strchr(line + 1, '\n');

        CHECK(end != NULL);
        CHECK(split(column, line + 1, (size_t)(end - line - 1)));
        check_schnorr(column);
        n++;
        line = end;
    }
    EXPECT_U64("rows", n, 19);
    hear_all_lanes();
    for (size_t i = 0; i < COLUMNS; i++)
        buf_clear(&column[i]);
    buf_clear(&file);
}

TEST_LIST(TEST(wycheproof), TEST(bip_340))
