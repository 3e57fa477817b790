#include "codec/reader.h"

#include "codec/writer.h"
#include "test.h"

/* Every width at both of its borders, and each border crossed by one: the value
 * space, then the encodings that must be refused. */
static const struct {
    const char *label;
    uint8_t in[9];
    size_t in_len;
    int rc;
    uint64_t value;
} compact_size_rows[] = {
    {"one byte, least", {0}, 1, 0, 0},
    {"one byte, greatest", {0xfc}, 1, 0, 0xfc},
    {"three bytes, least", {0xfd, 0xfd, 0x00}, 3, 0, 0xfd},
    {"three bytes, greatest", {0xfd, 0xff, 0xff}, 3, 0, 0xffff},
    {"five bytes, least", {0xfe, 0, 0, 1, 0}, 5, 0, 0x10000},
    {"five bytes, greatest", {0xfe, 0xff, 0xff, 0xff, 0xff}, 5, 0, 0xffffffff},
    {"nine bytes, least", {0xff, 0, 0, 0, 0, 1, 0, 0, 0}, 9, 0, 0x100000000},
    {"nine bytes, greatest",
     {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
     9,
     0,
     UINT64_MAX},
    {"nothing", {0}, 0, E_TRUNCATED, 0},
    {"three bytes, cut", {0xfd, 0xfd}, 2, E_TRUNCATED, 0},
    {"five bytes, cut", {0xfe, 0, 0, 1}, 4, E_TRUNCATED, 0},
    {"nine bytes, cut", {0xff, 0, 0, 0, 0, 1, 0, 0}, 8, E_TRUNCATED, 0},
    {"three bytes, too wide", {0xfd, 0xfc, 0x00}, 3, E_MALFORMED, 0},
    {"five bytes, too wide", {0xfe, 0xff, 0xff, 0, 0}, 5, E_MALFORMED, 0},
    {"nine bytes, too wide", {0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, 9, E_MALFORMED, 0},
};

static void compact_size_decodes_canonically(void)
{
    for (size_t i = 0; i < ARRAY_LEN(compact_size_rows); i++) {
        const char *label = compact_size_rows[i].label;
        uint8_t again[COMPACT_SIZE_BYTES_MAX];
        struct reader r;

        reader_init(&r, compact_size_rows[i].in, compact_size_rows[i].in_len);
        EXPECT_U64(label, read_compact_size(&r), compact_size_rows[i].value);
        EXPECT_INT(label, r.rc, compact_size_rows[i].rc);
        EXPECT_U64(label, r.left, 0);
        if (compact_size_rows[i].rc != 0)
            continue;
        EXPECT_U64(label, compact_size_len(compact_size_rows[i].value),
                   compact_size_rows[i].in_len);
        EXPECT_BYTES(label, again, compact_size_write(again, compact_size_rows[i].value),
                     compact_size_rows[i].in, compact_size_rows[i].in_len);
    }
}

static void lengths_are_bounded(void)
{
    uint8_t data[COMPACT_SIZE_BYTES_MAX];
    struct reader r;

    reader_init(&r, data, compact_size_write(data, COMPACT_SIZE_MAX));
    EXPECT_U64("greatest", read_length(&r), COMPACT_SIZE_MAX);
    EXPECT_INT("greatest", r.rc, 0);
    reader_init(&r, data, compact_size_write(data, (uint64_t)COMPACT_SIZE_MAX + 1));
    EXPECT_U64("one more", read_length(&r), 0);
    EXPECT_INT("one more", r.rc, E_MALFORMED);
    reader_init(&r, data, compact_size_write(data, 0x100000001));
    EXPECT_U64("not cut to 32 bits", read_length(&r), 0);
    EXPECT_INT("not cut to 32 bits", r.rc, E_MALFORMED);
}

static void numbers(void)
{
    static const uint8_t data[15] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    uint8_t bytes[2];
    struct reader r;

    reader_init(&r, data, sizeof(data));
    EXPECT_U64("u8", read_u8(&r), 1);
    EXPECT_U64("le16", read_le16(&r), 0x0302);
    EXPECT_U64("le32", read_le32(&r), 0x07060504);
    read_bytes(&r, bytes, 2);
    EXPECT_BYTES("bytes", bytes, 2, data + 7, 2);
    EXPECT_U64("cut", read_le64(&r), 0);
    EXPECT_INT("cut", r.rc, E_TRUNCATED);
    /* What still lay there is not read any more. */
    EXPECT_U64("after", read_u8(&r), 0);
    EXPECT_U64("after", read_le16(&r), 0);
    EXPECT_U64("after", read_le32(&r), 0);
    EXPECT_U64("after", read_span(&r, 1).len, 0);
    memset(bytes, 7, 2);
    read_bytes(&r, bytes, 2);
    EXPECT_BYTES("after", bytes, 2, "\0\0", 2);
    EXPECT_INT("the first failure stays", reader_fail(&r, E_MALFORMED), E_TRUNCATED);
}

static void spans(void)
{
    static const uint8_t data[] = {2, 'a', 'b', 0, 3, 'c', 'd'};
    struct span span;
    struct reader r;

    reader_init(&r, data, sizeof(data));
    span = read_var_bytes(&r);
    EXPECT_BYTES("two", span.data, span.len, "ab", 2);
    EXPECT_TRUE("borrowed", span.data == data + 1);
    EXPECT_U64("none", read_var_bytes(&r).len, 0);
    EXPECT_INT("none", r.rc, 0);
    EXPECT_U64("cut", read_var_bytes(&r).len, 0);
    EXPECT_INT("cut", r.rc, E_TRUNCATED);
}

/* What the writer writes the reader reads, in any sequence. */
static void round_trips(void)
{
    for (int round = 0; round < 300; round++) {
        uint64_t value[40] = {0};
        unsigned kind[40] = {0};
        struct buf buf = {0};
        struct reader r;

        for (size_t i = 0; i < ARRAY_LEN(value); i++) {
            value[i] = test_random() >> test_random_below(64);
            kind[i] = (unsigned)test_random_below(6);
            if (kind[i] == 0)
                write_u8(&buf, (uint8_t)value[i]);
            else if (kind[i] == 1)
                write_le16(&buf, (uint16_t)value[i]);
            else if (kind[i] == 2)
                write_le32(&buf, (uint32_t)value[i]);
            else if (kind[i] == 3)
                write_le64(&buf, value[i]);
            else if (kind[i] == 4)
                write_compact_size(&buf, value[i]);
            else
                write_var_bytes(&buf, span_of(value, value[i] % sizeof(value)));
        }
        reader_init(&r, buf.data, buf.len);
        for (size_t i = 0; i < ARRAY_LEN(value); i++) {
            if (kind[i] == 0)
                EXPECT_U64("u8", read_u8(&r), (uint8_t)value[i]);
            else if (kind[i] == 1)
                EXPECT_U64("le16", read_le16(&r), (uint16_t)value[i]);
            else if (kind[i] == 2)
                EXPECT_U64("le32", read_le32(&r), (uint32_t)value[i]);
            else if (kind[i] == 3)
                EXPECT_U64("le64", read_le64(&r), value[i]);
            else if (kind[i] == 4)
                EXPECT_U64("compact", read_compact_size(&r), value[i]);
            else
                EXPECT_U64("bytes", read_var_bytes(&r).len, value[i] % sizeof(value));
        }
        EXPECT_INT("all read", r.rc, 0);
        EXPECT_U64("all read", r.left, 0);
        buf_clear(&buf);
    }
}

TEST_LIST(TEST(compact_size_decodes_canonically), TEST(lengths_are_bounded), TEST(numbers),
          TEST(spans), TEST(round_trips))
