/* Script numbers at every border of their widths. */
#include "script/number.h"

#include "script/flags.h"
#include "test.h"

static const struct {
    const char *label;
    uint8_t bytes[6];
    size_t len;
    bool fits; /* Into four bytes. */
    bool minimal;
    int64_t value;
} rows[] = {
    {"zero", {0}, 0, true, true, 0},
    {"zero of one byte", {0}, 1, true, false, 0},
    {"negative zero", {0x80}, 1, true, false, 0},
    {"one", {1}, 1, true, true, 1},
    {"one, too long", {1, 0}, 2, true, false, 1},
    {"minus one", {0x81}, 1, true, true, -1},
    {"minus one, too long", {1, 0x80}, 2, true, false, -1},
    {"127", {0x7f}, 1, true, true, 127},
    {"128 needs a byte for the sign", {0x80, 0}, 2, true, true, 128},
    {"-128", {0x80, 0x80}, 2, true, true, -128},
    {"-255", {0xff, 0x80}, 2, true, true, -255},
    {"256", {0, 1}, 2, true, true, 256},
    {"greatest operand", {0xff, 0xff, 0xff, 0x7f}, 4, true, true, 2147483647},
    {"least operand", {0xff, 0xff, 0xff, 0xff}, 4, true, true, -2147483647},
    {"2^31", {0, 0, 0, 0x80, 0}, 5, false, true, INT64_C(2147483648)},
    {"2^39 - 1", {0xff, 0xff, 0xff, 0xff, 0x7f}, 5, false, true, INT64_C(549755813887)},
    {"2^31, too long", {0, 0, 0, 0x40, 0}, 5, false, false, INT64_C(1073741824)},
};

static void numbers_read_and_write(void)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span bytes = span_of(rows[i].bytes, rows[i].len);
        uint8_t again[SCRIPT_NUMBER_BYTES_MAX];
        int64_t value = -77;

        EXPECT_INT(rows[i].label, script_number_read(&value, bytes, 4, false), rows[i].fits);
        EXPECT_INT(rows[i].label, value, rows[i].fits ? rows[i].value : -77);
        EXPECT_INT(rows[i].label, script_number_read(&value, bytes, 5, true), rows[i].minimal);
        EXPECT_TRUE(rows[i].label, script_number_read(&value, bytes, 5, false));
        EXPECT_INT(rows[i].label, value, rows[i].value);
        EXPECT_INT(rows[i].label, script_bool(bytes), rows[i].value != 0);
        if (rows[i].minimal)
            EXPECT_BYTES(rows[i].label, again, script_number_write(again, rows[i].value),
                         rows[i].bytes, rows[i].len);
    }
}

static void what_is_written_is_minimal(void)
{
    for (int turn = 0; turn < 20000; turn++) {
        int64_t number = (int64_t)(test_random() >> (8 + test_random_below(56)));
        uint8_t bytes[SCRIPT_NUMBER_BYTES_MAX];
        int64_t again;
        size_t len;

        if (turn & 1)
            number = -number;
        len = script_number_write(bytes, number);
        EXPECT_TRUE("minimal", script_number_read(&again, span_of(bytes, len), 8, true));
        EXPECT_INT("round trip", again, number);
    }
}

static void long_zeros_are_false(void)
{
    uint8_t bytes[520] = {0};

    EXPECT_TRUE("zeros", !script_bool(span_of(bytes, sizeof(bytes))));
    bytes[519] = 0x80;
    EXPECT_TRUE("negative zero", !script_bool(span_of(bytes, sizeof(bytes))));
    bytes[519] = 0x81;
    EXPECT_TRUE("not zero", script_bool(span_of(bytes, sizeof(bytes))));
    bytes[519] = 0;
    bytes[0] = 0x80;
    EXPECT_TRUE("0x80 first", script_bool(span_of(bytes, sizeof(bytes))));
}

TEST_LIST(TEST(numbers_read_and_write), TEST(what_is_written_is_minimal),
          TEST(long_zeros_are_false))
