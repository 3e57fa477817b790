/* A chain of headers for tests: the blocks from base_height on. */
#ifndef TEST_CONSENSUS_CHAIN_OF_H
#define TEST_CONSENSUS_CHAIN_OF_H

#include "consensus/pow.h"

struct chain_of {
    int32_t base_height;
    size_t n;
    struct ancestor *blocks; /* Owned. */
};

void chain_of_clear(struct chain_of *chain);
void chain_of_add(struct chain_of *chain, int32_t version, uint32_t time, uint32_t bits);

/* Up to tip_height; looking below base_height or above it is a broken test. */
struct ancestry chain_of_ancestry(const struct chain_of *chain, int32_t tip_height);

#endif /* TEST_CONSENSUS_CHAIN_OF_H */
