#include "p2p/wire_cipher_priv.h"

#include "base/alloc.h"
#include "base/hex.h"
#include "crypto/ellswift.h"
#include "csv.h"
#include "test.h"

static const uint8_t main_magic[WIRE_MAGIC_BYTES] = {0xf9, 0xbe, 0xb4, 0xd9};

static struct buf hex_field(const struct csv *csv, const char *column)
{
    struct buf buf = {0};
    const char *text = csv_get(csv, column);

    EXPECT_TRUE(column, hex_read_buf(&buf, text, strlen(text)));
    return buf;
}

static void expect_hex(const struct csv *csv, const char *column, const uint8_t *data, size_t len)
{
    struct buf want = hex_field(csv, column);

    EXPECT_BYTES(column, data, len, want.data, want.len);
    buf_clear(&want);
}

/* Seals the row's packet, as the last of in_idx others, and opens it on the other
 * side. */
static void check_packet(const struct csv *csv, const uint8_t *secret, bool is_initiator)
{
    struct buf contents = hex_field(csv, "in_contents");
    struct buf aad = hex_field(csv, "in_aad");
    size_t multiply = strtoul(csv_get(csv, "in_multiply"), NULL, 10);
    size_t index = strtoul(csv_get(csv, "in_idx"), NULL, 10);
    bool is_ignored = csv_get(csv, "in_ignore")[0] == '1';
    size_t len = contents.len * multiply;
    uint8_t *packet = alloc_zero(len + WIRE_EXPANSION_BYTES);
    const char *end = csv_get(csv, "out_ciphertext_endswith");
    struct wire_cipher ours;
    struct wire_cipher theirs;
    bool is_decoy = false;

    wire_cipher_init(&ours, secret, main_magic, is_initiator);
    wire_cipher_init(&theirs, secret, main_magic, !is_initiator);
    expect_hex(csv, "out_session_id", ours.session_id, sizeof(ours.session_id));
    expect_hex(csv, "mid_send_garbage_terminator", ours.our_terminator, WIRE_TERMINATOR_BYTES);
    expect_hex(csv, "mid_recv_garbage_terminator", ours.peer_terminator, WIRE_TERMINATOR_BYTES);
    for (size_t i = 0; i < index; i++) {
        uint8_t dummy[WIRE_EXPANSION_BYTES] = {0};

        wire_cipher_seal(&ours, dummy, 0, span_of(NULL, 0), false);
        EXPECT_U64("dummy", wire_cipher_open_length(&theirs, dummy), 0);
        EXPECT_TRUE("dummy", wire_cipher_open(&theirs, &is_decoy, dummy + WIRE_LENGTH_BYTES, 0,
                                              span_of(NULL, 0)));
    }
    for (size_t i = 0; i < multiply; i++)
        memcpy(packet + WIRE_LENGTH_BYTES + WIRE_HEADER_BYTES + i * contents.len, contents.data,
               contents.len);
    wire_cipher_seal(&ours, packet, len, span_of_buf(&aad), is_ignored);
    if (end[0] == '\0') {
        expect_hex(csv, "out_ciphertext", packet, len + WIRE_EXPANSION_BYTES);
    } else {
        size_t end_len = strlen(end) / 2;

        expect_hex(csv, "out_ciphertext_endswith", packet + len + WIRE_EXPANSION_BYTES - end_len,
                   end_len);
    }
    EXPECT_U64("length", wire_cipher_open_length(&theirs, packet), len);
    EXPECT_TRUE("opens", wire_cipher_open(&theirs, &is_decoy, packet + WIRE_LENGTH_BYTES, len,
                                          span_of_buf(&aad)));
    EXPECT_INT("decoy", is_decoy, is_ignored);
    EXPECT_TRUE("first contents",
                multiply == 0 || memcmp(packet + 4, contents.data, contents.len) == 0);
    free(packet);
    buf_clear(&contents);
    buf_clear(&aad);
}

static void bip324_packets(void)
{
    uint8_t seed[32] = {1};
    struct csv csv;
    size_t rows = 0;

    if (!csv_open(&csv, "vectors/bips/bip-0324__packet_encoding_test_vectors.csv"))
        return;
    secp_init(seed);
    while (csv_next(&csv)) {
        struct buf seckey = hex_field(&csv, "in_priv_ours");
        struct buf ours = hex_field(&csv, "in_ellswift_ours");
        struct buf theirs = hex_field(&csv, "in_ellswift_theirs");
        bool is_initiator = csv_get(&csv, "in_initiating")[0] == '1';
        uint8_t secret[ELLSWIFT_SECRET_BYTES];

        EXPECT_TRUE("shared",
                    ellswift_shared(secret, ours.data, theirs.data, seckey.data, is_initiator));
        expect_hex(&csv, "mid_shared_secret", secret, sizeof(secret));
        check_packet(&csv, secret, is_initiator);
        buf_clear(&seckey);
        buf_clear(&ours);
        buf_clear(&theirs);
        rows++;
    }
    EXPECT_TRUE("rows", rows >= 7);
    csv_close(&csv);
    secp_clear();
}

TEST_LIST(TEST(bip324_packets))
