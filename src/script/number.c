#include "script/number.h"

#include "base/check.h"

static bool is_minimal(struct span bytes)
{
    size_t last = bytes.len - 1;

    if (bytes.len == 0 || (bytes.data[last] & 0x7f) != 0)
        return true;
    /* A last byte that only carries the sign is needed where the byte before
     * uses its highest bit itself. */
    return bytes.len > 1 && (bytes.data[last - 1] & 0x80) != 0;
}

bool script_number_read(int64_t *ret_number, struct span bytes, size_t bytes_max, bool minimal)
{
    uint64_t magnitude = 0;
    bool negative = false;

    if (bytes.len > bytes_max || (minimal && !is_minimal(bytes)))
        return false;
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t byte = bytes.data[i];

        if (i == bytes.len - 1) {
            negative = (byte & 0x80) != 0;
            byte &= 0x7f;
        }
        magnitude |= (uint64_t)byte << (8 * i);
    }
    *ret_number = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    return true;
}

size_t script_number_write(uint8_t *ret_bytes, int64_t number)
{
    uint64_t magnitude = number < 0 ? (uint64_t)-number : (uint64_t)number;
    size_t len = 0;

    VERIFY(number != INT64_MIN);
    for (; magnitude > 0; magnitude >>= 8)
        ret_bytes[len++] = (uint8_t)magnitude;
    if (len == 0)
        return 0;
    if (ret_bytes[len - 1] & 0x80)
        ret_bytes[len++] = 0; /* The sign needs a byte of its own. */
    if (number < 0)
        ret_bytes[len - 1] |= 0x80;
    return len;
}

bool script_bool(struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.data[i] != 0)
            return i + 1 < bytes.len || bytes.data[i] != 0x80;
    }
    return false;
}
