/* Soft forks signalled in header versions (BIP 9), and the signals of others.
 *
 * A state holds for a whole period of blocks and follows from the chain before
 * it. It is computed forward from the last period known; a cache keeps what was
 * computed for one branch. Pure but for the caches, which belong to whoever owns
 * the branch.
 */
#ifndef CONSENSUS_DEPLOYMENTS_H
#define CONSENSUS_DEPLOYMENTS_H

#include "consensus/params.h"
#include "consensus/pow.h"

enum deployment_state {
    DEPLOYMENT_DEFINED,
    DEPLOYMENT_STARTED,
    DEPLOYMENT_LOCKED_IN,
    DEPLOYMENT_ACTIVE,
    DEPLOYMENT_FAILED
};

/* "defined", "started", "locked_in", "active", "failed". */
const char *deployment_state_name(enum deployment_state state);

#define VERSION_TOP_BITS 0x20000000U
#define VERSION_TOP_MASK 0xe0000000U
/* Bits 0 to 4 signal; BIP 323 leaves those from 5 to 28 to miners. */
#define VERSION_SIGNAL_BITS 5

/* States of the periods of one branch, from the first on. Zero it to start. */
struct deployment_states {
    uint8_t *states; /* Owned. */
    size_t n;
    size_t capacity;
};

struct deployment_cache {
    struct deployment_states known[DEPLOYMENT_COUNT];
    struct deployment_states unknown[VERSION_SIGNAL_BITS];
};

void deployment_cache_clear(struct deployment_cache *cache);

/* The branch now agrees with what was cached only up to fork_height: forget what
 * rests on later blocks. Must be called before the cache is used with ancestors
 * that differ above fork_height. */
void deployment_cache_rewind(struct deployment_cache *cache, int32_t fork_height,
                             const struct params *params);

/* The state of the block after the ancestry's tip. cache may be NULL: then all
 * periods are computed. */
enum deployment_state deployment_state_after(const struct ancestry *ancestry,
                                             enum deployment deployment,
                                             const struct params *params,
                                             struct deployment_cache *cache);

/* The height of the first block with that state; 0 for DEFINED and for
 * deployments that are always or never active. */
int32_t deployment_since_after(const struct ancestry *ancestry, enum deployment deployment,
                               const struct params *params, struct deployment_cache *cache);

/* Signals in the period that the ancestry's tip belongs to, up to the tip. */
struct deployment_statistics {
    uint32_t period;
    uint32_t threshold;
    uint32_t elapsed; /* Blocks of the period so far, the tip counted. */
    uint32_t count;   /* Those that signal. */
    bool possible;    /* Enough blocks are left to reach the threshold. */
};

/* What getdeploymentinfo shows of the ancestry's tip. */
struct deployment_info {
    enum deployment_state state;             /* Of the tip. */
    enum deployment_state next;              /* Of the block after it. */
    int32_t since;                           /* Of state. */
    bool has_statistics;                     /* state is STARTED or LOCKED_IN. */
    struct deployment_statistics statistics; /* LOCKED_IN: threshold 0, not possible. */
    int32_t active_since;                    /* -1: not known to become active. */
};

/* ret_signals: NULL, or room for params' period of the deployment; ret_signals[i]
 * says whether block i of the tip's period signals, for i < statistics.elapsed.
 * The ancestry has at least one block. */
struct deployment_info deployment_info_of(const struct ancestry *ancestry,
                                          enum deployment deployment, const struct params *params,
                                          struct deployment_cache *cache, bool *ret_signals);

/* The version of a block to be mined after the ancestry's tip: signals for all
 * that is STARTED or LOCKED_IN. */
int32_t block_version_after(const struct ancestry *ancestry, const struct params *params,
                            struct deployment_cache *cache);

/* A bit that enough blocks set without our knowing why. */
struct unknown_deployment {
    int bit;
    bool is_active; /* false: locked in. */
};

/* Returns how many; ret_unknown has VERSION_SIGNAL_BITS entries. */
size_t unknown_deployments_after(struct unknown_deployment *ret_unknown,
                                 const struct ancestry *ancestry, const struct params *params,
                                 struct deployment_cache *cache);

#endif /* CONSENSUS_DEPLOYMENTS_H */
