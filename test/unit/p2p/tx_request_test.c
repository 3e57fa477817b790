#include "p2p/tx_request.h"

#include "naive_tx_request.h"
#include "test.h"

static const struct siphash_key key = {.k0 = 1, .k1 = 2};

static struct tx_name id_name(uint32_t number)
{
    struct tx_name name = {.is_wtxid = true};

    memcpy(name.id, &number, sizeof(number));
    return name;
}

static size_t due(struct tx_requests *requests, struct tx_name *ret_first, int64_t peer,
                  int64_t now_ms)
{
    struct arena arena;
    struct tx_name *names;
    struct tx_request_expired *expired;
    size_t n, expired_n;

    arena_init(&arena);
    tx_request_due(requests, &names, &n, &expired, &expired_n, peer, now_ms, &arena);
    if (n > 0 && ret_first != NULL)
        *ret_first = names[0];
    arena_clear(&arena);
    return n;
}

static void preferred_peers_are_asked_first(void)
{
    struct tx_requests *requests = tx_request_new(&key);
    struct tx_name name = id_name(1);

    for (int64_t peer = 0; peer < 20; peer++)
        tx_request_announced(requests, peer, &name, peer == 13, 5);
    for (int64_t peer = 0; peer < 20; peer++)
        EXPECT_U64("before the time", due(requests, NULL, peer, 4), 0);
    for (int64_t peer = 0; peer < 20; peer++)
        EXPECT_U64("at the time", due(requests, NULL, peer, 5), peer == 13);
    tx_request_sent(requests, 13, name.id, 65);
    for (int64_t peer = 0; peer < 20; peer++)
        EXPECT_U64("one in flight", due(requests, NULL, peer, 64), 0);
    tx_request_free(requests);
}

static void a_silent_peer_is_replaced_and_not_asked_again(void)
{
    struct tx_requests *requests = tx_request_new(&key);
    struct tx_name name = id_name(1);

    tx_request_announced(requests, 1, &name, true, 0);
    tx_request_announced(requests, 2, &name, false, 0);
    EXPECT_U64("first", due(requests, NULL, 1, 0), 1);
    tx_request_sent(requests, 1, name.id, 60);
    EXPECT_U64("second waits", due(requests, NULL, 2, 59), 0);
    EXPECT_U64("second", due(requests, NULL, 2, 60), 1);
    EXPECT_U64("first is through", due(requests, NULL, 1, 60), 0);
    tx_request_announced(requests, 1, &name, true, 0);
    EXPECT_U64("said again", due(requests, NULL, 1, 61), 0);
    tx_request_sent(requests, 2, name.id, 120);
    tx_request_answered(requests, 2, name.id);
    EXPECT_U64("hopeless ids are forgotten", tx_request_total(requests), 0);
    tx_request_free(requests);
}

static void names_come_in_the_order_of_announcement(void)
{
    struct tx_requests *requests = tx_request_new(&key);
    struct tx_name first;

    for (uint32_t i = 0; i < 5000; i++) {
        struct tx_name name = id_name(i);

        tx_request_announced(requests, 9, &name, false, 0);
    }
    EXPECT_U64("all", due(requests, &first, 9, 0), 5000);
    EXPECT_TRUE("the first", memcmp(first.id, id_name(0).id, 32) == 0);
    EXPECT_U64("count", tx_request_count(requests, 9), 5000);
    tx_request_peer_gone(requests, 9);
    EXPECT_U64("none left", tx_request_total(requests), 0);
    tx_request_free(requests);
}

static void equals_the_naive_one(void)
{
    for (int round = 0; round < 400; round++) {
        uint8_t bytes[1500];

        test_random_fill(bytes, sizeof(bytes));
        naive_tx_request_run(bytes, sizeof(bytes));
    }
}

TEST_LIST(TEST(preferred_peers_are_asked_first),
          TEST(a_silent_peer_is_replaced_and_not_asked_again),
          TEST(names_come_in_the_order_of_announcement), TEST(equals_the_naive_one))
