#include "codec/base32.h"

#include "test.h"

/* RFC 4648, section 10, without the padding. */
static const struct {
    const char *data;
    const char *text;
} rows[] = {
    {"", ""},
    {"f", "my"},
    {"fo", "mzxq"},
    {"foo", "mzxw6"},
    {"foob", "mzxw6yq"},
    {"fooba", "mzxw6ytb"},
    {"foobar", "mzxw6ytboi"},
};

static void published_answers(void)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t len = strlen(rows[i].data);
        char text[16];
        char upper[16];
        uint8_t data[8];

        base32_write(text, (const uint8_t *)rows[i].data, len);
        EXPECT_STR(rows[i].text, text, rows[i].text);
        EXPECT_TRUE(rows[i].text, base32_read(data, len, text, strlen(text)));
        EXPECT_BYTES(rows[i].text, data, len, rows[i].data, len);
        for (size_t j = 0; j <= strlen(text); j++)
            upper[j] = (char)(text[j] >= 'a' && text[j] <= 'z' ? text[j] - 32 : text[j]);
        EXPECT_TRUE(rows[i].text, base32_read(data, len, upper, strlen(upper)));
        EXPECT_BYTES(rows[i].text, data, len, rows[i].data, len);
    }
}

static void refuses(void)
{
    static const struct {
        const char *text;
        size_t len;
    } bad[] = {{"m", 1},  {"myy", 1},  {"mz", 1},   {"m1", 1},      {"m8", 1},
               {"m=", 1}, {"mzxw", 3}, {"mzxr", 2}, {"mzxw6yt", 4}, {"", 1}};
    uint8_t data[8];

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        EXPECT_TRUE(bad[i].text, !base32_read(data, bad[i].len, bad[i].text, strlen(bad[i].text)));
}

static void all_bytes_come_back(void)
{
    for (unsigned i = 0; i < 2000; i++) {
        uint8_t data[40];
        uint8_t again[40];
        size_t len = (size_t)test_random_below(sizeof(data) + 1);
        char text[BASE32_TEXT_LEN(sizeof(data)) + 1];

        test_random_fill(data, len);
        base32_write(text, data, len);
        EXPECT_U64("length", strlen(text), BASE32_TEXT_LEN(len));
        EXPECT_TRUE(text, base32_read(again, len, text, strlen(text)));
        EXPECT_BYTES(text, again, len, data, len);
    }
}

TEST_LIST(TEST(published_answers), TEST(refuses), TEST(all_bytes_come_back))
