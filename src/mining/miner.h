/* The miner behind iface/miner.h: templates on the node's tip, solved by this
 * processor, handed to the node.
 */
#ifndef MINING_MINER_H
#define MINING_MINER_H

#include "iface/miner.h"
#include "keys/keyring.h"
#include "mining/builder.h"

struct miner_options {
    struct builder_options builder;
    bool (*go_on)(void *context); /* false: the node stops. May be NULL. */
    void *context;
    const struct keyring *signet_keys; /* Borrowed, may be NULL: solves signet blocks. */
    /* -mine: threads 0: nothing is mined but on request. */
    unsigned threads_n;
    struct span mine_script;  /* Copied: where the reward goes. */
    uint32_t mine_interval_s; /* Least time between blocks found by it. */
};

/* Release with miner_free. Mining begins with miner_start. */
struct miner *miner_new(const struct miner_options *options);
/* Starts the threads of -mine, if any are asked for. */
NODISCARD int miner_start(struct miner *miner, struct error *err);
/* Ends them; go_on must give false by now, or the wait may be long. */
void miner_free(struct miner *own_miner);

#endif /* MINING_MINER_H */
