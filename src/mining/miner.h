/* The miner behind iface/miner.h: templates on the node's tip, solved by this
 * processor, handed to the node.
 */
#ifndef MINING_MINER_H
#define MINING_MINER_H

#include "consensus/params.h"
#include "iface/miner.h"
#include "os/clock.h"

struct miner_options {
    struct node *node; /* All borrowed, must outlive the miner. */
    const struct params *params;
    struct clock *clock;
    bool (*go_on)(void *context); /* false: the node stops. May be NULL. */
    void *context;
    bool has_block_version; /* -blockversion, on regtest. */
    int32_t block_version;
};

/* Release with miner_free. */
struct miner *miner_new(const struct miner_options *options);
void miner_free(struct miner *own_miner);

#endif /* MINING_MINER_H */
