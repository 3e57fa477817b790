/* Target: a coin's record on disk. What we accept, we write back byte for byte, and
 * its script survives being taken apart and put together. */
#include "base/check.h"
#include "coins/record_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static uint8_t again[RECORD_BYTES_MAX];
    static uint8_t script[SCRIPT_BYTES_MAX + 8];
    struct packed_script packed;
    struct record record;
    size_t script_len;

    if (record_read(&record, span_of(data, len)) < 0)
        return 0;
    CHECK(len <= sizeof(again));
    CHECK(record_write(again, &record) == len);
    CHECK(memcmp(again, data, len) == 0);
    script_len = script_unpacked_len(record.script);
    script_unpack(script, record.script);
    packed = script_pack(span_of(script, script_len));
    CHECK(packed.kind == record.script.kind || record.is_spent);
    CHECK(span_equal(packed.rest, record.script.rest));
    return 0;
}
