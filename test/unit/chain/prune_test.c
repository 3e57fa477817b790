/* Pruning by itself, while blocks are on their way. */
#include <stdlib.h>

#include "base/alloc.h"
#include "branches.h"
#include "codec/reader.h"
#include "sim_disk.h"

/* More than are kept, and than are on their way at once. */
#define BLOCKS 700
#define PADDING 3000

/* Each look at it finds a commit due. */
struct hasty_clock {
    struct clock clock;
    _Atomic uint64_t now_us;
};

static int64_t hasty_wall_ms(struct clock *clock)
{
    (void)clock;
    return (INT64_C(1296688602) + 600 * (BLOCKS + 10)) * 1000;
}

static uint64_t hasty_monotonic_us(struct clock *clock)
{
    struct hasty_clock *hasty = (struct hasty_clock *)(void *)clock;

    return atomic_fetch_add(&hasty->now_us, UINT64_C(60) * 1000 * 1000);
}

static void offer_header(struct node *node, const struct branch_block *block)
{
    struct submit_result result;
    struct header header;
    struct reader r;

    reader_init(&r, block->bytes.data, HEADER_BYTES);
    header_read(&header, &r);
    EXPECT_INT("header", node->ops->submit_header(node, &result, &header, NULL), 0);
}

static bool has_body(struct node *node, const struct branch_block *block)
{
    struct block_info info;

    return node->ops->block_by_hash(node, &info, &block->hash) == 0 && info.have_data;
}

/* All blocks go through one flight, which a commit and a prune empty at the same block. */
static void a_prune_beside_a_commit(void)
{
    struct hasty_clock hasty = {.clock = {hasty_wall_ms, hasty_monotonic_us}};
    struct sim_disk *sim = sim_disk_new(test_random());
    struct chain_options options;
    struct branches branches;
    struct error err = {0};
    struct params params;
    struct chain *chain;
    struct node *node;

    branches_init_padded(&branches, PADDING);
    while (branches.n < BLOCKS)
        branches_grow(&branches, (int32_t)branches.n - 1, 1, BRANCH_GOOD);
    params = *branches.params;
    params.prune_after_height = 100;
    chain_options_default(&options, &params);
    options.disk = sim_disk_disk(sim);
    options.clock = &hasty.clock;
    options.blocks_folder = "/node/blocks";
    options.chainstate_folder = "/node/chainstate";
    options.cache_bytes = 4U << 20;
    options.threads = 2;
    options.prune_on = true;
    options.prune_fast = true;
    options.prune_target_bytes = 1;
    CHECK(chain_open(&chain, &options, &err) == 0 && chain_import(chain, &err) == 0);
    node = chain_node(chain);
    for (int32_t i = 0; i < BLOCKS; i++)
        offer_header(node, &branches.blocks[i]);
    for (int32_t i = 1; i < BLOCKS; i++)
        EXPECT_INT("behind", branches_offer(&branches, chain, i, NULL), 0);
    EXPECT_INT("first", branches_offer(&branches, chain, 0, NULL), 0);
    branches_agree(&branches, chain, BLOCKS - 1);
    EXPECT_TRUE("pruned", !has_body(node, &branches.blocks[1]));
    EXPECT_TRUE("kept", has_body(node, &branches.blocks[BLOCKS - 1]));
    EXPECT_INT("close", chain_close(chain, NULL), 0);
    branches_clear(&branches);
    sim_disk_free(sim);
}

TEST_LIST(TEST(a_prune_beside_a_commit))
