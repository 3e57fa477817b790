#include <inttypes.h>

#include "base/check.h"
#include "base/hex.h"
#include "codec/json.h"

void json_writer_init(struct json_writer *w, struct buf *buf, unsigned indent)
{
    *w = (struct json_writer){.buf = buf, .indent = indent, .is_first = true};
}

static void break_line(struct json_writer *w)
{
    size_t spaces = (size_t)w->indent * w->depth;

    if (w->indent == 0)
        return;
    buf_add_byte(w->buf, '\n');
    memset(buf_extend(w->buf, spaces), ' ', spaces);
}

/* What stands in front of an item or a key. */
static void begin_item(struct json_writer *w)
{
    if (w->has_key) {
        w->has_key = false;
        return;
    }
    if (w->depth == 0) {
        CHECK(w->is_first); /* One value a writer. */
    } else {
        if (!w->is_first)
            buf_add_byte(w->buf, ',');
        break_line(w);
    }
    w->is_first = false;
}

static void begin_group(struct json_writer *w, uint8_t bracket)
{
    begin_item(w);
    buf_add_byte(w->buf, bracket);
    w->depth++;
    w->is_first = true;
}

static void end_group(struct json_writer *w, uint8_t bracket)
{
    CHECK(w->depth > 0 && !w->has_key);
    w->depth--;
    break_line(w);
    buf_add_byte(w->buf, bracket);
    w->is_first = false;
}

void json_begin_object(struct json_writer *w)
{
    begin_group(w, '{');
}

void json_end_object(struct json_writer *w)
{
    end_group(w, '}');
}

void json_begin_array(struct json_writer *w)
{
    begin_group(w, '[');
}

void json_end_array(struct json_writer *w)
{
    end_group(w, ']');
}

static void add_escaped(struct buf *buf, uint8_t c)
{
    static const char names[] = "\"\\bfnrt";
    static const char values[] = "\"\\\b\f\n\r\t";
    const char *found = c == 0 ? NULL : strchr(values, c);

    if (found == NULL) {
        buf_add_printf(buf, "\\u%04x", c);
    } else {
        buf_add_byte(buf, '\\');
        buf_add_byte(buf, (uint8_t)names[found - values]);
    }
}

static void add_quoted(struct buf *buf, struct span text)
{
    size_t done = 0;

    buf_add_byte(buf, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];

        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
            continue;
        buf_add(buf, text.data + done, i - done);
        add_escaped(buf, c);
        done = i + 1;
    }
    if (done < text.len)
        buf_add(buf, text.data + done, text.len - done);
    buf_add_byte(buf, '"');
}

void json_key_span(struct json_writer *w, struct span key)
{
    CHECK(w->depth > 0 && !w->has_key);
    begin_item(w);
    add_quoted(w->buf, key);
    buf_add_byte(w->buf, ':');
    if (w->indent > 0)
        buf_add_byte(w->buf, ' ');
    w->has_key = true;
}

void json_key(struct json_writer *w, const char *key)
{
    json_key_span(w, span_of_string(key));
}

void json_null(struct json_writer *w)
{
    begin_item(w);
    buf_add_string(w->buf, "null");
}

void json_bool(struct json_writer *w, bool v)
{
    begin_item(w);
    buf_add_string(w->buf, v ? "true" : "false");
}

void json_int(struct json_writer *w, int64_t v)
{
    begin_item(w);
    buf_add_printf(w->buf, "%" PRId64, v);
}

void json_uint(struct json_writer *w, uint64_t v)
{
    begin_item(w);
    buf_add_printf(w->buf, "%" PRIu64, v);
}

void json_double(struct json_writer *w, double v)
{
    CHECK(__builtin_isfinite(v));
    begin_item(w);
    buf_add_printf(w->buf, "%.16g", v);
}

void json_amount(struct json_writer *w, int64_t amount_sat)
{
    uint64_t size = amount_sat < 0 ? 0 - (uint64_t)amount_sat : (uint64_t)amount_sat;

    begin_item(w);
    buf_add_printf(w->buf, "%s%" PRIu64 ".%08" PRIu64, amount_sat < 0 ? "-" : "", size / 100000000,
                   size % 100000000);
}

void json_number_text(struct json_writer *w, const char *text)
{
    CHECK(json_is_number_text(text, strlen(text)));
    json_raw(w, span_of_string(text));
}

void json_raw(struct json_writer *w, struct span text)
{
    begin_item(w);
    buf_add(w->buf, text.data, text.len);
}

void json_string_span(struct json_writer *w, struct span text)
{
    begin_item(w);
    add_quoted(w->buf, text);
}

void json_string(struct json_writer *w, const char *text)
{
    json_string_span(w, span_of_string(text));
}

void json_hex(struct json_writer *w, struct span data)
{
    begin_item(w);
    buf_add_byte(w->buf, '"');
    hex_write_buf(w->buf, data);
    buf_add_byte(w->buf, '"');
}

void json_hex_reversed(struct json_writer *w, struct span data)
{
    begin_item(w);
    buf_reserve(w->buf, 2 * data.len + 3);
    buf_add_byte(w->buf, '"');
    hex_write_reversed((char *)w->buf->data + w->buf->len, data.data, data.len);
    w->buf->len += 2 * data.len;
    buf_add_byte(w->buf, '"');
}

void json_value(struct json_writer *w, const struct json *value)
{
    switch (value->type) {
    case JSON_NULL:
        json_null(w);
        return;
    case JSON_BOOL:
        json_bool(w, value->truth);
        return;
    case JSON_NUMBER:
        json_raw(w, value->text);
        return;
    case JSON_STRING:
        json_string_span(w, value->text);
        return;
    case JSON_ARRAY:
        json_begin_array(w);
        for (uint32_t i = 0; i < value->count; i++)
            json_value(w, &value->items[i]);
        json_end_array(w);
        return;
    case JSON_OBJECT:
        json_begin_object(w);
        for (uint32_t i = 0; i < value->count; i++) {
            json_key_span(w, value->keys[i]);
            json_value(w, &value->items[i]);
        }
        json_end_object(w);
        return;
    }
    CHECK(false); /* Not one of the types. */
}

void json_put_null(struct json_writer *w, const char *key)
{
    json_key(w, key);
    json_null(w);
}

void json_put_bool(struct json_writer *w, const char *key, bool v)
{
    json_key(w, key);
    json_bool(w, v);
}

void json_put_int(struct json_writer *w, const char *key, int64_t v)
{
    json_key(w, key);
    json_int(w, v);
}

void json_put_uint(struct json_writer *w, const char *key, uint64_t v)
{
    json_key(w, key);
    json_uint(w, v);
}

void json_put_double(struct json_writer *w, const char *key, double v)
{
    json_key(w, key);
    json_double(w, v);
}

void json_put_amount(struct json_writer *w, const char *key, int64_t amount_sat)
{
    json_key(w, key);
    json_amount(w, amount_sat);
}

void json_put_string(struct json_writer *w, const char *key, const char *text)
{
    json_key(w, key);
    json_string(w, text);
}

void json_put_hex(struct json_writer *w, const char *key, struct span data)
{
    json_key(w, key);
    json_hex(w, data);
}

void json_put_hash(struct json_writer *w, const char *key, const uint8_t *hash)
{
    json_key(w, key);
    json_hex_reversed(w, span_of(hash, 32));
}
