#include "codec/base58.h"

#include "base/hex.h"
#include "codec/json.h"
#include "test.h"

static void vectors(void)
{
    const char *path = test_data_path("vectors/core/base58_encode_decode.json");
    struct buf file = {0};
    struct arena arena;
    struct json rows;

    if (path == NULL) {
        test_skip("no vectors");
        return;
    }
    arena_init(&arena);
    CHECK(test_read_file(&file, path));
    CHECK(json_read(&rows, (char *)file.data, file.len, &arena, NULL) == 0);
    EXPECT_TRUE("rows", rows.count >= 10);
    for (uint32_t i = 0; i < rows.count; i++) {
        const char *hex = json_text(&rows.items[i].items[0]);
        const char *text = json_text(&rows.items[i].items[1]);
        struct buf data = {0};
        struct buf written = {0};
        uint8_t got[BASE58_BYTES_MAX];
        size_t len;

        CHECK(hex_read_buf(&data, hex, strlen(hex)));
        base58_write(&written, data.data, data.len);
        EXPECT_STR(hex, buf_string(&written), text);
        if (EXPECT_TRUE(text, base58_read(got, &len, sizeof(got), text, strlen(text))))
            EXPECT_BYTES(text, got, len, data.data, data.len);
        EXPECT_TRUE(text, base58_read(got, &len, data.len, text, strlen(text)));
        if (data.len > 0)
            EXPECT_TRUE("one too many", !base58_read(got, &len, data.len - 1, text, strlen(text)));
        buf_clear(&data);
        buf_clear(&written);
    }
    buf_clear(&file);
    arena_clear(&arena);
}

static void characters(void)
{
    uint8_t got[BASE58_BYTES_MAX];
    size_t len = 99;

    EXPECT_TRUE("space around", base58_read(got, &len, 9, " \t\n\v\f\r skip \r\f\v\n\t ", 18));
    EXPECT_BYTES("space around", got, len, "\x97\x1a\x55", 3);
    EXPECT_TRUE("space within", !base58_read(got, &len, 9, "sk ip", 5));
    EXPECT_TRUE("space and more", !base58_read(got, &len, 9, "skip a", 6));
    EXPECT_TRUE("zero byte", !base58_read(got, &len, 9, "skip\0", 5));
    EXPECT_TRUE("0", !base58_read(got, &len, 9, "sk0p", 4));
    EXPECT_TRUE("O", !base58_read(got, &len, 9, "skOp", 4));
    EXPECT_TRUE("I", !base58_read(got, &len, 9, "skIp", 4));
    EXPECT_TRUE("l", !base58_read(got, &len, 9, "sklp", 4));
    EXPECT_TRUE("high byte", !base58_read(got, &len, 9, "sk\xe9p", 4));
    EXPECT_TRUE("nothing", base58_read(got, &len, 0, "", 0));
    EXPECT_U64("nothing", len, 0);
}

/* The naive way: divide the whole number by 58 until nothing is left. */
static size_t naive_write(char *ret_text, const uint8_t *data, size_t data_len)
{
    static const char digits[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    uint8_t number[64];
    char reversed[128];
    size_t len = 0;
    bool zero = false;

    memcpy(number, data, data_len);
    while (!zero) {
        unsigned rest = 0;

        zero = true;
        for (size_t i = 0; i < data_len; i++) {
            rest = rest << 8 | number[i];
            number[i] = (uint8_t)(rest / 58);
            rest %= 58;
            zero = zero && number[i] == 0;
        }
        if (!zero || rest > 0)
            reversed[len++] = digits[rest];
    }
    for (size_t i = 0; i < data_len && data[i] == 0; i++)
        reversed[len++] = '1';
    for (size_t i = 0; i < len; i++)
        ret_text[i] = reversed[len - 1 - i];
    ret_text[len] = '\0';
    return len;
}

static void round_trips(void)
{
    for (int i = 0; i < 1000; i++) {
        uint8_t data[64];
        uint8_t again[64];
        char text[128];
        size_t len = test_random_below(sizeof(data) + 1);
        size_t again_len;
        struct buf buf = {0};

        test_random_fill(data, len);
        memset(data, 0, MIN(len, test_random_below(5)));
        (void)naive_write(text, data, len);
        base58_write(&buf, data, len);
        EXPECT_STR("text", buf_string(&buf), text);
        EXPECT_TRUE("read", base58_read(again, &again_len, len, text, strlen(text)));
        EXPECT_BYTES("same", again, again_len, data, len);
        buf_clear(&buf);
    }
}

/* The longest there may be. */
static void limits(void)
{
    uint8_t data[BASE58_BYTES_MAX];
    uint8_t again[BASE58_BYTES_MAX];
    struct buf buf = {0};
    size_t len;

    memset(data, 0xff, sizeof(data));
    base58_write(&buf, data, sizeof(data));
    EXPECT_TRUE("read", base58_read(again, &len, sizeof(again), (char *)buf.data, buf.len));
    EXPECT_BYTES("same", again, len, data, sizeof(data));
    buf_add_byte(&buf, 'z');
    EXPECT_TRUE("longer", !base58_read(again, &len, sizeof(again), (char *)buf.data, buf.len));
    buf_clear(&buf);
}

TEST_LIST(TEST(vectors), TEST(characters), TEST(round_trips), TEST(limits))
