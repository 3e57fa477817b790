#include "sim_clock.h"

static struct sim_clock *sim_of(struct clock *clock)
{
    return (struct sim_clock *)(void *)clock;
}

static int64_t wall_ms(struct clock *clock)
{
    return atomic_load(&sim_of(clock)->wall_now_ms);
}

static uint64_t monotonic_us(struct clock *clock)
{
    return atomic_load(&sim_of(clock)->monotonic_now_us);
}

void sim_clock_init(struct sim_clock *sim, int64_t start_ms)
{
    sim->clock = (struct clock){wall_ms, monotonic_us};
    atomic_init(&sim->wall_now_ms, start_ms);
    atomic_init(&sim->monotonic_now_us, 0);
}

void sim_clock_advance_us(struct sim_clock *sim, uint64_t us)
{
    uint64_t before = atomic_fetch_add(&sim->monotonic_now_us, us);

    (void)atomic_fetch_add(&sim->wall_now_ms, (int64_t)((before + us) / 1000 - before / 1000));
}

void sim_clock_set_wall_ms(struct sim_clock *sim, int64_t new_ms)
{
    atomic_store(&sim->wall_now_ms, new_ms);
}
