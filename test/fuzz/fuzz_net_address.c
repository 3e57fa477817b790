/* Target: addresses as text and as bytes. A text that is read is read again, as the same
 * address, from what it is written as; so are the bytes of BIP155. A subnet contains the
 * address it is made of. */
#include <string.h>

#include "base/check.h"
#include "p2p/ban_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_text(const char *text, size_t len)
{
    char written[NET_ADDRESS_TEXT_SIZE];
    struct net_address address;
    struct net_address again;
    struct net_subnet subnet;
    struct net_subnet other;

    if (net_address_read(&address, text, len, 1)) {
        (void)net_address_text(written, &address);
        CHECK(net_address_read(&again, written, strlen(written), 2));
        CHECK(net_address_equal(&address, &again) && address.scope == again.scope);
        CHECK(net_address_net(&address) != NET_INTERNAL);
    }
    if (net_subnet_read(&subnet, text, len, false)) {
        (void)net_subnet_text(written, &subnet);
        CHECK(net_subnet_read(&other, written, strlen(written), false));
        CHECK(net_subnet_equal(&subnet, &other));
        CHECK(!net_address_is_valid(&subnet.base) || net_subnet_contains(&subnet, &subnet.base));
    }
}

static void check_bytes(const uint8_t *data, size_t len)
{
    struct net_address address;
    struct net_address again;
    struct net_group group;
    struct buf buf = {0};
    struct reader r;

    reader_init(&r, data, len);
    net_address_read_v2(&address, &r);
    if (r.rc < 0)
        return;
    net_address_write_v2(&buf, &address);
    CHECK(!net_address_is_valid(&address) ||
          span_equal(span_of_buf(&buf), span_of(data, len - r.left)));
    reader_init(&r, buf.data, buf.len);
    net_address_read_v2(&again, &r);
    CHECK(r.rc == 0 && net_address_equal(&address, &again));
    buf.len = 0;
    net_address_write_v1(&buf, &address);
    reader_init(&r, buf.data, buf.len);
    net_address_read_v1(&again, &r);
    CHECK(r.rc == 0 && (net_address_equal(&address, &again) || !net_address_fits_v1(&address)));
    group = net_group_of(&address, 0);
    CHECK(group.len <= NET_GROUP_BYTES_MAX);
    CHECK(net_address_is_valid(&address) || !net_address_is_routable(&address));
    CHECK(net_address_reachability(&address, &again) >= 0);
    buf_clear(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct ban_target target;
    char text[128];

    check_text((const char *)data, len);
    check_bytes(data, len);
    if (len < sizeof(text) && memchr(data, '\0', len) == NULL) {
        memcpy(text, data, len);
        text[len] = '\0';
        if (ban_target_read(&target, text, false))
            CHECK(target.asn != 0 || target.subnet.base.net != NET_UNROUTABLE);
    }
    return 0;
}
