#include "codec/writer.h"

size_t compact_size_write(uint8_t *out, uint64_t value)
{
    if (value < 0xfd) {
        out[0] = (uint8_t)value;
        return 1;
    }
    if (value <= 0xffff) {
        out[0] = 0xfd;
        put_le16(out + 1, (uint16_t)value);
        return 3;
    }
    if (value <= 0xffffffff) {
        out[0] = 0xfe;
        put_le32(out + 1, (uint32_t)value);
        return 5;
    }
    out[0] = 0xff;
    put_le64(out + 1, value);
    return 9;
}

size_t compact_size_len(uint64_t value)
{
    if (value < 0xfd)
        return 1;
    if (value <= 0xffff)
        return 3;
    return value <= 0xffffffff ? 5 : 9;
}

void write_u8(struct buf *buf, uint8_t v)
{
    buf_add_byte(buf, v);
}

void write_le16(struct buf *buf, uint16_t v)
{
    put_le16(buf_extend(buf, 2), v);
}

void write_le32(struct buf *buf, uint32_t v)
{
    put_le32(buf_extend(buf, 4), v);
}

void write_le64(struct buf *buf, uint64_t v)
{
    put_le64(buf_extend(buf, 8), v);
}

void write_compact_size(struct buf *buf, uint64_t v)
{
    uint8_t out[COMPACT_SIZE_BYTES_MAX];

    buf_add(buf, out, compact_size_write(out, v));
}

void write_span(struct buf *buf, struct span data)
{
    buf_add(buf, data.data, data.len);
}

void write_var_bytes(struct buf *buf, struct span data)
{
    write_compact_size(buf, data.len);
    write_span(buf, data);
}
