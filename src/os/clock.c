#include "os/clock.h"

#include <time.h>

#include "base/check.h"

static int64_t real_wall_ms(struct clock *clock)
{
    struct timespec now;

    (void)clock;
    CHECK(clock_gettime(CLOCK_REALTIME, &now) == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static uint64_t real_monotonic_us(struct clock *clock)
{
    struct timespec now;

    (void)clock;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

struct clock *clock_real(void)
{
    static struct clock real = {real_wall_ms, real_monotonic_us};

    return &real;
}

static struct mock_clock *mock_of(struct clock *clock)
{
    return (struct mock_clock *)(void *)clock;
}

static int64_t mock_wall_ms(struct clock *clock)
{
    struct mock_clock *mock = mock_of(clock);
    int64_t set_s = atomic_load_explicit(&mock->wall_s, memory_order_acquire);

    return set_s != 0 ? set_s * 1000 : mock->under->wall_ms(mock->under);
}

static uint64_t mock_monotonic_us(struct clock *clock)
{
    struct clock *under = mock_of(clock)->under;

    return under->monotonic_us(under);
}

void mock_clock_init(struct mock_clock *mock, struct clock *under)
{
    mock->clock = (struct clock){mock_wall_ms, mock_monotonic_us};
    mock->under = under;
    atomic_init(&mock->wall_s, 0);
}

void mock_clock_set(struct mock_clock *mock, int64_t wall_s)
{
    CHECK(wall_s >= 0 && wall_s <= INT64_MAX / 1000);
    atomic_store_explicit(&mock->wall_s, wall_s, memory_order_release);
}
