#include "p2p/addr_cache.h"

#include "base/alloc.h"

#include "test.h"

#define NOW 1700000000
#define HOUR (60 * 60)

static const uint8_t seed[RANDOM_SEED_BYTES];

static struct net_address numbered(unsigned i)
{
    const uint8_t ip[4] = {(uint8_t)(20 + i / 256), (uint8_t)i, 1, 1};

    return net_address_ipv4(ip, 8333);
}

static struct addrman *make(unsigned n)
{
    const struct addrman_options options = {.seed = seed};
    struct addrman *man = addrman_new(&options);

    for (unsigned i = 0; i < n; i++) {
        struct addrman_address known = {.address = numbered(i), .time_s = NOW};

        (void)addrman_add(man, &known, 1, &known.address, 0, NOW);
    }
    return man;
}

static bool is_even(void *context, const struct net_address *address)
{
    (*(unsigned *)context)++;
    return address->bytes[1] % 2 == 0;
}

static bool same(const struct addrman_address *a, size_t a_n, const struct addrman_address *b,
                 size_t b_n)
{
    bool is_same = a_n == b_n;

    for (size_t i = 0; is_same && i < a_n; i++)
        is_same = net_address_equal(&a[i].address, &b[i].address);
    return is_same;
}

static void one_answer_a_day(void)
{
    struct addr_cache *cache = addr_cache_new(seed);
    struct addrman *man = make(1000);
    struct net_address local = numbered(5000);
    struct net_address other_local = numbered(5001);
    struct addrman_address first[300];
    const struct addrman_address *list;
    unsigned asked = 0;
    size_t first_n;
    size_t n;

    first_n = addr_cache_get(cache, &list, man, NET_IPV4, &local, is_even, &asked, NOW);
    EXPECT_U64("23 percent were asked about", asked, addrman_size(man) * 23 / 100);
    EXPECT_TRUE("half of them allowed", first_n > 70 && first_n < 160);
    memcpy(first, list, first_n * sizeof(*list));
    n = addr_cache_get(cache, &list, man, NET_IPV4, &local, NULL, NULL, NOW + 21 * HOUR - 1);
    EXPECT_TRUE("the same", same(first, first_n, list, n));
    n = addr_cache_get(cache, &list, man, NET_ONION, &local, is_even, &asked, NOW);
    EXPECT_TRUE("another network", !same(first, first_n, list, n));
    n = addr_cache_get(cache, &list, man, NET_IPV4, &other_local, is_even, &asked, NOW);
    EXPECT_TRUE("another address of ours", !same(first, first_n, list, n));
    n = addr_cache_get(cache, &list, man, NET_IPV4, &local, is_even, &asked, NOW + 27 * HOUR);
    EXPECT_TRUE("another day", !same(first, first_n, list, n));
    addr_cache_free(cache);
    addrman_free(man);
}

static void bounded(void)
{
    struct addr_cache *cache = addr_cache_new(seed);
    struct addrman *man = make(10);
    const struct addrman_address *list;

    for (unsigned i = 0; i < 1000; i++) {
        struct net_address local = numbered(i);

        EXPECT_U64("two of ten",
                   addr_cache_get(cache, &list, man, NET_IPV4, &local, NULL, NULL, NOW),
                   addrman_size(man) * 23 / 100);
    }
    addr_cache_free(cache);
    addrman_free(man);
}

TEST_LIST(TEST(one_answer_a_day), TEST(bounded))
