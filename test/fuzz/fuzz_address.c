/* Target: addresses. What is read is written back, in lower case where bech32 was
 * in capitals, and its script leads back to it. */
#include "keys/address.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    for (int network = 0; network < NETWORK_COUNT; network++) {
        const struct params *params = params_of((enum network)network);
        struct destination destination;
        struct destination again;
        struct address_error error;
        struct buf text = {0};
        struct buf script = {0};

        if (!address_read(&destination, span_of(data, len), params, &error)) {
            CHECK(destination.kind == DESTINATION_NONE);
            CHECK(error.text[0] != '\0');
            continue;
        }
        CHECK(error.text[0] == '\0');
        CHECK(address_write(&text, &destination, params));
        CHECK(address_read(&again, span_of_buf(&text), params, NULL));
        CHECK(destination_equal(&again, &destination));
        destination_write_script(&script, &destination);
        again = destination_of_script(span_of_buf(&script));
        CHECK(destination_equal(&again, &destination));
        buf_clear(&text);
        buf_clear(&script);
    }
    return 0;
}
