#include "net_world.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "codec/writer.h"
#include "primitives/block.h"

#define MATURITY 100
#define FEE_SAT 1000

struct world_totals world_totals;

uint64_t world_chance(struct world *world, uint64_t bound)
{
    uint64_t z = world->random += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    z ^= z >> 31;
    return bound == 0 ? 0 : z % bound;
}

bool world_holds(struct world *world, bool truth, const char *what)
{
    world->is_good &= EXPECT_TRUE(what, truth);
    return truth;
}

void world_init(struct world *world, uint64_t seed)
{
    *world = (struct world){.seed = seed, .random = seed, .is_good = true};
    sim_net_options_default(&world->options);
    world->options.latency_min_us = 1000 + world_chance(world, 50000);
    world->options.latency_max_us = world->options.latency_min_us + world_chance(world, 200000);
    world->options.jitter_us = world_chance(world, 50000);
    if (world_chance(world, 3) == 0) {
        world->options.stall_one_in = 20 + world_chance(world, 200);
        world->options.stall_us = 3 * SECOND_US;
    }
}

void world_open(struct world *world)
{
    world->net = sim_net_new(world->seed, &world->options);
}

void world_close(struct world *world)
{
    struct sim_net_counts counts;

    for (size_t i = 0; i < world->strangers_n; i++) {
        sim_peer_free(world->strangers[i]);
        free(world->contexts[i]);
    }
    for (size_t i = 0; i < world->nodes_n; i++) {
        struct error err = {0};

        if (world->nodes[i]->is_up &&
            !world_holds(world, sim_node_stop(world->nodes[i], &err) == 0, "a clean end"))
            printf("    %s\n", error_text(&err));
    }
    sim_net_counts(world->net, &counts);
    world_totals.virtual_us += sim_net_now_us(world->net);
    world_totals.net.events += counts.events;
    world_totals.net.connects += counts.connects;
    world_totals.net.resets += counts.resets;
    world_totals.net.bytes += counts.bytes;
    for (size_t i = 0; i < world->nodes_n; i++)
        sim_node_free(world->nodes[i]);
    sim_net_free(world->net);
    for (size_t i = 0; i < world->mined_n; i++)
        buf_clear(&world->mined[i].bytes);
    free(world->mined);
}

/* --- People --- */

struct sim_node *world_add_node(struct world *world, int64_t skew_ms)
{
    size_t i = world->nodes_n++;
    /* Each of another /16, as most nodes are. */
    uint8_t ip4[4] = {20, (uint8_t)(1 + i), 0, 1};

    CHECK(i < NODES_MAX);
    world->nodes[i] = sim_node_new(world->net, world->seed * 1000 + i, ip4, skew_ms);
    snprintf(world->addresses[i], sizeof(world->addresses[i]), "%u.%u.%u.%u:%u", ip4[0], ip4[1],
             ip4[2], ip4[3], SIM_NODE_PORT);
    world->nodes[i]->speaks_v2 = world_chance(world, 4) != 0;
    return world->nodes[i];
}

void world_link(struct world *world, size_t from, size_t to)
{
    struct sim_node *node = world->nodes[from];

    if (node->calls_n < SIM_NODE_CALLS_MAX)
        node->calls[node->calls_n++] = world->addresses[to];
}

void world_link_at_random(struct world *world)
{
    for (size_t i = 1; i < world->nodes_n; i++) {
        size_t more = (size_t)world_chance(world, 3);

        world_link(world, i, (size_t)world_chance(world, i));
        for (size_t k = 0; k < more; k++) {
            size_t to = (size_t)world_chance(world, world->nodes_n);

            if (to != i)
                world_link(world, i, to);
        }
    }
}

void world_start(struct world *world, size_t i)
{
    struct error err = {0};

    if (!world_holds(world, sim_node_start(world->nodes[i], &err) == 0, "a node starts"))
        printf("    %s\n", error_text(&err));
}

struct sim_peer *world_add_stranger(struct world *world, const struct sim_peer_script *script,
                                    void *own_context)
{
    size_t i = world->strangers_n++;
    uint8_t ip4[4] = {99, (uint8_t)(1 + i / 4), (uint8_t)i, 1};

    CHECK(i < STRANGERS_MAX);
    world->strangers[i] = sim_peer_new(world->net, params_of(NETWORK_REGTEST),
                                       world->seed * 1000 + 500 + i, ip4, script, own_context);
    world->contexts[i] = own_context;
    return world->strangers[i];
}

bool world_stranger_calls(struct world *world, size_t stranger, size_t node)
{
    return sim_peer_call(world->strangers[stranger], world->nodes[node]->ip4, SIM_NODE_PORT,
                         world_chance(world, 2) == 0);
}

/* --- What they do --- */

void world_run(struct world *world, uint64_t us)
{
    sim_net_run(world->net, sim_net_now_us(world->net) + us);
}

static void keep_mined(struct world *world, struct node *view, const struct block_hash *hash)
{
    struct block_info info;
    struct mined *mined;
    struct block_data data = {0};

    CHECK(view->ops->block_by_hash(view, &info, hash) == 0);
    CHECK(view->ops->read_block(view, &data, hash, NULL) == 0);
    world->mined = realloc_array(world->mined, world->mined_n + 1, sizeof(*world->mined));
    mined = &world->mined[world->mined_n++];
    *mined = (struct mined){.hash = *hash,
                            .prev = info.header.prev,
                            .height = info.height,
                            .coinbase = data.block.tx[0].txid};
    buf_add(&mined->bytes, data.bytes.data, data.bytes.len);
    block_data_clear(&data);
    world_totals.blocks++;
}

bool world_mine(struct world *world, size_t i)
{
    struct sim_node *node = world->nodes[i];
    struct block_hash hash;

    if (!node->is_up || !world_holds(world, sim_node_mine(node, &hash), "a block is mined"))
        return false;
    keep_mined(world, sim_node_view(node), &hash);
    return true;
}

bool world_mine_best(struct world *world)
{
    size_t best = 0;
    int32_t height = -1;

    for (size_t i = 0; i < world->nodes_n; i++) {
        int32_t its = world->nodes[i]->is_up ? sim_node_tip(world->nodes[i]).height : -1;

        if (its > height) {
            height = its;
            best = i;
        }
    }
    return world_mine(world, best);
}

void world_mine_many(struct world *world, size_t i, size_t n)
{
    while (n-- > 0 && world->is_good)
        (void)world_mine(world, i);
}

/* One input, one output back to everybody, the witness that opens it. */
static struct tx_ref *make_payment(const struct outpoint *prevout, int64_t value_sat)
{
    struct buf buf = {0};
    struct tx_ref *ref = NULL;

    write_le32(&buf, 2);
    buf_add(&buf, "\x00\x01", 2);
    write_compact_size(&buf, 1);
    buf_add(&buf, prevout->txid.b, HASH_BYTES);
    write_le32(&buf, prevout->vout);
    write_compact_size(&buf, 0);
    write_le32(&buf, 0xfffffffd);
    write_compact_size(&buf, 1);
    write_le64(&buf, (uint64_t)value_sat);
    write_var_bytes(&buf, sim_reward_script());
    write_compact_size(&buf, 1);
    write_var_bytes(&buf, sim_reward_witness());
    write_le32(&buf, 0);
    CHECK(tx_ref_read(&ref, span_of_buf(&buf), NULL) == 0);
    buf_clear(&buf);
    return ref;
}

bool world_pay(struct world *world, size_t i)
{
    struct sim_node *node = world->nodes[i];
    struct node *view = sim_node_view(node);
    int32_t height = sim_node_tip(node).height;

    for (size_t k = 0; k < world->mined_n; k++) {
        struct mined *mined = &world->mined[k];
        struct outpoint outpoint = {.txid = mined->coinbase};
        struct arena arena;
        struct coin coin;
        bool is_there;

        if (mined->is_spent || mined->height + MATURITY > height)
            continue;
        arena_init(&arena);
        is_there = view->ops->coin(view, &coin, NULL, &outpoint, &arena, NULL) == 0;
        arena_clear(&arena);
        if (is_there) {
            struct tx_ref *ref = make_payment(&outpoint, coin.value_sat - FEE_SAT -
                                                             (int64_t)world_chance(world, 5000));
            bool is_taken = sim_node_submit(node, ref);

            mined->is_spent = true;
            world->txs_made++;
            world_totals.txs++;
            tx_ref_drop(ref);
            return world_holds(world, is_taken, "a payment is taken");
        }
    }
    return false;
}

const struct mined *world_find(const struct world *world, const struct block_hash *hash)
{
    for (size_t i = world->mined_n; i-- > 0;)
        if (block_hash_equal(&world->mined[i].hash, hash))
            return &world->mined[i];
    return NULL;
}

const struct mined *world_best(const struct world *world)
{
    const struct mined *best = NULL;

    for (size_t i = 0; i < world->mined_n; i++)
        if (best == NULL || world->mined[i].height > best->height)
            best = &world->mined[i];
    return best;
}

/* --- What must hold --- */

static bool stands_on_valid(struct world *world, const struct sim_node *node)
{
    struct block_info tip = sim_node_tip(node);
    struct block_hash at = tip.hash;

    for (int32_t height = tip.height; height > 0; height--) {
        const struct mined *mined = world_find(world, &at);

        if (mined == NULL || mined->height != height)
            return false;
        at = mined->prev;
    }
    return block_hash_equal(&at, &node->params->genesis_hash);
}

void world_check(struct world *world)
{
    for (size_t i = 0; i < world->nodes_n && world->is_good; i++) {
        struct sim_node *node = world->nodes[i];

        if (!node->is_up)
            continue;
        if (!world_holds(world, node->fatal == NULL, "no node ends by itself"))
            printf("    node %zu: %s\n", i, node->fatal);
        world_holds(world, stands_on_valid(world, node), "only valid blocks");
    }
}

static bool is_settled(const struct world *world)
{
    const struct mined *best = world_best(world);
    struct block_hash tip;
    bool is_first = true;

    for (size_t i = 0; i < world->nodes_n; i++) {
        struct block_info info;

        if (!world->nodes[i]->is_up)
            continue;
        info = sim_node_tip(world->nodes[i]);
        if (info.height != (best == NULL ? 0 : best->height) ||
            (!is_first && !block_hash_equal(&tip, &info.hash)))
            return false;
        tip = info.hash;
        is_first = false;
    }
    return true;
}

static void check_same_coins(struct world *world)
{
    uint8_t first[32];
    uint8_t other[32];
    bool is_first = true;

    for (size_t i = 0; i < world->nodes_n; i++) {
        if (!world->nodes[i]->is_up)
            continue;
        sim_node_coins(world->nodes[i], is_first ? first : other);
        if (!is_first)
            world_holds(world, memcmp(first, other, 32) == 0, "the same coins");
        is_first = false;
    }
}

void world_settle(struct world *world, uint64_t within_us)
{
    uint64_t until = sim_net_now_us(world->net) + within_us;

    while (world->is_good && !is_settled(world) && sim_net_now_us(world->net) < until) {
        world_run(world, SECOND_US);
        world_check(world);
    }
    world_check(world);
    if (!world->is_good)
        return;
    if (world_holds(world, is_settled(world), "all reach the best block")) {
        check_same_coins(world);
        return;
    }
    for (size_t i = 0; i < world->nodes_n; i++)
        if (world->nodes[i]->is_up)
            printf("    node %zu: height %d of %d, %zu peers\n", i,
                   sim_node_tip(world->nodes[i]).height, world_best(world)->height,
                   sim_node_peers_n(world->nodes[i]));
}
