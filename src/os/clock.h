/* Time comes in through this table only, so that tests and the simulator can
 * turn it. Any thread.
 */
#ifndef OS_CLOCK_H
#define OS_CLOCK_H

#include <stdint.h>

struct clock {
    int64_t (*wall_ms)(struct clock *clock);      /* Since 1970; obeys setmocktime. */
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

#endif /* OS_CLOCK_H */
