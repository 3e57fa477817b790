/* A virtual network in virtual time: hosts with addresses, connections that behave as
 * TCP's do, and the one queue of events that drives everything. The same seed and the
 * same calls give the same run.
 *
 * A host's struct net_io (os/net.h) is what its node gets. Bytes of a connection
 * arrive in order, in pieces, each after the latency of the way, some much later (what
 * TCP makes of loss); pieces of different connections overtake each other. A
 * connection holds at most SIM_NET_WINDOW bytes on their way and not taken by the
 * reader; what is more waits with the sender, as with TCP. Everything is one thread: a
 * handler is called from sim_net_step, never from inside one of the functions it calls.
 */
#ifndef SIM_NET_H
#define SIM_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "os/net.h"
#include "sim_clock.h"

#define SIM_NET_WINDOW 262144U

struct sim_net;

struct sim_net_options {
    uint64_t latency_min_us; /* Of a pair of hosts: chosen once, one way. */
    uint64_t latency_max_us;
    uint64_t jitter_us;    /* Of every piece: 0 to this. */
    uint64_t bytes_per_s;  /* Of a host's uplink. */
    uint64_t stall_one_in; /* Pieces that come late by up to stall_us; 0: none. */
    uint64_t stall_us;
    uint64_t reset_one_in; /* Pieces that end their connection instead; 0: none. */
};
/* 10 to 150 ms, 20 ms of jitter, 10 MB/s, nothing lost. */
void sim_net_options_default(struct sim_net_options *ret_options) __attribute__((nonnull));

struct sim_net *sim_net_new(uint64_t seed, const struct sim_net_options *options);
void sim_net_free(struct sim_net *own_net); /* NULL is fine. */

/* A host at an IPv4 address, switched on. clock (may be NULL) goes on with the network's
 * time from now on. Returns its number, from 0 on. */
int sim_net_add_host(struct sim_net *net, const uint8_t *ip4, struct sim_clock *clock);
struct net_io *sim_net_io(struct sim_net *net, int host);

/* The process or the machine of a host ends: its handler is not called any more, its
 * listeners and connections are gone. silent: the others are not told (power, cable); they
 * find out when they send something and it is not answered within a minute. */
void sim_net_stop_host(struct sim_net *net, int host, bool silent);
/* It is there again, with nothing open. */
void sim_net_start_host(struct sim_net *net, int host);

/* Hosts of different groups do not reach each other (all begin in group 0). Bytes between
 * them wait; a connection over which nothing passes for SIM_NET_GIVE_UP_US ends. */
#define SIM_NET_GIVE_UP_US (UINT64_C(90) * 1000000)
void sim_net_set_group(struct sim_net *net, int host, int group);
/* A host's uplink from now on. */
void sim_net_set_bandwidth(struct sim_net *net, int host, uint64_t bytes_per_s);
/* Names that net_resolve finds: one more address for the name. */
void sim_net_add_name(struct sim_net *net, const char *name, const uint8_t *ip4);

/* Microseconds since the beginning. */
uint64_t sim_net_now_us(const struct sim_net *net);
/* Calls run(context, number) after a delay: what a scenario does. */
void sim_net_after(struct sim_net *net, uint64_t delay_us,
                   void (*run)(void *context, uint64_t number), void *context, uint64_t number);
/* The host to which something happens right now; -1: to none. */
int sim_net_host_now(const struct sim_net *net);
/* The next event happens. False: there is none, or none up to until_us; the time is then
 * until_us. */
bool sim_net_step(struct sim_net *net, uint64_t until_us);
/* All events up to then. */
void sim_net_run(struct sim_net *net, uint64_t until_us);

/* A number that changes with everything that happened: equal for equal runs. */
uint64_t sim_net_digest(const struct sim_net *net);
/* For figures. */
struct sim_net_counts {
    uint64_t events, connects, resets, pieces, bytes;
};
void sim_net_counts(const struct sim_net *net, struct sim_net_counts *ret_counts);

#endif /* SIM_NET_H */
