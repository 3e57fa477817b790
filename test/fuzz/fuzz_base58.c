/* Target: Base58 with and without checksum. A text that is read is, but for the
 * white space around it, the text its bytes are written as; and any bytes come
 * back from their text. */
#include "base/check.h"
#include "crypto/base58check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_text(const char *text, size_t len)
{
    uint8_t bytes[BASE58_BYTES_MAX];
    struct buf again = {0};
    size_t n;

    if (!base58_read(bytes, &n, sizeof(bytes), text, len))
        return;
    base58_write(&again, bytes, n);
    CHECK(again.len <= len);
    CHECK(again.len == 0 || memmem(text, len, again.data, again.len) != NULL);
    buf_clear(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint8_t bytes[BASE58_BYTES_MAX];
    struct buf text = {0};
    size_t n;

    check_text((const char *)data, len);
    if (base58check_read(bytes, &n, BASE58CHECK_BYTES_MAX, (const char *)data, len))
        CHECK(n + 4 <= len);
    if (len <= BASE58CHECK_BYTES_MAX) {
        base58check_write(&text, data, len);
        CHECK(base58check_read(bytes, &n, len, (const char *)text.data, text.len));
        CHECK(span_equal(span_of(bytes, n), span_of(data, len)));
        buf_clear(&text);
    }
    return 0;
}
