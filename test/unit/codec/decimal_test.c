#include "codec/decimal.h"

#include "test.h"

static const struct {
    const char *text;
    bool good;
    int64_t value; /* With eight places. */
} rows[] = {
    {"0", true, 0},
    {"-0", true, 0},
    {"1", true, 100000000},
    {"-1", true, -100000000},
    {"0.00000001", true, 1},
    {"-0.00000001", true, -1},
    {"0.000000001", false, 0},
    {"0.0000000010", false, 0},
    {"0.00000001000000000000000000000000", true, 1},
    {"1.10", true, 110000000},
    {"20999999.9769", true, 2099999997690000},
    {"1e-8", true, 1},
    {"1E-8", true, 1},
    {"1e-9", false, 0},
    {"1000000000e-17", true, 1},
    {"0.00000000000000001e9", true, 1},
    {"1e1", true, 1000000000},
    {"1e+1", true, 1000000000},
    {"9999999999.99999999", true, 999999999999999999},
    {"-9999999999.99999999", true, -999999999999999999},
    {"10000000000.00000000", false, 0},
    {"10000000000", false, 0},
    {"1e9", true, 100000000000000000},
    {"1e10", false, 0},
    {"0e9", true, 0},
    {"0e10", false, 0},
    {"0e-8", true, 0},
    {"0e-9", false, 0},
    {"0.0000000000000000000000000000000", true, 0},
    {"1e99999999999999999999999999", false, 0},
    {"1e-99999999999999999999999999", false, 0},
    {"93e+9", false, 0},
    {"123456789012345678901234567890", false, 0},
    {"", false, 0},
    {"-", false, 0},
    {"+1", false, 0},
    {".5", false, 0},
    {"5.", false, 0},
    {"01", false, 0},
    {"1e", false, 0},
    {"1e+", false, 0},
    {" 1", false, 0},
    {"1 ", false, 0},
    {"1a", false, 0},
    {"0x1", false, 0},
    {"1-1", false, 0},
};

static void eight_places(void)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t value = 77;

        EXPECT_INT(rows[i].text, decimal_read(&value, rows[i].text, strlen(rows[i].text), 8),
                   rows[i].good);
        EXPECT_INT(rows[i].text, value, rows[i].good ? rows[i].value : 77);
    }
}

/* The same number, its point moved by an exponent. */
static void exponents_move_the_point(void)
{
    for (int i = 0; i < 2000; i++) {
        int64_t want = (int64_t)test_random_below(DECIMAL_VALUE_MAX) >> test_random_below(50);
        unsigned places = (unsigned)test_random_below(13);
        char text[64];
        int64_t value = -1;
        int len = snprintf(text, sizeof(text), "%" PRId64 "e-%u", want, places);

        EXPECT_TRUE(text, decimal_read(&value, text, (size_t)len, places));
        EXPECT_INT(text, value, want);
        len = snprintf(text, sizeof(text), "-%" PRId64 ".%05u", want / 100000,
                       (unsigned)(want % 100000));
        EXPECT_TRUE(text, decimal_read(&value, text, (size_t)len, 5));
        EXPECT_INT(text, value, -want);
    }
}

TEST_LIST(TEST(eight_places), TEST(exponents_move_the_point))
