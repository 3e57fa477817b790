#include "base/hex.h"

#include "test.h"

static const struct {
    const char *label;
    const char *text;
    size_t text_len;
    size_t len;
    bool good;
} rows[] = {
    {"lower", "01abef", 6, 3, true},       {"upper", "01ABEF", 6, 3, true},
    {"mixed", "01aBeF", 6, 3, true},       {"nothing", "", 0, 0, true},
    {"too short", "01ab", 4, 3, false},    {"too long", "01abef00", 8, 3, false},
    {"odd", "01abe", 5, 3, false},         {"odd by one digit", "01abef0", 7, 3, false},
    {"before 0", "01ab/f", 6, 3, false},   {"after 9", "01ab:f", 6, 3, false},
    {"before A", "01ab@f", 6, 3, false},   {"after F", "01abGf", 6, 3, false},
    {"before a", "01ab`f", 6, 3, false},   {"after f", "01abfg", 6, 3, false},
    {"space", "01 abe", 6, 3, false},      {"prefix", "0x01ab", 6, 3, false},
    {"zero byte", "01\0bef", 6, 3, false},
};

static void reading(void)
{
    static const uint8_t want[3] = {0x01, 0xab, 0xef};
    static const uint8_t reversed[3] = {0xef, 0xab, 0x01};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *label = rows[i].label;
        uint8_t data[4] = {0};
        struct buf buf = {0};

        if (EXPECT_INT(label, hex_read(data, rows[i].len, rows[i].text, rows[i].text_len),
                       rows[i].good) &&
            rows[i].good)
            EXPECT_BYTES(label, data, rows[i].len, want, rows[i].len);
        if (EXPECT_INT(label, hex_read_reversed(data, rows[i].len, rows[i].text, rows[i].text_len),
                       rows[i].good) &&
            rows[i].good)
            EXPECT_BYTES(label, data, rows[i].len, reversed, rows[i].len);
        buf_add_string(&buf, "kept");
        if (rows[i].text_len == 6) {
            EXPECT_INT(label, hex_read_buf(&buf, rows[i].text, 6), rows[i].good);
            EXPECT_U64(label, buf.len, rows[i].good ? 7 : 4);
        }
        EXPECT_TRUE("odd", !hex_read_buf(&buf, rows[i].text, rows[i].text_len | 1));
        buf_clear(&buf);
    }
}

static void round_trips(void)
{
    for (int i = 0; i < 300; i++) {
        uint8_t data[50];
        uint8_t again[50];
        char text[101];
        size_t len = test_random_below(sizeof(data) + 1);
        struct buf buf = {0};

        test_random_fill(data, len);
        hex_write(text, data, len);
        EXPECT_U64("length", strlen(text), 2 * len);
        EXPECT_TRUE("read", hex_read(again, len, text, 2 * len));
        EXPECT_BYTES("same", again, len, data, len);
        hex_write_buf(&buf, span_of(data, len));
        EXPECT_STR("same text", buf_string(&buf), text);
        hex_write_reversed(text, data, len);
        EXPECT_TRUE("read", hex_read_reversed(again, len, text, 2 * len));
        EXPECT_BYTES("reversed", again, len, data, len);
        if (len > 1) {
            EXPECT_TRUE("read", hex_read(again, len, text, 2 * len));
            EXPECT_INT("first is last", again[0], data[len - 1]);
        }
        buf_clear(&buf);
    }
}

TEST_LIST(TEST(reading), TEST(round_trips))
