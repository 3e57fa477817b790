#include "base/bytes.h"

#include "test.h"

static void spans(void)
{
    EXPECT_TRUE("empty", span_equal(span_of(NULL, 0), span_of("x", 0)));
    EXPECT_TRUE("same", span_equal(span_of_string("abc"), span_of("abcd", 3)));
    EXPECT_TRUE("shorter", !span_equal(span_of_string("ab"), span_of_string("abc")));
    EXPECT_TRUE("other", !span_equal(span_of_string("abd"), span_of_string("abc")));
}

static void buffer_grows(void)
{
    struct buf buf = {0};
    uint8_t byte = 0xff;

    EXPECT_STR("empty", buf_string(&buf), "");
    EXPECT_U64("terminator is not counted", buf.len, 0);
    buf_add(&buf, NULL, 0);
    buf_add_string(&buf, "one");
    buf_add_byte(&buf, ' ');
    buf_add_printf(&buf, "%s %d", "two", 3);
    EXPECT_STR("text", buf_string(&buf), "one two 3");
    EXPECT_U64("length", buf.len, 9);
    for (int i = 0; i < 10000; i++)
        buf_add_byte(&buf, (uint8_t)i);
    EXPECT_U64("length", buf.len, 10009);
    EXPECT_TRUE("start is kept", memcmp(buf.data, "one two 3", 9) == 0);
    for (int i = 0; i < 10000; i++)
        EXPECT_INT("bytes are kept", buf.data[9 + i], (uint8_t)i);
    memcpy(buf_extend(&buf, 1), &byte, 1);
    EXPECT_INT("extended", buf.data[10009], 0xff);
    EXPECT_U64("view", span_of_buf(&buf).len, 10010);
    buf_clear(&buf);
    EXPECT_TRUE("cleared", buf.data == NULL && buf.len == 0 && buf.capacity == 0);
    buf_clear(&buf);
}

/* What was reserved needs no further allocation. */
static void reserve_is_enough(void)
{
    for (size_t n = 0; n < 3000; n += 17) {
        struct buf buf = {0};
        const uint8_t *before;

        buf_reserve(&buf, n);
        before = buf.data;
        for (size_t i = 0; i < n; i++)
            buf_add_byte(&buf, 1);
        EXPECT_TRUE("in place", buf.data == before);
        buf_clear(&buf);
    }
}

static void ends_of_numbers(void)
{
    static const uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 0x88};
    uint8_t out[8];

    EXPECT_U64("le16", get_le16(bytes), 0x0201);
    EXPECT_U64("le32", get_le32(bytes), 0x04030201);
    EXPECT_U64("le64", get_le64(bytes), 0x8807060504030201);
    EXPECT_U64("be32", get_be32(bytes + 4), 0x05060788);
    EXPECT_U64("be64", get_be64(bytes), 0x0102030405060788);
    put_le16(out, 0x0201);
    EXPECT_BYTES("le16", out, 2, bytes, 2);
    put_le32(out, 0x04030201);
    EXPECT_BYTES("le32", out, 4, bytes, 4);
    put_le64(out, 0x8807060504030201);
    EXPECT_BYTES("le64", out, 8, bytes, 8);
    put_be32(out, 0x05060788);
    EXPECT_BYTES("be32", out, 4, bytes + 4, 4);
    put_be64(out, 0x0102030405060788);
    EXPECT_BYTES("be64", out, 8, bytes, 8);
}

TEST_LIST(TEST(spans), TEST(buffer_grows), TEST(reserve_is_enough), TEST(ends_of_numbers))
