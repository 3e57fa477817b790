/* Target: JSON. What is read and written is read again as the same; written
 * once more it is the same text, with and without line breaks. */
#include "base/check.h"
#include "codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void write_value(struct buf *buf, const struct json *value, unsigned indent)
{
    struct json_writer w;

    buf->len = 0;
    json_writer_init(&w, buf, indent);
    json_value(&w, value);
}

static bool same(const struct json *a, const struct json *b)
{
    if (a->type != b->type || a->truth != b->truth || a->count != b->count ||
        !span_equal(a->text, b->text))
        return false;
    for (uint32_t i = 0; i < a->count; i++) {
        if (a->type == JSON_OBJECT && !span_equal(a->keys[i], b->keys[i]))
            return false;
        if (!same(&a->items[i], &b->items[i]))
            return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct buf text = {0};
    struct buf again = {0};
    struct arena arena;
    struct json first;
    struct json second;

    arena_init(&arena);
    if (json_read(&first, (const char *)data, len, &arena, NULL) == 0) {
        write_value(&text, &first, 2);
        CHECK(json_read(&second, (const char *)text.data, text.len, &arena, NULL) == 0);
        CHECK(same(&first, &second));
        write_value(&text, &first, 0);
        CHECK(json_read(&second, (const char *)text.data, text.len, &arena, NULL) == 0);
        CHECK(same(&first, &second));
        write_value(&again, &second, 0);
        CHECK(span_equal(span_of_buf(&text), span_of_buf(&again)));
    }
    arena_clear(&arena);
    buf_clear(&text);
    buf_clear(&again);
    return 0;
}
