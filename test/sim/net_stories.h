/* The stories that sim_net can tell: one for each scenario and seed. */
#ifndef NET_STORIES_H
#define NET_STORIES_H

#include "net_world.h"

struct scenario {
    const char *name;
    void (*tell)(struct world *world);
    uint64_t share; /* Seeds in an ordinary test run. */
};

/* net_stories.c: honest nodes, bad networks and machines. */
void story_sync(struct world *world);
void story_partition(struct world *world);
void story_reorg(struct world *world);
void story_storm(struct world *world);
void story_skew(struct world *world);
void story_crash(struct world *world);
void story_find(struct world *world);
/* net_hostile.c: strangers. */
void story_hostile(struct world *world);
void story_flood(struct world *world);
void story_eclipse(struct world *world);

#endif /* NET_STORIES_H */
