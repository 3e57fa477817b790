/* Time comes in through this table only, so that tests and the simulator can
 * turn it. Any thread.
 */
#ifndef OS_CLOCK_H
#define OS_CLOCK_H

#include <stdatomic.h>
#include <stdint.h>

struct clock {
    int64_t (*wall_ms)(struct clock *clock);       /* Since 1970; obeys setmocktime. */
    uint64_t (*monotonic_us)(struct clock *clock); /* For spans. */
};

/* The machine's clocks. */
struct clock *clock_real(void);

static inline int64_t clock_wall_s(struct clock *clock)
{
    return clock->wall_ms(clock) / 1000;
}

static inline uint64_t clock_monotonic_us(struct clock *clock)
{
    return clock->monotonic_us(clock);
}

/* A clock whose wall time can be set (setmocktime). Any thread may set and read. */
struct mock_clock {
    struct clock clock; /* Hand out &mock.clock. */
    struct clock *under;
    _Atomic int64_t wall_s; /* 0: the time of the clock under it. */
};

void mock_clock_init(struct mock_clock *mock, struct clock *under);

/* wall_s: seconds since 1970, 0 to INT64_MAX / 1000; 0 turns the mock off. The
 * monotonic time is never mocked. */
void mock_clock_set(struct mock_clock *mock, int64_t wall_s);

#endif /* OS_CLOCK_H */
