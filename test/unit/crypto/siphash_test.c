#include "crypto/siphash.h"

#include "base/hex.h"
#include "codec/json.h"
#include "test.h"

static const struct siphash_key paper_key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

/* The paper's appendix A (15 bytes) and the reference implementation's list. */
static const struct {
    size_t len; /* Of the bytes 0, 1, 2, ... */
    uint64_t hash;
} rows[] = {
    {0, 0x726fdb47dd0e0e31},  {1, 0x74f839c593dc67fd},  {2, 0x0d6c8009d9a94f5a},
    {3, 0x85676696d7fb7e2d},  {8, 0x93f5f5799a932462},  {15, 0xa129ca6149be45e5},
    {16, 0x3f2acc7f57c29bdb}, {63, 0x958a324ceb064572},
};

static void published_answers(void)
{
    uint8_t message[64];

    for (uint8_t i = 0; i < 64; i++)
        message[i] = i;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        EXPECT_U64("row", siphash_of(&paper_key, message, rows[i].len), rows[i].hash);
}

static void pieces_do_not_matter(void)
{
    for (int round = 0; round < 1000; round++) {
        struct siphash_key key = {test_random(), test_random()};
        uint8_t message[100];
        size_t len = test_random_below(sizeof(message) + 1);
        struct siphash hash;
        size_t at = 0;

        test_random_fill(message, len);
        siphash_init(&hash, &key);
        while (at < len) {
            size_t take = 1 + test_random_below(MIN(len - at, (size_t)20));

            if (take == 8)
                siphash_add_u64(&hash, get_le64(message + at));
            else
                siphash_add(&hash, message + at, take);
            at += take;
        }
        EXPECT_U64("cut", siphash_finish(&hash), siphash_of(&key, message, len));
    }
}

static void fixed_sizes_agree(void)
{
    for (int round = 0; round < 1000; round++) {
        struct siphash_key key = {test_random(), test_random()};
        uint8_t outpoint[36];

        test_random_fill(outpoint, sizeof(outpoint));
        EXPECT_U64("id", siphash_id(&key, outpoint), siphash_of(&key, outpoint, 32));
        EXPECT_U64("outpoint", siphash_outpoint(&key, outpoint, get_le32(outpoint + 32)),
                   siphash_of(&key, outpoint, 36));
    }
}

static uint64_t hex_word(const char *text)
{
    uint8_t word[8];

    CHECK(hex_read(word, 8, text, strlen(text)));
    return get_be64(word);
}

static void check_row(const struct json *row)
{
    const struct json *key_words = json_find(row, "key");
    const struct json *input = json_find(row, "input");
    const char *want = json_text(json_find(json_find(row, "expected"), "siphash24"));
    struct siphash_key key = {hex_word(json_text(&key_words->items[0])),
                              hex_word(json_text(&key_words->items[1]))};
    struct buf data = {0};
    struct siphash hash;

    siphash_init(&hash, &key);
    for (uint32_t i = 0; i < input->count; i++) {
        size_t before = data.len;

        CHECK(hex_read_buf(&data, json_text(&input->items[i]), input->items[i].text.len));
        siphash_add(&hash, data.data + before, data.len - before);
    }
    EXPECT_U64(want, siphash_finish(&hash), hex_word(want));
    EXPECT_U64(want, siphash_of(&key, data.data, data.len), hex_word(want));
    if (data.len == 32)
        EXPECT_U64(want, siphash_id(&key, data.data), hex_word(want));
    if (data.len == 36)
        EXPECT_U64(want, siphash_outpoint(&key, data.data, get_le32(data.data + 32)),
                   hex_word(want));
    buf_clear(&data);
}

static void vectors(void)
{
    const char *path = test_data_path("vectors/core/siphash.json");
    struct buf file = {0};
    struct arena arena;
    struct json all;

    if (path == NULL) {
        test_skip("no vectors");
        return;
    }
    arena_init(&arena);
    CHECK(test_read_file(&file, path));
    CHECK(json_read(&all, (char *)file.data, file.len, &arena, NULL) == 0);
    EXPECT_TRUE("rows", all.count > 100);
    for (uint32_t i = 0; i < all.count; i++)
        check_row(&all.items[i]);
    arena_clear(&arena);
    buf_clear(&file);
}

TEST_LIST(TEST(published_answers), TEST(vectors), TEST(pieces_do_not_matter),
          TEST(fixed_sizes_agree))
