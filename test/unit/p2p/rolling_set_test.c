#include "p2p/rolling_set.h"

#include "base/alloc.h"
#include "test.h"

static void make_id(uint8_t *ret_id, uint64_t n)
{
    memset(ret_id, 0, 32);
    put_le64(ret_id, n);
}

static const struct siphash_key key = {1, 2};

/* At every moment the last n are known, and none that is older than half as many more. */
static void the_last_are_known(void)
{
    static const uint32_t sizes[] = {2, 3, 10, 1000, 5000};

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        uint32_t n = sizes[i];
        struct rolling_set set;
        uint8_t id[32];

        rolling_set_init(&set, n, &key);
        for (uint64_t at = 0; at < 5 * (uint64_t)n; at++) {
            uint64_t oldest = at >= n ? at - n + 1 : 0;
            uint64_t forgotten = (uint64_t)n + 2 * ((uint64_t)n / 2) + 2;

            make_id(id, at);
            EXPECT_TRUE("new", !rolling_set_has(&set, id));
            rolling_set_add(&set, id);
            EXPECT_TRUE("added", rolling_set_has(&set, id));
            make_id(id, oldest);
            EXPECT_TRUE("the oldest of them", rolling_set_has(&set, id));
            make_id(id, oldest + test_random_below(at - oldest + 1));
            EXPECT_TRUE("any of them", rolling_set_has(&set, id));
            if (at >= forgotten) {
                make_id(id, at - forgotten);
                EXPECT_TRUE("forgotten", !rolling_set_has(&set, id));
            }
        }
        rolling_set_reset(&set);
        make_id(id, 5 * (uint64_t)n - 1);
        EXPECT_TRUE("reset", !rolling_set_has(&set, id));
        rolling_set_add(&set, id);
        EXPECT_TRUE("works on", rolling_set_has(&set, id));
        rolling_set_clear(&set);
    }
}

static void strangers_are_not_known(void)
{
    struct rolling_set set;
    uint8_t id[32];
    size_t bytes = 0;
    size_t wrong = 0;

    rolling_set_init(&set, 50000, &key);
    for (uint64_t n = 0; n < 80000; n++) {
        make_id(id, n);
        rolling_set_add(&set, id);
    }
    for (uint64_t n = 0; n < 300000; n++) {
        make_id(id, 1000000 + n);
        wrong += rolling_set_has(&set, id);
    }
    EXPECT_TRUE("hardly ever", wrong <= 1);
    for (size_t i = 0; i < ROLLING_SET_GENERATIONS; i++)
        bytes += set.generations[i].slots_n * sizeof(uint32_t);
    EXPECT_TRUE("small", bytes <= 400000);
    rolling_set_clear(&set);
}

static void bytes_of_any_length(void)
{
    struct rolling_set set;

    rolling_set_init(&set, 1000, &key);
    for (size_t len = 0; len < 200; len++) {
        uint8_t data[200] = {7};

        EXPECT_TRUE("new", !rolling_set_has_bytes(&set, data, len));
        rolling_set_add_bytes(&set, data, len);
        EXPECT_TRUE("added", rolling_set_has_bytes(&set, data, len));
    }
    rolling_set_clear(&set);
}

TEST_LIST(TEST(the_last_are_known), TEST(strangers_are_not_known), TEST(bytes_of_any_length))
