/* A clock that only moves when it is told to. */
#ifndef SIM_CLOCK_H
#define SIM_CLOCK_H

#include <stdint.h>

#include "os/clock.h"

struct sim_clock {
    struct clock clock; /* Hand out &sim.clock. */
    _Atomic int64_t wall_now_ms;
    _Atomic uint64_t monotonic_now_us;
};

void sim_clock_init(struct sim_clock *sim, int64_t wall_ms);

/* Both times go on. */
void sim_clock_advance_us(struct sim_clock *sim, uint64_t us);

/* Only the wall clock jumps: backwards too. */
void sim_clock_set_wall_ms(struct sim_clock *sim, int64_t wall_ms);

#endif /* SIM_CLOCK_H */
