/* Addresses to begin with where nothing else is known (made by tools/fixed_seeds.py). */
#ifndef P2P_FIXED_SEEDS_H
#define P2P_FIXED_SEEDS_H

#include "consensus/params.h"

/* "host:port" each, NULL-terminated; static. */
const char *const *fixed_seeds_of(enum network network);

#endif /* P2P_FIXED_SEEDS_H */
