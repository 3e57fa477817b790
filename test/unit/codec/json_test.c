#include "codec/json.h"

#include "base/alloc.h"
#include "test.h"

/* --- Reading --- */

static const struct {
    const char *label;
    const char *text;
    const char *again; /* Written without indentation; NULL: refused. */
} read_rows[] = {
    {"null", "null", "null"},
    {"true", " true ", "true"},
    {"false", "\r\n\tfalse", "false"},
    {"empty", "", NULL},
    {"space", "  ", NULL},
    {"word cut", "nul", NULL},
    {"word too long", "nulll", NULL},
    {"upper case", "True", NULL},
    {"other word", "NaN", NULL},
    {"zero", "0", "0"},
    {"minus zero", "-0", "-0"},
    {"decimal kept", "1.10000000000000000000000000001", "1.10000000000000000000000000001"},
    {"beyond 64 bits", "123456789012345678901234567890", "123456789012345678901234567890"},
    {"exponent kept", "[1e400,1E+2,0.5e-1]", "[1e400,1E+2,0.5e-1]"},
    {"leading zero", "01", NULL},
    {"leading zero after minus", "-01", NULL},
    {"minus alone", "-", NULL},
    {"plus", "+1", NULL},
    {"point first", ".5", NULL},
    {"point last", "5.", NULL},
    {"exponent empty", "5e", NULL},
    {"exponent sign alone", "5e+", NULL},
    {"hexadecimal", "0x10", NULL},
    {"two values", "1 2", NULL},
    {"string", "\"abc\"", "\"abc\""},
    {"escapes", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
    {"escaped letters", "\"\\u0041\\u00e9\\u20AC\"", "\"A\xc3\xa9\xe2\x82\xac\""},
    {"surrogates", "\"\\uD834\\uDD1E\"", "\"\xf0\x9d\x84\x9e\""},
    {"surrogates, second plane", "\"\\ud840\\udc00\"", "\"\xf0\xa0\x80\x80\""},
    {"control character escaped", "\"\\u0001\\u001f\\u007f\"", "\"\\u0001\\u001f\\u007f\""},
    {"zero character", "\"a\\u0000b\"", "\"a\\u0000b\""},
    {"first surrogate alone", "\"\\uD834\"", NULL},
    {"first surrogate twice", "\"\\uD834\\uD834\"", NULL},
    {"second surrogate alone", "\"\\uDD1E\"", NULL},
    {"surrogate and letter", "\"\\uD834x\"", NULL},
    {"surrogate and other escape", "\"\\uD834\\n1234\"", NULL},
    {"escape cut", "\"\\u12\"", NULL},
    {"escape of no digit", "\"\\u12g4\"", NULL},
    {"unknown escape", "\"\\x41\"", NULL},
    {"escape at the end", "\"\\", NULL},
    {"escaped quote at the end", "\"\\\"", NULL},
    {"not closed", "\"abc", NULL},
    {"control character", "\"a\tb\"", NULL},
    {"line break", "\"a\nb\"", NULL},
    {"UTF-8 of two, three, four", "\"\xc2\x80\xe0\xa0\x80\xf4\x8f\xbf\xbf\"",
     "\"\xc2\x80\xe0\xa0\x80\xf4\x8f\xbf\xbf\""},
    {"UTF-8 overlong, two", "\"\xc1\xbf\"", NULL},
    {"UTF-8 overlong, three", "\"\xe0\x9f\xbf\"", NULL},
    {"UTF-8 overlong, four", "\"\xf0\x8f\xbf\xbf\"", NULL},
    {"UTF-8 too great", "\"\xf4\x90\x80\x80\"", NULL},
    {"UTF-8 surrogate", "\"\xed\xa0\x80\"", NULL},
    {"UTF-8 cut by the quote", "\"\xe2\x82\"", NULL},
    {"UTF-8 without a start", "\"\x80\"", NULL},
    {"UTF-8 reserved", "\"\xff\"", NULL},
    {"array", "[1,\"a\",null,[true]]", "[1,\"a\",null,[true]]"},
    {"array empty", "[ ]", "[]"},
    {"array not closed", "[1", NULL},
    {"array comma last", "[1,]", NULL},
    {"array comma first", "[,1]", NULL},
    {"array two commas", "[1,,2]", NULL},
    {"array no comma", "[1 2]", NULL},
    {"array closed as object", "[1}", NULL},
    {"array closed twice", "[1]]", NULL},
    {"colon in array", "[\"a\":1]", NULL},
    {"object", " { \"b\" : 1 , \"a\" : { } } ", "{\"b\":1,\"a\":{}}"},
    {"object with equal keys", "{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":1,\"b\":2,\"a\":3}"},
    {"object key not a string", "{1:2}", NULL},
    {"object without colon", "{\"a\" 1}", NULL},
    {"object without value", "{\"a\":}", NULL},
    {"object key alone", "{\"a\"}", NULL},
    {"object comma last", "{\"a\":1,}", NULL},
    {"object comma alone", "{,}", NULL},
    {"object two colons", "{\"a\"::1}", NULL},
    {"object no comma", "{\"a\":1 \"b\":2}", NULL},
    {"object closed as array", "{\"a\":1]", NULL},
    {"comment", "/* */ 1", NULL},
    {"single quotes", "'a'", NULL},
};

static void reads_what_the_grammar_takes(void)
{
    for (size_t i = 0; i < ARRAY_LEN(read_rows); i++) {
        const char *label = read_rows[i].label;
        size_t len = strlen(read_rows[i].text);
        char *exact = alloc(len); /* So that a sanitizer sees a read behind the end. */
        struct arena arena;
        struct json value;
        struct error err = {0};
        int rc;

        arena_init(&arena);
        memcpy(exact, read_rows[i].text, len);
        rc = json_read(&value, exact, len, &arena, &err);
        EXPECT_INT(label, rc, read_rows[i].again == NULL ? E_MALFORMED : 0);
        if (rc == 0 && read_rows[i].again != NULL) {
            struct buf buf = {0};
            struct json_writer w;

            json_writer_init(&w, &buf, 0);
            json_value(&w, &value);
            EXPECT_STR(label, buf_string(&buf), read_rows[i].again);
            buf_clear(&buf);
        }
        arena_clear(&arena);
        free(exact);
    }
}

static void zero_byte_is_no_space(void)
{
    struct arena arena;
    struct json value;

    arena_init(&arena);
    EXPECT_INT("behind", json_read(&value, "1\0", 2, &arena, NULL), E_MALFORMED);
    EXPECT_INT("in a string", json_read(&value, "\"\0\"", 3, &arena, NULL), E_MALFORMED);
    EXPECT_INT("escaped", json_read(&value, "\"\\\0\"", 4, &arena, NULL), E_MALFORMED);
    EXPECT_INT("as an escape", json_read(&value, "\"a\\u0000b\"", 10, &arena, NULL), 0);
    EXPECT_U64("length", value.text.len, 3);
    arena_clear(&arena);
}

static void depth_is_bounded(void)
{
    char text[2 * JSON_DEPTH_MAX + 3];
    struct arena arena;
    struct json value;

    arena_init(&arena);
    memset(text, '[', JSON_DEPTH_MAX);
    memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    EXPECT_INT("deepest", json_read(&value, text, 2 * JSON_DEPTH_MAX, &arena, NULL), 0);
    memset(text, '[', JSON_DEPTH_MAX + 1);
    memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    EXPECT_INT("one deeper", json_read(&value, text, 2 * JSON_DEPTH_MAX + 2, &arena, NULL),
               E_MALFORMED);
    arena_clear(&arena);
}

static void finds_members(void)
{
    static const char text[] = "{\"a\":1,\"b\":\"x\",\"a\":2,\"\":null,\"n\\u0000m\":3}";
    struct arena arena;
    struct json value;
    const struct json *found;
    int64_t number;

    arena_init(&arena);
    CHECK(json_read(&value, text, strlen(text), &arena, NULL) == 0);
    EXPECT_INT("type", value.type, JSON_OBJECT);
    EXPECT_U64("all are kept", value.count, 5);
    EXPECT_STR("key order", (const char *)value.keys[1].data, "b");
    found = json_find(&value, "a");
    EXPECT_TRUE("found", found != NULL && json_get_int64(&number, found) && number == 1);
    EXPECT_TRUE("string", json_is_string(json_find(&value, "b"), "x"));
    EXPECT_TRUE("other string", !json_is_string(json_find(&value, "b"), "xy"));
    EXPECT_STR("text", json_text(json_find(&value, "b")), "x");
    EXPECT_STR("text of null", json_text(json_find(&value, "")), "");
    EXPECT_TRUE("absent", json_find(&value, "c") == NULL);
    EXPECT_TRUE("cut at a zero", json_find(&value, "n") == NULL);
    EXPECT_TRUE("in no object", json_find(&value.items[0], "a") == NULL);
    arena_clear(&arena);
}

static const struct {
    const char *text;
    bool as_signed;
    int64_t signed_value;
    bool as_unsigned;
    uint64_t unsigned_value;
} integer_rows[] = {
    {"0", true, 0, true, 0},
    {"-0", true, 0, false, 0},
    {"9223372036854775807", true, INT64_MAX, true, INT64_MAX},
    {"9223372036854775808", false, 0, true, (uint64_t)INT64_MAX + 1},
    {"-9223372036854775808", true, INT64_MIN, false, 0},
    {"-9223372036854775809", false, 0, false, 0},
    {"18446744073709551615", false, 0, true, UINT64_MAX},
    {"18446744073709551616", false, 0, false, 0},
    {"1.0", false, 0, false, 0},
    {"1e3", false, 0, false, 0},
    {"1E3", false, 0, false, 0},
    {"\"1\"", false, 0, false, 0},
    {"true", false, 0, false, 0},
    {"[1]", false, 0, false, 0},
};

static void numbers_have_ranges(void)
{
    struct arena arena;

    arena_init(&arena);
    for (size_t i = 0; i < ARRAY_LEN(integer_rows); i++) {
        const char *text = integer_rows[i].text;
        struct json value;
        int64_t s = 0;
        uint64_t u = 0;

        CHECK(json_read(&value, text, strlen(text), &arena, NULL) == 0);
        EXPECT_INT(text, json_get_int64(&s, &value), integer_rows[i].as_signed);
        if (integer_rows[i].as_signed)
            EXPECT_INT(text, s, integer_rows[i].signed_value);
        EXPECT_INT(text, json_get_uint64(&u, &value), integer_rows[i].as_unsigned);
        if (integer_rows[i].as_unsigned)
            EXPECT_U64(text, u, integer_rows[i].unsigned_value);
    }
    arena_clear(&arena);
}

static void doubles_have_a_range(void)
{
    struct arena arena;
    struct json value;
    double d;

    arena_init(&arena);
    CHECK(json_read(&value, "-2.5e1", 6, &arena, NULL) == 0);
    EXPECT_TRUE("value", json_get_double(&d, &value) && d <= -25.0 && d >= -25.0);
    CHECK(json_read(&value, "1e400", 5, &arena, NULL) == 0);
    EXPECT_TRUE("too great", !json_get_double(&d, &value));
    CHECK(json_read(&value, "-1e400", 6, &arena, NULL) == 0);
    EXPECT_TRUE("too small", !json_get_double(&d, &value));
    CHECK(json_read(&value, "\"1\"", 3, &arena, NULL) == 0);
    EXPECT_TRUE("a string", !json_get_double(&d, &value));
    arena_clear(&arena);
}

/* --- Writing --- */

static void write_sample(struct buf *buf, unsigned indent)
{
    struct json_writer w;

    json_writer_init(&w, buf, indent);
    json_begin_object(&w);
    json_put_string(&w, "name", "a\"b\\c/\n\x01\x7f\xc3\xa9");
    json_put_null(&w, "none");
    json_put_bool(&w, "yes", true);
    json_key(&w, "list");
    json_begin_array(&w);
    json_int(&w, INT64_MIN);
    json_uint(&w, UINT64_MAX);
    json_begin_array(&w);
    json_end_array(&w);
    json_begin_object(&w);
    json_end_object(&w);
    json_end_array(&w);
    json_put_amount(&w, "amount", 2099999997690000);
    json_put_hex(&w, "hex", span_of("\x01\xfe", 2));
    json_end_object(&w);
}

static void layouts(void)
{
    struct buf buf = {0};

    write_sample(&buf, 0);
    EXPECT_STR("compact", buf_string(&buf),
               "{\"name\":\"a\\\"b\\\\c/\\n\\u0001\\u007f\xc3\xa9\",\"none\":null,\"yes\":true,"
               "\"list\":[-9223372036854775808,18446744073709551615,[],{}],"
               "\"amount\":20999999.97690000,\"hex\":\"01fe\"}");
    buf.len = 0;
    write_sample(&buf, 2);
    EXPECT_STR("indented", buf_string(&buf),
               "{\n"
               "  \"name\": \"a\\\"b\\\\c/\\n\\u0001\\u007f\xc3\xa9\",\n"
               "  \"none\": null,\n"
               "  \"yes\": true,\n"
               "  \"list\": [\n"
               "    -9223372036854775808,\n"
               "    18446744073709551615,\n"
               "    [\n"
               "    ],\n"
               "    {\n"
               "    }\n"
               "  ],\n"
               "  \"amount\": 20999999.97690000,\n"
               "  \"hex\": \"01fe\"\n"
               "}");
    buf_clear(&buf);
}

static const struct {
    int64_t amount_sat;
    const char *text;
} amount_rows[] = {
    {0, "0.00000000"},
    {1, "0.00000001"},
    {-1, "-0.00000001"},
    {100000000, "1.00000000"},
    {-100000001, "-1.00000001"},
    {INT64_MAX, "92233720368.54775807"},
    {INT64_MIN, "-92233720368.54775808"},
};

static void amounts_are_exact(void)
{
    for (size_t i = 0; i < ARRAY_LEN(amount_rows); i++) {
        struct buf buf = {0};
        struct json_writer w;

        json_writer_init(&w, &buf, 0);
        json_amount(&w, amount_rows[i].amount_sat);
        EXPECT_STR(amount_rows[i].text, buf_string(&buf), amount_rows[i].text);
        buf_clear(&buf);
    }
}

static const struct {
    double value;
    const char *text;
} double_rows[] = {
    {0.0, "0"},
    {1.0, "1"},
    {-7.21, "-7.21"},
    {0.1, "0.1"},
    {1.0 / 3.0, "0.3333333333333333"},
    {4.656542373906925e-10, "4.656542373906925e-10"},
    {1e15, "1000000000000000"},
    {1e16, "1e+16"},
    {123456789.123456789, "123456789.1234568"},
    {0.0001, "0.0001"},
    {0.00001, "1e-05"},
};

static void doubles_have_sixteen_digits(void)
{
    for (size_t i = 0; i < ARRAY_LEN(double_rows); i++) {
        struct buf buf = {0};
        struct json_writer w;

        json_writer_init(&w, &buf, 0);
        json_double(&w, double_rows[i].value);
        EXPECT_STR(double_rows[i].text, buf_string(&buf), double_rows[i].text);
        EXPECT_TRUE(double_rows[i].text, json_is_number_text(buf_string(&buf), buf.len));
        buf_clear(&buf);
    }
}

static void hashes_are_reversed(void)
{
    struct buf buf = {0};
    struct json_writer w;
    uint8_t hash[32];

    for (uint8_t i = 0; i < 32; i++)
        hash[i] = i;
    json_writer_init(&w, &buf, 0);
    json_begin_object(&w);
    json_put_hash(&w, "h", hash);
    json_put_double(&w, "d", 0.5);
    json_key(&w, "n");
    json_number_text(&w, "1e5");
    json_end_object(&w);
    EXPECT_STR("hash", buf_string(&buf),
               "{\"h\":\"1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100\","
               "\"d\":0.5,\"n\":1e5}");
    buf_clear(&buf);
}

/* --- Both --- */

static void random_value(struct json_writer *w, unsigned depth)
{
    uint64_t kind = test_random_below(depth < 6 ? 8 : 6);
    uint64_t n = test_random_below(5);
    uint8_t text[8];

    switch (kind) {
    case 0:
        json_null(w);
        return;
    case 1:
        json_bool(w, n % 2 == 0);
        return;
    case 2:
        json_int(w, (int64_t)test_random());
        return;
    case 3:
        json_amount(w, (int64_t)test_random());
        return;
    case 4:
    case 5:
        for (size_t i = 0; i < sizeof(text); i++)
            text[i] = (uint8_t)test_random_below(128);
        json_string_span(w, span_of(text, test_random_below(sizeof(text) + 1)));
        return;
    case 6:
        json_begin_array(w);
        for (uint64_t i = 0; i < n; i++)
            random_value(w, depth + 1);
        json_end_array(w);
        return;
    default:
        json_begin_object(w);
        for (uint64_t i = 0; i < n; i++) {
            json_key_span(w, span_of("keys", test_random_below(5)));
            random_value(w, depth + 1);
        }
        json_end_object(w);
    }
}

/* What was written is read, and written again is the same; with other spaces
 * too. A changed byte may be refused but never harms. */
static void round_trips(void)
{
    for (int round = 0; round < 500; round++) {
        struct buf first = {0};
        struct buf second = {0};
        struct json_writer w;
        struct json value;
        struct arena arena;

        arena_init(&arena);
        json_writer_init(&w, &first, (unsigned)test_random_below(3));
        random_value(&w, 0);
        EXPECT_INT("read", json_read(&value, (char *)first.data, first.len, &arena, NULL), 0);
        json_writer_init(&w, &second, w.indent);
        json_value(&w, &value);
        EXPECT_BYTES("again", second.data, second.len, first.data, first.len);
        first.data[test_random_below(first.len)] = (uint8_t)test_random();
        if (json_read(&value, (char *)first.data, first.len, &arena, NULL) == 0) {
            second.len = 0;
            json_writer_init(&w, &second, 0);
            json_value(&w, &value);
            EXPECT_INT("bent", json_read(&value, (char *)second.data, second.len, &arena, NULL), 0);
        }
        arena_clear(&arena);
        buf_clear(&first);
        buf_clear(&second);
    }
}

TEST_LIST(TEST(reads_what_the_grammar_takes), TEST(zero_byte_is_no_space), TEST(depth_is_bounded),
          TEST(finds_members), TEST(numbers_have_ranges), TEST(doubles_have_a_range), TEST(layouts),
          TEST(amounts_are_exact), TEST(doubles_have_sixteen_digits), TEST(hashes_are_reversed),
          TEST(round_trips))
