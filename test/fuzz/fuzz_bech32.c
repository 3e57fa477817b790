/* Target: Bech32 and Bech32m. A text that is read is, in lower case, the text it
 * is written as, and has no errors to be found; one that is not read has a
 * reason, and the positions given lie within it, in order. */
#include <stdlib.h>

#include "base/check.h"
#include "codec/bech32.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_errors(const char *text, size_t len, bool is_good)
{
    size_t *at;
    size_t n;
    const char *reason = bech32_find_errors(&at, &n, text, len);

    CHECK((reason[0] == '\0') == is_good);
    CHECK((at == NULL) == (n == 0));
    CHECK(n <= len);
    for (size_t i = 0; i < n; i++) {
        CHECK(at[i] < len);
        CHECK(i == 0 || at[i] > at[i - 1]);
    }
    free(at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const char *text = (const char *)data;
    struct bech32 got;
    struct buf again = {0};
    bool is_good = bech32_read(&got, text, len);

    check_errors(text, len, is_good);
    if (!is_good)
        return 0;
    bech32_write(&again, got.encoding, got.prefix, got.values, got.values_n);
    CHECK(again.len == len);
    for (size_t i = 0; i < len; i++) {
        char c = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];

        CHECK((char)again.data[i] == c);
    }
    buf_clear(&again);
    return 0;
}
