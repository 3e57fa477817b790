#include "codec/base64.h"

#include "test.h"

/* RFC 4648, section 10. */
static const struct {
    const char *data;
    const char *text;
} rows[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};

static void published_answers(void)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf buf = {0};

        base64_write(&buf, span_of_string(rows[i].data));
        EXPECT_STR(rows[i].text, buf_string(&buf), rows[i].text);
        buf.len = 0;
        EXPECT_TRUE(rows[i].text, base64_read(&buf, rows[i].text, strlen(rows[i].text)));
        EXPECT_STR(rows[i].text, buf_string(&buf), rows[i].data);
        buf_clear(&buf);
    }
}

static const char *const bad_rows[] = {
    "Z",        "Zg",   "Zg=",  "Zg===", "====",   "=",    "Z===", "Zh==",   "Zm9=",
    "Zm8=Zm8=", "Zm=v", "Zm9 ", " Zm9v", "Zm9v\n", "Zm9-", "Zm9_", "Zg==\n",
};

static void refuses(void)
{
    struct buf buf = {0};

    buf_add_string(&buf, "kept");
    for (size_t i = 0; i < ARRAY_LEN(bad_rows); i++)
        EXPECT_TRUE(bad_rows[i], !base64_read(&buf, bad_rows[i], strlen(bad_rows[i])));
    EXPECT_TRUE("zero byte", !base64_read(&buf, "Zm9\0", 4));
    EXPECT_STR("as it was", buf_string(&buf), "kept");
    buf_clear(&buf);
}

static void round_trips(void)
{
    for (int i = 0; i < 1000; i++) {
        uint8_t data[100];
        size_t len = test_random_below(sizeof(data) + 1);
        struct buf text = {0};
        struct buf again = {0};

        test_random_fill(data, len);
        base64_write(&text, span_of(data, len));
        EXPECT_U64("length", text.len, (len + 2) / 3 * 4);
        EXPECT_TRUE("read", base64_read(&again, (char *)text.data, text.len));
        EXPECT_BYTES("same", again.data, again.len, data, len);
        buf_clear(&text);
        buf_clear(&again);
    }
}

TEST_LIST(TEST(published_answers), TEST(refuses), TEST(round_trips))
