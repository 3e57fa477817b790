/* Addresses and secret keys as text: the published vectors of both, the words
 * for bad ones, and that what is read is written back. */
#include "keys/address.h"

#include "base/hex.h"
#include "codec/json.h"
#include "keys/wif.h"
#include "test.h"

static bool read_vectors(struct json *ret_doc, struct buf *bytes, struct arena *arena,
                         const char *file)
{
    const char *path = test_data_path(file);

    if (path == NULL) {
        test_skip("no ASSAY_DATA");
        return false;
    }
    CHECK(test_read_file(bytes, path));
    CHECK(json_read(ret_doc, (const char *)bytes->data, bytes->len, arena, NULL) == 0);
    EXPECT_TRUE(file, ret_doc->count > 10);
    return true;
}

static void check_secret(const struct json *row, const struct params *params)
{
    const struct json *payload = &row->items[1];
    const char *text = json_text(&row->items[0]);
    struct buf hex = {0};
    struct buf again = {0};
    struct seckey key;
    struct destination destination;

    EXPECT_TRUE(text, wif_read(&key, row->items[0].text, params));
    hex_write_buf(&hex, span_of(key.b, sizeof(key.b)));
    EXPECT_STR(text, buf_string(&hex), json_text(payload));
    EXPECT_TRUE(text, key.is_compressed == json_find(&row->items[2], "isCompressed")->truth);
    wif_write(&again, &key, params);
    EXPECT_STR(text, buf_string(&again), text);
    EXPECT_TRUE(text, !address_read(&destination, row->items[0].text, params, NULL));
    buf_clear(&hex);
    buf_clear(&again);
}

static void check_address(const struct json *row, const struct params *params)
{
    const char *text = json_text(&row->items[0]);
    struct buf script = {0};
    struct buf hex = {0};
    struct buf again = {0};
    struct destination destination;
    struct destination found;
    struct address_error error;
    struct seckey key;

    EXPECT_TRUE(text, address_read(&destination, row->items[0].text, params, &error));
    EXPECT_STR(text, error.text, "");
    destination_write_script(&script, &destination);
    hex_write_buf(&hex, span_of_buf(&script));
    EXPECT_STR(text, buf_string(&hex), json_text(&row->items[1]));
    found = destination_of_script(span_of_buf(&script));
    EXPECT_TRUE(text, destination_equal(&found, &destination));
    EXPECT_TRUE(text, address_write(&again, &destination, params));
    EXPECT_STR(text, buf_string(&again), text);
    EXPECT_TRUE(text, !wif_read(&key, row->items[0].text, params));
    buf_clear(&script);
    buf_clear(&hex);
    buf_clear(&again);
}

static void valid_vectors_round_trip(void)
{
    struct buf bytes = {0};
    struct arena arena;
    struct json doc;

    arena_init(&arena);
    if (read_vectors(&doc, &bytes, &arena, "vectors/core/key_io_valid.json")) {
        for (uint32_t i = 0; i < doc.count; i++) {
            const struct json *meta = &doc.items[i].items[2];
            const struct params *params = params_by_name(json_text(json_find(meta, "chain")));

            CHECK(params != NULL);
            if (json_find(meta, "isPrivkey")->truth)
                check_secret(&doc.items[i], params);
            else
                check_address(&doc.items[i], params);
        }
    }
    arena_clear(&arena);
    buf_clear(&bytes);
}

static void invalid_vectors_are_refused(void)
{
    struct buf bytes = {0};
    struct arena arena;
    struct json doc;

    arena_init(&arena);
    if (read_vectors(&doc, &bytes, &arena, "vectors/core/key_io_invalid.json")) {
        for (uint32_t i = 0; i < doc.count; i++) {
            const struct json *text = &doc.items[i].items[0];

            for (int network = 0; network < NETWORK_COUNT; network++) {
                const struct params *params = params_of((enum network)network);
                struct destination destination;
                struct address_error error;
                struct seckey key;

                EXPECT_TRUE(json_text(text),
                            !address_read(&destination, text->text, params, &error));
                EXPECT_TRUE(json_text(text), error.text[0] != '\0');
                EXPECT_INT(json_text(text), destination.kind, DESTINATION_NONE);
                EXPECT_TRUE(json_text(text), !wif_read(&key, text->text, params));
            }
        }
    }
    arena_clear(&arena);
    buf_clear(&bytes);
}

/* The words that validateaddress shows, on regtest. */
static const struct {
    const char *text;
    const char *error;
} error_rows[] = {
    {"17VZNX1SN5NtKa8UQFxwQbFeFc3iqRYhem", "Invalid or unsupported Base58-encoded address."},
    {"2VKf7XKMrp4bVNVmuRbyCewkP8FhGLP2E54LHDPakr9Sq5mtU2",
     "Invalid checksum or length of Base58 address (P2PKH or P2SH)"},
    {"", "Invalid checksum or length of Base58 address (P2PKH or P2SH)"},
    {"!!", "Invalid or unsupported Segwit (Bech32) or Base58 encoding."},
    {"bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
     "Invalid or unsupported Segwit (Bech32) or Base58 encoding."},
};

static void bad_addresses_are_explained(void)
{
    const struct params *params = params_of(NETWORK_REGTEST);

    for (size_t i = 0; i < ARRAY_LEN(error_rows); i++) {
        const char *text = error_rows[i].text;
        struct destination destination;
        struct address_error error;

        EXPECT_TRUE(text, !address_read(&destination, span_of_string(text), params, &error));
        EXPECT_STR(text, error.text, error_rows[i].error);
        EXPECT_U64(text, error.locations_n, 0);
    }
}

/* One wrong character in the data is always found. */
static void one_wrong_character_is_located(void)
{
    static const char digits[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const struct params *params = params_of(NETWORK_MAIN);
    struct destination destination = {.kind = DESTINATION_TAPROOT, .version = 1, .len = 32};
    struct address_error error;
    struct buf text = {0};

    test_random_fill(destination.b, 32);
    EXPECT_TRUE("write", address_write(&text, &destination, params));
    for (size_t at = 4; at < text.len; at++) { /* Behind "bc1p". */
        uint8_t right = text.data[at];
        struct destination read;

        do {
            text.data[at] = (uint8_t)digits[test_random_below(32)];
        } while (text.data[at] == right);
        EXPECT_TRUE("wrong", !address_read(&read, span_of_buf(&text), params, &error));
        EXPECT_U64("locations", error.locations_n, 1);
        EXPECT_U64("location", error.locations[0], at);
        EXPECT_STR("words", error.text, "Invalid Bech32m checksum");
        text.data[at] = right;
    }
    buf_clear(&text);
}

static void programs_of_every_length_round_trip(void)
{
    const struct params *params = params_of(NETWORK_SIGNET);

    for (uint8_t version = 1; version <= 16; version++) {
        for (uint8_t len = 2; len <= 40; len++) {
            struct destination want = {
                .kind = DESTINATION_WITNESS_UNKNOWN, .version = version, .len = len};
            struct destination got;
            struct buf text = {0};

            if (version == 1 && (len == 32 || len == 2))
                continue;
            test_random_fill(want.b, len);
            EXPECT_TRUE("write", address_write(&text, &want, params));
            EXPECT_TRUE("read", address_read(&got, span_of_buf(&text), params, NULL));
            EXPECT_TRUE("same", destination_equal(&got, &want));
            buf_clear(&text);
        }
    }
}

static void scripts_without_address(void)
{
    static const uint8_t p2pk[35] = {33, 2, [34] = 0xac};
    static const uint8_t v0_short[4] = {0, 2, 1, 1};
    static const uint8_t anchor[4] = {0x51, 2, 0x4e, 0x73};
    struct destination destination = destination_of_script(span_of(p2pk, sizeof(p2pk)));

    EXPECT_INT("p2pk", destination.kind, DESTINATION_PUBKEY);
    EXPECT_TRUE("p2pk", !destination_has_address(&destination));
    destination = destination_of_script(span_of(v0_short, sizeof(v0_short)));
    EXPECT_INT("version 0 of 2 bytes", destination.kind, DESTINATION_NONE);
    destination = destination_of_script(span_of(anchor, sizeof(anchor)));
    EXPECT_INT("anchor", destination.kind, DESTINATION_ANCHOR);
    destination = destination_of_script(span_of(NULL, 0));
    EXPECT_INT("empty", destination.kind, DESTINATION_NONE);
}

TEST_LIST(TEST(valid_vectors_round_trip), TEST(invalid_vectors_are_refused),
          TEST(bad_addresses_are_explained), TEST(one_wrong_character_is_located),
          TEST(programs_of_every_length_round_trip), TEST(scripts_without_address))
