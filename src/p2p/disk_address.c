#include "p2p/disk_address.h"

#include "codec/writer.h"

/* Once the version of the program that wrote; the low bits mean nothing now. */
#define FORM_ANY_BITS 0x7ffffU
#define FORM_WRITTEN 220000U
#define FORM_BIP155 (1U << 29)

void disk_address_write(struct buf *buf, const struct addrman_address *known)
{
    write_le32(buf, FORM_WRITTEN | FORM_BIP155);
    write_le32(buf, (uint32_t)known->time_s);
    write_compact_size(buf, known->services);
    net_address_write_v2(buf, &known->address);
}

void disk_address_read(struct addrman_address *ret, struct reader *r, bool has_v2)
{
    uint32_t form = read_le32(r) & ~FORM_ANY_BITS;

    *ret = (struct addrman_address){0};
    if (form != 0 && (form != FORM_BIP155 || !has_v2))
        (void)reader_fail(r, E_MALFORMED);
    ret->time_s = read_le32(r);
    if (form == 0) {
        ret->services = read_le64(r);
        net_address_read_v1(&ret->address, r);
    } else {
        ret->services = read_compact_size(r);
        net_address_read_v2(&ret->address, r);
    }
}
