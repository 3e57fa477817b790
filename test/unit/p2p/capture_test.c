#include "p2p/capture.h"

#include "base/alloc.h"
#include "p2p/message.h"
#include "test.h"

static void messages_one_behind_the_other(void)
{
    static const uint8_t place[4] = {127, 0, 0, 1};
    static const uint8_t want[] =
        "\x08\x07\x06\x05\x04\x03\x02\x01ping\0\0\0\0\0\0\0\0\x03\0\0\0abc"
        "\x09\x07\x06\x05\x04\x03\x02\x01twelve chars\0\0\0\0";
    struct net_address address = net_address_ipv4(place, 18444);
    const char *folder = test_folder();
    char *path = alloc_printf("%s/message_capture/127.0.0.1_18444/msgs_recv.dat", folder);
    char *other = alloc_printf("%s/message_capture/127.0.0.1_18444/msgs_sent.dat", folder);
    struct buf found = {0};
    struct error err = {0};

    EXPECT_INT("first",
               capture_message(disk_real(), folder, &address, true, 0x0102030405060708, "ping",
                               span_of("abc", 3), &err),
               0);
    EXPECT_INT("second",
               capture_message(disk_real(), folder, &address, true, 0x0102030405060709,
                               "twelve chars", span_of(NULL, 0), &err),
               0);
    EXPECT_TRUE("there", test_read_file(&found, path));
    EXPECT_BYTES("bytes", found.data, found.len, want, sizeof(want) - 1);
    found.len = 0;
    EXPECT_TRUE("nothing was sent", !test_read_file(&found, other));
    EXPECT_INT(
        "sent",
        capture_message(disk_real(), folder, &address, false, 1, "pong", span_of("d", 1), &err), 0);
    EXPECT_TRUE("there", test_read_file(&found, other));
    EXPECT_U64("bytes", found.len, 25);
    buf_clear(&found);
    free(path);
    free(other);
}

TEST_LIST(TEST(messages_one_behind_the_other))
