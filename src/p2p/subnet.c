#include "p2p/subnet.h"

#include <stdio.h>
#include <string.h>

static bool is_ip(const struct net_address *address)
{
    return address->net == NET_IPV4 || address->net == NET_IPV6;
}

static void set_mask(uint8_t *mask, unsigned bits)
{
    memset(mask, 0, 16);
    for (unsigned i = 0; i < bits; i++)
        mask[i / 8] |= (uint8_t)(0x80U >> i % 8);
}

/* How many ones are in front, or -1 if there are others. */
static int bits_of_mask(const uint8_t *mask)
{
    uint8_t whole[16];
    unsigned bits = 0;

    while (bits < 128 && (mask[bits / 8] & 0x80U >> bits % 8) != 0)
        bits++;
    set_mask(whole, bits);
    return memcmp(whole, mask, sizeof(whole)) == 0 ? (int)bits : -1;
}

static bool read_mask(struct net_subnet *subnet, const char *text, size_t len)
{
    unsigned width = subnet->base.len * 8U;
    struct net_address mask;
    unsigned bits = 0;
    size_t used = 0;

    for (; used < len && text[used] >= '0' && text[used] <= '9' && bits <= 255; used++)
        bits = bits * 10 + (unsigned)(text[used] - '0');
    if (used == len && len > 0 && bits <= 255) {
        set_mask(subnet->mask, bits <= width ? bits : 0);
        return bits <= width;
    }
    if (!net_address_read_host(&mask, text, len) || mask.net != subnet->base.net)
        return false;
    memset(subnet->mask, 0, sizeof(subnet->mask));
    memcpy(subnet->mask, mask.bytes, mask.len);
    return bits_of_mask(subnet->mask) >= 0;
}

bool net_subnet_of_address(struct net_subnet *ret, const struct net_address *address)
{
    if (address->net == NET_UNROUTABLE || address->net == NET_INTERNAL)
        return false;
    *ret = (struct net_subnet){.base = *address};
    ret->base.port = 0;
    set_mask(ret->mask, is_ip(address) ? address->len * 8U : 0);
    return true;
}

bool net_subnet_read(struct net_subnet *ret, const char *text, size_t len, bool to_cjdns)
{
    const char *slash = memrchr(text, '/', len);
    size_t host_len = slash == NULL ? len : (size_t)(slash - text);
    struct net_subnet subnet;
    struct net_address base;

    if (!net_address_read_host(&base, text, host_len))
        return false;
    if (to_cjdns)
        net_address_to_cjdns(&base);
    if (!net_subnet_of_address(&subnet, &base))
        return false;
    if (slash != NULL && (!is_ip(&base) || !read_mask(&subnet, slash + 1, len - host_len - 1)))
        return false;
    for (unsigned i = 0; is_ip(&base) && i < base.len; i++)
        subnet.base.bytes[i] &= subnet.mask[i];
    *ret = subnet;
    return true;
}

const char *net_subnet_text(char *ret_text, const struct net_subnet *subnet)
{
    size_t len;

    (void)net_address_host_text(ret_text, &subnet->base);
    len = strlen(ret_text);
    if (is_ip(&subnet->base))
        (void)snprintf(ret_text + len, NET_ADDRESS_TEXT_SIZE - len, "/%d",
                       bits_of_mask(subnet->mask));
    return ret_text;
}

bool net_subnet_contains(const struct net_subnet *subnet, const struct net_address *address)
{
    if (!net_address_is_valid(address) || subnet->base.net != address->net)
        return false;
    if (!is_ip(address))
        return net_address_host_equal(&subnet->base, address);
    for (unsigned i = 0; i < address->len; i++) {
        if ((address->bytes[i] & subnet->mask[i]) != subnet->base.bytes[i])
            return false;
    }
    return true;
}

bool net_subnet_is_single(const struct net_subnet *subnet)
{
    return !is_ip(&subnet->base) || bits_of_mask(subnet->mask) == subnet->base.len * 8;
}

bool net_subnet_equal(const struct net_subnet *a, const struct net_subnet *b)
{
    return net_subnet_compare(a, b) == 0;
}

int net_subnet_compare(const struct net_subnet *a, const struct net_subnet *b)
{
    int order = net_address_compare(&a->base, &b->base);

    return order != 0 ? order : memcmp(a->mask, b->mask, sizeof(a->mask));
}
