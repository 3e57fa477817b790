/* The mempool against a slow model of it, by random steps. */
#include "naive_pool.h"

#include "../test.h"

static void the_model_agrees(void)
{
    uint8_t data[900];

    for (int round = 0; round < 40; round++) {
        test_random_fill(data, sizeof(data));
        naive_pool_play(data, sizeof(data));
    }
    EXPECT_TRUE("no difference", true);
}

TEST_LIST(TEST(the_model_agrees))
